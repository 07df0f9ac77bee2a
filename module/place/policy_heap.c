// SPDX-License-Identifier: GPL-2.0-only
#include "place/policy_heap.h"

static void sink(struct kvmx_policy_heap *h, u32 at)
{
	u32 child, item = h->item[at];

	while ((child = 2 * at + 1) < h->nr) {
		if (child + 1 < h->nr &&
		    h->before(h->ctx, h->item[child + 1], h->item[child]))
			child++;
		if (h->before(h->ctx, item, h->item[child]))
			break;
		h->item[at] = h->item[child];
		at = child;
	}
	h->item[at] = item;
}

/**
 * kvmx_policy_heap_make() - put what is there in order
 * @h: the heap, with all of it set
 *
 * Context: any.
 */
void kvmx_policy_heap_make(struct kvmx_policy_heap *h)
{
	u32 i;

	for (i = h->nr / 2; i-- > 0;)
		sink(h, i);
}

/**
 * kvmx_policy_heap_top_changed() - the first one comes later than it did
 * @h: the heap, not empty
 *
 * Context: any.
 */
void kvmx_policy_heap_top_changed(struct kvmx_policy_heap *h)
{
	sink(h, 0);
}

/**
 * kvmx_policy_heap_pop() - take the first one out
 * @h: the heap, not empty
 *
 * Context: any.
 * Return: the first one.
 */
u32 kvmx_policy_heap_pop(struct kvmx_policy_heap *h)
{
	u32 top = h->item[0];

	h->item[0] = h->item[--h->nr];
	if (h->nr)
		sink(h, 0);
	return top;
}
