// SPDX-License-Identifier: GPL-2.0-only
#include <linux/sched.h>

#include "core/birth.h"
#include "core/death.h"
#include "core/hook.h"
#include "core/kprobes.h"
#include "core/peek.h"
#include "core/probe.h"
#include "core/threads.h"
#include "core/vm.h"

/*
 * Context of the handlers: preemption disabled; the caller may hold mutexes.
 * One that is given a VM or vCPU may look into it only where core/vm.h says so.
 */

static void vcpu_created(void *vcpu, unsigned long unused)
{
	struct kvmx_seen seen;

	if (!kvmx_peek_created(vcpu, &seen))
		return;
	/* Without teardown probes nobody saw the last owner of the address. */
	if (!kvmx_kprobes_see_death() && kvmx_vm_is_stale(&seen))
		kvmx_death_of_vm(seen.kvm);
	kvmx_birth_queue(&seen, false);
}

static void vcpu_destroyed(void *vcpu, unsigned long unused)
{
	kvmx_birth_cancel_vcpu(vcpu);
	kvmx_death_of_vcpu(vcpu);
}

static void vm_destroyed(void *kvm, unsigned long unused)
{
	kvmx_birth_cancel_vm(kvm);
	kvmx_death_of_vm(kvm);
}

/* KVM_RUN: also of a vCPU that waits there for long before it enters anything. */
static void vcpu_run(void *vcpu, unsigned long unused)
{
	struct kvmx_vcpu *v = kvmx_vcpu_find(vcpu);

	if (v && kvmx_threads_ran(v, task_pid(current)))
		static_call(kvmx_on_run)(v, kvmx_peek_enters(vcpu));
}

/* Not of KVM: of the scheduler, which tells nobody. */
static void setaffinity(void *nr, unsigned long unused)
{
	static_call(kvmx_on_setaffinity)((pid_t)(unsigned long)nr);
}

static void affinity(void *task, unsigned long unused)
{
	static_call(kvmx_on_affinity)(task);
}

/* In the thread that has the vCPU loaded: one of its own, or of an ioctl. */
static void tlb_event(struct kvm_vcpu *vcpu, enum kvmx_tlb_event what,
		      unsigned long arg)
{
	struct kvmx_vcpu *v = kvmx_vcpu_find(vcpu);

	if (v && !(READ_ONCE(v->groups) & KVMX_STATS_TLB))
		v = NULL;
	static_call(kvmx_on_tlb)(v, vcpu, what, arg);
}

#define TLB_EVENT(fn, what)						\
	static void fn(void *vcpu, unsigned long arg)			\
	{								\
		tlb_event(vcpu, KVMX_TLB_##what, arg);			\
	}

TLB_EVENT(vcpu_load, LOAD)
TLB_EVENT(vcpu_reset, RESET)
TLB_EVENT(hyperv_flush, HYPERV)
TLB_EVENT(mmu_load, NEW_ROOT)
TLB_EVENT(flush_all, ALL)
TLB_EVENT(flush_current, CURRENT)
TLB_EVENT(flush_guest, GUEST)
TLB_EVENT(flush_address, ADDRESS)
TLB_EVENT(flush_asid, ASID)

#define MMU_WORK(fn, what)						\
	static void fn(void *kvm, unsigned long unused)			\
	{								\
		static_call(kvmx_on_mmu_work)(kvm, KVMX_MMU_##what);	\
	}

MMU_WORK(mmu_changes, CHANGES)
MMU_WORK(mmu_relogs, RELOGS)
MMU_WORK(mmu_collapses, COLLAPSES)
MMU_WORK(mmu_drops, DROPS)

/* In any thread, for any vCPU. */
static void kicked(void *vcpu, unsigned long unused)
{
	struct kvmx_vcpu *v = kvmx_vcpu_find(vcpu);

	if (v && READ_ONCE(v->hinter))
		static_call(kvmx_on_kick)(v);
}

static void halts(void *vcpu, unsigned long unused)
{
	kvmx_probe_halt(vcpu);
}

struct kvmx_spot kvmx_spots[KVMX_NR_SPOTS] = {
	/*
	 * Deaths before births: what is born must be seen to die. These two
	 * come first: kvmx_kprobes_see_death() knows them by that.
	 */
	{ KVMX_F_VM_DEATH, "kvm:kvm_arch_destroy_vm", vm_destroyed },
	{ KVMX_F_VCPU_DEATH, "kvm:kvm_arch_vcpu_destroy", vcpu_destroyed },
	{ KVMX_F_VCPU_BIRTH, "kvm:kvm_arch_vcpu_postcreate", vcpu_created },
	/* What flushes the TLB, and before it what leads to that. */
	{ KVMX_F_VCPU_LOAD, "kvm:kvm_arch_vcpu_load", vcpu_load,
	  KVMX_STATS_TLB },
	{ KVMX_F_VCPU_RESET, "kvm:kvm_vcpu_reset", vcpu_reset,
	  KVMX_STATS_TLB },
	{ KVMX_F_HV_FLUSH, "kvm:kvm_hv_vcpu_flush_tlb", hyperv_flush,
	  KVMX_STATS_TLB },
	{ KVMX_F_MMU_LOAD, "kvm:kvm_mmu_load", mmu_load, KVMX_STATS_TLB },
	{ KVMX_F_VMX_ALL, "kvm_intel:vmx_flush_tlb_all", flush_all,
	  KVMX_STATS_TLB },
	{ KVMX_F_VMX_CURRENT, "kvm_intel:vmx_flush_tlb_current",
	  flush_current, KVMX_STATS_TLB },
	{ KVMX_F_VMX_GUEST, "kvm_intel:vmx_flush_tlb_guest", flush_guest,
	  KVMX_STATS_TLB },
	{ KVMX_F_VMX_GVA, "kvm_intel:vmx_flush_tlb_gva", flush_address,
	  KVMX_STATS_TLB },
	{ KVMX_F_SVM_ALL, "kvm_amd:svm_flush_tlb_all", flush_all,
	  KVMX_STATS_TLB },
	{ KVMX_F_SVM_CURRENT, "kvm_amd:svm_flush_tlb_current",
	  flush_current, KVMX_STATS_TLB },
	{ KVMX_F_SVM_ASID, "kvm_amd:svm_flush_tlb_asid", flush_asid,
	  KVMX_STATS_TLB },
	{ KVMX_F_SVM_GVA, "kvm_amd:svm_flush_tlb_gva", flush_address,
	  KVMX_STATS_TLB },
	/* Whose the entries are that kvm_tdp_mmu_spte_changed tells of. */
	{ KVMX_F_SPTE_OF, "kvm:__handle_changed_spte", mmu_changes,
	  KVMX_STATS_MMU, "kvm:handle_changed_spte" },
	{ KVMX_F_RELOG, "kvm:kvm_tdp_mmu_clear_dirty_pt_masked",
	  mmu_relogs, KVMX_STATS_MMU },
	{ KVMX_F_COLLAPSE, "kvm:kvm_mmu_zap_collapsible_sptes",
	  mmu_collapses, KVMX_STATS_MMU, "kvm:kvm_mmu_recover_huge_pages" },
	{ KVMX_F_DROP_ALL, "kvm:kvm_arch_flush_shadow_all", mmu_drops,
	  KVMX_STATS_MMU },
	{ KVMX_F_KICK, "kvm:__kvm_vcpu_kick", kicked, KVMX_WANT_HINTS,
	  "kvm:kvm_vcpu_kick" },
	{ KVMX_F_WAKE_UP, "kvm:kvm_vcpu_wake_up", kicked, KVMX_WANT_HINTS },
	{ KVMX_F_HALT, "kvm:kvm_emulate_halt", halts, KVMX_WANT_HINTS },
	/* Calls that one, or the compiler has put it there. */
	{ KVMX_F_FAST_HALT, "kvm:handle_fastpath_hlt", halts,
	  KVMX_WANT_HINTS },
	{ KVMX_F_DROP_SLOT, "kvm:kvm_arch_flush_shadow_memslot", mmu_drops,
	  KVMX_STATS_MMU },
	{ KVMX_F_SETAFFINITY, "sched_setaffinity", setaffinity,
	  KVMX_WANT_TASKS },
	{ KVMX_F_AFFINITY, "set_cpus_allowed_ptr", affinity, KVMX_WANT_TASKS },
	{ KVMX_F_RUN, "kvm:kvm_arch_vcpu_ioctl_run", vcpu_run, KVMX_WANT_RUN },
};
