/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A plan is made, and followed as a whole or not at all: each thread is asked first
 * whether it can be given its CPUs, then all are given them, and where that fails
 * in the middle, all go back.
 */
#ifndef KVMX_PLACE_FOLLOW_H
#define KVMX_PLACE_FOLLOW_H

#include "place/placement.h"

struct kvmx_auto_move;
struct kvmx_rows;

int kvmx_follow_wishes(struct kvmx_placement *p, struct kvmx_wishes *w,
		       struct kvmx_layout **before, struct kvmx_rows *rows);
int kvmx_follow_replan(struct kvmx_placement *p, struct kvmx_layout **before);
int kvmx_follow_move(struct kvmx_placement *p, const struct kvmx_auto_move *m,
		     struct kvmx_layout **before);
struct kvmx_layout *kvmx_follow_kept(struct kvmx_placement *p);

#endif /* KVMX_PLACE_FOLLOW_H */
