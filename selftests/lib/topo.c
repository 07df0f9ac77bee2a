// SPDX-License-Identifier: GPL-2.0-only
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "topo.h"

#define CPU_DIR	"/sys/devices/system/cpu/cpu%d/"

const char * const distance_names[NR_DISTANCES] = {
	"same_cpu", "smt_sibling", "same_llc", "same_node", "other_node",
};

/* Is a number in a file like "0-3,7"? */
static bool file_has(const char *path, int wanted)
{
	FILE *f = fopen(path, "r");
	int from, to;
	bool has = false;

	if (!f)
		return false;
	while (fscanf(f, "%d", &from) == 1) {
		if (fscanf(f, "-%d", &to) != 1)
			to = from;
		has |= from <= wanted && wanted <= to;
		if (fgetc(f) != ',')
			break;
	}
	fclose(f);
	return has;
}

static int cache_level(int cpu, int index)
{
	char path[128];
	int level = 0;
	FILE *f;

	snprintf(path, sizeof(path), CPU_DIR "cache/index%d/level", cpu, index);
	f = fopen(path, "r");
	if (!f)
		return 0;
	if (fscanf(f, "%d", &level) != 1)
		level = 0;
	fclose(f);
	return level;
}

static bool share_llc(int a, int b)
{
	int i, level, last = 0, where = 0;
	char path[128];

	for (i = 0; (level = cache_level(a, i)); i++)
		if (level > last) {
			last = level;
			where = i;
		}
	/* As for the kernel: below the third level it is the core's own. */
	if (last < 3)
		return false;
	snprintf(path, sizeof(path), CPU_DIR "cache/index%d/shared_cpu_list", a,
		 where);
	return file_has(path, b);
}

static int node_of(int cpu)
{
	char path[128];
	int node;

	for (node = 0; node < 1024; node++) {
		snprintf(path, sizeof(path), CPU_DIR "node%d", cpu, node);
		if (!access(path, F_OK))
			return node;
	}
	return 0;
}

enum distance distance(int a, int b)
{
	char path[128];

	if (a == b)
		return SAME_CPU;
	snprintf(path, sizeof(path), CPU_DIR "topology/core_cpus_list", a);
	if (file_has(path, b))
		return SMT_SIBLING;
	if (share_llc(a, b))
		return SAME_LLC;
	return node_of(a) == node_of(b) ? SAME_NODE : OTHER_NODE;
}

bool cpus_apart(enum distance d, int *a, int *b)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		return false;
	for (*a = 0; *a < CPU_SETSIZE; (*a)++)
		for (*b = 0; CPU_ISSET(*a, &set) && *b < CPU_SETSIZE; (*b)++)
			if (CPU_ISSET(*b, &set) && *a != *b &&
			    distance(*a, *b) == d)
				return true;
	return false;
}
