// SPDX-License-Identifier: GPL-2.0-only
/* The hottest few of many: nothing is lost, and what is hot is kept. */
#include <string.h>

#include "stats/topk.h"
#include "tap.h"

#define KEYS	1000

/* What was put in, by key. */
static struct {
	u64 count[KEYS];
	u64 time[KEYS];
	u64 puts;
	u64 ticks;
} truth;

static struct kvmx_topk table;
static u64 seed;

static u64 any(u64 below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

static void begin(u64 from)
{
	memset(&table, 0, sizeof(table));
	memset(&truth, 0, sizeof(truth));
	seed = from * 0x9e3779b97f4a7c15 + 1;
}

static void put(u64 key)
{
	u64 time = any(1000);

	kvmx_topk_add_time(&table, kvmx_topk_put(&table, key), key, time);
	truth.count[key]++;
	truth.time[key] += time;
	truth.puts++;
	truth.ticks += time;
}

static const struct kvmx_topk_row *row_of(u64 key)
{
	u32 i;

	for (i = 0; i < KVMX_TOPK_ROWS; i++)
		if (table.row[i].rank && table.row[i].key == key)
			return &table.row[i];
	return NULL;
}

static bool adds_up(void)
{
	u64 count = table.others_count, time = table.others_time;
	u32 i;

	for (i = 0; i < KVMX_TOPK_ROWS; i++) {
		count += table.row[i].count;
		time += table.row[i].time;
	}
	return count == truth.puts && time == truth.ticks;
}

/* No row tells more than happened, nor a rank that is too low. */
static bool rows_are_bounds(void)
{
	u32 i;

	for (i = 0; i < KVMX_TOPK_ROWS; i++) {
		const struct kvmx_topk_row *r = &table.row[i];

		if (!r->rank)
			continue;
		if (r->count > truth.count[r->key] ||
		    r->rank < truth.count[r->key] || r->count > r->rank ||
		    r->time > truth.time[r->key] || row_of(r->key) != r)
			return false;
	}
	return true;
}

/* What "space-saving" promises: more than one in so many has a row. */
static bool hot_are_kept(void)
{
	u64 key;

	for (key = 0; key < KEYS; key++)
		if (truth.count[key] > truth.puts / KVMX_TOPK_ROWS &&
		    !row_of(key))
			return false;
	return true;
}

static void few_keys(void)
{
	bool exact = true;
	u64 i;

	begin(1);
	for (i = 0; i < 10000; i++)
		put(any(KVMX_TOPK_ROWS));
	for (i = 0; i < KVMX_TOPK_ROWS; i++) {
		const struct kvmx_topk_row *r = row_of(i);

		exact = exact && r && r->count == truth.count[i] &&
			r->time == truth.time[i] && r->rank == r->count;
	}
	ok(exact, "as many keys as rows: each row is exact");
	ok(!table.others_count && !table.others_time,
	   "and there are no others");
}

/* Some keys are hot, the more so the smaller they are; all others are noise. */
static void random_streams(void)
{
	bool sum = true, bounds = true, kept = true, hot = true;
	u64 round, i;

	for (round = 1; round <= 200; round++) {
		u64 spread = 1 + any(KEYS - 1);

		begin(round);
		for (i = 0; i < 5000; i++) {
			put(any(4) ? any(1 + any(20)) : any(spread));
			sum = sum && (i % 64 || adds_up());
		}
		sum = sum && adds_up();
		bounds = bounds && rows_are_bounds();
		kept = kept && hot_are_kept();
		hot = hot && row_of(0) && row_of(1);
	}
	ok(sum, "rows and others add up to all that was put in, at any time");
	ok(bounds, "a row's count is at most the truth, its rank at least");
	ok(kept, "no key that is really hot is without a row");
	ok(hot, "and the streams had such keys");
}

static void newcomers(void)
{
	const struct kvmx_topk_row *r;
	u64 i;

	begin(7);
	for (i = 0; i < 100000; i++)
		put(i % 10 ? 1 + i % (KEYS - 1) : 0);
	r = row_of(0);
	ok(r && r->count > truth.count[0] / 2,
	   "newcomers taking turns do not push out who is there again and again");
	ok(adds_up() && rows_are_bounds(), "and all adds up");
}

static void lost_row(void)
{
	struct kvmx_topk_row *row;
	u64 i, others;

	begin(9);
	row = kvmx_topk_put(&table, 500);
	row->name[0] = 'x';
	for (i = 0; i < 100 * KVMX_TOPK_ROWS; i++)
		kvmx_topk_put(&table, i % (KVMX_TOPK_ROWS + 1));
	others = table.others_time;
	kvmx_topk_add_time(&table, row, 500, 77);
	ok(!row_of(500) && table.others_time == others + 77,
	   "time for a key that lost its row is the others'");
	ok(!row->name[0], "a new key does not inherit the name");
	kvmx_topk_add_time(&table, NULL, 500, 1);
	ok(table.others_time == others + 78,
	   "and so is time for a row that is not known");
}

int main(void)
{
	few_keys();
	random_streams();
	newcomers();
	lost_row();
	return tap_end();
}
