// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a producer is told who would have to wait: what was short when it was last
 * looked at, and nothing if it was not that.
 */
#include "obj_topic.h"

#define UNSET	0x77U

/* A channel of which @credits can be had. */
static struct topic of_credits(struct kunit *test, bool topic, u32 credits)
{
	struct topic x = { .t = of_pages(test) };
	struct zcb_channel_config cfg = topic ? topic_config(x.t.pool) :
						obj_config(x.t.pool);

	cfg.flags |= ZCBUF_CHANNEL_F_NO_AUTO_FINALIZE;
	cfg.stream.max_outstanding = credits;
	x.in = obj_channel(test, x.t.a, &cfg, ZCBUF_PORT_PRODUCE);
	return x;
}

static void expect_why(struct kunit *test, const struct topic *x, u32 flags,
		       int err, u32 want)
{
	struct zcbuf_reservation r = { .length = 10 };
	u32 why = UNSET;

	KUNIT_EXPECT_EQ(test, zcb_channel_reserve_nowait(x->in, &r, flags, &why),
			err);
	KUNIT_EXPECT_EQ(test, why, want);
	why = UNSET;
	KUNIT_EXPECT_EQ(test, zcb_channel_reserve(x->in, &r, flags, 0, &why),
			err);
	KUNIT_EXPECT_EQ(test, why, want);
	why = UNSET;
	KUNIT_EXPECT_EQ(test, zcb_channel_reserve(x->in, &r, flags, 1, &why),
			err == -EAGAIN ? -ETIMEDOUT : err);
	KUNIT_EXPECT_EQ(test, why, want);
}

static void expect_short(struct kunit *test, const struct topic *x, u32 why)
{
	expect_why(test, x, 0, -EAGAIN, why);
	expect_why(test, x, ZCBUF_RESERVE_F_WINDOW, -EAGAIN, why);
}

static void of_memory(struct kunit *test, bool topic)
{
	struct topic x = of_credits(test, topic, 16);
	u64 all = obj_alloc(test, x.t.b, OBJ_ARENA);

	expect_short(test, &x, ZCBUF_WHY_MEMORY);
	KUNIT_EXPECT_EQ(test, try_free(x.t.b, all), 0);
	expect_why(test, &x, 0, 0, 0);
}

static void memory(struct kunit *test)
{
	of_memory(test, false);
	of_memory(test, true);
}

static void of_limit(struct kunit *test, bool topic)
{
	struct topic x = of_credits(test, topic, 1);
	struct zcbuf_reservation r = obj_reserve(test, x.in, 10);

	expect_short(test, &x, ZCBUF_WHY_LIMIT);
	KUNIT_EXPECT_EQ(test, zcb_channel_abort(x.in, r.out_group, r.out_id), 0);
}

static void limit(struct kunit *test)
{
	of_limit(test, false);
	of_limit(test, true);
}

/* All that is complete waits for a consumer, who comes and does not look. */
static void parked(struct kunit *test)
{
	struct topic x = of_credits(test, false, 4);
	u32 added, i;

	for (i = 0; i < 4; i++)
		obj_send(test, x.in, 10);
	expect_short(test, &x, ZCBUF_WHY_LIMIT | ZCBUF_WHY_NO_CONSUMER);
	KUNIT_ASSERT_EQ(test, obj_open(x.t.b, x.in->handle, NULL,
				       ZCBUF_PORT_CONSUME, 3, &x.out[0],
				       &added), 0);
	obj_keep_port(test, x.out[0]);
	expect_short(test, &x, ZCBUF_WHY_LIMIT | ZCBUF_WHY_QUEUE);
	obj_receive(test, x.out[0]);
	expect_short(test, &x, ZCBUF_WHY_LIMIT);
}

/* Who begins to wait sends what is open on its way, and looks again. */
static void what_is_open_is_parked(struct kunit *test)
{
	struct topic x = { .t = of_pages(test) };
	struct zcb_channel_config cfg = obj_config(x.t.pool);
	struct zcbuf_reservation r = { .length = 4 * PAGE_SIZE };
	u32 why;

	cfg.stream.threshold = 3 * PAGE_SIZE;
	x.in = obj_channel(test, x.t.a, &cfg, ZCBUF_PORT_PRODUCE);
	obj_send(test, x.in, 10);
	while (zcb_memory_room(x.t.pool, PAGE_SIZE))
		obj_alloc(test, x.t.a, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, zcb_channel_reserve(x.in, &r, 0, 0, &why),
			-EAGAIN);
	KUNIT_EXPECT_EQ(test, why, ZCBUF_WHY_MEMORY);
	KUNIT_EXPECT_EQ(test, zcb_channel_reserve(x.in, &r, 0, 1, &why),
			-ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, why,
			ZCBUF_WHY_MEMORY | ZCBUF_WHY_NO_CONSUMER);
}

static int publish_why(const struct topic *x, u64 handle, u32 *why)
{
	struct zcbuf_publication p = { .handle = handle };

	return zcb_channel_publish(x->in, &p, 0, 0, why);
}

static void published(struct kunit *test)
{
	struct topic x = of_credits(test, true, 2);
	u64 handle = obj_alloc(test, x.t.a, PAGE_SIZE);
	u32 why = UNSET;

	obj_reserve(test, x.in, 10);
	obj_reserve(test, x.in, 10);
	KUNIT_EXPECT_EQ(test, publish_why(&x, handle, &why), -EAGAIN);
	KUNIT_EXPECT_EQ(test, why, ZCBUF_WHY_LIMIT);
	KUNIT_EXPECT_EQ(test, try_free(x.t.a, handle), 0);
	KUNIT_EXPECT_EQ(test, publish_why(&x, handle, &why), -EBADSLT);
	KUNIT_EXPECT_EQ(test, why, 0);
}

/* What was short is not what it says in the end. */
static int wait_for_room(struct obj_task *t)
{
	u32 why = UNSET;
	int err = zcb_channel_reserve(t->arg, &t->r, 0, ZCBUF_NO_DEADLINE,
				      &why);

	return why ? -EPROTO : err;
}

static void the_end_is_no_shortage(struct kunit *test)
{
	struct topic x = of_credits(test, false, 1);
	struct obj_task t = {
		.call = wait_for_room, .arg = x.in, .r.length = 10,
	};
	struct zcb_stream_counts n;

	obj_send(test, x.in, 10);
	obj_start(test, &t, &x.t.pool->space_wq);
	KUNIT_EXPECT_EQ(test, zcb_channel_finalize(x.in, &n), 0);
	KUNIT_EXPECT_EQ(test, obj_join(&t), -ESHUTDOWN);
}

static struct kunit_case why_cases[] = {
	KUNIT_CASE(memory),
	KUNIT_CASE(limit),
	KUNIT_CASE(parked),
	KUNIT_CASE(what_is_open_is_parked),
	KUNIT_CASE(published),
	KUNIT_CASE(the_end_is_no_shortage),
	{}
};

static struct kunit_suite why_suite = {
	.name = "zcb_why",
	.suite_init = obj_suite_init,
	.suite_exit = obj_suite_exit,
	.init = obj_init,
	.test_cases = why_cases,
};

kunit_test_suite(why_suite);
