// SPDX-License-Identifier: GPL-2.0-only
/*
 * From birth to placement: how long a thread of a placed VM lives before it has its
 * CPUs, as the module's events tell. Prints lines "WHO N MEDIAN MAX", in
 * nanoseconds: user threads, which are placed before their first instruction in
 * user space, and those of io_uring, which the kernel makes.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/io_uring.h>
#include <linux/kvm.h>
#include <linux/kvmx_events.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "die.h"
#include "kvmx.h"
#include "place.h"

#define USERS		200
#define POLLERS		50

static uint64_t took[USERS];

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Reads what was told since the last time. */
static void report(const char *who, int fd, unsigned int most)
{
	struct kvmx_record r;
	unsigned int n = 0;

	while (n < most && read(fd, &r, sizeof(r)) == sizeof(r))
		if (r.type == KVMX_EVENT_THREAD_BORN)
			took[n++] = r.arg;
	if (!n)
		die("no birth of %s was told", who);
	qsort(took, n, sizeof(*took), by_value);
	printf("%s %u %lu %lu\n", who, n, took[n / 2], took[n - 1]);
	fflush(stdout);
}

static void *nothing(void *arg)
{
	return arg;
}

static void make_users(void)
{
	pthread_t thread;
	unsigned int i;

	for (i = 0; i < USERS; i++) {
		if (pthread_create(&thread, NULL, nothing, NULL))
			die("a thread");
		pthread_join(thread, NULL);
	}
}

/* Each ring has a thread of the kernel's that polls it. */
static void make_pollers(void)
{
	struct io_uring_params p;
	unsigned int i;
	int fd;

	for (i = 0; i < POLLERS; i++) {
		p = (struct io_uring_params){
			.flags = IORING_SETUP_SQPOLL, .sq_thread_idle = 1,
		};
		fd = syscall(SYS_io_uring_setup, 8, &p);
		if (fd < 0)
			die_errno("io_uring");
		usleep(20000);
		close(fd);
	}
}

int main(void)
{
	struct placing *p = place_new(KVMX_POLICY_SPREAD);
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int node = place_node(), kvm_vm, vm, events, err;

	if (kvm < 0)
		die_errno("/dev/kvm");
	kvm_vm = ioctl(kvm, KVM_CREATE_VM, 0);
	if (kvm_vm < 0 || ioctl(kvm_vm, KVM_CREATE_VCPU, 0) < 0)
		die_errno("a VM");
	vm = place_vm(kvm_vm);
	events = kvmx_events(node, 1 << KVMX_EVENT_THREAD_BORN);
	if (vm < 0 || events < 0)
		die_errno("opening it");
	fcntl(events, F_SETFL, O_NONBLOCK);
	err = place_do(vm, p);
	if (err)
		die("a placement: %s", strerror(err));
	make_users();
	usleep(100000);
	report("user", events, USERS);
	make_pollers();
	usleep(100000);
	report("kernel", events, POLLERS);
	return 0;
}
