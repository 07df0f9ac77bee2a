// SPDX-License-Identifier: GPL-2.0-only
/* Memory that does not exist: that of VM 1, process 100. */
#include <string.h>

#include "backing.h"
#include "fake.h"

#define MB	(1ULL << 20)

bool backing_read(int pid, struct backing *b)
{
	if (pid != 100 || fake_is("noproc"))
		return false;
	memset(b, 0, sizeof(*b));
	b->resident = 512 * MB;
	b->thp = 400 * MB;
	b->hugetlb = 16 * MB;
	b->nr_nodes = 2;
	b->node[0] = 416 * MB;
	b->node[1] = 112 * MB;
	return true;
}
