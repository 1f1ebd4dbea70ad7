/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * A topic and what it should be: no lists and no counts. A group is there while
 * somebody has it, which is looked up; what comes next at a port is the oldest
 * delivery of its highest lane; a promise is a group that is running and began
 * after the port.
 */
#ifndef ZCBUF_TOPIC_MODEL_H
#define ZCBUF_TOPIC_MODEL_H

#include "rig.h"

#define GROUPS		300
#define RESVS		500
#define PRODUCERS	3
#define PORTS		4
#define FAILURE_PORTS	2
#define DELIVERIES	GROUPS	/* of one port: at most one of each */
#define SLOTS_MAX	64
#define LENGTH_MAX	64	/* of a reservation in the open group */
#define THRESHOLD	100
#define NONE		(-1)

enum place {
	RUNNING,
	OUT,
	WITHHELD,
	FAILED,
	HELD,
	RELEASED,
};

struct m_resv {
	struct zcb_resv *real;
	u32 group;
	u64 length;
	int owner;
	bool pending, failed, straggler;
};

struct m_group {
	u64 offset;
	u64 length;
	u64 bytes;
	u64 rank;		/* of those out, or of those that failed */
	u64 seq;
	u64 publisher;
	u64 tag;
	u64 time;
	u32 priority, delivered, dropped, nresvs;
	enum place place;
	int holder;
	bool window, sealed, published;
	bool kept;		/* by the history */
};

enum turn {
	QUEUED,
	TAKEN,
	OVER,
};

struct m_delivery {
	u32 group;
	u32 lane;
	u64 id;
	enum turn state;
	bool seen;		/* by its consumer, who knows the id then */
};

struct m_port {
	bool on, retired;
	bool shown;		/* it takes by itself, which is noticed later */
	u32 policy, depth, max_held, nlanes;
	u32 first;
	u64 lost;
	u32 ready, ends;
	u32 n;
	u32 base;		/* deliveries below it are over */
	u64 turn;		/* of its first delivery */
	struct m_delivery deliveries[DELIVERIES];
};

struct m_producer {
	u64 id;
	u64 seq;
	bool retired;
};

struct m_failure_port {
	bool on;
	u32 ready, ends;
};

struct state {
	struct kunit *test;
	struct zcb_rand *in;
	struct rig *rig;
	struct rig_port real[PORTS];
	struct rig_port real_failure[FAILURE_PORTS];
	struct zcb_producer real_producers[PRODUCERS];
	struct m_port ports[PORTS];
	struct m_failure_port failure_ports[FAILURE_PORTS];
	struct m_producer producers[PRODUCERS];
	struct m_group groups[GROUPS];
	struct m_resv resvs[RESVS];
	u32 ngroups, nresvs;
	u32 base, resv_base;	/* those below are gone */
	int open;
	u64 offset, ranks, failures, seq, lost, generation, turn;
	bool finalized, failure_told;
	bool hungry;		/* somebody was told that no credit can be had, */
	u32 rooms;		/* when the rig had been told of so many rooms */
};

static union {
	struct zcb_topic_queue q;
	u8 bytes[sizeof(struct zcb_topic_queue) +
		 SLOTS_MAX * sizeof(struct zcb_topic_slot)];
} topic_queues[PORTS];

static u64 topic_words[PORTS][SLOTS_MAX];

static inline u64 whole_pages(u64 bytes)
{
	return (bytes + 63) / 64 * 64;
}

/* ------------------------------------------------------- looking things up */

static inline u32 pending_in(const struct state *s, u32 g)
{
	u32 i, n = 0;

	for (i = s->resv_base; i < s->nresvs; i++)
		n += s->resvs[i].group == g && s->resvs[i].pending;
	return n;
}

static inline bool any_in(const struct state *s, u32 g, bool straggler)
{
	u32 i;

	for (i = s->resv_base; i < s->nresvs; i++)
		if (s->resvs[i].group == g &&
		    (straggler ? s->resvs[i].straggler : s->resvs[i].failed))
			return true;
	return false;
}

static inline u32 port_count(const struct m_port *p, enum turn state)
{
	u32 i, n = 0;

	for (i = p->base; i < p->n; i++)
		n += p->deliveries[i].state == state;
	return n;
}

/* Of the history, the first that was complete after @rank others; or NONE. */
static inline int next_kept(const struct state *s, u64 rank)
{
	int i, best = NONE;

	for (i = s->base; i < (int)s->ngroups; i++)
		if (s->groups[i].kept && s->groups[i].rank >= rank &&
		    (best == NONE || s->groups[i].rank < s->groups[best].rank))
			best = i;
	return best;
}

static inline u32 kept(const struct state *s)
{
	u32 i, n = 0;

	for (i = s->base; i < s->ngroups; i++)
		n += s->groups[i].kept;
	return n;
}

static inline bool delivered_somewhere(const struct state *s, u32 g)
{
	const struct m_port *p;
	u32 i;

	for (p = s->ports; p < s->ports + PORTS; p++)
		for (i = p->base; p->on && i < p->n; i++)
			if (p->deliveries[i].group == g &&
			    p->deliveries[i].state != OVER)
				return true;
	return false;
}

static inline bool is_gone(const struct state *s, u32 i)
{
	const struct m_group *g = &s->groups[i];

	if (g->place == OUT)
		return !g->kept && !delivered_somewhere(s, i);
	return g->place == RELEASED && !any_in(s, i, true);
}

static inline bool has_room(const struct state *s, const struct m_port *p)
{
	u32 i, queued, promised = 0;

	if (p->policy == ZCBUF_POLICY_BLOCK)
		for (i = max(p->first, s->base); i < s->ngroups; i++)
			promised += s->groups[i].place == RUNNING;
	queued = port_count(p, QUEUED) + promised;
	return queued < p->depth &&
	       queued + port_count(p, TAKEN) < p->depth + p->max_held;
}

static inline bool all_have_room(const struct state *s)
{
	const struct m_port *p;

	for (p = s->ports; p < s->ports + PORTS; p++)
		if (p->on && !p->retired && p->policy == ZCBUF_POLICY_BLOCK &&
		    !has_room(s, p))
			return false;
	return true;
}

static inline u32 credits_taken(const struct state *s)
{
	u32 i, n = 0;

	for (i = s->base; i < s->ngroups; i++)
		n += is_gone(s, i) ? 0 : s->groups[i].nresvs;
	return n;
}

static inline bool failure_ended(const struct state *s)
{
	u32 i;

	for (i = s->base; i < s->ngroups; i++)
		if (s->groups[i].place == FAILED)
			return false;
	return s->finalized;
}

/* ------------------------------------------------------------ what follows */

static inline void put_into(struct m_port *p, u32 g, u32 priority)
{
	p->deliveries[p->n++] = (struct m_delivery){
		.group = g,
		.lane = min(priority, p->nlanes - 1),
	};
	p->ready++;
}

/* Of the lowest lane, up to @lane, the oldest; or NULL. */
static inline struct m_delivery *victim(struct m_port *p, u32 lane)
{
	struct m_delivery *d, *found = NULL;

	for (d = p->deliveries + p->base; d < p->deliveries + p->n; d++)
		if (d->state == QUEUED && d->lane <= lane &&
		    (!found || d->lane < found->lane))
			found = d;
	return found;
}

static inline void offer(struct state *s, struct m_port *p, u32 i)
{
	struct m_group *g = &s->groups[i];
	struct m_delivery *d;

	if (p->policy != ZCBUF_POLICY_BLOCK && !has_room(s, p)) {
		p->lost++;
		s->lost++;
		g->dropped++;
		if (p->policy == ZCBUF_POLICY_DROP_NEWEST)
			return;
		d = victim(p, min(g->priority, p->nlanes - 1));
		if (!d)
			return;
		d->state = OVER;
	}
	put_into(p, i, g->priority);
	g->delivered++;
}

static inline void put_failed(struct state *s, struct m_group *g)
{
	u32 i;

	g->place = FAILED;
	g->rank = s->failures++;
	for (i = 0; i < FAILURE_PORTS; i++)
		s->failure_ports[i].ready += s->failure_ports[i].on;
}

static inline void go_out(struct state *s, u32 i)
{
	struct m_group *g = &s->groups[i];
	struct m_port *p;

	g->place = OUT;
	g->rank = s->ranks++;
	for (p = s->ports; p < s->ports + PORTS; p++)
		if (p->on && !p->retired && i >= p->first)
			offer(s, p, i);
	g->kept = s->rig->cfg.history;
	if (kept(s) > s->rig->cfg.history)
		s->groups[next_kept(s, 0)].kept = false;
}

/* ----------------------------------------------------------- credits are short */

static inline bool no_credit(const struct state *s)
{
	return credits_taken(s) == s->rig->cfg.max_outstanding;
}

/* Is it only of the history, and of queues that drop? */
static inline bool is_spare(const struct state *s, u32 g)
{
	const struct m_delivery *d;
	const struct m_port *p;

	if (s->groups[g].place != OUT || is_gone(s, g))
		return false;
	for (p = s->ports; p < s->ports + PORTS; p++)
		for (d = p->deliveries + p->base; d < p->deliveries + p->n; d++)
			if (d->group == g && d->state != OVER &&
			    (d->state == TAKEN ||
			     p->policy == ZCBUF_POLICY_BLOCK))
				return false;
	return true;
}

static inline void lose_everywhere(struct state *s, u32 g)
{
	struct m_delivery *d;
	struct m_port *p;

	s->groups[g].kept = false;
	for (p = s->ports; p < s->ports + PORTS; p++)
		for (d = p->deliveries + p->base; d < p->deliveries + p->n; d++)
			if (d->group == g && d->state == QUEUED) {
				d->state = OVER;
				p->lost++;
				s->lost++;
				s->groups[g].dropped++;
			}
}

/* Of those that began first, as many as give one credit. */
static inline bool expected_spare(struct state *s)
{
	u32 i;

	if (s->finalized || !no_credit(s))
		return false;
	if (!all_have_room(s))
		return false;
	for (i = s->base; i < s->ngroups && no_credit(s); i++)
		if (is_spare(s, i))
			lose_everywhere(s, i);
	s->hungry = no_credit(s);
	s->rooms = s->rig->rooms;
	return !no_credit(s);
}

/* As who is told that there is none. */
static inline void spare(struct state *s)
{
	bool want = expected_spare(s);

	if (want)
		KUNIT_ASSERT_TRUE(s->test, zcb_topic_could_spare(&s->rig->s));
	KUNIT_ASSERT_EQ(s->test, want, zcb_topic_spare(&s->rig->s));
}

/* @owner: of a window, who has committed it. */
static inline void maybe_complete(struct state *s, u32 i, int owner)
{
	struct m_group *g = &s->groups[i];

	if (g->place != RUNNING || !g->sealed || pending_in(s, i))
		return;
	g->time = s->rig->now;
	if (any_in(s, i, false)) {
		g->place = WITHHELD;
		if (!s->rig->cfg.hold_failed || s->finalized)
			put_failed(s, g);
		return;
	}
	g->seq = g->window ? s->producers[owner].seq++ : s->seq++;
	go_out(s, i);
}

static inline void seal(struct state *s, u32 i)
{
	struct m_group *g = &s->groups[i];

	if (s->open == (int)i)
		s->open = NONE;
	g->sealed = true;
	if (!g->published)
		g->bytes = whole_pages(g->length);
	maybe_complete(s, i, NONE);
}

static inline void seal_open(struct state *s)
{
	if (s->open != NONE)
		seal(s, s->open);
}

static inline void fail_one(struct state *s, struct m_resv *r, bool straggler)
{
	r->pending = false;
	r->failed = true;
	r->straggler = straggler;
	maybe_complete(s, r->group, NONE);
}

/* ---------------------------------------------------------------- producing */

static inline int expected_plan(const struct state *s, bool joins)
{
	if (s->finalized)
		return -ESHUTDOWN;
	if (no_credit(s))
		return -EAGAIN;
	return joins || all_have_room(s) ? 0 : -EAGAIN;
}

static inline void check_why(struct state *s, int err)
{
	u32 why = (no_credit(s) ? ZCBUF_WHY_LIMIT : 0) |
		  (all_have_room(s) ? 0 : ZCBUF_WHY_QUEUE);

	if (err != -EAGAIN)
		return;
	KUNIT_ASSERT_TRUE(s->test, s->rig->s.starved);
	KUNIT_ASSERT_EQ(s->test, why, zcb_stream_why(&s->rig->s));
}

/* As zcb_stream_reserve() has done it: no group of the model is new yet. */
static inline void add_resv(struct state *s, struct zcb_resv *real, int owner,
			    u64 length, bool joins, bool window, u64 capacity)
{
	u64 block = length >= s->rig->cfg.threshold ? whole_pages(length) : 256;
	struct m_group *g;
	u32 i;

	if (!joins) {
		if (!window)
			seal_open(s);
		i = s->ngroups++;
		s->groups[i] = (struct m_group){
			.offset = s->offset,
			.bytes = capacity ?: window ? whole_pages(length) :
						      block,
			.publisher = window ? s->producers[owner].id : 0,
			.window = window,
			.published = capacity,
			.holder = NONE,
		};
		if (!window)
			s->open = i;
	} else {
		i = s->open;
	}
	g = &s->groups[i];
	s->resvs[s->nresvs++] = (struct m_resv){
		.real = real, .group = i, .length = length, .owner = owner,
		.pending = true,
	};
	g->nresvs++;
	g->length += length;
	s->offset += length;
	if (window || g->length >= s->rig->cfg.threshold)
		seal(s, i);
	if (no_credit(s) || (!joins && !all_have_room(s)))
		seal_open(s);
}

static inline bool is_full(const struct state *s)
{
	return s->ngroups == GROUPS || s->nresvs == RESVS;
}

static inline int choose_producer(struct state *s)
{
	int i = zcb_rand_below(s->in, PRODUCERS);

	return s->producers[i].retired ? NONE : i;
}

static inline void do_reserve(struct state *s, bool window)
{
	u64 length = 1 + zcb_rand_below(s->in, LENGTH_MAX);
	int want, owner = choose_producer(s);
	struct zcb_resv *real = NULL;
	bool joins;

	if (owner == NONE || is_full(s))
		return;
	joins = !window && s->open != NONE &&
		s->groups[s->open].offset + s->groups[s->open].length ==
			s->offset;
	spare(s);
	want = expected_plan(s, joins);
	KUNIT_ASSERT_EQ(s->test, want,
			rig_try_reserve(s->rig, &s->real_producers[owner],
					length, window, 0, &real));
	check_why(s, want);
	if (want)
		return;
	KUNIT_ASSERT_EQ(s->test, real->id, (u64)s->nresvs);
	KUNIT_ASSERT_EQ(s->test, real->offset, s->offset);
	add_resv(s, real, owner, length, joins, window, 0);
	KUNIT_ASSERT_EQ(s->test, real->group->id,
			(u64)s->resvs[s->nresvs - 1].group);
}

static inline void op_reserve(void *s)
{
	do_reserve(s, false);
}

static inline void op_window(void *s)
{
	do_reserve(s, true);
}

static inline void op_publish(void *state)
{
	struct state *s = state;
	u32 pages = 1 + zcb_rand_below(s->in, 3);
	const struct zcb_topic_publication pub = {
		.length = 1 + zcb_rand_below(s->in, 64 * pages),
		.user_tag = s->nresvs + 1000,
		.encoding = 7,
		.priority = zcb_rand_below(s->in, 6),
	};
	int want, owner = choose_producer(s);
	struct zcb_group *real = NULL;
	struct m_group *g;
	struct m_resv *r;

	if (owner == NONE || is_full(s))
		return;
	spare(s);
	want = expected_plan(s, false);
	KUNIT_ASSERT_EQ(s->test, want,
			rig_publish(s->rig, &s->real_producers[owner], &pub,
				    pages, &real));
	check_why(s, want);
	if (want)
		return;
	r = &s->resvs[s->nresvs];
	add_resv(s, list_first_entry(&real->resvs, struct zcb_resv, in_group),
		 owner, pub.length, false, true, 64 * pages);
	g = &s->groups[r->group];
	g->priority = pub.priority;
	g->tag = pub.user_tag;
	r->pending = false;
	maybe_complete(s, r->group, owner);
	KUNIT_ASSERT_EQ(s->test, real->id, (u64)r->group);
	KUNIT_ASSERT_EQ(s->test, real->delivered, g->delivered);
	KUNIT_ASSERT_EQ(s->test, real->dropped, g->dropped);
	zcb_topic_put(&s->rig->s, real);
}

/* The first at or after a random one that is pending, of a living producer. */
static inline struct m_resv *choose_pending(struct state *s)
{
	u32 i;

	for (i = zcb_rand_below(s->in, s->nresvs); i < s->nresvs; i++)
		if (s->resvs[i].pending &&
		    !s->producers[s->resvs[i].owner].retired)
			return &s->resvs[i];
	return NULL;
}

static inline void op_commit(void *state)
{
	struct state *s = state;
	struct m_resv *r = choose_pending(s);
	struct zcb_stream_commit c = {};
	struct m_group *g;

	if (!r)
		return;
	g = &s->groups[r->group];
	c.group = r->group;
	c.id = r - s->resvs;
	c.offset = r->real->offset;
	c.length = r->length;
	if (g->window && zcb_rand_chance(s->in, 50))
		c.length = 1 + zcb_rand_below(s->in, r->length);
	rig_write(s->rig, r->real, c.length);
	KUNIT_ASSERT_EQ(s->test, 0,
			zcb_stream_commit(&s->rig->s,
					  &s->real_producers[r->owner], &c,
					  rig_now(s->rig)));
	if (g->window) {
		g->length = c.length;
		g->bytes = whole_pages(c.length);
	}
	r->pending = false;
	maybe_complete(s, r->group, r->owner);
}

static inline void op_abort(void *state)
{
	struct state *s = state;
	struct m_resv *r = choose_pending(s);

	if (!r)
		return;
	KUNIT_ASSERT_EQ(s->test, 0,
			zcb_stream_abort(&s->rig->s,
					 &s->real_producers[r->owner],
					 r->group, r - s->resvs,
					 rig_now(s->rig)));
	fail_one(s, r, false);
}

static inline void op_flush(void *state)
{
	struct state *s = state;

	KUNIT_ASSERT_EQ(s->test, s->open != NONE,
			zcb_stream_flush(&s->rig->s, rig_now(s->rig)));
	seal_open(s);
}

#endif /* ZCBUF_TOPIC_MODEL_H */
