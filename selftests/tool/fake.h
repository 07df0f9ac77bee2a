/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A device that does not exist, for tests of the tool on any machine. Each time
 * the first vCPU of VM 1 is read, a second has passed on it. What it is like is
 * in the environment variable FAKE, words separated by commas.
 */
#ifndef KVMX_TEST_FAKE_H
#define KVMX_TEST_FAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#define FAKE_KHZ	2000000U		/* 2 GHz */
#define FAKE_SECOND	(FAKE_KHZ * 1000ULL)
#define FAKE_NAME	64
#define FAKE_BUCKETS	43

bool fake_is(const char *word);
__u64 fake_now(void);
__u64 fake_steps(void);

/* fake_place.c: an event has been read. */
bool fake_arrived(void);

/* Added to a statistics fd of who asked for KVMX_STATS_SCHED, _MMU and _IO, _TLB. */
#define FAKE_SCHED	100000
#define FAKE_MMU	200000
#define FAKE_TLB	400000

/* fake_data.c: header, descriptors, and values of a statistics fd. */
#define FAKE_WHOLE	(~0U)
size_t fake_schema(unsigned int vcpu, unsigned int groups, void **schema,
		   size_t *data_at);
size_t fake_values(unsigned int vm, unsigned int vcpu, unsigned int groups,
		   __u64 **values);

#endif /* KVMX_TEST_FAKE_H */
