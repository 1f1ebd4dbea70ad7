// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random streams of operations, compared with a model after each of them: what
 * it answered, all there is to count, and each delivery with its bytes when it
 * is received. Producers and consumers come and go, and every episode ends with
 * everything given back.
 */
#include <kunit/test.h>
#include "stream_model.h"

#define EPISODE		1000		/* operations */
#define EPISODES	400

/* ---------------------------------------------------------------- reserve */

static int expected_plan(const struct model *m, u64 length)
{
	if (!length)
		return -EINVAL;
	if (m->finalized)
		return -ESHUTDOWN;
	if (length > m->rig->cfg.max_extent)
		return -E2BIG;
	if (credits_taken(m) >= m->rig->cfg.max_outstanding)
		return -EAGAIN;
	return 0;
}

static void seal(struct model *m, int i)
{
	m->groups[i].sealed = true;
	if (m->open == i)
		m->open = NOBODY;
}

/* The group that takes @length more bytes: the open one, or a new one. */
static int find_group(struct model *m, bool window)
{
	struct m_group *g;

	if (!window && m->open != NOBODY) {
		g = &m->groups[m->open];
		if (g->offset + g->total == m->offset)
			return m->open;
		seal(m, m->open);
	}
	g = &m->groups[m->ngroups];
	memset(g, 0, sizeof(*g));
	g->first = m->nresvs;
	g->offset = m->offset;
	g->window = window;
	g->port = NOBODY;
	if (!window)
		m->open = m->ngroups;
	return m->ngroups++;
}

static void add_resv(struct model *m, int owner, u64 length, bool window,
		     struct zcb_resv *real)
{
	struct m_resv *r = &m->resvs[m->nresvs];
	int group = find_group(m, window);
	struct m_group *g = &m->groups[group];
	u64 room = (u64)g->ext_pages[0] << SHIFT;

	*r = (struct m_resv){
		.real = real, .group = group, .offset = m->offset,
		.length = length, .owner = owner, .state = ZCB_RESV_PENDING,
		.pool_offset = real->pool_offset,
	};
	m->nresvs++;
	if (!g->count) {
		g->nextents = 1;
		g->ext_pages[0] = real->group->extents[0].pages;
	} else if (g->total + length > room) {
		g->ext_bytes[0] = g->total;
		g->nextents = 2;
	}
	g->count++;
	g->total += aligned(m, length);
	g->length = r->offset + length - g->offset;
	g->ext_bytes[g->nextents - 1] = g->length -
		(g->nextents > 1 ? g->ext_bytes[0] : 0);
	m->offset += aligned(m, length);
	if (window || g->total >= m->rig->cfg.threshold || g->nextents > 1)
		seal(m, group);
	if (m->open != NOBODY && credits_taken(m) == m->rig->cfg.max_outstanding)
		seal(m, m->open);
}

static u64 random_length(struct model *m)
{
	u32 kind = below(m, 100);

	if (kind < 2)
		return 0;
	if (kind < 4)
		return m->rig->cfg.max_extent + 1 + below(m, 100);
	if (kind < 14)
		return 1 + below(m, 1500);
	return 1 + below(m, 200);
}

static void check_resv(struct model *m, const struct m_resv *r)
{
	struct kunit *test = test_of(m);

	KUNIT_ASSERT_EQ(test, r->real->id, (u64)m->nresvs - 1);
	KUNIT_ASSERT_EQ(test, r->real->group->id, (u64)r->group);
	KUNIT_ASSERT_EQ(test, r->real->offset, r->offset);
	KUNIT_ASSERT_EQ(test, r->real->length, r->length);
}

static void op_reserve(struct model *m)
{
	int owner = below(m, NPRODUCERS);
	u64 length = random_length(m);
	bool window = chance(m, 20);
	struct zcb_resv *real = NULL;
	int err;

	if (m->nresvs == MAX_RESVS)
		return;
	err = rig_try_reserve(m->rig, &m->producers[owner], length, window,
			      below(m, 3), &real);
	KUNIT_ASSERT_EQ(test_of(m), err, expected_plan(m, length));
	if (err)
		return;
	add_resv(m, owner, length, window, real);
	check_resv(m, &m->resvs[m->nresvs - 1]);
}

/* ---------------------------------------------------------- commit, abort */

/* Mostly one that is there, mostly its owner. */
static u32 random_resv(struct model *m, int *who)
{
	u32 first = m->groups[m->base].first;
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

static bool is_straggler_of(const struct model *m, u64 group, u32 id, int who)
{
	return id < m->nresvs && m->resvs[id].group == group &&
	       m->resvs[id].straggler && m->resvs[id].owner == who;
}

static int expected_owner(const struct model *m, u64 group, u32 id, int who)
{
	const struct m_resv *r = &m->resvs[id];

	if (m->finalized)
		return -ESHUTDOWN;
	if (id >= m->nresvs || r->group != group ||
	    m->groups[r->group].place == DEAD)
		return -ENOENT;
	return r->owner == who ? 0 : -EPERM;
}

static int expected_state(const struct m_resv *r)
{
	if (r->state == ZCB_RESV_COMMITTED)
		return -EALREADY;
	return r->state == ZCB_RESV_FAILED ? -ESTALE : 0;
}

static int expected_commit(const struct model *m, u32 id, int who,
			   const struct zcb_stream_commit *c)
{
	const struct m_resv *r = &m->resvs[id];
	int err = expected_owner(m, c->group, id, who);

	if (err)
		return err;
	if (c->offset != r->offset)
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

static struct zcb_stream_commit random_commit(struct model *m, u32 id)
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
	return c;
}

static void expect_ack(struct model *m, u64 group, u32 id, int who)
{
	if (is_straggler_of(m, group, id, who))
		m->resvs[id].straggler = false;
}

static void commit_resv(struct model *m, u32 id, u64 length)
{
	struct m_resv *r = &m->resvs[id];
	struct m_group *g = &m->groups[r->group];

	r->state = ZCB_RESV_COMMITTED;
	r->used = length;
	if (g->window) {
		g->length = length;
		g->ext_bytes[0] = length;
	}
}

static void op_commit(struct model *m)
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
		commit_resv(m, id, c.length);
	else if (err == -ESHUTDOWN || err == -ESTALE)
		expect_ack(m, c.group, id, who);
}

static void op_abort(struct model *m)
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

static void op_flush(struct model *m)
{
	bool sealed = zcb_stream_flush(&m->rig->s, ++m->now);

	KUNIT_ASSERT_EQ(test_of(m), sealed, m->open != NOBODY);
	if (sealed)
		seal(m, m->open);
}

static void op_finalize(struct model *m)
{
	struct zcb_stream_counts counts, want = {};
	u32 i, ranks = m->nranks;
	u32 failed = m->nfailed;

	zcb_stream_finalize(&m->rig->s, ++m->now, &counts);
	m->finalized = true;
	if (m->open != NOBODY)
		seal(m, m->open);
	for (i = m->ngroups ? m->groups[m->base].first : 0; i < m->nresvs; i++) {
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

static int expected_receive(const struct model *m, u32 i)
{
	if (i == FAILURE_PORT)
		return m->nfailed ? 0 : m->finalized ? -ESHUTDOWN : -EAGAIN;
	if (m->mports[i].n)
		return 0;
	return success_ended(m) ? -ESHUTDOWN : -EAGAIN;
}

static void check_delivery(struct model *m, u32 i, const struct zcb_group *real)
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
	KUNIT_ASSERT_EQ(test, real->nextents, g->nextents);
	for (e = 0; e < g->nextents; e++)
		KUNIT_ASSERT_EQ(test, real->extents[e].bytes, g->ext_bytes[e]);
	rig_check_group(m->rig, real);
}

static void op_receive(struct model *m, u32 i)
{
	struct m_port *port = &m->mports[i];
	struct zcb_group *real = NULL;
	int err;
	u32 g;

	if (!port->on)
		return;
	err = zcb_stream_receive(&m->rig->s, &m->ports[i].c, &real);
	KUNIT_ASSERT_EQ(test_of(m), err, expected_receive(m, i));
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

static int expected_release(const struct model *m, u32 i, u32 g)
{
	if (g >= m->ngroups)
		return -ENOENT;
	if (m->groups[g].place == DEAD)
		return -EBADSLT;
	if (m->groups[g].place != HELD)
		return -ENOENT;
	return m->groups[g].port == i ? 0 : -EPERM;
}

static void op_release(struct model *m)
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

static void op_drop_producer(struct model *m, int i)
{
	u32 j;

	zcb_stream_drop_producer(&m->rig->s, &m->producers[i], ++m->now);
	zcb_producer_init(&m->producers[i]);
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

static void add_consumer(struct model *m, u32 i)
{
	struct m_port *port = &m->mports[i];

	memset(port, 0, sizeof(*port));
	memset(&m->ports[i], 0, sizeof(m->ports[i]));
	port->on = true;
	port->depth = 1 + below(m, 4);
	port->waiting_since = ++m->turns;
	zcb_consumer_init(&m->ports[i].c, port->depth, i == FAILURE_PORT);
	zcb_stream_add_consumer(&m->rig->s, &m->ports[i].c);
}

static void drop_consumer(struct model *m, u32 i)
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

static void op_consumer(struct model *m)
{
	u32 i = below(m, NCONSUMERS);

	if (!m->mports[i].on)
		add_consumer(m, i);
	else if (chance(m, 40))
		drop_consumer(m, i);
}

/* ---------------------------------------------------------------- episodes */

static void one_op(struct model *m)
{
	u32 kind = below(m, 1000);

	if (kind < 300)
		op_reserve(m);
	else if (kind < 550)
		op_commit(m);
	else if (kind < 580)
		op_abort(m);
	else if (kind < 600)
		op_flush(m);
	else if (kind < 750)
		op_receive(m, below(m, NCONSUMERS));
	else if (kind < 960)
		op_release(m);
	else if (kind < 970)
		op_drop_producer(m, below(m, NPRODUCERS));
	else if (kind < 998)
		op_consumer(m);
	else
		op_finalize(m);
}

static void checked_op(struct model *m)
{
	bool success = success_ended(m);
	bool failure = failure_ended(m);

	m->rig->now = ++m->now;
	one_op(m);
	if (m->rig->now > m->now)
		m->now = m->rig->now;
	settle(m);
	settle_ends(m, success, failure);
	compare_counts(m);
	compare_pages(m);
	compare_ports(m);
	compare_producers(m);
}

static void open_episode(struct model *m)
{
	static const u32 aligns[] = { 1, 1, 8, 64 };
	struct zcb_stream_config *cfg = &m->rig->cfg;
	u32 i;

	cfg->page_shift = SHIFT;
	cfg->max_extent = 1 << 16;
	cfg->threshold = chance(m, 15) ? 0 : below(m, 600);
	cfg->max_reservation = 1 + below(m, 300);
	cfg->align = aligns[below(m, ARRAY_SIZE(aligns))];
	cfg->max_outstanding = chance(m, 30) ? 1 + below(m, 20) : 500;
	cfg->hold_failed = chance(m, 50);
	cfg->ordered = chance(m, 50);
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
	m->offset = 0;
	m->finalized = false;
	memset(m->mports, 0, sizeof(m->mports));
	for (i = 0; i < NPRODUCERS; i++)
		zcb_producer_init(&m->producers[i]);
	for (i = 0; i < NCONSUMERS; i++)
		if (chance(m, 80))
			add_consumer(m, i);
}

static void close_episode(struct model *m)
{
	u32 i;

	for (i = 0; i < NPRODUCERS; i++)
		op_drop_producer(m, i);
	for (i = 0; i < NCONSUMERS; i++)
		if (m->mports[i].on)
			drop_consumer(m, i);
	zcb_stream_fini(&m->rig->s);
	rig_check_empty(m->rig);
}

static void random_operations(struct kunit *test)
{
	struct model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	u32 episodes = ZCB_RAND_OPS(EPISODES);
	u32 i, op;

	KUNIT_ASSERT_NOT_NULL(test, m);
	m->rig = test->priv;
	zcb_rand_init(test, &m->rand);
	for (i = 0; i < episodes; i++) {
		open_episode(m);
		for (op = 0; op < EPISODE; op++)
			checked_op(m);
		close_episode(m);
	}
}

static struct kunit_case random_cases[] = {
	KUNIT_CASE_SLOW(random_operations),
	{}
};

static struct kunit_suite random_suite = {
	.name = "zcb_stream_random",
	.init = rig_init,
	.test_cases = random_cases,
};

kunit_test_suite(random_suite);
