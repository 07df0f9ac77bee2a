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

#include "compare.h"
#include "stat.h"
#include "util.h"

static struct json_object *parse(const char *path, const char *line,
				 unsigned int nr)
{
	enum json_tokener_error err;
	struct json_object *j = json_tokener_parse_verbose(line, &err);

	if (err != json_tokener_success)
		fail(EX_FAILED, "%s is broken: line %u is not JSON (%s)", path,
		     nr, json_tokener_error_desc(err));
	return j;
}

/* The last document of a file: of several intervals, the last one. */
static struct json_object *last_of(const char *path)
{
	struct json_object *j = NULL;
	FILE *f = fopen(path, "re");
	unsigned int nr = 0;
	char *line = NULL;
	size_t size = 0;

	if (!f)
		fail(EX_FAILED, "cannot read %s: %s", path, strerror(errno));
	while (getline(&line, &size, f) > 0) {
		json_object_put(j);
		j = parse(path, line, ++nr);
	}
	if (ferror(f))
		fail(EX_FAILED, "cannot read %s: %s", path, strerror(errno));
	free(line);
	fclose(f);
	if (!nr)
		fail(EX_FAILED, "%s is empty", path);
	return j;
}

/* Only what the same subcommand measured can be compared. */
static struct json_object *load(const char *path, const char *cmd)
{
	struct json_object *j = last_of(path);
	const char *whose = json_object_get_string(json_at(j, "subcommand"));

	if (!whose || !json_object_is_type(json_at(j, "vms"), json_type_array))
		fail(EX_FAILED, "%s is not what --save or --json writes", path);
	if (strcmp(whose, cmd))
		fail(EX_FAILED, "%s is from kvmx %s, and has nothing for kvmx %s",
		     path, whose, cmd);
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
		view->baseline = load(opts->baseline, opts->cmd);
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
	const char *x = json_object_get_string(json_at(a, "name"));
	const char *y = json_object_get_string(json_at(b, "name"));

	return x && y && !strcmp(x, y);
}

/* The same VM; else the only one, if there is one on both sides. */
static struct json_object *vm_before(struct json_object *all,
				     struct json_object *vm, size_t nr_now)
{
	size_t i, nr = json_object_array_length(all);

	for (i = 0; i < nr; i++) {
		struct json_object *b = json_object_array_get_idx(all, i);

		if (json_object_get_int64(json_at(b, "pid")) ==
		    json_object_get_int64(json_at(vm, "pid")) && same_name(b, vm))
			return b;
	}
	return nr == 1 && nr_now == 1 ? json_object_array_get_idx(all, 0) : NULL;
}

static void put_vm(struct out *o, struct json_object *before,
		   struct json_object *now)
{
	out_begin(o, NULL);
	out_say(o, "%s", "");
	out_say(o, "VM %lld, compared with the baseline (VM %lld, pid %lld)",
		(long long)json_object_get_int64(json_at(now, "id")),
		(long long)json_object_get_int64(json_at(before, "id")),
		(long long)json_object_get_int64(json_at(before, "pid")));
	out_field(o, "id", NULL,
		  val_num((__u64)json_object_get_int64(json_at(now, "id"))));
	compare_vm(o, before, now);
	out_end(o);
}

/* After what was measured, what it was before, if there is something. */
void baseline_put(struct stat_view *view)
{
	struct json_object *now = json_at(out_document(view->mirror), "vms");
	struct json_object *before = json_at(view->baseline, "vms");
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
				(long long)json_object_get_int64(json_at(vm, "id")));
	}
	out_end(view->out);
}
