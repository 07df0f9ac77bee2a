// SPDX-License-Identifier: GPL-2.0-only
#include "cmd.h"
#include "ept_view.h"
#include "options.h"
#include "util.h"

#define TOP_ROWS	5

const char ept_help[] =
	"usage: kvmx ept [-p PID | --id ID] [--vcpu N] [-i SECONDS] [-c COUNT]\n"
	"                [--per-vcpu] [--top N] [--save FILE] [--baseline FILE]\n"
	"                [--json] [-- COMMAND ...]\n\n"
	"The second level of page tables (EPT on Intel, NPT on AMD) of VMs: violations\n"
	"by access, cause and outcome; what is mapped, and how large; where the guest\n"
	"faults; the ports and addresses that it exits for; what backs its memory.\n\n"
	"Without -i: the figures of one second. With COMMAND: of the time in which it\n"
	"runs.\n\n"
	"  -p, --pid PID       VM of this process; else all VMs\n"
	"      --id ID         VM of this number (kvmx list)\n"
	"      --vcpu N        vCPU with this index only\n"
	"  -i, --interval SEC  print what happened in each interval\n"
	"  -c, --count N       stop after N intervals (of 1 s without -i)\n"
	"      --per-vcpu      each vCPU, too\n"
	"      --top N         rows of each list of the hottest (5)\n"
	"      --save FILE     write what was measured to FILE, as JSON\n"
	"      --baseline FILE compare with what was saved before, side by side\n"
	"      --json          JSON instead of text\n"
	"  -h, --help          this text\n";

int cmd_ept(int argc, char **argv)
{
	struct stat_options opts = {
		.cmd = "ept",
		.put_vm = ept_put_vm,
		.groups = KVMX_STATS_MMU | KVMX_STATS_IO,
		.top = TOP_ROWS,
		.vcpu = NO_VCPU,
	};

	if (!options_parse(argc, argv, &opts, ept_help,
			   TAKES_PER_VCPU | TAKES_TOP))
		return EX_DONE;
	return stat_measure(&opts);
}
