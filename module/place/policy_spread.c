// SPDX-License-Identifier: GPL-2.0-only
/*
 * spread: one vCPU per core, caches even.
 *
 * Each vCPU goes to a core with the fewest vCPUs of all placed VMs; among these,
 * to the last-level cache with the fewest. So siblings are used when cores run
 * out, and CPUs are shared when siblings run out. Where two places are as good,
 * one that the VM has already is taken, then the one with the lower number.
 *
 * Threads for which no set is named get the rest: all that is allowed, but the
 * CPUs of the VM's own vCPUs.
 */
#include "place/policy_heap.h"
#include "place/policy_work.h"

static bool core_before(const void *ctx, u32 a, u32 b)
{
	const struct kvmx_policy_work *w = ctx;
	const struct kvmx_policy_dom *x = &w->cores[a], *y = &w->cores[b];

	if (x->load != y->load)
		return x->load < y->load;
	if (!x->left != !y->left)
		return x->left;
	return a < b;
}

/* The first core in a cache's heap. */
static u32 best_core(const struct kvmx_policy_work *w, u32 llc)
{
	return w->heap[w->llcs[llc].first];
}

static bool llc_before(const void *ctx, u32 a, u32 b)
{
	const struct kvmx_policy_work *w = ctx;
	const struct kvmx_policy_dom *x = &w->cores[best_core(w, a)];
	const struct kvmx_policy_dom *y = &w->cores[best_core(w, b)];

	if (x->load != y->load)
		return x->load < y->load;
	if (w->llcs[a].load != w->llcs[b].load)
		return w->llcs[a].load < w->llcs[b].load;
	if (!x->left != !y->left)
		return x->left;
	return a < b;
}

static struct kvmx_policy_heap heap_of(struct kvmx_policy_work *w, u32 llc)
{
	return (struct kvmx_policy_heap) {
		.item = w->heap + w->llcs[llc].first, .nr = w->llcs[llc].heap,
		.before = core_before, .ctx = w,
	};
}

/* The cores of a cache that have an open slot; false if there are none. */
static bool fill_heap(struct kvmx_policy_work *w, u32 llc)
{
	struct kvmx_policy_dom *d = &w->llcs[llc];
	struct kvmx_policy_heap h;
	u32 i;

	d->heap = 0;
	for (i = d->first; i < d->end; i++)
		if (w->cores[i].cap)
			w->heap[d->first + d->heap++] = i;
	h = heap_of(w, llc);
	kvmx_policy_heap_make(&h);
	return d->heap;
}

/**
 * kvmx_policy_use_slot() - give a core's best open slot a unit
 * @w: the plan
 * @core: the core, with an open slot
 *
 * That is one which the VM has already, else that with the lowest number.
 */
void kvmx_policy_use_slot(struct kvmx_policy_work *w, u32 core)
{
	struct kvmx_policy_dom *d = &w->cores[core];
	struct kvmx_policy_slot *s, *best = NULL;
	u32 i;

	for (i = d->first; i < d->end; i++) {
		s = &w->slots[i];
		if (s->open && (!best || (s->left && !best->left)))
			best = s;
	}
	best->open = false;
	best->give++;
	d->cap--;
	d->left -= best->left;
	best->left = 0;
	d->load += kvmx_policy_per_unit(w);
}

/* Gives one unit to the best core of a cache; returns the cores it has left. */
static u32 use_core(struct kvmx_policy_work *w, u32 llc)
{
	struct kvmx_policy_heap h = heap_of(w, llc);
	u32 core = best_core(w, llc);

	kvmx_policy_use_slot(w, core);
	if (w->cores[core].cap)
		kvmx_policy_heap_top_changed(&h);
	else
		kvmx_policy_heap_pop(&h);
	w->llcs[llc].heap = h.nr;
	w->llcs[llc].load += kvmx_policy_per_unit(w);
	return h.nr;
}

/**
 * kvmx_policy_spread() - use open slots, one per core, caches even
 * @w: the plan
 * @first_llc: first of the caches that are offered
 * @end_llc: behind the last
 * @nr: how many; not more than are open there
 */
void kvmx_policy_spread(struct kvmx_policy_work *w, u32 first_llc, u32 end_llc,
			u32 nr)
{
	struct kvmx_policy_heap h = {
		.item = w->llc_heap, .before = llc_before, .ctx = w,
	};
	u32 i;

	for (i = first_llc; i < end_llc; i++)
		if (fill_heap(w, i))
			h.item[h.nr++] = i;
	kvmx_policy_heap_make(&h);
	while (nr--) {
		if (use_core(w, h.item[0]))
			kvmx_policy_heap_top_changed(&h);
		else
			kvmx_policy_heap_pop(&h);
	}
}
