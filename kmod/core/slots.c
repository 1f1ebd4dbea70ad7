// SPDX-License-Identifier: GPL-2.0-only
/*
 * Slots: what one consumer has been given, and whether he has taken it; all that a topic
 * has for him, or what a stream has dealt to one who sees his queue.
 *
 * Nothing here sleeps or allocates; the caller holds the channel's lock.
 */
#include "delivery.h"
#include "slots.h"

#define TURN_NEVER	U64_MAX	/* of a slot that was never taken */

/**
 * zcb_topic_id() - names a delivery to its port
 * @q: of the port
 * @slot: the delivery
 *
 * Return: 56 bits, of which the first one tells it from a group's id.
 */
u64 zcb_topic_id(const struct zcb_topic_queue *q,
		 const struct zcb_topic_slot *slot)
{
	return ZCB_TOPIC_ID |
	       (slot->turn << ZCB_TOPIC_SLOT_BITS & (ZCB_TOPIC_ID - 1)) |
	       (slot - q->slots);
}

/**
 * zcb_slots_put() - a delivery comes into a queue
 * @s: the stream
 * @c: the port, which has room
 * @g: the group, out
 * @lane: of the queue
 */
void zcb_slots_put(struct zcb_stream *s, struct zcb_consumer *c,
		   struct zcb_group *g, u32 lane)
{
	struct zcb_topic_queue *q = c->topic;
	struct zcb_topic_slot *slot;

	slot = list_first_entry(&q->free, struct zcb_topic_slot, node);
	list_move_tail(&slot->node, &q->lanes[lane]);
	slot->state = ZCB_SLOT_QUEUED;
	slot->group = g;
	slot->turn = q->next_turn++;
	zcb_topic_get(g);
	g->spare += !zcb_topic_blocks(c);
	c->queued++;
	s->nqueued++;
	if (q->shown)
		s->ops->show(c, slot, lane);
}

/* It is in no lane and in nobody's hands any more; its name was. */
static void slots_empty(struct zcb_stream *s, struct zcb_topic_queue *q,
			struct zcb_topic_slot *slot)
{
	struct zcb_group *g = slot->group;

	slot->state = ZCB_SLOT_FREE;
	slot->group = NULL;
	/* At the end: the longer it is not used, the longer its name is known. */
	list_move_tail(&slot->node, &q->free);
	zcb_topic_put(s, g);
}

/**
 * zcb_slots_drop() - a delivery is not in a queue any more
 * @s: the stream
 * @c: the port
 * @slot: the delivery, claimed
 */
void zcb_slots_drop(struct zcb_stream *s, struct zcb_consumer *c,
		    struct zcb_topic_slot *slot)
{
	slot->group->spare -= !zcb_topic_blocks(c);
	c->queued--;
	s->nqueued--;
	slots_empty(s, c->topic, slot);
}

static void slots_hold(struct zcb_stream *s, struct zcb_consumer *c,
		       struct zcb_topic_slot *slot)
{
	list_move_tail(&slot->node, &c->topic->held);
	slot->state = ZCB_SLOT_HELD;
	slot->group->spare -= !zcb_topic_blocks(c);
	c->queued--;
	s->nqueued--;
	c->nheld++;
	c->held_bytes += zcb_group_bytes(slot->group, s->cfg.page_shift);
	s->nheld++;
}

/**
 * zcb_slots_claim() - is it still in the queue?
 * @s: the stream
 * @c: the port
 * @slot: a delivery that was put there
 * @as: ZCBUF_SLOT_*: what it is to be
 *
 * Return: true if so; if not it is held, as the consumer took it.
 */
bool zcb_slots_claim(struct zcb_stream *s, struct zcb_consumer *c,
		     struct zcb_topic_slot *slot, u32 as)
{
	if (!c->topic->shown || s->ops->claim(c, slot, as))
		return true;
	slots_hold(s, c, slot);
	return false;
}

/* The first that is still in a lane, claimed; the others are held. */
static struct zcb_topic_slot *slots_first_of(struct zcb_stream *s,
					     struct zcb_consumer *c, u32 lane,
					     u32 as)
{
	struct list_head *head = &c->topic->lanes[lane];
	struct zcb_topic_slot *slot;

	while (!list_empty(head)) {
		slot = list_first_entry(head, struct zcb_topic_slot, node);
		if (zcb_slots_claim(s, c, slot, as))
			return slot;
	}
	return NULL;
}

/* The same of the highest lane that has any. */
static struct zcb_topic_slot *slots_first(struct zcb_stream *s,
					  struct zcb_consumer *c, u32 as)
{
	struct zcb_topic_slot *slot = NULL;
	u32 lane = c->topic->nlanes;

	while (lane-- && !slot)
		slot = slots_first_of(s, c, lane, as);
	return slot;
}

/**
 * zcb_topic_sync() - notice what a consumer took by himself
 * @s: the stream
 * @c: its port, of a topic, or of a stream if it sees its queue
 */
void zcb_topic_sync(struct zcb_stream *s, struct zcb_consumer *c)
{
	u32 lane;

	if (!c->topic->shown)
		return;
	for (lane = 0; lane < c->topic->nlanes; lane++)
		slots_first_of(s, c, lane, ZCBUF_SLOT_READY);
}

/**
 * zcb_topic_show() - a consumer takes from his queue by himself
 * @s: the stream
 * @c: its port, of a topic
 */
void zcb_topic_show(struct zcb_stream *s, struct zcb_consumer *c)
{
	struct zcb_topic_queue *q = c->topic;
	struct zcb_topic_slot *slot;
	u32 lane;

	q->shown = true;
	for (lane = 0; lane < q->nlanes; lane++)
		list_for_each_entry(slot, &q->lanes[lane], node)
			s->ops->show(c, slot, lane);
	if (zcb_stream_over(s))
		s->ops->ready(s, c, 0);
}

/**
 * zcb_topic_init() - make a port that has nothing
 * @c: the port, initialized
 * @q: its queue, with @nslots set
 * @policy: ZCBUF_POLICY_*
 * @max_held: most it may hold
 * @nlanes: of its queue, at least 1
 */
void zcb_topic_init(struct zcb_consumer *c, struct zcb_topic_queue *q,
		    u32 policy, u32 max_held, u32 nlanes)
{
	u32 i;

	for (i = 0; i < ZCBUF_MAX_LANES; i++)
		INIT_LIST_HEAD(&q->lanes[i]);
	INIT_LIST_HEAD(&q->free);
	INIT_LIST_HEAD(&q->held);
	for (i = 0; i < q->nslots; i++) {
		q->slots[i] = (struct zcb_topic_slot) { .turn = TURN_NEVER };
		list_add_tail(&q->slots[i].node, &q->free);
	}
	q->first_group = 0;
	q->first_rank = 0;
	q->end_rank = 0;
	q->next_turn = 0;
	q->lost = 0;
	q->promised = 0;
	q->max_held = max_held;
	q->nlanes = nlanes;
	q->policy = policy;
	q->shown = false;
	q->told = false;
	c->topic = q;
}

/* ------------------------------------------------------------- of streams */

/**
 * zcb_slots_deal() - a group goes to one port
 * @s: the stream
 * @c: the port, which has room
 * @g: the group, younger than what is in its queue
 */
void zcb_slots_deal(struct zcb_stream *s, struct zcb_consumer *c,
		    struct zcb_group *g)
{
	g->state = ZCB_GROUP_OUT;
	g->holder = NULL;
	g->seq = c->next_seq++;
	zcb_slots_put(s, c, g, 0);
}

/**
 * zcb_slots_younger() - would a group come too late into a queue?
 * @c: a port of a stream
 * @rank: of the group
 *
 * Return: true if there is a younger one.
 */
bool zcb_slots_younger(const struct zcb_consumer *c, u64 rank)
{
	const struct list_head *lane = &c->topic->lanes[0];

	return !list_empty(lane) &&
	       list_last_entry(lane, struct zcb_topic_slot,
			       node)->group->rank > rank;
}

/**
 * zcb_slots_take_back() - what a consumer did not take is not his any more
 * @s: the stream
 * @c: its port; its queue has them then, in order
 *
 * From the end on: he may be taking from the front right now, and what he still gets is
 * older than all that he does not, and next in his count.
 */
void zcb_slots_take_back(struct zcb_stream *s, struct zcb_consumer *c)
{
	struct list_head *lane = &c->topic->lanes[0];
	struct zcb_topic_slot *slot;
	struct zcb_group *g;

	while (!list_empty(lane)) {
		slot = list_last_entry(lane, struct zcb_topic_slot, node);
		if (!zcb_slots_claim(s, c, slot, ZCBUF_SLOT_DROPPED))
			continue;
		g = slot->group;
		/* Before it is let go of, which is its end otherwise. */
		g->state = ZCB_GROUP_PARKED;
		zcb_slots_drop(s, c, slot);
		list_add(&g->queue, &c->queue);
		c->next_seq--;
	}
}

/* ----------------------------------------------------- receive, release */

/* Of a topic nothing follows from what its consumer took. */
static void slots_look(struct zcb_stream *s, struct zcb_consumer *c)
{
	if (!s->cfg.topic)
		zcb_stream_look(s, c);
}

/* It holds all it may, and there are more. A stream deals it none then. */
static bool slots_full(const struct zcb_stream *s, const struct zcb_consumer *c)
{
	if (c->nheld < c->topic->max_held)
		return false;
	return c->queued || (!s->cfg.topic && !zcb_stream_ended(s, c));
}

/* The next one, claimed. */
static int slots_next(struct zcb_stream *s, struct zcb_consumer *c,
		      struct zcb_topic_slot **slot, u32 as)
{
	zcb_topic_sync(s, c);
	slots_look(s, c);
	if (slots_full(s, c))
		return -ENOSPC;
	*slot = slots_first(s, c, as);
	if (*slot)
		return 0;
	return zcb_stream_ended(s, c) ? -ESHUTDOWN : -EAGAIN;
}

/**
 * zcb_topic_peek() - what would a port receive?
 * @s: the stream
 * @c: the port
 * @group: set to the group on success
 *
 * Return: as zcb_topic_receive().
 */
int zcb_topic_peek(struct zcb_stream *s, struct zcb_consumer *c,
		   struct zcb_group **group)
{
	struct zcb_topic_slot *slot;
	int err = slots_next(s, c, &slot, ZCBUF_SLOT_READY);

	if (!err)
		*group = slot->group;
	return err;
}

/**
 * zcb_topic_receive() - take the next delivery of a port's queue
 * @s: the stream
 * @c: the port
 * @slot: set to the delivery on success, which @c holds now
 *
 * Return: 0; -EAGAIN: nothing yet, -ESHUTDOWN: nothing ever, -ENOSPC: there is, but
 * it holds as many as it may.
 */
int zcb_topic_receive(struct zcb_stream *s, struct zcb_consumer *c,
		      struct zcb_topic_slot **slot)
{
	int err = slots_next(s, c, slot, ZCBUF_SLOT_TAKEN);

	if (err)
		return err;
	slots_hold(s, c, *slot);
	slots_look(s, c);
	/* Who sees his queue was told when it was so. */
	if (!c->topic->shown && zcb_stream_ended(s, c))
		s->ops->ready(s, c, 0);
	return 0;
}

/**
 * zcb_topic_let_go() - a delivery is not in the hands of a port any more
 * @s: the stream
 * @c: the port, retired or not
 * @slot: a delivery that it holds
 */
void zcb_topic_let_go(struct zcb_stream *s, struct zcb_consumer *c,
		      struct zcb_topic_slot *slot)
{
	c->nheld--;
	c->held_bytes -= zcb_group_bytes(slot->group, s->cfg.page_shift);
	s->nheld--;
	slots_empty(s, c->topic, slot);
}

/**
 * zcb_topic_release() - a port is done with a delivery
 * @s: the stream
 * @c: the port
 * @id: names the delivery
 *
 * Return: 0; -ENOENT: never received, -EBADSLT: released before.
 */
int zcb_topic_release(struct zcb_stream *s, struct zcb_consumer *c, u64 id)
{
	const struct zcb_topic_queue *q = c->topic;
	u64 turn = (id & (ZCB_TOPIC_ID - 1)) >> ZCB_TOPIC_SLOT_BITS;
	u32 index = id & (ZCB_TOPIC_SLOTS - 1);
	struct zcb_topic_slot *slot;

	if (index >= q->nslots || turn >= q->next_turn)
		return -ENOENT;
	slot = &c->topic->slots[array_index_nospec(index, q->nslots)];
	if (slot->turn == TURN_NEVER)
		return -ENOENT;
	if (zcb_topic_id(q, slot) != id)
		return turn < slot->turn ? -EBADSLT : -ENOENT;
	if (slot->state == ZCB_SLOT_FREE)
		return -EBADSLT;
	if (slot->state == ZCB_SLOT_QUEUED &&
	    zcb_slots_claim(s, c, slot, ZCBUF_SLOT_READY))
		return -ENOENT;
	zcb_topic_let_go(s, c, slot);
	slots_look(s, c);
	return 0;
}

/* ------------------------------------------------------ the end of ports */

/**
 * zcb_topic_retire() - a consumer is gone, and may be reading
 * @s: the stream
 * @c: its port, in no list any more
 *
 * What it was offered and did not take is dropped, what it holds stays held.
 */
void zcb_topic_retire(struct zcb_stream *s, struct zcb_consumer *c)
{
	struct zcb_topic_slot *slot;

	s->next_turn = max(s->next_turn, c->topic->next_turn);
	while ((slot = slots_first(s, c, ZCBUF_SLOT_DROPPED)))
		zcb_slots_drop(s, c, slot);
}

/**
 * zcb_topic_let_go_all() - nothing is in the hands of a port any more
 * @s: the stream
 * @c: the port
 */
void zcb_topic_let_go_all(struct zcb_stream *s, struct zcb_consumer *c)
{
	struct zcb_topic_slot *slot, *next;

	list_for_each_entry_safe(slot, next, &c->topic->held, node)
		zcb_topic_let_go(s, c, slot);
}
