// SPDX-License-Identifier: GPL-2.0-only
/* KUnit suite of kmod/core/l0.c. */
#include <kunit/test.h>

#include "../../kmod/core/l0.h"
#include "rand.h"

static struct zcb_l0 *make(struct kunit *test)
{
	struct zcb_l0 *c = kunit_kmalloc(test, sizeof(*c), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, c);
	memset(c, 0xa5, sizeof(*c));
	zcb_l0_init(c);
	return c;
}

static void nothing_at_first(struct kunit *test)
{
	struct zcb_l0 *c = make(test);
	u32 order, page;

	for (order = 0; order < ZCB_L0_ORDERS + 2; order++)
		KUNIT_EXPECT_EQ(test, zcb_l0_take(c, order, &page), -EAGAIN);
	KUNIT_EXPECT_FALSE(test, zcb_l0_drain(c, &order, &page));
}

static void the_last_comes_first(struct kunit *test)
{
	struct zcb_l0 *c = make(test);
	u32 page = 0;

	KUNIT_EXPECT_TRUE(test, zcb_l0_keep(c, ZCB_L0_DEPTH, 0, 10));
	KUNIT_EXPECT_TRUE(test, zcb_l0_keep(c, ZCB_L0_DEPTH, 0, 20));
	KUNIT_EXPECT_TRUE(test, zcb_l0_keep(c, ZCB_L0_DEPTH, 1, 30));
	KUNIT_EXPECT_EQ(test, zcb_l0_take(c, 0, &page), 0);
	KUNIT_EXPECT_EQ(test, page, 20);
	KUNIT_EXPECT_EQ(test, zcb_l0_take(c, 1, &page), 0);
	KUNIT_EXPECT_EQ(test, page, 30);
	KUNIT_EXPECT_EQ(test, zcb_l0_take(c, 0, &page), 0);
	KUNIT_EXPECT_EQ(test, page, 10);
	KUNIT_EXPECT_EQ(test, zcb_l0_take(c, 0, &page), -EAGAIN);
}

/* Blocks of an order that are kept until no more are. */
static u32 fill(struct zcb_l0 *c, u32 depth, u32 order)
{
	u32 n = 0;

	while (n < 1000 && zcb_l0_keep(c, depth, order, 1000 * order + n))
		n++;
	return n;
}

static void depths(struct kunit *test)
{
	static const u32 usual[] = { 64, 32, 16, 8, 4, 2, 0 };
	static const u32 small[] = { 5, 2, 1, 0, 0, 0, 0 };
	struct zcb_l0 *c = make(test);
	u32 i;

	for (i = 0; i < ARRAY_SIZE(usual); i++)
		KUNIT_EXPECT_EQ(test, fill(c, ZCB_L0_DEPTH, i), usual[i]);
	c = make(test);
	for (i = 0; i < ARRAY_SIZE(small); i++)
		KUNIT_EXPECT_EQ(test, fill(c, 5, i), small[i]);
	c = make(test);
	for (i = 0; i < ARRAY_SIZE(small); i++)
		KUNIT_EXPECT_EQ(test, fill(c, 0, i), 0);
}

/* Every stack full: no block is another one's. */
static void stacks_are_apart(struct kunit *test)
{
	struct zcb_l0 *c = make(test);
	u32 order, i, page = 0;

	for (order = 0; order < ZCB_L0_ORDERS; order++)
		fill(c, ZCB_L0_DEPTH, order);
	for (order = 0; order < ZCB_L0_ORDERS; order++)
		for (i = ZCB_L0_DEPTH >> order; i--;) {
			KUNIT_ASSERT_EQ(test, zcb_l0_take(c, order, &page), 0);
			KUNIT_ASSERT_EQ(test, page, 1000 * order + i);
		}
}

/* A depth that was changed meanwhile only keeps more from coming. */
static void a_smaller_depth(struct kunit *test)
{
	struct zcb_l0 *c = make(test);
	u32 page, n = 0;

	fill(c, ZCB_L0_DEPTH, 0);
	KUNIT_EXPECT_FALSE(test, zcb_l0_keep(c, 1, 0, 7));
	while (!zcb_l0_take(c, 0, &page))
		n++;
	KUNIT_EXPECT_EQ(test, n, ZCB_L0_DEPTH);
}

static void drained_of_all(struct kunit *test)
{
	struct zcb_l0 *c = make(test);
	u32 order, page, n = 0;

	for (order = 0; order < ZCB_L0_ORDERS; order++)
		fill(c, ZCB_L0_DEPTH, order);
	while (zcb_l0_drain(c, &order, &page)) {
		KUNIT_ASSERT_EQ(test, page / 1000, order);
		n++;
	}
	KUNIT_EXPECT_EQ(test, n, ZCB_L0_BLOCKS);
	for (order = 0; order < ZCB_L0_ORDERS; order++)
		KUNIT_EXPECT_EQ(test, zcb_l0_take(c, order, &page), -EAGAIN);
}

/* Against plain stacks. */
static void random_stream(struct kunit *test)
{
	u32(*model)[ZCB_L0_DEPTH] = kunit_kcalloc(test, ZCB_L0_ORDERS,
						  sizeof(*model), GFP_KERNEL);
	struct zcb_l0 *c = make(test);
	u32 i, order, page, n[ZCB_L0_ORDERS] = {};
	struct zcb_rand r;

	KUNIT_ASSERT_NOT_NULL(test, model);
	zcb_rand_init(test, &r);
	for (i = 0; i < ZCB_RAND_OPS(200000); i++) {
		order = zcb_rand_below(&r, ZCB_L0_ORDERS);
		if (zcb_rand_chance(&r, 50)) {
			KUNIT_ASSERT_EQ(test, zcb_l0_keep(c, ZCB_L0_DEPTH,
							  order, i),
					n[order] < ZCB_L0_DEPTH >> order);
			if (n[order] < ZCB_L0_DEPTH >> order)
				model[order][n[order]++] = i;
		} else if (n[order]) {
			KUNIT_ASSERT_EQ(test, zcb_l0_take(c, order, &page), 0);
			KUNIT_ASSERT_EQ(test, page, model[order][--n[order]]);
		} else {
			KUNIT_ASSERT_EQ(test, zcb_l0_take(c, order, &page),
					-EAGAIN);
		}
	}
}

static struct kunit_case l0_cases[] = {
	KUNIT_CASE(nothing_at_first),
	KUNIT_CASE(the_last_comes_first),
	KUNIT_CASE(depths),
	KUNIT_CASE(stacks_are_apart),
	KUNIT_CASE(a_smaller_depth),
	KUNIT_CASE(drained_of_all),
	KUNIT_CASE(random_stream),
	{}
};

static struct kunit_suite l0_suite = {
	.name = "zcb_l0",
	.test_cases = l0_cases,
};

kunit_test_suite(l0_suite);
