/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guests of the benches that do more than exit: C, copied into a guest's memory and
 * run there. No data of its own, no calls out of it, no registers but general ones;
 * see BLOBS in the Makefile.
 */
#ifndef KVMX_BENCH_BLOB_H
#define KVMX_BENCH_BLOB_H

#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>

#include "die.h"
#include "vmm.h"

#define BLOB		__attribute__((section("blob"), used))
/* Memory of a guest that vmm.c leaves alone: the code, and a room per vCPU. */
#define BLOB_GPA	0x100000UL
#define BLOB_SHARED	0x110000UL
#define BLOB_ROOM(i)	(0x120000UL + (i) * 0x2000UL)
#define BLOB_ROOM_SIZE	0x2000UL

/* The first and the byte behind the last, by the linker. */
extern const uint8_t __start_blob[], __stop_blob[];

static inline void blob_load(struct vmm *vm)
{
	if (__stop_blob - __start_blob > BLOB_SHARED - BLOB_GPA)
		die("the guest is too large");
	memcpy(vm->mem + BLOB_GPA, __start_blob, __stop_blob - __start_blob);
}

/*
 * The vCPU's next vmm_run(v, NULL, 0) calls @entry, which never returns, with the
 * guest-physical address of its room; it ends with blob_done().
 */
static inline void blob_enter(struct vmm_vcpu *v, const void *entry)
{
	uint64_t room = BLOB_ROOM(v->id);
	struct kvm_regs regs = {
		.rip = BLOB_GPA + ((const uint8_t *)entry - __start_blob),
		.rflags = 2,
		/* As behind a call. */
		.rsp = room + BLOB_ROOM_SIZE - 8,
		.rdi = room,
	};

	vmm_set_up(v);
	if (ioctl(v->fd, KVM_SET_REGS, &regs))
		die_errno("KVM_SET_REGS");
}

#endif /* KVMX_BENCH_BLOB_H */
