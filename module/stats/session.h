/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who has counting on. A VM is counted while somebody has a statistics fd on it
 * or on one of its vCPUs, while policy auto places it, while the parameter stats
 * is `always`, or while one of our trace events is enabled. Probes are attached
 * while any VM is asked for.
 *
 * A group of figures (KVMX_STATS_*) is counted besides for a VM while somebody
 * has a statistics fd that asked for it, or a trace event that needs it is
 * enabled.
 *
 * Locking: the session's mutex guards kvmx_vm.users, .group_users, .traced,
 * .counting_since and .group_since, kvmx_vcpu.counts and .more. Outside of all
 * other locks of kvmx, but that of making placements.
 */
#ifndef KVMX_STATS_SESSION_H
#define KVMX_STATS_SESSION_H

#include <linux/types.h>

struct kvmx_vm;

int kvmx_session_init(void);
void kvmx_session_exit(void);

int kvmx_session_open(struct kvmx_vm *vm, u32 groups);
void kvmx_session_close(struct kvmx_vm *vm, u32 groups);
int kvmx_session_get(struct kvmx_vm *vm, u32 groups);
void kvmx_session_put(struct kvmx_vm *vm, u32 groups);
int kvmx_session_set_always(bool on);
void kvmx_session_trace(u32 groups);
void kvmx_session_catch_up(void);
bool kvmx_session_always(void);
u32 kvmx_session_fds(void);
u32 kvmx_session_have(void);

#endif /* KVMX_STATS_SESSION_H */
