// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proc.h"
#include "text.h"
#include "util.h"

/* Also finds "/proc/TID", a thread that is a process of its own. */
struct place {
	char dir[64];
};

static FILE *open_file(const struct place *p, const char *name)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/%s", p->dir, name);
	return fopen(path, "re");
}

static bool read_name(const struct place *p, char name[PROC_NAME])
{
	FILE *f = open_file(p, "comm");
	bool ok;

	if (!f)
		return false;
	ok = fgets(name, PROC_NAME, f);
	fclose(f);
	name[ok ? strcspn(name, "\n") : 0] = '\0';
	text_clean(name);
	return ok;
}

/* Behind the name, which may have anything in it, 37 fields in between. */
static int read_cpu(const struct place *p)
{
	FILE *f = open_file(p, "stat");
	char line[1024], *at;
	int i, cpu = -1;

	if (!f)
		return -1;
	at = fgets(line, sizeof(line), f) ? strrchr(line, ')') : NULL;
	fclose(f);
	for (i = 0; at && i < 37; i++)
		at = strchr(at + 1, ' ');
	if (at)
		cpu = atoi(at);
	return cpu;
}

static bool read_times(const struct place *p, struct proc_thread *t)
{
	FILE *f = open_file(p, "schedstat");
	bool ok;

	if (!f)
		return false;
	ok = fscanf(f, "%llu %llu", &t->ran, &t->waited) == 2;
	fclose(f);
	return ok;
}

/* A thread that ends meanwhile is not there. */
static bool read_thread(const struct place *p, int tid, struct proc_thread *t)
{
	memset(t, 0, sizeof(*t));
	t->tid = tid;
	t->cpu = read_cpu(p);
	return read_name(p, t->name) && read_times(p, t);
}

static void add(struct proc_thread **list, unsigned int *nr,
		const struct proc_thread *t)
{
	*list = xrealloc(*list, *nr + 1, sizeof(**list));
	(*list)[(*nr)++] = *t;
}

/*
 * Up to some version vhost threads are the kernel's own, named after the VMM's
 * process; later they are threads of that process.
 */
static void add_vhost(int pid, struct proc_thread **list, unsigned int *nr)
{
	DIR *dir = opendir("/proc");
	char wanted[PROC_NAME], name[PROC_NAME];
	struct proc_thread t;
	struct dirent *e;
	struct place p;

	snprintf(wanted, sizeof(wanted), "vhost-%d", pid);
	while (dir && (e = readdir(dir))) {
		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		snprintf(p.dir, sizeof(p.dir), "/proc/%.16s", e->d_name);
		if (read_name(&p, name) && !strcmp(name, wanted) &&
		    read_thread(&p, atoi(e->d_name), &t))
			add(list, nr, &t);
	}
	if (dir)
		closedir(dir);
}

unsigned int proc_threads(int pid, struct proc_thread **list)
{
	struct proc_thread t;
	unsigned int nr = 0;
	struct dirent *e;
	char path[64];
	struct place p;
	DIR *dir;

	*list = NULL;
	if (!pid)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (e = readdir(dir))) {
		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		snprintf(p.dir, sizeof(p.dir), "%.40s/%.16s", path, e->d_name);
		if (read_thread(&p, atoi(e->d_name), &t))
			add(list, &nr, &t);
	}
	if (!dir)
		return 0;
	closedir(dir);
	add_vhost(pid, list, &nr);
	return nr;
}

/* "12.345678" is 12345678: ms with six digits make ns. */
static __u64 ms_to_ns(const char *s)
{
	__u64 ms = 0, ns = 0;
	char *end;

	ms = strtoull(s, &end, 10);
	if (*end == '.')
		ns = strtoull(end + 1, NULL, 10);
	return ms * 1000000 + ns;
}

static void take_line(const char *name, const char *value,
		      struct proc_policy *to)
{
	if (!strcmp(name, "se.vruntime")) {
		to->vruntime = ms_to_ns(value);
		to->has_vruntime = value[0] != '-';
	} else if (!strcmp(name, "se.load.weight")) {
		to->weight = strtoull(value, NULL, 10) / 1024;
	} else if (!strcmp(name, "se.slice")) {
		to->slice = strtoull(value, NULL, 10);
	} else if (!strcmp(name, "policy")) {
		to->policy = atoi(value);
	} else if (!strcmp(name, "prio")) {
		to->prio = atoi(value);
	}
}

bool proc_policy(int pid, int tid, struct proc_policy *to)
{
	char line[256], name[64], value[64];
	struct place p;
	FILE *f;

	memset(to, 0, sizeof(*to));
	snprintf(p.dir, sizeof(p.dir), "/proc/%d/task/%d", pid, tid);
	f = open_file(&p, "sched");
	if (!f)
		return false;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%63s : %63s", name, value) == 2)
			take_line(name, value, to);
	fclose(f);
	return true;
}

#define CGROUPS	"/sys/fs/cgroup"

/* One line of a cgroup's file; false: there is no such file, or it is empty. */
static bool read_cgroup(const char *group, const char *name, const char *key,
			char *line, int size)
{
	char *path = xasprintf(CGROUPS "%s/%s", group, name);
	FILE *f = fopen(path, "re");
	bool found = false;

	free(path);
	if (!f)
		return false;
	while (!found && fgets(line, size, f))
		found = !strncmp(line, key, strlen(key));
	fclose(f);
	return found;
}

static bool has_quota(const char *group)
{
	char line[128];

	return read_cgroup(group, "cpu.max", "", line, sizeof(line)) &&
	       strncmp(line, "max", 3);
}

static __u64 cpu_stat(const char *group, const char *key)
{
	char line[128];

	if (!read_cgroup(group, "cpu.stat", key, line, sizeof(line)))
		return 0;
	return strtoull(line + strlen(key), NULL, 10);
}

/* The cgroup of a thread in cgroup v2: the line "0::/PATH". */
static bool read_group(int pid, int tid, char *group, int size)
{
	bool found = false;
	struct place p;
	FILE *f;

	snprintf(p.dir, sizeof(p.dir), "/proc/%d/task/%d", pid, tid);
	f = open_file(&p, "cgroup");
	while (f && !found && fgets(group, size, f))
		found = !strncmp(group, "0::/", 4);
	if (f)
		fclose(f);
	if (!found)
		return false;
	group[strcspn(group, "\n")] = '\0';
	memmove(group, group + 3, strlen(group + 3) + 1);
	return true;
}

void proc_quota(int pid, int tid, struct proc_quota *to)
{
	char group[4096];
	size_t len, cut;
	char *slash;

	memset(to, 0, sizeof(*to));
	if (!read_group(pid, tid, group, sizeof(group)))
		return;
	while (!has_quota(group)) {
		slash = strrchr(group, '/');
		if (!slash || !slash[1])
			return;
		*slash = '\0';
	}
	/* The end of a long name tells more than its begin. */
	len = strlen(group);
	cut = len < sizeof(to->group) ? 0 : len - sizeof(to->group) + 1;
	memcpy(to->group, group + cut, len - cut + 1);
	text_clean(to->group);
	to->times = cpu_stat(group, "nr_throttled ");
	to->ns = cpu_stat(group, "throttled_usec ") * 1000;
}
