/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVMX_STATS_TLB: under which tag a vCPU's TLB entries are kept, when they are
 * flushed and why, and whether they are still there when it comes back.
 */
#ifndef KVMX_STATS_TLB_H
#define KVMX_STATS_TLB_H

#include <linux/types.h>

#include "core/exit.h"
#include "core/hook.h"
#include "core/peek.h"
#include "stats/counters.h"
#include "stats/flush.h"

struct kvmx_vcpu;

/* Who KVM works for between an exit and the next entry. */
enum kvmx_tlb_doing {
	KVMX_TLB_UNKNOWN,	/* no exit was seen yet */
	KVMX_TLB_OTHER,		/* an exit that as a rule flushes nothing */
	KVMX_TLB_INSTRUCTION,	/* an instruction that can flush */
	KVMX_TLB_NESTED,	/* a guest of the guest */
	KVMX_TLB_VMM,		/* KVM_RUN has returned since the exit */
};

/**
 * struct kvmx_tlb_state - what it takes to keep the figures
 * @asked: for a flush of everything (SVM: of all of its tag), not done yet
 * @entering: SVM: the same when it entered: what that entry has done
 * @doing: who KVM works for
 * @looked: @remote and @flushes have been read
 * @remote: requests of memory management up to here are dealt with
 * @flushes: KVM's count of flushes up to here is dealt with
 * @paravirtual: the next flush for the guest is one that its guest asked for
 * @hyperv: so is every one up to the next entry
 * @new_root: the next flush of the present page tables is for new ones
 * @reset: the vCPU was reset since the last entry
 * @passed: SVM: what asked for the flush that begins is known already
 * @placed: its thread was put on a CPU since the last entry; a mark that the
 *	scheduler's event sets and the entry takes away
 * @ran: it has been in the guest on @cpu since counting began
 * @cpu: where it was in the guest last
 * @flushed: all of its entries were, since it left the guest
 * @others: flushes of everything on @cpu when it left the guest
 * @tag: its tag when it was in the guest last
 * @tagged: @tag is known
 * @shown: and among the figures
 * @entered: an entry is not settled yet
 * @distance: of that entry, if @returned
 * @returned: it was the first since its thread was put on a CPU
 * @fate: of its entries at the last such entry that is settled
 * @sibling: another vCPU of the VM had run there since
 * @flush: SVM: that entry flushes all of its tag
 */
struct kvmx_tlb_state {
	struct kvmx_asked asked;
	struct kvmx_asked entering;
	enum kvmx_tlb_doing doing;
	bool looked;
	u64 remote;
	u64 flushes;
	bool paravirtual;
	bool hyperv;
	bool new_root;
	bool reset;
	bool passed;
	bool placed;
	bool ran;
	unsigned int cpu;
	bool flushed;
	u64 others;
	struct kvmx_tag tag;
	bool tagged;
	bool shown;
	bool entered;
	enum kvmx_distance distance;
	bool returned;
	enum kvmx_tlb_fate fate;
	bool sibling;
	bool flush;
};

void kvmx_tlb_start(struct kvmx_tlb_state *s);
void kvmx_tlb_entry(struct kvmx_vcpu *v, struct kvmx_tlb_state *s,
		    struct kvm_vcpu *key, u64 now);
void kvmx_tlb_exit(struct kvmx_vcpu *v, struct kvmx_tlb_state *s,
		   struct kvm_vcpu *key, u64 code, u64 now);
void kvmx_tlb_event(struct kvmx_tlb_state *s, const struct kvmx_event *e);
void kvmx_tlb_told(struct kvmx_vcpu *v, struct kvmx_tlb_state *s,
		   struct kvm_vcpu *key, enum kvmx_tlb_event what,
		   unsigned long arg);
void kvmx_tlb_look(struct kvmx_vcpu *v, struct kvmx_tlb_state *s,
		   const struct kvm_vcpu *key, u64 told,
		   struct kvmx_asks *asks);
u64 kvmx_tlb_others(void);

#endif /* KVMX_STATS_TLB_H */
