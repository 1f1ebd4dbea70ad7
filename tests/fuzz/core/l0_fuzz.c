// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * kmod/core/l0.c. The model is a list of what was kept, in the order it came;
 * the newest of an order is what comes next.
 */
#include "fuzz.h"
#include "../../../kmod/core/l0.h"

struct m_block {
	u32 order;
	u32 page;
};

struct state {
	struct kunit *test;
	struct zcb_rand *in;
	struct zcb_l0 c;
	struct m_block kept[ZCB_L0_BLOCKS];
	u32 n;
	u32 depth;
	u32 next;		/* no two blocks are the same */
};

static u32 count(const struct state *s, u32 order)
{
	u32 i, n = 0;

	for (i = 0; i < s->n; i++)
		n += s->kept[i].order == order;
	return n;
}

/* The newest of @order: where it is in the list, or -1. */
static int newest(const struct state *s, u32 order)
{
	int i = s->n;

	while (i--)
		if (s->kept[i].order == order)
			break;
	return i;
}

static void forget(struct state *s, int i)
{
	s->n--;
	memmove(&s->kept[i], &s->kept[i + 1],
		(s->n - i) * sizeof(s->kept[0]));
}

static void keep(void *state)
{
	struct state *s = state;
	u32 order = zcb_rand_below(s->in, ZCB_L0_ORDERS + 2);
	bool room = order < ZCB_L0_ORDERS &&
		    count(s, order) < s->depth / (1U << order);
	u32 page = s->next++;

	KUNIT_ASSERT_EQ(s->test, zcb_l0_keep(&s->c, s->depth, order, page),
			room);
	if (room)
		s->kept[s->n++] = (struct m_block){ order, page };
}

static void take(void *state)
{
	struct state *s = state;
	u32 order = zcb_rand_below(s->in, ZCB_L0_ORDERS + 2);
	int i = newest(s, order);
	u32 page;

	KUNIT_ASSERT_EQ(s->test, zcb_l0_take(&s->c, order, &page),
			i < 0 ? -EAGAIN : 0);
	if (i < 0)
		return;
	KUNIT_ASSERT_EQ(s->test, page, s->kept[i].page);
	forget(s, i);
}

static void drain(void *state)
{
	struct state *s = state;
	u32 order, page;
	int i;

	while (zcb_l0_drain(&s->c, &order, &page)) {
		i = newest(s, order);
		KUNIT_ASSERT_GE(s->test, i, 0);
		KUNIT_ASSERT_EQ(s->test, page, s->kept[i].page);
		forget(s, i);
	}
	KUNIT_ASSERT_EQ(s->test, s->n, 0);
}

static void depth(void *state)
{
	struct state *s = state;

	s->depth = zcb_rand_below(s->in, ZCB_L0_DEPTH + 1);
}

static void check(void *state)
{
	struct state *s = state;
	u32 order;

	for (order = 0; order < ZCB_L0_ORDERS; order++)
		KUNIT_ASSERT_EQ(s->test, s->c.n[order], count(s, order));
}

static const struct fuzz_op ops[] = {
	{ "keep", keep },
	{ "keep", keep },
	{ "keep", keep },
	{ "take", take },
	{ "take", take },
	{ "drain", drain },
	{ "depth", depth },
};

static const struct fuzz_target target = { ops, ARRAY_SIZE(ops), check };

void fuzz_one(struct kunit *test, struct zcb_rand *in)
{
	struct state s = { .test = test, .in = in, .depth = ZCB_L0_DEPTH };

	memset(&s.c, 0xa5, sizeof(s.c));
	zcb_l0_init(&s.c);
	fuzz_ops(&target, in, &s);
}
