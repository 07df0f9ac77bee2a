// SPDX-License-Identifier: GPL-2.0-only
/* Placements and events: see failslab_test.c. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "die.h"
#include "failslab.h"
#include "host.h"

/* Where they belong: the two vCPUs, and all else. */
#define CPU_VCPU0	2
#define CPU_VCPU1	3
#define SET_PLACED	1ULL
#define SET_OTHER	2ULL

void place_wishes(struct scene *s)
{
	static uint64_t nodes[] = { 1000, 2000 };

	/* With all that has to be copied. */
	s->place = place_new(KVMX_POLICY_PIN);
	place_pin(s->place, 0, CPU_VCPU0);
	place_pin(s->place, 1, CPU_VCPU1);
	place_emulator(s->place, SET_PLACED);
	place_io(s->place, SET_PLACED);
	s->place->req.nodes = (uintptr_t)nodes;
	s->place->req.nr_nodes = 2;
	s->other = place_new(KVMX_POLICY_SPREAD);
	place_cpus(s->other, 0xf);
	place_emulator(s->other, SET_OTHER);
	s->other->req.flags = KVMX_PLACE_REPLACE;
}

static long result(int err)
{
	errno = err;
	return err ? -1 : 0;
}

static bool is_placed(struct scene *s, unsigned int policy, uint64_t cpus)
{
	struct placing *p = place_new(KVMX_POLICY_NONE);
	uint64_t has = cpus_of(0);
	bool fine;

	if (place_show(s->vm_fd, p))
		die_errno("KVMX_VM_PLACED");
	fine = p->placed.policy == policy && has == cpus;
	if (!fine)
		printf("# policy %u, CPUs 0x%llx, instead of %u, 0x%llx\n",
		       p->placed.policy, (unsigned long long)has, policy,
		       (unsigned long long)cpus);
	free(p);
	return fine;
}

static void undo_place(struct scene *s, long ret)
{
	errno = place_clear(s->vm_fd);
	if (errno)
		die_errno("KVMX_VM_CLEAR");
}

static long call_first(struct scene *s)
{
	return result(place_do(s->vm_fd, s->place));
}

static bool fine_first(struct scene *s, bool failed)
{
	return failed ? is_placed(s, KVMX_POLICY_NONE, s->cpus) :
			is_placed(s, KVMX_POLICY_PIN, SET_PLACED);
}

static long call_dry(struct scene *s)
{
	s->place->req.flags = KVMX_PLACE_DRY_RUN;
	return call_first(s);
}

static bool fine_dry(struct scene *s, bool failed)
{
	return is_placed(s, KVMX_POLICY_NONE, s->cpus);
}

static long call_auto(struct scene *s)
{
	s->other->req.policy = KVMX_POLICY_AUTO;
	s->other->req.interval_ms = 10;
	return result(place_do(s->vm_fd, s->other));
}

/* Nobody counts any more where nobody is to move. */
static bool fine_auto(struct scene *s, bool failed)
{
	struct kvmx_info info;

	if (kvmx_info(s->node, &info))
		die_errno("KVMX_INFO");
	if (failed == !!(info.state & KVMX_INFO_COUNTING))
		return false;
	return failed ? is_placed(s, KVMX_POLICY_NONE, s->cpus) :
			is_placed(s, KVMX_POLICY_AUTO, SET_OTHER);
}

static long call_replace(struct scene *s)
{
	return result(place_do(s->vm_fd, s->other));
}

static bool fine_replace(struct scene *s, bool failed)
{
	return failed ? is_placed(s, KVMX_POLICY_PIN, SET_PLACED) :
			is_placed(s, KVMX_POLICY_SPREAD, SET_OTHER);
}

/* As if nobody had asked. */
static bool fine_still(struct scene *s, bool failed)
{
	return is_placed(s, KVMX_POLICY_PIN, SET_PLACED);
}

static long call_commit(struct scene *s)
{
	return result(place_commit(s->vm_fd));
}

static long call_clear(struct scene *s)
{
	return result(place_clear(s->vm_fd));
}

static long call_placed(struct scene *s)
{
	return result(place_show(s->vm_fd, s->other));
}

static long call_close(struct scene *s)
{
	long ret = close(s->vm_fd);

	s->vm_fd = -1;
	return ret;
}

static bool fine_close(struct scene *s, bool failed)
{
	s->vm_fd = kvmx_vm_by_fd(s->node, s->vm->fd);
	return is_placed(s, KVMX_POLICY_NONE, s->cpus);
}

static long call_events(struct scene *s)
{
	return kvmx_events(s->node, 1 << KVMX_EVENT_PLACED);
}

static long call_read(struct scene *s)
{
	return read(s->events, s->buf, 1000);
}

static bool soon_has(int tid, uint64_t cpus)
{
	unsigned int i;

	for (i = 0; i < 300 * patience(); i++) {
		if (cpus_of(tid) == cpus)
			return true;
		usleep(10000);
	}
	printf("# a thread has CPUs 0x%llx, not 0x%llx\n",
	       (unsigned long long)cpus_of(tid), (unsigned long long)cpus);
	return false;
}

/* At once where there is memory; else it is found. */
static long call_birth(struct scene *s)
{
	staff_start(&s->staff, NULL);
	return result(soon_has(s->staff.tid, SET_PLACED) ? 0 : ETIME);
}

static void undo_birth(struct scene *s, long ret)
{
	staff_stop(&s->staff);
}

static long call_run(struct scene *s)
{
	vmm_do(&s->vm->vcpu[0], VMM_CPUID, 10);
	return result(soon_has(0, 1ULL << CPU_VCPU0) ? 0 : ETIME);
}

static const struct call calls[] = {
	{ "KVMX_EVENTS", KVMX_EVENTS, BARE, FAIL_ANYWHERE, call_events, undo_fd },
	{ "read of events", 0, PLACED, FAIL_ANYWHERE, call_read,
	  .needs_none = true, .once = true },
	{ "KVMX_VM_PLACE, the first one", KVMX_VM_PLACE, OPENED, FAIL_ANYWHERE,
	  call_first, undo_place, fine_first },
	{ "KVMX_VM_PLACE, a dry run", KVMX_VM_PLACE, OPENED, FAIL_ANYWHERE,
	  call_dry, NULL, fine_dry },
	{ "KVMX_VM_PLACE, policy auto", KVMX_VM_PLACE, OPENED, FAIL_ANYWHERE,
	  call_auto, undo_place, fine_auto },
	{ "KVMX_VM_PLACE in place of another", KVMX_VM_PLACE, PLACED,
	  FAIL_ANYWHERE, call_replace, NULL, fine_replace },
	{ "KVMX_VM_COMMIT", KVMX_VM_COMMIT, PLACED, FAIL_ANYWHERE, call_commit,
	  NULL, fine_still, .needs_none = true },
	{ "KVMX_VM_PLACED", KVMX_VM_PLACED, PLACED, FAIL_ANYWHERE, call_placed,
	  NULL, fine_still },
	{ "KVMX_VM_CLEAR", KVMX_VM_CLEAR, PLACED, FAIL_ANYWHERE, call_clear,
	  NULL, fine_dry, .never_fails = true, .once = true },
	{ "close of the fd that has placed", 0, PLACED, FAIL_ANYWHERE,
	  call_close, NULL, fine_close, .never_fails = true, .once = true },
	{ "KVM_CREATE_VCPU, kvmx's part, placed", 0, PLACED, FAIL_IN_MODULE,
	  call_create_vcpu, undo_fd, fine_still, .never_fails = true },
	{ "birth of a thread, kvmx's part, placed", 0, PLACED, FAIL_IN_MODULE,
	  call_birth, undo_birth, .never_fails = true },
	{ "first KVM_RUN, kvmx's part, placed", 0, PLACED, FAIL_IN_MODULE,
	  call_run, .never_fails = true },
};

const struct calls place_calls = { calls, sizeof(calls) / sizeof(*calls) };
