// SPDX-License-Identifier: GPL-2.0-only
/* Halt polling for guests that say that they wait for something. */
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "hint.h"
#include "host.h"
#include "kvmx.h"
#include "vmm.h"

#define LATENCY		KVMX_HINT_WORD(KVMX_KIND_LATENCY, 1, 0)

FIXTURE(poll) {
	int node, fd;
	struct vmm_vcpu *v;
	struct kvmx_area *a;
};

FIXTURE_SETUP(poll)
{
	self->v = hint_guest(VMM_IRQCHIP, &self->node, &self->fd);
	self->a = hint_area(self->v);
}

FIXTURE_TEARDOWN(poll)
{
	hint_guest_end(self->v, self->node, self->fd);
}

/* KVM's own: how often it polled in front of a halt. */
static uint64_t polled(struct vmm_vcpu *v)
{
	struct stats *s = kvm_stats(v->fd);
	uint64_t n;

	stats_read(s);
	n = stats_get(s, "halt_attempted_poll");
	stats_close(s);
	return n;
}

/* A new policy; the guest says that it waits, until it does not. */
static int wait_with(FIXTURE_DATA(poll) *self, unsigned int effect, int us)
{
	struct kvmx_hint h = hint_effect(1U << KVMX_KIND_LATENCY, effect, us);
	int err = hint_set(self->fd, &h);

	if (err)
		return err;
	memset(self->a, 0, 4096);
	if (hint_call(self->v, KVMX_HC_REGISTER, HINT_AREA, 0,
		      sizeof(*self->a)))
		return -1;
	self->a->guest.hint = LATENCY;
	self->a->guest.seq++;
	return 0;
}

TEST_F_TIMEOUT(poll, a_guest_that_halts_is_polled_for, 60)
{
	uint64_t before;

	/* After halts of such length KVM does not poll by itself. */
	self->v->halt_us = 20000;
	vmm_do(self->v, VMM_HLT, 5);
	before = polled(self->v);
	vmm_do(self->v, VMM_HLT, 10);
	EXPECT_GE(2, polled(self->v) - before);

	ASSERT_EQ(0, wait_with(self, KVMX_EFFECT_POLL, 50));
	before = polled(self->v);
	vmm_do(self->v, VMM_HLT, 10);
	EXPECT_LE(10, polled(self->v) - before);
	EXPECT_LE(10, hint_counts(self->fd, 0, KVMX_KIND_LATENCY).granted);
	EXPECT_EQ(0, hint_counts(self->fd, 0, KVMX_KIND_LATENCY).time_ns);

	/* Without the hint, or without leave, it is as before. */
	self->a->guest.hint = 0;
	vmm_do(self->v, VMM_HLT, 1);
	before = polled(self->v);
	vmm_do(self->v, VMM_HLT, 10);
	EXPECT_GE(2, polled(self->v) - before);
}

/* Time in halts, by KVM's own account. */
static uint64_t halted_ns(struct vmm_vcpu *v)
{
	struct stats *s = kvm_stats(v->fd);
	uint64_t ns;

	stats_read(s);
	ns = stats_get(s, "halt_wait_ns") + stats_get(s, "halt_poll_fail_ns") +
	     stats_get(s, "halt_poll_success_ns");
	stats_close(s);
	return ns;
}

#define FIT_US		10000
#define MOST_TRIES	20

/* Of 1 ms: KVM itself does not poll for such, and they fit. */
TEST_F_TIMEOUT(poll, polling_fits_halts_that_are_short_enough, 120)
{
	uint64_t before, from = halted_ns(self->v), n = 0;
	int tries;

	self->v->halt_us = 1000;
	ASSERT_EQ(0, wait_with(self, KVMX_EFFECT_FIT, FIT_US));
	for (tries = 0; tries < MOST_TRIES && n < 5; tries++) {
		before = polled(self->v);
		vmm_do(self->v, VMM_HLT, 10);
		n = polled(self->v) - before;
	}
	/* Half of them at least were longer than may be polled. */
	if (n < 5 && halted_ns(self->v) - from > MOST_TRIES * 5ULL * FIT_US * 1000)
		SKIP(return, "this machine is too slow: halts of 1 ms take longer than 10");
	EXPECT_LE(5, n);
	EXPECT_LE(5, hint_counts(self->fd, 0, KVMX_KIND_LATENCY).granted);
}

TEST_F_TIMEOUT(poll, polling_does_not_fit_halts_that_are_longer, 60)
{
	uint64_t before;

	self->v->halt_us = 2 * FIT_US;
	ASSERT_EQ(0, wait_with(self, KVMX_EFFECT_FIT, FIT_US));
	vmm_do(self->v, VMM_HLT, 5);
	before = polled(self->v);
	vmm_do(self->v, VMM_HLT, 10);
	EXPECT_GE(2, polled(self->v) - before);
}

HOST_HARNESS_MAIN
