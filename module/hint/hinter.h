/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A vCPU that may give hints: the policy for them, and what came of them. Made
 * when its VM is allowed to give some, and kept as long as the vCPU's record.
 */
#ifndef KVMX_HINT_HINTER_H
#define KVMX_HINT_HINTER_H

#include <linux/atomic.h>
#include <linux/hrtimer.h>
#include <linux/irq_work.h>
#include <linux/kthread.h>
#include <linux/mutex.h>
#include <linux/nospec.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/kvmx_hint.h>
#include <linux/kvmx_para.h>

#include "core/boost.h"
#include "core/guestmem.h"
#include "core/hook.h"
#include "core/peek.h"
#include "core/poke.h"
#include "core/verdict.h"
#include "core/work.h"
#include "hint/fit.h"

struct kvmx_vcpu;
struct task_struct;

/**
 * struct kvmx_call - the hypercall that a vCPU makes
 * @state: where it is; the answer belongs to whoever takes it out of a state
 * @args: what was asked
 * @site: where the guest stood
 * @yields: the thread is to make way for another vCPU's, which @args name
 * @work: answers, in the vCPU's thread; holds a reference on the VM while it is
 *	left there
 * @full_at: when, by the limit of calls, all those made so far are paid for, ns
 */
struct kvmx_call {
	enum {
		KVMX_CALL_NONE,
		KVMX_CALL_LEFT,		/* with the vCPU's thread */
		KVMX_CALL_OWED,		/* the thread left KVM first */
	} state;
	struct kvmx_call_args args;
	struct kvmx_call_site site;
	bool yields;
	struct kvmx_work work;
	u64 full_at;
};

/**
 * struct kvmx_area_state - the area of a vCPU
 * @on: there is one
 * @lost: it could not be reached when that was last tried
 * @changed: what the host says is to be written before the next entry
 * @mem: where it is
 * @user: where the word is that it named last
 * @word: the hint word that was seen last
 * @seq: its number
 * @out: the thread, while it is off its CPU and could have gone on: it cannot end
 *	before it is put on one, which clears this
 * @kicked_at: when an interrupt came for it last while it was not out, ns; 0: not
 *	since it was taken off last
 * @preempted: see struct kvmx_area_host; so are the next ones
 * @generation: see there
 * @run_delay: see there
 */
struct kvmx_area_state {
	bool on;
	bool lost;
	bool changed;
	struct kvmx_guestmem mem;
	struct kvmx_guestmem user;
	u32 word;
	u32 seq;
	struct task_struct *out;
	u64 kicked_at;
	u32 preempted;
	u32 generation;
	u64 run_delay;
};

/**
 * struct kvmx_grant - what a vCPU's thread is granted
 * @apply: held by whoever makes what is wanted so; around the hinter's lock
 * @want: it is to be boosted
 * @on: it is; written with @apply held, too
 * @asleep: its guest halts: it keeps its boost, and pays no time for it
 * @useful: somebody else wanted its CPU, when that was looked at
 * @throttled: its budget is used up
 * @counted: it is one of kvmx_grants_awake
 * @trial: an interrupt earned it; whether the guest waited for that one is not
 *	known yet
 * @late: its last grant ended by itself, and the guest has not said anything since
 * @way: how the hint came
 * @why: why it is not wanted any more
 * @kind: of the hint
 * @effect: KVMX_EFFECT_*
 * @arg: see there
 * @asked: the thread that is to be boosted, or was last; referenced, or NULL
 * @stale: the one before, to be put where nobody minds; or NULL
 * @task: the one that is, while @on; referenced
 * @boost: what was before
 * @rest_ns: what is left of this grant
 * @left_ns: what is left of the budget of this period
 * @period_at: when that began
 * @billed_at: up to when time was billed
 * @spent_ns: of this grant so far
 * @timer: ends it
 * @bell: rings where neither a timer nor a wake-up is possible
 * @kwork: makes what is wanted so, in the kthread
 * @own: the same, in the thread itself
 * @own_left: that is left with the thread
 */
struct kvmx_grant {
	struct mutex apply;
	bool want;
	bool on;
	bool asleep;
	bool useful;
	bool throttled;
	bool counted;
	bool trial;
	bool late;
	enum kvmx_hint_way way;
	enum kvmx_grant_end why;
	u32 kind;
	u32 effect;
	s32 arg;
	struct task_struct *asked;
	struct task_struct *stale;
	struct task_struct *task;
	struct kvmx_boost boost;
	s64 rest_ns;
	s64 left_ns;
	u64 period_at;
	u64 billed_at;
	u64 spent_ns;
	struct hrtimer timer;
	struct irq_work bell;
	struct kthread_work kwork;
	struct kvmx_work own;
	atomic_t own_left;
};

/**
 * struct kvmx_halts - how long a vCPU halts, for KVMX_EFFECT_FIT
 * @fit: that
 * @seen: what KVM had counted when it was looked at last
 * @known: it was
 * @exit: the exit that was the last halt: KVM's number of it, plus one
 */
struct kvmx_halts {
	struct kvmx_fit fit;
	struct kvmx_polls seen;
	bool known;
	u64 exit;
};

/**
 * struct kvmx_hinter - a vCPU that may give hints
 * @v: its record
 * @lock: guards all that follows. Raw, taken with interrupts off: in probes
 * @on: hints are allowed now; probes look at it without the lock
 * @policy: what they may do
 * @call: its hypercall
 * @area: its area
 * @grant: what its thread is granted
 * @halts: what is known of its halts
 * @counts: by kind
 */
struct kvmx_hinter {
	struct kvmx_vcpu *v;
	raw_spinlock_t lock;
	bool on;
	struct kvmx_hint policy;
	struct kvmx_call call;
	struct kvmx_area_state area;
	struct kvmx_grant grant;
	struct kvmx_halts halts;
	struct kvmx_hint_counts counts[KVMX_NR_KINDS];
};

struct kvmx_hinter *kvmx_hinter_alloc(struct kvmx_vcpu *v);
void kvmx_hinter_free(struct kvmx_vcpu *v);
void kvmx_hinter_set(struct kvmx_hinter *h, const struct kvmx_hint *policy,
		     bool on);
u32 kvmx_hinter_cost(const struct kvmx_hinter *h);
void kvmx_hinter_add_counts(struct kvmx_hinter *h, struct kvmx_hint_counts *to);

/* As what @kind counts: one that there is not counts as none. */
static inline u32 kvmx_hinter_kind(u32 kind)
{
	if (kind >= KVMX_NR_KINDS)
		kind = KVMX_KIND_NONE;
	return array_index_nospec(kind, KVMX_NR_KINDS);
}

u32 kvmx_hinter_kinds(const struct kvmx_hinter *h);
u32 kvmx_hinter_state(const struct kvmx_hinter *h);
u32 kvmx_hinter_budget_us(struct kvmx_hinter *h);
u64 kvmx_hinter_granted(const struct kvmx_hinter *h);
void kvmx_hinter_bill(struct kvmx_hinter *h, u64 now);
enum kvmx_verdict kvmx_hinter_judge(struct kvmx_hinter *h, u32 word);
void kvmx_hinter_count(struct kvmx_hinter *h, u32 word,
		       enum kvmx_verdict verdict);

#endif /* KVMX_HINT_HINTER_H */
