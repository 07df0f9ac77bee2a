// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cost.h"
#include "stat.h"
#include "state.h"
#include "text.h"
#include "util.h"

#define AT_MOST_CLASSES	8	/* that fit into a line beside the vCPU */

/* A VM or a vCPU in the table of times. */
struct who {
	char name[16];
	char state[32];
	struct val since;
	const struct tally *tally;
};

static void put_mode(struct stat_view *view)
{
	static const char * const modes[] = {
		[STAT_ONCE] = "once",
		[STAT_INTERVAL] = "interval",
		[STAT_COMMAND] = "command",
	};
	struct out *o = view->out;
	struct timespec ts;
	char text[32];

	clock_gettime(CLOCK_REALTIME, &ts);
	out_field(o, "subcommand", NULL, val_str(view->opts->cmd));
	out_field(o, "mode", NULL, val_str(modes[view->mode]));
	out_field(o, "at_ns", NULL,
		  val_num((__u64)ts.tv_sec * 1000000000 + (__u64)ts.tv_nsec));
	out_field(o, "clock_khz", NULL, val_num(view->khz));
	if (view->mode != STAT_INTERVAL)
		return;
	strftime(text, sizeof(text), "%H:%M:%S", localtime(&ts.tv_sec));
	if (view->interval > 1)
		out_say(o, "%s", "");
	out_say(o, "== %s, interval %llu", text, view->interval);
	out_field(o, "interval", NULL, val_num(view->interval));
}

/* Is what is printed of this VM everything, or what happened since the mark? */
static bool shows_all(const struct stat_view *view, const struct watch_vm *vm)
{
	/* Groups are counted for who asks: not since counting began. */
	return view->mode == STAT_ONCE && vm->was_counting &&
	       !view->opts->groups;
}

/*
 * Figures outlive the end of counting: where it is off and on again, they are
 * of all runs together.
 */
static const char *runs_text(const struct kvmx_vm_info *vm, __u64 total_ns)
{
	const __u64 slack = 100000000;

	return total_ns > vm->counted_ns + slack ?
	       " in several runs" : " since counting began";
}

void view_headline(struct stat_view *view, const struct watch_vm *vm,
		   __u64 measured)
{
	const struct kvmx_vm_info *i = &vm->info;
	const char *gone = vm->gone ? ", gone" : "";
	__u64 ns = ticks_to_ns(measured, view->khz);
	bool all = shows_all(view, vm);
	char time[32], pid[24] = "";

	if (ns < 60000000000ULL)
		text_ns(time, sizeof(time), ns);
	else
		text_age(time, sizeof(time), ns);
	if (i->pid)
		snprintf(pid, sizeof(pid), " pid %d,", i->pid);
	out_say(view->out, "VM %llu:%s %s, %u vCPU%s, %s %s%s%s", i->id, pid,
		i->name[0] ? i->name : "(no name)", i->nr_vcpus,
		i->nr_vcpus == 1 ? "" : "s",
		all ? "totals of" : "measured for", time,
		all ? runs_text(i, ns) : "", gone);
}

void view_vm_fields(struct stat_view *view, const struct watch_vm *vm,
		    __u64 measured)
{
	const struct kvmx_vm_info *i = &vm->info;
	struct out *o = view->out;

	out_field(o, "id", NULL, val_num(i->id));
	out_field(o, "pid", NULL, i->pid ? val_num((__u64)i->pid) :
					   val_none());
	out_field(o, "name", NULL, val_str(i->name));
	out_field(o, "nr_vcpus", NULL, val_num(i->nr_vcpus));
	out_field(o, "gone", NULL, val_bool(vm->gone));
	out_field(o, "since", NULL,
		  val_str(shows_all(view, vm) ? "counting-began" :
			  vm->born ? "birth" : "begin"));
	out_field(o, "counted_ns", NULL, val_num(i->counted_ns));
	out_field(o, "measured", NULL, val_ticks(measured));
}

static void fill_row(const struct who *who, const unsigned int *classes,
		     unsigned int nr, struct val *row)
{
	unsigned int i, total = who->tally->nr_times;
	unsigned int *tenths = xcalloc(total, sizeof(*tenths));
	__u64 *parts = xcalloc(total, sizeof(*parts));

	for (i = 0; i < total; i++)
		parts[i] = who->tally->times[i].ticks;
	permille(parts, total, tenths);
	row[0] = val_str(who->name);
	row[1] = val_str(who->state);
	row[2] = who->since;
	for (i = 0; i < nr; i++)
		row[3 + i] = tally_time(who->tally) ?
			     val_permille(tenths[classes[i]], 0) : val_none();
	free(parts);
	free(tenths);
}

static bool class_happened(const struct who *who, unsigned int nr,
			   unsigned int class)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (who[i].tally->times[class].ticks)
			return true;
	return false;
}

/* Where they are too many for a line, those without any time give way. */
static unsigned int choose_classes(const struct who *who, unsigned int nr,
				   unsigned int *classes)
{
	unsigned int total = who[0].tally->nr_times, i, n = 0;
	unsigned int spare = total > AT_MOST_CLASSES ? total - AT_MOST_CLASSES : 0;

	for (i = total; i > 0; i--) {
		if (spare && !class_happened(who, nr, i - 1)) {
			spare--;
			continue;
		}
		classes[total - ++n] = i - 1;
	}
	memmove(classes, classes + total - n, n * sizeof(*classes));
	return n;
}

/* One line for each; classes that are too many for a line go on in another. */
static void put_times(struct out *o, const struct who *who, unsigned int nr)
{
	struct column columns[3 + AT_MOST_CLASSES] = {
		{ NULL, "VCPU", 5, true },
		{ NULL, "STATE", 9, true },
		{ NULL, "FOR", 6, false },
	};
	const struct tally *t = who[0].tally;
	unsigned int *classes = xcalloc(t->nr_times, sizeof(*classes));
	unsigned int from, i, n, all = choose_classes(who, nr, classes);
	struct val row[3 + AT_MOST_CLASSES];

	for (from = 0; from < all; from += n) {
		n = all - from;
		if (n > AT_MOST_CLASSES)
			n = AT_MOST_CLASSES;
		for (i = 0; i < n; i++) {
			const char *name = t->times[classes[from + i]].class->name;
			size_t width = strlen(name);

			columns[3 + i].title = name;
			columns[3 + i].width = width < 6 ? 6 : (unsigned int)width;
		}
		out_table(o, NULL, columns, 3 + n);
		for (i = 0; i < nr; i++) {
			fill_row(&who[i], classes + from, n, row);
			out_row(o, row);
			out_end(o);
		}
		out_end(o);
	}
	free(classes);
}

bool view_has_vcpu(const struct stat_view *view, const struct watch_vcpu *v)
{
	return view->opts->vcpu == NO_VCPU || view->opts->vcpu == v->info.index;
}

static bool sum_shown(const struct stat_view *view)
{
	return view->opts->vcpu == NO_VCPU;
}

static bool vcpus_shown(const struct stat_view *view)
{
	return view->opts->per_vcpu || view->opts->vcpu != NO_VCPU;
}

void view_split(struct stat_view *view, const struct watch_vm *vm,
		const struct tally *sum, const struct tally *each)
{
	struct who *who = xcalloc(vm->nr_vcpus + 1, sizeof(*who));
	unsigned int i, nr = 0;

	if (sum_shown(view)) {
		snprintf(who[nr].name, sizeof(who[nr].name), "all");
		who[nr].since = val_str("");
		who[nr++].tally = sum;
	}
	for (i = 0; vcpus_shown(view) && i < vm->nr_vcpus; i++) {
		const struct tally_state *s = &each[i].state;

		if (!view_has_vcpu(view, &vm->vcpus[i]))
			continue;
		snprintf(who[nr].name, sizeof(who[nr].name), "%u",
			 vm->vcpus[i].info.index);
		state_name(s->state, who[nr].state, sizeof(who[nr].state));
		who[nr].since = s->known ? val_age(ticks_to_ns(s->ticks,
							       view->khz)) :
					   val_none();
		who[nr++].tally = &each[i];
	}
	if (nr)
		put_times(view->out, who, nr);
	free(who);
}

/* Raw means: as the module has them, and nothing made of them. */
static void put_figures(struct stat_view *view, struct tally *t,
			const struct source *s)
{
	if (!view->opts->raw) {
		times_put(view, t);
		exits_put(view, t);
	}
	figures_put(view, s);
}

static void put_vcpu(struct stat_view *view, const struct watch_vcpu *v,
		     struct tally *t)
{
	struct out *o = view->out;
	char state[32];

	out_begin(o, NULL);
	out_say(o, "%s", "");
	out_say(o, "vCPU %u (vcpu_id %u, tid %d)", v->info.index,
		v->info.vcpu_id, v->info.tid);
	out_field(o, "index", NULL, val_num(v->info.index));
	out_field(o, "vcpu_id", NULL, val_num(v->info.vcpu_id));
	out_field(o, "tid", NULL, v->info.tid ? val_num((__u64)v->info.tid) :
						val_none());
	if (t->state.known) {
		state_name(t->state.state, state, sizeof(state));
		out_field(o, "state", NULL, val_str(state));
		out_field(o, "state_for", NULL, val_ticks(t->state.ticks));
	}
	out_field(o, "measured", NULL, val_ticks(tally_time(t)));
	put_figures(view, t, &v->source);
	out_end(o);
}

static void put_vcpus(struct stat_view *view, const struct watch_vm *vm,
		      struct tally *each)
{
	unsigned int i;

	if (!vcpus_shown(view))
		return;
	out_list(view->out, "vcpus");
	for (i = 0; i < vm->nr_vcpus; i++)
		if (view_has_vcpu(view, &vm->vcpus[i]))
			put_vcpu(view, &vm->vcpus[i], &each[i]);
	out_end(view->out);
}

void view_notes(struct stat_view *view, const struct watch_vm *vm)
{
	const struct schema *s = vm->nr_vcpus ? vm->vcpus[0].source.schema :
						vm->whole.schema;
	static const struct column columns[] = {
		{ "name", NULL, 0, false },
		{ "label", NULL, 0, false },
		{ "reason", NULL, 0, false },
	};
	unsigned int i;

	footnotes_add(&view->notes, s);
	out_table(view->out, "notes", columns, ARRAY_SIZE(columns));
	for (i = 0; i < s->nr_notes; i++) {
		const struct kvmx_note *n = &s->notes[i];
		const struct val row[] = {
			val_str(n->name),
			val_str(label_name(n->label)),
			val_str(n->reason),
		};

		out_row(view->out, row);
		out_end(view->out);
	}
	out_end(view->out);
}

/* The sum of all vCPUs, and each of them. Return: for how long, in ticks. */
__u64 view_tally(const struct stat_view *view, const struct watch_vm *vm,
		 struct tally *sum, struct tally *each)
{
	__u64 longest = 0;
	unsigned int i;

	memset(sum, 0, sizeof(*sum));
	for (i = 0; i < vm->nr_vcpus; i++) {
		__u64 time;

		source_tally(&vm->vcpus[i].source, shows_all(view, vm),
			     &each[i]);
		tally_add(sum, &each[i]);
		time = tally_time(&each[i]);
		if (view_has_vcpu(view, &vm->vcpus[i]) && time > longest)
			longest = time;
	}
	return longest;
}

static void count_exits(struct stat_view *view, const struct tally *sum,
			__u64 measured)
{
	struct tally_exit total;

	tally_total(sum, &total);
	view->exits += total.count;
	if (measured > view->ticks)
		view->ticks = measured;
}

static void put_body(struct stat_view *view, const struct view_vm *what)
{
	count_exits(view, what->sum, what->measured);
	if (!view->opts->raw)
		view_split(view, what->vm, what->sum, what->each);
	if (sum_shown(view))
		put_figures(view, what->sum, &what->vm->whole);
	put_vcpus(view, what->vm, what->each);
}

/* A VM, for kvmx stat. */
void stat_put_vm(struct stat_view *view, struct watch_vm *vm)
{
	view_put_vm(view, vm, put_body);
}

static void tell_gone(struct watch_vm *vm)
{
	if (!vm->gone || vm->told)
		return;
	vm->told = true;
	complain("VM %llu (pid %d) is gone: these are its last figures",
		 vm->info.id, vm->info.pid);
}

static void put_document(struct stat_view *view, struct watch *w)
{
	struct out *o = view->out;
	unsigned int i;

	view->exits = 0;
	view->ticks = 0;
	out_begin(o, NULL);
	put_mode(view);
	out_list(o, "vms");
	if (!w->nr_vms)
		out_say(o, "no VM");
	for (i = 0; i < w->nr_vms; i++) {
		if (i)
			out_say(o, "%s", "");
		view->opts->put_vm(view, w->vms[i]);
	}
	out_end(o);
	if (view->exits)
		cost_put(o, w->dev, view->khz, view->exits, view->ticks);
}

/* The same once more, for who keeps it or compares it. */
static void put_mirror(struct stat_view *view, struct watch *w)
{
	struct out *screen = view->out;

	view->out = view->mirror;
	put_document(view, w);
	out_end(view->mirror);
	view->out = screen;
}

/**
 * view_print() - print what was counted
 * @view: how
 * @w: whose figures
 */
void view_print(struct stat_view *view, struct watch *w)
{
	struct out *o = view->out;
	unsigned int i;

	view->watch = w;
	if (view->mirror)
		put_mirror(view, w);
	put_document(view, w);
	if (view->mirror)
		baseline_put(view);
	/* They are the same in each interval: once will do. */
	if (!view->notes_told && w->nr_vms) {
		out_say(o, "%s", "");
		footnotes_put(&view->notes, o);
		view->notes_told = true;
	}
	out_end(o);
	out_finish(o);
	for (i = 0; i < w->nr_vms; i++)
		tell_gone(w->vms[i]);
}
