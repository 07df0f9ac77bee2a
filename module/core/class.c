// SPDX-License-Identifier: GPL-2.0-only
#include "core/class.h"

/*
 * Beginnings of names, as VMMs give them: QEMU (also under libvirt, with
 * debug-threads=on), cloud-hypervisor, Firecracker, and the kernel.
 */
static const struct {
	const char *begin;
	__u32 thread_class;
} names[] = {
	{ "vhost-", KVMX_THREAD_VHOST },
	{ "IO ", KVMX_THREAD_IO },		/* QEMU: IO iothread1 */
	{ "_disk", KVMX_THREAD_IO },		/* cloud-hypervisor */
	{ "_net", KVMX_THREAD_IO },
	{ "_fs", KVMX_THREAD_IO },
	{ "_pmem", KVMX_THREAD_IO },
	{ "_vsock", KVMX_THREAD_IO },
	{ "_console", KVMX_THREAD_IO },
	{ "_rng", KVMX_THREAD_IO },
	{ "worker", KVMX_THREAD_WORKER },	/* QEMU's pool */
	{ "iou-wrk-", KVMX_THREAD_WORKER },	/* io_uring */
	{ "iou-sqp-", KVMX_THREAD_WORKER },
	{ "", KVMX_THREAD_OTHER },		/* what nothing tells */
};

static int begins(const char *name, const char *begin)
{
	while (*begin)
		if (*name++ != *begin++)
			return 0;
	return 1;
}

/**
 * kvmx_class_of() - what a thread is for
 * @name: what it is called
 * @is: KVMX_IS_*: what else is known
 *
 * A new thread has its parent's name until it is given one, and so its parent's
 * class; but it is neither the first, nor does it run a vCPU: a child of such a
 * one is OTHER, which is placed as the emulator.
 *
 * Context: any.
 * Return: KVMX_THREAD_*; OTHER is what nothing tells.
 */
__u32 kvmx_class_of(const char *name, unsigned int is)
{
	unsigned int i = 0;

	if (is & KVMX_IS_VCPU)
		return KVMX_THREAD_VCPU;
	if (is & KVMX_IS_FIRST)
		return KVMX_THREAD_MAIN;
	if (is & KVMX_IS_IO_WORKER)
		return KVMX_THREAD_WORKER;
	while (!begins(name, names[i].begin))
		i++;
	/* The kernel does none of the VMM's work but for vhost. */
	if (is & KVMX_IS_KTHREAD && names[i].thread_class != KVMX_THREAD_VHOST)
		return KVMX_THREAD_OTHER;
	return names[i].thread_class;
}

/**
 * kvmx_class_name() - a word for a class
 * @thread_class: KVMX_THREAD_*
 *
 * Context: any.
 * Return: the word, as tool and trace events print it.
 */
const char *kvmx_class_name(__u32 thread_class)
{
	static const char * const class_names[KVMX_NR_THREAD_CLASSES] = {
		[KVMX_THREAD_VCPU] = "vcpu",
		[KVMX_THREAD_MAIN] = "main",
		[KVMX_THREAD_IO] = "io",
		[KVMX_THREAD_WORKER] = "worker",
		[KVMX_THREAD_VHOST] = "vhost",
		[KVMX_THREAD_OTHER] = "other",
	};

	return thread_class < KVMX_NR_THREAD_CLASSES ?
	       class_names[thread_class] : "?";
}
