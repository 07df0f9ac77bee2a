/* SPDX-License-Identifier: GPL-2.0-only */
/* What a thread of a VMM is for, by its name. Pure. */
#ifndef KVMX_TOOL_THREAD_CLASS_H
#define KVMX_TOOL_THREAD_CLASS_H

#include <stdbool.h>

enum thread_class {
	THREAD_VCPU,
	THREAD_MAIN,
	THREAD_IO,
	THREAD_WORKER,
	THREAD_VHOST,
	THREAD_OTHER,
	NR_THREAD_CLASSES
};

enum thread_class thread_class(const char *name, bool first, bool vcpu);
const char *thread_class_name(enum thread_class class);

#endif /* KVMX_TOOL_THREAD_CLASS_H */
