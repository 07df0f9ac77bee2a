/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a thread of a VMM is for. Pure: the one table of names, compiled into
 * the module, the tool and the unit tests.
 */
#ifndef KVMX_CORE_CLASS_H
#define KVMX_CORE_CLASS_H

#include <linux/types.h>
#include <linux/kvmx_events.h>

/* What is known about a thread besides its name. */
#define KVMX_IS_VCPU		1	/* KVM says that it runs a vCPU */
#define KVMX_IS_FIRST		2	/* first thread of the process */
#define KVMX_IS_IO_WORKER	4	/* made by io_uring, in the kernel */
#define KVMX_IS_KTHREAD		8	/* a thread of the kernel */

__u32 kvmx_class_of(const char *name, unsigned int is);
const char *kvmx_class_name(__u32 thread_class);

#endif /* KVMX_CORE_CLASS_H */
