// SPDX-License-Identifier: GPL-2.0-only
#include <linux/hashtable.h>
#include <linux/jiffies.h>
#include <linux/lockdep.h>
#include <linux/pid.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "core/affinity.h"
#include "core/feature.h"
#include "core/vm.h"
#include "kvmx_trace.h"
#include "place/undo.h"

/* A thread belongs to one placement: a process has one that is placed. */
static DEFINE_HASHTABLE(by_tid, 12);
static DEFINE_SPINLOCK(by_tid_lock);	/* for writing; readers use RCU */

/* How long a call that was seen may take until it shows. */
#define ASKED_FOR	(HZ / 2)

/* How long its thread is not given others meanwhile, where that would undo it. */
#define ON_ITS_WAY	(HZ / 50)

/* Its owner may speak while a thread gets back what it had: how often to try. */
#define TRIES		3

static struct kvmx_entry *find(const struct pid *tid)
{
	struct kvmx_entry *e;

	hash_for_each_possible_rcu_notrace(by_tid, e, hash, (unsigned long)tid)
		if (e->tid == tid)
			return e;
	return NULL;
}

/**
 * kvmx_undo_find() - the entry of a thread
 * @p: the placement that it must be in
 * @tid: the thread
 *
 * Return: the entry, or NULL.
 */
struct kvmx_entry *kvmx_undo_find(struct kvmx_placement *p,
				  const struct pid *tid)
{
	struct kvmx_entry *e;

	lockdep_assert_held(&p->lock);
	rcu_read_lock();
	e = find(tid);
	rcu_read_unlock();
	/* With the lock those of this placement stay. */
	return e && e->placement == p ? e : NULL;
}

/**
 * kvmx_undo_asked() - sched_setaffinity() is called for a thread
 * @tid: the thread, or NULL
 *
 * Context: any, preemption disabled.
 * Return: whether it is placed.
 */
bool kvmx_undo_asked(const struct pid *tid)
{
	struct kvmx_entry *e = find(tid);

	if (e)
		WRITE_ONCE(e->asked, jiffies | 1);
	return e;
}

/**
 * kvmx_undo_changes() - a thread's CPUs are about to be changed
 * @tid: the thread, or NULL
 *
 * Context: any, preemption disabled.
 * Return: whether it is placed, and somebody else does it.
 */
bool kvmx_undo_changes(const struct pid *tid)
{
	struct kvmx_entry *e = find(tid);

	return e && !READ_ONCE(e->setting);
}

static void note_limits(struct kvmx_entry *e, struct task_struct *task)
{
	e->has_user = kvmx_affinity_user(task, kvmx_kept(e, KVMX_KEPT_USER));
	kvmx_affinity_allowed(task, kvmx_kept(e, KVMX_KEPT_ALLOWED));
}

/**
 * kvmx_undo_given() - remember what a thread was given
 * @e: the thread
 * @cpus: its CPUs; not what it has by now, which may be somebody else's word
 */
void kvmx_undo_given(struct kvmx_entry *e, const struct cpumask *cpus)
{
	lockdep_assert_held(&e->placement->lock);
	cpumask_copy(kvmx_kept(e, KVMX_KEPT_LAST), cpus);
}

/**
 * kvmx_undo_rebase() - what a thread has is what it would have without kvmx
 * @e: the thread, that kvmx_undo_look() has found changed
 */
void kvmx_undo_rebase(struct kvmx_entry *e)
{
	lockdep_assert_held(&e->placement->lock);
	cpumask_copy(kvmx_kept(e, KVMX_KEPT_BASE),
		     kvmx_kept(e, KVMX_KEPT_LAST));
}

/* Were a parent's CPUs changed by somebody else before it passed them on? */
static bool passed_on(struct kvmx_entry *e, struct kvmx_entry *parent)
{
	struct task_struct *task = get_pid_task(parent->tid, PIDTYPE_PID);
	struct cpumask *last = kvmx_kept(parent, KVMX_KEPT_LAST);
	struct kvmx_placement *p = e->placement;

	if (!task)
		return false;
	kvmx_affinity_get(task, p->now);
	put_task_struct(task);
	return !cpumask_equal(p->now, last) &&
	       cpumask_equal(p->now, kvmx_kept(e, KVMX_KEPT_BASE)) &&
	       cpumask_intersects(last, cpu_active_mask);
}

/**
 * kvmx_undo_inherit() - a thread would have what its parent would have
 * @e: the thread; what it would have is so far what it had when it was noted
 * @parent: its parent, whose CPUs it got when it was born
 *
 * Unless these are its owner's word, which nobody has looked at yet.
 */
void kvmx_undo_inherit(struct kvmx_entry *e, struct kvmx_entry *parent)
{
	lockdep_assert_held(&e->placement->lock);
	if (!passed_on(e, parent))
		cpumask_copy(kvmx_kept(e, KVMX_KEPT_BASE),
			     kvmx_kept(parent, KVMX_KEPT_BASE));
}

/**
 * kvmx_undo_note() - write down what a thread has
 * @p: the placement that it is to be in
 * @task: the thread; the caller holds a reference
 * @parent: the thread that it has its CPUs from, if that is placed: what it would
 *	have without kvmx is what that one would have, for it may have been
 *	placed when it gave birth
 *
 * Return: the entry, NULL when out of memory.
 */
struct kvmx_entry *kvmx_undo_note(struct kvmx_placement *p,
				  struct task_struct *task,
				  struct kvmx_entry *parent)
{
	struct kvmx_entry *e;

	lockdep_assert_held(&p->lock);
	e = kzalloc(struct_size(e, sets, KVMX_NR_KEPT * cpumask_size() /
				sizeof(long)), GFP_KERNEL);
	if (!e)
		return NULL;
	e->placement = p;
	e->tid = get_pid(task_pid(task));
	e->vcpu = KVMX_NO_VCPU;
	e->thread_class = KVMX_THREAD_OTHER;
	note_limits(e, task);
	kvmx_affinity_get(task, p->now);
	kvmx_undo_given(e, p->now);
	kvmx_undo_rebase(e);
	if (parent)
		kvmx_undo_inherit(e, parent);
	list_add_tail(&e->link, &p->entries);
	p->nr_entries++;
	if (p->dry)
		return e;
	spin_lock(&by_tid_lock);
	hash_add_rcu(by_tid, &e->hash, (unsigned long)e->tid);
	spin_unlock(&by_tid_lock);
	return e;
}

/* A thread is not in the journal any more; it is not touched. */
void kvmx_undo_forget(struct kvmx_entry *e)
{
	lockdep_assert_held(&e->placement->lock);
	spin_lock(&by_tid_lock);
	hash_del_rcu(&e->hash);
	spin_unlock(&by_tid_lock);
	list_del(&e->link);
	e->placement->nr_entries--;
	put_pid(e->tid);
	kfree_rcu(e, rcu);
}

static bool user_is(struct kvmx_entry *e, struct task_struct *task,
		    bool *has_user)
{
	struct kvmx_placement *p = e->placement;

	*has_user = kvmx_affinity_user(task, p->may);
	return *has_user == e->has_user &&
	       cpumask_equal(p->may, kvmx_kept(e, KVMX_KEPT_USER));
}

/* Was sched_setaffinity() seen to be called? That is answered once. */
static bool asked_lately(struct kvmx_entry *e, unsigned long *asked)
{
	*asked = xchg(&e->asked, 0);
	return *asked && !time_after(jiffies, *asked + ASKED_FOR);
}

/*
 * Nobody saw who called: the kernel gives a thread all that its cpuset allows,
 * when that changes, or when there is none of its CPUs left.
 */
static bool looks_like_kernel(struct kvmx_entry *e, struct task_struct *task)
{
	struct kvmx_placement *p = e->placement;
	struct cpumask *last = kvmx_kept(e, KVMX_KEPT_LAST);

	kvmx_affinity_allowed(task, p->may);
	if (!cpumask_intersects(last, cpu_active_mask))
		return true;
	if (cpumask_equal(p->may, kvmx_kept(e, KVMX_KEPT_ALLOWED)))
		return false;
	return cpumask_subset(p->now, p->may);
}

static enum kvmx_change who(struct kvmx_entry *e, struct task_struct *task,
			    bool asked, bool user_changed)
{
	if (asked || (user_changed && !e->kernel))
		return KVMX_CHANGE_OWNER;
	if (e->kernel)
		return KVMX_CHANGE_KERNEL;
	if (kvmx_feature_state(KVMX_F_SETAFFINITY) != KVMX_FEATURE_OFF)
		return KVMX_CHANGE_KERNEL;
	return looks_like_kernel(e, task) ? KVMX_CHANGE_KERNEL :
					    KVMX_CHANGE_OWNER;
}

/*
 * Its owner's word, where the kernel keeps that: what the thread has may be but what
 * kvmx left of it, which was at work at the same moment.
 */
static void rebase_to_user(struct kvmx_entry *e)
{
	struct kvmx_placement *p = e->placement;

	if (kvmx_feature_state(KVMX_F_CPUSET) == KVMX_FEATURE_ON &&
	    cpumask_and(p->may, kvmx_kept(e, KVMX_KEPT_USER),
			kvmx_kept(e, KVMX_KEPT_ALLOWED)))
		cpumask_copy(kvmx_kept(e, KVMX_KEPT_BASE), p->may);
}

/**
 * kvmx_undo_look() - did somebody else change the CPUs of a thread?
 * @e: the thread
 * @task: the same
 *
 * What it has now is remembered as what it had last.
 *
 * Return: who it was.
 */
enum kvmx_change kvmx_undo_look(struct kvmx_entry *e, struct task_struct *task)
{
	bool has_user, user_changed, changed, keeps, lately;
	struct kvmx_placement *p = e->placement;
	enum kvmx_change change;
	unsigned long asked;

	lockdep_assert_held(&p->lock);
	/* First this: a call that comes now is for the next time. */
	lately = asked_lately(e, &asked);
	/* It is taken away from a thread that has no CPU any more. */
	user_changed = !user_is(e, task, &has_user) && has_user;
	kvmx_affinity_get(task, p->now);
	changed = !cpumask_equal(p->now, kvmx_kept(e, KVMX_KEPT_LAST));
	if (!changed && !user_changed) {
		/* It may not show yet. */
		if (lately)
			cmpxchg(&e->asked, 0, asked);
		return KVMX_CHANGE_NONE;
	}
	change = who(e, task, lately, user_changed);
	/* What happens to one that is left alone happens without kvmx, too. */
	keeps = !cpumask_intersects(kvmx_kept(e, KVMX_KEPT_LAST),
				    cpu_active_mask) &&
		(!(e->state & KVMX_THREAD_YIELDED) || kvmx_undo_owes(e));
	note_limits(e, task);
	kvmx_undo_given(e, p->now);
	if (change == KVMX_CHANGE_OWNER || !keeps)
		kvmx_undo_rebase(e);
	if (change == KVMX_CHANGE_OWNER && user_changed)
		rebase_to_user(e);
	return change;
}

/* Has its owner spoken since a thread was looked at? What it has: @p->now. */
static bool spoken(struct kvmx_entry *e, struct task_struct *task)
{
	struct kvmx_placement *p = e->placement;
	bool has_user, same = user_is(e, task, &has_user);

	if (!same && has_user)
		return true;
	if (!same) {
		e->has_user = false;
		cpumask_copy(kvmx_kept(e, KVMX_KEPT_USER), p->may);
	}
	kvmx_affinity_get(task, p->now);
	return !cpumask_equal(p->now, kvmx_kept(e, KVMX_KEPT_LAST));
}

/**
 * kvmx_undo_ready() - may a thread's CPUs be changed now?
 * @e: the thread
 * @task: the same
 *
 * What limits it is remembered: whoever changes that afterwards is noticed. But
 * before 6.2 a word that comes between this and the change is overwritten: there,
 * not while one is on its way.
 *
 * Return: false if somebody has changed them since that was looked at; else what it
 *	has is in the placement's @now.
 */
bool kvmx_undo_ready(struct kvmx_entry *e, struct task_struct *task)
{
	unsigned long asked;

	lockdep_assert_held(&e->placement->lock);
	if (spoken(e, task))
		return false;
	/* That may take a while. */
	kvmx_affinity_allowed(task, kvmx_kept(e, KVMX_KEPT_ALLOWED));
	asked = READ_ONCE(e->asked);
	if (!e->has_user && asked && !time_after(jiffies, asked + ON_ITS_WAY))
		return false;
	return !spoken(e, task);
}

/**
 * kvmx_undo_owes() - has a thread other CPUs than without kvmx?
 * @e: the thread
 *
 * Return: whether it has, as far as it was looked at.
 */
bool kvmx_undo_owes(struct kvmx_entry *e)
{
	lockdep_assert_held(&e->placement->lock);
	return !cpumask_equal(kvmx_kept(e, KVMX_KEPT_LAST),
			      kvmx_kept(e, KVMX_KEPT_BASE));
}

/**
 * kvmx_undo_without() - what a thread is to have back
 * @e: the thread
 * @task: the same
 * @to: filled; any of its placement's scratch sets but the one for what it may
 *
 * CPUs that its cpuset does not allow any more are left out; where all that are
 * online are allowed, it has none that limits it, and the others are those that are
 * offline. Where all that it had are offline it has all that its cpuset allows; only
 * those that are there, for the kernel refuses what its owner asked for if it finds
 * any of that among them.
 */
void kvmx_undo_without(struct kvmx_entry *e, struct task_struct *task,
		       struct cpumask *to)
{
	struct kvmx_placement *p = e->placement;
	struct cpumask *base = kvmx_kept(e, KVMX_KEPT_BASE);

	lockdep_assert_held(&p->lock);
	cpumask_copy(to, base);
	if (!kvmx_affinity_allowed(task, p->may))
		return;
	if (!cpumask_subset(cpu_online_mask, p->may))
		cpumask_and(to, base, p->may);
	if (!cpumask_intersects(to, cpu_active_mask))
		cpumask_and(to, p->may, cpu_active_mask);
}

/* Gives it @p->want. Return: 0; -EAGAIN if its owner has spoken meanwhile. */
static int set_back(struct kvmx_entry *e, struct task_struct *task)
{
	struct kvmx_placement *p = e->placement;
	bool has_user;
	int err;

	if (spoken(e, task))
		return -EAGAIN;
	WRITE_ONCE(e->setting, true);
	err = kvmx_affinity_set(task, p->want);
	WRITE_ONCE(e->setting, false);
	if (err)
		return err;
	trace_undo(p->vm->id, task, e->thread_class, p->now, p->want);
	return user_is(e, task, &has_user) || !has_user ? 0 : -EAGAIN;
}

static int give_back(struct kvmx_entry *e, struct task_struct *task)
{
	struct kvmx_placement *p = e->placement;
	int i, err = -EAGAIN;

	for (i = 0; i < TRIES && err == -EAGAIN; i++) {
		/* Who was left alone, or has just spoken, has what he would have. */
		kvmx_undo_look(e, task);
		if (!kvmx_undo_owes(e))
			return 0;
		kvmx_undo_without(e, task, p->want);
		if (cpumask_equal(p->want, p->now))
			return 0;
		err = set_back(e, task);
	}
	return err;
}

/**
 * kvmx_undo_restore() - a thread gets back what it would have without kvmx
 * @e: the thread
 *
 * Context: may sleep.
 */
void kvmx_undo_restore(struct kvmx_entry *e)
{
	struct task_struct *task = get_pid_task(e->tid, PIDTYPE_PID);

	lockdep_assert_held(&e->placement->lock);
	if (!task)
		return;
	/* Where a CPU went just then, it is tried again when all births are over. */
	if (!e->restored)
		e->restored = !give_back(e, task);
	e->ran = READ_ONCE(task->se.sum_exec_runtime);
	e->user_ran = READ_ONCE(task->utime);
	put_task_struct(task);
}

/**
 * kvmx_undo_all() - all threads get back what they would have without kvmx
 * @p: their placement
 *
 * They stay in the journal: what they had is what their children may still have.
 *
 * Context: may sleep.
 */
void kvmx_undo_all(struct kvmx_placement *p)
{
	struct kvmx_entry *e;

	lockdep_assert_held(&p->lock);
	list_for_each_entry(e, &p->entries, link)
		kvmx_undo_restore(e);
}

void kvmx_undo_forget_all(struct kvmx_placement *p)
{
	struct kvmx_entry *e, *next;

	lockdep_assert_held(&p->lock);
	list_for_each_entry_safe(e, next, &p->entries, link)
		kvmx_undo_forget(e);
}
