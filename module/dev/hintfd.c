// SPDX-License-Identifier: GPL-2.0-only
#include <linux/capability.h>
#include <linux/minmax.h>
#include <linux/stddef.h>
#include <linux/kvmx_hint.h>

#include "core/args.h"
#include "dev/hintfd.h"
#include "hint/policy.h"

/**
 * kvmx_hintfd_set() - KVMX_VM_HINT
 * @vm: the VM
 * @owner: its fd
 * @writable: that comes from a node that was open for writing
 * @arg: the caller's struct kvmx_hint
 *
 * Context: may sleep.
 * Return: see docs/abi.md.
 */
long kvmx_hintfd_set(struct kvmx_vm *vm, const void *owner, bool writable,
		     void __user *arg)
{
	struct kvmx_hint wish;
	int err;

	err = kvmx_args_get(&wish, sizeof(wish), arg);
	if (err)
		return err;
	if (!writable || !capable(CAP_SYS_NICE))
		return -EPERM;
	/* What is kept does not depend on what the caller's structure is like. */
	wish.size = sizeof(wish);
	return kvmx_hint_set(vm, &wish, owner);
}

/**
 * kvmx_hintfd_get() - KVMX_VM_HINTED
 * @vm: the VM
 * @arg: the caller's struct kvmx_hint
 *
 * Context: may sleep.
 * Return: see docs/abi.md.
 */
long kvmx_hintfd_get(struct kvmx_vm *vm, void __user *arg)
{
	struct kvmx_hint hint;
	int err;

	err = kvmx_args_get(&hint, sizeof(hint), arg);
	if (err)
		return err;
	if (hint.flags || hint.reserved)
		return -EINVAL;
	kvmx_hint_get(vm, &hint);
	return kvmx_args_put(&hint, sizeof(hint), arg);
}

/**
 * kvmx_hintfd_counts() - KVMX_VM_HINT_COUNTS
 * @vm: the VM
 * @arg: the caller's struct kvmx_hint_counts
 *
 * Context: may sleep.
 * Return: see docs/abi.md.
 */
long kvmx_hintfd_counts(struct kvmx_vm *vm, void __user *arg)
{
	struct kvmx_hint_counts counts;
	u32 size;
	int err;

	err = kvmx_args_get_grown(&counts, sizeof(counts),
				  offsetofend(struct kvmx_hint_counts,
					      calls_refused), arg);
	if (err)
		return err;
	size = counts.size;
	err = kvmx_hint_counts(vm, &counts);
	return err ?: kvmx_args_put(&counts, min_t(u32, size, sizeof(counts)),
				    arg);
}
