// SPDX-License-Identifier: GPL-2.0-only
/*
 * What hints by hypercall cost: a call, the whole way out and back, that KVM does not
 * know, that kvmx answers, and that begins or ends a grant. Prints lines "WHAT N
 * TICKS": per call, and for grants per pair of calls. As in exitcost, the difference of
 * two batches is free of what a batch costs by itself.
 */
#include <errno.h>
#include <stdint.h>
#include <unistd.h>

#include "company.h"
#include "die.h"
#include "hint.h"
#include "place.h"
#include "took.h"
#include "vmm.h"

#define SMALL	10
#define BIG	50

static struct vmm *vm;
static int on_vm;

static uint64_t batch(unsigned int n)
{
	uint64_t from = vmm_tsc();

	vmm_do(&vm->vcpu[0], VMM_KVMX, n);
	return vmm_tsc() - from;
}

/* Medians of both sizes; @calls of the guest are one of what is measured. */
static void measure(const char *what, unsigned int calls)
{
	uint64_t small;
	int i;

	batch(BIG);
	for (i = 0; i < ROUNDS; i++)
		took[i] = batch(SMALL);
	small = median();
	for (i = 0; i < ROUNDS; i++)
		took[i] = batch(BIG);
	printf("%s %u %.1f\n", what, BIG / calls,
	       (double)(median() - small) * calls / (BIG - SMALL));
	fflush(stdout);
}

static void set_up(void)
{
	vm = vmm_create(0);
	vmm_add_vcpu(vm);
	vmm_warm(&vm->vcpu[0]);
	on_vm = place_vm(vm->fd);
	if (on_vm < 0)
		die_errno("opening the VM");
}

/* Whoever answers, it must be with @want, each time. */
static void calls(const char *what, uint32_t op, uint32_t a1, int64_t want)
{
	hint_load(&vm->vcpu[0], op, a1, 0, 0, want);
	measure(what, 1);
	if (vmm_call(&vm->vcpu[0])->others)
		die("%s: the answer was %ld", what,
		    (long)vmm_call(&vm->vcpu[0])->other);
}

static uint64_t granted(void)
{
	return hint_counts(on_vm, 0, KVMX_KIND_LATENCY).granted;
}

/* Nearly all the time may be granted: it is not about the budget. */
static void grants(const char *what, unsigned int effect, int arg)
{
	struct kvmx_hint policy = hint_effect(1U << KVMX_KIND_LATENCY, effect, arg);
	uint64_t before = granted();

	policy.calls_per_s = 1000000;
	policy.period_us = 1000000;
	policy.budget_us = 900000;
	policy.kinds[KVMX_KIND_LATENCY].grant_us = 10000;
	errno = hint_set(on_vm, &policy);
	if (errno)
		die_errno(what);
	hint_load(&vm->vcpu[0], KVMX_HC_HINT,
		  KVMX_HINT_WORD(KVMX_KIND_LATENCY, 1, 1), 0, 0, 0);
	vmm_call(&vm->vcpu[0])->flip = vmm_call(&vm->vcpu[0])->arg[1];
	measure(what, 2);
	/* Each second call asks. */
	if (granted() - before != (BIG + ROUNDS * (SMALL + BIG)) / 2)
		die("%s: %lu grants", what, (unsigned long)(granted() - before));
}

int main(void)
{
	const uint32_t kinds = 1U << KVMX_KIND_CRITICAL | 1U << KVMX_KIND_LATENCY;

	/* The last CPU: kthreads may have the others. */
	pin(0, sysconf(_SC_NPROCESSORS_ONLN) - 1);
	set_up();
	calls("call_unknown", KVMX_HC_QUERY, KVMX_QUERY_VERSION, -KVM_ENOSYS);
	hint_allow(on_vm, kinds, KVMX_EFFECT_NONE, 0);
	calls("call_query", KVMX_HC_QUERY, KVMX_QUERY_VERSION,
	      KVMX_PARA_VERSION);
	calls("call_hint", KVMX_HC_HINT,
	      KVMX_HINT_WORD(KVMX_KIND_LATENCY, 1, 1), 0);
	grants("grant_nice", KVMX_EFFECT_NICE, -5);
	grants("grant_fifo", KVMX_EFFECT_FIFO, 0);
	return 0;
}
