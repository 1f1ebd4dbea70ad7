// SPDX-License-Identifier: GPL-2.0-only
/*
 * One group by itself: where its reservations and extents lie, what is counted,
 * and which pages are not needed.
 */
#include <kunit/test.h>
#include "../../kmod/core/group.h"

#define SHIFT	12
#define PAGE	4096ULL

struct group_test {
	struct zcb_group g;
	struct zcb_resv r[4];
};

static int group_test_init(struct kunit *test)
{
	struct group_test *t = kunit_kmalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	memset(t, 0x6b, sizeof(*t));
	zcb_group_init(&t->g, 7, 1000, 55);
	test->priv = t;
	return 0;
}

static u32 trim(struct group_test *t, u64 *pool_offset)
{
	return zcb_group_trim(&t->g, SHIFT, SHIFT, pool_offset);
}

static void init_sets_all(struct kunit *test)
{
	struct group_test *t = test->priv;
	struct zcb_group *g = &t->g;

	KUNIT_EXPECT_EQ(test, g->id, 7ULL);
	KUNIT_EXPECT_EQ(test, g->offset, 1000ULL);
	KUNIT_EXPECT_EQ(test, g->opened_ns, 55ULL);
	KUNIT_EXPECT_EQ(test, g->total, 0ULL);
	KUNIT_EXPECT_EQ(test, g->length, 0ULL);
	KUNIT_EXPECT_EQ(test, g->nresv + g->npending + g->nfailed, 0U);
	KUNIT_EXPECT_EQ(test, g->nstragglers + g->nrecords, 0U);
	KUNIT_EXPECT_EQ(test, g->nextents, 0U);
	KUNIT_EXPECT_EQ(test, zcb_group_bytes(g, SHIFT), 0ULL);
	KUNIT_EXPECT_FALSE(test, g->window);
	KUNIT_EXPECT_FALSE(test, zcb_group_sealed(g));
	KUNIT_EXPECT_NULL(test, g->holder);
	KUNIT_EXPECT_TRUE(test, list_empty(&g->resvs));
	KUNIT_EXPECT_TRUE(test, list_empty(&g->queue));
	KUNIT_EXPECT_TRUE(test, list_empty(&g->in_stream));
}

static void add_places_one_after_another(struct kunit *test)
{
	struct group_test *t = test->priv;

	zcb_group_add_extent(&t->g, 16 * PAGE, 2);
	zcb_group_add(&t->g, &t->r[0], 10, 1);
	zcb_group_add(&t->g, &t->r[1], 20, 1);
	KUNIT_EXPECT_EQ(test, t->r[0].offset, 1000ULL);
	KUNIT_EXPECT_EQ(test, t->r[0].pool_offset, 16 * PAGE);
	KUNIT_EXPECT_EQ(test, t->r[1].offset, 1010ULL);
	KUNIT_EXPECT_EQ(test, t->r[1].pool_offset, 16 * PAGE + 10);
	KUNIT_EXPECT_EQ(test, t->r[1].length, 20ULL);
	KUNIT_EXPECT_EQ(test, t->g.total, 30ULL);
	KUNIT_EXPECT_EQ(test, t->g.length, 30ULL);
	KUNIT_EXPECT_EQ(test, t->g.extents[0].bytes, 30ULL);
	KUNIT_EXPECT_EQ(test, t->g.nresv, 2U);
	KUNIT_EXPECT_EQ(test, t->g.npending, 2U);
	KUNIT_EXPECT_PTR_EQ(test, t->g.resvs.next, &t->r[0].in_group);
	KUNIT_EXPECT_PTR_EQ(test, t->g.resvs.prev, &t->r[1].in_group);
}

static void add_makes_a_fresh_reservation(struct kunit *test)
{
	struct group_test *t = test->priv;
	struct zcb_resv *r = &t->r[0];

	zcb_group_add_extent(&t->g, 0, 1);
	zcb_group_add(&t->g, r, 10, 1);
	KUNIT_EXPECT_PTR_EQ(test, r->group, &t->g);
	KUNIT_EXPECT_EQ(test, r->state, ZCB_RESV_PENDING);
	KUNIT_EXPECT_EQ(test, r->used, 0ULL);
	KUNIT_EXPECT_EQ(test, r->nrecords, 0U);
	KUNIT_EXPECT_FALSE(test, r->straggler);
	KUNIT_EXPECT_TRUE(test, list_empty(&r->in_owner));
}

static void align_leaves_gaps_but_none_at_the_end(struct kunit *test)
{
	struct group_test *t = test->priv;

	zcb_group_init(&t->g, 0, 128, 0);
	zcb_group_add_extent(&t->g, 0, 1);
	zcb_group_add(&t->g, &t->r[0], 1, 64);
	zcb_group_add(&t->g, &t->r[1], 64, 64);
	zcb_group_add(&t->g, &t->r[2], 65, 64);
	KUNIT_EXPECT_EQ(test, t->r[1].offset, 128ULL + 64);
	KUNIT_EXPECT_EQ(test, t->r[2].offset, 128ULL + 128);
	KUNIT_EXPECT_EQ(test, t->r[2].pool_offset, 128ULL);
	KUNIT_EXPECT_EQ(test, t->g.total, 256ULL);
	KUNIT_EXPECT_EQ(test, t->g.length, 193ULL);
	KUNIT_EXPECT_EQ(test, t->g.extents[0].bytes, 193ULL);
}

static void fits_to_the_last_byte(struct kunit *test)
{
	struct group_test *t = test->priv;

	zcb_group_add_extent(&t->g, 0, 1);
	KUNIT_EXPECT_TRUE(test, zcb_group_fits(&t->g, PAGE, 1, SHIFT));
	KUNIT_EXPECT_FALSE(test, zcb_group_fits(&t->g, PAGE + 1, 1, SHIFT));
	zcb_group_add(&t->g, &t->r[0], 1, 64);
	KUNIT_EXPECT_TRUE(test, zcb_group_fits(&t->g, PAGE - 64, 64, SHIFT));
	KUNIT_EXPECT_FALSE(test, zcb_group_fits(&t->g, PAGE - 63, 64, SHIFT));
}

static void fits_counts_the_last_extent_alone(struct kunit *test)
{
	struct group_test *t = test->priv;

	zcb_group_add_extent(&t->g, 0, 1);
	zcb_group_add(&t->g, &t->r[0], 100, 1);
	zcb_group_add_extent(&t->g, 8 * PAGE, 2);
	KUNIT_EXPECT_TRUE(test, zcb_group_fits(&t->g, 2 * PAGE, 1, SHIFT));
	KUNIT_EXPECT_FALSE(test, zcb_group_fits(&t->g, 2 * PAGE + 1, 1, SHIFT));
}

static void second_extent_starts_where_the_stream_is(struct kunit *test)
{
	struct group_test *t = test->priv;
	struct zcb_group *g = &t->g;

	zcb_group_add_extent(g, 4 * PAGE, 1);
	zcb_group_add(g, &t->r[0], 10, 64);
	zcb_group_add_extent(g, 32 * PAGE, 3);
	zcb_group_add(g, &t->r[1], 2 * PAGE + 5, 64);
	KUNIT_EXPECT_EQ(test, g->nextents, 2U);
	KUNIT_EXPECT_EQ(test, g->extents[0].bytes, 64ULL);
	KUNIT_EXPECT_EQ(test, g->extents[1].bytes, 2 * PAGE + 5);
	KUNIT_EXPECT_EQ(test, g->length, 64 + 2 * PAGE + 5);
	KUNIT_EXPECT_EQ(test, g->total, 64 + 2 * PAGE + 64);
	KUNIT_EXPECT_EQ(test, t->r[1].offset, 1064ULL);
	KUNIT_EXPECT_EQ(test, t->r[1].pool_offset, 32 * PAGE);
	KUNIT_EXPECT_EQ(test, zcb_group_bytes(g, SHIFT), 4 * PAGE);
}

static void trim_takes_whole_pages_behind_the_end(struct kunit *test)
{
	struct group_test *t = test->priv;
	u64 pool_offset = 0;

	zcb_group_add_extent(&t->g, 8 * PAGE, 4);
	zcb_group_add(&t->g, &t->r[0], PAGE + 1, 1);
	KUNIT_EXPECT_EQ(test, trim(t, &pool_offset), 2U);
	KUNIT_EXPECT_EQ(test, pool_offset, 10 * PAGE);
	KUNIT_EXPECT_EQ(test, t->g.extents[0].pages, 2U);
	KUNIT_EXPECT_EQ(test, trim(t, &pool_offset), 0U);
}

static void trim_leaves_a_full_page_alone(struct kunit *test)
{
	struct group_test *t = test->priv;
	u64 pool_offset = 0;

	zcb_group_add_extent(&t->g, 0, 2);
	zcb_group_add(&t->g, &t->r[0], PAGE, 1);
	KUNIT_EXPECT_EQ(test, trim(t, &pool_offset), 1U);
	KUNIT_EXPECT_EQ(test, pool_offset, PAGE);
}

static void trim_looks_at_the_last_extent(struct kunit *test)
{
	struct group_test *t = test->priv;
	u64 pool_offset = 0;

	zcb_group_add_extent(&t->g, 0, 4);
	zcb_group_add(&t->g, &t->r[0], 1, 1);
	zcb_group_add_extent(&t->g, 16 * PAGE, 3);
	zcb_group_add(&t->g, &t->r[1], PAGE + 1, 1);
	KUNIT_EXPECT_EQ(test, trim(t, &pool_offset), 1U);
	KUNIT_EXPECT_EQ(test, pool_offset, 18 * PAGE);
	KUNIT_EXPECT_EQ(test, t->g.extents[0].pages, 4U);
}

static void commit_counts(struct kunit *test)
{
	struct group_test *t = test->priv;

	zcb_group_add_extent(&t->g, 0, 1);
	zcb_group_add(&t->g, &t->r[0], 10, 1);
	zcb_group_add(&t->g, &t->r[1], 20, 1);
	zcb_group_commit(&t->g, &t->r[0], 10, 3);
	KUNIT_EXPECT_EQ(test, t->r[0].state, ZCB_RESV_COMMITTED);
	KUNIT_EXPECT_EQ(test, t->r[0].used, 10ULL);
	KUNIT_EXPECT_EQ(test, t->r[0].nrecords, 3U);
	KUNIT_EXPECT_EQ(test, t->g.npending, 1U);
	zcb_group_commit(&t->g, &t->r[1], 20, 4);
	KUNIT_EXPECT_EQ(test, t->g.npending, 0U);
	KUNIT_EXPECT_EQ(test, t->g.nrecords, 7U);
	KUNIT_EXPECT_EQ(test, t->g.nfailed, 0U);
	KUNIT_EXPECT_EQ(test, t->g.length, 30ULL);
}

static void records_saturate(struct kunit *test)
{
	struct group_test *t = test->priv;

	zcb_group_add_extent(&t->g, 0, 1);
	zcb_group_add(&t->g, &t->r[0], 10, 1);
	zcb_group_add(&t->g, &t->r[1], 20, 1);
	zcb_group_commit(&t->g, &t->r[0], 10, U32_MAX - 1);
	zcb_group_commit(&t->g, &t->r[1], 20, 2);
	KUNIT_EXPECT_EQ(test, t->g.nrecords, U32_MAX);
}

static void window_commit_shortens_the_group(struct kunit *test)
{
	struct group_test *t = test->priv;
	u64 pool_offset = 0;

	t->g.window = true;
	zcb_group_add_extent(&t->g, 0, 4);
	zcb_group_add(&t->g, &t->r[0], 4 * PAGE, 64);
	zcb_group_commit(&t->g, &t->r[0], PAGE + 1, 9);
	KUNIT_EXPECT_EQ(test, t->r[0].used, PAGE + 1);
	KUNIT_EXPECT_EQ(test, t->g.length, PAGE + 1);
	KUNIT_EXPECT_EQ(test, t->g.extents[0].bytes, PAGE + 1);
	KUNIT_EXPECT_EQ(test, t->g.total, 4 * PAGE);
	KUNIT_EXPECT_EQ(test, trim(t, &pool_offset), 2U);
	KUNIT_EXPECT_EQ(test, pool_offset, 2 * PAGE);
}

static void fail_counts(struct kunit *test)
{
	struct group_test *t = test->priv;

	zcb_group_add_extent(&t->g, 0, 1);
	zcb_group_add(&t->g, &t->r[0], 10, 1);
	zcb_group_fail(&t->g, &t->r[0], false);
	KUNIT_EXPECT_EQ(test, t->r[0].state, ZCB_RESV_FAILED);
	KUNIT_EXPECT_FALSE(test, t->r[0].straggler);
	KUNIT_EXPECT_EQ(test, t->g.npending, 0U);
	KUNIT_EXPECT_EQ(test, t->g.nfailed, 1U);
	KUNIT_EXPECT_EQ(test, t->g.nstragglers, 0U);
	KUNIT_EXPECT_EQ(test, t->g.length, 10ULL);
}

static void straggler_is_counted_until_acknowledged(struct kunit *test)
{
	struct group_test *t = test->priv;

	zcb_group_add_extent(&t->g, 0, 1);
	zcb_group_add(&t->g, &t->r[0], 10, 1);
	zcb_group_fail(&t->g, &t->r[0], true);
	KUNIT_EXPECT_TRUE(test, t->r[0].straggler);
	KUNIT_EXPECT_EQ(test, t->g.nstragglers, 1U);
	zcb_group_ack(&t->g, &t->r[0]);
	KUNIT_EXPECT_FALSE(test, t->r[0].straggler);
	KUNIT_EXPECT_EQ(test, t->r[0].state, ZCB_RESV_FAILED);
	KUNIT_EXPECT_EQ(test, t->g.nstragglers, 0U);
	KUNIT_EXPECT_EQ(test, t->g.nfailed, 1U);
}

static struct kunit_case group_cases[] = {
	KUNIT_CASE(init_sets_all),
	KUNIT_CASE(add_places_one_after_another),
	KUNIT_CASE(add_makes_a_fresh_reservation),
	KUNIT_CASE(align_leaves_gaps_but_none_at_the_end),
	KUNIT_CASE(fits_to_the_last_byte),
	KUNIT_CASE(fits_counts_the_last_extent_alone),
	KUNIT_CASE(second_extent_starts_where_the_stream_is),
	KUNIT_CASE(trim_takes_whole_pages_behind_the_end),
	KUNIT_CASE(trim_leaves_a_full_page_alone),
	KUNIT_CASE(trim_looks_at_the_last_extent),
	KUNIT_CASE(commit_counts),
	KUNIT_CASE(records_saturate),
	KUNIT_CASE(window_commit_shortens_the_group),
	KUNIT_CASE(fail_counts),
	KUNIT_CASE(straggler_is_counted_until_acknowledged),
	{}
};

static struct kunit_suite group_suite = {
	.name = "zcb_group",
	.init = group_test_init,
	.test_cases = group_cases,
};

kunit_test_suite(group_suite);
