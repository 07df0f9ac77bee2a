// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "maths.h"
#include "text.h"
#include "top.h"
#include "util.h"

/* Return: false where the module has no such list for this fd. */
bool top_read(struct top *t, int fd, __u32 what)
{
	unsigned int i;

	if (device_top(fd, what, &t->rows, &t->nr, &t->others_count,
		       &t->others_time)) {
		memset(t, 0, sizeof(*t));
		return false;
	}
	for (i = 0; i < t->nr; i++)
		text_clean(t->rows[i].name);
	return true;
}

void top_copy(struct top *to, const struct top *from)
{
	*to = *from;
	to->rows = xcalloc(from->nr, sizeof(*to->rows));
	if (from->nr)
		memcpy(to->rows, from->rows, from->nr * sizeof(*to->rows));
}

static const struct kvmx_top_row *find(const struct top *t, __u64 key)
{
	unsigned int i;

	for (i = 0; i < t->nr; i++)
		if (t->rows[i].key == key)
			return &t->rows[i];
	return NULL;
}

__u64 top_count(const struct top *t)
{
	__u64 sum = t->others_count;
	unsigned int i;

	for (i = 0; i < t->nr; i++)
		sum += t->rows[i].count;
	return sum;
}

__u64 top_time(const struct top *t)
{
	__u64 sum = t->others_time;
	unsigned int i;

	for (i = 0; i < t->nr; i++)
		sum += t->rows[i].time;
	return sum;
}

/*
 * What happened since @base. A row that lost its place and got another began
 * anew: all of it is new. What is in no row is the difference of the sums less
 * that of the rows.
 */
void top_sub(struct top *t, const struct top *base)
{
	__u64 count = delta(top_count(t), top_count(base));
	__u64 time = delta(top_time(t), top_time(base));
	unsigned int i, kept = 0;

	for (i = 0; i < t->nr; i++) {
		struct kvmx_top_row row = t->rows[i];
		const struct kvmx_top_row *b = find(base, row.key);

		if (b && row.count >= b->count && row.time >= b->time) {
			row.count -= b->count;
			row.time -= b->time;
		}
		if (!row.count && !row.time)
			continue;
		count = delta(count, row.count);
		time = delta(time, row.time);
		t->rows[kept++] = row;
	}
	t->nr = kept;
	t->others_count = count;
	t->others_time = time;
}

static int by_time(const void *x, const void *y)
{
	const struct kvmx_top_row *a = x, *b = y;

	if (a->time != b->time)
		return a->time < b->time ? 1 : -1;
	return a->count < b->count ? 1 : a->count > b->count ? -1 : 0;
}

/* Longest first. */
void top_sort(struct top *t)
{
	if (t->nr)
		qsort(t->rows, t->nr, sizeof(*t->rows), by_time);
}

void top_free(struct top *t)
{
	free(t->rows);
	memset(t, 0, sizeof(*t));
}
