// SPDX-License-Identifier: GPL-2.0-only
/* Policies for hints: who may make them, what makes sense, how long they last. */
#include <errno.h>
#include <signal.h>
#include <linux/capability.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "kselftest_harness.h"

#include "hint.h"
#include "host.h"
#include "kvmx.h"
#include "vmm.h"

#define BIT(n)		(1U << (n))
#define ROOT		"/sys/fs/cgroup"
#define GROUP		ROOT "/kvmx_hint_test"

FIXTURE(policy) {
	int node, fd;
	struct vmm *vm;
	struct vmm_vcpu *v;
};

FIXTURE_SETUP(policy)
{
	self->v = hint_guest(0, &self->node, &self->fd);
	self->vm = self->v->vm;
}

FIXTURE_TEARDOWN(policy)
{
	hint_guest_end(self->v, self->node, self->fd);
}

TEST_F_TIMEOUT(policy, a_policy_goes_with_its_fd_unless_committed, 60)
{
	struct kvmx_hint h = hint_effect(HINT_ALL_KINDS, KVMX_EFFECT_NONE, 0);
	struct kvmx_hint one = hint_effect(BIT(KVMX_KIND_BATCH),
					   KVMX_EFFECT_NONE, 0);
	int other = kvmx_vm_by_fd(self->node, self->vm->fd);

	ASSERT_EQ(0, hint_set(other, &h));
	EXPECT_EQ(EBUSY, hint_set(self->fd, &h));
	EXPECT_EQ(0, hint_get(self->fd).flags);
	EXPECT_EQ(HINT_ALL_KINDS, hint_query(self->v, KVMX_QUERY_KINDS));
	close(other);
	EXPECT_EQ(-KVM_ENOSYS, hint_query(self->v, KVMX_QUERY_KINDS));
	EXPECT_EQ(KVMX_EFFECT_OFF,
		  hint_get(self->fd).kinds[KVMX_KIND_BATCH].effect);

	one.flags = KVMX_HINT_COMMIT;
	other = kvmx_vm_by_fd(self->node, self->vm->fd);
	ASSERT_EQ(0, hint_set(other, &one));
	close(other);
	EXPECT_EQ(BIT(KVMX_KIND_BATCH), hint_query(self->v, KVMX_QUERY_KINDS));
	EXPECT_EQ(KVMX_HINT_COMMIT, hint_get(self->fd).flags);
	/* Another one for a while: then the first is back. */
	other = kvmx_vm_by_fd(self->node, self->vm->fd);
	ASSERT_EQ(0, hint_set(other, &h));
	EXPECT_EQ(HINT_ALL_KINDS, hint_query(self->v, KVMX_QUERY_KINDS));
	close(other);
	EXPECT_EQ(BIT(KVMX_KIND_BATCH), hint_query(self->v, KVMX_QUERY_KINDS));
	/* Anybody who may can end it. */
	hint_off(self->fd);
	EXPECT_EQ(-KVM_ENOSYS, hint_query(self->v, KVMX_QUERY_KINDS));
}

TEST_F_TIMEOUT(policy, what_is_in_force_is_told_with_its_defaults, 60)
{
	struct kvmx_hint h = hint_effect(HINT_ALL_KINDS, KVMX_EFFECT_NONE, 0);

	ASSERT_EQ(0, hint_set(self->fd, &h));
	h = hint_get(self->fd);
	EXPECT_EQ(500, h.budget_us);
	EXPECT_EQ(10000, h.period_us);
	EXPECT_EQ(10000, h.calls_per_s);
	EXPECT_EQ(100, h.kinds[KVMX_KIND_CRITICAL].grant_us);
	EXPECT_EQ(500, h.kinds[KVMX_KIND_LATENCY].grant_us);
	/* What is told may be said again. */
	h.flags = 0;
	EXPECT_EQ(0, hint_set(self->fd, &h));
}

TEST_F_TIMEOUT(policy, a_policy_that_makes_no_sense_is_einval, 60)
{
	struct kvmx_hint good = hint_effect(HINT_ALL_KINDS, KVMX_EFFECT_NONE, 0), h;

#define BAD(...) do {							\
		h = good;						\
		__VA_ARGS__;						\
		EXPECT_EQ(EINVAL, hint_set(self->fd, &h)) {		\
			TH_LOG(#__VA_ARGS__);				\
		}							\
	} while (0)

	BAD(h.kinds[KVMX_KIND_NONE].effect = KVMX_EFFECT_NONE);
	BAD(h.kinds[KVMX_KIND_NONE].grant_us = 1);
	BAD(h.kinds[KVMX_KIND_LATENCY].effect = KVMX_NR_EFFECTS);
	BAD(h.kinds[KVMX_KIND_LATENCY].effect = 0xffffffff);
	BAD(h.kinds[KVMX_KIND_LATENCY].effect = KVMX_EFFECT_YIELD);
	BAD(h.kinds[KVMX_KIND_LATENCY].arg = 1);
	BAD(h.kinds[KVMX_KIND_LATENCY].reserved = 1);
	BAD(h.kinds[KVMX_KIND_BATCH].effect = KVMX_EFFECT_FIFO);
	BAD(h.kinds[KVMX_KIND_YIELD_TO].effect = KVMX_EFFECT_FIFO);
	BAD(h.kinds[KVMX_KIND_YIELD_TO].grant_us = 100);
	BAD(h.kinds[KVMX_KIND_CRITICAL].effect = KVMX_EFFECT_NICE;
	    h.kinds[KVMX_KIND_CRITICAL].arg = -21);
	BAD(h.kinds[KVMX_KIND_CRITICAL].effect = KVMX_EFFECT_NICE;
	    h.kinds[KVMX_KIND_CRITICAL].arg = 20);
	BAD(h.kinds[KVMX_KIND_CRITICAL].effect = KVMX_EFFECT_OFF;
	    h.kinds[KVMX_KIND_CRITICAL].grant_us = 100);
	BAD(h.period_us = 999);
	BAD(h.period_us = 10000001);
	BAD(h.budget_us = 9501);	/* of 10000: nothing is left */
	BAD(h.calls_per_s = 1000001);
	BAD(h.flags = 2);
	EXPECT_EQ(0, hint_set(self->fd, &good));
}

static int nice_capability(bool on)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data))
		return errno;
	if (on)
		data[0].effective |= BIT(CAP_SYS_NICE);
	else
		data[0].effective &= ~BIT(CAP_SYS_NICE);
	return syscall(SYS_capset, &head, data) ? errno : 0;
}

TEST_F_TIMEOUT(policy, who_may_not_gets_eperm, 60)
{
	struct kvmx_hint h = hint_effect(HINT_ALL_KINDS, KVMX_EFFECT_NONE, 0);
	int node = kvmx_node(), fd = kvmx_vm_by_fd(node, self->vm->fd);

	/* A node that was open for reading is good for looking on. */
	EXPECT_EQ(EPERM, hint_set(fd, &h));
	EXPECT_EQ(0, hint_get(fd).budget_us);
	EXPECT_EQ(0, hint_counts(fd, 0, 1).given);
	close(fd);
	close(node);
	ASSERT_EQ(0, nice_capability(false));
	EXPECT_EQ(EPERM, hint_set(self->fd, &h));
	ASSERT_EQ(0, nice_capability(true));
	EXPECT_EQ(0, hint_set(self->fd, &h));
}

TEST_F_TIMEOUT(policy, a_vm_that_is_gone_is_enodev, 60)
{
	struct kvmx_hint h = hint_effect(HINT_ALL_KINDS, KVMX_EFFECT_NONE, 0);
	struct vmm *vm = vmm_create(0);
	struct kvmx_vm_info info;
	int fd, i;

	vmm_add_vcpu(vm);
	fd = kvmx_vm_by_fd(self->node, vm->fd);
	h.flags = KVMX_HINT_COMMIT;
	ASSERT_EQ(0, hint_set(fd, &h));
	vmm_destroy(vm);
	for (i = 0; i < 5000; i++) {
		ASSERT_EQ(0, kvmx_vm_info(fd, &info));
		/* Its policy goes with it, a moment later. */
		if (info.state & KVMX_VM_GONE && !hint_get(fd).flags)
			break;
		usleep(1000);
	}
	EXPECT_EQ(0, hint_get(fd).flags);
	EXPECT_EQ(ENODEV, hint_set(fd, &h));
	close(fd);
}

/* Nor does what somebody else had committed come back when his fd is closed. */
TEST_F_TIMEOUT(policy, a_vm_that_is_gone_gets_none_back, 60)
{
	struct kvmx_hint h = hint_effect(HINT_ALL_KINDS, KVMX_EFFECT_NONE, 0);
	struct vmm *vm = vmm_create(0);
	struct kvmx_vm_info info;
	int fd, other, i;

	vmm_add_vcpu(vm);
	fd = kvmx_vm_by_fd(self->node, vm->fd);
	other = kvmx_vm_by_fd(self->node, vm->fd);
	h.flags = KVMX_HINT_COMMIT;
	ASSERT_EQ(0, hint_set(fd, &h));
	h.flags = 0;
	ASSERT_EQ(0, hint_set(other, &h));
	ASSERT_NE(0, hint_kthread());
	vmm_destroy(vm);
	for (i = 0; i < 5000 * patience() && hint_kthread(); i++)
		usleep(1000);
	ASSERT_EQ(0, kvmx_vm_info(fd, &info));
	EXPECT_NE(0, info.state & KVMX_VM_GONE);
	EXPECT_EQ(0, hint_kthread());
	close(other);
	EXPECT_EQ(0, hint_kthread());
	close(fd);
}

TEST_F_TIMEOUT(policy, counts_of_what_is_not_there_are_refused, 60)
{
	struct kvmx_hint_counts c = { .size = sizeof(c), .vcpu = 1 };

	EXPECT_EQ(-1, ioctl(self->fd, KVMX_VM_HINT_COUNTS, &c));
	EXPECT_EQ(ENOENT, errno);
	c.vcpu = 0;
	c.kind = KVMX_NR_KINDS;
	EXPECT_EQ(-1, ioctl(self->fd, KVMX_VM_HINT_COUNTS, &c));
	EXPECT_EQ(EINVAL, errno);
	c.kind = 0xffffffff;
	EXPECT_EQ(-1, ioctl(self->fd, KVMX_VM_HINT_COUNTS, &c));
	EXPECT_EQ(EINVAL, errno);
}

static pid_t somebody(void)
{
	pid_t pid = fork();

	if (!pid)
		for (;;)
			pause();
	return pid;
}

TEST_F_TIMEOUT(policy, nice_is_refused_where_it_would_do_nothing, 60)
{
	struct kvmx_hint nice = hint_effect(BIT(KVMX_KIND_CRITICAL),
					    KVMX_EFFECT_NICE, -5);
	struct kvmx_hint fifo = hint_effect(BIT(KVMX_KIND_CRITICAL),
					    KVMX_EFFECT_FIFO, 0);
	bool was = host_says(ROOT "/cgroup.subtree_control", "cpu");
	bool enabled = was || host_put(ROOT "/cgroup.subtree_control", "+cpu");
	pid_t other;
	int i;

	/* Among others, in the group where the test began. */
	EXPECT_EQ(0, hint_set(self->fd, &nice));
	hint_off(self->fd);
	if (!enabled || mkdir(GROUP, 0755) ||
	    !host_put(GROUP "/cgroup.procs", "0")) {
		rmdir(GROUP);
		if (enabled && !was)
			host_put(ROOT "/cgroup.subtree_control", "-cpu");
		SKIP(return, "no cgroup v2 with the cpu controller at " ROOT);
	}
	EXPECT_EQ(EXDEV, hint_set(self->fd, &nice));
	EXPECT_EQ(-KVM_ENOSYS, hint_query(self->v, KVMX_QUERY_KINDS));
	EXPECT_EQ(0, hint_set(self->fd, &fifo));
	/* What is in force stays. */
	EXPECT_EQ(EXDEV, hint_set(self->fd, &nice));
	EXPECT_EQ(KVMX_EFFECT_FIFO,
		  hint_get(self->fd).kinds[KVMX_KIND_CRITICAL].effect);
	other = somebody();
	EXPECT_EQ(0, hint_set(self->fd, &nice));
	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
	EXPECT_EQ(EXDEV, hint_set(self->fd, &nice));
	hint_off(self->fd);
	EXPECT_TRUE(host_put(ROOT "/cgroup.procs", "0"));
	/* It is empty a moment later. */
	for (i = 0; i < 500 && rmdir(GROUP); i++)
		usleep(10000);
	EXPECT_LT(i, 500);
	EXPECT_TRUE(was || host_put(ROOT "/cgroup.subtree_control", "-cpu"));
}

HOST_HARNESS_MAIN
