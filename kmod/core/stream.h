/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The stream of a channel: reservations go in, complete groups come out on the
 * queues of consumers, failed ones on the failure queue. BEHAVIOUR: ids and
 * offsets in arrival order, at most one open group, sealing at reserve time,
 * delivery in order of completion, nothing after RESERVE can fail for lack of
 * memory: every reservation has prepaid its records by a credit.
 *
 * Of a topic each complete group goes to all consumers instead, see topic.h.
 *
 * The caller holds the channel's lock for every call here, brings memory
 * before it calls, and gets it back through struct zcb_stream_ops, which are
 * called with that lock held and must not call back.
 */
#ifndef ZCB_CORE_STREAM_H
#define ZCB_CORE_STREAM_H

#include "credit.h"
#include "env.h"
#include "group.h"

struct zcb_topic_queue;
struct zcb_topic_slot;

/**
 * struct zcb_stream_ops - what a stream asks of its channel
 * @give_pages: these pages are not needed any more
 * @free_group: the group is dead: free its extents' pages or its buffer, its
 *	reservations (list @resvs) and itself. It is on no list and in no hash.
 * @ready: @n groups were put on the queue of @c, or (@n = 0) the stream of @c
 *	has ended: all was taken, or will be by the consumer itself. Once for each
 *	port that was there then.
 * @show: of a queue that is shown: a delivery has come into @lane
 * @claim: of a queue that is shown: is the delivery still there, and make it
 *	ZCBUF_SLOT_TAKEN or _DROPPED if that is @as, or nothing if it is _READY
 * @await: of a queue that is shown: a producer, or a parked group, waits for room, or
 *	others for the end; fully ordered
 * @room: of a topic: what a group has been promised was not needed, so another one
 *	may begin
 * @freeze: of an immutable stream: a group is on @freezing, for zcb_delivery_frozen(),
 *	or on @lingering, for zcb_delivery_quiet()
 * @quiet: of a frozen group that is dead: does nobody have a page of it any more
 */
struct zcb_stream_ops {
	void (*give_pages)(struct zcb_stream *s, u64 pool_offset, u32 pages);
	void (*free_group)(struct zcb_stream *s, struct zcb_group *g);
	void (*ready)(struct zcb_stream *s, struct zcb_consumer *c, u32 n);
	void (*show)(struct zcb_consumer *c, const struct zcb_topic_slot *slot,
		     u32 lane);
	bool (*claim)(struct zcb_consumer *c, const struct zcb_topic_slot *slot,
		      u32 as);
	void (*await)(struct zcb_consumer *c);
	void (*room)(struct zcb_stream *s);
	void (*freeze)(struct zcb_stream *s);
	bool (*quiet)(struct zcb_stream *s, struct zcb_group *g);
};

/**
 * struct zcb_stream_config - how a stream was opened; constant
 * @threshold: bytes at which a group seals; 0: every reservation a group
 * @max_reservation: usual bound of a reservation, sizes the block
 * @align: offsets are multiples of it
 * @max_outstanding: credits
 * @max_extent: largest block of the pool, bytes
 * @page_shift: of a page
 * @grain_shift: extents are whole multiples of this; of pages if it is less
 * @hold_failed: failed groups are delivered by finalize only
 * @ordered: deliver in offset order; not of a topic
 * @topic: every consumer gets every group
 * @immutable: groups are frozen before they are delivered
 * @history: groups of a topic kept for who comes later, less than @max_outstanding
 */
struct zcb_stream_config {
	u64 threshold;
	u64 max_reservation;
	u64 max_extent;
	u32 align;
	u32 max_outstanding;
	u32 history;
	u8 page_shift;
	u8 grain_shift;
	bool hold_failed;
	bool ordered;
	bool topic;
	bool immutable;
};

/**
 * struct zcb_producer - one producer port
 * @pending: its undecided reservations, ascending id
 * @stragglers: its reservations somebody else failed, not acknowledged
 * @decided: its other reservations that still exist
 * @npending: entries of @pending
 * @pending_bytes: reserved bytes in them
 * @id: names it to consumers, or 0
 * @next_seq: groups that were its alone, and complete, so far
 */
struct zcb_producer {
	struct list_head pending;
	struct list_head stragglers;
	struct list_head decided;
	u32 npending;
	u64 pending_bytes;
	u64 id;
	u64 next_seq;
};

/**
 * struct zcb_consumer - one consumer port, of the success or failure queue
 * @node: in the stream's list
 * @topic: a success port's of a topic: its queue, and what it holds, instead of
 *	@queue, @inherited, @held and @next_seq; of a stream that shows it its queue,
 *	instead of @queue and @inherited, while @held has what it had before; else NULL
 * @queue: groups offered to it (success only; failure ports share one queue)
 * @inherited: node of the group last put into @queue but not at its end, while
 *	it is there, or NULL
 * @held: groups received and not released
 * @depth: most entries of @queue
 * @queued: entries of its queue
 * @nheld: groups it holds
 * @held_bytes: memory of them
 * @next_seq: deliveries so far
 * @failure: serves the failure queue
 */
struct zcb_consumer {
	struct list_head node;
	struct zcb_topic_queue *topic;
	struct list_head queue;
	struct list_head *inherited;
	struct list_head held;
	u32 depth;
	u32 queued;
	u32 nheld;
	u64 held_bytes;
	u64 next_seq;
	bool failure;
};

/* What finalize did. */
struct zcb_stream_counts {
	u64 success;
	u64 failure;
	u64 reservations;
};

/**
 * struct zcb_stream - see above
 * @cfg: constant
 * @ops: constant
 * @hash: buckets of reservations by id, then as many of groups by id: a group
 *	is found through its first reservation
 * @hash_mask: buckets of either kind - 1
 * @credit: one for each reservation, until its group is dead and acknowledged
 * @groups: all groups that are not dead, ascending id
 * @freezing: complete groups that have to be frozen first, in order of completion
 * @lingering: dead groups that were frozen, of which somebody still has a page
 * @parked: complete groups on no queue, in order of completion
 * @history: of a topic: complete groups for who comes later, first the oldest
 * @failed: the failure queue
 * @consumers: success ports; the one offered to (or added) longest ago first
 * @failure_ports: failure ports
 * @open: the open group, or NULL
 * @turn: ORDERED: first group that is not complete, or NULL
 * @next_resv: next reservation id
 * @next_group: next group id
 * @next_rank: groups that became ready for delivery so far
 * @next_seq: complete groups so far that were nobody's alone
 * @next_turn: of a topic: more than any delivery of a port that is gone was named
 * @lost: of a topic: deliveries dropped so far
 * @offset: next stream offset
 * @nhistory: entries of @history
 * @nfreezing: entries of @freezing
 * @nparked: entries of @parked
 * @nqueued: entries of all consumers' queues
 * @nfailed: groups withheld or on the failure queue
 * @nheld: groups received and not released, by each who has
 * @npending: undecided reservations
 * @nstragglers: reservations failed and not acknowledged
 * @nshown: of no topic: success ports that see their queue
 * @bytes: memory of all groups, the dead with stragglers included
 * @finalized: no more reservations
 * @ended: only retired ports are left: no group lingers any more
 * @told: of no topic: success ports were told of the end
 * @starved: of a topic: there was no room for a group, or no credit to be had, since
 *	somebody was told of any
 */
struct zcb_stream {
	struct zcb_stream_config cfg;
	const struct zcb_stream_ops *ops;
	struct zcb_resv **hash;
	u32 hash_mask;
	struct zcb_credit credit;
	struct list_head groups;
	struct list_head freezing;
	struct list_head lingering;
	struct list_head parked;
	struct list_head history;
	struct list_head failed;
	struct list_head consumers;
	struct list_head failure_ports;
	struct zcb_group *open;
	struct zcb_group *turn;
	u64 next_resv;
	u64 next_group;
	u64 next_rank;
	u64 next_seq;
	u64 next_turn;
	u64 lost;
	u64 offset;
	u32 nhistory;
	u32 nfreezing;
	u32 nparked;
	u32 nqueued;
	u32 nfailed;
	u32 nheld;
	u32 npending;
	u32 nstragglers;
	u32 nshown;
	u64 bytes;
	bool finalized;
	bool ended;
	bool told;
	bool starved;
};

/* What RESERVE brings besides the plan: all memory is the stream's afterwards
 * (if @group or the extent is not needed, it must not be brought).
 */
struct zcb_stream_supply {
	struct zcb_resv *resv;
	struct zcb_group *group;	/* if plan.group, else NULL */
	u64 pool_offset;		/* if plan.extent_bytes, or a buffer's */
	u32 pages;			/* if plan.extent_bytes, else 0 */
	u64 handle;			/* a buffer's that is published, else 0 */
	u64 capacity;			/* of that, bytes */
};

/* What COMMIT says, as read from the caller. */
struct zcb_stream_commit {
	u64 group;
	u64 id;
	u64 offset;
	u64 length;		/* or the sum of the chunks */
	bool overrun;		/* the sum of the chunks overflows u64 */
	bool chunked;		/* length is a sum: beyond the end is ERANGE */
	u32 nrecords;		/* 0 counts as 1 */
	u64 user_tag;		/* of a window, else 0 */
	u32 encoding;		/* the same */
};

u64 zcb_stream_block(const struct zcb_stream_config *cfg);

/* zcb_stream_grain() - shift of what extents are multiples of */
static inline u32 zcb_stream_grain(const struct zcb_stream_config *cfg)
{
	return max(cfg->page_shift, cfg->grain_shift);
}

/* zcb_stream_over() - is nothing more delivered than what has been */
static inline bool zcb_stream_over(const struct zcb_stream *s)
{
	return s->finalized && !s->nfreezing;
}

/* @hash: @nbuckets (a power of two, at least 2) NULL pointers. */
void zcb_stream_init(struct zcb_stream *s, const struct zcb_stream_config *cfg,
		     const struct zcb_stream_ops *ops, struct zcb_resv **hash,
		     u32 nbuckets);
void zcb_producer_init(struct zcb_producer *p);
void zcb_consumer_init(struct zcb_consumer *c, u32 depth, bool failure);

/* May it have @length more bytes? As zcb_stream_plan(). */
int zcb_stream_check(const struct zcb_stream *s, u64 length, u64 most);

/* What would RESERVE need? -EINVAL -E2BIG -ESHUTDOWN -EAGAIN (no credit). */
int zcb_stream_plan(struct zcb_stream *s, u64 length, bool window,
		    struct zcb_group_plan *plan);
/* What was short, ZCBUF_WHY_*, if a plan says -EAGAIN; and if memory is. */
u32 zcb_stream_why(struct zcb_stream *s);
u32 zcb_stream_parked(const struct zcb_stream *s);
/* With what the plan asked for, under the same lock: cannot fail. */
struct zcb_resv *zcb_stream_reserve(struct zcb_stream *s,
				    struct zcb_producer *p, u64 length,
				    bool window,
				    const struct zcb_stream_supply *supply,
				    u64 now_ns);
int zcb_stream_commit(struct zcb_stream *s, struct zcb_producer *p,
		      const struct zcb_stream_commit *c, u64 now_ns);
int zcb_stream_abort(struct zcb_stream *s, struct zcb_producer *p, u64 group,
		     u64 id, u64 now_ns);
/* Seal the open group; false: there was none. */
bool zcb_stream_flush(struct zcb_stream *s, u64 now_ns);
void zcb_stream_finalize(struct zcb_stream *s, u64 now_ns,
			 struct zcb_stream_counts *counts);

void zcb_stream_add_consumer(struct zcb_stream *s, struct zcb_consumer *c);
/* Next group of @c's queue, now held by @c: -EAGAIN, -ESHUTDOWN at the end. */
int zcb_stream_receive(struct zcb_stream *s, struct zcb_consumer *c,
		       struct zcb_group **group);
/* The group zcb_stream_receive() would return, left where it is. */
int zcb_stream_peek(struct zcb_stream *s, struct zcb_consumer *c,
		    struct zcb_group **group);
/*
 * -ENOENT no such group or never received, -EBADSLT released before, -EPERM
 * held by another port than @c.
 */
int zcb_stream_release(struct zcb_stream *s, struct zcb_consumer *c, u64 group);
/* The first of @freezing: nobody can write to it any more, so it is delivered. */
void zcb_delivery_frozen(struct zcb_stream *s, struct zcb_group *g);
/* One of @lingering: nobody has a page of it any more, so it is freed. */
void zcb_delivery_quiet(struct zcb_stream *s, struct zcb_group *g);
/*
 * The consumer of @c, of no topic, sees its queue from now on: @q, with @nslots set to
 * @max_held.
 */
void zcb_stream_show(struct zcb_stream *s, struct zcb_consumer *c,
		     struct zcb_topic_queue *q, u32 max_held);
/* Notice what it took, and what follows; of no effect on other ports. */
void zcb_stream_look(struct zcb_stream *s, struct zcb_consumer *c);
/* Nothing is left for @c, now and ever. */
bool zcb_stream_ended(const struct zcb_stream *s, const struct zcb_consumer *c);

/*
 * The owner is gone, but not what stores for it: its pending reservations fail
 * and are stragglers, until zcb_stream_drop_producer().
 */
void zcb_stream_retire_producer(struct zcb_stream *s, struct zcb_producer *p,
				u64 now_ns);
/* The owner is gone: its pending reservations fail, its stragglers are done. */
void zcb_stream_drop_producer(struct zcb_stream *s, struct zcb_producer *p,
			      u64 now_ns);
/* One straggler of a retired producer is done: its memory may go back. */
void zcb_stream_ack(struct zcb_stream *s, struct zcb_resv *r);
/* And one group that a retired consumer holds. */
void zcb_stream_let_go(struct zcb_stream *s, struct zcb_consumer *c,
		       struct zcb_group *g);
/* Its queue goes to the others or is parked, what it holds it keeps. */
void zcb_stream_retire_consumer(struct zcb_stream *s, struct zcb_consumer *c);
/* The same, if that was not done before, and what it held is released. */
void zcb_stream_drop_consumer(struct zcb_stream *s, struct zcb_consumer *c);
/*
 * The channel is going away, only retired ports are left: every group is freed that
 * they do not keep.
 */
void zcb_stream_end(struct zcb_stream *s);
/*
 * The channel is going away, no port is left: every group that is left is
 * freed.
 */
void zcb_stream_fini(struct zcb_stream *s);

#endif /* ZCB_CORE_STREAM_H */
