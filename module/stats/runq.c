// SPDX-License-Identifier: GPL-2.0-only
#include <linux/lockdep.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/string.h>

#include "core/clock.h"
#include "core/topo.h"
#include "core/vm.h"
#include "stats/runq.h"
#include "stats/seq.h"

/**
 * kvmx_runq_start() - counting begins
 * @s: where the thread was is not known any more; what was counted stays
 *
 * Context: nobody counts for this vCPU yet.
 */
void kvmx_runq_start(struct kvmx_sched_state *s)
{
	s->cpu = 0;
	s->placed = false;
	s->out = 0;
}

/**
 * kvmx_runq_settle() - how long the thread had waited for its CPU
 * @s: the vCPU's
 * @d: its figures
 *
 * The scheduler adds to the run delay after it has told of the switch: so the
 * thread's next own event is the first that can see it.
 *
 * Context: the vCPU's bound thread, preemption disabled.
 */
void kvmx_runq_settle(struct kvmx_sched_state *s, struct kvmx_sched *d)
{
	u64 delay;

	if (likely(!s->placed))
		return;
	s->placed = false;
	delay = kvmx_clock_from_ns(current->sched_info.run_delay - s->delay);
	kvmx_seq_begin(&d->head.seq);
	d->delay[kvmx_bucket(delay)]++;
	kvmx_seq_end(&d->head.seq);
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

static void back_on(struct kvmx_sched_state *s, u64 now)
{
	struct kvmx_topk *t = &s->preemptors;

	kvmx_seq_begin(&t->seq);
	kvmx_topk_add_time(t, s->taker, s->taker_key, kvmx_ticks(s->out, now));
	kvmx_seq_end(&t->seq);
	s->out = 0;
}

static void runq_out(struct kvmx_sched_state *s, struct kvmx_sched *d,
		     const struct kvmx_event *e)
{
	kvmx_runq_settle(s, d);
	s->cpu = raw_smp_processor_id() + 1;
	kvmx_seq_begin(&d->head.seq);
	if (e->arg == KVMX_OUT_PREEMPTED)
		d->involuntary++;
	else
		d->voluntary++;
	kvmx_seq_end(&d->head.seq);
	if (e->arg == KVMX_OUT_PREEMPTED)
		preempted(s, e);
}

static void runq_in(struct kvmx_sched_state *s, struct kvmx_sched *d,
		    const struct kvmx_event *e)
{
	unsigned int cpu = raw_smp_processor_id();

	if (!s->cpu)
		return;
	if (s->out)
		back_on(s, e->now);
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
		runq_out(s, d, e);
		break;
	case KVMX_EV_IN:
		runq_in(s, d, e);
		break;
	case KVMX_EV_END:
		/* Another thread has another past. */
		kvmx_runq_start(s);
		break;
	default:
		kvmx_runq_settle(s, d);
		break;
	}
}
