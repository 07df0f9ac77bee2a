// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVMX_STATS_TLB: what becomes of a vCPU's TLB entries while it is away, on
 * another CPU or on none.
 */
#include <cpuid.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "kselftest_harness.h"

#include "company.h"
#include "die.h"
#include "host.h"
#include "kvmx.h"
#include "setup.h"
#include "tlb.h"
#include "topo.h"
#include "vmm.h"

#define N		20
/* A timer of 1 ms may have run out before a slow kernel has gone to sleep. */
#define SLEEP_US	10000

FIXTURE(tlb) {
	struct tlb t;
};

FIXTURE_SETUP(tlb)
{
	tlb_begin(&self->t);
}

FIXTURE_TEARDOWN(tlb)
{
	tlb_end(&self->t);
}

TEST_F_TIMEOUT(tlb, sleeps_keep_all_and_change_no_tag, 60)
{
	struct tlb *t = &self->t;
	uint64_t tag;

	t->v->user_us = SLEEP_US;
	tlb_mark(t);
	tag = stats_get(t->s, "tlb.tag.number");
	vmm_do(t->v, VMM_OUT_USER, N);
	EXPECT_STREQ("", tlb_changes(t));
	EXPECT_NE(0, tag);
	EXPECT_EQ(tag, stats_get(t->s, "tlb.tag.number"));
	EXPECT_EQ(t->cpu, stats_get(t->s, "tlb.tag.cpu"));
	EXPECT_EQ(0, tlb_rise(t, "tlb.tag.changes"));
	if (!stats_find(t->s, "tlb.kept.same_cpu"))
		SKIP(return, "needs sched_switch");
	EXPECT_LE(N, tlb_rise(t, "tlb.kept.same_cpu"));
	EXPECT_EQ(0, tlb_rises(t, "tlb.lost."));
}

TEST_F_TIMEOUT(tlb, sleeps_with_a_flush_lose_it, 60)
{
	struct tlb *t = &self->t;
	unsigned int i;

	if (!stats_find(t->s, "tlb.kept.same_cpu"))
		SKIP(return, "needs sched_switch");
	tlb_mark(t);
	for (i = 0; i < N; i++) {
		tlb_write_page(t->v, 0);
		tlb_take_page(t->mem, 0);
		usleep(SLEEP_US);
		vmm_do(t->v, VMM_CPUID, 1);
	}
	tlb_expect(t, " flushes=%d kind.%s=%d cause.remote=%d", N, tlb_whole(), N, N);
	EXPECT_EQ(N, tlb_rise(t, "tlb.lost.same_cpu"));
	EXPECT_EQ(N, tlb_rises(t, "tlb.lost."));
	/* AMD without a flush of one tag: another tag each time. */
	EXPECT_EQ(tlb_rise(t, "tlb.kind.new_asid"),
		  tlb_rise(t, "tlb.tag.changes"));
}

/* Another VM's vCPU, whose flushes are in a thread of its own on this CPU. */
struct neighbour {
	struct vmm *vm;
	struct vmm_vcpu *v;
};

static void neighbour_begin(struct neighbour *n)
{
	n->vm = vmm_create(0);
	n->v = vmm_add_vcpu(n->vm);
	vmm_warm(n->v);
}

/* While the caller waits: its thread is put on the CPU again afterwards. */
static void neighbour_flushes(struct neighbour *n)
{
	do_aside(n->v, VMM_TOUCH, 1);
	if (madvise(n->v->fresh_mem, VMM_FRESH_PAGES * 4096UL, MADV_DONTNEED))
		die_errno("MADV_DONTNEED");
	do_aside(n->v, VMM_CPUID, 1);
}

/* INVEPT of everything takes what is other guests', a new ASID does not. */
TEST_F_TIMEOUT(tlb, what_another_vm_flushes_is_lost_on_intel_alone, 120)
{
	struct tlb *t = &self->t;
	struct neighbour n;
	uint64_t anew;
	unsigned int i;

	if (!stats_find(t->s, "tlb.kept.same_cpu"))
		SKIP(return, "needs sched_switch");
	neighbour_begin(&n);
	tlb_mark(t);
	for (i = 0; i < N; i++) {
		neighbour_flushes(&n);
		vmm_do(t->v, VMM_CPUID, 1);
	}
	vmm_destroy(n.vm);
	stats_read(t->s);
	anew = tlb_rise(t, "tlb.cause.tags_used_up");
	EXPECT_EQ(anew, tlb_rise(t, "tlb.flushes"));
	if (vmm_intel()) {
		EXPECT_EQ(N, tlb_rise(t, "tlb.lost.same_cpu"));
		return;
	}
	EXPECT_GE(2, anew);
	EXPECT_EQ(anew, tlb_rises(t, "tlb.lost."));
	EXPECT_LE(N - anew, tlb_rise(t, "tlb.kept.same_cpu"));
}

/* How many ASIDs there are, 0 included, which is the host's. */
static unsigned int asids(void)
{
	unsigned int a, b, c, d;

	__cpuid(0x8000000a, a, b, c, d);
	return b;
}

TEST_F_TIMEOUT(tlb, a_cpu_that_has_given_out_all_tags_begins_anew, 60)
{
	struct tlb *t = &self->t;
	struct neighbour n;
	unsigned int i;

	if (vmm_intel())
		SKIP(return, "VMX gives out tags once for all CPUs");
	if (asids() > 256)
		SKIP(return, "giving out %u ASIDs takes long", asids());
	neighbour_begin(&n);
	tlb_mark(t);
	for (i = 0; i < asids(); i++)
		neighbour_flushes(&n);
	vmm_do(t->v, VMM_CPUID, 1);
	vmm_destroy(n.vm);
	EXPECT_STREQ(" flushes=1 kind.new_asid=1 cause.tags_used_up=1",
		     tlb_changes(t));
	EXPECT_EQ(1, tlb_rise(t, "tlb.tag.changes"));
}

TEST_F_TIMEOUT(tlb, vcpus_that_share_a_cpu_share_no_tag, 60)
{
	struct tlb *t = &self->t;
	struct vmm_vcpu *other = vmm_add_vcpu(t->vm);
	struct stats *s = kvmx_stats_with(t->fd, 1, KVMX_STATS_TLB);
	unsigned int i;

	vmm_warm(other);
	tlb_mark(t);
	for (i = 0; i < N; i++) {
		vmm_do(other, VMM_CPUID, 1);
		vmm_do(t->v, VMM_CPUID, 1);
	}
	/* KVM flushes for it where guests are encrypted, and not here. */
	EXPECT_STREQ("", tlb_changes(t));
	EXPECT_EQ(N, tlb_rise(t, "tlb.sibling_ran"));
	stats_read(s);
	EXPECT_NE(stats_get(s, "tlb.tag.number"),
		  stats_get(t->s, "tlb.tag.number"));
	EXPECT_EQ(stats_get(s, "tlb.tag.cpu"),
		  stats_get(t->s, "tlb.tag.cpu"));
	tlb_mark(t);
	vmm_do(t->v, VMM_CPUID, N);
	stats_read(t->s);
	EXPECT_EQ(0, tlb_rise(t, "tlb.sibling_ran"));
	stats_close(s);
}

/* The fixture has bound this thread. */
static bool some_cpus_apart(enum distance d, int *a, int *b)
{
	cpu_set_t all;

	memset(&all, 0xff, sizeof(all));
	sched_setaffinity(0, sizeof(all), &all);
	return cpus_apart(d, a, b);
}

static bool two_cpus(int *a, int *b)
{
	unsigned int d;

	for (d = SMT_SIBLING; d < NR_DISTANCES; d++)
		if (some_cpus_apart(d, a, b))
			return true;
	return false;
}

/* From CPU to CPU, with an entry on each. */
static void check_moves(struct __test_metadata *_metadata,
			struct tlb *t, enum distance d, int a, int b)
{
	char lost[32];
	unsigned int i;

	snprintf(lost, sizeof(lost), "tlb.lost.%s", distance_names[d]);
	pin(0, a);
	tlb_mark(t);
	for (i = 1; i <= N; i++) {
		pin(0, i % 2 ? b : a);
		vmm_do(t->v, VMM_CPUID, 1);
	}
	tlb_expect(t, " flushes=%d kind.%s=%d cause.moved=%d", N,
	       tlb_moved(), N, N);
	EXPECT_EQ(a, stats_get(t->s, "tlb.tag.cpu"));
	if (!stats_find(t->s, lost))
		return;
	EXPECT_EQ(N, tlb_rise(t, lost));
	EXPECT_EQ(N, tlb_rises(t, "tlb.lost."));
	EXPECT_EQ(tlb_rise(t, "tlb.kept.same_cpu"), tlb_rises(t, "tlb.kept."));
}

TEST_F_TIMEOUT(tlb, n_moves_are_n_flushes_and_lose_it_n_times, 120)
{
	struct tlb *t = &self->t;
	bool found = false;
	unsigned int d;
	int a, b;

	for (d = SMT_SIBLING; d < NR_DISTANCES; d++) {
		if (!some_cpus_apart(d, &a, &b))
			continue;
		TH_LOG("%s: CPU %d and %d", distance_names[d], a, b);
		found = true;
		check_moves(_metadata, t, d, a, b);
	}
	if (!found)
		SKIP(return, "there is but one CPU");
}

/*
 * Loaded on another CPU by an ioctl, and back where it was: VMX flushes for
 * that, SVM looks only at where the guest ran.
 */
TEST_F_TIMEOUT(tlb, there_and_back_is_a_flush_on_intel_alone, 60)
{
	struct tlb *t = &self->t;
	struct kvm_regs regs;
	unsigned int i;
	int a, b;

	if (!two_cpus(&a, &b))
		SKIP(return, "there is but one CPU");
	pin(0, a);
	tlb_mark(t);
	for (i = 0; i < N; i++) {
		pin(0, b);
		ASSERT_EQ(0, ioctl(t->v->fd, KVM_GET_REGS, &regs));
		pin(0, a);
		vmm_do(t->v, VMM_CPUID, 1);
	}
	if (vmm_intel()) {
		tlb_expect(t, " flushes=%d kind.invept_global=%d cause.moved=%d",
			   N, N, N);
	} else {
		EXPECT_STREQ("", tlb_changes(t));
	}
	if (!stats_find(t->s, "tlb.kept.same_cpu"))
		return;
	EXPECT_LE(N, tlb_rise(t, "tlb.kept.same_cpu") +
		     tlb_rise(t, "tlb.lost.same_cpu"));
	EXPECT_EQ(vmm_intel() ? N : 0, tlb_rises(t, "tlb.lost."));
}

/* What asked first is billed, what asked besides is kept beside it. */
TEST_F_TIMEOUT(tlb, the_first_cause_is_billed_the_others_are_beside_it, 60)
{
	struct tlb *t = &self->t;
	int a, b;

	if (!two_cpus(&a, &b))
		SKIP(return, "there is but one CPU");
	if (kvmx_feature_off(t->node, "kvm_arch_vcpu_load"))
		SKIP(return, "needs kvm_arch_vcpu_load");
	pin(0, a);
	tlb_write_page(t->v, 0);
	tlb_mark(t);
	tlb_take_page(t->mem, 0);
	pin(0, b);
	vmm_do(t->v, VMM_CPUID, 1);
	tlb_expect(t, " flushes=1 kind.%s=1 cause.remote=1 also.moved=1",
	       tlb_moved());
	tlb_write_page(t->v, 0);
	tlb_mark(t);
	/* An ioctl loads it there: it has moved before it is asked. */
	pin(0, a);
	vmm_set_up(t->v);
	tlb_take_page(t->mem, 0);
	vmm_do(t->v, VMM_CPUID, 1);
	stats_read(t->s);
	EXPECT_EQ(1, tlb_rise(t, "tlb.cause.moved"));
	EXPECT_EQ(1, tlb_rise(t, "tlb.also.remote"));
	EXPECT_EQ(0, tlb_rise(t, "tlb.cause.remote"));
	EXPECT_EQ(0, tlb_rise(t, "tlb.cause.unattributed"));
}

HOST_HARNESS_MAIN
