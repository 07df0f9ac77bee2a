/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What tracepoints call: each probe finds the vCPU's record and tells whoever
 * listens (core/hook.h). Attached and detached by core/attach.c.
 */
#ifndef KVMX_CORE_PROBE_H
#define KVMX_CORE_PROBE_H

#include <linux/types.h>

u64 kvmx_probe_uncounted(void);

#endif /* KVMX_CORE_PROBE_H */
