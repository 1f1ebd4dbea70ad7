// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sessions die in every state there is. Whatever they had goes back or goes to
 * the others, who are told; whoever is left goes on.
 */
#include "obj_rig.h"

/**
 * struct scene - a channel, who dies and who sees it
 * @pool: the pool
 * @cfg: of the channel
 * @victim: the session that dies
 * @other: the session that does not
 * @theirs: ports of @victim, without a reference
 * @ours: ports of @other
 */
struct scene {
	struct zcb_pool *pool;
	struct zcb_channel_config cfg;
	struct zcb_session *victim;
	struct zcb_session *other;
	struct zcb_port *theirs;
	struct zcb_port *ours;
};

/* A call that is running would keep a port; here none is. */
static struct zcb_port *open_port(struct kunit *test, struct zcb_session *s,
				  u64 handle, u32 kinds, u32 depth)
{
	struct zcb_port *port;
	u32 added;

	KUNIT_ASSERT_EQ(test, obj_open(s, handle, NULL, kinds, depth, &port,
				       &added), 0);
	zcb_port_put(port);
	return port;
}

static void begin(struct kunit *test, struct scene *x)
{
	x->pool = obj_pool(test);
	x->cfg = obj_config(x->pool);
	x->other = obj_session(test, x->pool);
	x->victim = obj_session(test, x->pool);
}

static void open_both(struct kunit *test, struct scene *x, u32 ours, u32 theirs)
{
	x->ours = obj_channel(test, x->other, &x->cfg, ours);
	x->theirs = open_port(test, x->victim, x->ours->handle, theirs, 0);
}

static void make(struct kunit *test, struct scene *x, u32 ours, u32 theirs)
{
	begin(test, x);
	open_both(test, x, ours, theirs);
}

static void kill_it(struct kunit *test, struct scene *x)
{
	obj_close(test, x->victim);
	x->victim = NULL;
	x->theirs = NULL;
}

/* The other one goes as well: nothing is left. */
static void end_all(struct kunit *test, struct scene *x)
{
	obj_drop_port(test, x->ours);
	obj_close(test, x->other);
	KUNIT_EXPECT_EQ(test, obj_used(test, x->pool), 0);
	KUNIT_EXPECT_EQ(test, x->pool->channels.live, 0);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), OBJ_ARENA);
}

static void expect_delivery(struct kunit *test, struct zcb_port *port,
			    u64 length)
{
	struct zcbuf_delivery d = obj_receive(test, port);

	KUNIT_EXPECT_EQ(test, d.length, length);
	KUNIT_EXPECT_EQ(test, zcb_channel_release(port, d.handle), 0);
}

static void expect_failure(struct kunit *test, struct zcb_port *port,
			   u32 pieces, u32 lost)
{
	struct zcb_failed_group f;

	KUNIT_ASSERT_EQ(test, zcb_channel_receive_failed(port, &f, 99, 99, 0),
			0);
	KUNIT_EXPECT_EQ(test, f.npieces, pieces);
	KUNIT_EXPECT_EQ(test, f.nlost, lost);
	zcb_failed_group_free(&f);
	KUNIT_EXPECT_EQ(test, zcb_channel_release(port, f.delivery.handle), 0);
}

/* ---------------------------------------------------------------- producers */

static void with_a_reservation_in_the_open_group(struct kunit *test)
{
	struct eventfd_ctx *told = obj_eventfd(test);
	struct scene x;
	int seen;

	begin(test, &x);
	x.cfg.stream.threshold = PAGE_SIZE;
	open_both(test, &x, OBJ_PORTS, ZCBUF_PORT_PRODUCE);
	zcb_port_eventfd(x.ours, true, false, told);
	obj_send(test, x.ours, 10);
	obj_reserve(test, x.theirs, 20);
	obj_send(test, x.ours, 30);
	kill_it(test, &x);
	KUNIT_EXPECT_EQ(test, told->count, 0);
	seen = atomic_read(&x.other->event_seq);
	obj_send(test, x.ours, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, told->count, 1);
	KUNIT_EXPECT_NE(test, atomic_read(&x.other->event_seq), seen);
	expect_failure(test, x.ours, 3, 1);
	KUNIT_EXPECT_EQ(test, obj_used(test, x.pool), 0);
	end_all(test, &x);
}

static void with_a_reservation_in_a_sealed_group(struct kunit *test)
{
	struct eventfd_ctx *told = obj_eventfd(test);
	struct scene x;

	make(test, &x, OBJ_PORTS, ZCBUF_PORT_PRODUCE);
	zcb_port_eventfd(x.ours, true, false, told);
	obj_reserve(test, x.theirs, 20);
	obj_reserve(test, x.theirs, 3 * PAGE_SIZE);
	kill_it(test, &x);
	KUNIT_EXPECT_EQ(test, told->count, 2);
	expect_failure(test, x.ours, 0, 1);
	expect_failure(test, x.ours, 0, 1);
	KUNIT_EXPECT_EQ(test, obj_used(test, x.pool), 0);
	end_all(test, &x);
}

static void with_a_window(struct kunit *test)
{
	struct zcbuf_reservation r = { .length = 9 * PAGE_SIZE };
	struct scene x;

	make(test, &x, OBJ_PORTS, ZCBUF_PORT_PRODUCE);
	KUNIT_ASSERT_EQ(test, obj_channel_reserve(x.theirs, &r,
						  ZCBUF_RESERVE_F_WINDOW, 0),
			0);
	kill_it(test, &x);
	expect_failure(test, x.ours, 0, 1);
	end_all(test, &x);
}

/* What was committed is the stream's, whoever wrote it. */
static void with_what_it_has_committed(struct kunit *test)
{
	struct zcbuf_reservation r;
	struct scene x;

	begin(test, &x);
	x.cfg.stream.threshold = 100;
	open_both(test, &x, OBJ_PORTS, ZCBUF_PORT_PRODUCE);
	obj_send(test, x.theirs, 50);
	r = obj_reserve(test, x.ours, 50);
	obj_send(test, x.theirs, 200);
	kill_it(test, &x);
	KUNIT_EXPECT_EQ(test, obj_commit(x.ours, &r), 0);
	expect_delivery(test, x.ours, 200);
	expect_delivery(test, x.ours, 100);
	end_all(test, &x);
}

static void with_failures_of_its_own(struct kunit *test)
{
	struct scene x;

	make(test, &x, OBJ_PORTS, ZCBUF_PORT_PRODUCE);
	obj_fail(test, x.theirs, 10);
	kill_it(test, &x);
	expect_failure(test, x.ours, 0, 1);
	end_all(test, &x);
}

/* It stores nowhere any more, so nobody waits for its answer. */
static void with_stragglers(struct kunit *test)
{
	struct zcb_stream_counts n;
	struct scene x;

	make(test, &x, OBJ_PORTS, ZCBUF_PORT_PRODUCE);
	obj_reserve(test, x.theirs, 10);
	obj_reserve(test, x.theirs, 10);
	zcb_channel_finalize(x.ours, &n);
	KUNIT_EXPECT_EQ(test, n.reservations, 2);
	expect_failure(test, x.ours, 0, 1);
	KUNIT_EXPECT_EQ(test, obj_used(test, x.pool), 2 * PAGE_SIZE);
	kill_it(test, &x);
	KUNIT_EXPECT_EQ(test, obj_used(test, x.pool), PAGE_SIZE);
	expect_failure(test, x.ours, 0, 1);
	KUNIT_EXPECT_EQ(test, obj_used(test, x.pool), 0);
	end_all(test, &x);
}

static void with_failures_that_are_withheld(struct kunit *test)
{
	struct zcb_failed_group f;
	struct zcb_stream_counts n;
	struct scene x;

	begin(test, &x);
	x.cfg.flags = ZCBUF_CHANNEL_F_HOLD_FAILED;
	x.cfg.stream.hold_failed = true;
	open_both(test, &x, OBJ_PORTS, ZCBUF_PORT_PRODUCE);
	obj_reserve(test, x.theirs, 10);
	kill_it(test, &x);
	KUNIT_EXPECT_EQ(test, zcb_channel_receive_failed(x.ours, &f, 9, 9, 0),
			-EAGAIN);
	zcb_channel_finalize(x.ours, &n);
	KUNIT_EXPECT_EQ(test, n.failure, 1);
	expect_failure(test, x.ours, 0, 1);
	end_all(test, &x);
}

static void the_last_producer(struct kunit *test)
{
	struct eventfd_ctx *success = obj_eventfd(test);
	struct eventfd_ctx *failure = obj_eventfd(test);
	struct zcbuf_delivery d;
	struct scene x;

	begin(test, &x);
	x.cfg.stream.threshold = PAGE_SIZE;
	open_both(test, &x, ZCBUF_PORT_CONSUME | ZCBUF_PORT_RECV_FAILED,
		  ZCBUF_PORT_PRODUCE);
	zcb_port_eventfd(x.ours, false, false, success);
	zcb_port_eventfd(x.ours, true, false, failure);
	obj_send(test, x.theirs, 30);
	kill_it(test, &x);
	KUNIT_EXPECT_EQ(test, success->count, 1);
	KUNIT_EXPECT_EQ(test, failure->count, 1);
	expect_delivery(test, x.ours, 30);
	KUNIT_EXPECT_EQ(test, success->count, 2);
	KUNIT_EXPECT_EQ(test, obj_try_receive(x.ours, &d), -ESHUTDOWN);
	end_all(test, &x);
}

static void the_last_producer_of_a_kept_channel(struct kunit *test)
{
	struct zcbuf_delivery d;
	struct scene x;

	begin(test, &x);
	x.cfg.flags = ZCBUF_CHANNEL_F_NO_AUTO_FINALIZE;
	x.cfg.stream.threshold = PAGE_SIZE;
	open_both(test, &x, ZCBUF_PORT_CONSUME | ZCBUF_PORT_RECV_FAILED,
		  ZCBUF_PORT_PRODUCE);
	obj_send(test, x.theirs, 30);
	kill_it(test, &x);
	expect_delivery(test, x.ours, 30);
	KUNIT_EXPECT_EQ(test, obj_try_receive(x.ours, &d), -EAGAIN);
	open_port(test, x.other, x.ours->handle, ZCBUF_PORT_PRODUCE, 0);
	obj_send(test, x.ours, PAGE_SIZE);
	expect_delivery(test, x.ours, PAGE_SIZE);
	end_all(test, &x);
}

/* ---------------------------------------------------------------- consumers */

static void with_a_queue(struct kunit *test)
{
	struct eventfd_ctx *told = obj_eventfd(test);
	struct scene x;
	u32 i;

	make(test, &x, ZCBUF_PORT_PRODUCE, ZCBUF_PORT_CONSUME);
	for (i = 0; i < 3; i++)
		obj_send(test, x.ours, i + 1);
	open_port(test, x.other, x.ours->handle, ZCBUF_PORT_CONSUME, 0);
	zcb_port_eventfd(x.ours, false, false, told);
	kill_it(test, &x);
	KUNIT_EXPECT_EQ(test, told->count, 3);
	for (i = 0; i < 3; i++)
		expect_delivery(test, x.ours, i + 1);
	end_all(test, &x);
}

/* Turns are taken: 1 and 3 are the victim's, 2 and 4 are not. */
static void what_is_inherited_keeps_its_place(struct kunit *test)
{
	struct scene x;
	u32 i;

	make(test, &x, ZCBUF_PORT_PRODUCE, ZCBUF_PORT_CONSUME);
	open_port(test, x.other, x.ours->handle, ZCBUF_PORT_CONSUME, 0);
	for (i = 0; i < 4; i++)
		obj_send(test, x.ours, i + 1);
	KUNIT_EXPECT_EQ(test, x.theirs->consumer.queued, 2);
	kill_it(test, &x);
	for (i = 0; i < 4; i++)
		expect_delivery(test, x.ours, i + 1);
	end_all(test, &x);
}

static void with_deliveries_in_hand(struct kunit *test)
{
	struct zcbuf_delivery d;
	struct scene x;

	make(test, &x, ZCBUF_PORT_PRODUCE, ZCBUF_PORT_CONSUME);
	obj_send(test, x.ours, 10);
	obj_send(test, x.ours, 10);
	d = obj_receive(test, x.theirs);
	obj_receive(test, x.theirs);
	KUNIT_EXPECT_EQ(test, obj_used(test, x.pool), 2 * PAGE_SIZE);
	open_port(test, x.other, x.ours->handle, ZCBUF_PORT_CONSUME, 0);
	KUNIT_EXPECT_EQ(test, zcb_channel_release(x.ours, d.handle), -EPERM);
	kill_it(test, &x);
	KUNIT_EXPECT_EQ(test, obj_used(test, x.pool), 0);
	KUNIT_EXPECT_EQ(test, zcb_channel_release(x.ours, d.handle), -EBADSLT);
	KUNIT_EXPECT_EQ(test, obj_try_receive(x.ours, &d), -EAGAIN);
	end_all(test, &x);
}

/* Whoever comes next finds all of it. */
static void the_last_consumer(struct kunit *test)
{
	struct scene x;
	u32 i;

	make(test, &x, ZCBUF_PORT_PRODUCE, ZCBUF_PORT_CONSUME);
	obj_send(test, x.ours, 1);
	obj_send(test, x.ours, 2);
	kill_it(test, &x);
	obj_send(test, x.ours, 3);
	KUNIT_EXPECT_EQ(test, obj_channel_stat(test, x.pool).parked, 3);
	open_port(test, x.other, x.ours->handle, ZCBUF_PORT_CONSUME, 2);
	for (i = 0; i < 3; i++)
		expect_delivery(test, x.ours, i + 1);
	end_all(test, &x);
}

static void with_a_full_queue_and_more_parked(struct kunit *test)
{
	struct scene x;
	u32 i;

	begin(test, &x);
	x.ours = obj_channel(test, x.other, &x.cfg, ZCBUF_PORT_PRODUCE);
	x.theirs = open_port(test, x.victim, x.ours->handle, ZCBUF_PORT_CONSUME,
			     2);
	for (i = 0; i < 6; i++)
		obj_send(test, x.ours, i + 1);
	kill_it(test, &x);
	open_port(test, x.other, x.ours->handle, ZCBUF_PORT_CONSUME, 1);
	for (i = 0; i < 6; i++)
		expect_delivery(test, x.ours, i + 1);
	end_all(test, &x);
}

static void with_a_failed_group_in_hand(struct kunit *test)
{
	struct scene x;

	make(test, &x, ZCBUF_PORT_PRODUCE | ZCBUF_PORT_RECV_FAILED,
	     ZCBUF_PORT_RECV_FAILED);
	obj_fail(test, x.ours, 10);
	obj_fail(test, x.ours, 20);
	obj_receive_failed(test, x.theirs);
	kill_it(test, &x);
	KUNIT_EXPECT_EQ(test, obj_used(test, x.pool), PAGE_SIZE);
	expect_failure(test, x.ours, 0, 1);
	end_all(test, &x);
}

/* Failed groups are kept for whoever asks, as long as the channel is there. */
static void the_last_failure_port(struct kunit *test)
{
	struct scene x;

	make(test, &x, ZCBUF_PORT_PRODUCE, ZCBUF_PORT_RECV_FAILED);
	obj_fail(test, x.ours, 10);
	kill_it(test, &x);
	obj_fail(test, x.ours, 10);
	open_port(test, x.other, x.ours->handle, ZCBUF_PORT_RECV_FAILED, 0);
	expect_failure(test, x.ours, 0, 1);
	expect_failure(test, x.ours, 0, 1);
	end_all(test, &x);
}

/* ------------------------------------------------------------------ both */

static void the_only_session(struct kunit *test)
{
	struct zcb_stream_counts n;
	struct zcb_port *port;
	struct scene x;
	u32 i;

	begin(test, &x);
	x.cfg.stream.threshold = PAGE_SIZE;
	port = obj_channel(test, x.other, &x.cfg, OBJ_PORTS);
	for (i = 0; i < 5; i++)
		obj_send(test, port, PAGE_SIZE);
	obj_receive(test, port);
	obj_fail(test, port, PAGE_SIZE);
	obj_fail(test, port, PAGE_SIZE);
	obj_receive_failed(test, port);
	obj_reserve(test, port, PAGE_SIZE);
	obj_send(test, port, 10);
	obj_reserve(test, port, 10);
	obj_alloc(test, x.other, 5 * PAGE_SIZE);
	x.ours = port;
	end_all(test, &x);

	x.other = obj_session(test, x.pool);
	x.ours = obj_channel(test, x.other, &x.cfg, OBJ_PORTS);
	obj_reserve(test, x.ours, PAGE_SIZE);
	obj_reserve(test, x.ours, 10);
	zcb_channel_finalize(x.ours, &n);
	obj_receive_failed(test, x.ours);
	end_all(test, &x);
}

/* Ordered streams keep what is complete until it is its turn. */
static void with_the_turn_of_an_ordered_stream(struct kunit *test)
{
	struct zcbuf_delivery d;
	struct scene x;

	begin(test, &x);
	x.cfg.flags = ZCBUF_CHANNEL_F_ORDERED;
	x.cfg.stream.ordered = true;
	open_both(test, &x, OBJ_PORTS, ZCBUF_PORT_PRODUCE);
	obj_reserve(test, x.theirs, 10);
	obj_send(test, x.ours, 20);
	KUNIT_EXPECT_EQ(test, obj_try_receive(x.ours, &d), -EAGAIN);
	kill_it(test, &x);
	expect_delivery(test, x.ours, 20);
	expect_failure(test, x.ours, 0, 1);
	end_all(test, &x);
}

static void several_channels(struct kunit *test)
{
	struct zcb_port *port[3];
	struct zcb_session *dies;
	struct scene x;
	u32 i;

	begin(test, &x);
	dies = x.victim;
	for (i = 0; i < 3; i++) {
		port[i] = obj_channel(test, x.other, &x.cfg, OBJ_PORTS);
		obj_reserve(test, open_port(test, dies, port[i]->handle,
					    ZCBUF_PORT_PRODUCE, 0), 10);
	}
	kill_it(test, &x);
	for (i = 0; i < 3; i++) {
		expect_failure(test, port[i], 0, 1);
		obj_send(test, port[i], 10);
		expect_delivery(test, port[i], 10);
		KUNIT_EXPECT_EQ(test, port[i]->channel->producers, 1);
	}
}

static struct kunit_case death_cases[] = {
	KUNIT_CASE(with_a_reservation_in_the_open_group),
	KUNIT_CASE(with_a_reservation_in_a_sealed_group),
	KUNIT_CASE(with_a_window),
	KUNIT_CASE(with_what_it_has_committed),
	KUNIT_CASE(with_failures_of_its_own),
	KUNIT_CASE(with_stragglers),
	KUNIT_CASE(with_failures_that_are_withheld),
	KUNIT_CASE(the_last_producer),
	KUNIT_CASE(the_last_producer_of_a_kept_channel),
	KUNIT_CASE(with_a_queue),
	KUNIT_CASE(what_is_inherited_keeps_its_place),
	KUNIT_CASE(with_deliveries_in_hand),
	KUNIT_CASE(the_last_consumer),
	KUNIT_CASE(with_a_full_queue_and_more_parked),
	KUNIT_CASE(with_a_failed_group_in_hand),
	KUNIT_CASE(the_last_failure_port),
	KUNIT_CASE(the_only_session),
	KUNIT_CASE(with_the_turn_of_an_ordered_stream),
	KUNIT_CASE(several_channels),
	{}
};

static struct kunit_suite death_suite = {
	.name = "zcb_death",
	.suite_init = obj_suite_init,
	.suite_exit = obj_suite_exit,
	.init = obj_init,
	.test_cases = death_cases,
};

kunit_test_suite(death_suite);
