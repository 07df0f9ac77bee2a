// SPDX-License-Identifier: GPL-2.0-only
#include <linux/kvm_host.h>
#include <linux/mm_types.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

#include "core/feature.h"
#include "core/peek.h"
#include "core/vm.h"

#define nofault(dst, src) copy_from_kernel_nofault((dst), (src), sizeof(*(dst)))

static void layout_bad(const char *what)
{
	if (kvmx_feature_state(KVMX_F_LAYOUT) == KVMX_FEATURE_OFF)
		return;
	kvmx_feature_set(KVMX_F_LAYOUT, KVMX_FEATURE_OFF,
			 "self-check failed: %s; built for another kernel?",
			 what);
	pr_warn("kvmx: layout of struct kvm_vcpu: %s does not fit, looking into no vCPU any more\n",
		what);
}

static bool layout_usable(void)
{
	return kvmx_feature_state(KVMX_F_LAYOUT) != KVMX_FEATURE_OFF;
}

/**
 * kvmx_peek_reset() - a new kvm.ko: nothing is known about it yet
 *
 * Context: any; no probe is attached.
 */
void kvmx_peek_reset(void)
{
	if (!kvmx_feature_denied(KVMX_F_LAYOUT))
		kvmx_feature_set(KVMX_F_LAYOUT, KVMX_FEATURE_READY,
				 "checked on the first vCPU that runs while somebody counts");
}

/**
 * kvmx_peek_created() - copy the identity of a vCPU that was just created
 * @vcpu: argument of kvm_arch_vcpu_postcreate()
 * @seen: filled
 *
 * May be the very first look at a vCPU of this kvm.ko: nothing is trusted.
 *
 * Context: kprobe, in the thread that creates the vCPU.
 * Return: true if what was read makes sense.
 */
bool kvmx_peek_created(struct kvm_vcpu *vcpu, struct kvmx_seen *seen)
{
	struct mm_struct *mm;
	int index, id;

	if (!layout_usable())
		return false;
	if (nofault(&seen->kvm, &vcpu->kvm) || nofault(&index, &vcpu->vcpu_idx) ||
	    nofault(&id, &vcpu->vcpu_id) || !seen->kvm ||
	    nofault(&mm, &seen->kvm->mm)) {
		layout_bad("a pointer in a new vCPU");
		return false;
	}
	if (mm != current->mm || index < 0 || index >= KVM_MAX_VCPUS ||
	    id < 0 || id >= KVM_MAX_VCPU_IDS) {
		layout_bad("owner or index of a new vCPU");
		return false;
	}
	seen->vcpu = vcpu;
	seen->index = index;
	seen->id = id;
	return true;
}

/**
 * kvmx_peek_check() - may this vCPU be looked into?
 * @vcpu: argument of kvm_entry or kvm_exit
 * @entering: it is kvm_entry
 *
 * Compares what only the right layout can get right, for each vCPU when a
 * thread is bound to it.
 *
 * Context: kvm_entry or kvm_exit, preemption disabled, the vCPU's thread.
 * Return: true if all checks pass.
 */
bool kvmx_peek_check(struct kvm_vcpu *vcpu, bool entering)
{
	const struct hlist_node *n, *want = &vcpu->preempt_notifier.link;
	struct kvm_vcpu *other;
	struct kvm *kvm;
	bool listed = false;
	int mode;

	if (!layout_usable())
		return false;
	hlist_for_each(n, &current->preempt_notifiers)
		if (n == want)
			listed = true;
	if (!listed) {
		layout_bad("preempt_notifier");
		return false;
	}
	if (nofault(&kvm, &vcpu->kvm) || !virt_addr_valid(vcpu)) {
		layout_bad("kvm");
		return false;
	}
	if (READ_ONCE(kvm->mm) != current->mm) {
		layout_bad("kvm->mm");
		return false;
	}
	/* A kick may have changed the mode before kvm_entry was reached. */
	mode = READ_ONCE(vcpu->mode);
	if (entering && (vcpu->cpu != raw_smp_processor_id() ||
			 (mode != IN_GUEST_MODE &&
			  mode != EXITING_GUEST_MODE))) {
		layout_bad("cpu or mode");
		return false;
	}
	other = kvm_get_vcpu(kvm, vcpu->vcpu_idx);
	/*
	 * Before 6.13 a VMM that guesses the fd may run a vCPU that does not count
	 * as online yet: that says nothing, and the next entry looks again.
	 */
	if (!other && vcpu->vcpu_idx < KVM_MAX_VCPUS)
		return false;
	if (other != vcpu) {
		layout_bad("vcpu_idx");
		return false;
	}
	if (kvmx_feature_state(KVMX_F_LAYOUT) != KVMX_FEATURE_ON)
		kvmx_feature_set(KVMX_F_LAYOUT, KVMX_FEATURE_ON,
				 "checked on a running vCPU");
	return true;
}

/**
 * kvmx_peek_protected() - is the guest's state hidden from the host?
 * @vcpu: a vCPU
 *
 * Context: its own thread, loaded.
 * Return: true for SEV-ES, SEV-SNP and TDX guests.
 */
bool kvmx_peek_protected(const struct kvm_vcpu *vcpu)
{
	return vcpu->arch.guest_state_protected;
}

/* Is a vCPU loaded in this thread? Then it exists, and may be looked into. */
static bool is_loaded(const struct kvm_vcpu *vcpu)
{
	const struct hlist_node *n;

	if (!vcpu || !layout_usable())
		return false;
	hlist_for_each(n, &current->preempt_notifiers)
		if (n == &vcpu->preempt_notifier.link)
			return true;
	return false;
}

/**
 * kvmx_peek_loaded() - may a vCPU that KVM works on be looked into?
 * @vcpu: argument of a function of KVM
 *
 * Says no, and nothing else, where kvmx_peek_check() would find the layout bad:
 * KVM also loads vCPUs in threads that are not their VMM's, at their end.
 *
 * Context: any thread, preemption disabled.
 * Return: true if it is loaded in this thread.
 */
bool kvmx_peek_loaded(const struct kvm_vcpu *vcpu)
{
	struct kvm *kvm;

	return current->mm && is_loaded(vcpu) && !nofault(&kvm, &vcpu->kvm) &&
	       virt_addr_valid(vcpu) && READ_ONCE(kvm->mm) == current->mm;
}

/**
 * kvmx_peek_of() - the vCPU that is loaded in a thread
 * @task: the current thread, or one of which the run queue's lock is held
 *
 * A preempt notifier that belongs to a vCPU of which there is a record.
 *
 * Context: preemption disabled for as long as the result is used.
 * Return: its record; NULL if there is none.
 */
struct kvmx_vcpu *kvmx_peek_of(const struct task_struct *task)
{
	const struct hlist_node *n;
	struct kvmx_vcpu *v = NULL;

	if (!layout_usable())
		return NULL;
	hlist_for_each(n, &task->preempt_notifiers) {
		v = kvmx_vcpu_find(container_of(n, struct kvm_vcpu,
						preempt_notifier.link));
		if (v)
			break;
	}
	return v;
}

/**
 * kvmx_peek_asks() - what KVM knows of flushes of a vCPU's TLB
 * @vcpu: a vCPU
 * @to: filled
 *
 * Context: its own thread, loaded.
 */
void kvmx_peek_asks(const struct kvm_vcpu *vcpu, struct kvmx_asks *to)
{
	const struct kvm_mmu *mmu = vcpu->arch.mmu;

	to->flushes = vcpu->stat.tlb_flush;
	to->remote = READ_ONCE(vcpu->kvm->stat.generic.remote_tlb_flush_requests);
	to->current_asked = test_bit(KVM_REQ_TLB_FLUSH_CURRENT &
				     KVM_REQUEST_MASK, (void *)&vcpu->requests);
	to->root = mmu && VALID_PAGE(mmu->root.hpa);
	to->never = vcpu->arch.last_vmentry_cpu == -1;
	to->cpu = vcpu->cpu;
	to->ran_on = vcpu->arch.last_vmentry_cpu;
}

/**
 * kvmx_peek_exits() - how many exits has KVM counted?
 * @vcpu: the vCPU that this thread ran last; may not exist any more
 * @exits: filled
 *
 * Context: the vCPU's thread, preemption disabled.
 * Return: false where it cannot be known.
 */
bool kvmx_peek_exits(const struct kvm_vcpu *vcpu, u64 *exits)
{
	if (!is_loaded(vcpu))
		return false;
	*exits = vcpu->stat.exits;
	return true;
}

/**
 * kvmx_peek_polls() - what KVM has counted of halt polling
 * @vcpu: the vCPU that this thread ran last; may not exist any more
 * @to: filled
 *
 * Context: the vCPU's thread, preemption disabled.
 * Return: false where it cannot be known.
 */
bool kvmx_peek_polls(const struct kvm_vcpu *vcpu, struct kvmx_polls *to)
{
	if (!is_loaded(vcpu))
		return false;
	to->attempts = vcpu->stat.generic.halt_attempted_poll;
	to->successes = vcpu->stat.generic.halt_successful_poll;
	to->success_ns = vcpu->stat.generic.halt_poll_success_ns;
	to->fail_ns = vcpu->stat.generic.halt_poll_fail_ns;
	to->wait_ns = vcpu->stat.generic.halt_wait_ns;
	return true;
}

/**
 * kvmx_peek_blocking() - does the current thread sleep in kvm_vcpu_block()?
 * @vcpu: the vCPU that this thread ran last; may not exist any more
 *
 * Its preempt notifier on the thread's list says that it is loaded, and so
 * exists; only then it is looked into.
 *
 * Context: the vCPU's thread, preemption disabled; also under a run queue's
 *	lock.
 * Return: true if it does.
 */
bool kvmx_peek_blocking(const struct kvm_vcpu *vcpu)
{
	return is_loaded(vcpu) && READ_ONCE(vcpu->stat.generic.blocking);
}

/**
 * kvmx_peek_enters() - will KVM_RUN get to entering the guest, or to an end?
 * @vcpu: argument of kvm_arch_vcpu_ioctl_run()
 *
 * Otherwise it sleeps first, maybe for ever, without looking at task work. From
 * here on until that look only this thread changes what is read.
 *
 * Context: the beginning of KVM_RUN, in the vCPU's thread, which has its mutex.
 * Return: true if so.
 */
bool kvmx_peek_enters(const struct kvm_vcpu *vcpu)
{
	return layout_usable() &&
	       READ_ONCE(vcpu->arch.mp_state) == KVM_MP_STATE_RUNNABLE &&
	       !vcpu->arch.apf.halted;
}

/**
 * kvmx_peek_sane() - does a VM that was found look like one?
 * @kvm: private_data of a file that KVM opened
 *
 * Context: the walk.
 * Return: true if what was read makes sense.
 */
bool kvmx_peek_sane(struct kvm *kvm)
{
	int users, vcpus;

	if (!layout_usable())
		return false;
	if (nofault(&users, &kvm->users_count.refs.counter) ||
	    nofault(&vcpus, &kvm->online_vcpus.counter) ||
	    users < 1 || vcpus < 0 || vcpus > KVM_MAX_VCPUS) {
		layout_bad("a VM that was found");
		return false;
	}
	return true;
}

/**
 * kvmx_peek_owner() - the process that created a VM
 * @kvm: the VM
 * @seen: a thread that has an fd of it
 *
 * An fd may have been passed on; KVM remembers who made the VM, and that counts
 * as long as it still has the memory which the VM runs on.
 *
 * Context: the walk, inside rcu_read_lock().
 * Return: a thread of the creator if that still exists, else @seen.
 */
struct task_struct *kvmx_peek_owner(struct kvm *kvm, struct task_struct *seen)
{
	struct task_struct *creator;
	pid_t nr = kvm->userspace_pid;
	struct pid *pid;

	if (seen->mm == kvm->mm)
		return seen;
	pid = find_ge_pid(nr, &init_pid_ns);
	if (!pid || pid_nr(pid) != nr)
		return seen;
	creator = pid_task(pid, PIDTYPE_PID);
	return creator && creator->mm == kvm->mm ? creator : seen;
}

/**
 * kvmx_peek_seen() - copy the identity of a vCPU
 * @vcpu: a vCPU
 * @seen: filled
 *
 * Context: its own thread, loaded, or the walk.
 */
void kvmx_peek_seen(struct kvm_vcpu *vcpu, struct kvmx_seen *seen)
{
	seen->kvm = vcpu->kvm;
	seen->vcpu = vcpu;
	seen->index = vcpu->vcpu_idx;
	seen->id = vcpu->vcpu_id;
}

/**
 * kvmx_peek_vm_of() - the VM of a vCPU
 * @vcpu: a vCPU
 *
 * Context: as kvmx_peek_seen().
 * Return: the VM.
 */
struct kvm *kvmx_peek_vm_of(struct kvm_vcpu *vcpu)
{
	return vcpu->kvm;
}

/**
 * kvmx_peek_doing() - what a vCPU seems to do
 * @vcpu: a vCPU of any thread
 *
 * Context: the walk.
 * Return: a guess that may be old when it is used.
 */
enum kvmx_doing kvmx_peek_doing(const struct kvm_vcpu *vcpu)
{
	if (!layout_usable())
		return KVMX_DOING_UNKNOWN;
	if (READ_ONCE(vcpu->stat.generic.blocking))
		return KVMX_DOING_HALTED;
	if (READ_ONCE(vcpu->mode) == IN_GUEST_MODE)
		return KVMX_DOING_GUEST;
	return KVMX_DOING_UNKNOWN;
}

/**
 * kvmx_peek_get_pid() - the thread that ran a vCPU last
 * @vcpu: a vCPU of any thread
 *
 * Context: the walk.
 * Return: a referenced pid, or NULL if it never ran (or its lock is taken).
 */
struct pid *kvmx_peek_get_pid(struct kvm_vcpu *vcpu)
{
	struct pid *pid = NULL;

#if KVMX_VCPU_PID_LOCK
	if (read_trylock(&vcpu->pid_lock)) {
		pid = get_pid(vcpu->pid);
		read_unlock(&vcpu->pid_lock);
	}
#else
	rcu_read_lock();
	pid = get_pid(rcu_dereference(vcpu->pid));
	rcu_read_unlock();
#endif
	return pid;
}

/**
 * kvmx_peek_each_vcpu() - call a function for each vCPU of a VM
 * @kvm: the VM
 * @fn: called with each vCPU; stops where it does not return 0
 * @arg: given to @fn
 *
 * Context: the walk.
 * Return: 0, or what @fn returned.
 */
int kvmx_peek_each_vcpu(struct kvm *kvm,
			int (*fn)(struct kvm_vcpu *vcpu, void *arg), void *arg)
{
	struct kvm_vcpu *vcpu;
	unsigned long i;
	int err;

	if (!layout_usable())
		return 0;
	kvm_for_each_vcpu(i, vcpu, kvm) {
		if (!vcpu)
			continue;
		err = fn(vcpu, arg);
		if (err)
			return err;
	}
	return 0;
}
