/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Policy auto at work: while a VM has a placement of that policy it is counted,
 * and at every interval policy_auto.h decides by what was counted since the last
 * one whether a vCPU is to move.
 *
 * Lifetime: kvmx_placement.watch holds a reference from kvmx_auto_begin() to
 * kvmx_auto_end(), the work that is queued another one. The work takes the locks of
 * placements, so nobody who has one waits for it: whoever ends it says so, and the
 * work is not queued any more.
 */
#ifndef KVMX_PLACE_AUTO_H
#define KVMX_PLACE_AUTO_H

#include <linux/types.h>

struct kvmx_auto;
struct kvmx_vm;

/**
 * struct kvmx_auto_move - what was decided
 * @by: who decided; no longer in force if it is not kvmx_placement.watch
 * @vcpu: index of the vCPU
 * @from: CPU that it had when that was decided
 * @to: CPU that it is to have
 * @ready: for how many per cent of the interval it was ready, and did not run
 * @busy: for how many per cent @to was busy
 */
struct kvmx_auto_move {
	const struct kvmx_auto *by;
	u32 vcpu;
	u32 from;
	u32 to;
	u32 ready;
	u32 busy;
};

bool kvmx_auto_possible(void);
int kvmx_auto_new(struct kvmx_vm *vm, u32 interval_ms, struct kvmx_auto **to);
void kvmx_auto_begin(struct kvmx_auto *a);
void kvmx_auto_end(struct kvmx_auto *a);

void kvmx_auto_init(void (*move)(struct kvmx_vm *vm,
				 const struct kvmx_auto_move *m));

#endif /* KVMX_PLACE_AUTO_H */
