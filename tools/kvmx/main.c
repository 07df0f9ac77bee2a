// SPDX-License-Identifier: GPL-2.0-only
#include <locale.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <linux/kvmx.h>

#include "cmd.h"
#include "util.h"

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
	const char *what;
} commands[] = {
	{ "ept", cmd_ept, ept_help,
	  "second level of page tables: violations, mappings, MMIO and ports" },
	{ "hint", cmd_hint, hint_help,
	  "hints of guests: who may give them, to what effect, what came of it" },
	{ "info", cmd_info, info_help, "what the module is and can do here" },
	{ "list", cmd_list, list_help, "the VMs of this host" },
	{ "place", cmd_place, place_help,
	  "gives all threads of a VM their CPUs, by a policy" },
	{ "sched", cmd_sched, sched_help,
	  "scheduling of vCPUs: ready time, preemptors, migrations, delays" },
	{ "stat", cmd_stat, stat_help,
	  "where the time of VMs goes, exit reason by exit reason" },
	{ "vpid", cmd_vpid, vpid_help,
	  "the TLB: tags (VPID, ASID), flushes and their causes, what was kept" },
};

static const struct command *command_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	usage_fail(NULL, "there is no command \"%s\"", name);
}

static void help_all(void)
{
	unsigned int i;

	puts("usage: kvmx COMMAND [OPTIONS]\n"
	     "       kvmx help [COMMAND] | --help | --version\n\n"
	     "kvmx watches the vCPUs of KVM hosts, and places them.\n");
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		printf("  %-8s%s\n", commands[i].name, commands[i].what);
	puts("\nManual pages: kvmx(1), kvmx-ept(1), kvmx-hint(1), kvmx-info(1),\n"
	     "kvmx-list(1), kvmx-place(1), kvmx-sched(1), kvmx-stat(1), kvmx-vpid(1)");
}

static int help_one(int argc, char **argv)
{
	if (argc > 2)
		usage_fail(NULL, "help is for one command at a time");
	if (argc == 2)
		fputs(command_find(argv[1])->help, stdout);
	else
		help_all();
	return EX_DONE;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 }
	};
	int c;

	setlocale(LC_CTYPE, "");
	/* Whoever started us may ignore it; a closed pipe is a quiet end. */
	signal(SIGPIPE, SIG_DFL);

	opterr = 0;
	/* Options behind the command are the command's. */
	while ((c = getopt_long(argc, argv, "+hV", options, NULL)) != -1) {
		switch (c) {
		case 'h':
			help_all();
			return EX_DONE;
		case 'V':
			printf("kvmx %s (ABI %d)\n", KVMX_VERSION,
			       KVMX_ABI_VERSION);
			return EX_DONE;
		default:
			usage_fail(NULL, "unknown option \"%s\"",
				   argv[optind - 1]);
		}
	}
	argc -= optind;
	argv += optind;
	if (!argc)
		usage_fail(NULL, "no command given");
	/* The next getopt_long() is to start afresh. */
	optind = 0;
	if (!strcmp(argv[0], "help"))
		return help_one(argc, argv);
	return command_find(argv[0])->run(argc, argv);
}
