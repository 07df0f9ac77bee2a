// SPDX-License-Identifier: GPL-2.0-only
/* A guest whose vCPUs want the same lock all the time. */
#include "blob.h"
#include "blobguest.h"
#include "lockguest.h"

#define CRITICAL	KVMX_HINT_WORD(KVMX_KIND_CRITICAL, 1, 0)
/* About a microsecond; and how often it is looked whether the lock is free. */
#define TURN_ROUNDS	500
#define LOOK_ROUNDS	100
/* Looks, after which a vCPU makes way: 50 us. */
#define PATIENCE	250

#define INLINE		static inline __attribute__((always_inline))

INLINE void say(struct lock_room *me, uint32_t word)
{
	volatile struct kvmx_area_guest *g = &me->area.guest;

	if (word) {
		g->length_us = me->length_us;
		g->seq = g->seq + 1;
	}
	g->hint = word;
}

INLINE void wait(struct lock_room *me, uint32_t *looks, uint32_t owner)
{
	blob_turn(LOOK_ROUNDS);
	if (!(me->flags & LOCK_YIELD) || ++*looks < PATIENCE)
		return;
	*looks = 0;
	if (owner)
		blob_call(me->intel, KVMX_HC_YIELD_TO, owner - 1, 0, 0);
}

INLINE void take_ticket(struct lock_room *me, struct lock_shared *s)
{
	uint32_t mine = __atomic_fetch_add(&s->next, 1, __ATOMIC_SEQ_CST);
	uint32_t now, looks = 0;

	__atomic_store_n(&s->waits[mine % LOCK_QUEUE], me->id + 1,
			 __ATOMIC_RELEASE);
	for (;;) {
		now = __atomic_load_n(&s->serving, __ATOMIC_ACQUIRE);
		if (now == mine)
			return;
		wait(me, &looks, s->waits[now % LOCK_QUEUE]);
	}
}

INLINE void take_first(struct lock_room *me, struct lock_shared *s)
{
	uint32_t owner, looks = 0;

	for (;;) {
		owner = __atomic_load_n(&s->owner, __ATOMIC_RELAXED);
		if (!owner &&
		    __atomic_compare_exchange_n(&s->owner, &owner, me->id + 1,
						0, __ATOMIC_ACQUIRE,
						__ATOMIC_RELAXED))
			return;
		wait(me, &looks, owner);
	}
}

INLINE void lock(struct lock_room *me, struct lock_shared *s)
{
	if (me->flags & LOCK_EARLY)
		say(me, CRITICAL);
	if (me->flags & LOCK_TICKET)
		take_ticket(me, s);
	else
		take_first(me, s);
	if ((me->flags & (LOCK_AREA | LOCK_EARLY)) == LOCK_AREA)
		say(me, CRITICAL);
	if (me->flags & LOCK_CALL)
		blob_call(me->intel, KVMX_HC_HINT, CRITICAL, me->length_us, 0);
}

INLINE void unlock(struct lock_room *me, struct lock_shared *s)
{
	volatile struct kvmx_area_host *host = &me->area.host;

	if (me->flags & LOCK_TICKET)
		__atomic_store_n(&s->serving, s->serving + 1,
				 __ATOMIC_RELEASE);
	else
		__atomic_store_n(&s->owner, 0, __ATOMIC_RELEASE);
	if (me->flags & (LOCK_AREA | LOCK_EARLY))
		say(me, 0);
	if (me->flags & LOCK_CALL ||
	    (me->flags & LOCK_RELEASE && host->state & KVMX_GRANT_ON))
		blob_call(me->intel, KVMX_HC_RELEASE, 0, 0, 0);
}

INLINE void work(uint32_t turns)
{
	while (turns--)
		blob_turn(TURN_ROUNDS);
}

INLINE void join(struct lock_room *me)
{
	uint64_t at = (uint64_t)&me->area;

	if (me->flags & (LOCK_AREA | LOCK_EARLY))
		me->failed = blob_call(me->intel, KVMX_HC_REGISTER,
				       (uint32_t)at, at >> 32,
				       sizeof(me->area));
}

BLOB void lock_guest(struct lock_room *room)
{
	struct lock_shared *s = (void *)BLOB_SHARED;

	join(room);
	while (!__atomic_load_n(&s->stop, __ATOMIC_RELAXED)) {
		lock(room, s);
		work(room->inside);
		unlock(room, s);
		__atomic_store_n(&room->sections, room->sections + 1,
				 __ATOMIC_RELAXED);
		work(room->outside);
	}
	for (;;)
		blob_done();
}
