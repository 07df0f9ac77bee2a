// SPDX-License-Identifier: GPL-2.0-only
#include <linux/build_bug.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/kvmx_events.h>
#include <asm/cpufeature.h>

#include "core/attach.h"
#include "core/args.h"
#include "core/birth.h"
#include "core/clock.h"
#include "core/discover.h"
#include "core/feature.h"
#include "core/kprobes.h"
#include "core/probe.h"
#include "core/vm.h"
#include "dev/chardev.h"
#include "dev/eventfd.h"
#include "dev/vmfd.h"
#include "stats/hot.h"
#include "stats/session.h"

static u32 vendor(void)
{
	if (boot_cpu_has(X86_FEATURE_VMX))
		return KVMX_VENDOR_INTEL;
	if (boot_cpu_has(X86_FEATURE_SVM))
		return KVMX_VENDOR_AMD;
	return KVMX_VENDOR_NONE;
}

static void info_fill(struct kvmx_info *info)
{
	info->abi_version = KVMX_ABI_VERSION;
	info->vendor = vendor();
	info->clock = static_key_enabled(&kvmx_clock_is_tsc) ?
		      KVMX_CLOCK_TSC : KVMX_CLOCK_KERNEL;
	info->clock_khz = kvmx_clock_khz;
	info->nr_vms = kvmx_vm_count();
	info->nr_stats_fds = kvmx_session_fds();
	info->state = 0;
	if (kvmx_session_always())
		info->state |= KVMX_INFO_STATS_ALWAYS;
	if (kvmx_attach_any())
		info->state |= KVMX_INFO_COUNTING;
	info->uncounted = kvmx_probe_uncounted();
	info->memory = kvmx_memory();
	memset(info->version, 0, sizeof(info->version));
	strscpy(info->version, KVMX_VERSION, sizeof(info->version));
	info->now = kvmx_clock();
}

static long node_info(struct file *file, void __user *arg)
{
	struct kvmx_feature feature;
	struct kvmx_array out;
	struct kvmx_info info;
	unsigned int i, nr = 0;
	int err;

	err = kvmx_args_get(&info, sizeof(info), arg);
	if (err)
		return err;
	if (info.flags)
		return -EINVAL;
	err = kvmx_array_begin(&out, info.features, info.nr_features,
			       info.feature_size, sizeof(feature));
	for (i = 0; i < KVMX_NR_FEATURES && !err; i++) {
		kvmx_feature_get(i, &feature);
		if (!feature.name[0])
			continue;	/* a number without a feature */
		err = kvmx_array_put(&out, &feature);
		nr++;
	}
	if (err)
		return err;
	info.nr_features = nr;
	info_fill(&info);
	return kvmx_args_put(&info, sizeof(info), arg);
}

/*
 * Where the end of VMs cannot be seen, look who is still there; where a birth
 * was missed, who is there now.
 */
static int look_around(void)
{
	bool missed = kvmx_birth_missed();
	int err;

	if (!missed && kvmx_kprobes_see_death())
		return 0;
	err = kvmx_discover_all();
	if (!err)
		kvmx_session_catch_up();
	else if (missed)
		kvmx_birth_miss();
	return err;
}

static long node_list(struct file *file, void __user *arg)
{
	struct kvmx_vm_info info;
	struct kvmx_array out;
	struct kvmx_list req;
	struct kvmx_vm *vm;
	u64 id = 0;
	int err;

	err = kvmx_args_get(&req, sizeof(req), arg);
	if (err)
		return err;
	if (req.flags || req.reserved)
		return -EINVAL;
	err = kvmx_array_begin(&out, req.vms, req.nr, req.entry_size,
			       sizeof(info));
	if (!err)
		err = look_around();
	if (err)
		return err;
	req.nr = 0;
	while (!err && (vm = kvmx_vm_get_next(id))) {
		id = vm->id;
		kvmx_vmfd_describe(vm, false, &info);
		kvmx_vm_put(vm);
		err = kvmx_array_put(&out, &info);
		req.nr++;
	}
	return err ?: kvmx_args_put(&req, sizeof(req), arg);
}

static struct kvmx_vm *by_pid(u64 key)
{
	struct kvmx_vm *vm = ERR_PTR(-ESRCH);
	struct task_struct *task;
	struct pid *pid;

	if (key > INT_MAX)
		return ERR_PTR(-ESRCH);
	pid = find_get_pid(key);
	task = get_pid_task(pid, PIDTYPE_PID);
	put_pid(pid);
	if (task) {
		/* Any thread of the VMM will do. */
		vm = kvmx_vm_get_by_pid(task_tgid(task));
		put_task_struct(task);
	}
	return vm;
}

static struct kvmx_vm *by_fd(u64 key)
{
	struct kvmx_vm *vm;
	struct file *file;

	if (key > INT_MAX)
		return ERR_PTR(-EBADF);
	file = fget(key);
	if (!file)
		return ERR_PTR(-EBADF);
	vm = kvmx_discover_file(file);
	fput(file);
	/* What is found only now is counted where all VMs are. */
	if (!IS_ERR(vm))
		kvmx_session_catch_up();
	return vm;
}

static struct kvmx_vm *vm_by(u32 by, u64 key)
{
	int err = look_around();

	if (err)
		return ERR_PTR(err);
	switch (by) {
	case KVMX_BY_ID:
		return kvmx_vm_get_by_id(key) ?: ERR_PTR(-ENOENT);
	case KVMX_BY_PID:
		return by_pid(key);
	case KVMX_BY_FD:
		return by_fd(key);
	default:
		return ERR_PTR(-EINVAL);
	}
}

static long node_open(struct file *file, void __user *arg)
{
	struct kvmx_open req;
	struct kvmx_vm *vm;
	int err;

	err = kvmx_args_get(&req, sizeof(req), arg);
	if (err)
		return err;
	if ((req.flags & ~KVMX_OPEN_NO_NAMES) || req.reserved)
		return -EINVAL;
	vm = vm_by(req.by, req.key);
	if (IS_ERR(vm))
		return PTR_ERR(vm);
	req.id = vm->id;
	err = kvmx_args_put(&req, sizeof(req), arg);
	if (err) {
		kvmx_vm_put(vm);
		return err;
	}
	return kvmx_vmfd_open(vm, req.flags & KVMX_OPEN_NO_NAMES,
			      file->f_mode & FMODE_WRITE);
}

static long node_cost(struct file *file, void __user *arg)
{
	struct kvmx_cost cost;
	u64 ticks;
	int err;

	err = kvmx_args_get(&cost, sizeof(cost), arg);
	if (err)
		return err;
	if (cost.flags)
		return -EINVAL;
	err = kvmx_hot_cost(&ticks);
	if (err)
		return err;
	cost.exit = ticks * 1000 / KVMX_COST_ROUNDS;
	cost.rounds = KVMX_COST_ROUNDS;
	cost.cpu = raw_smp_processor_id();
	return kvmx_args_put(&cost, sizeof(cost), arg);
}

static long node_events(struct file *file, void __user *arg)
{
	struct kvmx_events req;
	int err;

	err = kvmx_args_get(&req, sizeof(req), arg);
	if (err)
		return err;
	if (req.flags || req.reserved || req.mask >> KVMX_NR_EVENTS)
		return -EINVAL;
	return kvmx_eventfd_open(req.mask);
}

static const struct {
	unsigned int cmd;
	long (*fn)(struct file *file, void __user *arg);
} node_ioctls[] = {
	{ KVMX_INFO, node_info },
	{ KVMX_LIST, node_list },
	{ KVMX_OPEN, node_open },
	{ KVMX_COST, node_cost },
	{ KVMX_EVENTS, node_events },
};

static long node_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(node_ioctls); i++)
		if (node_ioctls[i].cmd == cmd)
			return node_ioctls[i].fn(file, (void __user *)arg);
	return -ENOTTY;
}

static const struct file_operations node_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = node_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

/*
 * Figures of one tenant tell another about it: only root, unless an
 * administrator says otherwise (udev).
 */
static struct miscdevice node = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "kvmx",
	.mode = 0600,
	.fops = &node_fops,
};

int kvmx_chardev_init(void)
{
	return misc_register(&node);
}

void kvmx_chardev_exit(void)
{
	misc_deregister(&node);
}
