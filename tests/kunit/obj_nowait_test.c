// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls by who must not sleep: they do it at once, or nothing at all, and then it
 * can be done as ever.
 */
#include "obj_rig.h"

#define JUNK	0xd5
#define LITTLE	(16U << 10)	/* zeroed all the same */
#define MUCH	(2 * LITTLE)

/**
 * struct two - a pool and two sessions of it
 * @pool: the pool
 * @a: one
 * @b: the other
 */
struct two {
	struct zcb_pool *pool;
	struct zcb_session *a;
	struct zcb_session *b;
};

static struct two attach(struct kunit *test, const struct zcb_pool_config *cfg)
{
	struct two t = { .pool = obj_make_pool(test, cfg) };

	t.a = obj_session(test, t.pool);
	t.b = obj_session(test, t.pool);
	return t;
}

static int try_alloc(struct zcb_session *s, u64 length, bool zero, u64 *handle)
{
	const struct zcb_memory_request r = {
		.length = length, .zero = zero, .nowait = true,
	};

	return zcb_memory_alloc(s->pool, &s->hold, s->domain, &r, handle);
}

static int try_free(struct zcb_session *s, u64 handle)
{
	return zcb_memory_free(s->pool, &s->hold, handle);
}

/* @s has used all of the pool, in buffers of @length. */
static void soil(struct kunit *test, struct zcb_session *s, u64 length)
{
	u64 *handles = kunit_kcalloc(test, OBJ_PAGES, sizeof(*handles),
				     GFP_KERNEL);
	const struct zcb_memory_request r = { .length = length };
	u32 n = 0;

	KUNIT_ASSERT_NOT_NULL(test, handles);
	while (!zcb_memory_alloc(s->pool, &s->hold, s->domain, &r, &handles[n]))
		n++;
	KUNIT_ASSERT_GT(test, n, 0);
	obj_fill(s->pool, 0, OBJ_ARENA, JUNK);
	while (n--)
		KUNIT_ASSERT_EQ(test, try_free(s, handles[n]), 0);
}

static void expect_byte(struct kunit *test, struct two *t, u64 handle,
			u64 length, u8 byte)
{
	KUNIT_EXPECT_TRUE(test, obj_is(t->pool, zcbuf_buf_offset(handle),
				       length, byte));
}

/*
 * What was used by @a is little to zero for @b, or too much; then it is as if
 * nobody had asked: zeroed for @b, and for @a as it was.
 */
static void zeroing(struct kunit *test, struct two *t)
{
	u64 handle, mine;

	KUNIT_ASSERT_EQ(test, try_alloc(t->b, LITTLE, false, &handle), 0);
	expect_byte(test, t, handle, LITTLE, 0);

	KUNIT_EXPECT_EQ(test, try_alloc(t->b, MUCH, false, &handle),
			-ZCB_ESLEEP);
	KUNIT_EXPECT_EQ(test, try_alloc(t->a, MUCH, true, &handle),
			-ZCB_ESLEEP);
	KUNIT_EXPECT_EQ(test, obj_used(test, t->pool), LITTLE);
	KUNIT_ASSERT_EQ(test, try_alloc(t->a, MUCH, false, &mine), 0);
	expect_byte(test, t, mine, MUCH, JUNK);
	KUNIT_ASSERT_EQ(test, try_free(t->a, mine), 0);

	handle = obj_alloc(test, t->b, MUCH);
	expect_byte(test, t, handle, MUCH, 0);
	KUNIT_ASSERT_EQ(test, try_free(t->b, handle), 0);
	KUNIT_EXPECT_EQ(test, try_alloc(t->b, MUCH, false, &handle), 0);
	KUNIT_EXPECT_EQ(test, try_free(t->b, handle), 0);
}

static void blocks_are_much_to_zero(struct kunit *test)
{
	struct two t = attach(test, obj_pool_config(test));

	soil(test, t.a, OBJ_ARENA);
	zeroing(test, &t);
}

static void fixed_objects_are_much_to_zero(struct kunit *test)
{
	static const struct zcb_fixed_spec spec[] = {
		{ LITTLE, 1 }, { MUCH, 1 },
	};
	struct zcb_pool_config *cfg = obj_pool_config(test);
	struct two t;

	cfg->kind = ZCBUF_POOL_FIXED;
	KUNIT_ASSERT_EQ(test, zcb_fixed_layout(&cfg->fixed, spec, 2,
					       PAGE_SHIFT), 0);
	t = attach(test, cfg);
	soil(test, t.a, LITTLE);
	soil(test, t.a, MUCH);
	zeroing(test, &t);
}

static void nothing_to_zero(struct kunit *test)
{
	struct zcb_pool_config *cfg = obj_pool_config(test);
	struct two t;
	u64 handle;

	cfg->flags = ZCBUF_POOL_F_NO_ZERO_ON_REUSE;
	t = attach(test, cfg);
	KUNIT_EXPECT_EQ(test, try_alloc(t.a, OBJ_ARENA / 2, true, &handle), 0);
	soil(test, t.a, OBJ_ARENA / 2);
	KUNIT_EXPECT_EQ(test, try_alloc(t.b, OBJ_ARENA / 2, false, &handle), 0);
	expect_byte(test, &t, handle, OBJ_ARENA / 2, JUNK);
}

static struct two of_tiers(struct kunit *test)
{
	const u32 lengths[] = { 64, LITTLE, MUCH };
	struct zcb_pool_config *cfg = obj_pool_config(test);

	cfg->kind = ZCBUF_POOL_TIERS;
	KUNIT_ASSERT_EQ(test, zcb_slab_table_init(&cfg->slabs, lengths, 3,
						  PAGE_SHIFT), 0);
	return attach(test, cfg);
}

/* A slab is leased at once if its pages need not be zeroed. */
static void slabs_are_much_to_zero(struct kunit *test)
{
	struct two t = of_tiers(test);
	u64 handle, other;

	KUNIT_ASSERT_EQ(test, try_alloc(t.a, MUCH, false, &handle), 0);
	KUNIT_EXPECT_EQ(test, try_alloc(t.a, MUCH, true, &other), -ZCB_ESLEEP);
	KUNIT_EXPECT_EQ(test, t.a->hold.objects, 1);
	KUNIT_ASSERT_EQ(test, try_free(t.a, handle), 0);
	KUNIT_EXPECT_EQ(test, obj_used(test, t.pool), 0);

	soil(test, t.a, OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, try_alloc(t.b, MUCH, false, &handle),
			-ZCB_ESLEEP);
	KUNIT_EXPECT_EQ(test, obj_used(test, t.pool), 0);
	handle = obj_alloc(test, t.b, MUCH);
	expect_byte(test, &t, handle, MUCH, 0);
	KUNIT_EXPECT_EQ(test, try_alloc(t.b, MUCH, false, &handle), 0);
	KUNIT_EXPECT_EQ(test, try_alloc(t.b, LITTLE, true, &handle),
			-ZCB_ESLEEP);	/* its slab is not leased yet */
	obj_alloc(test, t.b, LITTLE);
	KUNIT_EXPECT_EQ(test, try_alloc(t.b, LITTLE, true, &handle), 0);
	expect_byte(test, &t, handle, LITTLE, 0);
}

/* Objects of a slab that others had some of are zeroed one by one. */
static void objects_of_several_sessions(struct kunit *test)
{
	struct two t = of_tiers(test);
	u64 given = obj_alloc(test, t.a, MUCH), handle;
	u32 done;

	obj_alloc(test, t.a, MUCH);	/* keeps the slab */
	KUNIT_ASSERT_EQ(test, zcb_session_give(t.a, t.b->id, &given, 1, false,
					       &done), 0);
	KUNIT_ASSERT_EQ(test, try_free(t.b, given), 0);
	KUNIT_EXPECT_EQ(test, try_alloc(t.a, MUCH, false, &handle),
			-ZCB_ESLEEP);
	KUNIT_EXPECT_EQ(test, t.a->hold.objects, 1);
	obj_alloc(test, t.a, MUCH);
}

static void growing(struct kunit *test)
{
	struct zcb_pool_config *cfg = obj_pool_config(test);
	u64 handle, more;
	struct two t;

	cfg->flags = ZCBUF_POOL_F_AUTO_GROW;
	cfg->max_size = 2 * OBJ_ARENA;
	t = attach(test, cfg);
	KUNIT_ASSERT_EQ(test, try_alloc(t.a, OBJ_ARENA, false, &handle), 0);
	KUNIT_EXPECT_EQ(test, try_alloc(t.a, OBJ_ARENA, false, &more),
			-ZCB_ESLEEP);
	KUNIT_EXPECT_EQ(test, zcb_pool_size(t.pool), OBJ_ARENA);
	more = obj_alloc(test, t.a, OBJ_ARENA);
	KUNIT_EXPECT_EQ(test, try_alloc(t.a, OBJ_ARENA, false, &more),
			-ENOMEM);
}

/* ----------------------------------------------------------------- channels */

struct stream {
	struct zcb_session *s;
	struct zcb_port *port;
	struct zcbuf_reservation r[3];
	struct zcbuf_delivery d[2];
};

/* Two deliveries, and three reservations. */
static void open(struct kunit *test, struct stream *x)
{
	struct zcb_pool *pool = obj_pool(test);
	struct zcb_channel_config cfg = obj_config(pool);
	u32 i;

	memset(x, 0, sizeof(*x));
	x->s = obj_session(test, pool);
	x->port = obj_channel(test, x->s, &cfg, OBJ_PORTS);
	for (i = 0; i < 2; i++) {
		obj_send(test, x->port, 8);
		x->d[i] = obj_receive(test, x->port);
	}
	for (i = 0; i < 3; i++)
		x->r[i] = obj_reserve(test, x->port, 8);
}

static int commit(struct stream *x, u32 n, u32 *done)
{
	struct zcb_stream_commit c[3] = {};
	u32 i;

	for (i = 0; i < n; i++)
		c[i] = (struct zcb_stream_commit){
			.group = x->r[i].out_group, .id = x->r[i].out_id,
			.offset = x->r[i].out_offset, .length = 8,
		};
	return zcb_channel_commit_all(x->port, c, n, true, done);
}

static int abort_last(struct stream *x, u32 *done)
{
	const struct zcbuf_abort_entry e = {
		.group = x->r[2].out_group, .id = x->r[2].out_id,
	};

	return zcb_channel_abort_all(x->port, &e, 1, true, done);
}

static int release(struct stream *x, u32 *done)
{
	const u64 handles[] = { x->d[0].handle, x->d[1].handle };

	return zcb_channel_release_all(x->port, handles, 2, true, done);
}

static void locks_that_are_held(struct kunit *test)
{
	struct zcbuf_delivery d;
	struct stream x;
	u32 done = 77;

	open(test, &x);
	mutex_lock(&x.port->channel->lock);
	KUNIT_EXPECT_EQ(test, commit(&x, 2, &done), -ZCB_ESLEEP);
	KUNIT_EXPECT_EQ(test, done, 0);
	KUNIT_EXPECT_EQ(test, abort_last(&x, &done), -ZCB_ESLEEP);
	KUNIT_EXPECT_EQ(test, release(&x, &done), -ZCB_ESLEEP);
	KUNIT_EXPECT_EQ(test, zcb_channel_receive_nowait(x.port, &d, 1, &done),
			-ZCB_ESLEEP);
	KUNIT_EXPECT_EQ(test, done, 0);
	mutex_unlock(&x.port->channel->lock);

	KUNIT_EXPECT_EQ(test, commit(&x, 2, &done), 0);
	KUNIT_EXPECT_EQ(test, done, 2);
	KUNIT_EXPECT_EQ(test, abort_last(&x, &done), 0);
	KUNIT_EXPECT_EQ(test, release(&x, &done), 0);
	KUNIT_EXPECT_EQ(test, done, 2);
	KUNIT_EXPECT_EQ(test, zcb_channel_receive_nowait(x.port, &d, 1, &done),
			0);
	KUNIT_EXPECT_EQ(test, d.group, x.r[0].out_group);
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&x.port->channel->lock));
}

/* As ever: the first that fails ends it, and the lock is free afterwards. */
static void a_batch_stops_where_it_fails(struct kunit *test)
{
	struct stream x;
	u32 done;

	open(test, &x);
	KUNIT_ASSERT_EQ(test, abort_last(&x, &done), 0);
	KUNIT_EXPECT_EQ(test, commit(&x, 3, &done), -ESTALE);
	KUNIT_EXPECT_EQ(test, done, 2);
	KUNIT_EXPECT_EQ(test, abort_last(&x, &done), -ESTALE);
	KUNIT_EXPECT_EQ(test, done, 0);
	KUNIT_ASSERT_EQ(test, release(&x, &done), 0);
	KUNIT_EXPECT_EQ(test, release(&x, &done), -EBADSLT);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, x.s->pool)->bad_frees, 1);
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&x.port->channel->lock));
}

/* A group has a page here, and a large reservation as many as it needs. */
static void reservations(struct kunit *test)
{
	struct zcbuf_reservation r = { .length = 8 };
	struct stream x;
	u64 used;

	open(test, &x);
	soil(test, obj_session(test, x.s->pool), MUCH);
	used = obj_used(test, x.s->pool);
	mutex_lock(&x.port->channel->lock);
	KUNIT_EXPECT_EQ(test, obj_channel_reserve_nowait(x.port, &r, 0),
			-ZCB_ESLEEP);
	mutex_unlock(&x.port->channel->lock);
	r.length = MUCH;
	KUNIT_EXPECT_EQ(test, obj_channel_reserve_nowait(x.port, &r, 0),
			-ZCB_ESLEEP);
	KUNIT_EXPECT_EQ(test, obj_used(test, x.s->pool), used);
	KUNIT_EXPECT_EQ(test, obj_channel_stat(test, x.s->pool).reservations,
			5);
	r.length = 8;
	KUNIT_EXPECT_EQ(test, obj_channel_reserve_nowait(x.port, &r, 0), 0);
	KUNIT_EXPECT_EQ(test, r.out_id, 5);
	KUNIT_EXPECT_EQ(test, obj_commit(x.port, &r), 0);
	r.length = 0;
	KUNIT_EXPECT_EQ(test, obj_channel_reserve_nowait(x.port, &r, 0),
			-EINVAL);
	r.length = OBJ_ARENA;
	KUNIT_EXPECT_EQ(test, obj_channel_reserve_nowait(x.port, &r, 0),
			-EAGAIN);
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&x.port->channel->lock));
}

static void nothing_to_receive(struct kunit *test)
{
	struct zcb_stream_counts n;
	struct zcbuf_delivery d;
	struct stream x;
	u32 done;

	open(test, &x);
	KUNIT_EXPECT_EQ(test, zcb_channel_receive_nowait(x.port, &d, 1, &done),
			-EAGAIN);
	KUNIT_ASSERT_EQ(test, zcb_channel_finalize(x.port, &n), 0);
	KUNIT_EXPECT_EQ(test, zcb_channel_receive_nowait(x.port, &d, 1, &done),
			-ESHUTDOWN);
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&x.port->channel->lock));
}

/* Why there is no such port is to be found out where one may sleep. */
static void ports(struct kunit *test)
{
	struct zcb_port *port;
	struct stream x;

	open(test, &x);
	mutex_lock(&x.s->pool->lock);
	port = zcb_port_find_nowait(x.s, x.port->handle);
	KUNIT_EXPECT_PTR_EQ(test, port, x.port);
	zcb_port_put(port);
	KUNIT_EXPECT_PTR_EQ(test, zcb_port_find_nowait(x.s, 0),
			    ERR_PTR(-ZCB_ESLEEP));
	mutex_unlock(&x.s->pool->lock);
}

static struct kunit_case nowait_cases[] = {
	KUNIT_CASE(blocks_are_much_to_zero),
	KUNIT_CASE(fixed_objects_are_much_to_zero),
	KUNIT_CASE(nothing_to_zero),
	KUNIT_CASE(slabs_are_much_to_zero),
	KUNIT_CASE(objects_of_several_sessions),
	KUNIT_CASE(growing),
	KUNIT_CASE(locks_that_are_held),
	KUNIT_CASE(a_batch_stops_where_it_fails),
	KUNIT_CASE(reservations),
	KUNIT_CASE(nothing_to_receive),
	KUNIT_CASE(ports),
	{}
};

static struct kunit_suite nowait_suite = {
	.name = "zcb_nowait",
	.suite_init = obj_suite_init,
	.suite_exit = obj_suite_exit,
	.init = obj_init,
	.test_cases = nowait_cases,
};

kunit_test_suite(nowait_suite);
