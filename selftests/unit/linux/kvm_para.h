/* SPDX-License-Identifier: GPL-2.0-only */
/* A host to call, which the test plays. */
#ifndef KVMX_UNIT_LINUX_KVM_PARA_H
#define KVMX_UNIT_LINUX_KVM_PARA_H

#define KVM_ENOSYS	1000
#define KVM_EINVAL	22

long kvm_hypercall4(unsigned int nr, unsigned long a, unsigned long b,
		    unsigned long c, unsigned long d);

#endif /* KVMX_UNIT_LINUX_KVM_PARA_H */
