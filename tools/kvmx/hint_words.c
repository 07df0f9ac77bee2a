// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hint_words.h"
#include "util.h"

#define LONGEST_US	1000000000U

static const char * const kind_names[KVMX_NR_KINDS] = {
	[KVMX_KIND_NONE] = "none",
	[KVMX_KIND_CRITICAL] = "critical",
	[KVMX_KIND_LATENCY] = "latency",
	[KVMX_KIND_BATCH] = "batch",
	[KVMX_KIND_YIELD_TO] = "yield-to",
};

/* What a word in an effect is, and what it wants behind it. */
static const struct {
	const char *name;
	enum { ALONE, NUMBER, TIME } arg;
} effects[KVMX_NR_EFFECTS] = {
	[KVMX_EFFECT_OFF] = { "off", ALONE },
	[KVMX_EFFECT_NONE] = { "none", ALONE },
	[KVMX_EFFECT_NICE] = { "nice", NUMBER },
	[KVMX_EFFECT_FIFO] = { "fifo", ALONE },
	[KVMX_EFFECT_SLICE] = { "slice", TIME },
	[KVMX_EFFECT_POLL] = { "poll", TIME },
	[KVMX_EFFECT_YIELD] = { "yield", ALONE },
	[KVMX_EFFECT_FIT] = { "fit", TIME },
};

/* Where nothing else is said; batch: a longer slice is not to be had everywhere. */
static const __u32 usual_effect[KVMX_NR_KINDS] = {
	[KVMX_KIND_CRITICAL] = KVMX_EFFECT_FIFO,
	[KVMX_KIND_LATENCY] = KVMX_EFFECT_FIFO,
	[KVMX_KIND_BATCH] = KVMX_EFFECT_NONE,
	[KVMX_KIND_YIELD_TO] = KVMX_EFFECT_YIELD,
};

const char *hint_kind_name(__u32 kind)
{
	return kind < KVMX_NR_KINDS ? kind_names[kind] : "unknown";
}

const char *hint_effect_name(__u32 effect)
{
	return effect < KVMX_NR_EFFECTS ? effects[effect].name : "unknown";
}

/* As it can be given back to --budget: no rounding. */
void hint_us_text(char *buf, size_t size, __u32 us)
{
	if (us && us % 1000000 == 0)
		snprintf(buf, size, "%us", us / 1000000);
	else if (us && us % 1000 == 0)
		snprintf(buf, size, "%ums", us / 1000);
	else
		snprintf(buf, size, "%uus", us);
}

void hint_effect_text(char *buf, size_t size, const struct kvmx_hint_kind *k)
{
	const char *name = hint_effect_name(k->effect);
	char time[16];

	if (k->effect >= KVMX_NR_EFFECTS || effects[k->effect].arg == ALONE) {
		snprintf(buf, size, "%s", name);
	} else if (effects[k->effect].arg == NUMBER) {
		snprintf(buf, size, "%s:%d", name, k->arg);
	} else {
		hint_us_text(time, sizeof(time), (__u32)k->arg);
		snprintf(buf, size, "%s:%s", name, time);
	}
}

static bool take_us(const char *s, __u32 *us)
{
	static const struct {
		const char *name;
		__u32 us;
	} units[] = { { "us", 1 }, { "ms", 1000 }, { "s", 1000000 } };
	size_t digits = strspn(s, "0123456789");
	unsigned long long n;
	unsigned int i;

	if (!digits || digits > 9)
		return false;
	n = strtoull(s, NULL, 10);
	for (i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcmp(s + digits, units[i].name))
			continue;
		n *= units[i].us;
		*us = (__u32)n;
		return n && n <= LONGEST_US;
	}
	return false;
}

static bool take_kind(const char *s, __u32 *kind)
{
	for (*kind = KVMX_KIND_NONE + 1; *kind < KVMX_NR_KINDS; (*kind)++)
		if (!strcmp(s, kind_names[*kind]))
			return true;
	return false;
}

static const char *take_allow(struct hint_wish *wish, char *word)
{
	__u32 kind;

	if (!take_kind(word, &kind))
		return "kinds are critical, latency, batch and yield-to";
	wish->allowed |= 1U << kind;
	return NULL;
}

/* KIND=VALUE. Return: VALUE, or NULL. */
static char *after_kind(char *word, __u32 *kind)
{
	char *value = strchr(word, '=');

	if (!value)
		return NULL;
	*value++ = '\0';
	return take_kind(word, kind) ? value : NULL;
}

static bool take_nice(const char *s, __s32 *nice)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(s, &end, 10);
	*nice = (__s32)n;
	return !errno && end != s && !*end && n >= -20 && n <= 19;
}

static const char *take_effect(struct hint_wish *wish, char *word)
{
	static const char help[] =
		"effects are KIND=none, nice:N, fifo, slice:TIME, poll:TIME, fit:TIME or yield";
	struct kvmx_hint_kind *k;
	__u32 kind, effect, us = 0;
	char *value = after_kind(word, &kind), *arg;
	bool fits;

	if (!value)
		return help;
	arg = strchr(value, ':');
	if (arg)
		*arg++ = '\0';
	for (effect = KVMX_EFFECT_NONE; effect < KVMX_NR_EFFECTS; effect++)
		if (!strcmp(value, effects[effect].name))
			break;
	if (effect == KVMX_NR_EFFECTS)
		return help;
	/* Either both or none. */
	fits = effects[effect].arg == ALONE ? !arg : !!arg;
	if (!fits)
		return help;
	k = &wish->policy.kinds[kind];
	k->effect = effect;
	wish->with_effect |= 1U << kind;
	if (!arg)
		return NULL;
	if (effects[effect].arg == NUMBER)
		return take_nice(arg, &k->arg) ? NULL :
						 "a nice value is -20 to 19";
	fits = take_us(arg, &us);
	k->arg = (__s32)us;
	return fits ? NULL : "a time is a number and us, ms or s";
}

static const char *take_grant(struct hint_wish *wish, char *word)
{
	__u32 kind;
	const char *value = after_kind(word, &kind);

	if (!value || !take_us(value, &wish->policy.kinds[kind].grant_us))
		return "grants are KIND=TIME, as in latency=1ms";
	return NULL;
}

static const char *take_budget(struct hint_wish *wish, char *word)
{
	char *period = strchr(word, '/');

	if (period)
		*period++ = '\0';
	if (!period || !take_us(word, &wish->policy.budget_us) ||
	    !take_us(period, &wish->policy.period_us) ||
	    wish->policy.budget_us > wish->policy.period_us)
		return "a budget is TIME/TIME, as in 1ms/20ms";
	return NULL;
}

static const char *take_calls(struct hint_wish *wish, char *word)
{
	__u64 n;

	if (!parse_u64(word, 0xffffffff, &n) || !n)
		return "calls are a number, at least 1";
	wish->policy.calls_per_s = (__u32)n;
	return NULL;
}

static const struct {
	const char *key;
	const char *(*take)(struct hint_wish *wish, char *word);
} keys[] = {
	{ "allow", take_allow },
	{ "effect", take_effect },
	{ "grant", take_grant },
	{ "budget", take_budget },
	{ "calls", take_calls },
};

/**
 * hint_take() - one thing that is said of a policy
 * @wish: the policy
 * @key: as the option's name
 * @value: words, separated by commas
 *
 * Return: NULL, or what is wrong.
 */
const char *hint_take(struct hint_wish *wish, const char *key, const char *value)
{
	char *words = xasprintf("%s", value), *at = words, *word;
	const char *wrong = NULL;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(keys[i].key, key))
			break;
	if (i == ARRAY_SIZE(keys))
		wrong = "words are allow, effect, grant, budget and calls";
	while (!wrong && (word = strsep(&at, ",")))
		wrong = keys[i].take(wish, word);
	free(words);
	return wrong;
}

/**
 * hint_finish() - make a policy of what was said
 * @wish: of which @wish->policy is completed
 *
 * Return: NULL, or what is wrong.
 */
const char *hint_finish(struct hint_wish *wish)
{
	__u32 kind;

	if (!wish->allowed)
		return "nothing is allowed: see --allow";
	for (kind = 0; kind < KVMX_NR_KINDS; kind++) {
		struct kvmx_hint_kind *k = &wish->policy.kinds[kind];

		if (!(wish->allowed & 1U << kind)) {
			if (wish->with_effect & 1U << kind || k->grant_us)
				return "an effect or a grant is for a kind that is not allowed";
			continue;
		}
		if (!(wish->with_effect & 1U << kind))
			k->effect = usual_effect[kind];
	}
	wish->policy.flags = KVMX_HINT_COMMIT;
	return NULL;
}
