// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exits on their short way (core/hot.h): why and when, and back into KVM.
 *
 * Context: kvm_exit, preemption disabled, interrupts off but for SVM on 6.1. An
 * armed vCPU has passed the self-checks of core/exit.h.
 */
#include <linux/kvm_host.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <asm/asm.h>
#include <asm/svm.h>
#include <asm/vmx.h>

#include "core/exit.h"
#include "core/fast.h"
#include "core/hot.h"
#include "core/probe.h"
#include "core/vm.h"

/* The two halves as they come: putting them together takes two steps more. */
static __always_inline void note_time(struct kvmx_hot *hot)
{
	u32 *half = (u32 *)&hot->exit_at;

	asm volatile("rdtsc" : "=a" (half[0]), "=d" (half[1]));
}

/*
 * VMREAD of a field that it was seen to read. Where it cannot be read after all,
 * @value stays what it was.
 */
static __always_inline void vmread_checked(unsigned long field, u64 *value)
{
	asm volatile("1: vmread %[field], %[value]\n\t"
		     "2:\n\t"
		     _ASM_EXTABLE(1b, 2b)
		     : [value] "+m" (*value) : [field] "r" (field) : "cc");
}

notrace void kvmx_fast_exit_vmx(void *data, struct kvm_vcpu *vcpu, u32 isa)
{
	struct kvmx_hot *hot = raw_cpu_read(kvmx_hot);

	if (unlikely(hot->armed != vcpu)) {
		if (!kvmx_vcpu_skipped(vcpu))
			kvmx_probe_exit(NULL, vcpu, KVMX_ISA_VMX);
		return;
	}
	vmread_checked(VM_EXIT_REASON, &hot->code);
	note_time(hot);
}

notrace void kvmx_fast_exit_svm(void *data, struct kvm_vcpu *vcpu, u32 isa)
{
	struct kvmx_hot *hot = raw_cpu_read(kvmx_hot);
	/* The first word behind it in struct vcpu_svm: see core/exit_svm.c. */
	const struct vmcb * const *vmcb = (void *)(vcpu + 1);

	if (unlikely(hot->armed != vcpu)) {
		if (!kvmx_vcpu_skipped(vcpu))
			kvmx_probe_exit(NULL, vcpu, KVMX_ISA_SVM);
		return;
	}
	hot->code = (u32)(*vmcb)->control.exit_code;
	note_time(hot);
}

/**
 * kvmx_fast_dummy() - what the probes above take for a vCPU
 *
 * Nothing else may. On SVM its last exit was CPUID; on VMX the reason is that of
 * whatever VMCS is current.
 *
 * Context: may sleep.
 * Return: to be freed by kfree(); NULL when out of memory.
 */
struct kvm_vcpu *kvmx_fast_dummy(void)
{
	struct dummy {
		struct kvm_vcpu vcpu;
		struct vmcb *vmcb;
		struct vmcb block;
	} *d = kzalloc(sizeof(*d), GFP_KERNEL);

	if (!d)
		return NULL;
	d->vmcb = &d->block;
	d->block.control.exit_code = SVM_EXIT_CPUID;
	return &d->vcpu;
}
