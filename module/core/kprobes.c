// SPDX-License-Identifier: GPL-2.0-only
#include <linux/delay.h>
#include <linux/init.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/ptrace.h>
#include <linux/string.h>
#include <asm/cpufeature.h>

#include "core/feature.h"
#include "core/kprobes.h"

/* Guards kvmx_spots[] and what is wanted. */
static DEFINE_MUTEX(spots_lock);
static unsigned int wanted[KVMX_NR_WANTS];

static bool spot_wanted(const struct kvmx_spot *s)
{
	int i;

	lockdep_assert_held(&spots_lock);
	for (i = 0; i < KVMX_NR_WANTS; i++)
		if (s->wants & BIT(i) && wanted[i])
			return true;
	return !s->wants;
}

static void want(u32 wants, int by)
{
	int i;

	lockdep_assert_held(&spots_lock);
	for (i = 0; i < KVMX_NR_WANTS; i++)
		if (wants & BIT(i))
			wanted[i] += by;
}

/* Is it a function of this module? */
static bool spot_in(const struct kvmx_spot *s, const char *module)
{
	size_t len = strlen(module);

	return !strncmp(s->symbol, module, len) && s->symbol[len] == ':';
}

/* On a host of the other vendor its function cannot come. */
static bool spot_foreign(const struct kvmx_spot *s)
{
	return (spot_in(s, "kvm_intel") && !boot_cpu_has(X86_FEATURE_VMX)) ||
	       (spot_in(s, "kvm_amd") && !boot_cpu_has(X86_FEATURE_SVM));
}

/*
 * Since 7.x register_kprobe() reports success even where arming failed, and a
 * kprobe that is armed need not be hit: only the first hit proves anything.
 */
static int spot_hit(struct kprobe *kp, struct pt_regs *regs)
{
	struct kvmx_spot *s = container_of(kp, struct kvmx_spot, kp);

	if (unlikely(!READ_ONCE(s->hit))) {
		WRITE_ONCE(s->hit, true);
		kvmx_feature_set(s->id, KVMX_FEATURE_ON,
				 "kprobe armed, and seen to work");
	}
	s->fn((void *)regs_get_kernel_argument(regs, 0),
	      regs_get_kernel_argument(regs, 1));
	return 0;
}
NOKPROBE_SYMBOL(spot_hit);

static void spot_ready(struct kvmx_spot *s)
{
	kvmx_feature_set(s->id, KVMX_FEATURE_READY,
			 "function found: kprobe armed while somebody wants to know");
}

static void spot_lost(struct kvmx_spot *s)
{
	int len = strcspn(s->symbol, ":");

	if (kvmx_feature_denied(s->id))
		return;
	kvmx_feature_set(s->id, KVMX_FEATURE_OFF, spot_foreign(s) ?
			 "%.*s.ko is not for this host" :
			 "waits for %.*s.ko to be loaded", len, s->symbol);
}

/* The kprobe is made, but changes nothing yet. */
static void spot_place(struct kvmx_spot *s)
{
	lockdep_assert_held(&spots_lock);
	if (s->placed || spot_foreign(s) || kvmx_feature_denied(s->id))
		return;
	memset(&s->kp, 0, sizeof(s->kp));
	s->kp.symbol_name = s->symbol;
	s->kp.pre_handler = spot_hit;
	s->kp.flags = KPROBE_FLAG_DISABLED;
	s->err = register_kprobe(&s->kp);
	if (s->err == -ENOENT && s->other) {
		memset(&s->kp, 0, sizeof(s->kp));
		s->kp.symbol_name = s->other;
		s->kp.pre_handler = spot_hit;
		s->kp.flags = KPROBE_FLAG_DISABLED;
		s->err = register_kprobe(&s->kp);
	}
	if (s->err == -ENOENT) {
		kvmx_feature_set(s->id, KVMX_FEATURE_OFF,
				 "no function %s: its module lacks it, or is not loaded",
				 s->symbol);
	} else if (s->err) {
		kvmx_feature_set(s->id, KVMX_FEATURE_OFF,
				 "no kprobe on %s: error %d", s->symbol,
				 s->err);
	} else {
		s->placed = true;
		spot_ready(s);
	}
}

static void spot_arm(struct kvmx_spot *s)
{
	lockdep_assert_held(&spots_lock);
	if (!s->placed || s->armed)
		return;
	WRITE_ONCE(s->hit, false);
	kvmx_feature_set(s->id, KVMX_FEATURE_READY,
			 "kprobe armed, not hit yet");
	s->err = enable_kprobe(&s->kp);
	if (s->err) {
		kvmx_feature_set(s->id, KVMX_FEATURE_OFF,
				 "kprobe on %s could not be armed: error %d",
				 s->symbol, s->err);
		return;
	}
	WRITE_ONCE(s->armed, true);
}

/*
 * unregister_kprobe() does not say where there was no memory to disarm a kprobe,
 * which then stays where it is and calls into a module that is gone. To disable
 * one may fail as well, but says so; after that nothing is left that could.
 */
static void spot_disarm(struct kvmx_spot *s)
{
	lockdep_assert_held(&spots_lock);
	while (disable_kprobe(&s->kp) == -ENOMEM)
		msleep(20);
	WRITE_ONCE(s->armed, false);
}

/* Nobody asks for it: not armed, and as if that had never been tried. */
static void spot_rest(struct kvmx_spot *s)
{
	lockdep_assert_held(&spots_lock);
	if (!s->placed || (!s->armed && !s->err))
		return;
	if (s->armed)
		spot_disarm(s);
	s->err = 0;
	spot_ready(s);
}

/* -ENOMEM if there was no memory; whatever else keeps one away is a feature's. */
static int spots_place(const char *module)
{
	int i, err = 0;

	for (i = 0; i < KVMX_NR_SPOTS; i++) {
		struct kvmx_spot *s = &kvmx_spots[i];

		if (module && !spot_in(s, module))
			continue;
		spot_place(s);
		if (spot_wanted(s))
			spot_arm(s);
		if (s->err == -ENOMEM)
			err = -ENOMEM;
	}
	return err;
}

/* All at once: each time that kprobes are removed waits for their handlers. */
static void spots_remove(const char *module)
{
	static struct kprobe *going[KVMX_NR_SPOTS];
	int i, nr = 0;

	lockdep_assert_held(&spots_lock);
	for (i = KVMX_NR_SPOTS - 1; i >= 0; i--) {
		struct kvmx_spot *s = &kvmx_spots[i];

		if (!s->placed || (module && !spot_in(s, module)))
			continue;
		if (s->armed)
			spot_disarm(s);
		going[nr++] = &s->kp;
	}
	if (nr)
		unregister_kprobes(going, nr);
	for (i = 0; i < KVMX_NR_SPOTS; i++) {
		struct kvmx_spot *s = &kvmx_spots[i];

		if (module && !spot_in(s, module))
			continue;
		s->placed = false;
		WRITE_ONCE(s->armed, false);
		s->err = 0;
		spot_lost(s);
	}
}

/* Those that somebody wants are armed, the others at rest. */
static int spots_sync(void)
{
	int i, err = 0;

	lockdep_assert_held(&spots_lock);
	for (i = KVMX_NR_SPOTS - 1; i >= 0; i--)
		if (!spot_wanted(&kvmx_spots[i]))
			spot_rest(&kvmx_spots[i]);
	for (i = 0; i < KVMX_NR_SPOTS; i++) {
		struct kvmx_spot *s = &kvmx_spots[i];

		if (!s->wants || !spot_wanted(s))
			continue;
		/* Was there no memory for it when its module came? */
		if (s->err == -ENOMEM)
			spot_place(s);
		spot_arm(s);
		if (s->err == -ENOMEM)
			err = -ENOMEM;
	}
	return err;
}

static int module_event(struct notifier_block *nb, unsigned long action,
			void *data)
{
	struct module *mod = data;

	if (strcmp(mod->name, "kvm") && strcmp(mod->name, "kvm_intel") &&
	    strcmp(mod->name, "kvm_amd"))
		return NOTIFY_OK;
	mutex_lock(&spots_lock);
	if (action == MODULE_STATE_COMING)
		spots_place(mod->name);
	else if (action == MODULE_STATE_GOING)
		spots_remove(mod->name);
	mutex_unlock(&spots_lock);
	return NOTIFY_OK;
}

/* Priority: after ftrace and kprobes themselves have learnt about the module. */
static struct notifier_block module_nb = {
	.notifier_call = module_event,
	.priority = 1,
};

/**
 * kvmx_kprobes_see_death() - will the end of VMs be seen?
 *
 * Context: any.
 * Return: true if both kprobes on it are armed.
 */
bool kvmx_kprobes_see_death(void)
{
	return READ_ONCE(kvmx_spots[0].armed) && READ_ONCE(kvmx_spots[1].armed);
}

/**
 * kvmx_kprobes_get() - arm kprobes that are not armed always
 * @wants: KVMX_STATS_* groups that are to be counted, KVMX_WANT_*
 *
 * What is not there, or comes only later with its module, is a feature's matter.
 * What there is no memory for is not: then nothing is armed that was not before.
 *
 * Context: may sleep.
 * Return: 0, or -ENOMEM, after which there is nothing to be put.
 */
int kvmx_kprobes_get(u32 wants)
{
	int err;

	mutex_lock(&spots_lock);
	want(wants, 1);
	err = spots_sync();
	if (err) {
		want(wants, -1);
		spots_sync();
	}
	mutex_unlock(&spots_lock);
	return err;
}

/**
 * kvmx_kprobes_put() - disarm the kprobes that nobody else asks for
 * @wants: as given to kvmx_kprobes_get()
 *
 * Context: may sleep. Handlers that were running may still be when it returns.
 */
void kvmx_kprobes_put(u32 wants)
{
	mutex_lock(&spots_lock);
	want(wants, -1);
	spots_sync();
	mutex_unlock(&spots_lock);
}

static int do_nothing(struct kprobe *kp, struct pt_regs *regs)
{
	return 0;
}
NOKPROBE_SYMBOL(do_nothing);

/**
 * kvmx_kprobes_find() - where a function of the kernel is
 * @symbol: its name
 *
 * Kernels do not let modules look names up, but for kprobes; this one is never
 * armed.
 *
 * Context: may sleep; one at a time, at load.
 * Return: its address, or 0.
 */
unsigned long __init kvmx_kprobes_find(const char *symbol)
{
	struct kprobe kp = {
		.symbol_name = symbol,
		.pre_handler = do_nothing,
		.flags = KPROBE_FLAG_DISABLED,
	};
	/* Too long for a stack. */
	static char sym[KSYM_SYMBOL_LEN] __initdata;
	unsigned long at, offset, size;

	if (register_kprobe(&kp))
		return 0;
	at = (unsigned long)kp.addr;
	unregister_kprobe(&kp);
	/* Where indirect branches are tracked it is behind the mark for that. */
	sprint_symbol(sym, at);
	if (sscanf(sym + strcspn(sym, "+"), "+0x%lx/0x%lx", &offset, &size) != 2)
		return 0;
	return at - offset;
}

/**
 * kvmx_kprobes_init() - see VMs come and go from here on
 *
 * Context: may sleep, once, at load.
 * Return: 0, also where KVM or a function is not there; -ENOMEM.
 */
int kvmx_kprobes_init(void)
{
	int i, err = register_module_notifier(&module_nb);

	if (err)
		return err;
	mutex_lock(&spots_lock);
	for (i = 0; i < KVMX_NR_SPOTS; i++)
		spot_lost(&kvmx_spots[i]);
	if (IS_ENABLED(CONFIG_KPROBES))
		err = spots_place(NULL);
	mutex_unlock(&spots_lock);
	if (err)
		kvmx_kprobes_exit();
	return err;
}

void kvmx_kprobes_exit(void)
{
	int i;

	unregister_module_notifier(&module_nb);
	mutex_lock(&spots_lock);
	spots_remove(NULL);
	for (i = 0; i < KVMX_NR_WANTS; i++)
		WARN_ON(wanted[i]);
	for (i = 0; i < KVMX_NR_SPOTS; i++)
		WARN_ON(kvmx_spots[i].placed || kvmx_spots[i].armed);
	mutex_unlock(&spots_lock);
}
