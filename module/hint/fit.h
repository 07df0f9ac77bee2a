/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How long to poll in front of a halt, by how long earlier ones took. Nothing of the
 * kernel: selftests/unit.
 */
#ifndef KVMX_HINT_FIT_H
#define KVMX_HINT_FIT_H

#include <linux/types.h>

/* Up to 8 us, then up to twice as long each; the last one is for all others. */
#define KVMX_FIT_FIRST_NS	8192
#define KVMX_FIT_CLASSES	12

/**
 * struct kvmx_fit - halts of a vCPU, the later ones counting more
 * @all: how many
 * @nr: how many, by length
 * @ns: their time, by length; of the last class it is not kept
 */
struct kvmx_fit {
	u32 all;
	u32 nr[KVMX_FIT_CLASSES];
	u64 ns[KVMX_FIT_CLASSES];
};

void kvmx_fit_note(struct kvmx_fit *f, u64 ns);
u64 kvmx_fit_choose(const struct kvmx_fit *f, u64 most);

#endif /* KVMX_HINT_FIT_H */
