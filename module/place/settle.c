// SPDX-License-Identifier: GPL-2.0-only
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/lockdep.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/time64.h>

#include "core/tasks.h"
#include "place/placement.h"
#include "place/settle.h"

/*
 * More than a fork takes of a CPU's time, also where that CPU is an emulator's, which
 * is away for tenths of a second and counts as running.
 */
#define FORK_NS		NSEC_PER_SEC

/*
 * A thread that is starved of CPUs is not waited for without end; but a CPU whose
 * tick is off tells but once a second what its thread has run.
 */
#define SETTLE_MS	2
#define SETTLE_FOR	(5 * HZ)

/* Has it been seen outside of a fork that began before it was restored? */
static bool is_settled(const struct kvmx_entry *e)
{
	struct task_struct *task = get_pid_task(e->tid, PIDTYPE_PID);
	unsigned int state;
	bool settled;

	if (!task)
		return true;
	state = READ_ONCE(task->__state);
	/* Who was in user space since is not in that fork any more. */
	settled = task == current || task->exit_state ||
		  READ_ONCE(task->flags) & PF_VCPU ||
		  READ_ONCE(task->utime) != e->user_ran ||
		  (state != TASK_RUNNING && !(state & TASK_UNINTERRUPTIBLE)) ||
		  READ_ONCE(task->se.sum_exec_runtime) - e->ran > FORK_NS;
	put_task_struct(task);
	return settled;
}

static bool all_settled(struct kvmx_placement *p)
{
	struct kvmx_entry *e;
	bool all = true;

	lockdep_assert_held(&p->lock);
	list_for_each_entry(e, &p->entries, link) {
		if (!e->settled)
			e->settled = is_settled(e);
		all &= e->settled;
	}
	return all;
}

/**
 * kvmx_settle() - wait until none is born any more with what its parent had
 * @p: a placement whose threads were restored
 *
 * A thread is a copy of its parent from the beginning of the fork, and is seen by
 * others only at its end; it is told of, with its parent, when it runs. Who is found
 * later by looking is a stranger, of whom nobody knows what his parent had.
 *
 * Context: may sleep; without the placement's lock: who is born takes it.
 */
void kvmx_settle(struct kvmx_placement *p)
{
	unsigned long until = jiffies + SETTLE_FOR;
	bool settled;

	for (;;) {
		mutex_lock(&p->lock);
		settled = all_settled(p);
		mutex_unlock(&p->lock);
		/* In this order: whoever has left a fork has told of its child. */
		if ((settled && !kvmx_tasks_births(p->vm)) ||
		    time_after(jiffies, until))
			break;
		msleep(SETTLE_MS);
	}
}
