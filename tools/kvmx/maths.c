// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "maths.h"

/* Buckets as they are read; more than can differ end up in the last one. */
void hist_set(struct hist *h, const __u64 *buckets, unsigned int nr)
{
	unsigned int i;

	memset(h, 0, sizeof(*h));
	h->nr = nr < HIST_MAX ? nr : HIST_MAX;
	for (i = 0; i < nr; i++)
		h->bucket[i < HIST_MAX ? i : HIST_MAX - 1] += buckets[i];
}

/* Nothing more, in so many buckets. */
void hist_none(struct hist *h, unsigned int nr)
{
	if (nr > HIST_MAX)
		nr = HIST_MAX;
	if (nr > h->nr)
		h->nr = nr;
}

void hist_add(struct hist *h, const struct hist *more)
{
	unsigned int i;

	hist_none(h, more->nr);
	for (i = 0; i < more->nr; i++)
		h->bucket[i] += more->bucket[i];
}

void hist_sub(struct hist *h, const struct hist *base)
{
	unsigned int i;

	for (i = 0; i < h->nr && i < base->nr; i++)
		h->bucket[i] = delta(h->bucket[i], base->bucket[i]);
}

__u64 hist_sum(const struct hist *h)
{
	__u64 sum = 0;
	unsigned int i;

	for (i = 0; i < h->nr; i++)
		sum += h->bucket[i];
	return sum;
}

/* What is known of values in a bucket: whole numbers up to 2^i - 1. */
static struct bound bucket_bound(const struct hist *h, unsigned int i)
{
	struct bound b = { .kind = BOUND_UPPER };

	if (i == h->nr - 1) {
		b.kind = BOUND_LOWER;
		b.value = i ? 1ULL << (i - 1) : 0;
	} else {
		b.value = (1ULL << i) - 1;
	}
	return b;
}

/**
 * hist_percentile() - a percentile, as far as a histogram tells
 * @h: the histogram
 * @percent: 1 to 100
 *
 * Return: an upper bound: that share of the values is not above it; a lower
 * bound where the percentile lies in the open bucket.
 */
struct bound hist_percentile(const struct hist *h, unsigned int percent)
{
	unsigned __int128 sum = hist_sum(h);
	__u64 rank = (__u64)((sum * percent + 99) / 100);
	struct bound none = { .kind = BOUND_NONE };
	__u64 seen = 0;
	unsigned int i;

	if (!sum)
		return none;
	for (i = 0; i < h->nr; i++) {
		seen += h->bucket[i];
		if (seen >= rank)
			break;
	}
	return bucket_bound(h, i);
}

/* What the highest bucket with something in it tells about the longest value. */
struct bound hist_longest(const struct hist *h)
{
	struct bound none = { .kind = BOUND_NONE };
	unsigned int i;

	for (i = h->nr; i > 0; i--)
		if (h->bucket[i - 1])
			return bucket_bound(h, i - 1);
	return none;
}

/* Nothing is above the longest value: use it where it is the better bound. */
struct bound bound_tighten(struct bound b, struct bound longest)
{
	if (b.kind != BOUND_UPPER ||
	    (longest.kind != BOUND_EXACT && longest.kind != BOUND_UPPER))
		return b;
	if (longest.value < b.value)
		b.value = longest.value;
	return b;
}

/* Figures are estimates where a state is open: less than before means none. */
__u64 delta(__u64 now, __u64 base)
{
	return now > base ? now - base : 0;
}

__u64 mean(__u64 sum, __u64 nr)
{
	return nr ? sum / nr : 0;
}

double share(__u64 part, __u64 whole)
{
	return whole ? (double)part / (double)whole : 0.0;
}

__u64 ticks_to_ns(__u64 ticks, __u32 khz)
{
	return khz ? (__u64)((unsigned __int128)ticks * 1000000 / khz) : 0;
}

/**
 * permille() - shares of a whole that add up
 * @parts: the parts
 * @nr: how many
 * @out: tenths of a percent, 1000 together unless all parts are 0
 *
 * Rounded by the largest remainder, so that printed shares add up to 100 %.
 */
void permille(const __u64 *parts, unsigned int nr, unsigned int *out)
{
	unsigned __int128 sum = 0;
	unsigned int i, left = 1000;

	for (i = 0; i < nr; i++)
		sum += parts[i];
	for (i = 0; i < nr; i++) {
		out[i] = sum ? (unsigned int)((unsigned __int128)parts[i] *
					      1000 / sum) : 0;
		left -= out[i];
	}
	while (sum && left--) {
		unsigned __int128 best = 0;
		unsigned int which = 0;

		for (i = 0; i < nr; i++) {
			unsigned __int128 exact = (unsigned __int128)parts[i] * 1000;
			unsigned __int128 have = (unsigned __int128)out[i] * sum;

			if (exact > have && exact - have > best) {
				best = exact - have;
				which = i;
			}
		}
		out[which]++;
	}
}
