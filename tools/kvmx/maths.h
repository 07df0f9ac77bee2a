/* SPDX-License-Identifier: GPL-2.0-only */
/* Arithmetic on figures. Pure: no input, no output, no memory of its own. */
#ifndef KVMX_TOOL_MATHS_H
#define KVMX_TOOL_MATHS_H

#include <stdbool.h>
#include <linux/types.h>

/* A histogram by powers of two cannot have more buckets that differ. */
#define HIST_MAX	65

/**
 * struct hist - histogram by powers of two
 * @nr: buckets: [0,1), [1,2), [2,4) … the last one is open
 * @bucket: how many values fell in each
 */
struct hist {
	unsigned int nr;
	__u64 bucket[HIST_MAX];
};

enum bound_kind {
	BOUND_NONE,		/* there is no value */
	BOUND_EXACT,
	BOUND_UPPER,		/* not more than that */
	BOUND_LOWER,		/* more than that */
};

struct bound {
	enum bound_kind kind;
	__u64 value;
};

void hist_set(struct hist *h, const __u64 *buckets, unsigned int nr);
void hist_none(struct hist *h, unsigned int nr);
void hist_add(struct hist *h, const struct hist *more);
void hist_sub(struct hist *h, const struct hist *base);
__u64 hist_sum(const struct hist *h);
struct bound hist_percentile(const struct hist *h, unsigned int percent);
struct bound hist_longest(const struct hist *h);
struct bound bound_tighten(struct bound b, struct bound longest);

__u64 delta(__u64 now, __u64 base);
__u64 mean(__u64 sum, __u64 nr);
double share(__u64 part, __u64 whole);
__u64 ticks_to_ns(__u64 ticks, __u32 khz);
void permille(const __u64 *parts, unsigned int nr, unsigned int *out);

#endif /* KVMX_TOOL_MATHS_H */
