// SPDX-License-Identifier: GPL-2.0-only
/*
 * Placements that must not be: every error number, and that nothing is changed
 * then.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "die.h"
#include "host.h"
#include "kvmx.h"
#include "mortal.h"
#include "place.h"
#include "vmm.h"

FIXTURE(refused) {
	struct vmm *vm;
	struct masks before;
	struct placing *p;
	int fd;
	uint64_t all;
};

FIXTURE_SETUP(refused)
{
	static const struct vmm_step step = { .kind = VMM_OUT_USER, .n = 1 };
	unsigned int i;

	self->all = cpus_of(0);
	if (__builtin_popcountll(self->all) < 4)
		SKIP(return, "needs four CPUs");
	self->vm = vmm_create(VMM_IRQCHIP);
	for (i = 0; i < 2; i++) {
		vmm_add_vcpu(self->vm)->user_us = 5000;
		vmm_start(&self->vm->vcpu[i], &step, 1);
	}
	for (i = 0; i < 2; i++)
		while (!self->vm->vcpu[i].rounds)
			usleep(1000);
	masks_take(&self->before, getpid());
	self->fd = place_vm(self->vm->fd);
	self->p = place_new(KVMX_POLICY_SPREAD);
}

FIXTURE_TEARDOWN(refused)
{
	unsigned int i;

	for (i = 0; i < 2; i++)
		vmm_stop(&self->vm->vcpu[i]);
	close(self->fd);
	vmm_destroy(self->vm);
	free(self->p);
}

static bool unchanged(const struct masks *before)
{
	static struct masks now;

	masks_take(&now, getpid());
	return masks_same(before, &now);
}

/* A node that is open for reading only: nothing can be changed through it. */
TEST_F_TIMEOUT(refused, a_node_open_for_reading_places_nothing, 60)
{
	int node = kvmx_node(), vm = kvmx_vm_by_fd(node, self->vm->fd);

	EXPECT_EQ(EPERM, place_do(vm, self->p));
	self->p->req.flags = KVMX_PLACE_DRY_RUN;
	EXPECT_EQ(EPERM, place_do(vm, self->p));
	EXPECT_EQ(EPERM, place_commit(vm));
	EXPECT_EQ(EPERM, place_clear(vm));
	/* But it may look. */
	EXPECT_EQ(0, place_show(vm, self->p));
	EXPECT_TRUE(unchanged(&self->before));
	close(vm);
	close(node);
}

static void drop_nice(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data))
		die_errno("capget");
	data[0].effective &= ~(1U << CAP_SYS_NICE);
	if (syscall(SYS_capset, &head, data))
		die_errno("capset");
}

TEST_F_TIMEOUT(refused, without_cap_sys_nice_nothing_is_placed, 60)
{
	drop_nice();
	EXPECT_EQ(EPERM, place_do(self->fd, self->p));
	EXPECT_EQ(EPERM, place_commit(self->fd));
	EXPECT_EQ(EPERM, place_clear(self->fd));
	EXPECT_EQ(0, place_show(self->fd, self->p));
	EXPECT_TRUE(unchanged(&self->before));
}

/* Each wrong in one thing. */
TEST_F_TIMEOUT(refused, nonsense_is_einval, 60)
{
	struct kvmx_place *r = &self->p->req, good = *r;
	unsigned int policies[] = { KVMX_POLICY_NONE, KVMX_NR_POLICIES, ~0U };
	unsigned int sizes[] = { 0, 1, 7, 9, 1025, 1032, 1U << 31 };
	unsigned int i;

	for (i = 0; i < 3; i++) {
		r->policy = policies[i];
		EXPECT_EQ(EINVAL, place_do(self->fd, self->p));
	}
	*r = good;
	r->smt = KVMX_SMT_ISOLATE + 1;
	EXPECT_EQ(EINVAL, place_do(self->fd, self->p));
	*r = good;
	place_cpus(self->p, self->all);
	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		r->mask_size = sizes[i];
		EXPECT_EQ(EINVAL, place_do(self->fd, self->p)) {
			TH_LOG("mask_size %u", sizes[i]);
		}
	}
	*r = good;
	r->interval_ms = 3600001;
	EXPECT_EQ(EINVAL, place_do(self->fd, self->p));
	*r = good;
	r->nr_nodes = 1025;
	EXPECT_EQ(EINVAL, place_do(self->fd, self->p));
	*r = good;
	r->nr_map = 65537;
	r->policy = KVMX_POLICY_PIN;
	EXPECT_EQ(EINVAL, place_do(self->fd, self->p));
	/* A map, but not policy pin. */
	*r = good;
	place_pin(self->p, 0, 2);
	EXPECT_EQ(EINVAL, place_do(self->fd, self->p));
	/* A vCPU in two places. */
	r->policy = KVMX_POLICY_PIN;
	place_pin(self->p, 1, 3);
	place_pin(self->p, 0, 3);
	EXPECT_EQ(EINVAL, place_do(self->fd, self->p));
	EXPECT_TRUE(unchanged(&self->before));
	/* All that was wrong is what was meant to be. */
	*r = good;
	EXPECT_EQ(0, place_do(self->fd, self->p));
}

TEST_F_TIMEOUT(refused, entries_of_plans_have_a_least_size, 60)
{
	struct placing *p = self->p;
	struct kvmx_placed_thread t[2];
	struct kvmx_place_note n[2];

	p->req.flags = KVMX_PLACE_DRY_RUN;
	p->req.plan = (struct kvmx_plan){
		.nr_threads = 2, .threads = (uintptr_t)t,
		.thread_size = sizeof(t[0]) - 1,
	};
	EXPECT_EQ(-1, ioctl(self->fd, KVMX_VM_PLACE, &p->req));
	EXPECT_EQ(EINVAL, errno);
	p->req.plan = (struct kvmx_plan){
		.nr_notes = 2, .notes = (uintptr_t)n,
		.note_size = sizeof(n[0]) - 1,
	};
	EXPECT_EQ(-1, ioctl(self->fd, KVMX_VM_PLACE, &p->req));
	EXPECT_EQ(EINVAL, errno);
	/* Without room the numbers come back. */
	p->req.plan = (struct kvmx_plan){ .nr_threads = 0 };
	EXPECT_EQ(0, ioctl(self->fd, KVMX_VM_PLACE, &p->req));
	EXPECT_EQ(self->before.nr, p->req.plan.nr_threads);
	/* With room for one, one comes. */
	memset(t, 0x55, sizeof(t));
	p->req.plan = (struct kvmx_plan){
		.nr_threads = 1, .threads = (uintptr_t)t,
		.thread_size = sizeof(t[0]),
	};
	EXPECT_EQ(0, ioctl(self->fd, KVMX_VM_PLACE, &p->req));
	EXPECT_EQ(self->before.nr, p->req.plan.nr_threads);
	EXPECT_EQ(self->vm->vcpu[0].tid, t[0].tid);
	EXPECT_EQ(0x55555555, t[1].tid);
}

TEST_F_TIMEOUT(refused, where_nobody_can_be_told_nothing_is_placed, 60)
{
	void *hole = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	struct kvmx_plan bad[] = {
		{ .nr_threads = 9, .threads = (uintptr_t)hole,
		  .thread_size = sizeof(struct kvmx_placed_thread) },
		{ .nr_threads = 9, .masks = (uintptr_t)hole },
	};
	struct placing *p = self->p;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		p->req.plan = bad[i];
		EXPECT_EQ(-1, ioctl(self->fd, KVMX_VM_PLACE, &p->req));
		EXPECT_EQ(EFAULT, errno);
		EXPECT_TRUE(unchanged(&self->before));
		EXPECT_EQ(ENOENT, place_commit(self->fd));
	}
	p->req.plan = (struct kvmx_plan){ .nr_threads = 0 };
	p->req.cpus = (uintptr_t)hole;
	EXPECT_EQ(EFAULT, place_do(self->fd, p));
	p->req.cpus = 0;
	p->req.policy = KVMX_POLICY_PIN;
	p->req.nr_map = 2;
	p->req.map = (uintptr_t)hole;
	EXPECT_EQ(EFAULT, place_do(self->fd, p));
	EXPECT_TRUE(unchanged(&self->before));
}

TEST_F_TIMEOUT(refused, without_a_placement_there_is_nothing_to_commit, 60)
{
	EXPECT_EQ(ENOENT, place_commit(self->fd));
	EXPECT_EQ(ENOENT, place_clear(self->fd));
}

/* A plan that cannot be: told with reasons, and nothing is done. */
TEST_F_TIMEOUT(refused, a_plan_that_cannot_be_is_erange_with_its_reasons, 60)
{
	struct placing *p = place_new(KVMX_POLICY_PIN);

	place_pin(p, 0, 2);
	place_pin(p, 1, 500);
	EXPECT_EQ(ERANGE, place_do(self->fd, p));
	EXPECT_TRUE(place_note(p, KVMX_NOTE_OUTSIDE_CPUSET));
	EXPECT_LT(0, strlen(p->notes[0].text));
	EXPECT_TRUE(unchanged(&self->before));

	p->req.nr_map = 1;
	EXPECT_EQ(ERANGE, place_do(self->fd, p));
	EXPECT_TRUE(place_note(p, KVMX_NOTE_UNMAPPED));
	EXPECT_TRUE(unchanged(&self->before));
	EXPECT_EQ(ENOENT, place_commit(self->fd));
	free(p);
}

TEST_F_TIMEOUT(refused, of_two_who_place_one_wins_and_the_other_is_told, 60)
{
	int other = place_vm(self->vm->fd);
	struct placing *p = place_new(KVMX_POLICY_PACK);

	ASSERT_EQ(0, place_do(self->fd, self->p));
	EXPECT_EQ(EBUSY, place_do(other, p));
	p->req.flags = KVMX_PLACE_REPLACE;
	EXPECT_EQ(EBUSY, place_do(other, p));
	EXPECT_EQ(EBUSY, place_commit(other));
	EXPECT_EQ(EBUSY, place_clear(other));
	/* To look and to think is allowed. */
	p->req.flags = KVMX_PLACE_DRY_RUN;
	EXPECT_EQ(0, place_do(other, p));
	ASSERT_EQ(0, place_show(other, p));
	EXPECT_EQ(KVMX_POLICY_SPREAD, p->placed.policy);
	EXPECT_EQ(0, p->placed.state);

	/* Once it is committed it is anybody's, but not by mistake. */
	ASSERT_EQ(0, place_commit(self->fd));
	p->req.flags = 0;
	EXPECT_EQ(EBUSY, place_do(other, p));
	EXPECT_EQ(EBUSY, place_do(self->fd, self->p));
	p->req.flags = KVMX_PLACE_REPLACE;
	EXPECT_EQ(0, place_do(other, p));
	EXPECT_EQ(EBUSY, place_clear(self->fd));
	ASSERT_EQ(0, place_show(self->fd, p));
	EXPECT_EQ(KVMX_POLICY_PACK, p->placed.policy);

	/* Given up, it goes back to what was committed, not to nothing. */
	close(other);
	ASSERT_EQ(0, place_show(self->fd, p));
	EXPECT_EQ(KVMX_POLICY_SPREAD, p->placed.policy);
	EXPECT_EQ(KVMX_PLACED_COMMITTED, p->placed.state);
	EXPECT_EQ(0, place_clear(self->fd));
	EXPECT_TRUE(unchanged(&self->before));
	free(p);
}

TEST_F_TIMEOUT(refused, a_process_with_two_vms_is_enotuniq, 60)
{
	struct vmm *two = vmm_create(VMM_IRQCHIP);
	int fd;

	vmm_add_vcpu(two);
	fd = place_vm(two->fd);
	EXPECT_EQ(ENOTUNIQ, place_do(fd, self->p));
	EXPECT_EQ(ENOTUNIQ, place_do(self->fd, self->p));
	EXPECT_TRUE(unchanged(&self->before));
	close(fd);
	vmm_destroy(two);
}

TEST_F_TIMEOUT(refused, a_vm_that_is_gone_is_esrch, 60)
{
	pid_t pid = mortal_start(MORTAL_RUNS, 1);
	int node = place_node();
	int vm = kvmx_open(node, KVMX_BY_PID, pid, 0);
	struct kvmx_vm_info info = { .state = 0 };
	int i;

	ASSERT_LE(0, vm);
	ASSERT_EQ(0, place_do(vm, self->p));
	mortal_kill(pid);
	for (i = 0; i < 1000 && !(info.state & KVMX_VM_GONE); i++) {
		usleep(10000);
		kvmx_vm_info(vm, &info);
	}
	EXPECT_EQ(ESRCH, place_do(vm, self->p));
	EXPECT_EQ(ESRCH, place_commit(vm));
	EXPECT_EQ(ESRCH, place_clear(vm));
	close(vm);
	close(node);
}

TEST_F_TIMEOUT(refused, an_fd_without_names_tells_none, 60)
{
	int node = place_node();
	int vm = kvmx_open(node, KVMX_BY_FD, self->vm->fd,
			   KVMX_OPEN_NO_NAMES);
	unsigned int i;

	ASSERT_LE(0, vm);
	ASSERT_EQ(0, place_do(vm, self->p));
	EXPECT_EQ(self->before.nr, place_nr(self->p));
	for (i = 0; i < place_nr(self->p); i++) {
		EXPECT_EQ(0, self->p->threads[i].tid);
		EXPECT_EQ(0, self->p->threads[i].name[0]);
	}
	close(vm);
	close(node);
	EXPECT_TRUE(unchanged(&self->before));
}

HOST_HARNESS_MAIN
