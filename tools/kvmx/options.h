/* SPDX-License-Identifier: GPL-2.0-only */
/* Options of the subcommands that measure: stat, sched, ept, vpid. */
#ifndef KVMX_TOOL_OPTIONS_H
#define KVMX_TOOL_OPTIONS_H

#include <stdbool.h>

#include "stat.h"

/* What not all of them take. */
#define TAKES_PER_VCPU	(1U << 0)
#define TAKES_TOP	(1U << 1)
#define TAKES_SORT	(1U << 2)
#define TAKES_REASONS	(1U << 3)	/* --all, --raw */

bool options_parse(int argc, char **argv, struct stat_options *opts,
		   const char *help, unsigned int takes);

#endif /* KVMX_TOOL_OPTIONS_H */
