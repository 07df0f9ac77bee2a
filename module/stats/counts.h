/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memory of a vCPU's counters, and whether its exits may take the short way.
 */
#ifndef KVMX_STATS_COUNTS_H
#define KVMX_STATS_COUNTS_H

#include <linux/build_bug.h>
#include <linux/cache.h>
#include <linux/types.h>
#include <asm/page.h>

#include "core/hot.h"
#include "stats/counters.h"

struct kvmx_vcpu;

/**
 * struct kvmx_counts - counters of a vCPU, and what it takes to keep them
 * @hot: of exits on their short way (core/hot.h)
 * @none: the slot of codes without a name on the short way: nothing was ever
 *	longer, so nothing is counted there
 * @data: what readers see, KVMX_COUNTS_HEAD behind the beginning of this
 * @exit_at: when the exit that is being handled happened
 * @away: how much of that time was spent in the VMM, halted, waiting or ready
 * @open: its slot, NULL while no exit is being handled
 * @out: when the thread was taken off the CPU, 0 if that is settled
 * @in: when it was put on one again, 0 if that has not happened yet
 * @delay: run delay of the thread in ns before it was put on
 * @base: what the vCPU does while its thread is on a CPU: KVMX_STATE_*
 * @guess: what it seemed to do when counting began: enum kvmx_doing
 * @kind: why the thread was taken off: enum kvmx_out
 *
 * One writer: see core/threads.h.
 */
struct kvmx_counts {
	struct kvmx_hot hot;
	struct kvmx_data *data;
	u64 exit_at;
	u64 away;
	struct kvmx_slot *open;
	u64 out;
	u64 in;
	u64 delay;
	u8 base;
	u8 guess;
	u8 kind;
	struct kvmx_slot none;
};

/* Both are one piece of memory; the first page of it is never mapped. */
#define KVMX_COUNTS_HEAD	PAGE_SIZE
static_assert(sizeof(struct kvmx_counts) <= KVMX_COUNTS_HEAD);

static __always_inline struct kvmx_data *kvmx_counts_data(struct kvmx_counts *c)
{
	return (void *)c + KVMX_COUNTS_HEAD;
}

int kvmx_counts_alloc(struct kvmx_vcpu *v);
void kvmx_counts_free(struct kvmx_vcpu *v);

void kvmx_counts_arm(struct kvmx_vcpu *v, struct kvmx_counts *c);
void kvmx_counts_disarm(struct kvmx_vcpu *v);

#endif /* KVMX_STATS_COUNTS_H */
