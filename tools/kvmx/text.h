/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers and times as people read them. Pure. */
#ifndef KVMX_TOOL_TEXT_H
#define KVMX_TOOL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "maths.h"

void text_ns(char *buf, size_t size, __u64 ns);
void text_bound_ns(char *buf, size_t size, enum bound_kind kind, __u64 ns,
		   bool utf8);
void text_age(char *buf, size_t size, __u64 ns);
void text_count(char *buf, size_t size, __u64 n, unsigned int width);
void text_bytes(char *buf, size_t size, __u64 n);
size_t text_width(const char *s);
void text_clean(char *s);
bool text_star_match(const char *pattern, const char *name);

#endif /* KVMX_TOOL_TEXT_H */
