// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of pools: how they are found, what keeps them, and how they end,
 * with and without pages that somebody still holds.
 */
#include <linux/ipc_namespace.h>
#include <linux/nsproxy.h>
#include <linux/poll.h>

#include "obj_rig.h"

static struct zcb_pool_config *named(struct kunit *test, const char *name)
{
	struct zcb_pool_config *cfg = obj_pool_config(test);

	strscpy(cfg->name, name, sizeof(cfg->name));
	return cfg;
}

static struct zcb_pool *make_named(struct kunit *test, const char *name)
{
	return obj_make_pool(test, named(test, name));
}

static bool finds(const char *name, kuid_t uid, const struct zcb_pool *pool)
{
	struct zcb_pool *found = zcb_pool_find(name, uid);

	zcb_pool_put(found);
	return found == pool;
}

/* A pool that is gone must not be touched any more. */
static bool finds_nothing(const char *name)
{
	struct zcb_pool *found = zcb_pool_find(name, GLOBAL_ROOT_UID);

	zcb_pool_put(found);
	return !found;
}

static u32 count_pools(void)
{
	struct zcb_pool *pool;
	u32 cursor = 0, n = 0;

	while ((pool = zcb_pool_next(&cursor))) {
		zcb_pool_put(pool);
		n++;
	}
	return n;
}

static void is_as_it_was_asked_for(struct kunit *test)
{
	struct zcb_pool_config *cfg = named(test, "one");
	struct zcb_pool *pool;

	cfg->arena_size = 3 * OBJ_ARENA;
	cfg->mode = 0640;
	pool = obj_make_pool(test, cfg);
	KUNIT_EXPECT_NE(test, pool->handle, 0);
	KUNIT_EXPECT_EQ(test, zcb_pool_size(pool), 3 * OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, i_size_read(pool->inode), 3 * OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, pool->state, ZCB_POOL_LIVE);
	KUNIT_EXPECT_EQ(test, pool->cfg.mode, 0640);
	KUNIT_EXPECT_STREQ(test, pool->cfg.name, "one");
	KUNIT_EXPECT_EQ(test, pool->nsessions, 0);
	KUNIT_EXPECT_EQ(test, pool->used, 0);
	KUNIT_EXPECT_EQ(test, pool->bufs.npages, pool->arenas[0]->npages);
	KUNIT_EXPECT_EQ(test, kref_read(&pool->ref), 1);
}

static void belongs_to_who_made_it(struct kunit *test)
{
	struct zcb_pool *pool;
	struct obj_user u;

	obj_become(test, &u, 4001);
	pool = obj_pool(test);
	obj_return(&u);
	KUNIT_EXPECT_EQ(test, __kuid_val(pool->uid), 4001);
	KUNIT_EXPECT_EQ(test, __kgid_val(pool->gid), 4001);
}

/* The opener of the device may be somebody else. */
static void charges_whom_it_is_told_to(struct kunit *test)
{
	struct zcb_pool_config *cfg = obj_pool_config(test);
	struct zcb_pool *pool = zcb_pool_create(cfg, KUIDT_INIT(4002));

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pool);
	KUNIT_EXPECT_EQ(test, obj_charged(KUIDT_INIT(4002)), OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, obj_charged(GLOBAL_ROOT_UID), 0);
	zcb_pool_put(pool);
}

static void page_kinds_are_as_flagged(struct kunit *test)
{
	struct zcb_pool_config *cfg = obj_pool_config(test);

	cfg->flags = ZCBUF_POOL_F_SMALL_PAGES;
	KUNIT_EXPECT_EQ(test, obj_make_pool(test, cfg)->arenas[0]->order, 0);
	cfg->flags = ZCBUF_POOL_F_HUGE_STRICT;
	KUNIT_EXPECT_EQ(test, obj_make_pool(test, cfg)->arenas[0]->order,
			get_order(ZCB_ARENA_UNIT));
}

static void found_by_name(struct kunit *test)
{
	struct zcb_pool *one = make_named(test, "one");
	struct zcb_pool *two = make_named(test, "two");

	KUNIT_EXPECT_TRUE(test, finds("one", GLOBAL_ROOT_UID, one));
	KUNIT_EXPECT_TRUE(test, finds("two", GLOBAL_ROOT_UID, two));
	KUNIT_EXPECT_TRUE(test, finds_nothing("on"));
	KUNIT_EXPECT_TRUE(test, finds_nothing("ones"));
	KUNIT_EXPECT_TRUE(test, finds_nothing("One"));
}

static void without_a_name_is_not_found(struct kunit *test)
{
	obj_pool(test);
	obj_pool(test);
	KUNIT_EXPECT_TRUE(test, finds_nothing(""));
}

static void finding_it_keeps_it(struct kunit *test)
{
	struct zcb_pool *pool = make_named(test, "one");
	struct zcb_pool *found = zcb_pool_find("one", GLOBAL_ROOT_UID);

	KUNIT_ASSERT_PTR_EQ(test, found, pool);
	obj_drop_pool(test, pool);
	obj_settle(test);
	KUNIT_EXPECT_TRUE(test, finds("one", GLOBAL_ROOT_UID, found));
	KUNIT_EXPECT_EQ(test, obj_total_charged(), OBJ_ARENA);
	zcb_pool_put(found);
}

static void a_name_is_taken_once(struct kunit *test)
{
	struct obj_rig *rig = test->priv;
	struct zcb_pool_config *cfg = named(test, "one");
	struct zcb_pool *pool = obj_make_pool(test, cfg);

	KUNIT_EXPECT_PTR_EQ(test, zcb_pool_create(cfg, GLOBAL_ROOT_UID),
			    ERR_PTR(-EEXIST));
	KUNIT_EXPECT_TRUE(test, finds("one", GLOBAL_ROOT_UID, pool));
	KUNIT_EXPECT_EQ(test, kref_read(&pool->ref), 1);
	KUNIT_EXPECT_EQ(test, count_pools(), 1);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), rig->refs + 1);
}

static void a_name_is_free_once_the_last_reference_is_gone(struct kunit *test)
{
	struct zcb_pool_config *cfg = named(test, "one");
	struct zcb_pool *pool;
	u32 i;

	for (i = 0; i < 5; i++) {
		pool = zcb_pool_create(cfg, GLOBAL_ROOT_UID);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pool);
		zcb_pool_put(pool);
		KUNIT_EXPECT_TRUE(test, finds_nothing("one"));
	}
}

static void users_have_names_of_their_own(struct kunit *test)
{
	struct zcb_pool *mine = make_named(test, "one"), *theirs;
	struct obj_user u;

	obj_become(test, &u, 4001);
	theirs = make_named(test, "one");
	obj_return(&u);
	KUNIT_EXPECT_TRUE(test, finds("one", GLOBAL_ROOT_UID, mine));
	KUNIT_EXPECT_TRUE(test, finds("one", KUIDT_INIT(4001), theirs));
	KUNIT_EXPECT_NULL(test, zcb_pool_find("one", KUIDT_INIT(4002)));
}

/* Only its number is looked at. */
static void namespaces_have_names_of_their_own(struct kunit *test)
{
	struct ipc_namespace *ns = kunit_kzalloc(test, sizeof(*ns), GFP_KERNEL);
	struct zcb_pool_config *cfg = named(test, "one");
	struct zcb_pool *outside, *inside, *seen;
	struct nsproxy *proxy = current->nsproxy;
	struct nsproxy other = *proxy;

	KUNIT_ASSERT_NOT_NULL(test, ns);
	ns->ns.inum = 0xfefe;
	other.ipc_ns = ns;
	outside = obj_make_pool(test, cfg);

	current->nsproxy = &other;
	seen = zcb_pool_find("one", GLOBAL_ROOT_UID);
	inside = zcb_pool_create(cfg, GLOBAL_ROOT_UID);
	current->nsproxy = proxy;

	KUNIT_EXPECT_NULL(test, seen);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, inside);
	KUNIT_EXPECT_TRUE(test, finds("one", GLOBAL_ROOT_UID, outside));
	current->nsproxy = &other;
	seen = zcb_pool_find("one", GLOBAL_ROOT_UID);
	current->nsproxy = proxy;
	KUNIT_EXPECT_PTR_EQ(test, seen, inside);
	zcb_pool_put(seen);
	zcb_pool_put(inside);
}

/* make_in_order() - pools, in the order they are walked in */
static void make_in_order(struct kunit *test, struct zcb_pool **pool, u32 n)
{
	u32 i, cursor = 0;

	for (i = 0; i < n; i++)
		obj_pool(test);
	for (i = 0; i < n; i++) {
		pool[i] = zcb_pool_next(&cursor);
		KUNIT_ASSERT_NOT_NULL(test, pool[i]);
		zcb_pool_put(pool[i]);
	}
	KUNIT_ASSERT_NULL(test, zcb_pool_next(&cursor));
}

static void walked_in_order_of_their_numbers(struct kunit *test)
{
	struct zcb_pool *pool[3];
	u32 i;

	make_in_order(test, pool, 3);
	for (i = 1; i < 3; i++)
		KUNIT_EXPECT_LT(test, (u32)pool[i - 1]->handle,
				(u32)pool[i]->handle);
}

/* A walk neither repeats nor misses one while others go. */
static void a_walk_goes_on_while_pools_go(struct kunit *test)
{
	struct zcb_pool *pool[4], *next;
	u32 cursor = 0;

	make_in_order(test, pool, 4);
	next = zcb_pool_next(&cursor);
	KUNIT_EXPECT_PTR_EQ(test, next, pool[0]);
	obj_drop_pool(test, pool[0]);
	obj_drop_pool(test, pool[1]);
	zcb_pool_put(next);
	obj_settle(test);
	next = zcb_pool_next(&cursor);
	KUNIT_EXPECT_PTR_EQ(test, next, pool[2]);
	zcb_pool_put(next);
	next = zcb_pool_next(&cursor);
	KUNIT_EXPECT_PTR_EQ(test, next, pool[3]);
	zcb_pool_put(next);
	KUNIT_EXPECT_NULL(test, zcb_pool_next(&cursor));
}

/* The table grows, and numbers of the dead are used again with a difference. */
static void many_pools(struct kunit *test)
{
	struct zcb_pool_config *cfg = obj_pool_config(test);
	u32 i, n = 150;
	u64 *handle = kunit_kcalloc(test, n, sizeof(*handle), GFP_KERNEL);
	struct zcb_pool *pool;

	KUNIT_ASSERT_NOT_NULL(test, handle);
	cfg->arena_size = 4 * PAGE_SIZE;
	cfg->flags = ZCBUF_POOL_F_SMALL_PAGES;
	for (i = 0; i < n; i++) {
		pool = obj_make_pool(test, cfg);
		handle[i] = pool->handle;
	}
	KUNIT_EXPECT_EQ(test, count_pools(), n);
	obj_drop_pool(test, pool);
	obj_settle(test);
	pool = obj_make_pool(test, cfg);
	KUNIT_EXPECT_EQ(test, (u32)pool->handle, (u32)handle[n - 1]);
	KUNIT_EXPECT_NE(test, pool->handle, handle[n - 1]);
}

static void ends_with_the_last_reference(struct kunit *test)
{
	struct obj_rig *rig = test->priv;
	struct zcb_pool *pool = obj_pool(test);

	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), rig->refs + 1);
	KUNIT_EXPECT_PTR_EQ(test, zcb_pool_get(pool), pool);
	obj_drop_pool(test, pool);
	obj_settle(test);
	KUNIT_EXPECT_EQ(test, count_pools(), 1);
	zcb_pool_put(pool);
	KUNIT_EXPECT_EQ(test, count_pools(), 0);
	obj_settle(test);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), 0);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), rig->refs);
}

static void putting_nothing_is_nothing(struct kunit *test)
{
	zcb_pool_put(NULL);
	zcb_pool_put(ERR_PTR(-ENOMEM));
}

/* What was just closed may still be charged: who makes a pool waits for it. */
static void what_is_closed_can_be_had_again_at_once(struct kunit *test)
{
	struct zcb_pool *pool;
	struct obj_user u;
	u32 i;

	obj_limits(test, 2, 2);
	obj_become(test, &u, 4001);
	for (i = 0; i < 10; i++) {
		pool = obj_pool(test);
		obj_drop_pool(test, pool);
	}
	obj_return(&u);
}

static void limits_are_told_as_no_memory(struct kunit *test)
{
	struct obj_rig *rig = test->priv;
	struct zcb_pool *pool;
	struct obj_user u;

	obj_limits(test, 3, 64);
	obj_become(test, &u, 4001);
	obj_pool(test);
	pool = zcb_pool_create(named(test, "one"), current_euid());
	obj_return(&u);
	KUNIT_EXPECT_PTR_EQ(test, pool, ERR_PTR(-ENOMEM));
	KUNIT_EXPECT_EQ(test, count_pools(), 1);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), rig->refs + 1);
}

/**
 * struct zombie - a pool that ended while a page of it was held
 * @page: held
 * @pool: with a reference, as inspection has
 */
struct zombie {
	struct page *page;
	struct zcb_pool *pool;
};

static struct zombie make_zombie(struct kunit *test, const char *name)
{
	struct zcb_pool *pool = make_named(test, name);
	struct zombie z = { .page = zcb_pool_page(pool, 5) };
	u32 cursor = 0;

	get_page(z.page);
	obj_drop_pool(test, pool);
	obj_settle(test);
	z.pool = zcb_pool_next(&cursor);
	KUNIT_ASSERT_PTR_EQ(test, z.pool, pool);
	return z;
}

/* Look at its pages now, not when the time for it has come. */
static void look_again(struct zcb_pool *pool)
{
	mod_delayed_work(system_wq, &pool->work, 0);
	flush_delayed_work(&pool->work);
}

static void let_go(struct kunit *test, struct zombie *z)
{
	put_page(z->page);
	look_again(z->pool);
	zcb_pool_put(z->pool);
	obj_settle(test);
}

static void a_held_page_makes_a_zombie(struct kunit *test)
{
	struct obj_rig *rig = test->priv;
	struct zombie z = make_zombie(test, "one");

	KUNIT_EXPECT_EQ(test, z.pool->state, ZCB_POOL_ZOMBIE);
	KUNIT_EXPECT_NULL(test, z.pool->inode);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), rig->refs + 1);
	look_again(z.pool);
	look_again(z.pool);
	KUNIT_EXPECT_EQ(test, z.pool->state, ZCB_POOL_ZOMBIE);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), OBJ_ARENA);
	let_go(test, &z);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), 0);
	KUNIT_EXPECT_EQ(test, count_pools(), 0);
}

static void a_zombie_can_be_looked_at(struct kunit *test)
{
	struct zombie z = make_zombie(test, "one");
	struct zcb_session_stat session;
	struct zcb_channel_stat channel;
	const struct zcb_pool_stat *st;
	u32 cursor = 0;

	st = obj_pool_stat(test, z.pool);
	KUNIT_EXPECT_TRUE(test, st->zombie);
	KUNIT_EXPECT_EQ(test, st->size, OBJ_ARENA);
	KUNIT_EXPECT_STREQ(test, st->name, "one");
	KUNIT_EXPECT_EQ(test, st->sessions + st->channels + st->mappings, 0);
	KUNIT_EXPECT_FALSE(test, zcb_pool_session_stat(z.pool, &cursor,
						       &session));
	KUNIT_EXPECT_FALSE(test, zcb_pool_channel_stat(z.pool, &cursor,
						       &channel));
	let_go(test, &z);
}

/* Who looks at it when its last page comes back keeps it in memory. */
static void a_zombie_that_is_looked_at_waits(struct kunit *test)
{
	struct zombie z = make_zombie(test, "one");

	put_page(z.page);
	look_again(z.pool);
	obj_settle(test);
	KUNIT_EXPECT_EQ(test, z.pool->state, ZCB_POOL_DEAD);
	KUNIT_EXPECT_TRUE(test, obj_pool_stat(test, z.pool)->zombie);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), OBJ_ARENA);
	zcb_pool_put(z.pool);
	obj_settle(test);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), 0);
}

static void a_zombie_has_no_name(struct kunit *test)
{
	struct zombie z = make_zombie(test, "one");
	struct zcb_pool *pool;

	KUNIT_EXPECT_TRUE(test, finds_nothing("one"));
	pool = make_named(test, "one");
	KUNIT_EXPECT_NE(test, pool->handle, z.pool->handle);
	KUNIT_EXPECT_TRUE(test, finds("one", GLOBAL_ROOT_UID, pool));
	let_go(test, &z);
	KUNIT_EXPECT_TRUE(test, finds("one", GLOBAL_ROOT_UID, pool));
}

/* Nobody is refused for ever, and nobody waits for the zombie. */
static void a_zombie_is_still_charged(struct kunit *test)
{
	struct zcb_pool_config *cfg = obj_pool_config(test);
	struct zombie z = make_zombie(test, "one");

	obj_limits(test, 3, 3);
	KUNIT_EXPECT_PTR_EQ(test, zcb_pool_create(cfg, GLOBAL_ROOT_UID),
			    ERR_PTR(-ENOMEM));
	let_go(test, &z);
	obj_pool(test);
}

static void the_largest_block(struct kunit *test)
{
	struct zcb_pool_config *cfg = obj_pool_config(test);

	KUNIT_EXPECT_EQ(test, zcb_pool_largest(obj_pool(test)), OBJ_ARENA);
	cfg->arena_size = 7 * OBJ_ARENA;
	KUNIT_EXPECT_EQ(test, zcb_pool_largest(obj_make_pool(test, cfg)),
			4 * OBJ_ARENA);
}

static void pages_by_number(struct kunit *test)
{
	struct zcb_pool *pool = obj_pool(test);

	KUNIT_EXPECT_PTR_EQ(test, zcb_pool_page(pool, 0),
			    zcb_arena_page(pool->arenas[0], 0));
	KUNIT_EXPECT_PTR_EQ(test, zcb_pool_page(pool, OBJ_PAGES - 1),
			    zcb_arena_page(pool->arenas[0], OBJ_PAGES - 1));
	KUNIT_EXPECT_NULL(test, zcb_pool_page(pool, OBJ_PAGES));
	KUNIT_EXPECT_NULL(test, zcb_pool_page(pool, 1ULL << 32));
	KUNIT_EXPECT_NULL(test, zcb_pool_page(pool, ~0ULL));
}

static void domains_differ_and_are_never_0(struct kunit *test)
{
	struct zcb_pool *pool = obj_pool(test);
	u32 first = zcb_pool_domain(pool);

	KUNIT_EXPECT_NE(test, first, 0);
	KUNIT_EXPECT_NE(test, zcb_pool_domain(pool), first);
	/* Neither nobody's, 0, nor that of several. */
	atomic_set(&pool->next_domain, -3);
	KUNIT_EXPECT_EQ(test, zcb_pool_domain(pool), ZCB_BUF_NOBODY - 1);
	KUNIT_EXPECT_EQ(test, zcb_pool_domain(pool), 1);
	KUNIT_EXPECT_EQ(test, zcb_pool_domain(pool), 2);
}

static void refused_frees_are_counted(struct kunit *test)
{
	struct zcb_pool *pool = obj_pool(test);

	zcb_pool_bad_free(pool);
	zcb_pool_bad_free(pool);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, pool)->bad_frees, 2);
}

static int wait_for_space(struct obj_task *t)
{
	struct zcb_pool *pool = t->arg;

	return zcb_wait(NULL, &pool->space_wq, &pool->space_seq, 0,
			ZCBUF_NO_DEADLINE);
}

static void space_is_counted_and_wakes(struct kunit *test)
{
	struct zcb_pool *pool = obj_pool(test);
	struct obj_task t = { .call = wait_for_space, .arg = pool };

	KUNIT_EXPECT_EQ(test, atomic_read(&pool->space_seq), 0);
	obj_start(test, &t, &pool->space_wq);
	zcb_pool_space(pool);
	KUNIT_EXPECT_EQ(test, obj_join(&t), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&pool->space_seq), 1);
}

static void space_is_announced_as_what_it_is(struct kunit *test)
{
	struct zcb_pool *pool = obj_pool(test);
	struct obj_sleeper sleeper;

	obj_sleep(&sleeper, &pool->space_wq);
	zcb_pool_space(pool);
	KUNIT_EXPECT_EQ(test, obj_wake_up(&sleeper, &pool->space_wq),
			EPOLLOUT | EPOLLWRNORM);
}

static struct kunit_case pool_cases[] = {
	KUNIT_CASE(is_as_it_was_asked_for),
	KUNIT_CASE(belongs_to_who_made_it),
	KUNIT_CASE(charges_whom_it_is_told_to),
	KUNIT_CASE(page_kinds_are_as_flagged),
	KUNIT_CASE(found_by_name),
	KUNIT_CASE(without_a_name_is_not_found),
	KUNIT_CASE(finding_it_keeps_it),
	KUNIT_CASE(a_name_is_taken_once),
	KUNIT_CASE(a_name_is_free_once_the_last_reference_is_gone),
	KUNIT_CASE(users_have_names_of_their_own),
	KUNIT_CASE(namespaces_have_names_of_their_own),
	KUNIT_CASE(walked_in_order_of_their_numbers),
	KUNIT_CASE(a_walk_goes_on_while_pools_go),
	KUNIT_CASE(many_pools),
	KUNIT_CASE(ends_with_the_last_reference),
	KUNIT_CASE(putting_nothing_is_nothing),
	KUNIT_CASE(what_is_closed_can_be_had_again_at_once),
	KUNIT_CASE(limits_are_told_as_no_memory),
	KUNIT_CASE(a_held_page_makes_a_zombie),
	KUNIT_CASE(a_zombie_can_be_looked_at),
	KUNIT_CASE(a_zombie_that_is_looked_at_waits),
	KUNIT_CASE(a_zombie_has_no_name),
	KUNIT_CASE(a_zombie_is_still_charged),
	KUNIT_CASE(the_largest_block),
	KUNIT_CASE(pages_by_number),
	KUNIT_CASE(domains_differ_and_are_never_0),
	KUNIT_CASE(refused_frees_are_counted),
	KUNIT_CASE(space_is_counted_and_wakes),
	KUNIT_CASE(space_is_announced_as_what_it_is),
	{}
};

static struct kunit_suite pool_suite = {
	.name = "zcb_pool",
	.suite_init = obj_suite_init,
	.suite_exit = obj_suite_exit,
	.init = obj_init,
	.test_cases = pool_cases,
};

kunit_test_suite(pool_suite);
