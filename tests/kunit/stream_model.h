/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A model of a stream: slow and simple, flat arrays, everything that can be
 * counted is counted again each time. After each operation it looks at all
 * groups from the first to the last to find what is complete, and compares all
 * counters, ports, pages and announcements with the stream's. It shares no code
 * with the stream.
 */
#ifndef ZCB_KUNIT_STREAM_MODEL_H
#define ZCB_KUNIT_STREAM_MODEL_H

#include "rand.h"
#include "stream_rig.h"

#define MAX_RESVS	600
#define NPRODUCERS	4
#define NCONSUMERS	4		/* the last one serves failures */
#define FAILURE_PORT	(NCONSUMERS - 1)
#define NOBODY		(-1)
#define SHIFT		6		/* of a page: small, for many of them */

struct m_resv {
	struct zcb_resv *real;
	u32 group;
	u64 offset;
	u64 length;
	u64 used;
	u64 pool_offset;
	int owner;
	u8 state;
	bool straggler;
};

enum m_place {
	BUILDING,	/* open, or something pending */
	WAITING,
	PARKED,
	QUEUED,
	WITHHELD,
	FAILED,
	HELD,
	DEAD,
};

struct m_group {
	u32 first;		/* reservation */
	u32 count;
	u64 offset;
	u64 length;
	u64 total;
	u64 opened;
	u64 time;
	u64 nrecords;
	u64 ext_at[2];
	u64 ext_bytes[2];
	u32 ext_pages[2];
	u32 nextents;
	u32 rank;
	int port;
	u8 place;
	u64 user_tag;
	u32 encoding;
	bool sealed;
	bool window;
};

struct m_port {
	bool on;
	u32 depth;
	u32 queue[MAX_RESVS];
	u32 n;
	u64 waiting_since;
	u64 seq;
	u32 nheld;
	u32 ready;
	u32 ends;
};

struct model {
	struct rig *rig;
	struct zcb_rand rand;
	struct zcb_producer producers[NPRODUCERS];
	struct rig_port ports[NCONSUMERS];
	struct m_resv resvs[MAX_RESVS];
	struct m_group groups[MAX_RESVS];
	struct m_port mports[NCONSUMERS];
	u32 parked[MAX_RESVS];
	u32 failed[MAX_RESVS];
	u32 nresvs, ngroups, nparked, nfailed, nranks;
	u32 base;		/* groups below are dead for good */
	int open;
	u64 offset;
	u64 turns;
	u64 now;
	bool finalized;
	bool success_told;
	bool failure_told;
};

static inline u32 below(struct model *m, u32 n)
{
	return zcb_rand_below(&m->rand, n);
}

static inline bool chance(struct model *m, u32 percent)
{
	return zcb_rand_chance(&m->rand, percent);
}

static inline struct kunit *test_of(struct model *m)
{
	return m->rig->test;
}

static inline u64 aligned(const struct model *m, u64 length)
{
	u64 align = m->rig->cfg.align;

	while (length & (align - 1))
		length++;
	return length;
}

static inline u32 pages_of(u64 bytes)
{
	u32 pages = 0;

	while (((u64)pages << SHIFT) < bytes)
		pages++;
	return pages;
}

/* The first reservation of the groups that are not gone. */
static inline u32 first_live(const struct model *m)
{
	return m->base < m->ngroups ? m->groups[m->base].first : m->nresvs;
}

/* ---------------------------------------------------------- counting again */

static inline u32 count_resvs(const struct model *m, const struct m_group *g,
			      u8 state)
{
	u32 i, n = 0;

	for (i = g->first; i < g->first + g->count; i++)
		n += m->resvs[i].state == state;
	return n;
}

static inline u32 count_stragglers(const struct model *m,
				   const struct m_group *g)
{
	u32 i, n = 0;

	for (i = g->first; i < g->first + g->count; i++)
		n += m->resvs[i].straggler;
	return n;
}

static inline bool is_gone(const struct model *m, const struct m_group *g)
{
	return g->place == DEAD && !count_stragglers(m, g);
}

static inline u32 count_places(const struct model *m, u8 place)
{
	u32 i, n = 0;

	for (i = m->base; i < m->ngroups; i++)
		n += m->groups[i].place == place;
	return n;
}

static inline u32 credits_taken(const struct model *m)
{
	u32 i, n = 0;

	for (i = m->base; i < m->ngroups; i++)
		if (!is_gone(m, &m->groups[i]))
			n += m->groups[i].count;
	return n;
}

/* ---------------------------------------------------------------- delivery */

static inline int pick_port(const struct model *m)
{
	int i, best = NOBODY;

	for (i = 0; i < FAILURE_PORT; i++) {
		if (!m->mports[i].on || m->mports[i].n >= m->mports[i].depth)
			continue;
		if (best == NOBODY || m->mports[i].waiting_since <
					      m->mports[best].waiting_since)
			best = i;
	}
	return best;
}

static inline u32 array_take(u32 *array, u32 *n)
{
	u32 first = array[0];

	memmove(array, array + 1, --*n * sizeof(*array));
	return first;
}

/* A queue is in the order of completion, whoever had been offered what. */
static inline void queue_by_rank(struct model *m, struct m_port *port, u32 g)
{
	u32 i = port->n++;

	for (; i; i--) {
		if (m->groups[port->queue[i - 1]].rank < m->groups[g].rank)
			break;
		port->queue[i] = port->queue[i - 1];
	}
	port->queue[i] = g;
}

/* Whatever is parked goes where there is room. */
static inline void settle_parked(struct model *m)
{
	struct m_port *port;
	u32 g;
	int i;

	while (m->nparked) {
		i = pick_port(m);
		if (i == NOBODY)
			return;
		g = array_take(m->parked, &m->nparked);
		port = &m->mports[i];
		queue_by_rank(m, port, g);
		port->waiting_since = ++m->turns;
		port->ready++;
		m->groups[g].place = QUEUED;
		m->groups[g].port = i;
	}
}

static inline void park(struct model *m, u32 g)
{
	u32 i = m->nparked++;

	while (i && m->groups[m->parked[i - 1]].rank > m->groups[g].rank) {
		m->parked[i] = m->parked[i - 1];
		i--;
	}
	m->parked[i] = g;
	m->groups[g].place = PARKED;
	m->groups[g].port = NOBODY;
}

static inline void settle_failed(struct model *m, u32 g)
{
	m->groups[g].place = WITHHELD;
	if (m->rig->cfg.hold_failed && !m->finalized)
		return;
	m->groups[g].place = FAILED;
	m->failed[m->nfailed++] = g;
	if (m->mports[FAILURE_PORT].on)
		m->mports[FAILURE_PORT].ready++;
}

static inline bool settle_group(struct model *m, u32 i, bool blocked)
{
	struct m_group *g = &m->groups[i];

	if (g->place == WITHHELD && m->finalized)
		settle_failed(m, i);
	if (g->place > WAITING)
		return blocked;
	if (!g->sealed || count_resvs(m, g, ZCB_RESV_PENDING))
		return true;
	if (g->place == BUILDING)
		g->time = m->now;
	if (count_resvs(m, g, ZCB_RESV_FAILED)) {
		settle_failed(m, i);
		return blocked;
	}
	g->place = WAITING;
	if (blocked && m->rig->cfg.ordered)
		return true;
	g->rank = m->nranks++;
	park(m, i);
	settle_parked(m);
	return blocked;
}

/* Look at all groups, in the order of the stream, for what can go. */
static inline void settle(struct model *m)
{
	bool blocked = false;
	u32 i;

	while (m->base < m->ngroups && is_gone(m, &m->groups[m->base]))
		m->base++;
	for (i = m->base; i < m->ngroups; i++)
		blocked = settle_group(m, i, blocked);
	settle_parked(m);
}

static inline bool success_ended(const struct model *m)
{
	return m->finalized && !m->nparked && !count_places(m, QUEUED);
}

static inline bool failure_ended(const struct model *m)
{
	return m->finalized && !m->nfailed;
}

/* Tell the ports that are there of an end, once. */
static inline void settle_ends(struct model *m)
{
	bool success = success_ended(m) && !m->success_told;
	bool failure = failure_ended(m) && !m->failure_told;
	u32 i;

	for (i = 0; i < FAILURE_PORT; i++)
		m->mports[i].ends += m->mports[i].on && success;
	m->mports[FAILURE_PORT].ends += m->mports[FAILURE_PORT].on && failure;
	m->success_told |= success;
	m->failure_told |= failure;
}

/* -------------------------------------------------------------- comparing */

static inline u8 group_state(const struct m_group *g)
{
	static const u8 states[] = {
		[WAITING] = ZCB_GROUP_WAITING, [PARKED] = ZCB_GROUP_PARKED,
		[QUEUED] = ZCB_GROUP_QUEUED, [WITHHELD] = ZCB_GROUP_WITHHELD,
		[FAILED] = ZCB_GROUP_FAILED, [HELD] = ZCB_GROUP_HELD,
		[DEAD] = ZCB_GROUP_DEAD,
	};

	if (g->place == BUILDING)
		return g->sealed ? ZCB_GROUP_SEALED : ZCB_GROUP_OPEN;
	return states[g->place];
}

static inline void compare_state(struct model *m, const struct m_group *g,
				 const struct zcb_group *real)
{
	bool held = g->place == QUEUED || g->place == HELD;
	struct kunit *test = test_of(m);

	KUNIT_ASSERT_EQ(test, real->state, group_state(g));
	KUNIT_ASSERT_PTR_EQ(test, real->holder,
			    held ? &m->ports[g->port].c : NULL);
	KUNIT_ASSERT_EQ(test, real->window, g->window);
	KUNIT_ASSERT_EQ(test, real->user_tag, g->user_tag);
	KUNIT_ASSERT_EQ(test, real->encoding, g->encoding);
	KUNIT_ASSERT_EQ(test, real->nresv, g->count);
	KUNIT_ASSERT_EQ(test, real->npending,
			count_resvs(m, g, ZCB_RESV_PENDING));
	KUNIT_ASSERT_EQ(test, real->nfailed,
			count_resvs(m, g, ZCB_RESV_FAILED));
	KUNIT_ASSERT_EQ(test, real->nstragglers, count_stragglers(m, g));
}

static inline void compare_group(struct model *m, u32 i, u32 *pages)
{
	struct m_group *g = &m->groups[i];
	u32 j, e;

	if (is_gone(m, g))
		return;
	compare_state(m, g, m->resvs[g->first].real->group);
	if (g->sealed)
		for (e = 0; e < g->nextents; e++)
			g->ext_pages[e] = pages_of(g->ext_bytes[e]);
	*pages += g->ext_pages[0] + g->ext_pages[1];
	for (j = g->first; j < g->first + g->count; j++)
		KUNIT_ASSERT_TRUE(test_of(m),
				  test_bit(m->resvs[j].pool_offset >> SHIFT,
					   m->rig->pages));
}

static inline void compare_groups(struct model *m)
{
	u32 i, pages = 0;

	for (i = m->base; i < m->ngroups; i++)
		compare_group(m, i, &pages);
	KUNIT_ASSERT_EQ(test_of(m), rig_pages_held(m->rig), pages);
	KUNIT_ASSERT_EQ(test_of(m), m->rig->s.bytes, (u64)pages << SHIFT);
}

static inline void compare_counts(struct model *m)
{
	const struct zcb_stream *s = &m->rig->s;
	struct kunit *test = test_of(m);
	u32 i, npending = 0, nstragglers = 0;

	for (i = m->base; i < m->ngroups; i++) {
		npending += count_resvs(m, &m->groups[i], ZCB_RESV_PENDING);
		nstragglers += count_stragglers(m, &m->groups[i]);
	}
	KUNIT_ASSERT_EQ(test, s->npending, npending);
	KUNIT_ASSERT_EQ(test, s->nstragglers, nstragglers);
	KUNIT_ASSERT_EQ(test, s->nparked, m->nparked);
	KUNIT_ASSERT_EQ(test, s->nqueued, count_places(m, QUEUED));
	KUNIT_ASSERT_EQ(test, s->nheld, count_places(m, HELD));
	KUNIT_ASSERT_EQ(test, s->nfailed,
			count_places(m, WITHHELD) + m->nfailed);
	KUNIT_ASSERT_EQ(test, s->credit.taken, credits_taken(m));
	KUNIT_ASSERT_EQ(test, s->next_resv, (u64)m->nresvs);
	KUNIT_ASSERT_EQ(test, s->next_group, (u64)m->ngroups);
	KUNIT_ASSERT_EQ(test, s->offset, m->offset);
	KUNIT_ASSERT_EQ(test, !s->open, m->open == NOBODY);
	KUNIT_ASSERT_EQ(test, s->finalized, m->finalized);
}

static inline u64 bytes_held(const struct model *m, u32 port)
{
	const struct m_group *g;
	u64 pages = 0;
	u32 i;

	for (i = m->base; i < m->ngroups; i++) {
		g = &m->groups[i];
		if (g->place == HELD && g->port == (int)port)
			pages += g->ext_pages[0] + g->ext_pages[1];
	}
	return pages << SHIFT;
}

static inline void compare_ports(struct model *m)
{
	struct kunit *test = test_of(m);
	u32 i;

	for (i = 0; i < NCONSUMERS; i++) {
		const struct rig_port *port = &m->ports[i];
		const struct m_port *mp = &m->mports[i];

		if (!mp->on)
			continue;
		KUNIT_ASSERT_EQ(test, port->c.queued, mp->n);
		KUNIT_ASSERT_EQ(test, port->c.nheld, mp->nheld);
		KUNIT_ASSERT_EQ(test, port->c.held_bytes, bytes_held(m, i));
		KUNIT_ASSERT_EQ(test, port->ready, mp->ready);
		KUNIT_ASSERT_EQ(test, port->ends, mp->ends);
		KUNIT_ASSERT_EQ(test, zcb_stream_ended(&m->rig->s, &port->c),
				i == FAILURE_PORT ? failure_ended(m) :
						    success_ended(m));
	}
}

/* A list of groups of the stream against one of the model. */
static inline void compare_queue(struct model *m, const struct list_head *list,
				 const u32 *want, u32 n)
{
	struct kunit *test = test_of(m);
	const struct zcb_group *g;
	u32 i = 0;

	list_for_each_entry(g, list, queue) {
		KUNIT_ASSERT_LT(test, i, n);
		KUNIT_ASSERT_EQ(test, g->id, (u64)want[i]);
		i++;
	}
	KUNIT_ASSERT_EQ(test, i, n);
}

static inline void compare_queues(struct model *m)
{
	const struct zcb_stream *s = &m->rig->s;
	u32 i;

	compare_queue(m, &s->parked, m->parked, m->nparked);
	compare_queue(m, &s->failed, m->failed, m->nfailed);
	for (i = 0; i < FAILURE_PORT; i++)
		if (m->mports[i].on)
			compare_queue(m, &m->ports[i].c.queue,
				      m->mports[i].queue, m->mports[i].n);
}

/* Which list of its owner a reservation has to be on. */
static inline const struct list_head *resv_list(struct model *m,
						const struct m_resv *r)
{
	struct zcb_producer *p = &m->producers[r->owner];

	if (r->state == ZCB_RESV_PENDING)
		return &p->pending;
	return r->straggler ? &p->stragglers : &p->decided;
}

static inline u64 count_list(const struct list_head *list)
{
	const struct list_head *at;
	u64 n = 0;

	list_for_each(at, list)
		n++;
	return n;
}

/* The lists of a producer: how long, and those of @i pending in order. */
static inline void compare_lists(struct model *m, int i)
{
	const struct list_head *lists[] = {
		&m->producers[i].pending, &m->producers[i].stragglers,
		&m->producers[i].decided,
	};
	const struct list_head *at = lists[0]->next;
	u64 n[3] = {};
	u32 j, k;

	for (j = first_live(m); j < m->nresvs; j++) {
		const struct m_resv *r = &m->resvs[j];

		if (r->owner != i || is_gone(m, &m->groups[r->group]))
			continue;
		for (k = 0; k < 3; k++)
			n[k] += resv_list(m, r) == lists[k];
		if (r->state != ZCB_RESV_PENDING)
			continue;
		KUNIT_ASSERT_PTR_EQ(test_of(m), at, &r->real->in_owner);
		at = at->next;
	}
	for (k = 0; k < 3; k++)
		KUNIT_ASSERT_EQ(test_of(m), count_list(lists[k]), n[k]);
}

static inline void compare_producers(struct model *m)
{
	u32 n[NPRODUCERS] = {};
	u64 bytes[NPRODUCERS] = {};
	u32 i;

	for (i = first_live(m); i < m->nresvs; i++) {
		if (m->resvs[i].state != ZCB_RESV_PENDING)
			continue;
		n[m->resvs[i].owner]++;
		bytes[m->resvs[i].owner] += m->resvs[i].length;
	}
	for (i = 0; i < NPRODUCERS; i++) {
		KUNIT_ASSERT_EQ(test_of(m), m->producers[i].npending, n[i]);
		KUNIT_ASSERT_EQ(test_of(m), m->producers[i].pending_bytes,
				bytes[i]);
		compare_lists(m, i);
	}
}

#endif /* ZCB_KUNIT_STREAM_MODEL_H */
