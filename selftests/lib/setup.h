/* SPDX-License-Identifier: GPL-2.0-only */
/* What tests of the ABI begin with: a VM of two vCPUs, an fd of each kind. */
#ifndef KVMX_LIB_SETUP_H
#define KVMX_LIB_SETUP_H

#include <stdint.h>

#include "vmm.h"

#define PAGE	4096

enum place { ON_NODE, ON_VM, ON_STATS };

struct setup {
	struct vmm *vm;		/* vcpu_id of the second vCPU is 7 */
	int fd[3];
	uint8_t *buf;		/* a page; the one behind it is not mapped */
};

void setup_begin(struct setup *s);
void setup_end(struct setup *s);

/*
 * vmm_do() in a thread that ends, after which nothing changes any more: of a
 * thread that lives each turn on a CPU counts for its vCPU.
 */
void do_aside(struct vmm_vcpu *v, unsigned int kind, uint64_t n);

/* 0, or the errno of an ioctl; an fd that it returns is closed. */
int try_ioctl(int fd, unsigned int cmd, const void *arg);

#endif /* KVMX_LIB_SETUP_H */
