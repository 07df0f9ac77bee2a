/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one list of counters. Layout of the data, descriptors, sums and notes all
 * come from here; docs/abi.md tells what each figure means.
 */
#ifndef KVMX_STATS_COUNTERS_H
#define KVMX_STATS_COUNTERS_H

#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/cache.h>
#include <linux/kvm.h>
#include <linux/types.h>
#include <linux/kvmx.h>

/* What a figure needs to be more than nothing: bits of kvmx_session_have(). */
#define KVMX_NEED_SWITCH	BIT(0) /* scheduling of vCPU threads */
#define KVMX_NEED_USER		BIT(1) /* return of KVM_RUN */
#define KVMX_NEED_FPU		BIT(2) /* begin of KVM_RUN */
#define KVMX_NEED_WAKEUP	BIT(3) /* end of a halt */
#define KVMX_NEED_AWAY		(KVMX_NEED_SWITCH | KVMX_NEED_USER)

/* How the figures of several vCPUs make one. */
enum kvmx_fold {
	KVMX_FOLD_NONE,		/* not at all: only vCPUs have it */
	KVMX_FOLD_SUM,
	KVMX_FOLD_MAX,
	KVMX_FOLD_VM,		/* the VM has one of its own */
};

/*
 * Classes of time: every tick since counting began is in exactly one.
 * X(symbol, name, needs)
 */
#define KVMX_TIME_CLASSES(X)			\
	X(GUEST,   "guest",   0)		\
	X(EXIT,    "exit",    0)		\
	X(POLL,    "poll",    KVMX_NEED_SWITCH | KVMX_NEED_WAKEUP) \
	X(USER,    "user",    KVMX_NEED_USER)	\
	X(HALTED,  "halted",  KVMX_NEED_SWITCH)	\
	X(READY,   "ready",   KVMX_NEED_SWITCH)	\
	X(WAIT,    "wait",    KVMX_NEED_SWITCH)	\
	X(UNKNOWN, "unknown", 0)

enum kvmx_time_class {
#define X(sym, name, needs) KVMX_T_##sym,
	KVMX_TIME_CLASSES(X)
#undef X
	KVMX_NR_TIMES
};

/*
 * The block at the head of a vCPU's data, under one sequence word.
 * X(member, name, type, unit, fold, needs)
 */
#define KVMX_BLOCK_COUNTERS(X)						\
	X(seq,		  "seq",		 INSTANT, NONE,	  NONE, 0) \
	X(state,	  "state",		 INSTANT, NONE,	  NONE, 0) \
	X(state_since,	  "state_since",	 INSTANT, CLOCK,  NONE, 0) \
	X(accounted,	  "accounted",		 INSTANT, CLOCK,  NONE, 0) \
	X(counting_since, "counting_since",	 INSTANT, CLOCK,  VM,	0) \
	X(gone,		  "gone",		 INSTANT, BOOL,	  VM,	0) \
	X(entries,	  "entries",		 CUMULATIVE, NONE, SUM,	0) \
	X(entries_without_exit, "entries_without_exit",		\
						 CUMULATIVE, NONE, SUM,	0) \
	X(exits_without_entry,	"exits_without_entry",			\
						 CUMULATIVE, NONE, SUM,	0) \
	X(user_exits,	  "user_exits",		 CUMULATIVE, NONE, SUM,	\
							KVMX_NEED_USER)

/* The last bucket is open: 2^41 cycles are about ten minutes. */
#define KVMX_HIST_BUCKETS	43

/*
 * What is kept for each exit reason, under one sequence word.
 * X(member, name, type, unit, fold, needs)
 */
#define KVMX_SLOT_COUNTERS(X)						\
	X(seq,	 "seq",	  INSTANT,    NONE,  NONE, 0)			\
	X(count, "count", CUMULATIVE, NONE,  SUM,  0)			\
	X(gross, "gross", CUMULATIVE, CLOCK, SUM,  0)			\
	X(net,	 "net",	  CUMULATIVE, CLOCK, SUM,  KVMX_NEED_AWAY)	\
	X(max,	 "max",	  PEAK,	      CLOCK, MAX,  0)			\
	X(hist,	 "hist",  LOG_HIST,   CLOCK, SUM,  0)

/**
 * struct kvmx_slot - one exit reason of one vCPU
 * @seq: odd while the slot is being written
 * @count: exits, the one that is being handled included
 * @gross: from exit to next entry, summed
 * @net: the same less VMM, polling, halted, waiting and ready time
 * @max: longest (gross)
 * @hist: gross times by power of two; sums up to @count or, while an exit is
 *	being handled, to @count - 1
 *
 * An exit writes the first line, an entry the first and one bucket.
 */
struct kvmx_slot {
	u64 seq;
	u64 count;
	u64 gross;
	u64 net;
	u64 max;
	u64 hist[KVMX_HIST_BUCKETS];
} ____cacheline_aligned;

static_assert(sizeof(struct kvmx_slot) == 384);

/**
 * struct kvmx_data - what a vCPU's statistics fd shows, as it lies in memory
 *
 * Page-aligned, mapped read-only into readers, written by one thread at a time.
 * The sums of a VM have the same layout.
 *
 * @seq: odd while the block, that is all up to @slot, is being written
 * @accounted: @time is complete up to here; since then: @state
 * @state: KVMX_STATE_*
 * @state_since: when that began
 * @time: ticks by class
 * @entries: entries into the guest
 * @entries_without_exit: of these, such that KVM told of no exit after them
 * @exits_without_entry: exits that KVM told of outside the guest; in no slot
 * @user_exits: returns of KVM_RUN
 * @counting_since: when the present run of counting began
 * @gone: the VM does not exist any more
 * @unlisted_code: the exit codes behind the last KVMX_UNLISTED slots
 * @slot: kvmx_schema_nr_slots() of them
 */
struct kvmx_data {
	u64 seq;
	u64 accounted;
	u64 state;
	u64 state_since;
	u64 time[KVMX_NR_TIMES];
	u64 entries;
	u64 entries_without_exit;
	u64 exits_without_entry;
	u64 user_exits;
	u64 counting_since;
	u64 gone;
	u64 unlisted_code[KVMX_UNLISTED];
	struct kvmx_slot slot[];
};

#endif /* KVMX_STATS_COUNTERS_H */
