// SPDX-License-Identifier: GPL-2.0-only
#include <linux/bitops.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/overflow.h>
#include <linux/percpu.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/tsc.h>

#include "core/fast.h"
#include "core/hot.h"
#include "core/probe.h"
#include "stats/counts.h"
#include "stats/hot.h"
#include "stats/schema.h"
#include "stats/seq.h"

/*
 * Where the slot of each code is, from the counters' beginning. Codes without a
 * name have the one that no exit fits into.
 */
static u32 slot_at[KVMX_DIRECT_CODES] __ro_after_init;

/*
 * kvmx_bucket() in one step. As long as the longest exit so far is none of the
 * open bucket's, nor is a shorter one.
 */
static __always_inline unsigned long bucket_of(u64 ticks)
{
	return __fls(2 * ticks + 1);
}

/*
 * In the common case this is all that an exit costs besides core/fast.c. The
 * long way, account_entry(), does the same and more.
 *
 * Of VMX's reasons one byte is enough: they end at 78, and KVM handles no other
 * (SDM vol. 3D, appendix C). Flags that may stand behind them are passed over.
 */
static __always_inline void hot_entry(struct kvm_vcpu *vcpu, bool vmx)
{
	struct kvmx_hot *hot = raw_cpu_read(kvmx_hot);
	struct kvmx_counts *c = container_of(hot, struct kvmx_counts, hot);
	struct kvmx_data *d = kvmx_counts_data(c);
	u64 now, gross, guest, code;
	struct kvmx_slot *s;

	if (unlikely(hot->armed != vcpu))
		goto slow;
	code = vmx ? (u8)hot->code : hot->code;
	if (unlikely(code >= KVMX_DIRECT_CODES))
		goto slow;
	s = (void *)c + slot_at[code];
	now = rdtsc();
	gross = now - hot->exit_at;
	/* No exit since the last entry? */
	if (unlikely(check_sub_overflow(hot->exit_at, d->accounted, &guest)))
		goto slow;
	/* Longer than all before; a clock that went back; a code without a name. */
	if (unlikely(gross > s->max))
		goto slow;

	kvmx_seq_begin(&d->seq);
	d->accounted = now;
	d->time[KVMX_T_GUEST] += guest;
	d->time[KVMX_T_EXIT] += gross;
	d->entries++;
	s->count++;
	s->gross += gross;
	s->net += gross;
	s->hist[bucket_of(gross)]++;
	kvmx_seq_end(&d->seq);
	return;
slow:
	kvmx_probe_entry(NULL, vcpu, false);
}

/* Context: kvm_entry, interrupts off. */
static notrace void hot_entry_vmx(void *data, struct kvm_vcpu *vcpu,
				  bool immediate_exit)
{
	hot_entry(vcpu, true);
}

static notrace void hot_entry_svm(void *data, struct kvm_vcpu *vcpu,
				  bool immediate_exit)
{
	hot_entry(vcpu, false);
}

/**
 * kvmx_hot_init() - entries and exits take the short way where they may
 *
 * Context: may sleep, once, at load, before any probe is attached.
 */
void __init kvmx_hot_init(void)
{
	unsigned int code, slot;

	for (code = 0; code < KVMX_DIRECT_CODES; code++) {
		slot = kvmx_schema_named_slot(code);
		slot_at[code] = slot == KVMX_NO_SLOT ?
				offsetof(struct kvmx_counts, none) :
				KVMX_COUNTS_HEAD +
				offsetof(struct kvmx_data, slot[slot]);
	}
	if (boot_cpu_has(X86_FEATURE_SVM))
		kvmx_probe_set(hot_entry_svm, kvmx_fast_exit_svm);
	else
		kvmx_probe_set(hot_entry_vmx, kvmx_fast_exit_vmx);
}
