/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the suites of topics stand on: the rig of streams, a producer, four consumers,
 * and short names for what they do.
 */
#ifndef ZCB_KUNIT_TOPIC_RIG_H
#define ZCB_KUNIT_TOPIC_RIG_H

#include "stream_rig.h"

#define NPORTS	4
#define HELD	8U

/**
 * struct topic_test - a topic
 * @rig: its stream
 * @port: its consumers
 */
struct topic_test {
	struct rig *rig;
	struct rig_port port[NPORTS];
};

/* What the one who published was told, and of which group. */
struct sent {
	u64 id;
	u64 seq;
	u32 delivered;
	u32 dropped;
};

static inline int topic_test_init(struct kunit *test)
{
	struct topic_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	int err;

	KUNIT_ASSERT_NOT_NULL(test, t);
	err = rig_init(test);
	t->rig = test->priv;
	test->priv = t;
	t->rig->cfg.threshold = 100;
	t->rig->cfg.topic = true;
	return err;
}

static inline struct topic_test *open_topic(struct kunit *test, u32 history)
{
	struct topic_test *t = test->priv;

	t->rig->cfg.history = history;
	rig_open_bare(t->rig);
	t->rig->p.id = 77;
	memset(&t->rig->f, 0, sizeof(t->rig->f));
	zcb_consumer_init(&t->rig->f.c, 1, true);
	zcb_stream_add_consumer(&t->rig->s, &t->rig->f.c);
	return t;
}

/* A consumer of @depth, who may hold HELD. */
static inline void add(struct topic_test *t, u32 i, u32 policy, u32 depth, u32 replay)
{
	struct kunit *test = t->rig->test;
	struct rig_port *port = &t->port[i];
	struct zcb_topic_queue *q;

	memset(port, 0, sizeof(*port));
	q = kunit_kzalloc(test, struct_size(q, slots, depth + HELD),
			  GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, q);
	port->words = kunit_kcalloc(test, depth + HELD, sizeof(*port->words),
				    GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, port->words);
	q->nslots = depth + HELD;
	zcb_consumer_init(&port->c, depth, false);
	zcb_topic_init(&port->c, q, policy, HELD, 1);
	zcb_stream_add_consumer(&t->rig->s, &port->c);
	zcb_topic_join(&t->rig->s, &port->c, replay);
}

static inline void set_lanes(struct topic_test *t, u32 i, u32 lanes)
{
	t->port[i].c.topic->nlanes = lanes;
}

static inline void drop(struct topic_test *t, u32 i)
{
	zcb_stream_drop_consumer(&t->rig->s, &t->port[i].c);
}

/* The first @n ports go, then all else, as when the channel does. */
static inline void close_topic(struct topic_test *t, u32 n)
{
	while (n--)
		drop(t, n);
	zcb_stream_drop_producer(&t->rig->s, &t->rig->p, rig_now(t->rig));
	zcb_stream_drop_consumer(&t->rig->s, &t->rig->f.c);
	zcb_stream_end(&t->rig->s);
	rig_check_empty(t->rig);
	zcb_stream_fini(&t->rig->s);
}

static inline int try_publish(struct topic_test *t, u32 priority, struct sent *sent)
{
	const struct zcb_topic_publication pub = {
		.length = 10, .user_tag = 5, .encoding = 6, .priority = priority,
	};
	struct zcb_group *g;
	int err = rig_publish(t->rig, &t->rig->p, &pub, 1, &g);

	if (err)
		return err;
	*sent = (struct sent){ g->id, g->seq, g->delivered, g->dropped };
	zcb_topic_put(&t->rig->s, g);
	return 0;
}

static inline struct sent publish_at(struct topic_test *t, u32 priority)
{
	struct sent sent = {};

	KUNIT_ASSERT_EQ(t->rig->test, try_publish(t, priority, &sent), 0);
	return sent;
}

/* As who is told that there is no credit, and has one at the cost of others. */
static inline int publish_or_spare(struct topic_test *t, struct sent *sent)
{
	int err = try_publish(t, 0, sent);

	if (err == -EAGAIN && zcb_topic_spare(&t->rig->s))
		err = try_publish(t, 0, sent);
	return err;
}

static inline struct sent publish(struct topic_test *t)
{
	return publish_at(t, 0);
}

static inline void expect_full(struct topic_test *t)
{
	struct sent sent;

	KUNIT_EXPECT_EQ(t->rig->test, try_publish(t, 0, &sent), -EAGAIN);
}

static inline struct zcb_topic_slot *take(struct topic_test *t, u32 i)
{
	struct zcb_topic_slot *slot = NULL;

	KUNIT_ASSERT_EQ(t->rig->test, 0,
			zcb_topic_receive(&t->rig->s, &t->port[i].c, &slot));
	rig_check_group(t->rig, slot->group);
	return slot;
}

static inline u64 name_of(struct topic_test *t, u32 i, const struct zcb_topic_slot *slot)
{
	return zcb_topic_id(t->port[i].c.topic, slot);
}

static inline int release(struct topic_test *t, u32 i, u64 name)
{
	return zcb_topic_release(&t->rig->s, &t->port[i].c, name);
}

static inline u64 take_name(struct topic_test *t, u32 i)
{
	return name_of(t, i, take(t, i));
}

/* Port @i receives group @id, and releases it. */
static inline void expect_next(struct topic_test *t, u32 i, u64 id)
{
	struct zcb_topic_slot *slot = take(t, i);

	KUNIT_EXPECT_EQ(t->rig->test, slot->group->id, id);
	KUNIT_EXPECT_EQ(t->rig->test, 0, release(t, i, name_of(t, i, slot)));
}

static inline void expect_answer(struct topic_test *t, u32 i, int answer)
{
	struct zcb_topic_slot *slot;
	struct zcb_group *g;

	KUNIT_EXPECT_EQ(t->rig->test, answer,
			zcb_topic_receive(&t->rig->s, &t->port[i].c, &slot));
	KUNIT_EXPECT_EQ(t->rig->test, answer,
			zcb_stream_peek(&t->rig->s, &t->port[i].c, &g));
}

static inline void expect_pages(struct topic_test *t, u32 pages)
{
	KUNIT_EXPECT_EQ(t->rig->test, rig_pages_held(t->rig), pages);
	KUNIT_EXPECT_EQ(t->rig->test, t->rig->s.bytes, pages * 4096ULL);
}

#endif /* ZCB_KUNIT_TOPIC_RIG_H */
