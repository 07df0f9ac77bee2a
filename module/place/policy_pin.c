// SPDX-License-Identifier: GPL-2.0-only
/*
 * pin: as the map says.
 *
 * Each vCPU is named once, with its CPU. A vCPU that the map leaves out, or one
 * that is not there, refuses the plan, as does a CPU that may not be used. SMT
 * words choose nothing here, they are a promise to be kept: with require, vCPUs 0
 * and 1, 2 and 3 … have to be on siblings; with isolate, no vCPU of any placed VM
 * may be on a sibling of these.
 *
 * Threads for which no set is named get the rest: all that is allowed, but the
 * CPUs of the VM's own vCPUs.
 */
#include <linux/errno.h>

#include "place/policy_work.h"

#define NO_VCPU		0xffffffffU

static u32 find(const struct kvmx_policy_in *in, u32 index)
{
	u32 low = 0, high = in->nr_vcpus, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (in->vcpus[mid].index < index)
			low = mid + 1;
		else
			high = mid;
	}
	return low < in->nr_vcpus && in->vcpus[low].index == index ? low :
								    NO_VCPU;
}

static void note_siblings(struct kvmx_policy_work *w, u32 cpu)
{
	kvmx_policy_note_cpu(w, KVMX_NOTE_NO_SIBLINGS, cpu, 0, 0);
}

static void check_pairs(struct kvmx_policy_work *w)
{
	const struct kvmx_policy_vcpu_out *v = w->out->vcpus;
	u32 i;

	for (i = 0; i + 1 < w->in->nr_vcpus; i += 2)
		if (v[i].cpu == v[i + 1].cpu ||
		    !kvmx_policy_siblings(w, v[i].cpu, v[i + 1].cpu))
			note_siblings(w, v[i + 1].cpu);
}

static void check_alone(struct kvmx_policy_work *w)
{
	const struct kvmx_policy_cpu *c;
	u32 i, cpu;

	for (i = 0; i < w->in->nr_vcpus; i++) {
		cpu = w->out->vcpus[i].cpu;
		c = &w->in->cpus[cpu];
		if (w->core[c->core].own != w->own[cpu] ||
		    w->core[c->core].load != c->load ||
		    w->core[c->core].users != !!c->user)
			note_siblings(w, cpu);
	}
}

static int read_map(struct kvmx_policy_work *w)
{
	const struct kvmx_policy_in *in = w->in;
	u32 i, at;

	for (i = 0; i < in->nr_map; i++) {
		at = find(in, in->map[i].vcpu);
		if (at == NO_VCPU) {
			kvmx_policy_note_cpu(w, KVMX_NOTE_NO_VCPU,
					     KVMX_POLICY_NO_CPU, 0,
					     in->map[i].vcpu);
			continue;
		}
		if (w->out->vcpus[at].cpu != KVMX_POLICY_NO_CPU)
			return -EINVAL;
		kvmx_policy_put(w, at, in->map[i].cpu);
		w->out->vcpus[at].why = KVMX_WHY_MAP;
	}
	return 0;
}

/**
 * kvmx_policy_pin() - do what the map says
 * @w: the plan
 *
 * Return: 0, or -EINVAL if the map names a vCPU twice.
 */
int kvmx_policy_pin(struct kvmx_policy_work *w)
{
	int ret = read_map(w);
	u32 i;

	for (i = 0; !ret && i < w->in->nr_vcpus; i++)
		if (w->out->vcpus[i].cpu == KVMX_POLICY_NO_CPU)
			kvmx_policy_note_cpu(w, KVMX_NOTE_UNMAPPED,
					     KVMX_POLICY_NO_CPU, 0,
					     w->in->vcpus[i].index);
	if (ret || w->refused)
		return ret;
	if (w->in->smt == KVMX_SMT_REQUIRE)
		check_pairs(w);
	else if (w->in->smt == KVMX_SMT_ISOLATE)
		check_alone(w);
	return 0;
}
