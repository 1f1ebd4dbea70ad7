// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/* Opening, asking, counting. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fake.h"
#include "test.h"

static void open_flags(void)
{
	int fd = zcbuf_open(O_RDONLY | O_NONBLOCK);

	EXPECT(fd >= 0);
	EXPECT_EQ(fake.open_flags, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	close(fd);
	EXPECT_EQ(zcbuf_open(O_RDWR | O_CREAT), -EOPNOTSUPP);
}

static void open_errors(void)
{
	fake.open_error = ENOENT;
	EXPECT_EQ(zcbuf_open(O_RDWR), -ENODEV);
	fake.open_error = ENXIO;
	EXPECT_EQ(zcbuf_open(O_RDWR), -ENODEV);
	fake.open_error = ENODEV;
	EXPECT_EQ(zcbuf_open(O_RDWR), -ENODEV);
	fake.open_error = EACCES;
	EXPECT_EQ(zcbuf_open(O_RDWR), -EACCES);
	fake.open_error = EMFILE;
	EXPECT_EQ(zcbuf_open(O_RDWR), -EMFILE);
}

static void query(void)
{
	struct {
		struct zcbuf_query query;
		__u64 newer;
	} q;
	int fd = zcbuf_open(O_RDWR);

	/* Dirt behind size, also in what this kernel does not know. */
	memset(&q, 0xff, sizeof(q));
	q.query.size = sizeof(q);
	EXPECT_EQ(zcbuf_query(fd, &q.query), 0);
	EXPECT_EQ(q.query.out_version, zcbuf_version());
	EXPECT_EQ(q.query.size, sizeof(q));
	EXPECT_EQ(q.newer, 0);

	q.query.size = 4;
	EXPECT_EQ(zcbuf_query(fd, &q.query), -EINVAL);
	q.query.size = UINT_MAX;
	EXPECT_EQ(zcbuf_query(fd, &q.query), -EINVAL);
	EXPECT_EQ(fake.calls[ZCBUF_NR_QUERY], 1);
	q.query.size = sizeof(q.query);
	EXPECT_EQ(zcbuf_query(-1, &q.query), -EBADF);
	close(fd);
}

static void stats_of(struct zcbuf_stats *stats)
{
	stats->sz = sizeof(*stats);
	EXPECT_EQ(zcbuf_stats(stats), 0);
}

static void stats(void)
{
	struct zcbuf_query q = { .size = sizeof(q) };
	struct zcbuf_stats s = { .sz = sizeof(s) - 1 };
	int fd = zcbuf_open(O_RDWR);

	EXPECT_EQ(zcbuf_stats(&s), -EINVAL);
	stats_of(&s);
	EXPECT_EQ(s.ioctls, 0);
	zcbuf_query(fd, &q);
	fake.fail[ZCBUF_NR_QUERY] = EINTR;
	EXPECT_EQ(zcbuf_query(fd, &q), -EINTR);
	zcbuf_query(-1, &q);	/* no system call */
	stats_of(&s);
	EXPECT_EQ(s.ioctls, 2);
	EXPECT_EQ(s.calls[ZCBUF_NR_QUERY], 2);
	EXPECT_EQ(s.calls[ZCBUF_NR_ALLOC], 0);
	EXPECT_EQ(s.sz, sizeof(s));
	close(fd);
}

static void stats_newer(void)
{
	struct {
		struct zcbuf_stats stats;
		__u64 newer;
		__u64 guard;
	} s;

	memset(&s, 0xff, sizeof(s));
	s.stats.sz = offsetof(typeof(s), guard);
	EXPECT_EQ(zcbuf_stats(&s.stats), 0);
	EXPECT_EQ(s.newer, 0);
	EXPECT_EQ(s.guard, -1);
}

/* Two children of a process that has sessions: each counts for itself. */
static void stats_fork(void)
{
	struct zcbuf_channel *channel = fake_channel(100);
	struct zcbuf_stats s;
	int status;

	stats_of(&s);
	EXPECT(s.ioctls >= 3);
	if (!fork()) {
		stats_of(&s);
		_exit(s.ioctls != 0);
	}
	wait(&status);
	EXPECT_EQ(status, 0);
	fake_channel_close(channel);
}

static __u64 now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static void deadlines(void)
{
	__u64 before = now_ns();
	__u64 deadline = zcbuf_deadline_ms(1500);
	__u64 after = now_ns();

	EXPECT(deadline >= before + 1500000000ULL);
	EXPECT(deadline <= after + 1500000000ULL);
	EXPECT_EQ(zcbuf_deadline_ms(0), 0);
	EXPECT(zcbuf_deadline_ms(-1) == ZCBUF_NO_DEADLINE);
	EXPECT(zcbuf_deadline_ms(INT_MIN) == ZCBUF_NO_DEADLINE);
	EXPECT(zcbuf_deadline_ms(INT_MAX) > after + 2147483ULL * 1000000000ULL);
}

static void version(void)
{
	EXPECT_EQ(zcbuf_version(), ZCBUF_VERSION);
}

static const struct test_case cases[] = {
	CASE(open_flags),
	CASE(open_errors),
	CASE(query),
	CASE(stats),
	CASE(stats_newer),
	CASE(stats_fork),
	CASE(deadlines),
	CASE(version),
};

TEST_MAIN(cases)
