/* SPDX-License-Identifier: GPL-2.0-only */
/* A plan or placement of one VM: to ask for it, and what came of it. */
#ifndef KVMX_TOOL_PLACEMENT_H
#define KVMX_TOOL_PLACEMENT_H

#include <stdbool.h>
#include <linux/kvmx_place.h>

#include "cpus.h"
#include "wish.h"

/**
 * struct placement - what the module said of the placement of a VM
 * @vm: the VM
 * @planned: it is a plan that was not carried out: a dry run
 * @err: 0, or why there is none: a negative errno
 * @now: policy, sums and state; of a plan only policy and smt
 * @threads: threads of the VM
 * @masks: and the CPUs of each
 * @nr_threads: how many
 * @notes: those that refuse come first
 * @nr_notes: how many
 */
struct placement {
	struct kvmx_vm_info vm;
	bool planned;
	int err;
	struct kvmx_placed now;
	struct kvmx_placed_thread *threads;
	struct cpus *masks;
	unsigned int nr_threads;
	struct kvmx_place_note *notes;
	unsigned int nr_notes;
};

void placement_make(struct placement *p, int vm, const struct wish *w,
		    bool dry_run);
void placement_read(struct placement *p, int vm);
void placement_clear(struct placement *p, int vm);
void placement_commit(struct placement *p, int vm);
void placement_free(struct placement *p);

struct cpus placement_vcpus(const struct placement *p);
char *placement_problem(const struct placement *p, int dev, int vm);
int placement_status(int err);

#endif /* KVMX_TOOL_PLACEMENT_H */
