// SPDX-License-Identifier: GPL-2.0-only
#include <linux/compiler.h>
#include <linux/percpu.h>
#include <linux/vmalloc.h>

#include "core/clock.h"
#include "core/feature.h"
#include "core/vm.h"
#include "stats/counts.h"
#include "stats/schema.h"

static size_t counts_size(void)
{
	return KVMX_COUNTS_HEAD + kvmx_schema_data_size();
}

/**
 * kvmx_counts_alloc() - memory for the counters of a vCPU, if it has none
 * @v: the vCPU
 *
 * Context: may sleep; the session's mutex held.
 * Return: 0 or -ENOMEM.
 */
int kvmx_counts_alloc(struct kvmx_vcpu *v)
{
	struct kvmx_counts *c;

	if (v->counts)
		return 0;
	c = vmalloc_user(counts_size());
	if (!c)
		return -ENOMEM;
	c->data = kvmx_counts_data(c);
	kvmx_memory_add(counts_size());
	v->counts = c;
	WRITE_ONCE(v->hot, &c->hot);
	return 0;
}

/**
 * kvmx_counts_free() - the counters of a vCPU go
 * @v: the vCPU, whose record is being freed
 *
 * Context: may sleep.
 */
void kvmx_counts_free(struct kvmx_vcpu *v)
{
	struct kvmx_counts *c = v->counts;

	if (!c)
		return;
	kvmx_memory_add(-(long)counts_size());
	vfree(c);
}

/**
 * kvmx_counts_arm() - open the short way until something else happens
 * @v: a vCPU that is counted
 * @c: its counters
 *
 * That the thread leaves KVM_RUN has to be seen, for another one may be next.
 *
 * Context: the end of kvm_entry the long way, preemption disabled.
 */
void kvmx_counts_arm(struct kvmx_vcpu *v, struct kvmx_counts *c)
{
	if (v->opaque || READ_ONCE(v->groups) || !static_branch_likely(&kvmx_clock_is_tsc) ||
	    kvmx_feature_state(KVMX_F_USER_EXIT) != KVMX_FEATURE_ON)
		return;
	c->hot.exit_at = c->data->accounted - 1;	/* none since then */
	c->hot.vcpu = v;
	WRITE_ONCE(c->hot.armed, v->key);
	smp_mb();	/* pairs with kvmx_hot_disarm() */
	if (READ_ONCE(v->groups) || !READ_ONCE(v->counting) ||
	    READ_ONCE(v->owed))
		WRITE_ONCE(c->hot.armed, NULL);
	else
		this_cpu_write(kvmx_hot, &c->hot);
}

/**
 * kvmx_counts_disarm() - no entry or exit takes the short way any more
 * @v: a vCPU; why it must not has been written before (@counting, @groups)
 *
 * Entries and exits that are under way may still take it.
 *
 * Context: any.
 */
void kvmx_counts_disarm(struct kvmx_vcpu *v)
{
	if (v->counts)
		kvmx_hot_disarm(&v->counts->hot);
}
