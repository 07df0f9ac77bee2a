/* SPDX-License-Identifier: GPL-2.0-only */
/* Processes that all do something at the same time, until they are told to stop. */
#ifndef KVMX_LIB_CREW_H
#define KVMX_LIB_CREW_H

#include <stdbool.h>
#include <time.h>
#include <sys/types.h>

#define CREW_MAX	24

struct crew;

/* What a hand has done, in memory that all processes share. */
struct hand {
	const char *name;
	pid_t pid;
	unsigned long rounds;
	unsigned long worked_us;	/* without rests */
	unsigned long done[6];		/* what these are is the hand's matter */
};

typedef void (*crew_work)(struct crew *c, struct hand *h);

struct crew {
	volatile bool stop;
	volatile bool calm;		/* nobody wants to unload just now */
	unsigned int nr;
	struct hand hands[CREW_MAX];
};

struct crew *crew_new(void);
/* Works in a process of its own, until crew_done() says so; die() is a failure. */
struct hand *crew_hire(struct crew *c, const char *name, crew_work work);
static inline bool crew_done(const struct crew *c)
{
	return c->stop;
}

/* In slices, and not beyond the end. */
void crew_nap(const struct crew *c, long us);

/* How long ago that was. */
long crew_us(const struct timespec *from);

/*
 * Rests five to fifteen times as long as it took since @from, at least for a moment:
 * what is always open keeps the module from being unloaded. Just for the moment
 * while all is calm.
 */
void crew_rest(const struct crew *c, struct hand *h, const struct timespec *from);

/* Stops all of them. Returns false where one failed, or does not come back. */
bool crew_dismiss(struct crew *c);
void crew_free(struct crew *c);

#endif /* KVMX_LIB_CREW_H */
