/* SPDX-License-Identifier: GPL-2.0-only */
/* kvmx place --watch: VMs in the care of a file of rules. */
#ifndef KVMX_TOOL_PLACE_WATCH_H
#define KVMX_TOOL_PLACE_WATCH_H

#include "place.h"
#include "rules.h"
#include "rules_file.h"

/**
 * struct ward - a VM
 * @id: its number
 * @pid: its process, 0: not visible here
 * @name: of its process
 * @rule: that is for it, NULL: none
 * @placed: by us, and it is still so
 * @err: why it is not, if it should be
 * @since: when it was tried first, in ns
 * @again: when to try again, in ns; 0: not before something happens
 * @delay: how long to wait next time, in ns
 */
struct ward {
	__u64 id;
	int pid;
	char name[KVMX_COMM_LEN];
	const struct rule *rule;
	bool placed;
	int err;
	__u64 since;
	__u64 again;
	__u64 delay;
};

struct watcher {
	const struct place_options *opts;
	int dev;
	int events;
	struct out *out;
	struct rules_file file;
	struct rules rules;
	struct ward *wards;
	unsigned int nr;
};

/* place_wards.c */
struct ward *ward_find(struct watcher *w, __u64 id);
void ward_forget(struct watcher *w, __u64 id);
void wards_find(struct watcher *w);
void ward_take(struct watcher *w, __u64 id);
void wards_retry(struct watcher *w, bool all);
void wards_new_rules(struct watcher *w, struct rules *rules);
void ward_cleared(struct watcher *w, struct ward *ward);
int wards_timeout(const struct watcher *w);

/* place_say.c */
void say_begin(struct watcher *w, const char *event, const struct ward *ward);
__printf(2, 3)
void say_text(struct watcher *w, const char *fmt, ...);
void say_end(struct watcher *w);
void say_event(struct watcher *w, const struct kvmx_record *r,
	       const struct ward *ward);

#endif /* KVMX_TOOL_PLACE_WATCH_H */
