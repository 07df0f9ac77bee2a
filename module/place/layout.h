/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A plan in the kernel: the wishes that it was made of, what policy.h made of
 * them, and what is left of it while CPUs are missing.
 */
#ifndef KVMX_PLACE_LAYOUT_H
#define KVMX_PLACE_LAYOUT_H

#include <linux/cpumask.h>
#include <linux/refcount.h>
#include <linux/types.h>
#include <linux/kvmx_place.h>

#include "place/policy.h"

#define KVMX_MAX_NOTES	128

/**
 * struct kvmx_wishes - what the caller of KVMX_VM_PLACE wants
 * @refs: plans that were made of it, and the caller
 * @policy: KVMX_POLICY_*
 * @smt: KVMX_SMT_*
 * @enforce: KVMX_PLACE_ENFORCE
 * @interval_ms: see struct kvmx_place
 * @nr_cpus: CPUs that the sets can hold
 * @nr_map: entries of @map
 * @nr_nodes: entries of @nodes
 * @map: for policy pin
 * @nodes: pages of the VM on each node
 * @cpus: set for vCPUs, or NULL
 * @emulator: set for main and other threads, or NULL
 * @io: set for I/O threads, workers and vhost, or NULL
 */
struct kvmx_wishes {
	refcount_t refs;
	u32 policy;
	u32 smt;
	bool enforce;
	u32 interval_ms;
	u32 nr_cpus;
	u32 nr_map;
	u32 nr_nodes;
	struct kvmx_pin *map;
	u64 *nodes;
	u64 *cpus;
	u64 *emulator;
	u64 *io;
};

/**
 * struct kvmx_layout - a plan
 * @wishes: what it was made of, referenced
 * @nr_cpus: CPUs that it knows of
 * @words: of each of its sets
 * @nr_vcpus: entries of @vcpus and of @out.vcpus
 * @vcpus: the vCPUs, ascending
 * @planned: there is something in @out
 * @out: what policy.h made of it; its sets lie in @room
 * @notes: what is to be known of it
 * @nr_notes: how many
 * @room: see there
 * @cpus: the host as it was seen last
 * @now: what is left of each set: of each class, then of each vCPU
 * @short_of: for each of these: CPUs are missing, others are used (a bool)
 * @home: all CPUs of the plan; behind it room for three sets more
 */
struct kvmx_layout {
	struct kvmx_wishes *wishes;
	u32 nr_cpus;
	u32 words;
	u32 nr_vcpus;
	struct kvmx_policy_vcpu *vcpus;
	bool planned;
	struct kvmx_policy_out out;
	struct kvmx_policy_note *notes;
	u32 nr_notes;
	void *room;
	struct kvmx_policy_cpu *cpus;
	u64 *now;
	bool *short_of;
	u64 *home;
};

/**
 * struct kvmx_place_of - where a thread belongs
 * @plan: the set of the plan, NULL where that is one CPU
 * @cpu: that CPU, or KVMX_POLICY_NO_CPU
 * @now: what is left of it, or what is used in its place
 * @why: KVMX_WHY_*
 * @short_of: nothing is left of it
 */
struct kvmx_place_of {
	const u64 *plan;
	u32 cpu;
	const u64 *now;
	u32 why;
	bool short_of;
};

struct kvmx_vm;

struct kvmx_wishes *kvmx_wishes_alloc(void);
void kvmx_wishes_put(struct kvmx_wishes *w);

/* First alloc, then fill in @cpus, then plan; fit, whenever @cpus has changed. */
struct kvmx_layout *kvmx_layout_alloc(struct kvmx_wishes *w,
				      struct kvmx_vm *vm);
int kvmx_layout_plan(struct kvmx_layout *l, const struct kvmx_layout *before,
		     const struct kvmx_pin *moved);
void kvmx_layout_fit(struct kvmx_layout *l);
void kvmx_layout_free(struct kvmx_layout *l);

void kvmx_layout_note(struct kvmx_layout *l,
		      const struct kvmx_policy_note *note);
int kvmx_layout_find(const struct kvmx_layout *l, u32 vcpu);
void kvmx_layout_of(const struct kvmx_layout *l, u32 thread_class, u32 vcpu,
		    struct kvmx_place_of *to);
void kvmx_layout_cpus(const struct kvmx_layout *l, const u64 *set,
		      struct cpumask *to);

#endif /* KVMX_PLACE_LAYOUT_H */
