// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVMX_STATS_MMU: a guest that runs into the second level of page tables N times
 * in a known way is told to have done so N times, in that way and no other.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>

#include "kselftest_harness.h"

#include "die.h"
#include "host.h"
#include "kvmx.h"
#include "vmm.h"

#define MEM_SIZE	(4 * VMM_HUGE_PAGE)
#define TEXT		512

FIXTURE(ept) {
	int node, fd;
	struct vmm *vm;
	struct vmm_vcpu *v;
	uint8_t *mem;		/* at VMM_GPA, MEM_SIZE */
	struct stats *s;
	uint8_t *base;		/* its data, before */
	uint64_t n;
	char want[TEXT], got[TEXT];
};

FIXTURE_SETUP(ept)
{
	self->node = kvmx_node();
	self->vm = vmm_create(0);
	self->v = vmm_add_vcpu(self->vm);
	self->fd = kvmx_vm_by_fd(self->node, self->vm->fd);
	self->mem = vmm_map_huge(MEM_SIZE);
	vmm_set_slot(self->vm, VMM_SLOT, VMM_GPA, self->mem, MEM_SIZE, 0);
	/* What a batch needs besides is mapped from here on. */
	vmm_warm(self->v);
	self->s = kvmx_stats_with(self->fd, 0, KVMX_STATS_MMU);
	self->base = malloc(self->s->size);
	self->n = 4 * scaled(256);
}

FIXTURE_TEARDOWN(ept)
{
	stats_close(self->s);
	free(self->base);
	close(self->fd);
	vmm_destroy(self->vm);
	close(self->node);
}

/* Here the interval begins that changes() is about. */
static void mark(FIXTURE_DATA(ept) *self)
{
	/* The exit in which counting began is not counted. */
	vmm_do(self->v, VMM_CPUID, 1);
	stats_read(self->s);
	memcpy(self->base, self->s->data, self->s->size);
}

static void go(FIXTURE_DATA(ept) *self, unsigned int kind, uint64_t n)
{
	struct vmm_step step = { .kind = kind, .n = n, .arg = VMM_GPA };

	vmm_run(self->v, &step, 1);
}

static uint64_t rise(const FIXTURE_DATA(ept) *self,
		     const struct stat_desc *d)
{
	uint64_t before;

	memcpy(&before, self->base + d->offset, sizeof(before));
	return stats_values(self->s, d)[0] - before;
}

static bool is_counter(const struct stat_desc *d)
{
	return !strncmp(d->name, "mmu.", 4) && d->size == 1 &&
	       (d->flags & KVM_STATS_TYPE_MASK) == KVM_STATS_TYPE_CUMULATIVE &&
	       strcmp(d->name, "mmu.time") && strcmp(d->name, "mmu.fast");
}

/* All counters that rose, and by how much: " access.write=3 ...". */
static const char *changes(FIXTURE_DATA(ept) *self)
{
	unsigned int i;
	size_t at = 0;

	stats_read(self->s);
	self->got[0] = '\0';
	for (i = 0; i < self->s->nr; i++) {
		const struct stat_desc *d = &self->s->desc[i];

		if (is_counter(d) && rise(self, d))
			at += snprintf(self->got + at, TEXT - at, " %s=%lu",
				       d->name + 4, rise(self, d));
	}
	return self->got;
}

static uint64_t hist_rise(const FIXTURE_DATA(ept) *self)
{
	const struct stat_desc *d = stats_find(self->s, "mmu.hist");
	uint64_t before[64], sum = 0;
	unsigned int i;

	memcpy(before, self->base + d->offset, d->size * sizeof(uint64_t));
	for (i = 0; i < d->size; i++)
		sum += stats_values(self->s, d)[i] - before[i];
	return sum;
}

#define expect(fmt, ...) do {						\
	snprintf(self->want, TEXT, fmt, __VA_ARGS__);			\
	EXPECT_STREQ(self->want, changes(self));			\
} while (0)

TEST_F_TIMEOUT(ept, n_writes_to_fresh_pages_are_n_faults_of_absent_pages, 60)
{
	const struct stat_desc *time = stats_find(self->s, "mmu.time");
	uint64_t n = self->n;

	mark(self);
	go(self, VMM_WRITE, n);
	expect(" access.write=%lu cause.not_present=%lu outcome.fixed=%lu",
	       n, n, n);
	EXPECT_EQ(n, hist_rise(self));
	EXPECT_LT(0, rise(self, time));
	/* They are there now. */
	mark(self);
	go(self, VMM_WRITE, n);
	EXPECT_STREQ("", changes(self));
}

TEST_F_TIMEOUT(ept, reads_and_fetches_are_told_apart, 60)
{
	uint64_t n = self->n;

	/* A RET in each page. */
	memset(self->mem, 0xc3, MEM_SIZE);
	/* The first one touches the stack. */
	vmm_run(self->v, &(struct vmm_step){
			.kind = VMM_CALL, .n = 1,
			.arg = VMM_GPA + MEM_SIZE - 4096 }, 1);
	mark(self);
	go(self, VMM_CALL, n / 2);
	expect(" access.fetch=%lu cause.not_present=%lu outcome.fixed=%lu",
	       n / 2, n / 2, n / 2);
	mark(self);
	go(self, VMM_READ, n);
	expect(" access.read=%lu cause.not_present=%lu outcome.fixed=%lu",
	       n / 2, n / 2, n / 2);
}

/* How much of the memory around an address is in huge pages, in bytes. */
static uint64_t huge_at(const void *at)
{
	uint64_t from, to, kb, bytes = 0;
	bool inside = false;
	char line[256];
	FILE *f = fopen("/proc/self/smaps", "r");

	if (!f)
		die_errno("/proc/self/smaps");
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			inside = (uintptr_t)at >= from && (uintptr_t)at < to;
		else if (inside && sscanf(line, "AnonHugePages: %lu", &kb) == 1)
			bytes += kb << 10;
	}
	fclose(f);
	return bytes;
}

TEST_F_TIMEOUT(ept, on_huge_pages_it_is_one_fault_for_512_pages, 60)
{
	uint64_t n = MEM_SIZE / 4096;

	if (madvise(self->mem, MEM_SIZE, MADV_HUGEPAGE))
		SKIP(return, "this kernel has no transparent huge pages");
	memset(self->mem, 0, MEM_SIZE);
	if (huge_at(self->mem) < MEM_SIZE)
		SKIP(return, "the host has not enough free huge pages");
	mark(self);
	go(self, VMM_WRITE, n);
	expect(" access.write=%lu cause.not_present=%lu outcome.fixed=%lu",
	       n / 512, n / 512, n / 512);
}

TEST_F_TIMEOUT(ept, writes_to_a_read_only_slot_are_that_and_emulated, 60)
{
	uint64_t n = self->n / 4;

	vmm_set_slot(self->vm, VMM_SLOT + 1, VMM_GPA + MEM_SIZE,
		     vmm_map_huge(MEM_SIZE), MEM_SIZE, KVM_MEM_READONLY);
	vmm_warm(self->v);
	mark(self);
	vmm_run(self->v, &(struct vmm_step){ .kind = VMM_READ, .n = n / 2,
					     .arg = VMM_GPA + MEM_SIZE }, 1);
	expect(" access.read=%lu cause.not_present=%lu outcome.fixed=%lu",
	       n / 2, n / 2, n / 2);
	/* Half of them are mapped, half are not: neither can be written. */
	mark(self);
	vmm_run(self->v, &(struct vmm_step){ .kind = VMM_WRITE, .n = n,
					     .arg = VMM_GPA + MEM_SIZE }, 1);
	expect(" access.write=%lu cause.read_only=%lu outcome.emulated=%lu",
	       n, n, n);
}

TEST_F_TIMEOUT(ept, dirty_logging_costs_one_fault_for_each_written_page, 60)
{
	const struct stat_desc *fast = stats_find(self->s, "mmu.fast");
	struct stats *own = kvm_stats(self->v->fd);
	uint64_t n = self->n, pf_fast;

	if (host_has_pml())
		SKIP(return, "this processor logs written pages by itself");
	go(self, VMM_WRITE, n);
	vmm_set_slot(self->vm, VMM_SLOT, VMM_GPA, self->mem, MEM_SIZE,
		     KVM_MEM_LOG_DIRTY_PAGES);
	vmm_warm(self->v);
	mark(self);
	go(self, VMM_READ, n);
	EXPECT_STREQ("", changes(self));
	mark(self);
	stats_read(own);
	pf_fast = stats_get(own, "pf_fast");
	go(self, VMM_WRITE, n);
	expect(" access.write=%lu cause.dirty_logging=%lu outcome.fixed=%lu",
	       n, n, n);
	stats_read(own);
	EXPECT_EQ(stats_get(own, "pf_fast") - pf_fast, rise(self, fast));
	mark(self);
	go(self, VMM_WRITE, n);
	EXPECT_STREQ("", changes(self));
	vmm_set_slot(self->vm, VMM_SLOT, VMM_GPA, self->mem, MEM_SIZE, 0);
	stats_close(own);
}

/*
 * Pages that are shared, as KSM does: here with the page of zeroes. The write
 * runs into a page that is write-protected; that it is copied takes it away from
 * KVM, so that the guest runs into nothing right after.
 */
TEST_F_TIMEOUT(ept, shared_pages_are_write_protected_until_they_are_copied, 60)
{
	uint64_t n = self->n;

	mark(self);
	go(self, VMM_READ, n);
	expect(" access.read=%lu cause.not_present=%lu outcome.fixed=%lu",
	       n, n, n);
	mark(self);
	go(self, VMM_WRITE, n);
	expect(" access.write=%lu cause.not_present=%lu cause.write_protected=%lu outcome.fixed=%lu outcome.retried=%lu",
	       2 * n, n, n, n, n);
}

TEST_F_TIMEOUT(ept, accesses_to_where_no_memory_is_are_mmio, 60)
{
	uint64_t n = self->n / 4;

	mark(self);
	vmm_do(self->v, VMM_MMIO, n);
	/* EPT marks such places by a misconfiguration, which tells no access. */
	if (vmm_intel())
		expect(" access.unknown=%lu cause.mmio=%lu outcome.mmio=%lu",
		       n, n, n);
	else
		expect(" access.write=%lu cause.mmio=%lu outcome.mmio=%lu",
		       n, n, n);
	EXPECT_EQ(0, hist_rise(self));
}

TEST_F_TIMEOUT(ept, the_first_access_to_a_hole_is_mmio_too, 60)
{
	uint64_t hole = VMM_GPA + 2 * MEM_SIZE, n = 16;

	mark(self);
	vmm_run(self->v, &(struct vmm_step){ .kind = VMM_WRITE, .n = n,
					     .arg = hole }, 1);
	expect(" access.write=%lu cause.mmio=%lu outcome.mmio=%lu", n, n, n);
	mark(self);
	vmm_run(self->v, &(struct vmm_step){ .kind = VMM_READ, .n = n,
					     .arg = hole }, 1);
	expect(vmm_intel() ?
	       " access.unknown=%lu cause.mmio=%lu outcome.mmio=%lu" :
	       " access.read=%lu cause.mmio=%lu outcome.mmio=%lu", n, n, n);
}

TEST_F_TIMEOUT(ept, a_vm_is_the_sum_of_its_vcpus, 60)
{
	struct stats *whole = kvmx_stats_with(self->fd, KVMX_STATS_WHOLE_VM,
					      KVMX_STATS_MMU);
	struct vmm_vcpu *other = vmm_add_vcpu(self->vm);
	struct stats *s = kvmx_stats_with(self->fd, 1, KVMX_STATS_MMU);

	go(self, VMM_WRITE, 100);
	vmm_do(other, VMM_TOUCH, 77);
	stats_read(whole);
	stats_read(s);
	stats_read(self->s);
	EXPECT_LE(100, stats_get(self->s, "mmu.cause.not_present"));
	EXPECT_LE(77, stats_get(s, "mmu.cause.not_present"));
	EXPECT_EQ(stats_get(self->s, "mmu.cause.not_present") +
		  stats_get(s, "mmu.cause.not_present"),
		  stats_get(whole, "mmu.cause.not_present"));
	EXPECT_EQ(stats_get(self->s, "mmu.time") + stats_get(s, "mmu.time"),
		  stats_get(whole, "mmu.time"));
	stats_close(s);
	stats_close(whole);
}

/* What has the key in a list; the row of zeroes where there is none. */
static struct kvmx_top_row row_of(const struct kvmx_top_row *rows, int nr,
				  uint64_t key)
{
	int i;

	for (i = 0; i < nr; i++)
		if (rows[i].key == key)
			return rows[i];
	return (struct kvmx_top_row){ };
}

TEST_F_TIMEOUT(ept, the_hottest_ranges_are_where_the_faults_were, 60)
{
	uint64_t range = VMM_GPA, count = 0, time = 0;
	struct kvmx_top_row rows[64];
	struct kvmx_top head;
	unsigned int i;
	int nr;

	for (i = 0; i < 4; i++, range += VMM_HUGE_PAGE)
		vmm_run(self->v, &(struct vmm_step){ .kind = VMM_WRITE,
			.n = 30 + 20 * i, .arg = range }, 1);
	nr = kvmx_top(self->s->fd, KVMX_TOP_RANGES, rows, 64, &head);
	ASSERT_LE(4, nr);
	for (i = 0; i < 4; i++)
		EXPECT_EQ(30 + 20 * i, row_of(rows, nr, VMM_GPA + i *
					      VMM_HUGE_PAGE).count);
	EXPECT_EQ(90, rows[0].count);
	stats_read(self->s);
	for (i = 0; i < nr; i++) {
		count += rows[i].count;
		time += rows[i].time;
		EXPECT_EQ(0, rows[i].key % VMM_HUGE_PAGE);
	}
	EXPECT_EQ(stats_get(self->s, "mmu.cause.not_present"),
		  count + head.others_count);
	EXPECT_EQ(stats_get(self->s, "mmu.time"), time + head.others_time);
	EXPECT_EQ(-1, kvmx_top(self->s->fd, KVMX_TOP_PORTS, rows, 64, NULL));
}

/* KVM's own figures, and ours, when all is at rest. */
#define same_pages(whole, own) do {					\
	stats_read(whole);						\
	stats_read(own);						\
	EXPECT_EQ(stats_get(own, "pages_4k"), stats_get(whole, "mmu.pages.4k")); \
	EXPECT_EQ(stats_get(own, "pages_2m"), stats_get(whole, "mmu.pages.2m")); \
	EXPECT_EQ(stats_get(own, "pages_1g"), stats_get(whole, "mmu.pages.1g")); \
} while (0)

TEST_F_TIMEOUT(ept, pages_by_size_are_kvms_own_through_splits_and_collapses, 60)
{
	struct stats *whole = kvmx_stats_with(self->fd, KVMX_STATS_WHOLE_VM,
					      KVMX_STATS_MMU);
	struct stats *own = kvm_stats(self->vm->fd);
	uint64_t huge = MEM_SIZE / VMM_HUGE_PAGE;

	if (madvise(self->mem, MEM_SIZE, MADV_HUGEPAGE))
		SKIP(return, "this kernel has no transparent huge pages");
	memset(self->mem, 0, MEM_SIZE);
	if (huge_at(self->mem) < MEM_SIZE)
		SKIP(return, "the host has not enough free huge pages");
	go(self, VMM_WRITE, MEM_SIZE / 4096);
	same_pages(whole, own);
	EXPECT_EQ(huge, stats_get(whole, "mmu.pages.2m"));
	/* Logging of pages splits what is larger. */
	vmm_set_slot(self->vm, VMM_SLOT, VMM_GPA, self->mem, MEM_SIZE,
		     KVM_MEM_LOG_DIRTY_PAGES);
	go(self, VMM_WRITE, MEM_SIZE / 4096);
	same_pages(whole, own);
	if (!host_has_pml()) {
		EXPECT_EQ(0, stats_get(whole, "mmu.pages.2m"));
		EXPECT_LE(MEM_SIZE / 4096, stats_get(whole, "mmu.pages.4k"));
	}
	vmm_set_slot(self->vm, VMM_SLOT, VMM_GPA, self->mem, MEM_SIZE, 0);
	go(self, VMM_WRITE, MEM_SIZE / 4096);
	same_pages(whole, own);
	EXPECT_EQ(huge, stats_get(whole, "mmu.pages.2m"));
	EXPECT_LT(0, stats_get(whole, "mmu.pages.read_at"));
	EXPECT_EQ(NULL, stats_find(self->s, "mmu.pages.4k"));
	stats_close(own);
	stats_close(whole);
}

TEST_F_TIMEOUT(ept, tables_grow_by_one_page_for_512, 60)
{
	struct stats *whole = kvmx_stats_with(self->fd, KVMX_STATS_WHOLE_VM,
					      KVMX_STATS_MMU);
	uint64_t before;

	if (!stats_find(whole, "mmu.pages.tables"))
		SKIP(return, "this kernel's KVM does not count them");
	go(self, VMM_WRITE, 1);
	stats_read(whole);
	before = stats_get(whole, "mmu.pages.tables");
	/* A table for each 2 MB but the first. */
	go(self, VMM_WRITE, MEM_SIZE / 4096);
	stats_read(whole);
	EXPECT_EQ((MEM_SIZE / VMM_HUGE_PAGE - 1) * 4096,
		  stats_get(whole, "mmu.pages.tables") - before);
	stats_close(whole);
}

TEST_F_TIMEOUT(ept, the_walk_is_as_this_host_has_it, 60)
{
	if (host_cpu_has("la57"))
		SKIP(return, "whether five levels are in use is not known here");
	vmm_do(self->v, VMM_CPUID, 2);
	stats_read(self->s);
	EXPECT_EQ(4, stats_get(self->s, "mmu.walk.levels"));
	if (!vmm_intel()) {
		EXPECT_EQ(1, stats_get(self->s, "mmu.walk.ad"));
		EXPECT_EQ(NULL, stats_find(self->s, "mmu.walk.pml"));
		return;
	}
	EXPECT_EQ(host_parameter("/sys/module/kvm_intel/parameters/eptad"),
		  stats_get(self->s, "mmu.walk.ad"));
	if (!host_has_pml())
		EXPECT_EQ(0, stats_get(self->s, "mmu.walk.pml"));
}

static uint32_t state_of_hook(int node)
{
	struct kvmx_feature all[64];
	int i, nr = kvmx_features(node, all, 64);

	for (i = 0; i < nr && i < 64; i++)
		if (!strcmp(all[i].name, "kvm_page_fault"))
			return all[i].state;
	die("no feature kvm_page_fault");
}

TEST_F_TIMEOUT(ept, who_does_not_ask_pays_nothing, 60)
{
	struct stats *plain = kvmx_stats_with(self->fd, 0, 0);

	EXPECT_EQ(NULL, stats_find(plain, "mmu.cause.not_present"));
	EXPECT_EQ(KVMX_FEATURE_ON, state_of_hook(self->node));
	stats_close(self->s);
	EXPECT_EQ(KVMX_FEATURE_READY, state_of_hook(self->node));
	/* Nobody counts these. */
	go(self, VMM_WRITE, 100);
	self->s = kvmx_stats_with(self->fd, 0, KVMX_STATS_MMU);
	EXPECT_EQ(KVMX_FEATURE_ON, state_of_hook(self->node));
	mark(self);
	go(self, VMM_WRITE, 150);
	expect(" access.write=%d cause.not_present=%d outcome.fixed=%d",
	       50, 50, 50);
	stats_close(plain);
}

HOST_HARNESS_MAIN
