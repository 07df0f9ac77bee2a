// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trace events of the scheduling of vCPUs: kvmx:migrate and kvmx:ready, the
 * latter with its threshold.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "company.h"
#include "die.h"
#include "events.h"
#include "host.h"
#include "kvmx.h"
#include "topo.h"
#include "vmm.h"

#define MANY		4096
#define READY_US	"/sys/module/kvmx/parameters/ready_us"
#define HERE		"kvmx_trace_sched_test"

FIXTURE(trace) {
	int node;
	struct vmm *vm;
	struct vmm_vcpu *v;
	struct event *events;
};

FIXTURE_SETUP(trace)
{
	if (!events_here())
		SKIP(return, "no tracefs, or a kernel without trace events");
	self->node = kvmx_node();
	if (kvmx_feature_off(self->node, "sched_switch"))
		SKIP(return, "needs sched_switch");
	self->events = calloc(MANY, sizeof(*self->events));
	self->vm = vmm_create(VMM_IRQCHIP);
	self->v = vmm_add_vcpu(self->vm);
	events_begin(HERE);
}

FIXTURE_TEARDOWN(trace)
{
	if (!self->vm)
		return;
	vmm_stop(self->v);
	events_end(HERE);
	events_soon_counted(self->node, self->vm->fd, false);
	vmm_destroy(self->vm);
	close(self->node);
	free(self->events);
}

/* There is no other VM. */
static unsigned int told(FIXTURE_DATA(trace) *self, const char *event)
{
	return events_get(HERE, event, 0, self->events, MANY);
}

/* A vCPU that works, with what is needed to move it and to crowd it. */
static const struct vmm_step busy[] = {
	{ .kind = VMM_CPUID, .n = 20 },
	{ .kind = VMM_SPIN, .n = 10000 },
};

static void start(FIXTURE_DATA(trace) *self, int cpu)
{
	uint64_t rounds;

	vmm_start(self->v, busy, 2);
	pin(self->v->tid, cpu);
	rounds = self->v->rounds;
	while (self->v->rounds < rounds + 3)
		usleep(1000);
}

/* Waits until there are that many; false after 10 s. */
static bool soon_told(FIXTURE_DATA(trace) *self, const char *event,
		      unsigned int n)
{
	unsigned int i;

	for (i = 0; i < 1000 * patience(); i++) {
		if (told(self, event) >= n)
			return true;
		usleep(10000);
	}
	return false;
}

TEST_F_TIMEOUT(trace, n_moves_are_n_events_at_their_distance, 120)
{
	enum distance d;
	unsigned int i;
	int a, b;

	for (d = SMT_SIBLING; d < NR_DISTANCES; d++)
		if (cpus_apart(d, &a, &b))
			break;
	if (d == NR_DISTANCES)
		SKIP(return, "there is but one CPU");
	start(self, a);
	ASSERT_EQ(0, events_enable(HERE, "migrate", "1"));
	ASSERT_TRUE(events_soon_counted(self->node, self->vm->fd, true));
	/* Where it was before its first entry that is counted nobody knows. */
	for (i = self->v->rounds; self->v->rounds < i + 3;)
		usleep(1000);
	for (i = 1; i <= 10; i++) {
		pin(self->v->tid, i % 2 ? b : a);
		ASSERT_TRUE(soon_told(self, "migrate", i));
	}
	vmm_stop(self->v);
	ASSERT_EQ(10, told(self, "migrate"));
	for (i = 0; i < 10; i++) {
		const struct event *e = &self->events[i];

		EXPECT_EQ(i % 2 ? b : a, event_num(e, "from"));
		EXPECT_EQ(i % 2 ? a : b, event_num(e, "to"));
		EXPECT_STREQ(distance_names[d], event_str(e, "distance"));
	}
}

static int set_ready_us(const char *value)
{
	FILE *f = fopen(READY_US, "we");
	int err;

	if (!f)
		die_errno(READY_US);
	fputs(value, f);
	errno = 0;
	err = fclose(f) ? errno : 0;
	return err;
}

TEST_F_TIMEOUT(trace, who_waits_names_the_hog, 120)
{
	int pid, cpu = last_cpu();
	unsigned int i, n, named = 0;

	start(self, cpu);
	ASSERT_EQ(0, set_ready_us("500"));
	ASSERT_EQ(0, events_enable(HERE, "ready", "1"));
	ASSERT_TRUE(events_soon_counted(self->node, self->vm->fd, true));
	pid = hog(cpu);
	EXPECT_TRUE(soon_told(self, "ready", 10));
	hog_end(pid);
	ASSERT_EQ(0, events_enable(HERE, "ready", "0"));
	vmm_stop(self->v);
	n = told(self, "ready");
	for (i = 0; i < n && i < MANY; i++) {
		const struct event *e = &self->events[i];

		EXPECT_LE(500000, event_num(e, "ns"));
		EXPECT_EQ(cpu, event_num(e, "cpu"));
		EXPECT_EQ(0, event_num(e, "vcpu"));
		if (event_num(e, "by_tid") == pid) {
			EXPECT_STREQ(HOG_NAME, event_str(e, "by_comm"));
			named++;
		}
	}
	/* A few may be somebody else's: the machine has threads of its own. */
	EXPECT_LE(5, named);
	EXPECT_LT(n / 2, named);
	/* Nobody waits for a minute. */
	ASSERT_EQ(0, set_ready_us("60000000"));
	ASSERT_EQ(0, events_write("", "instances/%s/trace", HERE));
	start(self, cpu);
	ASSERT_EQ(0, events_enable(HERE, "ready", "1"));
	pid = hog(cpu);
	sleep(1);
	hog_end(pid);
	vmm_stop(self->v);
	EXPECT_EQ(0, told(self, "ready"));
	ASSERT_EQ(0, set_ready_us("1000"));
}

TEST_F(trace, the_threshold_is_checked)
{
	char text[32];
	FILE *f;

	EXPECT_EQ(EINVAL, set_ready_us("60000001"));
	EXPECT_EQ(EINVAL, set_ready_us("-1"));
	EXPECT_EQ(EINVAL, set_ready_us("soon"));
	EXPECT_EQ(0, set_ready_us("0"));
	EXPECT_EQ(0, set_ready_us("1000"));
	f = fopen(READY_US, "re");
	ASSERT_NE(NULL, f);
	ASSERT_NE(NULL, fgets(text, sizeof(text), f));
	fclose(f);
	EXPECT_STREQ("1000\n", text);
}

HOST_HARNESS_MAIN
