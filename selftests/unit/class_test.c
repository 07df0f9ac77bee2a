// SPDX-License-Identifier: GPL-2.0-only
/* What threads are for, by what is known of them. */
#include <stdbool.h>
#include <string.h>

#include "core/class.h"
#include "tap.h"

static bool is(const char *name, unsigned int what, __u32 class)
{
	return kvmx_class_of(name, what) == class;
}

static void known_by_others_than_names(void)
{
	ok(is("CPU 0/KVM", KVMX_IS_VCPU, KVMX_THREAD_VCPU) &&
	   is("worker", KVMX_IS_VCPU, KVMX_THREAD_VCPU) &&
	   is("x", KVMX_IS_VCPU | KVMX_IS_FIRST, KVMX_THREAD_VCPU),
	   "who runs a vCPU is known from KVM, whatever it is called");
	ok(is("qemu-system-x86", KVMX_IS_FIRST, KVMX_THREAD_MAIN) &&
	   is("worker", KVMX_IS_FIRST, KVMX_THREAD_MAIN),
	   "the first thread is the main one, whatever it is called");
	ok(is("qemu-system-x86", KVMX_IS_IO_WORKER, KVMX_THREAD_WORKER) &&
	   is("IO iothread1", KVMX_IS_IO_WORKER, KVMX_THREAD_WORKER),
	   "io_uring's threads are workers before they have a name");
}

static void known_by_name(void)
{
	static const char * const io[] = {
		"IO iothread1", "IO x", "_disk0_q0", "_net1_qp0", "_fs0",
		"_pmem0", "_vsock", "_console", "_rng",
	};
	static const char * const worker[] = {
		"worker", "worker-7", "iou-wrk-77", "iou-sqp-77",
	};
	static const char * const other[] = {
		"", "CPU 0/KVM", "qemu-system-x86", "IO", "iou-", "work", "_",
		"vhost", "vhost_", "my worker", " IO x", "VHOST-1", "call_rcu",
	};
	bool all = true;
	size_t i;

	for (i = 0; i < sizeof(io) / sizeof(*io); i++)
		all = all && is(io[i], 0, KVMX_THREAD_IO);
	ok(all, "I/O threads of QEMU and of cloud-hypervisor");
	all = true;
	for (i = 0; i < sizeof(worker) / sizeof(*worker); i++)
		all = all && is(worker[i], 0, KVMX_THREAD_WORKER);
	ok(all, "workers of QEMU and of io_uring");
	ok(is("vhost-4711", 0, KVMX_THREAD_VHOST), "vhost, as a thread of the VMM");
	all = true;
	for (i = 0; i < sizeof(other) / sizeof(*other); i++)
		all = all && is(other[i], 0, KVMX_THREAD_OTHER);
	ok(all, "what a name does not tell is other");
}

static void kernel_threads(void)
{
	ok(is("vhost-4711", KVMX_IS_KTHREAD, KVMX_THREAD_VHOST),
	   "vhost, as a thread of the kernel");
	ok(is("worker", KVMX_IS_KTHREAD, KVMX_THREAD_OTHER) &&
	   is("kvm-pit/1", KVMX_IS_KTHREAD, KVMX_THREAD_OTHER),
	   "no other thread of the kernel is one of the VMM's");
}

static void words(void)
{
	bool all = true;
	__u32 a, b;

	for (a = 0; a < KVMX_NR_THREAD_CLASSES; a++)
		for (b = 0; b < a; b++)
			all = all && strcmp(kvmx_class_name(a),
					    kvmx_class_name(b));
	ok(all && !strcmp(kvmx_class_name(KVMX_THREAD_VCPU), "vcpu") &&
	   !strcmp(kvmx_class_name(KVMX_THREAD_OTHER), "other"),
	   "each class has a word of its own");
	ok(!strcmp(kvmx_class_name(KVMX_NR_THREAD_CLASSES), "?") &&
	   !strcmp(kvmx_class_name(~0U), "?"), "what is none has none");
}

int main(void)
{
	known_by_others_than_names();
	known_by_name();
	kernel_threads();
	words();
	return tap_end();
}
