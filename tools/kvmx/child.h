/* SPDX-License-Identifier: GPL-2.0-only */
/* The command that is run while it is being measured. */
#ifndef KVMX_TOOL_CHILD_H
#define KVMX_TOOL_CHILD_H

#include <stdbool.h>
#include <signal.h>
#include <sys/types.h>

struct child {
	pid_t pid;
	int go;			/* written to: run */
	int failed;		/* read from: errno of exec */
};

void child_prepare(struct child *c, char **argv, const sigset_t *mask);
void child_go(struct child *c, const char *name);
bool child_ended(struct child *c, int *status);

#endif /* KVMX_TOOL_CHILD_H */
