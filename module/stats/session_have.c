// SPDX-License-Identifier: GPL-2.0-only
#include <linux/kernel.h>
#include <asm/cpufeature.h>

#include "core/feature.h"
#include "stats/counters.h"
#include "stats/session.h"

static bool off(enum kvmx_feature_id id)
{
	return kvmx_feature_state(id) == KVMX_FEATURE_OFF;
}

/* Of the TLB: what the vendor's functions and fields tell. */
static u32 have_tlb(u32 have)
{
	static const enum kvmx_feature_id functions[2][4] = {
		{ KVMX_F_VMX_ALL, KVMX_F_VMX_CURRENT, KVMX_F_VMX_GUEST,
		  KVMX_F_VMX_GVA },
		{ KVMX_F_SVM_ALL, KVMX_F_SVM_CURRENT, KVMX_F_SVM_ASID,
		  KVMX_F_SVM_GVA },
	};
	const u32 whole = KVMX_NEED_F_ALL | KVMX_NEED_F_CURRENT |
			  KVMX_NEED_F_GUEST;
	bool svm = boot_cpu_has(X86_FEATURE_SVM);
	u32 tlb = svm ? KVMX_NEED_SVM : KVMX_NEED_VMX;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(functions[svm]); i++)
		if (!off(functions[svm][i]))
			tlb |= KVMX_NEED_F_ALL << i;
	if (!off(svm ? KVMX_F_VMCB : KVMX_F_VMREAD) && !off(KVMX_F_LAYOUT))
		tlb |= KVMX_NEED_TAG;
	if (have & KVMX_NEED_SWITCH && tlb & KVMX_NEED_TAG &&
	    (svm || (tlb & whole) == whole))
		tlb |= KVMX_NEED_RETENTION;
	return tlb;
}

/**
 * kvmx_session_have() - what figures can be made of, while probes are attached
 *
 * Context: any.
 * Return: KVMX_NEED_* bits.
 */
u32 kvmx_session_have(void)
{
	static const struct {
		enum kvmx_feature_id id;
		u32 bit;
	} needs[] = {
		{ KVMX_F_SWITCH, KVMX_NEED_SWITCH },
		{ KVMX_F_USER_EXIT, KVMX_NEED_USER },
		{ KVMX_F_FPU, KVMX_NEED_FPU },
		{ KVMX_F_WAKEUP, KVMX_NEED_WAKEUP },
		{ KVMX_F_FAULT, KVMX_NEED_FAULT },
	};
	u32 have = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(needs); i++)
		if (kvmx_feature_state(needs[i].id) == KVMX_FEATURE_ON)
			have |= needs[i].bit;
	if (KVMX_THROTTLED_IS_TOLD)
		have |= KVMX_NEED_THROTTLED;
	/* It is checked when a vCPU runs: until then nothing speaks against it. */
	if (kvmx_feature_state(KVMX_F_LAYOUT) != KVMX_FEATURE_OFF)
		have |= KVMX_NEED_LAYOUT;
	if (KVMX_TDP_PAGES_ARE_TOLD)
		have |= KVMX_NEED_TABLES;
	if (boot_cpu_has(X86_FEATURE_VMX))
		have |= KVMX_NEED_PML;
	have |= have_tlb(have);
	/* Kprobes are armed, but seen to work only when they were hit. */
	if (kvmx_feature_state(KVMX_F_SPTE) == KVMX_FEATURE_ON &&
	    kvmx_feature_state(KVMX_F_SPTE_OF) != KVMX_FEATURE_OFF)
		have |= KVMX_NEED_OPS;
	if (kvmx_feature_state(KVMX_F_COLLAPSE) != KVMX_FEATURE_OFF)
		have |= KVMX_NEED_COLLAPSE;
	return have;
}
