/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What tracepoints call: each probe finds the vCPU's record and tells whoever
 * listens (core/hook.h). Attached and detached by core/attach.c.
 */
#ifndef KVMX_CORE_PROBE_H
#define KVMX_CORE_PROBE_H

#include <linux/types.h>

struct kvm_vcpu;

typedef void kvmx_entry_fn(void *data, struct kvm_vcpu *vcpu, bool immediate);
typedef void kvmx_exit_fn(void *data, struct kvm_vcpu *vcpu, u32 isa);

/*
 * The long way of entries and exits, for those that cannot take the short one
 * (core/hot.h). Arguments and context are the tracepoints': so the short way,
 * which calls them last, has nothing to move.
 */
kvmx_entry_fn kvmx_probe_entry;
kvmx_exit_fn kvmx_probe_exit;

void kvmx_probe_set(kvmx_entry_fn *entry, kvmx_exit_fn *exit);

void kvmx_probe_halt(struct kvm_vcpu *vcpu);

u64 kvmx_probe_uncounted(void);

#endif /* KVMX_CORE_PROBE_H */
