/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * kvmx: the contract between a guest and the kvmx module of its host.
 *
 * A guest kernel (CPL 0, not nested) calls by KVM's own convention: VMCALL or
 * VMMCALL, number in RAX, arguments in RBX, RCX, RDX and RSI, answer in RAX. Only
 * the low 32 bits of an argument count, so that 32-bit guests are the same; an
 * answer is at least 0, or one of KVM's error numbers below zero.
 *
 * A host that allows this guest nothing, has no kvmx, or took the call away from
 * it for a moment answers -KVM_ENOSYS. After a successful KVMX_HC_QUERY that means
 * "call again". Every call may be made twice. Beyond the limit of calls per
 * second that the host has set, -KVM_E2BIG is the answer to any call.
 *
 * Registering anew is how an area reaches a host that the guest was moved to: a
 * guest does it now and then. A host that goes, or that allows this guest nothing
 * any more, has forgotten all areas.
 *
 * The area is little-endian. Cards of every call with all errors:
 * docs/hypercalls.md.
 */
#ifndef _UAPI_LINUX_KVMX_PARA_H
#define _UAPI_LINUX_KVMX_PARA_H

#include <linux/types.h>

#define KVMX_PARA_VERSION	1

/* The number: nothing that KVM uses, "kvmx" in ASCII. */
#define KVMX_HC			0x6b766d78U

/* First argument. */
#define KVMX_HC_QUERY		0	/* (KVMX_QUERY_*) */
#define KVMX_HC_REGISTER	1	/* (address, address >> 32, size): the
					 * guest-physical address of the area of
					 * the vCPU that calls
					 */
#define KVMX_HC_UNREGISTER	2	/* () */
#define KVMX_HC_RELEASE		3	/* (): end this vCPU's grant now */
#define KVMX_HC_YIELD_TO	4	/* (APIC id of a vCPU of this VM) */
#define KVMX_HC_HINT		5	/* (hint word, expected length in us): for
					 * guests that share no memory, and for
					 * sections long enough to pay an exit
					 */

#define KVMX_NR_HC		6

/* What QUERY asks for. */
#define KVMX_QUERY_VERSION	0	/* KVMX_PARA_VERSION of the host */
#define KVMX_QUERY_KINDS	1	/* 1 << KVMX_KIND_*: allowed now */
#define KVMX_QUERY_AREA_SIZE	2	/* bytes of an area that the host knows */
#define KVMX_QUERY_FEATURES	3	/* KVMX_PARA_* bits */

#define KVMX_PARA_AREA		(1U << 0) /* REGISTER works here */
#define KVMX_PARA_USER_WORD	(1U << 1) /* kvmx_area_guest.user is looked at */

/* Kinds of hints. */
#define KVMX_KIND_NONE		0	/* nothing is said: takes a hint back */
#define KVMX_KIND_CRITICAL	1	/* better not taken off now; if it must be,
					 * bring it back soon
					 */
#define KVMX_KIND_LATENCY	2	/* a real-time or interactive task runs or
					 * waits for its interrupt
					 */
#define KVMX_KIND_BATCH		3	/* throughput counts; longer slices are fine */
#define KVMX_KIND_YIELD_TO	4	/* spins for another vCPU: YIELD_TO only */

#define KVMX_NR_KINDS		5

/* Urgency of KVMX_KIND_LATENCY. */
#define KVMX_LATENCY_WAITS	0 /* not now, but as soon as an interrupt comes */
#define KVMX_LATENCY_RUNS	1 /* now */

/*
 * A hint word: kind in bits 0-7, nesting in bits 8-15 (how many such sections are
 * open, at least 1 unless the kind is none), urgency in bits 16-23 (0 least),
 * the others 0.
 */
#define KVMX_HINT_WORD(kind, nesting, urgency) \
	((kind) | ((nesting) << 8) | ((urgency) << 16))
#define KVMX_HINT_KIND(word)	((word) & 0xff)
#define KVMX_HINT_NESTING(word)	(((word) >> 8) & 0xff)
#define KVMX_HINT_URGENCY(word)	(((word) >> 16) & 0xff)
#define KVMX_HINT_RESERVED	0xff000000U

/**
 * struct kvmx_area_guest - what the guest says, by plain stores, without an exit
 * @hint: a hint word
 * @length_us: how long it expects that to last, 0: it does not know
 * @seq: counted up with every new hint, so that a hint is granted once
 * @reserved: 0
 * @user: guest-physical address of the hint word of the running thread, 0: it has
 *	none. Naturally aligned; looked at where @hint is none
 * @unused: 0
 */
struct kvmx_area_guest {
	__u32 hint;
	__u32 length_us;
	__u32 seq;
	__u32 reserved;
	__u64 user;
	__u64 unused[5];
};

/* kvmx_area_host.state */
#define KVMX_GRANT_ON		(1U << 0) /* a grant is in force */
#define KVMX_GRANT_THROTTLED	(1U << 1) /* the budget is used up */
#define KVMX_GRANT_LATE		(1U << 2) /* the last one ended by itself: released
					   * too late
					   */

/**
 * struct kvmx_area_host - what the host says; nothing of other VMs, no CPU numbers
 * @version: KVMX_PARA_VERSION
 * @size: bytes of the area that the host knows
 * @kinds: 1 << KVMX_KIND_*: allowed now
 * @state: KVMX_GRANT_* bits
 * @budget_us: what is left of the budget of this period
 * @seq: kvmx_area_guest.seq of the last hint that was looked at
 * @preempted: how often this vCPU was taken off while it could have gone on
 * @generation: changes when the area was lost and found again: register anew
 * @run_delay_ns: how long this vCPU waited for a CPU so far
 * @granted: grants so far
 * @unused: 0
 */
struct kvmx_area_host {
	__u32 version;
	__u32 size;
	__u32 kinds;
	__u32 state;
	__u32 budget_us;
	__u32 seq;
	__u32 preempted;
	__u32 generation;
	__u64 run_delay_ns;
	__u64 granted;
	__u64 unused[2];
};

/**
 * struct kvmx_area - the area of a vCPU: 64-byte-aligned, inside one page of the
 *	guest's ordinary memory
 * @guest: written by the guest only
 * @host: written by the host only
 */
struct kvmx_area {
	struct kvmx_area_guest guest;
	struct kvmx_area_host host;
};

#endif /* _UAPI_LINUX_KVMX_PARA_H */
