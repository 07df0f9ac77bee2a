// SPDX-License-Identifier: GPL-2.0-only
/*
 * Placements while others are at work: threads that are born and end, VMMs and
 * tools that are killed, two who place the same VM.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "kselftest_harness.h"

#include "die.h"
#include "host.h"
#include "kvmx.h"
#include "mortal.h"
#include "place.h"
#include "staff.h"
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

/* A VM with a vCPU that runs, and a thread that makes threads all the time. */
struct birthplace {
	struct vmm *vm;
	pthread_t thread;
	volatile bool stop;
	volatile unsigned long made;
	volatile unsigned long strays;	/* that were seen on other CPUs */
	volatile uint64_t expect;	/* CPUs that all have now; 0: not looked at */
	unsigned int pause_us;
};

static void *give_birth(void *arg)
{
	struct birthplace *b = arg;
	int cpu;

	while (!b->stop) {
		uint64_t expect = b->expect, has = staff_glance(&cpu);

		/* Only where nothing changed meanwhile. */
		if (expect && expect == b->expect && has != expect)
			b->strays++;
		b->made++;
		if (b->pause_us)
			usleep(b->pause_us);
	}
	return NULL;
}

static void begin(struct birthplace *b, unsigned int pause_us)
{
	static const struct vmm_step step = { .kind = VMM_OUT_USER, .n = 1 };

	*b = (struct birthplace){ .pause_us = pause_us };
	b->vm = vmm_create(VMM_IRQCHIP);
	vmm_add_vcpu(b->vm)->user_us = 5000;
	vmm_start(&b->vm->vcpu[0], &step, 1);
	while (!b->vm->vcpu[0].rounds)
		usleep(1000);
	errno = pthread_create(&b->thread, NULL, give_birth, b);
	if (errno)
		die_errno("a thread");
}

static void end(struct birthplace *b)
{
	b->stop = true;
	pthread_join(b->thread, NULL);
	vmm_stop(&b->vm->vcpu[0]);
	vmm_destroy(b->vm);
}

/*
 * All threads of this process, but the vCPU's, may use these CPUs. One that is
 * just being made is seen before it is told to; that has to be over soon.
 */
static bool all_have(int vcpu, uint64_t cpus)
{
	static struct masks now;
	unsigned int i, tries;

	for (tries = 0; tries < 100 * patience(); tries++) {
		masks_take(&now, getpid());
		for (i = 0; i < now.nr; i++)
			if (now.tid[i] != vcpu && now.cpus[i] != cpus)
				break;
		if (i == now.nr)
			return true;
		usleep(2000);
	}
	printf("# thread %d has 0x%llx, not 0x%llx\n", now.tid[i],
	       (unsigned long long)now.cpus[i], (unsigned long long)cpus);
	return false;
}

TEST(of_many_placements_none_misses_a_thread_that_is_born_meanwhile)
{
	unsigned int i, n = sized("KVMX_TEST_PLACEMENTS", 100);
	struct placing *p = place_new(KVMX_POLICY_PIN);
	uint64_t all = cpus_of(0);
	struct birthplace b;
	int fd, vcpu;

	if (__builtin_popcountll(all) < 4)
		SKIP(return, "needs four CPUs");
	begin(&b, 0);
	fd = place_vm(b.vm->fd);
	if (kvmx_feature_off(kvmx_node(), "task_newtask"))
		SKIP(return, "needs task_newtask");
	vcpu = b.vm->vcpu[0].tid;
	place_pin(p, 0, 2);
	place_emulator(p, 9);
	for (i = 0; i < n; i++) {
		unsigned long made = b.made;

		while (b.made == made)
			usleep(100);
		mortal_moment(3000);
		ASSERT_EQ(0, place_do(fd, p));
		b.expect = 9;
		EXPECT_EQ(4, cpus_of(vcpu));
		ASSERT_TRUE(all_have(vcpu, 9));
		made = b.made;
		while (b.made < made + 5)
			usleep(1000);
		b.expect = 0;
		usleep(1000);
		ASSERT_EQ(0, place_clear(fd));
		b.expect = all;
		EXPECT_EQ(all, cpus_of(vcpu));
		ASSERT_TRUE(all_have(vcpu, all));
		b.expect = 0;
	}
	EXPECT_EQ(0, b.strays);
	EXPECT_LT(n, b.made);
	printf("# %u placements, %lu threads\n", n, b.made);
	close(fd);
	end(&b);
	free(p);
}

TEST(two_hundred_threads_a_second_are_all_placed)
{
	struct placing *p = place_new(KVMX_POLICY_PIN);
	uint64_t all = cpus_of(0);
	struct birthplace b;
	unsigned long made;
	int fd, vcpu;

	if (__builtin_popcountll(all) < 4)
		SKIP(return, "needs four CPUs");
	begin(&b, 5000);
	vcpu = b.vm->vcpu[0].tid;
	fd = place_vm(b.vm->fd);
	place_pin(p, 0, 2);
	place_emulator(p, 9);
	ASSERT_EQ(0, place_do(fd, p));
	ASSERT_EQ(0, place_commit(fd));
	b.expect = 9;
	made = b.made;
	while (b.made < made + scaled(1000))
		usleep(10000);
	EXPECT_EQ(0, b.strays);
	ASSERT_EQ(0, place_show(fd, p));
	EXPECT_LE(scaled(1000), p->placed.births);
	/* Who has ended is not kept. */
	EXPECT_GT(20, place_nr(p));
	printf("# %llu births, longest %llu us, mean %llu us\n",
	       (unsigned long long)p->placed.births,
	       (unsigned long long)p->placed.birth_ns_max / 1000,
	       (unsigned long long)(p->placed.birth_ns / 1000 /
				    (p->placed.births ?: 1)));
	b.expect = 0;
	ASSERT_EQ(0, place_clear(fd));
	EXPECT_TRUE(all_have(vcpu, all));
	EXPECT_EQ(all, cpus_of(vcpu));
	close(fd);
	end(&b);
	free(p);
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

TEST(a_tool_that_is_killed_leaves_nothing_unless_it_has_committed)
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

TEST(a_vmm_may_be_killed_while_it_is_placed)
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

TEST(of_two_who_place_the_same_vm_at_once_one_wins)
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

HOST_HARNESS_MAIN
