// SPDX-License-Identifier: GPL-2.0-only
#include <linux/cpumask.h>
#include <linux/lockdep.h>
#include <linux/percpu.h>

#include "core/hot.h"
#include "core/vm.h"

struct kvmx_hot kvmx_hot_none;
struct kvmx_vcpu kvmx_vcpu_none;
/* Not initialized here: in modules, per-CPU data is not relocated. */
DEFINE_PER_CPU(struct kvmx_hot *, kvmx_hot);
DEFINE_PER_CPU(struct kvmx_vcpu *, kvmx_vcpu_last);

/**
 * kvmx_hot_reset() - no vCPU is armed on any CPU, and none was seen there
 *
 * Context: once, at load, before any probe is attached.
 */
void __init kvmx_hot_reset(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		per_cpu(kvmx_hot, cpu) = &kvmx_hot_none;
		per_cpu(kvmx_vcpu_last, cpu) = &kvmx_vcpu_none;
	}
}

/**
 * kvmx_hot_skip() - have entries and exits anything to do for a vCPU now?
 * @v: a vCPU of which @key, @counting or @starved has changed
 *
 * A probe on another CPU may see @skip late, no later than it may see those
 * three: who needs them to be seen waits for a grace period. When @key is used
 * again, it is by another record: here it was taken back at death.
 *
 * Context: kvmx_vm_lock held.
 */
void kvmx_hot_skip(struct kvmx_vcpu *v)
{
	lockdep_assert_held(&kvmx_vm_lock);
	WRITE_ONCE(v->skip, v->counting || v->starved ? NULL : v->key);
}
