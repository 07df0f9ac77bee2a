// SPDX-License-Identifier: GPL-2.0-only
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "device.h"
#include "hint.h"
#include "util.h"

const char hint_help[] =
	"usage: kvmx hint [-p PID | --id ID] [--vcpu N] [-i SECONDS] [-c COUNT]\n"
	"                 [--json]\n"
	"       kvmx hint -p PID | --id ID --allow KINDS [--effect KIND=EFFECT,...]\n"
	"                 [--grant KIND=TIME,...] [--budget TIME/TIME] [--calls N]\n"
	"       kvmx hint [-p PID | --id ID] --off\n"
	"       kvmx hint --default FILE [-i SECONDS]\n\n"
	"What guests with kvmx_guest.ko may ask of this host, and what came of it.\n"
	"Without --allow, --off and --default: tells.\n\n"
	"  -p, --pid PID       VM of this process; else all VMs\n"
	"      --id ID         VM of this number (kvmx list)\n"
	"      --allow KINDS   of critical, latency, batch, yield-to\n"
	"      --effect ...    none, nice:N, fifo, slice:TIME, poll:TIME, fit:TIME,\n"
	"                      yield\n"
	"      --grant ...     longest time of one grant\n"
	"      --budget T/T    time on grants that a vCPU has, in each period\n"
	"      --calls N       hypercalls that a vCPU has answered per second\n"
	"      --off           no hints any more; all is put back\n"
	"      --default FILE  policy for all VMs that have none of their own\n"
	"      --show          policies and counts (what happens anyway)\n"
	"      --vcpu N        counts of the vCPU with this index only\n"
	"  -i, --interval SEC  tell what is new in each interval; --default: look for\n"
	"                      new VMs so often\n"
	"  -c, --count N       stop after N intervals (of 1 s without -i)\n"
	"      --json          JSON instead of text\n"
	"  -h, --help          this text\n";

static const struct option options[] = {
	{ "pid", required_argument, NULL, 'p' },
	{ "id", required_argument, NULL, 'd' },
	{ "allow", required_argument, NULL, 'w' },
	{ "effect", required_argument, NULL, 'w' },
	{ "grant", required_argument, NULL, 'w' },
	{ "budget", required_argument, NULL, 'w' },
	{ "calls", required_argument, NULL, 'w' },
	{ "off", no_argument, NULL, 'o' },
	{ "default", required_argument, NULL, 'D' },
	{ "show", no_argument, NULL, 's' },
	{ "vcpu", required_argument, NULL, 'n' },
	{ "interval", required_argument, NULL, 'i' },
	{ "count", required_argument, NULL, 'c' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 }
};

static __u64 number(const char *option, __u64 min, __u64 max)
{
	__u64 n;

	if (!parse_u64(optarg, max, &n) || n < min)
		usage_fail("hint", "%s takes a number from %llu to %llu, not \"%s\"",
			   option, min, max, optarg);
	return n;
}

static void choose(struct hint_options *opts, enum select_by by, __u64 key)
{
	if (opts->selection.by != SELECT_ALL)
		usage_fail("hint", "-p and --id cannot be combined, nor given twice");
	opts->selection.by = by;
	opts->selection.key = key;
}

static void take_mode(struct hint_options *opts, enum hint_mode mode)
{
	if (opts->mode != HINT_SHOW && opts->mode != mode)
		usage_fail("hint", "a policy, --off and --default cannot be combined");
	opts->mode = mode;
}

static void take_words(struct hint_options *opts, const char *key)
{
	const char *wrong = hint_take(&opts->wish, key, optarg);

	if (wrong)
		usage_fail("hint", "--%s %s: %s", key, optarg, wrong);
	take_mode(opts, HINT_SET);
}

static void take_option(struct hint_options *opts, int c, int which, char **argv)
{
	switch (c) {
	case 'p':
		choose(opts, SELECT_PID, number("-p", 1, 0x7fffffff));
		break;
	case 'd':
		choose(opts, SELECT_ID, number("--id", 0, ~0ULL));
		break;
	case 'w':
		take_words(opts, options[which].name);
		break;
	case 'o':
		take_mode(opts, HINT_OFF);
		break;
	case 'D':
		take_mode(opts, HINT_DEFAULT);
		opts->file = optarg;
		break;
	case 's':
		break;
	case 'n':
		opts->vcpu = (__u32)number("--vcpu", 0, NO_VCPU - 1);
		break;
	case 'i':
		if (!parse_seconds(optarg, &opts->interval))
			usage_fail("hint", "-i takes seconds, at least 0.001 and at most a year, not \"%s\"",
				   optarg);
		break;
	case 'c':
		opts->count = number("-c", 1, 0xffffffff);
		break;
	case 'j':
		opts->format = OUT_JSON;
		break;
	case ':':
		usage_fail("hint", "%s needs a value", argv[optind - 1]);
	default:
		usage_fail("hint", "unknown option \"%s\"", argv[optind - 1]);
	}
}

static void check(struct hint_options *opts)
{
	const char *wrong = NULL;

	if (opts->mode == HINT_SET) {
		wrong = hint_finish(&opts->wish);
		if (!wrong && opts->selection.by == SELECT_ALL)
			wrong = "choose a VM by -p or --id, or give all a policy by --default";
	} else if (opts->mode == HINT_DEFAULT &&
		   opts->selection.by != SELECT_ALL) {
		wrong = "--default is for all VMs";
	}
	if (!wrong && opts->interval &&
	    (opts->mode == HINT_SET || opts->mode == HINT_OFF))
		wrong = "-i and -c make no sense with that";
	if (wrong)
		usage_fail("hint", "%s", wrong);
}

static bool parse(int argc, char **argv, struct hint_options *opts)
{
	int c, which = 0;

	while ((c = getopt_long(argc, argv, ":p:i:c:h", options, &which)) != -1) {
		if (c == 'h') {
			fputs(hint_help, stdout);
			return false;
		}
		take_option(opts, c, which, argv);
	}
	if (optind < argc)
		usage_fail("hint", "what is \"%s\"?", argv[optind]);
	if (opts->count && !opts->interval)
		opts->interval = 1000000000;
	check(opts);
	return true;
}

/* One VM, and what is in force then. */
static int set(int dev, const struct hint_options *opts)
{
	struct kvmx_vm_info vm;
	__u64 id;
	int status, fd = select_vm(dev, &opts->selection, &id);

	if (device_vm_info(fd, &vm))
		fail(EX_NO_VM, "VM %llu has ended", id);
	status = hint_apply(dev, &vm, fd, &opts->wish.policy);
	device_close(fd);
	if (!status)
		hint_show(dev, opts);
	return status;
}

/* One VM, or all; where one refuses, the others do not go on hinting. */
static int off(int dev, const struct hint_options *opts)
{
	static const struct kvmx_hint nothing;
	struct kvmx_vm_info *vms;
	int status = EX_DONE;
	unsigned int i, nr;
	__u64 id, chosen = 0;

	if (opts->selection.by != SELECT_ALL)
		device_close(select_vm(dev, &opts->selection, &chosen));
	list_vms(dev, &vms, &nr);
	for (i = 0; i < nr; i++) {
		int fd;

		if (chosen && vms[i].id != chosen)
			continue;
		fd = device_open_vm(dev, KVMX_BY_ID, vms[i].id, &id);
		if (fd < 0)
			continue;
		if (hint_apply(dev, &vms[i], fd, &nothing))
			status = EX_FAILED;
		device_close(fd);
	}
	free(vms);
	return status;
}

int cmd_hint(int argc, char **argv)
{
	struct hint_options opts = { .format = OUT_TEXT, .vcpu = NO_VCPU };
	int dev, status = EX_DONE;
	struct kvmx_info info;

	if (!parse(argc, argv, &opts))
		return EX_DONE;
	if (opts.mode == HINT_DEFAULT)
		hint_file_read(opts.file, &opts.wish);
	dev = opts.mode == HINT_SHOW ? connect_module(&info) :
				       connect_module_to_change(&info);
	switch (opts.mode) {
	case HINT_SHOW:
		hint_show(dev, &opts);
		break;
	case HINT_SET:
		status = set(dev, &opts);
		break;
	case HINT_OFF:
		status = off(dev, &opts);
		break;
	case HINT_DEFAULT:
		status = hint_default(dev, &opts);
		break;
	}
	device_close(dev);
	return status;
}
