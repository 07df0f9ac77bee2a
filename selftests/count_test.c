// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counts are exact: a guest that makes N exits of a kind is told to have made N,
 * from the first exit of its life on, whatever else goes on.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "host.h"
#include "kvmx.h"
#include "vmm.h"

FIXTURE(count) {
	int node;
	bool vmx;
};

FIXTURE_SETUP(count)
{
	self->node = kvmx_node();
	self->vmx = vmm_intel();
}

FIXTURE_TEARDOWN(count)
{
	host_stats_param("ondemand");
	close(self->node);
}

/* Kinds whose every exit is known, whenever it happens. */
static const unsigned int plain[] = {
	VMM_CPUID, VMM_OUT_USER, VMM_OUT_KERNEL, VMM_HLT, VMM_HYPERCALL,
	VMM_RDMSR, VMM_WRMSR,
};

#define NR_PLAIN (sizeof(plain) / sizeof(*plain))

/* One of each, all numbers different, and no two of them alike for two seeds. */
static unsigned int mixed(struct vmm_step *steps, unsigned int seed)
{
	unsigned int i;

	for (i = 0; i < NR_PLAIN; i++)
		steps[i] = (struct vmm_step){
			.kind = plain[i],
			.n = scaled(40) + 7 * i + 13 * seed,
		};
	return NR_PLAIN;
}

/* The EOI that belongs to each interrupt exits by MSR, or does not (APICv). */
static bool disturbed(const struct vmm_vcpu *v, const char *reason)
{
	return v->did[VMM_HLT] && !strcmp(reason, vmm_reason(VMM_WRMSR));
}

#define check_vcpu(v, s, exits) do {					\
	unsigned int _i;						\
									\
	ASSERT_TRUE(stats_exits_agree(s, exits)) {			\
		TH_LOG("vCPU %u: KVM counted %lu, kvmx %lu", (v)->id,	\
		       stats_get(exits, "exits"), stats_exits(s));	\
	}								\
	for (_i = 0; _i < NR_PLAIN; _i++) {				\
		const char *_r = vmm_reason(plain[_i]);			\
		uint64_t _n = vmm_provoked(v, _r);			\
									\
		if (disturbed(v, _r)) {					\
			EXPECT_GE(stats_exit(s, _r, "count"), _n);	\
		} else {						\
			EXPECT_EQ(_n, stats_exit(s, _r, "count")) {	\
				TH_LOG("vCPU %u, %s", (v)->id, _r);	\
			}						\
		}							\
	}								\
	EXPECT_EQ((v)->runs, stats_get(s, "user_exits"));		\
	EXPECT_EQ(0, stats_get(s, "exits_without_entry"));		\
} while (0)

#define check_kind(kind, n, flags) do {					\
	struct vmm *_vm = vmm_create(flags);				\
	int _fd = kvmx_vm_by_fd(self->node, _vm->fd);			\
	struct stats *_whole = kvmx_stats(_fd, KVMX_STATS_WHOLE_VM);	\
	struct vmm_vcpu *_v = vmm_add_vcpu(_vm);			\
	struct stats *_s = kvmx_stats(_fd, 0);				\
	const char *_r = vmm_reason(kind);				\
									\
	vmm_do(_v, kind, n);						\
	stats_read(_s);							\
	EXPECT_EQ(vmm_provoked(_v, _r), stats_exit(_s, _r, "count"));	\
	EXPECT_LE(n, stats_exit(_s, _r, "count"));			\
	stats_close(_s);						\
	stats_close(_whole);						\
	close(_fd);							\
	vmm_destroy(_vm);						\
} while (0)

TEST_F_TIMEOUT(count, n_cpuid_instructions_are_n_exits, 60)
{
	check_kind(VMM_CPUID, scaled(5000), 0);
}

TEST_F_TIMEOUT(count, n_writes_to_a_port_of_user_space_are_n_exits, 60)
{
	check_kind(VMM_OUT_USER, scaled(2000), 0);
}

TEST_F_TIMEOUT(count, n_writes_to_a_port_inside_kvm_are_n_exits, 60)
{
	check_kind(VMM_OUT_KERNEL, scaled(2000), VMM_IRQCHIP);
}

TEST_F_TIMEOUT(count, n_halts_inside_kvm_are_n_exits, 60)
{
	check_kind(VMM_HLT, scaled(400), VMM_IRQCHIP);
}

TEST_F_TIMEOUT(count, n_halts_that_end_in_user_space_are_n_exits, 60)
{
	check_kind(VMM_HLT_USER, scaled(2000), 0);
}

TEST_F_TIMEOUT(count, n_unknown_hypercalls_are_n_exits, 60)
{
	check_kind(VMM_HYPERCALL, scaled(2000), 0);
}

TEST_F_TIMEOUT(count, n_msr_reads_are_n_exits, 60)
{
	check_kind(VMM_RDMSR, scaled(2000), 0);
}

TEST_F_TIMEOUT(count, n_msr_writes_are_n_exits, 60)
{
	check_kind(VMM_WRMSR, scaled(2000), 0);
}

/* These two have other exits in front, so the difference is what counts. */
#define check_warm(kind, n) do {					\
	struct vmm *_vm = vmm_create(0);				\
	struct vmm_vcpu *_v = vmm_add_vcpu(_vm);			\
	int _fd = kvmx_vm_by_fd(self->node, _vm->fd);			\
	const char *_r = vmm_reason(kind);				\
	struct stats *_s;						\
	uint64_t _before;						\
									\
	vmm_warm(_v);							\
	_s = kvmx_stats(_fd, 0);					\
	vmm_do(_v, kind, 1);						\
	stats_read(_s);							\
	_before = stats_exit(_s, _r, "count");				\
	vmm_do(_v, kind, n);						\
	stats_read(_s);							\
	EXPECT_EQ(n, stats_exit(_s, _r, "count") - _before);		\
	stats_close(_s);						\
	close(_fd);							\
	vmm_destroy(_vm);						\
} while (0)

TEST_F_TIMEOUT(count, n_accesses_to_mmio_are_n_exits, 60)
{
	check_warm(VMM_MMIO, scaled(2000));
}

TEST_F_TIMEOUT(count, n_touches_of_fresh_pages_are_n_exits, 60)
{
	check_warm(VMM_TOUCH, scaled(2000));
}

TEST_F_TIMEOUT(count, opened_before_its_vcpus_a_vm_is_counted_from_the_first_exit, 60)
{
	struct vmm *vm = vmm_create(VMM_IRQCHIP);
	int fd = kvmx_vm_by_fd(self->node, vm->fd);
	struct stats *whole = kvmx_stats(fd, KVMX_STATS_WHOLE_VM);
	struct vmm_step steps[NR_PLAIN];
	unsigned int i, nr;
	uint64_t exits = 0;

	for (i = 0; i < 3; i++) {
		struct vmm_vcpu *v = vmm_add_vcpu(vm);
		struct stats *own = kvm_stats(v->fd);
		struct stats *s;

		nr = mixed(steps, i);
		vmm_run(v, steps, nr);
		/* Only now is its own fd opened. */
		s = kvmx_stats(fd, i);
		check_vcpu(v, s, own);
		exits += stats_exits(s);
		stats_close(s);
		stats_close(own);
	}
	stats_read(whole);
	EXPECT_EQ(exits, stats_exits(whole));
	stats_close(whole);
	close(fd);
	vmm_destroy(vm);
}

TEST_F_TIMEOUT(count, with_stats_always_every_vm_is_counted_from_the_first_exit, 60)
{
	struct vmm_step steps[NR_PLAIN];
	struct vmm_vcpu *v;
	struct stats *own, *s;
	struct vmm *vm;
	int fd;

	ASSERT_TRUE(host_stats_param("always"));
	vm = vmm_create(VMM_IRQCHIP);
	v = vmm_add_vcpu(vm);
	own = kvm_stats(v->fd);
	vmm_run(v, steps, mixed(steps, 5));
	fd = kvmx_vm_by_fd(self->node, vm->fd);
	s = kvmx_stats(fd, 0);
	check_vcpu(v, s, own);
	ASSERT_TRUE(host_stats_param("ondemand"));
	vmm_run(v, steps, mixed(steps, 6));
	/* The fd goes on counting. */
	check_vcpu(v, s, own);
	stats_close(s);
	stats_close(own);
	close(fd);
	vmm_destroy(vm);
}

#define VMS	3
#define VCPUS	3

TEST_F_TIMEOUT(count, several_vms_of_several_vcpus_at_once_are_told_apart, 120)
{
	struct vmm_step steps[VMS][VCPUS][NR_PLAIN];
	struct stats *s[VMS][VCPUS], *own[VMS][VCPUS], *whole[VMS];
	struct vmm *vm[VMS];
	unsigned int i, k;
	int fd[VMS];

	for (i = 0; i < VMS; i++) {
		vm[i] = vmm_create(VMM_IRQCHIP);
		fd[i] = kvmx_vm_by_fd(self->node, vm[i]->fd);
		whole[i] = kvmx_stats(fd[i], KVMX_STATS_WHOLE_VM);
		for (k = 0; k < VCPUS; k++) {
			vmm_add_vcpu(vm[i]);
			own[i][k] = kvm_stats(vm[i]->vcpu[k].fd);
			s[i][k] = kvmx_stats(fd[i], k);
		}
	}
	for (i = 0; i < VMS; i++)
		for (k = 0; k < VCPUS; k++)
			vmm_start(&vm[i]->vcpu[k], steps[i][k],
				  mixed(steps[i][k], VCPUS * i + k));
	for (i = 0; i < VMS; i++)
		for (k = 0; k < VCPUS; k++)
			while (vm[i]->vcpu[k].rounds < 3)
				usleep(1000);
	for (i = 0; i < VMS; i++) {
		uint64_t exits = 0;

		for (k = 0; k < VCPUS; k++) {
			vmm_stop(&vm[i]->vcpu[k]);
			check_vcpu(&vm[i]->vcpu[k], s[i][k], own[i][k]);
			exits += stats_exits(s[i][k]);
			stats_close(s[i][k]);
			stats_close(own[i][k]);
		}
		stats_read(whole[i]);
		EXPECT_EQ(exits, stats_exits(whole[i]));
		stats_close(whole[i]);
		close(fd[i]);
		vmm_destroy(vm[i]);
	}
}

TEST_F_TIMEOUT(count, opened_in_the_middle_the_part_after_is_exact, 60)
{
	struct vmm *vm = vmm_create(VMM_IRQCHIP);
	struct vmm_vcpu *v = vmm_add_vcpu(vm);
	struct stats *own = kvm_stats(v->fd);
	struct vmm_step steps[NR_PLAIN];
	struct vmm_vcpu before;
	uint64_t exits;
	unsigned int i;
	struct stats *s;
	int fd;

	vmm_run(v, steps, mixed(steps, 1));
	before = *v;
	stats_read(own);
	exits = stats_get(own, "exits");
	fd = kvmx_vm_by_fd(self->node, vm->fd);
	s = kvmx_stats(fd, 0);
	EXPECT_EQ(0, stats_exits(s));
	vmm_run(v, steps, mixed(steps, 2));
	stats_read(s);
	stats_read(own);
	EXPECT_EQ(stats_get(own, "exits") - exits, stats_exits(s));
	for (i = 0; i < NR_PLAIN; i++) {
		const char *r = vmm_reason(plain[i]);

		if (!disturbed(v, r)) {
			EXPECT_EQ(vmm_provoked(v, r) - vmm_provoked(&before, r),
				  stats_exit(s, r, "count")) {
				TH_LOG("%s", r);
			}
		}
	}
	EXPECT_EQ(v->runs - before.runs, stats_get(s, "user_exits"));
	stats_close(s);
	stats_close(own);
	close(fd);
	vmm_destroy(vm);
}

TEST_F_TIMEOUT(count, opened_while_the_guest_runs_nothing_is_counted_twice_or_lost, 60)
{
	struct vmm *vm = vmm_create(VMM_IRQCHIP);
	struct vmm_vcpu *v = vmm_add_vcpu(vm);
	struct stats *own = kvm_stats(v->fd);
	int fd = kvmx_vm_by_fd(self->node, vm->fd);
	struct vmm_step steps[] = {
		{ .kind = VMM_CPUID, .n = 200 },
		{ .kind = VMM_OUT_USER, .n = 20 },
		{ .kind = VMM_HLT, .n = 1 },
	};
	uint64_t before, after, counted;
	unsigned int i;
	struct stats *s;

	vmm_start(v, steps, 3);
	for (i = 0; i < 5 + scaled(10); i++) {
		stats_read(own);
		before = stats_get(own, "exits");
		s = kvmx_stats(fd, 0);
		counted = stats_exits(s);
		stats_read(own);
		after = stats_get(own, "exits");
		usleep(2000);
		stats_read(s);
		/* Between two looks at KVM's own figure, before and after. */
		EXPECT_LE(counted, stats_exits(s));
		EXPECT_GE(after, before);
		stats_close(s);
	}
	/* What goes on from here is exact again, once the guest is at rest. */
	s = kvmx_stats(fd, 0);
	vmm_stop(v);
	stats_read(s);
	counted = stats_exits(s);
	stats_read(own);
	before = stats_get(own, "exits");
	vmm_run(v, steps, 3);
	stats_read(s);
	stats_read(own);
	EXPECT_EQ(stats_get(own, "exits") - before, stats_exits(s) - counted);
	stats_close(s);
	stats_close(own);
	close(fd);
	vmm_destroy(vm);
}

TEST_F_TIMEOUT(count, counts_never_go_back_and_count_on_when_opened_again, 60)
{
	struct vmm *vm = vmm_create(0);
	struct vmm_vcpu *v = vmm_add_vcpu(vm);
	int fd = kvmx_vm_by_fd(self->node, vm->fd);
	const char *r = vmm_reason(VMM_CPUID);
	uint64_t counted = 0;
	unsigned int i;
	struct stats *s;

	for (i = 0; i < 5; i++) {
		/* Nobody counts these. */
		vmm_do(v, VMM_CPUID, 111);
		s = kvmx_stats(fd, 0);
		EXPECT_EQ(counted, stats_exit(s, r, "count"));
		vmm_do(v, VMM_CPUID, 222);
		stats_read(s);
		counted += 222;
		EXPECT_EQ(counted, stats_exit(s, r, "count"));
		stats_close(s);
	}
	close(fd);
	vmm_destroy(vm);
}

TEST_F_TIMEOUT(count, entries_and_exits_belong_together, 60)
{
	struct vmm *vm = vmm_create(VMM_IRQCHIP);
	int fd = kvmx_vm_by_fd(self->node, vm->fd);
	struct stats *whole = kvmx_stats(fd, KVMX_STATS_WHOLE_VM);
	struct vmm_vcpu *v = vmm_add_vcpu(vm);
	struct stats *s = kvmx_stats(fd, 0);
	struct vmm_step steps[NR_PLAIN];

	vmm_run(v, steps, mixed(steps, 9));
	stats_read(s);
	/* At rest in user space: each entry has been followed by its exit. */
	EXPECT_EQ(stats_get(s, "entries"),
		  stats_sum(s, "count") + stats_get(s, "entries_without_exit"));
	EXPECT_EQ(0, stats_get(s, "exits_without_entry"));
	EXPECT_EQ(0, stats_exit(s, "not_read", "count"));
	stats_close(s);
	stats_close(whole);
	close(fd);
	vmm_destroy(vm);
}

TEST_F(count, no_exit_of_all_these_vms_went_by_uncounted)
{
	struct vmm *vm = vmm_create(0);
	int fd = kvmx_vm_by_fd(self->node, vm->fd);
	struct stats *whole = kvmx_stats(fd, KVMX_STATS_WHOLE_VM);
	struct kvmx_info before, after;

	ASSERT_EQ(0, kvmx_info(self->node, &before));
	vmm_do(vmm_add_vcpu(vm), VMM_CPUID, 1000);
	ASSERT_EQ(0, kvmx_info(self->node, &after));
	EXPECT_EQ(before.uncounted, after.uncounted);
	stats_close(whole);
	close(fd);
	vmm_destroy(vm);
}

HOST_HARNESS_MAIN
