/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the threads of a VM belong: a decision, nothing else.
 *
 * Everything that counts goes in (topology, vCPUs, what other placements have,
 * wishes), a plan comes out. Nothing is read from elsewhere, nothing is kept, no
 * memory is allocated: the same input gives the same plan, in the kernel as in
 * the unit tests. What each policy means is said in docs/placement.md and at the
 * top of its file.
 *
 * A plan gives one CPU to each vCPU and one set of CPUs to each other class of
 * threads. It does not depend on how many threads there are, so a thread that is
 * born later needs no new plan, only its class; a vCPU that is born later does.
 *
 * A set of CPUs is an array of kvmx_policy_words() words as in <linux/kvmx_place.h>.
 */
#ifndef KVMX_PLACE_POLICY_H
#define KVMX_PLACE_POLICY_H

#include <linux/bits.h>
#include <linux/types.h>
#include <linux/kvmx_place.h>

#define KVMX_POLICY_NO_CPU	0xffffffffU

/* kvmx_policy_cpu.flags */
#define KVMX_POLICY_ONLINE	BIT(0)
#define KVMX_POLICY_ALLOWED	BIT(1) /* by the VMM's cpuset */

/**
 * struct kvmx_policy_cpu - a CPU of the host
 * @core: lowest CPU of its core, itself where nothing is known
 * @llc: lowest CPU that shares its last-level cache, likewise
 * @node: its NUMA node
 * @flags: KVMX_POLICY_*; 0 for a number that no CPU has
 * @load: vCPUs that other placements have on it
 * @owner: id of the other VM to which it belongs alone (it is in that one's
 *	kvmx_policy_out.claim), 0: to none
 * @user: id of another VM that cannot be driven off it: one that has a vCPU there,
 *	or was given it for its emulator or I/O by name; 0: none. What others
 *	have by no name ("the rest") is not meant: it gives way, by
 *	kvmx_policy_fallback().
 *
 * A CPU that is offline keeps the core, cache and node that it had.
 */
struct kvmx_policy_cpu {
	u32 core;
	u32 llc;
	u32 node;
	u32 flags;
	u32 load;
	u64 owner;
	u64 user;
};

/**
 * struct kvmx_policy_node - a NUMA node
 * @pages: pages of this VM's memory on it
 * @has_memory: whether it has memory at all
 */
struct kvmx_policy_node {
	u64 pages;
	bool has_memory;
};

/**
 * struct kvmx_policy_vcpu - a vCPU to be placed
 * @index: its index; each stands there once, in ascending order
 * @prev: its CPU in the plan that is in force, or KVMX_POLICY_NO_CPU
 */
struct kvmx_policy_vcpu {
	u32 index;
	u32 prev;
};

/**
 * struct kvmx_policy_in - all that a plan depends on
 * @policy: KVMX_POLICY_*
 * @smt: KVMX_SMT_*
 * @nr_cpus: entries of @cpus
 * @nr_nodes: entries of @nodes
 * @nr_vcpus: entries of @vcpus
 * @nr_map: entries of @map
 * @guest_threads: threads per core that the guest sees, 0: not known. The module
 *	never knows: KVM keeps a vCPU's CPUID under its mutex, which whoever runs
 *	it holds. The tool compares by itself what QEMU was told
 * @memory_known: whether @nodes tells the VM's pages
 * @cpus: by number of the CPU
 * @nodes: by number of the node; every node of @cpus is there
 * @vcpus: see there
 * @map: policy pin: which vCPU goes where, each vCPU once
 * @wish: what vCPUs may have, or NULL: all that is allowed
 * @emulator: what main and other threads are to have, or NULL: by policy
 * @io: what I/O threads, workers and vhost are to have, or NULL: as @emulator
 */
struct kvmx_policy_in {
	u32 policy;
	u32 smt;
	u32 nr_cpus;
	u32 nr_nodes;
	u32 nr_vcpus;
	u32 nr_map;
	u32 guest_threads;
	bool memory_known;
	const struct kvmx_policy_cpu *cpus;
	const struct kvmx_policy_node *nodes;
	const struct kvmx_policy_vcpu *vcpus;
	const struct kvmx_pin *map;
	const u64 *wish;
	const u64 *emulator;
	const u64 *io;
};

/**
 * struct kvmx_policy_note - something to be known of a plan
 * @kind: KVMX_NOTE_*
 * @cpu: see there; KVMX_POLICY_NO_CPU where it is about none
 * @node: likewise, as NUMA_NO_NODE
 * @tid: likewise, 0: about none
 * @vm: likewise
 * @arg: likewise
 *
 * kvmx_policy_plan() makes all kinds but KVMX_NOTE_NO_STATS, _FOREIGN and
 * _AUTO, which are for the caller to find.
 */
struct kvmx_policy_note {
	u32 kind;
	u32 cpu;
	u32 node;
	s32 tid;
	u64 vm;
	u64 arg;
};

/**
 * struct kvmx_policy_vcpu_out - where a vCPU belongs
 * @cpu: its CPU
 * @why: KVMX_WHY_*
 */
struct kvmx_policy_vcpu_out {
	u32 cpu;
	u32 why;
};

/**
 * struct kvmx_policy_out - a plan
 * @notes: where notes are written to, or NULL (in)
 * @max_notes: room there (in)
 * @nr_notes: how many there are; may be more than there was room for
 * @policy: the policy that was followed: auto starts as another
 * @vcpus: as kvmx_policy_in.vcpus
 * @claim: CPUs that belong to this VM alone from now on: others are planned with
 *	it as their owner
 * @sets: per KVMX_THREAD_* the CPUs of that class; for vCPUs those of all of
 *	them, which will do for a vCPU that is not in the plan yet
 * @why: per KVMX_THREAD_* the reason for @sets
 *
 * What is pointed to, apart from @notes, is in the room that was given to
 * kvmx_policy_plan(), at its beginning: kvmx_policy_kept() bytes of it have to
 * stay, the rest may be given up.
 */
struct kvmx_policy_out {
	struct kvmx_policy_note *notes;
	u32 max_notes;
	u32 nr_notes;
	u32 policy;
	struct kvmx_policy_vcpu_out *vcpus;
	u64 *claim;
	u64 *sets[KVMX_NR_THREAD_CLASSES];
	u32 why[KVMX_NR_THREAD_CLASSES];
};

u32 kvmx_policy_words(u32 nr_cpus);
size_t kvmx_policy_room(u32 nr_cpus, u32 nr_nodes, u32 nr_vcpus);
size_t kvmx_policy_kept(u32 nr_cpus, u32 nr_vcpus);
int kvmx_policy_plan(const struct kvmx_policy_in *in,
		     struct kvmx_policy_out *out, void *room);

/* How far kvmx_policy_fallback() had to go. */
enum kvmx_fallback {
	KVMX_FALLBACK_NONE,	/* the plan's set, all of it */
	KVMX_FALLBACK_PART,	/* what is left of it */
	KVMX_FALLBACK_CORE,	/* its siblings */
	KVMX_FALLBACK_LLC,	/* what shares its last-level cache */
	KVMX_FALLBACK_NODE,	/* its node */
	KVMX_FALLBACK_HOME,	/* any CPU where it looks first */
	KVMX_FALLBACK_ANY,	/* any CPU at all */
	KVMX_FALLBACK_FAILED,	/* there is none */
};

enum kvmx_fallback kvmx_policy_fallback(const struct kvmx_policy_cpu *cpus,
					u32 nr_cpus, const u64 *plan,
					const u64 *home, u64 *now);

void kvmx_policy_note_text(const struct kvmx_policy_note *note, char *text,
			   size_t size);
const char *kvmx_policy_why_text(u32 why);
const char *kvmx_policy_fallback_text(enum kvmx_fallback how);

#endif /* KVMX_PLACE_POLICY_H */
