// SPDX-License-Identifier: GPL-2.0-only
/* What earns a grant, what limits it beside its time, and what is told of it. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>

#include "kselftest_harness.h"

#include "company.h"
#include "events.h"
#include "hint.h"
#include "host.h"
#include "kvmx.h"
#include "vmm.h"

#define CRITICAL	KVMX_HINT_WORD(KVMX_KIND_CRITICAL, 1, 0)
#define WAITS		KVMX_HINT_WORD(KVMX_KIND_LATENCY, 1, KVMX_LATENCY_WAITS)
#define GRANT_US	20000
#define HERE		"kvmx_hint_test"
#define MANY		64

FIXTURE(limit) {
	int node, fd;
	struct vmm *vm;
	struct vmm_vcpu *v;
	struct kvmx_area *a;
	uint64_t id;
	bool tracing;
};

FIXTURE_SETUP(limit)
{
	struct kvmx_vm_info info;

	self->v = hint_guest(VMM_IRQCHIP, &self->node, &self->fd);
	self->vm = self->v->vm;
	self->a = hint_area(self->v);
	ASSERT_EQ(0, kvmx_vm_info(self->fd, &info));
	self->id = info.id;
	self->tracing = events_here();
	if (self->tracing)
		events_begin(HERE);
}

FIXTURE_TEARDOWN(limit)
{
	if (events_here())
		events_end(HERE);
	hint_guest_end(self->v, self->node, self->fd);
}

/* FIFO for 20 ms at a time, and for most of the time. */
static struct kvmx_hint generous(void)
{
	struct kvmx_hint h = hint_effect(1U << KVMX_KIND_CRITICAL |
					 1U << KVMX_KIND_LATENCY,
					 KVMX_EFFECT_FIFO, 0);

	h.budget_us = 900000;
	h.period_us = 1000000;
	h.calls_per_s = 1000000;
	h.kinds[KVMX_KIND_CRITICAL].grant_us = GRANT_US;
	h.kinds[KVMX_KIND_LATENCY].grant_us = GRANT_US;
	return h;
}

static int64_t registered(struct vmm_vcpu *v)
{
	return hint_call(v, KVMX_HC_REGISTER, HINT_AREA, 0,
			 sizeof(struct kvmx_area));
}

/* A VM of which one thread is granted something for a long time. */
static int boosted_vm(int node, const struct kvmx_hint *h, struct vmm **vm)
{
	struct vmm_step steps[] = {
		{ .kind = VMM_KVMX, .n = 1 },
		{ .kind = VMM_OUT_USER, .n = 1 },
	};
	struct vmm_vcpu *v;
	int fd;

	*vm = vmm_create(0);
	v = vmm_add_vcpu(*vm);
	fd = kvmx_vm_by_fd(node, (*vm)->fd);
	if (hint_set(fd, h))
		return -1;
	hint_load(v, KVMX_HC_HINT, CRITICAL, 0, 0, 1);
	v->user_us = 3000000;
	vmm_start(v, steps, 2);
	return hint_until(v->tid, SCHED_FIFO) == HINT_NEVER ? -1 : fd;
}

TEST_F_TIMEOUT(limit, all_vms_together_have_one_thread_in_two_cpus, 120)
{
	unsigned int n = sysconf(_SC_NPROCESSORS_ONLN) / 2, i;
	struct kvmx_hint h = generous();
	struct vmm *vms[MANY];
	int fds[MANY];

	n = n ? n : 1;
	if (n > MANY)
		SKIP(return, "more CPUs than this has guests for");
	h.budget_us = 9000000;
	h.period_us = 10000000;
	h.kinds[KVMX_KIND_CRITICAL].grant_us = 9000000;
	ASSERT_EQ(0, hint_set(self->fd, &h));
	for (i = 0; i < n; i++) {
		fds[i] = boosted_vm(self->node, &h, &vms[i]);
		ASSERT_LE(0, fds[i]);
	}
	EXPECT_EQ(0, hint_call(self->v, KVMX_HC_HINT, CRITICAL, 0, 0));
	EXPECT_EQ(SCHED_OTHER, hint_sched(0));
	EXPECT_EQ(1, hint_counts(self->fd, 0, KVMX_KIND_CRITICAL).refused_host);
	/* One that is put back makes room. */
	hint_off(fds[0]);
	EXPECT_EQ(1, hint_call(self->v, KVMX_HC_HINT, CRITICAL, 0, 0));
	EXPECT_EQ(SCHED_FIFO, hint_sched(0));
	EXPECT_EQ(0, hint_call(self->v, KVMX_HC_RELEASE, 0, 0, 0));
	for (i = 0; i < n; i++) {
		vmm_destroy(vms[i]);
		close(fds[i]);
	}
}

TEST_F_TIMEOUT(limit, what_is_given_back_too_late_is_told, 60)
{
	struct kvmx_hint h = generous();
	struct kvmx_hint_counts c;

	ASSERT_EQ(0, hint_set(self->fd, &h));
	ASSERT_EQ(0, registered(self->v));
	EXPECT_EQ(1, hint_call(self->v, KVMX_HC_HINT, CRITICAL, 0, 0));
	EXPECT_NE(HINT_NEVER, hint_until(0, SCHED_OTHER));
	vmm_do(self->v, VMM_CPUID, 2);
	EXPECT_EQ(KVMX_GRANT_LATE, self->a->host.state);
	EXPECT_EQ(0, hint_call(self->v, KVMX_HC_RELEASE, 0, 0, 0));
	EXPECT_EQ(0, hint_call(self->v, KVMX_HC_RELEASE, 0, 0, 0));
	c = hint_counts(self->fd, 0, KVMX_KIND_CRITICAL);
	EXPECT_EQ(1, c.late);
	EXPECT_EQ(1, c.expired);
	EXPECT_EQ(0, c.released);
	/* The next one is on time. */
	EXPECT_EQ(1, hint_call(self->v, KVMX_HC_HINT, CRITICAL, 0, 0));
	EXPECT_EQ(0, hint_call(self->v, KVMX_HC_RELEASE, 0, 0, 0));
	c = hint_counts(self->fd, 0, KVMX_KIND_CRITICAL);
	EXPECT_EQ(2, c.late + c.released);
}

TEST_F_TIMEOUT(limit, time_is_useful_where_somebody_waits_for_the_cpu, 60)
{
	struct kvmx_hint h = generous();
	struct kvmx_hint_counts c;
	unsigned int i;
	int company;

	pin(0, last_cpu());
	ASSERT_EQ(0, hint_set(self->fd, &h));
	company = hog(last_cpu());
	usleep(20000);
	for (i = 0; i < 10; i++) {
		hint_call(self->v, KVMX_HC_HINT, CRITICAL, 0, 0);
		vmm_do(self->v, VMM_SPIN, 20000);
		hint_call(self->v, KVMX_HC_RELEASE, 0, 0, 0);
	}
	hog_end(company);
	c = hint_counts(self->fd, 0, KVMX_KIND_CRITICAL);
	EXPECT_LT(0, c.granted);
	EXPECT_LT(0, c.useful_ns);
	EXPECT_GE(c.time_ns, c.useful_ns);
}

static uint64_t cost_of(FIXTURE_DATA(limit) *self, uint32_t word)
{
	self->a->guest.hint = word;
	self->a->guest.seq++;
	/* Where it halts it is looked at. */
	vmm_do(self->v, VMM_HLT, 1);
	return hint_counts(self->fd, 0, KVMX_KIND_NONE).cost;
}

TEST_F_TIMEOUT(limit, what_it_costs_to_take_a_vcpu_off_is_told, 60)
{
	struct vmm_step steps[] = {
		{ .kind = VMM_SPIN, .n = scaled(2000000) },
		{ .kind = VMM_CPUID, .n = 1 },
	};
	struct event e[MANY];
	struct kvmx_hint_counts c;
	unsigned int n;
	int company;

	hint_allow(self->fd, HINT_ALL_KINDS & ~(1U << KVMX_KIND_YIELD_TO),
		   KVMX_EFFECT_NONE, 0);
	ASSERT_EQ(0, registered(self->v));
	EXPECT_EQ(KVMX_COST_USUAL, cost_of(self, 0));
	EXPECT_EQ(KVMX_COST_BATCH,
		  cost_of(self, KVMX_HINT_WORD(KVMX_KIND_BATCH, 1, 0)));
	EXPECT_EQ(KVMX_COST_WAITS, cost_of(self, WAITS));
	EXPECT_EQ(KVMX_COST_RUNS,
		  cost_of(self, KVMX_HINT_WORD(KVMX_KIND_LATENCY, 1,
					       KVMX_LATENCY_RUNS)));
	EXPECT_EQ(KVMX_COST_CRITICAL, cost_of(self, CRITICAL));

	if (self->tracing && events_enable(HERE, "taken_off", "1"))
		self->tracing = false;
	pin(0, last_cpu());
	company = hog(last_cpu());
	do {
		vmm_run(self->v, steps, 2);
		c = hint_counts(self->fd, 0, KVMX_KIND_CRITICAL);
	} while (c.taken_off < 5);
	hog_end(company);
	EXPECT_EQ(events_here(), self->tracing);
	if (!self->tracing)
		SKIP(return, "no tracefs: no look at the event");
	n = events_get(HERE, "taken_off", self->id, e, MANY);
	ASSERT_LE(5, n);
	EXPECT_STREQ("critical", event_str(&e[4], "kind"));
	EXPECT_EQ(KVMX_COST_CRITICAL, event_num(&e[4], "cost"));
}

static void interrupt(struct vmm_vcpu *v)
{
	struct kvm_msi msi = {
		.address_lo = 0xfee00000 | v->id << 12,
		.data = VMM_VECTOR,
	};

	ioctl(v->vm->fd, KVM_SIGNAL_MSI, &msi);
}

/* Before its guest and before kvmx's kthread, on their CPU: sees all stand still. */
static bool before_all(int tid)
{
	struct sched_param above = { .sched_priority = 80 };

	pin(0, last_cpu());
	pin(tid, last_cpu());
	pin(hint_kthread(), last_cpu());
	return !sched_setscheduler(0, SCHED_FIFO, &above);
}

TEST_F_TIMEOUT(limit, an_interrupt_earns_a_thread_that_is_kept_off_a_grant, 120)
{
	struct vmm_step steps[] = {
		{ .kind = VMM_SPIN, .n = 20000 },
		{ .kind = VMM_CPUID, .n = 1 },
	};
	unsigned int i, earned = 0, boosted = 0;
	struct kvmx_hint h = generous();
	struct kvmx_hint_counts c;
	uint64_t before;

	ASSERT_EQ(0, hint_set(self->fd, &h));
	ASSERT_EQ(0, registered(self->v));
	vmm_start(self->v, steps, 2);
	while (!self->v->tid)
		usleep(100);
	ASSERT_TRUE(before_all(self->v->tid));
	/* Nobody waits there: an interrupt is nothing special. */
	usleep(30000);
	interrupt(self->v);
	usleep(30000);
	EXPECT_EQ(0, hint_counts(self->fd, 0, KVMX_KIND_LATENCY).granted);
	self->a->guest.hint = WAITS;
	self->a->guest.seq++;
	for (i = 0; i < 20; i++) {
		usleep(40000 * patience());
		before = hint_counts(self->fd, 0, KVMX_KIND_LATENCY).granted;
		interrupt(self->v);
		/* It, and kvmx's kthread, are kept off by us: nothing is done yet. */
		EXPECT_EQ(SCHED_OTHER, hint_sched(self->v->tid));
		earned += hint_counts(self->fd, 0, KVMX_KIND_LATENCY).granted -
			  before;
		usleep(3000);
		boosted += hint_sched(self->v->tid) == SCHED_FIFO;
	}
	/* It may have been in user space, or about to go there. */
	EXPECT_LE(5, earned);
	EXPECT_LE(5, boosted);
	EXPECT_NE(HINT_NEVER, hint_until(self->v->tid, SCHED_OTHER));
	vmm_stop(self->v);
	c = hint_counts(self->fd, 0, KVMX_KIND_LATENCY);
	printf("# 20 interrupts: %u earned, %u boosted, %lu granted\n", earned,
	       boosted, (unsigned long)c.granted);
	/* One may have begun meanwhile; or had no time left when its thread ran. */
	EXPECT_LT(0, c.expired + c.released);
	EXPECT_GE(c.granted, c.expired + c.released);
}

TEST_F_TIMEOUT(limit, hints_and_grants_are_told_as_trace_events, 60)
{
	struct event e[MANY];
	struct kvmx_hint h = generous();
	unsigned int i;

	if (!self->tracing)
		SKIP(return, "no tracefs, or a kernel without trace events");
	ASSERT_EQ(0, hint_set(self->fd, &h));
	ASSERT_EQ(0, events_enable(HERE, "hint", "1"));
	ASSERT_EQ(0, events_enable(HERE, "grant", "1"));
	ASSERT_EQ(0, events_enable(HERE, "grant_end", "1"));
	for (i = 0; i < 10; i++) {
		hint_call(self->v, KVMX_HC_HINT,
			  KVMX_HINT_WORD(KVMX_KIND_CRITICAL, 3, 7), 55, 0);
		hint_call(self->v, KVMX_HC_RELEASE, 0, 0, 0);
	}
	hint_call(self->v, KVMX_HC_HINT,
		  KVMX_HINT_WORD(KVMX_KIND_BATCH, 1, 0), 0, 0);
	hint_call(self->v, KVMX_HC_HINT, 0xff0000ff, 0, 0);
	ASSERT_EQ(12, events_get(HERE, "hint", self->id, e, MANY));
	EXPECT_STREQ("call", event_str(&e[0], "way"));
	EXPECT_STREQ("critical", event_str(&e[0], "kind"));
	EXPECT_STREQ("granted", event_str(&e[0], "verdict"));
	EXPECT_EQ(3, event_num(&e[0], "nesting"));
	EXPECT_EQ(7, event_num(&e[0], "urgency"));
	EXPECT_EQ(55, event_num(&e[0], "length_us"));
	EXPECT_STREQ("batch", event_str(&e[10], "kind"));
	EXPECT_STREQ("not_allowed", event_str(&e[10], "verdict"));
	EXPECT_STREQ("malformed", event_str(&e[11], "verdict"));
	ASSERT_EQ(10, events_get(HERE, "grant", self->id, e, MANY));
	EXPECT_STREQ("critical", event_str(&e[9], "kind"));
	EXPECT_EQ(KVMX_EFFECT_FIFO, event_num(&e[9], "effect"));
	EXPECT_GE(GRANT_US * 1000, event_num(&e[9], "ns"));
	ASSERT_EQ(10, events_get(HERE, "grant_end", self->id, e, MANY));
	EXPECT_STREQ("critical", event_str(&e[9], "kind"));

	/* In the middle of one hints are switched off. */
	EXPECT_EQ(1, hint_call(self->v, KVMX_HC_HINT, CRITICAL, 0, 0));
	hint_off(self->fd);
	ASSERT_EQ(11, events_get(HERE, "grant_end", self->id, e, MANY));
	EXPECT_STREQ("off", event_str(&e[10], "why"));
}

HOST_HARNESS_MAIN
