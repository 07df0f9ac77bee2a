// SPDX-License-Identifier: GPL-2.0-only
#include <linux/hashtable.h>
#include <linux/lockdep.h>
#include <linux/rculist.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/ktime.h>

#include "core/hook.h"
#include "core/vm.h"

DEFINE_RAW_SPINLOCK(kvmx_vm_lock);
struct workqueue_struct *kvmx_wq;

static DEFINE_HASHTABLE(vm_hash, 8);
static DEFINE_HASHTABLE(vcpu_hash, 10);
static LIST_HEAD(vms);
static u32 nr_vms;
static u64 last_id;
static atomic_long_t memory;

void kvmx_memory_add(long bytes)
{
	atomic_long_add(bytes, &memory);
}

u64 kvmx_memory(void)
{
	return atomic_long_read(&memory);
}

static void vm_free(struct work_struct *work)
{
	struct kvmx_vm *vm = container_of(to_rcu_work(work), typeof(*vm), free);
	struct kvmx_vcpu *v, *next;

	list_for_each_entry_safe(v, next, &vm->vcpus, link) {
		static_call(kvmx_on_free)(v);
		static_call(kvmx_on_hint_free)(v);
		kvmx_vcpu_discard(v);
	}
	kvmx_vm_discard(vm);
}

/**
 * kvmx_vm_alloc() - a record that nobody can find yet
 *
 * Context: may sleep.
 * Return: the record, NULL when out of memory.
 */
struct kvmx_vm *kvmx_vm_alloc(void)
{
	struct kvmx_vm *vm = kzalloc(sizeof(*vm), GFP_KERNEL);

	if (!vm)
		return NULL;
	refcount_set(&vm->refs, 1);
	INIT_LIST_HEAD(&vm->vcpus);
	INIT_LIST_HEAD(&vm->link);
	init_waitqueue_head(&vm->wait);
	INIT_RCU_WORK(&vm->free, vm_free);
	kvmx_memory_add(sizeof(*vm));
	return vm;
}

/**
 * kvmx_vcpu_alloc() - a record that nobody can find yet
 *
 * Context: may sleep.
 * Return: the record, NULL when out of memory.
 */
struct kvmx_vcpu *kvmx_vcpu_alloc(void)
{
	struct kvmx_vcpu *v = kzalloc(sizeof(*v), GFP_KERNEL);

	if (!v)
		return NULL;
	raw_spin_lock_init(&v->lock);
	INIT_HLIST_NODE(&v->hash);
	INIT_HLIST_NODE(&v->task_hash);
	kvmx_memory_add(sizeof(*v));
	return v;
}

void kvmx_vm_discard(struct kvmx_vm *vm)
{
	if (!vm)
		return;
	if (vm->cpus)
		kvmx_memory_add(-KVMX_CPUS_SIZE);
	free_percpu(vm->cpus);
	put_pid(vm->pid);
	kvmx_memory_add(-(long)sizeof(*vm));
	kfree(vm);
}

void kvmx_vcpu_discard(struct kvmx_vcpu *vcpu)
{
	if (!vcpu)
		return;
	put_pid(vcpu->tid);
	kvmx_memory_add(-(long)sizeof(*vcpu));
	kfree(vcpu);
}

/**
 * kvmx_vm_find() - the record of a VM that exists
 * @key: KVM's VM
 *
 * Context: kvmx_vm_lock held.
 * Return: the record, without a reference, or NULL.
 */
struct kvmx_vm *kvmx_vm_find(const struct kvm *key)
{
	struct kvmx_vm *vm;

	lockdep_assert_held(&kvmx_vm_lock);
	hash_for_each_possible(vm_hash, vm, hash, (unsigned long)key)
		if (vm->key == key)
			return vm;
	return NULL;
}

/**
 * kvmx_vm_peek() - the record of a VM that exists, for probes
 * @key: KVM's VM
 *
 * Context: preemption disabled for as long as the result is used.
 * Return: the record, without a reference, or NULL.
 */
struct kvmx_vm *kvmx_vm_peek(const struct kvm *key)
{
	struct kvmx_vm *vm;

	lockdep_assert_preemption_disabled();
	hash_for_each_possible_rcu_notrace(vm_hash, vm, hash,
					   (unsigned long)key)
		if (READ_ONCE(vm->key) == key)
			return vm;
	return NULL;
}

/**
 * kvmx_vm_insert() - find or make the record of a VM
 * @key: KVM's VM, which the caller knows to exist
 * @spare: a record to use if there is none yet; set to NULL when it was used
 * @owner: a thread of the VMM
 * @adopted: the VM is older than this moment
 *
 * Context: kvmx_vm_lock held.
 * Return: the record without a reference; NULL if one is needed and @spare
 *	has none.
 */
struct kvmx_vm *kvmx_vm_insert(struct kvm *key, struct kvmx_vm **spare,
			       struct task_struct *owner, bool adopted)
{
	struct kvmx_vm *vm = kvmx_vm_find(key);

	if (vm || !*spare)
		return vm;
	vm = *spare;
	*spare = NULL;
	vm->id = ++last_id;
	vm->key = key;
	vm->adopted = adopted;
	vm->born_ns = ktime_get_boot_fast_ns();
	vm->pid = get_pid(task_tgid(owner));
	strscpy(vm->name, owner->group_leader->comm, TASK_COMM_LEN);
	hash_add_rcu(vm_hash, &vm->hash, (unsigned long)key);
	list_add_tail(&vm->link, &vms);
	nr_vms++;
	kvmx_vm_post(vm, KVMX_EVENT_VM_BORN, &(struct kvmx_news){});
	return vm;
}

/**
 * kvmx_vcpu_insert() - find or make the record of a vCPU
 * @vm: record of its VM
 * @seen: what was copied from KVM, which still has this vCPU
 * @spare: a record to use if there is none yet; set to NULL when it was used
 * @tid: thread that created it or ran it last, or NULL
 *
 * Context: kvmx_vm_lock held.
 * Return: the record; NULL if one is needed and @spare has none.
 */
struct kvmx_vcpu *kvmx_vcpu_insert(struct kvmx_vm *vm,
				   const struct kvmx_seen *seen,
				   struct kvmx_vcpu **spare, struct pid *tid)
{
	struct kvmx_vcpu *v = kvmx_vcpu_find(seen->vcpu);
	struct list_head *after = &vm->vcpus;
	struct kvmx_vcpu *other;

	lockdep_assert_held(&kvmx_vm_lock);
	if (v || !*spare)
		return v;
	v = *spare;
	*spare = NULL;
	v->vm = vm;
	v->index = seen->index;
	v->id = seen->id;
	v->tid = get_pid(tid);
	v->key = seen->vcpu;
	v->skip = v->key;
	list_for_each_entry(other, &vm->vcpus, link) {
		if (other->index > v->index)
			break;
		after = &other->link;
	}
	list_add_rcu(&v->link, after);
	WRITE_ONCE(vm->nr_vcpus, vm->nr_vcpus + 1);
	hash_add_rcu(vcpu_hash, &v->hash, (unsigned long)v->key);
	return v;
}

/**
 * kvmx_vcpu_find() - the record of a vCPU that exists
 * @key: KVM's vCPU
 *
 * Context: kvmx_vm_lock held, or preemption disabled for as long as the result
 *	is used.
 * Return: the record or NULL.
 */
struct kvmx_vcpu *kvmx_vcpu_find(const struct kvm_vcpu *key)
{
	struct kvmx_vcpu *v;

	lockdep_assert_preemption_disabled();
	hash_for_each_possible_rcu_notrace(vcpu_hash, v, hash,
					   (unsigned long)key)
		if (READ_ONCE(v->key) == key)
			return v;
	return NULL;
}

struct kvmx_vm *kvmx_vm_get_by_id(u64 id)
{
	struct kvmx_vm *vm, *found = NULL;
	unsigned long flags;

	raw_spin_lock_irqsave(&kvmx_vm_lock, flags);
	list_for_each_entry(vm, &vms, link) {
		if (vm->id == id) {
			refcount_inc(&vm->refs);
			found = vm;
			break;
		}
	}
	raw_spin_unlock_irqrestore(&kvmx_vm_lock, flags);
	return found;
}

struct kvmx_vm *kvmx_vm_get_by_key(const struct kvm *key)
{
	struct kvmx_vm *vm;
	unsigned long flags;

	raw_spin_lock_irqsave(&kvmx_vm_lock, flags);
	vm = kvmx_vm_find(key);
	if (vm)
		refcount_inc(&vm->refs);
	raw_spin_unlock_irqrestore(&kvmx_vm_lock, flags);
	return vm;
}

/**
 * kvmx_vm_get_by_pid() - the one VM of a process
 * @pid: the process
 *
 * Context: any.
 * Return: the record with a reference, ERR_PTR(-ENOENT) if the process has no
 *	VM, ERR_PTR(-ENOTUNIQ) if it has several.
 */
struct kvmx_vm *kvmx_vm_get_by_pid(struct pid *pid)
{
	struct kvmx_vm *vm, *found = ERR_PTR(-ENOENT);
	unsigned long flags;

	raw_spin_lock_irqsave(&kvmx_vm_lock, flags);
	list_for_each_entry(vm, &vms, link) {
		if (vm->pid != pid)
			continue;
		if (!IS_ERR(found)) {
			found = ERR_PTR(-ENOTUNIQ);
			break;
		}
		found = vm;
	}
	if (!IS_ERR(found))
		refcount_inc(&found->refs);
	raw_spin_unlock_irqrestore(&kvmx_vm_lock, flags);
	return found;
}

/**
 * kvmx_vm_get_next() - walk over the VMs that are alive
 * @after: id of the VM before, 0 to begin
 *
 * Context: any.
 * Return: the next record with a reference, NULL at the end.
 */
struct kvmx_vm *kvmx_vm_get_next(u64 after)
{
	struct kvmx_vm *vm, *found = NULL;
	unsigned long flags;

	raw_spin_lock_irqsave(&kvmx_vm_lock, flags);
	list_for_each_entry(vm, &vms, link) {
		if (vm->id > after) {
			refcount_inc(&vm->refs);
			found = vm;
			break;
		}
	}
	raw_spin_unlock_irqrestore(&kvmx_vm_lock, flags);
	return found;
}

/**
 * kvmx_vm_next_vcpu() - walk over the vCPUs of a VM
 * @vm: the VM; the caller holds a reference
 * @prev: the vCPU before, NULL to begin
 *
 * Context: any; vCPUs are never taken out while there is a reference.
 * Return: the next record, NULL at the end.
 */
struct kvmx_vcpu *kvmx_vm_next_vcpu(struct kvmx_vm *vm, struct kvmx_vcpu *prev)
{
	struct kvmx_vcpu *v;

	rcu_read_lock();
	v = list_next_or_null_rcu(&vm->vcpus, prev ? &prev->link : &vm->vcpus,
				  struct kvmx_vcpu, link);
	rcu_read_unlock();
	return v;
}

struct kvmx_vcpu *kvmx_vm_vcpu(struct kvmx_vm *vm, u32 index)
{
	struct kvmx_vcpu *v;

	kvmx_vm_for_each_vcpu(v, vm)
		if (v->index == index)
			return v;
	return NULL;
}

void kvmx_vm_put(struct kvmx_vm *vm)
{
	if (vm && refcount_dec_and_test(&vm->refs))
		queue_rcu_work(kvmx_wq, &vm->free);
}

u32 kvmx_vm_count(void)
{
	return READ_ONCE(nr_vms);
}

/**
 * kvmx_vcpu_unlink() - a vCPU is not found by its key any more
 * @v: its record
 *
 * Context: kvmx_vm_lock held.
 */
void kvmx_vcpu_unlink(struct kvmx_vcpu *v)
{
	lockdep_assert_held(&kvmx_vm_lock);
	if (!v->key)
		return;
	static_call(kvmx_on_death)(v);
	WRITE_ONCE(v->key, NULL);
	kvmx_vcpu_skip(v);
	hash_del_rcu(&v->hash);
}

/**
 * kvmx_vm_unlink() - a VM and its vCPUs are not found any more
 * @vm: its record, which is among the living
 *
 * Context: kvmx_vm_lock held. The caller takes over the reference that the
 *	record held for being alive.
 */
void kvmx_vm_unlink(struct kvmx_vm *vm)
{
	struct kvmx_vcpu *v;

	lockdep_assert_held(&kvmx_vm_lock);
	list_for_each_entry(v, &vm->vcpus, link)
		kvmx_vcpu_unlink(v);
	WRITE_ONCE(vm->key, NULL);
	hash_del_rcu(&vm->hash);
	list_del_init(&vm->link);
	nr_vms--;
	WRITE_ONCE(vm->gone, true);
	kvmx_vm_post(vm, KVMX_EVENT_VM_DIED, &(struct kvmx_news){});
}

/**
 * kvmx_vm_first() - any VM that is alive
 *
 * Context: kvmx_vm_lock held.
 * Return: the record, without a reference, or NULL.
 */
struct kvmx_vm *kvmx_vm_first(void)
{
	lockdep_assert_held(&kvmx_vm_lock);
	return list_first_entry_or_null(&vms, struct kvmx_vm, link);
}

/* Id of the newest VM that there ever was. */
u64 kvmx_vm_newest(void)
{
	unsigned long flags;
	u64 id;

	raw_spin_lock_irqsave(&kvmx_vm_lock, flags);
	id = last_id;
	raw_spin_unlock_irqrestore(&kvmx_vm_lock, flags);
	return id;
}

/**
 * kvmx_vm_is_stale() - does a record describe an earlier VM at this address?
 * @seen: a vCPU that was just created
 *
 * Context: any.
 * Return: true if the VM's record already has another vCPU of this index.
 */
bool kvmx_vm_is_stale(const struct kvmx_seen *seen)
{
	struct kvmx_vcpu *v;
	struct kvmx_vm *vm;
	unsigned long flags;
	bool stale = false;

	raw_spin_lock_irqsave(&kvmx_vm_lock, flags);
	vm = kvmx_vm_find(seen->kvm);
	if (vm)
		list_for_each_entry(v, &vm->vcpus, link)
			if (v->index == seen->index)
				stale = true;
	raw_spin_unlock_irqrestore(&kvmx_vm_lock, flags);
	return stale;
}

/**
 * kvmx_vm_refresh_name() - look what the VMM's process is called now
 * @vm: the VM; the caller holds a reference
 *
 * A process may rename itself (QEMU does, with -name process=). Once it has
 * ended the last name stays.
 *
 * Context: may sleep.
 */
void kvmx_vm_refresh_name(struct kvmx_vm *vm)
{
	struct task_struct *task = get_pid_task(vm->pid, PIDTYPE_TGID);
	char comm[TASK_COMM_LEN];
	unsigned long flags;

	if (!task)
		return;
	get_task_comm(comm, task);
	put_task_struct(task);
	raw_spin_lock_irqsave(&kvmx_vm_lock, flags);
	strscpy(vm->name, comm, sizeof(vm->name));
	raw_spin_unlock_irqrestore(&kvmx_vm_lock, flags);
}

void kvmx_vm_copy_name(struct kvmx_vm *vm, char to[KVMX_NAME_LEN])
{
	unsigned long flags;

	raw_spin_lock_irqsave(&kvmx_vm_lock, flags);
	memcpy(to, vm->name, KVMX_NAME_LEN);
	raw_spin_unlock_irqrestore(&kvmx_vm_lock, flags);
}

int kvmx_vm_init(void)
{
	kvmx_wq = alloc_workqueue("kvmx", WQ_UNBOUND, 0);
	return kvmx_wq ? 0 : -ENOMEM;
}

/**
 * kvmx_vm_exit() - the last records go
 *
 * Context: may sleep; no probe is attached, nobody holds a reference, and all
 *	VMs were killed.
 */
void kvmx_vm_exit(void)
{
	flush_workqueue(kvmx_wq);	/* deaths drop the last references */
	rcu_barrier();			/* queued rcu_work reaches the queue */
	destroy_workqueue(kvmx_wq);
	WARN_ON(!list_empty(&vms) || nr_vms);
	WARN_ON(!hash_empty(vcpu_hash) || !hash_empty(vm_hash));
	WARN_ON(kvmx_memory());
}
