// SPDX-License-Identifier: GPL-2.0-only
/*
 * A thousand times the module is unloaded and loaded, while guests run and
 * readers come and go. Whoever has an fd open keeps it; and each module that
 * is loaded counts.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>

#include "kselftest_harness.h"

#include "crew.h"
#include "flat.h"
#include "host.h"
#include "kvmx.h"
#include "module.h"
#include "mortal.h"
#include "reader.h"
#include "vmm.h"

#define GUESTS		2
#define READERS		2
/* Each so many cycles ... */
#define ASK_EACH	5	/* a known answer is asked for */
#define HOLD_EACH	10	/* an fd is held while unloading is tried */

FIXTURE(churn) {
	const char *ko;
	char param[32];			/* stats=... */
	struct vmm *vm;			/* of this process: the known answers */
	pid_t guest[GUESTS];
	struct crew *crew;
	unsigned long cycle;
	unsigned long refused, refused_known, answers;
};

FIXTURE_SETUP(churn)
{
	char was[16];
	unsigned int i;

	srand(1);
	self->ko = module_file();
	if (!self->ko)
		SKIP(return, "the module's file cannot be read: set KVMX_KO");
	host_get_stats_param(was, sizeof(was));
	snprintf(self->param, sizeof(self->param), "stats=%s", was);
	self->vm = vmm_create(VMM_IRQCHIP);
	vmm_add_vcpu(self->vm);
	for (i = 0; i < GUESTS; i++)
		self->guest[i] = mortal_start(i % 2 ? MORTAL_HALTS : MORTAL_RUNS,
					      2);
	self->crew = crew_new();
}

FIXTURE_TEARDOWN(churn)
{
	unsigned int i;

	for (i = 0; i < GUESTS; i++)
		mortal_kill(self->guest[i]);
	if (!module_loaded("kvmx"))
		module_load(self->ko, self->param);
	vmm_destroy(self->vm);
	crew_free(self->crew);
}

/* An fd is open, whoever tries to unload it: it stays, and goes on working. */
static void expect_refusal(struct __test_metadata *_metadata,
			   FIXTURE_DATA(churn) *self)
{
	int fd = kvmx_node();
	struct kvmx_info info;

	if (self->cycle & 1) {
		int node = fd;

		fd = kvmx_vm_by_fd(node, self->vm->fd);
		close(node);
	}
	EXPECT_EQ(EWOULDBLOCK, module_unload("kvmx"));
	EXPECT_TRUE(module_loaded("kvmx"));
	self->refused_known++;
	close(fd);
	fd = kvmx_node();
	EXPECT_EQ(0, kvmx_info(fd, &info));
	close(fd);
}

/* A known number of exits, of a VM that is older than the module. */
static void expect_answer(struct __test_metadata *_metadata,
			  FIXTURE_DATA(churn) *self)
{
	int node = kvmx_node(), fd = kvmx_vm_by_fd(node, self->vm->fd);
	unsigned int n = 10 + self->cycle % 100;
	struct stats *s = kvmx_stats(fd, 0);
	struct kvmx_vm_info vms[8];
	uint64_t before;
	int nr;

	stats_read(s);
	before = stats_exit(s, vmm_reason(VMM_CPUID), "count");
	vmm_do(&self->vm->vcpu[0], VMM_CPUID, n);
	stats_read(s);
	EXPECT_EQ(before + n, stats_exit(s, vmm_reason(VMM_CPUID), "count"));
	self->answers++;
	nr = kvmx_list(node, vms, 8);
	EXPECT_EQ(GUESTS + 1, nr);
	stats_close(s);
	close(fd);
	close(node);
}

static void cycles(struct __test_metadata *_metadata,
		   FIXTURE_DATA(churn) *self, unsigned long n)
{
	while (n--) {
		self->cycle++;
		if (self->cycle % HOLD_EACH == 3)
			expect_refusal(_metadata, self);
		ASSERT_TRUE(module_unload_busy(30, &self->refused));
		ASSERT_FALSE(module_loaded("kvmx"));
		EXPECT_EQ(0, module_kprobes());
		ASSERT_EQ(0, module_load(self->ko, self->cycle % 4 ?
					 self->param : "stats=always"));
		if (self->cycle % ASK_EACH == 0)
			expect_answer(_metadata, self);
		if (n && n % 100 == 0)
			TH_LOG("%lu more", n);
	}
}

TEST_F_TIMEOUT(churn, a_thousand_loads_under_guests_and_readers, 14400)
{
	unsigned long n = sized("KVMX_CHURN_LOADS", 1000), reads = 0;
	static struct flat before, after;
	unsigned int i;

	for (i = 0; i < READERS; i++)
		crew_hire(self->crew, "reader", reader_round);
	cycles(_metadata, self, n / 10 < 10 ? 10 : n / 10);
	flat_take(&before);
	cycles(_metadata, self, n);
	flat_take(&after);
	EXPECT_TRUE(crew_dismiss(self->crew));
	for (i = 0; i < READERS; i++)
		reads += self->crew->hands[i].done[READER_PREADS];
	TH_LOG("%lu cycles: %lu times refused for a reader, %lu for an fd of ours; %lu answers; %lu reads",
	       self->cycle, self->refused, self->refused_known, self->answers,
	       reads);
	EXPECT_LT(0, self->refused_known);
	EXPECT_LT(0, self->answers);
	EXPECT_LT(0, reads);
	for (i = 0; i < GUESTS; i++)
		EXPECT_EQ(0, waitpid(self->guest[i], NULL, WNOHANG));
	EXPECT_TRUE(flat_stayed(&before, &after, n));
	/* As it was, for the next one. */
	ASSERT_TRUE(module_unload_busy(30, &self->refused));
	ASSERT_EQ(0, module_load(self->ko, self->param));
	EXPECT_EQ(0, flat_leaks());
}

HOST_HARNESS_MAIN
