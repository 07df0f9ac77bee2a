// SPDX-License-Identifier: GPL-2.0-only
/*
 * There is no probe on sched_waking: a task that is woken on another CPU is
 * current there, or that CPU runs our probe, before the host looks at its area
 * again. The host does not look at the area of a vCPU that it has taken off; what
 * counts then is what stood there before, and that is what KVMX_LATENCY_WAITS is
 * for.
 */
#include <linux/jiffies.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/sched/rt.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include "guest/area.h"
#include "guest/latency.h"
#include "guest/slot.h"

static bool latency = true;
module_param(latency, bool, 0644);
MODULE_PARM_DESC(latency, "say that a real-time task runs or waits (default Y)");

static unsigned int wait_ms = 200;
module_param(wait_ms, uint, 0644);
MODULE_PARM_DESC(wait_ms, "how long a sleeping real-time task counts as one that waits (default 200)");

static struct tracepoint *sched_switch;
static bool watching;

/* Kernel threads aside: each CPU has some of that priority that hardly run. */
static bool is_urgent(const struct task_struct *p)
{
	return p->prio < MAX_RT_PRIO && !(p->flags & PF_KTHREAD);
}

static u32 word_now(struct guest_vcpu *v, const struct task_struct *next)
{
	if (is_urgent(next))
		return KVMX_HINT_WORD(KVMX_KIND_LATENCY, 1, KVMX_LATENCY_RUNS);
	if (likely(!v->waits))
		return 0;
	if (time_before(jiffies, v->waits_until))
		return KVMX_HINT_WORD(KVMX_KIND_LATENCY, 1, KVMX_LATENCY_WAITS);
	v->waits = false;
	return 0;
}

static noinline void find_slot(struct guest_vcpu *v,
			       const struct task_struct *next)
{
	struct guest_slot *slot = guest_slot_of(next);

	if (slot == v->slot)
		return;
	v->slot = slot;
	guest_area_user(v, slot ? slot->address : 0);
}

static void user_now(struct guest_vcpu *v, const struct task_struct *next)
{
	/* As a rule nobody has one. */
	if (unlikely(guest_slots_used() || v->slot))
		find_slot(v, next);
}

static void on_switch(void *data, bool preempt, struct task_struct *prev,
		      struct task_struct *next, unsigned int prev_state)
{
	struct guest_vcpu *v = this_cpu_ptr(&guest_vcpu);
	bool sleeps = false;
	u32 word = 0;

	if (unlikely(!v->area))
		return;
	if (READ_ONCE(latency)) {
		if (unlikely(is_urgent(prev)) && !preempt && prev_state &&
		    !(prev_state & TASK_DEAD) && wait_ms) {
			v->waits_until = jiffies + msecs_to_jiffies(wait_ms);
			v->waits = true;
			sleeps = true;
		}
		word = word_now(v, next);
	}
	/* Each sleep is a hint of its own: it may be granted again. */
	guest_area_say(v, word, 0, sleeps && word);
	user_now(v, next);
}

static void find(struct tracepoint *tp, void *priv)
{
	if (!strcmp(tp->name, "sched_switch"))
		sched_switch = tp;
}

int guest_latency_init(void)
{
	for_each_kernel_tracepoint(find, NULL);
	return sched_switch ? 0 : -ENOENT;
}

/* Is there anything to be said at all? */
bool guest_latency_wanted(u32 kinds)
{
	return (READ_ONCE(latency) && kinds & BIT(KVMX_KIND_LATENCY)) ||
	       guest_slots_used();
}

/**
 * guest_latency_again() - bring this CPU's area up to date
 * @unused: as smp_call_function() wants it
 *
 * For when it was not a switch that changed what is to be said.
 *
 * Context: on the CPU, with interrupts off.
 */
void guest_latency_again(void *unused)
{
	struct guest_vcpu *v = this_cpu_ptr(&guest_vcpu);

	if (!v->area)
		return;
	if (READ_ONCE(watching)) {
		guest_area_say(v, READ_ONCE(latency) ? word_now(v, current) : 0,
			       0, false);
		user_now(v, current);
		return;
	}
	v->waits = false;
	v->slot = NULL;
	guest_area_say(v, 0, 0, false);
	guest_area_user(v, 0);
}

bool guest_latency_watching(void)
{
	return READ_ONCE(watching);
}

/**
 * guest_latency_watch() - begin or end to look at switches
 * @on: begin
 *
 * Context: may sleep, not inside cpus_read_lock(); one at a time. A CPU that comes
 *	meanwhile looks for itself.
 * Return: 0, or why nothing can be said.
 */
int guest_latency_watch(bool on)
{
	int err;

	if (on == watching)
		return 0;
	if (on) {
		err = tracepoint_probe_register(sched_switch, on_switch, NULL);
		if (err)
			return err;
	} else {
		tracepoint_probe_unregister(sched_switch, on_switch, NULL);
		tracepoint_synchronize_unregister();
	}
	WRITE_ONCE(watching, on);
	/* Nobody may be left with what was said before. */
	on_each_cpu(guest_latency_again, NULL, 1);
	return 0;
}
