/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A few bytes of a guest's memory, reached as KVM reaches its steal-time record:
 * nothing is pinned, each access is looked up and may fail.
 */
#ifndef KVMX_CORE_GUESTMEM_H
#define KVMX_CORE_GUESTMEM_H

#include <linux/types.h>

struct kvm_vcpu;

/**
 * struct kvmx_guestmem - a piece of guest memory inside one page
 * @gpa: guest-physical address
 * @hva: where the VMM has it; by @generation
 * @generation: of the VM's memory, when it was looked up last
 * @known: @hva is to be used while @generation is the present one
 */
struct kvmx_guestmem {
	u64 gpa;
	unsigned long hva;
	u64 generation;
	bool known;
};

bool kvmx_guestmem_set(struct kvm_vcpu *vcpu, struct kvmx_guestmem *m, u64 gpa);
bool kvmx_guestmem_read(struct kvm_vcpu *vcpu, struct kvmx_guestmem *m,
			unsigned int offset, void *to, unsigned int size);
bool kvmx_guestmem_write(struct kvm_vcpu *vcpu, struct kvmx_guestmem *m,
			 unsigned int offset, const void *from,
			 unsigned int size);

#endif /* KVMX_CORE_GUESTMEM_H */
