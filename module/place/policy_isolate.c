// SPDX-License-Identifier: GPL-2.0-only
/*
 * isolate: cores where no other VM that is placed has vCPUs or named threads, and
 * none gets any from now on.
 *
 * One vCPU per core while there are as many such cores as vCPUs, as close
 * together as pack would have them; their siblings are left empty or to the same
 * VM. Else siblings are used, too, and CPUs are shared at last, by vCPUs of this
 * VM alone. The plan is refused where CPUs are short because other VMs are there,
 * and where --cpus names such a core.
 *
 * Threads for which no set is named run with the vCPUs, and on the siblings that
 * these leave as far as --cpus allows, but nowhere else; never on siblings that
 * smt isolate keeps idle.
 */
#include "place/policy_work.h"

/**
 * kvmx_policy_isolate() - use open slots, one per core if there are enough
 * @w: the plan; its slots are on such cores
 * @nr: how many; not more than are open
 */
void kvmx_policy_isolate(struct kvmx_policy_work *w, u32 nr)
{
	if (w->shape == KVMX_SLOT_CPU)
		kvmx_policy_spread(w, 0, w->nr_llcs, nr);
	else
		kvmx_policy_pack(w, nr);
}
