/* SPDX-License-Identifier: GPL-2.0-only */
/* As much of it as parts of the module need that are compiled in user space. */
#ifndef KVMX_UNIT_LINUX_KERNEL_H
#define KVMX_UNIT_LINUX_KERNEL_H

#include <stdio.h>

#endif /* KVMX_UNIT_LINUX_KERNEL_H */
