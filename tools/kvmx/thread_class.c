// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "thread_class.h"
#include "util.h"

/*
 * Beginnings of names, as VMMs give them: QEMU (also under libvirt, with
 * debug-threads=on), cloud-hypervisor, Firecracker, and the kernel.
 */
static const struct {
	const char *begin;
	enum thread_class class;
} names[] = {
	{ "vhost-", THREAD_VHOST },
	{ "IO ", THREAD_IO },			/* QEMU: IO iothread1 */
	{ "_disk", THREAD_IO },			/* cloud-hypervisor */
	{ "_net", THREAD_IO },
	{ "_fs", THREAD_IO },
	{ "_pmem", THREAD_IO },
	{ "_vsock", THREAD_IO },
	{ "_console", THREAD_IO },
	{ "_rng", THREAD_IO },
	{ "worker", THREAD_WORKER },		/* QEMU's pool */
	{ "iou-wrk-", THREAD_WORKER },		/* io_uring */
	{ "iou-sqp-", THREAD_WORKER },
};

/**
 * thread_class() - what a thread is for
 * @name: what it is called
 * @first: it is the first thread of the VMM's process
 * @vcpu: KVM says that it runs a vCPU
 *
 * Return: its class; what a name does not tell is THREAD_OTHER.
 */
enum thread_class thread_class(const char *name, bool first, bool vcpu)
{
	unsigned int i;

	if (vcpu)
		return THREAD_VCPU;
	if (first)
		return THREAD_MAIN;
	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (!strncmp(name, names[i].begin, strlen(names[i].begin)))
			return names[i].class;
	return THREAD_OTHER;
}

const char *thread_class_name(enum thread_class class)
{
	static const char * const class_names[NR_THREAD_CLASSES] = {
		[THREAD_VCPU] = "vcpu",
		[THREAD_MAIN] = "main",
		[THREAD_IO] = "io",
		[THREAD_WORKER] = "worker",
		[THREAD_VHOST] = "vhost",
		[THREAD_OTHER] = "other",
	};

	return class_names[class];
}
