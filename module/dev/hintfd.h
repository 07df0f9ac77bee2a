/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The commands of a VM fd that are about hints.
 */
#ifndef KVMX_DEV_HINTFD_H
#define KVMX_DEV_HINTFD_H

#include <linux/compiler_types.h>
#include <linux/types.h>

struct kvmx_vm;

long kvmx_hintfd_set(struct kvmx_vm *vm, const void *owner, bool writable,
		     void __user *arg);
long kvmx_hintfd_get(struct kvmx_vm *vm, void __user *arg);
long kvmx_hintfd_counts(struct kvmx_vm *vm, void __user *arg);

#endif /* KVMX_DEV_HINTFD_H */
