/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state machine of one vCPU's time. Fed by the probes on entry and exit and
 * by what happens to the vCPU's thread; writes struct kvmx_data.
 */
#ifndef KVMX_STATS_ACCOUNT_H
#define KVMX_STATS_ACCOUNT_H

#include <linux/types.h>

#include "stats/counters.h"

struct kvmx_vcpu;

/**
 * struct kvmx_counts - counters of a vCPU, and what it takes to keep them
 * @data: what readers see
 * @exit_at: when the exit that is being handled happened
 * @away: how much of that time was spent in the VMM, halted, waiting or ready
 * @open: its slot, NULL while no exit is being handled
 * @out: when the thread was taken off the CPU, 0 if that is settled
 * @in: when it was put on one again, 0 if that has not happened yet
 * @delay: run delay of the thread in ns before it was put on
 * @base: what the vCPU does while its thread is on a CPU: KVMX_STATE_*
 * @guess: what it seemed to do when counting began: enum kvmx_doing
 * @kind: why the thread was taken off: enum kvmx_out
 *
 * One writer: see core/threads.h.
 */
struct kvmx_counts {
	struct kvmx_data *data;
	u64 exit_at;
	u64 away;
	struct kvmx_slot *open;
	u64 out;
	u64 in;
	u64 delay;
	u8 base;
	u8 guess;
	u8 kind;
};

void kvmx_account_init(void);

int kvmx_account_alloc(struct kvmx_vcpu *v);
void kvmx_account_free(struct kvmx_vcpu *v);
void kvmx_account_start(struct kvmx_vcpu *v, bool born);
void kvmx_account_stop(struct kvmx_vcpu *v);

#endif /* KVMX_STATS_ACCOUNT_H */
