// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * What a stream does when its ports go: it ends with its last producer, or
 * waits for the next one; queues are handed on; and memory somebody may still
 * be storing into (a straggler) is kept until he says that he is not, or dies.
 */
#include <sys/eventfd.h>

#include "hostile.h"

struct stream {
	int fd;			/* one session: all ports, unless told otherwise */
	int other;		/* another one of the same pool: no port */
	__u64 channel;
};

static void stream_open(struct stream *s, __u64 threshold, __u32 flags,
			__u32 ports)
{
	struct zcbuf_channel_open a = {
		.flags = flags | ZCBUF_CHANNEL_F_THRESHOLD, .ports = ports,
		.align = 1, .threshold = threshold,
	};

	s->fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	ASSERT_GE(s->fd, 0);
	s->other = zt_join(s->fd, 0);
	ASSERT_GE(s->other, 0);
	ASSERT_OK(zt_channel_open(s->fd, &a));
	s->channel = a.out_channel;
}

/* Take a failed group of one lost reservation. */
static void expect_lost(int fd, __u64 channel, __u64 id, __u64 length)
{
	struct zcbuf_lost lost;
	struct zcbuf_receive_failed f = { .lost = zt_ptr(&lost), .nlost = 1 };

	ASSERT_OK(zt_receive_failed(fd, channel, &f));
	EXPECT_EQ(f.npieces, 0);
	EXPECT_EQ(f.nlost, 1);
	EXPECT_EQ(lost.id, id);
	EXPECT_EQ(lost.length, length);
	EXPECT_OK(zt_release1(fd, channel, f.out_delivery.handle));
}

/* Take a group. */
static void expect_group(int fd, __u64 channel, __u64 offset, __u64 length)
{
	struct zcbuf_delivery d;

	ASSERT_EQ(zt_receive(fd, channel, &d, 1, 0), 1);
	EXPECT_EQ(d.offset, offset);
	EXPECT_EQ(d.length, length);
	EXPECT_OK(zt_release1(fd, channel, d.handle));
}

static void expect_end(int fd, __u64 channel)
{
	struct zcbuf_receive_failed f = {};
	struct zcbuf_delivery d;

	EXPECT_ERR(zt_receive(fd, channel, &d, 1, 0), ESHUTDOWN);
	EXPECT_ERR(zt_receive_failed(fd, channel, &f), ESHUTDOWN);
}

/* -------------------------------------------------------------- stragglers */

/*
 * @other has one reservation pending when @fd finalizes: its group is delivered
 * as failed and released at once, its memory stays.
 */
static void straggle(struct stream *s, struct zcbuf_reservation *r)
{
	struct zcbuf_finalize f;

	stream_open(s, 0, 0, ZT_ALL_PORTS);
	ASSERT_OK(zt_ports(s->other, s->channel, ZCBUF_PORT_PRODUCE));
	ASSERT_OK(zt_reserve1(s->other, s->channel, 5000, r));
	ASSERT_OK(zt_finalize(s->fd, s->channel, &f));
	EXPECT_EQ(f.out_success, 0);
	EXPECT_EQ(f.out_failure, 1);
	EXPECT_EQ(f.out_reservations, 1);
	EXPECT_EQ(zt_used(s->fd), 2 * ZT_PAGE);
	expect_lost(s->fd, s->channel, 0, 5000);
	expect_end(s->fd, s->channel);
	EXPECT_EQ(zt_used(s->fd), 2 * ZT_PAGE);
}

/* Nobody gets the memory while its owner may be storing. */
static void expect_kept(struct stream *s, const struct zcbuf_reservation *r)
{
	__u64 from = r->out_pool_offset, h;
	int n;

	for (n = 0; zt_alloc1(s->fd, ZT_PAGE, &h) == 0; n++)
		EXPECT_FALSE(zcbuf_buf_offset(h) >= from &&
			     zcbuf_buf_offset(h) < from + 2 * ZT_PAGE);
	EXPECT_EQ(n, ZT_ARENA / ZT_PAGE - 2);
}

TEST(straggler_commits)
{
	struct zcbuf_reservation r;
	struct stream s;

	straggle(&s, &r);
	EXPECT_ERR(zt_commit1(s.other, s.channel, &r), ESHUTDOWN);
	EXPECT_EQ(zt_used(s.fd), 0);
	EXPECT_ERR(zt_commit1(s.other, s.channel, &r), ESHUTDOWN);
	EXPECT_EQ(zt_used(s.fd), 0);
}

TEST(straggler_aborts)
{
	struct zcbuf_reservation r;
	struct stream s;

	straggle(&s, &r);
	expect_kept(&s, &r);
	EXPECT_ERR(zt_abort1(s.other, s.channel, &r), ESHUTDOWN);
	EXPECT_EQ(zt_used(s.fd), ZT_ARENA - 2 * ZT_PAGE);
}

TEST(straggler_dies)
{
	struct zcbuf_reservation r;
	struct stream s;

	straggle(&s, &r);
	close(s.other);
	EXPECT_EQ(zt_used(s.fd), 0);
}

TEST(straggler_closes_its_port)
{
	struct zcbuf_reservation r;
	struct stream s;

	straggle(&s, &r);
	EXPECT_OK(zt_channel_close(s.other, s.channel, 0));
	EXPECT_EQ(zt_used(s.fd), 0);
}

/* Nobody else can say it for him. */
TEST(straggler_of_another)
{
	struct zcbuf_reservation r;
	struct stream s;

	straggle(&s, &r);
	EXPECT_ERR(zt_commit1(s.fd, s.channel, &r), ESHUTDOWN);
	EXPECT_ERR(zt_abort1(s.fd, s.channel, &r), ESHUTDOWN);
	EXPECT_EQ(zt_used(s.fd), 2 * ZT_PAGE);
	EXPECT_OK(zt_channel_close(s.fd, s.channel, 0));
	EXPECT_EQ(zt_used(s.fd), 2 * ZT_PAGE);
	close(s.fd);
	EXPECT_EQ(zt_used(s.other), 2 * ZT_PAGE);
	EXPECT_ERR(zt_abort1(s.other, s.channel, &r), ESHUTDOWN);
	EXPECT_EQ(zt_used(s.other), 0);
}

/* Acknowledged before the group is released: the release frees it. */
TEST(straggler_is_early)
{
	struct zcbuf_reservation r;
	struct zcbuf_finalize f;
	struct stream s;

	stream_open(&s, 0, 0, ZT_ALL_PORTS);
	ASSERT_OK(zt_ports(s.other, s.channel, ZCBUF_PORT_PRODUCE));
	ASSERT_OK(zt_reserve1(s.other, s.channel, 5000, &r));
	ASSERT_OK(zt_finalize(s.fd, s.channel, &f));
	EXPECT_ERR(zt_commit1(s.other, s.channel, &r), ESHUTDOWN);
	EXPECT_EQ(zt_used(s.fd), 2 * ZT_PAGE);
	expect_lost(s.fd, s.channel, 0, 5000);
	EXPECT_EQ(zt_used(s.fd), 0);
}

/* By somebody else before that: the release does not. */
TEST(straggler_of_another_is_early)
{
	struct zcbuf_reservation r;
	struct zcbuf_finalize f;
	struct stream s;

	stream_open(&s, 0, 0, ZT_ALL_PORTS);
	ASSERT_OK(zt_ports(s.other, s.channel, ZCBUF_PORT_PRODUCE));
	ASSERT_OK(zt_reserve1(s.other, s.channel, 5000, &r));
	ASSERT_OK(zt_finalize(s.fd, s.channel, &f));
	EXPECT_ERR(zt_commit1(s.fd, s.channel, &r), ESHUTDOWN);
	EXPECT_ERR(zt_abort1(s.fd, s.channel, &r), ESHUTDOWN);
	expect_lost(s.fd, s.channel, 0, 5000);
	EXPECT_EQ(zt_used(s.fd), 2 * ZT_PAGE);
	EXPECT_ERR(zt_abort1(s.other, s.channel, &r), ESHUTDOWN);
	EXPECT_EQ(zt_used(s.fd), 0);
}

/* Three of two owners in one group: the last one to speak frees it. */
TEST(stragglers_of_one_group)
{
	struct zcbuf_reservation a, b, c;
	struct zcbuf_lost lost[3];
	struct zcbuf_receive_failed f = { .lost = zt_ptr(lost), .nlost = 3 };
	struct zcbuf_finalize fin;
	struct stream s;

	stream_open(&s, 4096, 0, ZT_ALL_PORTS);
	ASSERT_OK(zt_ports(s.other, s.channel, ZCBUF_PORT_PRODUCE));
	ASSERT_OK(zt_reserve1(s.other, s.channel, 10, &a));
	ASSERT_OK(zt_reserve1(s.fd, s.channel, 10, &b));
	ASSERT_OK(zt_reserve1(s.other, s.channel, 10, &c));
	ASSERT_OK(zt_finalize(s.fd, s.channel, &fin));
	EXPECT_EQ(fin.out_reservations, 3);
	ASSERT_OK(zt_receive_failed(s.fd, s.channel, &f));
	EXPECT_OK(zt_release1(s.fd, s.channel, f.out_delivery.handle));
	EXPECT_ERR(zt_commit1(s.other, s.channel, &a), ESHUTDOWN);
	EXPECT_ERR(zt_commit1(s.fd, s.channel, &b), ESHUTDOWN);
	EXPECT_EQ(zt_used(s.fd), ZT_PAGE);
	close(s.other);
	EXPECT_EQ(zt_used(s.fd), 0);
}

/* --------------------------------------------------- the last producer goes */

/* Killed with a group that is open: what it committed is delivered. */
TEST(last_producer_is_killed)
{
	struct zcbuf_delivery d;
	struct zcbuf_receive a = zt_arg(struct zcbuf_receive, .count = 1,
		.entries = zt_ptr(&d), .entry_size = sizeof(d),
		.deadline_ns = ZCBUF_NO_DEADLINE);
	struct hz_caller c = { .request = ZCBUF_IOC_RECEIVE, .arg = &a };
	struct zt_turns t;
	struct stream s;
	pid_t child;

	stream_open(&s, 1000, 0, ZCBUF_PORT_CONSUME | ZCBUF_PORT_RECV_FAILED);
	ASSERT_OK(zt_turns_init(&t));
	child = fork();
	if (!child) {
		int own = zt_join(s.fd, 0);

		ASSERT_OK(zt_ports(own, s.channel, ZCBUF_PORT_PRODUCE));
		hz_put(own, s.channel, 30);
		ASSERT_OK(zt_tell_parent(&t));
		ktap_stay();
	}
	zt_turns_parent(&t);
	ASSERT_OK(zt_await_child(&t));
	c.fd = s.fd;
	a.channel = s.channel;
	hz_caller_block(&c);
	kill(child, SIGKILL);
	EXPECT_OK(hz_caller_join(&c));
	EXPECT_EQ(d.length, 30);
	ASSERT_EQ(waitpid(child, NULL, 0), child);
	expect_end(s.fd, s.channel);
	EXPECT_ERR(zt_ports(s.other, s.channel, 0), EINVAL);
	EXPECT_OK(zt_release1(s.fd, s.channel, d.handle));
	EXPECT_EQ(zt_used(s.fd), 0);
}

/* Nothing was ever in it: the end all the same. */
TEST(last_producer_closes_an_empty_stream)
{
	struct zcbuf_reservation r;
	struct stream s;

	stream_open(&s, 1000, 0, ZT_ALL_PORTS);
	EXPECT_EQ(zt_poll(s.fd, 0) & POLLHUP, 0);
	EXPECT_OK(zt_channel_close(s.fd, s.channel, ZCBUF_PORT_PRODUCE));
	EXPECT_EQ(zt_poll(s.fd, 0), POLLHUP);
	expect_end(s.fd, s.channel);
	ASSERT_OK(zt_ports(s.other, s.channel, ZCBUF_PORT_PRODUCE));
	EXPECT_ERR(zt_reserve1(s.other, s.channel, 1, &r), ESHUTDOWN);
}

TEST(not_the_last_producer)
{
	struct zcbuf_receive_failed f = {};
	struct zcbuf_delivery d;
	struct stream s;

	stream_open(&s, 1000, 0, ZT_ALL_PORTS);
	ASSERT_OK(zt_ports(s.other, s.channel, ZCBUF_PORT_PRODUCE));
	hz_put(s.fd, s.channel, 30);
	EXPECT_OK(zt_channel_close(s.fd, s.channel, ZCBUF_PORT_PRODUCE));
	EXPECT_ERR(zt_receive(s.fd, s.channel, &d, 1, 0), EAGAIN);
	EXPECT_ERR(zt_receive_failed(s.fd, s.channel, &f), EAGAIN);
	EXPECT_EQ(zt_flush(s.other, s.channel), 1);
	expect_group(s.fd, s.channel, 0, 30);
	hz_put(s.other, s.channel, 970);
	EXPECT_EQ(zt_flush(s.other, s.channel), 1);
	expect_group(s.fd, s.channel, 30, 970);
}

/* NO_AUTO_FINALIZE: the next producer goes on where the last one ended. */
TEST(stream_waits_for_a_producer)
{
	struct zcbuf_reservation r;
	struct zcbuf_delivery d;
	struct stream s;

	stream_open(&s, 100, ZCBUF_CHANNEL_F_NO_AUTO_FINALIZE, ZT_ALL_PORTS);
	hz_put(s.fd, s.channel, 100);
	ASSERT_OK(zt_reserve1(s.fd, s.channel, 200, &r));
	EXPECT_OK(zt_channel_close(s.fd, s.channel, ZCBUF_PORT_PRODUCE));
	expect_group(s.fd, s.channel, 0, 100);
	expect_lost(s.fd, s.channel, 1, 200);
	EXPECT_ERR(zt_receive(s.fd, s.channel, &d, 1, 0), EAGAIN);
	EXPECT_EQ(zt_poll(s.fd, 0), 0);
	ASSERT_OK(zt_ports(s.other, s.channel, ZCBUF_PORT_PRODUCE));
	ASSERT_OK(zt_reserve1(s.other, s.channel, 100, &r));
	EXPECT_EQ(r.out_id, 2);
	EXPECT_EQ(r.out_offset, 300);
	ASSERT_OK(zt_commit1(s.other, s.channel, &r));
	expect_group(s.fd, s.channel, 300, 100);
}

/* ------------------------------------------------------------ queues go on */

/* A full queue and parked groups behind it: the next one gets them in order. */
TEST(queues_are_handed_on_in_order)
{
	struct stream s;
	int first, i;

	stream_open(&s, 10, 0, ZCBUF_PORT_PRODUCE | ZCBUF_PORT_RECV_FAILED);
	first = zt_join(s.fd, 0);
	ASSERT_OK(hz_ports_depth(first, s.channel, ZCBUF_PORT_CONSUME, 2));
	for (i = 0; i < 6; i++)
		hz_put(s.fd, s.channel, 10);
	close(first);
	ASSERT_OK(hz_ports_depth(s.other, s.channel, ZCBUF_PORT_CONSUME, 1));
	for (i = 0; i < 6; i++) {
		EXPECT_EQ(zt_poll(s.other, 0) & POLLIN, POLLIN);
		expect_group(s.other, s.channel, 10 * i, 10);
	}
	EXPECT_EQ(zt_poll(s.other, 0) & POLLIN, 0);
	EXPECT_EQ(zt_used(s.fd), 0);
}

/* Failed groups nobody serves wait for somebody who does. */
TEST(failed_groups_are_handed_on)
{
	struct zcbuf_reservation r;
	struct stream s;
	int i;

	stream_open(&s, 0, 0, ZCBUF_PORT_PRODUCE);
	for (i = 0; i < 3; i++) {
		ASSERT_OK(zt_reserve1(s.fd, s.channel, 10, &r));
		ASSERT_OK(zt_abort1(s.fd, s.channel, &r));
	}
	ASSERT_OK(zt_ports(s.other, s.channel, ZCBUF_PORT_RECV_FAILED));
	expect_lost(s.other, s.channel, 0, 10);
	close(s.other);
	ASSERT_OK(zt_ports(s.fd, s.channel, ZCBUF_PORT_RECV_FAILED));
	expect_lost(s.fd, s.channel, 1, 10);
	expect_lost(s.fd, s.channel, 2, 10);
	EXPECT_EQ(zt_used(s.fd), 0);
}

/* A channel goes with its last port, and what is in it with the channel. */
TEST(channel_goes_with_its_last_port)
{
	struct zcbuf_pool_info info;
	struct zcbuf_reservation r;
	struct stream s;
	int i;

	stream_open(&s, 0, ZCBUF_CHANNEL_F_NO_AUTO_FINALIZE,
		    ZCBUF_PORT_PRODUCE);
	ASSERT_OK(zt_ports(s.other, s.channel, ZCBUF_PORT_RECV_FAILED));
	for (i = 0; i < 4; i++) {
		hz_put(s.fd, s.channel, 5000);
		ASSERT_OK(zt_reserve1(s.fd, s.channel, 5000, &r));
	}
	EXPECT_EQ(zt_used(s.fd), 16 * ZT_PAGE);
	EXPECT_OK(zt_channel_close(s.fd, s.channel, 0));
	EXPECT_EQ(zt_used(s.fd), 16 * ZT_PAGE);
	EXPECT_OK(zt_channel_close(s.other, s.channel, 0));
	EXPECT_EQ(zt_used(s.fd), 0);
	ASSERT_OK(zt_pool_info(s.fd, &info));
	EXPECT_EQ(info.out_channels, 0);
}

/* ORDERED: a producer that dies holds back nobody any more. */
TEST(order_and_a_dead_producer)
{
	struct zcbuf_reservation a, b;
	struct zcbuf_delivery d;
	struct stream s;

	stream_open(&s, 0, ZCBUF_CHANNEL_F_ORDERED, ZT_ALL_PORTS);
	ASSERT_OK(zt_ports(s.other, s.channel, ZCBUF_PORT_PRODUCE));
	ASSERT_OK(zt_reserve1(s.fd, s.channel, 1, &a));
	ASSERT_OK(zt_reserve1(s.other, s.channel, 10, &b));
	hz_put(s.fd, s.channel, 20);
	hz_put(s.fd, s.channel, 30);
	EXPECT_ERR(zt_receive(s.fd, s.channel, &d, 1, 0), EAGAIN);
	ASSERT_OK(zt_commit1(s.fd, s.channel, &a));
	expect_group(s.fd, s.channel, 0, 1);
	EXPECT_ERR(zt_receive(s.fd, s.channel, &d, 1, 0), EAGAIN);
	close(s.other);
	expect_group(s.fd, s.channel, 11, 20);
	expect_group(s.fd, s.channel, 31, 30);
	expect_lost(s.fd, s.channel, 1, 10);
	EXPECT_EQ(zt_used(s.fd), 0);
}

/* NEED_CONSUMER looks at each entry anew; what was reserved stays. */
TEST(need_consumer)
{
	struct zcbuf_reservation r[2] = { { .length = 8 }, { .length = 8 } };
	struct stream s;

	stream_open(&s, 0, 0, ZCBUF_PORT_PRODUCE | ZCBUF_PORT_RECV_FAILED);
	EXPECT_ERR(zt_reserve(s.fd, s.channel, r, 2,
			      ZCBUF_RESERVE_F_NEED_CONSUMER, 0), EPIPE);
	ASSERT_OK(zt_ports(s.other, s.channel, ZCBUF_PORT_CONSUME));
	EXPECT_EQ(zt_reserve(s.fd, s.channel, r, 2,
			     ZCBUF_RESERVE_F_NEED_CONSUMER, 0), 2);
	EXPECT_EQ(r[0].out_id, 0);
	close(s.other);
	EXPECT_ERR(zt_reserve(s.fd, s.channel, r, 1,
			      ZCBUF_RESERVE_F_NEED_CONSUMER, 0), EPIPE);
	EXPECT_OK(zt_commit1(s.fd, s.channel, &r[0]));
}

/* ---------------------------------------------------------------- eventfds */

static int eventfd_new(void)
{
	int efd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	ASSERT_GE(efd, 0);
	return efd;
}

static void arm(int fd, __u64 channel, int efd, __u32 flags)
{
	ASSERT_OK(zt_eventfd(fd, channel, efd, ZCBUF_EVENTFD_EACH, flags));
}

/* Armed at any time, it counts every group once, and the end once. */
static void eventfd_armed(int when)
{
	struct zcbuf_finalize f;
	int efd = eventfd_new();
	__u64 counted = 0;
	struct stream s;

	stream_open(&s, 10, 0, ZT_ALL_PORTS);
	if (when == 0)
		arm(s.fd, s.channel, efd, 0);
	hz_put(s.fd, s.channel, 10);
	hz_put(s.fd, s.channel, 10);
	if (when == 1)
		arm(s.fd, s.channel, efd, 0);
	ASSERT_OK(zt_finalize(s.fd, s.channel, &f));
	if (when == 2)
		arm(s.fd, s.channel, efd, 0);
	counted = zt_count(efd);
	EXPECT_EQ(counted, 2);
	expect_group(s.fd, s.channel, 0, 10);
	EXPECT_EQ(zt_count(efd), 0);
	expect_group(s.fd, s.channel, 10, 10);
	EXPECT_EQ(zt_count(efd), 1);
	expect_end(s.fd, s.channel);
	EXPECT_EQ(zt_count(efd), 0);
}

TEST(eventfd_armed_first)
{
	eventfd_armed(0);
}

TEST(eventfd_armed_with_a_backlog)
{
	eventfd_armed(1);
}

TEST(eventfd_armed_late)
{
	eventfd_armed(2);
}

TEST(eventfd_armed_after_the_end)
{
	struct zcbuf_finalize f;
	int efd = eventfd_new(), failed = eventfd_new();
	struct stream s;

	stream_open(&s, 10, 0, ZT_ALL_PORTS);
	ASSERT_OK(zt_finalize(s.fd, s.channel, &f));
	arm(s.fd, s.channel, efd, 0);
	arm(s.fd, s.channel, failed, ZCBUF_EVENTFD_F_FAILED);
	EXPECT_EQ(zt_count(efd), 1);
	EXPECT_EQ(zt_count(failed), 1);
}

TEST(eventfd_of_failed_groups)
{
	int efd = eventfd_new(), failed = eventfd_new();
	struct zcbuf_reservation r;
	struct stream s;
	int i;

	stream_open(&s, 0, 0, ZT_ALL_PORTS);
	for (i = 0; i < 5; i++) {
		ASSERT_OK(zt_reserve1(s.fd, s.channel, 10, &r));
		ASSERT_OK(zt_abort1(s.fd, s.channel, &r));
		if (i == 2) {
			arm(s.fd, s.channel, efd, 0);
			arm(s.fd, s.channel, failed, ZCBUF_EVENTFD_F_FAILED);
		}
	}
	EXPECT_EQ(zt_count(efd), 0);
	EXPECT_EQ(zt_count(failed), 5);
}

/* Another one takes its place; a port that goes drops its own. */
TEST(eventfd_is_let_go)
{
	int one = eventfd_new(), two = eventfd_new();
	struct stream s;

	stream_open(&s, 10, 0, ZT_ALL_PORTS);
	arm(s.fd, s.channel, one, 0);
	arm(s.fd, s.channel, two, 0);
	hz_put(s.fd, s.channel, 10);
	EXPECT_EQ(zt_count(one), 0);
	EXPECT_EQ(zt_count(two), 1);
	ASSERT_OK(zt_eventfd(s.fd, s.channel, 0, ZCBUF_EVENTFD_NONE, 0));
	hz_put(s.fd, s.channel, 10);
	EXPECT_EQ(zt_count(two), 0);
	arm(s.fd, s.channel, two, 0);
	EXPECT_EQ(zt_count(two), 2);
	ASSERT_OK(zt_channel_close(s.fd, s.channel, ZCBUF_PORT_CONSUME));
	ASSERT_OK(zt_ports(s.fd, s.channel, ZCBUF_PORT_CONSUME));
	hz_put(s.fd, s.channel, 10);
	EXPECT_EQ(zt_count(two), 0);
}

/* Signalled though its descriptor is closed here: somebody else has it. */
TEST(eventfd_outlives_its_descriptor)
{
	int efd = eventfd_new(), other = dup(efd);
	struct stream s;

	stream_open(&s, 10, 0, ZT_ALL_PORTS);
	arm(s.fd, s.channel, efd, 0);
	close(efd);
	hz_put(s.fd, s.channel, 10);
	EXPECT_EQ(zt_count(other), 1);
	close(other);
	hz_put(s.fd, s.channel, 10);
	expect_group(s.fd, s.channel, 0, 10);
}

/* One that cannot count any further holds up nobody. */
TEST(eventfd_is_full)
{
	const __u64 most = ~0ULL - 1;
	int efd = eventfd_new();
	struct stream s;

	ASSERT_EQ(write(efd, &most, sizeof(most)), (ssize_t)sizeof(most));
	stream_open(&s, 10, 0, ZT_ALL_PORTS);
	arm(s.fd, s.channel, efd, 0);
	hz_put(s.fd, s.channel, 10);
	hz_put(s.fd, s.channel, 10);
	expect_group(s.fd, s.channel, 0, 10);
	expect_group(s.fd, s.channel, 10, 10);
}

/* ----------------------------------------------------------------- signals */

static volatile sig_atomic_t handled;

static void on_signal(int signo)
{
	(void)signo;
	handled++;
}

/* A turnover is half done when the signal comes: it is not begun again. */
static void turnover_interrupted(int sa_flags)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = sa_flags };
	struct zcbuf_reservation r, v = { .length = ZT_ARENA };
	struct zcbuf_commit_entry e;
	struct zcbuf_commit_reserve a;
	struct hz_caller c = { .request = ZCBUF_IOC_COMMIT_RESERVE, .arg = &a };
	struct stream s;

	if (ktap_pelted())
		SKIP("the first signal ends the call, whosever it is");
	ASSERT_OK(sigaction(SIGUSR1, &sa, NULL));
	stream_open(&s, 0, 0, ZT_ALL_PORTS);
	ASSERT_OK(zt_reserve1(s.fd, s.channel, 10, &r));
	e = (struct zcbuf_commit_entry){ .group = r.out_group, .id = r.out_id,
		.offset = r.out_offset, .length = r.length };
	a = zt_arg(struct zcbuf_commit_reserve, .channel = s.channel,
		.commits = zt_ptr(&e), .ncommits = 1, .reserves = zt_ptr(&v),
		.nreserves = 1, .deadline_ns = ZCBUF_NO_DEADLINE);
	c.fd = s.fd;
	hz_caller_block(&c);
	ASSERT_EQ(pthread_kill(c.thread.pthread, SIGUSR1), 0);
	EXPECT_OK(hz_caller_join(&c));
	EXPECT_EQ(handled, 1);
	EXPECT_EQ(a.out_committed, 1);
	EXPECT_EQ(a.out_commit_error, 0);
	EXPECT_EQ(a.out_reserved, 0);
	EXPECT_EQ(a.out_reserve_error, EINTR);
	expect_group(s.fd, s.channel, 0, 10);
	EXPECT_EQ(zt_used(s.fd), 0);
}

TEST(turnover_and_a_signal)
{
	turnover_interrupted(0);
}

TEST(turnover_and_a_signal_that_restarts)
{
	turnover_interrupted(SA_RESTART);
}

/* Stopped and continued while it waits: it waits on. */
TEST(stopped_and_continued)
{
	struct stream s;
	pid_t child;

	if (ktap_pelted())
		SKIP("somebody else would continue the child");
	stream_open(&s, 10, 0, ZCBUF_PORT_PRODUCE);
	child = fork();
	if (!child) {
		int own = zt_join(s.fd, 0);
		struct zcbuf_delivery d;

		ASSERT_OK(zt_ports(own, s.channel, ZCBUF_PORT_CONSUME));
		EXPECT_EQ(zt_receive(own, s.channel, &d, 1,
				     ZCBUF_NO_DEADLINE), 1);
		_exit(0);
	}
	ASSERT_OK(zt_await_sleep(child, SYS_ioctl));
	ASSERT_OK(kill(child, SIGSTOP));
	ASSERT_EQ(waitpid(child, NULL, WUNTRACED), child);
	ASSERT_OK(kill(child, SIGCONT));
	ASSERT_OK(zt_await_sleep(child, SYS_ioctl));
	hz_put(s.fd, s.channel, 10);
	EXPECT_STATUS(child, 0);
}

/* Deadlines at the end of time are no deadlines in the past. */
TEST(deadlines_far_away)
{
	const __u64 far[] = { hz_now() + (1ULL << 60), (1ULL << 63) - 2,
			      (1ULL << 63) - 1, 1ULL << 63, ~0ULL - 1 };
	struct zcbuf_delivery d;
	struct zcbuf_receive a = zt_arg(struct zcbuf_receive, .count = 1,
		.entries = zt_ptr(&d), .entry_size = sizeof(d));
	struct hz_caller c = { .request = ZCBUF_IOC_RECEIVE, .arg = &a };
	struct stream s;
	size_t i;

	stream_open(&s, 10, 0, ZT_ALL_PORTS);
	c.fd = s.fd;
	a.channel = s.channel;
	for (i = 0; i < sizeof(far) / sizeof(*far); i++) {
		a.deadline_ns = far[i];
		hz_caller_block(&c);
		hz_put(s.fd, s.channel, 10);
		EXPECT_OK(hz_caller_join(&c));
	}
}

KTAP_MAIN()
