// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>

#include "stat.h"
#include "util.h"

/**
 * view_put_vm() - what all subcommands that measure print of a VM
 * @view: how it is printed
 * @vm: the VM, with readings at begin and end
 * @body: prints what is the subcommand's own
 */
void view_put_vm(struct stat_view *view, struct watch_vm *vm,
		 void (*body)(struct stat_view *view,
			      const struct view_vm *what))
{
	struct tally *each = xcalloc(vm->nr_vcpus, sizeof(*each));
	struct tally sum;
	struct view_vm what = { .vm = vm, .sum = &sum, .each = each };
	unsigned int i;

	what.measured = view_tally(view, vm, &sum, each);
	out_begin(view->out, NULL);
	view_headline(view, vm, what.measured);
	view_vm_fields(view, vm, what.measured);
	body(view, &what);
	view_notes(view, vm);
	out_end(view->out);
	for (i = 0; i < vm->nr_vcpus; i++)
		tally_free(&each[i]);
	free(each);
	tally_free(&sum);
}

/**
 * view_put_vcpus() - the vCPUs of a VM, if they were asked for
 * @view: how it is printed
 * @what: the VM
 * @one: prints what is the subcommand's own of the vCPU with that place
 */
void view_put_vcpus(struct stat_view *view, const struct view_vm *what,
		    void (*one)(struct stat_view *view,
				const struct view_vm *what, unsigned int i))
{
	struct out *o = view->out;
	unsigned int i;

	if (!view->opts->per_vcpu && view->opts->vcpu == NO_VCPU)
		return;
	out_list(o, "vcpus");
	for (i = 0; i < what->vm->nr_vcpus; i++) {
		const struct watch_vcpu *v = &what->vm->vcpus[i];

		if (!view_has_vcpu(view, v))
			continue;
		out_begin(o, NULL);
		out_say(o, "%s", "");
		out_say(o, "vCPU %u (vcpu_id %u, tid %d)", v->info.index,
			v->info.vcpu_id, v->info.tid);
		out_field(o, "index", NULL, val_num(v->info.index));
		out_field(o, "vcpu_id", NULL, val_num(v->info.vcpu_id));
		out_field(o, "measured", NULL,
			  val_ticks(tally_time(&what->each[i])));
		one(view, what, i);
		out_end(o);
	}
	out_end(o);
}
