// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host.h"
#include "text.h"
#include "util.h"

/* Of the flags in /proc/PID/stat: the kernel alone says where it runs. */
#define PF_NO_SETAFFINITY	0x04000000UL

/* All of a file; NULL: there is none, or it is empty. Ends with a zero. */
static char *read_file(const char *path, size_t *len)
{
	FILE *f = fopen(path, "re");
	size_t room = 4096, n;
	char *text;

	*len = 0;
	if (!f)
		return NULL;
	text = xcalloc(room, 1);
	while ((n = fread(text + *len, 1, room - 1 - *len, f))) {
		*len += n;
		if (*len == room - 1) {
			room *= 2;
			text = xrealloc(text, room, 1);
		}
	}
	fclose(f);
	text[*len] = '\0';
	if (*len)
		return text;
	free(text);
	return NULL;
}

bool host_siblings(unsigned int cpu, struct cpus *to)
{
	char *path = xasprintf("/sys/devices/system/cpu/cpu%u/topology/thread_siblings_list",
			       cpu);
	size_t len;
	char *list = read_file(path, &len);
	bool ok = false;

	if (list) {
		list[strcspn(list, "\n")] = '\0';
		ok = cpus_parse(list, to);
	}
	free(list);
	free(path);
	return ok;
}

char *host_command_line(int pid, size_t *len)
{
	char *path = xasprintf("/proc/%d/cmdline", pid);
	char *words = pid > 0 ? read_file(path, len) : NULL;

	free(path);
	return words;
}

/* The line "0::/PATH". */
char *host_cgroup(int pid)
{
	char *path = xasprintf("/proc/%d/cgroup", pid), *group = NULL;
	size_t len;
	char *text = pid > 0 ? read_file(path, &len) : NULL;
	char *line, *rest = text;

	free(path);
	while (text && !group && (line = strsep(&rest, "\n")))
		if (!strncmp(line, "0::/", 4))
			group = xasprintf("%s", line + 3);
	free(text);
	if (group)
		text_clean(group);
	return group;
}

static bool allowed_on(const char *dir, const struct cpus *cpus)
{
	char *path = xasprintf("%s/status", dir);
	FILE *f = fopen(path, "re");
	struct cpus allowed;
	char *line = NULL;
	size_t size = 0;
	bool ok = false;

	free(path);
	while (f && getline(&line, &size, f) > 0) {
		if (strncmp(line, "Cpus_allowed_list:", 18))
			continue;
		line[strcspn(line, "\n")] = '\0';
		ok = cpus_parse(line + 18 + strspn(line + 18, "\t "), &allowed) &&
		     cpus_meet(&allowed, cpus);
		break;
	}
	free(line);
	if (f)
		fclose(f);
	return ok;
}

/* Flags are 6 fields behind the name, the CPU 30 further on. */
static bool read_stat(const char *dir, struct host_task *t)
{
	char *path = xasprintf("%s/stat", dir), *at, *name;
	unsigned long flags = 0;
	size_t len;
	char *text = read_file(path, &len);
	int i;

	free(path);
	if (!text)
		return false;
	name = strchr(text, '(');
	at = strrchr(text, ')');
	if (name && at) {
		*at = '\0';
		snprintf(t->name, sizeof(t->name), "%.31s", name + 1);
		text_clean(t->name);
	}
	for (i = 0; at && i < 37; i++) {
		at = strchr(at + 1, ' ');
		if (at && i == 6)
			flags = strtoul(at, NULL, 10);
	}
	t->cpu = at ? atoi(at) : -1;
	free(text);
	return name && t->cpu >= 0 && !(flags & PF_NO_SETAFFINITY);
}

static void look_at(const char *dir, int pid, int tid, const struct cpus *cpus,
		    struct host_tasks *to)
{
	struct host_task t = { .tid = tid, .pid = pid };

	if (!read_stat(dir, &t) || !strcmp(t.name, to->vhost) ||
	    !allowed_on(dir, cpus))
		return;
	to->nr_allowed++;
	if (!cpus_has(cpus, (unsigned int)t.cpu))
		return;
	to->there = xrealloc(to->there, to->nr + 1, sizeof(*to->there));
	to->there[to->nr++] = t;
}

static void look_into(int pid, const struct cpus *cpus, struct host_tasks *to)
{
	char *path = xasprintf("/proc/%d/task", pid);
	DIR *dir = opendir(path);
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		char *task;

		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		task = xasprintf("%s/%s", path, e->d_name);
		look_at(task, pid, atoi(e->d_name), cpus, to);
		free(task);
	}
	if (dir)
		closedir(dir);
	free(path);
}

void host_others(int pid, const struct cpus *cpus, struct host_tasks *to)
{
	DIR *dir = opendir("/proc");
	struct dirent *e;

	memset(to, 0, sizeof(*to));
	snprintf(to->vhost, sizeof(to->vhost), "vhost-%d", pid);
	while (dir && (e = readdir(dir)))
		if (isdigit((unsigned char)e->d_name[0]) &&
		    atoi(e->d_name) != pid && atoi(e->d_name) != getpid())
			look_into(atoi(e->d_name), cpus, to);
	if (dir)
		closedir(dir);
}
