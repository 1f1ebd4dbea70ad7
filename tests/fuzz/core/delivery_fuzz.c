// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * kmod/core/delivery.c: a stream where each reservation is a group, with more
 * ports and fewer rules than in stream_fuzz.c. The model knows no lists: each
 * group has a place and a rank, and what comes next is the one whose rank is
 * the smallest.
 */
#include "rig.h"

#define GROUPS		400
#define SUCCESS_PORTS	5
#define FAILURE_PORTS	3
#define PORTS		(SUCCESS_PORTS + FAILURE_PORTS)
#define NONE		(-1)

enum place {
	PENDING,
	WAITING,
	PARKED,
	QUEUED,
	WITHHELD,
	FAILED,
	HELD,
	DEAD,
};

struct m_group {
	struct zcb_resv *resv;
	u64 length;
	u64 time;
	u64 rank;		/* among those that failed, if it did */
	int port;
	enum place place;
	bool straggler;
};

struct m_port {
	bool on;
	u32 depth;
	u64 turn;		/* when it was last offered something */
	u64 seq;
	u32 ready;
	u32 ends;
};

struct state {
	struct kunit *test;
	struct zcb_rand *in;
	struct rig *rig;
	struct rig_port real[PORTS];
	struct m_port ports[PORTS];
	struct m_group groups[GROUPS];
	u32 n;
	u32 base;		/* groups below it are gone */
	u64 ranks, failures, turns;
	bool finalized, success_told, failure_told;
};

static bool is_failure(u32 port)
{
	return port >= SUCCESS_PORTS;
}

static u32 choose_port(struct state *s)
{
	return zcb_rand_below(s->in, PORTS);
}

/* --------------------------------------------------------- looking things up */

static bool is_gone(const struct m_group *g)
{
	return g->place == DEAD && !g->straggler;
}

/* Of @port, or of any if it is NONE. */
static u32 count(const struct state *s, enum place where, int port)
{
	u32 i, n = 0;

	for (i = s->base; i < s->n; i++)
		n += s->groups[i].place == where &&
		     (port == NONE || s->groups[i].port == port);
	return n;
}

static int smallest_rank(const struct state *s, enum place where, int port)
{
	int best = NONE;
	u32 i;

	for (i = s->base; i < s->n; i++) {
		const struct m_group *g = &s->groups[i];

		if (g->place != where || (port != NONE && g->port != port))
			continue;
		if (best == NONE || g->rank < s->groups[best].rank)
			best = i;
	}
	return best;
}

static int port_with_room(const struct state *s)
{
	int i, best = NONE;

	for (i = 0; i < SUCCESS_PORTS; i++) {
		if (!s->ports[i].on ||
		    count(s, QUEUED, i) >= s->ports[i].depth)
			continue;
		if (best == NONE || s->ports[i].turn < s->ports[best].turn)
			best = i;
	}
	return best;
}

static bool success_ended(const struct state *s)
{
	return s->finalized && !count(s, PARKED, NONE) &&
	       !count(s, QUEUED, NONE);
}

static bool failure_ended(const struct state *s)
{
	return s->finalized && !count(s, FAILED, NONE);
}

static u64 bytes_of(const struct m_group *g)
{
	return (g->length + 63) / 64 * 64;
}

/* ------------------------------------------------------------- what follows */

static void offer(struct state *s)
{
	int g, port;

	while ((g = smallest_rank(s, PARKED, NONE)) != NONE) {
		port = port_with_room(s);
		if (port == NONE)
			return;
		s->groups[g].place = QUEUED;
		s->groups[g].port = port;
		s->ports[port].turn = ++s->turns;
		s->ports[port].ready++;
	}
}

static void park(struct state *s, struct m_group *g)
{
	g->rank = s->ranks++;
	g->place = PARKED;
	offer(s);
}

/* ORDERED: all up to the first that is pending. */
static void take_turns(struct state *s)
{
	u32 i;

	for (i = s->base; i < s->n && s->groups[i].place != PENDING; i++)
		if (s->groups[i].place == WAITING)
			park(s, &s->groups[i]);
}

static void put_failed(struct state *s, struct m_group *g)
{
	u32 i;

	g->place = FAILED;
	g->rank = s->failures++;
	for (i = SUCCESS_PORTS; i < PORTS; i++)
		s->ports[i].ready += s->ports[i].on;
}

static void complete(struct state *s, struct m_group *g, bool failed)
{
	g->time = s->rig->now;
	if (failed && s->rig->cfg.hold_failed && !s->finalized)
		g->place = WITHHELD;
	else if (failed)
		put_failed(s, g);
	else
		g->place = WAITING;
	if (!s->rig->cfg.ordered && g->place == WAITING)
		park(s, g);
	take_turns(s);
}

/* Ports are told of an end when it comes about, if they are there then. */
static void tell_ends(struct state *s)
{
	bool success = success_ended(s) && !s->success_told;
	bool failure = failure_ended(s) && !s->failure_told;
	u32 i;

	for (i = 0; i < PORTS; i++)
		s->ports[i].ends += s->ports[i].on &&
				    (is_failure(i) ? failure : success);
	s->success_told |= success;
	s->failure_told |= failure;
}

/* ----------------------------------------------------------------- producing */

static void reserve(void *state)
{
	struct state *s = state;
	u64 length = 1 + zcb_rand_below(s->in, 256);
	struct zcb_resv *resv = NULL;
	int want = 0;
	u32 i, taken = 0;

	if (s->n == GROUPS)
		return;
	for (i = s->base; i < s->n; i++)
		taken += !is_gone(&s->groups[i]);
	if (s->finalized)
		want = -ESHUTDOWN;
	else if (taken == s->rig->cfg.max_outstanding)
		want = -EAGAIN;
	KUNIT_ASSERT_EQ(s->test, rig_try_reserve(s->rig, &s->rig->p, length,
						 false, 0, &resv), want);
	if (want)
		return;
	KUNIT_ASSERT_EQ(s->test, resv->group->id, (u64)s->n);
	s->groups[s->n++] = (struct m_group){
		.resv = resv, .length = length, .port = NONE,
	};
}

static void commit_group(struct state *s, struct m_group *g)
{
	rig_write(s->rig, g->resv, g->length);
	KUNIT_ASSERT_EQ(s->test, 0, rig_commit_bytes(s->rig, g->resv, g->length,
						     false));
	complete(s, g, false);
}

/* The first that is pending, at or after a random one. */
static struct m_group *choose_pending(struct state *s)
{
	u32 i;

	for (i = zcb_rand_below(s->in, s->n); i < s->n; i++)
		if (s->groups[i].place == PENDING)
			return &s->groups[i];
	return NULL;
}

static void commit(void *state)
{
	struct state *s = state;
	struct m_group *g = choose_pending(s);

	if (g)
		commit_group(s, g);
}

static void fail(void *state)
{
	struct state *s = state;
	struct m_group *g = choose_pending(s);

	if (!g)
		return;
	rig_abort(s->rig, g->resv);
	complete(s, g, true);
}

/* Several at once, as a window of a producer that is fast. */
static void produce(void *state)
{
	struct state *s = state;
	u32 i, n = 1 + zcb_rand_below(s->in, 8);

	for (i = 0; i < n; i++) {
		u32 before = s->n;

		reserve(s);
		if (s->n > before)
			commit_group(s, &s->groups[before]);
	}
}

/* An owner who hears that its stream is over has stopped storing. */
static void acknowledge(void *state)
{
	struct state *s = state;
	struct m_group *g = &s->groups[zcb_rand_below(s->in, s->n)];

	if (!s->n || !g->straggler)
		return;
	KUNIT_ASSERT_EQ(s->test, -ESHUTDOWN,
			rig_commit_bytes(s->rig, g->resv, g->length, false));
	g->straggler = false;
}

/* Few, as little happens after it. */
static void finalize(void *state)
{
	struct state *s = state;
	struct zcb_stream_counts counts;
	u64 ranks = s->ranks, failures = s->failures;
	u32 i, npending = count(s, PENDING, NONE);

	if (!zcb_rand_chance(s->in, 25))
		return;
	zcb_stream_finalize(&s->rig->s, rig_now(s->rig), &counts);
	s->finalized = true;
	for (i = s->base; i < s->n; i++) {
		struct m_group *g = &s->groups[i];

		if (g->place == PENDING) {
			g->straggler = true;
			complete(s, g, true);
		} else if (g->place == WITHHELD) {
			put_failed(s, g);
		}
	}
	KUNIT_ASSERT_EQ(s->test, counts.success, s->ranks - ranks);
	KUNIT_ASSERT_EQ(s->test, counts.failure, s->failures - failures);
	KUNIT_ASSERT_EQ(s->test, counts.reservations, (u64)npending);
}

/* ----------------------------------------------------------------- consuming */

/* What @port would receive, or an error. */
static int next_group(const struct state *s, u32 port)
{
	bool ended = is_failure(port) ? failure_ended(s) : success_ended(s);
	int g;

	if (is_failure(port))
		g = smallest_rank(s, FAILED, NONE);
	else
		g = smallest_rank(s, QUEUED, port);
	if (g != NONE)
		return g;
	return ended ? -ESHUTDOWN : -EAGAIN;
}

static void check_received(struct state *s, u32 port, const struct m_group *g,
			   const struct zcb_group *real)
{
	struct kunit *test = s->test;

	KUNIT_ASSERT_EQ(test, real->id, (u64)(g - s->groups));
	KUNIT_ASSERT_PTR_EQ(test, real->holder, &s->real[port].c);
	KUNIT_ASSERT_EQ(test, real->seq, s->ports[port].seq);
	KUNIT_ASSERT_EQ(test, real->time_ns, g->time);
	KUNIT_ASSERT_EQ(test, real->length, g->length);
	rig_check_group(s->rig, real);
}

static void receive_from(struct state *s, u32 port)
{
	struct zcb_group *real = NULL;
	int want = next_group(s, port);
	struct m_group *g;

	KUNIT_ASSERT_EQ(s->test, min(want, 0),
			zcb_stream_receive(&s->rig->s, &s->real[port].c, &real));
	if (want < 0)
		return;
	g = &s->groups[want];
	check_received(s, port, g, real);
	g->place = HELD;
	g->port = port;
	s->ports[port].seq++;
	offer(s);
}

static void receive(void *state)
{
	struct state *s = state;
	u32 port = choose_port(s);
	u32 n = 1 + zcb_rand_below(s->in, 4);

	while (s->ports[port].on && n--)
		receive_from(s, port);
}

static int expected_release(const struct state *s, u32 port, u32 i)
{
	if (i >= s->n)
		return -ENOENT;
	if (s->groups[i].place == DEAD)
		return -EBADSLT;
	if (s->groups[i].place != HELD)
		return -ENOENT;
	return s->groups[i].port == (int)port ? 0 : -EPERM;
}

static void release_group(struct state *s, u32 port, u32 i)
{
	int want = expected_release(s, port, i);

	if (!s->ports[port].on)
		return;
	KUNIT_ASSERT_EQ(s->test, want,
			zcb_stream_release(&s->rig->s, &s->real[port].c, i));
	if (!want)
		s->groups[i].place = DEAD;
}

/* Any group, by any port. */
static void release_any(void *state)
{
	struct state *s = state;
	u32 port = choose_port(s);

	release_group(s, port, zcb_rand_below(s->in, s->n + 1));
}

/* One that is held, by who holds it. */
static void release(void *state)
{
	struct state *s = state;
	u32 i = zcb_rand_below(s->in, s->n);

	while (i < s->n && s->groups[i].place != HELD)
		i++;
	if (i < s->n)
		release_group(s, s->groups[i].port, i);
}

static void add_port(struct state *s, u32 i)
{
	s->ports[i] = (struct m_port){
		.on = true,
		.depth = 1 + zcb_rand_below(s->in,
					    zcb_rand_below(s->in, 3) ? 5 : 64),
		.turn = ++s->turns,
	};
	memset(&s->real[i], 0xa5, sizeof(s->real[i]));
	s->real[i].ready = 0;
	s->real[i].ends = 0;
	zcb_consumer_init(&s->real[i].c, s->ports[i].depth, is_failure(i));
	zcb_stream_add_consumer(&s->rig->s, &s->real[i].c);
	offer(s);
}

static void drop_port(struct state *s, u32 i)
{
	struct m_group *g;

	zcb_stream_drop_consumer(&s->rig->s, &s->real[i].c);
	memset(&s->real[i], RIG_POISON, sizeof(s->real[i]));
	s->ports[i].on = false;
	for (g = s->groups; g < s->groups + s->n; g++) {
		if (g->port != (int)i)
			continue;
		if (g->place == HELD)
			g->place = DEAD;
		else if (g->place == QUEUED)
			g->place = PARKED;
	}
	offer(s);
}

static void add_or_drop(void *state)
{
	struct state *s = state;
	u32 port = choose_port(s);

	if (s->ports[port].on)
		drop_port(s, port);
	else
		add_port(s, port);
}

/* -------------------------------------------------------------- one by one */

static void open_stream(struct state *s)
{
	struct zcb_stream_config *cfg = &s->rig->cfg;
	u32 flags = zcb_rand_below(s->in, 8);

	*s = (struct state){ .test = s->test, .in = s->in, .rig = s->rig };
	/* A threshold of 0 makes each reservation a group. */
	*cfg = (struct zcb_stream_config){
		.max_reservation = 256,
		.max_extent = 4096,
		.align = 1,
		.page_shift = 6,
		.max_outstanding = flags & 1 ? 16 : GROUPS,
		.hold_failed = flags & 2,
		.ordered = flags & 4,
	};
	rig_open(s->rig);
	zcb_stream_drop_consumer(&s->rig->s, &s->rig->c.c);
	zcb_stream_drop_consumer(&s->rig->s, &s->rig->f.c);
}

static void close_stream(struct state *s)
{
	u32 i;

	zcb_stream_drop_producer(&s->rig->s, &s->rig->p, rig_now(s->rig));
	for (i = 0; i < PORTS; i++)
		if (s->ports[i].on)
			drop_port(s, i);
	zcb_stream_fini(&s->rig->s);
	rig_check_empty(s->rig);
}

/* Another stream. */
static void again(void *state)
{
	struct state *s = state;

	if (!s->finalized && !zcb_rand_chance(s->in, 25))
		return;
	close_stream(s);
	open_stream(s);
}

/* ---------------------------------------------------------------- comparing */

static void check_port(struct state *s, u32 i)
{
	struct zcb_consumer *c = &s->real[i].c;
	struct kunit *test = s->test;
	struct zcb_group *real = NULL;
	int want = next_group(s, i);
	const struct m_group *g;
	u64 held_bytes = 0;

	for (g = s->groups + s->base; g < s->groups + s->n; g++)
		if (g->place == HELD && g->port == (int)i)
			held_bytes += bytes_of(g);
	KUNIT_ASSERT_EQ(test, c->held_bytes, held_bytes);
	KUNIT_ASSERT_EQ(test, c->nheld, count(s, HELD, i));
	KUNIT_ASSERT_EQ(test, c->queued, count(s, QUEUED, i));
	KUNIT_ASSERT_EQ(test, c->next_seq, s->ports[i].seq);
	KUNIT_ASSERT_EQ(test, s->real[i].ready, s->ports[i].ready);
	KUNIT_ASSERT_EQ(test, s->real[i].ends, s->ports[i].ends);
	KUNIT_ASSERT_EQ(test, zcb_stream_ended(&s->rig->s, c),
			is_failure(i) ? failure_ended(s) : success_ended(s));
	KUNIT_ASSERT_EQ(test, min(want, 0), zcb_stream_peek(&s->rig->s, c, &real));
	if (want >= 0)
		KUNIT_ASSERT_EQ(test, real->id, (u64)want);
}

static void check_stream(struct state *s)
{
	const struct zcb_stream *real = &s->rig->s;
	struct kunit *test = s->test;
	const struct m_group *g;
	u64 bytes = 0;
	u32 taken = 0;

	for (g = s->groups + s->base; g < s->groups + s->n; g++) {
		if (is_gone(g))
			continue;
		bytes += bytes_of(g);
		taken++;
	}
	KUNIT_ASSERT_EQ(test, real->bytes, bytes);
	KUNIT_ASSERT_EQ(test, real->credit.taken, taken);
	KUNIT_ASSERT_EQ(test, real->npending, count(s, PENDING, NONE));
	KUNIT_ASSERT_EQ(test, real->nparked, count(s, PARKED, NONE));
	KUNIT_ASSERT_EQ(test, real->nqueued, count(s, QUEUED, NONE));
	KUNIT_ASSERT_EQ(test, real->nheld, count(s, HELD, NONE));
	KUNIT_ASSERT_EQ(test, real->nfailed,
			count(s, WITHHELD, NONE) + count(s, FAILED, NONE));
}

static void check(void *state)
{
	struct state *s = state;
	u32 i;

	while (s->base < s->n && is_gone(&s->groups[s->base]))
		s->base++;
	tell_ends(s);
	check_stream(s);
	for (i = 0; i < PORTS; i++)
		if (s->ports[i].on)
			check_port(s, i);
}

static const struct fuzz_op ops[] = {
	{ "reserve", reserve },
	{ "reserve", reserve },
	{ "commit", commit },
	{ "commit", commit },
	{ "fail", fail },
	{ "produce", produce },
	{ "produce", produce },
	{ "acknowledge", acknowledge },
	{ "receive", receive },
	{ "receive", receive },
	{ "receive", receive },
	{ "release", release },
	{ "release", release },
	{ "release_any", release_any },
	{ "add_or_drop", add_or_drop },
	{ "add_or_drop", add_or_drop },
	{ "finalize", finalize },
	{ "again", again },
};

static const struct fuzz_target target = { ops, ARRAY_SIZE(ops), check };

void fuzz_one(struct kunit *test, struct zcb_rand *in)
{
	static struct state s;

	s.test = test;
	s.in = in;
	s.rig = fuzz_rig_init(test);
	open_stream(&s);
	fuzz_ops(&target, in, &s);
	close_stream(&s);
}
