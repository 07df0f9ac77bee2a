/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What may be wished for: the rules for struct kvmx_hint.
 */
#ifndef KVMX_HINT_WISH_H
#define KVMX_HINT_WISH_H

#include <linux/types.h>

struct kvmx_hint;

int kvmx_wish_check(struct kvmx_hint *wish, bool *on);

#endif /* KVMX_HINT_WISH_H */
