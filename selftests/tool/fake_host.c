// SPDX-License-Identifier: GPL-2.0-only
/* A host that does not exist: CPUs 0 and 1 are siblings, 2 and 3, and so on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"
#include "host.h"

bool host_siblings(unsigned int cpu, struct cpus *to)
{
	memset(to, 0, sizeof(*to));
	if (fake_is("scattered"))
		return false;
	cpus_add(to, cpu & ~1U);
	cpus_add(to, cpu | 1);
	return true;
}

char *host_command_line(int pid, size_t *len)
{
	char *words, *at;

	if (fake_is("noproc"))
		return NULL;
	words = strdup(pid == 100 ?
		       "/usr/bin/qemu-kvm -name guest=db1,debug-threads=on -smp 3,threads=2" :
		       "/opt/vmm --cpus 2");
	*len = strlen(words) + 1;
	for (at = words; *at; at++)
		if (*at == ' ')
			*at = '\0';
	return words;
}

char *host_cgroup(int pid)
{
	return strdup(pid == 100 ? "/machine.slice/machine-qemu\\x2d1.scope" :
				   "/system.slice/vmm.service");
}

void host_others(int pid, const struct cpus *cpus, struct host_tasks *to)
{
	memset(to, 0, sizeof(*to));
	to->nr = fake_is("crowd") ? 12 : fake_is("alone") ? 0 : 1;
	to->nr_allowed = fake_is("alone") ? 0 : 40;
	to->there = calloc(12, sizeof(*to->there));
	for (unsigned int i = 0; i < to->nr; i++) {
		to->there[i].tid = (int)(700 + i);
		to->there[i].pid = 700;
		to->there[i].cpu = 2;
		snprintf(to->there[i].name, sizeof(to->there[i].name), "cron");
	}
}
