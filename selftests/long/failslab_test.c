// SPDX-License-Identifier: GPL-2.0-only
/*
 * No memory: for each call, the first, the second, the third ... allocation
 * fails, until there is none left that could. Each time the call says ENOMEM
 * and leaves nothing behind, or it succeeds in full.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>

#include "kselftest_harness.h"

#include "die.h"
#include "failslab.h"
#include "flat.h"
#include "hint.h"
#include "host.h"
#include "setup.h"

#define PARAM	"/sys/module/kvmx/parameters/stats"
/* More allocations than any call makes. */
#define ENOUGH	2000

static struct scene scene;

static void scene_begin(struct scene *s, enum stage stage)
{
	struct kvm_stats_header head;

	s->node = place_node();
	s->events = -1;
	s->cpus = cpus_of(0);
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
	if (stage == COUNTED) {
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

static void scene_place(struct scene *s, enum stage stage)
{
	place_wishes(s);
	if (stage == HINTED)
		hint_wishes(s);
	if (stage != PLACED)
		return;
	s->events = kvmx_events(s->node, 1 << KVMX_EVENT_PLACED);
	if (s->events < 0)
		die_errno("KVMX_EVENTS");
	if (place_do(s->vm_fd, s->place))
		die_errno("KVMX_VM_PLACE");
}

static void scene_end(struct scene *s)
{
	if (s->stats >= 0)
		close(s->stats);
	if (s->events >= 0)
		close(s->events);
	free(s->place);
	free(s->other);
	if (s->vm_fd >= 0)
		close(s->vm_fd);
	close(s->param);
	vmm_destroy(s->vm);
	close(s->node);
}

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
	scene_place(&scene, COUNTED);
	scene_end(&scene);
	scene_begin(&scene, PLACED);
	scene_place(&scene, PLACED);
	scene_end(&scene);
	self->node = kvmx_node();
	fail_begin();
	if (!fail_only(FAIL_IN_MODULE)) {
		fail_end();
		SKIP(return, "kernel without FAULT_INJECTION_STACKTRACE_FILTER");
	}
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
	struct kvmx_feature f[96];
	int i, nr = kvmx_features(node, f, 96);

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
	scene_place(&scene, c->stage);
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
	}
	EXPECT_TRUE(!c->fine || c->fine(&scene, ret == -1)) {
		TH_LOG("%s, after allocation %u: not as it should be", c->name, n);
	}
	if (ret != -1 && c->undo)
		c->undo(&scene, ret);
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

/*
 * One of them until its n-th allocation is not reached any more: how many. A
 * call that is known to allocate has to be seen doing so.
 */
static unsigned int sweep(struct __test_metadata *_metadata,
			  FIXTURE_DATA(failslab) *self, const struct call *c)
{
	unsigned int n, refused = 0;

	EXPECT_TRUE(fail_only(c->where));
	/* The first scene warms up what is allocated now and then. */
	attempt(_metadata, self, c, ENOUGH, &refused);
	for (n = 1; n < ENOUGH; n++)
		if (!attempt(_metadata, self, c, n, &refused))
			break;
	EXPECT_GT(ENOUGH, n);
	EXPECT_EQ(c->needs_none, n == 1) {
		TH_LOG("%s: %u allocations could fail", c->name, n - 1);
	}
	printf("# %s: %u allocations, ENOMEM %u times\n", c->name, n - 1,
	       refused);
	return n - 1;
}

static void sweep_all(struct __test_metadata *_metadata,
		      FIXTURE_DATA(failslab) *self, const struct calls *calls)
{
	unsigned int i, all = 0;

	for (i = 0; i < calls->nr; i++)
		all += sweep(_metadata, self, &calls->call[i]);
	EXPECT_LT(0, all);
	EXPECT_EQ(0, flat_leaks());
}

TEST_F_TIMEOUT(failslab, each_call_says_enomem_or_succeeds, 14400)
{
	sweep_all(_metadata, self, &stats_calls);
}

TEST_F_TIMEOUT(failslab, each_call_about_placements_does_so, 14400)
{
	if (__builtin_popcountll(cpus_of(0)) < 4)
		SKIP(return, "needs four CPUs");
	sweep_all(_metadata, self, &place_calls);
}

TEST_F_TIMEOUT(failslab, each_call_about_hints_does_so, 14400)
{
	sweep_all(_metadata, self, &hint_calls);
}

/* Names of all commands in the headers: made by the Makefile. */
static const struct {
	const char *name;
	unsigned int cmd;
} commands[] = {
#define COMMAND(name)	{ #name, name },
#include "commands.h"
#undef COMMAND
};

#define COMMANDS	(sizeof(commands) / sizeof(*commands))

static bool is_in(const struct calls *calls, unsigned int cmd)
{
	unsigned int i;

	for (i = 0; i < calls->nr; i++)
		if (calls->call[i].cmd == cmd)
			return true;
	return false;
}

static bool has_case(unsigned int cmd)
{
	return is_in(&stats_calls, cmd) || is_in(&place_calls, cmd) ||
	       is_in(&hint_calls, cmd);
}

TEST(each_command_of_the_contract_has_a_case)
{
	unsigned int i;

	EXPECT_LE(12, COMMANDS);
	for (i = 0; i < COMMANDS; i++) {
		EXPECT_TRUE(has_case(commands[i].cmd)) {
			TH_LOG("%s has none", commands[i].name);
		}
	}
}

/* Nor does the module take one that the header does not know. */
TEST(each_command_that_the_module_takes_has_a_case)
{
	unsigned int i, nr;

	scene_begin(&scene, COUNTED);
	scene_place(&scene, COUNTED);
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
