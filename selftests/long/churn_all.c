// SPDX-License-Identifier: GPL-2.0-only
/*
 * All at once, for ten minutes: loads and unloads, VMs that live and are
 * killed, CPUs off and on, memory slots that come, move and go under dirty
 * logging, readers, placements, hints, events, tracing, the tool; and every now and then
 * KVM itself is loaded anew.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "kselftest_harness.h"

#include "crew.h"
#include "die.h"
#include "flat.h"
#include "host.h"
#include "kvmx.h"
#include "module.h"
#include "mortal.h"
#include "place.h"
#include "placer.h"
#include "reader.h"
#include "vmm.h"

#define PHASES		10
#define CPUS		"/sys/devices/system/cpu"

static const char *ko;
static char param[32];

#define LOADER_LOADS	0
#define LOADER_REFUSED	1

static void loader(struct crew *c, struct hand *h)
{
	static long took = 300000;
	static bool due;
	struct timespec from;
	int err;

	/* To come and go takes seconds: first, let others make something of it. */
	if (!due) {
		c->calm = true;
		crew_nap(c, took * patience() * (2 + rand() % 3));
		due = true;
	}
	usleep(rand() % 100000);
	c->calm = false;
	clock_gettime(CLOCK_MONOTONIC, &from);
	err = module_unload("kvmx");
	if (err == EWOULDBLOCK || err == EBUSY) {
		h->done[LOADER_REFUSED]++;
		h->worked_us += crew_us(&from);
		return;
	}
	if (err)
		die("kvmx cannot be unloaded: %s", strerror(err));
	usleep(rand() % 20000);
	err = module_load(ko, rand() % 4 ? param : "stats=always");
	if (err)
		die("kvmx cannot be loaded: %s", strerror(err));
	h->done[LOADER_LOADS]++;
	due = false;
	took = crew_us(&from) / patience();
	h->worked_us += crew_us(&from);
}

static void lives(struct crew *c, struct hand *h)
{
	static const enum mortal_kind kinds[] = {
		MORTAL_RUNS, MORTAL_HALTS, MORTAL_CREATES,
	};
	pid_t pid = mortal_start(kinds[rand() % 3], 1 + rand() % 4);

	mortal_moment(100000);
	mortal_kill(pid);
	crew_nap(c, rand() % 200000);
}

#define CPUS_OFF	0

static bool cpu_switch(unsigned int cpu, const char *to)
{
	char path[64];
	bool done;
	int fd;

	snprintf(path, sizeof(path), CPUS "/cpu%u/online", cpu);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	done = write(fd, to, 1) == 1;
	close(fd);
	return done;
}

/* A slow 6.12 would warn. */
static bool cpus_can_go(void)
{
	return !access(CPUS "/cpu1/online", W_OK) &&
	       (patience() == 1 || !host_counts_its_server());
}

static void cpus(struct crew *c, struct hand *h)
{
	unsigned int n = sysconf(_SC_NPROCESSORS_CONF), cpu;

	cpu = n > 1 ? 1 + rand() % (n - 1) : 0;
	if (!cpus_can_go() || !cpu_switch(cpu, "0")) {
		usleep(100000);
		return;
	}
	h->done[CPUS_OFF]++;
	usleep(rand() % 200000);
	if (!cpu_switch(cpu, "1"))
		die_errno("CPU %u does not come back", cpu);
	usleep(rand() % 200000);
}

#define SLOT		60
#define SLOT_SIZE	0x10000UL
#define SLOTS_CHANGED	0
#define SLOTS_DIRTY	1

static void slot_set(struct vmm *vm, struct hand *h, uint64_t gpa, size_t size,
		     void *mem, unsigned int flags)
{
	vmm_set_slot(vm, SLOT, gpa, mem, size, flags);
	h->done[SLOTS_CHANGED]++;
	usleep(rand() % 3000);
}

static void slot_read_log(struct vmm *vm, struct hand *h)
{
	uint64_t bits = 0;
	struct kvm_dirty_log log = { .slot = SLOT, .dirty_bitmap = &bits };

	if (ioctl(vm->fd, KVM_GET_DIRTY_LOG, &log))
		die_errno("KVM_GET_DIRTY_LOG");
	h->done[SLOTS_DIRTY] += __builtin_popcountll(bits);
}

/* Where the guest writes to, there is memory now, and now not. */
static void slots(struct crew *c, struct hand *h)
{
	static const struct vmm_step steps[] = {
		{ .kind = VMM_MMIO, .n = 20 },
		{ .kind = VMM_CPUID, .n = 5 },
		{ .kind = VMM_TOUCH, .n = 10 },
	};
	static struct vmm *vm;
	static void *mem;

	if (!vm) {
		vm = vmm_create(VMM_IRQCHIP);
		mem = mmap(NULL, SLOT_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (mem == MAP_FAILED)
			die_errno("memory for a slot");
		vmm_start(vmm_add_vcpu(vm), steps, 3);
	}
	slot_set(vm, h, VMM_HOLE_GPA, SLOT_SIZE, mem, KVM_MEM_LOG_DIRTY_PAGES);
	slot_read_log(vm, h);
	slot_set(vm, h, VMM_HOLE_GPA, SLOT_SIZE, mem, 0);
	slot_set(vm, h, VMM_HOLE_GPA, SLOT_SIZE, mem, KVM_MEM_LOG_DIRTY_PAGES);
	/* Moved away and back: the guest meets memory, nothing, memory. */
	slot_set(vm, h, VMM_HOLE_GPA + 0x100000, SLOT_SIZE, mem,
		 KVM_MEM_LOG_DIRTY_PAGES);
	slot_set(vm, h, VMM_HOLE_GPA, SLOT_SIZE, mem, KVM_MEM_LOG_DIRTY_PAGES);
	slot_read_log(vm, h);
	slot_set(vm, h, VMM_HOLE_GPA, 0, mem, 0);
}

#define TOOL_FINE	0
#define TOOL_FAILED	1		/* no module just then, or a VM went */
#define TOOL_MISSING	2

static void tool(struct crew *c, struct hand *h)
{
	static const char * const args[][4] = {
		{ "kvmx", "list" }, { "kvmx", "info" }, { "kvmx", "stat" },
		{ "kvmx", "stat", "--json" },
	};
	unsigned int which = rand() % 4;
	struct timespec from;
	pid_t pid;
	int status, null;

	clock_gettime(CLOCK_MONOTONIC, &from);
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		die_errno("fork");
	if (!pid) {
		null = open("/dev/null", O_RDWR);
		dup2(null, 1);
		dup2(null, 2);
		execvp("kvmx", (char **)args[which]);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	if (!WIFEXITED(status))
		die("kvmx %s ended with status %#x", args[which][1], status);
	switch (WEXITSTATUS(status)) {
	case 0:
		h->done[TOOL_FINE]++;
		break;
	case 127:
		h->done[TOOL_MISSING]++;
		sleep(1);
		break;
	default:
		h->done[TOOL_FAILED]++;
	}
	crew_rest(c, h, &from);
}

#define DONE		6
#define PLACER_DONE	"missed", "placed", "refused", "committed", "cleared", \
			"killed"

#define MUST(what)	(1U << (what))

static const struct job {
	const char *name;
	crew_work work;
	const char *done[DONE];
	unsigned int must;	/* which of these have to have happened */
	bool has_vms;		/* while it works, KVM cannot be unloaded */
} jobs[] = {
	{ "loader", loader, { "loads", "refused" },
	  MUST(LOADER_LOADS) | MUST(LOADER_REFUSED) },
	{ "lives", lives, .has_vms = true },
	{ "lives", lives, .has_vms = true },
	{ "cpus", cpus, { "off and on" }, MUST(CPUS_OFF) },
	{ "slots", slots, { "changed", "pages dirty" }, MUST(SLOTS_DIRTY),
	  .has_vms = true },
	{ "reader", reader_round, { "missed", "read", "mapped" },
	  MUST(READER_PREADS) },
	{ "reader", reader_round, { "missed", "read", "mapped" },
	  MUST(READER_PREADS) },
	{ "placer", placer_round, { PLACER_DONE }, MUST(PLACER_PLACED) },
	{ "placer", placer_round, { PLACER_DONE }, MUST(PLACER_PLACED) },
	{ "hinter", hinter_round, { "missed", "allowed", "refused", "granted" },
	  MUST(HINTER_ALLOWED) },
	{ "listener", listener_round, { "missed", "told", "times lost" },
	  MUST(LISTENER_TOLD) },
	{ "tracer", tracer_round, { "missed", "enabled", "read" },
	  MUST(TRACER_ENABLED) },
	{ "tool", tool, { "fine", "failed", "missing" }, MUST(TOOL_FINE) },
};

#define JOBS	(sizeof(jobs) / sizeof(*jobs))

/* What has to be the same at the end. */
struct state {
	char online[64];
	cpu_set_t cpus;
	unsigned int nr_modules;
};

static void state_take(struct state *s)
{
	char line[1024];
	FILE *f;

	memset(s, 0, sizeof(*s));
	f = fopen(CPUS "/online", "r");
	if (!f || !fgets(s->online, sizeof(s->online), f))
		die_errno(CPUS "/online");
	fclose(f);
	if (sched_getaffinity(0, sizeof(s->cpus), &s->cpus))
		die_errno("sched_getaffinity");
	f = fopen("/proc/modules", "r");
	while (f && fgets(line, sizeof(line), f))
		s->nr_modules++;
	if (f)
		fclose(f);
}

FIXTURE(churn) {
	struct hand total[JOBS];
	struct state before;
};

FIXTURE_SETUP(churn)
{
	char was[16];

	srand(1);
	ko = module_file();
	if (!ko)
		SKIP(return, "the module's file cannot be read: set KVMX_KO");
	host_get_stats_param(was, sizeof(was));
	snprintf(param, sizeof(param), "stats=%s", was);
	state_take(&self->before);
}

/* Whatever happened, each CPU is on again, and the module there as it was. */
FIXTURE_TEARDOWN(churn)
{
	unsigned int cpu, n = sysconf(_SC_NPROCESSORS_CONF);
	unsigned long refused = 0;

	for (cpu = 1; cpu < n; cpu++)
		cpu_switch(cpu, "1");
	if (module_loaded("kvmx"))
		module_unload_busy(30, &refused);
	module_load(ko, param);
}

/* And places it, whose vCPU is this thread's, and gives back what was before. */
static void expect_placement(struct __test_metadata *_metadata, struct vmm *vm)
{
	struct placing *p = place_new(KVMX_POLICY_PIN);
	uint64_t before = cpus_of(0);
	int fd = place_vm(vm->fd);

	place_pin(p, 0, 0);
	EXPECT_EQ(0, place_do(fd, p));
	EXPECT_EQ(1, cpus_of(0));
	EXPECT_EQ(0, place_clear(fd));
	EXPECT_EQ(before, cpus_of(0));
	close(fd);
	free(p);
}

/* The module that is loaded now counts the KVM that is loaded now. */
static void expect_answer(struct __test_metadata *_metadata, int node)
{
	struct vmm *vm = vmm_create(VMM_IRQCHIP);
	struct vmm_vcpu *v = vmm_add_vcpu(vm);
	int fd = kvmx_vm_by_fd(node, vm->fd);
	struct stats *s = kvmx_stats(fd, 0);

	vmm_do(v, VMM_CPUID, 77);
	stats_read(s);
	EXPECT_EQ(77, stats_exit(s, vmm_reason(VMM_CPUID), "count"));
	stats_close(s);
	expect_placement(_metadata, vm);
	close(fd);
	vmm_destroy(vm);
	vmm_let_go();
}

static void hire(struct crew *crew, bool has_vms)
{
	unsigned int i;

	for (i = 0; i < JOBS; i++)
		if (jobs[i].has_vms == has_vms)
			crew_hire(crew, jobs[i].name, jobs[i].work);
}

/* What they did is added to the total, in the order of the jobs. */
static bool dismiss(struct crew *crew, bool has_vms, struct hand *total)
{
	bool fine = crew_dismiss(crew);
	const struct hand *h = crew->hands;
	unsigned int i, k;

	for (i = 0; i < JOBS; i++) {
		if (jobs[i].has_vms != has_vms)
			continue;
		total[i].rounds += h->rounds;
		total[i].worked_us += h->worked_us;
		for (k = 0; k < DONE; k++)
			total[i].done[k] += h->done[k];
		h++;
	}
	crew_free(crew);
	return fine;
}

static void phase(struct __test_metadata *_metadata, FIXTURE_DATA(churn) *self,
		  unsigned int seconds)
{
	struct crew *vms = crew_new(), *others = crew_new();
	int node;

	hire(others, false);
	hire(vms, true);
	sleep(seconds);
	ASSERT_TRUE(dismiss(vms, true, self->total));
	/* KVM goes and comes while kvmx does, and somebody reads, and CPUs go. */
	EXPECT_TRUE(module_reload_kvm());
	ASSERT_TRUE(dismiss(others, false, self->total));

	node = kvmx_node();
	EXPECT_TRUE(host_quiet(node));
	/* And once more while kvmx stays, with an fd open. */
	ASSERT_TRUE(module_reload_kvm());
	expect_answer(_metadata, node);
	EXPECT_TRUE(host_quiet(node));
	close(node);
}

/* As many times as anything was born or loaded. */
static unsigned long times(const struct hand *total)
{
	unsigned long n = 0;
	unsigned int i;

	for (i = 0; i < JOBS; i++)
		if (jobs[i].work == lives)
			n += total[i].rounds;
		else if (jobs[i].work == loader)
			n += total[i].done[LOADER_LOADS];
	return n;
}

static void tell(const struct hand *total)
{
	unsigned int i, k;

	for (i = 0; i < JOBS; i++) {
		printf("# %s: %lu rounds", jobs[i].name, total[i].rounds);
		if (total[i].worked_us)
			printf(", at it for %lu ms", total[i].worked_us / 1000);
		for (k = 0; k < DONE && jobs[i].done[k]; k++)
			printf(", %lu %s", total[i].done[k], jobs[i].done[k]);
		printf("\n");
	}
}

/* Each job went about its business, and what it is there for has happened. */
static void expect_all_done(struct __test_metadata *_metadata,
			    const struct hand *total)
{
	unsigned int i, k;

	for (i = 0; i < JOBS; i++) {
		EXPECT_LT(0, total[i].rounds) {
			TH_LOG("%s did nothing", jobs[i].name);
		}
		if (jobs[i].work == cpus && !cpus_can_go())
			continue;
		for (k = 0; k < DONE; k++) {
			if (!(jobs[i].must & MUST(k)))
				continue;
			EXPECT_LT(0, total[i].done[k]) {
				TH_LOG("%s: nothing %s", jobs[i].name,
				       jobs[i].done[k]);
			}
		}
	}
}

TEST_F_TIMEOUT(churn, everything_at_once_leaves_the_host_as_it_was, 14400)
{
	unsigned int i, seconds = sized("KVMX_CHURN_SECONDS", 600);
	static struct flat before, after;
	unsigned long warm;
	struct state state;

	if (seconds < PHASES)
		seconds = PHASES;
	/* What is allocated once only is allocated in the first phase. */
	phase(_metadata, self, seconds / PHASES);
	warm = times(self->total);
	flat_take(&before);
	for (i = 1; i < PHASES; i++)
		phase(_metadata, self, seconds / PHASES);
	flat_take(&after);
	tell(self->total);
	EXPECT_TRUE(flat_stayed(&before, &after, times(self->total) - warm));
	expect_all_done(_metadata, self->total);
	state_take(&state);
	EXPECT_STREQ(self->before.online, state.online);
	EXPECT_TRUE(CPU_EQUAL(&self->before.cpus, &state.cpus));
	EXPECT_EQ(self->before.nr_modules, state.nr_modules);
	EXPECT_EQ(0, flat_leaks());
}

/* What a machine cannot do is no part of the above: say so. */
TEST_F_TIMEOUT(churn, cpus_can_be_switched_off_here, 60)
{
	if (!cpus_can_go())
		SKIP(return, "no CPU but the first, or none that can be switched off without a warning of the kernel's: the rest of the churn ran without");
	EXPECT_TRUE(cpu_switch(1, "0"));
	EXPECT_TRUE(cpu_switch(1, "1"));
}

HOST_HARNESS_MAIN
