// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every policy against what docs/placement.md says, worked out by hand on the
 * lab's machine: 2 nodes with a cache each, 2 cores per cache, 2 threads per core.
 * Node 0 has CPUs 0-3, its cores are 0-1 and 2-3; node 1 has 4-5 and 6-7.
 */
#include <errno.h>
#include <string.h>

#include "policy_box.h"
#include "tap.h"

static struct box box;

static bool is(const char *got, const char *want)
{
	if (!strcmp(got, want))
		return true;
	printf("# is     %s\n# not    %s\n", got, want);
	return false;
}

static bool vcpus_are(const char *want)
{
	return is(box_vcpus(&box), want);
}

static bool set_is(u32 thread_class, const char *want)
{
	return is(box_list(&box, box.out.sets[thread_class]), want);
}

static bool others_are(const char *want)
{
	u32 i;

	for (i = KVMX_THREAD_MAIN; i < KVMX_NR_THREAD_CLASSES; i++)
		if (!set_is(i, want))
			return false;
	return true;
}

static bool claim_is(const char *want)
{
	return is(box_list(&box, box.out.claim), want);
}

static bool notes_are(const char *want)
{
	return is(box_notes(&box), want);
}

/* Whether all vCPUs have this reason. */
static bool all_for(u32 why)
{
	u32 i;

	for (i = 0; i < box.in.nr_vcpus; i++)
		if (box.out.vcpus[i].why != why)
			return false;
	return true;
}

static void lab(void)
{
	box_init(&box, 2, 1, 2, 2);
}

static void cpus(const char *list)
{
	box_read(box.wish, list);
	box.in.wish = box.wish;
}

static void emulator(const char *list)
{
	box_read(box.emulator, list);
	box.in.emulator = box.emulator;
}

static void io(const char *list)
{
	box_read(box.io, list);
	box.in.io = box.io;
}

/* Places a VM of @nr vCPUs for good. */
static bool settles(u64 vm, u32 policy, u32 nr, const char *want)
{
	bool good;

	box_vm(&box, policy, nr);
	good = !box_plan(&box) && vcpus_are(want);
	if (good)
		box_settle(&box, vm);
	return good;
}

static void spread(void)
{
	lab();
	ok(settles(1, KVMX_POLICY_SPREAD, 2, "0 4") &&
	   all_for(KVMX_WHY_OWN_CORE),
	   "spread: two vCPUs go to cores under different caches");
	ok(others_are("1-3,5-7") && claim_is("") && notes_are(""),
	   "spread: other threads get the rest, nothing is claimed");
	ok(settles(2, KVMX_POLICY_SPREAD, 2, "2 6"),
	   "spread: a second VM gets the cores that are free");
	ok(settles(3, KVMX_POLICY_SPREAD, 2, "1 5") &&
	   all_for(KVMX_WHY_SHARED_CORE),
	   "spread: cores ran out, a third VM gets siblings");
	ok(settles(4, KVMX_POLICY_SPREAD, 2, "3 7") && notes_are(""),
	   "spread: and so does a fourth");
	ok(settles(5, KVMX_POLICY_SPREAD, 3, "0 2 4") &&
	   all_for(KVMX_WHY_SHARED_CPU) &&
	   notes_are("2 vCPUs share CPU 0; 2 vCPUs share CPU 2; 2 vCPUs share CPU 4"),
	   "spread: CPUs ran out, they are shared, and that is noted");

	lab();
	ok(settles(1, KVMX_POLICY_SPREAD, 3, "0 2 4"),
	   "spread: caches are as even as three vCPUs can be");
	ok(settles(2, KVMX_POLICY_SPREAD, 1, "6"),
	   "spread: the next one makes them even");
	lab();
	ok(settles(1, KVMX_POLICY_SPREAD, 8, "0 1 2 3 4 5 6 7") &&
	   others_are("0-7") &&
	   box.out.why[KVMX_THREAD_MAIN] == KVMX_WHY_WITH_VCPUS,
	   "spread: where vCPUs leave nothing, other threads are with them");
}

static void pack(void)
{
	lab();
	ok(settles(1, KVMX_POLICY_PACK, 2, "0 1") && all_for(KVMX_WHY_PACKED),
	   "pack: two vCPUs fill a core");
	ok(others_are("2-3"), "pack: other threads get the rest of the node");
	ok(settles(2, KVMX_POLICY_PACK, 2, "2 3"),
	   "pack: a second VM fills the node that is in use");
	ok(settles(3, KVMX_POLICY_PACK, 2, "4 5"),
	   "pack: a third VM opens the other node");
	ok(settles(4, KVMX_POLICY_PACK, 2, "6 7"), "pack: a fourth fills it");

	lab();
	ok(settles(1, KVMX_POLICY_PACK, 1, "0") && all_for(KVMX_WHY_OWN_CORE),
	   "pack: one vCPU opens a core");
	ok(settles(2, KVMX_POLICY_PACK, 4, "4 5 6 7"),
	   "pack: four vCPUs go to the one node that takes them all");
	ok(settles(3, KVMX_POLICY_PACK, 1, "1") && all_for(KVMX_WHY_PACKED),
	   "pack: one more fills the core that is half in use");

	lab();
	ok(settles(1, KVMX_POLICY_PACK, 6, "0 1 2 3 4 5"),
	   "pack: six vCPUs fill a node and a core of the next");
	ok(settles(2, KVMX_POLICY_PACK, 3, "0 6 7") &&
	   notes_are("2 vCPUs share CPU 0"),
	   "pack: no CPU is shared before all are in use");
}

static void memory(u64 node0, u64 node1)
{
	box.nodes[0].pages = node0;
	box.nodes[1].pages = node1;
	box.in.memory_known = true;
}

static void numa(void)
{
	lab();
	box_vm(&box, KVMX_POLICY_NUMA, 2);
	ok(box_plan(&box) == -ERANGE &&
	   notes_are("nothing is known of the VM's memory"),
	   "numa: refused where nothing is known of the memory");
	memory(0, 0);
	ok(box_plan(&box) == -ERANGE, "numa: refused where there is none");
	memory(10, 990);
	ok(!box_plan(&box) && vcpus_are("4 6") && all_for(KVMX_WHY_MEMORY) &&
	   notes_are(""), "numa: vCPUs go where the memory is, one per core");
	ok(others_are("5,7"), "numa: other threads stay on that node");
	box_settle(&box, 1);

	box_vm(&box, KVMX_POLICY_NUMA, 3);
	memory(0, 1000);
	ok(!box_plan(&box) && vcpus_are("0 5 7") &&
	   box.out.vcpus[0].why == KVMX_WHY_OWN_CORE &&
	   box.out.vcpus[1].why == KVMX_WHY_MEMORY,
	   "numa: rather remote than on a CPU that is in use");
	ok(notes_are("from node 0, 100 % of the memory is elsewhere"),
	   "numa: and that is noted");

	lab();
	box_vm(&box, KVMX_POLICY_NUMA, 2);
	memory(300, 700);
	ok(!box_plan(&box) && vcpus_are("4 6") &&
	   notes_are("30 % of the memory is on node 0; "
		     "70 % of the memory is on node 1; "
		     "from node 1, 30 % of the memory is elsewhere"),
	   "numa: split memory is noted");
	box_again(&box);
	memory(501, 499);
	ok(!box_plan(&box) && vcpus_are("4 6"),
	   "numa: nobody moves for a few pages");
	memory(700, 300);
	ok(!box_plan(&box) && vcpus_are("0 2") &&
	   strstr(box_notes(&box), "2 vCPUs change their CPU"),
	   "numa: everybody moves when the memory did");
	box_vm(&box, KVMX_POLICY_NUMA, 6);
	memory(0, 700);
	box.nodes[0].has_memory = false;
	ok(!box_plan(&box) && vcpus_are("0 2 4 5 6 7") &&
	   strstr(box_notes(&box), "node 0 has vCPUs, but no memory"),
	   "numa: a node without memory is noted");
}

static void isolate(void)
{
	lab();
	ok(settles(1, KVMX_POLICY_ISOLATE, 1, "0") && claim_is("0-1") &&
	   others_are("0-1") && all_for(KVMX_WHY_OWN_CORE),
	   "isolate: a core of its own, other threads are there too");
	ok(settles(2, KVMX_POLICY_ISOLATE, 2, "4 6") && claim_is("4-7"),
	   "isolate: two vCPUs stay together, one per core");
	ok(settles(3, KVMX_POLICY_SPREAD, 3, "2 2 3") &&
	   notes_are("2 vCPUs share CPU 2"),
	   "isolate: no other VM gets on its cores");
	ok(others_are("2-3"), "isolate: nor do its other threads");
	box_vm(&box, KVMX_POLICY_ISOLATE, 1);
	ok(box_plan(&box) == -ERANGE &&
	   strstr(box_notes(&box), "the core of CPU 2 is in use by VM 3"),
	   "isolate: refused where other VMs have all cores");
	box_vm(&box, KVMX_POLICY_SPREAD, 1);
	cpus("1-3");
	ok(box_plan(&box) == -ERANGE &&
	   notes_are("CPU 1 belongs to VM 1 alone"),
	   "isolate: whoever names its CPU is refused");

	lab();
	ok(settles(1, KVMX_POLICY_SPREAD, 1, "0"), "(a VM on core 0)");
	box_vm(&box, KVMX_POLICY_ISOLATE, 2);
	cpus("1-3");
	ok(box_plan(&box) == -ERANGE &&
	   notes_are("the core of CPU 1 is in use by VM 1"),
	   "isolate: refused where a named CPU's core is in use");
	box_vm(&box, KVMX_POLICY_ISOLATE, 7);
	ok(box_plan(&box) == -ERANGE &&
	   notes_are("the core of CPU 0 is in use by VM 1"),
	   "isolate: refused where CPUs are short because of another VM");
	ok(settles(2, KVMX_POLICY_ISOLATE, 4, "2 3 4 6"),
	   "isolate: cores ran out, siblings of the same VM are used");
	ok(claim_is("2-7"), "isolate: all of these cores are claimed");
}

static void isolate_named(void)
{
	lab();
	box_vm(&box, KVMX_POLICY_ISOLATE, 2);
	cpus("2-3");
	emulator("0");
	io("1");
	ok(!box_plan(&box) && vcpus_are("2 3") && claim_is("2-3") &&
	   set_is(KVMX_THREAD_MAIN, "0") && set_is(KVMX_THREAD_OTHER, "0") &&
	   set_is(KVMX_THREAD_IO, "1") && set_is(KVMX_THREAD_WORKER, "1") &&
	   set_is(KVMX_THREAD_VHOST, "1") && notes_are(""),
	   "isolate --cpus 2-3 --emulator 0 --io 1");
	box_settle(&box, 1);
	box_vm(&box, KVMX_POLICY_ISOLATE, 1);
	cpus("0");
	ok(box_plan(&box) == -ERANGE &&
	   notes_are("the core of CPU 0 is in use by VM 1"),
	   "isolate: nobody isolates a core that is named for an emulator");
	box_vm(&box, KVMX_POLICY_SPREAD, 1);
	emulator("0");
	ok(!box_plan(&box), "isolate: but it may be shared");

	box_init(&box, 1, 1, 2, 1);
	box_vm(&box, KVMX_POLICY_ISOLATE, 1);
	cpus("1");
	ok(!box_plan(&box) && vcpus_are("1") && others_are("1") &&
	   claim_is("1"), "isolate on one CPU: all threads are there");
	box_vm(&box, KVMX_POLICY_ISOLATE, 2);
	cpus("1");
	ok(!box_plan(&box) && vcpus_are("1 1") && others_are("1") &&
	   notes_are("2 vCPUs share CPU 1"),
	   "isolate on one CPU: also with two vCPUs");
	lab();
	box_vm(&box, KVMX_POLICY_ISOLATE, 1);
	cpus("1");
	ok(!box_plan(&box) && vcpus_are("1") && others_are("1") &&
	   claim_is("0-1"),
	   "isolate on one CPU: its sibling is claimed and left empty");
}

static void auto_start(void)
{
	lab();
	box_vm(&box, KVMX_POLICY_AUTO, 4);
	ok(!box_plan(&box) && vcpus_are("0 2 4 6") &&
	   box.out.policy == KVMX_POLICY_SPREAD,
	   "auto: starts as spread while there is a free core per vCPU");
	box_settle(&box, 1);
	box_vm(&box, KVMX_POLICY_AUTO, 2);
	ok(!box_plan(&box) && vcpus_are("1 3") &&
	   box.out.policy == KVMX_POLICY_PACK,
	   "auto: else as pack");
	box.vcpus[0].prev = 7;
	box.vcpus[1].prev = 7;
	ok(!box_plan(&box) && vcpus_are("7 7") && all_for(KVMX_WHY_KEPT),
	   "auto: a new plan moves nobody who is where he may be");
}

static void pin(void)
{
	static const struct kvmx_pin map[] = { { 0, 6 }, { 1, 2 } };

	lab();
	box_vm(&box, KVMX_POLICY_PIN, 2);
	memcpy(box.map, map, sizeof(map));
	box.in.nr_map = 2;
	ok(!box_plan(&box) && vcpus_are("6 2") && all_for(KVMX_WHY_MAP) &&
	   others_are("0-1,3-5,7") && notes_are(""),
	   "pin: as the map says, other threads get the rest");
	box.map[1].cpu = 6;
	ok(!box_plan(&box) && vcpus_are("6 6") &&
	   notes_are("2 vCPUs share CPU 6"), "pin: sharing is noted");
	box.in.nr_map = 1;
	ok(box_plan(&box) == -ERANGE && notes_are("the map leaves vCPU 1 out"),
	   "pin: refused where a vCPU is left out");
	box.in.nr_map = 2;
	box.map[1].vcpu = 9;
	ok(box_plan(&box) == -ERANGE &&
	   notes_are("the map names vCPU 9, there is none; the map leaves vCPU 1 out"),
	   "pin: refused where a vCPU is not there");
	box.map[1].vcpu = 0;
	ok(box_plan(&box) == -EINVAL, "pin: a vCPU that is named twice is no map");
	box.map[1].vcpu = 1;
	box.map[1].cpu = 8;
	ok(box_plan(&box) == -ERANGE &&
	   notes_are("CPU 8 is outside the VMM's cpuset"),
	   "pin: refused where a CPU is not there");
}

static void smt_require(void)
{
	lab();
	box_vm(&box, KVMX_POLICY_SPREAD, 4);
	box.in.smt = KVMX_SMT_REQUIRE;
	ok(!box_plan(&box) && vcpus_are("0 1 4 5") && all_for(KVMX_WHY_PAIR),
	   "smt require: pairs on siblings, pairs spread");
	box_vm(&box, KVMX_POLICY_SPREAD, 3);
	box.in.smt = KVMX_SMT_REQUIRE;
	ok(!box_plan(&box) && vcpus_are("0 1 4"),
	   "smt require: the last one of three is without a mate");
	box.vcpus[0].prev = 7;
	ok(!box_plan(&box) && vcpus_are("7 6 0"),
	   "smt require: a pair follows its first");
	box.cpus[1].flags = 0;
	box.vcpus[0].prev = KVMX_POLICY_NO_CPU;
	ok(!box_plan(&box) && vcpus_are("2 3 4"),
	   "smt require: a core with one CPU takes no pair");
	box_vm(&box, KVMX_POLICY_SPREAD, 8);
	box.in.smt = KVMX_SMT_REQUIRE;
	ok(box_plan(&box) == -ERANGE &&
	   notes_are("SMT: too few cores have siblings to be used or kept idle"),
	   "smt require: refused where such cores are missing");
	box_init(&box, 1, 1, 4, 1);
	box_vm(&box, KVMX_POLICY_PACK, 2);
	box.in.smt = KVMX_SMT_REQUIRE;
	ok(box_plan(&box) == -ERANGE, "smt require: refused without siblings");
}

static void smt_isolate(void)
{
	lab();
	box_vm(&box, KVMX_POLICY_PACK, 2);
	box.in.smt = KVMX_SMT_ISOLATE;
	ok(!box_plan(&box) && vcpus_are("0 2") && claim_is("1,3") &&
	   others_are("4-7"),
	   "smt isolate: siblings are idle, and claimed");
	box_settle(&box, 1);
	box_vm(&box, KVMX_POLICY_SPREAD, 5);
	ok(!box_plan(&box) && vcpus_are("0 4 5 6 7"),
	   "smt isolate: others may share the CPU, but not the sibling");
	box_vm(&box, KVMX_POLICY_SPREAD, 3);
	box.in.smt = KVMX_SMT_ISOLATE;
	ok(!box_plan(&box) && vcpus_are("0 4 6") && claim_is("1,5,7"),
	   "smt isolate: two VMs may have the same sibling idle");
	lab();
	ok(settles(1, KVMX_POLICY_SPREAD, 8, "0 1 2 3 4 5 6 7"),
	   "(a VM on all CPUs)");
	box_vm(&box, KVMX_POLICY_SPREAD, 1);
	box.in.smt = KVMX_SMT_ISOLATE;
	ok(box_plan(&box) == -ERANGE,
	   "smt isolate: refused where no sibling is idle");
	lab();
	box_vm(&box, KVMX_POLICY_SPREAD, 1);
	box.in.smt = KVMX_SMT_ISOLATE;
	cpus("0");
	emulator("1");
	ok(box_plan(&box) == -ERANGE,
	   "smt isolate: refused where the sibling is named for the emulator");
	box_vm(&box, KVMX_POLICY_ISOLATE, 1);
	box.in.smt = KVMX_SMT_ISOLATE;
	ok(!box_plan(&box) && vcpus_are("0") && others_are("0") &&
	   claim_is("0-1"),
	   "smt isolate: isolate keeps other threads off the sibling, too");
}

static void wishes(void)
{
	lab();
	box.cpus[2].flags = KVMX_POLICY_ALLOWED;
	box.cpus[3].flags = KVMX_POLICY_ONLINE;
	box_vm(&box, KVMX_POLICY_SPREAD, 1);
	cpus("0,2");
	emulator("3");
	io("");
	ok(box_plan(&box) == -ERANGE &&
	   notes_are("CPU 2 is offline; CPU 3 is outside the VMM's cpuset; "
		     "no CPU is left for I/O threads and workers"),
	   "a wish that cannot be refuses the plan, and all of them are named");
	box_vm(&box, KVMX_POLICY_SPREAD, 8);
	ok(!box_plan(&box) && !strstr(box_vcpus(&box), "2 3"),
	   "without wishes, CPUs that are away are left out");
	lab();
	box_vm(&box, KVMX_POLICY_SPREAD, 2);
	emulator("0-3");
	ok(!box_plan(&box) && vcpus_are("4 6") && others_are("0-3"),
	   "vCPUs keep off the CPUs that are named for others");
	emulator("0-7");
	ok(!box_plan(&box) && vcpus_are("0 4"), "unless nothing else is left");
	box_vm(&box, KVMX_POLICY_SPREAD, 0);
	ok(!box_plan(&box) && set_is(KVMX_THREAD_VCPU, "0-7") &&
	   others_are("0-7"), "a VM without vCPUs has a plan as well");
	box_vm(&box, KVMX_POLICY_SPREAD, 2);
	box.in.guest_threads = 2;
	ok(!box_plan(&box) &&
	   notes_are("the guest sees 2 threads per core; on CPU 4 that is not so"),
	   "a guest that sees siblings where there are none is noted");
	box_vm(&box, KVMX_POLICY_PACK, 2);
	box.in.guest_threads = 1;
	ok(!box_plan(&box) &&
	   notes_are("the guest sees 1 threads per core; on CPU 1 that is not so"),
	   "as is one that sees none where there are");
	box.in.guest_threads = 2;
	ok(!box_plan(&box) && notes_are(""), "and one that is right is not");
}

/* What a thread gets whose set is @plan, on the host as it is now. */
static bool falls(const char *plan, const char *home, const char *want,
		  enum kvmx_fallback how)
{
	static u64 set[BOX_WORDS], first[BOX_WORDS], now[BOX_WORDS];

	box_read(set, plan);
	box_read(first, home ?: "");
	return kvmx_policy_fallback(box.cpus, box.in.nr_cpus, set,
				    home ? first : NULL, now) == how &&
	       is(box_list(&box, now), want);
}

static void fallback(void)
{
	lab();
	box.cpus[2].flags = KVMX_POLICY_ALLOWED;
	ok(falls("1,3", NULL, "1,3", KVMX_FALLBACK_NONE) &&
	   falls("2-3", NULL, "3", KVMX_FALLBACK_PART),
	   "fallback: what is left of a set");
	ok(falls("2", NULL, "3", KVMX_FALLBACK_CORE), "fallback: its sibling");
	ok(falls("2", "2,4", "4", KVMX_FALLBACK_HOME),
	   "fallback: a CPU of one's own before a sibling that is not");
	box.cpus[3].flags = KVMX_POLICY_ONLINE;
	ok(falls("2", NULL, "0-1", KVMX_FALLBACK_LLC), "fallback: its cache");
	box.cpus[0].owner = 9;
	box.cpus[1].owner = 9;
	ok(falls("2", NULL, "4-7", KVMX_FALLBACK_ANY),
	   "fallback: any CPU, but nobody else's");
	memset(&box.cpus[4], 0, 4 * sizeof(box.cpus[4]));
	ok(falls("2", NULL, "0-1", KVMX_FALLBACK_ANY),
	   "fallback: even these, as there is nothing else");
	box.cpus[2].flags |= KVMX_POLICY_ONLINE;
	ok(falls("2", NULL, "2", KVMX_FALLBACK_NONE),
	   "fallback: its own again when it is back");
}

int main(void)
{
	spread();
	pack();
	numa();
	isolate();
	isolate_named();
	auto_start();
	pin();
	smt_require();
	smt_isolate();
	wishes();
	fallback();
	box_free(&box);
	return tap_end();
}
