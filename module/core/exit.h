/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exit reasons of the two vendors: the code of the exit that a vCPU just made,
 * and the names that the vendor's header gives to codes.
 */
#ifndef KVMX_CORE_EXIT_H
#define KVMX_CORE_EXIT_H

#include <linux/types.h>

struct kvm_vcpu;

/**
 * struct kvmx_reason - an exit reason that has a name
 * @code: the vendor's code: VMX basic exit reason, or SVM exit code
 * @name: the name in the kernel's own table (asm/vmx.h, asm/svm.h)
 */
struct kvmx_reason {
	u64 code;
	const char *name;
};

const struct kvmx_reason *kvmx_vmx_reasons(unsigned int *nr);
const struct kvmx_reason *kvmx_svm_reasons(unsigned int *nr);

/* The isa argument of kvm_exit. */
#define KVMX_ISA_VMX	1
#define KVMX_ISA_SVM	2

/* The field has flags behind the reason (SDM vol. 3C, table 25-18). */
static inline u64 kvmx_vmx_basic_reason(u64 field)
{
	return field & 0xffff;
}

u64 kvmx_vmx_exit_code(void);
u64 kvmx_svm_exit_code(struct kvm_vcpu *vcpu);

/* What an exit is about, as far as groups of figures ask. */
enum kvmx_about {
	KVMX_ABOUT_OTHER,
	KVMX_ABOUT_FAULT,	/* second level of page tables: a fault follows */
	KVMX_ABOUT_MMIO,	/* the same where KVM has marked: no memory */
	KVMX_ABOUT_PORT,
};

/* What the guest wanted to do. */
enum kvmx_access {
	KVMX_ACCESS_READ,
	KVMX_ACCESS_WRITE,
	KVMX_ACCESS_FETCH,
	KVMX_ACCESS_UNKNOWN,	/* the hardware does not say */
	KVMX_NR_ACCESSES
};

/**
 * struct kvmx_look - a look at an exit
 * @about: what it is about
 * @access: what the guest wanted to do; of MMIO and ports
 * @address: guest-physical address or port; of MMIO and ports
 */
struct kvmx_look {
	enum kvmx_about about;
	enum kvmx_access access;
	u64 address;
};

struct kvmx_look kvmx_vmx_look(u64 code);
struct kvmx_look kvmx_svm_look(struct kvm_vcpu *vcpu, u64 code);

/**
 * struct kvmx_shape - the second level of page tables of a vCPU
 * @levels: of the walk; 0: shadow paging
 * @ad: the processor marks what was accessed and written
 * @pml: it logs what was written
 */
struct kvmx_shape {
	unsigned int levels;
	bool ad;
	bool pml;
};

bool kvmx_vmx_shape(struct kvmx_shape *shape);
void kvmx_svm_shape(struct kvm_vcpu *vcpu, struct kvmx_shape *shape);

/**
 * struct kvmx_tag - what a vCPU's TLB entries are told apart by
 * @number: VPID or ASID; 0: there is none
 * @generation: SVM: of the CPU's numbers, when this one was given
 * @cpu: SVM: where it was given
 * @fixed: SVM: an encrypted guest has one number for all of its vCPUs
 * @flush: SVM: all that is stored under it goes at the next entry
 */
struct kvmx_tag {
	u64 number;
	u64 generation;
	int cpu;
	bool fixed;
	bool flush;
};

void kvmx_vmx_tag(struct kvmx_tag *tag);
void kvmx_svm_tag(struct kvm_vcpu *vcpu, struct kvmx_tag *tag);
bool kvmx_vmx_ept(void);

/* What KVM may have to do to the TLB for an exit. */
enum kvmx_flushing {
	KVMX_FLUSHING_OTHER,	/* as a rule nothing */
	KVMX_FLUSHING_GUEST,	/* instructions that flush it, or can */
	KVMX_FLUSHING_NESTED,	/* begin or end of a guest of the guest */
	KVMX_FLUSHING_INVVPID,	/* KVM flushes at once, if it is valid */
};

enum kvmx_flushing kvmx_vmx_flushing(u64 code);
enum kvmx_flushing kvmx_svm_flushing(u64 code);

/* What it ran into. */
enum kvmx_denied {
	KVMX_DENIED_ABSENT,	/* nothing is mapped */
	KVMX_DENIED_WRITE,	/* what is mapped is not writable */
	KVMX_DENIED_MARKED,	/* KVM has marked: no memory */
	KVMX_DENIED_OTHER,
};

/**
 * struct kvmx_fault - what the hardware says of a page fault
 * @access: what the guest wanted to do
 * @denied: what it ran into
 * @walk: the processor did, while it walked the guest's page tables
 */
struct kvmx_fault {
	enum kvmx_access access;
	enum kvmx_denied denied;
	bool walk;
};

struct kvmx_fault kvmx_ept_fault(u64 qualification);
struct kvmx_fault kvmx_pferr_fault(u64 error);

bool kvmx_svm_check(struct kvm_vcpu *vcpu);
bool kvmx_vmx_check(void);
bool kvmx_vmx_rip(unsigned long *rip);

void kvmx_exit_reset(void);

#endif /* KVMX_CORE_EXIT_H */
