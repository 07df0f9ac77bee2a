/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events fds: what KVMX_EVENTS returns.
 */
#ifndef KVMX_DEV_EVENTFD_H
#define KVMX_DEV_EVENTFD_H

#include <linux/types.h>

int kvmx_eventfd_open(u64 mask);

#endif /* KVMX_DEV_EVENTFD_H */
