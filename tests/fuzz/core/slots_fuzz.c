// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * kmod/core/slots.c: a stream where each reservation is a group, and consumers that see
 * their queues and take by themselves, beside some that receive. The model knows only
 * who has taken what: who is offered a group is looked up, and has to be so that each is
 * offered once, in order, within what its consumer may have, and that nothing waits of
 * which nobody would be told.
 */
#include "rig.h"
#include "../../../kmod/core/slots.h"

#define GROUPS	400
#define PORTS	4
#define SLOTS	12U
#define NOBODY	(-1)

enum place {
	OFFERED,	/* on a queue, or parked */
	TAKEN,
	OVER,
};

/*
 * struct m_group - one group
 * @port: who has taken it
 * @id: what that calls it
 * @seen: while it is looked for: where it was found
 */
struct m_group {
	enum place place;
	int port;
	u64 id;
	u32 seen;
};

/*
 * struct m_port - one consumer
 * @told: how often it had been asked to tell, when it last did
 * @last: the last group it took
 * @late: it came after the end
 */
struct m_port {
	bool on, seeing, retired, late;
	u32 depth, max_held;
	u32 told;
	int last;
};

struct state {
	struct kunit *test;
	struct zcb_rand *in;
	struct rig *rig;
	struct rig_port real[PORTS];
	union {
		struct zcb_topic_queue q;
		u8 bytes[sizeof(struct zcb_topic_queue) +
			 SLOTS * sizeof(struct zcb_topic_slot)];
	} queue[PORTS];
	u64 words[PORTS][SLOTS];
	struct m_port ports[PORTS];
	struct m_group groups[GROUPS];
	u32 n;
	bool dealt_anew;
	bool finalized;
};

static struct m_port *choose_port(struct state *s, u32 *i)
{
	*i = zcb_rand_below(s->in, PORTS);
	return &s->ports[*i];
}

static bool is_there(const struct m_port *p)
{
	return p->on && !p->retired;
}

/* ----------------------------------------------------------------- producing */

static void produce(void *state)
{
	struct state *s = state;
	u32 n = 1 + zcb_rand_below(s->in, 8);
	struct zcb_resv *r = NULL;

	for (; n && s->n < GROUPS && !s->finalized; n--) {
		if (rig_try_reserve(s->rig, &s->rig->p, 10, false, 0, &r))
			return;
		KUNIT_ASSERT_EQ(s->test, r->group->id, (u64)s->n);
		s->groups[s->n++] = (struct m_group){ .port = NOBODY };
		rig_commit(s->rig, r);
	}
}

/* Few, as little happens after it. */
static void finalize(void *state)
{
	struct state *s = state;
	struct zcb_stream_counts counts;

	if (!zcb_rand_chance(s->in, 25))
		return;
	zcb_stream_finalize(&s->rig->s, rig_now(s->rig), &counts);
	s->finalized = true;
}

/* ----------------------------------------------------------------- consuming */

/* In order, until something was taken back and dealt anew. */
static void took(struct state *s, u32 i, const struct zcb_group *real, u64 id)
{
	struct m_group *g = &s->groups[real->id];
	struct m_port *p = &s->ports[i];

	KUNIT_ASSERT_EQ(s->test, g->place, OFFERED);
	if (!s->dealt_anew)
		KUNIT_ASSERT_GT(s->test, (int)real->id, p->last);
	rig_check_group(s->rig, real);
	p->last = real->id;
	g->place = TAKEN;
	g->port = i;
	g->id = id;
}

static void take_one(struct state *s, u32 i)
{
	struct zcb_topic_slot *slot;
	u64 *word;

	list_for_each_entry(slot, &s->queue[i].q.lanes[0], node) {
		word = &s->words[i][slot - s->queue[i].q.slots];
		if (!*word)
			continue;
		took(s, i, slot->group, *word);
		*word = 0;
		return;
	}
}

/* By itself. */
static void take(void *state)
{
	struct state *s = state;
	u32 i, n = 1 + zcb_rand_below(s->in, 4);
	struct m_port *p = choose_port(s, &i);

	while (is_there(p) && p->seeing && n--)
		take_one(s, i);
}

static void receive_slot(struct state *s, u32 i)
{
	struct zcb_topic_slot *slot = NULL;

	if (zcb_topic_receive(&s->rig->s, &s->real[i].c, &slot))
		return;
	took(s, i, slot->group, zcb_topic_id(&s->queue[i].q, slot));
}

static void receive_group(struct state *s, u32 i)
{
	struct zcb_group *real = NULL;

	if (zcb_stream_receive(&s->rig->s, &s->real[i].c, &real))
		return;
	took(s, i, real, real->id);
}

static void receive(void *state)
{
	struct state *s = state;
	u32 i;
	struct m_port *p = choose_port(s, &i);

	if (!is_there(p))
		return;
	if (p->seeing)
		receive_slot(s, i);
	else
		receive_group(s, i);
}

static int release_name(struct state *s, u32 i, u64 id)
{
	struct zcb_consumer *c = &s->real[i].c;

	return id & ZCB_TOPIC_ID ? zcb_topic_release(&s->rig->s, c, id) :
				   zcb_stream_release(&s->rig->s, c, id);
}

/* One that it took, twice. */
static void release(void *state)
{
	struct state *s = state;
	u32 i = zcb_rand_below(s->in, s->n);
	struct m_group *g;

	while (i < s->n && s->groups[i].place != TAKEN)
		i++;
	if (i == s->n)
		return;
	g = &s->groups[i];
	if (s->ports[g->port].retired)
		return;
	KUNIT_ASSERT_EQ(s->test, 0, release_name(s, g->port, g->id));
	KUNIT_ASSERT_EQ(s->test, -EBADSLT, release_name(s, g->port, g->id));
	g->place = OVER;
}

/* It tells what it took. */
static void tell(void *state)
{
	struct state *s = state;
	u32 i;
	struct m_port *p = choose_port(s, &i);

	if (!is_there(p) || !p->seeing)
		return;
	p->told = s->real[i].awaited;
	zcb_stream_look(&s->rig->s, &s->real[i].c);
}

/* --------------------------------------------------------------------- ports */

static void add_port(struct state *s, u32 i)
{
	struct m_port *p = &s->ports[i];

	*p = (struct m_port){
		.on = true,
		.depth = 1 + zcb_rand_below(s->in, 8),
		.last = NOBODY,
		.late = s->rig->s.told,
	};
	memset(&s->real[i], 0, sizeof(s->real[i]));
	memset(s->words[i], 0, sizeof(s->words[i]));
	s->real[i].words = s->words[i];
	zcb_consumer_init(&s->real[i].c, p->depth, false);
	zcb_stream_add_consumer(&s->rig->s, &s->real[i].c);
}

static void see_port(void *state)
{
	struct state *s = state;
	u32 i, max_held = 1 + zcb_rand_below(s->in, SLOTS);
	struct m_port *p = choose_port(s, &i);

	if (!is_there(p) || p->seeing)
		return;
	s->dealt_anew |= s->real[i].c.queued || s->rig->s.nparked;
	p->seeing = true;
	p->max_held = max_held;
	memset(&s->queue[i], 0xa5, sizeof(s->queue[i]));
	s->queue[i].q.nslots = max_held;
	p->late = false;
	/* It is told again, or for the first time. */
	s->real[i].ends = 0;
	zcb_stream_show(&s->rig->s, &s->real[i].c, &s->queue[i].q, max_held);
}

/* What it took is over. */
static void forget(struct state *s, u32 i)
{
	u32 g;

	for (g = 0; g < s->n; g++)
		if (s->groups[g].place == TAKEN && s->groups[g].port == (int)i)
			s->groups[g].place = OVER;
}

static void drop_port(struct state *s, u32 i)
{
	s->dealt_anew |= s->real[i].c.queued;
	zcb_stream_drop_consumer(&s->rig->s, &s->real[i].c);
	KUNIT_ASSERT_EQ(s->test, s->real[i].c.nheld, 0U);
	KUNIT_ASSERT_EQ(s->test, s->real[i].c.held_bytes, 0ULL);
	forget(s, i);
	s->ports[i].on = false;
	memset(&s->real[i], RIG_POISON, sizeof(s->real[i]));
	memset(&s->queue[i], RIG_POISON, sizeof(s->queue[i]));
}

static void add_or_drop(void *state)
{
	struct state *s = state;
	u32 i;
	struct m_port *p = choose_port(s, &i);

	if (p->on)
		drop_port(s, i);
	else
		add_port(s, i);
}

/* It dies while it takes. */
static void retire(void *state)
{
	struct state *s = state;
	u32 i;
	struct m_port *p = choose_port(s, &i);

	if (!is_there(p))
		return;
	s->dealt_anew |= s->real[i].c.queued;
	zcb_stream_retire_consumer(&s->rig->s, &s->real[i].c);
	p->retired = true;
}

/* -------------------------------------------------------------- one by one */

static void open_stream(struct state *s)
{
	*s = (struct state){ .test = s->test, .in = s->in, .rig = s->rig };
	s->rig->cfg = (struct zcb_stream_config){
		.max_reservation = 64,
		.max_extent = 4096,
		.align = 1,
		.page_shift = 6,
		.max_outstanding = GROUPS,
		.ordered = zcb_rand_below(s->in, 2),
	};
	rig_open_bare(s->rig);
	add_port(s, 0);
}

static void close_stream(struct state *s)
{
	u32 i;

	zcb_stream_drop_producer(&s->rig->s, &s->rig->p, rig_now(s->rig));
	for (i = 0; i < PORTS; i++)
		if (s->ports[i].on)
			drop_port(s, i);
	KUNIT_ASSERT_EQ(s->test, s->rig->s.nshown, 0U);
	zcb_stream_fini(&s->rig->s);
	rig_check_empty(s->rig);
}

/* Another stream. */
static void again(void *state)
{
	struct state *s = state;

	if (!s->finalized && s->n < GROUPS && !zcb_rand_chance(s->in, 25))
		return;
	close_stream(s);
	open_stream(s);
}

/* ---------------------------------------------------------------- comparing */

/* Found in one place; offered, or taken and not noticed yet. */
static void found(struct state *s, const struct zcb_group *real, bool taken)
{
	struct m_group *g = &s->groups[real->id];

	KUNIT_ASSERT_EQ(s->test, g->seen++, 0U);
	KUNIT_ASSERT_EQ(s->test, g->place, taken ? TAKEN : OFFERED);
}

static void check_list(struct state *s, struct list_head *list, bool taken)
{
	struct zcb_group *g;
	u64 rank = 0;

	list_for_each_entry(g, list, queue) {
		found(s, g, taken);
		if (!taken)
			KUNIT_ASSERT_GE(s->test, g->rank, rank);
		rank = g->rank + 1;
	}
}

static void check_slots(struct state *s, u32 i)
{
	struct zcb_topic_queue *q = &s->queue[i].q;
	struct m_port *p = &s->ports[i];
	struct zcb_consumer *c = &s->real[i].c;
	struct zcb_topic_slot *slot;
	u64 rank = 0;

	list_for_each_entry(slot, &q->lanes[0], node) {
		found(s, slot->group, !s->words[i][slot - q->slots]);
		KUNIT_ASSERT_GE(s->test, slot->group->rank, rank);
		rank = slot->group->rank + 1;
	}
	list_for_each_entry(slot, &q->held, node)
		found(s, slot->group, true);
	KUNIT_ASSERT_LE(s->test, c->queued, p->depth);
	if (c->queued)
		KUNIT_ASSERT_LE(s->test, c->queued + c->nheld, p->max_held);
	/* It is to say when it takes. */
	if (s->finalized && c->queued && !p->retired)
		KUNIT_ASSERT_NE(s->test, s->real[i].awaited, p->told);
	if (list_empty(&s->rig->s.parked) || p->retired)
		return;
	KUNIT_ASSERT_FALSE(s->test, zcb_slots_room(c));
	KUNIT_ASSERT_NE(s->test, s->real[i].awaited, p->told);
}

static void check_port(struct state *s, u32 i)
{
	struct zcb_consumer *c = &s->real[i].c;
	const struct zcb_stream *real = &s->rig->s;
	struct m_port *p = &s->ports[i];
	bool ended = s->finalized && !real->nparked && !real->nqueued;

	check_list(s, &c->held, true);
	if (p->seeing)
		check_slots(s, i);
	else
		check_list(s, &c->queue, false);
	if (p->retired)
		return;
	if (!p->seeing && real->nparked)
		KUNIT_ASSERT_EQ(s->test, c->queued, p->depth);
	if (p->seeing)
		ended = s->finalized && !real->nparked &&
			real->nqueued == c->queued;
	if (p->seeing && s->real[i].ends)
		ended = true;
	KUNIT_ASSERT_EQ(s->test, s->real[i].ends, ended && !p->late);
}

static void check(void *state)
{
	struct state *s = state;
	u32 i, there = 0;

	for (i = 0; i < s->n; i++) {
		s->groups[i].seen = 0;
		there += s->groups[i].place != OVER;
	}
	check_list(s, &s->rig->s.parked, false);
	for (i = 0; i < PORTS; i++)
		if (s->ports[i].on)
			check_port(s, i);
	for (i = 0; i < s->n; i++)
		KUNIT_ASSERT_EQ(s->test, s->groups[i].seen,
				s->groups[i].place != OVER);
	KUNIT_ASSERT_EQ(s->test, s->rig->s.credit.taken, there);
	KUNIT_ASSERT_EQ(s->test, s->rig->s.nparked + s->rig->s.nqueued +
				 s->rig->s.nheld, there);
}

static const struct fuzz_op ops[] = {
	{ "produce", produce },
	{ "produce", produce },
	{ "produce", produce },
	{ "take", take },
	{ "take", take },
	{ "take", take },
	{ "receive", receive },
	{ "release", release },
	{ "release", release },
	{ "release", release },
	{ "tell", tell },
	{ "tell", tell },
	{ "see", see_port },
	{ "see", see_port },
	{ "add_or_drop", add_or_drop },
	{ "retire", retire },
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
