/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Output: what is printed is said once, in objects, fields, tables and rows; a
 * backend makes text or JSON of it. A column or field without a title is not in
 * the text, one without a key is not in the JSON.
 */
#ifndef KVMX_TOOL_OUT_H
#define KVMX_TOOL_OUT_H

#include <stdbool.h>
#include <linux/types.h>

#include "maths.h"
#include "util.h"

enum out_format { OUT_TEXT, OUT_JSON };

enum val_kind {
	VAL_NONE,		/* there is none: "-", or left out */
	VAL_STR,
	VAL_NUM,
	VAL_CHANGE,		/* up or down by so many */
	VAL_BOOL,
	VAL_BYTES,
	VAL_CODE,		/* a number that is read in hexadecimal */
	VAL_SHARE,		/* part of a whole: percent, or 0 to 1 */
	VAL_PERMILLE,		/* the same, given in tenths of a percent */
	VAL_RATE,		/* so many per second */
	VAL_NS,			/* a time in ns that is no figure of the module */
	VAL_AGE,		/* ns; JSON: as a number */
	VAL_TICKS,		/* time in ticks of the module's clock */
	VAL_LIST,		/* several numbers */
};

struct val {
	enum val_kind kind;
	enum bound_kind bound;	/* of ticks */
	__u64 num;
	double part;
	const char *str;
	const __u64 *list;
	unsigned int nr;
	const char *label;	/* JSON: value and label make an object */
};

/**
 * struct column - a column of a table, or a field
 * @key: in JSON
 * @title: in text
 * @width: in text; 0: the rest of the line, wrapped
 * @left: text stands at the left of the column
 */
struct column {
	const char *key;
	const char *title;
	unsigned int width;
	bool left;
};

struct out;

struct out *out_open(enum out_format format);
/* JSON that is kept instead of printed: the last document. */
struct json_object;

struct out *out_mirror(void);
struct json_object *out_document(struct out *o);

void out_clock(struct out *o, __u32 khz);
void out_finish(struct out *o);

void out_begin(struct out *o, const char *key);
void out_list(struct out *o, const char *key);
void out_table(struct out *o, const char *key, const struct column *columns,
	       unsigned int nr);
void out_row(struct out *o, const struct val *vals);
void out_total(struct out *o, const char *key, const struct val *vals);
void out_end(struct out *o);
void out_field(struct out *o, const char *key, const char *title,
	       struct val val);
__printf(2, 3)
void out_say(struct out *o, const char *fmt, ...);
__printf(2, 3)
void out_verbatim(struct out *o, const char *fmt, ...);

struct val val_none(void);
struct val val_str(const char *s);
struct val val_num(__u64 n);
struct val val_change(__u64 from, __u64 to);
struct val val_bool(bool b);
struct val val_bytes(__u64 n);
struct val val_code(__u64 n);
struct val val_share(__u64 part, __u64 whole);
struct val val_permille(unsigned int n, double exact);
struct val val_rate(double per_second);
struct val val_ns(__u64 ns);
struct val val_age(__u64 ns);
struct val val_ticks(__u64 ticks);
struct val val_bound(struct bound b);
struct val val_list(const __u64 *list, unsigned int nr);
struct val val_labelled(struct val v, const char *label);

#endif /* KVMX_TOOL_OUT_H */
