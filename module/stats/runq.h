/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVMX_STATS_SCHED: what the scheduler does with the thread of a vCPU.
 */
#ifndef KVMX_STATS_RUNQ_H
#define KVMX_STATS_RUNQ_H

#include <linux/sched.h>
#include <linux/types.h>

#include "core/hook.h"
#include "core/peek.h"
#include "core/topo.h"
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
 * @by_tid: whom the thread waits for, for the trace event; 0: not known
 * @by_comm: its name
 * @woken: it waits since it was woken, and was not taken off
 * @polls: KVM's figures of halt polling when they were looked at last
 * @polls_known: they were
 * @preemptors: KVMX_TOP_PREEMPTORS
 * @ran_on: the CPU of the last run in the guest, plus one; 0: not known
 * @came_from: the CPU of the run before, plus one, until the trace event has
 *	told of the move; else 0
 * @moved: how far that was from the run before; KVMX_NR_DISTANCES: not known
 * @exit_open: an exit from that run is being handled
 * @exit_code: its code
 * @exits: KVMX_TOP_EXITS_*
 */
struct kvmx_sched_state {
	u64 delay;
	unsigned int cpu;
	bool placed;
	u64 out;
	struct kvmx_topk_row *taker;
	u64 taker_key;
	pid_t by_tid;
	char by_comm[TASK_COMM_LEN];
	bool woken;
	struct kvmx_polls polls;
	bool polls_known;
	struct kvmx_topk preemptors;
	unsigned int ran_on;
	unsigned int came_from;
	enum kvmx_distance moved;
	bool exit_open;
	u64 exit_code;
	struct kvmx_topk exits[KVMX_NR_DISTANCES];
};

extern unsigned int kvmx_ready_us;

void kvmx_runq_start(struct kvmx_sched_state *s);
void kvmx_runq_event(struct kvmx_vcpu *v, struct kvmx_sched_state *s,
		     struct kvmx_sched *d, const struct kvmx_event *e);
void kvmx_runq_entry(struct kvmx_vcpu *v, struct kvmx_sched_state *s,
		     struct kvmx_sched *d, u64 now);
void kvmx_runq_exit(struct kvmx_vcpu *v, struct kvmx_sched_state *s,
		    struct kvmx_sched *d, u64 code, enum kvmx_tlb_fate tlb);
#endif /* KVMX_STATS_RUNQ_H */
