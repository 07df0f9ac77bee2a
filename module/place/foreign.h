/* SPDX-License-Identifier: GPL-2.0-only */
/* Policy isolate keeps other VMs away; other programs it can only name. */
#ifndef KVMX_PLACE_FOREIGN_H
#define KVMX_PLACE_FOREIGN_H

struct kvmx_layout;
struct kvmx_vm;

void kvmx_foreign_note(struct kvmx_layout *l, const struct kvmx_vm *vm);

#endif /* KVMX_PLACE_FOREIGN_H */
