/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What happens to VMs and their threads, told to whoever reads (dev/eventfd.c).
 * Anybody may post, in any context: a reader that does not keep up loses records,
 * which it is told, and never holds anybody up. (struct kvmx_event of core/hook.h
 * is something else: what a probe tells about a vCPU's thread.)
 */
#ifndef KVMX_CORE_EVENT_H
#define KVMX_CORE_EVENT_H

#include <linux/types.h>
#include <linux/kvmx_events.h>

struct pid;

/**
 * struct kvmx_news - what an event is about
 * @vm: id of the VM, 0: none
 * @pid: process of its VMM, or NULL
 * @tid: the thread, or NULL
 * @thread_class: KVMX_THREAD_*, of that thread
 * @vcpu: index of the vCPU that it runs, or KVMX_NO_VCPU
 * @arg: see KVMX_EVENT_*
 * @name: of the thread or the process, or NULL
 *
 * All of it is looked at while the event is posted only. kvmx_vm_post()
 * (core/vm.h) fills in what is known of a VM.
 */
struct kvmx_news {
	u64 vm;
	struct pid *pid;
	struct pid *tid;
	u32 thread_class;
	u32 vcpu;
	u64 arg;
	const char *name;
};

void kvmx_event_post(u32 type, const struct kvmx_news *news);

#endif /* KVMX_CORE_EVENT_H */
