// SPDX-License-Identifier: GPL-2.0-only
#include <linux/cpumask.h>
#include <linux/topology.h>
#include <asm/apicdef.h>
#include <asm/processor.h>

#include "core/topo.h"

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
