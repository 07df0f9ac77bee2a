/* SPDX-License-Identifier: GPL-2.0-only */
/* A file of rules: which VM shall be placed how. Pure. */
#ifndef KVMX_TOOL_RULES_H
#define KVMX_TOOL_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "wish.h"

/* What a VM can be told by; a rule has a pattern for at least one. */
enum rule_key { RULE_NAME, RULE_GUEST, RULE_CGROUP, RULE_UNIT, RULE_PID, NR_RULE_KEYS };

/**
 * struct rule - a line of the file
 * @line: its number
 * @pattern: what has to match, NULL: anything does
 * @wish: how to place
 */
struct rule {
	unsigned int line;
	char *pattern[NR_RULE_KEYS];
	struct wish wish;
};

struct rules {
	struct rule *list;
	unsigned int nr;
};

/* A VM as rules see it; what is not known is NULL. */
struct rule_vm {
	const char *name;	/* of its VMM's process */
	const char *guest;	/* QEMU's -name */
	const char *cgroup;
	int pid;
};

char *rules_parse(struct rules *to, const char *file, const char *text);
const struct rule *rules_match(const struct rules *rules,
			       const struct rule_vm *vm);
void rules_free(struct rules *rules);

#endif /* KVMX_TOOL_RULES_H */
