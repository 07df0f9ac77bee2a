// SPDX-License-Identifier: GPL-2.0-only
#include <linux/bitops.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/processor-flags.h>
#include <asm/special_insns.h>
#include <asm/tsc.h>

#include "core/clock.h"
#include "core/exit.h"
#include "core/fast.h"
#include "core/hot.h"
#include "core/probe.h"
#include "core/vm.h"
#include "stats/counts.h"
#include "stats/hot.h"
#include "stats/schema.h"
#include "stats/seq.h"

/*
 * Where the slot of each code is, from the counters' beginning, in units of eight
 * bytes. Codes without a name have the one that no exit fits into. Two bytes of the
 * code are looked up, for SVM's codes are sparse, so that none has to be compared
 * with the table's end; nearly all of it says the same.
 */
static u16 slot_at[1 << 16] __ro_after_init;
static_assert(sizeof(struct kvmx_slot) % 8 == 0);

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
 * Of SVM's two are: what is beyond them is -1, which has no name in them either
 * (APM vol. 2, appendix C), and what a hypervisor below makes up: ambiguous().
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
	code = vmx ? (u8)hot->code : (u16)hot->code;
	now = rdtsc();
	/* No exit since the last entry? */
	if (unlikely(check_sub_overflow(hot->exit_at, d->accounted, &guest)))
		goto slow;
	s = (void *)((u64 *)c + slot_at[code]);

	/*
	 * Behind the barrier, and with @now at its place, the difference needs
	 * no copy of either.
	 */
	kvmx_seq_begin(&d->seq);
	d->accounted = now;
	gross = now - hot->exit_at;
	/* Longer than all before; a clock that went back; a code without a name. */
	if (unlikely(gross > s->max))
		goto undo;

	d->time[KVMX_T_GUEST] += guest;
	d->time[KVMX_T_EXIT] += gross;
	d->entries++;
	s->count++;
	s->gross += gross;
	s->net += gross;
	s->hist[bucket_of(gross)]++;
	kvmx_seq_end(&d->seq);
	return;
undo:
	d->accounted = READ_ONCE(hot->exit_at) - guest;
	kvmx_seq_end(&d->seq);
slow:
	/* It is wanted where it came; else gcc moves it away on the short way. */
	asm("" : "+S" (vcpu));
	if (!kvmx_vcpu_skipped(vcpu))
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

/*
 * Takes the place of the vCPU that is armed on this CPU, which then goes the long
 * way once: to give it back would bring back one that may have died meanwhile.
 */
static u64 time_rounds(struct kvmx_counts *c, struct kvm_vcpu *dummy)
{
	unsigned long flags;
	u64 took;
	int i;

	local_irq_save(flags);
	this_cpu_write(kvmx_hot, &c->hot);
	c->data->accounted = rdtsc();
	took = rdtsc();
	for (i = 0; i < KVMX_COST_ROUNDS; i++) {
		if (boot_cpu_has(X86_FEATURE_SVM)) {
			kvmx_fast_exit_svm(NULL, dummy, KVMX_ISA_SVM);
			hot_entry_svm(NULL, dummy, false);
		} else {
			kvmx_fast_exit_vmx(NULL, dummy, KVMX_ISA_VMX);
			hot_entry_vmx(NULL, dummy, false);
		}
	}
	took = rdtsc() - took;
	this_cpu_write(kvmx_hot, &kvmx_hot_none);
	local_irq_restore(flags);
	return took;
}

/* Counters for the dummy, of which no exit is the longest so far. */
static struct kvmx_counts *dummy_counts(struct kvm_vcpu *dummy)
{
	struct kvmx_counts *c = vzalloc(KVMX_COUNTS_HEAD +
					kvmx_schema_data_size());
	unsigned int i;

	if (!c)
		return NULL;
	c->data = kvmx_counts_data(c);
	for (i = 0; i < kvmx_schema_nr_slots(); i++)
		c->data->slot[i].max = KVMX_MAX_TICKS;
	c->none.max = KVMX_MAX_TICKS;
	c->hot.armed = dummy;
	return c;
}

/**
 * kvmx_hot_cost() - what counting an exit on its short way costs, here and now
 * @ticks: of KVMX_COST_ROUNDS exits and entries, the least of a few tries
 *
 * The probes themselves are called, for a vCPU that does not exist; what the
 * tracepoints add, some ten instructions each, is not in it.
 *
 * Context: may sleep; interrupts are off for some microseconds.
 * Return: 0; -ENOMEM; -EOPNOTSUPP where exits never take the short way, or with
 *	VMX before there is a VM on this host.
 */
int kvmx_hot_cost(u64 *ticks)
{
	struct kvm_vcpu *dummy;
	struct kvmx_counts *c;
	int i, err = -ENOMEM;

	if (!static_key_enabled(&kvmx_clock_is_tsc))
		return -EOPNOTSUPP;
	/* Outside of VMX operation each VMREAD would fault, and be passed over. */
	if (!boot_cpu_has(X86_FEATURE_SVM) &&
	    !(native_read_cr4() & X86_CR4_VMXE))
		return -EOPNOTSUPP;
	dummy = kvmx_fast_dummy();
	if (!dummy)
		return err;
	c = dummy_counts(dummy);
	if (c) {
		*ticks = U64_MAX;
		for (i = 0; i < 8; i++)
			*ticks = min(*ticks, time_rounds(c, dummy));
		err = 0;
		/* The work that takes dead records out may have found it. */
		synchronize_rcu();
		vfree(c);
	}
	kfree(dummy);
	return err;
}

/*
 * Software that is below KVM may make up codes of which the two bytes mean something
 * else (Hyper-V does: 0xf0000000): there the first ones go the long way, which looks
 * at all of a code.
 */
static bool __init ambiguous(unsigned int code)
{
	return boot_cpu_has(X86_FEATURE_SVM) &&
	       boot_cpu_has(X86_FEATURE_HYPERVISOR) && code < 16;
}

static u16 __init slot_of(unsigned int code)
{
	unsigned int slot = KVMX_NO_SLOT;

	if (code < KVMX_DIRECT_CODES && !ambiguous(code))
		slot = kvmx_schema_named_slot(code);
	if (slot == KVMX_NO_SLOT)
		return offsetof(struct kvmx_counts, none) / sizeof(u64);
	return (KVMX_COUNTS_HEAD + offsetof(struct kvmx_data, slot[slot])) /
	       sizeof(u64);
}

/**
 * kvmx_hot_init() - entries and exits take the short way where they may
 *
 * Context: may sleep, once, at load, before any probe is attached.
 */
void __init kvmx_hot_init(void)
{
	unsigned int code;

	for (code = 0; code < ARRAY_SIZE(slot_at); code++)
		slot_at[code] = slot_of(code);
	if (boot_cpu_has(X86_FEATURE_SVM))
		kvmx_probe_set(hot_entry_svm, kvmx_fast_exit_svm);
	else
		kvmx_probe_set(hot_entry_vmx, kvmx_fast_exit_vmx);
}
