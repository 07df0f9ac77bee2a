/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The schema: which exit code counts in which slot, and the descriptors that
 * tell readers what is where (format of KVM_GET_STATS_FD).
 */
#ifndef KVMX_STATS_SCHEMA_H
#define KVMX_STATS_SCHEMA_H

#include <linux/types.h>

#include "core/vm.h"
#include "stats/counters.h"

/**
 * struct kvmx_counter - one figure, from which a descriptor is made
 * @name: as in the descriptor
 * @offset: in struct kvmx_data, in bytes
 * @size: number of u64
 * @type: KVM_STATS_TYPE_*
 * @unit: KVM_STATS_UNIT_*
 * @exponent: of the unit
 * @fold: how a VM's figure is made from its vCPUs'
 * @needs: KVMX_NEED_* bits
 * @group: KVMX_STATS_* bit of its group, 0 for what every fd has
 */
struct kvmx_counter {
	char name[KVMX_STAT_NAME_LEN];
	u32 offset;
	u16 size;
	u32 type;
	u32 unit;
	s16 exponent;
	enum kvmx_fold fold;
	u32 needs;
	u32 group;
};

/* The block of a group in struct kvmx_data. */
struct kvmx_group {
	u32 bit;
	u32 offset;
	u32 size;
};

/* Codes below this are found in one step; both vendors' usual ones are. */
#define KVMX_DIRECT_CODES	0x480
#define KVMX_NO_SLOT		0xff

extern const struct kvmx_group kvmx_groups[KVMX_NR_GROUPS];

/**
 * struct kvmx_schema - everything of a statistics fd in front of its data
 * @size: bytes of @head, a multiple of the page size: KVM's data_offset
 * @data_size: bytes of data behind it
 * @id_offset: where in @head the id string goes
 * @head: header, room for the id string, descriptors
 */
struct kvmx_schema {
	u32 size;
	u32 data_size;
	u32 id_offset;
	u8 *head;
};

int kvmx_schema_init(void);
void kvmx_schema_exit(void);

struct kvmx_schema *kvmx_schema_build(bool whole_vm, u32 groups, u32 have);
void kvmx_schema_free(struct kvmx_schema *schema);

unsigned int kvmx_schema_nr_slots(void);
u32 kvmx_schema_data_size(void);
void kvmx_schema_fold(void *sum, const void *block, u32 group);
unsigned int kvmx_schema_named_slot(u64 code);
unsigned int kvmx_schema_slot(u64 code, u64 *unlisted);
void kvmx_schema_name(u64 code, char *name, size_t size);

#endif /* KVMX_STATS_SCHEMA_H */
