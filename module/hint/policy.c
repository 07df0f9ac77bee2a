// SPDX-License-Identifier: GPL-2.0-only
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/wait.h>

#include "core/attach.h"
#include "core/boost.h"
#include "core/feature.h"
#include "core/hook.h"
#include "core/kprobes.h"
#include "core/threads.h"
#include "core/vm.h"
#include "hint/area.h"
#include "hint/call.h"
#include "hint/grant.h"
#include "hint/hinter.h"
#include "hint/policy.h"
#include "hint/watch.h"
#include "hint/wish.h"

/* Guards kvmx_vm.hints, and kvmx_vcpu.hinter as far as it is written. */
static DEFINE_MUTEX(hint_lock);
/* VMs that are allowed to hint: each has what hears of hints attached. */
static atomic_t nr_on;
static DECLARE_WAIT_QUEUE_HEAD(all_off);

/* For every vCPU that has none yet. */
static int hinters_alloc(struct kvmx_vm *vm)
{
	struct kvmx_hinter *h;
	struct kvmx_vcpu *v;

	lockdep_assert_held(&hint_lock);
	kvmx_vm_for_each_vcpu(v, vm) {
		if (v->hinter)
			continue;
		h = kvmx_hinter_alloc(v);
		if (!h)
			return -ENOMEM;
		kvmx_call_prepare(h);
		kvmx_grant_prepare(h);
		/* Probes find it from here on: it has to be complete. */
		smp_store_release(&v->hinter, h);
	}
	return 0;
}

/* With another policy, what was granted by the one before ends. */
static void hinters_set(struct kvmx_vm *vm, const struct kvmx_hint *policy,
			bool on)
{
	static const struct kvmx_hint nothing;
	struct kvmx_vcpu *v;

	kvmx_vm_for_each_vcpu(v, vm) {
		if (!v->hinter)
			continue;
		kvmx_hinter_set(v->hinter, &nothing, false);
		kvmx_grant_stop(v->hinter);
		if (on)
			kvmx_hinter_set(v->hinter, policy, true);
	}
}

/* What hears of hints: without all of it there are none. */
static int hear(void)
{
	int err = -ENOMEM;

	lockdep_assert_held(&hint_lock);
	if (!atomic_read(&nr_on) && kvmx_grant_begin_all())
		return err;
	err = kvmx_attach_get_hints();
	if (err)
		goto out_grants;
	err = kvmx_kprobes_get(KVMX_WANT_HINTS);
	if (err)
		goto out_attach;
	/* What is kept of a vCPU must go with it. */
	if (kvmx_feature_state(KVMX_F_HYPERCALL) == KVMX_FEATURE_ON &&
	    kvmx_feature_state(KVMX_F_ENTRY) == KVMX_FEATURE_ON &&
	    kvmx_feature_state(KVMX_F_GUEST_REGS) != KVMX_FEATURE_OFF &&
	    kvmx_kprobes_see_death()) {
		atomic_inc(&nr_on);
		return 0;
	}
	err = -EOPNOTSUPP;
	kvmx_kprobes_put(KVMX_WANT_HINTS);
out_attach:
	kvmx_attach_put_hints();
out_grants:
	if (!atomic_read(&nr_on))
		kvmx_grant_end_all();
	return err;
}

static void hear_no_more(void)
{
	kvmx_kprobes_put(KVMX_WANT_HINTS);
	kvmx_attach_put_hints();
	if (atomic_read(&nr_on) == 1)
		kvmx_grant_end_all();
	if (atomic_dec_and_test(&nr_on))
		wake_up(&all_off);
}

/* A guest that may hint again has to say again where its areas are. */
static void areas_forget(struct kvmx_vm *vm)
{
	struct kvmx_vcpu *v;
	unsigned long flags;

	kvmx_vm_for_each_vcpu(v, vm) {
		if (!v->hinter)
			continue;
		raw_spin_lock_irqsave(&v->hinter->lock, flags);
		kvmx_area_forget(v->hinter);
		raw_spin_unlock_irqrestore(&v->hinter->lock, flags);
	}
}

static void switch_off(struct kvmx_vm *vm)
{
	static const struct kvmx_hint nothing;

	lockdep_assert_held(&hint_lock);
	if (!vm->hints.on)
		return;
	vm->hints.on = false;
	hinters_set(vm, &nothing, false);
	areas_forget(vm);
	hear_no_more();
}

/* A policy takes the place of that which is in force. */
static int follow(struct kvmx_vm *vm, const struct kvmx_hint *policy)
{
	struct kvmx_hints *hints = &vm->hints;
	int err;

	lockdep_assert_held(&hint_lock);
	err = hinters_alloc(vm);
	if (!err && !hints->on)
		err = hear();
	if (err)
		return err;
	hints->now = *policy;
	hints->on = true;
	hinters_set(vm, policy, true);
	return 0;
}

static bool wants_nice(const struct kvmx_hint *policy)
{
	unsigned int i;

	for (i = 0; i < KVMX_NR_KINDS; i++)
		if (policy->kinds[i].effect == KVMX_EFFECT_NICE)
			return true;
	return false;
}

/* Has some vCPU's thread nobody to be nicer than? */
static bool nice_is_idle(struct kvmx_vm *vm)
{
	struct task_struct *task;
	struct kvmx_vcpu *v;
	struct pid *tid;
	bool idle;

	kvmx_vm_for_each_vcpu(v, vm) {
		tid = kvmx_threads_get_tid(v);
		task = get_pid_task(tid, PIDTYPE_PID);
		put_pid(tid);
		if (!task)
			continue;
		idle = kvmx_boost_alone(task);
		put_task_struct(task);
		if (idle)
			return true;
		cond_resched();
	}
	return false;
}

static int set_locked(struct kvmx_vm *vm, const struct kvmx_hint *policy,
		      bool on, const void *owner)
{
	struct kvmx_hints *hints = &vm->hints;
	int err = 0;

	lockdep_assert_held(&hint_lock);
	if (hints->owner && hints->owner != owner)
		return -EBUSY;
	if (READ_ONCE(vm->gone))
		return -ENODEV;
	if (wants_nice(policy) && nice_is_idle(vm))
		return -EXDEV;
	if (on)
		err = follow(vm, policy);
	else
		switch_off(vm);
	if (err)
		return err;
	if (!on) {
		memset(&hints->committed, 0, sizeof(hints->committed));
		hints->owner = NULL;
	} else if (policy->flags & KVMX_HINT_COMMIT) {
		hints->committed = *policy;
		hints->owner = NULL;
	} else {
		hints->owner = owner;
	}
	return 0;
}

/**
 * kvmx_hint_set() - a VM is allowed to hint, or not any more
 * @vm: the VM; the caller holds a reference
 * @wish: the policy
 * @owner: the fd that asks: unless @wish is committed it lasts as long
 *
 * Context: may sleep.
 * Return: 0; -EINVAL; -EBUSY if another fd has a policy for this VM that it has
 *	not committed; -ENODEV if the VM is gone; -EOPNOTSUPP; -ENOMEM; -EXDEV
 *	for a nice value where a vCPU's thread is in a group of its own.
 */
int kvmx_hint_set(struct kvmx_vm *vm, const struct kvmx_hint *wish,
		  const void *owner)
{
	struct kvmx_hint policy = *wish;
	bool on;
	int err;

	err = kvmx_wish_check(&policy, &on);
	if (err)
		return err;
	mutex_lock(&hint_lock);
	err = set_locked(vm, &policy, on, owner);
	mutex_unlock(&hint_lock);
	return err;
}

/**
 * kvmx_hint_get() - the policy that is in force
 * @vm: the VM; the caller holds a reference
 * @to: filled; all kinds are off where there is none
 *
 * Context: may sleep.
 */
void kvmx_hint_get(struct kvmx_vm *vm, struct kvmx_hint *to)
{
	mutex_lock(&hint_lock);
	if (vm->hints.on)
		*to = vm->hints.now;
	else
		memset(to, 0, sizeof(*to));
	mutex_unlock(&hint_lock);
	to->size = sizeof(*to);
}

/**
 * kvmx_hint_counts() - what came of hints
 * @vm: the VM; the caller holds a reference
 * @counts: vCPU and kind are set; filled
 *
 * Context: may sleep.
 * Return: 0; -EINVAL; -ENOENT if there is no such vCPU.
 */
int kvmx_hint_counts(struct kvmx_vm *vm, struct kvmx_hint_counts *counts)
{
	struct kvmx_hint_counts sum = {
		.size = sizeof(sum),
		.vcpu = counts->vcpu,
		.kind = counts->kind,
	};
	bool found = counts->vcpu == KVMX_STATS_WHOLE_VM;
	struct kvmx_vcpu *v;

	if (counts->flags || counts->kind >= KVMX_NR_KINDS)
		return -EINVAL;
	kvmx_vm_for_each_vcpu(v, vm) {
		/* Pairs with hinters_alloc(): it is complete. */
		struct kvmx_hinter *h = smp_load_acquire(&v->hinter);

		if (counts->vcpu != KVMX_STATS_WHOLE_VM &&
		    counts->vcpu != v->index)
			continue;
		found = true;
		if (h)
			kvmx_hinter_add_counts(h, &sum);
	}
	*counts = sum;
	return found ? 0 : -ENOENT;
}

/**
 * kvmx_hint_release() - an fd is closed: what it has not committed is undone
 * @vm: its VM; the caller holds a reference
 * @owner: the fd
 *
 * Context: may sleep.
 */
void kvmx_hint_release(struct kvmx_vm *vm, const void *owner)
{
	struct kvmx_hints *hints = &vm->hints;

	mutex_lock(&hint_lock);
	if (hints->owner == owner) {
		hints->owner = NULL;
		/*
		 * There is memory: the vCPUs have all they need by now. Of a VM
		 * that is gone nobody would switch it off again.
		 */
		if (!hints->committed.size || READ_ONCE(vm->gone) ||
		    follow(vm, &hints->committed))
			switch_off(vm);
	}
	mutex_unlock(&hint_lock);
}

/* New vCPUs follow the policy, too. What the others are granted goes on. */
static int join(struct kvmx_vm *vm)
{
	int err = hinters_alloc(vm);
	struct kvmx_vcpu *v;

	kvmx_vm_for_each_vcpu(v, vm)
		if (v->hinter && !v->hinter->on)
			kvmx_hinter_set(v->hinter, &vm->hints.now, true);
	return err;
}

/* A vCPU was born; runs before the thread that made it can use it. */
static void hint_birth(struct kvmx_vm *vm)
{
	mutex_lock(&hint_lock);
	if (vm->hints.on && join(vm))
		pr_warn_ratelimited("kvmx: no memory for the hints of a new vCPU of VM %llu: it can give none\n",
				    vm->id);
	mutex_unlock(&hint_lock);
}

static void hint_end(struct kvmx_vm *vm)
{
	mutex_lock(&hint_lock);
	switch_off(vm);
	mutex_unlock(&hint_lock);
}

/**
 * kvmx_hint_init() - ready for hints
 *
 * Context: once, at load.
 */
void __init kvmx_hint_init(void)
{
	kvmx_call_init();
	kvmx_watch_init();
	static_call_update(kvmx_on_hint_birth, hint_birth);
	static_call_update(kvmx_on_hint_end, hint_end);
	static_call_update(kvmx_on_hint_free, kvmx_hinter_free);
}

/**
 * kvmx_hint_exit() - no VM is allowed to hint any more
 *
 * Context: may sleep; no fd is open.
 */
void kvmx_hint_exit(void)
{
	struct kvmx_vm *vm;
	u64 id = 0;

	while ((vm = kvmx_vm_get_next(id))) {
		id = vm->id;
		hint_end(vm);
		kvmx_vm_put(vm);
	}
	/* What is on now is a VM's that died meanwhile: its work does the same. */
	wait_event(all_off, !atomic_read(&nr_on));
}
