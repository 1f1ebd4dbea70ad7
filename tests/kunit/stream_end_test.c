// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of a stream: what finalize counts, stragglers and who keeps memory
 * for them how long, what is left for fini.
 */
#include <kunit/test.h>
#include "stream_rig.h"

#define PAGE	4096ULL

static struct rig *open_stream(struct kunit *test, u64 threshold)
{
	struct rig *rig = test->priv;

	rig->cfg.threshold = threshold;
	rig_open(rig);
	return rig;
}

/* ------------------------------------------------------------- stragglers */

/* One reservation of each of @rig->p and @q in a group, both stragglers. */
static struct zcb_group *two_stragglers(struct rig *rig, struct zcb_producer *q)
{
	struct zcb_resv *r = rig_reserve(rig, 10);
	struct zcb_resv *r1 = NULL;

	zcb_producer_init(q);
	KUNIT_ASSERT_EQ(rig->test, 0,
			rig_try_reserve(rig, q, 10, false, 0, &r1));
	rig_finalize(rig, 0, 1, 2);
	KUNIT_EXPECT_EQ(rig->test, rig->s.nstragglers, 2U);
	KUNIT_EXPECT_EQ(rig->test, rig->p.npending + q->npending, 0U);
	KUNIT_EXPECT_EQ(rig->test, rig->p.pending_bytes, 0ULL);
	return r->group;
}

static void expect_kept(struct rig *rig, u32 nstragglers)
{
	bool kept = nstragglers;

	KUNIT_EXPECT_EQ(rig->test, rig->s.nstragglers, nstragglers);
	KUNIT_EXPECT_EQ(rig->test, rig_pages_held(rig), kept ? 1U : 0U);
	KUNIT_EXPECT_EQ(rig->test, rig->s.credit.taken, kept ? 2U : 0U);
	KUNIT_EXPECT_EQ(rig->test, rig->s.bytes, kept ? PAGE : 0);
}

static void stragglers_keep_the_memory(struct kunit *test)
{
	struct rig *rig = open_stream(test, 1000);
	struct zcb_producer q;
	u64 id = two_stragglers(rig, &q)->id;

	rig_release(rig, &rig->f, rig_receive(rig, &rig->f));
	KUNIT_EXPECT_EQ(test, rig->s.nheld, 0U);
	expect_kept(rig, 2);
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN,
			zcb_stream_abort(&rig->s, &rig->p, id, 0, 1));
	expect_kept(rig, 1);
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN,
			zcb_stream_abort(&rig->s, &rig->p, id, 0, 1));
	expect_kept(rig, 1);
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN,
			zcb_stream_abort(&rig->s, &q, id, 1, 1));
	expect_kept(rig, 0);
	zcb_stream_drop_producer(&rig->s, &q, rig_now(rig));
	rig_close(rig);
}

static void only_the_owner_acknowledges(struct kunit *test)
{
	struct rig *rig = open_stream(test, 1000);
	struct zcb_producer q;
	u64 id = two_stragglers(rig, &q)->id;

	rig_release(rig, &rig->f, rig_receive(rig, &rig->f));
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN,
			zcb_stream_abort(&rig->s, &q, id, 0, 1));
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN,
			zcb_stream_abort(&rig->s, &rig->p, id, 1, 1));
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN,
			zcb_stream_abort(&rig->s, &rig->p, id + 1, 0, 1));
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN,
			zcb_stream_abort(&rig->s, &rig->p, id, 16, 1));
	expect_kept(rig, 2);
	zcb_stream_drop_producer(&rig->s, &q, rig_now(rig));
	expect_kept(rig, 1);
	zcb_stream_drop_producer(&rig->s, &rig->p, rig_now(rig));
	expect_kept(rig, 0);
	rig_close(rig);
}

static void acknowledged_before_the_release(struct kunit *test)
{
	struct rig *rig = open_stream(test, 1000);
	struct zcb_producer q;
	struct zcb_group *g = two_stragglers(rig, &q);
	struct zcb_stream_commit c = { .length = 10 };

	KUNIT_EXPECT_EQ(test, -ESHUTDOWN,
			zcb_stream_commit(&rig->s, &rig->p, &c, 1));
	expect_kept(rig, 1);
	KUNIT_EXPECT_PTR_EQ(test, rig_receive(rig, &rig->f), g);
	zcb_stream_drop_producer(&rig->s, &q, rig_now(rig));
	KUNIT_EXPECT_EQ(test, rig->s.nstragglers, 0U);
	KUNIT_EXPECT_EQ(test, rig_pages_held(rig), 1U);
	rig_release(rig, &rig->f, g);
	expect_kept(rig, 0);
	rig_close(rig);
}

/* A channel that lets somebody be evicted is not finalized by that. */
static void stale_acknowledges_too(struct kunit *test)
{
	struct rig *rig = open_stream(test, 1000);
	struct zcb_producer q;
	struct zcb_group *g = two_stragglers(rig, &q);
	u64 id = g->id;

	rig->s.finalized = false;
	KUNIT_EXPECT_EQ(test, -EPERM,
			zcb_stream_abort(&rig->s, &q, id, 0, 1));
	KUNIT_EXPECT_EQ(test, -ESTALE,
			zcb_stream_abort(&rig->s, &rig->p, id, 0, 1));
	KUNIT_EXPECT_EQ(test, -ESTALE,
			zcb_stream_abort(&rig->s, &rig->p, id, 0, 1));
	KUNIT_EXPECT_EQ(test, rig->s.nstragglers, 1U);
	rig_release(rig, &rig->f, rig_receive(rig, &rig->f));
	KUNIT_EXPECT_EQ(test, -ENOENT,
			zcb_stream_abort(&rig->s, &rig->p, id, 0, 1));
	KUNIT_EXPECT_EQ(test, -ENOENT,
			zcb_stream_abort(&rig->s, &rig->p, id, 1, 1));
	KUNIT_EXPECT_EQ(test, -ESTALE,
			zcb_stream_abort(&rig->s, &q, id, 1, 1));
	expect_kept(rig, 0);
	KUNIT_EXPECT_EQ(test, -ENOENT,
			zcb_stream_abort(&rig->s, &q, id, 1, 1));
	zcb_stream_drop_producer(&rig->s, &q, rig_now(rig));
	rig_close(rig);
}

static void dead_groups_are_released(struct kunit *test)
{
	struct rig *rig = open_stream(test, 1000);
	struct zcb_producer q;
	u64 id = two_stragglers(rig, &q)->id;

	rig_release(rig, &rig->f, rig_receive(rig, &rig->f));
	KUNIT_EXPECT_EQ(test, -EBADSLT,
			zcb_stream_release(&rig->s, &rig->f.c, id));
	expect_kept(rig, 2);
	zcb_stream_drop_producer(&rig->s, &q, rig_now(rig));
	rig_close(rig);
}

/* ----------------------------------------------------- finalize and after */

static void finalize_counts_what_it_does(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct zcb_resv *r[8];
	u32 i;

	rig->cfg.hold_failed = true;
	open_stream(test, 20);
	for (i = 0; i < 8; i++)
		r[i] = rig_reserve(rig, i == 7 ? 5 : 10);
	/* 0: delivered before. 1: withheld. 2: half pending. 3: the tail. */
	rig_commit(rig, r[0]);
	rig_commit(rig, r[1]);
	rig_commit(rig, r[2]);
	rig_abort(rig, r[3]);
	rig_commit(rig, r[4]);
	rig_commit(rig, r[6]);
	rig_commit(rig, r[7]);
	KUNIT_EXPECT_EQ(test, rig->s.nfailed, 1U);
	rig_finalize(rig, 1, 2, 1);
	KUNIT_EXPECT_EQ(test, rig->s.nqueued, 2U);
	KUNIT_EXPECT_EQ(test, rig->s.nfailed, 2U);
	KUNIT_EXPECT_EQ(test, rig_receive(rig, &rig->f)->id, 1ULL);
	KUNIT_EXPECT_EQ(test, rig_receive(rig, &rig->f)->id, 2ULL);
	rig_finalize(rig, 0, 0, 0);
	rig_close(rig);
}

static void finalize_does_not_count_earlier_failures(struct kunit *test)
{
	struct rig *rig = open_stream(test, 10);

	rig_abort(rig, rig_reserve(rig, 10));
	rig_abort(rig, rig_reserve(rig, 10));
	rig_release(rig, &rig->f, rig_receive(rig, &rig->f));
	rig_receive(rig, &rig->f);
	rig_abort(rig, rig_reserve(rig, 10));
	KUNIT_EXPECT_EQ(test, rig->s.nfailed, 1U);
	rig_finalize(rig, 0, 0, 0);
	rig_close(rig);
}

static void parked_groups_count_as_success(struct kunit *test)
{
	struct rig *rig = open_stream(test, 1000);

	zcb_stream_drop_consumer(&rig->s, &rig->c.c);
	rig_commit(rig, rig_reserve(rig, 10));
	rig_finalize(rig, 1, 0, 0);
	KUNIT_EXPECT_EQ(test, rig->s.nparked, 1U);
	rig_close(rig);
}

/* Open, sealed, parked, withheld: fini finds them all. */
static void fini_frees_what_is_left(struct kunit *test)
{
	struct rig *rig = test->priv;

	rig->cfg.hold_failed = true;
	open_stream(test, 10);
	zcb_stream_drop_consumer(&rig->s, &rig->c.c);
	rig_commit(rig, rig_reserve(rig, 10));
	rig_abort(rig, rig_reserve(rig, 10));
	rig_window(rig, 100);
	rig_commit(rig, rig_reserve(rig, 5));
	KUNIT_EXPECT_EQ(test, rig_pages_held(rig), 5U);
	rig_close(rig);
}

/* Its owner is gone, what stores for it is not. */
static void retired_producer_keeps_its_memory(struct kunit *test)
{
	struct rig *rig = open_stream(test, 1000);
	struct zcb_resv *r = rig_reserve(rig, 10);
	u64 id = r->group->id;
	struct zcb_group *g;

	rig_commit(rig, rig_reserve(rig, 10));
	zcb_stream_flush(&rig->s, rig_now(rig));
	zcb_stream_retire_producer(&rig->s, &rig->p, rig_now(rig));
	KUNIT_EXPECT_EQ(test, rig->s.npending, 0U);
	g = rig_receive(rig, &rig->f);
	KUNIT_EXPECT_EQ(test, g->id, id);
	rig_release(rig, &rig->f, g);
	expect_kept(rig, 1);
	zcb_stream_drop_producer(&rig->s, &rig->p, rig_now(rig));
	expect_kept(rig, 0);
	rig_close(rig);
}

static void retired_consumer_keeps_what_it_holds(struct kunit *test)
{
	struct rig *rig = open_stream(test, 0);
	struct rig_port other = {};

	rig_commit(rig, rig_reserve(rig, 10));
	rig_commit(rig, rig_reserve(rig, 10));
	rig_receive(rig, &rig->c);
	zcb_stream_retire_consumer(&rig->s, &rig->c.c);
	KUNIT_EXPECT_EQ(test, rig->s.nparked, 1U);
	KUNIT_EXPECT_EQ(test, rig->s.nheld, 1U);
	KUNIT_EXPECT_EQ(test, rig_pages_held(rig), 2U);
	/* It is offered nothing any more. */
	rig_commit(rig, rig_reserve(rig, 10));
	KUNIT_EXPECT_EQ(test, rig->s.nparked, 2U);
	zcb_stream_drop_consumer(&rig->s, &rig->c.c);
	KUNIT_EXPECT_EQ(test, rig->s.nheld, 0U);
	KUNIT_EXPECT_EQ(test, rig_pages_held(rig), 2U);
	zcb_consumer_init(&other.c, 8, false);
	zcb_stream_add_consumer(&rig->s, &other.c);
	KUNIT_EXPECT_EQ(test, other.c.queued, 2U);
	zcb_stream_drop_consumer(&rig->s, &other.c);
	rig_close(rig);
}

static struct kunit_case end_cases[] = {
	KUNIT_CASE(stragglers_keep_the_memory),
	KUNIT_CASE(only_the_owner_acknowledges),
	KUNIT_CASE(acknowledged_before_the_release),
	KUNIT_CASE(stale_acknowledges_too),
	KUNIT_CASE(dead_groups_are_released),
	KUNIT_CASE(finalize_counts_what_it_does),
	KUNIT_CASE(finalize_does_not_count_earlier_failures),
	KUNIT_CASE(parked_groups_count_as_success),
	KUNIT_CASE(fini_frees_what_is_left),
	KUNIT_CASE(retired_producer_keeps_its_memory),
	KUNIT_CASE(retired_consumer_keeps_what_it_holds),
	{}
};

static struct kunit_suite end_suite = {
	.name = "zcb_stream_end",
	.init = rig_init,
	.test_cases = end_cases,
};

kunit_test_suite(end_suite);
