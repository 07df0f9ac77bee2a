// SPDX-License-Identifier: GPL-2.0-only
#include <linux/kallsyms.h>
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/static_call.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <asm/ibt.h>

#include "core/affinity.h"
#include "core/feature.h"

static void all_possible(struct task_struct *task, struct cpumask *to)
{
	cpumask_copy(to, cpu_possible_mask);
}

/*
 * The kernel does not export cpuset_cpus_allowed(), and seals its entry against
 * indirect calls where the CPU can check these: so it is called by a direct
 * call, patched in.
 */
DEFINE_STATIC_CALL(cpuset_allowed, all_possible);

/* What a function may begin with that ftrace can follow. */
static const u32 begins[] = {
	0xfa1e0ff3,			/* endbr64 */
	0x00441f0f,			/* where ftrace puts its call */
};

static bool is_begin(u32 code)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(begins); i++)
		if (code == begins[i])
			return true;
#ifdef CONFIG_X86_KERNEL_IBT
	/* The kernel has taken the mark away: nobody is to jump there. */
	if (code == gen_endbr_poison())
		return true;
#endif
	return (code & 0xff) == 0xe8;	/* ftrace is at work there */
}

/* Does a function begin there, and is it this one? */
static bool is_function(unsigned long at, const char *name)
{
	char sym[KSYM_SYMBOL_LEN], want[64];
	u32 code;

	sprint_symbol(sym, at);
	snprintf(want, sizeof(want), "%s+0x0/", name);
	return !strncmp(sym, want, strlen(want)) &&
	       !copy_from_kernel_nofault(&code, (void *)at, sizeof(code)) &&
	       is_begin(code);
}

/**
 * kvmx_affinity_init() - learn how to ask for a thread's cpuset
 * @cpuset_cpus_allowed: address of that function, 0 where it was not found
 *
 * Context: once, at load, before anything else here.
 */
void kvmx_affinity_init(unsigned long cpuset_cpus_allowed)
{
	if (kvmx_feature_denied(KVMX_F_CPUSET))
		return;
	if (!cpuset_cpus_allowed) {
		kvmx_feature_set(KVMX_F_CPUSET, KVMX_FEATURE_OFF,
				 "function not found: no thread is given a CPU that it did not have");
		return;
	}
	if (!is_function(cpuset_cpus_allowed, "cpuset_cpus_allowed")) {
		kvmx_feature_set(KVMX_F_CPUSET, KVMX_FEATURE_OFF,
				 "what was found at its address is no such function");
		return;
	}
	static_call_update(cpuset_allowed, (void *)cpuset_cpus_allowed);
	kvmx_feature_set(KVMX_F_CPUSET, KVMX_FEATURE_ON,
			 "cpusets are asked for the CPUs that they allow");
}

/**
 * kvmx_affinity_get() - the CPUs that a thread may use now
 * @task: the thread
 * @to: filled
 *
 * Context: any but under this thread's scheduler locks.
 */
void kvmx_affinity_get(struct task_struct *task, struct cpumask *to)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&task->pi_lock, flags);
	cpumask_copy(to, &task->cpus_mask);
	raw_spin_unlock_irqrestore(&task->pi_lock, flags);
}

/**
 * kvmx_affinity_allowed() - the CPUs that a thread's cpuset allows
 * @task: the thread
 * @to: filled, with all CPUs where that cannot be known
 *
 * Context: process context, no spinlock held.
 * Return: whether it is known.
 */
bool kvmx_affinity_allowed(struct task_struct *task, struct cpumask *to)
{
	might_sleep();
	static_call(cpuset_allowed)(task, to);
	return kvmx_feature_state(KVMX_F_CPUSET) == KVMX_FEATURE_ON;
}

/**
 * kvmx_affinity_user() - the CPUs that its owner asked for
 * @task: the thread
 * @to: filled, with all CPUs where nobody asked, or the kernel does not keep it
 *
 * Context: any but under this thread's scheduler locks.
 * Return: whether somebody asked.
 */
bool kvmx_affinity_user(struct task_struct *task, struct cpumask *to)
{
	const struct cpumask *user;
	unsigned long flags;

	raw_spin_lock_irqsave(&task->pi_lock, flags);
	user = kvmx_user_cpus(task);
	cpumask_copy(to, user ?: cpu_possible_mask);
	raw_spin_unlock_irqrestore(&task->pi_lock, flags);
	return user;
}

/**
 * kvmx_affinity_set() - change the CPUs that a thread may use
 * @task: the thread; the caller holds a reference
 * @to: the CPUs: the caller has seen to it that its cpuset allows them
 *
 * Kernels that keep what the owner asked for use of @to what is in that, too, or
 * all of @to if nothing is.
 *
 * Context: process context, no spinlock held; waits until the thread has left
 *	the other CPUs.
 * Return: 0; -EINVAL if none of @to is active.
 */
int kvmx_affinity_set(struct task_struct *task, const struct cpumask *to)
{
	might_sleep();
	return set_cpus_allowed_ptr(task, to);
}
