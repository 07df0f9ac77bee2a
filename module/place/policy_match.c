// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who gets which slot, when it is known how many each gets. Nobody moves for the
 * sake of order: who is on a slot that is used stays there. The others go to what
 * is left, in the order of their numbers, so that neighbours in the guest are
 * neighbours here.
 */
#include "place/policy_work.h"

/* Writes down the CPU of a vCPU. */
void kvmx_policy_put(struct kvmx_policy_work *w, u32 vcpu, u32 cpu)
{
	const struct kvmx_policy_cpu *c = &w->in->cpus[cpu];

	w->out->vcpus[vcpu].cpu = cpu;
	w->own[cpu]++;
	w->core[c->core].own++;
	w->on_node[c->node]++;
}

/* Of a pair, who is on one of the two CPUs already stays on it. */
static bool crossed(const struct kvmx_policy_work *w, u32 vcpu,
		    const struct kvmx_policy_slot *s)
{
	const struct kvmx_policy_vcpu *v = &w->in->vcpus[vcpu];
	const bool second = vcpu + 1 < w->in->nr_vcpus;

	if (v[0].prev == s->cpu || (second && v[1].prev == s->mate))
		return false;
	return v[0].prev == s->mate || (second && v[1].prev == s->cpu);
}

static void put_unit(struct kvmx_policy_work *w, u32 unit)
{
	const struct kvmx_policy_slot *s = &w->slots[w->unit[unit]];
	u32 per = kvmx_policy_per_unit(w), vcpu = unit * per;
	bool swap;

	if (per == 1) {
		kvmx_policy_put(w, vcpu, s->cpu);
		return;
	}
	swap = crossed(w, vcpu, s);
	kvmx_policy_put(w, vcpu, swap ? s->mate : s->cpu);
	if (vcpu + 1 < w->in->nr_vcpus)
		kvmx_policy_put(w, vcpu + 1, swap ? s->cpu : s->mate);
}

static u32 why(const struct kvmx_policy_work *w, u32 vcpu, u64 all)
{
	const struct kvmx_policy_in *in = w->in;
	const u32 cpu = w->out->vcpus[vcpu].cpu;
	const struct kvmx_policy_cpu *c = &in->cpus[cpu];
	bool shared;

	if (w->keep && in->vcpus[vcpu].prev == cpu)
		return KVMX_WHY_KEPT;
	if (w->own[cpu] + c->load > 1)
		return KVMX_WHY_SHARED_CPU;
	if (w->shape == KVMX_SLOT_PAIR)
		return KVMX_WHY_PAIR;
	if (w->out->policy == KVMX_POLICY_NUMA &&
	    kvmx_policy_share(w, c->node, all, 16))
		return KVMX_WHY_MEMORY;
	shared = w->core[c->core].load > 1;
	if (w->out->policy == KVMX_POLICY_PACK)
		return shared ? KVMX_WHY_PACKED : KVMX_WHY_OWN_CORE;
	return shared ? KVMX_WHY_SHARED_CORE : KVMX_WHY_OWN_CORE;
}

/* Those that can stay, then the others. */
static void assign(struct kvmx_policy_work *w)
{
	u32 unit, slot;

	for (unit = 0; unit < w->nr_units; unit++) {
		slot = kvmx_policy_prev_slot(w, unit);
		if (w->unit[unit] == KVMX_POLICY_NO_SLOT &&
		    slot != KVMX_POLICY_NO_SLOT && w->slots[slot].give) {
			w->unit[unit] = slot;
			w->slots[slot].give--;
		}
	}
	for (unit = 0, slot = 0; unit < w->nr_units; unit++) {
		if (w->unit[unit] != KVMX_POLICY_NO_SLOT)
			continue;
		while (!w->slots[slot].give)
			slot++;
		w->unit[unit] = slot;
		w->slots[slot].give--;
	}
}

/**
 * kvmx_policy_match() - give each vCPU its CPU, and the reason for it
 * @w: the plan; slots know how many they get
 */
void kvmx_policy_match(struct kvmx_policy_work *w)
{
	const u64 all = kvmx_policy_pages(w);
	u32 i;

	assign(w);
	for (i = 0; i < w->nr_units; i++)
		put_unit(w, i);
	for (i = 0; i < w->in->nr_cpus; i++)
		w->core[i].load = 0;
	for (i = 0; i < w->in->nr_cpus; i++)
		w->core[w->in->cpus[i].core].load += w->in->cpus[i].load +
						     w->own[i];
	for (i = 0; i < w->in->nr_vcpus; i++)
		w->out->vcpus[i].why = why(w, i, all);
}
