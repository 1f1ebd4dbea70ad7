// SPDX-License-Identifier: GPL-2.0-only
/*
 * Streams whose consumers see their queues: who is dealt what, what is taken back and in
 * which order it comes again, what a death leaves to whom, and when the end is told.
 */
#include "stream_rig.h"

#define NPORTS		3
#define SLOTS_MAX	16U

/**
 * struct deal - a stream of which each reservation is a group
 * @rig: its stream
 * @port: consumers
 * @queue: of those that see theirs
 * @words: of these
 */
struct deal {
	struct rig *rig;
	struct rig_port port[NPORTS];
	union {
		struct zcb_topic_queue q;
		u8 bytes[sizeof(struct zcb_topic_queue) +
			 SLOTS_MAX * sizeof(struct zcb_topic_slot)];
	} queue[NPORTS];
	u64 words[NPORTS][SLOTS_MAX];
};

static int deal_init(struct kunit *test)
{
	struct deal *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	int err;

	KUNIT_ASSERT_NOT_NULL(test, t);
	err = rig_init(test);
	t->rig = test->priv;
	test->priv = t;
	t->rig->cfg.threshold = 0;
	return err;
}

static struct deal *open_deal(struct kunit *test)
{
	struct deal *t = test->priv;

	rig_open_bare(t->rig);
	return t;
}

static void add(struct deal *t, u32 i, u32 depth)
{
	memset(&t->port[i], 0, sizeof(t->port[i]));
	zcb_consumer_init(&t->port[i].c, depth, false);
	zcb_stream_add_consumer(&t->rig->s, &t->port[i].c);
}

static void see(struct deal *t, u32 i, u32 max_held)
{
	t->port[i].words = t->words[i];
	t->queue[i].q.nslots = max_held;
	zcb_stream_show(&t->rig->s, &t->port[i].c, &t->queue[i].q, max_held);
}

/* One that sees its queue from the beginning. */
static void add_seeing(struct deal *t, u32 i, u32 depth, u32 max_held)
{
	add(t, i, depth);
	see(t, i, max_held);
}

static void send(struct deal *t, u32 n)
{
	while (n--)
		rig_commit(t->rig, rig_reserve(t->rig, 10));
}

static void look(struct deal *t, u32 i)
{
	zcb_stream_look(&t->rig->s, &t->port[i].c);
}

/* The slot of the next one that a consumer sees and can take, or NULL. */
static struct zcb_topic_slot *next(struct deal *t, u32 i)
{
	struct zcb_topic_slot *slot;

	list_for_each_entry(slot, &t->queue[i].q.lanes[0], node)
		if (t->words[i][slot - t->queue[i].q.slots])
			return slot;
	return NULL;
}

/* By itself: what was it? */
static u64 take(struct deal *t, u32 i, u64 group, u64 seq)
{
	struct zcb_topic_slot *slot = next(t, i);
	struct kunit *test = t->rig->test;

	KUNIT_ASSERT_NOT_NULL(test, slot);
	KUNIT_EXPECT_EQ(test, slot->group->id, group);
	KUNIT_EXPECT_EQ(test, slot->group->seq, seq);
	rig_check_group(t->rig, slot->group);
	t->words[i][slot - t->queue[i].q.slots] = 0;
	return zcb_topic_id(&t->queue[i].q, slot);
}

static void release(struct deal *t, u32 i, u64 id)
{
	KUNIT_EXPECT_EQ(t->rig->test, 0,
			zcb_topic_release(&t->rig->s, &t->port[i].c, id));
}

static void expect_counts(struct deal *t, u32 i, u32 queued, u32 held)
{
	KUNIT_EXPECT_EQ(t->rig->test, t->port[i].c.queued, queued);
	KUNIT_EXPECT_EQ(t->rig->test, t->port[i].c.nheld, held);
}

/* The group that it holds, and as which of its deliveries. */
static u64 held(struct deal *t, u32 i, u64 seq)
{
	struct zcb_topic_slot *slot;

	slot = list_first_entry(&t->queue[i].q.held, struct zcb_topic_slot, node);
	KUNIT_EXPECT_EQ(t->rig->test, slot->group->seq, seq);
	return slot->group->id;
}

static void drop(struct deal *t, u32 i)
{
	zcb_stream_drop_consumer(&t->rig->s, &t->port[i].c);
	expect_counts(t, i, 0, 0);
}

static void close_deal(struct deal *t, u32 nports)
{
	zcb_stream_drop_producer(&t->rig->s, &t->rig->p, rig_now(t->rig));
	while (nports--)
		drop(t, nports);
	KUNIT_EXPECT_EQ(t->rig->test, t->rig->s.nshown, 0U);
	zcb_stream_fini(&t->rig->s);
	rig_check_empty(t->rig);
}

/* What it has and what it holds are never more than it may hold. */
static void dealt_by_credit(struct kunit *test)
{
	struct deal *t = open_deal(test);
	u64 id;

	add_seeing(t, 0, 8, 2);
	send(t, 2);
	KUNIT_EXPECT_EQ(test, t->port[0].awaited, 0U);
	send(t, 1);
	KUNIT_EXPECT_EQ(test, t->port[0].awaited, 1U);
	expect_counts(t, 0, 2, 0);
	id = take(t, 0, 0, 0);
	look(t, 0);
	expect_counts(t, 0, 1, 1);
	KUNIT_EXPECT_EQ(test, t->rig->s.nparked, 1U);
	KUNIT_EXPECT_EQ(test, t->port[0].awaited, 2U);
	release(t, 0, id);
	expect_counts(t, 0, 2, 0);
	KUNIT_EXPECT_EQ(test, t->rig->s.nparked, 0U);
	KUNIT_EXPECT_EQ(test, t->port[0].ready, 3U);
	take(t, 0, 1, 1);
	take(t, 0, 2, 2);
	close_deal(t, 1);
}

/* Nor is what it has more than its depth: what it takes makes room there. */
static void dealt_by_depth(struct kunit *test)
{
	struct deal *t = open_deal(test);

	add_seeing(t, 0, 1, 4);
	send(t, 3);
	KUNIT_EXPECT_EQ(test, t->rig->s.nparked, 2U);
	take(t, 0, 0, 0);
	look(t, 0);
	expect_counts(t, 0, 1, 1);
	take(t, 0, 1, 1);
	/* A group that comes meanwhile goes behind those that wait. */
	send(t, 1);
	expect_counts(t, 0, 1, 1);
	look(t, 0);
	take(t, 0, 2, 2);
	look(t, 0);
	take(t, 0, 3, 3);
	close_deal(t, 1);
}

/* Parked is what nobody has room for: what it took by itself is found first. */
static void looked_at_before_it_is_parked(struct kunit *test)
{
	struct deal *t = open_deal(test);

	add_seeing(t, 0, 2, 8);
	send(t, 2);
	take(t, 0, 0, 0);
	take(t, 0, 1, 1);
	send(t, 1);
	KUNIT_EXPECT_EQ(test, t->rig->s.nparked, 0U);
	KUNIT_EXPECT_EQ(test, t->port[0].awaited, 0U);
	take(t, 0, 2, 2);
	close_deal(t, 1);
}

/* Each goes to the one who waits longest, whether he sees his queue or not. */
static void by_turns(struct kunit *test)
{
	struct deal *t = open_deal(test);

	add_seeing(t, 0, 8, 2);
	add(t, 1, 8);
	add_seeing(t, 2, 8, 8);
	send(t, 6);
	expect_counts(t, 0, 2, 0);
	expect_counts(t, 1, 2, 0);
	expect_counts(t, 2, 2, 0);
	send(t, 2);
	expect_counts(t, 0, 2, 0);
	take(t, 0, 0, 0);
	take(t, 0, 3, 1);
	take(t, 2, 2, 0);
	take(t, 2, 5, 1);
	close_deal(t, 3);
}

static void the_dead_keep_what_they_took(struct kunit *test)
{
	struct deal *t = open_deal(test);
	struct zcb_topic_slot *slot, *more;

	add_seeing(t, 0, 8, 8);
	send(t, 3);
	take(t, 0, 0, 0);
	zcb_stream_retire_consumer(&t->rig->s, &t->port[0].c);
	expect_counts(t, 0, 0, 1);
	KUNIT_EXPECT_EQ(test, t->rig->s.nparked, 2U);
	KUNIT_EXPECT_EQ(test, t->rig->s.nshown, 0U);
	add_seeing(t, 1, 8, 8);
	take(t, 1, 1, 0);
	take(t, 1, 2, 1);
	KUNIT_EXPECT_NULL(test, next(t, 1));
	list_for_each_entry_safe(slot, more, &t->queue[0].q.held, node)
		zcb_topic_let_go(&t->rig->s, &t->port[0].c, slot);
	KUNIT_EXPECT_EQ(test, t->rig->s.credit.taken, 2U);
	close_deal(t, 2);
}

/* What the dead had not taken comes before what was complete later. */
static void dealt_again_in_order(struct kunit *test)
{
	struct deal *t = open_deal(test);

	add_seeing(t, 0, 8, 8);
	add_seeing(t, 1, 8, 8);
	send(t, 7);
	take(t, 1, 1, 0);
	take(t, 0, 0, 0);
	drop(t, 0);
	take(t, 1, 2, 1);
	take(t, 1, 3, 2);
	take(t, 1, 4, 3);
	take(t, 1, 5, 4);
	take(t, 1, 6, 5);
	KUNIT_EXPECT_NULL(test, next(t, 1));
	drop(t, 1);
	close_deal(t, 0);
}

/* There is room for one only, and for the others when that is gone. */
static void dealt_again_when_there_is_room(struct kunit *test)
{
	struct deal *t = open_deal(test);
	u64 id;

	add_seeing(t, 0, 8, 2);
	add_seeing(t, 1, 8, 2);
	send(t, 5);
	KUNIT_EXPECT_EQ(test, t->rig->s.nparked, 1U);
	id = take(t, 1, 1, 0);
	drop(t, 0);
	expect_counts(t, 1, 1, 1);
	KUNIT_EXPECT_EQ(test, t->rig->s.nparked, 3U);
	release(t, 1, id);
	release(t, 1, take(t, 1, 0, 1));
	release(t, 1, take(t, 1, 2, 2));
	release(t, 1, take(t, 1, 3, 3));
	release(t, 1, take(t, 1, 4, 4));
	KUNIT_EXPECT_EQ(test, t->rig->s.credit.taken, 0U);
	drop(t, 1);
	close_deal(t, 0);
}

static void left_to_one_who_receives(struct kunit *test)
{
	struct deal *t = open_deal(test);
	u64 id;

	add_seeing(t, 0, 8, 8);
	add(t, 1, 8);
	send(t, 4);
	take(t, 0, 0, 0);
	drop(t, 0);
	for (id = 1; id < 4; id++)
		KUNIT_EXPECT_EQ(test, rig_receive(t->rig, &t->port[1])->id, id);
	drop(t, 1);
	close_deal(t, 0);
}

static void left_by_one_who_receives(struct kunit *test)
{
	struct deal *t = open_deal(test);

	add_seeing(t, 0, 8, 8);
	add(t, 1, 8);
	send(t, 4);
	drop(t, 1);
	take(t, 0, 0, 0);
	take(t, 0, 1, 1);
	take(t, 0, 2, 2);
	take(t, 0, 3, 3);
	close_deal(t, 1);
}

/* He is just taking the last one. */
static void taken_or_taken_back(struct kunit *test)
{
	struct deal *t = open_deal(test);

	add_seeing(t, 0, 8, 8);
	send(t, 3);
	t->port[0].grabs = 1;
	zcb_stream_retire_consumer(&t->rig->s, &t->port[0].c);
	expect_counts(t, 0, 0, 1);
	add_seeing(t, 1, 8, 8);
	take(t, 1, 0, 0);
	take(t, 1, 1, 1);
	close_deal(t, 2);
}

/* He goes on taking meanwhile: what he gets is what is next, in his count as well. */
static void taken_while_taken_back(struct kunit *test)
{
	struct deal *t = open_deal(test);

	add_seeing(t, 0, 8, 8);
	add_seeing(t, 1, 8, 8);
	send(t, 7);
	/* It has 1, 3 and 5, and 4 and 6 are to come between and behind. */
	t->port[1].drops = 1;
	take(t, 0, 0, 0);
	take(t, 0, 2, 1);
	drop(t, 0);
	expect_counts(t, 1, 4, 1);
	KUNIT_EXPECT_EQ(test, held(t, 1, 0), 1ULL);
	take(t, 1, 3, 1);
	take(t, 1, 4, 2);
	take(t, 1, 5, 3);
	take(t, 1, 6, 4);
	KUNIT_EXPECT_NULL(test, next(t, 1));
	drop(t, 1);
	close_deal(t, 0);
}

/* It had received, and was offered more than it may hold from now on. */
static void seen_late(struct kunit *test)
{
	struct deal *t = open_deal(test);
	struct zcb_group *g;

	add(t, 0, 8);
	send(t, 6);
	g = rig_receive(t->rig, &t->port[0]);
	add(t, 1, 1);
	see(t, 0, 3);
	expect_counts(t, 0, 2, 1);
	expect_counts(t, 1, 1, 0);
	KUNIT_EXPECT_EQ(test, t->rig->s.nparked, 2U);
	rig_release(t->rig, &t->port[0], g);
	expect_counts(t, 0, 3, 0);
	KUNIT_EXPECT_EQ(test, rig_receive(t->rig, &t->port[1])->id, 3ULL);
	take(t, 0, 1, 1);
	take(t, 0, 2, 2);
	take(t, 0, 4, 3);
	KUNIT_EXPECT_EQ(test, rig_receive(t->rig, &t->port[1])->id, 5ULL);
	close_deal(t, 2);
}

/* Names of those that come later are other names. */
static void names_are_not_used_again(struct kunit *test)
{
	struct deal *t = open_deal(test);
	u64 id;

	add_seeing(t, 0, 8, 1);
	send(t, 2);
	id = take(t, 0, 0, 0);
	drop(t, 0);
	add_seeing(t, 0, 8, 1);
	KUNIT_EXPECT_EQ(test, -EBADSLT,
			zcb_topic_release(&t->rig->s, &t->port[0].c, id));
	KUNIT_EXPECT_EQ(test, -ENOENT,
			zcb_stream_release(&t->rig->s, &t->port[0].c, 1));
	release(t, 0, take(t, 0, 1, 0));
	close_deal(t, 1);
}

static int receive(struct deal *t, u32 i, u64 *group)
{
	struct zcb_topic_slot *slot;
	int err = zcb_topic_receive(&t->rig->s, &t->port[i].c, &slot);

	if (err)
		return err;
	*group = slot->group->id;
	t->words[i][slot - t->queue[i].q.slots] = 0;
	return 0;
}

static void received_as_well(struct kunit *test)
{
	struct deal *t = open_deal(test);
	u64 id, group = 99;

	add_seeing(t, 0, 1, 2);
	KUNIT_EXPECT_EQ(test, receive(t, 0, &group), -EAGAIN);
	send(t, 3);
	id = take(t, 0, 0, 0);
	/* What it took is noticed: there is room for the next one. */
	KUNIT_EXPECT_EQ(test, receive(t, 0, &group), 0);
	KUNIT_EXPECT_EQ(test, group, 1ULL);
	KUNIT_EXPECT_EQ(test, receive(t, 0, &group), -ENOSPC);
	release(t, 0, id);
	KUNIT_EXPECT_EQ(test, receive(t, 0, &group), 0);
	KUNIT_EXPECT_EQ(test, group, 2ULL);
	KUNIT_EXPECT_EQ(test, receive(t, 0, &group), -ENOSPC);
	rig_finalize(t->rig, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, receive(t, 0, &group), -ESHUTDOWN);
	KUNIT_EXPECT_EQ(test, t->port[0].ends, 1U);
	close_deal(t, 1);
}

/* Who sees his queue knows of what is in it; the others wait until it was noticed. */
static void the_end(struct kunit *test)
{
	struct deal *t = open_deal(test);
	u64 id;

	add_seeing(t, 0, 8, 8);
	add(t, 1, 8);
	add_seeing(t, 2, 8, 8);
	send(t, 1);
	rig_finalize(t->rig, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, t->port[0].ends, 1U);
	KUNIT_EXPECT_EQ(test, t->port[0].awaited, 1U);
	KUNIT_EXPECT_EQ(test, t->port[1].ends, 0U);
	KUNIT_EXPECT_EQ(test, t->port[2].ends, 0U);
	id = take(t, 0, 0, 0);
	KUNIT_EXPECT_FALSE(test, zcb_stream_ended(&t->rig->s, &t->port[1].c));
	look(t, 0);
	KUNIT_EXPECT_TRUE(test, zcb_stream_ended(&t->rig->s, &t->port[1].c));
	release(t, 0, id);
	KUNIT_EXPECT_EQ(test, t->port[0].ends, 1U);
	KUNIT_EXPECT_EQ(test, t->port[1].ends, 1U);
	KUNIT_EXPECT_EQ(test, t->port[2].ends, 1U);
	close_deal(t, 3);
}

/* What is dealt after the end is to be told of as well. */
static void dealt_after_the_end(struct kunit *test)
{
	struct deal *t = open_deal(test);

	add_seeing(t, 0, 8, 8);
	add_seeing(t, 1, 8, 8);
	add(t, 2, 8);
	send(t, 1);
	rig_finalize(t->rig, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, t->port[1].awaited, 0U);
	drop(t, 0);
	KUNIT_EXPECT_EQ(test, t->port[1].awaited, 1U);
	take(t, 1, 0, 0);
	KUNIT_EXPECT_EQ(test, t->port[2].ends, 0U);
	look(t, 1);
	KUNIT_EXPECT_EQ(test, t->port[2].ends, 1U);
	drop(t, 2);
	drop(t, 1);
	close_deal(t, 0);
}

/* Its death is what lets the others know. */
static void the_end_by_death(struct kunit *test)
{
	struct deal *t = open_deal(test);

	add_seeing(t, 0, 8, 8);
	add_seeing(t, 1, 8, 8);
	send(t, 2);
	rig_finalize(t->rig, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, t->port[0].ends + t->port[1].ends, 0U);
	take(t, 0, 0, 0);
	drop(t, 0);
	KUNIT_EXPECT_EQ(test, t->port[1].ends, 1U);
	take(t, 1, 1, 0);
	look(t, 1);
	KUNIT_EXPECT_EQ(test, t->port[1].ends, 1U);
	add_seeing(t, 0, 8, 8);
	KUNIT_EXPECT_EQ(test, t->port[0].ends, 1U);
	close_deal(t, 2);
}

static struct kunit_case slots_cases[] = {
	KUNIT_CASE(dealt_by_credit),
	KUNIT_CASE(dealt_by_depth),
	KUNIT_CASE(looked_at_before_it_is_parked),
	KUNIT_CASE(by_turns),
	KUNIT_CASE(the_dead_keep_what_they_took),
	KUNIT_CASE(dealt_again_in_order),
	KUNIT_CASE(dealt_again_when_there_is_room),
	KUNIT_CASE(left_to_one_who_receives),
	KUNIT_CASE(left_by_one_who_receives),
	KUNIT_CASE(taken_or_taken_back),
	KUNIT_CASE(taken_while_taken_back),
	KUNIT_CASE(seen_late),
	KUNIT_CASE(names_are_not_used_again),
	KUNIT_CASE(received_as_well),
	KUNIT_CASE(the_end),
	KUNIT_CASE(dealt_after_the_end),
	KUNIT_CASE(the_end_by_death),
	{}
};

static struct kunit_suite slots_suite = {
	.name = "zcb_slots",
	.init = deal_init,
	.test_cases = slots_cases,
};

kunit_test_suite(slots_suite);
