/* SPDX-License-Identifier: GPL-2.0-only */
/* Labels of figures, and the footnotes that they make. */
#ifndef KVMX_TOOL_NOTES_H
#define KVMX_TOOL_NOTES_H

#include <linux/kvmx.h>

struct out;
struct schema;

struct footnotes {
	const struct kvmx_note **notes;
	unsigned int nr;
};

const struct kvmx_note *notes_match(const struct kvmx_note *notes,
				    unsigned int nr, const char *name);
void footnotes_add(struct footnotes *f, const struct schema *schema);
void footnotes_put(struct footnotes *f, struct out *o);

#endif /* KVMX_TOOL_NOTES_H */
