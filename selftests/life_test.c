// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMs come and go, in every order, and whoever watches them sees just that.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "kselftest_harness.h"

#include "host.h"
#include "kvmx.h"
#include "vmm.h"

FIXTURE(life) {
	int node;
};

FIXTURE_SETUP(life)
{
	self->node = kvmx_node();
}

FIXTURE_TEARDOWN(life)
{
	host_stats_param("ondemand");
	close(self->node);
}

static uint64_t id_of(int fd)
{
	struct kvmx_vm_info info;

	return kvmx_vm_info(fd, &info) ? 0 : info.id;
}

/* KVM may let go of a VM a moment after its last fd is closed. */
static bool goes(int fd)
{
	struct pollfd p = { .fd = fd };

	return poll(&p, 1, 5000) == 1 && p.revents == POLLHUP;
}

TEST_F_TIMEOUT(life, statistics_outlive_their_vm, 60)
{
	struct vmm *vm = vmm_create(VMM_IRQCHIP);
	struct vmm_vcpu *v = vmm_add_vcpu(vm);
	int fd = kvmx_vm_by_fd(self->node, vm->fd);
	const char *r = vmm_reason(VMM_CPUID);
	struct stats *whole = kvmx_stats(fd, KVMX_STATS_WHOLE_VM);
	struct stats *s = kvmx_stats(fd, 0), *own = kvm_stats(v->fd);
	uint64_t id = id_of(fd), exits, sum;
	struct kvmx_vm_info info;

	vmm_do(v, VMM_CPUID, 123);
	vmm_do(v, VMM_HLT, 7);
	stats_read(own);
	exits = stats_get(own, "exits");
	stats_read(s);
	EXPECT_EQ(0, stats_get(s, "gone"));
	stats_map(s);
	stats_close(own);
	vmm_destroy(vm);
	ASSERT_TRUE(goes(s->fd));
	ASSERT_TRUE(goes(whole->fd));
	stats_read(s);
	stats_read(whole);
	EXPECT_EQ(1, stats_get(s, "gone"));
	EXPECT_EQ(1, stats_get(whole, "gone"));
	EXPECT_EQ(KVMX_STATE_GONE, stats_get(s, "state"));
	EXPECT_EQ(123, stats_exit(s, r, "count"));
	EXPECT_EQ(123, stats_exit(whole, r, "count"));
	EXPECT_EQ(exits, stats_exits(s));
	EXPECT_EQ(exits, stats_exits(whole));
	/* It is over: no exit is open, no time passes. */
	EXPECT_EQ(stats_get(s, "accounted") - stats_get(s, "counting_since"),
		  stats_time(s));
	sum = stats_time(s);
	usleep(50000);
	stats_read_map(s);
	EXPECT_EQ(sum, stats_time(s));
	EXPECT_EQ(123, stats_exit(s, r, "count"));

	ASSERT_EQ(0, kvmx_vm_info(fd, &info));
	EXPECT_EQ(id, info.id);
	EXPECT_NE(0, info.state & KVMX_VM_GONE);
	/* As it died, until the last fd is closed. */
	EXPECT_NE(0, info.state & KVMX_VM_COUNTING);
	EXPECT_EQ(2, info.nr_stats_fds);
	EXPECT_FALSE(kvmx_listed(self->node, id));
	EXPECT_EQ(-1, kvmx_open(self->node, KVMX_BY_ID, id, 0));
	EXPECT_EQ(ENOENT, errno);
	stats_close(s);
	stats_close(whole);
	ASSERT_EQ(0, kvmx_vm_info(fd, &info));
	EXPECT_EQ(0, info.state & KVMX_VM_COUNTING);
	EXPECT_EQ(0, info.nr_stats_fds);
	/* Opened afterwards it still tells. */
	s = kvmx_stats(fd, 0);
	EXPECT_EQ(123, stats_exit(s, r, "count"));
	EXPECT_EQ(1, stats_get(s, "gone"));
	stats_close(s);
	close(fd);
}

TEST_F_TIMEOUT(life, of_a_vm_that_nobody_counted_nothing_is_left, 60)
{
	struct vmm *vm = vmm_create(0);
	struct vmm_vcpu *v = vmm_add_vcpu(vm);
	int fd = kvmx_vm_by_fd(self->node, vm->fd);
	struct kvmx_vm_info info;
	int i;

	vmm_do(v, VMM_CPUID, 10);
	vmm_destroy(vm);
	for (i = 0; i < 500; i++) {
		ASSERT_EQ(0, kvmx_vm_info(fd, &info));
		if (info.state & KVMX_VM_GONE)
			break;
		usleep(10000);
	}
	EXPECT_NE(0, info.state & KVMX_VM_GONE);
	EXPECT_EQ(-1, kvmx_vm_stats(fd, 0));
	EXPECT_EQ(ENODATA, errno);
	/* Zeros would say that it had no exits. */
	EXPECT_EQ(-1, kvmx_vm_stats(fd, KVMX_STATS_WHOLE_VM));
	EXPECT_EQ(ENODATA, errno);
	close(fd);
}

/* A VMM in a process of its own; tells by the pipe when it runs. */
static pid_t vmm_process(int *ready)
{
	struct vmm_step step = { .kind = VMM_CPUID, .n = 100 };
	struct vmm *vm;
	int pipes[2];
	pid_t pid;
	char c = 1;

	if (pipe(pipes))
		abort();
	fflush(NULL);
	pid = fork();
	if (pid) {
		close(pipes[1]);
		*ready = pipes[0];
		if (read(pipes[0], &c, 1) != 1)
			abort();
		return pid;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	vm = vmm_create(VMM_IRQCHIP);
	vmm_start(vmm_add_vcpu(vm), &step, 1);
	vmm_start(vmm_add_vcpu(vm), &step, 1);
	while (!vm->vcpu[0].rounds || !vm->vcpu[1].rounds)
		usleep(1000);
	if (write(pipes[1], &c, 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

TEST_F_TIMEOUT(life, a_vmm_that_is_killed_takes_its_vm_with_it, 60)
{
	struct stats *s, *whole;
	uint64_t id, before;
	int fd, pipe;
	pid_t pid;

	pid = vmm_process(&pipe);
	fd = kvmx_open(self->node, KVMX_BY_PID, pid, 0);
	ASSERT_LE(0, fd);
	id = id_of(fd);
	whole = kvmx_stats(fd, KVMX_STATS_WHOLE_VM);
	s = kvmx_stats(fd, 1);
	usleep(100000);
	stats_read(s);
	before = stats_exits(s);
	EXPECT_LT(0, before);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	EXPECT_TRUE(goes(whole->fd));
	stats_read(s);
	EXPECT_LE(before, stats_exits(s));
	EXPECT_EQ(KVMX_STATE_GONE, stats_get(s, "state"));
	EXPECT_EQ(stats_get(s, "accounted") - stats_get(s, "counting_since"),
		  stats_time(s));
	EXPECT_FALSE(kvmx_listed(self->node, id));
	EXPECT_EQ(-1, kvmx_open(self->node, KVMX_BY_PID, pid, 0));
	EXPECT_EQ(ESRCH, errno);
	stats_close(s);
	stats_close(whole);
	close(fd);
	close(pipe);
}

/* All orders of closing a VM and its two vCPUs, counted or not. */
static const unsigned int orders[6][3] = {
	{ 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 },
};

TEST_F_TIMEOUT(life, fds_may_be_closed_in_every_order, 90)
{
	size_t size = sysconf(_SC_PAGESIZE) * 3;
	unsigned int i, k;

	for (i = 0; i < 12; i++) {
		const unsigned int *order = orders[i / 2];
		struct vmm *vm = vmm_create(0);
		int fd = kvmx_vm_by_fd(self->node, vm->fd), *fds[3];
		struct stats *s = NULL;
		struct kvmx_vm_info info;
		uint64_t id = id_of(fd);

		fds[0] = &vm->fd;
		for (k = 0; k < 2; k++)
			fds[1 + k] = &vmm_add_vcpu(vm)->fd;
		if (i & 1)
			s = kvmx_stats(fd, KVMX_STATS_WHOLE_VM);
		for (k = 0; k < 2; k++) {
			vmm_do(&vm->vcpu[k], VMM_CPUID, 5);
			munmap(vm->vcpu[k].run, size);
			vm->vcpu[k].run = NULL;
		}
		for (k = 0; k < 3; k++) {
			EXPECT_TRUE(kvmx_listed(self->node, id));
			close(*fds[order[k]]);
			*fds[order[k]] = -1;
		}
		for (k = 0; k < 500; k++) {
			ASSERT_EQ(0, kvmx_vm_info(fd, &info));
			if (info.state & KVMX_VM_GONE)
				break;
			usleep(10000);
		}
		EXPECT_NE(0, info.state & KVMX_VM_GONE) {
			TH_LOG("order %u %u %u", order[0], order[1], order[2]);
		}
		EXPECT_FALSE(kvmx_listed(self->node, id));
		if (s) {
			stats_read(s);
			EXPECT_EQ(10, stats_exit(s, vmm_reason(VMM_CPUID),
						 "count"));
			stats_close(s);
		}
		close(fd);
		vmm_destroy(vm);
	}
}

struct lister {
	int node;
	volatile bool stop;
	unsigned long lists, seen;
	const char *wrong;
};

static void *lister(void *arg)
{
	struct kvmx_vm_info vms[64];
	struct lister *l = arg;
	int i, n;

	while (!l->stop) {
		n = kvmx_list(l->node, vms, 64);
		if (n < 0) {
			l->wrong = "KVMX_LIST failed";
			break;
		}
		for (i = 0; i < n && i < 64; i++) {
			if (i && vms[i].id <= vms[i - 1].id)
				l->wrong = "ids are not ascending";
			l->seen++;
		}
		l->lists++;
		usleep(5000);
	}
	return NULL;
}

/* @n lives, one after the other; each is opened, or one in eight is. */
static void lives(struct __test_metadata *_metadata, int node, unsigned int n,
		  bool look_at_it)
{
	struct lister l = { .node = node };
	unsigned int i;
	uint64_t last = 0, id;
	pthread_t thread;

	if (pthread_create(&thread, NULL, lister, &l))
		abort();
	for (i = 0; i < n; i++) {
		struct vmm *vm = vmm_create(0);
		struct vmm_vcpu *v = vmm_add_vcpu(vm);
		struct stats *s = NULL;
		int fd;

		if (i % 8 && !look_at_it) {
			vmm_destroy(vm);
			continue;
		}
		fd = kvmx_vm_by_fd(node, vm->fd);
		id = id_of(fd);
		EXPECT_LT(last, id);
		last = id;
		if (look_at_it)
			s = kvmx_stats(fd, 0);
		vmm_do(v, VMM_CPUID, 3);
		if (s) {
			stats_read(s);
			EXPECT_EQ(3, stats_exit(s, vmm_reason(VMM_CPUID),
						"count"));
		}
		vmm_destroy(vm);
		stats_close(s);
		close(fd);
	}
	l.stop = true;
	pthread_join(thread, NULL);
	EXPECT_EQ(NULL, l.wrong) {
		TH_LOG("%s", l.wrong);
	}
	EXPECT_LT(0, l.lists);
	TH_LOG("%u lives, listed %lu times, %lu VMs seen", n, l.lists, l.seen);
}

/* Everything that was held for VMs that are gone is given back. */
#define check_memory(before) do {					\
	struct kvmx_info _now;						\
	int _i;								\
									\
	for (_i = 0; _i < 300; _i++) {					\
		ASSERT_EQ(0, kvmx_info(self->node, &_now));		\
		if (_now.memory <= (before).memory)			\
			break;						\
		usleep(10000);						\
	}								\
	EXPECT_GE((before).nr_vms, _now.nr_vms);			\
	EXPECT_GE((before).memory, _now.memory);			\
	EXPECT_EQ((before).uncounted, _now.uncounted);			\
} while (0)

TEST_F_TIMEOUT(life, a_thousand_vms_live_and_die_while_all_are_listed, 180)
{
	struct kvmx_info before;

	ASSERT_EQ(0, kvmx_info(self->node, &before));
	lives(_metadata, self->node, scaled(1000), false);
	check_memory(before);
}

TEST_F_TIMEOUT(life, they_do_so_while_all_are_counted, 180)
{
	struct kvmx_info before;

	ASSERT_EQ(0, kvmx_info(self->node, &before));
	ASSERT_TRUE(host_stats_param("always"));
	lives(_metadata, self->node, scaled(400), false);
	ASSERT_TRUE(host_stats_param("ondemand"));
	check_memory(before);
}

TEST_F_TIMEOUT(life, they_do_so_while_each_is_opened, 180)
{
	struct kvmx_info before;

	ASSERT_EQ(0, kvmx_info(self->node, &before));
	lives(_metadata, self->node, scaled(40), true);
	check_memory(before);
}

HOST_HARNESS_MAIN
