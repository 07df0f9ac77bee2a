/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KVMX_CORE_FAST_H
#define KVMX_CORE_FAST_H

#include <linux/types.h>

struct kvm_vcpu;

/* Probes on kvm_exit, by vendor. */
void kvmx_fast_exit_vmx(void *data, struct kvm_vcpu *vcpu, u32 isa);
void kvmx_fast_exit_svm(void *data, struct kvm_vcpu *vcpu, u32 isa);

struct kvm_vcpu *kvmx_fast_dummy(void);

#endif /* KVMX_CORE_FAST_H */
