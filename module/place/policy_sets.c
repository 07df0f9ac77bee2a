// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sets of the other threads, and the CPUs that belong to this VM alone.
 *
 * Named sets are taken as they are; --io falls back on --emulator. Where neither
 * is named, isolate keeps all threads with the vCPUs, and the other policies give
 * them the rest: what is allowed and has none of this VM's vCPUs.
 *
 * isolate claims the vCPUs' cores; smt isolate claims the siblings of the vCPUs'
 * CPUs, whatever the policy. A claim holds for CPUs that are offline or outside
 * the cpuset as well.
 */
#include "place/policy_work.h"

/* On a vCPU's core, but not a vCPU's CPU. */
static bool sibling(const struct kvmx_policy_work *w, u32 cpu)
{
	return !w->own[cpu] && w->core[w->in->cpus[cpu].core].own;
}

/* A sibling that has to stay idle. */
static bool idle(const struct kvmx_policy_work *w, u32 cpu)
{
	return w->in->smt == KVMX_SMT_ISOLATE && sibling(w, cpu);
}

static void claim(struct kvmx_policy_work *w)
{
	const bool isolate = w->in->policy == KVMX_POLICY_ISOLATE;
	u32 i;

	for (i = 0; i < w->in->nr_cpus; i++)
		if (idle(w, i) || (isolate && (w->own[i] || sibling(w, i))))
			kvmx_policy_add(w->out->claim, i);
}

static void set_of_vcpus(struct kvmx_policy_work *w)
{
	u64 *set = w->out->sets[KVMX_THREAD_VCPU];
	u32 i;

	for (i = 0; i < w->in->nr_cpus; i++)
		if (w->own[i])
			kvmx_policy_add(set, i);
	w->out->why[KVMX_THREAD_VCPU] = KVMX_WHY_WITH_VCPUS;
	if (!kvmx_policy_empty(set, w->words))
		return;
	/* No vCPU yet: what the first ones may have. */
	for (i = 0; i < w->in->nr_cpus; i++)
		if (kvmx_policy_usable(&w->in->cpus[i]) &&
		    (!w->in->wish || kvmx_policy_has(w->in->wish, i)))
			kvmx_policy_add(set, i);
}

/* The vCPUs' CPUs and, where they are not to be idle, siblings. */
static void set_with_vcpus(struct kvmx_policy_work *w, u64 *set)
{
	const struct kvmx_policy_in *in = w->in;
	u32 i;

	for (i = 0; i < w->words; i++)
		set[i] = w->out->sets[KVMX_THREAD_VCPU][i];
	if (in->policy != KVMX_POLICY_ISOLATE)
		return;
	for (i = 0; i < in->nr_cpus; i++)
		if (sibling(w, i) && !idle(w, i) &&
		    kvmx_policy_usable(&in->cpus[i]) &&
		    (!in->wish || kvmx_policy_has(in->wish, i)))
			kvmx_policy_add(set, i);
}

/* What vCPUs leave, on their nodes or on all; false if that is nothing. */
static bool set_of_rest(struct kvmx_policy_work *w, u64 *set, bool near)
{
	const struct kvmx_policy_cpu *c;
	bool any = false;
	u32 i;

	for (i = 0; i < w->in->nr_cpus; i++) {
		c = &w->in->cpus[i];
		if (!kvmx_policy_usable(c) || w->own[i] || idle(w, i) ||
		    (near && !w->on_node[c->node]))
			continue;
		kvmx_policy_add(set, i);
		any = true;
	}
	return any;
}

static u32 set_by_policy(struct kvmx_policy_work *w, u64 *set)
{
	const bool near = w->out->policy == KVMX_POLICY_NUMA ||
			  w->out->policy == KVMX_POLICY_PACK;

	if (w->out->policy != KVMX_POLICY_ISOLATE &&
	    ((near && set_of_rest(w, set, true)) || set_of_rest(w, set, false)))
		return KVMX_WHY_REST;
	set_with_vcpus(w, set);
	return KVMX_WHY_WITH_VCPUS;
}

static void copy_set(struct kvmx_policy_work *w, u32 to, const u64 *set, u32 why)
{
	u32 i;

	for (i = 0; i < w->words; i++)
		w->out->sets[to][i] = set[i];
	w->out->why[to] = why;
}

/* A sibling that has to be idle was named for other threads. */
static void check_idle(struct kvmx_policy_work *w, const u64 *set)
{
	u32 i;

	for (i = 0; set && i < w->in->nr_cpus; i++)
		if (kvmx_policy_has(set, i) && idle(w, i))
			kvmx_policy_note_cpu(w, KVMX_NOTE_NO_SIBLINGS, i, 0, 0);
}

/**
 * kvmx_policy_sets() - give each class of threads its set
 * @w: the plan; vCPUs have their CPUs
 */
void kvmx_policy_sets(struct kvmx_policy_work *w)
{
	const struct kvmx_policy_in *in = w->in;
	struct kvmx_policy_out *out = w->out;
	const u64 *set;
	u32 why;

	claim(w);
	set_of_vcpus(w);
	set = out->sets[KVMX_THREAD_MAIN];
	if (in->emulator) {
		copy_set(w, KVMX_THREAD_MAIN, in->emulator, KVMX_WHY_EMULATOR);
	} else {
		why = set_by_policy(w, out->sets[KVMX_THREAD_MAIN]);
		out->why[KVMX_THREAD_MAIN] = why;
	}
	why = out->why[KVMX_THREAD_MAIN];
	copy_set(w, KVMX_THREAD_OTHER, set, why);
	if (in->io) {
		set = in->io;
		why = KVMX_WHY_IO;
	}
	copy_set(w, KVMX_THREAD_IO, set, why);
	copy_set(w, KVMX_THREAD_WORKER, set, why);
	copy_set(w, KVMX_THREAD_VHOST, set, why);
	check_idle(w, in->emulator);
	check_idle(w, in->io);
}
