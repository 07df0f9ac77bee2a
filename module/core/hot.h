/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The short way of entries and exits.
 *
 * Most exits are handled by KVM at once: the thread neither sleeps nor leaves
 * the kernel nor its CPU, and the next thing that happens is an entry. Of these
 * an exit notes only why and when (core/fast.c), and the entry does all the
 * counting (stats/hot.c), with one look to know that nothing else has happened:
 * @armed is the vCPU. Whatever else does happen, an event of the thread, the end
 * of counting, a group of figures, disarms; then entry and exit go the long way
 * (core/probe.c), which counts what was noted, and an entry arms again.
 *
 * A VM that nobody looks at takes neither: where @armed is another, the second
 * and last look is at kvmx_vcpu.skip of the vCPU that was here last.
 *
 * Who may write
 *  - @armed: the vCPU's thread sets it, with preemption off; anybody may clear
 *    it, after saying why in a word that arming looks at: see kvmx_hot_disarm()
 *  - @code, @exit_at: the vCPU's thread
 *  - kvmx_hot: its CPU, but for the work that takes dead records out
 */
#ifndef KVMX_CORE_HOT_H
#define KVMX_CORE_HOT_H

#include <linux/compiler.h>
#include <linux/percpu-defs.h>
#include <linux/types.h>
#include <asm/barrier.h>

struct kvm_vcpu;
struct kvmx_vcpu;

/**
 * struct kvmx_hot - what an exit writes on its short way
 * @armed: KVM's vCPU while the short way is open, else NULL
 * @code: why the guest was left last, as the hardware has it
 * @exit_at: kvmx_clock() of that moment
 * @vcpu: whose this is
 */
struct kvmx_hot {
	const struct kvm_vcpu *armed;
	u64 code;
	u64 exit_at;
	struct kvmx_vcpu *vcpu;
};

/* The vCPU that was armed last on each CPU; never NULL. */
DECLARE_PER_CPU(struct kvmx_hot *, kvmx_hot);
extern struct kvmx_hot kvmx_hot_none;

void kvmx_hot_reset(void);

/**
 * kvmx_hot_disarm() - the next entry or exit takes the long way
 * @hot: of a vCPU
 *
 * From another thread, what forbids the short way must have been written
 * before, so that a thread that arms at this moment sees it.
 *
 * Context: any.
 */
static inline void kvmx_hot_disarm(struct kvmx_hot *hot)
{
	smp_mb();	/* pairs with arm(): the reason before the word */
	WRITE_ONCE(hot->armed, NULL);
}

#endif /* KVMX_CORE_HOT_H */
