// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads, processes and readers in unusual constellations.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "kselftest_harness.h"

#include "host.h"
#include "kvmx.h"
#include "setup.h"
#include "vmm.h"

FIXTURE(thread) {
	int node, fd;
	struct vmm *vm;
	struct stats *whole;
};

FIXTURE_SETUP(thread)
{
	self->node = kvmx_node();
	self->vm = vmm_create(VMM_IRQCHIP);
	self->fd = kvmx_vm_by_fd(self->node, self->vm->fd);
	self->whole = kvmx_stats(self->fd, KVMX_STATS_WHOLE_VM);
}

FIXTURE_TEARDOWN(thread)
{
	stats_close(self->whole);
	close(self->fd);
	vmm_destroy(self->vm);
	close(self->node);
}

#define exact_time(s)							\
	EXPECT_EQ(stats_get(s, "accounted") - stats_get(s, "counting_since"), \
		  stats_time(s))

static int tid_of(int fd, unsigned int index)
{
	struct kvmx_vcpu_info v[8];

	return kvmx_vcpus(fd, v, 8) > (int)index ? v[index].tid : -1;
}

TEST_F_TIMEOUT(thread, a_vcpu_may_be_run_by_several_threads_in_turn, 60)
{
	struct vmm_vcpu *v = vmm_add_vcpu(self->vm);
	struct stats *s = kvmx_stats(self->fd, 0), *own = kvm_stats(v->fd);
	const char *r = vmm_reason(VMM_CPUID);
	unsigned int i, n = 20;

	EXPECT_EQ(getpid(), tid_of(self->fd, 0));
	for (i = 1; i <= n; i++) {
		/* A new thread each time, and the main one in between. */
		do_aside(v, VMM_CPUID, 10);
		vmm_do(v, VMM_CPUID, 1);
		EXPECT_EQ(getpid(), tid_of(self->fd, 0));
		stats_read(s);
		EXPECT_EQ(11 * i, stats_exit(s, r, "count"));
		exact_time(s);
	}
	EXPECT_TRUE(stats_exits_agree(s, own));
	EXPECT_EQ(v->runs, stats_get(s, "user_exits"));
	stats_close(s);
	stats_close(own);
}

TEST_F_TIMEOUT(thread, the_thread_that_runs_a_vcpu_is_known, 60)
{
	struct vmm_step step = { .kind = VMM_CPUID, .n = 10 };
	struct vmm_vcpu *v = vmm_add_vcpu(self->vm);

	vmm_start(v, &step, 1);
	while (!v->rounds)
		usleep(1000);
	EXPECT_EQ(v->tid, tid_of(self->fd, 0));
	EXPECT_NE(getpid(), v->tid);
	vmm_stop(v);
}

TEST_F_TIMEOUT(thread, a_thread_may_run_several_vcpus_in_turn, 60)
{
	struct vmm_vcpu *v[3];
	struct stats *s[3], *own[3];
	const char *r = vmm_reason(VMM_CPUID);
	unsigned int i, k;
	uint64_t first;

	for (k = 0; k < 3; k++) {
		v[k] = vmm_add_vcpu(self->vm);
		s[k] = kvmx_stats(self->fd, k);
		own[k] = kvm_stats(v[k]->fd);
	}
	for (i = 1; i <= 30; i++) {
		for (k = 0; k < 3; k++) {
			vmm_do(v[k], VMM_CPUID, k + 1);
			vmm_do(v[k], VMM_HLT, k);
		}
	}
	for (k = 0; k < 3; k++) {
		EXPECT_TRUE(stats_exits_agree(s[k], own[k]));
		EXPECT_EQ(30 * (k + 1), stats_exit(s[k], r, "count"));
		EXPECT_EQ(v[k]->runs, stats_get(s[k], "user_exits"));
		exact_time(s[k]);
	}
	/* While it runs one it does not run the others. */
	first = stats_get(s[0], "time.guest") + stats_get(s[0], "time.exit");
	vmm_do(v[2], VMM_SPIN, 20000000);
	stats_read(s[0]);
	EXPECT_EQ(first, stats_get(s[0], "time.guest") +
			 stats_get(s[0], "time.exit"));
	for (k = 0; k < 3; k++) {
		stats_close(s[k]);
		stats_close(own[k]);
	}
}

TEST_F_TIMEOUT(thread, a_thread_may_run_vcpus_of_several_vms, 60)
{
	struct vmm *other = vmm_create(0);
	int fd = kvmx_vm_by_fd(self->node, other->fd);
	struct stats *theirs = kvmx_stats(fd, KVMX_STATS_WHOLE_VM);
	struct vmm_vcpu *a = vmm_add_vcpu(self->vm), *b = vmm_add_vcpu(other);
	const char *r = vmm_reason(VMM_CPUID);
	unsigned int i;

	for (i = 0; i < 30; i++) {
		vmm_do(a, VMM_CPUID, 2);
		vmm_do(b, VMM_CPUID, 3);
	}
	stats_read(self->whole);
	stats_read(theirs);
	EXPECT_EQ(60, stats_exit(self->whole, r, "count"));
	EXPECT_EQ(90, stats_exit(theirs, r, "count"));
	stats_close(theirs);
	close(fd);
	vmm_destroy(other);
}

TEST_F_TIMEOUT(thread, vcpus_have_the_numbers_that_they_were_given, 60)
{
	static const unsigned int ids[] = { 3, 0, 40, 1 };
	struct kvmx_vcpu_info v[4];
	unsigned int i;

	for (i = 0; i < 4; i++)
		vmm_add_vcpu_id(self->vm, ids[i]);
	ASSERT_EQ(4, kvmx_vcpus(self->fd, v, 4));
	for (i = 0; i < 4; i++) {
		struct stats *s = kvmx_stats(self->fd, i);

		EXPECT_EQ(i, v[i].index);
		EXPECT_EQ(ids[i], v[i].vcpu_id);
		vmm_do(&self->vm->vcpu[i], VMM_CPUID, 10 + i);
		stats_read(s);
		EXPECT_EQ(10 + i, stats_exit(s, vmm_reason(VMM_CPUID), "count"));
		stats_close(s);
	}
}

struct reader {
	pthread_t thread;
	int node, pid_or_fd;
	volatile bool *stop;
	volatile uint64_t reads;
	const char *volatile wrong;
};

/* Opens for itself, reads on, and opens again. */
static void *reader(void *arg)
{
	struct reader *r = arg;
	uint64_t before = 0;
	unsigned int i;

	while (!*r->stop && !r->wrong) {
		int fd = kvmx_vm_by_fd(r->node, r->pid_or_fd);
		struct stats *s = kvmx_stats(fd, KVMX_STATS_WHOLE_VM);

		for (i = 0; i < 20 && !*r->stop; i++) {
			stats_read(s);
			if (stats_exits(s) < before)
				r->wrong = "the exits went back";
			before = stats_exits(s);
			r->reads++;
			usleep(1000);
		}
		stats_close(s);
		close(fd);
	}
	return NULL;
}

#define READERS	64

TEST_F_TIMEOUT(thread, sixty_four_readers_at_once_are_served, 120)
{
	struct vmm_step step = { .kind = VMM_CPUID, .n = 100 };
	struct vmm_vcpu *a = vmm_add_vcpu(self->vm), *b = vmm_add_vcpu(self->vm);
	struct stats *own[2] = { kvm_stats(a->fd), kvm_stats(b->fd) };
	struct reader r[READERS];
	volatile bool stop = false;
	unsigned int i;

	vmm_start(a, &step, 1);
	vmm_start(b, &step, 1);
	for (i = 0; i < READERS; i++) {
		r[i] = (struct reader){
			.node = self->node, .pid_or_fd = self->vm->fd,
			.stop = &stop,
		};
		ASSERT_EQ(0, pthread_create(&r[i].thread, NULL, reader, &r[i]));
	}
	/* All of them at once, until the last one has got its share. */
	for (i = 0; i < READERS; i++)
		while (r[i].reads < 20 && !r[i].wrong)
			usleep(1000);
	stop = true;
	for (i = 0; i < READERS; i++) {
		pthread_join(r[i].thread, NULL);
		EXPECT_EQ(NULL, r[i].wrong) {
			TH_LOG("reader %u: %s", i, r[i].wrong);
		}
	}
	vmm_stop(a);
	vmm_stop(b);
	stats_read(self->whole);
	stats_read(own[0]);
	stats_read(own[1]);
	EXPECT_EQ(stats_get(own[0], "exits") + stats_get(own[1], "exits"),
		  stats_exits(self->whole));
	stats_close(own[0]);
	stats_close(own[1]);
}

static void send_fd(int sock, int fd)
{
	char space[CMSG_SPACE(sizeof(int))] = { };
	struct iovec iov = { .iov_base = &fd, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = space, .msg_controllen = sizeof(space),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	if (sendmsg(sock, &msg, 0) != 1)
		_exit(1);
}

static int receive_fd(int sock)
{
	char space[CMSG_SPACE(sizeof(int))] = { }, c;
	struct iovec iov = { .iov_base = &c, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = space, .msg_controllen = sizeof(space),
	};
	int fd = -1;

	if (recvmsg(sock, &msg, 0) == 1 && CMSG_FIRSTHDR(&msg))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
	return fd;
}

/* Makes a VM, runs it, passes its fd on, and ends. */
static void pass_on(int sock)
{
	struct vmm *vm = vmm_create(0);

	vmm_do(vmm_add_vcpu(vm), VMM_CPUID, 10);
	send_fd(sock, vm->fd);
	_exit(0);
}

TEST_F_TIMEOUT(thread, a_vm_passed_to_another_process_outlives_its_maker, 60)
{
	struct kvmx_vm_info info;
	int socks[2], kvm, fd, i;
	struct stats *s;
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, socks));
	fflush(NULL);
	pid = fork();
	if (!pid)
		pass_on(socks[1]);
	kvm = receive_fd(socks[0]);
	ASSERT_LE(0, kvm);
	waitpid(pid, NULL, 0);
	fd = kvmx_vm_by_fd(self->node, kvm);
	ASSERT_EQ(0, kvmx_vm_info(fd, &info));
	EXPECT_EQ(0, info.state & KVMX_VM_GONE);
	EXPECT_TRUE(kvmx_listed(self->node, info.id));
	EXPECT_EQ(1, info.nr_vcpus);
	EXPECT_EQ(-1, kvmx_open(self->node, KVMX_BY_PID, pid, 0));
	EXPECT_EQ(ESRCH, errno);
	s = kvmx_stats(fd, KVMX_STATS_WHOLE_VM);
	EXPECT_EQ(0, stats_get(s, "gone"));
	close(kvm);
	for (i = 0; i < 500; i++) {
		stats_read(s);
		if (stats_get(s, "gone"))
			break;
		usleep(10000);
	}
	EXPECT_EQ(1, stats_get(s, "gone"));
	EXPECT_FALSE(kvmx_listed(self->node, info.id));
	stats_close(s);
	close(fd);
	close(socks[0]);
	close(socks[1]);
}

static void *signals(void *arg)
{
	struct vmm_vcpu *v = arg;
	pthread_t to = v->thread;

	while (!v->stop) {
		pthread_kill(to, SIGUSR1);
		usleep(500);
	}
	return NULL;
}

static void nothing(int sig)
{
}

TEST_F_TIMEOUT(thread, signals_that_end_kvm_run_do_not_confuse_the_count, 60)
{
	struct vmm_step steps[] = {
		{ .kind = VMM_CPUID, .n = 50 },
		{ .kind = VMM_SPIN, .n = 100000 },
		{ .kind = VMM_OUT_USER, .n = 5 },
	};
	struct vmm_vcpu *v = vmm_add_vcpu(self->vm);
	struct sigaction sa = { .sa_handler = nothing };
	struct stats *s = kvmx_stats(self->fd, 0), *own = kvm_stats(v->fd);
	pthread_t thread;

	sigaction(SIGUSR1, &sa, NULL);
	vmm_start(v, steps, 3);
	/*
	 * A thread is not known before its first entry, and signals may keep it
	 * from that for as long as they like: they begin when it has been there.
	 */
	while (!v->rounds)
		usleep(1000);
	ASSERT_EQ(0, pthread_create(&thread, NULL, signals, v));
	sleep(2);
	v->stop = true;
	pthread_join(thread, NULL);
	vmm_stop(v);
	EXPECT_TRUE(stats_exits_agree(s, own)) {
		TH_LOG("KVM counted %lu, kvmx %lu", stats_get(own, "exits"),
		       stats_exits(s));
	}
	EXPECT_EQ(vmm_provoked(v, vmm_reason(VMM_CPUID)),
		  stats_exit(s, vmm_reason(VMM_CPUID), "count"));
	EXPECT_EQ(0, stats_get(s, "exits_without_entry"));
	EXPECT_EQ(v->runs, stats_get(s, "user_exits"));
	exact_time(s);
	stats_close(s);
	stats_close(own);
}

HOST_HARNESS_MAIN
