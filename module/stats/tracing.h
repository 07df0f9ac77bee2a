/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the trace events of kvmx need while they are enabled.
 */
#ifndef KVMX_STATS_TRACING_H
#define KVMX_STATS_TRACING_H

void kvmx_tracing_init(void);
void kvmx_tracing_exit(void);

#endif /* KVMX_STATS_TRACING_H */
