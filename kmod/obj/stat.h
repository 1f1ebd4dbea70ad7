/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the inspection faces may know: plain copies, taken under the locks of
 * the objects, and cursors to walk them. Every function here may sleep.
 */
#ifndef ZCB_OBJ_STAT_H
#define ZCB_OBJ_STAT_H

#include <linux/cred.h>
#include <linux/sched.h>
#include <linux/types.h>
#include <linux/uidgid.h>

#include "../core/buddy.h"
#include "../core/fixed.h"
#include "../core/slab.h"
#include "quarantine.h"

struct zcb_pool;
struct zcb_session;

struct zcb_class_stat {
	u32 length;
	u32 used;
	u32 total;
	u32 align;
	u64 offset;			/* FIXED: of the first object */
	u32 min_free;			/* FIXED: the least that was ever free */
	u64 waste;			/* TIERS: leased bytes in no object */
};

struct zcb_pool_stat {
	u64 handle;
	char name[65];			/* "" if anonymous */
	u32 kind;
	u32 flags;
	kuid_t uid;
	kgid_t gid;
	u32 mode;
	u64 size;
	u64 end;
	u64 max_size;
	u64 max_end;
	u64 used;
	u64 max_used;
	u64 min_free;
	u64 largest_free;
	u64 arena_size;
	u32 arenas;
	u64 present;			/* bit n: arena n can be mapped */
	u64 retiring;			/* ... is on its way out */
	u32 page_order;
	u32 sessions;
	u32 channels;
	u32 mappings;
	u32 tokens;
	struct zcb_quarantine_stat quarantine;
	u64 bad_frees;
	u64 exported;
	bool zombie;
	u32 norders;			/* entries of order_free in use */
	u32 order_free[ZCB_BUDDY_ORDERS + 4];	/* blocks of 4096 << i */
	u32 nclasses;
	struct zcb_class_stat classes[ZCB_SLAB_CLASSES];
};

/**
 * struct zcb_heart_stat - what inspection shows
 * @beats: there is a heartbeat
 * @hung: it has stopped
 * @age_ns: since it was seen to change
 * @stops: how often it has stopped
 */
struct zcb_heart_stat {
	bool beats;
	bool hung;
	u64 age_ns;
	u64 stops;
};

struct zcb_session_stat {
	u64 id;
	u64 pool;
	u32 pid;			/* in the reader's pid namespace, or 0 */
	char comm[TASK_COMM_LEN];
	kuid_t uid;
	u32 rights;
	u64 age_ns;
	u64 buffers;
	u64 bytes;
	u64 pending;
	u64 pending_bytes;
	u64 held;
	u64 held_bytes;
	u32 ports;
	struct zcb_heart_stat heart;
	bool evicted;
};

struct zcb_channel_stat {
	u64 handle;
	u64 pool;
	u32 flags;
	u64 threshold;
	u64 block;
	u32 producers;
	u32 consumers;
	u32 failed_ports;
	u64 reservations;
	u64 groups;
	u64 offset;
	u32 outstanding;
	u32 max_outstanding;
	u32 pending;
	u32 queued;
	u32 freezing;
	u32 parked;
	u32 failed;
	u32 delivered;
	u32 stragglers;
	u64 bytes;
	bool finalized;
	bool named;
	struct zcbuf_channel_name name;
	u32 history;
	u32 kept;
	u64 lost;
};

struct zcb_arena_stat {
	u64 pool;
	u32 index;			/* number in the pool */
	u64 offset;			/* pool offset */
	u64 size;
	u64 used;
	u64 largest_free;
	u32 page_order;
	u32 node;			/* of its first page */
	u32 state;			/* enum zcb_arena_state */
};

/*
 * Cursors are positions from 1 that stay what they are while objects come and
 * go: *@cursor = n - 1 is right before the object that was found at n.
 *
 * The pool after position *@cursor (0: the first), with a reference that the
 * caller puts by zcb_pool_put(), or NULL. *@cursor moves on.
 */
struct zcb_pool *zcb_pool_next(u32 *cursor);
struct zcb_pool *zcb_pool_try_next(u32 *cursor);	/* -EBUSY: not now */

/*
 * ZCBUF_RIGHT_* that an attach by name would leave @cred; @privileged: it may
 * override the mode. 0 means it may not even see the pool.
 */
u32 zcb_pool_permits(const struct zcb_pool *pool, const struct cred *cred,
		     bool privileged);

void zcb_pool_stat(struct zcb_pool *pool, struct zcb_pool_stat *st);
void zcb_session_holds_locked(struct zcb_session *s,
			      struct zcb_session_stat *st);

/* The session, channel or arena after position *@cursor; false: no more. */
bool zcb_pool_session_stat(struct zcb_pool *pool, u32 *cursor,
			   struct zcb_session_stat *st);
bool zcb_pool_channel_stat(struct zcb_pool *pool, u32 *cursor,
			   struct zcb_channel_stat *st);
bool zcb_pool_arena_stat(struct zcb_pool *pool, u32 *cursor,
			 struct zcb_arena_stat *st);

#endif /* ZCB_OBJ_STAT_H */
