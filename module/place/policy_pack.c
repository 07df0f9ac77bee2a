// SPDX-License-Identifier: GPL-2.0-only
/*
 * pack: fewest nodes, within them fewest last-level caches, within these fewest
 * cores.
 *
 * Only CPUs count that have the fewest vCPUs of all placed VMs: as a rule those
 * with none. What takes all vCPUs by itself is taken, the fullest such first;
 * else that with the most room, and so on with the rest. Nodes, caches and cores
 * where the VM is already come before others, those with most of it first, so
 * that a VM that grows stays together and is not torn up.
 *
 * Pack offers as few cores as hold the vCPUs, so a sibling is used before another
 * core is opened, and one CPU of a core is left only on the last one.
 *
 * Threads for which no set is named get the rest of the nodes that the vCPUs use,
 * or of all if that is nothing.
 */
#include "place/policy_heap.h"
#include "place/policy_work.h"

static bool roomier(const void *ctx, u32 a, u32 b)
{
	const struct kvmx_policy_dom *d = ctx;

	if (d[a].left != d[b].left)
		return d[a].left > d[b].left;
	if (d[a].cap != d[b].cap)
		return d[a].cap > d[b].cap;
	return a < b;
}

/* Of those that have not been used: the fullest that still takes @nr. */
static u32 best_fit(const struct kvmx_policy_heap *h,
		    const struct kvmx_policy_dom *doms, u32 best, u32 nr)
{
	u32 i, at;

	for (i = 0; i < h->nr; i++) {
		at = h->item[i];
		if (doms[at].cap >= nr &&
		    (doms[at].cap < doms[best].cap ||
		     (doms[at].cap == doms[best].cap && at < best)))
			best = at;
	}
	return best;
}

/* Deals @nr units out to as few as can be of the domains from @first to @end. */
static void deal(struct kvmx_policy_work *w, struct kvmx_policy_dom *doms,
		 u32 first, u32 end, u32 nr)
{
	struct kvmx_policy_heap h = {
		.item = w->heap, .before = roomier, .ctx = doms,
	};
	u32 i, at;

	for (i = first; i < end; i++)
		if (doms[i].cap)
			h.item[h.nr++] = i;
	kvmx_policy_heap_make(&h);
	while (nr) {
		at = kvmx_policy_heap_pop(&h);
		if (!doms[at].left && doms[at].cap >= nr)
			at = best_fit(&h, doms, at, nr);
		doms[at].give = doms[at].cap < nr ? doms[at].cap : nr;
		nr -= doms[at].give;
	}
}

/**
 * kvmx_policy_pack() - use open slots, as close together as can be
 * @w: the plan
 * @nr: how many; not more than are open
 */
void kvmx_policy_pack(struct kvmx_policy_work *w, u32 nr)
{
	const struct kvmx_policy_dom *d;
	u32 i;

	deal(w, w->nodes, 0, w->nr_nodes, nr);
	for (i = 0; i < w->nr_nodes; i++) {
		d = &w->nodes[i];
		deal(w, w->llcs, d->first, d->end, d->give);
	}
	for (i = 0; i < w->nr_llcs; i++) {
		d = &w->llcs[i];
		deal(w, w->cores, d->first, d->end, d->give);
	}
	for (i = 0; i < w->nr_cores; i++)
		for (; w->cores[i].give; w->cores[i].give--)
			kvmx_policy_use_slot(w, i);
}
