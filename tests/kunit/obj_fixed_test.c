// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pools of fixed classes: what is handed out, what is zeroed for whom, what is
 * counted, and that all of it comes back.
 */
#include "obj_rig.h"

#define JUNK	0xd5
#define SMALL	4		/* objects of a page */
#define LARGE	2		/* objects of sixteen pages, after them */

/**
 * struct two - a pool and two sessions of it
 * @pool: the pool
 * @a: one
 * @b: the other
 */
struct two {
	struct zcb_pool *pool;
	struct zcb_session *a;
	struct zcb_session *b;
};

static struct two attach_two(struct kunit *test, u32 flags)
{
	static const struct zcb_fixed_spec spec[] = {
		{ PAGE_SIZE, SMALL }, { 16 * PAGE_SIZE, LARGE },
	};
	struct zcb_pool_config *cfg = obj_pool_config(test);
	struct two t;

	cfg->kind = ZCBUF_POOL_FIXED;
	cfg->flags = flags;
	KUNIT_ASSERT_EQ(test, zcb_fixed_layout(&cfg->fixed, spec, 2,
					       PAGE_SHIFT), 0);
	t.pool = obj_make_pool(test, cfg);
	t.a = obj_session(test, t.pool);
	t.b = obj_session(test, t.pool);
	return t;
}

static int try_alloc(struct zcb_session *s, u64 length, bool zero, u64 *handle)
{
	const struct zcb_memory_request r = { .length = length, .zero = zero };

	return zcb_memory_alloc(s->pool, &s->hold, s->domain, &r, handle);
}

static int try_free(struct zcb_session *s, u64 handle)
{
	return zcb_memory_free(s->pool, &s->hold, handle);
}

static void a_full_class_takes_no_other(struct kunit *test)
{
	struct two t = attach_two(test, 0);
	u64 handle = 0;
	u32 i;

	for (i = 0; i < SMALL; i++) {
		KUNIT_EXPECT_EQ(test, try_alloc(t.a, 1, false, &handle), 0);
		KUNIT_EXPECT_EQ(test, zcbuf_buf_offset(handle), i * PAGE_SIZE);
	}
	KUNIT_EXPECT_EQ(test, try_alloc(t.b, 1, false, &handle), -ENOMEM);
	KUNIT_EXPECT_EQ(test, try_alloc(t.b, PAGE_SIZE + 1, false, &handle), 0);
	KUNIT_EXPECT_EQ(test, zcbuf_buf_offset(handle), SMALL * PAGE_SIZE);
	/* The smallest object, and there is none. */
	KUNIT_EXPECT_EQ(test, try_alloc(t.b, 0, false, &handle), -ENOMEM);
	KUNIT_EXPECT_EQ(test, try_alloc(t.b, 16 * PAGE_SIZE + 1, false,
					&handle), -E2BIG);
	KUNIT_EXPECT_EQ(test, t.a->hold.fixed.count, SMALL);
	KUNIT_EXPECT_EQ(test, t.b->hold.fixed.bytes, 16 * PAGE_SIZE);
}

static void what_is_counted(struct kunit *test)
{
	struct two t = attach_two(test, 0);
	const struct zcb_pool_stat *st = obj_pool_stat(test, t.pool);
	u64 handle = 0;

	KUNIT_EXPECT_EQ(test, st->largest_free, 16 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, st->norders, 0);
	try_alloc(t.a, 2 * PAGE_SIZE, false, &handle);
	try_alloc(t.a, 2 * PAGE_SIZE, false, &handle);
	st = obj_pool_stat(test, t.pool);
	KUNIT_EXPECT_EQ(test, st->used, 32 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, st->largest_free, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, st->nclasses, 2);
	KUNIT_EXPECT_EQ(test, st->classes[1].used, LARGE);
	KUNIT_EXPECT_EQ(test, st->classes[1].total, LARGE);
	KUNIT_EXPECT_EQ(test, st->classes[1].offset, SMALL * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, try_free(t.a, handle), 0);
	KUNIT_EXPECT_EQ(test, try_free(t.a, handle), -EBADSLT);
	st = obj_pool_stat(test, t.pool);
	KUNIT_EXPECT_EQ(test, st->used, 16 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, st->min_free, SMALL * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, st->bad_frees, 1);
}

/* What @next finds in an object @first has filled with junk and freed. */
static u8 found_by(struct kunit *test, struct zcb_session *first,
		   struct zcb_session *next, bool zero)
{
	struct zcb_pool *pool = first->pool;
	u64 handle = 0, offset;

	KUNIT_ASSERT_EQ(test, try_alloc(first, PAGE_SIZE, false, &handle), 0);
	offset = zcbuf_buf_offset(handle);
	obj_fill(pool, offset, 2 * PAGE_SIZE, JUNK);
	KUNIT_ASSERT_EQ(test, try_free(first, handle), 0);
	KUNIT_ASSERT_EQ(test, try_alloc(next, PAGE_SIZE, zero, &handle), 0);
	KUNIT_ASSERT_EQ(test, zcbuf_buf_offset(handle), offset);
	/* Its neighbour is somebody else's. */
	KUNIT_EXPECT_TRUE(test, obj_is(pool, offset + PAGE_SIZE, PAGE_SIZE,
				       JUNK));
	KUNIT_ASSERT_EQ(test, try_free(next, handle), 0);
	if (obj_is(pool, offset, PAGE_SIZE, JUNK))
		return JUNK;
	KUNIT_EXPECT_TRUE(test, obj_is(pool, offset, PAGE_SIZE, 0));
	return 0;
}

static void zeroed_for_others(struct kunit *test)
{
	struct two t = attach_two(test, 0);

	KUNIT_EXPECT_EQ(test, found_by(test, t.a, t.a, false), JUNK);
	KUNIT_EXPECT_EQ(test, found_by(test, t.a, t.a, true), 0);
	KUNIT_EXPECT_EQ(test, found_by(test, t.a, t.b, false), 0);
}

static void not_zeroed_if_so_made(struct kunit *test)
{
	struct two t = attach_two(test, ZCBUF_POOL_F_NO_ZERO_ON_REUSE);

	KUNIT_EXPECT_EQ(test, found_by(test, t.a, t.b, false), JUNK);
	KUNIT_EXPECT_EQ(test, found_by(test, t.a, t.b, true), 0);
}

static void only_the_owner_frees(struct kunit *test)
{
	struct two t = attach_two(test, 0);
	struct zcb_memory_place p;
	u64 handle = 0, again = 0;

	KUNIT_ASSERT_EQ(test, try_alloc(t.a, 1, false, &handle), 0);
	KUNIT_EXPECT_EQ(test, zcb_memory_find(t.pool, &t.a->hold, handle, &p),
			0);
	KUNIT_EXPECT_EQ(test, p.capacity, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, zcb_memory_find(t.pool, &t.b->hold, handle, &p),
			-EPERM);
	KUNIT_EXPECT_EQ(test, try_free(t.b, handle), -EPERM);
	KUNIT_EXPECT_EQ(test, try_free(t.a, handle), 0);
	KUNIT_ASSERT_EQ(test, try_alloc(t.b, 1, false, &again), 0);
	KUNIT_EXPECT_EQ(test, try_free(t.a, handle), -ESTALE);
	KUNIT_EXPECT_EQ(test, try_free(t.b, again), 0);
	/* A block of pages: another kind of pool. */
	KUNIT_EXPECT_EQ(test, try_free(t.a, 1ULL << ZCBUF_BUF_PAGE_BITS),
			-EINVAL);
}

static void everything_is_reclaimed(struct kunit *test)
{
	struct two t = attach_two(test, 0);
	int seen = atomic_read(&t.pool->space_seq);
	u64 handle = 0;
	u32 i;

	for (i = 0; i < SMALL + LARGE; i++)
		KUNIT_ASSERT_EQ(test, try_alloc(t.a, i < SMALL ? 1 : 2 * PAGE_SIZE,
						false, &handle), 0);
	zcb_memory_reclaim(t.pool, &t.a->hold);
	KUNIT_EXPECT_EQ(test, obj_used(test, t.pool), 0);
	KUNIT_EXPECT_EQ(test, t.a->hold.fixed.count, 0);
	KUNIT_EXPECT_EQ(test, t.a->hold.fixed.bytes, 0);
	KUNIT_EXPECT_NE(test, atomic_read(&t.pool->space_seq), seen);
	for (i = 0; i < SMALL; i++)
		KUNIT_EXPECT_EQ(test, try_alloc(t.b, 1, false, &handle), 0);
}

/* Their records are charged before their memory is, and not with a zombie. */
static void records_are_charged(struct kunit *test)
{
	const struct zcb_fixed_spec spec = { 16, 65536 };
	struct zcb_pool_config *cfg = obj_pool_config(test);
	struct zcb_pool *pool;
	struct obj_user u;

	cfg->kind = ZCBUF_POOL_FIXED;
	KUNIT_ASSERT_EQ(test, zcb_fixed_layout(&cfg->fixed, &spec, 1,
					       PAGE_SHIFT), 0);
	obj_limits(test, 3, 64);
	obj_become(test, &u, 4001);
	pool = zcb_pool_create(cfg, current_euid());
	KUNIT_EXPECT_PTR_EQ(test, pool, ERR_PTR(-ENOMEM));
	KUNIT_EXPECT_EQ(test, obj_total_charged(), 0);
	obj_limits(test, 4, 64);
	pool = obj_make_pool(test, cfg);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), OBJ_ARENA + 65536 * 24);
	obj_drop_pool(test, pool);
	/* The one before may not have ended yet. */
	pool = obj_make_pool(test, cfg);
	obj_return(&u);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), OBJ_ARENA + 65536 * 24);
}

static struct kunit_case fixed_cases[] = {
	KUNIT_CASE(a_full_class_takes_no_other),
	KUNIT_CASE(what_is_counted),
	KUNIT_CASE(zeroed_for_others),
	KUNIT_CASE(not_zeroed_if_so_made),
	KUNIT_CASE(only_the_owner_frees),
	KUNIT_CASE(everything_is_reclaimed),
	KUNIT_CASE(records_are_charged),
	{}
};

static struct kunit_suite fixed_suite = {
	.name = "zcb_memory_fixed",
	.suite_init = obj_suite_init,
	.suite_exit = obj_suite_exit,
	.init = obj_init,
	.test_cases = fixed_cases,
};

kunit_test_suite(fixed_suite);
