// SPDX-License-Identifier: GPL-2.0-only
#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/nospec.h>
#include <linux/sched.h>
#include <linux/sched/stat.h>
#include <linux/sched/task.h>
#include <linux/time64.h>

#include "core/boost.h"
#include "core/vm.h"
#include "hint/area.h"
#include "hint/grant.h"
#include "hint/hinter.h"
#include "kvmx_trace.h"

/* Less than this is not worth two changes of the thread's scheduling. */
#define MIN_GRANT_NS	(20 * NSEC_PER_USEC)

/* Of a grant: see kvmx_grant_trial_ns(). */
#define TRIAL_PART	4

/* Threads that are to be boosted, or are, and do not sleep; all VMs together. */
atomic_t kvmx_grants_awake;

/* At least one CPU in two is left to others. */
static int awake_most(void)
{
	return max(1U, num_online_cpus() / 2);
}

static bool host_full(void)
{
	return atomic_read(&kvmx_grants_awake) >= awake_most();
}

/* From when it is granted on, not from when that has been done. */
static bool count_if_room(struct kvmx_grant *g)
{
	if (atomic_inc_return(&kvmx_grants_awake) > awake_most()) {
		atomic_dec(&kvmx_grants_awake);
		return false;
	}
	g->counted = true;
	return true;
}

/**
 * kvmx_grant_count() - it is one of those that are boosted and do not sleep
 * @g: a grant; its hinter's lock is held
 */
void kvmx_grant_count(struct kvmx_grant *g)
{
	if (!g->counted)
		atomic_inc(&kvmx_grants_awake);
	g->counted = true;
}

/**
 * kvmx_grant_uncount() - it is not any more
 * @g: a grant; its hinter's lock is held
 */
void kvmx_grant_uncount(struct kvmx_grant *g)
{
	if (g->counted)
		atomic_dec(&kvmx_grants_awake);
	g->counted = false;
}

/**
 * kvmx_grant_sample() - does somebody else want this CPU?
 * @g: a grant, of which this is noted where its thread runs here
 */
void kvmx_grant_sample(struct kvmx_grant *g)
{
	if (current == g->task)
		g->useful |= !single_task_running();
}

/*
 * The vCPU has another thread than before: that one's last reference is not
 * dropped here, where a run queue's lock may be held. Return: false while the
 * last such one is still there.
 */
static bool is_for(struct kvmx_grant *g, const struct task_struct *task)
{
	if (!g->asked || g->asked == task)
		return true;
	if (g->stale)
		return false;
	g->stale = g->asked;
	g->asked = NULL;
	return true;
}

/**
 * kvmx_grant_ask() - may a hint have its effect?
 * @h: whose hint
 * @word: the hint
 * @way: how it came
 * @task: the vCPU's thread
 *
 * Return: KVMX_VERDICT_GRANTED if so, and it is to be followed; else why not.
 */
enum kvmx_verdict kvmx_grant_ask(struct kvmx_hinter *h, u32 word,
				 enum kvmx_hint_way way,
				 struct task_struct *task)
{
	enum kvmx_verdict verdict = kvmx_hinter_judge(h, word);
	struct kvmx_grant *g = &h->grant;
	u64 now = ktime_get_mono_fast_ns();
	const struct kvmx_hint_kind *k;
	u32 kind;

	lockdep_assert_held(&h->lock);
	if (verdict != KVMX_VERDICT_NOTED || !word)
		return verdict;
	kind = array_index_nospec(KVMX_HINT_KIND(word), KVMX_NR_KINDS);
	k = &h->policy.kinds[kind];
	if (!h->on || !kvmx_boost_can(k->effect))
		return KVMX_VERDICT_NOTED;
	/* One at a time, and none is made longer: see kvmx_grant_renew(). */
	if (g->on || g->want)
		return KVMX_VERDICT_NOTED;
	kvmx_hinter_bill(h, now);
	if (g->left_ns < (s64)MIN_GRANT_NS) {
		g->throttled = true;
		kvmx_area_touch(h);
		return KVMX_VERDICT_BUDGET;
	}
	if (!kvmx_boost_fits(task, k->effect) || !is_for(g, task) ||
	    !count_if_room(g))
		return KVMX_VERDICT_HOST;
	g->throttled = false;
	g->late = false;
	g->way = way;
	g->kind = kind;
	g->effect = k->effect;
	g->arg = k->arg;
	g->rest_ns = min_t(s64, (s64)k->grant_us * NSEC_PER_USEC, g->left_ns);
	g->spent_ns = 0;
	g->useful = false;
	g->asleep = false;
	g->trial = false;
	g->want = true;
	if (!g->asked)
		g->asked = get_task_struct(task);
	kvmx_area_touch(h);
	return KVMX_VERDICT_GRANTED;
}

/**
 * kvmx_grant_trial_ns() - how long until a guest has done something about an
 *	interrupt
 * @h: the guest's vCPU
 *
 * A part of what it may be granted: whoever chose that knows what the guest is.
 *
 * Return: ns.
 */
s64 kvmx_grant_trial_ns(const struct kvmx_hinter *h)
{
	return (s64)h->policy.kinds[KVMX_KIND_LATENCY].grant_us *
	       (NSEC_PER_USEC / TRIAL_PART);
}

/**
 * kvmx_grant_renew() - another grant in place of the one that the thread has
 * @h: whose hint
 * @word: the hint
 *
 * For a moment at which the thread could as well give up the one and ask for the
 * other, if that were for nothing: it goes to sleep, or its time is up and what it
 * does now is not what it was granted for. The budget is the same.
 *
 * Return: KVMX_VERDICT_GRANTED; KVMX_VERDICT_NOTED where the old one goes on.
 */
enum kvmx_verdict kvmx_grant_renew(struct kvmx_hinter *h, u32 word)
{
	struct kvmx_grant *g = &h->grant;
	const struct kvmx_hint_kind *k = &h->policy.kinds[g->kind];

	lockdep_assert_held(&h->lock);
	if (!g->on || !g->want || current != g->task ||
	    KVMX_HINT_KIND(word) != g->kind || k->effect != g->effect)
		return KVMX_VERDICT_NOTED;
	kvmx_hinter_bill(h, ktime_get_mono_fast_ns());
	if (g->left_ns < (s64)MIN_GRANT_NS)
		return KVMX_VERDICT_NOTED;
	h->counts[g->kind].released++;
	trace_grant_end(h->v->vm->id, h->v->index, g->kind, KVMX_END_RELEASED,
			g->spent_ns);
	g->rest_ns = min_t(s64, (s64)k->grant_us * NSEC_PER_USEC, g->left_ns);
	g->spent_ns = 0;
	g->useful = false;
	g->trial = false;
	kvmx_grant_sample(g);
	trace_grant(h->v->vm->id, h->v->index, g->kind, g->effect, g->rest_ns);
	kvmx_area_touch(h);
	return KVMX_VERDICT_GRANTED;
}

/**
 * kvmx_grant_finish() - a grant is not wanted any more
 * @h: the vCPU
 * @why: why
 *
 * Return: true if there is something to follow.
 */
bool kvmx_grant_finish(struct kvmx_hinter *h, enum kvmx_grant_end why)
{
	struct kvmx_grant *g = &h->grant;

	lockdep_assert_held(&h->lock);
	if (!g->want)
		return false;
	g->want = false;
	g->why = why;
	/* One that was never begun has no end. */
	if (!g->on)
		kvmx_grant_uncount(g);
	kvmx_area_touch(h);
	return true;
}

/**
 * kvmx_grant_release() - the guest says that it needs no grant any more
 * @h: the vCPU
 *
 * Return: true if there is something to follow.
 */
bool kvmx_grant_release(struct kvmx_hinter *h)
{
	struct kvmx_grant *g = &h->grant;

	if (kvmx_grant_finish(h, KVMX_END_RELEASED)) {
		h->counts[g->kind].released++;
		return true;
	}
	if (g->late) {
		g->late = false;
		h->counts[g->kind].late++;
	}
	return false;
}

/**
 * kvmx_grant_sleep() - the thread is about to sleep, because its guest halts
 * @h: the vCPU
 *
 * It keeps its boost, to be woken up with; that costs nobody anything.
 *
 * Return: true if it has one, so that kvmx_grant_wake() has to be called.
 */
bool kvmx_grant_sleep(struct kvmx_hinter *h)
{
	struct kvmx_grant *g = &h->grant;

	lockdep_assert_held(&h->lock);
	if (!g->want || g->asleep)
		return g->want;
	/* Its timer, if it fires, finds it asleep. */
	hrtimer_try_to_cancel(&g->timer);
	kvmx_hinter_bill(h, ktime_get_mono_fast_ns());
	g->asleep = true;
	kvmx_grant_uncount(g);
	return true;
}

/**
 * kvmx_grant_wake() - the thread runs again: now its grant begins
 * @h: the vCPU
 *
 * Return: true if there is something to follow: kvmx_grant_send().
 */
bool kvmx_grant_wake(struct kvmx_hinter *h)
{
	struct kvmx_grant *g = &h->grant;
	u64 now = ktime_get_mono_fast_ns();

	lockdep_assert_held(&h->lock);
	if (!g->asleep)
		return false;
	kvmx_hinter_bill(h, now);
	g->asleep = false;
	if (!g->on) {
		if (g->want)
			kvmx_grant_count(g);
		return g->want;
	}
	g->rest_ns = min(g->rest_ns, g->left_ns);
	if (g->want && (host_full() || g->rest_ns < (s64)MIN_GRANT_NS))
		kvmx_grant_finish(h, KVMX_END_HOST);
	kvmx_grant_count(g);
	kvmx_grant_sample(g);
	return true;
}

/**
 * kvmx_grant_open() - is there something to follow?
 * @h: the vCPU
 *
 * Context: any.
 * Return: true if what is wanted is not what is.
 */
bool kvmx_grant_open(const struct kvmx_hinter *h)
{
	return READ_ONCE(h->grant.want) != READ_ONCE(h->grant.on);
}
