// SPDX-License-Identifier: GPL-2.0-only
/* Policies for hints: see failslab_test.c. */
#include <errno.h>
#include <unistd.h>

#include "failslab.h"
#include "hint.h"

#define KINDS	(1 << KVMX_KIND_CRITICAL | 1 << KVMX_KIND_LATENCY)

static long result(int err)
{
	errno = err;
	return err ? -1 : 0;
}

static bool may_hint(struct scene *s, bool may)
{
	struct kvmx_hint h = hint_get(s->vm_fd);

	return (h.kinds[KVMX_KIND_LATENCY].effect == KVMX_EFFECT_FIFO) == may;
}

static long call_hint(struct scene *s)
{
	struct kvmx_hint h = hint_effect(KINDS, KVMX_EFFECT_FIFO, 0);

	return result(hint_set(s->vm_fd, &h));
}

static void undo_hint(struct scene *s, long ret)
{
	hint_off(s->vm_fd);
}

/* All of it, or as if nobody had asked. */
static bool fine_hint(struct scene *s, bool failed)
{
	return may_hint(s, !failed);
}

static long call_off(struct scene *s)
{
	struct kvmx_hint h = hint_policy();

	return result(hint_set(s->vm_fd, &h));
}

static bool fine_off(struct scene *s, bool failed)
{
	return may_hint(s, false);
}

static long call_hinted(struct scene *s)
{
	hint_get(s->vm_fd);
	return 0;
}

static long call_counts(struct scene *s)
{
	hint_counts(s->vm_fd, KVMX_STATS_WHOLE_VM, KVMX_KIND_LATENCY);
	return 0;
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
	return may_hint(s, false);
}

static bool fine_still(struct scene *s, bool failed)
{
	return may_hint(s, true);
}

static const struct call calls[] = {
	{ "KVMX_VM_HINT, the first one", KVMX_VM_HINT, OPENED, FAIL_ANYWHERE,
	  call_hint, undo_hint, fine_hint },
	{ "KVMX_VM_HINT in place of another", KVMX_VM_HINT, HINTED,
	  FAIL_ANYWHERE, call_hint, NULL, fine_still, .needs_none = true },
	{ "KVMX_VM_HINT, off", KVMX_VM_HINT, HINTED, FAIL_ANYWHERE, call_off,
	  NULL, fine_off, .never_fails = true, .needs_none = true },
	{ "KVMX_VM_HINTED", KVMX_VM_HINTED, HINTED, FAIL_ANYWHERE, call_hinted,
	  NULL, fine_still, .never_fails = true, .needs_none = true },
	{ "KVMX_VM_HINT_COUNTS", KVMX_VM_HINT_COUNTS, HINTED, FAIL_ANYWHERE,
	  call_counts, NULL, fine_still, .never_fails = true,
	  .needs_none = true },
	{ "close of the fd that lets hint", 0, HINTED, FAIL_ANYWHERE,
	  call_close, NULL, fine_close, .never_fails = true, .once = true },
	{ "KVM_CREATE_VCPU, kvmx's part, may hint", 0, HINTED, FAIL_IN_MODULE,
	  call_create_vcpu, undo_fd, fine_still, .never_fails = true },
};

const struct calls hint_calls = { calls, sizeof(calls) / sizeof(*calls) };

void hint_wishes(struct scene *s)
{
	hint_allow(s->vm_fd, KINDS, KVMX_EFFECT_FIFO, 0);
}
