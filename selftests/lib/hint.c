// SPDX-License-Identifier: GPL-2.0-only
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "die.h"
#include "hint.h"
#include "host.h"
#include "kvmx.h"

static_assert(offsetof(struct vmm_call, rounds) ==
	      VMM_CALL_ROUNDS - VMM_PROG_CALL, "guest.S");
static_assert(offsetof(struct vmm_call, flip) ==
	      VMM_CALL_FLIP - VMM_PROG_CALL, "guest.S");
static_assert(sizeof(struct vmm_prog) <= VMM_PROG_CALL, "vmm.h");

struct vmm_vcpu *hint_guest(unsigned int flags, int *node, int *fd)
{
	struct vmm *vm = vmm_create(flags);
	struct vmm_vcpu *v = vmm_add_vcpu(vm);

	*node = kvmx_node_rw();
	*fd = kvmx_vm_by_fd(*node, vm->fd);
	return v;
}

void hint_guest_end(struct vmm_vcpu *v, int node, int fd)
{
	if (fd >= 0)
		close(fd);
	vmm_destroy(v->vm);
	if (node >= 0)
		close(node);
}

struct kvmx_area *hint_area(struct vmm_vcpu *v)
{
	void *area = v->vm->mem + HINT_AREA;

	vmm_warm(v);
	memset(area, 0, 4096);
	return area;
}

struct kvmx_hint hint_policy(void)
{
	return (struct kvmx_hint) { .size = sizeof(struct kvmx_hint) };
}

struct kvmx_hint hint_effect(unsigned int kinds, unsigned int effect, int arg)
{
	struct kvmx_hint h = hint_policy();
	unsigned int i;

	for (i = 0; i < KVMX_NR_KINDS; i++) {
		if (!(kinds & 1U << i))
			continue;
		h.kinds[i].effect = effect;
		h.kinds[i].arg = arg;
	}
	return h;
}

int hint_set(int vm, const struct kvmx_hint *policy)
{
	return ioctl(vm, KVMX_VM_HINT, policy) ? errno : 0;
}

void hint_allow(int vm, unsigned int kinds, unsigned int effect, int arg)
{
	struct kvmx_hint h = hint_effect(kinds, effect, arg);

	/* A test of something else is not about the limit. */
	h.calls_per_s = 1000000;
	errno = hint_set(vm, &h);
	if (errno)
		die_errno("KVMX_VM_HINT");
}

void hint_off(int vm)
{
	struct kvmx_hint h = hint_policy();

	errno = hint_set(vm, &h);
	if (errno)
		die_errno("KVMX_VM_HINT");
}

struct kvmx_hint hint_get(int vm)
{
	struct kvmx_hint h = hint_policy();

	if (ioctl(vm, KVMX_VM_HINTED, &h))
		die_errno("KVMX_VM_HINTED");
	return h;
}

struct kvmx_hint_counts hint_counts(int vm, unsigned int vcpu,
				    unsigned int kind)
{
	struct kvmx_hint_counts c = {
		.size = sizeof(c), .vcpu = vcpu, .kind = kind,
	};

	if (ioctl(vm, KVMX_VM_HINT_COUNTS, &c))
		die_errno("KVMX_VM_HINT_COUNTS");
	return c;
}

void hint_load(struct vmm_vcpu *v, uint32_t op, uint32_t a1, uint32_t a2,
	       uint32_t a3, int64_t want)
{
	struct vmm_call *c = vmm_call(v);
	uint32_t intel = c->intel;

	memset(c, 0, sizeof(*c));
	c->nr = KVMX_HC;
	c->arg[0] = op;
	c->arg[1] = a1;
	c->arg[2] = a2;
	c->arg[3] = a3;
	c->want = want;
	c->intel = intel;
}

int64_t hint_call(struct vmm_vcpu *v, uint32_t op, uint32_t a1, uint32_t a2,
		  uint32_t a3)
{
	hint_load(v, op, a1, a2, a3, 0);
	vmm_do(v, VMM_KVMX, 1);
	return vmm_call(v)->ret;
}

int64_t hint_query(struct vmm_vcpu *v, uint32_t what)
{
	return hint_call(v, KVMX_HC_QUERY, what, 0, 0);
}

static pthread_t pesterer;
static int pestered;
static unsigned int pause_us;
static volatile bool pestering;

static void nothing(int sig)
{
}

static void *pester(void *arg)
{
	while (pestering) {
		syscall(SYS_tgkill, getpid(), pestered, SIGUSR1);
		usleep(pause_us);
	}
	return NULL;
}

void hint_pester(int tid, unsigned int us)
{
	struct sigaction act = { .sa_handler = nothing };

	if (sigaction(SIGUSR1, &act, NULL))
		die_errno("sigaction");
	pestered = tid;
	pause_us = us;
	pestering = true;
	errno = pthread_create(&pesterer, NULL, pester, NULL);
	if (errno)
		die_errno("pthread_create");
}

void hint_leave_alone(void)
{
	pestering = false;
	pthread_join(pesterer, NULL);
}

int hint_sched(int tid)
{
	return sched_getscheduler(tid) & ~SCHED_RESET_ON_FORK;
}

uint64_t hint_now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000ULL + t.tv_nsec / 1000;
}

uint64_t hint_until(int tid, int policy)
{
	uint64_t from = hint_now_us(), limit = 5000000ULL * patience();

	while (hint_sched(tid) != policy) {
		if (hint_now_us() - from > limit)
			return HINT_NEVER;
		usleep(200);
	}
	return hint_now_us() - from;
}

int hint_kthread(void)
{
	char path[300], name[32];
	struct dirent *e;
	DIR *dir = opendir("/proc");
	int tid = 0;
	FILE *f;

	while (dir && !tid && (e = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/%s/comm", e->d_name);
		f = atoi(e->d_name) ? fopen(path, "r") : NULL;
		if (!f)
			continue;
		if (fgets(name, sizeof(name), f) && !strcmp(name, "kvmx_hint\n"))
			tid = atoi(e->d_name);
		fclose(f);
	}
	closedir(dir);
	return tid;
}
