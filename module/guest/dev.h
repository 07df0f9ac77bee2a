/* SPDX-License-Identifier: GPL-2.0-only */
/* /dev/kvmx-hint. */
#ifndef KVMX_GUEST_DEV_H
#define KVMX_GUEST_DEV_H

#include "guest/call.h"

int guest_dev_init(void);
void guest_dev_exit(void);

/* main.c: what the host said last; asked for anew when slots are in use. */
void guest_host_get(struct guest_host *host);
void guest_host_use(void);

#endif /* KVMX_GUEST_DEV_H */
