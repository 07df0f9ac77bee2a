// SPDX-License-Identifier: GPL-2.0-only
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/kernel_stat.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/tick.h>
#include <linux/workqueue.h>
#include <linux/kvmx.h>

#include "core/feature.h"
#include "core/vm.h"
#include "place/auto.h"
#include "place/placement.h"
#include "place/policy_auto.h"
#include "stats/session.h"
#include "stats/snap.h"

#define DEFAULT_MS	1000U
#define LEAST_MS	10U
#define MOST_MS		3600000U

/* What was counted of a vCPU up to the last interval. */
struct before {
	u32 index;
	bool known;
	struct kvmx_load load;
};

/**
 * struct kvmx_auto - see auto.h
 * @refs: see there
 * @lock: guards @over, and that nothing is queued after it was set
 * @over: it is not in force any more
 * @work: the next interval
 * @vm: the VM, referenced
 * @ms: an interval
 * @nr_vcpus: entries of @before and @vcpus, in the order of the layout
 * @nr_cpus: entries of @idle and @busy
 * @before: see there
 * @vcpus: what the decision is made of
 * @at: when @idle was read last, in µs
 * @idle: for how long each CPU has been idle since ever, in µs
 * @busy: see struct kvmx_auto_in
 * @closed: likewise
 * @room: for the decision
 *
 * Only the work uses what stands below @ms.
 */
struct kvmx_auto {
	refcount_t refs;
	struct mutex lock;
	bool over;
	struct delayed_work work;
	struct kvmx_vm *vm;
	u32 ms;
	u32 nr_vcpus;
	u32 nr_cpus;
	struct before *before;
	struct kvmx_auto_vcpu *vcpus;
	u64 at;
	u64 *idle;
	u32 *busy;
	u64 *closed;
	void *room;
};

static void (*make_move)(struct kvmx_vm *vm, const struct kvmx_auto_move *m);

static void put(struct kvmx_auto *a)
{
	if (!refcount_dec_and_test(&a->refs))
		return;
	kvmx_session_put(a->vm, KVMX_STATS_TLB);
	kvmx_vm_put(a->vm);
	kvfree(a->before);
	kvfree(a->vcpus);
	kvfree(a->idle);
	kvfree(a->busy);
	kvfree(a->closed);
	kvfree(a->room);
	kfree(a);
}

/* Not known before the kernel was asked for it: nothing speaks against it. */
bool kvmx_auto_possible(void)
{
	return kvmx_feature_state(KVMX_F_ENTRY) != KVMX_FEATURE_OFF &&
	       kvmx_feature_state(KVMX_F_EXIT) != KVMX_FEATURE_OFF &&
	       kvmx_feature_state(KVMX_F_SWITCH) != KVMX_FEATURE_OFF;
}

/* Another plan may have more vCPUs; of those that it had all is kept. */
static bool fit_vcpus(struct kvmx_auto *a, const struct kvmx_layout *l)
{
	struct kvmx_auto_vcpu *vcpus;
	struct before *before;
	u32 i, j;

	for (i = 0; i < l->nr_vcpus && i < a->nr_vcpus; i++)
		if (a->before[i].index != l->vcpus[i].index)
			break;
	if (i == l->nr_vcpus && i == a->nr_vcpus)
		return true;
	vcpus = kvcalloc(l->nr_vcpus + 1, sizeof(*vcpus), GFP_KERNEL);
	before = kvcalloc(l->nr_vcpus + 1, sizeof(*before), GFP_KERNEL);
	if (!vcpus || !before) {
		kvfree(vcpus);
		kvfree(before);
		return false;
	}
	for (i = 0, j = 0; i < l->nr_vcpus; i++) {
		before[i].index = l->vcpus[i].index;
		while (j < a->nr_vcpus && a->before[j].index < before[i].index)
			j++;
		if (j == a->nr_vcpus || a->before[j].index != before[i].index)
			continue;
		before[i] = a->before[j];
		vcpus[i] = a->vcpus[j];
	}
	swap(a->vcpus, vcpus);
	swap(a->before, before);
	a->nr_vcpus = l->nr_vcpus;
	kvfree(vcpus);
	kvfree(before);
	return true;
}

static u32 share(u64 part, u64 all)
{
	return all ? min_t(u64, div64_u64(min(part, all) * 1000, all), 1000) : 0;
}

static u64 rise(u64 now, u64 then)
{
	return now > then ? now - then : 0;
}

/* What one vCPU did since it was looked at last. */
static void measure_vcpu(struct kvmx_vcpu *v, struct before *b,
			 struct kvmx_auto_vcpu *to)
{
	const struct before then = *b;
	u64 all, kept, lost;

	to->ready = 0;
	to->ran = 0;
	to->kept = KVMX_AUTO_UNKNOWN;
	b->known = kvmx_snap_load(v, &b->load);
	if (!b->known || !then.known)
		return;
	all = rise(b->load.at, then.load.at);
	to->ready = share(rise(b->load.ready, then.load.ready), all);
	to->ran = share(rise(b->load.ran, then.load.ran), all);
	kept = rise(b->load.kept, then.load.kept);
	lost = rise(b->load.lost, then.load.lost);
	if (kept + lost)
		to->kept = share(kept, kept + lost);
}

static void measure_vcpus(struct kvmx_auto *a, struct kvmx_placement *p)
{
	const struct kvmx_layout *l = p->layout;
	const struct kvmx_policy_cpu *c;
	struct kvmx_entry *e;
	struct kvmx_vcpu *v;
	u32 i;
	int at;

	for (i = 0; i < a->nr_vcpus; i++)
		a->vcpus[i].cpu = l->out.vcpus[i].cpu;
	kvmx_vm_for_each_vcpu(v, a->vm) {
		at = READ_ONCE(v->key) ? kvmx_layout_find(l, v->index) : -1;
		if (at >= 0)
			measure_vcpu(v, &a->before[at], &a->vcpus[at]);
	}
	/* Who is not where the plan has him does not wait because of the plan. */
	for (i = 0; i < a->nr_vcpus; i++) {
		c = &l->cpus[a->vcpus[i].cpu];
		if (!(c->flags & KVMX_POLICY_ONLINE) ||
		    !(c->flags & KVMX_POLICY_ALLOWED))
			a->vcpus[i].ready = 0;
	}
	list_for_each_entry(e, &p->entries, link) {
		at = kvmx_layout_find(l, e->vcpu);
		if (at >= 0 && e->state & KVMX_THREAD_YIELDED)
			a->vcpus[at].ready = 0;
	}
}

/* In µs. Where the kernel does not stop the tick, by ticks. */
static u64 idle_of(unsigned int cpu)
{
	u64 idle = get_cpu_idle_time_us(cpu, NULL);
	const u64 *stat = kcpustat_cpu(cpu).cpustat;

	if (idle != -1ULL)
		return idle + get_cpu_iowait_time_us(cpu, NULL);
	return div_u64(stat[CPUTIME_IDLE] + stat[CPUTIME_IOWAIT], 1000);
}

/* Return: whether it is known for an interval. */
static bool measure_cpus(struct kvmx_auto *a)
{
	u64 then = a->at, idle;
	unsigned int cpu;

	a->at = ktime_to_us(ktime_get());
	for_each_possible_cpu(cpu) {
		if (cpu >= a->nr_cpus)
			break;
		idle = idle_of(cpu);
		a->busy[cpu] = 1000 - share(rise(idle, a->idle[cpu]),
					    a->at - then);
		a->idle[cpu] = idle;
	}
	return then;
}

static const u64 *closed_to(struct kvmx_auto *a, const struct kvmx_layout *l)
{
	const struct kvmx_wishes *w = l->wishes;
	u32 i;

	if (w->cpus)
		return NULL;
	for (i = 0; i < l->words; i++)
		a->closed[i] = (w->emulator ? w->emulator[i] : 0) |
			       (w->io ? w->io[i] : 0);
	return a->closed;
}

static bool alloc_cpus(struct kvmx_auto *a, const struct kvmx_layout *l)
{
	if (a->nr_cpus == l->nr_cpus)
		return true;
	kvfree(a->idle);
	kvfree(a->busy);
	kvfree(a->closed);
	kvfree(a->room);
	a->nr_cpus = 0;
	a->at = 0;
	a->idle = kvcalloc(l->nr_cpus, sizeof(*a->idle), GFP_KERNEL);
	a->busy = kvcalloc(l->nr_cpus, sizeof(*a->busy), GFP_KERNEL);
	a->closed = kvcalloc(l->words, sizeof(*a->closed), GFP_KERNEL);
	a->room = kvmalloc(kvmx_auto_room(l->nr_cpus), GFP_KERNEL);
	if (a->idle && a->busy && a->closed && a->room)
		a->nr_cpus = l->nr_cpus;
	return a->nr_cpus;
}

/* With the placement's lock. Return: whether somebody is to move. */
static bool decide(struct kvmx_auto *a, struct kvmx_placement *p,
		   struct kvmx_auto_move *m)
{
	struct kvmx_layout *l = p->layout;
	struct kvmx_auto_in in = { .smt = l->wishes->smt };
	struct kvmx_auto_out out;
	bool known;

	lockdep_assert_held(&p->lock);
	if (!l->planned || !alloc_cpus(a, l) || !fit_vcpus(a, l))
		return false;
	kvmx_placement_view(p, l);
	known = measure_cpus(a);
	measure_vcpus(a, p);
	if (!known)
		return false;
	in.nr_cpus = l->nr_cpus;
	in.nr_vcpus = l->nr_vcpus;
	in.cpus = l->cpus;
	in.busy = a->busy;
	in.vcpus = a->vcpus;
	in.pool = l->wishes->cpus;
	in.closed = closed_to(a, l);
	kvmx_auto_decide(&in, &out, a->room);
	if (out.verdict != KVMX_AUTO_MOVE)
		return false;
	*m = (struct kvmx_auto_move) {
		.by = a, .vcpu = l->vcpus[out.vcpu].index, .from = out.from,
		.to = out.to, .ready = out.ready / 10, .busy = out.busy / 10,
	};
	return true;
}

static bool look(struct kvmx_auto *a, struct kvmx_auto_move *m)
{
	struct kvmx_placement *p = kvmx_placement_get(a->vm);
	bool move = false;

	if (!p)
		return false;
	mutex_lock(&p->lock);
	if (!p->over && p->layout && p->watch == a)
		move = decide(a, p, m);
	mutex_unlock(&p->lock);
	kvmx_placement_put(p);
	return move;
}

static void interval(struct work_struct *work)
{
	struct kvmx_auto *a = container_of(work, struct kvmx_auto, work.work);
	struct kvmx_auto_move m;
	bool over;

	if (look(a, &m))
		make_move(a->vm, &m);
	mutex_lock(&a->lock);
	over = a->over;
	if (!over)
		queue_delayed_work(kvmx_wq, &a->work, msecs_to_jiffies(a->ms));
	mutex_unlock(&a->lock);
	if (over)
		put(a);
}

/**
 * kvmx_auto_new() - have a VM counted
 * @vm: the VM; another reference is taken
 * @interval_ms: time between two moves, 0: a second
 * @to: set; to be given to kvmx_auto_begin(), or to kvmx_auto_end()
 *
 * Context: may sleep.
 * Return: 0; -ENOMEM; -EOPNOTSUPP if nothing can be measured.
 */
int kvmx_auto_new(struct kvmx_vm *vm, u32 interval_ms, struct kvmx_auto **to)
{
	struct kvmx_auto *a = kzalloc(sizeof(*a), GFP_KERNEL);
	int err;

	if (!a)
		return -ENOMEM;
	err = kvmx_session_get(vm, KVMX_STATS_TLB);
	if (err) {
		kfree(a);
		return err;
	}
	refcount_set(&a->refs, 1);
	mutex_init(&a->lock);
	INIT_DELAYED_WORK(&a->work, interval);
	refcount_inc(&vm->refs);
	a->vm = vm;
	a->ms = clamp(interval_ms ?: DEFAULT_MS, LEAST_MS, MOST_MS);
	if (!kvmx_auto_possible()) {
		put(a);
		return -EOPNOTSUPP;
	}
	*to = a;
	return 0;
}

/**
 * kvmx_auto_begin() - from now on it moves vCPUs
 * @a: what kvmx_auto_new() made
 *
 * Context: may sleep.
 */
void kvmx_auto_begin(struct kvmx_auto *a)
{
	refcount_inc(&a->refs);
	/* The first look is only for something to compare the second one with. */
	queue_delayed_work(kvmx_wq, &a->work, 0);
}

/**
 * kvmx_auto_end() - from now on it does not
 * @a: what kvmx_auto_new() made, or NULL; the caller's reference is given up
 *
 * A move that it has decided may still be asked for: see kvmx_auto_move.by.
 *
 * Context: may sleep; any locks but that of a statistics session may be held.
 */
void kvmx_auto_end(struct kvmx_auto *a)
{
	bool queued;

	if (!a)
		return;
	mutex_lock(&a->lock);
	a->over = true;
	queued = cancel_delayed_work(&a->work);
	mutex_unlock(&a->lock);
	if (queued)
		put(a);
	put(a);
}

/**
 * kvmx_auto_init() - whom to tell of moves
 * @move: has a vCPU moved, if what it says still holds; takes the locks that it
 *	needs
 *
 * Context: once, at load.
 */
void kvmx_auto_init(void (*move)(struct kvmx_vm *vm,
				 const struct kvmx_auto_move *m))
{
	make_move = move;
}
