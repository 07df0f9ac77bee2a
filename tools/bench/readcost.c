// SPDX-License-Identifier: GPL-2.0-only
/*
 * What reading costs, and how attaching, detaching and finding scale: with VMs
 * of many vCPUs that were created and never run, but for a few.
 *
 * Prints lines "WHAT N TICKS BYTES": the median of the rounds, for N vCPUs (or
 * VMs), and how much there was to read. For the tool it is microseconds of CPU
 * time, and the seconds that it looked.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "company.h"
#include "die.h"
#include "kvmx.h"
#include "module.h"
#include "took.h"
#include "vmm.h"

#define RUNNING		4	/* of the vCPUs that are read */
#define MAX_VCPUS	1024
#define MAX_VMS		200

/* A VM as KVM makes it, and nothing in it. */
struct bare {
	int vm;
	int vcpu[MAX_VCPUS];
	unsigned int nr;
};

static int kvm;

static void bare_make(struct bare *b, unsigned int nr)
{
	unsigned int i;

	b->vm = ioctl(kvm, KVM_CREATE_VM, 0);
	if (b->vm < 0)
		die_errno("KVM_CREATE_VM");
	for (i = 0; i < nr; i++) {
		b->vcpu[i] = ioctl(b->vm, KVM_CREATE_VCPU, i);
		if (b->vcpu[i] < 0)
			die_errno("KVM_CREATE_VCPU %u", i);
	}
	b->nr = nr;
}

static void bare_end(struct bare *b)
{
	unsigned int i;

	for (i = 0; i < b->nr; i++)
		close(b->vcpu[i]);
	close(b->vm);
}

static void many_files(void)
{
	struct rlimit most = { 16384, 16384 };

	if (setrlimit(RLIMIT_NOFILE, &most))
		die_errno("RLIMIT_NOFILE");
}

/* Size and place of the data behind a statistics fd. */
static size_t data_of(int fd, off_t *at)
{
	struct stats *s = stats_attach(dup(fd));
	size_t size = s->size;

	*at = s->head.data_offset;
	stats_close(s);
	return size;
}

static void read_fds(const char *what, const int *fd, unsigned int nr)
{
	off_t at;
	size_t size = data_of(fd[0], &at);
	char *buf = malloc(size);
	unsigned int i, r;
	uint64_t from;

	for (r = 0; r < ROUNDS; r++) {
		from = vmm_tsc();
		for (i = 0; i < nr; i++)
			if (pread(fd[i], buf, size, at) != (ssize_t)size)
				die_errno("reading %s", what);
		took[r] = vmm_tsc() - from;
	}
	report(what, nr, size * nr);
	free(buf);
}

/*
 * By the mapping: exits of all reasons and the classes of time, of each vCPU,
 * with the sequence word checked around each vCPU's.
 */
static void read_maps(struct stats **s, unsigned int nr)
{
	static const struct stat_desc *wanted[512];
	unsigned int i, k, r, n = 0;
	volatile uint64_t sum;
	uint64_t from;
	size_t seq;

	for (i = 0; i < s[0]->nr; i++) {
		const struct stat_desc *d = &s[0]->desc[i];
		const char *dot = strrchr(d->name, '.');

		if (!strncmp(d->name, "time.", 5) ||
		    (!strncmp(d->name, "exit.", 5) && !strcmp(dot, ".count")))
			wanted[n++] = d;
	}
	seq = stats_find(s[0], "seq")->offset;
	for (i = 0; i < nr; i++)
		stats_map(s[i]);
	for (r = 0; r < ROUNDS; r++) {
		from = vmm_tsc();
		for (i = 0; i < nr; i++) {
			const volatile uint64_t *word = (void *)(s[i]->map + seq);
			uint64_t before;

			do {
				before = *word;
				for (k = 0, sum = 0; k < n; k++)
					sum += *(uint64_t *)(s[i]->map +
							     wanted[k]->offset);
			} while (before & 1 || *word != before);
		}
		took[r] = vmm_tsc() - from;
	}
	report("kvmx_map", nr, n * nr * sizeof(uint64_t));
}

/* All files that KVM has in debugfs for this VM: each sums up over the vCPUs. */
static void read_debugfs(const struct bare *b)
{
	char path[512], buf[64];
	size_t bytes = 0;
	struct dirent *e;
	uint64_t from;
	unsigned int r;
	DIR *dir;
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/debug/kvm/%d-%d", getpid(),
		 b->vm);
	for (r = 0; r < ROUNDS; r++) {
		from = vmm_tsc();
		dir = opendir(path);
		if (!dir)
			die_errno("%s", path);
		bytes = 0;
		while ((e = readdir(dir))) {
			if (e->d_type != DT_REG)
				continue;
			fd = openat(dirfd(dir), e->d_name, O_RDONLY);
			if (fd < 0)
				continue;
			bytes += read(fd, buf, sizeof(buf));
			close(fd);
		}
		closedir(dir);
		took[r] = vmm_tsc() - from;
	}
	report("debugfs", b->nr, bytes);
}

/* One event per vCPU, each of which counts its exits: perf's least. */
static void read_perf(unsigned int nr)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT, .size = sizeof(attr),
		.sample_period = 1,
	};
	static int fd[MAX_VCPUS];
	char filter[32];
	unsigned int i, r;
	uint64_t from, n;
	FILE *f;

	f = fopen("/sys/kernel/tracing/events/kvm/kvm_exit/id", "r");
	if (!f || fscanf(f, "%llu", &attr.config) != 1)
		die_errno("kvm_exit's number");
	fclose(f);
	for (i = 0; i < nr; i++) {
		fd[i] = syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
		if (fd[i] < 0)
			die_errno("perf_event_open");
		snprintf(filter, sizeof(filter), "vcpu_id==%u", i);
		if (ioctl(fd[i], PERF_EVENT_IOC_SET_FILTER, filter))
			die_errno("PERF_EVENT_IOC_SET_FILTER");
	}
	for (r = 0; r < ROUNDS; r++) {
		from = vmm_tsc();
		for (i = 0; i < nr; i++)
			if (read(fd[i], &n, sizeof(n)) != sizeof(n))
				die_errno("reading perf's event");
		took[r] = vmm_tsc() - from;
	}
	report("perf", nr, nr * sizeof(n));
	for (i = 0; i < nr; i++)
		close(fd[i]);
}

static void reading(unsigned int nr)
{
	static struct stats *s[MAX_VCPUS];
	static int fd[MAX_VCPUS];
	int vm, node = kvmx_node();
	struct bare b;
	unsigned int i;

	bare_make(&b, nr);
	for (i = 0; i < nr; i++) {
		fd[i] = ioctl(b.vcpu[i], KVM_GET_STATS_FD, NULL);
		if (fd[i] < 0)
			die_errno("KVM_GET_STATS_FD");
	}
	read_fds("kvm_fds", fd, nr);
	read_debugfs(&b);
	read_perf(nr);
	for (i = 0; i < nr; i++)
		close(fd[i]);

	vm = kvmx_vm_by_fd(node, b.vm);
	for (i = 0; i < nr; i++) {
		s[i] = kvmx_stats(vm, i);
		fd[i] = s[i]->fd;
	}
	read_fds("kvmx_fds", fd, nr);
	read_maps(s, nr);
	fd[0] = kvmx_vm_stats(vm, KVMX_STATS_WHOLE_VM);
	read_fds("kvmx_vm_fd", fd, 1);
	close(fd[0]);
	for (i = 0; i < nr; i++)
		stats_close(s[i]);
	close(vm);
	close(node);
	bare_end(&b);
}

/* The first statistics fd of a VM puts everything up, the last takes it down. */
static void attaching(unsigned int nr)
{
	uint64_t detached[ROUNDS], from;
	int vm, fd, node = kvmx_node();
	struct bare b;
	unsigned int r;

	bare_make(&b, nr);
	vm = kvmx_vm_by_fd(node, b.vm);
	for (r = 0; r < ROUNDS; r++) {
		from = vmm_tsc();
		fd = kvmx_vm_stats(vm, KVMX_STATS_WHOLE_VM);
		took[r] = vmm_tsc() - from;
		if (fd < 0)
			die_errno("KVMX_VM_STATS");
		from = vmm_tsc();
		close(fd);
		detached[r] = vmm_tsc() - from;
		if (!r)		/* memory is had once */
			printf("attach_first %u %lu 0\n", nr, took[r]);
	}
	report("attach", nr, 0);
	memcpy(took, detached, sizeof(took));
	report("detach", nr, 0);
	close(vm);
	close(node);
	bare_end(&b);
}

/* Loading finds all VMs that there are. */
static void finding(unsigned int nr)
{
	static struct bare b[MAX_VMS];
	const char *ko = module_file();
	unsigned int i, r;
	uint64_t from;
	int err;

	if (!ko)
		die("no kvmx.ko to load");
	for (i = 0; i < nr; i++)
		bare_make(&b[i], 1);
	for (r = 0; r < ROUNDS; r++) {
		err = module_unload("kvmx");
		if (err)
			die("cannot unload kvmx: %s", strerror(err));
		from = vmm_tsc();
		err = module_load(ko, "");
		took[r] = vmm_tsc() - from;
		if (err)
			die("cannot load kvmx: %s", strerror(err));
	}
	report("load", nr, 0);
	for (i = 0; i < nr; i++)
		bare_end(&b[i]);
}

/*
 * CPU time, in us, of `kvmx stat -i 1` beside vCPUs of which four run. By the
 * scheduler's own clock: what rusage says is made of ticks, to which the tool's
 * waking up is bound.
 */
static void tool(unsigned int nr)
{
	static const struct vmm_step busy[] = {
		{ .kind = VMM_SPIN, .n = 100000 },
		{ .kind = VMM_CPUID, .n = 10 },
		{ .kind = VMM_OUT_USER, .n = 1 },
	};
	struct vmm *vm = vmm_create(VMM_IRQCHIP);
	unsigned int i, seconds = 20;
	struct sched use;
	siginfo_t end;
	char pid[16];
	pid_t child;

	for (i = 0; i < nr; i++)
		vmm_add_vcpu(vm);
	for (i = 0; i < RUNNING; i++) {
		vm->vcpu[i].user_us = 1000;
		vmm_start(&vm->vcpu[i], busy, 3);
	}
	snprintf(pid, sizeof(pid), "%d", getpid());
	child = fork();
	if (!child) {
		if (!freopen("/dev/null", "w", stdout))
			_exit(1);
		execlp("kvmx", "kvmx", "stat", "-p", pid, "-i", "1", "-c", "20",
		       NULL);
		_exit(1);
	}
	if (waitid(P_PID, child, &end, WEXITED | WNOWAIT) || end.si_status)
		die("kvmx stat ended with status %d", end.si_status);
	read_sched_of(child, &use);
	waitpid(child, NULL, 0);
	printf("tool %u %lu %u\n", nr, use.ran / 1000, seconds);
	for (i = 0; i < RUNNING; i++)
		vmm_stop(&vm->vcpu[i]);
	vmm_destroy(vm);
}

static void all_attaching(void)
{
	static const unsigned int sizes[] = { 1, 16, 256, 1024 };
	unsigned int i;

	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		attaching(sizes[i]);
}

static void all_finding(void)
{
	unsigned int i;

	for (i = 0; i <= MAX_VMS; i += MAX_VMS / 2)
		finding(i);
}

static void all_reading(void)
{
	reading(512);
}

static void the_tool(void)
{
	tool(64);
}

static const struct {
	const char *name;
	void (*run)(void);
} parts[] = {
	{ "reading", all_reading },
	{ "attaching", all_attaching },
	{ "finding", all_finding },
	{ "tool", the_tool },
};

static bool chosen(int argc, char **argv, const char *name)
{
	int i;

	for (i = 1; i < argc; i++)
		if (!strcmp(argv[i], name))
			return true;
	return argc == 1;
}

/* usage: readcost [reading] [attaching] [finding] [tool] */
int main(int argc, char **argv)
{
	unsigned int i;

	many_files();
	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0)
		die_errno("/dev/kvm");
	pin(0, sysconf(_SC_NPROCESSORS_ONLN) - 1);
	for (i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (chosen(argc, argv, parts[i].name))
			parts[i].run();
	return 0;
}
