// SPDX-License-Identifier: GPL-2.0-only
/*
 * Slots: the places that there are for vCPUs. What the SMT words mean is decided
 * here, once for all policies:
 *
 * prefer: every CPU is a slot. Policies use one CPU of each core that they offer
 * first, and siblings when these run out.
 *
 * require: two siblings are one slot, for vCPUs 0 and 1, 2 and 3, and so on. A
 * core of which but one CPU may be used has none.
 *
 * isolate: one CPU of each core is a slot. Its siblings stay idle: a core where
 * another placement has vCPUs or named threads on a sibling, or this one named
 * threads of its own, has none.
 */
#include "place/policy_heap.h"
#include "place/policy_work.h"

static bool cpu_before(const void *ctx, u32 a, u32 b)
{
	const struct kvmx_policy_work *w = ctx;
	const struct kvmx_policy_cpu *x = &w->in->cpus[a];
	const struct kvmx_policy_cpu *y = &w->in->cpus[b];

	if (x->node != y->node)
		return x->node < y->node;
	if (x->llc != y->llc)
		return x->llc < y->llc;
	if (x->core != y->core)
		return x->core < y->core;
	return a < b;
}

/* The CPUs of the pool, cores together; returns how many there are. */
static u32 sort_pool(struct kvmx_policy_work *w)
{
	struct kvmx_policy_heap h = {
		.item = w->heap, .before = cpu_before, .ctx = w,
	};
	u32 i, nr;

	for (i = 0; i < w->in->nr_cpus; i++)
		if (kvmx_policy_has(w->pool, i))
			h.item[h.nr++] = i;
	nr = h.nr;
	kvmx_policy_heap_make(&h);
	for (i = 0; i < nr; i++)
		w->order[i] = kvmx_policy_heap_pop(&h);
	return nr;
}

static bool named(const struct kvmx_policy_work *w, u32 cpu)
{
	const struct kvmx_policy_in *in = w->in;

	return (in->emulator && kvmx_policy_has(in->emulator, cpu)) ||
	       (in->io && kvmx_policy_has(in->io, cpu));
}

/* Whether nobody is on its siblings, nor is going to be. */
static bool alone(const struct kvmx_policy_work *w, u32 cpu)
{
	const struct kvmx_policy_cpu *c = &w->in->cpus[cpu];
	const struct kvmx_policy_core *core = &w->core[c->core];

	return core->load == c->load && core->users == !!c->user &&
	       core->named == named(w, cpu);
}

/* A core's CPU for smt isolate: where a vCPU is already, else the emptiest. */
static u32 pick_one(const struct kvmx_policy_work *w, const u32 *cpu, u32 nr)
{
	u32 i, best = KVMX_POLICY_NO_CPU;

	for (i = 0; i < nr; i++) {
		if (w->in->smt == KVMX_SMT_ISOLATE && !alone(w, cpu[i]))
			continue;
		if (best == KVMX_POLICY_NO_CPU || w->own[cpu[i]] > w->own[best] ||
		    (w->own[cpu[i]] == w->own[best] &&
		     w->in->cpus[cpu[i]].load < w->in->cpus[best].load))
			best = cpu[i];
	}
	return best;
}

/* Whether the core that has these CPUs of the pool has a slot at all. */
static bool has_slot(struct kvmx_policy_work *w, const u32 *cpu, u32 nr)
{
	if (w->in->policy == KVMX_POLICY_ISOLATE &&
	    kvmx_policy_taken(w, w->in->cpus[cpu[0]].core)) {
		w->left_taken++;
		return false;
	}
	if ((w->in->smt == KVMX_SMT_REQUIRE && nr < 2) ||
	    (w->in->smt == KVMX_SMT_ISOLATE &&
	     pick_one(w, cpu, nr) == KVMX_POLICY_NO_CPU)) {
		w->left_smt++;
		return false;
	}
	return true;
}

static void add_slot(struct kvmx_policy_work *w, u32 cpu, u32 mate)
{
	const struct kvmx_policy_cpu *cpus = w->in->cpus;
	struct kvmx_policy_slot *s = &w->slots[w->nr_slots];

	s->cpu = cpu;
	s->mate = mate;
	s->load = cpus[cpu].load;
	w->slot_of[cpu] = w->nr_slots;
	if (mate != KVMX_POLICY_NO_CPU) {
		if (cpus[mate].load > s->load)
			s->load = cpus[mate].load;
		w->slot_of[mate] = w->nr_slots;
	}
	w->nr_slots++;
}

static void add_slots(struct kvmx_policy_work *w, const u32 *cpu, u32 nr)
{
	u32 i;

	switch (w->shape) {
	case KVMX_SLOT_CPU:
		for (i = 0; i < nr; i++)
			add_slot(w, cpu[i], KVMX_POLICY_NO_CPU);
		break;
	case KVMX_SLOT_CORE:
		add_slot(w, pick_one(w, cpu, nr), KVMX_POLICY_NO_CPU);
		break;
	case KVMX_SLOT_PAIR:
		for (i = 0; i + 1 < nr; i += 2)
			add_slot(w, cpu[i], cpu[i + 1]);
		break;
	}
}

/* Goes from core to core; returns how many have slots, and adds these or not. */
static u32 each_core(struct kvmx_policy_work *w, u32 nr, bool add)
{
	u32 i, end, cores = 0;

	w->left_taken = 0;
	w->left_smt = 0;
	for (i = 0; i < nr; i = end) {
		for (end = i + 1; end < nr; end++)
			if (!kvmx_policy_siblings(w, w->order[i], w->order[end]))
				break;
		if (!has_slot(w, &w->order[i], end - i))
			continue;
		cores++;
		if (add)
			add_slots(w, &w->order[i], end - i);
	}
	return cores;
}

/* Where vCPUs are now, in @own, as long as slots are being made. */
static void count_prev(struct kvmx_policy_work *w, u32 by)
{
	u32 i, cpu;

	for (i = 0; i < w->in->nr_vcpus; i++) {
		cpu = w->in->vcpus[i].prev;
		if (cpu < w->in->nr_cpus)
			w->own[cpu] += by;
	}
}

/**
 * kvmx_policy_slots() - make slots of what is offered
 * @w: the plan; its pool is known
 *
 * A plan that is short of slots because of other VMs or the SMT word is refused
 * here.
 */
void kvmx_policy_slots(struct kvmx_policy_work *w)
{
	u32 nr = sort_pool(w), cores;

	count_prev(w, 1);
	cores = each_core(w, nr, false);
	w->nr_units = w->in->nr_vcpus;
	if (w->in->smt == KVMX_SMT_REQUIRE) {
		w->shape = KVMX_SLOT_PAIR;
		w->nr_units = (w->in->nr_vcpus + 1) / 2;
	} else if (w->in->smt == KVMX_SMT_ISOLATE ||
		   (w->in->policy == KVMX_POLICY_ISOLATE &&
		    w->nr_units <= cores)) {
		w->shape = KVMX_SLOT_CORE;
	}
	each_core(w, nr, true);
	count_prev(w, -1);
	if (!w->nr_slots || (w->nr_slots < w->nr_units &&
			     (w->left_taken || w->left_smt)))
		kvmx_policy_short(w);
}

static bool same_llc(const struct kvmx_policy_work *w, u32 a, u32 b)
{
	const struct kvmx_policy_cpu *cpus = w->in->cpus;

	return cpus[a].llc == cpus[b].llc && cpus[a].node == cpus[b].node;
}

static struct kvmx_policy_dom *open_dom(struct kvmx_policy_dom *doms, u32 *nr,
					u32 id, u32 first)
{
	struct kvmx_policy_dom *d = &doms[(*nr)++];

	*d = (struct kvmx_policy_dom) { .id = id, .first = first };
	return d;
}

static void count_in(struct kvmx_policy_dom *d, u32 end, u32 cap, u32 left)
{
	d->end = end;
	d->cap += cap;
	d->left += left;
}

/**
 * kvmx_policy_domains() - the tree of nodes, caches and cores above the slots
 * @w: the plan; slots know whether they are open
 */
void kvmx_policy_domains(struct kvmx_policy_work *w)
{
	const struct kvmx_policy_cpu *cpus = w->in->cpus, *c;
	struct kvmx_policy_dom *node = NULL, *llc = NULL, *core = NULL;
	const struct kvmx_policy_slot *s;
	u32 i, cpu, last = 0;

	for (i = 0; i < w->nr_slots; i++, last = cpu) {
		s = &w->slots[i];
		cpu = s->cpu;
		c = &cpus[cpu];
		if (!i || !kvmx_policy_siblings(w, last, cpu)) {
			if (!i || cpus[last].node != c->node)
				node = open_dom(w->nodes, &w->nr_nodes, c->node,
						w->nr_llcs);
			if (!i || !same_llc(w, last, cpu)) {
				llc = open_dom(w->llcs, &w->nr_llcs, c->llc,
					       w->nr_cores);
				llc->load = w->llc_load[c->llc];
			}
			core = open_dom(w->cores, &w->nr_cores, c->core, i);
			core->load = w->core[c->core].load;
		}
		count_in(core, i + 1, s->open, s->open ? s->left : 0);
		count_in(llc, w->nr_cores, s->open, s->open ? s->left : 0);
		count_in(node, w->nr_llcs, s->open, s->open ? s->left : 0);
	}
}
