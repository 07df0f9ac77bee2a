/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A machine with VMs on it, for tests of the policies. Plans are made one after
 * the other, and each sees what those before it have.
 */
#ifndef KVMX_UNIT_POLICY_BOX_H
#define KVMX_UNIT_POLICY_BOX_H

#include "place/policy.h"

#define BOX_CPUS	8192
#define BOX_VCPUS	4096
#define BOX_NODES	64
#define BOX_NOTES	64
#define BOX_WORDS	(BOX_CPUS / 64)

/* The machine, and the VM that is to be placed next. */
struct box {
	struct kvmx_policy_cpu cpus[BOX_CPUS];
	struct kvmx_policy_node nodes[BOX_NODES];
	struct kvmx_policy_vcpu vcpus[BOX_VCPUS];
	struct kvmx_pin map[BOX_VCPUS];
	struct kvmx_policy_note notes[BOX_NOTES];
	u64 wish[BOX_WORDS];
	u64 emulator[BOX_WORDS];
	u64 io[BOX_WORDS];
	struct kvmx_policy_in in;
	struct kvmx_policy_out out;
	void *room;
};

/* Counts basic operations, where the policies were compiled for that. */
extern unsigned long box_ops;

void __sanitizer_cov_trace_pc(void);

void box_init(struct box *b, u32 nodes, u32 llcs, u32 cores, u32 threads);
void box_vm(struct box *b, u32 policy, u32 nr_vcpus);
void box_again(struct box *b);
int box_plan(struct box *b);
void box_settle(struct box *b, u64 vm);
void box_free(struct box *b);

static inline bool box_has(const u64 *set, u32 cpu)
{
	return set[cpu / 64] >> (cpu % 64) & 1;
}

/* Whether the VM may have it at all. */
static inline bool box_usable(const struct box *b, u32 cpu)
{
	return b->cpus[cpu].flags ==
	       (KVMX_POLICY_ONLINE | KVMX_POLICY_ALLOWED) &&
	       !b->cpus[cpu].owner;
}

/* Sets as lists: "0-3,5". */
void box_read(u64 *set, const char *list);
const char *box_list(const struct box *b, const u64 *set);
const char *box_vcpus(const struct box *b);
const char *box_notes(const struct box *b);

#endif /* KVMX_UNIT_POLICY_BOX_H */
