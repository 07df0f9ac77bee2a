/* SPDX-License-Identifier: GPL-2.0-only */
/* Threads of a VMM besides its vCPUs, which do nothing but be there. */
#ifndef KVMX_LIB_STAFF_H
#define KVMX_LIB_STAFF_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct staff {
	pthread_t thread;
	const char *volatile name;	/* that it gives itself, or NULL */
	volatile int tid;
	volatile bool stop;
	/* What it had in its very first instructions, and where it was. */
	volatile uint64_t cpus;
	volatile int cpu;
};

/* Returns when it runs and has its name. */
void staff_start(struct staff *s, const char *name);
/* Returns when it has given itself another one. */
void staff_rename(struct staff *s, const char *name);
void staff_stop(struct staff *s);
/* A thread that only looks what it has, and ends; what it had. */
uint64_t staff_glance(int *cpu);

#endif /* KVMX_LIB_STAFF_H */
