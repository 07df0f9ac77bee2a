/* SPDX-License-Identifier: GPL-2.0-only */
/* What kvmx place was asked to do. */
#ifndef KVMX_TOOL_PLACE_H
#define KVMX_TOOL_PLACE_H

#include "out.h"
#include "place_view.h"
#include "select.h"
#include "wish.h"

/**
 * struct place_options - a command line
 * @verb: what to do
 * @selection: with which VM
 * @all: with all of them
 * @dry_run: change nothing
 * @explain: print thread by thread
 * @format: text or JSON
 * @wish: how to place
 * @watch: file of rules, or NULL
 * @command: place for as long as it runs, or NULL
 */
struct place_options {
	enum place_verb verb;
	struct selection selection;
	bool all;
	bool dry_run;
	bool explain;
	enum out_format format;
	struct wish wish;
	const char *watch;
	char **command;
};

int place_once(const struct place_options *opts);
int place_command(const struct place_options *opts);
int place_watch(const struct place_options *opts);

/* place_once.c: prints, and ends the tool where there is an error. */
void place_told(const struct place_options *opts, struct out *o,
		const struct placement *p, int dev, int vm);

#endif /* KVMX_TOOL_PLACE_H */
