/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's types, for parts of the module that are compiled in user space. */
#ifndef KVMX_UNIT_LINUX_TYPES_H
#define KVMX_UNIT_LINUX_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include_next <linux/types.h>

typedef __u8 u8;
typedef __u32 u32;
typedef __s32 s32;
typedef __u64 u64;

#endif /* KVMX_UNIT_LINUX_TYPES_H */
