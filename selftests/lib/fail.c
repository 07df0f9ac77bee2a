// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "die.h"
#include "fail.h"

#define DEBUGFS	"/sys/kernel/debug"
#define NTH	"/proc/thread-self/fail-nth"

/* A module's init section is no longer than this. */
#define INIT_MAX	0x10000

/* Silent, and for every allocation, also those that may wait for memory. */
static struct setting {
	const char *file, *value;
	bool needed;
	char was[32];
} settings[] = {
	{ "failslab/verbose", "0", true },
	{ "failslab/ignore-gfp-wait", "N", true },
	{ "failslab/cache-filter", "N", true },
	{ "failslab/stacktrace-depth", "32" },
	{ "fail_page_alloc/verbose", "0" },
	{ "fail_page_alloc/ignore-gfp-wait", "N" },
	{ "fail_page_alloc/ignore-gfp-highmem", "N" },
	{ "fail_page_alloc/min-order", "0" },
	{ "fail_page_alloc/stacktrace-depth", "32" },
	/* Copies to and from user space count as well: none is made from here. */
	{ "fail_usercopy/require-start", "0x1" },
	{ "fail_usercopy/require-end", "0x2" },
	{ "fail_usercopy/stacktrace-depth", "32" },
};

#define SETTINGS	(sizeof(settings) / sizeof(*settings))

static const char * const kinds[] = { "failslab", "fail_page_alloc" };

static int nth = -1;
static const char *module = "kvmx";

const char *fail_unavailable(void)
{
	if (access(NTH, F_OK))
		return "kernel without FAULT_INJECTION: nothing can be made to fail";
	if (access(DEBUGFS "/failslab", F_OK))
		return "kernel without FAILSLAB and FAULT_INJECTION_DEBUG_FS, or no debugfs";
	return NULL;
}

static bool put(const char *file, const char *value)
{
	char path[96];
	bool done;
	int fd;

	snprintf(path, sizeof(path), DEBUGFS "/%s", file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	done = write(fd, value, strlen(value)) == (ssize_t)strlen(value);
	close(fd);
	return done;
}

static void get(const char *file, char *value, size_t size)
{
	char path[96];
	ssize_t n;
	int fd;

	*value = 0;
	snprintf(path, sizeof(path), DEBUGFS "/%s", file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, value, size - 1);
	close(fd);
	value[n > 0 ? n : 0] = 0;
	value[strcspn(value, "\n")] = 0;
}

void fail_begin(void)
{
	unsigned int i;

	nth = open(NTH, O_RDWR | O_CLOEXEC);
	if (nth < 0)
		die_errno(NTH);
	for (i = 0; i < SETTINGS; i++) {
		get(settings[i].file, settings[i].was, sizeof(settings[i].was));
		if (!put(settings[i].file, settings[i].value) &&
		    settings[i].needed)
			die_errno("%s", settings[i].file);
	}
}

struct range {
	uint64_t from, to;
};

static const struct range everything = { 0, UINT64_MAX };

/* From a function of the kernel to the next one: /proc/kallsyms is in order. */
static struct range range_of_symbol(const char *symbol)
{
	struct range r = { };
	char line[512], type, name[256];
	FILE *f = fopen("/proc/kallsyms", "r");
	uint64_t at;

	while (f && !r.to && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx %c %255s", &at, &type, name) != 3)
			continue;
		if (r.from && at > r.from)
			r.to = at;
		else if (!strcmp(name, symbol) && (type | 0x20) == 't')
			r.from = at;
	}
	if (f)
		fclose(f);
	return r.to ? r : (struct range){ };
}

/*
 * Where its init function was: its symbols are still told of, but it lies apart, and
 * other modules may be in between, or there.
 */
static uint64_t begin_of_init(void)
{
	char path[128];
	uint64_t at = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/module/%s/sections/.init.text",
		 module);
	f = fopen(path, "r");
	if (f && fscanf(f, "%lx", &at) != 1)
		at = 0;
	if (f)
		fclose(f);
	return at;
}

/* Modules' symbols are in no order. */
static struct range range_of_module(void)
{
	uint64_t init = begin_of_init();
	struct range r = { };
	char line[512], type, name[256], owner[64], ours[64];
	FILE *f = fopen("/proc/kallsyms", "r");
	uint64_t at;

	snprintf(ours, sizeof(ours), "[%s]", module);
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx %c %255s %63s", &at, &type, name,
			   owner) != 4 ||
		    strcmp(owner, ours) || (type | 0x20) != 't' ||
		    at - init < INIT_MAX)
			continue;
		if (!r.from || at < r.from)
			r.from = at;
		/* The last function is longer than nothing. */
		if (at + 4096 > r.to)
			r.to = at + 4096;
	}
	if (f)
		fclose(f);
	return r;
}

static struct range range_of_first(const char * const symbols[4])
{
	struct range r = { };
	unsigned int i;

	/* The others were inlined. */
	for (i = 0; i < 4 && !r.to; i++)
		r = range_of_symbol(symbols[i]);
	return r;
}

/*
 * Where a kprobe cannot be armed or disarmed, the kernel warns, also if all there
 * is to say is that it had no memory: both are left out, with what lies between
 * them in kernel/kprobes.c, for the kernel takes one range only. Unless
 * KVMX_FAIL_KPROBES is set: to see that kvmx copes.
 */
static struct range range_to_spare(void)
{
	static const char * const arm[4] = {
		"__arm_kprobe_ftrace", "arm_kprobe_ftrace", "arm_kprobe",
		"enable_kprobe",
	}, * const disarm[4] = {
		"__disarm_kprobe_ftrace", "disarm_kprobe_ftrace",
		"disarm_kprobe", "__disable_kprobe",
	};
	struct range a, b;

	if (getenv("KVMX_FAIL_KPROBES"))
		return (struct range){ };
	a = range_of_first(arm);
	b = range_of_first(disarm);
	if (!a.to || !b.to)
		return a.to ? a : b;
	return (struct range){
		.from = a.from < b.from ? a.from : b.from,
		.to = a.to > b.to ? a.to : b.to,
	};
}

static bool put_address(const char *kind, const char *file, uint64_t at)
{
	char path[64], value[32];

	snprintf(path, sizeof(path), "%s/%s", kind, file);
	snprintf(value, sizeof(value), "%#lx", at);
	return put(path, value);
}

static bool filter(struct range only, struct range spare)
{
	char path[64];
	unsigned int i;
	bool done = true;

	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		snprintf(path, sizeof(path), DEBUGFS "/%s", kinds[i]);
		if (access(path, F_OK))
			continue;
		done &= put_address(kinds[i], "require-start", only.from) &&
			put_address(kinds[i], "require-end", only.to) &&
			put_address(kinds[i], "reject-start", spare.from) &&
			put_address(kinds[i], "reject-end", spare.to);
	}
	return done;
}

void fail_end(void)
{
	unsigned int i;

	fail_disarm();
	filter(everything, (struct range){ });
	for (i = 0; i < SETTINGS; i++)
		if (*settings[i].was)
			put(settings[i].file, settings[i].was);
	close(nth);
	nth = -1;
}

void fail_module(const char *name)
{
	module = name;
}

bool fail_only(enum fail_where where)
{
	struct range only = everything;

	if (where == FAIL_IN_MODULE)
		only = range_of_module();
	else if (where == FAIL_IN_INIT)
		only = range_of_symbol("do_one_initcall");
	if (!only.to)
		die("no such code in /proc/kallsyms");
	return filter(only, range_to_spare()) || where == FAIL_ANYWHERE;
}

void fail_arm(unsigned int n)
{
	char value[16];
	int len = snprintf(value, sizeof(value), "%u", n);

	if (pwrite(nth, value, len, 0) != len)
		die_errno(NTH);
}

bool fail_disarm(void)
{
	char value[16] = "";
	bool reached;

	if (pread(nth, value, sizeof(value) - 1, 0) < 1)
		die_errno(NTH);
	reached = !strtoul(value, NULL, 10);
	fail_arm(0);
	return reached;
}
