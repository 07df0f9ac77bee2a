// SPDX-License-Identifier: GPL-2.0-only
#include <linux/bits.h>
#include <linux/cpumask.h>
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "core/hook.h"
#include "core/vm.h"
#include "stats/mmu.h"

/*
 * Operations on mappings, by what becomes of entries of the page tables. KVM's
 * tracepoint tells of each entry that changes, but not whose it is; functions that
 * are given the VM tell that, just before, in the same thread and under KVM's MMU
 * lock, so on the same CPU.
 */

/* Bits of an entry: KVM's own for "present", the processor's for the others. */
#define PRESENT		BIT_ULL(11)
#define HUGE		BIT_ULL(7)
#define WRITABLE	BIT_ULL(1)
/* EPT without accessed bits: all cleared means "accessed?", not "protected". */
#define ALLOWED		GENMASK_ULL(2, 0)

#define NOTHING		KVMX_NR_MMU_OPS
#define TABLE_GONE	(KVMX_NR_MMU_OPS + 1)

/**
 * struct owner - whose the entries are that change next on a CPU
 * @kvm: the VM's key
 * @task: in this thread
 * @entries: so many of them, or ANY
 *
 * Where a table goes, its own entries change, too: some kernels tell of the table
 * before, some after them.
 */
struct owner {
	const struct kvm *kvm;
	const struct task_struct *task;
	unsigned int entries;
};

#define ANY	UINT_MAX

static DEFINE_PER_CPU(struct owner, owners);
static DEFINE_PER_CPU(u64, unattributed);

/* Of each CPU a figure that only grows, so their sum only grows, too. */
static u64 sum_unattributed(void)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*per_cpu_ptr(&unattributed, cpu));
	return sum;
}

static bool is_page(int level, u64 entry)
{
	return level == 1 || entry & HUGE;
}

static unsigned int page_changed(int level, u64 before, u64 now)
{
	if (!(now & PRESENT))
		return KVMX_OP_ZAPPED;
	if (!is_page(level, now))
		return KVMX_OP_SPLIT;
	if (before & WRITABLE && !(now & WRITABLE) && now & ALLOWED)
		return KVMX_OP_WRITE_PROTECTED;
	return NOTHING;
}

/* What was done to a page, or to a table as a whole. */
static unsigned int op_of(int level, u64 before, u64 now)
{
	if (before & PRESENT && is_page(level, before))
		return page_changed(level, before, now);
	if (before & PRESENT && !(now & PRESENT))
		return TABLE_GONE;
	if (now & PRESENT && is_page(level, now))
		return before & PRESENT ? KVMX_OP_COLLAPSED : KVMX_OP_MAPPED;
	return NOTHING;
}

/* Whose the entry is, according to the function that changes it. */
static const struct kvm *take_owner(void)
{
	struct owner *o = this_cpu_ptr(&owners);

	if (o->task != current || !o->entries)
		return NULL;
	if (o->entries != ANY)
		o->entries--;
	return o->kvm;
}

static void set_owner(const struct kvm *kvm, enum kvmx_mmu_work what)
{
	struct owner *o = this_cpu_ptr(&owners);

	if (o->kvm != kvm || o->task != current || o->entries == ANY)
		*o = (struct owner){ .kvm = kvm, .task = current };
	o->entries = what == KVMX_MMU_RELOGS ? ANY : o->entries + 1;
}

static void ops_change(int level, u64 before, u64 now)
{
	const struct kvm *kvm = take_owner();
	unsigned int op = op_of(level, before, now);
	struct kvmx_vm_cpu __percpu *cpus;
	struct kvmx_vm *vm;

	if (op == NOTHING)
		return;
	if (!kvm) {
		if (op != TABLE_GONE)
			this_cpu_inc(unattributed);
		return;
	}
	vm = kvmx_vm_peek(kvm);
	if (!vm || !READ_ONCE(vm->group_users[ilog2(KVMX_STATS_MMU)]))
		return;
	/* Somebody is just asking for the group: see kvmx_groups_alloc(). */
	cpus = READ_ONCE(vm->cpus);
	if (!cpus)
		return;
	if (op == TABLE_GONE) {
		/* At the end of a VM or slot no huge page takes its place. */
		if (READ_ONCE(vm->collapser) != current)
			return;
		op = KVMX_OP_COLLAPSED;
	}
	this_cpu_inc(cpus->ops[op]);
}

static void ops_work(const struct kvm *kvm, enum kvmx_mmu_work what)
{
	struct kvmx_vm *vm;

	if (what == KVMX_MMU_CHANGES || what == KVMX_MMU_RELOGS) {
		set_owner(kvm, what);
		return;
	}
	vm = kvmx_vm_peek(kvm);
	if (vm)
		WRITE_ONCE(vm->collapser, what == KVMX_MMU_COLLAPSES ?
			   current : NULL);
}

/**
 * kvmx_mmu_ops_start() - somebody wants to know of a VM's operations
 * @vm: the VM
 *
 * Context: the session's mutex held.
 */
void kvmx_mmu_ops_start(struct kvmx_vm *vm)
{
	if (!vm->mmu_others)
		vm->mmu_others = sum_unattributed() + 1;
}

/**
 * kvmx_mmu_ops_read() - operations on a VM's mappings
 * @vm: the VM; the caller holds a reference
 * @to: figures of the VM
 *
 * Context: any.
 */
void kvmx_mmu_ops_read(struct kvmx_vm *vm, struct kvmx_mmu *to)
{
	struct kvmx_vm_cpu __percpu *cpus = READ_ONCE(vm->cpus);
	int i, cpu;

	memset(to->op, 0, sizeof(to->op));
	for_each_possible_cpu(cpu)
		for (i = 0; cpus && i < KVMX_NR_MMU_OPS; i++)
			to->op[i] += READ_ONCE(per_cpu_ptr(cpus, cpu)->ops[i]);
	to->unattributed = sum_unattributed() + 1 - vm->mmu_others;
}

/**
 * kvmx_mmu_ops_init() - listen to what the probes see
 *
 * Context: may sleep, once, at load, before any probe is attached.
 */
void kvmx_mmu_ops_init(void)
{
	static_call_update(kvmx_on_mmu_work, ops_work);
	static_call_update(kvmx_on_mmu_change, ops_change);
}
