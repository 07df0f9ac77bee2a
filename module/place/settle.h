/* SPDX-License-Identifier: GPL-2.0-only */
/* At the end of a placement: births that began while it was in force. */
#ifndef KVMX_PLACE_SETTLE_H
#define KVMX_PLACE_SETTLE_H

struct kvmx_placement;

void kvmx_settle(struct kvmx_placement *p);

#endif /* KVMX_PLACE_SETTLE_H */
