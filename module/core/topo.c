// SPDX-License-Identifier: GPL-2.0-only
#include <linux/cpumask.h>
#include <linux/percpu.h>
#include <linux/topology.h>
#include <asm/apicdef.h>
#include <asm/processor.h>

#include "core/topo.h"

/* What was known while the CPU was online; plus one, 0: it never was. */
static DEFINE_PER_CPU(u32, core_of);
static DEFINE_PER_CPU(u32, llc_of);

/* As the kernel's own match_llc(): an id that nobody gave is none. */
static bool same_llc(unsigned int a, unsigned int b)
{
	return per_cpu_llc_id(a) != BAD_APICID &&
	       per_cpu_llc_id(a) == per_cpu_llc_id(b);
}

/**
 * kvmx_topo_distance() - what two CPUs share
 * @a: a CPU that is or was online
 * @b: another, or the same
 *
 * The smallest thing that they share counts: a core, a last-level cache, a
 * node. The kernel takes a CPU out of its siblings' masks while it is offline;
 * seen from an offline CPU its sibling is as far as its cache.
 *
 * Context: any. Reads per-CPU data of both.
 * Return: the distance.
 */
enum kvmx_distance kvmx_topo_distance(unsigned int a, unsigned int b)
{
	if (a == b)
		return KVMX_D_SAME;
	if (cpumask_test_cpu(b, topology_sibling_cpumask(a)))
		return KVMX_D_SMT;
	if (same_llc(a, b))
		return KVMX_D_LLC;
	if (cpu_to_node(a) == cpu_to_node(b))
		return KVMX_D_NODE;
	return KVMX_D_OTHER;
}

static u32 lower(u32 known, unsigned int cpu)
{
	return known && known <= cpu ? known : cpu + 1;
}

/* The lowest CPU that shares the cache of @cpu, of those up to @cpu. */
static unsigned int first_of_llc(unsigned int cpu)
{
	unsigned int first;

	for_each_online_cpu(first) {
		if (first >= cpu)
			break;
		/* Only those that are the first of theirs: few. */
		if (per_cpu(llc_of, first) == first + 1 && same_llc(first, cpu))
			return first;
	}
	return cpu;
}

/**
 * kvmx_topo_refresh() - look where CPUs are that are online
 *
 * The kernel forgets it of a CPU that goes offline, so it is kept here.
 *
 * Context: CPUs do not come and go meanwhile.
 */
void kvmx_topo_refresh(void)
{
	unsigned int cpu;

	for_each_online_cpu(cpu) {
		unsigned int core = cpumask_first(topology_sibling_cpumask(cpu));

		WRITE_ONCE(per_cpu(core_of, cpu),
			   lower(per_cpu(core_of, cpu), min(core, cpu)));
		WRITE_ONCE(per_cpu(llc_of, cpu),
			   lower(per_cpu(llc_of, cpu), first_of_llc(cpu)));
	}
}

/**
 * kvmx_topo_get() - where a CPU is, or was when it was last online
 * @cpu: the CPU
 * @to: filled; of a CPU that was never seen online: on its own
 *
 * Context: any.
 */
void kvmx_topo_get(unsigned int cpu, struct kvmx_topo *to)
{
	u32 core = READ_ONCE(per_cpu(core_of, cpu));
	u32 llc = READ_ONCE(per_cpu(llc_of, cpu));

	to->core = core ? core - 1 : cpu;
	to->llc = llc ? llc - 1 : cpu;
	to->node = max(cpu_to_node(cpu), 0);
}
