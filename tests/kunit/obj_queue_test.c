// SPDX-License-Identifier: GPL-2.0-only
/*
 * The consumer's side of channels: what is received and released, who is told
 * of it, and what poll() says.
 */
#include <linux/poll.h>

#include "obj_rig.h"

/**
 * struct line - a producer and a consumer, in sessions of their own
 * @pool: the pool
 * @cfg: of the channel
 * @from: the producer's session
 * @to: the consumer's session
 * @in: the producer's port
 * @out: the consumer's port, of both queues
 */
struct line {
	struct zcb_pool *pool;
	struct zcb_channel_config cfg;
	struct zcb_session *from;
	struct zcb_session *to;
	struct zcb_port *in;
	struct zcb_port *out;
};

static void begin(struct kunit *test, struct line *l)
{
	l->pool = obj_pool(test);
	l->cfg = obj_config(l->pool);
	l->from = obj_session(test, l->pool);
	l->to = obj_session(test, l->pool);
}

/* A queue of @depth, 0: the default. */
static void open_depth(struct kunit *test, struct line *l, u32 depth)
{
	u32 added;

	l->in = obj_channel(test, l->from, &l->cfg, ZCBUF_PORT_PRODUCE);
	KUNIT_ASSERT_EQ(test, obj_open(l->to, l->in->handle, NULL,
				       ZCBUF_PORT_CONSUME |
				       ZCBUF_PORT_RECV_FAILED, depth, &l->out,
				       &added), 0);
	obj_keep_port(test, l->out);
}

static void make(struct kunit *test, struct line *l)
{
	begin(test, l);
	open_depth(test, l, 0);
}

static int events(const struct zcb_session *s)
{
	return atomic_read(&s->event_seq);
}

static int release(struct zcb_port *port, const struct zcbuf_delivery *d)
{
	return zcb_channel_release(port, d->handle);
}

static u64 bad_frees(struct kunit *test, struct line *l)
{
	return obj_pool_stat(test, l->pool)->bad_frees;
}

static void finalize(struct kunit *test, struct line *l)
{
	struct zcb_stream_counts n;

	KUNIT_ASSERT_EQ(test, zcb_channel_finalize(l->in, &n), 0);
}

/* ------------------------------------------------------- receive, release */

static void a_delivery_says_what_it_is(struct kunit *test)
{
	struct zcbuf_reservation r;
	struct zcbuf_delivery d;
	struct line l;

	make(test, &l);
	obj_send(test, l.in, 7);
	r = obj_reserve(test, l.in, 100);
	obj_fill(l.pool, r.out_pool_offset, 100, 0x61);
	KUNIT_EXPECT_EQ(test, obj_commit(l.in, &r), 0);
	obj_receive(test, l.out);
	d = obj_receive(test, l.out);
	KUNIT_EXPECT_NE(test, d.handle, 0);
	KUNIT_EXPECT_EQ(test, d.group, 1);
	KUNIT_EXPECT_EQ(test, d.offset, 7);
	KUNIT_EXPECT_EQ(test, d.length, 100);
	KUNIT_EXPECT_EQ(test, d.seq, 1);
	KUNIT_EXPECT_NE(test, d.time_ns, 0);
	KUNIT_EXPECT_EQ(test, d.nrecords, 1);
	KUNIT_EXPECT_EQ(test, d.nextents, 1);
	KUNIT_EXPECT_EQ(test, d.extents[0].pool_offset, r.out_pool_offset);
	KUNIT_EXPECT_EQ(test, d.extents[0].length, 100);
	KUNIT_EXPECT_EQ(test, d.extents[1].length, 0);
	KUNIT_EXPECT_TRUE(test, obj_is(l.pool, d.extents[0].pool_offset, 100,
				       0x61));
}

static void a_large_reservation_is_an_extent_of_its_own(struct kunit *test)
{
	struct zcbuf_reservation r;
	struct zcbuf_delivery d;
	struct line l;

	begin(test, &l);
	l.cfg.stream.threshold = PAGE_SIZE;
	open_depth(test, &l, 0);
	obj_send(test, l.in, 100);
	r = obj_send(test, l.in, 8 * PAGE_SIZE);
	d = obj_receive(test, l.out);
	KUNIT_EXPECT_EQ(test, d.nextents, 2);
	KUNIT_EXPECT_EQ(test, d.extents[0].length, 100);
	KUNIT_EXPECT_EQ(test, d.extents[1].length, 8 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, d.extents[1].pool_offset, r.out_pool_offset);
	KUNIT_EXPECT_EQ(test, d.length, 100 + 8 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, d.nrecords, 2);
	KUNIT_EXPECT_EQ(test, release(l.out, &d), 0);
	KUNIT_EXPECT_EQ(test, obj_used(test, l.pool), 0);
}

static void several_at_a_time(struct kunit *test)
{
	struct zcbuf_delivery *d;
	struct line l;
	u32 i, done;

	make(test, &l);
	d = kunit_kcalloc(test, 4, sizeof(*d), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, d);
	for (i = 0; i < 6; i++)
		obj_send(test, l.in, i + 1);
	KUNIT_EXPECT_EQ(test, zcb_channel_receive(l.out, d, 4, 0, &done), 0);
	KUNIT_EXPECT_EQ(test, done, 4);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, d[i].length, i + 1);
	/* Only for the first it would have waited. */
	KUNIT_EXPECT_EQ(test, zcb_channel_receive(l.out, d, 4, 1, &done),
			-EAGAIN);
	KUNIT_EXPECT_EQ(test, done, 2);
	KUNIT_EXPECT_EQ(test, d[1].length, 6);
	KUNIT_EXPECT_EQ(test, zcb_channel_receive(l.out, d, 4, 0, &done),
			-EAGAIN);
	KUNIT_EXPECT_EQ(test, done, 0);
}

static void the_end_comes_after_the_last(struct kunit *test)
{
	struct zcbuf_delivery d;
	struct line l;

	make(test, &l);
	obj_send(test, l.in, 10);
	finalize(test, &l);
	KUNIT_EXPECT_EQ(test, obj_receive(test, l.out).length, 10);
	KUNIT_EXPECT_EQ(test, obj_try_receive(l.out, &d), -ESHUTDOWN);
	KUNIT_EXPECT_EQ(test, obj_try_receive(l.out, &d), -ESHUTDOWN);
}

static void who_does_not_consume(struct kunit *test)
{
	struct zcb_failed_group f;
	struct zcbuf_delivery d;
	struct zcb_port *port;
	struct line l;

	make(test, &l);
	obj_send(test, l.in, 10);
	obj_fail(test, l.in, 10);
	KUNIT_EXPECT_EQ(test, obj_try_receive(l.in, &d), -EPERM);
	KUNIT_EXPECT_EQ(test, zcb_channel_receive_failed(l.in, &f, 9, 9, 0),
			-EPERM);
	d = obj_receive(test, l.out);
	KUNIT_EXPECT_EQ(test, release(l.in, &d), -EPERM);
	port = obj_attach(test, l.from, l.in->handle, ZCBUF_PORT_CONSUME);
	KUNIT_EXPECT_EQ(test, release(port, &d), -EPERM);
	KUNIT_EXPECT_EQ(test, release(l.out, &d), 0);
}

static void releasing_gives_memory_back(struct kunit *test)
{
	struct zcbuf_delivery d;
	struct line l;
	int seen;

	make(test, &l);
	obj_send(test, l.in, 3 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, obj_used(test, l.pool), 3 * PAGE_SIZE);
	d = obj_receive(test, l.out);
	seen = atomic_read(&l.pool->space_seq);
	KUNIT_EXPECT_EQ(test, release(l.out, &d), 0);
	KUNIT_EXPECT_EQ(test, obj_used(test, l.pool), 0);
	KUNIT_EXPECT_NE(test, atomic_read(&l.pool->space_seq), seen);
}

static void bad_releases_are_counted(struct kunit *test)
{
	struct zcbuf_delivery d;
	struct line l;

	make(test, &l);
	obj_send(test, l.in, 10);
	obj_send(test, l.in, 10);
	d = obj_receive(test, l.out);
	KUNIT_EXPECT_EQ(test, zcb_channel_release(l.out, 0), -ENOENT);
	KUNIT_EXPECT_EQ(test, zcb_channel_release(l.out, d.group), -ENOENT);
	KUNIT_EXPECT_EQ(test, zcb_channel_release(l.out, l.out->handle),
			-ENOENT);
	KUNIT_EXPECT_EQ(test, zcb_channel_release(l.out, d.handle + 1),
			-ENOENT);
	KUNIT_EXPECT_EQ(test, zcb_channel_release(l.out, d.handle + 9),
			-ENOENT);
	KUNIT_EXPECT_EQ(test, release(l.out, &d), 0);
	KUNIT_EXPECT_EQ(test, release(l.out, &d), -EBADSLT);
	KUNIT_EXPECT_EQ(test, bad_frees(test, &l), 6);
	KUNIT_EXPECT_EQ(test, obj_receive(test, l.out).group, 1);
}

static void a_full_queue_stalls_nobody(struct kunit *test)
{
	struct line l;
	u32 i;

	begin(test, &l);
	open_depth(test, &l, 2);
	for (i = 0; i < 5; i++)
		obj_send(test, l.in, i + 1);
	KUNIT_EXPECT_EQ(test, obj_channel_stat(test, l.pool).queued, 2);
	KUNIT_EXPECT_EQ(test, obj_channel_stat(test, l.pool).parked, 3);
	for (i = 0; i < 5; i++)
		KUNIT_EXPECT_EQ(test, obj_receive(test, l.out).length, i + 1);
}

/* ------------------------------------------------------------ failed groups */

static void a_failed_group_says_what_is_lost(struct kunit *test)
{
	struct zcbuf_reservation r[3];
	struct zcb_failed_group f;
	struct line l;
	u32 i;

	begin(test, &l);
	l.cfg.stream.threshold = 60;
	open_depth(test, &l, 0);
	for (i = 0; i < 3; i++)
		r[i] = obj_reserve(test, l.in, 20);
	KUNIT_EXPECT_EQ(test, zcb_channel_abort(l.in, 0, 1), 0);
	KUNIT_EXPECT_EQ(test, obj_commit(l.in, &r[2]), 0);
	KUNIT_EXPECT_EQ(test, obj_commit(l.in, &r[0]), 0);
	KUNIT_ASSERT_EQ(test, zcb_channel_receive_failed(l.out, &f, 2, 1, 0),
			0);
	KUNIT_EXPECT_EQ(test, f.delivery.length, 60);
	KUNIT_EXPECT_EQ(test, f.delivery.nrecords, 2);
	KUNIT_ASSERT_EQ(test, f.npieces, 2);
	KUNIT_ASSERT_EQ(test, f.nlost, 1);
	KUNIT_EXPECT_EQ(test, f.lost[0].id, 1);
	KUNIT_EXPECT_EQ(test, f.lost[0].offset, 20);
	KUNIT_EXPECT_EQ(test, f.lost[0].length, 20);
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, f.pieces[i].offset, 40 * i);
		KUNIT_EXPECT_EQ(test, f.pieces[i].length, 20);
		KUNIT_EXPECT_EQ(test, f.pieces[i].pool_offset,
				r[2 * i].out_pool_offset);
	}
	zcb_failed_group_free(&f);
	KUNIT_EXPECT_NULL(test, f.pieces);
	KUNIT_EXPECT_NULL(test, f.lost);
	zcb_failed_group_free(&f);
	KUNIT_EXPECT_EQ(test, release(l.out, &f.delivery), 0);
	KUNIT_EXPECT_EQ(test, obj_used(test, l.pool), 0);
}

static void without_room_it_stays(struct kunit *test)
{
	struct zcbuf_reservation r;
	struct zcb_failed_group f;
	struct line l;

	begin(test, &l);
	l.cfg.stream.threshold = 40;
	open_depth(test, &l, 0);
	r = obj_reserve(test, l.in, 20);
	KUNIT_EXPECT_EQ(test, obj_commit(l.in, &r), 0);
	obj_fail(test, l.in, 20);
	KUNIT_EXPECT_EQ(test, zcb_channel_receive_failed(l.out, &f, 0, 1, 0),
			-EMSGSIZE);
	KUNIT_EXPECT_EQ(test, f.npieces, 1);
	KUNIT_EXPECT_EQ(test, f.nlost, 1);
	KUNIT_EXPECT_NULL(test, f.pieces);
	KUNIT_EXPECT_EQ(test, zcb_channel_receive_failed(l.out, &f, 1, 0, 0),
			-EMSGSIZE);
	KUNIT_EXPECT_EQ(test, zcb_channel_receive_failed(l.out, &f, 1, 1, 0),
			0);
	zcb_failed_group_free(&f);
	KUNIT_EXPECT_EQ(test, zcb_channel_receive_failed(l.out, &f, 1, 1, 0),
			-EAGAIN);
}

/* No piece at all: nothing is allocated for them. */
static void all_of_it_is_lost(struct kunit *test)
{
	struct zcb_failed_group f;
	struct line l;

	make(test, &l);
	obj_fail(test, l.in, 20);
	KUNIT_EXPECT_EQ(test, zcb_channel_receive_failed(l.out, &f, 0, 1, 0),
			0);
	KUNIT_EXPECT_EQ(test, f.npieces, 0);
	KUNIT_EXPECT_EQ(test, f.nlost, 1);
	zcb_failed_group_free(&f);
}

static void a_failed_group_is_taken_once(struct kunit *test)
{
	struct zcb_failed_group f;
	struct zcb_port *other;
	struct line l;

	make(test, &l);
	other = obj_attach(test, l.from, l.in->handle, ZCBUF_PORT_RECV_FAILED);
	obj_fail(test, l.in, 10);
	obj_receive_failed(test, other);
	KUNIT_EXPECT_EQ(test, zcb_channel_receive_failed(l.out, &f, 9, 9, 0),
			-EAGAIN);
	finalize(test, &l);
	KUNIT_EXPECT_EQ(test, zcb_channel_receive_failed(l.out, &f, 9, 9, 0),
			-ESHUTDOWN);
}

/* Ids of both kinds of groups are of one stream. */
static void both_queues_are_released_by_one_call(struct kunit *test)
{
	struct zcbuf_delivery good, bad;
	struct line l;

	make(test, &l);
	obj_send(test, l.in, 10);
	obj_fail(test, l.in, 10);
	good = obj_receive(test, l.out);
	bad = obj_receive_failed(test, l.out);
	KUNIT_EXPECT_EQ(test, bad.seq, 0);
	KUNIT_EXPECT_EQ(test, release(l.out, &bad), 0);
	KUNIT_EXPECT_EQ(test, release(l.out, &bad), -EBADSLT);
	KUNIT_EXPECT_EQ(test, release(l.out, &good), 0);
	KUNIT_EXPECT_EQ(test, bad_frees(test, &l), 1);
}

/* ------------------------------------------------------------------ eventfd */

static void an_eventfd_counts_deliveries(struct kunit *test)
{
	struct eventfd_ctx *success = obj_eventfd(test);
	struct eventfd_ctx *failure = obj_eventfd(test);
	struct line l;

	make(test, &l);
	KUNIT_EXPECT_EQ(test, zcb_port_eventfd(l.out, false, false, success), 0);
	KUNIT_EXPECT_EQ(test, zcb_port_eventfd(l.out, true, false, failure), 0);
	obj_send(test, l.in, 10);
	KUNIT_EXPECT_EQ(test, success->count, 1);
	obj_send(test, l.in, 10);
	KUNIT_EXPECT_EQ(test, success->count, 2);
	KUNIT_EXPECT_EQ(test, failure->count, 0);
	obj_fail(test, l.in, 10);
	KUNIT_EXPECT_EQ(test, success->count, 2);
	KUNIT_EXPECT_EQ(test, failure->count, 1);
	finalize(test, &l);
	KUNIT_EXPECT_EQ(test, success->count + failure->count, 3);
	obj_receive(test, l.out);
	obj_receive_failed(test, l.out);
	KUNIT_EXPECT_EQ(test, success->count, 2);
	KUNIT_EXPECT_EQ(test, failure->count, 2);
	obj_receive(test, l.out);
	KUNIT_EXPECT_EQ(test, success->count, 3);
}

static void an_eventfd_counts_what_is_there_already(struct kunit *test)
{
	struct eventfd_ctx *success = obj_eventfd(test);
	struct eventfd_ctx *failure = obj_eventfd(test);
	struct eventfd_ctx *again = obj_eventfd(test);
	struct line l;
	u32 i;

	make(test, &l);
	for (i = 0; i < 3; i++)
		obj_send(test, l.in, 10);
	obj_fail(test, l.in, 10);
	obj_fail(test, l.in, 10);
	obj_receive(test, l.out);
	zcb_port_eventfd(l.out, false, false, success);
	zcb_port_eventfd(l.out, true, false, failure);
	KUNIT_EXPECT_EQ(test, success->count, 2);
	KUNIT_EXPECT_EQ(test, failure->count, 2);
	obj_receive(test, l.out);
	obj_receive(test, l.out);
	finalize(test, &l);
	zcb_port_eventfd(l.out, false, false, again);
	KUNIT_EXPECT_EQ(test, again->count, 1);
}

static void an_eventfd_can_be_changed_and_disarmed(struct kunit *test)
{
	struct eventfd_ctx *one = obj_eventfd(test);
	struct eventfd_ctx *two = obj_eventfd(test);
	struct line l;

	make(test, &l);
	zcb_port_eventfd(l.out, false, false, one);
	zcb_port_eventfd(l.out, false, false, two);
	KUNIT_EXPECT_EQ(test, one->puts, 1);
	obj_send(test, l.in, 10);
	KUNIT_EXPECT_EQ(test, one->count, 0);
	KUNIT_EXPECT_EQ(test, two->count, 1);
	KUNIT_EXPECT_EQ(test, zcb_port_eventfd(l.out, false, false, NULL), 0);
	KUNIT_EXPECT_EQ(test, two->puts, 1);
	obj_send(test, l.in, 10);
	KUNIT_EXPECT_EQ(test, two->count, 1);
	KUNIT_EXPECT_EQ(test, zcb_port_eventfd(l.out, false, false, NULL), 0);
	KUNIT_EXPECT_EQ(test, one->puts + two->puts, 2);
}

static void an_eventfd_needs_its_port(struct kunit *test)
{
	struct eventfd_ctx *ctx = obj_eventfd(test);
	struct zcb_port *port;
	struct line l;

	make(test, &l);
	port = obj_attach(test, l.from, l.in->handle, ZCBUF_PORT_CONSUME);
	KUNIT_EXPECT_EQ(test, zcb_port_eventfd(port, true, false, ctx), -EPERM);
	KUNIT_EXPECT_EQ(test, zcb_port_eventfd(port, false, false, ctx), 0);
	port = obj_attach(test, obj_session(test, l.pool), l.in->handle,
			  ZCBUF_PORT_RECV_FAILED);
	KUNIT_EXPECT_EQ(test, zcb_port_eventfd(port, false, false, ctx), -EPERM);
	KUNIT_EXPECT_EQ(test, ctx->puts, 0);
}

/* ---------------------------------------------------------- poll and events */

static void the_session_is_told(struct kunit *test)
{
	struct line l;
	int seen;

	make(test, &l);
	seen = events(l.to);
	obj_send(test, l.in, 10);
	KUNIT_EXPECT_EQ(test, events(l.to), seen + 1);
	obj_fail(test, l.in, 10);
	KUNIT_EXPECT_EQ(test, events(l.to), seen + 2);
	KUNIT_EXPECT_EQ(test, events(l.from), 0);
}

/* epoll does not ask about what it was not woken for. */
static void the_session_is_told_what_it_is(struct kunit *test)
{
	const __poll_t in = EPOLLIN | EPOLLRDNORM;
	struct obj_sleeper sleeper;
	struct line l;

	make(test, &l);
	obj_sleep(&sleeper, &l.to->wq);
	obj_send(test, l.in, 10);
	KUNIT_EXPECT_EQ(test, obj_wake_up(&sleeper, &l.to->wq), in);
	obj_sleep(&sleeper, &l.to->wq);
	finalize(test, &l);
	KUNIT_EXPECT_EQ(test, obj_wake_up(&sleeper, &l.to->wq), in | EPOLLHUP);
	obj_sleep(&sleeper, &l.to->wq);
	obj_receive(test, l.out);
	KUNIT_EXPECT_EQ(test, obj_wake_up(&sleeper, &l.to->wq), in | EPOLLHUP);
}

static int call_receive(struct obj_task *t)
{
	struct zcbuf_delivery d;
	u32 done;

	return zcb_channel_receive(t->arg, &d, 1, ZCBUF_NO_DEADLINE, &done);
}

static int call_receive_failed(struct obj_task *t)
{
	struct zcb_failed_group f;
	int err = zcb_channel_receive_failed(t->arg, &f, 9, 9,
					     ZCBUF_NO_DEADLINE);

	zcb_failed_group_free(&f);
	return err;
}

static void receiving_waits_for_a_group(struct kunit *test)
{
	struct obj_task t = { .call = call_receive };
	struct line l;

	make(test, &l);
	t.arg = l.out;
	obj_start(test, &t, &l.to->wq);
	obj_send(test, l.in, 10);
	KUNIT_EXPECT_EQ(test, obj_join(&t), 0);
}

/* An event that is none for this queue does not end the wait. */
static void receiving_failed_waits_for_a_failed_group(struct kunit *test)
{
	struct obj_task t = { .call = call_receive_failed };
	struct line l;

	make(test, &l);
	t.arg = l.out;
	obj_start(test, &t, &l.to->wq);
	obj_send(test, l.in, 10);
	obj_fail(test, l.in, 10);
	KUNIT_EXPECT_EQ(test, obj_join(&t), 0);
}

static void the_end_of_the_stream_ends_the_wait(struct kunit *test)
{
	struct obj_task t = { .call = call_receive };
	struct line l;

	make(test, &l);
	t.arg = l.out;
	obj_start(test, &t, &l.to->wq);
	obj_close(test, l.from);
	KUNIT_EXPECT_EQ(test, obj_join(&t), -ESHUTDOWN);
}

static void closing_the_port_ends_the_wait(struct kunit *test)
{
	struct obj_task t = { .call = call_receive };
	struct line l;

	make(test, &l);
	t.arg = l.out;
	obj_start(test, &t, &l.to->wq);
	zcb_channel_close(l.to, l.out->handle, ZCBUF_PORT_CONSUME);
	KUNIT_EXPECT_EQ(test, obj_join(&t), -EPERM);
}

static __poll_t poll_of(struct zcb_port *port, struct zcb_port_poll *p)
{
	*p = (struct zcb_port_poll){};
	return zcb_port_poll(port, p);
}

static void poll_says_what_can_be_done(struct kunit *test)
{
	const __poll_t in = EPOLLIN | EPOLLRDNORM;
	const __poll_t out = EPOLLOUT | EPOLLWRNORM;
	struct zcb_port_poll p;
	struct line l;

	make(test, &l);
	KUNIT_EXPECT_EQ(test, poll_of(l.in, &p), out);
	KUNIT_EXPECT_EQ(test, p.receiving, 0);
	KUNIT_EXPECT_EQ(test, poll_of(l.out, &p), 0);
	KUNIT_EXPECT_EQ(test, p.receiving, 2);
	KUNIT_EXPECT_EQ(test, p.ended, 0);
	obj_send(test, l.in, 10);
	KUNIT_EXPECT_EQ(test, poll_of(l.out, &p), in);
	obj_receive(test, l.out);
	KUNIT_EXPECT_EQ(test, poll_of(l.out, &p), 0);
	obj_fail(test, l.in, 10);
	KUNIT_EXPECT_EQ(test, poll_of(l.out, &p), in);
	obj_alloc(test, l.to, OBJ_ARENA / 2);
	while (zcb_memory_room(l.pool, PAGE_SIZE))
		obj_alloc(test, l.to, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, poll_of(l.in, &p), 0);
}

static void poll_counts_what_has_ended(struct kunit *test)
{
	struct zcb_port_poll p;
	struct line l;

	make(test, &l);
	obj_send(test, l.in, 10);
	obj_fail(test, l.in, 10);
	finalize(test, &l);
	poll_of(l.out, &p);
	KUNIT_EXPECT_EQ(test, p.ended, 0);
	obj_receive(test, l.out);
	poll_of(l.out, &p);
	KUNIT_EXPECT_EQ(test, p.ended, 1);
	obj_receive_failed(test, l.out);
	KUNIT_EXPECT_EQ(test, poll_of(l.out, &p), 0);
	KUNIT_EXPECT_EQ(test, p.receiving, 2);
	KUNIT_EXPECT_EQ(test, p.ended, 2);
}

static struct kunit_case queue_cases[] = {
	KUNIT_CASE(a_delivery_says_what_it_is),
	KUNIT_CASE(a_large_reservation_is_an_extent_of_its_own),
	KUNIT_CASE(several_at_a_time),
	KUNIT_CASE(the_end_comes_after_the_last),
	KUNIT_CASE(who_does_not_consume),
	KUNIT_CASE(releasing_gives_memory_back),
	KUNIT_CASE(bad_releases_are_counted),
	KUNIT_CASE(a_full_queue_stalls_nobody),
	KUNIT_CASE(a_failed_group_says_what_is_lost),
	KUNIT_CASE(without_room_it_stays),
	KUNIT_CASE(all_of_it_is_lost),
	KUNIT_CASE(a_failed_group_is_taken_once),
	KUNIT_CASE(both_queues_are_released_by_one_call),
	KUNIT_CASE(an_eventfd_counts_deliveries),
	KUNIT_CASE(an_eventfd_counts_what_is_there_already),
	KUNIT_CASE(an_eventfd_can_be_changed_and_disarmed),
	KUNIT_CASE(an_eventfd_needs_its_port),
	KUNIT_CASE(the_session_is_told),
	KUNIT_CASE(the_session_is_told_what_it_is),
	KUNIT_CASE(receiving_waits_for_a_group),
	KUNIT_CASE(receiving_failed_waits_for_a_failed_group),
	KUNIT_CASE(the_end_of_the_stream_ends_the_wait),
	KUNIT_CASE(closing_the_port_ends_the_wait),
	KUNIT_CASE(poll_says_what_can_be_done),
	KUNIT_CASE(poll_counts_what_has_ended),
	{}
};

static struct kunit_suite queue_suite = {
	.name = "zcb_queue",
	.suite_init = obj_suite_init,
	.suite_exit = obj_suite_exit,
	.init = obj_init,
	.test_cases = queue_cases,
};

kunit_test_suite(queue_suite);
