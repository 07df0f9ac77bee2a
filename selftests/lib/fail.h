/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lets the n-th allocation of this thread fail: the kernel's fault injection,
 * failslab and fail_page_alloc, by /proc/thread-self/fail-nth.
 */
#ifndef KVMX_LIB_FAIL_H
#define KVMX_LIB_FAIL_H

#include <stdbool.h>

/* NULL, or why it cannot be done here. */
const char *fail_unavailable(void);
/* Settings of the kernel; fail_end() puts back what was there. */
void fail_begin(void);
void fail_end(void);

/* Arming and disarming of kprobes is spared, for the kernel would warn. */
enum fail_where {
	FAIL_ANYWHERE,		/* in the system call */
	FAIL_IN_MODULE,		/* in code of the module, or called by it */
	FAIL_IN_INIT,		/* in a module's init function, or called by it */
};

/* Which module that is; kvmx, unless said. */
void fail_module(const char *name);
/* False where the kernel cannot tell: without its stack trace filter. */
bool fail_only(enum fail_where where);

void fail_arm(unsigned int n);
/* True if the n-th allocation was reached, and failed. Nothing fails any more. */
bool fail_disarm(void);

#endif /* KVMX_LIB_FAIL_H */
