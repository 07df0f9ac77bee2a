/* SPDX-License-Identifier: GPL-2.0-only */
/* kvmx sched: what it prints of a VM, and its parts. */
#ifndef KVMX_TOOL_SCHED_VIEW_H
#define KVMX_TOOL_SCHED_VIEW_H

#include "stat.h"

void sched_put_vm(struct stat_view *view, struct watch_vm *vm);

/* sched_cost.c */
void sched_put_costs(struct stat_view *view, const struct watch_vm *vm);

/* sched_waste.c */
void sched_put_polls(struct stat_view *view, const struct watch_vm *vm);
void sched_put_quotas(struct stat_view *view, const struct watch_vm *vm);
void sched_put_waste(struct stat_view *view, const struct watch_vcpu *v);

/* sched_view.c */
struct val sched_rise(const struct source *s, const char *name);

/* sched_threads.c */
void sched_put_threads(struct stat_view *view, const struct watch_vm *vm);
void sched_put_policies(struct stat_view *view, const struct watch_vm *vm);
void sched_put_policy(struct stat_view *view, const struct watch_vm *vm,
		      const struct watch_vcpu *v);
int sched_cpu_of(const struct watch_vm *vm, int tid);

#endif /* KVMX_TOOL_SCHED_VIEW_H */
