// SPDX-License-Identifier: GPL-2.0-only
/* Tags of TLB entries, and who has the same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ept_view.h"
#include "util.h"
#include "vpid_view.h"

/**
 * struct tag - under what a vCPU's TLB entries are kept
 * @known: it has been read
 * @number: VPID or ASID; 0: none
 * @cpu: where it was used last
 * @per_cpu: it means something on that CPU only (AMD)
 * @generation: of that CPU's numbers; 0: the number is the VM's for good
 */
struct tag {
	bool known;
	__u64 number;
	__u64 cpu;
	bool per_cpu;
	__u64 generation;
};

static __u64 last_of(const struct source *s, const char *name)
{
	const struct figure *f = schema_find(s->schema, name);

	return f ? s->last.data[f->at] : 0;
}

static void tag_of(const struct source *s, struct tag *t)
{
	memset(t, 0, sizeof(*t));
	t->known = last_of(s, "tlb.tag.since");
	t->number = last_of(s, "tlb.tag.number");
	t->cpu = last_of(s, "tlb.tag.cpu");
	t->per_cpu = schema_find(s->schema, "tlb.tag.generation");
	t->generation = last_of(s, "tlb.tag.generation");
}

/*
 * VMX gives each number once, for all CPUs. SVM gives it anew on each CPU, and
 * from time to time all over again; the vCPUs of an encrypted guest have one in
 * common, which belongs to no generation.
 */
static bool same_tag(const struct tag *a, const struct tag *b)
{
	if (!a->known || !b->known || !a->number || a->number != b->number)
		return false;
	if (!a->per_cpu || (!a->generation && !b->generation))
		return true;
	return a->cpu == b->cpu && a->generation == b->generation;
}

/* Who of those that are measured has the same tag, as VM:VCPU. */
static unsigned int sharers(const struct stat_view *view,
			    const struct watch_vcpu *v, char *buf, size_t size)
{
	const struct watch *w = view->watch;
	unsigned int i, j, nr = 0;
	struct tag mine, other;
	size_t at = 0;

	buf[0] = '\0';
	tag_of(&v->source, &mine);
	for (i = 0; i < w->nr_vms; i++) {
		const struct watch_vm *vm = w->vms[i];

		for (j = 0; !vm->gone && j < vm->nr_vcpus; j++) {
			const struct watch_vcpu *o = &vm->vcpus[j];

			tag_of(&o->source, &other);
			if (o == v || !same_tag(&mine, &other))
				continue;
			if (at < size)
				at += (size_t)snprintf(buf + at, size - at,
					"%s%llu:%u", nr ? ", " : "",
					vm->info.id, o->info.index);
			nr++;
		}
	}
	return nr;
}

static const char *sharers_text(const struct stat_view *view,
				const struct watch_vcpu *v, char *buf,
				size_t size)
{
	struct tag t;

	tag_of(&v->source, &t);
	if (!t.known)
		return "-";
	if (!t.number)
		return "(no tag)";
	return sharers(view, v, buf, size) ? buf : "nobody";
}

/**
 * vpid_put_tags() - a line for each vCPU: its tag, and the sums of the rest
 * @view: how it is printed
 * @vm: the VM
 * @each: what was measured of its vCPUs
 */
void vpid_put_tags(struct stat_view *view, const struct watch_vm *vm,
		   const struct tally *each)
{
	static const struct column columns[] = {
		{ "index", "VCPU", 4, true },
		{ "tag", "TAG", 6, false },
		{ "cpu", "CPU", 4, false },
		{ "generation", "GEN", 6, false },
		{ "changes", "CHANGES", 8, false },
		{ "flushes", "FLUSHES", 8, false },
		{ "per_second", "PER_S", 7, false },
		{ "returns", "BACK", 7, false },
		{ "kept", "KEPT", 6, false },
		{ "shared_with", "SHARED VM:VCPU", 0, true },
	};
	char text[256];
	unsigned int i;

	out_say(view->out, "%s", "");
	out_table(view->out, "tags", columns, ARRAY_SIZE(columns));
	for (i = 0; i < vm->nr_vcpus; i++) {
		const struct watch_vcpu *v = &vm->vcpus[i];
		const struct source *s = &v->source;
		struct returns r;
		struct tag t;

		if (!view_has_vcpu(view, v))
			continue;
		tag_of(s, &t);
		vpid_returns(s, &r);

		const struct val row[] = {
			val_num(v->info.index),
			t.known ? val_num(t.number) : val_none(),
			t.known ? val_num(t.cpu) : val_none(),
			t.known && t.per_cpu ? val_num(t.generation) :
					       val_none(),
			ept_rise_val(s, "tlb.tag.changes"),
			ept_rise_val(s, "tlb.flushes"),
			ept_rate(view, ept_rise(s, "tlb.flushes"),
				 tally_time(&each[i])),
			r.known ? val_num(r.all) : val_none(),
			r.all ? val_share(r.kept, r.all) : val_none(),
			val_str(sharers_text(view, v, text, sizeof(text))),
		};

		out_row(view->out, row);
		out_end(view->out);
	}
	out_end(view->out);
	if (view->opts->selection.by != SELECT_ALL)
		out_say(view->out, "shared: only the VM that was chosen is looked at");
}

/**
 * vpid_put_tag() - the tag of a vCPU, in its object
 * @view: how it is printed
 * @vm: its VM
 * @v: the vCPU
 */
void vpid_put_tag(struct stat_view *view, const struct watch_vm *vm,
		  const struct watch_vcpu *v)
{
	struct out *o = view->out;
	struct tag t;

	(void)vm;
	tag_of(&v->source, &t);
	if (!t.known)
		return;
	out_begin(o, "tag");
	out_field(o, "number", NULL, val_num(t.number));
	out_field(o, "cpu", NULL, val_num(t.cpu));
	if (t.per_cpu)
		out_field(o, "generation", NULL, val_num(t.generation));
	out_end(o);
}
