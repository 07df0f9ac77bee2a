// SPDX-License-Identifier: GPL-2.0-only
/* Arithmetic, numbers as text, and numbers from the command line. */
#include <string.h>

#include "maths.h"
#include "tap.h"
#include "text.h"
#include "util.h"

static struct hist hist_of(unsigned int nr, unsigned int at, __u64 n)
{
	__u64 buckets[HIST_MAX + 8] = { 0 };
	struct hist h;

	buckets[at] = n;
	hist_set(&h, buckets, nr);
	return h;
}

static void percentiles(void)
{
	struct hist h = hist_of(43, 11, 99);
	struct bound b;

	h.bucket[20] = 1;
	b = hist_percentile(&h, 99);
	ok(b.kind == BOUND_UPPER && b.value == 2047,
	   "the 99th of 100 values is bounded by its own bucket");
	h.bucket[20] = 2;
	b = hist_percentile(&h, 99);
	ok(b.value == (1U << 20) - 1,
	   "with two of 101 above, the percentile is in their bucket");
	b = hist_percentile(&h, 50);
	ok(b.value == 2047, "the median is where half of them are");
	b = hist_percentile(&h, 100);
	ok(b.value == (1U << 20) - 1, "the 100th percentile is the longest");

	h = hist_of(43, 0, 5);
	b = hist_percentile(&h, 99);
	ok(b.kind == BOUND_UPPER && b.value == 0,
	   "bucket 0 holds nothing but zeroes");
	h = hist_of(43, 42, 5);
	b = hist_percentile(&h, 99);
	ok(b.kind == BOUND_LOWER && b.value == 1ULL << 41,
	   "the open bucket gives a lower bound");
	h = hist_of(43, 0, 0);
	ok(hist_percentile(&h, 99).kind == BOUND_NONE,
	   "nothing has no percentile");
	h = hist_of(43, 5, ~0ULL / 2);
	ok(hist_percentile(&h, 99).value == 31,
	   "huge counts do not overflow");
	h = hist_of(65, 64, 1);
	ok(hist_percentile(&h, 99).value == 1ULL << 63,
	   "65 buckets are the most there can be");
	h = hist_of(HIST_MAX + 5, HIST_MAX + 3, 7);
	ok(h.nr == HIST_MAX && h.bucket[HIST_MAX - 1] == 7,
	   "more buckets than can differ end up in the last one");
}

static void buckets(void)
{
	struct hist a = hist_of(43, 3, 5), b = hist_of(43, 3, 2);

	hist_sub(&a, &b);
	ok(a.bucket[3] == 3, "histograms are subtracted bucket by bucket");
	hist_sub(&b, &a);
	ok(b.bucket[3] == 0, "and never go below zero");
	hist_add(&b, &a);
	ok(hist_sum(&b) == 3, "and are added");
	ok(hist_longest(&a).value == 7 && hist_longest(&a).kind == BOUND_UPPER,
	   "the longest is bounded by the highest bucket in use");
	ok(bound_tighten((struct bound){ BOUND_UPPER, 7 },
			 (struct bound){ BOUND_EXACT, 5 }).value == 5,
	   "a longest value below the bound is the better bound");
	ok(bound_tighten((struct bound){ BOUND_UPPER, 7 },
			 (struct bound){ BOUND_NONE, 0 }).value == 7,
	   "an unknown longest value bounds nothing");
	ok(bound_tighten((struct bound){ BOUND_LOWER, 7 },
			 (struct bound){ BOUND_EXACT, 9 }).kind == BOUND_LOWER,
	   "a lower bound stays one");
}

static void sums(void)
{
	const __u64 thirds[] = { 1, 1, 1 }, none[] = { 0, 0 };
	const __u64 big[] = { ~0ULL / 2, ~0ULL / 2, 0 };
	const __u64 odd[] = { 999999, 1, 0, 333333, 77777, 1, 1 };
	unsigned int out[7], i, sum = 0;

	permille(thirds, 3, out);
	ok(out[0] + out[1] + out[2] == 1000, "thirds add up to 100.0 %%");
	permille(none, 2, out);
	ok(!out[0] && !out[1], "nothing has no shares");
	permille(big, 3, out);
	ok(out[0] == 500 && out[1] == 500 && !out[2],
	   "huge parts do not overflow");
	permille(odd, 7, out);
	for (i = 0; i < 7; i++)
		sum += out[i];
	ok(sum == 1000 && !out[2], "odd parts add up, and nothing stays nothing");
	ok(delta(5, 7) == 0 && delta(7, 5) == 2, "differences stop at zero");
	ok(mean(10, 0) == 0 && mean(10, 4) == 2, "a mean of nothing is zero");
	ok(ticks_to_ns(3000000000ULL, 3000000) == 1000000000,
	   "ticks become nanoseconds");
	ok(ticks_to_ns(~0ULL / 2, 2000000) == ~0ULL / 4,
	   "a clock that has run for years does not overflow");
	ok(ticks_to_ns(5, 0) == 0, "a clock that stands still is survived");
}

static const char *ns(__u64 n)
{
	static char buf[32];

	text_ns(buf, sizeof(buf), n);
	return buf;
}

static const char *age(__u64 s)
{
	static char buf[32];

	text_age(buf, sizeof(buf), s * 1000000000);
	return buf;
}

static void texts(void)
{
	char buf[32], name[] = "a\x1b-\xff\xc3\xa9\n";
	char c1[] = "\xc2\x9b[31m\xc2\x80\xc2\xa0";
	bool short_enough = true;
	__u64 n;

	ok(!strcmp(ns(0), "0ns") && !strcmp(ns(999), "999ns"),
	   "nanoseconds are whole");
	ok(!strcmp(ns(1234), "1.23us") && !strcmp(ns(12345678), "12.3ms"),
	   "three digits and a unit");
	ok(!strcmp(ns(9996), "10.0us") && !strcmp(ns(999999), "1.00ms"),
	   "rounding up does not make it wider");
	for (n = 1; n < 8640000000000000000ULL; n += n / 10 + 1)
		short_enough = short_enough && strlen(ns(n)) <= 6;
	ok(short_enough, "times up to 270 years fit into six columns");
	ok(!strcmp(age(59), "59.0s") && !strcmp(age(61), "1m01s") &&
	   !strcmp(age(3661), "1h01m") && !strcmp(age(90000), "1d01h"),
	   "ages are in two units");
	text_count(buf, sizeof(buf), 123456789, 9);
	ok(!strcmp(buf, "123456789"), "counts are in full where they fit");
	text_count(buf, sizeof(buf), ~0ULL, 9);
	ok(!strcmp(buf, "18446744T"), "else in larger units");
	text_bound_ns(buf, sizeof(buf), BOUND_UPPER, 5, false);
	ok(!strcmp(buf, "<5ns"), "bounds can be written in ASCII");
	text_bound_ns(buf, sizeof(buf), BOUND_NONE, 5, true);
	ok(!strcmp(buf, "-"), "what is not there is a dash");
	text_clean(name);
	ok(!strcmp(name, "a?-?\xc3\xa9?"),
	   "control characters and broken UTF-8 are taken out of names");
	text_clean(c1);
	ok(!strcmp(c1, "??[31m??\xc2\xa0"),
	   "and so are those of two bytes, but not what is behind them");
	ok(text_star_match("exit.*.net", "exit.HLT.net") &&
	   !text_star_match("exit.*.net", "exit.HLT.nets") &&
	   text_star_match("time.*", "time.guest") &&
	   text_star_match("*", "") && !text_star_match("time.user", "time.use"),
	   "a star in a note stands for anything");
}

static void arguments(void)
{
	__u64 n;

	ok(parse_u64("0", 9, &n) && !n &&
	   parse_u64("18446744073709551615", ~0ULL, &n) && n == ~0ULL,
	   "whole numbers up to the largest are taken");
	ok(!parse_u64("18446744073709551616", ~0ULL, &n) &&
	   !parse_u64("10", 9, &n), "larger ones are not");
	ok(!parse_u64("", 9, &n) && !parse_u64("-1", 9, &n) &&
	   !parse_u64(" 1", 9, &n) && !parse_u64("1x", 9, &n) &&
	   !parse_u64("0x1", 9, &n), "nor anything with something else in it");
	ok(parse_seconds("1.5", &n) && n == 1500000000 &&
	   parse_seconds(".25", &n) && n == 250000000 &&
	   parse_seconds("2.", &n) && n == 2000000000 &&
	   parse_seconds("0.0010000000001", &n) && n == 1000000,
	   "seconds may have a fraction");
	ok(!parse_seconds("0", &n) && !parse_seconds("0.0009", &n) &&
	   !parse_seconds("-1", &n) && !parse_seconds(".", &n) &&
	   !parse_seconds("", &n) && !parse_seconds("1e3", &n) &&
	   !parse_seconds("inf", &n) &&
	   !parse_seconds("99999999999999999999999", &n),
	   "no interval is zero, negative, endless or not a number");
}

int main(void)
{
	percentiles();
	buckets();
	sums();
	texts();
	arguments();
	return tap_end();
}
