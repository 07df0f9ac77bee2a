// SPDX-License-Identifier: GPL-2.0-only
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/time64.h>
#include <linux/kvmx_hint.h>

#include "core/boost.h"
#include "core/feature.h"
#include "hint/wish.h"

#define DEFAULT_BUDGET_US	500
#define DEFAULT_PERIOD_US	(10 * USEC_PER_MSEC)
#define DEFAULT_CALLS_PER_S	10000

/* Beyond these a figure is a slip of the pen, or would starve others. */
#define MIN_PERIOD_US		(1 * USEC_PER_MSEC)
#define MAX_PERIOD_US		(10 * USEC_PER_SEC)
#define MAX_CALLS_PER_S		1000000
#define MAX_POLL_US		(10 * USEC_PER_MSEC)
#define MIN_SLICE_US		100
#define MAX_SLICE_US		(100 * USEC_PER_MSEC)

/* Per kind: the effects that make sense, and how long a grant is by itself. */
static const struct {
	u32 effects;
	u32 grant_us;
} rules[KVMX_NR_KINDS] = {
	[KVMX_KIND_NONE] = { BIT(KVMX_EFFECT_OFF) },
	[KVMX_KIND_CRITICAL] = {
		BIT(KVMX_EFFECT_OFF) | BIT(KVMX_EFFECT_NONE) |
		BIT(KVMX_EFFECT_NICE) | BIT(KVMX_EFFECT_FIFO) |
		BIT(KVMX_EFFECT_SLICE), 100 },
	[KVMX_KIND_LATENCY] = {
		BIT(KVMX_EFFECT_OFF) | BIT(KVMX_EFFECT_NONE) |
		BIT(KVMX_EFFECT_NICE) | BIT(KVMX_EFFECT_FIFO) |
		BIT(KVMX_EFFECT_SLICE) | BIT(KVMX_EFFECT_POLL) |
		BIT(KVMX_EFFECT_FIT), 500 },
	/* No boost: it is last in line. */
	[KVMX_KIND_BATCH] = {
		BIT(KVMX_EFFECT_OFF) | BIT(KVMX_EFFECT_NONE) |
		BIT(KVMX_EFFECT_NICE) | BIT(KVMX_EFFECT_SLICE), 3000 },
	[KVMX_KIND_YIELD_TO] = {
		BIT(KVMX_EFFECT_OFF) | BIT(KVMX_EFFECT_NONE) |
		BIT(KVMX_EFFECT_YIELD) },
};

/* Can it work on this kernel? */
static bool possible(u32 effect)
{
	if (effect == KVMX_EFFECT_POLL || effect == KVMX_EFFECT_FIT)
		return kvmx_feature_state(KVMX_F_HALT) != KVMX_FEATURE_OFF;
	return effect == KVMX_EFFECT_NONE || kvmx_boost_can(effect);
}

static int arg_check(const struct kvmx_hint_kind *k)
{
	s32 min = 0, max = 0;

	switch (k->effect) {
	case KVMX_EFFECT_NICE:
		min = -20;
		max = 19;
		break;
	case KVMX_EFFECT_SLICE:
		min = MIN_SLICE_US;
		max = MAX_SLICE_US;
		break;
	case KVMX_EFFECT_POLL:
	case KVMX_EFFECT_FIT:
		max = MAX_POLL_US;
		break;
	}
	return k->arg < min || k->arg > max ? -EINVAL : 0;
}

static int kind_check(struct kvmx_hint_kind *k, unsigned int kind)
{
	if (k->reserved || k->effect >= KVMX_NR_EFFECTS ||
	    !(rules[kind].effects & BIT(k->effect)) || arg_check(k))
		return -EINVAL;
	if (k->effect == KVMX_EFFECT_OFF || !rules[kind].grant_us)
		return k->grant_us ? -EINVAL : 0;
	if (!possible(k->effect))
		return -EOPNOTSUPP;
	if (!k->grant_us)
		k->grant_us = rules[kind].grant_us;
	return 0;
}

/**
 * kvmx_wish_check() - is this a policy for hints?
 * @wish: what is wished for; defaults are filled in
 * @on: set if some kind is allowed
 *
 * Context: any.
 * Return: 0; -EINVAL; -EOPNOTSUPP where an effect cannot work on this kernel.
 */
int kvmx_wish_check(struct kvmx_hint *wish, bool *on)
{
	unsigned int i;
	int err;

	if ((wish->flags & ~KVMX_HINT_COMMIT) || wish->reserved)
		return -EINVAL;
	if (!wish->budget_us)
		wish->budget_us = DEFAULT_BUDGET_US;
	if (!wish->period_us)
		wish->period_us = DEFAULT_PERIOD_US;
	if (!wish->calls_per_s)
		wish->calls_per_s = DEFAULT_CALLS_PER_S;
	if (wish->period_us < MIN_PERIOD_US || wish->period_us > MAX_PERIOD_US ||
	    wish->calls_per_s > MAX_CALLS_PER_S)
		return -EINVAL;
	/* A part of each period is for others, whatever hints say. */
	if (wish->budget_us > wish->period_us - wish->period_us / 20)
		return -EINVAL;
	*on = false;
	for (i = 0; i < KVMX_NR_KINDS; i++) {
		err = kind_check(&wish->kinds[i], i);
		if (err)
			return err;
		*on |= wish->kinds[i].effect != KVMX_EFFECT_OFF;
		/* No grant is longer than what there is to give. */
		if (wish->kinds[i].grant_us > wish->budget_us)
			wish->kinds[i].grant_us = wish->budget_us;
	}
	return 0;
}
