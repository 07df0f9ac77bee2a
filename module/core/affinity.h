/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The CPUs of one thread: what it has, what its cpuset and its owner allow, and
 * how to change it. Nothing here decides or remembers anything.
 */
#ifndef KVMX_CORE_AFFINITY_H
#define KVMX_CORE_AFFINITY_H

#include <linux/cpumask.h>
#include <linux/types.h>

struct task_struct;

void kvmx_affinity_init(unsigned long cpuset_cpus_allowed);

void kvmx_affinity_get(struct task_struct *task, struct cpumask *to);
bool kvmx_affinity_allowed(struct task_struct *task, struct cpumask *to);
bool kvmx_affinity_user(struct task_struct *task, struct cpumask *to);
int kvmx_affinity_set(struct task_struct *task, const struct cpumask *to);

#endif /* KVMX_CORE_AFFINITY_H */
