// SPDX-License-Identifier: GPL-2.0-only
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "die.h"
#include "company.h"

static void read_schedstat(const char *path, struct sched *to)
{
	FILE *f = fopen(path, "r");

	if (!f || fscanf(f, "%lu %lu %lu", &to->ran, &to->waited,
			 &to->turns) != 3)
		die_errno("%s", path);
	fclose(f);
}

void read_sched(int tid, struct sched *to)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%d/schedstat", tid);
	read_schedstat(path, to);
}

void read_sched_of(int pid, struct sched *to)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/schedstat", pid);
	read_schedstat(path, to);
}

void pin(int tid, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(tid, sizeof(set), &set))
		die_errno("binding a thread to CPU %d", cpu);
}

int last_cpu(void)
{
	return sysconf(_SC_NPROCESSORS_ONLN) - 1;
}

/* Return: 0 in the new process. */
static int begin_hog(void)
{
	int pid = fork();

	if (pid < 0)
		die_errno("fork");
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, HOG_NAME);
	return 0;
}

int hog(int cpu)
{
	int pid = begin_hog();

	if (pid)
		return pid;
	pin(0, cpu);
	for (;;)
		;
}

int hog_with(void (*work)(void))
{
	int pid = begin_hog();

	if (pid)
		return pid;
	for (;;)
		work();
}

void hog_end(int pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
