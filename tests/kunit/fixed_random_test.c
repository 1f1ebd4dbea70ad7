// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random operations on fixed classes by several owners, compared with a model
 * after each of them.
 */
#include <kunit/test.h>
#include "fixed_model.h"

#define OPS	100000

static void random_op(struct model *m)
{
	u32 kind = below(m, 1000);

	if (kind < 70)
		op_take(m);
	else if (kind < 100)
		op_bring(m);
	else if (kind < 200)
		op_hand_out(m);
	else if (kind < 300)
		op_get(m);
	else if (kind < 650)
		op_put(m);
	else if (kind < 700)
		op_move(m);
	else if (kind < 900)
		op_find(m);
	else if (kind < 985)
		op_tag(m);
	else if (kind < 995)
		op_age(m);
	else
		op_put_all(m);
}

static void random_stream_of(struct kunit *test,
			     const struct zcb_fixed_spec *spec, u32 n,
			     u32 page_shift)
{
	struct model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	u32 i, nops = ZCB_RAND_OPS(OPS);

	KUNIT_ASSERT_NOT_NULL(test, m);
	m->test = test;
	KUNIT_ASSERT_EQ(test, zcb_fixed_layout(&m->f, spec, n, page_shift), 0);
	model_start(m, spec, n, 1ULL << page_shift);
	zcb_rand_init(test, &m->rand);
	model_check(m);
	for (i = 0; i < nops; i++) {
		random_op(m);
		model_check(m);
	}
}

static void random_stream(struct kunit *test)
{
	static const struct zcb_fixed_spec even[] = {
		{ 4096, 8 }, { 8192, 4 }, { 16384, 2 },
	};
	static const struct zcb_fixed_spec odd[] = {
		{ 40, 7 }, { 1500, 5 }, { 9000, 1 }, { 100000, 6 },
	};

	random_stream_of(test, even, ARRAY_SIZE(even), 12);
	random_stream_of(test, odd, ARRAY_SIZE(odd), 12);
	random_stream_of(test, odd, ARRAY_SIZE(odd), 16);
}

static struct kunit_case random_cases[] = {
	KUNIT_CASE_SLOW(random_stream),
	{}
};

static struct kunit_suite random_suite = {
	.name = "zcb_fixed_random",
	.test_cases = random_cases,
};

kunit_test_suite(random_suite);
