// SPDX-License-Identifier: GPL-2.0-only
#include "cmd.h"
#include "options.h"
#include "util.h"
#include "vpid_view.h"

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

int cmd_vpid(int argc, char **argv)
{
	struct stat_options opts = {
		.cmd = "vpid",
		.put_vm = vpid_put_vm,
		.groups = KVMX_STATS_TLB,
		.vcpu = NO_VCPU,
	};

	if (!options_parse(argc, argv, &opts, vpid_help, TAKES_PER_VCPU))
		return EX_DONE;
	return stat_measure(&opts);
}
