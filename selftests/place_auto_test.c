// SPDX-License-Identifier: GPL-2.0-only
/*
 * Policy auto: a vCPU that somebody keeps from running goes elsewhere, once, and
 * for a reason that is told; nobody else moves, and nothing is counted after.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "host.h"
#include "kvmx.h"
#include "mortal.h"
#include "place.h"

#define INTERVAL_MS	200
/* Patience of the policy, and what a slow machine takes besides. */
#define SOON		100

FIXTURE(auto_) {
	struct placing *p, *shown;
	pid_t pid, hog;
	int vm, node, cpus;
};

FIXTURE_SETUP(auto_)
{
	self->cpus = __builtin_popcountll(cpus_of(0));
	self->node = place_node();
	self->pid = mortal_start(MORTAL_TOILS, 1);
	self->vm = kvmx_open(self->node, KVMX_BY_PID, self->pid, 0);
	ASSERT_LE(0, self->vm);
	self->p = place_new(KVMX_POLICY_AUTO);
	self->p->req.interval_ms = INTERVAL_MS;
	self->shown = place_new(KVMX_POLICY_NONE);
}

FIXTURE_TEARDOWN(auto_)
{
	if (self->hog > 0) {
		kill(self->hog, SIGKILL);
		waitpid(self->hog, NULL, 0);
	}
	mortal_kill(self->pid);
	close(self->vm);
	close(self->node);
	free(self->p);
	free(self->shown);
}

static void wait_ms(unsigned int ms)
{
	const struct timespec t = {
		.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L,
	};

	nanosleep(&t, NULL);
}

/* Wants all of a CPU that it can get. */
static pid_t start_hog(unsigned int cpu)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	if (!set_cpus(0, 1ULL << cpu))
		_exit(1);
	for (volatile int i = 0;; i++)
		;
}

/* The CPU that vCPU 0 has now; its place in @shown to @at. */
static int where(FIXTURE_DATA(auto_) *self, int *at)
{
	if (place_show(self->vm, self->shown))
		return -1;
	*at = place_vcpu(self->shown, 0);
	if (*at < 0)
		return -1;
	return __builtin_ctzll(self->shown->masks[*at][0]);
}

TEST_F_TIMEOUT(auto_, a_vcpu_flees_from_a_hog_and_stays, 240)
{
	int at, from, to = -1, i;

	if (self->cpus < 2)
		SKIP(return, "needs 2 CPUs");
	ASSERT_EQ(0, place_do(self->vm, self->p));
	from = where(self, &at);
	ASSERT_LE(0, from);
	self->hog = start_hog(from);
	for (i = 0; i < SOON * (int)patience(); i++) {
		wait_ms(INTERVAL_MS);
		to = where(self, &at);
		if (to != from)
			break;
	}
	ASSERT_LE(0, to);
	ASSERT_NE(from, to);
	/* It is where the plan says, and why. */
	EXPECT_EQ(1ULL << to, cpus_of(self->shown->threads[at].tid));
	EXPECT_EQ(KVMX_WHY_READY, self->shown->threads[at].why);
	EXPECT_TRUE(place_note(self->shown, KVMX_NOTE_AUTO));
	/* The others do not have that CPU any more. */
	for (i = 0; i < (int)place_nr(self->shown); i++)
		if (i != at)
			EXPECT_EQ(0, self->shown->masks[i][0] >> to & 1);
	/* Back beside the hog would be worse, and it does not. */
	for (i = 0; i < 15; i++) {
		wait_ms(INTERVAL_MS);
		EXPECT_NE(from, where(self, &at));
	}
}

TEST_F_TIMEOUT(auto_, it_moves_within_its_cpus_only, 240)
{
	int at, i;

	if (self->cpus < 2)
		SKIP(return, "needs 2 CPUs");
	place_cpus(self->p, 2);
	ASSERT_EQ(0, place_do(self->vm, self->p));
	self->hog = start_hog(1);
	for (i = 0; i < 15; i++) {
		wait_ms(INTERVAL_MS);
		EXPECT_EQ(1, where(self, &at));
	}
	EXPECT_FALSE(place_note(self->shown, KVMX_NOTE_AUTO));
}

TEST_F_TIMEOUT(auto_, a_vm_is_counted_while_it_is_in_force, 120)
{
	struct kvmx_vm_info vm;
	struct kvmx_info info;
	int i;

	ASSERT_EQ(0, kvmx_vm_info(self->vm, &vm));
	EXPECT_EQ(0, vm.state & KVMX_VM_COUNTING);
	for (i = 0; i < 3; i++) {
		self->p->req.policy = KVMX_POLICY_AUTO;
		ASSERT_EQ(0, place_do(self->vm, self->p));
		ASSERT_EQ(0, kvmx_vm_info(self->vm, &vm));
		EXPECT_EQ(KVMX_VM_COUNTING, vm.state & KVMX_VM_COUNTING);
		EXPECT_EQ(0, vm.nr_stats_fds);
		ASSERT_EQ(0, kvmx_info(self->node, &info));
		EXPECT_EQ(0, info.nr_stats_fds);
		/* Gone with the placement, and with another policy. */
		if (i == 1) {
			self->p->req.policy = KVMX_POLICY_SPREAD;
			self->p->req.flags = KVMX_PLACE_REPLACE;
			ASSERT_EQ(0, place_do(self->vm, self->p));
			self->p->req.flags = 0;
		} else {
			ASSERT_EQ(0, place_clear(self->vm));
		}
		/* A look that is under way may be the last to have it. */
		wait_ms(INTERVAL_MS * patience());
		ASSERT_EQ(0, kvmx_vm_info(self->vm, &vm));
		EXPECT_EQ(0, vm.state & KVMX_VM_COUNTING);
		if (i == 1)
			ASSERT_EQ(0, place_clear(self->vm));
	}
}

/* Committed, it outlives whoever made it, and goes with the VM. */
TEST_F_TIMEOUT(auto_, it_outlives_its_fd, 120)
{
	struct kvmx_info info;
	int at;

	ASSERT_EQ(0, place_do(self->vm, self->p));
	ASSERT_EQ(0, place_commit(self->vm));
	close(self->vm);
	wait_ms(3 * INTERVAL_MS);
	self->vm = kvmx_open(self->node, KVMX_BY_PID, self->pid, 0);
	ASSERT_LE(0, self->vm);
	EXPECT_LE(0, where(self, &at));
	EXPECT_EQ(KVMX_POLICY_AUTO, self->shown->placed.policy);
	mortal_kill(self->pid);
	self->pid = mortal_start(MORTAL_HALTS, 1);
	wait_ms(INTERVAL_MS * patience());
	ASSERT_EQ(0, kvmx_info(self->node, &info));
	EXPECT_EQ(0, info.state & KVMX_INFO_COUNTING);
}

HOST_HARNESS_MAIN
