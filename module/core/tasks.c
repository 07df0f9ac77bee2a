// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who watches which VM, and the worker. What is left with threads, and what
 * becomes of it, is in core/tasks_errand.c.
 */
#include <linux/hashtable.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/pid_namespace.h>
#include <linux/preempt.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include "core/attach.h"
#include "core/feature.h"
#include "core/kprobes.h"
#include "core/tasks.h"
#include "core/tasks_errand.h"
#include "core/threads.h"
#include "core/vm.h"

/* By process, for probes: read with preemption off. Written under watch_lock. */
static DEFINE_HASHTABLE(by_pid, 8);
static LIST_HEAD(watches);
static DEFINE_MUTEX(watch_lock);
/* Guards `closed` and `running` of each watch. */
static DEFINE_RAW_SPINLOCK(running_lock);
static DECLARE_WAIT_QUEUE_HEAD(left);

/*
 * Where the kprobe on KVM_RUN was armed too late for a thread, KVM remembers it;
 * where there is no kprobe at all, it has to be asked again and again.
 */
#define LOOK_AGAIN	msecs_to_jiffies(40)
#define LOOK_OFTEN	msecs_to_jiffies(100)

/**
 * kvmx_watch_find() - who watches a process
 * @tgid: the process
 *
 * Context: preemption disabled.
 * Return: a referenced watch or NULL.
 */
struct kvmx_watch *kvmx_watch_find(const struct pid *tgid)
{
	struct kvmx_watch *w;

	lockdep_assert_preemption_disabled();
	hash_for_each_possible_rcu_notrace(by_pid, w, hash, (unsigned long)tgid)
		if (w->vm->pid == tgid && refcount_inc_not_zero(&w->refs))
			return w;
	return NULL;
}

void kvmx_watch_put(struct kvmx_watch *w)
{
	if (!refcount_dec_and_test(&w->refs))
		return;
	kvmx_vm_put(w->vm);
	kfree_rcu(w, rcu);
}

/**
 * kvmx_watch_enter() - may the listener be told?
 * @w: the watch
 *
 * Context: may sleep afterwards.
 * Return: true if so; kvmx_watch_leave() follows.
 */
bool kvmx_watch_enter(struct kvmx_watch *w)
{
	bool open;

	raw_spin_lock_irq(&running_lock);
	open = !w->closed;
	w->running += open;
	raw_spin_unlock_irq(&running_lock);
	return open;
}

void kvmx_watch_leave(struct kvmx_watch *w)
{
	raw_spin_lock_irq(&running_lock);
	w->running--;
	raw_spin_unlock_irq(&running_lock);
	wake_up_all(&left);
}

static bool watch_empty(struct kvmx_watch *w)
{
	bool empty;

	raw_spin_lock_irq(&running_lock);
	empty = !w->running;
	raw_spin_unlock_irq(&running_lock);
	return empty;
}

/**
 * kvmx_watch_todo() - the worker has something to do
 * @w: the watch
 * @what: KVMX_TODO_*
 *
 * Context: any in which work may be queued.
 */
void kvmx_watch_todo(struct kvmx_watch *w, int what)
{
	set_bit(what, &w->todo);
	kvmx_errands_kick();
}

/* The threads of all vCPUs that exist are known, and live. */
static bool all_known(struct kvmx_vm *vm)
{
	struct kvmx_vcpu *v;

	kvmx_vm_for_each_vcpu(v, vm)
		if (READ_ONCE(v->key) && !READ_ONCE(v->tid_ran))
			return false;
	return true;
}

/*
 * A kprobe on KVM_RUN is armed as long as the thread of some vCPU is not known:
 * it is the first thing that such a thread does, it comes once per KVM_RUN and
 * not once per entry, and it sees also those that wait in KVM_RUN to be started
 * by another vCPU and enter nothing for long.
 */
static int watch_ask(struct kvmx_watch *w)
{
	int err;

	lockdep_assert_held(&watch_lock);
	if (w->asks)
		return 0;
	err = kvmx_kprobes_get(KVMX_WANT_RUN);
	w->asks = !err;
	return err;
}

static void watch_ask_no_more(struct kvmx_watch *w)
{
	lockdep_assert_held(&watch_lock);
	if (w->asks)
		kvmx_kprobes_put(KVMX_WANT_RUN);
	w->asks = false;
}

/*
 * Which threads run the vCPUs? KVM is asked first; then the kprobe; then KVM once
 * more, for threads that had passed the kprobe's place before it was there.
 */
static int watch_look(struct kvmx_watch *w, bool *news)
{
	bool asked = w->asks;
	int err = 0;

	lockdep_assert_held(&watch_lock);
	w->look = false;
	*news |= kvmx_tasks_look(w->vm);
	if (!all_known(w->vm)) {
		err = watch_ask(w);
		*news |= kvmx_tasks_look(w->vm);
	}
	if (all_known(w->vm)) {
		watch_ask_no_more(w);
		return 0;
	}
	if (err || kvmx_feature_state(KVMX_F_RUN) == KVMX_FEATURE_OFF) {
		w->look = true;
		w->look_at = jiffies + LOOK_OFTEN;
	} else if (!asked) {
		w->look = true;
		w->look_at = jiffies + LOOK_AGAIN;
	}
	return err;
}

static void watch_do(struct kvmx_watch *w)
{
	bool missed = test_and_clear_bit(KVMX_TODO_MISSED, &w->todo);

	clear_bit(KVMX_TODO_LOOK, &w->todo);
	mutex_lock(&watch_lock);
	/* A watch is closed under this lock. */
	if (!w->closed)
		watch_look(w, &missed);
	mutex_unlock(&watch_lock);
	if (missed && kvmx_watch_enter(w)) {
		static_call(kvmx_on_tasks_missed)(w->vm);
		kvmx_watch_leave(w);
	}
}

static bool watch_due(const struct kvmx_watch *w)
{
	return READ_ONCE(w->todo) ||
	       (w->look && time_after_eq(jiffies, w->look_at));
}

static struct kvmx_watch *watch_next_due(void)
{
	struct kvmx_watch *w, *found = NULL;

	mutex_lock(&watch_lock);
	list_for_each_entry(w, &watches, link) {
		if (watch_due(w)) {
			refcount_inc(&w->refs);
			found = w;
			break;
		}
	}
	mutex_unlock(&watch_lock);
	return found;
}

/**
 * kvmx_watches_work() - the worker's turn
 * @next: pulled forward to when there is something to do again, in jiffies
 *
 * Context: the worker.
 */
void kvmx_watches_work(unsigned long *next)
{
	struct kvmx_watch *w;

	while ((w = watch_next_due())) {
		watch_do(w);
		kvmx_watch_put(w);
	}
	mutex_lock(&watch_lock);
	list_for_each_entry(w, &watches, link)
		if (w->look && time_before(w->look_at, *next))
			*next = w->look_at;
	mutex_unlock(&watch_lock);
}

/* A vCPU was born: its thread is to be seen the first time that it runs it. */
static void tasks_vcpu_born(struct kvmx_vm *vm)
{
	struct kvmx_watch *w;

	preempt_disable();
	w = kvmx_watch_find(vm->pid);
	preempt_enable();
	if (!w)
		return;
	mutex_lock(&watch_lock);
	if (w->vm == vm && !w->closed && watch_ask(w))
		kvmx_watch_todo(w, KVMX_TODO_LOOK);
	mutex_unlock(&watch_lock);
	kvmx_watch_put(w);
}

/**
 * kvmx_tasks_births() - are births of a watched VM under way?
 * @vm: the VM
 *
 * A thread that its parent has made may not have run yet, and so was not told of.
 *
 * Context: any.
 * Return: how many there are.
 */
unsigned int kvmx_tasks_births(struct kvmx_vm *vm)
{
	struct kvmx_watch *w;
	unsigned int births;

	preempt_disable();
	w = kvmx_watch_find(vm->pid);
	preempt_enable();
	if (!w)
		return 0;
	births = atomic_read(&w->births);
	kvmx_watch_put(w);
	return births;
}

static struct kvmx_watch *watch_alloc(struct kvmx_vm *vm)
{
	struct kvmx_watch *w = kzalloc(sizeof(*w), GFP_KERNEL);

	if (!w)
		return NULL;
	refcount_inc(&vm->refs);
	w->vm = vm;
	refcount_set(&w->refs, 1);
	return w;
}

static struct kvmx_watch *watch_of_pid(const struct pid *pid)
{
	struct kvmx_watch *w;

	lockdep_assert_held(&watch_lock);
	list_for_each_entry(w, &watches, link)
		if (w->vm->pid == pid)
			return w;
	return NULL;
}

static void watch_close(struct kvmx_watch *w)
{
	lockdep_assert_held(&watch_lock);
	hash_del_rcu(&w->hash);
	list_del(&w->link);
	watch_ask_no_more(w);
	raw_spin_lock_irq(&running_lock);
	WRITE_ONCE(w->closed, true);
	raw_spin_unlock_irq(&running_lock);
}

/**
 * kvmx_tasks_watch() - the listeners want to know of threads of a VM
 * @vm: the VM; the caller holds a reference
 *
 * Where a tracepoint is not there, what it would tell is not told: features
 * task_newtask, task_rename, sched_process_exit.
 *
 * Context: may sleep; takes the CPU hotplug lock (for tracepoints, kprobes).
 * Return: 0; -ENOMEM; -EBUSY where its process is watched already.
 */
int kvmx_tasks_watch(struct kvmx_vm *vm)
{
	struct kvmx_watch *w = watch_alloc(vm);
	bool news = false;
	int err;

	if (!w)
		return -ENOMEM;
	err = kvmx_attach_get_tasks();
	if (err) {
		kvmx_watch_put(w);
		return err;
	}
	mutex_lock(&watch_lock);
	if (watch_of_pid(vm->pid)) {
		err = -EBUSY;
	} else {
		hash_add_rcu(by_pid, &w->hash, (unsigned long)vm->pid);
		list_add_tail(&w->link, &watches);
		err = watch_look(w, &news);
		if (err)
			watch_close(w);
	}
	mutex_unlock(&watch_lock);
	if (err) {
		kvmx_attach_put_tasks();
		kvmx_watch_put(w);
		return err;
	}
	/* There may be something to look for again. */
	kvmx_errands_kick();
	return 0;
}

/**
 * kvmx_tasks_unwatch() - the listeners do not want to know any more
 * @vm: a VM that is watched
 *
 * When it returns none of them is running for this VM, nor will be. What was
 * left with threads stays there until they get to it, and does nothing then.
 *
 * Context: may sleep; takes the CPU hotplug lock. No lock may be held that a
 *	listener takes: it waits for those that are running.
 */
void kvmx_tasks_unwatch(struct kvmx_vm *vm)
{
	struct kvmx_watch *w;

	mutex_lock(&watch_lock);
	w = watch_of_pid(vm->pid);
	if (w && w->vm == vm)
		watch_close(w);
	else
		w = NULL;
	mutex_unlock(&watch_lock);
	if (WARN_ON(!w))
		return;
	kvmx_attach_put_tasks();
	kvmx_errands_wait_begin();
	wait_event(left, watch_empty(w));
	kvmx_errands_wait_end();
	kvmx_watch_put(w);
}

/**
 * kvmx_tasks_init() - be ready for those who watch
 *
 * Context: once, at load, before any probe is attached.
 */
void __init kvmx_tasks_init(void)
{
	kvmx_errands_init();
	static_call_update(kvmx_on_vcpu_born, tasks_vcpu_born);
}

/**
 * kvmx_tasks_exit() - wait until no thread has our work any more
 *
 * Context: may sleep; nobody watches, the probes are gone. kvmx_birth_exit() comes
 *	next: it waits for the last instructions of both.
 */
void kvmx_tasks_exit(void)
{
	mutex_lock(&watch_lock);
	WARN_ON(!list_empty(&watches));
	mutex_unlock(&watch_lock);
	kvmx_errands_exit();
}
