/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a VM shall be placed: options that the command line and the lines of a file
 * of rules have in common. Pure: what is wrong comes back as a text.
 */
#ifndef KVMX_TOOL_WISH_H
#define KVMX_TOOL_WISH_H

#include <getopt.h>
#include <stdbool.h>
#include <linux/kvmx_place.h>

#include "cpus.h"

/* A set of CPUs that may have been left out. */
struct wish_cpus {
	bool given;
	struct cpus set;
};

/**
 * struct wish - how a VM shall be placed
 * @policy: KVMX_POLICY_*; _NONE: was not given
 * @leave: the VM shall be left alone; only in rules
 * @smt: KVMX_SMT_*
 * @cpus: what vCPUs may be given
 * @emulator: for main and other threads
 * @io: for I/O threads, workers and vhost
 * @map: for policy pin
 * @nr_map: entries of @map
 * @interval_ms: policy auto: between two moves; 0: the module's
 * @enforce: put back what others change
 * @replace: in place of what there is
 */
struct wish {
	__u32 policy;
	bool leave;
	__u32 smt;
	struct wish_cpus cpus;
	struct wish_cpus emulator;
	struct wish_cpus io;
	struct kvmx_pin *map;
	__u32 nr_map;
	__u32 interval_ms;
	bool enforce;
	bool replace;
};

/* The letters are those that wish_take() knows. */
#define NR_WISH_OPTIONS	9

extern const struct option wish_options[NR_WISH_OPTIONS];

void wish_add_options(struct option *to, const struct option *more,
		      unsigned int nr);
bool wish_knows(int c);
char *wish_take(struct wish *w, int c, const char *arg);
char *wish_check(const struct wish *w);
bool wish_equal(const struct wish *a, const struct wish *b);
void wish_free(struct wish *w);

#endif /* KVMX_TOOL_WISH_H */
