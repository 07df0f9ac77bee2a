/* SPDX-License-Identifier: GPL-2.0-only */
/* The hottest of a kind (KVMX_STATS_TOP), and differences of two readings. */
#ifndef KVMX_TOOL_TOP_H
#define KVMX_TOOL_TOP_H

#include <stdbool.h>
#include <linux/kvmx.h>

/**
 * struct top - rows, and what is in none of them
 * @rows: in no order that counts
 * @nr: how many
 * @others_count: counts that are in no row
 * @others_time: their ticks
 */
struct top {
	struct kvmx_top_row *rows;
	unsigned int nr;
	__u64 others_count;
	__u64 others_time;
};

bool top_read(struct top *t, int fd, __u32 what);
void top_copy(struct top *to, const struct top *from);
void top_sub(struct top *t, const struct top *base);
void top_sort(struct top *t);
__u64 top_count(const struct top *t);
__u64 top_time(const struct top *t);
void top_free(struct top *t);

#endif /* KVMX_TOOL_TOP_H */
