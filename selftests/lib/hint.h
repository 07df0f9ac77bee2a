/* SPDX-License-Identifier: GPL-2.0-only */
/* Hints, from both sides: policies of a VM fd, and calls of a guest. */
#ifndef KVMX_LIB_HINT_H
#define KVMX_LIB_HINT_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/kvm_para.h>
#include <linux/kvmx_hint.h>

#include "vmm.h"

#define HINT_ALL_KINDS	(1U << KVMX_KIND_CRITICAL | 1U << KVMX_KIND_LATENCY | \
			 1U << KVMX_KIND_BATCH | 1U << KVMX_KIND_YIELD_TO)
/* Memory of a guest that nothing else uses. */
#define HINT_AREA	0x20000UL

/*
 * A guest of one vCPU; @fd is a VM fd, from @node, that may change something.
 * hint_guest_end() takes all of it away; fds that are -1 by then are closed already.
 */
struct vmm_vcpu *hint_guest(unsigned int flags, int *node, int *fd);
void hint_guest_end(struct vmm_vcpu *v, int node, int fd);
/* Its area at HINT_AREA, not registered; all it will touch was touched. */
struct kvmx_area *hint_area(struct vmm_vcpu *v);

/* A policy that allows nothing; sizes are set. */
struct kvmx_hint hint_policy(void);
/* The same with some kinds (1 << KVMX_KIND_*) allowed to do @effect. */
struct kvmx_hint hint_effect(unsigned int kinds, unsigned int effect, int arg);
/* 0 or the errno of KVMX_VM_HINT. */
int hint_set(int vm, const struct kvmx_hint *policy);
/* hint_effect() and hint_set(), which must work. */
void hint_allow(int vm, unsigned int kinds, unsigned int effect, int arg);
void hint_off(int vm);
struct kvmx_hint hint_get(int vm);
struct kvmx_hint_counts hint_counts(int vm, unsigned int vcpu,
				    unsigned int kind);

/* One call of the guest, in the calling thread, and its answer. */
int64_t hint_call(struct vmm_vcpu *v, uint32_t op, uint32_t a1, uint32_t a2,
		  uint32_t a3);
/* The same: KVMX_HC_QUERY. */
int64_t hint_query(struct vmm_vcpu *v, uint32_t what);
/* What the calls of v's next VMM_KVMX are, and the answer that is expected. */
void hint_load(struct vmm_vcpu *v, uint32_t op, uint32_t a1, uint32_t a2,
	       uint32_t a3, int64_t want);

/*
 * Sends a thread a signal that does nothing, every @us; between hint_pester() and
 * hint_leave_alone(), one thread at a time.
 */
void hint_pester(int tid, unsigned int us);
void hint_leave_alone(void);

/* How a thread is scheduled, without flags. */
int hint_sched(int tid);
/*
 * Waits until that is @policy. Returns how long it took, in us, or HINT_NEVER, which
 * is more than any test allows.
 */
#define HINT_NEVER	UINT64_MAX
uint64_t hint_until(int tid, int policy);
uint64_t hint_now_us(void);

/* The thread of kvmx that ends what nobody else ends; 0: there is none. */
int hint_kthread(void);

#endif /* KVMX_LIB_HINT_H */
