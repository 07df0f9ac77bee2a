/* SPDX-License-Identifier: GPL-2.0-only */
/* VMMs in processes of their own, there to be killed. */
#ifndef KVMX_LIB_MORTAL_H
#define KVMX_LIB_MORTAL_H

#include <stdint.h>
#include <sys/types.h>

enum mortal_kind {
	MORTAL_RUNS,		/* its vCPUs exit, in all sorts of ways, and hint */
	MORTAL_TOILS,		/* the same, and they never sleep */
	MORTAL_HALTS,		/* they are halted, for a minute */
	MORTAL_CREATES,		/* makes VMs with twenty vCPUs, one after the other */
};

/* Returns when all its vCPUs run, or the first VM has its first one. */
pid_t mortal_start(enum mortal_kind kind, unsigned int vcpus);
/* SIGKILL, which no thread of it survives; and waits until it is gone. */
void mortal_kill(pid_t pid);
/* A random time of up to @us microseconds. */
void mortal_moment(unsigned int us);

#endif /* KVMX_LIB_MORTAL_H */
