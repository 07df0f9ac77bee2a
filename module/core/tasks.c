// SPDX-License-Identifier: GPL-2.0-only
#include <linux/errno.h>

#include "core/tasks.h"

int kvmx_tasks_list(struct kvmx_vm *vm, struct kvmx_task **list,
		    unsigned int *nr)
{
	return -EOPNOTSUPP;
}

void kvmx_tasks_put(struct kvmx_task *list, unsigned int nr)
{
}

u32 kvmx_tasks_class(struct kvmx_vm *vm, struct task_struct *task, u32 *vcpu)
{
	*vcpu = KVMX_NO_VCPU;
	return KVMX_THREAD_OTHER;
}

int kvmx_tasks_watch(struct kvmx_vm *vm)
{
	return -EOPNOTSUPP;
}

void kvmx_tasks_unwatch(struct kvmx_vm *vm)
{
}

int kvmx_tasks_init(void)
{
	return 0;
}

void kvmx_tasks_exit(void)
{
}
