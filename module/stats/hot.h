/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The short way of entries (core/hot.h): an exit that was handled at once is
 * counted when the next entry ends it.
 */
#ifndef KVMX_STATS_HOT_H
#define KVMX_STATS_HOT_H

void kvmx_hot_init(void);

#endif /* KVMX_STATS_HOT_H */
