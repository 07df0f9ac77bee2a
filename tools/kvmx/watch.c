// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/resource.h>

#include "device.h"
#include "text.h"
#include "util.h"
#include "watch.h"

__u64 watch_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (__u64)ts.tv_sec * 1000000000 + (__u64)ts.tv_nsec;
}

/* Two fds a VM and one a vCPU are soon more than the 1024 one has at first. */
static void raise_fd_limit(void)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim))
		return;
	lim.rlim_cur = lim.rlim_max;
	setrlimit(RLIMIT_NOFILE, &lim);
}

/* A VM that has just vanished is no failure. */
static bool vanished(int err)
{
	return err == -ENOENT || err == -ENODATA || err == -ESRCH;
}

static void __noreturn no_stats(__u64 id, int err)
{
	if (err == -EOPNOTSUPP)
		fail(EX_FAILED, "this host's KVM cannot be counted: \"kvmx info\" tells why");
	if (err == -EINVAL)
		fail(EX_OTHER_ABI,
		     "the module has no such figures: it is older than this tool");
	if (err == -EMFILE || err == -ENFILE)
		fail(EX_FAILED,
		     "too many open files for all vCPUs: raise the limit (ulimit -n), or choose a VM by -p or --id");
	fail(EX_FAILED, "cannot open the statistics of VM %llu: %s", id,
	     strerror(-err));
}

static bool source_open(struct source *s, const struct watch_vm *vm, __u32 vcpu,
			__u32 groups)
{
	memset(s, 0, sizeof(*s));
	s->fd = device_vm_stats(vm->fd, vcpu, groups);
	if (vanished(s->fd)) {
		s->fd = -1;
		return false;
	}
	if (s->fd < 0)
		no_stats(vm->info.id, s->fd);
	s->schema = schema_read(s->fd);
	if (!s->schema)
		fail(EX_FAILED, "the statistics of VM %llu cannot be read",
		     vm->info.id);
	s->last.data = xcalloc(s->schema->nr_values, sizeof(__u64));
	s->groups = groups;
	if (groups & KVMX_STATS_SCHED) {
		bool whole = vcpu == KVMX_STATS_WHOLE_VM;

		s->first_top = whole ? KVMX_TOP_EXITS_SAME_CPU :
				       KVMX_TOP_PREEMPTORS;
		s->nr_tops = whole ? MAX_TOPS : 1;
	}
	return true;
}

static void lists_read(struct source *s)
{
	static const struct {
		__u32 group;
		__u32 what;
	} lists[NR_LISTS] = {
		[LIST_RANGES] = { KVMX_STATS_MMU, KVMX_TOP_RANGES },
		[LIST_MMIO] = { KVMX_STATS_IO, KVMX_TOP_MMIO },
		[LIST_PORTS] = { KVMX_STATS_IO, KVMX_TOP_PORTS },
	};
	unsigned int i;

	for (i = 0; i < NR_LISTS; i++) {
		if (!(s->groups & lists[i].group))
			continue;
		top_free(&s->lists[i].last);
		top_read(&s->lists[i].last, s->fd, lists[i].what);
	}
}

static void lists_mark(struct source *s)
{
	unsigned int i;

	for (i = 0; i < NR_LISTS; i++) {
		top_free(&s->lists[i].base);
		top_copy(&s->lists[i].base, &s->lists[i].last);
	}
}

static void lists_free(struct source *s)
{
	unsigned int i;

	for (i = 0; i < NR_LISTS; i++) {
		top_free(&s->lists[i].base);
		top_free(&s->lists[i].last);
	}
}

/* The clock is asked right after: what passes in between is a few us. */
static void source_read(struct source *s, int dev)
{
	struct kvmx_info info;
	unsigned int i;

	if (s->fd < 0)
		return;
	if (!stats_read(s->fd, s->schema, s->last.data))
		fail(EX_FAILED, "reading statistics failed: %s",
		     strerror(errno));
	if (!device_info(dev, &info))
		s->last.now = info.now;
	for (i = 0; i < s->nr_tops; i++) {
		top_free(&s->top_last[i]);
		top_read(&s->top_last[i], s->fd, s->first_top + i);
	}
	lists_read(s);
}

/*
 * What was read last is the base of what is read next: nobody looks at it in
 * between, but after the first mark, and where there is nothing more to read.
 */
static void values_mark(struct source *s)
{
	struct reading base = s->base;

	s->base = s->last;
	s->last = base;
	if (base.data && s->fd >= 0)
		return;
	if (!base.data)
		s->last.data = xcalloc(s->schema->nr_values, sizeof(__u64));
	memcpy(s->last.data, s->base.data,
	       s->schema->nr_values * sizeof(__u64));
	s->last.now = s->base.now;
}

/* From here on only what is new is of interest. */
static void source_mark(struct source *s)
{
	unsigned int i;

	if (!s->schema)
		return;
	values_mark(s);
	for (i = 0; i < s->nr_tops; i++) {
		top_free(&s->top_base[i]);
		top_copy(&s->top_base[i], &s->top_last[i]);
	}
	lists_mark(s);
}

static void source_close(struct source *s)
{
	device_close(s->fd);
	s->fd = -1;
}

static void source_free(struct source *s)
{
	unsigned int i;

	source_close(s);
	for (i = 0; i < s->nr_tops; i++) {
		top_free(&s->top_base[i]);
		top_free(&s->top_last[i]);
	}
	lists_free(s);
	free(s->base.data);
	free(s->last.data);
}

/**
 * source_tally() - what was counted
 * @s: the statistics fd
 * @ever: since counting began, else since the mark
 * @t: filled
 */
void source_tally(const struct source *s, bool ever, struct tally *t)
{
	struct tally base;

	tally_read(t, s->schema, s->last.data, s->last.now);
	if (ever || !s->base.data)
		return;
	tally_read(&base, s->schema, s->base.data, s->base.now);
	tally_sub(t, &base);
	tally_free(&base);
}

/* vCPUs that were not there before have been counted from their birth on. */
static void find_vcpus(const struct watch *w, struct watch_vm *vm)
{
	struct kvmx_vcpu_info *infos;
	unsigned int i, nr;

	if (device_vm_vcpus(vm->fd, &infos, &nr))
		nr = 0;
	for (i = 0; i < nr && i < vm->nr_vcpus; i++)
		vm->vcpus[i].info = infos[i];
	for (; i < nr; i++) {
		struct watch_vcpu *v;

		vm->vcpus = xrealloc(vm->vcpus, i + 1, sizeof(*vm->vcpus));
		v = &vm->vcpus[i];
		if (!source_open(&v->source, vm, infos[i].index, w->groups))
			break;
		v->info = infos[i];
		memset(&v->quota_base, 0, sizeof(v->quota_base));
		memset(&v->quota_last, 0, sizeof(v->quota_last));
		vm->nr_vcpus = i + 1;
	}
	free(infos);
}

static void vm_close(struct watch_vm *vm)
{
	unsigned int i;

	for (i = 0; i < vm->nr_vcpus; i++)
		source_close(&vm->vcpus[i].source);
	source_close(&vm->whole);
	device_close(vm->fd);
	vm->fd = -1;
}

static void vm_free(struct watch_vm *vm)
{
	unsigned int i;

	vm_close(vm);
	for (i = 0; i < vm->nr_vcpus; i++)
		source_free(&vm->vcpus[i].source);
	source_free(&vm->whole);
	free(vm->threads_base.list);
	free(vm->threads_last.list);
	free(vm->vcpus);
	free(vm);
}

/* A process that is gone has no threads: they stay as they were. */
static void threads_read(struct watch_vm *vm)
{
	struct threads t;
	unsigned int i;

	t.nr = proc_threads(vm->info.pid, &t.list);
	if (!t.nr) {
		free(t.list);
		return;
	}
	free(vm->threads_last.list);
	vm->threads_last = t;
	for (i = 0; i < vm->nr_vcpus; i++)
		proc_quota(vm->info.pid, vm->vcpus[i].info.tid,
			   &vm->vcpus[i].quota_last);
}

static void threads_mark(struct watch_vm *vm)
{
	const struct threads *last = &vm->threads_last;
	struct threads *base = &vm->threads_base;
	unsigned int i;

	for (i = 0; i < vm->nr_vcpus; i++)
		vm->vcpus[i].quota_base = vm->vcpus[i].quota_last;
	base->list = xrealloc(base->list, last->nr, sizeof(*base->list));
	base->nr = last->nr;
	if (last->nr)
		memcpy(base->list, last->list, last->nr * sizeof(*last->list));
}

/*
 * Whether it is gone is asked first: where it was, the figures that are read
 * after that are its last.
 */
static void vm_read(struct watch *w, struct watch_vm *vm)
{
	struct kvmx_vm_info info;
	unsigned int i;

	if (vm->gone)
		return;
	if (!device_vm_info(vm->fd, &info)) {
		text_clean(info.name);
		/* A process that has ended has no name and no pid any more. */
		if (!info.pid)
			info.pid = vm->info.pid;
		if (!info.name[0])
			memcpy(info.name, vm->info.name, sizeof(info.name));
		vm->info = info;
	}
	find_vcpus(w, vm);
	for (i = 0; i < vm->nr_vcpus; i++)
		source_read(&vm->vcpus[i].source, w->dev);
	if (w->sums || w->groups)
		source_read(&vm->whole, w->dev);
	if (w->threads)
		threads_read(vm);
	if (vm->info.state & KVMX_VM_GONE) {
		vm->gone = true;
		vm_close(vm);
	}
}

static void vm_mark(struct watch_vm *vm)
{
	unsigned int i;

	for (i = 0; i < vm->nr_vcpus; i++)
		source_mark(&vm->vcpus[i].source);
	source_mark(&vm->whole);
	threads_mark(vm);
	vm->born = false;
}

static void vm_add(struct watch *w, int fd)
{
	struct watch_vm *vm = xcalloc(1, sizeof(*vm));

	vm->fd = fd;
	vm->whole.fd = -1;
	if (device_vm_info(fd, &vm->info) ||
	    !source_open(&vm->whole, vm, KVMX_STATS_WHOLE_VM, w->groups)) {
		vm_free(vm);
		return;
	}
	text_clean(vm->info.name);
	vm->was_counting = vm->info.state & KVMX_VM_COUNTING;
	vm->born = !(vm->info.state & KVMX_VM_ADOPTED) &&
		   vm->info.age_ns < watch_clock() - w->began;
	vm_read(w, vm);
	if (!vm->born)
		vm_mark(vm);
	w->vms = xrealloc(w->vms, w->nr_vms + 1, sizeof(*w->vms));
	w->vms[w->nr_vms++] = vm;
}

static bool is_watched(const struct watch *w, __u64 id)
{
	unsigned int i;

	for (i = 0; i < w->nr_vms; i++)
		if (w->vms[i]->info.id == id)
			return true;
	return false;
}

/* Start to watch VMs that are not watched yet. */
void watch_find(struct watch *w)
{
	struct kvmx_vm_info *vms;
	unsigned int i, nr;

	if (w->selection.by != SELECT_ALL)
		return;
	list_vms(w->dev, &vms, &nr);
	for (i = 0; i < nr; i++) {
		__u64 id;
		int fd;

		if (is_watched(w, vms[i].id))
			continue;
		fd = device_open_vm(w->dev, KVMX_BY_ID, vms[i].id, &id);
		if (fd >= 0)
			vm_add(w, fd);
		else if (!vanished(fd))
			no_stats(vms[i].id, fd);
	}
	free(vms);
}

/* Start to watch whom the user chose. */
void watch_begin(struct watch *w)
{
	__u64 id;

	raise_fd_limit();
	w->began = watch_clock();
	if (w->selection.by == SELECT_ALL)
		watch_find(w);
	else
		vm_add(w, select_vm(w->dev, &w->selection, &id));
}

void watch_read(struct watch *w)
{
	unsigned int i;

	for (i = 0; i < w->nr_vms; i++)
		vm_read(w, w->vms[i]);
}

void watch_mark(struct watch *w)
{
	unsigned int i;

	for (i = 0; i < w->nr_vms; i++)
		vm_mark(w->vms[i]);
}

/* VMs whose last figures have been printed are done with. */
void watch_forget_gone(struct watch *w)
{
	unsigned int i, kept = 0;

	for (i = 0; i < w->nr_vms; i++) {
		if (w->vms[i]->told)
			vm_free(w->vms[i]);
		else
			w->vms[kept++] = w->vms[i];
	}
	w->nr_vms = kept;
}

void watch_end(struct watch *w)
{
	unsigned int i;

	for (i = 0; i < w->nr_vms; i++)
		vm_free(w->vms[i]);
	free(w->vms);
	device_close(w->dev);
}
