// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state.h"
#include "tally.h"
#include "util.h"

static __u64 get(const __u64 *data, const struct figure *f)
{
	return f ? data[f->at] : 0;
}

/*
 * Each interval takes two tallies of each vCPU, of some 75 KB, nearly all of them
 * zeroes: most reasons never happen. So they are used again, and of these only
 * what was written is cleared.
 */
struct spare {
	struct spare *next;
	struct tally_exit *exits;
	unsigned int nr;
};

static struct spare *spares;

/* All zeroes. */
static struct tally_exit *exits_get(unsigned int nr)
{
	struct spare **p, *found;
	struct tally_exit *exits;

	for (p = &spares; *p; p = &(*p)->next) {
		if ((*p)->nr != nr)
			continue;
		found = *p;
		*p = found->next;
		exits = found->exits;
		free(found);
		return exits;
	}
	return xcalloc(nr, sizeof(*exits));
}

static void exits_put(struct tally_exit *exits, unsigned int nr)
{
	struct spare *s;
	unsigned int i;

	if (!exits)
		return;
	for (i = 0; i < nr; i++) {
		if (exits[i].happened)
			memset(&exits[i], 0, sizeof(exits[i]));
		exits[i].reason = NULL;
		exits[i].hist.nr = 0;
	}
	s = xcalloc(1, sizeof(*s));
	*s = (struct spare){ .next = spares, .exits = exits, .nr = nr };
	spares = s;
}

/* @e is all zeroes. Most reasons never happen: these stay so. */
static void read_exit(struct tally_exit *e, const struct reason *r,
		      const __u64 *data)
{
	const struct figure *hist = r->field[EXIT_HIST];
	__u64 max = get(data, r->field[EXIT_MAX]);

	e->reason = r;
	e->count = get(data, r->field[EXIT_COUNT]);
	if (r->field[EXIT_COUNT] && !e->count) {
		hist_none(&e->hist, hist ? hist->size : 0);
		return;
	}
	e->happened = true;
	e->gross = get(data, r->field[EXIT_GROSS]);
	e->net = get(data, r->field[EXIT_NET]);
	if (hist)
		hist_set(&e->hist, &data[hist->at], hist->size);
	e->done = hist ? hist_sum(&e->hist) : e->count;
	if (r->field[EXIT_MAX] && e->done)
		e->max = (struct bound){ BOUND_EXACT, max };
	if (r->code) {
		e->code = get(data, r->code);
		e->has_code = e->count;
	}
}

static void time_add(struct tally *t, const char *class, __u64 ticks)
{
	unsigned int i;

	if (!class)
		return;
	for (i = 0; i < t->nr_times; i++)
		if (!strcmp(t->times[i].class->name, class))
			t->times[i].ticks += ticks;
}

/*
 * What came before @state and is not settled. An exit comes out of the guest. A
 * thread goes off the CPU out of the kernel as a rule, and out of the VMM where it
 * waits for something other than an interrupt.
 */
static const char *class_before(__u64 state)
{
	switch (state) {
	case KVMX_STATE_EXIT:
		return "guest";
	case KVMX_STATE_WAIT:
		return "user";
	default:
		return "exit";
	}
}

/*
 * Classes of time hold what is settled; what came after that is added to the
 * present state's, so that a halt of an hour shows. What was between the last
 * settled moment and the begin of the state is added to what it was, or as a
 * rule was: corrected by the next reading, and never missing from the sum.
 */
static void add_open_state(struct tally *t, const struct schema *s,
			   const __u64 *data, __u64 now)
{
	const struct block *b = &s->block;
	__u64 state, since, settled;

	if (!b->state || !b->state_since)
		return;
	state = get(data, b->state);
	since = get(data, b->state_since);
	settled = b->accounted ? get(data, b->accounted) : since;
	t->state.known = true;
	t->state.state = state;
	t->state.ticks = delta(now, since);
	if (!state_class(state))
		return;
	if (settled < since) {
		time_add(t, class_before(state), since - settled);
		settled = since;
	}
	time_add(t, state_class(state), delta(now, settled));
}

/**
 * tally_read() - make a tally of what was read
 * @t: filled
 * @s: the schema of the statistics fd
 * @data: its values
 * @now: the clock when they were read
 */
void tally_read(struct tally *t, const struct schema *s, const __u64 *data,
		__u64 now)
{
	const struct block *b = &s->block;
	unsigned int i;

	memset(t, 0, sizeof(*t));
	t->block = b;
	t->nr_times = s->nr_times;
	t->times = xcalloc(s->nr_times, sizeof(*t->times));
	for (i = 0; i < s->nr_times; i++) {
		t->times[i].class = &s->times[i];
		t->times[i].ticks = get(data, s->times[i].figure);
	}
	t->nr_exits = s->nr_reasons;
	t->exits = exits_get(s->nr_reasons);
	for (i = 0; i < s->nr_reasons; i++)
		read_exit(&t->exits[i], &s->reasons[i], data);
	t->entries = get(data, b->entries);
	t->entries_without_exit = get(data, b->entries_without_exit);
	t->exits_without_entry = get(data, b->exits_without_entry);
	t->user_exits = get(data, b->user_exits);
	add_open_state(t, s, data, now);
}

/* The longest of a period: exact if it rose, else what the histogram tells. */
static void sub_exit(struct tally_exit *e, const struct tally_exit *base)
{
	struct bound ever = e->max;

	if (!e->count && !base->count)
		return;
	e->happened = true;
	e->count = delta(e->count, base->count);
	e->gross = delta(e->gross, base->gross);
	e->net = delta(e->net, base->net);
	hist_sub(&e->hist, &base->hist);
	e->done = e->hist.nr ? hist_sum(&e->hist) : e->count;
	if (!e->done)
		e->max.kind = BOUND_NONE;
	else if (base->done && ever.value == base->max.value)
		e->max = bound_tighten(hist_longest(&e->hist), ever);
	e->has_code = e->has_code && e->count;
}

/* @base is an earlier reading of the same fd. */
void tally_sub(struct tally *t, const struct tally *base)
{
	unsigned int i;

	for (i = 0; i < t->nr_times && i < base->nr_times; i++)
		t->times[i].ticks = delta(t->times[i].ticks,
					  base->times[i].ticks);
	for (i = 0; i < t->nr_exits && i < base->nr_exits; i++)
		sub_exit(&t->exits[i], &base->exits[i]);
	t->entries = delta(t->entries, base->entries);
	t->entries_without_exit = delta(t->entries_without_exit,
					base->entries_without_exit);
	t->exits_without_entry = delta(t->exits_without_entry,
				       base->exits_without_entry);
	t->user_exits = delta(t->user_exits, base->user_exits);
}

/* Of several longest ones, the longest; a bound where that one is a bound. */
static struct bound max_of(struct bound a, struct bound b)
{
	if (a.kind == BOUND_NONE)
		return b;
	if (b.kind == BOUND_NONE)
		return a;
	if (a.value == b.value)
		return a.kind == BOUND_UPPER ? a : b;
	return a.value > b.value ? a : b;
}

static void exit_add(struct tally_exit *sum, const struct tally_exit *e)
{
	if (!e->happened) {
		hist_none(&sum->hist, e->hist.nr);
		return;
	}
	sum->happened = true;
	sum->count += e->count;
	sum->done += e->done;
	sum->gross += e->gross;
	sum->net += e->net;
	sum->max = max_of(sum->max, e->max);
	if (e->done)
		hist_add(&sum->hist, &e->hist);
	else
		hist_none(&sum->hist, e->hist.nr);
	if (e->has_code) {
		sum->has_code = true;
		sum->code = e->code;
	}
}

/* Two vCPUs have the same schema as a rule, but it need not be so. */
static struct tally_exit *exit_like(struct tally *t, const struct reason *r,
				    unsigned int guess)
{
	unsigned int i;

	if (guess < t->nr_exits && t->exits[guess].reason == r)
		return &t->exits[guess];
	for (i = 0; i < t->nr_exits; i++)
		if (!strcmp(t->exits[i].reason->name, r->name))
			return &t->exits[i];
	t->exits = xrealloc(t->exits, t->nr_exits + 1, sizeof(*t->exits));
	memset(&t->exits[t->nr_exits], 0, sizeof(*t->exits));
	t->exits[t->nr_exits].reason = r;
	return &t->exits[t->nr_exits++];
}

static struct tally_time *time_like(struct tally *t, const struct time_class *c)
{
	unsigned int i;

	for (i = 0; i < t->nr_times; i++)
		if (!strcmp(t->times[i].class->name, c->name))
			return &t->times[i];
	t->times = xrealloc(t->times, t->nr_times + 1, sizeof(*t->times));
	t->times[t->nr_times] = (struct tally_time){ .class = c };
	return &t->times[t->nr_times++];
}

static void exits_like(struct tally *t, const struct tally *other)
{
	unsigned int i;

	t->exits = exits_get(other->nr_exits);
	t->nr_exits = other->nr_exits;
	for (i = 0; i < t->nr_exits; i++)
		t->exits[i].reason = other->exits[i].reason;
}

/* @sum is all zeroes at first. */
void tally_add(struct tally *sum, const struct tally *t)
{
	unsigned int i;

	if (!sum->exits)
		exits_like(sum, t);
	for (i = 0; i < t->nr_times; i++)
		time_like(sum, t->times[i].class)->ticks += t->times[i].ticks;
	for (i = 0; i < t->nr_exits; i++)
		exit_add(exit_like(sum, t->exits[i].reason, i), &t->exits[i]);
	sum->block = t->block;
	sum->entries += t->entries;
	sum->entries_without_exit += t->entries_without_exit;
	sum->exits_without_entry += t->exits_without_entry;
	sum->user_exits += t->user_exits;
}

void tally_free(struct tally *t)
{
	free(t->times);
	exits_put(t->exits, t->nr_exits);
	memset(t, 0, sizeof(*t));
}

/* All classes together: for how long it was watched. */
__u64 tally_time(const struct tally *t)
{
	__u64 sum = 0;
	unsigned int i;

	for (i = 0; i < t->nr_times; i++)
		sum += t->times[i].ticks;
	return sum;
}

/* All reasons in one. */
void tally_total(const struct tally *t, struct tally_exit *total)
{
	unsigned int i;

	memset(total, 0, sizeof(*total));
	for (i = 0; i < t->nr_exits; i++)
		exit_add(total, &t->exits[i]);
	total->reason = t->nr_exits ? t->exits[0].reason : NULL;
	total->has_code = false;
}

struct bound exit_percentile(const struct tally_exit *e, unsigned int percent)
{
	return bound_tighten(hist_percentile(&e->hist, percent), e->max);
}

/* The schema's name; of a code without one, the code. */
void exit_name(const struct tally_exit *e, char *buf, size_t size)
{
	if (!e->has_code)
		snprintf(buf, size, "%s", e->reason->name);
	else if (e->code == ~0ULL)
		snprintf(buf, size, "other codes");
	else
		snprintf(buf, size, "code %#llx", e->code);
}

static int compare(__u64 a, __u64 b)
{
	return a < b ? 1 : a > b ? -1 : 0;
}

/* A percentile that is only known to be above something is above the rest. */
static int compare_p99(const struct tally_exit *a, const struct tally_exit *b)
{
	struct bound p = exit_percentile(a, 99), q = exit_percentile(b, 99);

	if (p.kind != q.kind && p.kind == BOUND_LOWER)
		return -1;
	if (p.kind != q.kind && q.kind == BOUND_LOWER)
		return 1;
	return compare(p.value, q.value);
}

static int compare_exits(const void *x, const void *y, void *arg)
{
	const struct tally_exit *a = x, *b = y;
	enum sort_by by = *(enum sort_by *)arg;
	char name_a[96], name_b[96];
	int c = 0;

	if (by == SORT_TIME)
		c = compare(a->gross, b->gross);
	else if (by == SORT_MEAN)
		c = compare(mean(a->gross, a->done), mean(b->gross, b->done));
	else if (by == SORT_P99)
		c = compare_p99(a, b);
	else if (by == SORT_MAX)
		c = compare(a->max.value, b->max.value);
	if (!c && by != SORT_NAME)
		c = compare(a->count, b->count);
	if (c)
		return c;
	exit_name(a, name_a, sizeof(name_a));
	exit_name(b, name_b, sizeof(name_b));
	return strcmp(name_a, name_b);
}

void tally_sort(struct tally *t, enum sort_by by)
{
	qsort_r(t->exits, t->nr_exits, sizeof(*t->exits), compare_exits, &by);
}
