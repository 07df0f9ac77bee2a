// SPDX-License-Identifier: GPL-2.0-only
/* /dev/kvmx-hint, asked for what it should refuse; with or without a host. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>

#include "kvmx-hint.h"
#include "tap.h"

#define FILES	16		/* files_per_user by default */

static struct kvmx_hint_file file;

/* Return: 0, or the errno. */
static int ask(unsigned long cmd, void *arg)
{
	return ioctl(file.fd, cmd, arg) ? errno : 0;
}

static void structures(void)
{
	struct kvmx_user_info info = { .size = sizeof(info) };
	struct {
		struct kvmx_user_info info;
		__u32 more;
	} longer = { .info = { .size = sizeof(longer) } };

	ok(!ask(KVMX_USER_INFO, &info), "INFO");
	ok(info.vcpus >= info.registered, "no more are registered than there are");
	info.size = 4;
	ok(ask(KVMX_USER_INFO, &info) == EINVAL, "too short: EINVAL");
	info.size = sizeof(info);
	info.flags = 1;
	ok(ask(KVMX_USER_INFO, &info) == EINVAL, "a flag: EINVAL");
	ok(!ask(KVMX_USER_INFO, &longer), "longer, with nothing in there");
	longer.info.size = sizeof(longer);
	longer.more = 1;
	ok(ask(KVMX_USER_INFO, &longer) == E2BIG, "with something: E2BIG");
	longer.info.size = 1U << 30;
	ok(ask(KVMX_USER_INFO, &longer) == E2BIG, "a gigabyte: E2BIG");
	ok(ask(KVMX_USER_INFO, NULL) == EFAULT, "nowhere: EFAULT");
	ok(ask(_IO(KVMX_USER_IOC_TYPE, 0x4f), NULL) == ENOTTY,
	   "an unknown command: ENOTTY");
}

static bool maps(size_t size, int flags, off_t at)
{
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, file.fd, at);

	if (map != MAP_FAILED)
		munmap(map, size);
	return map != MAP_FAILED;
}

static void mappings(void)
{
	ok(!maps(KVMX_USER_MAP_SIZE, MAP_PRIVATE, 0), "no private mapping");
	ok(!maps(2 * KVMX_USER_MAP_SIZE, MAP_SHARED, 0), "no larger one");
	ok(!maps(KVMX_USER_MAP_SIZE, MAP_SHARED, KVMX_USER_MAP_SIZE),
	   "none behind it");
	ok(maps(KVMX_USER_MAP_SIZE, MAP_SHARED, 0), "one more of the page");
}

static int say(__u32 word, __u32 flags)
{
	struct kvmx_user_hint req = {
		.size = sizeof(req),
		.flags = flags,
		.hint = word,
	};

	return ask(KVMX_USER_HINT, &req);
}

static void hints(void)
{
	struct kvmx_user_join req = { .size = sizeof(req), .reserved = 1 };
	struct kvmx_hint hint;
	int err;

	ok(say(0, 0) == ENOENT, "without a word: ENOENT");
	ok(ask(KVMX_USER_LEAVE, NULL) == ENOENT, "nor can it leave");
	ok(ask(KVMX_USER_JOIN, &req) == EINVAL, "JOIN, reserved: EINVAL");
	err = kvmx_hint_join(&file, &hint);
	ok(!err && hint.word != &hint.nowhere, "JOIN");
	req.reserved = 0;
	ok(ask(KVMX_USER_JOIN, &req) == EBUSY, "twice: EBUSY");
	ok(!say(KVMX_HINT_WORD(KVMX_KIND_BATCH, 1, 3), 0), "HINT");
	ok(hint.word->hint == KVMX_HINT_WORD(KVMX_KIND_BATCH, 1, 3) &&
	   hint.word->seq == 1, "that is what the mapping has, too");
	ok(say(KVMX_HINT_WORD(KVMX_KIND_BATCH, 0, 0), 0) == EINVAL,
	   "without nesting: EINVAL");
	ok(say(KVMX_HINT_WORD(KVMX_KIND_NONE, 1, 0), 0) == EINVAL,
	   "none with something: EINVAL");
	ok(say(KVMX_HINT_WORD(KVMX_KIND_YIELD_TO, 1, 0), 0) == EINVAL,
	   "a kind that is not a program's: EINVAL");
	ok(say(KVMX_HINT_WORD(77, 1, 0), 0) == EINVAL, "an unknown kind: EINVAL");
	ok(say(1U << 24 | KVMX_HINT_WORD(KVMX_KIND_BATCH, 1, 0), 0) == EINVAL,
	   "a reserved bit: EINVAL");
	ok(say(KVMX_HINT_WORD(KVMX_KIND_BATCH, 1, 0), 2) == EINVAL,
	   "an unknown flag: EINVAL");
	ok(!ask(KVMX_USER_LEAVE, NULL) && say(0, 0) == ENOENT, "LEAVE");
}

static pthread_barrier_t joined, done;
static int results[KVMX_USER_THREADS];

static void *joins(void *arg)
{
	struct kvmx_hint hint;

	*(int *)arg = kvmx_hint_join(&file, &hint);
	pthread_barrier_wait(&joined);
	pthread_barrier_wait(&done);
	return NULL;
}

/* They end without leaving. */
static void threads(const char *when)
{
	pthread_t all[KVMX_USER_THREADS];
	struct kvmx_hint mine;
	int i, bad = 0;

	pthread_barrier_init(&joined, NULL, KVMX_USER_THREADS + 1);
	pthread_barrier_init(&done, NULL, KVMX_USER_THREADS + 1);
	for (i = 0; i < KVMX_USER_THREADS; i++)
		if (pthread_create(&all[i], NULL, joins, &results[i]))
			exit(1);
	pthread_barrier_wait(&joined);
	for (i = 0; i < KVMX_USER_THREADS; i++)
		bad += !!results[i];
	ok(!bad, "64 threads join%s", when);
	ok(kvmx_hint_join(&file, &mine) == -ENOSPC, "one more: ENOSPC");
	pthread_barrier_wait(&done);
	for (i = 0; i < KVMX_USER_THREADS; i++)
		pthread_join(all[i], NULL);
}

static void files(void)
{
	struct kvmx_hint_file more[FILES];
	int i, err = 0;

	for (i = 1; i < FILES && !err; i++)
		err = kvmx_hint_open(&more[i]);
	ok(!err, "%d files", FILES);
	ok(kvmx_hint_open(&more[0]) == -EDQUOT, "one more: EDQUOT");
	for (i = 1; i < FILES; i++)
		kvmx_hint_close(&more[i]);
	ok(!kvmx_hint_open(&more[0]), "when they are closed there is room again");
	kvmx_hint_close(&more[0]);
}

static void children(void)
{
	struct kvmx_hint hint;
	int status = 0;
	pid_t pid;

	ok(!kvmx_hint_join(&file, &hint), "JOIN again");
	pid = fork();
	if (!pid) {
		struct kvmx_user_join req = { .size = sizeof(req) };

		/* It is another thread: it has none, and may have one. */
		if (say(0, 0) != ENOENT || ask(KVMX_USER_JOIN, &req))
			_exit(1);
		hint.word->hint = 1;	/* is not mapped here */
		_exit(2);
	}
	waitpid(pid, &status, 0);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV,
	   "a child has neither word nor mapping");
	kvmx_hint_leave(&hint);
}

/* A thread that hints while it moves from CPU to CPU. */
static void moves(void)
{
	struct kvmx_hint hint;
	cpu_set_t cpus;
	int i;

	ok(!kvmx_hint_join(&file, &hint), "JOIN and move");
	for (i = 0; i < 2000; i++) {
		CPU_ZERO(&cpus);
		CPU_SET(i % 2, &cpus);
		sched_setaffinity(0, sizeof(cpus), &cpus);
		kvmx_hint_begin(&hint, KVMX_KIND_CRITICAL);
		sched_yield();
		kvmx_hint_end(&hint);
	}
	ok(hint.word->seq == 2000 && !hint.word->hint, "nothing is lost on the way");
	/* The file goes with the word in use. */
}

int main(void)
{
	if (kvmx_hint_open(&file)) {
		printf("1..0 # SKIP no %s: %s\n", KVMX_USER_DEVICE,
		       strerror(errno));
		return 0;
	}
	structures();
	mappings();
	hints();
	threads("");
	threads(" when those have ended");
	files();
	children();
	moves();
	kvmx_hint_close(&file);
	return tap_end();
}
