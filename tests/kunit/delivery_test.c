// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who gets a complete group: room and turns, parking, ports that come and go,
 * ORDERED, the end of the stream, and the answers of release.
 */
#include <kunit/test.h>
#include "stream_rig.h"

#define NPORTS	3

struct delivery_test {
	struct rig *rig;
	struct rig_port port[NPORTS];
};

static int delivery_test_init(struct kunit *test)
{
	struct delivery_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	int err;

	KUNIT_ASSERT_NOT_NULL(test, t);
	err = rig_init(test);
	t->rig = test->priv;
	test->priv = t;
	t->rig->cfg.threshold = 10;
	return err;
}

static void add_port(struct delivery_test *t, u32 i, u32 depth)
{
	struct rig_port *port = &t->port[i];

	memset(port, 0, sizeof(*port));
	zcb_consumer_init(&port->c, depth, false);
	zcb_stream_add_consumer(&t->rig->s, &port->c);
}

static void drop_port(struct delivery_test *t, u32 i)
{
	zcb_stream_drop_consumer(&t->rig->s, &t->port[i].c);
}

/* A stream whose only success ports are the first @n of @depth. */
static struct delivery_test *open_ports(struct kunit *test, u32 n, u32 depth)
{
	struct delivery_test *t = test->priv;
	u32 i;

	rig_open(t->rig);
	zcb_stream_drop_consumer(&t->rig->s, &t->rig->c.c);
	for (i = 0; i < n; i++)
		add_port(t, i, depth);
	return t;
}

static void close_ports(struct delivery_test *t, u32 n)
{
	while (n--)
		drop_port(t, n);
	rig_close(t->rig);
}

/* Complete @n groups, one after the other. */
static void complete_groups(struct delivery_test *t, u32 n)
{
	while (n--)
		rig_commit(t->rig, rig_reserve(t->rig, 10));
}

static void expect_queued(struct delivery_test *t, u32 i, u32 queued)
{
	KUNIT_EXPECT_EQ(t->rig->test, t->port[i].c.queued, queued);
}

static struct zcb_group *take(struct delivery_test *t, struct rig_port *port)
{
	return rig_receive(t->rig, port);
}

static int put(struct delivery_test *t, struct rig_port *port, u64 id)
{
	return zcb_stream_release(&t->rig->s, &port->c, id);
}

/* Port @i receives group @id and releases it. */
static void expect_next(struct delivery_test *t, u32 i, u64 id)
{
	struct zcb_group *g = take(t, &t->port[i]);

	KUNIT_EXPECT_EQ(t->rig->test, g->id, id);
	rig_check_group(t->rig, g);
	KUNIT_EXPECT_EQ(t->rig->test, 0, put(t, &t->port[i], g->id));
}

static void expect_answer(struct delivery_test *t, struct rig_port *port,
			  int answer)
{
	struct zcb_group *g;

	KUNIT_EXPECT_EQ(t->rig->test, answer,
			zcb_stream_receive(&t->rig->s, &port->c, &g));
}

static void finalize(struct delivery_test *t)
{
	struct zcb_stream_counts counts;

	zcb_stream_finalize(&t->rig->s, rig_now(t->rig), &counts);
}

/* ---------------------------------------------------------- room and turns */

static void ports_take_turns(struct kunit *test)
{
	struct delivery_test *t = open_ports(test, 3, 8);
	u32 i;

	complete_groups(t, 6);
	for (i = 0; i < 3; i++) {
		expect_queued(t, i, 2);
		KUNIT_EXPECT_EQ(test, t->port[i].ready, 2U);
		expect_next(t, i, i);
		expect_next(t, i, i + 3);
	}
	close_ports(t, 3);
}

static void full_ports_are_passed(struct kunit *test)
{
	struct delivery_test *t = open_ports(test, 1, 1);

	add_port(t, 1, 3);
	add_port(t, 2, 2);
	complete_groups(t, 6);
	expect_queued(t, 0, 1);
	expect_queued(t, 1, 3);
	expect_queued(t, 2, 2);
	KUNIT_EXPECT_EQ(test, t->rig->s.nqueued, 6U);
	KUNIT_EXPECT_EQ(test, t->rig->s.nparked, 0U);
	expect_next(t, 1, 1);
	expect_next(t, 1, 3);
	expect_next(t, 1, 5);
	close_ports(t, 3);
}

static void who_waited_longest_is_served(struct kunit *test)
{
	struct delivery_test *t = open_ports(test, 3, 1);

	complete_groups(t, 3);
	expect_next(t, 2, 2);
	expect_next(t, 1, 1);
	expect_next(t, 0, 0);
	complete_groups(t, 1);
	expect_queued(t, 0, 1);
	complete_groups(t, 1);
	expect_queued(t, 1, 1);
	close_ports(t, 3);
}

static void no_port_parks(struct kunit *test)
{
	struct delivery_test *t = open_ports(test, 0, 0);

	complete_groups(t, 3);
	KUNIT_EXPECT_EQ(test, t->rig->s.nparked, 3U);
	add_port(t, 0, 2);
	KUNIT_EXPECT_EQ(test, t->rig->s.nparked, 1U);
	KUNIT_EXPECT_EQ(test, t->port[0].ready, 2U);
	expect_next(t, 0, 0);
	expect_next(t, 0, 1);
	expect_next(t, 0, 2);
	KUNIT_EXPECT_EQ(test, t->port[0].ready, 3U);
	expect_answer(t, &t->port[0], -EAGAIN);
	close_ports(t, 1);
}

static void full_queues_stall_nobody(struct kunit *test)
{
	struct delivery_test *t = open_ports(test, 2, 1);

	complete_groups(t, 5);
	KUNIT_EXPECT_EQ(test, t->rig->s.nparked, 3U);
	expect_next(t, 1, 1);
	expect_next(t, 1, 2);
	expect_next(t, 0, 0);
	expect_next(t, 1, 3);
	expect_next(t, 0, 4);
	KUNIT_EXPECT_EQ(test, t->rig->s.nparked, 0U);
	expect_answer(t, &t->port[0], -EAGAIN);
	expect_answer(t, &t->port[1], -EAGAIN);
	close_ports(t, 2);
}

static void nothing_overtakes_the_parked(struct kunit *test)
{
	struct delivery_test *t = open_ports(test, 1, 1);

	complete_groups(t, 2);
	take(t, &t->port[0]);
	complete_groups(t, 1);
	expect_next(t, 0, 1);
	expect_next(t, 0, 2);
	close_ports(t, 1);
}

/* ------------------------------------------------------- ports that leave */

static void a_queue_is_inherited(struct kunit *test)
{
	struct delivery_test *t = open_ports(test, 2, 8);
	u64 id;

	complete_groups(t, 6);
	drop_port(t, 0);
	expect_queued(t, 1, 6);
	KUNIT_EXPECT_EQ(test, t->port[1].ready, 6U);
	KUNIT_EXPECT_EQ(test, t->rig->s.nqueued, 6U);
	for (id = 0; id < 6; id++)
		expect_next(t, 1, id);
	close_ports(t, 2);
}

static void a_queue_goes_before_the_parked(struct kunit *test)
{
	struct delivery_test *t = open_ports(test, 2, 2);

	complete_groups(t, 6);
	KUNIT_EXPECT_EQ(test, t->rig->s.nparked, 2U);
	expect_next(t, 1, 1);
	drop_port(t, 0);
	KUNIT_EXPECT_EQ(test, t->rig->s.nparked, 3U);
	expect_next(t, 1, 3);
	expect_next(t, 1, 0);
	expect_next(t, 1, 2);
	expect_next(t, 1, 4);
	expect_next(t, 1, 5);
	close_ports(t, 2);
}

static void two_queues_go_back_in_order(struct kunit *test)
{
	struct delivery_test *t = open_ports(test, 2, 3);
	u64 id;

	complete_groups(t, 8);
	drop_port(t, 0);
	drop_port(t, 1);
	KUNIT_EXPECT_EQ(test, t->rig->s.nparked, 8U);
	KUNIT_EXPECT_EQ(test, t->rig->s.nqueued, 0U);
	add_port(t, 2, 8);
	for (id = 0; id < 8; id++)
		expect_next(t, 2, id);
	close_ports(t, 3);
}

/* What is inherited finds its place, and keeps it ever after. */
static void inherited_groups_go_back_in_order(struct kunit *test)
{
	struct delivery_test *t = open_ports(test, 2, 8);
	u64 id;

	complete_groups(t, 6);
	drop_port(t, 0);
	expect_queued(t, 1, 6);
	drop_port(t, 1);
	add_port(t, 2, 8);
	for (id = 0; id < 6; id++)
		expect_next(t, 2, id);
	close_ports(t, 3);
}

static void the_others_share_a_queue(struct kunit *test)
{
	struct delivery_test *t = open_ports(test, 3, 4);

	complete_groups(t, 12);
	drop_port(t, 1);
	KUNIT_EXPECT_EQ(test, t->rig->s.nparked, 4U);
	KUNIT_EXPECT_EQ(test, take(t, &t->port[0])->id, 0ULL);
	KUNIT_EXPECT_EQ(test, take(t, &t->port[2])->id, 2ULL);
	KUNIT_EXPECT_EQ(test, t->rig->s.nparked, 2U);
	expect_queued(t, 0, 4);
	expect_queued(t, 2, 4);
	close_ports(t, 3);
}

static void what_was_held_is_released(struct kunit *test)
{
	struct delivery_test *t = open_ports(test, 1, 8);

	complete_groups(t, 3);
	take(t, &t->port[0]);
	take(t, &t->port[0]);
	KUNIT_EXPECT_EQ(test, t->rig->s.nheld, 2U);
	KUNIT_EXPECT_EQ(test, t->port[0].c.held_bytes, 8192ULL);
	drop_port(t, 0);
	KUNIT_EXPECT_EQ(test, t->rig->s.nheld, 0U);
	KUNIT_EXPECT_EQ(test, t->rig->s.nparked, 1U);
	KUNIT_EXPECT_EQ(test, rig_pages_held(t->rig), 1U);
	KUNIT_EXPECT_EQ(test, -EBADSLT, put(t, &t->rig->c, 0));
	close_ports(t, 1);
}

/* ---------------------------------------------------------- failure ports */

static void add_failure_port(struct delivery_test *t, u32 i)
{
	memset(&t->port[i], 0, sizeof(t->port[i]));
	zcb_consumer_init(&t->port[i].c, 1, true);
	zcb_stream_add_consumer(&t->rig->s, &t->port[i].c);
}

static void failure_ports_share_a_queue(struct kunit *test)
{
	struct delivery_test *t = open_ports(test, 0, 0);
	u32 i;

	add_failure_port(t, 0);
	for (i = 0; i < 3; i++)
		rig_abort(t->rig, rig_reserve(t->rig, 10));
	KUNIT_EXPECT_EQ(test, t->port[0].ready, 3U);
	KUNIT_EXPECT_EQ(test, t->rig->f.ready, 3U);
	KUNIT_EXPECT_EQ(test, t->rig->s.nfailed, 3U);
	KUNIT_EXPECT_EQ(test, take(t, &t->port[0])->id, 0ULL);
	KUNIT_EXPECT_EQ(test, take(t, &t->rig->f)->id, 1ULL);
	KUNIT_EXPECT_EQ(test, t->rig->s.nfailed, 1U);
	KUNIT_EXPECT_EQ(test, -EPERM, put(t, &t->rig->f, 0));
	drop_port(t, 0);
	KUNIT_EXPECT_EQ(test, -EBADSLT, put(t, &t->rig->f, 0));
	KUNIT_EXPECT_EQ(test, take(t, &t->rig->f)->id, 2ULL);
	expect_answer(t, &t->rig->f, -EAGAIN);
	close_ports(t, 0);
}

static void failures_are_never_lost(struct kunit *test)
{
	struct delivery_test *t = open_ports(test, 0, 0);
	u64 id;

	zcb_stream_drop_consumer(&t->rig->s, &t->rig->f.c);
	for (id = 0; id < 100; id++)
		rig_abort(t->rig, rig_reserve(t->rig, 10));
	add_failure_port(t, 0);
	for (id = 0; id < 100; id++)
		expect_next(t, 0, id);
	expect_answer(t, &t->port[0], -EAGAIN);
	close_ports(t, 1);
}

/* ---------------------------------------------------------------- ordered */

static struct delivery_test *open_ordered(struct kunit *test, u32 depth)
{
	struct delivery_test *t = test->priv;

	t->rig->cfg.ordered = true;
	return open_ports(test, 1, depth);
}

static void ordered_waits_for_the_earlier(struct kunit *test)
{
	struct delivery_test *t = open_ordered(test, 8);
	struct zcb_resv *r0 = rig_reserve(t->rig, 10);
	struct zcb_resv *r1 = rig_reserve(t->rig, 10);

	complete_groups(t, 1);
	rig_commit(t->rig, r1);
	KUNIT_EXPECT_EQ(test, r1->group->state, ZCB_GROUP_WAITING);
	KUNIT_EXPECT_EQ(test, t->port[0].ready, 0U);
	rig_commit(t->rig, r0);
	KUNIT_EXPECT_EQ(test, t->port[0].ready, 3U);
	expect_next(t, 0, 0);
	expect_next(t, 0, 1);
	expect_next(t, 0, 2);
	complete_groups(t, 1);
	expect_next(t, 0, 3);
	close_ports(t, 1);
}

static void ordered_failures_hold_back_nobody(struct kunit *test)
{
	struct delivery_test *t = open_ordered(test, 8);
	struct zcb_resv *r0 = rig_reserve(t->rig, 10);
	struct zcb_resv *r1 = rig_reserve(t->rig, 10);
	struct zcb_resv *r2 = rig_reserve(t->rig, 10);

	complete_groups(t, 1);
	rig_abort(t->rig, r2);
	KUNIT_EXPECT_EQ(test, t->rig->f.ready, 1U);
	rig_commit(t->rig, r1);
	KUNIT_EXPECT_EQ(test, t->port[0].ready, 0U);
	rig_abort(t->rig, r0);
	KUNIT_EXPECT_EQ(test, t->port[0].ready, 2U);
	expect_next(t, 0, 1);
	expect_next(t, 0, 3);
	KUNIT_EXPECT_EQ(test, take(t, &t->rig->f)->id, 2ULL);
	KUNIT_EXPECT_EQ(test, take(t, &t->rig->f)->id, 0ULL);
	close_ports(t, 1);
}

/* A group that failed and is gone before its turn came is no obstacle. */
static void ordered_gone_before_its_turn(struct kunit *test)
{
	struct delivery_test *t = open_ordered(test, 8);
	struct zcb_resv *r0 = rig_reserve(t->rig, 10);

	rig_abort(t->rig, rig_reserve(t->rig, 10));
	complete_groups(t, 1);
	KUNIT_EXPECT_EQ(test, take(t, &t->rig->f)->id, 1ULL);
	KUNIT_EXPECT_EQ(test, 0, put(t, &t->rig->f, 1));
	rig_commit(t->rig, r0);
	expect_next(t, 0, 0);
	expect_next(t, 0, 2);
	close_ports(t, 1);
}

static void ordered_parks_in_order(struct kunit *test)
{
	struct delivery_test *t = open_ordered(test, 1);
	struct zcb_resv *r0 = rig_reserve(t->rig, 10);
	struct zcb_resv *r1 = rig_reserve(t->rig, 10);

	complete_groups(t, 2);
	rig_commit(t->rig, r1);
	rig_commit(t->rig, r0);
	KUNIT_EXPECT_EQ(test, t->rig->s.nparked, 3U);
	add_port(t, 1, 2);
	drop_port(t, 0);
	drop_port(t, 1);
	add_port(t, 2, 4);
	expect_next(t, 2, 0);
	expect_next(t, 2, 1);
	expect_next(t, 2, 2);
	expect_next(t, 2, 3);
	close_ports(t, 3);
}

static void ordered_behind_an_open_group(struct kunit *test)
{
	struct delivery_test *t = open_ordered(test, 8);
	struct zcb_resv *w;

	rig_commit(t->rig, rig_reserve(t->rig, 5));
	w = rig_window(t->rig, 100);
	rig_commit(t->rig, w);
	KUNIT_EXPECT_EQ(test, w->group->state, ZCB_GROUP_WAITING);
	KUNIT_EXPECT_TRUE(test, zcb_stream_flush(&t->rig->s, rig_now(t->rig)));
	expect_next(t, 0, 0);
	expect_next(t, 0, 1);
	close_ports(t, 1);
}

static void ordered_finalize_counts_the_waiting(struct kunit *test)
{
	struct delivery_test *t = open_ordered(test, 8);
	struct zcb_stream_counts counts;

	rig_reserve(t->rig, 10);
	complete_groups(t, 2);
	rig_reserve(t->rig, 10);
	complete_groups(t, 1);
	rig_commit(t->rig, rig_reserve(t->rig, 3));
	zcb_stream_finalize(&t->rig->s, rig_now(t->rig), &counts);
	KUNIT_EXPECT_EQ(test, counts.success, 4ULL);
	KUNIT_EXPECT_EQ(test, counts.failure, 2ULL);
	KUNIT_EXPECT_EQ(test, counts.reservations, 2ULL);
	expect_next(t, 0, 1);
	expect_next(t, 0, 2);
	expect_next(t, 0, 4);
	expect_next(t, 0, 5);
	expect_answer(t, &t->port[0], -ESHUTDOWN);
	close_ports(t, 1);
}

/* ---------------------------------------------------------------- the end */

static void the_end_is_for_all_ports(struct kunit *test)
{
	struct delivery_test *t = open_ports(test, 2, 8);
	u32 i;

	complete_groups(t, 1);
	finalize(t);
	expect_answer(t, &t->port[1], -EAGAIN);
	KUNIT_EXPECT_FALSE(test, zcb_stream_ended(&t->rig->s, &t->port[1].c));
	expect_next(t, 0, 0);
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, t->port[i].ends, 1U);
		KUNIT_EXPECT_TRUE(test, zcb_stream_ended(&t->rig->s,
							 &t->port[i].c));
		expect_answer(t, &t->port[i], -ESHUTDOWN);
	}
	close_ports(t, 2);
}

static void a_port_may_inherit_after_finalize(struct kunit *test)
{
	struct delivery_test *t = open_ports(test, 2, 8);

	complete_groups(t, 1);
	finalize(t);
	expect_answer(t, &t->port[1], -EAGAIN);
	drop_port(t, 0);
	KUNIT_EXPECT_EQ(test, t->port[0].ends, 0U);
	KUNIT_EXPECT_EQ(test, t->port[1].ends, 0U);
	expect_next(t, 1, 0);
	KUNIT_EXPECT_EQ(test, t->port[1].ends, 1U);
	close_ports(t, 2);
}

static void a_port_may_come_before_the_end(struct kunit *test)
{
	struct delivery_test *t = open_ports(test, 0, 0);

	complete_groups(t, 1);
	finalize(t);
	add_port(t, 0, 1);
	expect_next(t, 0, 0);
	KUNIT_EXPECT_EQ(test, t->port[0].ends, 1U);
	add_port(t, 1, 1);
	KUNIT_EXPECT_EQ(test, t->port[1].ends, 0U);
	expect_answer(t, &t->port[1], -ESHUTDOWN);
	close_ports(t, 2);
}

static void the_ends_of_both_queues_are_apart(struct kunit *test)
{
	struct delivery_test *t = open_ports(test, 1, 8);

	rig_abort(t->rig, rig_reserve(t->rig, 10));
	rig_abort(t->rig, rig_reserve(t->rig, 10));
	finalize(t);
	expect_answer(t, &t->port[0], -ESHUTDOWN);
	KUNIT_EXPECT_EQ(test, t->port[0].ends, 1U);
	take(t, &t->rig->f);
	KUNIT_EXPECT_EQ(test, t->rig->f.ends, 0U);
	take(t, &t->rig->f);
	KUNIT_EXPECT_EQ(test, t->rig->f.ends, 1U);
	expect_answer(t, &t->rig->f, -ESHUTDOWN);
	KUNIT_EXPECT_EQ(test, t->port[0].ends, 1U);
	close_ports(t, 1);
}

static void stragglers_do_not_delay_the_end(struct kunit *test)
{
	struct delivery_test *t = open_ports(test, 1, 8);

	rig_reserve(t->rig, 10);
	finalize(t);
	take(t, &t->rig->f);
	KUNIT_EXPECT_EQ(test, 0, put(t, &t->rig->f, 0));
	KUNIT_EXPECT_EQ(test, t->rig->s.nstragglers, 1U);
	expect_answer(t, &t->rig->f, -ESHUTDOWN);
	close_ports(t, 1);
}

/* ---------------------------------------------------- receive and release */

static void a_delivery_is_labelled(struct kunit *test)
{
	struct delivery_test *t = open_ports(test, 2, 8);
	struct zcb_group *g;
	u64 before;

	complete_groups(t, 3);
	before = t->rig->now;
	g = take(t, &t->port[0]);
	KUNIT_EXPECT_EQ(test, g->seq, 0ULL);
	KUNIT_EXPECT_LT(test, g->opened_ns, g->time_ns);
	KUNIT_EXPECT_EQ(test, g->time_ns, 2ULL);
	g = take(t, &t->port[0]);
	KUNIT_EXPECT_EQ(test, g->seq, 1ULL);
	KUNIT_EXPECT_EQ(test, g->time_ns, before);
	KUNIT_EXPECT_PTR_EQ(test, g->holder, &t->port[0].c);
	g = take(t, &t->port[1]);
	KUNIT_EXPECT_EQ(test, g->seq, 0ULL);
	close_ports(t, 2);
}

static void peek_takes_nothing(struct kunit *test)
{
	struct delivery_test *t = open_ports(test, 1, 8);
	struct zcb_group *g = NULL, *h = NULL;

	complete_groups(t, 1);
	KUNIT_EXPECT_EQ(test, 0,
			zcb_stream_peek(&t->rig->s, &t->port[0].c, &g));
	KUNIT_EXPECT_EQ(test, 0,
			zcb_stream_peek(&t->rig->s, &t->port[0].c, &h));
	KUNIT_EXPECT_PTR_EQ(test, g, h);
	KUNIT_EXPECT_EQ(test, g->state, ZCB_GROUP_QUEUED);
	KUNIT_EXPECT_PTR_EQ(test, take(t, &t->port[0]), g);
	close_ports(t, 1);
}

static void release_answers(struct kunit *test)
{
	struct delivery_test *t = open_ports(test, 2, 1);

	complete_groups(t, 3);
	rig_reserve(t->rig, 5);
	/* Queued, parked, open, never there. */
	KUNIT_EXPECT_EQ(test, -ENOENT, put(t, &t->port[0], 0));
	KUNIT_EXPECT_EQ(test, -ENOENT, put(t, &t->port[0], 2));
	KUNIT_EXPECT_EQ(test, -ENOENT, put(t, &t->port[0], 3));
	KUNIT_EXPECT_EQ(test, -ENOENT, put(t, &t->port[0], 4));
	KUNIT_EXPECT_EQ(test, -ENOENT, put(t, &t->port[0], U64_MAX));
	take(t, &t->port[0]);
	KUNIT_EXPECT_EQ(test, -EPERM, put(t, &t->port[1], 0));
	KUNIT_EXPECT_EQ(test, t->port[0].c.nheld, 1U);
	KUNIT_EXPECT_EQ(test, 0, put(t, &t->port[0], 0));
	KUNIT_EXPECT_EQ(test, -EBADSLT, put(t, &t->port[0], 0));
	KUNIT_EXPECT_EQ(test, -EBADSLT, put(t, &t->port[1], 0));
	KUNIT_EXPECT_EQ(test, t->port[0].c.nheld, 0U);
	KUNIT_EXPECT_EQ(test, t->rig->s.nheld, 0U);
	close_ports(t, 2);
}

static void release_in_any_order(struct kunit *test)
{
	struct delivery_test *t = open_ports(test, 1, 64);
	u64 id;

	complete_groups(t, 64);
	for (id = 0; id < 64; id++)
		KUNIT_EXPECT_EQ(test, take(t, &t->port[0])->id, id);
	for (id = 1; id < 64; id += 2)
		KUNIT_EXPECT_EQ(test, 0, put(t, &t->port[0], id));
	for (id = 62; id; id -= 2)
		KUNIT_EXPECT_EQ(test, 0, put(t, &t->port[0], id));
	KUNIT_EXPECT_EQ(test, 0, put(t, &t->port[0], 0));
	KUNIT_EXPECT_EQ(test, t->rig->s.bytes, 0ULL);
	close_ports(t, 1);
}

static struct kunit_case delivery_cases[] = {
	KUNIT_CASE(ports_take_turns),
	KUNIT_CASE(full_ports_are_passed),
	KUNIT_CASE(who_waited_longest_is_served),
	KUNIT_CASE(no_port_parks),
	KUNIT_CASE(full_queues_stall_nobody),
	KUNIT_CASE(nothing_overtakes_the_parked),
	KUNIT_CASE(a_queue_is_inherited),
	KUNIT_CASE(a_queue_goes_before_the_parked),
	KUNIT_CASE(two_queues_go_back_in_order),
	KUNIT_CASE(inherited_groups_go_back_in_order),
	KUNIT_CASE(the_others_share_a_queue),
	KUNIT_CASE(what_was_held_is_released),
	KUNIT_CASE(failure_ports_share_a_queue),
	KUNIT_CASE(failures_are_never_lost),
	KUNIT_CASE(ordered_waits_for_the_earlier),
	KUNIT_CASE(ordered_failures_hold_back_nobody),
	KUNIT_CASE(ordered_gone_before_its_turn),
	KUNIT_CASE(ordered_parks_in_order),
	KUNIT_CASE(ordered_behind_an_open_group),
	KUNIT_CASE(ordered_finalize_counts_the_waiting),
	KUNIT_CASE(the_end_is_for_all_ports),
	KUNIT_CASE(a_port_may_inherit_after_finalize),
	KUNIT_CASE(a_port_may_come_before_the_end),
	KUNIT_CASE(the_ends_of_both_queues_are_apart),
	KUNIT_CASE(stragglers_do_not_delay_the_end),
	KUNIT_CASE(a_delivery_is_labelled),
	KUNIT_CASE(peek_takes_nothing),
	KUNIT_CASE(release_answers),
	KUNIT_CASE(release_in_any_order),
	{}
};

static struct kunit_suite delivery_suite = {
	.name = "zcb_delivery",
	.init = delivery_test_init,
	.test_cases = delivery_cases,
};

kunit_test_suite(delivery_suite);
