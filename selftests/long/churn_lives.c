// SPDX-License-Identifier: GPL-2.0-only
/*
 * A thousand VMs live and end, most of them by being killed: while they run,
 * while they are halted, while their vCPUs are being made, while somebody
 * reads or waits. Nothing of them is left, and no id is given twice.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "kselftest_harness.h"

#include "crew.h"
#include "die.h"
#include "flat.h"
#include "host.h"
#include "kvmx.h"
#include "mortal.h"
#include "vmm.h"

#define MAX_VCPUS	4

struct world {
	int node;
	uint64_t newest;		/* id */
	unsigned int nr;		/* of this life */
};

static unsigned int vcpus(const struct world *w)
{
	return 1 + w->nr / 8 % MAX_VCPUS;
}

/* A VM fd; its id is one that was never seen before. */
static int open_new(struct __test_metadata *_metadata, struct world *w,
		    unsigned int by, uint64_t key)
{
	int fd = kvmx_open(w->node, by, key, 0);
	struct kvmx_vm_info info = { };

	ASSERT_LE(0, fd) {
		TH_LOG("life %u: %s", w->nr, strerror(errno));
	}
	ASSERT_EQ(0, kvmx_vm_info(fd, &info));
	EXPECT_LT(w->newest, info.id);
	w->newest = info.id;
	return fd;
}

static bool hangs_up(int fd)
{
	struct pollfd p = { .fd = fd };

	return poll(&p, 1, 20000 * patience()) == 1 && p.revents == POLLHUP;
}

/* Every other time round also the groups of figures. */
static unsigned int groups(const struct world *w)
{
	return w->nr & 8 ? ALL_GROUPS : 0;
}

static void expect_gone(struct __test_metadata *_metadata, struct stats *s)
{
	stats_read(s);
	EXPECT_EQ(1, stats_get(s, "gone"));
	if (stats_find(s, "state"))
		EXPECT_EQ(KVMX_STATE_GONE, stats_get(s, "state"));
}

static void nobody_looks(struct __test_metadata *_metadata, struct world *w)
{
	struct vmm *vm = vmm_create(VMM_IRQCHIP);
	unsigned int i;

	for (i = 0; i < vcpus(w); i++)
		vmm_do(vmm_add_vcpu(vm), VMM_CPUID, 10);
	vmm_destroy(vm);
}

static void counted_exactly(struct __test_metadata *_metadata, struct world *w)
{
	struct vmm *vm = vmm_create(VMM_IRQCHIP);
	struct vmm_vcpu *v = vmm_add_vcpu(vm);
	int fd = open_new(_metadata, w, KVMX_BY_FD, vm->fd);
	struct stats *s = kvmx_stats(fd, 0);
	unsigned int n = 10 + w->nr % 50;

	close(fd);
	vmm_do(v, VMM_CPUID, n);
	vmm_destroy(vm);
	EXPECT_TRUE(hangs_up(s->fd));
	expect_gone(_metadata, s);
	EXPECT_EQ(n, stats_exit(s, vmm_reason(VMM_CPUID), "count"));
	stats_close(s);
}

/* Statistics of the VM and of each vCPU are open before and after its end. */
static void watched_to_the_end(struct __test_metadata *_metadata,
			       struct world *w)
{
	pid_t pid = mortal_start(MORTAL_RUNS, vcpus(w));
	int fd = open_new(_metadata, w, KVMX_BY_PID, pid);
	struct stats *s[MAX_VCPUS], *whole;
	uint64_t sum = 0;
	unsigned int i;

	whole = kvmx_stats_with(fd, KVMX_STATS_WHOLE_VM, groups(w));
	for (i = 0; i < vcpus(w); i++) {
		s[i] = kvmx_stats_with(fd, i, groups(w));
		stats_map(s[i]);
	}
	mortal_moment(5000);
	mortal_kill(pid);
	EXPECT_TRUE(hangs_up(whole->fd));
	for (i = 0; i < vcpus(w); i++) {
		expect_gone(_metadata, s[i]);
		sum += stats_sum(s[i], "count");
		stats_read_map(s[i]);
		EXPECT_EQ(KVMX_STATE_GONE, stats_get(s[i], "state"));
	}
	expect_gone(_metadata, whole);
	EXPECT_EQ(sum, stats_sum(whole, "count"));
	for (i = 0; i < vcpus(w); i++)
		stats_close(s[i]);
	stats_close(whole);
	close(fd);
}

static void killed_in_kvm_run(struct __test_metadata *_metadata, struct world *w)
{
	pid_t pid = mortal_start(MORTAL_RUNS, vcpus(w));

	mortal_moment(3000);
	mortal_kill(pid);
}

static void killed_while_halted(struct __test_metadata *_metadata,
				struct world *w)
{
	pid_t pid = mortal_start(MORTAL_HALTS, vcpus(w));
	int fd = open_new(_metadata, w, KVMX_BY_PID, pid);
	struct stats *s = kvmx_stats_with(fd, 0, groups(w));

	close(fd);
	mortal_moment(2000);
	mortal_kill(pid);
	EXPECT_TRUE(hangs_up(s->fd));
	expect_gone(_metadata, s);
	stats_close(s);
}

static void killed_while_it_makes_vcpus(struct __test_metadata *_metadata,
					struct world *w)
{
	pid_t pid = mortal_start(MORTAL_CREATES, 0);
	int fd = -1, stats = -1;

	/* Every other one is counted from its first vCPUs on. */
	if (w->nr & 8)
		fd = kvmx_open(w->node, KVMX_BY_PID, pid, 0);
	if (fd >= 0)
		stats = kvmx_vm_stats_with(fd, KVMX_STATS_WHOLE_VM,
					   w->nr & 16 ? ALL_GROUPS : 0);
	mortal_moment(30000);
	mortal_kill(pid);
	if (stats >= 0) {
		EXPECT_TRUE(hangs_up(stats));
		close(stats);
	}
	if (fd >= 0)
		close(fd);
}

/*
 * A process that reads and waits, and ends well once it was told of the VM's
 * end. Counting is on when this returns.
 */
static pid_t reader_start(int vm_fd)
{
	int fd = kvmx_vm_stats(vm_fd, 0);
	struct pollfd p = { .fd = fd };
	struct stats *s;
	pid_t pid;

	if (fd < 0)
		die_errno("KVMX_VM_STATS");
	fflush(NULL);
	pid = fork();
	if (pid) {
		close(fd);
		return pid;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(60 * patience());
	s = stats_attach(fd);
	stats_map(s);
	while (!p.revents) {
		stats_read(s);
		stats_read_map(s);
		if (poll(&p, 1, 1) < 0)
			die_errno("poll");
	}
	if (p.revents != POLLHUP)
		die("poll says %#x", p.revents);
	stats_read(s);
	_exit(stats_get(s, "gone") != 1);
}

static void killed_while_a_reader_polls(struct __test_metadata *_metadata,
					struct world *w)
{
	pid_t pid = mortal_start(MORTAL_RUNS, vcpus(w)), reader;
	int fd = open_new(_metadata, w, KVMX_BY_PID, pid);
	int status = -1;

	reader = reader_start(fd);
	close(fd);
	mortal_moment(10000);
	mortal_kill(pid);
	waitpid(reader, &status, 0);
	EXPECT_EQ(0, status);
}

static void its_reader_is_killed(struct __test_metadata *_metadata,
				 struct world *w)
{
	struct vmm_step step = { .kind = VMM_CPUID, .n = 20 };
	struct vmm *vm = vmm_create(VMM_IRQCHIP);
	pid_t reader;
	int fd, i;

	for (i = 0; i < 2; i++)
		vmm_start(vmm_add_vcpu(vm), &step, 1);
	fd = open_new(_metadata, w, KVMX_BY_FD, vm->fd);
	reader = reader_start(fd);
	close(fd);
	mortal_moment(10000);
	mortal_kill(reader);
	/* One vCPU's thread ends, the other one goes on for a while. */
	vmm_stop(&vm->vcpu[w->nr / 8 & 1]);
	mortal_moment(1000);
	vmm_destroy(vm);
}

typedef void (*life_fn)(struct __test_metadata *_metadata, struct world *w);

static const life_fn kinds[8] = {
	nobody_looks, counted_exactly, watched_to_the_end, killed_in_kvm_run,
	killed_while_halted, killed_while_it_makes_vcpus,
	killed_while_a_reader_polls, its_reader_is_killed,
};

/* Beside all that: ids ascend in every list, and who is listed can be asked. */
static void list(struct crew *c, struct hand *h)
{
	struct kvmx_vm_info vms[64];
	int node = kvmx_node(), i, n = kvmx_list(node, vms, 64);

	if (n < 0)
		die_errno("KVMX_LIST");
	for (i = 1; i < n && i < 64; i++)
		if (vms[i].id <= vms[i - 1].id)
			die("ids are not in order");
	h->done[0] += n;
	close(node);
	usleep(20000);
}

static void lives(struct __test_metadata *_metadata, struct world *w,
		  unsigned int n)
{
	unsigned int i;

	for (i = 1; i <= n; i++, w->nr++) {
		kinds[w->nr % 8](_metadata, w);
		if (i % 100 == 0)
			TH_LOG("%u of %u", i, n);
	}
}

/* Nobody lives any more, what was held is given back, no exit was missed. */
static void expect_empty(struct __test_metadata *_metadata, int node,
			 const struct kvmx_info *before)
{
	struct kvmx_info now;

	EXPECT_TRUE(host_quiet(node));
	ASSERT_EQ(0, kvmx_info(node, &now));
	EXPECT_EQ(before->uncounted, now.uncounted);
}

FIXTURE(churn) {
};

FIXTURE_SETUP(churn)
{
	srand(1);
}

FIXTURE_TEARDOWN(churn)
{
	host_stats_param("ondemand");
}

TEST_F_TIMEOUT(churn, a_thousand_vms_live_and_are_killed_and_nothing_is_left,
	       14400)
{
	unsigned long n = sized("KVMX_CHURN_LIVES", 1000);
	static struct flat before, after;
	struct world w = { .node = kvmx_node() };
	struct crew *crew = crew_new();
	struct kvmx_info info;
	struct hand *lister;

	ASSERT_EQ(0, kvmx_info(w.node, &info));
	ASSERT_EQ(0, info.nr_vms) {
		TH_LOG("this wants a host without VMs");
	}
	/* What is allocated once only is allocated here. */
	lives(_metadata, &w, n / 10 < 16 ? 16 : n / 10);
	expect_empty(_metadata, w.node, &info);
	flat_take(&before);

	lister = crew_hire(crew, "lister", list);
	lives(_metadata, &w, n);
	EXPECT_TRUE(crew_dismiss(crew));
	TH_LOG("%lu lives, newest id %llu, listed %lu times, %lu VMs seen", n,
	       (unsigned long long)w.newest, lister->rounds, lister->done[0]);
	EXPECT_LT(0, lister->rounds);
	EXPECT_LT(0, lister->done[0]);
	crew_free(crew);
	expect_empty(_metadata, w.node, &info);
	flat_take(&after);
	EXPECT_TRUE(flat_stayed(&before, &after, n));
	EXPECT_EQ(0, flat_leaks());
	close(w.node);
}

/* The same while everything is counted from birth to death. */
TEST_F_TIMEOUT(churn, they_do_so_while_all_are_counted, 14400)
{
	unsigned long n = sized("KVMX_CHURN_LIVES", 1000) / 4;
	struct world w = { .node = kvmx_node() };
	struct kvmx_info info;

	ASSERT_EQ(0, kvmx_info(w.node, &info));
	ASSERT_TRUE(host_stats_param("always"));
	lives(_metadata, &w, n < 16 ? 16 : n);
	EXPECT_TRUE(host_stats_param("ondemand"));
	expect_empty(_metadata, w.node, &info);
	EXPECT_EQ(0, flat_leaks());
	close(w.node);
}

HOST_HARNESS_MAIN
