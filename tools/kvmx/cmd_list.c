// SPDX-License-Identifier: GPL-2.0-only
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd.h"
#include "device.h"
#include "out.h"
#include "select.h"
#include "state.h"
#include "stats.h"
#include "text.h"
#include "util.h"
#include "watch.h"

const char list_help[] =
	"usage: kvmx list [-v] [--json]\n\n"
	"The VMs of this host.\n\n"
	"  -v, --vcpus  their vCPUs, too; of VMs that are being counted what\n"
	"               they are doing\n"
	"  --json       JSON instead of text\n"
	"  -h, --help   this text\n";

struct list_options {
	enum out_format format;
	bool vcpus;
};

/* Of a VM that is older than kvmx it is only known that it is older than that. */
static struct val age(const struct kvmx_vm_info *vm, char *buf, size_t size)
{
	buf[0] = '>';
	text_age(buf + 1, size - 1, vm->age_ns);
	return val_str(vm->state & KVMX_VM_ADOPTED ? buf : buf + 1);
}

static const struct column vm_columns[] = {
	{ "id", "ID", 6, false },
	{ "pid", "PID", 8, false },
	{ "nr_vcpus", "VCPUS", 5, false },
	{ NULL, "AGE", 8, false },
	{ NULL, "COUNTED", 8, false },
	{ "name", "NAME", 0, true },
	{ "age_ns", NULL, 0, false },
	{ "older_than_kvmx", NULL, 0, false },
	{ "counting", NULL, 0, false },
	{ "counted_ns", NULL, 0, false },
	{ "stats_fds", NULL, 0, false },
};

static void put_vm(struct out *o, const struct kvmx_vm_info *vm)
{
	bool counting = vm->state & KVMX_VM_COUNTING;
	char age_text[32];
	const struct val row[] = {
		val_num(vm->id),
		vm->pid ? val_num((__u64)vm->pid) : val_none(),
		val_num(vm->nr_vcpus),
		age(vm, age_text, sizeof(age_text)),
		counting ? val_age(vm->counted_ns) : val_none(),
		val_str(vm->name[0] ? vm->name : "-"),
		val_age(vm->age_ns),
		val_bool(vm->state & KVMX_VM_ADOPTED),
		val_bool(counting),
		val_age(vm->counted_ns),
		val_num(vm->nr_stats_fds),
	};

	out_row(o, row);
}

/*
 * What a vCPU does can be read only where it is being counted: to switch that
 * on just to look would tell nothing, since nothing has been seen yet.
 */
static struct tally_state vcpu_state(int dev, int vm, __u32 index, __u32 khz)
{
	struct source s = { .fd = device_vm_stats(vm, index, 0) };
	struct tally_state state = { .known = false };
	struct kvmx_info now;
	struct tally t;

	if (s.fd < 0)
		return state;
	s.schema = schema_read(s.fd);
	if (s.schema) {
		s.last.data = xcalloc(s.schema->nr_values, sizeof(__u64));
		if (stats_read(s.fd, s.schema, s.last.data) &&
		    !device_info(dev, &now)) {
			s.last.now = now.now;
			source_tally(&s, true, &t);
			state = t.state;
			state.ticks = ticks_to_ns(state.ticks, khz);
			tally_free(&t);
		}
		free(s.last.data);
	}
	device_close(s.fd);
	return state;
}

static const struct column vcpu_columns[] = {
	{ "index", "VCPU", 5, false },
	{ "vcpu_id", "ID", 5, false },
	{ "tid", "TID", 8, false },
	{ "state", "STATE", 9, true },
	{ NULL, "FOR", 8, false },
	{ "state_ns", NULL, 0, false },
};

static void put_vcpus(struct out *o, int dev, const struct kvmx_vm_info *vm,
		      __u32 khz)
{
	struct kvmx_vcpu_info *vcpus = NULL;
	unsigned int i, nr = 0;
	__u64 id;
	int fd = device_open_vm(dev, KVMX_BY_ID, vm->id, &id);

	/* Gone in the meantime: then it has no vCPUs. */
	if (fd >= 0 && device_vm_vcpus(fd, &vcpus, &nr))
		nr = 0;
	out_table(o, "vcpus", vcpu_columns, ARRAY_SIZE(vcpu_columns));
	for (i = 0; i < nr; i++) {
		struct tally_state s = { .known = false };
		char state[32] = "";

		if (vm->state & KVMX_VM_COUNTING)
			s = vcpu_state(dev, fd, vcpus[i].index, khz);
		state_name(s.state, state, sizeof(state));

		const struct val row[] = {
			val_num(vcpus[i].index),
			val_num(vcpus[i].vcpu_id),
			vcpus[i].tid ? val_num((__u64)vcpus[i].tid) :
				       val_none(),
			s.known ? val_str(state) : val_none(),
			s.known ? val_age(s.ticks) : val_none(),
			s.known ? val_age(s.ticks) : val_none(),
		};

		out_row(o, row);
		out_end(o);
	}
	out_end(o);
	free(vcpus);
	device_close(fd);
}

static bool parse(int argc, char **argv, struct list_options *opts)
{
	static const struct option options[] = {
		{ "vcpus", no_argument, NULL, 'v' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	int c;

	while ((c = getopt_long(argc, argv, ":vh", options, NULL)) != -1) {
		switch (c) {
		case 'v':
			opts->vcpus = true;
			break;
		case 'j':
			opts->format = OUT_JSON;
			break;
		case 'h':
			fputs(list_help, stdout);
			return false;
		default:
			usage_fail("list", "unknown option \"%s\"",
				   argv[optind - 1]);
		}
	}
	if (optind < argc)
		usage_fail("list", "what is \"%s\"?", argv[optind]);
	return true;
}

int cmd_list(int argc, char **argv)
{
	struct list_options opts = { .format = OUT_TEXT };
	struct kvmx_vm_info *vms;
	struct kvmx_info info;
	unsigned int i, nr;
	struct out *o;
	int dev;

	if (!parse(argc, argv, &opts))
		return EX_DONE;
	dev = connect_module(&info);
	list_vms(dev, &vms, &nr);
	o = out_open(opts.format);
	out_begin(o, NULL);
	out_table(o, "vms", vm_columns, ARRAY_SIZE(vm_columns));
	for (i = 0; i < nr; i++) {
		put_vm(o, &vms[i]);
		if (opts.vcpus)
			put_vcpus(o, dev, &vms[i], info.clock_khz);
		out_end(o);
	}
	out_end(o);
	out_end(o);
	out_finish(o);
	free(vms);
	device_close(dev);
	return EX_DONE;
}
