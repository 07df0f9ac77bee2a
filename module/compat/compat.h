/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Differences between kernel versions, and nothing else: force-included into
 * every file of the module (Kbuild, -include), so that the rest of the tree is
 * written for the newest kernel and never asks for a version. A shim has the
 * name that the newest kernel uses.
 */
#ifndef KVMX_COMPAT_H
#define KVMX_COMPAT_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "kvmx needs Linux 6.1 or newer (tried: 6.1, 6.12, 7.2, 7.3)"
#endif

#include <linux/types.h>
#include <linux/kconfig.h>

/*
 * The tracepoint sched_process_exit tells since 7.0 whether the last thread of
 * the group ends. kvmx does not need it; its probe has to match all the same.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 0, 0)
#define KVMX_SCHED_PROCESS_EXIT_ARGS \
	void *data, struct task_struct *task, bool group_dead
#else
#define KVMX_SCHED_PROCESS_EXIT_ARGS void *data, struct task_struct *task
#endif

/*
 * Up to some version between 6.1 and 6.12 SVM fires kvm_exit from its exit
 * handler, after interrupts and preemption were enabled again, and not at all
 * for exits that its fastpath answers: the end of guest time is stamped late.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
#define KVMX_SVM_EXIT_IS_LATE 1
#else
#define KVMX_SVM_EXIT_IS_LATE 0
#endif

/*
 * 6.2: what the owner of a thread asked for by sched_setaffinity() is kept, and
 * limits whatever else changes its CPUs. Before, the member is for processors
 * that not every CPU can run 32-bit programs on, and not used on x86.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
#define KVMX_USER_CPUS_ARE_KEPT 1
#define kvmx_user_cpus(task) ((const struct cpumask *)(task)->user_cpus_ptr)
#else
#define KVMX_USER_CPUS_ARE_KEPT 0
#define kvmx_user_cpus(task) ((void)(task), (const struct cpumask *)NULL)
#endif

/* 6.3: flags of a mapping are changed through helpers. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#define vm_flags_set(vma, flags) ((vma)->vm_flags |= (flags))
#define vm_flags_clear(vma, flags) ((vma)->vm_flags &= ~(flags))
#endif

/* 6.7: the id of a CPU's last-level cache is asked for by another name. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
#define per_cpu_llc_id(cpu) get_llc_id(cpu)
#endif

/*
 * From some version between 6.12 and 7.2 on (not searched) a thread whose
 * cgroup has used up its quota is taken off the CPU by itself, and says so.
 * Before, its whole run queue is: then throttled cannot be told from ready.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 0, 0) && \
	IS_ENABLED(CONFIG_CFS_BANDWIDTH)
#define KVMX_THROTTLED_IS_TOLD 1
#define kvmx_task_throttled(task) ((task)->throttled)
#else
#define KVMX_THROTTLED_IS_TOLD 0
#define kvmx_task_throttled(task) ((void)(task), false)
#endif

/*
 * 6.4: threads that vhost makes are marked, as io_uring's are; before, they are
 * threads of the kernel.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
#define PF_USER_WORKER 0
#endif

/*
 * kvm_vcpu.pid: an RCU pointer before 6.13, a plain pointer under the rwlock
 * pid_lock from then on.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#define KVMX_VCPU_PID_LOCK 1
#else
#define KVMX_VCPU_PID_LOCK 0
#endif

/*
 * Pages of the shadow MMU's tables: counted in kvm_arch up to 6.12 at least, in
 * the VM's statistics in 7.2; the boundary was not searched.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 0, 0)
#define KVMX_SHADOW_PAGES(kvm) ((u64)(kvm)->arch.n_used_mmu_pages)
#else
#define KVMX_SHADOW_PAGES(kvm) ((u64)(kvm)->stat.mmu_shadow_pages)
#endif

/*
 * Pages of the TDP MMU's tables: a list in 6.1, a count in 6.12, in 7.3 a count
 * for KVM's own checks only. The boundaries were not searched.
 */
#if defined(CONFIG_KVM_PROVE_MMU) || \
	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0) && \
	 LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0))
#define KVMX_TDP_PAGES_ARE_TOLD 1
#define KVMX_TDP_PAGES(kvm) ((u64)atomic64_read(&(kvm)->arch.tdp_mmu_pages))
#else
#define KVMX_TDP_PAGES_ARE_TOLD 0
#define KVMX_TDP_PAGES(kvm) ((void)(kvm), 0)
#endif

/*
 * Where a guest stands, and whether KVM has that at hand: one of its registers
 * up to 6.12 at least, in 7.2 a member of its own; the boundary was not searched.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 0, 0)
#define KVMX_GUEST_RIP(vcpu) ((vcpu)->arch.regs[VCPU_REGS_RIP])
#define KVMX_GUEST_RIP_IS_KNOWN(vcpu) \
	((vcpu)->arch.regs_avail & BIT(VCPU_REGS_RIP))
#else
#define KVMX_GUEST_RIP(vcpu) ((vcpu)->arch.rip)
#define KVMX_GUEST_RIP_IS_KNOWN(vcpu) \
	test_bit(VCPU_REG_RIP, (vcpu)->arch.regs_avail)
#endif

/*
 * From some version between 6.12 and 7.2 on (not searched) SVM flushes all of a
 * guest's TLB where it used to flush one address, unless it does without NPT.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 0, 0)
#define KVMX_SVM_NO_INVLPGA_WITH_NPT 1
#else
#define KVMX_SVM_NO_INVLPGA_WITH_NPT 0
#endif

/* 6.13: a timer's function is given with the rest. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#define hrtimer_setup(timer, fn, clock, mode)				\
	do {								\
		hrtimer_init(timer, clock, mode);			\
		(timer)->function = (fn);				\
	} while (0)
#endif

/* 6.14: to create a worker and to let it run are two things. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 14, 0)
#define kthread_run_worker kthread_create_worker
#endif

/* 6.12: a thread may have a slice of its own; ns, 0: it has none. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#define KVMX_SLICE_IS_SETTABLE 1
#define kvmx_task_slice(task) \
	((task)->se.custom_slice ? (u64)(task)->se.slice : 0)
#else
#define KVMX_SLICE_IS_SETTABLE 0
#define kvmx_task_slice(task) ((void)(task), (u64)0)
#endif

#endif /* KVMX_COMPAT_H */
