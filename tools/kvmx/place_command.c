// SPDX-License-Identifier: GPL-2.0-only
/* A placement that lasts as long as a command runs. */
#include <signal.h>
#include <stddef.h>

#include "child.h"
#include "device.h"
#include "place.h"
#include "util.h"

struct signals {
	sigset_t set;
	sigset_t before;
	int stop;
};

static void block(struct signals *s)
{
	/* Ignored, it would take the command's exit status away. */
	signal(SIGCHLD, SIG_DFL);
	s->stop = 0;
	sigemptyset(&s->set);
	sigaddset(&s->set, SIGINT);
	sigaddset(&s->set, SIGTERM);
	sigaddset(&s->set, SIGHUP);
	sigaddset(&s->set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &s->set, &s->before);
}

/*
 * Ctrl-C reaches the command by itself; whoever ends us by another signal means
 * the command as well. What it does about it is its business: we wait for it.
 */
static int wait_for(struct child *child, struct signals *s)
{
	int status = EX_FAILED;

	while (!child_ended(child, &status)) {
		int sig = sigwaitinfo(&s->set, NULL);

		if (sig <= 0 || sig == SIGCHLD)
			continue;
		s->stop = sig;
		if (sig != SIGINT)
			kill(child->pid, sig);
	}
	return status;
}

static void end_by_signal(struct signals *s)
{
	signal(s->stop, SIG_DFL);
	raise(s->stop);
	sigdelset(&s->before, s->stop);
	sigprocmask(SIG_SETMASK, &s->before, NULL);
}

/**
 * place_command() - place a VM while a command runs
 * @opts: what was asked
 *
 * Nobody commits: the placement ends with our file descriptor, and that with
 * this process, however it ends.
 *
 * Return: the exit status, which is the command's.
 */
int place_command(const struct place_options *opts)
{
	struct signals signals;
	struct placement p;
	struct kvmx_info info;
	struct child child;
	struct out *o;
	int dev, vm, status;
	__u64 id;

	/* First of all: it shall not have inherited what keeps the placement. */
	block(&signals);
	child_prepare(&child, opts->command, &signals.before);
	dev = connect_module_to_change(&info);
	o = out_open(opts->format);
	vm = select_vm(dev, &opts->selection, &id);
	placement_make(&p, vm, &opts->wish, false);
	place_told(opts, o, &p, dev, vm);
	placement_free(&p);
	child_go(&child, opts->command[0]);
	status = wait_for(&child, &signals);
	device_close(vm);
	device_close(dev);
	if (signals.stop)
		end_by_signal(&signals);
	return status;
}
