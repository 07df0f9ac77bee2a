// SPDX-License-Identifier: GPL-2.0-only
#include <linux/bitmap.h>
#include <linux/capability.h>
#include <linux/cpumask.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/uaccess.h>
#include <linux/kvmx_place.h>

#include "core/args.h"
#include "dev/placefd.h"
#include "place/place.h"
#include "place/policy.h"
#include "place/rows.h"

/* More than any kernel has: a slip of the caller. */
#define MAX_MASK	1024
#define MAX_MAP		65536
#define MAX_NODES	1024
#define MAX_INTERVAL	3600000

#define ALL_FLAGS	(KVMX_PLACE_DRY_RUN | KVMX_PLACE_ENFORCE | \
			 KVMX_PLACE_REPLACE)

static bool may_place(const struct kvmx_placefd *f)
{
	return f->writable && capable(CAP_SYS_NICE);
}

static void *get_array(u64 from, size_t nr, size_t size)
{
	return nr ? vmemdup_user(u64_to_user_ptr(from), nr * size) : NULL;
}

/* A set of the caller, as long as sets of a plan are. */
static int get_set(u64 from, u32 bytes, u32 words, u64 **to)
{
	u64 *set;

	if (!from)
		return 0;
	set = kvcalloc(max_t(u32, words, bytes / 8), sizeof(u64), GFP_KERNEL);
	if (!set)
		return -ENOMEM;
	*to = set;
	return copy_from_user(set, u64_to_user_ptr(from), bytes) ? -EFAULT : 0;
}

static int by_vcpu(const void *a, const void *b)
{
	const struct kvmx_pin *x = a, *y = b;

	return x->vcpu < y->vcpu ? -1 : x->vcpu > y->vcpu;
}

/* Sorted; a vCPU cannot be in two places. */
static int get_map(struct kvmx_wishes *w, u64 from, u32 nr)
{
	struct kvmx_pin *map = get_array(from, nr, sizeof(*map));
	u32 i;

	if (IS_ERR(map))
		return PTR_ERR(map);
	w->map = map;
	w->nr_map = nr;
	sort(map, nr, sizeof(*map), by_vcpu, NULL);
	for (i = 1; i < nr; i++)
		if (map[i].vcpu == map[i - 1].vcpu)
			return -EINVAL;
	return 0;
}

static int get_nodes(struct kvmx_wishes *w, u64 from, u32 nr)
{
	u64 *nodes = get_array(from, nr, sizeof(*nodes));

	if (IS_ERR(nodes))
		return PTR_ERR(nodes);
	w->nodes = nodes;
	w->nr_nodes = nr;
	return 0;
}

static u32 cpus_of(const u64 *set, u32 bytes)
{
	u32 i;

	for (i = set ? bytes / 8 : 0; i; i--)
		if (set[i - 1])
			return (i - 1) * 64 + fls64(set[i - 1]);
	return 0;
}

/* CPUs that are wished, but that no kernel like this can have, are in the plan. */
static int get_sets(struct kvmx_wishes *w, const struct kvmx_place *req)
{
	u32 bytes = req->mask_size;
	u32 words = kvmx_policy_words(max_t(u32, nr_cpu_ids, bytes * 8));
	int err;

	err = get_set(req->cpus, bytes, words, &w->cpus);
	if (!err)
		err = get_set(req->emulator, bytes, words, &w->emulator);
	if (!err)
		err = get_set(req->io, bytes, words, &w->io);
	w->nr_cpus = max3(cpus_of(w->cpus, bytes),
			  cpus_of(w->emulator, bytes), cpus_of(w->io, bytes));
	w->nr_cpus = max_t(u32, nr_cpu_ids, w->nr_cpus);
	return err;
}

static struct kvmx_wishes *get_wishes(const struct kvmx_place *req)
{
	struct kvmx_wishes *w = kvmx_wishes_alloc();
	int err;

	if (!w)
		return ERR_PTR(-ENOMEM);
	w->policy = req->policy;
	w->smt = req->smt;
	w->enforce = req->flags & KVMX_PLACE_ENFORCE;
	w->interval_ms = req->interval_ms ?: 1000;
	err = get_sets(w, req);
	if (!err)
		err = get_map(w, req->map, req->nr_map);
	if (!err)
		err = get_nodes(w, req->nodes, req->nr_nodes);
	if (!err)
		return w;
	kvmx_wishes_put(w);
	return ERR_PTR(err);
}

/**
 * struct out - where a plan goes to
 * @plan: the caller's, with its numbers as he gave them
 * @mask_size: bytes of each set of his
 * @no_names: tell no names and no tids
 * @threads: his array
 * @notes: the other
 */
struct out {
	struct kvmx_plan *plan;
	u32 mask_size;
	bool no_names;
	struct kvmx_array threads;
	struct kvmx_array notes;
};

static int out_begin(struct out *out, struct kvmx_plan *plan, u32 mask_size)
{
	u32 nr = plan->threads ? plan->nr_threads : 0;
	int err;

	out->plan = plan;
	out->mask_size = mask_size;
	if (mask_size % 8 || mask_size > MAX_MASK)
		return -EINVAL;
	if (plan->masks && plan->nr_threads && mask_size * 8 < nr_cpu_ids)
		return -EINVAL;
	err = kvmx_array_begin(&out->threads, plan->threads, nr,
			       plan->thread_size,
			       sizeof(struct kvmx_placed_thread));
	nr = plan->notes ? plan->nr_notes : 0;
	return err ?: kvmx_array_begin(&out->notes, plan->notes, nr,
				       plan->note_size,
				       sizeof(struct kvmx_place_note));
}

static int put_threads(struct out *out, struct kvmx_rows *rows)
{
	int err = 0;
	u32 i;

	for (i = 0; i < rows->nr && !err; i++) {
		struct kvmx_placed_thread *t = &rows->rows[i].thread;

		t->tid = out->no_names ? 0 : pid_vnr(rows->rows[i].tid);
		if (out->no_names)
			memset(t->name, 0, sizeof(t->name));
		err = kvmx_array_put(&out->threads, t);
	}
	return err;
}

static int put_sets(struct out *out, const struct kvmx_rows *rows)
{
	u32 bytes = min_t(u32, out->mask_size, rows->words * 8);
	u8 __user *to = u64_to_user_ptr(out->plan->masks);
	u32 i;

	if (!out->plan->masks)
		return 0;
	for (i = 0; i < min(rows->nr, out->plan->nr_threads); i++) {
		if (copy_to_user(to, rows->sets + (size_t)i * rows->words,
				 bytes) ||
		    clear_user(to + bytes, out->mask_size - bytes))
			return -EFAULT;
		to += out->mask_size;
	}
	return 0;
}

static s32 tid_here(s32 nr)
{
	s32 here;

	rcu_read_lock();
	here = pid_vnr(find_pid_ns(nr, &init_pid_ns));
	rcu_read_unlock();
	return here;
}

static int put_notes(struct out *out, const struct kvmx_rows *rows)
{
	int err = 0;
	u32 i;

	for (i = 0; i < rows->nr_notes && !err; i++) {
		struct kvmx_policy_note n = rows->notes[i];
		struct kvmx_place_note note = { };

		n.tid = out->no_names || !n.tid ? 0 : tid_here(n.tid);
		note.kind = n.kind;
		note.cpu = n.cpu;
		note.node = n.node;
		note.tid = n.tid;
		note.vm = n.vm;
		note.arg = n.arg;
		kvmx_policy_note_text(&n, note.text, sizeof(note.text));
		err = kvmx_array_put(&out->notes, &note);
	}
	return err;
}

static int out_put(struct out *out, struct kvmx_rows *rows)
{
	int err = put_threads(out, rows);

	if (!err)
		err = put_sets(out, rows);
	if (!err)
		err = put_notes(out, rows);
	out->plan->nr_threads = rows->nr;
	out->plan->nr_notes = rows->nr_notes;
	return err;
}

static bool makes_sense(const struct kvmx_place *req)
{
	bool sets = req->cpus || req->emulator || req->io;

	return !(req->flags & ~ALL_FLAGS) &&
	       req->policy > KVMX_POLICY_NONE &&
	       req->policy < KVMX_NR_POLICIES &&
	       req->smt <= KVMX_SMT_ISOLATE &&
	       (!sets || req->mask_size) &&
	       (!req->nr_map || req->policy == KVMX_POLICY_PIN) &&
	       req->nr_map <= MAX_MAP && req->nr_nodes <= MAX_NODES &&
	       req->interval_ms <= MAX_INTERVAL;
}

static int place(struct kvmx_placefd *f, struct kvmx_place *req,
		 struct out *out, void __user *arg)
{
	struct kvmx_wishes *w = get_wishes(req);
	bool dry = req->flags & KVMX_PLACE_DRY_RUN;
	struct kvmx_rows rows;
	int err, put_err;

	if (IS_ERR(w))
		return PTR_ERR(w);
	f->made |= !dry;
	err = kvmx_place_make(f->vm, f, w, req->flags, &rows);
	kvmx_wishes_put(w);
	if (err && err != -ERANGE) {
		/* Filled where the plan was made, and could not be followed. */
		kvmx_rows_free(&rows);
		return err;
	}
	put_err = out_put(out, &rows) ?: kvmx_args_put(req, sizeof(*req), arg);
	kvmx_rows_free(&rows);
	/* What the caller is not told of shall not be. */
	if (put_err && !err && !dry)
		kvmx_place_drop(f->vm, f);
	return put_err ?: err;
}

/* KVMX_VM_PLACE */
long kvmx_placefd_place(struct kvmx_placefd *f, void __user *arg)
{
	struct out out = { .no_names = f->no_names };
	struct kvmx_place req;
	int err;

	if (!may_place(f))
		return -EPERM;
	err = kvmx_args_get(&req, sizeof(req), arg);
	if (err)
		return err;
	if (!makes_sense(&req))
		return -EINVAL;
	err = out_begin(&out, &req.plan, req.mask_size);
	return err ?: place(f, &req, &out, arg);
}

/* KVMX_VM_COMMIT */
long kvmx_placefd_commit(struct kvmx_placefd *f, void __user *arg)
{
	return may_place(f) ? kvmx_place_commit(f->vm, f) : -EPERM;
}

/* KVMX_VM_CLEAR */
long kvmx_placefd_clear(struct kvmx_placefd *f, void __user *arg)
{
	return may_place(f) ? kvmx_place_clear(f->vm, f) : -EPERM;
}

/* KVMX_VM_PLACED */
long kvmx_placefd_placed(struct kvmx_placefd *f, void __user *arg)
{
	struct out out = { .no_names = f->no_names };
	struct kvmx_placed told = { };
	struct kvmx_placed req;
	struct kvmx_rows rows;
	int err;

	err = kvmx_args_get(&req, sizeof(req), arg);
	if (err)
		return err;
	if (req.flags)
		return -EINVAL;
	told.mask_size = req.mask_size;
	told.plan = req.plan;
	err = out_begin(&out, &told.plan, told.mask_size);
	if (!err)
		err = kvmx_place_show(f->vm, f, &told, &rows);
	if (err)
		return err;
	err = out_put(&out, &rows);
	kvmx_rows_free(&rows);
	return err ?: kvmx_args_put(&told, sizeof(told), arg);
}

/**
 * kvmx_placefd_release() - a VM fd is closed
 * @f: its part
 *
 * Context: may sleep.
 */
void kvmx_placefd_release(struct kvmx_placefd *f)
{
	if (f->made)
		kvmx_place_drop(f->vm, f);
}
