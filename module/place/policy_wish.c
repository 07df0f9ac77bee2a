// SPDX-License-Identifier: GPL-2.0-only
/* Wishes: whether they can be, and what they leave for vCPUs. */
#include "place/policy_work.h"

/* Says of a set whether no CPU is in it. */
bool kvmx_policy_empty(const u64 *set, u32 words)
{
	u32 i;

	for (i = 0; i < words; i++)
		if (set[i])
			return false;
	return true;
}

/* Writes down a note, if there is room, and whether it refuses the plan. */
void kvmx_policy_note(struct kvmx_policy_work *w, u32 kind, u32 cpu, u32 node,
		      u64 vm, u64 arg)
{
	struct kvmx_policy_out *out = w->out;

	if (kind <= KVMX_NOTE_REFUSES)
		w->refused = true;
	if (out->notes && out->nr_notes < out->max_notes)
		out->notes[out->nr_notes] = (struct kvmx_policy_note) {
			.kind = kind, .cpu = cpu, .node = node, .vm = vm,
			.arg = arg,
		};
	out->nr_notes++;
}

void kvmx_policy_note_cpu(struct kvmx_policy_work *w, u32 kind, u32 cpu, u64 vm,
			  u64 arg)
{
	kvmx_policy_note(w, kind, cpu, KVMX_POLICY_NO_NODE, vm, arg);
}

/* A CPU that was named has to be there for this VM. */
static void wished(struct kvmx_policy_work *w, u32 cpu)
{
	const struct kvmx_policy_cpu *c;

	if (cpu >= w->in->nr_cpus) {
		kvmx_policy_note_cpu(w, KVMX_NOTE_OUTSIDE_CPUSET, cpu, 0, 0);
		return;
	}
	c = &w->in->cpus[cpu];
	if (!(c->flags & KVMX_POLICY_ONLINE))
		kvmx_policy_note_cpu(w, KVMX_NOTE_OFFLINE, cpu, 0, 0);
	else if (!(c->flags & KVMX_POLICY_ALLOWED))
		kvmx_policy_note_cpu(w, KVMX_NOTE_OUTSIDE_CPUSET, cpu, 0, 0);
	else if (c->owner)
		kvmx_policy_note_cpu(w, KVMX_NOTE_ISOLATED, cpu, c->owner, 0);
}

static void wished_set(struct kvmx_policy_work *w, const u64 *set,
		       u32 thread_class)
{
	u32 cpu;

	if (!set)
		return;
	for (cpu = 0; cpu < w->words * 64; cpu++)
		if (kvmx_policy_has(set, cpu))
			wished(w, cpu);
	if (kvmx_policy_empty(set, w->words))
		kvmx_policy_note_cpu(w, KVMX_NOTE_NO_CPU, KVMX_POLICY_NO_CPU, 0,
				     thread_class);
}

/* Notes the CPUs of @set on whose cores another VM is: as a rule one per core. */
static void note_taken(struct kvmx_policy_work *w, const u64 *set)
{
	u32 cpu, core;

	for (cpu = 0; cpu < w->in->nr_cpus; cpu++) {
		core = w->in->cpus[cpu].core;
		if (kvmx_policy_has(set, cpu) && kvmx_policy_taken(w, core) &&
		    (cpu == core || !kvmx_policy_has(set, core)))
			kvmx_policy_note_cpu(w, KVMX_NOTE_TAKEN, cpu,
					     w->core[core].user, 0);
	}
}

/**
 * kvmx_policy_wishes() - note every wish that cannot be
 * @w: the plan
 *
 * Whoever names a CPU means it: one that is away, forbidden or somebody else's
 * is never replaced by another in silence.
 */
void kvmx_policy_wishes(struct kvmx_policy_work *w)
{
	const struct kvmx_policy_in *in = w->in;
	u32 i;

	wished_set(w, in->wish, KVMX_THREAD_VCPU);
	wished_set(w, in->emulator, KVMX_THREAD_MAIN);
	wished_set(w, in->io, KVMX_THREAD_IO);
	for (i = 0; i < in->nr_map; i++)
		wished(w, in->map[i].cpu);
	if (in->policy == KVMX_POLICY_ISOLATE && in->wish && !w->refused)
		note_taken(w, in->wish);
}

/*
 * What is offered to vCPUs: the CPUs that were named for them. Where none were:
 * what is allowed, without those that are named for others, unless nothing is
 * left then.
 */
void kvmx_policy_pool(struct kvmx_policy_work *w)
{
	const struct kvmx_policy_in *in = w->in;
	u32 i;

	for (i = 0; i < in->nr_cpus; i++)
		if (kvmx_policy_usable(&in->cpus[i]))
			kvmx_policy_add(w->pool, i);
	if (in->wish) {
		for (i = 0; i < w->words; i++)
			w->pool[i] &= in->wish[i];
		return;
	}
	for (i = 0; i < w->words; i++)
		w->pool[i] &= ~((in->emulator ? in->emulator[i] : 0) |
				(in->io ? in->io[i] : 0));
	if (!kvmx_policy_empty(w->pool, w->words))
		return;
	for (i = 0; i < in->nr_cpus; i++)
		if (kvmx_policy_usable(&in->cpus[i]))
			kvmx_policy_add(w->pool, i);
}

/*
 * There are fewer slots than vCPUs. If only because cores had to be left out, the
 * policy or the SMT word cannot be had; if there are simply not more CPUs, they
 * have to be shared.
 */
void kvmx_policy_short(struct kvmx_policy_work *w)
{
	const struct kvmx_policy_in *in = w->in;
	u32 i;

	if (w->left_taken)
		note_taken(w, w->pool);
	if (w->left_smt)
		kvmx_policy_note_cpu(w, KVMX_NOTE_NO_SIBLINGS,
				     KVMX_POLICY_NO_CPU, 0, 0);
	if (w->nr_slots || w->refused)
		return;
	for (i = 0; i < in->nr_cpus; i++)
		if (in->cpus[i].owner && (in->cpus[i].flags & KVMX_POLICY_ONLINE) &&
		    (in->cpus[i].flags & KVMX_POLICY_ALLOWED))
			kvmx_policy_note_cpu(w, KVMX_NOTE_ISOLATED, i,
					     in->cpus[i].owner, 0);
	kvmx_policy_note_cpu(w, KVMX_NOTE_NO_CPU, KVMX_POLICY_NO_CPU, 0,
			     KVMX_THREAD_VCPU);
}
