/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copies of counters that are consistent in themselves: the block, and each
 * slot. Sums of a VM are made of such copies.
 */
#ifndef KVMX_STATS_SNAP_H
#define KVMX_STATS_SNAP_H

#include <linux/types.h>

struct kvmx_data;
struct kvmx_topk;
struct kvmx_vcpu;
struct kvmx_vm;

/**
 * struct kvmx_load - what a vCPU did with its time, up to now
 * @at: now
 * @ran: it ran, in the guest, in KVM or in the VMM
 * @ready: it would have run, with a CPU
 * @kept: returns to a CPU that found TLB entries; as long as KVMX_STATS_TLB is
 *	counted
 * @lost: those that did not
 *
 * Times are ticks of kvmx_clock().
 */
struct kvmx_load {
	u64 at;
	u64 ran;
	u64 ready;
	u64 kept;
	u64 lost;
};

bool kvmx_snap_load(const struct kvmx_vcpu *v, struct kvmx_load *to);
void kvmx_snap_vcpu(const struct kvmx_vcpu *v, struct kvmx_data *to);
void kvmx_snap_vm(struct kvmx_vm *vm, struct kvmx_data *to, void *scratch);
void kvmx_snap_topk(const struct kvmx_topk *t, struct kvmx_topk *to);

#endif /* KVMX_STATS_SNAP_H */
