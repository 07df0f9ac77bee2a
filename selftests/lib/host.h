/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host around a test: KVM and kvmx are loaded before it, and after it all
 * is as it was, or the test fails.
 */
#ifndef KVMX_LIB_HOST_H
#define KVMX_LIB_HOST_H

#include <stdbool.h>
#include <stdint.h>

/* Ends the program, as skipped, where there is no KVM or no right to it. */
void host_begin(void);
/* Returns @status, or 1 where the host is dirty: the test's exit status. */
int host_end(int status);

/* The parameter stats of the module. */
bool host_stats_param(const char *value);
void host_get_stats_param(char *value, unsigned int size);

/* Does the kernel name this among the processor's features (/proc/cpuinfo)? */
bool host_cpu_has(const char *feature);

/* How often the module is used, -1 if it is not loaded. */
int host_use_count(const char *module);

/*
 * Waits until no VM is listed, no statistics are open, no memory is held for
 * records, and only @node holds the module. Says what is left.
 */
bool host_quiet(int node);

/*
 * 6.12 counts the server that keeps threads of the fair class from starving among
 * the threads that run. Where it is at work on a CPU that goes, as now and then in
 * a storm on a busy machine, the kernel warns that this CPU is "not properly
 * vacated", one line before it stops the server (sched_cpu_dying()). That has
 * nothing to do with kvmx. Nor can the server be switched off for a while: then that
 * may warn (task_non_contending(), by dl_server_stop()).
 */
bool host_counts_its_server(void);

/*
 * Sizes: the numbers in the tests are for a machine of some speed. Environment
 * KVMX_TEST_SCALE is a percentage of them; without it a machine with a single
 * CPU is taken for a slow emulator, and a kernel that checks itself (lockdep,
 * KASAN and the like) for a slow one as well.
 */
uint64_t scaled(uint64_t n);
/* The same, unless environment variable @name says how many, as they are. */
uint64_t sized(const char *name, uint64_t n);

/*
 * Time limits, on the other hand, are for things that happen at once on a fast
 * machine: they are multiplied by this. Environment KVMX_TEST_PATIENCE; without
 * it 1, and 5 on a kernel that checks itself. lib/host.sh has the same rule.
 */
unsigned int patience(void);

/* Waits for the child that runs the cases, then host_end(). */
int host_wait(int pid);

/* Writes to a file of cgroups, sysfs and the like: did it take all of it? */
bool host_put(const char *path, const char *text);
/* Is that one of the words in its first line? */
bool host_says(const char *path, const char *word);
/* Is a module's parameter, by its path in sysfs, on? */
bool host_parameter(const char *path);
/* With page-modification logging no write has to fault. */
bool host_has_pml(void);

/* In place of TEST_HARNESS_MAIN; the harness itself ends by exit(). */
#define HOST_HARNESS_MAIN						\
	static void be_patient(void)					\
	{								\
		struct __fixture_metadata *f;				\
		struct __test_metadata *t;				\
									\
		for (f = __fixture_list; f; f = f->next)		\
			for (t = f->tests; t; t = t->next)		\
				t->timeout *= patience();		\
	}								\
									\
	int main(int argc, char **argv)					\
	{								\
		int pid;						\
									\
		be_patient();						\
		host_begin();						\
		fflush(NULL);						\
		pid = fork();						\
		if (!pid)						\
			return test_harness_run(argc, argv);		\
		return host_wait(pid);					\
	}

#endif /* KVMX_LIB_HOST_H */
