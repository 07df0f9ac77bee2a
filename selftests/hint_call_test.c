// SPDX-License-Identifier: GPL-2.0-only
/* Hypercalls: who is answered, what, and that everybody is who should be. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "kselftest_harness.h"

#include "hint.h"
#include "host.h"
#include "kvmx.h"
#include "module.h"
#include "vmm.h"

#define BIT(n)		(1U << (n))
#define WORD		KVMX_HINT_WORD(KVMX_KIND_LATENCY, 1, 7)

FIXTURE(call) {
	int node, fd;
	struct vmm *vm;
	struct vmm_vcpu *v;
};

FIXTURE_SETUP(call)
{
	self->v = hint_guest(0, &self->node, &self->fd);
	self->vm = self->v->vm;
}

FIXTURE_TEARDOWN(call)
{
	hint_guest_end(self->v, self->node, self->fd);
}

TEST_F_TIMEOUT(call, nobody_answers_a_vm_that_may_not_hint, 60)
{
	EXPECT_EQ(-KVM_ENOSYS, hint_query(self->v, KVMX_QUERY_VERSION));
	hint_allow(self->fd, HINT_ALL_KINDS, KVMX_EFFECT_NONE, 0);
	EXPECT_EQ(KVMX_PARA_VERSION, hint_query(self->v, KVMX_QUERY_VERSION));
	hint_off(self->fd);
	EXPECT_EQ(-KVM_ENOSYS, hint_query(self->v, KVMX_QUERY_VERSION));
	/* Such calls are not even seen. */
	EXPECT_EQ(1, hint_counts(self->fd, 0, KVMX_KIND_NONE).calls);
}

TEST_F_TIMEOUT(call, a_query_tells_just_the_kinds_that_are_allowed, 60)
{
	unsigned int kinds;

	for (kinds = 2; kinds <= HINT_ALL_KINDS; kinds += 2) {
		hint_allow(self->fd, kinds, KVMX_EFFECT_NONE, 0);
		EXPECT_EQ(kinds, hint_query(self->v, KVMX_QUERY_KINDS));
	}
}

TEST_F_TIMEOUT(call, another_vm_is_not_answered_meanwhile, 60)
{
	struct vmm *vm = vmm_create(0);
	struct vmm_vcpu *v = vmm_add_vcpu(vm);

	hint_allow(self->fd, HINT_ALL_KINDS, KVMX_EFFECT_NONE, 0);
	EXPECT_EQ(-KVM_ENOSYS, hint_query(v, KVMX_QUERY_VERSION));
	EXPECT_EQ(KVMX_PARA_VERSION, hint_query(self->v, KVMX_QUERY_VERSION));
	vmm_destroy(vm);
}

TEST_F_TIMEOUT(call, a_vcpu_that_is_added_later_may_hint_too, 60)
{
	struct vmm_vcpu *v;

	hint_allow(self->fd, HINT_ALL_KINDS, KVMX_EFFECT_NONE, 0);
	v = vmm_add_vcpu(self->vm);
	EXPECT_EQ(KVMX_PARA_VERSION, hint_query(v, KVMX_QUERY_VERSION));
	EXPECT_EQ(1, hint_counts(self->fd, 1, KVMX_KIND_NONE).calls);
}

TEST_F_TIMEOUT(call, what_is_not_known_is_refused, 60)
{
	static const uint32_t ops[] = { KVMX_NR_HC, 7, 1000, 0x80000000,
					0xffffffff };
	static const uint32_t words[] = {
		KVMX_HINT_WORD(KVMX_NR_KINDS, 1, 0),
		KVMX_HINT_WORD(0xff, 1, 0),
		KVMX_HINT_WORD(KVMX_KIND_YIELD_TO, 1, 0),
		KVMX_HINT_WORD(KVMX_KIND_LATENCY, 0, 0),	/* not open */
		KVMX_HINT_WORD(KVMX_KIND_NONE, 1, 0),
		WORD | 0x1000000, WORD | 0x80000000,
	};
	unsigned int i;

	hint_allow(self->fd, HINT_ALL_KINDS, KVMX_EFFECT_NONE, 0);
	for (i = 0; i < 5; i++)
		EXPECT_EQ(-KVM_EOPNOTSUPP, hint_call(self->v, ops[i], 0, 0, 0));
	for (i = 4; i < 40; i++)
		EXPECT_EQ(-KVM_EINVAL, hint_query(self->v, i));
	EXPECT_EQ(-KVM_EINVAL, hint_query(self->v, 0xffffffff));
	for (i = 0; i < 7; i++)
		EXPECT_EQ(-KVM_EINVAL,
			  hint_call(self->v, KVMX_HC_HINT, words[i], 0, 0)) {
			TH_LOG("word %#x", words[i]);
		}
	EXPECT_EQ(0, hint_call(self->v, KVMX_HC_HINT, WORD, 0, 0));
}

TEST_F_TIMEOUT(call, hints_are_counted_by_kind_and_outcome, 60)
{
	struct kvmx_hint_counts c;

	hint_allow(self->fd, BIT(KVMX_KIND_LATENCY), KVMX_EFFECT_NONE, 0);
	hint_load(self->v, KVMX_HC_HINT, WORD, 100, 0, 0);
	vmm_do(self->v, VMM_KVMX, 300);
	EXPECT_EQ(0, vmm_call(self->v)->others);
	hint_load(self->v, KVMX_HC_HINT,
		  KVMX_HINT_WORD(KVMX_KIND_BATCH, 1, 0), 0, 0, -KVM_EOPNOTSUPP);
	vmm_do(self->v, VMM_KVMX, 20);
	EXPECT_EQ(0, vmm_call(self->v)->others);
	hint_load(self->v, KVMX_HC_HINT, WORD | 0x1000000, 0, 0, -KVM_EINVAL);
	vmm_do(self->v, VMM_KVMX, 7);
	EXPECT_EQ(0, vmm_call(self->v)->others);

	c = hint_counts(self->fd, 0, KVMX_KIND_LATENCY);
	EXPECT_EQ(307, c.given);
	EXPECT_EQ(307, c.calls);
	EXPECT_EQ(7, c.refused_bad);
	EXPECT_EQ(0, c.granted);	/* the effect is none */
	c = hint_counts(self->fd, KVMX_STATS_WHOLE_VM, KVMX_KIND_BATCH);
	EXPECT_EQ(20, c.given);
	EXPECT_EQ(20, c.refused_kind);
	c = hint_counts(self->fd, 0, KVMX_KIND_CRITICAL);
	EXPECT_EQ(0, c.given + c.calls);
}

TEST_F_TIMEOUT(call, each_call_is_answered_among_signals, 300)
{
	uint64_t n = scaled(20000);
	struct vmm_step step = { .kind = VMM_KVMX, .n = n };

	hint_allow(self->fd, HINT_ALL_KINDS, KVMX_EFFECT_NONE, 0);
	hint_load(self->v, KVMX_HC_HINT, WORD, 0, 0, 0);
	hint_pester(syscall(SYS_gettid), 300);
	vmm_run(self->v, &step, 1);
	hint_leave_alone();
	EXPECT_EQ(0, vmm_call(self->v)->others) {
		TH_LOG("the last one was %ld", (long)vmm_call(self->v)->other);
	}
	EXPECT_EQ(n, hint_counts(self->fd, 0, KVMX_KIND_LATENCY).given);
	/* There were signals in it. */
	EXPECT_LT(n / 1000, self->v->runs);
}

/* Singlestepped, each instruction goes to user space: the call as well. */
static int step_to_call(struct vmm_vcpu *v, struct kvm_regs *r)
{
	struct kvm_guest_debug debug = {
		.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP,
	};
	unsigned int i;

	hint_load(v, KVMX_HC_QUERY, KVMX_QUERY_VERSION, 0, 0, KVMX_PARA_VERSION);
	v->prog->nr = 1;
	v->prog->steps[0] = (struct vmm_step) {
		.kind = vmm_intel() ? VMM_KVMX_VMCALL : VMM_KVMX, .n = 1,
	};
	if (ioctl(v->fd, KVM_SET_GUEST_DEBUG, &debug))
		return -errno;
	for (i = 0; i < 500; i++) {
		if (ioctl(v->fd, KVM_RUN, 0))
			return -errno;
		if (v->run->exit_reason != KVM_EXIT_DEBUG)
			return -EPROTO;
		if (ioctl(v->fd, KVM_GET_REGS, r))
			return -errno;
		if (r->rax == (uint64_t)-KVM_ENOSYS)
			return 0;
	}
	return -ETIME;
}

/*
 * To the end of the batch. Step by step all the way: in Bochs a trap is left over
 * from the call, which the guest would not survive.
 */
static uint64_t run_on(struct vmm_vcpu *v)
{
	struct kvm_guest_debug debug = { 0 };
	unsigned int i;

	for (i = 0; i < 500; i++) {
		if (ioctl(v->fd, KVM_RUN, 0))
			return 0;
		if (v->run->exit_reason != KVM_EXIT_DEBUG)
			break;
	}
	if (v->run->exit_reason != KVM_EXIT_IO)
		printf("# KVM_RUN ended with reason %u\n", v->run->exit_reason);
	if (ioctl(v->fd, KVM_SET_GUEST_DEBUG, &debug))
		return 0;
	return vmm_call(v)->ret;
}

TEST_F_TIMEOUT(call, an_answer_waits_for_the_guest_to_come_back, 60)
{
	struct kvm_regs r;

	hint_allow(self->fd, HINT_ALL_KINDS, KVMX_EFFECT_NONE, 0);
	ASSERT_EQ(0, step_to_call(self->v, &r));
	EXPECT_EQ(KVMX_PARA_VERSION, run_on(self->v));
	EXPECT_EQ(1, hint_counts(self->fd, 0, KVMX_KIND_NONE).calls);
}

TEST_F_TIMEOUT(call, a_guest_that_comes_back_elsewhere_is_left_alone, 60)
{
	struct kvm_regs r;

	hint_allow(self->fd, HINT_ALL_KINDS, KVMX_EFFECT_NONE, 0);
	/* Somebody else has answered. */
	ASSERT_EQ(0, step_to_call(self->v, &r));
	r.rax = 4711;
	ASSERT_EQ(0, ioctl(self->v->fd, KVM_SET_REGS, &r));
	EXPECT_EQ(4711, run_on(self->v));
	/* Or it stands in front of another instruction: a NOP, where RAX goes on. */
	ASSERT_EQ(0, step_to_call(self->v, &r));
	memcpy(self->vm->mem + 0x8000, (uint8_t[]){ 0x90, 0xff, 0xe3 }, 3);
	r.rbx = r.rip;
	r.rip = 0x8000;
	ASSERT_EQ(0, ioctl(self->v->fd, KVM_SET_REGS, &r));
	EXPECT_EQ(-KVM_ENOSYS, (int64_t)run_on(self->v));
	EXPECT_EQ(0, hint_counts(self->fd, 0, KVMX_KIND_NONE).calls);
}

TEST_F_TIMEOUT(call, hints_end_while_an_answer_is_owed, 60)
{
	struct kvm_regs r;

	hint_allow(self->fd, HINT_ALL_KINDS, KVMX_EFFECT_NONE, 0);
	ASSERT_EQ(0, step_to_call(self->v, &r));
	hint_off(self->fd);
	EXPECT_EQ(-KVM_ENOSYS, (int64_t)run_on(self->v));
	hint_allow(self->fd, HINT_ALL_KINDS, KVMX_EFFECT_NONE, 0);
	/* See run_on(): there this one has had its last step. */
	if (!vmm_intel()) {
		EXPECT_EQ(KVMX_PARA_VERSION,
			  hint_query(self->v, KVMX_QUERY_VERSION));
	}
	EXPECT_EQ(KVMX_PARA_VERSION,
		  hint_query(vmm_add_vcpu(self->vm), KVMX_QUERY_VERSION));
}

TEST_F_TIMEOUT(call, a_user_program_of_the_guest_gets_eperm, 60)
{
	vmm_set_up_user(self->v);
	hint_allow(self->fd, HINT_ALL_KINDS, KVMX_EFFECT_NONE, 0);
	hint_load(self->v, KVMX_HC_HINT, WORD, 0, 0, -KVM_EPERM);
	vmm_do(self->v, VMM_KVMX, 100);
	EXPECT_EQ(0, vmm_call(self->v)->others) {
		TH_LOG("the last one was %ld", (long)vmm_call(self->v)->other);
	}
	/* It causes nothing, and pays nothing of what the kernel may. */
	EXPECT_EQ(0, hint_counts(self->fd, 0, KVMX_KIND_LATENCY).given);
	EXPECT_EQ(0, hint_counts(self->fd, 0, KVMX_KIND_NONE).calls);
	vmm_set_up(self->v);
	EXPECT_EQ(KVMX_PARA_VERSION, hint_query(self->v, KVMX_QUERY_VERSION));
}

TEST_F_TIMEOUT(call, a_32_bit_guest_is_answered_in_32_bits, 120)
{
	struct vmm_call *c = vmm_call(self->v);
	uint32_t n = scaled(2000);

	vmm_set_up_32(self->v);
	hint_allow(self->fd, HINT_ALL_KINDS, KVMX_EFFECT_NONE, 0);
	hint_load(self->v, KVMX_HC_QUERY, KVMX_QUERY_KINDS, 0, 0, HINT_ALL_KINDS);
	c->rounds = n;
	hint_pester(syscall(SYS_gettid), 300);
	vmm_run(self->v, NULL, 0);
	hint_leave_alone();
	EXPECT_EQ(0, c->others);
	EXPECT_EQ(n, hint_counts(self->fd, 0, KVMX_KIND_NONE).calls);
	hint_load(self->v, 1000, 0, 0, 0, (uint32_t)-KVM_EOPNOTSUPP);
	c->rounds = 10;
	vmm_run(self->v, NULL, 0);
	EXPECT_EQ(0, c->others);
}

TEST_F_TIMEOUT(call, a_flood_is_refused_beyond_the_limit, 60)
{
	struct kvmx_hint h = hint_effect(HINT_ALL_KINDS, KVMX_EFFECT_NONE, 0);
	uint64_t n = 2000, from, ticks;
	struct kvmx_hint_counts c;
	struct kvmx_info info;

	ASSERT_EQ(0, kvmx_info(self->node, &info));
	h.calls_per_s = 100;
	ASSERT_EQ(0, hint_set(self->fd, &h));
	hint_load(self->v, KVMX_HC_QUERY, KVMX_QUERY_VERSION, 0, 0,
		  KVMX_PARA_VERSION);
	from = vmm_tsc();
	vmm_do(self->v, VMM_KVMX, n);
	ticks = vmm_tsc() - from;
	c = hint_counts(self->fd, 0, KVMX_KIND_NONE);
	EXPECT_EQ(n, c.calls + c.calls_refused);
	EXPECT_EQ(c.calls_refused, vmm_call(self->v)->others);
	EXPECT_EQ(-KVM_E2BIG, (int64_t)vmm_call(self->v)->other);
	/* What may be done at once, and what the time allows. */
	EXPECT_LE(1, c.calls);
	if (info.clock == KVMX_CLOCK_TSC)
		EXPECT_GE(3 + ticks / info.clock_khz / 5, c.calls);
	/* After a while it is answered again. */
	usleep(100000);
	EXPECT_EQ(KVMX_PARA_VERSION, hint_query(self->v, KVMX_QUERY_VERSION));
}

TEST_F_TIMEOUT(call, other_numbers_are_none_of_ours, 60)
{
	static const uint32_t nrs[] = { 0, 100, 1000, KVMX_HC + 1, KVMX_HC - 1,
					0xffffffff };
	unsigned int i;

	hint_allow(self->fd, HINT_ALL_KINDS, KVMX_EFFECT_NONE, 0);
	for (i = 0; i < 6; i++) {
		hint_load(self->v, 0, 0, 0, 0, 0);
		vmm_call(self->v)->nr = nrs[i];
		vmm_do(self->v, VMM_KVMX, 1);
		EXPECT_EQ(-KVM_ENOSYS, (int64_t)vmm_call(self->v)->ret);
	}
	EXPECT_EQ(0, hint_counts(self->fd, 0, KVMX_KIND_NONE).calls);
}

TEST_F_TIMEOUT(call, counted_or_not_it_is_the_same, 120)
{
	struct stats *s = kvmx_stats(self->fd, 0);
	uint64_t n = scaled(5000);

	hint_allow(self->fd, HINT_ALL_KINDS, KVMX_EFFECT_NONE, 0);
	hint_load(self->v, KVMX_HC_QUERY, KVMX_QUERY_KINDS, 0, 0, HINT_ALL_KINDS);
	hint_pester(syscall(SYS_gettid), 300);
	vmm_do(self->v, VMM_KVMX, n);
	hint_leave_alone();
	EXPECT_EQ(0, vmm_call(self->v)->others);
	stats_read(s);
	EXPECT_EQ(n, stats_exit(s, vmm_reason(VMM_KVMX), "count"));
	stats_close(s);
}

static void start_calls(struct vmm_vcpu *v)
{
	struct vmm_step steps[] = {
		{ .kind = VMM_KVMX, .n = 50 },
		{ .kind = VMM_OUT_USER, .n = 1 },
	};

	hint_load(v, KVMX_HC_QUERY, KVMX_QUERY_VERSION, 0, 0, KVMX_PARA_VERSION);
	/* rmmod waits until each thread has slept once: synchronize_rcu_tasks(). */
	v->user_us = 1000;
	vmm_start(v, steps, 2);
}

/* Two rounds more of calls; false where the guest does not get on. */
static bool goes_on(struct vmm_vcpu *v)
{
	uint64_t rounds = v->rounds;
	unsigned int i;

	for (i = 0; i < 20000 * patience(); i++) {
		if (v->rounds >= rounds + 2)
			return true;
		usleep(1000);
	}
	return false;
}

/* Unloads kvmx. Returns how long that took, in ms; -1: it did not go. */
static long unload_ms(void)
{
	unsigned long refused = 0;
	struct timespec a, b;

	clock_gettime(CLOCK_MONOTONIC, &a);
	if (!module_unload_busy(10, &refused))
		return -1;
	clock_gettime(CLOCK_MONOTONIC, &b);
	return (b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000;
}

TEST_F_TIMEOUT(call, kvmx_goes_and_comes_while_a_guest_calls, 240)
{
	struct kvmx_hint h = hint_effect(HINT_ALL_KINDS, KVMX_EFFECT_NONE, 0);
	const char *ko = module_file();
	long ms = 0, worst = 0;
	unsigned int i;

	if (!ko)
		SKIP(return, "the module's file is not at hand");
	h.flags = KVMX_HINT_COMMIT;
	h.calls_per_s = 1000000;
	start_calls(self->v);
	/* Seldom enough that a slow machine gets into the guest in between. */
	hint_pester(self->v->tid, 2000);
	for (i = 0; i < 6 && ms >= 0; i++) {
		EXPECT_EQ(0, hint_set(self->fd, &h));
		EXPECT_TRUE(goes_on(self->v)) TH_LOG("round %u, with kvmx", i);
		close(self->fd);
		close(self->node);
		self->fd = -1;
		self->node = -1;
		ms = unload_ms();
		EXPECT_LE(0, ms);
		worst = ms > worst ? ms : worst;
		EXPECT_TRUE(goes_on(self->v)) TH_LOG("round %u, without", i);
		/* Without kvmx it is KVM that answers. */
		EXPECT_EQ(-KVM_ENOSYS, (int64_t)vmm_call(self->v)->ret);
		EXPECT_EQ(0, module_load(ko, ""));
		self->node = kvmx_node_rw();
		self->fd = kvmx_vm_by_fd(self->node, self->vm->fd);
	}
	printf("# unloaded %u times, in %ld ms at most\n", i, worst);
	hint_leave_alone();
	vmm_stop(self->v);
	ASSERT_EQ(0, hint_set(self->fd, &h));
	EXPECT_EQ(KVMX_PARA_VERSION, hint_query(self->v, KVMX_QUERY_VERSION));
	hint_off(self->fd);
}

HOST_HARNESS_MAIN
