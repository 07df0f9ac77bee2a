/* SPDX-License-Identifier: GPL-2.0-only */
/* How evenly the vCPUs of a VM got what they wanted. Pure. */
#ifndef KVMX_TOOL_BALANCE_H
#define KVMX_TOOL_BALANCE_H

#include <linux/types.h>

/**
 * struct balance - of several vCPUs
 * @nr: vCPUs that wanted to run
 * @fairness: Jain's index of what each got of what it wanted: 1 all the same,
 *	1/@nr one got everything
 * @skew: how much longer the one that waited longest waited than the one that
 *	waited least, in ticks
 * @most: the one that waited longest
 * @least: the one that waited least
 */
struct balance {
	unsigned int nr;
	double fairness;
	__u64 skew;
	unsigned int most;
	unsigned int least;
};

void balance_of(const __u64 *ran, const __u64 *waited, unsigned int nr,
		struct balance *b);

#endif /* KVMX_TOOL_BALANCE_H */
