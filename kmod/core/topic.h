/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Topics: streams whose complete groups go to every consumer. A group is counted:
 * one reference for each delivery that is in a queue or in the hands of a consumer,
 * one for the history, one while it is published. Nothing is parked: a queue that is
 * full has a policy. BLOCK has promised room to each group that was begun since the
 * port came, so that delivery never has to wait. When credits are short, the oldest
 * groups go that only the history and queues that drop still have.
 *
 * A port's deliveries are slots, all made with the port: what a group needs to be
 * delivered is there before it begins.
 *
 * A queue can be shown to its consumer, who takes from it by himself then: a word of
 * each slot in his memory says whether it is still there, and who changes that first
 * has it. What the consumer took is held from then on; here it is noticed when a slot
 * is looked at. All he can do with the words is to lose what is his, or to hold it.
 *
 * A port of a stream has such a queue if it is shown. Each of its groups is in one slot
 * of one port, with one reference; what was not taken can be had back and dealt anew.
 *
 * The caller holds the channel's lock, and brings memory.
 */
#ifndef ZCB_CORE_TOPIC_H
#define ZCB_CORE_TOPIC_H

#include "stream.h"

/* Names of deliveries of topics; those of streams are their groups', below it. */
#define ZCB_TOPIC_ID		((u64)1 << 55)
#define ZCB_TOPIC_SLOT_BITS	ZCBUF_SLOT_BITS
#define ZCB_TOPIC_SLOTS		((u32)1 << ZCB_TOPIC_SLOT_BITS)

enum zcb_topic_slot_state {
	ZCB_SLOT_FREE,
	ZCB_SLOT_QUEUED,
	ZCB_SLOT_HELD,
};

/**
 * struct zcb_topic_slot - one delivery to one port
 * @node: free, in a lane, or held
 * @group: with a reference, unless FREE
 * @turn: how many had been put into slots of the port before; FREE: of the last one
 * @state: enum zcb_topic_slot_state
 */
struct zcb_topic_slot {
	struct list_head node;
	struct zcb_group *group;
	u64 turn;
	u8 state;
};

/**
 * struct zcb_topic_queue - what one consumer has of a topic, or sees of a stream
 * @lanes: slots that are queued, by priority, each lane first the oldest
 * @free: slots
 * @held: slots
 * @first_group: groups with a lower id began before it came
 * @first_rank: and of these it gets those from this rank on
 * @end_rank: up to the one before this: they were being frozen when it came
 * @next_turn: slots taken so far
 * @lost: groups dropped so far
 * @promised: BLOCK: groups begun, and neither here nor failed yet
 * @max_held: most in its hands
 * @nlanes: lanes it has
 * @policy: ZCBUF_POLICY_*
 * @shown: the consumer takes from it by himself as well
 * @told: of a stream: the consumer was told of its end
 * @nslots: the depth of the queue and @max_held; of a stream: @max_held
 * @slots: them
 */
struct zcb_topic_queue {
	struct list_head lanes[ZCBUF_MAX_LANES];
	struct list_head free;
	struct list_head held;
	u64 first_group;
	u64 first_rank;
	u64 end_rank;
	u64 next_turn;
	u64 lost;
	u32 promised;
	u32 max_held;
	u32 nlanes;
	u32 policy;
	bool shown;
	bool told;
	u32 nslots;
	struct zcb_topic_slot slots[];
};

/* What PUBLISH says besides the buffer. */
struct zcb_topic_publication {
	u64 length;
	u64 user_tag;
	u32 encoding;
	u32 priority;
};

/* @nslots is set, at most ZCB_TOPIC_SLOTS; the port is initialized. */
void zcb_topic_init(struct zcb_consumer *c, struct zcb_topic_queue *q,
		    u32 policy, u32 max_held, u32 nlanes);
/*
 * The last @replay groups that were complete go into its queue: those of the history,
 * and those that are being frozen when they are delivered.
 */
void zcb_topic_join(struct zcb_stream *s, struct zcb_consumer *c, u32 replay);

/* As zcb_stream_plan(), for a buffer. */
int zcb_topic_plan(struct zcb_stream *s, u64 length);
/* Without a credit: is there one to be had at the cost of who drops? Have it. */
bool zcb_topic_could_spare(struct zcb_stream *s);
bool zcb_topic_spare(struct zcb_stream *s);
/*
 * The buffer of @supply is a complete group. After the plan, under the same lock: it
 * cannot fail. The caller keeps the group.
 */
struct zcb_group *zcb_topic_publish(struct zcb_stream *s,
				    struct zcb_producer *p,
				    const struct zcb_topic_publication *pub,
				    const struct zcb_stream_supply *supply,
				    u64 now_ns);
void zcb_topic_spared(struct zcb_stream *s, struct zcb_group *g);

/**
 * zcb_topic_get() - keep a group
 * @g: the group, of any stream
 */
static inline void zcb_topic_get(struct zcb_group *g)
{
	g->refs++;
}

/**
 * zcb_topic_put() - let go of it
 * @s: the stream
 * @g: the group; one that is not out is kept by what it still has before it
 */
static inline void zcb_topic_put(struct zcb_stream *s, struct zcb_group *g)
{
	if (--g->refs == g->spare && g->state == ZCB_GROUP_OUT)
		zcb_topic_spared(s, g);
}

/*
 * The next delivery of @c's queue, now held by @c: -EAGAIN, -ESHUTDOWN at the end,
 * -ENOSPC it holds as many as it may.
 */
int zcb_topic_receive(struct zcb_stream *s, struct zcb_consumer *c,
		      struct zcb_topic_slot **slot);
int zcb_topic_peek(struct zcb_stream *s, struct zcb_consumer *c,
		   struct zcb_group **group);
/* The consumer sees it from now on: all that is queued is shown. */
void zcb_topic_show(struct zcb_stream *s, struct zcb_consumer *c);
/* What he took by himself is held. */
void zcb_topic_sync(struct zcb_stream *s, struct zcb_consumer *c);
/* As zcb_stream_release(), but that others have none of its names. */
int zcb_topic_release(struct zcb_stream *s, struct zcb_consumer *c, u64 id);
/* One delivery that a retired consumer holds. */
void zcb_topic_let_go(struct zcb_stream *s, struct zcb_consumer *c,
		      struct zcb_topic_slot *slot);

/* Do producers wait for room there? Of a consumer of a stream they do not. */
static inline bool zcb_topic_blocks(const struct zcb_consumer *c)
{
	return c->topic && c->topic->policy == ZCBUF_POLICY_BLOCK;
}

/* Was it there when the group began? */
static inline bool zcb_topic_expects(const struct zcb_consumer *c,
				     const struct zcb_group *g)
{
	return g->id >= c->topic->first_group;
}

/* Was that being frozen when it came, and did it ask for what was before? */
static inline bool zcb_topic_replays(const struct zcb_consumer *c,
				     const struct zcb_group *g)
{
	return g->rank >= c->topic->first_rank && g->rank < c->topic->end_rank;
}

static inline bool zcb_topic_shown(const struct zcb_consumer *c)
{
	return c->topic && c->topic->shown;
}

u64 zcb_topic_id(const struct zcb_topic_queue *q,
		 const struct zcb_topic_slot *slot);

/* For the other files of a stream; of no effect on one that is no topic. */
bool zcb_topic_room(struct zcb_stream *s);
void zcb_topic_promise(struct zcb_stream *s);
void zcb_topic_break(struct zcb_stream *s, const struct zcb_group *g);
void zcb_topic_deliver(struct zcb_stream *s, struct zcb_group *g);
void zcb_topic_retire(struct zcb_stream *s, struct zcb_consumer *c);
void zcb_topic_let_go_all(struct zcb_stream *s, struct zcb_consumer *c);
/* All of the history but the last @keep groups. */
void zcb_topic_forget(struct zcb_stream *s, u32 keep);

#endif /* ZCB_CORE_TOPIC_H */
