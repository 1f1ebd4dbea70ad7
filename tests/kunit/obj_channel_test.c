// SPDX-License-Identifier: GPL-2.0-only
/*
 * The producer's side of channels: what RESERVE brings and what it says when it
 * cannot, what is charged for records, waiting, age, and the end of a stream.
 */
#include <linux/ktime.h>
#include <linux/poll.h>

#include "obj_rig.h"

#define RECORD	(sizeof(struct zcb_resv) + sizeof(struct zcb_group))
#define PAID_AT_ONCE	64	/* records */

/**
 * struct one - a channel whose ports all are of one session
 * @pool: the pool
 * @s: the session
 * @cfg: of the channel
 * @port: its ports
 * @ch: the channel
 */
struct one {
	struct zcb_pool *pool;
	struct zcb_session *s;
	struct zcb_channel_config cfg;
	struct zcb_port *port;
	struct zcb_channel *ch;
};

static void begin(struct kunit *test, struct one *c)
{
	c->pool = obj_pool(test);
	c->s = obj_session(test, c->pool);
	c->cfg = obj_config(c->pool);
}

static void open_with(struct kunit *test, struct one *c, u32 kinds)
{
	c->port = obj_channel(test, c->s, &c->cfg, kinds);
	c->ch = c->port->channel;
}

static void make(struct kunit *test, struct one *c)
{
	begin(test, c);
	open_with(test, c, OBJ_PORTS);
}

static int seen(const struct one *c)
{
	return atomic_read(&c->pool->space_seq);
}

static bool has_open_group(struct one *c)
{
	guard(mutex)(&c->ch->lock);
	return c->ch->stream.open;
}

/* Nobody is left any page of the pool. */
static u64 take_all(struct kunit *test, struct one *c)
{
	return obj_alloc(test, c->s, OBJ_ARENA);
}

static void give(struct kunit *test, struct one *c, u64 handle)
{
	KUNIT_EXPECT_EQ(test, zcb_memory_free(c->pool, &c->s->hold, handle), 0);
}

/* ------------------------------------------------------------------ reserve */

static void reservations_are_told_where_they_are(struct kunit *test)
{
	struct zcbuf_reservation a, b;
	struct one c;

	begin(test, &c);
	c.cfg.stream.align = 64;
	c.cfg.stream.threshold = 1000;
	open_with(test, &c, OBJ_PORTS);
	a = obj_reserve(test, c.port, 100);
	b = obj_reserve(test, c.port, 50);
	KUNIT_EXPECT_EQ(test, a.out_id, 0);
	KUNIT_EXPECT_EQ(test, a.out_group, 0);
	KUNIT_EXPECT_EQ(test, a.out_offset, 0);
	KUNIT_EXPECT_EQ(test, b.out_id, 1);
	KUNIT_EXPECT_EQ(test, b.out_group, 0);
	KUNIT_EXPECT_EQ(test, b.out_offset, 128);
	KUNIT_EXPECT_EQ(test, b.out_pool_offset, a.out_pool_offset + 128);
	KUNIT_EXPECT_EQ(test, obj_used(test, c.pool),
			zcb_stream_block(&c.cfg.stream));
}

static void groups_have_memory_of_their_own(struct kunit *test)
{
	struct zcbuf_reservation r[4];
	struct one c;
	u32 i, k;

	make(test, &c);
	for (i = 0; i < 4; i++) {
		r[i] = obj_reserve(test, c.port, 3 * PAGE_SIZE);
		KUNIT_EXPECT_EQ(test, r[i].out_group, i);
		for (k = 0; k < i; k++)
			KUNIT_EXPECT_NE(test, r[i].out_pool_offset,
					r[k].out_pool_offset);
	}
}

/* A stream is a domain: what sessions left in its memory is not seen. */
static void groups_are_zeroed_for_the_stream(struct kunit *test)
{
	struct zcbuf_reservation r;
	struct one c;
	u64 handle;

	make(test, &c);
	handle = take_all(test, &c);
	obj_fill(c.pool, 0, OBJ_ARENA, 0xee);
	give(test, &c, handle);
	r = obj_reserve(test, c.port, PAGE_SIZE);
	KUNIT_EXPECT_TRUE(test, obj_is(c.pool, r.out_pool_offset, PAGE_SIZE,
				       0));
}

static void lengths_that_cannot_be(struct kunit *test)
{
	struct zcbuf_reservation r;
	struct one c;

	make(test, &c);
	KUNIT_EXPECT_EQ(test, obj_try_reserve(c.port, 0, &r), -EINVAL);
	KUNIT_EXPECT_EQ(test, obj_try_reserve(c.port, OBJ_ARENA + 1, &r),
			-E2BIG);
	KUNIT_EXPECT_EQ(test, obj_try_reserve(c.port, ~0ULL, &r), -E2BIG);
	KUNIT_EXPECT_EQ(test, obj_reserve(test, c.port, OBJ_ARENA).out_id, 0);
}

static void who_does_not_produce(struct kunit *test)
{
	struct zcb_stream_counts n;
	struct zcbuf_reservation r;
	struct zcb_port *other;
	struct one c;
	bool sealed;

	make(test, &c);
	other = obj_attach(test, obj_session(test, c.pool), c.port->handle,
			   ZCBUF_PORT_CONSUME);
	r = obj_reserve(test, c.port, 10);
	KUNIT_EXPECT_EQ(test, obj_commit(other, &r), -EPERM);
	KUNIT_EXPECT_EQ(test, zcb_channel_abort(other, 0, 0), -EPERM);
	KUNIT_EXPECT_EQ(test, zcb_channel_flush(other, &sealed), -EPERM);
	KUNIT_EXPECT_EQ(test, zcb_channel_finalize(other, &n), -EPERM);
	KUNIT_EXPECT_EQ(test, obj_commit(c.port, &r), 0);
	KUNIT_EXPECT_EQ(test, obj_try_reserve(other, 10, &r), -EPERM);
}

static void without_a_consumer_if_one_is_needed(struct kunit *test)
{
	struct zcbuf_reservation r = { .length = 10 };
	struct one c;

	begin(test, &c);
	open_with(test, &c, ZCBUF_PORT_PRODUCE | ZCBUF_PORT_RECV_FAILED);
	KUNIT_EXPECT_EQ(test, obj_channel_reserve(c.port, &r,
						  ZCBUF_RESERVE_F_NEED_CONSUMER,
						  0), -EPIPE);
	obj_attach(test, obj_session(test, c.pool), c.port->handle,
		   ZCBUF_PORT_CONSUME);
	KUNIT_EXPECT_EQ(test, obj_channel_reserve(c.port, &r,
						  ZCBUF_RESERVE_F_NEED_CONSUMER,
						  0), 0);
	KUNIT_EXPECT_EQ(test, r.out_id, 0);
}

static void credits_bound_what_is_outstanding(struct kunit *test)
{
	struct zcbuf_reservation r;
	struct zcbuf_delivery d;
	struct one c;
	int before;
	u32 i;

	begin(test, &c);
	c.cfg.stream.max_outstanding = 3;
	open_with(test, &c, OBJ_PORTS);
	for (i = 0; i < 3; i++)
		obj_send(test, c.port, 10);
	KUNIT_EXPECT_EQ(test, obj_try_reserve(c.port, 10, &r), -EAGAIN);
	d = obj_receive(test, c.port);
	KUNIT_EXPECT_EQ(test, obj_try_reserve(c.port, 10, &r), -EAGAIN);
	before = seen(&c);
	KUNIT_EXPECT_EQ(test, zcb_channel_release(c.port, d.handle), 0);
	KUNIT_EXPECT_NE(test, seen(&c), before);
	KUNIT_EXPECT_EQ(test, obj_try_reserve(c.port, 10, &r), 0);
	KUNIT_EXPECT_EQ(test, r.out_id, 3);
	KUNIT_EXPECT_EQ(test, obj_try_reserve(c.port, 10, &r), -EAGAIN);
}

static void windows_give_back_what_they_do_not_use(struct kunit *test)
{
	struct zcbuf_reservation r = { .length = 16 * PAGE_SIZE };
	struct one c;
	int before;

	make(test, &c);
	KUNIT_ASSERT_EQ(test, obj_channel_reserve(c.port, &r,
						  ZCBUF_RESERVE_F_WINDOW, 0),
			0);
	KUNIT_EXPECT_EQ(test, obj_used(test, c.pool), 16 * PAGE_SIZE);
	before = seen(&c);
	r.length = 2 * PAGE_SIZE + 1;
	KUNIT_EXPECT_EQ(test, obj_commit(c.port, &r), 0);
	KUNIT_EXPECT_EQ(test, obj_used(test, c.pool), 3 * PAGE_SIZE);
	KUNIT_EXPECT_NE(test, seen(&c), before);
	KUNIT_EXPECT_EQ(test, obj_receive(test, c.port).length,
			2 * PAGE_SIZE + 1);
}

/* ------------------------------------------------------------------ charges */

static void records_are_charged_some_at_a_time(struct kunit *test)
{
	struct one c;
	u64 charged;
	u32 i;

	begin(test, &c);
	open_with(test, &c, OBJ_PORTS);
	charged = obj_total_charged();
	KUNIT_EXPECT_GT(test, charged, OBJ_ARENA + sizeof(struct zcb_channel));
	for (i = 0; i < PAID_AT_ONCE; i++) {
		obj_send(test, c.port, 1);
		KUNIT_ASSERT_EQ(test, obj_total_charged(),
				charged + PAID_AT_ONCE * RECORD);
	}
	obj_send(test, c.port, 1);
	KUNIT_EXPECT_EQ(test, obj_total_charged(),
			charged + 2 * PAID_AT_ONCE * RECORD);
}

/* Records that come and go are charged once. */
static void records_are_charged_until_the_channel_ends(struct kunit *test)
{
	struct one c;
	u64 charged;
	u32 i;

	begin(test, &c);
	c.cfg.stream.max_outstanding = 5;
	open_with(test, &c, OBJ_PORTS);
	charged = obj_total_charged();
	for (i = 0; i < 20; i++) {
		obj_send(test, c.port, 1);
		zcb_channel_release(c.port, obj_receive(test, c.port).handle);
		KUNIT_ASSERT_EQ(test, obj_total_charged(),
				charged + 5 * RECORD);
	}
	obj_drop_port(test, c.port);
	KUNIT_EXPECT_EQ(test, zcb_channel_close(c.s, c.port->handle, 0), 0);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), OBJ_ARENA);
}

static void records_beyond_a_limit_are_refused(struct kunit *test)
{
	struct zcb_user *ballast = NULL;
	struct zcbuf_reservation r;
	struct obj_user u;
	struct one c;
	u64 bytes;
	int err;

	c.pool = obj_pool(test);
	c.cfg = obj_config(c.pool);
	obj_limits(test, 1, 64);
	obj_become(test, &u, 4001);
	c.s = obj_session(test, c.pool);
	open_with(test, &c, OBJ_PORTS);
	bytes = (1 << 20) - obj_charged(c.s->uid) - PAID_AT_ONCE * RECORD + 1;
	KUNIT_EXPECT_EQ(test, zcb_account_charge(bytes, &c.ch->payer, &ballast), 0);
	err = obj_try_reserve(c.port, 10, &r);
	KUNIT_EXPECT_EQ(test, err, -ENOMEM);
	KUNIT_EXPECT_EQ(test, obj_used(test, c.pool), 0);
	KUNIT_EXPECT_EQ(test, c.ch->stream.next_resv, 0);
	zcb_account_uncharge(ballast, 1);
	KUNIT_EXPECT_EQ(test, obj_try_reserve(c.port, 10, &r), 0);
	obj_return(&u);
	zcb_account_uncharge(ballast, bytes - 1);
}

/* ------------------------------------------------------------------ waiting */

static int call_reserve(struct obj_task *t)
{
	return obj_channel_reserve(t->arg, &t->r, 0, ZCBUF_NO_DEADLINE);
}

static void start_reserve(struct kunit *test, struct one *c,
			  struct zcb_port *port, struct obj_task *t, u64 length)
{
	*t = (struct obj_task){
		.call = call_reserve,
		.arg = port,
		.r.length = length,
	};
	obj_start(test, t, &c->pool->space_wq);
}

static void no_memory_is_no_room(struct kunit *test)
{
	struct zcbuf_reservation r;
	struct one c;
	u64 all;

	make(test, &c);
	all = take_all(test, &c);
	KUNIT_EXPECT_EQ(test, obj_try_reserve(c.port, 10, &r), -EAGAIN);
	KUNIT_EXPECT_EQ(test, obj_channel_reserve(c.port, &r, 0, 1),
			-ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, obj_used(test, c.pool), OBJ_ARENA);
	give(test, &c, all);
	KUNIT_EXPECT_EQ(test, obj_try_reserve(c.port, 10, &r), 0);
	KUNIT_EXPECT_EQ(test, r.out_id, 0);
}

/* It may be what the memory has to come from. */
static void the_open_group_seals_when_somebody_waits(struct kunit *test)
{
	struct zcbuf_reservation r;
	struct one c;

	begin(test, &c);
	c.cfg.stream.threshold = 3 * PAGE_SIZE;
	open_with(test, &c, OBJ_PORTS);
	obj_send(test, c.port, 10);
	while (zcb_memory_room(c.pool, PAGE_SIZE))
		obj_alloc(test, c.s, PAGE_SIZE);
	r.length = 4 * PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, obj_channel_reserve(c.port, &r, 0, 0), -EAGAIN);
	KUNIT_EXPECT_TRUE(test, has_open_group(&c));
	KUNIT_EXPECT_EQ(test, obj_channel_reserve(c.port, &r, 0, 1),
			-ETIMEDOUT);
	KUNIT_EXPECT_FALSE(test, has_open_group(&c));
	KUNIT_EXPECT_EQ(test, obj_receive(test, c.port).length, 10);
}

static void waits_for_memory(struct kunit *test)
{
	struct obj_task t;
	struct one c;
	u64 all;

	make(test, &c);
	all = take_all(test, &c);
	start_reserve(test, &c, c.port, &t, PAGE_SIZE);
	give(test, &c, all);
	KUNIT_EXPECT_EQ(test, obj_join(&t), 0);
	KUNIT_EXPECT_EQ(test, obj_used(test, c.pool), PAGE_SIZE);
}

static void waits_for_a_credit(struct kunit *test)
{
	struct zcbuf_delivery d;
	struct obj_task t;
	struct one c;

	begin(test, &c);
	c.cfg.stream.max_outstanding = 1;
	open_with(test, &c, OBJ_PORTS);
	obj_send(test, c.port, 10);
	d = obj_receive(test, c.port);
	start_reserve(test, &c, c.port, &t, 10);
	KUNIT_EXPECT_EQ(test, zcb_channel_release(c.port, d.handle), 0);
	KUNIT_EXPECT_EQ(test, obj_join(&t), 0);
	KUNIT_EXPECT_EQ(test, t.r.out_id, 1);
}

/*
 * Memory for one group comes back, and somebody else is faster: the waiting one
 * joins that group. Here no other task runs before this one sleeps.
 */
static void joins_a_group_that_was_opened_meanwhile(struct kunit *test)
{
	struct zcbuf_reservation r;
	struct obj_task t;
	struct one c;
	u64 handle[2];
	int err;

	begin(test, &c);
	c.cfg.stream.threshold = 4 * PAGE_SIZE;
	open_with(test, &c, OBJ_PORTS);
	handle[0] = obj_alloc(test, c.s, OBJ_ARENA / 2);
	obj_alloc(test, c.s, OBJ_ARENA / 4);
	obj_alloc(test, c.s, OBJ_ARENA / 8);
	obj_alloc(test, c.s, OBJ_ARENA / 16);
	obj_alloc(test, c.s, OBJ_ARENA / 32);
	obj_alloc(test, c.s, 8 * PAGE_SIZE);
	handle[1] = obj_alloc(test, c.s, 8 * PAGE_SIZE);
	start_reserve(test, &c, c.port, &t, 100);

	sched_set_fifo_low(current);
	give(test, &c, handle[1]);
	err = obj_try_reserve(c.port, 10, &r);
	sched_set_normal(current, 0);
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ(test, obj_join(&t), 0);
	KUNIT_EXPECT_EQ(test, t.r.out_group, r.out_group);
	KUNIT_EXPECT_NE(test, t.r.out_id, r.out_id);
	give(test, &c, handle[0]);
	KUNIT_EXPECT_EQ(test, c.ch->stream.next_group, 1);
}

static void finalize_ends_the_wait(struct kunit *test)
{
	struct zcb_stream_counts n;
	struct obj_task t;
	struct one c;

	make(test, &c);
	take_all(test, &c);
	start_reserve(test, &c, c.port, &t, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, zcb_channel_finalize(c.port, &n), 0);
	KUNIT_EXPECT_EQ(test, obj_join(&t), -ESHUTDOWN);
}

static void closing_the_port_ends_the_wait(struct kunit *test)
{
	struct obj_task t;
	struct one c;

	make(test, &c);
	take_all(test, &c);
	start_reserve(test, &c, c.port, &t, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, zcb_channel_close(c.s, c.port->handle,
						ZCBUF_PORT_PRODUCE), 0);
	KUNIT_EXPECT_EQ(test, obj_join(&t), -EPERM);
}

/* ---------------------------------------------------------- commit, abort */

static void only_the_owner_commits_and_aborts(struct kunit *test)
{
	struct zcbuf_reservation r;
	struct zcb_port *other;
	struct one c;

	make(test, &c);
	other = obj_attach(test, obj_session(test, c.pool), c.port->handle,
			   ZCBUF_PORT_PRODUCE);
	r = obj_reserve(test, c.port, 100);
	KUNIT_EXPECT_EQ(test, obj_commit(other, &r), -EPERM);
	KUNIT_EXPECT_EQ(test, zcb_channel_abort(other, 0, 0), -EPERM);
	KUNIT_EXPECT_EQ(test, zcb_channel_abort(c.port, 0, 0), 0);
	KUNIT_EXPECT_EQ(test, zcb_channel_abort(c.port, 0, 0), -ESTALE);
	KUNIT_EXPECT_EQ(test, obj_commit(c.port, &r), -ESTALE);
}

/* ---------------------------------------------------------------------- age */

/* Now, whenever it would have been. */
static void run_age(struct one *c)
{
	flush_delayed_work(&c->ch->age);
}

static void make_old(struct kunit *test, struct one *c)
{
	KUNIT_ASSERT_TRUE(test, has_open_group(c));
	guard(mutex)(&c->ch->lock);
	c->ch->stream.open->opened_ns -=
		(u64)c->cfg.max_age_us * NSEC_PER_USEC;
}

static void make_with_age(struct kunit *test, struct one *c)
{
	begin(test, c);
	c->cfg.stream.threshold = PAGE_SIZE;
	c->cfg.max_age_us = 3600 * USEC_PER_SEC;
	open_with(test, c, OBJ_PORTS);
}

static void an_old_group_seals(struct kunit *test)
{
	struct one c;

	make_with_age(test, &c);
	KUNIT_EXPECT_FALSE(test, delayed_work_pending(&c.ch->age));
	obj_send(test, c.port, 10);
	KUNIT_EXPECT_TRUE(test, delayed_work_pending(&c.ch->age));
	make_old(test, &c);
	run_age(&c);
	KUNIT_EXPECT_FALSE(test, has_open_group(&c));
	KUNIT_EXPECT_FALSE(test, delayed_work_pending(&c.ch->age));
	KUNIT_EXPECT_EQ(test, obj_receive(test, c.port).length, 10);
}

static void a_young_group_is_looked_at_again(struct kunit *test)
{
	struct one c;

	make_with_age(test, &c);
	obj_send(test, c.port, 10);
	run_age(&c);
	KUNIT_EXPECT_TRUE(test, has_open_group(&c));
	KUNIT_EXPECT_TRUE(test, delayed_work_pending(&c.ch->age));
	make_old(test, &c);
	run_age(&c);
	KUNIT_EXPECT_FALSE(test, has_open_group(&c));
}

/* The group it was for is sealed, and another may be open. */
static void the_age_of_a_sealed_group_does_not_matter(struct kunit *test)
{
	struct one c;

	make_with_age(test, &c);
	obj_send(test, c.port, PAGE_SIZE - 1);
	obj_send(test, c.port, 1);
	KUNIT_EXPECT_FALSE(test, has_open_group(&c));
	run_age(&c);
	KUNIT_EXPECT_FALSE(test, delayed_work_pending(&c.ch->age));
	obj_send(test, c.port, 10);
	KUNIT_EXPECT_TRUE(test, delayed_work_pending(&c.ch->age));
	run_age(&c);
	KUNIT_EXPECT_TRUE(test, has_open_group(&c));
}

static void no_age_is_no_timer(struct kunit *test)
{
	struct one c;

	begin(test, &c);
	c.cfg.stream.threshold = PAGE_SIZE;
	open_with(test, &c, OBJ_PORTS);
	obj_send(test, c.port, 10);
	KUNIT_EXPECT_FALSE(test, delayed_work_pending(&c.ch->age));
}

/* DEBUG_OBJECTS sees a timer that is freed while it runs. */
static void a_channel_ends_before_its_age(struct kunit *test)
{
	struct one c;

	make_with_age(test, &c);
	obj_send(test, c.port, 10);
	obj_drop_port(test, c.port);
	obj_close(test, c.s);
	KUNIT_EXPECT_EQ(test, obj_used(test, c.pool), 0);
}

/* ------------------------------------------------------------------ the end */

static void flush_says_whether_there_was_a_group(struct kunit *test)
{
	struct zcb_stream_counts n;
	struct one c;
	bool sealed;

	begin(test, &c);
	c.cfg.stream.threshold = PAGE_SIZE;
	open_with(test, &c, OBJ_PORTS);
	KUNIT_EXPECT_EQ(test, zcb_channel_flush(c.port, &sealed), 0);
	KUNIT_EXPECT_FALSE(test, sealed);
	obj_send(test, c.port, 10);
	KUNIT_EXPECT_EQ(test, zcb_channel_flush(c.port, &sealed), 0);
	KUNIT_EXPECT_TRUE(test, sealed);
	KUNIT_EXPECT_EQ(test, obj_receive(test, c.port).length, 10);
	zcb_channel_finalize(c.port, &n);
	KUNIT_EXPECT_EQ(test, zcb_channel_flush(c.port, &sealed), -ESHUTDOWN);
}

static void finalize_counts_what_it_does(struct kunit *test)
{
	struct zcb_stream_counts n;
	struct zcbuf_reservation r;
	struct one c;
	int before;

	begin(test, &c);
	c.cfg.stream.threshold = PAGE_SIZE;
	open_with(test, &c, OBJ_PORTS);
	obj_send(test, c.port, PAGE_SIZE);
	obj_reserve(test, c.port, PAGE_SIZE);
	obj_reserve(test, c.port, PAGE_SIZE);
	obj_send(test, c.port, 10);
	before = seen(&c);
	KUNIT_EXPECT_EQ(test, zcb_channel_finalize(c.port, &n), 0);
	KUNIT_EXPECT_NE(test, seen(&c), before);
	KUNIT_EXPECT_EQ(test, n.success, 1);
	KUNIT_EXPECT_EQ(test, n.failure, 2);
	KUNIT_EXPECT_EQ(test, n.reservations, 2);
	KUNIT_EXPECT_EQ(test, zcb_channel_finalize(c.port, &n), 0);
	KUNIT_EXPECT_EQ(test, n.success + n.failure + n.reservations, 0);
	KUNIT_EXPECT_EQ(test, obj_try_reserve(c.port, 10, &r), -ESHUTDOWN);
}

/* Its owner may still be storing until it is told. */
static void a_straggler_keeps_its_memory(struct kunit *test)
{
	struct zcb_stream_counts n;
	struct zcbuf_reservation r;
	struct one c;
	int before;

	make(test, &c);
	r = obj_reserve(test, c.port, 2 * PAGE_SIZE);
	zcb_channel_finalize(c.port, &n);
	zcb_channel_release(c.port, obj_receive_failed(test, c.port).handle);
	KUNIT_EXPECT_EQ(test, obj_used(test, c.pool), 2 * PAGE_SIZE);
	before = seen(&c);
	KUNIT_EXPECT_EQ(test, obj_commit(c.port, &r), -ESHUTDOWN);
	KUNIT_EXPECT_EQ(test, obj_used(test, c.pool), 0);
	KUNIT_EXPECT_NE(test, seen(&c), before);
}

static bool writable(struct one *c)
{
	guard(mutex)(&c->ch->lock);
	return zcb_channel_writable_locked(c->ch);
}

static void writable_unless_a_reserve_would_wait(struct kunit *test)
{
	struct zcb_stream_counts n;
	struct one c;
	u64 all;

	begin(test, &c);
	c.cfg.stream.max_outstanding = 1;
	open_with(test, &c, OBJ_PORTS);
	KUNIT_EXPECT_TRUE(test, writable(&c));
	all = take_all(test, &c);
	KUNIT_EXPECT_FALSE(test, writable(&c));
	give(test, &c, all);
	obj_reserve(test, c.port, 10);
	KUNIT_EXPECT_FALSE(test, writable(&c));
	zcb_channel_finalize(c.port, &n);
	KUNIT_EXPECT_TRUE(test, writable(&c));
}

/* What is in the open group's block already needs no memory. */
static void writable_into_the_open_group(struct kunit *test)
{
	struct one c;

	begin(test, &c);
	c.cfg.stream.threshold = PAGE_SIZE;
	open_with(test, &c, OBJ_PORTS);
	obj_reserve(test, c.port, 10);
	while (zcb_memory_room(c.pool, PAGE_SIZE))
		obj_alloc(test, c.s, PAGE_SIZE);
	KUNIT_EXPECT_TRUE(test, writable(&c));
}

static struct kunit_case channel_cases[] = {
	KUNIT_CASE(reservations_are_told_where_they_are),
	KUNIT_CASE(groups_have_memory_of_their_own),
	KUNIT_CASE(groups_are_zeroed_for_the_stream),
	KUNIT_CASE(lengths_that_cannot_be),
	KUNIT_CASE(who_does_not_produce),
	KUNIT_CASE(without_a_consumer_if_one_is_needed),
	KUNIT_CASE(credits_bound_what_is_outstanding),
	KUNIT_CASE(windows_give_back_what_they_do_not_use),
	KUNIT_CASE(records_are_charged_some_at_a_time),
	KUNIT_CASE(records_are_charged_until_the_channel_ends),
	KUNIT_CASE(records_beyond_a_limit_are_refused),
	KUNIT_CASE(no_memory_is_no_room),
	KUNIT_CASE(the_open_group_seals_when_somebody_waits),
	KUNIT_CASE(waits_for_memory),
	KUNIT_CASE(waits_for_a_credit),
	KUNIT_CASE(joins_a_group_that_was_opened_meanwhile),
	KUNIT_CASE(finalize_ends_the_wait),
	KUNIT_CASE(closing_the_port_ends_the_wait),
	KUNIT_CASE(only_the_owner_commits_and_aborts),
	KUNIT_CASE(an_old_group_seals),
	KUNIT_CASE(a_young_group_is_looked_at_again),
	KUNIT_CASE(the_age_of_a_sealed_group_does_not_matter),
	KUNIT_CASE(no_age_is_no_timer),
	KUNIT_CASE(a_channel_ends_before_its_age),
	KUNIT_CASE(flush_says_whether_there_was_a_group),
	KUNIT_CASE(finalize_counts_what_it_does),
	KUNIT_CASE(a_straggler_keeps_its_memory),
	KUNIT_CASE(writable_unless_a_reserve_would_wait),
	KUNIT_CASE(writable_into_the_open_group),
	{}
};

static struct kunit_suite channel_suite = {
	.name = "zcb_channel",
	.suite_init = obj_suite_init,
	.suite_exit = obj_suite_exit,
	.init = obj_init,
	.test_cases = channel_cases,
};

kunit_test_suite(channel_suite);
