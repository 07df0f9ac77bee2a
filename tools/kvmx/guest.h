/* SPDX-License-Identifier: GPL-2.0-only */
/* What a VMM's command line says of the guest: its name, its cores. Pure. */
#ifndef KVMX_TOOL_GUEST_H
#define KVMX_TOOL_GUEST_H

#include <stddef.h>

#include "placement.h"

/**
 * struct guest_fit - the guest's cores beside those of its placement
 * @threads: threads of a core, as the guest sees it; 0: not known
 * @from: who says so
 * @mismatches: pairs of vCPUs that are neighbours only here or only there
 * @text: the first of them, in words, to be freed; NULL: there is none
 */
struct guest_fit {
	unsigned int threads;
	const char *from;
	unsigned int mismatches;
	char *text;
};

char *guest_name(const char *words, size_t len);
unsigned int guest_threads(const char *words, size_t len);
void guest_fit(const struct placement *p, struct guest_fit *to);

#endif /* KVMX_TOOL_GUEST_H */
