// SPDX-License-Identifier: GPL-2.0-only
/*
 * What holds for every plan, whatever machine, VMs and wishes: on random ones, up
 * to 2 sockets of 64 cores of 2 threads, and 4 nodes. What is right is worked out
 * here once more, slowly.
 */
#include <string.h>

#include "policy_random.h"
#include "tap.h"

#define ROUNDS	6000
#define MAX_LOAD 1000

static struct box box;
static u32 total[BOX_CPUS], core_own[BOX_CPUS], own[BOX_CPUS];
static u32 before[BOX_VCPUS];

/* How often each property was looked at, and how often it did not hold. */
enum property {
	ALLOWED, SETS, FAIR, SAME, STILL, GROWN, SHRUNK, CLAIMED, KEPT_OUT,
	EVEN, FEWEST, FELL_BACK, NR_PROPERTIES
};

static const char *const names[NR_PROPERTIES] = {
	[ALLOWED]   = "vCPUs are where they may be",
	[SETS]      = "no set is empty or has a CPU that may not be used",
	[FAIR]      = "no CPU is shared while another one that is offered has room",
	[SAME]      = "the same input gives the same plan",
	[STILL]     = "planned again, nobody moves",
	[GROWN]     = "a vCPU more moves none of the others",
	[SHRUNK]    = "a CPU less moves only who was on it",
	[CLAIMED]   = "isolate has cores where nobody else is",
	[KEPT_OUT]  = "nobody else gets what is claimed",
	[EVEN]      = "spread: a core per vCPU while there are enough, caches even",
	[FEWEST]    = "pack: fewest nodes, fewest caches",
	[FELL_BACK] = "fallback: never nothing, never what may not be used",
};

static u64 tried[NR_PROPERTIES], wrong[NR_PROPERTIES];

static void holds(enum property p, bool good, u64 round)
{
	tried[p]++;
	if (good)
		return;
	if (!wrong[p]++)
		printf("# round %llu, policy %u, smt %u, %u vCPUs: not \"%s\"\n",
		       (unsigned long long)round, box.in.policy, box.in.smt,
		       box.in.nr_vcpus, names[p]);
}

static bool named(u32 cpu)
{
	return (box.in.emulator && box_has(box.emulator, cpu)) ||
	       (box.in.io && box_has(box.io, cpu));
}

/* CPUs that are offered to vCPUs, by the written meaning. */
static bool pool(u32 cpu)
{
	u32 i;

	if (!box_usable(&box, cpu))
		return false;
	if (box.in.wish)
		return box_has(box.wish, cpu);
	if (!named(cpu))
		return true;
	for (i = 0; i < box.in.nr_cpus; i++)
		if (box_usable(&box, i) && !named(i))
			return false;
	return true;
}

static bool foreign(u32 cpu)
{
	return box.cpus[cpu].load || box.cpus[cpu].user;
}

/* Whether isolate may not have the core of this CPU. */
static bool taken(u32 cpu)
{
	u32 i;

	for (i = 0; i < box.in.nr_cpus; i++)
		if (box.cpus[i].core == box.cpus[cpu].core && foreign(i))
			return true;
	return false;
}

static u32 best_mate(u32 cpu)
{
	u32 i;

	for (i = 0; i < box.in.nr_cpus; i++)
		if (i != cpu && box.cpus[i].core == box.cpus[cpu].core &&
		    pool(i))
			return i;
	return KVMX_POLICY_NO_CPU;
}

static bool alone(u32 cpu)
{
	u32 i;

	for (i = 0; i < box.in.nr_cpus; i++)
		if (i != cpu && box.cpus[i].core == box.cpus[cpu].core &&
		    (foreign(i) || named(i) || own[i]))
			return false;
	return true;
}

/* How many vCPUs a unit would meet on this CPU, or MAX_LOAD: not offered. */
static u32 room_on(u32 cpu)
{
	u32 mate;

	if (!pool(cpu) || (box.in.policy == KVMX_POLICY_ISOLATE && taken(cpu)))
		return MAX_LOAD;
	if (box.in.smt == KVMX_SMT_ISOLATE && !alone(cpu))
		return MAX_LOAD;
	if (box.in.smt != KVMX_SMT_REQUIRE)
		return total[cpu];
	mate = best_mate(cpu);
	if (mate == KVMX_POLICY_NO_CPU)
		return MAX_LOAD;
	return total[cpu] > total[mate] ? total[cpu] : total[mate];
}

static void count(void)
{
	u32 i;

	memset(own, 0, sizeof(own));
	memset(core_own, 0, sizeof(core_own));
	for (i = 0; i < box.in.nr_vcpus; i++) {
		own[box.out.vcpus[i].cpu]++;
		core_own[box.cpus[box.out.vcpus[i].cpu].core]++;
	}
	for (i = 0; i < box.in.nr_cpus; i++)
		total[i] = own[i] + box.cpus[i].load;
}

static bool fair(void)
{
	u32 i, room, least = MAX_LOAD, most = 0;

	count();
	for (i = 0; i < box.in.nr_cpus; i++) {
		room = room_on(i);
		if (room < least)
			least = room;
		if (!own[i])
			continue;
		room = room < MAX_LOAD ? room : total[i];
		if (room > most)
			most = room;
	}
	return most <= least + 1;
}

static bool allowed(void)
{
	u32 i;

	for (i = 0; i < box.in.nr_vcpus; i++)
		if (!pool(box.out.vcpus[i].cpu))
			return false;
	return true;
}

static bool sets(void)
{
	u32 i, c, nr;

	for (c = 0; c < KVMX_NR_THREAD_CLASSES; c++) {
		for (i = 0, nr = 0; i < box.in.nr_cpus; i++) {
			nr += box_has(box.out.sets[c], i);
			if (box_has(box.out.sets[c], i) && !box_usable(&box, i))
				return false;
		}
		if (!nr)
			return false;
	}
	return true;
}

/* Nobody else on the cores of the vCPUs, and all of these cores claimed. */
static bool claimed(void)
{
	u32 i;

	count();
	for (i = 0; i < box.in.nr_cpus; i++) {
		bool mine = core_own[box.cpus[i].core];

		if (mine != box_has(box.out.claim, i) || (mine && foreign(i)))
			return false;
	}
	return true;
}

static void remember(void)
{
	u32 i;

	for (i = 0; i < box.in.nr_vcpus; i++)
		before[i] = box.out.vcpus[i].cpu;
}

/* Of the first @nr vCPUs: how many are elsewhere, though not on @gone. */
static u32 moves(u32 nr, u32 gone)
{
	u32 i, n = 0;

	for (i = 0; i < nr; i++)
		n += before[i] != box.out.vcpus[i].cpu && before[i] != gone &&
		     !(box.in.smt == KVMX_SMT_REQUIRE && gone < BOX_CPUS &&
		       box.cpus[before[i]].core == box.cpus[gone].core);
	return n;
}

static void again(u64 round)
{
	const u32 nr = box.in.nr_vcpus;

	remember();
	memset(box.room, 0xa5, kvmx_policy_room(box.in.nr_cpus, box.in.nr_nodes,
						nr));
	holds(SAME, !kvmx_policy_plan(&box.in, &box.out, box.room) &&
	      !moves(nr, BOX_CPUS), round);
	box_again(&box);
	holds(STILL, !box_plan(&box) && !moves(nr, BOX_CPUS), round);
}

static void more(u64 round)
{
	const u32 nr = box.in.nr_vcpus;

	box.vcpus[nr] = (struct kvmx_policy_vcpu) {
		.index = nr, .prev = KVMX_POLICY_NO_CPU,
	};
	box.in.nr_vcpus++;
	if (!box_plan(&box))
		holds(GROWN, !moves(nr, BOX_CPUS), round);
	box.in.nr_vcpus--;
}

static void fall_back(u32 gone, u64 round)
{
	const u32 nr = box.in.nr_cpus;
	static u64 plan[BOX_WORDS], now[BOX_WORDS];
	enum kvmx_fallback how;
	bool good = true;
	u32 i, got = 0;

	memset(plan, 0, sizeof(plan));
	plan[gone / 64] = 1ULL << (gone % 64);
	how = kvmx_policy_fallback(box.cpus, nr, plan, box.in.wish, now);
	for (i = 0; i < nr; i++) {
		got += box_has(now, i);
		good = good && (!box_has(now, i) || box_usable(&box, i));
	}
	holds(FELL_BACK, good && got && how >= KVMX_FALLBACK_CORE &&
	      how < KVMX_FALLBACK_FAILED, round);
	box.cpus[gone].flags |= KVMX_POLICY_ONLINE;
	how = kvmx_policy_fallback(box.cpus, nr, plan, box.in.wish, now);
	box.cpus[gone].flags &= ~KVMX_POLICY_ONLINE;
	holds(FELL_BACK, how == KVMX_FALLBACK_NONE &&
	      !memcmp(plan, now, nr / 64 * sizeof(u64)), round);
}

static void less(u64 round)
{
	const u32 nr = box.in.nr_vcpus, gone = before[random_below(nr)];
	const u64 bit = 1ULL << (gone % 64);
	u32 i, left = 0;

	box.cpus[gone].flags &= ~KVMX_POLICY_ONLINE;
	for (i = 0; i < box.in.nr_cpus; i++)
		left += box_usable(&box, i);
	box.wish[gone / 64] &= ~bit;
	box.emulator[gone / 64] &= ~bit;
	box.io[gone / 64] &= ~bit;
	if (!box_plan(&box))
		holds(SHRUNK, !moves(nr, gone), round);
	if (left)
		fall_back(gone, round);
	box.cpus[gone].flags |= KVMX_POLICY_ONLINE;
}

/* Others come after an isolated VM. */
static void after(u64 round)
{
	static u64 claim[BOX_WORDS];
	u32 i, c;
	bool good = true;

	memset(claim, 0, sizeof(claim));
	memcpy(claim, box.out.claim,
	       sizeof(u64) * kvmx_policy_words(box.in.nr_cpus));
	box_settle(&box, 99);
	random_vm(&box, 8);
	if (box_plan(&box))
		return;
	for (i = 0; i < box.in.nr_cpus; i++)
		for (c = 0; c < KVMX_NR_THREAD_CLASSES; c++)
			good = good && !(box_has(claim, i) &&
					 box_has(box.out.sets[c], i));
	holds(KEPT_OUT, good, round);
}

static void crowd(u64 round)
{
	int refused;

	random_machine(&box);
	random_neighbours(&box);
	random_vm(&box, random_one_in(3) ? 2 * box.in.nr_cpus :
					   1 + box.in.nr_cpus / 2);
	refused = box_plan(&box);
	if (refused)
		return;
	holds(ALLOWED, allowed(), round);
	holds(SETS, sets(), round);
	holds(FAIR, fair(), round);
	if (box.in.policy == KVMX_POLICY_ISOLATE)
		holds(CLAIMED, claimed(), round);
	again(round);
	more(round);
	less(round);
	if (!box_plan(&box))
		after(round);
}

/* Fewest of the parts of @of, with @size of them each, that hold @nr. */
static u32 fewest(const u32 *size, u32 parts, u32 nr)
{
	bool used[BOX_CPUS] = {};
	u32 n, i, best;

	for (n = 0; nr; n++) {
		for (i = 0, best = parts; i < parts; i++)
			if (!used[i] && (best == parts || size[i] > size[best]))
				best = i;
		if (best == parts)
			return n;
		used[best] = true;
		nr -= size[best] < nr ? size[best] : nr;
	}
	return n;
}

static bool packed(void)
{
	u32 size[BOX_CPUS] = {}, got[BOX_CPUS] = {}, llc[BOX_CPUS];
	u32 node_size[BOX_NODES] = {}, node_got[BOX_NODES] = {};
	u32 i, n, nr, used = 0, want = 0, nodes = 0;

	for (i = 0; i < box.in.nr_cpus; i++) {
		size[box.cpus[i].llc] += box_usable(&box, i);
		node_size[box.cpus[i].node] += box_usable(&box, i);
	}
	for (i = 0; i < box.in.nr_vcpus; i++) {
		used += !got[box.cpus[box.out.vcpus[i].cpu].llc]++;
		nodes += !node_got[box.cpus[box.out.vcpus[i].cpu].node]++;
	}
	for (n = 0; n < box.in.nr_nodes; n++) {
		for (i = 0, nr = 0; i < box.in.nr_cpus; i++)
			if (box.cpus[i].node == n && box.cpus[i].llc == i)
				llc[nr++] = size[i];
		want += fewest(llc, nr, node_got[n]);
	}
	return used == want &&
	       nodes == fewest(node_size, box.in.nr_nodes, box.in.nr_vcpus);
}

/* A core each, and no cache has two more than one with a core to spare. */
static bool even(void)
{
	u32 got[BOX_CPUS] = {}, i, most = 0, llc;

	count();
	for (i = 0; i < box.in.nr_cpus; i++) {
		if (core_own[i] > 1)
			return false;
		got[box.cpus[i].llc] += own[i];
	}
	for (i = 0; i < box.in.nr_cpus; i++)
		most = got[i] > most ? got[i] : most;
	for (i = 0; i < box.in.nr_cpus; i++) {
		llc = box.cpus[i].llc;
		if (box_usable(&box, i) && !core_own[box.cpus[i].core] &&
		    got[llc] + 1 < most)
			return false;
	}
	return true;
}

static u32 cores_there(void)
{
	bool seen[BOX_CPUS] = {};
	u32 i, nr = 0;

	for (i = 0; i < box.in.nr_cpus; i++) {
		if (!box_usable(&box, i) || seen[box.cpus[i].core])
			continue;
		seen[box.cpus[i].core] = true;
		nr++;
	}
	return nr;
}

/* A VM that has the machine to itself. */
static void lonely(u64 round)
{
	u32 cores, i, cpus = 0;

	random_machine(&box);
	cores = cores_there();
	for (i = 0; i < box.in.nr_cpus; i++)
		cpus += box_usable(&box, i);
	if (!cores)
		return;
	box_vm(&box, KVMX_POLICY_SPREAD, 1 + random_below(cores));
	holds(EVEN, !box_plan(&box) && even(), round);
	box_vm(&box, KVMX_POLICY_PACK, 1 + random_below(cpus));
	holds(FEWEST, !box_plan(&box) && packed(), round);
}

int main(void)
{
	u64 round, i;

	for (round = 1; round <= ROUNDS; round++) {
		random_begin(round);
		crowd(round);
		lonely(round);
	}
	for (i = 0; i < NR_PROPERTIES; i++)
		ok(tried[i] > ROUNDS / 20 && !wrong[i], "%s (%llu plans)",
		   names[i], (unsigned long long)tried[i]);
	box_free(&box);
	return tap_end();
}
