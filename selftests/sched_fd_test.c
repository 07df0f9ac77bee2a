// SPDX-License-Identifier: GPL-2.0-only
/*
 * Groups of figures: counted for who asks, while they ask; and KVMX_STATS_TOP
 * with its errors.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>

#include "kselftest_harness.h"

#include "company.h"
#include "host.h"
#include "kvmx.h"
#include "setup.h"
#include "vmm.h"

FIXTURE(group) {
	struct setup s;
	struct vmm_vcpu *v;
	int vm, stats;
};

FIXTURE_SETUP(group)
{
	setup_begin(&self->s);
	self->v = &self->s.vm->vcpu[0];
	self->v->user_us = 10000;
	self->vm = self->s.fd[ON_VM];
	self->stats = self->s.fd[ON_STATS];
}

FIXTURE_TEARDOWN(group)
{
	setup_end(&self->s);
}

static struct kvmx_top_row row;

static struct kvmx_top request(void)
{
	return (struct kvmx_top) {
		.size = sizeof(struct kvmx_top), .nr = 1,
		.what = KVMX_TOP_PREEMPTORS, .entry_size = sizeof(row),
		.rows = (uintptr_t)&row,
	};
}

TEST_F_TIMEOUT(group, a_list_that_does_not_exist_is_einval, 60)
{
	struct kvmx_top r = request();

	EXPECT_EQ(0, try_ioctl(self->stats, KVMX_STATS_TOP, &r));
	r = request();
	r.what = 1000;
	EXPECT_EQ(EINVAL, try_ioctl(self->stats, KVMX_STATS_TOP, &r));
	r.what = ~0U;
	EXPECT_EQ(EINVAL, try_ioctl(self->stats, KVMX_STATS_TOP, &r));
}

TEST_F_TIMEOUT(group, room_without_a_stride_is_einval, 60)
{
	struct kvmx_top r = request();

	r.entry_size = sizeof(row) - 1;
	EXPECT_EQ(EINVAL, try_ioctl(self->stats, KVMX_STATS_TOP, &r));
	r.entry_size = 4097;
	EXPECT_EQ(EINVAL, try_ioctl(self->stats, KVMX_STATS_TOP, &r));
	/* Without room it is not looked at. */
	r.nr = 0;
	r.rows = 8;
	EXPECT_EQ(0, try_ioctl(self->stats, KVMX_STATS_TOP, &r));
}

TEST_F_TIMEOUT(group, without_the_group_there_is_no_list_but_enodata, 60)
{
	struct kvmx_top r = request();
	int fd = kvmx_vm_stats(self->vm, 0);
	struct stats *s;

	ASSERT_LE(0, fd);
	EXPECT_EQ(ENODATA, try_ioctl(fd, KVMX_STATS_TOP, &r));
	s = stats_attach(fd);
	EXPECT_EQ(NULL, stats_find(s, "sched.since"));
	stats_close(s);
}

TEST_F_TIMEOUT(group, an_fd_without_names_tells_no_threads_but_eperm, 60)
{
	struct kvmx_top r = request();
	int vm = kvmx_open(self->s.fd[ON_NODE], KVMX_BY_FD, self->s.vm->fd,
			   KVMX_OPEN_NO_NAMES);
	int fd = kvmx_vm_stats_with(vm, 0, KVMX_STATS_SCHED);
	struct stats *s;

	ASSERT_LE(0, fd);
	EXPECT_EQ(EPERM, try_ioctl(fd, KVMX_STATS_TOP, &r));
	/* What names nobody is for everybody. */
	s = stats_attach(fd);
	EXPECT_NE(NULL, stats_find(s, "sched.since"));
	stats_close(s);
	close(vm);
}

TEST_F_TIMEOUT(group, rows_at_a_bad_pointer_are_efault, 60)
{
	struct kvmx_top_row rows[64];
	struct kvmx_top r = request();
	struct stats *s;
	int company;

	s = kvmx_stats_with(self->vm, 0, KVMX_STATS_SCHED);
	if (!stats_find(s, "sched.switches.voluntary"))
		SKIP(stats_close(s); return, "needs sched_switch");
	/* Until somebody has taken the CPU there is no row to be written. */
	company = hog(last_cpu());
	pin(0, last_cpu());
	while (kvmx_top(self->stats, KVMX_TOP_PREEMPTORS, rows, 64, NULL) < 1)
		vmm_do(self->v, VMM_SPIN, 1 << 20);
	hog_end(company);
	r.rows = 8;
	EXPECT_EQ(EFAULT, try_ioctl(self->stats, KVMX_STATS_TOP, &r));
	stats_close(s);
}

static uint64_t voluntary(struct stats *s)
{
	stats_read(s);
	return stats_get(s, "sched.switches.voluntary");
}

/* Sleeps that often; afterwards there is no thread, and nothing moves. */
#define SLEEPS	20
#define sleep_aside(self)	do_aside((self)->v, VMM_OUT_USER, SLEEPS)

static bool has_switch(const struct stats *s)
{
	return stats_find(s, "sched.switches.voluntary");
}

TEST_F_TIMEOUT(group, it_is_counted_only_while_somebody_asks, 60)
{
	struct stats *plain = kvmx_stats(self->vm, 0), *s;
	uint64_t n, since, entries;

	s = stats_attach(self->stats);
	if (!has_switch(s))
		SKIP(return, "needs sched_switch");
	sleep_aside(self);
	n = voluntary(s);
	since = stats_get(s, "sched.since");
	EXPECT_LE(SLEEPS, n);
	EXPECT_LT(0, since);
	stats_close(s);
	stats_read(plain);
	entries = stats_get(plain, "entries");
	sleep_aside(self);
	stats_read(plain);
	EXPECT_LE(entries + SLEEPS, stats_get(plain, "entries"));
	self->s.fd[ON_STATS] = kvmx_vm_stats_with(self->vm, 0,
						  KVMX_STATS_SCHED);
	s = stats_attach(self->s.fd[ON_STATS]);
	EXPECT_EQ(n, voluntary(s));
	EXPECT_LT(since, stats_get(s, "sched.since"));
	sleep_aside(self);
	EXPECT_LE(n + SLEEPS, voluntary(s));
	stats_close(s);
	stats_close(plain);
	self->s.fd[ON_STATS] = -1;
}

TEST_F_TIMEOUT(group, two_who_ask_see_the_same, 60)
{
	struct stats *a = kvmx_stats_with(self->vm, 0, KVMX_STATS_SCHED);
	struct stats *b = kvmx_stats_with(self->vm, KVMX_STATS_WHOLE_VM,
					  KVMX_STATS_SCHED);
	uint64_t n;

	if (!has_switch(a))
		SKIP(return, "needs sched_switch");
	sleep_aside(self);
	n = voluntary(a);
	EXPECT_LE(SLEEPS, n);
	/* The other vCPU does nothing: the sums are the first one's. */
	EXPECT_EQ(n, voluntary(b));
	EXPECT_EQ(stats_get(a, "sched.placed.same_cpu"),
		  stats_get(b, "sched.placed.same_cpu"));
	stats_close(a);
	sleep_aside(self);
	EXPECT_LE(n + SLEEPS, voluntary(b));
	stats_close(b);
}

TEST_F_TIMEOUT(group, it_outlives_its_vm, 60)
{
	struct stats *s = kvmx_stats_with(self->vm, 0, KVMX_STATS_SCHED), *late;
	struct pollfd p = { .fd = s->fd };
	struct kvmx_top r = request();
	uint64_t n;

	if (!has_switch(s))
		SKIP(return, "needs sched_switch");
	sleep_aside(self);
	n = voluntary(s);
	vmm_destroy(self->s.vm);
	ASSERT_EQ(1, poll(&p, 1, 5000));
	EXPECT_NE(0, p.revents & POLLHUP);
	EXPECT_EQ(n, voluntary(s));
	EXPECT_EQ(0, try_ioctl(s->fd, KVMX_STATS_TOP, &r));
	/* Who comes late gets the last figures as well. */
	late = kvmx_stats_with(self->vm, 0, KVMX_STATS_SCHED);
	EXPECT_EQ(n, voluntary(late));
	r = request();
	EXPECT_EQ(0, try_ioctl(late->fd, KVMX_STATS_TOP, &r));
	stats_close(late);
	stats_close(s);
	self->s.vm = vmm_create(0);
}

TEST_F_TIMEOUT(group, of_a_vm_that_is_gone_it_was_never_counted, 60)
{
	struct stats *plain, *late;
	struct kvmx_top r = request();
	struct pollfd p;

	close(self->stats);
	self->s.fd[ON_STATS] = -1;
	plain = kvmx_stats(self->vm, 1);
	p = (struct pollfd){ .fd = plain->fd };
	do_aside(&self->s.vm->vcpu[1], VMM_CPUID, 10);
	vmm_destroy(self->s.vm);
	ASSERT_EQ(1, poll(&p, 1, 5000));
	late = kvmx_stats_with(self->vm, 1, KVMX_STATS_SCHED);
	if (stats_find(late, "sched.switches.voluntary"))
		EXPECT_EQ(0, voluntary(late));
	EXPECT_EQ(0, try_ioctl(late->fd, KVMX_STATS_TOP, &r));
	stats_close(late);
	stats_close(plain);
	self->s.vm = vmm_create(0);
}

HOST_HARNESS_MAIN
