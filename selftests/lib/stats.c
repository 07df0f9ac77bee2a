// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>

#include "die.h"
#include "kvmx.h"

#define DESC_HEAD	offsetof(struct kvm_stats_desc, name)

static void pread_all(int fd, void *to, size_t size, off_t at)
{
	ssize_t n = pread(fd, to, size, at);

	if (n < 0)
		die_errno("reading %zu bytes of statistics", size);
	if ((size_t)n != size)
		die("statistics end after %zd of %zu bytes", n, size);
}

/*
 * The sequence word that guards a figure: of all words called "seq", or
 * "PREFIX.seq" where PREFIX is the beginning of the figure's name up to a dot,
 * the one with the longest prefix.
 */
static int seq_of(const struct stats *s, const char *name)
{
	size_t len = strlen(name);
	unsigned int i;

	do {
		while (len && name[len - 1] != '.')
			len--;
		for (i = 0; i < s->nr; i++)
			if (!strncmp(s->desc[i].name, name, len) &&
			    !strcmp(s->desc[i].name + len, "seq"))
				return i;
	} while (len--);
	return -1;
}

static void parse_descs(struct stats *s)
{
	size_t stride = DESC_HEAD + s->head.name_size;
	unsigned int i;

	s->nr = s->head.num_desc;
	s->desc = calloc(s->nr, sizeof(*s->desc));
	if (!s->desc)
		die("out of memory");
	for (i = 0; i < s->nr; i++) {
		struct stat_desc *d = &s->desc[i];
		struct kvm_stats_desc raw;
		uint8_t *at = s->raw + s->head.desc_offset + i * stride;
		size_t end;

		memcpy(&raw, at, DESC_HEAD);
		d->name = (char *)at + DESC_HEAD;
		d->flags = raw.flags;
		d->exponent = raw.exponent;
		d->size = raw.size;
		d->offset = raw.offset;
		d->bucket_size = raw.bucket_size;
		end = d->offset + d->size * sizeof(uint64_t);
		if (end > s->size)
			s->size = end;
	}
	for (i = 0; i < s->nr; i++)
		s->desc[i].seq = seq_of(s, s->desc[i].name);
}

struct stats *stats_attach(int fd)
{
	struct stats *s = calloc(1, sizeof(*s));

	if (!s)
		die("out of memory");
	s->fd = fd;
	pread_all(fd, &s->head, sizeof(s->head), 0);
	if (s->head.data_offset > 16 << 20 || s->head.num_desc > 65536 ||
	    s->head.desc_offset + s->head.num_desc *
	    (DESC_HEAD + s->head.name_size) > s->head.data_offset)
		die("a header of statistics that makes no sense");
	s->raw = calloc(1, s->head.data_offset);
	if (!s->raw)
		die("out of memory");
	pread_all(fd, s->raw, s->head.data_offset, 0);
	s->id = (char *)s->raw + s->head.id_offset;
	parse_descs(s);
	s->data = calloc(1, s->size);
	if (!s->data)
		die("out of memory");
	stats_read(s);
	return s;
}

void stats_close(struct stats *s)
{
	if (!s)
		return;
	if (s->map)
		munmap((void *)s->map, s->map_size);
	close(s->fd);
	free(s->raw);
	free(s->desc);
	free(s->data);
	free(s);
}

void stats_read(struct stats *s)
{
	pread_all(s->fd, s->data, s->size, s->head.data_offset);
}

void stats_map(struct stats *s)
{
	s->map_size = (s->size + 4095) & ~4095UL;
	s->map = mmap(NULL, s->map_size, PROT_READ, MAP_SHARED, s->fd,
		      s->head.data_offset);
	if (s->map == MAP_FAILED)
		die_errno("mmap of statistics");
}

static uint64_t load(const uint8_t *at)
{
	return __atomic_load_n((const uint64_t *)at, __ATOMIC_ACQUIRE);
}

static void copy_guarded(struct stats *s, unsigned int from, unsigned int to)
{
	uint32_t seq = s->desc[from].seq >= 0 ?
		       s->desc[s->desc[from].seq].offset : 0;
	unsigned int i, k;
	uint64_t before;

	for (;;) {
		before = load(s->map + seq);
		if (!(before & 1)) {
			for (i = from; i < to; i++)
				for (k = 0; k < s->desc[i].size; k++) {
					size_t at = s->desc[i].offset + k * 8;
					uint64_t v = load(s->map + at);

					memcpy(s->data + at, &v, 8);
				}
			if (load(s->map + seq) == before)
				return;
		}
		s->retries++;
	}
}

/* Length of the unit that a figure belongs to: of an exit's, its reason. */
static size_t unit_of(const char *name)
{
	return strncmp(name, "exit.", 5) ? 0 : strrchr(name, '.') - name;
}

static bool same_unit(const struct stat_desc *a, const struct stat_desc *b)
{
	size_t len = unit_of(a->name);

	return a->seq == b->seq && unit_of(b->name) == len &&
	       !strncmp(a->name, b->name, len);
}

/*
 * Figures of one unit stand next to each other, but that is not relied on. Small
 * ones, so that a busy writer leaves time for a copy.
 */
void stats_read_map(struct stats *s)
{
	unsigned int from = 0, to;

	while (from < s->nr) {
		int seq = s->desc[from].seq;

		if (seq < 0)
			die("%s has no sequence word", s->desc[from].name);
		to = from;
		while (to < s->nr && same_unit(&s->desc[from], &s->desc[to]))
			to++;
		if (to < s->nr && strncmp(s->desc[to].name, "exit.", 5) &&
		    !strncmp(s->desc[from].name, "exit.", 5))
			die("figures of the block behind those of exits");
		copy_guarded(s, from, to);
		from = to;
	}
}

const struct stat_desc *stats_find(const struct stats *s, const char *name)
{
	unsigned int i;

	for (i = 0; i < s->nr; i++)
		if (!strcmp(s->desc[i].name, name))
			return &s->desc[i];
	return NULL;
}

const uint64_t *stats_values(const struct stats *s, const struct stat_desc *d)
{
	return (const uint64_t *)(s->data + d->offset);
}

uint64_t stats_get(const struct stats *s, const char *name)
{
	const struct stat_desc *d = stats_find(s, name);

	if (!d)
		die("no figure %s", name);
	return stats_values(s, d)[0];
}

uint64_t stats_exit(const struct stats *s, const char *reason, const char *what)
{
	char name[128];

	snprintf(name, sizeof(name), "exit.%s.%s", reason, what);
	return stats_get(s, name);
}

static uint64_t sum_of(const struct stats *s, const char *prefix,
		       const char *suffix)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < s->nr; i++) {
		const char *name = s->desc[i].name;
		size_t len = strlen(name), end = strlen(suffix);

		if (!strncmp(name, prefix, strlen(prefix)) && len >= end &&
		    !strcmp(name + len - end, suffix))
			sum += stats_values(s, &s->desc[i])[0];
	}
	return sum;
}

uint64_t stats_sum(const struct stats *s, const char *what)
{
	char suffix[64];

	snprintf(suffix, sizeof(suffix), ".%s", what);
	return sum_of(s, "exit.", suffix);
}

uint64_t stats_time(const struct stats *s)
{
	return sum_of(s, "time.", "");
}

/*
 * KVM counts an exit wherever the guest was left: with a tracepoint (a reason),
 * without one (6.1's SVM fastpath).
 */
uint64_t stats_exits(const struct stats *s)
{
	return stats_sum(s, "count") + stats_get(s, "entries_without_exit") +
	       stats_get(s, "exits_without_entry");
}

bool stats_exits_agree(struct stats *s, struct stats *exits)
{
	int i;

	for (i = 0; i < 100; i++) {
		stats_read(s);
		stats_read(exits);
		if (stats_exits(s) == stats_get(exits, "exits"))
			return true;
		usleep(10000);
	}
	return false;
}
