// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest to look at, for the tests in shell: makes exits of known kinds and
 * numbers, and ends.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "die.h"
#include "vmm.h"

/* Those that need no address. */
static const char * const kinds[] = {
	"cpuid", "out_user", "out_kernel", "mmio", "hlt", "hlt_user",
	"hypercall", "rdmsr", "wrmsr", "touch", "spin",
};

#define NR_KINDS (sizeof(kinds) / sizeof(*kinds))

static void usage(void)
{
	fprintf(stderr,
		"usage: vmm [-c VCPUS] [-h US] [-l SECONDS] [-s SECONDS] [-u US] [KIND=N]...\n"
		"  -c VCPUS    how many vCPUs do all that (default 1)\n"
		"  -h US       how long each HLT lasts\n"
		"  -l SECONDS  do it again and again for so long\n"
		"  -s SECONDS  stay so long afterwards, the vCPUs at rest\n"
		"  -u US       how long user space sleeps at each of its exits\n"
		"kinds:");
	for (unsigned int i = 0; i < NR_KINDS; i++)
		fprintf(stderr, " %s", kinds[i]);
	fprintf(stderr, "\nPrints what was provoked: VCPU REASON N.\n");
	exit(2);
}

static struct vmm_step parse_step(const char *arg)
{
	const char *eq = strchr(arg, '=');
	unsigned int i;

	for (i = 0; eq && i < NR_KINDS; i++)
		if (strlen(kinds[i]) == (size_t)(eq - arg) &&
		    !strncmp(kinds[i], arg, eq - arg))
			return (struct vmm_step){
				.kind = i, .n = strtoull(eq + 1, NULL, 0)
			};
	usage();
	return (struct vmm_step){ };
}

static void run_all(struct vmm *vm, const struct vmm_step *steps,
		    unsigned int nr, unsigned int seconds)
{
	unsigned int i;

	for (i = 0; i < vm->nr_vcpus; i++)
		vmm_start(&vm->vcpu[i], steps, nr);
	if (seconds)
		sleep(seconds);
	for (i = 0; i < vm->nr_vcpus; i++) {
		while (!vm->vcpu[i].rounds)
			usleep(1000);
		vmm_stop(&vm->vcpu[i]);
	}
}

static void run_once(struct vmm *vm, const struct vmm_step *steps,
		     unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < vm->nr_vcpus; i++)
		vmm_run(&vm->vcpu[i], steps, nr);
}

static void report(const struct vmm *vm)
{
	const char *reason;
	unsigned int i, k, j;

	for (i = 0; i < vm->nr_vcpus; i++) {
		for (k = 0; k < VMM_KINDS; k++) {
			reason = vmm_reason(k);
			for (j = 0; reason && j < k; j++)
				if (vmm_reason(j) && !strcmp(reason, vmm_reason(j)))
					reason = NULL;
			if (reason && vmm_provoked(&vm->vcpu[i], reason))
				printf("%u %s %llu\n", i, reason,
				       (unsigned long long)
				       vmm_provoked(&vm->vcpu[i], reason));
		}
	}
	fflush(stdout);
}

int main(int argc, char **argv)
{
	unsigned int vcpus = 1, seconds = 0, stay = 0, halt_us = 0, user_us = 0;
	unsigned int flags = VMM_IRQCHIP, nr = 0, i;
	struct vmm_step steps[VMM_MAX_STEPS];
	struct vmm *vm;
	int opt;

	while ((opt = getopt(argc, argv, "c:h:l:s:u:")) != -1) {
		switch (opt) {
		case 'c':
			vcpus = strtoul(optarg, NULL, 0);
			break;
		case 'h':
			halt_us = strtoul(optarg, NULL, 0);
			break;
		case 'l':
			seconds = strtoul(optarg, NULL, 0);
			break;
		case 's':
			stay = strtoul(optarg, NULL, 0);
			break;
		case 'u':
			user_us = strtoul(optarg, NULL, 0);
			break;
		default:
			usage();
		}
	}
	for (; optind < argc && nr < VMM_MAX_STEPS; optind++) {
		steps[nr] = parse_step(argv[optind]);
		if (steps[nr++].kind == VMM_HLT_USER)
			flags = 0;
	}
	vm = vmm_create(flags);
	for (i = 0; i < vcpus; i++) {
		struct vmm_vcpu *v = vmm_add_vcpu(vm);

		v->halt_us = halt_us;
		v->user_us = user_us;
	}
	if (seconds)
		run_all(vm, steps, nr, seconds);
	else
		run_once(vm, steps, nr);
	report(vm);
	if (stay)
		sleep(stay);
	vmm_destroy(vm);
	return 0;
}
