// SPDX-License-Identifier: GPL-2.0-only
/* How long to poll in front of halts: the arithmetic. */
#include <string.h>

#include "hint/fit.h"
#include "tap.h"

#define US	1000ULL

static struct kvmx_fit fit;

static void begin(void)
{
	memset(&fit, 0, sizeof(fit));
}

static void halts(unsigned int n, u64 us)
{
	while (n--)
		kvmx_fit_note(&fit, us * US);
}

static void all_alike(void)
{
	begin();
	ok(kvmx_fit_choose(&fit, 200 * US) == 0, "nothing is known: no polling");
	halts(1, 50);
	ok(kvmx_fit_choose(&fit, 200 * US) == 65536, "one halt of 50 us: 64 us");
	ok(kvmx_fit_choose(&fit, 60 * US) == 60 * US, "never more than may be");
	ok(kvmx_fit_choose(&fit, 40 * US) == 0, "nor for nothing");
	begin();
	halts(1000, 150);
	ok(kvmx_fit_choose(&fit, 200 * US) == 200 * US, "150 us: as long as may be");
	begin();
	halts(1000, 400);
	ok(kvmx_fit_choose(&fit, 200 * US) == 0, "longer ones than may be polled");
	ok(kvmx_fit_choose(&fit, 1000 * US) == 524288, "unless more may be");
	begin();
	halts(1000, 1000000);
	ok(kvmx_fit_choose(&fit, 10000 * US) == 0, "seconds are never polled");
}

/* 3 of 4 halts are short, or 1 of 4: 2 ms. */
static void mixed(void)
{
	unsigned int i;

	begin();
	for (i = 0; i < 300; i++) {
		halts(3, 50);
		halts(1, 2000);
	}
	ok(kvmx_fit_choose(&fit, 200 * US) == 65536, "most are short: they are polled for");
	begin();
	for (i = 0; i < 300; i++) {
		halts(1, 50);
		halts(3, 2000);
	}
	ok(kvmx_fit_choose(&fit, 200 * US) == 0, "few are short: more waste than gain");
	ok(kvmx_fit_choose(&fit, 5000 * US) == 2097152, "all of them fit in 5 ms");
}

static void forgets(void)
{
	unsigned int n = 0;

	begin();
	halts(10000, 50);
	while (kvmx_fit_choose(&fit, 200 * US) && n < 1000) {
		halts(1, 2000);
		n++;
	}
	ok(n >= 40 && n <= 128, "the guest changes its ways: polling ends");
	n = 0;
	halts(10000, 2000);
	while (!kvmx_fit_choose(&fit, 200 * US) && n < 1000) {
		halts(1, 50);
		n++;
	}
	ok(n >= 40 && n <= 128, "and begins again");
}

/* Whatever is noted, sums stay sums. */
static void bounded(void)
{
	unsigned int i, j;
	u64 ns = 1;
	u32 nr;
	int good = 1;

	begin();
	for (i = 0; i < 100000; i++) {
		ns = ns * 6364136223846793005ULL + 1442695040888963407ULL;
		kvmx_fit_note(&fit, ns >> (ns % 60));
		for (nr = 0, j = 0; j < KVMX_FIT_CLASSES; j++) {
			nr += fit.nr[j];
			good &= fit.nr[j] || !fit.ns[j];
		}
		good &= nr == fit.all && nr < 128;
		good &= kvmx_fit_choose(&fit, 10000 * US) <= 10000 * US;
	}
	ok(good, "halts of any length");
}

int main(void)
{
	all_alike();
	mixed();
	forgets();
	bounded();
	return tap_end();
}
