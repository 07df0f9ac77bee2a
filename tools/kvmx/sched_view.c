// SPDX-License-Identifier: GPL-2.0-only
/* Scheduling of the vCPUs of a VM: switches, places, delays, preemptors. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "balance.h"
#include "sched_view.h"
#include "text.h"
#include "util.h"

#define PLACED	"sched.placed."

/* What distances are called at the head of a column. */
static const char *placed_title(const char *name)
{
	static const struct {
		const char *name;
		const char *title;
	} titles[] = {
		{ "same_cpu", "SAME" },
		{ "smt_sibling", "SMT" },
		{ "same_llc", "LLC" },
		{ "same_node", "NODE" },
		{ "other_node", "OTHER" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(titles); i++)
		if (!strcmp(titles[i].name, name))
			return titles[i].title;
	return name;
}

/* What a figure rose by since the mark. */
static __u64 rise(const struct source *s, const struct figure *f)
{
	return delta(s->last.data[f->at], s->base.data ? s->base.data[f->at] : 0);
}

/* The same of a counter by name, with its label; none: there is no such. */
struct val sched_rise(const struct source *s, const char *name)
{
	const struct figure *f = schema_find(s->schema, name);

	return f ? val_labelled(val_num(rise(s, f)), figure_label(f)) :
		   val_none();
}

/* The delays since the mark; false: there is no such figure. */
static bool delays_of(const struct source *s, struct hist *h, const char **label)
{
	const struct figure *f = schema_find(s->schema, "sched.delay.hist");
	struct hist base;

	if (!f)
		return false;
	hist_set(h, &s->last.data[f->at], f->size);
	if (s->base.data) {
		hist_set(&base, &s->base.data[f->at], f->size);
		hist_sub(h, &base);
	}
	*label = figure_label(f);
	return true;
}

enum {
	COL_INDEX,
	COL_ID,
	COL_TID,
	COL_CPU,
	COL_VOLUNTARY,
	COL_INVOLUNTARY,
	COL_FIXED
};

#define COL_MAX		(COL_FIXED + 12 + 2)

/* Columns that every vCPU has, one for each distance, and delays. */
static unsigned int make_columns(const struct schema *s, struct column *c)
{
	static const struct column fixed[COL_FIXED] = {
		[COL_INDEX] = { "index", "VCPU", 4, true },
		[COL_ID] = { "vcpu_id", NULL, 0, false },
		[COL_TID] = { "tid", NULL, 0, false },
		[COL_CPU] = { "cpu", "CPU", 4, false },
		[COL_VOLUNTARY] = { "voluntary", "VOL", 7, false },
		[COL_INVOLUNTARY] = { "involuntary", "INVOL", 7, false },
	};
	unsigned int i, nr = COL_FIXED;

	memcpy(c, fixed, sizeof(fixed));
	for (i = 0; i < s->nr_figures && nr < COL_MAX - 2; i++) {
		const char *name = s->figures[i].name;

		if (strncmp(name, PLACED, strlen(PLACED)))
			continue;
		c[nr++] = (struct column) {
			.title = placed_title(name + strlen(PLACED)),
			.width = 6,
		};
	}
	c[nr++] = (struct column){ NULL, "P50", 7, false };
	c[nr++] = (struct column){ NULL, "P99", 7, false };
	return nr;
}

static void make_row(const struct watch_vm *vm, const struct watch_vcpu *v,
		     struct val *row, unsigned int nr)
{
	const struct source *s = &v->source;
	int cpu = sched_cpu_of(vm, v->info.tid);
	const char *label;
	unsigned int i, to = COL_FIXED;
	struct hist h;

	row[COL_INDEX] = val_num(v->info.index);
	row[COL_ID] = val_num(v->info.vcpu_id);
	row[COL_TID] = v->info.tid ? val_num((__u64)v->info.tid) : val_none();
	row[COL_CPU] = cpu >= 0 ? val_num((__u64)cpu) : val_none();
	row[COL_VOLUNTARY] = sched_rise(s, "sched.switches.voluntary");
	row[COL_INVOLUNTARY] = sched_rise(s, "sched.switches.involuntary");
	for (i = 0; i < s->schema->nr_figures && to < nr - 2; i++)
		if (!strncmp(s->schema->figures[i].name, PLACED, strlen(PLACED)))
			row[to++] = val_num(rise(s, &s->schema->figures[i]));
	row[to] = val_none();
	row[to + 1] = val_none();
	if (delays_of(s, &h, &label)) {
		row[to] = val_bound(hist_percentile(&h, 50));
		row[to + 1] = val_bound(hist_percentile(&h, 99));
	}
}

/* For programs, in the object that the row is. */
static void put_placed(struct out *o, const struct source *s)
{
	const struct schema *sc = s->schema;
	unsigned int i;

	out_begin(o, "placed");
	for (i = 0; i < sc->nr_figures; i++) {
		const char *name = sc->figures[i].name;

		if (!strncmp(name, PLACED, strlen(PLACED)))
			out_field(o, name + strlen(PLACED), NULL,
				  sched_rise(s, name));
	}
	out_end(o);
}

static void put_delays(struct out *o, const struct source *s)
{
	const char *label;
	struct hist h;

	if (!delays_of(s, &h, &label))
		return;
	out_begin(o, "delay");
	out_field(o, "p50", NULL,
		  val_labelled(val_bound(hist_percentile(&h, 50)), label));
	out_field(o, "p99", NULL,
		  val_labelled(val_bound(hist_percentile(&h, 99)), label));
	out_field(o, "hist", NULL, val_labelled(val_list(h.bucket, h.nr), label));
	out_end(o);
}

/* Who took the CPU since the mark, longest first. */
static void preemptors_of(const struct source *s, struct top *t)
{
	top_copy(t, &s->top_last[0]);
	top_sub(t, &s->top_base[0]);
	top_sort(t);
}

/* @columns with keys for programs, or with titles for people. */
static void preemptor_row(struct out *o, const struct watch_vcpu *v,
			  const struct kvmx_top_row *r, bool others)
{
	const struct val row[] = {
		val_num(v->info.index),
		val_str(others ? "(others)" : r->name),
		others ? val_none() : val_num(r->key),
		val_num(r->count),
		val_ticks(r->time),
		r->count ? val_ticks(mean(r->time, r->count)) : val_none(),
	};

	out_row(o, row);
	out_end(o);
}

static void put_preemptors(struct stat_view *view, const struct watch_vcpu *v,
			   bool all)
{
	struct kvmx_top_row others = { .key = 0 };
	unsigned int i;
	struct top t;

	preemptors_of(&v->source, &t);
	others.count = t.others_count;
	others.time = t.others_time;
	for (i = 0; i < t.nr; i++) {
		if (all || i < view->opts->top) {
			preemptor_row(view->out, v, &t.rows[i], false);
			continue;
		}
		others.count += t.rows[i].count;
		others.time += t.rows[i].time;
	}
	if (others.count || others.time)
		preemptor_row(view->out, v, &others, true);
	top_free(&t);
}

/* All of them for programs, below the vCPU that they took the CPU from. */
static void put_preemptor_list(struct stat_view *view,
			       const struct watch_vcpu *v)
{
	static const struct column columns[] = {
		{ NULL, NULL, 0, false },
		{ "name", NULL, 0, true },
		{ "tid", NULL, 0, false },
		{ "count", NULL, 0, false },
		{ "time", NULL, 0, false },
		{ "mean", NULL, 0, false },
	};

	out_table(view->out, "preemptors", columns, ARRAY_SIZE(columns));
	put_preemptors(view, v, true);
	out_end(view->out);
}

/* The top few for people, after the table of vCPUs. */
static void put_preemptor_table(struct stat_view *view,
				const struct watch_vm *vm)
{
	static const struct column columns[] = {
		{ NULL, "VCPU", 4, true },
		{ NULL, "CPU TAKEN BY", 16, true },
		{ NULL, "TID", 8, false },
		{ NULL, "COUNT", 8, false },
		{ NULL, "TIME", 7, false },
		{ NULL, "MEAN", 7, false },
	};
	unsigned int i;

	out_say(view->out, "%s", "");
	out_table(view->out, NULL, columns, ARRAY_SIZE(columns));
	for (i = 0; i < vm->nr_vcpus; i++)
		if (view_has_vcpu(view, &vm->vcpus[i]))
			put_preemptors(view, &vm->vcpus[i], false);
	out_end(view->out);
}

static void put_vcpus(struct stat_view *view, const struct watch_vm *vm,
		      const struct tally *each)
{
	struct column columns[COL_MAX];
	struct val row[COL_MAX];
	struct out *o = view->out;
	unsigned int i, nr;

	if (!vm->nr_vcpus)
		return;
	nr = make_columns(vm->vcpus[0].source.schema, columns);
	out_say(o, "%s", "");
	out_table(o, "vcpus", columns, nr);
	for (i = 0; i < vm->nr_vcpus; i++) {
		const struct watch_vcpu *v = &vm->vcpus[i];

		if (!view_has_vcpu(view, v))
			continue;
		make_row(vm, v, row, nr);
		out_row(o, row);
		out_field(o, "measured", NULL, val_ticks(tally_time(&each[i])));
		times_put(view, &each[i]);
		put_placed(o, &v->source);
		put_delays(o, &v->source);
		put_preemptor_list(view, v);
		sched_put_waste(view, v);
		sched_put_policy(view, vm, v);
		figures_put(view, &v->source);
		out_end(o);
	}
	out_end(o);
	put_preemptor_table(view, vm);
}

/* Time on a CPU, and time of wanting one. */
static void wants_of(const struct tally *t, __u64 *ran, __u64 *waited)
{
	unsigned int i;

	*ran = 0;
	*waited = 0;
	for (i = 0; i < t->nr_times; i++) {
		const char *class = t->times[i].class->name;

		if (!strcmp(class, "ready") || !strcmp(class, "throttled"))
			*waited += t->times[i].ticks;
		else if (!strcmp(class, "guest") || !strcmp(class, "exit") ||
			 !strcmp(class, "poll") || !strcmp(class, "user"))
			*ran += t->times[i].ticks;
	}
}

static void put_balance(struct stat_view *view, const struct watch_vm *vm,
			const struct tally *each)
{
	__u64 *ran = xcalloc(vm->nr_vcpus, sizeof(*ran));
	__u64 *waited = xcalloc(vm->nr_vcpus, sizeof(*waited));
	struct out *o = view->out;
	struct balance b;
	unsigned int i;
	char skew[32];

	for (i = 0; i < vm->nr_vcpus; i++)
		wants_of(&each[i], &ran[i], &waited[i]);
	balance_of(ran, waited, vm->nr_vcpus, &b);
	free(ran);
	free(waited);
	if (!b.nr)
		return;
	text_ns(skew, sizeof(skew), ticks_to_ns(b.skew, view->khz));
	if (b.skew)
		out_say(o, "fairness %.3f of %u vCPUs that wanted to run; skew %s: vCPU %u waited longest, vCPU %u least",
			b.fairness, b.nr, skew, b.most, b.least);
	else
		out_say(o, "fairness %.3f of %u vCPUs that wanted to run; no skew",
			b.fairness, b.nr);
	out_begin(o, "balance");
	out_field(o, "vcpus", NULL, val_num(b.nr));
	out_field(o, "fairness", NULL, val_permille(0, b.fairness));
	out_field(o, "skew", NULL, val_ticks(b.skew));
	out_field(o, "most_delayed", NULL, val_num(b.most));
	out_field(o, "least_delayed", NULL, val_num(b.least));
	out_end(o);
}

static void put_body(struct stat_view *view, const struct view_vm *what)
{
	struct watch_vm *vm = what->vm;

	view_split(view, vm, what->sum, what->each);
	if (view->opts->vcpu == NO_VCPU)
		put_balance(view, vm, what->each);
	put_vcpus(view, vm, what->each);
	sched_put_costs(view, vm);
	sched_put_polls(view, vm);
	sched_put_quotas(view, vm);
	sched_put_policies(view, vm);
	sched_put_threads(view, vm);
}

/**
 * sched_put_vm() - a VM, for kvmx sched
 * @view: how it is printed
 * @vm: the VM, with readings at begin and end
 */
void sched_put_vm(struct stat_view *view, struct watch_vm *vm)
{
	view_put_vm(view, vm, put_body);
}
