// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers of all kinds that become groups: whose they are, whoever dies, and what
 * PUBLISH refuses; and what a dead consumer was reading.
 */
#include "../../kmod/obj/quarantine.h"
#include "obj_kinds.h"
#include "obj_topic.h"

/* A buffer with something in it, published to both. */
static u64 publish_to_both(struct kunit *test, struct topic *x,
			   const struct kind *kind)
{
	u64 handle = obj_alloc(test, x->t.a, kind->length);
	struct zcbuf_publication p;

	obj_fill(x->t.pool, zcbuf_buf_offset(handle), kind->capacity, 0x5a);
	p = obj_publish(test, x->in, handle);
	KUNIT_EXPECT_EQ(test, p.out_delivered, 2);
	KUNIT_EXPECT_EQ(test, p.out_dropped, 0);
	KUNIT_EXPECT_EQ(test, p.out_seq, 0);
	return handle;
}

static u64 receive(struct kunit *test, struct topic *x, u32 i, u64 handle,
		   const struct kind *kind)
{
	struct zcbuf_delivery d = obj_receive(test, x->out[i]);

	KUNIT_EXPECT_EQ(test, d.nextents, 1);
	KUNIT_EXPECT_EQ(test, d.extents[0].pool_offset,
			zcbuf_buf_offset(handle));
	KUNIT_EXPECT_EQ(test, d.extents[0].length, kind->capacity);
	KUNIT_EXPECT_EQ(test, d.length, kind->capacity);
	KUNIT_EXPECT_EQ(test, d.user_tag, 11);
	KUNIT_EXPECT_TRUE(test, obj_is(x->t.pool, zcbuf_buf_offset(handle),
				       kind->capacity, 0x5a));
	return d.handle;
}

static void the_last_consumer_frees_it(struct kunit *test)
{
	const struct kind *kind = test->param_value;
	struct topic x = topic_of(test, kind->pool(test));
	u64 handle = publish_to_both(test, &x, kind);
	u64 used = obj_used(test, x.t.pool);
	u64 d[2];
	u32 i;

	KUNIT_EXPECT_GE(test, used, kind->capacity);
	expect_holds(test, x.t.a, 0, 0);
	obj_refused(test, x.in, handle, 0, -EALREADY);
	for (i = 0; i < 2; i++)
		d[i] = receive(test, &x, i, handle, kind);
	KUNIT_EXPECT_EQ(test, zcb_channel_release(x.out[1], d[1]), 0);
	KUNIT_EXPECT_EQ(test, zcb_channel_release(x.out[1], d[1]), -EBADSLT);
	KUNIT_EXPECT_EQ(test, obj_used(test, x.t.pool), used);
	KUNIT_EXPECT_EQ(test, obj_channel_stat(test, x.t.pool).bytes,
			kind->capacity);
	obj_refused(test, x.in, handle, 0, -EALREADY);
	KUNIT_EXPECT_EQ(test, zcb_channel_release(x.out[0], d[0]), 0);
	KUNIT_EXPECT_EQ(test, obj_used(test, x.t.pool), 0);
	KUNIT_EXPECT_LT(test, try_free(x.t.a, handle), 0);
}

static void to_nobody(struct kunit *test)
{
	const struct kind *kind = test->param_value;
	struct topic x = topic_of(test, kind->pool(test));
	struct zcbuf_publication p;
	u64 handle;

	zcb_channel_close(x.t.b, x.in->handle, 0);
	zcb_channel_close(x.t.c, x.in->handle, 0);
	handle = obj_alloc(test, x.t.a, kind->length);
	p = (struct zcbuf_publication){ .handle = handle };
	KUNIT_EXPECT_EQ(test,
			obj_channel_publish(x.in, &p,
					    ZCBUF_PUBLISH_F_NEED_CONSUMER, 0),
			-EPIPE);
	p = obj_publish(test, x.in, handle);
	KUNIT_EXPECT_EQ(test, p.out_delivered, 0);
	KUNIT_EXPECT_EQ(test, obj_used(test, x.t.pool), 0);
	/* It is not published any more, it is free. */
	KUNIT_EXPECT_NE(test, obj_try_publish(x.in, handle, 0, &p), -EALREADY);
}

/* ------------------------------------------------------------------- deaths */

static void the_publisher_dies(struct kunit *test)
{
	const struct kind *kind = test->param_value;
	struct topic x = topic_of(test, kind->pool(test));
	u64 handle = publish_to_both(test, &x, kind), d;

	d = receive(test, &x, 0, handle, kind);
	obj_die(test, x.t.a, x.in);
	receive(test, &x, 1, handle, kind);
	KUNIT_EXPECT_EQ(test, zcb_channel_release(x.out[0], d), 0);
	KUNIT_EXPECT_GE(test, obj_used(test, x.t.pool), kind->capacity);
	obj_die(test, x.t.c, x.out[1]);
	KUNIT_EXPECT_EQ(test, obj_used(test, x.t.pool), 0);
}

/* One of them reads it, the other one has not begun. */
static void the_consumers_die(struct kunit *test)
{
	const struct kind *kind = test->param_value;
	struct topic x = topic_of(test, kind->pool(test));
	u64 handle = publish_to_both(test, &x, kind);

	receive(test, &x, 0, handle, kind);
	obj_die(test, x.t.b, x.out[0]);
	KUNIT_EXPECT_GE(test, obj_used(test, x.t.pool), kind->capacity);
	obj_die(test, x.t.c, x.out[1]);
	KUNIT_EXPECT_EQ(test, obj_used(test, x.t.pool), 0);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, x.t.pool)->channels, 1);
}

/* All at once: nothing is left of the channel either. */
static void all_of_them_die(struct kunit *test)
{
	const struct kind *kind = test->param_value;
	struct topic x = topic_of(test, kind->pool(test));
	u64 handle = publish_to_both(test, &x, kind);

	receive(test, &x, 1, handle, kind);
	obj_die(test, x.t.a, x.in);
	obj_die(test, x.t.c, x.out[1]);
	obj_die(test, x.t.b, x.out[0]);
	KUNIT_EXPECT_EQ(test, obj_used(test, x.t.pool), 0);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, x.t.pool)->channels, 0);
}

/* Others it was shared with keep theirs; published it can be once. */
static void a_shared_buffer(struct kunit *test)
{
	const struct kind *kind = test->param_value;
	struct topic x = topic_of(test, kind->pool(test));
	u64 handle = obj_alloc(test, x.t.a, kind->length), d[2];
	struct zcb_port *in;

	in = obj_attach(test, x.t.b, x.in->handle, ZCBUF_PORT_PRODUCE);
	KUNIT_ASSERT_EQ(test, share(x.t.a, x.t.b, handle), 0);
	obj_fill(x.t.pool, zcbuf_buf_offset(handle), kind->capacity, 0x5a);
	KUNIT_EXPECT_EQ(test, obj_publish(test, x.in, handle).out_delivered, 2);
	expect_holds(test, x.t.a, 0, 0);
	expect_holds(test, x.t.b, 1, kind->capacity);
	obj_refused(test, in, handle, 0, -EALREADY);
	expect_holds(test, x.t.b, 1, kind->capacity);
	d[0] = receive(test, &x, 0, handle, kind);
	d[1] = receive(test, &x, 1, handle, kind);
	KUNIT_EXPECT_EQ(test, zcb_channel_release(x.out[0], d[0]), 0);
	KUNIT_EXPECT_EQ(test, zcb_channel_release(x.out[1], d[1]), 0);
	expect_holds(test, x.t.b, 1, kind->capacity);
	KUNIT_EXPECT_TRUE(test, obj_is(x.t.pool, zcbuf_buf_offset(handle),
				       kind->capacity, 0x5a));
	KUNIT_EXPECT_EQ(test, obj_publish(test, in, handle).out_delivered, 2);
	obj_drop_port(test, in);
	obj_die(test, x.t.b, x.out[0]);
	obj_die(test, x.t.c, x.out[1]);
	KUNIT_EXPECT_EQ(test, obj_used(test, x.t.pool), 0);
}

/* ------------------------------------------------------------- what it says */

static void refusals(struct kunit *test)
{
	const struct kind *kind = test->param_value;
	struct topic x = topic_of(test, kind->pool(test));
	u64 handle = obj_alloc(test, x.t.a, kind->length);
	struct zcb_stream_counts n;

	obj_refused(test, x.in, handle, kind->capacity + 1, -ERANGE);
	obj_refused(test, x.in, handle, U64_MAX, -ERANGE);
	obj_refused(test, x.out[0], handle, 0, -EPERM);
	obj_refused(test, x.in, 0, 0, try_free(x.t.a, 0));
	obj_refused(test, x.in, x.in->handle, 0,
		    try_free(x.t.a, x.in->handle));
	KUNIT_ASSERT_EQ(test, give(x.t.a, x.t.b, handle), 0);
	obj_refused(test, x.in, handle, 0, -EPERM);
	KUNIT_ASSERT_EQ(test, give(x.t.b, x.t.a, handle), 0);
	KUNIT_ASSERT_EQ(test, zcb_channel_finalize(x.in, &n), 0);
	obj_refused(test, x.in, handle, 0, -ESHUTDOWN);
	KUNIT_EXPECT_EQ(test, zcb_channel_close(x.t.a, x.in->handle, 0), 0);
	obj_refused(test, x.in, handle, 0, -EPERM);
	expect_holds(test, x.t.a, 1, kind->capacity);
	KUNIT_EXPECT_EQ(test, try_free(x.t.a, handle), 0);
	KUNIT_EXPECT_EQ(test, obj_used(test, x.t.pool), 0);
}

/* The buffer comes first, also where there is no room; and nobody pays for that. */
static void refused_for_nothing(struct kunit *test)
{
	struct three t = of_tiers(test);
	struct zcb_channel_config cfg = topic_config(t.pool);
	u64 first = obj_alloc(test, t.a, OBJECT);
	u64 second = obj_alloc(test, t.a, PAGE_SIZE), charged;
	struct zcb_port *in;

	cfg.stream.max_outstanding = 1;
	in = obj_channel(test, t.a, &cfg, ZCBUF_PORT_PRODUCE);
	obj_attach(test, t.b, in->handle, ZCBUF_PORT_CONSUME);
	charged = in->channel->charged;
	obj_refused(test, in, second + 1, 0, try_free(t.a, second + 1));
	obj_refused(test, in, first, U64_MAX, -ERANGE);
	KUNIT_EXPECT_EQ(test, in->channel->charged, charged);
	obj_publish(test, in, first);
	charged = in->channel->charged;
	obj_refused(test, in, first, 0, -EALREADY);
	obj_refused(test, in, second, PAGE_SIZE + 1, -ERANGE);
	obj_refused(test, in, second, 0, -EAGAIN);
	KUNIT_EXPECT_EQ(test, in->channel->charged, charged);
	expect_holds(test, t.a, 1, PAGE_SIZE);
}

static void some_of_it(struct kunit *test)
{
	struct topic x = topic_of(test, of_pages(test));
	u64 handle = obj_alloc(test, x.t.a, PAGE_SIZE);
	struct zcbuf_publication p;
	struct zcbuf_delivery d;

	KUNIT_ASSERT_EQ(test, obj_try_publish(x.in, handle, 100, &p), 0);
	d = obj_receive(test, x.out[0]);
	KUNIT_EXPECT_EQ(test, d.length, 100);
	KUNIT_EXPECT_EQ(test, d.publisher, x.t.a->id);
	/* The rest of it is not used by anybody. */
	KUNIT_EXPECT_EQ(test, obj_used(test, x.t.pool), PAGE_SIZE);
	handle = obj_alloc(test, x.t.a, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, obj_publish(test, x.in, handle).out_seq, 1);
	KUNIT_EXPECT_EQ(test, obj_receive(test, x.out[0]).seq, 1);
}

/* One consumer gets it, or it is the channel's until that ends. */
static void into_a_stream(struct kunit *test)
{
	struct three t = of_tiers(test);
	const struct zcb_channel_config cfg = obj_config(t.pool);
	struct zcb_port *in = obj_channel(test, t.a, &cfg, ZCBUF_PORT_PRODUCE);
	struct zcb_port *out;
	u64 handle = obj_alloc(test, t.a, OBJECT);

	obj_publish(test, in, handle);
	obj_publish(test, in, obj_alloc(test, t.a, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, obj_channel_stat(test, t.pool).parked, 2);
	obj_refused(test, in, handle, 0, -EALREADY);
	out = obj_attach(test, t.b, in->handle, ZCBUF_PORT_CONSUME);
	KUNIT_EXPECT_EQ(test, zcb_channel_release(out, obj_receive(test, out)
						  .handle), 0);
	obj_die(test, t.a, in);
	KUNIT_EXPECT_EQ(test, obj_used(test, t.pool), PAGE_SIZE);
	obj_die(test, t.b, out);
	KUNIT_EXPECT_EQ(test, obj_used(test, t.pool), 0);
}

/* --------------------------------------------------------------- quarantine */

static void expect_quarantine(struct kunit *test, struct zcb_pool *pool,
			      u32 sessions, u64 bytes)
{
	const struct zcb_quarantine_stat *q;

	zcb_quarantine_look(pool);
	flush_delayed_work(&pool->quarantine_work);
	q = &obj_pool_stat(test, pool)->quarantine;
	KUNIT_EXPECT_EQ(test, q->sessions, sessions);
	KUNIT_EXPECT_EQ(test, q->bytes, bytes);
}

static struct topic of_small_pages(struct kunit *test)
{
	struct zcb_pool_config *cfg = obj_pool_config(test);
	const u32 lengths[] = { OBJECT };

	cfg->flags = ZCBUF_POOL_F_SMALL_PAGES;
	cfg->kind = ZCBUF_POOL_TIERS;
	KUNIT_ASSERT_EQ(test, zcb_slab_table_init(&cfg->slabs, lengths, 1,
						  PAGE_SHIFT), 0);
	return topic_of(test, attach(test, obj_make_pool(test, cfg)));
}

static struct folio *hold(struct zcb_pool *pool, u64 handle, u64 at)
{
	u64 page = (zcbuf_buf_offset(handle) + at) >> PAGE_SHIFT;
	struct folio *folio = page_folio(zcb_pool_page(pool, page));

	folio_get(folio);
	return folio;
}

/* Of two that a dead consumer was reading, one is being read. */
static void what_the_dead_read(struct kunit *test)
{
	struct topic x = of_small_pages(test);
	u64 read = obj_alloc(test, x.t.a, 4 * PAGE_SIZE), d;
	u64 other = obj_alloc(test, x.t.a, PAGE_SIZE);
	struct folio *folio = hold(x.t.pool, read, 3 * PAGE_SIZE);

	obj_publish(test, x.in, read);
	obj_publish(test, x.in, other);
	obj_publish(test, x.in, obj_alloc(test, x.t.a, PAGE_SIZE));
	d = obj_receive(test, x.out[1]).handle;
	obj_receive(test, x.out[0]);
	obj_receive(test, x.out[0]);
	obj_die(test, x.t.b, x.out[0]);
	expect_quarantine(test, x.t.pool, 1, 4 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, zcb_channel_release(x.out[1], d), 0);
	obj_die(test, x.t.c, x.out[1]);
	KUNIT_EXPECT_EQ(test, obj_used(test, x.t.pool), 4 * PAGE_SIZE);
	/* The channel ends before it. */
	obj_die(test, x.t.a, x.in);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, x.t.pool)->channels, 0);
	expect_quarantine(test, x.t.pool, 1, 4 * PAGE_SIZE);
	folio_put(folio);
	expect_quarantine(test, x.t.pool, 0, 0);
	KUNIT_EXPECT_EQ(test, obj_used(test, x.t.pool), 0);
}

/* An object, of the slab of a publisher who is dead as well. */
static void the_object_the_dead_read(struct kunit *test)
{
	struct topic x = of_small_pages(test);
	u64 handle = obj_alloc(test, x.t.a, OBJECT);
	struct folio *folio = hold(x.t.pool, handle, 0);

	obj_publish(test, x.in, handle);
	obj_receive(test, x.out[0]);
	obj_receive(test, x.out[1]);
	obj_die(test, x.t.b, x.out[0]);
	expect_quarantine(test, x.t.pool, 1, OBJECT);
	obj_die(test, x.t.c, x.out[1]);
	expect_quarantine(test, x.t.pool, 2, 2 * OBJECT);
	obj_die(test, x.t.a, x.in);
	KUNIT_EXPECT_GE(test, obj_used(test, x.t.pool), OBJECT);
	folio_put(folio);
	expect_quarantine(test, x.t.pool, 0, 0);
	KUNIT_EXPECT_EQ(test, obj_used(test, x.t.pool), 0);
}

/* What a group of pages is, and both of its extents. */
static void the_group_the_dead_read(struct kunit *test)
{
	struct topic x = of_small_pages(test);
	struct zcbuf_reservation r = obj_send(test, x.in, PAGE_SIZE);
	struct folio *folio = page_folio(zcb_pool_page(x.t.pool,
						       r.out_pool_offset >>
						       PAGE_SHIFT));

	folio_get(folio);
	obj_receive(test, x.out[0]);
	obj_die(test, x.t.b, x.out[0]);
	expect_quarantine(test, x.t.pool, 1, PAGE_SIZE);
	/* Who lives has it still. */
	KUNIT_EXPECT_EQ(test, zcb_channel_release(x.out[1],
						  obj_receive(test, x.out[1])
						  .handle), 0);
	KUNIT_EXPECT_EQ(test, obj_used(test, x.t.pool), PAGE_SIZE);
	folio_put(folio);
	expect_quarantine(test, x.t.pool, 0, 0);
	KUNIT_EXPECT_EQ(test, obj_used(test, x.t.pool), 0);
}

static struct kunit_case publish_cases[] = {
	KUNIT_CASE_PARAM(the_last_consumer_frees_it, kinds_gen_params),
	KUNIT_CASE_PARAM(to_nobody, kinds_gen_params),
	KUNIT_CASE_PARAM(the_publisher_dies, kinds_gen_params),
	KUNIT_CASE_PARAM(the_consumers_die, kinds_gen_params),
	KUNIT_CASE_PARAM(all_of_them_die, kinds_gen_params),
	KUNIT_CASE_PARAM(a_shared_buffer, kinds_gen_params),
	KUNIT_CASE_PARAM(refusals, kinds_gen_params),
	KUNIT_CASE(refused_for_nothing),
	KUNIT_CASE(some_of_it),
	KUNIT_CASE(into_a_stream),
	KUNIT_CASE(what_the_dead_read),
	KUNIT_CASE(the_object_the_dead_read),
	KUNIT_CASE(the_group_the_dead_read),
	{}
};

static struct kunit_suite publish_suite = {
	.name = "zcb_publish",
	.suite_init = obj_suite_init,
	.suite_exit = obj_suite_exit,
	.init = obj_init,
	.test_cases = publish_cases,
};

kunit_test_suite(publish_suite);
