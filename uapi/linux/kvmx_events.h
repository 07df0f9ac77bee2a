/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * kvmx: what happens to VMs and their threads, to be read and polled.
 *
 * The rules at the top of <linux/kvmx.h> hold here, too.
 */
#ifndef _UAPI_LINUX_KVMX_EVENTS_H
#define _UAPI_LINUX_KVMX_EVENTS_H

#include <linux/kvmx.h>

#define KVMX_EVENTS		_IO(KVMX_IOC_TYPE, 0x04) /* on /dev/kvmx */

/* kvmx_record.type */
#define KVMX_EVENT_LOST		0	/* arg: records that did not fit */
#define KVMX_EVENT_VM_BORN	1	/* pid, name: of its VMM */
#define KVMX_EVENT_VM_DIED	2
#define KVMX_EVENT_THREAD_BORN	3	/* of a VM that has a placement, when
					 * it was placed; arg: ns since birth
					 */
#define KVMX_EVENT_DRIFT	4	/* somebody else changed the CPUs of a
					 * placed thread; arg: 1 if they were
					 * put back, 0 if kvmx gave way
					 */
#define KVMX_EVENT_CPU_GONE	5	/* arg: a CPU of a placement went
					 * offline or left the cpuset
					 */
#define KVMX_EVENT_CPU_BACK	6	/* arg: the CPU that came back */
#define KVMX_EVENT_REFUSED	7	/* a plan was refused; arg: error number */
#define KVMX_EVENT_PLACED	8	/* arg: KVMX_POLICY_* */
#define KVMX_EVENT_CLEARED	9
#define KVMX_EVENT_MOVED	10	/* policy auto moved a vCPU; arg: CPU */

#define KVMX_NR_EVENTS		11

#define KVMX_COMM_LEN		16

/**
 * struct kvmx_record - an event, as read from an events fd
 * @size: bytes of this record; the next one follows
 * @type: KVMX_EVENT_*
 * @seq: number of the record on this fd: 1, 2, 3 …; lost ones are counted
 * @time_ns: CLOCK_BOOTTIME when it happened
 * @vm: kvmx_vm_info.id, 0 if it is about none
 * @pid: process of the VMM in the pid namespace of whoever made the fd, 0 if it
 *	is not visible there
 * @tid: thread that it is about, likewise, 0 if none
 * @thread_class: KVMX_THREAD_* of that thread
 * @vcpu: index of the vCPU that the thread runs, or KVMX_NO_VCPU
 * @arg: see KVMX_EVENT_*
 * @name: of the thread or, where there is none, of the process; NUL-terminated
 */
struct kvmx_record {
	__u32 size;
	__u32 type;
	__u64 seq;
	__u64 time_ns;
	__u64 vm;
	__s32 pid;
	__s32 tid;
	__u32 thread_class;
	__u32 vcpu;
	__u64 arg;
	char name[KVMX_COMM_LEN];
};

#define KVMX_NO_VCPU		0xffffffffU

/* What a thread of a VMM is for. */
#define KVMX_THREAD_VCPU	0	/* runs a vCPU: KVM says so */
#define KVMX_THREAD_MAIN	1	/* first thread of the process */
#define KVMX_THREAD_IO		2	/* I/O thread */
#define KVMX_THREAD_WORKER	3	/* AIO and io_uring workers */
#define KVMX_THREAD_VHOST	4	/* vhost, as a thread of the kernel or not */
#define KVMX_THREAD_OTHER	5	/* what no name tells: emulator */

#define KVMX_NR_THREAD_CLASSES	6

/**
 * struct kvmx_events - KVMX_EVENTS: an events fd (returned, O_CLOEXEC)
 * @size: size of this structure in bytes (in)
 * @flags: none are defined: 0 (in)
 * @mask: events that are wanted, 1 << KVMX_EVENT_* (in); LOST always comes
 * @reserved: 0
 *
 * read() gives whole records, as many as fit, and waits for one unless the fd is
 * non-blocking; EINVAL if not even one fits. poll() reports POLLIN. What happens
 * while an fd's queue is full is counted and told by one record LOST.
 */
struct kvmx_events {
	__u32 size;
	__u32 flags;
	__u64 mask;
	__u64 reserved;
};

#endif /* _UAPI_LINUX_KVMX_EVENTS_H */
