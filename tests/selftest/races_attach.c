// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Races at the beginning and the end: two that attach one session, an attach
 * and the donor's close, an open and the last port's close; and those of being
 * told: eventfds armed anew, poll().
 */
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "hostile.h"

#define ROUNDS		KTAP_TRIES(60)
#define TRAFFIC		KTAP_TRIES(300)
#define PATIENCE	20000	/* ms, for what comes at once */

/* -------------------------------------------------------------- two attach */

#define POOL_NAME	"race"

/*
 * struct attaching - one session, two threads
 * @donor: a session of a pool by that name
 */
struct attaching {
	int fd;
	int donor;
};

struct attacher {
	struct attaching *x;
	int (*attach)(struct attaching *x);
	int answer;
};

static int by_create(struct attaching *x)
{
	return zt_pool_create(x->fd, ZCBUF_POOL_PAGES, 0, ZT_ARENA);
}

static int by_name(struct attaching *x)
{
	return zt_pool_attach(x->fd, POOL_NAME, 0);
}

static int by_fd(struct attaching *x)
{
	return zt_pool_attach_fd(x->fd, x->donor, 0);
}

/* Sees the pool of whoever was first, or makes its own. */
static int by_mmap(struct attaching *x)
{
	char *p = zt_map(x->fd, PROT_READ | PROT_WRITE, ZT_ARENA);

	if (!p)
		return -errno;
	p[0] = 1;
	p[ZT_ARENA - 1] = 1;
	return munmap(p, ZT_ARENA) ? -errno : 0;
}

static void *attach(void *p)
{
	struct attacher *a = p;

	hz_dawdle(15);
	a->answer = a->attach(a->x);
	return NULL;
}

static void attach_once(int (*const how[2])(struct attaching *), int donor)
{
	struct attaching x = { .fd = zt_open(O_RDWR), .donor = donor };
	struct attacher a = { .x = &x, .attach = how[0] };
	struct attacher b = { .x = &x, .attach = how[1] };
	bool mapped = how[0] == by_mmap || how[1] == by_mmap;
	struct zcbuf_query q;
	__u64 h;

	ASSERT_GE(x.fd, 0);
	hz_race(attach, &a, attach, &b);
	EXPECT_TRUE(!a.answer || a.answer == -EBUSY);
	EXPECT_TRUE(!b.answer || b.answer == -EBUSY);
	EXPECT_TRUE(!a.answer || !b.answer);
	if (!mapped)
		EXPECT_TRUE(a.answer || b.answer);
	ASSERT_OK(zt_query(x.fd, &q));
	EXPECT_NE(q.out_pool, 0);
	EXPECT_OK(zt_alloc1(x.fd, 4096, &h));
	close(x.fd);
}

static void attach_twice(const void *arg)
{
	int donor = zt_open(O_RDWR), i;

	ASSERT_OK(zt_pool_create_named(donor, POOL_NAME, 0));
	for (i = 0; i < ROUNDS; i++)
		attach_once(arg, donor);
	EXPECT_EQ(zt_used(donor), 0);
	EXPECT_EQ(zt_await_charged(ZT_ARENA), ZT_ARENA);
}

#define TEST_PAIR(a, b)							\
	static int (*const a##_##b[2])(struct attaching *) = { by_##a, by_##b }; \
	TEST_WITH(attach_twice, attach_##a##_##b, a##_##b)

TEST_PAIR(create, create)
TEST_PAIR(create, name)
TEST_PAIR(create, fd)
TEST_PAIR(create, mmap)
TEST_PAIR(name, name)
TEST_PAIR(name, mmap)
TEST_PAIR(fd, fd)
TEST_PAIR(fd, mmap)
TEST_PAIR(mmap, mmap)

static void *close_donor(void *p)
{
	struct attaching *x = p;

	hz_dawdle(15);
	close(x->donor);
	return NULL;
}

/* The pool is had, and works; or it is gone, and nothing has happened. */
TEST(attach_against_close_of_donor)
{
	int i, got = 0;

	for (i = 0; i < 2 * ROUNDS; i++) {
		struct attaching x = { .fd = zt_open(O_RDWR) };
		struct attacher a = { .x = &x, .attach = by_fd };
		__u64 h;

		x.donor = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
		ASSERT_GE(x.donor, 0);
		hz_race(attach, &a, close_donor, &x);
		EXPECT_TRUE(!a.answer || a.answer == -EBADF ||
			    a.answer == -ENOENT);
		got += !a.answer;
		if (a.answer)
			EXPECT_EQ(zt_used(x.fd), ~0ULL);
		else
			EXPECT_OK(zt_alloc1(x.fd, ZT_ARENA, &h));
		close(x.fd);
	}
	TEST_LOG("attached %d times of %d", got, i);
	EXPECT_EQ(zt_await_charged(0), 0);
}

TEST(attach_by_name_against_close)
{
	int i, got = 0;

	for (i = 0; i < 2 * ROUNDS; i++) {
		struct attaching x = { .fd = zt_open(O_RDWR) };
		struct attacher a = { .x = &x, .attach = by_name };
		__u64 h;

		x.donor = zt_open(O_RDWR);
		ASSERT_TRUE(HZ_UNTIL(!zt_pool_create_named(x.donor, POOL_NAME,
							   0)));
		hz_race(attach, &a, close_donor, &x);
		EXPECT_TRUE(!a.answer || a.answer == -ENOENT);
		got += !a.answer;
		if (!a.answer)
			EXPECT_OK(zt_alloc1(x.fd, ZT_ARENA, &h));
		close(x.fd);
	}
	TEST_LOG("attached %d times of %d", got, i);
	EXPECT_EQ(zt_await_charged(0), 0);
}

/* What /proc says of a descriptor that is being attached and closed. */
static void *read_fdinfo(void *p)
{
	struct attaching *x = p;
	char path[64], text[512];
	int fd, i;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", x->fd);
	for (i = 0; i < 20; i++) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		memset(text, 0, sizeof(text));
		if (read(fd, text, sizeof(text) - 1) > 0)
			EXPECT_TRUE(strstr(text, "zcbuf-session:"));
		close(fd);
	}
	return NULL;
}

static void *attach_and_close(void *p)
{
	struct attaching *x = p;

	EXPECT_OK(by_create(x));
	close(x->fd);
	return NULL;
}

TEST(fdinfo_against_close)
{
	int i;

	for (i = 0; i < ROUNDS; i++) {
		struct attaching x = { .fd = zt_open(O_RDWR) };

		ASSERT_GE(x.fd, 0);
		hz_race(read_fdinfo, &x, attach_and_close, &x);
	}
	EXPECT_EQ(zt_await_charged(0), 0);
}

/* --------------------------------------------------- channels begin and end */

struct opening {
	int fd;
	int other;
	__u64 channel;
	int answer;
};

static void *open_by_handle(void *p)
{
	struct opening *x = p;

	hz_dawdle(15);
	x->answer = zt_ports(x->other, x->channel, ZT_ALL_PORTS);
	return NULL;
}

static void *close_last_port(void *p)
{
	struct opening *x = p;

	hz_dawdle(15);
	EXPECT_OK(zt_channel_close(x->fd, x->channel, 0));
	return NULL;
}

TEST(open_against_last_close)
{
	struct zcbuf_pool_info info;
	struct opening x;
	int i, got = 0;

	x.fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	x.other = zt_join(x.fd, 0);
	for (i = 0; i < 2 * ROUNDS; i++) {
		ASSERT_OK(zt_stream(x.fd, 4096, ZCBUF_CHANNEL_F_NO_AUTO_FINALIZE,
				    &x.channel));
		hz_put(x.fd, x.channel, 100);
		hz_race(open_by_handle, &x, close_last_port, &x);
		EXPECT_TRUE(!x.answer || x.answer == -ENOENT);
		ASSERT_OK(zt_pool_info(x.fd, &info));
		EXPECT_EQ(info.out_channels, !x.answer);
		got += !x.answer;
		if (x.answer)
			continue;
		EXPECT_EQ(zt_flush(x.other, x.channel), 1);
		EXPECT_OK(zt_channel_close(x.other, x.channel, 0));
	}
	TEST_LOG("opened %d times of %d", got, i);
	EXPECT_EQ(zt_used(x.fd), 0);
}

/* -------------------------------------------------------------- being told */

/* @n groups of one record, as fast as there is room. */
struct feeding {
	int fd;
	__u64 channel;
	unsigned int n;
};

static void *feed(void *p)
{
	struct feeding *f = p;
	unsigned int i;

	for (i = 0; i < f->n; i++) {
		struct zcbuf_reservation r = { .length = 64 };

		ASSERT_EQ(zt_reserve(f->fd, f->channel, &r, 1, 0,
				     ZCBUF_NO_DEADLINE), 1);
		ASSERT_OK(zt_commit1(f->fd, f->channel, &r));
		hz_dawdle(18);
	}
	return NULL;
}

static void feeding_open(struct feeding *f)
{
	f->fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	ASSERT_GE(f->fd, 0);
	f->n = TRAFFIC;
	ASSERT_OK(zt_stream(f->fd, 0, 0, &f->channel));
}

static void *receive_and_release(void *p)
{
	struct feeding *f = p;
	struct zcbuf_delivery d;
	unsigned int i;

	for (i = 0; i < f->n; i++) {
		ASSERT_EQ(zt_receive(f->fd, f->channel, &d, 1,
				     ZCBUF_NO_DEADLINE), 1);
		EXPECT_EQ(d.group, i);
		ASSERT_OK(zt_release1(f->fd, f->channel, d.handle));
		hz_dawdle(18);
	}
	return NULL;
}

/* One credit: each waits for the other one every time. */
TEST(ping_pong)
{
	struct zcbuf_channel_open a = {
		.flags = ZCBUF_CHANNEL_F_THRESHOLD, .ports = ZT_ALL_PORTS,
		.max_outstanding = 1,
	};
	struct feeding f = { .n = 10 * TRAFFIC };

	f.fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	ASSERT_OK(zt_channel_open(f.fd, &a));
	f.channel = a.out_channel;
	hz_race(feed, &f, receive_and_release, &f);
	EXPECT_EQ(zt_used(f.fd), 0);
}

/* Take what is there. */
static unsigned int drain(const struct feeding *f)
{
	struct zcbuf_delivery d;
	unsigned int n = 0;

	while (zt_receive(f->fd, f->channel, &d, 1, 0) == 1) {
		EXPECT_OK(zt_release1(f->fd, f->channel, d.handle));
		n++;
	}
	return n;
}

/* Until there is something to read. */
static int wait_in(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return TEMP_FAILURE_RETRY(poll(&p, 1, PATIENCE)) == 1 ? p.revents : 0;
}

/* An eventfd armed at any time tells of everything that is not taken yet. */
TEST(eventfd_armed_anew)
{
	struct feeding f;
	unsigned int got = 0;
	pthread_t thread;

	feeding_open(&f);
	ASSERT_EQ(pthread_create(&thread, NULL, feed, &f), 0);
	while (got < f.n) {
		int efd = eventfd(0, EFD_CLOEXEC);

		ASSERT_OK(zt_eventfd(f.fd, f.channel, efd, ZCBUF_EVENTFD_EACH,
				     0));
		ASSERT_EQ(wait_in(efd) & POLLIN, POLLIN);
		got += drain(&f);
		if (hz_random(2))
			ASSERT_OK(zt_eventfd(f.fd, f.channel, 0,
					     ZCBUF_EVENTFD_NONE, 0));
		close(efd);
	}
	ASSERT_EQ(pthread_join(thread, NULL), 0);
	EXPECT_EQ(got, f.n);
	EXPECT_EQ(zt_used(f.fd), 0);
}

/* One eventfd, armed once: it has counted every group. */
TEST(eventfd_counts)
{
	int efd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct feeding f;
	unsigned int got = 0;
	__u64 counted = 0;
	pthread_t thread;

	feeding_open(&f);
	ASSERT_OK(zt_eventfd(f.fd, f.channel, efd, ZCBUF_EVENTFD_EACH, 0));
	ASSERT_EQ(pthread_create(&thread, NULL, feed, &f), 0);
	while (got < f.n) {
		ASSERT_EQ(wait_in(efd) & POLLIN, POLLIN);
		counted += zt_count(efd);
		got += drain(&f);
	}
	ASSERT_EQ(pthread_join(thread, NULL), 0);
	EXPECT_EQ(counted + zt_count(efd), f.n);
}

TEST(poll_in)
{
	struct feeding f;
	unsigned int got = 0;
	pthread_t thread;

	feeding_open(&f);
	ASSERT_EQ(pthread_create(&thread, NULL, feed, &f), 0);
	while (got < f.n) {
		ASSERT_EQ(wait_in(f.fd) & POLLIN, POLLIN);
		got += drain(&f);
	}
	ASSERT_EQ(pthread_join(thread, NULL), 0);
}

/* Edge-triggered: told once, drained until nothing is left. */
TEST(epoll_edge)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLET };
	int ep = epoll_create1(EPOLL_CLOEXEC);
	struct feeding f;
	unsigned int got = 0;
	pthread_t thread;

	feeding_open(&f);
	ASSERT_OK(epoll_ctl(ep, EPOLL_CTL_ADD, f.fd, &e));
	ASSERT_EQ(pthread_create(&thread, NULL, feed, &f), 0);
	while (got < f.n) {
		ASSERT_EQ(TEMP_FAILURE_RETRY(epoll_wait(ep, &e, 1, PATIENCE)),
			  1);
		got += drain(&f);
	}
	ASSERT_EQ(pthread_join(thread, NULL), 0);
	close(f.fd);
	close(ep);
	EXPECT_EQ(zt_await_charged(0), 0);
}

static void *drain_all(void *p)
{
	struct feeding *f = p;
	unsigned int got = 0;

	while (got < f->n) {
		ASSERT_EQ(wait_in(f->fd) & POLLIN, POLLIN);
		got += drain(f);
	}
	return NULL;
}

/* The other direction: POLLOUT whenever there is a credit again. */
TEST(poll_out)
{
	struct zcbuf_channel_open a = {
		.flags = ZCBUF_CHANNEL_F_THRESHOLD, .ports = ZT_ALL_PORTS,
		.max_outstanding = 2,
	};
	struct feeding f = { .n = TRAFFIC };
	struct zcbuf_reservation r;
	pthread_t thread;
	unsigned int i;

	f.fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
	ASSERT_OK(zt_channel_open(f.fd, &a));
	f.channel = a.out_channel;
	ASSERT_EQ(pthread_create(&thread, NULL, drain_all, &f), 0);
	for (i = 0; i < f.n; i++) {
		struct pollfd p = { .fd = f.fd, .events = POLLOUT };

		ASSERT_EQ(TEMP_FAILURE_RETRY(poll(&p, 1, PATIENCE)), 1);
		ASSERT_OK(zt_reserve1(f.fd, f.channel, 64, &r));
		ASSERT_OK(zt_commit1(f.fd, f.channel, &r));
	}
	ASSERT_EQ(pthread_join(thread, NULL), 0);
	EXPECT_EQ(zt_used(f.fd), 0);
}

static void *poll_hup(void *p)
{
	struct pollfd fd = { .fd = *(int *)p };

	EXPECT_EQ(TEMP_FAILURE_RETRY(poll(&fd, 1, PATIENCE)), 1);
	EXPECT_EQ(fd.revents, POLLHUP);
	return NULL;
}

/* The end of the stream wakes who sleeps in poll(). */
TEST(poll_end)
{
	struct zcbuf_finalize f;
	__u64 channel;
	int fd, i;

	for (i = 0; i < ROUNDS; i++) {
		pthread_t thread;

		fd = zt_pool(ZCBUF_POOL_PAGES, 0, ZT_ARENA);
		ASSERT_OK(zt_stream(fd, 0, 0, &channel));
		ASSERT_EQ(pthread_create(&thread, NULL, poll_hup, &fd), 0);
		usleep(hz_random(1000));
		EXPECT_OK(zt_finalize(fd, channel, &f));
		ASSERT_EQ(pthread_join(thread, NULL), 0);
		close(fd);
	}
}

KTAP_MAIN()
