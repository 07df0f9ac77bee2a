// SPDX-License-Identifier: GPL-2.0-only
#include <linux/cpumask.h>
#include <linux/percpu.h>

#include "core/hot.h"

struct kvmx_hot kvmx_hot_none;
/* Not initialized here: in modules, per-CPU data is not relocated. */
DEFINE_PER_CPU(struct kvmx_hot *, kvmx_hot);

/**
 * kvmx_hot_reset() - no vCPU is armed on any CPU
 *
 * Context: once, at load, before any probe is attached.
 */
void __init kvmx_hot_reset(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		per_cpu(kvmx_hot, cpu) = &kvmx_hot_none;
}
