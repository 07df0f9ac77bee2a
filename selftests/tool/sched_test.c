// SPDX-License-Identifier: GPL-2.0-only
/* What kvmx sched makes of figures: balance, classes of threads, hottest rows. */
#include <string.h>

#include "balance.h"
#include "tap.h"
#include "thread_class.h"
#include "top.h"

static bool near(double a, double b)
{
	return a - b < 0.0001 && b - a < 0.0001;
}

static void balance(void)
{
	const __u64 even_ran[] = { 50, 50, 50, 50 }, even[] = { 50, 50, 50, 50 };
	const __u64 one_ran[] = { 100, 0, 0, 0 }, one[] = { 0, 70, 90, 80 };
	const __u64 idle_ran[] = { 0, 100, 0 }, idle[] = { 0, 30, 0 };
	const __u64 none[] = { 0, 0, 0 };
	struct balance b;

	balance_of(even_ran, even, 4, &b);
	ok(b.nr == 4 && near(b.fairness, 1) && b.skew == 0,
	   "all the same is fair, whatever they got");
	balance_of(one_ran, one, 4, &b);
	ok(near(b.fairness, 0.25), "one of four that gets everything makes 1/4");
	ok(b.skew == 90 && b.most == 2 && b.least == 0,
	   "skew is between the one that waited longest and the one that did not");
	balance_of(idle_ran, idle, 3, &b);
	ok(b.nr == 1 && near(b.fairness, 1) && !b.skew && b.most == 1,
	   "who wants nothing is not compared");
	balance_of(none, none, 3, &b);
	ok(!b.nr, "where nobody wants anything there is nothing to say");
	balance_of(none, even, 3, &b);
	ok(b.nr == 3 && near(b.fairness, 1), "nobody gets anything: even so");
}

static void classes(void)
{
	ok(thread_class("CPU 0/KVM", false, true) == THREAD_VCPU &&
	   thread_class("worker", false, true) == THREAD_VCPU,
	   "who runs a vCPU is known from KVM, not by name");
	ok(thread_class("qemu-system-x86", true, false) == THREAD_MAIN &&
	   thread_class("anything", true, true) == THREAD_VCPU,
	   "the first thread is the main one, unless it runs a vCPU");
	ok(thread_class("IO iothread7", false, false) == THREAD_IO &&
	   thread_class("_disk0_q0", false, false) == THREAD_IO,
	   "I/O threads of QEMU and of cloud-hypervisor");
	ok(thread_class("worker", false, false) == THREAD_WORKER &&
	   thread_class("iou-wrk-77", false, false) == THREAD_WORKER,
	   "workers of QEMU and of io_uring");
	ok(thread_class("vhost-4711", false, false) == THREAD_VHOST, "vhost");
	ok(thread_class("CPU 0/KVM", false, false) == THREAD_OTHER &&
	   thread_class("", false, false) == THREAD_OTHER,
	   "what a name does not tell is other");
}

static struct kvmx_top_row before[] = {
	{ 1, 10, 1000, 0, "one" },
	{ 2, 5, 500, 0, "two" },
	{ 3, 8, 300, 0, "three" },
};

static struct kvmx_top_row after[] = {
	{ 2, 25, 900, 0, "two" },
	{ 1, 10, 1000, 0, "one" },
	{ 3, 2, 20, 9, "three" },
	{ 4, 1, 5000, 7, "four" },
};

static void rows(void)
{
	struct top a = { .rows = before, .nr = 3, .others_count = 2,
			 .others_time = 20 };
	struct top last = { .rows = after, .nr = 4, .others_count = 12,
			    .others_time = 400 };
	__u64 count = top_count(&last) - top_count(&a);
	__u64 time = top_time(&last) - top_time(&a);
	struct top t;

	top_copy(&t, &last);
	top_sub(&t, &a);
	top_sort(&t);
	ok(t.nr == 3 && t.rows[0].key == 4 && t.rows[1].key == 2,
	   "what did not happen has no row; the longest comes first");
	ok(t.rows[1].count == 20 && t.rows[1].time == 400,
	   "a row is what it rose by");
	ok(t.rows[2].key == 3 && t.rows[2].count == 2,
	   "a row that lost its place in between begins anew");
	ok(top_count(&t) == count && top_time(&t) == time,
	   "and with the others it all adds up");
	top_free(&t);
}

int main(void)
{
	balance();
	classes();
	rows();
	return tap_end();
}
