/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Statistics fds: what they say they have, and what they read. Knows the form
 * of names ("exit.REASON.FIELD", "time.CLASS"), but no reason and no class.
 */
#ifndef KVMX_TOOL_STATS_H
#define KVMX_TOOL_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>
#include <linux/kvmx.h>

/* Fields of an exit reason that this tool knows what to do with. */
enum exit_field {
	EXIT_COUNT,
	EXIT_GROSS,
	EXIT_NET,
	EXIT_MAX,
	EXIT_HIST,
	NR_EXIT_FIELDS
};

/**
 * struct figure - one descriptor
 * @name: its name
 * @flags: KVM_STATS_* type, unit and base
 * @exponent: of the unit
 * @at: index of the first value in the data
 * @size: number of values
 * @known: this tool shows it by name; what it does not know, it shows as it is
 * @note: label and reason, NULL for plain exact figures
 */
struct figure {
	char *name;
	__u32 flags;
	int exponent;
	size_t at;
	unsigned int size;
	bool known;
	const struct kvmx_note *note;
};

/* An exit reason: its figures by field, NULL for those that are not there. */
struct reason {
	char *name;
	const struct figure *field[NR_EXIT_FIELDS];
	const struct figure *code;
};

struct time_class {
	const char *name;	/* without "time." */
	const struct figure *figure;
};

/* Figures of the block that is not about exits. NULL: not there. */
struct block {
	const struct figure *state;
	const struct figure *state_since;
	const struct figure *accounted;
	const struct figure *counting_since;
	const struct figure *gone;
	const struct figure *entries;
	const struct figure *entries_without_exit;
	const struct figure *exits_without_entry;
	const struct figure *user_exits;
};

/**
 * struct schema - what a statistics fd has
 * @raw: header and descriptors as they were read
 * @figures: all descriptors, in their order
 * @reasons: exit reasons, in the order of the schema
 * @times: classes of time, in the order of the schema
 * @data_at: where the data lie
 * @nr_values: how many values they are
 *
 * Shared by all fds with the same descriptors and notes.
 */
struct schema {
	struct schema *next;
	unsigned char *raw;
	size_t raw_size;
	struct figure *figures;
	unsigned int nr_figures;
	struct reason *reasons;
	unsigned int nr_reasons;
	struct time_class *times;
	unsigned int nr_times;
	struct block block;
	struct kvmx_note *notes;
	unsigned int nr_notes;
	size_t data_at;
	size_t nr_values;
};

const struct schema *schema_read(int fd);
bool stats_read(int fd, const struct schema *schema, __u64 *data);

const struct figure *schema_find(const struct schema *s, const char *name);
const char *figure_label(const struct figure *f);
const char *label_name(__u32 label);
const char *figure_type(const struct figure *f);
void figure_unit(const struct figure *f, char *buf, size_t size);
bool figure_adds_up(const struct figure *f);

#endif /* KVMX_TOOL_STATS_H */
