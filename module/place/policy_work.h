/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A plan while it is being made. In the order of its steps:
 *
 *  1. wishes that cannot be are noted (policy_wish.c);
 *  2. what the wishes and the SMT word leave becomes slots, sorted by node, cache
 *     and core, and from these the tree of domains (policy_slots.c);
 *  3. no slot gets a vCPU more while another one has fewer: that fixes all but
 *     the last of them on each slot (policy_level.c);
 *  4. which slots are to have one more is what policies differ in (policy_spread.c,
 *     _pack.c, _numa.c, _isolate.c);
 *  5. vCPUs stay where they are if there is a place for them, the others get what
 *     is left, neighbours beside each other (policy_match.c);
 *  6. the other threads' sets, and the CPUs that are closed to others
 *     (policy_sets.c);
 *  7. what there is to say about the result (policy_look.c).
 */
#ifndef KVMX_PLACE_POLICY_WORK_H
#define KVMX_PLACE_POLICY_WORK_H

#include "place/policy.h"

#define KVMX_POLICY_NO_SLOT	0xffffffffU
#define KVMX_POLICY_NO_NODE	0xffffffffU

/**
 * struct kvmx_policy_slot - a place for a unit: for one vCPU, or for two
 * @cpu: its CPU
 * @mate: the sibling for the second vCPU, or KVMX_POLICY_NO_CPU
 * @load: units on it, those of other VMs included
 * @left: units that have it in the plan in force, and no place yet
 * @give: units that get it
 * @open: it may get one unit more
 */
struct kvmx_policy_slot {
	u32 cpu;
	u32 mate;
	u32 load;
	u32 left;
	u32 give;
	bool open;
};

/**
 * struct kvmx_policy_dom - a node, a cache's CPUs within one node, or a core
 * @id: number of the node, or lowest CPU of the cache or core
 * @first: first of what it is made of: caches, cores, or slots
 * @end: behind the last
 * @cap: slots that are open
 * @left: their @left, added up
 * @give: how many of them are to be used
 * @load: vCPUs on it, those of other VMs included
 * @heap: how many of its cores still have an open slot
 */
struct kvmx_policy_dom {
	u32 id;
	u32 first;
	u32 end;
	u32 cap;
	u32 left;
	u32 give;
	u32 load;
	u32 heap;
};

/* What slots are. */
enum kvmx_policy_shape {
	KVMX_SLOT_CPU,		/* each CPU */
	KVMX_SLOT_CORE,		/* one CPU of each core */
	KVMX_SLOT_PAIR,		/* two CPUs of a core */
};

/**
 * struct kvmx_policy_core - what is on a core, by its lowest CPU
 * @load: vCPUs that other placements have there, then those of this plan too
 * @users: CPUs of it with a user
 * @named: CPUs of it that are named for this VM's emulator or I/O
 * @own: vCPUs of this VM
 * @user: one of the users
 */
struct kvmx_policy_core {
	u32 load;
	u32 users;
	u32 named;
	u32 own;
	u64 user;
};

/**
 * struct kvmx_policy_work - a plan while it is being made
 * @in: what it depends on
 * @out: what it becomes
 * @words: words of a set
 * @refused: a note refuses it
 * @keep: vCPUs stay where they are, whatever the policy says
 * @shape: what slots are
 * @nr_units: units to be placed
 * @nr_slots: entries of @slots
 * @nr_nodes: entries of @nodes
 * @nr_llcs: entries of @llcs
 * @nr_cores: entries of @cores
 * @left_taken: cores that have no slot because another VM is there
 * @left_smt: cores that have no slot because of the SMT word
 * @slots: sorted by node, cache, core and number
 * @nodes: likewise
 * @llcs: likewise
 * @cores: likewise
 * @core: by a core's lowest CPU
 * @llc_load: vCPUs that other placements have, by a cache's lowest CPU
 * @slot_of: slot of a CPU, or KVMX_POLICY_NO_SLOT
 * @own: vCPUs of this VM, by CPU
 * @unit: slot of each unit, or KVMX_POLICY_NO_SLOT
 * @order: room for what is sorted: one number per CPU, node and slot
 * @heap: likewise
 * @llc_heap: likewise
 * @on_node: vCPUs of this VM, by node
 * @pool: CPUs that are offered to vCPUs
 */
struct kvmx_policy_work {
	const struct kvmx_policy_in *in;
	struct kvmx_policy_out *out;
	u32 words;
	bool refused;
	bool keep;
	enum kvmx_policy_shape shape;
	u32 nr_units;
	u32 nr_slots;
	u32 nr_nodes;
	u32 nr_llcs;
	u32 nr_cores;
	u32 left_taken;
	u32 left_smt;
	struct kvmx_policy_slot *slots;
	struct kvmx_policy_dom *nodes;
	struct kvmx_policy_dom *llcs;
	struct kvmx_policy_dom *cores;
	struct kvmx_policy_core *core;
	u32 *llc_load;
	u32 *slot_of;
	u32 *own;
	u32 *unit;
	u32 *order;
	u32 *heap;
	u32 *llc_heap;
	u32 *on_node;
	u64 *pool;
};

static inline bool kvmx_policy_has(const u64 *set, u32 cpu)
{
	return set[cpu / 64] >> (cpu % 64) & 1;
}

static inline void kvmx_policy_add(u64 *set, u32 cpu)
{
	set[cpu / 64] |= 1ULL << (cpu % 64);
}

/* Neither away, nor forbidden, nor somebody else's alone. */
static inline bool kvmx_policy_usable(const struct kvmx_policy_cpu *c)
{
	const u32 both = KVMX_POLICY_ONLINE | KVMX_POLICY_ALLOWED;

	return (c->flags & both) == both && !c->owner;
}

static inline u32 kvmx_policy_per_unit(const struct kvmx_policy_work *w)
{
	return w->shape == KVMX_SLOT_PAIR ? 2 : 1;
}

/* Whether another VM's threads cannot be kept off this core. */
static inline bool kvmx_policy_taken(const struct kvmx_policy_work *w, u32 core)
{
	return w->core[core].load || w->core[core].users;
}

/* Whether two CPUs are of one core, as the tree of domains sees it. */
static inline bool kvmx_policy_siblings(const struct kvmx_policy_work *w, u32 a,
					u32 b)
{
	const struct kvmx_policy_cpu *x = &w->in->cpus[a];
	const struct kvmx_policy_cpu *y = &w->in->cpus[b];

	return x->core == y->core && x->llc == y->llc && x->node == y->node;
}

bool kvmx_policy_empty(const u64 *set, u32 words);
void kvmx_policy_note(struct kvmx_policy_work *w, u32 kind, u32 cpu, u32 node,
		      u64 vm, u64 arg);
void kvmx_policy_note_cpu(struct kvmx_policy_work *w, u32 kind, u32 cpu, u64 vm,
			  u64 arg);

void kvmx_policy_wishes(struct kvmx_policy_work *w);
void kvmx_policy_pool(struct kvmx_policy_work *w);
void kvmx_policy_short(struct kvmx_policy_work *w);
void kvmx_policy_slots(struct kvmx_policy_work *w);
void kvmx_policy_domains(struct kvmx_policy_work *w);
u32 kvmx_policy_level(struct kvmx_policy_work *w);

void kvmx_policy_spread(struct kvmx_policy_work *w, u32 first_llc, u32 end_llc,
			u32 nr);
void kvmx_policy_pack(struct kvmx_policy_work *w, u32 nr);
void kvmx_policy_numa(struct kvmx_policy_work *w, u32 nr);
void kvmx_policy_isolate(struct kvmx_policy_work *w, u32 nr);
int kvmx_policy_pin(struct kvmx_policy_work *w);

u32 kvmx_policy_prev_slot(const struct kvmx_policy_work *w, u32 unit);
void kvmx_policy_match(struct kvmx_policy_work *w);
void kvmx_policy_sets(struct kvmx_policy_work *w);
void kvmx_policy_look(struct kvmx_policy_work *w);

void kvmx_policy_use_slot(struct kvmx_policy_work *w, u32 core);
void kvmx_policy_put(struct kvmx_policy_work *w, u32 vcpu, u32 cpu);
u64 kvmx_policy_pages(const struct kvmx_policy_work *w);
u32 kvmx_policy_share(const struct kvmx_policy_work *w, u32 node, u64 all,
		      u32 parts);

#endif /* KVMX_PLACE_POLICY_WORK_H */
