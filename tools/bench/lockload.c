// SPDX-License-Identifier: GPL-2.0-only
/*
 * What *critical* is worth to a guest whose vCPUs spin for a lock: how often per
 * second they have it, with more vCPUs than CPUs, beside processes that never sleep;
 * with hints off and with several ways to hint, by turns. Prints lines "LOCK VCPUS HOGS CONDITION
 * SECTIONS HOG-SHARE GRANTED THROTTLED REFUSED YIELDS": per second, the share in per
 * cent of a CPU for each hog.
 *
 * usage: lockload ticket|first INSIDE OUTSIDE BUDGET MS ROUNDS WAYS VCPUS+HOGS...
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "blob.h"
#include "blobguest.h"
#include "company.h"
#include "die.h"
#include "hint.h"
#include "lockguest.h"
#include "place.h"

#define MAX_HOGS	16
#define WARM_MS		30

static const struct condition {
	const char *name;
	uint32_t flags;
	uint32_t kind, effect;
	int arg;
} conditions[] = {
	{ "off" },
	{ "fifo", LOCK_AREA, KVMX_KIND_CRITICAL, KVMX_EFFECT_FIFO },
	{ "fifo-release", LOCK_AREA | LOCK_RELEASE, KVMX_KIND_CRITICAL,
	  KVMX_EFFECT_FIFO },
	{ "fifo-early", LOCK_AREA | LOCK_RELEASE | LOCK_EARLY,
	  KVMX_KIND_CRITICAL, KVMX_EFFECT_FIFO },
	{ "nice", LOCK_AREA | LOCK_RELEASE, KVMX_KIND_CRITICAL,
	  KVMX_EFFECT_NICE, -20 },
	{ "call", LOCK_CALL, KVMX_KIND_CRITICAL, KVMX_EFFECT_FIFO },
	{ "yield", LOCK_YIELD, KVMX_KIND_YIELD_TO, KVMX_EFFECT_YIELD },
};

#define NR_CONDITIONS	(sizeof(conditions) / sizeof(*conditions))

static struct {
	uint32_t flags, inside, outside;
	unsigned int budget_us, ms, rounds;
	const char *ways;		/* with a comma behind each */
} load;

static struct vmm *vm;
static int on_vm;
static int hogs[MAX_HOGS];
static unsigned int nr_hogs;

/* All that is told of an interval, as sums up to now. */
struct sums {
	uint64_t ns, sections, hogs_ns;
	uint64_t granted, throttled, refused, yields;
};

static struct lock_room *room(unsigned int i)
{
	return (void *)(vm->mem + BLOB_ROOM(i));
}

static struct lock_shared *shared(void)
{
	return (void *)(vm->mem + BLOB_SHARED);
}

/* A hog takes turns with the guests: see blob_turn(). */
static void turn(void)
{
	blob_turn(500);
}

static void nap(unsigned int ms)
{
	struct timespec t = { .tv_nsec = ms % 1000 * 1000000L,
			      .tv_sec = ms / 1000 };

	nanosleep(&t, NULL);
}

static void sum_up(struct sums *s)
{
	struct kvmx_hint_counts c, y;
	struct timespec t;
	struct sched of;
	unsigned int i;

	*s = (struct sums) {};
	clock_gettime(CLOCK_MONOTONIC, &t);
	s->ns = t.tv_sec * 1000000000ULL + t.tv_nsec;
	for (i = 0; i < vm->nr_vcpus; i++)
		s->sections += __atomic_load_n(&room(i)->sections,
					       __ATOMIC_RELAXED);
	for (i = 0; i < nr_hogs; i++) {
		read_sched_of(hogs[i], &of);
		s->hogs_ns += of.ran;
	}
	c = hint_counts(on_vm, KVMX_STATS_WHOLE_VM, KVMX_KIND_CRITICAL);
	y = hint_counts(on_vm, KVMX_STATS_WHOLE_VM, KVMX_KIND_YIELD_TO);
	s->granted = c.granted;
	s->throttled = c.refused_budget;
	s->refused = c.refused_host;
	s->yields = y.granted;
}

static void *run(void *arg)
{
	vmm_run(arg, NULL, 0);
	return NULL;
}

static void start(const struct condition *c)
{
	unsigned int i;

	memset(shared(), 0, sizeof(struct lock_shared));
	for (i = 0; i < vm->nr_vcpus; i++) {
		struct vmm_vcpu *v = &vm->vcpu[i];

		*room(i) = (struct lock_room) {
			.id = v->id,
			.flags = load.flags | c->flags,
			.intel = vmm_intel(),
			.inside = load.inside,
			.outside = load.outside,
			.length_us = load.inside,
		};
		blob_enter(v, lock_guest);
		errno = pthread_create(&v->thread, NULL, run, v);
		if (errno)
			die_errno("pthread_create");
	}
}

static void stop(void)
{
	unsigned int i;

	__atomic_store_n(&shared()->stop, 1, __ATOMIC_RELAXED);
	for (i = 0; i < vm->nr_vcpus; i++) {
		pthread_join(vm->vcpu[i].thread, NULL);
		if (room(i)->failed)
			die("REGISTER said %ld", (long)room(i)->failed);
	}
}

static void allow(const struct condition *c)
{
	struct kvmx_hint h;

	if (!c->kind)
		return;
	h = hint_effect(1U << c->kind, c->effect, c->arg);
	h.budget_us = load.budget_us;
	/* Enough for a section, half of the time of which another CPU has. */
	if (c->kind == KVMX_KIND_CRITICAL && load.inside > 25)
		h.kinds[c->kind].grant_us = 4 * load.inside;
	h.calls_per_s = 100000;
	errno = hint_set(on_vm, &h);
	if (errno)
		die_errno("KVMX_VM_HINT, %s", c->name);
}

static void measure(const struct condition *c)
{
	struct sums from, to;
	double s;

	allow(c);
	start(c);
	nap(WARM_MS);
	sum_up(&from);
	nap(load.ms);
	sum_up(&to);
	stop();
	if (c->kind)
		hint_off(on_vm);
	s = (to.ns - from.ns) / 1e9;
	printf("%s %u %u %s %.0f %.0f %.0f %.0f %.0f %.0f\n",
	       load.flags & LOCK_TICKET ? "ticket" : "first",
	       vm->nr_vcpus, nr_hogs, c->name,
	       (to.sections - from.sections) / s,
	       nr_hogs ? (to.hogs_ns - from.hogs_ns) / s / 1e7 / nr_hogs : 0,
	       (to.granted - from.granted) / s,
	       (to.throttled - from.throttled) / s,
	       (to.refused - from.refused) / s, (to.yields - from.yields) / s);
	fflush(stdout);
}

static bool wanted(const struct condition *c)
{
	char name[32];

	snprintf(name, sizeof(name), "%s,", c->name);
	return !c->kind || strstr(load.ways, name);
}

static void level(const char *what)
{
	unsigned int i, r, vcpus;

	if (sscanf(what, "%u+%u", &vcpus, &nr_hogs) != 2 || !vcpus ||
	    vcpus > VMM_MAX_VCPUS || nr_hogs > MAX_HOGS)
		die("a level is VCPUS+HOGS, not %s", what);
	vm = vmm_create(VMM_IRQCHIP);
	for (i = 0; i < vcpus; i++)
		vmm_add_vcpu(vm);
	on_vm = place_vm(vm->fd);
	if (on_vm < 0)
		die_errno("opening the VM");
	blob_load(vm);
	for (i = 0; i < nr_hogs; i++)
		hogs[i] = hog_with(turn);
	for (r = 0; r < load.rounds; r++)
		for (i = 0; i < NR_CONDITIONS; i++)
			if (wanted(&conditions[i]))
				measure(&conditions[i]);
	for (i = 0; i < nr_hogs; i++)
		hog_end(hogs[i]);
	close(on_vm);
	vmm_destroy(vm);
}

int main(int argc, char **argv)
{
	struct sched_param above = { .sched_priority = 60 };
	int i;

	if (argc < 9)
		die("usage: lockload ticket|first INSIDE OUTSIDE BUDGET MS ROUNDS WAYS VCPUS+HOGS...");
	load.flags = strcmp(argv[1], "ticket") ? 0 : LOCK_TICKET;
	load.inside = atoi(argv[2]);
	load.outside = atoi(argv[3]);
	load.budget_us = atoi(argv[4]);
	load.ms = atoi(argv[5]);
	load.rounds = atoi(argv[6]);
	load.ways = argv[7];
	/* On time; what it starts is as others. */
	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &above))
		die_errno("SCHED_FIFO");
	for (i = 8; i < argc; i++)
		level(argv[i]);
	return 0;
}
