/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVMX_STATS_TLB in the list of counters (stats/counters.h).
 */
#ifndef KVMX_STATS_COUNTERS_TLB_H
#define KVMX_STATS_COUNTERS_TLB_H

#include <linux/types.h>

#include "core/topo.h"
#include "stats/need.h"

/* What was done to flush a TLB, in words of the processor. */
enum kvmx_flush_kind {
	KVMX_K_INVEPT_GLOBAL,	/* VMX: everything of every guest */
	KVMX_K_INVEPT_CONTEXT,	/* all that was made with its EPT */
	KVMX_K_INVVPID_ALL,	/* without EPT: everything of every guest */
	KVMX_K_INVVPID_CONTEXT,	/* without EPT: all of its tag */
	KVMX_K_INVVPID_ADDRESS,	/* one address of its tag */
	KVMX_K_GUEST,		/* INVVPID of its tag, on behalf of the guest */
	KVMX_K_ASID,		/* SVM: all of its tag (tlb_ctl) */
	KVMX_K_NEW_ASID,	/* it got a tag that nothing is stored under */
	KVMX_K_INVLPGA,		/* one address of its tag */
	KVMX_NR_FLUSH_KINDS
};

/* Why. */
enum kvmx_flush_cause {
	KVMX_W_MOVED,		/* it was loaded on another physical CPU */
	KVMX_W_SIBLING,		/* another vCPU of the VM ran here, with its tag */
	KVMX_W_REMOTE,		/* memory management asked all vCPUs of the VM */
	KVMX_W_PARAVIRTUAL,	/* another vCPU's guest asked, by KVM's means */
	KVMX_W_INSTRUCTION,	/* an instruction of the guest that exits */
	KVMX_W_NESTED,		/* a guest of the guest begins, ends, or asks */
	KVMX_W_RESET,		/* created, or reset */
	KVMX_W_NEW_ROOT,	/* other page tables were loaded */
	KVMX_W_VMM,		/* the VMM set its registers */
	KVMX_W_TAGS_USED_UP,	/* the CPU began to give its tags out anew */
	KVMX_W_UNATTRIBUTED,	/* none of these, or not known */
	KVMX_NR_FLUSH_CAUSES
};

/* What became of a vCPU's entries while it was away. */
enum kvmx_tlb_fate {
	KVMX_TLB_FATE_UNKNOWN,
	KVMX_TLB_FATE_KEPT,
	KVMX_TLB_FATE_LOST,
};

#define KVMX_TLB_KIND(X, sym, name, needs)				\
	X(kind[KVMX_K_##sym], "tlb.kind." name,				\
			CUMULATIVE, NONE, SUM, needs)
#define KVMX_TLB_CAUSE(X, sym, name, needs)				\
	X(cause[KVMX_W_##sym], "tlb.cause." name,			\
			CUMULATIVE, NONE, SUM, needs)
#define KVMX_TLB_ALSO(X, sym, name, needs)				\
	X(also[KVMX_W_##sym], "tlb.also." name,				\
			CUMULATIVE, NONE, SUM, needs)
#define KVMX_TLB_RETURN(X, sym, name)					\
	X(kept[KVMX_D_##sym], "tlb.kept." name,				\
			CUMULATIVE, NONE, SUM, KVMX_NEED_RETENTION)	\
	X(lost[KVMX_D_##sym], "tlb.lost." name,				\
			CUMULATIVE, NONE, SUM, KVMX_NEED_RETENTION)

/*
 * KVMX_STATS_TLB: the tag of a vCPU's TLB entries (VPID, ASID), and flushes.
 * X(member, name, type, unit, fold, needs)
 */
#define KVMX_TLB_COUNTERS(X)						\
	KVMX_GROUP_HEAD(X, "tlb", 0)					\
	X(tag,	      "tlb.tag.number",	    INSTANT, NONE,  NONE, KVMX_NEED_TAG) \
	X(tag_cpu,    "tlb.tag.cpu",	    INSTANT, NONE,  NONE, KVMX_NEED_TAG) \
	X(generation, "tlb.tag.generation", INSTANT, NONE,  NONE,	\
			KVMX_NEED_TAG | KVMX_NEED_SVM)			\
	X(tag_since,  "tlb.tag.since",	    INSTANT, CLOCK, NONE, KVMX_NEED_TAG) \
	X(changes,    "tlb.tag.changes", CUMULATIVE, NONE, SUM, KVMX_NEED_TAG) \
	X(flushes,    "tlb.flushes",	 CUMULATIVE, NONE, SUM, 0)	\
	KVMX_TLB_KIND(X, INVEPT_GLOBAL, "invept_global",		\
			KVMX_NEED_VMX | KVMX_NEED_F_ALL)		\
	KVMX_TLB_KIND(X, INVEPT_CONTEXT, "invept_context",		\
			KVMX_NEED_VMX | KVMX_NEED_F_CURRENT)		\
	KVMX_TLB_KIND(X, INVVPID_ALL, "invvpid_all",			\
			KVMX_NEED_VMX | KVMX_NEED_F_ALL)		\
	KVMX_TLB_KIND(X, INVVPID_CONTEXT, "invvpid_context",		\
			KVMX_NEED_VMX | KVMX_NEED_F_CURRENT)		\
	KVMX_TLB_KIND(X, INVVPID_ADDRESS, "invvpid_address",		\
			KVMX_NEED_VMX | KVMX_NEED_F_ADDRESS)		\
	KVMX_TLB_KIND(X, GUEST, "guest",				\
			KVMX_NEED_VMX | KVMX_NEED_F_GUEST)		\
	KVMX_TLB_KIND(X, ASID, "asid", KVMX_NEED_SVM | KVMX_NEED_TAG)	\
	KVMX_TLB_KIND(X, NEW_ASID, "new_asid",				\
			KVMX_NEED_SVM | KVMX_NEED_TAG)			\
	KVMX_TLB_KIND(X, INVLPGA, "invlpga",				\
			KVMX_NEED_SVM | KVMX_NEED_F_ADDRESS)		\
	KVMX_TLB_CAUSE(X, MOVED, "moved", 0)				\
	KVMX_TLB_CAUSE(X, SIBLING, "sibling", 0)			\
	KVMX_TLB_CAUSE(X, REMOTE, "remote", KVMX_NEED_F_ALL)		\
	KVMX_TLB_CAUSE(X, PARAVIRTUAL, "paravirtual", KVMX_NEED_F_GUEST) \
	KVMX_TLB_CAUSE(X, INSTRUCTION, "instruction", 0)		\
	KVMX_TLB_CAUSE(X, NESTED, "nested", 0)				\
	KVMX_TLB_CAUSE(X, RESET, "reset", 0)				\
	KVMX_TLB_CAUSE(X, NEW_ROOT, "new_root", KVMX_NEED_F_CURRENT)	\
	KVMX_TLB_CAUSE(X, VMM, "vmm", 0)				\
	KVMX_TLB_CAUSE(X, TAGS_USED_UP, "tags_used_up", KVMX_NEED_SVM)	\
	KVMX_TLB_CAUSE(X, UNATTRIBUTED, "unattributed", 0)		\
	KVMX_TLB_ALSO(X, MOVED, "moved", 0)				\
	KVMX_TLB_ALSO(X, SIBLING, "sibling", 0)				\
	KVMX_TLB_ALSO(X, REMOTE, "remote", KVMX_NEED_F_ALL)		\
	KVMX_TLB_ALSO(X, PARAVIRTUAL, "paravirtual", KVMX_NEED_F_GUEST)	\
	KVMX_TLB_ALSO(X, INSTRUCTION, "instruction", 0)			\
	KVMX_TLB_ALSO(X, NESTED, "nested", 0)				\
	KVMX_TLB_ALSO(X, RESET, "reset", 0)				\
	KVMX_TLB_ALSO(X, NEW_ROOT, "new_root", KVMX_NEED_F_CURRENT)	\
	KVMX_TLB_ALSO(X, VMM, "vmm", 0)					\
	KVMX_TLB_RETURN(X, SAME, "same_cpu")				\
	KVMX_TLB_RETURN(X, SMT, "smt_sibling")				\
	KVMX_TLB_RETURN(X, LLC, "same_llc")				\
	KVMX_TLB_RETURN(X, NODE, "same_node")				\
	KVMX_TLB_RETURN(X, OTHER, "other_node")				\
	X(sibling_ran, "tlb.sibling_ran", CUMULATIVE, NONE, SUM, 0)	\
	X(missed, "tlb.missed", CUMULATIVE, NONE, SUM, KVMX_NEED_LAYOUT)

/**
 * struct kvmx_tlb - the group's block
 * @head: see there
 * @tag: number under which the TLB keeps its entries: VPID or ASID; 0: none
 * @tag_cpu: the physical CPU on which it was used last
 * @generation: of that CPU's numbers, when it was given
 * @tag_since: when it was seen first, 0: not read yet
 * @changes: other numbers, or the same anew, since
 * @flushes: of its entries, all of them or one address
 * @kind: the same by what was done
 * @cause: the same by why: what asked first
 * @also: what asked besides before it was done
 * @kept: it was put on a CPU again and found its entries, by distance
 * @lost: the same, and they were gone
 * @sibling_ran: it entered where another vCPU of its VM had run since
 * @missed: flushes that KVM counted and no probe saw
 */
struct kvmx_tlb {
	struct kvmx_group_head head;
	u64 tag;
	u64 tag_cpu;
	u64 generation;
	u64 tag_since;
	u64 changes;
	u64 flushes;
	u64 kind[KVMX_NR_FLUSH_KINDS];
	u64 cause[KVMX_NR_FLUSH_CAUSES];
	u64 also[KVMX_NR_FLUSH_CAUSES];
	u64 kept[KVMX_NR_DISTANCES];
	u64 lost[KVMX_NR_DISTANCES];
	u64 sibling_ran;
	u64 missed;
};

#endif /* KVMX_STATS_COUNTERS_TLB_H */
