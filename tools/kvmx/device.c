// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>

#include "device.h"
#include "util.h"

/* More than the kernel had at first: what appears while the list is read. */
#define SPARE	8

int device_open(bool write)
{
	int fd = open(KVMX_DEVICE, (write ? O_RDWR : O_RDONLY) | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

void device_close(int fd)
{
	if (fd >= 0)
		close(fd);
}

bool device_module_loaded(void)
{
	return !access("/sys/module/kvmx", F_OK);
}

/* Would modprobe find it? */
bool device_module_installed(void)
{
	char line[1024], path[256];
	struct utsname name;
	bool found = false;
	FILE *f;

	if (uname(&name))
		return false;
	snprintf(path, sizeof(path), "/lib/modules/%s/modules.dep",
		 name.release);
	f = fopen(path, "re");
	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f)) {
		line[strcspn(line, ":\n")] = '\0';
		found = strstr(line, "/kvmx.ko");
	}
	fclose(f);
	return found;
}

static int call(int fd, unsigned long cmd, void *arg)
{
	int ret;

	do {
		ret = ioctl(fd, cmd, arg);
	} while (ret < 0 && errno == EINTR);
	return ret < 0 ? -errno : ret;
}

int device_info(int dev, struct kvmx_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	return call(dev, KVMX_INFO, info);
}

int device_cost(int dev, struct kvmx_cost *cost)
{
	memset(cost, 0, sizeof(*cost));
	cost->size = sizeof(*cost);
	return call(dev, KVMX_COST, cost);
}

int device_features(int dev, struct kvmx_feature **features, unsigned int *nr)
{
	struct kvmx_info info;
	unsigned int room;
	int err;

	*features = NULL;
	*nr = 0;
	err = device_info(dev, &info);
	if (err)
		return err;
	room = info.nr_features;
	*features = xcalloc(room, sizeof(**features));
	memset(&info, 0, sizeof(info));
	info.size = sizeof(info);
	info.nr_features = room;
	info.features = room ? (__u64)(uintptr_t)*features : 0;
	info.feature_size = sizeof(**features);
	err = call(dev, KVMX_INFO, &info);
	*nr = info.nr_features < room ? info.nr_features : room;
	return err;
}

int device_list(int dev, struct kvmx_vm_info **vms, unsigned int *nr)
{
	unsigned int room = SPARE;
	struct kvmx_list req;
	int err;

	*vms = NULL;
	for (;;) {
		*vms = xrealloc(*vms, room, sizeof(**vms));
		memset(&req, 0, sizeof(req));
		req.size = sizeof(req);
		req.nr = room;
		req.entry_size = sizeof(**vms);
		req.vms = (__u64)(uintptr_t)*vms;
		err = call(dev, KVMX_LIST, &req);
		*nr = err ? 0 : req.nr;
		if (err || req.nr <= room)
			return err;
		room = req.nr + SPARE;
	}
}

int device_open_vm(int dev, __u32 by, __u64 key, __u64 *id)
{
	struct kvmx_open req = {
		.size = sizeof(req),
		.by = by,
		.key = key,
	};
	int fd = call(dev, KVMX_OPEN, &req);

	*id = req.id;
	return fd;
}

int device_vm_info(int vm, struct kvmx_vm_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	return call(vm, KVMX_VM_INFO, info);
}

int device_vm_vcpus(int vm, struct kvmx_vcpu_info **vcpus, unsigned int *nr)
{
	unsigned int room = SPARE;
	struct kvmx_vcpus req;
	int err;

	*vcpus = NULL;
	for (;;) {
		*vcpus = xrealloc(*vcpus, room, sizeof(**vcpus));
		memset(&req, 0, sizeof(req));
		req.size = sizeof(req);
		req.nr = room;
		req.entry_size = sizeof(**vcpus);
		req.vcpus = (__u64)(uintptr_t)*vcpus;
		err = call(vm, KVMX_VM_VCPUS, &req);
		*nr = err ? 0 : req.nr;
		if (err || req.nr <= room)
			return err;
		room = req.nr + SPARE;
	}
}

int device_vm_stats(int vm, __u32 vcpu, __u32 groups)
{
	struct kvmx_stats req = {
		.size = sizeof(req),
		.flags = groups,
		.vcpu = vcpu,
	};

	return call(vm, KVMX_VM_STATS, &req);
}

int device_place(int vm, struct kvmx_place *place)
{
	place->size = sizeof(*place);
	return call(vm, KVMX_VM_PLACE, place);
}

int device_commit(int vm)
{
	return call(vm, KVMX_VM_COMMIT, NULL);
}

int device_clear(int vm)
{
	return call(vm, KVMX_VM_CLEAR, NULL);
}

int device_placed(int vm, struct kvmx_placed *placed)
{
	placed->size = sizeof(*placed);
	return call(vm, KVMX_VM_PLACED, placed);
}

int device_events(int dev, __u64 mask)
{
	struct kvmx_events req = {
		.size = sizeof(req),
		.mask = mask,
	};

	return call(dev, KVMX_EVENTS, &req);
}

ssize_t device_read_events(int events, void *buf, size_t size)
{
	ssize_t n;

	do {
		n = read(events, buf, size);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

int device_hint(int vm, struct kvmx_hint *hint)
{
	hint->size = sizeof(*hint);
	return call(vm, KVMX_VM_HINT, hint);
}

int device_hinted(int vm, struct kvmx_hint *hint)
{
	memset(hint, 0, sizeof(*hint));
	hint->size = sizeof(*hint);
	return call(vm, KVMX_VM_HINTED, hint);
}

int device_hint_counts(int vm, __u32 vcpu, __u32 kind,
		       struct kvmx_hint_counts *counts)
{
	memset(counts, 0, sizeof(*counts));
	counts->size = sizeof(*counts);
	counts->vcpu = vcpu;
	counts->kind = kind;
	return call(vm, KVMX_VM_HINT_COUNTS, counts);
}

ssize_t device_read(int stats, void *buf, size_t size, off_t at)
{
	ssize_t n;

	do {
		n = pread(stats, buf, size, at);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

int device_notes(int stats, struct kvmx_note **notes, unsigned int *nr)
{
	unsigned int room = 4 * SPARE;
	struct kvmx_notes req;
	int err;

	*notes = NULL;
	for (;;) {
		*notes = xrealloc(*notes, room, sizeof(**notes));
		memset(&req, 0, sizeof(req));
		req.size = sizeof(req);
		req.nr = room;
		req.entry_size = sizeof(**notes);
		req.notes = (__u64)(uintptr_t)*notes;
		err = call(stats, KVMX_STATS_NOTES, &req);
		*nr = err ? 0 : req.nr;
		if (err || req.nr <= room)
			return err;
		room = req.nr + SPARE;
	}
}

int device_top(int stats, __u32 what, struct kvmx_top_row **rows,
	       unsigned int *nr, __u64 *others_count, __u64 *others_time)
{
	unsigned int room = 4 * SPARE;
	struct kvmx_top req;
	int err;

	*rows = NULL;
	for (;;) {
		*rows = xrealloc(*rows, room, sizeof(**rows));
		memset(&req, 0, sizeof(req));
		req.size = sizeof(req);
		req.what = what;
		req.nr = room;
		req.entry_size = sizeof(**rows);
		req.rows = (__u64)(uintptr_t)*rows;
		err = call(stats, KVMX_STATS_TOP, &req);
		if (!err && req.nr > room) {
			room = req.nr + SPARE;
			continue;
		}
		if (err) {
			free(*rows);
			*rows = NULL;
		}
		*nr = err ? 0 : req.nr;
		*others_count = req.others_count;
		*others_time = req.others_time;
		return err;
	}
}
