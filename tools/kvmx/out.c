// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <langinfo.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "out_backend.h"
#include "util.h"

static const struct out_ops * const formats[] = {
	[OUT_TEXT] = &out_text_ops,
	[OUT_JSON] = &out_json_ops,
};

struct out *out_open(enum out_format format)
{
	struct out *o = xcalloc(1, sizeof(*o));

	o->ops = formats[format];
	o->utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	/* Whoever reads from a pipe gets each line when it is complete. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	return o;
}

struct out *out_mirror(void)
{
	struct out *o = xcalloc(1, sizeof(*o));

	o->ops = formats[OUT_JSON];
	o->keeps = true;
	return o;
}

/* NULL before the first one is complete; valid until the next one is. */
struct json_object *out_document(struct out *o)
{
	return o->kept;
}

/* How many ticks of the module's clock a millisecond has. */
void out_clock(struct out *o, __u32 khz)
{
	o->khz = khz;
}

/* The end of a document: of all, or of one interval. */
void out_finish(struct out *o)
{
	o->ops->finish(o);
	if (!fflush(stdout) && !ferror(stdout))
		return;
	/* Nobody reads any more: nobody wants to be told, either. */
	if (errno == EPIPE)
		exit(EX_FAILED);
	fail(EX_FAILED, "cannot write to standard output: %s", strerror(errno));
}

static struct level *push(struct out *o)
{
	struct level *l = &o->level[++o->depth];

	if (o->depth >= OUT_DEPTH)
		abort();
	memset(l, 0, sizeof(*l));
	l->indent = o->level[o->depth - 1].indent;
	return l;
}

void out_begin(struct out *o, const char *key)
{
	push(o);
	o->ops->begin(o, key);
}

void out_list(struct out *o, const char *key)
{
	push(o);
	o->ops->list(o, key);
}

void out_table(struct out *o, const char *key, const struct column *columns,
	       unsigned int nr)
{
	struct level *l = push(o);

	l->columns = columns;
	l->nr_columns = nr;
	o->ops->table(o, key);
}

/* A row of the innermost table; as an object, it is to be ended, too. */
void out_row(struct out *o, const struct val *vals)
{
	const struct level *table = &o->level[o->depth];

	push(o);
	o->ops->row(o, table, vals);
}

/* The sum below a table: in JSON an object of its own, beside the table. */
void out_total(struct out *o, const char *key, const struct val *vals)
{
	o->ops->total(o, key, vals);
}

void out_end(struct out *o)
{
	o->ops->end(o);
	o->depth--;
}

void out_field(struct out *o, const char *key, const char *title,
	       struct val val)
{
	struct column c = { .key = key, .title = title };

	o->ops->field(o, &c, &val);
}

static void put_line(struct out *o, void (*put)(struct out *, const char *),
		     const char *fmt, va_list args)
{
	char *text;

	if (vasprintf(&text, fmt, args) < 0)
		fail(EX_FAILED, "out of memory");
	put(o, text);
	free(text);
}

/* A line for people. */
void out_say(struct out *o, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	put_line(o, o->ops->say, fmt, args);
	va_end(args);
}

/* The same in one line, however long it is: a command, to be copied. */
void out_verbatim(struct out *o, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	put_line(o, o->ops->verbatim, fmt, args);
	va_end(args);
}

struct val val_none(void)
{
	return (struct val){ .kind = VAL_NONE };
}

struct val val_str(const char *s)
{
	return (struct val){ .kind = VAL_STR, .str = s };
}

struct val val_num(__u64 n)
{
	return (struct val){ .kind = VAL_NUM, .num = n };
}

struct val val_change(__u64 from, __u64 to)
{
	return (struct val){ .kind = VAL_CHANGE, .num = to - from };
}

struct val val_bool(bool b)
{
	return (struct val){ .kind = VAL_BOOL, .num = b };
}

struct val val_bytes(__u64 n)
{
	return (struct val){ .kind = VAL_BYTES, .num = n };
}

struct val val_code(__u64 n)
{
	return (struct val){ .kind = VAL_CODE, .num = n };
}

struct val val_share(__u64 part, __u64 whole)
{
	return (struct val){ .kind = VAL_SHARE, .part = share(part, whole) };
}

/* A share that was rounded together with others, to add up. */
struct val val_permille(unsigned int n, double exact)
{
	return (struct val){ .kind = VAL_PERMILLE, .num = n, .part = exact };
}

struct val val_rate(double per_second)
{
	return (struct val){ .kind = VAL_RATE, .part = per_second };
}

struct val val_ns(__u64 ns)
{
	return (struct val){ .kind = VAL_NS, .num = ns };
}

struct val val_age(__u64 ns)
{
	return (struct val){ .kind = VAL_AGE, .num = ns };
}

struct val val_ticks(__u64 ticks)
{
	return (struct val){ .kind = VAL_TICKS, .num = ticks,
			     .bound = BOUND_EXACT };
}

struct val val_bound(struct bound b)
{
	if (b.kind == BOUND_NONE)
		return val_none();
	return (struct val){ .kind = VAL_TICKS, .num = b.value,
			     .bound = b.kind };
}

struct val val_list(const __u64 *list, unsigned int nr)
{
	return (struct val){ .kind = VAL_LIST, .list = list, .nr = nr };
}

struct val val_labelled(struct val v, const char *label)
{
	v.label = label;
	return v;
}
