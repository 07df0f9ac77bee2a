/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Policy auto, once it has started: whether a vCPU is to move, and where to. As
 * pure as policy.h; figures are of one interval, shares in thousandths of it.
 */
#ifndef KVMX_PLACE_POLICY_AUTO_H
#define KVMX_PLACE_POLICY_AUTO_H

#include "place/policy.h"

/* kvmx_auto_vcpu.kept, where the TLB cannot be watched, or had no return */
#define KVMX_AUTO_UNKNOWN	0xffffffffU

/* A vCPU waits too long from here on, and no more from there. */
#define KVMX_AUTO_READY_HIGH	100
#define KVMX_AUTO_READY_LOW	50
/* Intervals for which it has to wait too long before it is moved. */
#define KVMX_AUTO_PATIENCE	2
/* Intervals for which it is left alone after it was moved. */
#define KVMX_AUTO_REST		5
/* What a move has to be worth. */
#define KVMX_AUTO_GAIN		50

/**
 * struct kvmx_auto_vcpu - a vCPU, and what was measured
 * @cpu: the CPU that the plan gives it now
 * @ready: how long it was ready, and did not run
 * @ran: how long it ran
 * @kept: of its returns to a CPU, how many found their TLB entries, or
 *	KVMX_AUTO_UNKNOWN
 * @hot: for how many intervals it has waited too long (kept from one decision to
 *	the next, 0 at first)
 * @rest: for how many it is left alone (likewise)
 */
struct kvmx_auto_vcpu {
	u32 cpu;
	u32 ready;
	u32 ran;
	u32 kept;
	u32 hot;
	u32 rest;
};

/**
 * struct kvmx_auto_in - what a decision depends on
 * @nr_cpus: entries of @cpus and @busy
 * @nr_vcpus: entries of @vcpus
 * @smt: KVMX_SMT_*
 * @cpus: the host, as for a plan
 * @busy: by CPU: how long it was not idle, whoever ran there
 * @vcpus: of this VM
 * @pool: CPUs that vCPUs may have, or NULL: all
 * @closed: CPUs that were named for other threads, or NULL: none
 */
struct kvmx_auto_in {
	u32 nr_cpus;
	u32 nr_vcpus;
	u32 smt;
	const struct kvmx_policy_cpu *cpus;
	const u32 *busy;
	struct kvmx_auto_vcpu *vcpus;
	const u64 *pool;
	const u64 *closed;
};

/* Why there is no move. */
enum kvmx_auto_verdict {
	KVMX_AUTO_MOVE,		/* there is one */
	KVMX_AUTO_CONTENT,	/* nobody waits too long */
	KVMX_AUTO_PATIENT,	/* not for long enough yet, or moved lately */
	KVMX_AUTO_NOWHERE,	/* no other CPU is better by enough */
	KVMX_AUTO_PAIRS,	/* smt require: pairs are not torn apart */
};

/**
 * struct kvmx_auto_out - a decision
 * @verdict: whether somebody moves
 * @vcpu: who waits longest, as a subscript of kvmx_auto_in.vcpus
 * @from: CPU that it has
 * @to: CPU that it gets, or the best there is, or KVMX_POLICY_NO_CPU
 * @ready: how long it waited
 * @expect: how long it would there
 * @cost: what the move costs besides
 * @busy: how busy that CPU was
 * @kept: see kvmx_auto_vcpu
 */
struct kvmx_auto_out {
	enum kvmx_auto_verdict verdict;
	u32 vcpu;
	u32 from;
	u32 to;
	u32 ready;
	u32 expect;
	u32 cost;
	u32 busy;
	u32 kept;
};

size_t kvmx_auto_room(u32 nr_cpus);
void kvmx_auto_decide(const struct kvmx_auto_in *in, struct kvmx_auto_out *out,
		      void *room);
void kvmx_auto_text(const struct kvmx_auto_out *out, u32 index, char *text,
		    size_t size);

#endif /* KVMX_PLACE_POLICY_AUTO_H */
