/* SPDX-License-Identifier: GPL-2.0-only */
/* As much TAP as unit tests need. */
#ifndef KVMX_TEST_TAP_H
#define KVMX_TEST_TAP_H

#include <stdio.h>
#include <stdlib.h>

static int tap_nr, tap_failed;

/* One case; @cond is its proof. */
#define ok(cond, ...)							\
	do {								\
		int good__ = !!(cond);					\
									\
		tap_failed += !good__;					\
		printf("%sok %d - ", good__ ? "" : "not ", ++tap_nr);	\
		printf(__VA_ARGS__);					\
		printf("\n");						\
		if (!good__)						\
			printf("# %s:%d: %s\n", __FILE__, __LINE__, #cond); \
	} while (0)

static inline int tap_end(void)
{
	printf("1..%d\n", tap_nr);
	return tap_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif /* KVMX_TEST_TAP_H */
