/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For core/tasks*.c only: what is left with a thread, or with the worker, until
 * the listeners can be told.
 *
 * Lifetime: a watch has one reference while it is in the list, and one for each
 * errand that is under way; probes find it with preemption disabled and take one.
 * It is closed before it leaves the list: from then on errands do nothing.
 */
#ifndef KVMX_CORE_TASKS_ERRAND_H
#define KVMX_CORE_TASKS_ERRAND_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/types.h>

struct kvmx_vm;
struct pid;
struct task_struct;

/* kvmx_watch.todo */
#define KVMX_TODO_MISSED	0	/* there was no memory for an errand */
#define KVMX_TODO_LOOK		1	/* who runs the vCPUs? */

/**
 * struct kvmx_watch - somebody wants to know of threads of a VM
 * @hash: by process
 * @link: in the list of all
 * @refs: see above
 * @vm: the VM, referenced
 * @todo: bits KVMX_TODO_*
 * @closed: nobody is told any more; changed under two locks, read under either
 * @running: how many threads are with the listeners now
 * @births: threads that were born, and of which nobody was told yet
 * @asks: the kprobe on KVM_RUN is armed for it; under the watches' mutex, as @look
 *	and @look_at
 * @look: look who runs the vCPUs
 * @look_at: at this time, in jiffies
 * @rcu: for those who found it
 */
struct kvmx_watch {
	struct hlist_node hash;
	struct list_head link;
	refcount_t refs;
	struct kvmx_vm *vm;
	unsigned long todo;
	bool closed;
	unsigned int running;
	atomic_t births;
	bool asks;
	bool look;
	unsigned long look_at;
	struct rcu_head rcu;
};

/* core/tasks.c */
struct kvmx_watch *kvmx_watch_find(const struct pid *tgid);
void kvmx_watch_put(struct kvmx_watch *w);
bool kvmx_watch_enter(struct kvmx_watch *w);
void kvmx_watch_leave(struct kvmx_watch *w);
void kvmx_watch_todo(struct kvmx_watch *w, int what);
void kvmx_watches_work(unsigned long *next);

/* core/tasks_list.c */
bool kvmx_tasks_look(struct kvmx_vm *vm);
bool kvmx_task_kernel(const struct task_struct *task);
struct pid *kvmx_task_owner(const char *name);
u32 kvmx_task_class(struct kvmx_vm *vm, struct task_struct *task,
		    const char *name, u32 *vcpu);

/* core/tasks_errand.c */
void kvmx_errands_kick(void);
void kvmx_errands_init(void);
void kvmx_errands_exit(void);
void kvmx_errands_wait_begin(void);
void kvmx_errands_wait_end(void);

#endif /* KVMX_CORE_TASKS_ERRAND_H */
