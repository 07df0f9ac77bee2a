/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's types, for parts of the module that are compiled in user space. */
#ifndef KVMX_UNIT_LINUX_TYPES_H
#define KVMX_UNIT_LINUX_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;

#endif /* KVMX_UNIT_LINUX_TYPES_H */
