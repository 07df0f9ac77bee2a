// SPDX-License-Identifier: GPL-2.0-only
#include <linux/irqflags.h>
#include <linux/kvm_para.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/nospec.h>
#include <linux/preempt.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/sched/task.h>

#include "core/hook.h"
#include "core/peek.h"
#include "core/poke.h"
#include "core/vm.h"
#include "core/work.h"
#include "hint/area.h"
#include "hint/call.h"
#include "hint/grant.h"
#include "hint/hinter.h"
#include "kvmx_trace.h"

/*
 * The way of a call: the tracepoint kvm_hypercall, which comes before KVM has
 * looked who calls, leaves work with the thread. KVM answers -KVM_ENOSYS, or
 * -KVM_EPERM to whoever is not the guest's kernel, and before it enters the guest
 * again it runs the work: that acts, if KVM's answer is the former, and puts its
 * own there. Then it may sleep.
 *
 * Where a signal is pending, KVM leaves for user space first. Then the work runs
 * outside of KVM, where the vCPU may not be touched, and may not even exist; the
 * answer is owed until the next entry. That cannot sleep: so nothing that answers
 * a call does, and what follows from it is left to others.
 */

/* Calls that may be made at once, as a part of a second's: 10 ms' worth. */
#define BURST_PART	100

/* Is this call one too many? The vCPU pays for each in time. */
static bool call_limited(struct kvmx_hinter *h)
{
	u64 limit = h->policy.calls_per_s, now = ktime_get_mono_fast_ns();
	u64 price = NSEC_PER_SEC / limit;

	if (h->call.full_at < now)
		h->call.full_at = now;
	if (h->call.full_at - now > price * (limit / BURST_PART))
		return true;
	h->call.full_at += price;
	return false;
}

/* These are called with the hinter's lock held. */
static long do_query(struct kvmx_hinter *h, struct kvm_vcpu *key,
		     const u32 *arg)
{
	switch (arg[1]) {
	case KVMX_QUERY_VERSION:
		return KVMX_PARA_VERSION;
	case KVMX_QUERY_KINDS:
		return kvmx_hinter_kinds(h);
	case KVMX_QUERY_AREA_SIZE:
		return sizeof(struct kvmx_area);
	case KVMX_QUERY_FEATURES:
		return KVMX_PARA_AREA | KVMX_PARA_USER_WORD;
	default:
		return -KVM_EINVAL;
	}
}

static long do_register(struct kvmx_hinter *h, struct kvm_vcpu *key,
			const u32 *arg)
{
	return kvmx_area_register(h, key, (u64)arg[2] << 32 | arg[1], arg[3]);
}

static long do_unregister(struct kvmx_hinter *h, struct kvm_vcpu *key,
			  const u32 *arg)
{
	kvmx_area_forget(h);
	return 0;
}

static long do_release(struct kvmx_hinter *h, struct kvm_vcpu *key,
		       const u32 *arg)
{
	kvmx_grant_release(h);
	return 0;
}

/* The yield itself needs this lock not to be held: call_yield(). */
static long do_yield(struct kvmx_hinter *h, struct kvm_vcpu *key,
		     const u32 *arg)
{
	u32 effect = h->policy.kinds[KVMX_KIND_YIELD_TO].effect;

	h->counts[KVMX_KIND_YIELD_TO].given++;
	if (effect == KVMX_EFFECT_OFF) {
		h->counts[KVMX_KIND_YIELD_TO].refused_kind++;
		return -KVM_EOPNOTSUPP;
	}
	h->call.yields = effect == KVMX_EFFECT_YIELD;
	return 0;
}

static long do_hint(struct kvmx_hinter *h, struct kvm_vcpu *key,
		    const u32 *arg)
{
	enum kvmx_verdict verdict;

	verdict = kvmx_grant_ask(h, arg[1], KVMX_WAY_CALL, current);
	if (!arg[1])
		kvmx_grant_release(h);
	kvmx_hinter_count(h, arg[1], verdict);
	trace_hint(h->v->vm->id, h->v->index, KVMX_WAY_CALL, arg[1], arg[2],
		   verdict);
	switch (verdict) {
	case KVMX_VERDICT_BAD:
		return -KVM_EINVAL;
	case KVMX_VERDICT_KIND:
		return -KVM_EOPNOTSUPP;
	default:
		return verdict == KVMX_VERDICT_GRANTED;
	}
}

static long (* const ops[KVMX_NR_HC])(struct kvmx_hinter *h,
				      struct kvm_vcpu *key, const u32 *arg) = {
	[KVMX_HC_QUERY] = do_query,
	[KVMX_HC_REGISTER] = do_register,
	[KVMX_HC_UNREGISTER] = do_unregister,
	[KVMX_HC_RELEASE] = do_release,
	[KVMX_HC_YIELD_TO] = do_yield,
	[KVMX_HC_HINT] = do_hint,
};

/* The kind that a call counts for. */
static u32 call_kind(const u32 *arg)
{
	u32 kind = KVMX_KIND_NONE;

	if (arg[0] == KVMX_HC_YIELD_TO)
		kind = KVMX_KIND_YIELD_TO;
	else if (arg[0] == KVMX_HC_HINT)
		kind = KVMX_HINT_KIND(arg[1]);
	return kvmx_hinter_kind(kind);
}

static long call_do(struct kvmx_hinter *h, struct kvm_vcpu *key,
		    const u32 *arg)
{
	lockdep_assert_held(&h->lock);
	if (call_limited(h)) {
		h->counts[KVMX_KIND_NONE].calls_refused++;
		return -KVM_E2BIG;
	}
	h->counts[call_kind(arg)].calls++;
	if (arg[0] >= KVMX_NR_HC)
		return -KVM_EOPNOTSUPP;
	return ops[array_index_nospec(arg[0], KVMX_NR_HC)](h, key, arg);
}

/* The vCPU is loaded in this thread, and its guest waits for an answer. */
static void call_answer(struct kvmx_hinter *h, struct kvm_vcpu *key)
{
	unsigned long flags;
	long answer = 0;
	bool on;

	raw_spin_lock_irqsave(&h->lock, flags);
	on = h->on;
	if (on)
		answer = call_do(h, key, h->call.args.arg);
	raw_spin_unlock_irqrestore(&h->lock, flags);
	if (on)
		kvmx_poke_answer(key, answer);
}

static void call_state(struct kvmx_hinter *h, int state)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&h->lock, flags);
	h->call.state = state;
	if (state == KVMX_CALL_OWED)
		kvmx_vcpu_owe(h->v);
	raw_spin_unlock_irqrestore(&h->lock, flags);
}

/* The thread of a vCPU of this VM that could go on and may not, referenced. */
static struct task_struct *yield_target(struct kvmx_vm *vm, u32 apic_id)
{
	struct task_struct *task = NULL;
	struct kvmx_vcpu *v;
	unsigned long flags;

	kvmx_vm_for_each_vcpu(v, vm) {
		if (v->id != apic_id || !v->hinter)
			continue;
		raw_spin_lock_irqsave(&v->hinter->lock, flags);
		if (v->hinter->area.out && !task)
			task = get_task_struct(v->hinter->area.out);
		raw_spin_unlock_irqrestore(&v->hinter->lock, flags);
	}
	return task;
}

static void call_yield(struct kvmx_hinter *h)
{
	struct task_struct *task;
	unsigned long flags;
	bool done;

	if (!h->call.yields)
		return;
	h->call.yields = false;
	task = yield_target(h->v->vm, h->call.args.arg[1]);
	if (!task)
		return;
	done = yield_to(task, true) > 0;
	put_task_struct(task);
	raw_spin_lock_irqsave(&h->lock, flags);
	h->counts[KVMX_KIND_YIELD_TO].granted += done;
	raw_spin_unlock_irqrestore(&h->lock, flags);
}

static void call_work(struct kvmx_work *work)
{
	struct kvmx_hinter *h = container_of(work, struct kvmx_hinter,
					     call.work);
	struct kvmx_vm *vm = h->v->vm;
	struct kvm_vcpu *key;
	bool loaded;

	preempt_disable();
	key = READ_ONCE(h->v->key);
	loaded = key && kvmx_peek_loaded(key);
	preempt_enable();
	if (!loaded) {
		call_state(h, KVMX_CALL_OWED);
	} else {
		if (kvmx_poke_waits(key))
			call_answer(h, key);
		call_yield(h);
		call_state(h, KVMX_CALL_NONE);
		if (kvmx_grant_open(h))
			kvmx_grant_follow(h);
	}
	kvmx_vm_put(vm);
}

static void call_drop(struct kvmx_work *work)
{
	struct kvmx_hinter *h = container_of(work, struct kvmx_hinter,
					     call.work);

	call_state(h, KVMX_CALL_NONE);
	kvmx_vm_put(h->v->vm);
}

/**
 * kvmx_call_owed() - the guest comes back, perhaps to where it called
 * @h: the vCPU
 * @key: the same
 *
 * Context: kvm_entry, interrupts off.
 */
void kvmx_call_owed(struct kvmx_hinter *h, struct kvm_vcpu *key)
{
	if (READ_ONCE(h->call.state) != KVMX_CALL_OWED)
		return;
	call_state(h, KVMX_CALL_NONE);
	if (!kvmx_poke_still_waits(key, &h->call.site))
		return;
	call_answer(h, key);
	/* It has been to user space: that was a yield to everybody. */
	h->call.yields = false;
	if (kvmx_grant_open(h))
		kvmx_grant_send(h);
}

/* Return: true if the call is this one from now on. */
static bool call_take(struct kvmx_hinter *h, struct kvm_vcpu *key,
		      const struct kvmx_call_args *args)
{
	struct kvmx_call_site site;
	bool free;

	if (!kvmx_poke_called(key, args->nr, &site))
		return false;
	raw_spin_lock(&h->lock);
	/*
	 * Still left with another thread, which has been on its way to user
	 * space since: the guest is to call again.
	 */
	free = h->call.state != KVMX_CALL_LEFT;
	if (free) {
		h->call.state = KVMX_CALL_LEFT;
		h->call.args = *args;
		h->call.site = site;
	}
	raw_spin_unlock(&h->lock);
	return free;
}

static void call_seen(struct kvmx_vcpu *v, struct kvm_vcpu *key,
		      const struct kvmx_call_args *args)
{
	struct kvmx_hinter *h = READ_ONCE(v->hinter);
	unsigned long flags;
	bool taken;

	if (!h || !READ_ONCE(h->on))
		return;
	local_irq_save(flags);
	taken = call_take(h, key, args);
	local_irq_restore(flags);
	if (!taken)
		return;
	if (!refcount_inc_not_zero(&v->vm->refs)) {
		call_state(h, KVMX_CALL_NONE);
		return;
	}
	if (!kvmx_work_leave(&h->call.work)) {
		call_state(h, KVMX_CALL_NONE);
		kvmx_vm_put(v->vm);
	}
}

/**
 * kvmx_call_prepare() - a vCPU may soon call
 * @h: the vCPU
 *
 * Context: any; it cannot call yet.
 */
void kvmx_call_prepare(struct kvmx_hinter *h)
{
	kvmx_work_prepare(&h->call.work, call_work, call_drop);
}

void __init kvmx_call_init(void)
{
	static_call_update(kvmx_on_call, call_seen);
}
