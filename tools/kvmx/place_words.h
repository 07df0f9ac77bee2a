/* SPDX-License-Identifier: GPL-2.0-only */
/* Words for the numbers of <linux/kvmx_place.h>. Pure. */
#ifndef KVMX_TOOL_PLACE_WORDS_H
#define KVMX_TOOL_PLACE_WORDS_H

#include <stdbool.h>
#include <linux/kvmx_place.h>

/* What programs read, and what people read. */
struct words {
	const char *name;
	const char *text;
};

bool policy_find(const char *name, __u32 *policy);
bool smt_find(const char *name, __u32 *smt);

const char *policy_name(__u32 policy);
const char *smt_name(__u32 smt);
const char *class_name(__u32 class);
const char *note_name(__u32 kind);
const char *event_name(__u32 type);
const char *placed_state(__u32 state, bool planned);
struct words why_words(__u32 why);
bool note_refuses(const struct kvmx_place_note *note);

#endif /* KVMX_TOOL_PLACE_WORDS_H */
