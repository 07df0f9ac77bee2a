/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small VMM whose guests do nothing but exit, in ways and numbers that are
 * known in advance: the oracle against which counts are compared.
 *
 * A vCPU is given a batch, a list of steps ("17 CPUID, then 5 HLT"), and runs
 * until that is done, which it tells by one write to a port. Between two
 * batches it is in user space, so tests can look at it at rest.
 */
#ifndef KVMX_LIB_VMM_H
#define KVMX_LIB_VMM_H

/* Offsets in struct vmm_prog, for guest.S. */
#define VMM_PROG_NR		0
#define VMM_PROG_HALTS		4
#define VMM_PROG_STEPS		16
#define VMM_STEP_SIZE		24
#define VMM_STEP_N		8
#define VMM_STEP_ARG		16
/* The same of struct vmm_call. */
#define VMM_PROG_CALL		2048
#define VMM_CALL_NR		(VMM_PROG_CALL + 0)
#define VMM_CALL_ARG0		(VMM_PROG_CALL + 8)
#define VMM_CALL_ARG1		(VMM_PROG_CALL + 16)
#define VMM_CALL_ARG2		(VMM_PROG_CALL + 24)
#define VMM_CALL_ARG3		(VMM_PROG_CALL + 32)
#define VMM_CALL_WANT		(VMM_PROG_CALL + 40)
#define VMM_CALL_RET		(VMM_PROG_CALL + 48)
#define VMM_CALL_OTHER		(VMM_PROG_CALL + 56)
#define VMM_CALL_OTHERS		(VMM_PROG_CALL + 64)
#define VMM_CALL_ROUNDS		(VMM_PROG_CALL + 72)
#define VMM_CALL_INTEL		(VMM_PROG_CALL + 76)
#define VMM_CALL_FLIP		(VMM_PROG_CALL + 80)

/* Kinds of steps. */
#define VMM_CPUID		0
#define VMM_OUT_USER		1	/* a port that user space handles */
#define VMM_OUT_KERNEL		2	/* a port of KVM's own PIC */
#define VMM_MMIO		3	/* a write to where no memory is */
#define VMM_HLT			4	/* sleeps in KVM, ended by an interrupt */
#define VMM_HLT_USER		5	/* no irqchip in KVM: ends in user space */
#define VMM_HYPERCALL		6	/* one that KVM does not know */
#define VMM_RDMSR		7
#define VMM_WRMSR		8
#define VMM_TOUCH		9	/* pages that were never touched before */
#define VMM_SPIN		10	/* no exits, just so many rounds */
/* These three go from page to page, beginning at the step's argument. */
#define VMM_READ		11
#define VMM_WRITE		12
#define VMM_CALL		13	/* of a RET that is there */
#define VMM_CR4			14	/* bits of CR4, the step's argument, twice */
/* Two vCPUs wake each other: send and halt, halt and send; see vmm_wakes(). */
#define VMM_PING		15
#define VMM_PONG		16
/* A hypercall as struct vmm_call says. */
#define VMM_KVMX		17
#define VMM_KINDS		18

/* What guest.S uses. On Intel these are VMM_HYPERCALL and VMM_KVMX. */
#define VMM_VMCALL		18
#define VMM_KVMX_VMCALL		19
#define VMM_DONE_PORT		0x5e0
#define VMM_USER_PORT		0x5e4
#define VMM_PIC_PORT		0x21
#define VMM_VECTOR		0x40
#define VMM_ICR			0x830	/* x2APIC: sends an interrupt */
#define VMM_MSR			0x17a	/* MCG_STATUS: takes 0, gives 0 */
#define VMM_NO_CALL		0x7ffffff0

#ifndef __ASSEMBLER__

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <linux/kvm.h>

#define VMM_MAX_STEPS		32
#define VMM_MAX_VCPUS		64
#define VMM_FRESH_VCPUS		48	/* the first ones have pages to touch */
#define VMM_FRESH_PAGES		4096	/* per vCPU */
/* Memory nowhere, in the last 2 MB that the guest's page tables map. */
#define VMM_HOLE_GPA		0x3fe00000UL

struct vmm_step {
	uint32_t kind;
	uint32_t reserved;
	uint64_t n;
	uint64_t arg;			/* set by vmm_run(), see above */
};

/* In the guest's memory, one page for each vCPU; its stack grows below it. */
struct vmm_prog {
	uint32_t nr;
	uint32_t halts;			/* the guest counts before each HLT */
	uint64_t reserved;
	struct vmm_step steps[VMM_MAX_STEPS];
};

/* Behind it in the same page: what VMM_KVMX does, and what came of it. */
struct vmm_call {
	uint64_t nr;
	uint64_t arg[4];
	uint64_t want;			/* the answer that is expected */
	uint64_t ret;			/* the last answer */
	uint64_t other;			/* the last one that was not expected */
	uint64_t others;		/* how many those were */
	/* For vmm_32(): */
	uint32_t rounds;
	uint32_t intel;
	uint64_t flip;			/* arg[1] is another one the next time */
};

struct vmm;

struct vmm_vcpu {
	struct vmm *vm;
	int fd;
	unsigned int id;		/* KVM's vcpu_id */
	struct kvm_run *run;
	struct vmm_prog *prog;
	bool ready;			/* its registers are set */

	unsigned int fresh;		/* pages touched so far */
	void *fresh_mem;

	/* How long a guest is left halted before it is woken up. */
	unsigned int halt_us;
	/* How long user space takes to handle a VMM_OUT_USER or HLT_USER. */
	unsigned int user_us;

	/* What it did so far. */
	uint64_t did[VMM_KINDS];
	uint64_t dones;			/* ends of batches: one OUT each */
	uint64_t runs;			/* times that KVM_RUN returned */
	uint64_t tsc_in;		/* TSC ticks inside KVM_RUN */
	uint64_t tsc_out;		/* ... between two of them, in one batch */

	/* vmm_start() */
	pthread_t thread;
	bool started;
	volatile int tid;
	volatile bool stop;
	struct vmm_step loop[VMM_MAX_STEPS];
	unsigned int nr_loop;
	volatile uint64_t rounds;
};

struct vmm {
	int fd;
	bool irqchip;
	uint8_t *mem;
	unsigned int nr_vcpus;
	struct vmm_vcpu vcpu[VMM_MAX_VCPUS];
};

#define VMM_IRQCHIP	1

/* All of these end the program, with a reason, where something fails. */
struct vmm *vmm_create(unsigned int flags);
struct vmm_vcpu *vmm_add_vcpu(struct vmm *vm);
struct vmm_vcpu *vmm_add_vcpu_id(struct vmm *vm, unsigned int id);
/* Registers as a batch needs them; at first, and after a reset. */
void vmm_set_up(struct vmm_vcpu *v);
/* Instead: the same guest as a user program; a guest that only calls, in 32 bits. */
void vmm_set_up_user(struct vmm_vcpu *v);
void vmm_set_up_32(struct vmm_vcpu *v);
void vmm_destroy(struct vmm *vm);
/* Closes /dev/kvm, which is kept open otherwise and holds KVM's module. */
void vmm_let_go(void);
/* In every order: fds may be closed by the caller, who then sets them to -1. */

/* Runs a batch in the calling thread. */
void vmm_run(struct vmm_vcpu *v, const struct vmm_step *steps, unsigned int nr);
void vmm_do(struct vmm_vcpu *v, unsigned int kind, uint64_t n);
/*
 * Memory for VMM_READ, VMM_WRITE and VMM_CALL: mapped at 2 MB, from VMM_GPA on,
 * and never touched by anybody. A slot may be set again with other flags.
 */
#define VMM_GPA			0x38000000UL
#define VMM_HUGE_PAGE		0x200000UL
#define VMM_SLOT		100
void *vmm_map_huge(size_t size);
void vmm_set_slot(struct vmm *vm, unsigned int slot, uint64_t gpa, void *mem,
		  size_t size, uint32_t flags);

/* What VMM_KVMX does. */
static inline struct vmm_call *vmm_call(const struct vmm_vcpu *v)
{
	return (void *)((uint8_t *)v->prog + VMM_PROG_CALL);
}

/* Argument of VMM_PING and VMM_PONG: an interrupt for @v. */
uint64_t vmm_wakes(const struct vmm_vcpu *v);

/* Touches all that is touched once: afterwards page faults are exact. */
void vmm_warm(struct vmm_vcpu *v);

/* Runs batches in a thread of its own, @rounds of them or until vmm_stop(). */
void vmm_start(struct vmm_vcpu *v, const struct vmm_step *steps,
	       unsigned int nr);
void vmm_stop(struct vmm_vcpu *v);

bool vmm_intel(void);
/* Name of the exit reason that a kind of step provokes, NULL for none. */
const char *vmm_reason(unsigned int kind);
/*
 * How many exits of a reason a vCPU has provoked. Interrupts (VMM_HLT) end by
 * an EOI that may or may not exit, and page faults happen before vmm_warm(): such
 * figures are for differences only.
 */
uint64_t vmm_provoked(const struct vmm_vcpu *v, const char *reason);

static inline uint64_t vmm_tsc(void)
{
	uint32_t lo, hi;

	asm volatile("lfence; rdtsc" : "=a" (lo), "=d" (hi) : : "memory");
	return (uint64_t)hi << 32 | lo;
}

#endif /* __ASSEMBLER__ */
#endif /* KVMX_LIB_VMM_H */
