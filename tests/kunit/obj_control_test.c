// SPDX-License-Identifier: GPL-2.0-only
/*
 * The control page of a pool: when it is written, who pays for it, how long it stays.
 */
#include <linux/file.h>

#include "../../kmod/obj/control.h"
#include "../../kmod/obj/shown.h"
#include "obj_rig.h"

static void drop_file(void *file)
{
	__fput_sync(file);
}

static struct file *show(struct kunit *test, struct zcb_pool *pool)
{
	struct file *file = zcb_control_file(pool);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, drop_file, file));
	return file;
}

static u64 pressure(struct file *file)
{
	const struct zcb_shown *s = file->private_data;
	const struct zcbuf_control *page = s->mem;

	return page->pressure;
}

static int try_alloc(struct zcb_session *s, u64 length, u64 deadline_ns)
{
	const struct zcb_memory_request r = {
		.length = length, .deadline_ns = deadline_ns,
	};
	u64 handle;

	return zcb_memory_alloc(s->pool, &s->hold, s->domain, &r, &handle);
}

/* Only who finds no memory says so; that it was never there is no news. */
static void told_of_each_that_finds_none(struct kunit *test)
{
	struct zcb_pool *pool = obj_pool(test);
	struct zcb_session *s = obj_session(test, pool);
	struct file *file = show(test, pool);
	u64 handle = obj_alloc(test, s, OBJ_ARENA / 2);
	u64 offset;
	u32 pages;

	KUNIT_EXPECT_EQ(test, try_alloc(s, 2 * OBJ_ARENA, 0), -E2BIG);
	KUNIT_EXPECT_EQ(test, pressure(file), 0);
	KUNIT_EXPECT_EQ(test, try_alloc(s, OBJ_ARENA, 0), -ENOMEM);
	KUNIT_EXPECT_EQ(test, pressure(file), 1);
	KUNIT_EXPECT_EQ(test, try_alloc(s, OBJ_ARENA, 1), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, pressure(file), 2);
	KUNIT_EXPECT_EQ(test, zcb_memory_get(pool, OBJ_ARENA, s->domain,
					     &offset, &pages), -ENOMEM);
	KUNIT_EXPECT_EQ(test, pressure(file), 3);
	KUNIT_EXPECT_EQ(test, zcb_memory_free(pool, &s->hold, handle), 0);
	handle = obj_alloc(test, s, OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, zcb_memory_free(pool, &s->hold, handle), 0);
	KUNIT_EXPECT_EQ(test, pressure(file), 3);
}

static void told_of_each_kind_of_pool(struct kunit *test)
{
	struct zcb_pool_config *cfg = obj_pool_config(test);
	struct zcb_session *s;
	struct zcb_pool *pool;
	struct file *file;

	cfg->kind = ZCBUF_POOL_TIERS;
	KUNIT_ASSERT_EQ(test, zcb_slab_table_init(&cfg->slabs, zcb_slab_tiers,
						  ZCB_SLAB_TIERS, PAGE_SHIFT),
			0);
	pool = obj_make_pool(test, cfg);
	s = obj_session(test, pool);
	file = show(test, pool);
	obj_alloc(test, s, OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, try_alloc(s, 64, 0), -ENOMEM);
	KUNIT_EXPECT_EQ(test, pressure(file), 1);
}

/* Nobody has mapped it: there is nothing to write to, and nothing to pay. */
static void none_until_it_is_wanted(struct kunit *test)
{
	struct zcb_pool *pool = obj_pool(test);
	struct zcb_session *s = obj_session(test, pool);
	struct file *file;

	obj_alloc(test, s, OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, try_alloc(s, 1, 0), -ENOMEM);
	KUNIT_EXPECT_NULL(test, pool->control);
	file = show(test, pool);
	KUNIT_EXPECT_EQ(test, pressure(file), 0);
	KUNIT_EXPECT_EQ(test, try_alloc(s, 1, 0), -ENOMEM);
	KUNIT_EXPECT_EQ(test, pressure(file), 1);
}

/* One for all, which the pool's user pays, until neither pool nor file is there. */
static void one_page_is_charged(struct kunit *test)
{
	const kuid_t uid = KUIDT_INIT(4001);
	struct zcb_pool *pool;
	struct obj_user u;
	struct file *file;
	u64 before;

	obj_become(test, &u, 4001);
	pool = obj_pool(test);
	obj_return(&u);
	before = obj_charged(uid);
	file = show(test, pool);
	KUNIT_EXPECT_EQ(test, obj_charged(uid), before + PAGE_SIZE);
	KUNIT_EXPECT_PTR_EQ(test, show(test, pool)->private_data,
			    file->private_data);
	KUNIT_EXPECT_EQ(test, obj_charged(uid), before + PAGE_SIZE);
	obj_drop_pool(test, pool);
	obj_settle(test);
	KUNIT_EXPECT_EQ(test, obj_charged(uid), PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, pressure(file), 0);
}

/* Others may keep what is in the way. */
static void told_of_a_retirement(struct kunit *test)
{
	struct zcb_pool_config *cfg = obj_pool_config(test);
	struct zcb_pool *pool;
	struct file *file;
	u32 state;

	cfg->max_size = 2 * OBJ_ARENA;
	pool = obj_make_pool(test, cfg);
	file = show(test, pool);
	KUNIT_EXPECT_EQ(test, zcb_pool_retire(pool, NULL, 0, false, 0, &state),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, pressure(file), 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, zcb_pool_grow(pool));
	KUNIT_EXPECT_EQ(test, zcb_pool_retire(pool, NULL, 1, false, 0, &state),
			0);
	KUNIT_EXPECT_EQ(test, pressure(file), 1);
}

static struct kunit_case control_cases[] = {
	KUNIT_CASE(told_of_each_that_finds_none),
	KUNIT_CASE(told_of_each_kind_of_pool),
	KUNIT_CASE(none_until_it_is_wanted),
	KUNIT_CASE(one_page_is_charged),
	KUNIT_CASE(told_of_a_retirement),
	{}
};

static struct kunit_suite control_suite = {
	.name = "zcb_control",
	.suite_init = obj_suite_init,
	.suite_exit = obj_suite_exit,
	.init = obj_init,
	.test_cases = control_cases,
};

kunit_test_suite(control_suite);
