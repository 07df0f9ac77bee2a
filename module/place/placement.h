/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A placement: the threads of one VM, where they belong, and what they had
 * before; and the table of all placements.
 *
 * Lifetime
 *  - In the table from the moment at which the VM's threads are watched until all
 *    of them have back what they had. The table holds a reference.
 *  - Whoever is told about a thread finds its placement by kvmx_placement_get(),
 *    with a reference, and looks at `over` once it has the lock.
 *
 * Locking
 *  - place_lock (mutex, place/place.c): making, changing and ending placements.
 *  - kvmx_placement.lock (mutex), inside it: threads and layout of one.
 *  - table_lock (mutex), inside that: the table, and what the placements in it
 *    tell each other.
 */
#ifndef KVMX_PLACE_PLACEMENT_H
#define KVMX_PLACE_PLACEMENT_H

#include <linux/cpumask.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/types.h>
#include <linux/kvmx_place.h>

#include "place/layout.h"

struct kvmx_auto;
struct kvmx_vm;
struct pid;
struct task_struct;

/* The sets of CPUs that are kept of a thread. */
enum kvmx_kept {
	KVMX_KEPT_BASE,		/* what it would have without kvmx */
	KVMX_KEPT_LAST,		/* what it had when kvmx looked last */
	KVMX_KEPT_USER,		/* what its owner asked for, then */
	KVMX_KEPT_ALLOWED,	/* what its cpuset allowed, then */
	KVMX_NR_KEPT
};

/**
 * struct kvmx_entry - a thread of a placement
 * @hash: by @tid, for whoever sees that its CPUs are changed
 * @link: in kvmx_placement.entries, in the order in which they were met
 * @tid: the thread, referenced
 * @placement: where it belongs to
 * @thread_class: KVMX_THREAD_*
 * @vcpu: index of the vCPU that it runs, or KVMX_NO_VCPU
 * @state: KVMX_THREAD_APPLIED …
 * @was: @state in the plan before, while another is tried
 * @why: KVMX_WHY_*
 * @drifts: how often somebody else changed its CPUs
 * @kernel: it never runs in user space
 * @guessed: it was found, not told of: what it would have was concluded from what
 *	it had
 * @has_user: its owner asked for CPUs; see KVMX_KEPT_USER
 * @restored: it has back what it would have without kvmx
 * @settled: after that, it was seen outside of a fork that had begun before
 * @setting: kvmx is changing its CPUs now
 * @asked: jiffies, plus one bit, when somebody called sched_setaffinity() for it;
 *	0: nobody did
 * @ran: ns that it had run when it was restored
 * @user_ran: of these, those that ticks have found it in user space, or in a guest
 * @later: jiffies before which it is not put back again
 * @rcu: it goes after a grace period
 * @sets: KVMX_NR_KEPT sets of CPUs
 */
struct kvmx_entry {
	struct hlist_node hash;
	struct list_head link;
	struct pid *tid;
	struct kvmx_placement *placement;
	u32 thread_class;
	u32 vcpu;
	u32 state;
	u32 was;
	u32 why;
	u32 drifts;
	bool kernel;
	bool guessed;
	bool has_user;
	bool restored;
	bool settled;
	bool setting;
	unsigned long asked;
	u64 ran;
	u64 user_ran;
	unsigned long later;
	struct rcu_head rcu;
	unsigned long sets[];
};

static inline struct cpumask *kvmx_kept(struct kvmx_entry *e, enum kvmx_kept set)
{
	return to_cpumask(e->sets + set * (cpumask_size() / sizeof(long)));
}

/**
 * struct kvmx_placement - the placement of a VM
 * @refs: see above
 * @link: in the table
 * @vm: the VM, referenced
 * @lock: see above
 * @dry: it is a plan only: its threads are not changed, and not found
 * @over: it ends, or has ended: nothing is to be changed any more
 * @owner: fd that it belongs to until it is committed, or NULL
 * @layout: where its threads belong
 * @kept: what was committed before @owner replaced it, or NULL
 * @watch: policy auto: what moves its vCPUs, else NULL; changed with place_lock
 * @entries: its threads
 * @nr_entries: how many those are
 * @stale: the host may have changed since @layout was fitted to it
 * @replan: it has vCPUs that are not in the layout
 * @rescan: threads may have been missed
 * @limits: what the VMM's cpusets allowed in the last view
 * @usable: CPUs that it could use when the layout was fitted last
 * @made_ns: CLOCK_BOOTTIME when it was made
 * @births: see struct kvmx_placed, as the next ones
 * @birth_ns_max: see there
 * @birth_ns: see there
 * @moves: see there
 * @drifts: see there
 * @refusals: see there
 * @fallbacks: see there
 * @want: for whoever holds @lock, as the next two
 * @now: see @want
 * @may: see @want
 */
struct kvmx_placement {
	refcount_t refs;
	struct list_head link;
	struct kvmx_vm *vm;
	struct mutex lock;
	bool dry;
	bool over;
	void *owner;
	struct kvmx_layout *layout;
	struct kvmx_layout *kept;
	struct kvmx_auto *watch;
	struct list_head entries;
	unsigned int nr_entries;
	bool stale;
	bool replan;
	bool rescan;
	cpumask_var_t limits;
	cpumask_var_t usable;
	u64 made_ns;
	u64 births;
	u64 birth_ns_max;
	u64 birth_ns;
	u64 moves;
	u64 drifts;
	u64 refusals;
	u64 fallbacks;
	cpumask_var_t want;
	cpumask_var_t now;
	cpumask_var_t may;
};

struct kvmx_placement *kvmx_placement_alloc(struct kvmx_vm *vm);
void kvmx_placement_put(struct kvmx_placement *p);

/* The table. */
void kvmx_placement_publish(struct kvmx_placement *p);
void kvmx_placement_withdraw(struct kvmx_placement *p);
struct kvmx_placement *kvmx_placement_get(const struct kvmx_vm *vm);
struct kvmx_placement *kvmx_placement_next(struct kvmx_placement *prev);
bool kvmx_placement_any(void);

/* What the others have, and what is there: for a plan, or for a fallback. */
bool kvmx_placement_limits_changed(struct kvmx_placement *p);
void kvmx_placement_view(struct kvmx_placement *p, struct kvmx_layout *l);
struct kvmx_layout *kvmx_placement_adopt(struct kvmx_placement *p,
					 struct kvmx_layout *layout);

#endif /* KVMX_PLACE_PLACEMENT_H */
