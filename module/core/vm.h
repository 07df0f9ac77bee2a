/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Records of VMs and vCPUs.
 *
 * Lifetime
 *  - A record is ours: it lives on after KVM's structure is gone. KVM's
 *    pointers serve as keys only; `key` becomes NULL when KVM destroys what it
 *    points to, and may be dereferenced only (a) in the vCPU's own thread while
 *    the vCPU is loaded, (b) in the walk while an fd holds the VM, (c) in the
 *    probe that sees it destroyed (core/peek.h).
 *  - A VM's record carries one reference for being alive, dropped by the death
 *    work, and one for each user that asked with kvmx_vm_get*() or holds an fd.
 *  - A vCPU's record belongs to its VM's record: who holds the VM may use all
 *    its vCPUs. The list of vCPUs only grows.
 *  - Probes hold no reference: records are freed after an RCU grace period, and
 *    probes look them up with preemption disabled.
 *
 * Locking
 *  - kvmx_vm_lock (raw, interrupts off) guards the hash tables, the list of
 *    VMs, the lists of vCPUs, `key`, `gone` and the births in flight. Raw,
 *    because birth and death are seen by kprobes.
 *  - Inside it: kvmx_vcpu.lock (raw), which is for core/threads.h: who may
 *    write for this vCPU. Also taken under a run queue's lock.
 *  - kvmx_vm.users, .nr_fds, .group_users, .traced, kvmx_vcpu.counts, .more, .counting, .groups:
 *    see stats/session.h.
 *  - kvmx_vm.hints, kvmx_vcpu.hinter: see hint/policy.c.
 */
#ifndef KVMX_CORE_VM_H
#define KVMX_CORE_VM_H

#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/cpumask.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/percpu.h>
#include <linux/pid.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <asm/barrier.h>
#include <linux/kvmx.h>
#include <linux/kvmx_hint.h>

#include "core/event.h"
#include "core/hot.h"

/* KVMX_STATS_* bits that are defined. */
#define KVMX_NR_GROUPS		4
#define KVMX_ALL_GROUPS		(BIT(KVMX_NR_GROUPS) - 1)

/* What hooks are attached for, besides groups. */
#define KVMX_WANT_COUNTS	BIT(KVMX_NR_GROUPS)	/* somebody counts */
#define KVMX_WANT_TASKS		BIT(KVMX_NR_GROUPS + 1)	/* threads are watched */
#define KVMX_WANT_RUN		BIT(KVMX_NR_GROUPS + 2)	/* who runs a vCPU? */
#define KVMX_WANT_HINTS		BIT(KVMX_NR_GROUPS + 3)	/* a VM may hint */
#define KVMX_NR_WANTS		(KVMX_NR_GROUPS + 4)

/* Operations on mappings, kvmx_vm_cpu.ops[]. */
enum kvmx_mmu_op {
	KVMX_OP_MAPPED,		/* a page was mapped */
	KVMX_OP_ZAPPED,		/* a page is not mapped any more */
	KVMX_OP_SPLIT,		/* a huge page became a table */
	KVMX_OP_COLLAPSED,	/* a table became, or may become, a huge page */
	KVMX_OP_WRITE_PROTECTED, /* a page was writable */
	KVMX_NR_MMU_OPS
};

struct kvm;
struct kvm_vcpu;
struct kvmx_counts;
struct kvmx_hinter;
struct kvmx_more;
struct task_struct;

/**
 * struct kvmx_vcpu - record of a vCPU
 * @key: KVM's vCPU while that exists, NULL afterwards
 * @skip: the same while entries and exits have nothing to do for it: nobody
 *	counts it, and its guest is owed nothing. What entry and exit look at
 *	first (core/fast.c), and no more than a hint: where it is NULL, all the
 *	rest is looked at; see kvmx_vcpu_skip()
 * @counting: its counters while somebody counts, else NULL; read with preemption
 *	disabled
 * @task: the thread whose events count for this vCPU (core/threads.h). It
 *	cannot be gone while it is bound, and is looked into under @lock or by
 *	itself
 * @opaque: nothing may be read from this vCPU but that it left the guest
 *	(protected guest, or a self-check failed); set when a thread is bound
 * @doing: enum kvmx_doing: what it seemed to do when counting began
 * @starved: it should be counted, but there was no memory for its counters;
 *	its next entry tries again
 * @owed: its guest is to be told something at its next entry: see
 *	kvmx_vcpu_owe()
 * @groups: KVMX_STATS_* groups that are counted besides; only while @counting
 * @more: what groups keep, once somebody asked for one, until the record is
 *	freed
 * @hinter: what is known of its hints, once its VM was allowed to give them, until
 *	the record is freed
 * @hot: how its exits take the short way, once it has counters
 * @vm: its VM's record
 * @counts: its counters, once somebody counted, until the record is freed
 * @hash: by @key
 * @task_hash: by @task
 * @lock: orders changes of @task against events of the thread before
 * @link: in kvmx_vm.vcpus, ascending @index
 * @tid: thread that ran it last or created it, referenced; under @lock
 * @tid_ran: it has run it; under @lock
 * @index: KVM's vcpu_idx
 * @id: KVM's vcpu_id
 */
struct kvmx_vcpu {
	struct kvm_vcpu *key;
	const struct kvm_vcpu *skip;
	struct kvmx_counts *counting;
	struct task_struct *task;
	struct kvmx_more *more;
	struct kvmx_vm *vm;
	bool opaque;
	u8 doing;
	bool starved;
	u8 groups;
	u32 index;
	raw_spinlock_t lock;
	bool owed;

	struct kvmx_hinter *hinter;
	struct kvmx_hot *hot;
	struct kvmx_counts *counts;
	struct hlist_node hash;
	struct hlist_node task_hash;
	struct list_head link;
	struct pid *tid;
	u32 id;
	bool tid_ran;
};

static_assert(KVMX_ALL_GROUPS <= U8_MAX);

/**
 * struct kvmx_vm_cpu - what a CPU keeps of a VM
 * @ops: operations on its mappings, by whoever does them there
 * @ran: index, plus one, of its vCPU that entered there last; kept while
 *	KVMX_STATS_TLB is counted
 */
struct kvmx_vm_cpu {
	u64 ops[KVMX_NR_MMU_OPS];
	u32 ran;
};

/**
 * struct kvmx_hints - what hints of its guest a VM may have followed
 * @now: the policy in force
 * @committed: that which comes back when the fd of @owner is closed
 * @owner: an fd that made @now and has not committed it, else NULL
 * @on: some kind is allowed
 */
struct kvmx_hints {
	struct kvmx_hint now;
	struct kvmx_hint committed;
	const void *owner;
	bool on;
};

/**
 * struct kvmx_vm - record of a VM
 * @id: never used twice while the module is loaded
 * @key: KVM's VM while that exists, NULL afterwards
 * @refs: see above
 * @hash: by @key
 * @link: in the list of VMs that are alive, ascending @id
 * @vcpus: records of its vCPUs
 * @nr_vcpus: how many those are
 * @gone: KVM destroyed it
 * @adopted: it is older than our knowledge of it
 * @round: the last walk that saw it (core/discover.c)
 * @pid: process of the VMM, referenced
 * @name: name of that process when it was last seen
 * @born_ns: CLOCK_BOOTTIME of its birth, or of the moment when it was found
 * @users: who has it counted: statistics fds, and policy auto; under the session's
 *	mutex
 * @nr_fds: of these, statistics fds
 * @group_users: of these, such that asked for a group, and trace events; by bit
 *	of KVMX_STATS_*
 * @traced: groups that trace events use; each is in @group_users once
 * @group_since: kvmx_clock() when counting a group was switched on last
 * @mmu_others: operations of which KVM does not tell whose they are, plus one,
 *	when somebody asked first; 0: nobody did. Under the session's mutex
 * @collapser: thread that takes its tables away for huge pages; a key
 * @counting_since: kvmx_clock() when counting was switched on, 0 when off
 * @cpus: for groups that want it, made when the first of them is counted
 * @hints: under the mutex of hint/policy.c
 * @wait: readers that poll for its end
 * @death: tells them, and drops the reference of the living
 * @free: frees the record after a grace period
 */
struct kvmx_vm {
	u64 id;
	struct kvm *key;
	refcount_t refs;
	struct hlist_node hash;
	struct list_head link;
	struct list_head vcpus;
	u32 nr_vcpus;
	bool gone;
	bool adopted;
	u32 round;
	struct pid *pid;
	char name[KVMX_NAME_LEN];
	u64 born_ns;
	unsigned int users;
	unsigned int nr_fds;
	unsigned int group_users[KVMX_NR_GROUPS];
	u32 traced;
	u64 group_since[KVMX_NR_GROUPS];
	u64 counting_since;
	struct kvmx_vm_cpu __percpu *cpus;
	u64 mmu_others;
	const struct task_struct *collapser;
	struct kvmx_hints hints;
	wait_queue_head_t wait;
	struct work_struct death;
	struct rcu_work free;
};

/**
 * struct kvmx_seen - what is copied from KVM when a vCPU is seen
 * @kvm: key of the VM
 * @vcpu: key of the vCPU
 * @index: KVM's vcpu_idx
 * @id: KVM's vcpu_id
 */
struct kvmx_seen {
	struct kvm *kvm;
	struct kvm_vcpu *vcpu;
	u32 index;
	u32 id;
};

extern raw_spinlock_t kvmx_vm_lock;
extern struct workqueue_struct *kvmx_wq;

/*
 * The vCPU that entered last on each CPU: nearly always the next one as well.
 * Never NULL. Written by that CPU only, but for the death work that takes dead
 * records out.
 */
DECLARE_PER_CPU(struct kvmx_vcpu *, kvmx_vcpu_last);
extern struct kvmx_vcpu kvmx_vcpu_none;

/*
 * Of a VM that nobody looks at, while another is counted: this, after the look
 * at kvmx_hot, is all that an entry or exit pays (docs/benchmarks.md).
 */
static __always_inline bool kvmx_vcpu_skipped(const struct kvm_vcpu *vcpu)
{
	return likely(raw_cpu_read(kvmx_vcpu_last)->skip == vcpu);
}

static inline bool kvmx_vcpu_busy(const struct kvmx_vcpu *v)
{
	return READ_ONCE(v->counting) || READ_ONCE(v->starved) ||
	       READ_ONCE(v->owed);
}

/**
 * kvmx_vcpu_skip() - have entries and exits anything to do for a vCPU now?
 * @v: a vCPU of which @key, @counting, @starved or @owed has changed
 *
 * A probe on another CPU may see @skip late, no later than it may see those
 * four: who needs them to be seen waits for a grace period. When @key is used
 * again, it is by another record: here it was taken back at death.
 *
 * Two may come at once, for two of these: who writes @skip looks once more, so
 * that of what makes a vCPU busy nothing is forgotten.
 *
 * Context: kvmx_vm_lock held, or the vCPU's entry.
 */
static inline void kvmx_vcpu_skip(struct kvmx_vcpu *v)
{
	WRITE_ONCE(v->skip, kvmx_vcpu_busy(v) ? NULL : v->key);
	smp_mb();	/* pairs with itself, and with kvmx_vcpu_owe() */
	if (kvmx_vcpu_busy(v))
		WRITE_ONCE(v->skip, NULL);
}

/**
 * kvmx_vcpu_owe() - there is something to be told to a guest that may hint
 * @v: its vCPU, of which the next entry goes the long way
 *
 * Context: any.
 */
static inline void kvmx_vcpu_owe(struct kvmx_vcpu *v)
{
	struct kvmx_hot *hot = READ_ONCE(v->hot);

	WRITE_ONCE(v->owed, true);
	smp_mb();	/* pairs with kvmx_vcpu_skip() */
	WRITE_ONCE(v->skip, NULL);
	if (hot)
		kvmx_hot_disarm(hot);
}

int kvmx_vm_init(void);
void kvmx_vm_exit(void);

/*
 * Making records: allocate where sleeping is allowed, insert with kvmx_vm_lock
 * held and while KVM's structure certainly exists. A spare that was used is
 * set to NULL.
 */
struct kvmx_vm *kvmx_vm_alloc(void);
struct kvmx_vcpu *kvmx_vcpu_alloc(void);
void kvmx_vm_discard(struct kvmx_vm *vm);
void kvmx_vcpu_discard(struct kvmx_vcpu *vcpu);
struct kvmx_vm *kvmx_vm_insert(struct kvm *key, struct kvmx_vm **spare,
			       struct task_struct *owner, bool adopted);
struct kvmx_vcpu *kvmx_vcpu_insert(struct kvmx_vm *vm,
				   const struct kvmx_seen *seen,
				   struct kvmx_vcpu **spare, struct pid *tid);

/* Finding them. */
struct kvmx_vcpu *kvmx_vcpu_find(const struct kvm_vcpu *key);
struct kvmx_vm *kvmx_vm_peek(const struct kvm *key);
struct kvmx_vm *kvmx_vm_get_by_id(u64 id);
struct kvmx_vm *kvmx_vm_get_by_key(const struct kvm *key);
struct kvmx_vm *kvmx_vm_get_by_pid(struct pid *pid);
struct kvmx_vm *kvmx_vm_get_next(u64 after);
struct kvmx_vcpu *kvmx_vm_vcpu(struct kvmx_vm *vm, u32 index);
struct kvmx_vcpu *kvmx_vm_next_vcpu(struct kvmx_vm *vm, struct kvmx_vcpu *prev);
void kvmx_vm_put(struct kvmx_vm *vm);
u32 kvmx_vm_count(void);

/* For core/death.c, with kvmx_vm_lock held. */
struct kvmx_vm *kvmx_vm_find(const struct kvm *key);
struct kvmx_vm *kvmx_vm_first(void);
void kvmx_vm_unlink(struct kvmx_vm *vm);
void kvmx_vcpu_unlink(struct kvmx_vcpu *v);

u64 kvmx_vm_newest(void);
bool kvmx_vm_is_stale(const struct kvmx_seen *seen);

/* What an owner's process is called now, kept up to date in @vm->name. */
void kvmx_vm_refresh_name(struct kvmx_vm *vm);
void kvmx_vm_copy_name(struct kvmx_vm *vm, char to[KVMX_NAME_LEN]);

/**
 * kvmx_vm_post() - an event of a VM
 * @vm: the VM; the caller holds a reference, or kvmx_vm_lock and the VM lives
 * @type: KVMX_EVENT_*
 * @news: what else there is to tell; VM, process and, unless it has one, name
 *	are filled in
 *
 * Context: any.
 */
static inline void kvmx_vm_post(struct kvmx_vm *vm, u32 type,
				struct kvmx_news *news)
{
	news->vm = vm->id;
	news->pid = vm->pid;
	if (!news->name)
		news->name = vm->name;
	kvmx_event_post(type, news);
}

/* Bytes of kvmx_vm.cpus. */
#define KVMX_CPUS_SIZE							\
	((long)(num_possible_cpus() * sizeof(struct kvmx_vm_cpu)))

/* Bytes held for records and counters, all VMs together. */
void kvmx_memory_add(long bytes);
u64 kvmx_memory(void);

#define kvmx_vm_for_each_vcpu(v, vm)				\
	for ((v) = kvmx_vm_next_vcpu((vm), NULL); (v);		\
	     (v) = kvmx_vm_next_vcpu((vm), (v)))

#endif /* KVMX_CORE_VM_H */
