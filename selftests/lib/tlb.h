/* SPDX-License-Identifier: GPL-2.0-only */
/* What tests of KVMX_STATS_TLB have in common: a vCPU, and differences. */
#ifndef KVMX_LIB_TLB_H
#define KVMX_LIB_TLB_H

#include <stdint.h>

#include "kvmx.h"
#include "vmm.h"

#define TLB_TEXT	512

struct tlb {
	int node, fd, cpu;	/* the thread is bound to that CPU */
	struct vmm *vm;
	struct vmm_vcpu *v;
	uint8_t *mem;		/* at VMM_GPA, a huge page */
	struct stats *s;
	uint8_t *base;		/* its data, before */
	char want[TLB_TEXT], got[TLB_TEXT];
};

void tlb_begin(struct tlb *t);
void tlb_end(struct tlb *t);

/* Here the interval begins that the functions below are about. */
void tlb_mark(struct tlb *t);
/* By how much a figure rose, or all whose names begin alike. */
uint64_t tlb_rise(struct tlb *t, const char *name);
uint64_t tlb_rises(struct tlb *t, const char *prefix);
/* All about flushes that rose, and by how much: " flushes=3 cause.remote=3". */
const char *tlb_changes(struct tlb *t);

#define tlb_expect(t, fmt, ...) do {					\
	snprintf((t)->want, TLB_TEXT, fmt, __VA_ARGS__);		\
	EXPECT_STREQ((t)->want, tlb_changes(t));			\
} while (0)

/* What a flush of everything is, if the vCPU stays on its CPU. */
const char *tlb_whole(void);
/* The same where it had moved. */
const char *tlb_moved(void);
/* The same on behalf of the guest. */
const char *tlb_guest(void);

/* Writes to a page of @mem in the guest, and takes it away again. */
void tlb_write_page(struct vmm_vcpu *v, unsigned int page);
void tlb_take_page(uint8_t *mem, unsigned int page);

#endif /* KVMX_LIB_TLB_H */
