/* SPDX-License-Identifier: GPL-2.0-only */
/* Getting hold of the module and of VMs; where that fails, saying what to do. */
#ifndef KVMX_TOOL_SELECT_H
#define KVMX_TOOL_SELECT_H

#include <linux/kvmx.h>

enum select_by { SELECT_ALL, SELECT_ID, SELECT_PID };

struct selection {
	enum select_by by;
	__u64 key;
};

int connect_module(struct kvmx_info *info);
int connect_module_to_change(struct kvmx_info *info);
int select_vm(int dev, const struct selection *sel, __u64 *id);
char *ids_of(int dev, __u64 pid);
void list_vms(int dev, struct kvmx_vm_info **vms, unsigned int *nr);

#endif /* KVMX_TOOL_SELECT_H */
