// SPDX-License-Identifier: GPL-2.0-only
/*
 * Streams that are immutable: nothing is delivered before it is said to be frozen, in
 * the order of completion, and the end comes after the last. What is dead and still
 * read lingers, and is in nobody's way.
 */
#include "topic_rig.h"

#define DEPTH	8U

/* The groups of one reservation each, of streams. */
static struct rig *open_stream(struct kunit *test)
{
	struct topic_test *t = test->priv;

	t->rig->cfg.topic = false;
	t->rig->cfg.threshold = 10;
	t->rig->cfg.immutable = true;
	rig_open(t->rig);
	return t->rig;
}

static struct topic_test *open_frozen_topic(struct kunit *test, u32 history)
{
	struct topic_test *t = test->priv;

	t->rig->cfg.immutable = true;
	return open_topic(test, history);
}

static void complete_groups(struct rig *rig, u32 n)
{
	while (n--)
		rig_commit(rig, rig_reserve(rig, 10));
}

/* The next one is, whoever gets it. */
static void frozen(struct rig *rig)
{
	struct zcb_stream *s = &rig->s;
	struct zcb_group *g;

	KUNIT_ASSERT_FALSE(rig->test, list_empty(&s->freezing));
	g = list_first_entry(&s->freezing, struct zcb_group, queue);
	g->frozen = true;
	zcb_delivery_frozen(s, g);
}

static void expect_waiting(struct rig *rig, u32 n)
{
	KUNIT_EXPECT_EQ(rig->test, rig->s.nfreezing, n);
	KUNIT_EXPECT_EQ(rig->test, (u32)list_count_nodes(&rig->s.freezing), n);
}

static void expect_said(struct rig *rig, int answer)
{
	struct zcb_group *g;

	KUNIT_EXPECT_EQ(rig->test, answer,
			zcb_stream_receive(&rig->s, &rig->c.c, &g));
}

static void expect_group(struct rig *rig, u64 id)
{
	struct zcb_group *g = rig_receive(rig, &rig->c);

	KUNIT_EXPECT_EQ(rig->test, g->id, id);
	rig_release(rig, &rig->c, g);
}

static void one_by_one(struct kunit *test)
{
	struct rig *rig = open_stream(test);
	u32 i;

	complete_groups(rig, 3);
	KUNIT_EXPECT_EQ(test, rig->freezes, 3U);
	for (i = 0; i < 3; i++) {
		expect_waiting(rig, 3 - i);
		KUNIT_EXPECT_EQ(test, rig->c.ready, i);
		expect_said(rig, -EAGAIN);
		frozen(rig);
		KUNIT_EXPECT_EQ(test, rig->c.ready, i + 1);
		expect_group(rig, i);
	}
	rig_close(rig);
}

/* With nobody there they are parked then, and no earlier. */
static void parked_afterwards(struct kunit *test)
{
	struct rig *rig = open_stream(test);

	zcb_stream_drop_consumer(&rig->s, &rig->c.c);
	complete_groups(rig, 2);
	KUNIT_EXPECT_EQ(test, rig->s.nparked, 0U);
	frozen(rig);
	KUNIT_EXPECT_EQ(test, rig->s.nparked, 1U);
	zcb_consumer_init(&rig->c.c, DEPTH, false);
	zcb_stream_add_consumer(&rig->s, &rig->c.c);
	expect_group(rig, 0);
	expect_said(rig, -EAGAIN);
	frozen(rig);
	expect_group(rig, 1);
	rig_close(rig);
}

/* What a failed one was is not frozen. */
static void failed_groups_are_not(struct kunit *test)
{
	struct rig *rig = open_stream(test);

	rig_abort(rig, rig_reserve(rig, 10));
	expect_waiting(rig, 0);
	KUNIT_EXPECT_EQ(test, rig->f.ready, 1U);
	rig_close(rig);
}

static void ordered_is_in_order(struct kunit *test)
{
	struct topic_test *t = test->priv;
	struct zcb_resv *first, *second;
	struct rig *rig;

	t->rig->cfg.ordered = true;
	rig = open_stream(test);
	first = rig_reserve(rig, 10);
	second = rig_reserve(rig, 10);
	rig_commit(rig, second);
	expect_waiting(rig, 0);
	rig_commit(rig, first);
	expect_waiting(rig, 2);
	frozen(rig);
	expect_group(rig, 0);
	frozen(rig);
	expect_group(rig, 1);
	rig_close(rig);
}

/* Counted by finalize, told once, when it has come and was taken. */
static void the_end_is_after_the_last(struct kunit *test)
{
	struct rig *rig = open_stream(test);

	rig_commit(rig, rig_reserve(rig, 10));
	rig_commit(rig, rig_reserve(rig, 4));
	rig_finalize(rig, 1, 0, 0);
	expect_waiting(rig, 2);
	KUNIT_EXPECT_FALSE(test, zcb_stream_ended(&rig->s, &rig->c.c));
	KUNIT_EXPECT_TRUE(test, zcb_stream_ended(&rig->s, &rig->f.c));
	KUNIT_EXPECT_EQ(test, rig->f.ends, 1U);
	expect_said(rig, -EAGAIN);
	frozen(rig);
	expect_group(rig, 0);
	expect_said(rig, -EAGAIN);
	frozen(rig);
	KUNIT_EXPECT_EQ(test, rig->c.ends, 0U);
	expect_group(rig, 1);
	KUNIT_EXPECT_EQ(test, rig->c.ends, 1U);
	KUNIT_EXPECT_EQ(test, rig->f.ends, 1U);
	expect_said(rig, -ESHUTDOWN);
	rig_close(rig);
}

/* Nobody waits for it: all goes back, its producer's and all else. */
static void a_stream_that_goes(struct kunit *test)
{
	struct rig *rig = open_stream(test);

	complete_groups(rig, 3);
	frozen(rig);
	rig_close(rig);
	expect_waiting(rig, 0);
}

static void the_dead_are_delivered(struct kunit *test)
{
	struct rig *rig = open_stream(test);

	complete_groups(rig, 1);
	zcb_stream_drop_producer(&rig->s, &rig->p, rig_now(rig));
	zcb_producer_init(&rig->p);
	expect_waiting(rig, 1);
	frozen(rig);
	expect_group(rig, 0);
	rig_close(rig);
}

/* ------------------------------------------------------------------- topics */

static void to_all_that_were_there(struct kunit *test)
{
	struct topic_test *t = open_frozen_topic(test, 1);
	struct sent sent;

	add(t, 0, ZCBUF_POLICY_BLOCK, 1, 0);
	add(t, 1, ZCBUF_POLICY_DROP_NEWEST, 1, 0);
	sent = publish(t);
	KUNIT_EXPECT_EQ(test, sent.delivered + sent.dropped, 0U);
	expect_answer(t, 0, -EAGAIN);
	/* Its place is promised, as of one that has not come. */
	expect_full(t);
	add(t, 2, ZCBUF_POLICY_BLOCK, 1, 0);
	KUNIT_EXPECT_EQ(test, t->rig->s.nhistory, 0U);
	frozen(t->rig);
	KUNIT_EXPECT_EQ(test, t->rig->s.nhistory, 1U);
	expect_next(t, 0, sent.id);
	expect_next(t, 1, sent.id);
	expect_answer(t, 2, -EAGAIN);
	close_topic(t, 3);
}

/* Who wants what was before gets the last of it, and those that are on their way. */
static void to_who_comes_late(struct kunit *test)
{
	struct topic_test *t = open_frozen_topic(test, 4);
	u32 i;

	for (i = 0; i < 4; i++)
		publish(t);
	frozen(t->rig);
	frozen(t->rig);
	add(t, 0, ZCBUF_POLICY_BLOCK, 3, 8);
	add(t, 1, ZCBUF_POLICY_BLOCK, 8, 1);
	add(t, 2, ZCBUF_POLICY_DROP_NEWEST, 8, 8);
	add(t, 3, ZCBUF_POLICY_DROP_NEWEST, 8, 0);
	/* There is room for what was promised, and no more. */
	expect_full(t);
	expect_next(t, 0, 1);
	publish(t);
	for (i = 0; i < 3; i++)
		frozen(t->rig);
	for (i = 2; i < 5; i++)
		expect_next(t, 0, i);
	expect_next(t, 1, 3);
	expect_next(t, 1, 4);
	for (i = 0; i < 5; i++)
		expect_next(t, 2, i);
	expect_next(t, 3, 4);
	for (i = 0; i < 4; i++) {
		expect_answer(t, i, -EAGAIN);
		KUNIT_EXPECT_EQ(test, t->port[i].c.topic->promised, 0U);
		KUNIT_EXPECT_EQ(test, t->port[i].c.topic->lost, 0ULL);
	}
	close_topic(t, 4);
}

/* What began before it came, and is complete after, is not. */
static void not_what_was_pending(struct kunit *test)
{
	struct topic_test *t = open_frozen_topic(test, 4);
	struct zcb_resv *r = rig_window(t->rig, 10);
	u64 id;

	publish(t);
	add(t, 0, ZCBUF_POLICY_BLOCK, 3, 8);
	KUNIT_ASSERT_EQ(test, 0, rig_commit_bytes(t->rig, r, 10, false));
	id = publish(t).id;
	while (t->rig->s.nfreezing)
		frozen(t->rig);
	expect_next(t, 0, 1);
	expect_next(t, 0, id);
	expect_answer(t, 0, -EAGAIN);
	close_topic(t, 1);
}

/* For nobody: it is gone as soon as it could go. */
static void to_nobody(struct kunit *test)
{
	struct topic_test *t = open_frozen_topic(test, 0);

	publish(t);
	expect_waiting(t->rig, 1);
	frozen(t->rig);
	rig_check_empty(t->rig);
	close_topic(t, 0);
}

/*
 * Told once, each when it is so: who has taken all, who lost the last one, and who
 * sees his queue, which says that nothing more comes into it.
 */
static void each_has_its_end(struct kunit *test)
{
	struct topic_test *t = open_frozen_topic(test, 0);
	u32 i;

	add(t, 0, ZCBUF_POLICY_DROP_OLDEST, DEPTH, 0);
	add(t, 1, ZCBUF_POLICY_DROP_NEWEST, 1, 0);
	add(t, 2, ZCBUF_POLICY_DROP_NEWEST, DEPTH, 0);
	zcb_topic_show(&t->rig->s, &t->port[2].c);
	publish(t);
	frozen(t->rig);
	publish(t);
	rig_finalize(t->rig, 0, 0, 0);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, t->port[i].ends, 0U);
	expect_next(t, 1, 0);
	expect_answer(t, 1, -EAGAIN);
	add(t, 3, ZCBUF_POLICY_BLOCK, 1, 0);
	zcb_topic_show(&t->rig->s, &t->port[3].c);
	KUNIT_EXPECT_EQ(test, t->port[3].ends, 0U);
	frozen(t->rig);
	KUNIT_EXPECT_EQ(test, t->port[0].ends, 0U);
	KUNIT_EXPECT_EQ(test, t->port[2].ends, 1U);
	KUNIT_EXPECT_EQ(test, t->port[3].ends, 1U);
	expect_next(t, 0, 0);
	expect_next(t, 0, 1);
	KUNIT_EXPECT_EQ(test, t->port[0].ends, 1U);
	expect_next(t, 1, 1);
	KUNIT_EXPECT_EQ(test, t->port[1].ends, 1U);
	expect_answer(t, 1, -ESHUTDOWN);
	close_topic(t, 4);
}

/* ---------------------------------------------------------------- lingering */

static void expect_lingering(struct rig *rig, u32 n)
{
	KUNIT_EXPECT_EQ(rig->test, n,
			(u32)list_count_nodes(&rig->s.lingering));
	KUNIT_EXPECT_EQ(rig->test, n, rig->s.credit.taken);
	KUNIT_EXPECT_EQ(rig->test, n, rig_pages_held(rig));
}

static void over(struct rig *rig)
{
	KUNIT_ASSERT_FALSE(rig->test, list_empty(&rig->s.lingering));
	zcb_delivery_quiet(&rig->s, list_first_entry(&rig->s.lingering,
						     struct zcb_group, queue));
}

/* It keeps its memory and its credit, and nobody waits for it. */
static void a_dead_group_lingers(struct kunit *test)
{
	struct rig *rig = open_stream(test);

	complete_groups(rig, 1);
	frozen(rig);
	rig->noisy = U64_MAX;
	expect_group(rig, 0);
	expect_lingering(rig, 1);
	KUNIT_EXPECT_EQ(test, rig->freezes, 2U);
	KUNIT_EXPECT_EQ(test, -EBADSLT,
			zcb_stream_release(&rig->s, &rig->c.c, 0));
	complete_groups(rig, 1);
	frozen(rig);
	expect_group(rig, 1);
	expect_lingering(rig, 2);
	over(rig);
	expect_lingering(rig, 1);
	over(rig);
	rig_check_empty(rig);
	rig_close(rig);
}

/* What was never frozen has no readers by I/O that anybody would wait for. */
static void a_failed_one_does_not(struct kunit *test)
{
	struct rig *rig = open_stream(test);

	rig->noisy = U64_MAX;
	rig_abort(rig, rig_reserve(rig, 10));
	rig_release(rig, &rig->f, rig_receive(rig, &rig->f));
	expect_lingering(rig, 0);
	rig_close(rig);
}

static void after_the_last_of_a_topic(struct kunit *test)
{
	struct topic_test *t = open_frozen_topic(test, 1);

	add(t, 0, ZCBUF_POLICY_BLOCK, 2, 0);
	add(t, 1, ZCBUF_POLICY_BLOCK, 2, 0);
	t->rig->noisy = U64_MAX;
	publish(t);
	frozen(t->rig);
	expect_next(t, 0, 0);
	expect_next(t, 1, 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&t->rig->s.lingering));
	zcb_topic_forget(&t->rig->s, 0);
	expect_lingering(t->rig, 1);
	over(t->rig);
	rig_check_empty(t->rig);
	close_topic(t, 2);
}

/* Whatever lingers goes with the stream. */
static void a_stream_that_goes_meanwhile(struct kunit *test)
{
	struct rig *rig = open_stream(test);

	complete_groups(rig, 2);
	frozen(rig);
	frozen(rig);
	rig->noisy = U64_MAX;
	expect_group(rig, 0);
	expect_group(rig, 1);
	expect_lingering(rig, 2);
	rig_close(rig);
}

/* What the dead held lingers no more when nobody looks. */
static void nothing_lingers_after_the_end(struct kunit *test)
{
	struct rig *rig = open_stream(test);
	struct zcb_stream *s = &rig->s;

	complete_groups(rig, 2);
	frozen(rig);
	frozen(rig);
	rig->noisy = U64_MAX;
	expect_group(rig, 0);
	rig_receive(rig, &rig->c);
	zcb_stream_retire_consumer(s, &rig->c.c);
	zcb_stream_drop_producer(s, &rig->p, rig_now(rig));
	zcb_stream_drop_consumer(s, &rig->f.c);
	zcb_stream_end(s);
	KUNIT_EXPECT_EQ(test, rig_pages_held(rig), 1U);
	zcb_stream_drop_consumer(s, &rig->c.c);
	rig_check_empty(rig);
	zcb_stream_fini(s);
}

/* Without credits: what lingers gives none, so nothing more is lost for one. */
static void one_gives_way_and_lingers(struct kunit *test)
{
	struct topic_test *t = test->priv;
	struct sent sent;
	u32 i;

	t->rig->cfg.max_outstanding = 4;
	open_frozen_topic(test, 3);
	add(t, 0, ZCBUF_POLICY_DROP_OLDEST, 8, 0);
	for (i = 0; i < 4; i++) {
		publish(t);
		frozen(t->rig);
	}
	t->rig->noisy = U64_MAX;
	KUNIT_EXPECT_EQ(test, publish_or_spare(t, &sent), -EAGAIN);
	KUNIT_EXPECT_TRUE(test, list_is_singular(&t->rig->s.lingering));
	KUNIT_EXPECT_EQ(test, t->rig->s.nhistory, 3U);
	KUNIT_EXPECT_EQ(test, t->rig->s.lost, 1ULL);
	over(t->rig);
	KUNIT_EXPECT_EQ(test, publish_or_spare(t, &sent), 0);
	/* Rather one that does not. */
	t->rig->noisy = 3;
	KUNIT_EXPECT_EQ(test, publish_or_spare(t, &sent), 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&t->rig->s.lingering));
	KUNIT_EXPECT_EQ(test, t->rig->s.lost, 2ULL);
	frozen(t->rig);
	frozen(t->rig);
	expect_next(t, 0, 1);
	expect_next(t, 0, 2);
	expect_next(t, 0, 4);
	expect_next(t, 0, 5);
	close_topic(t, 1);
}

/* ------------------------------------------------------------------- memory */

static void extents_are_whole_grains(struct kunit *test)
{
	struct topic_test *t = test->priv;
	struct zcb_group_plan plan;
	struct zcb_resv *r;
	struct rig *rig;

	t->rig->cfg.grain_shift = 14;
	rig = open_stream(test);
	KUNIT_EXPECT_EQ(test, zcb_stream_block(&rig->cfg), 16384ULL);
	KUNIT_EXPECT_EQ(test, 0, zcb_stream_plan(&rig->s, 40000, true, &plan));
	KUNIT_EXPECT_EQ(test, plan.extent_bytes, 49152ULL);
	r = rig_window(rig, 40000);
	KUNIT_EXPECT_EQ(test, 0, rig_commit_bytes(rig, r, 20000, false));
	/* Two grains are used, the third goes back. */
	KUNIT_EXPECT_EQ(test, rig_pages_held(rig), 8U);
	KUNIT_EXPECT_EQ(test, rig->s.bytes, 32768ULL);
	rig_close(rig);
}

static struct kunit_case freeze_cases[] = {
	KUNIT_CASE(one_by_one),
	KUNIT_CASE(parked_afterwards),
	KUNIT_CASE(failed_groups_are_not),
	KUNIT_CASE(ordered_is_in_order),
	KUNIT_CASE(the_end_is_after_the_last),
	KUNIT_CASE(a_stream_that_goes),
	KUNIT_CASE(the_dead_are_delivered),
	KUNIT_CASE(to_all_that_were_there),
	KUNIT_CASE(to_who_comes_late),
	KUNIT_CASE(not_what_was_pending),
	KUNIT_CASE(to_nobody),
	KUNIT_CASE(each_has_its_end),
	KUNIT_CASE(a_dead_group_lingers),
	KUNIT_CASE(a_failed_one_does_not),
	KUNIT_CASE(after_the_last_of_a_topic),
	KUNIT_CASE(a_stream_that_goes_meanwhile),
	KUNIT_CASE(nothing_lingers_after_the_end),
	KUNIT_CASE(one_gives_way_and_lingers),
	KUNIT_CASE(extents_are_whole_grains),
	{}
};

static struct kunit_suite freeze_suite = {
	.name = "zcb_delivery_freeze",
	.init = topic_test_init,
	.test_cases = freeze_cases,
};

kunit_test_suite(freeze_suite);
