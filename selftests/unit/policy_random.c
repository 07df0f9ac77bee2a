// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "policy_random.h"

static u64 seed;

/* The same number, the same machines and VMs. */
void random_begin(u64 number)
{
	seed = number * 0x9e3779b97f4a7c15 + 1;
}

u64 random_below(u64 below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

bool random_one_in(u64 n)
{
	return !random_below(n);
}

/* Other numbers for the same CPUs: caches and cores are not side by side. */
static void shuffle(struct box *b)
{
	static struct kvmx_policy_cpu old[BOX_CPUS];
	static u32 to[BOX_CPUS], core[BOX_CPUS], llc[BOX_CPUS];
	u32 nr = b->in.nr_cpus, i, j, t;

	for (i = 0; i < nr; i++) {
		old[i] = b->cpus[i];
		to[i] = i;
		core[i] = nr;
		llc[i] = nr;
	}
	for (i = nr - 1; i; i--) {
		j = random_below(i + 1);
		t = to[i];
		to[i] = to[j];
		to[j] = t;
	}
	for (i = 0; i < nr; i++) {
		if (to[i] < core[old[i].core])
			core[old[i].core] = to[i];
		if (to[i] < llc[old[i].llc])
			llc[old[i].llc] = to[i];
	}
	for (i = 0; i < nr; i++) {
		b->cpus[to[i]] = old[i];
		b->cpus[to[i]].core = core[old[i].core];
		b->cpus[to[i]].llc = llc[old[i].llc];
	}
}

/* Up to 2 sockets of 64 cores of 2 threads, and 4 nodes; parts are missing. */
void random_machine(struct box *b)
{
	u32 nodes = 1 << random_below(3), llcs = 1 + random_below(4);
	u32 cores = 1 + random_below(128 / (nodes * llcs)), i;

	if (random_one_in(3))
		cores = 1 + random_below(4);
	box_init(b, nodes, llcs, cores, 1 + random_below(2));
	if (b->in.nr_cpus > 256)
		box_init(b, 2, 1, 64, 2);
	if (random_one_in(2))
		shuffle(b);
	for (i = 0; i < b->in.nr_cpus; i++)
		if (random_one_in(8))
			b->cpus[i].flags &= random_below(4);
	for (i = 0; i < b->in.nr_nodes; i++)
		b->nodes[i].has_memory = !random_one_in(8);
}

static void some_set(const struct box *b, u64 *set, u32 one_of)
{
	u32 i;

	memset(set, 0, sizeof(u64) * BOX_WORDS);
	for (i = 0; i < b->in.nr_cpus; i++)
		if (box_usable(b, i) && random_one_in(one_of))
			set[i / 64] |= 1ULL << (i % 64);
}

/* A VM of up to @max vCPUs, with wishes. */
void random_vm(struct box *b, u32 max)
{
	u32 i;

	box_vm(b, KVMX_POLICY_PACK + random_below(5), 1 + random_below(max));
	b->in.smt = random_below(3);
	b->in.memory_known = !random_one_in(4);
	for (i = 0; i < b->in.nr_nodes; i++)
		b->nodes[i].pages = random_one_in(3) ? 0 :
						       random_below(1 << 20);
	if (random_one_in(3)) {
		some_set(b, b->wish, 1 + random_below(3));
		b->in.wish = b->wish;
	}
	if (random_one_in(3)) {
		some_set(b, b->emulator, 6);
		b->in.emulator = b->emulator;
	}
	if (random_one_in(4)) {
		some_set(b, b->io, 6);
		b->in.io = b->io;
	}
}

/* Whatever is there already. */
void random_neighbours(struct box *b)
{
	u64 id;

	for (id = 1; id <= random_below(5); id++) {
		random_vm(b, 1 + b->in.nr_cpus / 4);
		if (!box_plan(b))
			box_settle(b, id);
	}
}
