// SPDX-License-Identifier: GPL-2.0-only
/*
 * Parts of buffers that are held by who is no session: their memory is out until
 * he lets go of it.
 */
#include "../../kmod/obj/export.h"
#include "../../kmod/obj/quarantine.h"
#include "obj_three.h"

static u64 exported(struct kunit *test, struct zcb_pool *pool)
{
	return obj_pool_stat(test, pool)->exported;
}

static struct zcb_export *export(struct kunit *test, struct zcb_session *s,
				 u64 handle, u64 offset, u64 length)
{
	struct zcb_export *e = zcb_export_create(s, handle, offset, length);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, e);
	return e;
}

static void expect_pages(struct kunit *test, struct zcb_pool *pool,
			 const struct zcb_export *e, u64 handle, u64 offset)
{
	u64 first = (zcbuf_buf_offset(handle) + offset) >> PAGE_SHIFT;
	struct page **pages = zcb_export_pages(e);
	u64 i;

	KUNIT_ASSERT_NOT_NULL(test, pages);
	for (i = 0; i < e->length >> PAGE_SHIFT; i++)
		KUNIT_EXPECT_PTR_EQ(test, pages[i],
				    zcb_pool_page(pool, first + i));
	kvfree(pages);
}

static void whole_or_in_part(struct kunit *test)
{
	struct three t = of_pages(test);
	u64 handle = obj_alloc(test, t.a, 4 * PAGE_SIZE);
	struct zcb_export *all = export(test, t.a, handle, 0, 0);
	struct zcb_export *rest = export(test, t.a, handle, PAGE_SIZE, 0);
	struct zcb_export *one = export(test, t.a, handle, 2 * PAGE_SIZE,
					PAGE_SIZE);

	KUNIT_EXPECT_EQ(test, all->length, 4 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, rest->length, 3 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, one->length, PAGE_SIZE);
	expect_pages(test, t.pool, all, handle, 0);
	expect_pages(test, t.pool, rest, handle, PAGE_SIZE);
	expect_pages(test, t.pool, one, handle, 2 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, holders(t.a, handle), 4);
	KUNIT_EXPECT_EQ(test, exported(test, t.pool), 8 * PAGE_SIZE);
	zcb_export_end(rest);
	KUNIT_EXPECT_EQ(test, exported(test, t.pool), 5 * PAGE_SIZE);
	zcb_export_end(all);
	zcb_export_end(one);
	KUNIT_EXPECT_EQ(test, exported(test, t.pool), 0);
	KUNIT_EXPECT_EQ(test, holders(t.a, handle), 1);
	KUNIT_EXPECT_EQ(test, try_free(t.a, handle), 0);
}

static int refusal(struct zcb_session *s, u64 handle, u64 offset, u64 length)
{
	struct zcb_export *e = zcb_export_create(s, handle, offset, length);

	if (!IS_ERR(e)) {
		zcb_export_end(e);
		return 0;
	}
	return PTR_ERR(e);
}

static void whole_pages_of_ones_own(struct kunit *test)
{
	struct three t = of_pages(test), tiers = of_tiers(test);
	u64 handle = obj_alloc(test, t.a, 2 * PAGE_SIZE);
	u64 object = obj_alloc(test, tiers.a, OBJECT);

	KUNIT_EXPECT_EQ(test, refusal(t.b, handle, 0, 0), -EPERM);
	KUNIT_EXPECT_EQ(test, refusal(t.a, 0, 0, 0), -ENOENT);
	KUNIT_EXPECT_EQ(test, refusal(t.a, handle, 1, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, refusal(t.a, handle, 0, PAGE_SIZE - 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, refusal(t.a, handle, 2 * PAGE_SIZE, 0), -ERANGE);
	KUNIT_EXPECT_EQ(test, refusal(t.a, handle, PAGE_SIZE, 2 * PAGE_SIZE),
			-ERANGE);
	KUNIT_EXPECT_EQ(test, refusal(t.a, handle, PAGE_SIZE, -PAGE_SIZE),
			-ERANGE);
	KUNIT_EXPECT_EQ(test, refusal(t.a, handle, -PAGE_SIZE, PAGE_SIZE),
			-ERANGE);
	KUNIT_EXPECT_EQ(test, refusal(tiers.a, object, 0, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, holders(t.a, handle), 1);
	KUNIT_EXPECT_EQ(test, exported(test, t.pool), 0);
	KUNIT_EXPECT_EQ(test, try_free(t.a, handle), 0);
	KUNIT_EXPECT_EQ(test, refusal(t.a, handle, 0, 0), -EBADSLT);
}

/* The owner frees it, or dies; then, it is free at the end, and zeroed. */
static void outlives(struct kunit *test, struct three *t, bool dies)
{
	struct zcb_export *e;
	u64 handle, next;

	handle = obj_alloc(test, t->a, PAGE_SIZE);
	e = export(test, t->a, handle, 0, 0);
	if (dies)
		obj_close(test, t->a);
	else
		KUNIT_EXPECT_EQ(test, try_free(t->a, handle), 0);
	KUNIT_EXPECT_EQ(test, obj_used(test, t->pool), PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, try_free(t->b, handle), -EPERM);
	obj_fill(t->pool, e->offset, e->length, 0x66);
	migrate_disable();
	zcb_export_end(e);
	KUNIT_EXPECT_EQ(test, obj_used(test, t->pool), 0);
	next = obj_alloc(test, t->b, PAGE_SIZE);
	migrate_enable();
	KUNIT_EXPECT_EQ(test, zcbuf_buf_offset(next), zcbuf_buf_offset(handle));
	KUNIT_EXPECT_TRUE(test, obj_is(t->pool, zcbuf_buf_offset(next),
				       PAGE_SIZE, 0));
	KUNIT_EXPECT_EQ(test, try_free(t->b, next), 0);
}

static void outlives_its_owner(struct kunit *test)
{
	struct three pages = of_pages(test), fixed = of_fixed(test);

	outlives(test, &pages, false);
	outlives(test, &pages, true);
	outlives(test, &fixed, false);
	outlives(test, &fixed, true);
}

/* An object of a slab that is whole pages, and its lessee. */
static void outlives_a_slab(struct kunit *test)
{
	struct zcb_pool_config *cfg = obj_pool_config(test);
	const u32 lengths[] = { 2 * PAGE_SIZE };
	struct zcb_export *e;
	struct three t;
	u64 handle;

	cfg->kind = ZCBUF_POOL_TIERS;
	KUNIT_ASSERT_EQ(test, zcb_slab_table_init(&cfg->slabs, lengths, 1,
						  PAGE_SHIFT), 0);
	t = attach(test, obj_make_pool(test, cfg));
	obj_alloc(test, t.a, PAGE_SIZE);
	handle = obj_alloc(test, t.a, PAGE_SIZE);
	e = export(test, t.a, handle, PAGE_SIZE, 0);
	expect_pages(test, t.pool, e, handle, PAGE_SIZE);
	obj_close(test, t.a);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, t.pool)->classes[0].used, 1);
	zcb_export_end(e);
	KUNIT_EXPECT_EQ(test, obj_used(test, t.pool), 0);
}

/* As if a while had passed. */
static void look(struct zcb_pool *pool)
{
	zcb_quarantine_look(pool);
	flush_delayed_work(&pool->quarantine_work);
}

/* What was mapped from it, and registered somewhere, may still be written to. */
static void something_pins_it(struct kunit *test)
{
	struct three t = of_pages(test);
	u64 first = obj_alloc(test, t.a, PAGE_SIZE);
	u64 second = obj_alloc(test, t.a, 2 * PAGE_SIZE);
	struct zcb_export *e = export(test, t.a, first, 0, 0);
	struct zcb_export *f = export(test, t.a, second, 0, PAGE_SIZE);
	const struct zcb_pool_stat *st;
	struct folio *folio;

	KUNIT_EXPECT_EQ(test, try_free(t.a, first), 0);
	KUNIT_EXPECT_EQ(test, try_free(t.a, second), 0);
	folio = page_folio(zcb_pool_page(t.pool, e->offset >> PAGE_SHIFT));
	folio_get(folio);
	if (!folio_test_large(folio))
		folio_get(page_folio(zcb_pool_page(t.pool, f->offset >>
						   PAGE_SHIFT)));
	zcb_export_end(e);
	zcb_export_end(f);
	look(t.pool);
	st = obj_pool_stat(test, t.pool);
	KUNIT_EXPECT_EQ(test, st->used, 3 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, st->exported, 0);
	KUNIT_EXPECT_EQ(test, st->quarantine.bytes, 3 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, st->quarantine.sessions, 0);
	KUNIT_EXPECT_NE(test, st->quarantine.age_ns, 0);
	if (!folio_test_large(folio))
		folio_put(page_folio(zcb_pool_page(t.pool,
						   zcbuf_buf_offset(second) >>
						   PAGE_SHIFT)));
	folio_put(folio);
	look(t.pool);
	st = obj_pool_stat(test, t.pool);
	KUNIT_EXPECT_EQ(test, st->used, 0);
	KUNIT_EXPECT_EQ(test, st->quarantine.bytes, 0);
	KUNIT_EXPECT_EQ(test, st->quarantine.age_ns, 0);
}

/* Who went first is the oldest, a session or not; both have something. */
static void beside_a_session(struct kunit *test)
{
	struct three t = of_pages(test);
	u64 first = obj_alloc(test, t.a, PAGE_SIZE), now;
	u64 second = obj_alloc(test, t.b, PAGE_SIZE);
	struct zcb_export *e = export(test, t.a, first, 0, 0);
	const struct zcb_quarantine_stat *q;
	struct page *page[] = {
		zcb_pool_page(t.pool, zcbuf_buf_offset(first) >> PAGE_SHIFT),
		zcb_pool_page(t.pool, zcbuf_buf_offset(second) >> PAGE_SHIFT),
	};

	KUNIT_EXPECT_EQ(test, try_free(t.a, first), 0);
	get_page(page[0]);
	get_page(page[1]);
	zcb_export_end(e);
	obj_close(test, t.b);
	scoped_guard(mutex, &t.pool->lock)
		e->remains.died_ns = 0;	/* a long time ago */
	look(t.pool);
	now = ktime_get_ns();
	q = &obj_pool_stat(test, t.pool)->quarantine;
	KUNIT_EXPECT_EQ(test, q->sessions, 1);
	KUNIT_EXPECT_EQ(test, q->bytes, 2 * PAGE_SIZE);
	KUNIT_EXPECT_GE(test, q->age_ns, now);
	put_page(page[0]);
	put_page(page[1]);
	look(t.pool);
	q = &obj_pool_stat(test, t.pool)->quarantine;
	KUNIT_EXPECT_EQ(test, q->sessions, 0);
	KUNIT_EXPECT_EQ(test, q->age_ns, 0);
	KUNIT_EXPECT_EQ(test, obj_used(test, t.pool), 0);
}

/* Without a session, and without whoever made it. */
static void keeps_the_pool(struct kunit *test)
{
	struct zcb_pool *pool = obj_pool(test);
	struct zcb_session *s = obj_session(test, pool);
	u64 handle = obj_alloc(test, s, PAGE_SIZE);
	struct zcb_export *e = export(test, s, handle, 0, 0);

	obj_close(test, s);
	obj_drop_pool(test, pool);
	KUNIT_EXPECT_EQ(test, pool->state, ZCB_POOL_LIVE);
	obj_fill(pool, e->offset, e->length, 0x67);
	expect_pages(test, pool, e, handle, 0);
	zcb_export_end(e);
}

/* Two arenas, of which the second has the block that is returned. */
static u64 in_arena_1(struct kunit *test, struct three *t)
{
	struct zcb_pool_config *cfg = obj_pool_config(test);
	u64 handle;

	cfg->max_size = 2 * OBJ_ARENA;
	*t = attach(test, obj_make_pool(test, cfg));
	KUNIT_ASSERT_FALSE(test, IS_ERR(zcb_pool_grow(t->pool)));
	obj_alloc(test, t->a, OBJ_ARENA);
	handle = obj_alloc(test, t->a, PAGE_SIZE);
	KUNIT_ASSERT_GE(test, zcbuf_buf_offset(handle), OBJ_ARENA);
	return handle;
}

static u32 retire(struct kunit *test, struct zcb_pool *pool)
{
	u32 state = 77;

	KUNIT_EXPECT_EQ(test, zcb_pool_retire(pool, NULL, 1, false, 0, &state),
			0);
	return state;
}

/* What is out of an arena that is retired keeps it, and there shall not be more. */
static void of_a_retired_arena(struct kunit *test)
{
	struct three t;
	u64 handle = in_arena_1(test, &t), charged = obj_total_charged();
	struct zcb_export *e = export(test, t.a, handle, 0, 0);
	u32 state;

	KUNIT_EXPECT_EQ(test, retire(test, t.pool), ZCB_ARENA_RETIRING);
	KUNIT_EXPECT_EQ(test, refusal(t.a, handle, 0, 0), -EBUSY);
	KUNIT_EXPECT_EQ(test, refusal(t.a, handle, 1, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, refusal(t.b, handle, 0, 0), -EPERM);
	KUNIT_EXPECT_EQ(test, holders(t.a, handle), 2);
	KUNIT_EXPECT_EQ(test, zcb_pool_retire_cancel(t.pool, 1, &state), 0);
	KUNIT_EXPECT_EQ(test, refusal(t.a, handle, 0, 0), 0);
	KUNIT_EXPECT_EQ(test, try_free(t.a, handle), 0);
	KUNIT_EXPECT_EQ(test, retire(test, t.pool), ZCB_ARENA_RETIRING);
	expect_pages(test, t.pool, e, handle, 0);
	zcb_export_end(e);
	KUNIT_EXPECT_EQ(test, retire(test, t.pool), ZCB_ARENA_GONE);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), charged - OBJ_ARENA);
}

static void at_a_limit(struct kunit *test)
{
	struct three t = of_pages(test);
	u64 handle = obj_alloc(test, t.a, PAGE_SIZE);

	obj_limits(test, 1, 1);
	KUNIT_EXPECT_EQ(test, refusal(t.a, handle, 0, 0), -ENOMEM);
	KUNIT_EXPECT_EQ(test, holders(t.a, handle), 1);
	KUNIT_EXPECT_EQ(test, exported(test, t.pool), 0);
}

static struct kunit_case export_cases[] = {
	KUNIT_CASE(whole_or_in_part),
	KUNIT_CASE(whole_pages_of_ones_own),
	KUNIT_CASE(outlives_its_owner),
	KUNIT_CASE(outlives_a_slab),
	KUNIT_CASE(something_pins_it),
	KUNIT_CASE(beside_a_session),
	KUNIT_CASE(keeps_the_pool),
	KUNIT_CASE(of_a_retired_arena),
	KUNIT_CASE(at_a_limit),
	{}
};

static struct kunit_suite export_suite = {
	.name = "zcb_export",
	.suite_init = obj_suite_init,
	.suite_exit = obj_suite_exit,
	.init = obj_init,
	.test_cases = export_cases,
};

kunit_test_suite(export_suite);
