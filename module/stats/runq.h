/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVMX_STATS_SCHED: what the scheduler does with the thread of a vCPU.
 */
#ifndef KVMX_STATS_RUNQ_H
#define KVMX_STATS_RUNQ_H

#include <linux/types.h>

#include "core/hook.h"
#include "core/peek.h"
#include "stats/counters.h"
#include "stats/topk.h"

struct kvmx_vcpu;

/**
 * struct kvmx_sched_state - what it takes to keep the figures
 * @delay: run delay of the thread in ns before it was put on the CPU
 * @cpu: where it was last, plus one; 0 if that is not known
 * @placed: it was put on a CPU, and its delay is not settled yet
 * @out: when it was taken off though it could have gone on, else 0
 * @taker: row of the thread that got the CPU then
 * @taker_key: its key, in case that it loses the row
 * @polls: KVM's figures of halt polling when they were looked at last
 * @polls_known: they were
 * @preemptors: KVMX_TOP_PREEMPTORS
 */
struct kvmx_sched_state {
	u64 delay;
	unsigned int cpu;
	bool placed;
	u64 out;
	struct kvmx_topk_row *taker;
	u64 taker_key;
	struct kvmx_polls polls;
	bool polls_known;
	struct kvmx_topk preemptors;
};

void kvmx_runq_start(struct kvmx_sched_state *s);
void kvmx_runq_event(struct kvmx_vcpu *v, struct kvmx_sched_state *s,
		     struct kvmx_sched *d, const struct kvmx_event *e);
void kvmx_runq_entry(struct kvmx_vcpu *v, struct kvmx_sched_state *s,
		     struct kvmx_sched *d);
void kvmx_runq_settle(struct kvmx_sched_state *s, struct kvmx_sched *d);

#endif /* KVMX_STATS_RUNQ_H */
