// SPDX-License-Identifier: GPL-2.0-only
/* Guests that are not what vmm.c makes of them: user programs, and 32-bit code. */
#include <sys/ioctl.h>

#include "die.h"
#include "vmm.h"

extern const uint8_t vmm_guest[], vmm_guest_32[];

/* A page that nothing else uses. */
#define GPA_DIRECTORY	0x13000

static void get(struct vmm_vcpu *v, struct kvm_regs *r, struct kvm_sregs *s)
{
	vmm_set_up(v);
	if (ioctl(v->fd, KVM_GET_SREGS, s) || ioctl(v->fd, KVM_GET_REGS, r))
		die_errno("registers of a vCPU");
}

static void set(struct vmm_vcpu *v, struct kvm_regs *r, struct kvm_sregs *s)
{
	if (ioctl(v->fd, KVM_SET_SREGS, s) || ioctl(v->fd, KVM_SET_REGS, r))
		die_errno("registers of a vCPU");
}

void vmm_set_up_user(struct vmm_vcpu *v)
{
	struct kvm_sregs s;
	struct kvm_regs r;

	get(v, &r, &s);
	s.cs.dpl = 3;
	s.cs.selector |= 3;
	s.ss.dpl = 3;
	s.ss.selector |= 3;
	r.rflags |= 0x3000;	/* it may use ports */
	set(v, &r, &s);
}

void vmm_set_up_32(struct vmm_vcpu *v)
{
	uint32_t *directory = (void *)(v->vm->mem + GPA_DIRECTORY), i;
	struct kvm_sregs s;
	struct kvm_regs r;

	/* Identity, 4 MB pages. */
	for (i = 0; i < 1024; i++)
		directory[i] = i << 22 | 0xe7;
	get(v, &r, &s);
	s.cs.l = 0;
	s.cs.db = 1;
	s.cr3 = GPA_DIRECTORY;
	s.cr4 = 0x10;		/* PSE */
	s.efer = 0;
	r.rip += vmm_guest_32 - vmm_guest;
	set(v, &r, &s);
	vmm_call(v)->intel = vmm_intel();
}
