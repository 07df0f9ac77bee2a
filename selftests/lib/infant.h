/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What tests of births begin with: a VM to be placed, and threads that look
 * where they are in their very first instruction.
 */
#ifndef KVMX_LIB_INFANT_H
#define KVMX_LIB_INFANT_H

#include <stdbool.h>
#include <stdint.h>

#include "place.h"
#include "vmm.h"

/* Where the classes of threads are placed. */
#define EMULATOR	(1 << 1)
#define VCPU		(1 << 2)
#define IO		(1 << 3)

/* A VM of this process, with one vCPU, and how it is to be placed. */
struct nursery {
	int fd;			/* of kvmx; closing it ends the placement */
	struct vmm *vm;
	struct vmm_vcpu *v;
	struct placing *p;
};

/* False where there are fewer than four CPUs. */
bool nursery_begin(struct nursery *n);
void nursery_end(struct nursery *n);
/* Unloads kvmx, and loads it with parameters; its VM fd is another then. */
void nursery_reload(struct nursery *n, const char *params);
/* Ends the program where that fails. */
void nursery_place(struct nursery *n);

/* Has a thread these CPUs, within so many ms? */
bool soon(int tid, uint64_t cpus, int ms);

/*
 * A thread without a library in front of it: its first instruction in user space
 * reads the CPU that it runs on (as the vDSO does), its first system call what
 * it may use.
 */
struct infant {
	volatile int tid;		/* cleared by the kernel at its end */
	volatile unsigned int first;	/* CPU of its first instruction */
	volatile unsigned int later;	/* and after a system call */
	volatile uint64_t cpus;
	volatile long got;
	char stack[4096] __attribute__((aligned(16)));
};

/* False where there is no thread. */
bool infant_start(struct infant *i);
void infant_join(struct infant *i);
/* It was there all the time, and could not have been elsewhere. */
bool infant_was_at(const struct infant *i, uint64_t cpus);

/* A thread that runs a vCPU once, and then makes others, one after the other. */
struct storm {
	struct vmm_vcpu *v;
	bool patient;		/* until it has the vCPU's CPU itself */
	unsigned int nr;
	unsigned int gap_us;
	unsigned int good;	/* infants that were at EMULATOR */
	unsigned int failed;	/* that could not be made */
	uint64_t own;		/* what the thread itself has */
	struct infant bad;	/* one that was elsewhere */
};

void storm_run(struct storm *s);

#endif /* KVMX_LIB_INFANT_H */
