// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <linux/kvmx.h>

#include "state.h"
#include "util.h"

static const struct {
	const char *name;
	const char *class;
} states[] = {
	[KVMX_STATE_NEW] = { "new", "unknown" },
	[KVMX_STATE_UNKNOWN] = { "unknown", "unknown" },
	[KVMX_STATE_GUEST] = { "guest", "guest" },
	[KVMX_STATE_EXIT] = { "exit", "exit" },
	[KVMX_STATE_USER] = { "user", "user" },
	[KVMX_STATE_HALTED] = { "halted", "halted" },
	[KVMX_STATE_READY] = { "ready", "ready" },
	[KVMX_STATE_WAIT] = { "wait", "wait" },
	[KVMX_STATE_NO_THREAD] = { "no-thread", "wait" },
	[KVMX_STATE_GONE] = { "gone", NULL },
	[KVMX_STATE_THROTTLED] = { "throttled", "throttled" },
};

/* Its name, for people and programs. */
void state_name(__u64 state, char *buf, size_t size)
{
	if (state < ARRAY_SIZE(states))
		snprintf(buf, size, "%s", states[state].name);
	else
		snprintf(buf, size, "state-%llu", state);
}

/* The class of time it belongs to; NULL: no time passes in it any more. */
const char *state_class(__u64 state)
{
	return state < ARRAY_SIZE(states) ? states[state].class : "unknown";
}
