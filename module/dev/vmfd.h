/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VM fds: what KVMX_OPEN returns.
 */
#ifndef KVMX_DEV_VMFD_H
#define KVMX_DEV_VMFD_H

#include <linux/types.h>

struct kvmx_vm;
struct kvmx_vm_info;

int kvmx_vmfd_open(struct kvmx_vm *vm, bool no_names, bool writable);
void kvmx_vmfd_describe(struct kvmx_vm *vm, bool no_names,
			struct kvmx_vm_info *info);

#endif /* KVMX_DEV_VMFD_H */
