/* SPDX-License-Identifier: GPL-2.0-only */
/* The scheduler's view of a thread, and company for it on its CPU. */
#ifndef KVMX_LIB_COMPANY_H
#define KVMX_LIB_COMPANY_H

#include <stdint.h>

struct sched {
	uint64_t ran, waited;	/* ns */
	uint64_t turns;		/* on a CPU */
};

/* schedstat of a thread of this process. */
void read_sched(int tid, struct sched *to);
/* The same of another process' first thread, or of a kernel thread. */
void read_sched_of(int pid, struct sched *to);
void pin(int tid, int cpu);
int last_cpu(void);
#define HOG_NAME	"kvmx_hog"
/* A process that never sleeps, on one CPU: its pid. */
int hog(int cpu);
/* The same on any CPU, which does that all the time. */
int hog_with(void (*work)(void));
void hog_end(int pid);

#endif /* KVMX_LIB_COMPANY_H */
