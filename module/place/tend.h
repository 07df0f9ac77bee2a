/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A worker looks after all placements, every second while there is one, and soon
 * after somebody said that something has changed: threads whose CPUs others have
 * changed, cpusets, CPUs that come and go.
 */
#ifndef KVMX_PLACE_TEND_H
#define KVMX_PLACE_TEND_H

#include "place/placement.h"

/* Any context. */
void kvmx_tend_soon(void);
void kvmx_tend_all_soon(void);

void kvmx_tend_init(void (*replan)(struct kvmx_placement *p));
void kvmx_tend_exit(void);

#endif /* KVMX_PLACE_TEND_H */
