// SPDX-License-Identifier: GPL-2.0-only
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "place.h"
#include "util.h"

const char place_help[] =
	"usage: kvmx place -p PID | --id ID --policy POLICY [--cpus LIST]\n"
	"                  [--emulator LIST] [--io LIST] [--smt WORD] [--map MAP]\n"
	"                  [--interval SEC] [--enforce] [--replace] [--dry-run]\n"
	"                  [--explain] [--json] [-- COMMAND ...]\n"
	"       kvmx place -p PID | --id ID | --all --show | --clear [--json]\n"
	"       kvmx place --watch FILE [--explain] [--json]\n\n"
	"Gives all threads of a VM their CPUs, by one policy, those that are yet\n"
	"to be born, too. It stays until it is cleared or the VM ends; with\n"
	"COMMAND: for as long as that runs.\n\n"
	"  -p, --pid PID        VM of this process\n"
	"      --id ID          VM of this number (kvmx list)\n"
	"      --all            all VMs, for --show and --clear\n"
	"      --policy POLICY  pin, pack, spread, numa, isolate or auto\n"
	"      --cpus LIST      CPUs for vCPUs (0-3,7); else all that are allowed\n"
	"      --emulator LIST  CPUs for the main thread and others\n"
	"      --io LIST        CPUs for I/O threads, workers and vhost\n"
	"      --smt WORD       siblings: prefer, require or isolate\n"
	"      --map MAP        policy pin: VCPU:CPU, separated by commas\n"
	"      --interval SEC   policy auto: between two moves\n"
	"      --enforce        put back what others change\n"
	"      --replace        in place of the placement that there is\n"
	"      --dry-run        print what would be done, change nothing\n"
	"      --explain        print each thread, and why\n"
	"      --show           what is in force\n"
	"      --clear          end it: all threads as without kvmx\n"
	"      --watch FILE     place VMs by the rules in FILE, new ones, too\n"
	"      --json           JSON instead of text\n"
	"  -h, --help           this text\n";

static void choose(struct place_options *opts, enum select_by by,
		   const char *option, __u64 min, __u64 max)
{
	if (opts->selection.by != SELECT_ALL)
		usage_fail("place",
			   "-p and --id cannot be combined, nor given twice");
	if (!parse_u64(optarg, max, &opts->selection.key) ||
	    opts->selection.key < min)
		usage_fail("place", "%s takes a number from %llu to %llu, not \"%s\"",
			   option, min, max, optarg);
	opts->selection.by = by;
}

/* What was asked for, in the order of the command line; the sum is checked. */
struct asked {
	bool wish;
	bool show;
	bool clear;
};

static void take_option(struct place_options *opts, struct asked *asked, int c,
			char **argv)
{
	char *wrong;

	if (wish_knows(c)) {
		asked->wish = true;
		wrong = wish_take(&opts->wish, c, optarg);
		if (wrong)
			usage_fail("place", "%s", wrong);
		return;
	}
	switch (c) {
	case 'p':
		choose(opts, SELECT_PID, "-p", 1, 0x7fffffff);
		break;
	case 'd':
		choose(opts, SELECT_ID, "--id", 0, ~0ULL);
		break;
	case 'a':
		opts->all = true;
		break;
	case 's':
		asked->show = true;
		break;
	case 'c':
		asked->clear = true;
		break;
	case 'w':
		opts->watch = optarg;
		break;
	case 'n':
		opts->dry_run = true;
		break;
	case 'e':
		opts->explain = true;
		break;
	case 'j':
		opts->format = OUT_JSON;
		break;
	case ':':
		usage_fail("place", "%s needs a value", argv[optind - 1]);
	default:
		usage_fail("place", "unknown option \"%s\"", argv[optind - 1]);
	}
}

static void take_command(struct place_options *opts, int argc, char **argv)
{
	if (optind >= argc) {
		if (!strcmp(argv[argc - 1], "--"))
			usage_fail("place", "a command has to follow \"--\"");
		return;
	}
	/* Else a forgotten dash would run something. */
	if (strcmp(argv[optind - 1], "--"))
		usage_fail("place",
			   "what is \"%s\"? A command comes after \"--\"",
			   argv[optind]);
	opts->command = &argv[optind];
}

static void check_wish(const struct place_options *opts)
{
	char *wrong = wish_check(&opts->wish);

	if (wrong)
		usage_fail("place", "%s", wrong);
	if (opts->wish.leave)
		usage_fail("place",
			   "policy none is for files of rules: to end a placement, use --clear");
	if (opts->all)
		usage_fail("place",
			   "--all is for --show and --clear: to place many VMs, use --watch FILE");
	if (opts->selection.by == SELECT_ALL)
		usage_fail("place", "which VM? -p PID or --id ID");
	if (opts->command && opts->dry_run)
		usage_fail("place",
			   "--dry-run changes nothing: a command makes no sense with it");
}

static void check(struct place_options *opts, const struct asked *asked)
{
	const unsigned int verbs = asked->wish + asked->show + asked->clear +
				   !!opts->watch;

	if (verbs > 1)
		usage_fail("place",
			   "one thing at a time: --policy with its options, --show, --clear or --watch");
	if (opts->all && opts->selection.by != SELECT_ALL)
		usage_fail("place", "--all, or one VM by -p or --id, not both");
	if (verbs == 0 || asked->wish) {
		check_wish(opts);
		return;
	}
	if (opts->command || opts->dry_run)
		usage_fail("place", "%s goes with --policy only",
			   opts->command ? "a command" : "--dry-run");
	opts->verb = asked->clear ? PLACE_CLEAR : PLACE_SHOW;
	if (opts->watch && (opts->all || opts->selection.by != SELECT_ALL))
		usage_fail("place", "with --watch, the file says which VMs");
	if (!opts->watch && !opts->all && opts->selection.by == SELECT_ALL)
		usage_fail("place", "which VM? -p PID, --id ID or --all");
}

static bool parse(int argc, char **argv, struct place_options *opts)
{
	static const struct option others[] = {
		{ "pid", required_argument, NULL, 'p' },
		{ "id", required_argument, NULL, 'd' },
		{ "all", no_argument, NULL, 'a' },
		{ "show", no_argument, NULL, 's' },
		{ "clear", no_argument, NULL, 'c' },
		{ "watch", required_argument, NULL, 'w' },
		{ "dry-run", no_argument, NULL, 'n' },
		{ "explain", no_argument, NULL, 'e' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
	};
	struct option options[NR_WISH_OPTIONS + ARRAY_SIZE(others) + 1];
	struct asked asked = { .wish = false };
	int c;

	wish_add_options(options, others, ARRAY_SIZE(others));
	/* Options end at the command: what follows there is the command's. */
	while ((c = getopt_long(argc, argv, "+:p:h", options, NULL)) != -1) {
		if (c == 'h') {
			fputs(place_help, stdout);
			return false;
		}
		take_option(opts, &asked, c, argv);
	}
	take_command(opts, argc, argv);
	check(opts, &asked);
	return true;
}

int cmd_place(int argc, char **argv)
{
	struct place_options opts = { .verb = PLACE_MAKE };
	int status;

	if (!parse(argc, argv, &opts))
		return EX_DONE;
	if (opts.watch)
		status = place_watch(&opts);
	else if (opts.command)
		status = place_command(&opts);
	else
		status = place_once(&opts);
	wish_free(&opts.wish);
	return status;
}
