/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every writer of counters does: sequence words, differences of clocks,
 * buckets of histograms.
 */
#ifndef KVMX_STATS_SEQ_H
#define KVMX_STATS_SEQ_H

#include <linux/bitops.h>
#include <linux/compiler.h>
#include <linux/minmax.h>
#include <linux/types.h>
#include <asm/barrier.h>

#include "stats/counters.h"

/* Readers retry while a sequence word is odd or has changed (stats/snap.c). */
static __always_inline void kvmx_seq_begin(u64 *seq)
{
	(*seq)++;	/* one writer, and one instruction */
	smp_wmb();	/* odd before anything changes; pairs with copy() */
}

static __always_inline void kvmx_seq_end(u64 *seq)
{
	smp_wmb();	/* all changed before even; pairs with copy() */
	(*seq)++;
	barrier();
}

/* Ticks from a to b; 0 where the clocks of two CPUs differ the wrong way. */
static __always_inline u64 kvmx_ticks(u64 a, u64 b)
{
	return likely((s64)(b - a) > 0) ? b - a : 0;
}

/* Bucket of a histogram by powers of two; the last one is open. */
static __always_inline unsigned int kvmx_bucket(u64 ticks)
{
	return min_t(unsigned int, fls64(ticks), KVMX_HIST_BUCKETS - 1);
}

#endif /* KVMX_STATS_SEQ_H */
