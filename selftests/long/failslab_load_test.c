// SPDX-License-Identifier: GPL-2.0-only
/*
 * No memory while the module is loaded, and while vCPUs are born: the first,
 * the second, the third ... allocation fails, until there is none left.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "fail.h"
#include "flat.h"
#include "host.h"
#include "kvmx.h"
#include "module.h"
#include "place.h"
#include "vmm.h"

/* More allocations than any of it makes. */
#define ENOUGH	2000
/* After each so many failures: does it load again? */
#define LOAD_EACH	8
#define FEATURES	96

FIXTURE(failslab) {
	const char *ko;
	char param[32];
	bool off[FEATURES];		/* features, where there was memory */
};

static void note_off(bool *off)
{
	struct kvmx_feature f[FEATURES];
	int i, node = kvmx_node(), nr = kvmx_features(node, f, FEATURES);

	for (i = 0; i < nr; i++)
		off[i] = f[i].state == KVMX_FEATURE_OFF;
	close(node);
}

FIXTURE_SETUP(failslab)
{
	const char *why = fail_unavailable();
	char was[16];

	self->ko = module_file();
	if (!why && !self->ko)
		why = "the module's file cannot be read: set KVMX_KO";
	if (why)
		SKIP(return, "%s", why);
	host_get_stats_param(was, sizeof(was));
	snprintf(self->param, sizeof(self->param), "stats=%s", was);
	note_off(self->off);
	fail_begin();
	if (fail_only(FAIL_IN_INIT))
		return;
	fail_end();
	SKIP(return, "kernel without FAULT_INJECTION_STACKTRACE_FILTER");
}

FIXTURE_TEARDOWN(failslab)
{
	unsigned long refused = 0;

	fail_end();
	if (module_loaded("kvmx"))
		module_unload_busy(30, &refused);
	module_load(self->ko, self->param);
}

/* Loaded is loaded in full: nothing is missing for lack of memory. */
static void expect_complete(struct __test_metadata *_metadata,
			    FIXTURE_DATA(failslab) *self, bool always)
{
	int node = kvmx_node(), i, nr;
	struct kvmx_vm_info vms[4];
	struct kvmx_feature f[FEATURES];
	struct kvmx_info info;

	nr = kvmx_features(node, f, FEATURES);
	for (i = 0; i < nr; i++) {
		bool off = f[i].state == KVMX_FEATURE_OFF && !self->off[i];

		EXPECT_FALSE(off || strstr(f[i].reason, "error -12")) {
			TH_LOG("%s: %s", f[i].name, f[i].reason);
		}
	}
	ASSERT_EQ(1, kvmx_list(node, vms, 4));
	EXPECT_EQ(2, vms[0].nr_vcpus);
	EXPECT_EQ(always, !!(vms[0].state & KVMX_VM_COUNTING));
	ASSERT_EQ(0, kvmx_info(node, &info));
	EXPECT_EQ(always, !!(info.state & KVMX_INFO_COUNTING));
	close(node);
}

/* A load of which the n-th allocation fails; false if that is not reached. */
static bool load(struct __test_metadata *_metadata, FIXTURE_DATA(failslab) *self,
		 const char *param, unsigned int n, unsigned int *refused)
{
	bool always = strstr(param, "always"), reached;
	int err;

	fail_arm(n);
	err = module_load(self->ko, param);
	reached = fail_disarm();
	if (err) {
		++*refused;
		EXPECT_TRUE(reached && err == ENOMEM) {
			TH_LOG("load %s, allocation %u: %s", param, n, strerror(err));
		}
		EXPECT_FALSE(module_loaded("kvmx"));
		EXPECT_EQ(0, module_kprobes());
		EXPECT_NE(0, access(KVMX_DEVICE, F_OK));
		/* A load takes long where the kernel checks itself. */
		if (n % LOAD_EACH != 1)
			return reached;
		ASSERT_EQ(0, module_load(self->ko, param));
	}
	expect_complete(_metadata, self, always);
	ASSERT_EQ(0, module_unload("kvmx"));
	EXPECT_EQ(0, module_kprobes());
	return reached;
}

TEST_F_TIMEOUT(failslab, each_load_says_enomem_or_succeeds, 14400)
{
	static const char * const params[] = {
		"stats=ondemand", "stats=always",
	};
	struct vmm *vm = vmm_create(VMM_IRQCHIP);
	unsigned int i, n, refused;

	vmm_add_vcpu(vm);
	vmm_add_vcpu(vm);
	ASSERT_EQ(0, module_unload("kvmx"));
	ASSERT_TRUE(fail_only(FAIL_IN_INIT));
	for (i = 0; i < 2; i++) {
		refused = 0;
		for (n = 1; n < ENOUGH; n++)
			if (!load(_metadata, self, params[i], n, &refused))
				break;
		TH_LOG("load %s: %u allocations, ENOMEM %u times", params[i],
		       n - 1, refused);
		EXPECT_LT(10, refused);
		EXPECT_GT(ENOUGH, n);
	}
	vmm_destroy(vm);
	ASSERT_EQ(0, module_load(self->ko, self->param));
	EXPECT_EQ(0, flat_leaks());
}

/* The VM of this process is placed, and stays so when nobody has it open. */
static void place_all(struct __test_metadata *_metadata, struct vmm *vm)
{
	struct placing *p = place_new(KVMX_POLICY_SPREAD);
	int fd = place_vm(vm->fd);

	place_emulator(p, 1);
	ASSERT_EQ(0, place_do(fd, p));
	ASSERT_EQ(0, place_commit(fd));
	EXPECT_EQ(1, cpus_of(0));
	close(fd);
	free(p);
}

/* Unloading needs no memory, or copes: also where threads get back their CPUs. */
TEST_F_TIMEOUT(failslab, an_unload_always_succeeds, 3600)
{
	struct vmm *vm = vmm_create(VMM_IRQCHIP);
	uint64_t cpus = cpus_of(0);
	bool reached = true;
	unsigned int n;

	vmm_add_vcpu(vm);
	ASSERT_TRUE(fail_only(FAIL_IN_MODULE));
	for (n = 1; n < ENOUGH && reached; n++) {
		ASSERT_EQ(0, module_unload("kvmx"));
		ASSERT_EQ(0, module_load(self->ko, "stats=always"));
		place_all(_metadata, vm);
		/* Where its code lies has changed. */
		ASSERT_TRUE(fail_only(FAIL_IN_MODULE));
		fail_arm(n);
		ASSERT_EQ(0, module_unload("kvmx"));
		reached = fail_disarm();
		EXPECT_EQ(0, module_kprobes());
		EXPECT_EQ(cpus, cpus_of(0)) {
			TH_LOG("allocation %u: not what it had before", n);
		}
		ASSERT_EQ(0, module_load(self->ko, self->param));
	}
	TH_LOG("%u allocations", n - 2);
	EXPECT_FALSE(reached);
	EXPECT_LT(3, n);
	vmm_destroy(vm);
}

/*
 * A vCPU is created while its VM is counted, and the n-th allocation of
 * kvmx's fails; where @m is not 0, so does the m-th in its first run. It
 * exists, it runs, and each of its exits is counted, or said to be missed.
 */
static bool birth(struct __test_metadata *_metadata, int node, unsigned int n,
		  unsigned int m)
{
	struct vmm *vm = vmm_create(VMM_IRQCHIP);
	int fd = kvmx_vm_by_fd(node, vm->fd);
	struct stats *whole, *own;
	struct kvmx_info before, after;
	struct vmm_vcpu *v;
	bool reached;

	vmm_add_vcpu(vm);
	whole = kvmx_stats(fd, KVMX_STATS_WHOLE_VM);
	ASSERT_EQ(0, kvmx_info(node, &before));
	fail_arm(n);
	v = vmm_add_vcpu(vm);
	reached = fail_disarm();
	if (m)
		fail_arm(m);
	vmm_do(v, VMM_CPUID, 100);
	if (m)
		reached = fail_disarm();
	vmm_do(v, VMM_CPUID, 100);
	own = kvm_stats(v->fd);
	stats_read(own);
	stats_read(whole);
	ASSERT_EQ(0, kvmx_info(node, &after));
	EXPECT_EQ(stats_get(own, "exits"), stats_exits(whole) +
		  after.uncounted - before.uncounted) {
		TH_LOG("allocations %u, %u: %llu said to be missed", n, m,
		       after.uncounted - before.uncounted);
	}
	/* What is missed is missed for a moment. */
	EXPECT_LE(100, stats_exit(whole, vmm_reason(VMM_CPUID), "count"));
	stats_close(own);
	stats_close(whole);
	close(fd);
	vmm_destroy(vm);
	EXPECT_TRUE(host_quiet(node));
	return reached;
}

TEST_F_TIMEOUT(failslab, no_exit_of_a_new_vcpu_is_lost_in_silence, 3600)
{
	unsigned int n, m, births = 0;
	int node = kvmx_node();

	ASSERT_TRUE(fail_only(FAIL_IN_MODULE));
	for (n = 1; n < ENOUGH && birth(_metadata, node, n, 0); n++)
		births++;
	EXPECT_LT(2, births);
	EXPECT_GT(ENOUGH, n);
	/* The very first one fails, and then whatever its first run wants. */
	for (m = 1; m < ENOUGH && birth(_metadata, node, 1, m); m++)
		births++;
	EXPECT_GT(ENOUGH, m);
	TH_LOG("%u births, one after the other", births);
	close(node);
}

TEST_F_TIMEOUT(failslab, a_vm_is_listed_whatever_failed_at_its_birth, 3600)
{
	struct kvmx_vm_info vms[4];
	struct stats *s;
	unsigned int n;
	bool reached = true;
	int node = kvmx_node(), fd, nr;

	ASSERT_TRUE(fail_only(FAIL_IN_MODULE));
	for (n = 1; n < ENOUGH && reached; n++) {
		struct vmm *vm = vmm_create(VMM_IRQCHIP);
		struct vmm_vcpu *v;

		fail_arm(n);
		v = vmm_add_vcpu(vm);
		reached = fail_disarm();
		nr = kvmx_list(node, vms, 4);
		EXPECT_EQ(1, nr) {
			TH_LOG("allocation %u: the VM is not listed", n);
		}
		fd = kvmx_open(node, KVMX_BY_PID, getpid(), 0);
		ASSERT_LE(0, fd);
		s = kvmx_stats(fd, 0);
		vmm_do(v, VMM_CPUID, 50);
		stats_read(s);
		EXPECT_EQ(50, stats_exit(s, vmm_reason(VMM_CPUID), "count"));
		stats_close(s);
		close(fd);
		vmm_destroy(vm);
		EXPECT_TRUE(host_quiet(node));
	}
	EXPECT_FALSE(reached);
	EXPECT_LT(3, n);
	close(node);
}

HOST_HARNESS_MAIN
