/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Threads are given the CPUs of their placement. The kernel takes what the owner
 * of a thread asked for into account only if something is left then; here his word
 * stands, unless the placement is enforced.
 */
#ifndef KVMX_PLACE_APPLY_H
#define KVMX_PLACE_APPLY_H

#include "place/placement.h"
#include "place/undo.h"

/* With the placement's lock. */
void kvmx_apply_class(struct kvmx_entry *e, u32 thread_class, u32 vcpu);
int kvmx_apply_check(struct kvmx_entry *e, struct task_struct *task);
int kvmx_apply_thread(struct kvmx_entry *e, struct task_struct *task);
void kvmx_apply_fit(struct kvmx_placement *p, bool tell);
struct kvmx_entry *kvmx_apply_heir(struct kvmx_placement *p,
				   struct task_struct *task);
int kvmx_apply_scan(struct kvmx_placement *p, bool first);

#endif /* KVMX_PLACE_APPLY_H */
