// SPDX-License-Identifier: GPL-2.0-only
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "notes.h"
#include "out.h"
#include "stats.h"
#include "text.h"
#include "util.h"

/* The note on a figure: the first that matches counts. NULL: exact. */
const struct kvmx_note *notes_match(const struct kvmx_note *notes,
				    unsigned int nr, const char *name)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (text_star_match(notes[i].name, name))
			return &notes[i];
	return NULL;
}

static bool same(const struct kvmx_note *a, const struct kvmx_note *b)
{
	return a->label == b->label && !strcmp(a->reason, b->reason);
}

static void add(struct footnotes *f, const struct kvmx_note *note)
{
	unsigned int i;

	for (i = 0; i < f->nr; i++)
		if (same(f->notes[i], note) &&
		    !strcmp(f->notes[i]->name, note->name))
			return;
	f->notes = xrealloc(f->notes, f->nr + 1, sizeof(*f->notes));
	f->notes[f->nr++] = note;
}

/* What is to be said about the figures of a schema, unless it already is. */
void footnotes_add(struct footnotes *f, const struct schema *schema)
{
	unsigned int i;

	for (i = 0; i < schema->nr_notes; i++)
		if (schema->notes[i].label != KVMX_LABEL_EXACT)
			add(f, &schema->notes[i]);
}

/* One line for each label and reason; the notes are used up. */
void footnotes_put(struct footnotes *f, struct out *o)
{
	unsigned int i, j;

	for (i = 0; i < f->nr; i++) {
		const struct kvmx_note *n = f->notes[i];
		char *names;

		if (!n)
			continue;
		names = xasprintf("%s", n->name);
		for (j = i + 1; j < f->nr; j++) {
			char *more;

			if (!f->notes[j] || !same(n, f->notes[j]))
				continue;
			more = xasprintf("%s, %s", names, f->notes[j]->name);
			free(names);
			names = more;
			f->notes[j] = NULL;
		}
		out_say(o, "%s: %s: %s", label_name(n->label), names,
			n->reason);
		free(names);
	}
	free(f->notes);
	memset(f, 0, sizeof(*f));
}
