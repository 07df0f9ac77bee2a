// SPDX-License-Identifier: GPL-2.0-only
#include "cmd.h"
#include "options.h"
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

int cmd_stat(int argc, char **argv)
{
	struct stat_options opts = {
		.cmd = "stat",
		.put_vm = stat_put_vm,
		.vcpu = NO_VCPU,
	};

	if (!options_parse(argc, argv, &opts, stat_help,
			   TAKES_PER_VCPU | TAKES_SORT | TAKES_REASONS))
		return EX_DONE;
	return stat_measure(&opts);
}
