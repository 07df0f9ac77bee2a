// SPDX-License-Identifier: GPL-2.0-only
/*
 * Placements while threads are born and end: none is missed, neither when the VM is
 * placed, nor later, nor when it has back what it had.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "die.h"
#include "host.h"
#include "kvmx.h"
#include "mortal.h"
#include "place.h"
#include "staff.h"
#include "vmm.h"

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
	unsigned int i = 0, tries;

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

FIXTURE(births) {
	int unused;
};

FIXTURE_SETUP(births)
{
}

FIXTURE_TEARDOWN(births)
{
}

TEST_F_TIMEOUT(births, of_many_placements_none_misses_a_thread_that_is_born_meanwhile, 200)
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
		while (b.made < made + 3)
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

/*
 * Threads that beget one another, as QEMU's workers do: each tells what it has,
 * starts the next one and goes.
 */
struct chain {
	volatile bool stop, over;
	volatile unsigned long links;
	volatile uint64_t has;
};

static void *one_link(void *arg)
{
	struct chain *c = arg;
	pthread_t next;

	c->has = cpus_of(0);
	c->links++;
	usleep(200);
	if (c->stop || pthread_create(&next, NULL, one_link, c))
		c->over = true;
	else
		pthread_detach(next);
	return NULL;
}

static bool chain_has(struct chain *c, uint64_t cpus)
{
	unsigned long from = c->links;

	while (c->links < from + 3)
		usleep(200);
	return c->has == cpus;
}

/* All that are there, one after the other: what taskset -a does. */
static void pin_all(int but, uint64_t cpus)
{
	static struct masks m;
	unsigned int i;

	masks_take(&m, getpid());
	for (i = 0; i < m.nr; i++)
		if (m.tid[i] != but)
			set_cpus(m.tid[i], cpus);
}

TEST_F_TIMEOUT(births, who_is_born_of_the_one_before_does_not_get_away, 200)
{
	unsigned int i, lost = 0, n = sized("KVMX_TEST_PLACEMENTS", 100);
	struct placing *p = place_new(KVMX_POLICY_PIN);
	uint64_t all = cpus_of(0);
	struct chain c = {};
	struct birthplace b;
	int fd, vcpu;

	if (__builtin_popcountll(all) < 4)
		SKIP(return, "needs four CPUs");
	begin(&b, 10000);
	vcpu = b.vm->vcpu[0].tid;
	fd = place_vm(b.vm->fd);
	one_link(&c);
	for (i = 0; i < n; i++) {
		mortal_moment(3000);
		pin_all(vcpu, 9);
		lost += !chain_has(&c, 9);
		/* The other way round it may be lost as well. */
		do
			pin_all(vcpu, all);
		while (!chain_has(&c, all));
	}
	place_pin(p, 0, 2);
	place_emulator(p, 9);
	for (i = 0; i < n; i++) {
		mortal_moment(3000);
		ASSERT_EQ(0, place_do(fd, p));
		EXPECT_TRUE(chain_has(&c, 9));
		ASSERT_EQ(0, place_clear(fd));
		EXPECT_TRUE(chain_has(&c, all));
	}
	printf("# pinned one by one, it got away %u of %u times\n", lost, n);
	c.stop = true;
	while (!c.over)
		usleep(1000);
	close(fd);
	end(&b);
	free(p);
}

static void *pin_itself_and_beget(void *child)
{
	set_cpus(0, 8);
	staff_start(child, NULL);
	return NULL;
}

/* Its parent's word is not known yet when it is born. */
TEST_F_TIMEOUT(births, who_is_born_of_one_that_has_pinned_itself_is_pinned, 200)
{
	struct placing *p = place_new(KVMX_POLICY_PIN);
	uint64_t all = cpus_of(0);
	struct birthplace b;
	struct staff child;
	pthread_t parent;
	unsigned int i;
	int fd;

	if (__builtin_popcountll(all) < 4)
		SKIP(return, "needs four CPUs");
	begin(&b, 100000);
	fd = place_vm(b.vm->fd);
	place_pin(p, 0, 2);
	place_emulator(p, 9);
	for (i = 0; i < scaled(6); i++) {
		ASSERT_EQ(0, place_do(fd, p));
		ASSERT_EQ(0, pthread_create(&parent, NULL,
					    pin_itself_and_beget, &child));
		ASSERT_EQ(0, pthread_join(parent, NULL));
		ASSERT_EQ(0, place_clear(fd));
		EXPECT_EQ(8, cpus_of(child.tid));
		staff_stop(&child);
	}
	close(fd);
	end(&b);
	free(p);
}

TEST_F_TIMEOUT(births, two_hundred_threads_a_second_are_all_placed, 200)
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
	/* One may be under way that was born before. */
	made = b.made + 1;
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

HOST_HARNESS_MAIN
