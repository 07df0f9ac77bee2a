/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which thread runs which vCPU. A thread is bound to a vCPU when it is seen to
 * enter it, and its scheduling counts for that vCPU until it enters another one,
 * another thread enters this one, or it ends.
 *
 * Entry and exit write a vCPU's counters without a lock: KVM's vcpu->mutex lets
 * one thread at a time through. Events of a thread outside KVM_RUN (scheduling
 * above all) have no such guard, so they take kvmx_vcpu.lock and count only
 * while the thread is still bound; binding takes the same lock. That leaves one
 * writer at any time.
 */
#ifndef KVMX_CORE_THREADS_H
#define KVMX_CORE_THREADS_H

#include <linux/types.h>

#include "core/hook.h"

struct kvm_vcpu;
struct kvmx_vcpu;
struct pid;
struct task_struct;

void kvmx_threads_bind(struct kvmx_vcpu *v, u64 now);
void kvmx_threads_unbind(struct kvmx_vcpu *v, u64 now);
struct kvmx_vcpu *kvmx_threads_find(const struct task_struct *task);
void kvmx_threads_event(struct kvmx_vcpu *v, const struct task_struct *task,
			const struct kvmx_event *event);
struct pid *kvmx_threads_get_tid(struct kvmx_vcpu *v);
bool kvmx_threads_ran(struct kvmx_vcpu *v, struct pid *tid);
bool kvmx_threads_left(struct kvmx_vcpu *v, const struct pid *tid);

#endif /* KVMX_CORE_THREADS_H */
