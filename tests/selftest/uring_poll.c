// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Sleeping by io_uring: a poll of the session, or of the eventfd of a mapped queue or
 * of all of them, completes when there is something; one that is multishot, for each
 * time.
 */
#include <liburing.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "topic.h"

#define TIMES	5

/*
 * struct sleeper - a consumer of a topic and a ring
 * @pool: who publishes
 * @fd: who consumes
 * @channel: the topic
 * @state: of its mapped queue
 * @ring: waits
 * @efd: an eventfd
 */
struct sleeper {
	int pool;
	int fd;
	__u64 channel;
	struct zcbuf_queue_state *state;
	struct io_uring ring;
	int efd;
};

static void *map_state(int fd, __u64 bytes, __u64 offset)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		       offset);

	ASSERT_TRUE(p != MAP_FAILED);
	close(fd);
	return p;
}

static struct sleeper sleeper_open(void)
{
	struct zcbuf_queue a = zt_arg(struct zcbuf_queue);
	struct sleeper s;

	s.pool = tp_pool(&tp_pages);
	s.channel = TOPIC(s.pool, NULL, 0);
	s.fd = CONSUMER(s.pool, s.channel, .depth = 8);
	a.channel = s.channel;
	ASSERT_OK(zt_call(s.fd, ZCBUF_IOC_QUEUE, &a));
	s.state = map_state(a.out_fd, a.out_state_bytes, a.out_bytes);
	s.efd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ASSERT_GE(s.efd, 0);
	ASSERT_EQ(io_uring_queue_init(8, &s.ring, 0), 0);
	return s;
}

static void sleeper_close(struct sleeper *s)
{
	io_uring_queue_exit(&s->ring);
	close(s->efd);
	close(s->fd);
	close(s->pool);
}

static void poll_on(struct sleeper *s, int fd, bool multi)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&s->ring);

	if (multi)
		io_uring_prep_poll_multishot(sqe, fd, POLLIN);
	else
		io_uring_prep_poll_add(sqe, fd, POLLIN);
	ASSERT_EQ(io_uring_submit(&s->ring), 1);
}

/* The next completion says that there is something, and whether another one comes. */
static void expect_event(struct sleeper *s, bool more)
{
	struct io_uring_cqe *cqe;

	ASSERT_EQ(io_uring_wait_cqe(&s->ring, &cqe), 0);
	EXPECT_EQ(cqe->res & POLLIN, POLLIN);
	EXPECT_EQ(!!(cqe->flags & IORING_CQE_F_MORE), more);
	io_uring_cqe_seen(&s->ring, cqe);
}

static void expect_none(struct sleeper *s)
{
	struct io_uring_cqe *cqe;

	EXPECT_EQ(io_uring_peek_cqe(&s->ring, &cqe), -EAGAIN);
}

static void tell(struct sleeper *s)
{
	ASSERT_OK(tp_send(s->pool, s->channel, 4096, 1));
}

/* Of any channel, as of many ports. */
static int drain(struct sleeper *s)
{
	struct zcbuf_delivery d;
	int n = 0;

	while (zt_receive(s->fd, 0, &d, 1, 0) == 1) {
		EXPECT_OK(zt_release1(s->fd, d.channel, d.handle));
		n++;
	}
	return n;
}

TEST(once_of_the_session)
{
	struct sleeper s = sleeper_open();

	poll_on(&s, s.fd, false);
	expect_none(&s);
	tell(&s);
	expect_event(&s, false);
	EXPECT_EQ(drain(&s), 1);
	tell(&s);
	expect_none(&s);
	sleeper_close(&s);
}

TEST(what_is_there_already)
{
	struct sleeper s = sleeper_open();

	tell(&s);
	poll_on(&s, s.fd, false);
	expect_event(&s, false);
	poll_on(&s, s.fd, true);
	expect_event(&s, true);
	sleeper_close(&s);
}

TEST(multishot_of_the_session)
{
	struct sleeper s = sleeper_open();
	int i;

	EXPECT_EQ(drain(&s), 0);
	poll_on(&s, s.fd, true);
	for (i = 0; i < TIMES; i++) {
		expect_none(&s);
		tell(&s);
		expect_event(&s, true);
		EXPECT_EQ(drain(&s), 1);
	}
	sleeper_close(&s);
}

/* Of a queue: only who says that he sleeps is told. */
TEST(multishot_of_a_queue)
{
	struct sleeper s = sleeper_open();
	int i;

	ASSERT_OK(zt_eventfd(s.fd, s.channel, s.efd, ZCBUF_EVENTFD_ADAPTIVE,
			     0));
	poll_on(&s, s.efd, true);
	for (i = 0; i < TIMES; i++) {
		tell(&s);
		expect_none(&s);
		__atomic_store_n(&s.state->sleeping, 1, __ATOMIC_SEQ_CST);
		tell(&s);
		expect_event(&s, true);
		EXPECT_EQ(zt_count(s.efd), 1);
		EXPECT_EQ(drain(&s), 2);
	}
	sleeper_close(&s);
}

/* And of all of them, which READY tells of. */
TEST(multishot_of_all_queues)
{
	struct zcbuf_ready a = zt_arg(struct zcbuf_ready);
	struct sleeper s = sleeper_open();
	struct zcbuf_ready_state *state;
	int i;

	ASSERT_OK(zt_call(s.fd, ZCBUF_IOC_READY, &a));
	state = map_state(a.out_fd, a.out_state_bytes, a.out_bytes);
	ASSERT_OK(zt_eventfd(s.fd, 0, s.efd, ZCBUF_EVENTFD_ADAPTIVE, 0));
	poll_on(&s, s.efd, true);
	for (i = 0; i < TIMES; i++) {
		__atomic_store_n(&s.state->armed, 1, __ATOMIC_SEQ_CST);
		__atomic_store_n(&state->sleeping, 1, __ATOMIC_SEQ_CST);
		tell(&s);
		tell(&s);
		expect_event(&s, true);
		expect_none(&s);
		EXPECT_EQ(zt_count(s.efd), 1);
		EXPECT_EQ(drain(&s), 2);
	}
	sleeper_close(&s);
}

TEST(a_poll_keeps_the_session_open)
{
	struct sleeper s = sleeper_open();

	poll_on(&s, s.fd, true);
	close(s.fd);
	s.fd = -1;
	tell(&s);
	expect_event(&s, true);
	sleeper_close(&s);
}

KTAP_MAIN()
