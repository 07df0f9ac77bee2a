// SPDX-License-Identifier: GPL-2.0-only
/* Where the guest faults, and what it exits for: ports and MMIO. */
#include <stdlib.h>

#include "ept_view.h"
#include "util.h"

static const struct {
	const char *key;
	const char *title;
} lists[NR_LISTS] = {
	[LIST_RANGES] = { "ranges", "FAULTS IN 2 MB AT" },
	[LIST_MMIO] = { "mmio_addresses", "MMIO ADDRESS" },
	[LIST_PORTS] = { "ports", "PORT" },
};

static void put_row(struct out *o, const struct kvmx_top_row *r, __u64 all)
{
	const struct val row[] = {
		val_code(r->key),
		val_code(r->key),
		val_num(r->count),
		val_share(r->count, all),
		val_ticks(r->time),
		val_ticks(mean(r->time, r->count)),
	};

	out_row(o, row);
	out_end(o);
}

/* What is in no row, so that all of it adds up. */
static void put_others(struct out *o, __u64 count, __u64 time, __u64 all)
{
	const struct val row[] = {
		val_str("(others)"),
		val_none(),
		val_num(count),
		val_share(count, all),
		val_ticks(time),
		val_ticks(mean(time, count)),
	};

	if (!count && !time)
		return;
	out_row(o, row);
	out_end(o);
}

static void put_list(struct stat_view *view, const struct source *s,
		     unsigned int which)
{
	const struct column columns[] = {
		{ NULL, lists[which].title, 18, true },
		{ "address", NULL, 0, false },
		{ "count", "COUNT", 9, false },
		{ "share", "SHARE", 6, false },
		{ "time", "TIME", 7, false },
		{ "mean", "MEAN", 7, false },
	};
	__u64 all, count, time;
	unsigned int i;
	struct top t;

	top_copy(&t, &s->lists[which].last);
	top_sub(&t, &s->lists[which].base);
	top_sort(&t);
	all = top_count(&t);
	count = all;
	time = top_time(&t);
	if (all)
		out_say(view->out, "%s", "");
	out_table(view->out, lists[which].key,
		  columns, all ? ARRAY_SIZE(columns) : 0);
	for (i = 0; i < t.nr && i < view->opts->top; i++) {
		put_row(view->out, &t.rows[i], all);
		count = delta(count, t.rows[i].count);
		time = delta(time, t.rows[i].time);
	}
	put_others(view->out, count, time, all);
	out_end(view->out);
	top_free(&t);
}

void ept_put_lists(struct stat_view *view, const struct source *s)
{
	unsigned int i;

	for (i = 0; i < NR_LISTS; i++)
		put_list(view, s, i);
}

static void put_kind(struct stat_view *view, const struct source *s,
		     const char *name, __u64 nr, const char *prefix,
		     __u64 measured)
{
	char *time = xasprintf("%s.time", prefix);
	char *hist = xasprintf("%s.hist", prefix);
	__u64 ticks = ept_rise(s, time);
	struct hist h = { .nr = 0 };
	__u64 done;

	ept_hist(s, hist, &h);
	done = hist_sum(&h);

	const struct val row[] = {
		val_str(name),
		val_num(nr),
		ept_rate(view, nr, measured),
		val_ticks(ticks),
		done ? val_ticks(mean(ticks, done)) : val_none(),
		val_bound(hist_percentile(&h, 99)),
	};

	out_row(view->out, row);
	out_end(view->out);
	free(time);
	free(hist);
}

/**
 * ept_put_io() - exits for ports, and for addresses without memory
 * @view: how they are printed
 * @s: the statistics fd
 * @measured: for how many ticks it was watched
 */
void ept_put_io(struct stat_view *view, const struct source *s, __u64 measured)
{
	static const struct column columns[] = {
		{ "kind", "I/O", 10, true },
		{ "count", "COUNT", 10, false },
		{ "per_second", "PER_S", 9, false },
		{ "total", "TOTAL", 7, false },
		{ "mean", "MEAN", 7, false },
		{ "p99", "P99", 8, false },
	};

	if (!schema_find(s->schema, "io.port.in"))
		return;
	out_say(view->out, "%s", "");
	out_table(view->out, "io", columns, ARRAY_SIZE(columns));
	put_kind(view, s, "ports", ept_rise(s, "io.port.in") +
		 ept_rise(s, "io.port.out"), "io.port", measured);
	put_kind(view, s, "mmio", ept_rise(s, "io.mmio.count"), "io.mmio",
		 measured);
	out_end(view->out);
	out_field(view->out, "port_in", NULL, ept_rise_val(s, "io.port.in"));
	out_field(view->out, "port_out", NULL, ept_rise_val(s, "io.port.out"));
}
