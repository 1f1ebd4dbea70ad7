// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* kmod/core/buddy.c, against the model of tests/kunit/buddy_model.h. */
#include "fuzz.h"
#include "../../kunit/buddy_model.h"

#define SMALL	160	/* pages; a check costs as much as there are */
#define LARGE	5000	/* more than one word of the summary has bits for */

struct state {
	struct kunit *test;
	struct zcb_rand *in;
	struct arena *a;
	u32 nops;
};

static void alloc(void *state)
{
	struct state *s = state;

	checked_alloc(s->test, s->a, zcb_rand_below(s->in, 8));
}

static void alloc_any(void *state)
{
	struct state *s = state;

	checked_alloc(s->test, s->a, input_any(s->in));
}

static void add(void *state)
{
	struct state *s = state;

	add_to_area(s->a, zcb_rand_below(s->in, s->a->b.npages));
}

static void alloc_in(void *state)
{
	struct state *s = state;

	checked_alloc_in(s->test, s->a, zcb_rand_below(s->in, 8));
}

static void alloc_in_any(void *state)
{
	struct state *s = state;

	checked_alloc_in(s->test, s->a, input_any(s->in));
}

/* Is any range of the arena in it? */
static void area_has(void *state)
{
	struct state *s = state;
	u32 page = zcb_rand_below(s->in, s->a->b.npages);
	u32 n = 1 + zcb_rand_below(s->in, s->a->b.npages - page);

	KUNIT_ASSERT_EQ(s->test, zcb_buddy_area_has(&s->a->area, page, n),
			all_in(s->a, page, n));
}

/* All that is left. */
static void fill(void *state)
{
	struct state *s = state;
	int order;

	while ((order = zcb_buddy_largest(&s->a->b)) >= 0)
		checked_alloc(s->test, s->a, order);
}

/* Many of these ranges are not handed out, or only in part, or nowhere. */
static void free_any(void *state)
{
	struct state *s = state;
	u32 npages = s->a->b.npages;
	u32 page = zcb_rand_below(s->in, npages + 2);

	checked_free(s->test, s->a, page, zcb_rand_below(s->in, 4) ?
		     zcb_rand_below(s->in, npages + 2) : input_any(s->in));
}

/* From the first page that is out, at or after a random one. */
static u32 find_out(struct state *s)
{
	u32 i, page = zcb_rand_below(s->in, s->a->b.npages);

	for (i = page; i < s->a->b.npages; i++)
		if (s->a->out[i])
			return i;
	return page;
}

static void free_out(void *state)
{
	struct state *s = state;
	u32 page = find_out(s);

	checked_free(s->test, s->a, page, 1 + zcb_rand_below(s->in, 16));
}

/* All that is out from there on, up to a limit. */
static void free_run(void *state)
{
	struct state *s = state;
	u32 page = find_out(s);
	u32 max = zcb_rand_below(s->in, 256);
	u32 n = 0;

	while (n < max && page + n < s->a->b.npages && s->a->out[page + n])
		n++;
	checked_free(s->test, s->a, page, n);
}

static void order_of(void *state)
{
	struct state *s = state;
	u64 npages = input_any(s->in) & (U64_MAX >> 1);
	u32 order = 0;

	while ((1ULL << order) < npages)
		order++;
	KUNIT_ASSERT_EQ(s->test, zcb_buddy_order(npages), order);
}

static void check_answers(struct state *s)
{
	int order, largest = ZCB_BUDDY_ORDERS;
	u32 page;

	while (--largest >= 0 && expected_block(s->a, largest, &page))
		;
	for (order = 0; order < ZCB_BUDDY_ORDERS + 10; order++)
		KUNIT_ASSERT_EQ(s->test, zcb_buddy_has(&s->a->b, order),
				order <= largest);
	KUNIT_ASSERT_EQ(s->test, zcb_buddy_largest(&s->a->b), largest);
}

/* Each time for small arenas, now and then for large ones. */
static void check(void *state)
{
	struct state *s = state;

	if (s->a->b.npages > SMALL && s->nops++ % 64)
		return;
	check_arena(s->test, s->a);
	check_answers(s);
}

static const struct fuzz_op ops[] = {
	{ "alloc", alloc },
	{ "alloc", alloc },
	{ "alloc", alloc },
	{ "alloc_any", alloc_any },
	{ "fill", fill },
	{ "free_any", free_any },
	{ "free_out", free_out },
	{ "free_out", free_out },
	{ "free_run", free_run },
	{ "order_of", order_of },
	{ "add", add },
	{ "alloc_in", alloc_in },
	{ "alloc_in", alloc_in },
	{ "alloc_in_any", alloc_in_any },
	{ "area_has", area_has },
};

static const struct fuzz_target target = { ops, ARRAY_SIZE(ops), check };

static u32 choose_npages(struct zcb_rand *in)
{
	if (zcb_rand_below(in, 32))
		return 1 + zcb_rand_below(in, SMALL);
	return 1 + zcb_rand_below(in, LARGE);
}

/* Page by page: all of it becomes what it was at first. */
static void free_all(struct state *s)
{
	u32 i;

	for (i = 0; i < s->a->b.npages; i++)
		if (s->a->out[i])
			checked_free(s->test, s->a, i, 1);
	check_arena(s->test, s->a);
}

void fuzz_one(struct kunit *test, struct zcb_rand *in)
{
	struct state s = { .test = test, .in = in };
	u32 npages = choose_npages(in);

	s.a = make_arena(test, npages);
	/* Of whole pieces. */
	make_area(test, s.a, npages % 8 ? 0 : npages / 8 % 4);
	fuzz_ops(&target, in, &s);
	free_all(&s);
}
