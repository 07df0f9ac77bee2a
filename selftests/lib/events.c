// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "die.h"
#include "events.h"
#include "host.h"
#include "kvmx.h"

static void path_of(char *path, const char *fmt, va_list args)
{
	int n = snprintf(path, 256, "%s/", EVENTS_ROOT);

	vsnprintf(path + n, 256 - n, fmt, args);
}

bool events_here(void)
{
	return !access(EVENTS_ROOT "/events/kvmx/enable", F_OK);
}

void events_begin(const char *instance)
{
	char path[256];

	snprintf(path, sizeof(path), EVENTS_ROOT "/instances/%s", instance);
	if (mkdir(path, 0700))
		die_errno("%s", path);
	/* In KB, for each CPU: nothing that a test records is lost. */
	if (events_write("2048", "instances/%s/buffer_size_kb", instance))
		die_errno("the size of the buffer");
}

void events_end(const char *instance)
{
	char path[256];

	snprintf(path, sizeof(path), EVENTS_ROOT "/instances/%s", instance);
	if (rmdir(path))
		die_errno("%s", path);
}

int events_write(const char *text, const char *fmt, ...)
{
	ssize_t len = strlen(text), n;
	char path[256];
	va_list args;
	int fd, err;

	va_start(args, fmt);
	path_of(path, fmt, args);
	va_end(args);
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0)
		return errno;
	n = write(fd, text, len);
	err = n == len ? 0 : n < 0 ? errno : EIO;
	close(fd);
	return err;
}

bool events_read(char *buf, unsigned int size, const char *fmt, ...)
{
	unsigned int at = 0;
	char path[256];
	va_list args;
	ssize_t n;
	int fd;

	va_start(args, fmt);
	path_of(path, fmt, args);
	va_end(args);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	while (at < size - 1 && (n = read(fd, buf + at, size - 1 - at)) > 0)
		at += n;
	buf[at] = '\0';
	close(fd);
	return true;
}

int events_enable(const char *instance, const char *event, const char *value)
{
	return events_write(value, "instances/%s/events/kvmx/%s/enable", instance,
			    event);
}

bool events_counted(int node, int vm_fd)
{
	int fd = kvmx_vm_by_fd(node, vm_fd);
	struct kvmx_vm_info info;

	if (kvmx_vm_info(fd, &info))
		die_errno("KVMX_VM_INFO");
	close(fd);
	return info.state & KVMX_VM_COUNTING;
}

bool events_soon_counted(int node, int vm_fd, bool counted)
{
	unsigned int i;
	int fd;

	for (i = 0; events_counted(node, vm_fd) != counted; i++) {
		if (i == 10000 * patience())
			return false;
		usleep(1000);
	}
	/* Only one at a time opens, closes or switches. */
	fd = kvmx_vm_by_fd(node, vm_fd);
	stats_close(kvmx_stats(fd, 0));
	close(fd);
	return true;
}

unsigned int events_get(const char *instance, const char *name, uint64_t vm,
			struct event *to, unsigned int room)
{
	char path[256], line[1024], what[64];
	unsigned int nr = 0;
	FILE *f;

	snprintf(path, sizeof(path), EVENTS_ROOT "/instances/%s/trace", instance);
	snprintf(what, sizeof(what), " %s: ", name);
	f = fopen(path, "re");
	if (!f)
		die_errno("%s", path);
	while (fgets(line, sizeof(line), f)) {
		char *at = line[0] == '#' ? NULL : strstr(line, what);
		struct event e;

		if (!at)
			continue;
		at[strcspn(at, "\n")] = '\0';
		snprintf(e.text, sizeof(e.text), "%s", at + strlen(what));
		if (vm && event_num(&e, "vm") != vm)
			continue;
		if (nr < room)
			to[nr] = e;
		nr++;
	}
	fclose(f);
	return nr;
}

const char *event_str(const struct event *e, const char *key)
{
	static char value[64];
	const char *at = e->text;
	size_t len = strlen(key);

	for (; *at; at += strcspn(at, " "), at += strspn(at, " "))
		if (!strncmp(at, key, len) && at[len] == '=')
			break;
	if (!*at)
		die("no %s in \"%s\"", key, e->text);
	at += len + 1;
	snprintf(value, sizeof(value), "%.*s", (int)strcspn(at, " "), at);
	return value;
}

uint64_t event_num(const struct event *e, const char *key)
{
	return strtoull(event_str(e, key), NULL, 0);
}
