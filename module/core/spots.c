// SPDX-License-Identifier: GPL-2.0-only
#include "core/birth.h"
#include "core/death.h"
#include "core/hook.h"
#include "core/kprobes.h"
#include "core/peek.h"
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

#define MMU_WORK(fn, what)						\
	static void fn(void *kvm, unsigned long unused)			\
	{								\
		static_call(kvmx_on_mmu_work)(kvm, KVMX_MMU_##what);	\
	}

MMU_WORK(mmu_changes, CHANGES)
MMU_WORK(mmu_relogs, RELOGS)
MMU_WORK(mmu_collapses, COLLAPSES)
MMU_WORK(mmu_drops, DROPS)

struct kvmx_spot kvmx_spots[KVMX_NR_SPOTS] = {
	/*
	 * Deaths before births: what is born must be seen to die. These two
	 * come first: kvmx_kprobes_see_death() knows them by that.
	 */
	{ KVMX_F_VM_DEATH, "kvm:kvm_arch_destroy_vm", NULL, vm_destroyed },
	{ KVMX_F_VCPU_DEATH, "kvm:kvm_arch_vcpu_destroy", NULL,
	  vcpu_destroyed },
	{ KVMX_F_VCPU_BIRTH, "kvm:kvm_arch_vcpu_postcreate", NULL,
	  vcpu_created },
	/* Whose the entries are that kvm_tdp_mmu_spte_changed tells of. */
	{ KVMX_F_SPTE_OF, "kvm:__handle_changed_spte",
	  "kvm:handle_changed_spte", mmu_changes, KVMX_STATS_MMU },
	{ KVMX_F_RELOG, "kvm:kvm_tdp_mmu_clear_dirty_pt_masked", NULL,
	  mmu_relogs, KVMX_STATS_MMU },
	{ KVMX_F_COLLAPSE, "kvm:kvm_mmu_zap_collapsible_sptes",
	  "kvm:kvm_mmu_recover_huge_pages", mmu_collapses, KVMX_STATS_MMU },
	{ KVMX_F_DROP_ALL, "kvm:kvm_arch_flush_shadow_all", NULL, mmu_drops,
	  KVMX_STATS_MMU },
	{ KVMX_F_DROP_SLOT, "kvm:kvm_arch_flush_shadow_memslot", NULL,
	  mmu_drops, KVMX_STATS_MMU },
};
