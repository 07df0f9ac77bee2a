// SPDX-License-Identifier: GPL-2.0-only
/* What is read from KVM's structures about a guest's memory: see core/peek.h. */
#include <linux/atomic.h>
#include <linux/kvm_host.h>

#include "core/feature.h"
#include "core/peek.h"

/**
 * kvmx_peek_slot() - what the memory at a guest-physical address is
 * @vcpu: a vCPU
 * @gpa: the address
 *
 * KVM is about to ask the same: the VM's SRCU is held. Of a guest in the guest
 * the address is one of its own, of which nothing is known.
 *
 * Context: kvm_page_fault, in the vCPU's own thread.
 * Return: see enum kvmx_slot_kind.
 */
enum kvmx_slot_kind kvmx_peek_slot(struct kvm_vcpu *vcpu, u64 gpa)
{
	const struct kvm_memory_slot *slot;

	if (kvmx_feature_state(KVMX_F_LAYOUT) == KVMX_FEATURE_OFF ||
	    vcpu->arch.hflags & HF_GUEST_MASK)
		return KVMX_SLOT_UNKNOWN;
	slot = search_memslots(kvm_vcpu_memslots(vcpu), gpa >> PAGE_SHIFT,
			       false);
	if (!slot)
		return KVMX_SLOT_NONE;
	if (slot->flags & KVM_MEM_READONLY)
		return KVMX_SLOT_READ_ONLY;
	if (slot->flags & KVM_MEM_LOG_DIRTY_PAGES)
		return KVMX_SLOT_LOGGED;
	return KVMX_SLOT_PLAIN;
}

/**
 * kvmx_peek_handled() - what KVM counted of a vCPU's page faults so far
 * @vcpu: a vCPU
 * @to: filled
 *
 * Context: its own thread, loaded.
 */
void kvmx_peek_handled(const struct kvm_vcpu *vcpu, struct kvmx_handled *to)
{
	to->taken = vcpu->stat.pf_taken;
	to->fixed = vcpu->stat.pf_fixed;
	to->emulated = vcpu->stat.pf_emulate;
	to->spurious = vcpu->stat.pf_spurious;
	to->fast = vcpu->stat.pf_fast;
}

/**
 * kvmx_peek_nested() - does a guest of the guest run?
 * @vcpu: a vCPU
 *
 * Context: its own thread, loaded.
 * Return: true if so.
 */
bool kvmx_peek_nested(const struct kvm_vcpu *vcpu)
{
	return vcpu->arch.hflags & HF_GUEST_MASK;
}

/**
 * kvmx_peek_sizes() - what a VM has mapped now
 * @kvm: the VM
 * @to: filled
 *
 * Context: the walk.
 */
void kvmx_peek_sizes(struct kvm *kvm, struct kvmx_sizes *to)
{
	int i;

	for (i = 0; i < KVMX_NR_LEVELS; i++)
		to->pages[i] = atomic64_read(&kvm->stat.pages[i]);
	to->tables = (KVMX_SHADOW_PAGES(kvm) + KVMX_TDP_PAGES(kvm)) * PAGE_SIZE;
}
