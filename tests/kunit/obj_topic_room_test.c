// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who waits for a place in a queue of a topic, or for a credit of it: that he is woken,
 * and nobody for nothing.
 */
#include <linux/file.h>
#include "../../kmod/obj/view.h"
#include "obj_topic.h"

/* ------------------------------------------------------------------- places */

/* What another task publishes. */
struct waiting {
	struct obj_task task;
	struct zcb_port *port;
	struct zcbuf_publication p;
};

static int call_publish(struct obj_task *t)
{
	struct waiting *w = container_of(t, struct waiting, task);

	return obj_channel_publish(w->port, &w->p, 0, ZCBUF_NO_DEADLINE);
}

static void start_publish(struct kunit *test, struct waiting *w,
			  struct zcb_port *port)
{
	*w = (struct waiting){
		.task.call = call_publish,
		.port = port,
		.p.handle = obj_alloc(test, port->session, PAGE_SIZE),
	};
	obj_start(test, &w->task, &port->channel->pool->space_wq);
}

static struct zcb_port *open_out(struct kunit *test, struct zcb_session *s,
				 const struct zcb_port *in, u32 policy,
				 u32 depth, u32 max_held)
{
	struct zcb_channel_wish w = {
		.handle = in->handle,
		.port = {
			.kinds = ZCBUF_PORT_CONSUME,
			.depth = depth,
			.policy = policy,
			.max_held = max_held,
		},
	};
	struct zcb_port *port;
	u32 added;

	KUNIT_ASSERT_EQ(test, zcb_channel_open(s, &w, &port, &added), 0);
	return obj_keep_port(test, port);
}

/* A topic whose only consumer has a queue of @depth, and blocks. */
static struct topic of_depth(struct kunit *test, u64 threshold, u32 depth)
{
	struct topic x = { .t = of_pages(test) };
	struct zcb_channel_config cfg = topic_config(x.t.pool);

	cfg.stream.threshold = threshold;
	x.in = obj_channel(test, x.t.a, &cfg, ZCBUF_PORT_PRODUCE);
	x.out[0] = open_out(test, x.t.b, x.in, ZCBUF_POLICY_BLOCK, depth, 64);
	return x;
}

static struct topic of_one(struct kunit *test, u64 threshold)
{
	return of_depth(test, threshold, 1);
}

/* Who waits for a consumer that goes waits no more: there is nobody to get it. */
static void expect_close_wakes(struct kunit *test, struct topic *x)
{
	struct waiting w;

	start_publish(test, &w, x->in);
	KUNIT_EXPECT_EQ(test, zcb_channel_close(x->t.b, x->in->handle, 0), 0);
	KUNIT_EXPECT_EQ(test, obj_join(&w.task), 0);
	KUNIT_EXPECT_EQ(test, w.p.out_delivered, 0);
}

static void who_waits_is_woken(struct kunit *test)
{
	struct topic x = of_one(test, 0);
	struct waiting w;
	u64 handle;

	obj_publish(test, x.in, obj_alloc(test, x.t.a, PAGE_SIZE));
	handle = obj_alloc(test, x.t.a, PAGE_SIZE);
	obj_refused(test, x.in, handle, 0, -EAGAIN);
	KUNIT_EXPECT_EQ(test, try_free(x.t.a, handle), 0);
	start_publish(test, &w, x.in);
	obj_receive(test, x.out[0]);
	KUNIT_EXPECT_EQ(test, obj_join(&w.task), 0);
	KUNIT_EXPECT_EQ(test, w.p.out_delivered, 1);
	expect_close_wakes(test, &x);
	KUNIT_EXPECT_EQ(test, obj_used(test, x.t.pool), 0);
}

/* The room was for a group that will not come; nobody serves those that fail. */
static void a_failure_makes_room(struct kunit *test)
{
	struct topic x = of_one(test, 0);
	struct zcbuf_reservation r = obj_reserve(test, x.in, 10);
	struct waiting w;

	start_publish(test, &w, x.in);
	KUNIT_EXPECT_FALSE(test, completion_done(&w.task.done));
	KUNIT_EXPECT_EQ(test, zcb_channel_abort(x.in, r.out_group, r.out_id), 0);
	KUNIT_EXPECT_EQ(test, obj_join(&w.task), 0);
	KUNIT_EXPECT_EQ(test, w.p.out_delivered, 1);
}

static int call_reserve(struct obj_task *t)
{
	return obj_channel_reserve(t->arg, &t->r, ZCBUF_RESERVE_F_WINDOW,
				   ZCBUF_NO_DEADLINE);
}

/* With the last place no group stays open, so nobody waits behind it. */
static void nobody_waits_behind_an_open_group(struct kunit *test)
{
	struct topic x = of_one(test, PAGE_SIZE);
	u64 handle = obj_alloc(test, x.t.a, PAGE_SIZE);
	struct obj_task t = {
		.call = call_reserve, .arg = x.in, .r.length = 10,
	};
	struct waiting w;

	obj_send(test, x.in, 10);
	KUNIT_EXPECT_NULL(test, x.in->channel->stream.open);
	obj_refused(test, x.in, handle, 0, -EAGAIN);
	obj_receive(test, x.out[0]);
	obj_publish(test, x.in, handle);
	obj_receive(test, x.out[0]);
	obj_send(test, x.in, 10);
	start_publish(test, &w, x.in);
	obj_receive(test, x.out[0]);
	KUNIT_EXPECT_EQ(test, obj_join(&w.task), 0);
	obj_receive(test, x.out[0]);
	obj_send(test, x.in, 10);
	obj_start(test, &t, &x.t.pool->space_wq);
	obj_receive(test, x.out[0]);
	KUNIT_EXPECT_EQ(test, obj_join(&t), 0);
}

/* It was open when others took the last place. */
static void the_last_place_is_taken_behind_it(struct kunit *test)
{
	struct topic x = of_depth(test, PAGE_SIZE, 2);
	struct zcbuf_reservation r;
	struct waiting w;

	obj_send(test, x.in, 10);
	KUNIT_EXPECT_NOT_NULL(test, x.in->channel->stream.open);
	obj_publish(test, x.in, obj_alloc(test, x.t.a, PAGE_SIZE));
	KUNIT_EXPECT_NULL(test, x.in->channel->stream.open);
	start_publish(test, &w, x.in);
	KUNIT_EXPECT_EQ(test, obj_receive(test, x.out[0]).length, 10);
	KUNIT_EXPECT_EQ(test, obj_join(&w.task), 0);
	obj_receive(test, x.out[0]);
	obj_receive(test, x.out[0]);
	obj_send(test, x.in, 10);
	r = (struct zcbuf_reservation){ .length = 20 };
	KUNIT_ASSERT_EQ(test, obj_channel_reserve(x.in, &r,
						  ZCBUF_RESERVE_F_WINDOW, 0),
			0);
	KUNIT_EXPECT_EQ(test, obj_receive(test, x.out[0]).length, 10);
	KUNIT_EXPECT_EQ(test, obj_commit(x.in, &r), 0);
	KUNIT_EXPECT_EQ(test, obj_receive(test, x.out[0]).length, 20);
}

static int spaces(const struct topic *x)
{
	return atomic_read(&x->t.pool->space_seq);
}

static bool writable(struct zcb_channel *ch)
{
	guard(mutex)(&ch->lock);
	return zcb_channel_writable_locked(ch);
}

/* Who takes something tells those who were refused, once. */
static void nobody_is_woken_for_nothing(struct kunit *test)
{
	struct topic x = of_one(test, 0);
	u64 handle;
	int seen;

	obj_publish(test, x.in, obj_alloc(test, x.t.a, PAGE_SIZE));
	handle = obj_alloc(test, x.t.a, PAGE_SIZE);
	seen = spaces(&x);
	KUNIT_EXPECT_EQ(test, zcb_port_sync(x.out[0]), 0);
	obj_receive(test, x.out[0]);
	KUNIT_EXPECT_EQ(test, spaces(&x), seen);
	obj_publish(test, x.in, handle);
	handle = obj_alloc(test, x.t.a, PAGE_SIZE);
	seen = spaces(&x);
	obj_refused(test, x.in, handle, 0, -EAGAIN);
	obj_refused(test, x.in, handle, 0, -EAGAIN);
	KUNIT_EXPECT_EQ(test, spaces(&x), seen);
	obj_receive(test, x.out[0]);
	KUNIT_EXPECT_EQ(test, spaces(&x), seen + 1);
	KUNIT_EXPECT_EQ(test, zcb_port_sync(x.out[0]), 0);
	KUNIT_EXPECT_EQ(test, spaces(&x), seen + 1);
	/* Who polls was told as well. */
	obj_publish(test, x.in, handle);
	KUNIT_EXPECT_FALSE(test, writable(x.in->channel));
	seen = spaces(&x);
	KUNIT_EXPECT_EQ(test, zcb_port_sync(x.out[0]), 0);
	KUNIT_EXPECT_EQ(test, spaces(&x), seen + 1);
}

/* The first one of the queue, as a consumer takes it who sees it. */
static u64 take_itself(struct kunit *test, struct zcb_port *port)
{
	const struct zcb_topic_slot *slot;
	u64 handle;

	list_for_each_entry(slot, &port->queue->lanes[0], node) {
		handle = port->view->entries[slot - port->queue->slots].handle;
		if (zcb_view_claim(port->view, handle, ZCBUF_SLOT_TAKEN))
			return handle;
	}
	KUNIT_FAIL(test, "nothing to take");
	return 0;
}

/* It has more than it may, all there is to deliver with: a release makes room. */
static void held_more_than_it_may(struct kunit *test)
{
	struct topic x = { .t = of_pages(test) };
	struct zcb_channel_config cfg = topic_config(x.t.pool);
	struct waiting w;
	struct file *file;
	u64 bytes, handle = 0;
	u32 i;

	x.in = obj_channel(test, x.t.a, &cfg, ZCBUF_PORT_PRODUCE);
	x.out[0] = open_out(test, x.t.b, x.in, ZCBUF_POLICY_BLOCK, 2, 1);
	file = zcb_port_view(x.out[0], &bytes, &bytes);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	__fput_sync(file);
	/* So that no memory comes back. */
	open_out(test, x.t.c, x.in, ZCBUF_POLICY_BLOCK, 16, 16);
	for (i = 0; i < 3; i++) {
		obj_publish(test, x.in, obj_alloc(test, x.t.a, PAGE_SIZE));
		handle = take_itself(test, x.out[0]);
	}
	start_publish(test, &w, x.in);
	KUNIT_EXPECT_EQ(test, zcb_port_sync(x.out[0]), 0);
	while (!x.in->channel->stream.starved)
		schedule_timeout_uninterruptible(1);
	KUNIT_EXPECT_FALSE(test, completion_done(&w.task.done));
	KUNIT_EXPECT_EQ(test, zcb_channel_release(x.out[0], handle), 0);
	KUNIT_EXPECT_EQ(test, obj_join(&w.task), 0);
	KUNIT_EXPECT_EQ(test, w.p.out_delivered, 2);
}

/* ------------------------------------------------------------ short of credits */

static struct topic of_credits(struct kunit *test, u32 history, u32 credits)
{
	struct topic x = { .t = of_pages(test) };
	struct zcb_channel_config cfg = topic_config(x.t.pool);

	cfg.stream.history = history;
	cfg.stream.max_outstanding = credits;
	x.in = obj_channel(test, x.t.a, &cfg, ZCBUF_PORT_PRODUCE);
	return x;
}

/* Nobody takes anything: history and who drops give their credits. */
static void credits_are_had_back(struct kunit *test)
{
	struct topic x = of_credits(test, 3, 4);
	u32 i;

	x.out[0] = open_out(test, x.t.b, x.in, ZCBUF_POLICY_DROP_OLDEST, 16, 1);
	x.out[1] = open_out(test, x.t.c, x.in, ZCBUF_POLICY_DROP_NEWEST, 16, 1);
	obj_publish(test, x.in, obj_alloc(test, x.t.a, PAGE_SIZE));
	obj_receive(test, x.out[0]);
	for (i = 0; i < 10; i++) {
		obj_publish(test, x.in, obj_alloc(test, x.t.a, PAGE_SIZE));
		obj_send(test, x.in, 10);
		KUNIT_EXPECT_TRUE(test, writable(x.in->channel));
	}
	KUNIT_EXPECT_EQ(test, x.out[0]->queue->lost, 17);
	KUNIT_EXPECT_EQ(test, x.out[1]->queue->lost, 17);
	KUNIT_EXPECT_EQ(test, obj_channel_stat(test, x.t.pool).bytes,
			4 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, obj_receive(test, x.out[1]).group, 0);
}

/* What is only of the history after a release, who waits may have. */
static void a_release_gives_a_credit(struct kunit *test)
{
	struct topic x = of_credits(test, 2, 2);
	struct waiting w;

	x.out[0] = open_out(test, x.t.b, x.in, ZCBUF_POLICY_BLOCK, 16, 4);
	obj_publish(test, x.in, obj_alloc(test, x.t.a, PAGE_SIZE));
	obj_publish(test, x.in, obj_alloc(test, x.t.a, PAGE_SIZE));
	start_publish(test, &w, x.in);
	KUNIT_EXPECT_EQ(test, zcb_channel_release(x.out[0], obj_receive(
						  test, x.out[0]).handle), 0);
	KUNIT_EXPECT_EQ(test, obj_join(&w.task), 0);
	KUNIT_EXPECT_EQ(test, w.p.out_delivered, 1);
	expect_close_wakes(test, &x);
}

/* What it had with the port it closed is none of the one it opened then. */
static void released_by_another_port(struct kunit *test)
{
	struct topic x = topic_of(test, of_pages(test));
	struct zcb_port *port;
	u64 before;

	obj_publish(test, x.in, obj_alloc(test, x.t.a, PAGE_SIZE));
	before = obj_receive(test, x.out[0]).handle;
	KUNIT_EXPECT_EQ(test, zcb_channel_close(x.t.b, x.in->handle, 0), 0);
	port = obj_attach(test, x.t.b, x.in->handle, ZCBUF_PORT_CONSUME);
	obj_publish(test, x.in, obj_alloc(test, x.t.a, PAGE_SIZE));
	KUNIT_EXPECT_NE(test, obj_receive(test, port).handle, before);
	KUNIT_EXPECT_EQ(test, zcb_channel_release(port, before), -EBADSLT);
	KUNIT_EXPECT_EQ(test, port->consumer.nheld, 1);
}

/* There was something for him all the time. */
static void who_may_hold_more_is_told(struct kunit *test)
{
	struct topic x = { .t = of_pages(test) };
	struct zcb_channel_config cfg = topic_config(x.t.pool);
	struct zcbuf_delivery d;
	int seen;

	x.in = obj_channel(test, x.t.a, &cfg, ZCBUF_PORT_PRODUCE);
	x.out[0] = open_out(test, x.t.b, x.in, ZCBUF_POLICY_BLOCK, 4, 1);
	obj_publish(test, x.in, obj_alloc(test, x.t.a, PAGE_SIZE));
	obj_publish(test, x.in, obj_alloc(test, x.t.a, PAGE_SIZE));
	d = obj_receive(test, x.out[0]);
	seen = atomic_read(&x.t.b->event_seq);
	KUNIT_EXPECT_EQ(test, zcb_channel_release(x.out[0], d.handle), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&x.t.b->event_seq), seen + 1);
	d = obj_receive(test, x.out[0]);
	KUNIT_EXPECT_EQ(test, zcb_channel_release(x.out[0], d.handle), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&x.t.b->event_seq), seen + 1);
}

static struct kunit_case room_cases[] = {
	KUNIT_CASE(who_waits_is_woken),
	KUNIT_CASE(a_failure_makes_room),
	KUNIT_CASE(nobody_waits_behind_an_open_group),
	KUNIT_CASE(the_last_place_is_taken_behind_it),
	KUNIT_CASE(nobody_is_woken_for_nothing),
	KUNIT_CASE(held_more_than_it_may),
	KUNIT_CASE(credits_are_had_back),
	KUNIT_CASE(a_release_gives_a_credit),
	KUNIT_CASE(released_by_another_port),
	KUNIT_CASE(who_may_hold_more_is_told),
	{}
};

static struct kunit_suite room_suite = {
	.name = "zcb_topic_room",
	.suite_init = obj_suite_init,
	.suite_exit = obj_suite_exit,
	.init = obj_init,
	.test_cases = room_cases,
};

kunit_test_suite(room_suite);
