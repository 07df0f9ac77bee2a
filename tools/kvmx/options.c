// SPDX-License-Identifier: GPL-2.0-only
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "options.h"
#include "util.h"

static const char * const sort_names[] = {
	[SORT_TIME] = "time",
	[SORT_COUNT] = "count",
	[SORT_MEAN] = "mean",
	[SORT_P99] = "p99",
	[SORT_MAX] = "max",
	[SORT_NAME] = "name",
};

static enum sort_by sort_by(const char *cmd, const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sort_names); i++)
		if (!strcmp(sort_names[i], name))
			return (enum sort_by)i;
	usage_fail(cmd, "cannot sort by \"%s\"", name);
}

static __u64 number(const char *cmd, const char *option, const char *s,
		    __u64 min, __u64 max)
{
	__u64 n;

	if (!parse_u64(s, max, &n) || n < min)
		usage_fail(cmd, "%s takes a number from %llu to %llu, not \"%s\"",
			   option, min, max, s);
	return n;
}

static void choose(struct stat_options *opts, enum select_by by, __u64 key)
{
	if (opts->selection.by != SELECT_ALL)
		usage_fail(opts->cmd,
			   "-p and --id cannot be combined, nor given twice");
	opts->selection.by = by;
	opts->selection.key = key;
}

static void take_interval(struct stat_options *opts, const char *arg)
{
	if (!parse_seconds(arg, &opts->interval))
		usage_fail(opts->cmd,
			   "-i takes seconds, at least 0.001 and at most a year, not \"%s\"",
			   arg);
}

static void take_option(struct stat_options *opts, int c, char **argv)
{
	const char *cmd = opts->cmd;

	switch (c) {
	case 'p':
		choose(opts, SELECT_PID, number(cmd, "-p", optarg, 1, 0x7fffffff));
		break;
	case 'd':
		choose(opts, SELECT_ID, number(cmd, "--id", optarg, 0, ~0ULL));
		break;
	case 'n':
		opts->vcpu = (__u32)number(cmd, "--vcpu", optarg, 0, NO_VCPU - 1);
		break;
	case 'i':
		take_interval(opts, optarg);
		break;
	case 'c':
		opts->count = number(cmd, "-c", optarg, 1, 0xffffffff);
		break;
	case 't':
		opts->top = number(cmd, "--top", optarg, 0, 0xffffffff);
		break;
	case 's':
		opts->sort = sort_by(cmd, optarg);
		break;
	case 'P':
		opts->per_vcpu = true;
		break;
	case 'a':
		opts->all = true;
		break;
	case 'r':
		opts->raw = true;
		break;
	case 'S':
		opts->save = optarg;
		break;
	case 'b':
		opts->baseline = optarg;
		break;
	case 'j':
		opts->format = OUT_JSON;
		break;
	case ':':
		usage_fail(cmd, "%s needs a value", argv[optind - 1]);
	default:
		usage_fail(cmd, "unknown option \"%s\"", argv[optind - 1]);
	}
}

static void take_command(struct stat_options *opts, int argc, char **argv)
{
	if (optind < argc)
		opts->command = &argv[optind];
	else if (!strcmp(argv[argc - 1], "--"))
		usage_fail(opts->cmd, "a command has to follow \"--\"");
	/* Else a forgotten dash would run something. */
	if (opts->command && strcmp(argv[optind - 1], "--"))
		usage_fail(opts->cmd,
			   "what is \"%s\"? A command comes after \"--\"",
			   argv[optind]);
	if (opts->command && (opts->interval || opts->count))
		usage_fail(opts->cmd,
			   "-i and -c make no sense with a command: its whole run is measured");
}

/* All that there are, and who takes them: TAKES_*, 0: everybody. */
static const struct {
	struct option option;
	unsigned int takes;
} all_options[] = {
	{ { "pid", required_argument, NULL, 'p' }, 0 },
	{ { "id", required_argument, NULL, 'd' }, 0 },
	{ { "vcpu", required_argument, NULL, 'n' }, 0 },
	{ { "interval", required_argument, NULL, 'i' }, 0 },
	{ { "count", required_argument, NULL, 'c' }, 0 },
	{ { "sort", required_argument, NULL, 's' }, TAKES_SORT },
	{ { "top", required_argument, NULL, 't' }, TAKES_TOP },
	{ { "per-vcpu", no_argument, NULL, 'P' }, TAKES_PER_VCPU },
	{ { "all", no_argument, NULL, 'a' }, TAKES_REASONS },
	{ { "raw", no_argument, NULL, 'r' }, TAKES_REASONS },
	{ { "save", required_argument, NULL, 'S' }, 0 },
	{ { "baseline", required_argument, NULL, 'b' }, 0 },
	{ { "json", no_argument, NULL, 'j' }, 0 },
	{ { "help", no_argument, NULL, 'h' }, 0 },
};

/**
 * options_parse() - what a measuring subcommand was asked to do
 * @argc: of the subcommand
 * @argv: of the subcommand
 * @opts: filled in; @opts->cmd is set
 * @help: printed for -h
 * @takes: TAKES_*
 *
 * Ends the program, with a message, where they make no sense.
 *
 * Return: false if there is nothing left to do.
 */
bool options_parse(int argc, char **argv, struct stat_options *opts,
		   const char *help, unsigned int takes)
{
	struct option options[ARRAY_SIZE(all_options) + 1] = { 0 };
	unsigned int i, nr = 0;
	int c;

	for (i = 0; i < ARRAY_SIZE(all_options); i++)
		if ((all_options[i].takes & takes) == all_options[i].takes)
			options[nr++] = all_options[i].option;
	/* Options end at the command: what follows there is the command's. */
	while ((c = getopt_long(argc, argv, "+:p:i:c:h", options, NULL)) != -1) {
		if (c == 'h') {
			fputs(help, stdout);
			return false;
		}
		take_option(opts, c, argv);
	}
	take_command(opts, argc, argv);
	if (opts->raw && (opts->save || opts->baseline))
		usage_fail(opts->cmd,
			   "--raw has nothing that can be compared: no --save and no --baseline with it");
	if (opts->count && !opts->interval)
		opts->interval = 1000000000;
	return true;
}
