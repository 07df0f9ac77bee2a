/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The end of VMs and vCPUs: their records are found no more, readers are told,
 * and the reference of the living is dropped.
 */
#ifndef KVMX_CORE_DEATH_H
#define KVMX_CORE_DEATH_H

#include <linux/types.h>

struct kvm;
struct kvm_vcpu;

/* Any context; no thread can be running the vCPU, or one of the VM's. */
void kvmx_death_of_vm(const struct kvm *key);
void kvmx_death_of_vcpu(const struct kvm_vcpu *key);

void kvmx_death_of_all(void);
void kvmx_death_of_unseen(u32 round, u64 newest);

#endif /* KVMX_CORE_DEATH_H */
