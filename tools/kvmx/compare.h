/* SPDX-License-Identifier: GPL-2.0-only */
/* Two measurements of a virtual machine, side by side. */
#ifndef KVMX_TOOL_COMPARE_H
#define KVMX_TOOL_COMPARE_H

#include "out.h"

/* What is at a path "key/key", or NULL; of an array, the key is a place. */
struct json_object *json_at(struct json_object *j, const char *path);

void compare_vm(struct out *o, struct json_object *before,
		struct json_object *now);

#endif /* KVMX_TOOL_COMPARE_H */
