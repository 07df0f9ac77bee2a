// SPDX-License-Identifier: GPL-2.0-only
/* Notes and reasons in words. */
#include <linux/kernel.h>

#include "place/policy.h"

static const char *const whys[KVMX_NR_WHYS] = {
	[KVMX_WHY_MAP]		= "the map says so",
	[KVMX_WHY_OWN_CORE]	= "a core of its own",
	[KVMX_WHY_SHARED_CORE]	= "cores ran out: beside a sibling",
	[KVMX_WHY_PAIR]		= "beside the sibling that SMT requires",
	[KVMX_WHY_MEMORY]	= "on a node of the VM's memory",
	[KVMX_WHY_PACKED]	= "fills a core that is in use",
	[KVMX_WHY_SHARED_CPU]	= "CPUs ran out: shared with other vCPUs",
	[KVMX_WHY_EMULATOR]	= "the set for main and other threads",
	[KVMX_WHY_IO]		= "the set for I/O, workers and vhost",
	[KVMX_WHY_WITH_VCPUS]	= "no set was named: with the vCPUs",
	[KVMX_WHY_REST]		= "no set was named: what vCPUs leave",
	[KVMX_WHY_KEPT]		= "it was there already",
	[KVMX_WHY_READY]	= "waited too long where it was",
	[KVMX_WHY_FALLBACK]	= "its CPUs are offline or not allowed",
};

static const char *const classes[KVMX_NR_THREAD_CLASSES] = {
	[KVMX_THREAD_VCPU]	= "vCPUs",
	[KVMX_THREAD_MAIN]	= "main and other threads",
	[KVMX_THREAD_IO]	= "I/O threads and workers",
	[KVMX_THREAD_WORKER]	= "I/O threads and workers",
	[KVMX_THREAD_VHOST]	= "vhost",
	[KVMX_THREAD_OTHER]	= "main and other threads",
};

static const char *const fallbacks[] = {
	[KVMX_FALLBACK_NONE]	= "as planned",
	[KVMX_FALLBACK_PART]	= "what is left of its CPUs",
	[KVMX_FALLBACK_CORE]	= "siblings of its CPUs",
	[KVMX_FALLBACK_LLC]	= "the last-level cache of its CPUs",
	[KVMX_FALLBACK_NODE]	= "the node of its CPUs",
	[KVMX_FALLBACK_HOME]	= "any of the CPUs of its own",
	[KVMX_FALLBACK_ANY]	= "any CPU",
	[KVMX_FALLBACK_FAILED]	= "no CPU",
};

/**
 * kvmx_policy_why_text() - a reason in words
 * @why: KVMX_WHY_*
 *
 * Return: the words.
 */
const char *kvmx_policy_why_text(u32 why)
{
	return why < KVMX_NR_WHYS ? whys[why] : "unknown";
}

/**
 * kvmx_policy_fallback_text() - what a thread got instead, in words
 * @how: from kvmx_policy_fallback()
 *
 * Return: the words.
 */
const char *kvmx_policy_fallback_text(enum kvmx_fallback how)
{
	return how <= KVMX_FALLBACK_FAILED ? fallbacks[how] : "unknown";
}

/* Those that refuse the plan. */
static void refusal_text(const struct kvmx_policy_note *n, char *text,
			 size_t size)
{
	const char *class = n->arg < KVMX_NR_THREAD_CLASSES ? classes[n->arg] :
							     "threads";

	switch (n->kind) {
	case KVMX_NOTE_OUTSIDE_CPUSET:
		if (n->tid)
			snprintf(text, size, "thread %d may not use CPU %u: its cpuset forbids it, or others have set its CPUs",
				 n->tid, n->cpu);
		else
			snprintf(text, size, "CPU %u is outside the VMM's cpuset",
				 n->cpu);
		break;
	case KVMX_NOTE_OFFLINE:
		snprintf(text, size, "CPU %u is offline", n->cpu);
		break;
	case KVMX_NOTE_NO_CPU:
		snprintf(text, size, "no CPU is left for %s", class);
		break;
	case KVMX_NOTE_ISOLATED:
		snprintf(text, size, "CPU %u belongs to VM %llu alone", n->cpu,
			 n->vm);
		break;
	case KVMX_NOTE_TAKEN:
		snprintf(text, size,
			 "the core of CPU %u is in use by VM %llu", n->cpu,
			 n->vm);
		break;
	case KVMX_NOTE_NO_VCPU:
		snprintf(text, size, "the map names vCPU %llu, there is none",
			 n->arg);
		break;
	case KVMX_NOTE_UNMAPPED:
		snprintf(text, size, "the map leaves vCPU %llu out", n->arg);
		break;
	case KVMX_NOTE_NO_MEMORY:
		snprintf(text, size, "nothing is known of the VM's memory");
		break;
	case KVMX_NOTE_NO_STATS:
		snprintf(text, size, "nothing can be measured");
		break;
	default:
		snprintf(text, size, "note %u", n->kind);
	}
}

static void siblings_text(const struct kvmx_policy_note *n, char *text,
			  size_t size)
{
	if (n->cpu == KVMX_POLICY_NO_CPU)
		snprintf(text, size, "SMT: too few cores have siblings to be used or kept idle");
	else
		snprintf(text, size, "SMT: a sibling of CPU %u would have to be used, or kept idle, and cannot",
			 n->cpu);
}

/**
 * kvmx_policy_note_text() - a note in words
 * @note: the note
 * @text: where to write them, NUL-terminated
 * @size: room there, more than 0
 */
void kvmx_policy_note_text(const struct kvmx_policy_note *note, char *text,
			   size_t size)
{
	switch (note->kind) {
	case KVMX_NOTE_NO_SIBLINGS:
		siblings_text(note, text, size);
		break;
	case KVMX_NOTE_OVERCOMMIT:
		snprintf(text, size, "%llu vCPUs share CPU %u", note->arg,
			 note->cpu);
		break;
	case KVMX_NOTE_SPLIT_MEMORY:
		snprintf(text, size, "%llu %% of the memory is on node %u",
			 note->arg, note->node);
		break;
	case KVMX_NOTE_REMOTE_MEMORY:
		snprintf(text, size, "from node %u, %llu %% of the memory is elsewhere",
			 note->node, note->arg);
		break;
	case KVMX_NOTE_NODE_EMPTY:
		snprintf(text, size, "node %u has vCPUs, but no memory",
			 note->node);
		break;
	case KVMX_NOTE_FOREIGN:
		snprintf(text, size, "thread %d, which is not placed, may run on CPU %u",
			 note->tid, note->cpu);
		break;
	case KVMX_NOTE_TOPOLOGY:
		snprintf(text, size, "the guest sees %llu threads per core; on CPU %u that is not so",
			 note->arg, note->cpu);
		break;
	case KVMX_NOTE_MOVED:
		snprintf(text, size, "%llu vCPUs change their CPU", note->arg);
		break;
	case KVMX_NOTE_AUTO:
		snprintf(text, size, "auto: a vCPU was moved to CPU %u: it had waited %llu %% of the time elsewhere",
			 note->cpu, note->arg);
		break;
	default:
		refusal_text(note, text, size);
	}
}
