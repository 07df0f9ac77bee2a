// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>

#include "die.h"
#include "kvmx.h"

int kvmx_node(void)
{
	int fd = open(KVMX_DEVICE, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die_errno(KVMX_DEVICE);
	return fd;
}

int kvmx_node_rw(void)
{
	int fd = open(KVMX_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		die_errno(KVMX_DEVICE);
	return fd;
}

int kvmx_info(int node, struct kvmx_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	return ioctl(node, KVMX_INFO, info);
}

int kvmx_features(int node, struct kvmx_feature *to, unsigned int room)
{
	struct kvmx_info info = {
		.size = sizeof(info),
		.features = (uintptr_t)to,
		.nr_features = room,
		.feature_size = sizeof(*to),
	};

	if (ioctl(node, KVMX_INFO, &info))
		die_errno("KVMX_INFO");
	return info.nr_features;
}

bool kvmx_feature_off(int node, const char *name)
{
	struct kvmx_feature all[64];
	int i, nr = kvmx_features(node, all, 64);

	for (i = 0; i < nr && i < 64; i++)
		if (!strcmp(all[i].name, name))
			return all[i].state == KVMX_FEATURE_OFF;
	die("no feature %s", name);
}

int kvmx_events(int node, uint64_t mask)
{
	struct kvmx_events req = { .size = sizeof(req), .mask = mask };

	return ioctl(node, KVMX_EVENTS, &req);
}

int kvmx_notes(int stats, struct kvmx_note *to, unsigned int room)
{
	struct kvmx_notes req = {
		.size = sizeof(req), .nr = room, .notes = (uintptr_t)to,
		.entry_size = sizeof(*to),
	};

	return ioctl(stats, KVMX_STATS_NOTES, &req) ? -1 : (int)req.nr;
}

int kvmx_vcpus(int vm, struct kvmx_vcpu_info *to, unsigned int room)
{
	struct kvmx_vcpus req = {
		.size = sizeof(req), .nr = room, .vcpus = (uintptr_t)to,
		.entry_size = sizeof(*to),
	};

	return ioctl(vm, KVMX_VM_VCPUS, &req) ? -1 : (int)req.nr;
}

int kvmx_open(int node, unsigned int by, uint64_t key, unsigned int flags)
{
	struct kvmx_open req = {
		.size = sizeof(req), .flags = flags, .by = by, .key = key,
	};

	return ioctl(node, KVMX_OPEN, &req);
}

int kvmx_vm_by_fd(int node, int kvm_vm_fd)
{
	int fd = kvmx_open(node, KVMX_BY_FD, kvm_vm_fd, 0);

	if (fd < 0)
		die_errno("KVMX_OPEN by fd");
	return fd;
}

int kvmx_vm_stats_with(int vm, unsigned int vcpu, unsigned int groups)
{
	struct kvmx_stats req = {
		.size = sizeof(req), .vcpu = vcpu, .flags = groups,
	};

	return ioctl(vm, KVMX_VM_STATS, &req);
}

int kvmx_vm_stats(int vm, unsigned int vcpu)
{
	return kvmx_vm_stats_with(vm, vcpu, 0);
}

int kvmx_vm_info(int vm, struct kvmx_vm_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	return ioctl(vm, KVMX_VM_INFO, info);
}

int kvmx_list(int node, struct kvmx_vm_info *vms, unsigned int room)
{
	struct kvmx_list req = {
		.size = sizeof(req), .nr = room, .vms = (uintptr_t)vms,
		.entry_size = sizeof(*vms),
	};

	return ioctl(node, KVMX_LIST, &req) ? -1 : (int)req.nr;
}

bool kvmx_listed(int node, uint64_t id)
{
	struct kvmx_vm_info vms[256];
	int i, n = kvmx_list(node, vms, 256);

	if (n < 0)
		die_errno("KVMX_LIST");
	for (i = 0; i < n && i < 256; i++)
		if (vms[i].id == id)
			return true;
	return false;
}

struct stats *kvmx_stats_with(int vm, unsigned int vcpu, unsigned int groups)
{
	int fd = kvmx_vm_stats_with(vm, vcpu, groups);

	if (fd < 0)
		die_errno("KVMX_VM_STATS of vCPU %d, groups %#x", (int)vcpu,
			  groups);
	return stats_attach(fd);
}

struct stats *kvmx_stats(int vm, unsigned int vcpu)
{
	return kvmx_stats_with(vm, vcpu, 0);
}

int kvmx_top(int stats, unsigned int what, struct kvmx_top_row *rows,
	     unsigned int room, struct kvmx_top *rest)
{
	struct kvmx_top req = {
		.size = sizeof(req), .what = what, .nr = room,
		.entry_size = sizeof(*rows), .rows = (uintptr_t)rows,
	};

	if (ioctl(stats, KVMX_STATS_TOP, &req))
		return -1;
	if (rest)
		*rest = req;
	return req.nr;
}

struct stats *kvm_stats(int fd)
{
	int stats = ioctl(fd, KVM_GET_STATS_FD, NULL);

	if (stats < 0)
		die_errno("KVM_GET_STATS_FD");
	return stats_attach(stats);
}
