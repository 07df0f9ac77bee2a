// SPDX-License-Identifier: GPL-2.0-only
/* What a program in a guest does with hints, and what it finds out about them. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "kvmx-hint.h"

#define PERIOD_NS	5000000
#define SECOND		1000000000LL

static struct kvmx_hint_file file;

static long long now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * SECOND + ts.tv_nsec;
}

static int fail(const char *what, int err)
{
	fprintf(stderr, "hint-example: %s: %s\n", what, strerror(-err));
	return 1;
}

static int show_info(void)
{
	struct kvmx_user_info info;

	memset(&info, 0, sizeof(info));
	info.size = sizeof(info);
	if (ioctl(file.fd, KVMX_USER_INFO, &info))
		return fail("asking", -errno);
	printf("version %u kinds %#x cpus %u registered %u\n", info.version,
	       info.kinds, info.vcpus, info.registered);
	return 0;
}

/* Sections of 20 us in which the host had better not take this vCPU off. */
static int critical(unsigned int sections)
{
	struct kvmx_hint hint;
	int err = kvmx_hint_join(&file, &hint);
	unsigned int i, hit = 0;

	if (err)
		return fail("joining", err);
	for (i = 0; i < sections; i++) {
		long long begin, end;

		kvmx_hint_begin(&hint, KVMX_KIND_CRITICAL);
		begin = now_ns();
		do {
			end = now_ns();
		} while (end - begin < 20000);
		kvmx_hint_end(&hint);
		/* Whoever takes the CPU does so for longer. */
		hit += end - begin > 1000000;
	}
	printf("sections %u interrupted %u\n", sections, hit);
	kvmx_hint_leave(&hint);
	return 0;
}

static int call(unsigned int calls)
{
	unsigned int i, taken = 0, again = 0;
	struct kvmx_hint hint;
	int err = kvmx_hint_join(&file, &hint);

	if (err)
		return fail("joining", err);
	for (i = 0; i < calls; i++) {
		err = kvmx_hint_call(&hint, KVMX_KIND_CRITICAL, 50);
		taken += !err;
		again += err == -EAGAIN;
		kvmx_hint_call(&hint, KVMX_KIND_NONE, 0);
	}
	printf("calls %u taken %u again %u\n", calls, taken, again);
	kvmx_hint_leave(&hint);
	return 0;
}

static int by_size(const void *a, const void *b)
{
	long long x = *(const long long *)a, y = *(const long long *)b;

	return x < y ? -1 : x > y;
}

/* A real-time thread needs no hints of its own: the module gives them. */
static int latency(unsigned int wakeups)
{
	const struct sched_param param = { .sched_priority = 50 };
	long long *late = calloc(wakeups, sizeof(*late));
	long long next = now_ns();
	unsigned int i;

	if (!late || !wakeups)
		return fail("counting", -EINVAL);
	if (sched_setscheduler(0, SCHED_FIFO, &param))
		return fail("becoming real-time", -errno);
	for (i = 0; i < wakeups; i++) {
		struct timespec ts;

		next += PERIOD_NS;
		ts.tv_sec = next / SECOND;
		ts.tv_nsec = next % SECOND;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
		late[i] = now_ns() - next;
		if (late[i] > PERIOD_NS)
			next = now_ns();
	}
	qsort(late, wakeups, sizeof(*late), by_size);
	printf("wakeups %u p50 %lld us p90 %lld us p99 %lld us max %lld us\n",
	       wakeups, late[wakeups / 2] / 1000, late[wakeups * 9 / 10] / 1000,
	       late[wakeups * 99 / 100] / 1000, late[wakeups - 1] / 1000);
	free(late);
	return 0;
}

int main(int argc, char **argv)
{
	unsigned int nr = argc > 2 ? atoi(argv[2]) : 1000;
	const char *what = argc > 1 ? argv[1] : "info";
	int err;

	/* Works everywhere, to compare with. */
	if (!strcmp(what, "latency"))
		return latency(nr);
	err = kvmx_hint_open(&file);
	if (err)
		return fail(KVMX_USER_DEVICE, err);
	if (!strcmp(what, "info"))
		return show_info();
	if (!strcmp(what, "critical"))
		return critical(nr);
	if (!strcmp(what, "call"))
		return call(nr);
	fprintf(stderr,
		"usage: hint-example info | critical [N] | call [N] | latency [N]\n");
	return 2;
}
