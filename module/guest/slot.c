// SPDX-License-Identifier: GPL-2.0-only
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/smp.h>
#include <linux/string.h>

#include "guest/area.h"
#include "guest/latency.h"
#include "guest/slot.h"

DEFINE_HASHTABLE(guest_slots, SLOT_BITS);
unsigned int guest_nr_slots;

/* Guards the hash against others that change it, and all slots' pid. */
static DEFINE_MUTEX(slots_lock);

static bool is_alive(struct pid *pid)
{
	bool alive;

	rcu_read_lock();
	alive = pid_task(pid, PIDTYPE_PID);
	rcu_read_unlock();
	return alive;
}

/* Afterwards no CPU can find it, but some may have. */
static void unhash(struct guest_slot *slot)
{
	lockdep_assert_held(&slots_lock);
	hash_del_rcu(&slot->node);
	WRITE_ONCE(guest_nr_slots, guest_nr_slots - 1);
}

/* Those for which the thread that has it runs look again; then it is nobody's. */
static void forget(struct guest_slot *slot)
{
	unsigned int cpu;

	lockdep_assert_held(&slots_lock);
	cpus_read_lock();
	for_each_online_cpu(cpu)
		if (READ_ONCE(per_cpu_ptr(&guest_vcpu, cpu)->slot) == slot)
			smp_call_function_single(cpu, guest_latency_again, NULL,
						 true);
	cpus_read_unlock();
	put_pid(slot->pid);
	slot->pid = NULL;
	memset(slot->word, 0, sizeof(*slot->word));
}

static struct guest_slot *own(struct guest_slot *slots, unsigned int nr)
{
	unsigned int i;

	lockdep_assert_held(&slots_lock);
	for (i = 0; i < nr; i++)
		if (slots[i].pid == task_pid(current))
			return &slots[i];
	return NULL;
}

static struct guest_slot *free_one(struct guest_slot *slots, unsigned int nr)
{
	unsigned int i;

	lockdep_assert_held(&slots_lock);
	for (i = 0; i < nr; i++)
		if (!slots[i].pid)
			return &slots[i];
	/* Only then: for each we have to wait. */
	for (i = 0; i < nr; i++) {
		if (is_alive(slots[i].pid))
			continue;
		unhash(&slots[i]);
		synchronize_rcu();
		forget(&slots[i]);
		return &slots[i];
	}
	return NULL;
}

static void look_again(void)
{
	unsigned long flags;

	local_irq_save(flags);
	guest_latency_again(NULL);
	local_irq_restore(flags);
}

/**
 * guest_slot_take() - a slot for the thread that calls
 * @slots: of its file
 * @nr: of them
 * @taken: its own
 *
 * Context: may sleep.
 * Return: 0, -EBUSY: it has one, -ENOSPC: all are taken.
 */
int guest_slot_take(struct guest_slot *slots, unsigned int nr,
		    struct guest_slot **taken)
{
	struct guest_slot *slot;
	int err = -EBUSY;

	mutex_lock(&slots_lock);
	if (guest_slot_of(current))
		goto out;
	err = -ENOSPC;
	slot = free_one(slots, nr);
	if (!slot)
		goto out;
	err = 0;
	slot->pid = get_pid(task_pid(current));
	hash_add_rcu(guest_slots, &slot->node, (unsigned long)slot->pid);
	WRITE_ONCE(guest_nr_slots, guest_nr_slots + 1);
	*taken = slot;
	look_again();
out:
	mutex_unlock(&slots_lock);
	return err;
}

/**
 * guest_slot_leave() - the thread that calls needs its slot no more
 * @slots: of its file
 * @nr: of them
 *
 * Context: may sleep.
 * Return: 0, -ENOENT: it has none of these.
 */
int guest_slot_leave(struct guest_slot *slots, unsigned int nr)
{
	struct guest_slot *slot;

	mutex_lock(&slots_lock);
	slot = own(slots, nr);
	if (slot) {
		unhash(slot);
		synchronize_rcu();
		forget(slot);
	}
	mutex_unlock(&slots_lock);
	return slot ? 0 : -ENOENT;
}

/**
 * guest_slots_drop() - all of them, before their file goes
 * @slots: of the file
 * @nr: of them
 *
 * Context: may sleep. When it returns, no area has the address of one.
 */
void guest_slots_drop(struct guest_slot *slots, unsigned int nr)
{
	bool any = false;
	unsigned int i;

	mutex_lock(&slots_lock);
	for (i = 0; i < nr; i++) {
		if (!slots[i].pid)
			continue;
		unhash(&slots[i]);
		any = true;
	}
	if (any)
		synchronize_rcu();
	for (i = 0; i < nr; i++)
		if (slots[i].pid)
			forget(&slots[i]);
	mutex_unlock(&slots_lock);
}
