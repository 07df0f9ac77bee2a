// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/kvm.h>

#include "device.h"
#include "notes.h"
#include "stats.h"
#include "text.h"
#include "util.h"

/* Far above what the ABI allows; below, a broken header is not believed. */
#define MAX_DESCS	65536
#define MAX_NAME	1024
#define MAX_VALUES	1048576

static struct schema *schemas;

static const char * const field_names[NR_EXIT_FIELDS] = {
	[EXIT_COUNT] = "count",
	[EXIT_GROSS] = "gross",
	[EXIT_NET] = "net",
	[EXIT_MAX] = "max",
	[EXIT_HIST] = "hist",
};

static bool read_all(int fd, void *buf, size_t size, size_t at)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = device_read(fd, (char *)buf + done, size - done,
					(off_t)(at + done));

		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

/* One descriptor of the raw schema; false where it makes no sense. */
static bool take_figure(struct schema *s, const unsigned char *at,
			size_t name_size, struct figure *f)
{
	struct kvm_stats_desc d;

	memcpy(&d, at, sizeof(d));
	f->name = strndup((const char *)at + sizeof(d), name_size);
	if (!f->name)
		fail(EX_FAILED, "out of memory");
	f->flags = d.flags;
	f->exponent = d.exponent;
	f->size = d.size;
	f->at = d.offset / sizeof(__u64);
	if (d.offset % sizeof(__u64) || !d.size ||
	    f->at + f->size > MAX_VALUES)
		return false;
	if (f->at + f->size > s->nr_values)
		s->nr_values = f->at + f->size;
	return true;
}

static struct reason *reason_get(struct schema *s, const char *name, size_t len)
{
	struct reason *r;
	unsigned int i;

	/* A reason's figures stand together: look at the last one first. */
	for (i = s->nr_reasons; i > 0; i--) {
		r = &s->reasons[i - 1];
		if (strlen(r->name) == len && !memcmp(r->name, name, len))
			return r;
	}
	s->reasons = xrealloc(s->reasons, s->nr_reasons + 1,
			      sizeof(*s->reasons));
	r = &s->reasons[s->nr_reasons++];
	memset(r, 0, sizeof(*r));
	r->name = xasprintf("%.*s", (int)len, name);
	return r;
}

/* "exit.REASON.FIELD", where REASON may have dots of its own. */
static void sort_exit(struct schema *s, struct figure *f)
{
	const char *reason = f->name + strlen("exit.");
	const char *dot = strrchr(reason, '.');
	unsigned int i;

	if (!dot || dot == reason)
		return;
	for (i = 0; i < NR_EXIT_FIELDS; i++) {
		if (strcmp(dot + 1, field_names[i]))
			continue;
		reason_get(s, reason, (size_t)(dot - reason))->field[i] = f;
		f->known = true;
	}
}

static void sort_time(struct schema *s, struct figure *f)
{
	struct time_class *t;

	s->times = xrealloc(s->times, s->nr_times + 1, sizeof(*s->times));
	t = &s->times[s->nr_times++];
	t->name = f->name + strlen("time.");
	t->figure = f;
	f->known = true;
}

static void sort_block(struct schema *s, struct figure *f)
{
	struct block *b = &s->block;
	const struct {
		const char *name;
		const struct figure **place;
	} places[] = {
		{ "state", &b->state },
		{ "state_since", &b->state_since },
		{ "accounted", &b->accounted },
		{ "counting_since", &b->counting_since },
		{ "gone", &b->gone },
		{ "entries", &b->entries },
		{ "entries_without_exit", &b->entries_without_exit },
		{ "exits_without_entry", &b->exits_without_entry },
		{ "user_exits", &b->user_exits },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		if (strcmp(f->name, places[i].name))
			continue;
		*places[i].place = f;
		f->known = true;
	}
}

/* "unlisted.K.code" tells which code is counted as "exit.unlisted_K". */
static void sort_codes(struct schema *s)
{
	char name[KVMX_STAT_NAME_LEN];
	unsigned int i, k;

	for (i = 0; i < s->nr_reasons; i++) {
		struct figure *f;

		if (sscanf(s->reasons[i].name, "unlisted_%u", &k) != 1)
			continue;
		snprintf(name, sizeof(name), "unlisted.%u.code", k);
		f = (struct figure *)schema_find(s, name);
		if (!f)
			continue;
		f->known = true;
		s->reasons[i].code = f;
	}
}

static void sort_figures(struct schema *s)
{
	unsigned int i;

	for (i = 0; i < s->nr_figures; i++) {
		struct figure *f = &s->figures[i];

		if (!strncmp(f->name, "exit.", 5))
			sort_exit(s, f);
		else if (!strncmp(f->name, "time.", 5))
			sort_time(s, f);
		else
			sort_block(s, f);
		f->note = notes_match(s->notes, s->nr_notes, f->name);
	}
	sort_codes(s);
}

static struct schema *schema_parse(unsigned char *raw, size_t size,
				   const struct kvm_stats_header *head)
{
	size_t stride = sizeof(struct kvm_stats_desc) + head->name_size;
	struct schema *s = xcalloc(1, sizeof(*s));
	unsigned int i;

	s->raw = raw;
	s->raw_size = size;
	s->data_at = head->data_offset;
	s->nr_figures = head->num_desc;
	s->figures = xcalloc(s->nr_figures, sizeof(*s->figures));
	for (i = 0; i < s->nr_figures; i++)
		if (!take_figure(s, raw + sizeof(*head) + i * stride,
				 head->name_size, &s->figures[i]))
			fail(EX_FAILED,
			     "the module's figure \"%s\" makes no sense; do module and tool belong together? (kvmx info)",
			     s->figures[i].name);
	return s;
}

static struct schema *schema_known(const unsigned char *raw, size_t size,
				   const struct kvmx_note *notes,
				   unsigned int nr_notes)
{
	struct schema *s;

	for (s = schemas; s; s = s->next)
		if (s->raw_size == size && !memcmp(s->raw, raw, size) &&
		    s->nr_notes == nr_notes &&
		    (!nr_notes || !memcmp(s->notes, notes,
					  nr_notes * sizeof(*notes))))
			return s;
	return NULL;
}

/**
 * schema_read() - what a statistics fd has
 * @fd: the statistics fd
 *
 * Return: the schema, never to be freed; NULL if it cannot be read.
 */
const struct schema *schema_read(int fd)
{
	struct kvmx_note *notes = NULL;
	struct kvm_stats_header head;
	unsigned int nr_notes = 0;
	unsigned char *raw;
	struct schema *s;
	size_t size;

	if (!read_all(fd, &head, sizeof(head), 0) ||
	    head.num_desc > MAX_DESCS || head.name_size > MAX_NAME)
		return NULL;
	size = head.num_desc * (sizeof(struct kvm_stats_desc) + head.name_size);
	raw = xcalloc(1, sizeof(head) + size);
	memcpy(raw, &head, sizeof(head));
	if (!read_all(fd, raw + sizeof(head), size, head.desc_offset)) {
		free(raw);
		return NULL;
	}
	/* Without notes everything counts as exact, as KVM's own figures do. */
	device_notes(fd, &notes, &nr_notes);

	s = schema_known(raw, sizeof(head) + size, notes, nr_notes);
	if (s) {
		free(raw);
		free(notes);
		return s;
	}
	s = schema_parse(raw, sizeof(head) + size, &head);
	s->notes = notes;
	s->nr_notes = nr_notes;
	sort_figures(s);
	s->next = schemas;
	schemas = s;
	return s;
}

/* All values, by one pread(): what belongs together stays together. */
bool stats_read(int fd, const struct schema *schema, __u64 *data)
{
	return read_all(fd, data, schema->nr_values * sizeof(*data),
			schema->data_at);
}

const struct figure *schema_find(const struct schema *s, const char *name)
{
	unsigned int i;

	for (i = 0; i < s->nr_figures; i++)
		if (!strcmp(s->figures[i].name, name))
			return &s->figures[i];
	return NULL;
}

const char *label_name(__u32 label)
{
	static const char * const names[] = {
		[KVMX_LABEL_EXACT] = "exact",
		[KVMX_LABEL_LATE] = "late",
		[KVMX_LABEL_SAMPLED] = "sampled",
		[KVMX_LABEL_UNAVAILABLE] = "unavailable",
	};

	return label < ARRAY_SIZE(names) ? names[label] : "unknown";
}

const char *figure_label(const struct figure *f)
{
	return label_name(f->note ? f->note->label : KVMX_LABEL_EXACT);
}

const char *figure_type(const struct figure *f)
{
	switch (f->flags & KVM_STATS_TYPE_MASK) {
	case KVM_STATS_TYPE_CUMULATIVE:
		return "cumulative";
	case KVM_STATS_TYPE_INSTANT:
		return "instant";
	case KVM_STATS_TYPE_PEAK:
		return "peak";
	case KVM_STATS_TYPE_LINEAR_HIST:
		return "linear-histogram";
	case KVM_STATS_TYPE_LOG_HIST:
		return "log2-histogram";
	default:
		return "unknown";
	}
}

/* Is a difference of two readings of it something? */
bool figure_adds_up(const struct figure *f)
{
	__u32 type = f->flags & KVM_STATS_TYPE_MASK;

	return type == KVM_STATS_TYPE_CUMULATIVE ||
	       type == KVM_STATS_TYPE_LINEAR_HIST ||
	       type == KVM_STATS_TYPE_LOG_HIST;
}

void figure_unit(const struct figure *f, char *buf, size_t size)
{
	bool pow2 = (f->flags & KVM_STATS_BASE_MASK) == KVM_STATS_BASE_POW2;
	const char *unit = "unknown";

	switch (f->flags & KVM_STATS_UNIT_MASK) {
	case KVM_STATS_UNIT_NONE:
		unit = "none";
		break;
	case KVM_STATS_UNIT_BYTES:
		unit = "bytes";
		break;
	case KVM_STATS_UNIT_SECONDS:
		unit = "seconds";
		break;
	case KVM_STATS_UNIT_CYCLES:
		unit = "cycles";
		break;
	case KVM_STATS_UNIT_BOOLEAN:
		unit = "boolean";
		break;
	}
	if (f->exponent)
		snprintf(buf, size, "%d^%d %s", pow2 ? 2 : 10, f->exponent,
			 unit);
	else
		snprintf(buf, size, "%s", unit);
}
