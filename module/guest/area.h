/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The areas: one page per vCPU, that the host knows while it is registered.
 *
 * The guest's half is written by the vCPU itself only, with interrupts off: the
 * host looks while the vCPU is stopped, so plain stores in order are enough.
 */
#ifndef KVMX_GUEST_AREA_H
#define KVMX_GUEST_AREA_H

#include <linux/percpu.h>
#include <linux/types.h>
#include <linux/kvmx_para.h>

struct guest_slot;

/**
 * struct guest_vcpu - a CPU, as this module sees it; the CPU's own
 * @area: what the host sees; NULL: there was no memory
 * @registered: the host knows @area
 * @generation: kvmx_area_host.generation at that time
 * @word: the hint that stands in @area
 * @waits: a real-time task went to sleep here, not long ago
 * @waits_until: jiffies at which that is long ago
 * @slot: of the thread that runs, if it has one
 */
struct guest_vcpu {
	struct kvmx_area *area;
	bool registered;
	bool waits;
	u32 generation;
	u32 word;
	unsigned long waits_until;
	struct guest_slot *slot;
};

DECLARE_PER_CPU(struct guest_vcpu, guest_vcpu);

void guest_area_prepare(unsigned int cpu);
void guest_area_register(void *unused);
void guest_area_unregister(void *unused);
unsigned int guest_areas_registered(void);
bool guest_areas_lost(void);
void guest_areas_free(void);

/* Only on the CPU itself, with interrupts off. */
static inline void guest_area_say(struct guest_vcpu *v, u32 word, u32 length_us,
				  bool anew)
{
	struct kvmx_area_guest *g = &v->area->guest;

	if (word == v->word && !anew)
		return;
	v->word = word;
	WRITE_ONCE(g->length_us, length_us);
	WRITE_ONCE(g->hint, word);
	/* Last: whoever sees the number sees the hint. */
	WRITE_ONCE(g->seq, g->seq + 1);
}

static inline void guest_area_user(struct guest_vcpu *v, u64 address)
{
	WRITE_ONCE(v->area->guest.user, address);
}

#endif /* KVMX_GUEST_AREA_H */
