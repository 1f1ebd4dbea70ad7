// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which channels with a name a pool has: what is listed, what counts as a change and
 * what does not, and who is woken for it.
 */
#include "../../kmod/obj/watch.h"
#include "obj_topic.h"

static struct zcbuf_channel_name name_of(char event)
{
	return (struct zcbuf_channel_name){
		.service_len = 1, .instance_len = 1, .event_len = 1,
		.service = "s", .instance = "i", .event = { event },
	};
}

/* A topic of that name, or of none; made or taken. */
static struct zcb_port *open_name(struct kunit *test, struct zcb_session *s,
				  char event, u32 kinds)
{
	const struct zcb_channel_config cfg = topic_config(s->pool);
	const struct zcbuf_channel_name n = name_of(event);
	const struct zcb_channel_wish w = {
		.name = event ? &n : NULL, .cfg = &cfg, .any = true,
		.port.kinds = kinds,
	};
	struct zcb_port *port;
	u32 added;

	KUNIT_ASSERT_EQ(test, zcb_channel_open(s, &w, &port, &added), 0);
	return obj_keep_port(test, port);
}

static u64 now(struct zcb_pool *pool)
{
	u64 generation = 0;

	zcb_watch_wait(NULL, pool, 0, 0, &generation);
	return generation;
}

/* Has it changed since the case last asked? */
static bool changed(struct zcb_pool *pool, u64 *since)
{
	u64 before = *since;

	*since = now(pool);
	return *since > before;
}

static void comes_and_goes(struct kunit *test)
{
	struct three t = of_pages(test);
	u64 handle, since = 0;

	KUNIT_EXPECT_TRUE(test, changed(t.pool, &since));
	KUNIT_EXPECT_FALSE(test, changed(t.pool, &since));
	handle = open_name(test, t.a, 'e', ZCBUF_PORT_PRODUCE)->handle;
	KUNIT_EXPECT_TRUE(test, changed(t.pool, &since));
	/* What it has already is nothing new. */
	open_name(test, t.a, 'e', ZCBUF_PORT_PRODUCE);
	KUNIT_EXPECT_FALSE(test, changed(t.pool, &since));
	open_name(test, t.b, 'e', ZCBUF_PORT_CONSUME);
	KUNIT_EXPECT_TRUE(test, changed(t.pool, &since));
	KUNIT_EXPECT_EQ(test, zcb_channel_close(t.a, handle, 0), 0);
	KUNIT_EXPECT_TRUE(test, changed(t.pool, &since));
	KUNIT_EXPECT_EQ(test, zcb_channel_close(t.a, handle, 0), -ENOENT);
	KUNIT_EXPECT_FALSE(test, changed(t.pool, &since));
	KUNIT_EXPECT_EQ(test, zcb_channel_close(t.b, handle, 0), 0);
	KUNIT_EXPECT_TRUE(test, changed(t.pool, &since));
}

static void is_finalized(struct kunit *test)
{
	struct three t = of_pages(test);
	struct zcb_port *port = open_name(test, t.a, 'e', ZCBUF_PORT_PRODUCE);
	struct zcb_stream_counts n;
	struct zcbuf_watch_entry e;
	u64 since = now(t.pool);
	u32 cursor = 0;

	KUNIT_EXPECT_EQ(test, zcb_channel_finalize(port, &n), 0);
	KUNIT_EXPECT_TRUE(test, changed(t.pool, &since));
	KUNIT_ASSERT_TRUE(test, zcb_watch_next(t.pool, &cursor, &e));
	KUNIT_EXPECT_EQ(test, e.state, ZCBUF_WATCH_FINALIZED);
}

static void dies(struct kunit *test)
{
	struct three t = of_pages(test);
	struct zcb_port *port = open_name(test, t.b, 'e', ZCBUF_PORT_CONSUME);
	struct zcbuf_watch_entry e;
	u64 since;
	u32 cursor = 0;

	open_name(test, t.a, 'e', ZCBUF_PORT_PRODUCE);
	since = now(t.pool);
	obj_die(test, t.b, port);
	KUNIT_EXPECT_TRUE(test, changed(t.pool, &since));
	KUNIT_ASSERT_TRUE(test, zcb_watch_next(t.pool, &cursor, &e));
	KUNIT_EXPECT_EQ(test, e.producers, 1);
	KUNIT_EXPECT_EQ(test, e.consumers, 0);
	obj_close(test, t.c);
	KUNIT_EXPECT_FALSE(test, changed(t.pool, &since));
}

/* Messages, what has no name, and other pools. */
static void what_is_no_change(struct kunit *test)
{
	struct three t = of_pages(test), other = of_pages(test);
	struct zcb_port *in = open_name(test, t.a, 'e', ZCBUF_PORT_PRODUCE);
	struct zcb_port *out = open_name(test, t.b, 'e', ZCBUF_PORT_CONSUME);
	u64 since = now(t.pool);
	struct zcbuf_delivery d;

	obj_publish(test, in, obj_alloc(test, t.a, PAGE_SIZE));
	obj_send(test, in, 100);
	d = obj_receive(test, out);
	KUNIT_EXPECT_EQ(test, zcb_channel_release(out, d.handle), 0);
	open_name(test, t.c, 0, OBJ_PORTS);
	open_name(test, other.a, 'e', OBJ_PORTS);
	KUNIT_EXPECT_FALSE(test, changed(t.pool, &since));
}

static void is_listed(struct kunit *test)
{
	struct three t = of_pages(test);
	u64 handle[2];
	const struct zcbuf_channel_name n = name_of('b');
	struct zcbuf_watch_entry e;
	u32 cursor = 0;

	KUNIT_EXPECT_FALSE(test, zcb_watch_next(t.pool, &cursor, &e));
	handle[0] = open_name(test, t.a, 'a', ZCBUF_PORT_PRODUCE)->handle;
	open_name(test, t.a, 0, OBJ_PORTS);
	handle[1] = open_name(test, t.a, 'b', OBJ_PORTS)->handle;
	open_name(test, t.b, 'b', ZCBUF_PORT_CONSUME);
	cursor = 0;
	KUNIT_ASSERT_TRUE(test, zcb_watch_next(t.pool, &cursor, &e));
	KUNIT_EXPECT_EQ(test, e.channel, handle[0]);
	KUNIT_EXPECT_EQ(test, e.consumers, 0);
	KUNIT_ASSERT_TRUE(test, zcb_watch_next(t.pool, &cursor, &e));
	KUNIT_EXPECT_EQ(test, e.channel, handle[1]);
	KUNIT_EXPECT_EQ(test, e.flags, topic_config(t.pool).flags);
	KUNIT_EXPECT_EQ(test, e.state, 0);
	KUNIT_EXPECT_EQ(test, e.producers, 1);
	KUNIT_EXPECT_EQ(test, e.consumers, 2);
	KUNIT_EXPECT_MEMEQ(test, &e.name, &n, sizeof(n));
	KUNIT_EXPECT_FALSE(test, zcb_watch_next(t.pool, &cursor, &e));
}

/* ------------------------------------------------------------------ waiting */

/* What it has seen, and what it is told. */
struct watcher {
	struct zcb_pool *pool;
	u64 since;
	u64 generation;
};

static int watch(struct obj_task *t)
{
	struct watcher *w = t->arg;

	return zcb_watch_wait(NULL, w->pool, w->since, ZCBUF_NO_DEADLINE,
			      &w->generation);
}

static void waits_until_it_has_changed(struct kunit *test)
{
	struct three x = of_pages(test);
	struct watcher w = { .pool = x.pool, .since = now(x.pool) };
	struct obj_task t = { .call = watch, .arg = &w };
	u64 generation;

	KUNIT_EXPECT_EQ(test, zcb_watch_wait(NULL, x.pool, w.since, 0, &generation),
			-EAGAIN);
	KUNIT_EXPECT_EQ(test, zcb_watch_wait(NULL, x.pool, w.since, 1, &generation),
			-ETIMEDOUT);
	obj_start(test, &t, &x.pool->watch.wq);
	open_name(test, x.a, 'e', ZCBUF_PORT_PRODUCE);
	KUNIT_EXPECT_EQ(test, obj_join(&t), 0);
	KUNIT_EXPECT_GT(test, w.generation, w.since);
	KUNIT_EXPECT_LE(test, w.generation, now(x.pool));
}

/* Whatever he says he has seen, it was not this. */
static void who_knows_too_much_does_not_wait(struct kunit *test)
{
	struct three t = of_pages(test);
	u64 generation;

	KUNIT_EXPECT_EQ(test, zcb_watch_wait(NULL, t.pool, ~0ULL, ZCBUF_NO_DEADLINE,
					     &generation), 0);
	KUNIT_EXPECT_EQ(test, generation, 1);
}

/* Who polls, by what he polls for. */
static void who_is_woken(struct kunit *test)
{
	struct three t = of_pages(test);
	struct zcb_port *in = open_name(test, t.a, 'e', ZCBUF_PORT_PRODUCE);
	wait_queue_head_t *polled = &t.pool->space_wq;
	struct obj_sleeper s;

	obj_sleep(&s, polled);
	obj_publish(test, in, obj_alloc(test, t.a, PAGE_SIZE));
	open_name(test, t.c, 0, OBJ_PORTS);
	KUNIT_EXPECT_FALSE(test, obj_wake_up(&s, polled) & EPOLLPRI);
	obj_sleep(&s, polled);
	open_name(test, t.b, 'e', ZCBUF_PORT_CONSUME);
	KUNIT_EXPECT_EQ(test, obj_wake_up(&s, polled), EPOLLPRI);
}

static void what_a_session_was_told(struct kunit *test)
{
	struct three t = of_pages(test);

	zcb_watch_seen(t.a, now(t.pool));
	KUNIT_EXPECT_FALSE(test, zcb_watch_unseen(t.a));
	open_name(test, t.b, 'e', ZCBUF_PORT_PRODUCE);
	KUNIT_EXPECT_TRUE(test, zcb_watch_unseen(t.a));
	zcb_watch_seen(t.a, now(t.pool));
	KUNIT_EXPECT_FALSE(test, zcb_watch_unseen(t.a));
	/* Who has never asked is not watching. */
	KUNIT_EXPECT_FALSE(test, zcb_watch_unseen(t.c));
}

static struct kunit_case watch_cases[] = {
	KUNIT_CASE(comes_and_goes),
	KUNIT_CASE(is_finalized),
	KUNIT_CASE(dies),
	KUNIT_CASE(what_is_no_change),
	KUNIT_CASE(is_listed),
	KUNIT_CASE(waits_until_it_has_changed),
	KUNIT_CASE(who_knows_too_much_does_not_wait),
	KUNIT_CASE(who_is_woken),
	KUNIT_CASE(what_a_session_was_told),
	{}
};

static struct kunit_suite watch_suite = {
	.name = "zcb_watch",
	.suite_init = obj_suite_init,
	.suite_exit = obj_suite_exit,
	.init = obj_init,
	.test_cases = watch_cases,
};

kunit_test_suite(watch_suite);
