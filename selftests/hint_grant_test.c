// SPDX-License-Identifier: GPL-2.0-only
/*
 * Grants: what a thread is made for a while, that it ends on time, whoever is
 * silent, stopped or killed, and that all is as it was before.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "kselftest_harness.h"

#include "hint.h"
#include "host.h"
#include "kvmx.h"
#include "module.h"
#include "vmm.h"

#define CRITICAL	KVMX_HINT_WORD(KVMX_KIND_CRITICAL, 1, 0)
#define LATENCY		KVMX_HINT_WORD(KVMX_KIND_LATENCY, 1, 0)
#define GRANT_US	20000

/* Grants of 20 ms, of which each 100 ms may have five. */
static struct kvmx_hint generous(unsigned int effect, int arg)
{
	struct kvmx_hint h = hint_effect(1U << KVMX_KIND_CRITICAL |
					 1U << KVMX_KIND_LATENCY, effect, arg);

	h.budget_us = 90000;
	h.period_us = 100000;
	h.calls_per_s = 1000000;
	h.kinds[KVMX_KIND_CRITICAL].grant_us = GRANT_US;
	h.kinds[KVMX_KIND_LATENCY].grant_us = GRANT_US;
	return h;
}

FIXTURE(grant) {
	int node, fd;
	struct vmm *vm;
	struct vmm_vcpu *v;
	struct kvmx_area *a;
};

FIXTURE_SETUP(grant)
{
	self->v = hint_guest(VMM_IRQCHIP, &self->node, &self->fd);
	self->vm = self->v->vm;
	self->a = hint_area(self->v);
}

FIXTURE_TEARDOWN(grant)
{
	hint_guest_end(self->v, self->node, self->fd);
}

/* A thread that hints and is then in user space for a while, again and again. */
static void start_hinting(struct vmm_vcpu *v, uint32_t word, unsigned int us)
{
	struct vmm_step steps[] = {
		{ .kind = VMM_KVMX, .n = 1 },
		{ .kind = VMM_OUT_USER, .n = 1 },
	};

	hint_load(v, KVMX_HC_HINT, word, 0, 0, 1);
	v->user_us = us;
	vmm_start(v, steps, 2);
}

static struct kvmx_hint_counts critical(int fd)
{
	return hint_counts(fd, 0, KVMX_KIND_CRITICAL);
}

/* All that has to do with a grant is on one CPU, which one sees stand still. */
static bool all_on_one_cpu(int vcpu)
{
	struct sched_param above = { .sched_priority = 80 };
	int i, tids[] = { 0, vcpu, hint_kthread() };
	cpu_set_t set;

	if (!tids[2])
		return false;
	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	for (i = 0; i < 3; i++)
		if (sched_setaffinity(tids[i], sizeof(set), &set))
			return false;
	return !sched_setscheduler(0, SCHED_FIFO, &above);
}

/*
 * The longest that we, who are before the vCPU and before kvmx_hint, had to wait to
 * look again: the host's timers were that late. All in us.
 */
struct late {
	uint64_t last, most;
};

static void rest(struct late *l, unsigned int us)
{
	uint64_t now;

	usleep(us);
	now = hint_now_us();
	if (now - l->last > us + l->most)
		l->most = now - l->last - us;
	l->last = now;
}

/* How long @tid is FIFO, in us. */
static uint64_t see_grant(int tid, struct late *l)
{
	uint64_t from = l->last, limit = 5000000ULL * patience();

	while (hint_sched(tid) != SCHED_FIFO) {
		rest(l, 200);
		if (l->last - from > limit)
			return HINT_NEVER;
	}
	from = l->last;
	do {
		rest(l, 200);
		if (l->last - from > limit)
			return HINT_NEVER;
	} while (hint_sched(tid) == SCHED_FIFO);
	return l->last - from;
}

/* So long may @n grants take that the host's timers end. */
static uint64_t may_take(unsigned int n, const struct late *l)
{
	return n * (GRANT_US + 2 * l->most + 2000 * patience());
}

TEST_F_TIMEOUT(grant, it_ends_on_time_though_its_guest_says_nothing, 120)
{
	struct kvmx_hint h = generous(KVMX_EFFECT_FIFO, 0);
	struct kvmx_hint_counts c, before;
	struct late late = { };
	unsigned int i;
	uint64_t us;

	ASSERT_EQ(0, hint_set(self->fd, &h));
	start_hinting(self->v, CRITICAL, 200000);
	ASSERT_NE(HINT_NEVER, hint_until(self->v->tid, SCHED_FIFO));
	ASSERT_NE(HINT_NEVER, hint_until(self->v->tid, SCHED_OTHER));
	EXPECT_TRUE(all_on_one_cpu(self->v->tid));
	before = critical(self->fd);
	late.last = hint_now_us();
	for (i = 0; i < 10; i++) {
		us = see_grant(self->v->tid, &late);
		EXPECT_GE(may_take(1, &late), us) {
			TH_LOG("seen for %lu us, timers %lu us late at most",
			       (unsigned long)us, (unsigned long)late.most);
		}
		/* By its own account, too, of all that ended since we looked: we
		 * may have interrupted it just before it wrote that down.
		 */
		rest(&late, 5000);
		c = critical(self->fd);
		EXPECT_LT(before.expired, c.expired);
		EXPECT_GE(may_take(c.expired - before.expired, &late),
			  (c.time_ns - before.time_ns) / 1000);
		before = c;
		printf("# granted 20000 us, seen for %lu, timers late by %lu\n",
		       (unsigned long)us, (unsigned long)late.most);
		late.most = 0;
	}
	vmm_stop(self->v);
	EXPECT_LE(10, critical(self->fd).expired);
	EXPECT_EQ(0, critical(self->fd).released);
}

TEST_F_TIMEOUT(grant, a_guest_that_spins_on_pays_no_more_than_it_may, 120)
{
	struct kvmx_hint h = generous(KVMX_EFFECT_FIFO, 0);
	struct vmm_step steps[] = {
		{ .kind = VMM_KVMX, .n = 1 },
		{ .kind = VMM_SPIN, .n = scaled(20000000) + 2000000 },
	};
	struct kvmx_hint_counts c;
	uint64_t from = hint_now_us(), wall;
	unsigned int i;

	h.budget_us = 5000;
	ASSERT_EQ(0, hint_set(self->fd, &h));
	hint_load(self->v, KVMX_HC_HINT, CRITICAL, 0, 0, 1);
	for (i = 0; i < 20; i++) {
		vmm_run(self->v, steps, 2);
		EXPECT_EQ(SCHED_OTHER, hint_sched(0));
	}
	wall = hint_now_us() - from;
	c = critical(self->fd);
	TH_LOG("%lu grants, %lu us in %lu us", (unsigned long)c.granted,
	       (unsigned long)c.time_ns / 1000, (unsigned long)wall);
	EXPECT_LT(0, c.granted);
	EXPECT_LT(0, c.time_ns);
	/* 5 ms in 100 ms, and what a late timer adds: later periods pay for that. */
	EXPECT_GE((wall / 100000 + 2) * 5000 + 50000 * patience(), c.time_ns / 1000);
	EXPECT_EQ(20, c.given);
	EXPECT_EQ(20, c.granted + c.refused_budget + c.refused_host);
}

TEST_F_TIMEOUT(grant, what_is_given_back_in_time_does_not_expire, 60)
{
	struct kvmx_hint h = generous(KVMX_EFFECT_FIFO, 0);
	struct kvmx_hint_counts c;
	unsigned int i;

	ASSERT_EQ(0, hint_set(self->fd, &h));
	for (i = 0; i < 20; i++) {
		EXPECT_EQ(1, hint_call(self->v, KVMX_HC_HINT, CRITICAL, 0, 0));
		EXPECT_EQ(SCHED_FIFO, hint_sched(0));
		EXPECT_EQ(0, hint_call(self->v, KVMX_HC_RELEASE, 0, 0, 0));
		EXPECT_EQ(SCHED_OTHER, hint_sched(0));
	}
	c = critical(self->fd);
	/* A machine that stands still for 20 ms now and then is one for tests. */
	EXPECT_EQ(20, c.released + c.late);
	EXPECT_LE(15, c.released);
	EXPECT_EQ(c.granted, c.released + c.expired);
	/* A hint taken back is the same. */
	EXPECT_EQ(1, hint_call(self->v, KVMX_HC_HINT, CRITICAL, 0, 0));
	EXPECT_EQ(0, hint_call(self->v, KVMX_HC_HINT, 0, 0, 0));
	EXPECT_EQ(SCHED_OTHER, hint_sched(0));
}

TEST_F_TIMEOUT(grant, nice_and_slice_are_put_back_as_they_were, 60)
{
	struct kvmx_hint h = generous(KVMX_EFFECT_NICE, -15);
	int err;

	ASSERT_EQ(0, setpriority(PRIO_PROCESS, 0, 3));
	ASSERT_EQ(0, hint_set(self->fd, &h));
	EXPECT_EQ(1, hint_call(self->v, KVMX_HC_HINT, CRITICAL, 0, 0));
	EXPECT_EQ(-15, getpriority(PRIO_PROCESS, 0));
	EXPECT_EQ(0, hint_call(self->v, KVMX_HC_RELEASE, 0, 0, 0));
	EXPECT_EQ(3, getpriority(PRIO_PROCESS, 0));

	h = generous(KVMX_EFFECT_FIFO, 0);
	ASSERT_EQ(0, hint_set(self->fd, &h));
	EXPECT_EQ(1, hint_call(self->v, KVMX_HC_HINT, CRITICAL, 0, 0));
	EXPECT_EQ(0, hint_call(self->v, KVMX_HC_RELEASE, 0, 0, 0));
	EXPECT_EQ(3, getpriority(PRIO_PROCESS, 0));
	EXPECT_EQ(0, sched_getscheduler(0));

	h = generous(KVMX_EFFECT_SLICE, 5000);
	err = hint_set(self->fd, &h);
	if (err) {
		/* Kernels before 6.12: refused, not accepted and idle. */
		EXPECT_EQ(EOPNOTSUPP, err);
	} else {
		EXPECT_EQ(1, hint_call(self->v, KVMX_HC_HINT, CRITICAL, 0, 0));
		/* A child would keep it for good. */
		EXPECT_EQ(SCHED_RESET_ON_FORK, sched_getscheduler(0));
		EXPECT_EQ(0, hint_call(self->v, KVMX_HC_RELEASE, 0, 0, 0));
		EXPECT_EQ(3, getpriority(PRIO_PROCESS, 0));
		EXPECT_EQ(0, sched_getscheduler(0));
	}
}

/* Nor does anybody get a new budget by that. */
TEST_F_TIMEOUT(grant, the_birth_of_a_vcpu_ends_none, 60)
{
	struct kvmx_hint h = generous(KVMX_EFFECT_FIFO, 0);

	h.period_us = 10000000;
	h.budget_us = 9000000;
	h.kinds[KVMX_KIND_CRITICAL].grant_us = 8000000;
	ASSERT_EQ(0, hint_set(self->fd, &h));
	EXPECT_EQ(1, hint_call(self->v, KVMX_HC_HINT, CRITICAL, 0, 0));
	ASSERT_EQ(SCHED_FIFO, hint_sched(0));
	vmm_add_vcpu(self->vm);
	EXPECT_EQ(SCHED_FIFO, hint_sched(0));
	EXPECT_EQ(0, hint_call(self->v, KVMX_HC_RELEASE, 0, 0, 0));
	EXPECT_EQ(1, critical(self->fd).released);
	EXPECT_EQ(SCHED_OTHER, hint_sched(0));
}

/* Real-time threads have none since 6.12, and lose what was theirs. */
TEST_F_TIMEOUT(grant, the_thread_keeps_its_timer_slack, 60)
{
	struct kvmx_hint h = generous(KVMX_EFFECT_FIFO, 0);

	ASSERT_EQ(0, hint_set(self->fd, &h));
	ASSERT_EQ(0, prctl(PR_SET_TIMERSLACK, 123456));
	EXPECT_EQ(1, hint_call(self->v, KVMX_HC_HINT, CRITICAL, 0, 0));
	EXPECT_EQ(0, hint_call(self->v, KVMX_HC_RELEASE, 0, 0, 0));
	EXPECT_EQ(123456, prctl(PR_GET_TIMERSLACK));
	ASSERT_EQ(0, prctl(PR_SET_TIMERSLACK, 0));
}

TEST_F_TIMEOUT(grant, who_changes_the_thread_meanwhile_wins, 60)
{
	struct sched_param none = { 0 }, five = { .sched_priority = 5 };
	struct kvmx_hint h = generous(KVMX_EFFECT_FIFO, 0);

	ASSERT_EQ(0, hint_set(self->fd, &h));
	EXPECT_EQ(1, hint_call(self->v, KVMX_HC_HINT, CRITICAL, 0, 0));
	ASSERT_EQ(0, sched_setscheduler(0, SCHED_BATCH, &none));
	EXPECT_EQ(0, hint_call(self->v, KVMX_HC_RELEASE, 0, 0, 0));
	EXPECT_EQ(SCHED_BATCH, hint_sched(0));
	ASSERT_EQ(0, sched_setscheduler(0, SCHED_OTHER, &none));
	/* One that is real-time already is better off without. */
	ASSERT_EQ(0, sched_setscheduler(0, SCHED_FIFO, &five));
	EXPECT_EQ(0, hint_call(self->v, KVMX_HC_HINT, CRITICAL, 0, 0));
	EXPECT_EQ(0, sched_getparam(0, &none));
	EXPECT_EQ(5, none.sched_priority);
	EXPECT_EQ(1, critical(self->fd).refused_host);
	none.sched_priority = 0;
	ASSERT_EQ(0, sched_setscheduler(0, SCHED_OTHER, &none));
}

TEST_F_TIMEOUT(grant, hints_that_go_off_put_everything_back_at_once, 60)
{
	struct kvmx_hint h = generous(KVMX_EFFECT_FIFO, 0);
	int other;

	h.kinds[KVMX_KIND_CRITICAL].grant_us = 90000;
	ASSERT_EQ(0, hint_set(self->fd, &h));
	EXPECT_EQ(1, hint_call(self->v, KVMX_HC_HINT, CRITICAL, 0, 0));
	hint_off(self->fd);
	EXPECT_EQ(SCHED_OTHER, hint_sched(0));
	/* The fd that made the policy is closed. */
	other = kvmx_vm_by_fd(self->node, self->vm->fd);
	ASSERT_EQ(0, hint_set(other, &h));
	EXPECT_EQ(1, hint_call(self->v, KVMX_HC_HINT, CRITICAL, 0, 0));
	close(other);
	EXPECT_EQ(SCHED_OTHER, hint_sched(0));
}

/* The kthread goes with the last policy, and another comes with the next. */
TEST_F_TIMEOUT(grant, hints_that_are_off_and_on_again_end_on_time, 60)
{
	struct kvmx_hint h = generous(KVMX_EFFECT_FIFO, 0);
	unsigned int i;

	start_hinting(self->v, CRITICAL, 50000);
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, hint_set(self->fd, &h));
		EXPECT_NE(HINT_NEVER, hint_until(self->v->tid, SCHED_FIFO));
		EXPECT_NE(HINT_NEVER, hint_until(self->v->tid, SCHED_OTHER));
		EXPECT_NE(HINT_NEVER, hint_until(self->v->tid, SCHED_FIFO));
		hint_off(self->fd);
		EXPECT_EQ(SCHED_OTHER, hint_sched(self->v->tid));
	}
	vmm_stop(self->v);
}

TEST_F_TIMEOUT(grant, a_guest_that_halts_wakes_up_boosted, 60)
{
	struct kvmx_hint h = generous(KVMX_EFFECT_FIFO, 0);
	struct vmm_step step = { .kind = VMM_HLT, .n = 1 };
	struct kvmx_hint_counts c;

	memset(self->a, 0, 4096);
	ASSERT_EQ(0, hint_set(self->fd, &h));
	ASSERT_EQ(0, hint_call(self->v, KVMX_HC_REGISTER, HINT_AREA, 0,
			       sizeof(*self->a)));
	self->a->guest.hint = LATENCY;
	self->a->guest.seq++;
	self->v->halt_us = 100000;	/* longer than a grant: it costs none */
	vmm_start(self->v, &step, 1);
	EXPECT_NE(HINT_NEVER, hint_until(self->v->tid, SCHED_FIFO));
	/* The guest takes it back by a store, which the next halt shows. */
	self->a->guest.hint = 0;
	EXPECT_NE(HINT_NEVER, hint_until(self->v->tid, SCHED_OTHER));
	vmm_stop(self->v);
	c = hint_counts(self->fd, 0, KVMX_KIND_LATENCY);
	EXPECT_LE(1, c.granted);
	EXPECT_EQ(c.granted, c.released + c.expired);
	EXPECT_GT(40000000, c.time_ns);
	EXPECT_EQ(0, self->a->host.state & KVMX_GRANT_ON);
	EXPECT_EQ(c.granted, self->a->host.granted);
}

/* A VMM in a process of its own, whose vCPU hints all the time. */
static int vmm_apart(int to, int from)
{
	struct vmm *vm = vmm_create(0);
	struct vmm_vcpu *v = vmm_add_vcpu(vm);
	char c;

	if (write(to, "", 1) != 1 || read(from, &c, 1) != 1)
		return 1;
	hint_load(v, KVMX_HC_HINT, CRITICAL, 0, 0, 1);
	v->user_us = 3000;
	for (;;) {
		vmm_do(v, VMM_KVMX, 1);
		vmm_do(v, VMM_OUT_USER, 1);
	}
	return 0;
}

static int start_apart(int node, int *fd, const struct kvmx_hint *h)
{
	int there[2], back[2], pid;
	char c;

	if (pipe(there) || pipe(back))
		return -1;
	pid = fork();
	if (!pid)
		_exit(vmm_apart(back[1], there[0]));
	if (read(back[0], &c, 1) != 1)
		return -1;
	*fd = kvmx_open(node, KVMX_BY_PID, pid, 0);
	if (*fd < 0 || hint_set(*fd, h) || write(there[1], "", 1) != 1)
		return -1;
	close(there[0]);
	close(there[1]);
	close(back[0]);
	close(back[1]);
	return pid;
}

TEST_F_TIMEOUT(grant, a_vmm_that_is_stopped_keeps_no_grant, 120)
{
	struct kvmx_hint h = generous(KVMX_EFFECT_FIFO, 0);
	unsigned int i, boosted = 0;
	int fd, pid, status;

	pid = start_apart(self->node, &fd, &h);
	ASSERT_LT(0, pid);
	for (i = 0; i < 100 && boosted < 5; i++) {
		if (hint_until(pid, SCHED_FIFO) == HINT_NEVER)
			break;
		kill(pid, SIGSTOP);
		waitpid(pid, &status, WUNTRACED);
		boosted += hint_sched(pid) == SCHED_FIFO;
		EXPECT_GE((GRANT_US + 150000) * patience(),
			  hint_until(pid, SCHED_OTHER));
		kill(pid, SIGCONT);
	}
	EXPECT_EQ(5, boosted);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	close(fd);
}

TEST_F_TIMEOUT(grant, a_vmm_that_is_killed_while_boosted_leaves_nothing, 120)
{
	struct kvmx_hint h = generous(KVMX_EFFECT_FIFO, 0);
	int fd, pid, status, i;

	h.flags = KVMX_HINT_COMMIT;
	for (i = 0; i < 10; i++) {
		pid = start_apart(self->node, &fd, &h);
		ASSERT_LT(0, pid);
		EXPECT_NE(HINT_NEVER, hint_until(pid, SCHED_FIFO));
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		close(fd);
	}
	/* And HOST_HARNESS_MAIN sees whether memory is held. */
}

TEST_F_TIMEOUT(grant, kvmx_that_goes_takes_grants_along, 120)
{
	struct kvmx_hint h = generous(KVMX_EFFECT_FIFO, 0);
	const char *ko = module_file();
	unsigned long refused = 0;
	int i;

	if (!ko)
		SKIP(return, "the module's file is not at hand");
	h.flags = KVMX_HINT_COMMIT;
	h.kinds[KVMX_KIND_CRITICAL].grant_us = 90000;
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, hint_set(self->fd, &h));
		EXPECT_EQ(1, hint_call(self->v, KVMX_HC_HINT, CRITICAL, 0, 0));
		close(self->fd);
		close(self->node);
		ASSERT_TRUE(module_unload_busy(10, &refused));
		EXPECT_EQ(SCHED_OTHER, hint_sched(0));
		ASSERT_EQ(0, module_load(ko, ""));
		self->node = kvmx_node_rw();
		self->fd = kvmx_vm_by_fd(self->node, self->vm->fd);
	}
}

HOST_HARNESS_MAIN
