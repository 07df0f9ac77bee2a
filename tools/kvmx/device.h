/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only way to the module. Thin, so that the tests can put a device of their
 * own in its place: no messages and no decisions here. What returns an int
 * returns a negative errno where it failed.
 */
#ifndef KVMX_TOOL_DEVICE_H
#define KVMX_TOOL_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <linux/kvmx.h>
#include <linux/kvmx_hint.h>
#include <linux/kvmx_place.h>

int device_open(bool write);
void device_close(int fd);
bool device_module_loaded(void);
bool device_module_installed(void);

int device_info(int dev, struct kvmx_info *info);
int device_cost(int dev, struct kvmx_cost *cost);
int device_features(int dev, struct kvmx_feature **features, unsigned int *nr);
int device_list(int dev, struct kvmx_vm_info **vms, unsigned int *nr);
int device_open_vm(int dev, __u32 by, __u64 key, __u64 *id);

int device_vm_info(int vm, struct kvmx_vm_info *info);
int device_vm_vcpus(int vm, struct kvmx_vcpu_info **vcpus, unsigned int *nr);
int device_vm_stats(int vm, __u32 vcpu, __u32 groups);

int device_place(int vm, struct kvmx_place *place);
int device_commit(int vm);
int device_clear(int vm);
int device_placed(int vm, struct kvmx_placed *placed);
int device_events(int dev, __u64 mask);
ssize_t device_read_events(int events, void *buf, size_t size);

int device_hint(int vm, struct kvmx_hint *hint);
int device_hinted(int vm, struct kvmx_hint *hint);
int device_hint_counts(int vm, __u32 vcpu, __u32 kind,
		       struct kvmx_hint_counts *counts);

ssize_t device_read(int stats, void *buf, size_t size, off_t at);
int device_top(int stats, __u32 what, struct kvmx_top_row **rows,
	       unsigned int *nr, __u64 *others_count, __u64 *others_time);
int device_notes(int stats, struct kvmx_note **notes, unsigned int *nr);

#endif /* KVMX_TOOL_DEVICE_H */
