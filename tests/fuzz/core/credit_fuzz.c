// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* kmod/core/credit.c. The model is how much is taken, in 64 bits. */
#include "fuzz.h"
#include "../../../kmod/core/credit.h"

struct state {
	struct kunit *test;
	struct zcb_rand *in;
	struct zcb_credit c;
	u64 max;
	u64 taken;
};

static void take(void *state)
{
	struct state *s = state;
	u32 n = input_any(s->in);
	bool fits = s->taken + n <= s->max;

	KUNIT_ASSERT_EQ(s->test, zcb_credit_take(&s->c, n), fits);
	if (fits)
		s->taken += n;
}

static void give(void *state)
{
	struct state *s = state;
	u32 n = input_any(s->in) % (s->taken + 1);

	zcb_credit_give(&s->c, n);
	s->taken -= n;
}

/* A bug of the caller: the core warns, and nothing is taken any more. */
static void give_too_much(void *state)
{
	struct state *s = state;
	u64 n = s->taken + 1 + (u32)input_any(s->in);

	if (n > U32_MAX)
		return;
	fuzz_expect_warning();
	zcb_credit_give(&s->c, n);
	KUNIT_ASSERT_TRUE(s->test, fuzz_warned());
	s->taken = 0;
}

static void check(void *state)
{
	struct state *s = state;

	KUNIT_ASSERT_EQ(s->test, s->c.max, s->max);
	KUNIT_ASSERT_EQ(s->test, s->c.taken, s->taken);
	KUNIT_ASSERT_EQ(s->test, zcb_credit_left(&s->c), s->max - s->taken);
}

static const struct fuzz_op ops[] = {
	{ "take", take },
	{ "take", take },
	{ "give", give },
	{ "give_too_much", give_too_much },
};

static const struct fuzz_target target = { ops, ARRAY_SIZE(ops), check };

void fuzz_one(struct kunit *test, struct zcb_rand *in)
{
	struct state s = { .test = test, .in = in };

	s.max = (u32)input_any(in);
	memset(&s.c, 0xa5, sizeof(s.c));
	zcb_credit_init(&s.c, s.max);
	fuzz_ops(&target, in, &s);
}
