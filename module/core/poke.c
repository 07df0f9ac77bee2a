// SPDX-License-Identifier: GPL-2.0-only
#include <linux/bitops.h>
#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/kvm_host.h>
#include <linux/kvm_para.h>
#include <linux/printk.h>
#include <asm/cpufeature.h>

#include "core/exit.h"
#include "core/feature.h"
#include "core/peek.h"
#include "core/poke.h"

/* VMCALL and VMMCALL, without prefixes, which nobody puts there. */
#define CALL_BYTES	3

static void regs_bad(const char *why)
{
	if (kvmx_feature_state(KVMX_F_GUEST_REGS) == KVMX_FEATURE_OFF)
		return;
	kvmx_feature_set(KVMX_F_GUEST_REGS, KVMX_FEATURE_OFF,
			 "self-check failed: %s; no hypercall is answered", why);
	pr_warn("kvmx: registers of a guest: %s, answering no hypercall any more\n",
		why);
}

/**
 * kvmx_poke_reset() - a new kvm.ko: nothing is known about it yet
 *
 * Context: any; no probe is attached.
 */
void kvmx_poke_reset(void)
{
	if (!kvmx_feature_denied(KVMX_F_GUEST_REGS))
		kvmx_feature_set(KVMX_F_GUEST_REGS, KVMX_FEATURE_READY,
				 "checked on the first hypercall of a VM that may hint");
}

static bool regs_usable(void)
{
	return kvmx_feature_state(KVMX_F_GUEST_REGS) != KVMX_FEATURE_OFF;
}

static bool rip_of(const struct kvm_vcpu *vcpu, unsigned long *rip)
{
	if (KVMX_GUEST_RIP_IS_KNOWN(vcpu)) {
		*rip = KVMX_GUEST_RIP(vcpu);
		return true;
	}
	return boot_cpu_has(X86_FEATURE_VMX) && kvmx_vmx_rip(rip);
}

/**
 * kvmx_poke_called() - may a call of this vCPU be answered?
 * @vcpu: the vCPU that calls
 * @nr: the number, as the tracepoint told it
 * @site: filled
 *
 * That @nr stands where RAX is thought to be proves that the structure is what
 * this was built for.
 *
 * Context: kvm_hypercall, in the vCPU's thread, preemption disabled.
 * Return: false for guests of the guest, for protected ones, and where a check
 *	fails.
 */
bool kvmx_poke_called(struct kvm_vcpu *vcpu, unsigned long nr,
		      struct kvmx_call_site *site)
{
	if (!regs_usable() || !kvmx_peek_check(vcpu, false))
		return false;
	if (kvmx_peek_protected(vcpu) || kvmx_peek_nested(vcpu))
		return false;
	if ((u32)vcpu->arch.regs[VCPU_REGS_RAX] != (u32)nr) {
		regs_bad("the number of a call is not in RAX");
		return false;
	}
	if (kvmx_feature_state(KVMX_F_GUEST_REGS) != KVMX_FEATURE_ON)
		kvmx_feature_set(KVMX_F_GUEST_REGS, KVMX_FEATURE_ON,
				 "checked on a hypercall");
	site->known = rip_of(vcpu, &site->rip);
	return true;
}

/**
 * kvmx_poke_waits() - did KVM say that it does not know the call?
 * @vcpu: a vCPU
 *
 * Not if the caller was no kernel, and not if somebody else has answered.
 *
 * Context: its own thread, loaded, behind KVM's hypercall.
 * Return: true if it may be answered.
 */
bool kvmx_poke_waits(const struct kvm_vcpu *vcpu)
{
	unsigned long rax = vcpu->arch.regs[VCPU_REGS_RAX];

	return rax == (unsigned long)-KVM_ENOSYS || rax == (u32)-KVM_ENOSYS;
}

/**
 * kvmx_poke_still_waits() - the same, after the thread was in user space
 * @vcpu: a vCPU
 * @site: where it called
 *
 * Context: kvm_entry, interrupts off.
 * Return: true if it stands behind that call, and may be answered.
 */
bool kvmx_poke_still_waits(const struct kvm_vcpu *vcpu,
			   const struct kvmx_call_site *site)
{
	unsigned long rip;

	return regs_usable() && site->known && !kvmx_peek_nested(vcpu) &&
	       rip_of(vcpu, &rip) && rip == site->rip + CALL_BYTES &&
	       kvmx_poke_waits(vcpu);
}

/**
 * kvmx_poke_answer() - answer a call
 * @vcpu: a vCPU of which one of the two above said yes just now
 * @answer: for RAX; of 32 bits where KVM's own answer was
 *
 * Context: as above.
 */
void kvmx_poke_answer(struct kvm_vcpu *vcpu, long answer)
{
	unsigned long *rax = &vcpu->arch.regs[VCPU_REGS_RAX];

	*rax = *rax >> 32 ? (unsigned long)answer : (u32)answer;
}

/**
 * kvmx_poke_poll() - how long KVM polls before a vCPU sleeps
 * @vcpu: a vCPU that halts
 * @ns: so long; KVM's ceiling for the VM stands above that
 *
 * Good for this halt. What KVM makes of it when that ends is what it makes of
 * any length, so there is nothing to be put back.
 *
 * Context: in front of the halt, in the vCPU's own thread, which has it loaded.
 */
void kvmx_poke_poll(struct kvm_vcpu *vcpu, u32 ns)
{
	if (kvmx_peek_loaded(vcpu))
		WRITE_ONCE(vcpu->halt_poll_ns, ns);
}
