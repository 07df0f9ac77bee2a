/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is said at each switch of tasks: latency for real-time tasks, and where
 * the running thread has its word.
 */
#ifndef KVMX_GUEST_LATENCY_H
#define KVMX_GUEST_LATENCY_H

#include <linux/types.h>

int guest_latency_init(void);
bool guest_latency_wanted(u32 kinds);
int guest_latency_watch(bool on);
bool guest_latency_watching(void);
void guest_latency_again(void *unused);

#endif /* KVMX_GUEST_LATENCY_H */
