// SPDX-License-Identifier: GPL-2.0-only
/* What is made of readings: differences, sums, open states, order. */
#include <string.h>

#include "device.h"
#include "fake.h"
#include "stats.h"
#include "tally.h"
#include "tap.h"
#include "util.h"
#include "watch.h"

struct shot {
	const struct schema *schema;
	__u64 *data;
	__u64 now;
};

/* A vCPU of the fake VM 1, read at the end of another second. */
static struct shot shoot(unsigned int vcpu, bool next)
{
	int fd = device_vm_stats(1101, vcpu, 0);
	struct kvmx_info info;
	struct shot s;
	__u64 *clock;

	s.schema = schema_read(fd);
	s.data = xcalloc(s.schema->nr_values, sizeof(*s.data));
	clock = xcalloc(s.schema->nr_values, sizeof(*clock));
	if (next && vcpu)
		stats_read(device_vm_stats(1101, 0, 0), s.schema, clock);
	stats_read(fd, s.schema, s.data);
	device_info(0, &info);
	s.now = info.now;
	free(clock);
	return s;
}

static struct tally read_shot(struct shot s)
{
	struct tally t;

	tally_read(&t, s.schema, s.data, s.now);
	return t;
}

static const struct tally_exit *find(const struct tally *t, const char *name)
{
	unsigned int i;

	for (i = 0; i < t->nr_exits; i++)
		if (!strcmp(t->exits[i].reason->name, name))
			return &t->exits[i];
	return NULL;
}

static __u64 time_of(const struct tally *t, const char *class)
{
	unsigned int i;

	for (i = 0; i < t->nr_times; i++)
		if (!strcmp(t->times[i].class->name, class))
			return t->times[i].ticks;
	return ~0ULL;
}

static void differences(void)
{
	struct shot a = shoot(0, true), b = shoot(0, true);
	struct tally t = read_shot(b), base = read_shot(a);
	const struct tally_exit *e;
	struct tally_exit total;

	ok(find(&t, "HLT")->max.kind == BOUND_EXACT,
	   "the longest since counting began is exact");
	tally_sub(&t, &base);
	e = find(&t, "HLT");
	ok(e && e->count == 100 && e->done == 100,
	   "a difference has what happened in between");
	ok(tally_time(&t) == FAKE_SECOND,
	   "classes of time add up to the time in between");
	ok(e->max.kind == BOUND_UPPER,
	   "a longest that did not rise is bounded by the histogram");
	tally_total(&t, &total);
	ok(total.count == 1000 && total.done == hist_sum(&total.hist),
	   "the total is the sum of all reasons");
	base.exits[0].max.value--;
	t = read_shot(b);
	tally_sub(&t, &base);
	ok(find(&t, "HLT")->max.kind == BOUND_EXACT,
	   "a longest that rose in between is exact");
	ok(find(&t, "TRIPLE_FAULT")->max.kind == BOUND_NONE,
	   "what did not happen has no longest");
	tally_add(&base, &t);
	ok(find(&base, "CPUID")->count >= 1400, "tallies are added");
}

static void open_exit(void)
{
	struct tally t;

	setenv("FAKE", "open", 1);
	t = read_shot(shoot(0, true));
	ok(find(&t, "HLT")->count == find(&t, "HLT")->done + 1,
	   "the exit being handled counts, but is not completed");
	setenv("FAKE", "", 1);
}

static void open_state(void)
{
	struct tally t;
	struct shot s;
	__u64 *state;

	setenv("FAKE", "halted", 1);
	s = shoot(1, true);
	t = read_shot(s);
	ok(t.state.known && t.state.state == KVMX_STATE_HALTED &&
	   t.state.ticks >= 3600 * FAKE_SECOND,
	   "an hour of halt shows in the state");
	ok(time_of(&t, "halted") >= 3600 * FAKE_SECOND,
	   "and in the time halted, though nobody has billed it yet");
	ok(tally_time(&t) == s.now, "and all still adds up to the clock");
	s.now = 0;
	t = read_shot(s);
	ok(tally_time(&t) == FAKE_SECOND,
	   "a clock that is behind adds nothing");
	s.now = fake_now() + 3600 * FAKE_SECOND;
	state = &s.data[s.schema->block.state->at];
	*state = 77;
	t = read_shot(s);
	ok(tally_time(&t) == s.now && time_of(&t, "unknown"),
	   "a state of the future is time unknown");
	*state = KVMX_STATE_GONE;
	t = read_shot(s);
	ok(tally_time(&t) == FAKE_SECOND, "for what is gone no time passes");
	setenv("FAKE", "", 1);
}

static void unsettled(void)
{
	struct shot s = shoot(0, true);
	struct tally t;

	s.data[s.schema->block.state->at] = KVMX_STATE_HALTED;
	s.data[s.schema->block.accounted->at] -= 100;
	s.now += 50;
	t = read_shot(s);
	ok(time_of(&t, "exit") == fake_steps() * FAKE_SECOND / 10 + 100 &&
	   time_of(&t, "halted") == fake_steps() * FAKE_SECOND / 10 * 3 + 50,
	   "time that is not settled yet before a halt is the exit's");
	s.data[s.schema->block.state->at] = KVMX_STATE_EXIT;
	t = read_shot(s);
	ok(time_of(&t, "guest") == fake_steps() * FAKE_SECOND / 10 * 5 + 100 &&
	   time_of(&t, "exit") == fake_steps() * FAKE_SECOND / 10 + 50,
	   "before an exit that is being handled it is the guest's");
}

static void order(void)
{
	struct tally t;
	char name[64];

	setenv("FAKE", "odd", 1);
	t = read_shot(shoot(0, true));
	tally_sort(&t, SORT_TIME);
	ok(!strcmp(t.exits[0].reason->name, "HLT"), "sorted by time");
	tally_sort(&t, SORT_COUNT);
	ok(!strcmp(t.exits[0].reason->name, "CPUID"), "sorted by count");
	tally_sort(&t, SORT_NAME);
	ok(!strcmp(t.exits[0].reason->name, "CPUID") &&
	   !strcmp(t.exits[1].reason->name, "HLT"), "sorted by name");
	tally_sort(&t, SORT_MEAN);
	ok(!strcmp(t.exits[0].reason->name, "HLT"), "sorted by mean");
	tally_sort(&t, SORT_P99);
	ok(!strcmp(t.exits[0].reason->name, "HLT"), "sorted by p99");
	tally_sort(&t, SORT_MAX);
	ok(!strcmp(t.exits[1].reason->name, "IO_INSTRUCTION"),
	   "sorted by longest");
	exit_name(find(&t, "unlisted_0"), name, sizeof(name));
	ok(!strcmp(name, "code 0x4d"), "a code without a name is its number");
	exit_name(find(&t, "unlisted_1"), name, sizeof(name));
	ok(!strcmp(name, "unlisted_1"), "an unused slot is just that");
	setenv("FAKE", "", 1);
}

static void labels(void)
{
	struct shot s = shoot(0, true);

	ok(!strcmp(figure_label(schema_find(s.schema, "exit.HLT.net")), "late"),
	   "a note on a family is on each of it");
	ok(!strcmp(figure_label(schema_find(s.schema, "time.guest")), "exact"),
	   "a figure without a note is exact");
	ok(shoot(0, true).schema == s.schema, "equal schemas are kept once");
	setenv("FAKE", "new", 1);
	s = shoot(0, true);
	ok(!schema_find(s.schema, "flux_capacity")->known &&
	   !schema_find(s.schema, "exit.HLT.dreams")->known,
	   "figures of the future are seen and left alone");
	setenv("FAKE", "", 1);
}

int main(void)
{
	setenv("FAKE", "", 1);
	differences();
	open_exit();
	open_state();
	unsettled();
	order();
	labels();
	return tap_end();
}
