// SPDX-License-Identifier: GPL-2.0-only
/*
 * Groups of a topic on their way to all consumers, and back.
 *
 * A promise is one group that a BLOCK port will certainly have room for. It is made
 * to every such port when a group begins, and ends when the group is delivered or
 * fails: with the ids of groups in the order they began, a port knows by the first
 * id of its time which groups it owes.
 *
 * Nothing here sleeps or allocates; the caller holds the channel's lock.
 */
#include "delivery.h"
#include "slots.h"

/* ----------------------------------------------------------- references */

/* Its credits can be had: who was told that there are none looks again. */
static void topic_feed(struct zcb_stream *s)
{
	s->starved = false;
	s->ops->room(s);
}

/**
 * zcb_topic_spared() - nobody has a group any more who could not lose it
 * @s: the stream
 * @g: the group, out
 */
void zcb_topic_spared(struct zcb_stream *s, struct zcb_group *g)
{
	if (!g->refs)
		zcb_delivery_dead(s, g);
	else if (s->starved)
		topic_feed(s);
}

/* ----------------------------------------------------------------- room */

/* The same, when all is known that it took; if not, it will say so when it takes. */
static bool topic_makes_room(struct zcb_stream *s, struct zcb_consumer *c)
{
	if (zcb_slots_room(c))
		return true;
	if (!c->topic->shown)
		return false;
	s->ops->await(c);
	zcb_topic_sync(s, c);
	return zcb_slots_room(c);
}

/**
 * zcb_topic_room() - can a group begin?
 * @s: the stream
 *
 * Return: false if a port that must get it has no room.
 */
bool zcb_topic_room(struct zcb_stream *s)
{
	struct zcb_consumer *c;

	if (!s->cfg.topic)
		return true;
	list_for_each_entry(c, &s->consumers, node)
		if (zcb_topic_blocks(c) && !topic_makes_room(s, c)) {
			s->starved = true;
			return false;
		}
	return true;
}

/**
 * zcb_topic_promise() - a group begins
 * @s: the stream; zcb_topic_room() said so
 */
void zcb_topic_promise(struct zcb_stream *s)
{
	struct zcb_consumer *c;

	if (!s->cfg.topic)
		return;
	list_for_each_entry(c, &s->consumers, node)
		c->topic->promised += zcb_topic_blocks(c);
}

/**
 * zcb_topic_break() - a group will not be delivered
 * @s: the stream
 * @g: the group
 */
void zcb_topic_break(struct zcb_stream *s, const struct zcb_group *g)
{
	struct zcb_consumer *c;
	bool room = false;

	if (!s->cfg.topic)
		return;
	list_for_each_entry(c, &s->consumers, node) {
		if (!zcb_topic_blocks(c) || !zcb_topic_expects(c, g))
			continue;
		c->topic->promised--;
		room = true;
	}
	if (room)
		s->ops->room(s);
}

/* -------------------------------------------------------------- history */

static void topic_remember(struct zcb_stream *s, struct zcb_group *g)
{
	if (!s->cfg.history)
		return;
	zcb_topic_get(g);
	g->spare++;
	list_add_tail(&g->queue, &s->history);
	s->nhistory++;
	zcb_topic_forget(s, s->cfg.history);
}

static void topic_forget(struct zcb_stream *s, struct zcb_group *g)
{
	list_del_init(&g->queue);
	s->nhistory--;
	g->spare--;
	zcb_topic_put(s, g);
}

/**
 * zcb_topic_forget() - let go of what the history has
 * @s: the stream
 * @keep: but not of the last so many groups
 */
void zcb_topic_forget(struct zcb_stream *s, u32 keep)
{
	while (s->nhistory > keep)
		topic_forget(s, list_first_entry(&s->history, struct zcb_group,
						 queue));
}

/* ------------------------------------------------------------- delivery */

/*
 * Make room for a group of @lane, at the cost of one that is not above it. There is
 * room without if the consumer takes one by himself meanwhile.
 */
static bool topic_drop_oldest(struct zcb_stream *s, struct zcb_consumer *c,
			      u32 lane)
{
	struct zcb_topic_slot *slot, *next;
	u32 i;

	for (i = 0; i <= lane; i++)
		list_for_each_entry_safe(slot, next, &c->topic->lanes[i],
					 node) {
			if (zcb_slots_claim(s, c, slot, ZCBUF_SLOT_DROPPED)) {
				zcb_slots_drop(s, c, slot);
				return true;
			}
			if (zcb_slots_room(c))
				return false;
		}
	return false;
}

static void topic_lose(struct zcb_stream *s, struct zcb_consumer *c,
		       struct zcb_group *g)
{
	c->topic->lost++;
	s->lost++;
	g->dropped++;
}

/* A port that does not block: what it loses is counted. */
static void topic_drop(struct zcb_stream *s, struct zcb_consumer *c,
		       struct zcb_group *g, u32 lane)
{
	bool dropped = false;

	zcb_topic_sync(s, c);
	if (zcb_slots_room(c))
		return;
	if (c->topic->policy == ZCBUF_POLICY_DROP_OLDEST)
		dropped = topic_drop_oldest(s, c, lane);
	if (dropped || !zcb_slots_room(c))
		topic_lose(s, c, g);
}

/* ------------------------------------------------------- short of credits */

/* The first that is in nobody's hands; @now: and would not linger. */
static struct zcb_group *topic_spare(struct zcb_stream *s, bool now)
{
	struct zcb_group *g;

	list_for_each_entry(g, &s->groups, in_stream)
		if (g->state == ZCB_GROUP_OUT && g->refs == g->spare &&
		    (!now || !g->frozen || s->ops->quiet(s, g)))
			return g;
	return NULL;
}

/* Out of a queue that drops; each has it once at most. */
static void topic_drop_group(struct zcb_stream *s, struct zcb_consumer *c,
			     struct zcb_group *g)
{
	struct zcb_topic_queue *q = c->topic;
	u32 lane = min(g->priority, q->nlanes - 1);
	struct zcb_topic_slot *slot;

	list_for_each_entry(slot, &q->lanes[lane], node)
		if (slot->group == g) {
			if (!zcb_slots_claim(s, c, slot, ZCBUF_SLOT_DROPPED))
				return;
			topic_lose(s, c, g);
			zcb_slots_drop(s, c, slot);
			return;
		}
}

/* Neither the history nor who drops has it any more. */
static void topic_give_up(struct zcb_stream *s, struct zcb_group *g)
{
	struct zcb_consumer *c;

	zcb_topic_get(g);
	if (!list_empty(&g->queue))
		topic_forget(s, g);
	list_for_each_entry(c, &s->consumers, node)
		if (!zcb_topic_blocks(c))
			topic_drop_group(s, c, g);
	zcb_topic_put(s, g);
}

/**
 * zcb_topic_could_spare() - is there a credit to be had?
 * @s: the stream
 *
 * Walks the groups if there is none otherwise.
 *
 * Return: true if so.
 */
bool zcb_topic_could_spare(struct zcb_stream *s)
{
	if (!s->cfg.topic || s->finalized)
		return false;
	if (zcb_credit_left(&s->credit) || topic_spare(s, false))
		return true;
	s->starved = true;
	return false;
}

/**
 * zcb_topic_spare() - have a credit, at the cost of the history and who drops
 * @s: the stream
 *
 * Return: true if there is one now that was not before.
 */
bool zcb_topic_spare(struct zcb_stream *s)
{
	struct zcb_consumer *c;
	struct zcb_group *g;

	if (!s->cfg.topic || s->finalized || zcb_credit_left(&s->credit))
		return false;
	/* Nothing is lost for a group that could not begin with it. */
	if (!zcb_topic_room(s))
		return false;
	/* What a consumer took shall cost the others nothing. */
	list_for_each_entry(c, &s->consumers, node)
		zcb_topic_sync(s, c);
	while (!zcb_credit_left(&s->credit) && (g = topic_spare(s, true)))
		topic_give_up(s, g);
	/* One that lingers, since its end is what a producer who waits is told of. */
	g = zcb_credit_left(&s->credit) ? NULL : topic_spare(s, false);
	if (g)
		topic_give_up(s, g);
	s->starved |= !zcb_credit_left(&s->credit);
	return zcb_credit_left(&s->credit);
}

static void topic_offer(struct zcb_stream *s, struct zcb_consumer *c,
			struct zcb_group *g)
{
	struct zcb_topic_queue *q = c->topic;
	u32 lane = min(g->priority, q->nlanes - 1);

	if (zcb_topic_blocks(c))
		q->promised--;
	else
		topic_drop(s, c, g, lane);
	if (!zcb_slots_room(c))
		return;		/* lost */
	zcb_slots_put(s, c, g, lane);
	g->delivered++;
	s->ops->ready(s, c, 1);
}

/**
 * zcb_topic_deliver() - a group without failures goes to all
 * @s: the stream
 * @g: the group, complete
 */
void zcb_topic_deliver(struct zcb_stream *s, struct zcb_group *g)
{
	struct zcb_consumer *c;

	g->state = ZCB_GROUP_OUT;
	zcb_topic_get(g);
	list_for_each_entry(c, &s->consumers, node)
		if (zcb_topic_expects(c, g) || zcb_topic_replays(c, g))
			topic_offer(s, c, g);
	topic_remember(s, g);
	zcb_topic_put(s, g);
}

/**
 * zcb_topic_join() - a consumer comes, late maybe
 * @s: the stream
 * @c: its port, of which the stream knows
 * @replay: groups that were complete it wants
 *
 * Those that are being frozen have the last ranks there are, and cannot fail any more.
 */
void zcb_topic_join(struct zcb_stream *s, struct zcb_consumer *c, u32 replay)
{
	struct zcb_topic_queue *q = c->topic;
	u32 want = min(replay, c->depth);
	u32 frozen = min(want, s->nfreezing);
	u32 skip = s->nhistory - min(want - frozen, s->nhistory);
	struct zcb_group *g;

	q->first_group = s->next_group;
	q->end_rank = s->next_rank;
	q->first_rank = q->end_rank - frozen;
	q->promised = zcb_topic_blocks(c) ? frozen : 0;
	q->next_turn = s->next_turn;
	list_for_each_entry(g, &s->history, queue) {
		if (skip) {
			skip--;
			continue;
		}
		zcb_slots_put(s, c, g, min(g->priority, q->nlanes - 1));
		s->ops->ready(s, c, 1);
	}
}

/* -------------------------------------------------------------- publish */

/**
 * zcb_topic_plan() - may a buffer be published?
 * @s: the stream, topic or not
 * @length: bytes of it
 *
 * Return: 0; -EINVAL: no length, -ESHUTDOWN: finalized, -E2BIG: more than is left of
 * the stream, -EAGAIN: no credit, or no room at a consumer that must get it.
 */
int zcb_topic_plan(struct zcb_stream *s, u64 length)
{
	int err = zcb_stream_check(s, length, U64_MAX >> 1);

	return err ?: zcb_topic_room(s) ? 0 : -EAGAIN;
}

/**
 * zcb_topic_publish() - a buffer is a group
 * @s: the stream, topic or not
 * @p: whose it was
 * @pub: what is said of it
 * @supply: records of a reservation and a group, and the buffer
 * @now_ns: the time
 *
 * A window of which all is used, written before it is reserved.
 *
 * Return: the group, for zcb_topic_put().
 */
struct zcb_group *zcb_topic_publish(struct zcb_stream *s,
				    struct zcb_producer *p,
				    const struct zcb_topic_publication *pub,
				    const struct zcb_stream_supply *supply,
				    u64 now_ns)
{
	struct zcb_stream_commit c = {
		.length = pub->length,
		.user_tag = pub->user_tag,
		.encoding = pub->encoding,
	};
	struct zcb_group *g = supply->group;
	struct zcb_resv *r;

	r = zcb_stream_reserve(s, p, pub->length, true, supply, now_ns);
	g->priority = pub->priority;
	zcb_topic_get(g);
	c.group = g->id;
	c.id = r->id;
	c.offset = r->offset;
	zcb_stream_commit(s, p, &c, now_ns);
	return g;
}
