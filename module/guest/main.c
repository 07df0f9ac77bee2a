// SPDX-License-Identifier: GPL-2.0-only
/*
 * kvmx_guest: tells a host with kvmx what this guest is doing.
 *
 * Nothing tells that a host allows hints since a moment ago, nor that this guest
 * was moved to another one: so it asks, seldom.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cc_platform.h>
#include <linux/cpu.h>
#include <linux/kvm_para.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/reboot.h>
#include <linux/smp.h>
#include <linux/suspend.h>
#include <linux/workqueue.h>
#include <asm/hypervisor.h>

#include "guest/area.h"
#include "guest/call.h"
#include "guest/dev.h"
#include "guest/latency.h"

static unsigned int ask_s = 60;
module_param(ask_s, uint, 0644);
MODULE_PARM_DESC(ask_s, "ask the host at least every so many seconds (default 60)");

/* How often to look, without asking, whether an area was lost. */
#define LOOK	(5UL * HZ)

/*
 * Guards what follows; outside cpus_read_lock(), which attaching a probe takes, too.
 * @host also changes only inside that: callbacks for CPUs that come and go look at
 * it without this lock.
 */
static DEFINE_MUTEX(host_lock);
static struct guest_host host;
/* Nothing is asked: suspended, rebooting, or about to be unloaded. */
static bool paused;
/* When the host was last asked, in jiffies; where it said no: after how long again. */
static unsigned long asked;
static unsigned long patience = HZ;

static void ask(struct work_struct *work);
static DECLARE_DELAYED_WORK(ask_work, ask);

static unsigned long longest(void)
{
	return clamp(READ_ONCE(ask_s), 1U, 3600U) * HZ;
}

static bool has_area(void)
{
	return host.features & KVMX_PARA_AREA;
}

static void host_begin(const struct guest_host *now)
{
	bool news = !host.version || host.kinds != now->kinds;

	lockdep_assert_held(&host_lock);
	cpus_read_lock();
	host = *now;
	if (has_area())
		on_each_cpu(guest_area_register, NULL, 1);
	cpus_read_unlock();
	if (news)
		pr_info("the host takes hints (kinds %#x), %u of %u CPUs registered\n",
			host.kinds, guest_areas_registered(),
			num_online_cpus());
}

static void host_end(void)
{
	lockdep_assert_held(&host_lock);
	guest_latency_watch(false);
	cpus_read_lock();
	on_each_cpu(guest_area_unregister, NULL, 1);
	memset(&host, 0, sizeof(host));
	cpus_read_unlock();
}

static bool lost(void)
{
	bool is;

	lockdep_assert_held(&host_lock);
	cpus_read_lock();
	is = has_area() && guest_areas_lost();
	cpus_read_unlock();
	return is;
}

static void watch(void)
{
	int err;

	lockdep_assert_held(&host_lock);
	err = guest_latency_watch(has_area() &&
				  guest_latency_wanted(host.kinds));
	if (err)
		pr_warn_once("cannot look at switches of tasks: error %d\n", err);
}

static void ask_host(void)
{
	struct guest_host now;

	lockdep_assert_held(&host_lock);
	guest_query(&now);
	asked = jiffies;
	if (now.version) {
		host_begin(&now);
	} else if (host.version) {
		host_end();
		pr_info("the host takes no hints any more\n");
		patience = HZ;
	} else {
		pr_info_once("the host takes no hints: it will be asked again, at least every %lu s\n",
			     longest() / HZ);
		patience = min(patience * 2, longest());
	}
}

static void ask(struct work_struct *work)
{
	unsigned long next;

	mutex_lock(&host_lock);
	if (!paused) {
		if (!host.version || lost() ||
		    time_after_eq(jiffies, asked + longest()))
			ask_host();
		watch();
		next = host.version ? min(longest(), LOOK) : patience;
		/* Many timers of one second go off at once. */
		schedule_delayed_work(&ask_work, round_jiffies_relative(next));
	}
	mutex_unlock(&host_lock);
}

void guest_host_get(struct guest_host *now)
{
	mutex_lock(&host_lock);
	*now = host;
	mutex_unlock(&host_lock);
}

/* A thread has joined. */
void guest_host_use(void)
{
	mutex_lock(&host_lock);
	if (!paused)
		watch();
	mutex_unlock(&host_lock);
}

static void pause_all(void)
{
	mutex_lock(&host_lock);
	paused = true;
	if (host.version)
		host_end();
	mutex_unlock(&host_lock);
	cancel_delayed_work_sync(&ask_work);
}

static void go_on(void)
{
	mutex_lock(&host_lock);
	paused = false;
	patience = HZ;
	schedule_delayed_work(&ask_work, 0);
	mutex_unlock(&host_lock);
}

/* Another kernel, or this one at another time, knows nothing of our areas. */
static int on_reboot(struct notifier_block *nb, unsigned long action, void *data)
{
	pause_all();
	return NOTIFY_DONE;
}

static struct notifier_block reboot_nb = { .notifier_call = on_reboot };

/* Early, while all CPUs can still be asked: no syscore_ops are needed then. */
static int on_sleep(struct notifier_block *nb, unsigned long action, void *data)
{
	switch (action) {
	case PM_SUSPEND_PREPARE:
	case PM_HIBERNATION_PREPARE:
	case PM_RESTORE_PREPARE:
		pause_all();
		break;
	case PM_POST_SUSPEND:
	case PM_POST_HIBERNATION:
	case PM_POST_RESTORE:
		go_on();
		break;
	}
	return NOTIFY_DONE;
}

static struct notifier_block sleep_nb = { .notifier_call = on_sleep };

static int cpu_comes(unsigned int cpu)
{
	guest_area_prepare(cpu);
	/* What it said when it went is not what is the case now. */
	local_irq_disable();
	guest_latency_again(NULL);
	local_irq_enable();
	if (has_area())
		guest_area_register(NULL);
	return 0;
}

static int cpu_goes(unsigned int cpu)
{
	guest_area_unregister(NULL);
	return 0;
}

static enum cpuhp_state cpu_state;

static int prepare(void)
{
	int ret;

	ret = guest_latency_init();
	if (ret)
		return ret;
	ret = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "kvmx_guest:online",
				cpu_comes, cpu_goes);
	if (ret < 0)
		return ret;
	cpu_state = ret;
	return 0;
}

static void unprepare(void)
{
	cpuhp_remove_state(cpu_state);
	/* The parameter status is there until the module is gone. */
	kernel_param_lock(THIS_MODULE);
	guest_areas_free();
	kernel_param_unlock(THIS_MODULE);
}

static int __init guest_init(void)
{
	int err;

	/* In Hyper-V's mode a call would get an answer, but not from kvmx. */
	if (!kvm_para_available() || !hypervisor_is_type(X86_HYPER_KVM)) {
		pr_info("this is no guest of KVM\n");
		return -ENODEV;
	}
	if (cc_platform_has(CC_ATTR_GUEST_MEM_ENCRYPT)) {
		pr_info("the host cannot read this guest's memory: no hints\n");
		return -ENODEV;
	}
	err = prepare();
	if (err)
		return err;
	err = guest_dev_init();
	if (err)
		goto no_dev;
	err = register_reboot_notifier(&reboot_nb);
	if (err)
		goto no_reboot;
	err = register_pm_notifier(&sleep_nb);
	if (err)
		goto no_sleep;
	schedule_delayed_work(&ask_work, 0);
	return 0;

no_sleep:
	unregister_reboot_notifier(&reboot_nb);
no_reboot:
	guest_dev_exit();
no_dev:
	unprepare();
	return err;
}

static void __exit guest_exit(void)
{
	unregister_pm_notifier(&sleep_nb);
	unregister_reboot_notifier(&reboot_nb);
	guest_dev_exit();
	pause_all();
	unprepare();
}

module_init(guest_init);
module_exit(guest_exit);
MODULE_LICENSE("GPL");
MODULE_AUTHOR("The kvmx developers");
MODULE_DESCRIPTION("Tell a host with kvmx what this guest is doing");
MODULE_VERSION(KVMX_VERSION);
