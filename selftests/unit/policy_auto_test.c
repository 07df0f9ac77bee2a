// SPDX-License-Identifier: GPL-2.0-only
/*
 * Policy auto once it has started: on the lab's machine (see policy_test.c), a VM
 * whose vCPUs are on CPUs 0 and 4.
 */
#include <string.h>

#include "place/policy_auto.h"
#include "policy_random.h"
#include "tap.h"

#define VCPUS	2
#define CPUS	64

static struct box box;
static struct kvmx_auto_vcpu vcpus[CPUS];
static u32 busy[CPUS];
static u32 room[3 * CPUS];
static struct kvmx_auto_in in;
static struct kvmx_auto_out out;

static void lab(void)
{
	box_init(&box, 2, 1, 2, 2);
	memset(busy, 0, sizeof(busy));
	memset(vcpus, 0, sizeof(vcpus));
	in = (struct kvmx_auto_in) {
		.nr_cpus = 8, .nr_vcpus = VCPUS, .cpus = box.cpus,
		.busy = busy, .vcpus = vcpus,
	};
	vcpus[0].cpu = 0;
	vcpus[0].kept = KVMX_AUTO_UNKNOWN;
	vcpus[1].cpu = 4;
	vcpus[1].kept = KVMX_AUTO_UNKNOWN;
}

static enum kvmx_auto_verdict decide(void)
{
	memset(room, 0xa5, sizeof(room));
	kvmx_auto_decide(&in, &out, room);
	return out.verdict;
}

/* A hog takes half of CPU 0 from vCPU 0. */
static void hog(void)
{
	lab();
	vcpus[0].ready = 500;
	vcpus[0].ran = 500;
	busy[0] = 1000;
}

static void moves(void)
{
	char text[KVMX_REASON_LEN];

	lab();
	ok(decide() == KVMX_AUTO_CONTENT, "nobody waits, nobody moves");
	hog();
	ok(decide() == KVMX_AUTO_PATIENT, "one interval is not enough");
	ok(decide() == KVMX_AUTO_MOVE && out.vcpu == 0 && out.from == 0 &&
	   out.to == 2 && vcpus[0].cpu == 2,
	   "after two it moves, to a free core under the same cache");
	kvmx_auto_text(&out, 0, text, sizeof(text));
	ok(!strcmp(text, "vCPU 0 waited 50 % of the time on CPU 0; CPU 2 was 0 % busy"),
	   "and it is said why");
	busy[2] = 1000;
	ok(decide() == KVMX_AUTO_PATIENT && decide() == KVMX_AUTO_PATIENT &&
	   decide() == KVMX_AUTO_PATIENT && decide() == KVMX_AUTO_PATIENT &&
	   decide() == KVMX_AUTO_PATIENT,
	   "then it is left alone for five intervals");
	ok(decide() == KVMX_AUTO_MOVE && out.from == 2,
	   "if it still waits after them, it moves on");
	hog();
	decide();
	vcpus[0].ready = 70;
	decide();
	vcpus[0].ready = 500;
	ok(decide() == KVMX_AUTO_MOVE, "a little less waiting forgives nothing");
	hog();
	decide();
	vcpus[0].ready = 20;
	decide();
	vcpus[0].ready = 500;
	ok(decide() == KVMX_AUTO_PATIENT, "none does");
	hog();
	vcpus[1].ready = 600;
	vcpus[1].ran = 400;
	busy[4] = 1000;
	decide();
	ok(decide() == KVMX_AUTO_MOVE && out.vcpu == 1 && vcpus[0].cpu == 0,
	   "one move per interval: who waits longest");
	ok(decide() == KVMX_AUTO_MOVE && out.vcpu == 0,
	   "the other one comes next");
}

static void costs(void)
{
	static const u32 all_busy[] = {
		1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000
	};

	hog();
	busy[1] = 1000;
	busy[2] = 500;
	busy[3] = 500;
	decide();
	ok(decide() == KVMX_AUTO_MOVE && out.to == 6,
	   "rather to the other node than to half a CPU");
	hog();
	vcpus[0].ready = 150;
	vcpus[0].ran = 500;
	busy[1] = 1000;
	busy[2] = 1000;
	busy[3] = 1000;
	decide();
	ok(decide() == KVMX_AUTO_NOWHERE && out.cost == 120,
	   "not to the other node for a little waiting");
	vcpus[0].kept = 0;
	ok(decide() == KVMX_AUTO_MOVE && out.cost == 60 &&
	   box.cpus[out.to].node == 1,
	   "but if it finds no TLB entries again, it has less to lose");
	hog();
	memcpy(busy, all_busy, sizeof(all_busy));
	decide();
	ok(decide() == KVMX_AUTO_NOWHERE, "nowhere to go: it stays");
	hog();
	box.cpus[2].load = 1;
	decide();
	ok(decide() == KVMX_AUTO_MOVE && out.to == 3,
	   "of equal ones, a CPU without vCPUs");
}

static void bounds(void)
{
	u64 set[BOX_WORDS];

	hog();
	box_read(set, "0,7");
	in.pool = set;
	decide();
	ok(decide() == KVMX_AUTO_MOVE && out.to == 7,
	   "only to CPUs that vCPUs may have");
	hog();
	box_read(set, "2-3,5-7");
	in.closed = set;
	decide();
	ok(decide() == KVMX_AUTO_MOVE && out.to == 1,
	   "not to those that are named for others");
	hog();
	box.cpus[2].flags = KVMX_POLICY_ALLOWED;
	box.cpus[3].owner = 9;
	decide();
	ok(decide() == KVMX_AUTO_MOVE && out.to != 2 && out.to != 3,
	   "nor to those that are away, or somebody else's");
	hog();
	in.smt = KVMX_SMT_ISOLATE;
	box.cpus[3].load = 1;
	box.cpus[7].load = 1;
	busy[1] = 1000;
	decide();
	ok(decide() == KVMX_AUTO_NOWHERE && out.to == 1,
	   "smt isolate: not beside another vCPU");
	hog();
	in.smt = KVMX_SMT_REQUIRE;
	decide();
	ok(decide() == KVMX_AUTO_PAIRS && vcpus[0].cpu == 0,
	   "smt require: pairs are not torn apart");
}

/*
 * A host on which hogs and vCPUs want what they want, and get their share: as a
 * scheduler would have it, more or less.
 */
static void live(const u32 *hogs, const u32 *wants)
{
	u32 i, sum[CPUS];

	memcpy(sum, hogs, sizeof(sum));
	for (i = 0; i < in.nr_vcpus; i++)
		sum[vcpus[i].cpu] += wants[i];
	for (i = 0; i < in.nr_vcpus; i++) {
		u32 all = sum[vcpus[i].cpu];

		vcpus[i].ran = all > 1000 ? wants[i] * 1000 / all : wants[i];
		vcpus[i].ready = wants[i] - vcpus[i].ran;
	}
	for (i = 0; i < in.nr_cpus; i++)
		busy[i] = sum[i] < 1000 ? sum[i] : 1000;
}

/* Whether on a random host it comes to rest; adds up what is waited. */
static bool settles(u32 *first, u32 *last, u32 *nr)
{
	u32 hogs[CPUS] = {}, wants[CPUS] = {}, i, t, late = 0;

	box_init(&box, 1 + random_below(2), 1 + random_below(2),
		 1 + random_below(4), 1 + random_below(2));
	memset(vcpus, 0, sizeof(vcpus));
	in = (struct kvmx_auto_in) {
		.nr_cpus = box.in.nr_cpus, .cpus = box.cpus, .busy = busy,
		.nr_vcpus = 1 + random_below(box.in.nr_cpus), .vcpus = vcpus,
	};
	for (i = 0; i < in.nr_cpus; i++)
		hogs[i] = random_one_in(3) ? random_below(1001) : 0;
	for (i = 0; i < in.nr_vcpus; i++) {
		wants[i] = random_below(1001);
		vcpus[i].cpu = random_below(in.nr_cpus);
		vcpus[i].kept = random_below(1001);
	}
	for (t = 0; t < 400; t++) {
		live(hogs, wants);
		for (i = 0; i < in.nr_vcpus; i++) {
			if (!t)
				*first += vcpus[i].ready;
			if (t == 399)
				*last += vcpus[i].ready;
		}
		if (decide() != KVMX_AUTO_MOVE)
			continue;
		++*nr;
		late += t >= 300;
	}
	return !late;
}

static void rest(void)
{
	u32 i, first = 0, last = 0, nr = 0, restless = 0;

	for (i = 1; i <= 500; i++) {
		random_begin(i);
		restless += !settles(&first, &last, &nr);
	}
	ok(!restless, "with a steady load, moving comes to an end (%u moves on 500 hosts, %u restless)",
	   nr, restless);
	ok(nr > 200 && last < first * 2 / 3,
	   "and what is waited is less: %u %% of what it was",
	   first ? last * 100 / first : 0);
}

int main(void)
{
	moves();
	costs();
	bounds();
	rest();
	box_free(&box);
	return tap_end();
}
