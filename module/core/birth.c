// SPDX-License-Identifier: GPL-2.0-only
#include <linux/lockdep.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/task_work.h>
#include <linux/wait.h>

#include "core/birth.h"
#include "core/hook.h"
#include "core/vm.h"

/**
 * struct birth - a vCPU on its way to a record
 * @work: what runs in the thread
 * @link: in @births while it may still be cancelled
 * @seen: keys and numbers; the vCPU itself is not touched any more
 * @adopted: the vCPU is older than this
 * @cancelled: KVM destroyed it meanwhile
 */
struct birth {
	struct callback_head work;
	struct list_head link;
	struct kvmx_seen seen;
	bool adopted;
	bool cancelled;
};

static LIST_HEAD(births);		/* under kvmx_vm_lock */
static atomic_t inflight;
static bool missed;			/* a birth, for lack of memory */
static DECLARE_WAIT_QUEUE_HEAD(idle);

/**
 * kvmx_birth_miss() - there is a vCPU of which there may be no record
 *
 * Context: any.
 */
void kvmx_birth_miss(void)
{
	WRITE_ONCE(missed, true);
}

/**
 * kvmx_birth_missed() - was a birth missed, for lack of memory?
 *
 * Context: any.
 * Return: true once after each; who cannot do anything about it calls
 *	kvmx_birth_miss() for the next one to try.
 */
bool kvmx_birth_missed(void)
{
	return READ_ONCE(missed) && xchg(&missed, false);
}

static void birth_done(struct birth *b)
{
	kfree(b);
	if (atomic_dec_and_test(&inflight))
		wake_up(&idle);
}

/* Makes both records in one go, so that no death can fall between them. */
static struct kvmx_vm *birth_insert(struct birth *b, struct kvmx_vm **vm_spare,
				    struct kvmx_vcpu **vcpu_spare)
{
	struct kvmx_vm *vm = NULL;
	unsigned long flags;

	raw_spin_lock_irqsave(&kvmx_vm_lock, flags);
	list_del(&b->link);
	if (!b->cancelled) {
		vm = kvmx_vm_insert(b->seen.kvm, vm_spare, current, b->adopted);
		if (vm && !kvmx_vcpu_insert(vm, &b->seen, vcpu_spare,
					    task_pid(current)))
			vm = NULL;
		if (vm)
			refcount_inc(&vm->refs);
		else
			kvmx_birth_miss();
	}
	raw_spin_unlock_irqrestore(&kvmx_vm_lock, flags);
	return vm;
}

static void birth_work(struct callback_head *work)
{
	struct birth *b = container_of(work, struct birth, work);
	struct kvmx_vm *vm_spare = kvmx_vm_alloc();
	struct kvmx_vcpu *vcpu_spare = kvmx_vcpu_alloc();
	struct kvmx_vm *vm = birth_insert(b, &vm_spare, &vcpu_spare);

	if (vm) {
		static_call(kvmx_on_birth)(vm);
		static_call(kvmx_on_vcpu_born)(vm);
		static_call(kvmx_on_hint_birth)(vm);
		kvmx_vm_put(vm);
	}
	kvmx_vm_discard(vm_spare);
	kvmx_vcpu_discard(vcpu_spare);
	birth_done(b);
}

static bool birth_pending(const struct kvm_vcpu *vcpu)
{
	struct birth *b;

	lockdep_assert_held(&kvmx_vm_lock);
	list_for_each_entry(b, &births, link)
		if (b->seen.vcpu == vcpu && !b->cancelled)
			return true;
	return false;
}

/**
 * kvmx_birth_queue() - a vCPU without a record was seen
 * @seen: its keys and numbers
 * @adopted: it is older than this moment
 *
 * Where there is no memory now, the vCPU's next entry that is seen tries again,
 * and so does the next who asks for VMs.
 *
 * Context: a probe, in a thread that will return to user space or enter the
 *	vCPU; preemption disabled.
 */
void kvmx_birth_queue(const struct kvmx_seen *seen, bool adopted)
{
	struct birth *b = kzalloc(sizeof(*b), GFP_ATOMIC | __GFP_NOWARN);
	unsigned long flags;
	bool pending;

	if (!b) {
		kvmx_birth_miss();
		return;
	}
	b->seen = *seen;
	b->adopted = adopted;
	init_task_work(&b->work, birth_work);
	atomic_inc(&inflight);

	raw_spin_lock_irqsave(&kvmx_vm_lock, flags);
	pending = birth_pending(seen->vcpu);
	if (!pending)
		list_add_tail(&b->link, &births);
	raw_spin_unlock_irqrestore(&kvmx_vm_lock, flags);
	if (pending) {
		birth_done(b);
		return;
	}
	if (!task_work_add(current, &b->work, TWA_RESUME))
		return;
	/* The thread is beyond running work: it exits. */
	raw_spin_lock_irqsave(&kvmx_vm_lock, flags);
	list_del(&b->link);
	raw_spin_unlock_irqrestore(&kvmx_vm_lock, flags);
	birth_done(b);
}

/**
 * kvmx_birth_cancel_vcpu() - KVM destroys a vCPU
 * @vcpu: which
 *
 * Context: any.
 */
void kvmx_birth_cancel_vcpu(const struct kvm_vcpu *vcpu)
{
	unsigned long flags;
	struct birth *b;

	raw_spin_lock_irqsave(&kvmx_vm_lock, flags);
	list_for_each_entry(b, &births, link)
		if (b->seen.vcpu == vcpu)
			b->cancelled = true;
	raw_spin_unlock_irqrestore(&kvmx_vm_lock, flags);
}

/**
 * kvmx_birth_cancel_vm() - KVM destroys a VM
 * @kvm: which
 *
 * Context: any.
 */
void kvmx_birth_cancel_vm(const struct kvm *kvm)
{
	unsigned long flags;
	struct birth *b;

	raw_spin_lock_irqsave(&kvmx_vm_lock, flags);
	list_for_each_entry(b, &births, link)
		if (b->seen.kvm == kvm)
			b->cancelled = true;
	raw_spin_unlock_irqrestore(&kvmx_vm_lock, flags);
}

/**
 * kvmx_birth_exit() - wait until no thread has our work any more
 *
 * Bounded: the work was left with threads that were running in the kernel, on
 * their way back to user space or into the guest, and both run it first; a
 * thread that is stopped, frozen or killed runs it before it stops.
 *
 * Context: may sleep; the probes that queue births are gone.
 */
void kvmx_birth_exit(void)
{
	wait_event(idle, !atomic_read(&inflight));
	/* The last instructions of birth_work() may still be running. */
	synchronize_rcu_tasks();
	WARN_ON(!list_empty(&births) || atomic_read(&inflight));
}
