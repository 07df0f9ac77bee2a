// SPDX-License-Identifier: GPL-2.0-only
/* The area of a vCPU: where it may be, what is read and written, and its loss. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>

#include "kselftest_harness.h"

#include "hint.h"
#include "host.h"
#include "kvmx.h"
#include "vmm.h"

#define KINDS		(1U << KVMX_KIND_LATENCY | 1U << KVMX_KIND_CRITICAL)
#define WORD		KVMX_HINT_WORD(KVMX_KIND_LATENCY, 1, 0)
#define USER		0x21008UL
#define SIZE		sizeof(struct kvmx_area)

FIXTURE(area) {
	int node, fd;
	struct vmm *vm;
	struct vmm_vcpu *v;
	struct kvmx_area *a;
};

FIXTURE_SETUP(area)
{
	self->v = hint_guest(VMM_IRQCHIP, &self->node, &self->fd);
	self->vm = self->v->vm;
	self->a = hint_area(self->v);
	hint_allow(self->fd, KINDS, KVMX_EFFECT_NONE, 0);
}

FIXTURE_TEARDOWN(area)
{
	hint_guest_end(self->v, self->node, self->fd);
}

static int64_t reg(struct vmm_vcpu *v, uint64_t gpa, uint32_t size)
{
	return hint_call(v, KVMX_HC_REGISTER, gpa, gpa >> 32, size);
}

static void say(struct kvmx_area *a, uint32_t word)
{
	volatile struct kvmx_area_guest *g = &a->guest;

	g->hint = word;
	g->seq++;
}

static uint64_t given(int fd)
{
	return hint_counts(fd, 0, KVMX_KIND_LATENCY).given;
}

static uint64_t lost(int fd)
{
	return hint_counts(fd, 0, KVMX_KIND_NONE).area_lost;
}

TEST_F_TIMEOUT(area, a_query_tells_that_there_are_areas, 60)
{
	EXPECT_EQ(SIZE, hint_query(self->v, KVMX_QUERY_AREA_SIZE));
	EXPECT_EQ(KVMX_PARA_AREA | KVMX_PARA_USER_WORD,
		  hint_query(self->v, KVMX_QUERY_FEATURES));
}

TEST_F_TIMEOUT(area, the_host_says_who_it_is_at_once, 60)
{
	memset(&self->a->host, 0xee, sizeof(self->a->host));
	ASSERT_EQ(0, reg(self->v, HINT_AREA, SIZE));
	EXPECT_EQ(KVMX_PARA_VERSION, self->a->host.version);
	EXPECT_EQ(SIZE, self->a->host.size);
	EXPECT_EQ(KINDS, self->a->host.kinds);
	EXPECT_EQ(0, self->a->host.state);
	EXPECT_EQ(0, self->a->host.unused[0] | self->a->host.unused[1]);
	/* Twice is as good as once. */
	EXPECT_EQ(0, reg(self->v, HINT_AREA, SIZE));
	EXPECT_EQ(0, hint_call(self->v, KVMX_HC_UNREGISTER, 0, 0, 0));
	EXPECT_EQ(0, hint_call(self->v, KVMX_HC_UNREGISTER, 0, 0, 0));
}

TEST_F_TIMEOUT(area, a_newer_guest_may_know_more_of_it, 60)
{
	EXPECT_EQ(0, reg(self->v, HINT_AREA, SIZE + 64));
	EXPECT_EQ(SIZE, self->a->host.size);
	EXPECT_EQ(0, reg(self->v, HINT_AREA, 4096));
}

TEST_F_TIMEOUT(area, addresses_that_make_no_sense_are_refused, 60)
{
	void *rom = vmm_map_huge(VMM_HUGE_PAGE);
	void *gone = vmm_map_huge(VMM_HUGE_PAGE);
	static const uint64_t odd[] = { 1, 4, 8, 32, 63 };
	unsigned int i;

	for (i = 0; i < 5; i++)
		EXPECT_EQ(-KVM_EINVAL, reg(self->v, HINT_AREA + odd[i], SIZE));
	EXPECT_EQ(-KVM_EINVAL, reg(self->v, HINT_AREA, 0));
	EXPECT_EQ(-KVM_EINVAL, reg(self->v, HINT_AREA, SIZE - 1));
	EXPECT_EQ(-KVM_EINVAL, reg(self->v, HINT_AREA, 0xffffffff));
	/* Into the next page. */
	EXPECT_EQ(-KVM_EINVAL, reg(self->v, HINT_AREA + 4096 - 64, SIZE));
	EXPECT_EQ(-KVM_EINVAL, reg(self->v, HINT_AREA + 64, 4096));
	/* Nowhere, or where nobody can say anything. */
	EXPECT_EQ(-KVM_EFAULT, reg(self->v, VMM_HOLE_GPA, SIZE));
	EXPECT_EQ(-KVM_EFAULT, reg(self->v, 1ULL << 40, SIZE));
	EXPECT_EQ(-KVM_EFAULT, reg(self->v, 0xfffffffffffff000ULL, SIZE));
	EXPECT_EQ(-KVM_EFAULT, reg(self->v, 0xfee00000, SIZE));
	memset(rom, 0, 4096);
	vmm_set_slot(self->vm, VMM_SLOT, VMM_GPA, rom, VMM_HUGE_PAGE,
		     KVM_MEM_READONLY);
	EXPECT_EQ(-KVM_EFAULT, reg(self->v, VMM_GPA, SIZE));
	/* Memory that the VMM has taken away, behind a slot that is there. */
	vmm_set_slot(self->vm, VMM_SLOT + 1, VMM_GPA + VMM_HUGE_PAGE, gone,
		     VMM_HUGE_PAGE, 0);
	munmap(gone, VMM_HUGE_PAGE);
	EXPECT_EQ(-KVM_EFAULT, reg(self->v, VMM_GPA + VMM_HUGE_PAGE, SIZE));
	/* None of it is an area now. */
	EXPECT_EQ(0, lost(self->fd));
	vmm_do(self->v, VMM_HLT, 3);
	EXPECT_EQ(0, lost(self->fd));
	EXPECT_EQ(0, given(self->fd));
	munmap(rom, VMM_HUGE_PAGE);
}

TEST_F_TIMEOUT(area, each_new_hint_is_seen_once_where_the_guest_halts, 60)
{
	unsigned int i;

	ASSERT_EQ(0, reg(self->v, HINT_AREA, SIZE));
	for (i = 0; i < 10; i++) {
		say(self->a, WORD);
		vmm_do(self->v, VMM_HLT, 1);
		EXPECT_EQ(i + 1, given(self->fd));
		vmm_do(self->v, VMM_HLT, 2);
		EXPECT_EQ(i + 1, given(self->fd));
		/* The host has told what it saw. */
		vmm_do(self->v, VMM_CPUID, 2);
		EXPECT_EQ(self->a->guest.seq, self->a->host.seq);
	}
	say(self->a, 0);
	vmm_do(self->v, VMM_HLT, 5);
	EXPECT_EQ(10, given(self->fd));
	EXPECT_EQ(1, hint_counts(self->fd, 0, KVMX_KIND_NONE).stale);
}

TEST_F_TIMEOUT(area, a_hint_costs_no_exit, 60)
{
	struct stats *own = kvm_stats(self->v->fd);
	uint64_t before;

	ASSERT_EQ(0, reg(self->v, HINT_AREA, SIZE));
	stats_read(own);
	before = stats_get(own, "exits");
	say(self->a, WORD);
	vmm_do(self->v, VMM_CPUID, 100);
	stats_read(own);
	/* Interrupts of the host end a guest's time now and then. */
	EXPECT_LE(101, stats_get(own, "exits") - before);
	EXPECT_EQ(1, hint_counts(self->fd, 0, KVMX_KIND_NONE).calls);
	stats_close(own);
}

TEST_F_TIMEOUT(area, malformed_and_forbidden_words_are_counted_as_such, 60)
{
	struct kvmx_hint_counts c;

	ASSERT_EQ(0, reg(self->v, HINT_AREA, SIZE));
	say(self->a, 0xffffffff);
	vmm_do(self->v, VMM_HLT, 1);
	say(self->a, WORD | 0x80000000);
	vmm_do(self->v, VMM_HLT, 1);
	say(self->a, KVMX_HINT_WORD(KVMX_KIND_BATCH, 1, 0));
	vmm_do(self->v, VMM_HLT, 1);
	c = hint_counts(self->fd, 0, KVMX_KIND_NONE);
	EXPECT_EQ(1, c.refused_bad);
	c = hint_counts(self->fd, 0, KVMX_KIND_LATENCY);
	EXPECT_EQ(1, c.refused_bad);
	c = hint_counts(self->fd, 0, KVMX_KIND_BATCH);
	EXPECT_EQ(1, c.refused_kind);
}

TEST_F_TIMEOUT(area, the_word_of_a_user_program_counts_where_the_area_says_none, 60)
{
	volatile uint32_t *word = (void *)(self->vm->mem + USER);

	*word = WORD;
	self->a->guest.user = USER;
	ASSERT_EQ(0, reg(self->v, HINT_AREA, SIZE));
	vmm_do(self->v, VMM_HLT, 1);
	EXPECT_EQ(1, given(self->fd));
	*word = KVMX_HINT_WORD(KVMX_KIND_CRITICAL, 1, 0);
	vmm_do(self->v, VMM_HLT, 1);
	EXPECT_EQ(1, hint_counts(self->fd, 0, KVMX_KIND_CRITICAL).given);
	*word = 0;
	vmm_do(self->v, VMM_HLT, 1);
	/* The area's own word comes first; nonsense is passed over. */
	*word = KVMX_HINT_WORD(KVMX_KIND_CRITICAL, 2, 0);
	say(self->a, WORD);
	vmm_do(self->v, VMM_HLT, 1);
	EXPECT_EQ(2, given(self->fd));
	say(self->a, 0);
	self->a->guest.user = USER + 2;
	vmm_do(self->v, VMM_HLT, 1);
	self->a->guest.user = VMM_HOLE_GPA;
	vmm_do(self->v, VMM_HLT, 1);
	self->a->guest.user = 0xfffffffffffffffcULL;
	vmm_do(self->v, VMM_HLT, 1);
	EXPECT_EQ(1, hint_counts(self->fd, 0, KVMX_KIND_CRITICAL).given);
	EXPECT_EQ(0, lost(self->fd));
}

TEST_F_TIMEOUT(area, memory_that_goes_takes_the_area_with_it_and_no_more, 60)
{
	void *mem = vmm_map_huge(VMM_HUGE_PAGE);
	struct kvmx_area *a = mem;
	uint32_t generation;

	memset(mem, 0, 4096);
	vmm_set_slot(self->vm, VMM_SLOT, VMM_GPA, mem, VMM_HUGE_PAGE, 0);
	ASSERT_EQ(0, reg(self->v, VMM_GPA, SIZE));
	generation = a->host.generation;
	vmm_set_slot(self->vm, VMM_SLOT, VMM_GPA, mem, 0, 0);
	say(a, WORD);
	vmm_do(self->v, VMM_HLT, 3);
	EXPECT_EQ(0, given(self->fd));
	EXPECT_LE(3, lost(self->fd));
	/* It is back, at other memory of the VMM. */
	vmm_set_slot(self->vm, VMM_SLOT, VMM_GPA, mem + 4096,
		     VMM_HUGE_PAGE - 4096, 0);
	a = mem + 4096;
	memset(a, 0, 4096);
	say(a, WORD);
	vmm_do(self->v, VMM_HLT, 3);
	EXPECT_EQ(1, given(self->fd));
	vmm_do(self->v, VMM_CPUID, 1);
	EXPECT_EQ(generation + 1, a->host.generation);
	EXPECT_EQ(KVMX_PARA_VERSION, a->host.version);
	vmm_set_slot(self->vm, VMM_SLOT, VMM_GPA, mem, 0, 0);
	munmap(mem, VMM_HUGE_PAGE);
}

TEST_F_TIMEOUT(area, a_balloon_takes_the_area_and_not_the_host_s_memory, 60)
{
	void *mem = vmm_map_huge(VMM_HUGE_PAGE);
	struct kvmx_area *a = mem;
	unsigned char there;
	uint64_t before;

	memset(mem, 0, 4096);
	vmm_set_slot(self->vm, VMM_SLOT, VMM_GPA, mem, VMM_HUGE_PAGE, 0);
	ASSERT_EQ(0, reg(self->v, VMM_GPA, SIZE));
	ASSERT_EQ(0, madvise(mem, VMM_HUGE_PAGE, MADV_DONTNEED));
	before = lost(self->fd);
	vmm_do(self->v, VMM_HLT, 3);
	EXPECT_LE(before + 3, lost(self->fd));
	ASSERT_EQ(0, mincore(mem, 4096, &there));
	EXPECT_EQ(0, there & 1);
	/* Whoever uses it again has an area again. */
	say(a, WORD);
	vmm_do(self->v, VMM_HLT, 3);
	EXPECT_EQ(1, given(self->fd));
	vmm_do(self->v, VMM_CPUID, 1);
	EXPECT_EQ(1, a->host.generation);
	vmm_set_slot(self->vm, VMM_SLOT, VMM_GPA, mem, 0, 0);
	munmap(mem, VMM_HUGE_PAGE);
}

TEST_F_TIMEOUT(area, hints_that_are_off_and_on_again_need_a_new_registration, 60)
{
	ASSERT_EQ(0, reg(self->v, HINT_AREA, SIZE));
	hint_off(self->fd);
	hint_allow(self->fd, KINDS, KVMX_EFFECT_NONE, 0);
	say(self->a, WORD);
	vmm_do(self->v, VMM_HLT, 2);
	EXPECT_EQ(0, given(self->fd));
	ASSERT_EQ(0, reg(self->v, HINT_AREA, SIZE));
	say(self->a, WORD);
	vmm_do(self->v, VMM_HLT, 2);
	EXPECT_EQ(1, given(self->fd));
	/* Another policy is told there, too. */
	hint_allow(self->fd, 1U << KVMX_KIND_BATCH, KVMX_EFFECT_NONE, 0);
	vmm_do(self->v, VMM_CPUID, 2);
	EXPECT_EQ(1U << KVMX_KIND_BATCH, self->a->host.kinds);
}

static volatile bool running;

static void *hog(void *arg)
{
	while (running)
		;
	return NULL;
}

TEST_F_TIMEOUT(area, the_guest_is_told_that_it_was_taken_off, 60)
{
	struct vmm_step steps[] = {
		{ .kind = VMM_SPIN, .n = scaled(2000000) },
		{ .kind = VMM_CPUID, .n = 1 },
	};
	pthread_t thread;
	cpu_set_t one;

	ASSERT_EQ(0, reg(self->v, HINT_AREA, SIZE));
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(one), &one));
	say(self->a, KVMX_HINT_WORD(KVMX_KIND_CRITICAL, 1, 0));
	running = true;
	ASSERT_EQ(0, pthread_create(&thread, NULL, hog, NULL));
	while (self->a->host.preempted < 5)
		vmm_run(self->v, steps, 2);
	running = false;
	pthread_join(thread, NULL);
	EXPECT_LT(0, self->a->host.run_delay_ns);
	EXPECT_EQ(1, hint_counts(self->fd, 0, KVMX_KIND_CRITICAL).given);
}

static void *move_memory(void *arg)
{
	void *mem = vmm_map_huge(VMM_HUGE_PAGE);
	struct vmm *vm = arg;

	memset(mem, 0xff, 8192);
	while (running) {
		vmm_set_slot(vm, VMM_SLOT, VMM_GPA, mem, VMM_HUGE_PAGE, 0);
		memset(mem, rand(), 128);
		vmm_set_slot(vm, VMM_SLOT, VMM_GPA, mem, 0, 0);
		madvise(mem, 4096, MADV_DONTNEED);
	}
	munmap(mem, VMM_HUGE_PAGE);
	return NULL;
}

TEST_F_TIMEOUT(area, a_storm_of_registrations_while_memory_moves, 120)
{
	uint64_t n = scaled(300) + 20, worked = 0, i;
	struct vmm_step steps[] = {
		{ .kind = VMM_KVMX, .n = 5 },
		{ .kind = VMM_HLT, .n = 1 },
	};
	pthread_t thread;

	running = true;
	ASSERT_EQ(0, pthread_create(&thread, NULL, move_memory, self->vm));
	for (i = 0; i < n; i++) {
		hint_load(self->v, KVMX_HC_REGISTER, VMM_GPA, 0, SIZE, 0);
		vmm_run(self->v, steps, 2);
		worked += 5 - vmm_call(self->v)->others;
		hint_load(self->v, KVMX_HC_UNREGISTER, 0, 0, 0, 0);
		vmm_run(self->v, steps, 2);
		EXPECT_EQ(0, vmm_call(self->v)->others);
	}
	running = false;
	pthread_join(thread, NULL);
	TH_LOG("of %lu registrations %lu worked", (unsigned long)n * 5,
	       (unsigned long)worked);
	/* After all that it is as ever. */
	EXPECT_EQ(0, reg(self->v, HINT_AREA, SIZE));
	say(self->a, WORD);
	i = given(self->fd);
	vmm_do(self->v, VMM_HLT, 1);
	EXPECT_EQ(i + 1, given(self->fd));
}

HOST_HARNESS_MAIN
