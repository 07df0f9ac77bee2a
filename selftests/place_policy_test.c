// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each policy, on this host: what docs/placement.md says of it holds for the CPUs
 * that the kernel says the threads have.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "host.h"
#include "kvmx.h"
#include "mortal.h"
#include "place.h"
#include "topo.h"
#include "vmm.h"

#define VMS	4

FIXTURE(policy) {
	pid_t pid[VMS];
	int vm[VMS];
	struct placing *p[VMS];
	int node, cpus;
};

FIXTURE_SETUP(policy)
{
	self->cpus = __builtin_popcountll(cpus_of(0));
	self->node = place_node();
}

FIXTURE_TEARDOWN(policy)
{
	int i;

	for (i = 0; i < VMS; i++) {
		if (!self->pid[i])
			continue;
		mortal_kill(self->pid[i]);
		close(self->vm[i]);
		free(self->p[i]);
	}
	close(self->node);
}

static int start(FIXTURE_DATA(policy) *self, int i, unsigned int vcpus,
		 unsigned int policy)
{
	self->pid[i] = mortal_start(MORTAL_RUNS, vcpus);
	self->vm[i] = kvmx_open(self->node, KVMX_BY_PID, self->pid[i], 0);
	self->p[i] = place_new(policy);
	return self->vm[i];
}

/* The CPU of a vCPU; -1 where the plan is not what the kernel says. */
static int cpu_of(const struct placing *p, unsigned int vcpu)
{
	int at = place_vcpu(p, vcpu);
	uint64_t cpus = at < 0 ? 0 : cpus_of(p->threads[at].tid);

	if (__builtin_popcountll(cpus) != 1 || cpus != p->masks[at][0])
		return -1;
	return __builtin_ctzll(cpus);
}

/* Threads of all classes have what the plan says. */
static bool kept(const struct placing *p)
{
	unsigned int i;

	for (i = 0; i < place_nr(p); i++)
		if (cpus_of(p->threads[i].tid) != p->masks[i][0])
			return false;
	return place_nr(p);
}

static int count(const struct placing *p, unsigned int vcpus, int with,
		 enum distance d)
{
	unsigned int i;
	int n = 0;

	for (i = 0; i < vcpus; i++)
		n += distance(cpu_of(p, i), with) <= d;
	return n;
}

TEST_F_TIMEOUT(policy, spread_gives_each_vcpu_a_core_and_caches_alike, 120)
{
	unsigned int i;
	int a, b, half;

	if (self->cpus < 8)
		SKIP(return, "needs 8 CPUs");
	ASSERT_LE(0, start(self, 0, 4, KVMX_POLICY_SPREAD));
	ASSERT_EQ(0, place_do(self->vm[0], self->p[0]));
	EXPECT_TRUE(kept(self->p[0]));
	half = cpus_apart(OTHER_NODE, &a, &b) ? 2 : 4;
	for (i = 0; i < 4; i++) {
		int cpu = cpu_of(self->p[0], i);

		ASSERT_LE(0, cpu);
		/* Itself, and nobody else. */
		EXPECT_EQ(1, count(self->p[0], 4, cpu, SMT_SIBLING));
		EXPECT_EQ(half, count(self->p[0], 4, cpu, SAME_LLC));
	}
}

TEST_F_TIMEOUT(policy, pack_uses_one_cache_and_fills_cores, 120)
{
	unsigned int i;
	int a, b, pairs;

	if (self->cpus < 8)
		SKIP(return, "needs 8 CPUs");
	ASSERT_LE(0, start(self, 0, 4, KVMX_POLICY_PACK));
	ASSERT_EQ(0, place_do(self->vm[0], self->p[0]));
	EXPECT_TRUE(kept(self->p[0]));
	pairs = cpus_apart(SMT_SIBLING, &a, &b) ? 2 : 1;
	for (i = 0; i < 4; i++) {
		int cpu = cpu_of(self->p[0], i);

		ASSERT_LE(0, cpu);
		EXPECT_EQ(pairs, count(self->p[0], 4, cpu, SMT_SIBLING));
		EXPECT_EQ(4, count(self->p[0], 4, cpu, SAME_LLC));
	}
}

TEST_F_TIMEOUT(policy, numa_goes_where_the_memory_is, 120)
{
	uint64_t nodes[2] = { 10, 1000 };
	unsigned int i;
	int a, b;

	if (!cpus_apart(OTHER_NODE, &a, &b))
		SKIP(return, "one node only");
	ASSERT_LE(0, start(self, 0, 2, KVMX_POLICY_NUMA));
	for (i = 0; i < 2; i++) {
		self->p[0]->req.nodes = (uintptr_t)nodes;
		self->p[0]->req.nr_nodes = 2;
		self->p[0]->req.flags = KVMX_PLACE_REPLACE;
		ASSERT_EQ(0, place_do(self->vm[0], self->p[0]));
		EXPECT_TRUE(kept(self->p[0]));
		/* Two CPUs of one node; the other time, of the other. */
		EXPECT_EQ(2, count(self->p[0], 2, i ? a : b, SAME_NODE)) {
			TH_LOG("CPUs %d and %d, memory where CPU %d is",
			       cpu_of(self->p[0], 0), cpu_of(self->p[0], 1),
			       i ? a : b);
		}
		nodes[0] = 2000;
	}
}

TEST_F_TIMEOUT(policy, numa_without_figures_is_refused, 60)
{
	ASSERT_LE(0, start(self, 0, 1, KVMX_POLICY_NUMA));
	EXPECT_EQ(ERANGE, place_do(self->vm[0], self->p[0]));
	EXPECT_TRUE(place_note(self->p[0], KVMX_NOTE_NO_MEMORY));
}

/* Nobody else on its cores: its own other threads, and another VM's. */
TEST_F_TIMEOUT(policy, isolate_shares_its_cores_with_nobody, 120)
{
	unsigned int i, k;

	if (self->cpus < 8)
		SKIP(return, "needs 8 CPUs");
	ASSERT_LE(0, start(self, 0, 2, KVMX_POLICY_ISOLATE));
	ASSERT_LE(0, start(self, 1, 6, KVMX_POLICY_SPREAD));
	place_emulator(self->p[0], 3);
	ASSERT_EQ(0, place_do(self->vm[0], self->p[0]));
	EXPECT_TRUE(kept(self->p[0]));
	ASSERT_EQ(0, place_do(self->vm[1], self->p[1]));
	EXPECT_TRUE(kept(self->p[1]));
	for (i = 0; i < 2; i++) {
		int cpu = cpu_of(self->p[0], i);

		ASSERT_LE(0, cpu);
		EXPECT_EQ(0, count(self->p[1], 6, cpu, SMT_SIBLING));
		for (k = 0; k < place_nr(self->p[0]); k++) {
			if (self->p[0]->threads[k].thread_class !=
			    KVMX_THREAD_VCPU)
				EXPECT_EQ(0, self->p[0]->masks[k][0] >> cpu & 1);
		}
		for (k = 0; k < place_nr(self->p[1]); k++)
			EXPECT_EQ(0, self->p[1]->masks[k][0] >> cpu & 1);
	}
}

/* Four VMs fill the host before anybody shares a CPU. */
TEST_F_TIMEOUT(policy, vms_do_not_share_cpus_while_others_are_free, 180)
{
	unsigned int i, used = 0;

	if (self->cpus < 8)
		SKIP(return, "needs 8 CPUs");
	for (i = 0; i < VMS; i++) {
		ASSERT_LE(0, start(self, i, 2, i % 2 ? KVMX_POLICY_PACK :
						       KVMX_POLICY_SPREAD));
		ASSERT_EQ(0, place_do(self->vm[i], self->p[i]));
		ASSERT_EQ(0, place_commit(self->vm[i]));
		EXPECT_TRUE(kept(self->p[i]));
		used |= 1U << cpu_of(self->p[i], 0);
		used |= 1U << cpu_of(self->p[i], 1);
	}
	EXPECT_EQ(8, __builtin_popcount(used));
}

/* Where a core is to be free and none is, the plan is refused. */
TEST_F_TIMEOUT(policy, two_vms_cannot_have_the_same_core_alone, 120)
{
	if (self->cpus < 4)
		SKIP(return, "needs 4 CPUs");
	ASSERT_LE(0, start(self, 0, 1, KVMX_POLICY_ISOLATE));
	ASSERT_LE(0, start(self, 1, 1, KVMX_POLICY_ISOLATE));
	place_cpus(self->p[0], 12);
	place_emulator(self->p[0], 1);
	place_cpus(self->p[1], 12);
	place_emulator(self->p[1], 1);
	ASSERT_EQ(0, place_do(self->vm[0], self->p[0]));
	EXPECT_EQ(ERANGE, place_do(self->vm[1], self->p[1]));
	EXPECT_TRUE(place_note(self->p[1], KVMX_NOTE_ISOLATED));
	/* Once it is given up it can be had. */
	ASSERT_EQ(0, place_clear(self->vm[0]));
	EXPECT_EQ(0, place_do(self->vm[1], self->p[1]));
}

TEST_F_TIMEOUT(policy, smt_words_are_kept, 120)
{
	int a, b;

	if (self->cpus < 8)
		SKIP(return, "needs 8 CPUs");
	ASSERT_LE(0, start(self, 0, 2, KVMX_POLICY_SPREAD));
	self->p[0]->req.flags = KVMX_PLACE_REPLACE;
	self->p[0]->req.smt = KVMX_SMT_REQUIRE;
	if (!cpus_apart(SMT_SIBLING, &a, &b)) {
		EXPECT_EQ(ERANGE, place_do(self->vm[0], self->p[0]));
		EXPECT_TRUE(place_note(self->p[0], KVMX_NOTE_NO_SIBLINGS));
		return;
	}
	ASSERT_EQ(0, place_do(self->vm[0], self->p[0]));
	EXPECT_EQ(SMT_SIBLING, distance(cpu_of(self->p[0], 0),
					cpu_of(self->p[0], 1)));
	self->p[0]->req.smt = KVMX_SMT_ISOLATE;
	ASSERT_EQ(0, place_do(self->vm[0], self->p[0]));
	EXPECT_LT(SMT_SIBLING, distance(cpu_of(self->p[0], 0),
					cpu_of(self->p[0], 1)));
	EXPECT_TRUE(kept(self->p[0]));
}

HOST_HARNESS_MAIN
