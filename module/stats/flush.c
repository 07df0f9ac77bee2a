// SPDX-License-Identifier: GPL-2.0-only
#include <linux/bits.h>
#include <linux/string.h>

#include "core/vm.h"
#include "kvmx_trace.h"
#include "stats/counts.h"
#include "stats/flush.h"
#include "stats/seq.h"

/**
 * kvmx_flush_ask() - something asks for a flush
 * @a: what has asked so far
 * @cause: what asks now; once is enough
 *
 * Context: any; one at a time for each @a.
 */
void kvmx_flush_ask(struct kvmx_asked *a, enum kvmx_flush_cause cause)
{
	if (a->mask & BIT(cause))
		return;
	a->mask |= BIT(cause);
	a->order[a->nr++] = cause;
}

/**
 * kvmx_flush_withdraw() - it turns out that this did not ask
 * @a: what has asked so far
 * @cause: what did not
 *
 * Context: as kvmx_flush_ask().
 */
void kvmx_flush_withdraw(struct kvmx_asked *a, enum kvmx_flush_cause cause)
{
	unsigned int i, to = 0;

	if (!(a->mask & BIT(cause)))
		return;
	a->mask &= ~BIT(cause);
	for (i = 0; i < a->nr; i++)
		if (a->order[i] != cause)
			a->order[to++] = a->order[i];
	a->nr = to;
}

/**
 * kvmx_flush_bill() - entries of a vCPU are flushed
 * @v: the vCPU
 * @kind: what is done
 * @a: what asked for it; the first one is billed, the others are kept beside
 *
 * Every flush that is counted comes through here, once.
 *
 * Context: the thread that has the vCPU loaded, preemption disabled.
 */
void kvmx_flush_bill(struct kvmx_vcpu *v, enum kvmx_flush_kind kind,
		     const struct kvmx_asked *a)
{
	enum kvmx_flush_cause cause = a->nr ? a->order[0] :
					      KVMX_W_UNATTRIBUTED;
	struct kvmx_tlb *d = &v->counts->data->tlb;
	unsigned int i;

	kvmx_seq_begin(&d->head.seq);
	d->flushes++;
	d->kind[kind]++;
	d->cause[cause]++;
	for (i = 1; i < a->nr; i++)
		d->also[a->order[i]]++;
	kvmx_seq_end(&d->head.seq);
	if (trace_flush_enabled())
		trace_flush(v->vm->id, v->index, kind, cause, a->mask);
}

/**
 * kvmx_flush_returned() - a vCPU was put on a CPU again, and has entered there
 * @v: the vCPU
 * @distance: how far that is from where it ran in the guest before
 * @kept: the entries that it left there were still valid
 *
 * Every such return comes through here, once.
 *
 * Context: as kvmx_flush_bill().
 */
void kvmx_flush_returned(struct kvmx_vcpu *v, enum kvmx_distance distance,
			 bool kept)
{
	struct kvmx_tlb *d = &v->counts->data->tlb;

	kvmx_seq_begin(&d->head.seq);
	if (kept)
		d->kept[distance]++;
	else
		d->lost[distance]++;
	kvmx_seq_end(&d->head.seq);
}
