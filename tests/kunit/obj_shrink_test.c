// SPDX-License-Identifier: GPL-2.0-only
/*
 * What pools give back when the machine is short of memory, and what not.
 */
#include <linux/sched/mm.h>
#include <linux/workqueue.h>

#include "../../kmod/obj/shrink.h"
#include "obj_rig.h"

#define ALL	ULONG_MAX

/* One of @arenas that adds them by itself. */
static struct zcb_session *growing(struct kunit *test, u32 arenas)
{
	struct zcb_pool_config *cfg = obj_pool_config(test);

	cfg->flags = ZCBUF_POOL_F_AUTO_GROW;
	cfg->max_size = arenas * OBJ_ARENA;
	return obj_session(test, obj_make_pool(test, cfg));
}

/* As reclaim does it, so that lockdep knows from under which locks. */
static unsigned long scan(unsigned long pages)
{
	unsigned long n;

	fs_reclaim_acquire(GFP_KERNEL);
	n = zcb_shrink_scan(pages);
	fs_reclaim_release(GFP_KERNEL);
	return n;
}

static unsigned long count(void)
{
	unsigned long n;

	fs_reclaim_acquire(GFP_KERNEL);
	n = zcb_shrink_count();
	fs_reclaim_release(GFP_KERNEL);
	return n;
}

static int put(struct zcb_session *s, u64 handle)
{
	return zcb_memory_free(s->pool, &s->hold, handle);
}

static int try_alloc(struct zcb_session *s, u64 length, bool nowait,
		     u64 *handle)
{
	const struct zcb_memory_request r = {
		.length = length, .nowait = nowait,
	};

	return zcb_memory_alloc(s->pool, &s->hold, s->domain, &r, handle);
}

static u32 arena_of(u64 handle)
{
	return zcbuf_buf_offset(handle) / OBJ_ARENA;
}

static int state_of(struct zcb_session *s, u32 arena)
{
	flush_delayed_work(&s->pool->retire_work);
	return READ_ONCE(s->pool->arenas[arena]->state);
}

/* All of @n arenas, one after the other. */
static void fill(struct kunit *test, struct zcb_session *s, u64 *handle, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++) {
		handle[i] = obj_alloc(test, s, OBJ_ARENA);
		KUNIT_ASSERT_EQ(test, arena_of(handle[i]), i);
	}
}

static void what_cpus_keep_joins(struct kunit *test)
{
	struct zcb_session *s = obj_session(test, obj_pool(test));
	struct zcb_session *t = obj_session(test, obj_pool(test));

	KUNIT_EXPECT_EQ(test, count(), 0);
	KUNIT_EXPECT_EQ(test, scan(ALL), 0);
	KUNIT_EXPECT_EQ(test, put(s, obj_alloc(test, s, PAGE_SIZE)), 0);
	KUNIT_EXPECT_EQ(test, put(t, obj_alloc(test, t, 2 * PAGE_SIZE)), 0);
	KUNIT_EXPECT_EQ(test, count(), 2);
	KUNIT_EXPECT_EQ(test, scan(1), 1);
	KUNIT_EXPECT_EQ(test, s->pool->kept + t->pool->kept, 1);
	KUNIT_EXPECT_EQ(test, scan(ALL), 1);
	KUNIT_EXPECT_EQ(test, zcb_buddy_largest(&s->pool->arenas[0]->buddy),
			zcb_buddy_largest(&t->pool->arenas[0]->buddy));
	KUNIT_EXPECT_TRUE(test, zcb_arena_idle(s->pool->arenas[0]));
	KUNIT_EXPECT_EQ(test, scan(ALL), 0);
}

static void empty_arenas_go(struct kunit *test)
{
	struct zcb_session *s = growing(test, 4);
	u64 handle[4];

	fill(test, s, handle, 4);
	KUNIT_EXPECT_EQ(test, count(), 0);
	KUNIT_EXPECT_EQ(test, put(s, handle[1]), 0);
	KUNIT_EXPECT_EQ(test, put(s, handle[2]), 0);
	KUNIT_EXPECT_EQ(test, count(), 2 * OBJ_PAGES);
	KUNIT_EXPECT_EQ(test, scan(1), OBJ_PAGES);
	KUNIT_EXPECT_EQ(test, state_of(s, 2), ZCB_ARENA_GONE);
	KUNIT_EXPECT_EQ(test, state_of(s, 1), ZCB_ARENA_LIVE);
	KUNIT_EXPECT_FALSE(test, s->pool->shrinking);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), 3 * OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, scan(ALL), OBJ_PAGES);
	KUNIT_EXPECT_EQ(test, state_of(s, 1), ZCB_ARENA_GONE);
	KUNIT_EXPECT_EQ(test, state_of(s, 3), ZCB_ARENA_LIVE);
	KUNIT_EXPECT_EQ(test, put(s, handle[0]), 0);
	KUNIT_EXPECT_EQ(test, count(), 0);
	KUNIT_EXPECT_EQ(test, scan(ALL), 0);
	KUNIT_EXPECT_EQ(test, state_of(s, 0), ZCB_ARENA_LIVE);
	KUNIT_EXPECT_EQ(test, put(s, handle[1]), -ENOENT);
	KUNIT_EXPECT_EQ(test, put(s, handle[3]), 0);
}

/* What was asked for stays, and what was made for who has not come yet. */
static void only_what_nobody_asked_for(struct kunit *test)
{
	struct zcb_session *s = growing(test, 3);
	u64 handle[2];

	KUNIT_ASSERT_FALSE(test, IS_ERR(zcb_pool_grow(s->pool)));
	fill(test, s, handle, 2);
	KUNIT_EXPECT_EQ(test, put(s, handle[1]), 0);
	KUNIT_EXPECT_EQ(test, count(), 0);
	KUNIT_EXPECT_EQ(test, scan(ALL), 0);
	KUNIT_ASSERT_TRUE(test, zcb_pool_grow_for(s->pool, NUMA_NO_NODE, 2));
	KUNIT_EXPECT_EQ(test, count(), 0);
	KUNIT_EXPECT_EQ(test, scan(ALL), 0);
	KUNIT_EXPECT_EQ(test, zcb_pool_size(s->pool), 3 * OBJ_ARENA);
}

static void not_what_is_used(struct kunit *test)
{
	struct zcb_session *s = growing(test, 2);
	struct page *page;
	u64 handle[2], small;

	fill(test, s, handle, 2);
	KUNIT_EXPECT_EQ(test, put(s, handle[1]), 0);
	small = obj_alloc(test, s, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, arena_of(small), 1);
	KUNIT_EXPECT_EQ(test, count(), 0);
	KUNIT_EXPECT_EQ(test, scan(ALL), 0);
	page = zcb_pool_page_get(s->pool, OBJ_PAGES, true);
	KUNIT_EXPECT_EQ(test, put(s, small), 0);
	KUNIT_EXPECT_EQ(test, scan(ALL), 1);
	KUNIT_EXPECT_EQ(test, count(), OBJ_PAGES);
	KUNIT_EXPECT_EQ(test, scan(ALL), 0);
	KUNIT_EXPECT_EQ(test, state_of(s, 1), ZCB_ARENA_LIVE);
	put_page(page);
	small = obj_alloc(test, s, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, put(s, small), 0);
	KUNIT_EXPECT_EQ(test, s->pool->kept, 1);
	KUNIT_EXPECT_EQ(test, scan(ALL), 1 + OBJ_PAGES);
	KUNIT_EXPECT_EQ(test, state_of(s, 1), ZCB_ARENA_GONE);
}

/* Between that it is taken and that it is gone there is neither it nor another. */
static void nobody_misses_it(struct kunit *test)
{
	struct zcb_session *s = growing(test, 2);
	u64 handle[2];

	fill(test, s, handle, 2);
	KUNIT_EXPECT_EQ(test, put(s, handle[1]), 0);
	migrate_disable();
	KUNIT_EXPECT_EQ(test, scan(ALL), OBJ_PAGES);
	if (READ_ONCE(s->pool->shrinking)) {
		KUNIT_EXPECT_TRUE(test, zcb_memory_room(s->pool, OBJ_ARENA));
		KUNIT_EXPECT_EQ(test, try_alloc(s, OBJ_ARENA, true, handle),
				-ZCB_ESLEEP);
	}
	migrate_enable();
	KUNIT_EXPECT_EQ(test, try_alloc(s, OBJ_ARENA, false, &handle[1]), 0);
	KUNIT_EXPECT_EQ(test, arena_of(handle[1]), 2);
	KUNIT_EXPECT_EQ(test, zcb_pool_size(s->pool), 2 * OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, try_alloc(s, PAGE_SIZE, false, handle), -ENOMEM);
}

/* A number is used once, and what the pool may be it may become. */
static void as_long_as_there_are_numbers(struct kunit *test)
{
	struct zcb_session *s = growing(test, 2);
	u64 handle[2];
	u32 i;

	fill(test, s, handle, 2);
	for (i = 1; i < ZCB_POOL_ARENAS; i++) {
		KUNIT_ASSERT_EQ(test, arena_of(handle[1]), i);
		KUNIT_ASSERT_EQ(test, put(s, handle[1]), 0);
		if (i == ZCB_POOL_ARENAS - 1)
			break;
		KUNIT_ASSERT_EQ(test, scan(ALL), OBJ_PAGES);
		handle[1] = obj_alloc(test, s, OBJ_ARENA);
	}
	KUNIT_EXPECT_EQ(test, count(), 0);
	KUNIT_EXPECT_EQ(test, scan(ALL), 0);
	KUNIT_EXPECT_EQ(test, arena_of(obj_alloc(test, s, OBJ_ARENA)),
			ZCB_POOL_ARENAS - 1);
	s = growing(test, ZCB_POOL_ARENAS);
	fill(test, s, handle, 2);
	KUNIT_ASSERT_EQ(test, put(s, handle[1]), 0);
	KUNIT_EXPECT_EQ(test, scan(ALL), 0);
}

/* Its work item has just been queued, and does nothing to a pool that is gone. */
static void of_a_pool_that_ends(struct kunit *test)
{
	struct zcb_session *s = growing(test, 2);
	struct zcb_pool *pool = s->pool;
	u64 handle[2];

	fill(test, s, handle, 2);
	KUNIT_EXPECT_EQ(test, put(s, handle[1]), 0);
	KUNIT_EXPECT_EQ(test, scan(ALL), OBJ_PAGES);
	obj_close(test, s);
	obj_drop_pool(test, pool);
	obj_settle(test);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), 0);
}

static struct kunit_case shrink_cases[] = {
	KUNIT_CASE(what_cpus_keep_joins),
	KUNIT_CASE(empty_arenas_go),
	KUNIT_CASE(only_what_nobody_asked_for),
	KUNIT_CASE(not_what_is_used),
	KUNIT_CASE(nobody_misses_it),
	KUNIT_CASE(as_long_as_there_are_numbers),
	KUNIT_CASE(of_a_pool_that_ends),
	{}
};

static struct kunit_suite shrink_suite = {
	.name = "zcb_shrink",
	.suite_init = obj_suite_init,
	.suite_exit = obj_suite_exit,
	.init = obj_init,
	.test_cases = shrink_cases,
};

kunit_test_suite(shrink_suite);
