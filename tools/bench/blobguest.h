/* SPDX-License-Identifier: GPL-2.0-only */
/* What the guests of blob.h have in common: the other side of it. */
#ifndef KVMX_BENCH_BLOBGUEST_H
#define KVMX_BENCH_BLOBGUEST_H

#include <stdint.h>
#include <linux/kvmx_para.h>

#include "vmm.h"

/*
 * Some @rounds of nothing, two instructions each, and then PAUSE. Emulated CPUs that
 * take turns on one clock do so there: by a small fraction of a tick, as if they
 * ran side by side.
 */
static inline __attribute__((always_inline)) void blob_turn(uint32_t rounds)
{
	asm volatile("1: decl %0; jnz 1b; pause" : "+r" (rounds) : : "cc");
}

/* A hypercall of kvmx, asked again until there is somebody who answers. */
static inline __attribute__((always_inline)) int64_t
blob_call(uint32_t intel, uint64_t op, uint64_t a1, uint64_t a2, uint64_t a3)
{
	int64_t ret;

	do {
		ret = KVMX_HC;
		if (intel)
			asm volatile("vmcall" : "+a" (ret)
				     : "b" (op), "c" (a1), "d" (a2), "S" (a3)
				     : "memory");
		else
			asm volatile("vmmcall" : "+a" (ret)
				     : "b" (op), "c" (a1), "d" (a2), "S" (a3)
				     : "memory");
	} while (ret == -1000 /* KVM_ENOSYS */);
	return ret;
}

static inline __attribute__((always_inline)) void blob_done(void)
{
	asm volatile("outb %%al, %%dx" : : "a" (0), "d" (VMM_DONE_PORT)
		     : "memory");
}

#endif /* KVMX_BENCH_BLOBGUEST_H */
