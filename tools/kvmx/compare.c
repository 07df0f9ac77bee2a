// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two measurements of a virtual machine, side by side. Both are documents of the
 * same kind; what is worth comparing in one is in a table below, whatever
 * subcommand it is from.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>

#include "compare.h"

enum kind { SHARE, RATE, NS, BYTES, COUNT };

/**
 * struct rule - figures that are compared
 * @in: where they are: an object or array of such that have @value, or, without
 *	@value, the figure itself
 * @by: of an array the fields that name an element, separated by a blank; an
 *	object's are named by their keys
 * @value: where the number is in an element
 * @name: of the figure; with @value it goes behind the element's name
 * @kind: of number
 */
static const struct rule {
	const char *in;
	const char *by;
	const char *value;
	const char *name;
	enum kind kind;
} rules[] = {
	{ "time", NULL, "share", "", SHARE },
	{ "voluntary/value", NULL, NULL, "voluntary", RATE },
	{ "involuntary/value", NULL, NULL, "involuntary", RATE },
	{ "placed", NULL, "value", "", RATE },
	{ "delay/p99/ns", NULL, NULL, "delay p99", NS },
	{ "total/count/value", NULL, NULL, "all exits", RATE },
	{ "total/mean/ns", NULL, NULL, "all exits, mean", NS },
	{ "exits", "reason", "count/value", "", RATE },
	{ "exits", "reason", "mean/ns", ", mean", NS },
	{ "flushes/value", NULL, NULL, "flushes", RATE },
	{ "causes", "cause", "count/value", "", RATE },
	{ "retention", "distance", "share", " kept", SHARE },
	{ "violations", "by what", "count/value", "", RATE },
	{ "handling/0/mean/ns", NULL, NULL, "handling, mean", NS },
	{ "handling/0/p99/ns", NULL, NULL, "handling, p99", NS },
	{ "operations", "what", "count/value", " pages", RATE },
	{ "pages", "size", "pages/value", " pages", COUNT },
	{ "huge_share", NULL, NULL, "in huge pages", SHARE },
	{ "tables", NULL, NULL, "page tables", BYTES },
	{ "io", "kind", "count", "", RATE },
	{ "io", "kind", "mean/ns", ", mean", NS },
	{ "backing/resident", NULL, NULL, "resident", BYTES },
	{ "backing/thp", NULL, NULL, "in THP", BYTES },
	{ "backing/swap", NULL, NULL, "swapped out", BYTES },
};

/* The two sides, and where what is found goes. */
struct sides {
	struct out *o;
	const char *vcpu;	/* for people */
	struct val index;	/* for programs; none of a whole VM */
	struct json_object *before, *now;
	double before_ns, now_ns;
};

/* One step of a path. */
static struct json_object *step(struct json_object *j, const char *key)
{
	struct json_object *v = NULL;

	if (json_object_is_type(j, json_type_array))
		return json_object_array_get_idx(j, strtoul(key, NULL, 10));
	if (json_object_is_type(j, json_type_object))
		json_object_object_get_ex(j, key, &v);
	return v;
}

struct json_object *json_at(struct json_object *j, const char *path)
{
	char key[32];

	while (j && *path) {
		size_t len = strcspn(path, "/");

		snprintf(key, sizeof(key), "%.*s", (int)len, path);
		j = step(j, key);
		path += len + (path[len] == '/');
	}
	return j;
}

static struct val val_of(enum kind kind, double x)
{
	switch (kind) {
	case SHARE:
		return val_share((__u64)(x * 1e6), 1000000);
	case RATE:
		return val_rate(x);
	case NS:
		return val_ns((__u64)x);
	case BYTES:
		return val_bytes((__u64)x);
	case COUNT:
		break;
	}
	return val_num((__u64)x);
}

/* Without a minus in front of what is rounded to nothing. */
static double percent(double before, double now)
{
	double change = (now - before) * 100 / before;

	return change > -0.5 && change < 0 ? 0 : change;
}

static void put_row(const struct sides *s, const char *figure, enum kind kind,
		    double before, double now)
{
	char change[32];
	struct val row[6] = {
		val_str(s->vcpu), s->index, val_str(figure),
		val_of(kind, before), val_of(kind, now),
	};

	if (kind == SHARE)
		snprintf(change, sizeof(change), "%+.1f points",
			 (now - before) * 100);
	else if (before > 0)
		snprintf(change, sizeof(change), "%+.0f%%",
			 percent(before, now));
	else
		snprintf(change, sizeof(change), "%s", now > 0 ? "new" : "");
	row[5] = val_str(change);
	out_row(s->o, row);
	out_end(s->o);
}

/*
 * Counts are compared per second, for nobody measures twice as long as before. What
 * neither side has is not worth a row.
 */
static void put_numbers(const struct sides *s, const char *figure,
			enum kind kind, double before, double now)
{
	if (before <= 0 && now <= 0)
		return;
	if (kind == RATE && (s->before_ns <= 0 || s->now_ns <= 0))
		return;
	if (kind == RATE) {
		before *= 1e9 / s->before_ns;
		now *= 1e9 / s->now_ns;
	}
	put_row(s, figure, kind, before, now);
}

/* Both sides have it. */
static void put_both(const struct sides *s, const char *figure, enum kind kind,
		     struct json_object *before, struct json_object *now)
{
	if (before && now)
		put_numbers(s, figure, kind, json_object_get_double(before),
			    json_object_get_double(now));
}

static void put_keys(const struct sides *s, const struct rule *r,
		     struct json_object *before, struct json_object *now)
{
	json_object_object_foreach(now, key, element)
		put_both(s, key, r->kind,
			 json_at(json_at(before, key), r->value),
			 json_at(element, r->value));
}

/* "cause not_present", by "by what". */
static void name_of(struct json_object *element, const char *by, char *name,
		    size_t size)
{
	size_t at = 0;
	char key[32];

	name[0] = '\0';
	while (*by && at < size) {
		size_t len = strcspn(by, " ");
		const char *part;

		snprintf(key, sizeof(key), "%.*s", (int)len, by);
		part = json_object_get_string(json_at(element, key));
		at += (size_t)snprintf(name + at, size - at, "%s%s",
				       at ? " " : "", part ?: "");
		by += len + (by[len] == ' ');
	}
}

static struct json_object *find(struct json_object *list, const char *by,
				const char *name)
{
	char other[96];
	size_t i;

	for (i = 0; i < json_object_array_length(list); i++) {
		struct json_object *e = json_object_array_get_idx(list, i);

		name_of(e, by, other, sizeof(other));
		if (!strcmp(other, name))
			return e;
	}
	return NULL;
}

/* What is in no row did not happen; there is no mean of nothing. */
static void put_element(const struct sides *s, const struct rule *r,
			const char *name, struct json_object *before,
			struct json_object *now)
{
	double x = json_object_get_double(json_at(before, r->value));
	double y = json_object_get_double(json_at(now, r->value));
	char figure[128];

	if (r->kind == NS && (x <= 0 || y <= 0))
		return;
	snprintf(figure, sizeof(figure), "%s%s", name, r->name);
	put_numbers(s, figure, r->kind, x, y);
}

static void put_rows(const struct sides *s, const struct rule *r,
		     struct json_object *before, struct json_object *now)
{
	struct json_object *e;
	char name[96];
	size_t i;

	for (i = 0; i < json_object_array_length(now); i++) {
		e = json_object_array_get_idx(now, i);
		name_of(e, r->by, name, sizeof(name));
		put_element(s, r, name, find(before, r->by, name), e);
	}
	for (i = 0; i < json_object_array_length(before); i++) {
		e = json_object_array_get_idx(before, i);
		name_of(e, r->by, name, sizeof(name));
		if (!find(now, r->by, name))
			put_element(s, r, name, e, NULL);
	}
}

static void put_rule(const struct sides *s, const struct rule *r)
{
	struct json_object *before = json_at(s->before, r->in);
	struct json_object *now = json_at(s->now, r->in);
	enum json_type type = r->by ? json_type_array : json_type_object;

	if (!r->value)
		put_both(s, r->name, r->kind, before, now);
	else if (!json_object_is_type(before, type) ||
		 !json_object_is_type(now, type))
		return;
	else if (r->by)
		put_rows(s, r, before, now);
	else
		put_keys(s, r, before, now);
}

/* A whole VM or a vCPU. */
static void put_sides(struct sides *s)
{
	unsigned int i;

	s->before_ns = json_object_get_double(json_at(s->before, "measured/ns"));
	s->now_ns = json_object_get_double(json_at(s->now, "measured/ns"));
	for (i = 0; i < ARRAY_SIZE(rules); i++)
		put_rule(s, &rules[i]);
}

static struct json_object *vcpu_of(struct json_object *vm, int64_t index)
{
	struct json_object *all = json_at(vm, "vcpus");
	size_t i;

	for (i = 0; all && i < json_object_array_length(all); i++) {
		struct json_object *v = json_object_array_get_idx(all, i);

		if (json_object_get_int64(json_at(v, "index")) == index)
			return v;
	}
	return NULL;
}

static void put_vcpus(struct out *o, struct json_object *before,
		      struct json_object *now)
{
	struct json_object *all = json_at(now, "vcpus");
	size_t i;

	for (i = 0; all && i < json_object_array_length(all); i++) {
		struct json_object *v = json_object_array_get_idx(all, i);
		int64_t index = json_object_get_int64(json_at(v, "index"));
		char name[24];
		struct sides s = {
			.o = o, .vcpu = name, .index = val_num((__u64)index),
			.before = vcpu_of(before, index), .now = v,
		};

		snprintf(name, sizeof(name), "%lld", (long long)index);
		if (s.before)
			put_sides(&s);
	}
}

/**
 * compare_vm() - a virtual machine, before and now
 * @o: where to
 * @before: its object in a document
 * @now: its object in another
 */
void compare_vm(struct out *o, struct json_object *before,
		struct json_object *now)
{
	static const struct column columns[] = {
		{ NULL, "VCPU", 4, true },
		{ "vcpu", NULL, 0, false },
		{ "figure", "FIGURE", 30, true },
		{ "before", "BEFORE", 10, false },
		{ "now", "NOW", 10, false },
		{ "change", "CHANGE", 14, false },
	};
	struct sides whole = {
		.o = o, .vcpu = "all", .index = val_none(),
		.before = before, .now = now,
	};

	out_table(o, "figures", columns, ARRAY_SIZE(columns));
	put_sides(&whole);
	put_vcpus(o, before, now);
	out_end(o);
}
