// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ring of a session: what is told, to whom, and who pays for it.
 */
#include <linux/eventfd.h>
#include <linux/file.h>

#include "../../kmod/obj/ring.h"
#include "../../kmod/obj/view.h"
#include "obj_topic.h"

/**
 * struct scene - a topic, of which two sessions see their queues
 * @x: the topic
 * @file: of the ring of the first of them
 * @head: what the kernel says there
 * @words: and tells
 * @state: what both write
 */
struct scene {
	struct topic x;
	struct file *file;
	struct zcbuf_ready_head *head;
	u32 *words;
	struct zcbuf_ready_state *state;
};

static void drop_file(void *file)
{
	__fput_sync(file);
}

static struct file *keep_file(struct kunit *test, struct file *file)
{
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, drop_file, file));
	return file;
}

static void show(struct kunit *test, struct zcb_port *port)
{
	u64 bytes, state_bytes;

	keep_file(test, zcb_port_view(port, &bytes, &state_bytes));
}

static struct scene scene(struct kunit *test)
{
	struct scene s = { .x = topic_of(test, of_pages(test)) };
	struct zcb_shown *shown;
	u64 bytes, state_bytes;

	show(test, s.x.out[0]);
	show(test, s.x.out[1]);
	s.file = keep_file(test, zcb_ring_file(s.x.t.b, &bytes, &state_bytes));
	shown = s.file->private_data;
	s.head = shown->mem;
	s.words = shown->mem + s.head->ring_offset;
	s.state = shown->mem + shown->bytes;
	KUNIT_EXPECT_EQ(test, bytes, shown->bytes);
	KUNIT_EXPECT_EQ(test, state_bytes, shown->state_bytes);
	return s;
}

static void publish(struct kunit *test, struct scene *s)
{
	obj_publish(test, s->x.in, obj_alloc(test, s->x.t.a, 1));
}

static u32 *armed(struct zcb_port *port)
{
	return &port->view->state->armed;
}

static void told_once(struct kunit *test)
{
	struct scene s = scene(test);

	publish(test, &s);
	KUNIT_EXPECT_EQ(test, s.head->tail, 0);
	*armed(s.x.out[0]) = 77;
	publish(test, &s);
	publish(test, &s);
	KUNIT_EXPECT_EQ(test, s.head->tail, 1);
	KUNIT_EXPECT_EQ(test, s.words[0], 77);
	KUNIT_EXPECT_EQ(test, *armed(s.x.out[0]), 0);
}

/* The other one has no ring: its word means nothing. */
static void each_has_its_own(struct kunit *test)
{
	struct scene s = scene(test);

	*armed(s.x.out[1]) = 5;
	publish(test, &s);
	KUNIT_EXPECT_EQ(test, s.head->tail, 0);
}

static void the_end_is_told(struct kunit *test)
{
	struct scene s = scene(test);
	struct zcb_stream_counts n;

	*armed(s.x.out[0]) = 1;
	KUNIT_ASSERT_EQ(test, zcb_channel_finalize(s.x.in, &n), 0);
	KUNIT_EXPECT_EQ(test, s.head->tail, 1);
	*armed(s.x.out[0]) = 2;
	zcb_channel_close(s.x.t.b, s.x.out[0]->handle, 0);
	KUNIT_EXPECT_EQ(test, s.head->tail, 2);
	KUNIT_EXPECT_EQ(test, s.words[1], 2);
}

static void who_sleeps_is_woken_once(struct kunit *test)
{
	struct eventfd_ctx *ctx = obj_eventfd(test);
	struct scene s = scene(test);

	KUNIT_EXPECT_EQ(test, zcb_ring_eventfd(&s.x.t.b->ready, ctx), 0);
	*armed(s.x.out[0]) = 1;
	publish(test, &s);
	KUNIT_EXPECT_EQ(test, ctx->count, 0);
	s.state->sleeping = 1;
	publish(test, &s);
	KUNIT_EXPECT_EQ(test, ctx->count, 0);
	*armed(s.x.out[0]) = 1;
	publish(test, &s);
	KUNIT_EXPECT_EQ(test, ctx->count, 1);
	KUNIT_EXPECT_EQ(test, s.state->sleeping, 0);
	*armed(s.x.out[0]) = 1;
	publish(test, &s);
	KUNIT_EXPECT_EQ(test, ctx->count, 1);
	KUNIT_EXPECT_EQ(test, zcb_ring_eventfd(&s.x.t.b->ready, NULL), 0);
	KUNIT_EXPECT_EQ(test, ctx->puts, 1);
}

static void an_eventfd_needs_a_ring(struct kunit *test)
{
	struct eventfd_ctx *ctx = obj_eventfd(test);
	struct scene s = scene(test);

	KUNIT_EXPECT_EQ(test, zcb_ring_eventfd(&s.x.t.c->ready, ctx), -EINVAL);
	KUNIT_EXPECT_EQ(test, zcb_ring_eventfd(&s.x.t.c->ready, NULL),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, ctx->puts, 0);
}

/* A second file is of the same ring; it goes with the session and all files. */
static void one_ring_of_a_session(struct kunit *test)
{
	struct eventfd_ctx *ctx = obj_eventfd(test);
	struct scene s = scene(test);
	u64 bytes, state_bytes, charged;
	struct file *file;

	charged = obj_total_charged();
	file = zcb_ring_file(s.x.t.b, &bytes, &state_bytes);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	KUNIT_EXPECT_PTR_EQ(test, file->private_data, s.file->private_data);
	KUNIT_EXPECT_EQ(test, obj_total_charged(), charged);
	__fput_sync(file);
	zcb_ring_eventfd(&s.x.t.b->ready, ctx);
	obj_die(test, s.x.t.b, s.x.out[0]);
	KUNIT_EXPECT_EQ(test, ctx->puts, 1);
	KUNIT_EXPECT_EQ(test, s.head->magic, ZCBUF_READY_MAGIC);
}

/* Who reads late finds the last ones; nothing beyond the ring is written. */
static void the_ring_goes_round(struct kunit *test)
{
	struct scene s = scene(test);
	u32 i;

	for (i = 0; i < s.head->ring + 2; i++) {
		*armed(s.x.out[0]) = i + 1;
		zcb_ring_tell(&s.x.t.b->ready, s.x.out[0]->view);
	}
	KUNIT_EXPECT_EQ(test, s.head->tail, i);
	KUNIT_EXPECT_EQ(test, s.words[1], i);
	KUNIT_EXPECT_EQ(test, s.words[2], 3);
	KUNIT_EXPECT_EQ(test, s.words[s.head->ring - 1], s.head->ring);
}

static struct kunit_case ring_cases[] = {
	KUNIT_CASE(told_once),
	KUNIT_CASE(each_has_its_own),
	KUNIT_CASE(the_end_is_told),
	KUNIT_CASE(who_sleeps_is_woken_once),
	KUNIT_CASE(an_eventfd_needs_a_ring),
	KUNIT_CASE(one_ring_of_a_session),
	KUNIT_CASE(the_ring_goes_round),
	{}
};

static struct kunit_suite ring_suite = {
	.name = "zcb_ring",
	.suite_init = obj_suite_init,
	.suite_exit = obj_suite_exit,
	.init = obj_init,
	.test_cases = ring_cases,
};

kunit_test_suite(ring_suite);
