// SPDX-License-Identifier: GPL-2.0-only
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>

#include "core/vm.h"
#include "stats/groups.h"
#include "stats/schema.h"
#include "stats/snap.h"
#include "stats/top.h"
#include "stats/topk.h"

/**
 * struct top_kind - a list
 * @group: KVMX_STATS_* group that keeps it
 * @offset: of its struct kvmx_topk in struct kvmx_more
 * @names: its keys or names tell of threads of the host
 * @codes: its keys are exit codes
 */
struct top_kind {
	u32 group;
	u32 offset;
	bool names;
	bool codes;
};

#define EXITS_AT(distance) offsetof(struct kvmx_more, sched.exits[distance])

static const struct top_kind kinds[] = {
	[KVMX_TOP_PREEMPTORS] = {
		KVMX_STATS_SCHED,
		offsetof(struct kvmx_more, sched.preemptors), true, false,
	},
	[KVMX_TOP_EXITS_SAME_CPU] = {
		KVMX_STATS_SCHED, EXITS_AT(KVMX_D_SAME), false, true,
	},
	[KVMX_TOP_EXITS_SMT_SIBLING] = {
		KVMX_STATS_SCHED, EXITS_AT(KVMX_D_SMT), false, true,
	},
	[KVMX_TOP_EXITS_SAME_LLC] = {
		KVMX_STATS_SCHED, EXITS_AT(KVMX_D_LLC), false, true,
	},
	[KVMX_TOP_EXITS_SAME_NODE] = {
		KVMX_STATS_SCHED, EXITS_AT(KVMX_D_NODE), false, true,
	},
	[KVMX_TOP_EXITS_OTHER_NODE] = {
		KVMX_STATS_SCHED, EXITS_AT(KVMX_D_OTHER), false, true,
	},
	[KVMX_TOP_RANGES] = {
		KVMX_STATS_MMU, offsetof(struct kvmx_more, mmu.ranges), false,
	},
	[KVMX_TOP_PORTS] = {
		KVMX_STATS_IO, offsetof(struct kvmx_more, io.ports), false,
	},
	[KVMX_TOP_MMIO] = {
		KVMX_STATS_IO, offsetof(struct kvmx_more, io.mmio), false,
	},
};

/**
 * kvmx_top_group() - which group a list belongs to
 * @what: KVMX_TOP_*
 *
 * Return: KVMX_STATS_* bit, 0 for an unknown list.
 */
u32 kvmx_top_group(u32 what)
{
	return what < ARRAY_SIZE(kinds) ? kinds[what].group : 0;
}

/**
 * kvmx_top_names() - does a list tell of threads of the host?
 * @what: KVMX_TOP_*, known
 *
 * Return: true if so.
 */
bool kvmx_top_names(u32 what)
{
	return kinds[what].names;
}

static void add_table(struct kvmx_top_list *list, const struct kvmx_topk *t)
{
	unsigned int i;

	list->others_count += t->others_count;
	list->others_time += t->others_time;
	for (i = 0; i < KVMX_TOPK_ROWS; i++) {
		const struct kvmx_topk_row *r = &t->row[i];
		struct kvmx_top_row *to;

		if (!r->rank)
			continue;
		to = &list->row[list->nr++];
		to->key = r->key;
		to->count = r->count;
		to->time = r->time;
		to->missed = r->rank - r->count;
		strscpy(to->name, r->name, sizeof(r->name));
	}
}

static int by_key(const void *a, const void *b)
{
	const struct kvmx_top_row *x = a, *y = b;

	return x->key < y->key ? -1 : x->key > y->key;
}

static int by_count(const void *a, const void *b)
{
	const struct kvmx_top_row *x = a, *y = b;

	return x->count > y->count ? -1 : x->count < y->count;
}

/* The same key on several vCPUs makes one row. */
static void merge(struct kvmx_top_list *list)
{
	struct kvmx_top_row *to = list->row;
	u32 i;

	if (!list->nr)
		return;
	sort(list->row, list->nr, sizeof(*to), by_key, NULL);
	for (i = 1; i < list->nr; i++) {
		const struct kvmx_top_row *r = &list->row[i];

		if (r->key != to->key) {
			*++to = *r;
			continue;
		}
		to->count += r->count;
		to->time += r->time;
		to->missed += r->missed;
	}
	list->nr = to + 1 - list->row;
	sort(list->row, list->nr, sizeof(*to), by_count, NULL);
}

static void name_codes(struct kvmx_top_list *list)
{
	u32 i;

	for (i = 0; i < list->nr; i++)
		kvmx_schema_name(list->row[i].key, list->row[i].name,
				 sizeof(list->row[i].name));
}

static void add_vcpu(struct kvmx_top_list *list, const struct kvmx_vcpu *v,
		     u32 what, struct kvmx_topk *buf)
{
	const struct kvmx_more *more = READ_ONCE(v->more);

	if (!more)
		return;
	kvmx_snap_topk((void *)more + kinds[what].offset, buf);
	add_table(list, buf);
}

/**
 * kvmx_top_make() - collect the hottest
 * @list: filled; kvmx_top_free() it
 * @vm: the VM; the caller holds a reference
 * @vcpu: one of its vCPUs, or NULL for all
 * @what: KVMX_TOP_*, known
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int kvmx_top_make(struct kvmx_top_list *list, struct kvmx_vm *vm,
		  struct kvmx_vcpu *vcpu, u32 what)
{
	u32 room = vcpu ? 1 : READ_ONCE(vm->nr_vcpus);
	struct kvmx_topk *buf = kmalloc(sizeof(*buf), GFP_KERNEL);
	struct kvmx_vcpu *v;

	memset(list, 0, sizeof(*list));
	list->row = kvcalloc(room * KVMX_TOPK_ROWS, sizeof(*list->row),
			     GFP_KERNEL);
	if (!buf || !list->row) {
		kfree(buf);
		kvmx_top_free(list);
		return -ENOMEM;
	}
	if (vcpu) {
		add_vcpu(list, vcpu, what, buf);
	} else {
		/* vCPUs that were born since are left out. */
		kvmx_vm_for_each_vcpu(v, vm)
			if (room && room--)
				add_vcpu(list, v, what, buf);
	}
	merge(list);
	if (kinds[what].codes)
		name_codes(list);
	kfree(buf);
	return 0;
}

void kvmx_top_free(struct kvmx_top_list *list)
{
	kvfree(list->row);
	list->row = NULL;
}
