// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who has a group of a topic, and until when; what has been promised to whom; and what
 * is lost by whom.
 */
#include <kunit/test.h>
#include "topic_rig.h"

/* -------------------------------------------------------------- references */

static void published_to_nobody(struct kunit *test)
{
	struct topic_test *t = open_topic(test, 0);
	struct sent sent = publish(t);

	KUNIT_EXPECT_EQ(test, sent.delivered, 0U);
	KUNIT_EXPECT_EQ(test, sent.dropped, 0U);
	expect_pages(t, 0);
	rig_commit(t->rig, rig_reserve(t->rig, 100));
	expect_pages(t, 0);
	close_topic(t, 0);
}

/* Who publishes looks at it after all others had it. */
static void who_publishes_has_it(struct kunit *test)
{
	const struct zcb_topic_publication pub = { .length = 4096 };
	struct topic_test *t = open_topic(test, 0);
	struct zcb_group *g;

	add(t, 0, ZCBUF_POLICY_BLOCK, 2, 0);
	KUNIT_ASSERT_EQ(test, 0, rig_publish(t->rig, &t->rig->p, &pub, 1, &g));
	expect_next(t, 0, 0);
	expect_pages(t, 1);
	KUNIT_EXPECT_EQ(test, g->delivered, 1U);
	zcb_topic_put(&t->rig->s, g);
	expect_pages(t, 0);
	close_topic(t, 1);
}

enum way {
	RELEASED,
	DROPPED,
	RETIRED_DROPPED,
	RETIRED_LET_GO,
	NOT_TAKEN,
	NOT_TAKEN_RETIRED,
	WAYS,
};

/* Port @i takes the only group of its queue, or not, and has it no more then. */
static void have_it_no_more(struct topic_test *t, u32 i, enum way way)
{
	struct zcb_stream *s = &t->rig->s;
	struct zcb_consumer *c = &t->port[i].c;
	struct zcb_topic_slot *slot = NULL;

	if (way < NOT_TAKEN)
		slot = take(t, i);
	if (way == RELEASED)
		KUNIT_EXPECT_EQ(t->rig->test, 0,
				release(t, i, name_of(t, i, slot)));
	if (way >= RETIRED_DROPPED && way != NOT_TAKEN)
		zcb_stream_retire_consumer(s, c);
	if (way == RETIRED_LET_GO)
		zcb_topic_let_go(s, c, slot);
	KUNIT_EXPECT_EQ(t->rig->test, c->nheld,
			way == DROPPED || way == RETIRED_DROPPED);
	if (way == DROPPED || way == RETIRED_DROPPED || way == NOT_TAKEN)
		zcb_stream_drop_consumer(s, c);
	KUNIT_EXPECT_EQ(t->rig->test, c->nheld, 0U);
	KUNIT_EXPECT_EQ(t->rig->test, c->held_bytes, 0ULL);
	KUNIT_EXPECT_EQ(t->rig->test, c->queued, 0U);
}

static void in_order(struct topic_test *t, const u8 *order, u32 ways)
{
	u32 i;

	for (i = 0; i < 3; i++)
		add(t, i, ZCBUF_POLICY_BLOCK + i, 2, 0);
	KUNIT_EXPECT_EQ(t->rig->test, publish(t).delivered, 3U);
	for (i = 0; i < 3; i++, ways /= WAYS) {
		expect_pages(t, 1);
		have_it_no_more(t, order[i], ways % WAYS);
	}
	expect_pages(t, 0);
	for (i = 0; i < 3; i++)
		if (!list_empty(&t->port[i].c.node))
			drop(t, i);
}

/* Freed once, by the last of three, in whatever order and way. */
static void the_last_one_frees_it(struct kunit *test)
{
	static const u8 orders[6][3] = {
		{ 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
		{ 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 },
	};
	struct topic_test *t = open_topic(test, 0);
	u32 order, ways;

	for (order = 0; order < 6; order++)
		for (ways = 0; ways < WAYS * WAYS * WAYS; ways++)
			in_order(t, orders[order], ways);
	close_topic(t, 0);
}

/* All are there while one is read. */
static void held_by_one_and_queued_at_another(struct kunit *test)
{
	struct topic_test *t = open_topic(test, 0);
	u64 name;

	add(t, 0, ZCBUF_POLICY_BLOCK, 4, 0);
	add(t, 1, ZCBUF_POLICY_BLOCK, 4, 0);
	publish(t);
	publish(t);
	name = take_name(t, 0);
	KUNIT_EXPECT_EQ(test, t->rig->s.nheld, 1U);
	KUNIT_EXPECT_EQ(test, t->rig->s.nqueued, 3U);
	KUNIT_EXPECT_EQ(test, t->port[0].c.held_bytes, 4096ULL);
	KUNIT_EXPECT_EQ(test, release(t, 0, name), 0);
	expect_pages(t, 2);
	expect_next(t, 1, 0);
	expect_pages(t, 1);
	expect_next(t, 1, 1);
	expect_next(t, 0, 1);
	expect_pages(t, 0);
	close_topic(t, 2);
}

/* What a dead consumer was reading outlives the channel. */
static void held_beyond_the_end(struct kunit *test)
{
	struct topic_test *t = open_topic(test, 1);
	struct zcb_topic_slot *slot;

	add(t, 0, ZCBUF_POLICY_BLOCK, 4, 0);
	publish(t);
	publish(t);
	slot = take(t, 0);
	zcb_stream_retire_consumer(&t->rig->s, &t->port[0].c);
	expect_pages(t, 2);
	zcb_stream_end(&t->rig->s);
	expect_pages(t, 1);
	rig_check_group(t->rig, slot->group);
	zcb_topic_let_go(&t->rig->s, &t->port[0].c, slot);
	expect_pages(t, 0);
	close_topic(t, 0);
}

/* Nobody says goodbye: what the history and nobody else has goes as well. */
static void fini_frees_the_history(struct kunit *test)
{
	struct topic_test *t = open_topic(test, 3);

	publish(t);
	publish(t);
	rig_commit(t->rig, rig_reserve(t->rig, 5));
	zcb_stream_drop_producer(&t->rig->s, &t->rig->p, rig_now(t->rig));
	zcb_stream_drop_consumer(&t->rig->s, &t->rig->f.c);
	zcb_stream_fini(&t->rig->s);
	rig_check_empty(t->rig);
}

/* ---------------------------------------------------------------- promises */

static void block_waits_for_each(struct kunit *test)
{
	struct topic_test *t = open_topic(test, 0);

	add(t, 0, ZCBUF_POLICY_BLOCK, 2, 0);
	add(t, 1, ZCBUF_POLICY_BLOCK, 1, 0);
	add(t, 2, ZCBUF_POLICY_DROP_NEWEST, 1, 0);
	KUNIT_EXPECT_EQ(test, publish(t).delivered, 3U);
	expect_full(t);
	take(t, 1);	/* What is held takes no room. */
	KUNIT_EXPECT_EQ(test, publish(t).delivered, 2U);
	take(t, 1);
	expect_full(t);
	drop(t, 0);
	KUNIT_EXPECT_EQ(test, publish(t).dropped, 1U);
	drop(t, 1);
	KUNIT_EXPECT_EQ(test, publish(t).delivered, 0U);
	drop(t, 2);
	close_topic(t, 0);
}

static u32 promised(struct topic_test *t, u32 i)
{
	return t->port[i].c.topic->promised;
}

/* From its first reservation on; all that join it need nothing. */
static void an_open_group_has_room(struct kunit *test)
{
	struct topic_test *t = open_topic(test, 0);
	struct zcb_group_plan plan;

	add(t, 0, ZCBUF_POLICY_BLOCK, 2, 0);
	rig_commit(t->rig, rig_reserve(t->rig, 40));
	rig_commit(t->rig, rig_reserve(t->rig, 40));
	KUNIT_EXPECT_EQ(test, promised(t, 0), 1U);
	KUNIT_EXPECT_NOT_NULL(test, t->rig->s.open);
	rig_commit(t->rig, rig_reserve(t->rig, 40));
	KUNIT_EXPECT_EQ(test, promised(t, 0), 0U);
	KUNIT_EXPECT_EQ(test, t->port[0].c.queued, 1U);
	publish(t);
	KUNIT_EXPECT_EQ(test, -EAGAIN,
			zcb_stream_plan(&t->rig->s, 10, false, &plan));
	expect_next(t, 0, 0);
	KUNIT_EXPECT_EQ(test, 0, zcb_stream_plan(&t->rig->s, 10, true, &plan));
	close_topic(t, 1);
}

/* Nobody could begin anything behind it: no group stays open with the last place. */
static void the_last_place_is_sealed(struct kunit *test)
{
	struct topic_test *t = open_topic(test, 0);
	struct zcb_resv *r, *window;

	add(t, 0, ZCBUF_POLICY_BLOCK, 2, 0);
	add(t, 1, ZCBUF_POLICY_DROP_OLDEST, 1, 0);
	r = rig_reserve(t->rig, 10);
	KUNIT_EXPECT_NOT_NULL(test, t->rig->s.open);
	window = rig_window(t->rig, 10);
	KUNIT_EXPECT_NULL(test, t->rig->s.open);
	expect_full(t);
	rig_commit(t->rig, r);
	rig_commit(t->rig, window);
	expect_next(t, 0, 0);
	/* One place is left, and this takes it. */
	rig_commit(t->rig, rig_reserve(t->rig, 10));
	KUNIT_EXPECT_NULL(test, t->rig->s.open);
	expect_next(t, 0, 1);
	expect_next(t, 0, 2);
	rig_reserve(t->rig, 10);
	KUNIT_EXPECT_EQ(test, publish(t).delivered, 2U);
	KUNIT_EXPECT_NULL(test, t->rig->s.open);
	drop(t, 0);
	/* Who drops has always room. */
	rig_reserve(t->rig, 10);
	publish(t);
	KUNIT_EXPECT_NOT_NULL(test, t->rig->s.open);
	drop(t, 1);
	close_topic(t, 0);
}

/* The promise ends with the group, however it does. */
static void failed_groups_give_room_back(struct kunit *test)
{
	struct topic_test *t = open_topic(test, 0);
	struct zcb_resv *r;

	add(t, 0, ZCBUF_POLICY_BLOCK, 2, 0);
	rig_abort(t->rig, rig_window(t->rig, 10));
	KUNIT_EXPECT_EQ(test, promised(t, 0), 0U);
	KUNIT_EXPECT_EQ(test, t->rig->rooms, 1U);
	/* One of two: only when it is decided. */
	rig_abort(t->rig, rig_reserve(t->rig, 60));
	KUNIT_EXPECT_EQ(test, promised(t, 0), 1U);
	r = rig_reserve(t->rig, 60);
	KUNIT_EXPECT_EQ(test, promised(t, 0), 1U);
	rig_commit(t->rig, r);
	KUNIT_EXPECT_EQ(test, promised(t, 0), 0U);
	KUNIT_EXPECT_EQ(test, t->rig->s.nfailed, 2U);
	KUNIT_EXPECT_EQ(test, t->rig->rooms, 2U);
	/* What never arrives is of no queue. */
	expect_answer(t, 0, -EAGAIN);
	rig_window(t->rig, 10);
	zcb_stream_retire_producer(&t->rig->s, &t->rig->p, rig_now(t->rig));
	KUNIT_EXPECT_EQ(test, promised(t, 0), 0U);
	KUNIT_EXPECT_EQ(test, t->rig->rooms, 3U);
	close_topic(t, 1);
}

/* A consumer gets what began when it was there, and owes nothing else. */
static void begun_before_it_came(struct kunit *test)
{
	struct topic_test *t = open_topic(test, 0);
	struct zcb_resv *open, *window, *bad;

	open = rig_reserve(t->rig, 10);
	window = rig_window(t->rig, 10);
	bad = rig_window(t->rig, 10);
	add(t, 0, ZCBUF_POLICY_BLOCK, 1, 0);
	add(t, 1, ZCBUF_POLICY_DROP_OLDEST, 1, 0);
	KUNIT_EXPECT_EQ(test, promised(t, 0), 0U);
	rig_commit(t->rig, window);
	rig_abort(t->rig, bad);
	rig_commit(t->rig, open);
	zcb_stream_flush(&t->rig->s, rig_now(t->rig));
	KUNIT_EXPECT_EQ(test, promised(t, 0), 0U);
	KUNIT_EXPECT_EQ(test, t->rig->rooms, 0U);
	KUNIT_EXPECT_EQ(test, t->port[0].ready + t->port[1].ready, 0U);
	expect_pages(t, 1);
	KUNIT_EXPECT_EQ(test, publish(t).delivered, 2U);
	expect_next(t, 0, 3);
	close_topic(t, 2);
}

/* A consumer that comes, and one that goes, while all is under way. */
static void promises_are_of_who_was_there(struct kunit *test)
{
	struct topic_test *t = open_topic(test, 0);
	struct zcb_resv *first, *second;

	add(t, 0, ZCBUF_POLICY_BLOCK, 2, 0);
	first = rig_window(t->rig, 10);
	add(t, 1, ZCBUF_POLICY_BLOCK, 1, 0);
	second = rig_window(t->rig, 10);
	KUNIT_EXPECT_EQ(test, promised(t, 0), 2U);
	KUNIT_EXPECT_EQ(test, promised(t, 1), 1U);
	rig_commit(t->rig, second);
	drop(t, 0);
	rig_commit(t->rig, first);
	expect_next(t, 1, 1);
	expect_answer(t, 1, -EAGAIN);
	KUNIT_EXPECT_EQ(test, promised(t, 1), 0U);
	expect_pages(t, 0);
	drop(t, 1);
	close_topic(t, 0);
}

/* Windows are delivered as they are committed, and all arrive. */
static void windows_arrive(struct kunit *test)
{
	struct topic_test *t = open_topic(test, 0);
	struct zcb_resv *r[4];
	u32 i;

	add(t, 0, ZCBUF_POLICY_BLOCK, 4, 0);
	for (i = 0; i < 4; i++)
		r[i] = rig_window(t->rig, 5000);
	expect_full(t);
	for (i = 4; i--;) {
		rig_write(t->rig, r[i], 10 + i);
		KUNIT_EXPECT_EQ(test, 0,
				rig_commit_bytes(t->rig, r[i], 10 + i, false));
	}
	expect_full(t);
	expect_pages(t, 4);
	for (i = 4; i--;)
		expect_next(t, 0, i);
	close_topic(t, 1);
}

/* ------------------------------------------------------- what is lost */

static void publish_ten(struct topic_test *t, u32 policy)
{
	struct kunit *test = t->rig->test;
	u32 i, dropped = 0;

	add(t, 0, policy, 8, 0);
	for (i = 0; i < 10; i++)
		dropped += publish(t).dropped;
	KUNIT_EXPECT_EQ(test, dropped, 2U);
	KUNIT_EXPECT_EQ(test, t->port[0].c.topic->lost, 2ULL);
	KUNIT_EXPECT_EQ(test, t->rig->s.lost, 2ULL);
	expect_pages(t, 8);
}

static void the_newest_is_dropped(struct kunit *test)
{
	struct topic_test *t = open_topic(test, 0);
	u64 id;

	publish_ten(t, ZCBUF_POLICY_DROP_NEWEST);
	KUNIT_EXPECT_EQ(test, t->port[0].ready, 8U);
	for (id = 0; id < 8; id++)
		expect_next(t, 0, id);
	expect_answer(t, 0, -EAGAIN);
	close_topic(t, 1);
}

static void the_oldest_is_dropped(struct kunit *test)
{
	struct topic_test *t = open_topic(test, 0);
	u64 id;

	publish_ten(t, ZCBUF_POLICY_DROP_OLDEST);
	KUNIT_EXPECT_EQ(test, t->port[0].ready, 10U);
	for (id = 2; id < 10; id++)
		expect_next(t, 0, id);
	expect_answer(t, 0, -EAGAIN);
	close_topic(t, 1);
}

/* Only who has no room loses something. */
static void the_others_lose_nothing(struct kunit *test)
{
	struct topic_test *t = open_topic(test, 0);
	struct sent sent = {};
	u32 i;

	add(t, 0, ZCBUF_POLICY_DROP_OLDEST, 1, 0);
	add(t, 1, ZCBUF_POLICY_BLOCK, 3, 0);
	add(t, 2, ZCBUF_POLICY_DROP_NEWEST, 2, 0);
	publish(t);
	sent = publish(t);
	KUNIT_EXPECT_EQ(test, sent.delivered, 3U);
	KUNIT_EXPECT_EQ(test, sent.dropped, 1U);
	sent = publish(t);
	KUNIT_EXPECT_EQ(test, sent.delivered, 2U);
	KUNIT_EXPECT_EQ(test, sent.dropped, 2U);
	expect_next(t, 0, 2);
	for (i = 0; i < 3; i++)
		expect_next(t, 1, i);
	expect_next(t, 2, 0);
	expect_next(t, 2, 1);
	expect_pages(t, 0);
	close_topic(t, 3);
}

/* ---------------------------------------------------------- short of credits */

static struct topic_test *open_short(struct kunit *test, u32 history, u32 credits)
{
	struct topic_test *t = test->priv;

	t->rig->cfg.max_outstanding = credits;
	return open_topic(test, history);
}

static int reserve_or_spare(struct topic_test *t, u64 length)
{
	struct zcb_resv *r;
	int err;

	err = rig_try_reserve(t->rig, &t->rig->p, length, false, 0, &r);
	if (err == -EAGAIN && zcb_topic_spare(&t->rig->s))
		err = rig_try_reserve(t->rig, &t->rig->p, length, false, 0, &r);
	if (!err)
		rig_commit(t->rig, r);
	return err;
}

/* It says how many groups it keeps, credits are of reservations. */
static void history_gives_way(struct kunit *test)
{
	struct topic_test *t = test->priv;
	u32 i, n;

	t->rig->cfg.threshold = 110;
	open_short(test, 100, 128);
	for (i = 0; i < 11 * 200; i++)
		KUNIT_ASSERT_EQ(test, reserve_or_spare(t, 10), 0);
	zcb_stream_flush(&t->rig->s, rig_now(t->rig));
	n = t->rig->s.nhistory;
	KUNIT_EXPECT_GE(test, n, 128U / 11);
	KUNIT_EXPECT_EQ(test, t->rig->s.lost, 0ULL);
	expect_pages(t, n);
	/* What is left are the last. */
	add(t, 0, ZCBUF_POLICY_BLOCK, 100, 100);
	for (i = n; i; i--)
		expect_next(t, 0, t->rig->s.next_group - i);
	expect_answer(t, 0, -EAGAIN);
	close_topic(t, 1);
}

/* Who is idle loses what it has not taken, and nobody waits for it. */
static void the_idle_stop_nobody(struct kunit *test)
{
	struct topic_test *t = open_short(test, 4, 16);
	struct sent sent = {};
	u64 name[4];
	u32 i;

	add(t, 0, ZCBUF_POLICY_DROP_OLDEST, 1024, 0);
	add(t, 1, ZCBUF_POLICY_DROP_NEWEST, 1024, 0);
	for (i = 0; i < 100; i++) {
		KUNIT_ASSERT_EQ(test, publish_or_spare(t, &sent), 0);
		KUNIT_EXPECT_EQ(test, sent.delivered, 2U);
		KUNIT_EXPECT_EQ(test, sent.dropped, 0U);
	}
	KUNIT_EXPECT_EQ(test, t->port[0].c.topic->lost, 84ULL);
	KUNIT_EXPECT_EQ(test, t->port[1].c.topic->lost, 84ULL);
	KUNIT_EXPECT_EQ(test, t->rig->s.lost, 168ULL);
	KUNIT_EXPECT_EQ(test, t->rig->s.nhistory, 4U);
	/* What is in somebody's hands stays there, for all that follows. */
	for (i = 0; i < 4; i++)
		name[i] = take_name(t, 0);
	for (i = 0; i < 50; i++)
		KUNIT_ASSERT_EQ(test, publish_or_spare(t, &sent), 0);
	KUNIT_EXPECT_EQ(test, t->port[0].c.nheld, 4U);
	KUNIT_EXPECT_EQ(test, t->port[0].c.queued, 12U);
	KUNIT_EXPECT_EQ(test, t->port[0].c.topic->lost, 84ULL + 50);
	/* The other one has the four still. */
	KUNIT_EXPECT_EQ(test, t->port[1].c.queued, 16U);
	for (i = 0; i < 4; i++)
		expect_next(t, 1, 84 + i);
	expect_next(t, 0, 138);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, release(t, 0, name[i]), 0);
	expect_pages(t, 12);
	close_topic(t, 2);
}

/* All of them are read, or one who blocks has them: then there are none. */
static void what_is_held_is_not_spared(struct kunit *test)
{
	struct topic_test *t = open_short(test, 1, 2);
	struct sent sent = {};
	u64 name;

	add(t, 0, ZCBUF_POLICY_DROP_OLDEST, 8, 0);
	add(t, 1, ZCBUF_POLICY_BLOCK, 8, 0);
	publish(t);
	name = take_name(t, 0);
	publish(t);
	KUNIT_EXPECT_EQ(test, publish_or_spare(t, &sent), -EAGAIN);
	KUNIT_EXPECT_FALSE(test, zcb_topic_could_spare(&t->rig->s));
	expect_next(t, 1, 0);
	KUNIT_EXPECT_EQ(test, publish_or_spare(t, &sent), -EAGAIN);
	KUNIT_EXPECT_EQ(test, t->rig->rooms, 0U);
	/* The second can be had as soon as it is let go of. */
	expect_next(t, 1, 1);
	KUNIT_EXPECT_EQ(test, t->rig->rooms, 1U);
	KUNIT_EXPECT_TRUE(test, zcb_topic_could_spare(&t->rig->s));
	KUNIT_EXPECT_EQ(test, publish_or_spare(t, &sent), 0);
	KUNIT_EXPECT_EQ(test, t->port[0].c.topic->lost, 1ULL);
	KUNIT_EXPECT_EQ(test, t->rig->s.nhistory, 1U);
	KUNIT_EXPECT_EQ(test, release(t, 0, name), 0);
	/* Nobody waits, and nobody is told. */
	expect_next(t, 1, 2);
	KUNIT_EXPECT_EQ(test, t->rig->rooms, 1U);
	close_topic(t, 2);
}

/* Nothing is lost for a group that cannot begin. */
static void nothing_is_spared_in_vain(struct kunit *test)
{
	struct topic_test *t = open_short(test, 2, 2);
	struct sent sent = {};

	publish(t);
	add(t, 0, ZCBUF_POLICY_BLOCK, 1, 0);
	publish(t);
	KUNIT_EXPECT_EQ(test, publish_or_spare(t, &sent), -EAGAIN);
	KUNIT_EXPECT_EQ(test, t->rig->s.nhistory, 2U);
	KUNIT_EXPECT_TRUE(test, t->rig->s.starved);
	expect_next(t, 0, 1);
	KUNIT_EXPECT_EQ(test, publish_or_spare(t, &sent), 0);
	KUNIT_EXPECT_EQ(test, t->rig->s.nhistory, 2U);
	rig_finalize(t->rig, 0, 0, 0);
	KUNIT_EXPECT_FALSE(test, zcb_topic_could_spare(&t->rig->s));
	KUNIT_EXPECT_EQ(test, publish_or_spare(t, &sent), -ESHUTDOWN);
	close_topic(t, 1);
}

/* A window that ends is of nobody but the history, which who waits must know. */
static void complete_and_spare(struct kunit *test)
{
	struct topic_test *t = open_short(test, 1, 1);
	struct zcb_resv *r = rig_window(t->rig, 10);
	struct sent sent = {};

	/* Who polls. */
	KUNIT_EXPECT_FALSE(test, zcb_topic_could_spare(&t->rig->s));
	rig_commit(t->rig, r);
	KUNIT_EXPECT_EQ(test, t->rig->rooms, 1U);
	KUNIT_EXPECT_TRUE(test, zcb_topic_spare(&t->rig->s));
	KUNIT_EXPECT_FALSE(test, zcb_topic_spare(&t->rig->s));
	r = rig_window(t->rig, 10);
	/* Who publishes. */
	KUNIT_EXPECT_EQ(test, publish_or_spare(t, &sent), -EAGAIN);
	rig_commit(t->rig, r);
	KUNIT_EXPECT_EQ(test, t->rig->rooms, 2U);
	KUNIT_EXPECT_EQ(test, publish_or_spare(t, &sent), 0);
	KUNIT_EXPECT_EQ(test, sent.id, 2ULL);
	close_topic(t, 0);
}

/* What a consumer took by himself costs the others nothing. */
static void taken_is_not_spared(struct kunit *test)
{
	struct topic_test *t = open_short(test, 0, 3);
	struct sent sent = {};

	add(t, 0, ZCBUF_POLICY_DROP_NEWEST, 8, 0);
	add(t, 1, ZCBUF_POLICY_DROP_OLDEST, 8, 0);
	zcb_topic_show(&t->rig->s, &t->port[0].c);
	publish(t);
	publish(t);
	publish(t);
	t->port[0].words[0] = 0;
	KUNIT_EXPECT_EQ(test, publish_or_spare(t, &sent), 0);
	KUNIT_EXPECT_EQ(test, t->port[0].c.nheld, 1U);
	expect_next(t, 1, 0);
	expect_next(t, 1, 2);
	/* In that very moment: the next one goes. */
	t->port[0].grabs = 1;
	KUNIT_EXPECT_EQ(test, publish_or_spare(t, &sent), 0);
	KUNIT_EXPECT_EQ(test, t->port[0].c.nheld, 2U);
	KUNIT_EXPECT_EQ(test, t->port[0].c.topic->lost, 2ULL);
	KUNIT_EXPECT_EQ(test, t->port[1].c.topic->lost, 2ULL);
	expect_next(t, 0, 4);
	close_topic(t, 2);
}

/* ------------------------------------------------------------------- lanes */

static void higher_lanes_first(struct kunit *test)
{
	static const u8 priorities[] = { 0, 2, 1, 9, 0, U8_MAX };
	static const u8 received[] = { 1, 3, 5, 2, 0, 4 };
	struct topic_test *t = open_topic(test, 0);
	u32 i;

	add(t, 0, ZCBUF_POLICY_BLOCK, 8, 0);
	set_lanes(t, 0, 3);
	add(t, 1, ZCBUF_POLICY_BLOCK, 8, 0);
	for (i = 0; i < ARRAY_SIZE(priorities); i++)
		publish_at(t, priorities[i]);
	for (i = 0; i < ARRAY_SIZE(received); i++)
		expect_next(t, 0, received[i]);
	/* With one lane there is no priority. */
	for (i = 0; i < ARRAY_SIZE(received); i++)
		expect_next(t, 1, i);
	close_topic(t, 2);
}

/* Of the lowest lane, but never of one above its own. */
static void lower_lanes_lose(struct kunit *test)
{
	struct topic_test *t = open_topic(test, 0);
	struct sent sent = {};

	add(t, 0, ZCBUF_POLICY_DROP_OLDEST, 3, 0);
	set_lanes(t, 0, 3);
	publish_at(t, 1);
	publish_at(t, 0);
	publish_at(t, 0);
	publish_at(t, 2);		/* 1 goes */
	publish_at(t, 0);		/* 2 goes */
	publish_at(t, 1);		/* 4 goes */
	sent = publish_at(t, 0);	/* 6 goes */
	KUNIT_EXPECT_EQ(test, sent.delivered, 0U);
	KUNIT_EXPECT_EQ(test, sent.dropped, 1U);
	publish_at(t, 1);		/* 0 goes */
	KUNIT_EXPECT_EQ(test, t->port[0].c.topic->lost, 5ULL);
	expect_pages(t, 3);
	expect_next(t, 0, 3);
	expect_next(t, 0, 5);
	expect_next(t, 0, 7);
	close_topic(t, 1);
}

static struct kunit_case topic_cases[] = {
	KUNIT_CASE(published_to_nobody),
	KUNIT_CASE(who_publishes_has_it),
	KUNIT_CASE(the_last_one_frees_it),
	KUNIT_CASE(held_by_one_and_queued_at_another),
	KUNIT_CASE(held_beyond_the_end),
	KUNIT_CASE(fini_frees_the_history),
	KUNIT_CASE(block_waits_for_each),
	KUNIT_CASE(an_open_group_has_room),
	KUNIT_CASE(the_last_place_is_sealed),
	KUNIT_CASE(failed_groups_give_room_back),
	KUNIT_CASE(begun_before_it_came),
	KUNIT_CASE(promises_are_of_who_was_there),
	KUNIT_CASE(windows_arrive),
	KUNIT_CASE(the_newest_is_dropped),
	KUNIT_CASE(the_oldest_is_dropped),
	KUNIT_CASE(the_others_lose_nothing),
	KUNIT_CASE(history_gives_way),
	KUNIT_CASE(the_idle_stop_nobody),
	KUNIT_CASE(what_is_held_is_not_spared),
	KUNIT_CASE(nothing_is_spared_in_vain),
	KUNIT_CASE(complete_and_spare),
	KUNIT_CASE(taken_is_not_spared),
	KUNIT_CASE(higher_lanes_first),
	KUNIT_CASE(lower_lanes_lose),
	{}
};

static struct kunit_suite topic_suite = {
	.name = "zcb_topic",
	.init = topic_test_init,
	.test_cases = topic_cases,
};

kunit_test_suite(topic_suite);
