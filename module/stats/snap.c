// SPDX-License-Identifier: GPL-2.0-only
#include <linux/build_bug.h>
#include <linux/minmax.h>
#include <linux/processor.h>
#include <linux/string.h>

#include "core/clock.h"
#include "core/vm.h"
#include "stats/counts.h"
#include "stats/schema.h"
#include "stats/seq.h"
#include "stats/snap.h"
#include "stats/topk.h"

static_assert(KVMX_BLOCK_SIZE <= KVMX_GROUP_MAX);

/*
 * The other half of kvmx_seq_begin() and kvmx_seq_end(). A writer has
 * preemption off between them, for some tens of instructions: waiting for it is
 * bounded, and so is the number of times it gets in between.
 */
static void copy(const u64 *seq, const void *from, void *to, size_t size)
{
	u64 before;

	for (;;) {
		before = READ_ONCE(*seq);
		if (!(before & 1)) {
			smp_rmb();	/* pairs with kvmx_seq_end() */
			memcpy(to, from, size);
			smp_rmb();	/* pairs with kvmx_seq_begin() */
			if (READ_ONCE(*seq) == before)
				return;
		}
		cpu_relax();
	}
}

/*
 * On the short way of exits (core/hot.h) the state is not written: it stays the
 * guest's, and tells neither of the exit that is handled just now nor since
 * when the vCPU is in the guest.
 */
static void copy_state(const struct kvmx_counts *c, struct kvmx_data *to)
{
	const struct kvmx_data *d = c->data;
	u64 exit_at;

	do {
		copy(&d->seq, d, to, KVMX_BLOCK_SIZE);
		exit_at = READ_ONCE(c->hot.exit_at);
		smp_rmb();	/* pairs with kvmx_seq_begin() */
	} while (READ_ONCE(d->seq) != to->seq);
	if (to->state != KVMX_STATE_GUEST)
		return;
	to->state_since = to->accounted;
	if (kvmx_ticks(to->accounted, exit_at)) {
		to->state = KVMX_STATE_EXIT;
		to->state_since = exit_at;
	}
}

static void copy_group(const struct kvmx_data *d, void *to, unsigned int group)
{
	const struct kvmx_group *g = &kvmx_groups[group];
	const struct kvmx_group_head *head = (void *)d + g->offset;

	copy(&head->seq, head, to, g->size);
}

/**
 * kvmx_snap_vcpu() - copy the counters of a vCPU
 * @v: the vCPU; the caller holds a reference to its VM
 * @to: kvmx_schema_data_size() bytes, zeroed before its first use
 *
 * Context: may sleep.
 */
void kvmx_snap_vcpu(const struct kvmx_vcpu *v, struct kvmx_data *to)
{
	const struct kvmx_data *d = v->counts->data;
	unsigned int i;

	copy_state(v->counts, to);
	for (i = 0; i < KVMX_NR_GROUPS; i++)
		copy_group(d, (void *)to + kvmx_groups[i].offset, i);
	for (i = 0; i < kvmx_schema_nr_slots(); i++)
		if (READ_ONCE(d->slot[i].count))
			copy(&d->seq, &d->slot[i], &to->slot[i],
			     sizeof(d->slot[i]));
}

/* The class that the present state's time will be added to. */
static unsigned int class_of(u64 state)
{
	switch (state) {
	case KVMX_STATE_GUEST:
		return KVMX_T_GUEST;
	case KVMX_STATE_EXIT:
		return KVMX_T_EXIT;
	case KVMX_STATE_USER:
		return KVMX_T_USER;
	case KVMX_STATE_READY:
		return KVMX_T_READY;
	default:
		return KVMX_T_UNKNOWN;
	}
}

/**
 * kvmx_snap_load() - what a vCPU did with its time
 * @v: the vCPU; the caller holds a reference to its VM
 * @to: filled in; the present state counts, too
 *
 * Context: any.
 * Return: false if it was never counted.
 */
bool kvmx_snap_load(const struct kvmx_vcpu *v, struct kvmx_load *to)
{
	const struct kvmx_counts *c = READ_ONCE(v->counts);
	char room[KVMX_BLOCK_SIZE] __aligned(8);
	struct kvmx_data *d = (struct kvmx_data *)room;
	unsigned int i;

	memset(to, 0, sizeof(*to));
	if (!c)
		return false;
	copy_state(c, d);
	to->at = kvmx_clock();
	d->time[class_of(d->state)] += kvmx_ticks(d->state_since, to->at);
	to->ran = d->time[KVMX_T_GUEST] + d->time[KVMX_T_EXIT] +
		  d->time[KVMX_T_POLL] + d->time[KVMX_T_USER];
	to->ready = d->time[KVMX_T_READY];
	for (i = 0; i < KVMX_NR_DISTANCES; i++) {
		to->kept += READ_ONCE(c->data->tlb.kept[i]);
		to->lost += READ_ONCE(c->data->tlb.lost[i]);
	}
	return true;
}

static void fold_block(struct kvmx_data *sum, const struct kvmx_data *d)
{
	unsigned int i;

	for (i = 0; i < KVMX_NR_TIMES; i++)
		sum->time[i] += d->time[i];
	sum->entries += d->entries;
	sum->entries_without_exit += d->entries_without_exit;
	sum->exits_without_entry += d->exits_without_entry;
	sum->user_exits += d->user_exits;
	for (i = 0; i < KVMX_UNLISTED; i++)
		sum->unlisted_code[i] = max(sum->unlisted_code[i],
					    d->unlisted_code[i]);
}

static void fold_main(struct kvmx_data *sum, const struct kvmx_data *d,
		      void *scratch)
{
	copy(&d->seq, d, scratch, KVMX_BLOCK_SIZE);
	fold_block(sum, scratch);
}

static void fold_slot(struct kvmx_slot *sum, const struct kvmx_slot *s)
{
	unsigned int i;

	sum->count += s->count;
	sum->gross += s->gross;
	sum->net += s->net;
	sum->max = max(sum->max, s->max);
	for (i = 0; i < KVMX_HIST_BUCKETS; i++)
		sum->hist[i] += s->hist[i];
}

static void fold_groups(struct kvmx_data *sum, const struct kvmx_data *d,
			void *scratch)
{
	unsigned int i;

	for (i = 0; i < KVMX_NR_GROUPS; i++) {
		copy_group(d, scratch, i);
		kvmx_schema_fold(sum, scratch, i);
	}
}

static void fold_vcpu(struct kvmx_data *sum, const struct kvmx_data *d,
		      void *scratch)
{
	struct kvmx_slot slot;
	unsigned int i;

	fold_main(sum, d, scratch);
	fold_groups(sum, d, scratch);
	for (i = 0; i < kvmx_schema_nr_slots(); i++) {
		if (!READ_ONCE(d->slot[i].count))
			continue;
		copy(&d->seq, &d->slot[i], &slot, sizeof(slot));
		fold_slot(&sum->slot[i], &slot);
	}
}

/**
 * kvmx_snap_vm() - sum up the counters of a VM
 * @vm: the VM; the caller holds a reference
 * @to: kvmx_schema_data_size() bytes
 * @scratch: KVMX_GROUP_MAX bytes, aligned as a u64: too much for the stack
 *
 * Context: may sleep.
 */
void kvmx_snap_vm(struct kvmx_vm *vm, struct kvmx_data *to, void *scratch)
{
	struct kvmx_vcpu *v;
	unsigned int i;

	memset(to, 0, kvmx_schema_data_size());
	kvmx_vm_for_each_vcpu(v, vm) {
		const struct kvmx_counts *c = READ_ONCE(v->counts);

		if (c)
			fold_vcpu(to, c->data, scratch);
	}
	for (i = 0; i < KVMX_NR_GROUPS; i++) {
		struct kvmx_group_head *head = (void *)to + kvmx_groups[i].offset;

		head->since = READ_ONCE(vm->group_since[i]);
	}
	to->counting_since = READ_ONCE(vm->counting_since);
	to->gone = READ_ONCE(vm->gone);
}

/**
 * kvmx_snap_topk() - copy a table of the hottest
 * @t: the table of a vCPU; the caller holds a reference to its VM
 * @to: where to
 *
 * Context: may sleep.
 */
void kvmx_snap_topk(const struct kvmx_topk *t, struct kvmx_topk *to)
{
	copy(&t->seq, t, to, sizeof(*to));
}
