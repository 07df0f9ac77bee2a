/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Features: everything that kvmx may or may not be able to do on this host,
 * each with its state and the reason for it. Every part sets its own, KVMX_INFO
 * reads them all. What is missing degrades a figure, never the module.
 */
#ifndef KVMX_CORE_FEATURE_H
#define KVMX_CORE_FEATURE_H

#include <linux/compiler_attributes.h>
#include <linux/types.h>
#include <linux/kvmx.h>

/*
 * The one list: number (never reused), symbol, name as printed. The numbers
 * are part of the ABI.
 */
#define KVMX_FEATURES(X) \
	X(0,  VENDOR,		"vendor")			\
	X(1,  CLOCK,		"tsc_clock")			\
	X(2,  LAYOUT,		"vcpu_layout")			\
	X(3,  VMCB,		"svm_vmcb")			\
	X(4,  VMREAD,		"vmx_vmread")			\
	X(5,  ENTRY,		"kvm_entry")			\
	X(6,  EXIT,		"kvm_exit")			\
	X(7,  USER_EXIT,	"kvm_userspace_exit")		\
	X(8,  FPU,		"kvm_fpu")			\
	X(9,  WAKEUP,		"kvm_vcpu_wakeup")		\
	X(10, SWITCH,		"sched_switch")			\
	X(11, THREAD_EXIT,	"sched_process_exit")		\
	X(12, VCPU_BIRTH,	"kvm_arch_vcpu_postcreate")	\
	X(13, VCPU_DEATH,	"kvm_arch_vcpu_destroy")	\
	X(14, VM_DEATH,		"kvm_arch_destroy_vm")		\
	X(15, WALK,		"vm_walk")			\
	X(16, FAULT,		"kvm_page_fault")		\
	X(17, PV_FLUSH,		"kvm_pv_tlb_flush")		\
	X(18, HV_FLUSH,		"kvm_hv_vcpu_flush_tlb")	\
	X(19, VCPU_LOAD,	"kvm_arch_vcpu_load")		\
	X(20, VCPU_RESET,	"kvm_vcpu_reset")		\
	X(21, MMU_LOAD,		"kvm_mmu_load")			\
	X(22, VMX_ALL,		"vmx_flush_tlb_all")		\
	X(23, VMX_CURRENT,	"vmx_flush_tlb_current")	\
	X(24, VMX_GUEST,	"vmx_flush_tlb_guest")		\
	X(25, VMX_GVA,		"vmx_flush_tlb_gva")		\
	X(26, SVM_ALL,		"svm_flush_tlb_all")		\
	X(27, SVM_CURRENT,	"svm_flush_tlb_current")	\
	X(28, SVM_ASID,		"svm_flush_tlb_asid")		\
	X(29, SVM_GVA,		"svm_flush_tlb_gva")		\
	X(30, SPTE,		"kvm_tdp_mmu_spte_changed")	\
	X(31, SPTE_OF,		"__handle_changed_spte")	\
	X(32, RELOG,		"tdp_mmu_clear_dirty_pt_masked")	\
	X(33, COLLAPSE,		"kvm_mmu_zap_collapsible_sptes") \
	X(34, DROP_ALL,		"kvm_arch_flush_shadow_all")	\
	X(35, DROP_SLOT,	"kvm_arch_flush_shadow_memslot") \
	X(36, TASK_BIRTH,	"task_newtask")			\
	X(37, TASK_RENAME,	"task_rename")			\
	X(38, CPUSET,		"cpuset_cpus_allowed")		\
	X(39, HOTPLUG,		"cpu_hotplug")			\
	X(40, PLACE,		"place")			\
	X(41, SETAFFINITY,	"sched_setaffinity")		\
	X(42, RUN,		"kvm_arch_vcpu_ioctl_run")	\
	X(43, AFFINITY,		"set_cpus_allowed_ptr")		\
	X(46, HYPERCALL,	"kvm_hypercall")		\
	X(47, GUEST_REGS,	"guest_registers")		\
	X(48, WORK_CANCEL,	"task_work_cancel_match")	\
	X(49, HALT,		"kvm_emulate_halt")		\
	X(50, KICK,		"kvm_vcpu_kick")		\
	X(51, WAKE_UP,		"kvm_vcpu_wake_up")		\
	X(52, FAST_HALT,	"handle_fastpath_hlt")

/* Module parameter: features to do without, by name, separated by commas. */
extern char *kvmx_without;

enum kvmx_feature_id {
#define X(n, sym, name) KVMX_F_##sym = (n),
	KVMX_FEATURES(X)
#undef X
	KVMX_NR_FEATURES
};

__printf(3, 4)
void kvmx_feature_set(enum kvmx_feature_id id, u32 state, const char *fmt, ...);
u32 kvmx_feature_state(enum kvmx_feature_id id);
int kvmx_feature_init(void);
bool kvmx_feature_denied(enum kvmx_feature_id id);
void kvmx_feature_get(enum kvmx_feature_id id, struct kvmx_feature *out);

#endif /* KVMX_CORE_FEATURE_H */
