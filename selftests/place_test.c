// SPDX-License-Identifier: GPL-2.0-only
/*
 * Placements: what becomes of the CPUs of a VM's threads, by the kernel's own
 * word, from the plan to the moment at which they have back what they had.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/wait.h>

#include "kselftest_harness.h"

#include "host.h"
#include "kvmx.h"
#include "place.h"
#include "staff.h"
#include "topo.h"
#include "vmm.h"

#define VCPUS	2

FIXTURE(place) {
	struct vmm *vm;
	struct staff io, worker, other;
	struct masks before;
	struct placing *p;
	int fd;
	uint64_t all;
};

static void run_vcpus(struct vmm *vm)
{
	static const struct vmm_step steps[] = {
		{ .kind = VMM_CPUID, .n = 5 },
		{ .kind = VMM_OUT_USER, .n = 1 },
	};
	unsigned int i;

	for (i = 0; i < VCPUS; i++) {
		struct vmm_vcpu *v = vmm_add_vcpu(vm);

		v->user_us = 5000;
		vmm_start(v, steps, 2);
	}
	for (i = 0; i < VCPUS; i++)
		while (!vm->vcpu[i].rounds)
			usleep(1000);
}

FIXTURE_SETUP(place)
{
	self->all = cpus_of(0);
	if (__builtin_popcountll(self->all) < 4)
		SKIP(return, "needs four CPUs");
	self->vm = vmm_create(VMM_IRQCHIP);
	run_vcpus(self->vm);
	staff_start(&self->io, "IO helper");
	staff_start(&self->worker, "worker");
	staff_start(&self->other, NULL);
	/* They do not all have the same. */
	set_cpus(self->io.tid, self->all & ~1ULL);
	set_cpus(self->worker.tid, self->all & ~4ULL);
	masks_take(&self->before, getpid());
	self->fd = place_vm(self->vm->fd);
	self->p = place_new(KVMX_POLICY_PIN);
}

FIXTURE_TEARDOWN(place)
{
	unsigned int i;

	for (i = 0; i < VCPUS; i++)
		vmm_stop(&self->vm->vcpu[i]);
	staff_stop(&self->io);
	staff_stop(&self->worker);
	staff_stop(&self->other);
	close(self->fd);
	vmm_destroy(self->vm);
	free(self->p);
}

/* For whoever reads why a case failed. */
static void tell(int fd, struct placing *p)
{
	unsigned int i;

	if (place_nr(p))
		place_show(fd, p);
	printf("# policy %u state %u: %llu births %llu moves %llu drifts %llu refusals %llu fallbacks\n",
	       p->placed.policy, p->placed.state, p->placed.births,
	       p->placed.moves, p->placed.drifts, p->placed.refusals,
	       p->placed.fallbacks);
	for (i = 0; i < place_nr(p); i++)
		printf("# thread %d (%s) class %u vcpu %d: state %u why %u drifts %u set 0x%llx has 0x%llx\n",
		       p->threads[i].tid, p->threads[i].name,
		       p->threads[i].thread_class, (int)p->threads[i].vcpu,
		       p->threads[i].state, p->threads[i].why,
		       p->threads[i].drifts, (unsigned long long)p->masks[i][0],
		       (unsigned long long)cpus_of(p->threads[i].tid));
	for (i = 0; i < p->placed.plan.nr_notes && i < PLACE_NOTES; i++)
		printf("# note: %s\n", p->notes[i].text);
}

static bool as_before(const struct masks *before)
{
	static struct masks now;

	masks_take(&now, getpid());
	return masks_same(before, &now);
}

/* vCPU 0 on CPU 2, 1 on 3, emulator on 0, I/O on 1. */
static void wish(struct placing *p)
{
	place_pin(p, 0, 2);
	place_pin(p, 1, 3);
	place_emulator(p, 1);
	place_io(p, 2);
}

#define EXPECT_PLACED()							\
do {									\
	EXPECT_EQ(4, cpus_of(self->vm->vcpu[0].tid));			\
	EXPECT_EQ(8, cpus_of(self->vm->vcpu[1].tid));			\
	EXPECT_EQ(2, cpus_of(self->io.tid));				\
	EXPECT_EQ(2, cpus_of(self->worker.tid));			\
	EXPECT_EQ(1, cpus_of(self->other.tid));				\
	EXPECT_EQ(1, cpus_of(getpid()));				\
} while (0)

TEST_F_TIMEOUT(place, every_thread_gets_the_cpus_of_its_plan, 60)
{
	unsigned int i;

	wish(self->p);
	ASSERT_EQ(0, place_do(self->fd, self->p));
	EXPECT_PLACED();
	EXPECT_EQ(place_nr(self->p), self->before.nr);
	for (i = 0; i < place_nr(self->p); i++) {
		struct kvmx_placed_thread *t = &self->p->threads[i];

		EXPECT_EQ(self->p->masks[i][0], cpus_of(t->tid)) {
			TH_LOG("thread %d (%s)", t->tid, t->name);
		}
		EXPECT_EQ(KVMX_THREAD_APPLIED, t->state);
	}
	EXPECT_EQ(KVMX_THREAD_VCPU, self->p->threads[0].thread_class);
	EXPECT_EQ(self->vm->vcpu[0].tid, self->p->threads[0].tid);
	EXPECT_EQ(KVMX_WHY_MAP, self->p->threads[0].why);
	i = place_find(self->p, self->io.tid);
	EXPECT_EQ(KVMX_THREAD_IO, self->p->threads[i].thread_class);
	i = place_find(self->p, self->worker.tid);
	EXPECT_EQ(KVMX_THREAD_WORKER, self->p->threads[i].thread_class);
}

TEST_F_TIMEOUT(place, closing_before_commit_gives_all_back, 60)
{
	wish(self->p);
	ASSERT_EQ(0, place_do(self->fd, self->p));
	EXPECT_PLACED();
	close(self->fd);
	EXPECT_TRUE(as_before(&self->before));
	self->fd = place_vm(self->vm->fd);
}

TEST_F_TIMEOUT(place, a_committed_one_outlives_its_fd_until_it_is_cleared, 60)
{
	wish(self->p);
	ASSERT_EQ(0, place_do(self->fd, self->p));
	ASSERT_EQ(0, place_show(self->fd, self->p));
	EXPECT_EQ(KVMX_PLACED_MINE, self->p->placed.state);
	ASSERT_EQ(0, place_commit(self->fd));
	EXPECT_EQ(0, place_commit(self->fd));
	close(self->fd);
	EXPECT_PLACED();
	self->fd = place_vm(self->vm->fd);
	ASSERT_EQ(0, place_show(self->fd, self->p));
	EXPECT_EQ(KVMX_PLACED_COMMITTED, self->p->placed.state);
	EXPECT_EQ(KVMX_POLICY_PIN, self->p->placed.policy);
	EXPECT_EQ(self->before.nr, place_nr(self->p));
	EXPECT_EQ(0, place_clear(self->fd));
	EXPECT_TRUE(as_before(&self->before));
	EXPECT_EQ(ENOENT, place_clear(self->fd));
	ASSERT_EQ(0, place_show(self->fd, self->p));
	EXPECT_EQ(KVMX_POLICY_NONE, self->p->placed.policy);
	EXPECT_EQ(0, place_nr(self->p));
}

TEST_F_TIMEOUT(place, a_dry_run_tells_all_and_changes_nothing, 60)
{
	wish(self->p);
	self->p->req.flags = KVMX_PLACE_DRY_RUN;
	ASSERT_EQ(0, place_do(self->fd, self->p));
	EXPECT_TRUE(as_before(&self->before));
	EXPECT_EQ(self->before.nr, place_nr(self->p));
	EXPECT_EQ(4, self->p->masks[0][0]);
	EXPECT_EQ(8, self->p->masks[1][0]);
	EXPECT_EQ(0, self->p->threads[0].state);
	ASSERT_EQ(0, place_show(self->fd, self->p));
	EXPECT_EQ(KVMX_POLICY_NONE, self->p->placed.policy);
}

TEST_F_TIMEOUT(place, a_thread_is_placed_before_its_first_instruction, 120)
{
	unsigned int i, n = scaled(200);
	uint64_t births;
	int cpu;

	if (kvmx_feature_off(kvmx_node(), "task_newtask"))
		SKIP(return, "needs task_newtask");
	wish(self->p);
	ASSERT_EQ(0, place_do(self->fd, self->p));
	for (i = 0; i < n; i++) {
		ASSERT_EQ(1, staff_glance(&cpu));
		ASSERT_EQ(0, cpu);
	}
	ASSERT_EQ(0, place_show(self->fd, self->p));
	births = self->p->placed.births;
	EXPECT_EQ(n, births);
	EXPECT_LT(0, self->p->placed.birth_ns_max);
	EXPECT_EQ(0, place_clear(self->fd));
	EXPECT_EQ(self->all, staff_glance(&cpu));
	EXPECT_TRUE(as_before(&self->before));
}

TEST_F_TIMEOUT(place, a_thread_that_is_born_has_back_what_its_parent_had, 60)
{
	struct staff born;

	wish(self->p);
	ASSERT_EQ(0, place_do(self->fd, self->p));
	staff_start(&born, "IO late");
	EXPECT_EQ(1, born.cpus);
	EXPECT_EQ(2, cpus_of(born.tid));
	ASSERT_EQ(0, place_clear(self->fd));
	EXPECT_EQ(self->all, cpus_of(born.tid));
	staff_stop(&born);
}

TEST_F_TIMEOUT(place, what_the_owner_changes_stands, 60)
{
	int i;

	wish(self->p);
	ASSERT_EQ(0, place_do(self->fd, self->p));
	ASSERT_TRUE(set_cpus(self->other.tid, self->all & 9));
	for (i = 0; i < 300; i++) {
		ASSERT_EQ(0, place_show(self->fd, self->p));
		if (self->p->placed.drifts)
			break;
		usleep(10000);
	}
	EXPECT_EQ(1, self->p->placed.drifts);
	i = place_find(self->p, self->other.tid);
	ASSERT_LE(0, i);
	EXPECT_EQ(KVMX_THREAD_YIELDED, self->p->threads[i].state);
	EXPECT_EQ(1, self->p->threads[i].drifts);
	EXPECT_EQ(9, cpus_of(self->other.tid));
	ASSERT_EQ(0, place_clear(self->fd));
	EXPECT_EQ(9, cpus_of(self->other.tid));
	set_cpus(self->other.tid, self->all);
	EXPECT_TRUE(as_before(&self->before));
}

TEST_F_TIMEOUT(place, what_is_enforced_is_put_back, 60)
{
	int i, t;

	wish(self->p);
	self->p->req.flags = KVMX_PLACE_ENFORCE;
	ASSERT_EQ(0, place_do(self->fd, self->p));
	for (t = 1; t <= 3; t++) {
		ASSERT_TRUE(set_cpus(self->other.tid, 8));
		for (i = 0; i < 300 && cpus_of(self->other.tid) != 1; i++)
			usleep(10000);
		ASSERT_EQ(1, cpus_of(self->other.tid)) {
			tell(self->fd, self->p);
		}
		/* Waits for the worker, too: what comes while it sets is its own. */
		ASSERT_EQ(0, place_show(self->fd, self->p));
		EXPECT_EQ(t, self->p->placed.drifts);
	}
	i = place_find(self->p, self->other.tid);
	EXPECT_EQ(KVMX_THREAD_APPLIED, self->p->threads[i].state);
	ASSERT_EQ(0, place_clear(self->fd));
	/* His last word. */
	EXPECT_EQ(8, cpus_of(self->other.tid));
	set_cpus(self->other.tid, self->all);
	EXPECT_TRUE(as_before(&self->before));
}

TEST_F_TIMEOUT(place, the_end_of_the_vm_gives_all_back, 60)
{
	unsigned int i;

	wish(self->p);
	ASSERT_EQ(0, place_do(self->fd, self->p));
	ASSERT_EQ(0, place_commit(self->fd));
	EXPECT_PLACED();
	for (i = 0; i < VCPUS; i++)
		vmm_stop(&self->vm->vcpu[i]);
	vmm_destroy(self->vm);
	for (i = 0; i < 500 && cpus_of(getpid()) != self->all; i++)
		usleep(10000);
	EXPECT_TRUE(as_before(&self->before));
	EXPECT_EQ(ESRCH, place_do(self->fd, self->p));
	self->vm = vmm_create(VMM_IRQCHIP);
	run_vcpus(self->vm);
}

/* A class is changed, and none of its CPUs is one that the owner has asked for. */
TEST_F_TIMEOUT(place, who_gives_way_has_back_what_he_asked_for, 60)
{
	uint64_t own = self->all & ~2ULL;
	int i;

	set_cpus(self->other.tid, own);
	masks_take(&self->before, getpid());
	wish(self->p);
	ASSERT_EQ(0, place_do(self->fd, self->p));
	EXPECT_EQ(1, cpus_of(self->other.tid));
	staff_rename(&self->other, "IO late");
	for (i = 0; i < 500 && cpus_of(self->other.tid) == 1; i++)
		usleep(10000);
	ASSERT_EQ(0, place_show(self->fd, self->p));
	i = place_find(self->p, self->other.tid);
	ASSERT_LE(0, i);
	/* From 6.2 on the kernel keeps what the owner asked for. */
	if (self->p->threads[i].state != KVMX_THREAD_YIELDED)
		own = 2;
	EXPECT_EQ(own, cpus_of(self->other.tid));
	EXPECT_EQ(0, self->p->placed.drifts);
	ASSERT_EQ(0, place_clear(self->fd));
	EXPECT_TRUE(as_before(&self->before));
}

/* From 6.2 on the kernel keeps what the owner asked for. */
TEST_F_TIMEOUT(place, what_the_owner_asked_for_before_stands, 60)
{
	int err;

	set_cpus(self->worker.tid, self->all & ~2ULL);
	masks_take(&self->before, getpid());
	wish(self->p);
	err = place_do(self->fd, self->p);
	if (!err) {
		EXPECT_EQ(2, cpus_of(self->worker.tid));
		ASSERT_EQ(0, place_clear(self->fd));
	} else {
		EXPECT_EQ(ERANGE, err);
		EXPECT_TRUE(place_note(self->p, KVMX_NOTE_OUTSIDE_CPUSET));
	}
	EXPECT_TRUE(as_before(&self->before));
	/* But not against who enforces. */
	self->p->req.flags = KVMX_PLACE_ENFORCE;
	ASSERT_EQ(0, place_do(self->fd, self->p)) {
		tell(self->fd, self->p);
	}
	EXPECT_PLACED();
	ASSERT_EQ(0, place_clear(self->fd));
	EXPECT_TRUE(as_before(&self->before));
}

HOST_HARNESS_MAIN
