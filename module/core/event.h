/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What happens to VMs and their threads, told to whoever reads (dev/eventfd.c).
 * Anybody may post, in any context: a reader that does not keep up loses records,
 * which it is told, and never holds anybody up. (struct kvmx_event of core/hook.h
 * is something else: what a probe tells about a vCPU's thread.)
 */
#ifndef KVMX_CORE_EVENT_H
#define KVMX_CORE_EVENT_H

#include <linux/irq_work.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/kvmx_events.h>

struct pid;
struct pid_namespace;

/* Records that a queue holds, one of which may be LOST. */
#define KVMX_EVENT_ROOM		1024

/**
 * struct kvmx_news - what an event is about
 * @vm: id of the VM, 0: none
 * @pid: process of its VMM, or NULL
 * @tid: the thread, or NULL
 * @thread_class: KVMX_THREAD_*, of that thread
 * @vcpu: index of the vCPU that it runs, or KVMX_NO_VCPU
 * @arg: see KVMX_EVENT_*
 * @name: of the thread or the process, or NULL
 *
 * All of it is looked at while the event is posted only. kvmx_vm_post()
 * (core/vm.h) fills in what is known of a VM.
 */
struct kvmx_news {
	u64 vm;
	struct pid *pid;
	struct pid *tid;
	u32 thread_class;
	u32 vcpu;
	u64 arg;
	const char *name;
};

/**
 * struct kvmx_event_queue - what one reader has not read yet
 * @link: in the list of queues, which is read under RCU
 * @lock: guards the members down to @ring
 * @mask: events that are wanted, 1 << KVMX_EVENT_*
 * @seq: number of the last event, kept or lost
 * @first: the oldest record
 * @used: how many there are
 * @ring: the records
 * @ns: whose pids are told
 * @wait: who waits for a record
 * @wake: wakes them: whoever posts may not
 */
struct kvmx_event_queue {
	struct list_head link;
	raw_spinlock_t lock;
	u64 mask;
	u64 seq;
	unsigned int first;
	unsigned int used;
	struct kvmx_record *ring;
	struct pid_namespace *ns;
	wait_queue_head_t wait;
	struct irq_work wake;
};

void kvmx_event_post(u32 type, const struct kvmx_news *news);

struct kvmx_event_queue *kvmx_event_open(u64 mask);
void kvmx_event_close(struct kvmx_event_queue *q);
bool kvmx_event_any(const struct kvmx_event_queue *q);
bool kvmx_event_peek(struct kvmx_event_queue *q, struct kvmx_record *to);
void kvmx_event_drop(struct kvmx_event_queue *q);

#endif /* KVMX_CORE_EVENT_H */
