// SPDX-License-Identifier: GPL-2.0-only
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/spinlock.h>
#include <linux/static_call.h>
#include <linux/task_work.h>
#include <linux/wait.h>

#include "core/feature.h"
#include "core/kprobes.h"
#include "core/work.h"

static LIST_HEAD(works);
/* Guards the list, and @task of its works. Raw: taken in probes. */
static DEFINE_RAW_SPINLOCK(works_lock);
static atomic_t inflight;
static DECLARE_WAIT_QUEUE_HEAD(idle);
static bool can_cancel;

typedef bool match_fn(struct callback_head *head, void *data);

static struct callback_head *no_cancel(struct task_struct *task,
				       match_fn *match, void *data)
{
	return NULL;
}

/* task_work_cancel_match() is not exported. */
DEFINE_STATIC_CALL(kvmx_work_cancel, no_cancel);

/* Takes a work out of the list. Return: its thread, whose reference is passed. */
static struct task_struct *work_take(struct kvmx_work *work)
{
	struct task_struct *task;
	unsigned long flags;

	raw_spin_lock_irqsave(&works_lock, flags);
	list_del_init(&work->link);
	task = work->task;
	work->task = NULL;
	raw_spin_unlock_irqrestore(&works_lock, flags);
	return task;
}

/* @work may be gone by now. */
static void work_over(struct task_struct *task)
{
	put_task_struct(task);
	if (!can_cancel)
		module_put(THIS_MODULE);
	if (atomic_dec_and_test(&inflight))
		wake_up(&idle);
}

static void work_run(struct callback_head *head)
{
	struct kvmx_work *work = container_of(head, struct kvmx_work, head);
	struct task_struct *task = work_take(work);

	work->fn(work);
	work_over(task);
}

void kvmx_work_prepare(struct kvmx_work *work,
		       void (*fn)(struct kvmx_work *work),
		       void (*drop)(struct kvmx_work *work))
{
	INIT_LIST_HEAD(&work->link);
	work->fn = fn;
	work->drop = drop;
}

/**
 * kvmx_work_leave() - leave work with the current thread
 * @work: prepared, and not left with any thread
 *
 * Context: any that belongs to the thread, also an interrupt.
 * Return: false where it cannot be done any more: the thread ends, or, where
 *	work cannot be taken back, kvmx does.
 */
bool kvmx_work_leave(struct kvmx_work *work)
{
	unsigned long flags;

	if (!can_cancel && !try_module_get(THIS_MODULE))
		return false;
	init_task_work(&work->head, work_run);
	atomic_inc(&inflight);
	raw_spin_lock_irqsave(&works_lock, flags);
	work->task = get_task_struct(current);
	list_add_tail(&work->link, &works);
	raw_spin_unlock_irqrestore(&works_lock, flags);
	if (!task_work_add(current, &work->head, TWA_RESUME))
		return true;
	work_over(work_take(work));
	return false;
}

static bool same(struct callback_head *head, void *data)
{
	return head == data;
}

/* Return: a work that was taken back from its thread, or NULL. */
static struct kvmx_work *work_cancel_one(void)
{
	struct kvmx_work *work, *found = NULL;
	unsigned long flags;

	raw_spin_lock_irqsave(&works_lock, flags);
	list_for_each_entry(work, &works, link) {
		/* Its thread may be about to run it: then it is not there. */
		if (static_call(kvmx_work_cancel)(work->task, same,
						  &work->head)) {
			found = work;
			break;
		}
	}
	raw_spin_unlock_irqrestore(&works_lock, flags);
	return found;
}

/**
 * kvmx_work_init() - find out whether work can be taken back
 *
 * Context: may sleep, once, at load.
 */
void __init kvmx_work_init(void)
{
	static const char name[] = "task_work_cancel_match";
	unsigned long at;

	if (kvmx_feature_denied(KVMX_F_WORK_CANCEL))
		return;
	at = kvmx_kprobes_find(name);
	if (!at) {
		kvmx_feature_set(KVMX_F_WORK_CANCEL, KVMX_FEATURE_OFF,
				 "no such function found: a guest's call that waits keeps kvmx loaded");
		return;
	}
	static_call_update(kvmx_work_cancel, (typeof(no_cancel) *)at);
	can_cancel = true;
	kvmx_feature_set(KVMX_F_WORK_CANCEL, KVMX_FEATURE_ON,
			 "found: work that waits in a thread can be taken back");
}

/**
 * kvmx_work_exit() - no thread has work of ours any more
 *
 * But for the last instructions of work_run(): what kvmx_birth_exit() waits for
 * in the end covers these, too.
 *
 * Context: may sleep; whoever leaves work is gone; before kvmx_birth_exit().
 */
void kvmx_work_exit(void)
{
	struct kvmx_work *work;

	while ((work = work_cancel_one())) {
		struct task_struct *task = work_take(work);

		work->drop(work);
		work_over(task);
	}
	/* Some threads may be doing theirs. */
	wait_event(idle, !atomic_read(&inflight));
	WARN_ON(!list_empty(&works));
}
