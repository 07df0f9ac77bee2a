// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "balance.h"

/**
 * balance_of() - compare vCPUs
 * @ran: how long each was on a CPU
 * @waited: how long each wanted to be on one and was not
 * @nr: how many vCPUs
 * @b: filled; @b->nr is 0 where none wanted to run
 *
 * A vCPU that wanted nothing is neither treated well nor badly: left out.
 */
void balance_of(const __u64 *ran, const __u64 *waited, unsigned int nr,
		struct balance *b)
{
	double sum = 0, squares = 0;
	unsigned int i;

	memset(b, 0, sizeof(*b));
	for (i = 0; i < nr; i++) {
		__u64 wanted = ran[i] + waited[i];
		double got;

		if (!wanted)
			continue;
		got = (double)ran[i] / (double)wanted;
		sum += got;
		squares += got * got;
		if (!b->nr || waited[i] > waited[b->most])
			b->most = i;
		if (!b->nr || waited[i] < waited[b->least])
			b->least = i;
		b->nr++;
	}
	if (!b->nr)
		return;
	/* Nobody got anything: that is even. */
	b->fairness = squares > 0 ? sum * sum / (b->nr * squares) : 1;
	b->skew = waited[b->most] - waited[b->least];
}
