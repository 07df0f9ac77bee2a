// SPDX-License-Identifier: GPL-2.0-only
/* Guests that mean harm, or are not what they seem: none gets more than others. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "kselftest_harness.h"

#include "company.h"
#include "hint.h"
#include "host.h"
#include "kvmx.h"
#include "vmm.h"

#define KINDS		(1U << KVMX_KIND_LATENCY | 1U << KVMX_KIND_CRITICAL)
#define WORD		KVMX_HINT_WORD(KVMX_KIND_LATENCY, 1, 0)
#define SIZE		sizeof(struct kvmx_area)

FIXTURE(hostile) {
	int node, fd;
	struct vmm *vm;
	struct vmm_vcpu *v;
	struct kvmx_area *a;
};

FIXTURE_SETUP(hostile)
{
	self->v = hint_guest(VMM_IRQCHIP, &self->node, &self->fd);
	self->vm = self->v->vm;
	self->a = (void *)(self->vm->mem + HINT_AREA);
}

FIXTURE_TEARDOWN(hostile)
{
	hint_guest_end(self->v, self->node, self->fd);
}

static void say(struct kvmx_area *a, uint32_t word)
{
	volatile struct kvmx_area_guest *g = &a->guest;

	g->hint = word;
	g->seq++;
}

static uint64_t given(int fd, unsigned int vcpu)
{
	return hint_counts(fd, vcpu, KVMX_KIND_LATENCY).given;
}

static uint64_t calls(int fd)
{
	return hint_counts(fd, KVMX_STATS_WHOLE_VM, KVMX_KIND_NONE).calls;
}

/* What KVM's nested guests are made of, at addresses that nothing else uses. */
#define L1_CODE		0x8000
#define L2_CODE		0x8100
#define VMCB		0x22000
#define HOST_SAVE	0x23000
#define EFER_SVME	0x1000
#define EXIT_UD		0x46
#define EXIT_CPUID	0x72

static void vmcb_put(uint8_t *vmcb, unsigned int at, uint64_t value)
{
	memcpy(vmcb + at, &value, sizeof(value));
}

static void vmcb_segment(uint8_t *vmcb, unsigned int at, uint64_t selector,
			 uint64_t attributes)
{
	vmcb_put(vmcb, 0x400 + at,
		 selector | attributes << 16 | 0xffffffffULL << 32);
}

/* As its hypervisor, which runs on in it, but that it begins with a call. */
static void fill_vmcb(struct vmm *vm, const struct kvm_sregs *s)
{
	static const uint8_t l1[] = {
		0x0f, 0x01, 0xd8,		/* vmrun */
		0x66, 0xba, VMM_DONE_PORT & 0xff, VMM_DONE_PORT >> 8,
		0xee, 0xeb, 0xfe,		/* outb, then nothing */
	};
	static const uint8_t l2[] = { 0x0f, 0x01, 0xd9, 0x0f, 0xa2, 0xf4 };
	uint8_t *vmcb = vm->mem + VMCB;

	memcpy(vm->mem + L1_CODE, l1, sizeof(l1));
	memcpy(vm->mem + L2_CODE, l2, sizeof(l2));
	memset(vmcb, 0, 4096);
	vmcb_put(vmcb, 0x008, 1ULL << 6 | 1ULL << (32 + 18));	/* #UD, CPUID */
	vmcb_put(vmcb, 0x010, 1);				/* VMRUN */
	vmcb_put(vmcb, 0x058, 1);				/* ASID */
	vmcb_segment(vmcb, 0x00, 16, 0xc93);
	vmcb_segment(vmcb, 0x10, 8, 0xa9b);
	vmcb_segment(vmcb, 0x20, 16, 0xc93);
	vmcb_segment(vmcb, 0x30, 16, 0xc93);
	vmcb_put(vmcb, 0x4d0, s->efer);
	vmcb_put(vmcb, 0x548, s->cr4);
	vmcb_put(vmcb, 0x550, s->cr3);
	vmcb_put(vmcb, 0x558, s->cr0);
	vmcb_put(vmcb, 0x560, 0x400);				/* DR7 */
	vmcb_put(vmcb, 0x568, 0xffff0ff0);			/* DR6 */
	vmcb_put(vmcb, 0x570, 2);
	vmcb_put(vmcb, 0x578, L2_CODE);
	vmcb_put(vmcb, 0x5f8, KVMX_HC);
	vmcb_put(vmcb, 0x668, 0x0007040600070406ULL);		/* PAT */
}

/* Return: false where this KVM does not nest. */
static bool set_up_nested(struct vmm_vcpu *v)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} msr = {
		.head.nmsrs = 1,
		.entry = { .index = 0xc0010117, .data = HOST_SAVE },
	};
	struct kvm_regs r = {
		.rip = L1_CODE, .rflags = 2, .rax = VMCB,
		.rbx = KVMX_HC_HINT, .rcx = WORD,
	};
	struct kvm_sregs s;

	if (ioctl(v->fd, KVM_GET_SREGS, &s))
		return false;
	s.efer |= EFER_SVME;
	if (ioctl(v->fd, KVM_SET_SREGS, &s) || ioctl(v->fd, KVM_SET_REGS, &r) ||
	    ioctl(v->fd, KVM_SET_MSRS, &msr) != 1)
		return false;
	fill_vmcb(v->vm, &s);
	return true;
}

TEST_F_TIMEOUT(hostile, a_guest_inside_the_guest_is_not_answered, 60)
{
	uint64_t exit_code, rax;
	unsigned int i = 0;
	int err;

	if (vmm_intel())
		SKIP(return, "a VMCALL of such a guest always goes to its own hypervisor");
	hint_allow(self->fd, HINT_ALL_KINDS, KVMX_EFFECT_NONE, 0);
	if (!set_up_nested(self->v))
		SKIP(return, "this KVM does not nest");
	hint_pester(syscall(SYS_gettid), 5000);
	do {
		err = ioctl(self->v->fd, KVM_RUN, 0) ? errno : 0;
	} while (err == EINTR && ++i < 500);
	hint_leave_alone();
	EXPECT_EQ(0, given(self->fd, 0));
	EXPECT_EQ(0, hint_counts(self->fd, 0, KVMX_KIND_LATENCY).calls);
	EXPECT_EQ(0, calls(self->fd));
	/* The KVM of 6.1 takes it for Intel's call, and mends it again and again. */
	if (err == EINTR) {
		printf("# it calls for ever\n");
		return;
	}
	ASSERT_EQ(0, err);
	ASSERT_EQ(KVM_EXIT_IO, self->v->run->exit_reason);
	memcpy(&exit_code, self->vm->mem + VMCB + 0x70, 8);
	memcpy(&rax, self->vm->mem + VMCB + 0x5f8, 8);
	/* No such instruction; or, by old kernels, no such call. */
	if (exit_code != EXIT_UD) {
		EXPECT_EQ(EXIT_CPUID, exit_code);
		EXPECT_EQ(-KVM_ENOSYS, (int64_t)rax);
	}
}

/* Its hypercalls are those of another hypervisor from now on. Return: 0 or errno. */
static int speak_hyper_v(struct vmm_vcpu *v)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), err = 0;
	struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 entries[200];
	} c = { .head.nent = 200 };
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} msr = {
		.head.nmsrs = 1,
		.entry = { .index = 0x40000000, .data = 1 },	/* guest OS id */
	};
	unsigned int i;

	if (ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &c))
		err = errno;
	close(kvm);
	for (i = 0; i < c.head.nent; i++)
		if (c.entries[i].function == 0x40000001)
			c.entries[i].eax = 0x31237648;		/* "Hv#1" */
	if (!err && ioctl(v->fd, KVM_SET_CPUID2, &c))
		err = errno;
	if (!err && ioctl(v->fd, KVM_SET_MSRS, &msr) != 1)
		err = EOPNOTSUPP;
	return err;
}

TEST_F_TIMEOUT(hostile, a_guest_that_speaks_hyper_v_is_not_answered, 60)
{
	hint_allow(self->fd, HINT_ALL_KINDS, KVMX_EFFECT_NONE, 0);
	if (speak_hyper_v(self->v))
		SKIP(return, "this KVM does not speak it");
	EXPECT_NE(HINT_ALL_KINDS, hint_query(self->v, KVMX_QUERY_KINDS));
	hint_call(self->v, KVMX_HC_HINT, WORD, 0, 0);
	EXPECT_EQ(0, calls(self->fd));
	EXPECT_EQ(0, given(self->fd, 0));
}

static uint32_t some_op(void)
{
	return rand() % 16 ? rand() % (KVMX_NR_HC + 1) : (uint32_t)rand() * 2;
}

/* Where a host may write, without harm to the code of this guest, or nowhere. */
static uint32_t some_address(void)
{
	switch (rand() % 4) {
	case 0:
		return HINT_AREA + (rand() & 0x3fff);
	case 1:
		return HINT_AREA + (rand() & 0xff) * 64;
	case 2:
		return VMM_HOLE_GPA + rand() % 4096;
	default:
		return 0x80000000U | rand();
	}
}

static bool is_answer(int64_t a)
{
	return a >= 0 || a == -KVM_EINVAL || a == -KVM_EFAULT ||
	       a == -KVM_EOPNOTSUPP || a == -KVM_E2BIG;
}

TEST_F_TIMEOUT(hostile, random_calls_get_an_answer_and_do_no_harm, 240)
{
	struct kvmx_hint h = hint_effect(KINDS, KVMX_EFFECT_FIFO, 0);
	uint64_t n = scaled(20000), i;

	h.kinds[KVMX_KIND_YIELD_TO].effect = KVMX_EFFECT_YIELD;
	h.calls_per_s = 1000000;
	ASSERT_EQ(0, hint_set(self->fd, &h));
	vmm_warm(self->v);
	srand(4711);
	for (i = 0; i < n; i++) {
		uint32_t op = some_op(), a1, a2 = rand() % 3 ? 0 : rand(), a3;
		int64_t answer;

		a1 = rand() % 2 ? some_address() : (uint32_t)rand();
		a3 = rand() % 2 ? SIZE : rand() % 8192;
		if (op == KVMX_HC_HINT && rand() % 2)
			a1 = KVMX_HINT_WORD(rand() % 6, rand() % 3, rand() % 3);
		answer = hint_call(self->v, op, a1, a2, a3);
		ASSERT_TRUE(is_answer(answer)) {
			TH_LOG("%u %#x %#x %#x: %ld", op, a1, a2, a3,
			       (long)answer);
		}
	}
	EXPECT_EQ(KVMX_PARA_VERSION, hint_query(self->v, KVMX_QUERY_VERSION));
	hint_off(self->fd);
	EXPECT_EQ(SCHED_OTHER, hint_sched(0));
}

TEST_F_TIMEOUT(hostile, what_a_newer_guest_says_beside_is_passed_over, 60)
{
	hint_area(self->v);
	hint_allow(self->fd, KINDS, KVMX_EFFECT_NONE, 0);
	memset(self->a->guest.unused, 0xff, sizeof(self->a->guest.unused));
	self->a->guest.reserved = 0xffffffff;
	memset((uint8_t *)self->a + SIZE, 0xff, SIZE);
	ASSERT_EQ(0, hint_call(self->v, KVMX_HC_REGISTER, HINT_AREA, 0,
			       2 * SIZE));
	say(self->a, WORD);
	vmm_do(self->v, VMM_HLT, 1);
	EXPECT_EQ(1, given(self->fd, 0));
	/* Nothing is written behind what this host knows, nor to the guest's half. */
	EXPECT_EQ(0xff, ((uint8_t *)self->a)[SIZE]);
	EXPECT_EQ(0xffffffff, self->a->guest.reserved);
	EXPECT_EQ(UINT64_MAX, self->a->guest.unused[4]);
}

static volatile bool running;

static void *rewrite(void *arg)
{
	volatile uint32_t *to = arg;
	unsigned int seed = 1, i;

	while (running)
		for (i = 0; i < SIZE / sizeof(*to); i++)
			to[i] = rand_r(&seed) * 2 + (rand_r(&seed) & 1);
	return NULL;
}

/* By a thread of the VMM: to the host it is the same as another vCPU. */
TEST_F_TIMEOUT(hostile, an_area_that_others_write_all_the_time, 120)
{
	struct kvmx_hint h = hint_effect(KINDS, KVMX_EFFECT_FIFO, 0);
	struct kvmx_hint_counts c;
	uint64_t bad = 0, seen = 0;
	pthread_t thread;
	unsigned int i;

	hint_area(self->v);
	ASSERT_EQ(0, hint_set(self->fd, &h));
	ASSERT_EQ(0, hint_call(self->v, KVMX_HC_REGISTER, HINT_AREA, 0, SIZE));
	running = true;
	ASSERT_EQ(0, pthread_create(&thread, NULL, rewrite, self->a));
	for (i = 0; i < 20; i++) {
		vmm_do(self->v, VMM_HLT, scaled(50) + 5);
		vmm_do(self->v, VMM_CPUID, 50);
	}
	running = false;
	pthread_join(thread, NULL);
	for (i = 0; i < KVMX_NR_KINDS; i++) {
		c = hint_counts(self->fd, 0, i);
		seen += c.given;
		bad += c.refused_bad + c.refused_kind;
		EXPECT_LE(c.refused_bad + c.refused_kind, c.given);
	}
	/* Nearly all of it was nonsense. */
	EXPECT_LT(0, seen);
	EXPECT_LE(seen * 9 / 10, bad);
	EXPECT_EQ(0, hint_counts(self->fd, 0, KVMX_KIND_NONE).area_lost);
	/* Afterwards it is as ever. */
	memset(&self->a->guest, 0, sizeof(self->a->guest));
	vmm_do(self->v, VMM_HLT, 1);
	seen = given(self->fd, 0);
	say(self->a, WORD);
	vmm_do(self->v, VMM_HLT, 1);
	EXPECT_EQ(seen + 1, given(self->fd, 0));
	hint_off(self->fd);
	EXPECT_EQ(SCHED_OTHER, hint_sched(0));
}

TEST_F_TIMEOUT(hostile, a_vcpu_that_names_another_s_area_harms_no_host, 60)
{
	struct vmm_vcpu *other = vmm_add_vcpu(self->vm);

	hint_area(self->v);
	vmm_warm(other);
	hint_allow(self->fd, KINDS, KVMX_EFFECT_NONE, 0);
	ASSERT_EQ(0, hint_call(self->v, KVMX_HC_REGISTER, HINT_AREA, 0, SIZE));
	ASSERT_EQ(0, hint_call(other, KVMX_HC_REGISTER, HINT_AREA, 0, SIZE));
	say(self->a, WORD);
	vmm_do(self->v, VMM_HLT, 1);
	vmm_do(other, VMM_HLT, 1);
	EXPECT_EQ(1, given(self->fd, 0));
	EXPECT_EQ(1, given(self->fd, 1));
	/* What one takes back is the other's still. */
	EXPECT_EQ(0, hint_call(other, KVMX_HC_UNREGISTER, 0, 0, 0));
	say(self->a, WORD);
	vmm_do(self->v, VMM_HLT, 1);
	vmm_do(other, VMM_HLT, 1);
	EXPECT_EQ(2, given(self->fd, 0));
	EXPECT_EQ(1, given(self->fd, 1));
}

TEST_F_TIMEOUT(hostile, memory_that_becomes_read_only_takes_the_area, 60)
{
	void *mem = vmm_map_huge(VMM_HUGE_PAGE);
	struct kvmx_area *a = mem;
	uint8_t before[SIZE];

	memset(mem, 0, 4096);
	vmm_warm(self->v);
	hint_allow(self->fd, KINDS, KVMX_EFFECT_NONE, 0);
	vmm_set_slot(self->vm, VMM_SLOT, VMM_GPA, mem, VMM_HUGE_PAGE, 0);
	ASSERT_EQ(0, hint_call(self->v, KVMX_HC_REGISTER, VMM_GPA, 0, SIZE));
	/* A slot that is there cannot change that: it goes, and comes again. */
	vmm_set_slot(self->vm, VMM_SLOT, VMM_GPA, mem, 0, 0);
	vmm_set_slot(self->vm, VMM_SLOT, VMM_GPA, mem, VMM_HUGE_PAGE,
		     KVM_MEM_READONLY);
	say(a, WORD);
	memcpy(before, a, SIZE);
	vmm_do(self->v, VMM_HLT, 3);
	EXPECT_EQ(0, given(self->fd, 0));
	EXPECT_LE(3, hint_counts(self->fd, 0, KVMX_KIND_NONE).area_lost);
	EXPECT_EQ(0, memcmp(before, a, SIZE));
	vmm_set_slot(self->vm, VMM_SLOT, VMM_GPA, mem, 0, 0);
	munmap(mem, VMM_HUGE_PAGE);
}

/* Ticks of a call in a row of them: the least of a few. */
static uint64_t ticks_of(struct vmm_vcpu *v, uint64_t n)
{
	uint64_t best = UINT64_MAX, ticks;
	unsigned int i;

	for (i = 0; i < 7; i++) {
		ticks = vmm_tsc();
		vmm_do(v, VMM_KVMX, n);
		ticks = vmm_tsc() - ticks;
		best = ticks < best ? ticks : best;
	}
	return best / n;
}

TEST_F_TIMEOUT(hostile, a_flood_costs_its_own_thread_and_nobody_else, 120)
{
	struct kvmx_hint h = hint_effect(KINDS, KVMX_EFFECT_FIFO, 0);
	uint64_t n = scaled(1000) + 100, bare, refused;
	struct sched before, after;
	int kthread;

	hint_load(self->v, KVMX_HC_QUERY, KVMX_QUERY_VERSION, 0, 0,
		  KVMX_PARA_VERSION);
	vmm_do(self->v, VMM_KVMX, 1);
	bare = ticks_of(self->v, n);
	h.calls_per_s = 1;
	ASSERT_EQ(0, hint_set(self->fd, &h));
	kthread = hint_kthread();
	ASSERT_LT(0, kthread);
	read_sched_of(kthread, &before);
	refused = ticks_of(self->v, n);
	read_sched_of(kthread, &after);
	EXPECT_EQ(before.turns, after.turns);
	EXPECT_LT(6 * n, hint_counts(self->fd, 0, KVMX_KIND_NONE).calls_refused);
	/* For who reads this: what calls cost is for tools/bench. */
	printf("# ticks of a call: nobody there %lu, refused %lu\n",
	       (unsigned long)bare, (unsigned long)refused);
}

HOST_HARNESS_MAIN
