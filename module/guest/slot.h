/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Words of threads, and finding that of the thread that runs.
 *
 * A thread is known by its struct pid, which a slot holds: so that it is no other
 * thread's while the slot is there, and nothing has to be heard of threads that
 * end.
 */
#ifndef KVMX_GUEST_SLOT_H
#define KVMX_GUEST_SLOT_H

#include <linux/hashtable.h>
#include <linux/pid.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/kvmx_user.h>

/* A line of the cache each: 64 in a page. */
#define SLOT_STRIDE	(KVMX_USER_MAP_SIZE / KVMX_USER_THREADS)

/**
 * struct guest_slot - a thread's word
 * @node: in the hash, while @pid is there
 * @pid: the thread; NULL: nobody's
 * @address: guest-physical, of the word
 * @word: the same, for us
 */
struct guest_slot {
	struct hlist_node node;
	struct pid *pid;
	u64 address;
	struct kvmx_user_word *word;
};

#define SLOT_BITS	8

extern unsigned int guest_nr_slots;
extern struct hlist_head guest_slots[1 << SLOT_BITS];

static inline bool guest_slots_used(void)
{
	return READ_ONCE(guest_nr_slots);
}

/* Context: any; what it returns is there until interrupts are on again. */
static inline struct guest_slot *guest_slot_of(const struct task_struct *task)
{
	struct guest_slot *slot, *found = NULL;
	struct pid *pid;

	if (likely(!guest_slots_used()))
		return NULL;
	pid = READ_ONCE(task->thread_pid);
	rcu_read_lock();
	hash_for_each_possible_rcu(guest_slots, slot, node, (unsigned long)pid) {
		if (slot->pid == pid) {
			found = slot;
			break;
		}
	}
	rcu_read_unlock();
	return found;
}

int guest_slot_take(struct guest_slot *slots, unsigned int nr,
		    struct guest_slot **taken);
int guest_slot_leave(struct guest_slot *slots, unsigned int nr);
void guest_slots_drop(struct guest_slot *slots, unsigned int nr);

#endif /* KVMX_GUEST_SLOT_H */
