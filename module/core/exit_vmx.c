// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMX: the VMCS of the vCPU (or of its nested guest) is current in kvm_exit and
 * kvm_entry, so VMREAD gives what KVM itself reads (SDM vol. 3C, 25.11.2 and
 * appendix B).
 */
#include <linux/bits.h>
#include <linux/kernel.h>
#include <linux/string.h>
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
	return kvmx_vmx_basic_reason(value);
}

/**
 * kvmx_vmx_rip() - where the guest stands, by the VMCS
 * @rip: filled
 *
 * Context: the vCPU's thread, loaded, preemption disabled. What KVM has changed
 *	since the exit is not in it yet.
 * Return: false where it cannot be read.
 */
bool kvmx_vmx_rip(unsigned long *rip)
{
	return vmread(GUEST_RIP, rip);
}

/* Exit qualification of I/O instructions (SDM vol. 3C, table 28-5). */
#define IO_IN		BIT(3)
#define IO_PORT_SHIFT	16

/**
 * kvmx_vmx_look() - what an exit is about
 * @code: its code
 *
 * Context: kvm_exit, preemption disabled.
 * Return: see struct kvmx_look.
 */
struct kvmx_look kvmx_vmx_look(u64 code)
{
	struct kvmx_look look = { .access = KVMX_ACCESS_UNKNOWN };
	unsigned long value = 0;

	switch (code) {
	case EXIT_REASON_EPT_VIOLATION:
		look.about = KVMX_ABOUT_FAULT;
		break;
	case EXIT_REASON_EPT_MISCONFIG:
		look.about = KVMX_ABOUT_MMIO;
		if (vmread(GUEST_PHYSICAL_ADDRESS, &value))
			look.address = value;
		break;
	case EXIT_REASON_IO_INSTRUCTION:
		if (!vmread(EXIT_QUALIFICATION, &value))
			break;
		look.about = KVMX_ABOUT_PORT;
		look.access = value & IO_IN ? KVMX_ACCESS_READ :
					      KVMX_ACCESS_WRITE;
		look.address = (u16)(value >> IO_PORT_SHIFT);
		break;
	}
	return look;
}

/* Exit qualification of EPT violations (SDM vol. 3C, table 28-7). */
#define EPT_WRITE	BIT(1)
#define EPT_FETCH	BIT(2)
#define EPT_READABLE	BIT(3)
#define EPT_WRITABLE	BIT(4)
#define EPT_EXECUTABLE	BIT(5)
#define EPT_GVA_VALID	BIT(7)
#define EPT_GVA_FINAL	BIT(8)

/**
 * kvmx_ept_fault() - what an EPT violation says
 * @q: exit qualification
 *
 * Context: any.
 * Return: see struct kvmx_fault.
 */
struct kvmx_fault kvmx_ept_fault(u64 q)
{
	struct kvmx_fault f = {
		.access = q & EPT_WRITE ? KVMX_ACCESS_WRITE :
			  q & EPT_FETCH ? KVMX_ACCESS_FETCH : KVMX_ACCESS_READ,
		.denied = KVMX_DENIED_OTHER,
		.walk = (q & (EPT_GVA_VALID | EPT_GVA_FINAL)) == EPT_GVA_VALID,
	};

	if (!(q & (EPT_READABLE | EPT_WRITABLE | EPT_EXECUTABLE)))
		f.denied = KVMX_DENIED_ABSENT;
	else if (q & EPT_WRITE && !(q & EPT_WRITABLE))
		f.denied = KVMX_DENIED_WRITE;
	return f;
}

/* EPT pointer (SDM vol. 3C, table 25-9). */
#define EPTP_LEVELS_SHIFT	3
#define EPTP_LEVELS_MASK	7	/* less one */
#define EPTP_AD			BIT(6)

static bool secondary_controls(unsigned long *controls)
{
	unsigned long primary = 0;

	*controls = 0;
	if (!vmread(CPU_BASED_VM_EXEC_CONTROL, &primary))
		return false;
	return !(primary & CPU_BASED_ACTIVATE_SECONDARY_CONTROLS) ||
	       vmread(SECONDARY_VM_EXEC_CONTROL, controls);
}

/**
 * kvmx_vmx_shape() - the second level of page tables
 * @shape: filled
 *
 * Context: kvm_entry or kvm_exit, preemption disabled.
 * Return: false if it cannot be read.
 */
bool kvmx_vmx_shape(struct kvmx_shape *shape)
{
	unsigned long controls, eptp = 0;

	if (!secondary_controls(&controls))
		return false;
	memset(shape, 0, sizeof(*shape));
	if (!(controls & SECONDARY_EXEC_ENABLE_EPT))
		return true;
	if (!vmread(EPT_POINTER, &eptp))
		return false;
	shape->levels = (eptp >> EPTP_LEVELS_SHIFT & EPTP_LEVELS_MASK) + 1;
	shape->ad = eptp & EPTP_AD;
	shape->pml = controls & SECONDARY_EXEC_ENABLE_PML;
	return true;
}

/**
 * kvmx_vmx_ept() - does the vCPU run on EPT?
 *
 * Context: a VMCS of the vCPU is current, preemption disabled.
 * Return: true if so; false also where that cannot be read.
 */
bool kvmx_vmx_ept(void)
{
	unsigned long controls;

	return secondary_controls(&controls) &&
	       controls & SECONDARY_EXEC_ENABLE_EPT;
}

/**
 * kvmx_vmx_tag() - what the vCPU's TLB entries are told apart by
 * @tag: filled
 *
 * A processor without VPID has no such field, and KVM leaves it 0 where it has
 * no number left.
 *
 * Context: a VMCS of the vCPU is current, preemption disabled.
 */
void kvmx_vmx_tag(struct kvmx_tag *tag)
{
	unsigned long vpid = 0;

	memset(tag, 0, sizeof(*tag));
	if (vmread(VIRTUAL_PROCESSOR_ID, &vpid))
		tag->number = vpid;
}

/**
 * kvmx_vmx_flushing() - what KVM may have to do to the TLB for an exit
 * @code: its code
 *
 * Context: any.
 * Return: see enum kvmx_flushing.
 */
enum kvmx_flushing kvmx_vmx_flushing(u64 code)
{
	switch (code) {
	case EXIT_REASON_CR_ACCESS:
	case EXIT_REASON_INVLPG:
	case EXIT_REASON_INVPCID:
	case EXIT_REASON_MSR_WRITE:
	case EXIT_REASON_TASK_SWITCH:
		return KVMX_FLUSHING_GUEST;
	case EXIT_REASON_VMLAUNCH:
	case EXIT_REASON_VMRESUME:
	case EXIT_REASON_INVEPT:
		return KVMX_FLUSHING_NESTED;
	case EXIT_REASON_INVVPID:
		return KVMX_FLUSHING_INVVPID;
	default:
		return KVMX_FLUSHING_OTHER;
	}
}
