/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The threads of a VM: all of its VMM's process, and what the kernel made for
 * it. Who is there now, and from then on who comes, is renamed and goes.
 *
 * While somebody watches a VM, the listeners of core/hook.h are told:
 *
 *  kvmx_on_task_born	a thread was born. Called in the new thread itself, before
 *			its first instruction in user space; for one that the
 *			kernel made, in a worker, at once and twice again within
 *			some 40 ms: such threads reset their own CPUs.
 *  kvmx_on_task_renamed
 *			it has another name, and so perhaps another class. In the
 *			thread that renamed itself, before it is back in user
 *			space, else in a worker; there it may come before the birth.
 *  kvmx_on_task_end	it ends. In a worker.
 *  kvmx_on_vcpu_thread	a vCPU's thread is known for the first time, or another
 *			than before: that is seen while the VM is counted, and once
 *			the thread before has ended. In that thread, before it enters
 *			the guest, or in a worker.
 *  kvmx_on_tasks_missed
 *			there was no memory to tell one of these: list the threads
 *			again and compare. In a worker.
 *
 * All of them may sleep, with no lock of kvmx held, and may be called for several
 * threads of a VM at the same time. Nothing is lost and nothing is told of threads
 * that were there before: watch first, then list, and take a thread that is
 * known already for what it is.
 */
#ifndef KVMX_CORE_TASKS_H
#define KVMX_CORE_TASKS_H

#include <linux/types.h>

#include "core/class.h"

struct kvmx_vm;
struct task_struct;

/**
 * struct kvmx_task - a thread of a VM
 * @task: referenced
 * @thread_class: KVMX_THREAD_*
 * @vcpu: index of the vCPU that it runs, or KVMX_NO_VCPU
 * @kernel: it never runs in user space: the kernel made it
 */
struct kvmx_task {
	struct task_struct *task;
	u32 thread_class;
	u32 vcpu;
	bool kernel;
};

int kvmx_tasks_list(struct kvmx_vm *vm, struct kvmx_task **list,
		    unsigned int *nr);
void kvmx_tasks_put(struct kvmx_task *list, unsigned int nr);
u32 kvmx_tasks_class(struct kvmx_vm *vm, struct task_struct *task, u32 *vcpu);

int kvmx_tasks_watch(struct kvmx_vm *vm);
void kvmx_tasks_unwatch(struct kvmx_vm *vm);
unsigned int kvmx_tasks_births(struct kvmx_vm *vm);

void kvmx_tasks_init(void);
void kvmx_tasks_exit(void);

#endif /* KVMX_CORE_TASKS_H */
