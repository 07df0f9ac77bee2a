// SPDX-License-Identifier: GPL-2.0-only
#include <linux/bits.h>
#include <linux/kvm_host.h>
#include <linux/lockdep.h>
#include <linux/uaccess.h>

#include "core/guestmem.h"
#include "core/peek.h"

/* Slots that may have memory which the host cannot see: not before 6.8. */
#ifndef KVM_MEM_GUEST_MEMFD
#define KVM_MEM_GUEST_MEMFD	BIT(2)
#endif

/* Such memory is not what a guest's kernel would offer, or not there for long. */
#define SLOT_REFUSED	(KVM_MEMSLOT_INVALID | KVM_MEM_READONLY | \
			 KVM_MEM_GUEST_MEMFD)

/* Context: the VM's SRCU held. */
static bool look_up(struct kvm *kvm, struct kvmx_guestmem *m)
{
	struct kvm_memslots *slots = __kvm_memslots(kvm, 0);
	const struct kvm_memory_slot *slot;
	gfn_t gfn = m->gpa >> PAGE_SHIFT;

	if (m->known && m->generation == slots->generation)
		return true;
	m->known = false;
	slot = search_memslots(slots, gfn, false);
	if (!slot || slot->flags & SLOT_REFUSED)
		return false;
	/* KVM's own, on Intel: where the APIC is, a TSS, page tables. */
	if (slot->id >= KVM_USER_MEM_SLOTS)
		return false;
	m->hva = __gfn_to_hva_memslot(slot, gfn) + offset_in_page(m->gpa);
	m->generation = slots->generation;
	m->known = true;
	return true;
}

/* Is this the vCPU's thread, with its memory? */
static bool reachable(const struct kvm_vcpu *vcpu)
{
	return kvmx_peek_loaded(vcpu) && !kvmx_peek_protected(vcpu);
}

/**
 * kvmx_guestmem_set() - a piece of guest memory from now on
 * @vcpu: a vCPU
 * @m: filled
 * @gpa: its address; the piece does not reach into the next page
 *
 * Context: the vCPU's own thread, loaded, preemption disabled.
 * Return: false where there is no memory, or none that may be used.
 */
bool kvmx_guestmem_set(struct kvm_vcpu *vcpu, struct kvmx_guestmem *m, u64 gpa)
{
	bool found;
	int idx;

	*m = (struct kvmx_guestmem){ .gpa = gpa };
	if (!reachable(vcpu))
		return false;
	idx = srcu_read_lock(&vcpu->kvm->srcu);
	found = look_up(vcpu->kvm, m);
	srcu_read_unlock(&vcpu->kvm->srcu, idx);
	return found;
}

/**
 * kvmx_guestmem_read() - read from guest memory
 * @vcpu: the vCPU
 * @m: the piece
 * @offset: where in it
 * @to: where to; undefined where this fails
 * @size: bytes
 *
 * Context: as kvmx_guestmem_set(); also under a run queue's lock.
 * Return: false where it cannot be reached now: it was swapped out or ballooned
 *	away, the VM's memory has changed, or a protection key of the guest is in
 *	force (7.x).
 */
bool kvmx_guestmem_read(struct kvm_vcpu *vcpu, struct kvmx_guestmem *m,
			unsigned int offset, void *to, unsigned int size)
{
	bool done;
	int idx;

	if (!reachable(vcpu))
		return false;
	idx = srcu_read_lock(&vcpu->kvm->srcu);
	done = look_up(vcpu->kvm, m) &&
	       !copy_from_user_nofault(to, (void __user *)(m->hva + offset),
				       size);
	srcu_read_unlock(&vcpu->kvm->srcu, idx);
	return done;
}

/**
 * kvmx_guestmem_write() - write to guest memory
 * @vcpu: the vCPU
 * @m: the piece
 * @offset: where in it
 * @from: where from
 * @size: bytes
 *
 * Not told to dirty logging: what is written is good on this host only.
 *
 * Context: as kvmx_guestmem_read().
 * Return: as kvmx_guestmem_read().
 */
bool kvmx_guestmem_write(struct kvm_vcpu *vcpu, struct kvmx_guestmem *m,
			 unsigned int offset, const void *from,
			 unsigned int size)
{
	bool done;
	int idx;

	if (!reachable(vcpu))
		return false;
	idx = srcu_read_lock(&vcpu->kvm->srcu);
	done = look_up(vcpu->kvm, m) &&
	       !copy_to_user_nofault((void __user *)(m->hva + offset), from,
				     size);
	srcu_read_unlock(&vcpu->kvm->srcu, idx);
	return done;
}
