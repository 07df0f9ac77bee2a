// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVMX_STATS_IO: N accesses to a port, or to an address where no memory is, are
 * N accesses to that one.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "host.h"
#include "kvmx.h"
#include "vmm.h"

#define ROOM	64

FIXTURE(io) {
	int node, fd;
	struct vmm *vm;
	struct vmm_vcpu *v;
	struct stats *s;
	struct kvmx_top head;
	struct kvmx_top_row rows[ROOM];
	int nr;
};

FIXTURE_SETUP(io)
{
	self->node = kvmx_node();
	self->vm = vmm_create(VMM_IRQCHIP);
	self->v = vmm_add_vcpu(self->vm);
	self->fd = kvmx_vm_by_fd(self->node, self->vm->fd);
	vmm_warm(self->v);
	self->s = kvmx_stats_with(self->fd, 0, KVMX_STATS_IO);
}

FIXTURE_TEARDOWN(io)
{
	stats_close(self->s);
	close(self->fd);
	vmm_destroy(self->vm);
	close(self->node);
}

static void top(FIXTURE_DATA(io) *self, unsigned int what)
{
	self->nr = kvmx_top(self->s->fd, what, self->rows, ROOM, &self->head);
	stats_read(self->s);
}

static uint64_t count_of(const FIXTURE_DATA(io) *self, uint64_t key)
{
	int i;

	for (i = 0; i < self->nr; i++)
		if (self->rows[i].key == key)
			return self->rows[i].count;
	return 0;
}

static uint64_t all_counts(const FIXTURE_DATA(io) *self)
{
	uint64_t sum = self->head.others_count;
	int i;

	for (i = 0; i < self->nr; i++)
		sum += self->rows[i].count;
	return sum;
}

static uint64_t all_times(const FIXTURE_DATA(io) *self)
{
	uint64_t sum = self->head.others_time;
	int i;

	for (i = 0; i < self->nr; i++)
		sum += self->rows[i].time;
	return sum;
}

static uint64_t hist_sum(const struct stats *s, const char *name)
{
	const struct stat_desc *d = stats_find(s, name);
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < d->size; i++)
		sum += stats_values(s, d)[i];
	return sum;
}

TEST_F_TIMEOUT(io, n_accesses_to_a_port_are_n_of_that_port, 60)
{
	uint64_t n = scaled(1000), dones, out;

	/* The exit in which counting began is not counted. */
	vmm_do(self->v, VMM_CPUID, 1);
	dones = self->v->dones;
	top(self, KVMX_TOP_PORTS);
	out = stats_get(self->s, "io.port.out");
	EXPECT_EQ(1, count_of(self, VMM_DONE_PORT));
	vmm_do(self->v, VMM_OUT_USER, n);
	vmm_do(self->v, VMM_OUT_KERNEL, 2 * n);
	vmm_do(self->v, VMM_CPUID, 1);
	top(self, KVMX_TOP_PORTS);
	ASSERT_EQ(3, self->nr);
	EXPECT_EQ(n, count_of(self, VMM_USER_PORT));
	EXPECT_EQ(2 * n, count_of(self, VMM_PIC_PORT));
	EXPECT_EQ(self->v->dones - dones + 1, count_of(self, VMM_DONE_PORT));
	EXPECT_EQ(VMM_PIC_PORT, self->rows[0].key);
	EXPECT_EQ(3 * n + 3, stats_get(self->s, "io.port.out") - out);
	EXPECT_EQ(0, stats_get(self->s, "io.port.in"));
	EXPECT_EQ(0, self->head.others_count);
	/* All but the last one, in which the guest is still. */
	EXPECT_EQ(all_counts(self) - 1, hist_sum(self->s, "io.port.hist"));
	EXPECT_EQ(stats_get(self->s, "io.port.time"), all_times(self));
	EXPECT_EQ(0, stats_get(self->s, "io.mmio.count"));
}

TEST_F_TIMEOUT(io, n_accesses_to_a_hole_are_n_of_that_address, 60)
{
	uint64_t n = scaled(500), hole = VMM_GPA + 16 * VMM_HUGE_PAGE;
	unsigned int i;

	vmm_do(self->v, VMM_CPUID, 1);
	/* The first of all is a page fault, the others are not. */
	for (i = 0; i < n; i++)
		vmm_run(self->v, &(struct vmm_step){ .kind = VMM_WRITE, .n = 2,
						     .arg = hole }, 1);
	top(self, KVMX_TOP_MMIO);
	EXPECT_EQ(2, self->nr);
	EXPECT_EQ(n, count_of(self, hole));
	EXPECT_EQ(n, count_of(self, hole + 4096));
	EXPECT_EQ(2 * n, stats_get(self->s, "io.mmio.count"));
	EXPECT_EQ(2 * n, hist_sum(self->s, "io.mmio.hist"));
	EXPECT_EQ(stats_get(self->s, "io.mmio.time"), all_times(self));
}

TEST_F_TIMEOUT(io, more_addresses_than_rows_end_up_in_the_others, 60)
{
	uint64_t n = 200, hole = VMM_GPA + 16 * VMM_HUGE_PAGE;
	unsigned int i;

	for (i = 0; i < 10; i++) {
		vmm_run(self->v, &(struct vmm_step){ .kind = VMM_WRITE, .n = 20,
						     .arg = hole }, 1);
		vmm_do(self->v, VMM_MMIO, n);
	}
	vmm_run(self->v, &(struct vmm_step){ .kind = VMM_WRITE, .n = 60,
					     .arg = hole }, 1);
	top(self, KVMX_TOP_MMIO);
	EXPECT_GE(ROOM, self->nr);
	EXPECT_LT(0, self->head.others_count);
	EXPECT_EQ(10 * n, self->rows[0].count);
	EXPECT_EQ(10 * (20 + n) + 60, all_counts(self));
	EXPECT_EQ(all_counts(self), stats_get(self->s, "io.mmio.count"));
	EXPECT_EQ(stats_get(self->s, "io.mmio.time"), all_times(self));
}

TEST_F(io, lists_belong_to_their_group)
{
	EXPECT_EQ(-1, kvmx_top(self->s->fd, KVMX_TOP_RANGES, self->rows,
			       ROOM, NULL));
	EXPECT_EQ(ENODATA, errno);
	EXPECT_EQ(-1, kvmx_top(self->s->fd, 15, self->rows, ROOM, NULL));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(NULL, stats_find(self->s, "mmu.cause.mmio"));
}

HOST_HARNESS_MAIN
