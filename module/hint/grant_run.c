// SPDX-License-Identifier: GPL-2.0-only
#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/hrtimer.h>
#include <linux/irq_work.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/sched/task.h>

#include "core/boost.h"
#include "core/vm.h"
#include "core/work.h"
#include "hint/area.h"
#include "hint/grant.h"
#include "hint/hinter.h"
#include "kvmx_trace.h"

/* If the thread has not ended its grant by then, the kthread does. */
#define BACKSTOP_NS	NSEC_PER_MSEC

/* Above all that a grant can make of a thread; while any VM may hint. */
static struct kthread_worker *worker;

static void start_timer(struct kvmx_grant *g, s64 ns)
{
	hrtimer_start(&g->timer, ns_to_ktime(max_t(s64, ns, NSEC_PER_USEC)),
		      HRTIMER_MODE_REL_HARD);
}

/*
 * What is wanted, as of one moment: until it is done, the guest may release that and
 * ask for something else.
 */
struct wanted {
	struct task_struct *task;	/* with a reference; NULL: nothing */
	u32 effect;
	s32 arg;
};

static struct wanted wanted(struct kvmx_hinter *h)
{
	struct kvmx_grant *g = &h->grant;
	struct wanted w = { };
	unsigned long flags;

	raw_spin_lock_irqsave(&h->lock, flags);
	if (g->want)
		w = (struct wanted){
			.task = get_task_struct(g->asked),
			.effect = g->effect,
			.arg = g->arg,
		};
	raw_spin_unlock_irqrestore(&h->lock, flags);
	return w;
}

static bool is_wanted(const struct kvmx_grant *g, const struct wanted *w)
{
	return g->asked == w->task && g->effect == w->effect && g->arg == w->arg;
}

/* Context: no lock held. */
static void put_stale(struct kvmx_hinter *h)
{
	struct task_struct *task;
	unsigned long flags;

	raw_spin_lock_irqsave(&h->lock, flags);
	task = h->grant.stale;
	h->grant.stale = NULL;
	raw_spin_unlock_irqrestore(&h->lock, flags);
	if (task)
		put_task_struct(task);
}

/* Return: the time after which it has to end; 0: its thread sleeps. */
static s64 begun(struct kvmx_hinter *h, struct task_struct *task)
{
	struct kvmx_grant *g = &h->grant;

	lockdep_assert_held(&h->lock);
	kvmx_hinter_bill(h, ktime_get_mono_fast_ns());
	g->task = task;
	g->on = true;
	kvmx_grant_sample(g);
	trace_grant(h->v->vm->id, h->v->index, g->kind, g->effect, g->rest_ns);
	if (g->asleep)
		return 0;
	/* Where it is not wanted any more, it is not counted any more. */
	kvmx_grant_count(g);
	return g->trial ? min(g->rest_ns, kvmx_grant_trial_ns(h)) : g->rest_ns;
}

static void begin(struct kvmx_hinter *h)
{
	struct wanted w = wanted(h);
	struct kvmx_grant *g = &h->grant;
	unsigned long flags;
	s64 ns = 0;
	int err;

	lockdep_assert_held(&g->apply);
	if (!w.task)
		return;
	err = kvmx_boost_begin(w.task, w.effect, w.arg, &g->boost);
	raw_spin_lock_irqsave(&h->lock, flags);
	if (!err)
		ns = begun(h, w.task);
	if (err || !is_wanted(g, &w))
		kvmx_grant_finish(h, KVMX_END_HOST);
	raw_spin_unlock_irqrestore(&h->lock, flags);
	if (err)
		put_task_struct(w.task);
	else if (ns)
		start_timer(g, ns);
}

static void end(struct kvmx_hinter *h)
{
	struct kvmx_grant *g = &h->grant;
	struct task_struct *task = g->task;
	unsigned long flags;
	bool ours;

	lockdep_assert_held(&g->apply);
	hrtimer_cancel(&g->timer);
	ours = kvmx_boost_end(task, &g->boost);
	raw_spin_lock_irqsave(&h->lock, flags);
	kvmx_hinter_bill(h, ktime_get_mono_fast_ns());
	kvmx_grant_uncount(g);
	g->on = false;
	g->asleep = false;
	trace_grant_end(h->v->vm->id, h->v->index, g->kind,
			ours ? g->why : KVMX_END_CHANGED, g->spent_ns);
	raw_spin_unlock_irqrestore(&h->lock, flags);
	put_task_struct(task);
}

/**
 * kvmx_grant_follow() - make what is wanted so
 * @h: the vCPU
 *
 * Context: may sleep.
 */
void kvmx_grant_follow(struct kvmx_hinter *h)
{
	struct kvmx_grant *g = &h->grant;
	int tries;

	mutex_lock(&g->apply);
	/*
	 * A thread that ends its own grant is about to be taken off its CPU. Not
	 * before all is written down and unlocked: until it were back, no interrupt
	 * could earn it anything. What is called here does not sleep.
	 */
	preempt_disable();
	/* Twice: a grant that is released while it begins has to end. */
	for (tries = 0; tries < 4 && kvmx_grant_open(h); tries++) {
		if (READ_ONCE(g->want))
			begin(h);
		else
			end(h);
	}
	mutex_unlock(&g->apply);
	preempt_enable();
	put_stale(h);
}

static void grant_kthread(struct kthread_work *work)
{
	kvmx_grant_follow(container_of(work, struct kvmx_hinter, grant.kwork));
}

static void grant_own(struct kvmx_work *work)
{
	struct kvmx_hinter *h = container_of(work, struct kvmx_hinter,
					     grant.own);
	struct kvmx_vm *vm = h->v->vm;

	atomic_set(&h->grant.own_left, 0);
	kvmx_grant_follow(h);
	kvmx_vm_put(vm);
}

static void grant_drop(struct kvmx_work *work)
{
	grant_own(work);	/* the thread does not matter */
}

static bool leave(struct kvmx_hinter *h)
{
	if (atomic_cmpxchg(&h->grant.own_left, 0, 1))
		return true;
	if (refcount_inc_not_zero(&h->v->vm->refs)) {
		if (kvmx_work_leave(&h->grant.own))
			return true;
		kvmx_vm_put(h->v->vm);
	}
	atomic_set(&h->grant.own_left, 0);
	return false;
}

/**
 * kvmx_grant_leave() - this thread follows before it enters, sleeps for its guest,
 *	or goes to user space
 * @h: the vCPU that it runs
 *
 * Context: any that belongs to the thread, in KVM; no lock held.
 */
void kvmx_grant_leave(struct kvmx_hinter *h)
{
	if (!leave(h))
		kvmx_grant_send(h);
}

/**
 * kvmx_grant_send() - the kthread follows
 * @h: the vCPU, which is on
 *
 * Context: any, also under a run queue's lock.
 */
void kvmx_grant_send(struct kvmx_hinter *h)
{
	irq_work_queue(&h->grant.bell);
}

/* Where a wake-up and a timer are possible again. */
static void grant_bell(struct irq_work *bell)
{
	struct kvmx_hinter *h = container_of(bell, struct kvmx_hinter,
					     grant.bell);
	struct kvmx_grant *g = &h->grant;
	unsigned long flags;
	s64 ns = 0;

	raw_spin_lock_irqsave(&h->lock, flags);
	if (g->on && g->want && !g->asleep && !hrtimer_active(&g->timer))
		ns = g->rest_ns;
	raw_spin_unlock_irqrestore(&h->lock, flags);
	if (ns)
		start_timer(g, ns);
	if (kvmx_grant_open(h))
		kthread_queue_work(worker, &g->kwork);
}

/*
 * A real-time task of the guest runs by now, and nobody has heard of that: it was
 * woken by what this grant was for, or came after. That is a hint of its own.
 */
static bool goes_on(struct kvmx_hinter *h)
{
	struct kvm_vcpu *key = READ_ONCE(h->v->key);
	enum kvmx_verdict verdict;
	struct kvmx_said said;

	if (!key || h->grant.kind != KVMX_KIND_LATENCY ||
	    !kvmx_area_peek(h, key, &said) || !said.fresh ||
	    KVMX_HINT_URGENCY(said.word) < KVMX_LATENCY_RUNS ||
	    kvmx_hinter_judge(h, said.word) != KVMX_VERDICT_NOTED)
		return false;
	kvmx_area_note(h, &said);
	verdict = kvmx_grant_renew(h, said.word);
	kvmx_hinter_count(h, said.word, verdict);
	trace_hint(h->v->vm->id, h->v->index, said.way, said.word,
		   said.length_us, verdict);
	return verdict == KVMX_VERDICT_GRANTED;
}

/*
 * An interrupt earned it its grant, and the guest has had time to do something
 * about that. Is it what the guest waited for? Or its tick, say: then the budget is
 * wanted for the right one.
 */
static bool in_vain(struct kvmx_hinter *h)
{
	struct kvm_vcpu *key = READ_ONCE(h->v->key);
	struct kvmx_said said;

	/* A program's own word stands there while that very program runs. */
	return key && kvmx_area_peek(h, key, &said) &&
	       said.way == KVMX_WAY_AREA &&
	       (KVMX_HINT_KIND(said.word) != KVMX_KIND_LATENCY ||
		KVMX_HINT_URGENCY(said.word) < KVMX_LATENCY_RUNS);
}

/* Return: for how long it goes on, ns; 0: it does not, and that is written down. */
static s64 goes_on_for(struct kvmx_hinter *h, bool own)
{
	struct kvmx_grant *g = &h->grant;

	lockdep_assert_held(&h->lock);
	kvmx_grant_sample(g);
	if (g->trial) {
		g->trial = false;
		if (own && in_vain(h)) {
			kvmx_grant_release(h);
			return 0;
		}
		kvmx_hinter_bill(h, ktime_get_mono_fast_ns());
		if (g->rest_ns > 0)
			return g->rest_ns;
	}
	if (own && goes_on(h))
		return g->rest_ns;
	kvmx_grant_finish(h, KVMX_END_EXPIRED);
	g->late = true;
	h->counts[g->kind].expired++;
	return 0;
}

static enum hrtimer_restart grant_timer(struct hrtimer *timer)
{
	struct kvmx_hinter *h = container_of(timer, struct kvmx_hinter,
					     grant.timer);
	struct kvmx_grant *g = &h->grant;
	bool over, wanted, own;
	s64 rest = 0;

	raw_spin_lock(&h->lock);
	over = g->on && !g->asleep;
	wanted = over && g->want;
	/* The guest was running here, and its memory is at hand. */
	own = wanted && current == g->task && current->flags & PF_VCPU;
	if (wanted)
		rest = goes_on_for(h, own);
	raw_spin_unlock(&h->lock);
	if (rest) {
		hrtimer_forward_now(timer, ns_to_ktime(rest));
		return HRTIMER_RESTART;
	}
	/*
	 * The thread, on the way back, ends its grant before it enters again. If
	 * that takes long, the kthread does.
	 */
	if (!over)
		return HRTIMER_NORESTART;
	if (own && leave(h)) {
		hrtimer_forward_now(timer, ns_to_ktime(BACKSTOP_NS));
		return HRTIMER_RESTART;
	}
	kthread_queue_work(worker, &g->kwork);
	return HRTIMER_NORESTART;
}

/**
 * kvmx_grant_prepare() - a vCPU may soon be granted something
 * @h: the vCPU
 *
 * Context: may sleep; nobody finds it yet.
 */
void kvmx_grant_prepare(struct kvmx_hinter *h)
{
	struct kvmx_grant *g = &h->grant;

	mutex_init(&g->apply);
	hrtimer_setup(&g->timer, grant_timer, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL_HARD);
	init_irq_work(&g->bell, grant_bell);
	kthread_init_work(&g->kwork, grant_kthread);
	kvmx_work_prepare(&g->own, grant_own, grant_drop);
}

/**
 * kvmx_grant_stop() - whatever was granted is put back, and nothing is any more
 * @h: a vCPU whose hints are off
 *
 * Context: may sleep.
 */
void kvmx_grant_stop(struct kvmx_hinter *h)
{
	struct kvmx_grant *g = &h->grant;
	unsigned long flags;

	raw_spin_lock_irqsave(&h->lock, flags);
	kvmx_grant_finish(h, KVMX_END_OFF);
	g->late = false;
	g->throttled = false;
	raw_spin_unlock_irqrestore(&h->lock, flags);
	irq_work_sync(&g->bell);
	kthread_cancel_work_sync(&g->kwork);
	kvmx_grant_follow(h);
	/* It may have rung, or the timer fired, in between; for nothing. */
	hrtimer_cancel(&g->timer);
	irq_work_sync(&g->bell);
	kthread_cancel_work_sync(&g->kwork);
	if (g->asked)
		put_task_struct(g->asked);
	g->asked = NULL;
	/* The next kthread is another, to which it does not belong yet. */
	kthread_init_work(&g->kwork, grant_kthread);
	g->period_at = 0;	/* the next one to ask has a whole budget */
}

/**
 * kvmx_grant_begin_all() - some VM may hint from now on
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int kvmx_grant_begin_all(void)
{
	struct kthread_worker *w = kthread_run_worker(0, "kvmx_hint");

	if (IS_ERR(w))
		return -ENOMEM;
	sched_set_fifo(w->task);
	worker = w;
	return 0;
}

/**
 * kvmx_grant_end_all() - no VM may hint any more
 *
 * Context: may sleep; kvmx_grant_stop() was called for each vCPU.
 */
void kvmx_grant_end_all(void)
{
	kthread_destroy_worker(worker);
	worker = NULL;
	WARN_ON(atomic_read(&kvmx_grants_awake));
}
