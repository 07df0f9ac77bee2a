/* SPDX-License-Identifier: GPL-2.0-only */
/* Sets of CPUs as the module takes them, and lists of them as people write them. Pure. */
#ifndef KVMX_TOOL_CPUS_H
#define KVMX_TOOL_CPUS_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

/* More than any kernel for x86 can be built for. */
#define CPUS_MAX	8192
#define CPUS_WORDS	(CPUS_MAX / 64)
/* "8191," for each second one is the longest list. */
#define CPUS_TEXT	(CPUS_MAX / 2 * 5 + 1)

/* CPU n is bit n % 64 of word n / 64. */
struct cpus {
	__u64 word[CPUS_WORDS];
};

bool cpus_parse(const char *list, struct cpus *to);
char *cpus_text(const struct cpus *c);

bool cpus_has(const struct cpus *c, unsigned int cpu);
void cpus_add(struct cpus *c, unsigned int cpu);
unsigned int cpus_count(const struct cpus *c);
bool cpus_meet(const struct cpus *a, const struct cpus *b);
bool cpus_within(const struct cpus *inner, const struct cpus *outer);
bool cpus_equal(const struct cpus *a, const struct cpus *b);
void cpus_join(struct cpus *to, const struct cpus *more);
void cpus_take(struct cpus *from, const struct cpus *less);

#endif /* KVMX_TOOL_CPUS_H */
