// SPDX-License-Identifier: GPL-2.0-only
#include <linux/percpu.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <asm/cpufeature.h>

#include "core/peek.h"
#include "core/topo.h"
#include "core/vm.h"
#include "stats/counts.h"
#include "stats/seq.h"
#include "stats/tlb.h"

/*
 * Entries and exits: the tag, what an entry of SVM flushed, and what a vCPU
 * found when it came back. Requests, and what VMX flushes: stats/tlb_told.c.
 */

static bool on_svm(void)
{
	return boot_cpu_has(X86_FEATURE_SVM);
}

/**
 * kvmx_tlb_start() - counting begins
 * @s: what is kept of a vCPU; nothing of it is known any more
 *
 * Context: nobody counts for this vCPU yet.
 */
void kvmx_tlb_start(struct kvmx_tlb_state *s)
{
	memset(s, 0, sizeof(*s));
}

/* Did another vCPU of the VM run on this CPU since this one did? */
static bool sibling_ran(const struct kvmx_vcpu *v)
{
	struct kvmx_vm_cpu __percpu *cpus = v->vm->cpus;
	u32 before = __this_cpu_read(cpus->ran);

	if (likely(before == v->index + 1))
		return false;
	__this_cpu_write(cpus->ran, v->index + 1);
	return before;
}

static bool same_tag(const struct kvmx_tag *a, const struct kvmx_tag *b)
{
	return a->number == b->number && a->generation == b->generation &&
	       a->cpu == b->cpu;
}

static void note_tag(struct kvmx_vcpu *v, struct kvmx_tlb_state *s,
		     const struct kvmx_tag *tag, u64 now)
{
	struct kvmx_tlb *d = &v->counts->data->tlb;
	bool changed = s->tagged && !same_tag(tag, &s->tag);

	if (likely(!changed && d->tag_cpu == s->cpu && s->shown))
		return;
	kvmx_seq_begin(&d->head.seq);
	if (changed || !s->shown) {
		d->changes += changed;
		d->tag = tag->number;
		d->generation = tag->generation;
		d->tag_since = now;
	}
	d->tag_cpu = s->cpu;
	kvmx_seq_end(&d->head.seq);
	s->tag = *tag;
	s->tagged = true;
	s->shown = true;
}

/* SVM: what the entry did to the entries under the tag. */
static bool svm_settle(struct kvmx_vcpu *v, struct kvmx_tlb_state *s,
		       const struct kvmx_tag *tag)
{
	enum kvmx_flush_kind kind = KVMX_K_ASID;

	if (!tag->fixed && !same_tag(tag, &s->tag))
		kind = KVMX_K_NEW_ASID;
	else if (!s->flush)
		return false;
	/* Nothing asked for it: the CPU had no number left, and began anew. */
	if (kind == KVMX_K_NEW_ASID && !s->entering.nr &&
	    tag->cpu == s->tag.cpu && tag->generation != s->tag.generation)
		kvmx_flush_ask(&s->entering, KVMX_W_TAGS_USED_UP);
	kvmx_flush_bill(v, kind, &s->entering);
	return true;
}

/* The guest has run: what has become of its tag, and of what it had stored. */
static void settle(struct kvmx_vcpu *v, struct kvmx_tlb_state *s,
		   struct kvm_vcpu *key, u64 now)
{
	struct kvmx_tag tag = { .number = 0 };
	bool lost = s->flushed;

	s->entered = false;
	if (on_svm()) {
		if (!v->opaque) {
			kvmx_svm_tag(key, &tag);
			lost = svm_settle(v, s, &tag);
		}
	} else {
		kvmx_vmx_tag(&tag);
		lost |= !tag.number;
	}
	s->fate = KVMX_TLB_FATE_UNKNOWN;
	if (s->returned && !v->opaque) {
		kvmx_flush_returned(v, s->distance, !lost);
		s->fate = lost ? KVMX_TLB_FATE_LOST : KVMX_TLB_FATE_KEPT;
	}
	if (!v->opaque)
		note_tag(v, s, &tag, now);
	s->returned = false;
	s->flushed = false;
}

/* SVM: how the guest is entered; what it does will show when it has run. */
static void svm_enter(struct kvmx_tlb_state *s, struct kvm_vcpu *key,
		      unsigned int cpu)
{
	struct kvmx_tag tag;

	kvmx_svm_tag(key, &tag);
	if (!s->tagged) {
		/* As the last run left it, before counting began. */
		s->tag = tag;
		s->tagged = true;
	}
	/* Where it has been meanwhile without running leaves nothing behind. */
	if (tag.cpu == cpu)
		kvmx_flush_withdraw(&s->asked, KVMX_W_MOVED);
	else if (tag.number)
		kvmx_flush_ask(&s->asked, KVMX_W_MOVED);
	s->flush = tag.flush;
	/* Encrypted guests: their vCPUs share one tag, and KVM flushes by itself. */
	if (tag.fixed && s->sibling)
		kvmx_flush_ask(&s->asked, KVMX_W_SIBLING);
	if (tag.fixed && (s->sibling || tag.cpu != cpu))
		s->flush = true;
	/* What is asked from here on is for another entry. */
	s->entering = s->asked;
	memset(&s->asked, 0, sizeof(s->asked));
}

/* Since it left the guest, the vCPU's thread was put on a CPU: how far away? */
static void come_back(struct kvmx_tlb_state *s, unsigned int cpu)
{
	if (likely(!READ_ONCE(s->placed)))
		return;
	WRITE_ONCE(s->placed, false);
	if (!s->ran)
		return;
	s->returned = true;
	s->distance = kvmx_topo_distance(s->cpu, cpu);
	/* VMX: what others flushed here is gone, and what stayed there is. */
	if (s->distance != KVMX_D_SAME ||
	    s->others != kvmx_tlb_others())
		s->flushed = true;
}

/**
 * kvmx_tlb_entry() - the guest is entered
 * @v: the vCPU
 * @s: what is kept of it
 * @key: KVM's
 * @now: when
 *
 * Context: kvm_entry.
 */
void kvmx_tlb_entry(struct kvmx_vcpu *v, struct kvmx_tlb_state *s,
		    struct kvm_vcpu *key, u64 now)
{
	unsigned int cpu = raw_smp_processor_id();
	struct kvmx_tlb *d = &v->counts->data->tlb;
	struct kvmx_asks asks;

	/* An exit that KVM did not tell of (SVM before 6.12). */
	if (unlikely(s->entered))
		settle(v, s, key, now);
	if (!v->opaque)
		kvmx_tlb_look(v, s, key, s->hyperv, &asks);
	s->sibling = sibling_ran(v);
	if (unlikely(s->sibling)) {
		kvmx_seq_begin(&d->head.seq);
		d->sibling_ran++;
		kvmx_seq_end(&d->head.seq);
	}
	come_back(s, cpu);
	if (on_svm() && !v->opaque)
		svm_enter(s, key, cpu);
	s->cpu = cpu;
	s->ran = true;
	s->entered = true;
	s->passed = false;
	s->paravirtual = false;
	s->hyperv = false;
	s->new_root = false;
	s->reset = false;
}

static enum kvmx_tlb_doing doing_of(enum kvmx_flushing flushing)
{
	switch (flushing) {
	case KVMX_FLUSHING_GUEST:
		return KVMX_TLB_INSTRUCTION;
	case KVMX_FLUSHING_NESTED:
	case KVMX_FLUSHING_INVVPID:
		return KVMX_TLB_NESTED;
	default:
		return KVMX_TLB_OTHER;
	}
}

/**
 * kvmx_tlb_exit() - the guest was left
 * @v: the vCPU
 * @s: what is kept of it
 * @key: KVM's
 * @code: why
 * @now: when
 *
 * Context: kvm_exit.
 */
void kvmx_tlb_exit(struct kvmx_vcpu *v, struct kvmx_tlb_state *s,
		   struct kvm_vcpu *key, u64 code, u64 now)
{
	bool nested = !v->opaque && kvmx_peek_nested(key);
	struct kvmx_asked asked = { .nr = 0 };
	enum kvmx_flushing flushing;

	if (likely(s->entered))
		settle(v, s, key, now);
	s->others = kvmx_tlb_others();
	flushing = on_svm() ? kvmx_svm_flushing(code) : kvmx_vmx_flushing(code);
	/* What a guest of the guest does can end it. */
	s->doing = nested ? KVMX_TLB_NESTED : doing_of(flushing);
	/* KVM flushes the tag of the guest's guest, by no function of its own. */
	if (flushing == KVMX_FLUSHING_INVVPID && !nested) {
		kvmx_flush_ask(&asked, KVMX_W_NESTED);
		kvmx_flush_bill(v, KVMX_K_GUEST, &asked);
	}
}

/**
 * kvmx_tlb_event() - something happens to the thread of a vCPU
 * @s: what is kept of the vCPU
 * @e: what happens
 *
 * Context: kvmx_vcpu.lock held. Only marks are set here: the figures have
 *	another writer.
 */
void kvmx_tlb_event(struct kvmx_tlb_state *s, const struct kvmx_event *e)
{
	if (e->type == KVMX_EV_IN)
		WRITE_ONCE(s->placed, true);
	else if (e->type == KVMX_EV_USER)
		s->doing = KVMX_TLB_VMM;
}
