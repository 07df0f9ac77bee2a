/* SPDX-License-Identifier: GPL-2.0-only */
/* For what no test is about, and without which no test can go on. */
#ifndef KVMX_LIB_DIE_H
#define KVMX_LIB_DIE_H

__attribute__((noreturn, format(printf, 1, 2)))
void die(const char *fmt, ...);
/* The same, with what errno says. */
__attribute__((noreturn, format(printf, 1, 2)))
void die_errno(const char *fmt, ...);

#endif /* KVMX_LIB_DIE_H */
