// SPDX-License-Identifier: GPL-2.0-only
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kallsyms.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "core/death.h"
#include "core/discover.h"
#include "core/feature.h"
#include "core/kprobes.h"
#include "core/peek.h"
#include "core/vm.h"

/* Enough for most VMs in one go; a larger one takes another round. */
#define SPARES	64

/* One walk over all threads at a time; each has a number. */
static DEFINE_MUTEX(walk_lock);
static u32 round;

/**
 * struct walk - what the walk carries along
 * @task: the thread whose files are looked at
 * @all: all files of the host are looked at
 * @only: look at this VM only, by calling @look
 * @look: called once with the VM, which exists meanwhile
 * @arg: given to @look
 * @found: that was done
 * @vm: spare record of a VM
 * @vcpus: spare records of vCPUs, the first @nr of them used up
 * @nr: see above
 * @out: spares did not suffice: refill, and go on
 * @from: with this fd
 * @fops: what KVM's files were seen to have in this walk: of VMs, of vCPUs
 */
struct walk {
	struct task_struct *task;
	bool all;
	const struct kvm *only;
	void (*look)(struct kvm *kvm, void *arg);
	void *arg;
	bool found;
	struct kvmx_vm *vm;
	struct kvmx_vcpu *vcpus[SPARES];
	unsigned int nr;
	bool out;
	unsigned int from;
	const struct file_operations *fops[2];
};

/*
 * KVM's file operations are static, so they are known by their symbol, once a
 * file has the name that KVM gives. To look a symbol up takes as long as all
 * the rest, so what was found is remembered, but no longer than for one walk:
 * kvm.ko may go and come back elsewhere.
 */
static bool file_is(const struct file *file, const char *prefix,
		    const char *fops, const struct file_operations **known)
{
	char sym[KSYM_SYMBOL_LEN], want[48];
	bool named;

	/* It may be renamed, and the old name goes after a grace period. */
	rcu_read_lock();
	named = !strncmp(READ_ONCE(file->f_path.dentry->d_name.name), prefix,
			 strlen(prefix));
	rcu_read_unlock();
	if (!named)
		return false;
	if (*known)
		return file->f_op == *known;
	sprint_symbol(sym, (unsigned long)file->f_op);
	snprintf(want, sizeof(want), "%s+0x0/", fops);
	if (strncmp(sym, want, strlen(want)) || !strstr(sym, " [kvm]"))
		return false;
	*known = file->f_op;
	return true;
}

static struct kvm *file_vm(struct walk *w, struct file *file)
{
	if (file_is(file, "kvm-vm", "kvm_vm_fops", &w->fops[0]))
		return file->private_data;
	if (file_is(file, "kvm-vcpu:", "kvm_vcpu_fops", &w->fops[1]))
		return kvmx_peek_vm_of(file->private_data);
	return NULL;
}

static int adopt_vcpu(struct kvm_vcpu *vcpu, void *arg)
{
	struct walk *w = arg;
	struct kvmx_seen seen;
	struct kvmx_vcpu **spare;
	struct kvmx_vcpu *v;
	struct kvmx_vm *vm;
	unsigned long flags;
	struct pid *tid;

	if (w->nr == SPARES) {
		w->out = true;
		return 1;
	}
	spare = &w->vcpus[w->nr];
	kvmx_peek_seen(vcpu, &seen);
	tid = kvmx_peek_get_pid(vcpu);
	raw_spin_lock_irqsave(&kvmx_vm_lock, flags);
	vm = kvmx_vm_insert(seen.kvm, &w->vm, w->task, true);
	v = vm ? kvmx_vcpu_insert(vm, &seen, spare, tid) : NULL;
	raw_spin_unlock_irqrestore(&kvmx_vm_lock, flags);
	put_pid(tid);
	if (!v) {
		w->out = true;
		return 1;
	}
	w->nr += !*spare;
	return 0;
}

static int ask_vcpu(struct kvm_vcpu *vcpu, void *arg)
{
	struct kvmx_vcpu *v;

	preempt_disable();
	v = kvmx_vcpu_find(vcpu);
	if (v)
		v->doing = kvmx_peek_doing(vcpu);
	preempt_enable();
	return 0;
}

static int look_at_vm(struct walk *w, struct kvm *kvm)
{
	if (w->only != kvm)
		return 0;
	w->look(kvm, w->arg);
	w->found = true;
	return 1;
}

/* Under the lock of a file table: the fd holds the VM. */
static int walk_file(const void *arg, struct file *file, unsigned int fd)
{
	struct walk *w = (struct walk *)arg;
	struct kvm *kvm = file_vm(w, file);
	struct task_struct *task = w->task;
	struct kvmx_vm *vm;
	unsigned long flags;
	int err;

	if (!kvm || !kvmx_peek_sane(kvm))
		return 0;
	if (w->only)
		return look_at_vm(w, kvm);

	rcu_read_lock();
	w->task = kvmx_peek_owner(kvm, task);
	raw_spin_lock_irqsave(&kvmx_vm_lock, flags);
	vm = kvmx_vm_insert(kvm, &w->vm, w->task, true);
	raw_spin_unlock_irqrestore(&kvmx_vm_lock, flags);
	if (!vm) {
		w->out = true;
		err = 1;
	} else if (w->all && vm->round == READ_ONCE(round)) {
		err = 0;	/* by another of its files, all of it */
	} else {
		err = kvmx_peek_each_vcpu(kvm, adopt_vcpu, w);
		if (!err)
			WRITE_ONCE(vm->round, READ_ONCE(round));
	}
	w->from = fd;
	w->task = task;
	rcu_read_unlock();
	return err;
}

static int walk_fill(struct walk *w)
{
	unsigned int i;

	if (!w->vm)
		w->vm = kvmx_vm_alloc();
	for (i = 0; i < w->nr; i++) {
		w->vcpus[i] = kvmx_vcpu_alloc();
		if (!w->vcpus[i])
			return -ENOMEM;
	}
	w->nr = 0;
	w->out = false;
	return w->vm ? 0 : -ENOMEM;
}

static void walk_free(struct walk *w)
{
	unsigned int i;

	kvmx_vm_discard(w->vm);
	for (i = 0; i < SPARES; i++)
		kvmx_vcpu_discard(w->vcpus[i]);
	kfree(w);
}

static struct walk *walk_alloc(void)
{
	struct walk *w = kzalloc(sizeof(*w), GFP_KERNEL);

	if (!w)
		return NULL;
	w->nr = SPARES;
	if (!walk_fill(w))
		return w;
	walk_free(w);
	return NULL;
}

static void walk_task(struct walk *w, struct task_struct *task)
{
	struct files_struct *files;

	task_lock(task);
	files = task->files;
	/* Threads share their leader's table, as a rule. */
	if (files && (thread_group_leader(task) ||
		      files != READ_ONCE(task->group_leader->files))) {
		w->task = task;
		iterate_fd(files, w->from, walk_file, w);
	}
	task_unlock(task);
}

/* The next thread of the whole host, referenced; short RCU sections only. */
static struct task_struct *task_at(pid_t *nr)
{
	struct task_struct *task = NULL;
	struct pid *pid;

	rcu_read_lock();
	while (!task) {
		pid = find_ge_pid(*nr, &init_pid_ns);
		if (!pid)
			break;
		*nr = pid_nr(pid) + 1;
		task = pid_task(pid, PIDTYPE_PID);
	}
	if (task)
		get_task_struct(task);
	rcu_read_unlock();
	return task;
}

static int walk_all(struct walk *w)
{
	struct task_struct *task;
	pid_t nr = 1;
	int err = 0;

	lockdep_assert_held(&walk_lock);
	while (!err && (task = task_at(&nr))) {
		w->from = 0;
		do {
			if (w->out || !w->vm)
				err = walk_fill(w);
			if (!err)
				walk_task(w, task);
		} while (!err && w->out);
		put_task_struct(task);
		cond_resched();
	}
	return err;
}

/**
 * kvmx_discover_all() - find all VMs of the host
 *
 * Where the end of VMs cannot be seen, this also forgets those that have no
 * open file any more.
 *
 * Missed: VMs all of whose fds are in flight in a socket. They are found at the
 * next entry of one of their vCPUs while probes are attached.
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int kvmx_discover_all(void)
{
	struct walk *w;
	u64 newest;
	int err;

	if (kvmx_feature_denied(KVMX_F_WALK))
		return 0;
	w = walk_alloc();
	if (!w)
		return -ENOMEM;
	w->all = true;
	mutex_lock(&walk_lock);
	WRITE_ONCE(round, round + 1);
	newest = kvmx_vm_newest();
	err = walk_all(w);
	if (!err && !kvmx_kprobes_see_death())
		kvmx_death_of_unseen(round, newest);
	mutex_unlock(&walk_lock);
	walk_free(w);
	if (!err)
		kvmx_feature_set(KVMX_F_WALK, KVMX_FEATURE_ON,
				 "VMs older than kvmx are found by their open files");
	return err;
}

/**
 * kvmx_discover_look() - look into a VM
 * @vm: the VM; the caller holds a reference
 * @look: called once, with KVM's VM held by a file of its owner
 * @arg: given to @look
 *
 * Context: may sleep; @look must not: it runs under a file table's lock.
 * Return: false where the VM is gone, or its owner has no file of it.
 */
bool kvmx_discover_look(struct kvmx_vm *vm,
			void (*look)(struct kvm *kvm, void *arg), void *arg)
{
	struct walk w = {
		.only = READ_ONCE(vm->key), .look = look, .arg = arg,
	};
	struct task_struct *task = get_pid_task(vm->pid, PIDTYPE_TGID);

	if (!task)
		return false;
	if (w.only)
		walk_task(&w, task);
	put_task_struct(task);
	/* Gone meanwhile: then it may have been another at the same address. */
	return w.found && !READ_ONCE(vm->gone);
}

static void ask_vcpus(struct kvm *kvm, void *arg)
{
	kvmx_peek_each_vcpu(kvm, ask_vcpu, arg);
}

/**
 * kvmx_discover_doing() - look what the vCPUs of a VM seem to do now
 * @vm: the VM; the caller holds a reference
 *
 * For vCPUs that nothing has been heard of since counting began: one that is
 * halted may stay so for hours.
 *
 * Context: may sleep. The result is in kvmx_vcpu.doing.
 */
void kvmx_discover_doing(struct kvmx_vm *vm)
{
	struct kvmx_vcpu *v;

	kvmx_vm_for_each_vcpu(v, vm)
		v->doing = KVMX_DOING_UNKNOWN;
	kvmx_discover_look(vm, ask_vcpus, NULL);
}

/**
 * kvmx_discover_file() - the VM of a file descriptor that the caller has
 * @file: any file
 *
 * Context: may sleep; the caller holds the file.
 * Return: the VM's record with a reference, ERR_PTR(-EINVAL) if this is no file
 *	of KVM_CREATE_VM, ERR_PTR(-ENOMEM).
 */
struct kvmx_vm *kvmx_discover_file(struct file *file)
{
	const struct file_operations *fops = NULL;
	struct kvmx_vm *vm;
	struct walk *w;

	if (!file_is(file, "kvm-vm", "kvm_vm_fops", &fops) ||
	    !kvmx_peek_sane(file->private_data))
		return ERR_PTR(-EINVAL);
	vm = kvmx_vm_get_by_key(file->private_data);
	if (vm)
		return vm;
	w = walk_alloc();
	if (!w)
		return ERR_PTR(-ENOMEM);
	for (;;) {
		w->task = current;
		walk_file(w, file, 0);
		if (!w->out || walk_fill(w))
			break;
	}
	vm = w->out ? NULL : kvmx_vm_get_by_key(file->private_data);
	walk_free(w);
	return vm ?: ERR_PTR(-ENOMEM);
}
