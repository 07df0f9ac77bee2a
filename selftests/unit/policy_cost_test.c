// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a plan costs: basic blocks that are run, counted by the compiler's
 * coverage, so that it is the same on every machine. n log n, n being CPUs and
 * vCPUs.
 */
#include <math.h>

#include "policy_box.h"
#include "tap.h"

#define FIRST	16
#define LAST	4096

static struct box box;

/* Basic blocks per n log n of a plan; 0 if there is none. */
static double cost(u32 policy, u32 smt, u32 nr_vcpus, u32 n, bool again)
{
	int ret;

	box_vm(&box, policy, nr_vcpus);
	box.in.smt = smt;
	box.in.memory_known = true;
	box.nodes[0].pages = 1000;
	box.nodes[1].pages = 700;
	ret = box_plan(&box);
	if (!ret && again) {
		box_again(&box);
		ret = box_plan(&box);
	}
	box_ops = 0;
	if (!ret)
		ret = box_plan(&box);
	return ret ? 0 : box_ops / (n * log2(n));
}

/* What grows how: per n log n at the beginning, and the most there is later. */
struct growth {
	double first;
	double most;
};

static void note(struct growth *g, u32 n, double per)
{
	if (n == FIRST)
		g->first = per;
	if (n == FIRST || per > g->most)
		g->most = per;
}

/* If it took n² the most would be about a hundred times the first. */
static void bounded(const struct growth *g, const char *policy,
		    const char *smt, const char *what)
{
	ok(g->first > 0 && g->most < 1.5 * g->first && g->most < 100,
	   "%s, smt %s, %s: %.0f blocks per n log n, never more than %.0f",
	   policy, smt, what, g->first, g->most);
}

static void one_policy(u32 policy, const char *name)
{
	static const char *const words[] = { "prefer", "require", "isolate" };
	struct growth all, few, many, kept;
	u32 n, smt, v;

	for (smt = 0; smt <= KVMX_SMT_ISOLATE; smt++) {
		for (n = FIRST; n <= LAST; n *= 2) {
			v = smt == KVMX_SMT_ISOLATE ? n / 2 : n;
			box_init(&box, 2, 2, n / 8, 2);
			note(&all, n, cost(policy, smt, v, n, false));
			note(&few, n, cost(policy, smt, n / 8, n, false));
			note(&kept, n, cost(policy, smt, v, n, true));
			box_init(&box, 2, 2, 2, 2);
			note(&many, n, cost(policy, smt, n, n, false));
		}
		bounded(&all, name, words[smt], "a vCPU per slot");
		bounded(&few, name, words[smt], "fewer vCPUs than CPUs");
		bounded(&many, name, words[smt], "16 CPUs");
		bounded(&kept, name, words[smt], "planned again");
	}
}

int main(void)
{
	one_policy(KVMX_POLICY_PACK, "pack");
	one_policy(KVMX_POLICY_SPREAD, "spread");
	one_policy(KVMX_POLICY_NUMA, "numa");
	one_policy(KVMX_POLICY_ISOLATE, "isolate");
	one_policy(KVMX_POLICY_AUTO, "auto");
	box_free(&box);
	return tap_end();
}
