// SPDX-License-Identifier: GPL-2.0-only
#include <linux/cpumask.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/kvm_para.h>
#include <linux/mm.h>
#include <linux/topology.h>

#include "guest/area.h"
#include "guest/call.h"

DEFINE_PER_CPU(struct guest_vcpu, guest_vcpu);

/**
 * guest_area_prepare() - memory for a CPU's area
 * @cpu: comes up; has none yet, or that of its last time
 *
 * A page of its own: the host writes to it. Without one the CPU gives no hints;
 * that is no reason to keep it down.
 */
void guest_area_prepare(unsigned int cpu)
{
	struct guest_vcpu *v = per_cpu_ptr(&guest_vcpu, cpu);
	struct page *page;

	BUILD_BUG_ON(sizeof(struct kvmx_area) != 128);
	if (v->area)
		return;
	page = alloc_pages_node(cpu_to_node(cpu), GFP_KERNEL | __GFP_ZERO, 0);
	if (page)
		v->area = page_address(page);
}

/**
 * guest_area_register() - tell the host of this CPU's area
 * @unused: as smp_call_function() wants it
 *
 * Where it was told already, that is confirmed: a host that this guest was moved
 * to has to hear it, and nobody tells that we were.
 *
 * Context: on the CPU, and stays there.
 */
void guest_area_register(void *unused)
{
	struct guest_vcpu *v = this_cpu_ptr(&guest_vcpu);
	phys_addr_t at;
	long ret;

	if (!v->area)
		return;
	at = virt_to_phys(v->area);
	ret = guest_call(KVMX_HC_REGISTER, lower_32_bits(at), upper_32_bits(at),
			 sizeof(*v->area));
	/* With any other error the host knows what it knew before. */
	if (ret >= 0)
		v->registered = true;
	else if (ret == -KVM_ENOSYS)
		v->registered = false;
	v->generation = READ_ONCE(v->area->host.generation);
}

/* Context: on the CPU, and stays there. */
void guest_area_unregister(void *unused)
{
	struct guest_vcpu *v = this_cpu_ptr(&guest_vcpu);
	long ret;

	if (!v->registered)
		return;
	/*
	 * Where nobody knows the call nobody is there any more: who goes, or
	 * has switched hints off, has forgotten the area. Any other error (too
	 * many calls just now) leaves it to the next one who tries.
	 */
	ret = guest_call(KVMX_HC_UNREGISTER, 0, 0, 0);
	if (ret >= 0 || ret == -KVM_ENOSYS)
		v->registered = false;
}

/* For people, and roughly: CPUs come and go. */
unsigned int guest_areas_registered(void)
{
	unsigned int cpu, nr = 0;

	for_each_online_cpu(cpu)
		nr += READ_ONCE(per_cpu_ptr(&guest_vcpu, cpu)->registered);
	return nr;
}

/**
 * guest_areas_lost() - does the host want to hear of an area again?
 *
 * Context: no CPU comes or goes meanwhile.
 * Return: true if so, or where it was never told of one.
 */
bool guest_areas_lost(void)
{
	unsigned int cpu;

	for_each_online_cpu(cpu) {
		struct guest_vcpu *v = per_cpu_ptr(&guest_vcpu, cpu);

		if (v->area && (!READ_ONCE(v->registered) ||
				READ_ONCE(v->area->host.generation) !=
				READ_ONCE(v->generation)))
			return true;
	}
	return false;
}

/*
 * What the host could not be made to forget stays: it may still write there.
 *
 * Context: no probe runs, and nobody registers any more.
 */
void guest_areas_free(void)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		struct guest_vcpu *v = per_cpu_ptr(&guest_vcpu, cpu);

		if (!v->registered)
			free_page((unsigned long)v->area);
		v->area = NULL;
	}
}
