// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arenas that are retired: what is handed out meanwhile, when they go, what stays,
 * and what is told of all that.
 */
#include <linux/workqueue.h>

#include "obj_rig.h"

#define NO_WAIT	0

/* A pool of @arenas, which may have that many and no more. */
static struct zcb_pool *pool_of(struct kunit *test, u32 kind, u32 arenas)
{
	struct zcb_pool_config *cfg = obj_pool_config(test);
	struct zcb_pool *pool;
	u32 i;

	cfg->kind = kind;
	cfg->max_size = arenas * OBJ_ARENA;
	if (kind == ZCBUF_POOL_TIERS)
		zcb_slab_table_init(&cfg->slabs, zcb_slab_tiers,
				    ZCB_SLAB_TIERS, PAGE_SHIFT);
	pool = obj_make_pool(test, cfg);
	for (i = 1; i < arenas; i++)
		KUNIT_ASSERT_FALSE(test, IS_ERR(zcb_pool_grow(pool)));
	return pool;
}

static struct zcb_session *pages_of(struct kunit *test, u32 arenas)
{
	return obj_session(test, pool_of(test, ZCBUF_POOL_PAGES, arenas));
}

/* What has become of it, or an error. */
static int retire(struct zcb_pool *pool, u32 index, bool now)
{
	u32 state = 77;
	int err = zcb_pool_retire(pool, NULL, index, now, NO_WAIT, &state);

	return err ?: (int)state;
}

static int cancel(struct zcb_pool *pool, u32 index)
{
	u32 state = 77;
	int err = zcb_pool_retire_cancel(pool, index, &state);

	return err ?: (int)state;
}

/* Also if the time for it has not come. */
static int look_again(struct zcb_pool *pool, u32 index)
{
	flush_delayed_work(&pool->retire_work);
	return READ_ONCE(pool->arenas[index]->state);
}

static int try_alloc(struct zcb_session *s, u64 length, u64 *handle)
{
	const struct zcb_memory_request r = { .length = length };

	return zcb_memory_alloc(s->pool, &s->hold, s->domain, &r, handle);
}

static int put(struct zcb_session *s, u64 handle)
{
	return zcb_memory_free(s->pool, &s->hold, handle);
}

static u32 arena_of(u64 handle)
{
	return zcbuf_buf_offset(handle) / OBJ_ARENA;
}

/* Blocks of half an arena, the last of them in arena 1. */
static u64 half_of_arena_1(struct kunit *test, struct zcb_session *s,
			   u64 *in_arena_0)
{
	u64 handle;

	in_arena_0[0] = obj_alloc(test, s, OBJ_ARENA / 2);
	in_arena_0[1] = obj_alloc(test, s, OBJ_ARENA / 2);
	handle = obj_alloc(test, s, OBJ_ARENA / 2);
	KUNIT_ASSERT_EQ(test, arena_of(handle), 1);
	return handle;
}

static void an_idle_one_goes_at_once(struct kunit *test)
{
	struct zcb_pool *pool = pool_of(test, ZCBUF_POOL_PAGES, 3);
	int seen = atomic_read(&pool->space_seq);
	const struct zcb_pool_stat *st;

	KUNIT_EXPECT_EQ(test, retire(pool, 1, false), ZCB_ARENA_GONE);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), 2 * OBJ_ARENA);
	KUNIT_EXPECT_NE(test, atomic_read(&pool->space_seq), seen);
	KUNIT_EXPECT_NOT_NULL(test, zcb_pool_page(pool, OBJ_PAGES - 1));
	KUNIT_EXPECT_NULL(test, zcb_pool_page(pool, OBJ_PAGES));
	KUNIT_EXPECT_NULL(test, zcb_pool_page(pool, 2 * OBJ_PAGES - 1));
	KUNIT_EXPECT_NOT_NULL(test, zcb_pool_page(pool, 2 * OBJ_PAGES));
	KUNIT_EXPECT_NULL(test, zcb_pool_page_get(pool, OBJ_PAGES, true));
	st = obj_pool_stat(test, pool);
	KUNIT_EXPECT_EQ(test, st->size, 2 * OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, st->end, 3 * OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, st->arenas, 2);
	KUNIT_EXPECT_EQ(test, st->present, 0b101);
	KUNIT_EXPECT_EQ(test, st->retiring, 0);
	KUNIT_EXPECT_EQ(test, pool->idle, 0);
	KUNIT_EXPECT_EQ(test, retire(pool, 1, false), ZCB_ARENA_GONE);
	KUNIT_EXPECT_EQ(test, retire(pool, 1, true), ZCB_ARENA_GONE);
}

static void which_can_be(struct kunit *test)
{
	const struct zcb_fixed_spec spec = { .length = PAGE_SIZE, .count = 4 };
	struct zcb_pool *pool = pool_of(test, ZCBUF_POOL_PAGES, 2);
	struct zcb_pool_config *cfg = obj_pool_config(test);

	KUNIT_EXPECT_EQ(test, retire(pool, 0, false), -EINVAL);
	KUNIT_EXPECT_EQ(test, retire(pool, 2, false), -EINVAL);
	KUNIT_EXPECT_EQ(test, retire(pool, ~0U, true), -EINVAL);
	KUNIT_EXPECT_EQ(test, cancel(pool, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, cancel(pool, 64), -EINVAL);
	KUNIT_EXPECT_EQ(test, cancel(pool, 1), ZCB_ARENA_LIVE);
	cfg->kind = ZCBUF_POOL_FIXED;
	KUNIT_ASSERT_EQ(test, zcb_fixed_layout(&cfg->fixed, &spec, 1,
					       PAGE_SHIFT), 0);
	pool = obj_make_pool(test, cfg);
	KUNIT_EXPECT_EQ(test, retire(pool, 0, false), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, cancel(pool, 1), -EOPNOTSUPP);
}

static void nothing_more_is_handed_out(struct kunit *test)
{
	struct zcb_session *s = pages_of(test, 2);
	u64 first[2], last, handle;

	last = half_of_arena_1(test, s, first);
	KUNIT_EXPECT_EQ(test, retire(s->pool, 1, false), ZCB_ARENA_RETIRING);
	KUNIT_EXPECT_EQ(test, try_alloc(s, PAGE_SIZE, &handle), -ENOMEM);
	KUNIT_EXPECT_FALSE(test, zcb_memory_room(s->pool, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, put(s, first[0]), 0);
	KUNIT_EXPECT_EQ(test, try_alloc(s, OBJ_ARENA / 2, &first[0]), 0);
	KUNIT_EXPECT_EQ(test, arena_of(first[0]), 0);
	KUNIT_EXPECT_EQ(test, retire(s->pool, 1, false), ZCB_ARENA_RETIRING);
	KUNIT_EXPECT_TRUE(test, obj_is(s->pool, zcbuf_buf_offset(last),
				       OBJ_ARENA / 2, 0));

	KUNIT_EXPECT_EQ(test, put(s, last), 0);
	KUNIT_EXPECT_EQ(test, look_again(s->pool, 1), ZCB_ARENA_GONE);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, try_alloc(s, PAGE_SIZE, &handle), -ENOMEM);
}

/* What CPUs keep is no use of it, and what comes back they do not keep. */
static void cpus_keep_nothing_of_it(struct kunit *test)
{
	struct zcb_session *s = pages_of(test, 2);
	u64 first[2], last, small;

	last = half_of_arena_1(test, s, first);
	small = obj_alloc(test, s, PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, arena_of(small), 1);
	migrate_disable();
	KUNIT_EXPECT_EQ(test, put(s, small), 0);
	KUNIT_ASSERT_EQ(test, s->pool->kept, 1);
	KUNIT_EXPECT_EQ(test, put(s, last), 0);
	migrate_enable();
	last = obj_alloc(test, s, OBJ_ARENA / 4);
	small = obj_alloc(test, s, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, retire(s->pool, 1, false), ZCB_ARENA_RETIRING);
	KUNIT_EXPECT_EQ(test, s->pool->kept, 0);
	KUNIT_EXPECT_EQ(test, put(s, small), 0);
	KUNIT_EXPECT_EQ(test, s->pool->kept, 0);
	KUNIT_EXPECT_EQ(test, put(s, last), 0);
	KUNIT_EXPECT_EQ(test, look_again(s->pool, 1), ZCB_ARENA_GONE);
}

static void kept_blocks_do_not_keep_it(struct kunit *test)
{
	struct zcb_session *s = pages_of(test, 2);
	u64 first[2], last, small;

	last = half_of_arena_1(test, s, first);
	small = obj_alloc(test, s, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, put(s, last), 0);
	KUNIT_EXPECT_EQ(test, put(s, small), 0);
	KUNIT_ASSERT_EQ(test, s->pool->kept, 1);
	KUNIT_EXPECT_EQ(test, retire(s->pool, 1, true), ZCB_ARENA_GONE);
}

static void kept_slabs_do_not_keep_it(struct kunit *test)
{
	struct zcb_pool *pool = pool_of(test, ZCBUF_POOL_TIERS, 2);
	struct zcb_session *s = obj_session(test, pool);
	u64 block = obj_alloc(test, s, OBJ_ARENA);
	u64 object = obj_alloc(test, s, 1024);

	KUNIT_ASSERT_EQ(test, arena_of(object), 1);
	KUNIT_EXPECT_EQ(test, put(s, object), 0);
	KUNIT_ASSERT_EQ(test, pool->kept, 1);
	KUNIT_EXPECT_EQ(test, retire(pool, 1, true), ZCB_ARENA_GONE);
	KUNIT_EXPECT_EQ(test, pool->kept, 0);
	KUNIT_EXPECT_EQ(test, put(s, block), 0);
	KUNIT_EXPECT_EQ(test, arena_of(obj_alloc(test, s, 1024)), 0);
}

static void now_or_not_at_all(struct kunit *test)
{
	struct zcb_session *s = pages_of(test, 2);
	u64 first[2], last, handle;

	last = half_of_arena_1(test, s, first);
	KUNIT_EXPECT_EQ(test, retire(s->pool, 1, true), -EBUSY);
	KUNIT_EXPECT_EQ(test, s->pool->arenas[1]->state, ZCB_ARENA_LIVE);
	handle = obj_alloc(test, s, OBJ_ARENA / 2);
	KUNIT_EXPECT_EQ(test, arena_of(handle), 1);
	KUNIT_EXPECT_EQ(test, put(s, handle), 0);

	KUNIT_EXPECT_EQ(test, retire(s->pool, 1, false), ZCB_ARENA_RETIRING);
	KUNIT_EXPECT_EQ(test, retire(s->pool, 1, true), -EBUSY);
	KUNIT_EXPECT_EQ(test, put(s, last), 0);
	KUNIT_EXPECT_EQ(test, look_again(s->pool, 1), ZCB_ARENA_GONE);
}

static void a_held_page_is_use(struct kunit *test)
{
	struct zcb_pool *pool = pool_of(test, ZCBUF_POOL_PAGES, 2);
	struct page *page = zcb_pool_page_get(pool, 2 * OBJ_PAGES - 1, true);

	KUNIT_EXPECT_EQ(test, retire(pool, 1, true), -EBUSY);
	KUNIT_EXPECT_EQ(test, pool->arenas[1]->state, ZCB_ARENA_LIVE);
	put_page(page);
	KUNIT_EXPECT_EQ(test, retire(pool, 1, true), ZCB_ARENA_GONE);
}

/* It is charged, and seen, and is what it was to who holds it. */
static void a_held_page_keeps_it(struct kunit *test)
{
	struct zcb_pool *pool = pool_of(test, ZCBUF_POOL_PAGES, 2);
	struct page *page = zcb_pool_page_get(pool, OBJ_PAGES + 3, true);
	struct zcb_arena_stat arena;
	const struct zcb_pool_stat *st;
	u32 cursor = 1;

	memset(page_address(page), 0xa5, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, retire(pool, 1, false), ZCB_ARENA_PINNED);
	KUNIT_EXPECT_NULL(test, zcb_pool_page(pool, OBJ_PAGES + 3));
	KUNIT_EXPECT_EQ(test, obj_total_charged(), 2 * OBJ_ARENA);
	st = obj_pool_stat(test, pool);
	KUNIT_EXPECT_EQ(test, st->size, 2 * OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, st->present, 0b01);
	KUNIT_EXPECT_EQ(test, st->retiring, 0b10);
	KUNIT_EXPECT_TRUE(test, zcb_pool_arena_stat(pool, &cursor, &arena));
	KUNIT_EXPECT_EQ(test, arena.state, ZCB_ARENA_PINNED);
	KUNIT_EXPECT_EQ(test, arena.used + arena.largest_free, 0);
	KUNIT_EXPECT_EQ(test, look_again(pool, 1), ZCB_ARENA_PINNED);
	KUNIT_EXPECT_EQ(test, retire(pool, 1, false), ZCB_ARENA_PINNED);
	KUNIT_EXPECT_EQ(test, retire(pool, 1, true), -EBUSY);
	KUNIT_EXPECT_EQ(test, cancel(pool, 1), -EALREADY);
	KUNIT_EXPECT_NULL(test, memchr_inv(page_address(page), 0xa5,
					   PAGE_SIZE));
	put_page(page);
	KUNIT_EXPECT_EQ(test, look_again(pool, 1), ZCB_ARENA_GONE);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, cancel(pool, 1), -EALREADY);
	cursor = 1;
	KUNIT_EXPECT_FALSE(test, zcb_pool_arena_stat(pool, &cursor, &arena));
}

/* While it is pinned nobody has to ask. */
static void it_is_looked_at_again(struct kunit *test)
{
	struct zcb_pool *pool = pool_of(test, ZCBUF_POOL_PAGES, 2);
	struct page *page = zcb_pool_page_get(pool, OBJ_PAGES, true);

	KUNIT_EXPECT_EQ(test, retire(pool, 1, false), ZCB_ARENA_PINNED);
	KUNIT_EXPECT_TRUE(test, delayed_work_pending(&pool->retire_work));
	put_page(page);
	while (READ_ONCE(pool->arenas[1]->state) != ZCB_ARENA_GONE)
		schedule_timeout_uninterruptible(1);
	flush_delayed_work(&pool->retire_work);
	KUNIT_EXPECT_FALSE(test, delayed_work_pending(&pool->retire_work));
}

static void several_at_once(struct kunit *test)
{
	struct zcb_pool *pool = pool_of(test, ZCBUF_POOL_PAGES, 4);
	struct page *page = zcb_pool_page_get(pool, OBJ_PAGES, true);

	KUNIT_EXPECT_EQ(test, retire(pool, 1, false), ZCB_ARENA_PINNED);
	KUNIT_EXPECT_EQ(test, retire(pool, 3, false), ZCB_ARENA_GONE);
	KUNIT_EXPECT_EQ(test, retire(pool, 2, false), ZCB_ARENA_GONE);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), 2 * OBJ_ARENA);
	put_page(page);
	KUNIT_EXPECT_EQ(test, look_again(pool, 1), ZCB_ARENA_GONE);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, pool)->present, 1);
}

static void handles_of_it_are_unknown(struct kunit *test)
{
	struct zcb_session *s = pages_of(test, 2);
	struct zcb_memory_place place;
	u64 first[2], last, bad;

	last = half_of_arena_1(test, s, first);
	KUNIT_EXPECT_EQ(test, retire(s->pool, 1, false), ZCB_ARENA_RETIRING);
	KUNIT_EXPECT_EQ(test, zcb_memory_find(s->pool, &s->hold, last, &place),
			0);
	KUNIT_EXPECT_EQ(test, place.arena, 1);
	KUNIT_EXPECT_EQ(test, put(s, last), 0);
	KUNIT_EXPECT_EQ(test, look_again(s->pool, 1), ZCB_ARENA_GONE);
	bad = obj_pool_stat(test, s->pool)->bad_frees;
	KUNIT_EXPECT_EQ(test, put(s, last), -ENOENT);
	KUNIT_EXPECT_EQ(test, put(s, last | 1ULL << 57), -ENOENT);
	KUNIT_EXPECT_EQ(test, zcb_memory_find(s->pool, &s->hold, last, &place),
			-ENOENT);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, s->pool)->bad_frees, bad + 2);
}

/* A slab of it stays its session's, but gives no more objects. */
static void slabs_are_closed(struct kunit *test)
{
	struct zcb_pool *pool = pool_of(test, ZCBUF_POOL_TIERS, 2);
	struct zcb_session *s = obj_session(test, pool);
	u64 block = obj_alloc(test, s, OBJ_ARENA);
	u64 object[2], other;

	object[0] = obj_alloc(test, s, 1024);
	object[1] = obj_alloc(test, s, 1024);
	KUNIT_ASSERT_EQ(test, arena_of(object[0]), 1);
	KUNIT_ASSERT_EQ(test, arena_of(object[1]), 1);
	KUNIT_EXPECT_EQ(test, retire(pool, 1, false), ZCB_ARENA_RETIRING);
	KUNIT_EXPECT_EQ(test, try_alloc(s, 1024, &other), -ENOMEM);
	KUNIT_EXPECT_EQ(test, put(s, object[0]), 0);
	KUNIT_EXPECT_EQ(test, try_alloc(s, 1024, &other), -ENOMEM);
	KUNIT_EXPECT_EQ(test, put(s, block), 0);
	other = obj_alloc(test, s, 1024);
	KUNIT_EXPECT_EQ(test, arena_of(other), 0);
	KUNIT_EXPECT_EQ(test, put(s, object[1]), 0);
	KUNIT_EXPECT_EQ(test, look_again(pool, 1), ZCB_ARENA_GONE);
	KUNIT_EXPECT_EQ(test, put(s, object[1]), -ENOENT);
	KUNIT_EXPECT_EQ(test, try_alloc(s, 1024, &other), 0);
	KUNIT_EXPECT_EQ(test, arena_of(other), 0);
}

/* Full slabs are closed as well, and one that has room again is. */
static void a_full_slab_is_closed(struct kunit *test)
{
	struct zcb_pool *pool = pool_of(test, ZCBUF_POOL_TIERS, 2);
	struct zcb_session *s = obj_session(test, pool);
	u64 block = obj_alloc(test, s, OBJ_ARENA);
	u64 object[8], other;
	u32 i;

	for (i = 0; i < 8; i++)
		object[i] = obj_alloc(test, s, 1024);
	KUNIT_ASSERT_EQ(test, pool->cfg.slabs.class[3].nobjs, 8);
	KUNIT_EXPECT_EQ(test, retire(pool, 1, false), ZCB_ARENA_RETIRING);
	KUNIT_EXPECT_EQ(test, put(s, block), 0);
	KUNIT_EXPECT_EQ(test, put(s, object[3]), 0);
	other = obj_alloc(test, s, 1024);
	KUNIT_EXPECT_EQ(test, arena_of(other), 0);
	obj_close(test, s);
	KUNIT_EXPECT_EQ(test, look_again(pool, 1), ZCB_ARENA_GONE);
	KUNIT_EXPECT_EQ(test, obj_used(test, pool), 0);
}

/* As by who has its block, and leases it after the arena was retired. */
static void an_empty_slab_is_given_back(struct kunit *test)
{
	struct zcb_pool *pool = pool_of(test, ZCBUF_POOL_TIERS, 2);
	const struct zcb_slab_class *c = &pool->cfg.slabs.class[3];
	struct zcb_slab *slab = kzalloc(zcb_slab_size(c), GFP_KERNEL);
	struct zcb_session *s = obj_session(test, pool);
	const struct zcb_memory_want w = {
		.order = c->order, .domain = s->domain, .nid = NUMA_NO_NODE,
	};
	u64 block = obj_alloc(test, s, OBJ_ARENA);
	u32 page;

	KUNIT_ASSERT_NOT_NULL(test, slab);
	KUNIT_ASSERT_EQ(test, zcb_memory_block(pool, &w, &page), 0);
	KUNIT_EXPECT_EQ(test, put(s, block), 0);
	KUNIT_EXPECT_EQ(test, retire(pool, 1, false), ZCB_ARENA_RETIRING);
	spin_lock(&pool->mem_lock);
	zcb_slab_init(slab, &pool->cfg.slabs, 3, page, &s->hold.slabs[3]);
	zcb_buf_lease(&pool->bufs, &s->hold.leases, &s->hold, page, c->order,
		      slab);
	spin_unlock(&pool->mem_lock);
	KUNIT_EXPECT_EQ(test, arena_of(obj_alloc(test, s, 1024)), 0);
	KUNIT_EXPECT_EQ(test, look_again(pool, 1), ZCB_ARENA_GONE);
}

static void the_dead_give_it_back(struct kunit *test)
{
	struct zcb_session *s = pages_of(test, 3);
	struct zcb_pool *pool = s->pool;
	u64 first[2];

	half_of_arena_1(test, s, first);
	obj_alloc(test, s, OBJ_ARENA / 2);
	obj_alloc(test, s, OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, retire(pool, 1, false), ZCB_ARENA_RETIRING);
	KUNIT_EXPECT_EQ(test, retire(pool, 2, false), ZCB_ARENA_RETIRING);
	obj_close(test, s);
	KUNIT_EXPECT_EQ(test, look_again(pool, 1), ZCB_ARENA_GONE);
	KUNIT_EXPECT_EQ(test, look_again(pool, 2), ZCB_ARENA_GONE);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), OBJ_ARENA);
}

static void cancelled(struct kunit *test)
{
	struct zcb_session *s = pages_of(test, 2);
	u64 first[2], last, handle;
	int seen;

	last = half_of_arena_1(test, s, first);
	KUNIT_EXPECT_EQ(test, retire(s->pool, 1, false), ZCB_ARENA_RETIRING);
	KUNIT_EXPECT_EQ(test, try_alloc(s, PAGE_SIZE, &handle), -ENOMEM);
	seen = atomic_read(&s->pool->space_seq);
	KUNIT_EXPECT_EQ(test, cancel(s->pool, 1), ZCB_ARENA_LIVE);
	KUNIT_EXPECT_NE(test, atomic_read(&s->pool->space_seq), seen);
	KUNIT_EXPECT_EQ(test, s->pool->idle, 0);
	handle = obj_alloc(test, s, OBJ_ARENA / 2);
	KUNIT_EXPECT_EQ(test, put(s, handle), 0);
	KUNIT_EXPECT_EQ(test, put(s, last), 0);
	KUNIT_EXPECT_EQ(test, look_again(s->pool, 1), ZCB_ARENA_LIVE);
	KUNIT_EXPECT_EQ(test, retire(s->pool, 1, false), ZCB_ARENA_GONE);
}

static void the_next_comes_behind_the_hole(struct kunit *test)
{
	struct zcb_session *s = pages_of(test, 2);
	struct zcb_arena *a;

	KUNIT_EXPECT_PTR_EQ(test, zcb_pool_grow(s->pool), ERR_PTR(-E2BIG));
	KUNIT_EXPECT_EQ(test, retire(s->pool, 1, false), ZCB_ARENA_GONE);
	a = zcb_pool_grow(s->pool);
	KUNIT_ASSERT_FALSE(test, IS_ERR(a));
	KUNIT_EXPECT_EQ(test, a->index, 2 * OBJ_PAGES);
	KUNIT_EXPECT_EQ(test, zcb_pool_end(s->pool), 3 * OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), 2 * OBJ_ARENA);
	KUNIT_EXPECT_PTR_EQ(test, zcb_pool_grow(s->pool), ERR_PTR(-E2BIG));
	KUNIT_EXPECT_NULL(test, zcb_pool_page(s->pool, OBJ_PAGES));
	obj_alloc(test, s, OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, arena_of(obj_alloc(test, s, OBJ_ARENA)), 2);
}

/* What is pinned counts, or a pool could have more than it may. */
static void no_room_before_it_is_gone(struct kunit *test)
{
	struct zcb_pool *pool = pool_of(test, ZCBUF_POOL_PAGES, 2);
	struct page *page = zcb_pool_page_get(pool, OBJ_PAGES, true);

	KUNIT_EXPECT_EQ(test, retire(pool, 1, false), ZCB_ARENA_PINNED);
	KUNIT_EXPECT_PTR_EQ(test, zcb_pool_grow(pool), ERR_PTR(-E2BIG));
	put_page(page);
	KUNIT_EXPECT_EQ(test, look_again(pool, 1), ZCB_ARENA_GONE);
	KUNIT_EXPECT_FALSE(test, IS_ERR(zcb_pool_grow(pool)));
}

static void so_many_arenas_and_then_no_more(struct kunit *test)
{
	struct zcb_pool_config *cfg = obj_pool_config(test);
	struct zcb_pool *pool;
	u32 i;

	cfg->arena_size = PAGE_SIZE;
	cfg->flags = ZCBUF_POOL_F_SMALL_PAGES;
	cfg->max_size = 2 * PAGE_SIZE;
	pool = obj_make_pool(test, cfg);
	for (i = 1; i < ZCB_POOL_ARENAS; i++) {
		KUNIT_ASSERT_FALSE(test, IS_ERR(zcb_pool_grow(pool)));
		KUNIT_ASSERT_EQ(test, retire(pool, i, true), ZCB_ARENA_GONE);
	}
	KUNIT_EXPECT_PTR_EQ(test, zcb_pool_grow(pool), ERR_PTR(-E2BIG));
	KUNIT_EXPECT_EQ(test, zcb_pool_size(pool), PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, zcb_pool_end(pool), zcb_pool_max_end(pool));
}

static void the_least_that_was_free(struct kunit *test)
{
	struct zcb_session *s = pages_of(test, 3);
	u64 first[2], last, whole;

	last = half_of_arena_1(test, s, first);
	whole = obj_alloc(test, s, OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, s->pool->min_free, OBJ_ARENA / 2);
	KUNIT_EXPECT_EQ(test, retire(s->pool, 1, false), ZCB_ARENA_RETIRING);
	KUNIT_EXPECT_EQ(test, s->pool->idle, OBJ_ARENA / 2);
	KUNIT_EXPECT_EQ(test, s->pool->min_free, 0);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, s->pool)->used,
			2 * OBJ_ARENA + OBJ_ARENA / 2);
	KUNIT_EXPECT_EQ(test, put(s, last), 0);
	KUNIT_EXPECT_EQ(test, look_again(s->pool, 1), ZCB_ARENA_GONE);
	KUNIT_EXPECT_EQ(test, s->pool->idle, 0);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, s->pool)->largest_free, 0);
	KUNIT_EXPECT_EQ(test, put(s, whole), 0);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, s->pool)->largest_free,
			OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, s->pool->size - obj_used(test, s->pool),
			OBJ_ARENA);
}

static void what_is_free_of_it_is_not_free(struct kunit *test)
{
	struct zcb_session *s = pages_of(test, 2);
	const struct zcb_pool_stat *st;
	struct zcb_arena_stat arena;
	u64 first[2], last;
	u32 cursor = 1, i;

	last = half_of_arena_1(test, s, first);
	KUNIT_EXPECT_EQ(test, retire(s->pool, 1, false), ZCB_ARENA_RETIRING);
	st = obj_pool_stat(test, s->pool);
	KUNIT_EXPECT_EQ(test, st->largest_free, 0);
	for (i = 0; i < st->norders; i++)
		KUNIT_EXPECT_EQ(test, st->order_free[i], 0);
	KUNIT_EXPECT_EQ(test, st->present, 0b11);
	KUNIT_EXPECT_EQ(test, st->retiring, 0b10);
	KUNIT_ASSERT_TRUE(test, zcb_pool_arena_stat(s->pool, &cursor, &arena));
	KUNIT_EXPECT_EQ(test, arena.state, ZCB_ARENA_RETIRING);
	KUNIT_EXPECT_EQ(test, arena.used, OBJ_ARENA / 2);
	KUNIT_EXPECT_EQ(test, arena.largest_free, 0);
	KUNIT_EXPECT_EQ(test, put(s, last), 0);
}

static int wait_for_arena_1(struct obj_task *t)
{
	u32 state = 77;
	int err = zcb_pool_retire(t->arg, NULL, 1, false, ZCBUF_NO_DEADLINE,
				  &state);

	return err ?: (int)state;
}

static void waits_until_it_is_gone(struct kunit *test)
{
	struct zcb_session *s = pages_of(test, 2);
	struct obj_task t = { .call = wait_for_arena_1, .arg = s->pool };
	u64 first[2], last;

	last = half_of_arena_1(test, s, first);
	obj_start(test, &t, &s->pool->space_wq);
	KUNIT_EXPECT_EQ(test, put(s, first[0]), 0);
	KUNIT_EXPECT_EQ(test, s->pool->arenas[1]->state, ZCB_ARENA_RETIRING);
	KUNIT_EXPECT_EQ(test, put(s, last), 0);
	KUNIT_EXPECT_EQ(test, obj_join(&t), ZCB_ARENA_GONE);
}

static void waits_no_longer_if_it_is_cancelled(struct kunit *test)
{
	struct zcb_session *s = pages_of(test, 2);
	struct obj_task t = { .call = wait_for_arena_1, .arg = s->pool };
	u64 first[2];

	half_of_arena_1(test, s, first);
	obj_start(test, &t, &s->pool->space_wq);
	KUNIT_EXPECT_EQ(test, cancel(s->pool, 1), ZCB_ARENA_LIVE);
	KUNIT_EXPECT_EQ(test, obj_join(&t), ZCB_ARENA_LIVE);
}

static void waits_to_a_deadline(struct kunit *test)
{
	struct zcb_session *s = pages_of(test, 2);
	u64 first[2], last;
	u32 state = 77;

	last = half_of_arena_1(test, s, first);
	KUNIT_EXPECT_EQ(test, zcb_pool_retire(s->pool, NULL, 1, false, 1,
					      &state), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, state, ZCB_ARENA_RETIRING);
	KUNIT_EXPECT_EQ(test, put(s, last), 0);
	KUNIT_EXPECT_EQ(test, look_again(s->pool, 1), ZCB_ARENA_GONE);
}

/* The rest of a pool does not wait for it, and it goes with the pool. */
static void the_pool_ends_before_it(struct kunit *test)
{
	struct obj_rig *rig = test->priv;
	struct zcb_pool *pool = pool_of(test, ZCBUF_POOL_PAGES, 3);
	struct page *page = zcb_pool_page_get(pool, OBJ_PAGES, true);

	KUNIT_EXPECT_EQ(test, retire(pool, 1, false), ZCB_ARENA_PINNED);
	KUNIT_EXPECT_EQ(test, retire(pool, 2, false), ZCB_ARENA_GONE);
	obj_drop_pool(test, pool);
	obj_settle(test);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), 2 * OBJ_ARENA);
	put_page(page);
	obj_wait_refs(test, rig->refs);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), 0);
}

static struct kunit_case retire_cases[] = {
	KUNIT_CASE(an_idle_one_goes_at_once),
	KUNIT_CASE(which_can_be),
	KUNIT_CASE(nothing_more_is_handed_out),
	KUNIT_CASE(cpus_keep_nothing_of_it),
	KUNIT_CASE(kept_blocks_do_not_keep_it),
	KUNIT_CASE(kept_slabs_do_not_keep_it),
	KUNIT_CASE(now_or_not_at_all),
	KUNIT_CASE(a_held_page_is_use),
	KUNIT_CASE(a_held_page_keeps_it),
	KUNIT_CASE(it_is_looked_at_again),
	KUNIT_CASE(several_at_once),
	KUNIT_CASE(handles_of_it_are_unknown),
	KUNIT_CASE(slabs_are_closed),
	KUNIT_CASE(a_full_slab_is_closed),
	KUNIT_CASE(an_empty_slab_is_given_back),
	KUNIT_CASE(the_dead_give_it_back),
	KUNIT_CASE(cancelled),
	KUNIT_CASE(the_next_comes_behind_the_hole),
	KUNIT_CASE(no_room_before_it_is_gone),
	KUNIT_CASE(so_many_arenas_and_then_no_more),
	KUNIT_CASE(the_least_that_was_free),
	KUNIT_CASE(what_is_free_of_it_is_not_free),
	KUNIT_CASE(waits_until_it_is_gone),
	KUNIT_CASE(waits_no_longer_if_it_is_cancelled),
	KUNIT_CASE(waits_to_a_deadline),
	KUNIT_CASE(the_pool_ends_before_it),
	{}
};

static struct kunit_suite retire_suite = {
	.name = "zcb_pool_retire",
	.suite_init = obj_suite_init,
	.suite_exit = obj_suite_exit,
	.init = obj_init,
	.test_cases = retire_cases,
};

kunit_test_suite(retire_suite);
