/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only file that sets kprobes, on functions of KVM that have no tracepoint.
 * They observe, and none of them is on the way of every entry or exit. Which
 * functions those are, and what happens there, is in core/spots.c.
 *
 * A kprobe is placed as soon as its module is there, and as a rule armed at
 * once. Some are armed only while somebody wants that, mostly to count a group;
 * placed but not armed one changes no instruction of KVM.
 */
#ifndef KVMX_CORE_KPROBES_H
#define KVMX_CORE_KPROBES_H

#include <linux/bits.h>
#include <linux/kprobes.h>
#include <linux/types.h>

#include "core/feature.h"
#include "core/vm.h"

/**
 * struct kvmx_spot - a function of KVM, and what to do when it is called
 * @id: its feature, whose name is the function's
 * @symbol: qualified with the module, for it need not be unique
 * @fn: called with the function's first two arguments, preemption disabled; the
 *	caller may hold mutexes
 * @wants: armed only while one of these is wanted: groups, KVMX_WANT_*; 0: always
 * @other: what it is called in kernels that have no @symbol, or NULL
 * @kp: the kprobe
 * @placed: it is registered
 * @armed: and armed
 * @hit: it was seen to work since it was armed
 * @err: why it could not be placed or armed, when that was last tried
 */
struct kvmx_spot {
	enum kvmx_feature_id id;
	const char *symbol;
	void (*fn)(void *first, unsigned long second);
	u32 wants;
	const char *other;
	struct kprobe kp;
	bool placed;
	bool armed;
	bool hit;
	int err;
};

#define KVMX_NR_SPOTS	27

/* In the order of arming; disarmed the other way round. */
extern struct kvmx_spot kvmx_spots[KVMX_NR_SPOTS];

int kvmx_kprobes_init(void);
void kvmx_kprobes_exit(void);
bool kvmx_kprobes_see_death(void);

int kvmx_kprobes_get(u32 wants);
void kvmx_kprobes_put(u32 wants);
unsigned long kvmx_kprobes_find(const char *symbol);

#endif /* KVMX_CORE_KPROBES_H */
