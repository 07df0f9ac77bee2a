/* SPDX-License-Identifier: GPL-2.0-only */
/* kvmx ept: what it prints of a VM, and its parts. */
#ifndef KVMX_TOOL_EPT_VIEW_H
#define KVMX_TOOL_EPT_VIEW_H

#include "stat.h"

void ept_put_vm(struct stat_view *view, struct watch_vm *vm);

/* ept_lists.c; @measured is in ticks */
void ept_put_lists(struct stat_view *view, const struct source *s);
void ept_put_io(struct stat_view *view, const struct source *s, __u64 measured);

/* ept_backing.c */
void ept_put_backing(struct stat_view *view, const struct watch_vm *vm);

/* What a figure rose by since the mark; 0 where there is none. */
__u64 ept_rise(const struct source *s, const char *name);
/* The same with its label, or none. */
struct val ept_rise_val(const struct source *s, const char *name);
/* A histogram since the mark; false where there is none. */
bool ept_hist(const struct source *s, const char *name, struct hist *h);
/* How many per second. */
struct val ept_rate(const struct stat_view *view, __u64 n, __u64 measured);

#endif /* KVMX_TOOL_EPT_VIEW_H */
