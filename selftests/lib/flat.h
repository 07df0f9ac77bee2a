/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Does the kernel's memory stay flat? Looks at all slab caches, object by
 * object, after they gave back what nobody uses.
 */
#ifndef KVMX_LIB_FLAT_H
#define KVMX_LIB_FLAT_H

#include <stdbool.h>

#define FLAT_CACHES	512

struct flat_cache {
	char name[64];
	long active;		/* objects in use */
	long size;		/* of one, in bytes */
	long per_slab;
};

struct flat {
	long slab, percpu, vmalloc, stacks;	/* kB */
	unsigned int nr;			/* 0: no /proc/slabinfo */
	struct flat_cache cache[FLAT_CACHES];
};

void flat_take(struct flat *f);
/*
 * Between two looks there were @times lives, or loads, or whatever might leak.
 * What is allowed is in flat.c: with a thousand times, a leak of one object of
 * 16 bytes or more each time is found. Where something has grown, @after is taken
 * anew, and has to show it again. Says what has grown.
 */
bool flat_stayed(struct flat *before, struct flat *after, unsigned long times);
/* What kmemleak suspects to be lost, whoever made it; 0 where there is no kmemleak. */
unsigned int flat_leaks(void);

#endif /* KVMX_LIB_FLAT_H */
