// SPDX-License-Identifier: GPL-2.0-only
/*
 * The habits of the ABI, for every command: sizes, flags, reserved members, bad
 * pointers. Offsets: header/offsets.c. Arrays: array_test.c.
 */
#include <errno.h>
#include <stddef.h>
#include <linux/kvmx_hint.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>

#include "kselftest_harness.h"

#include "host.h"
#include "kvmx.h"
#include "place.h"
#include "setup.h"
#include "vmm.h"

FIXTURE(habits) {
	struct setup s;
	int fd;
};

FIXTURE_VARIANT(habits) {
	unsigned int cmd;
	enum place place;
	uint32_t size;		/* of the first version */
	uint32_t now;		/* of this one */
	uint32_t flags;		/* that are known */
	int reserved[2];	/* offset and size of it, if there is one */
};

#define COMMAND(name, code, where, type, known, ...)			\
	FIXTURE_VARIANT_ADD(habits, name) {				\
		.cmd = code, .place = where, .size = sizeof(struct type), \
		.now = sizeof(struct type),				\
		.flags = known, .reserved = { __VA_ARGS__ },		\
	}

COMMAND(info, KVMX_INFO, ON_NODE, kvmx_info, 0, 0, 0);
COMMAND(cost, KVMX_COST, ON_NODE, kvmx_cost, 0, 0, 0);
COMMAND(events, KVMX_EVENTS, ON_NODE, kvmx_events, 0, 16, 8);
COMMAND(list, KVMX_LIST, ON_NODE, kvmx_list, 0, 24, 8);
COMMAND(open, KVMX_OPEN, ON_NODE, kvmx_open, KVMX_OPEN_NO_NAMES, 12, 4);
COMMAND(vm_info, KVMX_VM_INFO, ON_VM, kvmx_vm_info, 0, 0, 0);
COMMAND(vm_vcpus, KVMX_VM_VCPUS, ON_VM, kvmx_vcpus, 0, 24, 8);
COMMAND(vm_stats, KVMX_VM_STATS, ON_VM, kvmx_stats, ALL_GROUPS, 12, 4);
COMMAND(vm_place, KVMX_VM_PLACE, ON_VM, kvmx_place,
	KVMX_PLACE_DRY_RUN | KVMX_PLACE_ENFORCE | KVMX_PLACE_REPLACE, 0, 0);
COMMAND(vm_placed, KVMX_VM_PLACED, ON_VM, kvmx_placed, 0, 0, 0);
COMMAND(vm_hint, KVMX_VM_HINT, ON_VM, kvmx_hint, KVMX_HINT_COMMIT, 20, 4);
COMMAND(vm_hinted, KVMX_VM_HINTED, ON_VM, kvmx_hint, 0, 20, 4);

FIXTURE_VARIANT_ADD(habits, vm_hint_counts) {
	.cmd = KVMX_VM_HINT_COUNTS, .place = ON_VM,
	.size = offsetof(struct kvmx_hint_counts, taken_off),
	.now = sizeof(struct kvmx_hint_counts),
};

COMMAND(stats_notes, KVMX_STATS_NOTES, ON_STATS, kvmx_notes, 0, 24, 8);
COMMAND(stats_top, KVMX_STATS_TOP, ON_STATS, kvmx_top, 0, 20, 4);

/* A request that works, at the very end of the page or as far in front of it. */
static uint8_t *request(struct setup *s, unsigned int cmd, uint32_t size,
			uint32_t room)
{
	uint8_t *at = s->buf + PAGE - room;
	struct kvmx_open *open = (void *)at;
	struct kvmx_place *place = (void *)at;

	memset(s->buf, 0, PAGE);
	memcpy(at, &size, sizeof(size));
	if (cmd == KVMX_OPEN) {
		open->by = KVMX_BY_FD;
		open->key = s->vm->fd;
	}
	if (cmd == KVMX_VM_PLACE && room >= sizeof(*place)) {
		place->policy = KVMX_POLICY_SPREAD;
		place->flags = KVMX_PLACE_DRY_RUN;
	}
	return at;
}

FIXTURE_SETUP(habits)
{
	setup_begin(&self->s);
	self->fd = self->s.fd[variant->place];
}

FIXTURE_TEARDOWN(habits)
{
	setup_end(&self->s);
}

TEST_F_TIMEOUT(habits, a_struct_of_the_first_version_is_taken, 60)
{
	uint8_t *r = request(&self->s, variant->cmd, variant->size, variant->size);
	uint32_t size;

	EXPECT_EQ(0, try_ioctl(self->fd, variant->cmd, r));
	/* It is the caller's, who may ask with the same structure again. */
	memcpy(&size, r, sizeof(size));
	EXPECT_EQ(variant->size, size);
}

TEST_F_TIMEOUT(habits, a_shorter_struct_is_einval, 60)
{
	uint32_t sizes[] = { 0, 1, 4, 7, 8, variant->size - 1 };
	unsigned int i;

	for (i = 0; i < 6; i++) {
		uint8_t *r = request(&self->s, variant->cmd, sizes[i],
				     variant->size);

		EXPECT_EQ(EINVAL, try_ioctl(self->fd, variant->cmd, r)) {
			TH_LOG("size %u", sizes[i]);
		}
	}
}

TEST_F_TIMEOUT(habits, a_longer_struct_with_zeros_is_taken, 60)
{
	uint32_t more[] = { 1, 4, 8, 100, 1024 };
	unsigned int i;

	for (i = 0; i < 5; i++) {
		uint32_t size = variant->size + more[i];
		uint8_t *r = request(&self->s, variant->cmd, size, size);

		EXPECT_EQ(0, try_ioctl(self->fd, variant->cmd, r)) {
			TH_LOG("%u bytes more", more[i]);
		}
	}
}

TEST_F_TIMEOUT(habits, a_longer_struct_with_dirt_is_e2big, 60)
{
	uint32_t more[] = { 1, 4, 8, 100, 1024 };
	unsigned int i;

	for (i = 0; i < 5; i++) {
		uint32_t size = variant->now + more[i];
		uint8_t *r = request(&self->s, variant->cmd, size, size);

		r[size - 1] = 1;
		EXPECT_EQ(E2BIG, try_ioctl(self->fd, variant->cmd, r)) {
			TH_LOG("%u bytes more", more[i]);
		}
		r = request(&self->s, variant->cmd, size, size);
		r[variant->now] = 0x80;
		EXPECT_EQ(E2BIG, try_ioctl(self->fd, variant->cmd, r));
	}
}

TEST_F_TIMEOUT(habits, every_unknown_flag_is_einval, 60)
{
	unsigned int bit;

	for (bit = 0; bit < 32; bit++) {
		uint8_t *r = request(&self->s, variant->cmd, variant->size,
				     variant->size);
		uint32_t flag = 1U << bit;

		memcpy(r + 4, &flag, sizeof(flag));
		EXPECT_EQ(variant->flags & flag ? 0 : EINVAL,
			  try_ioctl(self->fd, variant->cmd, r)) {
			TH_LOG("flag %#x", flag);
		}
	}
}

TEST_F_TIMEOUT(habits, what_is_reserved_has_to_be_zero, 60)
{
	int i;

	/* Commands without any have all their members described elsewhere. */
	for (i = 0; i < variant->reserved[1]; i++) {
		uint8_t *r = request(&self->s, variant->cmd, variant->size,
				     variant->size);

		r[variant->reserved[0] + i] = 1;
		EXPECT_EQ(EINVAL, try_ioctl(self->fd, variant->cmd, r)) {
			TH_LOG("byte %d", variant->reserved[0] + i);
		}
	}
	/* With all of them zero it is taken: so that was the reason. */
	EXPECT_EQ(0, try_ioctl(self->fd, variant->cmd,
			       request(&self->s, variant->cmd, variant->size,
				       variant->size)));
}

TEST_F_TIMEOUT(habits, a_bad_pointer_is_efault, 60)
{
	uint8_t *r;

	EXPECT_EQ(EFAULT, try_ioctl(self->fd, variant->cmd, NULL));
	EXPECT_EQ(EFAULT, try_ioctl(self->fd, variant->cmd, (void *)8UL));
	EXPECT_EQ(EFAULT, try_ioctl(self->fd, variant->cmd, self->s.buf + PAGE));
	EXPECT_EQ(EFAULT, try_ioctl(self->fd, variant->cmd, (void *)-4096UL));
	/* It begins where memory is, and ends where none is. */
	r = request(&self->s, variant->cmd, variant->size, variant->size - 4);
	EXPECT_EQ(EFAULT, try_ioctl(self->fd, variant->cmd, r));
	r = request(&self->s, variant->cmd, variant->size + PAGE, variant->size);
	EXPECT_EQ(EFAULT, try_ioctl(self->fd, variant->cmd, r));
}

TEST_F_TIMEOUT(habits, on_an_fd_of_another_kind_it_is_enotty, 60)
{
	uint8_t *r = request(&self->s, variant->cmd, variant->size, variant->size);
	unsigned int i;

	for (i = 0; i < 3; i++)
		if (i != variant->place)
			EXPECT_EQ(ENOTTY, try_ioctl(self->s.fd[i], variant->cmd, r));
}

FIXTURE(abi) {
	struct setup s;
	int node, vm, stats;
};

FIXTURE_SETUP(abi)
{
	setup_begin(&self->s);
	self->node = self->s.fd[ON_NODE];
	self->vm = self->s.fd[ON_VM];
	self->stats = self->s.fd[ON_STATS];
}

FIXTURE_TEARDOWN(abi)
{
	setup_end(&self->s);
}

/* There is a VM, and so something to measure, on either vendor. */
TEST_F_TIMEOUT(abi, what_counting_costs_is_measured_each_time, 60)
{
	struct kvmx_cost cost = { .size = sizeof(cost) };
	unsigned int i;

	for (i = 0; i < 3; i++) {
		cost.exit = 0;
		ASSERT_EQ(0, ioctl(self->s.fd[ON_NODE], KVMX_COST, &cost));
		/* More than nothing, less than a million ticks. */
		EXPECT_LT(1000, cost.exit);
		EXPECT_GT(1000000000, cost.exit);
		EXPECT_LT(0, cost.rounds);
		EXPECT_GT(sysconf(_SC_NPROCESSORS_CONF), cost.cpu);
	}
}

TEST_F_TIMEOUT(abi, an_unknown_command_is_enotty_on_each_kind_of_fd, 60)
{
	unsigned int i, nr;

	for (i = 0; i < 3; i++) {
		for (nr = 0; nr < 256; nr++) {
			unsigned int cmd = _IO(KVMX_IOC_TYPE, nr);

			if (cmd == KVMX_INFO || cmd == KVMX_LIST ||
			    cmd == KVMX_OPEN || cmd == KVMX_COST ||
			    cmd == KVMX_EVENTS ||
			    cmd == KVMX_VM_INFO ||
			    cmd == KVMX_VM_VCPUS || cmd == KVMX_VM_STATS ||
			    cmd == KVMX_VM_PLACE || cmd == KVMX_VM_COMMIT ||
			    cmd == KVMX_VM_CLEAR || cmd == KVMX_VM_PLACED ||
			    cmd == KVMX_VM_HINT || cmd == KVMX_VM_HINTED ||
			    cmd == KVMX_VM_HINT_COUNTS ||
			    cmd == KVMX_STATS_NOTES || cmd == KVMX_STATS_TOP)
				continue;
			EXPECT_EQ(ENOTTY, try_ioctl(self->s.fd[i], cmd, self->s.buf));
		}
		/* The right number with a size in it is another command. */
		EXPECT_EQ(ENOTTY, try_ioctl(self->s.fd[i],
					    _IOWR(KVMX_IOC_TYPE, 0, struct kvmx_info),
					    self->s.buf));
		EXPECT_EQ(ENOTTY, try_ioctl(self->s.fd[i], KVM_GET_API_VERSION, NULL));
		EXPECT_EQ(ENOTTY, try_ioctl(self->s.fd[i], KVM_GET_STATS_FD, NULL));
	}
}

HOST_HARNESS_MAIN
