/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only file that attaches to tracepoints. KVM's are found by name in
 * kvm.ko, whenever that is loaded, and are attached while somebody counts.
 */
#ifndef KVMX_CORE_PROBE_H
#define KVMX_CORE_PROBE_H

#include <linux/types.h>

int kvmx_probe_init(void);
void kvmx_probe_exit(void);

int kvmx_probe_get(u32 groups);
void kvmx_probe_put(u32 groups);
bool kvmx_probe_attached(void);
u64 kvmx_probe_uncounted(void);

#endif /* KVMX_CORE_PROBE_H */
