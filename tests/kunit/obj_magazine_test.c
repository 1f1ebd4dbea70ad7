// SPDX-License-Identifier: GPL-2.0-only
/*
 * What CPUs keep of a pool's small blocks and empty slabs: the last comes first,
 * and that it is kept stands in nobody's way. A case that depends on the CPU stays
 * on one.
 */
#include <linux/preempt.h>

#include "../../kmod/obj/magazine.h"
#include "../../kmod/obj/slabs.h"
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
	KUNIT_EXPECT_EQ(test, s->pool->kept, 3);
	KUNIT_EXPECT_EQ(test, zcbuf_buf_offset(obj_alloc(test, s, PAGE_SIZE)),
			zcbuf_buf_offset(b));
	KUNIT_EXPECT_EQ(test, zcbuf_buf_offset(obj_alloc(test, s, PAGE_SIZE)),
			zcbuf_buf_offset(c));
	migrate_enable();
	KUNIT_EXPECT_EQ(test, s->pool->kept, 1);
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
	KUNIT_EXPECT_GE(test, s->pool->kept, ZCB_L0_DEPTH);
	KUNIT_EXPECT_TRUE(test, zcb_memory_room(s->pool, OBJ_ARENA));
	KUNIT_EXPECT_EQ(test, s->pool->kept, 0);

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
	KUNIT_EXPECT_EQ(test, s->pool->kept, 2);
	st = obj_pool_stat(test, s->pool);
	top = st->norders - 1;
	KUNIT_EXPECT_EQ(test, st->used, 0);
	KUNIT_EXPECT_EQ(test, st->largest_free, OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, st->order_free[top], 1);
	KUNIT_EXPECT_EQ(test, st->order_free[0], 0);

	free_all(test, s, (u64[]){ obj_alloc(test, s, PAGE_SIZE) }, 1);
	KUNIT_EXPECT_EQ(test, s->pool->kept, 1);
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
	KUNIT_EXPECT_EQ(test, pool->kept, 0);
	zcb_memory_put(pool, offset + 6 * PAGE_SIZE, 2);
	zcb_memory_put(pool, offset, 1);
	KUNIT_EXPECT_EQ(test, pool->kept, 2);
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
	KUNIT_EXPECT_EQ(test, s->pool->kept, 0);
	set_depth(test, 3);
	migrate_disable();
	for (i = 0; i < 8; i++)
		handle[i] = obj_alloc(test, s, PAGE_SIZE);
	free_all(test, s, handle, 8);
	migrate_enable();
	KUNIT_EXPECT_EQ(test, s->pool->kept, 3);
	obj_pool_stat(test, s->pool);
	set_depth(test, ~0U);
	for (i = 0; i < 8; i++)
		handle[i] = obj_alloc(test, s, 32 * PAGE_SIZE);
	migrate_disable();
	free_all(test, s, handle, 8);
	migrate_enable();
	KUNIT_EXPECT_EQ(test, s->pool->kept, 2);
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
	KUNIT_EXPECT_EQ(test, pool->kept, 0);
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
	KUNIT_EXPECT_EQ(test, s->pool->kept, 1);
	b = obj_alloc(test, s, OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, zcbuf_buf_offset(b), OBJ_ARENA);
}

static struct zcb_pool *tiers(struct kunit *test)
{
	struct zcb_pool_config *cfg = obj_pool_config(test);

	cfg->kind = ZCBUF_POOL_TIERS;
	zcb_slab_table_init(&cfg->slabs, zcb_slab_tiers, ZCB_SLAB_TIERS,
			    PAGE_SHIFT);
	return obj_make_pool(test, cfg);
}

/* How many slabs all CPUs keep. */
static u32 kept_slabs(const struct zcb_pool *pool)
{
	u32 cpu, class, n = 0;

	for (cpu = 0; cpu < nr_cpu_ids; cpu++)
		for (class = 0; class < ZCB_SLAB_TIERS; class++)
			n += pool->magazines[cpu].nslabs[class];
	return n;
}

/* It is leased anew, so handles of the lease before are stale. */
static void a_slab_is_kept(struct kunit *test)
{
	struct zcb_session *s = obj_session(test, tiers(test));
	u64 old, now;

	migrate_disable();
	old = obj_alloc(test, s, 1024);
	free_all(test, s, &old, 1);
	KUNIT_EXPECT_EQ(test, kept_slabs(s->pool), 1);
	KUNIT_EXPECT_EQ(test, s->pool->used, 0);
	KUNIT_EXPECT_EQ(test, s->hold.leases.count, 0);
	KUNIT_EXPECT_EQ(test, s->pool->cfg.slabs.class[3].total, 0);
	KUNIT_EXPECT_EQ(test, zcb_memory_free(s->pool, &s->hold, old),
			-EBADSLT);
	now = obj_alloc(test, s, 1024);
	migrate_enable();
	KUNIT_EXPECT_EQ(test, zcbuf_buf_offset(now), zcbuf_buf_offset(old));
	KUNIT_EXPECT_EQ(test, s->pool->kept, 0);
	KUNIT_EXPECT_EQ(test, s->pool->used, 2 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, zcb_memory_free(s->pool, &s->hold, old),
			-ESTALE);
	free_all(test, s, &now, 1);
}

/* For who had it: nobody else sees it before it is zero. */
static void a_slab_for_its_session(struct kunit *test)
{
	struct zcb_pool *pool = tiers(test);
	struct zcb_session *a = obj_session(test, pool);
	struct zcb_session *b = obj_session(test, pool);
	u64 mine, other;

	migrate_disable();
	mine = obj_alloc(test, a, 65536);
	obj_fill(pool, zcbuf_buf_offset(mine), 65536, 0x6b);
	free_all(test, a, &mine, 1);
	other = obj_alloc(test, b, 65536);
	KUNIT_EXPECT_EQ(test, kept_slabs(pool), 1);
	KUNIT_EXPECT_NE(test, zcbuf_buf_offset(other), zcbuf_buf_offset(mine));
	KUNIT_EXPECT_EQ(test, zcbuf_buf_offset(obj_alloc(test, a, 65536)),
			zcbuf_buf_offset(mine));
	KUNIT_EXPECT_EQ(test, kept_slabs(pool), 0);
	migrate_enable();
	obj_close(test, a);
	KUNIT_EXPECT_EQ(test, kept_slabs(pool), 0);
	free_all(test, b, &other, 1);
	obj_close(test, b);
	b = obj_session(test, pool);
	other = obj_alloc(test, b, OBJ_ARENA);
	KUNIT_EXPECT_TRUE(test, obj_is(pool, zcbuf_buf_offset(other), OBJ_ARENA,
				       0));
}

/* Of which another session had an object, which it may have written to. */
static void no_slab_that_was_mixed(struct kunit *test)
{
	struct zcb_pool *pool = tiers(test);
	struct zcb_session *a = obj_session(test, pool);
	struct zcb_session *b = obj_session(test, pool);
	LIST_HEAD(spare);
	u64 handle;
	int err;

	handle = obj_alloc(test, a, 1024);
	zcb_slabs_spare(pool, &spare, 1);
	spin_lock(&pool->mem_lock);
	err = zcb_slabs_transfer_locked(pool, &a->hold, &b->hold, handle,
					&spare);
	spin_unlock(&pool->mem_lock);
	KUNIT_ASSERT_EQ(test, err, 0);
	obj_fill(pool, zcbuf_buf_offset(handle), 1024, 0x6b);
	migrate_disable();
	free_all(test, b, &handle, 1);
	KUNIT_EXPECT_EQ(test, kept_slabs(pool), 0);
	handle = obj_alloc(test, a, 1024);
	migrate_enable();
	KUNIT_EXPECT_TRUE(test, obj_is(pool, zcbuf_buf_offset(handle), 1024,
				       0));
}

/* Only so many of a class, and no more of the oldest. */
static void few_slabs(struct kunit *test)
{
	struct zcb_session *s = obj_session(test, tiers(test));
	u64 handle[6];
	u32 i;

	for (i = 0; i < 6; i++)
		handle[i] = obj_alloc(test, s, 65536);
	migrate_disable();
	free_all(test, s, handle, 6);
	KUNIT_EXPECT_EQ(test, kept_slabs(s->pool), 4);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, zcbuf_buf_offset(obj_alloc(test, s,
								 65536)),
				zcbuf_buf_offset(handle[i]));
	migrate_enable();
	KUNIT_EXPECT_EQ(test, kept_slabs(s->pool), 0);
	set_depth(test, 0);
	handle[0] = obj_alloc(test, s, 16);
	free_all(test, s, handle, 1);
	KUNIT_EXPECT_EQ(test, kept_slabs(s->pool), 0);
}

static void slabs_in_nobodys_way(struct kunit *test)
{
	struct zcb_session *s = obj_session(test, tiers(test));
	u64 handle[ZCB_SLAB_TIERS];
	u32 i;

	for (i = 0; i < ZCB_SLAB_TIERS; i++)
		handle[i] = obj_alloc(test, s, zcb_slab_tiers[i]);
	free_all(test, s, handle, ZCB_SLAB_TIERS);
	KUNIT_EXPECT_EQ(test, kept_slabs(s->pool), ZCB_SLAB_TIERS);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, s->pool)->largest_free,
			OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, kept_slabs(s->pool), 0);

	for (i = 0; i < ZCB_SLAB_TIERS; i++)
		handle[i] = obj_alloc(test, s, zcb_slab_tiers[i]);
	free_all(test, s, handle, ZCB_SLAB_TIERS);
	obj_alloc(test, s, OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, s->pool->kept, 0);
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
	KUNIT_CASE(a_slab_is_kept),
	KUNIT_CASE(a_slab_for_its_session),
	KUNIT_CASE(no_slab_that_was_mixed),
	KUNIT_CASE(few_slabs),
	KUNIT_CASE(slabs_in_nobodys_way),
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
