/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Work that a probe leaves with the thread it runs in: done in that thread, in
 * task context, before it enters the guest or returns to user space. What is
 * still left with a thread when kvmx goes is taken back; where this kernel does
 * not let us, work that is left keeps kvmx loaded.
 */
#ifndef KVMX_CORE_WORK_H
#define KVMX_CORE_WORK_H

#include <linux/list.h>
#include <linux/types.h>

struct task_struct;

/**
 * struct kvmx_work - what is to be done; part of whatever it is about
 * @head: the kernel's part
 * @link: in the list of works that are left with a thread
 * @task: that thread, referenced
 * @fn: does it, in the thread, may sleep; it may be left again from there
 * @drop: it is not going to be done; in the thread that unloads kvmx, may sleep
 */
struct kvmx_work {
	struct callback_head head;
	struct list_head link;
	struct task_struct *task;
	void (*fn)(struct kvmx_work *work);
	void (*drop)(struct kvmx_work *work);
};

void kvmx_work_prepare(struct kvmx_work *work,
		       void (*fn)(struct kvmx_work *work),
		       void (*drop)(struct kvmx_work *work));
bool kvmx_work_leave(struct kvmx_work *work);

void kvmx_work_init(void);
void kvmx_work_exit(void);

#endif /* KVMX_CORE_WORK_H */
