// SPDX-License-Identifier: GPL-2.0-only
/*
 * What those get who come late, the names of deliveries and what they tell, the end of
 * a topic, and buffers in a stream that is none.
 */
#include <kunit/test.h>
#include "topic_rig.h"

/* ----------------------------------------------------------------- history */

static void late_without_history(struct kunit *test)
{
	struct topic_test *t = open_topic(test, 0);

	add(t, 0, ZCBUF_POLICY_BLOCK, 4, 0);
	publish(t);
	add(t, 1, ZCBUF_POLICY_BLOCK, 4, 4);
	expect_answer(t, 1, -EAGAIN);
	expect_next(t, 0, 0);
	expect_pages(t, 0);
	close_topic(t, 2);
}

static void history_is_replayed(struct kunit *test)
{
	struct topic_test *t = open_topic(test, 3);
	u32 i;

	for (i = 0; i < 5; i++)
		publish(t);
	expect_pages(t, 3);
	KUNIT_EXPECT_EQ(test, t->rig->s.nhistory, 3U);
	add(t, 0, ZCBUF_POLICY_BLOCK, 8, 2);
	add(t, 1, ZCBUF_POLICY_DROP_NEWEST, 8, 100);
	add(t, 2, ZCBUF_POLICY_BLOCK, 1, 3);
	add(t, 3, ZCBUF_POLICY_DROP_OLDEST, 8, 0);
	KUNIT_EXPECT_EQ(test, t->port[0].ready, 2U);
	expect_next(t, 0, 3);
	expect_next(t, 0, 4);
	for (i = 2; i < 5; i++)
		expect_next(t, 1, i);
	expect_answer(t, 3, -EAGAIN);
	/* It has no room as well. */
	expect_full(t);
	expect_next(t, 2, 4);
	KUNIT_EXPECT_EQ(test, publish(t).delivered, 4U);
	for (i = 0; i < 4; i++)
		expect_next(t, i, 5);
	expect_pages(t, 3);
	close_topic(t, 4);
}

/* Reserved groups, too; what fails is no history. */
static void history_is_of_all_that_was_complete(struct kunit *test)
{
	struct topic_test *t = open_topic(test, 2);
	struct zcb_resv *late = rig_window(t->rig, 10);

	rig_commit(t->rig, rig_reserve(t->rig, 100));
	rig_abort(t->rig, rig_window(t->rig, 10));
	publish_at(t, 1);
	rig_commit(t->rig, late);
	add(t, 0, ZCBUF_POLICY_BLOCK, 4, 2);
	set_lanes(t, 0, 2);
	expect_next(t, 0, 3);
	expect_next(t, 0, 0);
	close_topic(t, 1);
}

/* What is read stays when the history has it no more, and the other way round. */
static void history_is_one_who_has_it(struct kunit *test)
{
	struct topic_test *t = open_topic(test, 1);
	u64 name;

	add(t, 0, ZCBUF_POLICY_BLOCK, 4, 0);
	publish(t);
	name = take_name(t, 0);
	publish(t);
	expect_pages(t, 2);
	KUNIT_EXPECT_EQ(test, release(t, 0, name), 0);
	expect_pages(t, 1);
	expect_next(t, 0, 1);
	expect_pages(t, 1);
	zcb_topic_forget(&t->rig->s, 0);
	expect_pages(t, 0);
	close_topic(t, 1);
}

/* ------------------------------------------------------------------- names */

static void held_no_more_than_it_may(struct kunit *test)
{
	struct topic_test *t = open_topic(test, 0);
	struct zcb_topic_slot *slot;
	u64 name;

	add(t, 0, ZCBUF_POLICY_BLOCK, 2, 0);
	t->port[0].c.topic->max_held = 2;
	publish(t);
	publish(t);
	take(t, 0);
	name = take_name(t, 0);
	expect_answer(t, 0, -EAGAIN);
	publish(t);
	publish(t);
	expect_full(t);
	expect_answer(t, 0, -ENOSPC);
	KUNIT_EXPECT_EQ(test, t->port[0].c.queued, 2U);
	KUNIT_EXPECT_EQ(test, release(t, 0, name), 0);
	slot = take(t, 0);
	KUNIT_EXPECT_EQ(test, slot->group->id, 2ULL);
	expect_answer(t, 0, -ENOSPC);
	close_topic(t, 1);
}

static void names_that_were_not_given(struct kunit *test)
{
	struct topic_test *t = open_topic(test, 0);
	struct zcb_topic_queue *q;
	u64 name;

	add(t, 0, ZCBUF_POLICY_BLOCK, 2, 0);
	q = t->port[0].c.topic;
	KUNIT_EXPECT_EQ(test, release(t, 0, ZCB_TOPIC_ID), -ENOENT);
	publish(t);
	name = zcb_topic_id(q, list_first_entry(&q->lanes[0],
						struct zcb_topic_slot, node));
	/* Queued, another slot, one that is not, a turn to come. */
	KUNIT_EXPECT_EQ(test, release(t, 0, name), -ENOENT);
	KUNIT_EXPECT_EQ(test, release(t, 0, name + 1), -ENOENT);
	KUNIT_EXPECT_EQ(test, release(t, 0, name + q->nslots), -ENOENT);
	KUNIT_EXPECT_EQ(test, release(t, 0, name | (ZCB_TOPIC_SLOTS - 1)),
			-ENOENT);
	KUNIT_EXPECT_EQ(test, release(t, 0, name + ZCB_TOPIC_SLOTS), -ENOENT);
	KUNIT_EXPECT_EQ(test, take_name(t, 0), name);
	KUNIT_EXPECT_EQ(test, release(t, 0, name + ZCB_TOPIC_SLOTS), -ENOENT);
	KUNIT_EXPECT_EQ(test, release(t, 0, name), 0);
	KUNIT_EXPECT_EQ(test, release(t, 0, name), -EBADSLT);
	close_topic(t, 1);
}

/* A slot's later deliveries have other names, also of turns that were not its. */
static void names_are_not_given_again(struct kunit *test)
{
	struct topic_test *t = open_topic(test, 0);
	u64 first, name;
	u32 i;

	add(t, 0, ZCBUF_POLICY_BLOCK, 1, 0);
	publish(t);
	first = take_name(t, 0);
	KUNIT_EXPECT_EQ(test, release(t, 0, first), 0);
	for (i = 1; i < 6; i++) {
		publish(t);
		name = take_name(t, 0);
		KUNIT_EXPECT_EQ(test, (name - ZCB_TOPIC_ID) >>
				      ZCB_TOPIC_SLOT_BITS, (u64)i);
		KUNIT_EXPECT_EQ(test, release(t, 0, first), -EBADSLT);
		KUNIT_EXPECT_EQ(test, t->port[0].c.nheld, 1U);
		KUNIT_EXPECT_EQ(test, release(t, 0, name), 0);
	}
	/* Another slot, which had no such turn. */
	KUNIT_EXPECT_EQ(test, release(t, 0, name ^ 1), -ENOENT);
	close_topic(t, 1);
}

/* What was dropped from the queue nobody was given. */
static void name_of_what_was_dropped(struct kunit *test)
{
	struct topic_test *t = open_topic(test, 0);
	u64 name;

	add(t, 0, ZCBUF_POLICY_DROP_OLDEST, 1, 0);
	publish(t);
	publish(t);
	KUNIT_EXPECT_EQ(test, release(t, 0, ZCB_TOPIC_ID), -EBADSLT);
	name = take_name(t, 0);
	KUNIT_EXPECT_EQ(test, name & (ZCB_TOPIC_SLOTS - 1), 1ULL);
	KUNIT_EXPECT_EQ(test, release(t, 0, name), 0);
	close_topic(t, 1);
}

/* Who opens its port again cannot release what it had with the first one. */
static void names_of_a_port_that_was(struct kunit *test)
{
	struct topic_test *t = open_topic(test, 2);
	u64 before, taken, name;

	add(t, 0, ZCBUF_POLICY_BLOCK, 2, 0);
	publish(t);
	before = take_name(t, 0);
	KUNIT_EXPECT_EQ(test, release(t, 0, before), 0);
	publish(t);
	taken = take_name(t, 0);
	drop(t, 0);
	add(t, 0, ZCBUF_POLICY_BLOCK, 2, 0);
	KUNIT_EXPECT_EQ(test, release(t, 0, taken), -ENOENT);
	publish(t);
	name = take_name(t, 0);
	KUNIT_EXPECT_EQ(test, release(t, 0, before), -EBADSLT);
	KUNIT_EXPECT_NE(test, release(t, 0, taken), 0);
	KUNIT_EXPECT_EQ(test, t->port[0].c.nheld, 1U);
	/* One that leaves with less changes nothing about it. */
	add(t, 1, ZCBUF_POLICY_BLOCK, 2, 0);
	zcb_stream_retire_consumer(&t->rig->s, &t->port[1].c);
	drop(t, 1);
	KUNIT_EXPECT_EQ(test, release(t, 0, name), 0);
	drop(t, 0);
	/* The history is replayed under names of its own, too. */
	add(t, 0, ZCBUF_POLICY_BLOCK, 2, 2);
	KUNIT_EXPECT_EQ(test, take_name(t, 0) >> ZCB_TOPIC_SLOT_BITS,
			(ZCB_TOPIC_ID >> ZCB_TOPIC_SLOT_BITS) + 3);
	KUNIT_EXPECT_LT(test, release(t, 0, name), 0);
	close_topic(t, 1);
}

/* As many turns as a name has room for. */
static void turns_that_begin_anew(struct kunit *test)
{
	const u64 turns = 1ULL << (55 - ZCB_TOPIC_SLOT_BITS);
	struct topic_test *t = open_topic(test, 0);
	u64 name;

	add(t, 0, ZCBUF_POLICY_BLOCK, 2, 0);
	t->port[0].c.topic->next_turn = turns - 1;
	publish(t);
	publish(t);
	name = take_name(t, 0);
	KUNIT_EXPECT_EQ(test, name >> ZCB_TOPIC_SLOT_BITS, 2 * turns - 1);
	KUNIT_EXPECT_EQ(test, release(t, 0, name), 0);
	KUNIT_EXPECT_EQ(test, release(t, 0, name), -EBADSLT);
	name = take_name(t, 0);
	KUNIT_EXPECT_EQ(test, name >> ZCB_TOPIC_SLOT_BITS, turns);
	KUNIT_EXPECT_EQ(test, release(t, 0, name), 0);
	KUNIT_EXPECT_EQ(test, release(t, 0, name), -EBADSLT);
	close_topic(t, 1);
}

/* ------------------------------------------------------ queues that are shown */

/* The first one of port @i, without a call. */
static u64 take_itself(struct topic_test *t, u32 i)
{
	struct zcb_topic_queue *q = t->port[i].c.topic;
	struct zcb_topic_slot *slot;
	u64 name;

	list_for_each_entry(slot, &q->lanes[0], node) {
		name = t->port[i].words[slot - q->slots];
		t->port[i].words[slot - q->slots] = 0;
		if (name)
			return name;
	}
	KUNIT_FAIL(t->rig->test, "nothing to take");
	return 0;
}

/* Who waits for room has said so before it looks. */
static void room_that_was_not_noticed(struct kunit *test)
{
	struct topic_test *t = open_topic(test, 0);
	u64 name;

	add(t, 0, ZCBUF_POLICY_BLOCK, 1, 0);
	publish(t);
	zcb_topic_show(&t->rig->s, &t->port[0].c);
	expect_full(t);
	KUNIT_EXPECT_EQ(test, t->port[0].awaited, 1U);
	name = take_itself(t, 0);
	KUNIT_EXPECT_EQ(test, t->port[0].c.queued, 1U);
	KUNIT_EXPECT_EQ(test, publish(t).delivered, 1U);
	KUNIT_EXPECT_EQ(test, t->port[0].c.nheld, 1U);
	KUNIT_EXPECT_EQ(test, release(t, 0, name), 0);
	/* This one is noticed by its release. */
	name = take_itself(t, 0);
	KUNIT_EXPECT_EQ(test, release(t, 0, name), 0);
	KUNIT_EXPECT_EQ(test, release(t, 0, name), -EBADSLT);
	expect_pages(t, 0);
	close_topic(t, 1);
}

/* It may hold more than it said, but there is an end to it. */
static void no_more_than_there_are_slots(struct kunit *test)
{
	struct topic_test *t = open_topic(test, 0);
	u64 name = 0;
	u32 i;

	add(t, 0, ZCBUF_POLICY_BLOCK, 2, 0);
	add(t, 1, ZCBUF_POLICY_DROP_OLDEST, 2, 0);
	t->port[0].c.topic->max_held = 1;
	zcb_topic_show(&t->rig->s, &t->port[0].c);
	zcb_topic_show(&t->rig->s, &t->port[1].c);
	for (i = 0; i < HELD + 2; i++) {
		KUNIT_EXPECT_EQ(test, publish(t).delivered, 2U);
		name = take_itself(t, 0);
		take_itself(t, 1);
	}
	expect_full(t);
	KUNIT_EXPECT_EQ(test, t->port[0].c.nheld, HELD + 2);
	KUNIT_EXPECT_EQ(test, release(t, 0, name), 0);
	/* The other one has nothing in its queue that it could lose for it. */
	KUNIT_EXPECT_EQ(test, publish(t).dropped, 1U);
	KUNIT_EXPECT_EQ(test, t->port[1].c.topic->lost, 1ULL);
	expect_answer(t, 0, -ENOSPC);
	close_topic(t, 2);
}

/* What it took before it was dropped, or was gone, it holds. */
static void taken_is_not_dropped(struct kunit *test)
{
	struct topic_test *t = open_topic(test, 0);
	u64 name;

	add(t, 0, ZCBUF_POLICY_DROP_OLDEST, 2, 0);
	zcb_topic_show(&t->rig->s, &t->port[0].c);
	publish(t);
	publish(t);
	name = take_itself(t, 0);
	KUNIT_EXPECT_EQ(test, publish(t).dropped, 0U);
	KUNIT_EXPECT_EQ(test, publish(t).dropped, 1U);
	expect_pages(t, 3);
	/* The one that was dropped it cannot take. */
	KUNIT_EXPECT_EQ(test, t->port[0].words[1], 0ULL);
	take_itself(t, 0);
	zcb_stream_retire_consumer(&t->rig->s, &t->port[0].c);
	KUNIT_EXPECT_EQ(test, t->port[0].c.nheld, 2U);
	expect_pages(t, 2);
	KUNIT_EXPECT_EQ(test, release(t, 0, name), 0);
	expect_pages(t, 1);
	close_topic(t, 1);
}

/* The first one is taken when it would be dropped: there is room, nothing is lost. */
static void taken_while_it_is_dropped(struct kunit *test)
{
	struct topic_test *t = open_topic(test, 0);
	struct sent sent;

	add(t, 0, ZCBUF_POLICY_DROP_OLDEST, 2, 0);
	zcb_topic_show(&t->rig->s, &t->port[0].c);
	publish(t);
	publish(t);
	t->port[0].grabs = 1;
	sent = publish(t);
	KUNIT_EXPECT_EQ(test, sent.delivered, 1U);
	KUNIT_EXPECT_EQ(test, sent.dropped, 0U);
	KUNIT_EXPECT_EQ(test, t->port[0].c.nheld, 1U);
	KUNIT_EXPECT_EQ(test, t->port[0].c.queued, 2U);
	KUNIT_EXPECT_EQ(test, t->port[0].c.topic->lost, 0ULL);
	expect_pages(t, 3);
	expect_next(t, 0, 1);
	expect_next(t, 0, 2);
	close_topic(t, 1);
}

/* It is told at once, since nobody sees it take the last one. */
static void the_end_of_what_is_shown(struct kunit *test)
{
	struct topic_test *t = open_topic(test, 2);

	add(t, 0, ZCBUF_POLICY_BLOCK, 2, 0);
	zcb_topic_show(&t->rig->s, &t->port[0].c);
	publish(t);
	rig_finalize(t->rig, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, t->port[0].ends, 1U);
	take_itself(t, 0);
	expect_answer(t, 0, -ESHUTDOWN);
	add(t, 2, ZCBUF_POLICY_BLOCK, 2, 1);
	zcb_topic_show(&t->rig->s, &t->port[2].c);
	expect_next(t, 2, 0);
	KUNIT_EXPECT_EQ(test, t->port[2].ends, 1U);
	drop(t, 2);
	add(t, 1, ZCBUF_POLICY_BLOCK, 2, 1);
	zcb_topic_show(&t->rig->s, &t->port[1].c);
	KUNIT_EXPECT_EQ(test, t->port[1].ends, 1U);
	KUNIT_EXPECT_NE(test, take_itself(t, 1), 0ULL);
	close_topic(t, 2);
}

/* ------------------------------------------------------------------ labels */

static void each_publisher_counts(struct kunit *test)
{
	const struct zcb_topic_publication pub = { .length = 1 };
	struct topic_test *t = open_topic(test, 0);
	struct zcb_topic_slot *slot;
	struct zcb_producer other;
	struct zcb_group *g;
	u64 seq[5], publisher[5];
	u32 i;

	zcb_producer_init(&other);
	other.id = 78;
	add(t, 0, ZCBUF_POLICY_BLOCK, 8, 0);
	KUNIT_EXPECT_EQ(test, publish(t).seq, 0ULL);
	KUNIT_ASSERT_EQ(test, 0, rig_publish(t->rig, &other, &pub, 1, &g));
	zcb_topic_put(&t->rig->s, g);
	rig_commit(t->rig, rig_reserve(t->rig, 100));
	rig_abort(t->rig, rig_window(t->rig, 10));
	rig_commit(t->rig, rig_window(t->rig, 10));
	KUNIT_EXPECT_EQ(test, publish(t).seq, 2ULL);
	for (i = 0; i < 5; i++) {
		slot = take(t, 0);
		seq[i] = slot->group->seq;
		publisher[i] = slot->group->publisher;
		KUNIT_EXPECT_EQ(test, slot->group->user_tag,
				i % 4 ? 0ULL : 5ULL);
		KUNIT_EXPECT_EQ(test, slot->group->encoding, i % 4 ? 0U : 6U);
	}
	KUNIT_EXPECT_EQ(test, seq[0] + seq[1] + seq[2], 0ULL);
	KUNIT_EXPECT_EQ(test, seq[3], 1ULL);
	KUNIT_EXPECT_EQ(test, seq[4], 2ULL);
	KUNIT_EXPECT_EQ(test, publisher[0], 77ULL);
	KUNIT_EXPECT_EQ(test, publisher[1], 78ULL);
	KUNIT_EXPECT_EQ(test, publisher[2], 0ULL);
	KUNIT_EXPECT_EQ(test, publisher[3], 77ULL);
	zcb_stream_drop_producer(&t->rig->s, &other, rig_now(t->rig));
	close_topic(t, 1);
}

/* A gap is a loss, and only where it was. */
static void a_gap_is_a_loss(struct kunit *test)
{
	struct topic_test *t = open_topic(test, 0);

	add(t, 0, ZCBUF_POLICY_DROP_NEWEST, 1, 0);
	add(t, 1, ZCBUF_POLICY_BLOCK, 3, 0);
	publish(t);
	publish(t);
	KUNIT_EXPECT_EQ(test, take(t, 0)->group->seq, 0ULL);
	publish(t);
	KUNIT_EXPECT_EQ(test, take(t, 0)->group->seq, 2ULL);
	KUNIT_EXPECT_EQ(test, take(t, 1)->group->seq, 0ULL);
	KUNIT_EXPECT_EQ(test, take(t, 1)->group->seq, 1ULL);
	KUNIT_EXPECT_EQ(test, t->port[0].c.topic->lost, 1ULL);
	KUNIT_EXPECT_EQ(test, t->port[1].c.topic->lost, 0ULL);
	close_topic(t, 2);
}

static void refused(struct kunit *test)
{
	struct topic_test *t = test->priv;
	struct sent sent;

	t->rig->cfg.max_outstanding = 2;
	t->rig->cfg.align = 64;
	open_topic(test, 0);
	KUNIT_EXPECT_EQ(test, zcb_topic_plan(&t->rig->s, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, zcb_topic_plan(&t->rig->s, U64_MAX), -E2BIG);
	KUNIT_EXPECT_EQ(test, zcb_topic_plan(&t->rig->s, U64_MAX / 2), 0);
	/* More than any extent is, as it brings its memory. */
	KUNIT_EXPECT_EQ(test, zcb_topic_plan(&t->rig->s, 1ULL << 40), 0);
	add(t, 0, ZCBUF_POLICY_DROP_OLDEST, 4, 0);
	publish(t);
	publish(t);
	expect_full(t);
	expect_next(t, 0, 0);
	publish(t);
	expect_next(t, 0, 1);
	rig_finalize(t->rig, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, try_publish(t, 0, &sent), -ESHUTDOWN);
	close_topic(t, 1);
}

/* ----------------------------------------------------------------- the end */

/* One that comes has the next one go, which is looked at later. */
static void finalize_evicts_the_next(struct kunit *test)
{
	struct topic_test *t = open_topic(test, 1);

	rig_commit(t->rig, rig_reserve(t->rig, 10));
	publish(t);
	rig_window(t->rig, 10);
	rig_finalize(t->rig, 1, 1, 1);
	expect_pages(t, 2);
	close_topic(t, 0);
}

/* The same, from a queue; and the one that comes is nobody's in the end. */
static void finalize_drops_the_next(struct kunit *test)
{
	struct topic_test *t = open_topic(test, 0);

	add(t, 0, ZCBUF_POLICY_DROP_OLDEST, 1, 0);
	rig_commit(t->rig, rig_reserve(t->rig, 10));
	publish(t);
	rig_window(t->rig, 10);
	rig_finalize(t->rig, 1, 1, 1);
	expect_pages(t, 2);
	expect_next(t, 0, 0);
	expect_pages(t, 1);
	close_topic(t, 1);
}

static void finalize_to_nobody(struct kunit *test)
{
	struct topic_test *t = open_topic(test, 0);

	rig_commit(t->rig, rig_reserve(t->rig, 10));
	rig_finalize(t->rig, 1, 0, 0);
	expect_pages(t, 0);
	close_topic(t, 0);
}

/* Each one's own: what others have is theirs. */
static void each_has_its_end(struct kunit *test)
{
	struct topic_test *t = open_topic(test, 2);

	add(t, 0, ZCBUF_POLICY_BLOCK, 4, 0);
	publish(t);
	add(t, 1, ZCBUF_POLICY_BLOCK, 4, 0);
	rig_finalize(t->rig, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, t->port[0].ends, 0U);
	KUNIT_EXPECT_EQ(test, t->port[1].ends, 1U);
	expect_answer(t, 1, -ESHUTDOWN);
	KUNIT_EXPECT_FALSE(test, zcb_stream_ended(&t->rig->s, &t->port[0].c));
	take(t, 0);
	KUNIT_EXPECT_EQ(test, t->port[0].ends, 1U);
	expect_answer(t, 0, -ESHUTDOWN);
	/* What there was can still be had. */
	add(t, 2, ZCBUF_POLICY_BLOCK, 4, 2);
	expect_next(t, 2, 0);
	KUNIT_EXPECT_EQ(test, t->port[2].ends, 1U);
	KUNIT_EXPECT_EQ(test, t->port[1].ends, 1U);
	close_topic(t, 3);
}

/* Failed groups go to the failure queue, once, as those of a stream. */
static void failed_groups_are_not_for_all(struct kunit *test)
{
	struct topic_test *t = open_topic(test, 2);
	struct zcb_group *g;

	add(t, 0, ZCBUF_POLICY_BLOCK, 4, 0);
	rig_window(t->rig, 10);
	rig_finalize(t->rig, 0, 1, 1);
	expect_answer(t, 0, -ESHUTDOWN);
	g = rig_receive(t->rig, &t->rig->f);
	KUNIT_EXPECT_EQ(test, g->nfailed, 1U);
	rig_release(t->rig, &t->rig->f, g);
	/* A straggler has it. */
	expect_pages(t, 1);
	zcb_stream_retire_producer(&t->rig->s, &t->rig->p, rig_now(t->rig));
	expect_pages(t, 1);
	zcb_stream_drop_producer(&t->rig->s, &t->rig->p, rig_now(t->rig));
	expect_pages(t, 0);
	KUNIT_EXPECT_EQ(test, t->rig->s.nhistory, 0U);
	close_topic(t, 1);
}

/* Its publisher's death changes nothing about what is published. */
static void published_by_the_dead(struct kunit *test)
{
	struct topic_test *t = open_topic(test, 0);

	add(t, 0, ZCBUF_POLICY_BLOCK, 4, 0);
	publish(t);
	publish(t);
	take(t, 0);
	zcb_stream_retire_producer(&t->rig->s, &t->rig->p, rig_now(t->rig));
	zcb_stream_drop_producer(&t->rig->s, &t->rig->p, rig_now(t->rig));
	memset(&t->rig->p, RIG_POISON, sizeof(t->rig->p));
	expect_pages(t, 2);
	expect_next(t, 0, 1);
	drop(t, 0);
	expect_pages(t, 0);
	zcb_producer_init(&t->rig->p);
	close_topic(t, 0);
}

/* ---------------------------------------------------- buffers in a stream */

static struct topic_test *open_no_topic(struct kunit *test, bool ordered)
{
	struct topic_test *t = test->priv;

	t->rig->cfg.topic = false;
	t->rig->cfg.ordered = ordered;
	rig_open(t->rig);
	t->rig->p.id = 77;
	return t;
}

/* It waits for who takes it, one of all. */
static void published_to_a_stream(struct kunit *test)
{
	struct topic_test *t = open_no_topic(test, false);
	struct zcb_group *g;
	u32 i;

	zcb_stream_drop_consumer(&t->rig->s, &t->rig->c.c);
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, publish(t).delivered, 0U);
		KUNIT_EXPECT_EQ(test, t->rig->s.nparked, i + 1);
	}
	zcb_consumer_init(&t->port[0].c, 1, false);
	zcb_stream_add_consumer(&t->rig->s, &t->port[0].c);
	for (i = 0; i < 3; i++) {
		g = rig_receive(t->rig, &t->port[0]);
		KUNIT_EXPECT_EQ(test, g->id, (u64)i);
		KUNIT_EXPECT_EQ(test, g->seq, (u64)i);
		KUNIT_EXPECT_EQ(test, g->publisher, 77ULL);
		KUNIT_EXPECT_EQ(test, g->user_tag, 5ULL);
		rig_check_group(t->rig, g);
		rig_release(t->rig, &t->port[0], g);
		expect_pages(t, 2 - i);
	}
	drop(t, 0);
	rig_close(t->rig);
}

/* In the order of the stream with all others; the end waits for it, too. */
static void published_to_an_ordered_stream(struct kunit *test)
{
	struct topic_test *t = open_no_topic(test, true);
	struct zcb_resv *r = rig_reserve(t->rig, 10);

	publish(t);
	KUNIT_EXPECT_EQ(test, t->rig->c.ready, 0U);
	rig_commit(t->rig, r);
	rig_finalize(t->rig, 2, 0, 0);
	KUNIT_EXPECT_EQ(test, rig_receive(t->rig, &t->rig->c)->id, 0ULL);
	KUNIT_EXPECT_EQ(test, rig_receive(t->rig, &t->rig->c)->id, 1ULL);
	rig_close(t->rig);
}

/* Whoever had it is gone: the others get it; fini finds what nobody had. */
static void a_stream_that_goes_with_it(struct kunit *test)
{
	struct topic_test *t = open_no_topic(test, true);

	publish(t);
	publish(t);
	rig_commit(t->rig, rig_reserve(t->rig, 5));
	rig_receive(t->rig, &t->rig->c);
	zcb_stream_retire_consumer(&t->rig->s, &t->rig->c.c);
	expect_pages(t, 4);
	zcb_stream_end(&t->rig->s);
	expect_pages(t, 1);
	KUNIT_EXPECT_NULL(test, t->rig->s.turn);
	KUNIT_EXPECT_FALSE(test, zcb_stream_flush(&t->rig->s, rig_now(t->rig)));
	rig_close(t->rig);
}

static struct kunit_case topic_rules_cases[] = {
	KUNIT_CASE(late_without_history),
	KUNIT_CASE(history_is_replayed),
	KUNIT_CASE(history_is_of_all_that_was_complete),
	KUNIT_CASE(history_is_one_who_has_it),
	KUNIT_CASE(held_no_more_than_it_may),
	KUNIT_CASE(names_that_were_not_given),
	KUNIT_CASE(names_are_not_given_again),
	KUNIT_CASE(name_of_what_was_dropped),
	KUNIT_CASE(names_of_a_port_that_was),
	KUNIT_CASE(turns_that_begin_anew),
	KUNIT_CASE(room_that_was_not_noticed),
	KUNIT_CASE(no_more_than_there_are_slots),
	KUNIT_CASE(taken_is_not_dropped),
	KUNIT_CASE(taken_while_it_is_dropped),
	KUNIT_CASE(the_end_of_what_is_shown),
	KUNIT_CASE(each_publisher_counts),
	KUNIT_CASE(a_gap_is_a_loss),
	KUNIT_CASE(refused),
	KUNIT_CASE(finalize_evicts_the_next),
	KUNIT_CASE(finalize_drops_the_next),
	KUNIT_CASE(finalize_to_nobody),
	KUNIT_CASE(each_has_its_end),
	KUNIT_CASE(failed_groups_are_not_for_all),
	KUNIT_CASE(published_by_the_dead),
	KUNIT_CASE(published_to_a_stream),
	KUNIT_CASE(published_to_an_ordered_stream),
	KUNIT_CASE(a_stream_that_goes_with_it),
	{}
};

static struct kunit_suite topic_rules_suite = {
	.name = "zcb_topic_rules",
	.init = topic_test_init,
	.test_cases = topic_rules_cases,
};

kunit_test_suite(topic_rules_suite);
