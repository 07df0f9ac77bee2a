// SPDX-License-Identifier: GPL-2.0-only
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "stat.h"
#include "util.h"

const char stat_help[] =
	"usage: kvmx stat [-p PID | --id ID] [--vcpu N] [-i SECONDS] [-c COUNT]\n"
	"                 [--sort KEY] [--per-vcpu] [--all] [--raw] [--json]\n"
	"                 [--save FILE] [--baseline FILE] [-- COMMAND ...]\n\n"
	"Where the time of VMs goes: guest, exits, VMM, halted, ready; and for\n"
	"each reason why the guest was left: how often, how long.\n\n"
	"Without -i: the figures of one second, or, where counting was on already,\n"
	"all since it began. With COMMAND: of the time in which it runs.\n\n"
	"  -p, --pid PID       VM of this process; else all VMs\n"
	"      --id ID         VM of this number (kvmx list)\n"
	"      --vcpu N        vCPU with this index only\n"
	"  -i, --interval SEC  print what happened in each interval\n"
	"  -c, --count N       stop after N intervals (of 1 s without -i)\n"
	"      --sort KEY      count, time (as it is), mean, p99, max, name\n"
	"      --per-vcpu      each vCPU, too\n"
	"      --all           reasons that did not occur, too\n"
	"      --raw           every figure that the module has, as it is\n"
	"      --save FILE     write what was measured to FILE, as JSON\n"
	"      --baseline FILE compare with what was saved before, side by side\n"
	"      --json          JSON instead of text\n"
	"  -h, --help          this text\n";

static const char * const sort_names[] = {
	[SORT_TIME] = "time",
	[SORT_COUNT] = "count",
	[SORT_MEAN] = "mean",
	[SORT_P99] = "p99",
	[SORT_MAX] = "max",
	[SORT_NAME] = "name",
};

static enum sort_by sort_by(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sort_names); i++)
		if (!strcmp(sort_names[i], name))
			return (enum sort_by)i;
	usage_fail("stat", "cannot sort by \"%s\"", name);
}

static __u64 number(const char *option, const char *s, __u64 min, __u64 max)
{
	__u64 n;

	if (!parse_u64(s, max, &n) || n < min)
		usage_fail("stat", "%s takes a number from %llu to %llu, not \"%s\"",
			   option, min, max, s);
	return n;
}

static void choose(struct stat_options *opts, enum select_by by, __u64 key)
{
	if (opts->selection.by != SELECT_ALL)
		usage_fail("stat", "-p and --id cannot be combined, nor given twice");
	opts->selection.by = by;
	opts->selection.key = key;
}

static void take_option(struct stat_options *opts, int c, char **argv)
{
	switch (c) {
	case 'p':
		choose(opts, SELECT_PID, number("-p", optarg, 1, 0x7fffffff));
		break;
	case 'd':
		choose(opts, SELECT_ID, number("--id", optarg, 0, ~0ULL));
		break;
	case 'n':
		opts->vcpu = (__u32)number("--vcpu", optarg, 0, NO_VCPU - 1);
		break;
	case 'i':
		if (!parse_seconds(optarg, &opts->interval))
			usage_fail("stat",
				   "-i takes seconds, at least 0.001 and at most a year, not \"%s\"",
				   optarg);
		break;
	case 'c':
		opts->count = number("-c", optarg, 1, 0xffffffff);
		break;
	case 's':
		opts->sort = sort_by(optarg);
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
		usage_fail("stat", "%s needs a value", argv[optind - 1]);
	default:
		usage_fail("stat", "unknown option \"%s\"", argv[optind - 1]);
	}
}

static bool parse(int argc, char **argv, struct stat_options *opts)
{
	static const struct option options[] = {
		{ "pid", required_argument, NULL, 'p' },
		{ "id", required_argument, NULL, 'd' },
		{ "vcpu", required_argument, NULL, 'n' },
		{ "interval", required_argument, NULL, 'i' },
		{ "count", required_argument, NULL, 'c' },
		{ "sort", required_argument, NULL, 's' },
		{ "per-vcpu", no_argument, NULL, 'P' },
		{ "all", no_argument, NULL, 'a' },
		{ "raw", no_argument, NULL, 'r' },
		{ "save", required_argument, NULL, 'S' },
		{ "baseline", required_argument, NULL, 'b' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	int c;

	/* Options end at the command: what follows there is the command's. */
	while ((c = getopt_long(argc, argv, "+:p:i:c:h", options, NULL)) != -1) {
		if (c == 'h') {
			fputs(stat_help, stdout);
			return false;
		}
		take_option(opts, c, argv);
	}
	if (optind < argc)
		opts->command = &argv[optind];
	else if (!strcmp(argv[argc - 1], "--"))
		usage_fail("stat", "a command has to follow \"--\"");
	/* Else a forgotten dash would run something. */
	if (opts->command && strcmp(argv[optind - 1], "--"))
		usage_fail("stat", "what is \"%s\"? A command comes after \"--\"",
			   argv[optind]);
	if (opts->command && (opts->interval || opts->count))
		usage_fail("stat",
			   "-i and -c make no sense with a command: its whole run is measured");
	if (opts->raw && (opts->save || opts->baseline))
		usage_fail("stat",
			   "--raw has nothing that can be compared: no --save and no --baseline with it");
	if (opts->count && !opts->interval)
		opts->interval = 1000000000;
	return true;
}

int cmd_stat(int argc, char **argv)
{
	struct stat_options opts = {
		.cmd = "stat",
		.put_vm = stat_put_vm,
		.vcpu = NO_VCPU,
	};

	if (!parse(argc, argv, &opts))
		return EX_DONE;
	return stat_measure(&opts);
}
