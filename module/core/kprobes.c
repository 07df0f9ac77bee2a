// SPDX-License-Identifier: GPL-2.0-only
#include <linux/delay.h>
#include <linux/kprobes.h>
#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/ptrace.h>

#include "core/birth.h"
#include "core/death.h"
#include "core/feature.h"
#include "core/kprobes.h"
#include "core/peek.h"
#include "core/vm.h"

/* Context of the handlers: preemption disabled; the caller may hold mutexes. */

static void vcpu_created(void *vcpu)
{
	struct kvmx_seen seen;

	if (!kvmx_peek_created(vcpu, &seen))
		return;
	/* Without teardown probes nobody saw the last owner of the address. */
	if (!kvmx_kprobes_see_death() && kvmx_vm_is_stale(&seen))
		kvmx_death_of_vm(seen.kvm);
	kvmx_birth_queue(&seen, false);
}

static void vcpu_destroyed(void *vcpu)
{
	kvmx_birth_cancel_vcpu(vcpu);
	kvmx_death_of_vcpu(vcpu);
}

static void vm_destroyed(void *kvm)
{
	kvmx_birth_cancel_vm(kvm);
	kvmx_death_of_vm(kvm);
}

/**
 * struct spot - a function of kvm.ko, called with one pointer
 * @id: its feature, whose name is the function's
 * @symbol: qualified with the module, for it need not be unique
 * @fn: what to do with the pointer
 * @kp: the kprobe
 * @armed: it is registered
 * @hit: it was seen to work. Since 7.x register_kprobe() reports success even
 *	where arming failed.
 */
struct spot {
	enum kvmx_feature_id id;
	const char *symbol;
	void (*fn)(void *arg);
	struct kprobe kp;
	bool armed;
	bool hit;
};

static struct spot spots[] = {
	/* Deaths before births: what is born must be seen to die. */
	{ KVMX_F_VM_DEATH, "kvm:kvm_arch_destroy_vm", vm_destroyed },
	{ KVMX_F_VCPU_DEATH, "kvm:kvm_arch_vcpu_destroy", vcpu_destroyed },
	{ KVMX_F_VCPU_BIRTH, "kvm:kvm_arch_vcpu_postcreate", vcpu_created },
};

static DEFINE_MUTEX(spots_lock);

static int spot_hit(struct kprobe *kp, struct pt_regs *regs)
{
	struct spot *s = container_of(kp, struct spot, kp);

	if (unlikely(!READ_ONCE(s->hit))) {
		WRITE_ONCE(s->hit, true);
		kvmx_feature_set(s->id, KVMX_FEATURE_ON,
				 "kprobe armed, and seen to work");
	}
	s->fn((void *)regs_get_kernel_argument(regs, 0));
	return 0;
}
NOKPROBE_SYMBOL(spot_hit);

static int spot_arm(struct spot *s)
{
	int err;

	lockdep_assert_held(&spots_lock);
	if (s->armed || kvmx_feature_denied(s->id))
		return 0;
	memset(&s->kp, 0, sizeof(s->kp));
	s->kp.symbol_name = s->symbol;
	s->kp.pre_handler = spot_hit;
	s->hit = false;
	err = register_kprobe(&s->kp);
	if (err) {
		kvmx_feature_set(s->id, KVMX_FEATURE_OFF,
				 "no kprobe on %s: error %d", s->symbol, err);
		return err;
	}
	s->armed = true;
	kvmx_feature_set(s->id, KVMX_FEATURE_READY,
			 "kprobe armed, not hit yet");
	return 0;
}

/*
 * unregister_kprobe() does not say where there was no memory to disarm a kprobe,
 * which then stays where it is and calls into a module that is gone. To disable
 * one may fail as well, but says so; after that nothing is left that could.
 */
static void spot_disarm(struct spot *s)
{
	lockdep_assert_held(&spots_lock);
	if (!s->armed)
		return;
	while (disable_kprobe(&s->kp) == -ENOMEM)
		msleep(10);
	unregister_kprobe(&s->kp);
	s->armed = false;
}

/* -ENOMEM if there was no memory; whatever else keeps one away is a feature's. */
static int spots_arm(void)
{
	int i, err = 0;

	for (i = 0; i < ARRAY_SIZE(spots); i++)
		if (spot_arm(&spots[i]) == -ENOMEM)
			err = -ENOMEM;
	return err;
}

static void spots_disarm(void)
{
	int i;

	for (i = ARRAY_SIZE(spots) - 1; i >= 0; i--) {
		spot_disarm(&spots[i]);
		if (!kvmx_feature_denied(spots[i].id))
			kvmx_feature_set(spots[i].id, KVMX_FEATURE_OFF,
					 "waits for kvm.ko to be loaded");
	}
}

static int module_event(struct notifier_block *nb, unsigned long action,
			void *data)
{
	struct module *mod = data;

	if (strcmp(mod->name, "kvm"))
		return NOTIFY_OK;
	mutex_lock(&spots_lock);
	if (action == MODULE_STATE_COMING)
		spots_arm();
	else if (action == MODULE_STATE_GOING)
		spots_disarm();
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
	return READ_ONCE(spots[0].armed) && READ_ONCE(spots[1].armed);
}

/**
 * kvmx_kprobes_init() - see VMs come and go from here on
 *
 * Context: may sleep, once, at load.
 * Return: 0, also where kvm.ko or a function is not there; -ENOMEM.
 */
int kvmx_kprobes_init(void)
{
	int err = register_module_notifier(&module_nb);

	if (err)
		return err;
	mutex_lock(&spots_lock);
	if (IS_ENABLED(CONFIG_KPROBES))
		err = spots_arm();
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
	spots_disarm();
	for (i = 0; i < ARRAY_SIZE(spots); i++)
		WARN_ON(spots[i].armed);
	mutex_unlock(&spots_lock);
}
