// SPDX-License-Identifier: GPL-2.0-only
#include <linux/cpuhotplug.h>
#include <linux/jiffies.h>
#include <linux/lockdep.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/workqueue.h>

#include "core/event.h"
#include "core/feature.h"
#include "core/hook.h"
#include "core/topo.h"
#include "core/vm.h"
#include "kvmx_trace.h"
#include "place/apply.h"
#include "place/tend.h"
#include "place/undo.h"

/* Threads that are moved in one go; more follow a moment later. */
#define MOVES		256

/* How long a call that was seen takes to show, and how often to look. */
#define MOMENT_MS	2
#define AGAIN_MS	40

/* A thread is not put back more often: whoever pulls at it may go on for ever. */
#define PUT_BACK_EVERY	(HZ / 10)

static void tend_all(struct work_struct *work);
static DECLARE_DELAYED_WORK(tend_work, tend_all);

static void (*make_new_plan)(struct kvmx_placement *p);
static int hotplug_state = -1;
static bool called;		/* somebody asked for the worker */
static bool again;		/* it has left something for a moment later */
static bool all_stale;		/* the host has changed, or another placement */

/**
 * kvmx_tend_soon() - have the worker look in a moment
 *
 * Context: any.
 */
void kvmx_tend_soon(void)
{
	/* Whoever calls all the time must not put it off all the time. */
	if (!xchg(&called, true))
		mod_delayed_work(kvmx_wq, &tend_work,
				 msecs_to_jiffies(MOMENT_MS));
}

/**
 * kvmx_tend_all_soon() - have all placements fitted to the host again
 *
 * Context: any.
 */
void kvmx_tend_all_soon(void)
{
	WRITE_ONCE(all_stale, true);
	kvmx_tend_soon();
}

/* A call was seen that may change the CPUs of a thread; it has done so soon. */
static void seen(bool placed)
{
	if (placed)
		kvmx_tend_soon();
}

/* Context: kprobe, preemption disabled; in the thread that calls. */
static void setaffinity_called(pid_t nr)
{
	rcu_read_lock();
	seen(kvmx_undo_asked(nr ? find_vpid(nr) : task_pid(current)));
	rcu_read_unlock();
}

static void affinity_changes(struct task_struct *task)
{
	seen(kvmx_undo_changes(task_pid(task)));
}

static void drifted(struct kvmx_entry *e, struct task_struct *task)
{
	struct kvmx_placement *p = e->placement;
	bool enforce = p->layout->wishes->enforce;
	struct kvmx_news news = {
		.tid = e->tid, .thread_class = e->thread_class,
		.vcpu = e->vcpu, .arg = enforce, .name = task->comm,
	};

	e->drifts++;
	p->drifts++;
	e->state &= ~KVMX_THREAD_APPLIED;
	if (!enforce)
		e->state |= KVMX_THREAD_YIELDED;
	trace_drift(p->vm->id, task, e->thread_class, e->vcpu, p->want, p->now,
		    enforce);
	kvmx_vm_post(p->vm, KVMX_EVENT_DRIFT, &news);
}

static bool put_back(struct kvmx_entry *e, struct task_struct *task)
{
	if (e->later && time_before(jiffies, e->later)) {
		WRITE_ONCE(again, true);
		return false;
	}
	e->later = 0;
	kvmx_apply_thread(e, task);
	return true;
}

static void tend_thread(struct kvmx_entry *e, bool fitted)
{
	struct task_struct *task = get_pid_task(e->tid, PIDTYPE_PID);
	struct kvmx_placement *p = e->placement;
	enum kvmx_change change;

	lockdep_assert_held(&p->lock);
	if (!task) {
		kvmx_undo_forget(e);
		return;
	}
	cpumask_copy(p->want, kvmx_kept(e, KVMX_KEPT_LAST));
	change = kvmx_undo_look(e, task);
	if (change == KVMX_CHANGE_OWNER) {
		drifted(e, task);
		if (e->state & KVMX_THREAD_YIELDED)
			kvmx_apply_thread(e, task);
		else if (put_back(e, task))
			e->later = (jiffies + PUT_BACK_EVERY) | 1;
	} else if (fitted || change != KVMX_CHANGE_NONE ||
		   !(e->state & KVMX_THREAD_APPLIED)) {
		/* Where it has to wait, it is not forgotten. */
		if (!put_back(e, task))
			e->state &= ~KVMX_THREAD_APPLIED;
	}
	put_task_struct(task);
}

/* Return: true if there is more to do than may be done in one go. */
static bool tend(struct kvmx_placement *p, bool fit)
{
	struct kvmx_entry *e, *next;
	u64 moves = p->moves;

	lockdep_assert_held(&p->lock);
	if (p->over || !p->layout)
		return false;
	if (p->rescan && !kvmx_apply_scan(p, false))
		p->rescan = false;
	fit |= p->stale || kvmx_placement_limits_changed(p);
	if (fit)
		kvmx_apply_fit(p, true);
	list_for_each_entry_safe(e, next, &p->entries, link) {
		if (p->moves - moves >= MOVES) {
			p->stale = fit;
			return true;
		}
		tend_thread(e, fit);
	}
	return false;
}

static bool tend_each(bool fit)
{
	struct kvmx_placement *p = NULL;
	bool more = false;

	while ((p = kvmx_placement_next(p))) {
		mutex_lock(&p->lock);
		more |= tend(p, fit);
		mutex_unlock(&p->lock);
		cond_resched();
	}
	return more;
}

static void replan_all(void)
{
	struct kvmx_placement *p = NULL;

	while ((p = kvmx_placement_next(p)))
		if (READ_ONCE(p->replan))
			make_new_plan(p);
}

static void tend_all(struct work_struct *work)
{
	unsigned int ms = 1000;
	bool fit;

	WRITE_ONCE(called, false);
	WRITE_ONCE(again, false);
	fit = xchg(&all_stale, false);
	replan_all();
	/* A CPU that comes is online before threads may be given it. */
	if (!cpumask_equal(cpu_online_mask, cpu_active_mask))
		WRITE_ONCE(all_stale, true);
	if (tend_each(fit))
		ms = MOMENT_MS;
	else if (fit || READ_ONCE(again) || READ_ONCE(all_stale))
		ms = AGAIN_MS;
	if (kvmx_placement_any())
		queue_delayed_work(kvmx_wq, &tend_work, msecs_to_jiffies(ms));
}

/* Context: CPU hotplug, in the thread for that of this CPU; may sleep. */
static int cpu_comes(unsigned int cpu)
{
	kvmx_topo_refresh();
	if (kvmx_placement_any())
		kvmx_tend_all_soon();
	return 0;
}

/*
 * It is not active any more, but its threads still have it: whoever sleeps gets
 * others before he wakes up and the kernel chooses for him.
 */
static int cpu_goes(unsigned int cpu)
{
	while (tend_each(true))
		;
	if (kvmx_placement_any())
		kvmx_tend_all_soon();
	return 0;
}

/**
 * kvmx_tend_init() - see what happens to CPUs and threads
 * @replan: called for a placement with vCPUs that its plan does not know
 *
 * Context: may sleep, once, at load.
 */
void kvmx_tend_init(void (*replan)(struct kvmx_placement *p))
{
	make_new_plan = replan;
	static_call_update(kvmx_on_setaffinity, setaffinity_called);
	static_call_update(kvmx_on_affinity, affinity_changes);
	if (!kvmx_feature_denied(KVMX_F_HOTPLUG))
		hotplug_state =
			cpuhp_setup_state_nocalls(CPUHP_AP_ONLINE_DYN,
						  "kvmx/place:online",
						  cpu_comes, cpu_goes);
	if (hotplug_state >= 0)
		kvmx_feature_set(KVMX_F_HOTPLUG, KVMX_FEATURE_ON,
				 "CPUs are seen to come and go");
	else if (!kvmx_feature_denied(KVMX_F_HOTPLUG))
		kvmx_feature_set(KVMX_F_HOTPLUG, KVMX_FEATURE_OFF,
				 "no place among those who are told of CPUs: error %d; looked at every second",
				 hotplug_state);
}

/**
 * kvmx_tend_exit() - nobody is looked after any more
 *
 * Context: may sleep; there are no placements, and no kprobe is armed that
 *	could call the worker.
 */
void kvmx_tend_exit(void)
{
	if (hotplug_state >= 0)
		cpuhp_remove_state_nocalls(hotplug_state);
	/* A handler may have found a thread that was forgotten since. */
	synchronize_rcu();
	cancel_delayed_work_sync(&tend_work);
}
