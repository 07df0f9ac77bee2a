// SPDX-License-Identifier: GPL-2.0-only
/*
 * Histograms, totals and counts tell the same story, in every copy that a reader
 * takes, also while the guest exits as fast as it can.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "host.h"
#include "kvmx.h"
#include "vmm.h"

/* One reason; the pointers go into the copy that was read last. */
struct slot {
	const char *name;	/* exit.REASON.count */
	const uint64_t *count, *gross, *net, *max, *hist;
	unsigned int buckets;
};

/* Looked up once: copies are taken by the thousand. */
#define MAX_SLOTS	256
struct slots {
	unsigned int nr;
	struct slot at[MAX_SLOTS];
};

static const uint64_t *part(const struct stats *s, const char *count,
			    const char *what, unsigned int *size)
{
	const struct stat_desc *d;
	char name[128];

	snprintf(name, sizeof(name), "%.*s%s", (int)(strlen(count) - 5), count,
		 what);
	d = stats_find(s, name);
	if (d && size)
		*size = d->size;
	return d ? stats_values(s, d) : NULL;
}

static bool is_count(const char *name)
{
	size_t len = strlen(name);

	return !strncmp(name, "exit.", 5) && len > 6 &&
	       !strcmp(name + len - 6, ".count");
}

static void find_slots(const struct stats *s, struct slots *all)
{
	unsigned int i;

	all->nr = 0;
	for (i = 0; i < s->nr && all->nr < MAX_SLOTS; i++) {
		struct slot *slot = &all->at[all->nr];

		if (!is_count(s->desc[i].name))
			continue;
		slot->name = s->desc[i].name;
		slot->count = stats_values(s, &s->desc[i]);
		slot->gross = part(s, slot->name, "gross", NULL);
		slot->net = part(s, slot->name, "net", NULL);
		slot->max = part(s, slot->name, "max", NULL);
		slot->hist = part(s, slot->name, "hist", &slot->buckets);
		all->nr++;
	}
}

/*
 * Bucket 0 is for nothing, bucket b for [2^(b-1), 2^b), and the last one is open:
 * it is left out, with what is known about it (its lower bound).
 */
static const char *wrong_slot(const struct slot *s, uint64_t open)
{
	uint64_t n = 0, low = 0, high = 0, top = 0;
	unsigned int b;

	for (b = 0; b < s->buckets; b++) {
		uint64_t from = b ? 1ULL << (b - 1) : 0;
		uint64_t to = b ? (1ULL << b) - 1 : 0;

		if (!s->hist[b])
			continue;
		n += s->hist[b];
		low += s->hist[b] * from;
		high += s->hist[b] * to;
		top = b;
	}
	if (n > *s->count || *s->count - n > open)
		return "sum of the histogram";
	if (*s->gross < low)
		return "gross is below the lower bounds";
	if (top < s->buckets - 1 && *s->gross > high)
		return "gross is above the upper bounds";
	if (s->net && *s->net > *s->gross)
		return "net is more than gross";
	if (n && (top ? *s->max < 1ULL << (top - 1) : *s->max))
		return "max is below the highest bucket";
	if (top < s->buckets - 1 && *s->max > (top ? (1ULL << top) - 1 : 0))
		return "max is above the highest bucket";
	if (*s->max > *s->gross)
		return "max is more than gross";
	return NULL;
}

static const char *wrong_anywhere(const struct slots *all, uint64_t open,
				  struct slot *bad)
{
	const char *why;
	unsigned int i;

	for (i = 0; i < all->nr; i++) {
		*bad = all->at[i];
		why = wrong_slot(bad, open);
		if (why)
			return why;
	}
	return NULL;
}

#define check(slots, open) do {						\
	struct slot _bad;						\
	const char *_why = wrong_anywhere(slots, open, &_bad);		\
									\
	EXPECT_EQ(NULL, _why) {						\
		TH_LOG("%s: %s (count %lu, gross %lu, net %lu, max %lu)", \
		       _bad.name, _why, *_bad.count, *_bad.gross,	\
		       _bad.net ? *_bad.net : 0, *_bad.max);		\
	}								\
} while (0)

FIXTURE(hist) {
	int node, fd;
	struct vmm *vm;
	struct vmm_vcpu *v;
	struct stats *s, *whole;
	struct slots slots, sums;	/* of these two */
};

FIXTURE_SETUP(hist)
{
	self->node = kvmx_node();
	self->vm = vmm_create(VMM_IRQCHIP);
	self->fd = kvmx_vm_by_fd(self->node, self->vm->fd);
	self->v = vmm_add_vcpu(self->vm);
	self->s = kvmx_stats(self->fd, 0);
	self->whole = kvmx_stats(self->fd, KVMX_STATS_WHOLE_VM);
	find_slots(self->s, &self->slots);
	find_slots(self->whole, &self->sums);
	ASSERT_LT(40, self->slots.nr);
	ASSERT_EQ(self->slots.nr, self->sums.nr);
}

FIXTURE_TEARDOWN(hist)
{
	stats_close(self->s);
	stats_close(self->whole);
	close(self->fd);
	vmm_destroy(self->vm);
	close(self->node);
}

static const struct vmm_step busy[] = {
	{ .kind = VMM_CPUID, .n = 300 },
	{ .kind = VMM_RDMSR, .n = 50 },
	{ .kind = VMM_OUT_USER, .n = 10 },
	{ .kind = VMM_HLT, .n = 1 },
	{ .kind = VMM_MMIO, .n = 5 },
	{ .kind = VMM_SPIN, .n = 1000 },
};

#define NR_BUSY (sizeof(busy) / sizeof(*busy))

TEST_F_TIMEOUT(hist, at_rest_histograms_counts_and_totals_agree, 60)
{
	unsigned int i;

	for (i = 0; i < scaled(8) + 2; i++) {
		vmm_run(self->v, busy, NR_BUSY);
		stats_read(self->s);
		/* In user space: the last exit (the port) is still open. */
		check(&self->slots, 1);
		stats_read(self->whole);
		check(&self->sums, 1);
	}
}

TEST_F_TIMEOUT(hist, the_exit_that_is_being_handled_is_the_only_one_that_lacks, 60)
{
	const char *io = vmm_reason(VMM_OUT_USER);
	unsigned int i, b, seen = 0;

	vmm_do(self->v, VMM_CPUID, 100);
	stats_read(self->s);
	for (i = 0; i < self->slots.nr; i++) {
		struct slot *slot = &self->slots.at[i];
		uint64_t hist = 0;
		/* The batch ended by a write to a port, which goes on. */
		bool open = !strncmp(slot->name + 5, io, strlen(io)) &&
			    slot->name[5 + strlen(io)] == '.';

		for (b = 0; b < slot->buckets; b++)
			hist += slot->hist[b];
		EXPECT_EQ(*slot->count, hist + open) {
			TH_LOG("%s", slot->name);
		}
		seen += !!*slot->count;
	}
	EXPECT_LE(2, seen);
}

TEST_F_TIMEOUT(hist, a_slow_vmm_is_in_gross_and_not_in_net, 60)
{
	const char *io = vmm_reason(VMM_OUT_USER);
	struct kvmx_info info;
	uint64_t gross, net, max, slept;

	ASSERT_EQ(0, kvmx_info(self->node, &info));
	if (!stats_find(self->s, "time.wait"))
		SKIP(return, "no net times here: sched_switch is off");
	vmm_do(self->v, VMM_OUT_USER, 10);
	stats_read(self->s);
	gross = stats_exit(self->s, io, "gross");
	net = stats_exit(self->s, io, "net");
	self->v->user_us = 20000;
	vmm_do(self->v, VMM_OUT_USER, 10);
	vmm_do(self->v, VMM_CPUID, 1);
	stats_read(self->s);
	gross = stats_exit(self->s, io, "gross") - gross;
	net = stats_exit(self->s, io, "net") - net;
	max = stats_exit(self->s, io, "max");
	slept = 20ULL * info.clock_khz;
	EXPECT_GE(gross, 10 * slept);
	EXPECT_LT(net, 5 * slept);
	EXPECT_GE(max, slept);
	check(&self->slots, 1);
}

TEST_F_TIMEOUT(hist, a_halt_is_in_gross_and_not_in_net, 60)
{
	const char *hlt = vmm_reason(VMM_HLT);
	struct kvmx_info info;
	uint64_t asleep;

	ASSERT_EQ(0, kvmx_info(self->node, &info));
	if (!stats_find(self->s, "time.halted"))
		SKIP(return, "no net times here: sched_switch is off");
	self->v->halt_us = 30000;
	vmm_do(self->v, VMM_HLT, 10);
	stats_read(self->s);
	asleep = 30ULL * info.clock_khz;
	EXPECT_GE(stats_exit(self->s, hlt, "gross"), 9 * asleep);
	EXPECT_LT(stats_exit(self->s, hlt, "net"), 5 * asleep);
	EXPECT_GE(stats_exit(self->s, hlt, "max"), asleep * 9 / 10);
	check(&self->slots, 1);
}

/* Two copies of the same vCPU, one after the other: nothing goes back. */
static const char *went_back(const struct stats *s, const uint8_t *before)
{
	unsigned int i, k;

	for (i = 0; i < s->nr; i++) {
		const struct stat_desc *d = &s->desc[i];
		const uint64_t *old = (const uint64_t *)(before + d->offset);
		const uint64_t *now = stats_values(s, d);

		if ((d->flags & KVM_STATS_TYPE_MASK) == KVM_STATS_TYPE_INSTANT &&
		    strcmp(d->name, "seq") && strcmp(d->name, "accounted"))
			continue;
		for (k = 0; k < d->size; k++)
			if (now[k] < old[k])
				return d->name;
	}
	return NULL;
}

#define hot_reader(read, open) do {					\
	uint8_t *_before = malloc(self->s->size);			\
	uint64_t _n, _snaps = scaled(6000), _moved = 0;			\
	const char *_back;						\
									\
	vmm_start(self->v, busy, NR_BUSY);				\
	for (_n = 0; _n < _snaps; _n++) {				\
		memcpy(_before, self->s->data, self->s->size);		\
		read(self->s);						\
		check(&self->slots, open);					\
		_back = went_back(self->s, _before);			\
		EXPECT_EQ(NULL, _back) {				\
			TH_LOG("%s went back", _back);			\
		}							\
		_moved += !!memcmp(_before, self->s->data, self->s->size); \
		/* Let the writer run where there is one CPU. */	\
		if (_n % 64 == 0)					\
			usleep(1000);					\
		if (_metadata->exit_code)				\
			break;						\
	}								\
	vmm_stop(self->v);						\
	TH_LOG("%lu of %lu snapshots differed, %lu retries, %lu rounds", \
	       _moved, _snaps, self->s->retries, self->v->rounds);	\
	EXPECT_GT(_moved, _snaps / 100);				\
	free(_before);							\
} while (0)

TEST_F_TIMEOUT(hist, every_copy_by_pread_is_consistent_under_a_hot_writer, 120)
{
	hot_reader(stats_read, 1);
}

TEST_F_TIMEOUT(hist, every_copy_of_the_map_is_consistent_under_a_hot_writer, 120)
{
	stats_map(self->s);
	hot_reader(stats_read_map, 1);
}

struct reader {
	pthread_t thread;
	int fd;
	volatile unsigned long snaps;
	const char *volatile why;
	volatile bool *stop;
};

#define SNAPS	10

static bool all_have_read(const struct reader *r, unsigned int n)
{
	while (n--)
		if (r[n].snaps <= SNAPS && !r[n].why)
			return false;
	return true;
}

static void *read_on(void *arg)
{
	struct reader *r = arg;
	struct stats *s = kvmx_stats(r->fd, 0);
	struct slots slots;
	struct slot bad;

	find_slots(s, &slots);
	if (r->snaps)	/* by map */
		stats_map(s);
	r->snaps = 0;
	while (!*r->stop && !r->why) {
		if (s->map)
			stats_read_map(s);
		else
			stats_read(s);
		r->why = wrong_anywhere(&slots, 1, &bad);
		r->snaps++;
		usleep(100);
	}
	stats_close(s);
	return NULL;
}

#define READERS	6

TEST_F_TIMEOUT(hist, several_readers_of_both_kinds_see_consistent_copies, 120)
{
	struct reader r[READERS] = { };
	volatile bool stop = false;
	unsigned int i;

	vmm_start(self->v, busy, NR_BUSY);
	for (i = 0; i < READERS; i++) {
		r[i].fd = self->fd;
		r[i].snaps = i & 1;
		r[i].stop = &stop;
		ASSERT_EQ(0, pthread_create(&r[i].thread, NULL, read_on, &r[i]));
	}
	sleep(2);
	/* There may be fewer CPUs than readers, and slow ones. */
	for (i = 0; i < 200 * patience() && !all_have_read(r, READERS); i++)
		usleep(100000);
	stop = true;
	for (i = 0; i < READERS; i++) {
		pthread_join(r[i].thread, NULL);
		EXPECT_EQ(NULL, r[i].why) {
			TH_LOG("reader %u: %s", i, r[i].why);
		}
		EXPECT_GT(r[i].snaps, SNAPS);
	}
	vmm_stop(self->v);
}

TEST_F_TIMEOUT(hist, a_long_exit_is_the_maximum_and_in_its_bucket, 60)
{
	const char *io = vmm_reason(VMM_OUT_USER);
	struct kvmx_info info;
	char name[64];
	uint64_t max;

	ASSERT_EQ(0, kvmx_info(self->node, &info));
	vmm_do(self->v, VMM_OUT_USER, 100);
	self->v->user_us = 300000;
	vmm_do(self->v, VMM_OUT_USER, 1);
	self->v->user_us = 0;
	vmm_do(self->v, VMM_OUT_USER, 100);
	stats_read(self->s);
	max = stats_exit(self->s, io, "max");
	EXPECT_LE(300ULL * info.clock_khz, max);
	EXPECT_GE(1500ULL * info.clock_khz, max);
	snprintf(name, sizeof(name), "exit.%s.count", io);
	/* Bucket b is for [2^(b-1), 2^b). */
	EXPECT_LE(1, part(self->s, name, "hist",
			  NULL)[64 - __builtin_clzll(max)]);
}

TEST_F_TIMEOUT(hist, the_sums_of_a_vm_are_the_sums_of_its_vcpus, 60)
{
	struct vmm_vcpu *v = vmm_add_vcpu(self->vm);
	struct stats *other = kvmx_stats(self->fd, 1);
	struct slots slots;
	unsigned int i, b;

	vmm_run(self->v, busy, NR_BUSY);
	vmm_run(v, busy, NR_BUSY);
	vmm_do(v, VMM_CPUID, 77);
	stats_read(self->whole);
	stats_read(self->s);
	stats_read(other);
	find_slots(other, &slots);
	for (i = 0; i < slots.nr; i++) {
		struct slot *sum = &self->sums.at[i], *x = &slots.at[i];
		struct slot *y = &self->slots.at[i];

		ASSERT_STREQ(x->name, sum->name);
		EXPECT_EQ(*sum->count, *x->count + *y->count);
		EXPECT_EQ(*sum->gross, *x->gross + *y->gross);
		EXPECT_EQ(*sum->max, *x->max > *y->max ? *x->max : *y->max);
		for (b = 0; b < slots.at[i].buckets; b++)
			EXPECT_EQ(sum->hist[b], x->hist[b] + y->hist[b]);
	}
	stats_close(other);
}

TEST_F_TIMEOUT(hist, the_sums_of_a_vm_are_consistent_under_hot_writers, 120)
{
	struct vmm_vcpu *other = vmm_add_vcpu(self->vm);
	uint64_t n;

	vmm_start(self->v, busy, NR_BUSY);
	vmm_start(other, busy, NR_BUSY);
	for (n = 0; n < scaled(2000); n++) {
		stats_read(self->whole);
		/* Each of the two may be handling one. */
		check(&self->sums, 2);
		if (n % 64 == 0)
			usleep(1000);
		if (_metadata->exit_code)
			break;
	}
	vmm_stop(self->v);
	vmm_stop(other);
}

HOST_HARNESS_MAIN
