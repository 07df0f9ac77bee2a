/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What /proc and /sys know besides the module, for placement. Thin, as device.h,
 * and for the same reason: the tests put a host of their own in its place.
 */
#ifndef KVMX_TOOL_HOST_H
#define KVMX_TOOL_HOST_H

#include <stdbool.h>

#include "cpus.h"
#include "proc.h"

/**
 * struct host_task - a thread that is not the VM's
 * @tid: the thread
 * @pid: its process
 * @cpu: where it is, or ran last
 * @name: its name
 */
struct host_task {
	int tid;
	int pid;
	int cpu;
	char name[PROC_NAME];
};

/**
 * struct host_tasks - threads that may run on some CPUs
 * @there: those that ran there last
 * @nr: of these
 * @nr_allowed: those that may run there, the former included
 * @vhost: name of threads that are the VM's though they are the kernel's
 */
struct host_tasks {
	struct host_task *there;
	unsigned int nr;
	unsigned int nr_allowed;
	char vhost[PROC_NAME];
};

/* CPUs of the same core, @cpu too. */
bool host_siblings(unsigned int cpu, struct cpus *to);
/* Words of a command line, each ended by a zero; to be freed. */
char *host_command_line(int pid, size_t *len);
/* Path of its cgroup (v2), below the root of cgroups; to be freed, NULL: none. */
char *host_cgroup(int pid);
/* Threads that can be kept off @cpus, and are not of the VMM @pid. */
void host_others(int pid, const struct cpus *cpus, struct host_tasks *to);

#endif /* KVMX_TOOL_HOST_H */
