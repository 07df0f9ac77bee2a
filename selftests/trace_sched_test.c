// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trace events of the scheduling of vCPUs, and what it does to their TLBs:
 * kvmx:migrate, kvmx:flush, and kvmx:ready with its threshold.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>

#include "kselftest_harness.h"

#include "company.h"
#include "die.h"
#include "events.h"
#include "host.h"
#include "kvmx.h"
#include "topo.h"
#include "vmm.h"

#define MANY		4096
#define READY_US	"/sys/module/kvmx/parameters/ready_us"
#define HERE		"kvmx_trace_sched_test"

FIXTURE(trace) {
	int node;
	struct vmm *vm;
	struct vmm_vcpu *v;
	struct event *events;
};

FIXTURE_SETUP(trace)
{
	if (!events_here())
		SKIP(return, "no tracefs, or a kernel without trace events");
	self->node = kvmx_node();
	if (kvmx_feature_off(self->node, "sched_switch"))
		SKIP(return, "needs sched_switch");
	self->events = calloc(MANY, sizeof(*self->events));
	self->vm = vmm_create(VMM_IRQCHIP);
	self->v = vmm_add_vcpu(self->vm);
	events_begin(HERE);
}

FIXTURE_TEARDOWN(trace)
{
	if (!self->vm)
		return;
	vmm_stop(self->v);
	events_end(HERE);
	events_soon_counted(self->node, self->vm->fd, false);
	vmm_destroy(self->vm);
	close(self->node);
	free(self->events);
}

/* There is no other VM. */
static unsigned int told(FIXTURE_DATA(trace) *self, const char *event)
{
	return events_get(HERE, event, 0, self->events, MANY);
}

/* A vCPU that works, with what is needed to move it and to crowd it. */
static const struct vmm_step busy[] = {
	{ .kind = VMM_CPUID, .n = 20 },
	{ .kind = VMM_SPIN, .n = 10000 },
};

static void start(FIXTURE_DATA(trace) *self, int cpu)
{
	uint64_t rounds;

	vmm_start(self->v, busy, 2);
	pin(self->v->tid, cpu);
	rounds = self->v->rounds;
	while (self->v->rounds < rounds + 3)
		usleep(1000);
}

/* Waits until there are that many; false after 10 s. */
static bool soon_told(FIXTURE_DATA(trace) *self, const char *event,
		      unsigned int n)
{
	unsigned int i;

	for (i = 0; i < 1000 * patience(); i++) {
		if (told(self, event) >= n)
			return true;
		usleep(10000);
	}
	return false;
}

TEST_F_TIMEOUT(trace, n_moves_are_n_events_at_their_distance, 120)
{
	enum distance d;
	unsigned int i;
	int a, b;

	for (d = SMT_SIBLING; d < NR_DISTANCES; d++)
		if (cpus_apart(d, &a, &b))
			break;
	if (d == NR_DISTANCES)
		SKIP(return, "there is but one CPU");
	start(self, a);
	ASSERT_EQ(0, events_enable(HERE, "migrate", "1"));
	ASSERT_TRUE(events_soon_counted(self->node, self->vm->fd, true));
	/* Where it was before its first entry that is counted nobody knows. */
	for (i = self->v->rounds; self->v->rounds < i + 3;)
		usleep(1000);
	for (i = 1; i <= 10; i++) {
		pin(self->v->tid, i % 2 ? b : a);
		ASSERT_TRUE(soon_told(self, "migrate", i));
	}
	vmm_stop(self->v);
	ASSERT_EQ(10, told(self, "migrate"));
	for (i = 0; i < 10; i++) {
		const struct event *e = &self->events[i];

		EXPECT_EQ(i % 2 ? b : a, event_num(e, "from"));
		EXPECT_EQ(i % 2 ? a : b, event_num(e, "to"));
		EXPECT_STREQ(distance_names[d], event_str(e, "distance"));
		/* KVM leaves nothing behind on a CPU for who comes back. */
		EXPECT_STREQ("lost", event_str(e, "tlb"));
	}
}

/* Events whose @key is @value. */
static unsigned int told_as(FIXTURE_DATA(trace) *self, const char *key,
			    const char *value)
{
	unsigned int i, found = 0, n = told(self, "flush");

	for (i = 0; i < n && i < MANY; i++)
		found += !strcmp(value, event_str(&self->events[i], key));
	return found;
}

TEST_F_TIMEOUT(trace, each_flush_is_told_with_its_kind_and_cause, 120)
{
	static const char * const prefix[] = { "tlb.kind.", "tlb.cause." };
	static const char * const key[] = { "kind", "cause" };
	int fd = kvmx_vm_by_fd(self->node, self->vm->fd);
	unsigned int i, k, n = 0;
	uint8_t *mem, *base;
	struct stats *s;

	mem = vmm_map_huge(VMM_HUGE_PAGE);
	vmm_set_slot(self->vm, VMM_SLOT, VMM_GPA, mem, VMM_HUGE_PAGE, 0);
	vmm_warm(self->v);
	s = kvmx_stats_with(fd, 0, KVMX_STATS_TLB);
	base = malloc(s->size);
	ASSERT_EQ(0, events_enable(HERE, "flush", "1"));
	ASSERT_TRUE(events_soon_counted(self->node, self->vm->fd, true));
	vmm_do(self->v, VMM_CPUID, 3);
	ASSERT_EQ(0, events_write("", "instances/%s/trace", HERE));
	stats_read(s);
	memcpy(base, s->data, s->size);
	/* Other CPUs, where there are some, and pages that are taken away. */
	for (i = 0; i < 12; i++) {
		pin(0, i % 2 ? last_cpu() : 0);
		vmm_run(self->v, &(struct vmm_step){ .kind = VMM_WRITE, .n = 3,
						     .arg = VMM_GPA }, 1);
		ASSERT_EQ(0, madvise(mem, 3 * 4096, MADV_DONTNEED));
	}
	vmm_do(self->v, VMM_CPUID, 3);
	stats_read(s);
	for (i = 0; i < s->nr; i++) {
		const struct stat_desc *d = &s->desc[i];
		uint64_t before, now = stats_values(s, d)[0];

		memcpy(&before, base + d->offset, sizeof(before));
		if (!strcmp(d->name, "tlb.flushes"))
			EXPECT_EQ(now - before, n = told(self, "flush"));
		for (k = 0; k < 2; k++) {
			if (strncmp(d->name, prefix[k], strlen(prefix[k])))
				continue;
			EXPECT_EQ(now - before,
				  told_as(self, key[k],
					  d->name + strlen(prefix[k]))) {
				TH_LOG("%s", d->name);
			}
		}
	}
	EXPECT_LE(12, n);
	EXPECT_LT(0, told_as(self, "cause", "remote") +
		  told_as(self, "cause", "moved"));
	/* What is billed has asked. */
	for (i = 0; i < n && i < MANY; i++)
		if (!strcmp("remote", event_str(&self->events[i], "cause")))
			EXPECT_EQ(1 << 2, event_num(&self->events[i], "asked") &
					  (1 << 2));
	free(base);
	stats_close(s);
	close(fd);
}

static int set_ready_us(const char *value)
{
	FILE *f = fopen(READY_US, "we");
	int err;

	if (!f)
		die_errno(READY_US);
	fputs(value, f);
	errno = 0;
	err = fclose(f) ? errno : 0;
	return err;
}

TEST_F_TIMEOUT(trace, who_waits_names_the_hog, 120)
{
	int pid, cpu = last_cpu();
	unsigned int i, n, named = 0;

	start(self, cpu);
	ASSERT_EQ(0, set_ready_us("500"));
	ASSERT_EQ(0, events_enable(HERE, "ready", "1"));
	ASSERT_TRUE(events_soon_counted(self->node, self->vm->fd, true));
	pid = hog(cpu);
	/* At rest: on a machine with one CPU this program is in the way itself. */
	for (i = 0; i < 10 && told(self, "ready") < 20; i++)
		sleep(2);
	hog_end(pid);
	ASSERT_EQ(0, events_enable(HERE, "ready", "0"));
	vmm_stop(self->v);
	n = told(self, "ready");
	for (i = 0; i < n && i < MANY; i++) {
		const struct event *e = &self->events[i];

		EXPECT_LE(500000, event_num(e, "ns"));
		EXPECT_EQ(cpu, event_num(e, "cpu"));
		EXPECT_EQ(0, event_num(e, "vcpu"));
		if (event_num(e, "by_tid") == pid) {
			EXPECT_STREQ(HOG_NAME, event_str(e, "by_comm"));
			named++;
		}
	}
	/* Some may be somebody else's: the machine has threads of its own. */
	EXPECT_LE(5, named) {
		TH_LOG("%u of %u, the last one \"%s\"", named, n,
		       n ? self->events[(n < MANY ? n : MANY) - 1].text : "");
	}
	/* Nobody waits for a minute. */
	ASSERT_EQ(0, set_ready_us("60000000"));
	ASSERT_EQ(0, events_write("", "instances/%s/trace", HERE));
	start(self, cpu);
	ASSERT_EQ(0, events_enable(HERE, "ready", "1"));
	pid = hog(cpu);
	sleep(1);
	hog_end(pid);
	vmm_stop(self->v);
	EXPECT_EQ(0, told(self, "ready"));
	ASSERT_EQ(0, set_ready_us("1000"));
}

TEST_F(trace, the_threshold_is_checked)
{
	char text[32];
	FILE *f;

	EXPECT_EQ(EINVAL, set_ready_us("60000001"));
	EXPECT_EQ(EINVAL, set_ready_us("-1"));
	EXPECT_EQ(EINVAL, set_ready_us("soon"));
	EXPECT_EQ(0, set_ready_us("0"));
	EXPECT_EQ(0, set_ready_us("1000"));
	f = fopen(READY_US, "re");
	ASSERT_NE(NULL, f);
	ASSERT_NE(NULL, fgets(text, sizeof(text), f));
	fclose(f);
	EXPECT_STREQ("1000\n", text);
}

HOST_HARNESS_MAIN
