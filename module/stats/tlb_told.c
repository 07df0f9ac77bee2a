// SPDX-License-Identifier: GPL-2.0-only
#include <linux/percpu.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <asm/cpufeature.h>

#include "core/peek.h"
#include "core/vm.h"
#include "stats/counts.h"
#include "stats/seq.h"
#include "stats/tlb.h"

/*
 * VMX: each of KVM's functions flushes at once, and is billed when it is called.
 * SVM: they only leave word (tlb_ctl, or a generation that does not fit), and
 * the flush is the next VMRUN's: stats/tlb.c bills it once the guest has run, to
 * what asked first. docs/counters.md tells which request comes from where.
 */

/* VMX: INVEPT and INVVPID of everything, by any vCPU of the host, on this CPU. */
static DEFINE_PER_CPU(u64, flushes_of_all);

/**
 * kvmx_tlb_others() - how often everything was flushed on this CPU so far
 *
 * Context: preemption disabled.
 * Return: a count that only differences of mean anything.
 */
u64 kvmx_tlb_others(void)
{
	return __this_cpu_read(flushes_of_all);
}

/* Flushes that KVM has counted since, but for @told of them. */
static void look_for_missed(struct kvmx_vcpu *v, struct kvmx_tlb_state *s,
			    const struct kvmx_asks *asks, u64 told)
{
	struct kvmx_tlb *d = &v->counts->data->tlb;
	u64 rise = asks->flushes - s->flushes;

	s->flushes = asks->flushes;
	/* Somebody may have set KVM's figures to zero (debugfs). */
	if (likely(rise <= told) || (s64)rise < 0)
		return;
	kvmx_seq_begin(&d->head.seq);
	d->missed += rise - told;
	kvmx_seq_end(&d->head.seq);
}

/* The first look is only a begin to count from. */
static void look_first(struct kvmx_tlb_state *s, const struct kvmx_asks *asks)
{
	s->looked = true;
	s->remote = asks->remote;
	s->flushes = asks->flushes;
	/* What makes a vCPU leaves requests behind, and the VMM sets it up. */
	if (!asks->never)
		return;
	s->doing = KVMX_TLB_VMM;
	kvmx_flush_ask(&s->asked, KVMX_W_RESET);
}

/**
 * kvmx_tlb_look() - what KVM knows of flushes
 * @v: a vCPU that may be looked into
 * @s: what is kept of it
 * @key: KVM's
 * @told: so many of those that KVM counted since are known
 * @asks: filled
 *
 * Context: the thread that has it loaded, preemption disabled.
 */
void kvmx_tlb_look(struct kvmx_vcpu *v, struct kvmx_tlb_state *s,
		   const struct kvm_vcpu *key, u64 told,
		   struct kvmx_asks *asks)
{
	kvmx_peek_asks(key, asks);
	if (unlikely(!s->looked))
		look_first(s, asks);
	else
		look_for_missed(v, s, asks, told);
}

static void look_for_remote(struct kvmx_tlb_state *s,
			    const struct kvmx_asks *asks)
{
	if (asks->remote == s->remote)
		return;
	s->remote = asks->remote;
	kvmx_flush_ask(&s->asked, KVMX_W_REMOTE);
}

/* Why KVM flushes what only concerns this vCPU. */
static enum kvmx_flush_cause local_cause(struct kvmx_tlb_state *s,
					 enum kvmx_tlb_event what)
{
	if (what == KVMX_TLB_GUEST && s->paravirtual) {
		s->paravirtual = false;
		return KVMX_W_PARAVIRTUAL;
	}
	if (what != KVMX_TLB_CURRENT && s->hyperv)
		return KVMX_W_PARAVIRTUAL;
	if (what == KVMX_TLB_CURRENT && s->new_root) {
		s->new_root = false;
		return KVMX_W_NEW_ROOT;
	}
	if (s->reset)
		return KVMX_W_RESET;
	switch (s->doing) {
	case KVMX_TLB_INSTRUCTION:
		return KVMX_W_INSTRUCTION;
	case KVMX_TLB_NESTED:
		return KVMX_W_NESTED;
	case KVMX_TLB_VMM:
		return KVMX_W_VMM;
	default:
		return KVMX_W_UNATTRIBUTED;
	}
}

static void ask_local(struct kvmx_tlb_state *s, struct kvmx_asked *a,
		      enum kvmx_tlb_event what)
{
	enum kvmx_flush_cause cause = local_cause(s, what);

	if (cause != KVMX_W_UNATTRIBUTED)
		kvmx_flush_ask(a, cause);
}

static void bill_local(struct kvmx_vcpu *v, struct kvmx_tlb_state *s,
		       enum kvmx_flush_kind kind, enum kvmx_tlb_event what)
{
	struct kvmx_asked a = { .nr = 0 };

	ask_local(s, &a, what);
	kvmx_flush_bill(v, kind, &a);
}

/* What has asked for everything, where no mark was left. */
static enum kvmx_flush_cause all_cause(const struct kvmx_tlb_state *s,
				       const struct kvmx_asks *asks)
{
	if (asks->ran_on >= 0 && asks->ran_on != raw_smp_processor_id())
		return KVMX_W_MOVED;
	return s->doing == KVMX_TLB_NESTED ? KVMX_W_NESTED : KVMX_W_REMOTE;
}

/*
 * VMX: everything. That is asked for by memory management, and by loading the
 * vCPU, or its nested guest, on another CPU; by nothing else.
 */
static void vmx_all(struct kvmx_vcpu *v, struct kvmx_tlb_state *s,
		    const struct kvmx_asks *asks)
{
	look_for_remote(s, asks);
	if (!s->asked.nr && asks->cpu >= 0)
		kvmx_flush_ask(&s->asked, all_cause(s, asks));
	/* It stands for this one as well, which KVM then forgets. */
	if (asks->current_asked)
		ask_local(s, &s->asked, KVMX_TLB_CURRENT);
	kvmx_flush_bill(v, kvmx_vmx_ept() ? KVMX_K_INVEPT_GLOBAL :
					    KVMX_K_INVVPID_ALL, &s->asked);
	memset(&s->asked, 0, sizeof(s->asked));
	s->flushed = true;
}

/* VMX: without page tables, or without a tag, there is nothing to flush. */
static void vmx_current(struct kvmx_vcpu *v, struct kvmx_tlb_state *s,
			const struct kvmx_asks *asks, u64 tag)
{
	bool ept = kvmx_vmx_ept();

	if (!asks->root || (!ept && !tag))
		return;
	bill_local(v, s, ept ? KVMX_K_INVEPT_CONTEXT : KVMX_K_INVVPID_CONTEXT,
		   KVMX_TLB_CURRENT);
	s->flushed = true;
}

static void vmx_flush(struct kvmx_vcpu *v, struct kvmx_tlb_state *s,
		      const struct kvmx_asks *asks, enum kvmx_tlb_event what)
{
	struct kvmx_tag tag;

	kvmx_vmx_tag(&tag);
	if (what == KVMX_TLB_ALL) {
		vmx_all(v, s, asks);
	} else if (what == KVMX_TLB_CURRENT) {
		vmx_current(v, s, asks, tag.number);
	} else if (what == KVMX_TLB_ADDRESS && tag.number) {
		bill_local(v, s, KVMX_K_INVVPID_ADDRESS, what);
	} else if (what == KVMX_TLB_GUEST && tag.number) {
		bill_local(v, s, KVMX_K_GUEST, what);
		s->flushed = true;
	}
}

/* Does KVM flush all of the tag instead, by a function that is told of next? */
static bool svm_address_is_all(const struct kvmx_vcpu *v, struct kvm_vcpu *key)
{
	struct kvmx_shape shape;

	if (!KVMX_SVM_NO_INVLPGA_WITH_NPT || v->opaque)
		return false;
	kvmx_svm_shape(key, &shape);
	return shape.levels;
}

/* SVM: what is asked here is done at the next entry, all in one. */
static void svm_flush(struct kvmx_vcpu *v, struct kvmx_tlb_state *s,
		      struct kvm_vcpu *key, enum kvmx_tlb_event what)
{
	switch (what) {
	case KVMX_TLB_ALL:
		/* Nothing but memory management asks for this. */
		kvmx_flush_ask(&s->asked, KVMX_W_REMOTE);
		s->passed = true;
		break;
	case KVMX_TLB_CURRENT:
		ask_local(s, &s->asked, what);
		s->passed = true;
		break;
	case KVMX_TLB_ASID:
		/* The two above end here, and so does what is left. */
		if (!s->passed)
			ask_local(s, &s->asked, KVMX_TLB_GUEST);
		s->passed = false;
		break;
	case KVMX_TLB_ADDRESS:
		if (!svm_address_is_all(v, key))
			bill_local(v, s, KVMX_K_INVLPGA, what);
		break;
	default:
		break;
	}
}

static bool may_look(const struct kvmx_vcpu *v, const struct kvm_vcpu *key)
{
	return !v->opaque && kvmx_peek_loaded(key);
}

/* Without a look into the vCPU: that it is flushed, but not why. */
static void flush(struct kvmx_vcpu *v, struct kvmx_tlb_state *s,
		  struct kvm_vcpu *key, enum kvmx_tlb_event what)
{
	struct kvmx_asks asks = {
		.remote = s->remote, .root = true, .cpu = -1,
	};

	/* KVM counts what it was asked for before it does that. */
	if (may_look(v, key))
		kvmx_tlb_look(v, s, key, !s->passed, &asks);
	if (boot_cpu_has(X86_FEATURE_SVM))
		svm_flush(v, s, key, what);
	else
		vmx_flush(v, s, &asks, what);
}

/* Requests that are pending already came first. */
static void load(struct kvmx_vcpu *v, struct kvmx_tlb_state *s,
		 struct kvm_vcpu *key, int cpu)
{
	struct kvmx_asks asks;

	if (!may_look(v, key))
		return;
	kvmx_tlb_look(v, s, key, 0, &asks);
	look_for_remote(s, &asks);
	if (asks.cpu >= 0 && asks.cpu != cpu)
		kvmx_flush_ask(&s->asked, KVMX_W_MOVED);
}

/* VMX flushes right away, SVM gives it another tag when it enters. */
static void reset(struct kvmx_vcpu *v, struct kvmx_tlb_state *s)
{
	struct kvmx_tag tag;

	s->reset = true;
	if (boot_cpu_has(X86_FEATURE_SVM)) {
		kvmx_flush_ask(&s->asked, KVMX_W_RESET);
		return;
	}
	kvmx_vmx_tag(&tag);
	if (!tag.number)
		return;
	bill_local(v, s, KVMX_K_INVVPID_CONTEXT, KVMX_TLB_RESET);
	s->flushed = true;
}

/**
 * kvmx_tlb_told() - KVM is at one of its functions that flush, or lead to it
 * @v: the vCPU; NULL if this group is not counted for it
 * @s: what is kept of it, if it is counted
 * @key: KVM's
 * @what: the function
 * @arg: of KVMX_TLB_LOAD the CPU
 *
 * Context: a kprobe or tracepoint in the thread that has the vCPU loaded,
 *	preemption disabled.
 */
void kvmx_tlb_told(struct kvmx_vcpu *v, struct kvmx_tlb_state *s,
		   struct kvm_vcpu *key, enum kvmx_tlb_event what,
		   unsigned long arg)
{
	if (what == KVMX_TLB_ALL && boot_cpu_has(X86_FEATURE_VMX))
		__this_cpu_inc(flushes_of_all);
	if (!v)
		return;
	switch (what) {
	case KVMX_TLB_LOAD:
		load(v, s, key, arg);
		break;
	case KVMX_TLB_RESET:
		reset(v, s);
		break;
	case KVMX_TLB_PARAVIRTUAL:
		s->paravirtual = true;
		break;
	case KVMX_TLB_HYPERV:
		s->hyperv = true;
		break;
	case KVMX_TLB_NEW_ROOT:
		s->new_root = true;
		break;
	default:
		flush(v, s, key, what);
		break;
	}
}
