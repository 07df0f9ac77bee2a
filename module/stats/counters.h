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

#include "core/exit.h"
#include "core/peek.h"
#include "core/topo.h"
#include "core/vm.h"
#include "stats/counters_tlb.h"
#include "stats/need.h"

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
	X(UNKNOWN, "unknown", 0)		\
	X(THROTTLED, "throttled", KVMX_NEED_SWITCH | KVMX_NEED_THROTTLED)

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
/* What the longest is at most, so that no bucket behind the last is meant. */
#define KVMX_MAX_TICKS		(BIT_ULL(KVMX_HIST_BUCKETS - 1) - 1)

/*
 * What is kept for each exit reason, under the sequence word of the block.
 * X(member, name, type, unit, fold, needs)
 */
#define KVMX_SLOT_COUNTERS(X)						\
	X(count, "count", CUMULATIVE, NONE,  SUM,  0)			\
	X(gross, "gross", CUMULATIVE, CLOCK, SUM,  0)			\
	X(net,	 "net",	  CUMULATIVE, CLOCK, SUM,  KVMX_NEED_AWAY)	\
	X(max,	 "max",	  PEAK,	      CLOCK, MAX,  0)			\
	X(hist,	 "hist",  LOG_HIST,   CLOCK, SUM,  0)

/*
 * KVMX_STATS_SCHED: the scheduling of a vCPU's thread.
 * X(member, name, type, unit, fold, needs)
 */
#define KVMX_SCHED_COUNTERS(X)						\
	KVMX_GROUP_HEAD(X, "sched", KVMX_NEED_SWITCH)			\
	X(voluntary,   "sched.switches.voluntary",			\
			CUMULATIVE, NONE, SUM, KVMX_NEED_SWITCH)	\
	X(involuntary, "sched.switches.involuntary",			\
			CUMULATIVE, NONE, SUM, KVMX_NEED_SWITCH)	\
	X(throttled,   "sched.switches.throttled", CUMULATIVE, NONE, SUM, \
			KVMX_NEED_SWITCH | KVMX_NEED_THROTTLED)		\
	X(placed[KVMX_D_SAME],  "sched.placed.same_cpu",		\
			CUMULATIVE, NONE, SUM, KVMX_NEED_SWITCH)	\
	X(placed[KVMX_D_SMT],   "sched.placed.smt_sibling",		\
			CUMULATIVE, NONE, SUM, KVMX_NEED_SWITCH)	\
	X(placed[KVMX_D_LLC],   "sched.placed.same_llc",		\
			CUMULATIVE, NONE, SUM, KVMX_NEED_SWITCH)	\
	X(placed[KVMX_D_NODE],  "sched.placed.same_node",		\
			CUMULATIVE, NONE, SUM, KVMX_NEED_SWITCH)	\
	X(placed[KVMX_D_OTHER], "sched.placed.other_node",		\
			CUMULATIVE, NONE, SUM, KVMX_NEED_SWITCH)	\
	X(delay, "sched.delay.hist",					\
			LOG_HIST, CLOCK, SUM, KVMX_NEED_SWITCH)		\
	X(poll.success, "sched.poll.success",				\
			CUMULATIVE, NONE, SUM, KVMX_NEED_POLL)		\
	X(poll.failure, "sched.poll.failure",				\
			CUMULATIVE, NONE, SUM, KVMX_NEED_POLL)		\
	X(poll.useful,	"sched.poll.useful",				\
			CUMULATIVE, CLOCK, SUM, KVMX_NEED_POLL)		\
	X(poll.wasted,	"sched.poll.wasted",				\
			CUMULATIVE, CLOCK, SUM, KVMX_NEED_POLL)

/**
 * struct kvmx_poll - polling in front of halts, by KVM's own figures
 * @success: an interrupt came while KVM polled
 * @failure: none came: it had to sleep after all
 * @useful: ticks of the former
 * @wasted: ticks of the latter
 */
struct kvmx_poll {
	u64 success;
	u64 failure;
	u64 useful;
	u64 wasted;
};

/**
 * struct kvmx_sched - the group's block
 * @head: see there
 * @voluntary: the thread slept
 * @involuntary: it was taken off though it could have gone on
 * @throttled: of these, because its cgroup had used up its quota
 * @placed: it was put on a CPU again, by distance from the CPU it had before
 * @delay: how long it had waited for that CPU since it was runnable
 * @poll: halt polling
 */
struct kvmx_sched {
	struct kvmx_group_head head;
	u64 voluntary;
	u64 involuntary;
	u64 throttled;
	u64 placed[KVMX_NR_DISTANCES];
	u64 delay[KVMX_HIST_BUCKETS];
	struct kvmx_poll poll;
};

/* Why the second level of page tables stopped an access. */
enum kvmx_cause {
	KVMX_C_NOT_PRESENT,	/* nothing is mapped there yet */
	KVMX_C_WRITE_PROTECTED,	/* a write, for none of the two reasons below */
	KVMX_C_DIRTY_LOGGING,	/* a write where dirty pages are logged */
	KVMX_C_READ_ONLY,	/* a write to a slot that is read-only */
	KVMX_C_PERMISSION,	/* mapped, and writable, but not for that */
	KVMX_C_MMIO,		/* no memory there */
	KVMX_C_SHADOW,		/* shadow paging: a fault in the guest's tables */
	KVMX_NR_CAUSES
};

/* What KVM made of it. */
enum kvmx_outcome {
	KVMX_O_FIXED,		/* mapped, or made writable */
	KVMX_O_EMULATED,	/* KVM carried the access out itself */
	KVMX_O_MMIO,		/* the same, for there is no memory */
	KVMX_O_SPURIOUS,	/* somebody else had just fixed it */
	KVMX_O_RETRIED,		/* nothing: the guest runs into it again */
	KVMX_O_UNTOLD,		/* KVM counted it nowhere */
	KVMX_NR_OUTCOMES
};

#define KVMX_MMU_ACCESS(X, sym, name)					\
	X(access[KVMX_ACCESS_##sym], "mmu.access." name,		\
			CUMULATIVE, NONE, SUM, KVMX_NEED_FAULT)
#define KVMX_MMU_CAUSE(X, sym, name, needs)				\
	X(cause[KVMX_C_##sym], "mmu.cause." name,			\
			CUMULATIVE, NONE, SUM, needs)
#define KVMX_MMU_OP(X, sym, name, needs)				\
	X(op[KVMX_OP_##sym], "mmu.op." name, CUMULATIVE, NONE, ONLY, needs)
#define KVMX_MMU_OUTCOME(X, sym, name)					\
	X(outcome[KVMX_O_##sym], "mmu.outcome." name,			\
			CUMULATIVE, NONE, SUM,				\
			KVMX_NEED_FAULT | KVMX_NEED_LAYOUT)

/*
 * KVMX_STATS_MMU: the second level of page tables (EPT, NPT).
 * X(member, name, type, unit, fold, needs)
 */
#define KVMX_MMU_COUNTERS(X)						\
	KVMX_GROUP_HEAD(X, "mmu", 0)					\
	KVMX_MMU_ACCESS(X, READ, "read")				\
	KVMX_MMU_ACCESS(X, WRITE, "write")				\
	KVMX_MMU_ACCESS(X, FETCH, "fetch")				\
	KVMX_MMU_ACCESS(X, UNKNOWN, "unknown")				\
	KVMX_MMU_CAUSE(X, NOT_PRESENT, "not_present", KVMX_NEED_FAULT)	\
	KVMX_MMU_CAUSE(X, WRITE_PROTECTED, "write_protected",		\
			KVMX_NEED_FAULT)				\
	KVMX_MMU_CAUSE(X, DIRTY_LOGGING, "dirty_logging",		\
			KVMX_NEED_FAULT | KVMX_NEED_LAYOUT)		\
	KVMX_MMU_CAUSE(X, READ_ONLY, "read_only",			\
			KVMX_NEED_FAULT | KVMX_NEED_LAYOUT)		\
	KVMX_MMU_CAUSE(X, PERMISSION, "permission", KVMX_NEED_FAULT)	\
	KVMX_MMU_CAUSE(X, MMIO, "mmio", KVMX_NEED_FAULT)		\
	KVMX_MMU_CAUSE(X, SHADOW, "shadow", KVMX_NEED_FAULT)		\
	X(walks, "mmu.page_walk", CUMULATIVE, NONE, SUM,		\
			KVMX_NEED_FAULT)				\
	KVMX_MMU_OUTCOME(X, FIXED, "fixed")				\
	KVMX_MMU_OUTCOME(X, EMULATED, "emulated")			\
	KVMX_MMU_OUTCOME(X, MMIO, "mmio")				\
	KVMX_MMU_OUTCOME(X, SPURIOUS, "spurious")			\
	KVMX_MMU_OUTCOME(X, RETRIED, "retried")				\
	KVMX_MMU_OUTCOME(X, UNTOLD, "untold")				\
	X(fast, "mmu.fast", CUMULATIVE, NONE, SUM,			\
			KVMX_NEED_FAULT | KVMX_NEED_LAYOUT)		\
	X(time, "mmu.time", CUMULATIVE, CLOCK, SUM, KVMX_NEED_FAULT)	\
	X(hist, "mmu.hist", LOG_HIST, CLOCK, SUM, KVMX_NEED_FAULT)	\
	X(pages[0], "mmu.pages.4k", INSTANT, NONE, ONLY, KVMX_NEED_LAYOUT) \
	X(pages[1], "mmu.pages.2m", INSTANT, NONE, ONLY, KVMX_NEED_LAYOUT) \
	X(pages[2], "mmu.pages.1g", INSTANT, NONE, ONLY, KVMX_NEED_LAYOUT) \
	X(tables, "mmu.pages.tables", INSTANT, BYTES, ONLY,		\
			KVMX_NEED_LAYOUT | KVMX_NEED_TABLES)		\
	X(read_at, "mmu.pages.read_at", INSTANT, CLOCK, ONLY,		\
			KVMX_NEED_LAYOUT)				\
	X(levels, "mmu.walk.levels", INSTANT, NONE, MAX, KVMX_NEED_LAYOUT) \
	X(ad,	  "mmu.walk.ad",     INSTANT, BOOL, MAX, KVMX_NEED_LAYOUT) \
	X(pml,	  "mmu.walk.pml",    INSTANT, BOOL, MAX,		\
			KVMX_NEED_LAYOUT | KVMX_NEED_PML)		\
	KVMX_MMU_OP(X, MAPPED, "mapped", KVMX_NEED_OPS)			\
	KVMX_MMU_OP(X, ZAPPED, "zapped", KVMX_NEED_OPS)			\
	KVMX_MMU_OP(X, SPLIT, "split", KVMX_NEED_OPS)			\
	KVMX_MMU_OP(X, COLLAPSED, "collapsed",				\
			KVMX_NEED_OPS | KVMX_NEED_COLLAPSE)		\
	KVMX_MMU_OP(X, WRITE_PROTECTED, "write_protected", KVMX_NEED_OPS) \
	X(unattributed, "mmu.op.unattributed", CUMULATIVE, NONE, ONLY,	\
			KVMX_NEED_OPS)

/**
 * struct kvmx_mmu - the group's block
 * @head: see there
 * @access: violations by what the guest wanted to do
 * @cause: the same by why it could not
 * @walks: of these, such that the processor ran into while it walked the
 *	guest's own page tables
 * @outcome: those that are handled, by what KVM made of them
 * @fast: of these, such that KVM handled without its MMU lock
 * @time: from exit to entry, of violations on memory, summed
 * @hist: the same as a histogram
 * @pages: leaf entries by level, of a VM
 * @tables: bytes of the tables themselves, of a VM
 * @read_at: when these were read, 0: they could not be yet
 * @levels: of the walk; 0: not seen yet, or shadow paging
 * @ad: the processor keeps accessed and dirty bits
 * @pml: it logs written pages at present
 * @op: operations on mappings, of a VM
 * @unattributed: such that KVM does not tell whose they are, of the host
 */
struct kvmx_mmu {
	struct kvmx_group_head head;
	u64 access[KVMX_NR_ACCESSES];
	u64 cause[KVMX_NR_CAUSES];
	u64 walks;
	u64 outcome[KVMX_NR_OUTCOMES];
	u64 fast;
	u64 time;
	u64 hist[KVMX_HIST_BUCKETS];
	u64 pages[KVMX_NR_LEVELS];
	u64 tables;
	u64 read_at;
	u64 levels;
	u64 ad;
	u64 pml;
	u64 op[KVMX_NR_MMU_OPS];
	u64 unattributed;
};

/*
 * KVMX_STATS_IO: port I/O and MMIO.
 * X(member, name, type, unit, fold, needs)
 */
#define KVMX_IO_COUNTERS(X)						\
	KVMX_GROUP_HEAD(X, "io", 0)					\
	X(in,	     "io.port.in",   CUMULATIVE, NONE,  SUM, 0)		\
	X(out,	     "io.port.out",  CUMULATIVE, NONE,  SUM, 0)		\
	X(port_time, "io.port.time", CUMULATIVE, CLOCK, SUM, 0)		\
	X(port_hist, "io.port.hist", LOG_HIST,	 CLOCK, SUM, 0)		\
	X(mmio,	     "io.mmio.count", CUMULATIVE, NONE,	SUM, 0)		\
	X(mmio_time, "io.mmio.time", CUMULATIVE, CLOCK, SUM, 0)		\
	X(mmio_hist, "io.mmio.hist", LOG_HIST,	 CLOCK, SUM, 0)

/**
 * struct kvmx_io - the group's block
 * @head: see there
 * @in: exits that read from a port
 * @out: exits that write to one
 * @port_time: of both, from exit to entry, summed
 * @port_hist: the same as a histogram
 * @mmio: exits on addresses where no memory is
 * @mmio_time: from exit to entry, summed
 * @mmio_hist: the same as a histogram
 */
struct kvmx_io {
	struct kvmx_group_head head;
	u64 in;
	u64 out;
	u64 port_time;
	u64 port_hist[KVMX_HIST_BUCKETS];
	u64 mmio;
	u64 mmio_time;
	u64 mmio_hist[KVMX_HIST_BUCKETS];
};

/*
 * All groups. X(bit, member of struct kvmx_data, LIST)
 */
#define KVMX_GROUPS(X)							\
	X(KVMX_STATS_SCHED, sched, KVMX_SCHED_COUNTERS)			\
	X(KVMX_STATS_MMU, mmu, KVMX_MMU_COUNTERS)			\
	X(KVMX_STATS_IO, io, KVMX_IO_COUNTERS)				\
	X(KVMX_STATS_TLB, tlb, KVMX_TLB_COUNTERS)

/* Room for a copy of any group's block (stats/snap.c). */
#define KVMX_GROUP_MAX	832

/**
 * struct kvmx_slot - one exit reason of one vCPU
 * @count: exits; one that was noted and not counted yet (core/hot.h) is missing
 * @gross: from exit to next entry, summed
 * @net: the same less VMM, polling, halted, waiting and ready time
 * @max: longest (gross), at most KVMX_MAX_TICKS
 * @hist: gross times by power of two; sums up to @count or, while an exit is
 *	being handled, to @count - 1
 *
 * An exit writes the first line and one bucket.
 */
struct kvmx_slot {
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
 * @seq: odd while the block, that is all up to @sched, or a slot is being
 *	written
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
 * @sched: KVMX_STATS_SCHED
 * @mmu: KVMX_STATS_MMU
 * @io: KVMX_STATS_IO
 * @tlb: KVMX_STATS_TLB
 * @slot: kvmx_schema_nr_slots() of them
 *
 * Each group has a sequence word of its own.
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
	struct kvmx_sched sched ____cacheline_aligned;
	struct kvmx_mmu mmu ____cacheline_aligned;
	struct kvmx_io io ____cacheline_aligned;
	struct kvmx_tlb tlb ____cacheline_aligned;
	struct kvmx_slot slot[];
};

#define X(bit, member, list)						\
	static_assert(sizeof_field(struct kvmx_data, member) <= KVMX_GROUP_MAX);
KVMX_GROUPS(X)
#undef X

/* Where the block of data that is not a group's ends. */
#define KVMX_BLOCK_SIZE	offsetof(struct kvmx_data, sched)

#endif /* KVMX_STATS_COUNTERS_H */
