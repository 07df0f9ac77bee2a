// SPDX-License-Identifier: GPL-2.0-only
/* The header for programs that hint: what it stores, and in how few steps. */
#include <signal.h>
#include <stdbool.h>

#include "kvmx-hint.h"
#include "tap.h"

/* What issue and design promise. */
#define MOST_STEPS	15

static volatile sig_atomic_t steps;

static void on_step(int sig)
{
	steps = steps + 1;
}

static struct kvmx_hint hint;
static struct kvmx_user_word word;

static void join(void)
{
	memset(&word, 0, sizeof(word));
	memset(&hint, 0, sizeof(hint));
	hint.word = &word;
}

/* The processor stops after each instruction, from here ... */
static inline void trap_begin(void)
{
	asm volatile("subq $128, %%rsp; pushfq; orq $0x100, (%%rsp);"
		     "popfq; addq $128, %%rsp" : : : "memory", "cc");
}

/* ... to here. */
static inline void trap_end(void)
{
	asm volatile("subq $128, %%rsp; pushfq; andq $0xfffffffffffffeff, (%%rsp);"
		     "popfq; addq $128, %%rsp" : : : "memory", "cc");
}

static int steps_of(void (*code)(void))
{
	steps = 0;
	trap_begin();
	code();
	trap_end();
	return steps;
}

static void do_nothing(void)
{
}

static void do_begin(void)
{
	kvmx_hint_begin(&hint, KVMX_KIND_CRITICAL);
}

static void do_end(void)
{
	kvmx_hint_end(&hint);
}

static void stores(void)
{
	join();
	kvmx_hint_begin(&hint, KVMX_KIND_CRITICAL);
	ok(word.hint == KVMX_HINT_WORD(KVMX_KIND_CRITICAL, 1, 0) &&
	   word.seq == 1, "begin says what and that it is new");
	kvmx_hint_begin(&hint, KVMX_KIND_BATCH);
	ok(word.hint == KVMX_HINT_WORD(KVMX_KIND_CRITICAL, 2, 0) &&
	   word.seq == 1, "within it, it is still the same");
	kvmx_hint_end(&hint);
	ok(word.hint == KVMX_HINT_WORD(KVMX_KIND_CRITICAL, 1, 0),
	   "the end of the inner one ends nothing");
	kvmx_hint_end(&hint);
	ok(!word.hint && word.seq == 1, "the last end takes it back");
	kvmx_hint_begin(&hint, KVMX_KIND_LATENCY);
	ok(KVMX_HINT_KIND(word.hint) == KVMX_KIND_LATENCY && word.seq == 2,
	   "the next one has a number of its own");
	ok(!(word.hint & KVMX_HINT_RESERVED) && !word.reserved,
	   "what is reserved stays 0");
}

static void few_steps(void)
{
	int none, begin, end;

	join();
	none = steps_of(do_nothing);
	begin = steps_of(do_begin);
	end = steps_of(do_end);
	ok(none > 0 && begin > none && end > none, "steps are counted");
	ok(begin - none <= MOST_STEPS, "begin takes %d instructions",
	   begin - none);
	ok(end - none <= MOST_STEPS, "end takes %d instructions", end - none);
}

static void without_kvmx(void)
{
	struct kvmx_hint_file none = { .fd = -1 };
	struct kvmx_hint lost;

	ok(kvmx_hint_join(&none, &lost) == -ENODEV, "join tells that nobody is there");
	kvmx_hint_begin(&lost, KVMX_KIND_BATCH);
	kvmx_hint_end(&lost);
	ok(!lost.nowhere.hint && lost.nowhere.seq == 1,
	   "begin and end do no harm");
	ok(kvmx_hint_call(&lost, KVMX_KIND_BATCH, 1) == -ENODEV,
	   "nor does a call");
	kvmx_hint_leave(&lost);
	kvmx_hint_close(&none);
}

int main(void)
{
	signal(SIGTRAP, on_step);
	stores();
	few_steps();
	without_kvmx();
	return tap_end();
}
