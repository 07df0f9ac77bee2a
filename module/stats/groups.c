// SPDX-License-Identifier: GPL-2.0-only
#include <linux/bitops.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/vmalloc.h>
#include <asm/cpufeature.h>

#include "core/exit.h"
#include "core/hook.h"
#include "core/peek.h"
#include "core/vm.h"
#include "stats/counts.h"
#include "stats/groups.h"
#include "stats/schema.h"
#include "stats/seq.h"

static void groups_entry(struct kvmx_vcpu *v, struct kvm_vcpu *key, u64 now)
{
	u32 groups = READ_ONCE(v->groups);
	struct kvmx_data *d = v->counts->data;

	if (groups & KVMX_STATS_SCHED)
		kvmx_runq_entry(v, &v->more->sched, &d->sched, now);
	if (groups & KVMX_STATS_MMU)
		kvmx_mmu_entry(v, &v->more->mmu, key, now);
	if (groups & KVMX_STATS_IO)
		kvmx_io_entry(&v->more->io, &d->io, now);
	if (groups & KVMX_STATS_TLB)
		kvmx_tlb_entry(v, &v->more->tlb, key, now);
}

/* Of an exit of which nothing may be read, a fault tells what it was. */
static struct kvmx_look look_at(struct kvm_vcpu *key, u64 code)
{
	if (code == KVMX_CODE_OPAQUE)
		return (struct kvmx_look){ .about = KVMX_ABOUT_FAULT };
	return boot_cpu_has(X86_FEATURE_SVM) ? kvmx_svm_look(key, code) :
					       kvmx_vmx_look(code);
}

static void groups_exit(struct kvmx_vcpu *v, struct kvm_vcpu *key, u64 code,
			u64 now)
{
	u32 groups = READ_ONCE(v->groups);
	struct kvmx_data *d = v->counts->data;
	enum kvmx_tlb_fate tlb = KVMX_TLB_FATE_UNKNOWN;
	struct kvmx_look look;

	if (groups & KVMX_STATS_TLB) {
		kvmx_tlb_exit(v, &v->more->tlb, key, code, now);
		tlb = v->more->tlb.fate;
	}
	if (groups & KVMX_STATS_SCHED)
		kvmx_runq_exit(v, &v->more->sched, &d->sched, code, tlb);
	if (!(groups & (KVMX_STATS_MMU | KVMX_STATS_IO)))
		return;
	look = look_at(key, code);
	if (groups & KVMX_STATS_MMU)
		kvmx_mmu_exit(v, &v->more->mmu, key, &look, now);
	if (groups & KVMX_STATS_IO)
		kvmx_io_exit(&v->more->io, &d->io, &look, now);
}

static void groups_fault(struct kvmx_vcpu *v, struct kvm_vcpu *key, u64 address,
			 u64 error)
{
	u32 groups = READ_ONCE(v->groups);
	struct kvmx_data *d = v->counts->data;
	enum kvmx_slot_kind slot = KVMX_SLOT_UNKNOWN;

	if (!v->opaque)
		slot = kvmx_peek_slot(key, address);
	if (groups & KVMX_STATS_MMU)
		kvmx_mmu_fault(v, &v->more->mmu, key, &(struct kvmx_violation){
			       .address = address, .error = error,
			       .slot = slot });
	if (groups & KVMX_STATS_IO && slot == KVMX_SLOT_NONE)
		kvmx_io_hole(&v->more->io, &d->io, address);
}

static void groups_event(struct kvmx_vcpu *v, const struct kvmx_event *e)
{
	u32 groups = READ_ONCE(v->groups);
	struct kvmx_data *d = v->counts->data;

	if (groups & KVMX_STATS_SCHED)
		kvmx_runq_event(v, &v->more->sched, &d->sched, e);
	if (groups & KVMX_STATS_TLB)
		kvmx_tlb_event(&v->more->tlb, e);
}

static void groups_tlb(struct kvmx_vcpu *v, struct kvm_vcpu *key,
		       enum kvmx_tlb_event what, unsigned long arg)
{
	kvmx_tlb_told(v, v ? &v->more->tlb : NULL, key, what, arg);
}

static int alloc_cpus(struct kvmx_vm *vm)
{
	struct kvmx_vm_cpu __percpu *cpus;

	if (vm->cpus)
		return 0;
	cpus = alloc_percpu(struct kvmx_vm_cpu);
	if (!cpus)
		return -ENOMEM;
	kvmx_memory_add(KVMX_CPUS_SIZE);
	/* The group mmu does not wait for it (stats/mmu_ops.c). */
	smp_store_release(&vm->cpus, cpus);
	return 0;
}

/**
 * kvmx_groups_alloc() - memory for what groups keep of a vCPU
 * @v: the vCPU
 * @groups: KVMX_STATS_* groups that are to be counted
 *
 * Context: may sleep; the session's mutex held.
 * Return: 0 or -ENOMEM.
 */
int kvmx_groups_alloc(struct kvmx_vcpu *v, u32 groups)
{
	if (groups & (KVMX_STATS_TLB | KVMX_STATS_MMU) && alloc_cpus(v->vm))
		return -ENOMEM;
	if (!groups || v->more)
		return 0;
	v->more = vzalloc(sizeof(*v->more));
	if (!v->more)
		return -ENOMEM;
	kvmx_memory_add(PAGE_ALIGN(sizeof(*v->more)));
	return 0;
}

/**
 * kvmx_groups_free() - the record of a vCPU goes
 * @v: the vCPU
 *
 * Context: may sleep.
 */
void kvmx_groups_free(struct kvmx_vcpu *v)
{
	if (!v->more)
		return;
	kvmx_memory_add(-(long)PAGE_ALIGN(sizeof(*v->more)));
	vfree(v->more);
}

/**
 * kvmx_groups_start() - count groups from now on
 * @v: a vCPU that is counted, with memory for groups
 * @groups: KVMX_STATS_* groups that nobody counts for it yet
 * @now: when
 *
 * Context: kvmx_vm_lock held.
 */
void kvmx_groups_start(struct kvmx_vcpu *v, u32 groups, u64 now)
{
	struct kvmx_data *d = v->counts->data;
	unsigned int i;

	lockdep_assert_held(&kvmx_vm_lock);
	groups &= ~v->groups;
	if (!groups)
		return;
	for (i = 0; i < KVMX_NR_GROUPS; i++) {
		struct kvmx_group_head *head = (void *)d + kvmx_groups[i].offset;

		if (!(groups & kvmx_groups[i].bit))
			continue;
		kvmx_seq_begin(&head->seq);
		head->since = now;
		kvmx_seq_end(&head->seq);
	}
	if (groups & KVMX_STATS_SCHED)
		kvmx_runq_start(&v->more->sched);
	if (groups & KVMX_STATS_MMU)
		kvmx_mmu_start(&v->more->mmu);
	if (groups & KVMX_STATS_IO)
		kvmx_io_start(&v->more->io);
	if (groups & KVMX_STATS_TLB)
		kvmx_tlb_start(&v->more->tlb);
	/* Probes on other CPUs see all of the above when they see this. */
	smp_store_release(&v->groups, v->groups | groups);
	kvmx_counts_disarm(v);
}

/**
 * kvmx_groups_init() - listen to what the probes see
 *
 * Context: may sleep, once, at load, before any probe is attached.
 */
void kvmx_groups_init(void)
{
	static_call_update(kvmx_on_entry_more, groups_entry);
	static_call_update(kvmx_on_exit_more, groups_exit);
	static_call_update(kvmx_on_event_more, groups_event);
	static_call_update(kvmx_on_fault, groups_fault);
	kvmx_mmu_ops_init();
	static_call_update(kvmx_on_tlb, groups_tlb);
}
