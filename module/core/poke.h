/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is written into KVM's structures: the answer to a hypercall, and nothing
 * else. With it goes the look by which a call is known again.
 */
#ifndef KVMX_CORE_POKE_H
#define KVMX_CORE_POKE_H

#include <linux/types.h>

struct kvm_vcpu;

/**
 * struct kvmx_call_site - where a guest stood when it called
 * @rip: at the instruction
 * @known: that could be read
 */
struct kvmx_call_site {
	unsigned long rip;
	bool known;
};

void kvmx_poke_reset(void);
bool kvmx_poke_called(struct kvm_vcpu *vcpu, unsigned long nr,
		      struct kvmx_call_site *site);
bool kvmx_poke_waits(const struct kvm_vcpu *vcpu);
bool kvmx_poke_still_waits(const struct kvm_vcpu *vcpu,
			   const struct kvmx_call_site *site);
void kvmx_poke_answer(struct kvm_vcpu *vcpu, long answer);
void kvmx_poke_poll(struct kvm_vcpu *vcpu, u32 ns);

#endif /* KVMX_CORE_POKE_H */
