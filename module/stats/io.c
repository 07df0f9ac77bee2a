// SPDX-License-Identifier: GPL-2.0-only
#include "stats/io.h"
#include "stats/seq.h"

/**
 * kvmx_io_start() - counting begins
 * @s: what is being handled now is not known; what was counted stays
 *
 * Context: nobody counts for this vCPU yet.
 */
void kvmx_io_start(struct kvmx_io_state *s)
{
	s->exit_at = 0;
	s->about = KVMX_ABOUT_OTHER;
}

static void put(struct kvmx_io_state *s, struct kvmx_topk *t, u64 key)
{
	s->row_key = key;
	kvmx_seq_begin(&t->seq);
	s->row = kvmx_topk_put(t, key);
	kvmx_seq_end(&t->seq);
}

static void count_port(struct kvmx_io_state *s, struct kvmx_io *d,
		       const struct kvmx_look *look)
{
	kvmx_seq_begin(&d->head.seq);
	if (look->access == KVMX_ACCESS_READ)
		d->in++;
	else
		d->out++;
	kvmx_seq_end(&d->head.seq);
	put(s, &s->ports, look->address);
}

static void count_mmio(struct kvmx_io_state *s, struct kvmx_io *d, u64 address)
{
	kvmx_seq_begin(&d->head.seq);
	d->mmio++;
	kvmx_seq_end(&d->head.seq);
	put(s, &s->mmio, address);
}

/**
 * kvmx_io_exit() - the guest was left
 * @s: what is kept of the vCPU
 * @d: its figures
 * @look: what a look at the exit told
 * @now: when
 *
 * Context: kvm_exit.
 */
void kvmx_io_exit(struct kvmx_io_state *s, struct kvmx_io *d,
		  const struct kvmx_look *look, u64 now)
{
	s->exit_at = now;
	s->about = look->about;
	if (look->about == KVMX_ABOUT_PORT)
		count_port(s, d, look);
	else if (look->about == KVMX_ABOUT_MMIO)
		count_mmio(s, d, look->address);
}

/**
 * kvmx_io_hole() - a page fault where no memory is
 * @s: what is kept of the vCPU
 * @d: its figures
 * @address: guest-physical
 *
 * Only the first access to a page there looks like that; then KVM has marked it,
 * and kvmx_io_exit() sees it.
 *
 * Context: kvm_page_fault, preemption disabled.
 */
void kvmx_io_hole(struct kvmx_io_state *s, struct kvmx_io *d, u64 address)
{
	if (!s->exit_at || s->about != KVMX_ABOUT_FAULT)
		return;
	s->about = KVMX_ABOUT_MMIO;
	count_mmio(s, d, address);
}

static void settle(struct kvmx_io_state *s, struct kvmx_io *d, u64 time)
{
	bool port = s->about == KVMX_ABOUT_PORT;
	struct kvmx_topk *t = port ? &s->ports : &s->mmio;

	kvmx_seq_begin(&d->head.seq);
	if (port) {
		d->port_time += time;
		d->port_hist[kvmx_bucket(time)]++;
	} else {
		d->mmio_time += time;
		d->mmio_hist[kvmx_bucket(time)]++;
	}
	kvmx_seq_end(&d->head.seq);
	kvmx_seq_begin(&t->seq);
	kvmx_topk_add_time(t, s->row, s->row_key, time);
	kvmx_seq_end(&t->seq);
}

/**
 * kvmx_io_entry() - the guest is entered
 * @s: what is kept of the vCPU
 * @d: its figures
 * @now: when
 *
 * Context: kvm_entry.
 */
void kvmx_io_entry(struct kvmx_io_state *s, struct kvmx_io *d, u64 now)
{
	if (s->about == KVMX_ABOUT_PORT || s->about == KVMX_ABOUT_MMIO)
		settle(s, d, kvmx_ticks(s->exit_at, now));
	s->about = KVMX_ABOUT_OTHER;
	s->exit_at = 0;
}
