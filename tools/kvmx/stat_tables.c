// SPDX-License-Identifier: GPL-2.0-only
/* Times by class and exits by reason, of a VM or of a vCPU. */
#include "stat.h"
#include "util.h"

/* A field of an exit reason with the label that the module gives it. */
static struct val labelled(const struct tally_exit *e, enum exit_field field,
			   struct val v)
{
	const struct figure *f = e->reason ? e->reason->field[field] : NULL;

	return f ? val_labelled(v, figure_label(f)) : val_none();
}

static struct val mean_of(const struct tally_exit *e)
{
	return e->done ? val_ticks(mean(e->gross, e->done)) : val_none();
}

enum {
	COL_REASON,
	COL_CODE,
	COL_COUNT,
	COL_SHARE,
	COL_TIME_SHARE,
	COL_GROSS,
	COL_NET,
	COL_MEAN,
	COL_P50,
	COL_P99,
	COL_MAX,
	COL_DONE,
	COL_HIST,
	NR_COLS
};

/* The widths of those with a title, and the gaps, are 80 together. */
static const struct column exit_columns[NR_COLS] = {
	[COL_REASON] = { "reason", "REASON", 19, true },
	[COL_CODE] = { "code", NULL, 0, false },
	[COL_COUNT] = { "count", "COUNT", 9, false },
	[COL_SHARE] = { "share", "SHARE", 6, false },
	[COL_TIME_SHARE] = { "time_share", "TIME%", 6, false },
	[COL_GROSS] = { "gross", "TOTAL", 6, false },
	[COL_NET] = { "net", "NET", 6, false },
	[COL_MEAN] = { "mean", "MEAN", 6, false },
	[COL_P50] = { "p50", NULL, 0, false },
	[COL_P99] = { "p99", "P99", 7, false },
	[COL_MAX] = { "max", "MAX", 7, false },
	[COL_DONE] = { "completed", NULL, 0, false },
	[COL_HIST] = { "hist", NULL, 0, false },
};

static void exit_row(const struct tally_exit *e, const char *name,
		     const struct tally_exit *total, struct val *row)
{
	row[COL_REASON] = val_str(name);
	row[COL_CODE] = e->has_code ? val_code(e->code) : val_none();
	row[COL_COUNT] = labelled(e, EXIT_COUNT, val_num(e->count));
	row[COL_SHARE] = val_share(e->count, total->count);
	row[COL_TIME_SHARE] = val_share(e->gross, total->gross);
	row[COL_GROSS] = labelled(e, EXIT_GROSS, val_ticks(e->gross));
	row[COL_NET] = labelled(e, EXIT_NET, val_ticks(e->net));
	row[COL_MEAN] = labelled(e, EXIT_GROSS, mean_of(e));
	row[COL_P50] = labelled(e, EXIT_HIST,
				val_bound(exit_percentile(e, 50)));
	row[COL_P99] = labelled(e, EXIT_HIST,
				val_bound(exit_percentile(e, 99)));
	row[COL_MAX] = labelled(e, EXIT_MAX, val_bound(e->max));
	row[COL_DONE] = labelled(e, EXIT_HIST, val_num(e->done));
	row[COL_HIST] = labelled(e, EXIT_HIST,
				 val_list(e->hist.bucket, e->hist.nr));
}

static void put_reasons(struct stat_view *view, struct tally *t,
			const struct tally_exit *total)
{
	struct val row[NR_COLS];
	char name[96];
	unsigned int i;

	tally_sort(t, view->opts->sort);
	for (i = 0; i < t->nr_exits; i++) {
		const struct tally_exit *e = &t->exits[i];

		if (!e->count && !view->opts->all)
			continue;
		exit_name(e, name, sizeof(name));
		exit_row(e, name, total, row);
		out_row(view->out, row);
		out_end(view->out);
	}
}

static void put_counter(struct stat_view *view, const struct figure *f,
			const char *key, __u64 n)
{
	if (f)
		out_field(view->out, key, NULL,
			  val_labelled(val_num(n), figure_label(f)));
}

/* The block's figures of any of the schemas that the tally was made with. */
static void put_entries(struct stat_view *view, const struct tally *t)
{
	const struct block *b = t->block;

	if (!b)
		return;
	put_counter(view, b->entries, "entries", t->entries);
	put_counter(view, b->entries_without_exit, "entries_without_exit",
		    t->entries_without_exit);
	put_counter(view, b->exits_without_entry, "exits_without_entry",
		    t->exits_without_entry);
	put_counter(view, b->user_exits, "user_exits", t->user_exits);
	if (t->entries_without_exit || t->exits_without_entry)
		out_say(view->out,
			"not timed: %llu entries without an exit, %llu exits without an entry",
			t->entries_without_exit, t->exits_without_entry);
}

/**
 * exits_put() - exits by reason
 * @view: how they are printed
 * @t: of what; gets sorted
 */
void exits_put(struct stat_view *view, struct tally *t)
{
	struct tally_exit total;
	struct val row[NR_COLS];

	put_entries(view, t);
	tally_total(t, &total);
	out_table(view->out, "exits", exit_columns, NR_COLS);
	put_reasons(view, t, &total);
	exit_row(&total, "TOTAL", &total, row);
	out_total(view->out, "total", row);
	out_end(view->out);
}

/* Times by class for programs; people get them side by side (stat_view.c). */
void times_put(struct stat_view *view, const struct tally *t)
{
	__u64 all = tally_time(t);
	struct out *o = view->out;
	unsigned int i;

	out_begin(o, "time");
	for (i = 0; i < t->nr_times; i++) {
		const struct time_class *c = t->times[i].class;
		struct val ticks = val_ticks(t->times[i].ticks);

		out_begin(o, c->name);
		out_field(o, "time", NULL,
			  val_labelled(ticks, figure_label(c->figure)));
		out_field(o, "share", NULL, val_share(t->times[i].ticks, all));
		out_end(o);
	}
	out_end(o);
}
