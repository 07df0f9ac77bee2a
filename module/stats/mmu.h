/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVMX_STATS_MMU: what a vCPU runs into in the second level of page tables.
 */
#ifndef KVMX_STATS_MMU_H
#define KVMX_STATS_MMU_H

#include <linux/types.h>

#include "core/exit.h"
#include "core/peek.h"
#include "stats/counters.h"
#include "stats/topk.h"

struct kvmx_vcpu;
struct kvmx_vm;

/**
 * struct kvmx_mmu_state - what it takes to keep the figures
 * @exit_at: when the exit that is being handled happened; 0 in the guest, and
 *	until the first exit since counting began
 * @about: what that exit is about
 * @pending: a violation is being handled
 * @known: @before was read
 * @cause: of the violation
 * @before: what KVM had counted when it began
 * @row: of the list, that the violation is counted in; NULL if in none
 * @row_key: its key, in case that it loses the row
 * @address: where it was: guest-physical, but for shadow paging
 * @access: what the guest wanted to do
 * @look_again: when to look how the walk is done, next
 * @ranges: KVMX_TOP_RANGES
 */
struct kvmx_mmu_state {
	u64 exit_at;
	enum kvmx_about about;
	bool pending;
	bool known;
	enum kvmx_cause cause;
	struct kvmx_handled before;
	struct kvmx_topk_row *row;
	u64 row_key;
	u64 address;
	enum kvmx_access access;
	u64 look_again;
	struct kvmx_topk ranges;
};

/**
 * struct kvmx_violation - a page fault as it is told
 * @address: guest-physical, but for shadow paging
 * @error: what the hardware says of it
 * @slot: what the memory there is
 */
struct kvmx_violation {
	u64 address;
	u64 error;
	enum kvmx_slot_kind slot;
};

/**
 * struct kvmx_mapped - what a VM has mapped, as it was read last
 * @sizes: how much
 * @read_at: when that was; 0: never
 */
struct kvmx_mapped {
	struct kvmx_sizes sizes;
	u64 read_at;
};

void kvmx_mmu_start(struct kvmx_mmu_state *s);
void kvmx_mmu_exit(struct kvmx_vcpu *v, struct kvmx_mmu_state *s,
		   struct kvm_vcpu *key, const struct kvmx_look *look, u64 now);
void kvmx_mmu_fault(struct kvmx_vcpu *v, struct kvmx_mmu_state *s,
		    struct kvm_vcpu *key, const struct kvmx_violation *what);
void kvmx_mmu_entry(struct kvmx_vcpu *v, struct kvmx_mmu_state *s,
		    struct kvm_vcpu *key, u64 now);
void kvmx_mmu_ops_init(void);
void kvmx_mmu_ops_start(struct kvmx_vm *vm);
void kvmx_mmu_ops_read(struct kvmx_vm *vm, struct kvmx_mmu *to);
void kvmx_mmu_read(struct kvmx_vm *vm, struct kvmx_mapped *mapped,
		   struct kvmx_mmu *to);

#endif /* KVMX_STATS_MMU_H */
