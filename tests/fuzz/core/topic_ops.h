/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What is done to a topic besides producing: its producers leave, consumers come,
 * receive, release and leave, its stream ends. And the comparing of all of it.
 */
#ifndef ZCBUF_TOPIC_OPS_H
#define ZCBUF_TOPIC_OPS_H

#include "topic_model.h"

/* ------------------------------------------------------ the end of producers */

/* Who lives is told that its reservation has failed, else it is found out. */
static inline void op_acknowledge(void *state)
{
	struct state *s = state;
	struct m_resv *r = &s->resvs[zcb_rand_below(s->in, s->nresvs)];

	if (!s->nresvs || !r->straggler)
		return;
	if (s->producers[r->owner].retired)
		zcb_stream_ack(&s->rig->s, r->real);
	else
		KUNIT_ASSERT_EQ(s->test, -ESHUTDOWN,
				zcb_stream_abort(&s->rig->s,
						 &s->real_producers[r->owner],
						 r->group, r - s->resvs,
						 rig_now(s->rig)));
	r->straggler = false;
}

static inline void fail_all_of(struct state *s, int owner, bool straggler)
{
	u32 i;

	for (i = s->resv_base; i < s->nresvs; i++)
		if (s->resvs[i].pending && s->resvs[i].owner == owner)
			fail_one(s, &s->resvs[i], straggler);
}

static inline void op_retire_producer(void *state)
{
	struct state *s = state;
	int owner = choose_producer(s);

	if (owner == NONE)
		return;
	zcb_stream_retire_producer(&s->rig->s, &s->real_producers[owner],
				   rig_now(s->rig));
	s->producers[owner].retired = true;
	fail_all_of(s, owner, true);
}

static inline void add_producer(struct state *s, int i)
{
	s->producers[i] = (struct m_producer){ .id = ++s->generation };
	memset(&s->real_producers[i], 0xa5, sizeof(s->real_producers[i]));
	zcb_producer_init(&s->real_producers[i]);
	s->real_producers[i].id = s->generation;
}

static inline void drop_producer(struct state *s, int owner)
{
	u32 i;

	zcb_stream_drop_producer(&s->rig->s, &s->real_producers[owner],
				 rig_now(s->rig));
	KUNIT_ASSERT_TRUE(s->test,
			  list_empty(&s->real_producers[owner].decided));
	fail_all_of(s, owner, false);
	for (i = s->resv_base; i < s->nresvs; i++)
		if (s->resvs[i].owner == owner) {
			s->resvs[i].straggler = false;
			s->resvs[i].owner = NONE;
		}
}

/* And another one comes. */
static inline void op_drop_producer(void *state)
{
	struct state *s = state;
	int i = zcb_rand_below(s->in, PRODUCERS);

	drop_producer(s, i);
	add_producer(s, i);
}

/* Few, as little happens after it. */
static inline void op_finalize(void *state)
{
	struct state *s = state;
	struct zcb_stream_counts counts;
	u64 ranks = s->ranks, failures = s->failures, npending = 0;
	u32 i, r;

	if (s->finalized || !zcb_rand_chance(s->in, 25))
		return;
	zcb_stream_finalize(&s->rig->s, rig_now(s->rig), &counts);
	s->finalized = true;
	for (i = s->base; i < s->ngroups; i++) {
		struct m_group *g = &s->groups[i];

		if (g->place == RUNNING)
			npending += pending_in(s, i);
		if (s->open == (int)i)
			seal(s, i);
		for (r = s->resv_base; r < s->nresvs; r++)
			if (s->resvs[r].group == i && s->resvs[r].pending)
				fail_one(s, &s->resvs[r], true);
		if (g->place == WITHHELD)
			put_failed(s, g);
	}
	for (i = 0; i < PORTS; i++)
		s->ports[i].ends += s->ports[i].on && !s->ports[i].retired &&
				    (s->ports[i].shown ||
				     !port_count(&s->ports[i], QUEUED));
	KUNIT_ASSERT_EQ(s->test, counts.success, s->ranks - ranks);
	KUNIT_ASSERT_EQ(s->test, counts.failure, s->failures - failures);
	KUNIT_ASSERT_EQ(s->test, counts.reservations, npending);
}

/* ---------------------------------------------------------------- consuming */

static inline struct m_delivery *next_delivery(struct m_port *p)
{
	struct m_delivery *d, *found = NULL;

	for (d = p->deliveries + p->base; d < p->deliveries + p->n; d++)
		if (d->state == QUEUED && (!found || d->lane > found->lane))
			found = d;
	return found;
}

static inline int expected_receive(const struct state *s, struct m_port *p)
{
	if (!next_delivery(p))
		return s->finalized ? -ESHUTDOWN : -EAGAIN;
	return port_count(p, TAKEN) < p->max_held ? 0 : -ENOSPC;
}

static inline void check_received(struct state *s, u32 i,
				  const struct m_delivery *d,
				  const struct zcb_topic_slot *slot)
{
	const struct m_group *g = &s->groups[d->group];
	const struct zcb_group *real = slot->group;
	struct kunit *test = s->test;

	KUNIT_ASSERT_EQ(test, real->id, (u64)d->group);
	KUNIT_ASSERT_EQ(test, real->offset, g->offset);
	KUNIT_ASSERT_EQ(test, real->length, g->length);
	KUNIT_ASSERT_EQ(test, real->seq, g->seq);
	KUNIT_ASSERT_EQ(test, real->publisher, g->publisher);
	KUNIT_ASSERT_EQ(test, real->user_tag, g->tag);
	KUNIT_ASSERT_EQ(test, real->time_ns, g->time);
	KUNIT_ASSERT_EQ(test, real->encoding, g->published ? 7U : 0U);
	KUNIT_ASSERT_EQ(test, slot->turn,
			s->ports[i].turn + (d - s->ports[i].deliveries));
	rig_check_group(s->rig, real);
}

static inline void receive_from(struct state *s, u32 i)
{
	struct m_port *p = &s->ports[i];
	struct m_delivery *d = next_delivery(p);
	struct zcb_topic_slot *slot = NULL;
	int want = expected_receive(s, p);

	KUNIT_ASSERT_EQ(s->test, want,
			zcb_topic_receive(&s->rig->s, &s->real[i].c, &slot));
	if (want)
		return;
	check_received(s, i, d, slot);
	d->state = TAKEN;
	d->seen = true;
	d->id = zcb_topic_id(&topic_queues[i].q, slot);
	KUNIT_ASSERT_EQ(s->test, d->id >> 55, 1ULL);
	p->ends += !p->shown && s->finalized && !next_delivery(p);
}

static inline struct m_port *choose_port(struct state *s, u32 *i)
{
	*i = zcb_rand_below(s->in, PORTS);
	return &s->ports[*i];
}

static inline void op_receive(void *state)
{
	struct state *s = state;
	u32 i, n;
	struct m_port *p = choose_port(s, &i);

	for (n = 1 + zcb_rand_below(s->in, 4); n && p->on && !p->retired; n--)
		receive_from(s, i);
}

/* From now on it sees what is in its queue. */
static inline void op_show(void *state)
{
	struct state *s = state;
	u32 i;
	struct m_port *p = choose_port(s, &i);

	if (!p->on || p->retired || p->shown)
		return;
	p->shown = true;
	p->ends += s->finalized;
	zcb_topic_show(&s->rig->s, &s->real[i].c);
}

/* What comes next, without a call. */
static inline void op_take(void *state)
{
	struct state *s = state;
	u32 i, slot;
	struct m_port *p = choose_port(s, &i);
	struct m_delivery *d = next_delivery(p);
	u64 turn;

	if (!p->on || p->retired || !p->shown || !d)
		return;
	turn = p->turn + (d - p->deliveries);
	for (slot = 0; slot < p->depth + p->max_held; slot++)
		if (topic_words[i][slot] >> ZCB_TOPIC_SLOT_BITS ==
		    (ZCB_TOPIC_ID >> ZCB_TOPIC_SLOT_BITS | turn))
			break;
	KUNIT_ASSERT_LT(s->test, slot, p->depth + p->max_held);
	check_received(s, i, d, &topic_queues[i].q.slots[slot]);
	d->id = topic_words[i][slot];
	d->state = TAKEN;
	d->seen = true;
	topic_words[i][slot] = 0;
}

static inline void op_sync(void *state)
{
	struct state *s = state;
	u32 i;
	struct m_port *p = choose_port(s, &i);

	if (!p->on || p->retired)
		return;
	zcb_topic_sync(&s->rig->s, &s->real[i].c);
	KUNIT_ASSERT_EQ(s->test, s->real[i].c.nheld, port_count(p, TAKEN));
	KUNIT_ASSERT_EQ(s->test, s->real[i].c.queued, port_count(p, QUEUED));
}

static inline void release_one(struct state *s, u32 i, u64 id, int want)
{
	KUNIT_ASSERT_EQ(s->test, want,
			zcb_topic_release(&s->rig->s, &s->real[i].c, id));
}

/* One that it was given once. */
static inline void op_release(void *state)
{
	struct state *s = state;
	u32 i, at;
	struct m_port *p = choose_port(s, &i);
	struct m_delivery *d;

	at = zcb_rand_below(s->in, p->n);
	if (!p->on || p->retired)
		return;
	/* Rather one that it holds. */
	for (d = &p->deliveries[at]; d < p->deliveries + p->n; d++)
		if (d->state == TAKEN)
			break;
	if (d == p->deliveries + p->n)
		d = &p->deliveries[at];
	if (!p->n || !d->seen)
		return;
	release_one(s, i, d->id, d->state == TAKEN ? 0 : -EBADSLT);
	d->state = OVER;
}

/*
 * Names that it was not given: of what is queued, of turns to come, or before its
 * time, any.
 */
static inline void op_release_any(void *state)
{
	struct state *s = state;
	u32 i;
	struct m_port *p = choose_port(s, &i);
	struct zcb_topic_slot *slot;
	u64 id, turn;

	if (!p->on || p->retired)
		return;
	slot = &topic_queues[i].q.slots[zcb_rand_below(s->in,
						       p->depth + p->max_held)];
	turn = slot->turn;
	id = zcb_topic_id(&topic_queues[i].q, slot);
	if (turn == U64_MAX)
		release_one(s, i, id, -ENOENT);
	else if (p->deliveries[turn - p->turn].state == QUEUED)
		release_one(s, i, id, -ENOENT);
	else if (p->deliveries[turn - p->turn].state == OVER)
		release_one(s, i, id, -EBADSLT);
	/* Of the port that was here before. */
	id = ZCB_TOPIC_ID | (slot - topic_queues[i].q.slots);
	if (p->turn)
		release_one(s, i, id | (p->turn - 1) << ZCB_TOPIC_SLOT_BITS,
			    turn == U64_MAX ? -ENOENT : -EBADSLT);
	id = ZCB_TOPIC_ID | (p->turn + p->n) << ZCB_TOPIC_SLOT_BITS;
	release_one(s, i, id | zcb_rand_below(s->in, ZCB_TOPIC_SLOTS), -ENOENT);
	id = ZCB_TOPIC_ID | (u64)zcb_rand_below(s->in, DELIVERIES)
				    << ZCB_TOPIC_SLOT_BITS;
	release_one(s, i, id | (p->depth + p->max_held), -ENOENT);
}

/* ------------------------------------------------------------------- ports */

/* The last of the history, and as they go into its queue. */
static inline void replay(struct state *s, struct m_port *p, u32 wanted)
{
	u32 n = kept(s), skip = n - min(min(n, wanted), p->depth);
	u64 rank = 0;
	int i;

	for (; (i = next_kept(s, rank)) != NONE; rank = s->groups[i].rank + 1)
		if (skip)
			skip--;
		else
			put_into(p, i, s->groups[i].priority);
}

static inline void add_port(struct state *s, u32 i)
{
	struct m_port *p = &s->ports[i];
	struct zcb_consumer *c = &s->real[i].c;
	struct zcb_topic_queue *q = &topic_queues[i].q;
	u32 wanted;

	if (is_full(s))
		return;
	memset(p, 0, sizeof(*p));
	p->on = true;
	p->policy = ZCBUF_POLICY_BLOCK + zcb_rand_below(s->in, 3);
	p->depth = 1 + zcb_rand_below(s->in, zcb_rand_below(s->in, 3) ? 4 : 40);
	p->max_held = 1 + zcb_rand_below(s->in, 5);
	p->nlanes = 1 + zcb_rand_below(s->in, ZCBUF_MAX_LANES);
	p->first = s->ngroups;
	p->turn = s->turn;
	wanted = zcb_rand_below(s->in, 8);
	memset(&s->real[i], 0xa5, sizeof(s->real[i]));
	memset(&topic_queues[i], 0xa5, sizeof(topic_queues[i]));
	memset(topic_words[i], 0, sizeof(topic_words[i]));
	s->real[i].ready = 0;
	s->real[i].ends = 0;
	s->real[i].words = topic_words[i];
	s->real[i].grabs = 0;
	s->real[i].drops = 0;
	q->nslots = p->depth + p->max_held;
	zcb_consumer_init(c, p->depth, false);
	zcb_topic_init(c, q, p->policy, p->max_held, p->nlanes);
	zcb_stream_add_consumer(&s->rig->s, c);
	zcb_topic_join(&s->rig->s, c, wanted);
	replay(s, p, wanted);
}

/* Those to come give other names. */
static inline void end_turns(struct state *s, const struct m_port *p)
{
	s->turn = max(s->turn, p->turn + p->n);
}

static inline void drop_port(struct state *s, u32 i)
{
	struct m_port *p = &s->ports[i];

	end_turns(s, p);
	zcb_stream_drop_consumer(&s->rig->s, &s->real[i].c);
	KUNIT_ASSERT_EQ(s->test, s->real[i].c.nheld, 0U);
	KUNIT_ASSERT_EQ(s->test, s->real[i].c.held_bytes, 0ULL);
	memset(&s->real[i], RIG_POISON, sizeof(s->real[i]));
	memset(&topic_queues[i], RIG_POISON, sizeof(topic_queues[i]));
	p->on = false;
	p->n = p->base = 0;
}

static inline void op_port(void *state)
{
	struct state *s = state;
	u32 i;
	struct m_port *p = choose_port(s, &i);

	if (p->on)
		drop_port(s, i);
	else
		add_port(s, i);
}

static inline void op_retire_port(void *state)
{
	struct state *s = state;
	u32 i, n;
	struct m_port *p = choose_port(s, &i);

	if (!p->on || p->retired)
		return;
	zcb_stream_retire_consumer(&s->rig->s, &s->real[i].c);
	p->retired = true;
	end_turns(s, p);
	for (n = 0; n < p->n; n++)
		if (p->deliveries[n].state == QUEUED)
			p->deliveries[n].state = OVER;
}

/* One of what a retired port holds. */
static inline void op_let_go(void *state)
{
	struct state *s = state;
	u32 i, at;
	struct m_port *p = choose_port(s, &i);
	struct m_delivery *d;

	at = zcb_rand_below(s->in, p->n);
	d = &p->deliveries[at];
	if (!p->on || !p->retired || at >= p->n || d->state != TAKEN)
		return;
	zcb_topic_let_go(&s->rig->s, &s->real[i].c,
			 &topic_queues[i].q.slots[d->id &
						  (ZCB_TOPIC_SLOTS - 1)]);
	d->state = OVER;
}

/* ------------------------------------------------------------ failed groups */

static inline int next_failed(const struct state *s)
{
	int i, best = NONE;

	for (i = s->base; i < (int)s->ngroups; i++)
		if (s->groups[i].place == FAILED &&
		    (best == NONE || s->groups[i].rank < s->groups[best].rank))
			best = i;
	return best;
}

static inline void op_receive_failed(void *state)
{
	struct state *s = state;
	u32 port = zcb_rand_below(s->in, FAILURE_PORTS);
	struct zcb_consumer *c = &s->real_failure[port].c;
	struct zcb_group *real = NULL;
	int i = next_failed(s), want = 0;

	if (!s->failure_ports[port].on)
		return;
	if (i == NONE)
		want = s->finalized ? -ESHUTDOWN : -EAGAIN;
	KUNIT_ASSERT_EQ(s->test, want,
			zcb_stream_receive(&s->rig->s, c, &real));
	if (want)
		return;
	KUNIT_ASSERT_EQ(s->test, real->id, (u64)i);
	s->groups[i].place = HELD;
	s->groups[i].holder = port;
}

static inline void op_release_failed(void *state)
{
	struct state *s = state;
	u32 i = zcb_rand_below(s->in, s->ngroups);
	u32 port;

	while (i < s->ngroups && s->groups[i].place != HELD)
		i++;
	if (i == s->ngroups)
		return;
	port = s->groups[i].holder;
	KUNIT_ASSERT_EQ(s->test, 0,
			zcb_stream_release(&s->rig->s,
					   &s->real_failure[port].c, i));
	s->groups[i].place = RELEASED;
}

static inline void drop_failure_port(struct state *s, u32 port)
{
	u32 i;

	zcb_stream_drop_consumer(&s->rig->s, &s->real_failure[port].c);
	s->failure_ports[port].on = false;
	for (i = s->base; i < s->ngroups; i++)
		if (s->groups[i].place == HELD &&
		    s->groups[i].holder == (int)port)
			s->groups[i].place = RELEASED;
}

static inline void add_failure_port(struct state *s, u32 port)
{
	memset(&s->real_failure[port], 0, sizeof(s->real_failure[port]));
	zcb_consumer_init(&s->real_failure[port].c, 1, true);
	zcb_stream_add_consumer(&s->rig->s, &s->real_failure[port].c);
	s->failure_ports[port] = (struct m_failure_port){ .on = true };
}

static inline void op_failure_port(void *state)
{
	struct state *s = state;
	u32 port = zcb_rand_below(s->in, FAILURE_PORTS);

	if (s->failure_ports[port].on)
		drop_failure_port(s, port);
	else
		add_failure_port(s, port);
}

/* --------------------------------------------------------------- the stream */

static inline void open_stream(struct state *s)
{
	struct zcb_stream_config *cfg = &s->rig->cfg;
	u32 flags = zcb_rand_below(s->in, 16), i;

	*s = (struct state){ .test = s->test, .in = s->in, .rig = s->rig };
	s->open = NONE;
	*cfg = (struct zcb_stream_config){
		.threshold = flags & 1 ? THRESHOLD : 0,
		.max_reservation = LENGTH_MAX,
		.max_extent = 4096,
		.align = 1,
		.page_shift = 6,
		.max_outstanding = flags & 2 ? 16 : RESVS,
		.hold_failed = flags & 4,
		.history = flags & 8 ? zcb_rand_below(s->in, 6) : 0,
		.topic = true,
	};
	rig_open_bare(s->rig);
	for (i = 0; i < PRODUCERS; i++)
		add_producer(s, i);
}

/* As a channel ends: with ports of the dead left, and then without. */
static inline void close_stream(struct state *s)
{
	u32 i;

	for (i = 0; i < PRODUCERS; i++)
		drop_producer(s, i);
	for (i = 0; i < FAILURE_PORTS; i++)
		if (s->failure_ports[i].on)
			drop_failure_port(s, i);
	for (i = 0; i < PORTS; i++)
		if (s->ports[i].on && !s->ports[i].retired)
			drop_port(s, i);
	zcb_stream_end(&s->rig->s);
	KUNIT_ASSERT_EQ(s->test, s->rig->s.nhistory, 0U);
	for (i = 0; i < PORTS; i++)
		if (s->ports[i].on)
			drop_port(s, i);
	rig_check_empty(s->rig);
	zcb_stream_fini(&s->rig->s);
	rig_check_empty(s->rig);
}

/* Another stream. */
static inline void op_again(void *state)
{
	struct state *s = state;

	if (!s->finalized && !is_full(s) && !zcb_rand_chance(s->in, 25))
		return;
	close_stream(s);
	open_stream(s);
}

/* ---------------------------------------------------------------- comparing */

static inline void check_port(struct state *s, u32 i)
{
	struct zcb_consumer *c = &s->real[i].c;
	struct m_port *p = &s->ports[i];
	struct zcb_group *real = NULL;
	struct kunit *test = s->test;
	u64 held_bytes = 0;
	u32 n;

	while (p->base < p->n && p->deliveries[p->base].state == OVER)
		p->base++;
	for (n = p->base; n < p->n; n++)
		if (p->deliveries[n].state == TAKEN)
			held_bytes += s->groups[p->deliveries[n].group].bytes;
	if (!p->shown || p->retired) {
		KUNIT_ASSERT_EQ(test, c->held_bytes, held_bytes);
		KUNIT_ASSERT_EQ(test, c->nheld, port_count(p, TAKEN));
	}
	KUNIT_ASSERT_EQ(test, c->queued + c->nheld,
			port_count(p, QUEUED) + port_count(p, TAKEN));
	KUNIT_ASSERT_EQ(test, c->topic->lost, p->lost);
	KUNIT_ASSERT_EQ(test, c->topic->next_turn, p->turn + p->n);
	KUNIT_ASSERT_EQ(test, s->real[i].ready, p->ready);
	KUNIT_ASSERT_EQ(test, s->real[i].ends, p->ends);
	/* Looking would notice what it took. */
	if (p->retired || p->shown)
		return;
	KUNIT_ASSERT_EQ(test, expected_receive(s, p),
			zcb_stream_peek(&s->rig->s, c, &real));
	KUNIT_ASSERT_EQ(test, zcb_stream_ended(&s->rig->s, c),
			s->finalized && !next_delivery(p));
	if (real)
		KUNIT_ASSERT_EQ(test, real->id, (u64)next_delivery(p)->group);
}

static inline void check_groups(struct state *s)
{
	const struct zcb_stream *real = &s->rig->s;
	u32 i, there = 0, failed = 0, history = 0;
	struct kunit *test = s->test;
	u64 bytes = 0;

	for (i = s->base; i < s->ngroups; i++) {
		const struct m_group *g = &s->groups[i];

		if (is_gone(s, i))
			continue;
		there++;
		bytes += g->bytes;
		failed += g->place == FAILED || g->place == WITHHELD;
		history += g->kept;
	}
	KUNIT_ASSERT_EQ(test, real->bytes, bytes);
	KUNIT_ASSERT_EQ(test, real->nfailed, failed);
	KUNIT_ASSERT_EQ(test, real->nhistory, history);
	KUNIT_ASSERT_EQ(test, real->lost, s->lost);
	KUNIT_ASSERT_EQ(test, bitmap_weight(s->rig->group_used, RIG_STRUCTS),
			there);
	KUNIT_ASSERT_EQ(test, rig_pages_held(s->rig) * 64ULL, bytes);
}

static inline void check_counts(struct state *s)
{
	const struct zcb_stream *real = &s->rig->s;
	u32 i, pending = 0, stragglers = 0, queued = 0, held = 0;
	struct kunit *test = s->test;

	for (i = s->resv_base; i < s->nresvs; i++) {
		pending += s->resvs[i].pending;
		stragglers += s->resvs[i].straggler;
	}
	for (i = 0; i < PORTS; i++) {
		queued += port_count(&s->ports[i], QUEUED);
		held += port_count(&s->ports[i], TAKEN);
	}
	for (i = s->base; i < s->ngroups; i++)
		held += s->groups[i].place == HELD;
	KUNIT_ASSERT_EQ(test, real->npending, pending);
	KUNIT_ASSERT_EQ(test, real->nstragglers, stragglers);
	KUNIT_ASSERT_EQ(test, real->nqueued + real->nheld, queued + held);
	KUNIT_ASSERT_EQ(test, real->credit.taken, credits_taken(s));
	KUNIT_ASSERT_EQ(test, real->next_turn, s->turn);
}

static inline void check_failure_ports(struct state *s)
{
	bool ended = failure_ended(s) && !s->failure_told;
	u32 i;

	s->failure_told |= ended;
	for (i = 0; i < FAILURE_PORTS; i++) {
		struct m_failure_port *p = &s->failure_ports[i];

		if (!p->on)
			continue;
		p->ends += ended;
		KUNIT_ASSERT_EQ(s->test, s->real_failure[i].ready, p->ready);
		KUNIT_ASSERT_EQ(s->test, s->real_failure[i].ends, p->ends);
	}
}

/* Who was told that there are no credits was told when there are. */
static inline void check_hungry(struct state *s)
{
	u32 i;

	s->hungry &= no_credit(s) && s->rooms == s->rig->rooms;
	if (!s->hungry)
		return;
	KUNIT_ASSERT_TRUE(s->test, s->rig->s.starved);
	for (i = s->base; i < s->ngroups; i++)
		KUNIT_ASSERT_FALSE(s->test, is_spare(s, i));
}

static inline void check(void *state)
{
	struct state *s = state;
	u32 i;

	while (s->base < s->ngroups && is_gone(s, s->base))
		s->base++;
	while (s->resv_base < s->nresvs &&
	       s->resvs[s->resv_base].group < s->base)
		s->resv_base++;
	check_groups(s);
	check_counts(s);
	check_failure_ports(s);
	check_hungry(s);
	for (i = 0; i < PORTS; i++)
		if (s->ports[i].on)
			check_port(s, i);
}

/* fuzz_topics() - one input, of these operations */
static inline void fuzz_topics(const struct fuzz_op *ops, u32 nops,
			       struct kunit *test, struct zcb_rand *in)
{
	const struct fuzz_target target = { ops, nops, check };
	static struct state s;

	s.test = test;
	s.in = in;
	s.rig = fuzz_rig_init(test);
	open_stream(&s);
	fuzz_ops(&target, in, &s);
	close_stream(&s);
}

#endif /* ZCBUF_TOPIC_OPS_H */
