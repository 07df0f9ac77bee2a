// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "die.h"
#include "kvmx.h"

#define DESC_HEAD	offsetof(struct kvm_stats_desc, name)
/* More than anybody has. */
#define FILE_MAX	(16U << 20)

struct piece {
	uint64_t from, to;
	const char *name;
};

__attribute__((format(printf, 2, 3)))
static bool wrong(char *why, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, STATS_WHY, fmt, args);
	va_end(args);
	return false;
}

static bool head_ok(int fd, struct kvm_stats_header *h, char *why)
{
	uint64_t descs;

	if (pread(fd, h, sizeof(*h), 0) != sizeof(*h))
		return wrong(why, "no header");
	if (h->flags)
		return wrong(why, "flags %#x", h->flags);
	if (!h->name_size || h->name_size > 4096)
		return wrong(why, "name_size %u", h->name_size);
	if (!h->num_desc || h->num_desc > 65536)
		return wrong(why, "num_desc %u", h->num_desc);
	descs = (uint64_t)h->num_desc * (DESC_HEAD + h->name_size);
	if (h->id_offset < sizeof(*h) ||
	    h->id_offset + (uint64_t)h->name_size > h->desc_offset)
		return wrong(why, "id string at %u", h->id_offset);
	if (h->desc_offset % 8 || h->desc_offset + descs > h->data_offset ||
	    h->data_offset % 8 || h->data_offset > FILE_MAX)
		return wrong(why, "descriptors at %u, data at %u",
			     h->desc_offset, h->data_offset);
	return true;
}

static bool string_ok(const char *s, size_t size)
{
	return *s && memchr(s, 0, size);
}

static bool flags_ok(const struct kvm_stats_desc *d)
{
	uint32_t type = d->flags & KVM_STATS_TYPE_MASK;
	uint32_t unit = d->flags & KVM_STATS_UNIT_MASK;
	uint32_t base = d->flags & KVM_STATS_BASE_MASK;

	return type <= KVM_STATS_TYPE_MAX && unit <= KVM_STATS_UNIT_MAX &&
	       base <= KVM_STATS_BASE_MAX &&
	       d->flags == (type | unit | base);
}

static bool sizes_ok(const struct kvm_stats_desc *d)
{
	switch (d->flags & KVM_STATS_TYPE_MASK) {
	case KVM_STATS_TYPE_LINEAR_HIST:
		return d->size && d->bucket_size;
	case KVM_STATS_TYPE_LOG_HIST:
		return d->size;
	default:
		return d->size == 1;
	}
}

static int by_place(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;

	return x->from < y->from ? -1 : x->from > y->from;
}

static int by_name(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static bool pieces_ok(struct piece *p, unsigned int nr, char *why)
{
	unsigned int i;

	qsort(p, nr, sizeof(*p), by_place);
	for (i = 1; i < nr; i++)
		if (p[i].from < p[i - 1].to)
			return wrong(why, "%s lies on %s", p[i].name,
				     p[i - 1].name);
	qsort(p, nr, sizeof(*p), by_name);
	for (i = 1; i < nr; i++)
		if (!strcmp(p[i].name, p[i - 1].name))
			return wrong(why, "two figures %s", p[i].name);
	return true;
}

static bool descs_ok(const uint8_t *file, const struct kvm_stats_header *h,
		     struct piece *p, uint64_t *size, char *why)
{
	const uint8_t *at = file + h->desc_offset;
	unsigned int i;

	*size = 0;
	for (i = 0; i < h->num_desc; i++, at += DESC_HEAD + h->name_size) {
		const char *name = (const char *)at + DESC_HEAD;
		struct kvm_stats_desc d;

		memcpy(&d, at, DESC_HEAD);
		if (!string_ok(name, h->name_size))
			return wrong(why, "name of descriptor %u", i);
		if (!flags_ok(&d))
			return wrong(why, "%s has flags %#x", name, d.flags);
		if (!sizes_ok(&d))
			return wrong(why, "%s has size %u, bucket %u", name,
				     d.size, d.bucket_size);
		if (d.offset % 8)
			return wrong(why, "%s at %u", name, d.offset);
		p[i] = (struct piece){
			d.offset, d.offset + d.size * 8ULL, name
		};
		if (p[i].to > *size)
			*size = p[i].to;
	}
	return pieces_ok(p, h->num_desc, why);
}

/* All the data that the descriptors promise is there, and can be read. */
static bool data_ok(int fd, const struct kvm_stats_header *h, uint64_t size,
		    char *why)
{
	uint8_t *data;
	ssize_t n;

	if (size > FILE_MAX)
		return wrong(why, "%lu bytes of data", (unsigned long)size);
	data = malloc(size);
	if (!data)
		die("out of memory");
	n = pread(fd, data, size, h->data_offset);
	free(data);
	if (n != (ssize_t)size)
		return wrong(why, "%zd of %lu bytes of data", n,
			     (unsigned long)size);
	return true;
}

bool stats_format_ok(int fd, char *why)
{
	struct kvm_stats_header h;
	struct piece *pieces;
	uint8_t *file;
	uint64_t size;
	bool ok;

	if (!head_ok(fd, &h, why))
		return false;
	file = calloc(1, h.data_offset);
	pieces = calloc(h.num_desc, sizeof(*pieces));
	if (!file || !pieces)
		die("out of memory");
	/* KVM's own fds end a read at each part: header, id, descriptors. */
	ok = pread(fd, file, h.data_offset, 0) > 0 &&
	     pread(fd, file + h.id_offset, h.name_size, h.id_offset) ==
	     h.name_size &&
	     pread(fd, file + h.desc_offset,
		   h.num_desc * (DESC_HEAD + h.name_size), h.desc_offset) ==
	     (ssize_t)(h.num_desc * (DESC_HEAD + h.name_size));
	if (!ok)
		wrong(why, "id string or descriptors cannot be read");
	else if (!string_ok((char *)file + h.id_offset, h.name_size))
		ok = wrong(why, "id string");
	else
		ok = descs_ok(file, &h, pieces, &size, why) &&
		     data_ok(fd, &h, size, why);
	free(pieces);
	free(file);
	return ok;
}
