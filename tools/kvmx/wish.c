// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "place_words.h"
#include "util.h"
#include "wish.h"

#define LONGEST_INTERVAL	3600000U	/* ms */

const struct option wish_options[NR_WISH_OPTIONS] = {
	{ "policy", required_argument, NULL, 'P' },
	{ "smt", required_argument, NULL, 'S' },
	{ "cpus", required_argument, NULL, 'C' },
	{ "emulator", required_argument, NULL, 'E' },
	{ "io", required_argument, NULL, 'O' },
	{ "map", required_argument, NULL, 'M' },
	{ "interval", required_argument, NULL, 'I' },
	{ "enforce", no_argument, NULL, 'F' },
	{ "replace", no_argument, NULL, 'R' },
};

static char *take_policy(struct wish *w, const char *arg)
{
	w->leave = !strcmp(arg, "none");
	w->policy = KVMX_POLICY_NONE;
	if (w->leave || policy_find(arg, &w->policy))
		return NULL;
	return xasprintf("there is no policy \"%s\": pin, pack, spread, numa, isolate or auto",
			 arg);
}

static char *take_smt(struct wish *w, const char *arg)
{
	if (smt_find(arg, &w->smt))
		return NULL;
	return xasprintf("--smt is prefer, require or isolate, not \"%s\"", arg);
}

static char *take_cpus(struct wish_cpus *to, const char *option, const char *arg)
{
	to->given = cpus_parse(arg, &to->set);
	if (to->given)
		return NULL;
	return xasprintf("%s takes a list of CPUs such as 0-3,7, not \"%s\"",
			 option, arg);
}

/* "0:2" at the begin of @s. Return: what follows, NULL: it is none. */
static const char *take_pin(const char *s, struct kvmx_pin *pin)
{
	const __u64 most = CPUS_MAX - 1;
	char number[2][24] = { "", "" };
	__u64 vcpu, cpu;
	size_t len = strcspn(s, ":"), len2;

	if (!s[len] || len >= sizeof(number[0]))
		return NULL;
	len2 = strcspn(s + len + 1, ",");
	if (len2 >= sizeof(number[1]))
		return NULL;
	memcpy(number[0], s, len);
	memcpy(number[1], s + len + 1, len2);
	if (!parse_u64(number[0], KVMX_NO_VCPU - 1, &vcpu) ||
	    !parse_u64(number[1], most, &cpu))
		return NULL;
	pin->vcpu = (__u32)vcpu;
	pin->cpu = (__u32)cpu;
	return s + len + 1 + len2;
}

static char *take_map(struct wish *w, const char *arg)
{
	const char *at = arg;
	struct kvmx_pin pin;
	__u32 i;

	w->nr_map = 0;
	for (;;) {
		at = take_pin(at, &pin);
		if (!at)
			return xasprintf("--map takes pairs VCPU:CPU such as 0:2,1:3, not \"%s\"",
					 arg);
		for (i = 0; i < w->nr_map; i++)
			if (w->map[i].vcpu == pin.vcpu)
				return xasprintf("--map has two CPUs for vCPU %u",
						 pin.vcpu);
		w->map = xrealloc(w->map, w->nr_map + 1, sizeof(*w->map));
		w->map[w->nr_map++] = pin;
		if (!*at)
			return NULL;
		at++;
	}
}

static char *take_interval(struct wish *w, const char *arg)
{
	__u64 ns;

	if (!parse_seconds(arg, &ns) || ns / 1000000 > LONGEST_INTERVAL)
		return xasprintf("--interval takes seconds, from 0.001 to 3600, not \"%s\"",
				 arg);
	w->interval_ms = (__u32)(ns / 1000000);
	return NULL;
}

bool wish_knows(int c)
{
	unsigned int i;

	for (i = 0; i < NR_WISH_OPTIONS; i++)
		if (wish_options[i].val == c)
			return true;
	return false;
}

/* A table for getopt_long(): these and @nr others; @to has room for one more. */
void wish_add_options(struct option *to, const struct option *more,
		      unsigned int nr)
{
	memcpy(to, wish_options, sizeof(wish_options));
	if (nr)
		memcpy(to + NR_WISH_OPTIONS, more, nr * sizeof(*more));
	memset(to + NR_WISH_OPTIONS + nr, 0, sizeof(*to));
}

/**
 * wish_take() - one option
 * @w: what was wished so far
 * @c: the option's letter
 * @arg: its value
 *
 * Return: what is wrong with it, to be freed, or NULL.
 */
char *wish_take(struct wish *w, int c, const char *arg)
{
	switch (c) {
	case 'P':
		return take_policy(w, arg);
	case 'S':
		return take_smt(w, arg);
	case 'C':
		return take_cpus(&w->cpus, "--cpus", arg);
	case 'E':
		return take_cpus(&w->emulator, "--emulator", arg);
	case 'O':
		return take_cpus(&w->io, "--io", arg);
	case 'M':
		return take_map(w, arg);
	case 'I':
		return take_interval(w, arg);
	case 'F':
		w->enforce = true;
		return NULL;
	default:
		w->replace = true;
		return NULL;
	}
}

/* Return: what does not fit together, to be freed, or NULL. */
char *wish_check(const struct wish *w)
{
	if (w->leave)
		return NULL;
	if (w->policy == KVMX_POLICY_NONE)
		return xasprintf("a policy is needed: --policy pin, pack, spread, numa, isolate or auto");
	if (w->policy == KVMX_POLICY_PIN && !w->nr_map)
		return xasprintf("policy pin needs a map: --map 0:2,1:3");
	if (w->policy != KVMX_POLICY_PIN && w->nr_map)
		return xasprintf("--map is for policy pin only");
	if (w->policy == KVMX_POLICY_PIN && w->cpus.given)
		return xasprintf("--cpus makes no sense with policy pin: its map names the CPUs");
	if (w->policy != KVMX_POLICY_AUTO && w->interval_ms)
		return xasprintf("--interval is for policy auto only");
	return NULL;
}

static bool same_cpus(const struct wish_cpus *a, const struct wish_cpus *b)
{
	return a->given == b->given &&
	       (!a->given || cpus_equal(&a->set, &b->set));
}

bool wish_equal(const struct wish *a, const struct wish *b)
{
	return a->policy == b->policy && a->leave == b->leave &&
	       a->smt == b->smt && a->interval_ms == b->interval_ms &&
	       a->enforce == b->enforce && a->replace == b->replace &&
	       same_cpus(&a->cpus, &b->cpus) &&
	       same_cpus(&a->emulator, &b->emulator) &&
	       same_cpus(&a->io, &b->io) && a->nr_map == b->nr_map &&
	       (!a->nr_map ||
		!memcmp(a->map, b->map, a->nr_map * sizeof(*a->map)));
}

void wish_free(struct wish *w)
{
	free(w->map);
}
