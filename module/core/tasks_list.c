// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who is there, and what for.
 */
#include <linux/bsearch.h>
#include <linux/kstrtox.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/preempt.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>

#include "core/discover.h"
#include "core/peek.h"
#include "core/tasks.h"
#include "core/tasks_errand.h"
#include "core/threads.h"
#include "core/vm.h"

#define VHOST	"vhost-"

/* Does it never run in user space? */
bool kvmx_task_kernel(const struct task_struct *task)
{
	return task->flags & (PF_KTHREAD | PF_IO_WORKER | PF_USER_WORKER);
}

/**
 * kvmx_task_owner() - the process that a thread of the kernel works for
 * @name: what the thread is called
 *
 * As a rule vhost makes threads of the VMM's process; in 6.1, and in later kernels
 * where that is asked for, threads of the kernel, named after the thread that
 * asked for them.
 *
 * Context: rcu_read_lock() held for as long as the result is used.
 * Return: the process or NULL.
 */
struct pid *kvmx_task_owner(const char *name)
{
	struct task_struct *task;
	int nr;

	if (strncmp(name, VHOST, strlen(VHOST)) ||
	    kstrtoint(name + strlen(VHOST), 10, &nr))
		return NULL;
	task = pid_task(find_pid_ns(nr, &init_pid_ns), PIDTYPE_PID);
	return task ? task_tgid(task) : NULL;
}

static u32 class_of(struct kvmx_vm *vm, struct task_struct *task,
		    const char *name, u32 vcpu)
{
	unsigned int is = 0;

	if (vcpu != KVMX_NO_VCPU)
		is |= KVMX_IS_VCPU;
	if (task_pid(task) == vm->pid)
		is |= KVMX_IS_FIRST;
	if (task->flags & PF_IO_WORKER)
		is |= KVMX_IS_IO_WORKER;
	if (task->flags & PF_KTHREAD)
		is |= KVMX_IS_KTHREAD;
	return kvmx_class_of(name, is);
}

/* As kvmx_tasks_class(), for a thread that is about to be called @name. */
u32 kvmx_task_class(struct kvmx_vm *vm, struct task_struct *task,
		    const char *name, u32 *vcpu)
{
	const struct pid *tid = task_pid(task);
	struct kvmx_vcpu *v;

	*vcpu = KVMX_NO_VCPU;
	kvmx_vm_for_each_vcpu(v, vm) {
		if (tid && READ_ONCE(v->tid) == tid && READ_ONCE(v->tid_ran)) {
			*vcpu = v->index;
			break;
		}
	}
	return class_of(vm, task, name, *vcpu);
}

/**
 * kvmx_tasks_class() - what a thread of a VM is for
 * @vm: the VM; the caller holds a reference
 * @task: the thread
 * @vcpu: set to the index of the vCPU that it runs, or KVMX_NO_VCPU
 *
 * Context: no lock of the scheduler's held.
 * Return: KVMX_THREAD_*.
 */
u32 kvmx_tasks_class(struct kvmx_vm *vm, struct task_struct *task, u32 *vcpu)
{
	char name[TASK_COMM_LEN];

	get_task_comm(name, task);
	return kvmx_task_class(vm, task, name, vcpu);
}

static bool pid_lives(struct pid *pid)
{
	struct task_struct *task;
	bool lives;

	rcu_read_lock();
	task = pid_task(pid, PIDTYPE_PID);
	lives = task && !(task->flags & PF_EXITING);
	rcu_read_unlock();
	return lives;
}

/* Under the lock of a file table. */
static int look_at_vcpu(struct kvm_vcpu *vcpu, void *arg)
{
	struct pid *pid = kvmx_peek_get_pid(vcpu);
	struct kvmx_vcpu *v;
	bool *news = arg;

	if (!pid)
		return 0;
	preempt_disable();
	v = kvmx_vcpu_find(vcpu);
	if (v && pid_lives(pid))
		*news |= kvmx_threads_ran(v, pid);
	preempt_enable();
	put_pid(pid);
	return 0;
}

static void look_at_vm(struct kvm *kvm, void *arg)
{
	kvmx_peek_each_vcpu(kvm, look_at_vcpu, arg);
}

/**
 * kvmx_tasks_look() - ask KVM which threads run the vCPUs of a VM
 * @vm: the VM; the caller holds a reference
 *
 * Context: may sleep.
 * Return: true if something was not known.
 */
bool kvmx_tasks_look(struct kvmx_vm *vm)
{
	struct kvmx_vcpu *v;
	bool news = false;
	struct pid *tid;

	kvmx_vm_for_each_vcpu(v, vm) {
		tid = kvmx_threads_get_tid(v);
		if (!pid_lives(tid))
			kvmx_threads_left(v, tid);
		put_pid(tid);
	}
	kvmx_discover_look(vm, look_at_vm, &news);
	return news;
}

/**
 * struct runner - the thread of a vCPU
 * @tid: as a key
 * @index: of the vCPU
 */
struct runner {
	const struct pid *tid;
	u32 index;
};

/**
 * struct listing - threads, while they are being listed
 * @vm: of this VM
 * @runners: threads of its vCPUs, sorted
 * @nr_runners: how many those are
 * @task: the list
 * @room: how many fit
 * @nr: how many there are
 */
struct listing {
	struct kvmx_vm *vm;
	struct runner *runners;
	unsigned int nr_runners;
	struct kvmx_task *task;
	unsigned int room;
	unsigned int nr;
};

static int tid_cmp(const void *a, const void *b)
{
	const struct runner *x = a, *y = b;

	if (x->tid != y->tid)
		return x->tid < y->tid ? -1 : 1;
	return 0;
}

static int runner_cmp(const void *a, const void *b)
{
	const struct runner *x = a, *y = b;

	return tid_cmp(a, b) ?: (int)x->index - (int)y->index;
}

static int list_runners(struct listing *l)
{
	unsigned int room = READ_ONCE(l->vm->nr_vcpus);
	struct kvmx_vcpu *v;

	l->runners = kvcalloc(room ?: 1, sizeof(*l->runners), GFP_KERNEL);
	if (!l->runners)
		return -ENOMEM;
	kvmx_vm_for_each_vcpu(v, l->vm) {
		if (l->nr_runners == room)
			break;
		if (!READ_ONCE(v->key) || !READ_ONCE(v->tid_ran))
			continue;
		l->runners[l->nr_runners++] = (struct runner){
			.tid = READ_ONCE(v->tid), .index = v->index,
		};
	}
	sort(l->runners, l->nr_runners, sizeof(*l->runners), runner_cmp, NULL);
	return 0;
}

/* Of several vCPUs that a thread runs in turn, the first. */
static u32 vcpu_of(const struct listing *l, struct task_struct *task)
{
	struct runner key = { .tid = task_pid(task) };
	struct runner *found = bsearch(&key, l->runners, l->nr_runners,
				       sizeof(key), tid_cmp);

	if (!found)
		return KVMX_NO_VCPU;
	while (found > l->runners && !tid_cmp(found - 1, found))
		found--;
	return found->index;
}

static void list_task(struct listing *l, struct task_struct *task)
{
	struct kvmx_task *t;

	if (task->flags & PF_EXITING || l->nr++ >= l->room)
		return;
	t = &l->task[l->nr - 1];
	t->task = get_task_struct(task);
	t->vcpu = vcpu_of(l, task);
	t->thread_class = KVMX_THREAD_OTHER;
	t->kernel = kvmx_task_kernel(task);
}

/* Does a thread of the kernel work for this process? */
static bool serves(struct task_struct *kthread, struct task_struct *leader)
{
	struct mm_struct *mm = READ_ONCE(kthread->mm);

	if (strncmp(kthread->comm, VHOST, strlen(VHOST)))
		return false;
	/* Once it runs it uses its owner's memory. */
	if (mm)
		return mm == READ_ONCE(leader->mm);
	return kvmx_task_owner(kthread->comm) == task_tgid(leader);
}

static void list_all(struct listing *l, struct task_struct *leader)
{
	struct task_struct *task;

	rcu_read_lock();
	list_for_each_entry_rcu(task, &leader->signal->thread_head, thread_node)
		list_task(l, task);
	for_each_process(task)
		if (task->flags & PF_KTHREAD && serves(task, leader))
			list_task(l, task);
	rcu_read_unlock();
}

static void list_names(struct listing *l)
{
	char name[TASK_COMM_LEN];
	unsigned int i;

	for (i = 0; i < l->nr; i++) {
		struct kvmx_task *t = &l->task[i];

		get_task_comm(name, t->task);
		t->thread_class = class_of(l->vm, t->task, name, t->vcpu);
	}
}

static int list_fill(struct listing *l, struct task_struct *leader)
{
	unsigned int room = get_nr_threads(leader) + 16;

	for (;;) {
		l->task = kvcalloc(room, sizeof(*l->task), GFP_KERNEL);
		if (!l->task)
			return -ENOMEM;
		l->room = room;
		l->nr = 0;
		list_all(l, leader);
		if (l->nr <= l->room)
			return 0;
		room = l->nr + l->nr / 8;
		kvmx_tasks_put(l->task, l->room);
	}
}

/**
 * kvmx_tasks_list() - the threads of a VM
 * @vm: the VM; the caller holds a reference
 * @list: set to the list, for kvmx_tasks_put()
 * @nr: set to its length
 *
 * A thread that was there before and after is in the list; one that came or went
 * meanwhile may be, or not.
 *
 * Context: may sleep.
 * Return: 0; -ENOMEM; -ESRCH where the process is gone.
 */
int kvmx_tasks_list(struct kvmx_vm *vm, struct kvmx_task **list,
		    unsigned int *nr)
{
	struct task_struct *leader = get_pid_task(vm->pid, PIDTYPE_TGID);
	struct listing l = { .vm = vm };
	int err;

	if (!leader)
		return -ESRCH;
	kvmx_tasks_look(vm);
	err = list_runners(&l);
	if (!err)
		err = list_fill(&l, leader);
	if (!err) {
		list_names(&l);
		*list = l.task;
		*nr = l.nr;
	}
	kvfree(l.runners);
	put_task_struct(leader);
	return err;
}

/**
 * kvmx_tasks_put() - the list is not needed any more
 * @list: what kvmx_tasks_list() gave
 * @nr: its length
 *
 * Context: may sleep.
 */
void kvmx_tasks_put(struct kvmx_task *list, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		put_task_struct(list[i].task);
	kvfree(list);
}
