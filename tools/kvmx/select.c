// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "select.h"
#include "text.h"
#include "util.h"

static void __noreturn no_device(int err)
{
	switch (err) {
	case EACCES:
	case EPERM:
		fail(EX_DENIED,
		     "no permission to open %s: run as root, or have a udev rule give the device to your group",
		     KVMX_DEVICE);
	case ENOENT:
	case ENODEV:
	case ENXIO:
		if (device_module_loaded())
			fail(EX_NO_MODULE,
			     "the module is loaded, but %s is not here: in a container, pass the device in; else restart udev",
			     KVMX_DEVICE);
		if (device_module_installed())
			fail(EX_NO_MODULE,
			     "the module is not loaded: run \"modprobe kvmx\" as root");
		fail(EX_NO_MODULE,
		     "the module is not loaded, and not installed for this kernel: build and install it (README), then \"modprobe kvmx\"");
	default:
		fail(EX_FAILED, "cannot open %s: %s", KVMX_DEVICE,
		     strerror(err));
	}
}

static int connect_to(struct kvmx_info *info, bool write)
{
	int dev = device_open(write);
	int err;

	if (dev < 0)
		no_device(-dev);
	err = device_info(dev, info);
	/* Another ABI may not even know this call, or this size of it. */
	if (err == -ENOTTY || err == -EINVAL || err == -E2BIG)
		fail(EX_OTHER_ABI,
		     "the module does not understand this tool (version %s, ABI %d): install the tool of the module's version",
		     KVMX_VERSION, KVMX_ABI_VERSION);
	if (err)
		fail(EX_FAILED, "asking the module failed: %s", strerror(-err));
	if (info->abi_version != KVMX_ABI_VERSION)
		fail(EX_OTHER_ABI,
		     "the module (version %.32s) speaks ABI %u, this tool ABI %d: install the tool of the module's version",
		     info->version, info->abi_version, KVMX_ABI_VERSION);
	return dev;
}

/**
 * connect_module() - open the device of a module that speaks our ABI
 * @info: what the module says of itself
 *
 * Return: the fd; where there is none, the tool ends here.
 */
int connect_module(struct kvmx_info *info)
{
	return connect_to(info, false);
}

/* The same for those that do more than look. */
int connect_module_to_change(struct kvmx_info *info)
{
	return connect_to(info, true);
}

/* All VMs; where they cannot be listed, the tool ends here. */
void list_vms(int dev, struct kvmx_vm_info **vms, unsigned int *nr)
{
	int err = device_list(dev, vms, nr);
	unsigned int i;

	if (err)
		fail(EX_FAILED, "listing the VMs failed: %s", strerror(-err));
	for (i = 0; i < *nr; i++)
		text_clean((*vms)[i].name);
}

/* Several VMs in one process: the numbers to choose from; to be freed. */
char *ids_of(int dev, __u64 pid)
{
	char *ids = xasprintf("%s", "");
	struct kvmx_vm_info *vms;
	unsigned int i, nr;

	list_vms(dev, &vms, &nr);
	for (i = 0; i < nr; i++) {
		char *more;

		if ((__u64)vms[i].pid != pid)
			continue;
		more = xasprintf("%s%s%llu", ids, *ids ? ", " : "", vms[i].id);
		free(ids);
		ids = more;
	}
	free(vms);
	return ids;
}

static void __noreturn
no_vm(int dev, const struct selection *sel, int err)
{
	if (err == EACCES || err == EPERM)
		fail(EX_DENIED, "no permission to watch this VM: run as root");
	if (sel->by == SELECT_ID && err == ENOENT)
		fail(EX_NO_VM, "there is no VM %llu: see \"kvmx list\"",
		     sel->key);
	if (err == ESRCH || err == EINVAL)
		fail(EX_NO_VM, "there is no process %llu: see \"kvmx list\"",
		     sel->key);
	if (err == ENOENT)
		fail(EX_NO_VM, "process %llu has no VM: see \"kvmx list\"",
		     sel->key);
	if (err == ENOTUNIQ)
		fail(EX_AMBIGUOUS, "process %llu has several VMs: choose by --id one of %s",
		     sel->key, ids_of(dev, sel->key));
	fail(EX_FAILED, "cannot open the VM: %s", strerror(err));
}

/**
 * select_vm() - open the VM that the user chose
 * @dev: the device
 * @sel: by id or pid
 * @id: the VM's number
 *
 * Return: the fd of the VM; where there is none, the tool ends here.
 */
int select_vm(int dev, const struct selection *sel, __u64 *id)
{
	int fd = device_open_vm(dev, sel->by == SELECT_PID ? KVMX_BY_PID :
							     KVMX_BY_ID,
				sel->key, id);

	if (fd < 0)
		no_vm(dev, sel, -fd);
	return fd;
}
