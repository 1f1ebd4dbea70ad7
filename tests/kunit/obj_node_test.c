// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers of one NUMA node. User mode Linux has only one, so the arenas of these
 * pools are told that they are of two: pieces of so many pages of node 0 and of
 * node 1 by turns.
 */
#include <linux/preempt.h>

#include "../../kmod/obj/magazine.h"
#include "../../kmod/obj/slabs.h"
#include "obj_rig.h"

#define OBJECT		1024U		/* bytes; SLAB_PAGES are full of them */
#define SLAB_PAGES	2

/* Pages of one node in a row, a power of two. */
static u32 piece;

static int nid_by_turns(const struct zcb_arena *a, u32 index)
{
	return index / piece & 1;
}

/* The pool's first arena, of which nothing is out. */
static void take_turns(struct kunit *test, struct zcb_pool *pool, u32 pages)
{
	static struct zcb_arena_ops ops;
	struct zcb_arena *a = pool->arenas[0];

	piece = pages;
	ops = zcb_arena_folio_ops;
	ops.nid = nid_by_turns;
	a->ops = &ops;
	zcb_arena_nodes_end(a);
	KUNIT_ASSERT_EQ(test, zcb_arena_nodes_init(a), 0);
	KUNIT_ASSERT_EQ(test, a->nparts, 2);
}

static struct zcb_pool_config *small_pages(struct kunit *test, u32 kind)
{
	struct zcb_pool_config *cfg = obj_pool_config(test);

	cfg->kind = kind;
	cfg->flags = ZCBUF_POOL_F_SMALL_PAGES;
	return cfg;
}

static struct zcb_session *of_pages(struct kunit *test, u32 pages)
{
	struct zcb_pool *pool;

	pool = obj_make_pool(test, small_pages(test, ZCBUF_POOL_PAGES));
	take_turns(test, pool, pages);
	return obj_session(test, pool);
}

static struct zcb_session *of_tiers(struct kunit *test, u32 pages)
{
	struct zcb_pool_config *cfg = small_pages(test, ZCBUF_POOL_TIERS);
	const u32 length = OBJECT;
	struct zcb_pool *pool;

	KUNIT_ASSERT_EQ(test, 0, zcb_slab_table_init(&cfg->slabs, &length, 1,
						     PAGE_SHIFT));
	KUNIT_ASSERT_EQ(test, 1U << cfg->slabs.class[0].order, SLAB_PAGES);
	pool = obj_make_pool(test, cfg);
	take_turns(test, pool, pages);
	return obj_session(test, pool);
}

/* @pages of one node in a row, and 32 objects of @length, which begin with node 0. */
static struct zcb_session *of_fixed(struct kunit *test, u32 pages, u32 length)
{
	const struct zcb_fixed_spec spec = { .length = length, .count = 32 };
	struct zcb_pool_config *cfg = small_pages(test, ZCBUF_POOL_FIXED);
	struct zcb_pool *pool;

	KUNIT_ASSERT_EQ(test, 0, zcb_fixed_layout(&cfg->fixed, &spec, 1,
						  PAGE_SHIFT));
	pool = obj_make_pool(test, cfg);
	take_turns(test, pool, pages);
	return obj_session(test, pool);
}

static int alloc_until(struct zcb_session *s, u64 length, u32 node,
		       u64 deadline_ns, u64 *handle)
{
	const struct zcb_memory_request r = {
		.length = length, .on_node = true, .node = node,
		.deadline_ns = deadline_ns,
	};

	return zcb_memory_alloc(s->pool, &s->hold, s->domain, &r, handle);
}

static int alloc_on(struct zcb_session *s, u64 length, u32 node, u64 *handle)
{
	return alloc_until(s, length, node, 0, handle);
}

/* All pages of it are of the node, and that is what is said of it. */
static void expect_on(struct kunit *test, struct zcb_session *s, u64 handle,
		      u32 node)
{
	struct zcb_memory_place p = { 0 };
	u64 page;

	KUNIT_ASSERT_EQ(test, 0, zcb_memory_find(s->pool, &s->hold, handle,
						 &p));
	KUNIT_EXPECT_EQ(test, p.node, node);
	for (page = p.offset >> PAGE_SHIFT;
	     page <= (p.offset + p.capacity - 1) >> PAGE_SHIFT; page++)
		KUNIT_ASSERT_EQ(test, page / piece & 1, node);
}

static u64 must_alloc_on(struct kunit *test, struct zcb_session *s, u64 length,
			 u32 node)
{
	u64 handle = 0;

	KUNIT_ASSERT_EQ(test, alloc_on(s, length, node, &handle), 0);
	expect_on(test, s, handle, node);
	return handle;
}

static void must_free(struct kunit *test, struct zcb_session *s, u64 handle)
{
	KUNIT_ASSERT_EQ(test, 0, zcb_memory_free(s->pool, &s->hold, handle));
}

/* All there is on @node, by @length; how many. */
static u32 use_up(struct kunit *test, struct zcb_session *s, u64 length,
		  u32 node)
{
	u64 handle;
	u32 n = 0;
	int err;

	while (!(err = alloc_on(s, length, node, &handle))) {
		expect_on(test, s, handle, node);
		n++;
	}
	KUNIT_EXPECT_EQ(test, err, -ENOMEM);
	return n;
}

/* ------------------------------------------------------------------ blocks */

static void an_arena_of_one_node(struct kunit *test)
{
	struct zcb_session *s = obj_session(test, obj_pool(test));
	struct zcb_arena *a = s->pool->arenas[0];
	u64 handle;

	KUNIT_EXPECT_EQ(test, a->nid, page_to_nid(zcb_arena_page(a, 0)));
	KUNIT_EXPECT_EQ(test, a->nparts, 0);
	KUNIT_EXPECT_TRUE(test, zcb_arena_is_on(a, a->nid, 0, OBJ_PAGES));
	KUNIT_EXPECT_FALSE(test, zcb_arena_is_on(a, a->nid + 1, 0, 1));
	KUNIT_EXPECT_EQ(test, alloc_on(s, 1, a->nid + 1, &handle), -ENOMEM);
	KUNIT_EXPECT_EQ(test, alloc_on(s, OBJ_ARENA, a->nid, &handle), 0);
	KUNIT_EXPECT_EQ(test, alloc_on(s, 1, a->nid, &handle), -ENOMEM);
}

static void half_of_an_arena(struct kunit *test)
{
	struct zcb_session *s = of_pages(test, 16);

	KUNIT_EXPECT_EQ(test, use_up(test, s, 32 * PAGE_SIZE, 1), 0);
	KUNIT_EXPECT_EQ(test, use_up(test, s, 16 * PAGE_SIZE, 1),
			OBJ_PAGES / 32);
	KUNIT_EXPECT_EQ(test, use_up(test, s, PAGE_SIZE, 1), 0);
	KUNIT_EXPECT_EQ(test, use_up(test, s, PAGE_SIZE, 0), OBJ_PAGES / 2);
	KUNIT_EXPECT_EQ(test, obj_used(test, s->pool), OBJ_ARENA);
}

/* Which one does not matter to who does not say. */
static void who_wants_any_gets_any(struct kunit *test)
{
	struct zcb_session *s = of_pages(test, 1);
	u64 both = obj_alloc(test, s, OBJ_ARENA / 2);

	KUNIT_EXPECT_EQ(test, use_up(test, s, 2 * PAGE_SIZE, 1), 0);
	KUNIT_EXPECT_EQ(test, use_up(test, s, PAGE_SIZE, 1), OBJ_PAGES / 4);
	KUNIT_EXPECT_EQ(test, use_up(test, s, PAGE_SIZE, 0), OBJ_PAGES / 4);
	must_free(test, s, both);
	must_alloc_on(test, s, PAGE_SIZE, 1);
}

static void another_node_is_no_room(struct kunit *test)
{
	struct zcb_session *s = of_pages(test, 16);
	u64 handle;

	use_up(test, s, PAGE_SIZE, 1);
	KUNIT_EXPECT_EQ(test, alloc_until(s, 1, 1, 1, &handle), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, alloc_until(s, 1, 0, 1, &handle), 0);
}

/* What the CPU keeps, if it is of that node. */
static void a_kept_block(struct kunit *test)
{
	struct zcb_session *s = of_pages(test, 16);
	u64 handle[2], again;
	u32 i;

	migrate_disable();
	for (i = 0; i < 2; i++)
		handle[i] = must_alloc_on(test, s, PAGE_SIZE, i);
	for (i = 0; i < 2; i++)
		must_free(test, s, handle[i]);
	KUNIT_EXPECT_EQ(test, s->pool->kept, 2);
	must_alloc_on(test, s, PAGE_SIZE, 0);	/* not what lies on top */
	KUNIT_EXPECT_EQ(test, s->pool->kept, 2);
	again = must_alloc_on(test, s, PAGE_SIZE, 1);
	KUNIT_EXPECT_EQ(test, zcbuf_buf_offset(again),
			zcbuf_buf_offset(handle[1]));
	KUNIT_EXPECT_EQ(test, s->pool->kept, 1);
	migrate_enable();
}

/* It is in nobody's way, wherever it is. */
static void kept_below_others(struct kunit *test)
{
	struct zcb_session *s = of_pages(test, 16);
	u64 first, other;

	migrate_disable();
	other = must_alloc_on(test, s, PAGE_SIZE, 0);
	first = must_alloc_on(test, s, PAGE_SIZE, 1);
	use_up(test, s, PAGE_SIZE, 1);
	must_free(test, s, first);
	must_free(test, s, other);
	KUNIT_EXPECT_EQ(test, s->pool->kept, 2);
	must_alloc_on(test, s, PAGE_SIZE, 1);
	KUNIT_EXPECT_EQ(test, s->pool->kept, 0);
	migrate_enable();
}

/* What is of another node is left where it is; what is of both may have it. */
static void kept_of_another_node(struct kunit *test)
{
	struct zcb_session *s = of_pages(test, 1);
	u64 first, both, other;

	migrate_disable();
	both = obj_alloc(test, s, 2 * PAGE_SIZE);
	first = must_alloc_on(test, s, PAGE_SIZE, 0);
	use_up(test, s, PAGE_SIZE, 1);
	must_free(test, s, first);
	KUNIT_EXPECT_EQ(test, alloc_on(s, PAGE_SIZE, 1, &other), -ENOMEM);
	KUNIT_EXPECT_EQ(test, s->pool->kept, 1);
	must_free(test, s, both);
	KUNIT_EXPECT_EQ(test, s->pool->kept, 2);
	must_alloc_on(test, s, PAGE_SIZE, 1);
	KUNIT_EXPECT_EQ(test, s->pool->kept, 0);
	migrate_enable();
}

static void the_next_arena(struct kunit *test)
{
	struct zcb_pool_config *cfg = small_pages(test, ZCBUF_POOL_PAGES);
	struct zcb_session *s;
	u64 handle;

	cfg->max_size = 2 * OBJ_ARENA;
	s = obj_session(test, obj_make_pool(test, cfg));
	take_turns(test, s->pool, 16);
	KUNIT_ASSERT_FALSE(test, IS_ERR(zcb_pool_grow(s->pool)));
	KUNIT_ASSERT_EQ(test, s->pool->arenas[1]->nid, 0);
	KUNIT_ASSERT_EQ(test, alloc_on(s, OBJ_ARENA, 0, &handle), 0);
	KUNIT_EXPECT_EQ(test, zcbuf_buf_offset(handle), OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, alloc_on(s, OBJ_ARENA / 2, 1, &handle), -ENOMEM);
}

static void by_itself(struct kunit *test)
{
	struct zcb_pool_config *cfg = small_pages(test, ZCBUF_POOL_PAGES);
	struct zcb_session *s;
	u64 handle;

	cfg->flags |= ZCBUF_POOL_F_AUTO_GROW;
	cfg->max_size = 3 * OBJ_ARENA;
	s = obj_session(test, obj_make_pool(test, cfg));
	take_turns(test, s->pool, 16);
	KUNIT_ASSERT_EQ(test, alloc_on(s, OBJ_ARENA / 2, 0, &handle), 0);
	KUNIT_EXPECT_EQ(test, zcbuf_buf_offset(handle), OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, zcb_pool_size(s->pool), 2 * OBJ_ARENA);
}

static void a_pool_of_another_node(struct kunit *test)
{
	struct zcb_pool_config *cfg = small_pages(test, ZCBUF_POOL_PAGES);
	struct zcb_session *s;
	u64 handle;

	cfg->flags |= ZCBUF_POOL_F_NODE;
	cfg->nodes = nodemask_of_node(0);
	s = obj_session(test, obj_make_pool(test, cfg));
	KUNIT_EXPECT_EQ(test, alloc_until(s, 1, 1, ZCBUF_NO_DEADLINE, &handle),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, alloc_on(s, 1, 0, &handle), 0);
}

static int wait_for_node(struct obj_task *t)
{
	struct zcb_session *s = t->arg;

	return alloc_until(s, 1, 1, ZCBUF_NO_DEADLINE, &t->r.out_pool_offset);
}

/* What comes back of another node wakes him for nothing. */
static void who_waits_for_a_node(struct kunit *test)
{
	struct zcb_session *s = of_pages(test, 16);
	struct obj_task t = { .call = wait_for_node, .arg = s };
	u64 other = must_alloc_on(test, s, PAGE_SIZE, 0);
	u64 handle = must_alloc_on(test, s, PAGE_SIZE, 1);

	use_up(test, s, PAGE_SIZE, 1);
	obj_start(test, &t, &s->pool->space_wq);
	must_free(test, s, other);
	must_free(test, s, handle);
	KUNIT_EXPECT_EQ(test, obj_join(&t), 0);
	expect_on(test, s, t.r.out_pool_offset, 1);
}

static void zeroed_and_aligned(struct kunit *test)
{
	struct zcb_session *s = of_pages(test, 16);
	const struct zcb_memory_request r = {
		.length = PAGE_SIZE, .align = 8 * PAGE_SIZE, .zero = true,
		.on_node = true, .node = 1,
	};
	u64 handle = must_alloc_on(test, s, 8 * PAGE_SIZE, 1);

	obj_fill(s->pool, zcbuf_buf_offset(handle), 8 * PAGE_SIZE, 0xa5);
	must_free(test, s, handle);
	KUNIT_ASSERT_EQ(test, zcb_memory_alloc(s->pool, &s->hold, s->domain,
					       &r, &handle), 0);
	expect_on(test, s, handle, 1);
	KUNIT_EXPECT_EQ(test, zcbuf_buf_offset(handle) % (8 * PAGE_SIZE), 0);
	KUNIT_EXPECT_TRUE(test, obj_is(s->pool, zcbuf_buf_offset(handle),
				       8 * PAGE_SIZE, 0));
}

/* ------------------------------------------------------------------- slabs */

static bool is_object(u64 handle)
{
	return zcbuf_buf_class(handle) == ZCBUF_BUF_SLAB;
}

static u64 slab_of(u64 handle)
{
	return zcbuf_buf_offset(handle) / (SLAB_PAGES * PAGE_SIZE);
}

/* Each node has a slab, and all objects of one come from there. */
static void objects(struct kunit *test)
{
	struct zcb_session *s = of_tiers(test, 16);
	u64 handle[2][2];
	u32 i;

	for (i = 0; i < 4; i++)
		handle[i % 2][i / 2] = must_alloc_on(test, s, OBJECT, i % 2);
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_TRUE(test, is_object(handle[i][0]));
		KUNIT_EXPECT_EQ(test, slab_of(handle[i][0]),
				slab_of(handle[i][1]));
	}
	KUNIT_EXPECT_EQ(test, obj_used(test, s->pool),
			2 * SLAB_PAGES * PAGE_SIZE);
}

/* Those that are full, and those of the other node, are passed over. */
static void objects_of_many_slabs(struct kunit *test)
{
	const u32 nobjs = SLAB_PAGES * PAGE_SIZE / OBJECT;
	struct zcb_session *s = of_tiers(test, 16);
	u64 of_node_1 = 0;
	u32 i;

	for (i = 0; i < 3 * nobjs; i++) {
		must_alloc_on(test, s, OBJECT, 0);
		of_node_1 = must_alloc_on(test, s, OBJECT, 1);
	}
	KUNIT_EXPECT_EQ(test, obj_used(test, s->pool),
			6 * SLAB_PAGES * PAGE_SIZE);
	must_free(test, s, of_node_1);
	must_alloc_on(test, s, OBJECT, 0);
	KUNIT_EXPECT_EQ(test, slab_of(must_alloc_on(test, s, OBJECT, 1)),
			slab_of(of_node_1));
	KUNIT_EXPECT_EQ(test, obj_used(test, s->pool),
			7 * SLAB_PAGES * PAGE_SIZE);
}

/*
 * So many slabs of node 0 with a free object, in front of one of node 1; and whether
 * that one is found.
 */
static bool found_behind(struct kunit *test, u32 slabs)
{
	const u32 nobjs = SLAB_PAGES * PAGE_SIZE / OBJECT;
	struct zcb_session *s = of_tiers(test, 16);
	u64 *first = kunit_kcalloc(test, slabs, sizeof(*first), GFP_KERNEL);
	u64 of_node_1 = must_alloc_on(test, s, OBJECT, 1);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, first);
	for (i = 0; i < slabs * nobjs; i++) {
		u64 handle = must_alloc_on(test, s, OBJECT, 0);

		if (!(i % nobjs))
			first[i / nobjs] = handle;
	}
	for (i = 0; i < slabs; i++)
		must_free(test, s, first[i]);
	return slab_of(must_alloc_on(test, s, OBJECT, 1)) ==
	       slab_of(of_node_1);
}

/* Not all are looked at: the lock is held. */
static void objects_behind_many_slabs(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, found_behind(test, ZCB_SLABS_LOOK - 1));
	KUNIT_EXPECT_FALSE(test, found_behind(test, ZCB_SLABS_LOOK));
}

static void a_kept_slab(struct kunit *test)
{
	struct zcb_session *s = of_tiers(test, 16);
	u64 handle[2], again;
	u32 i;

	migrate_disable();
	for (i = 0; i < 2; i++)
		handle[i] = must_alloc_on(test, s, OBJECT, i);
	for (i = 0; i < 2; i++)
		must_free(test, s, handle[i]);
	KUNIT_EXPECT_EQ(test, s->pool->kept, 2);
	again = must_alloc_on(test, s, OBJECT, 0);
	KUNIT_EXPECT_EQ(test, slab_of(again), slab_of(handle[0]));
	KUNIT_EXPECT_EQ(test, s->pool->kept, 1);
	must_alloc_on(test, s, OBJECT, 0);
	KUNIT_EXPECT_EQ(test, s->pool->kept, 1);
	migrate_enable();
}

/* A page is of one node, a slab is not. */
static void no_slab_is_of_one_node(struct kunit *test)
{
	struct zcb_session *s = of_tiers(test, 1);
	u64 object = obj_alloc(test, s, OBJECT), handle;

	KUNIT_EXPECT_TRUE(test, is_object(object));
	handle = must_alloc_on(test, s, OBJECT, 1);
	KUNIT_EXPECT_EQ(test, zcbuf_buf_class(handle), 0);
	KUNIT_EXPECT_EQ(test, use_up(test, s, OBJECT, 1),
			(OBJ_PAGES - SLAB_PAGES) / 2 - 1);
	must_free(test, s, handle);
	must_free(test, s, object);
}

/* ------------------------------------------------------------------- fixed */

static void fixed_objects(struct kunit *test)
{
	struct zcb_session *s = of_fixed(test, 4, PAGE_SIZE);
	u64 handle;

	must_free(test, s, must_alloc_on(test, s, 1, 0));
	KUNIT_EXPECT_EQ(test, use_up(test, s, 1, 1), 16);
	KUNIT_EXPECT_EQ(test, alloc_until(s, 1, 1, 1, &handle), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, use_up(test, s, 1, 0), 16);
	KUNIT_EXPECT_EQ(test, s->pool->cfg.fixed.class[0].used, 32);
}

/* Of three pages each, with four of a node: two of four lie across. */
static void fixed_objects_across(struct kunit *test)
{
	struct zcb_session *s = of_fixed(test, 4, 3 * PAGE_SIZE);

	KUNIT_EXPECT_EQ(test, use_up(test, s, 1, 0), 8);
	KUNIT_EXPECT_EQ(test, use_up(test, s, 1, 1), 8);
	obj_alloc(test, s, 1);
	KUNIT_EXPECT_EQ(test, s->pool->cfg.fixed.class[0].used, 17);
}

static void fixed_of_one_node(struct kunit *test)
{
	struct zcb_session *s = of_fixed(test, 4, PAGE_SIZE);
	struct zcb_arena *a = s->pool->arenas[0];
	u64 handle;

	a->ops = &zcb_arena_folio_ops;
	zcb_arena_nodes_end(a);
	KUNIT_ASSERT_EQ(test, zcb_arena_nodes_init(a), 0);
	KUNIT_EXPECT_EQ(test, alloc_on(s, 1, a->nid + 1, &handle), -ENOMEM);
	KUNIT_EXPECT_EQ(test, alloc_on(s, 1, a->nid, &handle), 0);
}

static struct kunit_case node_cases[] = {
	KUNIT_CASE(an_arena_of_one_node),
	KUNIT_CASE(half_of_an_arena),
	KUNIT_CASE(who_wants_any_gets_any),
	KUNIT_CASE(another_node_is_no_room),
	KUNIT_CASE(a_kept_block),
	KUNIT_CASE(kept_below_others),
	KUNIT_CASE(kept_of_another_node),
	KUNIT_CASE(the_next_arena),
	KUNIT_CASE(by_itself),
	KUNIT_CASE(a_pool_of_another_node),
	KUNIT_CASE(who_waits_for_a_node),
	KUNIT_CASE(zeroed_and_aligned),
	KUNIT_CASE(objects),
	KUNIT_CASE(objects_of_many_slabs),
	KUNIT_CASE(objects_behind_many_slabs),
	KUNIT_CASE(a_kept_slab),
	KUNIT_CASE(no_slab_is_of_one_node),
	KUNIT_CASE(fixed_objects),
	KUNIT_CASE(fixed_objects_across),
	KUNIT_CASE(fixed_of_one_node),
	{}
};

static struct kunit_suite node_suite = {
	.name = "zcb_node",
	.suite_init = obj_suite_init,
	.suite_exit = obj_suite_exit,
	.init = obj_init,
	.test_cases = node_cases,
};

kunit_test_suite(node_suite);
