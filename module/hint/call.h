/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hypercall: KVM does not know the number and says so to the guest; before
 * the guest sees that, its answer is put there (docs/hypercalls.md).
 */
#ifndef KVMX_HINT_CALL_H
#define KVMX_HINT_CALL_H

struct kvm_vcpu;
struct kvmx_hinter;

void kvmx_call_owed(struct kvmx_hinter *h, struct kvm_vcpu *key);
void kvmx_call_prepare(struct kvmx_hinter *h);
void kvmx_call_init(void);

#endif /* KVMX_HINT_CALL_H */
