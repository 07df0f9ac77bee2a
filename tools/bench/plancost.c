// SPDX-License-Identifier: GPL-2.0-only
/*
 * What it takes to plan, and to apply: a VM with many vCPUs that were created and
 * never run, and as many threads that do nothing. Prints lines "WHAT N TICKS
 * BYTES", as readcost does: the median of the rounds; bytes are those of the
 * sets that were asked for.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <fcntl.h>

#include "die.h"
#include "kvmx.h"
#include "place.h"
#include "took.h"

#define MAX		1024

static int vcpu[MAX];

static void *sleeper(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void start_sleeper(void)
{
	pthread_attr_t small;
	pthread_t thread;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 65536);
	if (pthread_create(&thread, &small, sleeper, NULL))
		die("a thread");
	pthread_attr_destroy(&small);
}

static uint64_t ticks(void)
{
	return __builtin_ia32_rdtsc();
}

static void plan(int vm, unsigned int n)
{
	struct placing *p = place_new(KVMX_POLICY_SPREAD);
	unsigned int i;
	uint64_t then;
	int err;

	p->req.flags = KVMX_PLACE_DRY_RUN;
	for (i = 0; i < ROUNDS; i++) {
		then = ticks();
		err = place_do(vm, p);
		took[i] = ticks() - then;
		if (err)
			die("a plan for %u vCPUs: %s", n, strerror(err));
	}
	report("plan", n, (size_t)n * p->req.mask_size);
	free(p);
}

/* Places and clears; @n threads are moved there and back. */
static void apply(int vm, unsigned int n)
{
	struct placing *p = place_new(KVMX_POLICY_SPREAD);
	static uint64_t cleared[ROUNDS];
	unsigned int i;
	uint64_t then, done;
	int err;

	for (i = 0; i < ROUNDS; i++) {
		then = ticks();
		err = place_do(vm, p);
		done = ticks();
		if (err || place_clear(vm))
			die("a placement of %u threads: %s", n, strerror(err));
		took[i] = done - then;
		cleared[i] = ticks() - done;
	}
	report("place", n, (size_t)n * p->req.mask_size);
	memcpy(took, cleared, sizeof(took));
	report("clear", n, 0);
	free(p);
}

int main(void)
{
	static const unsigned int numbers[] = { 1, 16, 256, MAX };
	struct rlimit files = { MAX + 64, MAX + 64 };
	unsigned int i, nr = 0, threads = 0, most;
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int kvm_vm, vm;

	if (kvm < 0)
		die_errno("/dev/kvm");
	setrlimit(RLIMIT_NOFILE, &files);
	most = ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS);
	kvm_vm = ioctl(kvm, KVM_CREATE_VM, 0);
	if (kvm_vm < 0)
		die_errno("a VM");
	vm = place_vm(kvm_vm);
	if (vm < 0)
		die_errno("opening it");
	for (i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		if (numbers[i] > most)
			break;
		for (; nr < numbers[i]; nr++) {
			vcpu[nr] = ioctl(kvm_vm, KVM_CREATE_VCPU, nr);
			if (vcpu[nr] < 0)
				die_errno("a vCPU");
		}
		plan(vm, nr);
	}
	for (i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		for (; threads < numbers[i]; threads++)
			start_sleeper();
		apply(vm, threads);
	}
	return 0;
}
