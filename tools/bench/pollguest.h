/* SPDX-License-Identifier: GPL-2.0-only */
/* What pollwake and its guest tell each other. */
#ifndef KVMX_BENCH_POLLGUEST_H
#define KVMX_BENCH_POLLGUEST_H

#include <stdint.h>
#include <linux/kvmx_para.h>

struct poll_room {
	struct kvmx_area area;
	uint32_t hints;			/* it says *latency*, all the time */
	uint32_t intel;
	uint32_t stop;
	uint32_t halts;			/* counted before each */
	uint64_t woken;			/* the time stamp behind the last one */
	int64_t failed;			/* what REGISTER said, if not 0 */
};

void poll_guest(struct poll_room *room);

#endif /* KVMX_BENCH_POLLGUEST_H */
