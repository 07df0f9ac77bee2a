/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What hints of its guest a VM may have followed: who says so, for how long, and
 * what that needs.
 */
#ifndef KVMX_HINT_POLICY_H
#define KVMX_HINT_POLICY_H

#include <linux/types.h>

struct kvmx_hint;
struct kvmx_hint_counts;
struct kvmx_vm;

int kvmx_hint_set(struct kvmx_vm *vm, const struct kvmx_hint *wish,
		  const void *owner);
void kvmx_hint_get(struct kvmx_vm *vm, struct kvmx_hint *to);
int kvmx_hint_counts(struct kvmx_vm *vm, struct kvmx_hint_counts *counts);
void kvmx_hint_release(struct kvmx_vm *vm, const void *owner);

void kvmx_hint_init(void);
void kvmx_hint_exit(void);

#endif /* KVMX_HINT_POLICY_H */
