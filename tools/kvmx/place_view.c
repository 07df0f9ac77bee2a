// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"
#include "place_view.h"
#include "place_words.h"
#include "text.h"

static const struct column thread_columns[] = {
	{ "tid", "TID", 7, false },
	{ "class", "CLASS", 6, true },
	{ "vcpu", "VCPU", 4, false },
	{ "cpus", "CPUS", 8, true },
	{ NULL, "STATE", 8, true },
	{ "name", "NAME", 15, true },
	{ NULL, "WHY", 0, true },
	{ "why", NULL, 0, false },
	{ "why_text", NULL, 0, false },
	{ "applied", NULL, 0, false },
	{ "yielded", NULL, 0, false },
	{ "fallback", NULL, 0, false },
	{ "born_later", NULL, 0, false },
	{ "not_run", NULL, 0, false },
	{ "drifts", NULL, 0, false },
};

/* The reason, and what happened since. */
static char *story(const struct kvmx_placed_thread *t)
{
	char drifts[48] = "";

	if (t->drifts)
		snprintf(drifts, sizeof(drifts), "; changed by others: %u",
			 t->drifts);
	return xasprintf("%s%s%s", why_words(t->why).text,
			 t->state & KVMX_THREAD_BORN ? "; born later" : "",
			 drifts);
}

static void put_thread(struct out *o, const struct placement *p, unsigned int i)
{
	const struct kvmx_placed_thread *t = &p->threads[i];
	char *cpus = cpus_text(&p->masks[i]), *why = story(t);
	const struct val row[] = {
		t->tid ? val_num((__u64)t->tid) : val_none(),
		val_str(class_name(t->thread_class)),
		t->vcpu == KVMX_NO_VCPU ? val_none() : val_num(t->vcpu),
		val_str(cpus),
		val_str(placed_state(t->state, p->planned || p->err)),
		t->name[0] ? val_str(t->name) : val_none(),
		val_str(why),
		val_str(why_words(t->why).name),
		val_str(why_words(t->why).text),
		val_bool(t->state & KVMX_THREAD_APPLIED),
		val_bool(t->state & KVMX_THREAD_YIELDED),
		val_bool(t->state & KVMX_THREAD_FALLBACK),
		val_bool(t->state & KVMX_THREAD_BORN),
		val_bool(t->state & KVMX_THREAD_UNKNOWN),
		val_num(t->drifts),
	};

	out_row(o, row);
	out_end(o);
	free(cpus);
	free(why);
}

/* In JSON always, for people where they asked. */
static void put_threads(struct out *o, const struct placement *p, bool explain)
{
	struct column columns[ARRAY_SIZE(thread_columns)];
	unsigned int i;

	memcpy(columns, thread_columns, sizeof(columns));
	for (i = 0; i < ARRAY_SIZE(columns); i++)
		if (!explain)
			columns[i].title = NULL;
	out_table(o, "threads", columns, ARRAY_SIZE(columns));
	for (i = 0; i < p->nr_threads; i++)
		put_thread(o, p, i);
	out_end(o);
}

/* What a note is about that is about no CPU, or no node. */
#define NOWHERE		0xffffffffU

static const struct column note_columns[] = {
	{ "kind", NULL, 0, false },
	{ "refuses", NULL, 0, false },
	{ "cpu", NULL, 0, false },
	{ "node", NULL, 0, false },
	{ "tid", NULL, 0, false },
	{ "vm", NULL, 0, false },
	{ "value", NULL, 0, false },
	{ "text", NULL, 0, false },
};

static void put_notes(struct out *o, const struct placement *p)
{
	unsigned int i;

	out_table(o, "notes", note_columns, ARRAY_SIZE(note_columns));
	for (i = 0; i < p->nr_notes; i++) {
		const struct kvmx_place_note *n = &p->notes[i];
		const struct val row[] = {
			val_str(note_name(n->kind)),
			val_bool(note_refuses(n)),
			n->cpu == NOWHERE ? val_none() : val_num(n->cpu),
			n->node == NOWHERE ? val_none() : val_num(n->node),
			n->tid ? val_num((__u64)n->tid) : val_none(),
			n->vm ? val_num(n->vm) : val_none(),
			val_num(n->arg),
			val_str(n->text),
		};

		out_row(o, row);
		out_end(o);
	}
	out_end(o);
	/* Who else runs there is in a table of its own, with names. */
	for (i = 0; i < p->nr_notes; i++)
		if (p->notes[i].kind != KVMX_NOTE_FOREIGN)
			out_say(o, "%s %s",
				note_refuses(&p->notes[i]) ? "refused:" :
							     "note:",
				p->notes[i].text);
}

/* What became of it, in one word and in a few. */
static struct words outcome(const struct placement *p, enum place_verb verb)
{
	if (p->err)
		return (struct words){ "refused", "was refused" };
	if (verb == PLACE_CLEAR)
		return (struct words){ "cleared", "placement ended" };
	if (p->now.policy == KVMX_POLICY_NONE)
		return (struct words){ "none", "no placement" };
	if (p->planned)
		return (struct words){ "planned", NULL };
	return (struct words){ "placed", NULL };
}

static void put_headline(struct out *o, const struct placement *p,
			 enum place_verb verb)
{
	const struct words what = outcome(p, verb);
	const bool has = p->now.policy != KVMX_POLICY_NONE;
	char *policy = xasprintf("policy %s, SMT %s", policy_name(p->now.policy),
				 smt_name(p->now.smt));
	char *threads = xasprintf(p->planned ?
				  "%u threads would be placed; nothing was changed" :
				  "%u threads placed", p->nr_threads);

	out_say(o, "VM %llu: pid %d, %s: %s%s%s", p->vm.id, p->vm.pid,
		p->vm.name[0] ? p->vm.name : "-", has ? policy : "",
		has ? ": " : "", what.text ? what.text : threads);
	free(policy);
	free(threads);
	out_field(o, "id", NULL, val_num(p->vm.id));
	out_field(o, "pid", NULL,
		  p->vm.pid ? val_num((__u64)p->vm.pid) : val_none());
	out_field(o, "name", NULL, val_str(p->vm.name));
	out_field(o, "result", NULL, val_str(what.name));
	out_field(o, "policy", NULL, val_str(policy_name(p->now.policy)));
	if (has)
		out_field(o, "smt", NULL, val_str(smt_name(p->now.smt)));
}

static const char *kept(__u32 state)
{
	if (state & KVMX_PLACED_COMMITTED)
		return "until it is cleared or the VM ends";
	return "as long as the program that made it";
}

static const char classes[] =
	"vcpu: KVM says; main: the first; io, worker, vhost: name, if new the parent's; else other";

/* The sums of a placement in force, for --show. */
static void put_sums(struct out *o, const struct kvmx_placed *now)
{
	const bool enforced = now->state & KVMX_PLACED_ENFORCED;
	const __u64 mean = now->births ? now->birth_ns / now->births : 0;
	char age[32];

	text_age(age, sizeof(age), now->age_ns);
	out_field(o, NULL, "In force for", val_str(age));
	out_field(o, "age_ns", NULL, val_age(now->age_ns));
	out_field(o, NULL, "It stays", val_str(kept(now->state)));
	out_field(o, "committed", NULL,
		  val_bool(now->state & KVMX_PLACED_COMMITTED));
	out_field(o, NULL, "Others' changes",
		  val_str(enforced ? "are put back" : "stand"));
	out_field(o, "enforced", NULL, val_bool(enforced));
	out_field(o, "births", "Births", val_num(now->births));
	out_field(o, "birth_ns_mean", "  placed in",
		  now->births ? val_ns(mean) : val_none());
	out_field(o, "birth_ns_max", "  at most",
		  now->births ? val_ns(now->birth_ns_max) : val_none());
	out_field(o, "birth_ns", NULL, val_ns(now->birth_ns));
	out_field(o, "moves", "Moves", val_num(now->moves));
	out_field(o, "drifts", "Drifts", val_num(now->drifts));
	out_field(o, "refusals", "Refusals", val_num(now->refusals));
	out_field(o, "fallbacks", "Fallbacks", val_num(now->fallbacks));
	out_field(o, "class_rule", "Classes", val_str(classes));
}

static void put_fit(struct out *o, const struct placement *p)
{
	struct guest_fit fit;

	guest_fit(p, &fit);
	if (!fit.threads)
		return;
	out_begin(o, "guest_topology");
	out_field(o, "threads_per_core", NULL, val_num(fit.threads));
	out_field(o, "from", NULL, val_str(fit.from));
	out_field(o, "mismatches", NULL, val_num(fit.mismatches));
	if (fit.text) {
		out_field(o, "text", NULL, val_str(fit.text));
		out_say(o, "note: the guest sees %u %s per core (%s), which is not so here: %s%s",
			fit.threads, fit.threads == 1 ? "thread" : "threads",
			fit.from, fit.text,
			fit.mismatches > 1 ? ", and others" : "");
	}
	out_end(o);
	free(fit.text);
}

/**
 * place_put() - what was asked of one VM, and what came of it
 * @o: where to
 * @p: the placement
 * @verb: what was asked
 * @explain: the threads, too
 */
void place_put(struct out *o, const struct placement *p, enum place_verb verb,
	       bool explain)
{
	const bool has = p->now.policy != KVMX_POLICY_NONE &&
			 verb != PLACE_CLEAR;

	out_begin(o, NULL);
	put_headline(o, p, verb);
	if (has && verb == PLACE_SHOW)
		put_sums(o, &p->now);
	if (has) {
		put_threads(o, p, explain && p->nr_threads);
		put_notes(o, p);
	}
	if (has && !p->err) {
		put_fit(o, p);
		if (p->now.policy == KVMX_POLICY_ISOLATE &&
		    (verb != PLACE_BY_RULE || explain))
			isolate_put(o, p);
	}
	out_end(o);
}
