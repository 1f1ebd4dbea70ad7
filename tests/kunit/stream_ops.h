/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Operations on a stream and on its model alike, each chosen by a source of
 * random numbers, rand.h or one with the same names: what the stream must
 * answer is known beforehand.
 */
#ifndef ZCB_KUNIT_STREAM_OPS_H
#define ZCB_KUNIT_STREAM_OPS_H

#include "stream_model.h"

/* ---------------------------------------------------------------- reserve */

static inline int expected_plan(const struct model *m, u64 length)
{
	if (!length)
		return -EINVAL;
	if (m->finalized)
		return -ESHUTDOWN;
	if (length > m->rig->cfg.max_extent ||
	    m->offset + aligned(m, length) < m->offset)
		return -E2BIG;
	if (credits_taken(m) >= m->rig->cfg.max_outstanding)
		return -EAGAIN;
	return 0;
}

/* What is short, of a plan that says -EAGAIN. */
static inline u32 expected_why(const struct model *m)
{
	u32 why = ZCBUF_WHY_LIMIT;
	int i;

	if (!m->nparked)
		return why;
	for (i = 0; i < FAILURE_PORT; i++)
		if (m->mports[i].on)
			return why | ZCBUF_WHY_QUEUE;
	return why | ZCBUF_WHY_NO_CONSUMER;
}

static inline void seal(struct model *m, int i)
{
	m->groups[i].sealed = true;
	if (m->open == i)
		m->open = NOBODY;
}

/* A window that came after the open group has taken its next offset. */
static inline bool joins_open(const struct model *m, bool window)
{
	const struct m_group *g;

	if (window || m->open == NOBODY)
		return false;
	g = &m->groups[m->open];
	return g->offset + g->total == m->offset;
}

/* Room for one more reservation when the group is just below its threshold. */
static inline u64 block_bytes(const struct model *m)
{
	const struct zcb_stream_config *cfg = &m->rig->cfg;
	u64 bytes = 1ULL << SHIFT;

	while (bytes < cfg->threshold + aligned(m, cfg->max_reservation))
		bytes *= 2;
	return bytes;
}

/* Bytes of the extent a reservation has to bring, 0 if it needs none. */
static inline u64 extent_bytes(const struct model *m, u64 length, bool window)
{
	u64 own = (u64)pages_of(length) << SHIFT;
	const struct m_group *g;

	if (joins_open(m, window)) {
		g = &m->groups[m->open];
		return g->total + aligned(m, length) <=
		       (u64)g->ext_pages[0] << SHIFT ? 0 : own;
	}
	if (window || aligned(m, length) >= m->rig->cfg.threshold)
		return own;
	return block_bytes(m);
}

/* The group that takes a reservation: the open one, or a new one. */
static inline int find_group(struct model *m, bool window)
{
	struct m_group *g;

	if (joins_open(m, window))
		return m->open;
	if (!window && m->open != NOBODY)
		seal(m, m->open);
	g = &m->groups[m->ngroups];
	memset(g, 0, sizeof(*g));
	g->first = m->nresvs;
	g->offset = m->offset;
	g->opened = m->rig->now;
	g->window = window;
	g->port = NOBODY;
	if (!window)
		m->open = m->ngroups;
	return m->ngroups++;
}

/* @pages of a new extent, or 0. The extent before it ends here, gap included. */
static inline void add_extent(struct m_group *g, const struct zcb_group *real,
			      u32 pages)
{
	if (!pages)
		return;
	if (g->nextents)
		g->ext_bytes[0] = g->total;
	g->ext_at[g->nextents] = real->extents[g->nextents].pool_offset;
	g->ext_pages[g->nextents++] = pages;
}

static inline void add_resv(struct model *m, int owner, u64 length, bool window,
			    u32 pages, struct zcb_resv *real)
{
	struct m_resv *r = &m->resvs[m->nresvs];
	int group = find_group(m, window);
	struct m_group *g = &m->groups[group];

	add_extent(g, real->group, pages);
	*r = (struct m_resv){
		.real = real, .group = group, .offset = m->offset,
		.length = length, .owner = owner, .state = ZCB_RESV_PENDING,
		.pool_offset = g->nextents > 1 ?
			       g->ext_at[1] + g->total - g->ext_bytes[0] :
			       g->ext_at[0] + g->total,
	};
	m->nresvs++;
	g->count++;
	g->total += aligned(m, length);
	g->length = r->offset + length - g->offset;
	g->ext_bytes[g->nextents - 1] = g->length -
		(g->nextents > 1 ? g->ext_bytes[0] : 0);
	m->offset += aligned(m, length);
	if (window || g->total >= m->rig->cfg.threshold || g->nextents > 1)
		seal(m, group);
	if (m->open != NOBODY &&
	    credits_taken(m) == m->rig->cfg.max_outstanding)
		seal(m, m->open);
}

/* What just fills a group, its memory or the stream, or almost, or too much. */
static inline u64 edge_length(struct model *m)
{
	u64 end = m->rig->cfg.threshold;
	u64 total = 0;

	if (m->offset > U64_MAX / 2 && chance(m, 50))
		return U64_MAX - m->offset + below(m, 3) - 1;
	if (m->open != NOBODY) {
		total = m->groups[m->open].total;
		if (chance(m, 50))
			end = (u64)m->groups[m->open].ext_pages[0] << SHIFT;
	}
	return (end > total ? end - total : 1) + below(m, 3) - 1;
}

static inline u64 random_length(struct model *m)
{
	u32 kind = below(m, 100);

	if (kind < 2)
		return 0;
	if (kind < 4)
		return m->rig->cfg.max_extent - 1 + below(m, 4);
	if (kind < 14)
		return 1 + below(m, 1500);
	if (kind < 24)
		return edge_length(m);
	return 1 + below(m, 200);
}

static inline void check_resv(struct model *m, const struct m_resv *r)
{
	struct kunit *test = test_of(m);

	KUNIT_ASSERT_EQ(test, r->real->id, (u64)m->nresvs - 1);
	KUNIT_ASSERT_EQ(test, r->real->group->id, (u64)r->group);
	KUNIT_ASSERT_EQ(test, r->real->offset, r->offset);
	KUNIT_ASSERT_EQ(test, r->real->length, r->length);
	KUNIT_ASSERT_EQ(test, r->real->pool_offset, r->pool_offset);
	KUNIT_ASSERT_EQ(test, r->real->group->opened_ns,
			m->groups[r->group].opened);
}

/* What the stream asks to be brought; returns its answer. */
static inline int check_plan(struct model *m, u64 length, bool window)
{
	struct zcb_group_plan plan;
	int err = zcb_stream_plan(&m->rig->s, length, window, &plan);

	KUNIT_ASSERT_EQ(test_of(m), err, expected_plan(m, length));
	if (err == -EAGAIN)
		KUNIT_ASSERT_EQ(test_of(m), expected_why(m),
				zcb_stream_why(&m->rig->s));
	if (err)
		return err;
	KUNIT_ASSERT_EQ(test_of(m), plan.group, !joins_open(m, window));
	KUNIT_ASSERT_EQ(test_of(m), plan.extent_bytes,
			extent_bytes(m, length, window));
	return 0;
}

static inline void op_reserve(struct model *m)
{
	int owner = below(m, NPRODUCERS);
	u64 length = random_length(m);
	bool window = chance(m, 20);
	struct zcb_resv *real = NULL;
	u32 extra = below(m, 3);
	u32 pages;

	if (m->nresvs == MAX_RESVS || check_plan(m, length, window))
		return;
	pages = pages_of(extent_bytes(m, length, window));
	if (pages)
		pages += extra;
	if (rig_find_pages(m->rig, pages) == m->rig->npages)
		return;
	KUNIT_ASSERT_EQ(test_of(m), 0,
			rig_try_reserve(m->rig, &m->producers[owner], length,
					window, extra, &real));
	add_resv(m, owner, length, window, pages, real);
	check_resv(m, &m->resvs[m->nresvs - 1]);
}

/* ---------------------------------------------------------- commit, abort */

/* Mostly one that is there, mostly its owner. */
static inline u32 random_resv(struct model *m, int *who)
{
	u32 first = first_live(m);
	u32 id = first;

	*who = below(m, NPRODUCERS);
	if (!m->nresvs || chance(m, 2))
		return below(m, m->nresvs + 2);
	if (first < m->nresvs)
		id += below(m, m->nresvs - first);
	if (id < m->nresvs && m->resvs[id].owner != NOBODY && chance(m, 95))
		*who = m->resvs[id].owner;
	return id;
}

static inline bool is_straggler_of(const struct model *m, u64 group, u32 id,
				   int who)
{
	return id < m->nresvs && m->resvs[id].group == group &&
	       m->resvs[id].straggler && m->resvs[id].owner == who;
}

static inline int expected_owner(const struct model *m, u64 group, u32 id,
				 int who)
{
	const struct m_resv *r = &m->resvs[id];

	if (m->finalized)
		return -ESHUTDOWN;
	if (id >= m->nresvs || r->group != group ||
	    m->groups[r->group].place == DEAD)
		return -ENOENT;
	return r->owner == who ? 0 : -EPERM;
}

static inline int expected_state(const struct m_resv *r)
{
	if (r->state == ZCB_RESV_COMMITTED)
		return -EALREADY;
	return r->state == ZCB_RESV_FAILED ? -ESTALE : 0;
}

static inline int expected_commit(const struct model *m, u32 id, int who,
				  const struct zcb_stream_commit *c)
{
	const struct m_resv *r = &m->resvs[id];
	int err = expected_owner(m, c->group, id, who);

	if (err)
		return err;
	if (c->offset != r->offset)
		return -EINVAL;
	if (!m->groups[r->group].window && (c->user_tag || c->encoding))
		return -EINVAL;
	err = expected_state(r);
	if (err)
		return err;
	if (c->overrun || (c->chunked && c->length > r->length))
		return -ERANGE;
	if (c->length > r->length || !c->length)
		return -EMSGSIZE;
	if (c->length < r->length && !m->groups[r->group].window)
		return -EMSGSIZE;
	return 0;
}

/* Also of what is no window, now and then. */
static inline void random_tag(struct model *m, u32 id,
			      struct zcb_stream_commit *c)
{
	bool window = id < m->nresvs && m->groups[m->resvs[id].group].window;

	if (chance(m, window ? 70 : 1))
		c->user_tag = below(m, 3);
	if (chance(m, window ? 70 : 1))
		c->encoding = below(m, 3);
}

static inline struct zcb_stream_commit random_commit(struct model *m, u32 id)
{
	struct zcb_stream_commit c = { .id = id, .chunked = chance(m, 30) };
	const struct m_resv *r = &m->resvs[id];

	if (id < m->nresvs) {
		c.group = r->group;
		c.offset = r->offset;
		c.length = r->length;
		if (m->groups[r->group].window && chance(m, 70))
			c.length = below(m, c.length + 1);
	}
	c.group += chance(m, 2);
	c.offset += chance(m, 2);
	if (chance(m, 3))
		c.length += (u64)below(m, 5) - 2;
	c.overrun = c.chunked && chance(m, 3);
	c.nrecords = chance(m, 2) ? U32_MAX - below(m, 3) : below(m, 4);
	random_tag(m, id, &c);
	return c;
}

static inline void expect_ack(struct model *m, u64 group, u32 id, int who)
{
	if (is_straggler_of(m, group, id, who))
		m->resvs[id].straggler = false;
}

static inline void commit_resv(struct model *m, u32 id,
			       const struct zcb_stream_commit *c)
{
	struct m_resv *r = &m->resvs[id];
	struct m_group *g = &m->groups[r->group];

	r->state = ZCB_RESV_COMMITTED;
	r->used = c->length;
	g->nrecords += c->nrecords ? c->nrecords : 1;
	if (g->window) {
		g->length = c->length;
		g->ext_bytes[0] = c->length;
		g->user_tag = c->user_tag;
		g->encoding = c->encoding;
	}
}

static inline void op_commit(struct model *m)
{
	int who, err, want;
	u32 id = random_resv(m, &who);
	struct zcb_stream_commit c = random_commit(m, id);

	want = expected_commit(m, id, who, &c);
	if (!want)
		rig_write(m->rig, m->resvs[id].real, c.length);
	err = zcb_stream_commit(&m->rig->s, &m->producers[who], &c, ++m->now);
	KUNIT_ASSERT_EQ(test_of(m), err, want);
	if (!err)
		commit_resv(m, id, &c);
	else if (err == -ESHUTDOWN || err == -ESTALE)
		expect_ack(m, c.group, id, who);
}

static inline void op_abort(struct model *m)
{
	int who, err, want;
	u32 id = random_resv(m, &who);
	u64 group = id < m->nresvs ? m->resvs[id].group : 0;

	group += chance(m, 2);
	want = expected_owner(m, group, id, who);
	if (!want)
		want = expected_state(&m->resvs[id]);
	err = zcb_stream_abort(&m->rig->s, &m->producers[who], group, id,
			       ++m->now);
	KUNIT_ASSERT_EQ(test_of(m), err, want);
	if (!err)
		m->resvs[id].state = ZCB_RESV_FAILED;
	else if (err == -ESHUTDOWN || err == -ESTALE)
		expect_ack(m, group, id, who);
}

/* -------------------------------------------------------- flush, finalize */

static inline void op_flush(struct model *m)
{
	bool sealed = zcb_stream_flush(&m->rig->s, ++m->now);

	KUNIT_ASSERT_EQ(test_of(m), sealed, m->open != NOBODY);
	if (sealed)
		seal(m, m->open);
}

static inline void op_finalize(struct model *m)
{
	struct zcb_stream_counts counts, want = {};
	u32 i, ranks = m->nranks;
	u32 failed = m->nfailed;

	zcb_stream_finalize(&m->rig->s, ++m->now, &counts);
	m->finalized = true;
	if (m->open != NOBODY)
		seal(m, m->open);
	for (i = first_live(m); i < m->nresvs; i++) {
		if (m->resvs[i].state != ZCB_RESV_PENDING)
			continue;
		m->resvs[i].state = ZCB_RESV_FAILED;
		m->resvs[i].straggler = true;
		want.reservations++;
	}
	settle(m);
	want.success = m->nranks - ranks;
	want.failure = m->nfailed - failed;
	KUNIT_ASSERT_EQ(test_of(m), counts.success, want.success);
	KUNIT_ASSERT_EQ(test_of(m), counts.failure, want.failure);
	KUNIT_ASSERT_EQ(test_of(m), counts.reservations, want.reservations);
}

/* ------------------------------------------------------- receive, release */

static inline int expected_receive(const struct model *m, u32 i)
{
	if (i == FAILURE_PORT)
		return m->nfailed ? 0 : m->finalized ? -ESHUTDOWN : -EAGAIN;
	if (m->mports[i].n)
		return 0;
	return success_ended(m) ? -ESHUTDOWN : -EAGAIN;
}

static inline void check_delivery(struct model *m, u32 i,
				  const struct zcb_group *real)
{
	struct kunit *test = test_of(m);
	struct m_group *g = &m->groups[i];
	u32 e;

	KUNIT_ASSERT_EQ(test, real->id, (u64)i);
	KUNIT_ASSERT_EQ(test, real->offset, g->offset);
	KUNIT_ASSERT_EQ(test, real->length, g->length);
	KUNIT_ASSERT_EQ(test, real->time_ns, g->time);
	KUNIT_ASSERT_EQ(test, real->seq, m->mports[g->port].seq);
	KUNIT_ASSERT_EQ(test, real->nresv, g->count);
	KUNIT_ASSERT_EQ(test, real->nfailed,
			count_resvs(m, g, ZCB_RESV_FAILED));
	KUNIT_ASSERT_EQ(test, real->nrecords, min_t(u64, g->nrecords, U32_MAX));
	KUNIT_ASSERT_EQ(test, real->nextents, g->nextents);
	for (e = 0; e < g->nextents; e++)
		KUNIT_ASSERT_EQ(test, real->extents[e].bytes, g->ext_bytes[e]);
	rig_check_group(m->rig, real);
}

static inline void op_receive(struct model *m)
{
	struct zcb_group *real = NULL, *peeked = NULL;
	u32 i = below(m, NCONSUMERS);
	struct m_port *port = &m->mports[i];
	int err;
	u32 g;

	if (!port->on)
		return;
	err = zcb_stream_peek(&m->rig->s, &m->ports[i].c, &peeked);
	KUNIT_ASSERT_EQ(test_of(m), err, expected_receive(m, i));
	err = zcb_stream_receive(&m->rig->s, &m->ports[i].c, &real);
	KUNIT_ASSERT_EQ(test_of(m), err, expected_receive(m, i));
	KUNIT_ASSERT_PTR_EQ(test_of(m), real, peeked);
	if (err)
		return;
	if (i == FAILURE_PORT)
		g = array_take(m->failed, &m->nfailed);
	else
		g = array_take(port->queue, &port->n);
	m->groups[g].place = HELD;
	m->groups[g].port = i;
	check_delivery(m, g, real);
	port->seq++;
	port->nheld++;
}

static inline int expected_release(const struct model *m, u32 i, u32 g)
{
	if (g >= m->ngroups)
		return -ENOENT;
	if (m->groups[g].place == DEAD)
		return -EBADSLT;
	if (m->groups[g].place != HELD)
		return -ENOENT;
	return m->groups[g].port == i ? 0 : -EPERM;
}

static inline void op_release(struct model *m)
{
	u32 i = below(m, NCONSUMERS);
	u32 g = m->base + below(m, m->ngroups - m->base + 2);
	int err;

	if (chance(m, 5))
		g = below(m, m->ngroups + 1);
	if (g < m->ngroups && m->groups[g].place == HELD && chance(m, 95))
		i = m->groups[g].port;
	if (!m->mports[i].on)
		return;
	err = zcb_stream_release(&m->rig->s, &m->ports[i].c, g);
	KUNIT_ASSERT_EQ(test_of(m), err, expected_release(m, i, g));
	if (err)
		return;
	m->groups[g].place = DEAD;
	m->mports[i].nheld--;
}

/* ------------------------------------------------------ ports come and go */

static inline void make_producer(struct model *m, int i)
{
	memset(&m->producers[i], RIG_POISON, sizeof(m->producers[i]));
	zcb_producer_init(&m->producers[i]);
}

static inline void drop_producer(struct model *m, int i)
{
	u32 j;

	zcb_stream_drop_producer(&m->rig->s, &m->producers[i], ++m->now);
	make_producer(m, i);
	for (j = 0; j < m->nresvs; j++) {
		struct m_resv *r = &m->resvs[j];

		if (r->owner != i)
			continue;
		r->owner = NOBODY;
		r->straggler = false;
		if (r->state == ZCB_RESV_PENDING)
			r->state = ZCB_RESV_FAILED;
	}
}

static inline void op_drop_producer(struct model *m)
{
	drop_producer(m, below(m, NPRODUCERS));
}

static inline void add_consumer(struct model *m, u32 i)
{
	struct m_port *port = &m->mports[i];

	memset(port, 0, sizeof(*port));
	memset(&m->ports[i], RIG_POISON, sizeof(m->ports[i]));
	m->ports[i].ready = 0;
	m->ports[i].ends = 0;
	port->on = true;
	port->depth = 1 + below(m, chance(m, 75) ? 4 : 64);
	port->waiting_since = ++m->turns;
	zcb_consumer_init(&m->ports[i].c, port->depth, i == FAILURE_PORT);
	zcb_stream_add_consumer(&m->rig->s, &m->ports[i].c);
}

static inline void drop_consumer(struct model *m, u32 i)
{
	struct m_port *port = &m->mports[i];
	u32 g;

	zcb_stream_drop_consumer(&m->rig->s, &m->ports[i].c);
	memset(&m->ports[i], RIG_POISON, sizeof(m->ports[i]));
	port->on = false;
	while (port->n)
		park(m, array_take(port->queue, &port->n));
	for (g = m->base; g < m->ngroups; g++)
		if (m->groups[g].place == HELD && m->groups[g].port == i)
			m->groups[g].place = DEAD;
}

static inline void op_consumer(struct model *m)
{
	u32 i = below(m, NCONSUMERS);

	if (!m->mports[i].on)
		add_consumer(m, i);
	else if (chance(m, 40))
		drop_consumer(m, i);
}

/* ---------------------------------------------------------------- episodes */

static inline void random_config(struct model *m)
{
	static const u32 aligns[] = { 1, 1, 8, 64 };
	struct zcb_stream_config *cfg = &m->rig->cfg;

	cfg->page_shift = SHIFT;
	cfg->max_extent = 1 << 12;
	cfg->threshold = chance(m, 15) ? 0 : below(m, 600);
	cfg->max_reservation = 1 + below(m, 300);
	cfg->align = aligns[below(m, ARRAY_SIZE(aligns))];
	cfg->max_outstanding = chance(m, 30) ? 1 + below(m, 20) : 500;
	cfg->hold_failed = chance(m, 50);
	cfg->ordered = chance(m, 50);
}

/* Some streams begin near the end of all offsets. */
static inline u64 random_start(struct model *m)
{
	u64 start = 0;

	if (chance(m, 5))
		start = U64_MAX - below(m, 1 << below(m, 16));

	return round_down(start, m->rig->cfg.align);
}

static inline void open_episode(struct model *m)
{
	u32 i;

	random_config(m);
	rig_open(m->rig);
	zcb_stream_drop_consumer(&m->rig->s, &m->rig->c.c);
	zcb_stream_drop_consumer(&m->rig->s, &m->rig->f.c);
	m->nresvs = 0;
	m->ngroups = 0;
	m->nparked = 0;
	m->nfailed = 0;
	m->nranks = 0;
	m->base = 0;
	m->open = NOBODY;
	m->offset = random_start(m);
	m->rig->s.offset = m->offset;
	m->finalized = false;
	m->success_told = false;
	m->failure_told = false;
	memset(m->mports, 0, sizeof(m->mports));
	for (i = 0; i < NPRODUCERS; i++)
		make_producer(m, i);
	for (i = 0; i < NCONSUMERS; i++)
		if (chance(m, 80))
			add_consumer(m, i);
}

/* One operation, and all there is to compare after it. */
static inline void model_step(struct model *m, void (*op)(struct model *m))
{
	m->rig->now = ++m->now;
	op(m);
	m->now = max(m->now, m->rig->now);
	settle(m);
	settle_ends(m);
	compare_counts(m);
	compare_groups(m);
	compare_ports(m);
	compare_queues(m);
	compare_producers(m);
}

static inline void close_episode(struct model *m)
{
	u32 i;

	for (i = 0; i < NPRODUCERS; i++)
		drop_producer(m, i);
	for (i = 0; i < NCONSUMERS; i++)
		if (m->mports[i].on)
			drop_consumer(m, i);
	zcb_stream_fini(&m->rig->s);
	rig_check_empty(m->rig);
}

#endif /* ZCB_KUNIT_STREAM_OPS_H */
