// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trace events, kvmx:*: what happens N times is told N times, without any
 * statistics fd; with filters and triggers, through tracefs and perf. Which
 * events there are and what they mean: docs/tracing.md.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "kselftest_harness.h"

#include "die.h"
#include "events.h"
#include "host.h"
#include "kvmx.h"
#include "module.h"
#include "vmm.h"

#define MEM_SIZE	(4 * VMM_HUGE_PAGE)
#define MANY		4096
#define HERE		"kvmx_trace_test"

FIXTURE(trace) {
	int node;
	struct vmm *vm;
	struct vmm_vcpu *v;
	uint64_t id;
	struct event *events;
};

static uint64_t id_of(int node, const struct vmm *vm)
{
	int fd = kvmx_vm_by_fd(node, vm->fd);
	struct kvmx_vm_info info;

	if (kvmx_vm_info(fd, &info))
		die_errno("KVMX_VM_INFO");
	close(fd);
	return info.id;
}

FIXTURE_SETUP(trace)
{
	if (!events_here())
		SKIP(return, "no tracefs, or a kernel without trace events");
	self->node = kvmx_node();
	self->events = calloc(MANY, sizeof(*self->events));
	self->vm = vmm_create(VMM_IRQCHIP);
	self->v = vmm_add_vcpu(self->vm);
	vmm_set_slot(self->vm, VMM_SLOT, VMM_GPA, vmm_map_huge(MEM_SIZE),
		     MEM_SIZE, 0);
	vmm_warm(self->v);
	self->id = id_of(self->node, self->vm);
	events_begin(HERE);
}

FIXTURE_TEARDOWN(trace)
{
	if (!self->vm)
		return;
	events_end(HERE);
	events_soon_counted(self->node, self->vm->fd, false);
	vmm_destroy(self->vm);
	close(self->node);
	free(self->events);
}

#define on(event) do {							\
	ASSERT_EQ(0, events_enable(HERE, event, "1"));			\
	ASSERT_TRUE(events_soon_counted(self->node, self->vm->fd, true)); \
	/* The exit in which counting began is not told. */		\
	vmm_do(self->v, VMM_CPUID, 1);					\
} while (0)

static void go(FIXTURE_DATA(trace) *self, unsigned int kind, uint64_t n)
{
	struct vmm_step step = { .kind = kind, .n = n, .arg = VMM_GPA };

	vmm_run(self->v, &step, 1);
}

static unsigned int told(FIXTURE_DATA(trace) *self, const char *event)
{
	return events_get(HERE, event, self->id, self->events, MANY);
}

TEST_F_TIMEOUT(trace, n_faults_are_n_events_without_any_fd, 60)
{
	uint64_t n = scaled(512);
	unsigned int i;

	on("ept_violation");
	go(self, VMM_WRITE, n);
	ASSERT_EQ(n, told(self, "ept_violation"));
	for (i = 0; i < n; i++) {
		const struct event *e = &self->events[i];

		EXPECT_EQ(0, event_num(e, "vcpu"));
		EXPECT_EQ(VMM_GPA + i * 4096,
			  event_num(e, "gpa") & ~4095ULL);
		EXPECT_STREQ("write", event_str(e, "access"));
		EXPECT_STREQ("not_present", event_str(e, "cause"));
		EXPECT_STREQ("fixed", event_str(e, "outcome"));
		EXPECT_LT(0, event_num(e, "ns"));
	}
	/* Nothing that is there is told again. */
	go(self, VMM_WRITE, n);
	EXPECT_EQ(n, told(self, "ept_violation"));
}

TEST_F_TIMEOUT(trace, accesses_to_holes_are_told_as_mmio, 60)
{
	unsigned int i;

	on("ept_violation");
	vmm_do(self->v, VMM_MMIO, 20);
	ASSERT_EQ(20, told(self, "ept_violation"));
	for (i = 0; i < 20; i++) {
		EXPECT_EQ(VMM_HOLE_GPA, event_num(&self->events[i], "gpa"));
		EXPECT_STREQ("mmio", event_str(&self->events[i], "cause"));
		EXPECT_STREQ("mmio", event_str(&self->events[i], "outcome"));
	}
}

TEST_F_TIMEOUT(trace, a_filter_takes_one_page_out_of_many, 60)
{
	uint64_t gpa = VMM_GPA + 7 * 4096;
	char text[64];

	snprintf(text, sizeof(text), "gpa==%#lx", gpa);
	ASSERT_EQ(0, events_write(text, "instances/%s/events/kvmx/ept_violation/filter",
				  HERE));
	on("ept_violation");
	go(self, VMM_WRITE, 64);
	ASSERT_EQ(1, told(self, "ept_violation"));
	EXPECT_EQ(gpa, event_num(&self->events[0], "gpa"));
	/* What it has no field of cannot be asked for. */
	EXPECT_EQ(EINVAL, events_write("mood==1",
				       "instances/%s/events/kvmx/ept_violation/filter",
				       HERE));
}

TEST_F_TIMEOUT(trace, a_trigger_acts_at_its_page, 60)
{
	char text[64];

	snprintf(text, sizeof(text), "traceoff:1 if gpa==%#lx",
		 VMM_GPA + 9 * 4096);
	ASSERT_EQ(0, events_write(text, "instances/%s/events/kvmx/ept_violation/trigger",
				  HERE));
	on("ept_violation");
	go(self, VMM_WRITE, 64);
	/* The pages before it; whether its own event is recorded is not said. */
	EXPECT_LE(9, told(self, "ept_violation"));
	EXPECT_GE(10, told(self, "ept_violation"));
	ASSERT_TRUE(events_read(text, sizeof(text), "instances/%s/tracing_on",
				HERE));
	EXPECT_STREQ("0\n", text);
	EXPECT_EQ(0, events_write("!traceoff",
				  "instances/%s/events/kvmx/ept_violation/trigger",
				  HERE));
}

/* Fields as docs/tracing.md has them. */
static const struct {
	const char *event;
	const char *field;
} fields[] = {
	{ "ept_violation", "u64 vm;" },
	{ "ept_violation", "u32 vcpu;" },
	{ "ept_violation", "u64 gpa;" },
	{ "ept_violation", "u8 access;" },
	{ "ept_violation", "u8 cause;" },
	{ "ept_violation", "u8 outcome;" },
	{ "ept_violation", "u64 ns;" },
	{ "migrate", "u64 vm;" },
	{ "migrate", "u32 vcpu;" },
	{ "migrate", "u32 from;" },
	{ "migrate", "u32 to;" },
	{ "migrate", "u8 distance;" },
	{ "migrate", "u8 tlb;" },
	{ "flush", "u64 vm;" },
	{ "flush", "u32 vcpu;" },
	{ "flush", "u32 asked;" },
	{ "flush", "u8 kind;" },
	{ "flush", "u8 cause;" },
	{ "ready", "u64 vm;" },
	{ "ready", "u32 vcpu;" },
	{ "ready", "u32 cpu;" },
	{ "ready", "u64 ns;" },
	{ "ready", "bool woken;" },
	{ "ready", "pid_t by_tid;" },
	{ "ready", "char by_comm[16];" },
};

/* Numbers behind names, which filters compare with. */
static const struct {
	const char *event;
	const char *symbol;
} symbols[] = {
	{ "ept_violation", "{ 0, \"read\" }" },
	{ "ept_violation", "{ 1, \"write\" }" },
	{ "ept_violation", "{ 0, \"not_present\" }" },
	{ "ept_violation", "{ 2, \"dirty_logging\" }" },
	{ "ept_violation", "{ 5, \"mmio\" }" },
	{ "ept_violation", "{ 4, \"retried\" }" },
	{ "migrate", "{ 1, \"smt_sibling\" }" },
	{ "migrate", "{ 4, \"other_node\" }" },
	{ "migrate", "{ 2, \"lost\" }" },
	{ "flush", "{ 1, \"invept_context\" }" },
	{ "flush", "{ 7, \"new_asid\" }" },
	{ "flush", "{ 2, \"remote\" }" },
	{ "flush", "{ 10, \"unattributed\" }" },
};

TEST_F(trace, the_format_is_as_documented)
{
	char text[4096], want[64];
	unsigned int i;

	for (i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		ASSERT_TRUE(events_read(text, sizeof(text),
					"events/kvmx/%s/format",
					fields[i].event));
		snprintf(want, sizeof(want), "field:%s", fields[i].field);
		EXPECT_NE(NULL, strstr(text, want)) {
			TH_LOG("%s has no %s", fields[i].event, want);
		}
	}
	for (i = 0; i < sizeof(symbols) / sizeof(*symbols); i++) {
		ASSERT_TRUE(events_read(text, sizeof(text),
					"events/kvmx/%s/format",
					symbols[i].event));
		EXPECT_NE(NULL, strstr(text, symbols[i].symbol)) {
			TH_LOG("%s has no %s", symbols[i].event,
			       symbols[i].symbol);
		}
	}
}

TEST_F_TIMEOUT(trace, who_enables_twice_disables_once, 60)
{
	on("ept_violation");
	ASSERT_EQ(0, events_enable(HERE, "ept_violation", "1"));
	go(self, VMM_WRITE, 10);
	EXPECT_EQ(10, told(self, "ept_violation"));
	ASSERT_EQ(0, events_enable(HERE, "ept_violation", "0"));
	EXPECT_TRUE(events_soon_counted(self->node, self->vm->fd, false));
	go(self, VMM_WRITE, 20);
	EXPECT_EQ(10, told(self, "ept_violation"));
	/* Once more, by everything that kvmx has. */
	ASSERT_EQ(0, events_write("1", "instances/%s/events/kvmx/enable", HERE));
	ASSERT_TRUE(events_soon_counted(self->node, self->vm->fd, true));
	vmm_do(self->v, VMM_CPUID, 1);
	go(self, VMM_WRITE, 30);
	EXPECT_EQ(20, told(self, "ept_violation"));
	ASSERT_EQ(0, events_write("0", "instances/%s/events/kvmx/enable", HERE));
	EXPECT_TRUE(events_soon_counted(self->node, self->vm->fd, false));
}

TEST_F_TIMEOUT(trace, two_who_listen_do_not_disturb_each_other, 60)
{
	struct event *e = self->events;

	events_begin("kvmx_other");
	on("ept_violation");
	ASSERT_EQ(0, events_write("1", "instances/kvmx_other/events/kvmx/ept_violation/enable"));
	go(self, VMM_WRITE, 10);
	EXPECT_EQ(10, told(self, "ept_violation"));
	EXPECT_EQ(10, events_get("kvmx_other", "ept_violation",
				 self->id, e, MANY));
	ASSERT_EQ(0, events_enable(HERE, "ept_violation", "0"));
	/* The other one still counts. */
	usleep(100000);
	EXPECT_TRUE(events_counted(self->node, self->vm->fd));
	go(self, VMM_WRITE, 30);
	EXPECT_EQ(10, told(self, "ept_violation"));
	EXPECT_EQ(30, events_get("kvmx_other", "ept_violation",
				 self->id, e, MANY));
	/* With the instance its events are disabled, too. */
	events_end("kvmx_other");
	EXPECT_TRUE(events_soon_counted(self->node, self->vm->fd, false));
}

TEST_F_TIMEOUT(trace, beside_statistics_both_are_complete, 60)
{
	int fd = kvmx_vm_by_fd(self->node, self->vm->fd);
	struct stats *s = kvmx_stats_with(fd, 0, KVMX_STATS_MMU);
	uint64_t before;

	on("ept_violation");
	stats_read(s);
	before = stats_get(s, "mmu.cause.not_present");
	go(self, VMM_WRITE, 10);
	ASSERT_EQ(0, events_enable(HERE, "ept_violation", "0"));
	go(self, VMM_WRITE, 30);
	stats_read(s);
	EXPECT_EQ(30, stats_get(s, "mmu.cause.not_present") - before);
	EXPECT_EQ(10, told(self, "ept_violation"));
	on("ept_violation");
	stats_close(s);
	go(self, VMM_WRITE, 50);
	EXPECT_EQ(30, told(self, "ept_violation"));
	close(fd);
}

TEST_F_TIMEOUT(trace, a_vm_that_is_born_later_is_told_from_its_first_exit, 60)
{
	struct vmm_vcpu *v;
	struct vmm *vm;

	on("ept_violation");
	vm = vmm_create(0);
	v = vmm_add_vcpu(vm);
	vmm_do(v, VMM_TOUCH, 50);
	/* And what else a first batch runs into. */
	EXPECT_LE(50, events_get(HERE, "ept_violation",
				 id_of(self->node, vm), self->events, MANY));
	vmm_destroy(vm);
}

/* perf counts, and holds the module meanwhile. */
static int perf_open(const char *event)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT, .size = sizeof(attr),
	};
	char id[32];

	if (!events_read(id, sizeof(id), "events/kvmx/%s/id", event))
		die_errno("the id of an event");
	attr.config = strtoull(id, NULL, 10);
	return syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

TEST_F_TIMEOUT(trace, perf_counts_them_too, 60)
{
	uint64_t before, after;
	int fd;

	if (access("/proc/sys/kernel/perf_event_paranoid", F_OK))
		SKIP(return, "a kernel without perf");
	fd = perf_open("ept_violation");
	ASSERT_LE(0, fd);
	ASSERT_TRUE(events_soon_counted(self->node, self->vm->fd, true));
	vmm_do(self->v, VMM_CPUID, 1);
	ASSERT_EQ(sizeof(before), read(fd, &before, sizeof(before)));
	go(self, VMM_WRITE, 40);
	ASSERT_EQ(sizeof(after), read(fd, &after, sizeof(after)));
	EXPECT_EQ(40, after - before);
	close(fd);
	EXPECT_TRUE(events_soon_counted(self->node, self->vm->fd, false));
}

/* A vCPU that works, and goes on. */
static const struct vmm_step busy[] = {
	{ .kind = VMM_CPUID, .n = 20 },
	{ .kind = VMM_SPIN, .n = 10000 },
};

TEST_F_TIMEOUT(trace, unloading_takes_enabled_events_along, 120)
{
	const char *ko = module_file();
	int perf;

	if (!ko)
		SKIP(return, "the module's file is not known");
	on("ept_violation");
	go(self, VMM_WRITE, 10);
	/* perf holds the module: as everybody who has something of it open. */
	perf = perf_open("ready");
	close(self->node);
	if (perf >= 0) {
		EXPECT_EQ(EWOULDBLOCK, module_unload("kvmx"));
		close(perf);
	}
	/* Who just enables an event does not. The VM goes on meanwhile. */
	vmm_start(self->v, busy, 2);
	EXPECT_EQ(0, module_unload("kvmx"));
	EXPECT_FALSE(events_here());
	vmm_stop(self->v);
	ASSERT_EQ(0, module_load(ko, ""));
	self->node = kvmx_node();
	EXPECT_TRUE(events_here());
	EXPECT_FALSE(events_counted(self->node, self->vm->fd));
	/* And all anew. */
	self->id = id_of(self->node, self->vm);
	on("ept_violation");
	go(self, VMM_WRITE, 30);
	EXPECT_EQ(20, told(self, "ept_violation"));
}

HOST_HARNESS_MAIN
