/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copies of counters that are consistent in themselves: the block, and each
 * slot. Sums of a VM are made of such copies.
 */
#ifndef KVMX_STATS_SNAP_H
#define KVMX_STATS_SNAP_H

struct kvmx_data;
struct kvmx_topk;
struct kvmx_vcpu;
struct kvmx_vm;

void kvmx_snap_vcpu(const struct kvmx_vcpu *v, struct kvmx_data *to);
void kvmx_snap_vm(struct kvmx_vm *vm, struct kvmx_data *to, void *scratch);
void kvmx_snap_topk(const struct kvmx_topk *t, struct kvmx_topk *to);

#endif /* KVMX_STATS_SNAP_H */
