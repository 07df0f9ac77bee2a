// SPDX-License-Identifier: GPL-2.0-only
/*
 * What it costs a program in a guest to begin and to end a hint: plain stores, which
 * need no guest to be measured. Prints "hint_stored N TICKS", per pair.
 */
#include <x86intrin.h>

#include "kvmx-hint.h"
#include "took.h"

#define MANY	1000

static uint64_t pairs(struct kvmx_hint *hint, unsigned int n)
{
	uint64_t from = __rdtsc();

	while (n--) {
		kvmx_hint_begin(hint, KVMX_KIND_CRITICAL);
		kvmx_hint_end(hint);
	}
	return __rdtsc() - from;
}

int main(void)
{
	struct kvmx_hint_file nobody = { .fd = -1 };
	struct kvmx_hint hint;
	int i;

	/* No file, no word of its own: the stores are the same. */
	kvmx_hint_join(&nobody, &hint);
	pairs(&hint, MANY);
	for (i = 0; i < ROUNDS; i++)
		took[i] = pairs(&hint, 2 * MANY) - pairs(&hint, MANY);
	printf("hint_stored %u %.1f\n", MANY, (double)median() / MANY);
	return 0;
}
