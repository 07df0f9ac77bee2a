// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "fake.h"

/* fds: 1000, VMs 1100 + id, statistics 10000 + 100 * id + vCPU (99: all). */
#define DEV		1000
#define VM(id)		(1100 + (int)(id))
#define STATS(id, v)	(10000 + 100 * (int)(id) + (int)(v))
#define WHOLE		99U

static __u64 steps;
static unsigned int lists;		/* how often VMs were listed */

bool fake_is(const char *word)
{
	const char *s = getenv("FAKE");
	size_t len = strlen(word);

	while (s && *s) {
		size_t n = strcspn(s, ",");

		if (n == len && !strncmp(s, word, n))
			return true;
		s += n + (s[n] == ',');
	}
	return false;
}

__u64 fake_steps(void)
{
	return steps;
}

__u64 fake_now(void)
{
	return steps * FAKE_SECOND;
}

int device_open(bool write)
{
	if (write && fake_is("readonly"))
		return -EACCES;
	if (fake_is("absent"))
		return -ENOENT;
	if (fake_is("denied"))
		return -EACCES;
	return DEV;
}

void device_close(int fd)
{
}

bool device_module_loaded(void)
{
	return fake_is("nodevice");
}

bool device_module_installed(void)
{
	return fake_is("installed");
}

static unsigned int nr_vms(void)
{
	if (fake_is("novm"))
		return 0;
	if (fake_is("arrives"))
		return fake_arrived() ? 2 : 1;
	if (fake_is("born"))
		return steps >= 2 ? 2 : 1;
	return fake_is("two") || fake_is("twins") ? 2 : 1;
}

int device_info(int dev, struct kvmx_info *info)
{
	if (fake_is("oldabi"))
		return -EINVAL;
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	info->abi_version = fake_is("abi") ? 2 : KVMX_ABI_VERSION;
	info->vendor = KVMX_VENDOR_INTEL;
	info->clock_khz = FAKE_KHZ;
	info->nr_features = 4;
	info->nr_vms = nr_vms();
	info->memory = 123456;
	info->now = fake_now();
	/* An hour after it halted. */
	if (fake_is("halted"))
		info->now += 3600 * FAKE_SECOND;
	snprintf(info->version, sizeof(info->version), "0.0-fake");
	return 0;
}

int device_cost(int dev, struct kvmx_cost *cost)
{
	if (fake_is("nocost"))
		return -EOPNOTSUPP;
	if (fake_is("old"))
		return -ENOTTY;
	memset(cost, 0, sizeof(*cost));
	cost->size = sizeof(*cost);
	/* 50 ns */
	cost->exit = 50ULL * FAKE_KHZ / 1000;
	cost->rounds = 64;
	return 0;
}

int device_features(int dev, struct kvmx_feature **features, unsigned int *nr)
{
	static const struct kvmx_feature all[] = {
		{ 0, KVMX_FEATURE_ON, "vendor", "VMX" },
		{ 7, KVMX_FEATURE_OFF, "kvm_userspace_exit",
		  "this kernel has no such tracepoint, and this is too long for one line" },
		{ 40, KVMX_FEATURE_OFF, "place", "no way to set a task's CPUs" },
		{ 5, KVMX_FEATURE_READY, "kvm_entry",
		  "attached when statistics are opened" },
	};

	*nr = 4;
	*features = malloc(sizeof(all));
	memcpy(*features, all, sizeof(all));
	return 0;
}

static bool is_gone(__u64 id)
{
	if (id != 1)
		return false;
	return (fake_is("gone") && steps >= 3) ||
	       (fake_is("leaves") && lists >= 3);
}

static void vm_fill(struct kvmx_vm_info *vm, __u64 id)
{
	memset(vm, 0, sizeof(*vm));
	vm->size = sizeof(*vm);
	vm->id = id;
	vm->pid = fake_is("twins") ? 100 : 100 * (int)id;
	vm->nr_vcpus = 2;
	vm->age_ns = fake_is("born") && id == 2 ? 0 : 3723000000000ULL;
	if (fake_is("counting")) {
		vm->state |= KVMX_VM_COUNTING;
		vm->counted_ns = fake_is("runs") ? 10000000 : 1000000000;
	}
	if (fake_is("odd"))
		vm->state |= KVMX_VM_ADOPTED;
	if (is_gone(id))
		vm->state |= KVMX_VM_GONE;
	snprintf(vm->name, sizeof(vm->name), "%s",
		 fake_is("odd") ? "evil\x1b[31m\xff" : "qemu-system-x86");
}

int device_list(int dev, struct kvmx_vm_info **vms, unsigned int *nr)
{
	unsigned int i;

	lists++;
	*nr = 0;
	*vms = calloc(2, sizeof(**vms));
	for (i = 1; i <= nr_vms(); i++)
		if (!is_gone(i))
			vm_fill(&(*vms)[(*nr)++], i);
	return 0;
}

static int by_pid(__u64 pid, __u64 *id)
{
	if (pid == 4242)
		return -ENOENT;		/* a process without a VM */
	if (pid == 100 && fake_is("twins"))
		return -ENOTUNIQ;
	if (pid % 100 || pid / 100 > nr_vms())
		return -ESRCH;
	*id = pid / 100;
	return VM(*id);
}

int device_open_vm(int dev, __u32 by, __u64 key, __u64 *id)
{
	if (by == KVMX_BY_PID)
		return by_pid(key, id);
	if (!key || key > nr_vms() || is_gone(key))
		return -ENOENT;
	*id = key;
	return VM(key);
}

int device_vm_info(int vm, struct kvmx_vm_info *info)
{
	vm_fill(info, (__u64)(vm - VM(0)));
	return 0;
}

int device_vm_vcpus(int vm, struct kvmx_vcpu_info **vcpus, unsigned int *nr)
{
	unsigned int i;

	*nr = fake_is("hotplug") && steps < 3 ? 1 : 2;
	*vcpus = calloc(*nr, sizeof(**vcpus));
	for (i = 0; i < *nr; i++) {
		(*vcpus)[i].size = sizeof(**vcpus);
		(*vcpus)[i].index = i;
		(*vcpus)[i].vcpu_id = 10 + i;
		(*vcpus)[i].tid = (int)(101 + i);
	}
	return 0;
}

int device_vm_stats(int vm, __u32 vcpu, __u32 groups)
{
	int fd = STATS(vm - VM(0), vcpu == KVMX_STATS_WHOLE_VM ? WHOLE : vcpu);

	if (fake_is("nostats"))
		return -EOPNOTSUPP;
	if (groups && fake_is("nogroups"))
		return -EINVAL;
	if (groups & KVMX_STATS_SCHED)
		fd += FAKE_SCHED;
	if (groups & KVMX_STATS_TLB)
		fd += FAKE_TLB;
	if (groups & KVMX_STATS_MMU)
		fd += FAKE_MMU;
	return fd;
}

static ssize_t read_part(const void *from, size_t have, size_t at, void *buf,
			 size_t size)
{
	if (at >= have)
		return 0;
	if (size > have - at)
		size = have - at;
	memcpy(buf, (const char *)from + at, size);
	return (ssize_t)size;
}

ssize_t device_read(int stats, void *buf, size_t size, off_t at)
{
	unsigned int groups = (unsigned int)stats / FAKE_SCHED;
	unsigned int at_fd = (unsigned int)(stats - 10000) % FAKE_SCHED;
	unsigned int vm = at_fd / 100, vcpu = at_fd % 100;
	size_t data_at, nr;
	__u64 *values;
	void *schema;
	ssize_t n;

	if (vcpu == WHOLE)
		vcpu = FAKE_WHOLE;
	nr = fake_schema(vcpu, groups, &schema, &data_at);
	if ((size_t)at < data_at) {
		n = read_part(schema, nr, (size_t)at, buf, size);
		free(schema);
		return n;
	}
	free(schema);
	if (vm == 1 && vcpu == 0)
		steps++;
	nr = fake_values(vm, vcpu, groups, &values);
	return read_part(values, nr * sizeof(*values), (size_t)at - data_at,
			 buf, size);
}

int device_notes(int stats, struct kvmx_note **notes, unsigned int *nr)
{
	static const struct kvmx_note all[] = {
		{ .label = KVMX_LABEL_UNAVAILABLE, .name = "time.user",
		  .reason = "needs the tracepoint kvm_userspace_exit, which is off" },
		{ .label = KVMX_LABEL_LATE, .name = "time.halted",
		  .reason = "told when the vCPU has run again" },
		{ .label = KVMX_LABEL_LATE, .name = "exit.*.net",
		  .reason = "told when the vCPU has run again" },
	};
	unsigned int from = fake_is("nouser") ? 0 : 1;

	*nr = 3 - from;
	*notes = malloc(sizeof(all));
	memcpy(*notes, &all[from], *nr * sizeof(*all));
	return 0;
}

/* Far moves are rare and dear; one reason has no name. */
static int top_exits(__u32 what, struct kvmx_top_row **rows, unsigned int *nr,
		     __u64 *others_count, __u64 *others_time)
{
	const __u64 us = FAKE_KHZ / 1000, n = steps, dear = what;
	const struct kvmx_top_row all[] = {
		{ 10, 700 / dear * n, 700 / dear * n * 2 * dear * us, 0, "CPUID" },
		{ 12, 100 / dear * n, 100 / dear * n * 50 * dear * us, 0, "HLT" },
		{ 0x4d, n, n * us, 0, "" },
	};

	*nr = what == KVMX_TOP_EXITS_SAME_NODE ? 0 : 3;
	*rows = malloc(sizeof(all));
	memcpy(*rows, all, sizeof(all));
	*others_count = 0;
	*others_time = 0;
	return 0;
}

static int top_ranges(struct kvmx_top_row **rows, unsigned int *nr,
		      __u64 *others_count, __u64 *others_time)
{
	const __u64 us = FAKE_KHZ / 1000, n = steps;

	*nr = 1;
	*rows = calloc(1, sizeof(**rows));
	(*rows)[0].key = 0x40000000;
	(*rows)[0].count = 30 * n;
	(*rows)[0].time = 30 * n * 100 * us;
	*others_count = 10 * n;
	*others_time = 10 * n * us;
	return 0;
}

int device_top(int stats, __u32 what, struct kvmx_top_row **rows,
	       unsigned int *nr, __u64 *others_count, __u64 *others_time)
{
	const __u64 us = FAKE_KHZ / 1000, n = steps;
	const struct kvmx_top_row all[] = {
		{ 4711, 2 * n, 2 * n * 100 * us, 0, "kworker/3:1" },
		{ 555, 7 * n, 7 * n * 4000 * us, 0, "hog" },
	};

	if (stats >= FAKE_MMU && what == KVMX_TOP_RANGES)
		return top_ranges(rows, nr, others_count, others_time);
	if (stats < FAKE_SCHED || stats >= FAKE_MMU ||
	    what > KVMX_TOP_EXITS_OTHER_NODE)
		return -ENODATA;
	if (what != KVMX_TOP_PREEMPTORS)
		return top_exits(what, rows, nr, others_count, others_time);
	*nr = 2;
	*rows = malloc(sizeof(all));
	memcpy(*rows, all, sizeof(all));
	*others_count = n;
	*others_time = n * 10 * us;
	return 0;
}
