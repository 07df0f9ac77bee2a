// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMX: the VMCS of the vCPU (or of its nested guest) is current in kvm_exit and
 * kvm_entry, so VMREAD gives what KVM itself reads (SDM vol. 3C, 25.11.2 and
 * appendix B).
 */
#include <linux/kernel.h>
#include <asm/asm.h>
#include <asm/vmx.h>

#include "core/exit.h"
#include "core/feature.h"
#include "core/hook.h"

static const struct kvmx_reason reasons[] = {
	VMX_EXIT_REASONS
};

const struct kvmx_reason *kvmx_vmx_reasons(unsigned int *nr)
{
	*nr = ARRAY_SIZE(reasons);
	return reasons;
}

/*
 * VMREAD fails where no VMCS is current (VMfailInvalid), for a field that the
 * processor lacks (VMfailValid), and faults outside VMX operation. It does not
 * get that far on hosts whose KVM runs on Hyper-V with an enlightened VMCS: all
 * three are "no" here.
 */
static __always_inline bool vmread(unsigned long field, unsigned long *value)
{
	asm goto("1: vmread %[field], %[value]\n\t"
		 "jbe %l[fail]\n\t"
		 _ASM_EXTABLE(1b, %l[fail])
		 : : [field] "r" (field), [value] "m" (*value)
		 : "cc", "memory" : fail);
	return true;
fail:
	return false;
}

static void vmread_bad(void)
{
	if (kvmx_feature_state(KVMX_F_VMREAD) == KVMX_FEATURE_OFF)
		return;
	kvmx_feature_set(KVMX_F_VMREAD, KVMX_FEATURE_OFF,
			 "VMREAD failed (KVM on Hyper-V with enlightened VMCS?): no exit reasons");
}

/**
 * kvmx_vmx_check() - can the exit reason be read on this host?
 *
 * Context: kvm_entry, interrupts off.
 * Return: true if VMREAD works.
 */
bool kvmx_vmx_check(void)
{
	unsigned long value = 0;

	if (kvmx_feature_state(KVMX_F_VMREAD) == KVMX_FEATURE_OFF)
		return false;
	if (!vmread(VM_EXIT_REASON, &value)) {
		vmread_bad();
		return false;
	}
	if (kvmx_feature_state(KVMX_F_VMREAD) != KVMX_FEATURE_ON)
		kvmx_feature_set(KVMX_F_VMREAD, KVMX_FEATURE_ON,
				 "exit reasons are read by VMREAD");
	return true;
}

/**
 * kvmx_vmx_exit_code() - why the guest was left
 *
 * Context: kvm_exit, preemption disabled.
 * Return: the basic exit reason (bits 15:0), KVMX_CODE_OPAQUE if unreadable.
 */
u64 kvmx_vmx_exit_code(void)
{
	unsigned long value = 0;

	if (unlikely(!vmread(VM_EXIT_REASON, &value))) {
		vmread_bad();
		return KVMX_CODE_OPAQUE;
	}
	return value & 0xffff;
}
