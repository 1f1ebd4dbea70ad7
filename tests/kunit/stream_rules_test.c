// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rules of a stream one by one: what a reservation needs and where it goes,
 * what holds credits, which check of a commit comes first.
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

static int plan_errno(struct rig *rig, u64 length)
{
	struct zcb_group_plan plan;

	return zcb_stream_plan(&rig->s, length, false, &plan);
}

static void expect_plan(struct rig *rig, u64 length, bool window, bool group,
			u64 extent_bytes)
{
	struct zcb_group_plan plan;

	KUNIT_ASSERT_EQ(rig->test, 0,
			zcb_stream_plan(&rig->s, length, window, &plan));
	KUNIT_EXPECT_EQ(rig->test, plan.group, group);
	KUNIT_EXPECT_EQ(rig->test, plan.extent_bytes, extent_bytes);
}

/* ---------------------------------------------------------------- reserve */

static void block_is_a_power_of_two_of_pages(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct zcb_stream_config *cfg = &rig->cfg;

	cfg->threshold = 0;
	cfg->max_reservation = 1;
	KUNIT_EXPECT_EQ(test, zcb_stream_block(cfg), PAGE);
	cfg->threshold = PAGE - 1;
	KUNIT_EXPECT_EQ(test, zcb_stream_block(cfg), PAGE);
	cfg->align = 64;
	KUNIT_EXPECT_EQ(test, zcb_stream_block(cfg), 2 * PAGE);
	cfg->threshold = 3 * PAGE;
	cfg->max_reservation = 2 * PAGE;
	KUNIT_EXPECT_EQ(test, zcb_stream_block(cfg), 8 * PAGE);
}

static void block_too_large(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct zcb_stream_config *cfg = &rig->cfg;

	cfg->max_extent = 16 * PAGE;
	cfg->threshold = 8 * PAGE;
	cfg->max_reservation = 8 * PAGE;
	KUNIT_EXPECT_EQ(test, zcb_stream_block(cfg), 16 * PAGE);
	cfg->max_reservation++;
	KUNIT_EXPECT_GT(test, zcb_stream_block(cfg), cfg->max_extent);
	cfg->threshold = U64_MAX;
	KUNIT_EXPECT_GT(test, zcb_stream_block(cfg), cfg->max_extent);
	cfg->threshold = 1;
	cfg->max_reservation = U64_MAX;
	KUNIT_EXPECT_GT(test, zcb_stream_block(cfg), cfg->max_extent);
}

static void plan_asks_for_what_is_needed(struct kunit *test)
{
	struct rig *rig = open_stream(test, 1000);

	/* Block: 1000 + 4096, so two pages. */
	expect_plan(rig, 999, false, true, 2 * PAGE);
	expect_plan(rig, 1000, false, true, PAGE);
	expect_plan(rig, PAGE + 1, false, true, 2 * PAGE);
	expect_plan(rig, 1, true, true, PAGE);
	rig_reserve(rig, 10);
	expect_plan(rig, 10, false, false, 0);
	expect_plan(rig, 2 * PAGE - 10, false, false, 0);
	expect_plan(rig, 2 * PAGE - 9, false, false, 2 * PAGE);
	expect_plan(rig, 2 * PAGE + 1, false, false, 3 * PAGE);
	expect_plan(rig, PAGE, true, true, PAGE);
	rig_close(rig);
}

static void plan_counts_aligned_bytes(struct kunit *test)
{
	struct rig *rig = test->priv;

	rig->cfg.align = 64;
	open_stream(test, 128);
	expect_plan(rig, 64, false, true, 2 * PAGE);
	expect_plan(rig, 65, false, true, PAGE);
	rig_close(rig);
}

static void plan_errors_in_order(struct kunit *test)
{
	struct rig *rig = test->priv;
	u64 max = rig->cfg.max_extent;

	rig->cfg.max_outstanding = 1;
	open_stream(test, 1000);
	KUNIT_EXPECT_EQ(test, plan_errno(rig, max), 0);
	rig_reserve(rig, 1);
	KUNIT_EXPECT_EQ(test, plan_errno(rig, max), -EAGAIN);
	KUNIT_EXPECT_EQ(test, plan_errno(rig, max + 1), -E2BIG);
	KUNIT_EXPECT_EQ(test, plan_errno(rig, U64_MAX), -E2BIG);
	KUNIT_EXPECT_EQ(test, plan_errno(rig, 0), -EINVAL);
	rig_finalize(rig, 0, 1, 1);
	KUNIT_EXPECT_EQ(test, plan_errno(rig, max + 1), -ESHUTDOWN);
	KUNIT_EXPECT_EQ(test, plan_errno(rig, 0), -EINVAL);
	rig_close(rig);
}

static void plan_at_the_end_of_all_offsets(struct kunit *test)
{
	struct rig *rig = test->priv;

	rig->cfg.align = 64;
	open_stream(test, 10);
	rig->s.offset = U64_MAX - 127;
	KUNIT_EXPECT_EQ(test, plan_errno(rig, 65), -E2BIG);
	KUNIT_EXPECT_EQ(test, plan_errno(rig, 64), 0);
	KUNIT_EXPECT_EQ(test, rig_reserve(rig, 64)->offset, U64_MAX - 127);
	KUNIT_EXPECT_EQ(test, plan_errno(rig, 1), -E2BIG);
	rig_close(rig);
}

static void seal_gives_unused_pages_back(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct zcb_resv *r;

	rig->cfg.max_reservation = 7 * PAGE;
	open_stream(test, PAGE);
	r = rig_reserve(rig, PAGE - 1);
	KUNIT_EXPECT_EQ(test, rig_pages_held(rig), 8U);
	KUNIT_EXPECT_EQ(test, rig->s.bytes, 8 * PAGE);
	rig_reserve(rig, 2);
	KUNIT_EXPECT_EQ(test, rig_pages_held(rig), 2U);
	KUNIT_EXPECT_EQ(test, rig->s.bytes, 2 * PAGE);
	KUNIT_EXPECT_EQ(test, r->group->extents[0].pages, 2U);
	rig_close(rig);
}

static void more_pages_than_asked_for(struct kunit *test)
{
	struct rig *rig = open_stream(test, 10);
	struct zcb_resv *r = NULL;

	KUNIT_ASSERT_EQ(test, 0, rig_try_reserve(rig, &rig->p, 3 * PAGE, false,
						 5, &r));
	KUNIT_EXPECT_EQ(test, rig->given_back, 5ULL);
	KUNIT_EXPECT_EQ(test, rig_pages_held(rig), 3U);
	rig_commit(rig, r);
	rig_release(rig, &rig->c, rig_receive(rig, &rig->c));
	rig_close(rig);
}

static void second_extent_seals(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct zcb_resv *r0, *r1;
	struct zcb_group *g;

	rig->cfg.align = 64;
	open_stream(test, 4 * PAGE);
	r0 = rig_reserve(rig, 10);
	KUNIT_EXPECT_EQ(test, rig_pages_held(rig), 8U);
	r1 = rig_reserve(rig, 8 * PAGE);
	g = r0->group;
	KUNIT_EXPECT_PTR_EQ(test, r1->group, g);
	KUNIT_EXPECT_NULL(test, rig->s.open);
	KUNIT_EXPECT_EQ(test, g->nextents, 2U);
	KUNIT_EXPECT_EQ(test, g->extents[0].pages, 1U);
	KUNIT_EXPECT_EQ(test, g->extents[1].pages, 8U);
	KUNIT_EXPECT_EQ(test, rig_pages_held(rig), 9U);
	rig_commit(rig, r1);
	rig_commit(rig, r0);
	KUNIT_EXPECT_PTR_EQ(test, rig_receive(rig, &rig->c), g);
	KUNIT_EXPECT_EQ(test, g->length, 64 + 8 * PAGE);
	rig_check_group(rig, g);
	rig_release(rig, &rig->c, g);
	rig_close(rig);
}

static void aligned_bytes_reach_the_threshold(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct zcb_resv *r0, *r1;
	struct zcb_group *g;

	rig->cfg.align = 64;
	open_stream(test, 128);
	r0 = rig_reserve(rig, 1);
	KUNIT_EXPECT_PTR_EQ(test, rig->s.open, r0->group);
	r1 = rig_reserve(rig, 1);
	KUNIT_EXPECT_NULL(test, rig->s.open);
	KUNIT_EXPECT_EQ(test, r1->offset, 64ULL);
	KUNIT_EXPECT_EQ(test, rig->s.offset, 128ULL);
	rig_commit(rig, r0);
	rig_commit(rig, r1);
	g = rig_receive(rig, &rig->c);
	KUNIT_EXPECT_EQ(test, g->length, 65ULL);
	rig_check_group(rig, g);
	rig_release(rig, &rig->c, g);
	rig_close(rig);
}

static void window_leaves_the_open_group_alone(struct kunit *test)
{
	struct rig *rig = open_stream(test, 1000);
	struct zcb_resv *r0 = rig_reserve(rig, 10);
	struct zcb_resv *w = rig_window(rig, 100);
	struct zcb_group *g;

	KUNIT_EXPECT_EQ(test, w->group->id, 1ULL);
	KUNIT_EXPECT_EQ(test, w->offset, 10ULL);
	KUNIT_EXPECT_TRUE(test, zcb_group_sealed(w->group));
	KUNIT_EXPECT_PTR_EQ(test, rig->s.open, r0->group);
	rig_commit(rig, w);
	g = rig_receive(rig, &rig->c);
	KUNIT_EXPECT_EQ(test, g->id, 1ULL);
	rig_release(rig, &rig->c, g);
	KUNIT_EXPECT_PTR_EQ(test, rig->s.open, r0->group);
	rig_close(rig);
}

/* Its offset would not follow, and a group has no holes. */
static void nothing_joins_across_a_window(struct kunit *test)
{
	struct rig *rig = open_stream(test, 1000);
	struct zcb_resv *r0 = rig_reserve(rig, 10);
	struct zcb_group *g;
	struct zcb_resv *r2;

	rig_window(rig, 100);
	expect_plan(rig, 20, false, true, 2 * PAGE);
	rig_commit(rig, r0);
	KUNIT_EXPECT_EQ(test, rig->c.ready, 0U);
	r2 = rig_reserve(rig, 20);
	KUNIT_EXPECT_EQ(test, r2->group->id, 2ULL);
	KUNIT_EXPECT_EQ(test, r2->offset, 110ULL);
	KUNIT_EXPECT_PTR_EQ(test, rig->s.open, r2->group);
	g = rig_receive(rig, &rig->c);
	KUNIT_EXPECT_EQ(test, g->id, 0ULL);
	KUNIT_EXPECT_EQ(test, g->length, 10ULL);
	rig_release(rig, &rig->c, g);
	rig_close(rig);
}

static void flush_seals_once(struct kunit *test)
{
	struct rig *rig = open_stream(test, 1000);
	struct zcb_group *g;

	KUNIT_EXPECT_FALSE(test, zcb_stream_flush(&rig->s, rig_now(rig)));
	rig_commit(rig, rig_reserve(rig, 30));
	KUNIT_EXPECT_TRUE(test, zcb_stream_flush(&rig->s, rig_now(rig)));
	KUNIT_EXPECT_FALSE(test, zcb_stream_flush(&rig->s, rig_now(rig)));
	g = rig_receive(rig, &rig->c);
	KUNIT_EXPECT_EQ(test, g->length, 30ULL);
	KUNIT_EXPECT_EQ(test, rig_reserve(rig, 1)->group->id, 1ULL);
	rig_release(rig, &rig->c, g);
	rig_close(rig);
}

/* ---------------------------------------------------------------- credits */

static void credits_are_held_until_release(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct zcb_group *g;

	rig->cfg.max_outstanding = 3;
	open_stream(test, 30);
	rig_commit(rig, rig_reserve(rig, 10));
	rig_abort(rig, rig_reserve(rig, 10));
	rig_commit(rig, rig_reserve(rig, 10));
	KUNIT_EXPECT_EQ(test, plan_errno(rig, 10), -EAGAIN);
	g = rig_receive(rig, &rig->f);
	KUNIT_EXPECT_EQ(test, plan_errno(rig, 10), -EAGAIN);
	rig_release(rig, &rig->f, g);
	KUNIT_EXPECT_EQ(test, zcb_credit_left(&rig->s.credit), 3U);
	KUNIT_EXPECT_EQ(test, plan_errno(rig, 10), 0);
	rig_close(rig);
}

/* Nothing can fill the open group any more when the last credit is taken. */
static void last_credit_seals(struct kunit *test)
{
	struct rig *rig = test->priv;
	struct zcb_resv *r[2];

	rig->cfg.max_outstanding = 3;
	open_stream(test, 1000);
	r[0] = rig_reserve(rig, 10);
	r[1] = rig_reserve(rig, 10);
	rig_commit(rig, r[0]);
	rig_commit(rig, r[1]);
	KUNIT_EXPECT_TRUE(test, rig->s.open);
	rig_abort(rig, rig_window(rig, 10));
	KUNIT_EXPECT_FALSE(test, rig->s.open);
	rig_release(rig, &rig->c, rig_receive(rig, &rig->c));
	KUNIT_EXPECT_EQ(test, plan_errno(rig, 10), 0);
	rig_release(rig, &rig->f, rig_receive(rig, &rig->f));
	rig_close(rig);
}

/* ----------------------------------------------------------------- commit */

struct wrong {
	u64 group;
	u64 offset;
	u64 length;
	bool overrun;
	bool stranger;
};

/* A commit of @r in which everything @w says is wrong. */
static int commit_wrong(struct rig *rig, const struct zcb_resv *r,
			const struct wrong *w)
{
	struct zcb_stream_commit c = {
		.group = r->group->id + w->group,
		.id = r->id,
		.offset = r->offset + w->offset,
		.length = r->length + w->length,
		.chunked = w->overrun,
		.overrun = w->overrun,
	};
	struct zcb_producer stranger;

	zcb_producer_init(&stranger);
	return zcb_stream_commit(&rig->s, w->stranger ? &stranger : &rig->p, &c,
				 rig_now(rig));
}

/* Take one mistake after the other away: the next one shows. */
static void commit_checks_in_order(struct kunit *test)
{
	struct rig *rig = open_stream(test, 1000);
	struct zcb_resv *r = rig_reserve(rig, 10);
	struct wrong w = { 5, 1, 1, true, true };

	KUNIT_EXPECT_EQ(test, -ENOENT, commit_wrong(rig, r, &w));
	w.group = 0;
	KUNIT_EXPECT_EQ(test, -EPERM, commit_wrong(rig, r, &w));
	w.stranger = false;
	KUNIT_EXPECT_EQ(test, -EINVAL, commit_wrong(rig, r, &w));
	w.offset = 0;
	KUNIT_EXPECT_EQ(test, -ERANGE, commit_wrong(rig, r, &w));
	w.overrun = false;
	KUNIT_EXPECT_EQ(test, -EMSGSIZE, commit_wrong(rig, r, &w));
	w.length = 0;
	KUNIT_EXPECT_EQ(test, r->state, ZCB_RESV_PENDING);
	rig_write(rig, r, 10);
	KUNIT_EXPECT_EQ(test, 0, commit_wrong(rig, r, &w));
	rig_close(rig);
}

static void commit_checks_of_decided_ones(struct kunit *test)
{
	struct rig *rig = open_stream(test, 1000);
	struct zcb_resv *good = rig_reserve(rig, 10);
	struct zcb_resv *bad = rig_reserve(rig, 10);
	struct wrong w = { 0, 1, 1, true, true };

	rig_commit(rig, good);
	rig_abort(rig, bad);
	KUNIT_EXPECT_EQ(test, -EPERM, commit_wrong(rig, good, &w));
	KUNIT_EXPECT_EQ(test, -EPERM, commit_wrong(rig, bad, &w));
	w.stranger = false;
	KUNIT_EXPECT_EQ(test, -EINVAL, commit_wrong(rig, good, &w));
	KUNIT_EXPECT_EQ(test, -EINVAL, commit_wrong(rig, bad, &w));
	w.offset = 0;
	KUNIT_EXPECT_EQ(test, -EALREADY, commit_wrong(rig, good, &w));
	KUNIT_EXPECT_EQ(test, -ESTALE, commit_wrong(rig, bad, &w));
	rig_finalize(rig, 0, 1, 0);
	w = (struct wrong){ 5, 1, 1, true, true };
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN, commit_wrong(rig, good, &w));
	rig_close(rig);
}

static void abort_checks_in_order(struct kunit *test)
{
	struct rig *rig = open_stream(test, 1000);
	struct zcb_resv *r = rig_reserve(rig, 10);
	struct zcb_producer stranger;

	zcb_producer_init(&stranger);
	KUNIT_EXPECT_EQ(test, -ENOENT,
			zcb_stream_abort(&rig->s, &stranger, 1, r->id, 1));
	KUNIT_EXPECT_EQ(test, -ENOENT,
			zcb_stream_abort(&rig->s, &stranger, 0, 17, 1));
	KUNIT_EXPECT_EQ(test, -EPERM,
			zcb_stream_abort(&rig->s, &stranger, 0, r->id, 1));
	rig_abort(rig, r);
	KUNIT_EXPECT_EQ(test, -ESTALE,
			zcb_stream_abort(&rig->s, &rig->p, 0, r->id, 1));
	r = rig_reserve(rig, 10);
	rig_commit(rig, r);
	KUNIT_EXPECT_EQ(test, -EALREADY,
			zcb_stream_abort(&rig->s, &rig->p, 0, r->id, 1));
	rig_finalize(rig, 0, 1, 0);
	KUNIT_EXPECT_EQ(test, -ESHUTDOWN,
			zcb_stream_abort(&rig->s, &rig->p, 9, 99, 1));
	rig_close(rig);
}

static void answers_end_with_the_release(struct kunit *test)
{
	struct rig *rig = open_stream(test, 10);
	struct zcb_resv *r = rig_reserve(rig, 10);
	struct zcb_stream_commit c = { .length = 10 };
	struct zcb_group *g;

	rig_commit(rig, r);
	KUNIT_EXPECT_EQ(test, -EALREADY, zcb_stream_commit(&rig->s, &rig->p, &c,
							   rig_now(rig)));
	g = rig_receive(rig, &rig->c);
	KUNIT_EXPECT_EQ(test, -EALREADY, zcb_stream_commit(&rig->s, &rig->p, &c,
							   rig_now(rig)));
	rig_release(rig, &rig->c, g);
	KUNIT_EXPECT_EQ(test, -ENOENT, zcb_stream_commit(&rig->s, &rig->p, &c,
							 rig_now(rig)));
	KUNIT_EXPECT_EQ(test, -ENOENT, zcb_stream_abort(&rig->s, &rig->p, 0, 0,
							rig_now(rig)));
	rig_close(rig);
}

/* A port that begins where another one ended is not that one. */
static void a_new_owner_does_not_inherit(struct kunit *test)
{
	struct rig *rig = open_stream(test, 1000);
	struct zcb_resv *r = rig_reserve(rig, 10);

	rig_commit(rig, r);
	KUNIT_EXPECT_EQ(test, -EALREADY, rig_commit_bytes(rig, r, 10, false));
	zcb_stream_drop_producer(&rig->s, &rig->p, rig_now(rig));
	zcb_producer_init(&rig->p);
	KUNIT_EXPECT_EQ(test, -EPERM, rig_commit_bytes(rig, r, 10, false));
	KUNIT_EXPECT_NULL(test, r->owner);
	rig_close(rig);
}

static void producers_are_counted(struct kunit *test)
{
	struct rig *rig = open_stream(test, 1000);
	struct zcb_resv *r0 = rig_reserve(rig, 10);
	struct zcb_resv *r1 = rig_reserve(rig, 20);

	KUNIT_EXPECT_EQ(test, rig->p.npending, 2U);
	KUNIT_EXPECT_EQ(test, rig->p.pending_bytes, 30ULL);
	rig_commit(rig, r0);
	KUNIT_EXPECT_EQ(test, rig->p.npending, 1U);
	KUNIT_EXPECT_EQ(test, rig->p.pending_bytes, 20ULL);
	rig_abort(rig, r1);
	KUNIT_EXPECT_EQ(test, rig->p.npending, 0U);
	KUNIT_EXPECT_EQ(test, rig->p.pending_bytes, 0ULL);
	rig_close(rig);
}

static void records_count_at_least_one(struct kunit *test)
{
	struct rig *rig = open_stream(test, 20);
	struct zcb_resv *r0 = rig_reserve(rig, 10);
	struct zcb_resv *r1 = rig_reserve(rig, 10);
	struct zcb_stream_commit c = {
		.id = r1->id, .offset = 10, .length = 10, .nrecords = 7,
	};
	struct zcb_group *g;

	rig_commit(rig, r0);
	rig_write(rig, r1, 10);
	KUNIT_EXPECT_EQ(test, 0, zcb_stream_commit(&rig->s, &rig->p, &c,
						   rig_now(rig)));
	g = rig_receive(rig, &rig->c);
	KUNIT_EXPECT_EQ(test, g->nrecords, 1U + 7U);
	rig_check_group(rig, g);
	rig_release(rig, &rig->c, g);
	rig_close(rig);
}

/* ---------------------------------------------------------------- windows */

static void window_lengths(struct kunit *test)
{
	struct rig *rig = open_stream(test, 1000);
	struct zcb_resv *r = rig_window(rig, 3 * PAGE);

	KUNIT_EXPECT_EQ(test, -EMSGSIZE, rig_commit_bytes(rig, r, 0, false));
	KUNIT_EXPECT_EQ(test, -EMSGSIZE, rig_commit_bytes(rig, r, 0, true));
	KUNIT_EXPECT_EQ(test, -EMSGSIZE,
			rig_commit_bytes(rig, r, 3 * PAGE + 1, false));
	KUNIT_EXPECT_EQ(test, -ERANGE,
			rig_commit_bytes(rig, r, 3 * PAGE + 1, true));
	KUNIT_EXPECT_EQ(test, r->state, ZCB_RESV_PENDING);
	KUNIT_EXPECT_EQ(test, rig_pages_held(rig), 3U);
	rig_write(rig, r, 1);
	KUNIT_EXPECT_EQ(test, 0, rig_commit_bytes(rig, r, 1, true));
	KUNIT_EXPECT_EQ(test, rig_pages_held(rig), 1U);
	rig_close(rig);
}

static void window_that_fails_is_a_failed_group(struct kunit *test)
{
	struct rig *rig = open_stream(test, 1000);
	struct zcb_group *g;

	rig_abort(rig, rig_window(rig, 2 * PAGE));
	g = rig_receive(rig, &rig->f);
	KUNIT_EXPECT_EQ(test, g->length, 2 * PAGE);
	KUNIT_EXPECT_EQ(test, g->nfailed, 1U);
	rig_release(rig, &rig->f, g);
	KUNIT_EXPECT_EQ(test, rig_pages_held(rig), 0U);
	rig_close(rig);
}

static struct kunit_case rules_cases[] = {
	KUNIT_CASE(block_is_a_power_of_two_of_pages),
	KUNIT_CASE(block_too_large),
	KUNIT_CASE(plan_asks_for_what_is_needed),
	KUNIT_CASE(plan_counts_aligned_bytes),
	KUNIT_CASE(plan_errors_in_order),
	KUNIT_CASE(plan_at_the_end_of_all_offsets),
	KUNIT_CASE(seal_gives_unused_pages_back),
	KUNIT_CASE(more_pages_than_asked_for),
	KUNIT_CASE(second_extent_seals),
	KUNIT_CASE(aligned_bytes_reach_the_threshold),
	KUNIT_CASE(window_leaves_the_open_group_alone),
	KUNIT_CASE(nothing_joins_across_a_window),
	KUNIT_CASE(flush_seals_once),
	KUNIT_CASE(credits_are_held_until_release),
	KUNIT_CASE(last_credit_seals),
	KUNIT_CASE(commit_checks_in_order),
	KUNIT_CASE(commit_checks_of_decided_ones),
	KUNIT_CASE(abort_checks_in_order),
	KUNIT_CASE(answers_end_with_the_release),
	KUNIT_CASE(a_new_owner_does_not_inherit),
	KUNIT_CASE(producers_are_counted),
	KUNIT_CASE(records_count_at_least_one),
	KUNIT_CASE(window_lengths),
	KUNIT_CASE(window_that_fails_is_a_failed_group),
	{}
};

static struct kunit_suite rules_suite = {
	.name = "zcb_stream_rules",
	.init = rig_init,
	.test_cases = rules_cases,
};

kunit_test_suite(rules_suite);
