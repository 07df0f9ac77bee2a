// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "die.h"

/*
 * Says it on stderr and ends the whole process, whichever thread it is that
 * fails; no handlers of exit(), for other threads still run.
 */
void die(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fprintf(stderr, "# fatal: ");
	vfprintf(stderr, fmt, args);
	fprintf(stderr, "\n");
	va_end(args);
	fflush(NULL);
	_exit(1);
}

void die_errno(const char *fmt, ...)
{
	int err = errno;
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	die("%s: %s", text, strerror(err));
}
