// SPDX-License-Identifier: GPL-2.0-only
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>

#include "core/attach.h"
#include "core/clock.h"
#include "core/discover.h"
#include "core/feature.h"
#include "core/hook.h"
#include "core/kprobes.h"
#include "core/vm.h"
#include "stats/account.h"
#include "stats/counts.h"
#include "stats/counters.h"
#include "stats/groups.h"
#include "stats/session.h"

static DEFINE_MUTEX(session_lock);
static bool ready;		/* between init and exit */
static bool always;
static u32 traced;		/* groups that trace events need of all VMs */
static u32 nr_fds;

static bool vm_wanted(const struct kvmx_vm *vm)
{
	return always || traced || vm->users;
}

/* The groups that somebody asked for. */
static u32 vm_groups(const struct kvmx_vm *vm)
{
	u32 groups = 0;
	int i;

	lockdep_assert_held(&session_lock);
	for (i = 0; i < KVMX_NR_GROUPS; i++)
		if (vm->group_users[i])
			groups |= BIT(i);
	return groups;
}

/* Counters for every vCPU that has none yet; counts those that are not counted. */
static int vm_count_vcpus(struct kvmx_vm *vm, bool born)
{
	u32 groups = vm_groups(vm);
	struct kvmx_vcpu *v;
	unsigned long flags;
	int err;

	kvmx_vm_for_each_vcpu(v, vm) {
		err = kvmx_counts_alloc(v);
		if (!err)
			err = kvmx_groups_alloc(v, groups);
		if (err)
			return err;
		raw_spin_lock_irqsave(&kvmx_vm_lock, flags);
		/* One that had no memory at first may be running by now. */
		if (!v->counting)
			kvmx_account_start(v, born && !v->starved);
		if (v->counting)
			kvmx_groups_start(v, groups, kvmx_clock());
		raw_spin_unlock_irqrestore(&kvmx_vm_lock, flags);
	}
	return 0;
}

static void vm_groups_clear(struct kvmx_vm *vm, u32 groups)
{
	struct kvmx_vcpu *v;
	unsigned long flags;

	raw_spin_lock_irqsave(&kvmx_vm_lock, flags);
	kvmx_vm_for_each_vcpu(v, vm)
		WRITE_ONCE(v->groups, v->groups & ~groups);
	raw_spin_unlock_irqrestore(&kvmx_vm_lock, flags);
}

/* Groups that nobody asks for any more are not counted any more. */
static void vm_groups_stop(struct kvmx_vm *vm)
{
	vm_groups_clear(vm, KVMX_ALL_GROUPS & ~vm_groups(vm));
	/* They are looked at with preemption off: none is written any more. */
	synchronize_rcu();
}

static void vm_groups_use(struct kvmx_vm *vm, u32 groups, int by)
{
	int i;

	lockdep_assert_held(&session_lock);
	for (i = 0; i < KVMX_NR_GROUPS; i++) {
		if (!(groups & BIT(i)))
			continue;
		if (by > 0 && !vm->group_users[i])
			WRITE_ONCE(vm->group_since[i], kvmx_clock());
		if (BIT(i) == KVMX_STATS_MMU)
			kvmx_mmu_ops_start(vm);
		vm->group_users[i] += by;
	}
}

/* What trace events need of a VM, they use. Return: what they do not any more. */
static u32 vm_trace(struct kvmx_vm *vm)
{
	u32 dropped = vm->traced & ~traced;

	vm_groups_use(vm, traced & ~vm->traced, 1);
	vm_groups_use(vm, dropped, -1);
	vm->traced = traced;
	return dropped;
}

static void vm_stop(struct kvmx_vm *vm)
{
	struct kvmx_vcpu *v;
	unsigned long flags;

	lockdep_assert_held(&session_lock);
	vm_groups_clear(vm, KVMX_ALL_GROUPS);
	raw_spin_lock_irqsave(&kvmx_vm_lock, flags);
	kvmx_vm_for_each_vcpu(v, vm) {
		WRITE_ONCE(v->counting, NULL);
		kvmx_counts_disarm(v);
		WRITE_ONCE(v->starved, false);
		kvmx_vcpu_skip(v);
	}
	raw_spin_unlock_irqrestore(&kvmx_vm_lock, flags);

	/* Entry and exit look at it with preemption off: none writes any more. */
	synchronize_rcu();

	raw_spin_lock_irqsave(&kvmx_vm_lock, flags);
	kvmx_vm_for_each_vcpu(v, vm)
		kvmx_account_stop(v);
	raw_spin_unlock_irqrestore(&kvmx_vm_lock, flags);
	vm->counting_since = 0;
}

static int vm_start(struct kvmx_vm *vm)
{
	int err;

	lockdep_assert_held(&session_lock);
	if (vm->counting_since)
		return vm_count_vcpus(vm, false);
	if (READ_ONCE(vm->gone))
		return 0;
	kvmx_discover_doing(vm);
	vm->counting_since = kvmx_clock();
	err = vm_count_vcpus(vm, false);
	if (err)
		vm_stop(vm);
	return err;
}

/* Those that are not counted for lack of memory try again when they enter. */
static void vm_starve(struct kvmx_vm *vm)
{
	struct kvmx_vcpu *v;
	unsigned long flags;

	raw_spin_lock_irqsave(&kvmx_vm_lock, flags);
	kvmx_vm_for_each_vcpu(v, vm) {
		if (!v->counting && v->key)
			WRITE_ONCE(v->starved, true);
		kvmx_vcpu_skip(v);
	}
	raw_spin_unlock_irqrestore(&kvmx_vm_lock, flags);
	pr_warn_ratelimited("kvmx: no memory to count a new vCPU of VM %llu, trying again\n",
			    vm->id);
}

/*
 * A vCPU was born; runs before the thread that made it can use it. Or it had no
 * memory then, and is in front of another entry.
 */
static void session_birth(struct kvmx_vm *vm)
{
	mutex_lock(&session_lock);
	if (vm_wanted(vm)) {
		if (!vm->counting_since)
			vm->counting_since = kvmx_clock();
		vm_trace(vm);
		if (vm_count_vcpus(vm, true))
			vm_starve(vm);
	}
	mutex_unlock(&session_lock);
}

static void session_free(struct kvmx_vcpu *v)
{
	kvmx_groups_free(v);
	kvmx_counts_free(v);
}

/* What has to be attached for somebody who counts these groups. */
static int probes_get(u32 groups)
{
	int err = kvmx_attach_get(groups);

	if (err)
		return err;
	err = kvmx_kprobes_get(groups);
	if (err)
		kvmx_attach_put(groups);
	return err;
}

static void probes_put(u32 groups)
{
	kvmx_kprobes_put(groups);
	kvmx_attach_put(groups);
}

static int use(struct kvmx_vm *vm, u32 groups)
{
	int err;

	lockdep_assert_held(&session_lock);
	err = probes_get(groups);
	if (err)
		return err;
	vm_groups_use(vm, groups, 1);
	if (!READ_ONCE(vm->gone) &&
	    (kvmx_feature_state(KVMX_F_ENTRY) != KVMX_FEATURE_ON ||
	     kvmx_feature_state(KVMX_F_EXIT) != KVMX_FEATURE_ON))
		err = -EOPNOTSUPP;
	if (!err)
		err = vm_start(vm);
	if (err) {
		vm_groups_use(vm, groups, -1);
		vm_groups_stop(vm);
		probes_put(groups);
	} else {
		vm->users++;
	}
	return err;
}

static void unuse(struct kvmx_vm *vm, u32 groups)
{
	lockdep_assert_held(&session_lock);
	vm->users--;
	vm_groups_use(vm, groups, -1);
	if (!vm_wanted(vm) && vm->counting_since)
		vm_stop(vm);
	else if (groups)
		vm_groups_stop(vm);
	probes_put(groups);
}

/**
 * kvmx_session_open() - somebody opens statistics of a VM
 * @vm: the VM
 * @groups: KVMX_STATS_* groups that are asked for
 *
 * Context: may sleep.
 * Return: 0; -ENOMEM; -EOPNOTSUPP if this kernel's KVM cannot be counted.
 */
int kvmx_session_open(struct kvmx_vm *vm, u32 groups)
{
	int err;

	mutex_lock(&session_lock);
	err = use(vm, groups);
	nr_fds += !err;
	WRITE_ONCE(vm->nr_fds, vm->nr_fds + !err);
	mutex_unlock(&session_lock);
	return err;
}

/**
 * kvmx_session_close() - a statistics fd is closed
 * @vm: its VM
 * @groups: the groups that it had asked for
 *
 * Context: may sleep.
 */
void kvmx_session_close(struct kvmx_vm *vm, u32 groups)
{
	mutex_lock(&session_lock);
	unuse(vm, groups);
	nr_fds--;
	WRITE_ONCE(vm->nr_fds, vm->nr_fds - 1);
	mutex_unlock(&session_lock);
}

/**
 * kvmx_session_get() - somebody in the kernel wants a VM counted
 * @vm: the VM
 * @groups: KVMX_STATS_* groups that he needs
 *
 * As kvmx_session_open(), but it is no fd.
 *
 * Context: may sleep.
 * Return: 0; -ENOMEM; -EOPNOTSUPP if this kernel's KVM cannot be counted.
 */
int kvmx_session_get(struct kvmx_vm *vm, u32 groups)
{
	int err;

	mutex_lock(&session_lock);
	err = use(vm, groups);
	mutex_unlock(&session_lock);
	return err;
}

/**
 * kvmx_session_put() - he does not any more
 * @vm: the VM
 * @groups: as he said then
 *
 * Context: may sleep.
 */
void kvmx_session_put(struct kvmx_vm *vm, u32 groups)
{
	mutex_lock(&session_lock);
	unuse(vm, groups);
	mutex_unlock(&session_lock);
}

static void always_off(void)
{
	struct kvmx_vm *vm;
	u64 id = 0;

	while ((vm = kvmx_vm_get_next(id))) {
		id = vm->id;
		if (!vm->users && !traced && vm->counting_since)
			vm_stop(vm);
		kvmx_vm_put(vm);
	}
	kvmx_attach_put(0);
}

/* All VMs, or none that was not counted before. */
static int always_on(void)
{
	int err = kvmx_attach_get(0);
	struct kvmx_vm *vm;
	u64 id = 0;

	if (err)
		return err;
	while (!err && (vm = kvmx_vm_get_next(id))) {
		id = vm->id;
		err = vm_start(vm);
		kvmx_vm_put(vm);
	}
	if (err)
		always_off();
	return err;
}

/**
 * kvmx_session_set_always() - parameter stats=always|ondemand
 * @on: count all VMs, also while nobody looks
 *
 * Context: may sleep; also before the module is set up (the parameter on the
 *	command line) and after it was taken down.
 * Return: 0, or -ENOMEM, after which all is as it was.
 */
int kvmx_session_set_always(bool on)
{
	int err = 0;

	mutex_lock(&session_lock);
	if (ready && on != always) {
		if (on)
			err = always_on();
		else
			always_off();
	}
	if (!err)
		always = on;
	mutex_unlock(&session_lock);
	return err;
}

/**
 * kvmx_session_catch_up() - count vCPUs that were found late
 *
 * Context: may sleep. One for which there is no memory tries again when it
 *	enters.
 */
void kvmx_session_catch_up(void)
{
	struct kvmx_vm *vm;
	u64 id = 0;

	mutex_lock(&session_lock);
	while ((vm = kvmx_vm_get_next(id))) {
		id = vm->id;
		vm_trace(vm);
		if (vm_wanted(vm) && vm_start(vm))
			vm_starve(vm);
		kvmx_vm_put(vm);
	}
	mutex_unlock(&session_lock);
}

/* Trace events need something else of all VMs than before. */
static void trace_all(void)
{
	struct kvmx_vm *vm;
	u32 dropped;
	u64 id = 0;

	while ((vm = kvmx_vm_get_next(id))) {
		id = vm->id;
		dropped = vm_trace(vm);
		if (vm_wanted(vm) && vm_start(vm))
			vm_starve(vm);
		if (!vm_wanted(vm) && vm->counting_since)
			vm_stop(vm);
		else if (dropped)
			vm_groups_stop(vm);
		kvmx_vm_put(vm);
	}
}

/**
 * kvmx_session_trace() - trace events are enabled or disabled
 * @groups: KVMX_STATS_* groups that they need of all VMs; 0: none is enabled
 *
 * Where there is no memory to attach probes, all stays as it was: whoever
 * enabled the event sees none, and finds the reason in the kernel's log.
 *
 * Context: may sleep; no lock of the tracing core held.
 */
void kvmx_session_trace(u32 groups)
{
	u32 before;

	mutex_lock(&session_lock);
	before = traced;
	if (!ready || groups == before)
		goto out;
	if (groups && probes_get(groups)) {
		pr_warn("kvmx: no memory to attach what trace events need: disable and enable them again\n");
		goto out;
	}
	traced = groups;
	trace_all();
	if (before)
		probes_put(before);
out:
	mutex_unlock(&session_lock);
}

bool kvmx_session_always(void)
{
	return READ_ONCE(always);
}

/* Statistics fds that are open, all VMs together. */
u32 kvmx_session_fds(void)
{
	return READ_ONCE(nr_fds);
}

/**
 * kvmx_session_init() - ready to count
 *
 * Context: may sleep, once; everything below is set up.
 * Return: 0 or -ENOMEM.
 */
int kvmx_session_init(void)
{
	int err = 0;

	static_call_update(kvmx_on_birth, session_birth);
	static_call_update(kvmx_on_free, session_free);
	mutex_lock(&session_lock);
	if (always)
		err = always_on();
	ready = !err;
	mutex_unlock(&session_lock);
	return err;
}

/**
 * kvmx_session_exit() - nobody counts any more
 *
 * Context: may sleep; no fd is open.
 */
void kvmx_session_exit(void)
{
	mutex_lock(&session_lock);
	if (always)
		always_off();
	always = false;
	/* In one go: the parameter's file is there until kvmx_exit() is through. */
	ready = false;
	WARN_ON(nr_fds || traced);
	mutex_unlock(&session_lock);
}
