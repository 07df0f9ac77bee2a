// SPDX-License-Identifier: GPL-2.0-only
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "vpid_view.h"
#include "util.h"

const char vpid_help[] =
	"usage: kvmx vpid [-p PID | --id ID] [--vcpu N] [-i SECONDS] [-c COUNT]\n"
	"                 [--per-vcpu] [--save FILE] [--baseline FILE] [--json]\n"
	"                 [-- COMMAND ...]\n\n"
	"The TLB of VMs: the tag (VPID on Intel, ASID on AMD) of each vCPU and who has\n"
	"the same, every flush by what was done and by why, and how often a vCPU found\n"
	"its entries again when it was put on a CPU.\n\n"
	"Without -i: the figures of one second. With COMMAND: of the time in which it\n"
	"runs.\n\n"
	"  -p, --pid PID       VM of this process; else all VMs\n"
	"      --id ID         VM of this number (kvmx list)\n"
	"      --vcpu N        vCPU with this index only\n"
	"  -i, --interval SEC  print what happened in each interval\n"
	"  -c, --count N       stop after N intervals (of 1 s without -i)\n"
	"      --per-vcpu      flushes of each vCPU, too\n"
	"      --save FILE     write what was measured to FILE, as JSON\n"
	"      --baseline FILE compare with what was saved before, side by side\n"
	"      --json          JSON instead of text\n"
	"  -h, --help          this text\n";

static __u64 number(const char *option, const char *s, __u64 min, __u64 max)
{
	__u64 n;

	if (!parse_u64(s, max, &n) || n < min)
		usage_fail("vpid", "%s takes a number from %llu to %llu, not \"%s\"",
			   option, min, max, s);
	return n;
}

static void choose(struct stat_options *opts, enum select_by by, __u64 key)
{
	if (opts->selection.by != SELECT_ALL)
		usage_fail("vpid", "-p and --id cannot be combined, nor given twice");
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
			usage_fail("vpid",
				   "-i takes seconds, at least 0.001 and at most a year, not \"%s\"",
				   optarg);
		break;
	case 'c':
		opts->count = number("-c", optarg, 1, 0xffffffff);
		break;
	case 'P':
		opts->per_vcpu = true;
		break;
	case 's':
		opts->save = optarg;
		break;
	case 'b':
		opts->baseline = optarg;
		break;
	case 'j':
		opts->format = OUT_JSON;
		break;
	case ':':
		usage_fail("vpid", "%s needs a value", argv[optind - 1]);
	default:
		usage_fail("vpid", "unknown option \"%s\"", argv[optind - 1]);
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
		{ "per-vcpu", no_argument, NULL, 'P' },
		{ "save", required_argument, NULL, 's' },
		{ "baseline", required_argument, NULL, 'b' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	int c;

	/* Options end at the command: what follows there is the command's. */
	while ((c = getopt_long(argc, argv, "+:p:i:c:h", options, NULL)) != -1) {
		if (c == 'h') {
			fputs(vpid_help, stdout);
			return false;
		}
		take_option(opts, c, argv);
	}
	if (optind < argc)
		opts->command = &argv[optind];
	else if (!strcmp(argv[argc - 1], "--"))
		usage_fail("vpid", "a command has to follow \"--\"");
	if (opts->command && strcmp(argv[optind - 1], "--"))
		usage_fail("vpid", "what is \"%s\"? A command comes after \"--\"",
			   argv[optind]);
	if (opts->command && (opts->interval || opts->count))
		usage_fail("vpid",
			   "-i and -c make no sense with a command: its whole run is measured");
	if (opts->count && !opts->interval)
		opts->interval = 1000000000;
	return true;
}

int cmd_vpid(int argc, char **argv)
{
	struct stat_options opts = {
		.cmd = "vpid",
		.put_vm = vpid_put_vm,
		.groups = KVMX_STATS_TLB,
		.vcpu = NO_VCPU,
	};

	if (!parse(argc, argv, &opts))
		return EX_DONE;
	return stat_measure(&opts);
}
