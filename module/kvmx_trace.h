/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trace events of kvmx: docs/tracing.md has a card for each. While one is
 * enabled, what it needs is counted for all VMs (stats/tracing.c).
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM kvmx

#if !defined(KVMX_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define KVMX_TRACE_H

#include <linux/cpumask.h>
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/tracepoint.h>
#include <linux/kvmx_place.h>

#include "core/exit.h"
#include "core/topo.h"
#include "core/verdict.h"
#include "stats/counters.h"

#ifndef KVMX_TRACE_CPUS
/*
 * A set of CPUs is told as a list, 0-3,7, "..." behind it where it is longer. Not
 * as a bitmask: 7.3 prints only one of those in an event, whatever there is else.
 */
#define KVMX_TRACE_CPUS		64

static inline void kvmx_trace_cpus(char to[KVMX_TRACE_CPUS],
				   const struct cpumask *cpus)
{
	if (snprintf(to, KVMX_TRACE_CPUS, "%*pbl", cpumask_pr_args(cpus)) >=
	    KVMX_TRACE_CPUS)
		strscpy(to + KVMX_TRACE_CPUS - 4, "...", 4);
}
#endif

/* What names stand for; numbers are what filters compare with. */
#define KVMX_TRACE_ACCESSES					\
	EM(KVMX_ACCESS_READ,		"read")			\
	EM(KVMX_ACCESS_WRITE,		"write")		\
	EM(KVMX_ACCESS_FETCH,		"fetch")		\
	EM_LAST(KVMX_ACCESS_UNKNOWN,	"unknown")

#define KVMX_TRACE_CAUSES					\
	EM(KVMX_C_NOT_PRESENT,		"not_present")		\
	EM(KVMX_C_WRITE_PROTECTED,	"write_protected")	\
	EM(KVMX_C_DIRTY_LOGGING,	"dirty_logging")	\
	EM(KVMX_C_READ_ONLY,		"read_only")		\
	EM(KVMX_C_PERMISSION,		"permission")		\
	EM(KVMX_C_MMIO,			"mmio")			\
	EM_LAST(KVMX_C_SHADOW,		"shadow")

#define KVMX_TRACE_OUTCOMES					\
	EM(KVMX_O_FIXED,		"fixed")		\
	EM(KVMX_O_EMULATED,		"emulated")		\
	EM(KVMX_O_MMIO,			"mmio")			\
	EM(KVMX_O_SPURIOUS,		"spurious")		\
	EM(KVMX_O_RETRIED,		"retried")		\
	EM_LAST(KVMX_O_UNTOLD,		"untold")

#define KVMX_TRACE_DISTANCES					\
	EM(KVMX_D_SMT,			"smt_sibling")		\
	EM(KVMX_D_LLC,			"same_llc")		\
	EM(KVMX_D_NODE,			"same_node")		\
	EM_LAST(KVMX_D_OTHER,		"other_node")

#define KVMX_TRACE_TLBS						\
	EM(KVMX_TLB_FATE_UNKNOWN,	"unknown")		\
	EM(KVMX_TLB_FATE_KEPT,		"kept")			\
	EM_LAST(KVMX_TLB_FATE_LOST,	"lost")

#define KVMX_TRACE_KINDS					\
	EM(KVMX_K_INVEPT_GLOBAL,	"invept_global")	\
	EM(KVMX_K_INVEPT_CONTEXT,	"invept_context")	\
	EM(KVMX_K_INVVPID_ALL,		"invvpid_all")		\
	EM(KVMX_K_INVVPID_CONTEXT,	"invvpid_context")	\
	EM(KVMX_K_INVVPID_ADDRESS,	"invvpid_address")	\
	EM(KVMX_K_GUEST,		"guest")		\
	EM(KVMX_K_ASID,			"asid")			\
	EM(KVMX_K_NEW_ASID,		"new_asid")		\
	EM_LAST(KVMX_K_INVLPGA,		"invlpga")

#define KVMX_TRACE_FLUSH_CAUSES					\
	EM(KVMX_W_MOVED,		"moved")		\
	EM(KVMX_W_SIBLING,		"sibling")		\
	EM(KVMX_W_REMOTE,		"remote")		\
	EM(KVMX_W_PARAVIRTUAL,		"paravirtual")		\
	EM(KVMX_W_INSTRUCTION,		"instruction")		\
	EM(KVMX_W_NESTED,		"nested")		\
	EM(KVMX_W_RESET,		"reset")		\
	EM(KVMX_W_NEW_ROOT,		"new_root")		\
	EM(KVMX_W_VMM,			"vmm")			\
	EM(KVMX_W_TAGS_USED_UP,		"tags_used_up")		\
	EM_LAST(KVMX_W_UNATTRIBUTED,	"unattributed")

#define KVMX_TRACE_CLASSES					\
	{ KVMX_THREAD_VCPU,		"vcpu" },		\
	{ KVMX_THREAD_MAIN,		"main" },		\
	{ KVMX_THREAD_IO,		"io" },			\
	{ KVMX_THREAD_WORKER,		"worker" },		\
	{ KVMX_THREAD_VHOST,		"vhost" },		\
	{ KVMX_THREAD_OTHER,		"other" }

#define KVMX_TRACE_WHYS						\
	{ KVMX_WHY_MAP,			"map" },		\
	{ KVMX_WHY_OWN_CORE,		"own_core" },		\
	{ KVMX_WHY_SHARED_CORE,		"shared_core" },	\
	{ KVMX_WHY_PAIR,		"pair" },		\
	{ KVMX_WHY_MEMORY,		"memory" },		\
	{ KVMX_WHY_PACKED,		"packed" },		\
	{ KVMX_WHY_SHARED_CPU,		"shared_cpu" },		\
	{ KVMX_WHY_EMULATOR,		"emulator" },		\
	{ KVMX_WHY_IO,			"io" },			\
	{ KVMX_WHY_WITH_VCPUS,		"with_vcpus" },		\
	{ KVMX_WHY_REST,		"rest" },		\
	{ KVMX_WHY_KEPT,		"kept" },		\
	{ KVMX_WHY_READY,		"ready" },		\
	{ KVMX_WHY_FALLBACK,		"fallback" }

/* First for programs that read the format: what each enumerator is. */
#undef EM
#undef EM_LAST
#define EM(sym, name)		TRACE_DEFINE_ENUM(sym);
#define EM_LAST(sym, name)	TRACE_DEFINE_ENUM(sym);
KVMX_TRACE_ACCESSES
KVMX_TRACE_CAUSES
KVMX_TRACE_OUTCOMES
KVMX_TRACE_DISTANCES
KVMX_TRACE_TLBS
KVMX_TRACE_KINDS
KVMX_TRACE_FLUSH_CAUSES
KVMX_TRACE_HINT_KINDS
KVMX_TRACE_HINT_WAYS
KVMX_TRACE_VERDICTS
KVMX_TRACE_ENDS

/* Then for print formats. */
#undef EM
#undef EM_LAST
#define EM(sym, name)		{ sym, name },
#define EM_LAST(sym, name)	{ sym, name }

int kvmx_tracing_ept(void);
void kvmx_tracing_no_ept(void);
int kvmx_tracing_migrate(void);
void kvmx_tracing_no_migrate(void);
int kvmx_tracing_ready(void);
void kvmx_tracing_no_ready(void);
int kvmx_tracing_flush(void);
void kvmx_tracing_no_flush(void);

TRACE_EVENT_FN(ept_violation,
	TP_PROTO(u64 vm, u32 vcpu, u64 gpa, enum kvmx_access access,
		 enum kvmx_cause cause, enum kvmx_outcome outcome, u64 ns),
	TP_ARGS(vm, vcpu, gpa, access, cause, outcome, ns),

	TP_STRUCT__entry(
		__field(u64, vm)
		__field(u64, gpa)
		__field(u64, ns)
		__field(u32, vcpu)
		__field(u8, access)
		__field(u8, cause)
		__field(u8, outcome)
	),

	TP_fast_assign(
		__entry->vm = vm;
		__entry->gpa = gpa;
		__entry->ns = ns;
		__entry->vcpu = vcpu;
		__entry->access = access;
		__entry->cause = cause;
		__entry->outcome = outcome;
	),

	TP_printk("vm=%llu vcpu=%u gpa=0x%llx access=%s cause=%s outcome=%s ns=%llu",
		  __entry->vm, __entry->vcpu, __entry->gpa,
		  __print_symbolic(__entry->access, KVMX_TRACE_ACCESSES),
		  __print_symbolic(__entry->cause, KVMX_TRACE_CAUSES),
		  __print_symbolic(__entry->outcome, KVMX_TRACE_OUTCOMES),
		  __entry->ns),

	kvmx_tracing_ept, kvmx_tracing_no_ept
);

TRACE_EVENT_FN(migrate,
	TP_PROTO(u64 vm, u32 vcpu, u32 from, u32 to,
		 enum kvmx_distance distance, enum kvmx_tlb_fate tlb),
	TP_ARGS(vm, vcpu, from, to, distance, tlb),

	TP_STRUCT__entry(
		__field(u64, vm)
		__field(u32, vcpu)
		__field(u32, from)
		__field(u32, to)
		__field(u8, distance)
		__field(u8, tlb)
	),

	TP_fast_assign(
		__entry->vm = vm;
		__entry->vcpu = vcpu;
		__entry->from = from;
		__entry->to = to;
		__entry->distance = distance;
		__entry->tlb = tlb;
	),

	TP_printk("vm=%llu vcpu=%u from=%u to=%u distance=%s tlb=%s",
		  __entry->vm, __entry->vcpu, __entry->from, __entry->to,
		  __print_symbolic(__entry->distance, KVMX_TRACE_DISTANCES),
		  __print_symbolic(__entry->tlb, KVMX_TRACE_TLBS)),

	kvmx_tracing_migrate, kvmx_tracing_no_migrate
);

TRACE_EVENT_FN(ready,
	TP_PROTO(u64 vm, u32 vcpu, u32 cpu, u64 ns, bool woken, pid_t by_tid,
		 const char *by_comm),
	TP_ARGS(vm, vcpu, cpu, ns, woken, by_tid, by_comm),

	TP_STRUCT__entry(
		__field(u64, vm)
		__field(u64, ns)
		__field(u32, vcpu)
		__field(u32, cpu)
		__field(pid_t, by_tid)
		__field(bool, woken)
		__array(char, by_comm, TASK_COMM_LEN)
	),

	TP_fast_assign(
		__entry->vm = vm;
		__entry->ns = ns;
		__entry->vcpu = vcpu;
		__entry->cpu = cpu;
		__entry->by_tid = by_tid;
		__entry->woken = woken;
		memcpy(__entry->by_comm, by_comm, TASK_COMM_LEN);
	),

	TP_printk("vm=%llu vcpu=%u cpu=%u ns=%llu woken=%d by_comm=%s by_tid=%d",
		  __entry->vm, __entry->vcpu, __entry->cpu, __entry->ns,
		  __entry->woken, __entry->by_comm, __entry->by_tid),

	kvmx_tracing_ready, kvmx_tracing_no_ready
);

TRACE_EVENT_FN(flush,
	TP_PROTO(u64 vm, u32 vcpu, enum kvmx_flush_kind kind,
		 enum kvmx_flush_cause cause, u32 asked),
	TP_ARGS(vm, vcpu, kind, cause, asked),

	TP_STRUCT__entry(
		__field(u64, vm)
		__field(u32, vcpu)
		__field(u32, asked)
		__field(u8, kind)
		__field(u8, cause)
	),

	TP_fast_assign(
		__entry->vm = vm;
		__entry->vcpu = vcpu;
		__entry->asked = asked;
		__entry->kind = kind;
		__entry->cause = cause;
	),

	TP_printk("vm=%llu vcpu=%u kind=%s cause=%s asked=0x%x",
		  __entry->vm, __entry->vcpu,
		  __print_symbolic(__entry->kind, KVMX_TRACE_KINDS),
		  __print_symbolic(__entry->cause, KVMX_TRACE_FLUSH_CAUSES),
		  __entry->asked),

	kvmx_tracing_flush, kvmx_tracing_no_flush
);

TRACE_EVENT(place,
	TP_PROTO(u64 vm, const struct task_struct *task, u32 thread_class,
		 u32 vcpu, const struct cpumask *from, const struct cpumask *to,
		 u32 why),
	TP_ARGS(vm, task, thread_class, vcpu, from, to, why),

	TP_STRUCT__entry(
		__field(u64, vm)
		__field(pid_t, tid)
		__field(u32, vcpu)
		__array(char, from, KVMX_TRACE_CPUS)
		__array(char, to, KVMX_TRACE_CPUS)
		__field(u8, thread_class)
		__field(u8, why)
		__array(char, comm, TASK_COMM_LEN)
	),

	TP_fast_assign(
		__entry->vm = vm;
		__entry->tid = task_pid_nr((struct task_struct *)task);
		__entry->vcpu = vcpu;
		kvmx_trace_cpus(__entry->from, from);
		kvmx_trace_cpus(__entry->to, to);
		__entry->thread_class = thread_class;
		__entry->why = why;
		memcpy(__entry->comm, task->comm, TASK_COMM_LEN);
	),

	TP_printk("vm=%llu tid=%d comm=%s class=%s vcpu=%d from=%s to=%s why=%s",
		  __entry->vm, __entry->tid, __entry->comm,
		  __print_symbolic(__entry->thread_class, KVMX_TRACE_CLASSES),
		  (int)__entry->vcpu, __entry->from, __entry->to,
		  __print_symbolic(__entry->why, KVMX_TRACE_WHYS))
);

TRACE_EVENT(drift,
	TP_PROTO(u64 vm, const struct task_struct *task, u32 thread_class,
		 u32 vcpu, const struct cpumask *from, const struct cpumask *to,
		 bool put_back),
	TP_ARGS(vm, task, thread_class, vcpu, from, to, put_back),

	TP_STRUCT__entry(
		__field(u64, vm)
		__field(pid_t, tid)
		__field(u32, vcpu)
		__array(char, from, KVMX_TRACE_CPUS)
		__array(char, to, KVMX_TRACE_CPUS)
		__field(u8, thread_class)
		__field(bool, put_back)
		__array(char, comm, TASK_COMM_LEN)
	),

	TP_fast_assign(
		__entry->vm = vm;
		__entry->tid = task_pid_nr((struct task_struct *)task);
		__entry->vcpu = vcpu;
		kvmx_trace_cpus(__entry->from, from);
		kvmx_trace_cpus(__entry->to, to);
		__entry->thread_class = thread_class;
		__entry->put_back = put_back;
		memcpy(__entry->comm, task->comm, TASK_COMM_LEN);
	),

	TP_printk("vm=%llu tid=%d comm=%s class=%s vcpu=%d from=%s to=%s put_back=%d",
		  __entry->vm, __entry->tid, __entry->comm,
		  __print_symbolic(__entry->thread_class, KVMX_TRACE_CLASSES),
		  (int)__entry->vcpu, __entry->from, __entry->to,
		  __entry->put_back)
);

TRACE_EVENT(undo,
	TP_PROTO(u64 vm, const struct task_struct *task, u32 thread_class,
		 const struct cpumask *from, const struct cpumask *to),
	TP_ARGS(vm, task, thread_class, from, to),

	TP_STRUCT__entry(
		__field(u64, vm)
		__field(pid_t, tid)
		__array(char, from, KVMX_TRACE_CPUS)
		__array(char, to, KVMX_TRACE_CPUS)
		__field(u8, thread_class)
		__array(char, comm, TASK_COMM_LEN)
	),

	TP_fast_assign(
		__entry->vm = vm;
		__entry->tid = task_pid_nr((struct task_struct *)task);
		kvmx_trace_cpus(__entry->from, from);
		kvmx_trace_cpus(__entry->to, to);
		__entry->thread_class = thread_class;
		memcpy(__entry->comm, task->comm, TASK_COMM_LEN);
	),

	TP_printk("vm=%llu tid=%d comm=%s class=%s from=%s to=%s",
		  __entry->vm, __entry->tid, __entry->comm,
		  __print_symbolic(__entry->thread_class, KVMX_TRACE_CLASSES),
		  __entry->from, __entry->to)
);

TRACE_EVENT(hint,
	TP_PROTO(u64 vm, u32 vcpu, enum kvmx_hint_way way, u32 word,
		 u32 length_us, enum kvmx_verdict verdict),
	TP_ARGS(vm, vcpu, way, word, length_us, verdict),

	TP_STRUCT__entry(
		__field(u64, vm)
		__field(u32, vcpu)
		__field(u32, length_us)
		__field(u8, way)
		__field(u8, kind)
		__field(u8, nesting)
		__field(u8, urgency)
		__field(u8, verdict)
	),

	TP_fast_assign(
		__entry->vm = vm;
		__entry->vcpu = vcpu;
		__entry->length_us = length_us;
		__entry->way = way;
		__entry->kind = KVMX_HINT_KIND(word);
		__entry->nesting = KVMX_HINT_NESTING(word);
		__entry->urgency = KVMX_HINT_URGENCY(word);
		__entry->verdict = verdict;
	),

	TP_printk("vm=%llu vcpu=%u way=%s kind=%s nesting=%u urgency=%u length_us=%u verdict=%s",
		  __entry->vm, __entry->vcpu,
		  __print_symbolic(__entry->way, KVMX_TRACE_HINT_WAYS),
		  __print_symbolic(__entry->kind, KVMX_TRACE_HINT_KINDS),
		  __entry->nesting, __entry->urgency, __entry->length_us,
		  __print_symbolic(__entry->verdict, KVMX_TRACE_VERDICTS))
);

TRACE_EVENT(taken_off,
	TP_PROTO(u64 vm, u32 vcpu, u32 kind, u32 cost),
	TP_ARGS(vm, vcpu, kind, cost),

	TP_STRUCT__entry(
		__field(u64, vm)
		__field(u32, vcpu)
		__field(u8, kind)
		__field(u8, cost)
	),

	TP_fast_assign(
		__entry->vm = vm;
		__entry->vcpu = vcpu;
		__entry->kind = kind;
		__entry->cost = cost;
	),

	TP_printk("vm=%llu vcpu=%u kind=%s cost=%u",
		  __entry->vm, __entry->vcpu, __print_symbolic(__entry->kind,
		  KVMX_TRACE_HINT_KINDS), __entry->cost)
);

TRACE_EVENT(grant,
	TP_PROTO(u64 vm, u32 vcpu, u32 kind, u32 effect, u64 ns),
	TP_ARGS(vm, vcpu, kind, effect, ns),

	TP_STRUCT__entry(
		__field(u64, vm)
		__field(u64, ns)
		__field(u32, vcpu)
		__field(u8, kind)
		__field(u8, effect)
	),

	TP_fast_assign(
		__entry->vm = vm;
		__entry->ns = ns;
		__entry->vcpu = vcpu;
		__entry->kind = kind;
		__entry->effect = effect;
	),

	TP_printk("vm=%llu vcpu=%u kind=%s effect=%u ns=%llu",
		  __entry->vm, __entry->vcpu, __print_symbolic(__entry->kind,
		  KVMX_TRACE_HINT_KINDS), __entry->effect, __entry->ns)
);

TRACE_EVENT(grant_end,
	TP_PROTO(u64 vm, u32 vcpu, u32 kind, enum kvmx_grant_end why, u64 ns),
	TP_ARGS(vm, vcpu, kind, why, ns),

	TP_STRUCT__entry(
		__field(u64, vm)
		__field(u64, ns)
		__field(u32, vcpu)
		__field(u8, kind)
		__field(u8, why)
	),

	TP_fast_assign(
		__entry->vm = vm;
		__entry->ns = ns;
		__entry->vcpu = vcpu;
		__entry->kind = kind;
		__entry->why = why;
	),

	TP_printk("vm=%llu vcpu=%u kind=%s why=%s ns=%llu",
		  __entry->vm, __entry->vcpu, __print_symbolic(__entry->kind,
		  KVMX_TRACE_HINT_KINDS), __print_symbolic(__entry->why,
		  KVMX_TRACE_ENDS), __entry->ns)
);

#endif /* KVMX_TRACE_H */

/* Outside of the guard: the tracing core reads this file several times. */
#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE kvmx_trace
#include <trace/define_trace.h>
