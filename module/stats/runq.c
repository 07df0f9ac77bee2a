// SPDX-License-Identifier: GPL-2.0-only
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/string.h>

#include "core/clock.h"
#include "core/topo.h"
#include "core/vm.h"
#include "kvmx_trace.h"
#include "stats/counts.h"
#include "stats/runq.h"
#include "stats/seq.h"

/* Parameter ready_us: shorter delays are not worth the trace event. */
unsigned int kvmx_ready_us = 1000;

/* Where the thread was is not known any more; what was counted stays. */
static void forget_thread(struct kvmx_sched_state *s)
{
	s->cpu = 0;
	s->placed = false;
	s->out = 0;
	s->by_tid = 0;
	s->by_comm[0] = '\0';
}

/**
 * kvmx_runq_start() - counting begins
 * @s: what is kept of a vCPU
 *
 * Context: nobody counts for this vCPU yet.
 */
void kvmx_runq_start(struct kvmx_sched_state *s)
{
	forget_thread(s);
	s->polls_known = false;
	s->ran_on = 0;
	s->came_from = 0;
	s->moved = KVMX_NR_DISTANCES;
	s->exit_open = false;
}

/* Somebody may have set KVM's figures to zero (debugfs). */
static u64 rise(u64 now, u64 before)
{
	return now >= before ? now - before : now;
}

/* What KVM has counted since it was looked at last. */
static void look_at_polls(struct kvmx_vcpu *v, struct kvmx_sched_state *s,
			  struct kvmx_poll *p)
{
	const struct kvmx_polls old = s->polls;
	u64 won, all;

	if (!kvmx_peek_polls(READ_ONCE(v->key), &s->polls))
		return;
	if (s->polls_known) {
		won = rise(s->polls.successes, old.successes);
		all = rise(s->polls.attempts, old.attempts);
		p->success += won;
		p->failure += all - min(won, all);
		p->useful += kvmx_clock_from_ns(rise(s->polls.success_ns,
						     old.success_ns));
		p->wasted += kvmx_clock_from_ns(rise(s->polls.fail_ns,
						     old.fail_ns));
	}
	s->polls_known = true;
}

static void tell_ready(struct kvmx_vcpu *v, struct kvmx_sched_state *s, u64 ns)
{
	if (ns < READ_ONCE(kvmx_ready_us) * 1000ULL)
		return;
	trace_ready(v->vm->id, v->index, raw_smp_processor_id(), ns, s->woken,
		    s->by_tid, s->by_comm);
}

/*
 * How long the thread had waited for its CPU. The scheduler adds to the run delay
 * after it has told of the switch: so the thread's next own event is the first
 * that can see it. Context: the vCPU's bound thread, preemption disabled.
 */
static void settle(struct kvmx_vcpu *v, struct kvmx_sched_state *s,
		   struct kvmx_sched *d)
{
	u64 ns;

	if (likely(!s->placed))
		return;
	s->placed = false;
	ns = current->sched_info.run_delay - s->delay;
	kvmx_seq_begin(&d->head.seq);
	d->delay[kvmx_bucket(kvmx_clock_from_ns(ns))]++;
	kvmx_seq_end(&d->head.seq);
	if (trace_ready_enabled())
		tell_ready(v, s, ns);
}

/* The exit is handled: what it cost, by how far the run before it had moved. */
static void close_exit(const struct kvmx_counts *c, struct kvmx_sched_state *s,
		       u64 now)
{
	struct kvmx_topk *t = &s->exits[s->moved];
	u64 gross = kvmx_ticks(c->exit_at, now);
	struct kvmx_topk_row *row;

	kvmx_seq_begin(&t->seq);
	row = kvmx_topk_put(t, s->exit_code);
	row->time += kvmx_ticks(c->away, gross);
	kvmx_seq_end(&t->seq);
}

/* Where it will run, seen from where it ran before. */
static void note_place(struct kvmx_sched_state *s)
{
	unsigned int cpu = raw_smp_processor_id();

	if (likely(s->ran_on == cpu + 1)) {
		s->moved = KVMX_D_SAME;
		return;
	}
	s->moved = s->ran_on ? kvmx_topo_distance(s->ran_on - 1, cpu) :
			       KVMX_NR_DISTANCES;
	s->came_from = s->ran_on;
	s->ran_on = cpu + 1;
}

static void tell_move(struct kvmx_vcpu *v, struct kvmx_sched_state *s,
		      enum kvmx_tlb_fate tlb)
{
	if (trace_migrate_enabled())
		trace_migrate(v->vm->id, v->index, s->came_from - 1,
			      s->ran_on - 1, s->moved, tlb);
	s->came_from = 0;
}

/**
 * kvmx_runq_exit() - the vCPU leaves the guest
 * @v: the vCPU
 * @s: what is kept of it
 * @d: its figures
 * @code: exit code
 * @tlb: what became of its TLB entries before it entered
 *
 * Context: the vCPU's bound thread, preemption disabled.
 */
void kvmx_runq_exit(struct kvmx_vcpu *v, struct kvmx_sched_state *s,
		    struct kvmx_sched *d, u64 code, enum kvmx_tlb_fate tlb)
{
	settle(v, s, d);
	if (unlikely(s->came_from))
		tell_move(v, s, tlb);
	/* Not one that the account made nothing of. */
	s->exit_open = v->counts->open && s->moved != KVMX_NR_DISTANCES;
	s->exit_code = code;
}

/**
 * kvmx_runq_entry() - the vCPU enters the guest
 * @v: the vCPU
 * @s: what is kept of it
 * @d: its figures
 * @now: when
 *
 * Context: the vCPU's bound thread, preemption disabled.
 */
void kvmx_runq_entry(struct kvmx_vcpu *v, struct kvmx_sched_state *s,
		     struct kvmx_sched *d, u64 now)
{
	settle(v, s, d);
	if (likely(s->exit_open))
		close_exit(v->counts, s, now);
	s->exit_open = false;
	note_place(s);
	/* Only a begin to count from: nothing is added. */
	if (unlikely(!s->polls_known))
		look_at_polls(v, s, &d->poll);
}

/* Who got the CPU of a thread that could have gone on. */
static void preempted(struct kvmx_sched_state *s, const struct kvmx_event *e)
{
	struct kvmx_topk *t = &s->preemptors;

	s->out = e->now;
	s->taker_key = e->other->pid;
	kvmx_seq_begin(&t->seq);
	s->taker = kvmx_topk_put(t, s->taker_key);
	/* Its latest name; the thread may change it while this is copied. */
	memcpy(s->taker->name, e->other->comm, sizeof(s->taker->name) - 1);
	kvmx_seq_end(&t->seq);
}

/* Whom the thread waits for, if somebody wants to hear of it. */
static void waits_for(struct kvmx_sched_state *s, const struct task_struct *by)
{
	if (!trace_ready_enabled())
		return;
	s->by_tid = by->pid;
	/* Its latest name; the thread may change it while this is copied. */
	memcpy(s->by_comm, by->comm, sizeof(s->by_comm));
	s->by_comm[sizeof(s->by_comm) - 1] = '\0';
}

static void back_on(struct kvmx_sched_state *s, u64 now)
{
	struct kvmx_topk *t = &s->preemptors;

	kvmx_seq_begin(&t->seq);
	kvmx_topk_add_time(t, s->taker, s->taker_key, kvmx_ticks(s->out, now));
	kvmx_seq_end(&t->seq);
	s->out = 0;
}

static void runq_out(struct kvmx_vcpu *v, struct kvmx_sched_state *s,
		     struct kvmx_sched *d, const struct kvmx_event *e)
{
	settle(v, s, d);
	s->cpu = raw_smp_processor_id() + 1;
	kvmx_seq_begin(&d->head.seq);
	if (e->arg == KVMX_OUT_PREEMPTED || e->arg == KVMX_OUT_THROTTLED)
		d->involuntary++;
	else
		d->voluntary++;
	if (e->arg == KVMX_OUT_THROTTLED)
		d->throttled++;
	kvmx_seq_end(&d->head.seq);
	s->by_tid = 0;
	s->by_comm[0] = '\0';
	s->woken = e->arg == KVMX_OUT_HALTED || e->arg == KVMX_OUT_WAITS;
	if (e->arg != KVMX_OUT_PREEMPTED)
		return;
	preempted(s, e);
	waits_for(s, e->other);
}

static void runq_in(struct kvmx_sched_state *s, struct kvmx_sched *d,
		    const struct kvmx_event *e)
{
	unsigned int cpu = raw_smp_processor_id();

	if (!s->cpu)
		return;
	if (s->out)
		back_on(s, e->now);
	/* Of those that had the CPU since it was woken, the last one. */
	if (s->woken)
		waits_for(s, e->other);
	s->delay = e->arg;
	s->placed = true;
	kvmx_seq_begin(&d->head.seq);
	d->placed[kvmx_topo_distance(s->cpu - 1, cpu)]++;
	kvmx_seq_end(&d->head.seq);
}

/**
 * kvmx_runq_event() - something happens to the thread of a vCPU
 * @v: the vCPU
 * @s: what is kept of it
 * @d: its figures
 * @e: what happens
 *
 * Context: kvmx_vcpu.lock held; switches under a run queue's lock.
 */
void kvmx_runq_event(struct kvmx_vcpu *v, struct kvmx_sched_state *s,
		     struct kvmx_sched *d, const struct kvmx_event *e)
{
	lockdep_assert_held(&v->lock);
	switch (e->type) {
	case KVMX_EV_OUT:
		runq_out(v, s, d, e);
		break;
	case KVMX_EV_IN:
		runq_in(s, d, e);
		break;
	case KVMX_EV_END:
		/* Another thread has another past. */
		forget_thread(s);
		break;
	case KVMX_EV_WAKEUP:
		settle(v, s, d);
		kvmx_seq_begin(&d->head.seq);
		look_at_polls(v, s, &d->poll);
		kvmx_seq_end(&d->head.seq);
		break;
	default:
		settle(v, s, d);
		break;
	}
}
