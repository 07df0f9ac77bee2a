/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Placements of VMs: made, committed, replaced, cleared and shown. See
 * docs/abi.md for what the commands are to do, place/placement.h for how a
 * placement lives.
 */
#ifndef KVMX_PLACE_PLACE_H
#define KVMX_PLACE_PLACE_H

#include <linux/types.h>

#include "place/layout.h"

struct kvmx_placed;
struct kvmx_rows;
struct kvmx_vm;

int kvmx_place_make(struct kvmx_vm *vm, void *owner, struct kvmx_wishes *w,
		    u32 flags, struct kvmx_rows *rows);
int kvmx_place_commit(struct kvmx_vm *vm, void *owner);
int kvmx_place_clear(struct kvmx_vm *vm, void *owner);
int kvmx_place_show(struct kvmx_vm *vm, void *owner, struct kvmx_placed *to,
		    struct kvmx_rows *rows);
void kvmx_place_drop(struct kvmx_vm *vm, void *owner);

void kvmx_place_init(void);
void kvmx_place_exit(void);

#endif /* KVMX_PLACE_PLACE_H */
