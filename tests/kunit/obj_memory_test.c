// SPDX-License-Identifier: GPL-2.0-only
/*
 * Handing out memory: sizes, owners, what is zeroed for whom, and that all of
 * it comes back.
 */
#include "obj_rig.h"

#define JUNK	0xd5

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

static struct two attach_two(struct kunit *test, struct zcb_pool *pool)
{
	return (struct two){
		.pool = pool,
		.a = obj_session(test, pool),
		.b = obj_session(test, pool),
	};
}

static struct two two_on_pages(struct kunit *test, u32 flags)
{
	struct zcb_pool_config *cfg = obj_pool_config(test);

	cfg->flags = flags;
	return attach_two(test, obj_make_pool(test, cfg));
}

static struct two two_on_tiers(struct kunit *test, u32 flags)
{
	struct zcb_pool_config *cfg = obj_pool_config(test);

	cfg->kind = ZCBUF_POOL_TIERS;
	cfg->flags = flags;
	KUNIT_ASSERT_EQ(test, zcb_slab_table_init(&cfg->slabs, zcb_slab_tiers,
						  ZCB_SLAB_TIERS, PAGE_SHIFT),
			0);
	return attach_two(test, obj_make_pool(test, cfg));
}

static int try_alloc(struct zcb_session *s, u64 length, u32 align, u64 *handle)
{
	const struct zcb_memory_request r = { .length = length, .align = align };

	return zcb_memory_alloc(s->pool, &s->hold, s->domain, &r, handle);
}

static u64 alloc_zeroed(struct kunit *test, struct zcb_session *s, u64 length)
{
	const struct zcb_memory_request r = { .length = length, .zero = true };
	u64 handle = 0;

	KUNIT_ASSERT_EQ(test, zcb_memory_alloc(s->pool, &s->hold, s->domain,
					       &r, &handle), 0);
	return handle;
}

static int try_free(struct zcb_session *s, u64 handle)
{
	return zcb_memory_free(s->pool, &s->hold, handle);
}

/* Before a case reads a zero anywhere: the pool has been used all over. */
static void soil(struct kunit *test, struct zcb_session *s)
{
	u64 handle = obj_alloc(test, s, OBJ_ARENA);

	obj_fill(s->pool, 0, OBJ_ARENA, JUNK);
	KUNIT_ASSERT_EQ(test, try_free(s, handle), 0);
}

/* --------------------------------------------------------- runs of pages */

static void runs_are_powers_of_two(struct kunit *test)
{
	static const u32 bytes[] = { 1, 4096, 4097, 12288, 65536, 65537 };
	static const u32 pages[] = { 1, 1, 2, 4, 16, 32 };
	struct zcb_pool *pool = obj_pool(test);
	u64 offset, used = 0;
	u32 i, n;

	for (i = 0; i < ARRAY_SIZE(bytes); i++) {
		KUNIT_ASSERT_EQ(test, zcb_memory_get(pool, bytes[i], 1, &offset,
						     &n), 0);
		KUNIT_EXPECT_EQ(test, n, pages[i]);
		KUNIT_EXPECT_EQ(test, offset % (n * PAGE_SIZE), 0);
		used += n * PAGE_SIZE;
		KUNIT_EXPECT_EQ(test, obj_used(test, pool), used);
	}
}

static void runs_do_not_overlap(struct kunit *test)
{
	struct zcb_pool *pool = obj_pool(test);
	u64 offset[8];
	u32 i, n;

	for (i = 0; i < 8; i++) {
		KUNIT_ASSERT_EQ(test, zcb_memory_get(pool, OBJ_ARENA / 8, 1,
						     &offset[i], &n), 0);
		obj_fill(pool, offset[i], OBJ_ARENA / 8, i + 1);
	}
	for (i = 0; i < 8; i++)
		KUNIT_EXPECT_TRUE(test, obj_is(pool, offset[i], OBJ_ARENA / 8,
					       i + 1));
	KUNIT_EXPECT_EQ(test, zcb_memory_get(pool, 1, 1, &offset[0], &n),
			-ENOMEM);
	KUNIT_EXPECT_EQ(test, obj_used(test, pool), OBJ_ARENA);
}

static void parts_of_a_run_can_go_back(struct kunit *test)
{
	struct zcb_pool *pool = obj_pool(test);
	int seen = atomic_read(&pool->space_seq);
	u64 offset;
	u32 pages;

	KUNIT_ASSERT_EQ(test, zcb_memory_get(pool, 8 * PAGE_SIZE, 1, &offset,
					     &pages), 0);
	zcb_memory_put(pool, offset + 3 * PAGE_SIZE, 5);
	KUNIT_EXPECT_EQ(test, obj_used(test, pool), 3 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, atomic_read(&pool->space_seq), seen + 1);
	zcb_memory_put(pool, offset, 0);
	KUNIT_EXPECT_EQ(test, obj_used(test, pool), 3 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, atomic_read(&pool->space_seq), seen + 1);
	zcb_memory_put(pool, offset, 3);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, pool)->largest_free,
			OBJ_ARENA);
}

static void room_is_what_get_finds(struct kunit *test)
{
	struct zcb_pool *pool = obj_pool(test);
	u64 offset;
	u32 pages;

	KUNIT_EXPECT_TRUE(test, zcb_memory_room(pool, OBJ_ARENA));
	zcb_memory_get(pool, 1, 1, &offset, &pages);
	KUNIT_EXPECT_FALSE(test, zcb_memory_room(pool, OBJ_ARENA));
	KUNIT_EXPECT_FALSE(test, zcb_memory_room(pool, OBJ_ARENA / 2 + 1));
	KUNIT_EXPECT_TRUE(test, zcb_memory_room(pool, OBJ_ARENA / 2));
	KUNIT_EXPECT_EQ(test, zcb_memory_get(pool, OBJ_ARENA / 2 + 1, 1,
					     &offset, &pages), -ENOMEM);
	KUNIT_EXPECT_EQ(test, zcb_memory_get(pool, OBJ_ARENA / 2, 1, &offset,
					     &pages), 0);
}

static void the_least_ever_free_is_remembered(struct kunit *test)
{
	struct zcb_pool *pool = obj_pool(test);
	u64 offset;
	u32 pages;

	zcb_memory_get(pool, 64 * PAGE_SIZE, 1, &offset, &pages);
	zcb_memory_put(pool, offset, pages);
	zcb_memory_get(pool, 16 * PAGE_SIZE, 1, &offset, &pages);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, pool)->min_free,
			OBJ_ARENA - 64 * PAGE_SIZE);
}

/* --------------------------------------------------------- blocks of pages */

static void blocks_are_aligned_to_their_size(struct kunit *test)
{
	struct zcb_session *s = two_on_pages(test, 0).a;
	u32 order;

	for (order = 0; order < 8; order++) {
		u64 handle = obj_alloc(test, s, PAGE_SIZE << order);

		KUNIT_EXPECT_EQ(test, zcbuf_buf_class(handle),
				order + PAGE_SHIFT - 12);
		KUNIT_EXPECT_EQ(test, zcbuf_buf_offset(handle) %
				      (PAGE_SIZE << order), 0);
	}
	KUNIT_EXPECT_EQ(test, s->hold.blocks.count, 8);
	KUNIT_EXPECT_EQ(test, s->hold.blocks.pages, 255);
}

static void no_length_is_the_smallest_block(struct kunit *test)
{
	struct two t = two_on_pages(test, 0);
	u64 handle = obj_alloc(test, t.a, 0);

	KUNIT_EXPECT_EQ(test, zcbuf_buf_capacity(handle, NULL), PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, obj_used(test, t.pool), PAGE_SIZE);
}

static void alignment_makes_a_block_larger(struct kunit *test)
{
	struct two t = two_on_pages(test, 0);
	u64 handle = 0;

	KUNIT_EXPECT_EQ(test, try_alloc(t.a, 1, 65536, &handle), 0);
	KUNIT_EXPECT_EQ(test, zcbuf_buf_offset(handle) % 65536, 0);
	KUNIT_EXPECT_EQ(test, obj_used(test, t.pool), 65536);
	KUNIT_EXPECT_EQ(test, try_free(t.a, handle), 0);
	KUNIT_EXPECT_EQ(test, try_alloc(t.a, 1, ZCB_ARENA_UNIT, &handle), 0);
	KUNIT_EXPECT_EQ(test, obj_used(test, t.pool), OBJ_ARENA);
}

static void bad_alignments(struct kunit *test)
{
	struct two t = two_on_pages(test, 0);
	u64 handle;

	KUNIT_EXPECT_EQ(test, try_alloc(t.a, 1, 3, &handle), -EINVAL);
	KUNIT_EXPECT_EQ(test, try_alloc(t.a, 1, 4096 + 1, &handle), -EINVAL);
	KUNIT_EXPECT_EQ(test, try_alloc(t.a, 1, 2 * ZCB_ARENA_UNIT, &handle),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, try_alloc(t.a, 1, 1U << 31, &handle), -EINVAL);
	KUNIT_EXPECT_EQ(test, obj_used(test, t.pool), 0);
}

static void what_never_fits_and_what_does_not_now(struct kunit *test)
{
	struct two t = two_on_pages(test, 0);
	u64 handle;

	KUNIT_EXPECT_EQ(test, try_alloc(t.a, OBJ_ARENA + 1, 0, &handle),
			-E2BIG);
	KUNIT_EXPECT_EQ(test, try_alloc(t.a, ~0ULL, 0, &handle), -E2BIG);
	obj_alloc(test, t.b, 1);
	KUNIT_EXPECT_EQ(test, try_alloc(t.a, OBJ_ARENA, 0, &handle), -ENOMEM);
	KUNIT_EXPECT_EQ(test, t.a->hold.blocks.count, 0);
	KUNIT_EXPECT_EQ(test, obj_used(test, t.pool), PAGE_SIZE);
}

static void only_the_owner_frees_and_only_once(struct kunit *test)
{
	struct two t = two_on_pages(test, 0);
	u64 handle = obj_alloc(test, t.a, PAGE_SIZE);
	int seen = atomic_read(&t.pool->space_seq);

	KUNIT_EXPECT_EQ(test, try_free(t.b, handle), -EPERM);
	KUNIT_EXPECT_EQ(test, obj_used(test, t.pool), PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, atomic_read(&t.pool->space_seq), seen);
	KUNIT_EXPECT_EQ(test, try_free(t.a, handle), 0);
	KUNIT_EXPECT_EQ(test, obj_used(test, t.pool), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&t.pool->space_seq), seen + 1);
	KUNIT_EXPECT_EQ(test, try_free(t.a, handle), -EBADSLT);
	KUNIT_EXPECT_NE(test, obj_alloc(test, t.b, 1), handle);
	KUNIT_EXPECT_EQ(test, try_free(t.a, handle), -ESTALE);
	KUNIT_EXPECT_EQ(test, obj_used(test, t.pool), PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, t.pool)->bad_frees, 3);
}

static void handles_that_name_nothing(struct kunit *test)
{
	struct two t = two_on_pages(test, 0);
	u64 handle = obj_alloc(test, t.a, 2 * PAGE_SIZE);

	KUNIT_EXPECT_EQ(test, try_free(t.a, 0), -ENOENT);
	KUNIT_EXPECT_EQ(test, try_free(t.a, ~0ULL), -EINVAL);
	KUNIT_EXPECT_EQ(test, try_free(t.a, handle + OBJ_PAGES), -EINVAL);
	KUNIT_EXPECT_NE(test, try_free(t.a, handle + 1), 0);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, t.pool)->bad_frees, 4);
	KUNIT_EXPECT_EQ(test, try_free(t.a, handle), 0);
}

/* ------------------------------------------------------------------ zeroing */

static void ones_own_bytes_stay(struct kunit *test)
{
	struct two t = two_on_pages(test, 0);

	soil(test, t.a);
	obj_alloc(test, t.a, OBJ_ARENA);
	KUNIT_EXPECT_TRUE(test, obj_is(t.pool, 0, OBJ_ARENA, JUNK));
}

static void nobody_sees_anothers_bytes(struct kunit *test)
{
	struct two t = two_on_pages(test, 0);
	u64 offset;
	u32 pages;

	soil(test, t.a);
	offset = zcbuf_buf_offset(obj_alloc(test, t.b, 8 * PAGE_SIZE));
	KUNIT_EXPECT_TRUE(test, obj_is(t.pool, offset, 8 * PAGE_SIZE, 0));
	zcb_memory_get(t.pool, PAGE_SIZE, t.b->domain, &offset, &pages);
	KUNIT_EXPECT_TRUE(test, obj_is(t.pool, offset, PAGE_SIZE, 0));
	zcb_memory_get(t.pool, PAGE_SIZE, t.a->domain, &offset, &pages);
	KUNIT_EXPECT_TRUE(test, obj_is(t.pool, offset, PAGE_SIZE, JUNK));
}

/* One page of another's among one's own. */
static void one_foreign_page_is_enough(struct kunit *test)
{
	struct two t = two_on_pages(test, 0);
	u64 offset;
	u32 pages;

	soil(test, t.a);
	zcb_memory_get(t.pool, PAGE_SIZE, t.b->domain, &offset, &pages);
	obj_fill(t.pool, offset, PAGE_SIZE, 0x77);
	zcb_memory_put(t.pool, offset, pages);
	offset = zcbuf_buf_offset(obj_alloc(test, t.a, OBJ_ARENA));
	KUNIT_EXPECT_FALSE(test, memchr_inv(obj_at(t.pool, 0), 0, PAGE_SIZE));
}

static void no_zeroing_on_reuse(struct kunit *test)
{
	struct two t = two_on_pages(test, ZCBUF_POOL_F_NO_ZERO_ON_REUSE);
	u64 offset;

	soil(test, t.a);
	offset = zcbuf_buf_offset(obj_alloc(test, t.b, PAGE_SIZE));
	KUNIT_EXPECT_TRUE(test, obj_is(t.pool, offset, PAGE_SIZE, JUNK));
	offset = zcbuf_buf_offset(alloc_zeroed(test, t.b, PAGE_SIZE));
	KUNIT_EXPECT_TRUE(test, obj_is(t.pool, offset, PAGE_SIZE, 0));
}

static void zero_on_demand(struct kunit *test)
{
	struct two t = two_on_pages(test, 0);
	u64 offset;

	soil(test, t.a);
	offset = zcbuf_buf_offset(alloc_zeroed(test, t.a, 4 * PAGE_SIZE));
	KUNIT_EXPECT_TRUE(test, obj_is(t.pool, offset, 4 * PAGE_SIZE, 0));
	KUNIT_EXPECT_TRUE(test, obj_is(t.pool, 4 * PAGE_SIZE,
				       OBJ_ARENA - 4 * PAGE_SIZE, JUNK));
}

/* Pages nobody ever had are zero, and are left alone. */
static void what_was_never_used_costs_nothing(struct kunit *test)
{
	struct two t = two_on_pages(test, 0);

	obj_fill(t.pool, 0, OBJ_ARENA, JUNK);
	alloc_zeroed(test, t.a, PAGE_SIZE);
	KUNIT_EXPECT_TRUE(test, obj_is(t.pool, 0, OBJ_ARENA, JUNK));
}

/* ------------------------------------------------------------- slab objects */

static void objects_share_a_slab(struct kunit *test)
{
	struct two t = two_on_tiers(test, 0);
	u64 a = obj_alloc(test, t.a, 60), b = obj_alloc(test, t.a, 64);

	KUNIT_EXPECT_EQ(test, zcbuf_buf_class(a), ZCBUF_BUF_SLAB + 1);
	KUNIT_EXPECT_EQ(test, zcbuf_buf_offset(b), zcbuf_buf_offset(a) + 64);
	KUNIT_EXPECT_EQ(test, t.a->hold.objects, 2);
	KUNIT_EXPECT_EQ(test, t.a->hold.object_bytes, 128);
	KUNIT_EXPECT_EQ(test, t.a->hold.leases.count, 1);
	KUNIT_EXPECT_EQ(test, try_free(t.a, a), 0);
	KUNIT_EXPECT_EQ(test, t.a->hold.objects, 1);
	KUNIT_EXPECT_EQ(test, t.a->hold.object_bytes, 64);
	KUNIT_EXPECT_GT(test, obj_used(test, t.pool), 0);
	KUNIT_EXPECT_EQ(test, try_free(t.a, b), 0);
	KUNIT_EXPECT_EQ(test, t.a->hold.leases.count, 0);
	KUNIT_EXPECT_EQ(test, t.a->hold.object_bytes, 0);
	KUNIT_EXPECT_EQ(test, obj_used(test, t.pool), 0);
}

static void sessions_do_not_share_slabs(struct kunit *test)
{
	struct two t = two_on_tiers(test, 0);
	u64 a = obj_alloc(test, t.a, 16), b = obj_alloc(test, t.b, 16);

	KUNIT_EXPECT_NE(test, zcbuf_buf_offset(a) >> PAGE_SHIFT,
			zcbuf_buf_offset(b) >> PAGE_SHIFT);
	KUNIT_EXPECT_EQ(test, try_free(t.b, a), -EPERM);
	KUNIT_EXPECT_EQ(test, try_free(t.a, b), -EPERM);
	KUNIT_EXPECT_EQ(test, t.a->hold.objects, 1);
	KUNIT_EXPECT_EQ(test, try_free(t.b, b), 0);
	KUNIT_EXPECT_EQ(test, try_free(t.b, b), -EBADSLT);
	KUNIT_EXPECT_EQ(test, try_free(t.a, a), 0);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, t.pool)->bad_frees, 3);
}

static void slabs_are_leased_one_after_another(struct kunit *test)
{
	struct two t = two_on_tiers(test, 0);
	u32 nobjs = t.pool->cfg.slabs.class[0].nobjs;
	u32 i;

	for (i = 0; i < 2 * nobjs + 1; i++)
		obj_alloc(test, t.a, 16);
	KUNIT_EXPECT_EQ(test, t.a->hold.leases.count, 3);
	KUNIT_EXPECT_EQ(test, t.a->hold.objects, 2 * nobjs + 1);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, t.pool)->classes[0].used,
			2 * nobjs + 1);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, t.pool)->classes[0].total,
			3 * nobjs);
}

static void tiers_need_a_length(struct kunit *test)
{
	struct two t = two_on_tiers(test, 0);
	u64 handle;

	KUNIT_EXPECT_EQ(test, try_alloc(t.a, 0, 0, &handle), -EINVAL);
	KUNIT_EXPECT_EQ(test, obj_used(test, t.pool), 0);
}

/* Beyond the largest class, or aligned more than any: blocks of pages. */
static void tiers_fall_back_to_pages(struct kunit *test)
{
	struct two t = two_on_tiers(test, 0);
	u64 handle = obj_alloc(test, t.a, 256 * 1024 + 1);

	KUNIT_EXPECT_LT(test, zcbuf_buf_class(handle), ZCBUF_BUF_SLAB);
	KUNIT_EXPECT_EQ(test, obj_used(test, t.pool), 512 * 1024);
	KUNIT_EXPECT_EQ(test, try_free(t.a, handle), 0);
	KUNIT_EXPECT_EQ(test, try_alloc(t.a, 16, 512 * 1024, &handle), 0);
	KUNIT_EXPECT_LT(test, zcbuf_buf_class(handle), ZCBUF_BUF_SLAB);
	KUNIT_EXPECT_EQ(test, try_alloc(t.a, OBJ_ARENA + 1, 0, &handle),
			-E2BIG);
}

static void no_page_for_a_slab(struct kunit *test)
{
	struct two t = two_on_tiers(test, 0);
	u64 all = obj_alloc(test, t.b, OBJ_ARENA), handle;

	KUNIT_EXPECT_EQ(test, try_alloc(t.a, 16, 0, &handle), -ENOMEM);
	KUNIT_EXPECT_EQ(test, t.a->hold.objects, 0);
	KUNIT_EXPECT_EQ(test, t.a->hold.leases.count, 0);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, t.pool)->classes[0].total,
			0);
	KUNIT_EXPECT_EQ(test, try_free(t.b, all), 0);
	KUNIT_EXPECT_EQ(test, try_alloc(t.a, 16, 0, &handle), 0);
}

static void classes_that_are_not_there(struct kunit *test)
{
	struct two t = two_on_tiers(test, 0);
	u64 handle = obj_alloc(test, t.a, 16);
	u64 class = (u64)1 << ZCBUF_BUF_CLASS_SHIFT;

	KUNIT_EXPECT_EQ(test, try_free(t.a, handle + ZCB_SLAB_TIERS * class),
			-EINVAL);
	KUNIT_EXPECT_NE(test, try_free(t.a, handle + class), 0);
	KUNIT_EXPECT_NE(test, try_free(t.a, handle + 1), 0);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, t.pool)->bad_frees, 3);
	KUNIT_EXPECT_EQ(test, try_free(t.a, handle), 0);
}

static void slabs_are_zeroed_for_others(struct kunit *test)
{
	struct two t = two_on_tiers(test, 0);
	u64 offset;

	soil(test, t.a);
	offset = zcbuf_buf_offset(obj_alloc(test, t.b, 1024));
	KUNIT_EXPECT_TRUE(test, obj_is(t.pool, round_down(offset, PAGE_SIZE),
				       PAGE_SIZE, 0));
}

static void an_object_is_zeroed_alone(struct kunit *test)
{
	struct two t = two_on_tiers(test, 0);
	u64 kept, offset, page;

	soil(test, t.a);
	kept = zcbuf_buf_offset(obj_alloc(test, t.a, 256));
	offset = zcbuf_buf_offset(alloc_zeroed(test, t.a, 200));
	page = round_down(offset, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, kept, page);
	KUNIT_EXPECT_EQ(test, offset, page + 256);
	KUNIT_EXPECT_TRUE(test, obj_is(t.pool, offset, 256, 0));
	KUNIT_EXPECT_TRUE(test, obj_is(t.pool, page, 256, JUNK));
	KUNIT_EXPECT_TRUE(test, obj_is(t.pool, page + 512, PAGE_SIZE - 512,
				       JUNK));
}

/* ------------------------------------------------------------------ reclaim */

static void found_by(struct kunit *test, struct zcb_session *s, u64 handle,
		     u64 capacity)
{
	struct zcb_memory_place p;

	KUNIT_ASSERT_EQ(test, zcb_memory_find(s->pool, &s->hold, handle, &p),
			0);
	KUNIT_EXPECT_EQ(test, p.offset, zcbuf_buf_offset(handle));
	KUNIT_EXPECT_EQ(test, p.capacity, capacity);
	KUNIT_EXPECT_EQ(test, p.arena, 0);
	KUNIT_EXPECT_EQ(test, p.page_order, s->pool->arenas[0]->order);
}

static void buffers_are_found_by_their_owner(struct kunit *test)
{
	struct two t = two_on_tiers(test, 0);
	u64 object = obj_alloc(test, t.a, 100), block;
	struct zcb_memory_place p;

	block = obj_alloc(test, t.a, 300000);
	found_by(test, t.a, object, 256);
	found_by(test, t.a, block, 524288);
	KUNIT_EXPECT_EQ(test, zcb_memory_find(t.pool, &t.b->hold, object, &p),
			-EPERM);
	KUNIT_EXPECT_EQ(test, zcb_memory_find(t.pool, &t.b->hold, block, &p),
			-EPERM);
	obj_alloc(test, t.a, 100);
	KUNIT_EXPECT_EQ(test, try_free(t.a, object), 0);
	KUNIT_EXPECT_EQ(test, zcb_memory_find(t.pool, &t.a->hold, object, &p),
			-EBADSLT);
	KUNIT_EXPECT_EQ(test, zcb_memory_find(t.pool, &t.a->hold, ~0ULL, &p),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, t.pool)->bad_frees, 0);
}

static void everything_is_reclaimed(struct kunit *test)
{
	struct two t = two_on_tiers(test, 0);
	int seen;
	u32 i;

	for (i = 0; i < 200; i++)
		obj_alloc(test, t.a, 4096);
	for (i = 0; i < 100; i++)
		obj_alloc(test, t.a, 16);
	obj_alloc(test, t.a, 256 * 1024 + 1);
	obj_alloc(test, t.b, 4096);
	seen = atomic_read(&t.pool->space_seq);
	zcb_memory_reclaim(t.pool, &t.a->hold);
	KUNIT_EXPECT_NE(test, atomic_read(&t.pool->space_seq), seen);
	KUNIT_EXPECT_EQ(test, t.a->hold.blocks.count, 0);
	KUNIT_EXPECT_EQ(test, t.a->hold.leases.count, 0);
	KUNIT_EXPECT_EQ(test, t.a->hold.objects, 0);
	KUNIT_EXPECT_EQ(test, t.a->hold.object_bytes, 0);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, t.pool)->classes[4].used, 1);
	zcb_memory_reclaim(t.pool, &t.b->hold);
	KUNIT_EXPECT_EQ(test, obj_used(test, t.pool), 0);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, t.pool)->classes[4].total,
			0);
}

/* Far more than are taken back in one hold of the lock. */
static void blocks_are_reclaimed(struct kunit *test)
{
	struct two t = two_on_pages(test, 0);
	u32 i;

	for (i = 0; i < OBJ_PAGES; i++)
		obj_alloc(test, t.a, PAGE_SIZE);
	zcb_memory_reclaim(t.pool, &t.a->hold);
	KUNIT_EXPECT_EQ(test, obj_used(test, t.pool), 0);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, t.pool)->largest_free,
			OBJ_ARENA);
}

static struct kunit_case memory_cases[] = {
	KUNIT_CASE(runs_are_powers_of_two),
	KUNIT_CASE(runs_do_not_overlap),
	KUNIT_CASE(parts_of_a_run_can_go_back),
	KUNIT_CASE(room_is_what_get_finds),
	KUNIT_CASE(the_least_ever_free_is_remembered),
	KUNIT_CASE(blocks_are_aligned_to_their_size),
	KUNIT_CASE(no_length_is_the_smallest_block),
	KUNIT_CASE(alignment_makes_a_block_larger),
	KUNIT_CASE(bad_alignments),
	KUNIT_CASE(what_never_fits_and_what_does_not_now),
	KUNIT_CASE(only_the_owner_frees_and_only_once),
	KUNIT_CASE(handles_that_name_nothing),
	KUNIT_CASE(ones_own_bytes_stay),
	KUNIT_CASE(nobody_sees_anothers_bytes),
	KUNIT_CASE(one_foreign_page_is_enough),
	KUNIT_CASE(no_zeroing_on_reuse),
	KUNIT_CASE(zero_on_demand),
	KUNIT_CASE(what_was_never_used_costs_nothing),
	KUNIT_CASE(objects_share_a_slab),
	KUNIT_CASE(sessions_do_not_share_slabs),
	KUNIT_CASE(slabs_are_leased_one_after_another),
	KUNIT_CASE(tiers_need_a_length),
	KUNIT_CASE(tiers_fall_back_to_pages),
	KUNIT_CASE(no_page_for_a_slab),
	KUNIT_CASE(classes_that_are_not_there),
	KUNIT_CASE(slabs_are_zeroed_for_others),
	KUNIT_CASE(an_object_is_zeroed_alone),
	KUNIT_CASE(buffers_are_found_by_their_owner),
	KUNIT_CASE(everything_is_reclaimed),
	KUNIT_CASE(blocks_are_reclaimed),
	{}
};

static struct kunit_suite memory_suite = {
	.name = "zcb_memory",
	.suite_init = obj_suite_init,
	.suite_exit = obj_suite_exit,
	.init = obj_init,
	.test_cases = memory_cases,
};

kunit_test_suite(memory_suite);
