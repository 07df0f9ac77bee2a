// SPDX-License-Identifier: GPL-2.0-only
/* Time that nobody has: halt polling in vain, and quotas that are used up. */
#include "sched_view.h"
#include "util.h"

/* A figure of time rose by so many ticks. */
static struct val ticks_of(const struct source *s, const char *name)
{
	struct val v = sched_rise(s, name);

	return v.kind == VAL_NONE ? v : val_labelled(val_ticks(v.num), v.label);
}

/* For people, unless nobody polled. */
void sched_put_polls(struct stat_view *view, const struct watch_vm *vm)
{
	static const struct column columns[] = {
		{ NULL, "VCPU", 4, true },
		{ NULL, "POLLS: HIT", 11, false },
		{ NULL, "MISSED", 8, false },
		{ NULL, "USEFUL", 7, false },
		{ NULL, "WASTED", 7, false },
	};
	bool polled = false;
	unsigned int i;

	for (i = 0; i < vm->nr_vcpus; i++)
		polled |= sched_rise(&vm->vcpus[i].source, "sched.poll.success").num ||
			  sched_rise(&vm->vcpus[i].source, "sched.poll.failure").num;
	if (!polled)
		return;
	out_say(view->out, "%s", "");
	out_table(view->out, NULL, columns, ARRAY_SIZE(columns));
	for (i = 0; i < vm->nr_vcpus; i++) {
		const struct watch_vcpu *v = &vm->vcpus[i];
		const struct val row[] = {
			val_num(v->info.index),
			sched_rise(&v->source, "sched.poll.success"),
			sched_rise(&v->source, "sched.poll.failure"),
			ticks_of(&v->source, "sched.poll.useful"),
			ticks_of(&v->source, "sched.poll.wasted"),
		};

		if (!view_has_vcpu(view, v))
			continue;
		out_row(view->out, row);
		out_end(view->out);
	}
	out_end(view->out);
}

/* For people: only vCPUs that have a quota. */
void sched_put_quotas(struct stat_view *view, const struct watch_vm *vm)
{
	static const struct column columns[] = {
		{ NULL, "VCPU", 4, true },
		{ NULL, "QUOTA USED UP", 13, false },
		{ NULL, "WAITED", 7, false },
		{ NULL, "BY ALL THREADS OF CGROUP", 0, true },
	};
	bool any = false;
	unsigned int i;

	for (i = 0; i < vm->nr_vcpus; i++) {
		const struct watch_vcpu *v = &vm->vcpus[i];
		const struct val row[] = {
			val_num(v->info.index),
			val_num(delta(v->quota_last.times, v->quota_base.times)),
			val_ns(delta(v->quota_last.ns, v->quota_base.ns)),
			val_str(v->quota_last.group),
		};

		if (!v->quota_last.group[0] || !view_has_vcpu(view, v))
			continue;
		if (!any) {
			out_say(view->out, "%s", "");
			out_table(view->out, NULL, columns, ARRAY_SIZE(columns));
		}
		any = true;
		out_row(view->out, row);
		out_end(view->out);
	}
	if (any)
		out_end(view->out);
}

/* Both for programs, in the vCPU's object. */
void sched_put_waste(struct stat_view *view, const struct watch_vcpu *v)
{
	const struct source *s = &v->source;
	struct out *o = view->out;

	out_field(o, "throttled", NULL,
		  sched_rise(s, "sched.switches.throttled"));
	out_begin(o, "poll");
	out_field(o, "success", NULL, sched_rise(s, "sched.poll.success"));
	out_field(o, "failure", NULL, sched_rise(s, "sched.poll.failure"));
	out_field(o, "useful", NULL, ticks_of(s, "sched.poll.useful"));
	out_field(o, "wasted", NULL, ticks_of(s, "sched.poll.wasted"));
	out_end(o);
	if (!v->quota_last.group[0])
		return;
	out_begin(o, "quota");
	out_field(o, "cgroup", NULL, val_str(v->quota_last.group));
	out_field(o, "used_up", NULL,
		  val_num(delta(v->quota_last.times, v->quota_base.times)));
	out_field(o, "waited_ns", NULL,
		  val_ns(delta(v->quota_last.ns, v->quota_base.ns)));
	out_end(o);
}
