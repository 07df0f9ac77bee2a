// SPDX-License-Identifier: GPL-2.0-only
/* The VMs that --watch cares for: which rule is for each, and is it in force? */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "guest.h"
#include "host.h"
#include "place_watch.h"
#include "text.h"
#include "util.h"
#include "watch.h"

/*
 * A VM that has just been born has no vCPUs and no memory yet, so what its rule
 * wants may be refused at first.
 */
#define FIRST_DELAY	100000000ULL
#define LAST_DELAY	5000000000ULL
#define PATIENCE	60000000000ULL

struct ward *ward_find(struct watcher *w, __u64 id)
{
	unsigned int i;

	for (i = 0; i < w->nr; i++)
		if (w->wards[i].id == id)
			return &w->wards[i];
	return NULL;
}

void ward_forget(struct watcher *w, __u64 id)
{
	struct ward *ward = ward_find(w, id);

	if (ward)
		*ward = w->wards[--w->nr];
}

static const struct rule *rule_for(const struct rules *rules,
				   const struct ward *ward)
{
	size_t len = 0;
	char *words = host_command_line(ward->pid, &len);
	char *guest = guest_name(words, len);
	char *cgroup = host_cgroup(ward->pid);
	const struct rule_vm vm = {
		.name = ward->name,
		.guest = guest,
		.cgroup = cgroup,
		.pid = ward->pid,
	};
	const struct rule *rule = rules_match(rules, &vm);

	free(words);
	free(guest);
	free(cgroup);
	return rule;
}

static bool wants_placement(const struct ward *ward)
{
	return ward->rule && !ward->rule->wish.leave;
}

static void say_placed(struct watcher *w, const struct ward *ward,
		       const struct placement *p)
{
	say_begin(w, "placed", ward);
	say_text(w, "VM %llu: placed by %s:%u", ward->id, w->file.path,
		 ward->rule->line);
	out_list(w->out, "vms");
	place_put(w->out, p, PLACE_BY_RULE, w->opts->explain);
	out_end(w->out);
	say_end(w);
}

static void say_failed(struct watcher *w, const struct ward *ward,
		       const struct placement *p, int vm)
{
	char *problem = placement_problem(p, w->dev, vm);

	say_begin(w, p->err == -ERANGE ? "refused" : "failed", ward);
	say_text(w, "%s:%u: %s%s", w->file.path, ward->rule->line, problem,
		 ward->again ? "; trying again" : "");
	if (p->err == -ERANGE) {
		out_list(w->out, "vms");
		place_put(w->out, p, PLACE_BY_RULE, w->opts->explain);
		out_end(w->out);
	}
	say_end(w);
	free(problem);
}

/*
 * When to try again what did not work at @now. What somebody else holds is tried
 * when he has told that he is done: by an event.
 */
static void ward_wait(struct ward *ward, __u64 now)
{
	ward->again = 0;
	if (ward->err != -ERANGE || now - ward->since > PATIENCE)
		return;
	ward->again = now + ward->delay;
	ward->delay *= 2;
	if (ward->delay > LAST_DELAY)
		ward->delay = LAST_DELAY;
}

/* Carry out the rule of a VM. What fails as it did before is not told again. */
static void ward_place(struct watcher *w, struct ward *ward)
{
	const int before = ward->err;
	struct wish wish = ward->rule->wish;
	struct placement p;
	__u64 id;
	int vm = device_open_vm(w->dev, KVMX_BY_ID, ward->id, &id);

	ward->again = 0;
	if (vm < 0)
		return;
	/* Our own placement, by a rule that has changed, is not in the way. */
	wish.replace = wish.replace || ward->placed;
	placement_make(&p, vm, &wish, false);
	placement_commit(&p, vm);
	ward->err = p.err;
	if (!p.err) {
		ward->placed = true;
		say_placed(w, ward, &p);
	} else if (p.err != -ENODEV && p.err != -ESRCH) {
		ward_wait(ward, watch_clock());
		if (p.err != before)
			say_failed(w, ward, &p, vm);
	}
	placement_free(&p);
	device_close(vm);
}

static void ward_clear(struct watcher *w, struct ward *ward)
{
	struct placement p;
	__u64 id;
	int vm = device_open_vm(w->dev, KVMX_BY_ID, ward->id, &id);

	ward->placed = false;
	if (vm < 0)
		return;
	placement_clear(&p, vm);
	say_begin(w, p.err ? "failed" : "cleared", ward);
	if (p.err)
		say_text(w, "VM %llu: clearing failed: %s", ward->id,
			 strerror(-p.err));
	else
		say_text(w, "VM %llu: cleared: no rule of %s is for it any more",
			 ward->id, w->file.path);
	say_end(w);
	placement_free(&p);
	device_close(vm);
}

static void ward_start(struct watcher *w, struct ward *ward)
{
	ward->since = watch_clock();
	ward->delay = FIRST_DELAY;
	if (wants_placement(ward))
		ward_place(w, ward);
}

/* A VM that is there: which rule is for it, and then to work. */
void ward_take(struct watcher *w, __u64 id)
{
	struct kvmx_vm_info info;
	struct ward *ward;
	int vm;

	if (ward_find(w, id))
		return;
	vm = device_open_vm(w->dev, KVMX_BY_ID, id, &id);
	if (vm < 0)
		return;
	if (!device_vm_info(vm, &info) && !(info.state & KVMX_VM_GONE)) {
		w->wards = xrealloc(w->wards, w->nr + 1, sizeof(*w->wards));
		ward = &w->wards[w->nr++];
		memset(ward, 0, sizeof(*ward));
		ward->id = id;
		ward->pid = info.pid;
		memcpy(ward->name, info.name, sizeof(ward->name) - 1);
		text_clean(ward->name);
		ward->rule = rule_for(&w->rules, ward);
		ward_start(w, ward);
	}
	device_close(vm);
}

/* All VMs: at the begin, and when events were lost. */
void wards_find(struct watcher *w)
{
	struct kvmx_vm_info *vms;
	unsigned int i, j, nr;

	list_vms(w->dev, &vms, &nr);
	for (i = w->nr; i-- > 0;) {
		for (j = 0; j < nr && vms[j].id != w->wards[i].id; j++)
			;
		if (j == nr)
			w->wards[i] = w->wards[--w->nr];
	}
	for (i = 0; i < nr; i++)
		ward_take(w, vms[i].id);
	free(vms);
}

/* Those whose time has come; @all: something happened that may help any. */
void wards_retry(struct watcher *w, bool all)
{
	const __u64 now = watch_clock();
	unsigned int i;

	for (i = 0; i < w->nr; i++) {
		struct ward *ward = &w->wards[i];

		if (!wants_placement(ward) || !ward->err)
			continue;
		if ((ward->again && ward->again <= now) || all)
			ward_place(w, ward);
	}
}

/* Somebody said that a placement of ours is no more: is it? */
void ward_cleared(struct watcher *w, struct ward *ward)
{
	struct kvmx_placed now = { .mask_size = sizeof(struct cpus) };
	__u64 id;
	int err, vm = device_open_vm(w->dev, KVMX_BY_ID, ward->id, &id);

	if (vm < 0)
		return;
	err = device_placed(vm, &now);
	device_close(vm);
	if (err || now.policy != KVMX_POLICY_NONE)
		return;
	ward->placed = false;
	say_begin(w, "cleared", ward);
	say_text(w, "VM %llu: somebody else cleared it: left so until its rule changes",
		 ward->id);
	say_end(w);
}

static void ward_new_rule(struct watcher *w, struct ward *ward,
			  const struct rule *rule)
{
	const struct rule *old = ward->rule;
	const bool same = old && rule && wish_equal(&old->wish, &rule->wish);

	ward->rule = rule;
	if (same && !ward->err)
		return;
	ward->again = 0;
	ward->err = 0;
	if (wants_placement(ward))
		ward_start(w, ward);
	else if (ward->placed)
		ward_clear(w, ward);
}

/* The file has changed: @rules take the place of those that were in force. */
void wards_new_rules(struct watcher *w, struct rules *rules)
{
	struct rules old = w->rules;
	unsigned int i;

	w->rules = *rules;
	for (i = 0; i < w->nr; i++)
		ward_new_rule(w, &w->wards[i],
			      rule_for(&w->rules, &w->wards[i]));
	rules_free(&old);
}

/* For poll(): ms until somebody is to be tried again, -1: nobody. */
int wards_timeout(const struct watcher *w)
{
	const __u64 now = watch_clock();
	__u64 first = 0;
	unsigned int i;

	for (i = 0; i < w->nr; i++)
		if (w->wards[i].again && (!first || w->wards[i].again < first))
			first = w->wards[i].again;
	if (!first)
		return -1;
	return first > now ? (int)((first - now) / 1000000) + 1 : 0;
}
