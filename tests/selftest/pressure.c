// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * At the edges of what there is: the last credit, the last block, the last
 * byte of a limit, a machine whose memory has been used. Nothing may hang,
 * nothing may be lost, and who has given back may have again.
 */
#include <fcntl.h>
#include <pthread.h>
#include <time.h>

#include "common.h"
#include "ktap.h"

#define FAILURE_PORTS	64	/* of one channel */
#define ROUNDS		200

static __u64 soon(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (__u64)(now.tv_sec + 30) * 1000000000 + now.tv_nsec;
}

static __u64 channel(int fd, struct zcbuf_channel_open a)
{
	a.ports = a.ports ? a.ports : ZT_ALL_PORTS;
	ASSERT_OK(zt_channel_open(fd, &a));
	return a.out_channel;
}

#define CHANNEL(fd, ...) channel(fd, (struct zcbuf_channel_open){ __VA_ARGS__ })

static void publish(int fd, __u64 ch, __u64 length)
{
	struct zcbuf_reservation r;

	ASSERT_OK(zt_reserve1(fd, ch, length, &r));
	ASSERT_OK(zt_commit1(fd, ch, &r));
}

/* Take the next group, give it back: its stream offset, or -errno. */
static __s64 consume(int fd, __u64 ch, __u64 deadline_ns)
{
	struct zcbuf_delivery d;
	int n = zt_receive(fd, ch, &d, 1, deadline_ns);

	if (n < 0)
		return n;
	ASSERT_OK(zt_release1(fd, ch, d.handle));
	return d.offset;
}

/* An open group that holds all credits must not wait for a reservation more. */
TEST(the_last_credit_seals)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA), i;
	struct zcbuf_reservation r;
	__u64 ch = CHANNEL(fd, .max_outstanding = 100, .align = 1);

	for (i = 0; i < 100; i++)
		publish(fd, ch, 12);
	EXPECT_ERR(zt_reserve1(fd, ch, 12, &r), EAGAIN);
	EXPECT_EQ(consume(fd, ch, 0), 0);
	EXPECT_OK(zt_reserve1(fd, ch, 12, &r));
}

struct producer {
	int fd;
	__u64 ch;
	int result;
};

/* Two of them want a group; there is memory for one, with room for both. */
static void *produce(void *arg)
{
	struct producer *p = arg;
	struct zcbuf_reservation r = { .length = 100 };
	int n = zt_reserve(p->fd, p->ch, &r, 1, 0, soon());

	p->result = n == 1 ? zt_commit1(p->fd, p->ch, &r) : n;
	return NULL;
}

TEST(one_block_for_two)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA), i, j;
	__u64 ch = CHANNEL(fd, .max_reservation = 4096);
	struct producer p[2];
	pthread_t thread[2];

	for (i = 0; i < ROUNDS; i++) {
		for (j = 0; j < 2; j++) {
			p[j] = (struct producer){ .fd = fd, .ch = ch };
			ASSERT_EQ(pthread_create(&thread[j], NULL, produce,
						 &p[j]), 0);
		}
		for (j = 0; j < 2; j++) {
			ASSERT_EQ(pthread_join(thread[j], NULL), 0);
			ASSERT_OK(p[j].result);
		}
		zt_flush(fd, ch);
		while (consume(fd, ch, 0) >= 0)
			;
		ASSERT_EQ(zt_used(fd), 0);
	}
}

static void *window(void *arg)
{
	struct producer *p = arg;
	struct zcbuf_reservation r = { .length = 65536 };

	p->result = zt_reserve(p->fd, p->ch, &r, 1, ZCBUF_RESERVE_F_WINDOW,
			       ZCBUF_NO_DEADLINE);
	return NULL;
}

/* What a RESERVE waits for may be what the open group of its channel holds. */
TEST(waiting_seals_what_is_in_the_way)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	__u64 ch = CHANNEL(fd);	/* a block is the whole pool */
	struct producer p = { .fd = fd, .ch = ch };
	pthread_t thread;

	publish(fd, ch, 1000);
	ASSERT_EQ(zt_used(fd), ZT_ARENA);
	ASSERT_EQ(pthread_create(&thread, NULL, window, &p), 0);
	EXPECT_EQ(consume(fd, ch, ZCBUF_NO_DEADLINE), 0);
	ASSERT_EQ(pthread_join(thread, NULL), 0);
	EXPECT_EQ(p.result, 1);
}

TEST(failure_ports_are_bounded)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA), i, last;
	__u64 ch = CHANNEL(fd, .ports = ZCBUF_PORT_PRODUCE);

	for (i = 0; i < FAILURE_PORTS; i++)
		ASSERT_OK(zt_ports(zt_join(fd, 0), ch, ZCBUF_PORT_RECV_FAILED));
	last = zt_join(fd, 0);
	EXPECT_ERR(zt_ports(last, ch, ZCBUF_PORT_RECV_FAILED), EMFILE);
	EXPECT_ERR(zt_channel_close(last, ch, 0), ENOENT);
	EXPECT_OK(zt_ports(last, ch, ZCBUF_PORT_CONSUME));
	EXPECT_OK(zt_channel_close(last, ch, 0));
}

/* An ordered channel stays ordered when a consumer leaves its queue behind. */
TEST(order_survives_a_consumer)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA), gone = zt_join(fd, 0);
	__u64 ch = CHANNEL(fd, .flags = ZCBUF_CHANNEL_F_ORDERED |
					ZCBUF_CHANNEL_F_THRESHOLD, .align = 1);
	__u64 i;

	ASSERT_OK(zt_ports(gone, ch, ZCBUF_PORT_CONSUME));
	for (i = 0; i < 6; i++)
		publish(fd, ch, 10);
	close(gone);
	for (i = 0; i < 6; i++)
		EXPECT_EQ(consume(fd, ch, 0), (__s64)i * 10);
	EXPECT_EQ(consume(fd, ch, 0), -EAGAIN);
}

/* Run @test as an unprivileged user who may hold @mb. */
static void at_limit(long mb, void (*test)(void))
{
	long before = zt_parameter("user_limit_mb", mb);
	pid_t child;

	ASSERT_GE(before, 0);
	child = fork();
	if (!child) {
		ASSERT_OK(zt_become(ZT_USER, ZT_GROUP));
		test();
		_exit(0);
	}
	ASSERT_STATUS(child, 0);
	ASSERT_EQ(zt_parameter("user_limit_mb", before), mb);
}

/* What was closed does not count any more, whoever does the freeing. */
static void again_and_again(void)
{
	int i, fd;

	for (i = 0; i < 50; i++) {
		fd = zt_pool(ZCBUF_POOL_PAGES, 0, 3 * ZT_ARENA);
		ASSERT_GE(fd, 0);
		close(fd);
	}
}

TEST(closed_pools_do_not_count)
{
	at_limit(8, again_and_again);
}

/* The kernel's records of a channel are his who made it, and go with it. */
static void channels_count(void)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA), n = 0, err;
	struct zcbuf_channel_open a = { .ports = ZT_ALL_PORTS };
	struct zcbuf_query q;
	__u64 last = 0;

	for (;;) {
		a.channel = 0;
		err = zt_channel_open(fd, &a);
		if (err || ++n > 4096)
			break;
		last = a.out_channel;
	}
	EXPECT_EQ(err, -ENOMEM);
	EXPECT_GT(n, 1);
	EXPECT_OK(zt_channel_close(fd, last, 0));
	a.channel = 0;
	EXPECT_OK(zt_channel_open(fd, &a));
	ASSERT_OK(zt_query(fd, &q));
	EXPECT_LE(q.out_user_charged, q.out_user_limit);
}

TEST(channels_are_charged)
{
	__u64 before = zt_await_charged(0);

	at_limit(3, channels_count);
	EXPECT_EQ(zt_await_charged(before), before);
}

static void records_count(void)
{
	int fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA), n, err = 0;
	__u64 ch = CHANNEL(fd, .align = 1);
	struct zcbuf_reservation r;

	for (n = 0; n < 65536 && !err; n++)
		err = zt_reserve1(fd, ch, 1, &r);
	EXPECT_ERR(err, ENOMEM);
	EXPECT_GT(n, 64);
	r.length = 1;
	EXPECT_ERR(zt_reserve(fd, ch, &r, 1, 0, ZCBUF_NO_DEADLINE), ENOMEM);
}

TEST(reservations_are_charged)
{
	at_limit(3, records_count);
}

static void dirty(size_t size)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_TRUE(p != MAP_FAILED);
	memset(p, 1, size);
	munmap(p, size);
}

/* Huge pages are mapped as such, whatever their memory was used for before. */
TEST_LIMIT(huge_pages_of_a_used_machine, 120)
{
	size_t size = KTAP_TRIES(48) * ZT_ARENA;
	struct zcbuf_pool_info info;
	void *p;
	int fd;

	dirty((size_t)KTAP_TRIES(256) << 20);
	fd = zt_pool(ZCBUF_POOL_PAGES, 0, size);
	ASSERT_GE(fd, 0);
	memset(&info, 0, sizeof(info));
	ASSERT_OK(zt_pool_info(fd, &info));
	if (!info.out_page_order)
		KTAP_MISSING("huge-pages", "no huge pages to be had");
	p = zt_map(fd, PROT_READ | PROT_WRITE, size);
	ASSERT_TRUE(p);
	memset(p, 1, size);
	EXPECT_EQ(zt_pmd_mapped_kib(), size / 1024);
}

KTAP_MAIN()
