/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The journal of a placement: of each thread what it would have without kvmx,
 * what it was given, and who else changed that since. With it every thread gets
 * back what it had, less what its owner changed meanwhile.
 *
 * A thread's CPUs are changed by its owner (sched_setaffinity), whose word
 * becomes what it would have without kvmx; and by the kernel: a cpuset changed,
 * or all its CPUs went offline. What a cpuset leaves a thread with is what it
 * would have without kvmx, too; what the kernel does to a thread all of whose
 * CPUs are gone is not: without kvmx it had others.
 *
 * All of it with the placement's lock, unless it says otherwise.
 */
#ifndef KVMX_PLACE_UNDO_H
#define KVMX_PLACE_UNDO_H

#include "place/placement.h"

/* What somebody else did to the CPUs of a thread. */
enum kvmx_change {
	KVMX_CHANGE_NONE,
	KVMX_CHANGE_OWNER,	/* its owner, or whoever else may, by system call */
	KVMX_CHANGE_KERNEL,	/* a cpuset, or a CPU that is gone */
};

struct kvmx_entry *kvmx_undo_note(struct kvmx_placement *p,
				  struct task_struct *task,
				  struct kvmx_entry *parent);
struct kvmx_entry *kvmx_undo_find(struct kvmx_placement *p,
				  const struct pid *tid);
enum kvmx_change kvmx_undo_look(struct kvmx_entry *e, struct task_struct *task);
bool kvmx_undo_ready(struct kvmx_entry *e, struct task_struct *task);
void kvmx_undo_given(struct kvmx_entry *e, const struct cpumask *cpus);
void kvmx_undo_rebase(struct kvmx_entry *e);
void kvmx_undo_inherit(struct kvmx_entry *e, struct kvmx_entry *parent);
bool kvmx_undo_owes(struct kvmx_entry *e);
void kvmx_undo_without(struct kvmx_entry *e, struct task_struct *task,
		       struct cpumask *to);
void kvmx_undo_restore(struct kvmx_entry *e);
void kvmx_undo_forget(struct kvmx_entry *e);
void kvmx_undo_all(struct kvmx_placement *p);
void kvmx_undo_forget_all(struct kvmx_placement *p);

/* Any context, preemption disabled. */
bool kvmx_undo_asked(const struct pid *tid);
bool kvmx_undo_changes(const struct pid *tid);

#endif /* KVMX_PLACE_UNDO_H */
