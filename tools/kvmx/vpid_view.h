/* SPDX-License-Identifier: GPL-2.0-only */
/* kvmx vpid: what it prints of a VM, and its parts. */
#ifndef KVMX_TOOL_VPID_VIEW_H
#define KVMX_TOOL_VPID_VIEW_H

#include "stat.h"

void vpid_put_vm(struct stat_view *view, struct watch_vm *vm);

/* vpid_tag.c: tags, and who has the same. */
void vpid_put_tags(struct stat_view *view, const struct watch_vm *vm,
		   const struct tally *each);
void vpid_put_tag(struct stat_view *view, const struct watch_vm *vm,
		  const struct watch_vcpu *v);

/* Returns of a vCPU since the mark, and those that found their entries. */
struct returns {
	__u64 all;
	__u64 kept;
	bool known;
};

void vpid_returns(const struct source *s, struct returns *r);

#endif /* KVMX_TOOL_VPID_VIEW_H */
