// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "die.h"
#include "kvmx.h"
#include "setup.h"

void setup_begin(struct setup *s)
{
	s->vm = vmm_create(0);
	vmm_add_vcpu(s->vm);
	vmm_add_vcpu_id(s->vm, 7);
	s->fd[ON_NODE] = kvmx_node();
	s->fd[ON_VM] = kvmx_vm_by_fd(s->fd[ON_NODE], s->vm->fd);
	s->fd[ON_STATS] = kvmx_vm_stats(s->fd[ON_VM], 0);
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
};

static void *aside(void *arg)
{
	struct aside *a = arg;

	vmm_do(a->v, a->kind, a->n);
	return NULL;
}

void do_aside(struct vmm_vcpu *v, unsigned int kind, uint64_t n)
{
	struct aside a = { .v = v, .kind = kind, .n = n };
	pthread_t thread;

	errno = pthread_create(&thread, NULL, aside, &a);
	if (errno || pthread_join(thread, NULL))
		die_errno("a thread");
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
