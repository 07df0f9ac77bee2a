// SPDX-License-Identifier: GPL-2.0-only
/*
 * How late is a real-time task of a guest? One that wants to run every 5 ms, alone
 * or beside another that always runs.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PERIOD_NS	5000000
#define SECOND_NS	1000000000

static void *burn(void *arg)
{
	volatile unsigned long *x = arg;

	for (;;)
		++*x;
	return NULL;
}

static int by_size(const void *a, const void *b)
{
	long d = *(const long *)a - *(const long *)b;

	return d < 0 ? -1 : d > 0;
}

static long late_ns(const struct timespec *t)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - t->tv_sec) * SECOND_NS + now.tv_nsec - t->tv_nsec;
}

static void next_period(struct timespec *t)
{
	t->tv_nsec += PERIOD_NS;
	if (t->tv_nsec >= SECOND_NS) {
		t->tv_nsec -= SECOND_NS;
		t->tv_sec++;
	}
}

int main(int argc, char **argv)
{
	struct sched_param prio = { .sched_priority = 50 };
	static unsigned long burnt;
	struct timespec t;
	pthread_t thread;
	int i, n, busy;
	long *late;

	if (argc != 3)
		return 2;
	n = atoi(argv[1]);
	busy = !strcmp(argv[2], "busy");
	late = n > 0 ? calloc(n, sizeof(*late)) : NULL;
	if (!late || (busy && pthread_create(&thread, NULL, burn, &burnt)) ||
	    sched_setscheduler(0, SCHED_FIFO, &prio))
		return 1;
	clock_gettime(CLOCK_MONOTONIC, &t);
	for (i = 0; i < n; i++) {
		next_period(&t);
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
		late[i] = late_ns(&t);
		/* What was missed altogether is not caught up with. */
		while (late_ns(&t) > PERIOD_NS)
			next_period(&t);
	}
	qsort(late, n, sizeof(*late), by_size);
	printf("LATE %s %d %ld %ld %ld %ld\n", argv[2], n, late[n / 2] / 1000,
	       late[n * 9 / 10] / 1000, late[n * 99 / 100] / 1000,
	       late[n - 1] / 1000);
	return 0;
}
