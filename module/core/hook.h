/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the floors above listen to what the probes see. Each is a static call
 * that is empty until somebody registers: no pointer to load, no branch to
 * predict, and the probes know nobody by name.
 */
#ifndef KVMX_CORE_HOOK_H
#define KVMX_CORE_HOOK_H

#include <linux/static_call.h>
#include <linux/types.h>

struct kvmx_vcpu;
struct kvmx_vm;

struct kvm;
struct kvm_vcpu;
struct kvmx_call_args;
struct pid;
struct task_struct;

/*
 * What happens to the thread of a vCPU, besides entry and exit.
 * The argument of the event is in parentheses.
 */
enum kvmx_thread_event {
	KVMX_EV_USER,		/* KVM_RUN returns to the VMM */
	KVMX_EV_RUN,		/* KVM_RUN was called, and the FPU is loaded */
	KVMX_EV_WAKEUP,		/* a halt ended (its length in ns, polling included) */
	KVMX_EV_OUT,		/* taken off the CPU (one of KVMX_OUT_*) */
	KVMX_EV_IN,		/* put on a CPU (run delay of the thread so far, ns) */
	KVMX_EV_END,		/* the thread ends or runs another vCPU */
};

enum kvmx_out {
	KVMX_OUT_PREEMPTED,	/* could have gone on */
	KVMX_OUT_THROTTLED,	/* could have, but for its cgroup's quota */
	KVMX_OUT_HALTED,	/* sleeps in kvm_vcpu_block() */
	KVMX_OUT_WAITS,		/* sleeps for another reason */
};

/**
 * struct kvmx_event - something that happens to the thread of a vCPU
 * @type: what
 * @arg: see there
 * @now: when
 * @other: of KVMX_EV_OUT the thread that gets the CPU, of KVMX_EV_IN the one that
 *	had it, else NULL
 */
struct kvmx_event {
	enum kvmx_thread_event type;
	u64 arg;
	u64 now;
	const struct task_struct *other;
};

/*
 * What KVM is about to do to the TLB entries of a vCPU, or because of which it
 * will. The argument is in parentheses.
 */
enum kvmx_tlb_event {
	KVMX_TLB_LOAD,		/* load the vCPU on a CPU (which) */
	KVMX_TLB_RESET,		/* reset the vCPU */
	KVMX_TLB_PARAVIRTUAL,	/* flush, as its guest asked by KVM's means */
	KVMX_TLB_HYPERV,	/* the same, by Hyper-V's means */
	KVMX_TLB_NEW_ROOT,	/* load page tables, and flush what they make */
	KVMX_TLB_ALL,		/* flush everything */
	KVMX_TLB_CURRENT,	/* what comes from its present page tables */
	KVMX_TLB_GUEST,		/* what its guest has made */
	KVMX_TLB_ADDRESS,	/* one address */
	KVMX_TLB_ASID,		/* SVM: all of these but the last end in this */
};

/**
 * struct kvmx_call_args - a hypercall of a guest
 * @nr: the number, as it stands in RAX
 * @arg: arguments; the upper halves of a 64-bit guest's do not count
 */
struct kvmx_call_args {
	unsigned long nr;
	u32 arg[4];
};

/*
 * Entry and exit run with preemption disabled, in the vCPU's thread. Code is
 * the vendor's exit code, or KVMX_CODE_OPAQUE.
 */
void kvmx_no_entry(struct kvmx_vcpu *vcpu, u64 now);
void kvmx_no_exit(struct kvmx_vcpu *vcpu, u64 code, u64 now);
/* Events: kvmx_vcpu.lock held, interrupts off; IN and OUT under a rq lock. */
void kvmx_no_event(struct kvmx_vcpu *vcpu, const struct kvmx_event *event);
/*
 * The same once more, after the above, for vCPUs of which groups of figures are
 * counted (kvmx_vcpu.groups). @key may be looked into, unless the vCPU's record
 * says opaque.
 */
void kvmx_no_entry_more(struct kvmx_vcpu *vcpu, struct kvm_vcpu *key, u64 now);
void kvmx_no_exit_more(struct kvmx_vcpu *vcpu, struct kvm_vcpu *key, u64 code,
		       u64 now);
void kvmx_no_event_more(struct kvmx_vcpu *vcpu, const struct kvmx_event *event);
/*
 * KVM is about to handle a page fault of the guest, between an exit and the next
 * entry: only while a group is counted that wants to know. Preemption disabled,
 * in the vCPU's thread, which holds the VM's SRCU.
 */
void kvmx_no_fault(struct kvmx_vcpu *vcpu, struct kvm_vcpu *key, u64 address,
		   u64 error);
/*
 * Of the TLB: only while a group is counted that wants to know. Preemption
 * disabled, in the thread that has the vCPU loaded and holds its mutex: entry
 * and exit are not running. @vcpu is NULL if its group is not counted.
 */
void kvmx_no_tlb(struct kvmx_vcpu *vcpu, struct kvm_vcpu *key,
		 enum kvmx_tlb_event what, unsigned long arg);
/*
 * KVM is at work on the second level of page tables of a VM, and after that tells
 * of an entry that changes, without telling whose: only while a group is counted
 * that wants to know. Preemption disabled; KVM's MMU lock may be held. @kvm is a
 * key.
 */
enum kvmx_mmu_work {
	KVMX_MMU_CHANGES,	/* the next entry that changes is this VM's */
	KVMX_MMU_RELOGS,	/* write-protects pages that were written */
	KVMX_MMU_COLLAPSES,	/* takes tables away, for huge pages */
	KVMX_MMU_DROPS,		/* takes tables away, for good */
};

void kvmx_no_mmu_work(const struct kvm *kvm, enum kvmx_mmu_work what);
void kvmx_no_mmu_change(int level, u64 before, u64 now);
/* Birth: task context, may sleep, no lock held. */
void kvmx_no_birth(struct kvmx_vm *vm);
/* The same, for who watches the VM's threads. */
void kvmx_no_vcpu_born(struct kvmx_vm *vm);
/* The end of a VM: a worker, may sleep, no lock held; the record is held. */
void kvmx_no_vm_end(struct kvmx_vm *vm);
/* Death of a vCPU: kvmx_vm_lock held, its thread cannot be in KVM any more. */
void kvmx_no_death(struct kvmx_vcpu *vcpu);
/* A record's memory goes: task context. */
void kvmx_no_free(struct kvmx_vcpu *vcpu);

/*
 * Threads of any process: only while the threads of some VM are watched.
 * Preemption disabled. The parent makes @child, which has not run yet; somebody
 * gives @task another name, perhaps with its alloc_lock held; the current thread
 * ends, or runs a vCPU of which it was not known: @enters tells that it will run
 * task work before it sleeps.
 */
void kvmx_no_newtask(struct task_struct *child);
void kvmx_no_rename(struct task_struct *task, const char *name);
void kvmx_no_end(struct task_struct *task);
void kvmx_no_run(struct kvmx_vcpu *vcpu, bool enters);

/*
 * Somebody changes the CPUs of a thread: asks for that by system call (@nr is the
 * thread in his pid namespace, 0: himself), or does it, be it the kernel itself.
 * Called before it is done; only while a VM is placed. Preemption disabled.
 */
void kvmx_no_setaffinity(pid_t nr);
void kvmx_no_affinity(struct task_struct *task);

/**
 * struct kvmx_born - a thread of a VM that is watched was born
 * @task: the thread
 * @parent: the thread that made it, whose CPUs it has inherited
 * @born_ns: when that was, CLOCK_BOOTTIME
 * @thread_class: KVMX_THREAD_*, by what is known of it by now
 * @kernel: it never runs in user space: the kernel made it
 * @again: that was told before; it may have reset its CPUs since
 */
struct kvmx_born {
	struct task_struct *task;
	struct pid *parent;
	u64 born_ns;
	u32 thread_class;
	bool kernel;
	bool again;
};

/* What comes of these, see core/tasks.h: may sleep, no lock held. */
void kvmx_no_task_born(struct kvmx_vm *vm, const struct kvmx_born *born);
void kvmx_no_task_renamed(struct kvmx_vm *vm, struct task_struct *task,
			  u32 thread_class);
void kvmx_no_task_end(struct kvmx_vm *vm, struct pid *tid);
void kvmx_no_vcpu_thread(struct kvmx_vm *vm, struct kvmx_vcpu *vcpu,
			 struct task_struct *task);
void kvmx_no_tasks_missed(struct kvmx_vm *vm);

/*
 * For hints. The guest calls: preemption disabled, in the vCPU's thread, KVM has
 * not yet looked who calls. An answer is owed: kvm_entry, interrupts off.
 */
void kvmx_no_call(struct kvmx_vcpu *vcpu, struct kvm_vcpu *key,
		  const struct kvmx_call_args *args);
void kvmx_no_owed(struct kvmx_vcpu *vcpu, struct kvm_vcpu *key);
/* The guest halts, and its thread has not gone to sleep: preemption disabled. */
void kvmx_no_halt(struct kvmx_vcpu *vcpu, struct kvm_vcpu *key);
/* An interrupt comes for a guest, or something like it: any thread, preemption disabled. */
void kvmx_no_kick(struct kvmx_vcpu *vcpu);
/*
 * KVMX_EV_OUT, KVMX_EV_IN (under a run queue's lock) and KVMX_EV_USER once more,
 * of vCPUs that have a hinter and are loaded in the thread: interrupts or
 * preemption off, and no lock.
 */
void kvmx_no_event_hint(struct kvmx_vcpu *vcpu, const struct kvmx_event *event);
/*
 * And births, the end of a VM, and a record's memory, once more: task context,
 * may sleep, no lock held.
 */
void kvmx_no_hint_birth(struct kvmx_vm *vm);
void kvmx_no_hint_end(struct kvmx_vm *vm);
void kvmx_no_hint_free(struct kvmx_vcpu *vcpu);

DECLARE_STATIC_CALL(kvmx_on_entry, kvmx_no_entry);
DECLARE_STATIC_CALL(kvmx_on_exit, kvmx_no_exit);
DECLARE_STATIC_CALL(kvmx_on_event, kvmx_no_event);
DECLARE_STATIC_CALL(kvmx_on_entry_more, kvmx_no_entry_more);
DECLARE_STATIC_CALL(kvmx_on_exit_more, kvmx_no_exit_more);
DECLARE_STATIC_CALL(kvmx_on_event_more, kvmx_no_event_more);
DECLARE_STATIC_CALL(kvmx_on_fault, kvmx_no_fault);
DECLARE_STATIC_CALL(kvmx_on_tlb, kvmx_no_tlb);
DECLARE_STATIC_CALL(kvmx_on_mmu_work, kvmx_no_mmu_work);
DECLARE_STATIC_CALL(kvmx_on_mmu_change, kvmx_no_mmu_change);
DECLARE_STATIC_CALL(kvmx_on_birth, kvmx_no_birth);
DECLARE_STATIC_CALL(kvmx_on_death, kvmx_no_death);
DECLARE_STATIC_CALL(kvmx_on_free, kvmx_no_free);
DECLARE_STATIC_CALL(kvmx_on_vcpu_born, kvmx_no_vcpu_born);
DECLARE_STATIC_CALL(kvmx_on_vm_end, kvmx_no_vm_end);
DECLARE_STATIC_CALL(kvmx_on_newtask, kvmx_no_newtask);
DECLARE_STATIC_CALL(kvmx_on_rename, kvmx_no_rename);
DECLARE_STATIC_CALL(kvmx_on_end, kvmx_no_end);
DECLARE_STATIC_CALL(kvmx_on_run, kvmx_no_run);
DECLARE_STATIC_CALL(kvmx_on_setaffinity, kvmx_no_setaffinity);
DECLARE_STATIC_CALL(kvmx_on_affinity, kvmx_no_affinity);
DECLARE_STATIC_CALL(kvmx_on_task_born, kvmx_no_task_born);
DECLARE_STATIC_CALL(kvmx_on_task_renamed, kvmx_no_task_renamed);
DECLARE_STATIC_CALL(kvmx_on_task_end, kvmx_no_task_end);
DECLARE_STATIC_CALL(kvmx_on_vcpu_thread, kvmx_no_vcpu_thread);
DECLARE_STATIC_CALL(kvmx_on_tasks_missed, kvmx_no_tasks_missed);
DECLARE_STATIC_CALL(kvmx_on_call, kvmx_no_call);
DECLARE_STATIC_CALL(kvmx_on_owed, kvmx_no_owed);
DECLARE_STATIC_CALL(kvmx_on_halt, kvmx_no_halt);
DECLARE_STATIC_CALL(kvmx_on_kick, kvmx_no_kick);
DECLARE_STATIC_CALL(kvmx_on_event_hint, kvmx_no_event_hint);
DECLARE_STATIC_CALL(kvmx_on_hint_birth, kvmx_no_hint_birth);
DECLARE_STATIC_CALL(kvmx_on_hint_end, kvmx_no_hint_end);
DECLARE_STATIC_CALL(kvmx_on_hint_free, kvmx_no_hint_free);

/* The code of an exit whose reason may not or cannot be read. */
#define KVMX_CODE_OPAQUE	(~0ULL)

#endif /* KVMX_CORE_HOOK_H */
