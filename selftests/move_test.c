// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVMX_STATS_SCHED: a vCPU's thread that is moved is seen to be moved, as often
 * and as far as it was, and so are the first exits after that.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "company.h"
#include "host.h"
#include "kvmx.h"
#include "topo.h"
#include "vmm.h"

static uint64_t placed(const struct stats *s, unsigned int distance)
{
	char name[64];

	snprintf(name, sizeof(name), "sched.placed.%s",
		 distance_names[distance]);
	return stats_get(s, name);
}

FIXTURE(moves) {
	int node;
};

FIXTURE_SETUP(moves)
{
	self->node = kvmx_node();
}

FIXTURE_TEARDOWN(moves)
{
	close(self->node);
}

FIXTURE_VARIANT(moves) {
	enum distance distance;
};

FIXTURE_VARIANT_ADD(moves, smt_sibling) { .distance = SMT_SIBLING };
FIXTURE_VARIANT_ADD(moves, same_llc) { .distance = SAME_LLC };
FIXTURE_VARIANT_ADD(moves, same_node) { .distance = SAME_NODE };
FIXTURE_VARIANT_ADD(moves, other_node) { .distance = OTHER_NODE };

/* Waits until the thread has run on its new CPU; false after 10 s. */
static bool moved(struct stats *s, enum distance d, uint64_t times)
{
	unsigned int i;

	for (i = 0; i < 10000; i++) {
		stats_read(s);
		if (placed(s, d) >= times)
			return true;
		usleep(1000);
	}
	return false;
}

/* Exits on one of the lists by distance. */
static uint64_t exits_listed(int fd, enum distance d, uint64_t *cpuids)
{
	struct kvmx_top_row rows[64];
	struct kvmx_top rest;
	int i, n = kvmx_top(fd, KVMX_TOP_EXITS_SAME_CPU + d, rows, 64, &rest);
	uint64_t sum = rest.others_count;

	for (i = 0; i < n && i < 64; i++) {
		sum += rows[i].count;
		if (cpuids && !strcmp(rows[i].name, vmm_reason(VMM_CPUID)))
			*cpuids += rows[i].count;
	}
	return sum;
}

/* Waits until it has left the guest on its new CPU; false after 10 s. */
static bool left(int fd, enum distance d, uint64_t times)
{
	unsigned int i;

	for (i = 0; i < 10000; i++) {
		if (exits_listed(fd, d, NULL) >= times)
			return true;
		usleep(1000);
	}
	return false;
}

TEST_F_TIMEOUT(moves, n_moves_are_n_at_that_distance, 120)
{
	static const struct vmm_step steps[] = {
		{ .kind = VMM_CPUID, .n = 20 },
		{ .kind = VMM_SPIN, .n = 10000 },
	};
	uint64_t listed = 0, cpuids = 0, before = 0, cpuids_before = 0;
	unsigned int i, n = 20;
	struct vmm_vcpu *v;
	struct stats *s;
	struct vmm *vm;
	int a, b, fd;

	if (kvmx_feature_off(self->node, "sched_switch"))
		SKIP(return, "needs sched_switch");
	if (!cpus_apart(variant->distance, &a, &b))
		SKIP(return, "no two CPUs are so far apart here (%s)",
		     distance_names[variant->distance]);
	vm = vmm_create(VMM_IRQCHIP);
	v = vmm_add_vcpu(vm);
	vmm_start(v, steps, 2);
	while (!v->rounds)
		usleep(1000);
	pin(v->tid, a);
	usleep(100000);
	fd = kvmx_vm_by_fd(self->node, vm->fd);
	s = kvmx_stats_with(fd, 0, KVMX_STATS_SCHED);
	/* Its thread has to be bound, or the first move is not seen. */
	while (!stats_get(s, "entries")) {
		usleep(1000);
		stats_read(s);
	}
	for (i = 1; i <= n; i++) {
		pin(v->tid, i % 2 ? b : a);
		ASSERT_TRUE(moved(s, variant->distance, i)) {
			TH_LOG("move %u from CPU %d to %d", i, a, b);
		}
		ASSERT_TRUE(left(s->fd, variant->distance, i));
		if (i > 1)
			continue;
		/* How far its run was that it was in nobody knows. */
		stats_read(s);
		before = stats_sum(s, "count");
		cpuids_before = stats_exit(s, vmm_reason(VMM_CPUID), "count");
	}
	vmm_stop(v);
	stats_read(s);
	for (i = SMT_SIBLING; i < NR_DISTANCES; i++)
		EXPECT_EQ(i == variant->distance ? n : 0, placed(s, i)) {
			TH_LOG("CPU %d and %d: distance %u", a, b, i);
		}
	/* The first exit after each move, and all later ones, are on the lists. */
	for (i = SAME_CPU; i < NR_DISTANCES; i++) {
		uint64_t exits = exits_listed(s->fd, i, &cpuids);

		if (i != SAME_CPU)
			EXPECT_EQ(i == variant->distance ? n : 0, exits);
		listed += exits;
	}
	EXPECT_GE(stats_sum(s, "count"), listed);
	EXPECT_LE(stats_sum(s, "count") - before, listed + 3);
	EXPECT_GE(stats_exit(s, vmm_reason(VMM_CPUID), "count"), cpuids);
	EXPECT_LE(stats_exit(s, vmm_reason(VMM_CPUID), "count") - cpuids_before,
		  cpuids + 3);
	stats_close(s);
	close(fd);
	vmm_destroy(vm);
}

HOST_HARNESS_MAIN
