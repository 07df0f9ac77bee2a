/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What was counted in a period: made of one reading, or the difference of two,
 * or the sum over vCPUs. Pure.
 */
#ifndef KVMX_TOOL_TALLY_H
#define KVMX_TOOL_TALLY_H

#include <stdbool.h>
#include <linux/types.h>

#include "maths.h"
#include "stats.h"

/* A class of time in a tally. */
struct tally_time {
	const struct time_class *class;
	__u64 ticks;
};

/**
 * struct tally_exit - an exit reason in a tally
 * @reason: from the schema
 * @count: exits, the one being handled included
 * @done: those that are over
 * @gross: exit to next entry, summed
 * @net: the same less VMM, halted, waiting and ready time
 * @max: the longest, as far as it is known for this period
 * @hist: gross times
 * @code: exit code of a reason without a name, valid if @has_code
 * @happened: ever; else all of this but @reason and the number of buckets is 0
 */
struct tally_exit {
	const struct reason *reason;
	__u64 count;
	__u64 done;
	__u64 gross;
	__u64 net;
	struct bound max;
	struct hist hist;
	__u64 code;
	bool has_code;
	bool happened;
};

/* The state of a vCPU when it was read. */
struct tally_state {
	bool known;
	__u64 state;
	__u64 ticks;		/* for how long it has been in it */
};

struct tally {
	struct tally_time *times;
	unsigned int nr_times;
	struct tally_exit *exits;
	unsigned int nr_exits;
	__u64 entries;
	__u64 entries_without_exit;
	__u64 exits_without_entry;
	__u64 user_exits;
	struct tally_state state;
	const struct block *block;	/* which of the above are there */
};

enum sort_by {
	SORT_TIME,
	SORT_COUNT,
	SORT_MEAN,
	SORT_P99,
	SORT_MAX,
	SORT_NAME,
};

void tally_read(struct tally *t, const struct schema *s, const __u64 *data,
		__u64 now);
void tally_sub(struct tally *t, const struct tally *base);
void tally_add(struct tally *sum, const struct tally *t);
void tally_free(struct tally *t);

__u64 tally_time(const struct tally *t);
void tally_total(const struct tally *t, struct tally_exit *total);
void tally_sort(struct tally *t, enum sort_by by);
struct bound exit_percentile(const struct tally_exit *e, unsigned int percent);
void exit_name(const struct tally_exit *e, char *buf, size_t size);

#endif /* KVMX_TOOL_TALLY_H */
