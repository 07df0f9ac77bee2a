// SPDX-License-Identifier: GPL-2.0-only
/* Everything but placements: see failslab_test.c. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "die.h"
#include "failslab.h"

static long call_node(struct scene *s)
{
	return open(KVMX_DEVICE, O_RDONLY | O_CLOEXEC);
}

static long call_info(struct scene *s)
{
	struct kvmx_info info = {
		.size = sizeof(info), .nr_features = 96,
		.features = (uintptr_t)s->features,
		.feature_size = sizeof(*s->features),
	};

	return ioctl(s->node, KVMX_INFO, &info);
}

static long call_cost(struct scene *s)
{
	struct kvmx_cost cost = { .size = sizeof(cost) };

	return ioctl(s->node, KVMX_COST, &cost);
}

static long call_list(struct scene *s)
{
	return kvmx_list(s->node, (void *)s->buf, 64);
}

static long call_open_fd(struct scene *s)
{
	return kvmx_open(s->node, KVMX_BY_FD, s->vm->fd, 0);
}

static long call_open_pid(struct scene *s)
{
	return kvmx_open(s->node, KVMX_BY_PID, getpid(), 0);
}

static long call_open_id(struct scene *s)
{
	return kvmx_open(s->node, KVMX_BY_ID, s->info.id, KVMX_OPEN_NO_NAMES);
}

static long call_vm_info(struct scene *s)
{
	return kvmx_vm_info(s->vm_fd, &s->info);
}

static long call_vcpus(struct scene *s)
{
	return kvmx_vcpus(s->vm_fd, (void *)s->buf, 16) == 2 ? 0 : -1;
}

static long call_stats(struct scene *s)
{
	return kvmx_vm_stats(s->vm_fd, 1);
}

static long call_stats_whole(struct scene *s)
{
	return kvmx_vm_stats(s->vm_fd, KVMX_STATS_WHOLE_VM);
}

static long call_groups(struct scene *s)
{
	return kvmx_vm_stats_with(s->vm_fd, 1, ALL_GROUPS);
}

static long call_groups_whole(struct scene *s)
{
	return kvmx_vm_stats_with(s->vm_fd, KVMX_STATS_WHOLE_VM, ALL_GROUPS);
}

static long call_top(struct scene *s)
{
	return kvmx_top(s->stats, KVMX_TOP_PREEMPTORS, (void *)s->buf, 8, NULL);
}

/* With an fd of its own, for the other one is a vCPU's. */
static long call_top_whole(struct scene *s)
{
	int fd = call_groups_whole(s), err;
	long ret;

	if (fd < 0)
		return -1;
	ret = kvmx_top(fd, KVMX_TOP_PORTS, (void *)s->buf, 8, NULL);
	err = errno;
	close(fd);
	errno = err;
	return ret;
}

static long call_notes(struct scene *s)
{
	return kvmx_notes(s->stats, (void *)s->buf, 64);
}

static long call_pread(struct scene *s)
{
	return pread(s->stats, s->buf, s->size, 0) == (ssize_t)s->size ? 0 : -1;
}

static long call_read(struct scene *s)
{
	return read(s->stats, s->buf, 100);
}

static long call_poll(struct scene *s)
{
	struct pollfd p = { .fd = s->stats, .events = POLLIN };

	return poll(&p, 1, 0) == 1 && p.revents == POLLIN ? 0 : -1;
}

static long call_mmap(struct scene *s)
{
	const struct kvm_stats_header *head = (void *)s->buf;
	void *map;

	if (pread(s->stats, s->buf, sizeof(*head), 0) != sizeof(*head))
		return -1;
	map = mmap(NULL, s->size - head->data_offset, PROT_READ, MAP_SHARED,
		   s->stats, head->data_offset);
	if (map == MAP_FAILED)
		return -1;
	return (long)map;
}

static void undo_mmap(struct scene *s, long ret)
{
	const struct kvm_stats_header *head = (void *)s->buf;

	munmap((void *)ret, s->size - head->data_offset);
}

/* The last statistics fd: counting ends, probes are detached. */
static long call_close(struct scene *s)
{
	long ret = close(s->stats);

	s->stats = -1;
	return ret;
}

static long call_always(struct scene *s)
{
	return pwrite(s->param, "always", 6, 0) == 6 ? 0 : -1;
}

static void undo_always(struct scene *s, long ret)
{
	if (pwrite(s->param, "ondemand", 8, 0) != 8)
		die_errno("the parameter stats");
}

long call_create_vcpu(struct scene *s)
{
	static unsigned int id = 100;

	return ioctl(s->vm->fd, KVM_CREATE_VCPU, 100 + id++ % 100);
}

static const struct call calls[] = {
	{ "open of the node", 0, BARE, FAIL_ANYWHERE, call_node, undo_fd },
	{ "KVMX_INFO", KVMX_INFO, BARE, FAIL_ANYWHERE, call_info,
	  .needs_none = true },
	{ "KVMX_COST", KVMX_COST, RECORDED, FAIL_ANYWHERE, call_cost },
	{ "KVMX_LIST", KVMX_LIST, RECORDED, FAIL_ANYWHERE, call_list,
	  .needs_none = true },
	{ "KVMX_OPEN by fd", KVMX_OPEN, RECORDED, FAIL_ANYWHERE, call_open_fd,
	  undo_fd },
	{ "KVMX_OPEN by fd, of a VM that has no record", KVMX_OPEN, BARE,
	  FAIL_ANYWHERE, call_open_fd, undo_fd },
	{ "KVMX_OPEN by pid", KVMX_OPEN, RECORDED, FAIL_ANYWHERE, call_open_pid,
	  undo_fd },
	{ "KVMX_OPEN by id", KVMX_OPEN, OPENED, FAIL_ANYWHERE, call_open_id,
	  undo_fd },
	{ "KVMX_VM_INFO", KVMX_VM_INFO, OPENED, FAIL_ANYWHERE, call_vm_info,
	  .needs_none = true },
	{ "KVMX_VM_VCPUS", KVMX_VM_VCPUS, OPENED, FAIL_ANYWHERE, call_vcpus,
	  .needs_none = true },
	{ "KVMX_VM_STATS of a vCPU, the first one", KVMX_VM_STATS, OPENED,
	  FAIL_ANYWHERE, call_stats, undo_fd },
	{ "KVMX_VM_STATS of the VM, the first one", KVMX_VM_STATS, OPENED,
	  FAIL_ANYWHERE, call_stats_whole, undo_fd },
	{ "KVMX_VM_STATS, one more", KVMX_VM_STATS, COUNTED, FAIL_ANYWHERE,
	  call_stats, undo_fd },
	{ "KVMX_VM_STATS of a vCPU with groups, the first one", KVMX_VM_STATS,
	  OPENED, FAIL_ANYWHERE, call_groups, undo_fd },
	{ "KVMX_VM_STATS of the VM with groups, the first one", KVMX_VM_STATS,
	  OPENED, FAIL_ANYWHERE, call_groups_whole, undo_fd },
	{ "KVMX_VM_STATS of the VM with groups, one more", KVMX_VM_STATS,
	  COUNTED, FAIL_ANYWHERE, call_groups_whole, undo_fd },
	{ "KVMX_STATS_TOP of a vCPU", KVMX_STATS_TOP, COUNTED, FAIL_ANYWHERE,
	  call_top },
	{ "KVMX_STATS_TOP of the VM, and its fd", KVMX_STATS_TOP, COUNTED,
	  FAIL_ANYWHERE, call_top_whole },
	{ "KVMX_STATS_NOTES", KVMX_STATS_NOTES, COUNTED, FAIL_ANYWHERE,
	  call_notes },
	{ "pread of statistics", 0, COUNTED, FAIL_ANYWHERE, call_pread,
	  .needs_none = true },
	{ "read of statistics", 0, COUNTED, FAIL_ANYWHERE, call_read,
	  .needs_none = true },
	{ "poll of statistics", 0, COUNTED, FAIL_ANYWHERE, call_poll,
	  .needs_none = true },
	{ "mmap of statistics", 0, COUNTED, FAIL_ANYWHERE, call_mmap, undo_mmap },
	{ "close of the last statistics", 0, COUNTED, FAIL_ANYWHERE, call_close,
	  .never_fails = true, .once = true },
	{ "stats=always", 0, RECORDED, FAIL_IN_MODULE, call_always, undo_always },
	{ "KVM_CREATE_VCPU, all of it", 0, OPENED, FAIL_ANYWHERE,
	  call_create_vcpu, undo_fd },
	{ "KVM_CREATE_VCPU, kvmx's part", 0, OPENED, FAIL_IN_MODULE,
	  call_create_vcpu, undo_fd, .never_fails = true },
	{ "KVM_CREATE_VCPU, kvmx's part, counted", 0, COUNTED, FAIL_IN_MODULE,
	  call_create_vcpu, undo_fd, .never_fails = true },
};

const struct calls stats_calls = { calls, sizeof(calls) / sizeof(*calls) };
