// SPDX-License-Identifier: GPL-2.0-only
/*
 * SVM: struct vcpu_svm begins with struct kvm_vcpu and goes on with the pointer
 * to the VMCB in use, in 6.1, 6.12, 7.2 and 7.3 alike. The structure is KVM's
 * own, so this is checked on every vCPU before it is trusted.
 */
#include <linux/kvm_host.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <asm/processor-flags.h>
#include <asm/special_insns.h>
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

static struct kvmx_look look_npf(const struct vmcb *vmcb)
{
	u64 error = vmcb->control.exit_info_1;
	struct kvmx_look look = {
		.about = KVMX_ABOUT_FAULT,
		.access = kvmx_pferr_fault(error).access,
		.address = vmcb->control.exit_info_2,
	};

	if (error & PFERR_RSVD_MASK)
		look.about = KVMX_ABOUT_MMIO;
	return look;
}

/**
 * kvmx_svm_look() - what an exit is about
 * @vcpu: a vCPU that passed kvmx_svm_check()
 * @code: its code
 *
 * Where there is no memory KVM sets reserved bits. Newer kernels handle those
 * without kvm_page_fault, so all are told apart here.
 *
 * Context: kvm_exit, preemption disabled.
 * Return: see struct kvmx_look.
 */
struct kvmx_look kvmx_svm_look(struct kvm_vcpu *vcpu, u64 code)
{
	const struct vmcb *vmcb = svm_head(vcpu)->vmcb;
	u64 info = vmcb->control.exit_info_1;

	switch (code) {
	case SVM_EXIT_NPF:
		return look_npf(vmcb);
	case SVM_EXIT_IOIO:
		return (struct kvmx_look){
			.about = KVMX_ABOUT_PORT,
			.access = info & SVM_IOIO_TYPE_MASK ?
				  KVMX_ACCESS_READ : KVMX_ACCESS_WRITE,
			.address = (u16)(info >> 16),
		};
	default:
		return (struct kvmx_look){ .access = KVMX_ACCESS_UNKNOWN };
	}
}

/**
 * kvmx_pferr_fault() - what the error code of a page fault says
 * @error: as NPT and the processor's own page faults have it
 *
 * Context: any.
 * Return: see struct kvmx_fault.
 */
struct kvmx_fault kvmx_pferr_fault(u64 error)
{
	struct kvmx_fault f = {
		.access = error & PFERR_FETCH_MASK ? KVMX_ACCESS_FETCH :
			  error & PFERR_WRITE_MASK ? KVMX_ACCESS_WRITE :
						     KVMX_ACCESS_READ,
		.denied = KVMX_DENIED_OTHER,
		.walk = error & PFERR_GUEST_PAGE_MASK,
	};

	if (error & PFERR_RSVD_MASK)
		f.denied = KVMX_DENIED_MARKED;
	else if (!(error & PFERR_PRESENT_MASK))
		f.denied = KVMX_DENIED_ABSENT;
	else if (f.access == KVMX_ACCESS_WRITE)
		f.denied = KVMX_DENIED_WRITE;
	return f;
}

/* APM vol. 2, table B-1; kernels have several names for it. */
#define VMCB_NP		0x90
#define VMCB_NP_ENABLE	BIT(0)

/**
 * kvmx_svm_shape() - the second level of page tables
 * @vcpu: a vCPU that passed kvmx_svm_check()
 * @shape: filled
 *
 * NPT walks as many levels as the host's own paging (APM vol. 2, 15.25.3), and
 * always keeps accessed and dirty bits (15.25.5).
 *
 * Context: kvm_entry or kvm_exit, preemption disabled.
 */
void kvmx_svm_shape(struct kvm_vcpu *vcpu, struct kvmx_shape *shape)
{
	const u64 *vmcb = (const u64 *)svm_head(vcpu)->vmcb;

	memset(shape, 0, sizeof(*shape));
	if (!(vmcb[VMCB_NP / sizeof(u64)] & VMCB_NP_ENABLE))
		return;
	shape->levels = native_read_cr4() & X86_CR4_LA57 ? 5 : 4;
	shape->ad = true;
}

/* The same field (15.34.3): the guest's memory is encrypted. */
#define VMCB_SEV_ENABLE	BIT(1)

/**
 * kvmx_svm_tag() - what the vCPU's TLB entries are told apart by
 * @vcpu: a vCPU that passed kvmx_svm_check()
 * @tag: filled
 *
 * KVM changes number and generation behind kvm_entry, where the generation is
 * not that of the CPU, and wants no flush any more once the guest has run.
 *
 * Context: kvm_entry or kvm_exit, preemption disabled.
 */
void kvmx_svm_tag(struct kvm_vcpu *vcpu, struct kvmx_tag *tag)
{
	const struct svm_head *head = svm_head(vcpu);
	const u64 *vmcb = (const u64 *)head->vmcb;

	tag->number = head->vmcb->control.asid;
	tag->generation = head->current_vmcb->asid_generation;
	tag->cpu = head->current_vmcb->cpu;
	tag->fixed = vmcb[VMCB_NP / sizeof(u64)] & VMCB_SEV_ENABLE;
	tag->flush = head->vmcb->control.tlb_ctl;
}

/**
 * kvmx_svm_flushing() - what KVM may have to do to the TLB for an exit
 * @code: its code
 *
 * Context: any.
 * Return: see enum kvmx_flushing.
 */
enum kvmx_flushing kvmx_svm_flushing(u64 code)
{
	switch (code) {
	case SVM_EXIT_WRITE_CR0:
	case SVM_EXIT_WRITE_CR3:
	case SVM_EXIT_WRITE_CR4:
	case SVM_EXIT_CR0_SEL_WRITE:
	case SVM_EXIT_INVLPG:
	case SVM_EXIT_INVLPGA:
	case SVM_EXIT_INVPCID:
	case SVM_EXIT_MSR:
	case SVM_EXIT_RSM:
	case SVM_EXIT_TASK_SWITCH:
		return KVMX_FLUSHING_GUEST;
	case SVM_EXIT_VMRUN:
		return KVMX_FLUSHING_NESTED;
	default:
		return KVMX_FLUSHING_OTHER;
	}
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
