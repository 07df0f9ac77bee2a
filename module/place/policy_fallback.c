// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a thread gets while CPUs of its set are offline, outside the cpuset, or
 * somebody else's alone: always something, as near as can be, and the plan's set
 * again when its CPUs are back.
 *
 * 1. what is left of the set;
 * 2. else, of the CPUs where it looks first, those that share a core with the set,
 *    else a last-level cache, else a node, else all of them;
 * 3. else the same of all CPUs;
 * 4. else, as there is nothing better, CPUs that are another VM's alone.
 */
#include <linux/string.h>

#include "place/policy_work.h"

/* Which CPUs may be taken. */
struct choice {
	const struct kvmx_policy_cpu *cpus;
	u32 nr_cpus;
	const u64 *home;
	bool owned;
};

static bool may(const struct choice *ch, u32 cpu)
{
	const struct kvmx_policy_cpu *c = &ch->cpus[cpu];
	const u32 both = KVMX_POLICY_ONLINE | KVMX_POLICY_ALLOWED;

	if (ch->home && !kvmx_policy_has(ch->home, cpu))
		return false;
	return (c->flags & both) == both && (ch->owned || !c->owner);
}

/* What two CPUs of that kind of domain have in common. */
static u32 domain(const struct kvmx_policy_cpu *c, enum kvmx_fallback how)
{
	switch (how) {
	case KVMX_FALLBACK_CORE:
		return c->core;
	case KVMX_FALLBACK_LLC:
		return c->llc;
	case KVMX_FALLBACK_NODE:
		return c->node;
	default:
		return 0;
	}
}

static bool in_domain(const struct choice *ch, const u64 *plan, u32 cpu,
		      enum kvmx_fallback how)
{
	const u32 id = domain(&ch->cpus[cpu], how);
	u32 i;

	for (i = 0; i < ch->nr_cpus; i++) {
		/* Most sets have one CPU, most words none. */
		if (!plan[i / 64])
			i |= 63;
		else if (kvmx_policy_has(plan, i) &&
			 domain(&ch->cpus[i], how) == id)
			return true;
	}
	return false;
}

/* The CPUs that may be taken and share that much with the set. */
static bool collect(const struct choice *ch, const u64 *plan,
		    enum kvmx_fallback how, u64 *now)
{
	bool any = false;
	u32 i;

	for (i = 0; i < ch->nr_cpus; i++) {
		if (!may(ch, i) || !in_domain(ch, plan, i, how))
			continue;
		kvmx_policy_add(now, i);
		any = true;
	}
	return any;
}

/* What is left of the plan's set itself. */
static enum kvmx_fallback rest_of(const struct choice *ch, const u64 *plan,
				  u64 *now)
{
	bool any = false, all = true;
	u32 i;

	for (i = 0; i < ch->nr_cpus; i++) {
		if (!kvmx_policy_has(plan, i))
			continue;
		if (may(ch, i)) {
			kvmx_policy_add(now, i);
			any = true;
		} else {
			all = false;
		}
	}
	if (!any)
		return KVMX_FALLBACK_FAILED;
	return all ? KVMX_FALLBACK_NONE : KVMX_FALLBACK_PART;
}

/**
 * kvmx_policy_fallback() - what a thread gets for now
 * @cpus: CPUs as they are now, by number
 * @nr_cpus: how many
 * @plan: the set that the thread has in the plan
 * @home: where to look first: for vCPUs those that were named for them, and the
 *	claim; for others all but the claim; NULL: everywhere
 * @now: the set that it gets; empty if there is none
 *
 * Context: any; nothing is shared.
 * Return: how far it had to go.
 */
enum kvmx_fallback kvmx_policy_fallback(const struct kvmx_policy_cpu *cpus,
					u32 nr_cpus, const u64 *plan,
					const u64 *home, u64 *now)
{
	struct choice ch = { .cpus = cpus, .nr_cpus = nr_cpus };
	enum kvmx_fallback how;

	memset(now, 0, sizeof(u64) * kvmx_policy_words(nr_cpus));
	how = rest_of(&ch, plan, now);
	if (how != KVMX_FALLBACK_FAILED)
		return how;
	ch.home = home;
	for (how = KVMX_FALLBACK_CORE; home && how < KVMX_FALLBACK_ANY; how++)
		if (collect(&ch, plan, how, now))
			return how;
	ch.home = NULL;
	for (how = KVMX_FALLBACK_CORE; how < KVMX_FALLBACK_HOME; how++)
		if (collect(&ch, plan, how, now))
			return how;
	if (collect(&ch, plan, KVMX_FALLBACK_ANY, now))
		return KVMX_FALLBACK_ANY;
	ch.owned = true;
	if (collect(&ch, plan, KVMX_FALLBACK_ANY, now))
		return KVMX_FALLBACK_ANY;
	return KVMX_FALLBACK_FAILED;
}
