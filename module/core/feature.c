// SPDX-License-Identifier: GPL-2.0-only
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/printk.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "core/feature.h"

char *kvmx_without = "";

/* Raw: self-checks report from inside probes, with interrupts off. */
static DEFINE_RAW_SPINLOCK(feature_lock);

static struct kvmx_feature features[KVMX_NR_FEATURES] = {
#define X(n, sym, text) [n] = { .id = (n), .name = (text), \
				.state = KVMX_FEATURE_OFF, \
				.reason = "not set up yet" },
	KVMX_FEATURES(X)
#undef X
};

/**
 * kvmx_feature_set() - record the state of a feature and the reason for it
 * @id: which feature
 * @state: KVMX_FEATURE_OFF, _ON or _READY
 * @fmt: the reason, worded for the reader of `kvmx info`
 *
 * Context: any, also with interrupts off.
 */
void kvmx_feature_set(enum kvmx_feature_id id, u32 state, const char *fmt, ...)
{
	char reason[KVMX_REASON_LEN];
	unsigned long flags;
	va_list args;

	va_start(args, fmt);
	vscnprintf(reason, sizeof(reason), fmt, args);
	va_end(args);

	raw_spin_lock_irqsave(&feature_lock, flags);
	WRITE_ONCE(features[id].state, state);
	memset(features[id].reason, 0, sizeof(features[id].reason));
	strscpy(features[id].reason, reason, sizeof(features[id].reason));
	raw_spin_unlock_irqrestore(&feature_lock, flags);
}

/**
 * kvmx_feature_state() - state of a feature
 * @id: which feature
 *
 * Context: any.
 * Return: KVMX_FEATURE_OFF, _ON or _READY.
 */
u32 kvmx_feature_state(enum kvmx_feature_id id)
{
	return READ_ONCE(features[id].state);
}

/**
 * kvmx_feature_denied() - was kvmx told to do without?
 * @id: which feature
 *
 * The parameter without= makes a kernel that lacks something out of one that
 * has it: for tests of what happens then, and for hosts where a hook hurts.
 *
 * Context: any.
 * Return: true, with the feature set to off, if it is on the list.
 */
bool kvmx_feature_denied(enum kvmx_feature_id id)
{
	const char *name = features[id].name;
	size_t len = strlen(name);
	const char *p = kvmx_without;

	while (p && *p) {
		size_t word = strcspn(p, ",");

		if (word == len && !strncmp(p, name, len)) {
			kvmx_feature_set(id, KVMX_FEATURE_OFF,
					 "switched off by the module's parameter without=");
			return true;
		}
		p += word;
		p += *p == ',';
	}
	return false;
}

static bool feature_known(const char *name, size_t len)
{
	int i;

	for (i = 0; i < KVMX_NR_FEATURES; i++)
		if (strlen(features[i].name) == len &&
		    !strncmp(features[i].name, name, len))
			return true;
	return false;
}

/**
 * kvmx_feature_init() - check the parameter without=
 *
 * Context: once, at load, before anything else.
 * Return: 0, or -EINVAL if a name on the list is none.
 */
int kvmx_feature_init(void)
{
	const char *p = kvmx_without;

	while (p && *p) {
		size_t word = strcspn(p, ",");

		if (word && !feature_known(p, word)) {
			pr_err("kvmx: without=: there is no feature '%.*s' (kvmx info lists them)\n",
			       (int)word, p);
			return -EINVAL;
		}
		p += word;
		p += *p == ',';
	}
	return 0;
}

/**
 * kvmx_feature_get() - consistent copy of a feature
 * @id: which feature
 * @out: where to copy it to
 *
 * Context: any.
 */
void kvmx_feature_get(enum kvmx_feature_id id, struct kvmx_feature *out)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&feature_lock, flags);
	*out = features[id];
	raw_spin_unlock_irqrestore(&feature_lock, flags);
}
