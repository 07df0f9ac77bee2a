// SPDX-License-Identifier: GPL-2.0-only
/* What --watch says: a line and what belongs to it, or an object of JSON. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "place_watch.h"
#include "place_words.h"
#include "text.h"
#include "util.h"

static void timestamp(char *buf, size_t size)
{
	time_t now = time(NULL);
	struct tm tm;

	buf[0] = '\0';
	if (localtime_r(&now, &tm))
		strftime(buf, size, "%Y-%m-%dT%H:%M:%S%z", &tm);
}

/* An object, with what all of them have. */
void say_begin(struct watcher *w, const char *event, const struct ward *ward)
{
	struct out *o = w->out;
	char now[48];

	timestamp(now, sizeof(now));
	out_begin(o, NULL);
	out_field(o, "time", NULL, val_str(now));
	out_field(o, "event", NULL, val_str(event));
	if (!ward)
		return;
	out_field(o, "vm", NULL, val_num(ward->id));
	if (ward->pid)
		out_field(o, "pid", NULL, val_num((__u64)ward->pid));
	out_field(o, "name", NULL, val_str(ward->name));
	if (ward->rule)
		out_field(o, "rule", NULL, val_num(ward->rule->line));
}

/* In words. */
void say_text(struct watcher *w, const char *fmt, ...)
{
	char now[48], *text;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vasprintf(&text, fmt, args);
	va_end(args);
	if (n < 0)
		fail(EX_FAILED, "out of memory");
	timestamp(now, sizeof(now));
	out_say(w->out, "%s %s", now, text);
	out_field(w->out, "text", NULL, val_str(text));
	free(text);
}

void say_end(struct watcher *w)
{
	out_end(w->out);
	out_finish(w->out);
}

static char *event_text(const struct kvmx_record *r, const struct ward *ward)
{
	char took[32];

	switch (r->type) {
	case KVMX_EVENT_VM_DIED:
		return xasprintf("VM %llu has ended", r->vm);
	case KVMX_EVENT_THREAD_BORN:
		text_ns(took, sizeof(took), r->arg);
		return xasprintf("VM %llu: thread %d (%s, %s) was born, and placed after %s",
				 r->vm, r->tid, r->name,
				 class_name(r->thread_class), took);
	case KVMX_EVENT_DRIFT:
		return xasprintf("VM %llu: somebody else changed the CPUs of thread %d (%s): %s",
				 r->vm, r->tid, r->name,
				 r->arg ? "put back" : "his word stands");
	case KVMX_EVENT_CPU_GONE:
		return xasprintf("VM %llu: CPU %llu is gone: its threads use others",
				 r->vm, r->arg);
	case KVMX_EVENT_CPU_BACK:
		return xasprintf("VM %llu: CPU %llu is back", r->vm, r->arg);
	case KVMX_EVENT_MOVED:
		return xasprintf("VM %llu: policy auto moved vCPU %u to CPU %llu",
				 r->vm, r->vcpu, r->arg);
	case KVMX_EVENT_LOST:
		return xasprintf("%llu events were lost: all VMs are looked at again",
				 r->arg);
	default:
		return xasprintf("VM %llu (%s): %s", r->vm,
				 ward ? ward->name : "-", event_name(r->type));
	}
}

/* An event that the module told, as it is. */
void say_event(struct watcher *w, const struct kvmx_record *r,
	       const struct ward *ward)
{
	char *text = event_text(r, ward);

	say_begin(w, event_name(r->type), ward);
	if (r->tid)
		out_field(w->out, "tid", NULL, val_num((__u64)r->tid));
	if (r->vcpu != KVMX_NO_VCPU)
		out_field(w->out, "vcpu", NULL, val_num(r->vcpu));
	out_field(w->out, "value", NULL, val_num(r->arg));
	say_text(w, "%s", text);
	say_end(w);
	free(text);
}
