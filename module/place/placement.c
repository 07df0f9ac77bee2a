// SPDX-License-Identifier: GPL-2.0-only
#include <linux/lockdep.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/ktime.h>

#include "core/affinity.h"
#include "core/topo.h"
#include "core/vm.h"
#include "place/placement.h"

static LIST_HEAD(table);
static DEFINE_MUTEX(table_lock);	/* for that, and for what it tells */

/**
 * kvmx_placement_alloc() - a placement that nobody knows of yet
 * @vm: of this VM; another reference is taken
 *
 * Context: may sleep.
 * Return: the placement with one reference, NULL when out of memory.
 */
struct kvmx_placement *kvmx_placement_alloc(struct kvmx_vm *vm)
{
	struct kvmx_placement *p = kzalloc(sizeof(*p), GFP_KERNEL);

	if (!p)
		return NULL;
	refcount_set(&p->refs, 1);
	mutex_init(&p->lock);
	INIT_LIST_HEAD(&p->link);
	INIT_LIST_HEAD(&p->entries);
	refcount_inc(&vm->refs);
	p->vm = vm;
	p->made_ns = ktime_get_boottime_ns();
	if (zalloc_cpumask_var(&p->limits, GFP_KERNEL) &&
	    zalloc_cpumask_var(&p->usable, GFP_KERNEL) &&
	    zalloc_cpumask_var(&p->want, GFP_KERNEL) &&
	    zalloc_cpumask_var(&p->now, GFP_KERNEL) &&
	    zalloc_cpumask_var(&p->may, GFP_KERNEL))
		return p;
	kvmx_placement_put(p);
	return NULL;
}

void kvmx_placement_put(struct kvmx_placement *p)
{
	if (!p || !refcount_dec_and_test(&p->refs))
		return;
	WARN_ON(!list_empty(&p->entries) || !list_empty(&p->link));
	kvmx_layout_free(p->layout);
	kvmx_layout_free(p->kept);
	free_cpumask_var(p->limits);
	free_cpumask_var(p->usable);
	free_cpumask_var(p->want);
	free_cpumask_var(p->now);
	free_cpumask_var(p->may);
	kvmx_vm_put(p->vm);
	kfree(p);
}

void kvmx_placement_publish(struct kvmx_placement *p)
{
	refcount_inc(&p->refs);
	mutex_lock(&table_lock);
	list_add_tail(&p->link, &table);
	mutex_unlock(&table_lock);
}

void kvmx_placement_withdraw(struct kvmx_placement *p)
{
	mutex_lock(&table_lock);
	list_del_init(&p->link);
	mutex_unlock(&table_lock);
	kvmx_placement_put(p);
}

/**
 * kvmx_placement_get() - the placement of a VM
 * @vm: the VM
 *
 * Context: may sleep.
 * Return: the placement with a reference, or NULL.
 */
struct kvmx_placement *kvmx_placement_get(const struct kvmx_vm *vm)
{
	struct kvmx_placement *p, *found = NULL;

	mutex_lock(&table_lock);
	list_for_each_entry(p, &table, link) {
		if (p->vm == vm) {
			refcount_inc(&p->refs);
			found = p;
			break;
		}
	}
	mutex_unlock(&table_lock);
	return found;
}

/**
 * kvmx_placement_next() - walk over all placements
 * @prev: the one before, whose reference is given up; NULL to begin
 *
 * VMs have ascending numbers, but are not placed in that order: the next one is
 * that with the next number, so that the walk ends and meets each once, whatever
 * comes and goes meanwhile.
 *
 * Context: may sleep.
 * Return: the next one with a reference, NULL at the end.
 */
struct kvmx_placement *kvmx_placement_next(struct kvmx_placement *prev)
{
	struct kvmx_placement *p, *found = NULL;

	mutex_lock(&table_lock);
	list_for_each_entry(p, &table, link)
		if ((!prev || p->vm->id > prev->vm->id) &&
		    (!found || p->vm->id < found->vm->id))
			found = p;
	if (found)
		refcount_inc(&found->refs);
	mutex_unlock(&table_lock);
	kvmx_placement_put(prev);
	return found;
}

bool kvmx_placement_any(void)
{
	return !list_empty(&table);
}

/**
 * kvmx_placement_adopt() - a placement follows another plan from now on
 * @p: the placement
 * @layout: the plan; the one before is the caller's again
 *
 * Context: with the placement's lock.
 * Return: the one before, or NULL.
 */
struct kvmx_layout *kvmx_placement_adopt(struct kvmx_placement *p,
					 struct kvmx_layout *layout)
{
	struct kvmx_layout *before;

	lockdep_assert_held(&p->lock);
	mutex_lock(&table_lock);
	before = p->layout;
	p->layout = layout;
	mutex_unlock(&table_lock);
	return before;
}

static bool in_set(const u64 *set, u32 words, u32 cpu)
{
	return set && cpu / 64 < words && set[cpu / 64] >> cpu % 64 & 1;
}

/* What another placement has of the host. */
static void add_other(struct kvmx_layout *l, const struct kvmx_placement *o)
{
	const struct kvmx_layout *of = o->layout;
	const struct kvmx_wishes *w = of->wishes;
	u32 cpus = min(l->nr_cpus, of->nr_cpus);
	u32 i, cpu;

	lockdep_assert_held(&table_lock);
	for (i = 0; i < of->nr_vcpus; i++) {
		cpu = of->out.vcpus[i].cpu;
		if (cpu >= cpus)
			continue;
		l->cpus[cpu].load++;
		l->cpus[cpu].user = o->vm->id;
	}
	for (cpu = 0; cpu < cpus; cpu++) {
		if (in_set(of->out.claim, of->words, cpu))
			l->cpus[cpu].owner = o->vm->id;
		if (in_set(w->emulator, of->words, cpu) ||
		    in_set(w->io, of->words, cpu))
			l->cpus[cpu].user = o->vm->id;
	}
}

/* Where cpusets cannot be asked: what its first thread had at first. */
static void first_allowed(struct kvmx_placement *p, struct task_struct *first,
			  struct cpumask *to)
{
	struct kvmx_entry *e;

	list_for_each_entry(e, &p->entries, link) {
		if (e->tid != p->vm->pid)
			continue;
		cpumask_copy(to, kvmx_kept(e, KVMX_KEPT_BASE));
		return;
	}
	kvmx_affinity_get(first, to);
}

/* Adds what the cpusets of the other threads allow, if they have some of their own. */
static void threads_allowed(struct kvmx_placement *p, struct cpumask *to)
{
	struct task_struct *task;
	struct kvmx_entry *e;

	list_for_each_entry(e, &p->entries, link) {
		if (e->kernel || e->tid == p->vm->pid)
			continue;
		task = get_pid_task(e->tid, PIDTYPE_PID);
		if (!task)
			continue;
		if (kvmx_affinity_allowed(task, p->now))
			cpumask_or(to, to, p->now);
		put_task_struct(task);
	}
}

/*
 * What the VMM's cpusets allow, all together: libvirt gives vCPUs and emulator one
 * each, and so does whoever keeps others out by a partition. Nothing of it once the
 * process has ended.
 */
static void host_allowed(struct kvmx_placement *p, struct cpumask *to)
{
	struct task_struct *task = get_pid_task(p->vm->pid, PIDTYPE_TGID);

	cpumask_clear(to);
	if (!task)
		return;
	if (kvmx_affinity_allowed(task, to))
		threads_allowed(p, to);
	else
		first_allowed(p, task, to);
	put_task_struct(task);
}

/* Do the cpusets allow other CPUs than in the last view? */
bool kvmx_placement_limits_changed(struct kvmx_placement *p)
{
	lockdep_assert_held(&p->lock);
	host_allowed(p, p->may);
	return !cpumask_equal(p->may, p->limits);
}

/**
 * kvmx_placement_view() - the host as a plan is to see it
 * @p: the placement that the plan is for
 * @l: the plan; its @cpus are filled in
 *
 * Whoever sees by it that cpusets have changed is not always the one who fits the
 * plan in force to that: so it is noted.
 *
 * Context: with the placement's lock.
 */
void kvmx_placement_view(struct kvmx_placement *p, struct kvmx_layout *l)
{
	struct kvmx_placement *o;
	struct kvmx_topo at;
	u32 cpu;

	lockdep_assert_held(&p->lock);
	if (kvmx_placement_limits_changed(p)) {
		cpumask_copy(p->limits, p->may);
		p->stale = true;
	}
	memset(l->cpus, 0, l->nr_cpus * sizeof(*l->cpus));
	for (cpu = 0; cpu < l->nr_cpus; cpu++) {
		l->cpus[cpu].core = cpu;
		l->cpus[cpu].llc = cpu;
		if (cpu >= nr_cpu_ids || !cpu_possible(cpu))
			continue;
		kvmx_topo_get(cpu, &at);
		l->cpus[cpu].core = at.core;
		l->cpus[cpu].llc = at.llc;
		l->cpus[cpu].node = at.node;
		if (cpu_active(cpu))
			l->cpus[cpu].flags |= KVMX_POLICY_ONLINE;
		if (cpumask_test_cpu(cpu, p->limits))
			l->cpus[cpu].flags |= KVMX_POLICY_ALLOWED;
	}
	mutex_lock(&table_lock);
	list_for_each_entry(o, &table, link)
		if (o->vm != p->vm && o->layout)
			add_other(l, o);
	mutex_unlock(&table_lock);
}
