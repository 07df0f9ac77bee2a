// SPDX-License-Identifier: GPL-2.0-only
/* A guest that halts, and notes when it was woken. */
#include "blob.h"
#include "blobguest.h"
#include "pollguest.h"

BLOB void poll_guest(struct poll_room *room)
{
	uint64_t at = (uint64_t)&room->area;

	if (room->hints) {
		room->area.guest.hint = KVMX_HINT_WORD(KVMX_KIND_LATENCY, 1,
						       KVMX_LATENCY_WAITS);
		room->failed = blob_call(room->intel, KVMX_HC_REGISTER,
					 (uint32_t)at, at >> 32,
					 sizeof(room->area));
	}
	do {
		__atomic_store_n(&room->halts, room->halts + 1,
				 __ATOMIC_RELEASE);
		/* Interrupts are let in by the HLT only: none comes twice. */
		asm volatile("sti; hlt; cli" : : : "memory");
		__atomic_store_n(&room->woken, vmm_tsc(), __ATOMIC_RELEASE);
	} while (!__atomic_load_n(&room->stop, __ATOMIC_RELAXED));
	for (;;)
		blob_done();
}
