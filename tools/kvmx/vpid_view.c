// SPDX-License-Identifier: GPL-2.0-only
/* Flushes of TLBs by kind and cause, and whether they kept their entries. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ept_view.h"
#include "util.h"
#include "vpid_view.h"

#define KIND	"tlb.kind."
#define CAUSE	"tlb.cause."
#define ALSO	"tlb.also."
#define KEPT	"tlb.kept."
#define LOST	"tlb.lost."

/* What is behind @prefix in the name of a figure; NULL: it begins otherwise. */
static const char *behind(const struct figure *f, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(f->name, prefix, len) ? NULL : f->name + len;
}

static const char *join(char *buf, size_t size, const char *prefix,
			const char *name)
{
	snprintf(buf, size, "%s%s", prefix, name);
	return buf;
}

void vpid_returns(const struct source *s, struct returns *r)
{
	unsigned int i;

	memset(r, 0, sizeof(*r));
	for (i = 0; i < s->schema->nr_figures; i++) {
		const struct figure *f = &s->schema->figures[i];

		if (!behind(f, KEPT) && !behind(f, LOST))
			continue;
		r->known = true;
		r->all += ept_rise(s, f->name);
		if (behind(f, KEPT))
			r->kept += ept_rise(s, f->name);
	}
}

static void put_kinds(struct stat_view *view, const struct source *s,
		      __u64 measured)
{
	static const struct column columns[] = {
		{ "kind", "FLUSHES", 16, true },
		{ "count", "COUNT", 10, false },
		{ "share", "SHARE", 6, false },
		{ "per_second", "PER_S", 9, false },
	};
	__u64 all = ept_rise(s, "tlb.flushes");
	unsigned int i;

	out_table(view->out, "kinds", columns, ARRAY_SIZE(columns));
	for (i = 0; i < s->schema->nr_figures; i++) {
		const struct figure *f = &s->schema->figures[i];
		__u64 n = ept_rise(s, f->name);

		if (!behind(f, KIND))
			continue;

		const struct val row[] = {
			val_str(behind(f, KIND)),
			ept_rise_val(s, f->name),
			all ? val_share(n, all) : val_none(),
			ept_rate(view, n, measured),
		};

		out_row(view->out, row);
		out_end(view->out);
	}
	out_end(view->out);
}

static void put_causes(struct stat_view *view, const struct source *s,
		       __u64 measured)
{
	static const struct column columns[] = {
		{ "cause", "CAUSE", 16, true },
		{ "count", "COUNT", 10, false },
		{ "share", "SHARE", 6, false },
		{ "per_second", "PER_S", 9, false },
		{ "also", "ALSO", 10, false },
	};
	__u64 all = ept_rise(s, "tlb.flushes");
	char also[KVMX_STAT_NAME_LEN * 2];
	unsigned int i;

	out_table(view->out, "causes", columns, ARRAY_SIZE(columns));
	for (i = 0; i < s->schema->nr_figures; i++) {
		const struct figure *f = &s->schema->figures[i];
		const char *cause = behind(f, CAUSE);
		__u64 n = ept_rise(s, f->name);

		if (!cause)
			continue;

		const struct val row[] = {
			val_str(cause),
			ept_rise_val(s, f->name),
			all ? val_share(n, all) : val_none(),
			ept_rate(view, n, measured),
			ept_rise_val(s, join(also, sizeof(also), ALSO, cause)),
		};

		out_row(view->out, row);
		out_end(view->out);
	}
	out_end(view->out);
}

static void put_retention(struct stat_view *view, const struct source *s)
{
	static const struct column columns[] = {
		{ "distance", "BACK ON", 16, true },
		{ "returns", "TIMES", 10, false },
		{ "kept", "KEPT", 10, false },
		{ "lost", "LOST", 10, false },
		{ "share", "KEPT", 6, false },
	};
	char name[KVMX_STAT_NAME_LEN * 2];
	struct returns r;
	unsigned int i;

	vpid_returns(s, &r);
	if (!r.known)
		return;
	out_table(view->out, "retention", columns, ARRAY_SIZE(columns));
	for (i = 0; i < s->schema->nr_figures; i++) {
		const struct figure *f = &s->schema->figures[i];
		const char *where = behind(f, KEPT);
		__u64 kept = ept_rise(s, f->name), lost;

		if (!where)
			continue;
		join(name, sizeof(name), LOST, where);
		lost = ept_rise(s, name);

		const struct val row[] = {
			val_str(where),
			val_num(kept + lost),
			ept_rise_val(s, f->name),
			ept_rise_val(s, name),
			kept + lost ? val_share(kept, kept + lost) : val_none(),
		};

		out_row(view->out, row);
		out_end(view->out);
	}
	out_end(view->out);
}

static void put_source(struct stat_view *view, const struct source *s,
		       __u64 measured)
{
	__u64 missed = ept_rise(s, "tlb.missed");

	out_say(view->out, "%s", "");
	put_kinds(view, s, measured);
	put_causes(view, s, measured);
	put_retention(view, s);
	out_field(view->out, "flushes", NULL, ept_rise_val(s, "tlb.flushes"));
	out_field(view->out, "sibling_ran", NULL,
		  ept_rise_val(s, "tlb.sibling_ran"));
	out_field(view->out, "missed", NULL, ept_rise_val(s, "tlb.missed"));
	if (missed)
		out_say(view->out,
			"%llu more flushes were counted by KVM and seen by no probe",
			missed);
	figures_put(view, s);
}

static void put_vcpu(struct stat_view *view, const struct view_vm *what,
		     unsigned int i)
{
	const struct watch_vcpu *v = &what->vm->vcpus[i];

	vpid_put_tag(view, what->vm, v);
	put_source(view, &v->source, tally_time(&what->each[i]));
}

static void put_body(struct stat_view *view, const struct view_vm *what)
{
	vpid_put_tags(view, what->vm, what->each);
	if (view->opts->vcpu == NO_VCPU)
		put_source(view, &what->vm->whole, what->measured);
	view_put_vcpus(view, what, put_vcpu);
}

/**
 * vpid_put_vm() - a VM, for kvmx vpid
 * @view: how it is printed
 * @vm: the VM, with readings at begin and end
 */
void vpid_put_vm(struct stat_view *view, struct watch_vm *vm)
{
	view_put_vm(view, vm, put_body);
}
