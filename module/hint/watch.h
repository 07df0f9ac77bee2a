/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What happens to the thread of a vCPU that may hint: taken off its CPU, put on
 * one again, halting, about to enter.
 */
#ifndef KVMX_HINT_WATCH_H
#define KVMX_HINT_WATCH_H

void kvmx_watch_init(void);

#endif /* KVMX_HINT_WATCH_H */
