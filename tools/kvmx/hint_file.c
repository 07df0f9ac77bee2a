// SPDX-License-Identifier: GPL-2.0-only
/* A file with a policy: lines of a word and its value, as on the command line. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hint.h"
#include "util.h"

#define BLANKS	" \t\r\n"

static void take_line(const char *path, unsigned int nr, char *line,
		      struct hint_wish *wish)
{
	const char *key, *value, *wrong;

	line[strcspn(line, "#")] = '\0';
	key = strtok(line, BLANKS);
	if (!key)
		return;
	value = strtok(NULL, BLANKS);
	if (!value || strtok(NULL, BLANKS))
		fail(EX_USAGE, "%s, line %u: a line is a word and its value",
		     path, nr);
	wrong = hint_take(wish, key, value);
	if (wrong)
		fail(EX_USAGE, "%s, line %u: %s", path, nr, wrong);
}

/* Where it makes no sense, the tool ends here. */
void hint_file_read(const char *path, struct hint_wish *wish)
{
	FILE *f = fopen(path, "re");
	unsigned int nr = 0;
	const char *wrong;
	char line[512];

	if (!f)
		fail(EX_FAILED, "cannot read %s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		nr++;
		if (!strchr(line, '\n') && !feof(f))
			fail(EX_USAGE, "%s, line %u: too long", path, nr);
		take_line(path, nr, line, wish);
	}
	fclose(f);
	wrong = hint_finish(wish);
	if (wrong)
		fail(EX_USAGE, "%s: %s", path, wrong);
}
