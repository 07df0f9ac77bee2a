/* SPDX-License-Identifier: GPL-2.0-only */
/* States of a vCPU (KVMX_STATE_*). Pure. */
#ifndef KVMX_TOOL_STATE_H
#define KVMX_TOOL_STATE_H

#include <stddef.h>
#include <linux/types.h>

void state_name(__u64 state, char *buf, size_t size);
const char *state_class(__u64 state);

#endif /* KVMX_TOOL_STATE_H */
