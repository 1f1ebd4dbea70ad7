// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * TOPIC channels: what becomes of a message: policies, lanes, what may be held,
 * history and replay, reservations and windows, the end; who is woken. And
 * buffers that are published to a stream.
 */
#include <sys/eventfd.h>

#include "topic.h"

#define PAGE(n)	((n) * ZT_PAGE)

static void put(int fd, __u64 ch, __u64 tag, __u32 delivered, __u32 dropped)
{
	tp_put(fd, ch, ZT_PAGE, tag, 0, delivered, dropped);
}

static int pool(void)
{
	return tp_pool(&tp_pages);
}

/* --------------------------------------------------------------- policies */

/* One that has no room is enough, and then nobody gets it. */
TEST(block_is_all_or_none)
{
	int fd = pool();
	__u64 ch = TOPIC(fd, NULL);
	int full = CONSUMER(fd, ch, .depth = 1), room = CONSUMER(fd, ch);
	int lossy = CONSUMER(fd, ch, .policy = ZCBUF_POLICY_DROP_OLDEST,
			     .depth = 1);

	put(fd, ch, 0, 3, 0);
	EXPECT_ERR(tp_send(fd, ch, ZT_PAGE, 1), EAGAIN);
	EXPECT_ERR(tp_send(fd, ch, ZT_PAGE, 1), EAGAIN);
	EXPECT_EQ(zt_used(fd), PAGE(1));
	EXPECT_EQ(tp_take_all(room, ch, 0), 1);
	EXPECT_EQ(tp_take_all(lossy, ch, 0), 1);
	EXPECT_EQ(tp_take_all(full, ch, 0), 1);
	put(fd, ch, 1, 3, 0);
	EXPECT_EQ(tp_take_all(room, ch, 1), 1);
	put(room, TOPIC(room, NULL), 9, 0, 0);
	EXPECT_ERR(tp_send(fd, ch, ZT_PAGE, 2), EAGAIN);
	EXPECT_EQ(tp_take_all(full, ch, 1), 1);
	EXPECT_EQ(tp_take_all(lossy, ch, 1), 1);
	tp_expect_free(fd);
}

/* A slow one has losses, the others none. */
TEST(losses_are_ones_own)
{
	int fd = pool(), i;
	__u64 ch = TOPIC(fd, NULL);
	int all = CONSUMER(fd, ch, .depth = 8);
	int first = CONSUMER(fd, ch, .depth = 2,
			     .policy = ZCBUF_POLICY_DROP_NEWEST);
	int last = CONSUMER(fd, ch, .depth = 3,
			    .policy = ZCBUF_POLICY_DROP_OLDEST);

	for (i = 0; i < 8; i++)
		put(fd, ch, i, i < 2 ? 3 : 2, (i >= 2) + (i >= 3));
	EXPECT_EQ(tp_take_all(all, ch, 0), 8);
	EXPECT_EQ(tp_take_all(first, ch, 0), 2);
	EXPECT_EQ(tp_take_all(last, ch, 5), 3);
	tp_expect_free(fd);
}

/* What is taken is not lost, however many come. */
TEST(taken_is_never_dropped)
{
	int fd = pool(), i;
	__u64 ch = TOPIC(fd, NULL);
	int sub = CONSUMER(fd, ch, .depth = 1,
			   .policy = ZCBUF_POLICY_DROP_OLDEST);
	struct zcbuf_delivery d;

	put(fd, ch, 0, 1, 0);
	d = tp_receive(sub, ch);
	for (i = 1; i < 5; i++)
		put(fd, ch, i, 1, i > 1);
	EXPECT_EQ(zt_used(fd), PAGE(2));
	EXPECT_OK(zt_release1(sub, ch, d.handle));
	d = tp_receive(sub, ch);
	EXPECT_EQ(d.user_tag, 4);
	EXPECT_EQ(d.lost, 3);
	EXPECT_OK(zt_release1(sub, ch, d.handle));
	tp_expect_free(fd);
}

/* So many, and no more; what there is to receive waits. */
TEST(as_many_as_may_be_held)
{
	int fd = pool(), i;
	__u64 ch = TOPIC(fd, NULL);
	int sub = CONSUMER(fd, ch, .depth = 4, .max_held = 2);
	struct zcbuf_delivery d[4];

	for (i = 0; i < 3; i++)
		put(fd, ch, i, 1, 0);
	EXPECT_EQ(zt_receive(sub, ch, d, 4, 0), 2);
	EXPECT_ERR(zt_receive(sub, ch, &d[2], 1, 0), ENOSPC);
	EXPECT_ERR(zt_receive(sub, ch, &d[2], 1, ZCBUF_NO_DEADLINE), ENOSPC);
	EXPECT_OK(zt_release1(sub, ch, d[0].handle));
	EXPECT_EQ(zt_receive(sub, ch, &d[2], 2, 0), 1);
	EXPECT_EQ(d[2].user_tag, 2);
	EXPECT_ERR(zt_receive(sub, ch, &d[3], 1, 0), EAGAIN);
	EXPECT_OK(zt_release1(sub, ch, d[2].handle));
	EXPECT_OK(zt_release1(sub, ch, d[1].handle));
	tp_expect_free(fd);
}

TEST(nobody_is_needed)
{
	int fd = pool();
	__u64 ch = TOPIC(fd, NULL);
	struct zcbuf_publication p = { .handle = tp_loan(fd, ZT_PAGE) };
	__u32 need = ZCBUF_PUBLISH_F_NEED_CONSUMER;
	int sub;

	EXPECT_ERR(tp_publish_as(fd, ch, &p, need, 0), EPIPE);
	EXPECT_ERR(tp_publish_as(fd, ch, &p, need, ZCBUF_NO_DEADLINE), EPIPE);
	sub = CONSUMER(fd, ch);
	EXPECT_OK(tp_publish_as(fd, ch, &p, need, 0));
	EXPECT_EQ(p.out_seq, 0);
	EXPECT_EQ(tp_take_all(sub, ch, 0), 1);
	tp_expect_free(fd);
}

/* What consumers have not released counts against what the channel may have. */
TEST(credits_of_a_topic)
{
	int fd = pool(), i;
	__u64 ch = TOPIC(fd, NULL, .max_outstanding = 3);
	int sub = CONSUMER(fd, ch);
	struct zcbuf_delivery d;

	for (i = 0; i < 3; i++)
		put(fd, ch, i, 1, 0);
	EXPECT_ERR(tp_send(fd, ch, ZT_PAGE, 3), EAGAIN);
	d = tp_receive(sub, ch);
	EXPECT_ERR(tp_send(fd, ch, ZT_PAGE, 3), EAGAIN);
	EXPECT_OK(zt_release1(sub, ch, d.handle));
	put(fd, ch, 3, 1, 0);
	EXPECT_EQ(tp_take_all(sub, ch, 1), 3);
	tp_expect_free(fd);
}

/* Short of them, the oldest go that nobody has for certain. */
TEST(credits_of_who_drops)
{
	int fd = pool(), i;
	__u64 ch = TOPIC(fd, NULL, .history = 3, .max_outstanding = 4);
	int sub = CONSUMER(fd, ch, .policy = ZCBUF_POLICY_DROP_NEWEST);

	for (i = 0; i < 6; i++)
		EXPECT_OK(tp_send(fd, ch, ZT_PAGE, i));
	EXPECT_EQ(zt_used(fd), PAGE(4));
	EXPECT_EQ(tp_receive(sub, ch).lost, 2);
	EXPECT_EQ(tp_take_all(sub, ch, 3), 3);
	EXPECT_EQ(zt_used(fd), PAGE(4));
}

/* ------------------------------------------------------------------ lanes */

/* Higher ones first, in each in order; beyond the last is the last. */
TEST(lanes)
{
	static const __u32 priority[] = { 0, 2, 1, 7, 0, ~0U, 1 };
	static const __s64 want[] = { 1, 3, 5, 2, 6, 0, 4 };
	int fd = pool();
	__u64 ch = TOPIC(fd, NULL);
	int sub = CONSUMER(fd, ch, .lanes = 3), one = CONSUMER(fd, ch);
	struct zcbuf_delivery d;
	int i;

	for (i = 0; i < 7; i++)
		tp_put(fd, ch, ZT_PAGE, i, priority[i], 2, 0);
	for (i = 0; i < 7; i++) {
		d = tp_receive(sub, ch);
		EXPECT_EQ(d.user_tag, want[i]);
		EXPECT_EQ(d.seq, want[i]);
		EXPECT_EQ(d.priority, priority[want[i]]);
		EXPECT_OK(zt_release1(sub, ch, d.handle));
	}
	EXPECT_EQ(tp_take_all(one, ch, 0), 7);
	tp_expect_free(fd);
}

/* The oldest of the lowest goes, and nothing for what is lower than all. */
TEST(lanes_and_drop_oldest)
{
	int fd = pool();
	__u64 ch = TOPIC(fd, NULL);
	int sub = CONSUMER(fd, ch, .lanes = 3, .depth = 3,
			   .policy = ZCBUF_POLICY_DROP_OLDEST);

	tp_put(fd, ch, ZT_PAGE, 0, 0, 1, 0);
	tp_put(fd, ch, ZT_PAGE, 1, 1, 1, 0);
	tp_put(fd, ch, ZT_PAGE, 2, 2, 1, 0);
	tp_put(fd, ch, ZT_PAGE, 3, 0, 1, 1);	/* for 0 */
	tp_put(fd, ch, ZT_PAGE, 4, 2, 1, 1);	/* for 3 */
	tp_put(fd, ch, ZT_PAGE, 5, 0, 0, 1);
	tp_put(fd, ch, ZT_PAGE, 6, 1, 1, 1);	/* for 1 */
	EXPECT_EQ(zt_used(fd), PAGE(3));
	EXPECT_EQ(tp_take(sub, ch), 2);
	EXPECT_EQ(tp_take(sub, ch), 4);
	EXPECT_EQ(tp_take(sub, ch), 6);
	EXPECT_ERR(tp_take(sub, ch), EAGAIN);
	tp_expect_free(fd);
}

TEST(lanes_and_drop_newest)
{
	int fd = pool();
	__u64 ch = TOPIC(fd, NULL);
	int sub = CONSUMER(fd, ch, .lanes = 8, .depth = 2,
			   .policy = ZCBUF_POLICY_DROP_NEWEST);

	tp_put(fd, ch, ZT_PAGE, 0, 0, 1, 0);
	tp_put(fd, ch, ZT_PAGE, 1, 7, 1, 0);
	tp_put(fd, ch, ZT_PAGE, 2, 7, 0, 1);
	EXPECT_EQ(tp_take(sub, ch), 1);
	EXPECT_EQ(tp_take_all(sub, ch, 0), 1);
	tp_expect_free(fd);
}

/* ---------------------------------------------------------------- history */

/* The last three, for who asks for them; not for who does not. */
TEST(history_for_latecomers)
{
	int fd = pool(), i, sub;
	__u64 ch = TOPIC(fd, NULL, .history = 3);
	struct zcbuf_delivery d;

	for (i = 0; i < 5; i++)
		put(fd, ch, i, 0, 0);
	EXPECT_EQ(zt_used(fd), PAGE(3));
	sub = CONSUMER(fd, ch, .replay = 2);
	d = tp_receive(sub, ch);
	EXPECT_EQ(d.user_tag, 3);
	EXPECT_EQ(d.seq, 3);
	EXPECT_EQ(d.publisher, zt_session(fd));
	EXPECT_OK(zt_release1(sub, ch, d.handle));
	EXPECT_EQ(tp_take_all(sub, ch, 4), 1);
	EXPECT_EQ(tp_take_all(CONSUMER(fd, ch, .replay = 100), ch, 2), 3);
	EXPECT_EQ(tp_take_all(CONSUMER(fd, ch, .replay = 3, .depth = 2), ch,
			      3), 2);
	EXPECT_EQ(tp_take_all(CONSUMER(fd, ch), ch, 0), 0);
	EXPECT_EQ(zt_used(fd), PAGE(3));
}

/* It has its messages once more only, whoever else has them. */
TEST(history_goes_with_its_channel)
{
	int fd = pool(), i;
	int other = tp_join(fd);
	__u64 ch = TOPIC(other, NULL, .history = 2);
	int sub = CONSUMER(fd, ch);
	struct zcbuf_delivery d;

	for (i = 0; i < 4; i++)
		put(other, ch, i, 1, 0);
	EXPECT_EQ(zt_used(fd), PAGE(4));
	d = tp_receive(sub, ch);
	EXPECT_EQ(tp_take_all(sub, ch, 1), 3);
	EXPECT_EQ(zt_used(fd), PAGE(3));
	EXPECT_OK(zt_release1(sub, ch, d.handle));
	EXPECT_EQ(zt_used(fd), PAGE(2));
	close(other);
	EXPECT_EQ(zt_used(fd), PAGE(2));
	close(sub);
	EXPECT_EQ(tp_channels(fd), 0);
	tp_expect_free(fd);
}

/* What it keeps takes credits: as many are left for the rest. */
TEST(history_and_credits)
{
	int fd = pool(), i;
	__u64 ch = TOPIC(fd, NULL, .history = 3, .max_outstanding = 4);

	for (i = 0; i < 20; i++)
		put(fd, ch, i, 0, 0);
	EXPECT_EQ(zt_used(fd), PAGE(3));
	EXPECT_EQ(tp_take_all(CONSUMER(fd, ch, .replay = 3), ch, 17), 3);
}

/* Of reservations as well. */
TEST(history_of_groups)
{
	int fd = pool(), i;
	__u64 ch = TOPIC(fd, NULL, .history = 1, .threshold = PAGE(1),
			 .flags = ZCBUF_CHANNEL_F_THRESHOLD);
	struct zcbuf_delivery d;
	int sub;

	for (i = 0; i < 3; i++)
		hz_put(fd, ch, PAGE(1));
	EXPECT_EQ(zt_used(fd), PAGE(1));
	sub = CONSUMER(fd, ch, .replay = 5);
	d = tp_receive(sub, ch);
	EXPECT_EQ(d.offset, PAGE(2));
	EXPECT_EQ(d.seq, 2);
	EXPECT_ERR(tp_take(sub, ch), EAGAIN);
}

/* ------------------------------------------------ reservations and windows */

static __u64 topic_of_groups(int fd, __u32 flags)
{
	return TOPIC(fd, NULL, .threshold = 100, .align = 1,
		     .flags = ZCBUF_CHANNEL_F_THRESHOLD | flags,
		     .ports = ZCBUF_PORT_PRODUCE | ZCBUF_PORT_RECV_FAILED);
}

static void expect_group(int fd, __u64 ch, __u64 offset, __u64 length,
			 __u64 publisher, __u64 seq)
{
	struct zcbuf_delivery d = tp_receive(fd, ch);

	EXPECT_EQ(d.offset, offset);
	EXPECT_EQ(d.length, length);
	EXPECT_EQ(d.publisher, publisher);
	EXPECT_EQ(d.seq, seq);
	EXPECT_EQ(d.user_tag, 0);
	EXPECT_OK(zt_release1(fd, ch, d.handle));
}

/* Of one stream: offsets and group ids go on, sequences are each one's own. */
TEST(groups_windows_and_messages)
{
	int fd = pool(), other = tp_join(fd), i;
	__u64 ch = topic_of_groups(fd, 0), me = zt_session(fd);
	int sub[2] = { CONSUMER(fd, ch), CONSUMER(fd, ch) };
	struct zcbuf_reservation r, w = { .length = 5000 };
	struct zcbuf_delivery d;

	ASSERT_OK(zt_ports(other, ch, ZCBUF_PORT_PRODUCE));
	ASSERT_OK(zt_reserve1(other, ch, 60, &r));
	hz_put(fd, ch, 60);
	ASSERT_OK(zt_commit1(other, ch, &r));
	ASSERT_EQ(zt_reserve(fd, ch, &w, 1, ZCBUF_RESERVE_F_WINDOW, 0), 1);
	w.length = 4000;
	ASSERT_OK(zt_commit1(fd, ch, &w));
	EXPECT_EQ(zt_used(fd), PAGE(2));
	put(fd, ch, 7, 2, 0);
	hz_put(fd, ch, 100);
	EXPECT_EQ(zt_used(fd), PAGE(4));
	for (i = 0; i < 2; i++) {
		expect_group(sub[i], ch, 0, 120, 0, 0);
		expect_group(sub[i], ch, 120, 4000, me, 0);
		d = tp_receive(sub[i], ch);
		EXPECT_EQ(d.user_tag, 7);
		EXPECT_EQ(d.publisher, me);
		EXPECT_EQ(d.seq, 1);
		EXPECT_EQ(d.group, 2);
		EXPECT_EQ(d.offset, 5120);
		EXPECT_OK(zt_release1(sub[i], ch, d.handle));
		expect_group(sub[i], ch, 5120 + PAGE(1), 100, 0, 1);
		EXPECT_ERR(tp_take(sub[i], ch), EAGAIN);
	}
	tp_expect_free(fd);
}

/* Who comes while a group is open gets the next one. */
TEST(an_open_group_is_of_those_who_are_there)
{
	int fd = pool();
	__u64 ch = topic_of_groups(fd, 0);
	int there = CONSUMER(fd, ch), late;

	hz_put(fd, ch, 60);
	late = CONSUMER(fd, ch);
	hz_put(fd, ch, 60);
	hz_put(fd, ch, 100);
	expect_group(there, ch, 0, 120, 0, 0);
	expect_group(there, ch, 120, 100, 0, 1);
	expect_group(late, ch, 120, 100, 0, 1);
	EXPECT_ERR(tp_take(late, ch), EAGAIN);
	tp_expect_free(fd);
}

/* Room is taken when a group is begun; with the last of it, it seals. */
TEST(room_is_taken_at_the_beginning)
{
	int fd = pool();
	__u64 ch = topic_of_groups(fd, 0);
	int sub = CONSUMER(fd, ch, .depth = 1);
	struct zcbuf_reservation r, more;

	ASSERT_OK(zt_reserve1(fd, ch, 60, &r));
	EXPECT_ERR(tp_send(fd, ch, ZT_PAGE, 1), EAGAIN);
	EXPECT_ERR(zt_reserve1(fd, ch, 30, &more), EAGAIN);
	ASSERT_OK(zt_commit1(fd, ch, &r));
	EXPECT_ERR(zt_reserve1(fd, ch, 30, &more), EAGAIN);
	expect_group(sub, ch, 0, 60, 0, 0);
	ASSERT_OK(zt_reserve1(fd, ch, 30, &r));
	ASSERT_OK(zt_abort1(fd, ch, &r));
	EXPECT_ERR(tp_take(sub, ch), EAGAIN);
	put(fd, ch, 2, 1, 0);	/* what failed gives it back */
	EXPECT_EQ(tp_take(sub, ch), 2);
}

/* A group that failed is nobody's in part. */
static void failed_group(__u32 flags)
{
	struct zcbuf_lost lost;
	struct zcbuf_piece piece;
	struct zcbuf_receive_failed f = {
		.lost = zt_ptr(&lost), .nlost = 1,
		.pieces = zt_ptr(&piece), .npieces = 1,
	};
	int fd = pool();
	__u64 ch = topic_of_groups(fd, flags);
	int sub = CONSUMER(fd, ch);
	struct zcbuf_reservation r;
	struct zcbuf_finalize fin;

	hz_put(fd, ch, 60);
	ASSERT_OK(zt_reserve1(fd, ch, 60, &r));
	ASSERT_OK(zt_abort1(fd, ch, &r));
	put(fd, ch, 1, 1, 0);
	if (flags) {
		EXPECT_ERR(zt_receive_failed(fd, ch, &f), EAGAIN);
		ASSERT_OK(zt_finalize(fd, ch, &fin));
		EXPECT_EQ(fin.out_failure, 1);
		EXPECT_EQ(fin.out_success, 0);
	}
	ASSERT_OK(zt_receive_failed(fd, ch, &f));
	EXPECT_EQ(piece.offset, 0);
	EXPECT_EQ(piece.length, 60);
	EXPECT_EQ(lost.offset, 60);
	EXPECT_EQ(lost.length, 60);
	EXPECT_OK(zt_release1(fd, ch, f.out_delivery.handle));
	EXPECT_EQ(tp_take(sub, ch), 1);
	EXPECT_ERR(tp_take(sub, ch), flags ? ESHUTDOWN : EAGAIN);
	tp_expect_free(fd);
}

TEST(a_failed_group)
{
	failed_group(0);
}

TEST(a_failed_group_that_is_held)
{
	failed_group(ZCBUF_CHANNEL_F_HOLD_FAILED);
}

/* ---------------------------------------------------------------- the end */

TEST(finalized)
{
	int fd = pool(), i;
	__u64 ch = topic_of_groups(fd, 0), h = tp_loan(fd, ZT_PAGE);
	int sub[2] = { CONSUMER(fd, ch), CONSUMER(fd, ch) };
	struct zcbuf_reservation r;
	struct zcbuf_finalize f;

	put(fd, ch, 5, 2, 0);
	hz_put(fd, ch, 50);
	ASSERT_OK(zt_finalize(fd, ch, &f));
	EXPECT_EQ(f.out_success, 1);
	EXPECT_EQ(f.out_reservations, 0);
	EXPECT_ERR(tp_publish1(fd, ch, h), ESHUTDOWN);
	EXPECT_ERR(zt_reserve1(fd, ch, 10, &r), ESHUTDOWN);
	ASSERT_OK(zt_finalize(fd, ch, &f));
	EXPECT_EQ(f.out_success, 0);
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(zt_poll(sub[i], 0) & (POLLIN | POLLHUP), POLLIN);
		EXPECT_EQ(tp_take(sub[i], ch), 5);
		expect_group(sub[i], ch, PAGE(1), 50, 0, 0);
		EXPECT_ERR(tp_take(sub[i], ch), ESHUTDOWN);
		EXPECT_EQ(zt_poll(sub[i], 0) & (POLLIN | POLLHUP), POLLHUP);
	}
	EXPECT_ERR(tp_take(CONSUMER(fd, ch), ch), ESHUTDOWN);
	EXPECT_OK(zt_free1(fd, h));
	tp_expect_free(fd);
}

/* It waits for the next publisher; what is open seals. */
TEST(the_last_publisher_goes)
{
	int fd = pool(), other = tp_join(fd);
	__u64 ch = topic_of_groups(other, 0);
	int sub = CONSUMER(fd, ch);

	hz_put(other, ch, 60);
	put(other, ch, 1, 1, 0);
	close(other);
	EXPECT_EQ(tp_take(sub, ch), 1);
	expect_group(sub, ch, 0, 60, 0, 0);
	EXPECT_ERR(tp_take(sub, ch), EAGAIN);
	EXPECT_EQ(zt_poll(sub, 0), 0);
	ASSERT_OK(zt_ports(fd, ch, ZCBUF_PORT_PRODUCE));
	put(fd, ch, 2, 1, 0);
	EXPECT_EQ(tp_take(sub, ch), 2);
	tp_expect_free(fd);
}

/* ------------------------------------------------------------------- woken */

struct poller {
	int fd;
	short events;
};

static void *in_poll(void *arg)
{
	struct poller *p = arg;
	struct pollfd pfd = { .fd = p->fd, .events = p->events };

	EXPECT_EQ(TEMP_FAILURE_RETRY(poll(&pfd, 1, -1)), 1);
	EXPECT_EQ(pfd.revents & p->events, p->events);
	return NULL;
}

TEST(poll_for_room)
{
	int fd = pool();
	__u64 ch = TOPIC(fd, NULL);
	int sub = CONSUMER(fd, ch, .depth = 1);
	struct poller p = { .fd = fd, .events = POLLOUT };
	struct thread t = { .run = in_poll, .arg = &p };

	EXPECT_EQ(zt_poll(fd, 0), POLLOUT);
	put(fd, ch, 0, 1, 0);
	EXPECT_EQ(zt_poll(fd, 0), 0);
	EXPECT_EQ(zt_poll(sub, 0), POLLIN);
	thread_start(&t, SYS_poll);
	EXPECT_EQ(tp_take(sub, ch), 0);
	thread_join(&t);
	EXPECT_EQ(zt_poll(sub, 0), 0);
	tp_expect_free(fd);
}

TEST(poll_for_a_message)
{
	int fd = pool();
	__u64 ch = TOPIC(fd, NULL);
	int sub = CONSUMER(fd, ch);
	struct poller p = { .fd = sub, .events = POLLIN };
	struct thread t = { .run = in_poll, .arg = &p };

	thread_start(&t, SYS_poll);
	put(fd, ch, 0, 1, 0);
	thread_join(&t);
	EXPECT_EQ(tp_take(sub, ch), 0);
	tp_expect_free(fd);
}

/* Each consumer's own counts what comes into its queue. */
TEST(eventfds_of_a_topic)
{
	int fd = pool(), i, efd[2];
	__u64 ch = TOPIC(fd, NULL, .history = 2);
	int sub[2];

	put(fd, ch, 0, 0, 0);
	put(fd, ch, 1, 0, 0);
	sub[0] = CONSUMER(fd, ch, .replay = 2);
	sub[1] = CONSUMER(fd, ch, .depth = 1,
			  .policy = ZCBUF_POLICY_DROP_NEWEST);
	for (i = 0; i < 2; i++) {
		efd[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		ASSERT_OK(zt_eventfd(sub[i], ch, efd[i], ZCBUF_EVENTFD_EACH,
				     0));
	}
	put(fd, ch, 2, 2, 0);
	put(fd, ch, 3, 1, 1);
	EXPECT_EQ(zt_count(efd[0]), 4);
	EXPECT_EQ(zt_count(efd[1]), 1);
	EXPECT_EQ(tp_take_all(sub[0], ch, 0), 4);
	EXPECT_EQ(zt_count(efd[0]), 0);
}

/* ---------------------------------------------------- published to a stream */

static void into_a_stream(const struct tp_kind *kind)
{
	int fd = tp_pool(kind), sub[2] = { tp_join(fd), tp_join(fd) }, i;
	__u64 ch, before = zt_used(fd), seen = 0;
	struct zcbuf_channel_open a = {
		.flags = ZCBUF_CHANNEL_F_THRESHOLD, .threshold = 100,
		.ports = ZCBUF_PORT_PRODUCE, .align = 64,
	};
	struct zcbuf_publication p = {};
	__s64 tag;

	ASSERT_OK(zt_channel_open(fd, &a));
	ch = a.out_channel;
	ASSERT_OK(tp_try(fd, ch, kind->length, 0, &p));
	EXPECT_EQ(p.out_delivered, 0);	/* parked */
	for (i = 0; i < 2; i++)
		ASSERT_OK(zt_ports(sub[i], ch, ZCBUF_PORT_CONSUME));
	for (i = 1; i < 6; i++) {
		ASSERT_OK(tp_try(fd, ch, kind->length, i, &p));
		EXPECT_EQ(p.out_seq, i);
		EXPECT_EQ(p.out_delivered, 1);
		EXPECT_EQ(p.out_dropped, 0);
	}
	for (i = 0; i < 2; i++)
		while ((tag = tp_take(sub[i], ch)) >= 0)
			seen += 1ULL << 8 * tag;
	EXPECT_EQ(seen, 0x010101010101ULL);
	EXPECT_EQ(zt_used(fd), before);
}

TEST(into_a_stream_pages)
{
	into_a_stream(&tp_pages);
}

TEST(into_a_stream_slab)
{
	into_a_stream(&tp_slab);
}

/* Between groups: the open one is before it, offsets go on behind it. */
TEST(in_the_order_of_a_stream)
{
	int fd = pool();
	struct zcbuf_channel_open a = {
		.flags = ZCBUF_CHANNEL_F_THRESHOLD | ZCBUF_CHANNEL_F_ORDERED,
		.threshold = 100, .ports = ZT_ALL_PORTS, .align = 64,
	};
	struct zcbuf_publication p = { .length = 70 };
	struct zcbuf_reservation r;
	struct zcbuf_delivery d;
	__u64 ch;

	ASSERT_OK(zt_channel_open(fd, &a));
	ch = a.out_channel;
	ASSERT_OK(zt_reserve1(fd, ch, 10, &r));
	p.handle = tp_loan(fd, ZT_PAGE);
	ASSERT_OK(tp_publish_as(fd, ch, &p, 0, 0));
	EXPECT_ERR(tp_take(fd, ch), EAGAIN);	/* ordered */
	ASSERT_OK(zt_commit1(fd, ch, &r));
	hz_put(fd, ch, 100);
	EXPECT_EQ(tp_receive(fd, ch).length, 10);
	d = tp_receive(fd, ch);
	EXPECT_EQ(d.offset, 64);
	EXPECT_EQ(d.length, 70);
	EXPECT_EQ(d.group, 1);
	d = tp_receive(fd, ch);
	EXPECT_EQ(d.offset, 64 + 128);
	EXPECT_EQ(d.group, 2);
	EXPECT_OK(zt_channel_close(fd, ch, 0));
	tp_expect_free(fd);
}

KTAP_MAIN()
