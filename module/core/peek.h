/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is read from KVM's structures, and nothing else is. Every function says
 * in which of the three situations of core/vm.h it may be called. All of it
 * rests on the layout check: where that fails, no structure is looked into.
 */
#ifndef KVMX_CORE_PEEK_H
#define KVMX_CORE_PEEK_H

#include <linux/types.h>

struct kvm;
struct kvm_vcpu;
struct kvmx_seen;
struct kvmx_vcpu;
struct pid;
struct task_struct;

/* What a vCPU seems to do, looked at from outside: a guess that may be old. */
enum kvmx_doing {
	KVMX_DOING_UNKNOWN,
	KVMX_DOING_GUEST,
	KVMX_DOING_HALTED,
};

/* What KVM has counted of halts and of polling in front of them; times in ns. */
struct kvmx_polls {
	u64 attempts;
	u64 successes;
	u64 success_ns;
	u64 fail_ns;
	u64 wait_ns;		/* halted, and not polled for */
};

/* What the memory at a guest-physical address is. */
enum kvmx_slot_kind {
	KVMX_SLOT_UNKNOWN,
	KVMX_SLOT_NONE,		/* no memory */
	KVMX_SLOT_PLAIN,
	KVMX_SLOT_READ_ONLY,
	KVMX_SLOT_LOGGED,	/* pages that are written are logged */
};

/**
 * struct kvmx_handled - what KVM itself counts of page faults
 * @taken: it handled
 * @fixed: mapped, or made writable
 * @emulated: it carried the access out itself
 * @spurious: nothing was wrong any more
 * @fast: of all, such that did not need its MMU lock
 */
struct kvmx_handled {
	u64 taken;
	u64 fixed;
	u64 emulated;
	u64 spurious;
	u64 fast;
};

/**
 * struct kvmx_asks - what KVM knows of flushes of a vCPU's TLB
 * @flushes: it has done, but not those for a new root of page tables
 * @remote: memory management has asked all vCPUs of the VM for
 * @current_asked: one of the present page tables is asked for
 * @root: there are page tables
 * @never: the vCPU has never entered its guest
 * @cpu: where it was loaded last
 * @ran_on: where it was in the guest last; -1: nowhere
 */
struct kvmx_asks {
	u64 flushes;
	u64 remote;
	bool current_asked;
	bool root;
	bool never;
	int cpu;
	int ran_on;
};

/* Sizes of pages, by level of the tables. */
#define KVMX_NR_LEVELS	3

/**
 * struct kvmx_sizes - what a VM has mapped
 * @pages: leaf entries: of 4 KB, 2 MB, 1 GB
 * @tables: bytes of the tables themselves
 */
struct kvmx_sizes {
	u64 pages[KVMX_NR_LEVELS];
	u64 tables;
};

void kvmx_peek_reset(void);
bool kvmx_peek_created(struct kvm_vcpu *vcpu, struct kvmx_seen *seen);
bool kvmx_peek_check(struct kvm_vcpu *vcpu, bool entering);
bool kvmx_peek_sane(struct kvm *kvm);
bool kvmx_peek_protected(const struct kvm_vcpu *vcpu);
bool kvmx_peek_enters(const struct kvm_vcpu *vcpu);
bool kvmx_peek_blocking(const struct kvm_vcpu *vcpu);
struct kvmx_vcpu *kvmx_peek_of(const struct task_struct *task);
bool kvmx_peek_loaded(const struct kvm_vcpu *vcpu);
void kvmx_peek_asks(const struct kvm_vcpu *vcpu, struct kvmx_asks *to);
bool kvmx_peek_exits(const struct kvm_vcpu *vcpu, u64 *exits);
bool kvmx_peek_polls(const struct kvm_vcpu *vcpu, struct kvmx_polls *to);
struct task_struct *kvmx_peek_owner(struct kvm *kvm, struct task_struct *seen);
void kvmx_peek_seen(struct kvm_vcpu *vcpu, struct kvmx_seen *seen);
enum kvmx_slot_kind kvmx_peek_slot(struct kvm_vcpu *vcpu, u64 gpa);
void kvmx_peek_handled(const struct kvm_vcpu *vcpu, struct kvmx_handled *to);
bool kvmx_peek_nested(const struct kvm_vcpu *vcpu);
void kvmx_peek_sizes(struct kvm *kvm, struct kvmx_sizes *to);
struct kvm *kvmx_peek_vm_of(struct kvm_vcpu *vcpu);
enum kvmx_doing kvmx_peek_doing(const struct kvm_vcpu *vcpu);
struct pid *kvmx_peek_get_pid(struct kvm_vcpu *vcpu);
int kvmx_peek_each_vcpu(struct kvm *kvm,
			int (*fn)(struct kvm_vcpu *vcpu, void *arg), void *arg);

#endif /* KVMX_CORE_PEEK_H */
