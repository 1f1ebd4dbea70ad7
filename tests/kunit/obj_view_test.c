// SPDX-License-Identifier: GPL-2.0-only
/*
 * Queues that are shown: what the kernel does about deliveries that a consumer took by
 * himself before it could notice, and who pays for what is shown.
 */
#include <linux/file.h>
#include <linux/mm.h>

#include "../../kmod/obj/quarantine.h"
#include "../../kmod/obj/view.h"
#include "obj_topic.h"

static struct file *show(struct kunit *test, struct zcb_port *port)
{
	struct file *file;
	u64 bytes;

	file = zcb_port_view(port, &bytes, &bytes);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	return file;
}

/* The next one, as a consumer takes it: the kernel is not told. */
static void take_itself(struct kunit *test, struct zcb_port *port, u64 at)
{
	struct zcb_view *v = port->view;
	u64 handle = v->rings[at & (v->ring - 1)];
	u32 *word = zcbuf_slot_word(v->state, handle);

	KUNIT_ASSERT_GT(test, v->head->tail[0], at);
	KUNIT_ASSERT_EQ(test, *word, zcbuf_slot_ready(handle));
	*word = zcbuf_slot_taken(handle);
}

static struct folio *hold(struct zcb_pool *pool, u64 handle)
{
	u64 offset = zcbuf_buf_offset(handle);
	struct folio *folio;

	folio = page_folio(zcb_pool_page(pool, offset >> PAGE_SHIFT));
	folio_get(folio);
	return folio;
}

/* I/O of the dead still reads it; what he was only offered it does not. */
static void the_dead_hold_what_they_took(struct kunit *test)
{
	struct topic x = topic_of(test, of_pages(test));
	struct zcb_pool *pool = x.t.pool;
	u64 handle = obj_alloc(test, x.t.a, PAGE_SIZE);
	struct folio *folio = hold(pool, handle);

	obj_die(test, x.t.c, x.out[1]);
	__fput_sync(show(test, x.out[0]));
	obj_publish(test, x.in, handle);
	obj_publish(test, x.in, obj_alloc(test, x.t.a, PAGE_SIZE));
	take_itself(test, x.out[0], 0);
	obj_die(test, x.t.b, x.out[0]);
	KUNIT_EXPECT_EQ(test, obj_used(test, pool), PAGE_SIZE);
	folio_put(folio);
	zcb_quarantine_look(pool);
	flush_delayed_work(&pool->quarantine_work);
	KUNIT_EXPECT_EQ(test, obj_used(test, pool), 0);
}

/* Who consumes pays, until neither port nor file is there. */
static void a_view_is_charged(struct kunit *test)
{
	const kuid_t uid = KUIDT_INIT(4001);
	struct topic x = topic_of(test, of_pages(test));
	struct zcb_session *s;
	struct zcb_port *port;
	struct obj_user u;
	struct file *file;
	u64 queue, view;

	obj_become(test, &u, 4001);
	s = obj_session(test, x.t.pool);
	port = obj_attach(test, s, x.in->handle, ZCBUF_PORT_CONSUME);
	obj_return(&u);
	queue = obj_charged(uid);
	file = show(test, port);
	view = port->view->shown.bytes + port->view->shown.state_bytes;
	KUNIT_EXPECT_EQ(test, obj_charged(uid), queue + view);
	__fput_sync(show(test, port));
	KUNIT_EXPECT_EQ(test, obj_charged(uid), queue + view);
	obj_die(test, s, port);
	KUNIT_EXPECT_EQ(test, obj_charged(uid), view);
	__fput_sync(file);
	KUNIT_EXPECT_EQ(test, obj_charged(uid), 0);
}

/* ------------------------------------------------------------- of streams */

/* A stream, of which the second and the third session consume. */
static struct topic stream_of(struct kunit *test, struct three t)
{
	const struct zcb_channel_config cfg = obj_config(t.pool);
	struct topic x = { .t = t };

	x.in = obj_channel(test, t.a, &cfg, ZCBUF_PORT_PRODUCE);
	x.out[0] = obj_attach(test, t.b, x.in->handle, ZCBUF_PORT_CONSUME);
	x.out[1] = obj_attach(test, t.c, x.in->handle, ZCBUF_PORT_CONSUME);
	return x;
}

/* What is pinned is the dead's still, whether it was taken before QUEUE or after. */
static void the_dead_hold_what_they_took_of_a_stream(struct kunit *test)
{
	struct topic x = stream_of(test, of_pages(test));
	u64 handle = obj_alloc(test, x.t.a, PAGE_SIZE);
	struct zcb_pool *pool = x.t.pool;
	struct folio *folio = hold(pool, handle);

	obj_die(test, x.t.c, x.out[1]);
	obj_publish(test, x.in, handle);
	obj_publish(test, x.in, obj_alloc(test, x.t.a, PAGE_SIZE));
	obj_publish(test, x.in, obj_alloc(test, x.t.a, PAGE_SIZE));
	obj_receive(test, x.out[0]);
	__fput_sync(show(test, x.out[0]));
	take_itself(test, x.out[0], 0);
	obj_die(test, x.t.b, x.out[0]);
	KUNIT_EXPECT_EQ(test, obj_used(test, pool), 3 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, x.in->channel->stream.nparked, 1);
	/* The pages of all of them are of one folio. */
	folio_put(folio);
	zcb_quarantine_look(pool);
	flush_delayed_work(&pool->quarantine_work);
	KUNIT_EXPECT_EQ(test, obj_used(test, pool), PAGE_SIZE);
}

/* Who sees it pays for it, until he consumes no more; or nobody, if it cannot be. */
static void a_view_of_a_stream_is_charged(struct kunit *test)
{
	const kuid_t uid = KUIDT_INIT(4001);
	struct topic x = stream_of(test, of_pages(test));
	struct zcb_session *s;
	struct zcb_port *port;
	struct obj_user u;
	struct file *file;
	u64 bytes, view;

	obj_become(test, &u, 4001);
	s = obj_session(test, x.t.pool);
	port = obj_attach(test, s, x.in->handle, ZCBUF_PORT_CONSUME);
	obj_return(&u);
	KUNIT_EXPECT_EQ(test, obj_charged(uid), 0);
	obj_limits(test, 1, 64);
	port->max_held = ZCB_QUEUE_HELD_MAX;
	obj_become(test, &u, 4001);
	file = zcb_port_view(port, &bytes, &bytes);
	obj_return(&u);
	KUNIT_EXPECT_EQ(test, PTR_ERR(file), -ENOMEM);
	KUNIT_EXPECT_EQ(test, obj_charged(uid), 0);
	KUNIT_EXPECT_NULL(test, port->queue);
	port->max_held = 8;
	file = show(test, port);
	view = port->view->shown.bytes + port->view->shown.state_bytes;
	KUNIT_EXPECT_EQ(test, port->queue->nslots, 8);
	KUNIT_EXPECT_EQ(test, obj_charged(uid),
			view + struct_size(port->queue, slots, 8));
	obj_die(test, s, port);
	KUNIT_EXPECT_EQ(test, obj_charged(uid), view);
	__fput_sync(file);
	KUNIT_EXPECT_EQ(test, obj_charged(uid), 0);
}

/* What is in its queue then is not its any more, so it has not got all there is. */
static void who_ends_the_stream_by_leaving(struct kunit *test)
{
	const struct three t = of_pages(test);
	const struct zcb_channel_config cfg = obj_config(t.pool);
	const struct zcbuf_queue_head *head;
	struct zcb_port *port;
	struct file *file;

	port = obj_channel(test, t.a, &cfg,
			   ZCBUF_PORT_PRODUCE | ZCBUF_PORT_CONSUME);
	file = show(test, port);
	head = port->view->head;
	obj_publish(test, port, obj_alloc(test, t.a, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, head->ended, 0);
	KUNIT_EXPECT_EQ(test, 0, zcb_channel_close(t.a, port->handle, 0));
	KUNIT_EXPECT_EQ(test, head->ended, ZCBUF_QUEUE_CLOSED);
	__fput_sync(file);
}

static struct kunit_case view_cases[] = {
	KUNIT_CASE(the_dead_hold_what_they_took),
	KUNIT_CASE(a_view_is_charged),
	KUNIT_CASE(the_dead_hold_what_they_took_of_a_stream),
	KUNIT_CASE(a_view_of_a_stream_is_charged),
	KUNIT_CASE(who_ends_the_stream_by_leaving),
	{}
};

static struct kunit_suite view_suite = {
	.name = "zcb_view",
	.suite_init = obj_suite_init,
	.suite_exit = obj_suite_exit,
	.init = obj_init,
	.test_cases = view_cases,
};

kunit_test_suite(view_suite);
