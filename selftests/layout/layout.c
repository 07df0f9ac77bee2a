// SPDX-License-Identifier: GPL-2.0-only
/*
 * For layout_test: where does each vCPU write, and what changes while one runs?
 * Looks into the kvmx that is loaded, as its headers say that it lies there. What
 * kvmx does not export is given by address, from /proc/kallsyms. No part of kvmx:
 * compiled by `make KVMX_TESTS=1`, for test machines, and takes any address for
 * true.
 */
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/sort.h>
#include <linux/spinlock.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "core/hot.h"
#include "core/vm.h"
#include "stats/counts.h"
#include "stats/groups.h"

/* Of kvmx: its list of VMs, the lock of that, per-CPU words; bytes of counters. */
static unsigned long vms, vm_lock, hot, vcpu_last, data_size;
static bool plant;

#define ADDRESS(name, text)						\
	module_param(name, ulong, 0400);				\
	MODULE_PARM_DESC(name, text)

ADDRESS(vms, "address of the list of VMs");
ADDRESS(vm_lock, "address of kvmx_vm_lock");
ADDRESS(hot, "address of the per-CPU kvmx_hot");
ADDRESS(vcpu_last, "address of the per-CPU kvmx_vcpu_last");
ADDRESS(data_size, "bytes of a vCPU's data");
module_param(plant, bool, 0600);
MODULE_PARM_DESC(plant, "report a word of one vCPU in a cache line of another");

#define MAX_AREAS	4096
#define NAME		48

/**
 * struct area - memory that somebody writes
 * @at: where
 * @size: bytes
 * @owner: vCPU, numbered through; less than zero: the CPU -1 - @owner
 * @name: what it is
 * @copy: what was there
 */
struct area {
	unsigned long at;
	unsigned long size;
	int owner;
	char name[NAME];
	void *copy;
};

static struct area *areas, *marked;
static unsigned int nr_areas, nr_marked;

static __printf(4, 5) void add(unsigned long at, unsigned long size, int owner,
			       const char *name, ...)
{
	struct area *a = &areas[nr_areas];
	va_list args;

	if (nr_areas == MAX_AREAS)
		return;
	nr_areas++;
	*a = (struct area){ .at = at, .size = size, .owner = owner };
	va_start(args, name);
	vsnprintf(a->name, NAME, name, args);
	va_end(args);
}

static void add_vcpu(struct kvmx_vcpu *v, int owner)
{
	u64 vm = v->vm->id;

	add((unsigned long)v, sizeof(*v), owner, "vm %llu vcpu %u record", vm,
	    v->index);
	if (v->counts)
		add((unsigned long)v->counts, KVMX_COUNTS_HEAD + data_size,
		    owner, "vm %llu vcpu %u counts", vm, v->index);
	if (v->more)
		add((unsigned long)v->more, sizeof(*v->more), owner,
		    "vm %llu vcpu %u groups", vm, v->index);
	/* As if the vCPU in front of it wrote there, too. */
	if (plant && v->counts && v->index)
		add((unsigned long)v->counts, 8, owner - 1, "planted");
}

static void add_cpus(unsigned long per_cpu, unsigned long size, const char *name)
{
	int cpu;

	for_each_possible_cpu(cpu)
		add((unsigned long)per_cpu_ptr((void __percpu *)per_cpu, cpu),
		    size, -1 - cpu, "cpu %d %s", cpu, name);
}

/* All that vCPUs write, and CPUs for them. */
static void collect(void)
{
	raw_spinlock_t *lock = (raw_spinlock_t *)vm_lock;
	struct list_head *list = (struct list_head *)vms;
	struct kvmx_vcpu *v;
	struct kvmx_vm *vm;
	unsigned long flags;
	int owner = 0;

	nr_areas = 0;
	add_cpus(hot, sizeof(struct kvmx_hot *), "kvmx_hot");
	add_cpus(vcpu_last, sizeof(struct kvmx_vcpu *), "kvmx_vcpu_last");
	raw_spin_lock_irqsave(lock, flags);
	list_for_each_entry(vm, list, link) {
		list_for_each_entry(v, &vm->vcpus, link)
			add_vcpu(v, owner++);
		if (vm->cpus)
			add_cpus((unsigned long)vm->cpus,
				 sizeof(struct kvmx_vm_cpu), "of a VM");
	}
	raw_spin_unlock_irqrestore(lock, flags);
}

static int by_address(const void *a, const void *b)
{
	const struct area *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

static unsigned long last_line(const struct area *a)
{
	return (a->at + a->size - 1) / SMP_CACHE_BYTES;
}

/* Cache lines that two write, or more. */
static int report_get(char *to, const struct kernel_param *kp)
{
	unsigned long lines = 0, shared = 0;
	const struct area *reach;
	unsigned int i;
	int n = 0;

	collect();
	sort(areas, nr_areas, sizeof(*areas), by_address, NULL);
	reach = areas;
	for (i = 0; i < nr_areas; i++) {
		const struct area *a = &areas[i];

		lines += last_line(a) - a->at / SMP_CACHE_BYTES + 1;
		if (i && a->at / SMP_CACHE_BYTES <= last_line(reach) &&
		    a->owner != reach->owner) {
			shared++;
			n += scnprintf(to + n, PAGE_SIZE / 2 - n,
				       "shared: %s, %s\n", reach->name, a->name);
		}
		if (last_line(a) >= last_line(reach))
			reach = a;
	}
	return n + scnprintf(to + n, PAGE_SIZE - n,
			     "areas %u lines %lu shared %lu\n", nr_areas, lines,
			     shared);
}

static const struct kernel_param_ops report_ops = { .get = report_get };
module_param_cb(report, &report_ops, NULL, 0400);
MODULE_PARM_DESC(report, "cache lines that two vCPUs write, or a CPU and a vCPU");

static void unmark(void)
{
	while (nr_marked)
		vfree(marked[--nr_marked].copy);
}

/* Copies memory up to where none is: the size of a symbol is a guess. */
static void mark(const struct area *a)
{
	struct area *m = &marked[nr_marked];
	unsigned long n, step;

	if (nr_marked == MAX_AREAS)
		return;
	*m = *a;
	m->copy = vmalloc(a->size);
	if (!m->copy)
		return;
	for (n = 0; n < a->size; n += step) {
		step = min(a->size - n, 8 - (a->at + n) % 8);
		if (copy_from_kernel_nofault(m->copy + n, (void *)a->at + n,
					     step))
			break;
	}
	m->size = n;
	nr_marked++;
}

static void mark_records(void)
{
	struct list_head *list = (struct list_head *)vms;
	struct kvmx_vm *vm;
	unsigned int i;

	collect();
	/* The test, which is waiting for this, holds its VMs. */
	list_for_each_entry(vm, list, link)
		add((unsigned long)vm, sizeof(*vm), 0, "vm %llu itself", vm->id);
	for (i = 0; i < nr_areas; i++)
		if (areas[i].owner >= 0)
			mark(&areas[i]);
}

/* "none"; "records": of all VMs and vCPUs; or ADDRESS SIZE NAME. */
static int mark_set(const char *text, const struct kernel_param *kp)
{
	struct area a = { };

	if (sysfs_streq(text, "none"))
		unmark();
	else if (sysfs_streq(text, "records"))
		mark_records();
	else if (sscanf(text, "%lx %lu %47s", &a.at, &a.size, a.name) == 3)
		mark(&a);
	else
		return -EINVAL;
	return 0;
}

static const struct kernel_param_ops mark_ops = { .set = mark_set };
module_param_cb(mark, &mark_ops, NULL, 0200);
MODULE_PARM_DESC(mark, "remember what is there now");

/* Offset of the first byte that is not what it was, or the size. */
static unsigned long first_change(const struct area *m)
{
	const u8 *was = m->copy;
	unsigned long i;
	u8 now;

	for (i = 0; i < m->size; i++)
		if (copy_from_kernel_nofault(&now, (void *)m->at + i, 1) ||
		    now != was[i])
			break;
	return i;
}

static int changed_get(char *to, const struct kernel_param *kp)
{
	unsigned long bytes = 0, at;
	unsigned int i;
	int n = 0;

	for (i = 0; i < nr_marked; i++) {
		at = first_change(&marked[i]);
		bytes += marked[i].size;
		if (at < marked[i].size)
			n += scnprintf(to + n, PAGE_SIZE / 2 - n, "%s +%lu\n",
				       marked[i].name, at);
	}
	return n + scnprintf(to + n, PAGE_SIZE - n, "of %u %lu\n", nr_marked,
			     bytes);
}

static const struct kernel_param_ops changed_ops = { .get = changed_get };
module_param_cb(changed, &changed_ops, NULL, 0400);
MODULE_PARM_DESC(changed, "what is not any more what was remembered");

static int __init layout_init(void)
{
	if (!vms || !vm_lock || !hot || !vcpu_last || !data_size)
		return -EINVAL;
	areas = vcalloc(MAX_AREAS, sizeof(*areas));
	marked = vcalloc(MAX_AREAS, sizeof(*marked));
	if (areas && marked)
		return 0;
	vfree(areas);
	vfree(marked);
	return -ENOMEM;
}

static void __exit layout_exit(void)
{
	unmark();
	vfree(areas);
	vfree(marked);
}

module_init(layout_init);
module_exit(layout_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("kvmx's self-tests: where vCPUs write");
