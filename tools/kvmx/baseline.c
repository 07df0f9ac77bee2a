// SPDX-License-Identifier: GPL-2.0-only
/*
 * Before and after: what was measured is saved as JSON, and compared with what
 * was saved. Both are documents of the same kind, so this knows nothing of how
 * they are made.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>

#include "stat.h"
#include "text.h"
#include "util.h"

static struct json_object *at(struct json_object *j, const char *key)
{
	struct json_object *v = NULL;

	if (j)
		json_object_object_get_ex(j, key, &v);
	return v;
}

/* The last document of a file: of several intervals, the last one. */
static struct json_object *load(const char *path)
{
	struct json_object *j = NULL;
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;

	if (!f)
		fail(EX_FAILED, "cannot read %s: %s", path, strerror(errno));
	while (getline(&line, &size, f) > 0) {
		json_object_put(j);
		j = json_tokener_parse(line);
	}
	free(line);
	fclose(f);
	if (!json_object_is_type(at(j, "vms"), json_type_array))
		fail(EX_FAILED, "%s is not what --save or --json writes", path);
	return j;
}

/* Before anything is measured: what cannot be compared or saved is told now. */
void baseline_begin(struct stat_view *view)
{
	const struct stat_options *opts = view->opts;
	FILE *f;

	if (!opts->save && !opts->baseline)
		return;
	view->mirror = out_mirror();
	out_clock(view->mirror, view->khz);
	if (opts->baseline)
		view->baseline = load(opts->baseline);
	if (!opts->save)
		return;
	f = fopen(opts->save, "we");
	if (!f || fclose(f))
		fail(EX_FAILED, "cannot write %s: %s", opts->save,
		     strerror(errno));
}

static void save(const struct stat_view *view)
{
	struct json_object *now = out_document(view->mirror);
	const char *text = json_object_to_json_string_ext(now,
							  JSON_C_TO_STRING_PLAIN);
	FILE *f = fopen(view->opts->save, "ae");
	bool ok = f && fprintf(f, "%s\n", text) > 0;

	if (f && fclose(f))
		ok = false;
	if (!ok)
		fail(EX_FAILED, "cannot write %s: %s", view->opts->save,
		     strerror(errno));
}

static bool same_name(struct json_object *a, struct json_object *b)
{
	const char *x = json_object_get_string(at(a, "name"));
	const char *y = json_object_get_string(at(b, "name"));

	return x && y && !strcmp(x, y);
}

/* The same VM; else the only one, if there is one on both sides. */
static struct json_object *vm_before(struct json_object *all,
				     struct json_object *vm, size_t nr_now)
{
	size_t i, nr = json_object_array_length(all);

	for (i = 0; i < nr; i++) {
		struct json_object *b = json_object_array_get_idx(all, i);

		if (json_object_get_int64(at(b, "pid")) ==
		    json_object_get_int64(at(vm, "pid")) && same_name(b, vm))
			return b;
	}
	return nr == 1 && nr_now == 1 ? json_object_array_get_idx(all, 0) : NULL;
}

static struct json_object *vcpu_before(struct json_object *vm, int64_t index)
{
	struct json_object *all = at(vm, "vcpus");
	size_t i;

	for (i = 0; all && i < json_object_array_length(all); i++) {
		struct json_object *v = json_object_array_get_idx(all, i);

		if (json_object_get_int64(at(v, "index")) == index)
			return v;
	}
	return NULL;
}

enum kind { SHARE, RATE, NS };

/* A row: with @kind of value, on both sides. */
static void put_row(struct out *o, int64_t vcpu, const char *figure,
		    enum kind kind, double before, double now)
{
	char change[32];
	struct val row[5] = { val_num((__u64)vcpu), val_str(figure) };

	if (kind == SHARE) {
		row[2] = val_share((__u64)(before * 1e6), 1000000);
		row[3] = val_share((__u64)(now * 1e6), 1000000);
		snprintf(change, sizeof(change), "%+.1f points",
			 (now - before) * 100);
	} else {
		row[2] = kind == RATE ? val_rate(before) : val_ns((__u64)before);
		row[3] = kind == RATE ? val_rate(now) : val_ns((__u64)now);
		if (before > 0)
			snprintf(change, sizeof(change), "%+.0f%%",
				 (now - before) * 100 / before);
		else
			snprintf(change, sizeof(change), "%s", now > 0 ? "new" : "");
	}
	row[4] = val_str(change);
	out_row(o, row);
	out_end(o);
}

/* Both sides have a number at this key. */
static bool both(struct json_object *a, struct json_object *b, const char *key,
		 double *x, double *y)
{
	if (!at(a, key) || !at(b, key))
		return false;
	*x = json_object_get_double(at(a, key));
	*y = json_object_get_double(at(b, key));
	return true;
}

static void put_rate(struct out *o, int64_t vcpu, const char *name,
		     struct json_object *a, struct json_object *b,
		     double a_ns, double b_ns)
{
	double x, y;

	if (both(a, b, "value", &x, &y) && a_ns > 0 && b_ns > 0)
		put_row(o, vcpu, name, RATE, x * 1e9 / a_ns, y * 1e9 / b_ns);
}

static void put_vcpu(struct out *o, struct json_object *before,
		     struct json_object *now)
{
	int64_t vcpu = json_object_get_int64(at(now, "index"));
	static const char * const counters[] = { "voluntary", "involuntary" };
	double a_ns, b_ns, x, y;
	unsigned int i;

	if (!at(now, "time") ||
	    !both(at(before, "measured"), at(now, "measured"), "ns", &a_ns,
		  &b_ns))
		return;
	json_object_object_foreach(at(now, "time"), class, time)
		if (both(at(at(before, "time"), class), time, "share", &x, &y))
			put_row(o, vcpu, class, SHARE, x, y);
	for (i = 0; i < ARRAY_SIZE(counters); i++)
		put_rate(o, vcpu, counters[i], at(before, counters[i]),
			 at(now, counters[i]), a_ns, b_ns);
	if (at(now, "placed")) {
		json_object_object_foreach(at(now, "placed"), place, figure)
			put_rate(o, vcpu, place, at(at(before, "placed"), place),
				 figure, a_ns, b_ns);
	}
	if (both(at(at(before, "delay"), "p99"), at(at(now, "delay"), "p99"),
		 "ns", &x, &y))
		put_row(o, vcpu, "delay p99", NS, x, y);
}

static void put_vm(struct out *o, struct json_object *before,
		   struct json_object *now)
{
	static const struct column columns[] = {
		{ "vcpu", "VCPU", 4, true },
		{ "figure", "FIGURE", 16, true },
		{ "before", "BEFORE", 10, false },
		{ "now", "NOW", 10, false },
		{ "change", "CHANGE", 14, false },
	};
	struct json_object *all = at(now, "vcpus");
	size_t i;

	out_begin(o, NULL);
	out_say(o, "%s", "");
	out_say(o, "VM %lld, compared with the baseline (VM %lld, pid %lld)",
		(long long)json_object_get_int64(at(now, "id")),
		(long long)json_object_get_int64(at(before, "id")),
		(long long)json_object_get_int64(at(before, "pid")));
	out_field(o, "id", NULL,
		  val_num((__u64)json_object_get_int64(at(now, "id"))));
	out_table(o, "figures", columns, ARRAY_SIZE(columns));
	for (i = 0; all && i < json_object_array_length(all); i++) {
		struct json_object *v = json_object_array_get_idx(all, i), *b;

		b = vcpu_before(before, json_object_get_int64(at(v, "index")));
		if (b)
			put_vcpu(o, b, v);
	}
	out_end(o);
	out_end(o);
}

/* After what was measured, what it was before, if there is something. */
void baseline_put(struct stat_view *view)
{
	struct json_object *now = at(out_document(view->mirror), "vms");
	struct json_object *before = at(view->baseline, "vms");
	size_t i, nr = json_object_array_length(now);

	if (view->opts->save)
		save(view);
	if (!before)
		return;
	out_list(view->out, "compared");
	for (i = 0; i < nr; i++) {
		struct json_object *vm = json_object_array_get_idx(now, i);
		struct json_object *b = vm_before(before, vm, nr);

		if (b)
			put_vm(view->out, b, vm);
		else
			out_say(view->out, "VM %lld is not in the baseline",
				(long long)json_object_get_int64(at(vm, "id")));
	}
	out_end(view->out);
}
