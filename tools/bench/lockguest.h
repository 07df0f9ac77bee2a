/* SPDX-License-Identifier: GPL-2.0-only */
/* What lockload and its guest tell each other. */
#ifndef KVMX_BENCH_LOCKGUEST_H
#define KVMX_BENCH_LOCKGUEST_H

#include <stdint.h>
#include <linux/kvmx_para.h>

/* What a vCPU does besides taking the lock. */
#define LOCK_TICKET	(1U << 0) /* in the order of asking; else who is first */
#define LOCK_AREA	(1U << 1) /* says *critical* in its area, while it has it */
#define LOCK_EARLY	(1U << 2) /* ... and while it waits for it */
#define LOCK_RELEASE	(1U << 3) /* ... and gives back what it was granted */
#define LOCK_CALL	(1U << 4) /* says so by a hypercall */
#define LOCK_YIELD	(1U << 5) /* makes way for the owner where that takes long */

#define LOCK_QUEUE	64

struct lock_shared {
	uint32_t owner;			/* vCPU and 1; 0: nobody */
	uint32_t next;			/* ticket */
	uint32_t serving;
	uint32_t stop;
	uint32_t waits[LOCK_QUEUE];	/* vCPU and 1, by ticket */
};

struct lock_room {
	struct kvmx_area area;
	uint64_t sections;
	uint32_t id;
	uint32_t flags;
	uint32_t intel;
	uint32_t inside;		/* turns with the lock */
	uint32_t outside;		/* ... and without it */
	uint32_t length_us;		/* what it says of the former */
	int64_t failed;			/* what REGISTER said, if not 0 */
};

void lock_guest(struct lock_room *room);

#endif /* KVMX_BENCH_LOCKGUEST_H */
