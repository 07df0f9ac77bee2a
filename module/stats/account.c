// SPDX-License-Identifier: GPL-2.0-only
#include <linux/bitops.h>
#include <linux/compiler.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <asm/cpufeature.h>

#include "core/clock.h"
#include "core/feature.h"
#include "core/hook.h"
#include "core/peek.h"
#include "core/threads.h"
#include "core/vm.h"
#include "stats/account.h"
#include "stats/counts.h"
#include "stats/schema.h"
#include "stats/seq.h"

/*
 * Time up to kvmx_data.accounted is in one of the classes. What is not yet:
 *
 *      accounted          out               in            now
 *         |--- on a CPU ---|--- off the CPU ---|--- on ------|
 *           base              kind, see below      base
 *
 * How much of the middle was spent waiting for a CPU after the wake-up is known
 * only when the thread has run again (its run delay), and how much of the first
 * part was halt polling only when the halt is over. So taking a thread off and
 * on just notes the time, and its next own event settles all three parts.
 */

static const u8 class_of[] = {
	[KVMX_STATE_NEW] = KVMX_T_UNKNOWN,
	[KVMX_STATE_UNKNOWN] = KVMX_T_UNKNOWN,
	[KVMX_STATE_GUEST] = KVMX_T_GUEST,
	[KVMX_STATE_EXIT] = KVMX_T_EXIT,
	[KVMX_STATE_USER] = KVMX_T_USER,
	[KVMX_STATE_HALTED] = KVMX_T_HALTED,
	[KVMX_STATE_READY] = KVMX_T_READY,
	[KVMX_STATE_WAIT] = KVMX_T_WAIT,
	[KVMX_STATE_NO_THREAD] = KVMX_T_WAIT,
	[KVMX_STATE_GONE] = KVMX_T_UNKNOWN,
	[KVMX_STATE_THROTTLED] = KVMX_T_THROTTLED,
};

static const u8 state_of[] = {
	[KVMX_OUT_PREEMPTED] = KVMX_STATE_READY,
	[KVMX_OUT_THROTTLED] = KVMX_STATE_THROTTLED,
	[KVMX_OUT_HALTED] = KVMX_STATE_HALTED,
	[KVMX_OUT_WAITS] = KVMX_STATE_WAIT,
};

/* Bill the time up to @now to one class. */
static __always_inline u64 bill(struct kvmx_data *d, enum kvmx_time_class class,
				u64 now)
{
	u64 t = kvmx_ticks(d->accounted, now);

	d->time[class] += t;
	d->accounted += t;
	return t;
}

static void set_state(struct kvmx_data *d, u8 state, u64 now)
{
	d->state = state;
	d->state_since = now;
}

/* It would have gone on: all of the time off the CPU is one class's. */
static bool would_go_on(u8 kind)
{
	return kind == KVMX_OUT_PREEMPTED || kind == KVMX_OUT_THROTTLED;
}

static u64 delay_since(const struct task_struct *task, u64 before)
{
	return kvmx_clock_from_ns(task->sched_info.run_delay - before);
}

/* The thread was off the CPU: bill the three parts up to where it was put on. */
static void settle(struct kvmx_vcpu *v, struct kvmx_counts *c, u64 poll, u64 now)
{
	struct kvmx_data *d = c->data;
	u64 before, off, ready;

	poll = min(poll, kvmx_ticks(d->accounted, c->out));
	before = bill(d, class_of[c->base], c->out - poll);
	if (c->base == KVMX_STATE_USER || c->base == KVMX_STATE_NO_THREAD)
		c->away += before;
	c->away += bill(d, KVMX_T_POLL, c->out);

	off = kvmx_ticks(d->accounted, c->in ?: now);
	if (!would_go_on(c->kind) && c->in && v->task)
		ready = min(off, delay_since(v->task, c->delay));
	else
		ready = 0;
	d->time[KVMX_T_READY] += ready;
	d->time[class_of[state_of[c->kind]]] += off - ready;
	d->accounted += off;
	c->away += off;
	c->out = 0;
	c->in = 0;
}

/* Nothing was heard of this vCPU since counting began: go by the guess. */
static void first_event(struct kvmx_counts *c, u8 event, u64 now)
{
	enum kvmx_time_class class = KVMX_T_UNKNOWN;

	if (c->guess == KVMX_DOING_GUEST && event == KVMX_STATE_EXIT)
		class = KVMX_T_GUEST;
	else if (c->guess == KVMX_DOING_HALTED && event == KVMX_STATE_GUEST)
		class = KVMX_T_HALTED;
	bill(c->data, class, now);
}

/* Bill everything up to @now; @to is the state that begins. */
static noinline void advance_slow(struct kvmx_vcpu *v, struct kvmx_counts *c,
				  u8 to, u64 now)
{
	u64 t;

	if (c->out)
		settle(v, c, 0, now);
	if (c->base == KVMX_STATE_UNKNOWN) {
		first_event(c, to, now);
		return;
	}
	t = bill(c->data, class_of[c->base], now);
	if (c->base == KVMX_STATE_USER || c->base == KVMX_STATE_NO_THREAD)
		c->away += t;
}

static __always_inline void advance(struct kvmx_vcpu *v, struct kvmx_counts *c,
				    u8 from, u8 to, u64 now)
{
	if (likely(c->base == from && !c->out))
		bill(c->data, from == KVMX_STATE_GUEST ? KVMX_T_GUEST :
							 KVMX_T_EXIT, now);
	else
		advance_slow(v, c, to, now);
}

/* The exit is handled: the next entry, or an end that replaces it. */
static __always_inline void close_exit(struct kvmx_counts *c, u64 now)
{
	struct kvmx_slot *s = c->open;
	u64 gross = kvmx_ticks(c->exit_at, now);

	kvmx_seq_begin(&c->data->seq);
	s->gross += gross;
	s->net += kvmx_ticks(c->away, gross);
	if (gross > s->max)
		s->max = min(gross, KVMX_MAX_TICKS);
	s->hist[kvmx_bucket(gross)]++;
	kvmx_seq_end(&c->data->seq);
	c->open = NULL;
}

static void exit_begins(struct kvmx_vcpu *v, struct kvmx_counts *c, u64 code,
			u64 now)
{
	struct kvmx_data *d = c->data;
	u64 unlisted = 0;
	unsigned int slot;

	slot = kvmx_schema_slot(code, &unlisted);
	kvmx_seq_begin(&d->seq);
	advance(v, c, KVMX_STATE_GUEST, KVMX_STATE_EXIT, now);
	c->base = KVMX_STATE_EXIT;
	set_state(d, KVMX_STATE_EXIT, now);
	if (unlikely(unlisted))
		d->unlisted_code[slot - (kvmx_schema_nr_slots() -
					 KVMX_UNLISTED)] = unlisted;
	kvmx_seq_end(&d->seq);

	c->open = &d->slot[slot];
	c->exit_at = now;
	c->away = 0;
	/* One word: it needs no sequence, whenever it is read it makes sense. */
	WRITE_ONCE(c->open->count, c->open->count + 1);
}

/* An exit on its short way was noted, and is not handled yet: count it. */
static void catch_up(struct kvmx_vcpu *v, struct kvmx_counts *c)
{
	u64 code = c->hot.code;

	if (c->base != KVMX_STATE_GUEST || c->out ||
	    !kvmx_ticks(c->data->accounted, c->hot.exit_at))
		return;
	if (!boot_cpu_has(X86_FEATURE_SVM))
		code = kvmx_vmx_basic_reason(code);
	exit_begins(v, c, code, c->hot.exit_at);
}

static void account_entry(struct kvmx_vcpu *v, u64 now)
{
	struct kvmx_counts *c = v->counts;
	struct kvmx_data *d = c->data;

	catch_up(v, c);
	kvmx_seq_begin(&d->seq);
	advance(v, c, KVMX_STATE_EXIT, KVMX_STATE_GUEST, now);
	d->entries++;
	/*
	 * Entered while in the guest: an exit that KVM did not tell of (SVM's
	 * fastpath on 6.1). Its time counts as the guest's.
	 */
	if (unlikely(c->base == KVMX_STATE_GUEST))
		d->entries_without_exit++;
	c->base = KVMX_STATE_GUEST;
	set_state(d, KVMX_STATE_GUEST, now);
	kvmx_seq_end(&d->seq);
	if (likely(c->open))
		close_exit(c, now);
	if (!c->hot.armed || this_cpu_read(kvmx_hot) != &c->hot)
		kvmx_counts_arm(v, c);
}

static void account_exit(struct kvmx_vcpu *v, u64 code, u64 now)
{
	struct kvmx_counts *c = v->counts;
	struct kvmx_data *d = c->data;

	catch_up(v, c);
	/* Left the guest, but was not in it: not an exit that can be timed. */
	if (unlikely(c->base != KVMX_STATE_GUEST &&
		     c->base != KVMX_STATE_UNKNOWN)) {
		kvmx_seq_begin(&d->seq);
		d->exits_without_entry++;
		kvmx_seq_end(&d->seq);
		return;
	}
	exit_begins(v, c, code, now);
}

/*
 * Entered, and then outside the guest without an exit: the entry failed. Nobody
 * knows where that time went.
 */
static void entry_failed(struct kvmx_counts *c, u64 now)
{
	c->data->entries_without_exit++;
	bill(c->data, KVMX_T_UNKNOWN, now);
	c->base = KVMX_STATE_EXIT;
}

static void event_user(struct kvmx_vcpu *v, struct kvmx_counts *c, u64 now)
{
	advance_slow(v, c, KVMX_STATE_USER, now);
	if (c->base == KVMX_STATE_GUEST)
		entry_failed(c, now);
	c->data->user_exits++;
	c->base = KVMX_STATE_USER;
	set_state(c->data, KVMX_STATE_USER, now);
}

static void event_run(struct kvmx_vcpu *v, struct kvmx_counts *c, u64 now)
{
	advance_slow(v, c, KVMX_STATE_EXIT, now);
	c->base = KVMX_STATE_EXIT;
	set_state(c->data, KVMX_STATE_EXIT, now);
}

/* A halt of @ns is over: its first part was polling, if it slept at all. */
static void event_wakeup(struct kvmx_vcpu *v, struct kvmx_counts *c, u64 ns,
			 u64 now)
{
	struct kvmx_data *d = c->data;
	u64 began = now - kvmx_clock_from_ns(ns);

	if (c->base != KVMX_STATE_EXIT)
		return;
	/* Who cannot see the thread sleep cannot tell polling from halting. */
	if (kvmx_feature_state(KVMX_F_SWITCH) != KVMX_FEATURE_ON)
		return;
	if (c->out) {
		settle(v, c, kvmx_ticks(began, c->out), now);
	} else {
		bill(d, KVMX_T_EXIT, began);
		c->away += bill(d, KVMX_T_POLL, now);
	}
	set_state(d, KVMX_STATE_EXIT, now);
}

static void event_out(struct kvmx_vcpu *v, struct kvmx_counts *c, u64 kind,
		      u64 now)
{
	/* Woken for nothing, and back to sleep: it is the same halt. */
	bool same = c->out && c->kind == kind && kind == KVMX_OUT_HALTED;

	if (c->out)
		settle(v, c, 0, now);
	/* Only in front of a halt there may be polling to be told apart. */
	if (c->base != KVMX_STATE_EXIT || kind != KVMX_OUT_HALTED)
		advance_slow(v, c, c->base, now);
	c->out = now;
	c->in = 0;
	c->kind = kind;
	if (!same)
		set_state(c->data, state_of[kind], now);
}

static void event_in(struct kvmx_vcpu *v, struct kvmx_counts *c, u64 delay,
		     u64 now)
{
	if (!c->out || c->in)
		return;
	c->in = now;
	c->delay = delay;
	/* Nothing is left to be told. */
	if (would_go_on(c->kind)) {
		settle(v, c, 0, now);
		set_state(c->data, c->base, now);
	}
}

static void event_end(struct kvmx_vcpu *v, struct kvmx_counts *c, u64 now)
{
	advance_slow(v, c, KVMX_STATE_NO_THREAD, now);
	if (c->base == KVMX_STATE_UNKNOWN)
		return;
	c->base = KVMX_STATE_NO_THREAD;
	set_state(c->data, KVMX_STATE_NO_THREAD, now);
}

static void account_event(struct kvmx_vcpu *v, const struct kvmx_event *e)
{
	struct kvmx_counts *c = v->counts;
	u64 now = e->now;

	lockdep_assert_held(&v->lock);
	if (!c || c->base == KVMX_STATE_NEW || c->base == KVMX_STATE_GONE)
		return;
	WRITE_ONCE(c->hot.armed, NULL);
	catch_up(v, c);
	kvmx_seq_begin(&c->data->seq);
	switch (e->type) {
	case KVMX_EV_USER:
		event_user(v, c, now);
		break;
	case KVMX_EV_RUN:
		event_run(v, c, now);
		break;
	case KVMX_EV_WAKEUP:
		event_wakeup(v, c, e->arg, now);
		break;
	case KVMX_EV_OUT:
		event_out(v, c, e->arg, now);
		break;
	case KVMX_EV_IN:
		event_in(v, c, e->arg, now);
		break;
	case KVMX_EV_END:
		event_end(v, c, now);
		break;
	}
	kvmx_seq_end(&c->data->seq);
}

static u8 state_guessed(u8 doing)
{
	switch (doing) {
	case KVMX_DOING_GUEST:
		return KVMX_STATE_GUEST;
	case KVMX_DOING_HALTED:
		return KVMX_STATE_HALTED;
	default:
		return KVMX_STATE_UNKNOWN;
	}
}

/* Leaves nothing half done: an exit that is being handled is closed here. */
static void finish(struct kvmx_vcpu *v, u8 state, u64 now)
{
	struct kvmx_counts *c = v->counts;
	struct kvmx_data *d = c->data;

	if (c->base == KVMX_STATE_GONE)
		return;
	catch_up(v, c);
	kvmx_seq_begin(&d->seq);
	advance_slow(v, c, state, now);
	c->base = state;
	set_state(d, state, now);
	if (state == KVMX_STATE_GONE)
		d->gone = 1;
	kvmx_seq_end(&d->seq);
	if (c->open)
		close_exit(c, now);
}

/* Gone while nobody counted: there is no time to bill. */
static void finish_uncounted(struct kvmx_vcpu *v, u64 now)
{
	if (v->counts->base == KVMX_STATE_GONE)
		return;
	v->counts->data->accounted = now;
	finish(v, KVMX_STATE_GONE, now);
}

/**
 * kvmx_account_start() - count from now on
 * @v: a vCPU that has counters and is not counted
 * @born: it was just created, and cannot have run
 *
 * Context: kvmx_vm_lock held.
 */
void kvmx_account_start(struct kvmx_vcpu *v, bool born)
{
	struct kvmx_counts *c = v->counts;
	struct kvmx_data *d = c->data;
	u64 now = kvmx_clock();

	lockdep_assert_held(&kvmx_vm_lock);
	if (!v->key) {
		/* It went while memory was found for it. */
		finish_uncounted(v, now);
		return;
	}
	c->open = NULL;
	c->out = 0;
	c->in = 0;
	c->hot.exit_at = now;
	c->guess = born ? KVMX_DOING_UNKNOWN : v->doing;
	c->base = born ? KVMX_STATE_NEW : KVMX_STATE_UNKNOWN;
	kvmx_seq_begin(&d->seq);
	d->accounted = now;
	d->counting_since = now;
	set_state(d, born ? KVMX_STATE_NEW : state_guessed(c->guess), now);
	kvmx_seq_end(&d->seq);
	/* Probes on other CPUs see all of the above when they see this. */
	smp_store_release(&v->counting, c);
	WRITE_ONCE(v->starved, false);
	kvmx_vcpu_skip(v);
}

/**
 * kvmx_account_stop() - counting of a vCPU is off
 * @v: the vCPU; its @counting is NULL, and no probe has seen it otherwise for
 *	an RCU grace period
 *
 * Context: kvmx_vm_lock held.
 */
void kvmx_account_stop(struct kvmx_vcpu *v)
{
	u64 now = kvmx_clock();

	lockdep_assert_held(&kvmx_vm_lock);
	kvmx_threads_unbind(v, now);
	if (v->counts)
		finish(v, KVMX_STATE_UNKNOWN, now);
}

static void account_death(struct kvmx_vcpu *v)
{
	u64 now = kvmx_clock();
	bool counted;

	lockdep_assert_held(&kvmx_vm_lock);
	kvmx_threads_unbind(v, now);
	WRITE_ONCE(v->groups, 0);
	if (!v->counts)
		return;
	counted = v->counting;
	WRITE_ONCE(v->counting, NULL);
	kvmx_counts_disarm(v);
	/* Told twice: by the one who saw it, and when nobody can be late. */
	if (counted)
		finish(v, KVMX_STATE_GONE, now);
	else
		finish_uncounted(v, now);
}

/**
 * kvmx_account_init() - listen to what the probes see
 *
 * Context: may sleep, once, at load, before any probe is attached.
 */
void kvmx_account_init(void)
{
	static_call_update(kvmx_on_entry, account_entry);
	static_call_update(kvmx_on_exit, account_exit);
	static_call_update(kvmx_on_event, account_event);
	static_call_update(kvmx_on_death, account_death);
}
