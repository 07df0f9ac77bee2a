// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "die.h"
#include "kvmx.h"
#include "setup.h"

void setup_begin(struct setup *s)
{
	s->vm = vmm_create(0);
	vmm_add_vcpu(s->vm);
	vmm_add_vcpu_id(s->vm, 7);
	/* For writing, which some commands need. */
	s->fd[ON_NODE] = kvmx_node_rw();
	s->fd[ON_VM] = kvmx_vm_by_fd(s->fd[ON_NODE], s->vm->fd);
	s->fd[ON_STATS] = kvmx_vm_stats_with(s->fd[ON_VM], 0,
					     KVMX_STATS_SCHED);
	if (s->fd[ON_STATS] < 0)
		die_errno("KVMX_VM_STATS");
	s->buf = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (s->buf == MAP_FAILED || mprotect(s->buf + PAGE, PAGE, PROT_NONE))
		die_errno("a page with nothing behind it");
}

void setup_end(struct setup *s)
{
	int i;

	for (i = 0; i < 3; i++)
		close(s->fd[i]);
	vmm_destroy(s->vm);
	munmap(s->buf, 2 * PAGE);
}

struct aside {
	struct vmm_vcpu *v;
	unsigned int kind;
	uint64_t n;
	int tid;
};

static void *aside(void *arg)
{
	struct aside *a = arg;

	a->tid = syscall(SYS_gettid);
	vmm_do(a->v, a->kind, a->n);
	return NULL;
}

void do_aside(struct vmm_vcpu *v, unsigned int kind, uint64_t n)
{
	struct aside a = { .v = v, .kind = kind, .n = n };
	pthread_t thread;
	char path[64];

	errno = pthread_create(&thread, NULL, aside, &a);
	if (errno || pthread_join(thread, NULL))
		die_errno("a thread");
	/* Joined is not yet gone: its last way out of the kernel counts, too. */
	snprintf(path, sizeof(path), "/proc/self/task/%d", a.tid);
	while (!access(path, F_OK))
		usleep(1000);
}

int try_ioctl(int fd, unsigned int cmd, const void *arg)
{
	int ret = ioctl(fd, cmd, arg);

	if (ret < 0)
		return errno;
	if (ret > 0)
		close(ret);
	return 0;
}
