// SPDX-License-Identifier: GPL-2.0-only
/* What the memory of the VMM's process, and with it the guest's, is made of. */
#include <stdio.h>

#include "backing.h"
#include "ept_view.h"
#include "text.h"
#include "util.h"

static void put_kinds(struct out *o, const struct backing *b)
{
	const struct {
		const char *key;
		const char *title;
		__u64 bytes;
		bool known;
	} kinds[] = {
		{ "resident", "resident", b->resident, true },
		{ "thp", "THP", b->thp, true },
		{ "hugetlb", "hugetlbfs", b->hugetlb, true },
		{ "ksm", "KSM-merged", b->ksm, b->has_ksm },
		{ "swap", "swapped", b->swap, true },
	};
	char text[ARRAY_SIZE(kinds)][24];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		text_bytes(text[i], sizeof(text[i]), kinds[i].bytes);
		if (!kinds[i].known)
			snprintf(text[i], sizeof(text[i]), "-");
		out_field(o, kinds[i].key, NULL, kinds[i].known ?
			  val_bytes(kinds[i].bytes) : val_none());
	}
	out_say(o, "backing of the whole VMM: %s resident, of it %s in THP; %s of hugetlbfs; %s merged by KSM; %s swapped out",
		text[0], text[1], text[2], text[3], text[4]);
}

static void put_nodes(struct out *o, const struct backing *b)
{
	static const struct column columns[] = {
		{ "node", "NODE", 6, true },
		{ "bytes", "BYTES", 10, false },
	};
	unsigned int i;

	out_table(o, "nodes", columns, b->nr_nodes ? ARRAY_SIZE(columns) : 0);
	for (i = 0; i < b->nr_nodes; i++) {
		const struct val row[] = {
			val_num(i), val_bytes(b->node[i]),
		};

		out_row(o, row);
		out_end(o);
	}
	out_end(o);
}

/**
 * ept_put_backing() - what backs a VM's memory
 * @view: how it is printed
 * @vm: the VM
 */
void ept_put_backing(struct stat_view *view, const struct watch_vm *vm)
{
	struct out *o = view->out;
	struct backing b;

	if (!backing_read(vm->info.pid, &b))
		return;
	out_say(o, "%s", "");
	out_begin(o, "backing");
	put_kinds(o, &b);
	put_nodes(o, &b);
	out_end(o);
}
