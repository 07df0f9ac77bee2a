/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What core/tasks.h tells of the threads of VMs, and what a placement makes of it.
 * A user thread is told of by itself, before its first instruction, and waits here
 * until it has its CPUs.
 */
#ifndef KVMX_PLACE_TOLD_H
#define KVMX_PLACE_TOLD_H

void kvmx_told_init(void);

#endif /* KVMX_PLACE_TOLD_H */
