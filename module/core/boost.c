// SPDX-License-Identifier: GPL-2.0-only
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/rculist.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/rt.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/time64.h>
#include <linux/kvmx_hint.h>
#include <uapi/linux/sched/types.h>

#include "core/boost.h"

/* The lowest: below everything that somebody has made real-time. */
#define FIFO_PRIORITY	1

/**
 * kvmx_boost_can() - can this kernel do that to a thread?
 * @effect: KVMX_EFFECT_*
 *
 * Context: any.
 * Return: true if so.
 */
bool kvmx_boost_can(u32 effect)
{
	return effect == KVMX_EFFECT_NICE || effect == KVMX_EFFECT_FIFO ||
	       (effect == KVMX_EFFECT_SLICE && KVMX_SLICE_IS_SETTABLE);
}

/**
 * kvmx_boost_fits() - would it be a boost for this thread?
 * @task: the thread
 * @effect: KVMX_EFFECT_*
 *
 * Context: any.
 * Return: false for one that is better off already, or idles on purpose.
 */
bool kvmx_boost_fits(const struct task_struct *task, u32 effect)
{
	return task->policy == SCHED_NORMAL || task->policy == SCHED_BATCH;
}

#ifdef CONFIG_CGROUP_SCHED
static bool is_in_group(struct task_struct *leader, struct task_group *group)
{
	struct task_struct *t;

	/* Not for_each_thread(): with lockdep it wants what is not exported. */
	list_for_each_entry_rcu(t, &leader->signal->thread_head, thread_node)
		if (READ_ONCE(t->sched_task_group) == group)
			return true;
	return false;
}

static bool shares_group(struct task_struct *task, struct task_group *group)
{
	struct task_struct *p;

	/* KVM and vhost have kthreads join their VMM's group: these do not count. */
	for_each_process(p)
		if (!(p->flags & PF_KTHREAD) && !same_thread_group(p, task) &&
		    is_in_group(p, group))
			return true;
	return false;
}

/**
 * kvmx_boost_alone() - is a thread scheduled among threads of its own process only?
 * @task: the thread
 *
 * Its CPU is divided among groups first: cgroups with the cpu controller and, where
 * autogroup is on, sessions. A nice value counts within one of them.
 *
 * Context: any; looks at every thread of the host.
 * Return: true if so, as of now.
 */
bool kvmx_boost_alone(struct task_struct *task)
{
	struct task_group *group = READ_ONCE(task->sched_task_group);
	bool shares;

	/* That of all who are in no other. */
	if (group == READ_ONCE(init_task.sched_task_group))
		return false;
	rcu_read_lock();
	shares = shares_group(task, group);
	rcu_read_unlock();
	return !shares;
}
#else
bool kvmx_boost_alone(struct task_struct *task)
{
	return false;
}
#endif

static int apply(struct task_struct *task, u32 policy, s32 nice, u64 slice,
		 bool reset)
{
	struct sched_attr attr = {
		.size = sizeof(attr),
		.sched_policy = policy,
		.sched_nice = nice,
		.sched_runtime = slice,
		.sched_flags = reset ? SCHED_FLAG_RESET_ON_FORK : 0,
	};

	if (policy == SCHED_FIFO) {
		attr.sched_priority = FIFO_PRIORITY;
		attr.sched_nice = 0;
		attr.sched_runtime = 0;
	}
	return sched_setattr_nocheck(task, &attr);
}

/**
 * kvmx_boost_begin() - change how a thread is scheduled
 * @task: the thread
 * @effect: KVMX_EFFECT_*, of which kvmx_boost_can() says yes
 * @arg: see there
 * @b: filled, for kvmx_boost_end()
 *
 * Its children do not inherit it.
 *
 * Context: process context; does not sleep, as no policy here is SCHED_DEADLINE.
 * Return: 0; -EBUSY if it would be no boost; what the scheduler says.
 */
int kvmx_boost_begin(struct task_struct *task, u32 effect, s32 arg,
		     struct kvmx_boost *b)
{
	if (!kvmx_boost_fits(task, effect))
		return -EBUSY;
	*b = (struct kvmx_boost){
		.effect = effect,
		.arg = arg,
		.policy = task->policy,
		.nice = task_nice(task),
		.slice = kvmx_task_slice(task),
		.reset = task->sched_reset_on_fork,
		.slack = task->timer_slack_ns,
	};
	switch (effect) {
	case KVMX_EFFECT_FIFO:
		return apply(task, SCHED_FIFO, 0, 0, true);
	case KVMX_EFFECT_NICE:
		return apply(task, b->policy, arg, b->slice, true);
	case KVMX_EFFECT_SLICE:
		return apply(task, b->policy, b->nice,
			     (u64)arg * NSEC_PER_USEC, true);
	default:
		return -EOPNOTSUPP;
	}
}

/* Is it still what was made of it? */
static bool unchanged(const struct task_struct *task,
		      const struct kvmx_boost *b)
{
	switch (b->effect) {
	case KVMX_EFFECT_FIFO:
		return task->policy == SCHED_FIFO &&
		       task->rt_priority == FIFO_PRIORITY;
	case KVMX_EFFECT_NICE:
		return task->policy == b->policy && task_nice(task) == b->arg;
	default:
		return task->policy == b->policy &&
		       kvmx_task_slice(task) == (u64)b->arg * NSEC_PER_USEC;
	}
}

/**
 * kvmx_boost_end() - put back what was before
 * @task: the thread
 * @b: as kvmx_boost_begin() left it
 *
 * Context: process context; does not sleep, as no policy here is SCHED_DEADLINE.
 * Return: false if somebody else has changed it meanwhile: that stays.
 */
bool kvmx_boost_end(struct task_struct *task, const struct kvmx_boost *b)
{
	bool strict = !READ_ONCE(task->timer_slack_ns);
	s32 nice = b->nice;

	if (!unchanged(task, b))
		return false;
	/* A thread that is FIFO has a nice value for afterwards all the same. */
	if (b->effect != KVMX_EFFECT_NICE)
		nice = task_nice(task);
	apply(task, b->policy, nice, b->slice, b->reset);
	/* Kernels that take it from real-time threads give back the default. */
	if (strict && b->slack)
		WRITE_ONCE(task->timer_slack_ns, b->slack);
	return true;
}
