// SPDX-License-Identifier: GPL-2.0-only
/*
 * A statistics fd is in KVM's own format: whoever reads KVM_GET_STATS_FD reads
 * this as well; and it has all the figures that it should have.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "kselftest_harness.h"

#include "host.h"
#include "kvmx.h"
#include "setup.h"
#include "vmm.h"

FIXTURE(format) {
	int node;
	struct vmm *vm;
	struct vmm_vcpu *v;
	int fd;
	struct stats *s, *whole;
};

FIXTURE_SETUP(format)
{
	self->node = kvmx_node();
	self->vm = vmm_create(VMM_IRQCHIP);
	self->v = vmm_add_vcpu(self->vm);
	self->fd = kvmx_vm_by_fd(self->node, self->vm->fd);
	self->s = kvmx_stats(self->fd, 0);
	self->whole = kvmx_stats(self->fd, KVMX_STATS_WHOLE_VM);
	do_aside(self->v, VMM_CPUID, 100);
	do_aside(self->v, VMM_HLT, 10);
}

FIXTURE_TEARDOWN(format)
{
	stats_close(self->s);
	stats_close(self->whole);
	close(self->fd);
	vmm_destroy(self->vm);
	close(self->node);
}

#define good(fd) do {							\
	char _why[STATS_WHY] = "";					\
									\
	EXPECT_TRUE(stats_format_ok(fd, _why)) {			\
		TH_LOG("%s: %s", #fd, _why);				\
	}								\
} while (0)

TEST_F(format, kvms_own_fds_pass_the_parser)
{
	int vm = ioctl(self->vm->fd, KVM_GET_STATS_FD, NULL);
	int vcpu = ioctl(self->v->fd, KVM_GET_STATS_FD, NULL);

	ASSERT_LE(0, vm);
	ASSERT_LE(0, vcpu);
	good(vm);
	good(vcpu);
	close(vcpu);
	close(vm);
}

TEST_F(format, kvmxs_fds_pass_the_same_parser)
{
	good(self->s->fd);
	good(self->whole->fd);
}

/* A copy of a whole fd, with room to break something in it. */
static int copy_of(const struct stats *s)
{
	int fd = memfd_create("copy", MFD_CLOEXEC);

	if (fd < 0 ||
	    pwrite(fd, s->raw, s->head.data_offset, 0) < 0 ||
	    pwrite(fd, s->data, s->size, s->head.data_offset) < 0)
		abort();
	return fd;
}

static void poke(int fd, off_t at, uint32_t value)
{
	if (pwrite(fd, &value, sizeof(value), at) != sizeof(value))
		abort();
}

TEST_F(format, the_parser_notices_what_is_broken)
{
	const struct stats *s = self->s;
	uint32_t desc = s->head.desc_offset;
	uint32_t stride = offsetof(struct kvm_stats_desc, name) +
			  s->head.name_size;
	const struct {
		const char *what;
		off_t at;
		uint32_t value;
	} breaks[] = {
		{ "flags", offsetof(struct kvm_stats_header, flags), 1 },
		{ "name_size", offsetof(struct kvm_stats_header, name_size), 0 },
		{ "num_desc", offsetof(struct kvm_stats_header, num_desc),
		  s->head.num_desc + 1000 },
		{ "desc_offset", offsetof(struct kvm_stats_header, desc_offset),
		  desc + 4 },
		{ "data_offset", offsetof(struct kvm_stats_header, data_offset),
		  desc },
		{ "id", s->head.id_offset, 0 },
		{ "flags of a figure", desc + 2 * stride, 0xffffffff },
		{ "offset of a figure", desc + 2 * stride +
		  offsetof(struct kvm_stats_desc, offset), 0 },
		{ "its end", desc + 2 * stride +
		  offsetof(struct kvm_stats_desc, offset), 0x7ffff8 },
		{ "its name", desc + 2 * stride +
		  offsetof(struct kvm_stats_desc, name), 0 },
		{ "its size", desc + 2 * stride +
		  offsetof(struct kvm_stats_desc, exponent), 0x00020000 },
	};
	char why[STATS_WHY];
	unsigned int i;
	int fd = copy_of(s);

	ASSERT_TRUE(stats_format_ok(fd, why)) {
		TH_LOG("%s", why);
	}
	close(fd);
	for (i = 0; i < sizeof(breaks) / sizeof(*breaks); i++) {
		fd = copy_of(s);
		poke(fd, breaks[i].at, breaks[i].value);
		EXPECT_FALSE(stats_format_ok(fd, why)) {
			TH_LOG("%s", breaks[i].what);
		}
		close(fd);
	}
}

TEST_F(format, mapped_and_read_data_are_the_same_at_rest)
{
	struct stats *m = kvmx_stats(self->fd, 0);
	unsigned int i, k;

	EXPECT_EQ(0, m->head.data_offset % sysconf(_SC_PAGESIZE));
	stats_map(m);
	memset(m->data, 0, m->size);
	stats_read_map(m);
	stats_read(self->s);
	EXPECT_EQ(100, stats_exit(m, vmm_reason(VMM_CPUID), "count"));
	for (i = 0; i < m->nr; i++)
		for (k = 0; k < m->desc[i].size; k++)
			EXPECT_EQ(stats_values(self->s, &self->s->desc[i])[k],
				  stats_values(m, &m->desc[i])[k]) {
				TH_LOG("%s[%u]", m->desc[i].name, k);
			}
	stats_close(m);
}

TEST_F(format, a_vcpu_takes_at_most_64_kib)
{
	EXPECT_GE(65536, self->s->size);
}

/* In the order of uapi/linux/kvmx.h. */
static const struct {
	const char *name;
	bool vcpu_only;
	uint32_t type;
	bool clock;
	const char *needs;
} block[] = {
	{ "seq", true, KVM_STATS_TYPE_INSTANT },
	{ "state", true, KVM_STATS_TYPE_INSTANT },
	{ "state_since", true, KVM_STATS_TYPE_INSTANT, true },
	{ "accounted", true, KVM_STATS_TYPE_INSTANT, true },
	{ "counting_since", false, KVM_STATS_TYPE_INSTANT, true },
	{ "gone", false, KVM_STATS_TYPE_INSTANT },
	{ "time.guest", false, KVM_STATS_TYPE_CUMULATIVE, true },
	{ "time.exit", false, KVM_STATS_TYPE_CUMULATIVE, true },
	{ "time.poll", false, KVM_STATS_TYPE_CUMULATIVE, true, "kvm_vcpu_wakeup" },
	{ "time.user", false, KVM_STATS_TYPE_CUMULATIVE, true, "kvm_userspace_exit" },
	{ "time.halted", false, KVM_STATS_TYPE_CUMULATIVE, true, "sched_switch" },
	{ "time.ready", false, KVM_STATS_TYPE_CUMULATIVE, true, "sched_switch" },
	{ "time.wait", false, KVM_STATS_TYPE_CUMULATIVE, true, "sched_switch" },
	{ "time.unknown", false, KVM_STATS_TYPE_CUMULATIVE, true },
	{ "entries", false, KVM_STATS_TYPE_CUMULATIVE },
	{ "entries_without_exit", false, KVM_STATS_TYPE_CUMULATIVE },
	{ "exits_without_entry", false, KVM_STATS_TYPE_CUMULATIVE },
	{ "user_exits", false, KVM_STATS_TYPE_CUMULATIVE, false, "kvm_userspace_exit" },
	{ "unlisted.0.code", false, KVM_STATS_TYPE_INSTANT },
	{ "unlisted.7.code", false, KVM_STATS_TYPE_INSTANT },
};

static bool is_clock(const struct stat_desc *d, bool tsc)
{
	uint32_t unit = d->flags & KVM_STATS_UNIT_MASK;

	return tsc ? unit == KVM_STATS_UNIT_CYCLES && !d->exponent :
		     unit == KVM_STATS_UNIT_SECONDS && d->exponent == -9;
}

#define check_figure(s, text, of_type, of_clock) do {			\
	const struct stat_desc *_d = stats_find(s, text);		\
									\
	EXPECT_NE(NULL, _d) {						\
		TH_LOG("no %s", text);					\
	}								\
	if (_d) {							\
		EXPECT_EQ(of_type, _d->flags & KVM_STATS_TYPE_MASK) {	\
			TH_LOG("%s", text);				\
		}							\
		EXPECT_EQ(of_clock, is_clock(_d, tsc)) {		\
			TH_LOG("%s", text);				\
		}							\
	}								\
} while (0)

TEST_F(format, the_figures_of_the_block_are_there_with_type_and_unit)
{
	struct kvmx_info info;
	unsigned int i;
	bool tsc;

	ASSERT_EQ(0, kvmx_info(self->node, &info));
	tsc = info.clock == KVMX_CLOCK_TSC;
	for (i = 0; i < sizeof(block) / sizeof(*block); i++) {
		if (block[i].needs && kvmx_feature_off(self->node, block[i].needs))
			continue;
		check_figure(self->s, block[i].name, block[i].type,
			     block[i].clock);
		if (!block[i].vcpu_only) {
			check_figure(self->whole, block[i].name, block[i].type,
				     block[i].clock);
			continue;
		}
		EXPECT_EQ(NULL, stats_find(self->whole, block[i].name));
	}
}

/*
 * Names in the list that kvm_exit's format prints: the running kernel's own. For
 * a kvm.ko of both vendors VMX's list comes first.
 */
static unsigned int kernels_reasons(char names[][64], unsigned int room)
{
	static char text[65536];
	const char *p, *end;
	unsigned int nr = 0, skip = vmm_intel() ? 0 : 1;
	size_t len;
	FILE *f;

	f = fopen("/sys/kernel/tracing/events/kvm/kvm_exit/format", "r");
	if (!f)
		return 0;
	len = fread(text, 1, sizeof(text) - 1, f);
	text[len] = 0;
	fclose(f);
	p = strstr(text, "__print_symbolic(");
	while (p && skip--)
		p = strstr(p + 1, "__print_symbolic(");
	if (!p)
		return 0;
	end = strstr(p, "})");
	while (end && nr < room) {
		const char *from = strchr(p, '"');
		const char *to = from ? strchr(from + 1, '"') : NULL;
		unsigned int i;

		if (!to || to > end)
			break;
		snprintf(names[nr], 64, "%.*s", (int)(to - from - 1), from + 1);
		for (i = 0; names[nr][i]; i++)
			if (names[nr][i] == ' ')
				names[nr][i] = '_';
		nr++;
		p = to + 1;
	}
	return nr;
}

TEST_F(format, every_reason_that_the_kernel_names_has_its_figures)
{
	static const struct {
		const char *what;
		uint32_t type;
		bool clock;
	} parts[] = {
		{ "count", KVM_STATS_TYPE_CUMULATIVE },
		{ "gross", KVM_STATS_TYPE_CUMULATIVE, true },
		{ "net", KVM_STATS_TYPE_CUMULATIVE, true },
		{ "max", KVM_STATS_TYPE_PEAK, true },
		{ "hist", KVM_STATS_TYPE_LOG_HIST, true },
	};
	static char reasons[300][64];
	unsigned int i, k, nr = kernels_reasons(reasons, 300);
	struct kvmx_info info;
	char name[128];
	bool tsc;

	if (!nr)
		SKIP(return, "tracefs tells no names of exit reasons here");
	ASSERT_EQ(0, kvmx_info(self->node, &info));
	tsc = info.clock == KVMX_CLOCK_TSC;
	EXPECT_LT(40, nr);
	for (i = 0; i < nr; i++)
		for (k = 0; k < sizeof(parts) / sizeof(*parts); k++) {
			snprintf(name, sizeof(name), "exit.%.63s.%s",
				 reasons[i], parts[k].what);
			check_figure(self->s, name, parts[k].type,
				     parts[k].clock);
			check_figure(self->whole, name, parts[k].type,
				     parts[k].clock);
		}
	for (i = 0; i < KVMX_UNLISTED; i++) {
		snprintf(name, sizeof(name), "exit.unlisted_%u.count", i);
		check_figure(self->s, name, KVM_STATS_TYPE_CUMULATIVE, false);
	}
}

static bool covers(const char *pattern, const char *name)
{
	const char *star = strchr(pattern, '*');

	if (!star)
		return !strcmp(pattern, name);
	return !strncmp(pattern, name, star - pattern) &&
	       strlen(name) >= strlen(star + 1) + (star - pattern) &&
	       !strcmp(name + strlen(name) - strlen(star + 1), star + 1);
}

TEST_F(format, notes_are_about_figures_that_are_there_or_say_why_not)
{
	struct kvmx_note notes[64];
	int i, nr = kvmx_notes(self->s->fd, notes, 64);
	unsigned int k;

	ASSERT_LE(0, nr);
	ASSERT_GE(64, nr);
	for (i = 0; i < nr; i++) {
		bool found = false;

		EXPECT_GE(KVMX_LABEL_UNAVAILABLE, notes[i].label);
		EXPECT_EQ(0, notes[i].reserved);
		ASSERT_NE(NULL, memchr(notes[i].name, 0, KVMX_STAT_NAME_LEN));
		ASSERT_NE(NULL, memchr(notes[i].reason, 0, KVMX_REASON_LEN));
		EXPECT_NE(0, notes[i].name[0]);
		EXPECT_NE(0, notes[i].reason[0]);
		for (k = 0; k < self->s->nr; k++)
			found |= covers(notes[i].name, self->s->desc[k].name);
		EXPECT_EQ(notes[i].label != KVMX_LABEL_UNAVAILABLE, found) {
			TH_LOG("%s", notes[i].name);
		}
	}
}

TEST_F(format, each_fd_has_an_id_of_its_own)
{
	struct stats *other;

	vmm_add_vcpu(self->vm);
	other = kvmx_stats(self->fd, 1);
	EXPECT_STRNE(self->s->id, self->whole->id);
	EXPECT_STRNE(self->s->id, other->id);
	EXPECT_STRNE(self->whole->id, other->id);
	stats_close(other);
}

HOST_HARNESS_MAIN
