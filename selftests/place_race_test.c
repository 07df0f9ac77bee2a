// SPDX-License-Identifier: GPL-2.0-only
/*
 * Placements while others are at work: VMMs and tools that are killed, two who place
 * the same VM.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "kselftest_harness.h"

#include "die.h"
#include "host.h"
#include "kvmx.h"
#include "mortal.h"
#include "place.h"
#include "vmm.h"

static bool wait_for(bool (*what)(void *arg), void *arg)
{
	int i;

	for (i = 0; i < 500; i++) {
		if (what(arg))
			return true;
		usleep(10000);
	}
	return false;
}

FIXTURE(race) {
	int unused;
};

FIXTURE_SETUP(race)
{
}

FIXTURE_TEARDOWN(race)
{
}

/* Places a VM, and waits to be killed. */
static pid_t place_and_wait(pid_t vmm, bool commit)
{
	int pipes[2];
	pid_t pid;
	char c = 0;

	if (pipe(pipes))
		die_errno("pipe");
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		die_errno("fork");
	if (!pid) {
		struct placing *p = place_new(KVMX_POLICY_SPREAD);
		int vm = kvmx_open(place_node(), KVMX_BY_PID, vmm, 0);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		c = place_do(vm, p);
		if (!c && commit)
			c = place_commit(vm);
		if (write(pipes[1], &c, 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	if (read(pipes[0], &c, 1) != 1 || c)
		die("a placer failed: error %d", c);
	close(pipes[0]);
	close(pipes[1]);
	return pid;
}

struct same {
	struct masks *as;
	pid_t pid;
};

static bool is_same(void *arg)
{
	static struct masks now;
	struct same *s = arg;
	unsigned int i, k;

	masks_take(&now, s->pid);
	for (i = 0; i < now.nr; i++)
		for (k = 0; k < s->as->nr; k++)
			if (s->as->tid[k] == now.tid[i] &&
			    s->as->cpus[k] != now.cpus[i])
				return false;
	return true;
}

TEST_F_TIMEOUT(race, a_tool_that_is_killed_leaves_nothing_unless_it_has_committed, 200)
{
	pid_t vmm = mortal_start(MORTAL_RUNS, 2), tool;
	static struct masks before;
	struct same s = { .as = &before, .pid = vmm };
	int vm;

	masks_take(&before, vmm);
	tool = place_and_wait(vmm, false);
	EXPECT_FALSE(is_same(&s));
	mortal_kill(tool);
	EXPECT_TRUE(wait_for(is_same, &s));

	tool = place_and_wait(vmm, true);
	mortal_kill(tool);
	usleep(200000);
	EXPECT_FALSE(is_same(&s));
	vm = kvmx_open(place_node(), KVMX_BY_PID, vmm, 0);
	EXPECT_EQ(0, place_clear(vm));
	EXPECT_TRUE(is_same(&s));
	close(vm);
	mortal_kill(vmm);
}

TEST_F_TIMEOUT(race, a_vmm_may_be_killed_while_it_is_placed, 200)
{
	unsigned int i, n = scaled(30), placed = 0, gone = 0;

	for (i = 0; i < n; i++) {
		pid_t vmm = mortal_start(MORTAL_RUNS, 4), killer;
		struct placing *p = place_new(KVMX_POLICY_SPREAD);
		int vm = kvmx_open(place_node(), KVMX_BY_PID, vmm, 0);
		int err = 0;

		fflush(NULL);
		killer = fork();
		if (!killer) {
			mortal_moment(20000);
			kill(vmm, SIGKILL);
			_exit(0);
		}
		p->req.flags = KVMX_PLACE_REPLACE;
		while (!err) {
			p->req.policy = KVMX_POLICY_SPREAD + KVMX_POLICY_PACK -
					p->req.policy;
			err = place_do(vm, p);
			placed += !err;
		}
		gone += err == ESRCH;
		EXPECT_TRUE(err == ESRCH || err == ERANGE) {
			TH_LOG("error %d", err);
		}
		waitpid(vmm, NULL, 0);
		waitpid(killer, NULL, 0);
		close(vm);
		free(p);
	}
	printf("# %u VMMs killed, %u placements made\n", n, placed);
	EXPECT_LT(0, gone);
}

TEST_F_TIMEOUT(race, of_two_who_place_the_same_vm_at_once_one_wins, 200)
{
	pid_t vmm = mortal_start(MORTAL_RUNS, 2);
	unsigned int i, k, wins, busy;

	for (i = 0; i < scaled(50); i++) {
		pid_t tool[2];
		int go[2], wait[2];
		char c;

		if (pipe(go) || pipe(wait))
			die_errno("pipe");
		fflush(NULL);
		for (k = 0; k < 2; k++) {
			tool[k] = fork();
			if (tool[k])
				continue;
			struct placing *p = place_new(KVMX_POLICY_SPREAD);
			int vm = kvmx_open(place_node(), KVMX_BY_PID, vmm, 0);

			close(go[1]);
			if (read(go[0], &c, 1))
				_exit(99);
			c = place_do(vm, p);
			/* Held until both have tried. */
			if (write(wait[1], &c, 1) != 1 || (pause(), 1))
				_exit(99);
		}
		close(go[0]);
		close(go[1]);
		for (k = wins = busy = 0; k < 2; k++) {
			ASSERT_EQ(1, read(wait[0], &c, 1));
			wins += c == 0;
			busy += c == EBUSY;
		}
		EXPECT_EQ(1, wins);
		EXPECT_EQ(1, busy);
		for (k = 0; k < 2; k++)
			mortal_kill(tool[k]);
		close(wait[0]);
		close(wait[1]);
	}
	mortal_kill(vmm);
}

/* Before 6.2 nothing tells what an owner said while kvmx was about to change it. */
static bool words_are_kept(void)
{
	struct utsname name;
	int major, minor;

	return !uname(&name) &&
	       sscanf(name.release, "%d.%d", &major, &minor) == 2 &&
	       (major > 6 || (major == 6 && minor >= 2));
}

/* Sets the CPUs of a thread within a moment. */
static pid_t speak(pid_t tid, uint64_t cpus)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		die_errno("fork");
	if (pid)
		return pid;
	mortal_moment(3000);
	_exit(!set_cpus(tid, cpus));
}

TEST_F_TIMEOUT(race, an_owner_who_speaks_meanwhile_has_the_last_word, 300)
{
	pid_t vmm = mortal_start(MORTAL_RUNS, 2), owner;
	struct placing *p = place_new(KVMX_POLICY_SPREAD);
	int vm = kvmx_open(place_node(), KVMX_BY_PID, vmm, 0), status;
	unsigned int i, n = scaled(12);
	uint64_t all = cpus_of(0);

	if (!words_are_kept())
		SKIP(return, "needs 6.2");
	if (__builtin_popcountll(all) < 4)
		SKIP(return, "needs four CPUs");
	place_emulator(p, 3);
	p->req.flags = KVMX_PLACE_ENFORCE;
	for (i = 0; i < n; i++) {
		ASSERT_TRUE(set_cpus(vmm, all));
		/* While it is placed, or while it has back what it had. */
		owner = i % 2 ? speak(vmm, 6) : 0;
		ASSERT_EQ(0, place_do(vm, p));
		owner = owner ?: speak(vmm, 6);
		if (i % 2)
			ASSERT_EQ(owner, waitpid(owner, &status, 0));
		ASSERT_EQ(0, place_clear(vm));
		if (i % 2 == 0)
			ASSERT_EQ(owner, waitpid(owner, &status, 0));
		EXPECT_EQ(0, status);
		EXPECT_EQ(6, cpus_of(vmm));
	}
	close(vm);
	mortal_kill(vmm);
	free(p);
}

HOST_HARNESS_MAIN
