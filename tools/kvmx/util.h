/* SPDX-License-Identifier: GPL-2.0-only */
/* What every part of the tool needs: exit statuses, complaints, memory, numbers. */
#ifndef KVMX_TOOL_UTIL_H
#define KVMX_TOOL_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

/* Exit statuses; kvmx.1 documents them. */
enum {
	EX_DONE = 0,
	EX_FAILED = 1,		/* something went wrong while running */
	EX_USAGE = 2,		/* the command line makes no sense */
	EX_NO_MODULE = 3,	/* the module is not loaded */
	EX_OTHER_ABI = 4,	/* the module speaks another ABI */
	EX_DENIED = 5,		/* no permission */
	EX_NO_VM = 6,		/* no such VM or vCPU, or no VM at all */
	EX_AMBIGUOUS = 7,	/* a process with several VMs */
	EX_REFUSED = 8,		/* a plan that cannot be carried out whole */
	EX_BUSY = 9,		/* somebody else has placed this VM */
	EX_NOT_EXECUTABLE = 126,
	EX_NOT_FOUND = 127,
	EX_SIGNAL = 128,	/* plus the number of the signal */
};

/* As the kernel has them. */
#define __printf(a, b) __attribute((format(printf, a, b)))
#define __noreturn __attribute((noreturn))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

__printf(1, 2)
void complain(const char *fmt, ...);
__printf(2, 3) __noreturn
void fail(int status, const char *fmt, ...);
__printf(2, 3) __noreturn
void usage_fail(const char *cmd, const char *fmt, ...);

void *xcalloc(size_t nr, size_t size);
void *xrealloc(void *p, size_t nr, size_t size);
__printf(1, 2)
char *xasprintf(const char *fmt, ...);

bool parse_u64(const char *s, __u64 max, __u64 *value);
bool parse_seconds(const char *s, __u64 *ns);

#endif /* KVMX_TOOL_UTIL_H */
