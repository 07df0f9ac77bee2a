// SPDX-License-Identifier: GPL-2.0-only
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/task_work.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "core/hook.h"
#include "core/tasks.h"
#include "core/tasks_errand.h"
#include "core/threads.h"
#include "core/vm.h"

enum errand_kind {
	BORN,
	RENAMED,
	ENDED,
	RUNS,
};

/**
 * struct errand - something that a listener is to be told
 * @work: left with a thread
 * @link: or with the worker
 * @watch: for whom, referenced
 * @kind: what
 * @counted: in @births of the watch
 * @task: who, referenced; NULL: the thread that carries it
 * @pid: of BORN the parent, of ENDED the thread, referenced
 * @vcpu: of RUNS; its VM is held by @watch
 * @born_ns: of BORN
 * @due: the worker's next turn, in jiffies
 * @turns: how many of those there were
 * @name: of RENAMED, by which it may not be known yet
 */
struct errand {
	struct callback_head work;
	struct list_head link;
	struct kvmx_watch *watch;
	enum errand_kind kind;
	bool counted;
	struct task_struct *task;
	struct pid *pid;
	struct kvmx_vcpu *vcpu;
	u64 born_ns;
	unsigned long due;
	unsigned int turns;
	char name[TASK_COMM_LEN];
};

/*
 * The worker's errands, by how many turns they had: each list is in the order in
 * which they are due. What the kernel makes resets its own CPUs while it begins.
 */
#define MAX_TURNS	3
static const unsigned int turn_ms[MAX_TURNS] = { 0, 4, 40 };
static struct list_head queue[MAX_TURNS];
static DEFINE_RAW_SPINLOCK(queue_lock);

static void errands_work(struct work_struct *unused);
static DECLARE_DELAYED_WORK(worker, errands_work);

static atomic_t inflight;
static DECLARE_WAIT_QUEUE_HEAD(idle);

/* Lockdep is to know that unwatching waits for listeners. */
static struct lock_class_key listening_key;
static struct lockdep_map listening __maybe_unused;

void kvmx_errands_wait_begin(void)
{
	lock_map_acquire(&listening);
}

void kvmx_errands_wait_end(void)
{
	lock_map_release(&listening);
}

/**
 * kvmx_errands_kick() - the worker has something to do
 *
 * Context: any in which work may be queued.
 */
void kvmx_errands_kick(void)
{
	mod_delayed_work(kvmx_wq, &worker, 0);
}

static void errand_free(struct errand *e)
{
	if (e->counted)
		atomic_dec(&e->watch->births);
	kvmx_watch_put(e->watch);
	put_pid(e->pid);
	if (e->task)
		put_task_struct(e->task);
	kfree(e);
	if (atomic_dec_and_test(&inflight))
		wake_up(&idle);
}

/* Takes over the reference on the watch. */
static struct errand *errand_new(struct kvmx_watch *w, enum errand_kind kind)
{
	struct errand *e = kzalloc(sizeof(*e), GFP_ATOMIC | __GFP_NOWARN);

	if (!e) {
		kvmx_watch_todo(w, KVMX_TODO_MISSED);
		kvmx_watch_put(w);
		return NULL;
	}
	atomic_inc(&inflight);
	e->watch = w;
	e->kind = kind;
	e->counted = kind == BORN;
	if (e->counted)
		atomic_inc(&w->births);
	return e;
}

static struct task_struct *errand_task(const struct errand *e)
{
	return e->task ?: current;
}

static void tell_born(struct errand *e)
{
	struct kvmx_born born = {
		.task = errand_task(e),
		.parent = e->pid,
		.born_ns = e->born_ns,
		.kernel = kvmx_task_kernel(errand_task(e)),
		.again = e->turns,
	};
	u32 vcpu;

	born.thread_class = kvmx_tasks_class(e->watch->vm, born.task, &vcpu);
	static_call(kvmx_on_task_born)(e->watch->vm, &born);
}

static void tell_renamed(struct errand *e)
{
	struct task_struct *task = errand_task(e);
	u32 vcpu, class = kvmx_task_class(e->watch->vm, task, e->name, &vcpu);

	static_call(kvmx_on_task_renamed)(e->watch->vm, task, class);
}

static void tell_ended(struct errand *e)
{
	struct kvmx_vm *vm = e->watch->vm;
	struct kvmx_vcpu *v;

	kvmx_vm_for_each_vcpu(v, vm)
		if (kvmx_threads_left(v, e->pid))
			kvmx_watch_todo(e->watch, KVMX_TODO_LOOK);
	static_call(kvmx_on_task_end)(vm, e->pid);
}

static void tell(struct errand *e)
{
	/* Of a thread that ends nothing else is told any more. */
	if (e->kind != ENDED && errand_task(e)->flags & PF_EXITING)
		return;
	switch (e->kind) {
	case BORN:
		tell_born(e);
		break;
	case RENAMED:
		tell_renamed(e);
		break;
	case ENDED:
		tell_ended(e);
		break;
	case RUNS:
		static_call(kvmx_on_vcpu_thread)(e->watch->vm, e->vcpu,
						 errand_task(e));
		break;
	}
}

static void errand_run(struct errand *e)
{
	if (!kvmx_watch_enter(e->watch))
		return;
	lock_map_acquire(&listening);
	tell(e);
	lock_map_release(&listening);
	kvmx_watch_leave(e->watch);
}

static void errand_queue(struct errand *e)
{
	unsigned long flags;

	e->due = jiffies + msecs_to_jiffies(turn_ms[e->turns]);
	raw_spin_lock_irqsave(&queue_lock, flags);
	list_add_tail(&e->link, &queue[e->turns]);
	raw_spin_unlock_irqrestore(&queue_lock, flags);
}

static void errand_to_worker(struct errand *e)
{
	errand_queue(e);
	kvmx_errands_kick();
}

static void errand_carried(struct callback_head *work)
{
	struct errand *e = container_of(work, struct errand, work);

	errand_run(e);
	errand_free(e);
}

/* Runs before the thread is in user space, or in a guest, next. */
static void errand_to_thread(struct errand *e, struct task_struct *task)
{
	init_task_work(&e->work, errand_carried);
	/* Otherwise it is beyond running work: it ends. */
	if (task_work_add(task, &e->work, TWA_RESUME))
		errand_free(e);
}

static struct errand *errand_due(void)
{
	struct errand *e, *found = NULL;
	int i;

	raw_spin_lock_irq(&queue_lock);
	for (i = 0; i < MAX_TURNS && !found; i++) {
		e = list_first_entry_or_null(&queue[i], struct errand, link);
		if (e && (time_after_eq(jiffies, e->due) ||
			  READ_ONCE(e->watch->closed))) {
			list_del(&e->link);
			found = e;
		}
	}
	raw_spin_unlock_irq(&queue_lock);
	return found;
}

/* What the kernel made is looked at more than once. */
static bool errand_again(struct errand *e)
{
	if (e->kind != BORN && e->kind != RENAMED)
		return false;
	if (!kvmx_task_kernel(e->task) || ++e->turns == MAX_TURNS)
		return false;
	e->kind = BORN;
	errand_queue(e);
	return true;
}

static unsigned long errands_next(void)
{
	unsigned long next = jiffies + MAX_JIFFY_OFFSET;
	struct errand *e;
	int i;

	raw_spin_lock_irq(&queue_lock);
	for (i = 0; i < MAX_TURNS; i++) {
		e = list_first_entry_or_null(&queue[i], struct errand, link);
		if (e && time_before(e->due, next))
			next = e->due;
	}
	raw_spin_unlock_irq(&queue_lock);
	return next;
}

static void errands_work(struct work_struct *unused)
{
	unsigned long next, now;
	struct errand *e;

	while ((e = errand_due())) {
		errand_run(e);
		if (!errand_again(e))
			errand_free(e);
		cond_resched();
	}
	next = errands_next();
	kvmx_watches_work(&next);
	now = jiffies;
	/* Not mod_: who kicks meanwhile is not to be put off. */
	if (time_before(next, now + MAX_JIFFY_OFFSET / 2))
		queue_delayed_work(kvmx_wq, &worker,
				   time_after(next, now) ? next - now : 0);
}

/* Of which VM is this thread, or will it be? In the kernel only names tell. */
static struct kvmx_watch *watch_of(struct task_struct *task, const char *name)
{
	struct kvmx_watch *w = NULL;
	struct pid *owner;

	if (!(task->flags & PF_KTHREAD))
		return kvmx_watch_find(task_tgid(task));
	rcu_read_lock();
	owner = kvmx_task_owner(name);
	if (owner)
		w = kvmx_watch_find(owner);
	rcu_read_unlock();
	return w;
}

static void born_in_kernel(struct kvmx_watch *w, struct task_struct *task)
{
	struct errand *e = errand_new(w, BORN);

	if (!e)
		return;
	e->born_ns = ktime_get_boot_fast_ns();
	e->task = get_task_struct(task);
	e->pid = get_pid(task->flags & PF_KTHREAD ? w->vm->pid :
						    task_pid(current));
	errand_to_worker(e);
}

/* The listeners of core/hook.h, see there for the context. */

static void tasks_newtask(struct task_struct *child)
{
	struct kvmx_watch *w = watch_of(child, child->comm);
	struct errand *e;

	if (!w)
		return;
	if (kvmx_task_kernel(child)) {
		born_in_kernel(w, child);
		return;
	}
	e = errand_new(w, BORN);
	if (!e)
		return;
	e->born_ns = ktime_get_boot_fast_ns();
	e->pid = get_pid(task_pid(current));
	errand_to_thread(e, child);
}

static void tasks_rename(struct task_struct *task, const char *name)
{
	struct kvmx_watch *w = watch_of(task, name);
	struct errand *e;

	if (!w)
		return;
	if (task->flags & PF_KTHREAD) {
		/* Before it had this name nobody knew whose it is. */
		born_in_kernel(w, task);
		return;
	}
	e = errand_new(w, RENAMED);
	if (!e)
		return;
	strscpy(e->name, name, sizeof(e->name));
	if (task == current && !kvmx_task_kernel(task)) {
		errand_to_thread(e, task);
		return;
	}
	e->task = get_task_struct(task);
	errand_to_worker(e);
}

static void tasks_end(struct task_struct *task)
{
	struct kvmx_watch *w = watch_of(task, task->comm);
	struct errand *e;

	if (!w)
		return;
	e = errand_new(w, ENDED);
	if (!e)
		return;
	e->pid = get_pid(task_pid(task));
	errand_to_worker(e);
}

static void tasks_run(struct kvmx_vcpu *v, bool enters)
{
	struct kvmx_watch *w = kvmx_watch_find(v->vm->pid);
	struct errand *e;

	if (!w)
		return;
	if (w->vm != v->vm) {
		kvmx_watch_put(w);
		return;
	}
	e = errand_new(w, RUNS);
	if (!e)
		return;
	e->vcpu = v;
	/* Perhaps nobody has to be asked for any more. */
	kvmx_watch_todo(w, KVMX_TODO_LOOK);
	if (enters) {
		errand_to_thread(e, current);
		return;
	}
	/* It may sleep for long, and work of ours must not sleep with it. */
	e->task = get_task_struct(current);
	errand_to_worker(e);
}

void __init kvmx_errands_init(void)
{
	int i;

	lockdep_init_map(&listening, "kvmx_tasks", &listening_key, 0);
	for (i = 0; i < MAX_TURNS; i++)
		INIT_LIST_HEAD(&queue[i]);
	static_call_update(kvmx_on_newtask, tasks_newtask);
	static_call_update(kvmx_on_rename, tasks_rename);
	static_call_update(kvmx_on_end, tasks_end);
	static_call_update(kvmx_on_run, tasks_run);
}

/*
 * Bounded: a new thread and one that is on its way out of the kernel run their
 * work before they get to user space, into a guest, sleep as a halted vCPU, or
 * stop.
 */
void kvmx_errands_exit(void)
{
	/* Those of watches that are closed are due. */
	kvmx_errands_kick();
	wait_event(idle, !atomic_read(&inflight));
	cancel_delayed_work_sync(&worker);
	/* For errand_carried()'s last instructions kvmx_birth_exit() waits. */
}
