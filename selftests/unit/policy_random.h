/* SPDX-License-Identifier: GPL-2.0-only */
/* Random machines and VMs, for tests of the policies. */
#ifndef KVMX_UNIT_POLICY_RANDOM_H
#define KVMX_UNIT_POLICY_RANDOM_H

#include "policy_box.h"

void random_begin(u64 number);
u64 random_below(u64 below);
bool random_one_in(u64 n);
void random_machine(struct box *b);
void random_vm(struct box *b, u32 max);
void random_neighbours(struct box *b);

#endif /* KVMX_UNIT_POLICY_RANDOM_H */
