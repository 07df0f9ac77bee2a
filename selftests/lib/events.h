/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trace events in an instance of tracefs of their own, so that nobody else's
 * tracing is in the way.
 */
#ifndef KVMX_LIB_EVENTS_H
#define KVMX_LIB_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#define EVENTS_ROOT	"/sys/kernel/tracing"

/* There is tracefs, and it has events of kvmx. */
bool events_here(void);

/* An instance; both end the program where they fail. */
void events_begin(const char *instance);
void events_end(const char *instance);

/* A file of tracefs, below EVENTS_ROOT: 0 or the errno. */
int events_write(const char *text, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Its first bytes; false where it cannot be read. */
bool events_read(char *buf, unsigned int size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

int events_enable(const char *instance, const char *event, const char *value);
/* While an event is enabled its VMs are counted: from a moment after that on. */
bool events_counted(int node, int vm_fd);
/* Waits until it is so, and whoever switched it is through; false after 10 s. */
bool events_soon_counted(int node, int vm_fd, bool counted);

/*
 * What an instance recorded of one event and one VM, in order, up to @room; @vm 0
 * is any. Returns the number of all.
 */
struct event {
	char text[256];		/* from the first field on */
};

unsigned int events_get(const char *instance, const char *name, uint64_t vm,
			struct event *to, unsigned int room);
/* A field, "key=value": as a number, and as text. Missing ones end the program. */
uint64_t event_num(const struct event *e, const char *key);
const char *event_str(const struct event *e, const char *key);

#endif /* KVMX_LIB_EVENTS_H */
