// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ports: opening channels, who finds which, and what becomes of a channel as
 * its ports go.
 */
#include "obj_rig.h"

#define P	ZCBUF_PORT_PRODUCE
#define C	ZCBUF_PORT_CONSUME
#define F	ZCBUF_PORT_RECV_FAILED

/**
 * struct two - two sessions of a pool, and how channels are made
 * @pool: the pool
 * @a: one
 * @b: the other
 * @cfg: of channels
 */
struct two {
	struct zcb_pool *pool;
	struct zcb_session *a;
	struct zcb_session *b;
	struct zcb_channel_config cfg;
};

static void begin(struct kunit *test, struct two *t)
{
	t->pool = obj_pool(test);
	t->a = obj_session(test, t->pool);
	t->b = obj_session(test, t->pool);
	t->cfg = obj_config(t->pool);
}

/* One more call on ports of a channel, its port put at once. */
static int open_more(struct zcb_session *s, u64 handle,
		     const struct zcb_channel_config *cfg, u32 kinds, u32 depth,
		     u32 *added)
{
	struct zcb_port *port;
	int err;

	*added = ~0U;
	err = obj_open(s, handle, cfg, kinds, depth, &port, added);
	if (!err)
		zcb_port_put(port);
	return err;
}

static int find(struct zcb_session *s, u64 handle)
{
	struct zcb_port *port = zcb_port_find(s, handle);

	zcb_port_put(port);
	return PTR_ERR_OR_ZERO(port);
}

static u32 count_ports(struct zcb_session *s)
{
	unsigned long index = 0;
	struct zcb_port *port;
	u32 n = 0;

	while ((port = zcb_port_next(s, &index))) {
		zcb_port_put(port);
		n++;
	}
	return n;
}

/* ------------------------------------------------------------------ opening */

static void a_new_channel(struct kunit *test)
{
	struct zcb_channel *ch;
	struct zcb_port *port;
	struct two t;

	begin(test, &t);
	port = obj_channel(test, t.a, &t.cfg, P | C);
	ch = port->channel;
	KUNIT_EXPECT_NE(test, port->handle, 0);
	KUNIT_EXPECT_EQ(test, port->kinds, P | C);
	KUNIT_EXPECT_PTR_EQ(test, port->session, t.a);
	KUNIT_EXPECT_EQ(test, ch->handle, port->handle);
	KUNIT_EXPECT_PTR_EQ(test, ch->pool, t.pool);
	KUNIT_EXPECT_EQ(test, ch->producers, 1);
	KUNIT_EXPECT_EQ(test, ch->consumers, 1);
	KUNIT_EXPECT_EQ(test, ch->failure_ports, 0);
	KUNIT_EXPECT_EQ(test, port->consumer.depth, ZCB_QUEUE_DEPTH);
	KUNIT_EXPECT_EQ(test, t.pool->channels.live, 1);
	KUNIT_EXPECT_NE(test, ch->domain, t.a->domain);
	KUNIT_EXPECT_EQ(test, find(t.a, port->handle), 0);
}

static void channels_have_handles_of_their_own(struct kunit *test)
{
	struct zcb_port *x, *y;
	struct two t;

	begin(test, &t);
	x = obj_channel(test, t.a, &t.cfg, P);
	y = obj_channel(test, t.a, &t.cfg, P);
	KUNIT_EXPECT_NE(test, x->handle, y->handle);
	KUNIT_EXPECT_NE(test, x->channel->domain, y->channel->domain);
	KUNIT_EXPECT_EQ(test, count_ports(t.a), 2);
	KUNIT_EXPECT_EQ(test, count_ports(t.b), 0);
}

/* What a session has it keeps; only what is new is counted. */
static void opening_again_adds(struct kunit *test)
{
	struct zcb_channel *ch;
	struct zcb_port *port;
	struct two t;
	u32 added;

	begin(test, &t);
	port = obj_channel(test, t.a, &t.cfg, P);
	ch = port->channel;
	KUNIT_EXPECT_EQ(test, open_more(t.a, port->handle, NULL, P | C, 0,
					&added), 0);
	KUNIT_EXPECT_EQ(test, added, C);
	KUNIT_EXPECT_EQ(test, port->kinds, P | C);
	KUNIT_EXPECT_EQ(test, open_more(t.a, port->handle, NULL, P | C | F, 0,
					&added), 0);
	KUNIT_EXPECT_EQ(test, added, F);
	KUNIT_EXPECT_EQ(test, open_more(t.a, port->handle, NULL, P | C | F, 0,
					&added), 0);
	KUNIT_EXPECT_EQ(test, added, 0);
	KUNIT_EXPECT_EQ(test, ch->producers, 1);
	KUNIT_EXPECT_EQ(test, ch->consumers, 1);
	KUNIT_EXPECT_EQ(test, ch->failure_ports, 1);
	KUNIT_EXPECT_EQ(test, count_ports(t.a), 1);
}

static void sessions_have_ports_of_their_own(struct kunit *test)
{
	struct zcb_port *x, *y;
	struct two t;

	begin(test, &t);
	x = obj_channel(test, t.a, &t.cfg, P);
	y = obj_attach(test, t.b, x->handle, P | C);
	KUNIT_EXPECT_PTR_NE(test, x, y);
	KUNIT_EXPECT_PTR_EQ(test, x->channel, y->channel);
	KUNIT_EXPECT_EQ(test, x->kinds, P);
	KUNIT_EXPECT_EQ(test, x->channel->producers, 2);
	KUNIT_EXPECT_EQ(test, x->channel->consumers, 1);
}

static void options_must_be_those_it_was_made_with(struct kunit *test)
{
	struct zcb_channel_config other;
	struct zcb_port *port;
	struct two t;
	u32 added;

	begin(test, &t);
	port = obj_channel(test, t.a, &t.cfg, P);
	KUNIT_EXPECT_EQ(test, open_more(t.b, port->handle, &t.cfg, C, 0,
					&added), 0);
	other = t.cfg;
	other.flags = ZCBUF_CHANNEL_F_ORDERED;
	KUNIT_EXPECT_EQ(test, open_more(t.b, port->handle, &other, C, 0,
					&added), -EEXIST);
	other = t.cfg;
	other.max_age_us = 1;
	KUNIT_EXPECT_EQ(test, open_more(t.b, port->handle, &other, C, 0,
					&added), -EEXIST);
	other = t.cfg;
	other.stream.threshold++;
	KUNIT_EXPECT_EQ(test, open_more(t.b, port->handle, &other, C, 0,
					&added), -EEXIST);
	other = t.cfg;
	other.stream.max_reservation++;
	KUNIT_EXPECT_EQ(test, open_more(t.b, port->handle, &other, C, 0,
					&added), -EEXIST);
	other = t.cfg;
	other.stream.align = 2;
	KUNIT_EXPECT_EQ(test, open_more(t.b, port->handle, &other, C, 0,
					&added), -EEXIST);
	other = t.cfg;
	other.stream.max_outstanding++;
	KUNIT_EXPECT_EQ(test, open_more(t.b, port->handle, &other, F, 0,
					&added), -EEXIST);
	KUNIT_EXPECT_EQ(test, port->channel->failure_ports, 0);
}

static void the_queue_has_the_depth_it_was_opened_with(struct kunit *test)
{
	struct zcb_port *port;
	struct two t;
	u32 added;

	begin(test, &t);
	port = obj_channel(test, t.a, &t.cfg, P);
	KUNIT_EXPECT_EQ(test, open_more(t.a, port->handle, NULL, C, 7, &added),
			0);
	KUNIT_EXPECT_EQ(test, port->consumer.depth, 7);
	KUNIT_EXPECT_EQ(test, open_more(t.a, port->handle, NULL, C, 7, &added),
			0);
	KUNIT_EXPECT_EQ(test, open_more(t.a, port->handle, NULL, C, 0, &added),
			0);
	KUNIT_EXPECT_EQ(test, open_more(t.a, port->handle, NULL, C | F, 8,
					&added), -EEXIST);
	KUNIT_EXPECT_EQ(test, port->kinds, P | C);
	KUNIT_EXPECT_EQ(test, open_more(t.a, port->handle, NULL, P, 8, &added),
			0);
	KUNIT_EXPECT_EQ(test, open_more(t.b, port->handle, NULL, C, 8, &added),
			0);
	KUNIT_EXPECT_EQ(test, port->consumer.depth, 7);
}

static void so_many_failure_ports(struct kunit *test)
{
	struct zcb_port *port;
	struct two t;
	u32 added;

	begin(test, &t);
	port = obj_channel(test, t.a, &t.cfg, P | F);
	KUNIT_EXPECT_EQ(test, port->channel->failure_ports, 1);
	port->channel->failure_ports = ZCB_CHANNEL_FAILURE_PORTS;
	KUNIT_EXPECT_EQ(test, open_more(t.b, port->handle, NULL, C | F, 0,
					&added), -EMFILE);
	KUNIT_EXPECT_EQ(test, find(t.b, port->handle), -EPERM);
	KUNIT_EXPECT_EQ(test, port->channel->consumers, 0);
	KUNIT_EXPECT_EQ(test, open_more(t.a, port->handle, NULL, C | F, 0,
					&added), 0);
	port->channel->failure_ports--;
	KUNIT_EXPECT_EQ(test, open_more(t.b, port->handle, NULL, C | F, 0,
					&added), 0);
	KUNIT_EXPECT_EQ(test, port->channel->failure_ports,
			ZCB_CHANNEL_FAILURE_PORTS);
	port->channel->failure_ports = 2;
}

static void so_many_channels(struct kunit *test)
{
	u32 added, cap;
	struct two t;

	begin(test, &t);
	KUNIT_EXPECT_EQ(test, t.pool->channels.cap, ZCB_POOL_MAX_CHANNELS);
	obj_channel(test, t.a, &t.cfg, P);
	cap = t.pool->channels.cap;
	t.pool->channels.cap = 1;
	KUNIT_EXPECT_EQ(test, open_more(t.a, 0, &t.cfg, P, 0, &added), -EMFILE);
	t.pool->channels.cap = cap;
	KUNIT_EXPECT_EQ(test, t.pool->channels.live, 1);
	KUNIT_EXPECT_EQ(test, count_ports(t.a), 1);
	KUNIT_EXPECT_EQ(test, open_more(t.a, 0, &t.cfg, P, 0, &added), 0);
}

static void channels_that_are_not_there(struct kunit *test)
{
	struct zcb_port *port;
	struct two t;
	u64 handle;
	u32 added;

	begin(test, &t);
	port = obj_channel(test, t.a, &t.cfg, P);
	handle = port->handle;
	KUNIT_EXPECT_EQ(test, open_more(t.b, handle + 1, NULL, C, 0, &added),
			-ENOENT);
	KUNIT_EXPECT_EQ(test, open_more(t.b, 1, NULL, C, 0, &added), -EINVAL);
	obj_drop_port(test, port);
	KUNIT_EXPECT_EQ(test, zcb_channel_close(t.a, handle, 0), 0);
	KUNIT_EXPECT_NE(test, open_more(t.b, handle, NULL, C, 0, &added), 0);
	port = obj_channel(test, t.a, &t.cfg, P);
	KUNIT_EXPECT_EQ(test, (u32)port->handle, (u32)handle);
	KUNIT_EXPECT_EQ(test, open_more(t.b, handle, NULL, C, 0, &added),
			-ESTALE);
	KUNIT_EXPECT_EQ(test, find(t.a, handle), -ESTALE);
	KUNIT_EXPECT_EQ(test, zcb_channel_close(t.a, handle, 0), -ESTALE);
	KUNIT_EXPECT_EQ(test, t.pool->channels.live, 1);
}

static void who_opens_pays_and_may_be_refused(struct kunit *test)
{
	struct zcb_session *s;
	struct obj_user u;
	struct two t;
	u64 charged;
	u32 added;
	int err;

	begin(test, &t);
	obj_become(test, &u, 4001);
	s = obj_session(test, t.pool);
	obj_channel(test, s, &t.cfg, P);
	charged = obj_charged(s->uid);
	KUNIT_EXPECT_GE(test, charged, sizeof(struct zcb_channel));
	obj_channel(test, s, &t.cfg, P);
	KUNIT_EXPECT_EQ(test, obj_charged(s->uid), 2 * charged);
	obj_limits(test, 0, 64);
	err = open_more(s, 0, &t.cfg, P, 0, &added);
	obj_return(&u);
	KUNIT_EXPECT_EQ(test, err, -ENOMEM);
	KUNIT_EXPECT_EQ(test, obj_charged(s->uid), 2 * charged);
	KUNIT_EXPECT_EQ(test, t.pool->channels.live, 2);
	KUNIT_EXPECT_EQ(test, count_ports(s), 2);
}

/* More reservations, more buckets to find them in: a power of two of them. */
static void large_channels_cost_more(struct kunit *test)
{
	static const u32 outstanding[] = { 1, 256, 1000, 65536 };
	static const u32 buckets[] = { 16, 32, 128, 8192 };
	struct two t;
	u64 charged;
	u32 i;

	begin(test, &t);
	for (i = 0; i < ARRAY_SIZE(buckets); i++) {
		charged = obj_total_charged();
		t.cfg.stream.max_outstanding = outstanding[i];
		obj_channel(test, t.a, &t.cfg, P);
		KUNIT_EXPECT_EQ(test, obj_total_charged() - charged,
				sizeof(struct zcb_channel) +
				buckets[i] * sizeof(struct zcb_resv *));
	}
}

/* ------------------------------------------------------------------ finding */

static void finding_says_why_not(struct kunit *test)
{
	struct zcb_port *port;
	struct two t;
	u64 handle;

	begin(test, &t);
	port = obj_channel(test, t.a, &t.cfg, P);
	handle = port->handle;
	KUNIT_EXPECT_EQ(test, find(t.a, handle), 0);
	KUNIT_EXPECT_EQ(test, find(t.b, handle), -EPERM);
	KUNIT_EXPECT_EQ(test, find(t.a, handle + 1), -ENOENT);
	KUNIT_EXPECT_EQ(test, find(t.a, 0), -EINVAL);
	KUNIT_EXPECT_NE(test, find(t.a, handle | 1ULL << 63), 0);
}

static void a_walk_finds_each_port_once(struct kunit *test)
{
	struct zcb_port *port[5], *next;
	unsigned long index = 0;
	struct two t;
	u32 i;

	begin(test, &t);
	for (i = 0; i < 5; i++)
		port[i] = obj_channel(test, t.a, &t.cfg, P);
	KUNIT_EXPECT_EQ(test, zcb_channel_close(t.a, port[0]->handle, 0), 0);
	KUNIT_EXPECT_EQ(test, zcb_channel_close(t.a, port[3]->handle, 0), 0);
	for (i = 1; i < 5; i += 1 + (i == 2)) {
		next = zcb_port_next(t.a, &index);
		KUNIT_EXPECT_PTR_EQ(test, next, port[i]);
		zcb_port_put(next);
	}
	KUNIT_EXPECT_NULL(test, zcb_port_next(t.a, &index));
}

/* A call that is running keeps what it works on, and no more. */
static void a_port_outlives_its_channel(struct kunit *test)
{
	struct zcb_stream_counts n;
	struct zcbuf_reservation r;
	struct zcb_failed_group f;
	struct zcb_port_poll p = {};
	struct zcbuf_delivery d;
	struct zcb_port *port;
	struct two t;
	bool sealed;

	begin(test, &t);
	port = obj_channel(test, t.a, &t.cfg, OBJ_PORTS);
	obj_send(test, port, 100);
	r = obj_reserve(test, port, 100);
	KUNIT_EXPECT_EQ(test, zcb_channel_close(t.a, port->handle, 0), 0);
	KUNIT_EXPECT_EQ(test, t.pool->channels.live, 0);
	KUNIT_EXPECT_EQ(test, obj_used(test, t.pool), 0);
	KUNIT_EXPECT_GT(test, obj_total_charged(), OBJ_ARENA);

	KUNIT_EXPECT_EQ(test, obj_commit(port, &r), -EPERM);
	KUNIT_EXPECT_EQ(test, zcb_channel_abort(port, 0, 0), -EPERM);
	KUNIT_EXPECT_EQ(test, zcb_channel_flush(port, &sealed), -EPERM);
	KUNIT_EXPECT_EQ(test, zcb_channel_finalize(port, &n), -EPERM);
	KUNIT_EXPECT_EQ(test, obj_try_reserve(port, 10, &r), -EPERM);
	KUNIT_EXPECT_EQ(test, obj_try_receive(port, &d), -EPERM);
	KUNIT_EXPECT_EQ(test, zcb_channel_receive_failed(port, &f, 9, 9, 0),
			-EPERM);
	KUNIT_EXPECT_EQ(test, zcb_port_eventfd(port, false, false, NULL), -EPERM);
	KUNIT_EXPECT_EQ(test, zcb_port_eventfd(port, true, false, NULL), -EPERM);
	KUNIT_EXPECT_EQ(test, zcb_port_poll(port, &p), 0);
	KUNIT_EXPECT_EQ(test, p.receiving, 0);
	obj_drop_port(test, port);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), OBJ_ARENA);
}

/* ------------------------------------------------------------------ closing */

static void ports_close_one_by_one(struct kunit *test)
{
	struct zcb_channel *ch;
	struct zcb_port *port;
	struct two t;
	u64 handle;

	begin(test, &t);
	port = obj_channel(test, t.a, &t.cfg, P | C | F);
	ch = port->channel;
	handle = port->handle;
	KUNIT_EXPECT_EQ(test, zcb_channel_close(t.a, handle, C), 0);
	KUNIT_EXPECT_EQ(test, port->kinds, P | F);
	KUNIT_EXPECT_EQ(test, ch->consumers, 0);
	KUNIT_EXPECT_EQ(test, zcb_channel_close(t.a, handle, C), -ENOENT);
	KUNIT_EXPECT_EQ(test, zcb_channel_close(t.a, handle, C | F), 0);
	KUNIT_EXPECT_EQ(test, port->kinds, P);
	KUNIT_EXPECT_EQ(test, ch->failure_ports, 0);
	KUNIT_EXPECT_EQ(test, find(t.a, handle), 0);
	KUNIT_EXPECT_EQ(test, zcb_channel_close(t.a, handle, P), 0);
	KUNIT_EXPECT_EQ(test, port->kinds, 0);
	KUNIT_EXPECT_EQ(test, ch->producers, 0);
	KUNIT_EXPECT_NE(test, find(t.a, handle), 0);
	KUNIT_EXPECT_NE(test, zcb_channel_close(t.a, handle, 0), 0);
	KUNIT_EXPECT_EQ(test, t.pool->channels.live, 0);
}

static void closing_what_one_does_not_have(struct kunit *test)
{
	struct zcb_port *port;
	struct two t;

	begin(test, &t);
	port = obj_channel(test, t.a, &t.cfg, P);
	KUNIT_EXPECT_EQ(test, zcb_channel_close(t.b, port->handle, 0), -ENOENT);
	KUNIT_EXPECT_EQ(test, zcb_channel_close(t.a, port->handle, C), -ENOENT);
	KUNIT_EXPECT_EQ(test, zcb_channel_close(t.a, port->handle + 1, 0),
			-ENOENT);
	KUNIT_EXPECT_EQ(test, port->kinds, P);
}

static void a_port_can_be_had_again(struct kunit *test)
{
	struct zcb_port *old, *port;
	struct two t;

	begin(test, &t);
	old = obj_channel(test, t.a, &t.cfg, P | C);
	obj_attach(test, t.b, old->handle, P);
	KUNIT_EXPECT_EQ(test, zcb_channel_close(t.a, old->handle, 0), 0);
	port = obj_attach(test, t.a, old->handle, P | C);
	KUNIT_EXPECT_PTR_NE(test, port, old);
	KUNIT_EXPECT_PTR_EQ(test, port->channel, old->channel);
	obj_send(test, port, 10);
	KUNIT_EXPECT_EQ(test, obj_receive(test, port).length, 10);
}

static void a_channel_lives_as_long_as_any_port(struct kunit *test)
{
	struct zcb_port *port, *other;
	struct two t;
	u64 handle;

	begin(test, &t);
	port = obj_channel(test, t.a, &t.cfg, P);
	handle = port->handle;
	other = obj_attach(test, t.b, handle, F);
	obj_drop_port(test, port);
	obj_close(test, t.a);
	KUNIT_EXPECT_EQ(test, t.pool->channels.live, 1);
	KUNIT_EXPECT_EQ(test, find(t.b, handle), 0);
	obj_drop_port(test, other);
	obj_close(test, t.b);
	KUNIT_EXPECT_EQ(test, t.pool->channels.live, 0);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), OBJ_ARENA);
}

static void the_last_producer_ends_the_stream(struct kunit *test)
{
	struct zcb_port *x, *y;
	struct zcbuf_delivery d;
	struct two t;

	begin(test, &t);
	t.cfg.stream.threshold = PAGE_SIZE;
	x = obj_channel(test, t.a, &t.cfg, P | C);
	y = obj_attach(test, t.b, x->handle, P);
	obj_send(test, y, 30);
	zcb_channel_close(t.b, x->handle, P);
	KUNIT_EXPECT_EQ(test, obj_try_receive(x, &d), -EAGAIN);
	zcb_channel_close(t.a, x->handle, P);
	KUNIT_EXPECT_EQ(test, obj_receive(test, x).length, 30);
	KUNIT_EXPECT_EQ(test, obj_try_receive(x, &d), -ESHUTDOWN);
}

static void the_last_producer_of_a_kept_channel_seals(struct kunit *test)
{
	struct zcb_port *port;
	struct zcbuf_delivery d;
	struct two t;

	begin(test, &t);
	t.cfg.stream.threshold = PAGE_SIZE;
	t.cfg.flags = ZCBUF_CHANNEL_F_NO_AUTO_FINALIZE;
	port = obj_channel(test, t.a, &t.cfg, P | C);
	obj_send(test, port, 30);
	zcb_channel_close(t.a, port->handle, P);
	KUNIT_EXPECT_EQ(test, obj_receive(test, port).length, 30);
	KUNIT_EXPECT_EQ(test, obj_try_receive(port, &d), -EAGAIN);
	obj_attach(test, t.a, port->handle, P);
	KUNIT_EXPECT_EQ(test, obj_reserve(test, port, 10).out_offset, 30);
}

/* Who waits for a consumer of this channel, or on the port, looks again. */
static void closing_is_announced(struct kunit *test)
{
	struct zcb_port *port;
	int space, event;
	struct two t;

	begin(test, &t);
	port = obj_channel(test, t.a, &t.cfg, P | C);
	space = atomic_read(&t.pool->space_seq);
	event = atomic_read(&t.a->event_seq);
	zcb_channel_close(t.a, port->handle, P);
	KUNIT_EXPECT_NE(test, atomic_read(&t.pool->space_seq), space);
	KUNIT_EXPECT_NE(test, atomic_read(&t.a->event_seq), event);
}

static void eventfds_are_put(struct kunit *test)
{
	struct eventfd_ctx *success = obj_eventfd(test);
	struct eventfd_ctx *failure = obj_eventfd(test);
	struct zcb_port *port;
	struct two t;

	begin(test, &t);
	port = obj_channel(test, t.a, &t.cfg, P | C | F);
	KUNIT_EXPECT_EQ(test, zcb_port_eventfd(port, false, false, success), 0);
	KUNIT_EXPECT_EQ(test, zcb_port_eventfd(port, true, false, failure), 0);
	zcb_channel_close(t.a, port->handle, P);
	KUNIT_EXPECT_EQ(test, success->puts + failure->puts, 0);
	zcb_channel_close(t.a, port->handle, C);
	KUNIT_EXPECT_EQ(test, success->puts, 1);
	KUNIT_EXPECT_EQ(test, failure->puts, 0);
	obj_close(test, t.a);
	KUNIT_EXPECT_EQ(test, success->puts, 1);
	KUNIT_EXPECT_EQ(test, failure->puts, 1);
}

static struct kunit_case port_cases[] = {
	KUNIT_CASE(a_new_channel),
	KUNIT_CASE(channels_have_handles_of_their_own),
	KUNIT_CASE(opening_again_adds),
	KUNIT_CASE(sessions_have_ports_of_their_own),
	KUNIT_CASE(options_must_be_those_it_was_made_with),
	KUNIT_CASE(the_queue_has_the_depth_it_was_opened_with),
	KUNIT_CASE(so_many_failure_ports),
	KUNIT_CASE(so_many_channels),
	KUNIT_CASE(channels_that_are_not_there),
	KUNIT_CASE(who_opens_pays_and_may_be_refused),
	KUNIT_CASE(large_channels_cost_more),
	KUNIT_CASE(finding_says_why_not),
	KUNIT_CASE(a_walk_finds_each_port_once),
	KUNIT_CASE(a_port_outlives_its_channel),
	KUNIT_CASE(ports_close_one_by_one),
	KUNIT_CASE(closing_what_one_does_not_have),
	KUNIT_CASE(a_port_can_be_had_again),
	KUNIT_CASE(a_channel_lives_as_long_as_any_port),
	KUNIT_CASE(the_last_producer_ends_the_stream),
	KUNIT_CASE(the_last_producer_of_a_kept_channel_seals),
	KUNIT_CASE(closing_is_announced),
	KUNIT_CASE(eventfds_are_put),
	{}
};

static struct kunit_suite port_suite = {
	.name = "zcb_port",
	.suite_init = obj_suite_init,
	.suite_exit = obj_suite_exit,
	.init = obj_init,
	.test_cases = port_cases,
};

kunit_test_suite(port_suite);
