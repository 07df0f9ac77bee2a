/* SPDX-License-Identifier: GPL-2.0-only */
/* What one user may have: files, and hypercalls in a second. */
#ifndef KVMX_GUEST_QUOTA_H
#define KVMX_GUEST_QUOTA_H

#include <linux/uidgid.h>

struct guest_quota;

struct guest_quota *guest_quota_get(kuid_t uid);
void guest_quota_put(struct guest_quota *quota);
bool guest_quota_call(struct guest_quota *quota);

#endif /* KVMX_GUEST_QUOTA_H */
