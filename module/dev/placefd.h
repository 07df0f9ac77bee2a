/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a VM fd has to do with placement: reading wishes, writing plans, and who
 * may do what. The rest is in place/place.h.
 */
#ifndef KVMX_DEV_PLACEFD_H
#define KVMX_DEV_PLACEFD_H

#include <linux/compiler_types.h>
#include <linux/types.h>

struct kvmx_vm;

/**
 * struct kvmx_placefd - the part of a VM fd; a placement belongs to its address
 * @vm: the VM
 * @no_names: tells no names and no tids
 * @writable: the node was open for writing
 * @made: there was a placement that belonged to it
 */
struct kvmx_placefd {
	struct kvmx_vm *vm;
	bool no_names;
	bool writable;
	bool made;
};

long kvmx_placefd_place(struct kvmx_placefd *f, void __user *arg);
long kvmx_placefd_commit(struct kvmx_placefd *f, void __user *arg);
long kvmx_placefd_clear(struct kvmx_placefd *f, void __user *arg);
long kvmx_placefd_placed(struct kvmx_placefd *f, void __user *arg);
void kvmx_placefd_release(struct kvmx_placefd *f);

#endif /* KVMX_DEV_PLACEFD_H */
