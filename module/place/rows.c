// SPDX-License-Identifier: GPL-2.0-only
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "place/placement.h"
#include "place/rows.h"

void kvmx_rows_free(struct kvmx_rows *rows)
{
	u32 i;

	for (i = 0; i < rows->nr; i++)
		put_pid(rows->rows[i].tid);
	kvfree(rows->rows);
	kvfree(rows->sets);
	kvfree(rows->notes);
	memset(rows, 0, sizeof(*rows));
}

static bool alloc(struct kvmx_rows *to, const struct kvmx_layout *l, u32 room)
{
	to->words = l->words;
	to->rows = kvcalloc(room + 1, sizeof(*to->rows), GFP_KERNEL);
	to->sets = kvcalloc((size_t)(room + 1) * l->words, sizeof(u64),
			    GFP_KERNEL);
	to->notes = kvcalloc(l->nr_notes + 1, sizeof(*to->notes), GFP_KERNEL);
	if (!to->rows || !to->sets || !to->notes)
		return false;
	memcpy(to->notes, l->notes, l->nr_notes * sizeof(*to->notes));
	to->nr_notes = l->nr_notes;
	return true;
}

static struct kvmx_placed_thread *add(const struct kvmx_layout *l, u32 class,
				      u32 vcpu, struct kvmx_rows *to)
{
	struct kvmx_row *row = &to->rows[to->nr];
	struct kvmx_place_of of;

	kvmx_layout_of(l, class, vcpu, &of);
	memcpy(to->sets + (size_t)to->nr * to->words, of.now,
	       to->words * sizeof(u64));
	row->thread.thread_class = class;
	row->thread.vcpu = vcpu;
	row->thread.why = of.why;
	to->nr++;
	return &row->thread;
}

/* Not the CPUs of its plan: those that it has. */
static void set_last(struct kvmx_entry *e, struct kvmx_rows *to)
{
	u64 *set = to->sets + (size_t)(to->nr - 1) * to->words;
	unsigned int cpu;

	memset(set, 0, to->words * sizeof(u64));
	for_each_cpu(cpu, kvmx_kept(e, KVMX_KEPT_LAST))
		if (cpu / 64 < to->words)
			set[cpu / 64] |= 1ULL << cpu % 64;
}

static void add_entry(const struct kvmx_layout *l, struct kvmx_entry *e,
		      struct kvmx_rows *to)
{
	struct task_struct *task = get_pid_task(e->tid, PIDTYPE_PID);
	struct kvmx_placed_thread *t;

	if (!task)
		return;
	t = add(l, e->thread_class, e->vcpu, to);
	to->rows[to->nr - 1].tid = get_pid(e->tid);
	t->state = e->state;
	t->drifts = e->drifts;
	if (l == e->placement->layout &&
	    e->state & (KVMX_THREAD_YIELDED | KVMX_THREAD_FALLBACK))
		set_last(e, to);
	strscpy(t->name, task->comm, sizeof(t->name));
	put_task_struct(task);
}

static void add_vcpu(const struct kvmx_layout *l, u32 vcpu,
		     struct kvmx_entry **by_vcpu, u32 i, struct kvmx_rows *to)
{
	u32 before = to->nr;

	if (by_vcpu[i])
		add_entry(l, by_vcpu[i], to);
	if (to->nr == before)
		add(l, KVMX_THREAD_VCPU, vcpu, to)->state = KVMX_THREAD_UNKNOWN;
}

/**
 * kvmx_rows_copy() - copy a plan of a placement
 * @p: the placement
 * @l: the plan, which may be one that was refused
 * @to: filled; to be given to kvmx_rows_free()
 *
 * Context: may sleep; with the placement's lock.
 * Return: 0 or -ENOMEM.
 */
int kvmx_rows_copy(struct kvmx_placement *p, const struct kvmx_layout *l,
		   struct kvmx_rows *to)
{
	struct kvmx_entry **by_vcpu;
	struct kvmx_entry *e;
	int at;
	u32 i;

	lockdep_assert_held(&p->lock);
	memset(to, 0, sizeof(*to));
	by_vcpu = kvcalloc(l->nr_vcpus + 1, sizeof(*by_vcpu), GFP_KERNEL);
	if (!by_vcpu || !alloc(to, l, l->nr_vcpus + p->nr_entries)) {
		kvfree(by_vcpu);
		kvmx_rows_free(to);
		return -ENOMEM;
	}
	list_for_each_entry(e, &p->entries, link) {
		at = kvmx_layout_find(l, e->vcpu);
		if (at >= 0)
			by_vcpu[at] = e;
	}
	for (i = 0; i < l->nr_vcpus; i++)
		add_vcpu(l, l->vcpus[i].index, by_vcpu, i, to);
	list_for_each_entry(e, &p->entries, link) {
		at = kvmx_layout_find(l, e->vcpu);
		if (at < 0 || by_vcpu[at] != e)
			add_entry(l, e, to);
	}
	kvfree(by_vcpu);
	return 0;
}
