// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <sys/ioctl.h>

#include "die.h"
#include "kvmx.h"
#include "reader.h"

/* One of the lists that belong to a group of figures. */
static void look_at_top(int fd, unsigned int groups)
{
	static const struct {
		unsigned int group, what;
	} lists[] = {
		{ KVMX_STATS_SCHED, KVMX_TOP_PREEMPTORS },
		{ KVMX_STATS_SCHED, KVMX_TOP_EXITS_SAME_CPU },
		{ KVMX_STATS_MMU, KVMX_TOP_RANGES },
		{ KVMX_STATS_IO, KVMX_TOP_PORTS },
		{ KVMX_STATS_IO, KVMX_TOP_MMIO },
	};
	unsigned int i = rand() % 5;
	struct kvmx_top_row rows[8];
	int n = kvmx_top(fd, lists[i].what, rows, 8, NULL);

	if (groups & lists[i].group ? n < 0 : n >= 0 || errno != ENODATA)
		die_errno("KVMX_STATS_TOP, list %u of groups %#x",
			  lists[i].what, groups);
}

/* What it costs is measured on a CPU that a VM may have left, and may be dying. */
static void measure_cost(int node)
{
	struct kvmx_cost cost = { .size = sizeof(cost) };

	if (ioctl(node, KVMX_COST, &cost) && errno != EOPNOTSUPP)
		die_errno("KVMX_COST");
}

/* The fd of a VM of the list, -1 where there is none, or none any more. */
static int open_some(int node)
{
	struct kvmx_vm_info vms[32];
	int fd, n = kvmx_list(node, vms, 32);

	if (n < 0)
		die_errno("KVMX_LIST");
	if (!n)
		return -1;
	if (n > 32)
		n = 32;
	fd = kvmx_open(node, KVMX_BY_ID, vms[rand() % n].id, 0);
	if (fd < 0 && errno != ENOENT)
		die_errno("KVMX_OPEN");
	return fd;
}

static void look_at(int fd, unsigned int groups, struct hand *h)
{
	unsigned int i, rounds = rand() % 4;
	struct stats *s = stats_attach(fd);
	uint64_t before, now;

	if (rand() % 2 && stats_find(s, "seq")) {
		stats_map(s);
		h->done[READER_MAPS]++;
	}
	stats_read(s);
	look_at_top(s->fd, groups);
	before = stats_sum(s, "count");
	for (i = 0; i < rounds; i++) {
		usleep(rand() % 3000);
		if (s->map)
			stats_read_map(s);
		else
			stats_read(s);
		now = stats_sum(s, "count");
		if (now < before)
			die("a sum went back from %lu to %lu",
			    (unsigned long)before, (unsigned long)now);
		before = now;
	}
	h->done[READER_PREADS]++;
	stats_close(s);
}

void reader_round(struct crew *c, struct hand *h)
{
	/* None, or some of them. */
	unsigned int groups = rand() % 2 ? rand() & ALL_GROUPS : 0;
	int node, fd = -1, stats = -1;
	struct timespec from;

	clock_gettime(CLOCK_MONOTONIC, &from);
	node = open(KVMX_DEVICE, O_RDONLY | O_CLOEXEC);

	if (node < 0 && errno != ENOENT && errno != ENXIO && errno != ENODEV)
		die_errno(KVMX_DEVICE);
	if (node >= 0)
		fd = open_some(node);
	if (node >= 0 && rand() % 4 == 0)
		measure_cost(node);
	if (fd >= 0) {
		stats = kvmx_vm_stats_with(fd, rand() % 2 ? 0 :
					   KVMX_STATS_WHOLE_VM, groups);
		/* Gone before it was counted, or without any vCPU yet. */
		if (stats < 0 && errno != ENODATA && errno != ENOENT)
			die_errno("KVMX_VM_STATS");
	}
	if (stats >= 0)
		look_at(stats, groups, h);
	else
		h->done[READER_MISSED]++;
	if (fd >= 0)
		close(fd);
	if (node >= 0)
		close(node);
	/* Opening and closing may take long: be away for much longer than there. */
	crew_rest(c, h, &from);
}
