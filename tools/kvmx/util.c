// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "util.h"

static void vcomplain(const char *fmt, va_list args)
{
	/* What was printed before comes first, also in a common log. */
	fflush(stdout);
	fputs("kvmx: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
}

/* One line on stderr. */
void complain(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vcomplain(fmt, args);
	va_end(args);
}

/* One line on stderr, and the end. */
void fail(int status, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vcomplain(fmt, args);
	va_end(args);
	exit(status);
}

/* The command line is wrong; @cmd is the subcommand or NULL. */
void usage_fail(const char *cmd, const char *fmt, ...)
{
	char *what = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&what, fmt, args) < 0)
		what = NULL;
	va_end(args);
	fail(EX_USAGE, "%s (see: kvmx %s%s)", what ? what : "wrong usage",
	     cmd ? "help " : "--help", cmd ? cmd : "");
}

void *xcalloc(size_t nr, size_t size)
{
	void *p = calloc(nr ? nr : 1, size);

	if (!p)
		fail(EX_FAILED, "out of memory");
	return p;
}

void *xrealloc(void *p, size_t nr, size_t size)
{
	p = reallocarray(p, nr ? nr : 1, size);
	if (!p)
		fail(EX_FAILED, "out of memory");
	return p;
}

char *xasprintf(const char *fmt, ...)
{
	va_list args;
	char *s;
	int n;

	va_start(args, fmt);
	n = vasprintf(&s, fmt, args);
	va_end(args);
	if (n < 0)
		fail(EX_FAILED, "out of memory");
	return s;
}

/**
 * parse_u64() - a whole decimal number, digits only
 * @s: the text
 * @max: the largest number that is all right
 * @value: the number
 *
 * Return: true if @s was such a number; strtoull() is too lenient for that.
 */
bool parse_u64(const char *s, __u64 max, __u64 *value)
{
	__u64 v = 0;

	if (!*s)
		return false;
	for (; *s; s++) {
		unsigned int digit = (unsigned int)(*s - '0');

		if (digit > 9 || v > (max - digit) / 10 || digit > max)
			return false;
		v = v * 10 + digit;
	}
	*value = v;
	return true;
}

/* An interval: seconds, with a fraction if wanted, at least 1 ms. */
bool parse_seconds(const char *s, __u64 *ns)
{
	const __u64 longest = 366 * 86400ULL;
	__u64 whole = 0, unit = 1000000000;
	bool digits = false;

	for (; isdigit((unsigned char)*s); s++) {
		whole = whole * 10 + (__u64)(*s - '0');
		digits = true;
		if (whole > longest)
			return false;
	}
	*ns = whole * unit;
	if (*s == '.') {
		for (s++; isdigit((unsigned char)*s); s++) {
			unit /= 10;
			*ns += (__u64)(*s - '0') * unit;
			digits = true;
		}
	}
	return digits && !*s && *ns >= 1000000;
}
