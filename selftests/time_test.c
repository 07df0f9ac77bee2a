// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where a vCPU's time goes adds up to the time that has passed: by kvmx's own
 * clock exactly, by the scheduler's and by the VMM's clock within 1 %.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "host.h"
#include "kvmx.h"
#include "company.h"
#include "vmm.h"

FIXTURE(time) {
	int node;
	uint64_t khz;
	bool tsc;
	struct vmm *vm;
	struct vmm_vcpu *v;
	int fd;
	struct stats *s;
};

FIXTURE_SETUP(time)
{
	struct kvmx_info info;

	self->node = kvmx_node();
	ASSERT_EQ(0, kvmx_info(self->node, &info));
	self->khz = info.clock_khz;
	self->tsc = info.clock == KVMX_CLOCK_TSC;
	if (kvmx_feature_off(self->node, "sched_switch") ||
	    kvmx_feature_off(self->node, "kvm_userspace_exit") ||
	    kvmx_feature_off(self->node, "kvm_fpu"))
		SKIP(return, "needs sched_switch, kvm_userspace_exit and kvm_fpu");
	self->vm = vmm_create(VMM_IRQCHIP);
	self->v = vmm_add_vcpu(self->vm);
	self->fd = kvmx_vm_by_fd(self->node, self->vm->fd);
	self->s = kvmx_stats(self->fd, 0);
}

FIXTURE_TEARDOWN(time)
{
	if (self->vm) {
		stats_close(self->s);
		close(self->fd);
		vmm_destroy(self->vm);
	}
	close(self->node);
}

static uint64_t now(int node)
{
	struct kvmx_info info;

	return kvmx_info(node, &info) ? 0 : info.now;
}

/* Waits until the vCPU is in a state, by kvmx's own words; false after 10 s. */
static bool reaches(struct stats *s, unsigned int state)
{
	int i;

	for (i = 0; i < 10000; i++) {
		stats_read(s);
		if (stats_get(s, "state") == state)
			return true;
		usleep(1000);
	}
	return false;
}

/* 1 % of a span, and half a millisecond for the edges of short ones. */
#define near(left, right, of) do {					\
	int64_t _left = (left), _right = (right), _of = (of);		\
	int64_t _off = _left > _right ? _left - _right : _right - _left; \
									\
	EXPECT_LE(_off, _of / 100 + (int64_t)self->khz / 2) {		\
		TH_LOG("%s = %ld us, %s = %ld us, of %ld us", #left,	\
		       _left * 1000 / (int64_t)self->khz, #right,	\
		       _right * 1000 / (int64_t)self->khz,		\
		       _of * 1000 / (int64_t)self->khz);		\
	}								\
} while (0)

/* A bit of everything, asleep for a good part of it. */
static const struct vmm_step mixed[] = {
	{ .kind = VMM_CPUID, .n = 300 },
	{ .kind = VMM_OUT_USER, .n = 2 },
	{ .kind = VMM_SPIN, .n = 200000 },
	{ .kind = VMM_OUT_KERNEL, .n = 100 },
	{ .kind = VMM_HLT, .n = 2 },
	{ .kind = VMM_SPIN, .n = 200000 },
};

#define NR_MIXED (sizeof(mixed) / sizeof(*mixed))

TEST_F_TIMEOUT(time, in_every_copy_the_classes_add_up_to_the_clock, 60)
{
	uint64_t accounted = 0, since, at, i, n = scaled(3000);

	self->v->user_us = 300;
	self->v->halt_us = 300;
	vmm_start(self->v, mixed, NR_MIXED);
	since = stats_get(self->s, "counting_since");
	for (i = 0; i < n; i++) {
		at = now(self->node);
		stats_read(self->s);
		ASSERT_EQ(since, stats_get(self->s, "counting_since"));
		ASSERT_EQ(stats_get(self->s, "accounted") - since,
			  stats_time(self->s)) {
			TH_LOG("copy %lu", i);
		}
		ASSERT_LE(accounted, stats_get(self->s, "accounted"));
		accounted = stats_get(self->s, "accounted");
		ASSERT_GE(now(self->node), accounted);
		/* Something happens all the time, so the books are up to date. */
		if (i > n / 2)
			ASSERT_LT(at, accounted + 2000 * self->khz);
	}
	vmm_stop(self->v);
}

TEST_F_TIMEOUT(time, with_its_open_state_a_vcpu_has_all_the_time_there_is, 60)
{
	uint64_t first, last, sum, span;

	self->v->user_us = 1000;
	self->v->halt_us = 1000;
	vmm_start(self->v, mixed, NR_MIXED);
	ASSERT_TRUE(reaches(self->s, KVMX_STATE_HALTED));
	first = now(self->node);
	stats_read(self->s);
	sum = stats_time(self->s) + first - stats_get(self->s, "accounted");
	usleep(1500000);
	last = now(self->node);
	stats_read(self->s);
	/* What came between asking for the time and reading is in accounted. */
	span = last - first;
	near(stats_time(self->s) + last - stats_get(self->s, "accounted") - sum,
	     span, span);
	vmm_stop(self->v);
}

TEST_F_TIMEOUT(time, the_clock_is_the_one_that_programs_read, 30)
{
	uint64_t before, at, after;
	int i;

	if (!self->tsc)
		SKIP(return, "kvmx does not use the TSC here");
	for (i = 0; i < 100; i++) {
		before = vmm_tsc();
		at = now(self->node);
		after = vmm_tsc();
		ASSERT_LE(before, at);
		ASSERT_LE(at, after);
	}
	before = vmm_tsc();
	usleep(1000000);
	after = vmm_tsc();
	/* The frequency is right, too: a sleep may last longer than ordered. */
	EXPECT_LE(self->khz * 990, after - before);
	EXPECT_GE(self->khz * 1500, after - before);
}

struct split {
	uint64_t on_cpu, ready, asleep, at;
};

/*
 * With the open state, but for waiting for a CPU: the scheduler, too, tells of
 * that only when it is over.
 */
static void read_split(int node, struct stats *s, struct split *to)
{
	uint64_t open;

	stats_read(s);
	to->at = now(node);
	to->on_cpu = stats_get(s, "time.guest") + stats_get(s, "time.exit") +
		     stats_get(s, "time.user");
	if (stats_find(s, "time.poll"))
		to->on_cpu += stats_get(s, "time.poll");
	to->ready = stats_get(s, "time.ready");
	to->asleep = stats_get(s, "time.halted") + stats_get(s, "time.wait");
	open = to->at - stats_get(s, "accounted");
	switch (stats_get(s, "state")) {
	case KVMX_STATE_GUEST:
	case KVMX_STATE_EXIT:
	case KVMX_STATE_USER:
		to->on_cpu += open;
		break;
	case KVMX_STATE_HALTED:
	case KVMX_STATE_WAIT:
		to->asleep += open;
		break;
	}
}

static int64_t apart(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* One window: 0 where both figures are within 1 % of it, else how far off. */
static uint64_t window(struct __test_metadata *_metadata, int node,
		       struct stats *s, int tid, uint64_t khz, bool with_hog)
{
	uint64_t on_cpu, ready, ran, waited, span, off;
	struct split a, b;
	struct sched x, y;

	read_sched(tid, &x);
	read_split(node, s, &a);
	usleep(2500000);
	read_sched(tid, &y);
	read_split(node, s, &b);
	span = b.at - a.at;
	on_cpu = b.on_cpu - a.on_cpu;
	ready = b.ready - a.ready;
	ran = (y.ran - x.ran) * khz / 1000000;
	waited = (y.waited - x.waited) * khz / 1000000;
	TH_LOG("of %lu ms: %lu on a CPU (scheduler: %lu), %lu ready (%lu)",
	       span / khz, on_cpu / khz, ran / khz, ready / khz, waited / khz);
	/* The load was what it was meant to be. */
	EXPECT_LT(span / 100, on_cpu);
	EXPECT_LT(span / 100, b.asleep - a.asleep);
	if (with_hog)
		EXPECT_LT(span / 100, ready);
	off = apart(on_cpu, ran);
	if (off < apart(ready, waited))
		off = apart(ready, waited);
	return off > span / 100 ? off : 0;
}

/*
 * On a machine whose CPUs are taken away from it (an emulator beside others)
 * the two look at their clocks at different times, however short that is, and a
 * window may be spoilt; an error of kvmx's own would spoil all of them.
 */
#define WINDOWS	5

#define check_sched(with_hog) do {					\
	int _cpu = last_cpu(), _hog = 0;				\
	uint64_t _off = 1;						\
	unsigned int _i;						\
									\
	self->v->user_us = 20000;					\
	self->v->halt_us = 20000;					\
	if (with_hog)							\
		_hog = hog(_cpu);					\
	vmm_start(self->v, mixed, NR_MIXED);				\
	pin(self->v->tid, _cpu);					\
	usleep(300000);							\
	for (_i = 0; _off && _i < WINDOWS; _i++)			\
		_off = window(_metadata, self->node, self->s,		\
			      self->v->tid, self->khz, with_hog);	\
	vmm_stop(self->v);						\
	if (_hog)							\
		hog_end(_hog);						\
	EXPECT_EQ(0, _off);						\
} while (0)

TEST_F_TIMEOUT(time, on_a_cpu_and_ready_are_what_the_scheduler_says, 60)
{
	check_sched(false);
}

TEST_F_TIMEOUT(time, beside_a_hog_they_still_are, 60)
{
	check_sched(true);
}

struct sides {
	uint64_t inside, ready, asleep, accounted;
};

static void read_sides(struct stats *s, struct sides *to)
{
	stats_read(s);
	to->inside = stats_get(s, "time.guest") + stats_get(s, "time.exit") +
		     stats_get(s, "time.halted");
	if (stats_find(s, "time.poll"))
		to->inside += stats_get(s, "time.poll");
	to->ready = stats_get(s, "time.ready");
	to->asleep = stats_get(s, "time.wait");
	to->accounted = stats_get(s, "accounted");
}

TEST_F_TIMEOUT(time, inside_and_outside_of_kvm_run_are_what_the_vmm_measures, 60)
{
	static const struct vmm_step steps[] = {
		{ .kind = VMM_CPUID, .n = 5000 },
		{ .kind = VMM_OUT_USER, .n = 40 },
		{ .kind = VMM_SPIN, .n = 5000000 },
		{ .kind = VMM_HLT, .n = 40 },
		{ .kind = VMM_OUT_KERNEL, .n = 1000 },
	};
	uint64_t in_vmm, out_vmm, inside, outside, ready, span;
	struct sides a, b;

	if (!self->tsc)
		SKIP(return, "kvmx does not use the TSC here");
	self->v->user_us = 25000;
	self->v->halt_us = 25000;
	vmm_do(self->v, VMM_CPUID, 1);
	read_sides(self->s, &a);
	ASSERT_EQ(KVMX_STATE_USER, stats_get(self->s, "state"));
	in_vmm = self->v->tsc_in;
	/* What the VMM does between two batches is outside, too. */
	out_vmm = self->v->tsc_out - (vmm_tsc() - a.accounted);
	vmm_run(self->v, steps, 5);
	read_sides(self->s, &b);
	in_vmm = self->v->tsc_in - in_vmm;
	out_vmm = self->v->tsc_out - out_vmm;
	inside = b.inside - a.inside;
	ready = b.ready - a.ready;
	span = b.accounted - a.accounted;
	outside = span - inside - ready;
	TH_LOG("of %lu ms: %lu inside (VMM: %lu), %lu ready, %lu outside (%lu)",
	       span / self->khz, inside / self->khz, in_vmm / self->khz,
	       ready / self->khz, outside / self->khz, out_vmm / self->khz);
	EXPECT_LE(2000 * self->khz, span);
	/* Waiting for a CPU may be on either side. */
	EXPECT_GE(in_vmm + span / 100, inside);
	EXPECT_LE(in_vmm, inside + ready + span / 100);
	EXPECT_GE(out_vmm + span / 100, outside);
	EXPECT_LE(out_vmm, outside + ready + span / 100);
	/* What sleeps in user space is neither halted nor in the guest. */
	EXPECT_LE(900 * self->khz, b.asleep - a.asleep);
}

TEST_F_TIMEOUT(time, a_vcpu_that_is_halted_shows_for_how_long, 60)
{
	uint64_t since, at, halted, s2 = 2000 * self->khz;
	struct vmm_step step = { .kind = VMM_HLT, .n = 1 };

	vmm_do(self->v, VMM_CPUID, 10);
	self->v->halt_us = 2000000;
	stats_read(self->s);
	halted = stats_get(self->s, "time.halted");
	vmm_start(self->v, &step, 1);
	ASSERT_TRUE(reaches(self->s, KVMX_STATE_HALTED));
	since = stats_get(self->s, "state_since");
	usleep(1000000);
	stats_read(self->s);
	at = now(self->node);
	EXPECT_EQ(KVMX_STATE_HALTED, stats_get(self->s, "state"));
	EXPECT_EQ(since, stats_get(self->s, "state_since"));
	EXPECT_LE(990 * self->khz, at - since);
	/* Once it is over, it is in the figure. */
	self->v->stop = true;
	vmm_stop(self->v);
	stats_read(self->s);
	halted = stats_get(self->s, "time.halted") - halted;
	EXPECT_LE(s2 / self->v->rounds - s2 / 20, halted / self->v->rounds);
	EXPECT_GE(s2 + s2 / 4, halted / self->v->rounds);
}

TEST_F_TIMEOUT(time, the_state_is_what_the_vcpu_does, 60)
{
	struct vmm_step spin = { .kind = VMM_SPIN, .n = scaled(1ULL << 26) };
	struct vmm_step sleepy = { .kind = VMM_OUT_USER, .n = 2 };

	struct vmm_vcpu *born = vmm_add_vcpu(self->vm);
	struct stats *s = kvmx_stats(self->fd, 1);

	/* Nothing is known of a vCPU that is older than counting. */
	EXPECT_EQ(KVMX_STATE_UNKNOWN, stats_get(self->s, "state"));
	EXPECT_EQ(KVMX_STATE_NEW, stats_get(s, "state"));
	vmm_do(born, VMM_CPUID, 1);
	stats_read(s);
	EXPECT_EQ(KVMX_STATE_USER, stats_get(s, "state"));
	stats_close(s);
	vmm_do(self->v, VMM_CPUID, 1);
	stats_read(self->s);
	EXPECT_EQ(KVMX_STATE_USER, stats_get(self->s, "state"));
	vmm_start(self->v, &spin, 1);
	/* On a single CPU it is never in the guest while somebody looks. */
	EXPECT_TRUE(reaches(self->s, sysconf(_SC_NPROCESSORS_ONLN) > 1 ?
				     KVMX_STATE_GUEST : KVMX_STATE_READY));
	vmm_stop(self->v);
	EXPECT_TRUE(reaches(self->s, KVMX_STATE_NO_THREAD));
	/* Asleep in user space: not halted, not ready. */
	self->v->user_us = 300000;
	vmm_start(self->v, &sleepy, 1);
	EXPECT_TRUE(reaches(self->s, KVMX_STATE_WAIT));
	vmm_stop(self->v);
	EXPECT_TRUE(reaches(self->s, KVMX_STATE_NO_THREAD));
	vmm_destroy(self->vm);
	self->vm = NULL;
	EXPECT_TRUE(reaches(self->s, KVMX_STATE_GONE));
	EXPECT_EQ(1, stats_get(self->s, "gone"));
	stats_close(self->s);
	close(self->fd);
}

TEST_F_TIMEOUT(time, beside_hogs_a_vcpu_shows_that_it_is_ready, 60)
{
	struct vmm_step spin = { .kind = VMM_SPIN, .n = 1ULL << 20 };
	int cpu = last_cpu(), hogs[2];
	unsigned int i, ready = 0;

	vmm_start(self->v, &spin, 1);
	pin(self->v->tid, cpu);
	hogs[0] = hog(cpu);
	hogs[1] = hog(cpu);
	for (i = 0; i < 1000 && ready < 3; i++) {
		stats_read(self->s);
		ready += stats_get(self->s, "state") == KVMX_STATE_READY;
		usleep(3000);
	}
	EXPECT_LE(3, ready);
	hog_end(hogs[0]);
	hog_end(hogs[1]);
	vmm_stop(self->v);
}

TEST_F_TIMEOUT(time, while_nobody_counts_no_time_passes, 60)
{
	uint64_t sum, accounted, since;

	vmm_start(self->v, mixed, NR_MIXED);
	usleep(200000);
	stats_read(self->s);
	since = stats_get(self->s, "counting_since");
	sum = stats_time(self->s);
	stats_close(self->s);
	usleep(1000000);
	self->s = kvmx_stats(self->fd, 0);
	/* Between reading and closing a little was counted. */
	EXPECT_LE(sum, stats_time(self->s));
	EXPECT_GE(sum + 500 * self->khz, stats_time(self->s));
	EXPECT_LE(since + 1000 * self->khz, stats_get(self->s, "counting_since"));
	/* From now on it goes on exactly. */
	sum = stats_time(self->s);
	accounted = stats_get(self->s, "accounted");
	usleep(300000);
	stats_read(self->s);
	EXPECT_EQ(stats_get(self->s, "accounted") - accounted,
		  stats_time(self->s) - sum);
	EXPECT_LT(accounted, stats_get(self->s, "accounted"));
	vmm_stop(self->v);
}

HOST_HARNESS_MAIN
