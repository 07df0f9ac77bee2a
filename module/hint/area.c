// SPDX-License-Identifier: GPL-2.0-only
#include <linux/align.h>
#include <linux/compiler.h>
#include <linux/kvm_para.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/stddef.h>

#include "core/guestmem.h"
#include "core/vm.h"
#include "hint/area.h"
#include "hint/hinter.h"

#define AREA_ALIGN	64

static void area_lost(struct kvmx_hinter *h)
{
	h->area.lost = true;
	h->counts[KVMX_KIND_NONE].area_lost++;
}

/* There again: what the guest finds there may be older than it thinks. */
static void area_found(struct kvmx_hinter *h)
{
	if (!h->area.lost)
		return;
	h->area.lost = false;
	h->area.generation++;
	kvmx_area_touch(h);
}

/**
 * kvmx_area_register() - a vCPU has an area from now on
 * @h: the vCPU
 * @key: the same, loaded
 * @gpa: guest-physical address
 * @size: bytes that the guest knows of it
 *
 * Return: 0, or an error number for the guest.
 */
long kvmx_area_register(struct kvmx_hinter *h, struct kvm_vcpu *key, u64 gpa,
			u32 size)
{
	struct kvmx_area_state *a = &h->area;
	struct kvmx_guestmem mem;
	struct kvmx_area_guest first;

	lockdep_assert_held(&h->lock);
	if (size < sizeof(struct kvmx_area) || size > PAGE_SIZE ||
	    !IS_ALIGNED(gpa, AREA_ALIGN) ||
	    offset_in_page(gpa) + size > PAGE_SIZE)
		return -KVM_EINVAL;
	if (!kvmx_guestmem_set(key, &mem, gpa) ||
	    !kvmx_guestmem_read(key, &mem, 0, &first, sizeof(first)))
		return -KVM_EFAULT;
	/* A guest that registers anew is told that it may have lost something. */
	a->mem = mem;
	a->user = (struct kvmx_guestmem){ };
	a->word = 0;
	a->seq = first.seq;
	a->kicked_at = 0;
	a->lost = false;
	WRITE_ONCE(a->on, true);
	kvmx_area_tell(h, key);
	if (!a->lost)
		return 0;
	kvmx_area_forget(h);
	return -KVM_EFAULT;
}

/**
 * kvmx_area_forget() - a vCPU has no area any more
 * @h: the vCPU
 */
void kvmx_area_forget(struct kvmx_hinter *h)
{
	lockdep_assert_held(&h->lock);
	WRITE_ONCE(h->area.on, false);
	h->area.changed = false;
	h->area.word = 0;
}

/* The word of the program that runs there. */
static u32 user_word(struct kvmx_hinter *h, struct kvm_vcpu *key, u64 gpa)
{
	struct kvmx_guestmem *m = &h->area.user;
	u32 word;

	if (!gpa || !IS_ALIGNED(gpa, sizeof(word)))
		return 0;
	if (m->gpa != gpa)
		*m = (struct kvmx_guestmem){ .gpa = gpa };
	return kvmx_guestmem_read(key, m, 0, &word, sizeof(word)) ? word : 0;
}

/**
 * kvmx_area_peek() - what does the guest say, without taking note of it?
 * @h: the vCPU
 * @key: the same, loaded
 * @said: filled
 *
 * Each word is read once: what another vCPU of the guest writes at this moment
 * cannot be looked at twice.
 *
 * Return: false where it has no area, or that cannot be reached.
 */
bool kvmx_area_peek(struct kvmx_hinter *h, struct kvm_vcpu *key,
		    struct kvmx_said *said)
{
	struct kvmx_area_state *a = &h->area;
	struct kvmx_area_guest g;

	lockdep_assert_held(&h->lock);
	if (!a->on)
		return false;
	if (!kvmx_guestmem_read(key, &a->mem, 0, &g, sizeof(g))) {
		area_lost(h);
		return false;
	}
	area_found(h);
	said->word = g.hint;
	said->length_us = g.length_us;
	said->way = KVMX_WAY_AREA;
	if (!said->word) {
		said->word = user_word(h, key, g.user);
		if (said->word)
			said->way = KVMX_WAY_USER;
	}
	said->seq = g.seq;
	said->fresh = said->word && (said->word != a->word || g.seq != a->seq);
	return true;
}

/**
 * kvmx_area_note() - what the guest says is not new any more
 * @h: the vCPU
 * @said: of kvmx_area_peek()
 */
void kvmx_area_note(struct kvmx_hinter *h, const struct kvmx_said *said)
{
	struct kvmx_area_state *a = &h->area;

	lockdep_assert_held(&h->lock);
	/* It came and went, and nobody looked. */
	if (!said->word && said->seq != a->seq)
		h->counts[KVMX_KIND_NONE].stale++;
	if (said->seq != a->seq)
		kvmx_area_touch(h);
	a->word = said->word;
	a->seq = said->seq;
}

/**
 * kvmx_area_touch() - what the host says there has changed
 * @h: the vCPU
 */
void kvmx_area_touch(struct kvmx_hinter *h)
{
	lockdep_assert_held(&h->lock);
	if (!h->area.on || h->area.changed)
		return;
	h->area.changed = true;
	kvmx_vcpu_owe(h->v);
}

/**
 * kvmx_area_tell() - write what the host says
 * @h: the vCPU
 * @key: the same, loaded
 */
void kvmx_area_tell(struct kvmx_hinter *h, struct kvm_vcpu *key)
{
	struct kvmx_area_state *a = &h->area;
	struct kvmx_area_host host = {
		.version = KVMX_PARA_VERSION,
		.size = sizeof(struct kvmx_area),
		.kinds = kvmx_hinter_kinds(h),
		.state = kvmx_hinter_state(h),
		.budget_us = kvmx_hinter_budget_us(h),
		.granted = kvmx_hinter_granted(h),
		.seq = a->seq,
		.preempted = a->preempted,
		.generation = a->generation,
		.run_delay_ns = a->run_delay,
	};

	lockdep_assert_held(&h->lock);
	a->changed = false;
	if (!a->on)
		return;
	if (kvmx_guestmem_write(key, &a->mem, offsetof(struct kvmx_area, host),
				&host, sizeof(host)))
		area_found(h);
	else
		area_lost(h);
}
