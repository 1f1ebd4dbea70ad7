// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Flow control: who cannot go on is told what is short, memory of the pool, room in
 * the channel, in a consumer's queue, or a consumer, by RESERVE, COMMIT_RESERVE and
 * PUBLISH, whether he waits or not, of streams and of topics. poll() says the same.
 */
#include <fcntl.h>
#include <time.h>

#include "thread.h"
#include "topic.h"

#define LENGTH	10ULL	/* of a reservation, which is a group */
#define UNSET	0x77U

static const bool a_stream;
static const bool a_topic = true;

/* A test of both. */
#define EACH_MODE(id)							\
	static void modes_##id(bool topic);				\
	static void modes_any_##id(const void *arg)			\
	{								\
		modes_##id(*(const bool *)arg);				\
	}								\
	TEST_WITH(modes_any_##id, id##_stream, &a_stream)		\
	TEST_WITH(modes_any_##id, id##_topic, &a_topic)			\
	static void modes_##id(bool topic)

/*
 * struct flow - a channel
 * @in: the session that produces
 * @out: the one that consumes, blocking if that is a choice; or -1
 */
struct flow {
	bool topic;
	int in;
	int out;
	__u64 ch;
};

static void consume(struct flow *f, __u32 depth)
{
	f->out = CONSUMER(f->in, f->ch, .depth = depth);
}

/* @depth of the consumer's queue, 0: there is none */
static struct flow flow_open(bool topic, __u32 max_outstanding, __u32 depth)
{
	struct zcbuf_channel_open a = {
		.flags = ZCBUF_CHANNEL_F_THRESHOLD |
			 ZCBUF_CHANNEL_F_NO_AUTO_FINALIZE |
			 (topic ? ZCBUF_CHANNEL_F_TOPIC : 0),
		.ports = ZCBUF_PORT_PRODUCE, .align = 1, .threshold = LENGTH,
		.max_outstanding = max_outstanding,
	};
	struct flow f = { .topic = topic, .out = -1 };

	f.in = tp_pool(&tp_pages);
	ASSERT_OK(zt_channel_open(f.in, &a));
	f.ch = a.out_channel;
	if (depth)
		consume(&f, depth);
	return f;
}

static void flow_close(const struct flow *f)
{
	if (f->out >= 0)
		EXPECT_EQ(close(f->out), 0);
	EXPECT_EQ(close(f->in), 0);
}

/* 0 or -errno; what was reserved, or why not. */
static int reserve_why(const struct flow *f, __u32 flags, __u64 deadline_ns,
		       struct zcbuf_reservation *r, __u32 *why)
{
	struct zcbuf_reserve a = zt_arg(struct zcbuf_reserve, .flags = flags,
		.channel = f->ch, .entries = zt_ptr(r),
		.deadline_ns = deadline_ns, .count = 1, .out_why = UNSET);
	int err;

	*r = (struct zcbuf_reservation){ .length = LENGTH };
	err = zt_call(f->in, ZCBUF_IOC_RESERVE, &a);
	EXPECT_EQ(a.out_error, -err);
	*why = a.out_why;
	return err;
}

static void expect_why(const struct flow *f, __u32 flags, __u64 deadline_ns,
		       int err, __u32 want)
{
	struct zcbuf_reservation r;
	__u32 why;

	EXPECT_ERR(reserve_why(f, flags, deadline_ns, &r, &why), err);
	EXPECT_EQ(why, want);
}

static void set_nonblock(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	ASSERT_OK(fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK :
					  flags & ~O_NONBLOCK));
}

/* However it is asked for. Whether a PUBLISH has memory is known before. */
static void expect_short(const struct flow *f, __u32 why)
{
	static const __u32 flags[] = { 0, ZCBUF_RESERVE_F_WINDOW };
	short room = f->topic && why == ZCBUF_WHY_MEMORY ? POLLOUT : 0;
	int i;

	for (i = 0; i < 2; i++) {
		expect_why(f, flags[i], 0, EAGAIN, why);
		expect_why(f, flags[i], 1, ETIMEDOUT, why);
		set_nonblock(f->in, true);
		expect_why(f, flags[i], ZCBUF_NO_DEADLINE, EAGAIN, why);
		set_nonblock(f->in, false);
	}
	EXPECT_EQ(zt_poll(f->in, 0) & POLLOUT, room);
}

static struct zcbuf_reservation reserve(const struct flow *f, __u32 flags)
{
	struct zcbuf_reservation r;
	__u32 why;

	ASSERT_OK(reserve_why(f, flags, 0, &r, &why));
	EXPECT_EQ(why, 0);
	return r;
}

static void send(const struct flow *f)
{
	struct zcbuf_reservation r = reserve(f, 0);

	ASSERT_OK(zt_commit1(f->in, f->ch, &r));
}

/* It goes on, and all that was sent arrives. */
static void expect_room(const struct flow *f)
{
	struct zcbuf_reservation r;

	EXPECT_EQ(zt_poll(f->in, 0) & POLLOUT, POLLOUT);
	send(f);
	while (tp_take(f->out, f->ch) >= 0)
		;
	r = reserve(f, ZCBUF_RESERVE_F_WINDOW);
	ASSERT_OK(zt_commit1(f->in, f->ch, &r));
	EXPECT_EQ(tp_take(f->out, f->ch), 0);
	EXPECT_ERR(tp_take(f->out, f->ch), EAGAIN);
}

/* All the memory that there is now. */
static void hoard(const struct flow *f)
{
	__u64 handles[ZT_ARENA / ZT_PAGE];

	ASSERT_GT(zt_alloc(f->in, ZT_PAGE, 0, 0, handles, ZT_ARENA / ZT_PAGE),
		  0);
}

/* ------------------------------------------------------------------ RESERVE */

EACH_MODE(memory)
{
	struct flow f = flow_open(topic, 0, 2);
	__u64 all;

	ASSERT_OK(zt_alloc1(f.out, ZT_ARENA, &all));
	expect_short(&f, ZCBUF_WHY_MEMORY);
	ASSERT_OK(zt_free1(f.out, all));
	expect_room(&f);
	flow_close(&f);
}

/* It is pending, it is on its way, it is in somebody's hands. */
EACH_MODE(limit)
{
	struct flow f = flow_open(topic, 1, 2);
	struct zcbuf_reservation r = reserve(&f, 0);
	struct zcbuf_delivery d;

	expect_short(&f, ZCBUF_WHY_LIMIT);
	ASSERT_OK(zt_commit1(f.in, f.ch, &r));
	expect_short(&f, ZCBUF_WHY_LIMIT);
	d = tp_receive(f.out, f.ch);
	expect_short(&f, ZCBUF_WHY_LIMIT);
	ASSERT_OK(zt_release1(f.out, f.ch, d.handle));
	expect_room(&f);
	flow_close(&f);
}

/* Of a stream a queue that is full is nothing to wait for, before it has cost all. */
EACH_MODE(queue_and_limit)
{
	struct flow f = flow_open(topic, topic ? 1 : 2, 1);

	send(&f);
	if (!topic)
		send(&f);
	expect_short(&f, ZCBUF_WHY_LIMIT | ZCBUF_WHY_QUEUE);
	tp_receive(f.out, f.ch);
	expect_short(&f, ZCBUF_WHY_LIMIT);
	flow_close(&f);
}

TEST(queue_of_a_topic)
{
	struct flow f = flow_open(true, 8, 1);

	send(&f);
	expect_short(&f, ZCBUF_WHY_QUEUE);
	hoard(&f);
	expect_short(&f, ZCBUF_WHY_QUEUE);
	tp_receive(f.out, f.ch);
	expect_short(&f, ZCBUF_WHY_MEMORY);
	flow_close(&f);
}

TEST(queue_of_a_stream_and_memory)
{
	struct flow f = flow_open(false, 8, 1);

	send(&f);
	hoard(&f);
	expect_short(&f, ZCBUF_WHY_MEMORY);
	flow_close(&f);

	f = flow_open(false, 8, 1);
	send(&f);
	send(&f);
	hoard(&f);
	expect_short(&f, ZCBUF_WHY_MEMORY | ZCBUF_WHY_QUEUE);
	tp_receive(f.out, f.ch);
	expect_short(&f, ZCBUF_WHY_MEMORY);
	flow_close(&f);
}

TEST(nobody_and_limit)
{
	struct flow f = flow_open(false, 1, 0);

	send(&f);
	expect_short(&f, ZCBUF_WHY_LIMIT | ZCBUF_WHY_NO_CONSUMER);
	consume(&f, 1);
	expect_short(&f, ZCBUF_WHY_LIMIT);
	EXPECT_EQ(tp_take(f.out, f.ch), 0);
	expect_room(&f);
	flow_close(&f);
}

TEST(nobody_and_memory)
{
	struct flow f = flow_open(false, 8, 0);

	send(&f);
	hoard(&f);
	expect_short(&f, ZCBUF_WHY_MEMORY | ZCBUF_WHY_NO_CONSUMER);
	consume(&f, 1);
	expect_short(&f, ZCBUF_WHY_MEMORY);
	EXPECT_EQ(tp_take(f.out, f.ch), 0);
	expect_room(&f);
	flow_close(&f);
}

/* Of a topic nobody is no reason to wait; who asks for somebody has an errno. */
EACH_MODE(nobody_needed)
{
	struct flow f = flow_open(topic, 1, 0);
	struct zcbuf_reservation r;

	if (topic)
		send(&f);
	expect_why(&f, ZCBUF_RESERVE_F_NEED_CONSUMER, 0, EPIPE, 0);
	expect_why(&f, ZCBUF_RESERVE_F_NEED_CONSUMER, ZCBUF_NO_DEADLINE, EPIPE,
		   0);
	r = reserve(&f, 0);
	expect_why(&f, 0, 0, EAGAIN, ZCBUF_WHY_LIMIT);
	ASSERT_OK(zt_commit1(f.in, f.ch, &r));
	flow_close(&f);
}

/* Of what waiting does not help against nothing is short. */
EACH_MODE(what_others_say_no_for)
{
	struct flow f = flow_open(topic, 1, 1);
	struct zcbuf_reservation r = {};
	struct zcbuf_reserve a = zt_arg(struct zcbuf_reserve, .channel = f.ch,
		.entries = zt_ptr(&r), .count = 1, .out_why = UNSET);
	struct zcbuf_finalize fin;

	EXPECT_ERR(zt_call(f.in, ZCBUF_IOC_RESERVE, &a), EINVAL);
	EXPECT_EQ(a.out_why, 0);
	r.length = ZT_ARENA + 1;
	a.out_why = UNSET;
	EXPECT_ERR(zt_call(f.in, ZCBUF_IOC_RESERVE, &a), E2BIG);
	EXPECT_EQ(a.out_why, 0);
	a.__reserved2 = 1;
	EXPECT_ERR(zt_call(f.in, ZCBUF_IOC_RESERVE, &a), EOPNOTSUPP);
	EXPECT_OK(zt_finalize(f.in, f.ch, &fin));
	expect_why(&f, 0, ZCBUF_NO_DEADLINE, ESHUTDOWN, 0);
	flow_close(&f);
}

/* ------------------------------------------------------------------ waiting */

struct waiter {
	struct flow *f;
	__u32 flags;
	__u64 deadline_ns;
	int want;
	__u32 why;
};

static void *in_reserve(void *arg)
{
	struct waiter *w = arg;
	struct zcbuf_reservation r;
	__u32 why;

	EXPECT_EQ(reserve_why(w->f, w->flags, w->deadline_ns, &r, &why),
		  w->want);
	EXPECT_EQ(why, w->why);
	return NULL;
}

/* Not only by a deadline that has passed. */
EACH_MODE(after_a_while)
{
	struct flow f = flow_open(topic, 1, 2);
	struct timespec now;

	reserve(&f, 0);
	ASSERT_OK(clock_gettime(CLOCK_MONOTONIC, &now));
	expect_why(&f, 0, now.tv_sec * 1000000000ULL + now.tv_nsec + 20000000,
		   ETIMEDOUT, ZCBUF_WHY_LIMIT);
	flow_close(&f);
}

/* There is room then, and nobody to take it. */
EACH_MODE(the_consumer_goes)
{
	struct flow f = flow_open(topic, 1, 1);
	struct waiter w = {
		.f = &f, .flags = ZCBUF_RESERVE_F_NEED_CONSUMER,
		.deadline_ns = ZCBUF_NO_DEADLINE, .want = -EPIPE,
	};
	struct thread t = { .run = in_reserve, .arg = &w };

	send(&f);
	thread_start(&t, SYS_ioctl);
	EXPECT_EQ(close(f.out), 0);
	thread_join(&t);
	f.out = -1;
	flow_close(&f);
}

/* Who has waited with success is told of nothing. */
EACH_MODE(room_comes)
{
	struct flow f = flow_open(topic, 1, 1);
	struct waiter w = { .f = &f, .deadline_ns = ZCBUF_NO_DEADLINE };
	struct thread t = { .run = in_reserve, .arg = &w };

	send(&f);
	thread_start(&t, SYS_ioctl);
	EXPECT_EQ(tp_take(f.out, f.ch), 0);
	thread_join(&t);
	flow_close(&f);
}

/* --------------------------------------------------- COMMIT_RESERVE, PUBLISH */

EACH_MODE(a_batch_in_part)
{
	struct flow f = flow_open(topic, 2, 4);
	struct zcbuf_reservation r[3] = {
		{ .length = LENGTH }, { .length = LENGTH }, { .length = LENGTH },
	};
	struct zcbuf_reserve a = zt_arg(struct zcbuf_reserve, .channel = f.ch,
		.entries = zt_ptr(r), .count = 3, .out_why = UNSET);

	EXPECT_OK(zt_call(f.in, ZCBUF_IOC_RESERVE, &a));
	EXPECT_EQ(a.out_done, 2);
	EXPECT_EQ(a.out_error, EAGAIN);
	EXPECT_EQ(a.out_why, ZCBUF_WHY_LIMIT);
	flow_close(&f);
}

/* @flags of the reservation that follows; what was committed takes the last place. */
static void turn_over(bool topic, __u32 flags)
{
	struct flow f = flow_open(topic, topic ? 8 : 1, 1);
	struct zcbuf_reservation r = reserve(&f, 0), next = { .length = LENGTH };
	struct zcbuf_commit_entry e = {
		.group = r.out_group, .id = r.out_id, .offset = r.out_offset,
		.length = LENGTH,
	};
	struct zcbuf_commit_reserve a = {
		.flags = flags, .channel = f.ch, .commits = zt_ptr(&e),
		.ncommits = 1, .reserves = zt_ptr(&next), .nreserves = 1,
		.out_why = UNSET,
	};

	a.__reserved = 1;
	EXPECT_ERR(zt_commit_reserve(f.in, &a), EOPNOTSUPP);
	a.__reserved = 0;
	EXPECT_OK(zt_commit_reserve(f.in, &a));
	EXPECT_EQ(a.out_committed, 1);
	EXPECT_EQ(a.out_reserve_error, EAGAIN);
	EXPECT_EQ(a.out_why, topic ? ZCBUF_WHY_QUEUE : ZCBUF_WHY_LIMIT);
	a.deadline_ns = 1;
	a.out_why = UNSET;
	EXPECT_ERR(zt_commit_reserve(f.in, &a), EALREADY);
	EXPECT_EQ(a.out_why, 0);
	EXPECT_EQ(tp_take(f.out, f.ch), 0);
	r = reserve(&f, 0);
	e.group = r.out_group;
	e.id = r.out_id;
	e.offset = r.out_offset;
	EXPECT_OK(zt_commit_reserve(f.in, &a));
	EXPECT_EQ(a.out_reserve_error, ETIMEDOUT);
	EXPECT_EQ(a.out_why, topic ? ZCBUF_WHY_QUEUE : ZCBUF_WHY_LIMIT);
	flow_close(&f);
}

EACH_MODE(turning_over)
{
	turn_over(topic, 0);
	turn_over(topic, ZCBUF_RESERVE_F_WINDOW);
}

/* 0 or -errno */
static int publish_why(const struct flow *f, __u64 handle, __u64 deadline_ns,
		       __u32 *why)
{
	struct zcbuf_publication p = { .handle = handle };
	struct zcbuf_publish a = zt_arg(struct zcbuf_publish, .channel = f->ch,
		.entries = zt_ptr(&p), .count = 1, .deadline_ns = deadline_ns,
		.out_why = UNSET);
	int err = zt_call(f->in, ZCBUF_IOC_PUBLISH, &a);

	*why = a.out_why;
	return err;
}

static void expect_unpublished(const struct flow *f, __u32 want)
{
	__u64 handle = tp_loan(f->in, ZT_PAGE);
	__u32 why;

	EXPECT_ERR(publish_why(f, handle, 0, &why), EAGAIN);
	EXPECT_EQ(why, want);
	EXPECT_ERR(publish_why(f, handle, 1, &why), ETIMEDOUT);
	EXPECT_EQ(why, want);
	EXPECT_OK(zt_free1(f->in, handle));
	EXPECT_ERR(publish_why(f, handle, 0, &why), EBADSLT);
	EXPECT_EQ(why, 0);
}

TEST(publish_to_a_topic)
{
	struct flow f = flow_open(true, 2, 1);
	struct zcbuf_delivery d;
	__u32 why = UNSET;

	ASSERT_OK(publish_why(&f, tp_loan(f.in, ZT_PAGE), 0, &why));
	EXPECT_EQ(why, 0);
	expect_unpublished(&f, ZCBUF_WHY_QUEUE);
	d = tp_receive(f.out, f.ch);
	send(&f);
	expect_unpublished(&f, ZCBUF_WHY_LIMIT | ZCBUF_WHY_QUEUE);
	tp_receive(f.out, f.ch);
	expect_unpublished(&f, ZCBUF_WHY_LIMIT);
	ASSERT_OK(zt_release1(f.out, f.ch, d.handle));
	ASSERT_OK(publish_why(&f, tp_loan(f.in, ZT_PAGE), 0, &why));
	flow_close(&f);
}

TEST(publish_to_a_stream)
{
	struct zcbuf_publish a = zt_arg(struct zcbuf_publish, .__reserved2 = 1);
	struct flow f = flow_open(false, 1, 0);

	EXPECT_ERR(zt_call(f.in, ZCBUF_IOC_PUBLISH, &a), EOPNOTSUPP);
	send(&f);
	expect_unpublished(&f, ZCBUF_WHY_LIMIT | ZCBUF_WHY_NO_CONSUMER);
	consume(&f, 1);
	expect_unpublished(&f, ZCBUF_WHY_LIMIT);
	flow_close(&f);
}

KTAP_MAIN()
