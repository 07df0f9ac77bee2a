// SPDX-License-Identifier: GPL-2.0-only
#include <linux/anon_inodes.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/slab.h>
#include <linux/ktime.h>
#include <linux/kvmx_place.h>

#include "core/args.h"
#include "core/clock.h"
#include "core/threads.h"
#include "core/vm.h"
#include "dev/hintfd.h"
#include "dev/placefd.h"
#include "dev/vmfd.h"
#include "hint/policy.h"
#include "stats/session.h"
#include "stats/statfd.h"

/**
 * struct vmfd - a VM fd
 * @vm: the VM, referenced
 * @no_names: tells no names and no pids
 * @writable: the node that it comes from was open for writing
 * @place: for placements
 */
struct vmfd {
	struct kvmx_vm *vm;
	bool no_names;
	bool writable;
	struct kvmx_placefd place;
};

/**
 * kvmx_vmfd_describe() - fill in what is known about a VM
 * @vm: the VM; the caller holds a reference
 * @no_names: leave out name and pid
 * @info: filled
 *
 * Context: may sleep.
 */
void kvmx_vmfd_describe(struct kvmx_vm *vm, bool no_names,
			struct kvmx_vm_info *info)
{
	u64 since = READ_ONCE(vm->counting_since);

	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	info->id = vm->id;
	info->nr_vcpus = READ_ONCE(vm->nr_vcpus);
	info->age_ns = ktime_get_boottime_ns() - vm->born_ns;
	info->nr_stats_fds = READ_ONCE(vm->nr_fds);
	if (READ_ONCE(vm->gone))
		info->state |= KVMX_VM_GONE;
	if (since) {
		info->counted_ns = kvmx_clock_to_ns(kvmx_clock() - since);
		info->state |= KVMX_VM_COUNTING;
	}
	if (vm->adopted)
		info->state |= KVMX_VM_ADOPTED;
	if (no_names)
		return;
	info->pid = pid_vnr(vm->pid);
	kvmx_vm_refresh_name(vm);
	kvmx_vm_copy_name(vm, info->name);
}

static long vmfd_info(struct vmfd *f, void __user *arg)
{
	struct kvmx_vm_info info;
	int err;

	err = kvmx_args_get(&info, sizeof(info), arg);
	if (err)
		return err;
	if (info.flags)
		return -EINVAL;
	kvmx_vmfd_describe(f->vm, f->no_names, &info);
	return kvmx_args_put(&info, sizeof(info), arg);
}

static long vmfd_vcpus(struct vmfd *f, void __user *arg)
{
	struct kvmx_vcpu_info info;
	struct kvmx_array out;
	struct kvmx_vcpus req;
	struct kvmx_vcpu *v;
	struct pid *tid;
	int err;

	err = kvmx_args_get(&req, sizeof(req), arg);
	if (err)
		return err;
	if (req.flags || req.reserved)
		return -EINVAL;
	err = kvmx_array_begin(&out, req.vcpus, req.nr, req.entry_size,
			       sizeof(info));
	req.nr = 0;
	kvmx_vm_for_each_vcpu(v, f->vm) {
		if (err)
			return err;
		tid = f->no_names ? NULL : kvmx_threads_get_tid(v);
		info = (struct kvmx_vcpu_info){
			.size = sizeof(info),
			.index = v->index,
			.vcpu_id = v->id,
			.tid = pid_vnr(tid),
		};
		put_pid(tid);
		err = kvmx_array_put(&out, &info);
		req.nr++;
	}
	return err ?: kvmx_args_put(&req, sizeof(req), arg);
}

static long vmfd_stats(struct vmfd *f, void __user *arg)
{
	struct kvmx_stats req;
	int err;

	err = kvmx_args_get(&req, sizeof(req), arg);
	if (err)
		return err;
	if ((req.flags & ~KVMX_ALL_GROUPS) || req.reserved)
		return -EINVAL;
	return kvmx_statfd_open(f->vm, req.vcpu, req.flags, f->no_names);
}

static long vmfd_place(struct vmfd *f, void __user *arg)
{
	return kvmx_placefd_place(&f->place, arg);
}

static long vmfd_commit(struct vmfd *f, void __user *arg)
{
	return kvmx_placefd_commit(&f->place, arg);
}

static long vmfd_clear(struct vmfd *f, void __user *arg)
{
	return kvmx_placefd_clear(&f->place, arg);
}

static long vmfd_placed(struct vmfd *f, void __user *arg)
{
	return kvmx_placefd_placed(&f->place, arg);
}

static long vmfd_hint(struct vmfd *f, void __user *arg)
{
	return kvmx_hintfd_set(f->vm, f, f->writable, arg);
}

static long vmfd_hinted(struct vmfd *f, void __user *arg)
{
	return kvmx_hintfd_get(f->vm, arg);
}

static long vmfd_hint_counts(struct vmfd *f, void __user *arg)
{
	return kvmx_hintfd_counts(f->vm, arg);
}

static const struct {
	unsigned int cmd;
	long (*fn)(struct vmfd *f, void __user *arg);
} vmfd_ioctls[] = {
	{ KVMX_VM_INFO, vmfd_info },
	{ KVMX_VM_VCPUS, vmfd_vcpus },
	{ KVMX_VM_STATS, vmfd_stats },
	{ KVMX_VM_PLACE, vmfd_place },
	{ KVMX_VM_COMMIT, vmfd_commit },
	{ KVMX_VM_CLEAR, vmfd_clear },
	{ KVMX_VM_PLACED, vmfd_placed },
	{ KVMX_VM_HINT, vmfd_hint },
	{ KVMX_VM_HINTED, vmfd_hinted },
	{ KVMX_VM_HINT_COUNTS, vmfd_hint_counts },
};

static long vmfd_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(vmfd_ioctls); i++)
		if (vmfd_ioctls[i].cmd == cmd)
			return vmfd_ioctls[i].fn(file->private_data,
						 (void __user *)arg);
	return -ENOTTY;
}

static int vmfd_release(struct inode *inode, struct file *file)
{
	struct vmfd *f = file->private_data;

	kvmx_placefd_release(&f->place);
	kvmx_hint_release(f->vm, f);
	kvmx_vm_put(f->vm);
	kfree(f);
	return 0;
}

static const struct file_operations vmfd_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = vmfd_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.release = vmfd_release,
	.llseek = noop_llseek,
};

/**
 * kvmx_vmfd_open() - make a VM fd
 * @vm: the VM; the caller's reference goes to the fd, whatever the outcome
 * @no_names: the fd tells no names and no pids
 * @writable: /dev/kvmx was open for writing
 *
 * Context: may sleep.
 * Return: the fd; -ENOMEM; -EMFILE.
 */
int kvmx_vmfd_open(struct kvmx_vm *vm, bool no_names, bool writable)
{
	struct vmfd *f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	int fd;

	if (!f) {
		kvmx_vm_put(vm);
		return -ENOMEM;
	}
	f->vm = vm;
	f->no_names = no_names;
	f->writable = writable;
	f->place.vm = vm;
	f->place.no_names = no_names;
	f->place.writable = writable;
	fd = anon_inode_getfd("[kvmx-vm]", &vmfd_fops, f, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		kvmx_vm_put(vm);
		kfree(f);
	}
	return fd;
}
