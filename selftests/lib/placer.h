/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whoever places VMs, lets them hint, wants to hear of them or traces them, while the
 * module may go.
 */
#ifndef KVMX_LIB_PLACER_H
#define KVMX_LIB_PLACER_H

#include "crew.h"

/* hand.done */
#define PLACER_MISSED		0	/* no module, or no VM */
#define PLACER_PLACED		1
#define PLACER_REFUSED		2	/* or somebody else was first, or it was gone */
#define PLACER_COMMITTED	3
#define PLACER_CLEARED		4
#define PLACER_KILLED		5

/*
 * Places some VM, by any policy, pulls at its threads, and then commits, clears or
 * leaves it, or is killed.
 */
void placer_round(struct crew *c, struct hand *h);

#define HINTER_MISSED		0
#define HINTER_ALLOWED		1
#define HINTER_REFUSED		2
#define HINTER_GRANTED		3	/* hints, as far as they were looked at */

/* Allows some VM to hint, looks what comes of it, takes it back or leaves. */
void hinter_round(struct crew *c, struct hand *h);

#define LISTENER_MISSED		0
#define LISTENER_TOLD		1	/* records */
#define LISTENER_LOST		2

/* Hears of all events for a moment: in order, none lost in silence. */
void listener_round(struct crew *c, struct hand *h);

#define TRACER_MISSED		0
#define TRACER_ENABLED		1
#define TRACER_READ		2

/* Enables all trace events in an instance of its own, reads there, takes it away. */
void tracer_round(struct crew *c, struct hand *h);

#endif /* KVMX_LIB_PLACER_H */
