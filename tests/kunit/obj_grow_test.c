// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pools that grow: when they do, by what, for whom, and what stays as it is.
 */
#include <linux/sched/signal.h>
#include <linux/workqueue.h>

#include "obj_rig.h"

#define JUNK	0xe7

static struct zcb_pool_config *growing(struct kunit *test, u32 arenas,
				       u32 flags)
{
	struct zcb_pool_config *cfg = obj_pool_config(test);

	cfg->max_size = arenas * OBJ_ARENA;
	cfg->flags = flags;
	return cfg;
}

static struct zcb_pool *grows_by_itself(struct kunit *test, u32 arenas)
{
	return obj_make_pool(test, growing(test, arenas,
					   ZCBUF_POOL_F_AUTO_GROW));
}

static int try_alloc(struct zcb_session *s, u64 length, u64 *handle)
{
	const struct zcb_memory_request r = { .length = length };

	return zcb_memory_alloc(s->pool, &s->hold, s->domain, &r, handle);
}

static void by_one_arena_when_told(struct kunit *test)
{
	struct zcb_pool *pool = obj_make_pool(test, growing(test, 3, 0));
	struct page *first = zcb_pool_page(pool, 0);
	struct zcb_arena *a = zcb_pool_grow(pool);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, a);
	KUNIT_EXPECT_EQ(test, a->index, OBJ_PAGES);
	KUNIT_EXPECT_EQ(test, zcb_pool_size(pool), 2 * OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), 2 * OBJ_ARENA);
	KUNIT_EXPECT_PTR_EQ(test, zcb_pool_page(pool, 0), first);
	KUNIT_EXPECT_PTR_EQ(test, zcb_pool_page(pool, OBJ_PAGES + 1),
			    zcb_arena_page(a, 1));
	KUNIT_EXPECT_NULL(test, zcb_pool_page(pool, 2 * OBJ_PAGES));
	KUNIT_EXPECT_TRUE(test, obj_is(pool, OBJ_ARENA, OBJ_ARENA, 0));
}

/* What the core asks of a folio before it maps it with a PMD. */
static void pages_know_their_place(struct kunit *test)
{
	struct zcb_pool *pool = obj_make_pool(test, growing(test, 2, 0));
	struct zcb_arena *a = zcb_pool_grow(pool);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, a);
	KUNIT_EXPECT_EQ(test, page_folio(zcb_pool_page(pool, 0))->index, 0);
	KUNIT_EXPECT_EQ(test, a->folios[0]->index, OBJ_PAGES);
	KUNIT_EXPECT_EQ(test, a->folios[a->nfolios - 1]->index,
			2 * OBJ_PAGES - (1U << a->order));
	KUNIT_EXPECT_EQ(test, i_size_read(pool->inode),
			ZCB_POOL_ARENAS * OBJ_ARENA);
}

static void not_beyond_what_it_may_be(struct kunit *test)
{
	struct zcb_pool_config *cfg = growing(test, 2, 0);
	struct zcb_pool *pool;

	cfg->max_size += OBJ_ARENA - PAGE_SIZE;	/* no room for a third */
	pool = obj_make_pool(test, cfg);
	KUNIT_EXPECT_FALSE(test, IS_ERR(zcb_pool_grow(pool)));
	KUNIT_EXPECT_PTR_EQ(test, zcb_pool_grow(pool), ERR_PTR(-E2BIG));
	KUNIT_EXPECT_EQ(test, zcb_pool_size(pool), 2 * OBJ_ARENA);
	KUNIT_EXPECT_PTR_EQ(test, zcb_pool_grow(obj_pool(test)),
			    ERR_PTR(-E2BIG));
}

/* Of a page each: a quarter of this machine is not much. */
static void as_many_arenas_as_there_can_be(struct kunit *test)
{
	struct zcb_pool_config *cfg = growing(test, 1, ZCBUF_POOL_F_AUTO_GROW |
						       ZCBUF_POOL_F_SMALL_PAGES);
	struct zcb_session *s;
	struct zcb_pool *pool;
	u64 handle, last = 0;
	u32 i;

	cfg->arena_size = PAGE_SIZE;
	cfg->max_size = ZCB_POOL_ARENAS * PAGE_SIZE;
	pool = obj_make_pool(test, cfg);
	s = obj_session(test, pool);
	for (i = 0; i < ZCB_POOL_ARENAS; i++) {
		handle = obj_alloc(test, s, PAGE_SIZE);
		KUNIT_ASSERT_EQ(test, zcbuf_buf_offset(handle), i * PAGE_SIZE);
		last = handle;
	}
	KUNIT_EXPECT_EQ(test, try_alloc(s, 1, &handle), -ENOMEM);
	KUNIT_EXPECT_EQ(test, zcb_memory_free(pool, &s->hold, last), 0);
	KUNIT_EXPECT_EQ(test, try_alloc(s, 1, &handle), 0);
}

static void to_a_limit_and_no_further(struct kunit *test)
{
	struct zcb_pool *pool = obj_make_pool(test, growing(test, 3, 0));

	obj_limits(test, 4, 5);
	KUNIT_EXPECT_FALSE(test, IS_ERR(zcb_pool_grow(pool)));
	KUNIT_EXPECT_PTR_EQ(test, zcb_pool_grow(pool), ERR_PTR(-ENOMEM));
	KUNIT_EXPECT_EQ(test, zcb_pool_size(pool), 2 * OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), 2 * OBJ_ARENA);
	obj_limits(test, 4, 6);
	KUNIT_EXPECT_FALSE(test, IS_ERR(zcb_pool_grow(pool)));
}

/* Whoever makes it grow. */
static void charges_who_made_the_pool(struct kunit *test)
{
	struct zcb_pool_config *cfg = growing(test, 2, 0);
	struct zcb_pool *pool = zcb_pool_create(cfg, KUIDT_INIT(4002));

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pool);
	KUNIT_EXPECT_FALSE(test, IS_ERR(zcb_pool_grow(pool)));
	KUNIT_EXPECT_EQ(test, obj_charged(KUIDT_INIT(4002)), 2 * OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, obj_charged(GLOBAL_ROOT_UID), 0);
	zcb_pool_put(pool);
	obj_settle(test);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), 0);
}

static void only_if_it_shall(struct kunit *test)
{
	struct zcb_pool *pool = obj_make_pool(test, growing(test, 2, 0));
	struct zcb_session *s = obj_session(test, pool);
	u64 handle;

	obj_alloc(test, s, OBJ_ARENA);
	KUNIT_EXPECT_FALSE(test, zcb_pool_may_grow(pool, NUMA_NO_NODE));
	KUNIT_EXPECT_FALSE(test, zcb_memory_room(pool, 1));
	KUNIT_EXPECT_EQ(test, try_alloc(s, 1, &handle), -ENOMEM);
	KUNIT_EXPECT_EQ(test, zcb_pool_size(pool), OBJ_ARENA);
}

/* Not while there is room; buffers stay, and those of both arenas come back. */
static void when_there_is_no_room(struct kunit *test)
{
	struct zcb_pool *pool = grows_by_itself(test, 2);
	struct zcb_session *s = obj_session(test, pool);
	u64 a = obj_alloc(test, s, OBJ_ARENA / 2), b;

	obj_fill(pool, 0, PAGE_SIZE, JUNK);
	obj_alloc(test, s, OBJ_ARENA / 2);
	KUNIT_EXPECT_EQ(test, zcb_pool_size(pool), OBJ_ARENA);
	KUNIT_EXPECT_TRUE(test, zcb_memory_room(pool, 1));
	b = obj_alloc(test, s, 1);
	KUNIT_EXPECT_EQ(test, zcb_pool_size(pool), 2 * OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, zcbuf_buf_offset(b), OBJ_ARENA);
	KUNIT_EXPECT_TRUE(test, obj_is(pool, 0, PAGE_SIZE, JUNK));
	KUNIT_EXPECT_EQ(test, zcb_memory_free(pool, &s->hold, a), 0);
	KUNIT_EXPECT_EQ(test, zcb_memory_free(pool, &s->hold, b), 0);
	KUNIT_EXPECT_EQ(test, zcb_memory_free(pool, &s->hold, b), -EBADSLT);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, pool)->used, OBJ_ARENA / 2);
	obj_close(test, s);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, pool)->used, 0);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, pool)->largest_free,
			OBJ_ARENA);
}

static void for_a_group(struct kunit *test)
{
	struct zcb_pool *pool = grows_by_itself(test, 2);
	struct zcb_session *s = obj_session(test, pool);
	struct zcb_channel_config cfg = obj_config(pool);
	struct zcb_port *port = obj_channel(test, s, &cfg, OBJ_PORTS);
	struct zcbuf_reservation r;

	obj_alloc(test, s, OBJ_ARENA);
	r = obj_send(test, port, 100);
	KUNIT_EXPECT_EQ(test, r.out_pool_offset, OBJ_ARENA);
	obj_alloc(test, s, OBJ_ARENA / 2);
	obj_alloc(test, s, OBJ_ARENA / 4);
	KUNIT_EXPECT_EQ(test, obj_try_reserve(port, OBJ_ARENA / 2, &r),
			-EAGAIN);
}

static void for_a_slab(struct kunit *test)
{
	struct zcb_pool_config *cfg = growing(test, 2, ZCBUF_POOL_F_AUTO_GROW);
	static const u32 lengths[] = { 64 };
	struct zcb_memory_place place;
	struct zcb_session *s;
	u64 a, b;

	cfg->kind = ZCBUF_POOL_TIERS;
	KUNIT_ASSERT_EQ(test, zcb_slab_table_init(&cfg->slabs, lengths, 1,
						  PAGE_SHIFT), 0);
	s = obj_session(test, obj_make_pool(test, cfg));
	obj_alloc(test, s, OBJ_ARENA);
	a = obj_alloc(test, s, 64);
	b = obj_alloc(test, s, 64);
	KUNIT_EXPECT_EQ(test, zcbuf_buf_offset(a), OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, zcb_memory_find(s->pool, &s->hold, b, &place), 0);
	KUNIT_EXPECT_EQ(test, place.arena, 1);
	KUNIT_EXPECT_EQ(test, place.offset, OBJ_ARENA + 64);
	KUNIT_EXPECT_EQ(test, zcb_memory_free(s->pool, &s->hold, a), 0);
	KUNIT_EXPECT_EQ(test, zcb_memory_free(s->pool, &s->hold, b), 0);
}

/* An arena of three units has blocks that only it aligns. */
static void arenas_of_an_odd_size(struct kunit *test)
{
	struct zcb_pool_config *cfg = growing(test, 9, ZCBUF_POOL_F_AUTO_GROW);
	struct zcb_memory_place place;
	struct zcb_session *s, *t;
	u64 handle;

	cfg->arena_size = 3 * OBJ_ARENA;
	s = obj_session(test, obj_make_pool(test, cfg));
	t = obj_session(test, s->pool);
	obj_alloc(test, s, 2 * OBJ_ARENA);
	handle = obj_alloc(test, s, 2 * OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, zcbuf_buf_offset(handle), 3 * OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, zcb_memory_find(s->pool, &s->hold, handle,
					      &place), 0);
	KUNIT_EXPECT_EQ(test, place.arena, 1);
	obj_fill(s->pool, 3 * OBJ_ARENA, 2 * OBJ_ARENA, JUNK);
	KUNIT_EXPECT_EQ(test, zcb_memory_free(s->pool, &s->hold, handle), 0);
	handle = obj_alloc(test, t, 2 * OBJ_ARENA);
	KUNIT_EXPECT_TRUE(test, obj_is(s->pool, zcbuf_buf_offset(handle),
				       2 * OBJ_ARENA, 0));
}

static void marks_of_a_grown_pool(struct kunit *test)
{
	struct zcb_pool *pool = grows_by_itself(test, 2);
	struct zcb_session *s = obj_session(test, pool);
	const struct zcb_pool_stat *st;

	obj_alloc(test, s, OBJ_ARENA / 2);
	st = obj_pool_stat(test, pool);
	KUNIT_EXPECT_EQ(test, st->min_free, OBJ_ARENA / 2);
	KUNIT_EXPECT_EQ(test, st->max_used, OBJ_ARENA / 2);
	obj_alloc(test, s, OBJ_ARENA / 2);
	obj_alloc(test, s, PAGE_SIZE);
	obj_close(test, s);
	st = obj_pool_stat(test, pool);
	KUNIT_EXPECT_EQ(test, st->min_free, 0);
	KUNIT_EXPECT_EQ(test, st->max_used, OBJ_ARENA + PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, st->size, 2 * OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, st->max_size, 2 * OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, st->arenas, 2);
	KUNIT_EXPECT_EQ(test, st->used, 0);
}

static int wait_for_memory(struct obj_task *t)
{
	struct zcb_session *s = t->arg;
	const struct zcb_memory_request r = {
		.length = 1, .deadline_ns = ZCBUF_NO_DEADLINE,
	};

	return zcb_memory_alloc(s->pool, &s->hold, s->domain, &r,
				&t->r.out_pool_offset);
}

static void wakes_who_waits_for_room(struct kunit *test)
{
	struct zcb_pool *pool = obj_make_pool(test, growing(test, 2, 0));
	struct zcb_session *s = obj_session(test, pool);
	struct obj_task t = { .call = wait_for_memory, .arg = s };

	obj_alloc(test, s, OBJ_ARENA);
	obj_start(test, &t, &pool->space_wq);
	KUNIT_EXPECT_FALSE(test, IS_ERR(zcb_pool_grow(pool)));
	KUNIT_EXPECT_EQ(test, obj_join(&t), 0);
	KUNIT_EXPECT_EQ(test, zcbuf_buf_offset(t.r.out_pool_offset), OBJ_ARENA);
}

/* The pause after a failure, without waiting for it to end by itself. */
static void end_pause(struct kunit *test, struct zcb_pool *pool)
{
	KUNIT_ASSERT_TRUE(test, pool->pause.on);
	mod_delayed_work(system_wq, &pool->pause.work, 0);
	flush_delayed_work(&pool->pause.work);
}

/* Who has all of a pool, which might be larger but for a limit. */
static struct zcb_session *full_at_a_limit(struct kunit *test, u32 arenas)
{
	struct zcb_session *s = obj_session(test, grows_by_itself(test, arenas));

	obj_alloc(test, s, OBJ_ARENA);
	obj_limits(test, 3, 3);
	return s;
}

/* ... and has found out. */
static struct zcb_session *paused(struct kunit *test, u32 arenas)
{
	struct zcb_session *s = full_at_a_limit(test, arenas);
	u64 handle;

	KUNIT_EXPECT_EQ(test, try_alloc(s, 1, &handle), -ENOMEM);
	KUNIT_EXPECT_TRUE(test, s->pool->pause.on);
	return s;
}

/* It cost enough to find out. */
static void tries_again_after_a_while(struct kunit *test)
{
	struct zcb_session *s = full_at_a_limit(test, 3);
	struct zcb_pool *pool = s->pool;
	u64 handle;

	KUNIT_EXPECT_TRUE(test, zcb_memory_room(pool, 1));
	KUNIT_EXPECT_EQ(test, try_alloc(s, 1, &handle), -ENOMEM);
	KUNIT_EXPECT_FALSE(test, zcb_memory_room(pool, 1));
	KUNIT_EXPECT_GE(test, pool->pause.length, 100);
	pool->pause.length = 300;
	end_pause(test, pool);
	KUNIT_EXPECT_TRUE(test, zcb_memory_room(pool, 1));
	KUNIT_EXPECT_EQ(test, try_alloc(s, 1, &handle), -ENOMEM);
	KUNIT_EXPECT_GE(test, pool->pause.length, 600);
	obj_limits(test, 8, 8);
	KUNIT_EXPECT_EQ(test, try_alloc(s, 1, &handle), -ENOMEM);
	end_pause(test, pool);
	KUNIT_EXPECT_EQ(test, try_alloc(s, 1, &handle), 0);
	KUNIT_EXPECT_EQ(test, pool->pause.length, 0);
}

/* But who tells it to is answered at once, and that ends the pause. */
static void a_pause_is_for_itself_only(struct kunit *test)
{
	struct zcb_session *s = paused(test, 3);

	obj_limits(test, 8, 8);
	KUNIT_EXPECT_FALSE(test, IS_ERR(zcb_pool_grow(s->pool)));
	KUNIT_EXPECT_FALSE(test, s->pool->pause.on);
	obj_alloc(test, s, OBJ_ARENA);
	obj_alloc(test, s, OBJ_ARENA);
}

/* Nobody gives anything back: the end of the pause is what wakes him. */
static void who_waits_sees_the_end_of_a_pause(struct kunit *test)
{
	struct zcb_session *s = full_at_a_limit(test, 2);
	struct obj_task t = { .call = wait_for_memory, .arg = s };
	struct zcb_pool *pool = s->pool;
	struct obj_sleeper poller;

	obj_start(test, &t, &pool->space_wq);
	obj_sleep(&poller, &pool->space_wq);
	obj_limits(test, 8, 8);
	end_pause(test, pool);
	KUNIT_EXPECT_EQ(test, obj_join(&t), 0);
	KUNIT_EXPECT_EQ(test, obj_wake_up(&poller, &pool->space_wq),
			EPOLLOUT | EPOLLWRNORM);
	KUNIT_EXPECT_EQ(test, zcb_pool_size(pool), 2 * OBJ_ARENA);
}

static void a_pool_goes_in_a_pause(struct kunit *test)
{
	struct zcb_session *s = paused(test, 2);
	struct zcb_pool *pool = s->pool;

	KUNIT_EXPECT_TRUE(test, delayed_work_pending(&pool->pause.work));
	obj_close(test, s);
	obj_drop_pool(test, pool);
	obj_settle(test);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), 0);
}

/* That somebody is being killed is no reason for the others to wait. */
static void the_dying_stop_nobody(struct kunit *test)
{
	struct zcb_pool *pool = grows_by_itself(test, 2);
	struct zcb_session *s = obj_session(test, pool);
	u64 handle;
	int err;

	obj_alloc(test, s, OBJ_ARENA);
	allow_signal(SIGKILL);
	send_sig(SIGKILL, current, 1);
	err = try_alloc(s, 1, &handle);
	flush_signals(current);
	disallow_signal(SIGKILL);
	KUNIT_EXPECT_EQ(test, err, -ENOMEM);
	KUNIT_EXPECT_FALSE(test, pool->pause.on);
	KUNIT_EXPECT_EQ(test, try_alloc(s, 1, &handle), 0);
}

/* Who needs room lends nobody his privilege; who makes the pool grow does. */
static void whose_limit_and_whose_privilege(struct kunit *test)
{
	struct zcb_pool_config *cfg = growing(test, 4, ZCBUF_POOL_F_AUTO_GROW);
	struct zcb_pool *poor, *rich;
	struct zcb_session *s;
	struct obj_user u;
	u64 handle;

	obj_limits(test, 2, 64);
	obj_become(test, &u, 4001);
	poor = obj_make_pool(test, cfg);
	obj_return(&u);
	s = obj_session(test, poor);
	obj_alloc(test, s, OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, try_alloc(s, 1, &handle), -ENOMEM);
	KUNIT_EXPECT_EQ(test, obj_charged(KUIDT_INIT(4001)), OBJ_ARENA);
	KUNIT_EXPECT_FALSE(test, IS_ERR(zcb_pool_grow(poor)));
	KUNIT_EXPECT_EQ(test, obj_charged(KUIDT_INIT(4001)), 2 * OBJ_ARENA);

	rich = obj_make_pool(test, cfg);
	s = obj_session(test, rich);
	obj_become(test, &u, 4001);
	obj_alloc(test, s, OBJ_ARENA);
	obj_alloc(test, s, OBJ_ARENA);
	obj_return(&u);
	KUNIT_EXPECT_EQ(test, obj_charged(GLOBAL_ROOT_UID), 2 * OBJ_ARENA);
}

/* Whoever found no room before another one made some: no second arena for that. */
static void somebody_else_was_faster(struct kunit *test)
{
	struct zcb_pool *pool = grows_by_itself(test, 3);

	KUNIT_ASSERT_FALSE(test, IS_ERR(zcb_pool_grow(pool)));
	KUNIT_EXPECT_TRUE(test, zcb_pool_grow_for(pool, NUMA_NO_NODE, 1));
	KUNIT_EXPECT_EQ(test, zcb_pool_size(pool), 2 * OBJ_ARENA);
	KUNIT_EXPECT_TRUE(test, zcb_pool_grow_for(pool, NUMA_NO_NODE, 2));
	KUNIT_EXPECT_EQ(test, zcb_pool_size(pool), 3 * OBJ_ARENA);
	KUNIT_EXPECT_TRUE(test, zcb_pool_grow_for(pool, NUMA_NO_NODE, 2));
	KUNIT_EXPECT_FALSE(test, zcb_pool_grow_for(pool, NUMA_NO_NODE, 3));
}

static int alloc_eight(struct obj_task *t)
{
	struct zcb_session *s = t->arg;
	u64 handle;
	int n = 0;

	while (n < 8 && !try_alloc(s, OBJ_ARENA / 4, &handle))
		n++;
	return n;
}

/* Two at once: none of them goes away empty, and no arena is one too many. */
static void two_who_need_room_at_once(struct kunit *test)
{
	struct zcb_pool *pool = grows_by_itself(test, 8);
	struct obj_task t[2] = {};
	int n = 0;
	u32 i;

	for (i = 0; i < 2; i++) {
		t[i].call = alloc_eight;
		t[i].arg = obj_session(test, pool);
		init_completion(&t[i].done);
		t[i].task = kthread_run(obj_task_run, &t[i], "zcb_grow");
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t[i].task);
		get_task_struct(t[i].task);
	}
	for (i = 0; i < 2; i++)
		n += obj_join(&t[i]);
	KUNIT_EXPECT_EQ(test, n, 2 * 8);
	KUNIT_EXPECT_EQ(test, zcb_pool_size(pool), 4 * OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, obj_used(test, pool), 4 * OBJ_ARENA);
}

/* I/O may hold a page of any arena. */
static void a_page_of_the_last_arena_is_held(struct kunit *test)
{
	struct zcb_pool *pool = obj_make_pool(test, growing(test, 2, 0));
	struct page *page;

	KUNIT_ASSERT_FALSE(test, IS_ERR(zcb_pool_grow(pool)));
	page = zcb_pool_page(pool, 2 * OBJ_PAGES - 1);
	get_page(page);
	obj_drop_pool(test, pool);
	obj_settle(test);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), 2 * OBJ_ARENA);
	put_page(page);
	obj_wait_refs(test, ((struct obj_rig *)test->priv)->refs);
}

static struct kunit_case grow_cases[] = {
	KUNIT_CASE(by_one_arena_when_told),
	KUNIT_CASE(pages_know_their_place),
	KUNIT_CASE(not_beyond_what_it_may_be),
	KUNIT_CASE(as_many_arenas_as_there_can_be),
	KUNIT_CASE(to_a_limit_and_no_further),
	KUNIT_CASE(charges_who_made_the_pool),
	KUNIT_CASE(only_if_it_shall),
	KUNIT_CASE(when_there_is_no_room),
	KUNIT_CASE(for_a_group),
	KUNIT_CASE(for_a_slab),
	KUNIT_CASE(arenas_of_an_odd_size),
	KUNIT_CASE(marks_of_a_grown_pool),
	KUNIT_CASE(wakes_who_waits_for_room),
	KUNIT_CASE(tries_again_after_a_while),
	KUNIT_CASE(a_pause_is_for_itself_only),
	KUNIT_CASE(who_waits_sees_the_end_of_a_pause),
	KUNIT_CASE(a_pool_goes_in_a_pause),
	KUNIT_CASE(the_dying_stop_nobody),
	KUNIT_CASE(whose_limit_and_whose_privilege),
	KUNIT_CASE(somebody_else_was_faster),
	KUNIT_CASE(two_who_need_room_at_once),
	KUNIT_CASE(a_page_of_the_last_arena_is_held),
	{}
};

static struct kunit_suite grow_suite = {
	.name = "zcb_pool_grow",
	.suite_init = obj_suite_init,
	.suite_exit = obj_suite_exit,
	.init = obj_init,
	.test_cases = grow_cases,
};

kunit_test_suite(grow_suite);
