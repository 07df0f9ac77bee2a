// SPDX-License-Identifier: GPL-2.0-only
/*
 * Statistics fds as files: what can be read of them, where and how, and what
 * cannot be done with them.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "kselftest_harness.h"

#include "host.h"
#include "kvmx.h"
#include "setup.h"
#include "vmm.h"

FIXTURE(fd) {
	struct setup s;
	int stats, whole;
	struct kvm_stats_header head;
	size_t size;
	uint8_t *all, *piece;
};

FIXTURE_SETUP(fd)
{
	setup_begin(&self->s);
	self->stats = self->s.fd[ON_STATS];
	self->whole = kvmx_vm_stats(self->s.fd[ON_VM], KVMX_STATS_WHOLE_VM);
	ASSERT_LE(0, self->whole);
	do_aside(&self->s.vm->vcpu[0], VMM_CPUID, 100);
	self->size = lseek(self->stats, 0, SEEK_END);
	ASSERT_LT(sizeof(self->head), self->size);
	ASSERT_GT(1 << 20, self->size);
	self->all = malloc(self->size);
	self->piece = malloc(self->size);
	ASSERT_EQ(self->size, pread(self->stats, self->all, self->size, 0));
	memcpy(&self->head, self->all, sizeof(self->head));
}

FIXTURE_TEARDOWN(fd)
{
	close(self->whole);
	setup_end(&self->s);
	free(self->all);
	free(self->piece);
}

TEST_F(fd, reads_of_any_place_and_length_give_the_same_bytes)
{
	size_t places[] = {
		0, 1, 7, 23, self->head.id_offset, self->head.desc_offset - 1,
		self->head.desc_offset + 13, self->head.data_offset - 5,
		self->head.data_offset, self->head.data_offset + 3,
		self->size - 9, self->size - 1,
	};
	size_t lengths[] = { 1, 2, 5, 8, 63, 64, 65, 1000, 4096, 4097, 20001 };
	unsigned int i, k;

	for (i = 0; i < sizeof(places) / sizeof(*places); i++) {
		for (k = 0; k < sizeof(lengths) / sizeof(*lengths); k++) {
			size_t left = self->size - places[i];
			ssize_t want = lengths[k] < left ? lengths[k] : left;

			memset(self->piece, 0x55, self->size);
			ASSERT_EQ(want, pread(self->stats, self->piece,
					      lengths[k], places[i]));
			ASSERT_EQ(0, memcmp(self->piece, self->all + places[i],
					    want)) {
				TH_LOG("%zu bytes at %zu", lengths[k],
				       places[i]);
			}
		}
	}
}

TEST_F(fd, reading_on_and_on_gives_it_all_once)
{
	size_t at = 0;
	ssize_t n;

	ASSERT_EQ(0, lseek(self->stats, 0, SEEK_SET));
	while ((n = read(self->stats, self->piece + at, 777)) > 0) {
		at += n;
		ASSERT_GE(self->size, at);
	}
	EXPECT_EQ(0, n);
	EXPECT_EQ(self->size, at);
	EXPECT_EQ(0, memcmp(self->all, self->piece, at));
	/* A pread does not move the place. */
	ASSERT_EQ(10, lseek(self->stats, 10, SEEK_SET));
	ASSERT_EQ(8, pread(self->stats, self->piece, 8, 100));
	EXPECT_EQ(10, lseek(self->stats, 0, SEEK_CUR));
}

TEST_F(fd, behind_its_end_there_is_nothing)
{
	EXPECT_EQ(0, pread(self->stats, self->piece, 100, self->size));
	EXPECT_EQ(0, pread(self->stats, self->piece, 100, self->size + 12345));
	EXPECT_EQ(0, pread(self->stats, self->piece, 100, 1LL << 40));
	EXPECT_EQ(0, pread(self->stats, self->piece, 0, 0));
	EXPECT_EQ(-1, pread(self->stats, self->piece, 100, -1));
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(fd, seeking_goes_by_the_rules)
{
	EXPECT_EQ(5, lseek(self->stats, 5, SEEK_SET));
	EXPECT_EQ(8, lseek(self->stats, 3, SEEK_CUR));
	EXPECT_EQ(self->size - 1, lseek(self->stats, -1, SEEK_END));
	EXPECT_EQ(-1, lseek(self->stats, -1, SEEK_SET));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, lseek(self->stats, 0, 99));
	EXPECT_EQ(EINVAL, errno);
	/* The place stayed where it was. */
	EXPECT_EQ(self->size - 1, lseek(self->stats, 0, SEEK_CUR));
}

TEST_F(fd, a_bad_buffer_is_efault)
{
	uint8_t *edge = self->s.buf + PAGE;

	EXPECT_EQ(-1, pread(self->stats, edge, 100, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, pread(self->stats, edge - 5, 10, self->head.data_offset));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, pread(self->whole, edge, 100, 0));
	EXPECT_EQ(EFAULT, errno);
}

TEST_F(fd, nothing_can_be_written)
{
	int fds[] = { self->stats, self->whole, self->s.fd[ON_VM],
		      self->s.fd[ON_NODE] };
	unsigned int i;

	for (i = 0; i < 4; i++) {
		EXPECT_EQ(-1, write(fds[i], "x", 1));
		EXPECT_TRUE(errno == EBADF || errno == EINVAL) {
			TH_LOG("%s", strerror(errno));
		}
		EXPECT_EQ(-1, ftruncate(fds[i], 0));
	}
}

TEST_F(fd, only_statistics_can_be_read)
{
	EXPECT_EQ(-1, read(self->s.fd[ON_VM], self->piece, 8));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, read(self->s.fd[ON_NODE], self->piece, 8));
	EXPECT_EQ(EINVAL, errno);
}

static int try_map(int fd, size_t size, int prot, int flags, off_t at)
{
	void *p = mmap(NULL, size, prot, flags, fd, at);

	if (p == MAP_FAILED)
		return errno;
	munmap(p, size);
	return 0;
}

TEST_F(fd, a_vcpus_data_can_be_mapped_for_reading_only)
{
	off_t at = self->head.data_offset;
	int rw = PROT_READ | PROT_WRITE;
	int err;
	void *p;

	EXPECT_EQ(0, try_map(self->stats, PAGE, PROT_READ, MAP_SHARED, at));
	EXPECT_EQ(0, try_map(self->stats, PAGE, PROT_READ, MAP_PRIVATE, at));
	EXPECT_EQ(EACCES, try_map(self->stats, PAGE, rw, MAP_SHARED, at));
	EXPECT_EQ(EACCES, try_map(self->stats, PAGE, rw, MAP_PRIVATE, at));
	/* 7.x refuses to execute anonymous files before anybody is asked. */
	err = try_map(self->stats, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, at);
	EXPECT_TRUE(err == EACCES || err == EPERM);
	p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, self->stats, at);
	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(-1, mprotect(p, PAGE, rw));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(-1, mprotect(p, PAGE, PROT_READ | PROT_EXEC));
	EXPECT_EQ(EACCES, errno);
	munmap(p, PAGE);
}

TEST_F(fd, only_the_data_can_be_mapped)
{
	off_t at = self->head.data_offset;
	size_t size = self->size - at;

	EXPECT_EQ(0, try_map(self->stats, size, PROT_READ, MAP_SHARED, at));
	EXPECT_EQ(EINVAL, try_map(self->stats, PAGE, PROT_READ, MAP_SHARED, 0));
	EXPECT_EQ(EINVAL, try_map(self->stats, size + PAGE, PROT_READ,
				  MAP_SHARED, at));
	EXPECT_EQ(EINVAL, try_map(self->stats, at + size, PROT_READ,
				  MAP_SHARED, 0));
	EXPECT_EQ(EINVAL, try_map(self->stats, PAGE, PROT_READ, MAP_SHARED,
				  at + size));
	EXPECT_EQ(EINVAL, try_map(self->stats, PAGE, PROT_READ, MAP_SHARED,
				  1LL << 40));
}

TEST_F(fd, the_sums_of_a_vm_cannot_be_mapped)
{
	EXPECT_EQ(ENODEV, try_map(self->whole, PAGE, PROT_READ, MAP_SHARED,
				  self->head.data_offset));
	EXPECT_EQ(ENODEV, try_map(self->s.fd[ON_VM], PAGE, PROT_READ,
				  MAP_SHARED, 0));
	EXPECT_EQ(ENODEV, try_map(self->s.fd[ON_NODE], PAGE, PROT_READ,
				  MAP_SHARED, 0));
}

static int *reserve(unsigned int nr)
{
	int *fds = calloc(nr, sizeof(*fds));

	if (!fds)
		abort();
	return fds;
}

TEST_F_TIMEOUT(fd, many_may_be_open_and_each_counts, 60)
{
	unsigned int i, nr = 200;
	struct kvmx_info before, info;
	struct kvmx_vm_info vm;
	int *fds = reserve(nr);

	ASSERT_EQ(0, kvmx_info(self->s.fd[ON_NODE], &before));
	for (i = 0; i < nr; i++) {
		fds[i] = kvmx_vm_stats(self->s.fd[ON_VM],
				       i % 3 == 2 ? KVMX_STATS_WHOLE_VM : i % 3);
		ASSERT_LE(0, fds[i]);
	}
	ASSERT_EQ(0, kvmx_info(self->s.fd[ON_NODE], &info));
	EXPECT_EQ(before.nr_stats_fds + nr, info.nr_stats_fds);
	ASSERT_EQ(0, kvmx_vm_info(self->s.fd[ON_VM], &vm));
	EXPECT_EQ(before.nr_stats_fds + nr, vm.nr_stats_fds);
	for (i = 0; i < nr; i++)
		close(fds[i]);
	ASSERT_EQ(0, kvmx_info(self->s.fd[ON_NODE], &info));
	EXPECT_EQ(before.nr_stats_fds, info.nr_stats_fds);
	EXPECT_EQ(before.memory, info.memory);
	free(fds);
}

TEST_F(fd, probes_are_attached_just_while_one_is_open)
{
	struct kvmx_info info;

	ASSERT_EQ(0, kvmx_info(self->s.fd[ON_NODE], &info));
	EXPECT_NE(0, info.state & KVMX_INFO_COUNTING);
	close(self->stats);
	ASSERT_EQ(0, kvmx_info(self->s.fd[ON_NODE], &info));
	EXPECT_NE(0, info.state & KVMX_INFO_COUNTING);
	close(self->whole);
	ASSERT_EQ(0, kvmx_info(self->s.fd[ON_NODE], &info));
	EXPECT_EQ(0, info.state & KVMX_INFO_COUNTING);
	EXPECT_EQ(0, info.nr_stats_fds);
	self->whole = kvmx_vm_stats(self->s.fd[ON_VM], KVMX_STATS_WHOLE_VM);
	ASSERT_EQ(0, kvmx_info(self->s.fd[ON_NODE], &info));
	EXPECT_NE(0, info.state & KVMX_INFO_COUNTING);
	self->s.fd[ON_STATS] = -1;
}

TEST_F(fd, a_vm_that_lives_is_readable_and_not_hung_up)
{
	struct pollfd p[] = {
		{ .fd = self->stats, .events = POLLIN },
		{ .fd = self->whole, .events = POLLIN },
	};

	EXPECT_EQ(2, poll(p, 2, 0));
	EXPECT_EQ(POLLIN, p[0].revents);
	EXPECT_EQ(POLLIN, p[1].revents);
}

TEST_F(fd, it_works_after_its_vm_fd_and_the_node_are_closed)
{
	close(self->s.fd[ON_VM]);
	close(self->s.fd[ON_NODE]);
	self->s.fd[ON_VM] = -1;
	self->s.fd[ON_NODE] = -1;
	vmm_do(&self->s.vm->vcpu[0], VMM_CPUID, 50);
	ASSERT_EQ(self->size, pread(self->stats, self->piece, self->size, 0));
	EXPECT_EQ(0, memcmp(self->all, self->piece, self->head.data_offset));
	EXPECT_NE(0, memcmp(self->all, self->piece, self->size));
}

TEST_F(fd, a_mapping_lives_on_when_the_fd_is_closed)
{
	struct stats *s = kvmx_stats(self->s.fd[ON_VM], 0);
	uint64_t count;

	stats_map(s);
	close(s->fd);
	s->fd = -1;
	stats_read_map(s);
	count = stats_exit(s, vmm_reason(VMM_CPUID), "count");
	EXPECT_EQ(100, count);
	vmm_do(&self->s.vm->vcpu[0], VMM_CPUID, 11);
	stats_read_map(s);
	EXPECT_EQ(111, stats_exit(s, vmm_reason(VMM_CPUID), "count"));
	stats_close(s);
}

HOST_HARNESS_MAIN
