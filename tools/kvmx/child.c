// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>

#include "child.h"
#include "util.h"

static void __noreturn
in_child(int go, int failed, char **argv, const sigset_t *mask)
{
	char c;
	int err;

	/* Nothing to read: the tool has ended before it came to that. */
	if (read(go, &c, 1) != 1)
		_exit(EX_FAILED);
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(argv[0], argv);
	err = errno;
	if (write(failed, &err, sizeof(err)) < 0)
		_exit(EX_FAILED);
	_exit(err == ENOENT ? EX_NOT_FOUND : EX_NOT_EXECUTABLE);
}

/**
 * child_prepare() - make the process of a command, which waits
 * @c: filled
 * @argv: the command
 * @mask: the signals that it has blocked
 *
 * So that counting is on before the command's first instruction.
 */
void child_prepare(struct child *c, char **argv, const sigset_t *mask)
{
	int go[2], failed[2];

	if (pipe2(go, O_CLOEXEC) || pipe2(failed, O_CLOEXEC))
		fail(EX_FAILED, "cannot make a pipe: %s", strerror(errno));
	c->pid = fork();
	if (c->pid < 0)
		fail(EX_FAILED, "cannot start a process: %s", strerror(errno));
	if (!c->pid) {
		close(go[1]);
		close(failed[0]);
		in_child(go[0], failed[1], argv, mask);
	}
	close(go[0]);
	close(failed[1]);
	c->go = go[1];
	c->failed = failed[0];
}

/* Let it run; where it cannot be run, the tool ends here as a shell would. */
void child_go(struct child *c, const char *name)
{
	int err = 0;
	ssize_t n;

	if (write(c->go, "", 1) != 1)
		fail(EX_FAILED, "cannot start %s: %s", name, strerror(errno));
	close(c->go);
	do {
		n = read(c->failed, &err, sizeof(err));
	} while (n < 0 && errno == EINTR);
	close(c->failed);
	if (n != sizeof(err))
		return;
	waitpid(c->pid, NULL, 0);
	fail(err == ENOENT ? EX_NOT_FOUND : EX_NOT_EXECUTABLE,
	     "cannot run %s: %s", name, strerror(err));
}

/* Has it ended? @status is then what a shell would make of it. */
bool child_ended(struct child *c, int *status)
{
	int wstatus;

	if (waitpid(c->pid, &wstatus, WNOHANG) != c->pid)
		return false;
	*status = WIFSIGNALED(wstatus) ? EX_SIGNAL + WTERMSIG(wstatus) :
					 WEXITSTATUS(wstatus);
	return true;
}
