// SPDX-License-Identifier: GPL-2.0-only
#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/tracepoint.h>

#include "core/birth.h"
#include "core/clock.h"
#include "core/death.h"
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
 *  kvm_page_fault	struct kvm_vcpu *vcpu, u64 fault_address, u64 error_code
 *  sched_switch	bool preempt, struct task_struct *prev,
 *			struct task_struct *next, unsigned int prev_state
 *  sched_process_exit	KVMX_SCHED_PROCESS_EXIT_ARGS
 *
 * Context of the probes: kvm_entry and, but for SVM on 6.1, kvm_exit run with
 * interrupts off; up to 6.12 the tracepoint disables preemption around every
 * probe, later kernels do not, so the others do it themselves.
 */

static atomic64_t uncounted;

/* The hot path: one compare, and one more for VMs that nobody looks at. */
static __always_inline struct kvmx_vcpu *vcpu_fast(struct kvm_vcpu *vcpu)
{
	struct kvmx_vcpu *v = __this_cpu_read(kvmx_vcpu_last);

	return likely(v && v->key == vcpu) ? v : NULL;
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
}

static void probe_entry(void *data, struct kvm_vcpu *vcpu, bool immediate_exit)
{
	struct kvmx_vcpu *v = vcpu_fast(vcpu);
	u64 now;

	if (unlikely(!v)) {
		v = vcpu_slow(vcpu, true);
		if (!v)
			return;
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

static void probe_exit(void *data, struct kvm_vcpu *vcpu, u32 isa)
{
	struct kvmx_vcpu *v = vcpu_fast(vcpu);
	u64 now, code;

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

static void probe_fpu(void *data, int load)
{
	if (load)
		current_event(KVMX_EV_RUN, 0);
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

static void probe_switch(void *data, bool preempt, struct task_struct *prev,
			 struct task_struct *next, unsigned int prev_state)
{
	struct kvmx_vcpu *v;

	/* Preemption is off in every version: the scheduler is at work. */
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
				   .now = kvmx_clock() });
}

static void probe_process_exit(KVMX_SCHED_PROCESS_EXIT_ARGS)
{
	current_event(KVMX_EV_END, 0);
}

/**
 * struct hook - a tracepoint and the probe for it
 * @id: its feature, whose name is the tracepoint's
 * @in_kvm: defined in kvm.ko; else in the kernel itself
 * @fn: the probe
 * @groups: attached only while one of these groups is counted; 0: always
 * @tp: the tracepoint while it is known to exist
 * @attached: the probe is registered
 * @err: why it could not be, when that was last tried
 */
struct hook {
	enum kvmx_feature_id id;
	bool in_kvm;
	void *fn;
	u32 groups;
	struct tracepoint *tp;
	bool attached;
	int err;
};

static struct hook hooks[] = {
	/*
	 * In the order of attaching: the entry probe comes last, so that a
	 * thread's events are seen as soon as it is bound.
	 */
	{ KVMX_F_THREAD_EXIT, false, probe_process_exit },
	{ KVMX_F_SWITCH, false, probe_switch },
	{ KVMX_F_USER_EXIT, true, probe_userspace_exit },
	{ KVMX_F_FPU, true, probe_fpu },
	{ KVMX_F_WAKEUP, true, probe_wakeup },
	{ KVMX_F_FAULT, true, probe_fault,
	  KVMX_STATS_MMU | KVMX_STATS_IO },
	{ KVMX_F_EXIT, true, probe_exit },
	{ KVMX_F_ENTRY, true, probe_entry },
};

/* Guards hooks[] and what is wanted; inside the tracepoint modules' list mutex. */
static DEFINE_MUTEX(probe_lock);
static unsigned int wanted;
static unsigned int group_wanted[KVMX_NR_GROUPS];

static bool hook_wanted(const struct hook *h)
{
	int i;

	lockdep_assert_held(&probe_lock);
	for (i = 0; i < KVMX_NR_GROUPS; i++)
		if (h->groups & BIT(i) && group_wanted[i])
			return true;
	return wanted && !h->groups;
}

static void want(u32 groups, int by)
{
	int i;

	lockdep_assert_held(&probe_lock);
	wanted += by;
	for (i = 0; i < KVMX_NR_GROUPS; i++)
		if (groups & BIT(i))
			group_wanted[i] += by;
}

static const char *hook_name(const struct hook *h)
{
	static struct kvmx_feature f;

	lockdep_assert_held(&probe_lock);
	kvmx_feature_get(h->id, &f);
	return f.name;
}

static void hook_ready(struct hook *h)
{
	kvmx_feature_set(h->id, KVMX_FEATURE_READY,
			 "tracepoint found: attached while somebody counts");
}

static void hook_attach(struct hook *h)
{
	lockdep_assert_held(&probe_lock);
	if (!h->tp || h->attached)
		return;
	if (h->id == KVMX_F_SWITCH && !hooks[0].attached) {
		/* A thread must be unbound before its address is used again. */
		h->err = hooks[0].err;
		kvmx_feature_set(h->id, KVMX_FEATURE_OFF,
				 "needs sched_process_exit, which is off");
		return;
	}
	h->err = tracepoint_probe_register(h->tp, h->fn, NULL);
	if (h->err) {
		kvmx_feature_set(h->id, KVMX_FEATURE_OFF,
				 "tracepoint found, but attaching failed: error %d",
				 h->err);
		return;
	}
	h->attached = true;
	kvmx_feature_set(h->id, KVMX_FEATURE_ON, "attached: somebody counts");
}

static void hook_detach(struct hook *h)
{
	lockdep_assert_held(&probe_lock);
	if (!h->attached)
		return;
	tracepoint_probe_unregister(h->tp, h->fn, NULL);
	h->attached = false;
	hook_ready(h);
}

static void hook_found(struct hook *h, struct tracepoint *tp)
{
	if (h->tp || strcmp(tp->name, hook_name(h)) ||
	    kvmx_feature_denied(h->id))
		return;
	h->tp = tp;
	h->err = 0;
	hook_ready(h);
}

static void hook_lost(struct hook *h, const char *why)
{
	hook_detach(h);
	h->tp = NULL;
	if (!kvmx_feature_denied(h->id))
		kvmx_feature_set(h->id, KVMX_FEATURE_OFF, "%s", why);
}

/* Return: true if something was detached, whose probes may still be running. */
static bool hooks_sync(void)
{
	bool detached = false;
	int i;

	lockdep_assert_held(&probe_lock);
	for (i = ARRAY_SIZE(hooks) - 1; i >= 0; i--) {
		if (hooks[i].attached && !hook_wanted(&hooks[i])) {
			hook_detach(&hooks[i]);
			detached = true;
		}
	}
	for (i = 0; i < ARRAY_SIZE(hooks); i++)
		if (hook_wanted(&hooks[i]))
			hook_attach(&hooks[i]);
	return detached;
}

/* Was there no memory to attach one? Next time there may be. */
static bool hook_starved(const struct hook *h)
{
	return h->tp && !h->attached && h->err == -ENOMEM;
}

static bool hooks_starved(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(hooks); i++)
		if (hook_wanted(&hooks[i]) && hook_starved(&hooks[i]))
			return true;
	return false;
}

/* Somebody goes: what nobody else wants is detached, and as if never tried. */
static void hooks_rest(void)
{
	int i;

	if (hooks_sync())
		tracepoint_synchronize_unregister();
	for (i = 0; i < ARRAY_SIZE(hooks); i++) {
		struct hook *h = &hooks[i];

		if (hook_wanted(h) || !hook_starved(h))
			continue;
		h->err = 0;
		hook_ready(h);
	}
}

static void kvm_comes(struct module *mod)
{
	tracepoint_ptr_t *tps = mod->tracepoints_ptrs;
	int i, j;

	for (i = 0; i < ARRAY_SIZE(hooks); i++) {
		struct hook *h = &hooks[i];

		if (!h->in_kvm)
			continue;
		for (j = 0; j < mod->num_tracepoints; j++)
			hook_found(h, tracepoint_ptr_deref(tps + j));
		if (!h->tp)
			hook_lost(h, "this kvm.ko has no such tracepoint");
	}
	hooks_sync();
}

static void kvm_goes(void)
{
	int i;

	for (i = ARRAY_SIZE(hooks) - 1; i >= 0; i--)
		if (hooks[i].in_kvm)
			hook_lost(&hooks[i], "waits for kvm.ko to be loaded");
	tracepoint_synchronize_unregister();
	/* None can be left, unless their teardown could not be seen. */
	kvmx_death_of_all();
}

static int module_event(struct notifier_block *nb, unsigned long action,
			void *data)
{
	struct tp_module *tpm = data;

	if (strcmp(tpm->mod->name, "kvm"))
		return NOTIFY_OK;
	mutex_lock(&probe_lock);
	if (action == MODULE_STATE_COMING) {
		kvmx_peek_reset();
		kvmx_exit_reset();
		kvm_comes(tpm->mod);
	} else if (action == MODULE_STATE_GOING) {
		kvm_goes();
	}
	mutex_unlock(&probe_lock);
	return NOTIFY_OK;
}

static struct notifier_block module_nb = { .notifier_call = module_event };

static void kernel_tracepoint(struct tracepoint *tp, void *priv)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(hooks); i++)
		if (!hooks[i].in_kvm)
			hook_found(&hooks[i], tp);
}

/**
 * kvmx_probe_get() - attach the probes, if that is not done yet
 * @groups: KVMX_STATS_* groups that are to be counted, too
 *
 * Whatever cannot be attached at all, or only later when kvm.ko comes, is a
 * feature's matter. What there is no memory for is not: then nothing is
 * attached that was not before.
 *
 * Context: may sleep.
 * Return: 0, or -ENOMEM, after which there is nothing to be put.
 */
int kvmx_probe_get(u32 groups)
{
	int err = 0;

	mutex_lock(&probe_lock);
	want(groups, 1);
	hooks_sync();
	if (hooks_starved()) {
		err = -ENOMEM;
		want(groups, -1);
		hooks_rest();
	}
	mutex_unlock(&probe_lock);
	return err;
}

/**
 * kvmx_probe_put() - detach the probes that nobody else wants
 * @groups: as given to kvmx_probe_get()
 *
 * Context: may sleep. When it returns, no probe that nobody else wants is
 *	running any more.
 */
void kvmx_probe_put(u32 groups)
{
	mutex_lock(&probe_lock);
	if (!WARN_ON(!wanted)) {
		want(groups, -1);
		hooks_rest();
	}
	mutex_unlock(&probe_lock);
}

/**
 * kvmx_probe_attached() - does any kvmx code run on entries and exits now?
 *
 * Context: may sleep.
 * Return: true while a probe on a tracepoint of kvm.ko is attached.
 */
bool kvmx_probe_attached(void)
{
	bool attached = false;
	int i;

	mutex_lock(&probe_lock);
	for (i = 0; i < ARRAY_SIZE(hooks); i++)
		attached |= hooks[i].attached && hooks[i].in_kvm;
	mutex_unlock(&probe_lock);
	return attached;
}

/* Exits seen before their vCPU had a record. */
u64 kvmx_probe_uncounted(void)
{
	return atomic64_read(&uncounted);
}

int kvmx_probe_init(void)
{
	int i;

	mutex_lock(&probe_lock);
	for (i = 0; i < ARRAY_SIZE(hooks); i++)
		hook_lost(&hooks[i], hooks[i].in_kvm ?
			  "waits for kvm.ko to be loaded" :
			  "this kernel has no such tracepoint");
	for_each_kernel_tracepoint(kernel_tracepoint, NULL);
	mutex_unlock(&probe_lock);
	/* Calls back for a kvm.ko that is loaded already. */
	return register_tracepoint_module_notifier(&module_nb);
}

void kvmx_probe_exit(void)
{
	int i;

	/* Calls back as if kvm.ko went. */
	unregister_tracepoint_module_notifier(&module_nb);
	mutex_lock(&probe_lock);
	WARN_ON(wanted);
	for (i = 0; i < ARRAY_SIZE(hooks); i++)
		WARN_ON(hooks[i].attached);
	mutex_unlock(&probe_lock);
}
