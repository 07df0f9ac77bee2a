// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "out_backend.h"
#include "text.h"

#define SCREEN		80	/* columns that everybody has */
#define VALUE_SIZE	2048	/* a histogram has 65 numbers of 20 digits at most */
#define FIELD_TITLE	17	/* width of titles of fields */

/* Zeroes at the end are left out: a histogram has mostly those. */
static void render_list(const struct val *v, char *buf, size_t size)
{
	unsigned int i, nr = v->nr;
	size_t at = 0;

	while (nr > 1 && !v->list[nr - 1])
		nr--;
	buf[0] = '\0';
	for (i = 0; i < nr && at < size; i++)
		at += (size_t)snprintf(buf + at, size - at, "%s%llu",
				       i ? " " : "", v->list[i]);
}

static void render(const struct out *o, const struct val *v,
		   unsigned int width, char *buf, size_t size)
{
	switch (v->kind) {
	case VAL_NONE:
		snprintf(buf, size, "-");
		break;
	case VAL_LIST:
		render_list(v, buf, size);
		break;
	case VAL_STR:
		snprintf(buf, size, "%s", v->str);
		break;
	case VAL_NUM:
		text_count(buf, size, v->num, width);
		break;
	case VAL_CHANGE:
		snprintf(buf, size, v->num ? "%+lld" : "%lld",
			 (long long)v->num);
		break;
	case VAL_BOOL:
		snprintf(buf, size, "%s", v->num ? "yes" : "no");
		break;
	case VAL_BYTES:
		text_bytes(buf, size, v->num);
		break;
	case VAL_CODE:
		snprintf(buf, size, "%#llx", v->num);
		break;
	case VAL_SHARE:
		snprintf(buf, size, "%.1f%%", v->part * 100);
		break;
	case VAL_PERMILLE:
		snprintf(buf, size, "%llu.%llu%%", v->num / 10, v->num % 10);
		break;
	case VAL_RATE:
		snprintf(buf, size, v->part < 1000 ? "%.1f/s" : "%.0f/s", v->part);
		break;
	case VAL_NS:
		text_ns(buf, size, v->num);
		break;
	case VAL_AGE:
		text_age(buf, size, v->num);
		break;
	case VAL_TICKS:
		text_bound_ns(buf, size, v->bound, ticks_to_ns(v->num, o->khz),
			      o->utf8);
		break;
	}
}

/* A name from elsewhere must not steer the terminal. */
static void put(const char *s)
{
	for (; *s; s++)
		putchar(iscntrl((unsigned char)*s) ? '?' : *s);
}

static void spaces(unsigned int n)
{
	while (n--)
		putchar(' ');
}

/*
 * Words up to the edge of the screen, then on in a new line, below. One that is
 * longer than that is not cut.
 */
static unsigned int put_wrapped(const char *s, unsigned int column)
{
	unsigned int at = column;

	while (*s) {
		unsigned int word = (unsigned int)strcspn(s, " ");
		char *piece;

		if (at > column && at + 1 + word > SCREEN) {
			putchar('\n');
			spaces(column);
			at = column;
		} else if (at > column) {
			putchar(' ');
			at++;
		}
		piece = xasprintf("%.*s", (int)word, s);
		put(piece);
		at += (unsigned int)text_width(piece);
		free(piece);
		s += word;
		s += strspn(s, " ");
	}
	return at;
}

static void cell(const char *text, const struct column *c, unsigned int *at,
		 bool last)
{
	unsigned int width = (unsigned int)text_width(text);
	unsigned int pad = c->width > width ? c->width - width : 0;

	if (!c->width) {
		*at = put_wrapped(text, *at);
		return;
	}
	if (!c->left) {
		spaces(pad);
		put(text);
	} else {
		put(text);
		if (!last)
			spaces(pad);
	}
	*at += width + pad;
}

static bool for_people(const struct level *table)
{
	unsigned int i;

	for (i = 0; i < table->nr_columns; i++)
		if (table->columns[i].title)
			return true;
	return false;
}

static void text_table(struct out *o, const char *key)
{
	const struct level *l = &o->level[o->depth];
	unsigned int i, at = l->indent;
	bool first = true;

	(void)key;
	if (!for_people(l))
		return;
	spaces(l->indent);
	for (i = 0; i < l->nr_columns; i++) {
		const struct column *c = &l->columns[i];

		if (!c->title)
			continue;
		if (!first) {
			putchar(' ');
			at++;
		}
		first = false;
		cell(c->title, c, &at, i == l->nr_columns - 1);
	}
	putchar('\n');
}

/*
 * A name that is too long for its column has a line for itself, so that the
 * figures stand below their headings.
 */
static void put_row(const struct out *o, const struct level *table,
		    const struct val *vals)
{
	unsigned int i, at = table->indent;
	char buf[VALUE_SIZE];
	bool first = true;

	if (!for_people(table))
		return;
	spaces(table->indent);
	for (i = 0; i < table->nr_columns; i++) {
		const struct column *c = &table->columns[i];

		if (!c->title)
			continue;
		if (!first) {
			putchar(' ');
			at++;
		}
		first = false;
		render(o, &vals[i], c->width, buf, sizeof(buf));
		if (c->left && c->width && text_width(buf) > c->width &&
		    i < table->nr_columns - 1) {
			put(buf);
			putchar('\n');
			spaces(at);
			buf[0] = '\0';
		}
		cell(buf, c, &at, i == table->nr_columns - 1);
	}
	putchar('\n');
}

static void text_row(struct out *o, const struct level *table,
		     const struct val *vals)
{
	o->level[o->depth].indent = table->indent + 4;
	put_row(o, table, vals);
}

static void text_total(struct out *o, const char *key, const struct val *vals)
{
	(void)key;
	put_row(o, &o->level[o->depth], vals);
}

static void text_field(struct out *o, const struct column *c,
		       const struct val *val)
{
	char buf[VALUE_SIZE];

	if (!c->title)
		return;
	render(o, val, 0, buf, sizeof(buf));
	printf("%-*s", FIELD_TITLE, c->title);
	put_wrapped(buf, FIELD_TITLE);
	putchar('\n');
}

/* Leading blanks are the indentation of further lines, too. */
static void text_say(struct out *o, const char *text)
{
	unsigned int indent = o->level[o->depth].indent +
			      (unsigned int)strspn(text, " ");

	spaces(indent);
	put_wrapped(text + strspn(text, " "), indent);
	putchar('\n');
}

static void text_verbatim(struct out *o, const char *text)
{
	spaces(o->level[o->depth].indent);
	put(text);
	putchar('\n');
}

static void text_nothing(struct out *o)
{
	(void)o;
}

static void text_level(struct out *o, const char *key)
{
	(void)o;
	(void)key;
}

const struct out_ops out_text_ops = {
	.begin = text_level,
	.list = text_level,
	.table = text_table,
	.row = text_row,
	.total = text_total,
	.end = text_nothing,
	.field = text_field,
	.say = text_say,
	.verbatim = text_verbatim,
	.finish = text_nothing,
};
