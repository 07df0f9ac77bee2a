// SPDX-License-Identifier: GPL-2.0-only
/* Figures as the module describes them, whatever they are. */
#include <linux/kvm.h>
#include <stdlib.h>

#include "stat.h"
#include "util.h"

static struct val value_of(const struct figure *f, const __u64 *data)
{
	if (f->size > 1)
		return val_list(&data[f->at], f->size);
	if ((f->flags & KVM_STATS_UNIT_MASK) == KVM_STATS_UNIT_BOOLEAN)
		return val_bool(data[f->at]);
	return val_num(data[f->at]);
}

/* For people: a table, with all of them. */
static void put_table(struct out *o, const struct source *s)
{
	static const struct column columns[] = {
		{ NULL, "FIGURE", 34, true },
		{ NULL, "UNIT", 13, true },
		{ NULL, "LABEL", 7, true },
		{ NULL, "VALUE", 0, true },
	};
	unsigned int i;
	char unit[32];

	out_table(o, NULL, columns, ARRAY_SIZE(columns));
	for (i = 0; i < s->schema->nr_figures; i++) {
		const struct figure *f = &s->schema->figures[i];

		figure_unit(f, unit, sizeof(unit));

		const struct val row[] = {
			val_str(f->name),
			val_str(unit),
			val_str(figure_label(f)),
			value_of(f, s->last.data),
		};

		out_row(o, row);
		out_end(o);
	}
	out_end(o);
}

/* What it rose by since the mark; nothing where a difference makes no sense. */
static void put_delta(struct out *o, const struct figure *f,
		      const struct source *s)
{
	__u64 *rise;
	unsigned int i;

	if (!figure_adds_up(f))
		return;
	rise = xcalloc(f->size, sizeof(*rise));
	for (i = 0; i < f->size; i++)
		rise[i] = delta(s->last.data[f->at + i],
				s->base.data ? s->base.data[f->at + i] : 0);
	out_field(o, "delta", NULL, f->size > 1 ? val_list(rise, f->size) :
						  val_num(rise[0]));
	free(rise);
}

static void put_object(struct out *o, const struct source *s, bool all)
{
	unsigned int i;
	char unit[32];

	out_begin(o, "figures");
	for (i = 0; i < s->schema->nr_figures; i++) {
		const struct figure *f = &s->schema->figures[i];

		if (f->known && !all)
			continue;
		figure_unit(f, unit, sizeof(unit));
		out_begin(o, f->name);
		out_field(o, "type", NULL, val_str(figure_type(f)));
		out_field(o, "unit", NULL, val_str(unit));
		out_field(o, "label", NULL, val_str(figure_label(f)));
		out_field(o, "value", NULL, value_of(f, s->last.data));
		put_delta(o, f, s);
		out_end(o);
	}
	out_end(o);
}

/**
 * figures_put() - figures of a statistics fd
 * @view: how they are printed
 * @s: the statistics fd
 *
 * In text only if that is asked for; in JSON those that have no place of their
 * own, so that a reader gets a counter that was added after this tool was made.
 */
void figures_put(struct stat_view *view, const struct source *s)
{
	if (view->opts->raw)
		put_table(view->out, s);
	put_object(view->out, s, view->opts->raw);
}
