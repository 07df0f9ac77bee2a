/* SPDX-License-Identifier: GPL-2.0-only */
/* As much of it as parts of the module need that are compiled in user space. */
#ifndef KVMX_UNIT_LINUX_BITS_H
#define KVMX_UNIT_LINUX_BITS_H

#define BIT(nr)		(1UL << (nr))
#define BIT_ULL(nr)	(1ULL << (nr))

#endif /* KVMX_UNIT_LINUX_BITS_H */
