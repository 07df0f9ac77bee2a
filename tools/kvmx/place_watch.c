// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "place_watch.h"
#include "text.h"
#include "util.h"

#define BIT_OF(event)	(1ULL << (event))
#define RECORDS		64

/* Errors go to stderr as they are: "FILE:LINE: what is wrong". */
static bool parse_rules(struct watcher *w, struct rules *to)
{
	char *errors = rules_parse(to, w->file.path, w->file.text);

	if (!errors)
		return true;
	complain("%s", errors);
	free(errors);
	return false;
}

static __u64 wanted(const struct place_options *opts)
{
	__u64 mask = BIT_OF(KVMX_EVENT_VM_BORN) | BIT_OF(KVMX_EVENT_VM_DIED) |
		     BIT_OF(KVMX_EVENT_DRIFT) | BIT_OF(KVMX_EVENT_CPU_GONE) |
		     BIT_OF(KVMX_EVENT_CPU_BACK) |
		     BIT_OF(KVMX_EVENT_CLEARED) | BIT_OF(KVMX_EVENT_MOVED);

	/* There may be hundreds a second. */
	if (opts->explain)
		mask |= BIT_OF(KVMX_EVENT_THREAD_BORN);
	return mask;
}

static void open_events(struct watcher *w)
{
	w->events = device_events(w->dev, wanted(w->opts));
	if (w->events == -ENOTTY)
		fail(EX_OTHER_ABI,
		     "the module tells no events: it is older than this tool");
	if (w->events < 0)
		fail(placement_status(w->events),
		     "cannot watch for VMs: %s", strerror(-w->events));
}

static void take_event(struct watcher *w, struct kvmx_record *r)
{
	struct ward *ward = ward_find(w, r->vm);

	r->name[KVMX_COMM_LEN - 1] = '\0';
	text_clean(r->name);
	switch (r->type) {
	case KVMX_EVENT_LOST:
		say_event(w, r, NULL);
		wards_find(w);
		wards_retry(w, true);
		break;
	case KVMX_EVENT_VM_BORN:
		ward_take(w, r->vm);
		break;
	case KVMX_EVENT_VM_DIED:
		if (ward && ward->rule)
			say_event(w, r, ward);
		ward_forget(w, r->vm);
		wards_retry(w, true);
		break;
	case KVMX_EVENT_CLEARED:
		if (ward && ward->placed)
			ward_cleared(w, ward);
		wards_retry(w, true);
		break;
	case KVMX_EVENT_CPU_BACK:
		if (ward && ward->placed)
			say_event(w, r, ward);
		wards_retry(w, true);
		break;
	default:
		if (ward && ward->placed)
			say_event(w, r, ward);
	}
}

static void read_events(struct watcher *w)
{
	union {
		struct kvmx_record align;
		char room[RECORDS * sizeof(struct kvmx_record)];
	} buf;
	ssize_t n = device_read_events(w->events, &buf, sizeof(buf)), at;

	if (n == -EAGAIN)
		return;
	if (n <= 0)
		fail(EX_FAILED, "the module tells no more events: %s",
		     n ? strerror((int)-n) : "the end");
	for (at = 0; at + (ssize_t)sizeof(__u32) <= n;) {
		const __u32 size = *(const __u32 *)(buf.room + at);
		struct kvmx_record r = { 0 };

		if (size < sizeof(__u32) || size > (size_t)(n - at))
			fail(EX_OTHER_ABI, "the module's events make no sense");
		/* A newer module's are longer. */
		memcpy(&r, buf.room + at, size < sizeof(r) ? size : sizeof(r));
		take_event(w, &r);
		at += size;
	}
}

static void read_file(struct watcher *w)
{
	struct rules rules;

	if (!rules_file_changed(&w->file))
		return;
	say_begin(w, "rules", NULL);
	if (!parse_rules(w, &rules)) {
		say_text(w, "%s has changed and is wrong: the rules of before stay in force",
			 w->file.path);
		say_end(w);
		return;
	}
	say_text(w, "%s has changed: %u %s", w->file.path, rules.nr,
		 rules.nr == 1 ? "rule" : "rules");
	say_end(w);
	wards_new_rules(w, &rules);
}

static void watch_on(struct watcher *w)
{
	struct pollfd fds[] = {
		{ .fd = w->events, .events = POLLIN },
		{ .fd = w->file.fd, .events = POLLIN },
	};

	for (;;) {
		int n = poll(fds, ARRAY_SIZE(fds), wards_timeout(w));

		if (n < 0 && errno != EINTR)
			fail(EX_FAILED, "cannot wait: %s", strerror(errno));
		if (n <= 0) {
			wards_retry(w, false);
			continue;
		}
		if (fds[0].revents)
			read_events(w);
		if (fds[1].revents)
			read_file(w);
		wards_retry(w, false);
	}
}

/**
 * place_watch() - kvmx place --watch FILE
 * @opts: what was asked
 *
 * Ends by a signal only. What it has placed is committed, and stays.
 *
 * Return: the exit status where it could not begin.
 */
int place_watch(const struct place_options *opts)
{
	struct watcher w = { .opts = opts };
	struct kvmx_info info;

	rules_file_open(&w.file, opts->watch);
	if (!parse_rules(&w, &w.rules))
		return EX_USAGE;
	w.dev = connect_module_to_change(&info);
	w.out = out_open(opts->format);
	/* First the events, then who is there: else one could slip through. */
	open_events(&w);
	wards_find(&w);
	watch_on(&w);
	return EX_DONE;
}
