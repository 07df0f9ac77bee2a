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

/* A VM as it was found. */
struct look {
	struct kvmx_vm_info vm;
	struct kvmx_hint policy;
	struct kvmx_hint_counts kinds[KVMX_NR_KINDS];
};

/* All that were found at one time. */
struct looks {
	struct look *vms;
	unsigned int nr;
};

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
static bool is_shown(const struct look *l, __u32 kind)
{
	const struct kvmx_hint_counts *c = &l->kinds[kind];

	return l->policy.kinds[kind].effect != KVMX_EFFECT_OFF || c->given ||
	       refused(c) || (kind && c->calls) || c->area_lost;
}

static void put_vm(struct out *o, const struct look *l)
{
	const bool off = hint_is_off(&l->policy);
	const struct kvmx_vm_info *vm = &l->vm;
	__u32 kind;

	out_begin(o, NULL);
	out_say(o, "VM %llu: pid %d, %s%s", vm->id, vm->pid,
		vm->name[0] ? vm->name : "-",
		off ? ", is not allowed to hint" : "");
	out_field(o, "id", NULL, val_num(vm->id));
	out_field(o, "pid", NULL, val_num((__u64)vm->pid));
	out_field(o, "name", NULL, val_str(vm->name));
	out_field(o, "allowed", NULL, val_bool(!off));
	if (!off)
		put_policy(o, &l->policy);
	out_table(o, "kinds", kind_columns, ARRAY_SIZE(kind_columns));
	for (kind = 0; kind < KVMX_NR_KINDS; kind++)
		if (is_shown(l, kind))
			put_kind(o, kind, &l->policy.kinds[kind],
				 &l->kinds[kind]);
	out_end(o);
	for (kind = 0; kind < KVMX_NR_KINDS; kind++)
		say_refused(o, kind, &l->kinds[kind]);
	out_end(o);
}

static void put_all(struct out *o, const struct looks *all)
{
	unsigned int i;

	out_begin(o, NULL);
	out_list(o, "vms");
	for (i = 0; i < all->nr; i++)
		put_vm(o, &all->vms[i]);
	out_end(o);
	out_end(o);
	out_finish(o);
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

/* A VM that was not there before has been counted from 0 on. */
static struct look since(const struct look *now, const struct looks *before)
{
	struct look l = *now;
	unsigned int i, kind;

	for (i = 0; i < before->nr; i++)
		if (before->vms[i].vm.id == now->vm.id)
			break;
	for (kind = 0; i < before->nr && kind < KVMX_NR_KINDS; kind++)
		take_away(&l.kinds[kind], &before->vms[i].kinds[kind]);
	return l;
}

/* What is new in @now, which is then what was before. */
static void put_new(struct out *o, struct looks *before, struct looks *now)
{
	struct looks diff = {
		.vms = xcalloc(now->nr, sizeof(*diff.vms)),
		.nr = now->nr,
	};
	unsigned int i;

	for (i = 0; i < now->nr; i++)
		diff.vms[i] = since(&now->vms[i], before);
	put_all(o, &diff);
	free(diff.vms);
	free(before->vms);
	*before = *now;
}

static int read_counts(int fd, __u32 vcpu, struct kvmx_hint_counts *kinds)
{
	__u32 kind;
	int err = 0;

	for (kind = 0; kind < KVMX_NR_KINDS && !err; kind++)
		err = device_hint_counts(fd, vcpu == NO_VCPU ?
					 KVMX_STATS_WHOLE_VM : vcpu, kind,
					 &kinds[kind]);
	return err;
}

/* Return: false if it has ended since it was listed, or has no such vCPU. */
static bool look_at(struct look *to, int dev, const struct kvmx_vm_info *vm,
		    __u32 vcpu)
{
	__u64 id;
	int err, fd = device_open_vm(dev, KVMX_BY_ID, vm->id, &id);

	if (fd < 0)
		return false;
	to->vm = *vm;
	err = device_hinted(fd, &to->policy);
	if (!err)
		err = read_counts(fd, vcpu, to->kinds);
	device_close(fd);
	if (err == -ENOTTY)
		fail(EX_OTHER_ABI, "the module knows nothing of hints: it is older than this tool");
	if (err && err != -ENODEV && err != -ENOENT)
		fail(EX_FAILED, "asking for the hints of VM %llu failed: %s",
		     vm->id, strerror(-err));
	return !err;
}

/* Those that are there; @chosen: only this one. */
static struct looks look_around(int dev, const struct hint_options *opts,
				__u64 chosen)
{
	struct looks all = { 0 };
	struct kvmx_vm_info *vms;
	unsigned int i, nr;

	list_vms(dev, &vms, &nr);
	all.vms = xcalloc(nr, sizeof(*all.vms));
	for (i = 0; i < nr; i++)
		if ((!chosen || vms[i].id == chosen) &&
		    look_at(&all.vms[all.nr], dev, &vms[i], opts->vcpu))
			all.nr++;
	free(vms);
	return all;
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
	struct looks before, now;

	if (opts->selection.by != SELECT_ALL)
		device_close(select_vm(dev, &opts->selection, &chosen));
	before = look_around(dev, opts, chosen);
	if (opts->vcpu != NO_VCPU && !before.nr)
		fail(EX_NO_VM, "there is no vCPU %u: see \"kvmx list -v\"",
		     opts->vcpu);
	if (chosen && !before.nr)
		fail(EX_NO_VM, "VM %llu has ended", chosen);
	if (!opts->interval)
		put_all(o, &before);
	while (opts->interval) {
		hint_wait(opts);
		now = look_around(dev, opts, chosen);
		if (chosen && !now.nr) {
			complain("VM %llu is gone", chosen);
			break;
		}
		put_new(o, &before, &now);
		if (++done == opts->count)
			break;
	}
	free(before.vms);
}
