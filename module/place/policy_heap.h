/* SPDX-License-Identifier: GPL-2.0-only */
/* A binary heap of numbers, ordered by whoever owns what they stand for. */
#ifndef KVMX_PLACE_POLICY_HEAP_H
#define KVMX_PLACE_POLICY_HEAP_H

#include <linux/types.h>

/**
 * struct kvmx_policy_heap - the heap
 * @item: the numbers
 * @nr: how many there are
 * @before: whether one comes before the other; no two may be equal, so that the
 *	order depends on nothing else
 * @ctx: its first argument
 */
struct kvmx_policy_heap {
	u32 *item;
	u32 nr;
	bool (*before)(const void *ctx, u32 a, u32 b);
	const void *ctx;
};

void kvmx_policy_heap_make(struct kvmx_policy_heap *h);
void kvmx_policy_heap_top_changed(struct kvmx_policy_heap *h);
u32 kvmx_policy_heap_pop(struct kvmx_policy_heap *h);

#endif /* KVMX_PLACE_POLICY_HEAP_H */
