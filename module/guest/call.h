/* SPDX-License-Identifier: GPL-2.0-only */
/* Asking the host. */
#ifndef KVMX_GUEST_CALL_H
#define KVMX_GUEST_CALL_H

#include <linux/types.h>

long guest_call(unsigned int op, u32 a, u32 b, u32 c);

/**
 * struct guest_host - what the host answers to QUERY
 * @version: KVMX_PARA_VERSION of the host; 0: it takes no hints
 * @kinds: 1 << KVMX_KIND_*: allowed now
 * @area_size: bytes of an area that it knows
 * @features: KVMX_PARA_* bits, of use to us
 */
struct guest_host {
	u32 version;
	u32 kinds;
	u32 area_size;
	u32 features;
};

void guest_query(struct guest_host *host);

#endif /* KVMX_GUEST_CALL_H */
