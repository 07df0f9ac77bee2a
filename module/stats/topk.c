// SPDX-License-Identifier: GPL-2.0-only
#include "stats/topk.h"

static struct kvmx_topk_row *find(struct kvmx_topk *t, u64 key,
				  struct kvmx_topk_row **coldest)
{
	struct kvmx_topk_row *r = &t->row[t->last];
	u32 i;

	if (r->rank && r->key == key)
		return r;
	*coldest = t->row;
	for (i = 0; i < KVMX_TOPK_ROWS; i++) {
		r = &t->row[i];
		if (r->rank && r->key == key) {
			t->last = i;
			return r;
		}
		if (r->rank < (*coldest)->rank)
			*coldest = r;
	}
	return NULL;
}

/**
 * kvmx_topk_put() - count a key
 * @t: the table
 * @key: the key
 *
 * A key without a row takes that of the coldest, and inherits its rank: so a
 * key that is really hot cannot be kept out by newcomers taking turns.
 *
 * Context: any; the one writer, between begin and end of @t->seq.
 * Return: the key's row, with an empty name where it is new.
 */
struct kvmx_topk_row *kvmx_topk_put(struct kvmx_topk *t, u64 key)
{
	struct kvmx_topk_row *coldest, *r = find(t, key, &coldest);

	if (!r) {
		r = coldest;
		t->last = r - t->row;
		t->others_count += r->count;
		t->others_time += r->time;
		r->key = key;
		r->count = 0;
		r->time = 0;
		r->name[0] = '\0';
	}
	r->rank++;
	r->count++;
	return r;
}

/**
 * kvmx_topk_add_time() - add to the time of a key that was put in before
 * @t: the table
 * @row: the row that it had then, NULL where that is not known any more
 * @key: the key; where it has lost the row the time goes to the others
 * @time: what to add
 *
 * Context: as kvmx_topk_put().
 */
void kvmx_topk_add_time(struct kvmx_topk *t, struct kvmx_topk_row *row, u64 key,
			u64 time)
{
	if (row && row->rank && row->key == key)
		row->time += time;
	else
		t->others_time += time;
}
