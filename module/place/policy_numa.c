// SPDX-License-Identifier: GPL-2.0-only
/*
 * numa: where the VM's memory is.
 *
 * The node with most of it is filled first, then that with the next most, and so
 * on; a node is full when no CPU of it has fewer vCPUs than elsewhere. So no CPU
 * is shared while another one is free, be it far from the memory; how much memory
 * is remote then, and whether it is split, is noted. Shares are compared in
 * sixteenths: among nodes that are alike, vCPUs stay where they are, so that a few
 * pages more or less move nobody. Within a node as spread.
 *
 * Where nothing is known of the memory the plan is refused.
 *
 * Threads for which no set is named get the rest of the nodes that the vCPUs use,
 * or of all if that is nothing.
 */
#include "place/policy_heap.h"
#include "place/policy_work.h"

/* More than any machine has, and less than what would make sums run over. */
#define MAX_PAGES	BIT_ULL(44)

static u64 pages_on(const struct kvmx_policy_work *w, u32 node)
{
	u64 pages = w->in->nodes[node].pages;

	return pages < MAX_PAGES ? pages : MAX_PAGES;
}

/* All of the VM's memory that is known of, in pages. */
u64 kvmx_policy_pages(const struct kvmx_policy_work *w)
{
	u64 sum = 0;
	u32 i;

	if (!w->in->memory_known)
		return 0;
	for (i = 0; i < w->in->nr_nodes; i++)
		sum += pages_on(w, i);
	return sum;
}

/* How many of @parts the pages on a node are of @all. */
u32 kvmx_policy_share(const struct kvmx_policy_work *w, u32 node, u64 all,
		      u32 parts)
{
	return all ? pages_on(w, node) * parts / all : 0;
}

static bool nearer(const void *ctx, u32 a, u32 b)
{
	const struct kvmx_policy_work *w = ctx;
	const struct kvmx_policy_dom *x = &w->nodes[a], *y = &w->nodes[b];

	if (x->give != y->give)
		return x->give > y->give;
	if (pages_on(w, x->id) != pages_on(w, y->id))
		return pages_on(w, x->id) > pages_on(w, y->id);
	return a < b;
}

/* The nodes, those with most of the memory first; "give" is their share. */
static void sort_nodes(struct kvmx_policy_work *w, u64 all)
{
	struct kvmx_policy_heap h = {
		.item = w->heap, .nr = w->nr_nodes, .before = nearer, .ctx = w,
	};
	u32 i, share;

	for (i = 0; i < w->nr_nodes; i++) {
		h.item[i] = i;
		/* To the nearest, as halves are what is met most. */
		share = kvmx_policy_share(w, w->nodes[i].id, all, 32);
		w->nodes[i].give = (share + 1) / 2;
	}
	kvmx_policy_heap_make(&h);
	for (i = 0; i < w->nr_nodes; i++)
		w->order[i] = kvmx_policy_heap_pop(&h);
}

static u32 at_most(u32 a, u32 b)
{
	return a < b ? a : b;
}

/*
 * Deals out to nodes with the same share, from the first one to the last: what
 * the VM has there already, then what is left. Returns what did not find room.
 */
static u32 deal(struct kvmx_policy_work *w, u32 first, u32 end, u32 nr)
{
	struct kvmx_policy_dom *d;
	u32 i, more;

	for (i = first; i < end; i++) {
		d = &w->nodes[w->order[i]];
		d->give = at_most(d->left, nr);
		nr -= d->give;
	}
	for (i = first; i < end; i++) {
		d = &w->nodes[w->order[i]];
		more = at_most(d->cap - d->give, nr);
		d->give += more;
		nr -= more;
	}
	return nr;
}

/**
 * kvmx_policy_numa() - use open slots, where memory is
 * @w: the plan
 * @nr: how many; not more than are open
 */
void kvmx_policy_numa(struct kvmx_policy_work *w, u32 nr)
{
	const u64 all = kvmx_policy_pages(w);
	u32 i, end;

	if (!all) {
		kvmx_policy_note_cpu(w, KVMX_NOTE_NO_MEMORY, KVMX_POLICY_NO_CPU,
				     0, 0);
		return;
	}
	sort_nodes(w, all);
	for (i = 0; i < w->nr_nodes; i = end) {
		const u32 share = w->nodes[w->order[i]].give;

		for (end = i + 1; end < w->nr_nodes; end++)
			if (w->nodes[w->order[end]].give != share)
				break;
		nr = deal(w, i, end, nr);
	}
	for (i = 0; i < w->nr_nodes; i++)
		kvmx_policy_spread(w, w->nodes[i].first, w->nodes[i].end,
				   w->nodes[i].give);
}
