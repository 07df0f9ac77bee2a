// SPDX-License-Identifier: GPL-2.0-only
/*
 * Placements on a host that changes: CPUs that go and come back, and cpusets.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "kselftest_harness.h"

#include "host.h"
#include "kvmx.h"
#include "place.h"
#include "staff.h"
#include "topo.h"
#include "vmm.h"

#define GROUP	"/sys/fs/cgroup/kvmx-place"

FIXTURE(host) {
	struct vmm *vm;
	struct staff other;
	struct masks before;
	struct placing *p;
	int fd, vcpu;
	uint64_t all;
	bool grouped;
};

static bool online(int cpu, bool on)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online", cpu);
	return host_put(path, on ? "1" : "0");
}

FIXTURE_SETUP(host)
{
	static const struct vmm_step step = { .kind = VMM_OUT_USER, .n = 1 };

	self->all = cpus_of(0);
	if (__builtin_popcountll(self->all) < 4)
		SKIP(return, "needs four CPUs");
	self->vm = vmm_create(VMM_IRQCHIP);
	vmm_add_vcpu(self->vm)->user_us = 5000;
	vmm_start(&self->vm->vcpu[0], &step, 1);
	while (!self->vm->vcpu[0].rounds)
		usleep(1000);
	self->vcpu = self->vm->vcpu[0].tid;
	staff_start(&self->other, NULL);
	self->fd = place_vm(self->vm->fd);
	self->p = place_new(KVMX_POLICY_PIN);
	place_pin(self->p, 0, 3);
	place_emulator(self->p, 1);
	masks_take(&self->before, getpid());
}

FIXTURE_TEARDOWN(host)
{
	online(2, true);
	online(3, true);
	if (self->grouped) {
		host_put("/sys/fs/cgroup/cgroup.procs", "0");
		rmdir(GROUP "/vcpus");
		rmdir(GROUP "/emulator");
		rmdir(GROUP);
	}
	vmm_stop(&self->vm->vcpu[0]);
	staff_stop(&self->other);
	close(self->fd);
	vmm_destroy(self->vm);
	free(self->p);
}

static bool as_before(const struct masks *before)
{
	static struct masks now;

	masks_take(&now, getpid());
	return masks_same(before, &now);
}

/* Within five seconds, which is more than a worker that looks every second needs. */
static uint64_t becomes(int tid, uint64_t cpus)
{
	unsigned int i;

	for (i = 0; i < 500 * patience() && cpus_of(tid) != cpus; i++)
		usleep(10000);
	return cpus_of(tid);
}

static unsigned int state_of(int fd, struct placing *p, int tid)
{
	int i;

	if (place_show(fd, p))
		return ~0U;
	i = place_find(p, tid);
	return i < 0 ? ~0U : p->threads[i].state;
}

TEST_F_TIMEOUT(host, a_vcpu_comes_back_when_its_cpu_does, 120)
{
	uint64_t away;

	ASSERT_EQ(0, place_do(self->fd, self->p));
	EXPECT_EQ(8, cpus_of(self->vcpu));
	if (!online(3, false))
		SKIP(return, "CPUs cannot be taken offline here");
	/* At once, and somewhere near. */
	away = cpus_of(self->vcpu);
	EXPECT_NE(0, away);
	EXPECT_EQ(0, away & 8);
	EXPECT_EQ(KVMX_THREAD_FALLBACK,
		  state_of(self->fd, self->p, self->vcpu));
	EXPECT_EQ(1, self->p->placed.fallbacks);
	EXPECT_EQ(1, cpus_of(self->other.tid));
	ASSERT_TRUE(online(3, true));
	EXPECT_EQ(8, becomes(self->vcpu, 8));
	EXPECT_EQ(KVMX_THREAD_APPLIED,
		  state_of(self->fd, self->p, self->vcpu));
	EXPECT_EQ(0, self->p->placed.drifts);
	ASSERT_EQ(0, place_clear(self->fd));
	EXPECT_TRUE(as_before(&self->before));
}

TEST_F_TIMEOUT(host, cleared_while_a_cpu_is_away_nothing_is_lost, 120)
{
	ASSERT_EQ(0, place_do(self->fd, self->p));
	if (!online(3, false))
		SKIP(return, "CPUs cannot be taken offline here");
	ASSERT_EQ(0, place_clear(self->fd));
	ASSERT_TRUE(online(3, true));
	EXPECT_TRUE(as_before(&self->before));
}

TEST_F_TIMEOUT(host, cleared_while_all_it_had_is_away_it_has_the_rest, 120)
{
	ASSERT_TRUE(set_cpus(self->other.tid, 4));
	/* Else the plan would be refused where the kernel keeps that. */
	self->p->req.flags = KVMX_PLACE_ENFORCE;
	ASSERT_EQ(0, place_do(self->fd, self->p));
	EXPECT_EQ(1, cpus_of(self->other.tid));
	if (!online(2, false))
		SKIP(return, "CPUs cannot be taken offline here");
	ASSERT_EQ(0, place_clear(self->fd));
	EXPECT_EQ(self->all & ~4ULL, cpus_of(self->other.tid));
	ASSERT_TRUE(online(2, true));
	ASSERT_TRUE(set_cpus(self->other.tid, self->all));
	EXPECT_TRUE(as_before(&self->before));
}

TEST_F_TIMEOUT(host, a_storm_of_cpus_that_come_and_go_is_survived, 240)
{
	unsigned int i, n = scaled(20);

	if (host_counts_its_server())
		SKIP(return, "6.12 may warn of its own fair server on a CPU that goes");
	/* An owner's word besides. */
	set_cpus(self->other.tid, self->all & ~2ULL);
	masks_take(&self->before, getpid());
	ASSERT_EQ(0, place_do(self->fd, self->p));
	if (!online(3, false))
		SKIP(return, "CPUs cannot be taken offline here");
	for (i = 0; i < n; i++) {
		ASSERT_TRUE(online(3, true));
		if (i % 3)
			usleep(i % 3 * 10000);
		ASSERT_TRUE(online(3, false));
		EXPECT_EQ(0, cpus_of(self->vcpu) & 8);
		EXPECT_EQ(1, cpus_of(self->other.tid));
	}
	ASSERT_TRUE(online(3, true));
	EXPECT_EQ(8, becomes(self->vcpu, 8));
	ASSERT_EQ(0, place_show(self->fd, self->p));
	EXPECT_EQ(0, self->p->placed.drifts);
	ASSERT_EQ(0, place_clear(self->fd));
	EXPECT_TRUE(as_before(&self->before));
}

/* A cgroup with a cpuset of its own, and this process in it. */
static bool in_group(const char *cpus)
{
	return host_put("/sys/fs/cgroup/cgroup.subtree_control", "+cpuset") &&
	       (!mkdir(GROUP, 0755) || errno == EEXIST) &&
	       host_put(GROUP "/cpuset.cpus", cpus) &&
	       host_put(GROUP "/cgroup.procs", "0");
}

TEST_F_TIMEOUT(host, what_a_cpuset_does_not_allow_is_refused, 60)
{
	self->grouped = in_group("0-2");
	if (!self->grouped)
		SKIP(return, "no cpusets in cgroup v2 here");
	/* All kernels that kvmx is tried on have it. */
	ASSERT_FALSE(kvmx_feature_off(kvmx_node(), "cpuset_cpus_allowed"));
	masks_take(&self->before, getpid());
	EXPECT_EQ(7, cpus_of(self->vcpu));
	EXPECT_EQ(ERANGE, place_do(self->fd, self->p));
	EXPECT_TRUE(place_note(self->p, KVMX_NOTE_OUTSIDE_CPUSET));
	EXPECT_TRUE(as_before(&self->before));
}

/* A part of the group for some threads, as libvirt makes them. */
static bool part(const char *name, const char *cpus)
{
	char path[96];

	snprintf(path, sizeof(path), GROUP "/%s", name);
	if (mkdir(path, 0755) && errno != EEXIST)
		return false;
	snprintf(path, sizeof(path), GROUP "/%s/cgroup.type", name);
	if (!host_put(path, "threaded"))
		return false;
	snprintf(path, sizeof(path), GROUP "/%s/cpuset.cpus", name);
	return host_put(GROUP "/cgroup.subtree_control", "+cpuset") &&
	       host_put(path, cpus);
}

static bool into(const char *name, int tid)
{
	char path[96], text[16];

	snprintf(path, sizeof(path), GROUP "/%s/cgroup.threads", name);
	snprintf(text, sizeof(text), "%d", tid);
	return host_put(path, text);
}

TEST_F_TIMEOUT(host, vcpus_and_emulator_may_have_cpusets_of_their_own, 120)
{
	self->grouped = in_group("0-3");
	if (!self->grouped || !part("vcpus", "2-3") || !part("emulator", "0-1"))
		SKIP(return, "no cpusets for threads in cgroup v2 here");
	ASSERT_TRUE(into("vcpus", self->vcpu));
	ASSERT_TRUE(into("emulator", getpid()));
	ASSERT_TRUE(into("emulator", self->other.tid));
	/* Each is given its CPU of its own cpuset. */
	EXPECT_EQ(0, place_do(self->fd, self->p));
	EXPECT_EQ(8, cpus_of(self->vcpu));
	EXPECT_EQ(1, cpus_of(self->other.tid));
	EXPECT_EQ(KVMX_THREAD_APPLIED,
		  state_of(self->fd, self->p, self->vcpu));
	/* What the one's allows the other's need not. */
	place_emulator(self->p, 4);
	self->p->req.flags = KVMX_PLACE_REPLACE;
	EXPECT_EQ(ERANGE, place_do(self->fd, self->p));
	EXPECT_TRUE(place_note(self->p, KVMX_NOTE_OUTSIDE_CPUSET));
	EXPECT_EQ(8, cpus_of(self->vcpu));
	EXPECT_EQ(1, cpus_of(self->other.tid));
	EXPECT_EQ(0, place_clear(self->fd));
	EXPECT_EQ(12, cpus_of(self->vcpu));
	EXPECT_EQ(3, cpus_of(self->other.tid));
}

TEST_F_TIMEOUT(host, cpusets_are_obeyed_at_once_and_followed, 120)
{
	uint64_t has;

	self->grouped = in_group("0-3");
	if (!self->grouped)
		SKIP(return, "no cpusets in cgroup v2 here");
	ASSERT_EQ(0, place_do(self->fd, self->p));
	EXPECT_EQ(8, cpus_of(self->vcpu));
	/* Its CPU is taken away, and given back. */
	ASSERT_TRUE(host_put(GROUP "/cpuset.cpus", "0-2"));
	has = cpus_of(self->vcpu);
	EXPECT_EQ(0, has & ~7ULL);
	EXPECT_EQ(1, becomes(self->other.tid, 1));
	EXPECT_EQ(KVMX_THREAD_FALLBACK,
		  state_of(self->fd, self->p, self->vcpu) &
		  KVMX_THREAD_FALLBACK);
	ASSERT_TRUE(host_put(GROUP "/cpuset.cpus", "0-3"));
	EXPECT_EQ(8, becomes(self->vcpu, 8));
	EXPECT_EQ(1, becomes(self->other.tid, 1));
	/* Nobody is said to have changed anything. */
	ASSERT_EQ(0, place_show(self->fd, self->p));
	EXPECT_EQ(0, self->p->placed.drifts);
	/* In the end they have what the cpuset gives. */
	ASSERT_TRUE(host_put(GROUP "/cpuset.cpus", "1-3"));
	EXPECT_EQ(8, becomes(self->vcpu, 8));
	EXPECT_EQ(0, cpus_of(self->other.tid) & 1);
	ASSERT_EQ(0, place_clear(self->fd));
	EXPECT_EQ(14, cpus_of(self->vcpu));
	EXPECT_EQ(14, cpus_of(self->other.tid));
	EXPECT_EQ(14, cpus_of(getpid()));
}

/* Policy auto looks at cpusets as well, and may be the first to see another one. */
TEST_F_TIMEOUT(host, cpusets_are_followed_whoever_looks_first, 240)
{
	struct placing *p = place_new(KVMX_POLICY_AUTO);
	unsigned int i;

	self->grouped = in_group("0-3");
	if (!self->grouped)
		SKIP(return, "no cpusets in cgroup v2 here");
	if (distance(2, 3) != SMT_SIBLING)
		SKIP(return, "needs CPUs 2 and 3 on one core");
	place_cpus(p, 12);
	/* So nobody moves by himself. */
	p->req.smt = KVMX_SMT_REQUIRE;
	p->req.interval_ms = 10;
	if (place_do(self->fd, p) && place_note(p, KVMX_NOTE_NO_STATS))
		SKIP(return, "policy auto cannot be had here");
	EXPECT_EQ(4, cpus_of(self->vcpu));
	for (i = 0; i < 10; i++) {
		ASSERT_TRUE(host_put(GROUP "/cpuset.cpus", "0-1,3"));
		ASSERT_EQ(8, becomes(self->vcpu, 8));
		ASSERT_TRUE(host_put(GROUP "/cpuset.cpus", "0-3"));
		ASSERT_EQ(4, becomes(self->vcpu, 4));
	}
	ASSERT_EQ(0, place_show(self->fd, p));
	EXPECT_EQ(0, p->placed.drifts);
	EXPECT_EQ(0, place_clear(self->fd));
	free(p);
}

HOST_HARNESS_MAIN
