// SPDX-License-Identifier: GPL-2.0-only
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "crew.h"
#include "die.h"
#include "host.h"

/*
 * Long enough for all hands together to leave CPUs idle: where none ever is, what
 * kvmx does takes seconds, for it waits for each CPU many times.
 */
#define MOMENT_US	50000

struct crew *crew_new(void)
{
	struct crew *c = mmap(NULL, sizeof(*c), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (c == MAP_FAILED)
		die_errno("shared memory");
	return c;
}

struct hand *crew_hire(struct crew *c, const char *name, crew_work work)
{
	struct hand *h = &c->hands[c->nr];
	pid_t pid;

	if (c->nr == CREW_MAX)
		die("more than %u hands", CREW_MAX);
	c->nr++;
	h->name = name;
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		die_errno("fork");
	if (pid) {
		h->pid = pid;
		return h;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	srand(getpid());
	while (!crew_done(c)) {
		work(c, h);
		h->rounds++;
	}
	fflush(NULL);
	_exit(0);
}

void crew_nap(const struct crew *c, long us)
{
	const long slice = 50000;

	for (; us > 0 && !crew_done(c); us -= slice)
		usleep(us < slice ? us : slice);
}

long crew_us(const struct timespec *from)
{
	struct timespec to;

	clock_gettime(CLOCK_MONOTONIC, &to);
	return (to.tv_sec - from->tv_sec) * 1000000 +
	       (to.tv_nsec - from->tv_nsec) / 1000;
}

void crew_rest(const struct crew *c, struct hand *h, const struct timespec *from)
{
	long took = crew_us(from);

	h->worked_us += took;
	if (c->calm)
		took = 0;
	crew_nap(c, MOMENT_US + took * 5 + rand() % (took * 10 + MOMENT_US));
}

/* A minute for the last round. */
static bool hand_ends(struct hand *h)
{
	unsigned int i;
	int status;

	for (i = 0; i < 6000 * patience(); i++) {
		if (waitpid(h->pid, &status, WNOHANG) == h->pid) {
			if (WIFEXITED(status) && !WEXITSTATUS(status))
				return true;
			printf("# %s ended with status %#x after %lu rounds\n",
			       h->name, status, h->rounds);
			return false;
		}
		usleep(10000);
	}
	printf("# %s does not end\n", h->name);
	kill(h->pid, SIGKILL);
	waitpid(h->pid, &status, 0);
	return false;
}

bool crew_dismiss(struct crew *c)
{
	bool fine = true;
	unsigned int i;

	c->stop = true;
	for (i = 0; i < c->nr; i++)
		fine &= hand_ends(&c->hands[i]);
	return fine;
}

void crew_free(struct crew *c)
{
	munmap(c, sizeof(*c));
}
