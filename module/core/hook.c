// SPDX-License-Identifier: GPL-2.0-only
#include "core/hook.h"

void kvmx_no_entry(struct kvmx_vcpu *vcpu, u64 now) { }
void kvmx_no_exit(struct kvmx_vcpu *vcpu, u64 code, u64 now) { }
void kvmx_no_event(struct kvmx_vcpu *vcpu, const struct kvmx_event *event) { }
void kvmx_no_entry_more(struct kvmx_vcpu *vcpu, struct kvm_vcpu *key,
			u64 now) { }
void kvmx_no_exit_more(struct kvmx_vcpu *vcpu, struct kvm_vcpu *key, u64 code,
		       u64 now) { }
void kvmx_no_event_more(struct kvmx_vcpu *vcpu,
			const struct kvmx_event *event) { }
void kvmx_no_fault(struct kvmx_vcpu *vcpu, struct kvm_vcpu *key, u64 address,
		   u64 error) { }
void kvmx_no_tlb(struct kvmx_vcpu *vcpu, struct kvm_vcpu *key,
		 enum kvmx_tlb_event what, unsigned long arg) { }
void kvmx_no_mmu_work(const struct kvm *kvm, enum kvmx_mmu_work what) { }
void kvmx_no_mmu_change(int level, u64 before, u64 now) { }
void kvmx_no_birth(struct kvmx_vm *vm) { }
void kvmx_no_death(struct kvmx_vcpu *vcpu) { }
void kvmx_no_free(struct kvmx_vcpu *vcpu) { }

DEFINE_STATIC_CALL(kvmx_on_entry, kvmx_no_entry);
DEFINE_STATIC_CALL(kvmx_on_exit, kvmx_no_exit);
DEFINE_STATIC_CALL(kvmx_on_event, kvmx_no_event);
DEFINE_STATIC_CALL(kvmx_on_entry_more, kvmx_no_entry_more);
DEFINE_STATIC_CALL(kvmx_on_exit_more, kvmx_no_exit_more);
DEFINE_STATIC_CALL(kvmx_on_event_more, kvmx_no_event_more);
DEFINE_STATIC_CALL(kvmx_on_fault, kvmx_no_fault);
DEFINE_STATIC_CALL(kvmx_on_tlb, kvmx_no_tlb);
DEFINE_STATIC_CALL(kvmx_on_mmu_work, kvmx_no_mmu_work);
DEFINE_STATIC_CALL(kvmx_on_mmu_change, kvmx_no_mmu_change);
DEFINE_STATIC_CALL(kvmx_on_birth, kvmx_no_birth);
DEFINE_STATIC_CALL(kvmx_on_death, kvmx_no_death);
DEFINE_STATIC_CALL(kvmx_on_free, kvmx_no_free);
