// SPDX-License-Identifier: GPL-2.0-only
#include <linux/bits.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/nospec.h>
#include <linux/slab.h>

#include "core/vm.h"
#include "hint/hinter.h"

/**
 * kvmx_hinter_alloc() - what is needed for the hints of a vCPU, not allowed yet
 * @v: the vCPU
 *
 * Context: may sleep.
 * Return: it, or NULL when out of memory.
 */
struct kvmx_hinter *kvmx_hinter_alloc(struct kvmx_vcpu *v)
{
	struct kvmx_hinter *h = kzalloc(sizeof(*h), GFP_KERNEL);

	if (!h)
		return NULL;
	h->v = v;
	raw_spin_lock_init(&h->lock);
	kvmx_memory_add(sizeof(*h));
	return h;
}

/**
 * kvmx_hinter_free() - the record of a vCPU goes
 * @v: the vCPU
 *
 * Context: may sleep; nobody can find the record any more.
 */
void kvmx_hinter_free(struct kvmx_vcpu *v)
{
	if (!v->hinter)
		return;
	/* It may have been rung for at the very last moment. */
	irq_work_sync(&v->hinter->grant.bell);
	kvmx_memory_add(-(long)sizeof(*v->hinter));
	kfree(v->hinter);
}

/**
 * kvmx_hinter_set() - another policy
 * @h: a vCPU
 * @policy: the policy
 * @on: some kind is allowed
 *
 * Context: any.
 */
void kvmx_hinter_set(struct kvmx_hinter *h, const struct kvmx_hint *policy,
		     bool on)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&h->lock, flags);
	h->policy = *policy;
	WRITE_ONCE(h->on, on);
	h->halts = (struct kvmx_halts){ };
	/* Nobody tells any more when it is put on a CPU. */
	if (!on)
		WRITE_ONCE(h->area.out, NULL);
	/* The next entry tells the guest. */
	if (on && h->area.on) {
		h->area.changed = true;
		kvmx_vcpu_owe(h->v);
	}
	raw_spin_unlock_irqrestore(&h->lock, flags);
}

/**
 * kvmx_hinter_cost() - what does it cost the guest if this vCPU is taken off?
 * @h: whose
 *
 * By what it said last. A hint that came by a call stands while it is granted.
 *
 * Context: @h->lock held.
 * Return: KVMX_COST_*.
 */
u32 kvmx_hinter_cost(const struct kvmx_hinter *h)
{
	const struct kvmx_grant *g = &h->grant;
	u32 word = h->area.word;

	lockdep_assert_held(&h->lock);
	if (!word && g->want && g->way == KVMX_WAY_CALL)
		word = KVMX_HINT_WORD(g->kind, 1, KVMX_LATENCY_RUNS);
	switch (KVMX_HINT_KIND(word)) {
	case KVMX_KIND_CRITICAL:
		return KVMX_COST_CRITICAL;
	case KVMX_KIND_LATENCY:
		return KVMX_HINT_URGENCY(word) < KVMX_LATENCY_RUNS ?
		       KVMX_COST_WAITS : KVMX_COST_RUNS;
	case KVMX_KIND_BATCH:
		return KVMX_COST_BATCH;
	default:
		return KVMX_COST_USUAL;
	}
}

/**
 * kvmx_hinter_add_counts() - what came of the hints of a kind
 * @h: a vCPU
 * @to: whose kind is set; figures are added to what is there
 *
 * Context: any.
 */
void kvmx_hinter_add_counts(struct kvmx_hinter *h, struct kvmx_hint_counts *to)
{
	const struct kvmx_hint_counts *c;
	unsigned long flags;

	c = &h->counts[array_index_nospec(to->kind, KVMX_NR_KINDS)];
	raw_spin_lock_irqsave(&h->lock, flags);
	to->given += c->given;
	to->granted += c->granted;
	to->refused_kind += c->refused_kind;
	to->refused_budget += c->refused_budget;
	to->refused_host += c->refused_host;
	to->refused_bad += c->refused_bad;
	to->expired += c->expired;
	to->released += c->released;
	to->late += c->late;
	to->stale += c->stale;
	to->time_ns += c->time_ns;
	to->useful_ns += c->useful_ns;
	to->calls += c->calls;
	to->area_lost += c->area_lost;
	to->calls_refused += c->calls_refused;
	to->taken_off += c->taken_off;
	to->cost = max_t(u64, to->cost, kvmx_hinter_cost(h));
	raw_spin_unlock_irqrestore(&h->lock, flags);
}

/**
 * kvmx_hinter_kinds() - the kinds that are allowed, for the guest
 * @h: whose
 *
 * Context: @h->lock held.
 * Return: 1 << KVMX_KIND_*.
 */
u32 kvmx_hinter_kinds(const struct kvmx_hinter *h)
{
	u32 kinds = 0;
	int i;

	lockdep_assert_held(&h->lock);
	for (i = 0; i < KVMX_NR_KINDS; i++)
		if (h->policy.kinds[i].effect != KVMX_EFFECT_OFF)
			kinds |= BIT(i);
	return kinds;
}

/**
 * kvmx_hinter_state() - what is granted now, for the guest
 * @h: whose
 *
 * Context: @h->lock held.
 * Return: KVMX_GRANT_* bits.
 */
u32 kvmx_hinter_state(const struct kvmx_hinter *h)
{
	const struct kvmx_grant *g = &h->grant;

	lockdep_assert_held(&h->lock);
	return (g->want ? KVMX_GRANT_ON : 0) |
	       (g->throttled ? KVMX_GRANT_THROTTLED : 0) |
	       (g->late ? KVMX_GRANT_LATE : 0);
}

/* All hints that were granted. Context: @h->lock held. */
u64 kvmx_hinter_granted(const struct kvmx_hinter *h)
{
	u64 granted = 0;
	int i;

	lockdep_assert_held(&h->lock);
	for (i = 0; i < KVMX_NR_KINDS; i++)
		granted += h->counts[i].granted;
	return granted;
}

/* A debt older than this is forgiven. */
#define MAX_PERIODS	100

/* The budget is that of the present period, less what was overdrawn before. */
static void refill(struct kvmx_hinter *h, u64 now)
{
	struct kvmx_grant *g = &h->grant;
	u64 period = (u64)h->policy.period_us * NSEC_PER_USEC;
	s64 budget = (s64)h->policy.budget_us * NSEC_PER_USEC;
	u64 periods;

	/* Without a policy nothing is given. */
	/* Two CPUs' clocks may differ by a little. */
	if (!period || (s64)(now - g->period_at) < (s64)period)
		return;
	periods = min_t(u64, div64_u64(now - g->period_at, period),
			MAX_PERIODS);
	g->period_at = now;
	if (periods == MAX_PERIODS || g->left_ns > 0)
		g->left_ns = 0;
	g->left_ns = min_t(s64, budget, g->left_ns + (s64)periods * budget);
}

/**
 * kvmx_hinter_bill() - the time since it was billed last is used up
 * @h: a vCPU; while its thread sleeps it pays nothing
 * @now: ktime_get_mono_fast_ns()
 *
 * Context: @h->lock held.
 */
void kvmx_hinter_bill(struct kvmx_hinter *h, u64 now)
{
	struct kvmx_grant *g = &h->grant;
	struct kvmx_hint_counts *c = &h->counts[g->kind];
	u64 spent = now - g->billed_at;

	lockdep_assert_held(&h->lock);
	g->billed_at = now;
	if (g->on && !g->asleep) {
		g->left_ns -= spent;
		g->rest_ns -= spent;
		g->spent_ns += spent;
		c->time_ns += spent;
		if (g->useful)
			c->useful_ns += spent;
	}
	refill(h, now);
}

/**
 * kvmx_hinter_budget_us() - what is left of the budget, for the guest
 * @h: whose
 *
 * Context: @h->lock held.
 * Return: microseconds.
 */
u32 kvmx_hinter_budget_us(struct kvmx_hinter *h)
{
	kvmx_hinter_bill(h, ktime_get_mono_fast_ns());
	return max_t(s64, h->grant.left_ns, 0) / NSEC_PER_USEC;
}

static bool word_ok(u32 word)
{
	u32 kind = KVMX_HINT_KIND(word);

	if (word & KVMX_HINT_RESERVED)
		return false;
	if (kind == KVMX_KIND_NONE)
		return !word;
	return kind < KVMX_NR_KINDS && kind != KVMX_KIND_YIELD_TO &&
	       KVMX_HINT_NESTING(word);
}

/**
 * kvmx_hinter_judge() - is a hint well-formed and allowed?
 * @h: whose
 * @word: the hint
 *
 * Context: @h->lock held.
 * Return: KVMX_VERDICT_NOTED if so, else why not.
 */
enum kvmx_verdict kvmx_hinter_judge(struct kvmx_hinter *h, u32 word)
{
	u32 kind = KVMX_HINT_KIND(word);

	lockdep_assert_held(&h->lock);
	if (!word_ok(word))
		return KVMX_VERDICT_BAD;
	kind = array_index_nospec(kind, KVMX_NR_KINDS);
	if (kind && h->policy.kinds[kind].effect == KVMX_EFFECT_OFF)
		return KVMX_VERDICT_KIND;
	return KVMX_VERDICT_NOTED;
}

/**
 * kvmx_hinter_count() - count a hint
 * @h: whose
 * @word: the hint; one of a kind that there is not counts as none
 * @verdict: what became of it
 *
 * Context: @h->lock held.
 */
void kvmx_hinter_count(struct kvmx_hinter *h, u32 word,
		       enum kvmx_verdict verdict)
{
	struct kvmx_hint_counts *c;

	lockdep_assert_held(&h->lock);
	c = &h->counts[kvmx_hinter_kind(KVMX_HINT_KIND(word))];
	c->given++;
	switch (verdict) {
	case KVMX_VERDICT_NOTED:
		break;
	case KVMX_VERDICT_GRANTED:
		c->granted++;
		break;
	case KVMX_VERDICT_KIND:
		c->refused_kind++;
		break;
	case KVMX_VERDICT_BUDGET:
		c->refused_budget++;
		break;
	case KVMX_VERDICT_HOST:
		c->refused_host++;
		break;
	case KVMX_VERDICT_BAD:
		c->refused_bad++;
		break;
	}
}
