/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Groups of figures that are counted only for who asks: who gets which event,
 * and the memory for it. Everything that is common to all groups.
 */
#ifndef KVMX_STATS_GROUPS_H
#define KVMX_STATS_GROUPS_H

#include <linux/types.h>

#include "stats/counters.h"
#include "stats/io.h"
#include "stats/mmu.h"
#include "stats/runq.h"
#include "stats/tlb.h"

struct kvmx_vcpu;

/**
 * struct kvmx_more - what groups keep of a vCPU besides its data
 * @sched: KVMX_STATS_SCHED
 * @mmu: KVMX_STATS_MMU
 * @io: KVMX_STATS_IO
 * @tlb: KVMX_STATS_TLB
 *
 * One writer per group: the vCPU's bound thread, see core/threads.h; of @tlb
 * the thread that has the vCPU loaded.
 */
struct kvmx_more {
	struct kvmx_sched_state sched;
	struct kvmx_mmu_state mmu;
	struct kvmx_io_state io;
	struct kvmx_tlb_state tlb;
};

void kvmx_groups_init(void);
int kvmx_groups_alloc(struct kvmx_vcpu *v, u32 groups);
void kvmx_groups_free(struct kvmx_vcpu *v);
void kvmx_groups_start(struct kvmx_vcpu *v, u32 groups, u64 now);

#endif /* KVMX_STATS_GROUPS_H */
