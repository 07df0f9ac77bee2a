// SPDX-License-Identifier: GPL-2.0-only
/* A look at a plan that is made: what there is to say about it. */
#include "place/policy_work.h"

/* Less than so many per cent of the memory is not worth a note. */
#define WORTH_IT	5

static void crowded(struct kvmx_policy_work *w)
{
	u32 i, nr;

	for (i = 0; i < w->in->nr_cpus; i++) {
		nr = w->own[i] + w->in->cpus[i].load;
		if (w->own[i] && nr > 1)
			kvmx_policy_note_cpu(w, KVMX_NOTE_OVERCOMMIT, i, 0, nr);
	}
}

static void memory(struct kvmx_policy_work *w)
{
	const u64 all = kvmx_policy_pages(w);
	u32 i, percent, with = 0;

	for (i = 0; i < w->in->nr_nodes; i++)
		with += kvmx_policy_share(w, i, all, 100) >= WORTH_IT;
	for (i = 0; i < w->in->nr_nodes; i++) {
		percent = kvmx_policy_share(w, i, all, 100);
		if (with > 1 && percent >= WORTH_IT)
			kvmx_policy_note(w, KVMX_NOTE_SPLIT_MEMORY,
					 KVMX_POLICY_NO_CPU, i, 0, percent);
		if (!w->on_node[i])
			continue;
		if (all && 100 - percent >= WORTH_IT)
			kvmx_policy_note(w, KVMX_NOTE_REMOTE_MEMORY,
					 KVMX_POLICY_NO_CPU, i, 0,
					 100 - percent);
		if (!w->in->nodes[i].has_memory)
			kvmx_policy_note(w, KVMX_NOTE_NODE_EMPTY,
					 KVMX_POLICY_NO_CPU, i, 0, 0);
	}
}

/* The first vCPU whose neighbours in the guest are not its neighbours here. */
static u32 odd_one(struct kvmx_policy_work *w)
{
	const struct kvmx_policy_vcpu *v = w->in->vcpus;
	const u32 threads = w->in->guest_threads;
	const struct kvmx_policy_vcpu_out *o = w->out->vcpus;
	u32 i, *first = w->order;
	u32 core, before;

	for (i = 0; i < w->in->nr_cpus; i++)
		first[i] = KVMX_POLICY_NO_CPU;
	for (i = 0; i < w->in->nr_vcpus; i++) {
		core = w->in->cpus[o[i].cpu].core;
		before = first[core];
		if (before == KVMX_POLICY_NO_CPU)
			first[core] = i;
		else if (v[before].index / threads != v[i].index / threads)
			return i;
		if (i && v[i - 1].index / threads == v[i].index / threads &&
		    (w->in->cpus[o[i - 1].cpu].core != core ||
		     o[i - 1].cpu == o[i].cpu))
			return i;
	}
	return w->in->nr_vcpus;
}

static void moved(struct kvmx_policy_work *w)
{
	u32 i, prev, nr = 0;

	for (i = 0; i < w->in->nr_vcpus; i++) {
		prev = w->in->vcpus[i].prev;
		nr += prev != KVMX_POLICY_NO_CPU &&
		      prev != w->out->vcpus[i].cpu;
	}
	if (nr)
		kvmx_policy_note_cpu(w, KVMX_NOTE_MOVED, KVMX_POLICY_NO_CPU, 0,
				     nr);
}

/**
 * kvmx_policy_look() - note what there is to say about a plan
 * @w: the plan, complete
 */
void kvmx_policy_look(struct kvmx_policy_work *w)
{
	u32 odd;

	crowded(w);
	memory(w);
	if (w->in->guest_threads) {
		odd = odd_one(w);
		if (odd < w->in->nr_vcpus)
			kvmx_policy_note_cpu(w, KVMX_NOTE_TOPOLOGY,
					     w->out->vcpus[odd].cpu, 0,
					     w->in->guest_threads);
	}
	moved(w);
}
