// SPDX-License-Identifier: GPL-2.0-only
#include <fnmatch.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules.h"
#include "util.h"

#define BLANKS	" \t\r"

static const char * const keys[NR_RULE_KEYS] = {
	[RULE_NAME] = "name",
	[RULE_GUEST] = "guest",
	[RULE_CGROUP] = "cgroup",
	[RULE_UNIT] = "unit",
	[RULE_PID] = "pid",
};

static char *take_pattern(struct rule *r, char *word)
{
	char *value = strchr(word, '=');
	unsigned int i;
	__u64 pid;

	for (i = 0; value && i < NR_RULE_KEYS; i++) {
		size_t len = (size_t)(value - word);

		if (strlen(keys[i]) != len || strncmp(keys[i], word, len))
			continue;
		if (!value[1])
			return xasprintf("%s needs a value", word);
		if (i == RULE_PID &&
		    (!parse_u64(value + 1, 0x7fffffff, &pid) || !pid))
			return xasprintf("\"%s\" is no pid", value + 1);
		if (r->pattern[i])
			return xasprintf("%s is there twice", keys[i]);
		r->pattern[i] = xasprintf("%s", value + 1);
		return NULL;
	}
	return xasprintf("what is \"%s\"? A rule begins with name=, guest=, cgroup=, unit= or pid=",
			 word);
}

static char *take_options(struct rule *r, int argc, char **argv)
{
	struct option options[NR_WISH_OPTIONS + 1];
	char *wrong = NULL;
	int c;

	wish_add_options(options, NULL, 0);
	opterr = 0;
	/* A new list of words: getopt_long() is to start afresh. */
	optind = 0;
	while (!wrong &&
	       (c = getopt_long(argc, argv, "+:", options, NULL)) != -1) {
		if (wish_knows(c))
			wrong = wish_take(&r->wish, c, optarg);
		else
			wrong = xasprintf(c == ':' ? "%s needs a value" :
						     "unknown option \"%s\"",
					  argv[optind - 1]);
	}
	if (!wrong && optind < argc)
		wrong = xasprintf("what is \"%s\"?", argv[optind]);
	return wrong ? wrong : wish_check(&r->wish);
}

/* Words of a line up to a comment; getopt_long() will skip the first. */
static int split(char *line, char ***words)
{
	char *rest, *word;
	int nr = 1;

	*words = xcalloc(2, sizeof(**words));
	(*words)[0] = line;
	for (word = strtok_r(line, BLANKS, &rest); word && *word != '#';
	     word = strtok_r(NULL, BLANKS, &rest)) {
		*words = xrealloc(*words, (size_t)nr + 2, sizeof(**words));
		(*words)[nr++] = word;
	}
	(*words)[nr] = NULL;
	return nr;
}

/* Return: what is wrong with the line, to be freed; *@empty: it is no rule. */
static char *take_line(struct rule *r, char *line, bool *empty)
{
	char **words, *wrong = NULL;
	int i, nr = split(line, &words);

	*empty = nr == 1;
	for (i = 1; i < nr && !wrong && words[i][0] != '-'; i++)
		wrong = take_pattern(r, words[i]);
	if (!wrong && !*empty && i == 1)
		wrong = xasprintf("which VMs? A rule begins with name=, guest=, cgroup=, unit= or pid=");
	/* The word before the first option takes the place of the command. */
	if (!wrong && !*empty)
		wrong = take_options(r, nr - i + 1, &words[i - 1]);
	free(words);
	return wrong;
}

static void rule_free(struct rule *r)
{
	unsigned int i;

	for (i = 0; i < NR_RULE_KEYS; i++)
		free(r->pattern[i]);
	wish_free(&r->wish);
}

static char *add_error(char *errors, const char *file, unsigned int line,
		       char *wrong)
{
	char *all = xasprintf("%s%s%s:%u: %s", errors ? errors : "",
			      errors ? "\n" : "", file, line, wrong);

	free(errors);
	free(wrong);
	return all;
}

/**
 * rules_parse() - a file of rules
 * @to: the rules; empty where something is wrong
 * @file: its name, for messages
 * @text: all of it
 *
 * Return: NULL, or lines "FILE:LINE: what is wrong", to be freed.
 */
char *rules_parse(struct rules *to, const char *file, const char *text)
{
	char *copy = xasprintf("%s", text), *rest = copy, *line, *errors = NULL;
	unsigned int number = 0;

	memset(to, 0, sizeof(*to));
	while ((line = strsep(&rest, "\n"))) {
		struct rule r = { .line = ++number };
		bool empty;
		char *wrong = take_line(&r, line, &empty);

		if (wrong)
			errors = add_error(errors, file, number, wrong);
		if (wrong || empty) {
			rule_free(&r);
			continue;
		}
		to->list = xrealloc(to->list, to->nr + 1, sizeof(*to->list));
		to->list[to->nr++] = r;
	}
	free(copy);
	if (errors)
		rules_free(to);
	return errors;
}

static bool glob(const char *pattern, const char *text)
{
	return !pattern || (text && !fnmatch(pattern, text, FNM_NOESCAPE));
}

/* Is there such a name on the way to the cgroup? */
static bool has_unit(const char *pattern, const char *cgroup)
{
	char *copy, *rest, *name;
	bool found = false;

	if (!pattern || !cgroup)
		return !pattern;
	copy = xasprintf("%s", cgroup);
	rest = copy;
	while (!found && (name = strsep(&rest, "/")))
		found = *name && !fnmatch(pattern, name, FNM_NOESCAPE);
	free(copy);
	return found;
}

static bool matches(const struct rule *r, const struct rule_vm *vm)
{
	const char *pid = r->pattern[RULE_PID];

	return glob(r->pattern[RULE_NAME], vm->name) &&
	       glob(r->pattern[RULE_GUEST], vm->guest) &&
	       glob(r->pattern[RULE_CGROUP], vm->cgroup) &&
	       has_unit(r->pattern[RULE_UNIT], vm->cgroup) &&
	       (!pid || (vm->pid && atoi(pid) == vm->pid));
}

/* The first that matches decides; NULL: none does. */
const struct rule *rules_match(const struct rules *rules,
			       const struct rule_vm *vm)
{
	unsigned int i;

	for (i = 0; i < rules->nr; i++)
		if (matches(&rules->list[i], vm))
			return &rules->list[i];
	return NULL;
}

void rules_free(struct rules *rules)
{
	unsigned int i;

	for (i = 0; i < rules->nr; i++)
		rule_free(&rules->list[i]);
	free(rules->list);
	memset(rules, 0, sizeof(*rules));
}
