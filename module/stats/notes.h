/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Labels of figures: exact, late, sampled, unavailable, and why.
 */
#ifndef KVMX_STATS_NOTES_H
#define KVMX_STATS_NOTES_H

#include <linux/types.h>
#include <linux/kvmx.h>

/* More than there ever are. */
#define KVMX_NOTES_MAX	72

unsigned int kvmx_notes_make(struct kvmx_note *notes, u32 groups, u32 have);

#endif /* KVMX_STATS_NOTES_H */
