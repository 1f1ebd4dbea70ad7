// SPDX-License-Identifier: GPL-2.0-only
/*
 * Heartbeats, and what becomes of who has none any more. No case waits for a period:
 * all of them are an hour, and the scan is told what time it is.
 */
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/pagemap.h>

#include "../../kmod/obj/event.h"
#include "../../kmod/obj/evict.h"
#include "../../kmod/obj/heart.h"
#include "../../kmod/obj/quarantine.h"
#include "obj_rig.h"

#define PERIOD	ZCB_HEART_PERIOD_MAX
#define MISSES	3U

/**
 * struct scene - a session with a heartbeat, and one without
 * @pool: of both
 * @s: the one
 * @other: the other
 * @file: what the word would be mapped by, or NULL
 * @now: what time it is
 */
struct scene {
	struct zcb_pool *pool;
	struct zcb_session *s;
	struct zcb_session *other;
	struct file *file;
	u64 now;
};

static void set_as(struct kunit *test, struct scene *x, u32 policy)
{
	KUNIT_ASSERT_EQ(test, zcb_heart_set(x->s, PERIOD, MISSES, policy), 0);
	x->now = x->s->heart->seen_ns;
}

static void end_file(void *file)
{
	__fput_sync(file);
}

static void begin(struct kunit *test, struct scene *x, u32 policy)
{
	x->pool = obj_pool(test);
	x->s = obj_session(test, x->pool);
	x->other = obj_session(test, x->pool);
	x->file = zcb_heart_file(x->s);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, x->file);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, end_file,
							   x->file));
	set_as(test, x, policy);
}

static void beat(struct scene *x)
{
	x->s->heart->page->beats++;
}

/* @periods later, and what is seen then */
static struct zcb_heart_stat look(struct scene *x, u32 periods)
{
	struct zcb_heart_stat st;

	x->now += periods * PERIOD;
	zcb_hearts_scan(x->now);
	zcb_heart_stat(x->s, &st);
	return st;
}

static struct zcb_heart_stat miss(struct scene *x, u32 n)
{
	struct zcb_heart_stat st = {};

	while (n--)
		st = look(x, 1);
	return st;
}

/* As if its last call had returned long ago. */
static void await_eviction(struct kunit *test, struct zcb_session *s)
{
	KUNIT_ASSERT_TRUE(test, zcb_session_evicted(s));
	KUNIT_ASSERT_GT(test, wait_for_completion_timeout(&s->heart->evicted,
							  OBJ_PATIENCE), 0);
}

static void evict(struct kunit *test, struct scene *x)
{
	miss(x, MISSES);
	await_eviction(test, x->s);
}

/* ------------------------------------------------------------------- looks */

static void who_has_none_is_not_watched(struct kunit *test)
{
	struct zcb_session *s = obj_session(test, obj_pool(test));
	struct zcb_heart_stat st;

	zcb_heart_stat(s, &st);
	KUNIT_EXPECT_FALSE(test, st.beats || st.hung);
	KUNIT_EXPECT_EQ(test, zcb_heart_stop(s), 0);
	KUNIT_EXPECT_EQ(test, zcb_hearts_scan(1), 0);
}

static void who_beats_lives(struct kunit *test)
{
	struct zcb_heart_stat st;
	struct scene x;
	u32 i;

	begin(test, &x, ZCBUF_HEARTBEAT_EVICT);
	for (i = 0; i < 3 * MISSES; i++) {
		st = miss(&x, MISSES - 1);
		KUNIT_EXPECT_TRUE(test, st.beats);
		KUNIT_EXPECT_FALSE(test, st.hung);
		beat(&x);
		look(&x, 1);
		KUNIT_EXPECT_EQ(test, x.s->heart->seen_ns, x.now);
	}
	KUNIT_EXPECT_EQ(test, st.stops, 0);
	KUNIT_EXPECT_FALSE(test, zcb_session_evicted(x.s));
}

static void who_stops_is_found_once(struct kunit *test)
{
	struct zcb_heart_stat st;
	struct scene x;

	begin(test, &x, ZCBUF_HEARTBEAT_REPORT);
	st = miss(&x, MISSES - 1);
	KUNIT_EXPECT_FALSE(test, st.hung);
	st = miss(&x, 1);
	KUNIT_EXPECT_TRUE(test, st.hung);
	KUNIT_EXPECT_EQ(test, st.stops, 1);
	st = miss(&x, 3 * MISSES);
	KUNIT_EXPECT_TRUE(test, st.hung);
	KUNIT_EXPECT_EQ(test, st.stops, 1);
	KUNIT_EXPECT_FALSE(test, zcb_session_evicted(x.s));
}

static void who_goes_on_is_not_hung_any_more(struct kunit *test)
{
	struct zcb_heart_stat st;
	struct scene x;

	begin(test, &x, ZCBUF_HEARTBEAT_REPORT);
	miss(&x, MISSES);
	beat(&x);
	st = look(&x, 1);
	KUNIT_EXPECT_FALSE(test, st.hung);
	st = miss(&x, MISSES);
	KUNIT_EXPECT_TRUE(test, st.hung);
	KUNIT_EXPECT_EQ(test, st.stops, 2);
}

/* The machine stood still, and so did who would have stored. */
static void a_long_while_is_one_miss(struct kunit *test)
{
	struct zcb_heart_stat st;
	struct scene x;

	begin(test, &x, ZCBUF_HEARTBEAT_EVICT);
	look(&x, 1000);
	st = look(&x, 1000);
	KUNIT_EXPECT_FALSE(test, st.hung);
	beat(&x);
	look(&x, 1);
	KUNIT_EXPECT_EQ(test, x.s->heart->missed, 0);
}

static void nobody_is_looked_at_before_his_time(struct kunit *test)
{
	struct scene x;
	u32 i;

	begin(test, &x, ZCBUF_HEARTBEAT_EVICT);
	for (i = 0; i < 10; i++)
		zcb_hearts_scan(x.now + PERIOD - 1);
	KUNIT_EXPECT_EQ(test, x.s->heart->missed, 0);
	zcb_hearts_scan(x.now + PERIOD);
	KUNIT_EXPECT_EQ(test, x.s->heart->missed, 1);
}

/* Any other value will do, and what was there is not what is expected. */
static void the_value_means_nothing(struct kunit *test)
{
	struct scene x;

	begin(test, &x, ZCBUF_HEARTBEAT_REPORT);
	x.s->heart->page->beats = U64_MAX;
	look(&x, 1);
	KUNIT_EXPECT_EQ(test, x.s->heart->missed, 0);
	x.s->heart->page->beats = 0;
	look(&x, 1);
	KUNIT_EXPECT_EQ(test, x.s->heart->missed, 0);
}

static void another_call_begins_again(struct kunit *test)
{
	struct zcb_heart_stat st;
	struct scene x;

	begin(test, &x, ZCBUF_HEARTBEAT_REPORT);
	miss(&x, MISSES);
	beat(&x);
	set_as(test, &x, ZCBUF_HEARTBEAT_REPORT);
	zcb_heart_stat(x.s, &st);
	KUNIT_EXPECT_FALSE(test, st.hung);
	KUNIT_EXPECT_EQ(test, st.stops, 1);
	/* It changed before that. */
	look(&x, 1);
	KUNIT_EXPECT_EQ(test, x.s->heart->missed, 1);
}

static void who_is_not_watched_any_more_may_stop(struct kunit *test)
{
	struct zcb_heart_stat st;
	struct scene x;

	begin(test, &x, ZCBUF_HEARTBEAT_EVICT);
	KUNIT_EXPECT_EQ(test, zcb_heart_stop(x.s), 0);
	st = miss(&x, 2 * MISSES);
	KUNIT_EXPECT_FALSE(test, st.beats || st.hung);
	KUNIT_EXPECT_FALSE(test, zcb_session_evicted(x.s));
	KUNIT_EXPECT_EQ(test, zcb_hearts_scan(x.now), 0);
	set_as(test, &x, ZCBUF_HEARTBEAT_REPORT);
	st = miss(&x, MISSES);
	KUNIT_EXPECT_TRUE(test, st.beats && st.hung);
}

/* As soon as one is due, but those that are a little later as well. */
static void looks_are_as_rare_as_can_be(struct kunit *test)
{
	struct zcb_session *soon;
	struct file *file;
	struct scene x;
	u64 now;

	begin(test, &x, ZCBUF_HEARTBEAT_REPORT);
	KUNIT_EXPECT_EQ(test, zcb_hearts_scan(x.now), x.now + PERIOD);
	soon = obj_session(test, x.pool);
	file = zcb_heart_file(soon);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	__fput_sync(file);
	KUNIT_EXPECT_EQ(test, zcb_heart_set(soon, PERIOD / 2, MISSES,
					    ZCBUF_HEARTBEAT_REPORT), 0);
	now = soon->heart->seen_ns;
	KUNIT_EXPECT_EQ(test, zcb_hearts_scan(now), now + PERIOD / 2);
	now += PERIOD / 2 - 1;
	KUNIT_EXPECT_EQ(test, zcb_hearts_scan(now), now + PERIOD / 8);
	KUNIT_EXPECT_EQ(test, zcb_heart_stop(soon), 0);
	KUNIT_EXPECT_EQ(test, zcb_hearts_scan(x.now), x.now + PERIOD);
}

/* More than are looked at with the lock held once, and one of them not due. */
static void all_that_are_due_are_looked_at(struct kunit *test)
{
	struct zcb_session *s[150];
	struct scene x;
	u32 i;

	begin(test, &x, ZCBUF_HEARTBEAT_REPORT);
	for (i = 0; i < ARRAY_SIZE(s); i++) {
		s[i] = obj_session(test, x.pool);
		x.file = zcb_heart_file(s[i]);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, x.file);
		__fput_sync(x.file);
		/* The later they come, the sooner they are due. */
		KUNIT_EXPECT_EQ(test, zcb_heart_set(s[i], PERIOD / 2 - i, 1,
						    ZCBUF_HEARTBEAT_REPORT), 0);
	}
	zcb_hearts_scan(x.now + PERIOD - 1);
	KUNIT_EXPECT_EQ(test, x.s->heart->missed, 0);
	for (i = 0; i < ARRAY_SIZE(s); i++)
		KUNIT_EXPECT_EQ(test, s[i]->heart->missed, 1);
	KUNIT_EXPECT_EQ(test, zcb_hearts_scan(x.now + PERIOD),
			x.now + 3 * PERIOD / 2 - ARRAY_SIZE(s));
	KUNIT_EXPECT_EQ(test, x.s->heart->missed, 1);
}

/* --------------------------------------------------------------- its memory */

static void its_page_is_charged(struct kunit *test)
{
	u64 before = obj_charged(GLOBAL_ROOT_UID);
	struct file *file, *again;
	struct zcb_session *s;

	s = obj_open_session(test);
	file = zcb_heart_file(s);
	again = zcb_heart_file(s);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, again);
	KUNIT_EXPECT_EQ(test, obj_charged(GLOBAL_ROOT_UID),
			before + PAGE_SIZE);
	obj_close(test, s);
	__fput_sync(again);
	KUNIT_EXPECT_EQ(test, obj_charged(GLOBAL_ROOT_UID),
			before + PAGE_SIZE);
	__fput_sync(file);
	KUNIT_EXPECT_EQ(test, obj_charged(GLOBAL_ROOT_UID), before);
}

static void beyond_a_limit_there_is_none(struct kunit *test)
{
	struct zcb_session *s = obj_session(test, obj_pool(test));

	obj_limits(test, OBJ_ARENA >> 20, OBJ_ARENA >> 20);
	KUNIT_EXPECT_PTR_EQ(test, zcb_heart_file(s), ERR_PTR(-ENOMEM));
	KUNIT_EXPECT_NULL(test, s->heart);
}

/* ------------------------------------------------------------------- events */

static u32 heard[4];
static u32 nheard;

static void hear(const struct zcb_event *e)
{
	if (nheard < ARRAY_SIZE(heard))
		heard[nheard] = e->kind;
	nheard++;
}

static void who_listens_is_told(struct kunit *test)
{
	struct scene x;

	begin(test, &x, ZCBUF_HEARTBEAT_REPORT);
	nheard = 0;
	zcb_events_to(hear);
	miss(&x, 2 * MISSES);
	KUNIT_EXPECT_EQ(test, nheard, 1);
	set_as(test, &x, ZCBUF_HEARTBEAT_EVICT);
	evict(test, &x);
	zcb_events_to(NULL);
	KUNIT_EXPECT_EQ(test, nheard, 4);
	KUNIT_EXPECT_EQ(test, heard[0], ZCBUF_EVENT_SESSION_HUNG);
	KUNIT_EXPECT_EQ(test, heard[1], ZCBUF_EVENT_SESSION_HUNG);
	KUNIT_EXPECT_EQ(test, heard[2], ZCBUF_EVENT_SESSION_EVICTED);
	KUNIT_EXPECT_EQ(test, heard[3], ZCBUF_EVENT_SESSION_GONE);
}

/* ----------------------------------------------------------------- eviction */

static void what_it_has_comes_back(struct kunit *test)
{
	struct zcb_channel_config cfg;
	struct zcb_port *ours, *its;
	struct zcbuf_delivery d;
	struct scene x;
	u64 kept;

	begin(test, &x, ZCBUF_HEARTBEAT_EVICT);
	cfg = obj_config(x.pool);
	ours = obj_channel(test, x.other, &cfg, OBJ_PORTS);
	its = obj_attach(test, x.s, ours->handle, ZCBUF_PORT_PRODUCE);
	kept = obj_alloc(test, x.other, PAGE_SIZE);
	obj_alloc(test, x.s, 8 * PAGE_SIZE);
	obj_reserve(test, its, 10);
	evict(test, &x);
	d = obj_receive_failed(test, ours);
	KUNIT_EXPECT_EQ(test, d.length, 10);
	zcb_channel_release(ours, d.handle);
	KUNIT_EXPECT_EQ(test, obj_used(test, x.pool), PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, zcb_memory_free(x.pool, &x.other->hold, kept), 0);
	KUNIT_EXPECT_EQ(test, obj_try_receive(its, &d), -EPERM);
	obj_close(test, x.s);
}

static void it_is_seen_until_it_is_closed(struct kunit *test)
{
	struct zcb_session_stat st;
	struct scene x;
	u32 cursor = 0;

	begin(test, &x, ZCBUF_HEARTBEAT_EVICT);
	obj_alloc(test, x.s, PAGE_SIZE);
	evict(test, &x);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, x.pool)->sessions, 1);
	KUNIT_EXPECT_TRUE(test, zcb_pool_session_stat(x.pool, &cursor, &st));
	KUNIT_EXPECT_EQ(test, st.id, x.s->id);
	KUNIT_EXPECT_TRUE(test, st.evicted && st.heart.hung);
	KUNIT_EXPECT_EQ(test, st.bytes, 0);
	obj_close(test, x.s);
	cursor = 0;
	KUNIT_EXPECT_TRUE(test, zcb_pool_session_stat(x.pool, &cursor, &st));
	KUNIT_EXPECT_EQ(test, st.id, x.other->id);
	KUNIT_EXPECT_FALSE(test, st.evicted);
}

/* Who has himself evicted again and again has no more sessions than others. */
static void it_is_counted_until_it_is_closed(struct kunit *test)
{
	struct zcb_session *s = obj_open_session(test);
	struct scene x;

	begin(test, &x, ZCBUF_HEARTBEAT_EVICT);
	evict(test, &x);
	KUNIT_EXPECT_EQ(test, x.pool->nsessions, 1);
	x.pool->nsessions = ZCB_POOL_MAX_SESSIONS - 1;
	KUNIT_EXPECT_EQ(test, zcb_session_claim(s), 0);
	KUNIT_EXPECT_EQ(test, zcb_session_join(s, x.pool, ZCBUF_RIGHTS_ALL),
			-EMFILE);
	obj_close(test, x.s);
	KUNIT_EXPECT_EQ(test, zcb_session_join(s, zcb_pool_get(x.pool),
					       ZCBUF_RIGHTS_ALL), 0);
	x.pool->nsessions = 2;
}

static void no_call_begins_any_more(struct kunit *test)
{
	struct scene x;

	begin(test, &x, ZCBUF_HEARTBEAT_EVICT);
	KUNIT_EXPECT_TRUE(test, zcb_call_enter(x.s));
	zcb_call_exit(x.s);
	evict(test, &x);
	KUNIT_EXPECT_FALSE(test, zcb_call_enter(x.s));
	KUNIT_EXPECT_EQ(test, zcb_heart_set(x.s, PERIOD, 1,
					    ZCBUF_HEARTBEAT_REPORT), -ESTALE);
	KUNIT_EXPECT_EQ(test, zcb_heart_stop(x.s), -ESTALE);
	KUNIT_EXPECT_EQ(test, zcb_hearts_scan(x.now), 0);
}

static void nothing_is_given_to_it(struct kunit *test)
{
	struct scene x;
	u64 handle;
	u32 done;

	begin(test, &x, ZCBUF_HEARTBEAT_EVICT);
	handle = obj_alloc(test, x.other, PAGE_SIZE);
	evict(test, &x);
	KUNIT_EXPECT_EQ(test, zcb_session_give(x.other, x.s->id, &handle, 1,
					       false, &done), -ENOENT);
}

static struct file *map_pool(struct kunit *test, struct zcb_session *s)
{
	struct file *map = zcb_mapfs_file(s->pool, s, O_RDWR);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, map);
	return map;
}

static void its_mappings_are_revoked_for_good(struct kunit *test)
{
	struct file *map;
	struct scene x;

	begin(test, &x, ZCBUF_HEARTBEAT_EVICT);
	map = map_pool(test, x.s);
	KUNIT_EXPECT_FALSE(test, zcb_evict_revoked(map->private_data));
	evict(test, &x);
	KUNIT_EXPECT_TRUE(test, zcb_evict_revoked(map->private_data));
	KUNIT_EXPECT_FALSE(test, zcb_evict_revoked(x.other));
	obj_close(test, x.s);
	KUNIT_EXPECT_TRUE(test, zcb_evict_revoked(map->private_data));
	__fput_sync(map);
}

/* One that has its page, and has not mapped it yet. */
static void a_fault_that_is_going_on_is_waited_for(struct kunit *test)
{
	struct folio *folio;
	struct file *map;
	struct scene x;

	begin(test, &x, ZCBUF_HEARTBEAT_EVICT);
	map = map_pool(test, x.s);
	obj_alloc(test, x.s, PAGE_SIZE);
	folio = page_folio(zcb_pool_page(x.pool, OBJ_PAGES - 1));
	folio_lock(folio);
	miss(&x, MISSES);
	while (!READ_ONCE(x.s->revoked))
		schedule_timeout_uninterruptible(1);
	while (!folio_test_waiters(folio))
		schedule_timeout_uninterruptible(1);
	KUNIT_EXPECT_FALSE(test, completion_done(&x.s->heart->evicted));
	KUNIT_EXPECT_EQ(test, obj_used(test, x.pool), PAGE_SIZE);
	folio_unlock(folio);
	await_eviction(test, x.s);
	KUNIT_EXPECT_EQ(test, obj_used(test, x.pool), 0);
	__fput_sync(map);
}

/* Not any more, that is. Others do. */
static void who_maps_nothing_waits_for_no_fault(struct kunit *test)
{
	struct file *others;
	struct folio *folio;
	struct scene x;

	begin(test, &x, ZCBUF_HEARTBEAT_EVICT);
	others = map_pool(test, x.other);
	__fput_sync(map_pool(test, x.s));
	folio = page_folio(zcb_pool_page(x.pool, OBJ_PAGES - 1));
	folio_lock(folio);
	miss(&x, MISSES);
	KUNIT_EXPECT_GT(test,
			wait_for_completion_timeout(&x.s->heart->evicted,
						    OBJ_PATIENCE), 0);
	KUNIT_EXPECT_TRUE(test, READ_ONCE(x.s->revoked));
	folio_unlock(folio);
	await_eviction(test, x.s);
	__fput_sync(others);
}

/* Those that come before it has rested enough leave together, and not before. */
static void those_that_come_meanwhile_leave_together(struct kunit *test)
{
	struct scene x, y;
	struct file *map;

	begin(test, &x, ZCBUF_HEARTBEAT_EVICT);
	map = map_pool(test, x.s);
	y = x;
	y.s = y.other;
	y.file = zcb_heart_file(y.s);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, y.file);
	__fput_sync(y.file);
	set_as(test, &y, ZCBUF_HEARTBEAT_EVICT);
	WRITE_ONCE(x.pool->evict_after, jiffies + 3600 * HZ);
	miss(&y, MISSES);
	rcu_barrier();
	KUNIT_EXPECT_TRUE(test, zcb_session_evicted(x.s));
	KUNIT_EXPECT_TRUE(test, zcb_session_evicted(y.s));
	KUNIT_EXPECT_FALSE(test, READ_ONCE(x.s->revoked));
	KUNIT_EXPECT_FALSE(test, READ_ONCE(y.s->revoked));
	KUNIT_EXPECT_TRUE(test, timer_pending(&x.pool->evict_work.timer));
	flush_delayed_work(&x.pool->evict_work);
	await_eviction(test, x.s);
	await_eviction(test, y.s);
	KUNIT_EXPECT_TRUE(test, time_before(READ_ONCE(x.pool->evict_after),
					    jiffies + 1800 * HZ));
	__fput_sync(map);
}

static void a_call_that_runs_is_waited_for(struct kunit *test)
{
	struct scene x;
	u64 handle;

	begin(test, &x, ZCBUF_HEARTBEAT_EVICT);
	KUNIT_ASSERT_TRUE(test, zcb_call_enter(x.s));
	miss(&x, MISSES);
	KUNIT_EXPECT_TRUE(test, zcb_session_evicted(x.s));
	KUNIT_EXPECT_FALSE(test, zcb_call_enter(x.s));
	rcu_barrier();
	handle = obj_alloc(test, x.s, PAGE_SIZE);
	KUNIT_EXPECT_FALSE(test, READ_ONCE(x.s->revoked));
	KUNIT_EXPECT_EQ(test, zcb_memory_free(x.pool, &x.s->hold, handle), 0);
	obj_alloc(test, x.s, PAGE_SIZE);
	zcb_call_exit(x.s);
	await_eviction(test, x.s);
	KUNIT_EXPECT_EQ(test, obj_used(test, x.pool), 0);
}

/* ---------------------------------------------------- those that wait in calls */

static int wait_in(struct obj_task *t, int (*call)(struct zcb_session *s,
						   struct obj_task *t))
{
	struct zcb_session *s = t->arg;
	int err;

	if (!zcb_call_enter(s))
		return -EIO;
	err = call(s, t);
	zcb_call_exit(s);
	return err;
}

static int do_alloc(struct zcb_session *s, struct obj_task *t)
{
	const struct zcb_memory_request r = {
		.length = PAGE_SIZE, .deadline_ns = ZCBUF_NO_DEADLINE,
		.session = s,
	};
	u64 handle;

	return zcb_memory_alloc(s->pool, &s->hold, s->domain, &r, &handle);
}

static int do_open(struct zcb_session *s, struct obj_task *t)
{
	static const struct zcbuf_channel_name name = {
		.service_len = 1, .service = "s",
	};
	const struct zcb_channel_wish w = {
		.name = &name, .existing = true, .any = true,
		.deadline_ns = ZCBUF_NO_DEADLINE,
		.port = { .kinds = ZCBUF_PORT_CONSUME },
	};
	struct zcb_port *port;
	u32 added;

	return zcb_channel_open(s, &w, &port, &added);
}

static struct zcb_port *only_port(struct zcb_session *s)
{
	unsigned long index = 0;

	return zcb_port_next(s, &index);
}

static int do_receive(struct zcb_session *s, struct obj_task *t)
{
	struct zcb_port *port __free(zcb_port_put) = only_port(s);
	struct zcbuf_delivery d;
	u32 done;

	return zcb_channel_receive(port, &d, 1, ZCBUF_NO_DEADLINE, &done);
}

static int do_receive_failed(struct zcb_session *s, struct obj_task *t)
{
	struct zcb_port *port __free(zcb_port_put) = only_port(s);
	struct zcb_failed_group f;

	return zcb_channel_receive_failed(port, &f, 1, 1, ZCBUF_NO_DEADLINE);
}

static int do_reserve(struct zcb_session *s, struct obj_task *t)
{
	struct zcb_port *port __free(zcb_port_put) = only_port(s);

	t->r.length = 10;
	return obj_channel_reserve(port, &t->r, 0, ZCBUF_NO_DEADLINE);
}

static int wait_in_alloc(struct obj_task *t)
{
	return wait_in(t, do_alloc);
}

static int wait_in_open(struct obj_task *t)
{
	return wait_in(t, do_open);
}

static int wait_in_receive(struct obj_task *t)
{
	return wait_in(t, do_receive);
}

static int wait_in_receive_failed(struct obj_task *t)
{
	return wait_in(t, do_receive_failed);
}

static int wait_in_reserve(struct obj_task *t)
{
	return wait_in(t, do_reserve);
}

static void evict_who_waits(struct kunit *test, struct scene *x,
			    int (*call)(struct obj_task *t),
			    wait_queue_head_t *wq)
{
	struct obj_task t = { .call = call, .arg = x->s };

	obj_start(test, &t, wq);
	miss(x, MISSES);
	KUNIT_EXPECT_EQ(test, obj_join(&t), -ESTALE);
	await_eviction(test, x->s);
}

static void who_waits_for_memory_is_told(struct kunit *test)
{
	struct scene x;

	begin(test, &x, ZCBUF_HEARTBEAT_EVICT);
	obj_alloc(test, x.other, OBJ_ARENA);
	evict_who_waits(test, &x, wait_in_alloc, &x.pool->space_wq);
}

static void who_waits_for_a_channel_is_told(struct kunit *test)
{
	struct scene x;

	begin(test, &x, ZCBUF_HEARTBEAT_EVICT);
	evict_who_waits(test, &x, wait_in_open, &x.pool->space_wq);
}

static void begin_with_channel(struct kunit *test, struct scene *x)
{
	struct zcb_channel_config cfg;

	begin(test, x, ZCBUF_HEARTBEAT_EVICT);
	cfg = obj_config(x->pool);
	obj_channel(test, x->s, &cfg, OBJ_PORTS);
}

static void who_waits_for_a_delivery_is_told(struct kunit *test)
{
	struct scene x;

	begin_with_channel(test, &x);
	evict_who_waits(test, &x, wait_in_receive, &x.s->wq);
}

static void who_waits_for_a_failure_is_told(struct kunit *test)
{
	struct scene x;

	begin_with_channel(test, &x);
	evict_who_waits(test, &x, wait_in_receive_failed, &x.s->wq);
}

static void who_waits_for_room_is_told(struct kunit *test)
{
	struct scene x;

	begin_with_channel(test, &x);
	obj_alloc(test, x.other, OBJ_ARENA);
	evict_who_waits(test, &x, wait_in_reserve, &x.pool->space_wq);
}

/* --------------------------------------------------------------- quarantine */

static struct folio *pin(struct scene *x, u64 handle)
{
	u64 page = zcbuf_buf_offset(handle) >> PAGE_SHIFT;
	struct folio *folio = page_folio(zcb_pool_page(x->pool, page));

	folio_get(folio);
	return folio;
}

static u32 quarantined(struct kunit *test, struct zcb_pool *pool)
{
	zcb_quarantine_look(pool);
	flush_delayed_work(&pool->quarantine_work);
	return obj_pool_stat(test, pool)->quarantine.sessions;
}

static void what_is_pinned_is_quarantined(struct kunit *test)
{
	struct folio *folio;
	struct scene x;

	begin(test, &x, ZCBUF_HEARTBEAT_EVICT);
	folio = pin(&x, obj_alloc(test, x.s, PAGE_SIZE));
	evict(test, &x);
	KUNIT_EXPECT_EQ(test, quarantined(test, x.pool), 1);
	KUNIT_EXPECT_EQ(test, obj_used(test, x.pool), PAGE_SIZE);
	folio_put(folio);
	KUNIT_EXPECT_EQ(test, quarantined(test, x.pool), 0);
	KUNIT_EXPECT_EQ(test, obj_used(test, x.pool), 0);
	obj_close(test, x.s);
}

static void quarantine_outlives_the_file(struct kunit *test)
{
	struct folio *folio;
	struct scene x;

	begin(test, &x, ZCBUF_HEARTBEAT_EVICT);
	folio = pin(&x, obj_alloc(test, x.s, PAGE_SIZE));
	evict(test, &x);
	obj_close(test, x.s);
	KUNIT_EXPECT_EQ(test, quarantined(test, x.pool), 1);
	folio_put(folio);
	KUNIT_EXPECT_EQ(test, quarantined(test, x.pool), 0);
	KUNIT_EXPECT_EQ(test, obj_used(test, x.pool), 0);
}

/* ---------------------------------------------------------------------- end */

static void closing_ends_the_looks(struct kunit *test)
{
	struct scene x;

	begin(test, &x, ZCBUF_HEARTBEAT_EVICT);
	obj_close(test, x.s);
	KUNIT_EXPECT_EQ(test, zcb_hearts_scan(x.now + 10 * PERIOD), 0);
}

static void closing_waits_for_an_eviction(struct kunit *test)
{
	struct scene x;

	begin(test, &x, ZCBUF_HEARTBEAT_EVICT);
	obj_alloc(test, x.s, PAGE_SIZE);
	miss(&x, MISSES);
	obj_close(test, x.s);
	KUNIT_EXPECT_EQ(test, obj_used(test, x.pool), 0);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, x.pool)->sessions, 1);
}

static void the_last_session_takes_the_pool_with_it(struct kunit *test)
{
	struct scene x;

	begin(test, &x, ZCBUF_HEARTBEAT_EVICT);
	obj_close(test, x.other);
	obj_drop_pool(test, x.pool);
	evict(test, &x);
	KUNIT_EXPECT_GT(test, obj_total_charged(), OBJ_ARENA);
	obj_close(test, x.s);
	obj_settle(test);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), PAGE_SIZE);
}

static struct kunit_case heart_cases[] = {
	KUNIT_CASE(who_has_none_is_not_watched),
	KUNIT_CASE(who_beats_lives),
	KUNIT_CASE(who_stops_is_found_once),
	KUNIT_CASE(who_goes_on_is_not_hung_any_more),
	KUNIT_CASE(a_long_while_is_one_miss),
	KUNIT_CASE(nobody_is_looked_at_before_his_time),
	KUNIT_CASE(the_value_means_nothing),
	KUNIT_CASE(another_call_begins_again),
	KUNIT_CASE(who_is_not_watched_any_more_may_stop),
	KUNIT_CASE(looks_are_as_rare_as_can_be),
	KUNIT_CASE(all_that_are_due_are_looked_at),
	KUNIT_CASE(its_page_is_charged),
	KUNIT_CASE(beyond_a_limit_there_is_none),
	KUNIT_CASE(who_listens_is_told),
	KUNIT_CASE(what_it_has_comes_back),
	KUNIT_CASE(it_is_seen_until_it_is_closed),
	KUNIT_CASE(it_is_counted_until_it_is_closed),
	KUNIT_CASE(no_call_begins_any_more),
	KUNIT_CASE(nothing_is_given_to_it),
	KUNIT_CASE(its_mappings_are_revoked_for_good),
	KUNIT_CASE(a_fault_that_is_going_on_is_waited_for),
	KUNIT_CASE(who_maps_nothing_waits_for_no_fault),
	KUNIT_CASE(those_that_come_meanwhile_leave_together),
	KUNIT_CASE(a_call_that_runs_is_waited_for),
	KUNIT_CASE(who_waits_for_memory_is_told),
	KUNIT_CASE(who_waits_for_a_channel_is_told),
	KUNIT_CASE(who_waits_for_a_delivery_is_told),
	KUNIT_CASE(who_waits_for_a_failure_is_told),
	KUNIT_CASE(who_waits_for_room_is_told),
	KUNIT_CASE(what_is_pinned_is_quarantined),
	KUNIT_CASE(quarantine_outlives_the_file),
	KUNIT_CASE(closing_ends_the_looks),
	KUNIT_CASE(closing_waits_for_an_eviction),
	KUNIT_CASE(the_last_session_takes_the_pool_with_it),
	{}
};

static struct kunit_suite heart_suite = {
	.name = "zcb_heart",
	.suite_init = obj_suite_init,
	.suite_exit = obj_suite_exit,
	.init = obj_init,
	.test_cases = heart_cases,
};

kunit_test_suite(heart_suite);
