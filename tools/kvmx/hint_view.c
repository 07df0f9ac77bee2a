// SPDX-License-Identifier: GPL-2.0-only
/* What VMs are allowed to hint, and what came of it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "hint.h"
#include "text.h"
#include "util.h"

/* Counts of a VM; one that was not there before has been counted from 0 on. */
struct vm_counts {
	__u64 id;
	struct kvmx_hint_counts kinds[KVMX_NR_KINDS];
};

static struct vm_counts *before;
static unsigned int nr_before;

static const struct column kind_columns[] = {
	{ "kind", "KIND", 8, true },
	{ "effect", "EFFECT", 10, true },
	{ NULL, "GRANT", 6, false },
	{ "given", "GIVEN", 8, false },
	{ "granted", "GRANTED", 8, false },
	{ NULL, "REFUSED", 7, false },
	{ "expired", "EXPIRED", 7, false },
	{ "late", "LATE", 4, false },
	{ "time_ns", "TIME", 7, false },
	{ NULL, "USE", 6, false },
	{ "grant_us", NULL, 0, false },
	{ "refused_kind", NULL, 0, false },
	{ "refused_budget", NULL, 0, false },
	{ "refused_host", NULL, 0, false },
	{ "refused_bad", NULL, 0, false },
	{ "released", NULL, 0, false },
	{ "stale", NULL, 0, false },
	{ "useful_ns", NULL, 0, false },
	{ "calls", NULL, 0, false },
	{ "area_lost", NULL, 0, false },
	{ "taken_off", NULL, 0, false },
	{ "cost", NULL, 0, false },
};

static __u64 refused(const struct kvmx_hint_counts *c)
{
	return c->refused_kind + c->refused_budget + c->refused_host +
	       c->refused_bad;
}

static void put_kind(struct out *o, __u32 kind, const struct kvmx_hint_kind *k,
		     const struct kvmx_hint_counts *c)
{
	char effect[32], grant[16];

	hint_effect_text(effect, sizeof(effect), k);
	hint_us_text(grant, sizeof(grant), k->grant_us);

	const struct val row[] = {
		val_str(hint_kind_name(kind)),
		val_str(effect),
		k->grant_us ? val_str(grant) : val_none(),
		val_num(c->given),
		val_num(c->granted),
		val_num(refused(c)),
		val_num(c->expired),
		val_num(c->late),
		val_ns(c->time_ns),
		c->time_ns ? val_share(c->useful_ns, c->time_ns) : val_none(),
		val_num(k->grant_us),
		val_num(c->refused_kind),
		val_num(c->refused_budget),
		val_num(c->refused_host),
		val_num(c->refused_bad),
		val_num(c->released),
		val_num(c->stale),
		val_age(c->useful_ns),
		val_num(c->calls),
		val_num(c->area_lost),
		val_num(c->taken_off),
		val_num(c->cost),
	};

	out_row(o, row);
	out_end(o);
}

static void say_refused(struct out *o, __u32 kind,
			const struct kvmx_hint_counts *c)
{
	if (refused(c))
		out_say(o, "%s refused: %llu off, %llu over budget, %llu host busy, %llu malformed",
			hint_kind_name(kind), c->refused_kind,
			c->refused_budget, c->refused_host, c->refused_bad);
	if (c->area_lost)
		out_say(o, "%llu times the area of a vCPU could not be reached",
			c->area_lost);
}

static void put_policy(struct out *o, const struct kvmx_hint *h)
{
	char budget[16], period[16];

	hint_us_text(budget, sizeof(budget), h->budget_us);
	hint_us_text(period, sizeof(period), h->period_us);
	out_say(o, "each vCPU: %s in %s, %u calls a second", budget, period,
		h->calls_per_s);
	out_field(o, "budget_us", NULL, val_num(h->budget_us));
	out_field(o, "period_us", NULL, val_num(h->period_us));
	out_field(o, "calls_per_s", NULL, val_num(h->calls_per_s));
}

/*
 * Kinds that are allowed, and those of which something was counted. What is of no
 * kind (asking, registering) is of interest where it went wrong.
 */
static bool is_shown(const struct kvmx_hint *h, const struct vm_counts *c,
		     __u32 kind)
{
	return h->kinds[kind].effect != KVMX_EFFECT_OFF ||
	       c->kinds[kind].given || refused(&c->kinds[kind]) ||
	       (kind && c->kinds[kind].calls) || c->kinds[kind].area_lost;
}

static void put_vm(struct out *o, const struct kvmx_vm_info *vm,
		   const struct kvmx_hint *h, const struct vm_counts *c)
{
	__u32 kind;

	out_begin(o, NULL);
	out_say(o, "VM %llu: pid %d, %s%s", vm->id, vm->pid,
		vm->name[0] ? vm->name : "-",
		hint_is_off(h) ? ", is not allowed to hint" : "");
	out_field(o, "id", NULL, val_num(vm->id));
	out_field(o, "pid", NULL, val_num((__u64)vm->pid));
	out_field(o, "name", NULL, val_str(vm->name));
	out_field(o, "allowed", NULL, val_bool(!hint_is_off(h)));
	if (!hint_is_off(h))
		put_policy(o, h);
	out_table(o, "kinds", kind_columns, ARRAY_SIZE(kind_columns));
	for (kind = 0; kind < KVMX_NR_KINDS; kind++)
		if (is_shown(h, c, kind))
			put_kind(o, kind, &h->kinds[kind], &c->kinds[kind]);
	out_end(o);
	for (kind = 0; kind < KVMX_NR_KINDS; kind++)
		say_refused(o, kind, &c->kinds[kind]);
	out_end(o);
}

static int read_counts(int fd, __u32 vcpu, struct vm_counts *c)
{
	__u32 kind;
	int err = 0;

	for (kind = 0; kind < KVMX_NR_KINDS && !err; kind++)
		err = device_hint_counts(fd, vcpu == NO_VCPU ?
					 KVMX_STATS_WHOLE_VM : vcpu, kind,
					 &c->kinds[kind]);
	return err;
}

/* All from @given on are counts; but @cost, the last, tells how it is now. */
static void take_away(struct kvmx_hint_counts *from,
		      const struct kvmx_hint_counts *what)
{
	const size_t first = offsetof(struct kvmx_hint_counts, given);
	const size_t end = offsetof(struct kvmx_hint_counts, cost);
	__u64 *to = (__u64 *)((char *)from + first);
	const __u64 *old = (const __u64 *)((const char *)what + first);
	size_t i;

	for (i = 0; i < (end - first) / sizeof(*to); i++)
		to[i] -= old[i];
}

/* What is new since the last time, which is then this one. */
static void since_before(struct vm_counts *c)
{
	const struct vm_counts now = *c;
	unsigned int i, kind;

	for (i = 0; i < nr_before; i++) {
		if (before[i].id != c->id)
			continue;
		for (kind = 0; kind < KVMX_NR_KINDS; kind++)
			take_away(&c->kinds[kind], &before[i].kinds[kind]);
		before[i] = now;
		return;
	}
	before = xrealloc(before, nr_before + 1, sizeof(*before));
	before[nr_before++] = now;
}

static void show_vm(struct out *o, int dev, const struct kvmx_vm_info *vm,
		    const struct hint_options *opts)
{
	struct vm_counts c = { .id = vm->id };
	struct kvmx_hint h;
	__u64 id;
	int err, fd = device_open_vm(dev, KVMX_BY_ID, vm->id, &id);

	/* It has ended since it was listed. */
	if (fd < 0)
		return;
	err = device_hinted(fd, &h);
	if (!err)
		err = read_counts(fd, opts->vcpu, &c);
	device_close(fd);
	if (err == -ENOTTY)
		fail(EX_OTHER_ABI, "the module knows nothing of hints: it is older than this tool");
	if (err == -ENOENT)
		fail(EX_NO_VM, "VM %llu has no vCPU %u: see \"kvmx list -v\"",
		     vm->id, opts->vcpu);
	if (err && err != -ENODEV)
		fail(EX_FAILED, "asking for the hints of VM %llu failed: %s",
		     vm->id, strerror(-err));
	if (opts->interval)
		since_before(&c);
	if (o && !err)
		put_vm(o, vm, &h, &c);
}

static bool is_chosen(const struct kvmx_vm_info *vm, __u64 chosen)
{
	return !chosen || vm->id == chosen;
}

static void show_once(struct out *o, int dev, const struct hint_options *opts,
		      __u64 chosen)
{
	struct kvmx_vm_info *vms;
	unsigned int i, nr;

	list_vms(dev, &vms, &nr);
	if (o) {
		out_begin(o, NULL);
		out_list(o, "vms");
	}
	for (i = 0; i < nr; i++)
		if (is_chosen(&vms[i], chosen))
			show_vm(o, dev, &vms[i], opts);
	if (o) {
		out_end(o);
		out_end(o);
		out_finish(o);
	}
	free(vms);
}

/**
 * hint_show() - policies and counts, once or in intervals
 * @dev: the device
 * @opts: of whom
 */
void hint_show(int dev, const struct hint_options *opts)
{
	struct out *o = out_open(opts->format);
	__u64 chosen = 0, done = 0;

	if (opts->selection.by != SELECT_ALL)
		device_close(select_vm(dev, &opts->selection, &chosen));
	if (!opts->interval) {
		show_once(o, dev, opts, chosen);
		return;
	}
	show_once(NULL, dev, opts, chosen);
	do {
		hint_wait(opts);
		show_once(o, dev, opts, chosen);
		fflush(stdout);
	} while (++done != opts->count);
}
