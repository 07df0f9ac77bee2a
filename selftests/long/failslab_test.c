// SPDX-License-Identifier: GPL-2.0-only
/*
 * No memory: for each call, the first, the second, the third ... allocation
 * fails, until there is none left that could. Each time the call says ENOMEM
 * and leaves nothing behind, or it succeeds in full.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "kselftest_harness.h"

#include "die.h"
#include "fail.h"
#include "flat.h"
#include "host.h"
#include "kvmx.h"
#include "setup.h"
#include "vmm.h"

#define PARAM	"/sys/module/kvmx/parameters/stats"
/* More allocations than any call makes. */
#define ENOUGH	2000

/* What a call finds; made anew for each attempt, so that all of it is fresh. */
struct scene {
	int node;
	struct vmm *vm;
	int vm_fd;		/* kvmx's */
	int stats;		/* of vCPU 0 */
	int param;
	size_t size;		/* of all that can be read of it */
	struct kvmx_vm_info info;
	uint8_t buf[1 << 20];
	struct kvmx_feature features[64];
};

/* How much of the scene there is before the call. */
enum stage { BARE, RECORDED, OPENED, COUNTED };

struct call {
	const char *name;
	unsigned int cmd;	/* 0: no command of kvmx */
	enum stage stage;
	enum fail_where where;
	long (*fn)(struct scene *s);
	void (*undo)(struct scene *s, long ret);
	bool never_fails;
	bool once;		/* cannot be done again without undoing more */
};

static struct scene scene;

static void scene_begin(struct scene *s, enum stage stage)
{
	struct kvm_stats_header head;

	s->node = kvmx_node();
	s->vm = vmm_create(VMM_IRQCHIP);
	s->vm_fd = -1;
	s->stats = -1;
	s->param = open(PARAM, O_WRONLY | O_CLOEXEC);
	if (stage >= RECORDED) {
		vmm_add_vcpu(s->vm);
		vmm_add_vcpu(s->vm);
	}
	if (stage >= OPENED) {
		s->vm_fd = kvmx_vm_by_fd(s->node, s->vm->fd);
		kvmx_vm_info(s->vm_fd, &s->info);
	}
	if (stage >= COUNTED) {
		s->stats = kvmx_vm_stats_with(s->vm_fd, 0, ALL_GROUPS);
		if (s->stats < 0 ||
		    pread(s->stats, &head, sizeof(head), 0) != sizeof(head))
			die_errno("KVMX_VM_STATS");
		s->size = lseek(s->stats, 0, SEEK_END);
		if (s->size > sizeof(s->buf))
			die("%zu bytes of statistics", s->size);
		lseek(s->stats, 0, SEEK_SET);
	}
}

static void scene_end(struct scene *s)
{
	if (s->stats >= 0)
		close(s->stats);
	if (s->vm_fd >= 0)
		close(s->vm_fd);
	close(s->param);
	vmm_destroy(s->vm);
	close(s->node);
}

static void undo_fd(struct scene *s, long ret)
{
	close(ret);
}

static long call_node(struct scene *s)
{
	return open(KVMX_DEVICE, O_RDONLY | O_CLOEXEC);
}

static long call_info(struct scene *s)
{
	struct kvmx_info info = {
		.size = sizeof(info), .nr_features = 64,
		.features = (uintptr_t)s->features,
		.feature_size = sizeof(*s->features),
	};

	return ioctl(s->node, KVMX_INFO, &info);
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
		die_errno(PARAM);
}

static long call_create_vcpu(struct scene *s)
{
	static unsigned int id = 100;

	return ioctl(s->vm->fd, KVM_CREATE_VCPU, 100 + id++ % 100);
}

static const struct call calls[] = {
	{ "open of the node", 0, BARE, FAIL_ANYWHERE, call_node, undo_fd },
	{ "KVMX_INFO", KVMX_INFO, BARE, FAIL_ANYWHERE, call_info },
	{ "KVMX_LIST", KVMX_LIST, RECORDED, FAIL_ANYWHERE, call_list },
	{ "KVMX_OPEN by fd", KVMX_OPEN, RECORDED, FAIL_ANYWHERE, call_open_fd,
	  undo_fd },
	{ "KVMX_OPEN by fd, of a VM that has no record", KVMX_OPEN, BARE,
	  FAIL_ANYWHERE, call_open_fd, undo_fd },
	{ "KVMX_OPEN by pid", KVMX_OPEN, RECORDED, FAIL_ANYWHERE, call_open_pid,
	  undo_fd },
	{ "KVMX_OPEN by id", KVMX_OPEN, OPENED, FAIL_ANYWHERE, call_open_id,
	  undo_fd },
	{ "KVMX_VM_INFO", KVMX_VM_INFO, OPENED, FAIL_ANYWHERE, call_vm_info },
	{ "KVMX_VM_VCPUS", KVMX_VM_VCPUS, OPENED, FAIL_ANYWHERE, call_vcpus },
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
	{ "pread of statistics", 0, COUNTED, FAIL_ANYWHERE, call_pread },
	{ "read of statistics", 0, COUNTED, FAIL_ANYWHERE, call_read },
	{ "poll of statistics", 0, COUNTED, FAIL_ANYWHERE, call_poll },
	{ "mmap of statistics", 0, COUNTED, FAIL_ANYWHERE, call_mmap, undo_mmap },
	{ "close of the last statistics", 0, COUNTED, FAIL_ANYWHERE, call_close,
	  .never_fails = true, .once = true },
	{ "stats=always", 0, RECORDED, FAIL_IN_KVMX, call_always, undo_always },
	{ "KVM_CREATE_VCPU, all of it", 0, OPENED, FAIL_ANYWHERE,
	  call_create_vcpu, undo_fd },
	{ "KVM_CREATE_VCPU, kvmx's part", 0, OPENED, FAIL_IN_KVMX,
	  call_create_vcpu, undo_fd, .never_fails = true },
	{ "KVM_CREATE_VCPU, kvmx's part, counted", 0, COUNTED, FAIL_IN_KVMX,
	  call_create_vcpu, undo_fd, .never_fails = true },
};

#define CALLS	(sizeof(calls) / sizeof(*calls))

FIXTURE(failslab) {
	int node;
	struct kvmx_info before;
	int fds;
};

static int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (dir && readdir(dir))
		n++;
	closedir(dir);
	return n;
}

FIXTURE_SETUP(failslab)
{
	const char *why = fail_unavailable();

	if (why)
		SKIP(return, "%s", why);
	/* What is opened once and kept, is opened here. */
	scene_begin(&scene, COUNTED);
	scene_end(&scene);
	self->node = kvmx_node();
	fail_begin();
	self->fds = count_fds();
}

FIXTURE_TEARDOWN(failslab)
{
	fail_end();
	host_stats_param("ondemand");
	close(self->node);
}

/* Succeeds in full: nothing is missing for lack of memory. */
static void expect_all_features(struct __test_metadata *_metadata, int node)
{
	struct kvmx_feature f[64];
	int i, nr = kvmx_features(node, f, 64);

	for (i = 0; i < nr; i++)
		EXPECT_EQ(NULL, strstr(f[i].reason, "error -12")) {
			TH_LOG("%s: %s", f[i].name, f[i].reason);
		}
}

/* One attempt; false once the n-th allocation is not reached any more. */
static bool attempt(struct __test_metadata *_metadata,
		    FIXTURE_DATA(failslab) *self, const struct call *c,
		    unsigned int n, unsigned int *refused)
{
	bool reached;
	long ret;
	int err;

	scene_begin(&scene, c->stage);
	fail_arm(n);
	ret = c->fn(&scene);
	err = errno;
	reached = fail_disarm();
	if (ret == -1) {
		++*refused;
		EXPECT_TRUE(reached && err == ENOMEM && !c->never_fails) {
			TH_LOG("%s, allocation %u: %s", c->name, n, strerror(err));
		}
	} else {
		expect_all_features(_metadata, self->node);
		if (c->undo)
			c->undo(&scene, ret);
	}
	if (!c->once) {
		ret = c->fn(&scene);
		EXPECT_NE(-1, ret) {
			TH_LOG("%s, again after allocation %u failed: %s", c->name,
			       n, strerror(errno));
		}
		expect_all_features(_metadata, self->node);
		if (ret != -1 && c->undo)
			c->undo(&scene, ret);
	}
	scene_end(&scene);
	EXPECT_TRUE(host_quiet(self->node)) {
		TH_LOG("%s, after allocation %u failed", c->name, n);
	}
	EXPECT_EQ(self->fds, count_fds()) {
		TH_LOG("%s, after allocation %u failed", c->name, n);
	}
	return reached;
}

TEST_F_TIMEOUT(failslab, each_call_says_enomem_or_succeeds, 14400)
{
	unsigned int i, n, refused, all = 0;

	for (i = 0; i < CALLS; i++) {
		const struct call *c = &calls[i];

		if (!fail_only(c->where)) {
			printf("# %s: left out, the kernel has no stack trace filter\n",
			       c->name);
			continue;
		}
		refused = 0;
		/* The first scene warms up what is allocated now and then. */
		attempt(_metadata, self, c, ENOUGH, &refused);
		for (n = 1; n < ENOUGH; n++)
			if (!attempt(_metadata, self, c, n, &refused))
				break;
		EXPECT_GT(ENOUGH, n);
		printf("# %s: %u allocations, ENOMEM %u times\n", c->name, n - 1,
		       refused);
		all += n - 1;
	}
	EXPECT_LT(0, all);
	EXPECT_EQ(0, flat_leaks());
}

/* Names of all commands in the header: made by the Makefile. */
static const struct {
	const char *name;
	unsigned int cmd;
} commands[] = {
#define COMMAND(name)	{ #name, name },
#include "commands.h"
#undef COMMAND
};

#define COMMANDS	(sizeof(commands) / sizeof(*commands))

static bool has_case(unsigned int cmd)
{
	unsigned int i;

	for (i = 0; i < CALLS; i++)
		if (calls[i].cmd == cmd)
			return true;
	return false;
}

TEST(each_command_of_the_contract_has_a_case)
{
	unsigned int i;

	EXPECT_LE(7, COMMANDS);
	for (i = 0; i < COMMANDS; i++) {
		EXPECT_TRUE(has_case(commands[i].cmd)) {
			TH_LOG("command %u of the header has none", i);
		}
	}
}

/* Nor does the module take one that the header does not know. */
TEST(each_command_that_the_module_takes_has_a_case)
{
	unsigned int i, nr;

	scene_begin(&scene, COUNTED);
	for (nr = 0; nr < 256; nr++) {
		int fds[] = { scene.node, scene.vm_fd, scene.stats };

		for (i = 0; i < 3; i++) {
			if (try_ioctl(fds[i], _IO(KVMX_IOC_TYPE, nr), NULL) == ENOTTY)
				continue;
			EXPECT_TRUE(has_case(_IO(KVMX_IOC_TYPE, nr))) {
				TH_LOG("command %#x has none", nr);
			}
		}
	}
	scene_end(&scene);
}

HOST_HARNESS_MAIN
