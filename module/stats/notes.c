// SPDX-License-Identifier: GPL-2.0-only
#include <linux/bug.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <asm/cpufeature.h>

#include "core/feature.h"
#include "stats/counters.h"
#include "stats/notes.h"

/* Figures that are left out where something is missing, and what that is. */
static const struct {
	u32 group;
	u32 needs;
	const char *name;
} dependants[] = {
#define X(sym, text, needs) { 0, needs, "time." text },
	KVMX_TIME_CLASSES(X)
#undef X
#define X(member, text, type, unit, fold, needs) { 0, needs, text },
	KVMX_BLOCK_COUNTERS(X)
#undef X
#define X(member, text, type, unit, fold, needs) { 0, needs, "exit.*." text },
	KVMX_SLOT_COUNTERS(X)
#undef X
	{ KVMX_STATS_SCHED, KVMX_NEED_SWITCH, "sched.*" },
	{ KVMX_STATS_SCHED, KVMX_NEED_POLL, "sched.poll.*" },
	{ KVMX_STATS_SCHED, KVMX_NEED_THROTTLED, "sched.switches.throttled" },
	{ KVMX_STATS_MMU, KVMX_NEED_FAULT, "mmu.access.*" },
	{ KVMX_STATS_MMU, KVMX_NEED_FAULT, "mmu.cause.*" },
	{ KVMX_STATS_MMU, KVMX_NEED_FAULT, "mmu.page_walk" },
	{ KVMX_STATS_MMU, KVMX_NEED_FAULT | KVMX_NEED_LAYOUT, "mmu.outcome.*" },
	{ KVMX_STATS_MMU, KVMX_NEED_FAULT | KVMX_NEED_LAYOUT, "mmu.fast" },
	{ KVMX_STATS_MMU, KVMX_NEED_FAULT, "mmu.time" },
	{ KVMX_STATS_MMU, KVMX_NEED_FAULT, "mmu.hist" },
	{ KVMX_STATS_MMU, KVMX_NEED_LAYOUT, "mmu.pages.*" },
	{ KVMX_STATS_MMU, KVMX_NEED_LAYOUT, "mmu.walk.*" },
	{ KVMX_STATS_MMU, KVMX_NEED_LAYOUT, "mmu.cause.dirty_logging" },
	{ KVMX_STATS_MMU, KVMX_NEED_LAYOUT, "mmu.cause.read_only" },
	{ KVMX_STATS_TLB, KVMX_NEED_TAG, "tlb.tag.*" },
	{ KVMX_STATS_TLB, KVMX_NEED_SVM, "tlb.tag.generation" },
	{ KVMX_STATS_TLB, KVMX_NEED_VMX, "tlb.kind.invept_*" },
	{ KVMX_STATS_TLB, KVMX_NEED_VMX, "tlb.kind.invvpid_*" },
	{ KVMX_STATS_TLB, KVMX_NEED_VMX | KVMX_NEED_F_GUEST, "tlb.kind.guest" },
	{ KVMX_STATS_TLB, KVMX_NEED_F_ALL, "tlb.kind.invept_global" },
	{ KVMX_STATS_TLB, KVMX_NEED_F_ALL, "tlb.kind.invvpid_all" },
	{ KVMX_STATS_TLB, KVMX_NEED_F_CURRENT, "tlb.kind.*_context" },
	{ KVMX_STATS_TLB, KVMX_NEED_F_ADDRESS, "tlb.kind.invvpid_address" },
	{ KVMX_STATS_TLB, KVMX_NEED_SVM | KVMX_NEED_TAG, "tlb.kind.*asid" },
	{ KVMX_STATS_TLB, KVMX_NEED_SVM | KVMX_NEED_F_ADDRESS,
	  "tlb.kind.invlpga" },
	{ KVMX_STATS_TLB, KVMX_NEED_SVM, "tlb.*.tags_used_up" },
	{ KVMX_STATS_TLB, KVMX_NEED_F_ALL, "tlb.*.remote" },
	{ KVMX_STATS_TLB, KVMX_NEED_F_CURRENT, "tlb.*.new_root" },
	{ KVMX_STATS_TLB, KVMX_NEED_F_GUEST, "tlb.*.paravirtual" },
	{ KVMX_STATS_TLB, KVMX_NEED_SWITCH, "tlb.kept.*" },
	{ KVMX_STATS_TLB, KVMX_NEED_SWITCH, "tlb.lost.*" },
	{ KVMX_STATS_TLB, KVMX_NEED_RETENTION, "tlb.kept.*" },
	{ KVMX_STATS_TLB, KVMX_NEED_RETENTION, "tlb.lost.*" },
	{ KVMX_STATS_TLB, KVMX_NEED_LAYOUT, "tlb.missed" },
	{ KVMX_STATS_MMU, KVMX_NEED_OPS, "mmu.op.*" },
	{ KVMX_STATS_MMU, KVMX_NEED_COLLAPSE, "mmu.op.collapsed" },
};

static const struct {
	u32 bit;
	const char *what;
} causes[] = {
	{ KVMX_NEED_SWITCH,
	  "needs the tracepoint sched_switch, which is off: see kvmx info" },
	{ KVMX_NEED_USER,
	  "needs the tracepoint kvm_userspace_exit, which is off: see kvmx info" },
	{ KVMX_NEED_FPU,
	  "needs the tracepoint kvm_fpu, which is off: see kvmx info" },
	{ KVMX_NEED_WAKEUP,
	  "needs the tracepoint kvm_vcpu_wakeup, which is off: see kvmx info" },
	{ KVMX_NEED_LAYOUT, "needs vcpu_layout, which is off: see kvmx info" },
	{ KVMX_NEED_THROTTLED,
	  "this kernel does not tell throttled from ready: see the cgroup's cpu.stat" },
	{ KVMX_NEED_FAULT,
	  "needs the tracepoint kvm_page_fault, which is off: see kvmx info" },
	{ KVMX_NEED_VMX, "not on AMD: instructions of VMX" },
	{ KVMX_NEED_SVM, "not on Intel: a matter of SVM" },
	{ KVMX_NEED_TAG,
	  "the tag cannot be read: svm_vmcb, vmx_vmread or vcpu_layout is off: see kvmx info" },
	{ KVMX_NEED_F_ALL,
	  "needs a kprobe on vmx_ or svm_flush_tlb_all, which is off: see kvmx info" },
	{ KVMX_NEED_F_CURRENT,
	  "needs a kprobe on vmx_ or svm_flush_tlb_current, which is off: see kvmx info" },
	{ KVMX_NEED_F_GUEST,
	  "needs a kprobe on vmx_flush_tlb_guest or svm_flush_tlb_asid: see kvmx info" },
	{ KVMX_NEED_F_ADDRESS,
	  "needs a kprobe on vmx_ or svm_flush_tlb_gva, which is off: see kvmx info" },
	{ KVMX_NEED_RETENTION,
	  "a flush could go unseen, for a kprobe or the tag is off: see kvmx info" },
	{ KVMX_NEED_OPS,
	  "needs kvm_tdp_mmu_spte_changed and __handle_changed_spte: see kvmx info" },
	{ KVMX_NEED_COLLAPSE,
	  "needs kvm_mmu_zap_collapsible_sptes, which is off: see kvmx info" },
};

struct writer {
	struct kvmx_note *notes;
	unsigned int nr;
};

__printf(4, 5)
static void note(struct writer *w, u32 label, const char *name,
		 const char *fmt, ...)
{
	struct kvmx_note *n = &w->notes[w->nr];
	va_list args;

	if (WARN_ON_ONCE(w->nr == KVMX_NOTES_MAX))
		return;
	w->nr++;
	memset(n, 0, sizeof(*n));
	n->label = label;
	strscpy(n->name, name, sizeof(n->name));
	va_start(args, fmt);
	vscnprintf(n->reason, sizeof(n->reason), fmt, args);
	va_end(args);
}

static void notes_unavailable(struct writer *w, u32 groups, u32 have)
{
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(dependants); i++) {
		u32 lacking = dependants[i].needs & ~have;

		if (dependants[i].group & ~groups)
			continue;
		for (j = 0; lacking && j < ARRAY_SIZE(causes); j++) {
			if (!(lacking & causes[j].bit))
				continue;
			note(w, KVMX_LABEL_UNAVAILABLE, dependants[i].name,
			     "%s", causes[j].what);
			break;
		}
	}
}

/* The first note of a figure is the one that counts: the worst comes first. */
static void notes_shifted(struct writer *w, u32 have)
{
	if (!(have & KVMX_NEED_USER))
		note(w, KVMX_LABEL_LATE, "time.exit",
		     "includes time in the VMM%s: see kvmx info",
		     have & KVMX_NEED_SWITCH ? "" :
		     ", halted, waiting and ready time");
	else if (!(have & KVMX_NEED_SWITCH))
		note(w, KVMX_LABEL_LATE, "time.exit",
		     "includes polling, halted, waiting and ready time: sched_switch is off");
	else if (!(have & KVMX_NEED_WAKEUP))
		note(w, KVMX_LABEL_LATE, "time.exit",
		     "includes halt polling: kvm_vcpu_wakeup is off");
	if (!(have & KVMX_NEED_SWITCH))
		note(w, KVMX_LABEL_LATE, "time.user",
		     "includes the VMM's sleeping and waiting: sched_switch is off");
	else if (!(have & KVMX_NEED_FPU))
		note(w, KVMX_LABEL_LATE, "time.user",
		     "includes KVM_RUN up to the entry: kvm_fpu is off");
	if (!(have & KVMX_NEED_SWITCH))
		return;
	note(w, KVMX_LABEL_LATE, "time.ready",
	     have & KVMX_NEED_THROTTLED ? "told when the vCPU has run again" :
	     "incl. throttled (quota of a cgroup); told when the vCPU has run again");
	if (have & KVMX_NEED_THROTTLED)
		note(w, KVMX_LABEL_LATE, "time.throttled",
		     "told when the vCPU has run again; up to then, not to the end of throttling");
	note(w, KVMX_LABEL_LATE, "time.halted",
	     "told when the vCPU has run again");
	note(w, KVMX_LABEL_LATE, "time.wait",
	     "told when the vCPU has run again");
	note(w, KVMX_LABEL_LATE, "time.poll",
	     "told when a halt ends; polling that a preemption ended counts as exit");
}

static void notes_sched(struct writer *w, u32 have)
{
	if (!(have & KVMX_NEED_SWITCH))
		return;
	note(w, KVMX_LABEL_LATE, "sched.delay.hist",
	     "incl. throttled; told when the vCPU has run again");
	if ((have & KVMX_NEED_POLL) == KVMX_NEED_POLL)
		note(w, KVMX_LABEL_LATE, "sched.poll.*",
		     "told when a halt ends");
}

/* SVM on 6.1: see module/compat. */
static const char late_exit[] =
	"this kernel's SVM tells of an exit after the host's interrupts were served";

static void notes_late_exit(struct writer *w)
{
	static const char * const names[] = {
		"time.guest", "exit.*.gross", "exit.*.net", "exit.*.max",
		"exit.*.hist",
	};
	unsigned int i;

	if (!KVMX_SVM_EXIT_IS_LATE || !boot_cpu_has(X86_FEATURE_SVM))
		return;
	for (i = 0; i < ARRAY_SIZE(names); i++)
		note(w, KVMX_LABEL_LATE, names[i], "%s", late_exit);
}

static void notes_mmu(struct writer *w, u32 have)
{
	if (!(have & KVMX_NEED_TABLES))
		note(w, KVMX_LABEL_UNAVAILABLE, "mmu.pages.tables",
		     "this kernel's KVM does not count the pages of its tables");
	if (!(have & KVMX_NEED_PML))
		note(w, KVMX_LABEL_UNAVAILABLE, "mmu.walk.pml",
		     "not on AMD: page-modification log is a feature of VMX");
	if (!(have & KVMX_NEED_LAYOUT))
		note(w, KVMX_LABEL_LATE, "mmu.cause.*",
		     "read-only slots, dirty logging and holes count as what they look like: vcpu_layout is off");
	if (have & KVMX_NEED_OPS)
		note(w, KVMX_LABEL_EXACT, "mmu.op.unattributed",
		     "of all VMs of the host: KVM does not tell whose they are");
	if (KVMX_SVM_EXIT_IS_LATE && boot_cpu_has(X86_FEATURE_SVM)) {
		note(w, KVMX_LABEL_LATE, "mmu.time", "%s", late_exit);
		note(w, KVMX_LABEL_LATE, "mmu.hist", "%s", late_exit);
	}
}

static void notes_io(struct writer *w, u32 have)
{
	static const char * const late[] = {
		"io.*.time", "io.*.hist",
	};
	unsigned int i;

	if (!(have & KVMX_NEED_FAULT))
		note(w, KVMX_LABEL_LATE, "io.mmio.*",
		     "lacks the first access to each page: kvm_page_fault is off");
	if (!KVMX_SVM_EXIT_IS_LATE || !boot_cpu_has(X86_FEATURE_SVM))
		return;
	for (i = 0; i < ARRAY_SIZE(late); i++)
		note(w, KVMX_LABEL_LATE, late[i], "%s", late_exit);
}

/* What the rows of causes lack is among those that nothing is known of. */
static void notes_tlb(struct writer *w, u32 have)
{
	static const struct {
		enum kvmx_feature_id id;
		const char *name;
		const char *what;
	} shifts[] = {
		{ KVMX_F_VCPU_LOAD, "tlb.cause.moved",
		  "told by where it ran, not where it was loaded: kvm_arch_vcpu_load is off" },
		{ KVMX_F_PV_FLUSH, "tlb.cause.paravirtual",
		  "lacks KVM's own: kvm_pv_tlb_flush is off" },
		{ KVMX_F_HV_FLUSH, "tlb.cause.paravirtual",
		  "lacks Hyper-V's: kvm_hv_vcpu_flush_tlb is off" },
		{ KVMX_F_VCPU_RESET, "tlb.cause.reset",
		  "lacks resets of a vCPU that has run: kvm_vcpu_reset is off" },
		{ KVMX_F_MMU_LOAD, "tlb.cause.new_root",
		  "lacks all of them: kvm_mmu_load is off" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(shifts); i++)
		if (kvmx_feature_state(shifts[i].id) == KVMX_FEATURE_OFF)
			note(w, KVMX_LABEL_LATE, shifts[i].name, "%s",
			     shifts[i].what);
	if (!(have & KVMX_NEED_LAYOUT))
		note(w, KVMX_LABEL_LATE, "tlb.cause.*",
		     "causes cannot be told: vcpu_layout is off");
	if (have & KVMX_NEED_SVM)
		note(w, KVMX_LABEL_LATE, "tlb.kind.*asid",
		     "told when the guest has run: SVM flushes as it enters");
}

/**
 * kvmx_notes_make() - what is to be said about a statistics fd's figures
 * @notes: room for KVMX_NOTES_MAX
 * @groups: KVMX_STATS_* groups that it shows
 * @have: KVMX_NEED_* bits that its schema was made with
 *
 * Context: any.
 * Return: number of notes.
 */
unsigned int kvmx_notes_make(struct kvmx_note *notes, u32 groups, u32 have)
{
	struct writer w = { .notes = notes };

	notes_unavailable(&w, groups, have);
	notes_shifted(&w, have);
	if (groups & KVMX_STATS_SCHED)
		notes_sched(&w, have);
	notes_late_exit(&w);
	if (groups & KVMX_STATS_MMU)
		notes_mmu(&w, have);
	if (groups & KVMX_STATS_IO)
		notes_io(&w, have);
	if (groups & KVMX_STATS_TLB)
		notes_tlb(&w, have);
	return w.nr;
}
