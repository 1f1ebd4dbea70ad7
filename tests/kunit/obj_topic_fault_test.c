// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opening topics and publishing, while each allocation fails; and who is charged for
 * the queues of their consumers, and until when.
 */
#include <linux/file.h>

#include "../../kmod/obj/ring.h"
#include "obj_fault.h"
#include "obj_topic.h"

/* What @f->handle names is gone then: the next one. */
static void undo_publish(struct fault *f)
{
	const struct zcb_memory_request r = { .length = OBJECT };

	zcb_memory_alloc(f->pool, &f->s->hold, f->s->domain, &r, &f->handle);
}

static int call_publish(struct fault *f)
{
	struct zcbuf_publication p;

	return obj_try_publish(f->port, f->handle, 0, &p);
}

static void publish_in(struct kunit *test, struct three t, u32 failures)
{
	const struct zcb_channel_config cfg = topic_config(t.pool);
	struct fault f = {
		.call = call_publish, .undo = undo_publish, .pool = t.pool,
		.s = t.a,
	};

	f.port = obj_channel(test, t.a, &cfg, ZCBUF_PORT_PRODUCE);
	/* So that there is something of the kind always, and it is paid for. */
	obj_publish(test, f.port, obj_alloc(test, t.a, OBJECT));
	obj_alloc(test, t.a, OBJECT);
	f.handle = obj_alloc(test, t.a, OBJECT);
	fail_each(test, &f);
	KUNIT_EXPECT_GE(test, f.failures, failures);
	KUNIT_EXPECT_EQ(test, try_free(t.a, f.handle), 0);
}

static void publishing_a_block(struct kunit *test)
{
	publish_in(test, of_pages(test), 2);
}

/* A loan as well. */
static void publishing_an_object(struct kunit *test)
{
	publish_in(test, of_tiers(test), 3);
}

static void publishing_a_fixed_object(struct kunit *test)
{
	publish_in(test, of_fixed(test), 2);
}

static int call_open(struct fault *f)
{
	static const struct zcbuf_channel_name name = {
		.service_len = 1, .instance_len = 1, .event_len = 1,
		.service = "s", .instance = "i", .event = "e",
	};
	const struct zcb_channel_wish w = {
		.handle = f->handle,
		.name = f->handle ? NULL : &name,
		.cfg = f->cfg,
		.any = true,
		.port.kinds = ZCBUF_PORT_CONSUME,
	};
	struct zcb_port *port;
	u32 added;
	int err = zcb_channel_open(f->s, &w, &port, &added);

	if (!err)
		f->object = port;
	return err;
}

static void undo_open(struct fault *f)
{
	struct zcb_port *port = f->object;

	zcb_channel_close(f->s, port->handle, ZCBUF_PORT_CONSUME);
	zcb_port_put(port);
}

static void opening_by_name(struct kunit *test)
{
	struct three t = of_pages(test);
	const struct zcb_channel_config cfg = topic_config(t.pool);
	struct fault f = {
		.call = call_open, .undo = undo_open, .pool = t.pool, .s = t.a,
		.cfg = &cfg,
	};

	/* The first port of a session needs no room in its table. */
	obj_channel(test, t.a, &cfg, ZCBUF_PORT_PRODUCE);
	fail_each(test, &f);
	KUNIT_EXPECT_GE(test, f.failures, 5);
	KUNIT_EXPECT_TRUE(test, hash_empty(t.pool->names));
}

/* Its port stays, and is charged for nothing that it has not. */
static void consuming_as_well(struct kunit *test)
{
	struct three t = of_pages(test);
	const struct zcb_channel_config cfg = topic_config(t.pool);
	struct fault f = {
		.call = call_open, .undo = undo_open, .pool = t.pool, .s = t.a,
		.cfg = &cfg,
	};

	f.port = obj_channel(test, t.a, &cfg, ZCBUF_PORT_PRODUCE);
	f.handle = f.port->handle;
	fail_each(test, &f);
	KUNIT_EXPECT_GE(test, f.failures, 1);
	KUNIT_EXPECT_EQ(test, f.port->kinds, ZCBUF_PORT_PRODUCE);
}

/* Each time of a session that has none. */
static int call_ring(struct fault *f)
{
	u64 bytes, state_bytes;

	f->s = zcb_session_open(ZCBUF_RIGHTS_ALL);
	if (!f->s)
		return -ENOMEM;
	if (!zcb_session_join(f->s, f->pool, ZCBUF_RIGHTS_ALL)) {
		zcb_pool_get(f->pool);
		f->object = zcb_ring_file(f->s, &bytes, &state_bytes);
		if (!IS_ERR(f->object))
			return 0;
	}
	zcb_session_close(f->s);
	return PTR_ERR(f->object);
}

static void undo_ring(struct fault *f)
{
	__fput_sync(f->object);
	zcb_session_close(f->s);
}

static void making_a_ring(struct kunit *test)
{
	struct fault f = {
		.call = call_ring, .undo = undo_ring, .pool = obj_pool(test),
	};

	fail_each(test, &f);
	KUNIT_EXPECT_GE(test, f.failures, 4);
}

/* ------------------------------------------------------------------ charges */

static u64 queue_bytes(u32 slots)
{
	struct zcb_topic_queue *q;

	return struct_size(q, slots, slots);
}

static int consume(struct zcb_session *s, u64 channel, u32 depth, u32 max_held,
		   struct zcb_port **port)
{
	const struct zcb_channel_wish w = {
		.handle = channel,
		.port = {
			.kinds = ZCBUF_PORT_CONSUME,
			.depth = depth,
			.max_held = max_held,
		},
	};
	u32 added;

	return zcb_channel_open(s, &w, port, &added);
}

static void a_queue_is_charged(struct kunit *test)
{
	struct three t = of_pages(test);
	const struct zcb_channel_config cfg = topic_config(t.pool);
	struct zcb_port *in = obj_channel(test, t.a, &cfg, ZCBUF_PORT_PRODUCE);
	struct zcb_port *port;
	u64 charged;

	charged = obj_charged(GLOBAL_ROOT_UID);
	KUNIT_ASSERT_EQ(test, consume(t.a, in->handle, 7, 5, &port), 0);
	zcb_port_put(port);
	KUNIT_EXPECT_EQ(test, obj_charged(GLOBAL_ROOT_UID),
			charged + queue_bytes(12));
	/* The same again is the same. */
	KUNIT_ASSERT_EQ(test, consume(t.a, in->handle, 7, 0, &port), 0);
	zcb_port_put(port);
	KUNIT_EXPECT_EQ(test, consume(t.a, in->handle, 8, 0, &port), -EEXIST);
	KUNIT_EXPECT_EQ(test, consume(t.a, in->handle, 0, 6, &port), -EEXIST);
	KUNIT_EXPECT_EQ(test, obj_charged(GLOBAL_ROOT_UID),
			charged + queue_bytes(12));
	/* It goes with the consumer, though the port stays. */
	KUNIT_EXPECT_EQ(test, zcb_channel_close(t.a, in->handle,
						ZCBUF_PORT_CONSUME), 0);
	KUNIT_EXPECT_EQ(test, obj_charged(GLOBAL_ROOT_UID), charged);
	KUNIT_ASSERT_EQ(test, consume(t.a, in->handle, 0, 0, &port), 0);
	zcb_port_put(port);
	KUNIT_EXPECT_EQ(test, obj_charged(GLOBAL_ROOT_UID), charged +
			queue_bytes(ZCB_QUEUE_DEPTH + ZCB_QUEUE_HELD));
	obj_publish(test, in, obj_alloc(test, t.a, OBJECT));
	obj_receive(test, in);
	obj_publish(test, in, obj_alloc(test, t.a, OBJECT));
	KUNIT_EXPECT_EQ(test, zcb_channel_close(t.a, in->handle,
						ZCBUF_PORT_CONSUME), 0);
	KUNIT_EXPECT_EQ(test, obj_used(test, t.pool), 0);
}

/* And refused beyond a limit: who consumes pays, not who made the channel. */
static void a_queue_beyond_a_limit(struct kunit *test)
{
	struct three t = of_pages(test);
	const struct zcb_channel_config cfg = topic_config(t.pool);
	struct zcb_port *in = obj_channel(test, t.a, &cfg, ZCBUF_PORT_PRODUCE);
	struct zcb_port *port = NULL;
	struct zcb_session *s;
	struct obj_user u;
	int err;

	obj_limits(test, 1, 64);
	obj_become(test, &u, 4001);
	s = obj_session(test, t.pool);
	err = consume(s, in->handle, ZCB_QUEUE_DEPTH_MAX, 1, &port);
	KUNIT_EXPECT_EQ(test, err, -ENOMEM);
	KUNIT_EXPECT_EQ(test, obj_charged(KUIDT_INIT(4001)), 0);
	KUNIT_EXPECT_EQ(test, in->channel->consumers, 0);
	err = consume(s, in->handle, 100, 1, &port);
	obj_return(&u);
	KUNIT_ASSERT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ(test, obj_charged(KUIDT_INIT(4001)), queue_bytes(101));
	zcb_port_put(port);
	obj_close(test, s);
	KUNIT_EXPECT_EQ(test, obj_charged(KUIDT_INIT(4001)), 0);
}

/* What is published is paid for as what is reserved. */
static void records_are_charged(struct kunit *test)
{
	struct three t = of_pages(test);
	const struct zcb_channel_config cfg = topic_config(t.pool);
	struct zcb_port *in = obj_channel(test, t.a, &cfg, ZCBUF_PORT_PRODUCE |
					  ZCBUF_PORT_CONSUME);
	u64 charged = obj_total_charged(), paid;
	u32 i;

	obj_publish(test, in, obj_alloc(test, t.a, OBJECT));
	paid = obj_total_charged() - charged;
	KUNIT_EXPECT_EQ(test, paid, 64 * (sizeof(struct zcb_resv) +
					  sizeof(struct zcb_group)));
	for (i = 1; i < 64; i++)
		obj_publish(test, in, obj_alloc(test, t.a, OBJECT));
	KUNIT_EXPECT_EQ(test, obj_total_charged(), charged + paid);
	obj_publish(test, in, obj_alloc(test, t.a, OBJECT));
	KUNIT_EXPECT_EQ(test, obj_total_charged(), charged + 2 * paid);
}

static struct kunit_case topic_fault_cases[] = {
	KUNIT_CASE(publishing_a_block),
	KUNIT_CASE(publishing_an_object),
	KUNIT_CASE(publishing_a_fixed_object),
	KUNIT_CASE(opening_by_name),
	KUNIT_CASE(consuming_as_well),
	KUNIT_CASE(making_a_ring),
	{}
};

static struct kunit_suite topic_fault_suite = {
	.name = "zcb_topic_fault",
	.suite_init = obj_suite_init,
	.suite_exit = obj_suite_exit,
	.init = fault_init,
	.test_cases = topic_fault_cases,
};

static struct kunit_case topic_charge_cases[] = {
	KUNIT_CASE(a_queue_is_charged),
	KUNIT_CASE(a_queue_beyond_a_limit),
	KUNIT_CASE(records_are_charged),
	{}
};

static struct kunit_suite topic_charge_suite = {
	.name = "zcb_topic_charge",
	.suite_init = obj_suite_init,
	.suite_exit = obj_suite_exit,
	.init = obj_init,
	.test_cases = topic_charge_cases,
};

kunit_test_suites(&topic_fault_suite, &topic_charge_suite);
