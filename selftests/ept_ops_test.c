// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVMX_STATS_MMU, mmu.op.*: what is done to a VM's mappings in a known way and
 * number is told in that number, of that VM, and nothing else is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <linux/mempolicy.h>

#include "kselftest_harness.h"

#include "die.h"
#include "host.h"
#include "kvmx.h"
#include "vmm.h"

#define MEM_SIZE	(4 * VMM_HUGE_PAGE)
#define PAGES		(MEM_SIZE / 4096)
#define HUGE_PAGES	(MEM_SIZE / VMM_HUGE_PAGE)
#define TEXT		256

FIXTURE(ops) {
	int node, fd;
	struct vmm *vm;
	struct vmm_vcpu *v;
	uint8_t *mem;		/* at VMM_GPA, MEM_SIZE */
	struct stats *s;	/* of the whole VM */
	uint8_t *base;		/* its data, before */
	char want[TEXT], got[TEXT];
};

FIXTURE_SETUP(ops)
{
	/* With a policy of its own, its pages are not taken away to see who uses
	 * them (NUMA balancing). A kernel without NUMA does not do that anyway.
	 */
	syscall(SYS_set_mempolicy, MPOL_LOCAL, NULL, 0);
	self->node = kvmx_node();
	self->vm = vmm_create(0);
	self->v = vmm_add_vcpu(self->vm);
	self->fd = kvmx_vm_by_fd(self->node, self->vm->fd);
	self->mem = vmm_map_huge(MEM_SIZE);
	vmm_set_slot(self->vm, VMM_SLOT, VMM_GPA, self->mem, MEM_SIZE, 0);
	vmm_warm(self->v);
	self->s = kvmx_stats_with(self->fd, KVMX_STATS_WHOLE_VM,
				  KVMX_STATS_MMU);
	self->base = malloc(self->s->size);
	if (!stats_find(self->s, "mmu.op.mapped"))
		SKIP(return, "this kernel does not tell of operations, see kvmx info");
}

FIXTURE_TEARDOWN(ops)
{
	stats_close(self->s);
	free(self->base);
	close(self->fd);
	vmm_destroy(self->vm);
	close(self->node);
}

static void mark(FIXTURE_DATA(ops) *self)
{
	stats_read(self->s);
	memcpy(self->base, self->s->data, self->s->size);
}

/* All operations since the mark: " mapped=3 ...". */
static const char *changes(FIXTURE_DATA(ops) *self)
{
	unsigned int i;
	size_t at = 0;

	stats_read(self->s);
	self->got[0] = '\0';
	for (i = 0; i < self->s->nr; i++) {
		const struct stat_desc *d = &self->s->desc[i];
		uint64_t before, now;

		if (strncmp(d->name, "mmu.op.", 7))
			continue;
		memcpy(&before, self->base + d->offset, sizeof(before));
		now = stats_values(self->s, d)[0];
		if (now != before)
			at += snprintf(self->got + at, TEXT - at, " %s=%lu",
				       d->name + 7, now - before);
	}
	return self->got;
}

#define expect(...) do {							\
	snprintf(self->want, TEXT, __VA_ARGS__);			\
	EXPECT_STREQ(self->want, changes(self));			\
} while (0)

static void go(FIXTURE_DATA(ops) *self, unsigned int kind, uint64_t n)
{
	struct vmm_step step = { .kind = kind, .n = n, .arg = VMM_GPA };

	vmm_run(self->v, &step, 1);
}

static void set_logging(FIXTURE_DATA(ops) *self, bool on)
{
	vmm_set_slot(self->vm, VMM_SLOT, VMM_GPA, self->mem, MEM_SIZE,
		     on ? KVM_MEM_LOG_DIRTY_PAGES : 0);
}

TEST_F_TIMEOUT(ops, n_fresh_pages_are_n_mapped, 60)
{
	mark(self);
	go(self, VMM_WRITE, 100);
	expect(" mapped=100");
	mark(self);
	go(self, VMM_WRITE, 100);
	EXPECT_STREQ("", changes(self));
}

TEST_F_TIMEOUT(ops, pages_that_the_host_takes_away_are_zapped, 60)
{
	go(self, VMM_WRITE, 200);
	mark(self);
	if (madvise(self->mem, 60 * 4096, MADV_DONTNEED))
		die_errno("MADV_DONTNEED");
	expect(" zapped=60");
	mark(self);
	go(self, VMM_WRITE, 200);
	expect(" mapped=60");
}

TEST_F_TIMEOUT(ops, pages_of_another_vm_are_not_told, 60)
{
	void *gap = mmap(NULL, 2 * VMM_HUGE_PAGE, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct vmm_vcpu *v;
	struct vmm *other;

	/*
	 * Side by side, the memory of both would be one mapping; to cut it in two
	 * 6.1 takes all around the cut, for 2 MB, away from KVM, and tells so.
	 */
	ASSERT_NE(MAP_FAILED, gap);
	other = vmm_create(0);
	v = vmm_add_vcpu(other);
	vmm_warm(v);
	mark(self);
	vmm_do(v, VMM_TOUCH, 300);
	vmm_destroy(other);
	EXPECT_STREQ("", changes(self));
	go(self, VMM_WRITE, 10);
	expect(" mapped=10");
	munmap(gap, 2 * VMM_HUGE_PAGE);
}

TEST_F_TIMEOUT(ops, dirty_logging_write_protects_each_page_once, 60)
{
	if (host_has_pml())
		SKIP(return, "this processor logs written pages by itself");
	go(self, VMM_WRITE, 300);
	mark(self);
	set_logging(self, true);
	expect(" write_protected=300");
	/* What is written again is made writable without a new mapping. */
	mark(self);
	go(self, VMM_WRITE, 40);
	EXPECT_STREQ("", changes(self));
	set_logging(self, false);
}

TEST_F_TIMEOUT(ops, fetching_the_log_protects_what_was_written, 60)
{
	uint64_t bits[PAGES / 64];
	struct kvm_dirty_log log = {
		.slot = VMM_SLOT, .dirty_bitmap = bits,
	};

	if (host_has_pml())
		SKIP(return, "this processor logs written pages by itself");
	set_logging(self, true);
	go(self, VMM_WRITE, 70);
	mark(self);
	if (ioctl(self->vm->fd, KVM_GET_DIRTY_LOG, &log))
		die_errno("KVM_GET_DIRTY_LOG");
	expect(" write_protected=70");
	mark(self);
	go(self, VMM_WRITE, 7);
	if (ioctl(self->vm->fd, KVM_GET_DIRTY_LOG, &log))
		die_errno("KVM_GET_DIRTY_LOG");
	expect(" write_protected=7");
	set_logging(self, false);
}

/* Since 7.x or so KVM puts the huge page there; before, the next fault does. */
static bool recovers_in_place(FIXTURE_DATA(ops) *self)
{
	return stats_get(self->s, "mmu.pages.2m") == HUGE_PAGES;
}

TEST_F_TIMEOUT(ops, logging_splits_huge_pages_and_its_end_collapses_them, 60)
{
	bool in_place;

	if (!host_parameter("/sys/module/kvm/parameters/eager_page_split"))
		SKIP(return, "KVM is told to split lazily");
	if (madvise(self->mem, MEM_SIZE, MADV_HUGEPAGE))
		SKIP(return, "this kernel has no transparent huge pages");
	memset(self->mem, 0, MEM_SIZE);
	mark(self);
	go(self, VMM_WRITE, PAGES);
	if (stats_read(self->s), stats_get(self->s, "mmu.pages.2m") < HUGE_PAGES)
		SKIP(return, "the host has not enough free huge pages");
	expect(" mapped=%lu", HUGE_PAGES);
	mark(self);
	set_logging(self, true);
	expect(host_has_pml() ? " split=%lu" : " split=%lu write_protected=%lu",
	       HUGE_PAGES, PAGES);
	EXPECT_EQ(0, stats_get(self->s, "mmu.pages.2m"));
	go(self, VMM_WRITE, PAGES);
	mark(self);
	set_logging(self, false);
	/* With their tables the small pages go. */
	expect(" zapped=%lu collapsed=%lu", PAGES, HUGE_PAGES);
	in_place = recovers_in_place(self);
	mark(self);
	go(self, VMM_WRITE, PAGES);
	expect(in_place ? "" : " mapped=%lu", HUGE_PAGES);
	EXPECT_EQ(HUGE_PAGES, stats_get(self->s, "mmu.pages.2m"));
}

TEST_F_TIMEOUT(ops, a_slot_that_goes_is_zapped_and_not_collapsed, 60)
{
	uint64_t gpa = VMM_GPA + MEM_SIZE;
	void *mem = vmm_map_huge(MEM_SIZE);
	const char *collapsed;

	vmm_set_slot(self->vm, VMM_SLOT + 1, gpa, mem, MEM_SIZE, 0);
	vmm_run(self->v, &(struct vmm_step){ .kind = VMM_WRITE, .n = 90,
					     .arg = gpa }, 1);
	/* The thread that collapses is not taken for one for ever. */
	set_logging(self, true);
	set_logging(self, false);
	mark(self);
	vmm_set_slot(self->vm, VMM_SLOT + 1, gpa, mem, 0, 0);
	collapsed = strstr(changes(self), "collapsed");
	EXPECT_EQ(NULL, collapsed) {
		TH_LOG("%s", self->got);
	}
	munmap(mem, MEM_SIZE);
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

TEST_F_TIMEOUT(ops, who_does_not_ask_pays_nothing, 60)
{
	struct stats *v = kvmx_stats_with(self->fd, 0, KVMX_STATS_MMU);
	uint64_t before;

	go(self, VMM_WRITE, 10);
	EXPECT_EQ(KVMX_FEATURE_ON, state_of(self->node,
					    "__handle_changed_spte"));
	/* It is the VM's, no vCPU's. */
	EXPECT_EQ(NULL, stats_find(v, "mmu.op.mapped"));
	stats_close(v);
	stats_read(self->s);
	before = stats_get(self->s, "mmu.op.mapped");
	stats_close(self->s);
	EXPECT_EQ(KVMX_FEATURE_READY, state_of(self->node,
					       "__handle_changed_spte"));
	EXPECT_EQ(KVMX_FEATURE_READY, state_of(self->node,
					       "kvm_tdp_mmu_spte_changed"));
	go(self, VMM_WRITE, 100);
	self->s = kvmx_stats_with(self->fd, KVMX_STATS_WHOLE_VM,
				  KVMX_STATS_MMU);
	go(self, VMM_WRITE, 130);
	stats_read(self->s);
	/* Nobody counted those in between. */
	EXPECT_EQ(30, stats_get(self->s, "mmu.op.mapped") - before);
}

HOST_HARNESS_MAIN
