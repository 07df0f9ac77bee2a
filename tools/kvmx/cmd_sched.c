// SPDX-License-Identifier: GPL-2.0-only
#include "cmd.h"
#include "options.h"
#include "sched_view.h"
#include "util.h"

#define TOP_ROWS	5

const char sched_help[] =
	"usage: kvmx sched [-p PID | --id ID] [--vcpu N] [-i SECONDS] [-c COUNT]\n"
	"                  [--top N] [--save FILE] [--baseline FILE] [--json]\n"
	"                  [-- COMMAND ...]\n\n"
	"How the host schedules the vCPUs of VMs: where their time goes, how often\n"
	"they lose the CPU and to whom, where they are put again and after what delay;\n"
	"the threads of the VMM; how evenly vCPUs are served.\n\n"
	"Without -i: the figures of one second. With COMMAND: of the time in which it\n"
	"runs.\n\n"
	"  -p, --pid PID       VM of this process; else all VMs\n"
	"      --id ID         VM of this number (kvmx list)\n"
	"      --vcpu N        vCPU with this index only\n"
	"  -i, --interval SEC  print what happened in each interval\n"
	"  -c, --count N       stop after N intervals (of 1 s without -i)\n"
	"      --top N         so many that took the CPU of each vCPU, and so many\n"
	"                      exit reasons by cost (5)\n"
	"      --save FILE     write what was measured to FILE, as JSON\n"
	"      --baseline FILE compare with what was saved before, side by side\n"
	"      --json          JSON instead of text\n"
	"  -h, --help          this text\n";

int cmd_sched(int argc, char **argv)
{
	struct stat_options opts = {
		.cmd = "sched",
		.put_vm = sched_put_vm,
		.groups = KVMX_STATS_SCHED,
		.top = TOP_ROWS,
		.per_vcpu = true,
		.vcpu = NO_VCPU,
	};

	if (!options_parse(argc, argv, &opts, sched_help, TAKES_TOP))
		return EX_DONE;
	return stat_measure(&opts);
}
