/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Words of what became of a hint, which trace events print.
 */
#ifndef KVMX_CORE_VERDICT_H
#define KVMX_CORE_VERDICT_H

#include <linux/kvmx_para.h>

/* How the guest gave it. */
enum kvmx_hint_way {
	KVMX_WAY_CALL,		/* hypercall */
	KVMX_WAY_AREA,		/* the vCPU's area */
	KVMX_WAY_USER,		/* a word of a program in the guest */
};

/* What became of it. */
enum kvmx_verdict {
	KVMX_VERDICT_NOTED,	/* counted: nothing follows, or not yet */
	KVMX_VERDICT_GRANTED,	/* with an effect */
	KVMX_VERDICT_KIND,	/* not allowed for this VM */
	KVMX_VERDICT_BUDGET,	/* the vCPU's budget is used up */
	KVMX_VERDICT_HOST,	/* the host's own needs come first */
	KVMX_VERDICT_BAD,	/* malformed */
};

/* Why a grant ended. */
enum kvmx_grant_end {
	KVMX_END_RELEASED,	/* the guest gave it back */
	KVMX_END_EXPIRED,	/* its time was over */
	KVMX_END_HOST,		/* the host's own needs come first */
	KVMX_END_OFF,		/* hints were switched off */
	KVMX_END_CHANGED,	/* somebody else has changed the thread: left so */
};

/* Trace events name enumerators only. */
enum kvmx_trace_hint_kind {
	KVMX_TRACE_HINT_NONE = KVMX_KIND_NONE,
	KVMX_TRACE_HINT_CRITICAL = KVMX_KIND_CRITICAL,
	KVMX_TRACE_HINT_LATENCY = KVMX_KIND_LATENCY,
	KVMX_TRACE_HINT_BATCH = KVMX_KIND_BATCH,
	KVMX_TRACE_HINT_YIELD = KVMX_KIND_YIELD_TO,
};

/* What all these are called in trace events (kvmx_trace.h). */
#define KVMX_TRACE_HINT_KINDS					\
	EM(KVMX_TRACE_HINT_NONE,	"none")			\
	EM(KVMX_TRACE_HINT_CRITICAL,	"critical")		\
	EM(KVMX_TRACE_HINT_LATENCY,	"latency")		\
	EM(KVMX_TRACE_HINT_BATCH,	"batch")		\
	EM_LAST(KVMX_TRACE_HINT_YIELD,	"yield_to")

#define KVMX_TRACE_HINT_WAYS					\
	EM(KVMX_WAY_CALL,		"call")			\
	EM(KVMX_WAY_AREA,		"area")			\
	EM_LAST(KVMX_WAY_USER,		"user")

#define KVMX_TRACE_VERDICTS					\
	EM(KVMX_VERDICT_NOTED,		"noted")		\
	EM(KVMX_VERDICT_GRANTED,	"granted")		\
	EM(KVMX_VERDICT_KIND,		"not_allowed")		\
	EM(KVMX_VERDICT_BUDGET,		"budget")		\
	EM(KVMX_VERDICT_HOST,		"host")			\
	EM_LAST(KVMX_VERDICT_BAD,	"malformed")

#define KVMX_TRACE_ENDS						\
	EM(KVMX_END_RELEASED,		"released")		\
	EM(KVMX_END_EXPIRED,		"expired")		\
	EM(KVMX_END_HOST,		"host")			\
	EM(KVMX_END_OFF,		"off")			\
	EM_LAST(KVMX_END_CHANGED,	"changed")

#endif /* KVMX_CORE_VERDICT_H */
