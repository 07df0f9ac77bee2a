/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ledger of a vCPU's TLB: every flush in one row by what was done and one
 * by why, and what became of its entries each time that it was put on a CPU
 * again. Who finds out when there is one: stats/tlb.c.
 */
#ifndef KVMX_STATS_FLUSH_H
#define KVMX_STATS_FLUSH_H

#include <linux/types.h>

#include "core/topo.h"
#include "stats/counters.h"

struct kvmx_vcpu;

/**
 * struct kvmx_asked - what asked for a flush that is still to be done
 * @mask: bits of enum kvmx_flush_cause
 * @nr: how many
 * @order: they, in the order in which they asked
 */
struct kvmx_asked {
	u32 mask;
	u8 nr;
	u8 order[KVMX_NR_FLUSH_CAUSES];
};

void kvmx_flush_ask(struct kvmx_asked *a, enum kvmx_flush_cause cause);
void kvmx_flush_withdraw(struct kvmx_asked *a, enum kvmx_flush_cause cause);
void kvmx_flush_bill(struct kvmx_vcpu *v, enum kvmx_flush_kind kind,
		     const struct kvmx_asked *a);
void kvmx_flush_returned(struct kvmx_vcpu *v, enum kvmx_distance distance,
			 bool kept);

#endif /* KVMX_STATS_FLUSH_H */
