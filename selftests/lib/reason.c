// SPDX-License-Identifier: GPL-2.0-only
/* Which exits the steps of a guest provoke, by vendor. */
#include <cpuid.h>
#include <string.h>

#include "vmm.h"

bool vmm_intel(void)
{
	unsigned int a, b, c, d;

	__cpuid(1, a, b, c, d);
	return c & (1U << 5);	/* VMX */
}

const char *vmm_reason(unsigned int kind)
{
	static const struct {
		const char *intel, *amd;
	} names[VMM_KINDS] = {
		[VMM_CPUID] = { "CPUID", "cpuid" },
		[VMM_OUT_USER] = { "IO_INSTRUCTION", "io" },
		[VMM_OUT_KERNEL] = { "IO_INSTRUCTION", "io" },
		[VMM_MMIO] = { "EPT_MISCONFIG", "npf" },
		[VMM_HLT] = { "HLT", "hlt" },
		[VMM_HLT_USER] = { "HLT", "hlt" },
		[VMM_HYPERCALL] = { "VMCALL", "hypercall" },
		[VMM_KVMX] = { "VMCALL", "hypercall" },
		[VMM_RDMSR] = { "MSR_READ", "msr" },
		[VMM_WRMSR] = { "MSR_WRITE", "msr" },
		[VMM_TOUCH] = { "EPT_VIOLATION", "npf" },
		[VMM_SPIN] = { NULL, NULL },
		/* These depend on what is there. */
		[VMM_READ] = { NULL, NULL },
		[VMM_WRITE] = { NULL, NULL },
		[VMM_CALL] = { NULL, NULL },
		[VMM_CR4] = { NULL, NULL },
		/* So many of several reasons. */
		[VMM_PING] = { NULL, NULL },
		[VMM_PONG] = { NULL, NULL },
	};

	return vmm_intel() ? names[kind].intel : names[kind].amd;
}

uint64_t vmm_provoked(const struct vmm_vcpu *v, const char *reason)
{
	uint64_t n = 0;
	unsigned int i;

	for (i = 0; i < VMM_KINDS; i++)
		if (vmm_reason(i) && !strcmp(vmm_reason(i), reason))
			n += v->did[i];
	if (!strcmp(vmm_reason(VMM_OUT_USER), reason))
		n += v->dones;
	return n;
}
