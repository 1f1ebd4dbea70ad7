/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Calls on topics to fail: made, found and waited for by name, published to.
 */
#ifndef ZCBUF_SELFTEST_FAILNTH_TOPIC_H
#define ZCBUF_SELFTEST_FAILNTH_TOPIC_H

#include "failnth_stream.h"

/* ------------------------------------------------------------ CHANNEL_OPEN */

/* The name of calls.h, for one that all of the scenario know. */
static struct zcbuf_channel_open fn_named(struct fn_run *f)
{
	return (struct zcbuf_channel_open){
		.flags = ZCBUF_CHANNEL_F_TOPIC, .history = 2,
		.name = zt_ptr(f->first_t.array[0]),
		.ports = ZCBUF_PORT_PRODUCE,
	};
}

static void fn_arrange_topic(struct fn_run *f)
{
	struct zcbuf_channel_open *a = fn_arg(f);

	a->flags = ZCBUF_CHANNEL_F_TOPIC;
	a->threshold = 0;
	a->lanes = 3;
	a->max_held = 5;
	a->depth = 7;
}

static void fn_publish_one(struct fn_run *f, __u64 channel)
{
	struct zcbuf_publication p = {};

	ASSERT_OK(zt_alloc1(f->rig.fd, ZT_PAGE, &p.handle));
	ASSERT_EQ(zt_publish(f->rig.fd, channel, &p, 1, 0, 0), 1);
}

static void fn_make_named(struct fn_run *f)
{
	struct zcbuf_channel_open a = fn_named(f);

	ASSERT_OK(zt_channel_open(f->rig.fd, &a));
	f->other = a.out_channel;
}

/* By name, with what has been published before. */
static void fn_arrange_replay(struct fn_run *f)
{
	struct zcbuf_channel_open *a = fn_arg(f);

	f->first_t = f->t;
	fn_make_named(f);
	fn_publish_one(f, f->other);
	fn_publish_one(f, f->other);
	a->flags = ZCBUF_CHANNEL_F_EXISTING;
	a->threshold = 0;
	a->ports = ZCBUF_PORT_CONSUME;
	a->replay = 2;
	f->fd = f->rig.other;
}

static void fn_arrange_named_waits(struct fn_run *f)
{
	struct zcbuf_channel_open *a = fn_arg(f);

	a->flags = ZCBUF_CHANNEL_F_EXISTING;
	a->threshold = 0;
	a->ports = ZCBUF_PORT_CONSUME;
	a->deadline_ns = ZCBUF_NO_DEADLINE;
	f->fd = f->rig.other;
}

static void fn_use_topic(struct fn_run *f)
{
	const struct zcbuf_channel_open *a = fn_arg(f);
	struct zcbuf_delivery d[3];
	int n = a->replay ? 3 : 1;

	if (!a->replay && a->flags & ZCBUF_CHANNEL_F_EXISTING)
		ASSERT_EQ(a->out_channel, f->other);
	fn_publish_one(f, a->out_channel);
	ASSERT_EQ(zt_receive(f->fd, a->out_channel, d, 3, 0), n);
	while (n--)
		ASSERT_OK(zt_release1(f->fd, a->out_channel, d[n].handle));
	EXPECT_OK(zt_channel_close(f->fd, a->out_channel, 0));
}

/* ----------------------------------------------------------------- PUBLISH */

static struct zcbuf_publication *fn_publications(struct fn_run *f)
{
	return (struct zcbuf_publication *)f->t.array[0];
}

/* Two consumers, of which one loses something. */
static void fn_arrange_two_consumers(struct fn_run *f)
{
	struct zcbuf_publish *a = fn_arg(f);
	struct zcbuf_channel_open o = {
		.flags = ZCBUF_CHANNEL_F_TOPIC, .history = 1,
		.ports = ZCBUF_PORT_PRODUCE | ZCBUF_PORT_CONSUME,
	};

	ASSERT_OK(zt_channel_open(f->rig.fd, &o));
	a->channel = o.out_channel;
	o = (struct zcbuf_channel_open){
		.channel = a->channel, .ports = ZCBUF_PORT_CONSUME,
		.depth = 1, .policy = ZCBUF_POLICY_DROP_OLDEST,
	};
	ASSERT_OK(zt_channel_open(f->rig.other, &o));
}

static void fn_arrange_publish_waits(struct fn_run *f)
{
	struct zcbuf_publish *a = fn_arg(f);
	struct zcbuf_channel_open o = { .flags = ZCBUF_CHANNEL_F_TOPIC,
					.ports = ZCBUF_PORT_PRODUCE };

	ASSERT_OK(zt_channel_open(f->rig.fd, &o));
	a->channel = o.out_channel;
	ASSERT_OK(hz_ports_depth(f->rig.other, a->channel, ZCBUF_PORT_CONSUME,
				 1));
	fn_publish_one(f, a->channel);
	f->other = a->channel;
	a->deadline_ns = ZCBUF_NO_DEADLINE;
	a->count = 1;
	f->t.bytes[0] = sizeof(struct zcbuf_publication);
}

static void fn_meanwhile_take(struct fn_run *f)
{
	struct zcbuf_delivery d;

	ASSERT_EQ(zt_receive(f->rig.other, f->other, &d, 1, 0), 1);
	ASSERT_OK(zt_release1(f->rig.other, f->other, d.handle));
}

/* What was published is no more its own. */
static void fn_use_published(struct fn_run *f)
{
	const struct zcbuf_publish *a = fn_arg(f);
	unsigned int i;

	for (i = 0; i < f->units; i++)
		EXPECT_ERR(zt_publish(f->fd, a->channel, fn_publications(f) + i,
				      1, 0, 0), EALREADY);
}

/* ------------------------------------------------------------------- QUEUE */

/* Another port, so that the channel stays when this one goes. */
static void fn_arrange_queue(struct fn_run *f)
{
	ASSERT_OK(zt_ports(f->rig.other, f->rig.topic, ZCBUF_PORT_PRODUCE));
}

/*
 * As fn_keep_token(). Memory that was had before a descriptor was not to be had is
 * the port's, for the next call, and goes with it.
 */
static void fn_queue_or_new_port(struct fn_run *f, int err)
{
	const struct zcbuf_queue *q = fn_arg(f);
	struct zcbuf_channel_open a = {
		.channel = q->channel, .depth = 2, .max_held = 1,
		.ports = ZCBUF_PORT_CONSUME,
	};

	if (!err) {
		f->fds[f->nfds++] = q->out_fd;
		return;
	}
	ASSERT_OK(zt_channel_close(f->fd, q->channel, ZCBUF_PORT_CONSUME));
	ASSERT_OK(zt_channel_open(f->fd, &a));
}

static void fn_keep_queue(struct fn_run *f, int err)
{
	const struct zcbuf_queue *a = fn_arg(f);

	if (!err)
		f->fds[f->nfds++] = a->out_fd;
}

static void fn_expect_slots(struct fn_run *f, __u32 slots)
{
	const struct zcbuf_queue *a = fn_arg(f);
	struct zcbuf_queue_head *head;

	head = mmap(NULL, a->out_bytes, PROT_READ, MAP_SHARED, a->out_fd, 0);
	ASSERT_NE(head, MAP_FAILED);
	EXPECT_EQ(head->magic, ZCBUF_QUEUE_MAGIC);
	EXPECT_EQ(head->slots, slots);
	munmap(head, a->out_bytes);
}

static void fn_use_queue(struct fn_run *f)
{
	fn_expect_slots(f, 3);
}

/* Of a stream there is no queue before. */
static void fn_arrange_stream_queue(struct fn_run *f)
{
	struct zcbuf_channel_open a = { .ports = ZCBUF_PORT_PRODUCE };
	struct zcbuf_queue *q = fn_arg(f);

	ASSERT_OK(zt_channel_open(f->rig.other, &a));
	q->channel = a.out_channel;
	a = (struct zcbuf_channel_open){
		.channel = q->channel, .depth = 2, .max_held = 1,
		.ports = ZCBUF_PORT_CONSUME,
	};
	ASSERT_OK(zt_channel_open(f->fd, &a));
}

static void fn_use_stream_queue(struct fn_run *f)
{
	fn_expect_slots(f, 1);
}

static void fn_arrange_again(struct fn_run *f)
{
	struct zcbuf_queue a = zt_arg(struct zcbuf_queue,
				      .channel = f->rig.topic);

	ASSERT_OK(zt_call(f->fd, ZCBUF_IOC_QUEUE, &a));
	close(a.out_fd);
}

/* ------------------------------------------------------------------- WATCH */

static void fn_arrange_named(struct fn_run *f)
{
	struct zcbuf_channel_name n = {
		.service_len = 1, .instance_len = 1, .event_len = 1,
		.service = "s", .instance = "i", .event = "e",
	};
	struct zcbuf_channel_open a = {
		.flags = ZCBUF_CHANNEL_F_TOPIC, .ports = ZCBUF_PORT_PRODUCE,
		.name = zt_ptr(&n),
	};

	ASSERT_OK(zt_channel_open(f->rig.fd, &a));
}

static void fn_use_watched(struct fn_run *f)
{
	const struct zcbuf_watch *a = fn_arg(f);
	const struct zcbuf_watch_entry *e = (void *)f->t.array[0];

	EXPECT_EQ(a->out_count, 1);
	EXPECT_GT(a->out_generation, 0);
	EXPECT_EQ(e->producers, 1);
}

/* ------------------------------------------------------------------- READY */

static void fn_keep_ready(struct fn_run *f, int err)
{
	const struct zcbuf_ready *a = fn_arg(f);

	if (!err)
		f->fds[f->nfds++] = a->out_fd;
}

static void fn_use_ready(struct fn_run *f)
{
	const struct zcbuf_ready *a = fn_arg(f);
	struct zcbuf_ready_head *head;

	head = mmap(NULL, a->out_bytes, PROT_READ, MAP_SHARED, a->out_fd, 0);
	ASSERT_NE(head, MAP_FAILED);
	EXPECT_EQ(head->magic, ZCBUF_READY_MAGIC);
	munmap(head, a->out_bytes);
}

/* The ring that a first call has made before its answer was not to be had stays. */
static void fn_arrange_ready(struct fn_run *f)
{
	struct zcbuf_ready a = zt_arg(struct zcbuf_ready);

	ASSERT_OK(zt_call(f->fd, ZCBUF_IOC_READY, &a));
	close(a.out_fd);
}

/* ------------------------------------------------------------------- table */

static const struct fn_row fn_topic_rows[] = {
	FN_CALL(channel_open_topic, CHANNEL_OPEN, .least = 8,
		.arrange = fn_arrange_topic, .undo = fn_undo_open,
		.use = fn_use_topic),
	FN_CALL(channel_open_replay, CHANNEL_OPEN, .least = 5,
		.arrange = fn_arrange_replay, .undo = fn_undo_open,
		.use = fn_use_topic),
	FN_CALL(channel_open_waits, CHANNEL_OPEN, .least = 5,
		.arrange = fn_arrange_named_waits, .meanwhile = fn_make_named,
		.undo = fn_undo_open, .use = fn_use_topic),

	FN_CALL(publish, PUBLISH, .least = 8, .stands = true,
		.use = fn_use_published),
	FN_CALL(publish_to_a_topic, PUBLISH, .least = 8, .stands = true,
		.arrange = fn_arrange_two_consumers, .use = fn_use_published),
	FN_CALL(publish_waits, PUBLISH, .least = 6, .units = 1, .stands = true,
		.arrange = fn_arrange_publish_waits,
		.meanwhile = fn_meanwhile_take),

	FN_CALL(queue, QUEUE, .least = 6, .arrange = fn_arrange_queue,
		.then = fn_queue_or_new_port, .use = fn_use_queue),
	FN_CALL(queue_of_a_stream, QUEUE, .least = 7,
		.arrange = fn_arrange_stream_queue,
		.then = fn_queue_or_new_port, .use = fn_use_stream_queue),
	FN_CALL(queue_again, QUEUE, .least = 4, .stands = true,
		.arrange = fn_arrange_again, .then = fn_keep_queue,
		.use = fn_use_queue),

	FN_CALL(watch, WATCH, .arrange = fn_arrange_named,
		.use = fn_use_watched),
	FN_CALL(ready, READY, .least = 4, .stands = true,
		.arrange = fn_arrange_ready, .then = fn_keep_ready,
		.use = fn_use_ready),
};

#endif /* ZCBUF_SELFTEST_FAILNTH_TOPIC_H */
