/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Grants: the thread of a vCPU is boosted for a while. Whoever decides that, in
 * whatever context, only says what is wanted; kvmx_grant_follow() makes it so, in
 * the thread itself or in a kthread that no grant can starve. A timer ends each
 * grant, whatever the guest does.
 */
#ifndef KVMX_HINT_GRANT_H
#define KVMX_HINT_GRANT_H

#include <linux/atomic.h>
#include <linux/types.h>

#include "core/verdict.h"

struct kvmx_grant;
struct kvmx_hinter;
struct task_struct;

int kvmx_grant_begin_all(void);
void kvmx_grant_end_all(void);
void kvmx_grant_prepare(struct kvmx_hinter *h);
void kvmx_grant_stop(struct kvmx_hinter *h);

/* Threads that are to be boosted, or are, and do not sleep; all VMs together. */
extern atomic_t kvmx_grants_awake;

/* With @h->lock held: what is wanted. */
enum kvmx_verdict kvmx_grant_ask(struct kvmx_hinter *h, u32 word,
				 enum kvmx_hint_way way,
				 struct task_struct *task);
s64 kvmx_grant_trial_ns(const struct kvmx_hinter *h);
enum kvmx_verdict kvmx_grant_renew(struct kvmx_hinter *h, u32 word);
bool kvmx_grant_release(struct kvmx_hinter *h);
bool kvmx_grant_finish(struct kvmx_hinter *h, enum kvmx_grant_end why);
void kvmx_grant_sample(struct kvmx_grant *g);
void kvmx_grant_count(struct kvmx_grant *g);
void kvmx_grant_uncount(struct kvmx_grant *g);
bool kvmx_grant_sleep(struct kvmx_hinter *h);
bool kvmx_grant_wake(struct kvmx_hinter *h);

/* Without it: what is wanted is made so... */
bool kvmx_grant_open(const struct kvmx_hinter *h);
void kvmx_grant_follow(struct kvmx_hinter *h);	/* ... now; may sleep */
void kvmx_grant_leave(struct kvmx_hinter *h);	/* ... by this thread, soon */
void kvmx_grant_send(struct kvmx_hinter *h);	/* ... by the kthread; any lock */

#endif /* KVMX_HINT_GRANT_H */
