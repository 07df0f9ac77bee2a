/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVMX_STATS_TOP: the hottest rows of a vCPU or, added up, of a VM.
 */
#ifndef KVMX_STATS_TOP_H
#define KVMX_STATS_TOP_H

#include <linux/types.h>
#include <linux/kvmx.h>

struct kvmx_vcpu;
struct kvmx_vm;

/**
 * struct kvmx_top_list - rows and what is not among them
 * @row: hottest first
 * @nr: how many
 * @others_count: see struct kvmx_top
 * @others_time: see struct kvmx_top
 */
struct kvmx_top_list {
	struct kvmx_top_row *row;
	u32 nr;
	u64 others_count;
	u64 others_time;
};

u32 kvmx_top_group(u32 what);
bool kvmx_top_names(u32 what);
int kvmx_top_make(struct kvmx_top_list *list, struct kvmx_vm *vm,
		  struct kvmx_vcpu *vcpu, u32 what);
void kvmx_top_free(struct kvmx_top_list *list);

#endif /* KVMX_STATS_TOP_H */
