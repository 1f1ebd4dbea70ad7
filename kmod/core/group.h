/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Groups and reservations: the state of one group of a stream, from its first
 * reservation until its pages go back. What happens between groups (ids,
 * queues, delivery) is stream.h.
 *
 *	reservation:  PENDING -> COMMITTED | FAILED
 *	group:	      OPEN -> SEALED -> (complete) -> WAITING? -> FREEZING? ->
 *		      PARKED -> QUEUED -> HELD -> dead
 *				 (failed) -> WITHHELD? -> FAILED -> HELD -> dead
 *		    of a topic: (complete) -> FREEZING? -> OUT -> dead
 *		    dead, and frozen: lingers while somebody has a page of it
 *
 * The caller locks and brings the memory of both structs.
 */
#ifndef ZCB_CORE_GROUP_H
#define ZCB_CORE_GROUP_H

#include "env.h"

#define ZCB_GROUP_EXTENTS	2

struct zcb_stream;
struct zcb_producer;
struct zcb_consumer;
struct zcb_group;

enum zcb_resv_state {
	ZCB_RESV_PENDING,
	ZCB_RESV_COMMITTED,
	ZCB_RESV_FAILED,
};

/**
 * struct zcb_resv - one reservation
 * @in_group: in its group's list, ascending id
 * @in_owner: in the list of its producer its state says; empty once the owner
 *	is gone
 * @hash: next of the same hash bucket of the stream
 * @group: the group it is in
 * @owner: the producer that made it; NULL once that is gone
 * @id: per stream, from 0
 * @offset: stream offset
 * @length: bytes reserved
 * @used: bytes committed: @length, or less of a window; else 0
 * @pool_offset: where it is
 * @nrecords: records the producer counted
 * @state: enum zcb_resv_state
 * @straggler: failed by somebody else, the owner may still be storing
 */
struct zcb_resv {
	struct list_head in_group;
	struct list_head in_owner;
	struct zcb_resv *hash;
	struct zcb_group *group;
	struct zcb_producer *owner;
	u64 id;
	u64 offset;
	u64 length;
	u64 used;
	u64 pool_offset;
	u32 nrecords;
	u8 state;
	bool straggler;
};

/**
 * struct zcb_group_extent - contiguous memory of a group
 * @pool_offset: where it starts; page-aligned
 * @bytes: bytes of stream in it; the first of two ends where the second begins
 * @pages: pages held
 */
struct zcb_group_extent {
	u64 pool_offset;
	u64 bytes;
	u32 pages;
};

enum zcb_group_state {
	ZCB_GROUP_OPEN,		/* takes reservations */
	ZCB_GROUP_SEALED,	/* reservations are still pending */
	ZCB_GROUP_WAITING,	/* complete; ORDERED, an earlier one is not */
	ZCB_GROUP_FREEZING,	/* complete; IMMUTABLE, it may still be written to */
	ZCB_GROUP_PARKED,	/* complete, on no consumer's queue */
	ZCB_GROUP_QUEUED,	/* on a consumer's queue */
	ZCB_GROUP_WITHHELD,	/* failed; HOLD_FAILED */
	ZCB_GROUP_FAILED,	/* on the failure queue */
	ZCB_GROUP_HELD,		/* received, not released */
	ZCB_GROUP_OUT,		/* a topic's: while there are references */
	ZCB_GROUP_DEAD,		/* released; stragglers or I/O may keep its pages */
};

/**
 * struct zcb_group - one group
 * @in_stream: in the stream's list of live groups, ascending id
 * @queue: on the queue its state says; OUT: in the history, or on none
 * @resvs: its reservations, ascending id
 * @hash: first reservation of the next group in the same hash bucket
 * @id: per stream, from 0
 * @offset: stream offset of its first byte
 * @total: bytes of stream in it, gaps for alignment included
 * @length: from the first byte to the end of the last reservation
 * @time_ns: when it was complete
 * @opened_ns: when it was opened
 * @seq: deliveries to the same port before it; of a topic: groups of the same
 *	publisher before it
 * @rank: groups that were ready for delivery before it
 * @holder: consumer whose queue or hands it is in; of a topic: NULL
 * @handle: the buffer that was published and is its memory, or 0
 * @capacity: bytes of that
 * @publisher: id of the one producer it is of, or 0
 * @user_tag: the publisher's, or of who committed the window
 * @encoding: the same
 * @priority: the publisher's
 * @refs: OUT: deliveries, one for the history, and who publishes it
 * @spare: of these, the history's and those of queues that drop: they can be had
 *	back when credits are short
 * @delivered: queues it was put in when it was complete
 * @dropped: OUT: queues where something was lost by it
 * @extents: where it is
 * @nextents: how many
 * @nresv: reservations
 * @npending: of these undecided
 * @nfailed: of these failed
 * @nstragglers: of these failed and not acknowledged
 * @nrecords: sum over committed reservations
 * @quiet: IMMUTABLE: pages from its start of which it is known that nobody has them who
 *	may write, or when it is dead, nobody; it is not looked at them again
 * @state: enum zcb_group_state
 * @window: a window: one reservation, sealed at birth, may use less
 * @frozen: IMMUTABLE: its pages are closed to who may write, or are just being so
 */
struct zcb_group {
	struct list_head in_stream;
	struct list_head queue;
	struct list_head resvs;
	struct zcb_resv *hash;
	u64 id;
	u64 offset;
	u64 total;
	u64 length;
	u64 time_ns;
	u64 opened_ns;
	u64 seq;
	u64 rank;
	struct zcb_consumer *holder;
	u64 handle;
	u64 capacity;
	u64 publisher;
	u64 user_tag;
	u32 encoding;
	u32 priority;
	u32 refs;
	u32 spare;
	u32 delivered;
	u32 dropped;
	struct zcb_group_extent extents[ZCB_GROUP_EXTENTS];
	u32 nextents;
	u32 nresv;
	u32 npending;
	u32 nfailed;
	u32 nstragglers;
	u32 nrecords;
	u32 quiet;
	u8 state;
	bool window;
	bool frozen;
};

/* What RESERVE needs brought, found by zcb_stream_plan(). */
struct zcb_group_plan {
	u64 extent_bytes;	/* new extent of at least this; 0: it fits */
	bool group;		/* a struct zcb_group as well */
};

void zcb_group_init(struct zcb_group *g, u64 id, u64 offset, u64 now_ns);
/* Would @length more bytes of stream fit the last extent? */
bool zcb_group_fits(const struct zcb_group *g, u64 length, u32 align,
		    unsigned int page_shift);
void zcb_group_add_extent(struct zcb_group *g, u64 pool_offset, u32 pages);
void zcb_group_add(struct zcb_group *g, struct zcb_resv *r, u64 length,
		   u32 align);
void zcb_group_commit(struct zcb_group *g, struct zcb_resv *r, u64 used,
		      u32 nrecords);
void zcb_group_fail(struct zcb_group *g, struct zcb_resv *r, bool straggler);
void zcb_group_ack(struct zcb_group *g, struct zcb_resv *r);
/* Pages of the last extent beyond what is used: their number; they leave it. */
u32 zcb_group_trim(struct zcb_group *g, unsigned int page_shift,
		   unsigned int grain_shift, u64 *pool_offset);

static inline bool zcb_group_sealed(const struct zcb_group *g)
{
	return g->state != ZCB_GROUP_OPEN;
}

/* Memory held, bytes. */
static inline u64 zcb_group_bytes(const struct zcb_group *g,
				  unsigned int page_shift)
{
	return ((u64)(g->extents[0].pages + g->extents[1].pages) << page_shift) +
	       g->capacity;
}

#endif /* ZCB_CORE_GROUP_H */
