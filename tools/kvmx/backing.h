/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What backs the memory of a VMM's process, as /proc has it. Thin, as device.h,
 * and for the same reason: the tests put memory of their own in its place.
 */
#ifndef KVMX_TOOL_BACKING_H
#define KVMX_TOOL_BACKING_H

#include <stdbool.h>
#include <linux/types.h>

#define BACKING_NODES	64

/**
 * struct backing - in bytes
 * @resident: in memory, pages of hugetlbfs left out
 * @thp: of these, in transparent huge pages, of files too
 * @hugetlb: in pages of hugetlbfs
 * @ksm: merged with equal pages
 * @has_ksm: this kernel tells
 * @swap: swapped out
 * @node: what is where, by NUMA node
 * @nr_nodes: nodes up to the last with anything, 0: this kernel does not tell
 */
struct backing {
	__u64 resident;
	__u64 thp;
	__u64 hugetlb;
	__u64 ksm;
	bool has_ksm;
	__u64 swap;
	__u64 node[BACKING_NODES];
	unsigned int nr_nodes;
};

bool backing_read(int pid, struct backing *b);

#endif /* KVMX_TOOL_BACKING_H */
