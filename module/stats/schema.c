// SPDX-License-Identifier: GPL-2.0-only
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <asm/cpufeature.h>

#include "core/clock.h"
#include "core/exit.h"
#include "core/hook.h"
#include "stats/schema.h"

/*
 * Slots: one for each reason that the vendor's header names, one for exits
 * whose reason cannot or may not be read, KVMX_UNLISTED for codes without a
 * name, given out in the order in which codes turn up, for the whole host.
 */
static const struct kvmx_reason *reasons;
static unsigned int nr_reasons;

#define SLOT_OPAQUE	nr_reasons
#define SLOT_UNLISTED	(nr_reasons + 1)
#define NR_SLOTS	(nr_reasons + 1 + KVMX_UNLISTED)

static u8 direct[KVMX_DIRECT_CODES];

/* Exit codes behind the unlisted slots, plus one; 0 while a slot is free. */
static u64 unlisted[KVMX_UNLISTED];

static struct kvmx_counter *counters;
static unsigned int nr_counters;
static u32 adding_to;		/* group of counters that are being added */

const struct kvmx_group kvmx_groups[KVMX_NR_GROUPS] = {
#define X(bit, member, list)						\
	{ bit, offsetof(struct kvmx_data, member),			\
	  sizeof_field(struct kvmx_data, member) },
	KVMX_GROUPS(X)
#undef X
};

unsigned int kvmx_schema_nr_slots(void)
{
	return NR_SLOTS;
}

/**
 * kvmx_schema_data_size() - how large a vCPU's data is
 *
 * Return: bytes, a multiple of the page size.
 */
u32 kvmx_schema_data_size(void)
{
	return PAGE_ALIGN(offsetof(struct kvmx_data, slot) +
			  NR_SLOTS * sizeof(struct kvmx_slot));
}

static unsigned int slot_slow(u64 code, u64 *tell)
{
	unsigned int i;

	if (code == KVMX_CODE_OPAQUE)
		return SLOT_OPAQUE;
	for (i = 0; i < nr_reasons; i++)
		/* Where the table says -1, KVM has 32 bits of it. */
		if ((u32)reasons[i].code == code)
			return i;
	for (i = 0; i < KVMX_UNLISTED; i++) {
		u64 old = cmpxchg64(&unlisted[i], 0, code + 1);

		if (!old || old == code + 1) {
			*tell = code;
			return SLOT_UNLISTED + i;
		}
	}
	/* More than anybody has seen: the last one stands for several codes. */
	*tell = KVMX_CODE_OPAQUE;
	return SLOT_UNLISTED + KVMX_UNLISTED - 1;
}

/**
 * kvmx_schema_named_slot() - in which slot a code counts that has a name
 * @code: less than KVMX_DIRECT_CODES
 *
 * Return: index of the slot, or KVMX_NO_SLOT.
 */
unsigned int kvmx_schema_named_slot(u64 code)
{
	return direct[code];
}

/**
 * kvmx_schema_slot() - in which slot an exit counts
 * @code: the vendor's exit code, or KVMX_CODE_OPAQUE
 * @tell: set to @code if that has no name; else left alone
 *
 * Context: any. Lock-free; one load for usual codes.
 * Return: index of the slot.
 */
unsigned int kvmx_schema_slot(u64 code, u64 *tell)
{
	if (likely(code < KVMX_DIRECT_CODES && direct[code] != KVMX_NO_SLOT))
		return direct[code];
	return slot_slow(code, tell);
}

/* SVM: "DE excp" */
static void fill_blanks(char *name)
{
	for (; *name; name++)
		if (*name == ' ')
			*name = '_';
}

/**
 * kvmx_schema_name() - what an exit code is called in names of figures
 * @code: the vendor's exit code, or KVMX_CODE_OPAQUE
 * @name: filled; empty for a code that has no name
 * @size: of @name
 *
 * Context: any.
 */
void kvmx_schema_name(u64 code, char *name, size_t size)
{
	unsigned int i;

	name[0] = '\0';
	if (code == KVMX_CODE_OPAQUE) {
		strscpy(name, "not_read", size);
		return;
	}
	for (i = 0; i < nr_reasons; i++) {
		if (reasons[i].code != code && (u32)reasons[i].code != code)
			continue;
		strscpy(name, reasons[i].name, size);
		fill_blanks(name);
		return;
	}
}

static void counter_add(const char *name, u32 offset, u16 size, u32 type,
			u32 unit, s16 exponent, enum kvmx_fold fold, u32 needs)
{
	struct kvmx_counter *c = &counters[nr_counters++];

	strscpy(c->name, name, sizeof(c->name));
	fill_blanks(c->name);
	c->offset = offset;
	c->size = size;
	c->type = type;
	c->unit = unit;
	c->exponent = exponent;
	c->fold = fold;
	c->needs = needs;
	c->group = adding_to;
}

/* Names of units as the X-lists use them. */
#define UNIT_NONE	KVM_STATS_UNIT_NONE, 0
#define UNIT_BOOL	KVM_STATS_UNIT_BOOLEAN, 0
#define UNIT_BYTES	KVM_STATS_UNIT_BYTES, 0
#define UNIT_CLOCK	clock_unit, clock_exponent
#define EXPAND(...)	counter_add(__VA_ARGS__)

static void counters_of_slot(const char *reason, unsigned int slot,
			     u32 clock_unit, s16 clock_exponent)
{
	u32 base = offsetof(struct kvmx_data, slot) +
		   slot * sizeof(struct kvmx_slot);
	char name[KVMX_STAT_NAME_LEN];

#define X(member, text, type, unit, fold, needs)			\
	snprintf(name, sizeof(name), "exit.%s.%s", reason, text);	\
	EXPAND(name, base + offsetof(struct kvmx_slot, member),		\
	       sizeof_field(struct kvmx_slot, member) / sizeof(u64),	\
	       KVM_STATS_TYPE_##type, UNIT_##unit,			\
	       KVMX_FOLD_##fold, needs);
	KVMX_SLOT_COUNTERS(X)
#undef X
}

/* GROUP is the member of struct kvmx_data that the list is about. */
static void counters_of_groups(u32 clock_unit, s16 clock_exponent)
{
#define X(member, text, type, unit, fold, needs)			\
	EXPAND(text, offsetof(struct kvmx_data, GROUP.member),		\
	       sizeof_field(struct kvmx_data, GROUP.member) /		\
	       sizeof(u64), KVM_STATS_TYPE_##type, UNIT_##unit,		\
	       KVMX_FOLD_##fold, needs);
#define GROUP sched
	adding_to = KVMX_STATS_SCHED;
	KVMX_SCHED_COUNTERS(X)
#undef GROUP
#define GROUP mmu
	adding_to = KVMX_STATS_MMU;
	KVMX_MMU_COUNTERS(X)
#undef GROUP
#define GROUP io
	adding_to = KVMX_STATS_IO;
	KVMX_IO_COUNTERS(X)
#undef GROUP
#define GROUP tlb
	adding_to = KVMX_STATS_TLB;
	KVMX_TLB_COUNTERS(X)
#undef GROUP
#undef X
	adding_to = 0;
}

static void counters_fill(void)
{
	bool tsc = static_key_enabled(&kvmx_clock_is_tsc);
	u32 clock_unit = tsc ? KVM_STATS_UNIT_CYCLES : KVM_STATS_UNIT_SECONDS;
	s16 clock_exponent = tsc ? 0 : -9;
	char name[KVMX_STAT_NAME_LEN];
	unsigned int i;

#define X(member, text, type, unit, fold, needs)			\
	EXPAND(text, offsetof(struct kvmx_data, member), 1,		\
	       KVM_STATS_TYPE_##type, UNIT_##unit,			\
	       KVMX_FOLD_##fold, needs);
	KVMX_BLOCK_COUNTERS(X)
#undef X
#define X(sym, text, needs)						\
	EXPAND("time." text,						\
	       offsetof(struct kvmx_data, time[KVMX_T_##sym]), 1,	\
	       KVM_STATS_TYPE_CUMULATIVE, UNIT_CLOCK,			\
	       KVMX_FOLD_SUM, needs);
	KVMX_TIME_CLASSES(X)
#undef X
	for (i = 0; i < KVMX_UNLISTED; i++) {
		snprintf(name, sizeof(name), "unlisted.%u.code", i);
		EXPAND(name, offsetof(struct kvmx_data, unlisted_code[i]), 1,
		       KVM_STATS_TYPE_INSTANT, UNIT_NONE, KVMX_FOLD_MAX, 0);
	}
	counters_of_groups(clock_unit, clock_exponent);
	for (i = 0; i < nr_reasons; i++)
		if (direct[min_t(u64, reasons[i].code, KVMX_DIRECT_CODES - 1)] == i ||
		    reasons[i].code >= KVMX_DIRECT_CODES)
			counters_of_slot(reasons[i].name, i, clock_unit,
					 clock_exponent);
	counters_of_slot("not_read", SLOT_OPAQUE, clock_unit, clock_exponent);
	for (i = 0; i < KVMX_UNLISTED; i++) {
		snprintf(name, sizeof(name), "unlisted_%u", i);
		counters_of_slot(name, SLOT_UNLISTED + i, clock_unit,
				 clock_exponent);
	}
}

/**
 * kvmx_schema_init() - learn the vendor's reasons
 *
 * Context: may sleep, once, at load.
 * Return: 0 or -ENOMEM.
 */
int kvmx_schema_init(void)
{
	unsigned int i, max;

	if (boot_cpu_has(X86_FEATURE_SVM))
		reasons = kvmx_svm_reasons(&nr_reasons);
	else
		reasons = kvmx_vmx_reasons(&nr_reasons);

	memset(direct, KVMX_NO_SLOT, sizeof(direct));
	for (i = 0; i < nr_reasons; i++)
		if (reasons[i].code < KVMX_DIRECT_CODES &&
		    direct[reasons[i].code] == KVMX_NO_SLOT)
			direct[reasons[i].code] = i;

	/* More than needed: fewer than 200 counters besides those of slots. */
	max = 200 + NR_SLOTS * 6;
	counters = kvcalloc(max, sizeof(*counters), GFP_KERNEL);
	if (!counters)
		return -ENOMEM;
	counters_fill();
	WARN_ON(nr_counters > max || NR_SLOTS >= KVMX_NO_SLOT);
	return 0;
}

void kvmx_schema_exit(void)
{
	kvfree(counters);
}

/**
 * kvmx_schema_fold() - add the block of a group to a VM's sums
 * @sum: struct kvmx_data of the VM
 * @block: a consistent copy of a vCPU's block
 * @group: index into kvmx_groups
 *
 * Context: any.
 */
void kvmx_schema_fold(void *sum, const void *block, u32 group)
{
	const struct kvmx_group *g = &kvmx_groups[group];
	unsigned int i, j;

	for (i = 0; i < nr_counters; i++) {
		const struct kvmx_counter *c = &counters[i];
		const u64 *from = block + (c->offset - g->offset);
		u64 *to = sum + c->offset;

		if (c->group != g->bit)
			continue;
		for (j = 0; j < c->size; j++) {
			if (c->fold == KVMX_FOLD_SUM)
				to[j] += from[j];
			else if (c->fold == KVMX_FOLD_MAX)
				to[j] = max(to[j], from[j]);
		}
	}
}

static bool counter_shown(const struct kvmx_counter *c, bool whole_vm,
			  u32 groups, u32 have)
{
	if ((c->needs & have) != c->needs || (c->group & groups) != c->group)
		return false;
	return whole_vm ? c->fold != KVMX_FOLD_NONE : c->fold != KVMX_FOLD_ONLY;
}

/* A descriptor without its name, as readers know it. */
#define DESC_HEAD	offsetof(struct kvm_stats_desc, name)

static void describe(struct kvm_stats_desc *desc, const struct kvmx_counter *c)
{
	desc->flags = c->type | c->unit | KVM_STATS_BASE_POW10;
	desc->exponent = c->exponent;
	desc->size = c->size;
	desc->offset = c->offset;
	desc->bucket_size = 0;
	/* The kernel's own declaration has room for shorter names. */
	memcpy((void *)desc + DESC_HEAD, c->name, sizeof(c->name));
}

/**
 * kvmx_schema_build() - header and descriptors of a statistics fd
 * @whole_vm: for the sums of a VM, else for a vCPU
 * @groups: KVMX_STATS_* groups to show
 * @have: KVMX_NEED_* bits of what is there; other figures are left out
 *
 * Context: may sleep.
 * Return: the schema, NULL when out of memory.
 */
struct kvmx_schema *kvmx_schema_build(bool whole_vm, u32 groups, u32 have)
{
	const u32 stride = DESC_HEAD + KVMX_STAT_NAME_LEN;
	struct kvm_stats_header *head;
	struct kvmx_schema *s;
	unsigned int i, n = 0;

	for (i = 0; i < nr_counters; i++)
		n += counter_shown(&counters[i], whole_vm, groups, have);

	s = kzalloc(sizeof(*s), GFP_KERNEL);
	if (!s)
		return NULL;
	s->id_offset = sizeof(*head);
	s->size = PAGE_ALIGN(sizeof(*head) + KVMX_STAT_NAME_LEN + n * stride);
	s->data_size = kvmx_schema_data_size();
	s->head = kvzalloc(s->size, GFP_KERNEL);
	if (!s->head) {
		kfree(s);
		return NULL;
	}
	head = (struct kvm_stats_header *)s->head;
	head->name_size = KVMX_STAT_NAME_LEN;
	head->num_desc = n;
	head->id_offset = s->id_offset;
	head->desc_offset = s->id_offset + KVMX_STAT_NAME_LEN;
	head->data_offset = s->size;

	n = 0;
	for (i = 0; i < nr_counters; i++)
		if (counter_shown(&counters[i], whole_vm, groups, have))
			describe((void *)s->head + head->desc_offset +
				 stride * n++, &counters[i]);
	return s;
}

void kvmx_schema_free(struct kvmx_schema *schema)
{
	if (!schema)
		return;
	kvfree(schema->head);
	kfree(schema);
}
