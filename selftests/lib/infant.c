// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "die.h"
#include "host.h"
#include "infant.h"
#include "module.h"

bool nursery_begin(struct nursery *n)
{
	memset(n, 0, sizeof(*n));
	if ((cpus_of(0) & 15) != 15)
		return false;
	n->vm = vmm_create(VMM_IRQCHIP);
	n->v = vmm_add_vcpu(n->vm);
	n->fd = place_vm(n->vm->fd);
	n->p = place_new(KVMX_POLICY_PIN);
	place_pin(n->p, 0, 2);
	place_emulator(n->p, EMULATOR);
	place_io(n->p, IO);
	return true;
}

void nursery_end(struct nursery *n)
{
	if (!n->vm)
		return;
	close(n->fd);
	vmm_destroy(n->vm);
	free(n->p);
	n->vm = NULL;
}

void nursery_reload(struct nursery *n, const char *params)
{
	unsigned long refused = 0;
	int err;

	close(n->fd);
	if (!module_unload_busy(20, &refused))
		die("kvmx does not go");
	err = module_load(module_file(), params);
	if (err)
		die("kvmx with \"%s\": %s", params, strerror(err));
	n->fd = place_vm(n->vm->fd);
}

void nursery_place(struct nursery *n)
{
	int err = place_do(n->fd, n->p);

	if (err)
		die("KVMX_VM_PLACE: %s", strerror(err));
}

bool soon(int tid, uint64_t cpus, int ms)
{
	int i;

	for (i = 0; i < ms * (int)patience(); i++) {
		if (cpus_of(tid) == cpus)
			return true;
		usleep(1000);
	}
	return cpus_of(tid) == cpus;
}

#define CPUNODE_SEG	0x7b

bool infant_start(struct infant *i)
{
	long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
		     CLONE_THREAD | CLONE_SYSVSEM | CLONE_PARENT_SETTID |
		     CLONE_CHILD_CLEARTID;
	register void *ctid asm("r10") = (void *)&i->tid;
	register long tls asm("r8") = 0;
	register struct infant *me asm("r12") = i;
	long ret = SYS_clone;

	i->first = ~0U;
	i->later = ~0U;
	i->cpus = 0;
	i->got = 0;
	asm volatile("syscall\n\t"
		     "test %%rax, %%rax\n\t"
		     "jnz 1f\n\t"
		     "lsl %[seg], %%ebx\n\t"
		     "mov %%ebx, %c[first](%%r12)\n\t"
		     "mov %[getaff], %%eax\n\t"
		     "xor %%edi, %%edi\n\t"
		     "mov $8, %%esi\n\t"
		     "lea %c[cpus](%%r12), %%rdx\n\t"
		     "syscall\n\t"
		     "mov %%rax, %c[got](%%r12)\n\t"
		     "lsl %[seg], %%ebx\n\t"
		     "mov %%ebx, %c[later](%%r12)\n\t"
		     "mov %[exit], %%eax\n\t"
		     "xor %%edi, %%edi\n\t"
		     "syscall\n\t"
		     "ud2\n"
		     "1:"
		     : "+a" (ret)
		     : "D" (flags), "S" (i->stack + sizeof(i->stack)),
		       "d" (&i->tid), "r" (ctid), "r" (tls), "r" (me),
		       [seg] "r" (CPUNODE_SEG),
		       [first] "i" (offsetof(struct infant, first)),
		       [later] "i" (offsetof(struct infant, later)),
		       [cpus] "i" (offsetof(struct infant, cpus)),
		       [got] "i" (offsetof(struct infant, got)),
		       [getaff] "i" (SYS_sched_getaffinity),
		       [exit] "i" (SYS_exit)
		     : "rcx", "r11", "rbx", "memory");
	return ret > 0;
}

void infant_join(struct infant *i)
{
	int tid;

	while ((tid = i->tid))
		syscall(SYS_futex, &i->tid, FUTEX_WAIT, tid, NULL, NULL, 0);
}

bool infant_was_at(const struct infant *i, uint64_t cpus)
{
	return 1ull << (i->first & 0xfff) & cpus &&
	       1ull << (i->later & 0xfff) & cpus && i->cpus == cpus;
}

static void *storm(void *arg)
{
	struct storm *s = arg;
	struct infant *i = mmap(NULL, sizeof(*i), PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned int n;

	vmm_do(s->v, VMM_CPUID, 1);
	if (s->patient)
		soon(0, VCPU, 5000);
	s->own = cpus_of(0);
	for (n = 0; n < s->nr; n++) {
		if (!infant_start(i)) {
			s->failed++;
			continue;
		}
		infant_join(i);
		if (infant_was_at(i, EMULATOR))
			s->good++;
		else
			s->bad = *i;
		if (s->gap_us)
			usleep(s->gap_us);
	}
	munmap(i, sizeof(*i));
	return NULL;
}

void storm_run(struct storm *s)
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, storm, s);
	if (errno || pthread_join(thread, NULL))
		die_errno("a thread");
}
