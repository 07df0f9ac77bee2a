// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an exit costs: a guest makes exits of one kind, and the time stamp
 * counter tells how long the whole way out and back took. On an emulator whose
 * counter counts instructions, that is what it took.
 *
 * Each kind is run in batches of two sizes by turns. The difference of the two
 * medians is free of what a batch costs by itself (KVM_RUN, the exit that ends
 * it), and a median free of the few batches that a timer's interrupt fell into.
 */
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>

#include "company.h"
#include "die.h"
#include "hint.h"
#include "kvmx.h"
#include "place.h"
#include "vmm.h"

#define SMALL		10
#define MAX_ROUNDS	1001
#define PAGE		4096
/* Memory of its own: that of violations comes and goes. */
#define AREA_GPA	(VMM_GPA + 32 * VMM_HUGE_PAGE)

/**
 * struct kind - one kind of exits
 * @name: as it is reported
 * @step: VMM_*
 */
struct kind {
	const char *name;
	unsigned int step;
};

static const struct kind kinds[] = {
	{ "cpuid", VMM_CPUID },
	{ "hypercall", VMM_HYPERCALL },
	{ "msr", VMM_RDMSR },
	{ "port_kernel", VMM_OUT_KERNEL },
	{ "port_user", VMM_OUT_USER },
	{ "mmio", VMM_MMIO },
	{ "wakeup", VMM_PING },
	{ "violation", VMM_WRITE },
};

#define NR_KINDS	(sizeof(kinds) / sizeof(*kinds))

static struct vmm *vm;
static struct stats *own[2];	/* KVM's own count of exits, per vCPU */
static void *pages;
static unsigned int big = 50, rounds = 41;
static int cpu;

static uint64_t exits(void)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		stats_read(own[i]);
		sum += stats_get(own[i], "exits");
	}
	return sum;
}

/* Memory of the host that no table of the guest's maps any more. */
static void unmap_pages(void)
{
	size_t size = big * PAGE;

	vmm_set_slot(vm, VMM_SLOT, VMM_GPA, pages, 0, 0);
	vmm_set_slot(vm, VMM_SLOT, VMM_GPA, pages, size, 0);
}

struct peer {
	pthread_t thread;
	uint64_t n;
};

static void *answer(void *arg)
{
	struct peer *p = arg;
	struct vmm_step step = {
		.kind = VMM_PONG, .n = p->n, .arg = vmm_wakes(&vm->vcpu[0]),
	};

	pin(0, cpu);
	vmm_run(&vm->vcpu[1], &step, 1);
	return NULL;
}

/* Ticks of a batch. */
static uint64_t batch(const struct kind *k, uint64_t n)
{
	struct vmm_step step = { .kind = k->step, .n = n };
	struct peer peer = { .n = n };
	uint64_t from;

	switch (k->step) {
	case VMM_WRITE:
		step.arg = VMM_GPA;
		unmap_pages();
		break;
	case VMM_PING:
		step.arg = vmm_wakes(&vm->vcpu[1]);
		break;
	}
	from = vmm_tsc();
	if (k->step == VMM_PING) {
		errno = pthread_create(&peer.thread, NULL, answer, &peer);
		if (errno)
			die_errno("pthread_create");
	}
	vmm_run(&vm->vcpu[0], &step, 1);
	if (k->step == VMM_PING)
		pthread_join(peer.thread, NULL);
	return vmm_tsc() - from;
}

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void measure(const struct kind *k)
{
	static uint64_t small_took[MAX_ROUNDS], big_took[MAX_ROUNDS];
	uint64_t before, middle, more = 0;
	unsigned int i;

	batch(k, SMALL);
	batch(k, big);
	for (i = 0; i < rounds; i++) {
		before = exits();
		small_took[i] = batch(k, SMALL);
		middle = exits();
		big_took[i] = batch(k, big);
		more += exits() - middle - (middle - before);
	}
	qsort(small_took, rounds, sizeof(*small_took), by_value);
	qsort(big_took, rounds, sizeof(*big_took), by_value);
	/* Per exit, as KVM counts them; the spread is that of the larger batch. */
	printf("%s %.1f %.1f %.2f\n", k->name,
	       ((double)big_took[rounds / 2] - small_took[rounds / 2]) * rounds /
	       more,
	       ((double)big_took[rounds * 3 / 4] - big_took[rounds / 4]) *
	       rounds / more,
	       (double)more / rounds / (big - SMALL));
	fflush(stdout);
}

static void measure_named(const char *name)
{
	unsigned int i;

	for (i = 0; i < NR_KINDS; i++)
		if (!strcmp(kinds[i].name, name))
			return measure(&kinds[i]);
	die("no kind of exits is called %s", name);
}

/* Somebody looks: an fd of the whole VM and of its vCPUs. */
static void open_statistics(unsigned int groups)
{
	int on_vm = kvmx_vm_by_fd(kvmx_node(), vm->fd);
	struct stats *s = kvmx_stats_with(on_vm, 0, groups);

	/* These must count, or it would be something else that is measured. */
	vmm_do(&vm->vcpu[0], VMM_CPUID, 100);
	stats_read(s);
	if (stats_exit(s, vmm_reason(VMM_CPUID), "count") < 100)
		die("nothing is counted");
}

/* All threads are where they are anyway: nothing is to be moved. */
static void place_all(void)
{
	struct placing *p = place_new(KVMX_POLICY_PIN);
	int on_vm = place_vm(vm->fd), err;

	if (on_vm < 0)
		die_errno("opening the VM");
	place_pin(p, 0, cpu);
	place_pin(p, 1, cpu);
	place_emulator(p, 1ULL << cpu);
	err = place_do(on_vm, p);
	if (err)
		die("placing the VM: %s", strerror(err));
}

/* It may hint, and has an area; it says nothing there. */
static void let_hint(void)
{
	void *mem = vmm_map_huge(PAGE);
	int on_vm = place_vm(vm->fd);

	if (on_vm < 0)
		die_errno("opening the VM");
	memset(mem, 0, PAGE);	/* there, or it could not be reached */
	vmm_set_slot(vm, VMM_SLOT + 1, AREA_GPA, mem, PAGE, 0);
	hint_allow(on_vm, 1U << KVMX_KIND_CRITICAL | 1U << KVMX_KIND_LATENCY,
		   KVMX_EFFECT_FIFO, 0);
	if (hint_call(&vm->vcpu[0], KVMX_HC_REGISTER, AREA_GPA, 0,
		      sizeof(struct kvmx_area)))
		die("no area can be registered");
}

static void set_up(void)
{
	struct kvm_enable_cap no_polling = { .cap = KVM_CAP_HALT_POLL };
	unsigned int i;

	vm = vmm_create(VMM_IRQCHIP);
	ioctl(vm->fd, KVM_ENABLE_CAP, &no_polling);
	for (i = 0; i < 2; i++)
		own[i] = kvm_stats(vmm_add_vcpu(vm)->fd);
	pages = vmm_map_huge(big * PAGE);
	memset(pages, 1, big * PAGE);
	vmm_set_slot(vm, VMM_SLOT, VMM_GPA, pages, big * PAGE, 0);
	vmm_warm(&vm->vcpu[0]);
	vmm_warm(&vm->vcpu[1]);
}

static void usage(void)
{
	unsigned int i;

	fprintf(stderr,
		"usage: exitcost [-n EXITS] [-r ROUNDS] [-s GROUPS] [-hp] [KIND...]\n"
		"       exitcost -w\n"
		"  -n EXITS   in a batch (default %u)\n"
		"  -r ROUNDS  batches (default %u)\n"
		"  -s GROUPS  open kvmx's statistics, with KVMX_STATS_* bits\n"
		"  -h         let the VM hint: it has an area, and is silent\n"
		"  -p         place the VM\n"
		"  -w         just have statistics open, until killed\n"
		"Prints for each kind: its name, ticks per exit, their spread\n"
		"(interquartile), exits per step of the guest.\nkinds:",
		big, rounds);
	for (i = 0; i < NR_KINDS; i++)
		fprintf(stderr, " %s", kinds[i].name);
	fprintf(stderr, "\n");
	exit(2);
}

static unsigned int number(const char *arg, unsigned int least,
			   unsigned int most)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(arg, &end, 0);
	if (errno || end == arg || *end || n < least || n > most)
		die("%s is not a number from %u to %u", arg, least, most);
	return n;
}

int main(int argc, char **argv)
{
	int opt, groups = -1;
	bool placed = false, hints = false;
	unsigned int i;

	while ((opt = getopt(argc, argv, "hn:pr:s:w")) != -1) {
		switch (opt) {
		case 'h':
			hints = true;
			break;
		case 'n':
			big = number(optarg, SMALL + 1, 500);
			break;
		case 'p':
			placed = true;
			break;
		case 'r':
			rounds = number(optarg, 5, MAX_ROUNDS);
			break;
		case 's':
			groups = number(optarg, 0, 0xffff);
			break;
		case 'w':
			set_up();
			open_statistics(0);
			pause();
			return 0;
		default:
			usage();
		}
	}
	/* The last CPU: peers live on the first one, if there are two. */
	cpu = sysconf(_SC_NPROCESSORS_ONLN) - 1;
	pin(0, cpu);
	set_up();
	if (placed)
		place_all();
	if (hints)
		let_hint();
	if (groups >= 0)
		open_statistics(groups);
	if (optind == argc)
		for (i = 0; i < NR_KINDS; i++)
			measure(&kinds[i]);
	for (; optind < argc; optind++)
		measure_named(argv[optind]);
	return 0;
}
