/* SPDX-License-Identifier: GPL-2.0-only */
/* Copies of plans and placements, for whoever asks. */
#ifndef KVMX_PLACE_ROWS_H
#define KVMX_PLACE_ROWS_H

#include <linux/types.h>
#include <linux/kvmx_place.h>

struct kvmx_layout;
struct kvmx_placement;
struct kvmx_policy_note;
struct pid;

/**
 * struct kvmx_row - a thread
 * @tid: the thread, referenced, or NULL
 * @thread: the same for the caller of the ABI, but for its tid
 */
struct kvmx_row {
	struct pid *tid;
	struct kvmx_placed_thread thread;
};

/**
 * struct kvmx_rows - a copy of a plan or placement
 * @nr: threads
 * @rows: them: vCPUs first, by index, then the others as they were met
 * @words: of each set
 * @sets: a set of CPUs for each of @rows
 * @nr_notes: notes
 * @notes: them
 */
struct kvmx_rows {
	u32 nr;
	struct kvmx_row *rows;
	u32 words;
	u64 *sets;
	u32 nr_notes;
	struct kvmx_policy_note *notes;
};

int kvmx_rows_copy(struct kvmx_placement *p, const struct kvmx_layout *l,
		   struct kvmx_rows *to);
void kvmx_rows_free(struct kvmx_rows *rows);

#endif /* KVMX_PLACE_ROWS_H */
