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

	add(t, 0, ZCBUF_POLICY_BLOCK, 1, 0);
	rig_commit(t->rig, rig_reserve(t->rig, 40));
	KUNIT_EXPECT_EQ(test, promised(t, 0), 1U);
	expect_full(t);
	KUNIT_EXPECT_EQ(test, -EAGAIN,
			zcb_stream_plan(&t->rig->s, 10, true, &plan));
	rig_commit(t->rig, rig_reserve(t->rig, 40));
	rig_commit(t->rig, rig_reserve(t->rig, 40));
	KUNIT_EXPECT_EQ(test, promised(t, 0), 0U);
	KUNIT_EXPECT_EQ(test, t->port[0].c.queued, 1U);
	KUNIT_EXPECT_EQ(test, -EAGAIN,
			zcb_stream_plan(&t->rig->s, 10, false, &plan));
	expect_next(t, 0, 0);
	KUNIT_EXPECT_EQ(test, 0, zcb_stream_plan(&t->rig->s, 10, true, &plan));
	close_topic(t, 1);
}

/* The promise ends with the group, however it does. */
static void failed_groups_give_room_back(struct kunit *test)
{
	struct topic_test *t = open_topic(test, 0);
	struct zcb_resv *r;

	add(t, 0, ZCBUF_POLICY_BLOCK, 1, 0);
	rig_abort(t->rig, rig_window(t->rig, 10));
	KUNIT_EXPECT_EQ(test, promised(t, 0), 0U);
	KUNIT_EXPECT_EQ(test, t->rig->rooms, 1U);
	/* One of two: only when it is decided. */
	rig_abort(t->rig, rig_reserve(t->rig, 60));
	KUNIT_EXPECT_EQ(test, promised(t, 0), 1U);
	r = rig_reserve(t->rig, 60);
	expect_full(t);
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
	struct sent sent;
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
	struct sent sent;

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
	KUNIT_CASE(failed_groups_give_room_back),
	KUNIT_CASE(begun_before_it_came),
	KUNIT_CASE(promises_are_of_who_was_there),
	KUNIT_CASE(windows_arrive),
	KUNIT_CASE(the_newest_is_dropped),
	KUNIT_CASE(the_oldest_is_dropped),
	KUNIT_CASE(the_others_lose_nothing),
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
