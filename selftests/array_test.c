// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the commands fill in: numbers, and arrays whose room and stride the
 * caller chooses.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/ioctl.h>

#include "kselftest_harness.h"

#include "host.h"
#include "kvmx.h"
#include "setup.h"
#include "vmm.h"

FIXTURE(array) {
	struct setup s;
	int node, vm, stats;
};

FIXTURE_SETUP(array)
{
	setup_begin(&self->s);
	self->node = self->s.fd[ON_NODE];
	self->vm = self->s.fd[ON_VM];
	self->stats = self->s.fd[ON_STATS];
}

FIXTURE_TEARDOWN(array)
{
	setup_end(&self->s);
}

TEST_F_TIMEOUT(array, info_tells_version_vendor_and_clock, 60)
{
	struct kvmx_info info, later;

	ASSERT_EQ(0, kvmx_info(self->node, &info));
	EXPECT_EQ(sizeof(info), info.size);
	EXPECT_EQ(KVMX_ABI_VERSION, info.abi_version);
	EXPECT_EQ(vmm_intel() ? KVMX_VENDOR_INTEL : KVMX_VENDOR_AMD, info.vendor);
	EXPECT_GT(info.clock_khz, 0);
	EXPECT_GT(strnlen(info.version, sizeof(info.version)), 0);
	EXPECT_LT(strnlen(info.version, sizeof(info.version)),
		  sizeof(info.version));
	EXPECT_GE(info.nr_vms, 1);
	EXPECT_EQ(1, info.nr_stats_fds);
	EXPECT_GT(info.memory, 0);
	ASSERT_EQ(0, kvmx_info(self->node, &later));
	EXPECT_GT(later.now, info.now);
}

TEST_F_TIMEOUT(array, the_clock_of_info_runs_at_the_rate_that_it_tells, 60)
{
	struct timespec a, b, pause = { .tv_nsec = 500000000 };
	struct kvmx_info from, to;
	double ms, told;

	ASSERT_EQ(0, kvmx_info(self->node, &from));
	clock_gettime(CLOCK_MONOTONIC_RAW, &a);
	nanosleep(&pause, NULL);
	ASSERT_EQ(0, kvmx_info(self->node, &to));
	clock_gettime(CLOCK_MONOTONIC_RAW, &b);
	ms = (b.tv_sec - a.tv_sec) * 1e3 + (b.tv_nsec - a.tv_nsec) / 1e6;
	told = (double)(to.now - from.now) / to.clock_khz;
	EXPECT_TRUE(told > ms * 0.97 && told < ms * 1.03) {
		TH_LOG("%.3f ms, the clock says %.3f", ms, told);
	}
}

TEST_F_TIMEOUT(array, arrays_are_filled_as_far_as_there_is_room, 60)
{
	struct kvmx_vcpu_info v[3];
	struct kvmx_vcpus req = {
		.size = sizeof(req), .nr = 1, .entry_size = sizeof(*v),
		.vcpus = (uintptr_t)v,
	};

	memset(v, 0x55, sizeof(v));
	ASSERT_EQ(0, ioctl(self->vm, KVMX_VM_VCPUS, &req));
	EXPECT_EQ(2, req.nr);
	EXPECT_EQ(sizeof(*v), v[0].size);
	EXPECT_EQ(0, v[0].index);
	EXPECT_EQ(0, v[0].vcpu_id);
	EXPECT_EQ(getpid(), v[0].tid);
	EXPECT_EQ(0x55555555, v[1].size);
	req.nr = 3;
	ASSERT_EQ(0, ioctl(self->vm, KVMX_VM_VCPUS, &req));
	EXPECT_EQ(2, req.nr);
	EXPECT_EQ(1, v[1].index);
	EXPECT_EQ(7, v[1].vcpu_id);
	EXPECT_EQ(0x55555555, v[2].size);
	/* No room asks for the number only. */
	req.nr = 0;
	req.vcpus = 0;
	req.entry_size = 0;
	ASSERT_EQ(0, ioctl(self->vm, KVMX_VM_VCPUS, &req));
	EXPECT_EQ(2, req.nr);
}

/* The four arrays, and what their commands call the members. */
#define for_each_array(body) do {					\
	{								\
		struct kvmx_info r = { .size = sizeof(r) };		\
		uint32_t *nr = &r.nr_features, *stride = &r.feature_size; \
		uint64_t *addr = (uint64_t *)&r.features;		\
		unsigned int cmd = KVMX_INFO, entry = sizeof(struct kvmx_feature); \
		int fd = self->node;					\
		body;							\
	}								\
	{								\
		struct kvmx_list r = { .size = sizeof(r) };		\
		uint32_t *nr = &r.nr, *stride = &r.entry_size;		\
		uint64_t *addr = (uint64_t *)&r.vms;			\
		unsigned int cmd = KVMX_LIST, entry = sizeof(struct kvmx_vm_info); \
		int fd = self->node;					\
		body;							\
	}								\
	{								\
		struct kvmx_vcpus r = { .size = sizeof(r) };		\
		uint32_t *nr = &r.nr, *stride = &r.entry_size;		\
		uint64_t *addr = (uint64_t *)&r.vcpus;			\
		unsigned int cmd = KVMX_VM_VCPUS, entry = sizeof(struct kvmx_vcpu_info); \
		int fd = self->vm;					\
		body;							\
	}								\
} while (0)

TEST_F_TIMEOUT(array, with_too_little_room_the_true_number_is_told, 60)
{
	for_each_array({
		uint32_t all;

		ASSERT_EQ(0, try_ioctl(fd, cmd, &r));
		all = *nr;
		EXPECT_LE(1, all);
		*nr = 1;
		*stride = entry;
		*addr = (uintptr_t)self->s.buf;
		EXPECT_EQ(0, try_ioctl(fd, cmd, &r));
		EXPECT_EQ(all, *nr);
	});
}

TEST_F_TIMEOUT(array, entries_shorter_than_their_first_version_are_einval, 60)
{
	for_each_array({
		*nr = 1;
		*addr = (uintptr_t)self->s.buf;
		*stride = entry - 1;
		EXPECT_EQ(EINVAL, try_ioctl(fd, cmd, &r));
		*stride = 0;
		EXPECT_EQ(EINVAL, try_ioctl(fd, cmd, &r));
		*stride = entry;
		EXPECT_EQ(0, try_ioctl(fd, cmd, &r));
	});
}

TEST_F_TIMEOUT(array, an_array_at_a_bad_pointer_is_efault, 60)
{
	for_each_array({
		*nr = 1;
		*stride = entry;
		*addr = 8;
		EXPECT_EQ(EFAULT, try_ioctl(fd, cmd, &r));
		*addr = (uintptr_t)self->s.buf + PAGE - entry + 1;
		EXPECT_EQ(EFAULT, try_ioctl(fd, cmd, &r));
		*addr = (uintptr_t)self->s.buf + PAGE - entry;
		EXPECT_EQ(0, try_ioctl(fd, cmd, &r));
	});
}

TEST_F_TIMEOUT(array, longer_entries_keep_their_stride_and_get_zeros, 60)
{
	for_each_array({
		unsigned int i;
		uint32_t size;

		memset(self->s.buf, 0x55, PAGE);
		*nr = 2;
		*stride = entry + 24;
		*addr = (uintptr_t)self->s.buf;
		ASSERT_EQ(0, try_ioctl(fd, cmd, &r));
		for (i = entry; i < *stride; i++)
			EXPECT_EQ(0, self->s.buf[i]);
		/* The second entry of those that have a size, if there is one. */
		memcpy(&size, self->s.buf + *stride, sizeof(size));
		if (cmd == KVMX_VM_VCPUS)
			EXPECT_EQ(entry, size);
	});
}

TEST_F_TIMEOUT(array, features_have_names_states_and_reasons, 60)
{
	struct kvmx_feature f[64];
	struct kvmx_info info = {
		.size = sizeof(info), .nr_features = 64,
		.feature_size = sizeof(*f), .features = (uintptr_t)f,
	};
	unsigned int i, k;

	ASSERT_EQ(0, ioctl(self->node, KVMX_INFO, &info));
	ASSERT_GE(info.nr_features, 10);
	ASSERT_LE(info.nr_features, 64);
	for (i = 0; i < info.nr_features; i++) {
		EXPECT_LE(f[i].state, KVMX_FEATURE_READY);
		EXPECT_NE(0, f[i].name[0]);
		EXPECT_NE(0, f[i].reason[0]);
		EXPECT_LT(strnlen(f[i].name, sizeof(f[i].name)),
			  sizeof(f[i].name));
		EXPECT_LT(strnlen(f[i].reason, sizeof(f[i].reason)),
			  sizeof(f[i].reason));
		for (k = 0; k < i; k++) {
			EXPECT_NE(f[k].id, f[i].id);
			EXPECT_STRNE(f[k].name, f[i].name);
		}
	}
}

TEST_F_TIMEOUT(array, notes_have_labels_names_and_reasons, 60)
{
	struct kvmx_note n[64];
	struct kvmx_notes req = {
		.size = sizeof(req), .nr = 64, .entry_size = sizeof(*n),
		.notes = (uintptr_t)n,
	};
	unsigned int i, all;

	ASSERT_EQ(0, ioctl(self->stats, KVMX_STATS_NOTES, &req));
	all = req.nr;
	ASSERT_LE(all, 64);
	for (i = 0; i < all; i++) {
		EXPECT_LE(n[i].label, KVMX_LABEL_UNAVAILABLE);
		EXPECT_EQ(0, n[i].reserved);
		EXPECT_NE(0, n[i].name[0]);
		if (n[i].label != KVMX_LABEL_EXACT)
			EXPECT_NE(0, n[i].reason[0]);
	}
	if (!all)
		SKIP(return, "all figures are plain and exact here");
	req.entry_size = sizeof(*n) - 1;
	req.nr = 1;
	EXPECT_EQ(EINVAL, try_ioctl(self->stats, KVMX_STATS_NOTES, &req));
	req.entry_size = sizeof(*n);
	req.notes = 8;
	EXPECT_EQ(EFAULT, try_ioctl(self->stats, KVMX_STATS_NOTES, &req));
	req.notes = (uintptr_t)n;
	memset(n, 0x55, sizeof(n));
	EXPECT_EQ(0, try_ioctl(self->stats, KVMX_STATS_NOTES, &req));
	EXPECT_EQ(all, req.nr);
	EXPECT_EQ(0x55555555, n[1].label);
}

HOST_HARNESS_MAIN
