/* SPDX-License-Identifier: GPL-2.0-only */
/* What something took, several times over: the median is told. */
#ifndef KVMX_BENCH_TOOK_H
#define KVMX_BENCH_TOOK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define ROUNDS		11

static uint64_t took[ROUNDS];

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static inline uint64_t median(void)
{
	qsort(took, ROUNDS, sizeof(*took), by_value);
	return took[ROUNDS / 2];
}

static inline void report(const char *what, unsigned int n, size_t bytes)
{
	printf("%s %u %lu %zu\n", what, n, median(), bytes);
	fflush(stdout);
}

#endif /* KVMX_BENCH_TOOK_H */
