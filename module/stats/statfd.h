/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Statistics fds: KVM's binary statistics format, by pread and mmap.
 */
#ifndef KVMX_STATS_STATFD_H
#define KVMX_STATS_STATFD_H

#include <linux/types.h>

struct kvmx_vm;

int kvmx_statfd_open(struct kvmx_vm *vm, u32 vcpu, u32 groups, bool no_names);

#endif /* KVMX_STATS_STATFD_H */
