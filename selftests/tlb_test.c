// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVMX_STATS_TLB: what flushes a vCPU's TLB N times, in a known way, is told to
 * have done so N times, in that way and for that reason.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "kselftest_harness.h"

#include "die.h"
#include "host.h"
#include "kvmx.h"
#include "tlb.h"
#include "vmm.h"

#define N		20

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

TEST_F_TIMEOUT(tlb, pages_taken_away_n_times_are_n_remote_flushes, 60)
{
	struct tlb *t = &self->t;
	unsigned int i;

	tlb_mark(t);
	for (i = 0; i < N; i++) {
		tlb_write_page(t->v, 0);
		tlb_take_page(t->mem, 0);
		vmm_do(t->v, VMM_CPUID, 1);
	}
	tlb_expect(t, " flushes=%d kind.%s=%d cause.remote=%d", N, tlb_whole(), N, N);
	/* Nothing is there any more: nobody is asked. */
	tlb_mark(t);
	tlb_take_page(t->mem, 0);
	vmm_do(t->v, VMM_CPUID, 1);
	EXPECT_STREQ("", tlb_changes(t));
}

TEST_F_TIMEOUT(tlb, n_requests_before_an_entry_are_one_flush, 60)
{
	struct tlb *t = &self->t;
	unsigned int i;

	for (i = 0; i < N; i++)
		tlb_write_page(t->v, i);
	tlb_mark(t);
	for (i = 0; i < N; i++)
		tlb_take_page(t->mem, i);
	vmm_do(t->v, VMM_CPUID, 1);
	tlb_expect(t, " flushes=1 kind.%s=1 cause.remote=1", tlb_whole());
}

TEST_F_TIMEOUT(tlb, n_mprotects_are_n_remote_flushes, 60)
{
	struct tlb *t = &self->t;
	unsigned int i;

	tlb_mark(t);
	for (i = 0; i < N; i++) {
		tlb_write_page(t->v, 0);
		ASSERT_EQ(0, mprotect(t->mem, 4096, PROT_READ));
		vmm_do(t->v, VMM_CPUID, 1);
		ASSERT_EQ(0, mprotect(t->mem, 4096, PROT_READ | PROT_WRITE));
	}
	tlb_expect(t, " flushes=%d kind.%s=%d cause.remote=%d", N, tlb_whole(), N, N);
}

#define CR4_PGE		0x80
#define CR4_PCIDE	0x20000

/*
 * Of what a guest does to its TLB little exits. Intel: the end of PCIDs. AMD:
 * every write of CR4, and one that changes PGE flushes.
 */
TEST_F_TIMEOUT(tlb, an_instruction_that_exits_is_told_as_such, 60)
{
	struct tlb *t = &self->t;
	struct vmm_step step = {
		.kind = VMM_CR4, .n = N,
		.arg = vmm_intel() ? CR4_PCIDE : CR4_PGE,
	};
	int n = vmm_intel() ? N : 2 * N;

	if (vmm_intel() && !host_cpu_has("pcid"))
		SKIP(return, "this processor has no PCIDs");
	tlb_mark(t);
	vmm_run(t->v, &step, 1);
	tlb_expect(t, " flushes=%d kind.%s=%d cause.instruction=%d", n, tlb_guest(),
	       n, n);
}

#define MSR_STEAL_TIME	0x4b564d03
#define STEAL_GPA	0x8000		/* nobody else's */
#define PREEMPTED	16		/* offset in struct kvm_steal_time */
#define FLUSH_TLB	2

TEST_F_TIMEOUT(tlb, a_paravirtual_flush_is_told_as_such, 60)
{
	struct tlb *t = &self->t;
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} msr = {
		.head.nmsrs = 1,
		.entry = { .index = MSR_STEAL_TIME, .data = STEAL_GPA | 1 },
	};
	volatile uint8_t *word = t->vm->mem + STEAL_GPA + PREEMPTED;
	unsigned int i;

	if (kvmx_feature_off(t->node, "kvm_pv_tlb_flush"))
		SKIP(return, "needs kvm_pv_tlb_flush");
	if (ioctl(t->v->fd, KVM_SET_MSRS, &msr) != 1)
		SKIP(return, "this KVM has no steal time");
	vmm_do(t->v, VMM_CPUID, 1);
	tlb_mark(t);
	for (i = 0; i < N; i++) {
		*word = FLUSH_TLB;
		vmm_do(t->v, VMM_CPUID, 1);
	}
	tlb_expect(t, " flushes=%d kind.%s=%d cause.paravirtual=%d", N, tlb_guest(),
	       N, N);
	/* Without that word it is only told that it had been taken off. */
	tlb_mark(t);
	vmm_do(t->v, VMM_CPUID, 1);
	EXPECT_STREQ("", tlb_changes(t));
}

/* The first runs of a vCPU that was counted from the beginning. */
TEST_F_TIMEOUT(tlb, a_new_vcpu_is_flushed_because_it_is_new, 60)
{
	struct tlb *t = &self->t;
	struct vmm_vcpu *v = vmm_add_vcpu(t->vm);
	struct stats *s = kvmx_stats_with(t->fd, 1, KVMX_STATS_TLB);

	EXPECT_EQ(0, stats_get(s, "tlb.tag.since"));
	vmm_do(v, VMM_CPUID, 1);
	stats_read(s);
	EXPECT_EQ(1, stats_get(s, "tlb.cause.reset"));
	EXPECT_EQ(0, stats_get(s, "tlb.cause.unattributed"));
	EXPECT_EQ(0, stats_get(s, "tlb.missed"));
	EXPECT_NE(0, stats_get(s, "tlb.tag.since"));
	/* Not all kernels flush for KVM_SET_SREGS. */
	if (vmm_intel()) {
		EXPECT_GE(1, stats_get(s, "tlb.cause.vmm"));
		EXPECT_EQ(1, stats_get(s, "tlb.cause.new_root"));
		EXPECT_EQ(2 + stats_get(s, "tlb.cause.vmm"),
			  stats_get(s, "tlb.flushes"));
	} else {
		/* One, for all of these. */
		EXPECT_EQ(1, stats_get(s, "tlb.flushes"));
		EXPECT_GE(1, stats_get(s, "tlb.also.vmm"));
		EXPECT_EQ(1, stats_get(s, "tlb.also.new_root"));
	}
	stats_close(s);
}

#define MSI_INIT	0x4500		/* delivery mode INIT, asserted */

TEST_F_TIMEOUT(tlb, a_reset_is_told_as_such, 60)
{
	struct tlb *t = &self->t;
	struct kvm_msi init = { .address_lo = 0xfee00000 | 1 << 12,
				.data = MSI_INIT };
	struct vmm *vm = vmm_create(VMM_IRQCHIP);
	struct kvm_mp_state state;
	struct vmm_vcpu *v;
	struct stats *s;
	uint64_t resets;
	int fd;

	vmm_add_vcpu(vm);
	v = vmm_add_vcpu(vm);
	fd = kvmx_vm_by_fd(t->node, vm->fd);
	s = kvmx_stats_with(fd, 1, KVMX_STATS_TLB);
	vmm_warm(v);
	stats_read(s);
	resets = stats_get(s, "tlb.cause.reset");
	ASSERT_LT(0, ioctl(vm->fd, KVM_SIGNAL_MSI, &init));
	/* KVM does it when it is asked, at the latest. */
	ASSERT_EQ(0, ioctl(v->fd, KVM_GET_MP_STATE, &state));
	EXPECT_EQ(KVM_MP_STATE_INIT_RECEIVED, state.mp_state);
	vmm_set_up(v);
	vmm_do(v, VMM_CPUID, 1);
	stats_read(s);
	EXPECT_EQ(resets + (vmm_intel() ? 2 : 1),
		  stats_get(s, "tlb.cause.reset"));
	EXPECT_EQ(0, stats_get(s, "tlb.cause.unattributed"));
	EXPECT_EQ(0, stats_get(s, "tlb.missed"));
	stats_close(s);
	close(fd);
	vmm_destroy(vm);
}

static uint64_t sum(const struct stats *s, const char *prefix)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < s->nr; i++)
		if (!strncmp(s->desc[i].name, prefix, strlen(prefix)))
			sum += stats_values(s, &s->desc[i])[0];
	return sum;
}

TEST_F_TIMEOUT(tlb, rows_add_up_to_the_flushes_of_all_vcpus, 60)
{
	struct tlb *t = &self->t;
	struct vmm_vcpu *other = vmm_add_vcpu(t->vm);
	struct stats *s[3];
	unsigned int i;

	for (i = 0; i < 2; i++)
		s[i] = kvmx_stats_with(t->fd, i, KVMX_STATS_TLB);
	s[2] = kvmx_stats_with(t->fd, KVMX_STATS_WHOLE_VM, KVMX_STATS_TLB);
	for (i = 0; i < N; i++) {
		tlb_write_page(i % 3 ? t->v : other, 0);
		tlb_take_page(t->mem, 0);
		vmm_do(t->v, VMM_CPUID, 1);
		if (i % 2)
			vmm_do(other, VMM_CPUID, 1);
	}
	for (i = 0; i < 3; i++) {
		stats_read(s[i]);
		EXPECT_LE(N / 2, stats_get(s[i], "tlb.flushes"));
		EXPECT_EQ(stats_get(s[i], "tlb.flushes"),
			  sum(s[i], "tlb.kind."));
		EXPECT_EQ(stats_get(s[i], "tlb.flushes"),
			  sum(s[i], "tlb.cause."));
		EXPECT_EQ(0, stats_get(s[i], "tlb.cause.unattributed"));
		EXPECT_EQ(0, stats_get(s[i], "tlb.missed"));
	}
	EXPECT_EQ(stats_get(s[2], "tlb.flushes"),
		  stats_get(s[0], "tlb.flushes") +
		  stats_get(s[1], "tlb.flushes"));
	/* A VM has no tag. */
	EXPECT_EQ(NULL, stats_find(s[2], "tlb.tag.number"));
	for (i = 0; i < 3; i++)
		stats_close(s[i]);
}

static uint32_t state_of(int node, const char *name)
{
	struct kvmx_feature all[64];
	int i, nr = kvmx_features(node, all, 64);

	for (i = 0; i < nr && i < 64; i++)
		if (!strcmp(all[i].name, name))
			return all[i].state;
	die("no feature %s", name);
}

/* Does the kernel list an armed kprobe on it? false also if it cannot be told. */
static bool armed(const char *function)
{
	FILE *f = fopen("/sys/kernel/debug/kprobes/list", "r");
	bool found = false;
	char line[512];

	while (f && !found && fgets(line, sizeof(line), f))
		found = strstr(line, function) && !strstr(line, "[DISABLED]");
	if (f)
		fclose(f);
	return found;
}

TEST_F_TIMEOUT(tlb, who_does_not_ask_pays_nothing, 60)
{
	struct tlb *t = &self->t;
	const char *mine = vmm_intel() ? "vmx_flush_tlb_all" :
					 "svm_flush_tlb_all";
	const char *others = vmm_intel() ? "svm_flush_tlb_all" :
					   "vmx_flush_tlb_all";
	struct stats *plain = kvmx_stats_with(t->fd, 0, 0);
	bool listed = !access("/sys/kernel/debug/kprobes/list", R_OK);

	EXPECT_EQ(NULL, stats_find(plain, "tlb.flushes"));
	EXPECT_EQ(KVMX_FEATURE_OFF, state_of(t->node, others));
	EXPECT_EQ(listed, armed(mine));
	tlb_mark(t);
	tlb_write_page(t->v, 0);
	tlb_take_page(t->mem, 0);
	vmm_do(t->v, VMM_CPUID, 1);
	EXPECT_EQ(KVMX_FEATURE_ON, state_of(t->node, mine));
	tlb_expect(t, " flushes=1 kind.%s=1 cause.remote=1", tlb_whole());
	stats_close(t->s);
	EXPECT_EQ(KVMX_FEATURE_READY, state_of(t->node, mine));
	EXPECT_EQ(KVMX_FEATURE_READY,
		  state_of(t->node, "kvm_arch_vcpu_load"));
	EXPECT_EQ(KVMX_FEATURE_READY, state_of(t->node, "kvm_pv_tlb_flush"));
	EXPECT_FALSE(armed(mine));
	/* Nobody counts this one. */
	tlb_write_page(t->v, 0);
	tlb_take_page(t->mem, 0);
	vmm_do(t->v, VMM_CPUID, 1);
	t->s = kvmx_stats_with(t->fd, 0, KVMX_STATS_TLB);
	tlb_mark(t);
	tlb_write_page(t->v, 0);
	tlb_take_page(t->mem, 0);
	vmm_do(t->v, VMM_CPUID, 1);
	tlb_expect(t, " flushes=1 kind.%s=1 cause.remote=1", tlb_whole());
	stats_close(plain);
}

HOST_HARNESS_MAIN
