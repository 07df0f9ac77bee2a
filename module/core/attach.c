// SPDX-License-Identifier: GPL-2.0-only
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include "core/attach.h"
#include "core/death.h"
#include "core/exit.h"
#include "core/peek.h"
#include "core/poke.h"
#include "core/vm.h"

/* Guards kvmx_hooks[] and what is wanted; inside the tracepoint modules' list mutex. */
static DEFINE_MUTEX(attach_lock);
static unsigned int wanted[KVMX_NR_WANTS];

bool kvmx_attach_hints __read_mostly;

static bool hook_wanted(const struct kvmx_hook *h)
{
	int i;

	lockdep_assert_held(&attach_lock);
	for (i = 0; i < KVMX_NR_WANTS; i++)
		if (h->wants & BIT(i) && wanted[i])
			return true;
	return false;
}

static void want(u32 wants, int by)
{
	int i;

	lockdep_assert_held(&attach_lock);
	for (i = 0; i < KVMX_NR_WANTS; i++) {
		if (!(wants & BIT(i)))
			continue;
		WARN_ON(by < 0 && !wanted[i]);
		wanted[i] += by;
	}
	WRITE_ONCE(kvmx_attach_hints, wanted[ilog2(KVMX_WANT_HINTS)]);
}

static const char *hook_name(const struct kvmx_hook *h)
{
	static struct kvmx_feature f;

	lockdep_assert_held(&attach_lock);
	kvmx_feature_get(h->id, &f);
	return f.name;
}

/* Who a hook is for, in order of what is said of it. */
static const struct {
	u32 want;
	const char *who;
} causes[] = {
	{ KVMX_WANT_COUNTS | KVMX_ALL_GROUPS, "somebody counts" },
	{ KVMX_WANT_HINTS, "a VM may hint" },
	{ KVMX_WANT_TASKS, "a VM is placed" },
};

static const char *cause(u32 wants)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(causes) - 1; i++)
		if (wants & causes[i].want)
			break;
	return causes[i].who;
}

/* What is wanted now. */
static u32 wants_now(void)
{
	u32 wants = 0;
	int i;

	lockdep_assert_held(&attach_lock);
	for (i = 0; i < KVMX_NR_WANTS; i++)
		if (wanted[i])
			wants |= BIT(i);
	return wants;
}

static void hook_ready(struct kvmx_hook *h)
{
	kvmx_feature_set(h->id, KVMX_FEATURE_READY,
			 "tracepoint found: attached while %s", cause(h->wants));
}

static void hook_attach(struct kvmx_hook *h)
{
	lockdep_assert_held(&attach_lock);
	if (!h->tp || h->attached)
		return;
	if (h->id == KVMX_F_SWITCH && !kvmx_hooks[0].attached) {
		/* A thread must be unbound before its address is used again. */
		h->err = kvmx_hooks[0].err;
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
	kvmx_feature_set(h->id, KVMX_FEATURE_ON, "attached: %s",
			 cause(h->wants & wants_now()));
}

static void hook_detach(struct kvmx_hook *h)
{
	lockdep_assert_held(&attach_lock);
	if (!h->attached)
		return;
	tracepoint_probe_unregister(h->tp, h->fn, NULL);
	h->attached = false;
	hook_ready(h);
}

static void hook_found(struct kvmx_hook *h, struct tracepoint *tp)
{
	if (h->tp || strcmp(tp->name, hook_name(h)) ||
	    kvmx_feature_denied(h->id))
		return;
	h->tp = tp;
	h->err = 0;
	hook_ready(h);
}

static void hook_lost(struct kvmx_hook *h, const char *why)
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

	lockdep_assert_held(&attach_lock);
	for (i = KVMX_NR_HOOKS - 1; i >= 0; i--) {
		if (kvmx_hooks[i].attached && !hook_wanted(&kvmx_hooks[i])) {
			hook_detach(&kvmx_hooks[i]);
			detached = true;
		}
	}
	for (i = 0; i < KVMX_NR_HOOKS; i++)
		if (hook_wanted(&kvmx_hooks[i]))
			hook_attach(&kvmx_hooks[i]);
	return detached;
}

/* Was there no memory to attach one? Next time there may be. */
static bool hook_starved(const struct kvmx_hook *h)
{
	return h->tp && !h->attached && h->err == -ENOMEM;
}

static bool hooks_starved(void)
{
	int i;

	for (i = 0; i < KVMX_NR_HOOKS; i++)
		if (hook_wanted(&kvmx_hooks[i]) && hook_starved(&kvmx_hooks[i]))
			return true;
	return false;
}

/* Somebody goes: what nobody else wants is detached, and as if never tried. */
static void hooks_rest(void)
{
	int i;

	if (hooks_sync())
		tracepoint_synchronize_unregister();
	for (i = 0; i < KVMX_NR_HOOKS; i++) {
		struct kvmx_hook *h = &kvmx_hooks[i];

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

	for (i = 0; i < KVMX_NR_HOOKS; i++) {
		struct kvmx_hook *h = &kvmx_hooks[i];

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

	for (i = KVMX_NR_HOOKS - 1; i >= 0; i--)
		if (kvmx_hooks[i].in_kvm)
			hook_lost(&kvmx_hooks[i], "waits for kvm.ko to be loaded");
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
	mutex_lock(&attach_lock);
	if (action == MODULE_STATE_COMING) {
		kvmx_peek_reset();
		kvmx_poke_reset();
		kvmx_exit_reset();
		kvm_comes(tpm->mod);
	} else if (action == MODULE_STATE_GOING) {
		kvm_goes();
	}
	mutex_unlock(&attach_lock);
	return NOTIFY_OK;
}

static struct notifier_block module_nb = { .notifier_call = module_event };

static void kernel_tracepoint(struct tracepoint *tp, void *priv)
{
	int i;

	for (i = 0; i < KVMX_NR_HOOKS; i++)
		if (!kvmx_hooks[i].in_kvm)
			hook_found(&kvmx_hooks[i], tp);
}

static int attach_get(u32 wants)
{
	int err = 0;

	mutex_lock(&attach_lock);
	want(wants, 1);
	hooks_sync();
	if (hooks_starved()) {
		err = -ENOMEM;
		want(wants, -1);
		hooks_rest();
	}
	mutex_unlock(&attach_lock);
	return err;
}

static void attach_put(u32 wants)
{
	mutex_lock(&attach_lock);
	want(wants, -1);
	hooks_rest();
	mutex_unlock(&attach_lock);
}

/**
 * kvmx_attach_get() - attach the probes, if that is not done yet
 * @groups: KVMX_STATS_* groups that are to be counted, too
 *
 * Whatever cannot be attached at all, or only later when kvm.ko comes, is a
 * feature's matter. What there is no memory for is not: then nothing is
 * attached that was not before.
 *
 * Context: may sleep.
 * Return: 0, or -ENOMEM, after which there is nothing to be put.
 */
int kvmx_attach_get(u32 groups)
{
	return attach_get(groups | KVMX_WANT_COUNTS);
}

/**
 * kvmx_attach_put() - detach the probes that nobody else wants
 * @groups: as given to kvmx_attach_get()
 *
 * Context: may sleep. When it returns, no probe that nobody else wants is
 *	running any more.
 */
void kvmx_attach_put(u32 groups)
{
	attach_put(groups | KVMX_WANT_COUNTS);
}

/**
 * kvmx_attach_get_tasks() - see threads being born, renamed, and end
 *
 * Context: may sleep.
 * Return: as kvmx_attach_get().
 */
int kvmx_attach_get_tasks(void)
{
	return attach_get(KVMX_WANT_TASKS);
}

/**
 * kvmx_attach_put_tasks() - that is over
 *
 * Context: as kvmx_attach_put().
 */
void kvmx_attach_put_tasks(void)
{
	attach_put(KVMX_WANT_TASKS);
}

/**
 * kvmx_attach_get_hints() - hear of hints
 *
 * Context: may sleep.
 * Return: as kvmx_attach_get().
 */
int kvmx_attach_get_hints(void)
{
	return attach_get(KVMX_WANT_HINTS);
}

/**
 * kvmx_attach_put_hints() - that is over
 *
 * Context: as kvmx_attach_put().
 */
void kvmx_attach_put_hints(void)
{
	attach_put(KVMX_WANT_HINTS);
}

/**
 * kvmx_attach_any() - does any kvmx code run on entries and exits now?
 *
 * Context: may sleep.
 * Return: true while a probe on a tracepoint of kvm.ko is attached.
 */
bool kvmx_attach_any(void)
{
	bool attached = false;
	int i;

	mutex_lock(&attach_lock);
	for (i = 0; i < KVMX_NR_HOOKS; i++)
		attached |= kvmx_hooks[i].attached && kvmx_hooks[i].in_kvm;
	mutex_unlock(&attach_lock);
	return attached;
}

int kvmx_attach_init(void)
{
	int i;

	mutex_lock(&attach_lock);
	for (i = 0; i < KVMX_NR_HOOKS; i++)
		hook_lost(&kvmx_hooks[i], kvmx_hooks[i].in_kvm ?
			  "waits for kvm.ko to be loaded" :
			  "this kernel has no such tracepoint");
	for_each_kernel_tracepoint(kernel_tracepoint, NULL);
	mutex_unlock(&attach_lock);
	/* Calls back for a kvm.ko that is loaded already. */
	return register_tracepoint_module_notifier(&module_nb);
}

void kvmx_attach_exit(void)
{
	int i;

	/* Calls back as if kvm.ko went. */
	unregister_tracepoint_module_notifier(&module_nb);
	mutex_lock(&attach_lock);
	for (i = 0; i < KVMX_NR_WANTS; i++)
		WARN_ON(wanted[i]);
	for (i = 0; i < KVMX_NR_HOOKS; i++)
		WARN_ON(kvmx_hooks[i].attached);
	mutex_unlock(&attach_lock);
}
