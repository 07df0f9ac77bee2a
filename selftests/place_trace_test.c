// SPDX-License-Identifier: GPL-2.0-only
/*
 * The trace events of placements tell what was done to each thread, and with
 * them what placements cost: kvmx:place, kvmx:drift, kvmx:undo.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "die.h"
#include "events.h"
#include "host.h"
#include "kvmx.h"
#include "place.h"
#include "staff.h"
#include "vmm.h"

#define HERE	"kvmx_place_trace_test"
#define MANY	256

FIXTURE(told) {
	struct vmm *vm;
	struct staff io;
	struct placing *p;
	struct event *events;
	int fd;
	uint64_t all, id;
};

FIXTURE_SETUP(told)
{
	static const struct vmm_step step = { .kind = VMM_OUT_USER, .n = 1 };
	struct kvmx_vm_info info;

	self->all = cpus_of(0);
	if (__builtin_popcountll(self->all) < 4)
		SKIP(return, "needs four CPUs");
	if (!events_here())
		SKIP(return, "no tracefs, or a kernel without trace events");
	self->vm = vmm_create(VMM_IRQCHIP);
	vmm_add_vcpu(self->vm)->user_us = 5000;
	vmm_start(&self->vm->vcpu[0], &step, 1);
	while (!self->vm->vcpu[0].rounds)
		usleep(1000);
	staff_start(&self->io, "IO helper");
	self->fd = place_vm(self->vm->fd);
	ASSERT_EQ(0, kvmx_vm_info(self->fd, &info));
	self->id = info.id;
	self->p = place_new(KVMX_POLICY_PIN);
	place_pin(self->p, 0, 2);
	place_emulator(self->p, 1);
	place_io(self->p, 2);
	self->events = calloc(MANY, sizeof(*self->events));
	events_begin(HERE);
	ASSERT_EQ(0, events_enable(HERE, "place", "1"));
	ASSERT_EQ(0, events_enable(HERE, "drift", "1"));
	ASSERT_EQ(0, events_enable(HERE, "undo", "1"));
}

FIXTURE_TEARDOWN(told)
{
	events_end(HERE);
	vmm_stop(&self->vm->vcpu[0]);
	staff_stop(&self->io);
	close(self->fd);
	vmm_destroy(self->vm);
	free(self->events);
	free(self->p);
}

/* The n-th event about a thread, or NULL. */
static const struct event *about(FIXTURE_DATA(told) *self, const char *name,
				 int tid, unsigned int n)
{
	unsigned int i, nr = events_get(HERE, name, self->id, self->events,
					MANY);

	for (i = 0; i < nr && i < MANY; i++)
		if ((int)event_num(&self->events[i], "tid") == tid && !n--)
			return &self->events[i];
	return NULL;
}

/* A set is told as a list: 0-3,7. */
static uint64_t set_in(const struct event *e, const char *key)
{
	uint64_t set = 0;
	const char *at;
	char *end;

	if (!e)
		return 0;
	for (at = event_str(e, key); *at; at = end + (*end == ',')) {
		unsigned long cpu = strtoul(at, &end, 10), last = cpu;

		if (end != at && *end == '-')
			last = strtoul(end + 1, &end, 10);
		if (end == at || last > 63)
			die("no set of CPUs in \"%s\"", e->text);
		for (; cpu <= last; cpu++)
			set |= 1ULL << cpu;
	}
	return set;
}

TEST_F_TIMEOUT(told, each_thread_is_told_of_when_it_is_placed_and_undone, 60)
{
	int vcpu = self->vm->vcpu[0].tid;
	const struct event *e;

	ASSERT_EQ(0, place_do(self->fd, self->p));
	e = about(self, "place", vcpu, 0);
	ASSERT_NE(NULL, e);
	EXPECT_EQ(self->all, set_in(e, "from"));
	EXPECT_EQ(4, set_in(e, "to"));
	EXPECT_EQ(0, strcmp("vcpu", event_str(e, "class")));
	EXPECT_EQ(0, strcmp("map", event_str(e, "why"))) {
		TH_LOG("%s", e->text);
	}
	EXPECT_EQ(0, event_num(e, "vcpu"));
	EXPECT_EQ(NULL, about(self, "place", vcpu, 1));
	e = about(self, "place", self->io.tid, 0);
	ASSERT_NE(NULL, e);
	EXPECT_EQ(2, set_in(e, "to"));
	EXPECT_EQ(0, strcmp("io", event_str(e, "class")));
	EXPECT_EQ(NULL, about(self, "undo", vcpu, 0));

	ASSERT_EQ(0, place_clear(self->fd));
	e = about(self, "undo", vcpu, 0);
	ASSERT_NE(NULL, e);
	EXPECT_EQ(4, set_in(e, "from"));
	EXPECT_EQ(self->all, set_in(e, "to"));
	EXPECT_EQ(NULL, about(self, "drift", vcpu, 0));
}

TEST_F_TIMEOUT(told, what_others_change_is_told_with_what_became_of_it, 60)
{
	const struct event *e = NULL;
	int i, enforce;

	for (enforce = 0; enforce < 2; enforce++) {
		self->p->req.flags = enforce ? KVMX_PLACE_ENFORCE : 0;
		ASSERT_EQ(0, place_do(self->fd, self->p));
		ASSERT_TRUE(set_cpus(self->io.tid, 8));
		for (i = 0; i < 500 && !e; i++) {
			usleep(10000);
			e = about(self, "drift", self->io.tid, enforce);
		}
		ASSERT_NE(NULL, e);
		EXPECT_EQ(2, set_in(e, "from"));
		EXPECT_EQ(8, set_in(e, "to"));
		EXPECT_EQ(enforce, event_num(e, "put_back"));
		ASSERT_EQ(0, place_clear(self->fd));
		set_cpus(self->io.tid, self->all);
		e = NULL;
	}
}

/* Once all have their CPUs nothing is done to them any more. */
TEST_F_TIMEOUT(told, a_placement_at_rest_moves_nothing, 60)
{
	unsigned int before;

	ASSERT_EQ(0, place_do(self->fd, self->p));
	ASSERT_EQ(0, place_commit(self->fd));
	before = events_get(HERE, "place", self->id, self->events, MANY);
	EXPECT_LT(0, before);
	sleep(3);
	EXPECT_EQ(before, events_get(HERE, "place", self->id, self->events,
				     MANY));
	ASSERT_EQ(0, place_show(self->fd, self->p));
	EXPECT_EQ(before, self->p->placed.moves);
	ASSERT_EQ(0, place_clear(self->fd));
}

HOST_HARNESS_MAIN
