// SPDX-License-Identifier: GPL-2.0-only
#include <linux/cpumask.h>
#include <linux/lockdep.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/kvmx_para.h>

#include "core/attach.h"
#include "core/birth.h"
#include "core/clock.h"
#include "core/exit.h"
#include "core/feature.h"
#include "core/hook.h"
#include "core/peek.h"
#include "core/probe.h"
#include "core/threads.h"
#include "core/vm.h"

/*
 * Prototypes of the tracepoints, behind the first argument that the kernel adds:
 *
 *  kvm_entry		struct kvm_vcpu *vcpu, bool force_immediate_exit
 *  kvm_exit		struct kvm_vcpu *vcpu, u32 isa
 *  kvm_userspace_exit	__u32 reason, int errno
 *  kvm_fpu		int load
 *  kvm_vcpu_wakeup	__u64 ns, bool waited, bool valid
 *  kvm_hypercall	unsigned long nr, unsigned long a0, unsigned long a1,
 *			unsigned long a2, unsigned long a3
 *  kvm_page_fault	struct kvm_vcpu *vcpu, u64 fault_address, u64 error_code
 *  kvm_tdp_mmu_spte_changed
 *			int as_id, gfn_t gfn, int level, u64 old_spte,
 *			u64 new_spte
 *  kvm_pv_tlb_flush	unsigned int vcpu_id, bool need_flush_tlb
 *  sched_switch	bool preempt, struct task_struct *prev,
 *			struct task_struct *next, unsigned int prev_state
 *  sched_process_exit	KVMX_SCHED_PROCESS_EXIT_ARGS
 *  task_newtask	struct task_struct *task, u64 clone_flags
 *  task_rename		struct task_struct *task, const char *comm
 *
 * Context of the probes: kvm_entry and, but for SVM on 6.1, kvm_exit run with
 * interrupts off; up to 6.12 the tracepoint disables preemption around every
 * probe, later kernels do not, so the others do it themselves.
 */

static atomic64_t uncounted;

struct kvmx_vcpu kvmx_vcpu_none;
/* Not initialized here: in modules, per-CPU data is not relocated. */
DEFINE_PER_CPU(struct kvmx_vcpu *, kvmx_vcpu_last);

/* The vCPU that went the long way last on this CPU: mostly the next one, too. */
static __always_inline struct kvmx_vcpu *vcpu_fast(struct kvm_vcpu *vcpu)
{
	struct kvmx_vcpu *v = __this_cpu_read(kvmx_vcpu_last);

	return likely(v->key == vcpu) ? v : NULL;
}

/* No record, or no memory for its counters: each entry tries to change that. */
static noinline void vcpu_unborn(struct kvm_vcpu *vcpu, bool entering)
{
	struct kvmx_seen seen;

	if (!entering) {
		atomic64_inc(&uncounted);
	} else if (kvmx_peek_check(vcpu, true)) {
		kvmx_peek_seen(vcpu, &seen);
		kvmx_birth_queue(&seen, true);
	}
}

static noinline struct kvmx_vcpu *vcpu_slow(struct kvm_vcpu *vcpu, bool entering)
{
	struct kvmx_vcpu *v = kvmx_vcpu_find(vcpu);

	if (v)
		this_cpu_write(kvmx_vcpu_last, v);
	else
		vcpu_unborn(vcpu, entering);
	return v;
}

/* A thread is seen in this vCPU for the first time: check what can be read. */
static noinline void vcpu_bind(struct kvmx_vcpu *v, struct kvm_vcpu *vcpu,
			       bool entering, u64 now)
{
	bool ok = kvmx_peek_check(vcpu, entering) &&
		  !kvmx_peek_protected(vcpu);

	if (ok)
		ok = boot_cpu_has(X86_FEATURE_SVM) ? kvmx_svm_check(vcpu) :
						     kvmx_vmx_check();
	v->opaque = !ok;
	kvmx_threads_bind(v, now);
	if (kvmx_threads_ran(v, task_pid(current)))
		static_call(kvmx_on_run)(v, true);
}

void kvmx_probe_entry(void *data, struct kvm_vcpu *vcpu, bool immediate_exit)
{
	struct kvmx_vcpu *v = vcpu_fast(vcpu);
	u64 now;

	lockdep_assert_irqs_disabled();
	if (unlikely(!v)) {
		v = vcpu_slow(vcpu, true);
		if (!v)
			return;
	}
	if (unlikely(READ_ONCE(v->owed))) {
		static_call(kvmx_on_owed)(v, vcpu);
		kvmx_vcpu_skip(v);
	}
	if (!READ_ONCE(v->counting)) {
		if (unlikely(READ_ONCE(v->starved)))
			vcpu_unborn(vcpu, true);
		return;
	}
	now = kvmx_clock();
	if (unlikely(v->task != current))
		vcpu_bind(v, vcpu, true, now);
	static_call(kvmx_on_entry)(v, now);
	if (unlikely(READ_ONCE(v->groups)))
		static_call(kvmx_on_entry_more)(v, vcpu, now);
}

void kvmx_probe_exit(void *data, struct kvm_vcpu *vcpu, u32 isa)
{
	struct kvmx_vcpu *v = vcpu_fast(vcpu);
	u64 now, code;

	lockdep_assert_preemption_disabled();
	if (unlikely(!v)) {
		v = vcpu_slow(vcpu, false);
		if (!v)
			return;
	}
	if (!READ_ONCE(v->counting)) {
		if (unlikely(READ_ONCE(v->starved)))
			vcpu_unborn(vcpu, false);
		return;
	}
	now = kvmx_clock();
	if (unlikely(v->task != current))
		vcpu_bind(v, vcpu, false, now);
	if (unlikely(v->opaque))
		code = KVMX_CODE_OPAQUE;
	else if (isa == KVMX_ISA_SVM)
		code = kvmx_svm_exit_code(vcpu);
	else
		code = kvmx_vmx_exit_code();
	static_call(kvmx_on_exit)(v, code, now);
	if (unlikely(READ_ONCE(v->groups)))
		static_call(kvmx_on_exit_more)(v, vcpu, code, now);
}

static void probe_fault(void *data, struct kvm_vcpu *vcpu, u64 address,
			u64 error)
{
	struct kvmx_vcpu *v;

	preempt_disable();
	/* Since the exit the thread may have moved: then the hash knows it. */
	v = vcpu_fast(vcpu) ?: kvmx_vcpu_find(vcpu);
	if (v && READ_ONCE(v->counting) && READ_ONCE(v->groups) &&
	    v->task == current)
		static_call(kvmx_on_fault)(v, vcpu, address, error);
	preempt_enable();
}

/**
 * kvmx_probe_halt() - a guest halts
 * @vcpu: its vCPU
 *
 * Context: a kprobe, in the vCPU's thread, preemption disabled.
 */
void kvmx_probe_halt(struct kvm_vcpu *vcpu)
{
	struct kvmx_vcpu *v = kvmx_vcpu_find(vcpu);

	if (v && READ_ONCE(v->hinter))
		static_call(kvmx_on_halt)(v, vcpu);
}

static void probe_hypercall(void *data, unsigned long nr, unsigned long a0,
			    unsigned long a1, unsigned long a2, unsigned long a3)
{
	struct kvmx_call_args args = { .nr = nr, .arg = { a0, a1, a2, a3 } };
	struct kvmx_vcpu *v;
	struct kvm_vcpu *key;

	if ((u32)nr != KVMX_HC)
		return;
	preempt_disable();
	/* The tracepoint does not say which vCPU; the thread's own it is. */
	v = kvmx_peek_of(current);
	key = v ? READ_ONCE(v->key) : NULL;
	if (key)
		static_call(kvmx_on_call)(v, key, &args);
	preempt_enable();
}

static void probe_spte(void *data, int as_id, u64 gfn, int level, u64 before,
		       u64 now)
{
	preempt_disable();
	static_call(kvmx_on_mmu_change)(level, before, now);
	preempt_enable();
}

/* Another vCPU's guest had left word; KVM flushes next. */
static void probe_pv_flush(void *data, unsigned int vcpu_id, bool need)
{
	struct kvmx_vcpu *v;

	if (!need)
		return;
	preempt_disable();
	v = kvmx_threads_find(current);
	if (v && READ_ONCE(v->groups) & KVMX_STATS_TLB)
		static_call(kvmx_on_tlb)(v, v->key, KVMX_TLB_PARAVIRTUAL, 0);
	preempt_enable();
}

static void current_event(enum kvmx_thread_event type, u64 arg)
{
	struct kvmx_vcpu *v;

	preempt_disable();
	v = kvmx_threads_find(current);
	if (v)
		kvmx_threads_event(v, current, &(struct kvmx_event){
				   .type = type, .arg = arg,
				   .now = kvmx_clock() });
	preempt_enable();
}

static void probe_userspace_exit(void *data, u32 reason, int err)
{
	current_event(KVMX_EV_USER, reason);
}

static void probe_wakeup(void *data, u64 ns, bool waited, bool valid)
{
	current_event(KVMX_EV_WAKEUP, ns);
}

static enum kvmx_out out_kind(struct kvmx_vcpu *v,
			      const struct task_struct *prev, bool preempt,
			      unsigned int prev_state)
{
	if (preempt || prev_state == TASK_RUNNING)
		return kvmx_task_throttled(prev) ? KVMX_OUT_THROTTLED :
						   KVMX_OUT_PREEMPTED;
	if (kvmx_peek_blocking(READ_ONCE(v->key)))
		return KVMX_OUT_HALTED;
	return KVMX_OUT_WAITS;
}

/*
 * Whose vCPU may hint need not be counted, and so need not be bound: the vCPU
 * that is loaded in a thread is the one.
 */
static void hint_event(const struct task_struct *task,
		       enum kvmx_thread_event type, u64 arg)
{
	struct kvmx_vcpu *v = kvmx_peek_of(task);

	if (v && READ_ONCE(v->hinter))
		static_call(kvmx_on_event_hint)(v, &(struct kvmx_event){
						.type = type, .arg = arg });
}

static void hint_out(const struct task_struct *prev, bool preempt,
		     unsigned int prev_state)
{
	struct kvmx_vcpu *v = kvmx_peek_of(prev);

	if (v && READ_ONCE(v->hinter))
		static_call(kvmx_on_event_hint)(v, &(struct kvmx_event){
						.type = KVMX_EV_OUT,
						.arg = out_kind(v, prev, preempt,
								prev_state) });
}

static void probe_switch(void *data, bool preempt, struct task_struct *prev,
			 struct task_struct *next, unsigned int prev_state)
{
	struct kvmx_vcpu *v;

	/* In every version: the scheduler is at work, under a run queue's lock. */
	lockdep_assert_irqs_disabled();
	v = kvmx_threads_find(prev);
	if (unlikely(v))
		kvmx_threads_event(v, prev, &(struct kvmx_event){
				   .type = KVMX_EV_OUT,
				   .arg = out_kind(v, prev, preempt, prev_state),
				   .now = kvmx_clock(), .other = next });
	v = kvmx_threads_find(next);
	if (unlikely(v))
		kvmx_threads_event(v, next, &(struct kvmx_event){
				   .type = KVMX_EV_IN,
				   .arg = next->sched_info.run_delay,
				   .now = kvmx_clock(), .other = prev });
	if (likely(!READ_ONCE(kvmx_attach_hints)))
		return;
	if (unlikely(!hlist_empty(&prev->preempt_notifiers)))
		hint_out(prev, preempt, prev_state);
	if (unlikely(!hlist_empty(&next->preempt_notifiers)))
		hint_event(next, KVMX_EV_IN, next->sched_info.run_delay);
}

static void probe_fpu(void *data, int load)
{
	if (load) {
		current_event(KVMX_EV_RUN, 0);
		return;
	}
	if (likely(!READ_ONCE(kvmx_attach_hints)))
		return;
	preempt_disable();
	hint_event(current, KVMX_EV_USER, 0);
	preempt_enable();
}

static void probe_process_exit(KVMX_SCHED_PROCESS_EXIT_ARGS)
{
	current_event(KVMX_EV_END, 0);
	preempt_disable();
	static_call(kvmx_on_end)(task);
	preempt_enable();
}

/* In the parent, which is about to let the child run. */
static void probe_newtask(void *data, struct task_struct *child, u64 flags)
{
	preempt_disable();
	static_call(kvmx_on_newtask)(child);
	preempt_enable();
}

static void probe_rename(void *data, struct task_struct *task, const char *name)
{
	preempt_disable();
	static_call(kvmx_on_rename)(task, name);
	preempt_enable();
}

struct kvmx_hook kvmx_hooks[KVMX_NR_HOOKS] = {
	/*
	 * In the order of attaching: the entry probe comes last, so that a
	 * thread's events are seen as soon as it is bound.
	 */
	{ KVMX_F_THREAD_EXIT, false, probe_process_exit,
	  KVMX_WANT_COUNTS | KVMX_WANT_TASKS | KVMX_WANT_HINTS },
	{ KVMX_F_TASK_RENAME, false, probe_rename, KVMX_WANT_TASKS },
	{ KVMX_F_TASK_BIRTH, false, probe_newtask, KVMX_WANT_TASKS },
	{ KVMX_F_SWITCH, false, probe_switch,
	  KVMX_WANT_COUNTS | KVMX_WANT_HINTS },
	{ KVMX_F_USER_EXIT, true, probe_userspace_exit, KVMX_WANT_COUNTS },
	{ KVMX_F_FPU, true, probe_fpu, KVMX_WANT_COUNTS | KVMX_WANT_HINTS },
	{ KVMX_F_WAKEUP, true, probe_wakeup, KVMX_WANT_COUNTS },
	{ KVMX_F_FAULT, true, probe_fault,
	  KVMX_STATS_MMU | KVMX_STATS_IO },
	{ KVMX_F_SPTE, true, probe_spte, KVMX_STATS_MMU },
	{ KVMX_F_PV_FLUSH, true, probe_pv_flush, KVMX_STATS_TLB },
	{ KVMX_F_HYPERCALL, true, probe_hypercall, KVMX_WANT_HINTS },
	{ KVMX_F_EXIT, true, NULL, KVMX_WANT_COUNTS },
	{ KVMX_F_ENTRY, true, NULL, KVMX_WANT_COUNTS | KVMX_WANT_HINTS },
};

/**
 * kvmx_probe_set() - choose the probes on entry and exit; none was seen yet
 * @entry: for kvm_entry
 * @exit: for kvm_exit
 *
 * Context: once, at load, before anything is attached.
 */
void kvmx_probe_set(kvmx_entry_fn *entry, kvmx_exit_fn *exit)
{
	int cpu;

	for_each_possible_cpu(cpu)
		per_cpu(kvmx_vcpu_last, cpu) = &kvmx_vcpu_none;
	kvmx_hooks[KVMX_NR_HOOKS - 1].fn = entry;
	kvmx_hooks[KVMX_NR_HOOKS - 2].fn = exit;
}

/* Exits seen before their vCPU had a record. */
u64 kvmx_probe_uncounted(void)
{
	return atomic64_read(&uncounted);
}
