/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The area of a vCPU: what the guest says there is looked at where it matters,
 * when the thread is taken off its CPU or the guest halts; what the host says is
 * written before the next entry when it has changed.
 */
#ifndef KVMX_HINT_AREA_H
#define KVMX_HINT_AREA_H

#include <linux/types.h>

#include "core/verdict.h"

struct kvm_vcpu;
struct kvmx_hinter;

/**
 * struct kvmx_said - what a guest says in its area
 * @word: the hint word; 0: nothing
 * @length_us: how long it expects that to last
 * @way: whose word it is
 * @seq: its number
 * @fresh: that was not seen before
 */
struct kvmx_said {
	u32 word;
	u32 length_us;
	enum kvmx_hint_way way;
	u32 seq;
	bool fresh;
};

/* Context of all of these: @h->lock held; with @key as core/guestmem.h says. */
long kvmx_area_register(struct kvmx_hinter *h, struct kvm_vcpu *key, u64 gpa,
			u32 size);
void kvmx_area_forget(struct kvmx_hinter *h);
bool kvmx_area_peek(struct kvmx_hinter *h, struct kvm_vcpu *key,
		    struct kvmx_said *said);
void kvmx_area_note(struct kvmx_hinter *h, const struct kvmx_said *said);
void kvmx_area_touch(struct kvmx_hinter *h);
void kvmx_area_tell(struct kvmx_hinter *h, struct kvm_vcpu *key);

#endif /* KVMX_HINT_AREA_H */
