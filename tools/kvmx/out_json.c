// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <json-c/json.h>

#include "out_backend.h"
#include "util.h"

static struct json_object *share_json(double part)
{
	char text[32];

	/* %f is written in the user's locale; this does not depend on it. */
	snprintf(text, sizeof(text), "%u.%06u", (unsigned int)part,
		 (unsigned int)((part - (unsigned int)part) * 1000000));
	return json_object_new_double_s(part, text);
}

static const char *bound_name(enum bound_kind kind)
{
	return kind == BOUND_UPPER ? "upper" :
	       kind == BOUND_LOWER ? "lower" : NULL;
}

static struct json_object *list_json(const struct val *v)
{
	struct json_object *list = json_object_new_array();
	unsigned int i;

	for (i = 0; i < v->nr; i++)
		json_object_array_add(list, json_object_new_uint64(v->list[i]));
	return list;
}

static struct json_object *ticks_json(const struct out *o, const struct val *v)
{
	struct json_object *time = json_object_new_object();
	const char *bound = bound_name(v->bound);

	json_object_object_add(time, "ticks", json_object_new_uint64(v->num));
	json_object_object_add(time, "ns",
			       json_object_new_uint64(ticks_to_ns(v->num,
								  o->khz)));
	if (bound)
		json_object_object_add(time, "bound",
				       json_object_new_string(bound));
	return time;
}

static struct json_object *plain(const struct out *o, const struct val *v)
{
	switch (v->kind) {
	case VAL_STR:
		return json_object_new_string(v->str);
	case VAL_NUM:
	case VAL_BYTES:
	case VAL_CODE:
	case VAL_AGE:
	case VAL_NS:
		return json_object_new_uint64(v->num);
	case VAL_CHANGE:
		return json_object_new_int64((int64_t)v->num);
	case VAL_BOOL:
		return json_object_new_boolean(!!v->num);
	case VAL_RATE:
	case VAL_SHARE:
	case VAL_PERMILLE:
		return share_json(v->part);
	case VAL_TICKS:
		return ticks_json(o, v);
	case VAL_LIST:
		return list_json(v);
	case VAL_NONE:
		break;
	}
	return NULL;
}

static struct json_object *value(const struct out *o, const struct val *v)
{
	struct json_object *j = plain(o, v), *figure;

	if (!v->label)
		return j;
	if (v->kind == VAL_TICKS) {
		figure = j;
	} else {
		figure = json_object_new_object();
		json_object_object_add(figure, "value", j);
	}
	json_object_object_add(figure, "label",
			       json_object_new_string(v->label));
	return figure;
}

static void add(struct json_object *to, const char *key, struct json_object *j)
{
	if (!to)
		return;
	if (json_object_is_type(to, json_type_array))
		json_object_array_add(to, j);
	else
		json_object_object_add(to, key ? key : "", j);
}

static void open_level(struct out *o, const char *key, struct json_object *j)
{
	add(o->level[o->depth - 1].json, key, j);
	o->level[o->depth].json = j;
}

static void json_begin(struct out *o, const char *key)
{
	open_level(o, key, json_object_new_object());
}

static void json_list(struct out *o, const char *key)
{
	open_level(o, key, json_object_new_array());
}

static void json_field(struct out *o, const struct column *c,
		       const struct val *val)
{
	if (c->key && val->kind != VAL_NONE)
		add(o->level[o->depth].json, c->key, value(o, val));
}

/* A table without a key is for people only, and so are its rows. */
static void json_table(struct out *o, const char *key)
{
	if (key)
		json_list(o, key);
}

static void json_row(struct out *o, const struct level *table,
		     const struct val *vals)
{
	unsigned int i;

	if (!table->json)
		return;
	json_begin(o, NULL);
	for (i = 0; i < table->nr_columns; i++)
		json_field(o, &table->columns[i], &vals[i]);
}

static void json_total(struct out *o, const char *key, const struct val *vals)
{
	const struct level *table = &o->level[o->depth];
	struct json_object *total = json_object_new_object();
	unsigned int i;

	for (i = 0; i < table->nr_columns; i++)
		if (table->columns[i].key && vals[i].kind != VAL_NONE)
			add(total, table->columns[i].key, value(o, &vals[i]));
	add(o->level[o->depth - 1].json, key, total);
}

/* The outermost object is the document; it is printed when it is complete. */
static void json_end(struct out *o)
{
	struct json_object *j = o->level[o->depth].json;

	if (o->depth > 1 || !j)
		return;
	if (o->keeps) {
		json_object_put(o->kept);
		o->kept = j;
		return;
	}
	puts(json_object_to_json_string_ext(j, JSON_C_TO_STRING_PLAIN));
	json_object_put(j);
}

static void json_say(struct out *o, const char *text)
{
	(void)o;
	(void)text;
}

static void json_finish(struct out *o)
{
	(void)o;
}

const struct out_ops out_json_ops = {
	.begin = json_begin,
	.list = json_list,
	.table = json_table,
	.row = json_row,
	.total = json_total,
	.end = json_end,
	.field = json_field,
	.say = json_say,
	.verbatim = json_say,
	.finish = json_finish,
};
