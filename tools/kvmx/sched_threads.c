// SPDX-License-Identifier: GPL-2.0-only
/* Threads of a VM, and what the scheduler is told of its vCPUs': from /proc. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proc.h"
#include "sched_view.h"
#include "thread_class.h"
#include "util.h"

/* A thread with what it did since the mark. */
struct line {
	const struct proc_thread *thread;
	enum thread_class class;
	__u64 ran;
	__u64 waited;
};

static const struct proc_thread *find(const struct threads *list, int tid)
{
	unsigned int i;

	for (i = 0; i < list->nr; i++)
		if (list->list[i].tid == tid)
			return &list->list[i];
	return NULL;
}

/* The CPU that a thread was on last; -1: not known. */
int sched_cpu_of(const struct watch_vm *vm, int tid)
{
	const struct proc_thread *t = find(&vm->threads_last, tid);

	return t ? t->cpu : -1;
}

static bool runs_vcpu(const struct watch_vm *vm, int tid)
{
	unsigned int i;

	for (i = 0; i < vm->nr_vcpus; i++)
		if (vm->vcpus[i].info.tid == tid)
			return true;
	return false;
}

/* Who was not there at the mark was born since: all that it did is new. */
static void fill(const struct watch_vm *vm, const struct proc_thread *t,
		 struct line *l)
{
	const struct proc_thread *b = find(&vm->threads_base, t->tid);

	l->thread = t;
	l->class = thread_class(t->name, t->tid == vm->info.pid,
				runs_vcpu(vm, t->tid));
	l->ran = delta(t->ran, b ? b->ran : 0);
	l->waited = delta(t->waited, b ? b->waited : 0);
}

static int compare(const void *x, const void *y)
{
	const struct line *a = x, *b = y;

	if (a->class != b->class)
		return a->class < b->class ? -1 : 1;
	if (a->ran != b->ran)
		return a->ran < b->ran ? 1 : -1;
	return a->thread->tid - b->thread->tid;
}

static void put_classes(struct out *o, const struct line *lines,
			unsigned int nr)
{
	static const struct column columns[] = {
		{ "class", "CLASS", 7, true },
		{ "threads", "THREADS", 8, false },
		{ "ran", "RAN", 7, false },
		{ "waited", "WAITED", 7, false },
	};
	unsigned int i, class;

	out_table(o, "thread_classes", columns, ARRAY_SIZE(columns));
	for (class = 0; class < NR_THREAD_CLASSES; class++) {
		__u64 ran = 0, waited = 0, n = 0;

		for (i = 0; i < nr; i++) {
			if (lines[i].class != class)
				continue;
			n++;
			ran += lines[i].ran;
			waited += lines[i].waited;
		}
		if (!n)
			continue;

		const struct val row[] = {
			val_str(thread_class_name(class)), val_num(n),
			val_ns(ran), val_ns(waited),
		};

		out_row(o, row);
		out_end(o);
	}
	out_end(o);
}

static void put_each(struct out *o, const struct line *lines, unsigned int nr)
{
	static const struct column columns[] = {
		{ "class", "CLASS", 7, true },
		{ "name", "THREAD", 16, true },
		{ "tid", "TID", 8, false },
		{ "cpu", "CPU", 4, false },
		{ "ran", "RAN", 7, false },
		{ "waited", "WAITED", 7, false },
	};
	unsigned int i;

	out_table(o, "threads", columns, ARRAY_SIZE(columns));
	for (i = 0; i < nr; i++) {
		const struct proc_thread *t = lines[i].thread;
		const struct val row[] = {
			val_str(thread_class_name(lines[i].class)),
			val_str(t->name),
			val_num((__u64)t->tid),
			t->cpu >= 0 ? val_num((__u64)t->cpu) : val_none(),
			val_ns(lines[i].ran),
			val_ns(lines[i].waited),
		};

		out_row(o, row);
		out_end(o);
	}
	out_end(o);
}

/**
 * sched_put_threads() - all threads of a VM's process, and vhost's
 * @view: how they are printed
 * @vm: the VM
 */
void sched_put_threads(struct stat_view *view, const struct watch_vm *vm)
{
	const struct threads *t = &vm->threads_last;
	struct line *lines;
	unsigned int i;

	if (!t->nr || view->opts->vcpu != NO_VCPU)
		return;
	lines = xcalloc(t->nr, sizeof(*lines));
	for (i = 0; i < t->nr; i++)
		fill(vm, &t->list[i], &lines[i]);
	qsort(lines, t->nr, sizeof(*lines), compare);
	out_say(view->out, "%s", "");
	put_classes(view->out, lines, t->nr);
	out_say(view->out, "%s", "");
	put_each(view->out, lines, t->nr);
	free(lines);
}

static const char *policy_name(int policy)
{
	static const struct {
		int policy;
		const char *name;
	} names[] = {
		{ SCHED_OTHER, "other" }, { SCHED_FIFO, "fifo" },
		{ SCHED_RR, "rr" }, { SCHED_BATCH, "batch" },
		{ SCHED_IDLE, "idle" }, { 6, "deadline" }, { 7, "ext" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].policy == policy)
			return names[i].name;
	return "unknown";
}

static void policy_row(const struct proc_policy *p, __u64 index,
		       struct val *row, char nice[16])
{
	bool fair = p->policy != SCHED_FIFO && p->policy != SCHED_RR &&
		    p->policy != 6;

	snprintf(nice, 16, "%d", p->prio - 120);
	row[0] = val_num(index);
	row[1] = val_str(policy_name(p->policy));
	row[2] = fair ? val_str(nice) : val_none();
	row[3] = fair ? val_num(p->weight) : val_none();
	row[4] = p->slice ? val_ns(p->slice) : val_none();
	row[5] = p->has_vruntime ? val_ns(p->vruntime) : val_none();
}

/* For people, each vCPU's thread in a line. */
void sched_put_policies(struct stat_view *view, const struct watch_vm *vm)
{
	static const struct column columns[] = {
		{ NULL, "VCPU", 4, true },
		{ NULL, "POLICY", 8, true },
		{ NULL, "NICE", 5, false },
		{ NULL, "WEIGHT", 7, false },
		{ NULL, "SLICE", 7, false },
		{ NULL, "VRUNTIME (only within one run queue)", 36, false },
	};
	struct val row[ARRAY_SIZE(columns)];
	struct proc_policy p;
	unsigned int i;
	char nice[16];

	out_say(view->out, "%s", "");
	out_table(view->out, NULL, columns, ARRAY_SIZE(columns));
	for (i = 0; i < vm->nr_vcpus; i++) {
		const struct watch_vcpu *v = &vm->vcpus[i];

		if (!view_has_vcpu(view, v) ||
		    !proc_policy(vm->info.pid, v->info.tid, &p))
			continue;
		policy_row(&p, v->info.index, row, nice);
		out_row(view->out, row);
		out_end(view->out);
	}
	out_end(view->out);
}

/* For programs, in the vCPU's object. */
void sched_put_policy(struct stat_view *view, const struct watch_vm *vm,
		      const struct watch_vcpu *v)
{
	struct out *o = view->out;
	struct proc_policy p;
	struct val row[6];
	char nice[16];

	if (!proc_policy(vm->info.pid, v->info.tid, &p))
		return;
	policy_row(&p, v->info.index, row, nice);
	out_begin(o, "policy");
	out_field(o, "name", NULL, row[1]);
	out_field(o, "nice", NULL, row[2]);
	out_field(o, "weight", NULL, row[3]);
	out_field(o, "slice_ns", NULL, row[4]);
	out_field(o, "vruntime_ns", NULL, row[5]);
	out_end(o);
}
