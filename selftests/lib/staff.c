// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "die.h"
#include "place.h"
#include "staff.h"

static void *serve(void *arg)
{
	struct staff *s = arg;

	s->cpu = sched_getcpu();
	s->cpus = cpus_of(0);
	for (;;) {
		if (s->name)
			prctl(PR_SET_NAME, s->name);
		s->name = NULL;
		s->tid = syscall(SYS_gettid);
		if (s->stop)
			return NULL;
		usleep(2000);
	}
}

void staff_start(struct staff *s, const char *name)
{
	*s = (struct staff){ .name = name };
	errno = pthread_create(&s->thread, NULL, serve, s);
	if (errno)
		die_errno("a thread");
	while (!s->tid)
		usleep(200);
}

void staff_rename(struct staff *s, const char *name)
{
	s->name = name;
	while (s->name)
		usleep(200);
}

void staff_stop(struct staff *s)
{
	s->stop = true;
	pthread_join(s->thread, NULL);
}

static void *glance(void *arg)
{
	struct staff *s = arg;

	s->cpu = sched_getcpu();
	s->cpus = cpus_of(0);
	return NULL;
}

uint64_t staff_glance(int *cpu)
{
	struct staff s = { .cpus = 0 };

	errno = pthread_create(&s.thread, NULL, glance, &s);
	if (errno || pthread_join(s.thread, NULL))
		die_errno("a thread");
	*cpu = s.cpu;
	return s.cpus;
}
