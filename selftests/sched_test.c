// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVMX_STATS_SCHED: what the scheduler does with the thread of a vCPU, against
 * what the kernel says of that thread and what is done to it here. Who asks for
 * it and how: sched_fd_test.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "company.h"
#include "host.h"
#include "kvmx.h"
#include "topo.h"
#include "vmm.h"

FIXTURE(sched) {
	int node;
	uint64_t khz;
	struct vmm *vm;
	struct vmm_vcpu *v;
	int fd;
	struct stats *s;
};

FIXTURE_SETUP(sched)
{
	struct kvmx_info info;

	self->node = kvmx_node();
	ASSERT_EQ(0, kvmx_info(self->node, &info));
	self->khz = info.clock_khz;
	if (kvmx_feature_off(self->node, "sched_switch"))
		SKIP(return, "needs sched_switch");
	self->vm = vmm_create(VMM_IRQCHIP);
	self->v = vmm_add_vcpu(self->vm);
	self->fd = kvmx_vm_by_fd(self->node, self->vm->fd);
	self->s = kvmx_stats_with(self->fd, 0, KVMX_STATS_SCHED);
}

FIXTURE_TEARDOWN(sched)
{
	if (self->vm) {
		stats_close(self->s);
		close(self->fd);
		vmm_destroy(self->vm);
	}
	close(self->node);
}

static uint64_t placed(const struct stats *s, unsigned int distance)
{
	char name[64];

	snprintf(name, sizeof(name), "sched.placed.%s",
		 distance_names[distance]);
	return stats_get(s, name);
}

static uint64_t all_placed(const struct stats *s)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < NR_DISTANCES; i++)
		sum += placed(s, i);
	return sum;
}

static uint64_t switches(const struct stats *s)
{
	return stats_get(s, "sched.switches.voluntary") +
	       stats_get(s, "sched.switches.involuntary");
}

/* Of the delay histogram: values, and their least and greatest sum. */
struct delays {
	uint64_t nr, least, most;
};

static void read_delays(const struct stats *s, struct delays *to)
{
	const struct stat_desc *d = stats_find(s, "sched.delay.hist");
	const uint64_t *hist = stats_values(s, d);
	unsigned int i;

	memset(to, 0, sizeof(*to));
	for (i = 0; i < d->size; i++) {
		to->nr += hist[i];
		to->least += i ? hist[i] << (i - 1) : 0;
		to->most += i ? hist[i] * ((1ULL << i) - 1) : 0;
	}
}

/* Sleeps for a good part, so that it can be looked at while it is at rest. */
static const struct vmm_step sleepy[] = {
	{ .kind = VMM_CPUID, .n = 50 },
	{ .kind = VMM_SPIN, .n = 100000 },
	{ .kind = VMM_HLT, .n = 2 },
	{ .kind = VMM_OUT_USER, .n = 1 },
};

#define NR_SLEEPY (sizeof(sleepy) / sizeof(*sleepy))

TEST_F_TIMEOUT(sched, in_every_copy_the_figures_fit_each_other, 60)
{
	unsigned int i, n = scaled(2000);
	struct delays d;

	stats_map(self->s);
	self->v->user_us = 200;
	self->v->halt_us = 200;
	vmm_start(self->v, sleepy, NR_SLEEPY);
	/* On a busy machine many copies are made before it has slept once. */
	for (i = 0; i < n || switches(self->s) <= 10; i++) {
		uint64_t back;

		if (i % 2)
			stats_read(self->s);
		else
			stats_read_map(self->s);
		back = all_placed(self->s);
		read_delays(self->s, &d);
		/* It may be off the CPU, or on it without a word of its own yet. */
		ASSERT_LE(back, switches(self->s));
		ASSERT_GE(back + 1, switches(self->s));
		ASSERT_LE(d.nr, back);
		ASSERT_GE(d.nr + 1, back);
	}
	vmm_stop(self->v);
}

struct kernel_switches {
	unsigned long voluntary, involuntary;
};

static void read_kernel(int tid, struct kernel_switches *to)
{
	char path[64], line[256];
	FILE *f;

	memset(to, 0, sizeof(*to));
	snprintf(path, sizeof(path), "/proc/self/task/%d/status", tid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "voluntary", 9))
			to->voluntary = strtoul(strchr(line, ':') + 1, NULL, 10);
		else if (!strncmp(line, "nonvoluntary", 12))
			to->involuntary = strtoul(strchr(line, ':') + 1, NULL, 10);
	if (f)
		fclose(f);
}

/* A moment at which the thread sleeps in user space, and nothing moves. */
static bool at_rest(struct stats *s, int tid, struct kernel_switches *k,
		    struct sched *sched)
{
	struct kernel_switches after;
	unsigned int i;

	for (i = 0; i < 2000; i++) {
		read_kernel(tid, k);
		stats_read(s);
		read_sched(tid, sched);
		read_kernel(tid, &after);
		if (!memcmp(k, &after, sizeof(after)) &&
		    stats_get(s, "state") == KVMX_STATE_WAIT)
			return true;
		usleep(1000);
	}
	return false;
}

/* The kernel's own figures of the thread, from one rest to another. */
TEST_F_TIMEOUT(sched, switches_and_delays_are_the_kernels_own, 120)
{
	uint64_t voluntary, involuntary, waited;
	struct kernel_switches a, b;
	struct delays from, to;
	struct sched x, y;
	int cpu = last_cpu(), company;

	self->v->user_us = 100000;
	self->v->halt_us = 1000;
	vmm_start(self->v, sleepy, NR_SLEEPY);
	pin(self->v->tid, cpu);
	company = hog(cpu);
	usleep(300000);
	ASSERT_TRUE(at_rest(self->s, self->v->tid, &a, &x));
	voluntary = stats_get(self->s, "sched.switches.voluntary");
	involuntary = stats_get(self->s, "sched.switches.involuntary");
	read_delays(self->s, &from);
	usleep(2000000);
	ASSERT_TRUE(at_rest(self->s, self->v->tid, &b, &y));
	voluntary = stats_get(self->s, "sched.switches.voluntary") - voluntary;
	involuntary = stats_get(self->s, "sched.switches.involuntary") -
		      involuntary;
	read_delays(self->s, &to);
	hog_end(company);
	vmm_stop(self->v);
	EXPECT_EQ(b.voluntary - a.voluntary, voluntary);
	EXPECT_EQ(b.involuntary - a.involuntary, involuntary);
	EXPECT_LT(0, voluntary);
	/* The sum of all delays lies where the histogram says it may. */
	waited = (y.waited - x.waited) * self->khz / 1000000;
	TH_LOG("%lu delays of %lu us together: histogram %lu to %lu us",
	       to.nr - from.nr, waited * 1000 / self->khz,
	       (to.least - from.least) * 1000 / self->khz,
	       (to.most - from.most) * 1000 / self->khz);
	EXPECT_EQ(voluntary + involuntary, to.nr - from.nr);
	/* Each is rounded down to whole ticks. */
	EXPECT_LE(to.least - from.least, waited);
	EXPECT_GE(to.most - from.most + to.nr - from.nr, waited);
}

#define ROWS	64

struct taken {
	uint64_t hog, all, count, missed;
	char name[KVMX_TOP_NAME_LEN];
};

/* Who took the CPU so far. */
static void read_taken(int fd, uint64_t hog, struct taken *to)
{
	struct kvmx_top_row rows[ROWS];
	struct kvmx_top rest;
	int i, n = kvmx_top(fd, KVMX_TOP_PREEMPTORS, rows, ROWS, &rest);

	memset(to, 0, sizeof(*to));
	to->all = rest.others_time;
	to->count = rest.others_count;
	for (i = 0; i < n && i < ROWS; i++) {
		to->all += rows[i].time;
		to->count += rows[i].count;
		if (rows[i].key != hog)
			continue;
		to->hog = rows[i].time;
		to->missed = rows[i].missed;
		memcpy(to->name, rows[i].name, sizeof(to->name));
	}
}

static uint64_t apart(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/*
 * An emulator beside others loses time, and with it a window: one of five has to
 * be right, as in time_test.c.
 */
TEST_F_TIMEOUT(sched, beside_a_hog_ready_is_what_the_hog_ran, 120)
{
	struct vmm_step spin = { .kind = VMM_SPIN, .n = 1ULL << 20 };
	uint64_t ready, ran, mine, off = 1;
	struct taken from, to;
	int cpu = last_cpu(), company;
	struct sched x, y;
	unsigned int i;

	vmm_start(self->v, &spin, 1);
	while (!self->v->rounds)
		usleep(1000);
	pin(self->v->tid, cpu);
	company = hog(cpu);
	usleep(300000);
	for (i = 0; off && i < 5; i++) {
		read_sched_of(company, &x);
		stats_read(self->s);
		ready = stats_get(self->s, "time.ready");
		read_taken(self->s->fd, company, &from);
		usleep(2500000);
		read_sched_of(company, &y);
		stats_read(self->s);
		ready = stats_get(self->s, "time.ready") - ready;
		read_taken(self->s->fd, company, &to);
		ran = (y.ran - x.ran) * self->khz / 1000000;
		mine = to.hog - from.hog;
		TH_LOG("the hog ran %lu ms; ready %lu ms, of that taken by it %lu ms",
		       ran / self->khz, ready / self->khz, mine / self->khz);
		EXPECT_LT(100 * self->khz, ran);
		/* What others took first, and it after them, is theirs. */
		off = apart(ready, ran) > ran / 20 || mine < ran / 2;
	}
	EXPECT_EQ(0, off);
	EXPECT_STREQ(HOG_NAME, to.name);
	EXPECT_EQ(0, to.missed);
	hog_end(company);
	/* Nothing is taken any more: all is in a row or among the others. */
	vmm_stop(self->v);
	stats_read(self->s);
	read_taken(self->s->fd, company, &to);
	EXPECT_EQ(stats_get(self->s, "sched.switches.involuntary"), to.count);
	EXPECT_GE(stats_get(self->s, "time.ready"), to.all);
}

HOST_HARNESS_MAIN
