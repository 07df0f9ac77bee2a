/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * kvmx: the contract between the kvmx module and programs of the host.
 *
 * Rules that hold for every structure here:
 *  - the first member is its size in bytes, set by the caller; a structure
 *    shorter than its first version is EINVAL, a longer one is accepted as
 *    long as everything that this kernel does not know is zero (else E2BIG);
 *  - the second member is flags; an unknown flag is EINVAL;
 *  - reserved members have to be zero (else EINVAL);
 *  - members are only ever appended.
 *
 * An unknown command is ENOTTY. Cards of every command with all errors:
 * docs/abi.md.
 */
#ifndef _UAPI_LINUX_KVMX_H
#define _UAPI_LINUX_KVMX_H

#include <linux/types.h>
#include <linux/ioctl.h>

#define KVMX_DEVICE		"/dev/kvmx"

/* Raised when something that exists changes; appending does not raise it. */
#define KVMX_ABI_VERSION	1

#define KVMX_IOC_TYPE		0xB9

/* The size of a structure travels in the structure, hence _IO(). */
#define KVMX_INFO		_IO(KVMX_IOC_TYPE, 0x00) /* on /dev/kvmx */
#define KVMX_LIST		_IO(KVMX_IOC_TYPE, 0x01) /* on /dev/kvmx */
#define KVMX_OPEN		_IO(KVMX_IOC_TYPE, 0x02) /* on /dev/kvmx */
#define KVMX_COST		_IO(KVMX_IOC_TYPE, 0x03) /* on /dev/kvmx */
#define KVMX_VM_INFO		_IO(KVMX_IOC_TYPE, 0x10) /* on a VM fd */
#define KVMX_VM_VCPUS		_IO(KVMX_IOC_TYPE, 0x11) /* on a VM fd */
#define KVMX_VM_STATS		_IO(KVMX_IOC_TYPE, 0x12) /* on a VM fd */
#define KVMX_STATS_NOTES	_IO(KVMX_IOC_TYPE, 0x20) /* on a statistics fd */
#define KVMX_STATS_TOP		_IO(KVMX_IOC_TYPE, 0x21) /* on a statistics fd */

/* enum kvmx_vendor - the kind of virtualization of this host */
#define KVMX_VENDOR_NONE	0	/* neither VMX nor SVM */
#define KVMX_VENDOR_INTEL	1	/* VMX */
#define KVMX_VENDOR_AMD		2	/* SVM */

/* What the figures of time are counted in. */
#define KVMX_CLOCK_TSC		0	/* TSC cycles, clock_khz of them per ms */
#define KVMX_CLOCK_KERNEL	1	/* ns: the TSC of this host is unstable */

/* States of a feature. */
#define KVMX_FEATURE_OFF	0	/* not to be had here; see the reason */
#define KVMX_FEATURE_ON		1
#define KVMX_FEATURE_READY	2	/* will be checked or attached at first use */

#define KVMX_FEATURE_NAME_LEN	32
#define KVMX_REASON_LEN		112

/**
 * struct kvmx_feature - one thing that kvmx can or cannot do on this host
 * @id: number of the feature, never used for anything else
 * @state: KVMX_FEATURE_OFF, _ON or _READY
 * @name: its name, NUL-terminated
 * @reason: why it is in this state, NUL-terminated, for a human reader
 */
struct kvmx_feature {
	__u32 id;
	__u32 state;
	char name[KVMX_FEATURE_NAME_LEN];
	char reason[KVMX_REASON_LEN];
};

#define KVMX_VERSION_LEN	32

/* kvmx_info.state */
#define KVMX_INFO_STATS_ALWAYS	(1ULL << 0) /* parameter stats=always */
#define KVMX_INFO_COUNTING	(1ULL << 1) /* entry and exit probes attached */

/**
 * struct kvmx_info - KVMX_INFO: what this module is and can do
 * @size: size of this structure in bytes (in)
 * @flags: none are defined: 0 (in)
 * @abi_version: KVMX_ABI_VERSION of the module (out)
 * @vendor: KVMX_VENDOR_* (out)
 * @clock: KVMX_CLOCK_* (out)
 * @clock_khz: ticks of the clock per millisecond (out)
 * @nr_features: room in @features (in); number of features (out), which may
 *	be more than there was room for
 * @nr_vms: VMs that are alive (out)
 * @features: address of an array of struct kvmx_feature, or 0 if
 *	@nr_features is 0 (in)
 * @feature_size: sizeof(struct kvmx_feature) of the caller (in): the stride
 *	of the array
 * @nr_stats_fds: statistics fds open in the whole host (out)
 * @state: KVMX_INFO_* bits (out)
 * @uncounted: exits that were seen before the vCPU had a record (out)
 * @memory: bytes held for records and counters (out)
 * @now: the clock, in ticks, when this was answered (out)
 * @version: version of the module, NUL-terminated (out)
 */
struct kvmx_info {
	__u32 size;
	__u32 flags;
	__u32 abi_version;
	__u32 vendor;
	__u32 clock;
	__u32 clock_khz;
	__u32 nr_features;
	__u32 nr_vms;
	__u64 features;
	__u32 feature_size;
	__u32 nr_stats_fds;
	__u64 state;
	__u64 uncounted;
	__u64 memory;
	__u64 now;
	char version[KVMX_VERSION_LEN];
};

/**
 * struct kvmx_cost - KVMX_COST: what counting costs, measured now
 * @size: size of this structure in bytes (in)
 * @flags: none are defined: 0 (in)
 * @exit: what counting an exit costs that KVM handles at once, both probes
 *	together, in thousandths of a tick of the clock (out)
 * @rounds: exits that were counted to find out, for no VM (out)
 * @cpu: where (out)
 */
struct kvmx_cost {
	__u32 size;
	__u32 flags;
	__u64 exit;
	__u32 rounds;
	__u32 cpu;
};

#define KVMX_NAME_LEN		64

/* kvmx_vm_info.state */
#define KVMX_VM_GONE		(1U << 0) /* the VM does not exist any more */
#define KVMX_VM_COUNTING	(1U << 1) /* somebody has its statistics on */
#define KVMX_VM_ADOPTED		(1U << 2) /* older than kvmx: age since found */

/**
 * struct kvmx_vm_info - a VM: an entry of KVMX_LIST, and KVMX_VM_INFO
 * @size: size of this structure in bytes (in for KVMX_VM_INFO; out in a list)
 * @flags: none are defined: 0 (in)
 * @id: number of the VM, never used twice while the module is loaded (out)
 * @pid: process of the VMM in the caller's pid namespace, 0 if it is not
 *	visible there or the fd hides names (out)
 * @nr_vcpus: vCPUs created so far (out)
 * @age_ns: age in ns; of a VM older than kvmx the time since it was found (out)
 * @counted_ns: for how many ns the present run of counting has been on, 0 if
 *	it is off (out)
 * @state: KVMX_VM_* bits (out)
 * @nr_stats_fds: statistics fds open on this VM or one of its vCPUs (out)
 * @name: name of the VMM's process, NUL-terminated (out)
 */
struct kvmx_vm_info {
	__u32 size;
	__u32 flags;
	__u64 id;
	__s32 pid;
	__u32 nr_vcpus;
	__u64 age_ns;
	__u64 counted_ns;
	__u32 state;
	__u32 nr_stats_fds;
	char name[KVMX_NAME_LEN];
};

/**
 * struct kvmx_list - KVMX_LIST: the VMs that are alive
 * @size: size of this structure in bytes (in)
 * @flags: none are defined: 0 (in)
 * @nr: room in @vms (in); number of VMs (out), which may be more than there
 *	was room for: make room and ask again
 * @entry_size: sizeof(struct kvmx_vm_info) of the caller (in): the stride
 * @vms: address of an array of struct kvmx_vm_info, 0 if @nr is 0 (in)
 * @reserved: 0
 */
struct kvmx_list {
	__u32 size;
	__u32 flags;
	__u32 nr;
	__u32 entry_size;
	__u64 vms;
	__u64 reserved;
};

/* kvmx_open.by */
#define KVMX_BY_ID		0	/* key: kvmx_vm_info.id */
#define KVMX_BY_PID		1	/* key: pid of the VMM, caller's namespace */
#define KVMX_BY_FD		2	/* key: a file descriptor of KVM_CREATE_VM */

/* kvmx_open.flags */
#define KVMX_OPEN_NO_NAMES	(1U << 0) /* this fd tells no names and no pids */

/**
 * struct kvmx_open - KVMX_OPEN: a VM fd (returned by the ioctl, O_CLOEXEC)
 * @size: size of this structure in bytes (in)
 * @flags: KVMX_OPEN_* bits (in)
 * @by: KVMX_BY_*: what @key is (in)
 * @reserved: 0
 * @key: which VM (in)
 * @id: the VM's number (out)
 */
struct kvmx_open {
	__u32 size;
	__u32 flags;
	__u32 by;
	__u32 reserved;
	__u64 key;
	__u64 id;
};

/**
 * struct kvmx_vcpu_info - a vCPU: an entry of KVMX_VM_VCPUS
 * @size: size of this structure in bytes (out)
 * @index: 0, 1, 2 … in the order of creation: the key for KVMX_VM_STATS (out)
 * @vcpu_id: KVM's vcpu_id, the number given to KVM_CREATE_VCPU (out)
 * @tid: thread that ran it last, in the caller's pid namespace; 0 if none is
 *	known, it is not visible there, or the fd hides names (out)
 */
struct kvmx_vcpu_info {
	__u32 size;
	__u32 index;
	__u32 vcpu_id;
	__s32 tid;
};

/**
 * struct kvmx_vcpus - KVMX_VM_VCPUS: the vCPUs of a VM
 * @size: size of this structure in bytes (in)
 * @flags: none are defined: 0 (in)
 * @nr: room in @vcpus (in); number of vCPUs (out)
 * @entry_size: sizeof(struct kvmx_vcpu_info) of the caller (in): the stride
 * @vcpus: address of an array of struct kvmx_vcpu_info, 0 if @nr is 0 (in)
 * @reserved: 0
 */
struct kvmx_vcpus {
	__u32 size;
	__u32 flags;
	__u32 nr;
	__u32 entry_size;
	__u64 vcpus;
	__u64 reserved;
};

#define KVMX_STATS_WHOLE_VM	0xffffffffU

/*
 * kvmx_stats.flags: groups of figures besides those of exits and time. A group
 * is counted for a VM while a statistics fd that asked for it is open; an fd
 * shows the groups that it asked for.
 */
#define KVMX_STATS_SCHED	(1U << 0) /* switches, migrations, delays: sched.* */
#define KVMX_STATS_MMU		(1U << 1) /* EPT and NPT: mmu.* */
#define KVMX_STATS_IO		(1U << 2) /* ports and MMIO: io.* */
#define KVMX_STATS_TLB		(1U << 3) /* VPID, ASID and flushes: tlb.* */

/**
 * struct kvmx_stats - KVMX_VM_STATS: a statistics fd (returned, O_CLOEXEC)
 * @size: size of this structure in bytes (in)
 * @flags: KVMX_STATS_* bits of groups (in)
 * @vcpu: index of the vCPU, or KVMX_STATS_WHOLE_VM for the sums (in)
 * @reserved: 0
 *
 * Counting of the whole VM is on from here until its last statistics fd is
 * closed. The fd is read (pread, any offset) in KVM's binary statistics
 * format: struct kvm_stats_header, id string, descriptors, data, exactly as
 * an fd of KVM_GET_STATS_FD. The data of a vCPU can also be mapped, read-only,
 * at offset data_offset. poll() reports POLLHUP once the VM is gone.
 */
struct kvmx_stats {
	__u32 size;
	__u32 flags;
	__u32 vcpu;
	__u32 reserved;
};

/*
 * How far a figure can be trusted. A figure that is unavailable has no
 * descriptor; its note is there to tell why.
 */
#define KVMX_LABEL_EXACT	0
#define KVMX_LABEL_LATE		1	/* the kernel tells after the fact */
#define KVMX_LABEL_SAMPLED	2
#define KVMX_LABEL_UNAVAILABLE	3

#define KVMX_STAT_NAME_LEN	64

/**
 * struct kvmx_note - label of one figure, and why it has it
 * @label: KVMX_LABEL_*
 * @reserved: 0
 * @name: name of the figure as in its descriptor; of a whole family where it
 *	ends in '*' ("exit.*.net")
 * @reason: NUL-terminated, for a human reader; empty for plain exact figures
 */
struct kvmx_note {
	__u32 label;
	__u32 reserved;
	char name[KVMX_STAT_NAME_LEN];
	char reason[KVMX_REASON_LEN];
};

/**
 * struct kvmx_notes - KVMX_STATS_NOTES: labels of a statistics fd's figures
 * @size: size of this structure in bytes (in)
 * @flags: none are defined: 0 (in)
 * @nr: room in @notes (in); number of notes (out)
 * @entry_size: sizeof(struct kvmx_note) of the caller (in): the stride
 * @notes: address of an array of struct kvmx_note, 0 if @nr is 0 (in)
 * @reserved: 0
 *
 * The first note whose name matches a figure is the one that counts; a figure
 * without any is exact.
 */
struct kvmx_notes {
	__u32 size;
	__u32 flags;
	__u32 nr;
	__u32 entry_size;
	__u64 notes;
	__u64 reserved;
};

/*
 * kvmx_top.what: which list, and what its keys are. Numbers from 16 times the
 * number of a group's bit on are that group's.
 */
#define KVMX_TOP_PREEMPTORS	0	/* KVMX_STATS_SCHED: tid of a thread that
					 * took the CPU of a running vCPU; time:
					 * until the vCPU had one again
					 */

/*
 * KVMX_STATS_SCHED: exit reasons by how far the vCPU had moved: code of the
 * exit; time: net, what KVM and the kernel worked on it. In the first list are
 * exits from a run on the CPU of the run before, in the others those from the
 * first run so far from it.
 */
#define KVMX_TOP_EXITS_SAME_CPU		1
#define KVMX_TOP_EXITS_SMT_SIBLING	2
#define KVMX_TOP_EXITS_SAME_LLC		3
#define KVMX_TOP_EXITS_SAME_NODE	4
#define KVMX_TOP_EXITS_OTHER_NODE	5

#define KVMX_TOP_RANGES		16	/* KVMX_STATS_MMU: guest-physical address
					 * of 2 MB in which there were violations
					 * on memory; time: exit to entry
					 */
#define KVMX_TOP_PORTS		32	/* KVMX_STATS_IO: port; time: exit to entry */
#define KVMX_TOP_MMIO		33	/* KVMX_STATS_IO: guest-physical address;
					 * time: exit to entry
					 */

#define KVMX_TOP_NAME_LEN	32

/**
 * struct kvmx_top_row - one of the hottest
 * @key: what it is: see KVMX_TOP_*
 * @count: how often, since it is on the list
 * @time: ticks that belong to it, since it is on the list
 * @missed: at most so many more, from when it was not on the list, are among
 *	the others
 * @name: its name, NUL-terminated; empty where keys have none
 */
struct kvmx_top_row {
	__u64 key;
	__u64 count;
	__u64 time;
	__u64 missed;
	char name[KVMX_TOP_NAME_LEN];
};

/**
 * struct kvmx_top - KVMX_STATS_TOP: the hottest of a kind, hottest first
 * @size: size of this structure in bytes (in)
 * @flags: none are defined: 0 (in)
 * @what: KVMX_TOP_* (in)
 * @nr: room in @rows (in); number of rows (out)
 * @entry_size: sizeof(struct kvmx_top_row) of the caller (in): the stride
 * @reserved: 0
 * @rows: address of an array of struct kvmx_top_row, 0 if @nr is 0 (in)
 * @others_count: counts that are in no row (out)
 * @others_time: their ticks (out)
 *
 * Rows and others add up to all that was counted. On the fd of a whole VM the
 * rows of its vCPUs are added up.
 */
struct kvmx_top {
	__u32 size;
	__u32 flags;
	__u32 what;
	__u32 nr;
	__u32 entry_size;
	__u32 reserved;
	__u64 rows;
	__u64 others_count;
	__u64 others_time;
};

/*
 * Names in the schema of a statistics fd (docs/abi.md has all of them):
 *
 *  seq			even when the block of time figures is at rest (vCPU only)
 *  state		KVMX_STATE_* (vCPU only)
 *  state_since		clock when it was entered (vCPU only)
 *  accounted		clock up to which time.* is complete (vCPU only); what
 *			has passed since then belongs to the state, but for
 *			some handling and polling in front of a halt
 *  counting_since	clock when the present run of counting began
 *  gone		1 when the VM does not exist any more
 *  time.CLASS		guest, exit, poll, user, halted, ready, wait, unknown,
 *			throttled
 *  entries, entries_without_exit, exits_without_entry, user_exits
 *  exit.REASON.count	exits; the one being handled now is in it when it has
 *			slept, left its CPU or gone to user space
 *  exit.REASON.gross	exit to next entry, summed
 *  exit.REASON.net	the same less VMM, polling, halted, waiting and ready time
 *  exit.REASON.max	longest (gross)
 *  exit.REASON.hist	log2 histogram of gross times
 *  GROUP.since		clock when the present run of counting the group began
 *  sched.*		KVMX_STATS_SCHED
 *  mmu.*		KVMX_STATS_MMU
 *  io.*		KVMX_STATS_IO
 *  tlb.*		KVMX_STATS_TLB
 *  unlisted.K.code	exit code counted under exit.unlisted_K, if its count > 0;
 *			all bits set: several codes, the list was too short
 */
#define KVMX_STATE_NEW		0	/* created, not seen to run yet */
#define KVMX_STATE_UNKNOWN	1	/* no event since counting began */
#define KVMX_STATE_GUEST	2	/* executing guest code */
#define KVMX_STATE_EXIT		3	/* KVM handles an exit */
#define KVMX_STATE_USER		4	/* the VMM runs */
#define KVMX_STATE_HALTED	5	/* blocked, waiting for an interrupt */
#define KVMX_STATE_READY	6	/* wants to run, waits for a CPU */
#define KVMX_STATE_WAIT		7	/* its thread sleeps for another reason */
#define KVMX_STATE_NO_THREAD	8	/* the thread that ran it has ended */
#define KVMX_STATE_GONE		9	/* destroyed */
#define KVMX_STATE_THROTTLED	10	/* wants to run, its cgroup may not */

#define KVMX_UNLISTED		8	/* slots for codes that have no name */

#endif /* _UAPI_LINUX_KVMX_H */
