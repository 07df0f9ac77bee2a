/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The short way of entries (core/hot.h): an exit that was handled at once is
 * counted when the next entry ends it.
 */
#ifndef KVMX_STATS_HOT_H
#define KVMX_STATS_HOT_H

#include <linux/types.h>

void kvmx_hot_init(void);

/* Exits in one measurement of kvmx_hot_cost(). */
#define KVMX_COST_ROUNDS	64

int kvmx_hot_cost(u64 *ticks);

#endif /* KVMX_STATS_HOT_H */
