// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "child.h"
#include "device.h"
#include "stat.h"
#include "util.h"

#define SECOND		1000000000ULL
/* How soon a VM is noticed that comes to life while a command runs. */
#define LOOK_AGAIN	(SECOND / 10)

/**
 * struct run - a measurement
 * @view: how it is printed
 * @watch: whom it is about
 * @signals: those that end it
 * @before: the signals that were blocked before
 * @stop: the signal that did end it
 */
struct run {
	struct stat_view view;
	struct watch watch;
	sigset_t signals;
	sigset_t before;
	int stop;
};

static void block_signals(struct run *run)
{
	/* Ignored, it would take the command's exit status away. */
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&run->signals);
	sigaddset(&run->signals, SIGINT);
	sigaddset(&run->signals, SIGTERM);
	sigaddset(&run->signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &run->signals, &run->before);
}

/* End as if the signal had not been caught: whoever started us wants to know. */
static void end_by_signal(struct run *run)
{
	signal(run->stop, SIG_DFL);
	raise(run->stop);
	sigdelset(&run->before, run->stop);
	sigprocmask(SIG_SETMASK, &run->before, NULL);
}

/* Wait until @deadline. Return: the signal that came first, or 0. */
static int wait_until(struct run *run, __u64 deadline)
{
	for (;;) {
		__u64 now = watch_clock();
		__u64 left = deadline > now ? deadline - now : 0;
		struct timespec ts = {
			.tv_sec = (time_t)(left / SECOND),
			.tv_nsec = (long)(left % SECOND),
		};
		int sig = sigtimedwait(&run->signals, NULL, &ts);

		if (sig > 0)
			return sig;
		if (errno == EAGAIN)
			return 0;
	}
}

/* Wait, or be stopped. Return: true if it is time to go on. */
static bool wait_on(struct run *run, __u64 deadline)
{
	int sig;

	do {
		sig = wait_until(run, deadline);
	} while (sig == SIGCHLD);
	run->stop = sig;
	return !sig;
}

/* What is left of a period: look who is new, read everybody. */
static void read_all(struct run *run)
{
	watch_read(&run->watch);
	watch_find(&run->watch);
}

static bool all_were_counting(const struct watch *w)
{
	unsigned int i;

	for (i = 0; i < w->nr_vms; i++)
		if (!w->vms[i]->was_counting)
			return false;
	return true;
}

static bool chosen_is_gone(const struct watch *w)
{
	return w->selection.by != SELECT_ALL && w->nr_vms && w->vms[0]->gone;
}

static int measure_once(struct run *run)
{
	if (run->view.opts->groups || !all_were_counting(&run->watch)) {
		wait_on(run, watch_clock() + SECOND);
		watch_read(&run->watch);
	}
	view_print(&run->view, &run->watch);
	return EX_DONE;
}

static int measure_intervals(struct run *run)
{
	const struct stat_options *opts = run->view.opts;
	__u64 deadline = watch_clock();
	bool on = true;

	while (on) {
		__u64 now = watch_clock();

		/* An interval that was missed (a stopped terminal) is no debt. */
		deadline += opts->interval;
		if (deadline < now)
			deadline = now;
		on = wait_on(run, deadline);
		read_all(run);
		run->view.interval++;
		view_print(&run->view, &run->watch);
		if (chosen_is_gone(&run->watch))
			return EX_DONE;
		watch_forget_gone(&run->watch);
		watch_mark(&run->watch);
		on = on && run->view.interval != opts->count;
	}
	return EX_DONE;
}

/*
 * Ctrl-C reaches the command by itself, as it is in the same process group:
 * what it does about it is its business, and we wait for it.
 */
static int measure_command(struct run *run, struct child *child)
{
	int status = EX_FAILED;

	child_go(child, run->view.opts->command[0]);
	while (!child_ended(child, &status)) {
		int sig = wait_until(run, watch_clock() + LOOK_AGAIN);

		if (sig == SIGINT || sig == SIGTERM)
			run->stop = sig;
		if (sig == SIGTERM)
			kill(child->pid, SIGTERM);
		watch_find(&run->watch);
	}
	read_all(run);
	view_print(&run->view, &run->watch);
	return status;
}

static bool vcpu_exists(const struct watch *w, __u32 vcpu)
{
	unsigned int i;

	for (i = 0; i < w->nr_vms; i++)
		if (vcpu < w->vms[i]->nr_vcpus)
			return true;
	return false;
}

static void check_begin(const struct run *run)
{
	const struct stat_options *opts = run->view.opts;

	if (opts->command)
		return;
	if (!run->watch.nr_vms)
		fail(EX_NO_VM,
		     "there is no VM on this host: start one, or measure a command that does (kvmx %s -- COMMAND)",
		     opts->cmd);
	if (opts->vcpu != NO_VCPU && !vcpu_exists(&run->watch, opts->vcpu))
		fail(EX_NO_VM, "there is no vCPU %u: see \"kvmx list -v\"",
		     opts->vcpu);
}

static enum stat_mode mode_of(const struct stat_options *opts)
{
	return opts->command ? STAT_COMMAND :
	       opts->interval ? STAT_INTERVAL : STAT_ONCE;
}

static void prepare(struct run *run, const struct stat_options *opts)
{
	struct kvmx_info info;

	memset(run, 0, sizeof(*run));
	run->watch.dev = connect_module(&info);
	run->watch.selection = opts->selection;
	/* Text has the sum of what vCPUs' fds said; it costs no further read. */
	run->watch.sums = opts->raw || opts->format != OUT_TEXT ||
			  opts->groups & (KVMX_STATS_MMU | KVMX_STATS_TLB);
	run->watch.groups = opts->groups;
	run->watch.threads = opts->groups & KVMX_STATS_SCHED;
	run->view.opts = opts;
	run->view.out = out_open(opts->format);
	run->view.khz = info.clock_khz;
	run->view.mode = mode_of(opts);
	out_clock(run->view.out, info.clock_khz);
	baseline_begin(&run->view);
	block_signals(run);
}

/* kvmx stat: begin, wait, print. Return: the exit status. */
int stat_measure(const struct stat_options *opts)
{
	struct child child;
	struct run run;
	int status;

	prepare(&run, opts);
	if (opts->command)
		child_prepare(&child, opts->command, &run.before);
	watch_begin(&run.watch);
	check_begin(&run);
	switch (run.view.mode) {
	case STAT_COMMAND:
		status = measure_command(&run, &child);
		break;
	case STAT_INTERVAL:
		status = measure_intervals(&run);
		break;
	default:
		status = measure_once(&run);
		break;
	}
	watch_end(&run.watch);
	if (run.stop)
		end_by_signal(&run);
	return status;
}
