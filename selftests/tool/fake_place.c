// SPDX-License-Identifier: GPL-2.0-only
/*
 * Placement and events that do not exist. What the tool asks for is written to
 * the file $FAKE_LOG, a line each.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cpus.h"
#include "device.h"
#include "fake.h"

static unsigned int places;
static __u32 policies[3];		/* by VM */
static __u32 state;
static bool arrived;

bool fake_arrived(void)
{
	return arrived;
}

static void note_down(const char *fmt, ...)
{
	const char *path = getenv("FAKE_LOG");
	FILE *f = path ? fopen(path, "a") : NULL;
	va_list args;

	if (!f)
		return;
	va_start(args, fmt);
	vfprintf(f, fmt, args);
	va_end(args);
	fclose(f);
}

static void note_set(const char *name, __u64 address)
{
	char *text;

	if (!address)
		return;
	text = cpus_text((const struct cpus *)(uintptr_t)address);
	note_down(" %s=%s", name, text);
	free(text);
}

static void note_request(int vm, const struct kvmx_place *r)
{
	const struct kvmx_pin *map = (const void *)(uintptr_t)r->map;
	const __u64 *nodes = (const void *)(uintptr_t)r->nodes;
	unsigned int i;

	note_down("place vm=%d policy=%u smt=%u flags=%u", vm - 1100, r->policy,
		  r->smt, r->flags);
	note_set("cpus", r->cpus);
	note_set("emulator", r->emulator);
	note_set("io", r->io);
	for (i = 0; i < r->nr_map; i++)
		note_down(" pin=%u:%u", map[i].vcpu, map[i].cpu);
	for (i = 0; i < r->nr_nodes; i++)
		note_down(" node%u=%llu", i, nodes[i]);
	if (r->interval_ms)
		note_down(" interval=%u", r->interval_ms);
	note_down("\n");
}

static const struct {
	struct kvmx_placed_thread t;
	const char *cpus;
} threads[] = {
	{ { 101, KVMX_THREAD_VCPU, 0, KVMX_WHY_OWN_CORE, KVMX_THREAD_APPLIED,
	    0, "CPU 0/KVM" }, "2" },
	{ { 102, KVMX_THREAD_VCPU, 1, KVMX_WHY_PAIR, KVMX_THREAD_YIELDED,
	    2, "CPU 1/KVM" }, "4" },
	{ { 100, KVMX_THREAD_MAIN, KVMX_NO_VCPU, KVMX_WHY_EMULATOR,
	    KVMX_THREAD_FALLBACK, 0, "evil\x1b[31m" }, "0-1,6" },
	{ { 110, KVMX_THREAD_IO, KVMX_NO_VCPU, KVMX_WHY_IO,
	    KVMX_THREAD_APPLIED | KVMX_THREAD_BORN, 0, "IO iothread1" }, "1" },
	{ { 0, KVMX_THREAD_VCPU, 2, KVMX_WHY_OWN_CORE, KVMX_THREAD_UNKNOWN,
	    0, "" }, "6" },
};

static const struct kvmx_place_note notes[] = {
	{ KVMX_NOTE_OVERCOMMIT, 3, 0, 0, 0, 2, "2 vCPUs on CPU 3" },
	{ KVMX_NOTE_OFFLINE, 7, ~0U, 0, 0, 0, "CPU 7 is wished, but offline" },
	{ KVMX_NOTE_FOREIGN, 2, ~0U, 700, 0, 0, "thread 700 still runs on CPU 2" },
	{ KVMX_NOTE_AUTO, 3, ~0U, 101, 0, 1, "vCPU 0 was moved to CPU 3" },
};

#define NR(x)	(sizeof(x) / sizeof(*(x)))

/* Far more than anybody has room for at first. */
static unsigned int nr_threads(void)
{
	return fake_is("many") ? 1500 : NR(threads);
}

/* Every other CPU: more than fit into a line. */
static const char *scattered(void)
{
	static char text[512];
	unsigned int cpu;
	size_t at = 0;

	for (cpu = 1; cpu < 128; cpu += 2)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%u",
				       at ? "," : "", cpu);
	return text;
}

static int write_plan(struct kvmx_plan *p, __u32 mask_size, bool refused)
{
	struct kvmx_placed_thread *t = (void *)(uintptr_t)p->threads;
	struct kvmx_place_note *n = (void *)(uintptr_t)p->notes;
	char *masks = (char *)(uintptr_t)p->masks;
	unsigned int first = fake_is("autonote") ? 3 : fake_is("foreign") ? 2 : 0;
	unsigned int nr_notes = refused ? 2 : fake_is("notes") || first ? 1 : 0;
	struct cpus set;
	unsigned int i;

	for (i = 0; i < nr_threads() && i < p->nr_threads; i++) {
		cpus_parse(fake_is("scattered") ? scattered() :
						  threads[i % NR(threads)].cpus,
			   &set);
		t[i] = threads[i % NR(threads)].t;
		memcpy(masks + i * mask_size, &set, mask_size);
	}
	for (i = 0; i < nr_notes && i < p->nr_notes; i++)
		n[i] = notes[first + i];
	p->nr_threads = nr_threads();
	p->nr_notes = nr_notes;
	return refused ? -ERANGE : 0;
}

/* Errors for the asking, by their names. */
static int error_wanted(void)
{
	static const struct {
		const char *word;
		int err;
	} errors[] = {
		{ "eperm", EPERM }, { "einval", EINVAL }, { "enodev", ENODEV },
		{ "enotuniq", ENOTUNIQ }, { "eopnotsupp", EOPNOTSUPP },
		{ "enotty", ENOTTY }, { "e2big", E2BIG }, { "enomem", ENOMEM },
	};
	unsigned int i;

	for (i = 0; i < NR(errors); i++)
		if (fake_is(errors[i].word))
			return -errors[i].err;
	return 0;
}

int device_place(int vm, struct kvmx_place *place)
{
	const bool dry = place->flags & KVMX_PLACE_DRY_RUN;
	int err = error_wanted();

	note_request(vm, place);
	places++;
	if (err)
		return err;
	if (fake_is("held") ||
	    (fake_is("placed") && !dry && !(place->flags & KVMX_PLACE_REPLACE)))
		return -EBUSY;
	err = write_plan(&place->plan, place->mask_size,
			 fake_is("refuse") || (fake_is("refuse2") && places <= 2));
	if (!err && !dry) {
		policies[vm - 1100] = place->policy;
		state = KVMX_PLACED_MINE;
	}
	return err;
}

int device_commit(int vm)
{
	note_down("commit vm=%d\n", vm - 1100);
	state = KVMX_PLACED_COMMITTED;
	return 0;
}

int device_clear(int vm)
{
	int err = error_wanted();

	note_down("clear vm=%d\n", vm - 1100);
	if (err)
		return err;
	if (!fake_is("placed") && !policies[vm - 1100])
		return -ENOENT;
	policies[vm - 1100] = KVMX_POLICY_NONE;
	return 0;
}

int device_placed(int vm, struct kvmx_placed *placed)
{
	const int err = error_wanted();

	if (err == -ENOTTY)
		return err;
	placed->policy = policies[vm - 1100];
	placed->state = state;
	if (!placed->policy && (fake_is("placed") || fake_is("held"))) {
		placed->policy = KVMX_POLICY_ISOLATE;
		placed->state = KVMX_PLACED_ENFORCED;
		if (fake_is("placed"))
			placed->state |= KVMX_PLACED_COMMITTED;
	}
	if (!placed->policy)
		return 0;
	placed->smt = KVMX_SMT_REQUIRE;
	placed->age_ns = 61000000000ULL;
	placed->births = 4;
	placed->birth_ns = 400000;
	placed->birth_ns_max = 250000;
	placed->moves = 9;
	placed->drifts = 2;
	placed->refusals = 1;
	placed->fallbacks = 1;
	return write_plan(&placed->plan, placed->mask_size, false);
}

static const struct {
	const char *word;
	struct kvmx_record r;
} stories[] = {
	{ "arrives", { .type = KVMX_EVENT_VM_BORN, .vm = 2, .pid = 200,
		       .vcpu = KVMX_NO_VCPU, .name = "qemu-system-x86" } },
	{ "drift", { .type = KVMX_EVENT_DRIFT, .vm = 1, .pid = 100, .tid = 102,
		     .vcpu = 1, .name = "CPU 1/KVM" } },
	{ "lost", { .type = KVMX_EVENT_LOST, .arg = 17, .vcpu = KVMX_NO_VCPU } },
	{ "dies", { .type = KVMX_EVENT_VM_DIED, .vm = 1, .pid = 100,
		    .vcpu = KVMX_NO_VCPU, .name = "qemu-system-x86" } },
};

/* All that happens, and then the end, or silence. */
int device_events(int dev, __u64 mask)
{
	unsigned int i;
	int fds[2];

	note_down("events mask=%llx\n", mask);
	if (error_wanted())
		return error_wanted();
	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	for (i = 0; i < NR(stories); i++) {
		/* As of a module that knows more than this tool. */
		struct {
			struct kvmx_record r;
			__u64 more;
		} longer = { .r = stories[i].r, .more = ~0ULL };

		longer.r.size = sizeof(longer);
		if (fake_is(stories[i].word) &&
		    write(fds[1], &longer, sizeof(longer)) < 0)
			return -errno;
	}
	if (!fake_is("stay"))
		close(fds[1]);
	return fds[0];
}

ssize_t device_read_events(int events, void *buf, size_t size)
{
	ssize_t n = read(events, buf, size);

	arrived = arrived || n > 0;
	return n < 0 ? -errno : n;
}
