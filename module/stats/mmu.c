// SPDX-License-Identifier: GPL-2.0-only
#include <linux/align.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/time64.h>
#include <asm/cpufeature.h>

#include "core/clock.h"
#include "core/discover.h"
#include "core/vm.h"
#include "kvmx_trace.h"
#include "stats/counts.h"
#include "stats/mmu.h"
#include "stats/seq.h"

/*
 * A violation is an exit, then as a rule kvm_page_fault, then an entry. The exit
 * tells when, kvm_page_fault what and where, and between that and the entry
 * KVM's own counts tell what became of it.
 */

/**
 * kvmx_mmu_start() - counting begins
 * @s: what is being handled now is not known; what was counted stays
 *
 * Context: nobody counts for this vCPU yet.
 */
void kvmx_mmu_start(struct kvmx_mmu_state *s)
{
	s->exit_at = 0;
	s->pending = false;
	s->look_again = 0;
}

static void begin(struct kvmx_vcpu *v, struct kvmx_mmu_state *s,
		  struct kvm_vcpu *key, enum kvmx_cause cause,
		  enum kvmx_access access, u64 address)
{
	s->pending = true;
	s->cause = cause;
	s->access = access;
	s->address = address;
	s->row = NULL;
	s->known = !v->opaque;
	if (s->known)
		kvmx_peek_handled(key, &s->before);
}

static void count(struct kvmx_vcpu *v, enum kvmx_access access,
		  enum kvmx_cause cause, bool walk)
{
	struct kvmx_mmu *d = &v->counts->data->mmu;

	kvmx_seq_begin(&d->head.seq);
	d->access[access]++;
	d->cause[cause]++;
	d->walks += walk;
	kvmx_seq_end(&d->head.seq);
}

/**
 * kvmx_mmu_exit() - the guest was left
 * @v: the vCPU
 * @s: what is kept of it
 * @key: KVM's
 * @look: what a look at the exit told
 * @now: when
 *
 * Context: kvm_exit.
 */
void kvmx_mmu_exit(struct kvmx_vcpu *v, struct kvmx_mmu_state *s,
		   struct kvm_vcpu *key, const struct kvmx_look *look, u64 now)
{
	s->exit_at = now;
	s->about = look->about;
	s->pending = false;
	if (look->about != KVMX_ABOUT_MMIO)
		return;
	/* kvm_page_fault need not tell of these. */
	begin(v, s, key, KVMX_C_MMIO, look->access, look->address);
	count(v, look->access, KVMX_C_MMIO, false);
}

static enum kvmx_cause write_cause(enum kvmx_slot_kind slot)
{
	return slot == KVMX_SLOT_LOGGED ? KVMX_C_DIRTY_LOGGING :
					  KVMX_C_WRITE_PROTECTED;
}

static enum kvmx_cause cause_of(const struct kvmx_fault *f,
				enum kvmx_slot_kind slot)
{
	if (slot == KVMX_SLOT_NONE || f->denied == KVMX_DENIED_MARKED)
		return KVMX_C_MMIO;
	/* Whether it is mapped or not: it cannot be written. */
	if (slot == KVMX_SLOT_READ_ONLY && f->access == KVMX_ACCESS_WRITE)
		return KVMX_C_READ_ONLY;
	switch (f->denied) {
	case KVMX_DENIED_ABSENT:
		return KVMX_C_NOT_PRESENT;
	case KVMX_DENIED_WRITE:
		return write_cause(slot);
	default:
		return KVMX_C_PERMISSION;
	}
}

/* The format of error codes is the hardware's that found the fault. */
static struct kvmx_fault decode(enum kvmx_about about, u64 error)
{
	if (about == KVMX_ABOUT_FAULT && !boot_cpu_has(X86_FEATURE_SVM))
		return kvmx_ept_fault(error);
	return kvmx_pferr_fault(error);
}

/* Where it was: by what a huge page covers. */
static void count_range(struct kvmx_mmu_state *s, u64 address)
{
	struct kvmx_topk *t = &s->ranges;

	s->row_key = ALIGN_DOWN(address, SZ_2M);
	kvmx_seq_begin(&t->seq);
	s->row = kvmx_topk_put(t, s->row_key);
	kvmx_seq_end(&t->seq);
}

static void time_range(struct kvmx_mmu_state *s, u64 time)
{
	struct kvmx_topk *t = &s->ranges;

	kvmx_seq_begin(&t->seq);
	kvmx_topk_add_time(t, s->row, s->row_key, time);
	kvmx_seq_end(&t->seq);
}

/**
 * kvmx_mmu_fault() - KVM is about to handle a page fault
 * @v: the vCPU
 * @s: what is kept of it
 * @key: KVM's
 * @what: what and where
 *
 * Context: kvm_page_fault, preemption disabled.
 */
void kvmx_mmu_fault(struct kvmx_vcpu *v, struct kvmx_mmu_state *s,
		    struct kvm_vcpu *key, const struct kvmx_violation *what)
{
	enum kvmx_cause cause = KVMX_C_SHADOW;
	struct kvmx_fault f;

	/* An exit before counting began, or one that is counted already. */
	if (!s->exit_at || s->about == KVMX_ABOUT_MMIO)
		return;
	f = decode(s->about, what->error);
	if (s->about == KVMX_ABOUT_FAULT)
		cause = cause_of(&f, what->slot);
	begin(v, s, key, cause, f.access, what->address);
	count(v, f.access, cause, f.walk);
	if (cause != KVMX_C_SHADOW && cause != KVMX_C_MMIO)
		count_range(s, what->address);
}

/* What KVM counted of it, and so made of it. */
static enum kvmx_outcome outcome_of(const struct kvmx_mmu_state *s,
				    const struct kvmx_handled *after)
{
	const struct kvmx_handled *before = &s->before;

	if (after->emulated != before->emulated)
		return s->cause == KVMX_C_MMIO ? KVMX_O_MMIO : KVMX_O_EMULATED;
	if (after->fixed != before->fixed)
		return KVMX_O_FIXED;
	if (after->spurious != before->spurious)
		return KVMX_O_SPURIOUS;
	if (after->taken != before->taken)
		return KVMX_O_RETRIED;
	/* KVM counts only the first access to where no memory is as a fault. */
	return s->about == KVMX_ABOUT_MMIO ? KVMX_O_MMIO : KVMX_O_UNTOLD;
}

static void settle(struct kvmx_vcpu *v, struct kvmx_mmu_state *s,
		   struct kvm_vcpu *key, u64 time)
{
	struct kvmx_mmu *d = &v->counts->data->mmu;
	enum kvmx_outcome outcome = KVMX_O_UNTOLD;
	struct kvmx_handled after;
	bool fast = false;

	if (s->known && !v->opaque) {
		kvmx_peek_handled(key, &after);
		outcome = outcome_of(s, &after);
		fast = after.fast != s->before.fast;
	}
	kvmx_seq_begin(&d->head.seq);
	d->outcome[outcome]++;
	d->fast += fast;
	if (s->cause != KVMX_C_MMIO) {
		d->time += time;
		d->hist[kvmx_bucket(time)]++;
	}
	kvmx_seq_end(&d->head.seq);
	if (s->row)
		time_range(s, time);
	if (trace_ept_violation_enabled())
		trace_ept_violation(v->vm->id, v->index, s->address, s->access,
				    s->cause, outcome, kvmx_clock_to_ns(time));
}

/* How the walk is done changes with what the VMM asks KVM for: once a second. */
static noinline void look_at_shape(struct kvmx_vcpu *v,
				   struct kvmx_mmu_state *s,
				   struct kvm_vcpu *key, u64 now)
{
	struct kvmx_mmu *d = &v->counts->data->mmu;
	struct kvmx_shape shape;

	/* A guest of the guest has tables of its own. */
	if (v->opaque || kvmx_peek_nested(key))
		return;
	s->look_again = now + kvmx_clock_from_ns(NSEC_PER_SEC);
	if (boot_cpu_has(X86_FEATURE_SVM))
		kvmx_svm_shape(key, &shape);
	else if (!kvmx_vmx_shape(&shape))
		return;
	kvmx_seq_begin(&d->head.seq);
	d->levels = shape.levels;
	d->ad = shape.ad;
	d->pml = shape.pml;
	kvmx_seq_end(&d->head.seq);
}

/**
 * kvmx_mmu_entry() - the guest is entered
 * @v: the vCPU
 * @s: what is kept of it
 * @key: KVM's
 * @now: when
 *
 * Context: kvm_entry.
 */
void kvmx_mmu_entry(struct kvmx_vcpu *v, struct kvmx_mmu_state *s,
		    struct kvm_vcpu *key, u64 now)
{
	if (unlikely(s->pending))
		settle(v, s, key, kvmx_ticks(s->exit_at, now));
	s->pending = false;
	s->exit_at = 0;
	if (unlikely(now >= s->look_again))
		look_at_shape(v, s, key, now);
}

static void read_sizes(struct kvm *kvm, void *sizes)
{
	kvmx_peek_sizes(kvm, sizes);
}

/**
 * kvmx_mmu_read() - what a VM has mapped now
 * @vm: the VM; the caller holds a reference
 * @mapped: what was read last; stays where the VM cannot be looked into
 * @to: figures of the VM
 *
 * Context: may sleep.
 */
void kvmx_mmu_read(struct kvmx_vm *vm, struct kvmx_mapped *mapped,
		   struct kvmx_mmu *to)
{
	struct kvmx_sizes sizes;

	if (kvmx_discover_look(vm, read_sizes, &sizes)) {
		mapped->sizes = sizes;
		mapped->read_at = kvmx_clock();
	}
	memcpy(to->pages, mapped->sizes.pages, sizeof(to->pages));
	to->tables = mapped->sizes.tables;
	to->read_at = mapped->read_at;
	kvmx_mmu_ops_read(vm, to);
}
