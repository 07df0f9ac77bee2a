/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * kvmx: which CPUs the threads of a VM may use.
 *
 * The rules at the top of <linux/kvmx.h> hold here, too. The commands are for an
 * fd of KVMX_OPEN; all but KVMX_VM_PLACED need a node that was open for writing
 * then, and CAP_SYS_NICE now (else EPERM).
 *
 * A set of CPUs is an array of __u64, CPU n being bit n % 64 of word n / 64.
 * kvmx_place.mask_size tells the bytes of every set of one command.
 */
#ifndef _UAPI_LINUX_KVMX_PLACE_H
#define _UAPI_LINUX_KVMX_PLACE_H

#include <linux/kvmx.h>
#include <linux/kvmx_events.h>

#define KVMX_VM_PLACE		_IO(KVMX_IOC_TYPE, 0x13) /* on a VM fd */
#define KVMX_VM_COMMIT		_IO(KVMX_IOC_TYPE, 0x14) /* on a VM fd, no argument */
#define KVMX_VM_CLEAR		_IO(KVMX_IOC_TYPE, 0x15) /* on a VM fd, no argument */
#define KVMX_VM_PLACED		_IO(KVMX_IOC_TYPE, 0x16) /* on a VM fd */

/* kvmx_place.policy; docs/placement.md tells what each means */
#define KVMX_POLICY_NONE	0	/* KVMX_VM_PLACED: there is no placement */
#define KVMX_POLICY_PIN		1	/* as @map says */
#define KVMX_POLICY_PACK	2	/* fewest nodes and LLCs, cores filled */
#define KVMX_POLICY_SPREAD	3	/* one vCPU per core, LLCs even */
#define KVMX_POLICY_NUMA	4	/* where the VM's memory is */
#define KVMX_POLICY_ISOLATE	5	/* no other placed VM on the vCPUs' cores */
#define KVMX_POLICY_AUTO	6	/* moves by what it measures */

#define KVMX_NR_POLICIES	7

/* kvmx_place.smt */
#define KVMX_SMT_PREFER		0	/* siblings are used when cores run out */
#define KVMX_SMT_REQUIRE	1	/* pairs of vCPUs on sibling threads */
#define KVMX_SMT_ISOLATE	2	/* the sibling of a vCPU's CPU stays idle */

/* kvmx_place.flags */
#define KVMX_PLACE_DRY_RUN	(1U << 0) /* plan and report, change nothing */
#define KVMX_PLACE_ENFORCE	(1U << 1) /* put back what others change */
#define KVMX_PLACE_REPLACE	(1U << 2) /* in place of the VM's placement */

/**
 * struct kvmx_pin - an entry of the map of policy pin
 * @vcpu: index of the vCPU
 * @cpu: its CPU
 */
struct kvmx_pin {
	__u32 vcpu;
	__u32 cpu;
};

/* kvmx_placed_thread.why */
#define KVMX_WHY_MAP		0	/* the map says so */
#define KVMX_WHY_OWN_CORE	1	/* a core of its own */
#define KVMX_WHY_SHARED_CORE	2	/* cores ran out: beside a sibling */
#define KVMX_WHY_PAIR		3	/* beside the sibling that SMT requires */
#define KVMX_WHY_MEMORY		4	/* on the node of the VM's memory */
#define KVMX_WHY_PACKED		5	/* fills a core that is in use */
#define KVMX_WHY_SHARED_CPU	6	/* CPUs ran out: shared with other vCPUs */
#define KVMX_WHY_EMULATOR	7	/* the set for main and other threads */
#define KVMX_WHY_IO		8	/* the set for I/O, workers and vhost */
#define KVMX_WHY_WITH_VCPUS	9	/* no set was named: with the vCPUs */
#define KVMX_WHY_REST		10	/* no set was named: what vCPUs leave */
#define KVMX_WHY_KEPT		11	/* it was there already */
#define KVMX_WHY_READY		12	/* auto: waited too long where it was */
#define KVMX_WHY_FALLBACK	13	/* its CPUs are offline or not allowed */

#define KVMX_NR_WHYS		14

/* kvmx_placed_thread.state */
#define KVMX_THREAD_APPLIED	(1U << 0) /* has the CPUs of the plan */
#define KVMX_THREAD_YIELDED	(1U << 1) /* somebody else changed them: his word
					   * stands
					   */
#define KVMX_THREAD_FALLBACK	(1U << 2) /* CPUs of the plan are not there now */
#define KVMX_THREAD_BORN	(1U << 3) /* born after the placement was made */
#define KVMX_THREAD_UNKNOWN	(1U << 4) /* vCPU whose thread has not run yet */

/**
 * struct kvmx_placed_thread - a thread in a plan or placement
 * @tid: the thread in the caller's pid namespace, 0 if it is not visible there,
 *	the fd hides names, or it has not run yet
 * @thread_class: KVMX_THREAD_VCPU … _OTHER
 * @vcpu: index of the vCPU that it runs, or KVMX_NO_VCPU
 * @why: KVMX_WHY_*
 * @state: KVMX_THREAD_APPLIED …
 * @drifts: how often somebody else changed its CPUs
 * @name: its name, NUL-terminated
 */
struct kvmx_placed_thread {
	__s32 tid;
	__u32 thread_class;
	__u32 vcpu;
	__u32 why;
	__u32 state;
	__u32 drifts;
	char name[KVMX_COMM_LEN];
};

/* kvmx_place_note.kind; those that refuse the plan come first */
#define KVMX_NOTE_OUTSIDE_CPUSET 0	/* @cpu is wished, but not allowed */
#define KVMX_NOTE_OFFLINE	1	/* @cpu is wished, but offline */
#define KVMX_NOTE_NO_CPU	2	/* nothing is left for a class of threads */
#define KVMX_NOTE_ISOLATED	3	/* @cpu's core belongs to VM @vm alone */
#define KVMX_NOTE_TAKEN		4	/* @cpu's core is used by VM @vm */
#define KVMX_NOTE_NO_SIBLINGS	5	/* smt require or isolate cannot be had */
#define KVMX_NOTE_NO_VCPU	6	/* the map names a vCPU that is not there */
#define KVMX_NOTE_UNMAPPED	7	/* the map leaves vCPU @arg out */
#define KVMX_NOTE_NO_MEMORY	8	/* policy numa: nothing known of memory */
#define KVMX_NOTE_NO_STATS	9	/* policy auto: nothing can be measured */

#define KVMX_NOTE_REFUSES	31	/* kinds up to here refuse the plan */

#define KVMX_NOTE_OVERCOMMIT	32	/* @arg vCPUs on CPU @cpu */
#define KVMX_NOTE_SPLIT_MEMORY	33	/* @arg % of the memory is on @node */
#define KVMX_NOTE_REMOTE_MEMORY	34	/* seen from @node, which has vCPUs, @arg %
					 * of the memory is elsewhere
					 */
#define KVMX_NOTE_NODE_EMPTY	35	/* node @node has CPUs, but no memory */
#define KVMX_NOTE_FOREIGN	36	/* isolate: thread @tid still runs on @cpu */
#define KVMX_NOTE_TOPOLOGY	37	/* reserved: the module does not know what
					 * the guest sees; kvmx-place(1) does
					 */
#define KVMX_NOTE_MOVED		38	/* @arg vCPUs change their CPU */
#define KVMX_NOTE_AUTO		39	/* auto moved a vCPU to @cpu: it had waited
					 * @arg % of the time elsewhere
					 */

/**
 * struct kvmx_place_note - something to be known of a plan
 * @kind: KVMX_NOTE_*
 * @cpu: CPU that it is about
 * @node: NUMA node that it is about
 * @tid: thread that it is about, or 0
 * @vm: VM that it is about, or 0
 * @arg: see @kind
 * @text: the same for a human reader, NUL-terminated
 */
struct kvmx_place_note {
	__u32 kind;
	__u32 cpu;
	__u32 node;
	__s32 tid;
	__u64 vm;
	__u64 arg;
	char text[KVMX_REASON_LEN];
};

/**
 * struct kvmx_plan - where a plan is written to; part of others
 * @nr_threads: room in @threads and @masks (in); number of threads (out)
 * @thread_size: sizeof(struct kvmx_placed_thread) of the caller (in)
 * @nr_notes: room in @notes (in); number of notes (out)
 * @note_size: sizeof(struct kvmx_place_note) of the caller (in)
 * @threads: address of an array of struct kvmx_placed_thread, or 0 (in)
 * @masks: address of @nr_threads sets of CPUs, one per thread, or 0 (in); what
 *	the plan has for it, for one that yielded or fell back what it has
 * @notes: address of an array of struct kvmx_place_note, or 0 (in)
 *
 * Numbers may be larger than there was room for: make room and ask again.
 */
struct kvmx_plan {
	__u32 nr_threads;
	__u32 thread_size;
	__u32 nr_notes;
	__u32 note_size;
	__u64 threads;
	__u64 masks;
	__u64 notes;
};

/**
 * struct kvmx_place - KVMX_VM_PLACE: place all threads of the VM
 * @size: size of this structure in bytes (in)
 * @flags: KVMX_PLACE_* bits (in)
 * @policy: KVMX_POLICY_* (in)
 * @smt: KVMX_SMT_* (in)
 * @mask_size: bytes of each set of CPUs, a multiple of 8 (in)
 * @nr_map: entries of @map (in)
 * @cpus: address of the set that vCPUs may be given, 0: all that the VMM's
 *	cpuset allows (in)
 * @emulator: address of the set for main and other threads, 0: by policy (in)
 * @io: address of the set for I/O threads, workers and vhost, 0: as @emulator
 *	(in)
 * @map: address of an array of struct kvmx_pin, for policy pin (in)
 * @nodes: address of an array of __u64, pages of the VM's memory on node 0, 1,
 *	2 …, for policy numa and its notes (in)
 * @nr_nodes: entries of @nodes (in)
 * @interval_ms: policy auto: time between two moves, 0: 1000 (in)
 * @plan: where to write the plan to (in and out); written also when the plan is
 *	refused
 *
 * The placement belongs to this fd, and ends with it, until KVMX_VM_COMMIT.
 */
struct kvmx_place {
	__u32 size;
	__u32 flags;
	__u32 policy;
	__u32 smt;
	__u32 mask_size;
	__u32 nr_map;
	__u64 cpus;
	__u64 emulator;
	__u64 io;
	__u64 map;
	__u64 nodes;
	__u32 nr_nodes;
	__u32 interval_ms;
	struct kvmx_plan plan;
};

/* kvmx_placed.state */
#define KVMX_PLACED_COMMITTED	(1U << 0) /* outlives its fd */
#define KVMX_PLACED_ENFORCED	(1U << 1) /* KVMX_PLACE_ENFORCE */
#define KVMX_PLACED_MINE	(1U << 2) /* made by this fd, not committed */

/**
 * struct kvmx_placed - KVMX_VM_PLACED: the placement that is in force
 * @size: size of this structure in bytes (in)
 * @flags: none are defined: 0 (in)
 * @policy: KVMX_POLICY_*, _NONE if there is no placement (out)
 * @smt: KVMX_SMT_* (out)
 * @mask_size: bytes of each set of CPUs in @plan, a multiple of 8 (in)
 * @state: KVMX_PLACED_* bits (out)
 * @age_ns: how long it has been in force, in ns (out)
 * @births: threads placed at their birth (out)
 * @birth_ns_max: longest time from birth to placement, in ns (out)
 * @birth_ns: all of them added up (out)
 * @moves: changes of a thread's CPUs made by kvmx (out)
 * @drifts: changes made by somebody else (out)
 * @refusals: changes that the kernel refused (out)
 * @fallbacks: threads that could not have CPUs of their plan (out)
 * @plan: where to write threads, sets and notes to (in and out)
 */
struct kvmx_placed {
	__u32 size;
	__u32 flags;
	__u32 policy;
	__u32 smt;
	__u32 mask_size;
	__u32 state;
	__u64 age_ns;
	__u64 births;
	__u64 birth_ns_max;
	__u64 birth_ns;
	__u64 moves;
	__u64 drifts;
	__u64 refusals;
	__u64 fallbacks;
	struct kvmx_plan plan;
};

#endif /* _UAPI_LINUX_KVMX_PLACE_H */
