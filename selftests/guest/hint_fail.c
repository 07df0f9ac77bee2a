// SPDX-License-Identifier: GPL-2.0-only
/*
 * No memory in kvmx_guest.ko: the first, the second, the third ... allocation
 * fails, until there is none left. Wants the module loaded, a kernel with fault
 * injection and debugfs, and of the host that it takes hints of kind latency.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "fail.h"
#include "flat.h"
#include "kvmx-hint.h"
#include "module.h"
#include "tap.h"

#define MODULE		"/sys/module/kvmx_guest"
#define PARAMETERS	MODULE "/parameters"
#define MODULE_FILE	"/kvmx/kvmx_guest.ko"
#define MODULE_PARAMS	"ask_s=2"

/* More allocations than any of it makes. */
#define ENOUGH		500
/* For what happens when the module looks again. */
#define LOOK_S		600
/* No page table of anything else is near. */
#define FAR_AWAY	(1UL << 44)
#define ONE_TABLE	(1UL << 39)

static struct kvmx_hint_file file, other;

static long status(const char *word)
{
	FILE *f = fopen(PARAMETERS "/status", "r");
	char name[32];
	long value, found = -1;

	while (f && found < 0 && fscanf(f, "%31s %li", name, &value) == 2)
		if (!strcmp(name, word))
			found = value;
	if (f)
		fclose(f);
	return found;
}

static bool becomes(const char *word, long value)
{
	unsigned int i;

	for (i = 0; i < LOOK_S * 10 && status(word) != value; i++)
		usleep(100000);
	return status(word) == value;
}

static bool put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");
	bool done = f && fputs(text, f) >= 0;

	return f && !fclose(f) && done;
}

/* A call: what it returns, and what takes it back. */
struct call {
	const char *name;
	int (*run)(unsigned int n);	/* 0, or the errno */
	void (*undo)(void);
	unsigned int least;		/* allocations that it makes */
	unsigned int refuses;		/* of them say ENOMEM; 0: it copes */
	int may_say;			/* besides; 0: nothing */
};

/* What came of a call. */
struct outcome {
	unsigned int refused, wrong;
};

static int load(unsigned int n)
{
	return module_load(MODULE_FILE, MODULE_PARAMS);
}

static void unload(void)
{
	ok(!module_unload("kvmx_guest"), "unloaded again");
}

static int opens(unsigned int n)
{
	other.map = NULL;
	other.fd = open(KVMX_USER_DEVICE, O_RDWR | O_CLOEXEC);
	return other.fd < 0 ? errno : 0;
}

static void closes(void)
{
	close(other.fd);
}

static int maps(unsigned int n)
{
	static unsigned long times;
	void *at = (void *)(FAR_AWAY + times++ * ONE_TABLE);
	void *map = mmap(at, KVMX_USER_MAP_SIZE, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_FIXED_NOREPLACE, file.fd, 0);

	if (map == MAP_FAILED)
		return errno;
	other.map = map;
	return 0;
}

static void unmaps(void)
{
	munmap(other.map, KVMX_USER_MAP_SIZE);
}

static int asks(unsigned int n)
{
	struct kvmx_user_info req = { .size = sizeof(req) };

	return ioctl(file.fd, KVMX_USER_INFO, &req) ? errno : 0;
}

static int joins(unsigned int n)
{
	struct kvmx_user_join req = { .size = sizeof(req) };

	return ioctl(file.fd, KVMX_USER_JOIN, &req) ? errno : 0;
}

static void leaves(void)
{
	ok(!ioctl(file.fd, KVMX_USER_LEAVE), "left again");
}

static int say(__u32 word, __u32 flags)
{
	struct kvmx_user_hint req = {
		.size = sizeof(req), .flags = flags, .hint = word,
	};

	return ioctl(file.fd, KVMX_USER_HINT, &req) ? errno : 0;
}

static int stores(unsigned int n)
{
	return say(KVMX_HINT_WORD(KVMX_KIND_CRITICAL, 1, 0), 0);
}

static int calls(unsigned int n)
{
	return say(KVMX_HINT_WORD(KVMX_KIND_CRITICAL, 1, 0), KVMX_USER_CALL);
}

static void takes_back(void)
{
	ok(!say(0, 0), "taken back");
}

static int leave(unsigned int n)
{
	return ioctl(file.fd, KVMX_USER_LEAVE) ? errno : 0;
}

static void join(void)
{
	ok(!joins(0), "joined again");
}

/*
 * Its word is there, whether or not there was memory to look at switches; that is
 * tried again when the module looks next.
 */
static void is_watched(void)
{
	ok(status("words") == 1 && becomes("watching", 1),
	   "the thread that joined is watched");
	leaves();
	ok(becomes("watching", 0), "and then no more");
}

static int unloads(unsigned int n)
{
	return module_unload("kvmx_guest");
}

static void loads(void)
{
	ok(!load(0), "loaded again");
	fail_only(FAIL_IN_MODULE);	/* it lies elsewhere now */
}

/* Return: true if the n-th allocation was reached, and failed. */
static bool try(const struct call *c, unsigned int n, struct outcome *o)
{
	bool reached;
	int err;

	fail_arm(n);
	err = c->run(n);
	reached = fail_disarm();
	if (err == ENOMEM && reached && c->refuses) {
		o->refused++;
	} else if (err && err != c->may_say) {
		printf("# %s, allocation %u: %s\n", c->name, n, strerror(err));
		o->wrong++;
	} else if (!err && c->undo) {
		c->undo();
	}
	return reached;
}

/*
 * The n-th allocation of @c fails, until the n-th is not reached. Each twice: a slab
 * that has to be filled up first is one more, for that one time, and what would have
 * been the n-th is not.
 */
static void sweep(const struct call *c)
{
	struct outcome o = { };
	bool reached = true;
	unsigned int n;

	for (n = 1; reached && n < ENOUGH; n++) {
		reached = try(c, n, &o);
		reached |= try(c, n, &o);
	}
	ok(!o.wrong && !reached && n - 2 >= c->least &&
	   (c->refuses ? o.refused > c->refuses : !o.refused),
	   "%s: %u allocations, ENOMEM %u times", c->name, n - 2, o.refused);
}

static const struct call of_the_module[] = {
	{ "load", load, unload, 10, 5 },
}, of_a_program[] = {
	{ "open", opens, closes, 2, 2 },
	{ "mmap", maps, unmaps, 3, 3 },
	{ "INFO", asks },
	{ "JOIN", joins, is_watched, 1 },
}, of_a_thread[] = {
	{ "HINT", stores, takes_back },
	{ "HINT by a call", calls, takes_back, .may_say = EOPNOTSUPP },
	{ "LEAVE", leave, join },
}, of_the_end[] = {
	{ "unload", unloads, loads },
};

static void sweep_all(const struct call *c, unsigned int nr)
{
	while (nr--)
		sweep(c++);
}

#define SWEEP(list)	sweep_all(list, sizeof(list) / sizeof(*(list)))

static void device(void)
{
	fail_only(FAIL_IN_MODULE);
	ok(!kvmx_hint_open(&file), "the device is there");
	/* Nothing is to be watched for but threads that have joined. */
	ok(put(PARAMETERS "/latency", "N") && becomes("watching", 0),
	   "no thread has joined: nobody is watched");
	SWEEP(of_a_program);
	join();
	SWEEP(of_a_thread);
	leaves();
	kvmx_hint_close(&file);
	ok(becomes("words", 0), "no word is left");
}

int main(void)
{
	const char *why = fail_unavailable();

	if (!why && !(status("kinds") & 1 << KVMX_KIND_LATENCY))
		why = "the host takes no hints of kind latency";
	if (why) {
		printf("1..0 # SKIP %s\n", why);
		return 0;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	fail_module("kvmx_guest");
	fail_begin();
	if (!fail_only(FAIL_IN_MODULE)) {
		fail_end();
		printf("1..0 # SKIP no FAULT_INJECTION_STACKTRACE_FILTER\n");
		return 0;
	}
	device();
	fail_only(FAIL_IN_MODULE);
	SWEEP(of_the_end);
	unload();
	fail_only(FAIL_IN_INIT);
	SWEEP(of_the_module);
	fail_end();
	ok(access(MODULE, F_OK) && access(KVMX_USER_DEVICE, F_OK),
	   "nothing is left of it");
	ok(!load(0), "loaded as before");
	ok(!flat_leaks(), "nothing was lost");
	return tap_end();
}
