/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hints of a program to the host, through kvmx_guest.ko. All of it is here:
 * nothing to link.
 *
 *	static struct kvmx_hint_file file;		one for all threads
 *	struct kvmx_hint hint;				one per thread
 *
 *	kvmx_hint_open(&file);
 *	kvmx_hint_join(&file, &hint);			in the thread itself
 *	kvmx_hint_begin(&hint, KVMX_KIND_CRITICAL);
 *	...						better not taken off now
 *	kvmx_hint_end(&hint);
 *
 * Where there is no kvmx, join says why and hints go nowhere; begin and end may
 * be called all the same. They are a few instructions, without a system call.
 */
#ifndef KVMX_HINT_H
#define KVMX_HINT_H

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/kvmx_user.h>

struct kvmx_hint_file {
	int fd;
	char *map;
};

struct kvmx_hint {
	volatile struct kvmx_user_word *word;
	struct kvmx_user_word nowhere;
	int fd;
};

/* Return: 0, or a negative errno. */
static inline int kvmx_hint_open(struct kvmx_hint_file *file)
{
	void *map;
	int err;

	file->map = NULL;
	file->fd = open(KVMX_USER_DEVICE, O_RDWR | O_CLOEXEC);
	if (file->fd < 0)
		return -errno;
	map = mmap(NULL, KVMX_USER_MAP_SIZE, PROT_READ | PROT_WRITE,
		   MAP_SHARED, file->fd, 0);
	if (map == MAP_FAILED) {
		err = -errno;
		close(file->fd);
		file->fd = -1;
		return err;
	}
	file->map = (char *)map;
	return 0;
}

/* All threads have left, or are not going to hint any more. */
static inline void kvmx_hint_close(struct kvmx_hint_file *file)
{
	if (file->map)
		munmap(file->map, KVMX_USER_MAP_SIZE);
	if (file->fd >= 0)
		close(file->fd);
	file->map = NULL;
	file->fd = -1;
}

/*
 * A word for the thread that calls. @hint must not move: it is where hints go if
 * there is none. Return: 0, or a negative errno.
 */
static inline int kvmx_hint_join(const struct kvmx_hint_file *file,
				 struct kvmx_hint *hint)
{
	struct kvmx_user_join req;

	memset(hint, 0, sizeof(*hint));
	memset(&req, 0, sizeof(req));
	hint->word = &hint->nowhere;
	hint->fd = -1;
	if (!file->map)
		return -ENODEV;
	req.size = sizeof(req);
	if (ioctl(file->fd, KVMX_USER_JOIN, &req))
		return -errno;
	hint->fd = file->fd;
	hint->word = (struct kvmx_user_word *)(file->map + req.offset);
	return 0;
}

/* In the thread that joined. */
static inline void kvmx_hint_leave(struct kvmx_hint *hint)
{
	if (hint->fd >= 0)
		ioctl(hint->fd, KVMX_USER_LEAVE);
	hint->fd = -1;
	hint->word = &hint->nowhere;
}

/* Sections may lie in each other: the outermost one's kind is what is said. */
static inline void kvmx_hint_begin(struct kvmx_hint *hint, __u32 kind)
{
	volatile struct kvmx_user_word *word = hint->word;
	__u32 now = word->hint;

	if (now) {
		word->hint = now + KVMX_HINT_WORD(0, 1, 0);
		return;
	}
	word->hint = KVMX_HINT_WORD(kind, 1, 0);
	word->seq = word->seq + 1;
}

static inline void kvmx_hint_end(struct kvmx_hint *hint)
{
	volatile struct kvmx_user_word *word = hint->word;
	__u32 now = word->hint - KVMX_HINT_WORD(0, 1, 0);

	word->hint = KVMX_HINT_NESTING(now) ? now : 0;
}

/*
 * The same by a hypercall, for sections of @length_us that are worth an exit: the
 * host acts at once, if it wants to. Kind none ends it. Return: 0, or a negative
 * errno.
 */
static inline int kvmx_hint_call(struct kvmx_hint *hint, __u32 kind,
				 __u32 length_us)
{
	struct kvmx_user_hint req;

	if (hint->fd < 0)
		return -ENODEV;
	memset(&req, 0, sizeof(req));
	req.size = sizeof(req);
	req.flags = KVMX_USER_CALL;
	req.hint = kind ? KVMX_HINT_WORD(kind, 1, 0) : 0;
	req.length_us = length_us;
	return ioctl(hint->fd, KVMX_USER_HINT, &req) ? -errno : 0;
}

#endif /* KVMX_HINT_H */
