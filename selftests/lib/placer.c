// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "die.h"
#include "events.h"
#include "hint.h"
#include "kvmx.h"
#include "mortal.h"
#include "place.h"
#include "placer.h"

/* -1 where there is no module just now. */
static int open_node(void)
{
	int node = open(KVMX_DEVICE, O_RDWR | O_CLOEXEC);

	if (node < 0 && errno != ENOENT && errno != ENXIO && errno != ENODEV)
		die_errno(KVMX_DEVICE);
	return node;
}

static int open_listed(int node, struct kvmx_vm_info *info)
{
	struct kvmx_vm_info vms[32];
	int fd, n = kvmx_list(node, vms, 32);

	if (n < 0)
		die_errno("KVMX_LIST");
	if (!n)
		return -1;
	*info = vms[rand() % (n < 32 ? n : 32)];
	fd = kvmx_open(node, KVMX_BY_ID, info->id, 0);
	if (fd < 0 && errno != ENOENT)
		die_errno("KVMX_OPEN");
	return fd;
}

/*
 * The fd of some VM; -1 where there is none, or none any more, or no module just
 * now.
 */
static int open_some(struct kvmx_vm_info *info)
{
	int node = open_node(), vm;

	if (node < 0)
		return -1;
	vm = open_listed(node, info);
	close(node);
	return vm;
}

static unsigned int some_cpu(void)
{
	return rand() % sysconf(_SC_NPROCESSORS_CONF);
}

static struct placing *some_wish(const struct kvmx_vm_info *info)
{
	static const unsigned int policies[] = {
		KVMX_POLICY_PIN, KVMX_POLICY_PACK, KVMX_POLICY_SPREAD,
		KVMX_POLICY_ISOLATE, KVMX_POLICY_AUTO, KVMX_POLICY_AUTO,
	};
	struct placing *p = place_new(policies[rand() % 6]);
	unsigned int i;

	p->req.flags = rand() & (KVMX_PLACE_ENFORCE | KVMX_PLACE_REPLACE);
	if (rand() % 8 == 0)
		p->req.flags |= KVMX_PLACE_DRY_RUN;
	p->req.interval_ms = 10 + rand() % 50;
	if (p->req.policy == KVMX_POLICY_PIN)
		for (i = 0; i < info->nr_vcpus && i < PLACE_MAP; i++)
			place_pin(p, i, some_cpu());
	if (rand() % 3 == 0)
		place_emulator(p, 1ULL << some_cpu());
	return p;
}

/* What has to be counted with while VMs end and others place them, too. */
static bool place_it(int vm, const struct kvmx_vm_info *info, struct hand *h)
{
	struct placing *p = some_wish(info);
	int err = place_do(vm, p);

	if (err && err != EBUSY && err != ESRCH && err != ERANGE &&
	    err != ENOTUNIQ)
		die("KVMX_VM_PLACE, policy %u: %s", p->req.policy, strerror(err));
	h->done[err ? PLACER_REFUSED : PLACER_PLACED]++;
	if (p->req.flags & KVMX_PLACE_DRY_RUN)
		err = ENOENT;
	free(p);
	return !err;
}

/* Others take threads elsewhere; and somebody looks. */
static void pull(int vm, const struct kvmx_vm_info *info)
{
	struct placing *p = place_new(KVMX_POLICY_NONE);

	mortal_moment(20000);
	if (info->pid > 0 && rand() % 2)
		set_cpus(info->pid, 1ULL << some_cpu());
	if (place_show(vm, p))
		die_errno("KVMX_VM_PLACED");
	mortal_moment(20000);
	free(p);
}

static void leave(int vm, struct hand *h)
{
	int err;

	if (rand() % 3 == 0) {
		err = place_commit(vm);
		if (err && err != ENOENT && err != EBUSY && err != ESRCH)
			die("KVMX_VM_COMMIT: %s", strerror(err));
		h->done[PLACER_COMMITTED] += !err;
	}
	if (rand() % 2) {
		err = place_clear(vm);
		if (err && err != ENOENT && err != EBUSY && err != ESRCH)
			die("KVMX_VM_CLEAR: %s", strerror(err));
		h->done[PLACER_CLEARED] += !err;
	}
}

/* The same by somebody who is killed at any moment of it. */
static void be_killed(int vm, const struct kvmx_vm_info *info, struct hand *h)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		die_errno("fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (place_it(vm, info, h))
			pull(vm, info);
		for (;;)
			pause();
	}
	/* The fd is his alone: with him it goes. */
	close(vm);
	mortal_moment(20000);
	if (waitpid(pid, NULL, WNOHANG))
		die("a placer ended by itself");
	mortal_kill(pid);
	h->done[PLACER_KILLED]++;
}

void placer_round(struct crew *c, struct hand *h)
{
	struct kvmx_vm_info info = { };
	struct timespec from;
	int vm;

	clock_gettime(CLOCK_MONOTONIC, &from);
	vm = open_some(&info);
	if (vm < 0) {
		h->done[PLACER_MISSED]++;
	} else if (rand() % 4 == 0) {
		be_killed(vm, &info, h);
	} else {
		if (place_it(vm, &info, h)) {
			pull(vm, &info);
			leave(vm, h);
		}
		close(vm);
	}
	crew_rest(c, h, &from);
}

static struct kvmx_hint some_policy(void)
{
	static const unsigned int effects[] = {
		KVMX_EFFECT_NONE, KVMX_EFFECT_NICE, KVMX_EFFECT_FIFO,
	};
	unsigned int effect = effects[rand() % 3];
	struct kvmx_hint p = hint_effect(1 << KVMX_KIND_CRITICAL, effect,
					 effect == KVMX_EFFECT_NICE ? -10 : 0);

	p.kinds[KVMX_KIND_CRITICAL].grant_us = 100 + rand() % 5000;
	p.calls_per_s = rand() % 2 ? 1000000 : 100;
	if (rand() % 4 == 0)
		p.flags = KVMX_HINT_COMMIT;
	return p;
}

static void let_hint(int vm, struct hand *h)
{
	struct kvmx_hint p = some_policy();
	struct kvmx_hint_counts before, now;
	int err;

	before = hint_counts(vm, KVMX_STATS_WHOLE_VM, KVMX_KIND_CRITICAL);
	err = hint_set(vm, &p);
	if (err && err != EBUSY && err != ENODEV)
		die("KVMX_VM_HINT: %s", strerror(err));
	h->done[err ? HINTER_REFUSED : HINTER_ALLOWED]++;
	if (err)
		return;
	mortal_moment(50000);
	hint_get(vm);
	now = hint_counts(vm, KVMX_STATS_WHOLE_VM, KVMX_KIND_CRITICAL);
	h->done[HINTER_GRANTED] += now.granted - before.granted;
	p = hint_policy();
	err = rand() % 2 ? hint_set(vm, &p) : 0;
	if (err && err != EBUSY && err != ENODEV)
		die("KVMX_VM_HINT, off: %s", strerror(err));
}

void hinter_round(struct crew *c, struct hand *h)
{
	struct kvmx_vm_info info = { };
	struct timespec from;
	int vm;

	clock_gettime(CLOCK_MONOTONIC, &from);
	vm = open_some(&info);
	if (vm >= 0) {
		let_hint(vm, h);
		close(vm);
	} else {
		h->done[HINTER_MISSED]++;
	}
	crew_rest(c, h, &from);
}

/* In order; what is missing was told of. */
static void hear(int fd, uint64_t *seq, struct hand *h)
{
	struct kvmx_record r[64];
	ssize_t n = read(fd, r, sizeof(r));
	unsigned int i;

	if (n < 0 && errno != EAGAIN)
		die_errno("reading events");
	for (i = 0; n > 0 && i < n / sizeof(*r); i++) {
		uint64_t step = r[i].type == KVMX_EVENT_LOST ? r[i].arg : 1;

		if (r[i].size != sizeof(*r) || r[i].type >= KVMX_NR_EVENTS ||
		    r[i].seq != *seq + step)
			die("record %llu of type %u after %llu",
			    (unsigned long long)r[i].seq, r[i].type,
			    (unsigned long long)*seq);
		*seq = r[i].seq;
		h->done[LISTENER_TOLD]++;
		h->done[LISTENER_LOST] += r[i].type == KVMX_EVENT_LOST;
	}
}

void listener_round(struct crew *c, struct hand *h)
{
	unsigned int i, rounds = rand() % 5;
	struct timespec from;
	uint64_t seq = 0;
	int node, fd;

	clock_gettime(CLOCK_MONOTONIC, &from);
	node = open_node();
	if (node < 0) {
		h->done[LISTENER_MISSED]++;
		crew_rest(c, h, &from);
		return;
	}
	fd = kvmx_events(node, (1 << KVMX_NR_EVENTS) - 1);
	if (fd < 0 || fcntl(fd, F_SETFL, O_NONBLOCK))
		die_errno("KVMX_EVENTS");
	close(node);
	for (i = 0; i < rounds; i++) {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		poll(&p, 1, rand() % 30);
		hear(fd, &seq, h);
	}
	close(fd);
	crew_rest(c, h, &from);
}

void tracer_round(struct crew *c, struct hand *h)
{
	char name[32], dir[96], text[4096];
	struct timespec from;

	clock_gettime(CLOCK_MONOTONIC, &from);
	snprintf(name, sizeof(name), "churn%d", getpid());
	snprintf(dir, sizeof(dir), EVENTS_ROOT "/instances/%s", name);
	if (!events_here() || mkdir(dir, 0700)) {
		h->done[TRACER_MISSED]++;
		crew_rest(c, h, &from);
		return;
	}
	if (!events_write("1", "instances/%s/events/kvmx/enable", name)) {
		h->done[TRACER_ENABLED]++;
		mortal_moment(50000);
	}
	if (events_read(text, sizeof(text), "instances/%s/trace", name))
		h->done[TRACER_READ]++;
	if (rand() % 2)
		events_write("0", "instances/%s/events/kvmx/enable", name);
	events_end(name);
	crew_rest(c, h, &from);
}
