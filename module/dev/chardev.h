/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /dev/kvmx.
 */
#ifndef KVMX_DEV_CHARDEV_H
#define KVMX_DEV_CHARDEV_H

int kvmx_chardev_init(void);
void kvmx_chardev_exit(void);

#endif /* KVMX_DEV_CHARDEV_H */
