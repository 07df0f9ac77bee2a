/* SPDX-License-Identifier: GPL-2.0-only */
/* Placements, printed. */
#ifndef KVMX_TOOL_PLACE_VIEW_H
#define KVMX_TOOL_PLACE_VIEW_H

#include "out.h"
#include "placement.h"

enum place_verb { PLACE_MAKE, PLACE_SHOW, PLACE_CLEAR, PLACE_BY_RULE };

void place_put(struct out *o, const struct placement *p, enum place_verb verb,
	       bool explain);

/* place_isolate.c */
void isolate_put(struct out *o, const struct placement *p);

#endif /* KVMX_TOOL_PLACE_VIEW_H */
