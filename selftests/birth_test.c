// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads of a VM that is placed, from their birth on: each is where it belongs
 * before it does anything, whoever made it.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "kselftest_harness.h"

#include "die.h"
#include "host.h"
#include "infant.h"
#include "kvmx.h"

FIXTURE(birth) {
	struct nursery n;
};

FIXTURE_SETUP(birth)
{
	if (!nursery_begin(&self->n))
		SKIP(return, "fewer than four CPUs");
}

FIXTURE_TEARDOWN(birth)
{
	nursery_end(&self->n);
}

/*
 * The child of a vCPU's thread inherits that vCPU's CPU, and belongs elsewhere:
 * nothing but a placement at its birth brings it there in time.
 */
TEST_F_TIMEOUT(birth, two_hundred_threads_a_second_begin_where_they_belong, 120)
{
	struct storm s = { .v = self->n.v, .nr = scaled(400), .gap_us = 4000 };

	nursery_place(&self->n);
	EXPECT_EQ(EMULATOR, cpus_of(0));
	storm_run(&s);
	EXPECT_EQ(VCPU, s.own);
	EXPECT_EQ(0, s.failed);
	EXPECT_EQ(s.nr, s.good) {
		TH_LOG("one began on CPU %u, was on %u, had %#llx",
		       s.bad.first & 0xfff, s.bad.later & 0xfff,
		       (unsigned long long)s.bad.cpus);
	}
	EXPECT_EQ(0, place_show(self->n.fd, self->n.p));
	EXPECT_LE(s.nr, self->n.p->placed.births);
	TH_LOG("birth to placement: %llu us on average, %llu us at most",
	       (unsigned long long)(self->n.p->placed.birth_ns /
				    (self->n.p->placed.births ?: 1) / 1000),
	       (unsigned long long)self->n.p->placed.birth_ns_max / 1000);
}

/* The same without a gap, as many as the machine can make. */
TEST_F_TIMEOUT(birth, so_do_as_many_as_can_be_made, 120)
{
	struct storm s = { .v = self->n.v, .nr = scaled(3000) };

	nursery_place(&self->n);
	storm_run(&s);
	EXPECT_EQ(0, s.failed);
	EXPECT_EQ(s.nr, s.good);
}

TEST_F_TIMEOUT(birth, each_is_told_as_an_event, 120)
{
	int node = kvmx_node(), fd, err = 0;
	struct storm s = { .v = self->n.v, .nr = 200, .gap_us = 1000 };
	struct kvmx_record r;
	unsigned int n = 0;

	nursery_place(&self->n);
	fd = kvmx_events(node, 1 << KVMX_EVENT_THREAD_BORN);
	ASSERT_LE(0, fd);
	storm_run(&s);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	while (read(fd, &r, sizeof(r)) == sizeof(r)) {
		/* Later kernels have KVM's own thread for huge pages here. */
		n += r.type == KVMX_EVENT_THREAD_BORN &&
		     strncmp(r.name, "kvm-", 4);
		err += r.pid != getpid() || !r.tid || !r.vm ||
		       r.arg > 10000000000ull;
	}
	/* And the thread that made them. */
	EXPECT_EQ(s.nr + 1, n);
	EXPECT_EQ(0, err);
	close(fd);
	close(node);
}

TEST_F_TIMEOUT(birth, the_first_thread_stays_what_it_is_whatever_its_name, 60)
{
	char name[16];

	prctl(PR_GET_NAME, name);
	nursery_place(&self->n);
	EXPECT_EQ(EMULATOR, cpus_of(0));
	prctl(PR_SET_NAME, "IO iothread1");
	EXPECT_EQ(EMULATOR, cpus_of(0));
	prctl(PR_SET_NAME, "worker");
	EXPECT_EQ(EMULATOR, cpus_of(0));
	prctl(PR_SET_NAME, name);
}

struct renamed {
	const char *name;
	volatile int tid;
	volatile bool go, stop;
	uint64_t before, after;
};

static void *renamed(void *arg)
{
	struct renamed *r = arg;

	r->before = cpus_of(0);
	if (r->name) {
		prctl(PR_SET_NAME, r->name);
		r->after = cpus_of(0);
	}
	r->tid = syscall(SYS_gettid);
	while (!r->stop)
		usleep(1000);
	return NULL;
}

TEST_F_TIMEOUT(birth, a_thread_with_another_name_is_elsewhere_at_once, 60)
{
	static const struct {
		const char *name;
		uint64_t cpus;
	} as[] = {
		{ "IO iothread1", IO }, { "x", EMULATOR }, { "worker", IO },
		{ "CPU 3/KVM", EMULATOR }, { "_disk0_q0", IO },
	};
	pthread_t thread;
	unsigned int i;

	nursery_place(&self->n);
	for (i = 0; i < 5; i++) {
		struct renamed r = { .name = as[i].name, .stop = true };

		ASSERT_EQ(0, pthread_create(&thread, NULL, renamed, &r));
		pthread_join(thread, NULL);
		EXPECT_EQ(EMULATOR, r.before);
		EXPECT_EQ(as[i].cpus, r.after) {
			TH_LOG("%s", as[i].name);
		}
	}
}

TEST_F_TIMEOUT(birth, who_is_renamed_by_another_is_elsewhere_soon, 60)
{
	struct renamed r = { 0 };
	pthread_t thread;

	nursery_place(&self->n);
	ASSERT_EQ(0, pthread_create(&thread, NULL, renamed, &r));
	while (!r.tid)
		usleep(100);
	EXPECT_EQ(EMULATOR, cpus_of(r.tid));
	EXPECT_EQ(0, pthread_setname_np(thread, "IO iothread2"));
	EXPECT_TRUE(soon(r.tid, IO, 1000));
	EXPECT_EQ(0, pthread_setname_np(thread, "other"));
	EXPECT_TRUE(soon(r.tid, EMULATOR, 1000));
	r.stop = true;
	pthread_join(thread, NULL);
}

struct runner {
	struct vmm_vcpu *v;
	bool patient;
	uint64_t before, after;
};

static void *runner(void *arg)
{
	struct runner *r = arg;

	r->before = cpus_of(0);
	vmm_do(r->v, VMM_CPUID, 1);
	if (r->patient)
		soon(0, VCPU, 5000);
	r->after = cpus_of(0);
	return NULL;
}

static void runner_run(struct runner *r)
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, runner, r);
	if (errno || pthread_join(thread, NULL))
		die_errno("a thread");
}

/* It is known from KVM that it runs a vCPU, the first time that it does so. */
TEST_F_TIMEOUT(birth, who_runs_a_vcpu_is_elsewhere_when_he_does, 60)
{
	struct runner r = { .v = self->n.v };
	unsigned int i;

	nursery_place(&self->n);
	for (i = 0; i < 5; i++) {
		runner_run(&r);
		EXPECT_EQ(EMULATOR, r.before);
		EXPECT_EQ(VCPU, r.after) {
			TH_LOG("thread %u", i);
		}
		/* The end of this one has to be known first: soon is enough. */
		r.patient = true;
	}
}

TEST_F_TIMEOUT(birth, a_new_vcpu_is_placed_with_its_thread, 60)
{
	struct runner r = { .v = self->n.v };
	struct vmm_vcpu *second;

	place_pin(self->n.p, 1, 3);
	EXPECT_EQ(ERANGE, place_do(self->n.fd, self->n.p));
	second = vmm_add_vcpu(self->n.vm);
	nursery_place(&self->n);
	runner_run(&r);
	EXPECT_EQ(VCPU, r.after);
	r.v = second;
	runner_run(&r);
	EXPECT_EQ(1 << 3, r.after);
}

/* A process of its own is none of the VM's threads. */
TEST_F_TIMEOUT(birth, what_is_forked_off_is_left_alone, 60)
{
	int status;
	pid_t pid;

	nursery_place(&self->n);
	pid = fork();
	if (!pid) {
		/* As inherited, whatever it is called and makes. */
		prctl(PR_SET_NAME, "IO iothread1");
		_exit(cpus_of(0) == EMULATOR ? 0 : 1);
	}
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

HOST_HARNESS_MAIN
