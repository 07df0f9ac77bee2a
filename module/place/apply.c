// SPDX-License-Identifier: GPL-2.0-only
#include <linux/jiffies.h>
#include <linux/lockdep.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/task.h>

#include "core/affinity.h"
#include "core/event.h"
#include "core/tasks.h"
#include "core/vm.h"
#include "kvmx_trace.h"
#include "place/apply.h"

/* Its cpuset may change while a thread is given CPUs: how often to try. */
#define TRIES	3

/**
 * kvmx_apply_class() - what a thread is for
 * @e: the thread
 * @thread_class: KVMX_THREAD_*
 * @vcpu: index of the vCPU that it runs, or KVMX_NO_VCPU
 */
void kvmx_apply_class(struct kvmx_entry *e, u32 thread_class, u32 vcpu)
{
	lockdep_assert_held(&e->placement->lock);
	e->thread_class = thread_class;
	e->vcpu = vcpu;
}

/* How what a thread is to have relates to its plan. */
enum want {
	WANT_PLAN,		/* is in it */
	WANT_OTHERS,		/* none of it can be had: others take its place */
	WANT_NOTHING,		/* its owner has asked for others */
};

/* What a thread is to have: @p->want; what it may have: @p->may. */
static enum want want(struct kvmx_entry *e, struct task_struct *task)
{
	struct kvmx_placement *p = e->placement;
	bool enforce = p->layout->wishes->enforce;
	struct kvmx_place_of of;
	bool others;

	kvmx_layout_of(p->layout, e->thread_class, e->vcpu, &of);
	e->why = of.why;
	kvmx_layout_cpus(p->layout, of.now, p->want);
	if (!kvmx_affinity_allowed(task, p->may))
		cpumask_copy(p->may, kvmx_kept(e, KVMX_KEPT_BASE));
	cpumask_and(p->want, p->want, p->may);
	others = of.short_of;
	if (!cpumask_intersects(p->want, cpu_active_mask)) {
		cpumask_copy(p->want, p->may);
		others = true;
	}
	/* As the kernel does, but that it takes nothing for everything. */
	if (kvmx_affinity_user(task, p->now)) {
		if (cpumask_intersects(p->want, p->now))
			cpumask_and(p->want, p->want, p->now);
		else if (!enforce)
			return WANT_NOTHING;
	}
	return others ? WANT_OTHERS : WANT_PLAN;
}

/**
 * kvmx_apply_check() - can a thread be given the CPUs of its plan?
 * @e: the thread
 * @task: the same
 *
 * Return: 0; -ERANGE if neither its cpuset nor its owner lets it have any.
 */
int kvmx_apply_check(struct kvmx_entry *e, struct task_struct *task)
{
	lockdep_assert_held(&e->placement->lock);
	return e->kernel || want(e, task) == WANT_PLAN ? 0 : -ERANGE;
}

static u32 why(const struct kvmx_entry *e)
{
	return e->state & KVMX_THREAD_FALLBACK ? KVMX_WHY_FALLBACK : e->why;
}

/*
 * Gives it @p->want. Not where somebody has changed its CPUs since that was looked
 * at: whoever looks next is to notice.
 */
static int give(struct kvmx_entry *e, struct task_struct *task)
{
	struct kvmx_placement *p = e->placement;
	int err;

	if (!kvmx_undo_ready(e, task))
		return -EAGAIN;
	if (cpumask_equal(p->want, p->now))
		return 0;
	WRITE_ONCE(e->setting, true);
	err = kvmx_affinity_set(task, p->want);
	WRITE_ONCE(e->setting, false);
	if (err) {
		p->refusals++;
		return err;
	}
	kvmx_undo_given(e, p->want);
	p->moves++;
	if (e->state & KVMX_THREAD_YIELDED)
		trace_undo(p->vm->id, task, e->thread_class, p->now, p->want);
	else
		trace_place(p->vm->id, task, e->thread_class, e->vcpu, p->now,
			    p->want, why(e));
	return 0;
}

static void set_state(struct kvmx_entry *e, enum want how)
{
	struct kvmx_placement *p = e->placement;
	u32 state = e->state & KVMX_THREAD_BORN;

	if (how == WANT_OTHERS)
		state |= KVMX_THREAD_FALLBACK;
	else if (how == WANT_NOTHING)
		state |= KVMX_THREAD_YIELDED;
	if (state & ~e->state & KVMX_THREAD_FALLBACK)
		p->fallbacks++;
	e->state = state;
}

/* Its owner's word stands: it has nothing that kvmx gave it. */
static int give_way(struct kvmx_entry *e, struct task_struct *task)
{
	int err = 0;

	if (kvmx_undo_owes(e)) {
		kvmx_undo_without(e, task, e->placement->want);
		err = give(e, task);
	}
	return err == -EAGAIN ? 0 : err;
}

/**
 * kvmx_apply_thread() - a thread is given the CPUs that it is to have
 * @e: the thread
 * @task: the same
 *
 * Those of its plan; where its owner's word stands, those that it would have
 * without kvmx, for an earlier plan may have given it others.
 *
 * Context: may sleep.
 * Return: 0, also where its owner's word stands, or he has just said one; the error
 *	of the kernel.
 */
int kvmx_apply_thread(struct kvmx_entry *e, struct task_struct *task)
{
	int i, err = 0;

	lockdep_assert_held(&e->placement->lock);
	if (e->state & KVMX_THREAD_YIELDED)
		return give_way(e, task);
	for (i = 0; i < TRIES; i++) {
		enum want how = want(e, task);

		set_state(e, how);
		if (how == WANT_NOTHING)
			return give_way(e, task);
		err = give(e, task);
		if (!err && how == WANT_PLAN)
			e->state |= KVMX_THREAD_APPLIED;
		if (err)
			break;
		/* Not a CPU that its cpuset has lost meanwhile. */
		kvmx_affinity_allowed(task, e->placement->may);
		if (cpumask_subset(kvmx_kept(e, KVMX_KEPT_LAST),
				   e->placement->may))
			break;
	}
	return err == -EAGAIN ? 0 : err;
}

static void tell_cpus(struct kvmx_placement *p, const struct cpumask *cpus,
		      const struct cpumask *less, u32 type)
{
	struct kvmx_news news = { .vcpu = KVMX_NO_VCPU };
	unsigned int cpu;

	for_each_cpu(cpu, cpus) {
		if (cpumask_test_cpu(cpu, less))
			continue;
		news.arg = cpu;
		kvmx_vm_post(p->vm, type, &news);
	}
}

/**
 * kvmx_apply_fit() - see what is left of a placement's plan
 * @p: the placement
 * @tell: tell of CPUs that went or came
 *
 * Context: may sleep; with its lock.
 */
void kvmx_apply_fit(struct kvmx_placement *p, bool tell)
{
	struct kvmx_layout *l = p->layout;
	u32 both = KVMX_POLICY_ONLINE | KVMX_POLICY_ALLOWED;
	unsigned int cpu;

	lockdep_assert_held(&p->lock);
	kvmx_placement_view(p, l);
	kvmx_layout_fit(l);
	p->stale = false;
	kvmx_layout_cpus(l, l->home, p->want);
	for_each_cpu(cpu, p->want)
		if ((l->cpus[cpu].flags & both) != both)
			__cpumask_clear_cpu(cpu, p->want);
	if (tell) {
		tell_cpus(p, p->usable, p->want, KVMX_EVENT_CPU_GONE);
		tell_cpus(p, p->want, p->usable, KVMX_EVENT_CPU_BACK);
	}
	cpumask_copy(p->usable, p->want);
}

/**
 * kvmx_apply_heir() - whose CPUs a thread has inherited whose parent is not known
 * @p: a placement
 * @task: a thread of the same VM
 *
 * Return: a thread that has the same, or NULL.
 */
struct kvmx_entry *kvmx_apply_heir(struct kvmx_placement *p,
				   struct task_struct *task)
{
	struct kvmx_entry *e;

	lockdep_assert_held(&p->lock);
	kvmx_affinity_get(task, p->now);
	list_for_each_entry(e, &p->entries, link)
		if (cpumask_equal(p->now, kvmx_kept(e, KVMX_KEPT_LAST)))
			return e;
	return NULL;
}

static int meet(struct kvmx_placement *p, const struct kvmx_task *t, bool first)
{
	struct kvmx_entry *e = kvmx_undo_find(p, task_pid(t->task));

	if (!e) {
		e = kvmx_undo_note(p, t->task,
				   first ? NULL : kvmx_apply_heir(p, t->task));
		if (!e)
			return -ENOMEM;
		e->kernel = t->kernel;
		e->guessed = !first;
		if (!first)
			e->state |= KVMX_THREAD_BORN;
	}
	/* What it has is for what it was. */
	if (e->thread_class != t->thread_class || e->vcpu != t->vcpu)
		e->state &= ~KVMX_THREAD_APPLIED;
	kvmx_apply_class(e, t->thread_class, t->vcpu);
	return 0;
}

/**
 * kvmx_apply_scan() - write down all threads that a placement does not know
 * @p: the placement
 * @first: none of them was given any CPUs so far
 *
 * Context: may sleep; with its lock.
 * Return: 0; -ENOMEM; -ESRCH if there is no such process any more.
 */
int kvmx_apply_scan(struct kvmx_placement *p, bool first)
{
	struct kvmx_task *list;
	unsigned int i, nr;
	int err;

	lockdep_assert_held(&p->lock);
	err = kvmx_tasks_list(p->vm, &list, &nr);
	if (err)
		return err;
	for (i = 0; i < nr && !err; i++)
		err = meet(p, &list[i], first);
	kvmx_tasks_put(list, nr);
	return err;
}
