/* SPDX-License-Identifier: GPL-2.0-only */
/* What counting costs on this machine, measured now. */
#ifndef KVMX_TOOL_COST_H
#define KVMX_TOOL_COST_H

#include <linux/types.h>

#include "out.h"

const char *cost_ns(int dev, __u32 khz, double *ns);
void cost_put(struct out *o, int dev, __u32 khz, __u64 exits, __u64 ticks);

#endif /* KVMX_TOOL_COST_H */
