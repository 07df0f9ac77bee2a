/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only file that sets kprobes, on functions of kvm.ko that have no
 * tracepoint: birth of vCPUs, and the end of vCPUs and VMs. They observe, and
 * none of them is on the way of an entry or exit.
 */
#ifndef KVMX_CORE_KPROBES_H
#define KVMX_CORE_KPROBES_H

#include <linux/types.h>

int kvmx_kprobes_init(void);
void kvmx_kprobes_exit(void);
bool kvmx_kprobes_see_death(void);

#endif /* KVMX_CORE_KPROBES_H */
