/* SPDX-License-Identifier: GPL-2.0-only */
/* What kvmx stat was asked to do, and its parts. */
#ifndef KVMX_TOOL_STAT_H
#define KVMX_TOOL_STAT_H

#include <stdbool.h>
#include <linux/types.h>

#include "notes.h"
#include "out.h"
#include "select.h"
#include "tally.h"
#include "watch.h"

#define NO_VCPU		0xffffffffU

struct stat_view;

struct stat_options {
	const char *cmd;	/* for messages */
	/* A VM, at the end of a measurement. */
	void (*put_vm)(struct stat_view *view, struct watch_vm *vm);
	__u32 groups;		/* KVMX_STATS_* besides */
	__u64 top;		/* rows of a list for people */
	struct selection selection;
	__u32 vcpu;		/* this one only, or NO_VCPU */
	__u64 interval;		/* ns; 0: once */
	__u64 count;		/* 0: until stopped */
	enum sort_by sort;
	bool per_vcpu;
	bool all;
	bool raw;
	enum out_format format;
	const char *save;	/* file for what was measured */
	const char *baseline;	/* file with what is compared to */
	char **command;
};

/* What the figures that are printed are. */
enum stat_mode {
	STAT_ONCE,		/* one second, or since counting began */
	STAT_INTERVAL,
	STAT_COMMAND,
};

struct stat_view {
	const struct stat_options *opts;
	struct out *out;
	const struct watch *watch;	/* all that is measured */
	__u32 khz;
	enum stat_mode mode;
	__u64 interval;		/* number of the interval */
	struct out *mirror;	/* what is printed, once more, as JSON */
	struct json_object *baseline;
	struct footnotes notes;
	bool notes_told;
	__u64 exits;		/* that this document tells of */
	__u64 ticks;		/* the longest that a VM was watched */
};

int stat_measure(const struct stat_options *opts);

void view_print(struct stat_view *view, struct watch *w);
void stat_put_vm(struct stat_view *view, struct watch_vm *vm);

/* baseline.c */
void baseline_begin(struct stat_view *view);
void baseline_put(struct stat_view *view);

/**
 * struct view_vm - a VM that is being printed
 * @vm: the VM
 * @sum: of all its vCPUs
 * @each: of each vCPU
 * @measured: for how long, in ticks
 */
struct view_vm {
	struct watch_vm *vm;
	struct tally *sum;
	struct tally *each;
	__u64 measured;
};

/* view_vm.c */
void view_put_vm(struct stat_view *view, struct watch_vm *vm,
		 void (*body)(struct stat_view *view,
			      const struct view_vm *what));
void view_put_vcpus(struct stat_view *view, const struct view_vm *what,
		    void (*one)(struct stat_view *view,
				const struct view_vm *what, unsigned int i));

/* Parts of what is printed of a VM: stat_view.c */
bool view_has_vcpu(const struct stat_view *view, const struct watch_vcpu *v);
__u64 view_tally(const struct stat_view *view, const struct watch_vm *vm,
		 struct tally *sum, struct tally *each);
void view_headline(struct stat_view *view, const struct watch_vm *vm,
		   __u64 measured);
void view_vm_fields(struct stat_view *view, const struct watch_vm *vm,
		    __u64 measured);
void view_split(struct stat_view *view, const struct watch_vm *vm,
		const struct tally *sum, const struct tally *each);
void view_notes(struct stat_view *view, const struct watch_vm *vm);

void exits_put(struct stat_view *view, struct tally *t);
void times_put(struct stat_view *view, const struct tally *t);
void figures_put(struct stat_view *view, const struct source *s);

#endif /* KVMX_TOOL_STAT_H */
