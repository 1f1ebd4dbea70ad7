// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * READY: of very many mapped queues of a session a ring tells those that have
 * something, without a call, beside ends, closing, who sleeps, and scribbling.
 */
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "topic.h"

#define MANY	1025
#define SOME	8

/*
 * struct watch - a session, its ring, and its queues, of which only the page that both
 * write is mapped
 * @pool: who publishes
 * @fd: the session
 * @head: of the ring
 * @words: of the ring
 * @state: of it
 * @seen: what was read of it
 * @n: queues
 * @ch: their channels
 * @queue: them
 */
struct watch {
	int pool;
	int fd;
	const struct zcbuf_ready_head *head;
	const __u32 *words;
	struct zcbuf_ready_state *state;
	struct zcbuf_ready a;
	__u64 seen;
	unsigned int n;
	__u64 ch[MANY];
	struct zcbuf_queue_state *queue[MANY];
};

static struct watch w;

static void *map_state(int fd, __u64 bytes, __u64 offset)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		       offset);

	ASSERT_TRUE(p != MAP_FAILED);
	return p;
}

static void open_ring(void)
{
	w.a = zt_arg(struct zcbuf_ready);
	ASSERT_OK(zt_call(w.fd, ZCBUF_IOC_READY, &w.a));
	w.head = mmap(NULL, w.a.out_bytes, PROT_READ, MAP_SHARED, w.a.out_fd,
		      0);
	ASSERT_TRUE(w.head != MAP_FAILED);
	w.state = map_state(w.a.out_fd, w.a.out_state_bytes, w.a.out_bytes);
	EXPECT_EQ(w.head->magic, ZCBUF_READY_MAGIC);
	EXPECT_EQ(w.head->version, ZCBUF_READY_VERSION);
	EXPECT_GE(w.head->ring, 4096);
	w.words = (const void *)((const char *)w.head + w.head->ring_offset);
}

static void open_queue(unsigned int i)
{
	struct zcbuf_queue a = zt_arg(struct zcbuf_queue);

	w.ch[i] = TOPIC(w.pool, NULL, .max_outstanding = 64);
	ASSERT_OK(CONSUME(w.fd, w.ch[i], .depth = 2, .max_held = 2,
			  .policy = ZCBUF_POLICY_DROP_OLDEST));
	a.channel = w.ch[i];
	ASSERT_OK(zt_call(w.fd, ZCBUF_IOC_QUEUE, &a));
	w.queue[i] = map_state(a.out_fd, a.out_state_bytes, a.out_bytes);
	close(a.out_fd);
}

static void open_all(unsigned int n)
{
	unsigned int i;

	w.pool = tp_pool(&tp_pages);
	w.fd = tp_join(w.pool);
	open_ring();
	w.n = n;
	for (i = 0; i < n; i++)
		open_queue(i);
}

static void close_all(void)
{
	close(w.a.out_fd);
	close(w.fd);
	close(w.pool);
}

/* Its number from 1 on is what is to be told. */
static void arm(unsigned int i)
{
	__atomic_store_n(&w.queue[i]->armed, i + 1, __ATOMIC_SEQ_CST);
}

static bool armed(unsigned int i)
{
	return __atomic_load_n(&w.queue[i]->armed, __ATOMIC_SEQ_CST);
}

/* The next one that is told, or -1. */
static int next(void)
{
	if (w.seen == __atomic_load_n(&w.head->tail, __ATOMIC_ACQUIRE))
		return -1;
	return w.words[w.seen++ & (w.head->ring - 1)] - 1;
}

static void send(unsigned int i)
{
	ASSERT_OK(tp_send(w.pool, w.ch[i], 4096, i));
}

TEST(of_1025_queues)
{
	const unsigned int many = KTAP_TRIES(MANY);
	unsigned int i;

	open_all(many);
	for (i = 0; i < many; i++)
		arm(i);
	EXPECT_EQ(next(), -1);
	for (i = 0; i < many; i += 64)
		send(many - 1 - i);
	for (i = 0; i < many; i += 64) {
		EXPECT_EQ(next(), many - 1 - i);
		EXPECT_FALSE(armed(many - 1 - i));
	}
	EXPECT_EQ(next(), -1);
	for (i = 0; i < many; i++)
		EXPECT_EQ(armed(i), (many - 1 - i) % 64 != 0);
	close_all();
}

TEST(once_until_armed_again)
{
	open_all(2);
	send(0);
	EXPECT_EQ(next(), -1);
	arm(0);
	send(0);
	send(0);
	send(1);
	EXPECT_EQ(next(), 0);
	EXPECT_EQ(next(), -1);
	arm(0);
	send(0);
	EXPECT_EQ(next(), 0);
	EXPECT_EQ(next(), -1);
	close_all();
}

TEST(ends_are_told)
{
	struct zcbuf_finalize f;

	open_all(2);
	arm(0);
	arm(1);
	ASSERT_OK(zt_finalize(w.pool, w.ch[1], &f));
	EXPECT_EQ(next(), 1);
	ASSERT_OK(zt_channel_close(w.fd, w.ch[0], 0));
	EXPECT_EQ(next(), 0);
	EXPECT_EQ(next(), -1);
	close_all();
}

/* What the publisher leaves is the end of nothing here: a topic stays. */
TEST(who_publishes_dies)
{
	int other;

	open_all(1);
	other = tp_join(w.pool);
	ASSERT_OK(zt_ports(other, w.ch[0], ZCBUF_PORT_PRODUCE));
	arm(0);
	ASSERT_OK(tp_send(other, w.ch[0], 4096, 7));
	close(other);
	EXPECT_EQ(next(), 0);
	EXPECT_EQ(next(), -1);
	EXPECT_EQ(tp_take(w.fd, w.ch[0]), 7);
	close_all();
}

/* --------------------------------------------------------------------- sleeping */

static int eventfd_new(void)
{
	int efd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	ASSERT_GE(efd, 0);
	return efd;
}

static void sleep_for(void)
{
	__atomic_store_n(&w.state->sleeping, 1, __ATOMIC_SEQ_CST);
}

TEST(one_eventfd_for_all)
{
	int efd = eventfd_new(), other = eventfd_new();
	unsigned int i;

	open_all(SOME);
	ASSERT_OK(zt_eventfd(w.fd, 0, efd, ZCBUF_EVENTFD_ADAPTIVE, 0));
	for (i = 0; i < SOME; i++)
		arm(i);
	send(0);
	EXPECT_EQ(zt_count(efd), 0);
	sleep_for();
	for (i = 1; i < SOME; i++)
		send(i);
	EXPECT_EQ(zt_count(efd), 1);
	EXPECT_EQ(w.state->sleeping, 0);
	for (i = 0; i < SOME; i++)
		EXPECT_EQ(next(), i);
	sleep_for();
	send(0);
	EXPECT_EQ(zt_count(efd), 0);
	arm(0);
	ASSERT_OK(zt_eventfd(w.fd, 0, other, ZCBUF_EVENTFD_ADAPTIVE, 0));
	send(0);
	EXPECT_EQ(zt_count(efd), 0);
	EXPECT_EQ(zt_count(other), 1);
	ASSERT_OK(zt_eventfd(w.fd, 0, 0, ZCBUF_EVENTFD_NONE, 0));
	arm(0);
	sleep_for();
	send(0);
	EXPECT_EQ(zt_count(other), 0);
	close_all();
}

TEST(eventfds_that_cannot_be)
{
	int efd = eventfd_new();

	w.pool = tp_pool(&tp_pages);
	w.fd = tp_join(w.pool);
	EXPECT_ERR(zt_eventfd(w.fd, 0, efd, ZCBUF_EVENTFD_ADAPTIVE, 0), EINVAL);
	EXPECT_ERR(zt_eventfd(w.fd, 0, 0, ZCBUF_EVENTFD_NONE, 0), EINVAL);
	open_ring();
	EXPECT_ERR(zt_eventfd(w.fd, 0, efd, ZCBUF_EVENTFD_EACH, 0), EINVAL);
	EXPECT_ERR(zt_eventfd(w.fd, 0, efd, ZCBUF_EVENTFD_ADAPTIVE,
			      ZCBUF_EVENTFD_F_FAILED), EINVAL);
	EXPECT_ERR(zt_eventfd(w.fd, 0, w.fd, ZCBUF_EVENTFD_ADAPTIVE, 0),
		   EINVAL);
	EXPECT_OK(zt_eventfd(w.fd, 0, 0, ZCBUF_EVENTFD_NONE, 0));
	close_all();
}

/* ---------------------------------------------------------------- what may not be */

TEST(what_cannot_be_mapped)
{
	open_all(1);
	EXPECT_EQ(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
		       w.a.out_fd, 0), MAP_FAILED);
	EXPECT_EQ(mprotect((void *)w.head, 4096, PROT_READ | PROT_WRITE), -1);
	EXPECT_EQ(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, w.a.out_fd, 0),
		  MAP_FAILED);
	EXPECT_EQ(mmap(NULL, w.a.out_bytes + 4096, PROT_READ, MAP_SHARED,
		       w.a.out_fd, 0), MAP_FAILED);
	close_all();
}

TEST(the_mapping_outlives_the_session)
{
	open_all(1);
	arm(0);
	close_all();
	EXPECT_EQ(w.head->magic, ZCBUF_READY_MAGIC);
	EXPECT_EQ(next(), 0);
	EXPECT_EQ(next(), -1);
	w.state->sleeping = 1;
}

/* He is told what he wrote, as often as he did, and others what they wrote. */
TEST(scribbled)
{
	struct watch other;
	unsigned int i, k;

	open_all(1);
	memset((void *)w.state, 0xff, w.a.out_state_bytes);
	other = w;
	w.n = SOME;
	w.fd = tp_join(w.pool);
	open_ring();
	for (i = 0; i < SOME; i++)
		open_queue(i);
	for (k = 0; k < 1000; k++)
		for (i = 0; i < SOME; i++) {
			w.queue[i]->armed = ~0U - i * k;
			w.queue[i]->sleeping = k;
			w.state->sleeping = ~k;
			send(i);
		}
	EXPECT_EQ(w.head->tail, 1000 * SOME);
	EXPECT_EQ(w.head->ring, other.head->ring);
	EXPECT_EQ(other.head->tail, 0);
	close(other.fd);
	close_all();
}

KTAP_MAIN()
