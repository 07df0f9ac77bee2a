// SPDX-License-Identifier: GPL-2.0-only
#include <linux/bitmap.h>
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "core/vm.h"
#include "place/layout.h"

struct kvmx_wishes *kvmx_wishes_alloc(void)
{
	struct kvmx_wishes *w = kzalloc(sizeof(*w), GFP_KERNEL);

	if (w)
		refcount_set(&w->refs, 1);
	return w;
}

void kvmx_wishes_put(struct kvmx_wishes *w)
{
	if (!w || !refcount_dec_and_test(&w->refs))
		return;
	kvfree(w->map);
	kvfree(w->nodes);
	kvfree(w->cpus);
	kvfree(w->emulator);
	kvfree(w->io);
	kfree(w);
}

static u32 count_vcpus(struct kvmx_vm *vm)
{
	struct kvmx_vcpu *v;
	u32 nr = 0;

	kvmx_vm_for_each_vcpu(v, vm)
		nr += !!READ_ONCE(v->key);
	return nr;
}

/* The vCPUs that exist; one that is born meanwhile takes another plan. */
static void list_vcpus(struct kvmx_layout *l, struct kvmx_vm *vm, u32 room)
{
	struct kvmx_vcpu *v;

	kvmx_vm_for_each_vcpu(v, vm) {
		if (l->nr_vcpus == room)
			break;
		if (!READ_ONCE(v->key))
			continue;
		l->vcpus[l->nr_vcpus].index = v->index;
		l->vcpus[l->nr_vcpus].prev = KVMX_POLICY_NO_CPU;
		l->nr_vcpus++;
	}
}

static u32 nr_sets(u32 nr_vcpus)
{
	return KVMX_NR_THREAD_CLASSES + nr_vcpus;
}

static bool alloc_all(struct kvmx_layout *l, u32 nr_vcpus)
{
	u32 sets = nr_sets(nr_vcpus);

	l->vcpus = kvcalloc(nr_vcpus + 1, sizeof(*l->vcpus), GFP_KERNEL);
	l->notes = kvcalloc(KVMX_MAX_NOTES, sizeof(*l->notes), GFP_KERNEL);
	l->cpus = kvcalloc(l->nr_cpus, sizeof(*l->cpus), GFP_KERNEL);
	l->now = kvcalloc((size_t)sets * l->words, sizeof(u64), GFP_KERNEL);
	l->short_of = kvcalloc(sets, sizeof(bool), GFP_KERNEL);
	l->home = kvcalloc(l->words * 4, sizeof(u64), GFP_KERNEL);
	l->room = kvzalloc(kvmx_policy_room(l->nr_cpus, nr_node_ids, nr_vcpus),
			   GFP_KERNEL);
	return l->vcpus && l->notes && l->cpus && l->now && l->short_of &&
	       l->home && l->room;
}

/**
 * kvmx_layout_alloc() - memory for a plan
 * @w: what it is to be made of; another reference is taken
 * @vm: for this VM's vCPUs
 *
 * Context: may sleep.
 * Return: the layout, NULL when out of memory.
 */
struct kvmx_layout *kvmx_layout_alloc(struct kvmx_wishes *w, struct kvmx_vm *vm)
{
	struct kvmx_layout *l = kzalloc(sizeof(*l), GFP_KERNEL);
	u32 nr = count_vcpus(vm);

	if (!l)
		return NULL;
	refcount_inc(&w->refs);
	l->wishes = w;
	l->nr_cpus = max_t(u32, nr_cpu_ids, w->nr_cpus);
	l->words = kvmx_policy_words(l->nr_cpus);
	if (!alloc_all(l, nr)) {
		kvmx_layout_free(l);
		return NULL;
	}
	list_vcpus(l, vm, nr);
	return l;
}

void kvmx_layout_free(struct kvmx_layout *l)
{
	if (!l)
		return;
	kvmx_wishes_put(l->wishes);
	kvfree(l->vcpus);
	kvfree(l->notes);
	kvfree(l->cpus);
	kvfree(l->now);
	kvfree(l->short_of);
	kvfree(l->home);
	kvfree(l->room);
	kfree(l);
}

/**
 * kvmx_layout_note() - something to be known of a plan
 * @l: the plan
 * @note: what; dropped where there are too many
 *
 * Context: whoever makes the plan, or has its placement's lock.
 */
void kvmx_layout_note(struct kvmx_layout *l, const struct kvmx_policy_note *note)
{
	if (l->nr_notes < KVMX_MAX_NOTES)
		l->notes[l->nr_notes++] = *note;
}

/* Place of a vCPU in the plan, or -1. */
int kvmx_layout_find(const struct kvmx_layout *l, u32 vcpu)
{
	u32 from = 0, to = l->nr_vcpus;

	while (from < to) {
		u32 mid = (from + to) / 2;

		if (l->vcpus[mid].index == vcpu)
			return mid;
		if (l->vcpus[mid].index < vcpu)
			from = mid + 1;
		else
			to = mid;
	}
	return -1;
}

static void take_prev(struct kvmx_layout *l, const struct kvmx_layout *before,
		      const struct kvmx_pin *moved)
{
	u32 i;
	int at;

	for (i = 0; i < l->nr_vcpus; i++) {
		at = before ? kvmx_layout_find(before, l->vcpus[i].index) : -1;
		if (at >= 0)
			l->vcpus[i].prev = before->out.vcpus[at].cpu;
	}
	at = moved ? kvmx_layout_find(l, moved->vcpu) : -1;
	if (at >= 0)
		l->vcpus[at].prev = moved->cpu;
}

static struct kvmx_policy_node *list_nodes(const struct kvmx_wishes *w)
{
	struct kvmx_policy_node *nodes;
	unsigned int i;

	nodes = kvcalloc(nr_node_ids, sizeof(*nodes), GFP_KERNEL);
	for (i = 0; nodes && i < nr_node_ids; i++) {
		nodes[i].has_memory = node_state(i, N_MEMORY);
		nodes[i].pages = i < w->nr_nodes ? w->nodes[i] : 0;
	}
	return nodes;
}

static void make_home(struct kvmx_layout *l)
{
	u32 i, c;

	for (c = 0; c < KVMX_NR_THREAD_CLASSES; c++)
		for (i = 0; i < l->words; i++)
			l->home[i] |= l->out.sets[c][i];
}

/**
 * kvmx_layout_plan() - decide where each thread belongs
 * @l: the layout, with @cpus filled in
 * @before: what is in force, or NULL: few vCPUs are to be moved
 * @moved: policy auto: a vCPU that is somewhere else from now on, or NULL
 *
 * Context: may sleep.
 * Return: 0; -ERANGE if the plan is refused, and notes tell why; -EINVAL;
 *	-ENOMEM.
 */
int kvmx_layout_plan(struct kvmx_layout *l, const struct kvmx_layout *before,
		     const struct kvmx_pin *moved)
{
	const struct kvmx_wishes *w = l->wishes;
	struct kvmx_policy_in in = {
		.policy = w->policy, .smt = w->smt,
		.nr_cpus = l->nr_cpus, .nr_nodes = nr_node_ids,
		.nr_vcpus = l->nr_vcpus, .nr_map = w->nr_map,
		.memory_known = w->nr_nodes,
		.cpus = l->cpus, .vcpus = l->vcpus, .map = w->map,
		.wish = w->cpus, .emulator = w->emulator, .io = w->io,
	};
	struct kvmx_policy_node *nodes = list_nodes(w);
	int err;

	if (!nodes)
		return -ENOMEM;
	in.nodes = nodes;
	take_prev(l, before, moved);
	l->out.notes = l->notes;
	l->out.max_notes = KVMX_MAX_NOTES;
	err = kvmx_policy_plan(&in, &l->out, l->room);
	l->nr_notes = min_t(u32, l->out.nr_notes, KVMX_MAX_NOTES);
	kvfree(nodes);
	l->planned = !err;
	if (!err)
		make_home(l);
	return err;
}

/* Where vCPUs look first for other CPUs: NULL: everywhere. */
static const u64 *vcpus_home(struct kvmx_layout *l)
{
	u64 *home = l->home + 2 * l->words;
	u64 any = 0;
	u32 i;

	for (i = 0; i < l->words; i++) {
		home[i] = l->out.claim[i];
		if (l->wishes->cpus)
			home[i] |= l->wishes->cpus[i];
		any |= home[i];
	}
	return any ? home : NULL;
}

/* And where others do: not among vCPUs that are to be alone. */
static const u64 *others_home(struct kvmx_layout *l)
{
	u64 *home = l->home + 3 * l->words;
	u32 i;

	for (i = 0; i < l->words; i++)
		home[i] = ~l->out.claim[i];
	return home;
}

static void fit_set(struct kvmx_layout *l, u32 i, const u64 *plan,
		    const u64 *home)
{
	enum kvmx_fallback how;

	how = kvmx_policy_fallback(l->cpus, l->nr_cpus, plan, home,
				   l->now + (size_t)i * l->words);
	l->short_of[i] = how > KVMX_FALLBACK_PART;
}

/**
 * kvmx_layout_fit() - what is left of a plan
 * @l: the plan, with @cpus filled in as they are now
 *
 * Context: whoever makes the plan, or has its placement's lock.
 */
void kvmx_layout_fit(struct kvmx_layout *l)
{
	const u64 *vcpus = vcpus_home(l), *others = others_home(l);
	u64 *one = l->home + l->words;
	u32 i;

	for (i = 0; i < KVMX_NR_THREAD_CLASSES; i++)
		fit_set(l, i, l->out.sets[i],
			l->out.why[i] == KVMX_WHY_WITH_VCPUS ? vcpus : others);
	for (i = 0; i < l->nr_vcpus; i++) {
		u32 cpu = l->out.vcpus[i].cpu;

		one[cpu / 64] = 1ULL << cpu % 64;
		fit_set(l, KVMX_NR_THREAD_CLASSES + i, one, vcpus);
		one[cpu / 64] = 0;
	}
}

/**
 * kvmx_layout_of() - where a thread belongs
 * @l: the plan
 * @thread_class: KVMX_THREAD_*
 * @vcpu: the vCPU that it runs, or KVMX_NO_VCPU
 * @to: filled
 *
 * Context: with the placement's lock.
 */
void kvmx_layout_of(const struct kvmx_layout *l, u32 thread_class, u32 vcpu,
		    struct kvmx_place_of *to)
{
	int at = thread_class == KVMX_THREAD_VCPU ? kvmx_layout_find(l, vcpu) : -1;
	u32 i = at < 0 ? thread_class : KVMX_NR_THREAD_CLASSES + at;

	memset(to, 0, sizeof(*to));
	to->cpu = KVMX_POLICY_NO_CPU;
	to->now = l->now + (size_t)i * l->words;
	if (!l->planned)
		return;
	to->cpu = at < 0 ? KVMX_POLICY_NO_CPU : l->out.vcpus[at].cpu;
	to->why = at < 0 ? l->out.why[thread_class] : l->out.vcpus[at].why;
	to->plan = at < 0 ? l->out.sets[thread_class] : NULL;
	to->short_of = l->short_of[i];
}

/**
 * kvmx_layout_cpus() - a set of a plan, as the kernel has them
 * @l: the plan
 * @set: the set
 * @to: filled
 */
void kvmx_layout_cpus(const struct kvmx_layout *l, const u64 *set,
		      struct cpumask *to)
{
	cpumask_clear(to);
	bitmap_from_arr64(cpumask_bits(to), set, nr_cpu_ids);
}
