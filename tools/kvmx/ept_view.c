// SPDX-License-Identifier: GPL-2.0-only
/* The second level of page tables: violations, and what is mapped. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ept_view.h"
#include "text.h"
#include "util.h"

static __u64 base_of(const struct source *s, const struct figure *f)
{
	return s->base.data ? s->base.data[f->at] : 0;
}

__u64 ept_rise(const struct source *s, const char *name)
{
	const struct figure *f = schema_find(s->schema, name);

	return f ? delta(s->last.data[f->at], base_of(s, f)) : 0;
}

struct val ept_rise_val(const struct source *s, const char *name)
{
	const struct figure *f = schema_find(s->schema, name);

	return f ? val_labelled(val_num(ept_rise(s, name)), figure_label(f)) :
		   val_none();
}

bool ept_hist(const struct source *s, const char *name, struct hist *h)
{
	const struct figure *f = schema_find(s->schema, name);
	struct hist base;

	if (!f)
		return false;
	hist_set(h, &s->last.data[f->at], f->size);
	if (s->base.data) {
		hist_set(&base, &s->base.data[f->at], f->size);
		hist_sub(h, &base);
	}
	return true;
}

struct val ept_rate(const struct stat_view *view, __u64 n, __u64 measured)
{
	__u64 ticks = (__u64)view->khz * 1000;

	if (!measured)
		return val_none();
	return val_num((__u64)((unsigned __int128)n * ticks / measured));
}

/* Figures "mmu.BY.WHAT", whatever BY and WHAT are called. */
static const char * const ways[] = { "access", "cause", "outcome" };

static const char *what_of(const struct figure *f, const char *by)
{
	size_t len = strlen(by);

	if (strncmp(f->name, "mmu.", 4) || strncmp(f->name + 4, by, len) ||
	    f->name[4 + len] != '.')
		return NULL;
	return f->name + 4 + len + 1;
}

static __u64 all_by(const struct source *s, const char *by)
{
	__u64 sum = 0;
	unsigned int i;

	for (i = 0; i < s->schema->nr_figures; i++) {
		const struct figure *f = &s->schema->figures[i];

		if (what_of(f, by))
			sum += ept_rise(s, f->name);
	}
	return sum;
}

static void put_way(struct stat_view *view, const struct source *s,
		    const char *by, __u64 measured)
{
	__u64 all = all_by(s, by);
	unsigned int i;

	for (i = 0; i < s->schema->nr_figures; i++) {
		const struct figure *f = &s->schema->figures[i];
		const char *what = what_of(f, by);

		if (!what)
			continue;

		const struct val row[] = {
			val_str(by),
			val_str(what),
			ept_rise_val(s, f->name),
			all ? val_share(ept_rise(s, f->name), all) : val_none(),
			ept_rate(view, ept_rise(s, f->name), measured),
		};

		out_row(view->out, row);
		out_end(view->out);
	}
}

static void put_violations(struct stat_view *view, const struct source *s,
			   __u64 measured)
{
	static const struct column columns[] = {
		{ "by", "BY", 8, true },
		{ "what", "VIOLATIONS", 16, true },
		{ "count", "COUNT", 10, false },
		{ "share", "SHARE", 6, false },
		{ "per_second", "PER_S", 9, false },
	};
	unsigned int i;

	out_table(view->out, "violations", columns, ARRAY_SIZE(columns));
	for (i = 0; i < ARRAY_SIZE(ways); i++)
		put_way(view, s, ways[i], measured);
	out_end(view->out);
	out_field(view->out, "page_walk", NULL,
		  ept_rise_val(s, "mmu.page_walk"));
	out_field(view->out, "fast", NULL, ept_rise_val(s, "mmu.fast"));
	if (schema_find(s->schema, "mmu.fast"))
		out_say(view->out,
			"%llu in walks of the guest's page tables; %llu handled without KVM's MMU lock",
			ept_rise(s, "mmu.page_walk"), ept_rise(s, "mmu.fast"));
}

/* How long violations on memory took, from exit to entry. */
static void put_handling(struct stat_view *view, const struct source *s)
{
	static const struct column columns[] = {
		{ "completed", "HANDLED", 10, true },
		{ "total", "TOTAL", 7, false },
		{ "mean", "MEAN", 7, false },
		{ "p50", "P50", 8, false },
		{ "p99", "P99", 8, false },
		{ "max", "MAX", 8, false },
		{ "hist", NULL, 0, false },
	};
	__u64 time = ept_rise(s, "mmu.time"), nr;
	struct hist h;

	if (!ept_hist(s, "mmu.hist", &h))
		return;
	nr = hist_sum(&h);

	const struct val row[] = {
		val_num(nr),
		val_ticks(time),
		nr ? val_ticks(mean(time, nr)) : val_none(),
		val_bound(hist_percentile(&h, 50)),
		val_bound(hist_percentile(&h, 99)),
		val_bound(hist_longest(&h)),
		val_list(h.bucket, h.nr),
	};

	out_table(view->out, "handling", columns, ARRAY_SIZE(columns));
	out_row(view->out, row);
	out_end(view->out);
	out_end(view->out);
}

/* Sizes of pages that the module may tell of, in bytes. */
static const struct page_size {
	const char *figure;
	const char *name;
	__u64 bytes;
} sizes[] = {
	{ "mmu.pages.4k", "4K", 4096 },
	{ "mmu.pages.2m", "2M", 2 << 20 },
	{ "mmu.pages.1g", "1G", 1 << 30 },
};

static __u64 last_of(const struct source *s, const char *name)
{
	const struct figure *f = schema_find(s->schema, name);

	return f ? s->last.data[f->at] : 0;
}

static __u64 mapped_bytes(const struct source *s, unsigned int from)
{
	__u64 sum = 0;
	unsigned int i;

	for (i = from; i < ARRAY_SIZE(sizes); i++)
		sum += last_of(s, sizes[i].figure) * sizes[i].bytes;
	return sum;
}

static void put_pages(struct stat_view *view, const struct source *s)
{
	static const struct column columns[] = {
		{ "size", "PAGES", 6, true },
		{ "pages", "MAPPED", 10, false },
		{ "change", "CHANGE", 10, false },
		{ "bytes", "BYTES", 8, false },
		{ "share", "SHARE", 6, false },
	};
	__u64 all = mapped_bytes(s, 0);
	unsigned int i;

	out_table(view->out, "pages", columns, ARRAY_SIZE(columns));
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		const struct figure *f = schema_find(s->schema,
						     sizes[i].figure);
		__u64 n = last_of(s, sizes[i].figure);

		if (!f)
			continue;

		const struct val row[] = {
			val_str(sizes[i].name),
			val_labelled(val_num(n), figure_label(f)),
			val_change(base_of(s, f), n),
			val_bytes(n * sizes[i].bytes),
			all ? val_share(n * sizes[i].bytes, all) : val_none(),
		};

		out_row(view->out, row);
		out_end(view->out);
	}
	out_end(view->out);
}

/* What was done to them; what KVM does not say whose it is comes last. */
static void put_operations(struct stat_view *view, const struct source *s,
			   __u64 measured)
{
	static const struct column columns[] = {
		{ "what", "OPERATIONS", 24, true },
		{ "count", "COUNT", 10, false },
		{ "per_second", "PER_S", 9, false },
	};
	unsigned int i;

	if (!schema_find(s->schema, "mmu.op.mapped"))
		return;
	out_table(view->out, "operations", columns, ARRAY_SIZE(columns));
	for (i = 0; i < s->schema->nr_figures; i++) {
		const struct figure *f = &s->schema->figures[i];
		const char *what = what_of(f, "op");

		if (!what)
			continue;

		const struct val row[] = {
			val_str(strcmp(what, "unattributed") ? what :
				view->opts->format == OUT_TEXT ?
				"(unattributed, all VMs)" : what),
			ept_rise_val(s, f->name),
			ept_rate(view, ept_rise(s, f->name), measured),
		};

		out_row(view->out, row);
		out_end(view->out);
	}
	out_end(view->out);
}

static void say_tables(struct stat_view *view, const struct source *s)
{
	char text[32];

	if (!schema_find(s->schema, "mmu.pages.tables"))
		return;
	text_bytes(text, sizeof(text), last_of(s, "mmu.pages.tables"));
	out_say(view->out, "page tables: %s", text);
	out_field(view->out, "tables", NULL,
		  val_bytes(last_of(s, "mmu.pages.tables")));
}

static void put_mapped(struct stat_view *view, const struct source *s)
{
	__u64 all = mapped_bytes(s, 0);

	if (!schema_find(s->schema, "mmu.pages.4k"))
		return;
	out_say(view->out, "%s", "");
	if (!last_of(s, "mmu.pages.read_at")) {
		out_say(view->out,
			"what is mapped is not known: the VMM has no file of the VM open");
		return;
	}
	put_pages(view, s);
	out_field(view->out, "huge_share", NULL,
		  all ? val_share(mapped_bytes(s, 1), all) : val_none());
	say_tables(view, s);
}

/* How the processor walks them. */
static void put_walk(struct stat_view *view, const struct source *s)
{
	__u64 levels = last_of(s, "mmu.walk.levels");
	bool ad = last_of(s, "mmu.walk.ad");
	const struct figure *pml = schema_find(s->schema, "mmu.walk.pml");
	struct out *o = view->out;

	if (!schema_find(s->schema, "mmu.walk.levels"))
		return;
	out_begin(o, "walk");
	out_field(o, "levels", NULL, val_num(levels));
	out_field(o, "accessed_dirty", NULL, val_bool(ad));
	if (pml)
		out_field(o, "pml", NULL, val_bool(last_of(s, pml->name)));
	out_end(o);
	if (!levels) {
		out_say(o, "walk: not seen yet, or shadow paging");
		return;
	}
	out_say(o, "walk: %llu levels, %saccessed and dirty bits, page-modification log %s",
		levels, ad ? "" : "no ", !pml ? "not on AMD" :
		last_of(s, pml->name) ? "on" : "off");
}

static void put_source(struct stat_view *view, const struct source *s,
		       __u64 measured)
{
	put_violations(view, s, measured);
	put_handling(view, s);
	put_operations(view, s, measured);
	put_mapped(view, s);
	put_walk(view, s);
	ept_put_io(view, s, measured);
	ept_put_lists(view, s);
	figures_put(view, s);
}

static void put_whole(struct stat_view *view, const struct watch_vm *vm,
		      __u64 measured)
{
	put_source(view, &vm->whole, measured);
	ept_put_backing(view, vm);
}

static void put_vcpu(struct stat_view *view, const struct view_vm *what,
		     unsigned int i)
{
	put_source(view, &what->vm->vcpus[i].source,
		   tally_time(&what->each[i]));
}

static void put_body(struct stat_view *view, const struct view_vm *what)
{
	if (view->opts->vcpu == NO_VCPU)
		put_whole(view, what->vm, what->measured);
	view_put_vcpus(view, what, put_vcpu);
}

/**
 * ept_put_vm() - a VM, for kvmx ept
 * @view: how it is printed
 * @vm: the VM, with readings at begin and end
 */
void ept_put_vm(struct stat_view *view, struct watch_vm *vm)
{
	view_put_vm(view, vm, put_body);
}
