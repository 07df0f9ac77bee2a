// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backing.h"
#include "device.h"
#include "place_words.h"
#include "placement.h"
#include "text.h"
#include "util.h"

/* Room at first; what appears between two questions has to fit as well. */
#define SPARE	64

static __u64 address(const void *p)
{
	return (__u64)(uintptr_t)p;
}

static void make_room(struct placement *p, struct kvmx_plan *plan)
{
	unsigned int threads = plan->nr_threads + SPARE;
	unsigned int notes = plan->nr_notes + SPARE;

	free(p->threads);
	free(p->masks);
	free(p->notes);
	p->threads = xcalloc(threads, sizeof(*p->threads));
	p->masks = xcalloc(threads, sizeof(*p->masks));
	p->notes = xcalloc(notes, sizeof(*p->notes));
	*plan = (struct kvmx_plan){
		.nr_threads = threads,
		.thread_size = sizeof(*p->threads),
		.nr_notes = notes,
		.note_size = sizeof(*p->notes),
		.threads = address(p->threads),
		.masks = address(p->masks),
		.notes = address(p->notes),
	};
	p->nr_threads = threads;
	p->nr_notes = notes;
}

/* Names and texts are fit to be printed; refusing notes to the front. */
static void tidy(struct placement *p)
{
	struct kvmx_place_note *all = p->notes;
	unsigned int i, round, nr = 0;

	for (i = 0; i < p->nr_threads; i++) {
		p->threads[i].name[KVMX_COMM_LEN - 1] = '\0';
		text_clean(p->threads[i].name);
	}
	p->notes = xcalloc(p->nr_notes, sizeof(*p->notes));
	for (round = 0; round < 2; round++) {
		for (i = 0; i < p->nr_notes; i++)
			if (note_refuses(&all[i]) == !round)
				p->notes[nr++] = all[i];
	}
	for (i = 0; i < nr; i++) {
		p->notes[i].text[KVMX_REASON_LEN - 1] = '\0';
		text_clean(p->notes[i].text);
	}
	free(all);
}

/* Was there room for all? Only what was written counts. */
static bool took(struct placement *p, const struct kvmx_plan *plan)
{
	bool all = plan->nr_threads <= p->nr_threads &&
		   plan->nr_notes <= p->nr_notes;

	if (plan->nr_threads < p->nr_threads)
		p->nr_threads = plan->nr_threads;
	if (plan->nr_notes < p->nr_notes)
		p->nr_notes = plan->nr_notes;
	return all;
}

static void begin(struct placement *p, int vm)
{
	memset(p, 0, sizeof(*p));
	p->err = device_vm_info(vm, &p->vm);
	text_clean(p->vm.name);
	if (!p->err && p->vm.state & KVMX_VM_GONE)
		p->err = -ENODEV;
}

/* Is there a plan in what the module wrote? */
static bool has_plan(int err)
{
	return !err || err == -ERANGE;
}

static void read_placed(struct placement *p, int vm)
{
	struct kvmx_placed *now = &p->now;

	do {
		struct kvmx_plan plan = now->plan;

		memset(now, 0, sizeof(*now));
		make_room(p, &plan);
		now->plan = plan;
		now->mask_size = sizeof(*p->masks);
		p->err = device_placed(vm, now);
	} while (!took(p, &now->plan) && !p->err);
	if (p->err) {
		p->nr_threads = 0;
		p->nr_notes = 0;
	}
}

/* What is in force. */
void placement_read(struct placement *p, int vm)
{
	begin(p, vm);
	if (p->err)
		return;
	read_placed(p, vm);
	tidy(p);
}

static const struct cpus *given(const struct wish_cpus *c)
{
	return c->given ? &c->set : NULL;
}

/* Pages of the VM's memory by node, where that matters. */
static __u32 memory(const struct placement *p, const struct wish *w,
		    __u64 pages[BACKING_NODES])
{
	const __u64 page = (__u64)sysconf(_SC_PAGESIZE);
	struct backing b;
	unsigned int i;

	if (w->policy != KVMX_POLICY_NUMA || !backing_read(p->vm.pid, &b))
		return 0;
	for (i = 0; i < b.nr_nodes; i++)
		pages[i] = b.node[i] / page;
	return b.nr_nodes;
}

static void ask(struct placement *p, int vm, struct kvmx_place *req)
{
	const bool dry = req->flags & KVMX_PLACE_DRY_RUN;

	for (;;) {
		make_room(p, &req->plan);
		p->err = device_place(vm, req);
		if (took(p, &req->plan) || !has_plan(p->err))
			break;
		/* It is placed: to ask again is to ask what is in force. */
		if (!p->err && !dry) {
			read_placed(p, vm);
			return;
		}
	}
	if (!has_plan(p->err)) {
		p->nr_threads = 0;
		p->nr_notes = 0;
	}
	p->now.policy = req->policy;
	p->now.smt = req->smt;
}

/**
 * placement_make() - place a VM, or see what would become of it
 * @p: filled in
 * @vm: the VM's fd; as long as nobody commits, the placement ends with it
 * @w: how
 * @dry_run: change nothing
 */
void placement_make(struct placement *p, int vm, const struct wish *w,
		    bool dry_run)
{
	__u64 pages[BACKING_NODES] = { 0 };
	struct kvmx_place req = {
		.flags = (dry_run ? KVMX_PLACE_DRY_RUN : 0) |
			 (w->enforce ? KVMX_PLACE_ENFORCE : 0) |
			 (w->replace ? KVMX_PLACE_REPLACE : 0),
		.policy = w->policy,
		.smt = w->smt,
		.mask_size = sizeof(struct cpus),
		.nr_map = w->nr_map,
		.cpus = address(given(&w->cpus)),
		.emulator = address(given(&w->emulator)),
		.io = address(given(&w->io)),
		.map = address(w->map),
		.nodes = address(pages),
		.interval_ms = w->interval_ms,
	};

	begin(p, vm);
	if (p->err)
		return;
	req.nr_nodes = memory(p, w, pages);
	p->planned = dry_run;
	ask(p, vm, &req);
	tidy(p);
}

void placement_commit(struct placement *p, int vm)
{
	if (p->err)
		return;
	p->err = device_commit(vm);
	if (!p->err)
		p->now.state |= KVMX_PLACED_COMMITTED;
}

void placement_clear(struct placement *p, int vm)
{
	begin(p, vm);
	if (!p->err)
		p->err = device_clear(vm);
}

void placement_free(struct placement *p)
{
	free(p->threads);
	free(p->masks);
	free(p->notes);
}

/* All CPUs of the VM's vCPUs. */
struct cpus placement_vcpus(const struct placement *p)
{
	struct cpus all = { { 0 } };
	unsigned int i;

	for (i = 0; i < p->nr_threads; i++)
		if (p->threads[i].thread_class == KVMX_THREAD_VCPU)
			cpus_join(&all, &p->masks[i]);
	return all;
}
