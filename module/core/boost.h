/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a thread is scheduled, changed for a while: what was before is put back,
 * unless somebody else has changed it meanwhile.
 */
#ifndef KVMX_CORE_BOOST_H
#define KVMX_CORE_BOOST_H

#include <linux/types.h>

struct task_struct;

/**
 * struct kvmx_boost - what was before, and what was made of it
 * @effect: KVMX_EFFECT_*
 * @arg: see there
 * @policy: scheduling policy before
 * @nice: nice value before
 * @slice: of its own, before, ns; 0: none
 * @reset: children did not inherit it
 * @slack: of its timers, before, ns
 */
struct kvmx_boost {
	u32 effect;
	s32 arg;
	u32 policy;
	s32 nice;
	u64 slice;
	bool reset;
	u64 slack;
};

bool kvmx_boost_can(u32 effect);
bool kvmx_boost_fits(const struct task_struct *task, u32 effect);
bool kvmx_boost_alone(struct task_struct *task);
int kvmx_boost_begin(struct task_struct *task, u32 effect, s32 arg,
		     struct kvmx_boost *b);
bool kvmx_boost_end(struct task_struct *task, const struct kvmx_boost *b);

#endif /* KVMX_CORE_BOOST_H */
