/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Threads of a VMM as /proc has them. Thin, as device.h, and for the same reason:
 * the tests put threads of their own in its place.
 */
#ifndef KVMX_TOOL_PROC_H
#define KVMX_TOOL_PROC_H

#include <stdbool.h>
#include <linux/types.h>

#define PROC_NAME	32

/**
 * struct proc_thread - a thread, as it was when it was looked at
 * @tid: its number
 * @name: its name
 * @cpu: the CPU that it is or was on
 * @ran: ns on a CPU so far
 * @waited: ns in a run queue so far, waiting for one
 */
struct proc_thread {
	int tid;
	char name[PROC_NAME];
	int cpu;
	__u64 ran;
	__u64 waited;
};

/**
 * struct proc_policy - how the scheduler is told to treat a thread
 * @policy: SCHED_*
 * @prio: the kernel's: 120 + nice, below 100 real time
 * @weight: share of the CPU; a thread of nice 0 has 1024
 * @slice: ns, 0: this kernel does not tell
 * @vruntime: ns; compares only within one run queue
 */
struct proc_policy {
	int policy;
	int prio;
	__u64 weight;
	__u64 slice;
	__u64 vruntime;
	bool has_vruntime;
};

/**
 * struct proc_quota - what a cgroup's quota did to a thread
 * @group: the cgroup nearest to the thread that has a quota; empty: none has
 * @times: how often it was used up
 * @ns: for how long threads of it had to wait then, summed up over CPUs
 */
struct proc_quota {
	char group[64];
	__u64 times;
	__u64 ns;
};

/* Also vhost threads that are the kernel's. @list is to be freed. */
unsigned int proc_threads(int pid, struct proc_thread **list);
bool proc_policy(int pid, int tid, struct proc_policy *to);
void proc_quota(int pid, int tid, struct proc_quota *to);

#endif /* KVMX_TOOL_PROC_H */
