/* SPDX-License-Identifier: GPL-2.0-only */
/* Readers that come and go, while the module may, too. */
#ifndef KVMX_LIB_READER_H
#define KVMX_LIB_READER_H

#include "crew.h"

/* hand.done */
#define READER_MISSED	0	/* no module, or no VM, or it was gone too soon */
#define READER_PREADS	1
#define READER_MAPS	2

/*
 * Opens some VM's statistics, if there is one, with or without groups, reads and
 * maps them, leaves.
 */
void reader_round(struct crew *c, struct hand *h);

#endif /* KVMX_LIB_READER_H */
