// SPDX-License-Identifier: GPL-2.0-only
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/minmax.h>
#include <linux/pid.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/workqueue.h>
#include <linux/kvmx_place.h>

#include "core/event.h"
#include "core/feature.h"
#include "core/hook.h"
#include "core/kprobes.h"
#include "core/tasks.h"
#include "core/topo.h"
#include "core/vm.h"
#include "place/apply.h"
#include "place/auto.h"
#include "place/follow.h"
#include "place/place.h"
#include "place/rows.h"
#include "place/settle.h"
#include "place/tend.h"
#include "place/told.h"
#include "place/undo.h"

/* Making, changing and ending placements. */
static DEFINE_MUTEX(place_lock);

static void post(struct kvmx_vm *vm, u32 type, u64 arg)
{
	struct kvmx_news news = { .vcpu = KVMX_NO_VCPU, .arg = arg };

	kvmx_vm_post(vm, type, &news);
}

/* What a plan would be, of threads that nobody is told of. */
static int try_dry(struct kvmx_vm *vm, struct kvmx_wishes *w,
		   struct kvmx_rows *rows)
{
	struct kvmx_placement *p = kvmx_placement_alloc(vm);
	struct kvmx_layout *none = NULL;
	int err;

	if (!p)
		return -ENOMEM;
	p->dry = true;
	mutex_lock(&p->lock);
	err = kvmx_follow_wishes(p, w, &none, rows);
	kvmx_undo_forget_all(p);
	mutex_unlock(&p->lock);
	kvmx_placement_put(p);
	return err;
}

/* @a, or nothing, moves the vCPUs of a placement from now on. */
static void use_auto(struct kvmx_placement *p, struct kvmx_auto *a)
{
	lockdep_assert_held(&place_lock);
	mutex_lock(&p->lock);
	swap(a, p->watch);
	mutex_unlock(&p->lock);
	kvmx_auto_end(a);
	if (p->watch)
		kvmx_auto_begin(p->watch);
}

/* Policy auto has decided. */
static void move(struct kvmx_vm *vm, const struct kvmx_auto_move *m)
{
	struct kvmx_layout *before = NULL;
	struct kvmx_placement *p;

	mutex_lock(&place_lock);
	p = kvmx_placement_get(vm);
	if (p) {
		mutex_lock(&p->lock);
		if (!p->over && p->watch == m->by)
			kvmx_follow_move(p, m, &before);
		mutex_unlock(&p->lock);
	}
	mutex_unlock(&place_lock);
	kvmx_placement_put(p);
	/* The others' threads have more CPUs than before, or fewer. */
	if (before)
		kvmx_tend_all_soon();
	kvmx_layout_free(before);
}

static void finish(struct kvmx_placement *p)
{
	lockdep_assert_held(&place_lock);
	use_auto(p, NULL);
	mutex_lock(&p->lock);
	p->over = true;
	kvmx_undo_all(p);
	mutex_unlock(&p->lock);
	/* Births that are under way are told, and restored as their parents were. */
	kvmx_settle(p);

	/* What of them is not told any more is found below. */
	kvmx_tasks_unwatch(p->vm);
	kvmx_kprobes_put(KVMX_WANT_TASKS);

	mutex_lock(&p->lock);
	/* None may be forgotten. */
	while (kvmx_apply_scan(p, false) == -ENOMEM)
		msleep(20);
	kvmx_undo_all(p);
	kvmx_undo_forget_all(p);
	mutex_unlock(&p->lock);
	kvmx_placement_withdraw(p);
	kvmx_tend_all_soon();
}

static int watch(struct kvmx_vm *vm)
{
	int err = kvmx_kprobes_get(KVMX_WANT_TASKS);

	if (err)
		return err;
	err = kvmx_tasks_watch(vm);
	if (err)
		kvmx_kprobes_put(KVMX_WANT_TASKS);
	return err;
}

static int try_first(struct kvmx_vm *vm, void *owner, struct kvmx_wishes *w,
		     struct kvmx_rows *rows)
{
	struct kvmx_placement *p = kvmx_placement_alloc(vm);
	struct kvmx_layout *none = NULL;
	int err;

	lockdep_assert_held(&place_lock);
	if (!p)
		return -ENOMEM;
	p->owner = owner;
	kvmx_placement_publish(p);
	err = watch(vm);
	if (err) {
		kvmx_placement_withdraw(p);
		kvmx_placement_put(p);
		return err;
	}
	mutex_lock(&p->lock);
	err = kvmx_follow_wishes(p, w, &none, rows);
	mutex_unlock(&p->lock);
	if (err)
		finish(p);
	kvmx_placement_put(p);
	return err;
}

/* The plan before, if it was committed, stays in reserve until this one is. */
static int try_replace(struct kvmx_placement *p, void *owner,
		       struct kvmx_wishes *w, struct kvmx_rows *rows)
{
	struct kvmx_layout *before = NULL;
	int err;

	lockdep_assert_held(&place_lock);
	mutex_lock(&p->lock);
	err = kvmx_follow_wishes(p, w, &before, rows);
	if (!err && !p->owner) {
		p->kept = before;
		p->owner = owner;
	} else if (!err) {
		kvmx_layout_free(before);
	}
	mutex_unlock(&p->lock);
	return err;
}

/* The placement of a VM that @owner may change, with a reference, or NULL. */
static int mine(struct kvmx_vm *vm, void *owner, struct kvmx_placement **to)
{
	lockdep_assert_held(&place_lock);
	*to = NULL;
	if (READ_ONCE(vm->gone))
		return -ESRCH;
	*to = kvmx_placement_get(vm);
	if (!*to || !(*to)->owner || (*to)->owner == owner)
		return 0;
	kvmx_placement_put(*to);
	*to = NULL;
	return -EBUSY;
}

/* Threads of a process cannot serve the policies of two VMs. */
static int only_one(struct kvmx_vm *vm)
{
	struct kvmx_vm *one = kvmx_vm_get_by_pid(vm->pid);

	if (IS_ERR(one))
		return PTR_ERR(one) == -ENOENT ? -ESRCH : PTR_ERR(one);
	kvmx_vm_put(one);
	return 0;
}

/* What can be had without kvmx_auto_new() is a plan that is refused. */
static int prepare_auto(struct kvmx_vm *vm, const struct kvmx_wishes *w,
			u32 flags, struct kvmx_auto **to)
{
	int err = 0;

	if (w->policy == KVMX_POLICY_AUTO && !(flags & KVMX_PLACE_DRY_RUN))
		err = kvmx_auto_new(vm, w->interval_ms, to);
	return err == -EOPNOTSUPP ? 0 : err;
}

static int make(struct kvmx_vm *vm, void *owner, struct kvmx_wishes *w,
		u32 flags, struct kvmx_rows *rows)
{
	struct kvmx_auto *a = NULL;
	struct kvmx_placement *p;
	int err = mine(vm, owner, &p);

	if (err == -EBUSY && flags & KVMX_PLACE_DRY_RUN)
		err = 0;
	if (!err)
		err = only_one(vm);
	if (!err)
		err = prepare_auto(vm, w, flags, &a);
	if (!err && flags & KVMX_PLACE_DRY_RUN)
		err = try_dry(vm, w, rows);
	else if (!err && !p)
		err = try_first(vm, owner, w, rows);
	else if (!err && flags & KVMX_PLACE_REPLACE)
		err = try_replace(p, owner, w, rows);
	else if (!err)
		err = -EBUSY;
	kvmx_placement_put(p);
	if (err || flags & KVMX_PLACE_DRY_RUN) {
		kvmx_auto_end(a);
		return err;
	}
	p = kvmx_placement_get(vm);
	use_auto(p, a);
	kvmx_placement_put(p);
	return 0;
}

/**
 * kvmx_place_make() - place a VM
 * @vm: the VM
 * @owner: whom the placement belongs to until it is committed
 * @w: what is wanted; the caller keeps its reference
 * @flags: KVMX_PLACE_*
 * @rows: filled, also when the plan is refused; to be freed in any case
 *
 * Context: may sleep.
 * Return: 0, or as docs/abi.md says.
 */
int kvmx_place_make(struct kvmx_vm *vm, void *owner, struct kvmx_wishes *w,
		    u32 flags, struct kvmx_rows *rows)
{
	int err;

	memset(rows, 0, sizeof(*rows));
	if (kvmx_feature_state(KVMX_F_PLACE) == KVMX_FEATURE_OFF)
		return -EOPNOTSUPP;
	mutex_lock(&place_lock);
	err = make(vm, owner, w, flags, rows);
	mutex_unlock(&place_lock);
	if (flags & KVMX_PLACE_DRY_RUN)
		return err;
	if (!err)
		post(vm, KVMX_EVENT_PLACED, w->policy);
	else if (err == -ERANGE)
		post(vm, KVMX_EVENT_REFUSED, -err);
	/* Others have CPUs now that are not theirs any more. */
	if (!err)
		kvmx_tend_all_soon();
	return err;
}

/**
 * kvmx_place_commit() - a placement belongs to nobody any more
 * @vm: its VM
 * @owner: whom it belongs to
 *
 * Context: may sleep.
 * Return: 0, also where it is committed; -ENOENT; -EBUSY; -ESRCH.
 */
int kvmx_place_commit(struct kvmx_vm *vm, void *owner)
{
	struct kvmx_layout *kept = NULL;
	struct kvmx_placement *p;
	int err;

	mutex_lock(&place_lock);
	err = mine(vm, owner, &p);
	if (p) {
		swap(kept, p->kept);
		p->owner = NULL;
	} else if (!err) {
		err = -ENOENT;
	}
	mutex_unlock(&place_lock);
	kvmx_placement_put(p);
	kvmx_layout_free(kept);
	return err;
}

/**
 * kvmx_place_clear() - end a placement
 * @vm: its VM
 * @owner: whoever asks
 *
 * Context: may sleep.
 * Return: 0; -ENOENT; -EBUSY where it belongs to somebody else; -ESRCH.
 */
int kvmx_place_clear(struct kvmx_vm *vm, void *owner)
{
	struct kvmx_placement *p;
	int err;

	mutex_lock(&place_lock);
	err = mine(vm, owner, &p);
	if (p)
		finish(p);
	else if (!err)
		err = -ENOENT;
	mutex_unlock(&place_lock);
	kvmx_placement_put(p);
	if (!err)
		post(vm, KVMX_EVENT_CLEARED, 0);
	return err;
}

static void give_up(struct kvmx_placement *p)
{
	const struct kvmx_wishes *w = p->kept->wishes;
	struct kvmx_auto *a = NULL;
	struct kvmx_layout *l;

	lockdep_assert_held(&place_lock);
	if (prepare_auto(p->vm, w, 0, &a))
		pr_warn("kvmx: no memory for policy auto: the vCPUs of VM %llu stay where they are\n",
			p->vm->id);
	use_auto(p, a);
	mutex_lock(&p->lock);
	p->owner = NULL;
	l = kvmx_follow_kept(p);
	mutex_unlock(&p->lock);
	kvmx_layout_free(l);
	kvmx_tend_all_soon();
}

/**
 * kvmx_place_drop() - whoever made a placement goes, or has to give it up
 * @vm: its VM
 * @owner: whom it belongs to, unless it was committed
 *
 * Context: may sleep.
 */
void kvmx_place_drop(struct kvmx_vm *vm, void *owner)
{
	struct kvmx_placement *p;
	bool cleared = false;

	mutex_lock(&place_lock);
	p = kvmx_placement_get(vm);
	if (p && p->owner == owner && p->kept) {
		give_up(p);
	} else if (p && p->owner == owner) {
		finish(p);
		cleared = true;
	}
	mutex_unlock(&place_lock);
	kvmx_placement_put(p);
	if (cleared)
		post(vm, KVMX_EVENT_CLEARED, 0);
}

static void show(struct kvmx_placement *p, void *owner, struct kvmx_placed *to)
{
	const struct kvmx_wishes *w = p->layout->wishes;

	to->policy = w->policy;
	to->smt = w->smt;
	to->state = p->owner ? 0 : KVMX_PLACED_COMMITTED;
	if (p->owner == owner)
		to->state |= KVMX_PLACED_MINE;
	if (w->enforce)
		to->state |= KVMX_PLACED_ENFORCED;
	to->age_ns = ktime_get_boottime_ns() - p->made_ns;
	to->births = p->births;
	to->birth_ns_max = p->birth_ns_max;
	to->birth_ns = p->birth_ns;
	to->moves = p->moves;
	to->drifts = p->drifts;
	to->refusals = p->refusals;
	to->fallbacks = p->fallbacks;
}

/**
 * kvmx_place_show() - the placement of a VM
 * @vm: the VM
 * @owner: whoever asks
 * @to: its members of (out) are filled in, but for @to->plan
 * @rows: filled; to be freed
 *
 * Context: may sleep.
 * Return: 0, also where there is none; -ENOMEM.
 */
int kvmx_place_show(struct kvmx_vm *vm, void *owner, struct kvmx_placed *to,
		    struct kvmx_rows *rows)
{
	struct kvmx_placement *p;
	int err = 0;

	memset(rows, 0, sizeof(*rows));
	/* Not while one is being made. */
	mutex_lock(&place_lock);
	p = kvmx_placement_get(vm);
	if (p) {
		mutex_lock(&p->lock);
		show(p, owner, to);
		err = kvmx_rows_copy(p, p->layout, rows);
		mutex_unlock(&p->lock);
	}
	mutex_unlock(&place_lock);
	kvmx_placement_put(p);
	return err;
}

/* A vCPU was born that the plan does not know: it stays as far as possible. */
static void replan(struct kvmx_placement *p)
{
	struct kvmx_layout *l = NULL;
	int err = 0;

	mutex_lock(&place_lock);
	mutex_lock(&p->lock);
	if (!p->over && p->layout && p->replan) {
		err = kvmx_follow_replan(p, &l);
		/* The worker comes again; there may be memory then. */
		p->replan = err == -ENOMEM;
	}
	mutex_unlock(&p->lock);
	mutex_unlock(&place_lock);
	kvmx_layout_free(l);
	if (err)
		post(p->vm, KVMX_EVENT_REFUSED, -err);
}

static void vm_ended(struct kvmx_vm *vm)
{
	struct kvmx_placement *p;

	mutex_lock(&place_lock);
	p = kvmx_placement_get(vm);
	if (p)
		finish(p);
	mutex_unlock(&place_lock);
	kvmx_placement_put(p);
}

void kvmx_place_init(void)
{
	cpus_read_lock();
	kvmx_topo_refresh();
	cpus_read_unlock();
	kvmx_tend_init(replan);
	kvmx_told_init();
	kvmx_auto_init(move);
	static_call_update(kvmx_on_vm_end, vm_ended);
	if (!kvmx_feature_denied(KVMX_F_PLACE))
		kvmx_feature_set(KVMX_F_PLACE, KVMX_FEATURE_ON,
				 "VMs can be placed");
}

/**
 * kvmx_place_exit() - all threads get back what they would have without kvmx
 *
 * Context: may sleep; nobody has an fd any more.
 */
void kvmx_place_exit(void)
{
	struct kvmx_placement *p = NULL;

	mutex_lock(&place_lock);
	while ((p = kvmx_placement_next(p)))
		finish(p);
	mutex_unlock(&place_lock);
	/* What moved vCPUs may be on its last look. */
	flush_workqueue(kvmx_wq);
	kvmx_tend_exit();
}
