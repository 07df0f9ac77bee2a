/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state machine of one vCPU's time. Fed by the probes on entry and exit and
 * by what happens to the vCPU's thread; writes struct kvmx_data.
 */
#ifndef KVMX_STATS_ACCOUNT_H
#define KVMX_STATS_ACCOUNT_H

#include <linux/types.h>

struct kvmx_vcpu;

void kvmx_account_init(void);

void kvmx_account_start(struct kvmx_vcpu *v, bool born);
void kvmx_account_stop(struct kvmx_vcpu *v);

#endif /* KVMX_STATS_ACCOUNT_H */
