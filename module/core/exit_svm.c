// SPDX-License-Identifier: GPL-2.0-only
/*
 * SVM: struct vcpu_svm begins with struct kvm_vcpu and goes on with the pointer
 * to the VMCB in use, in 6.1, 6.12, 7.2 and 7.3 alike. The structure is KVM's
 * own, so this is checked on every vCPU before it is trusted.
 */
#include <linux/kvm_host.h>
#include <linux/uaccess.h>
#include <asm/svm.h>

#include "core/exit.h"
#include "core/feature.h"
#include "core/hook.h"

static const struct kvmx_reason reasons[] = {
	SVM_EXIT_REASONS
};

const struct kvmx_reason *kvmx_svm_reasons(unsigned int *nr)
{
	*nr = ARRAY_SIZE(reasons);
	return reasons;
}

/* The head of KVM's struct vcpu_svm (arch/x86/kvm/svm/svm.h). */
struct svm_head {
	struct vmcb *vmcb;
	struct {
		struct vmcb *ptr;
		unsigned long pa;
		int cpu;
		u64 asid_generation;
	} vmcb01, *current_vmcb;
};

static const struct svm_head *svm_head(struct kvm_vcpu *vcpu)
{
	return (const struct svm_head *)(vcpu + 1);
}

static bool svm_bad(const char *what)
{
	if (kvmx_feature_state(KVMX_F_VMCB) != KVMX_FEATURE_OFF)
		kvmx_feature_set(KVMX_F_VMCB, KVMX_FEATURE_OFF,
				 "self-check failed: %s: no exit reasons", what);
	return false;
}

/**
 * kvmx_svm_check() - is the VMCB where it is expected?
 * @vcpu: argument of kvm_entry
 *
 * Context: kvm_entry, interrupts off, in the vCPU's thread.
 * Return: true if the exit code can be read.
 */
bool kvmx_svm_check(struct kvm_vcpu *vcpu)
{
	struct svm_head head;
	struct vmcb *current_vmcb;
	u32 asid;

	if (kvmx_feature_state(KVMX_F_VMCB) == KVMX_FEATURE_OFF)
		return false;
	if (copy_from_kernel_nofault(&head, svm_head(vcpu), sizeof(head)))
		return svm_bad("struct vcpu_svm is unreadable");
	if (!head.vmcb || !PAGE_ALIGNED(head.vmcb) ||
	    !virt_addr_valid(head.vmcb))
		return svm_bad("the VMCB's address is none");
	if (copy_from_kernel_nofault(&current_vmcb, &head.current_vmcb->ptr,
				     sizeof(current_vmcb)) ||
	    current_vmcb != head.vmcb)
		return svm_bad("the VMCB is not the current one");
	if (copy_from_kernel_nofault(&asid, &head.vmcb->control.asid,
				     sizeof(asid)) || asid > 0x100000)
		return svm_bad("the ASID makes no sense");
	if (kvmx_feature_state(KVMX_F_VMCB) != KVMX_FEATURE_ON)
		kvmx_feature_set(KVMX_F_VMCB, KVMX_FEATURE_ON,
				 "checked on a running vCPU");
	return true;
}

/**
 * kvmx_svm_exit_code() - why the guest was left
 * @vcpu: a vCPU that passed kvmx_svm_check()
 *
 * The field is 32 bits wide with a high half of its own in older kernels, 64
 * bits in newer ones; all codes fit into the low half (APM vol. 2, appendix C).
 *
 * Context: kvm_exit, preemption disabled.
 * Return: the exit code.
 */
u64 kvmx_svm_exit_code(struct kvm_vcpu *vcpu)
{
	return (u32)svm_head(vcpu)->vmcb->control.exit_code;
}

/**
 * kvmx_exit_reset() - a new kvm.ko: nothing is known about it yet
 *
 * Context: any; no probe is attached.
 */
void kvmx_exit_reset(void)
{
	if (kvmx_feature_denied(KVMX_F_VMCB))
		;	/* it has its reason */
	else if (boot_cpu_has(X86_FEATURE_SVM))
		kvmx_feature_set(KVMX_F_VMCB, KVMX_FEATURE_READY,
				 "checked on the first vCPU that runs while somebody counts");
	else
		kvmx_feature_set(KVMX_F_VMCB, KVMX_FEATURE_OFF,
				 "not an SVM host");
	if (kvmx_feature_denied(KVMX_F_VMREAD))
		;
	else if (boot_cpu_has(X86_FEATURE_VMX))
		kvmx_feature_set(KVMX_F_VMREAD, KVMX_FEATURE_READY,
				 "checked on the first vCPU that runs while somebody counts");
	else
		kvmx_feature_set(KVMX_F_VMREAD, KVMX_FEATURE_OFF,
				 "not a VMX host");
}
