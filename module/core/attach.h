/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only file that attaches to tracepoints. KVM's are found by name in
 * kvm.ko, whenever that is loaded, and are attached while somebody counts; those
 * on threads of any process while the threads of some VM are watched. What they
 * call is in core/probe.c.
 */
#ifndef KVMX_CORE_ATTACH_H
#define KVMX_CORE_ATTACH_H

#include <linux/types.h>

#include "core/feature.h"

struct tracepoint;

/**
 * struct kvmx_hook - a tracepoint and the probe for it
 * @id: its feature, whose name is the tracepoint's
 * @in_kvm: defined in kvm.ko; else in the kernel itself
 * @fn: the probe
 * @wants: attached while one of these is wanted: groups, KVMX_WANT_*
 * @tp: the tracepoint while it is known to exist
 * @attached: the probe is registered
 * @err: why it could not be, when that was last tried
 */
struct kvmx_hook {
	enum kvmx_feature_id id;
	bool in_kvm;
	void *fn;
	u32 wants;
	struct tracepoint *tp;
	bool attached;
	int err;
};

#define KVMX_NR_HOOKS	13

/* In the order of attaching; detached the other way round. */
extern struct kvmx_hook kvmx_hooks[KVMX_NR_HOOKS];

/* Some VM may hint: for probes that are not for hints alone. */
extern bool kvmx_attach_hints;

int kvmx_attach_init(void);
void kvmx_attach_exit(void);

int kvmx_attach_get(u32 groups);
void kvmx_attach_put(u32 groups);
int kvmx_attach_get_tasks(void);
void kvmx_attach_put_tasks(void);
int kvmx_attach_get_hints(void);
void kvmx_attach_put_hints(void);
bool kvmx_attach_any(void);

#endif /* KVMX_CORE_ATTACH_H */
