/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The walk: VMs that are older than our knowledge of them are found through the
 * files that threads have open. While an fd holds a VM, it can be looked into.
 */
#ifndef KVMX_CORE_DISCOVER_H
#define KVMX_CORE_DISCOVER_H

#include <linux/types.h>

struct file;
struct kvm;
struct kvmx_vm;

int kvmx_discover_all(void);
void kvmx_discover_doing(struct kvmx_vm *vm);
bool kvmx_discover_look(struct kvmx_vm *vm,
			void (*look)(struct kvm *kvm, void *arg), void *arg);
struct kvmx_vm *kvmx_discover_file(struct file *file);

#endif /* KVMX_CORE_DISCOVER_H */
