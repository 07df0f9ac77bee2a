// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a placement is worth: two VMs that always want to run, beside as many hogs
 * as there are CPUs to spare and one more, under each policy. Prints a line per policy:
 * "POLICY VMS READY MIGRATIONS RETENTION": CPU Ready in per cent of the time, over
 * all vCPUs; how often a vCPU was put on another CPU than before, per second and
 * vCPU; and how many per cent of the returns found their TLB entries, "-" where
 * that cannot be told. Or "POLICY VMS refused NOTE".
 *
 * usage: worth [SECONDS [HOGS]]
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "die.h"
#include "kvmx.h"
#include "mortal.h"
#include "place.h"

#define VMS	2
#define VCPUS	2
#define MAX_HOGS 64

/* In the order of the table; @policy none: as the scheduler likes. */
static const struct row {
	const char *name;
	unsigned int policy;
	unsigned int smt;
} rows[] = {
	{ "none", KVMX_POLICY_NONE, 0 },
	{ "pin", KVMX_POLICY_PIN, 0 },
	{ "pack", KVMX_POLICY_PACK, 0 },
	{ "spread", KVMX_POLICY_SPREAD, 0 },
	{ "spread,smt=isolate", KVMX_POLICY_SPREAD, KVMX_SMT_ISOLATE },
	{ "isolate", KVMX_POLICY_ISOLATE, 0 },
	{ "auto", KVMX_POLICY_AUTO, 0 },
};

static const char * const distances[] = {
	"same_cpu", "smt_sibling", "same_llc", "same_node", "other_node"
};

/* What was counted of both VMs. */
struct figures {
	double ready, all, moves, kept, lost;
};

static unsigned int seconds = 10;
static int node;

static pid_t hog(void)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (volatile unsigned int i = 0;; i++)
		;
}

static double distance_sum(struct stats *s, const char *what, int from)
{
	double sum = 0;
	char name[64];

	for (int i = from; i < 5; i++) {
		snprintf(name, sizeof(name), "%s.%s", what, distances[i]);
		if (stats_find(s, name))
			sum += stats_get(s, name);
	}
	return sum;
}

static void add(struct stats *s, struct figures *f, int sign)
{
	stats_read(s);
	f->ready += sign * (double)stats_get(s, "time.ready");
	f->all += sign * (double)stats_time(s);
	f->moves += sign * distance_sum(s, "sched.placed", 1);
	f->kept += sign * distance_sum(s, "tlb.kept", 0);
	f->lost += sign * distance_sum(s, "tlb.lost", 0);
}

/* Returns the placement, or what was refused: @err tells. */
static struct placing *place(int vm, const struct row *r, unsigned int nth,
			     int *err)
{
	struct placing *p = place_new(r->policy);
	unsigned int i;

	p->req.smt = r->smt;
	p->req.interval_ms = 500;
	for (i = 0; r->policy == KVMX_POLICY_PIN && i < VCPUS; i++)
		place_pin(p, i, nth * VCPUS + i);
	*err = place_do(vm, p);
	return p;
}

static void measure(const struct row *r, const int *vms)
{
	struct figures f = {};
	struct stats *s[VMS];
	unsigned int i;

	for (i = 0; i < VMS; i++)
		s[i] = stats_attach(kvmx_vm_stats_with(vms[i],
						       KVMX_STATS_WHOLE_VM,
						       KVMX_STATS_SCHED |
						       KVMX_STATS_TLB));
	/* Placements take a moment to settle, auto some intervals. */
	sleep(r->policy == KVMX_POLICY_AUTO ? 6 : 1);
	for (i = 0; i < VMS; i++)
		add(s[i], &f, -1);
	sleep(seconds);
	for (i = 0; i < VMS; i++) {
		add(s[i], &f, 1);
		stats_close(s[i]);
	}
	printf("%s %d %.1f %.1f ", r->name, VMS,
	       f.all ? 100 * f.ready / f.all : 0,
	       f.moves / (VMS * VCPUS * seconds));
	if (f.kept + f.lost > 0)
		printf("%.0f\n", 100 * f.kept / (f.kept + f.lost));
	else
		printf("-\n");
}

static void one(const struct row *r)
{
	struct placing *p[VMS] = {};
	pid_t pid[VMS];
	int vm[VMS], err = 0;
	unsigned int i;

	for (i = 0; i < VMS; i++) {
		pid[i] = mortal_start(MORTAL_TOILS, VCPUS);
		vm[i] = kvmx_open(node, KVMX_BY_PID, pid[i], 0);
		if (vm[i] < 0)
			die_errno("opening a VM");
	}
	for (i = 0; i < VMS && !err && r->policy != KVMX_POLICY_NONE; i++)
		p[i] = place(vm[i], r, i, &err);
	if (!err)
		measure(r, vm);
	else
		printf("%s %d refused %s\n", r->name, VMS,
		       p[i - 1]->req.plan.nr_notes ? p[i - 1]->notes[0].text :
						     strerror(err));
	fflush(stdout);
	for (i = 0; i < VMS; i++) {
		close(vm[i]);
		free(p[i]);
		mortal_kill(pid[i]);
	}
}

int main(int argc, char **argv)
{
	int hogs = sysconf(_SC_NPROCESSORS_ONLN) - VMS * VCPUS + 1, i;
	pid_t pid[MAX_HOGS];

	if (argc > 1)
		seconds = atoi(argv[1]);
	if (argc > 2)
		hogs = atoi(argv[2]);
	if (hogs > MAX_HOGS)
		hogs = MAX_HOGS;
	node = place_node();
	for (i = 0; i < hogs; i++)
		pid[i] = hog();
	for (i = 0; i < (int)(sizeof(rows) / sizeof(*rows)); i++)
		one(&rows[i]);
	for (i = 0; i < hogs; i++) {
		kill(pid[i], SIGKILL);
		waitpid(pid[i], NULL, 0);
	}
	return 0;
}
