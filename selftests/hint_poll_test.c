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

/* Halts that KVM itself does not poll for, in either length. */
TEST_F_TIMEOUT(poll, polling_to_fit_ends_where_halts_are_longer, 60)
{
	uint64_t before;

	self->v->halt_us = 1000;
	ASSERT_EQ(0, wait_with(self, KVMX_EFFECT_FIT, 10000));
	vmm_do(self->v, VMM_HLT, 10);
	before = polled(self->v);
	vmm_do(self->v, VMM_HLT, 10);
	EXPECT_LE(5, polled(self->v) - before);
	EXPECT_LE(5, hint_counts(self->fd, 0, KVMX_KIND_LATENCY).granted);

	/* What it knows of halts begins anew with the policy. */
	self->v->halt_us = 20000;
	ASSERT_EQ(0, wait_with(self, KVMX_EFFECT_FIT, 10000));
	vmm_do(self->v, VMM_HLT, 5);
	before = polled(self->v);
	vmm_do(self->v, VMM_HLT, 10);
	EXPECT_GE(2, polled(self->v) - before);
}

HOST_HARNESS_MAIN
