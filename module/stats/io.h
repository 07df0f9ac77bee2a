/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVMX_STATS_IO: which ports and addresses without memory a vCPU exits for.
 */
#ifndef KVMX_STATS_IO_H
#define KVMX_STATS_IO_H

#include <linux/types.h>

#include "core/exit.h"
#include "stats/counters.h"
#include "stats/topk.h"

/**
 * struct kvmx_io_state - what it takes to keep the figures
 * @exit_at: when the exit that is being handled happened; 0 in the guest, and
 *	until the first exit since counting began
 * @about: what it is about: KVMX_ABOUT_PORT or _MMIO if it is counted here
 * @row: of the list, that it is counted in
 * @row_key: its key, in case that it loses the row
 * @ports: KVMX_TOP_PORTS
 * @mmio: KVMX_TOP_MMIO
 */
struct kvmx_io_state {
	u64 exit_at;
	enum kvmx_about about;
	struct kvmx_topk_row *row;
	u64 row_key;
	struct kvmx_topk ports;
	struct kvmx_topk mmio;
};

void kvmx_io_start(struct kvmx_io_state *s);
void kvmx_io_exit(struct kvmx_io_state *s, struct kvmx_io *d,
		  const struct kvmx_look *look, u64 now);
void kvmx_io_hole(struct kvmx_io_state *s, struct kvmx_io *d, u64 address);
void kvmx_io_entry(struct kvmx_io_state *s, struct kvmx_io *d, u64 now);

#endif /* KVMX_STATS_IO_H */
