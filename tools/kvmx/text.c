// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>

#include "text.h"
#include "util.h"

static void three_digits(char *buf, size_t size, double v, const char *unit)
{
	/* 9.995 would be printed as 10.00 and be one wider than its column. */
	int digits = v < 9.995 ? 2 : v < 99.95 ? 1 : 0;

	snprintf(buf, size, "%.*f%s", digits, v, unit);
}

/* Three digits and a unit, or two units; at most six characters. */
void text_ns(char *buf, size_t size, __u64 ns)
{
	static const char * const units[] = { "ns", "us", "ms", "s" };
	double v = (double)ns;
	unsigned int i = 0;

	if (v >= 999.5e9) {
		text_age(buf, size, ns);
		return;
	}
	while (i < ARRAY_SIZE(units) - 1 && v >= 999.5) {
		v /= 1000;
		i++;
	}
	if (i == 0)
		snprintf(buf, size, "%lluns", ns);
	else
		three_digits(buf, size, v, units[i]);
}

/* The same with a sign in front where the value is a bound; "-" where none. */
void text_bound_ns(char *buf, size_t size, enum bound_kind kind, __u64 ns,
		   bool utf8)
{
	const char *sign = "";
	char time[32];

	if (kind == BOUND_NONE) {
		snprintf(buf, size, "-");
		return;
	}
	if (kind == BOUND_UPPER)
		sign = utf8 ? "\xe2\x89\xa4" : "<";
	else if (kind == BOUND_LOWER)
		sign = ">";
	text_ns(time, sizeof(time), ns);
	snprintf(buf, size, "%s%s", sign, time);
}

/* How long something has been so: 12.3s, 5m07s, 3h20m, 12d04h. */
void text_age(char *buf, size_t size, __u64 ns)
{
	__u64 s = ns / 1000000000;

	if (s < 60)
		snprintf(buf, size, "%llu.%llus", s, ns / 100000000 % 10);
	else if (s < 3600)
		snprintf(buf, size, "%llum%02llus", s / 60, s % 60);
	else if (s < 86400)
		snprintf(buf, size, "%lluh%02llum", s / 3600, s / 60 % 60);
	else if (s < 100 * 86400)
		snprintf(buf, size, "%llud%02lluh", s / 86400, s / 3600 % 24);
	else
		snprintf(buf, size, "%llud", s / 86400);
}

/* In full where it fits into @width, else in thousands, millions … of them. */
void text_count(char *buf, size_t size, __u64 n, unsigned int width)
{
	static const char units[] = "kMGTPE";
	unsigned int i;
	int len;

	len = snprintf(buf, size, "%llu", n);
	for (i = 0; units[i] && width && len > (int)width; i++) {
		n /= 1000;
		len = snprintf(buf, size, "%llu%c", n, units[i]);
	}
}

void text_bytes(char *buf, size_t size, __u64 n)
{
	if (n < 10240)
		snprintf(buf, size, "%llu bytes", n);
	else if (n < 10240 * 1024ULL)
		snprintf(buf, size, "%llu KiB", n / 1024);
	else
		snprintf(buf, size, "%llu MiB", n / 1024 / 1024);
}

/* Columns on a terminal: UTF-8's further bytes take none. */
size_t text_width(const char *s)
{
	size_t width = 0;

	for (; *s; s++)
		width += ((unsigned char)*s & 0xc0) != 0x80;
	return width;
}

/* Bytes of a well-formed UTF-8 character at @s, 0 if there is none. */
static unsigned int utf8_length(const unsigned char *s)
{
	unsigned int i, len = *s < 0x80 ? 1 : *s < 0xc2 ? 0 : *s < 0xe0 ? 2 :
			      *s < 0xf0 ? 3 : *s < 0xf5 ? 4 : 0;

	for (i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] >= 0xa0) ||
	    (*s == 0xf0 && s[1] < 0x90) || (*s == 0xf4 && s[1] >= 0x90))
		return 0;
	return len;
}

/* Control characters of ASCII, and those of Latin 1, U+0080 to U+009F. */
static bool is_control(const unsigned char *s)
{
	return *s < 0x20 || *s == 0x7f || (*s == 0xc2 && s[1] < 0xa0);
}

/*
 * A process may call itself anything: what steers terminals or is no UTF-8, and
 * would make the JSON invalid, becomes a question mark.
 */
void text_clean(char *s)
{
	while (*s) {
		unsigned int len = utf8_length((unsigned char *)s);

		/* Of several bytes those behind are broken UTF-8 then. */
		if (!len || is_control((unsigned char *)s)) {
			*s = '?';
			len = 1;
		}
		s += len;
	}
}

/* Does @name match @pattern, in which '*' stands for anything? */
bool text_star_match(const char *pattern, const char *name)
{
	const char *star = NULL, *from = NULL;

	while (*name) {
		if (*pattern == '*') {
			star = pattern++;
			from = name;
		} else if (*pattern == *name) {
			pattern++;
			name++;
		} else if (star) {
			pattern = star + 1;
			name = ++from;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}
