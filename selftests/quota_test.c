// SPDX-License-Identifier: GPL-2.0-only
/*
 * What keeps a vCPU from running, told apart: its cgroup's quota, and halt
 * polling that KVM counts itself.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "kselftest_harness.h"

#include "company.h"
#include "host.h"
#include "kvmx.h"
#include "vmm.h"

#define ROOT	"/sys/fs/cgroup"
#define GROUP	ROOT "/kvmx_quota_test"
#define POLL	"/sys/module/kvm/parameters/halt_poll_ns"

FIXTURE(quota) {
	int node, fd;
	uint64_t khz;
	struct vmm *vm;
	struct vmm_vcpu *v;
	struct stats *s;
	bool made, enabled;
	char poll[32];
};

static void first_line(const char *path, char *line, int size)
{
	FILE *f = fopen(path, "r");

	line[0] = '\0';
	if (!f)
		return;
	if (!fgets(line, size, f))
		line[0] = '\0';
	fclose(f);
}

FIXTURE_SETUP(quota)
{
	struct kvmx_info info;

	self->node = kvmx_node();
	ASSERT_EQ(0, kvmx_info(self->node, &info));
	self->khz = info.clock_khz;
	if (kvmx_feature_off(self->node, "sched_switch"))
		SKIP(return, "needs sched_switch");
	/* KVM polls where halts are shorter than that; here they are long. */
	first_line(POLL, self->poll, sizeof(self->poll));
	if (self->poll[0])
		host_put(POLL, "50000000");
	self->vm = vmm_create(VMM_IRQCHIP);
	self->v = vmm_add_vcpu(self->vm);
	self->fd = kvmx_vm_by_fd(self->node, self->vm->fd);
	self->s = kvmx_stats_with(self->fd, 0, KVMX_STATS_SCHED);
}

FIXTURE_TEARDOWN(quota)
{
	unsigned int i;

	if (self->vm) {
		stats_close(self->s);
		close(self->fd);
		vmm_destroy(self->vm);
	}
	if (self->poll[0])
		host_put(POLL, self->poll);
	/* Its last thread may still be on its way out. */
	for (i = 0; self->made && rmdir(GROUP) && i < 500; i++)
		usleep(10000);
	if (self->enabled)
		host_put(ROOT "/cgroup.subtree_control", "-cpu");
	close(self->node);
}

/* One thread of this process may use 20 of 100 ms; false: not possible here. */
#define limit(self, tid)						\
	(snprintf(tid_text, sizeof(tid_text), "%d", tid) > 0 &&		\
	 host_says(ROOT "/cgroup.controllers", "cpu") &&		\
	 ((self)->made = !mkdir(GROUP, 0755)) &&			\
	 host_put(GROUP "/cgroup.type", "threaded") &&			\
	 (host_says(ROOT "/cgroup.subtree_control", "cpu") ||		\
	  ((self)->enabled =						\
	   host_put(ROOT "/cgroup.subtree_control", "+cpu"))) &&	\
	 host_put(GROUP "/cpu.max", "20000 100000") &&			\
	 host_put(GROUP "/cgroup.threads", tid_text))

static bool note_says(int fd, const char *name, const char *word)
{
	struct kvmx_note n[64];
	int i, nr = kvmx_notes(fd, n, 64);

	for (i = 0; i < nr && i < 64; i++)
		if (!strcmp(n[i].name, name))
			return strstr(n[i].reason, word);
	return false;
}

static uint64_t percent(uint64_t part, uint64_t whole)
{
	return part * 100 / whole;
}

TEST_F_TIMEOUT(quota, a_vcpu_beyond_its_quota_is_throttled_not_ready, 120)
{
	struct vmm_step spin = { .kind = VMM_SPIN, .n = 1ULL << 20 };
	uint64_t ready, throttled = 0, at, count = 0;
	bool told = stats_find(self->s, "time.throttled"), good = false;
	char tid_text[16];
	unsigned int i;

	vmm_start(self->v, &spin, 1);
	while (!self->v->rounds)
		usleep(1000);
	pin(self->v->tid, last_cpu());
	if (!limit(self, self->v->tid))
		SKIP(return, "no cgroup v2 with the cpu controller at " ROOT);
	usleep(500000);
	for (i = 0; !good && i < 5; i++) {
		stats_read(self->s);
		at = stats_get(self->s, "accounted");
		ready = stats_get(self->s, "time.ready");
		if (told) {
			throttled = stats_get(self->s, "time.throttled");
			count = stats_get(self->s, "sched.switches.throttled");
		}
		usleep(3000000);
		stats_read(self->s);
		at = stats_get(self->s, "accounted") - at;
		ready = percent(stats_get(self->s, "time.ready") - ready, at);
		if (told) {
			throttled = stats_get(self->s, "time.throttled") -
				    throttled;
			throttled = percent(throttled, at);
			count = stats_get(self->s, "sched.switches.throttled") -
				count;
		}
		TH_LOG("quota 20 %%: throttled %lu %%, %lu times; ready %lu %%",
		       throttled, count, ready);
		if (told)
			good = throttled >= 70 && throttled <= 90 &&
			       ready <= 10 && count >= 3;
		else
			good = ready >= 70 && ready <= 90;
	}
	EXPECT_TRUE(good);
	/* Where the two cannot be told apart, that is said. */
	EXPECT_EQ(!told, note_says(self->s->fd, "time.ready", "incl. throttled"));
	EXPECT_EQ(!told, note_says(self->s->fd, "time.throttled", "cpu.stat"));
	vmm_stop(self->v);
}

TEST_F_TIMEOUT(quota, halt_polling_is_what_kvm_counts, 60)
{
	uint64_t all, won, won_ns, lost_ns, n = 30;
	struct stats *own = kvm_stats(self->v->fd);

	if (!stats_find(self->s, "sched.poll.success"))
		SKIP(stats_close(own); return, "needs kvm_vcpu_wakeup and vcpu_layout");
	vmm_do(self->v, VMM_CPUID, 1);
	stats_read(own);
	all = stats_get(own, "halt_attempted_poll");
	won = stats_get(own, "halt_successful_poll");
	won_ns = stats_get(own, "halt_poll_success_ns");
	lost_ns = stats_get(own, "halt_poll_fail_ns");
	/* Some of them are over soon enough, others are not. */
	self->v->halt_us = 0;
	vmm_do(self->v, VMM_HLT, n);
	self->v->halt_us = 2000;
	vmm_do(self->v, VMM_HLT, n);
	stats_read(own);
	stats_read(self->s);
	all = stats_get(own, "halt_attempted_poll") - all;
	won = stats_get(own, "halt_successful_poll") - won;
	won_ns = stats_get(own, "halt_poll_success_ns") - won_ns;
	lost_ns = stats_get(own, "halt_poll_fail_ns") - lost_ns;
	TH_LOG("%lu of %lu polls were good for something: %lu us; for nothing: %lu us",
	       won, all, won_ns / 1000, lost_ns / 1000);
	EXPECT_EQ(won, stats_get(self->s, "sched.poll.success"));
	EXPECT_EQ(all - won, stats_get(self->s, "sched.poll.failure"));
	/* Each is rounded to whole ticks. */
	EXPECT_LE(stats_get(self->s, "sched.poll.useful"),
		  won_ns * self->khz / 1000000);
	EXPECT_GE(stats_get(self->s, "sched.poll.useful") + 2 * n,
		  won_ns * self->khz / 1000000);
	EXPECT_LE(stats_get(self->s, "sched.poll.wasted"),
		  lost_ns * self->khz / 1000000);
	EXPECT_GE(stats_get(self->s, "sched.poll.wasted") + 2 * n,
		  lost_ns * self->khz / 1000000);
	stats_close(own);
	if (!all)
		SKIP(return, "KVM does not poll here");
}

HOST_HARNESS_MAIN
