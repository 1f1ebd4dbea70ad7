// SPDX-License-Identifier: GPL-2.0-only
/*
 * What CPUs keep of a pool's small blocks: the last comes first, and that it is
 * kept stands in nobody's way. A case that depends on the CPU stays on one.
 */
#include <linux/preempt.h>

#include "../../kmod/obj/magazine.h"
#include "obj_rig.h"

/* l0_depth as it was when the case ends. */
static void restore_depth(void *depth)
{
	*(uint *)depth = ZCB_L0_DEPTH;
}

static void set_depth(struct kunit *test, uint depth)
{
	uint *param = (uint *)obj_param(test, "l0_depth");

	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, restore_depth,
							   param));
	*param = depth;
}

static void free_all(struct kunit *test, struct zcb_session *s, u64 *handle,
		     u32 n)
{
	while (n--)
		KUNIT_ASSERT_EQ(test, zcb_memory_free(s->pool, &s->hold,
						      handle[n]), 0);
}

static void the_last_comes_first(struct kunit *test)
{
	struct zcb_session *s = obj_session(test, obj_pool(test));
	u64 a, b, c;

	migrate_disable();
	a = obj_alloc(test, s, PAGE_SIZE);
	b = obj_alloc(test, s, PAGE_SIZE);
	c = obj_alloc(test, s, PAGE_SIZE);
	free_all(test, s, &a, 1);
	free_all(test, s, &c, 1);
	free_all(test, s, &b, 1);
	KUNIT_EXPECT_EQ(test, s->pool->l0_blocks, 3);
	KUNIT_EXPECT_EQ(test, zcbuf_buf_offset(obj_alloc(test, s, PAGE_SIZE)),
			zcbuf_buf_offset(b));
	KUNIT_EXPECT_EQ(test, zcbuf_buf_offset(obj_alloc(test, s, PAGE_SIZE)),
			zcbuf_buf_offset(c));
	migrate_enable();
	KUNIT_EXPECT_EQ(test, s->pool->l0_blocks, 1);
	KUNIT_EXPECT_EQ(test, zcb_memory_free(s->pool, &s->hold, b), -ESTALE);
}

/* All pages, kept or not, are one block for who wants that. */
static void in_nobodys_way(struct kunit *test)
{
	struct zcb_session *s = obj_session(test, obj_pool(test));
	u64 *handle = kunit_kcalloc(test, OBJ_PAGES, sizeof(*handle),
				    GFP_KERNEL);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, handle);
	for (i = 0; i < OBJ_PAGES; i++)
		handle[i] = obj_alloc(test, s, PAGE_SIZE);
	free_all(test, s, handle, OBJ_PAGES);
	KUNIT_EXPECT_GE(test, s->pool->l0_blocks, ZCB_L0_DEPTH);
	KUNIT_EXPECT_TRUE(test, zcb_memory_room(s->pool, OBJ_ARENA));
	KUNIT_EXPECT_EQ(test, s->pool->l0_blocks, 0);

	for (i = 0; i < OBJ_PAGES; i++)
		handle[i] = obj_alloc(test, s, PAGE_SIZE);
	free_all(test, s, handle, OBJ_PAGES);
	obj_alloc(test, s, OBJ_ARENA);
}

/* And no pool grows for what it has. */
static void before_the_pool_grows(struct kunit *test)
{
	struct zcb_pool_config *cfg = obj_pool_config(test);
	struct zcb_session *s;
	u64 handle[2];

	cfg->flags = ZCBUF_POOL_F_AUTO_GROW;
	cfg->max_size = 2 * OBJ_ARENA;
	s = obj_session(test, obj_make_pool(test, cfg));
	handle[0] = obj_alloc(test, s, PAGE_SIZE);
	handle[1] = obj_alloc(test, s, 32 * PAGE_SIZE);
	free_all(test, s, handle, 2);
	obj_alloc(test, s, OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, zcb_pool_size(s->pool), OBJ_ARENA);
}

static void what_is_kept_is_free(struct kunit *test)
{
	struct zcb_session *s = obj_session(test, obj_pool(test));
	const struct zcb_pool_stat *st;
	struct zcb_arena_stat arena;
	u32 cursor = 0, top;
	u64 handle[3];

	handle[0] = obj_alloc(test, s, PAGE_SIZE);
	handle[1] = obj_alloc(test, s, 4 * PAGE_SIZE);
	handle[2] = obj_alloc(test, s, 64 * PAGE_SIZE);
	free_all(test, s, handle, 3);
	KUNIT_EXPECT_EQ(test, s->pool->l0_blocks, 2);
	st = obj_pool_stat(test, s->pool);
	top = st->norders - 1;
	KUNIT_EXPECT_EQ(test, st->used, 0);
	KUNIT_EXPECT_EQ(test, st->largest_free, OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, st->order_free[top], 1);
	KUNIT_EXPECT_EQ(test, st->order_free[0], 0);

	free_all(test, s, (u64[]){ obj_alloc(test, s, PAGE_SIZE) }, 1);
	KUNIT_EXPECT_EQ(test, s->pool->l0_blocks, 1);
	KUNIT_EXPECT_TRUE(test, zcb_pool_arena_stat(s->pool, &cursor, &arena));
	KUNIT_EXPECT_EQ(test, arena.used, 0);
	KUNIT_EXPECT_EQ(test, arena.largest_free, OBJ_ARENA);
}

/* Pages that are no block are none when they come back either. */
static void parts_of_a_block(struct kunit *test)
{
	struct zcb_pool *pool = obj_pool(test);
	u64 offset;
	u32 pages;

	KUNIT_ASSERT_EQ(test, zcb_memory_get(pool, 8 * PAGE_SIZE, 1, &offset,
					     &pages), 0);
	zcb_memory_put(pool, offset + 1 * PAGE_SIZE, 2);
	zcb_memory_put(pool, offset + 3 * PAGE_SIZE, 3);
	KUNIT_EXPECT_EQ(test, pool->l0_blocks, 0);
	zcb_memory_put(pool, offset + 6 * PAGE_SIZE, 2);
	zcb_memory_put(pool, offset, 1);
	KUNIT_EXPECT_EQ(test, pool->l0_blocks, 2);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, pool)->largest_free,
			OBJ_ARENA);
}

static void as_deep_as_told(struct kunit *test)
{
	struct zcb_session *s = obj_session(test, obj_pool(test));
	u64 handle[8];
	u32 i;

	set_depth(test, 0);
	handle[0] = obj_alloc(test, s, PAGE_SIZE);
	free_all(test, s, handle, 1);
	KUNIT_EXPECT_EQ(test, s->pool->l0_blocks, 0);
	set_depth(test, 3);
	migrate_disable();
	for (i = 0; i < 8; i++)
		handle[i] = obj_alloc(test, s, PAGE_SIZE);
	free_all(test, s, handle, 8);
	migrate_enable();
	KUNIT_EXPECT_EQ(test, s->pool->l0_blocks, 3);
	obj_pool_stat(test, s->pool);
	set_depth(test, ~0U);
	for (i = 0; i < 8; i++)
		handle[i] = obj_alloc(test, s, 32 * PAGE_SIZE);
	migrate_disable();
	free_all(test, s, handle, 8);
	migrate_enable();
	KUNIT_EXPECT_EQ(test, s->pool->l0_blocks, 2);
}

/* It is another session's memory then. */
static void kept_for_somebody_else(struct kunit *test)
{
	struct zcb_pool *pool = obj_pool(test);
	struct zcb_session *a = obj_session(test, pool);
	struct zcb_session *b = obj_session(test, pool);
	u64 handle;

	migrate_disable();
	handle = obj_alloc(test, a, PAGE_SIZE);
	obj_fill(pool, zcbuf_buf_offset(handle), PAGE_SIZE, 0x6b);
	free_all(test, a, &handle, 1);
	handle = obj_alloc(test, b, PAGE_SIZE);
	migrate_enable();
	KUNIT_EXPECT_EQ(test, pool->l0_blocks, 0);
	KUNIT_EXPECT_TRUE(test, obj_is(pool, zcbuf_buf_offset(handle),
				       PAGE_SIZE, 0));
}

static void of_any_arena(struct kunit *test)
{
	struct zcb_pool_config *cfg = obj_pool_config(test);
	struct zcb_session *s;
	u64 a, b;

	cfg->max_size = 2 * OBJ_ARENA;
	s = obj_session(test, obj_make_pool(test, cfg));
	obj_alloc(test, s, OBJ_ARENA);
	KUNIT_ASSERT_FALSE(test, IS_ERR(zcb_pool_grow(s->pool)));
	a = obj_alloc(test, s, 8 * PAGE_SIZE);
	free_all(test, s, &a, 1);
	KUNIT_EXPECT_EQ(test, s->pool->l0_blocks, 1);
	b = obj_alloc(test, s, OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, zcbuf_buf_offset(b), OBJ_ARENA);
}

static struct kunit_case magazine_cases[] = {
	KUNIT_CASE(the_last_comes_first),
	KUNIT_CASE(in_nobodys_way),
	KUNIT_CASE(before_the_pool_grows),
	KUNIT_CASE(what_is_kept_is_free),
	KUNIT_CASE(parts_of_a_block),
	KUNIT_CASE(as_deep_as_told),
	KUNIT_CASE(kept_for_somebody_else),
	KUNIT_CASE(of_any_arena),
	{}
};

static struct kunit_suite magazine_suite = {
	.name = "zcb_magazine",
	.suite_init = obj_suite_init,
	.suite_exit = obj_suite_exit,
	.init = obj_init,
	.test_cases = magazine_cases,
};

kunit_test_suite(magazine_suite);
