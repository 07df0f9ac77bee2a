/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the guests of vmm.c execute: 64-bit code, copied into their memory.
 * RDI is the vCPU's struct vmm_prog, RSP its stack.
 */
#include "vmm.h"

	.section .rodata
	.globl	vmm_guest, vmm_guest_32, vmm_guest_irq, vmm_guest_end
	.balign	16
	.code64

/* Goes to a step's code if the step in R8 is of that kind. */
	.macro	step kind, to
	cmpl	$\kind, %r8d
	je	\to
	.endm

/* Closes the code of a step: once more, or on to the next one. */
	.macro	again to
	decq	%r13
	jnz	\to
	jmp	next
	.endm

vmm_guest:
	leaq	VMM_PROG_STEPS(%rdi), %rsi
	movl	VMM_PROG_NR(%rdi), %r12d
	jmp	first
next:
	addq	$VMM_STEP_SIZE, %rsi
	decl	%r12d
first:
	testl	%r12d, %r12d
	jz	done
	movl	(%rsi), %r8d
	movq	VMM_STEP_N(%rsi), %r13
	movq	VMM_STEP_ARG(%rsi), %r14
	testq	%r13, %r13
	jz	next
	step	VMM_CPUID, do_cpuid
	step	VMM_OUT_USER, do_out_user
	step	VMM_OUT_KERNEL, do_out_kernel
	step	VMM_MMIO, do_mmio
	step	VMM_HLT, do_hlt
	step	VMM_HLT_USER, do_hlt_user
	step	VMM_HYPERCALL, do_vmmcall
	step	VMM_VMCALL, do_vmcall
	step	VMM_RDMSR, do_rdmsr
	step	VMM_WRMSR, do_wrmsr
	step	VMM_TOUCH, do_touch
	step	VMM_SPIN, do_spin
	step	VMM_READ, do_read
	step	VMM_WRITE, do_touch
	step	VMM_CALL, do_call
	step	VMM_CR4, do_cr4
	step	VMM_PING, do_ping
	step	VMM_PONG, do_pong
	step	VMM_KVMX, do_kvmx_vmmcall
	step	VMM_KVMX_VMCALL, do_kvmx_vmcall
	ud2
done:
	movw	$VMM_DONE_PORT, %dx
	outb	%al, %dx
	jmp	vmm_guest

do_cpuid:
	xorl	%eax, %eax
	xorl	%ecx, %ecx
	cpuid
	again	do_cpuid

do_out_user:
	movw	$VMM_USER_PORT, %dx
1:	outb	%al, %dx
	again	1b

do_out_kernel:
	movb	$0xff, %al
1:	outb	%al, $VMM_PIC_PORT
	again	1b

do_mmio:
	movb	$1, (%r14)
	again	do_mmio

/*
 * The host sends one interrupt for each value of halts. It is let in only by
 * the STI, whose shadow reaches over the HLT: no HLT is missed, none comes twice.
 */
do_hlt:
	incl	VMM_PROG_HALTS(%rdi)
	sti
	hlt
	cli
	again	do_hlt

do_hlt_user:
	hlt
	again	do_hlt_user

do_vmmcall:
	movl	$VMM_NO_CALL, %eax
	vmmcall
	again	do_vmmcall

do_vmcall:
	movl	$VMM_NO_CALL, %eax
	vmcall
	again	do_vmcall

do_rdmsr:
	movl	$VMM_MSR, %ecx
	rdmsr
	again	do_rdmsr

do_wrmsr:
	movl	$VMM_MSR, %ecx
	xorl	%eax, %eax
	xorl	%edx, %edx
	wrmsr
	again	do_wrmsr

do_touch:
	movb	$1, (%r14)
	addq	$4096, %r14
	again	do_touch

do_read:
	movb	(%r14), %al
	addq	$4096, %r14
	again	do_read

do_call:
	callq	*%r14
	addq	$4096, %r14
	again	do_call

do_cr4:
	movq	%cr4, %rax
	xorq	%r14, %rax
	movq	%rax, %cr4
	xorq	%r14, %rax
	movq	%rax, %cr4
	again	do_cr4

do_spin:
	again	do_spin

/* Interrupts another vCPU, which may or may not have halted yet. */
	.macro	send
	movl	$VMM_ICR, %ecx
	movl	%r14d, %eax
	movq	%r14, %rdx
	shrq	$32, %rdx
	wrmsr
	.endm

do_ping:
	send
	sti
	hlt
	cli
	again	do_ping

do_pong:
	sti
	hlt
	cli
	send
	again	do_pong

/* A call as struct vmm_call says; what is not expected is counted. */
	.macro	kvmx insn, to
	pushq	%rsi
	movq	VMM_CALL_NR(%rdi), %rax
	movq	VMM_CALL_ARG0(%rdi), %rbx
	movq	VMM_CALL_ARG1(%rdi), %rcx
	movq	VMM_CALL_ARG2(%rdi), %rdx
	movq	VMM_CALL_ARG3(%rdi), %rsi
	\insn
	popq	%rsi
	movq	%rax, VMM_CALL_RET(%rdi)
	cmpq	%rax, VMM_CALL_WANT(%rdi)
	je	1f
	movq	%rax, VMM_CALL_OTHER(%rdi)
	incq	VMM_CALL_OTHERS(%rdi)
1:	movq	VMM_CALL_FLIP(%rdi), %rax
	xorq	%rax, VMM_CALL_ARG1(%rdi)
	again	\to
	.endm

do_kvmx_vmmcall:
	kvmx	vmmcall, do_kvmx_vmmcall

do_kvmx_vmcall:
	kvmx	vmcall, do_kvmx_vmcall

/* The same all over, in 32-bit code: EDI is the vCPU's struct vmm_prog. */
	.code32
vmm_guest_32:
	movl	VMM_CALL_ROUNDS(%edi), %ebp
2:	movl	VMM_CALL_NR(%edi), %eax
	movl	VMM_CALL_ARG0(%edi), %ebx
	movl	VMM_CALL_ARG1(%edi), %ecx
	movl	VMM_CALL_ARG2(%edi), %edx
	movl	VMM_CALL_ARG3(%edi), %esi
	cmpl	$0, VMM_CALL_INTEL(%edi)
	jne	3f
	vmmcall
	jmp	4f
3:	vmcall
4:	movl	%eax, VMM_CALL_RET(%edi)
	cmpl	%eax, VMM_CALL_WANT(%edi)
	je	5f
	movl	%eax, VMM_CALL_OTHER(%edi)
	incl	VMM_CALL_OTHERS(%edi)
5:	decl	%ebp
	jnz	2b
	movw	$VMM_DONE_PORT, %dx
	outb	%al, %dx
	jmp	vmm_guest_32
	.code64

/* The x2APIC's end of interrupt. */
vmm_guest_irq:
	pushq	%rax
	pushq	%rcx
	pushq	%rdx
	movl	$0x80b, %ecx
	xorl	%eax, %eax
	xorl	%edx, %edx
	wrmsr
	popq	%rdx
	popq	%rcx
	popq	%rax
	iretq
vmm_guest_end:

	.section .note.GNU-stack, "", @progbits
