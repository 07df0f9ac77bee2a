// SPDX-License-Identifier: GPL-2.0-only
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/poll.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "core/event.h"

static LIST_HEAD(queues);
static DEFINE_MUTEX(queues_lock);	/* for writing; read under RCU */

static struct kvmx_record *record_at(struct kvmx_event_queue *q, unsigned int i)
{
	return &q->ring[(q->first + i) % KVMX_EVENT_ROOM];
}

static struct kvmx_record *record_new(struct kvmx_event_queue *q, u32 type,
				      u64 now)
{
	struct kvmx_record *r = record_at(q, q->used++);

	*r = (struct kvmx_record){
		.size = sizeof(*r), .type = type, .seq = q->seq,
		.time_ns = now, .thread_class = KVMX_THREAD_OTHER,
		.vcpu = KVMX_NO_VCPU,
	};
	return r;
}

/*
 * The last place is kept for the record that tells how many did not fit; so it
 * stands where they would have stood.
 */
static void lose(struct kvmx_event_queue *q, u64 now)
{
	struct kvmx_record *last = record_at(q, q->used - 1);

	lockdep_assert_held(&q->lock);
	if (last->type != KVMX_EVENT_LOST)
		last = record_new(q, KVMX_EVENT_LOST, now);
	last->arg++;
	last->seq = q->seq;
	last->time_ns = now;
}

static void keep(struct kvmx_event_queue *q, u32 type,
		 const struct kvmx_news *news, u64 now)
{
	struct kvmx_record *r = record_new(q, type, now);

	lockdep_assert_held(&q->lock);
	r->vm = news->vm;
	r->pid = pid_nr_ns(news->pid, q->ns);
	r->arg = news->arg;
	if (news->tid) {
		r->tid = pid_nr_ns(news->tid, q->ns);
		r->thread_class = news->thread_class;
		r->vcpu = news->vcpu;
	}
	if (news->name)
		strscpy(r->name, news->name, sizeof(r->name));
}

static void queue_post(struct kvmx_event_queue *q, u32 type,
		       const struct kvmx_news *news, u64 now)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&q->lock, flags);
	q->seq++;
	if (q->used < KVMX_EVENT_ROOM - 1)
		keep(q, type, news, now);
	else
		lose(q, now);
	raw_spin_unlock_irqrestore(&q->lock, flags);
	irq_work_queue(&q->wake);
}

/**
 * kvmx_event_post() - something happened
 * @type: KVMX_EVENT_*
 * @news: about what
 *
 * Context: any but NMI; also under a run queue's lock.
 */
void kvmx_event_post(u32 type, const struct kvmx_news *news)
{
	struct kvmx_event_queue *q;
	u64 now;

	if (list_empty(&queues))
		return;
	now = ktime_get_boot_fast_ns();
	rcu_read_lock();
	list_for_each_entry_rcu(q, &queues, link)
		if (q->mask & BIT_ULL(type))
			queue_post(q, type, news, now);
	rcu_read_unlock();
}

static void queue_wake(struct irq_work *work)
{
	struct kvmx_event_queue *q = container_of(work, struct kvmx_event_queue,
						  wake);

	wake_up_interruptible_poll(&q->wait, EPOLLIN | EPOLLRDNORM);
}

/**
 * kvmx_event_open() - somebody wants to read events
 * @mask: which, 1 << KVMX_EVENT_*
 *
 * Context: may sleep. Pids are told as the caller sees them.
 * Return: the queue, or NULL when out of memory.
 */
struct kvmx_event_queue *kvmx_event_open(u64 mask)
{
	struct kvmx_event_queue *q = kzalloc(sizeof(*q), GFP_KERNEL_ACCOUNT);

	if (!q)
		return NULL;
	q->ring = kvcalloc(KVMX_EVENT_ROOM, sizeof(*q->ring),
			   GFP_KERNEL_ACCOUNT);
	if (!q->ring) {
		kfree(q);
		return NULL;
	}
	raw_spin_lock_init(&q->lock);
	q->mask = mask;
	q->ns = get_pid_ns(task_active_pid_ns(current));
	init_waitqueue_head(&q->wait);
	init_irq_work(&q->wake, queue_wake);
	mutex_lock(&queues_lock);
	list_add_tail_rcu(&q->link, &queues);
	mutex_unlock(&queues_lock);
	return q;
}

/**
 * kvmx_event_close() - nobody reads a queue any more
 * @q: the queue
 *
 * Context: may sleep; waits for those that are posting.
 */
void kvmx_event_close(struct kvmx_event_queue *q)
{
	mutex_lock(&queues_lock);
	list_del_rcu(&q->link);
	mutex_unlock(&queues_lock);
	synchronize_rcu();
	irq_work_sync(&q->wake);
	put_pid_ns(q->ns);
	kvfree(q->ring);
	kfree(q);
}

/* Is there anything to read? A hint, unless nobody else reads. */
bool kvmx_event_any(const struct kvmx_event_queue *q)
{
	return READ_ONCE(q->used);
}

/**
 * kvmx_event_peek() - the oldest record
 * @q: the queue
 * @to: where it is copied to
 *
 * Context: one reader at a time.
 * Return: false if there is none.
 */
bool kvmx_event_peek(struct kvmx_event_queue *q, struct kvmx_record *to)
{
	bool any;

	raw_spin_lock_irq(&q->lock);
	any = q->used;
	if (any)
		*to = *record_at(q, 0);
	raw_spin_unlock_irq(&q->lock);
	return any;
}

/**
 * kvmx_event_drop() - the oldest record was read
 * @q: the queue, which is not empty
 *
 * Only the newest record is ever written to, and that is the oldest one as well
 * only where nothing is lost: what was copied is what is dropped.
 *
 * Context: one reader at a time.
 */
void kvmx_event_drop(struct kvmx_event_queue *q)
{
	raw_spin_lock_irq(&q->lock);
	q->first = (q->first + 1) % KVMX_EVENT_ROOM;
	q->used--;
	raw_spin_unlock_irq(&q->lock);
}
