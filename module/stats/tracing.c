// SPDX-License-Identifier: GPL-2.0-only
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "core/vm.h"
#include "stats/session.h"
#include "stats/tracing.h"

#define CREATE_TRACE_POINTS
#include "kvmx_trace.h"

/*
 * The kernel tells that an event is enabled for the first time, or disabled for
 * the last time, with its mutex of tracepoints held, which counting needs, too,
 * to attach probes. So what is wanted is noted here, and a work does it: an
 * event begins to tell a moment after it was enabled.
 *
 * The kernel adds the events before our init function runs, and takes them away,
 * disabling them, after our exit function has run: whatever it tells before and
 * after is only noted, or refused.
 */
enum event { EPT_VIOLATION, MIGRATE, READY, FLUSH, NR_EVENTS };

/* What has to be counted for each. */
static const u32 needs[NR_EVENTS] = {
	[EPT_VIOLATION] = KVMX_STATS_MMU,
	[MIGRATE] = KVMX_STATS_SCHED | KVMX_STATS_TLB,
	[READY] = KVMX_STATS_SCHED,
	[FLUSH] = KVMX_STATS_TLB,
};

static DEFINE_SPINLOCK(events_lock);	/* for all of these */
static bool enabled[NR_EVENTS];
static bool works;		/* between init and exit */
static bool over;		/* after exit */

static u32 needed(void)
{
	u32 groups = 0;
	int i;

	spin_lock(&events_lock);
	for (i = 0; i < NR_EVENTS; i++)
		if (enabled[i])
			groups |= needs[i];
	spin_unlock(&events_lock);
	return groups;
}

static void follow(struct work_struct *work)
{
	kvmx_session_trace(needed());
}

static DECLARE_WORK(follow_work, follow);

static int note(enum event event, bool on)
{
	int err = 0;

	spin_lock(&events_lock);
	if (over && on)
		err = -ENODEV;
	else
		enabled[event] = on;
	/* Under the lock: none is queued behind the back of exit. */
	if (works)
		queue_work(kvmx_wq, &follow_work);
	spin_unlock(&events_lock);
	return err;
}

/* Context: the kernel's mutex of tracepoints held; serialised by it. */
int kvmx_tracing_ept(void)
{
	return note(EPT_VIOLATION, true);
}

void kvmx_tracing_no_ept(void)
{
	note(EPT_VIOLATION, false);
}

int kvmx_tracing_migrate(void)
{
	return note(MIGRATE, true);
}

void kvmx_tracing_no_migrate(void)
{
	note(MIGRATE, false);
}

int kvmx_tracing_ready(void)
{
	return note(READY, true);
}

void kvmx_tracing_no_ready(void)
{
	note(READY, false);
}

int kvmx_tracing_flush(void)
{
	return note(FLUSH, true);
}

void kvmx_tracing_no_flush(void)
{
	note(FLUSH, false);
}

/**
 * kvmx_tracing_init() - count what events that are enabled need
 *
 * Context: may sleep, once, when everything else is set up.
 */
void kvmx_tracing_init(void)
{
	spin_lock(&events_lock);
	works = true;
	queue_work(kvmx_wq, &follow_work);
	spin_unlock(&events_lock);
}

/**
 * kvmx_tracing_exit() - events need nothing any more
 *
 * Context: may sleep. Events may still be enabled: the kernel disables them
 *	when our exit function is through.
 */
void kvmx_tracing_exit(void)
{
	spin_lock(&events_lock);
	works = false;
	over = true;
	spin_unlock(&events_lock);
	cancel_work_sync(&follow_work);
	kvmx_session_trace(0);
}
