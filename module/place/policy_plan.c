// SPDX-License-Identifier: GPL-2.0-only
#include <linux/errno.h>
#include <linux/string.h>

#include "place/policy_work.h"

/* Room that is dealt out; nothing but counted where @base is NULL. */
struct room {
	char *base;
	size_t used;
};

static void *take(struct room *r, size_t bytes)
{
	size_t at = r->used;

	r->used += (bytes + 7) & ~(size_t)7;
	return r->base ? r->base + at : NULL;
}

/**
 * kvmx_policy_words() - words of a set of CPUs
 * @nr_cpus: CPUs
 *
 * Return: words.
 */
u32 kvmx_policy_words(u32 nr_cpus)
{
	return (nr_cpus + 63) / 64;
}

static void lay_out_plan(struct room *r, u32 nr_cpus, u32 nr_vcpus,
			 struct kvmx_policy_out *out)
{
	size_t set = sizeof(u64) * kvmx_policy_words(nr_cpus);
	u32 i;

	out->vcpus = take(r, sizeof(*out->vcpus) * nr_vcpus);
	out->claim = take(r, set);
	for (i = 0; i < KVMX_NR_THREAD_CLASSES; i++)
		out->sets[i] = take(r, set);
}

static void lay_out_work(struct room *r, u32 nr_cpus, u32 nr_nodes,
			 u32 nr_vcpus, struct kvmx_policy_work *w)
{
	size_t numbers = sizeof(u32) * nr_cpus;

	w->slots = take(r, sizeof(*w->slots) * nr_cpus);
	w->nodes = take(r, sizeof(*w->nodes) * nr_cpus);
	w->llcs = take(r, sizeof(*w->llcs) * nr_cpus);
	w->cores = take(r, sizeof(*w->cores) * nr_cpus);
	w->core = take(r, sizeof(*w->core) * nr_cpus);
	w->llc_load = take(r, numbers);
	w->slot_of = take(r, numbers);
	w->own = take(r, numbers);
	w->order = take(r, numbers);
	w->heap = take(r, numbers);
	w->llc_heap = take(r, numbers);
	w->unit = take(r, sizeof(u32) * nr_vcpus);
	w->on_node = take(r, sizeof(u32) * nr_nodes);
	w->pool = take(r, sizeof(u64) * kvmx_policy_words(nr_cpus));
}

/**
 * kvmx_policy_kept() - bytes of a plan's room that have to stay
 * @nr_cpus: CPUs
 * @nr_vcpus: vCPUs
 *
 * Return: bytes.
 */
size_t kvmx_policy_kept(u32 nr_cpus, u32 nr_vcpus)
{
	struct kvmx_policy_out out;
	struct room r = {};

	lay_out_plan(&r, nr_cpus, nr_vcpus, &out);
	return r.used;
}

/**
 * kvmx_policy_room() - bytes that it takes to make a plan
 * @nr_cpus: CPUs
 * @nr_nodes: nodes
 * @nr_vcpus: vCPUs
 *
 * Return: bytes.
 */
size_t kvmx_policy_room(u32 nr_cpus, u32 nr_nodes, u32 nr_vcpus)
{
	struct kvmx_policy_work w;
	struct room r = {};

	lay_out_work(&r, nr_cpus, nr_nodes, nr_vcpus, &w);
	return kvmx_policy_kept(nr_cpus, nr_vcpus) + r.used;
}

static bool sane(const struct kvmx_policy_in *in)
{
	const bool pin = in->policy == KVMX_POLICY_PIN;
	u32 i;

	if (in->policy == KVMX_POLICY_NONE || in->policy >= KVMX_NR_POLICIES ||
	    in->smt > KVMX_SMT_ISOLATE || !in->nr_cpus || !in->nr_nodes)
		return false;
	if (pin ? !!in->wish : in->nr_map)
		return false;
	for (i = 0; i < in->nr_cpus; i++)
		if (in->cpus[i].core >= in->nr_cpus ||
		    in->cpus[i].llc >= in->nr_cpus ||
		    in->cpus[i].node >= in->nr_nodes)
			return false;
	for (i = 1; i < in->nr_vcpus; i++)
		if (in->vcpus[i].index <= in->vcpus[i - 1].index)
			return false;
	return true;
}

static void begin(struct kvmx_policy_work *w)
{
	const struct kvmx_policy_in *in = w->in;
	u32 i;

	for (i = 0; i < in->nr_cpus; i++) {
		const struct kvmx_policy_cpu *c = &in->cpus[i];

		w->core[c->core].load += c->load;
		w->core[c->core].users += !!c->user;
		if (!w->core[c->core].user)
			w->core[c->core].user = c->user;
		w->llc_load[c->llc] += c->load;
		if ((in->emulator && kvmx_policy_has(in->emulator, i)) ||
		    (in->io && kvmx_policy_has(in->io, i)))
			w->core[c->core].named++;
		w->slot_of[i] = KVMX_POLICY_NO_SLOT;
	}
	for (i = 0; i < in->nr_vcpus; i++) {
		w->out->vcpus[i].cpu = KVMX_POLICY_NO_CPU;
		w->unit[i] = KVMX_POLICY_NO_SLOT;
	}
}

/*
 * What auto starts as: spread while every vCPU can have a core on which no vCPU
 * runs yet, else pack, so that it shares caches with itself rather than with
 * other VMs. Later on it moves by what it measures, so a new plan leaves alone
 * who is where he may be.
 */
static u32 start_of_auto(struct kvmx_policy_work *w)
{
	const struct kvmx_policy_in *in = w->in;
	u32 i, free = 0;

	w->keep = true;
	for (i = 0; i < in->nr_cpus; i++) {
		u32 core = in->cpus[i].core;

		/* Counted once: "own" is not in use before the end. */
		if (!kvmx_policy_has(w->pool, i) || w->core[core].own ||
		    kvmx_policy_taken(w, core))
			continue;
		w->core[core].own = 1;
		free++;
	}
	for (i = 0; i < in->nr_cpus; i++)
		w->core[i].own = 0;
	return free >= in->nr_vcpus ? KVMX_POLICY_SPREAD : KVMX_POLICY_PACK;
}

static void choose(struct kvmx_policy_work *w)
{
	u32 more;

	kvmx_policy_pool(w);
	if (w->out->policy == KVMX_POLICY_AUTO)
		w->out->policy = start_of_auto(w);
	kvmx_policy_slots(w);
	if (w->refused)
		return;
	more = kvmx_policy_level(w);
	kvmx_policy_domains(w);
	switch (w->out->policy) {
	case KVMX_POLICY_PACK:
		kvmx_policy_pack(w, more);
		break;
	case KVMX_POLICY_NUMA:
		kvmx_policy_numa(w, more);
		break;
	case KVMX_POLICY_ISOLATE:
		kvmx_policy_isolate(w, more);
		break;
	default:
		kvmx_policy_spread(w, 0, w->nr_llcs, more);
	}
	if (!w->refused)
		kvmx_policy_match(w);
}

/**
 * kvmx_policy_plan() - decide where the threads of a VM belong
 * @in: all that the plan depends on
 * @out: the plan; with -ERANGE no more than its notes
 * @room: kvmx_policy_room() bytes, aligned as a u64
 *
 * Takes time in proportion to n log n, n being the CPUs and vCPUs.
 *
 * Context: any; nothing is shared.
 * Return: 0, -ERANGE: refused, the notes tell why, -EINVAL: no sane input.
 */
int kvmx_policy_plan(const struct kvmx_policy_in *in,
		     struct kvmx_policy_out *out, void *room)
{
	struct kvmx_policy_work w = { .in = in, .out = out };
	struct room r = { .base = room };
	int ret = 0;

	out->nr_notes = 0;
	out->policy = in->policy;
	if (!sane(in))
		return -EINVAL;
	memset(room, 0, kvmx_policy_room(in->nr_cpus, in->nr_nodes, in->nr_vcpus));
	lay_out_plan(&r, in->nr_cpus, in->nr_vcpus, out);
	lay_out_work(&r, in->nr_cpus, in->nr_nodes, in->nr_vcpus, &w);
	w.words = kvmx_policy_words(in->nr_cpus);
	begin(&w);
	kvmx_policy_wishes(&w);
	if (w.refused)
		return -ERANGE;
	if (in->policy == KVMX_POLICY_PIN)
		ret = kvmx_policy_pin(&w);
	else
		choose(&w);
	if (ret || w.refused)
		return ret ?: -ERANGE;
	kvmx_policy_sets(&w);
	kvmx_policy_look(&w);
	return w.refused ? -ERANGE : 0;
}
