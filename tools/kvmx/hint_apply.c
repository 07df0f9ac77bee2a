// SPDX-License-Identifier: GPL-2.0-only
/* Giving VMs a policy: one VM, or all that have none. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "device.h"
#include "hint.h"
#include "text.h"
#include "util.h"

/* Features of the module that hints need, and which tell why they are off. */
#define FIRST_FEATURE	46
#define LAST_FEATURE	59

static void __noreturn not_possible(int dev, __u64 id)
{
	struct kvmx_feature *features;
	unsigned int i, nr;

	if (device_features(dev, &features, &nr))
		nr = 0;
	for (i = 0; i < nr; i++)
		if (features[i].state == KVMX_FEATURE_OFF &&
		    features[i].id >= FIRST_FEATURE &&
		    features[i].id <= LAST_FEATURE)
			fail(EX_FAILED, "VM %llu cannot be given hints like that here: %.32s: %.112s",
			     id, features[i].name, features[i].reason);
	fail(EX_FAILED, "VM %llu cannot be given hints like that: an effect does not work on this kernel, see kvmx-hint(1)",
	     id);
}

bool hint_is_off(const struct kvmx_hint *policy)
{
	unsigned int i;

	for (i = 0; i < KVMX_NR_KINDS; i++)
		if (policy->kinds[i].effect != KVMX_EFFECT_OFF)
			return false;
	return true;
}

/**
 * hint_apply() - give a VM a policy
 * @dev: the device
 * @vm: the VM
 * @fd: of the VM
 * @policy: what it is given; all off: none any more
 *
 * What would fail with any VM ends the tool here.
 *
 * Return: EX_DONE, also where the VM has just ended; else what went wrong has
 * been told, and others may do.
 */
int hint_apply(int dev, const struct kvmx_vm_info *vm, int fd,
	       const struct kvmx_hint *policy)
{
	struct kvmx_hint wish = *policy;
	int err = -device_hint(fd, &wish);

	switch (err) {
	case 0:
	case ENODEV:
		return EX_DONE;
	case EPERM:
	case EACCES:
		fail(EX_DENIED, "no permission to let a VM hint: run as root, or with CAP_SYS_NICE");
	case EINVAL:
		fail(EX_USAGE, "the module refuses this policy: an effect that is not for this kind, or times out of bounds; see kvmx-hint(1)");
	case EOPNOTSUPP:
		not_possible(dev, vm->id);
	case ENOTTY:
		fail(EX_OTHER_ABI, "the module knows nothing of hints: it is older than this tool");
	case EBUSY:
		complain("VM %llu: another program decides on its hints just now",
			 vm->id);
		break;
	case EXDEV:
		complain("VM %llu: nice would do nothing: in the scheduling group of its vCPUs (cgroup or session) there is nobody else; use fifo or slice",
			 vm->id);
		break;
	default:
		complain("letting VM %llu hint failed: %s", vm->id,
			 strerror(err));
	}
	return EX_FAILED;
}

void hint_wait(const struct hint_options *opts)
{
	const struct timespec ts = {
		.tv_sec = (time_t)(opts->interval / 1000000000),
		.tv_nsec = (long)(opts->interval % 1000000000),
	};

	/* A signal ends the tool: there is nothing to be put in order. */
	nanosleep(&ts, NULL);
}

static int put_default(struct out *o, int dev, const struct kvmx_vm_info *vm,
		       const struct kvmx_hint *policy)
{
	int status = EX_DONE, fd;
	struct kvmx_hint now;
	bool off = false;
	__u64 id;

	fd = device_open_vm(dev, KVMX_BY_ID, vm->id, &id);
	if (fd >= 0 && !device_hinted(fd, &now)) {
		off = hint_is_off(&now);
		if (off)
			status = hint_apply(dev, vm, fd, policy);
	}
	device_close(fd);

	const struct val row[] = {
		val_num(vm->id),
		vm->pid ? val_num((__u64)vm->pid) : val_none(),
		val_str(status ? "failed" : off ? "set" : "kept"),
		val_str(vm->name[0] ? vm->name : "-"),
	};

	out_row(o, row);
	out_end(o);
	return status;
}

/* A VM that cannot be given it is no reason to leave out the others. */
static int default_once(struct out *o, int dev, const struct hint_options *opts)
{
	static const struct column columns[] = {
		{ "id", "ID", 6, false },
		{ "pid", "PID", 8, false },
		{ "policy", "POLICY", 6, true },
		{ "name", "NAME", 0, true },
	};
	struct kvmx_vm_info *vms;
	int status = EX_DONE;
	unsigned int i, nr;

	list_vms(dev, &vms, &nr);
	out_begin(o, NULL);
	out_table(o, "vms", columns, ARRAY_SIZE(columns));
	for (i = 0; i < nr; i++)
		if (put_default(o, dev, &vms[i], &opts->wish.policy))
			status = EX_FAILED;
	out_end(o);
	out_end(o);
	out_finish(o);
	free(vms);
	return status;
}

/**
 * hint_default() - the policy for VMs that have none of their own
 * @dev: the device
 * @opts: the policy; with an interval, new VMs get it, too
 *
 * Return: the exit status: of the last round, for each tries anew.
 */
int hint_default(int dev, const struct hint_options *opts)
{
	struct out *o = out_open(opts->format);
	__u64 done = 0;

	for (;;) {
		int status = default_once(o, dev, opts);

		if (!opts->interval || ++done == opts->count)
			return status;
		fflush(stdout);
		hint_wait(opts);
	}
}
