/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Births: from the moment at which a probe sees a vCPU for the first time to the
 * moment at which its record exists. A probe cannot sleep and a record is made
 * in task context, so the probe leaves task work with the thread that it ran in:
 * the one that creates the vCPU (it runs before KVM_CREATE_VCPU returns), or,
 * where that was missed, the one that enters it (it runs before the next entry).
 */
#ifndef KVMX_CORE_BIRTH_H
#define KVMX_CORE_BIRTH_H

#include <linux/types.h>

struct kvm;
struct kvm_vcpu;
struct kvmx_seen;

void kvmx_birth_queue(const struct kvmx_seen *seen, bool adopted);
void kvmx_birth_cancel_vcpu(const struct kvm_vcpu *vcpu);
void kvmx_birth_cancel_vm(const struct kvm *kvm);
void kvmx_birth_miss(void);
bool kvmx_birth_missed(void);
void kvmx_birth_exit(void);

#endif /* KVMX_CORE_BIRTH_H */
