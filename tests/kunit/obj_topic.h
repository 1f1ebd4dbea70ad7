/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the suites of published buffers stand on: a topic of three sessions, of whom the
 * first produces and the others consume.
 */
#ifndef ZCB_KUNIT_OBJ_TOPIC_H
#define ZCB_KUNIT_OBJ_TOPIC_H

#include "obj_three.h"

/**
 * struct topic - a topic
 * @t: its pool and sessions
 * @in: the first one's port, which produces
 * @out: those of the others, who consume
 */
struct topic {
	struct three t;
	struct zcb_port *in;
	struct zcb_port *out[2];
};

static inline struct zcb_channel_config topic_config(const struct zcb_pool *pool)
{
	struct zcb_channel_config cfg = obj_config(pool);

	cfg.flags = ZCBUF_CHANNEL_F_TOPIC | ZCBUF_CHANNEL_F_NO_AUTO_FINALIZE;
	cfg.stream.topic = true;
	if (pool->cfg.kind == ZCBUF_POOL_FIXED)
		cfg.stream.max_extent = 0;
	return cfg;
}

static inline struct topic topic_of(struct kunit *test, struct three t)
{
	const struct zcb_channel_config cfg = topic_config(t.pool);
	struct topic x = { .t = t };

	x.in = obj_channel(test, t.a, &cfg, ZCBUF_PORT_PRODUCE);
	x.out[0] = obj_attach(test, t.b, x.in->handle, ZCBUF_PORT_CONSUME);
	x.out[1] = obj_attach(test, t.c, x.in->handle, ZCBUF_PORT_CONSUME);
	return x;
}

/* obj_channel_publish() - whatever is short */
static inline int obj_channel_publish(struct zcb_port *port,
				      struct zcbuf_publication *p, u32 flags,
				      u64 deadline_ns)
{
	u32 why;

	return zcb_channel_publish(port, p, flags, deadline_ns, &why);
}

/* obj_try_publish() - at once, or not */
static inline int obj_try_publish(struct zcb_port *port, u64 handle, u64 length,
				  struct zcbuf_publication *p)
{
	*p = (struct zcbuf_publication){
		.handle = handle, .length = length, .user_tag = 11,
	};
	return obj_channel_publish(port, p, 0, 0);
}

/* obj_publish() - a buffer of the port's session, all of it */
static inline struct zcbuf_publication obj_publish(struct kunit *test,
						   struct zcb_port *port,
						   u64 handle)
{
	struct zcbuf_publication p;

	KUNIT_ASSERT_EQ(test, obj_try_publish(port, handle, 0, &p), 0);
	return p;
}

/* obj_refused() - it says @err, and the session still has the buffer */
static inline void obj_refused(struct kunit *test, struct zcb_port *port,
			       u64 handle, u64 length, int err)
{
	u64 bad = obj_pool_stat(test, port->channel->pool)->bad_frees;
	struct zcbuf_publication p;

	KUNIT_EXPECT_EQ(test, obj_try_publish(port, handle, length, &p), err);
	KUNIT_EXPECT_EQ(test, obj_pool_stat(test, port->channel->pool)->bad_frees,
			bad);
}

/* obj_die() - a session that has one port dies */
static inline void obj_die(struct kunit *test, struct zcb_session *s,
			   struct zcb_port *port)
{
	obj_drop_port(test, port);
	obj_close(test, s);
}

#endif /* ZCB_KUNIT_OBJ_TOPIC_H */
