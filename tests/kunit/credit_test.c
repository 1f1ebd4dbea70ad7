// SPDX-License-Identifier: GPL-2.0-only
/* KUnit suite of kmod/core/credit.c. */
#include <kunit/test.h>

#include "../../kmod/core/credit.h"
#include "rand.h"

static void bound(struct kunit *test)
{
	struct zcb_credit c;

	zcb_credit_init(&c, 3);
	KUNIT_EXPECT_EQ(test, zcb_credit_left(&c), 3);
	KUNIT_EXPECT_TRUE(test, zcb_credit_take(&c, 1));
	KUNIT_EXPECT_TRUE(test, zcb_credit_take(&c, 2));
	KUNIT_EXPECT_EQ(test, zcb_credit_left(&c), 0);
	KUNIT_EXPECT_FALSE(test, zcb_credit_take(&c, 1));
	zcb_credit_give(&c, 1);
	KUNIT_EXPECT_TRUE(test, zcb_credit_take(&c, 1));
	zcb_credit_give(&c, 3);
	KUNIT_EXPECT_EQ(test, c.taken, 0);
}

static void all_or_none(struct kunit *test)
{
	struct zcb_credit c;

	zcb_credit_init(&c, 10);
	KUNIT_EXPECT_TRUE(test, zcb_credit_take(&c, 8));
	KUNIT_EXPECT_FALSE(test, zcb_credit_take(&c, 3));
	KUNIT_EXPECT_EQ(test, c.taken, 8);
	KUNIT_EXPECT_TRUE(test, zcb_credit_take(&c, 2));
}

static void nothing_for_nothing(struct kunit *test)
{
	struct zcb_credit c;

	zcb_credit_init(&c, 0);
	KUNIT_EXPECT_TRUE(test, zcb_credit_take(&c, 0));
	KUNIT_EXPECT_FALSE(test, zcb_credit_take(&c, 1));
	zcb_credit_give(&c, 0);
	KUNIT_EXPECT_EQ(test, zcb_credit_left(&c), 0);
}

static void no_overflow(struct kunit *test)
{
	struct zcb_credit c;

	zcb_credit_init(&c, ~0U);
	KUNIT_EXPECT_TRUE(test, zcb_credit_take(&c, 1));
	KUNIT_EXPECT_FALSE(test, zcb_credit_take(&c, ~0U));
	KUNIT_EXPECT_TRUE(test, zcb_credit_take(&c, ~0U - 1));
	KUNIT_EXPECT_FALSE(test, zcb_credit_take(&c, 1));
	zcb_credit_give(&c, ~0U);
	KUNIT_EXPECT_EQ(test, zcb_credit_left(&c), ~0U);
}

static void random_stream(struct kunit *test)
{
	u32 i, n, taken = 0;
	struct zcb_credit c;
	struct zcb_rand r;

	zcb_rand_init(test, &r);
	zcb_credit_init(&c, 100);
	for (i = 0; i < ZCB_RAND_OPS(10000); i++) {
		n = zcb_rand_below(&r, 30);
		if (zcb_rand_chance(&r, 60)) {
			KUNIT_ASSERT_EQ(test, zcb_credit_take(&c, n),
					taken + n <= 100);
			taken += taken + n <= 100 ? n : 0;
		} else {
			n = min(n, taken);
			zcb_credit_give(&c, n);
			taken -= n;
		}
		KUNIT_ASSERT_EQ(test, zcb_credit_left(&c), 100 - taken);
	}
}

static struct kunit_case credit_cases[] = {
	KUNIT_CASE(bound),
	KUNIT_CASE(all_or_none),
	KUNIT_CASE(nothing_for_nothing),
	KUNIT_CASE(no_overflow),
	KUNIT_CASE(random_stream),
	{}
};

static struct kunit_suite credit_suite = {
	.name = "zcb_credit",
	.test_cases = credit_cases,
};

kunit_test_suite(credit_suite);
