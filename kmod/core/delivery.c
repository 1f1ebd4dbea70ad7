// SPDX-License-Identifier: GPL-2.0-only
/*
 * Complete groups on their way: to the queue of a port or among the parked, to
 * the hands of a consumer, and back to stream.c when they are dead.
 *
 * Two invariants carry this. A group is parked only while no port has room, so
 * whoever makes room takes from the parked groups. And parked groups, as those
 * of each queue, are in the order of their ranks, so whoever takes from the
 * front keeps the order of completion, or of the stream if it is ORDERED.
 *
 * Who sees his queue makes room there without saying so. While anything is parked, he
 * has been asked to say so since he was looked at last and had none. He takes in the
 * order in which groups came; before one comes that is older than what is there, all of
 * that is taken back, to be dealt again behind it.
 *
 * Nothing here sleeps or allocates; the caller holds the channel's lock.
 */
#include "delivery.h"
#include "slots.h"

/* As far as is known, and then with what it took by itself. */
static noinline bool port_finds_room(struct zcb_stream *s,
				     struct zcb_consumer *c)
{
	if (!zcb_slots_room(c))
		zcb_topic_sync(s, c);
	return zcb_slots_room(c);
}

static bool port_has_room(struct zcb_stream *s, struct zcb_consumer *c)
{
	return c->topic ? port_finds_room(s, c) : c->queued < c->depth;
}

/* The same; if there is none, it will say so when it takes. */
static bool port_makes_room(struct zcb_stream *s, struct zcb_consumer *c)
{
	if (port_has_room(s, c))
		return true;
	if (!c->topic)
		return false;
	s->ops->await(c);
	return port_finds_room(s, c);
}

/* Whose turn it is: of the ports with room, the one waiting longest. */
static struct zcb_consumer *stream_pick_port(struct zcb_stream *s)
{
	struct zcb_consumer *c;

	list_for_each_entry(c, &s->consumers, node)
		if (port_has_room(s, c))
			return c;
	if (!s->nshown)
		return NULL;
	list_for_each_entry(c, &s->consumers, node)
		if (port_makes_room(s, c))
			return c;
	return NULL;
}

static u64 rank_of(const struct list_head *node)
{
	return list_entry(node, struct zcb_group, queue)->rank;
}

/*
 * Put @g at the end of the queue, unless another port left it behind: then it
 * is older than the end. Such groups come in ascending order, so the search
 * goes on where the last one was put.
 */
static void queue_insert(struct zcb_consumer *c, struct zcb_group *g)
{
	struct list_head *at = c->inherited ?: &c->queue;

	if (list_empty(&c->queue) || rank_of(c->queue.prev) < g->rank) {
		list_add_tail(&g->queue, &c->queue);
		return;
	}
	if (at != &c->queue && rank_of(at) > g->rank)
		at = &c->queue;
	while (rank_of(at->next) < g->rank)
		at = at->next;
	list_add(&g->queue, at);
	c->inherited = &g->queue;
}

static void stream_enqueue(struct zcb_stream *s, struct zcb_consumer *c,
			   struct zcb_group *g)
{
	if (c->topic) {
		zcb_slots_deal(s, c, g);
		if (zcb_stream_over(s))
			s->ops->await(c);
	} else {
		g->state = ZCB_GROUP_QUEUED;
		g->holder = c;
		queue_insert(c, g);
		c->queued++;
		s->nqueued++;
	}
	list_move_tail(&c->node, &s->consumers);
	s->ops->ready(s, c, 1);
}

/* Park @g before @next, a parked group's node or the end of the list. */
static void stream_park(struct zcb_stream *s, struct zcb_group *g,
			struct list_head *next)
{
	g->state = ZCB_GROUP_PARKED;
	g->holder = NULL;
	list_add_tail(&g->queue, next);
	s->nparked++;
}

/*
 * What @c was offered and did not take goes back among the parked, by rank: a
 * port that left before may have given back groups as old.
 */
static void stream_repark(struct zcb_stream *s, struct zcb_consumer *c)
{
	struct list_head *next = s->parked.next;
	struct zcb_group *g, *tmp;

	if (c->topic) {
		zcb_slots_take_back(s, c);
	} else {
		s->nqueued -= c->queued;
		c->queued = 0;
		c->inherited = NULL;
	}
	list_for_each_entry_safe(g, tmp, &c->queue, queue) {
		while (next != &s->parked && rank_of(next) < g->rank)
			next = next->next;
		list_del(&g->queue);
		stream_park(s, g, next);
	}
}

/* The first parked group goes to @c. */
static void stream_unpark(struct zcb_stream *s, struct zcb_consumer *c)
{
	struct zcb_group *g;

	if (c->topic && zcb_slots_younger(c, rank_of(s->parked.next)))
		stream_repark(s, c);
	g = list_first_entry(&s->parked, struct zcb_group, queue);
	list_del_init(&g->queue);
	s->nparked--;
	stream_enqueue(s, c, g);
}

/* @c may have room now; no other port has, or nothing would be parked. */
static void stream_refill(struct zcb_stream *s, struct zcb_consumer *c)
{
	while (!list_empty(&s->parked) && port_makes_room(s, c))
		stream_unpark(s, c);
}

/* Some ports may have room. */
static void stream_refill_all(struct zcb_stream *s)
{
	struct zcb_consumer *c;

	while (!list_empty(&s->parked)) {
		c = stream_pick_port(s);
		if (!c)
			return;
		stream_unpark(s, c);
	}
}

static void stream_tell_ports(struct zcb_stream *s, struct list_head *ports,
			      u32 n)
{
	struct zcb_consumer *c;

	list_for_each_entry(c, ports, node)
		s->ops->ready(s, c, n);
}

static bool stream_success_ended(const struct zcb_stream *s)
{
	return zcb_stream_over(s) && !s->nqueued && !s->nparked;
}

/* Of a topic, what others have is theirs. */
static bool port_success_ended(const struct zcb_stream *s,
			       const struct zcb_consumer *c)
{
	return s->cfg.topic ? zcb_stream_over(s) && !c->queued :
			      stream_success_ended(s);
}

/* Who sees his queue knows himself what is in it: is nothing more to come? */
static bool port_hears_end(const struct zcb_stream *s,
			   const struct zcb_consumer *c)
{
	if (!c->topic)
		return stream_success_ended(s);
	return !c->topic->told && s->nqueued == c->queued;
}

/* Tell the success ports of a stream for which it ends right now, each once. */
static void stream_tell_end(struct zcb_stream *s)
{
	struct zcb_consumer *c;

	if (s->cfg.topic || !zcb_stream_over(s) || s->nparked || s->told)
		return;
	if (!stream_success_ended(s) && !s->nshown)
		return;
	list_for_each_entry(c, &s->consumers, node) {
		if (!port_hears_end(s, c))
			continue;
		if (c->topic)
			c->topic->told = true;
		s->ops->ready(s, c, 0);
	}
	s->told = stream_success_ended(s);
}

static bool stream_failure_ended(const struct zcb_stream *s)
{
	return s->finalized && list_empty(&s->failed);
}

/* To all, to the port whose turn it is, or among the parked. */
static void delivery_go(struct zcb_stream *s, struct zcb_group *g)
{
	struct zcb_consumer *c = NULL;

	if (s->cfg.topic) {
		zcb_topic_deliver(s, g);
		return;
	}
	/* While anything is parked there is no use in looking for room. */
	if (list_empty(&s->parked))
		c = stream_pick_port(s);
	g->delivered = c ? 1 : 0;
	if (c)
		stream_enqueue(s, c, g);
	else
		stream_park(s, g, &s->parked);
}

/**
 * zcb_delivery_success() - a group without failures can go
 * @s: the stream
 * @g: the group; complete, on no queue, and nothing holds it back any more
 *
 * Of an immutable stream it goes by zcb_delivery_frozen(), after those before it.
 *
 * Context: The caller holds the channel's lock.
 */
void zcb_delivery_success(struct zcb_stream *s, struct zcb_group *g)
{
	g->rank = s->next_rank++;
	if (!s->cfg.immutable) {
		delivery_go(s, g);
		return;
	}
	g->state = ZCB_GROUP_FREEZING;
	list_add_tail(&g->queue, &s->freezing);
	s->nfreezing++;
	s->ops->freeze(s);
}

/* What it took matters to those who wait for the end: it is to tell. */
static void port_await_end(struct zcb_stream *s, struct zcb_consumer *c)
{
	if (!c->topic || !c->queued)
		return;
	s->ops->await(c);
	zcb_topic_sync(s, c);
}

/* Tell the success ports for which the stream ends right now. */
static void delivery_over(struct zcb_stream *s)
{
	struct zcb_consumer *c;

	if (!zcb_stream_over(s))
		return;
	list_for_each_entry(c, &s->consumers, node)
		if (!s->cfg.topic)
			port_await_end(s, c);
		else if (port_success_ended(s, c) || zcb_topic_shown(c))
			s->ops->ready(s, c, 0);
	/* There may be room where there was none: what was taken was looked at. */
	stream_refill_all(s);
	stream_tell_end(s);
}

/**
 * zcb_delivery_frozen() - nobody can write to a group any more
 * @s: the stream, immutable
 * @g: the first of its @freezing
 *
 * It may be gone then: a topic may have no consumer. The last one of a stream that
 * is finalized is its end.
 *
 * Context: The caller holds the channel's lock.
 */
void zcb_delivery_frozen(struct zcb_stream *s, struct zcb_group *g)
{
	list_del_init(&g->queue);
	s->nfreezing--;
	delivery_go(s, g);
	delivery_over(s);
}

/**
 * zcb_delivery_dead() - a group was delivered, and nobody has it any more
 * @s: the stream
 * @g: the group, in nobody's hands and on no queue
 *
 * Of one that was frozen a reader may still have a page, by I/O. Its memory shall not
 * be that of another then, which would have to wait for him: it lingers. It has no
 * stragglers, since it has not failed.
 *
 * Context: The caller holds the channel's lock.
 */
void zcb_delivery_dead(struct zcb_stream *s, struct zcb_group *g)
{
	if (!g->frozen || s->ended || s->ops->quiet(s, g)) {
		zcb_stream_bury(s, g);
		return;
	}
	list_del_init(&g->in_stream);
	g->state = ZCB_GROUP_DEAD;
	list_add_tail(&g->queue, &s->lingering);
	s->ops->freeze(s);
}

/**
 * zcb_delivery_quiet() - nobody has a page of a dead group any more, or nobody asks
 * @s: the stream, immutable
 * @g: one of its @lingering
 *
 * Context: The caller holds the channel's lock.
 */
void zcb_delivery_quiet(struct zcb_stream *s, struct zcb_group *g)
{
	list_del_init(&g->queue);
	zcb_stream_free(s, g);
}

/**
 * zcb_delivery_failure() - a failed group can go
 * @s: the stream
 * @g: the group; complete, on no queue, counted in @s->nfailed
 *
 * All failure ports share one queue, which has no bound but the credits.
 *
 * Context: The caller holds the channel's lock.
 */
void zcb_delivery_failure(struct zcb_stream *s, struct zcb_group *g)
{
	g->state = ZCB_GROUP_FAILED;
	list_add_tail(&g->queue, &s->failed);
	stream_tell_ports(s, &s->failure_ports, 1);
}

/**
 * zcb_delivery_end() - tell the ports for which the stream ends right now
 * @s: the stream, finalized this moment
 *
 * The other ports are told by the receive that takes the last group.
 *
 * Context: The caller holds the channel's lock.
 */
void zcb_delivery_end(struct zcb_stream *s)
{
	delivery_over(s);
	if (stream_failure_ended(s))
		stream_tell_ports(s, &s->failure_ports, 0);
}

/**
 * zcb_stream_parked() - what keeps complete groups from going
 * @s: the stream
 *
 * Context: The caller holds the channel's lock.
 * Return: ZCBUF_WHY_QUEUE, ZCBUF_WHY_NO_CONSUMER, or 0: nothing is parked.
 */
u32 zcb_stream_parked(const struct zcb_stream *s)
{
	if (!s->nparked)
		return 0;
	return list_empty(&s->consumers) ? ZCBUF_WHY_NO_CONSUMER :
					   ZCBUF_WHY_QUEUE;
}

/**
 * zcb_stream_why() - what is short?
 * @s: the stream, of which a plan has just said -EAGAIN
 *
 * A consumer that takes by himself may have made room since: with a credit it was
 * that all the same.
 *
 * Context: The caller holds the channel's lock.
 * Return: ZCBUF_WHY_LIMIT or ZCBUF_WHY_QUEUE, and zcb_stream_parked().
 */
u32 zcb_stream_why(struct zcb_stream *s)
{
	u32 why = zcb_stream_parked(s);
	bool credit = zcb_credit_left(&s->credit);

	if (!credit)
		why |= ZCBUF_WHY_LIMIT;
	if (credit || !zcb_topic_room(s))
		why |= ZCBUF_WHY_QUEUE;
	return why;
}

/**
 * zcb_consumer_init() - make a consumer port that has nothing
 * @c: its memory, whatever is in there
 * @depth: most groups offered to it at a time, at least 1
 * @failure: serves the failure queue, not the success queue
 *
 * Context: Before anybody else knows the port.
 */
void zcb_consumer_init(struct zcb_consumer *c, u32 depth, bool failure)
{
	memset(c, 0, sizeof(*c));
	INIT_LIST_HEAD(&c->node);
	INIT_LIST_HEAD(&c->queue);
	INIT_LIST_HEAD(&c->held);
	c->depth = depth;
	c->failure = failure;
}

/**
 * zcb_stream_add_consumer() - let a port take part in deliveries
 * @s: the stream
 * @c: an initialized port
 *
 * What is parked is offered to it at once. Of a topic, it gets what begins from now
 * on, with zcb_topic_join().
 *
 * Context: The caller holds the channel's lock.
 */
void zcb_stream_add_consumer(struct zcb_stream *s, struct zcb_consumer *c)
{
	if (c->failure) {
		list_add_tail(&c->node, &s->failure_ports);
		return;
	}
	list_add_tail(&c->node, &s->consumers);
	if (!c->topic)
		stream_refill(s, c);
}

/**
 * zcb_stream_ended() - has a port got all there is?
 * @s: the stream
 * @c: the port
 *
 * A group on the queue of another port may still come back, if that port
 * leaves; one that was received may not.
 *
 * Context: The caller holds the channel's lock.
 * Return: true if nothing is left for @c, now and ever.
 */
bool zcb_stream_ended(const struct zcb_stream *s, const struct zcb_consumer *c)
{
	return c->failure ? stream_failure_ended(s) : port_success_ended(s, c);
}

/**
 * zcb_stream_peek() - what would a port receive?
 * @s: the stream
 * @c: the port
 * @group: set to the group on success; it stays where it is
 *
 * Context: The caller holds the channel's lock.
 * Return: 0; -EAGAIN: nothing yet, -ESHUTDOWN: nothing ever.
 */
int zcb_stream_peek(struct zcb_stream *s, struct zcb_consumer *c,
		    struct zcb_group **group)
{
	const struct list_head *queue = c->failure ? &s->failed : &c->queue;

	if (c->topic)
		return zcb_topic_peek(s, c, group);
	if (list_empty(queue))
		return zcb_stream_ended(s, c) ? -ESHUTDOWN : -EAGAIN;
	*group = list_first_entry(queue, struct zcb_group, queue);
	return 0;
}

static void stream_hold(struct zcb_stream *s, struct zcb_consumer *c,
			struct zcb_group *g)
{
	if (c->inherited == &g->queue)
		c->inherited = NULL;
	g->state = ZCB_GROUP_HELD;
	g->holder = c;
	g->seq = c->next_seq++;
	list_move_tail(&g->queue, &c->held);
	c->nheld++;
	c->held_bytes += zcb_group_bytes(g, s->cfg.page_shift);
	s->nheld++;
}

/**
 * zcb_stream_receive() - take the next group of a port's queue
 * @s: the stream
 * @c: the port
 * @group: set to the group on success, which @c holds now
 *
 * Room on its queue is filled from the parked groups. Taking the last group of
 * a finalized stream is its end for all ports of that kind.
 *
 * Context: The caller holds the channel's lock.
 * Return: as zcb_stream_peek().
 */
int zcb_stream_receive(struct zcb_stream *s, struct zcb_consumer *c,
		       struct zcb_group **group)
{
	int err = zcb_stream_peek(s, c, group);

	if (err)
		return err;
	stream_hold(s, c, *group);
	if (c->failure) {
		s->nfailed--;
	} else {
		c->queued--;
		s->nqueued--;
		stream_refill(s, c);
	}
	if (!s->finalized)
		return 0;
	if (!c->failure)
		stream_tell_end(s);
	else if (stream_failure_ended(s))
		stream_tell_ports(s, &s->failure_ports, 0);
	return 0;
}

/**
 * zcb_stream_look() - notice what a consumer took by himself, and what follows
 * @s: the stream; nothing is done for a topic
 * @c: the port; nothing is done for one that does not see its queue, or is gone
 *
 * Its room is filled from the parked groups, and who waits for the end may hear of it.
 *
 * Context: The caller holds the channel's lock.
 */
void zcb_stream_look(struct zcb_stream *s, struct zcb_consumer *c)
{
	if (s->cfg.topic || !c->topic || list_empty(&c->node))
		return;
	zcb_topic_sync(s, c);
	stream_refill(s, c);
	if (zcb_stream_over(s)) {
		port_await_end(s, c);
		stream_refill(s, c);
	}
	stream_tell_end(s);
}

/**
 * zcb_stream_show() - a consumer takes from his queue by himself
 * @s: the stream, no topic
 * @c: its success port, which did not see it before
 * @q: the queue, with @nslots set to @max_held
 * @max_held: most it may hold and be offered from now on
 *
 * What it was offered, and is more than that, the others are.
 *
 * Context: The caller holds the channel's lock.
 */
void zcb_stream_show(struct zcb_stream *s, struct zcb_consumer *c,
		     struct zcb_topic_queue *q, u32 max_held)
{
	stream_repark(s, c);
	zcb_topic_init(c, q, ZCBUF_POLICY_PARK, max_held, 1);
	q->next_turn = s->next_turn;
	q->shown = true;
	s->nshown++;
	stream_refill(s, c);
	stream_refill_all(s);
	q->told = s->told;
	if (q->told)
		s->ops->ready(s, c, 0);
	zcb_stream_look(s, c);
}

/**
 * zcb_stream_let_go() - a group is not in the hands of a port any more
 * @s: the stream
 * @c: the port, retired or not
 * @g: a group that it holds
 *
 * Context: The caller holds the channel's lock.
 */
void zcb_stream_let_go(struct zcb_stream *s, struct zcb_consumer *c,
		       struct zcb_group *g)
{
	list_del_init(&g->queue);
	g->holder = NULL;
	c->nheld--;
	c->held_bytes -= zcb_group_bytes(g, s->cfg.page_shift);
	s->nheld--;
	zcb_delivery_dead(s, g);
}

/**
 * zcb_stream_release() - a port is done with a group
 * @s: the stream
 * @c: the port that holds it
 * @group: id of the group
 *
 * Its memory goes back, unless stragglers keep it.
 *
 * Context: The caller holds the channel's lock.
 * Return: 0; -ENOENT: no such group or never received, -EBADSLT: released
 * before, -EPERM: another port holds it.
 */
int zcb_stream_release(struct zcb_stream *s, struct zcb_consumer *c, u64 group)
{
	struct zcb_group *g = zcb_stream_find_group(s, group);

	if (!g)
		return group < s->next_group ? -EBADSLT : -ENOENT;
	if (g->state == ZCB_GROUP_DEAD)
		return -EBADSLT;
	if (g->state != ZCB_GROUP_HELD)
		return -ENOENT;
	if (g->holder != c)
		return -EPERM;
	zcb_stream_let_go(s, c, g);
	/* It had that before it saw its queue. */
	if (c->topic)
		zcb_stream_look(s, c);
	return 0;
}

/**
 * zcb_stream_retire_consumer() - a consumer is gone, and may be reading
 * @s: the stream
 * @c: its port, for zcb_stream_drop_consumer()
 *
 * What it was offered and did not take is offered to the others, before all that
 * was complete later; of a topic, they have it. What it holds stays held.
 *
 * Context: The caller holds the channel's lock. Walks the queue of @c and, if it
 * was offered something, the parked groups.
 */
void zcb_stream_retire_consumer(struct zcb_stream *s, struct zcb_consumer *c)
{
	list_del_init(&c->node);
	if (s->cfg.topic && c->topic) {
		zcb_topic_retire(s, c);
		return;
	}
	stream_repark(s, c);
	if (zcb_topic_shown(c)) {
		s->next_turn = max(s->next_turn, c->topic->next_turn);
		c->topic->shown = false;
		s->nshown--;
	}
	stream_refill_all(s);
	stream_tell_end(s);
}

/**
 * zcb_stream_drop_consumer() - a consumer is gone
 * @s: the stream
 * @c: its port, retired or not
 *
 * What it held is released.
 *
 * Context: As zcb_stream_retire_consumer(). Walks what @c has.
 */
void zcb_stream_drop_consumer(struct zcb_stream *s, struct zcb_consumer *c)
{
	struct zcb_group *g, *tmp;

	list_for_each_entry_safe(g, tmp, &c->held, queue)
		zcb_stream_let_go(s, c, g);
	zcb_stream_retire_consumer(s, c);
	if (c->topic)
		zcb_topic_let_go_all(s, c);
}
