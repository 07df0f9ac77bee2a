/* SPDX-License-Identifier: GPL-2.0-only */
/* The file of rules on the disk, and to be told when it changes. */
#ifndef KVMX_TOOL_RULES_FILE_H
#define KVMX_TOOL_RULES_FILE_H

#include <stdbool.h>

/**
 * struct rules_file - a file of rules
 * @path: where it is
 * @folder: what is watched
 * @name: the last part of that
 * @fd: to be polled
 * @text: what it had in it when it was read last
 */
struct rules_file {
	const char *path;
	const char *folder;
	const char *name;
	int fd;
	char *text;
};

void rules_file_open(struct rules_file *f, const char *path);
bool rules_file_changed(struct rules_file *f);

#endif /* KVMX_TOOL_RULES_FILE_H */
