// SPDX-License-Identifier: GPL-2.0-only
/*
 * No CPU gets a second vCPU while another one that is offered has none, no third
 * while another has one, and so on: like water, vCPUs fill the lowest places
 * first. Where the surface will be is known from the number of vCPUs alone; only
 * who is to have the last, incomplete layer is left to the policy.
 */
#include "place/policy_heap.h"
#include "place/policy_work.h"

static bool lower(const void *ctx, u32 a, u32 b)
{
	const struct kvmx_policy_slot *s = ctx;

	return s[a].load != s[b].load ? s[a].load < s[b].load : a < b;
}

/* The slot of a vCPU's CPU in the plan that is in force. */
static u32 slot_of_vcpu(const struct kvmx_policy_work *w, u32 vcpu)
{
	u32 cpu = w->in->vcpus[vcpu].prev;

	return cpu < w->in->nr_cpus ? w->slot_of[cpu] : KVMX_POLICY_NO_SLOT;
}

/* The same of a unit; of a pair the first one that has one tells. */
u32 kvmx_policy_prev_slot(const struct kvmx_policy_work *w, u32 unit)
{
	u32 per = kvmx_policy_per_unit(w), slot = slot_of_vcpu(w, unit * per);

	if (slot == KVMX_POLICY_NO_SLOT && per > 1 &&
	    unit * per + 1 < w->in->nr_vcpus)
		slot = slot_of_vcpu(w, unit * per + 1);
	return slot;
}

/* Puts @nr units on a slot for good. */
static void settle(struct kvmx_policy_work *w, struct kvmx_policy_slot *s,
		   u32 nr)
{
	const struct kvmx_policy_cpu *c = &w->in->cpus[s->cpu];

	s->load += nr;
	w->core[c->core].load += nr * kvmx_policy_per_unit(w);
	w->llc_load[c->llc] += nr * kvmx_policy_per_unit(w);
}

/* Looks where units are; those that stay whatever happens are settled at once. */
static u32 look_back(struct kvmx_policy_work *w)
{
	u32 unit, slot, more = w->nr_units;

	for (unit = 0; unit < w->nr_units; unit++) {
		slot = kvmx_policy_prev_slot(w, unit);
		if (slot == KVMX_POLICY_NO_SLOT)
			continue;
		if (w->keep) {
			w->unit[unit] = slot;
			settle(w, &w->slots[slot], 1);
			more--;
		} else {
			w->slots[slot].left++;
		}
	}
	return more;
}

/**
 * kvmx_policy_level() - fill all layers but the last
 * @w: the plan; its slots are known
 *
 * Slots that may have one more are open afterwards.
 *
 * Return: how many units the last layer has; never more than slots are open.
 */
u32 kvmx_policy_level(struct kvmx_policy_work *w)
{
	struct kvmx_policy_heap h = {
		.item = w->heap, .nr = w->nr_slots, .before = lower,
		.ctx = w->slots,
	};
	u32 more = look_back(w), under = 0, level = 0, next, i, add;
	struct kvmx_policy_slot *s;

	if (!more)
		return 0;
	for (i = 0; i < w->nr_slots; i++)
		h.item[i] = i;
	kvmx_policy_heap_make(&h);
	/* One slot after the other comes under water until all fit above. */
	while (h.nr) {
		next = w->slots[h.item[0]].load;
		if (under && (u64)(next - level) * under >= more)
			break;
		more -= (next - level) * under;
		level = next;
		w->order[under++] = kvmx_policy_heap_pop(&h);
	}
	level += (more - 1) / under;
	more = (more - 1) % under + 1;
	for (i = 0; i < under; i++) {
		s = &w->slots[w->order[i]];
		add = level - s->load;
		settle(w, s, add);
		s->give = add;
		s->left = s->left > add;
		s->open = true;
	}
	return more;
}
