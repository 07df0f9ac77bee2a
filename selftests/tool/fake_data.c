// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/kvm.h>
#include <linux/kvmx.h>

#include "fake.h"

#define STRIDE	(sizeof(struct kvm_stats_desc) + FAKE_NAME)
#define US	(FAKE_KHZ / 1000ULL)

/* Built anew for each fd: descriptors, and the place of each value. */
static struct {
	unsigned char *desc;
	unsigned int nr;
	__u64 *values;
	size_t nr_values;
} now;

static void figure(const char *name, __u32 type, __u32 unit, unsigned int size,
		   const __u64 *values)
{
	struct kvm_stats_desc d = {
		.flags = type | unit | KVM_STATS_BASE_POW10,
		.size = (__u16)size,
		.offset = (__u32)(now.nr_values * sizeof(__u64)),
	};
	unsigned char *at;

	now.desc = realloc(now.desc, (now.nr + 1) * STRIDE);
	now.values = realloc(now.values,
			     (now.nr_values + size) * sizeof(__u64));
	at = now.desc + now.nr++ * STRIDE;
	memcpy(at, &d, sizeof(d));
	memset(at + sizeof(d), 0, FAKE_NAME);
	snprintf((char *)at + sizeof(d), FAKE_NAME, "%s", name);
	memcpy(&now.values[now.nr_values], values, size * sizeof(__u64));
	now.nr_values += size;
}

static void one(const char *name, __u32 type, __u32 unit, __u64 value)
{
	figure(name, type, unit, 1, &value);
}

static void instant(const char *name, __u64 value)
{
	one(name, KVM_STATS_TYPE_INSTANT, KVM_STATS_UNIT_NONE, value);
}

static void counter(const char *name, __u64 value)
{
	one(name, KVM_STATS_TYPE_CUMULATIVE, KVM_STATS_UNIT_NONE, value);
}

static void ticks(const char *name, __u64 value)
{
	one(name, KVM_STATS_TYPE_CUMULATIVE, KVM_STATS_UNIT_CYCLES, value);
}

static unsigned int bucket_of(__u64 value)
{
	unsigned int i = 0;

	while (value) {
		value >>= 1;
		i++;
	}
	return i < FAKE_BUCKETS ? i : FAKE_BUCKETS - 1;
}

static char *field(const char *reason, const char *name)
{
	static char text[FAKE_NAME];

	snprintf(text, sizeof(text), "exit.%s.%s", reason, name);
	return text;
}

/* @count exits of @each ticks, one of them of @max, and @open that go on. */
static void reason(const char *name, __u64 count, __u64 each, __u64 max,
		   __u64 open)
{
	__u64 gross = count ? (count - 1) * each + max : 0;
	__u64 hist[FAKE_BUCKETS] = { 0 };

	if (count) {
		hist[bucket_of(each)] += count - 1;
		hist[bucket_of(max)]++;
	}
	counter(field(name, "count"), count + open);
	ticks(field(name, "gross"), gross);
	if (!fake_is("nonet"))
		ticks(field(name, "net"), gross / 2);
	one(field(name, "max"), KVM_STATS_TYPE_PEAK, KVM_STATS_UNIT_CYCLES,
	    count ? max : 0);
	figure(field(name, "hist"), KVM_STATS_TYPE_LOG_HIST,
	       KVM_STATS_UNIT_CYCLES, FAKE_BUCKETS, hist);
}

static void times(__u64 n, unsigned int vcpu, bool halted)
{
	bool waits = fake_is("hogged") && vcpu == 1;
	__u64 tenth = FAKE_SECOND / 10;

	/* A halted one has stood still since the first second. */
	if (halted)
		n = 1;
	ticks("time.guest", n * tenth * 5);
	ticks("time.exit", n * tenth);
	ticks("time.poll", 0);
	if (!fake_is("nouser"))
		ticks("time.user", n * tenth);
	ticks("time.halted",
	      waits ? 0 : n * tenth * (fake_is("nouser") ? 4 : 3));
	ticks("time.ready", waits ? n * tenth * 3 : 0);
	ticks("time.wait", 0);
	ticks("time.unknown", 0);
	if (fake_is("new"))
		ticks("time.shiny", n);
}

static void block(unsigned int vcpu, bool gone)
{
	bool halted = fake_is("halted") && vcpu == 1;
	__u64 clock = halted ? FAKE_SECOND : fake_now();

	if (vcpu != FAKE_WHOLE) {
		instant("seq", 2 * fake_steps());
		instant("state", gone ? KVMX_STATE_GONE :
				 halted ? KVMX_STATE_HALTED : KVMX_STATE_GUEST);
		instant("state_since", clock);
		instant("accounted", clock);
	}
	instant("counting_since", 0);
	one("gone", KVM_STATS_TYPE_INSTANT, KVM_STATS_UNIT_BOOLEAN, gone);
	times(fake_steps(), vcpu, halted);
	counter("entries", 1000 * fake_steps());
	counter("entries_without_exit", fake_is("odd") ? fake_steps() : 0);
	counter("exits_without_entry", 0);
	counter("user_exits", 20 * fake_steps());
}

static void reasons(void)
{
	__u64 n = fake_steps();

	reason("HLT", 100 * n, 3000 * US, 4000 * US, fake_is("open"));
	reason("CPUID", 700 * n, 2 * US, 3 * US, 0);
	reason("IO_INSTRUCTION", 200 * n, 40 * US, 900 * US, 0);
	reason("TRIPLE_FAULT", 0, 0, 0, 0);
	if (fake_is("huge"))
		reason("HUGE", 99999999999ULL * n, 2 * US, 400000 * FAKE_SECOND,
		       0);
	if (fake_is("rare"))
		reason("RARE", 10, 2 * US, 5000 * US, 0);
	reason("unlisted_0", fake_is("odd") ? 5 * n : 0, 7 * US, 8 * US, 0);
	reason("unlisted_1", 0, 0, 0, 0);
	instant("unlisted.0.code", fake_is("odd") ? 0x4d : 0);
	instant("unlisted.1.code", 0);
	if (!fake_is("new"))
		return;
	reason("A_REASON_OF_THE_NEXT_GENERATION_OF_CPUS", 50 * n, 9 * US,
	       11 * US, 0);
	counter("exit.HLT.dreams", 12 * n);
	one("flux_capacity", KVM_STATS_TYPE_INSTANT, KVM_STATS_UNIT_BYTES, 77);
	counter("flushes", 3 * n);
}

static void group_sched(unsigned int vcpu)
{
	__u64 n = fake_steps(), hist[FAKE_BUCKETS] = { 0 };

	hist[bucket_of(100 * US)] = 58 * n;
	hist[bucket_of(3000 * US)] = 2 * n;
	if (vcpu != FAKE_WHOLE)
		instant("sched.seq", 2 * n);
	instant("sched.since", 0);
	counter("sched.switches.voluntary", 50 * n);
	counter("sched.switches.involuntary", 10 * n);
	counter("sched.placed.same_cpu", 40 * n);
	counter("sched.placed.smt_sibling", 12 * n);
	counter("sched.placed.same_llc", 5 * n);
	counter("sched.placed.same_node", 0);
	counter("sched.placed.other_node", 3 * n);
	if (fake_is("new"))
		counter("sched.yawns", 4 * n);
	counter("sched.poll.success", fake_is("nopoll") ? 0 : 6 * n);
	counter("sched.poll.failure", fake_is("nopoll") ? 0 : 2 * n);
	ticks("sched.poll.useful", 6 * n * 30 * US);
	ticks("sched.poll.wasted", 2 * n * 200 * US);
	figure("sched.delay.hist", KVM_STATS_TYPE_LOG_HIST,
	       KVM_STATS_UNIT_CYCLES, FAKE_BUCKETS, hist);
}

static void sizes(__u64 n)
{
	if (!fake_is("noops")) {
		counter("mmu.op.mapped", (fake_is("busy") ? 500 : 250) * n);
		counter("mmu.op.zapped", 30 * n);
		counter("mmu.op.split", 2 * n);
		counter("mmu.op.collapsed", 0);
		counter("mmu.op.unattributed", 9 * n);
	}
	instant("mmu.pages.4k", 500 * n);
	instant("mmu.pages.2m", n < 5 ? 5 - n : 0);
	instant("mmu.pages.1g", 0);
	one("mmu.pages.tables", KVM_STATS_TYPE_INSTANT, KVM_STATS_UNIT_BYTES,
	    81920);
	instant("mmu.pages.read_at", !fake_is("unread"));
}

static void group_mmu(unsigned int vcpu)
{
	__u64 n = fake_steps(), hist[FAKE_BUCKETS] = { 0 };

	hist[bucket_of(10 * US)] = 400 * n;
	counter("mmu.access.read", 100 * n);
	counter("mmu.access.write", 300 * n);
	counter("mmu.cause.not_present", (fake_is("busy") ? 720 : 360) * n);
	counter("mmu.cause.write_protected", 40 * n);
	counter("mmu.page_walk", 7 * n);
	counter("mmu.outcome.fixed", 400 * n);
	counter("mmu.fast", 90 * n);
	ticks("mmu.time", 4000 * US * n);
	figure("mmu.hist", KVM_STATS_TYPE_LOG_HIST, KVM_STATS_UNIT_CYCLES,
	       FAKE_BUCKETS, hist);
	if (vcpu == FAKE_WHOLE)
		sizes(n);
	instant("mmu.walk.levels", 4);
	one("mmu.walk.ad", KVM_STATS_TYPE_INSTANT, KVM_STATS_UNIT_BOOLEAN, 1);
	if (!fake_is("amd"))
		one("mmu.walk.pml", KVM_STATS_TYPE_INSTANT,
		    KVM_STATS_UNIT_BOOLEAN, 0);
}

static void group_io(void)
{
	__u64 n = fake_steps(), hist[FAKE_BUCKETS] = { 0 };

	hist[bucket_of(5 * US)] = 60 * n;
	counter("io.port.in", 20 * n);
	counter("io.port.out", 40 * n);
	ticks("io.port.time", 300 * US * n);
	figure("io.port.hist", KVM_STATS_TYPE_LOG_HIST, KVM_STATS_UNIT_CYCLES,
	       FAKE_BUCKETS, hist);
	hist[bucket_of(5 * US)] = 10 * n;
	counter("io.mmio.count", 10 * n);
	ticks("io.mmio.time", 50 * US * n);
	figure("io.mmio.hist", KVM_STATS_TYPE_LOG_HIST, KVM_STATS_UNIT_CYCLES,
	       FAKE_BUCKETS, hist);
}

/* Of two vCPUs; in FAKE: "amd", "onetag" for both, "notag" for either. */
static void tags(unsigned int vcpu, __u64 n)
{
	__u64 number = fake_is("notag") ? 0 : fake_is("onetag") ? 5 : 5 + vcpu;

	instant("tlb.tag.number", number);
	instant("tlb.tag.cpu", fake_is("apart") ? vcpu : 3);
	if (fake_is("amd"))
		instant("tlb.tag.generation", fake_is("sev") ? 0 : 17);
	one("tlb.tag.since", KVM_STATS_TYPE_INSTANT, KVM_STATS_UNIT_CYCLES,
	    !fake_is("unread"));
	counter("tlb.tag.changes", 2 * n);
}

static void group_tlb(unsigned int vcpu)
{
	__u64 n = fake_steps(), times = vcpu == FAKE_WHOLE ? 2 * n : n;

	if (vcpu == FAKE_WHOLE)
		counter("tlb.tag.changes", 4 * n);
	else
		tags(vcpu, n);
	counter("tlb.flushes", 40 * times);
	if (fake_is("amd")) {
		counter("tlb.kind.asid", 30 * times);
		counter("tlb.kind.new_asid", 10 * times);
	} else {
		counter("tlb.kind.invept_global", 30 * times);
		counter("tlb.kind.invvpid_address", 10 * times);
	}
	counter("tlb.cause.moved", 10 * times);
	counter("tlb.cause.remote", 29 * times);
	counter("tlb.cause.unattributed", 1 * times);
	counter("tlb.also.moved", 4 * times);
	counter("tlb.also.remote", 0);
	if (!fake_is("noswitch")) {
		counter("tlb.kept.same_cpu", 60 * times);
		counter("tlb.lost.same_cpu", 20 * times);
		counter("tlb.kept.other_node", 0);
		counter("tlb.lost.other_node",
			(fake_is("pinned") ? 0 : 20) * times);
	}
	counter("tlb.sibling_ran", 8 * times);
	counter("tlb.missed", fake_is("missed") ? 3 * times : 0);
}

static void build(unsigned int vm, unsigned int vcpu, unsigned int groups)
{
	now.nr = 0;
	now.nr_values = 0;
	block(vcpu, fake_is("gone") && vm == 1 && fake_steps() >= 3);
	if (groups & FAKE_SCHED / FAKE_SCHED && !fake_is("noswitch"))
		group_sched(vcpu);
	if (groups & FAKE_MMU / FAKE_SCHED) {
		group_mmu(vcpu);
		group_io();
	}
	if (groups & FAKE_TLB / FAKE_SCHED)
		group_tlb(vcpu);
	reasons();
}

/* Header and descriptors. Return: their size; the data come behind. */
size_t fake_schema(unsigned int vcpu, unsigned int groups, void **schema,
		   size_t *data_at)
{
	struct kvm_stats_header head = { .name_size = FAKE_NAME };
	unsigned char *raw;

	build(0, vcpu, groups);
	head.num_desc = now.nr;
	head.id_offset = sizeof(head);
	head.desc_offset = sizeof(head) + FAKE_NAME;
	head.data_offset = head.desc_offset + now.nr * (__u32)STRIDE;
	raw = calloc(1, head.data_offset);
	memcpy(raw, &head, sizeof(head));
	memcpy(raw + head.desc_offset, now.desc, now.nr * STRIDE);
	*schema = raw;
	*data_at = head.data_offset;
	return head.data_offset;
}

/* The values, as they are now. Return: how many. */
size_t fake_values(unsigned int vm, unsigned int vcpu, unsigned int groups,
		   __u64 **values)
{
	build(vm, vcpu, groups);
	*values = now.values;
	return now.nr_values;
}
