// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "cost.h"
#include "device.h"
#include "out.h"
#include "select.h"
#include "util.h"

const char info_help[] =
	"usage: kvmx info [--json]\n\n"
	"What the module is, and for everything that it can do on a host,\n"
	"whether it can do it on this one, and why.\n\n"
	"  --json      JSON instead of text\n"
	"  -h, --help  this text\n";

static const char *vendor_name(__u32 vendor)
{
	switch (vendor) {
	case KVMX_VENDOR_NONE:
		return "none";
	case KVMX_VENDOR_INTEL:
		return "Intel (VMX)";
	case KVMX_VENDOR_AMD:
		return "AMD (SVM)";
	default:
		return "unknown";
	}
}

static const char *vendor_key(__u32 vendor)
{
	return vendor == KVMX_VENDOR_INTEL ? "intel" :
	       vendor == KVMX_VENDOR_AMD ? "amd" :
	       vendor == KVMX_VENDOR_NONE ? "none" : "unknown";
}

static const char *feature_state(__u32 state)
{
	switch (state) {
	case KVMX_FEATURE_OFF:
		return "off";
	case KVMX_FEATURE_ON:
		return "on";
	case KVMX_FEATURE_READY:
		return "ready";
	default:
		return "unknown";
	}
}

static void put_clock(struct out *o, const struct kvmx_info *info)
{
	bool tsc = info->clock == KVMX_CLOCK_TSC;
	char text[64];

	snprintf(text, sizeof(text), tsc ? "TSC, %u.%03u MHz" :
		 "the kernel's (the TSC is unstable), %u.%03u MHz",
		 info->clock_khz / 1000, info->clock_khz % 1000);
	out_field(o, NULL, "Clock", val_str(text));
	out_field(o, "clock", NULL, val_str(tsc ? "tsc" : "kernel"));
	out_field(o, "clock_khz", NULL, val_num(info->clock_khz));
	out_field(o, "now_ticks", NULL, val_num(info->now));
}

static void put_cost(struct out *o, int dev, __u32 khz)
{
	char text[128];
	double ns = 0;
	const char *why = cost_ns(dev, khz, &ns);

	if (why) {
		snprintf(text, sizeof(text), "not known: %s", why);
	} else {
		snprintf(text, sizeof(text),
			 "%.1fns an exit, measured now (1 million a second: %.1f%% of one CPU)",
			 ns, ns / 10);
		out_field(o, "exit_cost_ns", NULL, val_rate(ns));
	}
	out_field(o, NULL, "Cost of counting", val_str(text));
}

static void put_state(struct out *o, const struct kvmx_info *info)
{
	bool always = info->state & KVMX_INFO_STATS_ALWAYS;
	bool counting = info->state & KVMX_INFO_COUNTING;

	out_field(o, NULL, "Statistics", val_str(always ?
		"always (parameter stats=always)" :
		"while somebody looks (parameter stats=ondemand)"));
	out_field(o, "stats", NULL, val_str(always ? "always" : "ondemand"));
	out_field(o, NULL, "Counting now",
		  val_str(counting ? "yes" : "no, no probe is attached"));
	out_field(o, "counting", NULL, val_bool(counting));
	out_field(o, "stats_fds", "Statistics fds",
		  val_num(info->nr_stats_fds));
	out_field(o, "vms", "VMs", val_num(info->nr_vms));
	out_field(o, "uncounted_exits", "Uncounted exits",
		  val_num(info->uncounted));
	out_field(o, "memory_bytes", "Memory", val_bytes(info->memory));
}

static void put_features(struct out *o, const struct kvmx_feature *features,
			 unsigned int nr)
{
	static const struct column columns[] = {
		{ "id", NULL, 0, false },
		{ "name", "FEATURE", 24, true },
		{ "state", "STATE", 6, true },
		{ "reason", "REASON", 0, true },
	};
	unsigned int i;

	out_table(o, "features", columns, ARRAY_SIZE(columns));
	for (i = 0; i < nr; i++) {
		const struct val row[] = {
			val_num(features[i].id),
			val_str(features[i].name),
			val_str(feature_state(features[i].state)),
			val_str(features[i].reason),
		};

		out_row(o, row);
		out_end(o);
	}
	out_end(o);
}

static void put_info(struct out *o, int dev, const struct kvmx_info *info,
		     const struct kvmx_feature *features, unsigned int nr)
{
	char version[KVMX_VERSION_LEN + 1];

	snprintf(version, sizeof(version), "%.*s", KVMX_VERSION_LEN,
		 info->version);
	out_begin(o, NULL);
	out_field(o, "version", "Module", val_str(version));
	out_field(o, "tool_version", "Tool", val_str(KVMX_VERSION));
	out_field(o, "abi", "ABI", val_num(info->abi_version));
	out_field(o, NULL, "Vendor", val_str(vendor_name(info->vendor)));
	out_field(o, "vendor", NULL, val_str(vendor_key(info->vendor)));
	put_clock(o, info);
	put_state(o, info);
	put_cost(o, dev, info->clock_khz);
	out_say(o, "%s", "");
	put_features(o, features, nr);
	out_end(o);
	out_finish(o);
}

static bool parse(int argc, char **argv, enum out_format *format)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	int c;

	while ((c = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		switch (c) {
		case 'j':
			*format = OUT_JSON;
			break;
		case 'h':
			fputs(info_help, stdout);
			return false;
		default:
			usage_fail("info", "unknown option \"%s\"",
				   argv[optind - 1]);
		}
	}
	if (optind < argc)
		usage_fail("info", "what is \"%s\"?", argv[optind]);
	return true;
}

int cmd_info(int argc, char **argv)
{
	enum out_format format = OUT_TEXT;
	struct kvmx_feature *features;
	struct kvmx_info info;
	unsigned int nr;
	int dev, err;

	if (!parse(argc, argv, &format))
		return EX_DONE;
	dev = connect_module(&info);
	err = device_features(dev, &features, &nr);
	if (err)
		fail(EX_FAILED, "asking the module for its features failed: %s",
		     strerror(-err));
	put_info(out_open(format), dev, &info, features, nr);
	free(features);
	device_close(dev);
	return EX_DONE;
}
