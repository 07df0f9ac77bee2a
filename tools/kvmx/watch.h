/* SPDX-License-Identifier: GPL-2.0-only */
/* VMs under watch: their statistics fds and what was read from them. */
#ifndef KVMX_TOOL_WATCH_H
#define KVMX_TOOL_WATCH_H

#include <stdbool.h>
#include <linux/kvmx.h>

#include "proc.h"
#include "select.h"
#include "stats.h"
#include "tally.h"
#include "top.h"

/* Values of an fd and the clock when they were read; NULL: all zeroes. */
struct reading {
	__u64 *data;
	__u64 now;
};

/* Lists of one fd: who preempted a vCPU; exits of a VM by distance. */
#define MAX_TOPS	5

/* Lists of the hottest, besides those who took the CPU. */
enum { LIST_RANGES, LIST_MMIO, LIST_PORTS, NR_LISTS };

/* Nothing in it where the module has no such list for the fd. */
struct source_list {
	struct top base;
	struct top last;
};

/* A statistics fd, read twice: what happened is what lies between. */
struct source {
	int fd;
	__u32 groups;
	const struct schema *schema;
	struct reading base;
	struct reading last;
	__u32 first_top;	/* KVMX_TOP_* of the first list */
	unsigned int nr_tops;
	struct top top_base[MAX_TOPS];
	struct top top_last[MAX_TOPS];
	struct source_list lists[NR_LISTS];
};

/* Threads of a VM's process. */
struct threads {
	struct proc_thread *list;
	unsigned int nr;
};

struct watch_vcpu {
	struct kvmx_vcpu_info info;
	struct source source;
	struct proc_quota quota_base;	/* if threads are read */
	struct proc_quota quota_last;
};

/**
 * struct watch_vm - a VM under watch
 * @fd: VM fd; -1 once the VM is gone and its last figures have been read
 * @info: as of the last reading
 * @was_counting: somebody had its counting on before us
 * @born: came to life during the watch and was not marked since: counted from zero
 * @gone: what was read last is the end
 * @told: that it is gone has been printed
 * @threads_base: threads at the begin, if they are read
 * @threads_last: threads as of the last reading
 * @whole: sums of the VM; also holds counting on while there is no vCPU
 */
struct watch_vm {
	int fd;
	struct kvmx_vm_info info;
	bool was_counting;
	bool born;
	bool gone;
	bool told;
	struct threads threads_base;
	struct threads threads_last;
	struct source whole;
	struct watch_vcpu *vcpus;
	unsigned int nr_vcpus;
};

/**
 * struct watch - what is being watched
 * @dev: the device
 * @selection: whom to watch
 * @groups: KVMX_STATS_* groups of figures to ask for
 * @sums: read the sums of VMs, too
 * @threads: read the threads of VMs' processes, too
 * @began: CLOCK_MONOTONIC when it began, in ns
 */
struct watch {
	int dev;
	struct selection selection;
	__u32 groups;
	bool sums;
	bool threads;
	__u64 began;
	struct watch_vm **vms;
	unsigned int nr_vms;
};

__u64 watch_clock(void);
void watch_begin(struct watch *w);
void watch_find(struct watch *w);
void watch_read(struct watch *w);
void watch_mark(struct watch *w);
void watch_forget_gone(struct watch *w);
void watch_end(struct watch *w);

void source_tally(const struct source *s, bool ever, struct tally *t);

#endif /* KVMX_TOOL_WATCH_H */
