// SPDX-License-Identifier: GPL-2.0-only
/*
 * Receiving of any port of a session: whose turn it is, what is told once, and who is
 * woken.
 */
#include "../../kmod/obj/ready.h"
#include "obj_topic.h"

#define LINES	4

/**
 * struct lines - channels from one session to another
 * @pool: the pool
 * @cfg: of the channels
 * @from: produces
 * @to: consumes
 * @in: ports of @from
 * @out: those of @to
 */
struct lines {
	struct zcb_pool *pool;
	struct zcb_channel_config cfg;
	struct zcb_session *from;
	struct zcb_session *to;
	struct zcb_port *in[LINES];
	struct zcb_port *out[LINES];
};

static void begin(struct kunit *test, struct lines *l)
{
	l->pool = obj_pool(test);
	l->cfg = obj_config(l->pool);
	l->from = obj_session(test, l->pool);
	l->to = obj_session(test, l->pool);
}

static void open_line(struct kunit *test, struct lines *l, u32 i)
{
	l->in[i] = obj_channel(test, l->from, &l->cfg, ZCBUF_PORT_PRODUCE);
	l->out[i] = obj_attach(test, l->to, l->in[i]->handle,
			       ZCBUF_PORT_CONSUME);
}

static void make(struct kunit *test, struct lines *l)
{
	u32 i;

	begin(test, l);
	for (i = 0; i < LINES; i++)
		open_line(test, l, i);
}

static int take(struct zcb_session *s, struct zcbuf_delivery *d)
{
	u32 done;

	return zcb_ready_receive(s, d, 1, 0, &done);
}

static u32 listed(const struct zcb_session *s)
{
	return list_count_nodes((struct list_head *)&s->ready.ports);
}

/* The next one comes of @port, and is of @length. */
static u64 expect_of(struct kunit *test, struct lines *l, u32 i, u64 length)
{
	struct zcbuf_delivery d = {};

	KUNIT_EXPECT_EQ(test, take(l->to, &d), 0);
	KUNIT_EXPECT_EQ(test, d.channel, l->out[i]->handle);
	KUNIT_EXPECT_EQ(test, d.length, length);
	return d.handle;
}

static void expect_nothing(struct kunit *test, struct lines *l, int err)
{
	struct zcbuf_delivery d;

	KUNIT_EXPECT_EQ(test, take(l->to, &d), err);
	KUNIT_EXPECT_EQ(test, listed(l->to), 0);
}

/* An end has no handle, and nothing to release. */
static void expect_end(struct kunit *test, struct lines *l, u32 i)
{
	KUNIT_EXPECT_EQ(test, expect_of(test, l, i, 0), 0);
}

static void finalize(struct kunit *test, struct lines *l, u32 i)
{
	struct zcb_stream_counts n;

	KUNIT_ASSERT_EQ(test, zcb_channel_finalize(l->in[i], &n), 0);
}

static __poll_t polled(struct zcb_session *s)
{
	__poll_t mask;

	zcb_ready_poll(s, &mask);
	return mask;
}

/* ------------------------------------------------------------ whose turn it is */

static void ports_take_turns(struct kunit *test)
{
	struct lines l;
	u32 i, n;

	make(test, &l);
	for (n = 1; n < 4; n++)
		for (i = 0; i < LINES; i += 2)
			obj_send(test, l.in[i], n);
	for (n = 1; n < 4; n++)
		for (i = 0; i < LINES; i += 2)
			expect_of(test, &l, i, n);
	expect_nothing(test, &l, -EAGAIN);
}

static void who_comes_later_waits_its_turn(struct kunit *test)
{
	struct lines l;
	u32 n;

	make(test, &l);
	for (n = 1; n < 5; n++)
		obj_send(test, l.in[0], n);
	expect_of(test, &l, 0, 1);
	obj_send(test, l.in[3], 9);
	expect_of(test, &l, 0, 2);
	expect_of(test, &l, 3, 9);
	expect_of(test, &l, 0, 3);
	expect_of(test, &l, 0, 4);
	expect_nothing(test, &l, -EAGAIN);
}

static void a_batch_is_of_all(struct kunit *test)
{
	struct zcbuf_delivery *d;
	struct lines l;
	u32 i, done;

	make(test, &l);
	d = kunit_kcalloc(test, 2 * LINES, sizeof(*d), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, d);
	for (i = 0; i < LINES; i++)
		obj_send(test, l.in[i], i + 1);
	KUNIT_EXPECT_EQ(test, zcb_ready_receive(l.to, d, 2 * LINES, 0, &done),
			-EAGAIN);
	KUNIT_EXPECT_EQ(test, done, LINES);
	for (i = 0; i < LINES; i++) {
		KUNIT_EXPECT_EQ(test, d[i].channel, l.out[i]->handle);
		KUNIT_EXPECT_EQ(test, d[i].length, i + 1);
		KUNIT_EXPECT_EQ(test, zcb_channel_release(l.out[i],
							  d[i].handle), 0);
	}
	KUNIT_EXPECT_EQ(test, obj_used(test, l.pool), 0);
}

/* What was taken by channel is not there any more, and nobody looks twice. */
static void taken_elsewhere(struct kunit *test)
{
	struct lines l;

	make(test, &l);
	obj_send(test, l.in[0], 1);
	obj_send(test, l.in[1], 2);
	obj_receive(test, l.out[0]);
	KUNIT_EXPECT_EQ(test, listed(l.to), 2);
	expect_of(test, &l, 1, 2);
	expect_nothing(test, &l, -EAGAIN);
}

static void what_was_there_before_the_port(struct kunit *test)
{
	struct lines l;

	begin(test, &l);
	l.in[0] = obj_channel(test, l.from, &l.cfg, ZCBUF_PORT_PRODUCE);
	obj_send(test, l.in[0], 5);
	l.out[0] = obj_attach(test, l.to, l.in[0]->handle, ZCBUF_PORT_CONSUME);
	expect_of(test, &l, 0, 5);
	expect_nothing(test, &l, -EAGAIN);
}

/* What another consumer leaves behind is offered to this one. */
static void what_others_leave(struct kunit *test)
{
	struct zcb_session *other;
	struct zcb_port *port;
	struct lines l;

	begin(test, &l);
	l.in[0] = obj_channel(test, l.from, &l.cfg, ZCBUF_PORT_PRODUCE);
	other = obj_session(test, l.pool);
	port = obj_attach(test, other, l.in[0]->handle, ZCBUF_PORT_CONSUME);
	obj_send(test, l.in[0], 5);
	l.out[0] = obj_attach(test, l.to, l.in[0]->handle, ZCBUF_PORT_CONSUME);
	expect_nothing(test, &l, -EAGAIN);
	obj_die(test, other, port);
	expect_of(test, &l, 0, 5);
}

/* ------------------------------------------------------------- ends and closing */

static void an_end_is_told_once(struct kunit *test)
{
	struct lines l;
	u32 i;

	make(test, &l);
	obj_send(test, l.in[1], 7);
	finalize(test, &l, 0);
	finalize(test, &l, 1);
	expect_of(test, &l, 1, 7);
	expect_end(test, &l, 0);
	expect_end(test, &l, 1);
	expect_nothing(test, &l, -EAGAIN);
	for (i = 2; i < LINES; i++) {
		finalize(test, &l, i);
		expect_end(test, &l, i);
	}
	expect_nothing(test, &l, -ESHUTDOWN);
	expect_nothing(test, &l, -ESHUTDOWN);
	open_line(test, &l, 0);
	expect_nothing(test, &l, -EAGAIN);
}

static void the_end_of_a_stream_that_has_ended(struct kunit *test)
{
	struct lines l;

	begin(test, &l);
	l.in[0] = obj_channel(test, l.from, &l.cfg, ZCBUF_PORT_PRODUCE);
	finalize(test, &l, 0);
	l.out[0] = obj_attach(test, l.to, l.in[0]->handle, ZCBUF_PORT_CONSUME);
	expect_end(test, &l, 0);
	expect_nothing(test, &l, -ESHUTDOWN);
}

/* By channel it is said at will, and that does not count. */
static void by_channel_the_end_is_said_at_will(struct kunit *test)
{
	struct zcbuf_delivery d;
	struct lines l;

	make(test, &l);
	finalize(test, &l, 2);
	KUNIT_EXPECT_EQ(test, obj_try_receive(l.out[2], &d), -ESHUTDOWN);
	expect_end(test, &l, 2);
	KUNIT_EXPECT_EQ(test, obj_try_receive(l.out[2], &d), -ESHUTDOWN);
	expect_nothing(test, &l, -EAGAIN);
}

static void an_end_that_was_not_told(struct kunit *test)
{
	struct lines l;

	make(test, &l);
	finalize(test, &l, 2);
	expect_end(test, &l, 2);
	zcb_ready_untell(l.out[2]);
	expect_end(test, &l, 2);
	zcb_ready_untell(l.out[1]);
	expect_nothing(test, &l, -EAGAIN);
	zcb_channel_close(l.to, l.out[2]->handle, 0);
	zcb_ready_untell(l.out[2]);
	expect_nothing(test, &l, -EAGAIN);
}

static void what_was_told_goes_with_the_port(struct kunit *test)
{
	struct lines l;
	u32 i;

	make(test, &l);
	finalize(test, &l, 0);
	expect_end(test, &l, 0);
	zcb_channel_close(l.to, l.out[0]->handle, 0);
	for (i = 1; i < LINES; i++) {
		expect_nothing(test, &l, -EAGAIN);
		finalize(test, &l, i);
		expect_end(test, &l, i);
	}
	expect_nothing(test, &l, -ESHUTDOWN);
}

static void closed_meanwhile(struct kunit *test)
{
	struct lines l;
	u32 i;

	make(test, &l);
	for (i = 0; i < LINES; i++)
		obj_send(test, l.in[i], i + 1);
	KUNIT_EXPECT_EQ(test, zcb_channel_close(l.to, l.out[0]->handle, 0), 0);
	KUNIT_EXPECT_EQ(test, zcb_channel_close(l.to, l.out[2]->handle, 0), 0);
	expect_of(test, &l, 1, 2);
	expect_of(test, &l, 3, 4);
	expect_nothing(test, &l, -EAGAIN);
	zcb_channel_close(l.to, l.out[1]->handle, 0);
	zcb_channel_close(l.to, l.out[3]->handle, 0);
	expect_nothing(test, &l, -EPERM);
}

/* Its own producer was the last one: the stream ends as the port goes. */
static void who_leaves_is_told_nothing(struct kunit *test)
{
	struct lines l;

	begin(test, &l);
	l.in[0] = obj_channel(test, l.to, &l.cfg,
			      ZCBUF_PORT_PRODUCE | ZCBUF_PORT_CONSUME);
	zcb_channel_close(l.to, l.in[0]->handle, 0);
	KUNIT_EXPECT_EQ(test, listed(l.to), 0);
	expect_nothing(test, &l, -EPERM);
}

/* ------------------------------------------------------------------------ topics */

static void fill_topic(struct kunit *test, struct topic *x, u32 n)
{
	while (n--)
		obj_publish(test, x->in, obj_alloc(test, x->t.a, 1));
}

static void who_holds_too_much_is_passed_over(struct kunit *test)
{
	struct topic x = topic_of(test, of_pages(test));
	struct zcbuf_delivery d[3];

	x.out[0]->queue->max_held = 2;
	fill_topic(test, &x, 3);
	KUNIT_EXPECT_EQ(test, take(x.t.b, &d[0]), 0);
	KUNIT_EXPECT_EQ(test, take(x.t.b, &d[1]), 0);
	KUNIT_EXPECT_EQ(test, take(x.t.b, &d[2]), -EAGAIN);
	KUNIT_EXPECT_EQ(test, listed(x.t.b), 0);
	fill_topic(test, &x, 1);
	KUNIT_EXPECT_EQ(test, listed(x.t.b), 0);
	KUNIT_EXPECT_EQ(test, zcb_channel_release(x.out[0], d[1].handle), 0);
	KUNIT_EXPECT_EQ(test, take(x.t.b, &d[1]), 0);
	KUNIT_EXPECT_EQ(test, d[1].seq, 2);
	KUNIT_EXPECT_EQ(test, d[1].channel, x.in->handle);
}

/* It is not, of what nobody can receive: the end. */
static void the_end_of_who_holds_too_much(struct kunit *test)
{
	struct topic x = topic_of(test, of_pages(test));
	struct zcb_stream_counts n;
	struct zcbuf_delivery d;

	x.out[0]->queue->max_held = 1;
	fill_topic(test, &x, 1);
	KUNIT_EXPECT_EQ(test, take(x.t.b, &d), 0);
	KUNIT_ASSERT_EQ(test, zcb_channel_finalize(x.in, &n), 0);
	KUNIT_EXPECT_EQ(test, take(x.t.b, &d), 0);
	KUNIT_EXPECT_EQ(test, d.handle, 0);
	KUNIT_EXPECT_EQ(test, take(x.t.b, &d), -ESHUTDOWN);
}

/* ------------------------------------------------------------------------ waiting */

static int receive_any(struct obj_task *t)
{
	struct zcbuf_delivery d;
	u32 done;

	return zcb_ready_receive(t->arg, &d, 1, ZCBUF_NO_DEADLINE, &done);
}

static void wait_for_any(struct kunit *test, struct lines *l,
			 struct obj_task *t)
{
	t->call = receive_any;
	t->arg = l->to;
	obj_start(test, t, &l->to->ready.wq);
	KUNIT_EXPECT_FALSE(test, completion_done(&t->done));
}

static void a_delivery_ends_the_wait(struct kunit *test)
{
	struct obj_task t;
	struct lines l;

	make(test, &l);
	wait_for_any(test, &l, &t);
	obj_send(test, l.in[3], 1);
	KUNIT_EXPECT_EQ(test, obj_join(&t), 0);
}

static void an_end_ends_the_wait(struct kunit *test)
{
	struct obj_task t;
	struct lines l;

	make(test, &l);
	wait_for_any(test, &l, &t);
	finalize(test, &l, 1);
	KUNIT_EXPECT_EQ(test, obj_join(&t), 0);
}

static void the_last_port_ends_the_wait(struct kunit *test)
{
	struct obj_task t;
	struct lines l;
	u32 i;

	make(test, &l);
	wait_for_any(test, &l, &t);
	for (i = 0; i < LINES; i++)
		zcb_channel_close(l.to, l.out[i]->handle, 0);
	KUNIT_EXPECT_EQ(test, obj_join(&t), -EPERM);
}

static u32 sleepers(wait_queue_head_t *wq)
{
	guard(spinlock_irqsave)(&wq->lock);
	return list_count_nodes(&wq->head);
}

static void wait_with(struct kunit *test, struct lines *l, struct obj_task *t,
		      u32 n)
{
	u32 i;

	for (i = 0; i < n; i++) {
		wait_for_any(test, l, &t[i]);
		while (sleepers(&l->to->ready.wq) != i + 1)
			schedule_timeout_uninterruptible(1);
	}
}

/* Who still waits after one port has come, before any of them has run. */
static u32 left_by_one(struct lines *l, u32 i)
{
	u32 n;

	guard(mutex)(&l->out[i]->channel->lock);
	preempt_disable();
	zcb_ready_add_locked(l->out[i]);
	n = sleepers(&l->to->ready.wq);
	preempt_enable();
	return n;
}

/* Each who is woken leaves the queue by that; nobody else does. */
static void one_is_woken_by_each_port(struct kunit *test)
{
	struct obj_task t[3];
	struct lines l;
	u32 i;

	make(test, &l);
	wait_with(test, &l, t, 3);
	KUNIT_EXPECT_EQ(test, left_by_one(&l, 0), 2);
	for (i = 0; i < 3; i++)
		obj_send(test, l.in[i], 1);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, obj_join(&t[i]), 0);
}

/* What it returns, but not for the signal that it would get otherwise. */
static int join_woken(struct kunit *test, struct obj_task *t)
{
	u32 i;

	for (i = 0; i < OBJ_PATIENCE && !completion_done(&t->done); i++)
		schedule_timeout_uninterruptible(1);
	KUNIT_EXPECT_TRUE(test, completion_done(&t->done));
	return obj_join(t);
}

/* One port comes, with something for all of them: each wakes the next. */
static void who_was_woken_wakes_the_next(struct kunit *test)
{
	struct obj_task t[3];
	struct lines l;
	u32 i;

	begin(test, &l);
	open_line(test, &l, 0);
	wait_with(test, &l, t, 3);
	l.in[1] = obj_channel(test, l.from, &l.cfg, ZCBUF_PORT_PRODUCE);
	for (i = 0; i < 3; i++)
		obj_send(test, l.in[1], 1);
	l.out[1] = obj_attach(test, l.to, l.in[1]->handle, ZCBUF_PORT_CONSUME);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, join_woken(test, &t[i]), 0);
	expect_nothing(test, &l, -EAGAIN);
}

static void the_end_of_all_wakes_all(struct kunit *test)
{
	struct obj_task t[2];
	struct lines l;

	begin(test, &l);
	open_line(test, &l, 0);
	wait_with(test, &l, t, 2);
	finalize(test, &l, 0);
	KUNIT_EXPECT_EQ(test, join_woken(test, &t[0]) +
			join_woken(test, &t[1]), -ESHUTDOWN);
}

static void time_runs_out(struct kunit *test)
{
	struct zcbuf_delivery d;
	struct lines l;
	u32 done;

	make(test, &l);
	KUNIT_EXPECT_EQ(test, zcb_ready_receive(l.to, &d, 1, 1, &done),
			-ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, sleepers(&l.to->ready.wq), 0);
	obj_send(test, l.in[0], 1);
	KUNIT_EXPECT_EQ(test, zcb_ready_receive(l.to, &d, 1, 1, &done), 0);
}

static void who_must_not_sleep(struct kunit *test)
{
	struct zcbuf_delivery d[2];
	struct lines l;
	u32 done;

	make(test, &l);
	KUNIT_EXPECT_EQ(test, zcb_ready_receive_nowait(l.to, d, 2, &done),
			-EAGAIN);
	obj_send(test, l.in[0], 1);
	obj_send(test, l.in[1], 2);
	mutex_lock(&l.out[0]->channel->lock);
	KUNIT_EXPECT_EQ(test, zcb_ready_receive_nowait(l.to, d, 2, &done),
			-ZCB_ESLEEP);
	KUNIT_EXPECT_EQ(test, done, 0);
	KUNIT_EXPECT_EQ(test, zcb_ready_receive_nowait(l.to, d, 2, &done),
			-EAGAIN);
	KUNIT_EXPECT_EQ(test, done, 1);
	KUNIT_EXPECT_EQ(test, d[0].length, 2);
	mutex_unlock(&l.out[0]->channel->lock);
	KUNIT_EXPECT_EQ(test, zcb_ready_receive_nowait(l.to, d, 1, &done), 0);
	KUNIT_EXPECT_EQ(test, d[0].length, 1);
}

/* --------------------------------------------------------------------------- poll */

static void poll_looks_at_what_is_ready(struct kunit *test)
{
	const __poll_t in = EPOLLIN | EPOLLRDNORM;
	struct lines l;
	__poll_t mask;
	u32 i;

	make(test, &l);
	KUNIT_EXPECT_FALSE(test, zcb_ready_poll(l.to, &mask));
	expect_nothing(test, &l, -EAGAIN);
	KUNIT_EXPECT_TRUE(test, zcb_ready_poll(l.to, &mask));
	KUNIT_EXPECT_EQ(test, mask, 0);
	obj_send(test, l.in[0], 1);
	obj_send(test, l.in[1], 1);
	obj_receive(test, l.out[0]);
	KUNIT_EXPECT_EQ(test, polled(l.to), in);
	KUNIT_EXPECT_EQ(test, listed(l.to), 1);
	expect_of(test, &l, 1, 1);
	KUNIT_EXPECT_EQ(test, polled(l.to), 0);
	for (i = 0; i < LINES; i++) {
		KUNIT_EXPECT_EQ(test, polled(l.to), 0);
		finalize(test, &l, i);
		KUNIT_EXPECT_EQ(test, polled(l.to), in);
		expect_end(test, &l, i);
	}
	KUNIT_EXPECT_EQ(test, polled(l.to), EPOLLHUP);
	for (i = 0; i < LINES; i++)
		zcb_channel_close(l.to, l.out[i]->handle, 0);
	KUNIT_EXPECT_EQ(test, polled(l.to), 0);
}

static void poll_is_not_all_with_failure_ports(struct kunit *test)
{
	struct lines l;
	__poll_t mask;

	make(test, &l);
	expect_nothing(test, &l, -EAGAIN);
	obj_attach(test, l.to, l.in[0]->handle, ZCBUF_PORT_RECV_FAILED);
	KUNIT_EXPECT_FALSE(test, zcb_ready_poll(l.to, &mask));
	zcb_channel_close(l.to, l.in[0]->handle, ZCBUF_PORT_RECV_FAILED);
	KUNIT_EXPECT_TRUE(test, zcb_ready_poll(l.to, &mask));
}

/* As who polls finds it who was about to look when it was closed. */
static void one_that_was_closed_has_nothing(struct kunit *test)
{
	struct topic x = topic_of(test, of_pages(test));
	struct zcb_port *port = x.out[0];
	struct zcb_session *s = port->session;
	struct zcbuf_delivery d;
	u32 done;

	KUNIT_EXPECT_EQ(test, zcb_ready_receive(s, &d, 1, 0, &done), -EAGAIN);
	obj_publish(test, x.in, obj_alloc(test, x.in->session, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, polled(s), EPOLLIN | EPOLLRDNORM);
	zcb_channel_close(s, port->handle, ZCBUF_PORT_CONSUME);
	list_add(&port->in_ready, &s->ready.ports);
	KUNIT_EXPECT_EQ(test, polled(s), 0);
	KUNIT_EXPECT_EQ(test, listed(s), 0);
}

static struct kunit_case ready_cases[] = {
	KUNIT_CASE(ports_take_turns),
	KUNIT_CASE(who_comes_later_waits_its_turn),
	KUNIT_CASE(a_batch_is_of_all),
	KUNIT_CASE(taken_elsewhere),
	KUNIT_CASE(what_was_there_before_the_port),
	KUNIT_CASE(what_others_leave),
	KUNIT_CASE(an_end_is_told_once),
	KUNIT_CASE(the_end_of_a_stream_that_has_ended),
	KUNIT_CASE(by_channel_the_end_is_said_at_will),
	KUNIT_CASE(an_end_that_was_not_told),
	KUNIT_CASE(what_was_told_goes_with_the_port),
	KUNIT_CASE(closed_meanwhile),
	KUNIT_CASE(who_leaves_is_told_nothing),
	KUNIT_CASE(who_holds_too_much_is_passed_over),
	KUNIT_CASE(the_end_of_who_holds_too_much),
	KUNIT_CASE(a_delivery_ends_the_wait),
	KUNIT_CASE(an_end_ends_the_wait),
	KUNIT_CASE(the_last_port_ends_the_wait),
	KUNIT_CASE(one_is_woken_by_each_port),
	KUNIT_CASE(who_was_woken_wakes_the_next),
	KUNIT_CASE(the_end_of_all_wakes_all),
	KUNIT_CASE(time_runs_out),
	KUNIT_CASE(who_must_not_sleep),
	KUNIT_CASE(poll_looks_at_what_is_ready),
	KUNIT_CASE(poll_is_not_all_with_failure_ports),
	KUNIT_CASE(one_that_was_closed_has_nothing),
	{}
};

static struct kunit_suite ready_suite = {
	.name = "zcb_ready",
	.suite_init = obj_suite_init,
	.suite_exit = obj_suite_exit,
	.init = obj_init,
	.test_cases = ready_cases,
};

kunit_test_suite(ready_suite);
