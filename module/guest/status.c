// SPDX-License-Identifier: GPL-2.0-only
/* The parameter status, to be read: what this module knows, for people and tests. */
#include <linux/cpumask.h>
#include <linux/moduleparam.h>
#include <linux/sysfs.h>

#include "guest/area.h"
#include "guest/dev.h"
#include "guest/latency.h"
#include "guest/slot.h"

static int status_cpu(char *buf, int at, unsigned int cpu)
{
	const struct guest_vcpu *v = per_cpu_ptr(&guest_vcpu, cpu);
	const struct kvmx_area_guest *g;
	const struct kvmx_area_host *h;

	if (!v->area)
		return sysfs_emit_at(buf, at, "cpu %u no memory\n", cpu);
	g = &v->area->guest;
	h = &v->area->host;
	return sysfs_emit_at(buf, at,
			     "cpu %u registered %d hint %#x seq %u user %d generation %u state %#x looked_at %u preempted %u granted %llu run_delay_ns %llu\n",
			     cpu, READ_ONCE(v->registered), READ_ONCE(g->hint),
			     READ_ONCE(g->seq), !!READ_ONCE(g->user),
			     READ_ONCE(h->generation), READ_ONCE(h->state),
			     READ_ONCE(h->seq), READ_ONCE(h->preempted),
			     READ_ONCE(h->granted), READ_ONCE(h->run_delay_ns));
}

static int status_get(char *buf, const struct kernel_param *kp)
{
	struct guest_host host;
	unsigned int cpu;
	int at;

	guest_host_get(&host);
	at = sysfs_emit(buf,
			"version %u kinds %#x features %#x cpus %u registered %u watching %d words %u\n",
			host.version, host.kinds, host.features,
			num_online_cpus(), guest_areas_registered(),
			guest_latency_watching(), READ_ONCE(guest_nr_slots));
	/* As many as there is room for. */
	for_each_online_cpu(cpu)
		at += status_cpu(buf, at, cpu);
	return at;
}

static const struct kernel_param_ops status_ops = { .get = status_get };

module_param_cb(status, &status_ops, NULL, 0444);
MODULE_PARM_DESC(status, "to be read: what the host takes, and what it was told");
