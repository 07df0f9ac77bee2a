// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "die.h"
#include "kvmx.h"
#include "place.h"

int place_node(void)
{
	int fd = open(KVMX_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		die_errno(KVMX_DEVICE);
	return fd;
}

int place_vm(int kvm_vm_fd)
{
	int node = place_node(), vm = kvmx_vm_by_fd(node, kvm_vm_fd);

	close(node);
	return vm;
}

struct placing *place_new(unsigned int policy)
{
	struct placing *p = calloc(1, sizeof(*p));

	if (!p)
		die_errno("memory for a request");
	p->req.size = sizeof(p->req);
	p->req.policy = policy;
	p->req.mask_size = sizeof(p->masks[0]);
	p->req.map = (uintptr_t)p->map;
	return p;
}

void place_cpus(struct placing *p, uint64_t cpus)
{
	p->cpus[0] = cpus;
	p->req.cpus = (uintptr_t)p->cpus;
}

void place_emulator(struct placing *p, uint64_t cpus)
{
	p->emulator[0] = cpus;
	p->req.emulator = (uintptr_t)p->emulator;
}

void place_io(struct placing *p, uint64_t cpus)
{
	p->io[0] = cpus;
	p->req.io = (uintptr_t)p->io;
}

void place_pin(struct placing *p, unsigned int vcpu, unsigned int cpu)
{
	p->map[p->req.nr_map].vcpu = vcpu;
	p->map[p->req.nr_map].cpu = cpu;
	p->req.nr_map++;
}

static void room(struct placing *p, struct kvmx_plan *plan)
{
	memset(p->threads, 0, sizeof(p->threads));
	memset(p->notes, 0, sizeof(p->notes));
	plan->nr_threads = PLACE_THREADS;
	plan->thread_size = sizeof(p->threads[0]);
	plan->threads = (uintptr_t)p->threads;
	plan->masks = (uintptr_t)p->masks;
	plan->nr_notes = PLACE_NOTES;
	plan->note_size = sizeof(p->notes[0]);
	plan->notes = (uintptr_t)p->notes;
}

int place_do(int vm, struct placing *p)
{
	int err;

	room(p, &p->req.plan);
	err = ioctl(vm, KVMX_VM_PLACE, &p->req) ? errno : 0;
	p->placed.plan = p->req.plan;
	if (err && err != ERANGE) {
		p->placed.plan.nr_threads = 0;
		p->placed.plan.nr_notes = 0;
	}
	return err;
}

int place_commit(int vm)
{
	return ioctl(vm, KVMX_VM_COMMIT) ? errno : 0;
}

int place_clear(int vm)
{
	return ioctl(vm, KVMX_VM_CLEAR) ? errno : 0;
}

int place_show(int vm, struct placing *p)
{
	memset(&p->placed, 0, sizeof(p->placed));
	p->placed.size = sizeof(p->placed);
	p->placed.mask_size = sizeof(p->masks[0]);
	room(p, &p->placed.plan);
	return ioctl(vm, KVMX_VM_PLACED, &p->placed) ? errno : 0;
}

unsigned int place_nr(const struct placing *p)
{
	return p->placed.plan.nr_threads;
}

int place_find(const struct placing *p, int tid)
{
	unsigned int i;

	for (i = 0; i < place_nr(p); i++)
		if (p->threads[i].tid == tid)
			return i;
	return -1;
}

int place_vcpu(const struct placing *p, unsigned int vcpu)
{
	unsigned int i;

	for (i = 0; i < place_nr(p); i++)
		if (p->threads[i].thread_class == KVMX_THREAD_VCPU &&
		    p->threads[i].vcpu == vcpu)
			return i;
	return -1;
}

bool place_note(const struct placing *p, unsigned int kind)
{
	unsigned int i;

	for (i = 0; i < p->placed.plan.nr_notes && i < PLACE_NOTES; i++)
		if (p->notes[i].kind == kind)
			return true;
	return false;
}

uint64_t cpus_of(int tid)
{
	uint64_t set[PLACE_WORDS * 8] = { 0 };

	if (sched_getaffinity(tid, sizeof(set), (cpu_set_t *)set))
		return 0;
	return set[0];
}

bool set_cpus(int tid, uint64_t cpus)
{
	uint64_t set[PLACE_WORDS] = { cpus };

	return !sched_setaffinity(tid, sizeof(set), (cpu_set_t *)set);
}

void masks_take(struct masks *m, int pid)
{
	char path[64];
	struct dirent *d;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		die_errno(path);
	m->nr = 0;
	while ((d = readdir(dir)) && m->nr < MASKS_MAX) {
		int tid = atoi(d->d_name);
		uint64_t cpus = tid ? cpus_of(tid) : 0;

		if (!cpus)
			continue;
		m->tid[m->nr] = tid;
		m->cpus[m->nr++] = cpus;
	}
	closedir(dir);
}

bool masks_same(const struct masks *a, const struct masks *b)
{
	unsigned int i, j;
	bool same = true;

	for (i = 0; i < a->nr; i++) {
		for (j = 0; j < b->nr && b->tid[j] != a->tid[i]; j++)
			;
		if (j == b->nr || a->cpus[i] == b->cpus[j])
			continue;
		printf("# thread %d: 0x%llx, and now 0x%llx\n", a->tid[i],
		       (unsigned long long)a->cpus[i],
		       (unsigned long long)b->cpus[j]);
		same = false;
	}
	return same;
}
