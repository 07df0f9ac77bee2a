// SPDX-License-Identifier: GPL-2.0-only
/* Threads that do not exist: those of VM 1, process 100. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"
#include "proc.h"

#define MS	1000000ULL

unsigned int proc_threads(int pid, struct proc_thread **list)
{
	const __u64 n = fake_steps();
	const struct proc_thread all[] = {
		{ 100, "qemu-system-x86", 0, 7 * MS + n * 20 * MS, 0 },
		{ 101, "CPU 0/KVM", 2, n * 700 * MS, n * 3 * MS },
		{ 102, "CPU 1/KVM", 3, n * 600 * MS, n * 250 * MS },
		{ 110, "IO iothread1", 5, n * 30 * MS, 0 },
		{ 111, "worker", 6, n * 2 * MS, 0 },
		{ 112, "call_rcu", 0, 0, 0 },
		{ 9, "vhost-100", 1, n * 11 * MS, 0 },
	};

	*list = NULL;
	if (pid != 100 || fake_is("noproc"))
		return 0;
	*list = malloc(sizeof(all));
	memcpy(*list, all, sizeof(all));
	return sizeof(all) / sizeof(*all);
}

bool proc_policy(int pid, int tid, struct proc_policy *to)
{
	if (pid != 100 || fake_is("noproc"))
		return false;
	memset(to, 0, sizeof(*to));
	to->prio = 120;
	to->weight = 1024;
	to->slice = tid == 101 ? 3 * MS : 0;
	to->vruntime = 4321 * MS;
	to->has_vruntime = true;
	if (tid == 102) {
		to->policy = 1;
		to->prio = 89;
	}
	return true;
}

void proc_quota(int pid, int tid, struct proc_quota *to)
{
	memset(to, 0, sizeof(*to));
	if (!fake_is("quota") || tid != 102)
		return;
	snprintf(to->group, sizeof(to->group), "/machine/vm/vcpu1");
	to->times = 5 + fake_steps() * 9;
	to->ns = 1000 * MS + fake_steps() * 720 * MS;
}
