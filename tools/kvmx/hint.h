/* SPDX-License-Identifier: GPL-2.0-only */
/* kvmx hint: what it was asked to do, and its parts. */
#ifndef KVMX_TOOL_HINT_H
#define KVMX_TOOL_HINT_H

#include <stdbool.h>

#include "hint_words.h"
#include "out.h"
#include "select.h"
#include "stat.h"

enum hint_mode { HINT_SHOW, HINT_SET, HINT_OFF, HINT_DEFAULT };

/**
 * struct hint_options - what was asked for
 * @mode: what to do
 * @selection: with whom
 * @vcpu: whose counts; NO_VCPU: all of the VM
 * @interval: in ns; 0: once
 * @count: intervals to stop after; 0: go on
 * @format: of output
 * @file: of the policy for VMs that have none
 * @wish: the policy
 */
struct hint_options {
	enum hint_mode mode;
	struct selection selection;
	__u32 vcpu;
	__u64 interval;
	__u64 count;
	enum out_format format;
	const char *file;
	struct hint_wish wish;
};

void hint_file_read(const char *path, struct hint_wish *wish);
int hint_apply(int dev, const struct kvmx_vm_info *vm, int fd,
	       const struct kvmx_hint *policy);
bool hint_is_off(const struct kvmx_hint *policy);
void hint_show(int dev, const struct hint_options *opts);
int hint_default(int dev, const struct hint_options *opts);
void hint_wait(const struct hint_options *opts);

#endif /* KVMX_TOOL_HINT_H */
