// SPDX-License-Identifier: GPL-2.0-only
/* Why a VM was not placed, and what to do about it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "place_words.h"
#include "placement.h"
#include "select.h"
#include "text.h"
#include "util.h"

/* The exit status for what the module answered. */
int placement_status(int err)
{
	switch (err) {
	case 0:
		return EX_DONE;
	case -EPERM:
	case -EACCES:
		return EX_DENIED;
	case -EBUSY:
		return EX_BUSY;
	case -ERANGE:
		return EX_REFUSED;
	case -ENOTUNIQ:
		return EX_AMBIGUOUS;
	case -ESRCH:
	case -ENODEV:
		return EX_NO_VM;
	case -ENOTTY:
	case -E2BIG:
		return EX_OTHER_ABI;
	default:
		return EX_FAILED;
	}
}

static char *refused(const struct placement *p)
{
	const char *text = p->nr_notes ? p->notes[0].text : "it says no reason";

	return xasprintf("VM %llu: policy %s is refused, and nothing was changed: %s",
			 p->vm.id, policy_name(p->now.policy), text);
}

/* The two ways in which somebody else may have been first. */
static char *busy(const struct placement *p, int vm)
{
	struct kvmx_placed now = { .mask_size = sizeof(struct cpus) };

	if (!device_placed(vm, &now) && now.policy != KVMX_POLICY_NONE &&
	    now.state & KVMX_PLACED_COMMITTED)
		return xasprintf("VM %llu is placed already, by policy %s: see it with --show, put this in its place with --replace, or end it with --clear",
				 p->vm.id, policy_name(now.policy));
	return xasprintf("another program is placing VM %llu and has not committed (as \"kvmx place ... -- COMMAND\" while its command runs): wait for its end, or end it",
			 p->vm.id);
}

/* Placement is a matter of several features; the first that is off is told. */
static char *unsupported(int dev)
{
	const __u32 first = 36, last = 45;
	struct kvmx_feature *features;
	char *text = NULL;
	unsigned int i, nr;

	if (device_features(dev, &features, &nr))
		nr = 0;
	for (i = 0; i < nr && !text; i++) {
		if (features[i].id < first || features[i].id > last ||
		    features[i].state != KVMX_FEATURE_OFF)
			continue;
		text_clean(features[i].name);
		text_clean(features[i].reason);
		text = xasprintf("this host cannot place VMs: %s: %s (see \"kvmx info\")",
				 features[i].name, features[i].reason);
	}
	free(features);
	return text ? text :
		      xasprintf("this host cannot place VMs: \"kvmx info\" tells why");
}

static char *several(const struct placement *p, int dev)
{
	char *ids = ids_of(dev, (__u64)p->vm.pid), *text;

	text = xasprintf("process %d has several VMs (%s): threads that they share cannot serve two policies, so none of them is placed",
			 p->vm.pid, ids);
	free(ids);
	return text;
}

/**
 * placement_problem() - what is wrong, in a line
 * @p: a placement with an error
 * @dev: the device
 * @vm: the VM's fd
 *
 * Return: the line, to be freed.
 */
char *placement_problem(const struct placement *p, int dev, int vm)
{
	switch (p->err) {
	case -EPERM:
	case -EACCES:
		return xasprintf("no permission to place VM %llu: that needs CAP_SYS_NICE and a device that may be written to: run as root",
				 p->vm.id);
	case -EBUSY:
		return busy(p, vm);
	case -ERANGE:
		return refused(p);
	case -ENOTUNIQ:
		return several(p, dev);
	case -ESRCH:
	case -ENODEV:
		return xasprintf("the VM has ended");
	case -EOPNOTSUPP:
		return unsupported(dev);
	case -ENOENT:
		return xasprintf("VM %llu has no placement: nothing to clear",
				 p->vm.id);
	case -ENOTTY:
		return xasprintf("the module does not know placement: it is older than this tool");
	case -E2BIG:
		return xasprintf("the module is older than this tool and does not know all that was asked for");
	case -EINVAL:
		return xasprintf("the module did not accept the wishes for VM %llu: a CPU or vCPU that cannot be, or options that do not go together",
				 p->vm.id);
	default:
		return xasprintf("placing VM %llu failed: %s", p->vm.id,
				 strerror(-p->err));
	}
}
