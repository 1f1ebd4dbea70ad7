// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers that one session gives to another: whose they are then, what they
 * count as, and that they come back whoever goes first.
 */
#include "obj_three.h"

/* Through all hands and back, then freed by one of them. */
static void goes_round(struct kunit *test, struct three *t, u64 length,
		       u64 capacity)
{
	u64 handle = obj_alloc(test, t->a, length);
	struct zcb_memory_place place;

	KUNIT_EXPECT_EQ(test, give(t->a, t->b, handle), 0);
	expect_holds(test, t->a, 0, 0);
	expect_holds(test, t->b, 1, capacity);
	KUNIT_EXPECT_EQ(test, try_free(t->a, handle), -EPERM);
	KUNIT_EXPECT_EQ(test, give(t->a, t->b, handle), -EPERM);
	KUNIT_EXPECT_EQ(test, zcb_memory_find(t->pool, &t->a->hold, handle,
					      &place), -EPERM);
	KUNIT_EXPECT_EQ(test, zcb_memory_find(t->pool, &t->b->hold, handle,
					      &place), 0);
	KUNIT_EXPECT_EQ(test, place.capacity, capacity);
	KUNIT_EXPECT_EQ(test, give(t->b, t->c, handle), 0);
	KUNIT_EXPECT_EQ(test, give(t->b, t->a, handle), -EPERM);
	KUNIT_EXPECT_EQ(test, give(t->c, t->a, handle), 0);
	expect_holds(test, t->a, 1, capacity);
	expect_holds(test, t->c, 0, 0);
	/* It has come home. */
	KUNIT_EXPECT_TRUE(test, list_empty(&t->a->hold.loans));
	KUNIT_EXPECT_EQ(test, give(t->a, t->c, handle), 0);
	KUNIT_EXPECT_EQ(test, try_free(t->c, handle), 0);
	expect_holds(test, t->c, 0, 0);
	KUNIT_EXPECT_LT(test, try_free(t->c, handle), 0);
	KUNIT_EXPECT_LT(test, give(t->c, t->a, handle), 0);
	KUNIT_EXPECT_EQ(test, obj_used(test, t->pool), 0);
}

static void blocks_go_round(struct kunit *test)
{
	struct three t = of_pages(test);

	goes_round(test, &t, 5 * PAGE_SIZE, 8 * PAGE_SIZE);
}

static void objects_go_round(struct kunit *test)
{
	struct three t = of_tiers(test);

	goes_round(test, &t, OBJECT - 1, OBJECT);
	goes_round(test, &t, 3 * PAGE_SIZE, 4 * PAGE_SIZE);
}

static void fixed_objects_go_round(struct kunit *test)
{
	struct three t = of_fixed(test);

	goes_round(test, &t, 1, PAGE_SIZE);
}

static void to_nobody(struct kunit *test)
{
	pass_refused(test, false);
}

static void as_many_as_there_are(struct kunit *test)
{
	pass_in_order(test, false);
}

/* The page is a slab of nobody's until the object in it is free. */
static void the_giver_dies(struct kunit *test)
{
	struct three t = of_tiers(test);
	u64 kept = obj_alloc(test, t.a, OBJECT);
	u64 given = obj_alloc(test, t.a, OBJECT), fresh;

	KUNIT_ASSERT_EQ(test, give(t.a, t.b, given), 0);
	obj_fill(t.pool, zcbuf_buf_offset(given), OBJECT, 0x3c);
	obj_close(test, t.a);
	KUNIT_EXPECT_EQ(test, obj_used(test, t.pool), PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, t.pool)->classes[0].used, 1);
	KUNIT_EXPECT_TRUE(test, obj_is(t.pool, zcbuf_buf_offset(given), OBJECT,
				       0x3c));
	expect_holds(test, t.b, 1, OBJECT);
	KUNIT_EXPECT_LT(test, try_free(t.b, kept), 0);
	/* Nobody is given any more of that page. */
	fresh = obj_alloc(test, t.c, OBJECT);
	KUNIT_EXPECT_NE(test, zcbuf_buf_offset(fresh) >> PAGE_SHIFT,
			zcbuf_buf_offset(given) >> PAGE_SHIFT);
	KUNIT_EXPECT_EQ(test, give(t.b, t.c, given), 0);
	KUNIT_EXPECT_EQ(test, try_free(t.c, fresh), 0);
	KUNIT_EXPECT_EQ(test, obj_used(test, t.pool), PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, try_free(t.c, given), 0);
	KUNIT_EXPECT_EQ(test, obj_used(test, t.pool), 0);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, t.pool)->classes[0].total, 0);
}

static void the_one_who_got_it_dies(struct kunit *test)
{
	struct three t = of_tiers(test);
	u64 given[3], block;
	u32 i;

	for (i = 0; i < 3; i++) {
		given[i] = obj_alloc(test, t.a, OBJECT);
		KUNIT_ASSERT_EQ(test, give(t.a, t.b, given[i]), 0);
	}
	block = obj_alloc(test, t.a, 2 * PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, give(t.a, t.b, block), 0);
	KUNIT_ASSERT_EQ(test, give(t.b, t.c, given[1]), 0);
	obj_close(test, t.b);
	KUNIT_EXPECT_EQ(test, obj_used(test, t.pool), PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, t.pool)->classes[0].used, 1);
	KUNIT_EXPECT_EQ(test, try_free(t.a, given[0]), -EBADSLT);
	KUNIT_EXPECT_EQ(test, try_free(t.c, given[1]), 0);
	KUNIT_EXPECT_EQ(test, obj_used(test, t.pool), 0);
}

/* First he who has it, then he whose slab it was, or the other way round. */
static void both_die(struct kunit *test)
{
	u32 i;

	for (i = 0; i < 2; i++) {
		struct three t = of_tiers(test);
		u64 handle = obj_alloc(test, t.a, OBJECT);

		obj_alloc(test, t.a, OBJECT);
		KUNIT_ASSERT_EQ(test, give(t.a, t.b, handle), 0);
		obj_close(test, i ? t.a : t.b);
		obj_close(test, i ? t.b : t.a);
		KUNIT_EXPECT_EQ(test, obj_used(test, t.pool), 0);
		KUNIT_EXPECT_EQ(test, obj_pool_stat(test, t.pool)->largest_free,
				OBJ_ARENA);
	}
}

/* A slab that is full of what others have, and is used on by its session. */
static void a_slab_goes_on(struct kunit *test)
{
	struct three t = of_tiers(test);
	u32 i, n = PAGE_SIZE / OBJECT;
	u64 handle, first = 0;

	for (i = 0; i < n; i++) {
		handle = obj_alloc(test, t.a, OBJECT);
		first = first ?: handle;
		KUNIT_ASSERT_EQ(test, give(t.a, t.b, handle), 0);
	}
	KUNIT_EXPECT_EQ(test, obj_used(test, t.pool), PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, try_free(t.b, first), 0);
	handle = obj_alloc(test, t.a, OBJECT);
	KUNIT_EXPECT_EQ(test, zcbuf_buf_offset(handle),
			zcbuf_buf_offset(first));
	KUNIT_EXPECT_EQ(test, try_free(t.b, handle), -EPERM);
	KUNIT_EXPECT_EQ(test, try_free(t.a, handle), 0);
	KUNIT_EXPECT_EQ(test, give(t.a, t.c, handle), -EBADSLT);
	expect_holds(test, t.b, n - 1, (n - 1) * OBJECT);
}

/* What was written there is of who got it: the giver may not see it again. */
static void used_by_another(struct kunit *test, struct three *t, u64 length,
			    u64 next_length)
{
	u64 old, handle;

	migrate_disable();
	old = obj_alloc(test, t->a, length);
	KUNIT_EXPECT_EQ(test, give(t->a, t->b, old), 0);
	obj_fill(t->pool, zcbuf_buf_offset(old), length, 0x5e);
	KUNIT_EXPECT_EQ(test, try_free(t->b, old), 0);
	handle = obj_alloc(test, t->a, next_length);
	migrate_enable();
	KUNIT_EXPECT_EQ(test, zcbuf_buf_offset(handle), zcbuf_buf_offset(old));
	KUNIT_EXPECT_TRUE(test, obj_is(t->pool, zcbuf_buf_offset(handle),
				       next_length, 0));
	KUNIT_EXPECT_EQ(test, try_free(t->a, handle), 0);
}

static void zeroed_for_the_giver(struct kunit *test)
{
	struct three pages = of_pages(test), fixed = of_fixed(test);
	struct three tiers = of_tiers(test);

	used_by_another(test, &pages, PAGE_SIZE, PAGE_SIZE);
	used_by_another(test, &fixed, PAGE_SIZE, PAGE_SIZE);
	/* In the slab that has gone on, and in its page when it has gone. */
	used_by_another(test, &tiers, OBJECT, PAGE_SIZE);
	obj_alloc(test, tiers.a, OBJECT);
	used_by_another(test, &tiers, OBJECT, OBJECT);
}

/* More of them than memory they are about: somebody has to pay. */
static void loans_are_charged(struct kunit *test)
{
	struct three t = of_tiers(test);
	u64 handles[3], before = obj_total_charged(), each;
	u32 i, done;

	for (i = 0; i < 3; i++)
		handles[i] = obj_alloc(test, t.a, OBJECT);
	KUNIT_ASSERT_EQ(test, give(t.a, t.b, handles[0]), 0);
	each = obj_total_charged() - before;
	KUNIT_EXPECT_GE(test, each, sizeof(struct zcb_loan));
	KUNIT_ASSERT_EQ(test, give(t.a, t.b, handles[1]), 0);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), before + 2 * each);
	KUNIT_ASSERT_EQ(test, give(t.b, t.c, handles[1]), 0);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), before + 2 * each);
	obj_limits(test, 1, 1);
	KUNIT_EXPECT_EQ(test, zcb_session_give(t.a, t.b->id, &handles[2], 1,
					       false, &done), -ENOMEM);
	expect_holds(test, t.a, 1, OBJECT);
	KUNIT_EXPECT_EQ(test, give(t.c, t.a, handles[1]), 0);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), before + each);
	obj_close(test, t.b);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), before);
}

static struct kunit_case transfer_cases[] = {
	KUNIT_CASE(blocks_go_round),
	KUNIT_CASE(objects_go_round),
	KUNIT_CASE(fixed_objects_go_round),
	KUNIT_CASE(to_nobody),
	KUNIT_CASE(as_many_as_there_are),
	KUNIT_CASE(the_giver_dies),
	KUNIT_CASE(the_one_who_got_it_dies),
	KUNIT_CASE(both_die),
	KUNIT_CASE(a_slab_goes_on),
	KUNIT_CASE(zeroed_for_the_giver),
	KUNIT_CASE(loans_are_charged),
	{}
};

static struct kunit_suite transfer_suite = {
	.name = "zcb_transfer",
	.suite_init = obj_suite_init,
	.suite_exit = obj_suite_exit,
	.init = obj_init,
	.test_cases = transfer_cases,
};

kunit_test_suite(transfer_suite);
