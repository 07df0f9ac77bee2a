// SPDX-License-Identifier: GPL-2.0-only
#include <linux/bits.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/sched.h>
#include <linux/time64.h>

#include "core/feature.h"
#include "core/hook.h"
#include "core/peek.h"
#include "core/poke.h"
#include "core/vm.h"
#include "hint/area.h"
#include "hint/call.h"
#include "hint/fit.h"
#include "hint/grant.h"
#include "hint/hinter.h"
#include "hint/watch.h"
#include "kvmx_trace.h"

/* A grant by the area ends with what the guest says there. */
static bool taken_back(struct kvmx_hinter *h, u32 word)
{
	return !word && h->grant.way != KVMX_WAY_CALL &&
	       kvmx_grant_release(h);
}

static bool see(struct kvmx_hinter *h, struct kvm_vcpu *key,
		struct kvmx_said *said)
{
	lockdep_assert_held(&h->lock);
	if (!kvmx_area_peek(h, key, said))
		return false;
	kvmx_area_note(h, said);
	return true;
}

static void tell_of(struct kvmx_hinter *h, const struct kvmx_said *said,
		    enum kvmx_verdict verdict)
{
	kvmx_hinter_count(h, said->word, verdict);
	trace_hint(h->v->vm->id, h->v->index, said->way, said->word,
		   said->length_us, verdict);
}

/*
 * Looks what the guest says, and does what follows: of a hint that is new, if its
 * kind is one of @kinds. Return: true if something is to be followed.
 */
static bool look(struct kvmx_hinter *h, struct kvm_vcpu *key, u32 kinds)
{
	enum kvmx_verdict verdict;
	struct kvmx_said said;

	if (!see(h, key, &said))
		return false;
	if (!said.fresh)
		return taken_back(h, said.word);
	verdict = kvmx_hinter_judge(h, said.word);
	if (verdict == KVMX_VERDICT_NOTED &&
	    kinds & BIT(KVMX_HINT_KIND(said.word)))
		verdict = kvmx_grant_ask(h, said.word, said.way, current);
	tell_of(h, &said, verdict);
	return verdict == KVMX_VERDICT_GRANTED;
}

static bool fits_polls(const struct kvmx_hinter *h)
{
	return h->on && h->policy.kinds[KVMX_KIND_LATENCY].effect ==
			KVMX_EFFECT_FIT;
}

/* How long did the last halt take? By KVM's own account. */
static void learn(struct kvmx_hinter *h, struct kvm_vcpu *key)
{
	struct kvmx_halts *halts = &h->halts;
	const struct kvmx_polls old = halts->seen;
	struct kvmx_polls *now = &halts->seen;
	u64 ns;

	if (!fits_polls(h) || !kvmx_peek_polls(key, now))
		return;
	ns = now->success_ns - old.success_ns + now->fail_ns - old.fail_ns +
	     now->wait_ns - old.wait_ns;
	if (halts->known && (s64)ns > 0)
		kvmx_fit_note(&halts->fit, ns);
	halts->known = true;
}

/*
 * It may poll where its thread would sleep. Return: whether that is the effect; @ns
 * is 0 where it does not pay.
 */
static bool poll(struct kvmx_hinter *h, struct kvm_vcpu *key, u64 *ns)
{
	const struct kvmx_hint_kind *k = &h->policy.kinds[KVMX_KIND_LATENCY];

	*ns = (u64)k->arg * NSEC_PER_USEC;
	if (fits_polls(h))
		*ns = kvmx_fit_choose(&h->halts.fit, *ns);
	else if (!h->on || k->effect != KVMX_EFFECT_POLL)
		return false;
	kvmx_poke_poll(key, *ns);
	return true;
}

/*
 * The same where the guest halts. What waits for an interrupt waits for each: a
 * hint that stands there still is worth another grant, new or not, and so is one
 * while an earlier grant has not quite ended.
 */
static bool look_at_halt(struct kvmx_hinter *h, struct kvm_vcpu *key)
{
	enum kvmx_verdict verdict;
	struct kvmx_said said;
	u64 ns;

	if (!see(h, key, &said))
		return false;
	verdict = kvmx_hinter_judge(h, said.word);
	if (verdict != KVMX_VERDICT_NOTED ||
	    KVMX_HINT_KIND(said.word) != KVMX_KIND_LATENCY) {
		if (said.fresh)
			tell_of(h, &said, verdict);
		return taken_back(h, said.word);
	}
	if (poll(h, key, &ns))
		verdict = ns ? KVMX_VERDICT_GRANTED : KVMX_VERDICT_NOTED;
	else if (h->grant.on || h->grant.want)
		verdict = kvmx_grant_renew(h, said.word);
	else
		verdict = kvmx_grant_ask(h, said.word, said.way, current);
	if (said.fresh)
		tell_of(h, &said, verdict);
	else if (verdict == KVMX_VERDICT_GRANTED)
		h->counts[KVMX_KIND_LATENCY].granted++;
	return verdict == KVMX_VERDICT_GRANTED;
}

/* Without these nobody would see it wake up. */
static bool sees_wakeups(void)
{
	return kvmx_feature_state(KVMX_F_SWITCH) == KVMX_FEATURE_ON &&
	       kvmx_feature_state(KVMX_F_FPU) == KVMX_FEATURE_ON;
}

/*
 * An interrupt for a guest in which something waits for one, and which may not run.
 * Return: true if something is to be followed.
 */
static bool earned(struct kvmx_hinter *h, struct task_struct *task)
{
	struct kvmx_hint_counts *c = &h->counts[KVMX_KIND_LATENCY];
	enum kvmx_verdict verdict;

	lockdep_assert_held(&h->lock);
	if (KVMX_HINT_KIND(h->area.word) != KVMX_KIND_LATENCY)
		return false;
	verdict = kvmx_grant_ask(h, h->area.word, KVMX_WAY_AREA, task);
	c->granted += verdict == KVMX_VERDICT_GRANTED;
	c->refused_budget += verdict == KVMX_VERDICT_BUDGET;
	c->refused_host += verdict == KVMX_VERDICT_HOST;
	if (verdict != KVMX_VERDICT_GRANTED)
		return false;
	h->grant.trial = true;
	return true;
}

/* An interrupt came a moment ago, and no other will come in its place. */
static bool just_kicked(struct kvmx_hinter *h)
{
	u64 at = h->area.kicked_at;

	h->area.kicked_at = 0;
	return at && (s64)(ktime_get_mono_fast_ns() - at) <
		     kvmx_grant_trial_ns(h);
}

/* So that somebody can tell which vCPU had better been left alone. */
static void tell_cost(struct kvmx_hinter *h)
{
	u32 kind = kvmx_hinter_kind(KVMX_HINT_KIND(h->area.word));

	h->counts[kind].taken_off++;
	trace_taken_off(h->v->vm->id, h->v->index, kind, kvmx_hinter_cost(h));
}

/*
 * Too late to keep it on its CPU. What it does is worth that it comes back soon, or
 * it is not, until an interrupt comes for it: watch_kick().
 */
static bool taken_off(struct kvmx_hinter *h, u64 how)
{
	struct kvm_vcpu *key = READ_ONCE(h->v->key);
	bool follow;

	if (how != KVMX_OUT_PREEMPTED && how != KVMX_OUT_THROTTLED)
		return false;
	WRITE_ONCE(h->area.out, current);
	h->area.preempted++;
	kvmx_area_touch(h);
	follow = key && look(h, key, BIT(KVMX_KIND_CRITICAL) |
				     BIT(KVMX_KIND_BATCH));
	tell_cost(h);
	return follow || (just_kicked(h) && earned(h, current));
}

static bool put_on(struct kvmx_hinter *h, u64 run_delay)
{
	WRITE_ONCE(h->area.out, NULL);
	h->area.run_delay = run_delay;
	kvmx_area_touch(h);
	return kvmx_grant_wake(h);
}

/* Under a run queue's lock for KVMX_EV_OUT and KVMX_EV_IN. */
static void watch_event(struct kvmx_vcpu *v, const struct kvmx_event *e)
{
	struct kvmx_hinter *h = v->hinter;
	unsigned long flags;
	bool follow;

	raw_spin_lock_irqsave(&h->lock, flags);
	if (e->type == KVMX_EV_OUT)
		follow = h->on && taken_off(h, e->arg);
	else if (e->type == KVMX_EV_IN)
		follow = put_on(h, e->arg);
	else
		follow = kvmx_grant_wake(h);
	/* Within the lock: who switches hints off waits for what rings then. */
	if (follow && h->on)
		kvmx_grant_send(h);
	raw_spin_unlock_irqrestore(&h->lock, flags);
}

/*
 * One halt may hit both kprobes, for the one function calls the other, unless the
 * compiler has put it there.
 */
static bool is_same_halt(struct kvmx_hinter *h, struct kvm_vcpu *key)
{
	u64 exits;

	if (!kvmx_peek_exits(key, &exits))
		return false;
	if (h->halts.exit == exits + 1)
		return true;
	h->halts.exit = exits + 1;
	return false;
}

static void watch_halt(struct kvmx_vcpu *v, struct kvm_vcpu *key)
{
	struct kvmx_hinter *h = READ_ONCE(v->hinter);
	unsigned long flags;
	bool follow;

	if (!h || !READ_ONCE(h->on))
		return;
	raw_spin_lock_irqsave(&h->lock, flags);
	if (is_same_halt(h, key)) {
		raw_spin_unlock_irqrestore(&h->lock, flags);
		return;
	}
	learn(h, key);
	follow = sees_wakeups() ? look_at_halt(h, key) : look(h, key, 0);
	if (kvmx_grant_sleep(h))
		kvmx_vcpu_owe(v);
	raw_spin_unlock_irqrestore(&h->lock, flags);
	/* A grant that was renewed is in force. */
	if (follow && kvmx_grant_open(h))
		kvmx_grant_leave(h);
}

/* An interrupt for a vCPU; its thread is running, sleeps, or is kept off its CPU. */
static void watch_kick(struct kvmx_vcpu *v)
{
	struct kvmx_hinter *h = READ_ONCE(v->hinter);
	unsigned long flags;

	if (!h || !READ_ONCE(h->on) || !READ_ONCE(h->area.on))
		return;
	/* Within the lock: it is taken off after this, or before. */
	raw_spin_lock_irqsave(&h->lock, flags);
	if (!h->area.out)
		h->area.kicked_at = ktime_get_mono_fast_ns();
	else if (h->on && earned(h, h->area.out))
		kvmx_grant_send(h);
	raw_spin_unlock_irqrestore(&h->lock, flags);
}

/* Something is owed to the guest, which is about to be entered. */
static void watch_owed(struct kvmx_vcpu *v, struct kvm_vcpu *key)
{
	struct kvmx_hinter *h = READ_ONCE(v->hinter);

	WRITE_ONCE(v->owed, false);
	if (!h)
		return;
	kvmx_call_owed(h, key);
	raw_spin_lock(&h->lock);
	if (kvmx_grant_wake(h) && h->on)
		kvmx_grant_send(h);
	if (h->area.changed)
		kvmx_area_tell(h, key);
	raw_spin_unlock(&h->lock);
}

void __init kvmx_watch_init(void)
{
	static_call_update(kvmx_on_owed, watch_owed);
	static_call_update(kvmx_on_halt, watch_halt);
	static_call_update(kvmx_on_kick, watch_kick);
	static_call_update(kvmx_on_event_hint, watch_event);
}
