// SPDX-License-Identifier: GPL-2.0-only
/* Hints of the fake device's VMs; with each look at VM 1 some more have come. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "device.h"
#include "fake.h"

#define MAX_VMS	3

static struct kvmx_hint policies[MAX_VMS];
static bool told[MAX_VMS];
static __u64 looks;

static struct kvmx_hint *policy_of(int vm)
{
	unsigned int i = (unsigned int)(vm - 1100) % MAX_VMS;
	struct kvmx_hint *p = &policies[i];

	if (!told[i] && fake_is("hinted") && i == 1) {
		p->flags = KVMX_HINT_COMMIT;
		p->budget_us = 1000;
		p->period_us = 20000;
		p->calls_per_s = 10000;
		p->kinds[KVMX_KIND_CRITICAL].effect = KVMX_EFFECT_NICE;
		p->kinds[KVMX_KIND_CRITICAL].arg = -5;
		p->kinds[KVMX_KIND_CRITICAL].grant_us = 100;
		p->kinds[KVMX_KIND_LATENCY].effect = KVMX_EFFECT_FIFO;
		p->kinds[KVMX_KIND_LATENCY].grant_us = 500;
	}
	told[i] = true;
	return p;
}

static void fill_in(struct kvmx_hint *p)
{
	if (!p->budget_us)
		p->budget_us = 500;
	if (!p->period_us)
		p->period_us = 10000;
	if (!p->calls_per_s)
		p->calls_per_s = 10000;
}

int device_hint(int vm, struct kvmx_hint *hint)
{
	struct kvmx_hint *p = policy_of(vm);
	unsigned int i;

	if (fake_is("nohints"))
		return -ENOTTY;
	if (fake_is("notroot"))
		return -EPERM;
	if (fake_is("taken") || (fake_is("taken1") && vm == 1101))
		return -EBUSY;
	if (fake_is("alone"))
		return -EXDEV;
	for (i = 0; i < KVMX_NR_KINDS; i++) {
		__u32 effect = hint->kinds[i].effect;

		if (effect == KVMX_EFFECT_SLICE && fake_is("noslice"))
			return -EOPNOTSUPP;
		if (effect == KVMX_EFFECT_YIELD && i != KVMX_KIND_YIELD_TO)
			return -EINVAL;
	}
	*p = *hint;
	fill_in(p);
	return 0;
}

int device_hinted(int vm, struct kvmx_hint *hint)
{
	if (fake_is("nohints"))
		return -ENOTTY;
	*hint = *policy_of(vm);
	hint->size = sizeof(*hint);
	return 0;
}

int device_hint_counts(int vm, __u32 vcpu, __u32 kind,
		       struct kvmx_hint_counts *c)
{
	memset(c, 0, sizeof(*c));
	if (vcpu != KVMX_STATS_WHOLE_VM &&
	    vcpu >= (fake_is("large") && vm != 1101 ? 4 : 2))
		return -ENOENT;
	if (vm != 1101 || !fake_is("hinted") || kind != KVMX_KIND_LATENCY)
		return 0;
	looks++;
	c->given = 100 * looks;
	c->granted = 80 * looks;
	c->refused_budget = 15 * looks;
	c->refused_bad = 5 * looks;
	c->expired = 10 * looks;
	c->released = 70 * looks;
	c->late = 3 * looks;
	c->stale = 2 * looks;
	c->time_ns = 40000000 * looks;
	c->useful_ns = 10000000 * looks;
	c->calls = 4 * looks;
	c->area_lost = vcpu == 1 ? 7 : 0;
	c->taken_off = 9 * looks;
	c->cost = KVMX_COST_WAITS;
	return 0;
}
