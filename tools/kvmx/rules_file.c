// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "rules_file.h"
#include "util.h"

/* A name of 255 bytes and what inotify puts in front of it. */
#define ROOM	(16 * (sizeof(struct inotify_event) + 256))

/* Where a configuration is a link that is set anew as a whole. */
#define LINKED	"..data"

/* NULL, with errno set: it cannot be read. */
static char *read_all(const char *path)
{
	FILE *f = fopen(path, "re");
	size_t size = 0;
	char *text = NULL;
	int err;

	if (!f)
		return NULL;
	/* There are no zeroes in a text: all of it, up to its end. */
	errno = 0;
	if (getdelim(&text, &size, '\0', f) < 0) {
		err = errno;
		free(text);
		text = err ? NULL : xasprintf("%s", "");
	}
	err = errno;
	fclose(f);
	errno = err;
	return text;
}

/**
 * rules_file_open() - read a file, and watch it
 * @f: filled in
 * @path: the file
 *
 * Watched is its folder: editors put a new file in the place of the old one.
 * Where that does not work, the tool ends here.
 */
void rules_file_open(struct rules_file *f, const char *path)
{
	char *copy = xasprintf("%s", path);
	const char *slash = strrchr(path, '/');

	f->path = path;
	f->folder = dirname(copy);
	f->name = slash ? slash + 1 : path;
	f->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (f->fd < 0 ||
	    inotify_add_watch(f->fd, f->folder,
			      IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE) < 0)
		fail(EX_FAILED, "cannot watch the folder of %s: %s", path,
		     strerror(errno));
	f->text = read_all(path);
	if (!f->text)
		fail(EX_FAILED, "cannot read %s: %s", path, strerror(errno));
}

/* A new name of something that was there before, complete. */
static bool is_link(const struct rules_file *f, const char *name)
{
	char *path = xasprintf("%s/%s", f->folder, name);
	struct stat st;
	bool link = !lstat(path, &st) &&
		    (S_ISLNK(st.st_mode) || st.st_nlink > 1);

	free(path);
	return link;
}

static bool is_ours(const struct rules_file *f, const struct inotify_event *e)
{
	if (e->mask & IN_Q_OVERFLOW)
		return true;
	if (!e->len || (strcmp(e->name, f->name) && strcmp(e->name, LINKED)))
		return false;
	/* A file that was just made is empty: its writer closes it when it is not. */
	return !(e->mask & IN_CREATE) || is_link(f, e->name);
}

static bool told(struct rules_file *f)
{
	union {
		struct inotify_event align;
		char room[ROOM];
	} buf;
	bool ours = false;
	ssize_t n, at;

	while ((n = read(f->fd, &buf, sizeof(buf))) > 0) {
		for (at = 0; at < n;) {
			const struct inotify_event *e =
				(const void *)(buf.room + at);

			ours = ours || is_ours(f, e);
			at += (ssize_t)(sizeof(*e) + e->len);
		}
	}
	return ours;
}

/**
 * rules_file_changed() - when its fd can be read
 * @f: the file; its new text is in it
 *
 * Return: false if it says the same as before, or cannot be read: what was read
 * before stays.
 */
bool rules_file_changed(struct rules_file *f)
{
	char *text;

	if (!told(f))
		return false;
	text = read_all(f->path);
	if (!text) {
		complain("cannot read %s: %s: its rules stay as they were",
			 f->path, strerror(errno));
		return false;
	}
	if (!strcmp(text, f->text)) {
		free(text);
		return false;
	}
	free(f->text);
	f->text = text;
	return true;
}
