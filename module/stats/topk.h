/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hottest few of many keys, in bounded memory ("space-saving", Metwally,
 * Agrawal, El Abbadi 2005), with an honest rest: what a row does not show is in
 * the others, so rows and others add up to everything that was put in. Pure:
 * compiled in user space for the unit tests.
 */
#ifndef KVMX_STATS_TOPK_H
#define KVMX_STATS_TOPK_H

#include <linux/types.h>

#define KVMX_TOPK_ROWS	24
#define KVMX_TOPK_NAME	16

/**
 * struct kvmx_topk_row - a key that is among the hottest
 * @key: what it is; meaningful if @rank > 0
 * @rank: orders the rows: at least as high as the key's true count
 * @count: how often it was put in since it has this row
 * @time: what was put in with it, summed up
 * @name: for keys that have one
 */
struct kvmx_topk_row {
	u64 key;
	u64 rank;
	u64 count;
	u64 time;
	char name[KVMX_TOPK_NAME];
};

/**
 * struct kvmx_topk - the table
 * @seq: odd while it is being written
 * @others_count: what rows counted that lost their place
 * @others_time: the same of their time
 * @last: the row that was hit last: as a rule it is hit again
 * @row: in no order
 *
 * One writer.
 */
struct kvmx_topk {
	u64 seq;
	u64 others_count;
	u64 others_time;
	u32 last;
	struct kvmx_topk_row row[KVMX_TOPK_ROWS];
};

struct kvmx_topk_row *kvmx_topk_put(struct kvmx_topk *t, u64 key);
void kvmx_topk_add_time(struct kvmx_topk *t, struct kvmx_topk_row *row, u64 key,
			u64 time);

#endif /* KVMX_STATS_TOPK_H */
