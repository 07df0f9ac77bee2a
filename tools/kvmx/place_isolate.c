// SPDX-License-Identifier: GPL-2.0-only
/* Policy isolate: who else runs on the CPUs, and what would keep them out. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "host.h"
#include "place_view.h"

/* For people; programs get them all. */
#define SHOWN	10

static const struct column task_columns[] = {
	{ "tid", "TID", 7, false },
	{ "pid", "PID", 7, false },
	{ "cpu", "CPU", 4, false },
	{ NULL, "NOW", 5, true },
	{ "name", "NAME", 0, true },
	{ "runs", NULL, 0, false },
};

/* Did the module see it run when the plan was made? */
static bool runs(const struct placement *p, int tid)
{
	unsigned int i;

	for (i = 0; i < p->nr_notes; i++)
		if (p->notes[i].kind == KVMX_NOTE_FOREIGN &&
		    p->notes[i].tid == tid)
			return true;
	return false;
}

static void put_task(struct out *o, const struct placement *p,
		     const struct host_task *t)
{
	const bool now = runs(p, t->tid);
	const struct val row[] = {
		val_num((__u64)t->tid),
		val_num((__u64)t->pid),
		val_num((__u64)t->cpu),
		val_str(now ? "runs" : "-"),
		val_str(t->name),
		val_bool(now),
	};

	out_row(o, row);
	out_end(o);
}

static void put_tasks(struct out *o, const struct placement *p,
		      const struct host_tasks *tasks)
{
	struct column columns[ARRAY_SIZE(task_columns)];
	unsigned int i;

	/* Once for programs, once for people: each sees only his. */
	memcpy(columns, task_columns, sizeof(columns));
	for (i = 0; i < ARRAY_SIZE(columns); i++)
		columns[i].title = NULL;
	out_table(o, "foreign", columns, ARRAY_SIZE(columns));
	for (i = 0; i < tasks->nr; i++)
		put_task(o, p, &tasks->there[i]);
	out_end(o);
	if (!tasks->nr)
		return;
	out_table(o, NULL, task_columns, ARRAY_SIZE(task_columns));
	for (i = 0; i < tasks->nr && i < SHOWN; i++)
		put_task(o, p, &tasks->there[i]);
	out_end(o);
	if (tasks->nr > SHOWN)
		out_say(o, "    and %u more", tasks->nr - SHOWN);
}

static void put_line(struct out *o, const char *line)
{
	const struct val row[] = { val_str(line) };

	out_row(o, row);
	out_end(o);
}

__printf(2, 3)
static void line(struct out *o, const char *fmt, ...)
{
	char *text;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	if (!text)
		fail(EX_FAILED, "out of memory");
	put_line(o, text);
	out_verbatim(o, "    %s", text);
	free(text);
}

/* From 6.7 on a group may have CPUs for itself that its parents only hand down. */
static bool has_remote_partitions(void)
{
	unsigned int major = 0, minor = 0;
	struct utsname name;

	if (uname(&name) || sscanf(name.release, "%u.%u", &major, &minor) != 2)
		return false;
	return major > 6 || (major == 6 && minor >= 7);
}

/* The vCPUs' threads get a partition, the VM's others stay outside of it. */
static void keep_out_threads(struct out *o, const struct placement *p,
			     const char *cpus)
{
	unsigned int i;

	line(o, "mkdir -p kvmx-%llu/vcpus", p->vm.id);
	line(o, "echo %d > kvmx-%llu/cgroup.procs", p->vm.pid, p->vm.id);
	line(o, "echo threaded > kvmx-%llu/vcpus/cgroup.type", p->vm.id);
	line(o, "echo +cpuset > kvmx-%llu/cgroup.subtree_control", p->vm.id);
	line(o, "echo %s > kvmx-%llu/cpuset.cpus.exclusive", cpus, p->vm.id);
	line(o, "echo %s > kvmx-%llu/vcpus/cpuset.cpus.exclusive", cpus,
	     p->vm.id);
	line(o, "echo root > kvmx-%llu/vcpus/cpuset.cpus.partition", p->vm.id);
	for (i = 0; i < p->nr_threads; i++)
		if (p->threads[i].thread_class == KVMX_THREAD_VCPU &&
		    p->threads[i].tid)
			line(o, "echo %d > kvmx-%llu/vcpus/cgroup.threads",
			     p->threads[i].tid, p->vm.id);
}

/* All threads of the VM, and therefore all their CPUs. */
static void keep_out_process(struct out *o, const struct placement *p)
{
	struct cpus all = { { 0 } };
	unsigned int i;
	char *cpus;

	for (i = 0; i < p->nr_threads; i++)
		cpus_join(&all, &p->masks[i]);
	cpus = cpus_text(&all);
	line(o, "mkdir -p kvmx-%llu", p->vm.id);
	line(o, "echo %s > kvmx-%llu/cpuset.cpus", cpus, p->vm.id);
	line(o, "echo root > kvmx-%llu/cpuset.cpus.partition", p->vm.id);
	line(o, "echo %d > kvmx-%llu/cgroup.procs", p->vm.pid, p->vm.id);
	free(cpus);
}

static void put_commands(struct out *o, const struct placement *p,
			 const char *cpus)
{
	static const struct column column[] = {
		{ "command", NULL, 0, false },
	};

	out_table(o, "keep_out", column, ARRAY_SIZE(column));
	line(o, "cd /sys/fs/cgroup");
	line(o, "echo +cpuset > cgroup.subtree_control");
	if (has_remote_partitions())
		keep_out_threads(o, p, cpus);
	else
		keep_out_process(o, p);
	out_end(o);
}

/*
 * The cores of the vCPUs, but for siblings that threads of the same VM have been
 * given: those have to stay outside of a partition that is for vCPUs alone.
 */
static struct cpus cores_of(const struct placement *p)
{
	struct cpus vcpus = placement_vcpus(p), all = vcpus, core;
	unsigned int cpu, i;

	for (cpu = 0; cpu < CPUS_MAX; cpu++)
		if (cpus_has(&vcpus, cpu) && host_siblings(cpu, &core))
			cpus_join(&all, &core);
	for (i = 0; i < p->nr_threads; i++)
		if (p->threads[i].thread_class != KVMX_THREAD_VCPU)
			cpus_take(&all, &p->masks[i]);
	cpus_join(&all, &vcpus);
	return all;
}

/**
 * isolate_put() - threads of others that run on the CPUs of isolated vCPUs
 * @o: where to
 * @p: a placement by policy isolate
 *
 * And how a cpuset partition would keep them out.
 */
void isolate_put(struct out *o, const struct placement *p)
{
	const struct cpus set = cores_of(p);
	struct host_tasks tasks;
	char *cpus;

	if (!cpus_count(&set))
		return;
	cpus = cpus_text(&set);
	host_others(p->vm.pid, &set, &tasks);
	out_say(o, "Threads of others that may run on CPUs %s: %u; that ran there last: %u",
		cpus, tasks.nr_allowed, tasks.nr);
	out_field(o, "isolated_cpus", NULL, val_str(cpus));
	out_field(o, "foreign_allowed", NULL, val_num(tasks.nr_allowed));
	put_tasks(o, p, &tasks);
	if (tasks.nr_allowed && p->vm.pid) {
		out_say(o, "A cpuset partition would keep them out; kvmx does not make it (with libvirt, make it of the VM's own cgroup):");
		put_commands(o, p, cpus);
	}
	free(tasks.there);
	free(cpus);
}
