// SPDX-License-Identifier: GPL-2.0-only
#include <linux/lockdep.h>
#include <linux/numa.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/string.h>
#include <linux/kvmx_place.h>

#include "core/event.h"
#include "core/vm.h"
#include "place/apply.h"
#include "place/auto.h"
#include "place/follow.h"
#include "place/foreign.h"
#include "place/rows.h"
#include "place/undo.h"

/* Notes on moves that go from one plan to the next. */
#define MOVES_TOLD	8

/* Nobody would ever move: that is not what was asked for. */
static int check_auto(struct kvmx_layout *l)
{
	const struct kvmx_policy_note note = {
		.kind = KVMX_NOTE_NO_STATS, .cpu = KVMX_POLICY_NO_CPU,
	};

	if (l->wishes->policy != KVMX_POLICY_AUTO || kvmx_auto_possible())
		return 0;
	kvmx_layout_note(l, &note);
	return -ERANGE;
}

/*
 * A plan for what is there now; of one that is refused the notes are kept. @moved:
 * a vCPU that is to be elsewhere, or NULL.
 */
static int plan(struct kvmx_placement *p, struct kvmx_wishes *w,
		const struct kvmx_pin *moved, struct kvmx_layout **to)
{
	struct kvmx_layout *l = kvmx_layout_alloc(w, p->vm);
	int err;

	lockdep_assert_held(&p->lock);
	if (!l)
		return -ENOMEM;
	kvmx_placement_view(p, l);
	err = kvmx_layout_plan(l, p->layout, moved);
	if (!err)
		err = check_auto(l);
	if (err && err != -ERANGE) {
		kvmx_layout_free(l);
		return err;
	}
	if (!err)
		kvmx_layout_fit(l);
	*to = l;
	return err;
}

/* @what is done for each thread of @p that still exists. */
static int each(struct kvmx_placement *p,
		int (*what)(struct kvmx_entry *e, struct task_struct *task))
{
	struct kvmx_entry *e, *next;
	struct task_struct *task;
	int err = 0;

	lockdep_assert_held(&p->lock);
	list_for_each_entry_safe(e, next, &p->entries, link) {
		task = get_pid_task(e->tid, PIDTYPE_PID);
		if (!task) {
			kvmx_undo_forget(e);
			continue;
		}
		err = what(e, task);
		put_task_struct(task);
		if (err)
			break;
	}
	return err;
}

static void refuse(struct kvmx_entry *e)
{
	struct kvmx_placement *p = e->placement;
	struct kvmx_policy_note note = {
		.kind = KVMX_NOTE_OUTSIDE_CPUSET, .node = NUMA_NO_NODE,
		.tid = pid_nr(e->tid),
	};
	struct kvmx_place_of of;

	kvmx_layout_of(p->layout, e->thread_class, e->vcpu, &of);
	kvmx_layout_cpus(p->layout, of.now, p->want);
	note.cpu = cpumask_first(p->want);
	kvmx_layout_note(p->layout, &note);
}

static int check(struct kvmx_entry *e, struct task_struct *task)
{
	int err = kvmx_apply_check(e, task);

	if (err)
		refuse(e);
	return err;
}

/* One that ends meanwhile, or that the kernel keeps for itself, is no obstacle. */
static int give(struct kvmx_entry *e, struct task_struct *task)
{
	int err = kvmx_apply_thread(e, task);

	if (!err || e->kernel || task->flags & PF_EXITING)
		return 0;
	refuse(e);
	return -ERANGE;
}

static int give_leniently(struct kvmx_entry *e, struct task_struct *task)
{
	kvmx_apply_thread(e, task);
	return 0;
}

/* A new plan is a new word: where others' had stood, it is tried again. */
static int begin_anew(struct kvmx_entry *e, struct task_struct *task)
{
	e->was = e->state;
	e->state &= KVMX_THREAD_BORN;
	return 0;
}

static int go_back(struct kvmx_entry *e, struct task_struct *task)
{
	e->state = e->was;
	return kvmx_apply_thread(e, task), 0;
}

/*
 * A thread that was made meanwhile may have what its maker had before. It waits for
 * the placement's lock before its first instruction, but who asks where all
 * threads are when this is through shall be told no other than it will be.
 */
static int give_all(struct kvmx_placement *p)
{
	int err = each(p, give);

	if (!err)
		err = kvmx_apply_scan(p, false);
	return err ?: each(p, give);
}

/* With the placement's lock; whatever fails changes nothing, as far as it can. */
static int follow(struct kvmx_placement *p)
{
	int err;

	each(p, begin_anew);
	err = each(p, check);
	if (err || p->dry)
		return err;
	err = give_all(p);
	if (!err)
		kvmx_apply_fit(p, false);
	return err;
}

/* Tries another plan; where that fails, all that was changed goes back. */
static int change(struct kvmx_placement *p, struct kvmx_layout *l,
		  struct kvmx_layout **before, struct kvmx_rows *rows)
{
	int err, rows_err;

	*before = kvmx_placement_adopt(p, l);
	err = follow(p);
	rows_err = kvmx_rows_copy(p, l, rows);
	err = err ?: rows_err;
	if (!err || !*before)
		return err;
	kvmx_placement_adopt(p, *before);
	*before = NULL;
	each(p, go_back);
	kvmx_layout_free(l);
	return err;
}

/**
 * kvmx_follow_wishes() - make a plan and follow it
 * @p: the placement
 * @w: what is wanted
 * @before: set to the plan before, if there was one: it is the caller's now
 * @rows: filled with the plan, also where it is refused; may stay empty
 *
 * Where it fails, @p has the plan that it had before, if it had one.
 *
 * Context: may sleep; with the placement's lock.
 * Return: 0; -ERANGE where the plan is refused; -ESRCH; -ENOMEM; -EINVAL.
 */
int kvmx_follow_wishes(struct kvmx_placement *p, struct kvmx_wishes *w,
		       struct kvmx_layout **before, struct kvmx_rows *rows)
{
	struct kvmx_layout *l = NULL;
	int err;

	lockdep_assert_held(&p->lock);
	err = kvmx_apply_scan(p, !p->layout);
	if (!err)
		err = plan(p, w, NULL, &l);
	if (l && !err) {
		kvmx_foreign_note(l, p->vm);
		return change(p, l, before, rows);
	}
	if (l && kvmx_rows_copy(p, l, rows))
		err = -ENOMEM;
	kvmx_layout_free(l);
	return err;
}

/**
 * kvmx_follow_replan() - a vCPU is not in the plan: make another one
 * @p: the placement
 * @before: set to the plan before, if it was changed
 *
 * Context: may sleep; with the placement's lock.
 * Return: 0, or an error, and all stays as it was.
 */
int kvmx_follow_replan(struct kvmx_placement *p, struct kvmx_layout **before)
{
	struct kvmx_layout *l = NULL;
	int err = plan(p, p->layout->wishes, NULL, &l);

	if (err) {
		kvmx_layout_free(l);
		return err;
	}
	*before = kvmx_placement_adopt(p, l);
	kvmx_apply_fit(p, false);
	each(p, give_leniently);
	return 0;
}

/* What is to be known of this move, and of those before it. */
static void note_move(struct kvmx_layout *l, const struct kvmx_layout *before,
		      const struct kvmx_auto_move *m)
{
	const struct kvmx_policy_note note = {
		.kind = KVMX_NOTE_AUTO, .cpu = m->to, .node = NUMA_NO_NODE,
		.arg = m->ready,
	};
	u32 i, told = 0;

	for (i = before->nr_notes; i--;)
		told += before->notes[i].kind == KVMX_NOTE_AUTO;
	for (i = 0; i < before->nr_notes; i++)
		if (before->notes[i].kind == KVMX_NOTE_AUTO &&
		    told-- < MOVES_TOLD)
			kvmx_layout_note(l, &before->notes[i]);
	kvmx_layout_note(l, &note);
}

static void post_move(struct kvmx_placement *p, const struct kvmx_auto_move *m)
{
	struct kvmx_news news = {
		.thread_class = KVMX_THREAD_VCPU, .vcpu = m->vcpu, .arg = m->to,
	};
	struct kvmx_entry *e;

	lockdep_assert_held(&p->lock);
	list_for_each_entry(e, &p->entries, link)
		if (e->vcpu == m->vcpu)
			news.tid = e->tid;
	kvmx_vm_post(p->vm, KVMX_EVENT_MOVED, &news);
}

/**
 * kvmx_follow_move() - policy auto moves a vCPU
 * @p: the placement
 * @m: which, and where to
 * @before: set to the plan before, if it was changed
 *
 * Context: may sleep; with the placement's lock.
 * Return: 0, or an error, and all stays as it was.
 */
int kvmx_follow_move(struct kvmx_placement *p, const struct kvmx_auto_move *m,
		     struct kvmx_layout **before)
{
	const struct kvmx_pin moved = { .vcpu = m->vcpu, .cpu = m->to };
	struct kvmx_layout *l = NULL;
	int at = kvmx_layout_find(p->layout, m->vcpu), err;

	/* It was decided without the lock: another plan may have come between. */
	if (at < 0 || p->layout->out.vcpus[at].cpu != m->from)
		return -EAGAIN;
	err = plan(p, p->layout->wishes, &moved, &l);
	at = err ? -1 : kvmx_layout_find(l, m->vcpu);
	if (at < 0 || l->out.vcpus[at].cpu != m->to) {
		kvmx_layout_free(l);
		return err ?: -EAGAIN;
	}
	l->out.vcpus[at].why = KVMX_WHY_READY;
	note_move(l, p->layout, m);
	*before = kvmx_placement_adopt(p, l);
	kvmx_apply_fit(p, false);
	each(p, give_leniently);
	post_move(p, m);
	return 0;
}

/**
 * kvmx_follow_kept() - back to what was committed before
 * @p: the placement
 *
 * Context: may sleep; with the placement's lock.
 * Return: the plan that was given up.
 */
struct kvmx_layout *kvmx_follow_kept(struct kvmx_placement *p)
{
	struct kvmx_layout *l = kvmx_placement_adopt(p, p->kept);

	p->kept = NULL;
	p->replan = true;	/* vCPUs may have been born meanwhile */
	kvmx_apply_fit(p, false);
	each(p, begin_anew);
	each(p, give_leniently);
	return l;
}
