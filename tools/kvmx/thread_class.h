/* SPDX-License-Identifier: GPL-2.0-only */
/* What a thread of a VMM is for: the module's own table, in the tool's words. */
#ifndef KVMX_TOOL_THREAD_CLASS_H
#define KVMX_TOOL_THREAD_CLASS_H

#include <stdbool.h>
#include <linux/kvmx_events.h>

#include "core/class.h"

enum thread_class {
	THREAD_VCPU = KVMX_THREAD_VCPU,
	THREAD_MAIN = KVMX_THREAD_MAIN,
	THREAD_IO = KVMX_THREAD_IO,
	THREAD_WORKER = KVMX_THREAD_WORKER,
	THREAD_VHOST = KVMX_THREAD_VHOST,
	THREAD_OTHER = KVMX_THREAD_OTHER,
	NR_THREAD_CLASSES = KVMX_NR_THREAD_CLASSES
};

/**
 * thread_class() - what a thread is for
 * @name: what it is called
 * @first: it is the first thread of the VMM's process
 * @vcpu: KVM says that it runs a vCPU
 *
 * Return: its class; what a name does not tell is THREAD_OTHER.
 */
static inline enum thread_class thread_class(const char *name, bool first,
					     bool vcpu)
{
	return kvmx_class_of(name, (first ? KVMX_IS_FIRST : 0) |
				   (vcpu ? KVMX_IS_VCPU : 0));
}

static inline const char *thread_class_name(enum thread_class class)
{
	return kvmx_class_name(class);
}

#endif /* KVMX_TOOL_THREAD_CLASS_H */
