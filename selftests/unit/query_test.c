// SPDX-License-Identifier: GPL-2.0-only
/* What a guest makes of the answers of hosts, older, newer, and none at all. */
#include <linux/kvm_para.h>
#include <linux/kvmx_para.h>
#include <linux/string.h>

#include "guest/call.h"
#include "tap.h"

/* What the host answers to KVMX_HC_QUERY, by KVMX_QUERY_*. */
static long answers[4];
/* So many calls of each are answered by KVM itself first. */
static unsigned int lost;
static unsigned int calls, strange;

long kvm_hypercall4(unsigned int nr, unsigned long a, unsigned long b,
		    unsigned long c, unsigned long d)
{
	static unsigned int taken;

	calls++;
	strange += nr != KVMX_HC || a != KVMX_HC_QUERY || b > 3 || c || d;
	if (taken < lost) {
		taken++;
		return -KVM_ENOSYS;
	}
	taken = 0;
	return b > 3 ? -KVM_EINVAL : answers[b];
}

static struct guest_host ask(long version, long kinds, long size, long features)
{
	struct guest_host host;

	answers[KVMX_QUERY_VERSION] = version;
	answers[KVMX_QUERY_KINDS] = kinds;
	answers[KVMX_QUERY_AREA_SIZE] = size;
	answers[KVMX_QUERY_FEATURES] = features;
	calls = 0;
	memset(&host, 0xee, sizeof(host));
	guest_query(&host);
	return host;
}

static int takes_nothing(const struct guest_host *h)
{
	return !h->version && !h->kinds && !h->area_size && !h->features;
}

#define SIZE	((long)sizeof(struct kvmx_area))
#define BOTH	(KVMX_PARA_AREA | KVMX_PARA_USER_WORD)

static void no_host(void)
{
	struct guest_host h = ask(-KVM_ENOSYS, -KVM_ENOSYS, -KVM_ENOSYS,
				  -KVM_ENOSYS);

	ok(takes_nothing(&h), "without kvmx there is nothing");
	ok(calls <= 8, "that takes %u calls, not one for each question", calls);
	h = ask(-22, 6, SIZE, BOTH);
	ok(takes_nothing(&h), "nor with a host that knows no versions");
	h = ask(0, 6, SIZE, BOTH);
	ok(takes_nothing(&h), "nor with one of version 0");
	h = ask(1, 0, SIZE, BOTH);
	ok(takes_nothing(&h), "a host that allows no kind is like none");
	h = ask(1, -KVM_ENOSYS, SIZE, BOTH);
	ok(takes_nothing(&h), "and one that goes while it is asked");
}

static void this_host(void)
{
	struct guest_host h = ask(1, 6, SIZE, BOTH);

	ok(h.version == 1 && h.kinds == 6 && h.area_size == SIZE &&
	   h.features == BOTH, "a host of today is taken by its word");
	ok(calls == 4, "in %u calls", calls);
	lost = 7;
	h = ask(1, 6, SIZE, BOTH);
	ok(h.version == 1 && h.features == BOTH, "also where answers are lost");
	lost = 0;
}

static void other_hosts(void)
{
	struct guest_host h = ask(2, 0x7e, 4 * SIZE, 0xff);

	ok(h.version == 2 && h.kinds == 0x7e && (h.features & BOTH) == BOTH,
	   "a newer host, of larger areas, is one");
	h = ask(1, 6, SIZE - 64, BOTH);
	ok(h.version == 1 && h.kinds == 6 && !(h.features & BOTH),
	   "one of smaller areas takes calls, and no areas");
	h = ask(1, 6, -KVM_EINVAL, -KVM_EINVAL);
	ok(h.version == 1 && !h.area_size && !h.features,
	   "so does one that knows of no areas");
	h = ask(1, 6, SIZE, KVMX_PARA_USER_WORD);
	ok(!(h.features & KVMX_PARA_AREA), "without its bit there are none");
}

int main(void)
{
	no_host();
	this_host();
	other_hosts();
	ok(!strange, "nothing else was asked");
	return tap_end();
}
