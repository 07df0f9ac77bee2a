/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * kvmx: hints of programs in a guest, through /dev/kvmx-hint of kvmx_guest.ko.
 *
 * A thread joins once and maps the file's page. From then on it gives a hint by
 * storing to its word there: no system call, no exit. The host looks at the word
 * of the thread that runs, when it looks at all. <kvmx-hint.h> has that in a few
 * functions; docs/guest.md tells more.
 *
 * Structures begin with their size, flags and reserved fields that nobody knows
 * must be 0, as in <linux/kvmx.h>.
 */
#ifndef _UAPI_LINUX_KVMX_USER_H
#define _UAPI_LINUX_KVMX_USER_H

#include <linux/types.h>
#include <linux/ioctl.h>
#include <linux/kvmx_para.h>

#define KVMX_USER_DEVICE	"/dev/kvmx-hint"

/* Size of the one mapping that a file has, at offset 0, shared. */
#define KVMX_USER_MAP_SIZE	4096
/* Threads that can join through one file. */
#define KVMX_USER_THREADS	64

#define KVMX_USER_IOC_TYPE	0xB9

#define KVMX_USER_INFO		_IO(KVMX_USER_IOC_TYPE, 0x40)
#define KVMX_USER_JOIN		_IO(KVMX_USER_IOC_TYPE, 0x41)
#define KVMX_USER_LEAVE		_IO(KVMX_USER_IOC_TYPE, 0x42) /* no argument */
#define KVMX_USER_HINT		_IO(KVMX_USER_IOC_TYPE, 0x43)

/**
 * struct kvmx_user_word - what a thread says, by plain stores
 * @hint: a hint word of kind none, critical, latency or batch (KVMX_HINT_WORD)
 * @length_us: how long that is expected to last, 0: not known
 * @seq: counted up with every new hint
 * @reserved: 0
 */
struct kvmx_user_word {
	__u32 hint;
	__u32 length_us;
	__u32 seq;
	__u32 reserved;
};

/**
 * struct kvmx_user_info - KVMX_USER_INFO: is anybody listening?
 * @size: size of this structure in bytes (in)
 * @flags: none are defined: 0 (in)
 * @version: KVMX_PARA_VERSION of the host, 0: it takes no hints now (out)
 * @kinds: 1 << KVMX_KIND_*: allowed now (out)
 * @vcpus: CPUs that are online (out)
 * @registered: of these, known to the host (out)
 */
struct kvmx_user_info {
	__u32 size;
	__u32 flags;
	__u32 version;
	__u32 kinds;
	__u32 vcpus;
	__u32 registered;
};

/**
 * struct kvmx_user_join - KVMX_USER_JOIN: a word for the thread that asks
 * @size: size of this structure in bytes (in)
 * @flags: none are defined: 0 (in)
 * @offset: of the thread's struct kvmx_user_word in the mapping (out)
 * @reserved: 0
 *
 * EBUSY: the thread has a word already; ENOSPC: KVMX_USER_THREADS have joined
 * through this file. How many files a user may have is asked when one is opened:
 * EDQUOT (see the module's parameter files_per_user).
 */
struct kvmx_user_join {
	__u32 size;
	__u32 flags;
	__u32 offset;
	__u32 reserved;
};

/* kvmx_user_hint.flags */
#define KVMX_USER_CALL		(1U << 0) /* by a hypercall, at once: for sections
					   * long enough to pay for an exit
					   */

/**
 * struct kvmx_user_hint - KVMX_USER_HINT: the same without the mapping
 * @size: size of this structure in bytes (in)
 * @flags: KVMX_USER_* bits (in)
 * @hint: as in struct kvmx_user_word; none ends it (in)
 * @length_us: as there (in)
 *
 * ENOENT: the thread has not joined. With KVMX_USER_CALL: EOPNOTSUPP: the host
 * does not take that; EAGAIN: too many such calls of this user (parameter
 * calls_per_user), or of this vCPU.
 */
struct kvmx_user_hint {
	__u32 size;
	__u32 flags;
	__u32 hint;
	__u32 length_us;
};

#endif /* _UAPI_LINUX_KVMX_USER_H */
