// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpus.h"
#include "util.h"

bool cpus_has(const struct cpus *c, unsigned int cpu)
{
	return cpu < CPUS_MAX && c->word[cpu / 64] >> cpu % 64 & 1;
}

void cpus_add(struct cpus *c, unsigned int cpu)
{
	if (cpu < CPUS_MAX)
		c->word[cpu / 64] |= 1ULL << cpu % 64;
}

unsigned int cpus_count(const struct cpus *c)
{
	unsigned int i, n = 0;

	for (i = 0; i < CPUS_WORDS; i++)
		n += (unsigned int)__builtin_popcountll(c->word[i]);
	return n;
}

bool cpus_meet(const struct cpus *a, const struct cpus *b)
{
	unsigned int i;

	for (i = 0; i < CPUS_WORDS; i++)
		if (a->word[i] & b->word[i])
			return true;
	return false;
}

bool cpus_within(const struct cpus *inner, const struct cpus *outer)
{
	unsigned int i;

	for (i = 0; i < CPUS_WORDS; i++)
		if (inner->word[i] & ~outer->word[i])
			return false;
	return true;
}

bool cpus_equal(const struct cpus *a, const struct cpus *b)
{
	return !memcmp(a, b, sizeof(*a));
}

void cpus_join(struct cpus *to, const struct cpus *more)
{
	unsigned int i;

	for (i = 0; i < CPUS_WORDS; i++)
		to->word[i] |= more->word[i];
}

void cpus_take(struct cpus *from, const struct cpus *less)
{
	unsigned int i;

	for (i = 0; i < CPUS_WORDS; i++)
		from->word[i] &= ~less->word[i];
}

/* Digits at *@s. Return: false if there are none, or no such CPU can be. */
static bool take_cpu(const char **s, unsigned int *cpu)
{
	const char *at = *s;

	for (*cpu = 0; *at >= '0' && *at <= '9'; at++) {
		*cpu = *cpu * 10 + (unsigned int)(*at - '0');
		if (*cpu >= CPUS_MAX)
			return false;
	}
	if (at == *s)
		return false;
	*s = at;
	return true;
}

/**
 * cpus_parse() - a list of CPUs as the kernel writes them
 * @list: numbers and ranges, separated by commas: "0-3,7"
 * @to: the set
 *
 * Return: false if it is none, or empty; @to is then of no use.
 */
bool cpus_parse(const char *list, struct cpus *to)
{
	unsigned int from, last;

	memset(to, 0, sizeof(*to));
	for (;;) {
		if (!take_cpu(&list, &from))
			return false;
		last = from;
		if (*list == '-') {
			list++;
			if (!take_cpu(&list, &last) || last < from)
				return false;
		}
		for (; from <= last; from++)
			cpus_add(to, from);
		if (!*list)
			return true;
		if (*list++ != ',')
			return false;
	}
}

/* "0-3,7", "-" if the set is empty; to be freed. */
char *cpus_text(const struct cpus *c)
{
	char *text = xcalloc(CPUS_TEXT, 1);
	unsigned int cpu, last;
	size_t at = 0;

	for (cpu = 0; cpu < CPUS_MAX; cpu = last + 1) {
		last = cpu;
		if (!cpus_has(c, cpu))
			continue;
		while (cpus_has(c, last + 1))
			last++;
		at += (size_t)snprintf(text + at, CPUS_TEXT - at,
				       last > cpu ? "%s%u-%u" : "%s%u",
				       at ? "," : "", cpu, last);
	}
	if (!at)
		text[0] = '-';
	return text;
}
