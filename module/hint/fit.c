// SPDX-License-Identifier: GPL-2.0-only
#include <linux/types.h>

#include "hint/fit.h"

/* At so many halts, those so far count half. */
#define MANY	128

static void halve(struct kvmx_fit *f)
{
	unsigned int i;

	f->all = 0;
	for (i = 0; i < KVMX_FIT_CLASSES; i++) {
		f->nr[i] /= 2;
		f->ns[i] = f->nr[i] ? f->ns[i] / 2 : 0;
		f->all += f->nr[i];
	}
}

/**
 * kvmx_fit_note() - another halt
 * @f: of a vCPU
 * @ns: how long it took
 *
 * Context: any.
 */
void kvmx_fit_note(struct kvmx_fit *f, u64 ns)
{
	unsigned int i = 0;

	while (i < KVMX_FIT_CLASSES - 1 && ns > (u64)KVMX_FIT_FIRST_NS << i)
		i++;
	f->all++;
	f->nr[i]++;
	/* Of the last class nobody asks. */
	if (i < KVMX_FIT_CLASSES - 1)
		f->ns[i] += ns;
	if (f->all >= MANY)
		halve(f);
}

/**
 * kvmx_fit_choose() - how long to poll
 * @f: halts so far
 * @most: not longer than that, ns
 *
 * What is polled in vain is not to be more than what is polled with success: a halt that
 * ends within that time costs its own length, any other one all of it. Of what keeps
 * that, the longest that lets more halts succeed.
 *
 * Context: any.
 * Return: ns; 0 where polling does not pay.
 */
u64 kvmx_fit_choose(const struct kvmx_fit *f, u64 most)
{
	u64 best = 0, won = 0, poll;
	u32 succeed = 0;
	unsigned int i;

	for (i = 0; i < KVMX_FIT_CLASSES - 1; i++) {
		if (!f->nr[i])
			continue;
		/* Longer than may be polled, most of them. */
		if (f->ns[i] > most * f->nr[i])
			break;
		succeed += f->nr[i];
		won += f->ns[i];
		poll = (u64)KVMX_FIT_FIRST_NS << i;
		if (poll > most)
			poll = most;
		if (won >= poll * (f->all - succeed))
			best = poll;
	}
	return best;
}
