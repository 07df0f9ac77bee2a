// SPDX-License-Identifier: GPL-2.0-only
#include <linux/hashtable.h>
#include <linux/lockdep.h>
#include <linux/rculist.h>
#include <linux/sched.h>

#include "core/threads.h"
#include "core/vm.h"

/*
 * Bound threads by address. A node that moves to another chain can make a
 * reader of the old one miss the rest of it: with one chain per bound thread or
 * more that costs, at the worst, one scheduling event of another vCPU at the
 * moment in which a thread is bound, and stats/account.c copes with a missing
 * event.
 */
static DEFINE_HASHTABLE(by_task, 12);
static DEFINE_RAW_SPINLOCK(by_task_lock);	/* inside kvmx_vcpu.lock */

/**
 * kvmx_threads_find() - the vCPU that a thread is bound to
 * @task: the thread
 *
 * Context: preemption disabled for as long as the result is used.
 * Return: the record or NULL.
 */
struct kvmx_vcpu *kvmx_threads_find(const struct task_struct *task)
{
	struct kvmx_vcpu *v;

	lockdep_assert_preemption_disabled();
	hash_for_each_possible_rcu_notrace(by_task, v, task_hash,
					   (unsigned long)task)
		if (READ_ONCE(v->task) == task)
			return v;
	return NULL;
}

static void tell(struct kvmx_vcpu *v, const struct kvmx_event *event)
{
	static_call(kvmx_on_event)(v, event);
	if (READ_ONCE(v->groups))
		static_call(kvmx_on_event_more)(v, event);
}

static void unbind_locked(struct kvmx_vcpu *v, u64 now)
{
	lockdep_assert_held(&v->lock);
	if (!v->task)
		return;
	tell(v, &(struct kvmx_event){ .type = KVMX_EV_END, .now = now });
	raw_spin_lock(&by_task_lock);
	hash_del_rcu(&v->task_hash);
	raw_spin_unlock(&by_task_lock);
	WRITE_ONCE(v->task, NULL);
}

/**
 * kvmx_threads_unbind() - a vCPU has no thread any more
 * @v: the vCPU
 * @now: when
 *
 * Context: any; no lock below kvmx_vcpu.lock held.
 */
void kvmx_threads_unbind(struct kvmx_vcpu *v, u64 now)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&v->lock, flags);
	unbind_locked(v, now);
	raw_spin_unlock_irqrestore(&v->lock, flags);
}

/**
 * kvmx_threads_event() - tell whoever listens what happens to a thread
 * @v: what kvmx_threads_find() gave
 * @task: for this thread
 * @event: what happened
 *
 * Context: preemption disabled; also under a run queue's lock.
 */
void kvmx_threads_event(struct kvmx_vcpu *v, const struct task_struct *task,
			const struct kvmx_event *event)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&v->lock, flags);
	if (v->task == task) {
		if (event->type == KVMX_EV_END)
			unbind_locked(v, event->now);
		else
			tell(v, event);
	}
	raw_spin_unlock_irqrestore(&v->lock, flags);
}

/**
 * kvmx_threads_bind() - the current thread runs a vCPU
 * @v: the vCPU
 * @now: when
 *
 * Context: kvm_entry or kvm_exit of this vCPU, preemption disabled.
 */
void kvmx_threads_bind(struct kvmx_vcpu *v, u64 now)
{
	struct kvmx_vcpu *before = kvmx_threads_find(current);
	unsigned long flags;

	/* Unless another thread took it over meanwhile. */
	if (before)
		kvmx_threads_event(before, current, &(struct kvmx_event){
				   .type = KVMX_EV_END, .now = now });

	raw_spin_lock_irqsave(&v->lock, flags);
	unbind_locked(v, now);
	raw_spin_lock(&by_task_lock);
	WRITE_ONCE(v->task, current);
	hash_add_rcu(by_task, &v->task_hash, (unsigned long)current);
	raw_spin_unlock(&by_task_lock);
	raw_spin_unlock_irqrestore(&v->lock, flags);
}

/**
 * kvmx_threads_ran() - a thread has run a vCPU
 * @v: the vCPU
 * @tid: the thread
 *
 * Context: any; no lock below kvmx_vcpu.lock held.
 * Return: true if that was not known.
 */
bool kvmx_threads_ran(struct kvmx_vcpu *v, struct pid *tid)
{
	struct pid *old = NULL;
	unsigned long flags;
	bool news;

	if (READ_ONCE(v->tid) == tid && READ_ONCE(v->tid_ran))
		return false;
	raw_spin_lock_irqsave(&v->lock, flags);
	news = v->tid != tid || !v->tid_ran;
	if (v->tid != tid) {
		old = v->tid;
		WRITE_ONCE(v->tid, get_pid(tid));
	}
	WRITE_ONCE(v->tid_ran, true);
	raw_spin_unlock_irqrestore(&v->lock, flags);
	put_pid(old);	/* frees memory: not under a raw lock */
	return news;
}

/**
 * kvmx_threads_left() - a thread will not run a vCPU any more
 * @v: the vCPU
 * @tid: the thread
 *
 * Context: any; no lock below kvmx_vcpu.lock held.
 * Return: true if it was the one to run it, so that none is known now.
 */
bool kvmx_threads_left(struct kvmx_vcpu *v, const struct pid *tid)
{
	unsigned long flags;
	bool was;

	if (READ_ONCE(v->tid) != tid)
		return false;
	raw_spin_lock_irqsave(&v->lock, flags);
	was = v->tid == tid && v->tid_ran;
	if (was)
		WRITE_ONCE(v->tid_ran, false);
	raw_spin_unlock_irqrestore(&v->lock, flags);
	return was;
}

/**
 * kvmx_threads_get_tid() - the thread that ran a vCPU last, or created it
 * @v: the vCPU
 *
 * Context: any.
 * Return: a referenced pid or NULL.
 */
struct pid *kvmx_threads_get_tid(struct kvmx_vcpu *v)
{
	unsigned long flags;
	struct pid *tid;

	raw_spin_lock_irqsave(&v->lock, flags);
	tid = get_pid(v->tid);
	raw_spin_unlock_irqrestore(&v->lock, flags);
	return tid;
}
