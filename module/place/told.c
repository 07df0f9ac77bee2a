// SPDX-License-Identifier: GPL-2.0-only
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/task.h>

#include "core/event.h"
#include "core/hook.h"
#include "core/tasks.h"
#include "core/vm.h"
#include "place/apply.h"
#include "place/tend.h"
#include "place/told.h"
#include "place/undo.h"

/* The placement of a VM, with its lock, if it has a plan already. */
static struct kvmx_placement *enter(struct kvmx_vm *vm)
{
	struct kvmx_placement *p = kvmx_placement_get(vm);

	if (!p)
		return NULL;
	mutex_lock(&p->lock);
	if (p->layout)
		return p;
	/* Its threads are not listed yet, this one will be. */
	mutex_unlock(&p->lock);
	kvmx_placement_put(p);
	return NULL;
}

static void leave(struct kvmx_placement *p)
{
	mutex_unlock(&p->lock);
	kvmx_placement_put(p);
}

/* Give it its CPUs; if the placement is at its end, what it had before. */
static void apply(struct kvmx_entry *e, struct task_struct *task)
{
	if (e->placement->over)
		kvmx_undo_restore(e);
	else
		kvmx_apply_thread(e, task);
}

/*
 * Whose CPUs a thread has. One that the kernel made may have been given others by
 * the kernel; a parent that has ended is not known any more.
 */
static struct kvmx_entry *heir(struct kvmx_placement *p,
			       const struct kvmx_born *born)
{
	struct kvmx_entry *parent = kvmx_undo_find(p, born->parent);

	if (parent && !born->kernel)
		return parent;
	return kvmx_apply_heir(p, born->task);
}

static void count_birth(struct kvmx_entry *e, const struct kvmx_born *born)
{
	struct kvmx_placement *p = e->placement;
	u64 ns = ktime_get_boottime_ns() - born->born_ns;
	struct kvmx_news news = {
		.tid = e->tid, .thread_class = e->thread_class,
		.vcpu = e->vcpu, .arg = ns, .name = born->task->comm,
	};

	p->births++;
	p->birth_ns += ns;
	p->birth_ns_max = max(p->birth_ns_max, ns);
	kvmx_vm_post(p->vm, KVMX_EVENT_THREAD_BORN, &news);
}

static void missed(struct kvmx_placement *p)
{
	lockdep_assert_held(&p->lock);
	p->rescan = true;
	kvmx_tend_soon();
}

/* A thread that was found before it was told of: now its parent is known. */
static bool settle(struct kvmx_entry *e, const struct kvmx_born *born)
{
	struct kvmx_entry *parent = kvmx_undo_find(e->placement, born->parent);
	bool guessed = e->guessed;

	if (guessed && parent && !born->kernel)
		kvmx_undo_inherit(e, parent);
	e->guessed = false;
	return guessed;
}

static void born_in(struct kvmx_placement *p, const struct kvmx_born *born)
{
	struct kvmx_entry *e = kvmx_undo_find(p, task_pid(born->task));
	bool fresh = !e;

	lockdep_assert_held(&p->lock);
	if (!e)
		e = kvmx_undo_note(p, born->task, heir(p, born));
	else
		fresh = settle(e, born);
	if (!e) {
		missed(p);
		return;
	}
	if (fresh)
		e->state |= KVMX_THREAD_BORN;
	e->kernel = born->kernel;
	if (born->again)
		kvmx_undo_look(e, born->task);
	if (e->thread_class != KVMX_THREAD_VCPU)
		kvmx_apply_class(e, born->thread_class, KVMX_NO_VCPU);
	apply(e, born->task);
	if (fresh && !p->over)
		count_birth(e, born);
}

static void task_born(struct kvmx_vm *vm, const struct kvmx_born *born)
{
	struct kvmx_placement *p = enter(vm);

	if (!p)
		return;
	born_in(p, born);
	leave(p);
}

static void task_renamed(struct kvmx_vm *vm, struct task_struct *task,
			 u32 thread_class)
{
	struct kvmx_placement *p = enter(vm);
	struct kvmx_entry *e;

	if (!p)
		return;
	e = kvmx_undo_find(p, task_pid(task));
	if (e && e->thread_class != thread_class &&
	    e->thread_class != KVMX_THREAD_VCPU) {
		kvmx_apply_class(e, thread_class, KVMX_NO_VCPU);
		apply(e, task);
	}
	leave(p);
}

static void task_end(struct kvmx_vm *vm, struct pid *tid)
{
	struct kvmx_placement *p = enter(vm);
	struct kvmx_entry *e;

	if (!p)
		return;
	e = kvmx_undo_find(p, tid);
	if (e)
		kvmx_undo_forget(e);
	leave(p);
}

/* The thread that ran this vCPU before is for something else now. */
static void depose(struct kvmx_placement *p, u32 vcpu,
		   const struct kvmx_entry *by)
{
	struct task_struct *task;
	struct kvmx_entry *e;
	u32 class, runs;

	lockdep_assert_held(&p->lock);
	list_for_each_entry(e, &p->entries, link) {
		if (e == by || e->vcpu != vcpu)
			continue;
		task = get_pid_task(e->tid, PIDTYPE_PID);
		if (!task)
			continue;
		class = kvmx_tasks_class(p->vm, task, &runs);
		if (runs == vcpu) {
			class = KVMX_THREAD_OTHER;
			runs = KVMX_NO_VCPU;
		}
		kvmx_apply_class(e, class, runs);
		apply(e, task);
		put_task_struct(task);
	}
}

static void vcpu_thread(struct kvmx_vm *vm, struct kvmx_vcpu *vcpu,
			struct task_struct *task)
{
	struct kvmx_placement *p = enter(vm);
	struct kvmx_entry *e;

	if (!p)
		return;
	e = kvmx_undo_find(p, task_pid(task));
	if (!e) {
		missed(p);
	} else if (e->vcpu != vcpu->index) {
		kvmx_apply_class(e, KVMX_THREAD_VCPU, vcpu->index);
		depose(p, vcpu->index, e);
		if (kvmx_layout_find(p->layout, vcpu->index) < 0) {
			p->replan = true;
			kvmx_tend_soon();
		}
		apply(e, task);
	}
	leave(p);
}

static void tasks_missed(struct kvmx_vm *vm)
{
	struct kvmx_placement *p = enter(vm);

	if (!p)
		return;
	missed(p);
	leave(p);
}

void kvmx_told_init(void)
{
	static_call_update(kvmx_on_task_born, task_born);
	static_call_update(kvmx_on_task_renamed, task_renamed);
	static_call_update(kvmx_on_task_end, task_end);
	static_call_update(kvmx_on_vcpu_thread, vcpu_thread);
	static_call_update(kvmx_on_tasks_missed, tasks_missed);
}
