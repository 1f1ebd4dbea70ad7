// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pools that persist, and what removing one does: its name goes at once, and it
 * itself with its last user.
 */
#include "obj_rig.h"

static struct zcb_pool *named(struct kunit *test, const char *name)
{
	struct zcb_pool_config *cfg = obj_pool_config(test);

	strscpy(cfg->name, name, sizeof(cfg->name));
	return obj_make_pool(test, cfg);
}

static bool finds(const char *name, const struct zcb_pool *pool)
{
	struct zcb_pool *found = zcb_pool_find(name, GLOBAL_ROOT_UID);

	zcb_pool_put(found);
	return found == pool;
}

static void persists_until_it_is_removed(struct kunit *test)
{
	struct obj_rig *rig = test->priv;
	struct zcb_pool *pool = named(test, "one"), *found;

	zcb_pool_persist(pool);
	obj_drop_pool(test, pool);
	obj_settle(test);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), rig->refs + 1);
	found = zcb_pool_find("one", GLOBAL_ROOT_UID);
	KUNIT_ASSERT_PTR_EQ(test, found, pool);
	KUNIT_EXPECT_EQ(test, zcb_pool_remove(found), 0);
	zcb_pool_put(found);
	obj_settle(test);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), 0);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), rig->refs);
}

static void removed_is_without_a_name(struct kunit *test)
{
	struct zcb_pool *pool = named(test, "one"), *other;

	KUNIT_EXPECT_STREQ(test, obj_pool_stat(test, pool)->name, "one");
	KUNIT_EXPECT_EQ(test, zcb_pool_remove(pool), 0);
	KUNIT_EXPECT_TRUE(test, finds("one", NULL));
	KUNIT_EXPECT_STREQ(test, obj_pool_stat(test, pool)->name, "");
	other = named(test, "one");
	KUNIT_EXPECT_TRUE(test, finds("one", other));
	KUNIT_EXPECT_EQ(test, zcb_pool_remove(pool), -ENOENT);
	KUNIT_EXPECT_TRUE(test, finds("one", other));
	KUNIT_EXPECT_EQ(test, kref_read(&pool->ref), 1);
}

/* Its name was known before it was told to persist, and somebody was faster. */
static void what_was_removed_does_not_persist(struct kunit *test)
{
	struct zcb_pool *pool = named(test, "one");

	KUNIT_EXPECT_EQ(test, zcb_pool_remove(pool), 0);
	zcb_pool_persist(pool);
	KUNIT_EXPECT_EQ(test, kref_read(&pool->ref), 1);
	obj_drop_pool(test, pool);
	obj_settle(test);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), 0);
}

static void nothing_to_remove(struct kunit *test)
{
	struct zcb_pool *pool = obj_pool(test);

	KUNIT_EXPECT_EQ(test, zcb_pool_remove(pool), -ENOENT);
	KUNIT_EXPECT_EQ(test, kref_read(&pool->ref), 1);
}

static void a_zombie_cannot_be_removed(struct kunit *test)
{
	struct zcb_pool *pool = named(test, "one"), *zombie;
	struct page *page = zcb_pool_page(pool, 5);
	u64 handle = pool->handle;

	get_page(page);
	obj_drop_pool(test, pool);
	obj_settle(test);
	zombie = zcb_pool_look_up(handle);
	KUNIT_ASSERT_PTR_EQ(test, zombie, pool);
	KUNIT_EXPECT_EQ(test, zcb_pool_remove(zombie), -ENOENT);
	put_page(page);
	mod_delayed_work(system_wq, &zombie->work, 0);
	flush_delayed_work(&zombie->work);
	zcb_pool_put(zombie);
	obj_settle(test);
}

static void looked_up_by_handle(struct kunit *test)
{
	struct zcb_pool *pool = named(test, "one");
	struct zcb_pool *found = zcb_pool_look_up(pool->handle);
	u64 handle = pool->handle;

	KUNIT_EXPECT_PTR_EQ(test, found, pool);
	KUNIT_EXPECT_EQ(test, kref_read(&pool->ref), 2);
	zcb_pool_put(found);
	KUNIT_EXPECT_NULL(test, zcb_pool_look_up(0));
	KUNIT_EXPECT_NULL(test, zcb_pool_look_up(handle + 1));
	KUNIT_EXPECT_NULL(test, zcb_pool_look_up(handle + (1ULL << 40)));
	KUNIT_EXPECT_NULL(test, zcb_pool_look_up(~0ULL));
	obj_drop_pool(test, pool);
	obj_settle(test);
	KUNIT_EXPECT_NULL(test, zcb_pool_look_up(handle));
}

static void made_for_another(struct kunit *test)
{
	struct zcb_pool_config *cfg = obj_pool_config(test);
	struct zcb_pool *pool;

	strscpy(cfg->name, "one", sizeof(cfg->name));
	cfg->owned = true;
	cfg->uid = KUIDT_INIT(4001);
	cfg->gid = KGIDT_INIT(4002);
	pool = obj_make_pool(test, cfg);
	KUNIT_EXPECT_TRUE(test, uid_eq(pool->uid, cfg->uid));
	KUNIT_EXPECT_TRUE(test, gid_eq(pool->gid, cfg->gid));
	KUNIT_EXPECT_TRUE(test, uid_eq(pool->payer.uid, GLOBAL_ROOT_UID));
	KUNIT_EXPECT_TRUE(test, finds("one", NULL));
}

static struct kunit_case remove_cases[] = {
	KUNIT_CASE(persists_until_it_is_removed),
	KUNIT_CASE(removed_is_without_a_name),
	KUNIT_CASE(what_was_removed_does_not_persist),
	KUNIT_CASE(nothing_to_remove),
	KUNIT_CASE(a_zombie_cannot_be_removed),
	KUNIT_CASE(looked_up_by_handle),
	KUNIT_CASE(made_for_another),
	{}
};

static struct kunit_suite remove_suite = {
	.name = "zcb_pool_remove",
	.suite_init = obj_suite_init,
	.suite_exit = obj_suite_exit,
	.init = obj_init,
	.test_cases = remove_cases,
};

kunit_test_suite(remove_suite);
