// SPDX-License-Identifier: GPL-2.0-only
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "core/vm.h"
#include "place/foreign.h"
#include "place/layout.h"

/* Who is interested in more of them looks for himself. */
#define MAX_TOLD	16

/* Is it somebody else's thread, that runs on a CPU that is to be the VM's alone? */
static bool is_foreign(const struct kvmx_layout *l, const struct kvmx_vm *vm,
		       struct task_struct *task)
{
	unsigned int cpu = task_cpu(task);

	if (task->flags & PF_KTHREAD || task_tgid(task) == vm->pid)
		return false;
	if (cpu >= l->nr_cpus || !(l->out.claim[cpu / 64] >> cpu % 64 & 1))
		return false;
	return task_is_running(task);
}

/* The next thread of the host from @nr on; false at the end. */
static bool next(const struct kvmx_layout *l, const struct kvmx_vm *vm,
		 pid_t *nr, struct kvmx_policy_note *note)
{
	struct task_struct *task;
	struct pid *pid;

	note->tid = 0;
	rcu_read_lock();
	pid = find_ge_pid(*nr, &init_pid_ns);
	if (pid) {
		*nr = pid_nr(pid) + 1;
		task = pid_task(pid, PIDTYPE_PID);
		if (task && is_foreign(l, vm, task)) {
			note->tid = pid_nr(pid);
			note->cpu = task_cpu(task);
		}
	}
	rcu_read_unlock();
	return pid;
}

/**
 * kvmx_foreign_note() - who else runs where a VM is to be alone
 * @l: the VM's plan; gets a note for each
 * @vm: the VM
 *
 * Context: may sleep.
 */
void kvmx_foreign_note(struct kvmx_layout *l, const struct kvmx_vm *vm)
{
	struct kvmx_policy_note note = {
		.kind = KVMX_NOTE_FOREIGN, .node = NUMA_NO_NODE,
	};
	unsigned int told = 0;
	pid_t nr = 1;

	if (l->wishes->policy != KVMX_POLICY_ISOLATE)
		return;
	while (told < MAX_TOLD && next(l, vm, &nr, &note)) {
		if (note.tid) {
			kvmx_layout_note(l, &note);
			told++;
		}
		cond_resched();
	}
}
