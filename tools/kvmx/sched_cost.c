// SPDX-License-Identifier: GPL-2.0-only
/* What exits cost, by how far the vCPU had moved before. */
#include <stdio.h>
#include <stdlib.h>

#include "sched_view.h"
#include "util.h"

/* The lists, in their order. */
static const char * const places[MAX_TOPS] = {
	"same_cpu", "smt_sibling", "same_llc", "same_node", "other_node",
};

/* An exit reason: what is in each list. */
struct cost {
	__u64 code;
	char name[KVMX_TOP_NAME_LEN + 24];
	__u64 count[MAX_TOPS];
	__u64 time[MAX_TOPS];
	__u64 all;
};

struct costs {
	struct cost *list;
	unsigned int nr;
};

static struct cost *cost_of(struct costs *c, const struct kvmx_top_row *r)
{
	struct cost *new;
	unsigned int i;

	for (i = 0; i < c->nr; i++)
		if (c->list[i].code == r->key)
			return &c->list[i];
	c->list = xrealloc(c->list, c->nr + 1, sizeof(*c->list));
	new = &c->list[c->nr++];
	*new = (struct cost){ .code = r->key };
	if (r->name[0])
		snprintf(new->name, sizeof(new->name), "%s", r->name);
	else
		snprintf(new->name, sizeof(new->name), "code %#llx", r->key);
	return new;
}

static int most_time(const void *x, const void *y)
{
	const struct cost *a = x, *b = y;

	return a->all < b->all ? 1 : a->all > b->all ? -1 : 0;
}

static void collect(const struct source *s, struct costs *c)
{
	unsigned int i, k;

	for (k = 0; k < s->nr_tops; k++) {
		struct top t;

		top_copy(&t, &s->top_last[k]);
		top_sub(&t, &s->top_base[k]);
		for (i = 0; i < t.nr; i++) {
			struct cost *cost = cost_of(c, &t.rows[i]);

			cost->count[k] += t.rows[i].count;
			cost->time[k] += t.rows[i].time;
			cost->all += t.rows[i].time;
		}
		top_free(&t);
	}
	if (c->nr)
		qsort(c->list, c->nr, sizeof(*c->list), most_time);
}

static void put_places(struct out *o, const struct cost *c)
{
	unsigned int k;

	for (k = 0; k < MAX_TOPS; k++) {
		out_begin(o, places[k]);
		out_field(o, "count", NULL, val_num(c->count[k]));
		out_field(o, "net", NULL, val_ticks(c->time[k]));
		out_field(o, "mean", NULL, c->count[k] ?
			  val_ticks(mean(c->time[k], c->count[k])) :
			  val_none());
		out_end(o);
	}
}

static void put_cost(struct out *o, const struct cost *c)
{
	struct val row[2 + MAX_TOPS];
	__u64 count = 0;
	unsigned int k;

	for (k = 0; k < MAX_TOPS; k++) {
		count += c->count[k];
		row[2 + k] = c->count[k] ?
			     val_ticks(mean(c->time[k], c->count[k])) :
			     val_none();
	}
	row[0] = val_str(c->name);
	row[1] = val_num(count);
	out_row(o, row);
	put_places(o, c);
	out_end(o);
}

/**
 * sched_put_costs() - mean net time of the reasons that cost most
 * @view: how they are printed
 * @vm: the VM
 *
 * For people the top few; for programs all that the module has on its lists.
 */
void sched_put_costs(struct stat_view *view, const struct watch_vm *vm)
{
	static const struct column columns[2 + MAX_TOPS] = {
		{ "reason", "MEAN NET BY MOVE", 19, true },
		{ "count", "EXITS", 8, false },
		{ NULL, "SAME", 7, false },
		{ NULL, "SMT", 7, false },
		{ NULL, "LLC", 7, false },
		{ NULL, "NODE", 7, false },
		{ NULL, "OTHER", 7, false },
	};
	struct costs c = { .nr = 0 };
	unsigned int i;

	if (view->opts->vcpu != NO_VCPU)
		return;
	collect(&vm->whole, &c);
	if (c.nr) {
		out_say(view->out, "%s", "");
		out_table(view->out, "exit_cost", columns, ARRAY_SIZE(columns));
		for (i = 0; i < c.nr; i++)
			if (view->opts->format != OUT_TEXT ||
			    i < view->opts->top)
				put_cost(view->out, &c.list[i]);
		out_end(view->out);
	}
	free(c.list);
}
