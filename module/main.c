// SPDX-License-Identifier: GPL-2.0-only
/*
 * kvmx: see and steer the vCPUs of a stock KVM.
 *
 * Loading and unloading, and the parameters; nothing else. Start with
 * docs/design.md.
 */
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <asm/cpufeature.h>

#include "core/affinity.h"
#include "core/attach.h"
#include "core/birth.h"
#include "core/clock.h"
#include "core/death.h"
#include "core/discover.h"
#include "core/exit.h"
#include "core/feature.h"
#include "core/hot.h"
#include "core/kprobes.h"
#include "core/peek.h"
#include "core/poke.h"
#include "core/tasks.h"
#include "core/vm.h"
#include "core/work.h"
#include "dev/chardev.h"
#include "hint/policy.h"
#include "place/place.h"
#include "plant.h"
#include "stats/account.h"
#include "stats/groups.h"
#include "stats/hot.h"
#include "stats/runq.h"
#include "stats/schema.h"
#include "stats/session.h"
#include "stats/tracing.h"

static int stats_set(const char *val, const struct kernel_param *kp)
{
	if (sysfs_streq(val, "always"))
		return kvmx_session_set_always(true);
	if (sysfs_streq(val, "ondemand"))
		return kvmx_session_set_always(false);
	return -EINVAL;
}

static int stats_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%s\n", kvmx_session_always() ? "always" :
								  "ondemand");
}

static const struct kernel_param_ops stats_ops = {
	.set = stats_set,
	.get = stats_get,
};

module_param_cb(stats, &stats_ops, NULL, 0644);
MODULE_PARM_DESC(stats, "count VM exits: ondemand (while a statistics fd is open; default) or always");

/* More than a minute is a slip of the pen. */
static int ready_us_set(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 0, 60000000);
}

static const struct kernel_param_ops ready_us_ops = {
	.set = ready_us_set,
	.get = param_get_uint,
};

module_param_cb(ready_us, &ready_us_ops, &kvmx_ready_us, 0644);
MODULE_PARM_DESC(ready_us, "shortest delay that the trace event kvmx:ready tells of, in microseconds, up to a minute (default 1000)");

module_param_named(without, kvmx_without, charp, 0444);
MODULE_PARM_DESC(without, "features to do without, separated by commas (names as in kvmx info)");

static void vendor_feature(void)
{
	if (boot_cpu_has(X86_FEATURE_VMX))
		kvmx_feature_set(KVMX_F_VENDOR, KVMX_FEATURE_ON, "Intel VMX");
	else if (boot_cpu_has(X86_FEATURE_SVM))
		kvmx_feature_set(KVMX_F_VENDOR, KVMX_FEATURE_ON, "AMD SVM");
	else
		kvmx_feature_set(KVMX_F_VENDOR, KVMX_FEATURE_OFF,
				 "this CPU, or its firmware, offers neither VMX nor SVM");
}

static int __init kvmx_init(void)
{
	int err;

	err = kvmx_feature_init();
	if (err)
		return err;
	vendor_feature();
	kvmx_clock_init();
	kvmx_peek_reset();
	kvmx_poke_reset();
	kvmx_exit_reset();
	kvmx_hot_reset();

	err = kvmx_schema_init();
	if (err)
		return err;
	err = kvmx_vm_init();
	if (err)
		goto out_schema;
	kvmx_account_init();
	kvmx_hot_init();
	kvmx_groups_init();
	kvmx_tasks_init();
	kvmx_work_init();
	kvmx_hint_init();
	/* What is born or found from here on must be seen to die: first this. */
	err = kvmx_kprobes_init();
	if (err)
		goto out_birth;
	err = kvmx_attach_init();
	if (err)
		goto out_kprobes;
	err = kvmx_discover_all();
	if (err)
		goto out_probe;
	err = kvmx_session_init();
	if (err)
		goto out_probe;
	kvmx_affinity_init(kvmx_kprobes_find("cpuset_cpus_allowed"));
	kvmx_place_init();
	err = kvmx_chardev_init();
	if (err)
		goto out_place;
	kvmx_tracing_init();
	kvmx_plant();
	return 0;

out_place:
	kvmx_place_exit();
	kvmx_session_exit();
out_probe:
	kvmx_attach_exit();
out_kprobes:
	kvmx_kprobes_exit();
out_birth:
	kvmx_tasks_exit();
	kvmx_birth_exit();
	kvmx_death_of_all();
	kvmx_vm_exit();
out_schema:
	kvmx_schema_exit();
	return err;
}

/* Nobody has an fd: the module's use count is zero. */
static void __exit kvmx_exit(void)
{
	kvmx_chardev_exit();	/* unpublish */
	kvmx_place_exit();	/* threads get back what they had */
	kvmx_hint_exit();	/* stop hints: what hears of them is detached */
	kvmx_tracing_exit();
	kvmx_session_exit();	/* stop counting: probes are detached */
	kvmx_attach_exit();	/* forget tracepoints */
	kvmx_kprobes_exit();	/* no births any more, no deaths seen */
	kvmx_work_exit();	/* drain: no thread has our work */
	kvmx_tasks_exit();
	kvmx_birth_exit();
	kvmx_death_of_all();	/* put: records go */
	kvmx_vm_exit();
	kvmx_schema_exit();
}

module_init(kvmx_init);
module_exit(kvmx_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The kvmx developers");
MODULE_DESCRIPTION("See and steer the vCPUs of a stock KVM");
MODULE_VERSION(KVMX_VERSION);
