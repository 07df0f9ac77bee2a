// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>

#include "device.h"
#include "place.h"
#include "util.h"

/* A refused plan has something to tell; other errors only have a message. */
static bool worth_printing(const struct placement *p)
{
	return !p->err || p->err == -ERANGE;
}

static void do_one(const struct place_options *opts, int vm,
		   struct placement *p)
{
	switch (opts->verb) {
	case PLACE_SHOW:
		placement_read(p, vm);
		break;
	case PLACE_CLEAR:
		placement_clear(p, vm);
		break;
	default:
		placement_make(p, vm, &opts->wish, opts->dry_run);
		if (!opts->dry_run && !opts->command)
			placement_commit(p, vm);
		break;
	}
}

/**
 * place_told() - print what became of one VM
 * @opts: what was asked
 * @o: where to
 * @p: what came of it
 * @dev: the device
 * @vm: the VM's fd
 *
 * Where it did not work out, the tool ends here.
 */
void place_told(const struct place_options *opts, struct out *o,
		const struct placement *p, int dev, int vm)
{
	if (worth_printing(p)) {
		out_begin(o, NULL);
		out_list(o, "vms");
		place_put(o, p, opts->verb,
			  opts->explain || opts->verb == PLACE_SHOW);
		out_end(o);
		out_end(o);
		out_finish(o);
	}
	if (p->err)
		fail(placement_status(p->err), "%s",
		     placement_problem(p, dev, vm));
}

static int one_vm(const struct place_options *opts, int dev)
{
	struct out *o = out_open(opts->format);
	struct placement p;
	__u64 id;
	int vm = select_vm(dev, &opts->selection, &id);

	do_one(opts, vm, &p);
	place_told(opts, o, &p, dev, vm);
	placement_free(&p);
	device_close(vm);
	return EX_DONE;
}

/* One of all: a VM that has just ended, or has no placement, is no failure. */
static int one_of_all(const struct place_options *opts, int dev, __u64 id,
		      struct out *o)
{
	int status = EX_DONE, vm = device_open_vm(dev, KVMX_BY_ID, id, &id);
	struct placement p;

	if (vm < 0)
		return EX_DONE;
	do_one(opts, vm, &p);
	if (!p.err) {
		place_put(o, &p, opts->verb, true);
		out_say(o, "%s", "");
	} else if (p.err != -ENOENT && p.err != -ENODEV && p.err != -ESRCH) {
		complain("%s", placement_problem(&p, dev, vm));
		status = placement_status(p.err);
	}
	placement_free(&p);
	device_close(vm);
	return status;
}

static int all_vms(const struct place_options *opts, int dev)
{
	struct out *o = out_open(opts->format);
	struct kvmx_vm_info *vms;
	int status = EX_DONE;
	unsigned int i, nr;

	list_vms(dev, &vms, &nr);
	out_begin(o, NULL);
	out_list(o, "vms");
	for (i = 0; i < nr; i++) {
		int one = one_of_all(opts, dev, vms[i].id, o);

		if (one)
			status = one;
	}
	out_end(o);
	out_end(o);
	out_finish(o);
	free(vms);
	return status;
}

/* kvmx place, but for --watch and a command. Return: the exit status. */
int place_once(const struct place_options *opts)
{
	struct kvmx_info info;
	int dev = opts->verb == PLACE_SHOW ? connect_module(&info) :
					     connect_module_to_change(&info);
	int status = opts->all ? all_vms(opts, dev) : one_vm(opts, dev);

	device_close(dev);
	return status;
}
