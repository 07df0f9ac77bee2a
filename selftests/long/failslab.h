/* SPDX-License-Identifier: GPL-2.0-only */
/* Calls of which the first, second, third ... allocation is made to fail. */
#ifndef KVMX_LONG_FAILSLAB_H
#define KVMX_LONG_FAILSLAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <linux/kvmx_hint.h>

#include "fail.h"
#include "kvmx.h"
#include "place.h"
#include "staff.h"
#include "vmm.h"

/* What a call finds; made anew for each attempt, so that all of it is fresh. */
struct scene {
	int node;
	struct vmm *vm;
	int vm_fd;		/* kvmx's */
	int stats;		/* of vCPU 0 */
	int param;
	int events;
	struct placing *place;	/* the placement of PLACED */
	struct placing *other;	/* one in place of it, and for looking */
	struct staff staff;	/* a thread that a call made */
	uint64_t cpus;		/* that this process has unplaced */
	size_t size;		/* of all that can be read of it */
	struct kvmx_vm_info info;
	uint8_t buf[1 << 20];
	struct kvmx_feature features[96];
};

/* How much of the scene there is before the call. */
enum stage { BARE, RECORDED, OPENED, COUNTED, PLACED, HINTED };

struct call {
	const char *name;
	unsigned int cmd;	/* 0: no command of kvmx */
	enum stage stage;
	enum fail_where where;
	long (*fn)(struct scene *s);
	void (*undo)(struct scene *s, long ret);
	/* Is all as it has to be? @failed: the call said ENOMEM. */
	bool (*fine)(struct scene *s, bool failed);
	bool never_fails;
	bool needs_none;	/* makes no allocation */
	bool once;		/* cannot be done again without undoing more */
};


struct calls {
	const struct call *call;
	unsigned int nr;
};

extern const struct calls stats_calls, place_calls, hint_calls;

static inline void undo_fd(struct scene *s, long ret)
{
	close(ret);
}

/* For stage PLACED, and for those who place for themselves. */
void place_wishes(struct scene *s);
/* For stage HINTED. */
void hint_wishes(struct scene *s);

/* kvmx's part of it is of interest where the VM is placed, too. */
long call_create_vcpu(struct scene *s);

#endif /* KVMX_LONG_FAILSLAB_H */
