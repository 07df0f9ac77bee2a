// SPDX-License-Identifier: GPL-2.0-only
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "core/death.h"
#include "core/hook.h"
#include "core/hot.h"
#include "core/vm.h"

/*
 * No CPU and no thread may find a record of this VM any more once this has
 * returned. Where the end of VMs cannot be seen, one that runs on without an fd
 * may be taken for dead: a probe may have found its vCPU before it was unlinked,
 * and be about to remember it. None does so after a grace period.
 */
static void forget(struct kvmx_vm *vm)
{
	struct kvmx_vcpu *v;
	unsigned long flags;
	int cpu;

	synchronize_rcu();
	raw_spin_lock_irqsave(&kvmx_vm_lock, flags);
	list_for_each_entry(v, &vm->vcpus, link)
		static_call(kvmx_on_death)(v);
	raw_spin_unlock_irqrestore(&kvmx_vm_lock, flags);

	rcu_read_lock();
	for_each_possible_cpu(cpu) {
		struct kvmx_vcpu **p = per_cpu_ptr(&kvmx_vcpu_last, cpu);
		struct kvmx_hot **h = per_cpu_ptr(&kvmx_hot, cpu);
		struct kvmx_hot *hot = READ_ONCE(*h);

		v = READ_ONCE(*p);
		if (v->vm == vm)
			cmpxchg(p, v, &kvmx_vcpu_none);
		if (hot->vcpu && hot->vcpu->vm == vm)
			cmpxchg(h, hot, &kvmx_hot_none);
	}
	rcu_read_unlock();
}

static void bury_work(struct work_struct *work)
{
	struct kvmx_vm *vm = container_of(work, struct kvmx_vm, death);

	wake_up_all(&vm->wait);
	forget(vm);
	static_call(kvmx_on_vm_end)(vm);
	static_call(kvmx_on_hint_end)(vm);
	kvmx_vm_put(vm);
}

/* Whoever waits for the end of a VM is told in task context. */
static void bury(struct kvmx_vm *vm)
{
	INIT_WORK(&vm->death, bury_work);
	queue_work(kvmx_wq, &vm->death);
}

/**
 * kvmx_death_of_vm() - KVM destroys a VM
 * @key: KVM's VM
 *
 * Context: any; no thread can be running one of its vCPUs.
 */
void kvmx_death_of_vm(const struct kvm *key)
{
	struct kvmx_vm *vm;
	unsigned long flags;

	raw_spin_lock_irqsave(&kvmx_vm_lock, flags);
	vm = kvmx_vm_find(key);
	if (vm)
		kvmx_vm_unlink(vm);
	raw_spin_unlock_irqrestore(&kvmx_vm_lock, flags);
	if (vm)
		bury(vm);
}

/**
 * kvmx_death_of_vcpu() - KVM destroys a vCPU
 * @key: KVM's vCPU
 *
 * Context: any; no thread can be running it.
 */
void kvmx_death_of_vcpu(const struct kvm_vcpu *key)
{
	struct kvmx_vcpu *v;
	unsigned long flags;

	raw_spin_lock_irqsave(&kvmx_vm_lock, flags);
	v = kvmx_vcpu_find(key);
	if (v)
		kvmx_vcpu_unlink(v);
	raw_spin_unlock_irqrestore(&kvmx_vm_lock, flags);
}

/**
 * kvmx_death_of_all() - forget every VM: kvm.ko goes, or kvmx itself
 *
 * Context: no probe is attached, or no VM can exist.
 */
void kvmx_death_of_all(void)
{
	struct kvmx_vm *vm;
	unsigned long flags;

	for (;;) {
		raw_spin_lock_irqsave(&kvmx_vm_lock, flags);
		vm = kvmx_vm_first();
		if (vm)
			kvmx_vm_unlink(vm);
		raw_spin_unlock_irqrestore(&kvmx_vm_lock, flags);
		if (!vm)
			return;
		bury(vm);
	}
}

/**
 * kvmx_death_of_unseen() - forget VMs that a walk has not found
 * @round: the walk
 * @newest: the newest VM when it began; later ones it may have missed
 *
 * Only for hosts where the end of VMs cannot be seen.
 *
 * Context: may sleep.
 */
void kvmx_death_of_unseen(u32 round, u64 newest)
{
	struct kvmx_vm *vm;
	u64 id = 0;

	while ((vm = kvmx_vm_get_next(id))) {
		id = vm->id;
		if (id <= newest && READ_ONCE(vm->round) != round)
			kvmx_death_of_vm(vm->key);
		kvmx_vm_put(vm);
	}
}
