/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * kvmx: what hints of its guest a VM may have followed, and what came of them.
 *
 * The rules at the top of <linux/kvmx.h> hold here, too. KVMX_VM_HINT needs a node
 * that was open for writing, and CAP_SYS_NICE now (else EPERM). What guests see:
 * <linux/kvmx_para.h>.
 */
#ifndef _UAPI_LINUX_KVMX_HINT_H
#define _UAPI_LINUX_KVMX_HINT_H

#include <linux/kvmx.h>
#include <linux/kvmx_para.h>

#define KVMX_VM_HINT		_IO(KVMX_IOC_TYPE, 0x18) /* on a VM fd */
#define KVMX_VM_HINTED		_IO(KVMX_IOC_TYPE, 0x19) /* on a VM fd */
#define KVMX_VM_HINT_COUNTS	_IO(KVMX_IOC_TYPE, 0x1a) /* on a VM fd */

/* kvmx_hint_kind.effect */
#define KVMX_EFFECT_OFF		0	/* the kind is not allowed */
#define KVMX_EFFECT_NONE	1	/* counted, otherwise ignored */
#define KVMX_EFFECT_NICE	2	/* arg: nice value, -20 … 19 */
#define KVMX_EFFECT_FIFO	3	/* SCHED_FIFO, lowest priority */
#define KVMX_EFFECT_SLICE	4	/* arg: slice in us, from 6.12 on */
#define KVMX_EFFECT_POLL	5	/* arg: us of halt polling, see docs/hints.md */
#define KVMX_EFFECT_YIELD	6	/* directed yield, for KVMX_KIND_YIELD_TO */
#define KVMX_EFFECT_FIT		7	/* arg: us of halt polling at most; so much of
					 * it as pays, by earlier halts
					 */

#define KVMX_NR_EFFECTS		8

/**
 * struct kvmx_hint_kind - what one kind of hints may do
 * @effect: KVMX_EFFECT_*
 * @arg: see there, else 0
 * @grant_us: longest time of one grant; 0: the default of the kind
 * @reserved: 0
 */
struct kvmx_hint_kind {
	__u32 effect;
	__s32 arg;
	__u32 grant_us;
	__u32 reserved;
};

/* kvmx_hint.flags */
#define KVMX_HINT_COMMIT	(1U << 0) /* outlives the fd */

/**
 * struct kvmx_hint - KVMX_VM_HINT, KVMX_VM_HINTED: the policy for a VM's hints
 * @size: size of this structure in bytes (in)
 * @flags: KVMX_HINT_* bits (in for KVMX_VM_HINT, out for KVMX_VM_HINTED)
 * @budget_us: time on grants that a vCPU may have per period; 0: 500
 * @period_us: the period; 0: 10000
 * @calls_per_s: hypercalls of a vCPU that are answered per second, beyond that
 *	-KVM_E2BIG; 0: 10000
 * @reserved: 0
 * @kinds: by KVMX_KIND_*; that of KVMX_KIND_NONE is all zero
 *
 * All kinds off switches hints off and puts everything back. KVMX_VM_HINTED tells
 * what is in force, defaults filled in.
 */
struct kvmx_hint {
	__u32 size;
	__u32 flags;
	__u32 budget_us;
	__u32 period_us;
	__u32 calls_per_s;
	__u32 reserved;
	struct kvmx_hint_kind kinds[KVMX_NR_KINDS];
};

/*
 * kvmx_hint_counts.cost: which vCPU should be taken off its CPU, if one has to be?
 * By what its guest says, which may or may not be so: the least first.
 */
#define KVMX_COST_BATCH		0	/* it does not mind */
#define KVMX_COST_USUAL		1	/* it says nothing */
#define KVMX_COST_WAITS		2	/* something urgent waits for an interrupt */
#define KVMX_COST_RUNS		3	/* something urgent runs */
#define KVMX_COST_CRITICAL	4	/* others wait for it */

/**
 * struct kvmx_hint_counts - KVMX_VM_HINT_COUNTS: what came of a vCPU's hints
 * @size: size of this structure in bytes (in)
 * @flags: none are defined: 0 (in)
 * @vcpu: index of the vCPU, or KVMX_STATS_WHOLE_VM for the sums (in)
 * @kind: KVMX_KIND_* (in)
 * @given: hints seen (out)
 * @granted: of these, with an effect (out)
 * @refused_kind: not allowed for this VM (out)
 * @refused_budget: budget used up: throttled (out)
 * @refused_host: would starve a real-time task, or the ceiling of the machine is
 *	reached (out)
 * @refused_bad: malformed (out)
 * @expired: grants that ended by their time (out)
 * @released: grants that the guest gave back in time (out)
 * @late: given back after they had ended (out)
 * @stale: hints found when they were over (out)
 * @time_ns: time on grants (out)
 * @useful_ns: of that, time in which somebody else wanted the CPU (out)
 * @calls: hypercalls of this kind; those that give no hint are of KVMX_KIND_NONE
 *	(out)
 * @area_lost: how often the area could not be reached (out)
 * @calls_refused: hypercalls beyond the limit; of KVMX_KIND_NONE (out)
 * @taken_off: how often it was taken off its CPU while a hint of this kind stood,
 *	and could have gone on; of KVMX_KIND_NONE: while none did (out)
 * @cost: KVMX_COST_* as of when its area was looked at last, whatever the kind; of
 *	the whole VM the largest (out)
 *
 * Everything up to @calls_refused is its first version.
 */
struct kvmx_hint_counts {
	__u32 size;
	__u32 flags;
	__u32 vcpu;
	__u32 kind;
	__u64 given;
	__u64 granted;
	__u64 refused_kind;
	__u64 refused_budget;
	__u64 refused_host;
	__u64 refused_bad;
	__u64 expired;
	__u64 released;
	__u64 late;
	__u64 stale;
	__u64 time_ns;
	__u64 useful_ns;
	__u64 calls;
	__u64 area_lost;
	__u64 calls_refused;
	__u64 taken_off;
	__u64 cost;
};

#endif /* _UAPI_LINUX_KVMX_HINT_H */
