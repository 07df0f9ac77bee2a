/* SPDX-License-Identifier: GPL-2.0-only */
/* Between out.c and its backends; nobody else includes this. */
#ifndef KVMX_TOOL_OUT_BACKEND_H
#define KVMX_TOOL_OUT_BACKEND_H

#include "out.h"

#define OUT_DEPTH	16

struct json_object;

/* What has begun and not ended: of interest is only what the backend needs. */
struct level {
	const struct column *columns;
	unsigned int nr_columns;
	unsigned int indent;
	struct json_object *json;
};

struct out {
	const struct out_ops *ops;
	__u32 khz;
	bool utf8;
	bool keeps;		/* documents are kept, not printed */
	struct json_object *kept;
	unsigned int depth;
	struct level level[OUT_DEPTH];
};

/* @begin and @list open a level that is already the topmost one. */
struct out_ops {
	void (*begin)(struct out *o, const char *key);
	void (*list)(struct out *o, const char *key);
	void (*table)(struct out *o, const char *key);
	void (*row)(struct out *o, const struct level *table,
		    const struct val *vals);
	void (*total)(struct out *o, const char *key, const struct val *vals);
	void (*end)(struct out *o);
	void (*field)(struct out *o, const struct column *c,
		      const struct val *val);
	void (*say)(struct out *o, const char *text);
	void (*verbatim)(struct out *o, const char *text);
	void (*finish)(struct out *o);
};

extern const struct out_ops out_text_ops;
extern const struct out_ops out_json_ops;

#endif /* KVMX_TOOL_OUT_BACKEND_H */
