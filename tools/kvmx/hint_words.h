/* SPDX-License-Identifier: GPL-2.0-only */
/* Policies for hints, in words: of the command line, of a file. Pure. */
#ifndef KVMX_TOOL_HINT_WORDS_H
#define KVMX_TOOL_HINT_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/kvmx_hint.h>

/**
 * struct hint_wish - a policy, as far as it has been said
 * @allowed: 1 << KVMX_KIND_*
 * @with_effect: those of which the effect was said
 * @policy: the rest, in its place
 */
struct hint_wish {
	__u32 allowed;
	__u32 with_effect;
	struct kvmx_hint policy;
};

const char *hint_kind_name(__u32 kind);
const char *hint_effect_name(__u32 effect);
void hint_effect_text(char *buf, size_t size, const struct kvmx_hint_kind *k);
void hint_us_text(char *buf, size_t size, __u32 us);

const char *hint_take(struct hint_wish *wish, const char *key,
		      const char *value);
const char *hint_finish(struct hint_wish *wish);

#endif /* KVMX_TOOL_HINT_WORDS_H */
