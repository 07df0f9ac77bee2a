/* SPDX-License-Identifier: GPL-2.0-only */
/* Placing VMs, and where their threads then are, by the kernel's own word. */
#ifndef KVMX_LIB_PLACE_H
#define KVMX_LIB_PLACE_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/kvmx_place.h>

#define PLACE_WORDS	16
#define PLACE_THREADS	512
#define PLACE_NOTES	64
#define PLACE_MAP	64

/* A request, and the plan that came of it. */
struct placing {
	struct kvmx_place req;
	struct kvmx_placed placed;
	uint64_t cpus[PLACE_WORDS];
	uint64_t emulator[PLACE_WORDS];
	uint64_t io[PLACE_WORDS];
	struct kvmx_pin map[PLACE_MAP];
	struct kvmx_placed_thread threads[PLACE_THREADS];
	uint64_t masks[PLACE_THREADS][PLACE_WORDS];
	struct kvmx_place_note notes[PLACE_NOTES];
};

/* /dev/kvmx, open for writing; ends the program where that fails. */
int place_node(void);
/* A VM fd of such a node. */
int place_vm(int kvm_vm_fd);

/* A request with nothing but a policy. Sets are given as their first word. */
struct placing *place_new(unsigned int policy);
void place_cpus(struct placing *p, uint64_t cpus);
void place_emulator(struct placing *p, uint64_t cpus);
void place_io(struct placing *p, uint64_t cpus);
void place_pin(struct placing *p, unsigned int vcpu, unsigned int cpu);

/* 0 or the errno. */
int place_do(int vm, struct placing *p);
int place_commit(int vm);
int place_clear(int vm);
int place_show(int vm, struct placing *p);

/* The number of threads and notes in what place_do() or place_show() gave. */
unsigned int place_nr(const struct placing *p);
/* A thread of the plan, or NULL: by number, and by vCPU. */
int place_find(const struct placing *p, int tid);
int place_vcpu(const struct placing *p, unsigned int vcpu);
bool place_note(const struct placing *p, unsigned int kind);

/* The first 64 CPUs that a thread may use; 0 if there is no such thread. */
uint64_t cpus_of(int tid);
bool set_cpus(int tid, uint64_t cpus);

/* Who has which CPUs, in all threads of a process. */
#define MASKS_MAX	2048
struct masks {
	unsigned int nr;
	int tid[MASKS_MAX];
	uint64_t cpus[MASKS_MAX];
};

void masks_take(struct masks *m, int pid);
/* Threads that are in both have the same; says whose are not. */
bool masks_same(const struct masks *a, const struct masks *b);

#endif /* KVMX_LIB_PLACE_H */
