// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "place_words.h"
#include "thread_class.h"
#include "util.h"

static const char * const policies[KVMX_NR_POLICIES] = {
	[KVMX_POLICY_NONE] = "none",
	[KVMX_POLICY_PIN] = "pin",
	[KVMX_POLICY_PACK] = "pack",
	[KVMX_POLICY_SPREAD] = "spread",
	[KVMX_POLICY_NUMA] = "numa",
	[KVMX_POLICY_ISOLATE] = "isolate",
	[KVMX_POLICY_AUTO] = "auto",
};

static const char * const smts[] = {
	[KVMX_SMT_PREFER] = "prefer",
	[KVMX_SMT_REQUIRE] = "require",
	[KVMX_SMT_ISOLATE] = "isolate",
};

static const struct words whys[KVMX_NR_WHYS] = {
	[KVMX_WHY_MAP] = { "map", "the map says so" },
	[KVMX_WHY_OWN_CORE] = { "own-core", "a core of its own" },
	[KVMX_WHY_SHARED_CORE] = { "shared-core",
				   "cores ran out: beside a sibling" },
	[KVMX_WHY_PAIR] = { "pair", "beside its sibling, as SMT requires" },
	[KVMX_WHY_MEMORY] = { "memory", "on the node of the VM's memory" },
	[KVMX_WHY_PACKED] = { "packed", "fills a core that is in use" },
	[KVMX_WHY_SHARED_CPU] = { "shared-cpu",
				  "CPUs ran out: shared with other vCPUs" },
	[KVMX_WHY_EMULATOR] = { "emulator", "CPUs of the emulator" },
	[KVMX_WHY_IO] = { "io", "CPUs of I/O" },
	[KVMX_WHY_WITH_VCPUS] = { "with-vcpus", "with the vCPUs" },
	[KVMX_WHY_REST] = { "rest", "what the vCPUs leave" },
	[KVMX_WHY_KEPT] = { "kept", "was there already" },
	[KVMX_WHY_READY] = { "ready", "waited too long where it was" },
	[KVMX_WHY_FALLBACK] = { "fallback",
				"its CPUs are offline or not allowed" },
};

static const char * const refusing[] = {
	[KVMX_NOTE_OUTSIDE_CPUSET] = "outside-cpuset",
	[KVMX_NOTE_OFFLINE] = "offline",
	[KVMX_NOTE_NO_CPU] = "no-cpu",
	[KVMX_NOTE_ISOLATED] = "isolated",
	[KVMX_NOTE_TAKEN] = "taken",
	[KVMX_NOTE_NO_SIBLINGS] = "no-siblings",
	[KVMX_NOTE_NO_VCPU] = "no-vcpu",
	[KVMX_NOTE_UNMAPPED] = "unmapped",
	[KVMX_NOTE_NO_MEMORY] = "no-memory",
	[KVMX_NOTE_NO_STATS] = "no-stats",
};

static const char * const telling[] = {
	[KVMX_NOTE_OVERCOMMIT - KVMX_NOTE_OVERCOMMIT] = "overcommit",
	[KVMX_NOTE_SPLIT_MEMORY - KVMX_NOTE_OVERCOMMIT] = "split-memory",
	[KVMX_NOTE_REMOTE_MEMORY - KVMX_NOTE_OVERCOMMIT] = "remote-memory",
	[KVMX_NOTE_NODE_EMPTY - KVMX_NOTE_OVERCOMMIT] = "node-empty",
	[KVMX_NOTE_FOREIGN - KVMX_NOTE_OVERCOMMIT] = "foreign",
	[KVMX_NOTE_TOPOLOGY - KVMX_NOTE_OVERCOMMIT] = "topology",
	[KVMX_NOTE_MOVED - KVMX_NOTE_OVERCOMMIT] = "moved",
	[KVMX_NOTE_AUTO - KVMX_NOTE_OVERCOMMIT] = "auto",
};

static const char * const events[KVMX_NR_EVENTS] = {
	[KVMX_EVENT_LOST] = "lost",
	[KVMX_EVENT_VM_BORN] = "vm-born",
	[KVMX_EVENT_VM_DIED] = "vm-died",
	[KVMX_EVENT_THREAD_BORN] = "thread-born",
	[KVMX_EVENT_DRIFT] = "drift",
	[KVMX_EVENT_CPU_GONE] = "cpu-gone",
	[KVMX_EVENT_CPU_BACK] = "cpu-back",
	[KVMX_EVENT_REFUSED] = "refused",
	[KVMX_EVENT_PLACED] = "placed",
	[KVMX_EVENT_CLEARED] = "cleared",
	[KVMX_EVENT_MOVED] = "moved",
};

/* Where a module that is newer than the tool has a number that has no name yet. */
static const char *name_of(const char * const *names, unsigned int nr, __u32 i)
{
	return i < nr && names[i] ? names[i] : "unknown";
}

static bool find(const char * const *names, unsigned int nr, const char *name,
		 __u32 *to)
{
	__u32 i;

	for (i = 0; i < nr; i++) {
		if (strcmp(names[i], name))
			continue;
		*to = i;
		return true;
	}
	return false;
}

bool policy_find(const char *name, __u32 *policy)
{
	return find(policies, ARRAY_SIZE(policies), name, policy);
}

bool smt_find(const char *name, __u32 *smt)
{
	return find(smts, ARRAY_SIZE(smts), name, smt);
}

const char *policy_name(__u32 policy)
{
	return name_of(policies, ARRAY_SIZE(policies), policy);
}

const char *smt_name(__u32 smt)
{
	return name_of(smts, ARRAY_SIZE(smts), smt);
}

const char *class_name(__u32 class)
{
	return class < NR_THREAD_CLASSES ?
	       thread_class_name((enum thread_class)class) : "unknown";
}

const char *event_name(__u32 type)
{
	return name_of(events, ARRAY_SIZE(events), type);
}

const char *note_name(__u32 kind)
{
	if (kind >= KVMX_NOTE_OVERCOMMIT)
		return name_of(telling, ARRAY_SIZE(telling),
			       kind - KVMX_NOTE_OVERCOMMIT);
	return name_of(refusing, ARRAY_SIZE(refusing), kind);
}

bool note_refuses(const struct kvmx_place_note *note)
{
	return note->kind <= KVMX_NOTE_REFUSES;
}

/* The one word of a thread's state that says most. */
const char *placed_state(__u32 state, bool planned)
{
	if (state & KVMX_THREAD_UNKNOWN)
		return "not-run";
	if (planned)
		return "planned";
	if (state & KVMX_THREAD_YIELDED)
		return "yielded";
	if (state & KVMX_THREAD_FALLBACK)
		return "fallback";
	return state & KVMX_THREAD_APPLIED ? "applied" : "pending";
}

struct words why_words(__u32 why)
{
	static const struct words none = { "unknown", "?" };

	return why < KVMX_NR_WHYS ? whys[why] : none;
}
