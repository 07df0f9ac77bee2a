// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "cost.h"
#include "device.h"

/**
 * cost_ns() - what counting one exit costs on this machine now
 * @dev: the device
 * @khz: of the module's clock
 * @ns: set
 *
 * Return: NULL, or why it is not known.
 */
const char *cost_ns(int dev, __u32 khz, double *ns)
{
	struct kvmx_cost cost;
	int err = device_cost(dev, &cost);

	if (err == -EOPNOTSUPP)
		return "it can be measured while a VM exists and the TSC is stable";
	if (err == -ENOTTY)
		return "this module does not measure it";
	if (err)
		return strerror(-err);
	*ns = (double)cost.exit * 1000 / khz;
	return NULL;
}

/**
 * cost_put() - at the foot of what was counted: what that cost
 * @o: where to
 * @dev: the device
 * @khz: of the module's clock
 * @exits: that were counted
 * @ticks: within this time
 *
 * An exit that sleeps or goes to user space costs more to count, and is rarer.
 */
void cost_put(struct out *o, int dev, __u32 khz, __u64 exits, __u64 ticks)
{
	double ns = 0, share;
	const char *why = cost_ns(dev, khz, &ns);

	out_say(o, "%s", "");
	if (why) {
		out_say(o, "cost of counting: not known: %s", why);
		return;
	}
	share = ticks ? exits * ns / ((double)ticks * 1e6 / khz) : 0;
	out_say(o, "cost of counting: %.1fns an exit (measured now), %.3f%% of one CPU",
		ns, share * 100);
	out_begin(o, "cost");
	out_field(o, "exit_ns", NULL, val_rate(ns));
	out_field(o, "cpu_share", NULL, val_rate(share));
	out_end(o);
}
