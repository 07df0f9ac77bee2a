/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What lists of counters are written with: what a figure needs, how figures of
 * vCPUs make a VM's, and what every group begins with.
 */
#ifndef KVMX_STATS_NEED_H
#define KVMX_STATS_NEED_H

#include <linux/bits.h>
#include <linux/types.h>

/* What a figure needs to be more than nothing: bits of kvmx_session_have(). */
#define KVMX_NEED_SWITCH	BIT(0) /* scheduling of vCPU threads */
#define KVMX_NEED_USER		BIT(1) /* return of KVM_RUN */
#define KVMX_NEED_FPU		BIT(2) /* begin of KVM_RUN */
#define KVMX_NEED_WAKEUP	BIT(3) /* end of a halt */
#define KVMX_NEED_THROTTLED	BIT(4) /* a kernel that tells throttled from ready */
#define KVMX_NEED_LAYOUT	BIT(5) /* to look into struct kvm_vcpu */
#define KVMX_NEED_FAULT		BIT(6) /* page faults that KVM handles */
#define KVMX_NEED_TABLES	BIT(7) /* KVM's count of their pages */
#define KVMX_NEED_PML		BIT(8) /* a processor that may have it */
#define KVMX_NEED_VMX		BIT(9) /* a host of that vendor */
#define KVMX_NEED_SVM		BIT(10)
#define KVMX_NEED_TAG		BIT(11) /* to read the tag in use */
/* The next four in the order of the functions in stats/session.c. */
#define KVMX_NEED_F_ALL		BIT(12) /* flushes of everything */
#define KVMX_NEED_F_CURRENT	BIT(13) /* of the present page tables */
#define KVMX_NEED_F_GUEST	BIT(14) /* on behalf of the guest */
#define KVMX_NEED_F_ADDRESS	BIT(15) /* of one address */
#define KVMX_NEED_RETENTION	BIT(16) /* all that loses the whole TLB */
#define KVMX_NEED_OPS		BIT(17) /* entries of page tables, and whose they are */
#define KVMX_NEED_COLLAPSE	BIT(18) /* when tables are taken away for huge pages */
#define KVMX_NEED_AWAY		(KVMX_NEED_SWITCH | KVMX_NEED_USER)
#define KVMX_NEED_POLL		(KVMX_NEED_SWITCH | KVMX_NEED_WAKEUP | \
				 KVMX_NEED_LAYOUT)

/* How the figures of several vCPUs make one. */
enum kvmx_fold {
	KVMX_FOLD_NONE,		/* not at all: only vCPUs have it */
	KVMX_FOLD_SUM,
	KVMX_FOLD_MAX,
	KVMX_FOLD_VM,		/* the VM has one of its own */
	KVMX_FOLD_ONLY,		/* the same, and vCPUs have none */
};

/**
 * struct kvmx_group_head - what the block of every group begins with
 * @seq: odd while the block is being written
 * @since: when the present run of counting the group began
 */
struct kvmx_group_head {
	u64 seq;
	u64 since;
};

/* Without what the whole group needs it has no figures at all. */
#define KVMX_GROUP_HEAD(X, group, needs)				\
	X(head.seq,   group ".seq",   INSTANT, NONE,  NONE, needs)	\
	X(head.since, group ".since", INSTANT, CLOCK, VM,   needs)

#endif /* KVMX_STATS_NEED_H */
