/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exit reasons of the two vendors: the code of the exit that a vCPU just made,
 * and the names that the vendor's header gives to codes.
 */
#ifndef KVMX_CORE_EXIT_H
#define KVMX_CORE_EXIT_H

#include <linux/types.h>

struct kvm_vcpu;

/**
 * struct kvmx_reason - an exit reason that has a name
 * @code: the vendor's code: VMX basic exit reason, or SVM exit code
 * @name: the name in the kernel's own table (asm/vmx.h, asm/svm.h)
 */
struct kvmx_reason {
	u64 code;
	const char *name;
};

const struct kvmx_reason *kvmx_vmx_reasons(unsigned int *nr);
const struct kvmx_reason *kvmx_svm_reasons(unsigned int *nr);

/* The isa argument of kvm_exit. */
#define KVMX_ISA_VMX	1
#define KVMX_ISA_SVM	2

u64 kvmx_vmx_exit_code(void);
u64 kvmx_svm_exit_code(struct kvm_vcpu *vcpu);

bool kvmx_svm_check(struct kvm_vcpu *vcpu);
bool kvmx_vmx_check(void);

void kvmx_exit_reset(void);

#endif /* KVMX_CORE_EXIT_H */
